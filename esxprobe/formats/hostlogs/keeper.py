"""What is kept of the events that are read: those of the time and host asked for, as far as memory allows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo

from esxprobe.catalog.events import event_kind
from esxprobe.formats.hostlogs.whose import is_address, is_same_host
from esxprobe.model import Entity, Event

# Characters of a line that are kept.
MOST_LINE = 1000
# Events that are kept, and those of one kind on one thing that keep their lines.
_MOST_EVENTS, _MOST_LINES = 100_000, 1_000
# Two logs tell of the same thing within this time.
_SAME = timedelta(seconds=2.5)
_CONTROL = dict.fromkeys((*range(9), *range(10, 32), 127, *range(128, 160)), "�") | {9: " "}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are wanted, and what is known of the logs.

    Attributes:
        start: First time, aware UTC; None for no limit.
        end: Last time likewise.
        hosts: Names of the computer whose events are wanted, in lower case; empty for any.
        zone: Zone of stamps that name none.
        shift_s: What is added to times of other computers' clocks to get the host's [s].
        others: Other hosts whose captures the same logs were given for, in lower case; empty for none. Then only
            events are taken of which something says whose they are.
        vms: Names of the VMs on the host asked for.
        captured: Begin and end of the samples, aware UTC; None where a log of any time will do. Events are wanted
            of a longer time.
    """

    start: datetime | None = None
    end: datetime | None = None
    hosts: frozenset[str] = frozenset()
    zone: tzinfo | None = None
    shift_s: float = 0.0
    others: frozenset[str] = frozenset()
    vms: frozenset[str] = frozenset()
    captured: tuple[datetime, datetime] | None = None

    @property
    def near(self) -> datetime | None:
        """A time near which stamps without a year lie."""
        return self.start or self.end

    def on_host_clock(self, stamp: datetime | None, zone: tzinfo | None = None) -> datetime | None:
        """A time of another computer in UTC, by the host's clock; None where its zone is not known.

        Args:
            stamp: The time, with or without a zone; None for none.
            zone: Zone of a time that names none, where it is not the usual one.
        """
        try:
            if stamp is not None and stamp.tzinfo is None:
                known = zone or self.zone
                stamp = stamp.replace(tzinfo=known) if known else None
            return None if stamp is None else stamp.astimezone(UTC) + timedelta(seconds=self.shift_s)
        except (OverflowError, ValueError):
            return None

    def is_in_time(self, moment: datetime) -> bool:
        """Whether a time is one of those asked for."""
        return (self.start is None or moment >= self.start) and (self.end is None or moment <= self.end)

    def is_of(self, host: str) -> bool:
        """Whether a computer is the one asked for; who is named by an address may be it."""
        if not host or not self.hosts or host.lower() in self.hosts or is_address(host):
            return True
        return any(is_same_host(host, each) for each in self.hosts)

    def is_claimed(self, event: Event) -> bool:
        """Whether something in an event says that it is of the host asked for, or of a VM there."""
        host = event.host
        if host and not is_address(host) and not any(is_same_host(host, each) for each in self.others):
            return True  # a short name that two of the hosts have says nothing
        things = (event.entity, *event.also)
        return host.lower() in self.hosts or any(_vm_of(each) in self.vms for each in things)


def _vm_of(thing: Entity) -> str | None:
    """The name of the VM that a thing is, as far as its own name tells it."""
    if thing.kind == "vmx":
        return thing.name.rpartition("/")[2].removesuffix(".vmx")
    return thing.name if thing.kind in {"vm", "vm-folder", "named"} else None


@dataclass(slots=True)
class Counts:
    """What was met in one log.

    `first` and `last` are of the events that were kept; `begins` and `ends` of all lines that were looked at and
    that are not of another computer. `is_claimed`: something in an event says that it is of the host asked for.
    """

    lines: int = 0
    events: int = 0
    outside: int = 0
    elsewhere: int = 0
    unread: int = 0
    dropped: int = 0
    first: datetime | None = None
    last: datetime | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    is_claimed: bool = False


@dataclass(slots=True)
class Keeper:
    """Takes events in, whatever the order of the logs, and gives them out in the order of time."""

    wanted: Wanted
    is_here: bool = False  # the log that is read is of the host asked for, by its file or folder
    _events: list[Event] = field(default_factory=list)
    _lines: dict[tuple[str, Entity], int] = field(default_factory=dict)

    def see(self, moment: datetime, host: str, counts: Counts) -> None:
        """Extends the time that a log is known to cover by that of a line of any kind."""
        if self.wanted.is_of(host):
            counts.begins = min(counts.begins or moment, moment)
            counts.ends = max(counts.ends or moment, moment)

    def covers(self, counts: Counts) -> bool:
        """Whether the log that was read can show that nothing happened in the captured time.

        It has lines on both sides of it or in it that are not of another computer, and where logs were given for
        several hosts something says that it is of this one.
        """
        wanted = self.wanted
        if counts.begins is None or counts.ends is None or (counts.elsewhere and not counts.events):
            return False
        if wanted.others and not self.is_here and not counts.is_claimed:
            return False
        return wanted.captured is None or (
            counts.begins <= wanted.captured[1] and counts.ends >= wanted.captured[0]
        )

    def take(self, event: Event, counts: Counts) -> None:
        """Keeps an event of the time and the host asked for; counts every one."""
        is_unclaimed = self.wanted.others and not self.is_here and not self.wanted.is_claimed(event)
        if is_unclaimed or not self.wanted.is_of(event.host):
            counts.elsewhere += 1
            return
        counts.is_claimed = counts.is_claimed or self.wanted.is_claimed(event)
        self.see(event.time, event.host, counts)
        if not self.wanted.is_in_time(event.time):
            counts.outside += 1
            return
        counts.events += 1
        if len(self._events) >= _MOST_EVENTS:
            counts.dropped += 1
            return
        counts.first = min(counts.first or event.time, event.time)
        counts.last = max(counts.last or event.time, event.time)
        mine = (event.kind, event.entity)
        self._lines[mine] = self._lines.get(mine, 0) + 1
        kept = event if self._lines[mine] <= _MOST_LINES else replace(event, line="", also=())
        self._events.append(kept)

    def events(self) -> tuple[Event, ...]:
        """What was kept, in order of time, each once."""
        made: list[Event] = []
        latest: dict[tuple[str, Entity], list[int]] = {}
        seen: set[tuple[datetime, str]] = set()
        for event in sorted(self._events, key=lambda each: each.time):
            words = (event.time, _words(event.line))
            if event.line and words in seen:
                continue  # vmkwarning.log repeats vmkernel.log, and rotations may be there twice
            seen.add(words)
            recent = latest.setdefault((event.kind, event.entity), [])
            same = next((n for n in reversed(recent[-4:]) if _is_same(made[n], event)), None)
            if same is None:
                recent.append(len(made))
                made.append(event)
            else:
                made[same] = _merged(made[same], event)
        return tuple(made)


def _words(line: str) -> str:
    """The line's own words: two files write different things before them."""
    return line[-200:]


def _is_same(first: Event, second: Event) -> bool:
    apart = second.time - first.time
    if _teller(first) != _teller(second):
        return apart <= _SAME
    collapse_s = event_kind(first.kind).collapse_s
    return collapse_s > 0 and apart <= timedelta(seconds=collapse_s)


def _teller(event: Event) -> tuple[str, bool]:
    """Who told it: of vobd's observations and the events that it makes of them each is one."""
    return event.source, event.source == "vobd" and "[esx." in event.line


def _merged(first: Event, second: Event) -> Event:
    """One fact from two lines: the earlier stamp, everything that is named, the larger figure."""
    also = tuple(dict.fromkeys((*first.also, *second.also)))
    larger = max((first, second), key=lambda each: each.figure if each.figure is not None else -1.0)
    return replace(first, also=also, figure=larger.figure, unit=larger.unit, duration_s=larger.duration_s)


def shown_line(text: str) -> str:
    """A line as it is kept: bounded, without control characters."""
    return text[: MOST_LINE + 1].translate(_CONTROL)[:MOST_LINE]
