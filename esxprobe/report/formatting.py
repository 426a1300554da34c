"""Numbers, times and names as the report prints them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esxprobe.model import QualityNote, Skipped, Window

# Words for a VM's monitor mode.
MODES = {"hardware": "hardware MMU", "software": "software MMU", "unknown": "monitor mode unknown"}


# MB of five digits are read as GB: 1,024 MB each, as esxtop and the vSphere Client count.
_MANY_MB, MB_IN_GB = 10_000, 1024
# A rate's unit as it is printed behind a number.
_PRINTED = {"1/s": "/s"}
_PLAIN_WORD = re.compile(r"[a-z]+(?![^\s,])")


def number(value: float | None, unit: str = "") -> str:
    """A value rounded to what it means, with its unit; MB of five digits in GB; a dash for none."""
    if value is None or value != value:  # noqa: PLR0124 - NaN is the only value unequal to itself
        return "–"
    if unit == "MB" and abs(value) >= _MANY_MB:
        return number(value / MB_IN_GB, "GB")
    size = abs(value)
    digits = 0 if size >= 100 or (unit == "" and value == int(value)) else 1 if size >= 10 else 2
    if unit == "%" and size >= 10:
        digits = 1
    return _with_unit(f"{value:,.{digits}f}", unit)


def printed(value: float, unit: str) -> float:
    """The value that a reader of `number` sees, in the same unit."""
    text = number(value, unit)
    scale = MB_IN_GB if unit == "MB" and text.endswith(" GB") else 1
    return scale * float(re.sub(r"[^\d.-]", "", text))


def _with_unit(text: str, unit: str) -> str:
    shown = _PRINTED.get(unit, unit)
    return f"{text}{shown}" if shown.startswith("/") else f"{text} {shown}".rstrip()


def without_label(title: str) -> str:
    """A rule's title without esxtop's label in brackets at its end."""
    return re.sub(r" \([^()]*\)$", "", title)


def percent(share: float) -> str:
    """A share of one as whole percent."""
    return f"{100 * share:.0f} %"


def isolated(name: str) -> str:
    """A name that cannot turn the writing direction of the sentence around it."""
    if name.isascii():
        return name
    return f"\N{FIRST STRONG ISOLATE}{name}\N{POP DIRECTIONAL ISOLATE}"


def threshold(value: float, unit: str = "") -> str:
    """A threshold as it was written, with its unit; MB of five digits in GB."""
    if unit == "MB" and abs(value) >= _MANY_MB:
        return f"{value / MB_IN_GB:,.4g} GB"
    return _with_unit(f"{value:,g}", unit)


def moment(time: datetime | None, *, dated: bool = True) -> str:
    """A time as the report prints it, in the zone that it carries: UTC by default."""
    if time is None:
        return "–"
    text = time.isoformat(" ", "seconds")  # a page prints thousands of times, and strftime is slow
    return text[:19] if dated else text[11:19]


def duration(seconds: float) -> str:
    """A duration in the two largest units that it fills."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h" + (f" {minutes} min" if minutes else "")


def window(span: Window, *, dated: bool = False, timezone: str = "") -> str:
    """A stretch of time in one line, with its day where the capture has more than one.

    Args:
        span: In UTC.
        dated: Whether the day is shown.
        timezone: Zone in which it is shown as well.
    """
    text = f"{_from_to(span.start, span.end, dated=dated)} ({duration(span.seconds)})"
    if not timezone:
        return text
    return f"{text} = {_from_to(in_zone(span.start, timezone), in_zone(span.end, timezone), dated=dated)} local"


def _from_to(start: datetime, end: datetime, *, dated: bool) -> str:
    return f"{moment(start, dated=dated)}–{moment(end, dated=dated and end.date() != start.date())}"


def in_zones(time: datetime | None, timezone: str = "", *, dated: bool = True) -> str:
    """A time in UTC and, where a person named the capture's zone, in that as well."""
    if time is None:
        return "not recorded"
    text = f"{moment(time, dated=dated)} UTC"
    return f"{text} = {local(time, timezone, dated=dated)}" if timezone else text


def in_zone(time: datetime, timezone: str) -> datetime:
    """The same moment by the clocks of a zone (an IANA name or an offset)."""
    from esxprobe.formats.timestamps import named_zone

    return time.astimezone(named_zone(timezone))


def local(time: datetime, timezone: str, *, dated: bool = True) -> str:
    """A time in a zone, with the zone's name and offset."""
    there = in_zone(time, timezone)
    offset = there.strftime("%z")
    name = "" if timezone[:1] in "+-" else f" {timezone}"
    return f"{moment(there, dated=dated)}{name} ({offset[:3]}:{offset[3:5]})"


def plural(count: int, word: str) -> str:
    """The word, with an s where there are several."""
    return word if count == 1 else f"{word}s"


def sentence(text: str) -> str:
    """With a full stop, where it does not end in a mark of its own."""
    return text if text.endswith(("?", ".")) else f"{text}."


def begun(text: str) -> str:
    """As a sentence begins: a plain word has a capital letter, `vCPUs` and labels of esxtop stay as they are."""
    return text[:1].upper() + text[1:] if _PLAIN_WORD.match(text) else text


def joined(parts: list[str]) -> str:
    """A, B and C."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def skips_in_words(skipped: Sequence[Skipped]) -> list[str]:
    """How many rules could not run, told apart from those whose things the host does not have."""
    from esxprobe.rules.skips import not_there

    absent = sum(not_there(each.reason) for each in skipped)
    rest = len(skipped) - absent
    sentences = [f"{rest} {plural(rest, 'rule')} had to be skipped."] if rest else []
    if absent:
        sentences.append(
            f"{absent} {plural(absent, 'rule')} did not apply: no such device on this host, or no log."
        )
    return sentences


def quality_rows(notes: Iterable[QualityNote]) -> tuple[tuple[str, ...], ...]:
    """Rows on the quality of what was read, the worst first: severity, code, count, place, and what to do."""
    from esxprobe.catalog.quality import quality_code
    from esxprobe.model import worst_first

    ordered = sorted(notes, key=lambda note: (worst_first(note.severity), note.code))
    return tuple(
        (note.severity, note.code, f"{note.count:,}", note.detail, quality_code(note.code).advice)
        for note in ordered
    )
