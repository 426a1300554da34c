"""`sar` text of sysstat: columns by name, never by place.

| sar | ours | unit |
|---|---|---|
| `fault/s` (-B) | faults | faults/s |
| `majflt/s` (-B) | hard_faults | faults/s |
| `pgsteal/s` (-B) | pages_reclaimed | pages/s |
| `pswpin/s`, `pswpout/s` (-W) | swap_ins, swap_outs | pages/s |
| `cswch/s` (-w) | context_switches | switches/s |
| `%user` + `%nice` (-u); `%usr` + `%nice` + `%guest` + `%gnice` (-u ALL) | user_time | % |
| `%system` (-u); `%sys` + `%irq` + `%soft` (-u ALL) | system_time | % |
| `%steal` (-u, -u ALL) | steal_time | % |
| sum of `tps` x `await` over sum of `tps` of all disks (-d) | disk_await | ms |

A row's stamp ends its interval; a header's stamp is where the first row below it begins. The date is in the
banner only, the zone nowhere. sadf prints the same numbers under the same names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.guests import known_words
from esxprobe.formats.guests.counter_table import CounterTable, GuestReading, choose_guest
from esxprobe.formats.guests.format import GuestFormat, Pseudonyms
from esxprobe.formats.guests.lines import shown, without_torn_end
from esxprobe.formats.guests.sysstat import COLUMNS
from esxprobe.formats.guests.sysstat_tables import MARKS, NUMBER, Report, report_of
from esxprobe.formats.guests.without_names import PROCESSORS, by_line, known_cell, redacted_banner, text_of
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.timestamps import named_zone, to_utc

if TYPE_CHECKING:
    import polars as pl

_BANNER = re.compile(r"^Linux \S+ \((?P<host>.*?)\)\s+(?P<rest>.*)$")
# What clocks of twelve hours print, by language, before noon and after.
_MORNING = r"AM|am|a\.\s?m\.|上午|午前|오전|π\.?μ\.?|ÖÖ|SA|PD|FM|fm|de\.|dop\.|ص|ق\.ظ\.?|पूर्वाह्न|ก่อนเที่ยง"
_EVENING = r"PM|pm|p\.\s?m\.|下午|午後|오후|μ\.?μ\.?|ÖS|CH|MD|EM|em|du\.|odp\.|م|ب\.ظ\.?|अपराह्न|หลังเที่ยง"
_NOON = rf"(?:{_MORNING}|{_EVENING})"
# 09:00:05, 09.00.05 (Finnish), 09时00分05秒, 09시 00분 05초.
STAMP = re.compile(
    rf"^(?P<before>{_NOON}\s*)?(?P<h>\d{{1,2}})(?P<sep>[:.]|[時时시])\s?(?P<m>\d\d)(?:(?P=sep)|[分분])\s?"
    rf"(?P<s>\d\d)[秒초]?(?:\s+(?P<after>{_NOON}))?(?=\s)\s+(?P<rest>.*)$"
)
_AFTERNOON = re.compile(_EVENING)
# Between the numbers of a date stand one or two marks, or the words of China, Japan and Korea; in some scripts also
# marks that turn the direction of writing.
_BETWEEN = r"[\u200e\u200f]?(?P<sep>[-/.]|[年년])[\u200e\u200f]?\s?"
_YEAR_FIRST = re.compile(
    rf"(?P<y>\d{{4}}){_BETWEEN}(?P<m>\d{{1,2}})(?:[-/.]|[月월])[\u200e\u200f]?\s?(?P<d>\d{{1,2}})"
)
_YEAR_LAST = re.compile(
    rf"(?P<a>\d{{1,2}}){_BETWEEN}(?P<b>\d{{1,2}})[\u200e\u200f]?[-/.][\u200e\u200f]?\s?(?P<y>\d{{4}}|\d\d)(?!\d)"
)
# Thailand counts years from 543 years before.
_BUDDHIST, _BUDDHIST_YEARS = 543, range(2400, 2700)
_AVERAGE = re.compile(r"^[^\W\d][^:]{0,20}\s?[:：]\s")
_RESTART = "LINUX RESTART"
# No stamp that is looked up by the beginning of its line is longer (`10:00:05 AM`).
_PREFIX = 11
_HALF_A_DAY, _DAY = timedelta(hours=12), timedelta(days=1)


def recognizes(head: bytes) -> bool:
    """Whether sysstat's banner is in a file's head, and no sadf output does."""
    return re.search(rb"^Linux \S+ \(.*\)\s+\S+", head, re.MULTILINE) is not None


def read_sar(text: bytes, *, timezone: str | None, guest: str | None, issues: QualityIssues) -> GuestReading:
    """A whole log.

    Raises:
        UnreadableInputError: No report of system-wide faults, switches or processor time is in it.
        UsageError: It holds several computers and none was named; the zone is none.
    """
    words = without_torn_end(text, issues).decode("utf-8", errors="replace")
    found = list(_SarText(issues).reports(words))
    host = choose_guest(list(dict.fromkeys(name for name, _ in found)), guest)
    reports = [report for name, report in found if name == host and report.times]
    if not reports:
        raise UnreadableInputError(
            "the sar log has no table of system-wide faults, context switches or processor time",
            hint="record with `sar -B -u -w -W 5 720`; pidstat tables have one row per process and are not "
            "supported",
        )
    if timezone is None:
        issues.add("guest-zone-assumed", 1, "sar prints local time without its zone")
    zone = named_zone(timezone or "UTC")
    return GuestReading(host, "sar", timezone or "UTC (assumed)", counter_tables_of(reports, zone, issues))


def counter_tables_of(reports: list[Report], zone: tzinfo, issues: QualityIssues) -> list[CounterTable]:
    """The reports as counter_tables; those with the same stamps and other counters share one."""
    import polars as pl

    groups: list[tuple[Report, dict[str, pl.Series]]] = []
    for report in reports:
        values = report.columns(issues)
        for first, others in groups:
            if not others.keys() & values.keys() and first.times == report.times and first.starts == report.starts:
                others.update(values)
                break
        else:
            groups.append((report, values))
    counter_tables = []
    for first, values in groups:
        times = to_utc(pl.Series(first.times, dtype=pl.Datetime("us")), zone)
        starts = to_utc(pl.Series(first.starts, dtype=pl.Datetime("us")), zone)
        counter_tables.append(CounterTable(times, values, starts))
    return counter_tables


class _SarText:
    """Reads sar's text line by line; a table is known by its columns, its rows follow its header."""

    def __init__(self, issues: QualityIssues) -> None:
        self._issues = issues
        self._host = ""
        self._day: date | None = None
        self._by_names: dict[tuple[str, ...], Report] = {}
        self._by_text: dict[str, Report] = {}
        self._of_day: dict[str, tuple[timedelta, int]] = {}
        self._report: Report | None = None
        self._start: datetime | None = None
        self._restarts: set[datetime] = set()
        self._restarted: tuple[timedelta, str] | None = None

    def reports(self, text: str) -> Iterator[tuple[str, Report]]:
        """Host and report, one for each computer, day and table."""
        for block in text.split("\n\n"):
            if not self._worth(block):
                continue
            for line in block.split("\n"):
                banner = _BANNER.match(line) if line[:1] == "L" else None
                if banner:
                    yield from self._close()
                    self._open(banner)
                elif line.strip():
                    self._line(line)
        yield from self._close()
        self._issues.add("guest-restart", len(self._restarts))

    def _worth(self, block: str) -> bool:
        """Whether a block can hold anything wanted; of many tables most hold none."""
        found = self._stamped(block.partition("\n")[0])
        if found and found[1] in self._by_text:
            return True
        if any(mark in block for mark in MARKS) or _RESTART in block or "Linux " in block:
            return True
        first = STAMP.match(block.lstrip("\n").partition("\n")[0] + " ")
        if first and _is_header(first["rest"].split()):
            self._report = None
            return False
        return self._report is not None

    def _close(self) -> Iterator[tuple[str, Report]]:
        for report in self._by_names.values():
            yield self._host, report
        self._by_names, self._by_text, self._report, self._restarted = {}, {}, None, None

    def _open(self, banner: re.Match[str]) -> None:
        self._host = banner["host"]
        self._day = _date(banner["rest"], self._issues)

    def _line(self, line: str) -> None:
        found = self._stamped(line)
        if found is None:
            if not _AVERAGE.match(line):
                self._issues.add("guest-text-line", 1, shown(line))
            return
        since, rest = found
        report = self._by_text.get(rest)
        if report is not None:
            self._use(report, since, line)
            return
        if _RESTART in rest:
            self._restarted = (since, line)
            return
        cells = rest.split()
        if _is_header(cells):
            report = self._by_text[rest] = self._header(cells, line)
            self._use(report, since, line)
        elif self._report is not None and self._report.wanted:
            self._row(self._report, cells, since, line)

    def _stamped(self, line: str) -> tuple[timedelta, str] | None:
        """Time of day and what follows it; the same stamp is in many lines, so it is read once."""
        known = self._of_day.get(line[:_PREFIX])
        if known is not None:
            return known[0], line[known[1] :].strip()
        stamp = STAMP.match(line + " ")
        if stamp is None:
            return None
        since, width = _since_midnight(stamp), len(line[: stamp.start("rest")].rstrip())
        if width <= _PREFIX:
            self._of_day[line[:_PREFIX]] = (since, width)
        return since, stamp["rest"].strip()

    def _header(self, names: list[str], line: str) -> Report:
        if not COLUMNS.intersection(names) and not any("/" in name or name[:1] == "%" for name in names):
            self._issues.add("guest-text-line", 1, shown(line))  # a row gone bad, or something else
        return self._by_names.setdefault(tuple(names), report_of(names))

    def _use(self, report: Report, since: timedelta, line: str) -> None:
        """Takes the rows that follow for this table's; its first one begins at the header's stamp."""
        self._report = report
        self._restart(report, since)
        self._start = self._when(report, since, line) if report.wanted else None

    def _row(self, report: Report, cells: list[str], since: timedelta, line: str) -> None:
        self._restart(report, since)
        if len(cells) != len(report.names):
            self._issues.add("row-lost", 1, f"{len(cells)} cells instead of {len(report.names)} in {shown(line)}")
            return
        when = self._when(report, since, line)
        if when is None:
            return
        if report.add(when, self._start if self._start != when else None, cells):
            self._start = None

    def _restart(self, report: Report, since: timedelta) -> None:
        """Notes a restart in the table that goes on behind it: sar tells it in each table anew."""
        if self._restarted is None or not report.wanted:
            return
        if not report.times and since < self._restarted[0]:
            self._restarted = None  # it is after the last row of the table before this one
            return
        when = self._when(report, *self._restarted)
        self._restarted = self._start = None
        if when is not None:
            self._restarts.add(when)
            report.restart(when)

    def _when(self, report: Report, since: timedelta, line: str) -> datetime | None:
        """The wall-clock time of a stamp: in each table a step back of half a day is midnight."""
        if since < timedelta(0):
            self._issues.add("time-unreadable", 1, shown(line))
            return None
        if self._day is None:
            raise UnreadableInputError(
                "the sar log has no date: its first line is missing or has none",
                hint="keep sar's first line (Linux ... (host) date), or use `sadf -d`, which prints complete "
                "timestamps",
            )
        midnight, last = report.clock or (datetime.combine(self._day, time()), timedelta(0))
        if since < last - _HALF_A_DAY:
            midnight += _DAY
            last = since
        report.clock = (midnight, max(since, last))
        return midnight + since


def _since_midnight(stamp: re.Match[str]) -> timedelta:
    """Time of day; below zero where there is no such time."""
    hour, noon = int(stamp["h"]), (stamp["before"] or stamp["after"] or "").strip()
    if noon:
        hour = hour % 12 + (12 if _AFTERNOON.fullmatch(noon) else 0)
    minute, second = int(stamp["m"]), int(stamp["s"])
    if hour > 23 or minute > 59 or second > 60:
        return timedelta(-1)
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _is_header(cells: list[str]) -> bool:
    """Names, not numbers: every row of every table has a number, mostly its last cell."""
    return bool(cells) and not any(cell[-1] in "0123456789%" and NUMBER.match(cell) for cell in reversed(cells))


def _gregorian(year: int) -> int:
    return year - _BUDDHIST if year in _BUDDHIST_YEARS else year


def _date(rest: str, issues: QualityIssues) -> date | None:
    """The banner's date: year first, month first (02/25/2015) or day first (25.02.2015)."""
    rest = re.split(r"_|\(\d+ ", rest)[0]  # behind it stand the machine and its processors
    found = _YEAR_FIRST.search(rest)
    try:
        if found:
            return date(_gregorian(int(found["y"])), int(found["m"]), int(found["d"]))
        found = _YEAR_LAST.search(rest)
        if found is None:
            return None
        a, b, year = int(found["a"]), int(found["b"]), int(found["y"])
        year = _gregorian(year + 2000 if year < 100 else year)
        if found["sep"] != "/" or a > 12:
            return date(year, b, a)
        if b <= 12 and a != b:
            issues.add("guest-date-ambiguous", 1, f"the first line says {found[0]}")
        return date(year, a, b)
    except ValueError:
        return None


_LABELED = re.compile(r"^(?P<label>[^\W\d][^:]{0,20}?\s?[:：])(?P<rest>\s.*)$")
_WHOLE_BANNER = re.compile(r"Linux (?P<kernel>\S+) \((?P<name>.*?)\)(?P<rest>.*)")


def _redacted(content: bytes, names: Pseudonyms) -> tuple[str, int]:
    def word(found: re.Match[str]) -> str:
        return found[0] if found[0] in known_words.COLUMNS else known_cell(found[0], names)

    def change(line: str) -> str | None:
        if not line.strip():
            return line
        found = _WHOLE_BANNER.fullmatch(line)
        if found:
            return redacted_banner(found, names)
        stamped = STAMP.match(line + " ")
        if stamped:
            begin, end = stamped.span("rest")
            rest = PROCESSORS.sub(lambda found: found[0].replace(" ", "\0"), line[begin:end])
            shown = re.sub(r"[^\s]+", lambda found: found[0] if "\0" in found[0] else word(found), rest)
            return line[:begin] + shown.replace("\0", " ")
        labeled = _LABELED.match(line)
        return "Average:" + re.sub(r"\S+", word, labeled["rest"]) if labeled else None

    return by_line(text_of(content), change)


FORMATS = (GuestFormat("sar", "`sar` text", recognizes, read_sar, _redacted),)
