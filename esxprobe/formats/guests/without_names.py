"""What redactions of guests' logs share: listed words and numbers stay, every other word gets a pseudonym."""

from __future__ import annotations

import re
from collections.abc import Callable

from esxprobe.formats.guests import known_words
from esxprobe.formats.guests.format import Pseudonyms
from esxprobe.formats.guests.lines import without_colors
from esxprobe.formats.guests.raw import COLUMNS as RAW_COLUMNS

_OWN = re.compile(
    r"# esxprobe guest/\d+ (?:linux|windows|windows-raw) interval_s=\d+|@ \d+(?:\.\d+)?|-?\d+(?:,-?\d*)*|"
)
_TOTAL = re.compile(r"(?P<name>[A-Za-z_][\w()]*)(?P<rest>:?(?:\s+-?\d+)+\s*)")
PROCESSORS = re.compile(r"\(\d+ CPU\)")
_DATE = re.compile(r"[\d./-]+[년월일年月日]?|[년월일年月日]")
DROPPED = "(redacted)"
_MONTHS_AND_DAYS = "jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun am pm"
_CALENDAR = frozenset(_MONTHS_AND_DAYS.split())


def redacted_totals(content: bytes, names: Pseudonyms) -> tuple[str, int]:
    """The collector's stream, and dumps of /proc/vmstat and /proc/stat with stamps between them."""

    def change(line: str) -> str | None:
        if _OWN.fullmatch(line) or all(cell in RAW_COLUMNS for cell in line.split(",")):
            return line
        total = _TOTAL.fullmatch(line)
        if total:
            name = total["name"]
            return (name if known_words.is_total(name) else names.of("counter", name)) + total["rest"]
        return _stamp(line, names)

    return by_line(text_of(content), change)


def text_of(content: bytes) -> str:
    """A log as text: UTF-8, a code page, or UTF-16 where its mark shows it; no colors of a terminal."""
    wide = content[:2] in {b"\xff\xfe", b"\xfe\xff"}
    if wide:
        return content.decode("utf-16", "replace")
    content = without_colors(content)
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def by_line(text: str, change: Callable[[str], str | None]) -> tuple[str, int]:
    """Each line changed; those that become None are blanked and counted."""
    made, blanked = [], 0
    for line in re.split(r"(?<=\n)", text):
        body = line.rstrip("\r\n")
        new = change(body)
        blanked += new is None
        made.append((DROPPED if new is None else new) + line[len(body) :])
    return "".join(made), blanked


def _stamp(line: str, names: Pseudonyms) -> str | None:
    """A line with a time, without what is before it; None for any other line."""
    found = re.match(r"[A-Za-z_]+\s*[:=]\s*(?=\d)", line)
    rest = line[found.end() :] if found else line
    words = re.findall(r"[^\W\d]+", rest)
    known = all(word.casefold() in _CALENDAR or names.is_zone(word) or word in "TZ" for word in words)
    return ("time: " if found else "") + rest if known and re.search(r"\d", rest) else None


def known_cell(text: str, names: Pseudonyms) -> str:
    """A cell as it is when it is on a list or a number, otherwise with a pseudonym."""
    return text if known_words.is_cell(text) or not text else names.of("instance", text)


def redacted_banner(found: re.Match[str], names: Pseudonyms) -> str:
    """The first line of sysstat: kernel, name, date, machine, processors."""
    kernel = found["kernel"] if known_words.is_kernel(found["kernel"]) else names.of("id", found["kernel"])
    rest, processors = found["rest"], PROCESSORS.search(found["rest"])
    behind = rest[processors.start() : processors.end()] if processors else ""
    before = rest[: processors.start()] if processors else rest

    def word(found: re.Match[str]) -> str:
        text = found[0]
        return text if _DATE.fullmatch(text) or text.strip("_") in known_words.MACHINES else DROPPED

    return f"Linux {kernel} ({names.of('guest', found['name'])})" + re.sub(r"\S+", word, before) + behind
