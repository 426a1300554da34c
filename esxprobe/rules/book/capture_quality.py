"""Damage and warnings in the capture."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_DOUBTS, _DAMAGE = r"Capture\Doubts", r"Capture\Damage"

RULE = Rule(
    id="capture-quality",
    title="Parts of the capture were missing or in doubt",
    entity="capture",
    value=f'"{_DOUBTS}" - "{_DAMAGE}"',
    label="kinds of doubt",
    unit="",
    levels=(Level("warning", 1, sources.rule_of_thumb("any damage that can change a number is worth a line")),),
    check=any_above(),
    cause="capture",
    why="Unreliable values were excluded and counted. Missing values cannot be evaluated.",
    advice="Read the section on capture quality; capture again where the time that matters is not covered.",
    fires=(
        Example("three kinds of damage", {_DOUBTS: 3, _DAMAGE: 0}, "warning", samples=1),
        Example("one kind of damage", {_DOUBTS: 1, _DAMAGE: 0}, "warning", samples=1),
    ),
    quiet=(
        Example("a clean capture", {_DOUBTS: 0, _DAMAGE: 0}, samples=1),
        Example("worse than doubt: see capture-damaged", {_DOUBTS: 1, _DAMAGE: 1}, samples=1),
    ),
)
