"""Page faults in the guest took vCPU time, as measured."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_SHARE = r"Fact\Faults Measured"

RULE = Rule(
    id="guest-faults-measured",
    title="Page faults in the guest took vCPU time (software MMU)",
    entity="vm",
    value=f'"{_SHARE}"',
    label="vCPU time of page faults, measured",
    unit="%",
    levels=(
        Level("critical", 10, sources.rule_of_thumb("a tenth of a vCPU")),
        Level("warning", 1, sources.rule_of_thumb("a hundredth of a vCPU")),
    ),
    check=any_above(),
    cause="guest-faults",
    why=(
        "Under a software MMU each page fault enters the virtualization layer. An experiment in the guest, a"
        " comparison with the same workload under a hardware MMU, or a probe measured what that took here."
    ),
    advice=(
        "Run the VM with the hardware MMU where the CPU has EPT or RVI. Fewer faults help as well: large pages in"
        " the guest, or an application that allocates and frees less."
    ),
    caveats=(
        "Share of one vCPU, not of all vCPUs of the VM.",
        "The guest's own handling of a fault is a part of it.",
    ),
    confirm="esxprobe collect HOST --guest VM=ssh://USER@ADDRESS --fault-experiment VM",
    fires=(
        Example("a tenth", {_SHARE: 10.0}, "critical", samples=1),
        Example("just below a tenth", {_SHARE: 9.9}, "warning", samples=1),
        Example("a hundredth", {_SHARE: 1.0}, "warning", samples=1),
    ),
    quiet=(
        Example("less", {_SHARE: 0.99}, samples=1),
        Example("not measured", {_SHARE: 0.0}, samples=1),
    ),
)
