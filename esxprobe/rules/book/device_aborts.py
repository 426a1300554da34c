"""Devices with aborts."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_RATE = r"Physical Disk SCSI Device\Aborts/sec"

RULE = Rule(
    id="device-aborts",
    title="Commands to a device were aborted (ABRTS/s)",
    entity="device",
    value=f'"{_RATE}"',
    label="ABRTS/s",
    unit="1/s",
    levels=(
        Level(
            "critical",
            1,
            sources.cited(
                sources.ELATOV_64.saying("1 per second"),
                sources.ESXTOPDRILL.saying("1 per second is the end of OK, 10 a warning"),
            ),
        ),
        Level("warning", 0.01, sources.cited(sources.OPERATIONS_GUIDE.saying("0 at all times is expected"))),
    ),
    check=any_above(),
    cause="storage",
    why=("The guest (Windows: after 60 s) or the VMkernel timed the command out. The I/O is lost or sent again."),
    advice=(
        "Look at DAVG before the abort, at vmkernel.log for H:0x5 and H:0x8 with this device, and at the ports of "
        "fabric and array."
    ),
    caveats=("CD drives, tapes and cluster disks can show some without any harm.",),
    effects=Effects(implies=("vdisk-latency",)),
    confirm="grep -E 'H:0x[58] ' /var/log/vmkernel.log, and the array's log of the same minute",
    fires=(
        Example("three a second", {_RATE: (0,) * 30 + (3,) * 6}, "critical"),
        Example("one in a sample of five seconds", {_RATE: (0,) * 30 + (0.2,) + (0,) * 5}, "warning"),
        Example("just reaches it", {_RATE: (0,) * 35 + (0.0105,)}, "warning"),
        Example("just reaches the worse", {_RATE: (0,) * 35 + (1.05,)}, "critical"),
        Example("just below the worse", {_RATE: (0,) * 35 + (0.95,)}, "warning"),
    ),
    quiet=(Example("none", {_RATE: 0}), Example("just below", {_RATE: (0,) * 35 + (0.0095,)})),
)
