"""Tables of events: a CSV of your own (`time,host,entity,text`) and vCenter's, from its client or PowerCLI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from esxprobe.catalog.events import event_kind
from esxprobe.errors import UsageError
from esxprobe.formats.hostlogs.event import Origin, event_of
from esxprobe.formats.hostlogs.export_columns import Columns, cell_of, columns_of, rows_of
from esxprobe.formats.hostlogs.keeper import Counts, Keeper
from esxprobe.formats.hostlogs.log_format import LogFormat
from esxprobe.formats.hostlogs.message import told_by, told_by_id
from esxprobe.formats.hostlogs.shape import ToldEvent
from esxprobe.formats.hostlogs.table_times import TimeColumn
from esxprobe.formats.hostlogs.time_words import certain_time, time_in_order
from esxprobe.formats.source import Source
from esxprobe.model import Entity

_BLOCK = 1 << 20
_MOST_ROW = 256 << 10
# What `Export-Csv` writes where a cell would be an object.
_OBJECT = "VMware.Vim."


def _is_own(head: bytes) -> bool:
    columns = columns_of(head)
    return columns is not None and columns.is_own


def _is_vcenter(head: bytes) -> bool:
    columns = columns_of(head)
    return columns is not None and not columns.is_own


def lacks_zone(head: bytes) -> bool:
    """Whether the times of a table's first rows name no zone."""
    columns = columns_of(head)
    stamps = TimeColumn()
    if columns is not None and columns.zone is None:
        for row in rows_of(head.decode("utf-8-sig", "replace").splitlines(keepends=True)[:200], columns):
            stamps.look(columns.when(row))
    return stamps.lacking * 2 > stamps.seen


def read_table(source: Source, keeper: Keeper, counts: Counts, path: Path) -> None:
    """Takes the events out of a table: first the order of its dates is determined, then its rows are read.

    Raises:
        UsageError: Its dates can be day-first or month-first.
    """
    columns = columns_of(source.head)
    if columns is None:
        return
    order = _order(path, columns, keeper)
    for row in rows_of(_texts(source), columns):
        counts.lines += 1
        text = columns.when(row)
        stamp = certain_time(text) or (time_in_order(text, order) if order else None)
        when = keeper.wanted.on_host_clock(stamp, columns.zone)
        told = _told(row, columns)
        if when is None:
            counts.unread += told is not None
            continue
        host = cell_of(row, columns.host)
        host = "" if host.startswith(_OBJECT) else host
        keeper.see(when, host, counts)
        if told is not None:
            teller = "csv" if columns.is_own else "vcenter"
            origin = Origin(when, host, (columns.delimiter or " ").join(row), path.name, teller)
            keeper.take(event_of(told, origin, _named(told, row, columns)), counts)


def _order(path: Path, columns: Columns, keeper: Keeper) -> str:
    """How the table writes dates; empty where all are ISO."""
    stamps = TimeColumn()
    again = Source(path, checksum=False)
    try:
        for row in rows_of(_texts(again), columns):
            stamps.look(columns.when(row))
    finally:
        again.close()
    orders = stamps.orders(keeper.wanted.near)
    if len(orders) > 1:
        raise UsageError(
            f"{path}: its dates can be read day-first and month-first",
            hint="export it with ISO times (2026-11-28T20:00:00Z), or change them in a copy",
        )
    return orders[0] if orders else ""


def _told(row: Sequence[str], columns: Columns) -> ToldEvent | None:
    text, kind = cell_of(row, columns.text), cell_of(row, columns.type)
    if columns.is_tasks:
        text = f"Task: {text}"  # as the event that vCenter makes of a task says it
    told = told_by_id(kind, text) if kind and not kind.startswith(_OBJECT + "Task") else told_by(text)
    if told is None and columns.is_own:
        return ToldEvent("note", ())
    return told


def _named(told: ToldEvent, row: Sequence[str], columns: Columns) -> tuple[Entity, ...]:
    """What columns of a row name; the target of an event about a VM is one."""
    target = "vm" if event_kind(told.kind).entity == "vm" else "named"
    cells = (("vm", cell_of(row, columns.vm)), (target, cell_of(row, columns.target)))
    return tuple(
        Entity(kind, name[:256], name[:256]) for kind, name in cells if name and not name.startswith(_OBJECT)
    )


def _texts(source: Source) -> Iterator[str]:
    """The lines of a file as text; those without an end are cut."""
    left = b""
    while block := source.read(_BLOCK):
        data = left + block
        *lines, left = data.split(b"\n")
        for line in lines:
            yield _text(line) + "\n"
        left = left[:_MOST_ROW]
    if left:
        yield _text(left)


def _text(line: bytes) -> str:
    """A line as text: UTF-8, or what Windows writes where a line cannot be UTF-8."""
    plain = line[:_MOST_ROW].replace(b"\0", b"\xef\xbf\xbd")
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        return plain.decode("utf-8" if len(line) > _MOST_ROW else "cp1252", "replace")


FORMATS = (
    LogFormat("csv", "A CSV of your own: time,host,entity,text", _is_own, read_table, lacks_zone),
    LogFormat(
        "vcenter-csv", "Events exported by the vSphere Client or PowerCLI", _is_vcenter, read_table, lacks_zone
    ),
)
