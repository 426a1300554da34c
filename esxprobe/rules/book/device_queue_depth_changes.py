"""Devices whose queue depth is reduced again and again."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import falls
from esxprobe.rules.record import Example, Rule

_DEPTH = r"Physical Disk SCSI Device\Device Q Depth"

RULE = Rule(
    id="device-queue-depth-changes",
    title="Queue depth of a device was reduced (DQLEN)",
    entity="device",
    value=f'"{_DEPTH}"',
    label="DQLEN",
    unit="",
    levels=(
        Level(
            "info",
            2,
            sources.rule_of_thumb(
                "one fall can be another VM that started; two are throttling",
                sources.KB_311232.saying(
                    "the depth is halved on QUEUE FULL and comes back by one; without a count"
                ),
            ),
        ),
    ),
    check=falls(),
    cause="storage",
    why=(
        "The VMkernel shortens the queue when several VMs use the device, and when the array answers BUSY or QUEUE "
        "FULL (Broadcom KB 311232). The second means that the array is congested."
    ),
    advice=(
        "If it goes between the driver's depth and 32 (Disk.SchedNumReqOutstanding), VMs come and go on the "
        "device. If "
        "it is halved and grows by one, the array is congested: see QFullSampleSize and QFullThreshold, and "
        "D:0x28 or "
        "D:0x8 in vmkernel.log."
    ),
    caveats=("Adaptive queue depth is off by default; arrays' own plug-ins turn it on.",),
    confirm="grep -E 'D:0x(28|8) ' /var/log/vmkernel.log; esxcli storage core device list -d NAA",
    fires=(
        Example("halved twice, and grows by one", {_DEPTH: ((64,) * 12 + (32, 33, 34, 35)) * 2}, "info"),
        Example("just reaches it", {_DEPTH: (64,) * 5 + (32,) * 5 + (64,) * 5 + (32,) * 5 + (64,) * 5}, "info"),
        Example("three falls", {_DEPTH: ((64,) * 5 + (32,) * 5) * 3}, "info"),
    ),
    quiet=(
        Example("as it is", {_DEPTH: 64}),
        Example(
            "halved once, in two steps, and grows by one", {_DEPTH: (64,) * 9 + (32, 16) + tuple(range(17, 33))}
        ),
    ),
)
