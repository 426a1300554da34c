"""Virtual disks that wait for more than the devices below take."""

from esxprobe.model import Level
from esxprobe.rules import sources
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.record import Effects, Example, Part, Rule, Series

_READ, _WRITE = (rf"Virtual Disk\Average MilliSec/{what}" for what in ("Read", "Write"))
_READS, _WRITES = r"Virtual Disk\Reads/sec", r"Virtual Disk\Writes/sec"
_GAVG = r"Physical Disk Per-Device-Per-World\Average Guest MilliSec/Command"
_MEAN = f'("{_READ}" * "{_READS}" + "{_WRITE}" * "{_WRITES}") / NULLIF("{_READS}" + "{_WRITES}", 0)'


def _disk(ms: Series, rate: Series = 40) -> dict[str, Series]:
    return {_READ: ms, _WRITE: ms, _READS: rate, _WRITES: rate}


def _below(*gavg_ms: Series) -> dict[str, tuple[dict[str, Series], ...]]:
    return {"device-world": tuple({_GAVG: each} for each in gavg_ms)}


RULE = Rule(
    id="vdisk-above-device",
    title="Virtual disk was much slower than the VM's devices (LAT/rd, LAT/wr)",
    entity="vdisk",
    parts=(Part("VM's slowest device GAVG", "device-world", "max", f'"{_GAVG}"'),),
    value=f'{_MEAN} - "VM\'s slowest device GAVG"',
    where=(
        f'"{_READS}" + "{_WRITES}" >= 10 AND "VM\'s slowest device GAVG" > 0 '
        f'AND {_MEAN} >= 3 * "VM\'s slowest device GAVG"'
    ),
    label="latency of the virtual disk less GAVG of the VM's slowest device",
    unit="ms",
    levels=(Level("warning", 10, sources.rule_of_thumb("ten times what a healthy device takes, spent above it")),),
    check=sustained_above(share=0.2, run_s=60, least=6),
    cause="storage",
    why=(
        "The time passes between the guest and the device: a limit on IOPS, an I/O filter, a chain of snapshots, "
        "or a busy host."
    ),
    advice=(
        "Look at the VM's limits on IOPS (settings, storage policy, Storage I/O Control), at its snapshots, at I/O "
        "filters (replication, caching), and at %RDY of its vCPUs."
    ),
    caveats=(
        "Only samples with at least 10 reads and writes a second are evaluated in which the disk takes three times "
        "as long "
        "as the VM's slowest device.",
        "Disks on NFS or vSAN have no device; a VM that has disks on both is evaluated by the devices that it has.",
    ),
    effects=Effects(implies=("vdisk-latency", "cpu-costop", "cpu-costop-alone")),
    confirm="vim-cmd vmsvc/get.snapshot VMID, the VM's IOPS limits, and esxcli storage core device world list",
    fires=(
        Example("a limit holds it at 40 ms", _disk(40), "warning", parts=_below(1.2)),
        Example("just reaches it", _disk(12.5), "warning", parts=_below(0.5, 2)),
    ),
    quiet=(
        Example("the device is as slow", _disk(40), parts=_below(39)),
        Example("just below", _disk(11.5), parts=_below(0.5, 2)),
        Example("slower, and the device takes most of it", _disk(45), parts=_below(20)),
        Example("almost no load", _disk(40, rate=2), parts=_below(1)),
    ),
)
