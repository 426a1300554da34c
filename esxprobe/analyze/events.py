"""What logs say of the captured time: events read, put on the host's clock and on the things of the capture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.analyze.answers import entries_of_vms
from esxprobe.analyze.stuns import with_vmotion_stuns
from esxprobe.catalog.quality import note
from esxprobe.model import Entity, Event, EventLog, QualityNote, Recording
from esxprobe.model.manifest import Manifest

if TYPE_CHECKING:
    from esxprobe.formats.hostlogs import EventLogs, Wanted

# What was collected with a capture is in its folder here.
COLLECTED = "logs"
# How long before the first sample events are kept: what begins a bad time may be there; and after the last [min].
_BEFORE, _BEHIND = timedelta(minutes=10), timedelta(minutes=2)
_MIGRATION = "migration"
_UPLINK = re.compile(r":(vmnic\d+)$")


@dataclass(frozen=True, slots=True)
class EventOptions:
    """What a person said about logs of events.

    Attributes:
        paths: Files and folders.
        timezone: Zone of stamps that name none; None where it is not given.
        hosts: Hosts of all captures that these logs were given for, empty where one is not known. With more than
            one, only events of which something says whose they are, by host or VM, are taken.
        taken_out: Folders of logs that were taken out of a vm-support bundle; none of them was named by itself.
        notes: What was damaged in it, or passed over.
    """

    paths: tuple[Path, ...] = ()
    timezone: str | None = None
    hosts: tuple[str, ...] = ()
    taken_out: tuple[Path, ...] = ()
    notes: tuple[QualityNote, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file of them."""
        from esxprobe.formats.hostlogs import log_files

        return tuple(path for path, _ in log_files(self.paths)) if self.paths else ()


@dataclass(frozen=True, slots=True)
class CaptureEvents:
    """Events of a capture's time, the logs that told them, and what was wrong with these.

    `own_logs` is how many logs can show that nothing happened: those of the host whose lines reach into that time.
    """

    events: tuple[Event, ...] = ()
    logs: tuple[EventLog, ...] = ()
    notes: tuple[QualityNote, ...] = ()
    own_logs: int = 0


def events_of(
    recording: Recording, manifest: Manifest | None, options: EventOptions, folder: Path | None
) -> CaptureEvents:
    """The events of the logs that a person named or that were collected with the capture.

    Args:
        recording: The capture.
        manifest: Its manifest, None without one.
        options: What a person said.
        folder: The capture folder, None for a lone file.

    Raises:
        UnreadableInputError: A file that was named is not a log, or cannot be read.
        UsageError: The zone of one is not known, or is none.
    """
    collected = folder / COLLECTED if folder is not None and (folder / COLLECTED).is_dir() else None
    paths = (*options.paths, *([collected] if collected else ()), *options.taken_out)
    if not paths:
        return CaptureEvents(notes=options.notes)
    if not recording.date_known:
        return CaptureEvents(notes=(*options.notes, note("events-undated", len(paths))))
    read = _read(paths, _wanted(recording, manifest, options), collected, is_empty_fine=not options.paths)
    if read is None:
        return CaptureEvents(notes=options.notes)
    events = placed(read.events, recording, manifest)
    return CaptureEvents(events, read.logs, (*options.notes, *read.notes), read.covering)


def _read(
    paths: Sequence[Path], wanted: Wanted, collected: Path | None, *, is_empty_fine: bool
) -> EventLogs | None:
    """The events; None where nothing was collected."""
    from esxprobe.formats.hostlogs import log_files, read_event_logs

    if is_empty_fine and not log_files(paths):
        return None
    # No option named what a bundle or a capture folder holds: without a log in it, the report has no events.
    return read_event_logs(paths, wanted, own=collected, may_be_none=is_empty_fine)


def _wanted(recording: Recording, manifest: Manifest | None, options: EventOptions) -> Wanted:
    from esxprobe.formats.hostlogs import Wanted, is_same_host
    from esxprobe.formats.timestamps import named_zone

    hosts = {name.casefold() for name in (recording.host, manifest.host if manifest else "") if name}
    times = recording.samples.filter("judged")
    first: datetime | None = times["time"].min() if times.height else None  # type: ignore[assignment]
    last: datetime | None = times["time"].max() if times.height else None  # type: ignore[assignment]
    interval = timedelta(seconds=recording.interval_s or 0.0)
    others = {each.casefold() for each in options.hosts if not any(is_same_host(each, mine) for mine in hosts)}
    return Wanted(
        start=first - interval - _BEFORE if first else None,
        end=last + _BEHIND if last else None,
        hosts=frozenset(hosts),
        zone=named_zone(options.timezone) if options.timezone else None,
        shift_s=_host_ahead_s(manifest),
        others=frozenset(others) if len(options.hosts) > 1 else frozenset(),
        vms=frozenset(vm.name for vm in recording.vms),
        captured=(first - interval, last) if first and last else None,
    )


def _host_ahead_s(manifest: Manifest | None) -> float:
    """How far the host's clock is ahead of the collecting machine's, as the manifest has it at the start [s].

    The host's own logs are by its own clock, as its capture is. Other computers' clocks (vCenter, a person's list)
    are taken to be right, as the collecting machine's is.
    """
    start = manifest.clock.start if manifest else None
    return (start.offset_s if start else None) or 0.0


def placed(events: Iterable[Event], recording: Recording, manifest: Manifest | None) -> tuple[Event, ...]:
    """The events with the things of the capture in place of the names in their lines, where these are known."""
    places = _Things(recording, manifest)
    return with_vmotion_stuns([places.placed(event) for event in places.learned(tuple(events))])


class _Things:
    """The things of a capture by the names that logs give them."""

    def __init__(self, recording: Recording, manifest: Manifest | None) -> None:
        self._recording = recording
        self._host = Entity("host", recording.host, "")
        self._known: dict[tuple[str, str], Entity] = {}
        self._datastores: dict[str, str] = {}  # label to the only device that lines name beside it
        self._migrations: dict[str, Entity] = {}  # number of a vMotion to its VM
        self._vms(manifest)
        for kind in ("device", "adapter", "nfs-volume", "pcpu", "path", "port"):
            self._of_kind(kind)
        for each in manifest.facts.datastores if manifest else ():
            if (uuid := each.uuid) and (label := each.volume_name):
                self._known["volume", uuid] = self._known.get(
                    ("datastore", label), Entity("datastore", label, label)
                )

    def _vms(self, manifest: Manifest | None) -> None:
        names = [vm.name for vm in self._recording.vms]
        by_gid = {vm.gid: Entity("vm", vm.name, vm.gid) for vm in self._recording.vms}
        for entity in by_gid.values():
            if names.count(entity.name) == 1:
                self._known["vm", entity.name] = entity
        for kind in ("world", "vcpu"):
            worlds = self._recording.entities.get(kind)
            for world, role, gid in worlds.select("id", "role", "gid").iter_rows() if worlds is not None else ():
                if gid in by_gid:
                    self._known["world", world] = by_gid[gid]
                    if role.startswith("NetWorld-VM-"):  # named after the leader of the VM's worlds
                        self._known["world", role.removeprefix("NetWorld-VM-")] = by_gid[gid]
        for gid, entry in entries_of_vms(manifest, self._recording):
            for world in filter(None, (entry.world_id, entry.vmx_cartel_id)):
                self._known["world", world] = by_gid[gid]
            if entry.config_file:
                self._known["vmx", entry.config_file] = by_gid[gid]

    def _of_kind(self, kind: str) -> None:
        things = self._recording.entities.get(kind)
        for name, number in things.select("name", "id").iter_rows() if things is not None else ():
            entity = Entity(kind, name, number or name)
            match kind:
                case "port":
                    if found := _UPLINK.search(name):
                        self._known.setdefault(("uplink", found[1]), entity)
                case "pcpu":
                    self._known["pcpu", number] = entity
                case "path":  # newer ones carry their device behind the name
                    self._known.setdefault(("path", re.split(r"-(?=(?:naa|eui|t10|mpx)\.)", name)[0]), entity)
                case "nfs-volume":
                    self._known["datastore", name] = entity
                case _:
                    self._known[kind, name] = entity

    def learned(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Learns from lines that name both on which device a datastore lies, and of which VM a vMotion is."""
        self._learn_migrations(events)
        devices: dict[str, set[str]] = {}
        for event in events:
            things = (event.entity, *event.also)
            mine = {each.name for each in things if each.kind == "device"}
            for each in things if len(mine) == 1 else ():
                if each.kind == "datastore":
                    devices.setdefault(each.name, set()).update(mine)
        self._datastores = {label: next(iter(mine)) for label, mine in devices.items() if len(mine) == 1}
        return events

    def _learn_migrations(self, events: tuple[Event, ...]) -> None:
        """Most lines of a vMotion have its number alone; a number that two VMs have tells nothing."""
        vms: dict[str, set[Entity]] = {}
        for event in events:
            things = (event.entity, *event.also)
            mine = {found for each in things if (found := self._found(each)).kind == "vm"}
            for each in things:
                if each.kind == _MIGRATION:
                    vms.setdefault(each.name, set()).update(mine)
        self._migrations = {number: next(iter(mine)) for number, mine in vms.items() if len(mine) == 1}

    def placed(self, event: Event) -> Event:
        """An event with the things of the capture that it is about."""
        things = tuple(dict.fromkeys(self._all((event.entity, *event.also)))) or (self._host,)
        return replace(event, entity=things[0], also=things[1:])

    def _all(self, things: Iterable[Entity]) -> Iterator[Entity]:
        for each in things:
            if each.kind == _MIGRATION:
                if each.name in self._migrations:
                    yield self._migrations[each.name]
                continue
            found = self._found(each)
            yield found
            if found.kind == "datastore" and found.name in self._datastores:
                yield self._found(Entity("device", self._datastores[found.name], ""))

    def _found(self, thing: Entity) -> Entity:
        if thing.kind == "host":
            return self._host
        if thing.kind == "named":
            kinds = ("vm", "device", "datastore", "path", "uplink", "adapter")
            found = next(
                (self._known[kind, thing.name] for kind in kinds if (kind, thing.name) in self._known), None
            )
            return found or (self._host if thing.name.casefold() == self._host.name.casefold() else thing)
        if thing.kind == "vm-folder":
            return self._known.get(("vm", thing.name), thing)
        if thing.kind == "vmx" and ("vmx", thing.name) not in self._known:
            stem = thing.name.rpartition("/")[2].removesuffix(".vmx")
            return self._known.get(("vm", stem), Entity("vm", stem, thing.name))
        return self._known.get((thing.kind, thing.name), thing)
