"""Host, VMs, storage and network at a glance: what the report pictures besides findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from esxprobe.analyze.at_work import (
    known_at,
    largest,
    last,
    mean,
    p95_at_work,
    p95_of_rows,
    rows_by_gid,
    rows_in_parts,
    shown,
    values_of,
)
from esxprobe.analyze.belongings import device_uses, disks_of
from esxprobe.analyze.heat import HeatCells, Line, cells_of, mean_of, strip, worst_of
from esxprobe.arrays import Floats
from esxprobe.model import (
    DeviceRow,
    Entity,
    Glance,
    HeatStrip,
    HostGlance,
    PortRow,
    Provenance,
    Recording,
    VolumeRow,
)
from esxprobe.series import in_parts

_READY, _LIMITED, _COSTOP, _RUN = (rf"Vcpu\% {name}" for name in ("Ready", "Max Limited", "CoStop", "Run"))
_SIZE, _BALLOON, _SWAPPED = (rf"Group Memory\{name} MBytes" for name in ("Memory Size", "Memctl", "Swapped"))
_READ_MS, _WRITE_MS = (rf"Virtual Disk\Average MilliSec/{verb}" for verb in ("Read", "Write"))
_UTIL = r"Physical Cpu\% Util Time"
_MEMORY, _FREE = r"Memory\Machine MBytes", r"Memory\Free MBytes"
_DISKS = {"device": "Physical Disk SCSI Device", "adapter": "Physical Disk Adapter"}
_COMMANDS = "Commands/sec"
_LATENCIES = tuple(f"Average {layer} MilliSec/Command" for layer in ("Driver", "Kernel", "Queue"))
_QUEUED, _DEPTH = "Queued Commands", "Device Q Depth"
_PORT = tuple(
    rf"Network Port\{name}"
    for name in (
        "Packets Transmitted/sec",
        "Packets Received/sec",
        "MBits Transmitted/sec",
        "MBits Received/sec",
        "% Outbound Packets Dropped",
        "% Received Packets Dropped",
    )
)

_VOLUME = tuple(
    rf"Physical Disk NFS Volume\{name}"
    for name in (
        "Commands/sec", "Average Guest MilliSec/Command", "MBytes Read/sec", "MBytes Written/sec", "Aborts/sec"
    )
)  # fmt: skip

# What the section reads of a capture beside what rules and the table of VMs read, by entity kind.
GLANCE_NEEDS: dict[str, tuple[str, ...]] = {
    "vcpu": (_READY, _LIMITED, _COSTOP, _RUN),
    "vm": (_SIZE, _BALLOON, _SWAPPED),
    "vm-disks": (_READ_MS, _WRITE_MS),
    "host": (_UTIL, _MEMORY, _FREE),
    "pcpu": (_UTIL,),
    **{
        kind: tuple(
            f"{obj}\\{name}" for name in (_COMMANDS, *_LATENCIES, *((_QUEUED, _DEPTH) if kind == "device" else ()))
        )
        for kind, obj in _DISKS.items()
    },
    "nfs-volume": _VOLUME,
    "port": _PORT,
}
# Of ports no more are read, for a host can have thousands.
PORTS_READ = 256
# More PCPUs than this are joined by two, by four and so on.
_PCPU_ROWS = 32


def glance_of(recording: Recording, provenance: Provenance | None) -> Glance:
    """What the section shows of a recording."""
    cells = cells_of(recording)
    if cells is None:
        return Glance()
    nodes = provenance.facts.numa_nodes if provenance else None
    pictures = [*_vm_strips(recording, cells), _pcpu_strip(recording, cells, nodes or 1)]
    devices, adapters = (_disks(recording, kind) for kind in ("device", "adapter"))
    volumes, ports = _volumes(recording), _ports(recording)
    return Glance(
        host=_host(recording, nodes),
        strips=tuple(picture for picture in pictures if picture is not None),
        devices=tuple(devices),
        adapters=tuple(adapters),
        volumes=tuple(volumes),
        ports=tuple(ports),
        ports_idle=len(shown(recording, "port", "name")) - len(ports),
        ports_unread=_port_count(recording) - len(shown(recording, "port", "name")),
        disks=disks_of(recording),
        device_uses=device_uses(recording),
    )


def _host(recording: Recording, nodes: int | None) -> HostGlance:
    util, free = values_of(recording, "host", _UTIL), values_of(recording, "host", _FREE)
    pcpus = values_of(recording, "pcpu", _UTIL)
    if util is None and pcpus is not None:
        util = mean_of(pcpus, range(len(pcpus)))[np.newaxis]
    lowest = largest(None if free is None else -free, [0])
    return HostGlance(
        pcpus=0 if pcpus is None else len(pcpus),
        numa_nodes=nodes,
        util_mean=mean(util, [0]),
        util_p95=known_at(p95_of_rows(util), 0),
        util_peak=largest(util, [0]),
        memory_mb=last(values_of(recording, "host", _MEMORY), [0]),
        free_mb=None if lowest is None else -lowest,
    )


def _vm_strips(recording: Recording, cells: HeatCells) -> Iterator[HeatStrip | None]:
    names = {vm.gid: vm.name for vm in recording.vms}
    have = recording.values.counters("vcpu")
    for key, path, joined in (("ready", _READY, worst_of), ("costop", _COSTOP, worst_of), ("run", _RUN, mean_of)):
        if path in have:
            yield strip(key, "%", _joined_vcpus(recording, names, path, joined), cells)
    yield strip("reclaim", "%", _reclaim(recording, names), cells)
    yield strip("latency", "ms", _latency(recording), cells)


def _joined_vcpus(
    recording: Recording, names: dict[str, str], path: str, joined: Callable[[Floats, Sequence[int]], Floats]
) -> Iterator[Line | None]:
    """One row a VM; what waited for its own limit was not ready."""
    vcpus = {gid: rows for gid, rows in rows_by_gid(recording, "vcpu").items() if gid in names}
    for rows, places in rows_in_parts(recording, vcpus, 2):
        values = values_of(recording, "vcpu", path, rows)
        limited = values_of(recording, "vcpu", _LIMITED, rows) if path == _READY else None
        if values is not None:
            waiting = values if limited is None else values - limited
            for gid, own in places.items():
                parts = waiting[own] if joined is worst_of else None
                yield Line.of(Entity("vm", names[gid], gid), names[gid], joined(waiting, own), parts)


def _reclaim(recording: Recording, names: dict[str, str]) -> Iterator[Line | None]:
    """Ballooned and swapped memory of each VM as a share of its size [%]."""
    size, balloon, swapped = (values_of(recording, "vm", path) for path in (_SIZE, _BALLOON, _SWAPPED))
    taken = [values for values in (balloon, swapped) if values is not None]
    if size is None or not taken:
        return
    gone = np.sum(taken, axis=0)
    share = np.full_like(gone, np.nan)
    np.divide(100 * gone, size, out=share, where=size > 0)
    for gid, rows in rows_by_gid(recording, "vm").items():
        if gid in names:
            yield Line.of(Entity("vm", names[gid], gid), names[gid], worst_of(share, rows))


def _latency(recording: Recording) -> Iterator[Line | None]:
    """The slower of reads and writes over all virtual disks of each VM [ms]; esxtop gives its name alone."""
    known = [v for path in (_READ_MS, _WRITE_MS) if (v := values_of(recording, "vm-disks", path)) is not None]
    if known:
        slower = np.fmax.reduce(known, axis=0)
        gids = shown(recording, "vm-disks", "gid")
        for n, (name, gid) in enumerate(zip(shown(recording, "vm-disks", "name"), gids, strict=True)):
            yield Line.of(Entity("vm", name, gid or ""), name, slower[n])


def _pcpu_strip(recording: Recording, cells: HeatCells, nodes: int) -> HeatStrip | None:
    """PCPUs by number; on large hosts neighbors share a row, on those with NUMA nodes each row has its node."""
    util = values_of(recording, "pcpu", _UTIL)
    if util is None:
        return None
    numbers = [int(number) for number in shown(recording, "pcpu", "id")]
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    size = 1
    while -(-len(order) // size) > _PCPU_ROWS:
        size *= 2
    rows = []
    for start in range(0, len(order), size):
        part = order[start : start + size]
        first, final = numbers[part[0]], numbers[part[-1]]
        label = f"PCPU {first}" if first == final else f"PCPU {first}–{final}"
        if nodes > 1 and not len(order) % nodes and not (len(order) // nodes) % size:
            label = f"N{start * nodes // len(order)} {label}"
        rows.append(Line.of(Entity("pcpu", f"PCPU {first}", str(first)), label, mean_of(util, part)))
    return strip("pcpus", "%", rows, cells, in_order=True)


def _disks(recording: Recording, kind: str) -> list[DeviceRow]:
    """Devices or adapters, the busiest first; latencies count where there were commands."""
    obj, names = _DISKS[kind], shown(recording, kind, "name")
    rows = []
    for part in in_parts(len(names), 2 * len(GLANCE_NEEDS[kind]) * int(recording.samples["judged"].sum())):
        some = list(range(len(names)))[part]
        commands = values_of(recording, kind, f"{obj}\\{_COMMANDS}", some)
        latencies = [
            p95_at_work(values_of(recording, kind, f"{obj}\\{name}", some), commands) for name in _LATENCIES
        ]
        queued, depth = (values_of(recording, kind, f"{obj}\\{name}", some) for name in (_QUEUED, _DEPTH))
        for n, name in enumerate(names[part]):
            driver, kernel, queue = (known_at(p95s, n) for p95s in latencies)
            rows.append(
                DeviceRow(
                    Entity(kind, name, name),
                    mean(commands, [n]),
                    driver,
                    kernel,
                    queue,
                    largest(queued, [n]),
                    last(depth, [n]),
                )
            )
    return sorted(rows, key=lambda row: (-(row.commands_s or 0.0), row.entity.name))


def _volumes(recording: Recording) -> list[VolumeRow]:
    """NFS volumes, the busiest first; latencies count where there were commands."""
    names = shown(recording, "nfs-volume", "name")
    rows = []
    for part in in_parts(len(names), 2 * len(_VOLUME) * int(recording.samples["judged"].sum())):
        some = list(range(len(names)))[part]
        values = [values_of(recording, "nfs-volume", path, some) for path in _VOLUME]
        commands, guest, read, written, aborts = values
        latency = p95_at_work(guest, commands)
        for n, name in enumerate(names[part]):
            rows.append(
                VolumeRow(
                    Entity("nfs-volume", name, name),
                    mean(commands, [n]),
                    known_at(latency, n),
                    mean(read, [n]),
                    mean(written, [n]),
                    largest(aborts, [n]),
                )
            )
    return sorted(rows, key=lambda row: (-(row.commands_s or 0.0), row.entity.name))


def _ports(recording: Recording) -> list[PortRow]:
    """Ports, those that drop first, then the busiest; those that never saw a packet are left out."""
    names, numbers, owners = (shown(recording, "port", column) for column in ("name", "id", "gid"))
    rows = []
    for part in in_parts(len(names), 2 * len(_PORT) * int(recording.samples["judged"].sum())):
        some = list(range(len(names)))[part]
        packets = [values_of(recording, "port", path, some) for path in _PORT]
        for n, (name, number, gid) in enumerate(zip(names[part], numbers[part], owners[part], strict=True)):
            means = [mean(values, [n]) for values in packets[:4]]
            drops = [largest(values, [n]) for values in packets[4:]]
            if any((*means, *drops)):
                rows.append(PortRow(Entity("port", name, number), gid or "", *means, *drops))
    return sorted(rows, key=_busiest_port)


def _busiest_port(row: PortRow) -> tuple[float, float, str]:
    drops = (row.sent_dropped_pct or 0.0) + (row.received_dropped_pct or 0.0)
    traffic = (row.sent_packets_s or 0.0) + (row.received_packets_s or 0.0)
    return (-drops, -traffic, row.entity.name)


def _port_count(recording: Recording) -> int:
    """All ports of the header, read or not."""
    ports = recording.entities.get("port")
    return 0 if ports is None else ports.height
