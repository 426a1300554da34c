"""Which events belong to a finding: those of its entity, of what that is a part of or runs on, and of its time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from esxprobe.catalog.events import event_kind
from esxprobe.model import DeviceUse, Entity, Event, Finding, NamedEvents, Recording, Window, worst_first
from esxprobe.rules.happened import Key, key_of, keys_of

# An event and the samples that it shows in are this far apart at most, besides one interval: hosts declare a path
# dead, and all paths down, seconds after commands began to hang.
_SLACK = timedelta(seconds=10)
# Of a finding's stretches so many are kept; where there may be more, the time from the first to the last counts.
_ALL_WINDOWS = 12
_NAMED = 8


def events_of_findings(
    findings: Sequence[Finding], recording: Recording, uses: Sequence[DeviceUse]
) -> dict[str, tuple[Event, ...]]:
    """The events that belong to the entity and time of each finding that has some, by `Finding.key`.

    Args:
        findings: With their owners.
        recording: The capture, with events.
        uses: Which devices each VM used.
    """
    if not recording.events:
        return {}
    search = _Search(recording, uses)
    found = {each.key: search.of(each) for each in findings}
    return {key: events for key, events in found.items() if events}


def named_events(
    findings: Sequence[Finding], events: Mapping[str, tuple[Event, ...]]
) -> dict[str, tuple[NamedEvents, ...]]:
    """The same events by kind and thing, those that bear the finding out first."""
    return {each.key: _grouped(events[each.key], each) for each in findings if each.key in events}


class _Search:
    def __init__(self, recording: Recording, uses: Sequence[DeviceUse]) -> None:
        self._slack = _SLACK + timedelta(seconds=recording.interval_s or 0.0)
        self._devices: dict[str, set[str]] = {}  # of VMs
        for use in uses:
            self._devices.setdefault(use.vm, set()).add(use.device)
        self._by_key: dict[Key, list[Event]] = {}
        for event in recording.events:
            for key in keys_of(event, recording):
                self._by_key.setdefault(key, []).append(event)

    def of(self, finding: Finding) -> tuple[Event, ...]:
        """The events of a finding."""
        if finding.entity.kind == "capture" or not finding.windows:
            return ()
        spans = _spans(finding)
        mine: dict[int, Event] = {}
        for key in self._keys_of_finding(finding):
            for event in self._by_key.get(key, ()):
                if any(self._is_in(event, span) for span in spans):
                    mine[id(event)] = event
        return tuple(mine.values())

    def _keys_of_finding(self, finding: Finding) -> Iterable[Key]:
        keys = [key_of(finding.entity)]
        if finding.owner is not None:
            keys.append(key_of(finding.owner))
        vm = next(
            (each.id for each in (finding.entity, finding.owner) if each is not None and each.kind == "vm"), ""
        )
        if finding.cause == "storage" and vm:  # its commands went there
            keys += [("device", device) for device in sorted(self._devices.get(vm, ()))]
        return dict.fromkeys(keys)

    def _is_in(self, event: Event, span: Window) -> bool:
        began = event.time - timedelta(seconds=event.duration_s)
        return event.time >= span.start - self._slack and began <= span.end + self._slack


def _spans(finding: Finding) -> tuple[Window, ...]:
    if len(finding.windows) < _ALL_WINDOWS or finding.first is None or finding.last is None:
        return finding.windows
    return (Window(finding.first, finding.last),)


def _grouped(events: Iterable[Event], finding: Finding) -> tuple[NamedEvents, ...]:
    """By kind and thing, those that bear the finding out first."""
    groups: dict[tuple[str, Entity], list[Event]] = {}
    for event in events:
        groups.setdefault((event.kind, event.entity), []).append(event)
    made = []
    for (kind, entity), mine in groups.items():
        worst = max(
            (each for each in mine if each.figure is not None), key=lambda each: each.figure or 0.0, default=None
        )
        times = [each.time for each in mine]
        made.append(
            NamedEvents(
                kind,
                entity,
                len(mine),
                min(times),
                max(times),
                worst.figure if worst else None,
                worst.unit if worst else "",
                finding.cause in event_kind(kind).supports,
            )
        )
    made.sort(key=lambda each: (not each.bears_out, worst_first(event_kind(each.kind).severity), each.first))
    return tuple(made[:_NAMED])
