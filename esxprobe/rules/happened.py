r"""Events of logs as values of rules, in each sample: `event("path-down")` is how many the judged entity had.

In SQL such a value is a column `Event\path-down`. `largest("vmotion-stun")` is the largest figure of such events, 0
without one; `between("nfs-lost", "nfs-restored")` is 1 in each sample that has a part of a state which an event of
the first kind begins and one of the second ends. An event counts for what its line names, for the device and the
adapter of a path that it names, and in the sample whose interval holds its time; events in pauses count nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.model import Entity, Event, Recording
from esxprobe.rules.event_columns import is_state, kinds_of
from esxprobe.rules.once import once
from esxprobe.rules.record import EVENT, LARGEST

if TYPE_CHECKING:
    from esxprobe.arrays import Floats

Key = tuple[str, str]


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
    """What a sample has of events: one row an entity of this kind, one column a judged sample.

    Args:
        recording: The capture, with events.
        kind: Kind of the entities.
        name: A column of `event_names`.
    """
    samples = _Samples(recording)
    values = np.zeros((recording.entities[kind].height, len(samples.ends)))
    wanted = name.removeprefix(EVENT)
    if is_state(name):
        for row, (began, ended) in _states(recording, kind, kinds_of(wanted)):
            values[row, samples.touching(began, ended)] = 1.0
        return values
    is_largest = wanted.startswith(LARGEST)
    for event, row in _on_entities(recording, kind, kinds_of(wanted)):
        sample = samples.holding(event.time.timestamp())
        if sample is not None:
            values[row, sample] = (
                max(values[row, sample], event.figure or 0.0) if is_largest else values[row, sample] + 1
            )
    return values


class _Samples:
    """Intervals of the judged samples [s since 1970]."""

    def __init__(self, recording: Recording) -> None:
        judged = recording.samples.filter("judged")
        self.ends = judged["time"].dt.timestamp("us").to_numpy() / 1e6
        self.starts = self.ends - judged["interval_s"].to_numpy()

    def holding(self, at: float) -> int | None:
        """The sample whose interval holds a time."""
        sample = int(np.searchsorted(self.ends, at))
        return sample if sample < len(self.ends) and at > self.starts[sample] else None

    def touching(self, began: float, ended: float) -> slice:
        """The samples whose intervals have a part of a time."""
        first = int(np.searchsorted(self.ends, began))
        return slice(first, max(first, int(np.searchsorted(self.starts, ended))))


def _on_entities(recording: Recording, kind: str, wanted: tuple[str, ...]) -> Iterator[tuple[Event, int]]:
    """Events of some kinds in order of time, each with the row of an entity that it is of."""
    things = recording.entities[kind]
    rows = {key: n for n, key in enumerate(things["gid" if kind == "vm" else "name"].to_list())}
    for event in recording.events:
        for of, key in keys_of(event, recording) if event.kind in wanted else ():
            row = (0 if things.height else None) if kind == "host" else rows.get(key)
            if of == kind and row is not None:
                yield event, row


def _states(recording: Recording, kind: str, pair: tuple[str, ...]) -> Iterator[tuple[int, tuple[float, float]]]:
    """Rows of entities, and from when to when each was in a state [s since 1970].

    An end without a beginning is a state that began before anything was read: only its own moment is known. A
    beginning without an end lasts for all that follows.
    """
    begin, end = pair
    open_since: dict[int, float] = {}
    for event, row in _on_entities(recording, kind, pair):
        at = event.time.timestamp()
        if event.kind == begin:
            open_since.setdefault(row, at)
        elif event.kind == end:
            yield row, (open_since.pop(row, at), at)
    for row, since in open_since.items():
        yield row, (since, np.inf)
