"""Damage of the capture that can make its numbers wrong."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_DAMAGE = r"Capture\Damage"

RULE = Rule(
    id="capture-damaged",
    title="Parts of the capture were damaged",
    entity="capture",
    value=f'"{_DAMAGE}"',
    label="kinds of critical damage",
    unit="",
    levels=(Level("critical", 1, sources.rule_of_thumb("damaged or changed data proves nothing")),),
    check=any_above(),
    cause="capture",
    why=(
        "A part of the file is missing or was changed, so that a finding, or its absence, may come from the damage."
    ),
    advice="Get the original file. The codes named here are explained in the section on capture quality.",
    confirm="sha256sum of the file here and where it was captured",
    fires=(
        Example("two kinds", {_DAMAGE: 2}, "critical", samples=1),
        Example("one kind", {_DAMAGE: 1}, "critical", samples=1),
    ),
    quiet=(Example("none", {_DAMAGE: 0}, samples=1),),
)
