"""Devices whose reads are slow while the mean over all commands is not."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_TOOK = r"Physical Disk SCSI Device\Average Driver MilliSec/Read"
_DAVG = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
_RATE = r"Physical Disk SCSI Device\Reads/sec"


def _device(took_ms: Series, davg_ms: Series, rate: Series = 40) -> dict[str, Series]:
    return {_TOOK: took_ms, _DAVG: davg_ms, _RATE: rate}


RULE = Rule(
    id="device-read-latency",
    title="Reads take long while the mean over all commands looks well",
    entity="device",
    value=f'"{_TOOK}"',
    where=f'"{_RATE}" >= 10 AND "{_DAVG}" < 25',
    label="DAVG/rd",
    unit="ms",
    levels=(
        Level(
            "warning", 25, sources.rule_of_thumb("the classic limit for DAVG over all commands, put on reads alone")
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="Many fast writes hide slow reads in DAVG/cmd; what waits for reads waits all the same.",
    advice=(
        "Look for disk groups that rebuild, for a read cache that is too small, and for a backup or a scan that "
        "reads everything."
    ),
    caveats=(
        "Only samples with at least 10 reads/s and a DAVG/cmd below 25 ms are judged: above, see device-latency.",
    ),
    implies_on_host=("vdisk-latency",),
    confirm="esxtop, disk device screen (u): the read latencies of this device, and the array's own",
    fires=(
        Example("reads of 40 ms in a mean of 12 ms", _device(40, 12), "warning"),
        Example("just reaches it", _device(25.5, 10), "warning"),
    ),
    quiet=(
        Example("just below", _device(24.5, 10)),
        Example("all commands are slow", _device(40, 38)),
        Example("two reads a second", _device(40, 5, rate=2)),
    ),
)
