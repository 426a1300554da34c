"""Devices with commands waiting in the VMkernel."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule

_QUEUED = r"Physical Disk SCSI Device\Queued Commands"

RULE = Rule(
    id="device-queued-commands",
    title="Commands were queued in the host for a device (QUED)",
    entity="device",
    value=f'"{_QUEUED}"',
    label="QUED",
    unit="",
    levels=(
        Level(
            "warning",
            1,
            sources.cited(
                sources.LUN_QUEUE.saying(
                    "what exceeds the queue depth of the LUN waits in the VMkernel and adds latency"
                ),
                sources.STORAGE_QUEUES.saying("any queued command"),
                sources.ESXTOPDRILL.saying("1 is the end of OK, 10 a warning"),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "The VMs sent more commands than the device's queue takes; these waited in the host and were not yet on "
        "their way."
    ),
    advice=(
        "Compare ACTV with DQLEN. Where DQLEN is 32 and several VMs share the device, Disk.SchedNumReqOutstanding "
        "is "
        "what limits; where the array is slow, a longer queue does not help."
    ),
    caveats=("QUED is what waits at the instant of the sample; short queues between samples are not seen.",),
    effects=Effects(implies=("device-queue-latency", "device-kernel-latency")),
    confirm="esxtop, disk device screen (u): QUED next to ACTV and DQLEN",
    fires=(
        Example("12 commands wait all the time", {_QUEUED: 12}, "warning"),
        Example("for more than a minute of ten", {_QUEUED: (0,) * 100 + (4,) * 20}, "warning"),
        Example("just reaches it", {_QUEUED: 1}, "warning"),
        Example("one in every other sample", {_QUEUED: (0, 1) * 18}, "warning"),
    ),
    quiet=(
        Example("none", {_QUEUED: 0}),
        Example("now and then", {_QUEUED: ((0,) * 11 + (6,)) * 10}),
    ),
)
