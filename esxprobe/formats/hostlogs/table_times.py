"""Times in tables that people export: ISO, or dates of one country's order, told over the whole column."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

_ISO = re.compile(r"\d{4}-\d\d?-\d\d?[T ]\d\d?:\d\d")
_FORMS = {
    "month-first": ("%m/%d/%Y", "%m-%d-%Y"),
    "day-first": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"),
    "year-first": ("%Y/%m/%d", "%Y.%m.%d"),
}
_CLOCKS = ("%H:%M:%S", "%H:%M:%S.%f", "%I:%M:%S %p", "%H:%M", "%I:%M %p")
_ANSIC = "%a %b %d %H:%M:%S %Y"


class TimeColumn:
    """The order of day and month in a column of times.

    Attributes:
        lacking: How many of the texts name no zone.
    """

    def __init__(self) -> None:
        self._fits = dict.fromkeys(_FORMS, 0)
        self._spans: dict[str, list[datetime]] = {}
        self.lacking = 0
        self.seen = 0

    def look(self, text: str) -> None:
        """Takes note of one text."""
        self.seen += 1
        stamp = iso(text)
        self.lacking += stamp is None or stamp.tzinfo is None
        if stamp is None:
            for order in _FORMS:
                made = in_order(text, order)
                if made is not None:
                    self._fits[order] += 1
                    span = self._spans.setdefault(order, [made, made])
                    span[0], span[1] = min(span[0], made), max(span[1], made)

    def orders(self, near: datetime | None) -> list[str]:
        """The orders that fit best: of several those whose times lie around `near`, where that tells them apart."""
        most = max(self._fits.values())
        best = [order for order, count in self._fits.items() if count == most and count]
        if len(best) < 2 or near is None:
            return best
        day = near.replace(tzinfo=None)
        around = [
            order for order in best if self._spans[order][0].date() <= day.date() <= self._spans[order][1].date()
        ]
        return around if len(around) == 1 else best


def iso(text: str) -> datetime | None:
    """An ISO stamp, with or without a zone; None for another text."""
    plain = text.strip()
    if not _ISO.match(plain):
        return None
    try:
        return datetime.fromisoformat(plain.replace(" UTC", "+00:00"))
    except ValueError:
        return None


def in_order(text: str, order: str) -> datetime | None:
    """A date in one order with a time of day; None where it is none."""
    plain = " ".join(text.replace("\u202f", " ").replace(",", " ").split())
    date, _, clock = plain.partition(" ")
    for form in _FORMS[order]:
        for shown in _CLOCKS:
            try:
                return datetime.strptime(f"{date} {clock.upper()}", f"{form} {shown}")
            except ValueError:
                continue
    return None


def ansic(text: str) -> datetime | None:
    """`Mon Jan  2 15:04:05 2006`; None for another text."""
    try:
        return datetime.strptime(" ".join(text.split()), _ANSIC)
    except ValueError:
        return None


def in_utc(stamp: datetime, zone: tzinfo | None) -> datetime | None:
    """A stamp in UTC; None where its zone is not given."""
    try:
        if stamp.tzinfo is None:
            return stamp.replace(tzinfo=zone).astimezone(UTC) if zone else None
        return stamp.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
