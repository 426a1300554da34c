"""Hosts whose clock was stepped, as they logged it."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_STEP = r"Event\clock-step"
_ONCE = (*(0,) * 17, 1, *(0,) * 18)

RULE = Rule(
    id="host-clock-stepped",
    title="Host logged that its clock was stepped",
    entity="host",
    value='event("clock-step")',
    label="clock steps in a sample",
    unit="",
    levels=(Level("info", 1, sources.rule_of_thumb("a clock that is kept well is slewed, not stepped")),),
    check=any_above(),
    cause="capture",
    why=(
        "Stamps before and behind the step do not fit each other: an interval is longer or shorter than it looks, "
        "and so is the offset to the clocks of guests."
    ),
    advice="Read values around the step with care, and repair the host's time synchronization.",
    confirm="vmkernel.log: NTPClock",
    fires=(Example("one step", {_STEP: _ONCE}, "info"),),
    quiet=(Example("no step", {_STEP: 0}),),
)
