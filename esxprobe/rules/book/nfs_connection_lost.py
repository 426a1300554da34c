"""NFS volumes whose server could not be reached, as the host logged it."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_LOST = r"Event\since nfs-lost until nfs-restored"

RULE = Rule(
    id="nfs-connection-lost",
    title="Host logged the loss of an NFS volume's connection",
    entity="nfs-volume",
    value='between("nfs-lost", "nfs-restored")',
    label="connection lost",
    unit="",
    levels=(
        Level(
            "critical",
            1,
            sources.cited(sources.VCENTER_ALARMS.saying("vCenter's alarm: cannot connect to storage")),
        ),
    ),
    check=any_above(),
    cause="storage",
    why=(
        "Commands of VMs on the volume wait until its server answers again; a guest whose disk timeout is shorter "
        "makes its file systems read-only."
    ),
    advice="Look at the NFS server and at the VMkernel port, uplinks and switches to it, in the same minutes.",
    caveats=(
        "The connection is taken for lost until the logs have it restored, or until the end of the capture: "
        "compare with CMDS/s of the volume.",
    ),
    effects=Effects(implies=("nfs-latency", "nfs-aborts", "nfs-failed-commands")),
    confirm="esxcli storage nfs list (or nfs41): Accessible; vmkernel.log: NFS",
    fires=(
        Example("lost and restored", {_LOST: (*(0,) * 10, *(1,) * 12, *(0,) * 14)}, "critical"),
        Example("lost to the end", {_LOST: (*(0,) * 30, *(1,) * 6)}, "critical"),
        Example("lost for less than a sample", {_LOST: (*(0,) * 10, 1, *(0,) * 25)}, "critical"),
    ),
    quiet=(Example("nothing was logged", {_LOST: 0}),),
)
