"""`sadf -d` (lines with semicolons) and `sadf -j` (JSON) of sysstat; the names are sar's.

    # hostname;interval;timestamp;pgpgin/s;pgpgout/s;fault/s;majflt/s;pgfree/s
    web01;5;2026-03-26 21:30:01 UTC;0.28;1.81;197.87;0.00;93.78

The interval is printed in whole seconds and the stamp is too: where both agree within one, the step between stamps
is what a value covers, so that values tile time. Otherwise the printed interval is: rows are missing before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.guests import known_words
from esxprobe.formats.guests.counter_table import CounterTable, GuestReading, choose_guest
from esxprobe.formats.guests.format import GuestFormat, Pseudonyms
from esxprobe.formats.guests.lines import shown, without_torn_end
from esxprobe.formats.guests.sar import counter_tables_of
from esxprobe.formats.guests.sysstat_tables import Report, report_of
from esxprobe.formats.guests.without_names import DROPPED, by_line, known_cell, text_of
from esxprobe.formats.guests.zones import zone_of_stamps
from esxprobe.formats.issues import QualityIssues

_HEAD = ("hostname", "interval", "timestamp")
# Behind a restart old releases print an interval below zero as a huge number [s].
_LONGEST = 86_400 * 7
# JSON's names without `/s` and `%`, by table.
_TABLES = ("paging", "swap-pages", "process-and-context-switch", "cpu-load", "cpu-load-all", "disk")
_PER_SECOND = {"fault", "majflt", "pgsteal", "pswpin", "pswpout", "cswch"}
_SHARES = {"user", "usr", "nice", "system", "sys", "irq", "soft", "guest", "gnice", "steal"}
_KEYS = {"cpu": "CPU", "disk-device": "DEV"}

# What a stamp says of its zone: `UTC`, an abbreviation or an offset; empty where it says nothing.
Found = Iterator[tuple[str, Report, str]]


def recognizes_d(head: bytes) -> bool:
    """Whether a file starts as `sadf -d` does."""
    return re.search(rb"^# hostname;interval;timestamp;", head, re.MULTILINE) is not None


def recognizes_j(head: bytes) -> bool:
    """Whether a file starts as `sadf -j` does."""
    return head.lstrip()[:1] == b"{" and b'"sysstat"' in head[:4096]


def read_sadf_d(text: bytes, *, timezone: str | None, guest: str | None, issues: QualityIssues) -> GuestReading:
    """A whole `sadf -d` log (see `_reading` for errors)."""
    words = without_torn_end(text, issues).decode("utf-8", errors="replace")
    return _reading("sadf-d", _lines(words, issues), timezone, guest, issues)


def read_sadf_j(text: bytes, *, timezone: str | None, guest: str | None, issues: QualityIssues) -> GuestReading:
    """A whole `sadf -j` log (see `_reading` for errors).

    Raises:
        UnreadableInputError: Also: it is not JSON, not even in its first samples.
    """
    words = text.decode("utf-8", errors="replace")
    return _reading("sadf-j", _samples(_hosts(words, issues), issues), timezone, guest, issues)


def _reading(
    name: str, found: Found, timezone: str | None, guest: str | None, issues: QualityIssues
) -> GuestReading:
    """One counter_table for each table of the computer.

    Raises:
        UnreadableInputError: No table of system-wide faults, switches or processor time.
        UsageError: Several computers and none was named; the zone is none.
    """
    every = [(host, report, zone_text) for host, report, zone_text in found if report.wanted and report.times]
    host = choose_guest(list(dict.fromkeys(each[0] for each in every)), guest)
    by_zone: dict[str, list[Report]] = {}
    for owner, report, zone_text in every:
        if owner == host:
            by_zone.setdefault(zone_text, []).append(report)
    if not by_zone:
        raise UnreadableInputError(
            "the sadf log has no table of system-wide faults, context switches or processor time",
            hint="export with `sadf -d FILE -- -B -u -w -W`",
        )
    counter_tables, words = [], []
    for zone_text, reports in by_zone.items():
        first = min(time for report in reports for time in report.times)
        zone, word = zone_of_stamps(zone_text, first, timezone, issues)
        counter_tables += [_tiled(counter_table) for counter_table in counter_tables_of(reports, zone, issues)]
        words.append(word)
    return GuestReading(host, name, ", ".join(dict.fromkeys(words)), counter_tables)


def _tiled(counter_table: CounterTable) -> CounterTable:
    """With the step between stamps for the printed interval where both agree."""
    import polars as pl

    frame = pl.DataFrame({"time": counter_table.times, "start": counter_table.starts})
    before = pl.col("time").shift(1)
    agree = (before - pl.col("start")).abs() <= timedelta(seconds=1)
    starts = frame.select(pl.when(agree.fill_null(value=False)).then(before).otherwise("start")).to_series()
    return CounterTable(counter_table.times, counter_table.values, starts)


def _start(when: datetime, interval: float) -> datetime | None:
    return when - timedelta(seconds=interval) if 0 < interval <= _LONGEST else None


def _lines(text: str, issues: QualityIssues) -> Found:
    """Host, report and the zone of its stamps, from `sadf -d`."""
    reports: dict[tuple[str, tuple[str, ...], str], Report] = {}
    names: list[str] = []
    restarts: dict[str, list[datetime]] = {}
    for line in text.split("\n"):
        if line.startswith("#"):
            names = line.lstrip("# ").replace("[...]", "").rstrip(";").split(";")
            if tuple(names[:3]) != _HEAD:
                issues.add("guest-text-line", 1, shown(line))
                names = []
            continue
        if not line.strip():
            continue
        cells = line.split(";")
        stamp = _stamp(cells[2]) if len(cells) > 3 else None
        if stamp is None:
            issues.add("time-unreadable" if len(cells) > 3 else "guest-text-line", 1, shown(line))
            continue
        if cells[3].startswith("LINUX-RESTART"):
            restarts.setdefault(cells[0], []).append(stamp[0])
            continue
        if cells[3].startswith("COM ") and len(cells) == 4:
            continue  # a person's remark
        key = (cells[0], tuple(names[3:]), stamp[1])
        report = reports.get(key) or reports.setdefault(key, report_of(names[3:]))
        if names and not report.wanted:
            continue  # tables that are not read have no damage
        if len(cells) != len(names):
            issues.add("row-lost", 1, f"{len(cells)} cells instead of {len(names)} in {shown(line)}")
            continue
        interval = float(cells[1]) if re.fullmatch(r"\d{1,12}(\.\d+)?", cells[1]) else 0.0
        report.add(stamp[0], _start(stamp[0], interval), cells[3:])
    for host, times in restarts.items():
        _restarted([report for (owner, _, _), report in reports.items() if owner == host], times, issues)
    for (host, _, zone_text), report in reports.items():
        yield host, report, zone_text


def _restarted(reports: list[Report], times: list[datetime], issues: QualityIssues) -> None:
    """Cuts every table where any of them shows a restart of the guest."""
    once = sorted(set(times))
    issues.add("guest-restart", len(once), f"first at {once[0]:%Y-%m-%d %H:%M:%S}" if once else "")
    for report in reports:
        for when in once:
            report.restart(when, sum(time <= when for time in report.times))


def _stamp(cell: str) -> tuple[datetime, str] | None:
    """A stamp without its zone, and what it says of that: `2026-03-26 21:30:01 UTC`, `... CET`, or epoch."""
    text = cell.strip()
    if re.fullmatch(r"\d{9,11}", text):
        return datetime.fromtimestamp(int(text), UTC).replace(tzinfo=None), "UTC"
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)\s?([^\s;]{1,40})?", text)
    if not found:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}"), found[3] or ""
    except ValueError:
        return None


def _hosts(text: str, issues: QualityIssues) -> list[dict[str, Any]]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return [_salvaged(text, issues)]
    inner = document.get("sysstat") if isinstance(document, dict) else None
    hosts = inner.get("hosts") if isinstance(inner, dict) else None
    return [host for host in hosts if isinstance(host, dict)] if isinstance(hosts, list) else []


def _salvaged(text: str, issues: QualityIssues) -> dict[str, Any]:
    """The samples of a document that was cut off, as far as they are whole."""
    name = re.search(r'"nodename"\s*:\s*"([^"]*)"', text)
    begin = re.search(r'"statistics"\s*:\s*\[', text)
    samples = []
    decoder = json.JSONDecoder()
    at = begin.end() if begin else len(text)
    while opening := re.compile(r"\s*,?\s*(?=\{)").match(text, at):
        try:
            sample, at = decoder.raw_decode(text, opening.end())
        except (ValueError, RecursionError):
            break
        samples.append(sample)
    if not samples:
        raise UnreadableInputError(
            "the file starts like `sadf -j` output and is not valid JSON",
            hint="export it again: sadf -j FILE -- -B -u -w -W",
        )
    issues.add("row-cut", 1, f"the JSON ends or is damaged after {len(samples)} whole samples")
    return {"nodename": name[1] if name else "", "statistics": samples}


def _samples(hosts: list[dict[str, Any]], issues: QualityIssues) -> Found:
    """Host, report and the zone of its stamps, from `sadf -j`."""
    for host in hosts:
        reports: dict[tuple[str, tuple[str, ...], str], Report] = {}
        name = str(host.get("nodename") or "")
        samples = host.get("statistics")
        for sample in samples if isinstance(samples, list) else []:
            stamp = sample.get("timestamp") if isinstance(sample, dict) else None
            when = _json_stamp(stamp) if isinstance(stamp, dict) else None
            if when is None or not isinstance(stamp, dict):
                if stamp is not None or not isinstance(sample, dict):
                    issues.add("time-unreadable", 1, shown(str(stamp)))
                continue
            interval = stamp.get("interval")
            start = _start(when[0], float(interval)) if isinstance(interval, (int, float)) else None
            for table in _TABLES:
                for names, cells in _json_rows(table, sample.get(table)):
                    key = (table, tuple(names), when[1])
                    report = reports.get(key) or reports.setdefault(key, report_of(names))
                    report.add(when[0], start, cells)
        _json_restarts(host, reports, issues)
        for (_, _, zone_text), report in reports.items():
            yield name, report, zone_text


def _json_stamp(stamp: dict[str, Any]) -> tuple[datetime, str] | None:
    if isinstance(stamp.get("sec"), (int, str)) and "date" not in stamp:
        return _stamp(str(stamp["sec"]))
    zone_text = stamp.get("tz")
    zone = "UTC" if stamp.get("utc") == 1 else zone_text if isinstance(zone_text, str) else ""
    return _stamp(f"{stamp.get('date')} {stamp.get('time')} {zone}")


def _json_rows(table: str, value: Any) -> Iterator[tuple[list[str], list[str]]]:
    """Names as sar prints them, and cells, of each row of a table."""
    for row in value if isinstance(value, list) else [value]:
        if not isinstance(row, dict):
            continue
        names, cells = [], []
        for key, cell in row.items():
            plain = str(key).removesuffix("/s").lstrip("%")
            name = _KEYS.get(plain, f"{plain}/s" if plain in _PER_SECOND else str(key))
            names.append(f"%{plain}" if table.startswith("cpu") and plain in _SHARES else name)
            cells.append(str(cell))
        yield names, cells


def _json_restarts(host: dict[str, Any], reports: dict[Any, Report], issues: QualityIssues) -> None:
    """Rows without values where the document says that the guest came up again."""
    boots = host.get("restarts")
    found = [each.get("boot") for each in boots if isinstance(each, dict)] if isinstance(boots, list) else []
    stamps = [_json_stamp(boot) for boot in found if isinstance(boot, dict)]
    if times := [stamp[0] for stamp in stamps if stamp is not None]:
        _restarted([*reports.values()], times, issues)


_WHEN = re.compile(r"(?P<when>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d|\d{9,11})(?:(?P<gap> )(?P<zone>.+))?")

_RESTART = re.compile(r"LINUX-RESTART(?:\s*\(\d+ CPU\))?")


def _redacted_lines(content: bytes, names: Pseudonyms) -> tuple[str, int]:
    def title(text: str) -> str:
        bare = text.removesuffix("[...]")
        return text if bare.strip() in known_words.COLUMNS or not bare else names.of("counter", text)

    def change(line: str) -> str | None:
        if not line.strip():
            return line
        if line.startswith("#"):
            mark, _, rest = line.partition(" ")
            return " ".join((mark, ";".join(map(title, rest.split(";"))))) if mark == "#" and ";" in rest else None
        cells = line.split(";")
        if len(cells) < 4:
            return None
        host, interval, when = cells[:3]
        shown = [each if _RESTART.fullmatch(each) else known_cell(each, names) for each in cells[3:]]
        return ";".join((names.of("guest", host), known_cell(interval, names), _when(when, names), *shown))

    return by_line(text_of(content), change)


def _when(text: str, names: Pseudonyms) -> str:
    found = _WHEN.fullmatch(text.strip())
    if found is None:
        return known_cell(text, names)
    zone = found["zone"]
    return text if zone is None or names.is_zone(zone) else f"{found['when']} {DROPPED}"


def _redacted_json(content: bytes, names: Pseudonyms) -> tuple[str, int] | None:
    try:
        document = json.loads(text_of(content))
    except (ValueError, RecursionError):
        return None
    return json.dumps(_without_names(document, names), indent=1, ensure_ascii=False) + "\n", 0


def _without_names(value: Any, names: Pseudonyms, key: str = "") -> Any:
    if isinstance(value, dict):
        return {_json_key(str(name), names): _without_names(each, names, str(name)) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_names(each, names, key) for each in value]
    if not isinstance(value, str):
        return value
    if key == "nodename":
        return names.of("guest", value)
    known = {
        "sysname": value == "Linux",
        "release": known_words.is_kernel(value),
        "machine": value.strip("_") in known_words.MACHINES,
        "timezone": names.is_zone(value),
        "tz": names.is_zone(value),
    }
    plain = re.fullmatch(r"[\d:.,T/ +-]*Z?", value) or known_words.is_cell(value)
    if key in known:
        return value if known[key] else DROPPED
    return value if plain else names.of("instance", value)


def _json_key(key: str, names: Pseudonyms) -> str:
    return key if key.removesuffix("/s").lstrip("%") in known_words.JSON_KEYS else names.of("counter", key)


FORMATS = (
    GuestFormat("sadf-d", "`sadf -d` lines", recognizes_d, read_sadf_d, _redacted_lines),
    GuestFormat("sadf-j", "`sadf -j` JSON", recognizes_j, read_sadf_j, _redacted_json),
)
