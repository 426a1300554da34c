"""An esxtop CSV passed on line by line: rows as they are, headers without names, anything else blanked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import pdh
from esxprobe.formats.head import LONGEST_LINE
from esxprobe.formats.source import Source

BLANKED = b"redacted"
# A header that names nothing: the rows under it must not be read under the one before.
NO_HEADER = b'"(PDH-CSV 4.0) (UTC)(0)"'

_MARK = pdh.MARK.encode()
_BLOCK = 8 << 20
_MOST_BREAKS = 8
_NUMERIC = b'0123456789.,;"/: -+\r\n\x00'
_CELL = re.compile(rb'[^",;\r\n]+')
_NUMBER = re.compile(
    rb"\s*[-+]?(?:\d+\.?\d*|\.\d+)?(?:[eE][-+]?\d{1,3})?\s*|\s*[-+]?(?:inf|nan)\s*|\s*-\s*", re.IGNORECASE
)
_TIME = re.compile(
    rb"\s*(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4})?[ T]?(?:\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?)?\s*(?:[AaPp][Mm])?Z?\s*"
)
_SEPARATORS_OF_A_ROW = 3


@dataclass(slots=True)
class CopiedRows:
    """What was passed on.

    Attributes:
        blanked: Lines that are neither header nor row, and cells that hold no number.
        headers: The headers as they came.
        lost: Headers too damaged to be redacted; the rows under them are lost to a reader, as they were.
    """

    blanked: int = 0
    headers: list[bytes] = field(default_factory=list)
    lost: int = 0


def headers_of(source: Source) -> list[bytes]:
    """The distinct header lines of a file, without their line ends."""
    passed, lines = CopiedRows(), _Lines(source)
    while (block := lines.rows()) is not None:
        if not block:
            for _ in _header(lines, lambda line: line, passed):
                pass
    return list(dict.fromkeys(passed.headers))


def redacted_text(source: Source, redact: Callable[[bytes], bytes], passed: CopiedRows) -> Iterator[bytes]:
    """The text of a file block by block, without names.

    Args:
        source: The file.
        redact: From a header line to the same without names. Raises UnreadableInputError for a damaged one.
        passed: Is called with what was done.

    Raises:
        UnreadableInputError: A line is too long, or the first header is damaged.
    """
    lines = _Lines(source)
    while (block := lines.rows()) is not None:
        if block:
            yield block if _is_numeric(block) else _rows(block, passed)
            continue
        yield from _header(lines, redact, passed)


class _Lines:
    """Whole lines of a file: blocks without a header in them, and single lines from a header on."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._buffer = b""
        self._ended = False

    def rows(self) -> bytes | None:
        """The lines before the next header; empty when a header comes next; None at the end."""
        if not self._buffer and not self._more():
            return None
        mark = self._buffer.find(_MARK)
        if mark >= 0:
            start = mark - 1 if self._buffer[mark - 1 : mark] == b'"' else mark
            rows, self._buffer = self._buffer[:start], self._buffer[start:]
            return rows
        while not self._ended and b"\n" not in self._buffer:
            self._more()
            if _MARK in self._buffer:
                return self.rows()
        end = len(self._buffer) if self._ended else self._buffer.rfind(b"\n") + 1
        rows, self._buffer = self._buffer[:end], self._buffer[end:]
        return rows

    def peek(self) -> bytes:
        """The next line with its line end, where it is."""
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0 and not self._ended:
            seen = len(self._buffer)
            self._more()
        return self._buffer[: end + 1] if end >= 0 else self._buffer

    def take(self, line: bytes) -> None:
        """Passes over a line that was looked at."""
        self._buffer = self._buffer[len(line) :]

    def give_back(self, text: bytes) -> None:
        """Puts text before the next line."""
        self._buffer = text + self._buffer

    def _more(self) -> bool:
        more = b"" if self._ended else self._source.read(_BLOCK)
        self._ended = not more
        if len(self._buffer) + len(more) > LONGEST_LINE + _BLOCK and b"\n" not in self._buffer:
            raise UnreadableInputError(f"{self._source.path}: a line is longer than {LONGEST_LINE:,} bytes")
        self._buffer += more
        return bool(more)


def _header(lines: _Lines, redact: Callable[[bytes], bytes], passed: CopiedRows) -> Iterator[bytes]:
    """One header, put together where line breaks are in it."""
    whole = lines.peek()
    lines.take(whole)
    line = whole.rstrip(b"\r\n")
    end = whole[len(line) :]
    for _ in range(_MOST_BREAKS):
        more = lines.peek()
        if not pdh.continues_header(more.rstrip(b"\r\n")):
            break
        lines.take(more)
        line = pdh.join_header(line, more.rstrip(b"\r\n"))
        end = more[len(more.rstrip(b"\r\n")) :]
    at = pdh.row_in_header(line)
    if at >= 0:
        lines.give_back(line[at:] + end)
        line, end = line[:at], b""
    try:
        yield redact(line) + end
    except UnreadableInputError:
        if not passed.headers:
            raise
        passed.lost += 1
        yield NO_HEADER + (end or b"\n")
        return
    passed.headers.append(line)


def _is_numeric(block: bytes) -> bool:
    """Whether a block of rows holds digits and separators only, and no cell with two dots, as addresses have."""
    if block.translate(None, _NUMERIC):
        return False
    text = np.frombuffer(block, np.uint8)
    dots, ends = text == ord("."), np.isin(text, np.frombuffer(b'",;\n', np.uint8))
    marks = dots[dots | ends]
    return not bool((marks[1:] & marks[:-1]).any())


def _rows(block: bytes, passed: CopiedRows) -> bytes:
    return b"".join(_row(line, passed) for line in block.splitlines(keepends=True))


def _row(line: bytes, passed: CopiedRows) -> bytes:
    """A line of numbers as it is, a row with odd cells without them, anything else blanked."""
    text = line.rstrip(b"\r\n")
    if not text.strip(b" \t\x00") or _is_numeric(line):
        return line
    if text.count(b",") + text.count(b";") < _SEPARATORS_OF_A_ROW:
        passed.blanked += 1
        return BLANKED + line[len(text) :]

    def checked(found: re.Match[bytes]) -> bytes:
        cell = found[0].replace(b"\x00", b"")
        if _NUMBER.fullmatch(cell) or _TIME.fullmatch(cell):
            return found[0]
        passed.blanked += 1
        if not cell.strip(b"0123456789. -"):  # two numbers in one, or an address: a reader sees a torn row
            return re.sub(rb"\d", b"0", found[0])
        return re.sub(rb"[^\s]", b"x", found[0])

    return _CELL.sub(checked, text) + line[len(text) :]
