"""The fault rate of a guest allows a cost that matters."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_SHARE = r"Fact\Faults Assumed"

RULE = Rule(
    id="guest-faults-possible",
    title="Page faults in the guest may have taken vCPU time (software MMU)",
    entity="vm",
    value=f'"{_SHARE}"',
    label="vCPU time at the assumed cost of a fault",
    unit="%",
    levels=(Level("info", 1, sources.rule_of_thumb("a hundredth of a vCPU, at 12 µs per fault")),),
    check=any_above(),
    cause="guest-faults",
    why=(
        "Under a software MMU each page fault enters the virtualization layer. At the assumed cost per fault, the "
        "rate"
        " of this guest can take a significant share of a vCPU. The capture does not show the actual cost of a"
        " fault."
    ),
    advice=(
        "Measure it with a fault experiment in the guest, or run the same workload under a hardware MMU and"
        " compare both captures."
    ),
    caveats=(
        "The assumed cost is a rule of thumb: three exits for each fault, as published for KVM's shadow page"
        " tables, at 4 µs.",
        "A bound by rate, not a measurement: the real cost may be far smaller.",
    ),
    confirm="esxprobe collect HOST --guest VM=ssh://USER@ADDRESS --fault-experiment VM",
    fires=(Example("a hundredth", {_SHARE: 1.0}, "info", samples=1),),
    quiet=(
        Example("less", {_SHARE: 0.99}, samples=1),
        Example("measured, or none", {_SHARE: 0.0}, samples=1),
    ),
)
