"""One time as programs and people write it: ISO, seconds since 1970, names of months, numbers in a country's order.

The vSphere Client and PowerShell write times as the language of browser or system has them: `3/26/2026 9:35:02 PM`,
`26.03.2026, 21:35:02`, `2026/03/26 下午9:35:02`, `26 mars 2026 21:35:02`. What a zone is called by letters is
understood for UTC alone; a text with another name of a zone is not read as a time.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

_ISO = re.compile(r"\d{4}-\d\d?-\d\d?[T ]\d\d?:\d\d")
# Seconds, or milliseconds, since 1970, of 2001 to 2100; PowerShell 5 writes the latter as /Date(...)/ into JSON.
_EPOCH = re.compile(r"(?P<s>\d{10})(?:\.\d{1,9})?|(?P<ms>\d{13})|/Date\((?P<date>-?\d{9,13})(?:[+-]\d{4})?\)/")
_MOST_EPOCH_S = 4_102_444_800
_MOST = 80

# Of languages that the vSphere Client and common systems have; without accents.
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar janner janvier janv ene enero janeiro gen gennaio",
            "feb february februar fevrier fevr febrero fev fevereiro febbraio",
            "mar march marz mars marzo marco",
            "apr april avril avr abr abril aprile",
            "may mai mayo maio mag maggio",
            "jun june juni juin junio junho giu giugno",
            "jul july juli juillet juil julio julho lug luglio",
            "aug august aout ago agosto",
            "sep sept september septembre septiembre setembro set settembre",
            "oct october okt oktober octobre octubre out outubro ott ottobre",
            "nov november novembre noviembre novembro",
            "dec december dez dezember decembre dic diciembre dezembro dicembre",
        ),
        1,
    )
    for name in names.split()
}
_SIGNS = str.maketrans({"年": "-", "月": "-", "日": " ", "년": "-", "월": "-", "일": " "})
_HALVES = {"下午": " PM ", "上午": " AM ", "午後": " PM ", "午前": " AM ", "오후": " PM ", "오전": " AM "}

_DATE = re.compile(r"(\d{4}|\d{1,2})([-/.]) ?(\d{1,2})\2 ?(\d{4}|\d{1,2})(?!\d)\.?")
_BETWEEN = r"(?:[ ./-]|st|nd|rd|th|de(?= ))+"
_DAY_FIRST = re.compile(rf"(?P<day>\d{{1,2}}){_BETWEEN}(?P<month>[a-z]{{3,10}}){_BETWEEN}(?P<year>\d{{4}})(?!\d)")
_MONTH_FIRST = re.compile(r"(?P<month>[a-z]{3,10})[. ]+(?P<day>\d\d?)(?:st|nd|rd|th)? +(?P<year>\d{4})(?!\d)")
# A weekday, and `um`, `at` between date and clock.
_WORD = re.compile(r"[^\W\d_]+\.? +")
_HALF = re.compile(r"(?<![a-z])([ap])\.? ?m\b\.?")
_CLOCK = re.compile(r"(\d{1,2})([:.])(\d\d)(?:\2(\d\d)(?:[.,](\d{1,9}))?)?(?!\d)")
_OFFSET = re.compile(
    r"(?P<name>utc|gmt|z)? ?(?:(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d\d)?)?(?: ?\(?(?:utc|gmt)\)?)?"
    r"(?: ?\([^()]*\))?"
)


class _Parts(NamedTuple):
    """A time whose date is not put together: numbers as they stand, or day, month and year where they are sure."""

    numbers: tuple[str, str, str]
    sign: str
    date: tuple[int, int, int] | None
    clock: tuple[int, int, int, int]
    zone: tzinfo | None


def certain_time(text: str) -> datetime | None:
    """A time that can be read in one way, with or without a zone; None for another text.

    Args:
        text: ISO, seconds or milliseconds since 1970, a date with the year in front or with the name of a month.
    """
    plain = text.strip()
    if _ISO.match(plain):
        try:
            return datetime.fromisoformat(plain.replace(" UTC", "+00:00"))
        except ValueError:
            pass
    elif match := _EPOCH.fullmatch(plain):
        return _since_1970(match)
    parts = _parts(plain)
    if parts is None or (parts.date is None and len(parts.numbers[0]) < 4):
        return None
    year, month, day = parts.date or (int(each) for each in parts.numbers)
    return _made(year, month, day, parts)


def time_in_order(text: str, order: str) -> datetime | None:
    """A date of three numbers in one order, with a time of day; None where it is none.

    Args:
        text: A cell.
        order: `month-first` or `day-first`.
    """
    parts = _parts(text.strip())
    if parts is None or parts.date is not None or len(parts.numbers[0]) > 2 or len(parts.numbers[2]) not in {2, 4}:
        return None
    first, second, year = (int(each) for each in parts.numbers)
    if order == "month-first" and parts.sign == ".":
        return None  # it is not written so
    day, month = (second, first) if order == "month-first" else (first, second)
    return _made(year + (2000 if year < 100 else 0), month, day, parts)


def zone_in(text: str) -> tzinfo | None:
    """The zone that a heading names: `Time (UTC)`, `Date (GMT+02:00)`; None without one."""
    match = re.search(r"\b(?:utc|gmt)(?: ?[+-]\d{1,2}(?::?\d\d)?)?", text.lower())
    return _zone(match[0])[1] if match else None


def _since_1970(match: re.Match[str]) -> datetime | None:
    seconds = float(match["s"]) if match["s"] else int(match["ms"] or match["date"]) / 1000
    if not 0 < seconds < _MOST_EPOCH_S:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


@lru_cache(maxsize=64)  # each cell is asked for in every order
def _parts(text: str) -> _Parts | None:
    """A text taken apart; None where it is not a date with a time of day."""
    if len(text) > _MOST:
        return None
    plain = _folded(text)
    rest = plain
    for _ in range(2):
        if found := _dated(rest):
            break
        word = _WORD.match(rest)
        rest = rest[word.end() :] if word else ""
    else:
        return None
    numbers, sign, date, end = found
    rest = rest[end:].lstrip(" t:")
    half = _HALF.search(rest)
    if half:
        rest = f"{rest[: half.start()]} {rest[half.end() :]}".strip()
    while word := _WORD.match(rest):
        rest = rest[word.end() :]
    clock = _CLOCK.match(rest)
    if clock is None:
        return None
    hour = int(clock[1])
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half[1] == "p")
    is_known, zone = _zone(rest[clock.end() :].strip().removeprefix("uhr"))
    micro = int((clock[5] or "0")[:6].ljust(6, "0"))
    return _Parts(numbers, sign, date, (hour, int(clock[3]), int(clock[4] or 0), micro), zone) if is_known else None


def _folded(text: str) -> str:
    """A text in small letters and plain blanks, without accents, marks of direction and commas between parts."""
    for name, half in _HALVES.items():
        text = text.replace(name, half)
    text = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    kept = "".join(each for each in text if not unicodedata.combining(each) and unicodedata.category(each) != "Cf")
    return " ".join(re.sub(r",(?!\d)", " ", kept).lower().split())


def _dated(text: str) -> tuple[tuple[str, str, str], str, tuple[int, int, int] | None, int] | None:
    """The date in front: its numbers, the sign between them, year, month and day where they are sure, its end."""
    if match := _DATE.match(text):
        return (match[1], match[3], match[4]), match[2], None, match.end()
    match = _DAY_FIRST.match(text) or _MONTH_FIRST.match(text)
    if match and match["month"] in _MONTHS:
        date = (int(match["year"]), _MONTHS[match["month"]], int(match["day"]))
        return ("", "", ""), "", date, match.end()
    return None


def _zone(text: str) -> tuple[bool, tzinfo | None]:
    """Whether a text behind a clock is understood, and the zone that it names."""
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        return False, None
    if match["sign"]:
        minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
        if minutes > 14 * 60:
            return False, None
        return True, timezone(timedelta(minutes=-minutes if match["sign"] == "-" else minutes))
    is_utc = match["name"] or "utc" in text or "gmt" in text
    return True, UTC if is_utc else None


def _made(year: int, month: int, day: int, parts: _Parts) -> datetime | None:
    hour, minute, second, micro = parts.clock
    try:
        return datetime(year, month, day, hour, minute, second, micro, tzinfo=parts.zone)
    except ValueError:
        return None
