"""Data rows that can be trusted: every row's separators are counted before a value of it is believed.

A row whose separators, quotes and blanks are those of its neighbors is passed on untouched; any
other goes to the `Repairer`.
"""

from __future__ import annotations

import re
from collections import Counter as Counts
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

import numpy as np

from esxprobe.arrays import Integers
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.repair import Repairer, RowLayout
from esxprobe.formats.row_scanner import RowScan, RowScanner, Shape

_MARK = b"(PDH-CSV"
_HEADS = (b'"(PDH-CSV', b"(PDH-CSV")

# So many lines are looked at in one go: what is known of a line takes a hundred times the memory of a short one.
MOST_LINES = 1 << 14
_BREAKS = (10, 13)
_EMPTY = re.compile(rb"[\r\n]*\n")

# How many kinds of rows are tried when the usual one is looked for.
_KINDS_TRIED = 8


@dataclass(frozen=True, slots=True)
class Span:
    """A line's place in a block; empty lines one behind the other are one span, or a file of them fills the memory.

    Attributes:
        number: Line number in the file, from 1.
        start: First byte.
        end: Byte behind the last one, the line break not counted; of empty lines the first byte.
        cut: The line has no line break of its own.
        header: The line is a header.
        lines: How many lines it is.
        breaks: Bytes of line breaks behind `end`.
    """

    number: int
    start: int
    end: int
    cut: bool
    header: bool
    lines: int = 1
    breaks: int = 1

    @property
    def behind(self) -> int:
        """Byte behind the line break."""
        return self.end + (0 if self.cut else self.breaks)


@dataclass(slots=True)
class Piece:
    """Rows of one segment that can be trusted.

    Attributes:
        data: Bytes with the rows in them, among other lines perhaps.
        lines: The file's line number of each row.
        starts: First byte of each row.
        ends: Byte behind the last one of each, the line break not counted.
        scan: What was found in them; None when they were not looked at yet, or may hold commas in words.
    """

    data: bytes | bytearray
    lines: list[int]
    starts: Integers
    ends: Integers
    scan: RowScan | None = None

    @classmethod
    def of(cls, rows: Sequence[bytes], lines: list[int]) -> Piece:
        """Rows, each with its line break, one behind the other."""
        behind = np.cumsum([len(row) for row in rows], dtype=np.int64)
        lengths = np.array([len(row) for row in rows], np.int64)
        return cls(b"".join(rows), lines, behind - lengths, behind - 1)


@dataclass(slots=True)
class RowChecker:
    """Checks the rows under one header, block by block.

    Attributes:
        scanner: Knows what a row must look like, and which cells of it are wanted.
        issues: Where damage is counted.
    """

    scanner: RowScanner
    issues: QualityIssues
    layout: RowLayout = field(init=False)
    _usual: Shape | None = field(default=None)
    _repairer: Repairer = field(init=False)
    _alone: RowScanner = field(init=False)

    def __post_init__(self) -> None:
        self.layout = self.scanner.layout
        self._repairer = Repairer(self.layout, self.issues)
        self._alone = RowScanner(self.layout, self.scanner.cells[:0])

    def scan(self, block: bytes | bytearray, spans: list[Span]) -> RowScan:
        """What is to be found in a block's lines: nothing is decided yet, so this may run in any thread."""
        return self.scanner.scan(np.frombuffer(block, np.uint8), *_edges(spans))

    def check(self, block: bytes | bytearray, spans: list[Span], scan: RowScan) -> Piece:
        """The trustworthy rows of a block, given the spans of the lines that stand under this header."""
        shapes = scan.shapes
        if self._usual is None:
            self._learn(block, spans, shapes)
        usual = self._usual
        doubtful = {
            n
            for n, (span, shape) in enumerate(zip(spans, shapes, strict=True))
            # an unquoted last value without its line break may have lost digits
            if shape != usual or (span.cut and block[span.end - 1 : span.end] != b'"')
        }
        if doubtful:
            return self._repaired(block, spans, doubtful)
        whole = usual is not None and usual[0] == self.layout.width - 1 + self._repairer.trailing
        # Where words hold commas the cells are others.
        return Piece(block, [span.number for span in spans], *_edges(spans), scan if whole else None)

    def fits(self, line: bytes | bytearray) -> bool:
        """Whether a line looks just like the rows before it."""
        whole = np.array([0, len(line)], np.int64)
        text = np.frombuffer(line, np.uint8)
        return bool(line) and self._alone.scan(text, whole[:1], whole[1:]).shapes == [self._usual]

    def recheck(self, piece: Piece) -> Piece:
        """The rows of a piece that the parser refused, each cell checked on its own."""
        rows: list[bytes] = []
        numbers: list[int] = []
        for number, start, end in zip(piece.lines, piece.starts.tolist(), piece.ends.tolist(), strict=True):
            given = self._repairer.row(bytes(piece.data[start:end]).rstrip(b"\r"), number)
            rows.extend(given)
            numbers.extend([number] * len(given))
        return Piece.of(rows, numbers)

    @property
    def learned(self) -> bool:
        """Whether it is known what a sound row looks like."""
        return self._usual is not None

    def _learn(self, block: bytes | bytearray, spans: list[Span], shapes: list[Shape]) -> None:
        """The most common shape whose rows are sound in every cell becomes the usual one."""
        width = self.layout.width
        pairs = list(zip(shapes, spans, strict=True))
        examples = {shape: span for shape, span in reversed(pairs) if not span.cut}
        fitting = Counts(shape for shape in shapes if self.layout.texts or width - 1 <= shape[0] <= width)
        for shape, _ in fitting.most_common(_KINDS_TRIED):
            span = examples.get(shape)
            text = bytes(block[span.start : span.end]).rstrip(b"\r") if span else b""
            if text and self._repairer.sound(text):
                self._usual = shape
                self._learn_end(text)
                return
        # Where a line break stands in every row, no line is one: two of them are.
        for (first, second), between in product(pairwise(spans[: 2 * _KINDS_TRIED]), (b" ", b"")):
            halves = (bytes(block[each.start : each.end]).rstrip(b"\r") for each in (first, second))
            text = between.join(halves)
            if self._repairer.sound(text):
                self._learn_end(text)
                return

    def _learn_end(self, text: bytes) -> None:
        """Whether a comma ends the rows, as it does a sound one."""
        if self._repairer.ends_with_comma(text) and not self._repairer.trailing:
            self._repairer.trailing = True
            self.issues.add("trailing-comma", 1, "in the rows")

    def _repaired(self, block: bytes | bytearray, spans: list[Span], doubtful: set[int]) -> Piece:
        """Sound rows as they stand, doubtful ones as the repairer gives them."""
        rows: list[bytes] = []
        numbers: list[int] = []
        at = 0
        while at < len(spans):
            span = spans[at]
            text = bytes(block[span.start : span.end])
            if at not in doubtful:
                rows.append(text + b"\n")
                numbers.append(span.number)
                at += 1
                continue
            follower = None
            if at + 1 in doubtful:
                follower = bytes(block[spans[at + 1].start : spans[at + 1].end])
            repaired, used = self._repairer.repair(text, follower, span.number, cut=span.cut)
            rows.extend(repaired)
            numbers.extend([span.number] * len(repaired))
            at += used
        return Piece.of(rows, numbers)


def _edges(spans: list[Span]) -> tuple[Integers, Integers]:
    return np.array([span.start for span in spans], np.int64), np.array([span.end for span in spans], np.int64)


def line_spans(block: bytes | bytearray, first_number: int, length: int, most: int | None = None) -> list[Span]:
    """The first lines of a block of so many bytes; a header glued to the row before it starts a line of its own."""
    spans: list[Span] = []
    start, number = 0, first_number
    # Rows hold no parenthesis, and one byte is found many times faster than eight.
    mark = block.find(_MARK, 0, length) if block.find(b"(", 0, length) >= 0 else -1
    while start < length and (most is None or len(spans) < most):
        empty = _EMPTY.match(block, start, length) if block[start] in _BREAKS else None
        if empty:
            many = block.count(b"\n", start, empty.end())
            spans.append(Span(number, start, start, cut=False, header=False, lines=many, breaks=len(empty[0])))
            number, start = number + many, empty.end()
            continue
        end = block.find(b"\n", start, length)
        end = length if end < 0 else end
        while 0 <= mark < end:
            begin = mark - 1 if block[mark - 1 : mark] == b'"' else mark
            if begin > start:
                spans.append(Span(number, start, begin, cut=True, header=block.startswith(_HEADS, start, length)))
                start = begin
            mark = block.find(_MARK, mark + 1, length)
        spans.append(Span(number, start, end, end == length, block.startswith(_HEADS, start, length)))
        number, start = number + 1, end + 1
    return spans
