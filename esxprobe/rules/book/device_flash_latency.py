"""Flash devices whose commands take as long as those of disks."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_DAVG = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
_CMDS, _FLASH = r"Physical Disk SCSI Device\Commands/sec", r"Fact\Flash"


def _device(davg_ms: Series, flash: float = 1, commands: Series = 200) -> dict[str, Series]:
    return {_DAVG: davg_ms, _CMDS: commands, _FLASH: flash}


RULE = Rule(
    id="device-flash-latency",
    title="Latency of a flash device was high (DAVG/cmd)",
    entity="device",
    value=f'"{_DAVG}"',
    where=f'"{_CMDS}" >= 10 AND "{_FLASH}" = 1',
    label="DAVG",
    unit="ms",
    levels=(
        Level(
            "warning",
            10,
            sources.cited(
                sources.ESXTOPDRILL.saying("10 ms is a warning, for any medium"),
                sources.KB_318927.saying("10 ms is for spinning disks, 1 to 2 ms for flash"),
            ),
        ),
        Level("info", 2, sources.cited(sources.KB_318927.saying("1 to 2 ms for flash"))),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "Flash answers in 1 to 2 ms. What takes longer waits: in the fabric, in the array's controllers, or for "
        "a worn device."
    ),
    advice=(
        "See whether all devices of the array are slow (device-slow-together) or this one, whether one path is "
        "(path-slow), "
        "and what the array itself measures."
    ),
    caveats=(
        "The device is flash as reported to the host (Is SSD); arrays with several kinds of media often report no.",
        "Only samples with at least 10 commands/s are evaluated: a mean of a few commands means little.",
        "Large commands take longer: compare MB/s with commands/s.",
    ),
    confirm="esxcli storage core device list: Is SSD; esxtop, disk device screen (u): DAVG/cmd",
    fires=(
        Example("5 ms all the time", _device(5), "info"),
        Example("18 ms for a minute of ten", _device((1,) * 108 + (18,) * 12), "warning"),
        Example("just reaches it", _device(2.1), "info"),
        Example("just reaches the worse", _device(10.5), "warning"),
        Example("just below the worse", _device(9.5), "info"),
    ),
    quiet=(
        Example("as flash does", _device(0.6)),
        Example("just below", _device(1.9)),
        Example("a spinning disk", _device(8, flash=0)),
        Example("a mean of a few commands", _device(30, commands=3)),
    ),
)
