"""VMs without a balloon driver on a host that is short of memory."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import time_share
from esxprobe.rules.record import Caveat, Effects, Example, Part, Rule, Series

_DRIVER, _STATE = r"Group Memory\Memctl?", r"Memory\Kernel State"


def _host(state: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"host": ({_STATE: state},)}


RULE = Rule(
    id="vm-balloon-absent",
    title="VM had no balloon driver while the host was short of memory (MCTL?)",
    entity="vm",
    parts=(Part("memory state", "host", "max", f'"{_STATE}"', by="host"),),
    value=f'CASE WHEN "{_DRIVER}" < 1 THEN 1 ELSE 0 END',
    where='"memory state" >= 1',
    label="MCTL? is N below the high state",
    unit="",
    levels=(
        Level(
            "warning",
            50,
            sources.cited(
                sources.MEMORY_PROBLEMS.saying(
                    "make sure that VMware Tools and the balloon driver are installed and enabled"
                ),
                sources.ESXTOPDRILL.saying("MCTL? = N"),
            ),
        ),
    ),
    check=time_share(),
    cause="memory-pressure",
    why=(
        "Without the driver the host cannot ask the guest which memory it needs least. It compresses and "
        "swaps pages "
        "that it selects itself, and other VMs lose more than their share."
    ),
    advice=(
        "Install or start VMware Tools (open-vm-tools) in the guest; see that sched.mem.maxmemctl is "
        "not 0 and that "
        "the driver vmmemctl is loaded."
    ),
    caveats=(
        "VMware lists when ESXi swaps: the balloon driver was never installed, is disabled, does not run, is too "
        "slow, or has "
        "reached its maximum size (vSphere Resource Management, Memory Reclamation).",
        "Only the time in which the host is below its high state is evaluated. A VM whose memory is reserved in "
        "full "
        "is not reclaimed from in any case.",
        Caveat("From 6.0 on the clear state counts too; ballooning starts one state further.", since="6.0"),
    ),
    effects=Effects(implies=("vm-zipped", "vm-zipping", "vm-swapped", "vm-swapping")),
    confirm="esxtop, memory screen (m), balloon fields: MCTL? of this VM; vmware-toolbox-cmd stat balloon "
    "in the guest",
    fires=(
        Example("no Tools on a host that is short", {_DRIVER: 0}, "warning", parts=_host(2)),
        Example("just reaches it", {_DRIVER: (1,) * 17 + (0,) * 19}, "warning", parts=_host(1)),
    ),
    quiet=(
        Example("no Tools on a host with enough memory", {_DRIVER: 0}, parts=_host(0)),
        Example("Tools run", {_DRIVER: 1}, parts=_host(2)),
        Example("just below", {_DRIVER: (1,) * 19 + (0,) * 17}, parts=_host(1)),
    ),
)
