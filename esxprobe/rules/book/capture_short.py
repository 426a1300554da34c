"""Captures that are too short for rules on states and trends."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_below
from esxprobe.rules.record import Example, Rule

_MINUTES = r"Capture\Minutes"

RULE = Rule(
    id="capture-short",
    title="Capture was too short to evaluate states and trends",
    entity="capture",
    value=f'60 * "{_MINUTES}"',
    where=f'"{_MINUTES}" > 0',
    label="captured time",
    unit="s",
    levels=(
        Level("info", 110, sources.rule_of_thumb("in less than two minutes one stretch of a minute is most of it")),
    ),
    check=any_below(),
    cause="capture",
    why=(
        "Rules evaluate states, which last minutes, and trends, which take an hour. In a short capture they find "
        "little or report a burst as a state, whatever the number of samples. A rule that does not fire proves "
        "nothing."
    ),
    advice="Capture 10 minutes to an hour that cover the problem, and a good time: esxtop -b -a -d 5 -n 720",
    fires=(
        Example("half a minute", {_MINUTES: 0.5}, "info", samples=1),
        Example("just reaches it", {_MINUTES: 1.75}, "info", samples=1),
    ),
    quiet=(
        Example("an hour", {_MINUTES: 60}, samples=1),
        Example("just above", {_MINUTES: 2}, samples=1),
        Example("no sample at all: see the section on capture quality", {_MINUTES: 0}, samples=1),
    ),
)
