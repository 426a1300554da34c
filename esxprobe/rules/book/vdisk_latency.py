"""Virtual disks that are slow as the guest sees them."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Example, Rule, Series

_READ, _WRITE = (rf"Virtual Disk\Average MilliSec/{what}" for what in ("Read", "Write"))
_READS, _WRITES = r"Virtual Disk\Reads/sec", r"Virtual Disk\Writes/sec"


def _disk(read_ms: Series, write_ms: Series, reads: Series = 40, writes: Series = 40) -> dict[str, Series]:
    return {_READ: read_ms, _WRITE: write_ms, _READS: reads, _WRITES: writes}


RULE = Rule(
    id="vdisk-latency",
    title="Latency of a virtual disk was high (LAT/rd, LAT/wr)",
    entity="vdisk",
    value=(
        f'GREATEST(CASE WHEN "{_READS}" >= 10 THEN "{_READ}" END, CASE WHEN "{_WRITES}" >= 10 THEN "{_WRITE}" END)'
    ),
    label="max(LAT/rd, LAT/wr)",
    unit="ms",
    levels=(
        Level(
            "critical",
            50,
            sources.cited(
                sources.VCENTER_ALARMS.saying("vCenter's alarm is yellow at 50 ms, red at 75 ms"),
                sources.VCHECK.saying("50 ms"),
                see=(sources.VSPHERE_METRICS.saying("red from 40 ms"),),
            ),
        ),
        Level(
            "warning",
            20,
            sources.cited(
                sources.VSPHERE_METRICS.saying("orange from 20 ms, red from 40 ms"),
                sources.OPERATIONS_GUIDE.saying("orange from 20 ms"),
                sources.ESXTOPDRILL.saying("20 ms is critical"),
                see=(
                    sources.VCENTER_ALARMS.saying("vCenter's alarm is at 50 ms"),
                    sources.ELATOV_64.saying("25 ms of GAVG"),
                ),
            ),
        ),
        Level(
            "info",
            10,
            sources.cited(
                sources.ARIA_KPI.saying("counts a breach from 10 ms on"),
                sources.ESXTOPDRILL.saying("10 ms is a warning"),
            ),
        ),
    ),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why="This is what the guest waits for, whichever layer takes the time: the datastore, the host, or a limit.",
    advice=(
        "Check which device backs it and whether that device is slow (device-latency). If not, see "
        "vdisk-above-device."
    ),
    caveats=(
        "A side with fewer than 10 reads/s or writes/s is not evaluated.",
        "On NFS and vSAN there is no device below it.",
    ),
    confirm="esxtop, disk VM screen (v), e on the VM: LAT/rd and LAT/wr of its disks",
    fires=(
        Example("80 ms", _disk(80, 80), "critical"),
        Example("just reaches it, writes alone", _disk(2, 20.5), "warning"),
        Example("just reaches the milder", _disk(10.5, 2), "info"),
        Example("just below the warning", _disk(2, 19.5), "info"),
        Example("just reaches the worse", _disk(51, 2), "critical"),
        Example("just below the worse", _disk(49, 2), "warning"),
    ),
    quiet=(
        Example("3 ms", _disk(3, 3)),
        Example("just below", _disk(9.5, 9)),
        Example("an occasional read", _disk(90, 3, reads=1)),
    ),
)
