r"""Windows' own logs: perfmon, logman, typeperf and relog as PDH-CSV or PDH-TSV (names and units: `locales`).

    "(PDH-CSV 4.0) (W. Europe Standard Time)(-60)","\\WIN01\Memory\Page Faults/sec","\\WIN01\Memory\Page Reads/sec"
    "11/14/2025 13:46:00.750"," "," "
    "11/14/2025 13:46:05.736","31148.501686262396106","6.94e-005"

Rates are of the interval that ends at the stamp; the first row has none and prints blanks (or -1). Such a log may
hold thousands of columns: a row is cut at its separators by C code, and only wanted cells are looked at.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.guests import known_words
from esxprobe.formats.guests.codepages import CODE_PAGES, legibility
from esxprobe.formats.guests.counter_table import CounterTable, GuestReading, choose_guest
from esxprobe.formats.guests.format import GuestFormat, Pseudonyms
from esxprobe.formats.guests.lines import shown
from esxprobe.formats.guests.locales import our_counter
from esxprobe.formats.guests.without_names import DROPPED
from esxprobe.formats.guests.zones import utc_of, zone_cell
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.paths import split_path
from esxprobe.formats.timestamps import parse_times
from esxprobe.model.guestlog import GUEST_COUNTERS

if TYPE_CHECKING:
    import polars as pl

_HEADER = re.compile(rb'^[\s"]*\(PDH-[CT]SV')
_ROW = re.compile(r'^\s*"?\s*\d')
# A comment in the header's last cell may hold line breaks; it is never longer than this [lines].
_HEADER_LINES = 50
_PDH_STAMP = re.compile(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d\.\d{3}$")


@dataclass(frozen=True, slots=True)
class PerfmonHeader:
    """A header: first cell, paths, and what stands between cells."""

    first: str
    paths: list[str]
    separator: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class _Column:
    place: int
    host: str
    counter: str
    rank: int
    language: str


def recognizes(head: bytes) -> bool:
    """Whether a PDH header is in a file's head: perfmon's, or esxtop's, which `reading` tells apart."""
    return any(_HEADER.match(line) for line in head.split(b"\n"))


def read_perfmon(text: bytes, *, timezone: str | None, guest: str | None, issues: QualityIssues) -> GuestReading:
    """A whole log.

    Raises:
        UnreadableInputError: No counter in it is known.
        UsageError: Its zone is lost and none was given; it holds several computers and none was named.
    """
    import polars as pl

    headers, bodies = parts(text, issues)
    parsed = [parse_header(header, issues) for header in headers]
    tables = [_columns(header) for header in parsed]
    hosts = list(dict.fromkeys(column.host for table in tables for column in table))
    if not hosts:
        raise _nothing_known(parsed)
    host = _one_host(hosts, guest)
    stamps: list[str] = []
    cells: dict[str, list[str | None]] = {}
    languages: set[str] = set()
    for header, table, body in zip(parsed, tables, bodies, strict=True):
        mine = _of_host(table, host, issues)
        languages.update(column.language for column in mine)
        _collect(_rows(header, mine, body, issues), mine, stamps, cells)
    languages.discard("English")
    issues.add("guest-localized", len(languages), ", ".join(sorted(languages)))
    times = _times(stamps, issues)
    zone, bias = zone_cell(parsed[0].first)
    utc, words = utc_of(times, zone, bias, timezone, issues)
    values = _numbers(cells, issues)
    ordered = {name: values[name] for name in GUEST_COUNTERS if name in cells}
    order = utc.arg_sort() if len(bodies) > 1 and _out_of_order(utc, bodies) else None
    if order is not None:
        utc, ordered = utc.gather(order), {name: series.gather(order) for name, series in ordered.items()}
    return GuestReading(host, "perfmon", words, [CounterTable(utc.cast(pl.Datetime("us", "UTC")), ordered)])


def _out_of_order(utc: pl.Series, bodies: list[list[str]]) -> bool:
    """Whether an appended log is older than the one before it."""
    known = utc.drop_nulls()
    return len(bodies) > 1 and len(known) > 0 and known[-1] < known[0]


def _one_host(hosts: list[str], guest: str | None) -> str:
    found = {host.casefold(): host for host in reversed(hosts)}
    return choose_guest([found[name] for name in dict.fromkeys(host.casefold() for host in hosts)], guest)


def parts(text: bytes, issues: QualityIssues) -> tuple[list[bytes], list[list[str]]]:
    """Header lines, and the lines below each."""
    headers: list[bytes] = []
    bodies: list[list[str]] = []
    lines = text.split(b"\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line[:8].lstrip(b' "\t').startswith(b"(PDH") and _HEADER.match(line):
            line, number = _whole_header(line, lines, number)
            headers.append(line)
            bodies.append([])
        elif not line.strip():
            continue
        elif not headers:
            issues.add("guest-text-line", 1, shown(line.decode(errors="replace")))
        else:
            # Below the header only digits matter: Latin-1 never fails and never changes the number of cells.
            bodies[-1].append(line.decode("latin-1"))
    if len(set(headers)) < len(headers):
        issues.add("repeated-header", len(headers) - len(set(headers)))
    issues.add("appended-capture", len(set(headers)) - 1)
    return headers, bodies


def _whole_header(line: bytes, lines: list[bytes], number: int) -> tuple[bytes, int]:
    """A header with the rest of a last cell that holds line breaks."""
    last = min(len(lines), number + _HEADER_LINES)
    while line.count(b'"') % 2 and number < last and not re.match(rb'"?\d\d?[/.]\d', lines[number]):
        line += b" " + lines[number]
        number += 1
    return line, number


def parse_header(line: bytes, issues: QualityIssues) -> PerfmonHeader:
    """The header in the code page in which most of its counters are known, or else most look like words."""
    try:
        header = _split_header(line.decode("ascii"))
    except UnicodeDecodeError:
        best: tuple[tuple[int, float], PerfmonHeader] | None = None
        for page in CODE_PAGES:
            try:
                text = line.decode(page)
            except UnicodeDecodeError:
                continue
            header = _split_header(text)
            fits = (len(_columns(header)), legibility(text))
            if best is None or fits > best[0]:
                best, chosen = (fits, header), page
        if best is None:
            return _split_header(line.decode("cp1252", errors="replace"))
        if chosen != "utf-8":
            issues.add("guest-code-page", 1, chosen)
        header = best[1]
    return header


def _split_header(text: str) -> PerfmonHeader:
    text = text.strip().lstrip("\ufeff")
    quoted = text.startswith('"')
    if text.lstrip('"').startswith("(PDH-TSV"):
        separator = "\t"
    else:
        at = text.find('"', 1) + 1 if quoted else text.find("\\") - 1
        separator = text[at : at + 1] if text[at : at + 1] in {";", "\t"} else ","
    first, *paths = _cells(text, separator)
    return PerfmonHeader(first, paths, separator, quoted)


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [""])
    except csv.Error:
        return line.split(separator)


def _columns(header: PerfmonHeader) -> list[_Column]:
    """Wanted columns of a header."""
    found = []
    for place, path in enumerate(header.paths, start=1):
        local = path.startswith("\\") and not path.startswith("\\\\")
        host, thing, instance, counter = split_path(f"\\\\.{path}" if local else path)
        known = our_counter(thing, instance, counter) if thing else None
        if known is not None:
            ours, rank, language = known
            found.append(_Column(place, "" if local else host, ours, rank, language))
    return found


def _of_host(table: list[_Column], host: str, issues: QualityIssues) -> list[_Column]:
    """A computer's columns, one a counter."""
    best: dict[str, _Column] = {}
    for column in table:
        if column.host.casefold() != host.casefold():
            continue
        other = best.get(column.counter)
        if other is not None and other.rank == column.rank:
            issues.add("duplicate-column", 1, column.counter)
        if other is None or column.rank < other.rank:
            best[column.counter] = column
    return list(best.values())


def _collect(
    rows: list[tuple[str | None, ...]],
    columns: list[_Column],
    stamps: list[str],
    cells: dict[str, list[str | None]],
) -> None:
    """Adds the rows below one header to the columns of the whole log."""
    before = len(stamps)
    taken = list(zip(*rows, strict=True)) if rows else [()] * (len(columns) + 1)
    stamps.extend(stamp or "" for stamp in taken[0])
    for place, column in enumerate(columns, start=1):
        values = cells.setdefault(column.counter, [])
        values.extend([None] * (before - len(values)))
        values.extend(taken[place])
    for values in cells.values():
        values.extend([None] * (len(stamps) - len(values)))


def _rows(
    header: PerfmonHeader, columns: list[_Column], body: list[str], issues: QualityIssues
) -> list[tuple[str | None, ...]]:
    """Stamp and wanted cells of each row that can be trusted."""
    if not columns:
        return []
    pick: Callable[[Sequence[str | None]], tuple[str | None, ...]] = itemgetter(0, *(c.place for c in columns))
    width = len(header.paths) + 1
    between = f'"{header.separator}"'
    rows: list[tuple[str | None, ...]] = []
    for number, line in enumerate(body):
        plain = line[1:-1].split(between) if line[0] == line[-1] == '"' else []
        if len(plain) == width:
            rows.append(pick(plain))
        elif not _ROW.match(line):
            issues.add("guest-text-line", 1, shown(line))
        else:
            cells = _odd_row(header, line, issues, last=number == len(body) - 1)
            if cells is not None:
                rows.append(pick(cells))
    return rows


def _odd_row(header: PerfmonHeader, line: str, issues: QualityIssues, *, last: bool) -> Sequence[str | None] | None:
    """Cells of a row that is not just quoted cells; None where nothing in it can be placed."""
    cells: list[str | None] = list(_cells(line.strip(), header.separator))
    width = len(header.paths) + 1
    while len(cells) > width and not (cells[-1] or "").strip():
        cells.pop()
    nameless = bool(header.paths) and not header.paths[-1].startswith("\\")
    if len(cells) == width - 1 and nameless and (not header.quoted or line.rstrip().endswith('"')):
        return [*cells, None]
    if len(cells) == width and (line.rstrip().endswith('"') or not header.quoted):
        return cells
    if len(cells) <= width and last and len(cells) > 1:
        # Whatever was being written when the log ended: its last cell may lack digits.
        issues.add("row-cut", 1, f"at {cells[0]}")
        return [*cells[:-1], *[None] * (width - len(cells) + 1)]
    issues.add("row-lost", 1, f"{len(cells):,} cells instead of {width:,} in {shown(line)}")
    return None


def _times(stamps: list[str], issues: QualityIssues) -> pl.Series:
    """Wall-clock times of the stamps, and a note where day and month might be the other way round."""
    import polars as pl

    texts = pl.Series(stamps, dtype=pl.String).str.strip_chars(' "\t').str.replace(r",(\d+)$", ".$1")
    # Dots between the numbers of a date are day-first wherever they are written.
    texts = texts.str.replace(r"^(\d\d?)\.(\d\d?)\.(\d{4}) ", "$3-$2-$1 ")
    if texts.is_empty():
        return texts.cast(pl.Datetime("us"))
    times, _ = parse_times(texts, issues)
    if texts.str.contains(_PDH_STAMP.pattern).all():
        return times
    days = texts.str.extract_groups(r"^(?<a>\d\d?)/(?<b>\d\d?)/\d{4}").struct.unnest().drop_nulls()
    numbers = days.select(pl.all().cast(pl.Int32)).unique()
    if numbers.height and numbers.select(((pl.col("a") <= 12) & (pl.col("b") <= 12)).all()).item():
        differ = numbers.filter(pl.col("a") != pl.col("b"))
        # Over several days a wrong reading jumps by a month; within one day nothing tells.
        if differ.height == 1 and numbers.height == 1:
            issues.add("guest-date-ambiguous", 1, f"for example {texts[0]}")
    return times


def _numbers(cells: dict[str, list[str | None]], issues: QualityIssues) -> pl.DataFrame:
    """Cells as numbers: blanks are none, a comma is a decimal one, anything else is lost and counted."""
    import polars as pl

    texts = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String)).select(pl.all().str.strip_chars(' "\t'))
    numbers = texts.select(pl.all().str.replace(",", ".", literal=True).cast(pl.Float64, strict=False))
    blanks = texts.select((pl.all() == "").sum())
    for name in texts.columns:
        blank = int(blanks[name][0])
        issues.add("blank-cell", blank, name)
        if numbers[name].null_count() > blank + texts[name].null_count():
            bad = texts[name].filter(numbers[name].is_null() & (texts[name] != ""))
            issues.add("bad-cell", len(bad), f"{name} says {shown(bad[0])}")
    if "disk_await" in cells:  # seconds, and 0 without a transfer
        numbers = numbers.with_columns(pl.when(pl.col("disk_await") != 0).then(pl.col("disk_await") * 1000))
    return numbers


def _nothing_known(headers: list[PerfmonHeader]) -> UnreadableInputError:
    names = [path for header in headers for path in header.paths if "\\" in path]
    shown_names = "; ".join(path.lstrip("\\").partition("\\")[2] or path for path in names[:8])
    more = f" and {len(names) - 8:,} more" if len(names) > 8 else ""
    return UnreadableInputError(
        f"none of the counters in the log is known: {shown_names or 'its header names none'}{more}",
        hint=r"log \Memory\Page Faults/sec and the others that docs/guests.md lists, in one of its languages",
    )


_PDH_TIME = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4} \d{1,2}:\d{2}:\d{2}(?:\.\d+)?(?: [AP]M)?")
_PDH_VALUE = re.compile(r"[-+]?\d*[.,]?\d*(?:[eE][-+]?\d+)?|-1\.#IND|1\.#INF|NaN", re.ASCII)
_FAREWELL = re.compile(r"The command completed successfully\.|Exiting, please wait\.\.\.")


def _redacted(content: bytes, names: Pseudonyms) -> tuple[str, int] | None:
    """Computers' names are in the headers; rows hold a time and numbers."""
    wide = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    text = (content.decode("utf-16", "replace").encode() if wide else content).replace(b"\r\n", b"\n")
    lines, blanked = [], 0
    for line, rows in zip(*parts(text, QualityIssues()), strict=True):
        header = parse_header(line, QualityIssues())
        quote = '"' if header.quoted else ""
        kind = "TSV" if header.separator == "\t" else "CSV"
        zone = header.first.partition(")")[2].strip()
        first = f"(PDH-{kind} 4.0)" + (f" {names.zone(zone)}" if zone else "")
        titles = [first, *(_redacted_path(path, names) for path in header.paths)]
        lines.append(header.separator.join(f"{quote}{name}{quote}" for name in titles))
        for row in rows:
            shown, odd = _redacted_row(row.rstrip("\r"), header.separator)
            lines.append(shown)
            blanked += odd
    return "\r\n".join(lines) + "\r\n", blanked


def _redacted_path(path: str, names: Pseudonyms) -> str:
    r"""`\\computer\Object(instance)\Counter`: counters are Windows', or localized; instances may be anything."""
    computer, thing, instance, counter = split_path(path)
    if not thing:
        return "" if not path.strip() else names.of("counter", path)
    shown = instance if re.fullmatch(r"_Total|\d+(?:,(?:\d+|_Total))?|", instance) else None
    inside = f"({names.of('instance', instance) if shown is None else shown})" if instance else ""
    guest = names.of("guest", computer.casefold())
    thing = thing if known_words.is_object(thing) else names.of("object", thing)
    counter = counter if known_words.is_counter(counter) else names.of("counter", counter)
    return f"\\\\{guest}\\{thing}{inside}\\{counter}"


def _redacted_row(line: str, separator: str) -> tuple[str, int]:
    """A row as it is; of one with words in it the words are blanked, and a line that is not a row goes."""
    if not line.strip() or _FAREWELL.fullmatch(line.strip()):
        return line, 0
    first, *cells = line.split(separator)
    if not cells or not _PDH_TIME.fullmatch(first.strip('" ')):
        return DROPPED, 1
    odd = [cell for cell in cells if not _PDH_VALUE.fullmatch(cell.strip('" '))]
    shown = [cell if cell not in odd else re.sub(r'[^"]', " ", cell) for cell in cells]
    return separator.join((first, *shown)), len(odd)


FORMATS = (GuestFormat("perfmon", "perfmon, logman, typeperf and relog", recognizes, read_perfmon, _redacted),)
