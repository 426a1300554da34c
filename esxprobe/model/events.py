"""Events of logs beside findings, and the logs that told them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from esxprobe.model.nouns import Entity, SourceFile
from esxprobe.model.roles import ToolText


@dataclass(frozen=True, slots=True)
class NamedEvents:
    """Events of one kind on one thing that belong to a finding by entity and time.

    Attributes:
        kind: Key of their kind.
        entity: What they are about.
        count: How many.
        first: Time of the first one.
        last: Time of the last one.
        figure: The largest figure in them, None without one.
        unit: Unit of the figure.
        bears_out: Whether such events bear out a finding of this cause (`EventKind.supports`).
    """

    kind: ToolText
    entity: Entity
    count: int
    first: datetime
    last: datetime
    figure: float | None = None
    unit: ToolText = ""
    bears_out: bool = False


@dataclass(frozen=True, slots=True)
class EventsOfBoth:
    """Events of one kind in a capture and in its baseline; None where no log was read for one of the two.

    Attributes:
        kind: Key of their kind.
        now: How many in the capture's time.
        before: How many in the baseline's.
    """

    kind: ToolText
    now: int | None
    before: int | None


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
        first: Time of the first event that was kept, None without any.
        last: Time of the last one, likewise.
    """

    file: SourceFile
    format: ToolText
    lines: int
    events: int
    outside: int = 0
    elsewhere: int = 0
    unread: int = 0
    dropped: int = 0
    first: datetime | None = None
    last: datetime | None = None
