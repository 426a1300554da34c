"""vCPUs whose time is taken by interrupts and other system work."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule

_OVERLAP = r"Vcpu\% Overlap"

RULE = Rule(
    id="cpu-overlap",
    title="System services interrupted running vCPUs (%OVRLP)",
    entity="vcpu",
    value=f'"{_OVERLAP}"',
    label="%OVRLP",
    unit="%",
    levels=(
        Level("warning", 5, sources.rule_of_thumb("of about 3,000 VMs the five highest had 0.6 to 1.03 %")),
        Level("info", 1, sources.cited(sources.OPERATIONS_GUIDE.saying("below 1 % is expected"))),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "While the vCPU counts as running, the VMkernel works on the same PCPU for other worlds, mostly on "
        "interrupts and I/O completions. The guest sees stolen time."
    ),
    advice="Look at interrupt load per PCPU and at the I/O rate of all VMs on the host.",
    caveats=("%RUN includes this time: the guest got %RUN minus %OVRLP.",),
    fires=(
        Example("7 % all the time", {_OVERLAP: 7}, "warning"),
        Example("3 % all the time", {_OVERLAP: 3}, "info"),
        Example("just reaches it", {_OVERLAP: 1.05}, "info"),
        Example("just reaches the worse", {_OVERLAP: 5.05}, "warning"),
        Example("just below the worse", {_OVERLAP: 4.95}, "info"),
    ),
    quiet=(
        Example("as most vCPUs", {_OVERLAP: 0.3}),
        Example("just below", {_OVERLAP: 0.95}),
        Example("one sample in ten minutes", {_OVERLAP: (0.1,) * 119 + (12,)}),
    ),
)
