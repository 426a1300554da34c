"""vCPU time that the guest did not account for rose with its page faults."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_SHARE = r"Fact\Faults Unaccounted"

RULE = Rule(
    id="guest-faults-unaccounted",
    title="vCPU time that the guest did not account for rose with its page faults",
    entity="vm",
    value=f'"{_SHARE}"',
    label="vCPU time not accounted for, at least",
    unit="%",
    levels=(Level("warning", 1, sources.rule_of_thumb("a hundredth of a vCPU")),),
    check=any_above(),
    cause="guest-faults",
    why=(
        "The guest booked this time neither as user nor as system time, so no work inside the guest explains it."
        " The virtualization layer's work for page faults does."
    ),
    advice=(
        "Measure what a fault cost with a fault experiment in the guest, or run the same workload under a hardware"
        " MMU and compare both captures."
    ),
    caveats=(
        "An association: other work of the virtualization layer in the same seconds can be a part of it.",
        "Judged only under a software MMU, with user and system time in the guest's log, and clocks that fit.",
    ),
    confirm="esxprobe collect HOST --guest VM=ssh://USER@ADDRESS --fault-experiment VM",
    fires=(Example("a hundredth", {_SHARE: 1.0}, "warning", samples=1),),
    quiet=(
        Example("less", {_SHARE: 0.99}, samples=1),
        Example("nothing", {_SHARE: 0.0}, samples=1),
    ),
)
