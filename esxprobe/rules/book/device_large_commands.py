"""Devices that get large commands."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_READ, _WRITTEN = r"Physical Disk SCSI Device\MBytes Read/sec", r"Physical Disk SCSI Device\MBytes Written/sec"
_CMDS = r"Physical Disk SCSI Device\Commands/sec"


def _device(read_mb: Series, written_mb: Series = 0, commands: Series = 100) -> dict[str, Series]:
    return {_READ: read_mb, _WRITTEN: written_mb, _CMDS: commands}


RULE = Rule(
    id="device-large-commands",
    title="Commands to a device were large (MBREAD/s, MBWRTN/s, CMDS/s)",
    entity="device",
    value=f'1024 * ("{_READ}" + "{_WRITTEN}") / "{_CMDS}"',
    where=f'"{_CMDS}" >= 10',
    label="(MBREAD/s + MBWRTN/s) a command",
    unit="KB",
    levels=(
        Level(
            "info",
            256,
            sources.rule_of_thumb(
                "limits of latency are meant for commands of some 4 to 64 KB",
                sources.NORMALIZED_LATENCY.saying("latency of large commands is discounted; without a number"),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=300, least=12),
    cause="storage",
    why=(
        "A command of half a megabyte takes longer than one of 8 KB on any array; high latency is expected for it."
    ),
    advice=(
        "Judge such a device by MB/s. If small commands share it with a backup, give the backup another time or "
        "limit."
    ),
    caveats=("The value is the mean of all commands and does not show small ones.",),
    effects=Effects(
        implies=("device-latency", "device-latency-rising", "device-read-latency", "device-write-latency")
    ),
    confirm="vscsiStats -s -w WORLDGROUP, then vscsiStats -p ioLength: the histogram of sizes of one VM",
    fires=(
        Example("half a megabyte", _device(50), "info"),
        Example("just reaches it", _device(13, 13), "info"),
    ),
    quiet=(
        Example("8 KB", _device(0.8)),
        Example("just below", _device(12, 12)),
        Example("a few large ones", _device(2, commands=3)),
    ),
)
