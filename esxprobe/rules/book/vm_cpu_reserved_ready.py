"""VMs that wait although CPU is reserved for them."""

from esxprobe.model import Level
from esxprobe.rules import thresholds
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_RESERVED, _READY, _LIMITED = r"Group Cpu\Alloc Min", r"Vcpu\% Ready", r"Vcpu\% Max Limited"


def _vcpus(*ready: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    """The vCPUs of the example's VM, ready for this share of the time [%]."""
    return {"vcpu": tuple({_READY: each, _LIMITED: 0} for each in ready)}


RULE = Rule(
    id="vm-cpu-reserved-ready",
    title="VM waited for a physical CPU despite its reservation (%RDY)",
    entity="vm",
    optional=(_LIMITED,),
    parts=(Part("max vCPU ready", "vcpu", "max", f'"{_READY}" - "{_LIMITED}"'),),
    value='"max vCPU ready"',
    where=f'"{_RESERVED}" > 0',
    label="highest %RDY - %MLMTD",
    unit="%",
    levels=(
        Level(
            "info",
            5,
            thresholds.READY_FROM_5,
        ),
    ),
    check=sustained_above(share=0.2, run_s=60),
    cause="cpu-contention",
    why=(
        "A reservation guarantees an amount, not that the VM never waits: above the reservation the VM competes "
        "by its shares, and even within it a vCPU that wakes may have to wait for another VM's vCPU."
    ),
    advice=(
        "Compare what the VM uses with its reservation (AMIN): raise it to the whole of its vCPUs for latency "
        "sensitivity high, or drop it and give the VM room on another host."
    ),
    caveats=("The unit of AMIN is not in the file.",),
    confirm="esxtop, CPU screen (c), allocation fields: AMIN next to %USED of the VM",
    fires=(
        Example("ready for 8 %", {_RESERVED: 2000}, "info", parts=_vcpus(8, 2)),
        Example("just reaches it", {_RESERVED: 2000}, "info", parts=_vcpus(5.1, 2)),
    ),
    quiet=(
        Example("gets what is reserved", {_RESERVED: 2000}, parts=_vcpus(0.4, 0.3)),
        Example("just below", {_RESERVED: 2000}, parts=_vcpus(4.9, 2)),
        Example("nothing is reserved", {_RESERVED: 0}, parts=_vcpus(8, 2)),
    ),
)
