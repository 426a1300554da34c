"""Data rows that can be trusted: every row's separators are counted before a value of it is believed.

A row whose separators, quotes and blanks are those of its neighbours is passed on untouched; any
other goes to the `Mender`.
"""

from __future__ import annotations

from collections import Counter as Counts
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from esxprobe.formats.mend import Layout, Mender
from esxprobe.formats.tally import Tally

# Longest line that is still a row [bytes]: 2 million columns of 130 characters.
LONGEST_LINE = 1 << 28

_COMMA, _QUOTE, _SPACE = 44, 34, 32
_MARK = b"(PDH-CSV"
_HEADS = (b'"(PDH-CSV', b"(PDH-CSV")

# How many kinds of rows are tried when the usual one is looked for.
_KINDS_TRIED = 8

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A line's place in a block.

    Attributes:
        number: Line number in the file, from 1.
        start: First byte.
        end: Byte behind the last one, the line break not counted.
        cut: The line has no line break of its own.
        header: The line is a header.
    """

    number: int
    start: int
    end: int
    cut: bool
    header: bool


@dataclass(slots=True)
class Piece:
    """Rows of one segment as bytes for a CSV parser, and the file's line number of each."""

    data: bytes
    lines: list[int]
    trailing: bool


@dataclass(slots=True)
class _Line:
    number: int
    start: int
    end: int
    cut: bool
    shape: Shape


@dataclass(slots=True)
class RowChecker:
    """Checks the rows under one header, block by block.

    Attributes:
        layout: What a row must look like.
        tally: Where damage is counted.
    """

    layout: Layout
    tally: Tally
    _usual: Shape | None = field(default=None)
    _mender: Mender = field(init=False)

    def __post_init__(self) -> None:
        self._mender = Mender(self.layout, self.tally)

    def check(self, block: bytes, spans: list[Span]) -> Piece:
        """The trustworthy rows of a block, given the spans of the lines that stand under this header."""
        survey = np.frombuffer(block, np.uint8)
        lines = [
            _Line(span.number, span.start, span.end, span.cut, self._shape(survey, span.start, span.end))
            for span in spans
        ]
        if self._usual is None:
            self._learn(block, lines)
        usual = self._usual
        doubtful = {
            n
            for n, line in enumerate(lines)
            # an unquoted last value without its line break may have lost digits
            if line.shape != usual or (line.cut and block[line.end - 1 : line.end] != b'"')
        }
        if not doubtful:
            return self._whole(block, lines)
        return self._mended(block, lines, doubtful)

    def fits(self, line: bytes) -> bool:
        """Whether a line looks just like the rows before it."""
        return self._shape(np.frombuffer(line, np.uint8), 0, len(line)) == self._usual

    def recheck(self, piece: Piece) -> Piece:
        """The rows of a piece that the parser refused, each cell checked on its own."""
        rows: list[bytes] = []
        numbers: list[int] = []
        for number, line in zip(piece.lines, piece.data.split(b"\n"), strict=False):
            given = self._mender.row(line.rstrip(b"\r"), number)
            rows.extend(given)
            numbers.extend([number] * len(given))
        return Piece(b"".join(rows), numbers, piece.trailing)

    def _shape(self, survey: NDArray[np.uint8], start: int, end: int) -> Shape:
        row = survey[start:end]
        commas = int(np.count_nonzero(row == _COMMA))
        quotes = int(np.count_nonzero(row == _QUOTE))
        layout = self.layout
        if not (layout.loose or layout.glued or layout.texts):
            return commas, quotes, int(np.count_nonzero(row <= _SPACE))
        # Padded cells vary in blanks; a blank right behind a quote is what must not be there.
        quote = row == _QUOTE
        control = int(np.count_nonzero(row < _SPACE))
        inside = int(np.count_nonzero(quote[:-1] & (row[1:] == _SPACE)))
        if not layout.texts:
            return commas, quotes, control + inside
        # Words may hold commas and so hide that a separator is missing: count the ends of cells too.
        return commas, quotes, control + inside, int(np.count_nonzero(quote[:-1] & (row[1:] == _COMMA)))

    def _learn(self, block: bytes, lines: list[_Line]) -> None:
        """The most common shape whose rows are sound in every cell becomes the usual one."""
        width = self.layout.width
        examples = {line.shape: line for line in reversed(lines) if not line.cut}
        fitting = Counts(line.shape for line in lines if self.layout.texts or width - 1 <= line.shape[0] <= width)
        for shape, _ in fitting.most_common(_KINDS_TRIED):
            line = examples.get(shape)
            text = block[line.start : line.end].rstrip(b"\r") if line else b""
            if text and self._mender.sound(text):
                self._usual = shape
                self._mender.trailing = text.endswith(b",")
                if self._mender.trailing:
                    self.tally.add("trailing-comma", 1, "in the rows")
                return

    def _whole(self, block: bytes, lines: list[_Line]) -> Piece:
        """Sound rows as they stand."""
        trailing = self._mender.trailing
        if not lines:
            return Piece(b"", [], trailing)
        data = block
        if lines[0].start or lines[-1].end < len(block) - 1:
            data = block[lines[0].start : lines[-1].end] + b"\n"
        gapless = all(a.end + 1 == b.start for a, b in pairwise(lines))
        if not gapless:
            data = b"\n".join(block[line.start : line.end] for line in lines) + b"\n"
        return Piece(data, [line.number for line in lines], trailing)

    def _mended(self, block: bytes, lines: list[_Line], doubtful: set[int]) -> Piece:
        """Sound rows as they stand, doubtful ones as the mender gives them."""
        rows: list[bytes] = []
        numbers: list[int] = []
        at = 0
        while at < len(lines):
            line = lines[at]
            text = block[line.start : line.end]
            if at not in doubtful:
                rows.append(text + b"\n")
                numbers.append(line.number)
                at += 1
                continue
            follower = None
            if at + 1 in doubtful:
                follower = block[lines[at + 1].start : lines[at + 1].end]
            mended, used = self._mender.mend(text, follower, line.number, cut=line.cut)
            rows.extend(mended)
            numbers.extend([line.number] * len(mended))
            at += used
        return Piece(b"".join(rows), numbers, self._mender.trailing)


def line_spans(block: bytes, first_number: int) -> list[Span]:
    """The lines of a block; a header glued to the row before it starts a line of its own."""
    breaks: list[int] = []
    at = block.find(b"\n")
    while at >= 0:
        breaks.append(at)
        at = block.find(b"\n", at + 1)
    if block and not block.endswith(b"\n"):
        breaks.append(len(block))
    spans: list[Span] = []
    start = 0
    # Rows hold no parenthesis, and one byte is found many times faster than eight.
    mark = block.find(_MARK) if b"(" in block else -1
    for number, end in enumerate(breaks, start=first_number):
        while 0 <= mark < end:
            begin = mark - 1 if block[mark - 1 : mark] == b'"' else mark
            if begin > start:
                spans.append(Span(number, start, begin, cut=True, header=block.startswith(_HEADS, start)))
                start = begin
            mark = block.find(_MARK, mark + 1)
        spans.append(Span(number, start, end, end == len(block), block.startswith(_HEADS, start)))
        start = end + 1
    return spans
