"""A window of time as people write it: ISO stamps, clock times of the capture's day, offsets from its start.

`extract` writes the samples of a window, `report` judges them: both take what `window_of` takes.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from esxprobe.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

_OFFSET = re.compile(r"\+(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, in one of three ways.

    Attributes:
        text: As it was written.
        stamp: A date with a time; without a zone it is in the capture's.
        clock: A time of day.
        offset: How long after the capture's first sample.
    """

    text: str
    stamp: datetime | None = None
    clock: time | None = None
    offset: timedelta | None = None

    def at(self, first: datetime, last: datetime, since: datetime | None) -> datetime:
        """The moment itself.

        A time of day is that of the first day; or of the next one, where it would lie before the capture or before
        `since`, and the capture still runs then. A window may go on past midnight behind the capture's end, but not
        where its end is a time of the capture's only day: then both ends are in the wrong order. A time that the
        zone skips is taken as if the clock had not been put forward yet; of one that exists twice the first is
        taken, see `TimeWindow`.

        Args:
            first: The first sample, in the capture's zone.
            last: The last one.
            since: When the window begins, where given.
        """
        if self.offset is not None:
            # By UTC: the days on which a clock is put forward or back are an hour shorter or longer.
            return (first.astimezone(UTC) + self.offset).astimezone(first.tzinfo)
        if self.stamp is not None:
            return self.stamp if self.stamp.tzinfo else self.stamp.replace(tzinfo=first.tzinfo)
        begin = max(since, first).astimezone(first.tzinfo) if since else first
        here = datetime.combine(begin.date(), self.clock or time(), first.tzinfo)
        if here.astimezone(UTC) < begin.astimezone(UTC) <= _last_of(here):
            return here.replace(fold=1)  # the clock shows it twice, and the first time is over
        goes_on = last.date() > here.date() or _last_of(here) < first.astimezone(UTC)
        past_midnight = here + _DAY <= last or (since is not None and goes_on)
        if _last_of(here) < begin.astimezone(UTC) and past_midnight:
            return here + _DAY
        return here


def parse_moment(text: str) -> Moment:
    """A moment as it is written: `2018-04-24T10:50`, `10:50`, `10:50:07`, `+10m`, `+1h30m`, `+90`.

    Raises:
        UsageError: It is none.
    """
    plain = text.strip()
    offset = _OFFSET.fullmatch(plain)
    try:
        if offset and any(offset.groups()):
            days, hours, minutes, seconds = (float(part or 0) for part in offset.groups())
            return Moment(plain, offset=timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))
        if match := _CLOCK.fullmatch(plain):
            return Moment(plain, clock=time(int(match[1]), int(match[2]), int(match[3] or 0)))
        return Moment(plain, stamp=_stamp(plain))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is not a valid time",
            hint="use 2018-04-24T10:50:00, 10:50 of the capture's day, or +10m from its start",
        ) from error


def _stamp(plain: str) -> datetime:
    """An ISO stamp; Python takes anything between date and time, and reports show what was given."""
    if not (plain.isascii() and plain.isprintable()):
        raise ValueError(plain)
    return datetime.fromisoformat(plain)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """From one moment to another, both included; an open end is the capture's.

    A sample belongs to it when its stamp, the end of its interval, does. Of a time that a clock put back shows
    twice, the first begins a window and the second ends it.

    Attributes:
        start: When it begins.
        end: When it ends.
        whose: `capture` or `baseline`: whose time is meant, for messages and options.
    """

    start: Moment | None = None
    end: Moment | None = None
    whose: str = "capture"

    def words(self) -> list[str]:
        """The options as they would be typed."""
        ends = (("from", self.start), ("to", self.end))
        return [word for name, moment in ends if moment for word in (self._option(name), moment.text)]

    def _option(self, name: str) -> str:
        return f"--{name}" if self.whose == "capture" else f"--{self.whose}-{name}"

    def bounds(self, times: pl.Series, zone: tzinfo) -> tuple[datetime, datetime]:
        """Start and end of the window [UTC]; an open end is that of the samples.

        Args:
            times: When the samples were [UTC], one of them at least.
            zone: Zone of the capture.

        Raises:
            UsageError: The window ends before it begins, or reaches beyond the calendar.
        """
        first, last = _ends(times, zone)
        try:
            start = self.start.at(first, last, None) if self.start else first
            end = self.end.at(first, last, start if self.start else None) if self.end else last
            exact = self.end is None or self.end.offset is not None
            began, ended = start.astimezone(UTC), end.astimezone(UTC) if exact else _last_of(end)
        except OverflowError as error:
            raise UsageError("the window reaches beyond the calendar", hint="write 10:50 or +10m") from error
        if self.start and self.end and ended < began:
            raise self._wrong_order(f"{end:%Y-%m-%d %H:%M:%S}", f"{start:%Y-%m-%d %H:%M:%S}")
        return began, ended

    def holds(self, times: pl.Series, zone: tzinfo, least: int = 1, *, dated: bool = True) -> pl.Series:
        """Which of some times [UTC] are in the window; unreadable ones (null) do not.

        Args:
            times: When the samples were.
            zone: Zone of the capture.
            least: So many samples must be in it.
            dated: Whether the capture's stamps have a date; otherwise they are on a day that is never written.

        Raises:
            UsageError: The window ends before it begins, or too few samples are in it.
        """
        if times.null_count() == len(times):
            return times.is_not_null()
        start, end = self.bounds(times, zone)
        inside = (times.is_not_null() & (times >= start) & (times <= end)).fill_null(value=False)
        found = int(inside.sum())
        if found < least:
            first, last = _ends(times, zone)
            undated = "" if dated else "; its timestamps have no date: use 10:50 or +10m"
            raise UsageError(
                f"{'only one sample was taken' if found else 'no sample was taken'} "
                f"{self._in_words(start, end, zone)}",
                hint=f"the {self.whose} runs from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}{undated}",
            )
        return inside

    def _in_words(self, start: datetime, end: datetime, zone: tzinfo) -> str:
        """When the window is, by the capture's clock, without an end that was not given."""
        began, ended = (_in_zone(each, zone) for each in (start, end))
        if self.start and self.end:
            return f"between {began} and {ended}"
        return f"at or after {began}" if self.start else f"at or before {ended}"

    def refuse_backwards(self) -> None:
        """Raises UsageError where it is plain without any capture that the window ends before it begins."""
        if self.start is None or self.end is None:
            return
        one, other = self.start, self.end
        backwards = one.offset is not None and other.offset is not None and other.offset < one.offset
        if one.stamp and other.stamp and (one.stamp.tzinfo is None) == (other.stamp.tzinfo is None):
            backwards = other.stamp < one.stamp  # of one with a zone and one without it cannot be decided yet
        if backwards:
            raise self._wrong_order(other.text, one.text)

    def _wrong_order(self, end: str, start: str) -> UsageError:
        return UsageError(
            f"the window ends ({end}) before it begins ({start})", hint=f"{self._option('from')} comes first"
        )


def window_of(start: str | None, end: str | None, whose: str = "capture") -> TimeWindow | None:
    """The window between two moments as they were written; None where neither was.

    Args:
        start: When it begins, None for the capture's start.
        end: When it ends, None for the capture's end.
        whose: As in `TimeWindow`.

    Raises:
        UsageError: One of them is not a valid time, or they are in the wrong order.
    """
    if start is None and end is None:
        return None
    first, last = (None if text is None else parse_moment(text) for text in (start, end))
    window = TimeWindow(first, last, whose)
    window.refuse_backwards()
    return window


def _ends(times: pl.Series, zone: tzinfo) -> tuple[datetime, datetime]:
    """First and last of some times, in a zone."""
    first, last = times.min(), times.max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise TypeError("a time window needs a capture with times")
    return first.astimezone(zone), last.astimezone(zone)


def _in_zone(time: datetime, zone: tzinfo) -> str:
    """A moment by the clocks of a zone; in UTC at the ends of the calendar, where a zone may have none."""
    with suppress(OverflowError):
        time = time.astimezone(zone)
    return f"{time:%Y-%m-%d %H:%M:%S}"


def _last_of(time: datetime) -> datetime:
    """A moment [UTC]; of one that the clock shows twice the second."""
    return max(time.astimezone(UTC), time.replace(fold=1).astimezone(UTC))
