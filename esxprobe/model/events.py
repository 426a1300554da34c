"""What logs say happened: events with a time, of things that a capture may show too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from esxprobe.model.nouns import Entity, Severity, SourceFile


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event, whichever log tells it.

    Attributes:
        key: kebab-case name.
        severity: How bad one of them is by itself.
        entity: Kind of the thing that it is mainly about; host where it is about all of it.
        noun: What one is called in a sentence.
        plural: What several are called.
        supports: Causes (keys of `rules.causes`) whose findings such an event bears out, when it is of the same
            thing at the same time; empty for events that end something, and for what bears out nothing.
        collapse_s: Several lines of one log within this time are one event [s].
    """

    key: str
    severity: Severity
    entity: str
    noun: str
    plural: str
    supports: tuple[str, ...] = ()
    collapse_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a log tells it.

    Attributes:
        time: When, aware UTC, by the clock of the computer that wrote the log.
        host: Computer that the line names as its source, empty where it names none.
        kind: Key of an `EventKind`.
        severity: Of the kind.
        entity: What it is mainly about: with the name in the line, or the one in the capture once that is known.
        also: Other things that the line names.
        figure: The number in it, None where it has none.
        unit: Unit of the figure.
        duration_s: How long it had lasted at `time`; 0 for a moment [s].
        line: The line itself, continuation lines joined, at most `MOST_LINE` characters.
        file: Name of the file that it stands in.
        source: What wrote it: `vobd`, `vmkernel`, `hostd`, `vmware.log`, `vcenter`, `csv`, ...
    """

    time: datetime
    host: str
    kind: str
    severity: Severity
    entity: Entity
    also: tuple[Entity, ...] = ()
    figure: float | None = None
    unit: str = ""
    duration_s: float = 0.0
    line: str = ""
    file: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log that was read for events.

    Attributes:
        file: Name, checksum (empty: it was not worked out) and size.
        format: Its format (see docs/events.md).
        lines: Lines or records in it.
        events: Events that were taken from it, repeats of other logs included.
        outside: Lines of known kinds that lie outside the time asked for.
        elsewhere: Events of other hosts.
        unread: Lines of known kinds whose time or form could not be read.
        dropped: Events beyond the number that is kept.
        first: First and
        last: last time of what was kept, None without any.
    """

    file: SourceFile
    format: str
    lines: int
    events: int
    outside: int = 0
    elsewhere: int = 0
    unread: int = 0
    dropped: int = 0
    first: datetime | None = None
    last: datetime | None = None
