"""VMs that are busy and wait for more CPU at the same time."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_RUN, _READY, _LIMITED = r"Vcpu\% Run", r"Vcpu\% Ready", r"Vcpu\% Max Limited"


def _vcpus(*each: tuple[Series, Series]) -> dict[str, tuple[dict[str, Series], ...]]:
    """VCPUs by %RUN and %RDY."""
    return {"vcpu": tuple({_RUN: run, _READY: ready, _LIMITED: 0} for run, ready in each)}


RULE = Rule(
    id="vm-cpu-short",
    title="VM used its vCPUs fully and waited for more CPU time (%RDY)",
    entity="vm",
    optional=(_LIMITED,),
    parts=(
        Part("busy", "vcpu", "mean", f'100 * "{_RUN}" / (100 - LEAST("{_READY}" - "{_LIMITED}", 90))'),
        Part("ready", "vcpu", "sum", f'"{_READY}" - "{_LIMITED}"'),
    ),
    value='"ready"',
    where='"busy" >= 90',
    label="%RDY - %MLMTD of all vCPUs, while they run in 90 % of the time that they get",
    unit="%",
    levels=(
        Level(
            "warning",
            20,
            sources.cited(sources.HIGH_CPU.saying("CPU usage above 90 % together with ready above 20 %")),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "The guest has more to do than its vCPUs can, and the host does not give these all the time that they ask "
        "for: "
        "the VM is short of CPU twice."
    ),
    advice=(
        "First relieve the host (cpu-ready, pcpu-saturated). More vCPUs help only if the host has free PCPUs; "
        "otherwise they wait as well."
    ),
    caveats=("The ready times of the vCPUs are added up, as vCenter's CPU Ready of a VM does.",),
    confirm=(
        "esxtop, CPU screen (c): %RDY of the VM's row, which is the sum of its worlds, and %RUN of each vCPU (e)"
    ),
    fires=(
        Example("four vCPUs at 85 % with 14 % ready each", {}, "warning", parts=_vcpus(*[(85, 14)] * 4)),
        Example("just reaches it", {}, "warning", parts=_vcpus((88, 10.5), (88, 10.5))),
    ),
    quiet=(
        Example("busy, and never waits", {}, parts=_vcpus((98, 0.5), (97, 0.4))),
        Example("waits, and has little to do", {}, parts=_vcpus((20, 15), (20, 15))),
        Example("just below", {}, parts=_vcpus((88, 9.5), (88, 9.5))),
        Example("not quite busy", {}, parts=_vcpus((75, 15), (75, 15))),
    ),
)
