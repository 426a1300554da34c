"""Devices whose queue is full of active commands."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_USED, _CMDS = r"Physical Disk SCSI Device\% Used", r"Physical Disk SCSI Device\Commands/sec"


def _device(used_pct: Series, commands: Series = 2000) -> dict[str, Series]:
    return {_USED: used_pct, _CMDS: commands}


RULE = Rule(
    id="device-queue-full",
    title="Device queue was full (%USD)",
    entity="device",
    value=f'"{_USED}"',
    where=f'"{_CMDS}" >= 10',
    label="%USD",
    unit="%",
    levels=(
        Level(
            "warning",
            90,
            sources.rule_of_thumb(
                "at 100 % the next command has to wait in the VMkernel",
                sources.STORAGE_QUEUES.saying("100 % together with queued commands"),
                sources.ESXTOPDRILL.saying("50 % is a warning, 100 % critical"),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "As many commands are on the way as the device takes (ACTV is near DQLEN); bursts wait in front of the "
        "queue."
    ),
    advice=(
        "If DAVG is high, the device is slower than its load: relieve it. If DAVG is low, the queue is short for "
        "the "
        "load: raise the driver's LUN queue depth, and Disk.SchedNumReqOutstanding where several VMs share the "
        "device."
    ),
    caveats=(
        "%USD counts the commands at the instant of the sample.",
        "A full queue with low latency is throughput, and no trouble.",
    ),
    effects=Effects(implies=("device-queue-latency", "device-kernel-latency", "device-queued-commands")),
    confirm=("esxtop, disk device screen (u): ACTV, DQLEN and QUED; esxcli storage core device list -d NAA"),
    fires=(
        Example("full all the time", _device(100), "warning"),
        Example("just reaches it", _device(91), "warning"),
    ),
    quiet=(
        Example("a tenth", _device(10)),
        Example("just below", _device(89)),
        Example("a lone command on a device that takes one", _device(100, commands=1)),
    ),
)
