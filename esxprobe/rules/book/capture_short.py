"""Captures that are too short for rules on states and trends."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_below
from esxprobe.rules.record import Example, Rule

_MINUTES = r"Capture\Minutes"

RULE = Rule(
    id="capture-short",
    title="The capture is short",
    entity="capture",
    value=f'"{_MINUTES}"',
    label="captured time",
    unit="min",
    levels=(
        Level("info", 9, sources.rule_of_thumb("support asks for ten minutes to an hour that cover the problem")),
    ),
    check=any_below(),
    cause="capture",
    why=(
        "Rules judge states, which last minutes, and trends, which take an hour. In a short capture they "
        "find little, "
        "and what is not found proves nothing."
    ),
    advice="Capture at least 10 minutes that cover the problem, and as many of a good time: esxtop -b "
    "-a -d 5 -n 120",
    fires=(
        Example("two minutes", {_MINUTES: 2}, "info", samples=1),
        Example("just reaches it", {_MINUTES: 8.5}, "info", samples=1),
    ),
    quiet=(
        Example("an hour", {_MINUTES: 60}, samples=1),
        Example("just above", {_MINUTES: 9.5}, samples=1),
    ),
)
