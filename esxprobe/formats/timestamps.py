"""Time cells to aware UTC stamps, whatever a spreadsheet or a shell made of them.

esxtop prints `MM/DD/YYYY HH:MM:SS`, the end of each interval, with one-second resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from esxprobe.errors import UsageError
from esxprobe.formats.issues import QualityIssues

if TYPE_CHECKING:
    import polars as pl

# The zone cell of a text that was derived from FetchStats: so copies of it can be distinguished from esxtop's own.
DERIVED_ZONE = "(UTC)(0)(FetchStats)"
ESXTOP = "%m/%d/%Y %H:%M:%S"
DAY_FIRST = "%d/%m/%Y %H:%M:%S"
PADDED = r"^\d\d/\d\d/\d{4} \d\d:\d\d:\d\d$"
_MONTH_FIRST = (
    ESXTOP,
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
)
_DAY_FIRST = (
    *(form.replace("%m/%d", "%d/%m") for form in _MONTH_FIRST),
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
)
_ISO = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
)
_TIME_ONLY = ("%H:%M:%S%.f", "%I:%M:%S %p", "%H:%M")
_SECONDS = r"\d:\d\d:\d\d"
_HOLED = r"[/:.-] | [/:.-]"
_NO_DATE = "01/01/1970 "
_DAY = timedelta(days=1)


def parse_times(cells: pl.Series, issues: QualityIssues) -> tuple[pl.Series, bool]:
    """Wall-clock times of the time cells.

    Args:
        cells: Text, one a row.
        issues: Counts lost seconds, lost dates, day-first dates and unreadable cells.

    Returns:
        Naive Datetime(us), null where unreadable; and whether the dates are real.
    """
    import polars as pl

    texts = _as_esxtop_writes(cells.str.strip_chars(' "\t\r').str.replace_all(r"\s+", " "))
    times = _first_that_fits(texts, _MONTH_FIRST)
    oddness = _oddness(times)
    if not oddness:
        return (times if texts.str.contains(_SECONDS).any() else _with_seconds(times, texts, issues)), True
    day_first = _first_that_fits(texts, _DAY_FIRST)
    if _oddness(day_first) < oddness:  # a tie is month-first: one damaged row must not turn the others round
        issues.add("day-first", 1, f"for example {texts.drop_nulls()[0]}")
        times = day_first
    if times.null_count():
        times = pl.select(pl.coalesce(times, _first_that_fits(texts, _ISO))).to_series()
    dated = times.null_count() < len(times)
    if not dated:
        times = _without_date(texts, issues)
    unreadable = times.null_count()
    if unreadable:
        first = texts.filter(times.is_null()).fill_null("")[0]
        issues.add("time-unreadable", unreadable, f"{unreadable} rows, the first says {first[:40]!r}")
    if unreadable < len(times) and not texts.str.contains(_SECONDS).any():
        times = _with_seconds(times, texts, issues)
    return times, dated


def _as_esxtop_writes(texts: pl.Series) -> pl.Series:
    """The texts, none where a parser would be too kind: `04/ 4/2018`, `10:4:17` among padded ones."""
    padded = texts.str.contains(PADDED).fill_null(value=False)
    if padded.all():
        return texts
    if padded.sum() * 2 > len(texts):
        return texts.set(~padded, None)
    return texts.set(texts.str.contains(_HOLED).fill_null(value=False), None)


def _first_that_fits(texts: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    import polars as pl

    times = pl.Series("time", [None] * len(texts), dtype=pl.Datetime("us"))
    for form in formats:
        left = times.null_count()
        if not left:
            break
        parsed = texts.str.strptime(pl.Datetime("us"), form, strict=False)
        if parsed.null_count() < len(parsed):
            times = pl.select(pl.coalesce(times, parsed)).to_series()
    return times.alias("time")


def _oddness(times: pl.Series) -> int:
    """How many rows cannot be read, or jump by days."""
    return times.null_count() + day_jumps(times.drop_nulls())


def day_jumps(times: pl.Series) -> int:
    """How many steps between times, none of them null, are longer than a day."""
    return int((times.diff().abs() > _DAY).sum())


def _without_date(texts: pl.Series, issues: QualityIssues) -> pl.Series:
    """Times of day put on consecutive days from 1970-01-01: a step back of half a day is midnight."""
    import polars as pl

    times = _first_that_fits(_NO_DATE + texts, tuple(f"%m/%d/%Y {form}" for form in _TIME_ONLY))
    if times.null_count() == len(times):
        return times
    issues.add("date-lost", 1, f"for example {texts.drop_nulls()[0]}")
    back = (times.diff() < timedelta(hours=-12)).fill_null(value=False)
    return times + pl.Series([_DAY]) * back.cast(pl.Int64).cum_sum()


def _with_seconds(times: pl.Series, texts: pl.Series, issues: QualityIssues) -> pl.Series:
    """Minute-resolution stamps spread evenly over the file."""
    import numpy as np
    import polars as pl

    from esxprobe.formats.minutes import spread

    rows = np.flatnonzero(times.is_not_null().to_numpy())
    if not len(rows):
        return times
    issues.add("seconds-lost", len(rows), f"for example {texts.drop_nulls()[0]}")
    stamps = times.drop_nulls()
    start = stamps.dt.timestamp("us").to_numpy()
    found = np.rint(spread((start - start[0]) / 1e6, rows - rows[0]) * 1e6).astype(np.int64) + start[0]
    made = pl.Series(found).cast(pl.Datetime("us"))
    return times.scatter(rows, made)


def zone_of(zone_text: str, timezone_name: str | None, issues: QualityIssues) -> tzinfo:
    """The zone that the stamps are in.

    esxtop's offset is not to be trusted (ESX classic prints `(EST)(0)` beside local time), so only
    `(UTC)(0)` is accepted, and a name given by the user.

    Raises:
        UsageError: The name is not a valid time zone.
    """
    if timezone_name:
        return named_zone(timezone_name)
    if zone_text.replace(" ", "").upper() not in {"(UTC)(0)", "(GMT)(0)", DERIVED_ZONE.upper()}:
        issues.add("zone-untrusted", 1, f"the header says {zone_text or 'nothing'}")
    return UTC


def named_zone(name: str) -> tzinfo:
    """A zone from an IANA name or an offset like `+02:00`.

    Raises:
        UsageError: Neither.
    """
    if name[:1] in "+-" and (digits := name[1:].replace(":", "")).isdecimal() and len(digits) in {2, 4}:
        minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
        if minutes < 24 * 60 and int(digits[2:] or 0) < 60:
            return timezone(timedelta(minutes=minutes if name[0] == "+" else -minutes))
    import polars as pl

    try:
        zone = ZoneInfo(name)
        pl.Series([datetime(2000, 1, 1)]).dt.replace_time_zone(zone.key)  # it knows fewer names
    except (ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(
            f"{name!r} is not a time zone",
            hint="give an IANA name like Europe/Berlin, or an offset like +02:00",
        ) from error
    return zone


@dataclass(slots=True)
class TimesBefore:
    """What stood before some times, where a capture's come part by part.

    Attributes:
        last: The last one of them, in a series of its own; empty before the first.
        back: The clock was put back in an hour that exists twice.
    """

    last: pl.Series | None = None
    back: bool = False


def to_utc(times: pl.Series, zone: tzinfo, passed: TimesBefore | None = None) -> pl.Series:
    """Naive wall-clock times in a zone as UTC; null for times that the zone skips.

    Args:
        times: The times, in the order of their rows.
        zone: Their zone.
        passed: What stood before them, where they are a part; it is brought up to date.
    """
    import polars as pl

    if isinstance(zone, ZoneInfo):
        return _resolved(times, zone, passed or TimesBefore()).dt.convert_time_zone("UTC")
    offset = zone.utcoffset(datetime(2000, 1, 1)) or timedelta(0)
    return (times - pl.Series([offset], dtype=pl.Duration("us"))).dt.replace_time_zone("UTC")


def to_utc_counted(
    times: pl.Series, zone: tzinfo, name: str | None, issues: QualityIssues, passed: TimesBefore | None = None
) -> pl.Series:
    """The same, with times that the zone skips counted.

    Args:
        times: The times, in the order of their rows.
        zone: Their zone.
        name: What was given as its name.
        issues: Counts the skipped ones.
        passed: As in `to_utc`.
    """
    utc = to_utc(times, zone, passed)
    skipped = utc.null_count() - times.null_count()
    issues.add("time-unreadable", skipped, f"{skipped} times that {name} skips")
    return utc


def _resolved(times: pl.Series, zone: ZoneInfo, passed: TimesBefore) -> pl.Series:
    """Wall-clock times in a zone; in the hour that exists twice, a step back is its second pass."""
    import polars as pl

    first = times.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")
    second = times.dt.replace_time_zone(zone.key, ambiguous="latest", non_existent="null")
    twice = first != second
    before = times.head(0) if passed.last is None else passed.last
    passed.last = times.tail(1) if len(times) else before
    if not twice.any():
        return first
    steps = pl.concat([before, times]).diff().tail(len(times))
    back = ((steps < timedelta(0)) & twice).fill_null(value=False)
    later = twice & ((back.cum_sum() > 0) | passed.back)
    passed.back |= bool(back.any())
    return pl.select(pl.when(later).then(second).otherwise(first)).to_series()
