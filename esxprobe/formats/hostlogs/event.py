"""An event put together of what a line tells and where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from esxprobe.catalog.events import event_kind
from esxprobe.formats.hostlogs.keeper import shown_line
from esxprobe.formats.hostlogs.shape import ToldEvent
from esxprobe.model import Entity, Event


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an event comes from: its time [UTC], computer, line or record, file, and what wrote it."""

    time: datetime
    host: str
    line: str
    file: str
    source: str


def event_of(told: ToldEvent, origin: Origin, named: Sequence[Entity] = ()) -> Event:
    """An event.

    Args:
        told: What the line tells.
        origin: Where it stands.
        named: Things that something beside the line names: they come first where the kind is about such.
    """
    kind = event_kind(told.kind)
    things = (*named, *told.things) if kind.entity == "vm" or not told.things else (*told.things, *named)
    if kind.entity == "host" and told.kind != "note":
        things = (Entity("host", origin.host, ""), *things)
    main = things[0] if things else Entity("host", origin.host, "")
    return Event(
        time=origin.time,
        host=origin.host,
        kind=kind.key,
        severity=kind.severity,
        entity=main,
        also=tuple(each for each in dict.fromkeys(things) if each != main),
        figure=told.figure,
        unit=told.unit,
        duration_s=told.duration_s,
        line=shown_line(origin.line),
        file=origin.file,
        source=origin.source,
    )
