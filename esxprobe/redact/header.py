"""The header line of an esxtop CSV with its names replaced in place: damage stays where it is, names do not."""

from __future__ import annotations

import re

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import paths, pdh
from esxprobe.redact.instances import Instances
from esxprobe.redact.redactor import Redactor

# Between two names stand separators, and the values of columns that carry no name.
_GAP = re.compile(r'[\s",;.+\-0-9\x00]*')
_SAFE_IN_GAP = re.compile(r'[^\s",;\x00]')
_FIRST = re.compile(r'(?s)(?P<mark>"?\(PDH-CSV [0-9.]+\) ?)(?P<zone>.*?)(?P<rest>"?[,;]"?)')


def redacted_header(line: bytes, redactor: Redactor) -> bytes:
    """A header line without its line end, its names replaced.

    What was made is read again and compared: same columns, same cells, and of each path just what it should be.

    Raises:
        UnreadableInputError: The line names no column, or is too damaged to tell where its names are.
    """
    header = pdh.parse_header(line)
    instances = Instances(paths.index(header.columns), redactor)
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("cp1252", errors="replace")
    expected = [instances.path(name) if name else "" for name in header.names]
    made = _in_place(text, header.names, expected, redactor)
    again = _read_again(made)
    if again is None or _shape(again) != _shape(header) or again.names != expected:
        raise _damaged()
    return made.encode("utf-8", "replace")


def _in_place(text: str, names: list[str], given: list[str], redactor: Redactor) -> str:
    pieces: list[str] = []
    at = 0
    for name, new in zip(names, given, strict=True):
        if not name:
            continue
        start, length = text.find(name, at), len(name)
        doubled = name.replace('"', '""')
        if doubled != name and text.find(doubled, at) >= 0:
            start, length = text.find(doubled, at), len(doubled)
        if start < 0:
            raise _damaged()
        pieces += [_gap(text[at:start], redactor, first=not pieces), new]
        at = start + length
    return "".join([*pieces, _gap(text[at:], redactor, first=False)])


def _gap(text: str, redactor: Redactor, *, first: bool) -> str:
    if first:
        found = _FIRST.match(text)
        if found is None:
            raise _damaged()
        zone = redactor.zone(found["zone"].strip())
        return f"{found['mark']}{zone}{found['rest']}{_gap(text[found.end() :], redactor, first=False)}"
    return text if _GAP.fullmatch(text) else _SAFE_IN_GAP.sub("x", text)


def _read_again(text: str) -> pdh.Header | None:
    try:
        return pdh.parse_header(text.encode("utf-8", "replace"))
    except UnreadableInputError:
        return None


def _shape(header: pdh.Header) -> tuple[object, ...]:
    return header.cells, header.columns["part"].to_list(), header.width, header.quoted, header.separator


def _damaged() -> UnreadableInputError:
    return UnreadableInputError(
        "the header is too damaged to tell where its names are",
        hint="nothing was written; redact the report instead (esxprobe report --redact), or capture again",
    )
