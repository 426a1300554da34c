"""vCPUs held back by a limit."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_LIMITED = r"Vcpu\% Max Limited"

RULE = Rule(
    id="cpu-limit",
    title="vCPUs were held back by a CPU limit (%MLMTD)",
    entity="vcpu",
    value=f'"{_LIMITED}"',
    label="%MLMTD",
    unit="%",
    levels=(
        Level("critical", 2, sources.cited(sources.ESXTOPDRILL.saying("2 %"))),
        Level("warning", 1, sources.cited(sources.ELATOV_62.saying("1 %"), sources.ESXTOPDRILL.saying("1 %"))),
    ),
    check=sustained_above(share=0.1, run_s=60),
    cause="limit",
    why=(
        "The vCPU was ready and the host may have had room, but the limit of the VM or of its resource pool had "
        "been reached. To the guest it looks like a slow CPU."
    ),
    advice=(
        "Remove the CPU limit of the VM, or raise that of its resource pool: shares and reservations do the same "
        "job without stopping a VM on an idle host."
    ),
    effects=Effects(implies=("cpu-costop", "cpu-demand")),
    confirm="esxtop, CPU screen (c): %MLMTD, and AMAX of the VM and of its pool",
    fires=(
        Example("1.5 % all the time", {_LIMITED: 1.5}, "warning"),
        Example("15 % all the time", {_LIMITED: 15}, "critical"),
        Example("just reaches it", {_LIMITED: 1.02}, "warning"),
        Example("just reaches the worse", {_LIMITED: 2.05}, "critical"),
        Example("just below the worse", {_LIMITED: 1.95}, "warning"),
    ),
    quiet=(
        Example("no limit", {_LIMITED: 0}),
        Example("just below", {_LIMITED: 0.98}),
        Example("one sample in ten minutes", {_LIMITED: (0,) * 119 + (8,)}),
    ),
)
