"""Devices whose commands take long below the host."""

from esxprobe.model import Level
from esxprobe.rules import sources, thresholds
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_DAVG = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
_CMDS = r"Physical Disk SCSI Device\Commands/sec"


def _device(davg_ms: Series, commands: Series = 200) -> dict[str, Series]:
    return {_DAVG: davg_ms, _CMDS: commands}


RULE = Rule(
    id="device-latency",
    title="Device latency was high (DAVG/cmd)",
    entity="device",
    value=f'"{_DAVG}"',
    where=f'"{_CMDS}" >= 10',
    label="DAVG",
    unit="ms",
    levels=(
        Level(
            "critical",
            50,
            sources.cited(
                sources.STORAGE_IO_CONTROL.saying(
                    "a limit above 50 ms may let latency grow without much more throughput"
                ),
                sources.VCHECK.saying("lists a host from 50 ms on"),
            ),
        ),
        Level(
            "warning",
            20,
            thresholds.ARRAY_FROM_20,
        ),
        Level(
            "info",
            10,
            sources.cited(
                sources.KB_318927.saying("10 ms for spinning disks"),
                sources.ESXTOPDRILL.saying("10 ms is a warning"),
                see=(sources.DISK_CHARTS.saying("above 15 ms the array has probable problems"),),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="DAVG is the time between the driver and the answer: the host has done its part and waits.",
    advice="See whether all devices of the array are slow or only this one, and whether one path is (path-slow).",
    caveats=(
        "Only samples with at least 10 commands/s are evaluated: a mean of a few commands means little.",
        "The levels are for spinning disks. Flash takes 1 to 2 ms: see device-flash-latency, which needs to know "
        "the medium.",
        "DAVG is a mean: a few slow commands, as XCOPY, raise it (Broadcom KB 309140).",
        "Large commands take longer: compare MB/s with commands/s. Tape and CD drives are always slow.",
    ),
    effects=Effects(implies=("vdisk-latency",), accounts_for=("vdisk-latency",)),
    confirm="esxtop, disk device screen (u): DAVG/cmd next to KAVG/cmd, and the array's own latency for this LUN",
    fires=(
        Example("60 ms all the time", _device(60), "critical"),
        Example("30 ms for a minute of ten", _device((4,) * 108 + (30,) * 12), "warning"),
        Example("just reaches it", _device(20.5), "warning"),
        Example("just reaches the milder", _device(10.5), "info"),
        Example("just below it", _device(19.5), "info"),
        Example("just reaches the worse", _device(50.5), "critical"),
        Example("just below the worse", _device(49), "warning"),
    ),
    quiet=(
        Example("5 ms", _device(5)),
        Example("just below", _device(9.5)),
        Example("80 ms with 3 commands a second", _device(80, commands=3)),
        Example("four busy samples in ten minutes", _device(80, commands=(0,) * 116 + (50,) * 4)),
    ),
)
