"""Times in tables that people export: certain ones, or dates of one country's order, told over the whole column."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from esxprobe.formats.hostlogs.time_words import certain_time, time_in_order

_ORDERS = ("month-first", "day-first")
# Fewer steps in one direction from row to row can be chance.
_SORTED = 4
_ANSIC = "%a %b %d %H:%M:%S %Y"


class _ReadDates:
    """A column of times as one order reads it."""

    def __init__(self) -> None:
        self.count, self._ups, self._downs = 0, 0, 0
        self._days: set[date] = set()
        self._before: datetime | None = None

    def add(self, made: datetime) -> None:
        plain = made.replace(tzinfo=None)
        if self._before is not None:
            self._ups += plain > self._before
            self._downs += plain < self._before
        self._before = plain
        self._days.add(plain.date())
        self.count += 1

    def is_near(self, day: date) -> bool:
        """Whether some row is of a day, or of the one before or behind it in another zone."""
        return any(abs(each - day) <= timedelta(days=1) for each in self._days)

    @property
    def is_sorted(self) -> bool:
        return min(self._ups, self._downs) == 0 and max(self._ups, self._downs) >= _SORTED


class TimeColumn:
    """The order of day and month in a column of times.

    Attributes:
        lacking: How many of the texts name no zone.
        seen: How many texts were looked at.
        known: How many of them are times.
    """

    def __init__(self) -> None:
        self._read = {order: _ReadDates() for order in _ORDERS}
        self.lacking = self.seen = self.known = 0

    def look(self, text: str) -> None:
        """Takes note of one text."""
        self.seen += 1
        stamp = certain_time(text)
        made = {} if stamp else {order: time_in_order(text, order) for order in _ORDERS}
        zones = [each.tzinfo for each in (stamp, *made.values()) if each is not None]
        self.known += bool(zones)
        self.lacking += not any(zones)
        for order, moment in made.items():
            if moment is not None:
                self._read[order].add(moment)

    def orders(self, near: datetime | None) -> list[str]:
        """The orders that fit best.

        Of several the one in which the rows are sorted, as exports are; where that does not tell them apart, the
        one that has rows of the day of `near`.
        """
        most = max(each.count for each in self._read.values())
        best = [order for order, each in self._read.items() if each.count == most and most]
        if len(best) < 2:
            return best
        in_row = [order for order in best if self._read[order].is_sorted]
        if len(in_row) == 1:
            return in_row
        if near is None:
            return best
        around = [order for order in best if self._read[order].is_near(near.date())]
        return around if len(around) == 1 else best


def ansic(text: str) -> datetime | None:
    """`Mon Jan  2 15:04:05 2006`; None for another text."""
    try:
        return datetime.strptime(" ".join(text.split()), _ANSIC)
    except ValueError:
        return None
