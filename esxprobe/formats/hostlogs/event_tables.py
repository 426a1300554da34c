"""Tables of events: a CSV of your own (`time,host,entity,text`) and vCenter's, from its client or PowerCLI."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from esxprobe.catalog.events import event_kind
from esxprobe.errors import UsageError
from esxprobe.formats.hostlogs.event import Origin, event_of
from esxprobe.formats.hostlogs.keeper import Counts, Keeper
from esxprobe.formats.hostlogs.log_format import LogFormat
from esxprobe.formats.hostlogs.message import told_by, told_by_id
from esxprobe.formats.hostlogs.shape import ToldEvent
from esxprobe.formats.hostlogs.table_times import TimeColumn, in_order, in_utc, iso
from esxprobe.formats.source import Source
from esxprobe.model import Entity

# Names of columns, without blanks and in lower case.
_TIMES = ("createdtime", "datetime", "date/time", "date", "time", "timestamp")
_TEXTS = ("fullformattedmessage", "description", "message", "text", "eventmessage")
_TYPES = ("eventtypeid", "eventtype", "typeid", "action", "type")
_VMS, _HOSTS, _TARGETS = ("vm", "virtualmachine", "vmname"), ("host", "hostname", "vmhost"), ("target", "entity")
_BLOCK = 1 << 20
_MOST_CELLS, _MOST_ROW = 64, 256 << 10
_DELIMITERS = ",;\t"
# What `Export-Csv` writes where a cell would be an object.
_OBJECT = "VMware.Vim."


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each column of a table stands, None for one that it lacks."""

    delimiter: str
    time: int
    text: int
    type: int | None
    vm: int | None
    host: int | None
    target: int | None
    is_own: bool


def columns_of(head: bytes) -> Columns | None:
    """The columns of a table of events; None for another file."""
    lines = [line for line in head.decode("utf-8-sig", "replace").splitlines()[:5] if line.strip()]
    if lines and lines[0].startswith("#TYPE"):
        lines = lines[1:]
    if not lines or len(lines[0]) > _MOST_ROW:
        return None
    for delimiter in _DELIMITERS:
        cells = next(csv.reader([lines[0]], delimiter=delimiter), [])
        names = ["".join(cell.lower().split()) for cell in cells]
        time, text = _first(names, _TIMES), _first(names, _TEXTS)
        if len(names) >= 2 and time is not None and text is not None:
            own = names[text] == "text" and names[time] == "time"
            target = _first(names, _TARGETS)
            return Columns(
                delimiter, time, text, None if own else _first(names, _TYPES), _first(names, _VMS),
                _first(names, _HOSTS), target, own,
            )  # fmt: skip
    return None


def _first(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


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
    if columns is not None:
        for row in _rows(head.decode("utf-8-sig", "replace").splitlines(keepends=True)[:200], columns):
            stamps.look(_cell(row, columns.time))
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
    wanted = keeper.wanted
    for row in _rows(_texts(source), columns):
        counts.lines += 1
        stamp = iso(_cell(row, columns.time)) or (in_order(_cell(row, columns.time), order) if order else None)
        when = in_utc(stamp, wanted.zone) if stamp else None
        told = _told(row, columns)
        if when is None:
            counts.unread += told is not None
            continue
        when += timedelta(seconds=wanted.shift_s)
        host = _cell(row, columns.host)
        host = "" if host.startswith(_OBJECT) else host
        keeper.see(when, host, counts)
        if told is not None:
            teller = "csv" if columns.is_own else "vcenter"
            origin = Origin(when, host, columns.delimiter.join(row), path.name, teller)
            keeper.take(event_of(told, origin, _named(told, row, columns)), counts)


def _order(path: Path, columns: Columns, keeper: Keeper) -> str:
    """How the table writes dates; empty where all are ISO."""
    stamps = TimeColumn()
    again = Source(path, checksum=False)
    try:
        for row in _rows(_texts(again), columns):
            stamps.look(_cell(row, columns.time))
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
    text, kind = _cell(row, columns.text), _cell(row, columns.type)
    told = told_by_id(kind, text) if kind and not kind.startswith(_OBJECT + "Task") else told_by(text)
    if told is None and columns.is_own:
        return ToldEvent("note", ())
    return told


def _named(told: ToldEvent, row: Sequence[str], columns: Columns) -> tuple[Entity, ...]:
    """What columns of a row name; the target of an event about a VM is one."""
    target = "vm" if event_kind(told.kind).entity == "vm" else "named"
    cells = (("vm", _cell(row, columns.vm)), (target, _cell(row, columns.target)))
    return tuple(
        Entity(kind, name[:256], name[:256]) for kind, name in cells if name and not name.startswith(_OBJECT)
    )


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _texts(source: Source) -> Iterator[str]:
    """The lines of a file as text; those without an end are cut."""
    left = b""
    while block := source.read(_BLOCK):
        data = left + block
        *lines, left = data.split(b"\n")
        for line in lines:
            yield line[:_MOST_ROW].replace(b"\0", b"\xef\xbf\xbd").decode("utf-8", "replace") + "\n"
        left = left[:_MOST_ROW]
    if left:
        yield left.replace(b"\0", b"\xef\xbf\xbd").decode("utf-8", "replace")


def _rows(lines: Iterator[str] | list[str], columns: Columns) -> Iterator[list[str]]:
    """The rows behind the header; one that no CSV can be is left out."""
    rows = csv.reader(_without_type(lines), delimiter=columns.delimiter)
    is_header = True
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            continue
        if row is None:
            return
        if is_header:
            is_header = False
        elif row:
            yield row[:_MOST_CELLS]


def _without_type(lines: Iterator[str] | list[str]) -> Iterator[str]:
    for line in lines:
        if line.strip() and not line.startswith("#TYPE"):
            yield line.removeprefix("\ufeff")


FORMATS = (
    LogFormat("csv", "A CSV of your own: time,host,entity,text", _is_own, read_table, lacks_zone),
    LogFormat(
        "vcenter-csv", "Events exported by the vSphere Client or PowerCLI", _is_vcenter, read_table, lacks_zone
    ),
)
