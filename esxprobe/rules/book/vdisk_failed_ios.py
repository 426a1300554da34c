"""Virtual disks with failed I/Os."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Example, Rule

_FAILED = r"Virtual Disk\FailedIOs"

RULE = Rule(
    id="vdisk-failed-ios",
    title="I/Os of a virtual disk failed",
    entity="vdisk",
    value=f'"{_FAILED}"',
    label="FailedIOs",
    unit="",
    levels=(Level("warning", 1, sources.cited(sources.ESXTOPDRILL.saying("1 is the end of OK"))),),
    check=any_above(),
    cause="storage",
    why="An I/O that fails above the device reaches the guest as an error of its disk.",
    advice="Look at vmware.log of the VM and at the disk's I/O filters: esxcli storage iofilter list.",
    caveats=(
        "The counter is not documented; it stays at zero on disks without I/O filters, and may be a cumulative "
        "count that includes the past.",
    ),
    confirm="the VM's vmware.log and the guest's own log of that minute",
    fires=(
        Example("some", {_FAILED: 12}, "warning"),
        Example("one, in the last sample", {_FAILED: (0,) * 35 + (1,)}, "warning"),
    ),
    quiet=(Example("none", {_FAILED: 0}),),
)
