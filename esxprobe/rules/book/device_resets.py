"""Devices with resets."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import any_above
from esxprobe.rules.record import Effects, Example, Rule

_RATE = r"Physical Disk SCSI Device\Resets/sec"

RULE = Rule(
    id="device-resets",
    title="Device or its bus was reset (RESETS/s)",
    entity="device",
    value=f'"{_RATE}"',
    label="RESETS/s",
    unit="1/s",
    levels=(
        Level(
            "critical",
            1,
            sources.cited(
                sources.ELATOV_64.saying("1 per second"),
                sources.ESXTOPDRILL.saying("1 per second is the end of OK"),
            ),
        ),
        Level("warning", 0.01, sources.cited(sources.OPERATIONS_GUIDE.saying("0 at all times is expected"))),
    ),
    check=any_above(),
    cause="storage",
    why="A reset throws away all commands that are on their way to the device, those of other VMs and hosts too.",
    advice=(
        "Look in vmkernel.log for who asked for it: a guest that had waited too long, a cluster that takes over a "
        "disk, a failover to another path, or the driver."
    ),
    caveats=("CD drives, tapes and cluster disks can show some without any harm.",),
    effects=Effects(implies=("device-aborts", "vdisk-latency")),
    confirm="grep -iE 'reset|TaskMgmt' /var/log/vmkernel.log in that minute",
    fires=(
        Example("three a second", {_RATE: (0,) * 30 + (3,) * 6}, "critical"),
        Example("one in a sample of five seconds", {_RATE: (0,) * 30 + (0.2,) + (0,) * 5}, "warning"),
        Example("just reaches it", {_RATE: (0,) * 35 + (0.0105,)}, "warning"),
        Example("just reaches the worse", {_RATE: (0,) * 35 + (1.05,)}, "critical"),
        Example("just below the worse", {_RATE: (0,) * 35 + (0.95,)}, "warning"),
    ),
    quiet=(Example("none", {_RATE: 0}), Example("just below", {_RATE: (0,) * 35 + (0.0095,)})),
)
