"""vSAN worlds of the kernel that wait for a PCPU."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_READY = r"Vcpu\% Ready"

RULE = Rule(
    id="host-vsan-worlds-ready",
    title="vSAN world of the VMkernel waited for a physical CPU (%RDY)",
    entity="world",
    only=r"^(?:VSAN|vsan|LSOM|DOM|CMMDS|PLOG|RDT|DOMServer)",
    value=f'"{_READY}"',
    label="%RDY of the world",
    unit="%",
    levels=(
        Level("warning", 10, sources.rule_of_thumb("a tenth of the time, as for a vCPU")),
        Level(
            "info",
            1,
            sources.cited(
                sources.VSAN_CONTENTION.saying("above 1 % kernel worlds of vSAN wait"),
                sources.OPERATIONS_GUIDE.saying("1 %"),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "vSAN handles the I/O of VMs, also of other hosts, in worlds of the VMkernel. When these wait for a PCPU, "
        "the "
        "latency of vSAN grows though no disk and no link is slow."
    ),
    advice=(
        "Free PCPUs on this host (host-cpu-load, pcpu-saturated): vSAN needs CPU time that no VM's size accounts "
        "for."
    ),
    caveats=("Only captures that list the VMkernel's own worlds show them.",),
    effects=Effects(implies=("vsan-read-latency", "vsan-write-latency")),
    confirm="esxtop, CPU screen (c), e on group system: %RDY of worlds that begin with VSAN, LSOM, DOM or CMMDS",
    fires=(
        Example("4 % all the time", {_READY: 4}, "info"),
        Example("15 % all the time", {_READY: 15}, "warning"),
        Example("just reaches it", {_READY: 1.05}, "info"),
        Example("just reaches the worse", {_READY: 10.5}, "warning"),
        Example("just below the worse", {_READY: 9.5}, "info"),
    ),
    quiet=(
        Example("hardly at all", {_READY: 0.2}),
        Example("just below", {_READY: 0.95}),
        Example("one sample in ten minutes", {_READY: (0.1,) * 119 + (20,)}),
    ),
)
