"""Which columns a table of events has: by their names, or by their cells where those are in another language."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import islice

from esxprobe.formats.hostlogs.message import told_by
from esxprobe.formats.hostlogs.powershell_list import LIST_NAMES, is_list, list_rows
from esxprobe.formats.hostlogs.table_times import TimeColumn
from esxprobe.formats.hostlogs.time_words import zone_in

# Names of columns, without blanks, underscores and parentheses with what they enclose, in small letters.
_CLIENT_TIMES = ("createdtime", "datetime", "date/time", "dateandtime")
_TIMES = (*_CLIENT_TIMES, "timestamp", "eventtime", "created", "starttime", "date", "time", "when")
_CLIENT_TEXTS = ("fullformattedmessage", "formattedmessage", "eventmessage")
_TEXTS = (
    *_CLIENT_TEXTS, "description", "message", "text", "eventdescription", "event", "taskname", "details", "what",
    "note",
)  # fmt: skip
_TYPES = ("eventtypeid", "eventtype", "typeid", "action", "type")
_VMS, _HOSTS = ("vm", "virtualmachine", "vmname"), ("host", "hostname", "vmhost")
# In the languages of the vSphere Client: de, fr, es, it, pt, ja, zh, ko.
_TARGETS = (
    "target", "entity", "objectname", "ziel", "cible", "destino", "objetivo", "destinazione", "alvo", "ターゲット",
    "目标", "目標", "대상",
)  # fmt: skip
# Only an export of vCenter has such columns beside times and texts.
_OF_CLIENT = ("user", "username", "initiator", "task", "taskname", "eventtypeid", "chainid", "objectname")
_MOST_ROW, _MOST_CELLS = 256 << 10, 64
_DELIMITERS = ",;\t|"
# Lines before the header: a title, `sep=;` for Excel, comments.
_BEFORE = 10
_LOOKED_AT = 60
_ID = re.compile(r"(?:vim\.event\.\w+|(?:esx|com\.vmware|vob|hbr|vprob)\.[\w.-]+|[A-Z]\w+Event(?:Ex)?)")
_IN_PARENTHESES = re.compile(r"[(\[（].*?[)\]）]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each column of a table stands, None for one that it lacks.

    Attributes:
        delimiter: Between cells; empty for PowerShell's lists.
        header_at: Rows before the header.
        time: Times, or dates where `clock` has the time of day.
        clock: See there.
        zone: Zone that the heading of the times names.
        text: Words of the event.
        type: Its id.
        vm: VM that it is about.
        host: Host.
        target: What it is about.
        is_tasks: Whether the words are names of tasks.
        is_own: Whether it is a list of the user's own, in which every row is an event.
    """

    delimiter: str
    header_at: int
    time: int
    clock: int | None
    zone: tzinfo | None
    text: int
    type: int | None
    vm: int | None
    host: int | None
    target: int | None
    is_tasks: bool
    is_own: bool

    def when(self, row: Sequence[str]) -> str:
        """The time of a row as it is written."""
        time = cell_of(row, self.time)
        return f"{time} {cell_of(row, self.clock)}" if self.clock is not None and time else time


def cell_of(row: Sequence[str], place: int | None) -> str:
    """A cell, empty where there is none."""
    return row[place].strip() if place is not None and place < len(row) else ""


def columns_of(head: bytes) -> Columns | None:
    """The columns of a table of events; None for another file."""
    lines = head.decode("utf-8-sig", "replace").splitlines(keepends=True)
    if is_list(lines):
        return _named([_plain(name) for name in LIST_NAMES], LIST_NAMES, "", 0)
    plain = [line for line in _without_type(lines[:_LOOKED_AT]) if len(line) <= _MOST_ROW]
    for delimiter in _DELIMITERS:
        for at, line in enumerate(plain[:_BEFORE]):
            cells = _row_of(line, delimiter)
            found = _named([_plain(cell) for cell in cells], cells, delimiter, at) if len(cells) > 1 else None
            if found is not None:
                return found
    return next((found for each in _DELIMITERS if (found := _by_content(lines, each)) is not None), None)


def rows_of(lines: Iterable[str], columns: Columns) -> Iterator[list[str]]:
    """The rows behind the header; one that no CSV can be is left out."""
    if not columns.delimiter:
        yield from list_rows(lines)
        return
    for number, row in enumerate(_all_rows(_without_type(lines), columns.delimiter)):
        if number > columns.header_at and row:
            yield row[:_MOST_CELLS]


def _all_rows(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            continue
        if row is None:
            return
        yield row


def _without_type(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if line.strip() and not line.startswith("#TYPE"):
            yield line.removeprefix("\ufeff")


def _row_of(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", "", _IN_PARENTHESES.sub("", name).lower())


def _named(names: Sequence[str], cells: Sequence[str], delimiter: str, at: int) -> Columns | None:
    """The columns of a header that names times and texts."""
    time, text = _first(names, _TIMES), _first(names, _TEXTS)
    if time is None or text is None:
        return None
    is_split = names[time] == "date" and "time" in names
    is_of_client = (
        names[time] in _CLIENT_TIMES or names[text] in _CLIENT_TEXTS or any(name in _OF_CLIENT for name in names)
    )
    return Columns(
        delimiter,
        at,
        time,
        names.index("time") if is_split else None,
        zone_in(cells[names.index("time") if is_split else time]),
        text,
        _first(names, _TYPES) if is_of_client else None,
        _first(names, _VMS),
        _first(names, _HOSTS),
        _first(names, _TARGETS),
        names[text] == "taskname",
        not is_of_client,
    )


def _first(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _by_content(lines: Sequence[str], delimiter: str) -> Columns | None:
    """The columns of an export whose headings are in another language.

    The times are the only column of times, the words the longest column, and either a column has ids of events
    or some words are those of an event that is known; otherwise it is another table.
    """
    header, *rows = list(islice(_all_rows(_without_type(lines), delimiter), _LOOKED_AT + 1)) or [[]]
    rows = [row for row in rows if len(row) == len(header)]
    if not 3 <= len(header) <= _MOST_CELLS or not rows:
        return None
    columns = list(zip(*rows, strict=True))
    times = [place for place, cells in enumerate(columns) if _are_times(cells)]
    if len(times) != 1 or _are_times([header[times[0]]]):
        return None
    text = max(range(len(header)), key=lambda place: sum(map(len, columns[place])))
    ids = [n for n, cells in enumerate(columns) if any(cells) and all(_ID.fullmatch(c) for c in cells if c)]
    if text == times[0] or not (ids or any(told_by(cell) for cell in columns[text])):
        return None
    names = [_plain(name) for name in header]
    found = Columns(
        delimiter, 0, times[0], None, zone_in(header[times[0]]), text, ids[0] if ids else None,
        _first(names, _VMS), _first(names, _HOSTS), _first(names, _TARGETS), is_tasks=False, is_own=False,
    )  # fmt: skip
    return replace(found, target=None) if found.target in {text, times[0]} else found


def _are_times(cells: Sequence[str]) -> bool:
    stamps = TimeColumn()
    for cell in cells:
        stamps.look(cell)
    return stamps.known * 2 > stamps.seen
