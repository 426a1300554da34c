"""VMs that a vMotion stunned for long, as their log says."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_STUN = r"Event\largest vmotion-stun"


def _once(stun_ms: float) -> dict[str, tuple[float, ...]]:
    return {_STUN: (*(0.0,) * 17, stun_ms, *(0.0,) * 18)}


RULE = Rule(
    id="vm-vmotion-stun",
    title="VM was stunned for long during a vMotion",
    entity="vm",
    value='largest("vmotion-stun")',
    label="stun time",
    unit="ms",
    levels=(
        Level(
            "warning",
            1000,
            sources.cited(
                sources.VSPHERE_METRICS.saying("above 1 s a stun is to be investigated, 0.2 s is normal"),
            ),
        ),
        Level(
            "info",
            500,
            sources.cited(sources.KB_436882.saying("the switchover of a vMotion is planned to take up to 500 ms")),
        ),
    ),
    check=any_above(),
    cause="guest-load",
    why=(
        "At the end of a vMotion nothing in the VM runs until its last pages are on the other host. Connections "
        "and clusters in guests with short timeouts can fail meanwhile."
    ),
    advice=(
        "Look at the bandwidth of the vMotion network and at what wrote to the VM's memory in the same minutes; "
        "move it when it writes less."
    ),
    caveats=(
        "Only where the VM's own vmware.log was given (VMs that came here, vMotions that failed), or hostd.log and "
        "vmkernel.log (VMs that left).",
        "A stun is taken for that of a vMotion by the order of the VM's events (docs/events.md).",
    ),
    effects=Effects(implies=("vm-stunned",), accounts_for=("vm-stunned",)),
    confirm="vmware.log of the VM: Checkpoint_Unstun behind Migrate_Open; hostd.log: vmDowntime",
    fires=(
        Example("just reaches it", _once(520), "info"),
        Example("below the worse", _once(950), "info"),
        Example("just reaches the worse", _once(1050), "warning"),
    ),
    quiet=(Example("no stun", {_STUN: 0}), Example("just below", _once(480)), Example("a usual one", _once(180))),
)
