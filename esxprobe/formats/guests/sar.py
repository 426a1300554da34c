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

A row's stamp ends its interval; a header's stamp is where the first row below it begins. The date stands in the
banner only, the zone nowhere. sadf prints the same numbers under the same names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.clock import named_zone, to_utc
from esxprobe.formats.guests.lines import shown, without_torn_end
from esxprobe.formats.guests.sheet import Reading, Sheet, choose_guest
from esxprobe.formats.tally import Tally

if TYPE_CHECKING:
    import polars as pl

_SINGLE = {
    "fault/s": "faults", "majflt/s": "hard_faults", "pgsteal/s": "pages_reclaimed", "pswpin/s": "swap_ins",
    "pswpout/s": "swap_outs", "cswch/s": "context_switches",
}  # fmt: skip
_USER = {"%user": ("%user", "%nice"), "%usr": ("%usr", "%nice", "%guest", "%gnice")}
_SYSTEM = {"%system": ("%system",), "%sys": ("%sys", "%irq", "%soft")}
_MARKS = (*_SINGLE, *_USER, *_SYSTEM)
# pidstat prints columns of the same names, one row a process.
_PROCESS = {"PID", "TGID", "TID", "Command"}
_ALL = {"all", "-1"}

_BANNER = re.compile(r"^Linux \S+ \((?P<host>.*?)\)\s+(?P<rest>.*)$")
_NOON = r"(?:AM|PM|am|pm|a\.m\.|p\.m\.|上午|下午|午前|午後|오전|오후)"
_STAMP = re.compile(
    rf"^(?P<before>{_NOON}\s*)?(?P<h>\d{{1,2}})[:時时시]\s?(?P<m>\d\d)[:分분]\s?(?P<s>\d\d)[秒초]?"
    rf"(?:\s+(?P<after>{_NOON}))?(?=\s)\s+(?P<rest>.*)$"
)
_AFTERNOON = ("p", "P", "下午", "午後", "오후")
_YEAR_FIRST = re.compile(r"(?P<y>\d{4})[-/.年]\s?(?P<m>\d{1,2})[-/.月]\s?(?P<d>\d{1,2})")
_YEAR_LAST = re.compile(r"(?P<a>\d{1,2})(?P<sep>[-/.])\s?(?P<b>\d{1,2})[-/.]\s?(?P<y>\d{4}|\d\d)(?!\d)")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?$")
_AVERAGE = re.compile(r"^[^\W\d][^:]{0,20}\s?[:：]\s")
_RESTART = "LINUX RESTART"


def columns_of(names: list[str]) -> dict[str, tuple[int, ...]]:
    """Our counters of a report, each with the places of the columns that are added for it.

    Args:
        names: Names of the report's columns; empty where they are one row a process.
    """
    if _PROCESS & set(names):
        return {}
    place: dict[str, int] = {}
    for number, name in enumerate(names):
        place.setdefault(name, number)
    found = {ours: (place[theirs],) for theirs, ours in _SINGLE.items() if theirs in place}
    for ours, sums in (("user_time", _USER), ("system_time", _SYSTEM)):
        for main, parts in sums.items():
            if main in place and "CPU" in place:
                found[ours] = tuple(place[part] for part in parts if part in place)
                break
    return found


@dataclass(slots=True)
class Report:
    """One kind of table in the log, row by row: wall-clock times or epochs, beginnings, values."""

    names: list[str]
    wanted: dict[str, tuple[int, ...]]
    times: list[datetime] = field(default_factory=list)
    starts: list[datetime | None] = field(default_factory=list)
    values: list[dict[str, float]] = field(default_factory=list)

    @classmethod
    def of(cls, names: list[str]) -> Report:
        """An empty report with these columns."""
        return cls(names, columns_of(names))

    def add(self, when: datetime, start: datetime | None, cells: list[str], tally: Tally) -> None:
        """Adds a row; rows of one processor out of several are passed over.

        Args:
            when: Its stamp.
            start: Where its interval begins, as far as the log says.
            cells: As many as `names`.
            tally: Counts cells that are no numbers.
        """
        if "CPU" in self.names and cells[self.names.index("CPU")].lower() not in _ALL:
            return
        row: dict[str, float] = {}
        for ours, places in self.wanted.items():
            texts = [cells[place] for place in places]
            if all(_NUMBER.match(text) for text in texts):
                row[ours] = sum(float(text.replace(",", ".")) for text in texts)
            else:
                tally.add("bad-cell", 1, f"{ours} at {when:%H:%M:%S} says {shown(' '.join(texts))}")
        self.times.append(when)
        self.starts.append(start)
        self.values.append(row)

    def restart(self, when: datetime) -> None:
        """Adds a row without values: the guest came up again."""
        self.times.append(when)
        self.starts.append(None)
        self.values.append({})

    def columns(self) -> dict[str, pl.Series]:
        """The values by our counter."""
        import polars as pl

        return {ours: pl.Series([row.get(ours) for row in self.values], dtype=pl.Float64) for ours in self.wanted}


def recognises(head: bytes) -> bool:
    """Whether sysstat's banner stands in a file's head, and no sadf output does."""
    return re.search(rb"^Linux \S+ \(.*\)\s+\S+", head, re.MULTILINE) is not None


def read_sar(text: bytes, *, timezone: str | None, guest: str | None, tally: Tally) -> Reading:
    """A whole log.

    Raises:
        UnreadableInputError: No report of system-wide faults, switches or processor time is in it.
        UsageError: It holds several computers and none was named; the zone is none.
    """
    words = without_torn_end(text, tally).decode("utf-8", errors="replace")
    found = list(_Text(tally).reports(words))
    host = choose_guest(list(dict.fromkeys(name for name, _ in found)), guest)
    reports = [report for name, report in found if name == host and report.times]
    if not reports:
        raise UnreadableInputError(
            "the sar log has no table of system-wide faults, context switches or processor time",
            hint="record with `sar -B -u -w -W 5 720`; pidstat's tables are one row a process and are not read",
        )
    if timezone is None:
        tally.add("guest-zone-assumed", 1, "sar prints local time without its zone")
    zone = named_zone(timezone or "UTC")
    return Reading(host, "sar", timezone or "UTC (assumed)", [_sheet(report, zone) for report in reports])


def _sheet(report: Report, zone: object) -> Sheet:
    import polars as pl

    times = pl.Series(report.times, dtype=pl.Datetime("us"))
    starts = pl.Series(report.starts, dtype=pl.Datetime("us"))
    return Sheet(to_utc(times, zone), report.columns(), to_utc(starts, zone))  # type: ignore[arg-type]


class _Text:
    """Reads sar's text line by line; a table is known by its columns, its rows follow its header."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._host = ""
        self._day: date | None = None
        self._by_names: dict[tuple[str, ...], Report] = {}
        self._clock: dict[tuple[str, ...], datetime] = {}
        self._report: Report | None = None
        self._start: datetime | None = None
        self._restarts: set[datetime] = set()

    def reports(self, text: str) -> Iterator[tuple[str, Report]]:
        """Host and report, one for each computer, day and table."""
        for block in text.split("\n\n"):
            if not self._worth(block):
                continue
            for line in block.split("\n"):
                banner = _BANNER.match(line)
                if banner:
                    yield from self._close()
                    self._open(banner)
                elif line.strip():
                    self._line(line)
        yield from self._close()
        self._tally.add("guest-restart", len(self._restarts))

    def _worth(self, block: str) -> bool:
        """Whether a block can hold anything wanted; of many tables most hold none."""
        if any(mark in block for mark in _MARKS) or _RESTART in block or "Linux " in block:
            return True
        first = _STAMP.match(block.lstrip("\n"))
        if first and _is_header(first["rest"].split()):
            self._report = None
            return False
        return self._report is not None

    def _close(self) -> Iterator[tuple[str, Report]]:
        for report in self._by_names.values():
            yield self._host, report
        self._by_names, self._clock, self._report = {}, {}, None

    def _open(self, banner: re.Match[str]) -> None:
        self._host = banner["host"]
        self._day = _date(banner["rest"], self._tally)

    def _line(self, line: str) -> None:
        stamp = _STAMP.match(line.strip() + " ")
        if stamp is None:
            if not _AVERAGE.match(line):
                self._tally.add("guest-text-line", 1, shown(line))
            return
        rest = stamp["rest"]
        if _RESTART in rest:
            self._restart(stamp)
            return
        cells = rest.split()
        if _is_header(cells):
            self._header(cells, stamp)
        elif self._report is not None and self._report.wanted:
            self._row(cells, stamp, line)

    def _header(self, names: list[str], stamp: re.Match[str]) -> None:
        key = tuple(names)
        self._report = self._by_names.setdefault(key, Report.of(names))
        self._start = self._when(stamp) if self._report.wanted else None

    def _row(self, cells: list[str], stamp: re.Match[str], line: str) -> None:
        report = self._report
        assert report is not None
        if len(cells) != len(report.names):
            self._tally.add("row-lost", 1, f"{len(cells)} cells instead of {len(report.names)} in {shown(line)}")
            return
        when = self._when(stamp)
        if when is None:
            return
        report.add(when, self._start if self._start != when else None, cells, self._tally)
        if "CPU" not in report.names or report.times[-1:] == [when]:
            self._start = None

    def _restart(self, stamp: re.Match[str]) -> None:
        when = self._when(stamp)
        if when is not None:
            self._restarts.add(when)
            if self._report is not None and self._report.wanted:
                self._report.restart(when)
        self._start = None

    def _when(self, stamp: re.Match[str]) -> datetime | None:
        """The stamp's wall-clock time: in each table a step back of half a day is midnight."""
        hour, noon = int(stamp["h"]), (stamp["before"] or stamp["after"] or "").strip()
        if noon:
            hour = hour % 12 + (12 if noon.startswith(_AFTERNOON) else 0)
        if hour > 23 or int(stamp["m"]) > 59 or int(stamp["s"]) > 60:
            self._tally.add("time-unreadable", 1, shown(stamp[0]))
            return None
        if self._day is None:
            raise UnreadableInputError(
                "the sar log has no date: its first line is missing or has none",
                hint="keep sar's first line (Linux ... (host) date), or use `sadf -d`, which prints whole stamps",
            )
        key = tuple(self._report.names) if self._report else ()
        before = self._clock.get(key)
        when = datetime.combine(before.date() if before else self._day, time(hour, int(stamp["m"])))
        when += timedelta(seconds=int(stamp["s"]))
        if before is not None and when < before - timedelta(hours=12):
            when += timedelta(days=1)
        self._clock[key] = max(before, when) if before is not None else when
        return when


def _is_header(cells: list[str]) -> bool:
    """Names, not numbers: at least one word has a letter and a slash or a per cent sign, and none is a number."""
    return (
        bool(cells)
        and any("/s" in cell or cell[:1] == "%" for cell in cells)
        and not any(_NUMBER.match(cell) for cell in cells)
        or cells[:1] in (["CPU"], ["DEV"], ["IFACE"], ["TTY"], ["INTR"], ["BUS"], ["runq-sz"])
        or bool(cells and cells[0][:2] in {"kb", "MB"})
    )


def _date(rest: str, tally: Tally) -> date | None:
    """The banner's date: year first, month first (02/25/2015) or day first (25.02.2015)."""
    found = _YEAR_FIRST.search(rest)
    try:
        if found:
            return date(int(found["y"]), int(found["m"]), int(found["d"]))
        found = _YEAR_LAST.search(rest)
        if found is None:
            return None
        a, b, year = int(found["a"]), int(found["b"]), int(found["y"])
        year += 2000 if year < 100 else 0
        if found["sep"] != "/" or a > 12:
            return date(year, b, a)
        if b <= 12 and a != b:
            tally.add("guest-date-ambiguous", 1, f"the first line says {found[0]}")
        return date(year, a, b)
    except ValueError:
        return None
