"""Devices that get several times what their queue takes."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_LOAD, _CMDS = r"Physical Disk SCSI Device\Load", r"Physical Disk SCSI Device\Commands/sec"


def _device(load: Series, commands: Series = 2000) -> dict[str, Series]:
    return {_LOAD: load, _CMDS: commands}


RULE = Rule(
    id="device-overloaded",
    title="Device load was several times its queue depth (LOAD)",
    entity="device",
    value=f'"{_LOAD}"',
    where=f'"{_CMDS}" >= 10',
    label="LOAD",
    unit="times",
    levels=(Level("warning", 2, sources.rule_of_thumb("as many commands wait as are on their way")),),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="Commands active and waiting are a multiple of the queue: every one waits for the turn of those before it.",
    advice="Find the VMs that send most (device-noisy-vm), spread them over more devices, or limit their IOPS.",
    caveats=("Only samples with at least 10 commands/s are evaluated; LOAD is of the instant of the sample.",),
    effects=Effects(
        implies=("device-queue-full", "device-queued-commands", "device-queue-latency", "device-kernel-latency")
    ),
    confirm="esxtop, disk device screen (u): LOAD, QUED; press e on the device to see its worlds",
    fires=(
        Example("five times the queue", _device(5), "warning"),
        Example("just reaches it", _device(2.1), "warning"),
    ),
    quiet=(
        Example("a tenth of the queue", _device(0.1)),
        Example("just below", _device(1.9)),
        Example("almost no load", _device(3, commands=2)),
    ),
)
