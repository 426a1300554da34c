"""Counters of adapters, paths, devices, partitions and virtual disks.

Most counters are the same for every level of the storage stack: they are written once and stamped
onto each object.
"""

from __future__ import annotations

from collections.abc import Iterator

from esxprobe.catalog.row import Row, stamp

_TOTAL = "a cumulative count, not a rate; the first row of a capture can print 0"
_IDLE_ZERO = "0.00 also stands for an interval without such commands"
_BYTES = "the name says bytes, the screen's heading megabytes: do not rely on the unit"
_PAE = "only for 32-bit (PAE) addressing"

_QUEUE = (
    Row("Device Q Depth", "DQLEN", "", "Commands that the device takes at once"),
    Row(
        "World Q Depth",
        "WQLEN",
        "",
        "Commands that one world may have at the device at once",
        "0 has been seen on busy devices; it does not mean that the queue is full",
    ),
    Row("Active Commands", "ACTV", "", "Commands outstanding on the device when the sample is taken"),
    Row(
        "Queued Commands",
        "QUED",
        "",
        "Commands that wait in the VMkernel when the sample is taken",
        "an instant, not an average over the interval",
    ),
    Row("% Used", "%USD", "%", "Share of the queue depth that active commands take up"),
    Row("Load", "LOAD", "", "Active and queued commands as a multiple of the queue depth"),
)

_THROUGHPUT = (
    Row(
        "Commands/sec",
        "CMDS/s",
        "1/s",
        "Commands issued per second",
        "more than reads and writes together where there are other commands",
    ),
    Row("Reads/sec", "READS/s", "1/s", "Read commands issued per second"),
    Row("Writes/sec", "WRITES/s", "1/s", "Write commands issued per second"),
    Row("MBytes Read/sec", "MBREAD/s", "MB/s", "Megabytes read per second"),
    Row("MBytes Written/sec", "MBWRTN/s", "MB/s", "Megabytes written per second"),
)

_RESERVATIONS = (
    Row(
        "Reserves/sec",
        "RESV/s",
        "1/s",
        "SCSI reservations per second",
        "from before ATS locking",
        extra=True,
    ),
    Row(
        "Conflicts/sec",
        "CONS/s",
        "1/s",
        "SCSI reservation conflicts per second",
        "from before ATS locking: has no meaning for a datastore that locks with ATS",
        extra=True,
    ),
)

_FAILURES = (
    Row("Failed Commands/sec", "FCMDS/s", "1/s", "Commands that failed per second", extra=True, worse="more"),
    Row("Failed Reads/sec", "FREAD/s", "1/s", "Read commands that failed per second", extra=True),
    Row("Failed Writes/sec", "FWRITE/s", "1/s", "Write commands that failed per second", extra=True),
    Row("Failed Bytes Read/sec", "FMBRD/s", "bytes/s", "Data of failed reads per second", _BYTES, extra=True),
    Row(
        "Failed Bytes Written/sec",
        "FMBWR/s",
        "bytes/s",
        "Data of failed writes per second",
        _BYTES,
        extra=True,
    ),
    Row("Failed Reserves/sec", "FRESV/s", "1/s", "SCSI reservations that failed per second", extra=True),
    Row(
        "Aborts/sec",
        "ABRTS/s",
        "1/s",
        "Commands aborted per second, for example after a guest timeout",
        extra=True,
        worse="more",
    ),
    Row("Resets/sec", "RESETS/s", "1/s", "Resets per second", extra=True),
)

_COPIES = (
    Row("PAE Commands/sec", "PAECMD/s", "1/s", "Commands that needed a copy to low memory", _PAE, extra=True),
    Row("PAE Copies/sec", "PAECP/s", "1/s", "Copies to low memory", _PAE, extra=True),
    Row("Split Commands/sec", "SPLTCMD/s", "1/s", "Commands that were split into smaller ones", extra=True),
    Row("Split Copies/sec", "SPLTCP/s", "1/s", "Copies made because commands were split", extra=True),
)

_VAAI = (
    Row("CReads", "CLONE_RD", "", "Clone commands that read from the device", _TOTAL, extra=True),
    Row("CWrites", "CLONE_WR", "", "Clone commands that wrote to the device", _TOTAL, extra=True),
    Row("CFailed", "CLONE_F", "", "Clone commands that failed", _TOTAL, extra=True),
    Row("MBytes CReads/sec", "MBC_RD/s", "MB/s", "Megabytes read by clone commands per second", extra=True),
    Row("MBytes CWrites/sec", "MBC_WR/s", "MB/s", "Megabytes written by clone commands per second", extra=True),
    Row("ATS", "ATS", "", "Atomic test-and-set (lock) commands that succeeded", _TOTAL, extra=True),
    Row("ATS Failed", "ATSF", "", "Atomic test-and-set (lock) commands that failed", _TOTAL, extra=True),
    Row("Zeros", "ZERO", "", "Zeroing (write same) commands that succeeded", _TOTAL, extra=True),
    Row("Zeros Failed", "ZERO_F", "", "Zeroing (write same) commands that failed", _TOTAL, extra=True),
    Row("MBytes Zeroed/sec", "MBZERO/s", "MB/s", "Megabytes zeroed per second", extra=True),
    Row("Delete", "DELETE", "", "Delete (unmap) commands that succeeded", _TOTAL, extra=True),
    Row("Deletes Failed", "DELETE_F", "", "Delete (unmap) commands that failed", _TOTAL, extra=True),
    Row("MBytes Deletes/sec", "MBDEL/s", "MB/s", "Megabytes deleted (unmapped) per second", extra=True),
)


def _latencies() -> Iterator[Row]:
    for verb, ending, what in (
        ("Command", "cmd", "command"),
        ("Read", "rd", "read"),
        ("Write", "wr", "write"),
    ):
        layers = {
            "Driver": "below the VMkernel: driver, adapter, fabric and device",
            "Kernel": "inside the VMkernel, waiting in its queue (QAVG) included",
            "Guest": "as the guest sees it: DAVG plus KAVG",
            "Queue": "waiting in the VMkernel's queue, part of KAVG",
        }
        for layer, where in layers.items():
            yield Row(
                f"Average {layer} MilliSec/{verb}",
                f"{layer[0]}AVG/{ending}",
                "ms",
                f"Average time per {what} {where}",
                _IDLE_ZERO,
                extra=verb != "Command",
                worse="more",
            )


def _vaai_latencies() -> Iterator[Row]:
    for command, letter in (("Clone", "C"), ("ATS", "A"), ("Zero", "Z")):
        for outcome, ending, which in (("Success", "suc", "succeeded"), ("Failure", "f", "failed")):
            yield Row(
                f"Average {outcome} Latency ms/{command}",
                f"{letter}AVG/{ending}",
                "ms",
                f"Average time per {command if command == 'ATS' else command.lower()} command that {which}",
                _IDLE_ZERO,
                extra=True,
            )


_LATENCY = tuple(_latencies())

# NFS is not SCSI: no adapter, no queue, no path; what the host waits for is one figure, GAVG.
_NO_SCSI = "not used by NFS: always 0"
_NFS = (
    Row("Active Commands", "ACTV", "", "Commands outstanding on the server when the sample is taken"),
    *_THROUGHPUT,
    *(row for row in _LATENCY if row.name.startswith("Average Guest")),
    *(
        row
        for row in _FAILURES
        if "Bytes" not in row.name and row.name not in {"Failed Reserves/sec", "Resets/sec"}
    ),
    Row("Failed MBytes Read/sec", "FMBRD/s", "MB/s", "Data of failed reads per second", extra=True),
    Row("Failed MBytes Written/sec", "FMBWR/s", "MB/s", "Data of failed writes per second", extra=True),
    Row("Failed Reserves/sec", "FRESV/s", "1/s", "SCSI reservations that failed per second", _NO_SCSI, extra=True),
    Row("Resets/sec", "RESETS/s", "1/s", "Resets per second", _NO_SCSI, extra=True),
)

COUNTERS = (
    *stamp(
        "Physical Disk",
        "adapter",
        (
            Row(
                "Adapter Q Depth",
                "AQLEN",
                "",
                "Commands that the adapter takes at once",
                "printed for the adapter and again for each of its paths",
                extra=True,
            ),
        ),
    ),
    *stamp(
        "Physical Disk",
        "path",
        _THROUGHPUT,
        note="the same paths are listed under `Physical Disk Path`: do not add the two",
    ),
    *stamp("Physical Disk", "path", (*_RESERVATIONS, *_LATENCY, *_FAILURES, *_COPIES)),
    *stamp(
        "Physical Disk Adapter",
        "adapter",
        (*_THROUGHPUT, *_RESERVATIONS, *_LATENCY, *_FAILURES, *_COPIES),
    ),
    *stamp(
        "Physical Disk SCSI Device",
        "device",
        (*_QUEUE, *_THROUGHPUT, *_RESERVATIONS, *_LATENCY, *_FAILURES, *_VAAI, *_vaai_latencies()),
    ),
    *stamp("Physical Disk NFS Volume", "NFS volume", _NFS),
    *stamp(
        "Physical Disk Path",
        "path",
        (*_THROUGHPUT, *_RESERVATIONS, *_LATENCY, *_FAILURES, *_COPIES),
    ),
    *stamp(
        "Physical Disk Per-Device-Per-World",
        "world on device",
        (
            Row("Shares", "SHARES", "", "Disk shares of the world on the device", extra=True),
            *_QUEUE,
            *_THROUGHPUT,
            *_RESERVATIONS,
            *_LATENCY,
            *_FAILURES,
        ),
    ),
    *stamp("Physical Disk Partition", "partition", (*_THROUGHPUT, *_LATENCY)),
    *stamp(
        "Virtual Disk",
        "virtual disk",
        (
            *(
                Row(
                    name,
                    "",
                    "",
                    meaning,
                    "0 has been seen on busy disks, so it does not count the VM's own I/O",
                    extra=True,
                )
                for name, meaning in (
                    ("FailedIOs", "Failed I/Os, apparently those of the disk's I/O filters"),
                    ("TotalIOs", "I/Os, apparently those of the disk's I/O filters"),
                    ("Latency", "Latency, apparently that of the disk's I/O filters"),
                )
            ),
            *_THROUGHPUT,
            Row(
                "Average MilliSec/Read",
                "LAT/rd",
                "ms",
                "Average time per read as the VM sees it",
                _IDLE_ZERO,
                worse="more",
            ),
            Row(
                "Average MilliSec/Write",
                "LAT/wr",
                "ms",
                "Average time per write as the VM sees it",
                _IDLE_ZERO,
                worse="more",
            ),
        ),
        note="the instance with the VM's name alone stands for all its disks",
    ),
)
