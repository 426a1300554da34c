"""Co-stop of a VM whose vCPUs hardly wait for PCPUs."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Part, Rule, Series

_COSTOP, _READY, _LIMITED = r"Vcpu\% CoStop", r"Vcpu\% Ready", r"Vcpu\% Max Limited"


def _vcpus(costop: Series, ready: Series = 0.5, limited: Series = 0) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"vcpu": ({_COSTOP: costop, _READY: ready, _LIMITED: limited}, {_COSTOP: 0, _READY: 0, _LIMITED: 0})}


RULE = Rule(
    id="cpu-costop-alone",
    title="vCPUs were co-stopped while ready time was low (%CSTP)",
    entity="vm",
    optional=(_LIMITED,),
    parts=(
        Part("max vCPU %CSTP", "vcpu", "max", f'"{_COSTOP}"'),
        Part("max vCPU %RDY", "vcpu", "max", f'"{_READY}"'),
        Part("max vCPU %MLMTD", "vcpu", "max", f'"{_LIMITED}"'),
    ),
    value='"max vCPU %CSTP"',
    where='"max vCPU %RDY" < 2 AND "max vCPU %MLMTD" < 1',
    label="highest %CSTP, where %RDY is below 2 %",
    unit="%",
    levels=(
        Level(
            "info",
            3,
            sources.cited(
                sources.ELATOV_62.saying("3 %"),
                sources.VIRTUAL_TALKS.saying("3 %"),
                see=(sources.SLOOF_COSTOP.saying("19.6 % on 8 vCPUs while a snapshot of 30 GB was removed"),),
            ),
        ),
    ),
    check=sustained_above(share=0.1, run_s=60, least=6),
    cause="storage",
    why=(
        "Co-stop without ready time is not a shortage of PCPUs. Some vCPUs are blocked in the VMkernel, mostly for "
        "I/O on snapshots or for host swap, and the scheduler stops their siblings so that they do not get too "
        "far ahead."
    ),
    advice=(
        "Look for snapshots of the VM (*-sesparse.vmdk, *-delta.vmdk), for backups that make and remove them, "
        "and at %SWPWT; consolidate disks. More PCPUs or fewer VMs do not help here."
    ),
    confirm="esxtop, CPU screen (c), e on the VM: %CSTP next to %SWPWT; vim-cmd vmsvc/snapshot.get <vmid>",
    fires=(
        Example("6 % and no vCPU waits", {}, "info", parts=_vcpus(6)),
        Example("just reaches it", {}, "info", parts=_vcpus(3.1)),
    ),
    quiet=(
        Example("half a percent, as nearly every VM", {}, parts=_vcpus(0.5)),
        Example("just below", {}, parts=_vcpus(2.9)),
        Example("the host is short of PCPUs", {}, parts=_vcpus(6, ready=9)),
        Example("a limit does it", {}, parts=_vcpus(6, ready=1.9, limited=1.8)),
    ),
)
