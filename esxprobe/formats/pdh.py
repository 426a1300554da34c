r"""The grammar that esxtop and perfmon share: a PDH-CSV header of counter paths.

What a path is made of is in `paths`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter as Counts
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from esxprobe.catalog.quality import note
from esxprobe.errors import UnreadableInputError
from esxprobe.formats.paths import any_columns, plain_columns
from esxprobe.formats.sniff import ESXTOP_OBJECTS
from esxprobe.model import QualityNote

if TYPE_CHECKING:
    import polars as pl

MARK = "(PDH-CSV"

# A spreadsheet's last column: XLSX/XLS since 2007, and XLS before.
COLUMN_LIMITS = (16_384, 256)

_PROBES = 9

# What stands between two names, and what other programs separate cells with.
_BETWEEN, _PATH = '","\\\\', "\\\\"
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}

_HOST = re.compile(r"\\\\([^\\]+)\\")
_ROW = re.compile(rb'"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d",')
# How the first paths of a header start: with two backslashes as they should, or with one, none, four.
_TWO = re.compile(rb'[,;\t"]\\\\[^\\]')
_FOUR = re.compile(rb'[,;\t"]\\{4}[^\\]')
_ONE = re.compile(rb'(?<=[,;\t"])\\(?=[^\\",;\t]+\\)')
_NONE = re.compile(
    rb'(?<=[,;\t"])(?=[^\\",;\t()]+\\(?:'
    + "|".join(map(re.escape, (*ESXTOP_OBJECTS, "Memory"))).encode()
    + rb")[\\(])"
)
_BACKSLASHES = re.compile(rb"\\+")
_NAME_ENDS = re.compile(rb'[^",]*[A-Za-z)?][^",]*"[ ,-]*')
_ROW_BEGINS = re.compile(rb'"?\d{1,4}[/.:-]')


@dataclass(frozen=True, slots=True)
class Header:
    """A header line, cell by cell.

    Attributes:
        zone: Text of the first cell after `(PDH-CSV 4.0)`.
        host: Host in the paths.
        columns: One row a value column: cell (UInt32; the comma-separated cell that holds it, 0 is the
            time), part (UInt8; 0 the whole cell, 1 its unquoted first half, 2 its quoted second half, in
            a glued cell), path (empty where the column carries no name); where all paths are plain also
            host, middle, counter.
        width: Number of comma-separated cells, the time included, a phantom last one not.
        quoted: Cells are in quotes, as esxtop writes them.
        separator: `,` or, after some spreadsheets, `;` or a tab.
        notes: What was met.
    """

    zone: str
    host: str
    columns: pl.DataFrame
    width: int
    quoted: bool
    separator: str = ","
    notes: list[QualityNote] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Paths of the value columns."""
        return self.columns["path"].to_list()

    @property
    def cells(self) -> list[int]:
        """Cell of each value column."""
        return self.columns["cell"].to_list()


def parse_header(line: bytes) -> Header:
    """A header line without its line end as a Header.

    Raises:
        UnreadableInputError: The line names no column.
    """
    notes: list[QualityNote] = []
    plain = plain_columns(line)
    if plain is not None:
        width = plain.height + 1
        _count_oddities(plain["path"], width, True, notes)
        zone = _zone(line[: line.find(b'","')].decode())
        return Header(zone, plain["host"][0], plain, width, quoted=True, notes=notes)
    line = _backslashes_restored(line, notes)
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        text = line.decode("cp1252", errors="replace")
        notes.append(note("not-utf8", 1, f"first at byte {error.start:,} of the header"))
    # A spreadsheet quotes the few names that hold a separator.
    quoted = text.startswith('"') or 2 * text.count(_BETWEEN) > text.count(_PATH)
    separator = _separator(text)
    between = f'"{separator}"{_PATH}'
    if quoted and separator != "," and _BETWEEN not in text and between in text:
        cells = _quoted_cells(text.replace(between, _BETWEEN), notes)
        kind = OTHER_SEPARATORS[separator]
        notes.append(note("resaved", 1, f"the header has {kind}, as written by PowerShell and spreadsheets"))
    elif quoted:
        separator = ","
        cells = _quoted_cells(text, notes)
    else:
        cells = _resaved_cells(text, separator, notes)
    names, at, parts, width = _columns(cells, notes)
    if not names:
        raise _no_counter(text)
    host = next((m[1] for name in names if (m := _HOST.match(name))), "")
    columns = any_columns(_undoubled(names), at, parts)
    _count_oddities(columns["path"], width, quoted, notes)
    return Header(_zone(cells[0]), host, columns, width, quoted, separator, notes)


def _separator(text: str) -> str:
    """What is between the first cell and the first path."""
    before = text[: max(0, text.find(_PATH))].rstrip('"')[-1:]
    return before if before in OTHER_SEPARATORS else ","


def _backslashes_restored(line: bytes, notes: list[QualityNote]) -> bytes:
    r"""A header whose paths start with `\\host\` again: shells and escapes halve, double and strip backslashes."""
    if _TWO.search(line):
        return line
    runs = _BACKSLASHES.findall(line)
    if _FOUR.search(line) and not any(len(run) % 2 for run in runs):
        notes.append(note("damaged-header", 1, "its backslashes were doubled; this was undone"))
        return line.replace(b"\\\\", b"\\")
    for pattern, what in ((_ONE, "start with one backslash"), (_NONE, "start without a backslash")):
        line, count = pattern.subn(b"\\\\\\\\", line)
        if count:
            notes.append(note("damaged-header", 1, f"{count:,} of its paths {what}: both were restored"))
            return line
    return line


def _no_counter(text: str) -> UnreadableInputError:
    cells = re.split("[,;\t]", text)
    if len(cells) < 2:
        return UnreadableInputError(
            "the header names no counter", hint="the capture was cut off at its start; capture again"
        )
    return UnreadableInputError(
        f"none of the header's {len(cells):,} cells is the path of a counter; the second one is {cells[1][:60]!r}",
        hint=r"paths look like \\host\Memory\Free MBytes: send the file as esxtop wrote it",
    )


def continues_header(line: bytes) -> bool:
    """Whether a line behind a header is the rest of it."""
    if _ROW_BEGINS.match(line) or line.startswith((b'"' + MARK.encode(), MARK.encode())):
        return False
    closed = line.rstrip(b" ,-").endswith(b'"')
    return (closed and (b"\\" in line or _NAME_ENDS.fullmatch(line) is not None)) or b'","\\\\' in line


def join_header(line: bytes, more: bytes) -> bytes:
    """Both parts of a header that a line break cut.

    Inside a name the break stays: it may be in place of a letter, and then no name is right.
    """
    if line.endswith(b'",') or more.startswith(b',"'):
        return line + more
    return line + b"," + more if line.endswith(b'"') and more.startswith(b'"') else line + b"\n" + more


def row_in_header(line: bytes) -> int:
    """Where a data row starts in a header line that has lost its line break, otherwise -1."""
    last = max(0, line.rfind(b"\\\\"))
    found = _ROW.search(line, last)
    return found.start() if found else -1


def _zone(cell: str) -> str:
    return cell.strip('"').partition(")")[2].strip()


def _quoted_cells(text: str, notes: list[QualityNote]) -> list[str]:
    cells = text[1:].removesuffix('"').split('","')
    if not text.startswith('"'):
        notes.append(note("damaged-header", 1, "its first quote is missing"))
        return _hostile_cells('"' + text, notes)
    plain = text.count('"') == 2 * len(cells) and text.endswith('"')
    if plain and text.count(_BETWEEN) == len(cells) - 1:
        return cells
    return _hostile_cells(text, notes)


def _hostile_cells(text: str, notes: list[QualityNote]) -> list[str]:
    r"""Cells of a header with glued, nameless or damaged cells, or with quotes inside names.

    The one thing that no name holds is the prefix `\\<host>\` that starts each of them, so the line
    is cut there and what is before each prefix is looked at.
    """
    prefix = _prefix(text)
    if not prefix:
        return [text]
    # A path whose host is damaged still follows a whole separator.
    first, *rest = re.split(rf'({re.escape(prefix)}|(?<=",")\\\\)', text)
    starts, tokens = rest[::2], rest[1::2]
    cells = [first.rstrip(',"')]
    damaged = int(not first.endswith('","'))
    glue = ""
    last = len(tokens) - 1
    for number, token in enumerate(tokens):
        if token.endswith('","') and number < last:
            name, fillers, opened = token[:-3], [""], True
        else:
            name, fillers, opened, bad = _cut_token(token, last=number == last)
            damaged += bad
        cells.append(glue + starts[number] + name)
        glue = ""
        if number < last:
            cells.extend(fillers[:-1])
            if fillers[-1].strip() and opened:
                glue = fillers[-1] + '"'  # esxtop dropped the comma behind an unquoted cell
        else:
            cells.extend(fillers)
    if damaged:
        notes.append(note("damaged-header", damaged, f"{damaged} separators between names were restored"))
    return cells


def _prefix(text: str) -> str:
    """What every path starts with: of some paths, spread over the line, the most common one."""
    found = []
    for part in range(_PROBES):
        at = text.find('"\\\\', len(text) * part // _PROBES)
        match = _HOST.match(text, at + 1) if at >= 0 else None
        if match:
            found.append(match[0])
    return Counts(found).most_common(1)[0][0] if found else ""


def _cut_token(token: str, *, last: bool) -> tuple[str, list[str], bool, int]:
    """A name and what follows it: name, cells after it, is the next name's quote there, damaged or 0."""
    opened = not last and token.endswith('"')
    body = token[:-1] if opened else token
    closing = body.rfind('"')
    if closing < 0:  # the closing quote is gone
        return body.removesuffix(","), [] if last else [""], opened, 1
    name, tail = body[:closing], body[closing + 1 :]
    if tail.startswith(","):
        return name, tail[1:].split(","), opened, int(not opened and not last)
    if last and not tail:
        return name, [], opened, 0
    return name, [] if last else [""], opened, 1  # the comma is gone


def _resaved_cells(text: str, separator: str, notes: list[QualityNote]) -> list[str]:
    rows = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        cells = next(rows, [])
    except csv.Error:
        cells = text.split(separator)
    if any(cell.strip() and not cell.startswith("\\\\") for cell in cells[1:]):
        cells = _unquoted_cells(text, separator)
    kind = OTHER_SEPARATORS.get(separator, "no quotes")
    notes.append(note("resaved", 1, f"the header has {kind}, as written by a spreadsheet"))
    return cells


def _unquoted_cells(text: str, separator: str) -> list[str]:
    """Cells of a header whose quotes were deleted: names hold separators, so only a path starts a cell."""
    cells = re.split(rf'{separator}(?="?\\\\)', text)
    last = cells[-1].rstrip(separator)
    return [*cells[:-1], last, *[""] * (len(cells[-1]) - len(last))]


def _columns(cells: list[str], notes: list[QualityNote]) -> tuple[list[str], list[int], list[int], int]:
    """Value columns of the cells: names, cell numbers, parts, and the number of cells."""
    while len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]
        if not any(n.code == "trailing-comma" for n in notes):
            notes.append(note("trailing-comma", 1, "in the header"))
    body = cells[1:]
    if [cell[:2] for cell in body].count("\\\\") == len(body):
        return body, list(range(1, len(cells))), [0] * len(body), len(cells)
    names: list[str] = []
    at: list[int] = []
    parts: list[int] = []
    glued = unnamed = 0
    for number, cell in enumerate(body, start=1):
        start = cell.find("\\\\")
        if start == 0:
            names.append(cell)
            at.append(number)
            parts.append(0)
        elif start > 0 and cell[:start].endswith('"'):
            glued, unnamed = glued + 1, unnamed + 1
            names.extend(("", cell[start:]))
            at.extend((number, number))
            parts.extend((1, 2))
        else:
            unnamed += 1
            names.append("")
            at.append(number)
            parts.append(0)
    if glued:
        notes.append(note("glued-cell", glued, f"{glued} header cells hold two columns; both were separated"))
    if unnamed:
        where = f"{unnamed} of {len(names):,} columns have no name in the header"
        notes.append(note("unnamed-column", unnamed, where))
    return names, at, parts, len(cells)


def _undoubled(names: list[str]) -> list[str]:
    """Names with CSV's doubled quotes made single, where every quote in the header is doubled."""
    holders = [number for number, name in enumerate(names) if '"' in name]
    if not holders:
        return names
    runs = [len(run) for number in holders for run in re.findall(r'"+', names[number])]
    if any(run % 2 for run in runs):
        return names  # esxtop's own way: quotes as they are
    names = list(names)
    for number in holders:
        names[number] = names[number].replace('""', '"')
    return names


def _count_oddities(paths: pl.Series, width: int, quoted: bool, notes: list[QualityNote]) -> None:
    if width in COLUMN_LIMITS and not (quoted and width == min(COLUMN_LIMITS)):
        notes.append(note("column-limit", 1, f"the header has exactly {width:,} cells"))
    named = paths.filter(paths != "")
    if named.n_unique() == len(named):
        return
    seen = Counts(named.to_list())
    twice = [name for name, times in seen.items() if times > 1]
    shown = ", ".join(name.rpartition("\\")[2] for name in twice[:5])
    extra = len(named) - len(seen)
    notes.append(note("duplicate-column", extra, f"{extra} columns repeat a name: {shown}"))
