"""Logs from inside guests without names: each format says how (`esxprobe.formats.guests.format`).

A kind of log that is not known is not passed on, and neither is a line of no known form.
"""

from __future__ import annotations

import re

from esxprobe.formats.guests.format import guest_formats
from esxprobe.formats.guests.without_names import by_line, text_of
from esxprobe.formats.injections import HEADER as EXPERIMENT
from esxprobe.redact.redactor import Redactor

_NUMBERS = re.compile(r"(?:\s+[-+]?[\d.]+(?:[eE][-+]?\d+)?)+\s*")
_FACTS = frozenset(("cpus", "available_kb", "page", "pages"))


def redacted_guest_log(content: bytes, redactor: Redactor) -> tuple[bytes, int] | None:
    """A log without names, and how many lines or cells were blanked; None where the log is of no known kind."""
    text = text_of(content)
    head = text[: 1 << 16]
    if EXPERIMENT in head:
        made: tuple[str, int] | None = _experiment(text, redactor)
    else:
        start = head.encode("utf-8", "replace").replace(b"\r\n", b"\n")
        known = next((each for each in guest_formats() if each.recognizes(start)), None)
        made = known.redact(content, redactor) if known else None
    return None if made is None else (made[0].encode("utf-8", "replace"), made[1])


def _experiment(text: str, redactor: Redactor) -> tuple[str, int]:
    """What the fault injector printed."""

    def change(line: str) -> str | None:
        if not line.strip():
            return line
        if line.startswith(EXPERIMENT):
            return EXPERIMENT + redactor.line(line[len(EXPERIMENT) :])
        word, _, rest = line.partition(" ")
        if word in {"cal", "start", "@"} and _NUMBERS.fullmatch(line[len(word) :]):
            return line
        if word == "facts":
            pairs = [pair.partition("=") for pair in rest.split()]
            kept = [f"{key}={value}" for key, _, value in pairs if key in _FACTS and value.isdecimal()]
            return " ".join(["facts", *kept])
        return f"end {redactor.line(rest)}" if word == "end" else None

    return by_line(text, change)
