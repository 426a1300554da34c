"""Devices that take much longer to write than to read."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Rule, Series

_WRITE, _READ = (f"Physical Disk SCSI Device\\Average Driver MilliSec/{what}" for what in ("Write", "Read"))
_WRITES, _READS = r"Physical Disk SCSI Device\Writes/sec", r"Physical Disk SCSI Device\Reads/sec"


def _device(write_ms: Series, read_ms: Series, rate: Series = 40) -> dict[str, Series]:
    return {_WRITE: write_ms, _READ: read_ms, _WRITES: rate, _READS: rate}


RULE = Rule(
    id="device-writes-slower",
    title="Writes took several times as long as reads (DAVG/wr, DAVG/rd)",
    entity="device",
    value=f'"{_WRITE}" / NULLIF("{_READ}", 0)',
    where=f'"{_WRITES}" >= 10 AND "{_READS}" >= 10 AND "{_WRITE}" >= 10',
    label="DAVG/wr against DAVG/rd",
    unit="times",
    levels=(
        Level("info", 3, sources.rule_of_thumb("a write cache answers writes sooner than disks answer reads")),
    ),
    check=sustained_above(share=0.5, run_s=300, least=12),
    cause="storage",
    why=(
        "With a write cache in the array a write is done when the cache has it. Slow writes together with fast "
        "reads suggest that it does not work."
    ),
    advice=(
        "Look at the state of the write cache (battery, mirroring, forced write-through after the loss of a "
        "controller) "
        "and at the latency of synchronous replication."
    ),
    caveats=(
        "Only samples with at least 10 reads/s and 10 writes/s and a DAVG/wr of at least 10 ms are evaluated.",
        "Large writes always take longer than small reads: compare MB/s with commands/s.",
        "This is normal for local disks without a caching controller and for flash with a read cache.",
    ),
    effects=Effects(
        implies=("device-latency", "device-all-paths-slow", "device-write-latency"),
        accounts_for=("device-all-paths-slow", "device-latency"),
    ),
    # DAVG of a path is the mean over reads and writes: slow writes alone make it slow.
    confirm="the array's or controller's report on its write cache",
    fires=(
        Example("writes of 30 ms next to reads of 5 ms", _device(30, 5), "info"),
        Example("just reaches it", _device(15.5, 5), "info"),
    ),
    quiet=(
        Example("just below", _device(14.5, 5)),
        Example("eight times as slow and still fast", _device(4, 0.5)),
        Example("a few writes", _device(40, 5, rate=2)),
    ),
)
