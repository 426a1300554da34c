"""Devices whose reads are slow while the mean over all commands is not."""

from esxprobe.model import Level
from esxprobe.rules import sources, thresholds
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_TOOK = r"Physical Disk SCSI Device\Average Driver MilliSec/Read"
_DAVG = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
_RATE = r"Physical Disk SCSI Device\Reads/sec"


def _device(took_ms: Series, davg_ms: Series, rate: Series = 40) -> dict[str, Series]:
    return {_TOOK: took_ms, _DAVG: davg_ms, _RATE: rate}


RULE = Rule(
    id="device-read-latency",
    title="Read latency was high while the mean of all commands was low (DAVG/rd)",
    entity="device",
    value=f'"{_TOOK}"',
    where=f'"{_RATE}" >= 10 AND "{_DAVG}" < 20',
    label="DAVG/rd",
    unit="ms",
    levels=(
        Level(
            "warning",
            20,
            thresholds.VM_DISK_FROM_20,
        ),
        Level("info", 10, sources.cited(sources.ESXTOPDRILL.saying("a virtual disk: 10 ms is a warning"))),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="Many fast writes hide slow reads in DAVG/cmd; what waits for reads waits all the same.",
    advice=(
        "Look for disk groups that rebuild, for a read cache that is too small, and for a backup or a scan that "
        "reads everything."
    ),
    caveats=(
        "Only samples with at least 10 reads/s and a DAVG/cmd below 20 ms are evaluated: above, see "
        "device-latency.",
    ),
    effects=Effects(implies=("vdisk-latency",), accounts_for=("vdisk-latency",)),
    confirm="esxtop, disk device screen (u): the read latencies of this device, and the array's own",
    fires=(
        Example("reads of 40 ms in a mean of 12 ms", _device(40, 12), "warning"),
        Example("just reaches it", _device(20.5, 10), "warning"),
        Example("just reaches the milder", _device(10.5, 5), "info"),
        Example("just below the worse", _device(19.5, 5), "info"),
    ),
    quiet=(
        Example("just below", _device(9.5, 5)),
        Example("all commands are slow", _device(40, 38)),
        Example("two reads a second", _device(40, 5, rate=2)),
    ),
)
