"""Running totals of a Linux guest, dump after dump, as rates.

| /proc/vmstat | ours | unit |
|---|---|---|
| `pgfault` (minor and major) | faults | faults/s |
| `pgmajfault` | hard_faults | faults/s |
| `thp_fault_alloc` | thp_faults | faults/s |
| `pswpin`, `pswpout` | swap_ins, swap_outs | pages/s |
| `pgsteal_kswapd` + `_direct` + `_khugepaged` + `_proactive`, of every zone | pages_reclaimed | pages/s |

| /proc/stat | ours | unit |
|---|---|---|
| `ctxt` | context_switches | switches/s |
| `cpu`: user + nice | user_time | % of user + nice + system + idle + iowait + irq + softirq + steal |
| `cpu`: system + irq + softirq | system_time | % of the same |
| `cpu`: steal | steal_time | % of the same; a step back counts as none |

A rate is the step of a total over the time that really passed, so a late or lost dump costs nothing: the whole gap
is known exactly. A total that goes down, or a boot time that moves, is a restart (or a clock that was set): that
interval has no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.guests.counter_table import CounterTable
from esxprobe.formats.guests.lines import shown
from esxprobe.formats.issues import QualityIssues

if TYPE_CHECKING:
    import polars as pl

_RATES = {
    "pgfault": "faults", "pgmajfault": "hard_faults", "thp_fault_alloc": "thp_faults", "pswpin": "swap_ins",
    "pswpout": "swap_outs", "pgsteal": "pages_reclaimed", "ctxt": "context_switches",
}  # fmt: skip
_PLAIN = {*_RATES, "btime"} - {"pgsteal"}
# Not `pgsteal_anon` and `pgsteal_file`, which count the same pages once more.
_STEAL = re.compile(
    r"pgsteal_(?:(?:kswapd|direct|khugepaged|proactive)(?:_(?:dma|dma32|normal|high|movable|device))?"
    r"|dma|dma32|normal|high|movable)$"
)
_CPU = ("cpu_user", "cpu_nice", "cpu_system", "cpu_idle", "cpu_iowait", "cpu_irq", "cpu_softirq", "cpu_steal")
_SHARES = {
    "user_time": ("cpu_user", "cpu_nice"),
    "system_time": ("cpu_system", "cpu_irq", "cpu_softirq"),
    "steal_time": ("cpu_steal",),
}
# These go back a little on their own, for the kernel estimates them.
_LOOSE = {"cpu_idle", "cpu_iowait", "cpu_steal"}
_COUNTS = re.compile(r"[A-Za-z_][\w()]*:?\s+-?\d[\d\s-]*$")
_MOST_DIGITS = len(str(2**64))
# A clock under time service moves the boot time by a second or two.
_BOOT_MOVES_S = 5

_LABEL = r"(?:[A-Za-z_]+\s*[:=]\s*|[@#=-]+\s*)?"
_EPOCH = re.compile(_LABEL + r"(?P<s>\d{10})(?:[.,](?P<part>\d{1,9})|(?P<glued>\d{3}|\d{6}|\d{9}))?\s*[=-]*$")
_ISO = re.compile(
    _LABEL + r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
    r"\s?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?\s*[=-]*$"
)
_DATE = re.compile(
    _LABEL
    + r"[A-Z][a-z]{2},? (?:(?P<m>[A-Z][a-z]{2}) +(?P<d>\d\d?)|(?P<d2>\d\d?) (?P<m2>[A-Z][a-z]{2}) (?P<y2>\d{4})),?"
    r" (?P<time>\d\d?:\d\d:\d\d)(?: (?P<noon>[AP]M))?(?: (?P<zone>[A-Z]{3,5}|[+-]\d\d(?:\d\d)?))?"
    r"(?: (?P<y>\d{4}))?\s*$"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class Dump:
    """One reading of the totals.

    Attributes:
        when: Naive time of its stamp, None before the first stamp.
        local: The stamp carries no zone.
        totals: By the kernel's names.
        parts: How many lines `pgsteal` is the sum of.
    """

    when: datetime | None
    local: bool
    totals: dict[str, int] = field(default_factory=dict)
    parts: int = 0


def stamp_of(line: str) -> tuple[datetime, bool] | None:
    """A stamp line's naive time, UTC where it carries a zone; and whether it carries none.

    Epochs (`timestamp: 1424904529.705899031`, `@ 1424904529`, `date +%s%N`), ISO 8601 and what `date` prints.
    """
    try:
        if found := _EPOCH.match(line):
            part = (found["part"] or found["glued"] or "0")[:6].ljust(6, "0")
            return datetime.fromtimestamp(int(found["s"]), UTC).replace(tzinfo=None, microsecond=int(part)), False
        if found := _ISO.match(line):
            part = (found["part"] or "0")[:6].ljust(6, "0")
            when = datetime.fromisoformat(f"{found['day']}T{found['time']}.{part}")
            return _less_offset(when, found["zone"])
        if found := _DATE.match(line):
            month = _MONTHS.index(found["m"] or found["m2"]) + 1
            hour, minute, second = map(int, found["time"].split(":"))
            if found["noon"]:
                hour = hour % 12 + (12 if found["noon"] == "PM" else 0)
            year = int(found["y"] or found["y2"])
            return _less_offset(
                datetime(year, month, int(found["d"] or found["d2"]), hour, minute, second), found["zone"]
            )
    except (ValueError, TypeError, OverflowError):
        return None
    return None


def _less_offset(when: datetime, zone: str | None) -> tuple[datetime, bool]:
    if zone in {"Z", "UTC", "GMT"}:
        return when, False
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return (when - offset if zone[0] == "+" else when + offset), False
    return when, True  # a name like EST or IST belongs to several zones


def dumps_of(text: str, issues: QualityIssues) -> list[Dump]:
    """Every dump of a text with its stamp, which is before it or, where the text ends with one, behind it."""
    dumps = list(_segments(text, issues))
    if not dumps[-1].totals and dumps[0].totals:
        for number in range(len(dumps) - 1):
            dumps[number].when, dumps[number].local = dumps[number + 1].when, dumps[number + 1].local
        dumps.pop()
    orphan = dumps[0]
    if orphan.when is None:
        dumps.pop(0)
        if orphan.totals and dumps:
            issues.add("row-lost", 1, "a dump before the first time stamp")
    most = max((dump.parts for dump in dumps), default=0)
    for dump in dumps:
        if dump.parts < most:
            dump.totals.pop("pgsteal", None)  # a sum that lacks a part is not a total
    return [dump for dump in dumps if dump.totals]


def _worth_reading(text: str) -> list[str]:
    """The lines without totals that are not needed: of a whole /proc/vmstat that is all but a dozen."""
    import polars as pl

    lines = pl.Series([text]).str.split("\n").explode()
    wanted = lines.str.contains(rf"^(?:{'|'.join(sorted(_PLAIN))}|pgsteal_[a-z0-9_]+) ")
    return lines.filter(wanted | ~lines.str.contains(r"^(?:[A-Za-z][A-Za-z0-9_]+ [0-9]+$|cpu[0-9])")).to_list()


def _segments(text: str, issues: QualityIssues) -> Iterator[Dump]:
    dump = Dump(None, False)
    totals = dump.totals
    twice = 0
    for line in _worth_reading(text):
        key, _, value = line.partition(" ")
        if key in _PLAIN and _is_total(value):
            twice += key in totals
            totals.setdefault(key, int(value))
        elif key.startswith("pgsteal_") and _is_total(value):
            if _STEAL.match(key):
                totals["pgsteal"] = totals.get("pgsteal", 0) + int(value)
                dump.parts += 1
        elif key == "cpu":
            for name, cell in zip(_CPU, value.split(), strict=False):
                if _is_total(cell):
                    totals.setdefault(name, int(cell))
        elif line and (found := stamp_of(line.strip())):
            yield dump
            dump = Dump(*found)
            totals = dump.totals
        elif line.strip() and not line.startswith("# esxprobe guest/") and not _COUNTS.match(line):
            issues.add("guest-text-line", 1, shown(line))
    yield dump
    issues.add("row-lost", twice, "counters appear twice under one timestamp; the first ones are used")


def _is_total(text: str) -> bool:
    """Whether a text is a number that a kernel's counter of 64 bits can have."""
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def counter_table_of(dumps: list[Dump], times: pl.Series, issues: QualityIssues) -> CounterTable:
    """Rates between dumps.

    Args:
        dumps: As they follow each other.
        times: Their stamps: Datetime(us, UTC).
        issues: Counts restarts and dumps that are no later than the one before.

    Raises:
        UnreadableInputError: Fewer than two dumps.
    """
    import polars as pl

    names = [*_RATES, *_CPU, "btime"]
    columns = {name: pl.Series([dump.totals.get(name) for dump in dumps], dtype=pl.Float64) for name in names}
    frame = pl.DataFrame({"time": times, **columns}).filter(pl.col("time").is_not_null())
    latest = frame["time"].cum_max().shift(1)
    aside = (frame["time"] <= latest).fill_null(value=False)
    issues.add("time-backwards", int(aside.sum()), "a dump's timestamp is not later than the previous one")
    frame = frame.filter(~aside)
    if frame.height < 2:
        raise UnreadableInputError(
            "cumulative counters need two dumps at different times",
            hint="read them in a loop, one dump every few seconds",
        )
    seen = [name for name in names if frame[name].count()]
    for name in seen:
        issues.add("blank-cell", frame[name].null_count(), f"a dump lacks {name}")
    step = frame.select(pl.col("time").diff().dt.total_microseconds() / 1e6, *(pl.col(n).diff() for n in names))
    must_rise = [n for n in names if n not in _LOOSE and n != "btime"]
    fell = pl.any_horizontal(pl.col(n) < 0 for n in must_rise)
    moved = (pl.col("btime").abs() > _BOOT_MOVES_S).fill_null(value=False)
    reset = step.select((fell | moved).fill_null(value=False)).to_series()
    issues.add("guest-restart", int(reset.sum()), _when(frame.filter(reset)))
    spent = pl.sum_horizontal(pl.col(n).clip(0, None) for n in _CPU)
    rates = [(pl.col(theirs) / pl.col("time")).alias(ours) for theirs, ours in _RATES.items()]
    ticks = [n for n in _CPU if n in seen] or ["cpu_idle"]
    whole = pl.all_horizontal(pl.col(n).is_not_null() for n in ticks) & (spent > 0)
    shares = [
        pl.when(whole).then(100 * sum((pl.col(n).clip(0, None) for n in parts), pl.lit(0.0)) / spent).alias(ours)
        for ours, parts in _SHARES.items()
    ]
    every = step.select(*rates, *shares)
    filled = [n for n in every.columns if every[n].count()]
    known = every.select(pl.when(~reset).then(pl.col(n)).alias(n) for n in filled)[1:]
    return CounterTable(frame["time"][1:], {n: known[n] for n in known.columns}, frame["time"].shift(1)[1:])


def _when(rows: pl.DataFrame) -> str:
    return f"before {rows['time'][0]:%Y-%m-%d %H:%M:%S} UTC" if rows.height else ""
