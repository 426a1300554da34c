r"""Events of logs as values of rules: `event("path-down")` is how many there were in a sample on the judged entity.

In SQL such a value is a column `Event\path-down`. An event counts for what its line names, for the device and the
adapter of a path that it names, and in the sample whose interval holds its time; events in pauses count nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from esxprobe.catalog.events import KINDS
from esxprobe.model import Entity, Event, Recording
from esxprobe.rules.once import once
from esxprobe.rules.record import EVENT

if TYPE_CHECKING:
    from esxprobe.arrays import Floats

Key = tuple[str, str]


@cache
def event_names() -> tuple[str, ...]:
    """The columns of all kinds."""
    return tuple(f"{EVENT}{kind.key}" for kind in KINDS)


def key_of(entity: Entity) -> Key:
    """What tells the thing that an event is about, or a finding, from others."""
    match entity.kind:
        case "vm":
            return entity.kind, entity.id
        case "host":
            return entity.kind, ""
    return entity.kind, entity.name


@once
def devices_of_paths(recording: Recording) -> Mapping[str, tuple[str | None, str | None]]:
    """The device and the adapter of each path, as far as they are known."""
    paths = recording.entities.get("path")
    rows: Iterable[tuple[str, str | None, str | None]] = (
        paths.select("name", "device", "adapter").iter_rows() if paths is not None else ()
    )
    return {name: (device, adapter) for name, device, adapter in rows}


def keys_of(event: Event, recording: Recording) -> tuple[Key, ...]:
    """The things that an event is of."""
    keys: dict[Key, None] = {}
    for each in (event.entity, *event.also):
        keys[key_of(each)] = None
        if each.kind == "path":
            device, adapter = devices_of_paths(recording).get(each.name, (None, None))
            if device:
                keys["device", device] = None
            if adapter:
                keys["adapter", adapter] = None
    return tuple(keys)


@once
def events_of(recording: Recording, kind: str, name: str) -> Floats:
    """How many events of a kind there were: one row an entity of this kind, one column a judged sample."""
    import numpy as np

    things = recording.entities[kind]
    judged = recording.samples.filter("judged")
    ends = judged["time"].dt.timestamp("us").to_numpy() / 1e6
    lengths = judged["interval_s"].to_numpy()
    counts = np.zeros((things.height, len(ends)))
    columns = ("gid",) if kind == "vm" else ("name",)
    rows = {key: n for n, key in enumerate(things[columns[0]].to_list())}
    wanted = name.removeprefix(EVENT)
    for event in recording.events:
        if event.kind != wanted or not len(ends):
            continue
        at = event.time.timestamp()
        sample = int(np.searchsorted(ends, at))
        if sample >= len(ends) or at <= ends[sample] - lengths[sample]:
            continue
        for of, key in keys_of(event, recording):
            if of == kind:
                row = 0 if kind == "host" else rows.get(key)
                if row is not None and row < things.height:
                    counts[row, sample] += 1
    return counts
