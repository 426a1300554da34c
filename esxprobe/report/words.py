"""Numbers, times and names as the report prints them."""

from __future__ import annotations

from datetime import datetime

from esxprobe.model import Window


def number(value: float | None, unit: str = "") -> str:
    """A value rounded to what it means, with its unit; a dash for none."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unequal to itself
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 or (unit == "" and value == int(value)) else 1 if size >= 10 else 2
    if unit == "%" and size >= 10:
        digits = 1
    text = f"{value:,.{digits}f}"
    return f"{text} {unit}".rstrip()


def isolated(name: str) -> str:
    """A name that cannot turn the writing direction of the sentence around it."""
    if name.isascii():
        return name
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"


def threshold(value: float, unit: str = "") -> str:
    """A threshold as it was written, with its unit."""
    return f"{value:,g} {unit}".rstrip()


def moment(time: datetime | None, *, dated: bool = True) -> str:
    """A time as the report prints it, in UTC."""
    if time is None:
        return "–"
    return time.strftime("%Y-%m-%d %H:%M:%S" if dated else "%H:%M:%S")


def duration(seconds: float) -> str:
    """A length of time in the two largest units that it fills."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" + (f" {minutes} min" if minutes else "")


def window(span: Window, *, dated: bool = False) -> str:
    """A stretch of time in one line, with its day where the capture has more than one."""
    end = moment(span.end, dated=dated and span.end.date() != span.start.date())
    return f"{moment(span.start, dated=dated)}–{end} ({duration(span.seconds)})"
