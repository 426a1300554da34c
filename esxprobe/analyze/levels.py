"""The main counters of a recording by what they are of, for a comparison with another recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from esxprobe.analyze.at_work import rows_by_gid, shown, values_of
from esxprobe.arrays import Floats, Indexes
from esxprobe.model import Entity, Recording
from esxprobe.rules.evaluate import timing

_VCPU = tuple(rf"Vcpu\% {name}" for name in ("Run", "Used", "Ready", "CoStop", "Max Limited", "Swap Wait"))
_MEMORY = tuple(rf"Group Memory\{name} MBytes" for name in ("Memctl", "Swapped"))
_LATENCIES = ("Driver", "Kernel", "Queue", "Guest")
_DISK = "Physical Disk SCSI Device"
_VDISK = "Virtual Disk"
_PORT = tuple(
    rf"Network Port\{name}"
    for name in (
        "MBits Transmitted/sec",
        "MBits Received/sec",
        "% Outbound Packets Dropped",
        "% Received Packets Dropped",
    )
)
_HOST = (r"Physical Cpu\% Util Time", r"Memory\Free MBytes")
# A counter that means nothing while another one is 0: a latency without commands is printed as 0.
_WHILE = {
    **{rf"{_DISK}\Average {layer} MilliSec/Command": rf"{_DISK}\Commands/sec" for layer in _LATENCIES},
    rf"{_VDISK}\Average MilliSec/Read": rf"{_VDISK}\Reads/sec",
    rf"{_VDISK}\Average MilliSec/Write": rf"{_VDISK}\Writes/sec",
}
_DISKS = (rf"{_DISK}\Commands/sec", *(path for path in _WHILE if path.startswith(_DISK)))
_VDISKS = tuple(dict.fromkeys([*_WHILE.values(), *_WHILE]))
_VDISKS = tuple(path for path in _VDISKS if path.startswith(_VDISK))
# What says how much was asked of a thing: where it differs, so may everything else.
LOADS = frozenset({_VCPU[0], _DISKS[0], _PORT[0], _PORT[1], _HOST[0], *_VDISKS[:2]})
# What a comparison reads of a capture beside what an analysis does, by entity kind.
LEVEL_NEEDS: dict[str, tuple[str, ...]] = {
    "vcpu": _VCPU,
    "vm": _MEMORY,
    "vm-disks": _VDISKS,
    "device": _DISKS,
    "port": _PORT,
    "host": _HOST,
    "pcpu": (_HOST[0],),
}


@dataclass(frozen=True, slots=True)
class CounterLevels:
    """One counter of all things that have it.

    Attributes:
        entities: What the rows are of, by the name under which another capture would have it.
        values: (entities, samples).
        repeated: Names that several things share: which is which nobody can tell.
    """

    entities: Mapping[str, Entity]
    values: Floats
    repeated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Measured:
    r"""What a comparison needs of a recording.

    Attributes:
        counters: By entity kind and `Object\Counter`.
        stretch: (samples,) number of the stretch without a hole that each judged sample is in.
        interval_s: Median interval [s].
        vcpus: Number of vCPUs by VM's name.
    """

    counters: Mapping[tuple[str, str], CounterLevels]
    stretch: Indexes
    interval_s: float | None
    vcpus: Mapping[str, int]


def measured(recording: Recording) -> Measured:
    """What a comparison needs of a recording, as far as it has it."""
    when = timing(recording)
    stretch = np.zeros(len(when.seconds), dtype=np.int64)
    for number, (begin, end) in enumerate(when.stretches):
        stretch[begin:end] = number
    found: dict[tuple[str, str], CounterLevels] = {}
    for kind, path, entities, values in (*_of_vms(recording), *_of_things(recording)):
        if entities:
            found[kind, path] = _by_name(entities, values)
    return Measured(found, stretch, recording.interval_s, {vm.name: vm.vcpus for vm in recording.vms})


Rows = tuple[str, str, list[tuple[str, Entity]], Floats]


def rows_of(recording: Recording, only: frozenset[str]) -> Iterator[Rows]:
    """Kind, counter, entities with their names, and values of some of the main counters, one counter at a time."""
    yield from _of_vms(recording, only)
    yield from _of_things(recording, only)


def _of_vms(recording: Recording, only: frozenset[str] | None = None) -> Iterator[Rows]:
    """Counters of VMs: means over their vCPUs, memory, and the totals of their virtual disks."""
    machines = {vm.gid: (vm.name, Entity("vm", vm.name, vm.gid)) for vm in recording.vms}
    for kind, paths in (("vcpu", _VCPU), ("vm", _MEMORY), ("vm-disks", _VDISKS)):
        rows = {gid: places for gid, places in rows_by_gid(recording, kind).items() if gid in machines}
        if not rows:
            continue
        order = np.concatenate([np.array(places, dtype=np.intp) for places in rows.values()])
        starts = np.cumsum([0, *(len(places) for places in rows.values())])[:-1]
        sizes = np.array([len(places) for places in rows.values()], dtype=float)[:, None]
        for path in paths:
            values = _meaningful(recording, kind, path) if only is None or path in only else None
            if values is not None:
                means = np.add.reduceat(values[order], starts, axis=0) / sizes
                yield "vm", path, [machines[gid] for gid in rows], means


def _of_things(recording: Recording, only: frozenset[str] | None = None) -> Iterator[Rows]:
    devices = [(name, Entity("device", name, name)) for name in shown(recording, "device", "name")]
    for path in _DISKS:
        if only is not None and path not in only:
            continue
        if (values := _meaningful(recording, "device", path)) is not None:
            yield "device", path, devices, values
    names, numbers, clients = (shown(recording, "port", column) for column in ("name", "id", "role"))
    ports = [
        (
            f"{name.partition(':')[0]}:{client.lstrip('0123456789').removeprefix(':') or client}",
            Entity("port", name, number),
        )
        for name, number, client in zip(names, numbers, clients, strict=True)
    ]
    for path in _PORT:
        if only is not None and path not in only:
            continue
        if (values := values_of(recording, "port", path)) is not None:
            yield "port", path, ports, values
    host = Entity("host", recording.host, recording.host)
    for path in _HOST:
        if only is not None and path not in only:
            continue
        values = values_of(recording, "host", path)
        if values is None and path == _HOST[0] and (pcpus := values_of(recording, "pcpu", path)) is not None:
            values = pcpus.mean(axis=0)[np.newaxis]
        if values is not None:
            yield "host", path, [("", host)], values[:1]  # ESX classic has a second one, its service console's


def _meaningful(recording: Recording, kind: str, path: str) -> Floats | None:
    values = values_of(recording, kind, path)
    at_work = values_of(recording, kind, _WHILE[path]) if path in _WHILE else None
    if values is None or at_work is None:
        return values
    return np.where(at_work > 0, values, np.nan)


def _by_name(entities: list[tuple[str, Entity]], values: Floats) -> CounterLevels:
    names = [name for name, _ in entities]
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name, place)
    repeated = frozenset(name for place, name in enumerate(names) if places[name] != place)
    once = {name: entities[place][1] for name, place in places.items()}
    return CounterLevels(once, values[list(places.values())], repeated)
