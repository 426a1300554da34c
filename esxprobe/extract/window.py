"""A window of time as people write it: ISO stamps, clock times of the capture's day, offsets from its start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

from esxprobe.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

_OFFSET = re.compile(r"\+(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
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

        A time of day is that of the first day; or of the next one, where it would lie before the capture and
        the capture still runs then, or where it would lie before `since`.

        Args:
            first: The first sample, in the capture's zone.
            last: The last one.
            since: When the window begins, where that was said.
        """
        if self.offset is not None:
            return first + self.offset
        if self.stamp is not None:
            return self.stamp if self.stamp.tzinfo else self.stamp.replace(tzinfo=first.tzinfo)
        begin = max(since, first).astimezone(first.tzinfo) if since else first
        here = datetime.combine(begin.date(), self.clock or time(), first.tzinfo)
        if here < begin and (since or here + _DAY <= last):
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
            return Moment(text, offset=timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds))
        if match := _CLOCK.fullmatch(plain):
            return Moment(text, clock=time(int(match[1]), int(match[2]), int(match[3] or 0)))
        return Moment(text, stamp=datetime.fromisoformat(plain))
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no point in time",
            hint="write 2018-04-24T10:50:00, 10:50 of the capture's day, or +10m from its start",
        ) from error


@dataclass(frozen=True, slots=True)
class Window:
    """From one moment to another, both included; an open end is the capture's."""

    start: Moment | None = None
    end: Moment | None = None

    def holds(self, times: pl.Series, zone: tzinfo) -> pl.Series:
        """Which of some times [UTC] lie in the window; unreadable ones (null) do not.

        Raises:
            UsageError: The window ends before it begins, or no sample is in it.
        """
        first, last = times.min(), times.max()
        if not isinstance(first, datetime) or not isinstance(last, datetime):
            return times.is_not_null()
        first, last = first.astimezone(zone), last.astimezone(zone)
        try:
            start = self.start.at(first, last, None) if self.start else None
            end = self.end.at(first, last, start) if self.end else None
            inside = times.is_not_null()
            if start is not None:
                inside &= times >= start.astimezone(UTC)
            if end is not None:
                inside &= times <= end.astimezone(UTC)
        except OverflowError as error:
            raise UsageError("the window reaches beyond the calendar", hint="write 10:50 or +10m") from error
        if start and end and end < start:
            raise UsageError(
                f"the window ends ({end:%Y-%m-%d %H:%M:%S}) before it begins ({start:%Y-%m-%d %H:%M:%S})",
                hint="--from comes first",
            )
        if not inside.any():
            raise UsageError(
                f"no sample lies between {start or first:%Y-%m-%d %H:%M:%S} and {end or last:%Y-%m-%d %H:%M:%S}",
                hint=f"the capture goes from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}",
            )
        return inside.fill_null(value=False)
