"""vCPUs that wait for PCPUs on a host that has many to give."""

from esxprobe.model import Level
from esxprobe.rules import thresholds
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_READY, _LIMITED, _UTIL = r"Vcpu\% Ready", r"Vcpu\% Max Limited", r"Physical Cpu\% Util Time"


def _vcpu(ready: Series, limited: Series = 0) -> dict[str, Series]:
    return {_READY: ready, _LIMITED: limited}


def _host(util: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"host": ({_UTIL: util},)}


RULE = Rule(
    id="cpu-ready-idle-host",
    title="VM waited for a physical CPU while the host had room (%RDY)",
    entity="vcpu",
    optional=(_LIMITED,),
    parts=(Part("PCPU UTIL", "host", "max", f'"{_UTIL}"', by="host"),),
    value=f'"{_READY}" - "{_LIMITED}"',
    where='"PCPU UTIL" < 40',
    label="%RDY - %MLMTD while PCPU UTIL is below 40 %",
    unit="%",
    levels=(
        Level(
            "info",
            5,
            thresholds.READY_FROM_5,
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="cpu-contention",
    why=(
        "There are free PCPUs and these vCPUs do not get them: affinity, a NUMA node that is full while others "
        "idle, wakeups by the thousands, or bursts that are shorter than a sample."
    ),
    advice=(
        "Look at the VM's affinity and NUMA home nodes, at cpu-wakeups and cpu-ready-one, and at single PCPUs "
        "(pcpu-hot). Adding PCPUs or moving other VMs away may change nothing."
    ),
    caveats=(
        "A mean over five seconds hides bursts: vCPUs that all wake at the same time can wait on a host that is "
        "otherwise idle.",
    ),
    confirm="esxtop, memory screen (m), NUMA fields: NHN of the VM; CPU screen (c): PCPU UTIL(%) one by one",
    fires=(
        Example("9 % on a host that is a fifth used", _vcpu(9), "info", parts=_host(20)),
        Example("just reaches it", _vcpu(5.1), "info", parts=_host(39)),
    ),
    quiet=(
        Example("the host is busy", _vcpu(9), parts=_host(70)),
        Example("just below", _vcpu(4.9), parts=_host(20)),
        Example("all of it is a limit", _vcpu(30, limited=29), parts=_host(20)),
    ),
)
