"""Samples that could not be used."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_LOST = r"Capture\% Rows Lost"

RULE = Rule(
    id="capture-rows-lost",
    title="Some samples of the capture could not be used",
    entity="capture",
    value=f'"{_LOST}"',
    label="rows lost",
    unit="%",
    levels=(
        Level(
            "critical",
            10,
            sources.rule_of_thumb("with a tenth of the rows gone, durations are not to be trusted"),
        ),
        Level("warning", 1, sources.rule_of_thumb("one row in a hundred")),
    ),
    check=any_above(),
    cause="capture",
    why="A row whose cells or time cannot be placed is left out whole, so that no value lands in a wrong column.",
    advice="Compare the file with the host's copy, or capture again straight into gzip.",
    fires=(
        Example("a fifth", {_LOST: 20}, "critical", samples=1),
        Example("2 %", {_LOST: 2}, "warning", samples=1),
        Example("just reaches it", {_LOST: 1.05}, "warning", samples=1),
        Example("just reaches the worse", {_LOST: 10.5}, "critical", samples=1),
        Example("just below the worse", {_LOST: 9.5}, "warning", samples=1),
    ),
    quiet=(
        Example("none", {_LOST: 0}, samples=1),
        Example("just below", {_LOST: 0.95}, samples=1),
    ),
)
