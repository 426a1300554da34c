"""Data rows that can be trusted: every row's separators are counted before a value of it is believed.

A row whose separators, quotes and blanks are those of its neighbours is passed on untouched. Any
other is looked at cell by cell: what can be placed with certainty is kept, what cannot is lost, and
both are counted. A cell that is lost holds `?`, which no number parser takes for a number.
"""

from __future__ import annotations

import re
from collections import Counter as Counts
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from esxprobe.formats.tally import Tally

LOST = b"?"

# Longest line that is still a row [bytes]: 2 million columns of 130 characters.
LONGEST_LINE = 1 << 28

_COMMA, _QUOTE, _SPACE = 44, 34, 32

# A cell in quotes holds no quote, no control byte and no leading blank, unless it is all blank.
_CELL = re.compile(rb'"(?:[^"\x00-\x20][^"\x00-\x1f]*| *)"|[^"\x00-\x20][^"\x00-\x1f]*|')
# What esxtop prints for a nameless column: an unquoted number, padded; glued to the next or not.
_PADDED = re.compile(rb" *-?[0-9.]*")
_GLUED = re.compile(rb' *-?[0-9.]*"[^"\x00-\x20]?[^"\x00-\x1f]*"')
_STAMP = rb"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}(?::\d{2})?"
_TIME_CELL = re.compile(rb'"' + _STAMP + rb'"|' + _STAMP)
_INNER_ROW = re.compile(rb'"?' + _STAMP + rb'"?,')
_MARK = b"(PDH-CSV"
_HEADS = (b'"(PDH-CSV', b"(PDH-CSV")
_TOKEN = re.compile(rb'((?:[^",]|"[^"]*")*)(?:,|$)')


@dataclass(frozen=True, slots=True)
class Layout:
    """What a row must look like.

    Attributes:
        width: Number of cells, the time included.
        loose: Numbers of the cells that esxtop prints without quotes (nameless ones).
        glued: Numbers of the cells that hold two values.
        texts: Numbers of the cells that hold words and so may hold commas.
    """

    width: int
    loose: frozenset[int] = frozenset()
    glued: frozenset[int] = frozenset()
    texts: frozenset[int] = frozenset()


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
    shape: tuple[int, int, int]


@dataclass(slots=True)
class RowChecker:
    """Checks the rows under one header, block by block.

    Attributes:
        layout: What a row must look like.
        tally: Where damage is counted.
    """

    layout: Layout
    tally: Tally
    _usual: tuple[int, int, int] | None = field(default=None)
    _trailing: bool = field(default=False)

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

    def _shape(self, survey: NDArray[np.uint8], start: int, end: int) -> tuple[int, int, int]:
        row = survey[start:end]
        commas = int(np.count_nonzero(row == _COMMA))
        quotes = int(np.count_nonzero(row == _QUOTE))
        if not self.layout.loose and not self.layout.glued:
            return commas, quotes, int(np.count_nonzero(row <= _SPACE))
        # Padded cells vary in blanks; a blank right behind a quote is what must not be there.
        control = int(np.count_nonzero(row < _SPACE))
        inside = int(np.count_nonzero((row[:-1] == _QUOTE) & (row[1:] == _SPACE)))
        return commas, quotes, control + inside

    def _learn(self, block: bytes, lines: list[_Line]) -> None:
        width = self.layout.width
        fitting = Counts(
            line.shape
            for line in lines
            if line.shape[0] == width - 1
            or (line.shape[0] == width and block[line.start : line.end].rstrip()[-1:] == b",")
        )
        if fitting:
            self._usual = fitting.most_common(1)[0][0]
            self._trailing = self._usual[0] == width
            if self._trailing:
                self.tally.add("trailing-comma", 1, "in the rows")

    def _whole(self, block: bytes, lines: list[_Line]) -> Piece:
        if not lines:
            return Piece(b"", [], self._trailing)
        data = block
        if lines[0].start or lines[-1].end < len(block) - 2:
            data = block[lines[0].start : lines[-1].end] + b"\n"
        gapless = all(a.end + 3 > b.start for a, b in zip(lines, lines[1:], strict=False))
        if not gapless:
            data = b"\n".join(block[line.start : line.end] for line in lines) + b"\n"
        return Piece(data, [line.number for line in lines], self._trailing)

    def recheck(self, piece: Piece) -> Piece:
        """The rows of a piece that the parser refused, each cell checked on its own."""
        rows: list[bytes] = []
        numbers: list[int] = []
        for number, line in zip(piece.lines, piece.data.split(b"\n"), strict=False):
            cells = self._cells(line.rstrip(b"\r"), number)
            if cells is None:
                self.tally.add("row-lost", 1, f"line {number:,}")
            else:
                rows.append(self._row(cells))
                numbers.append(number)
        return Piece(b"".join(rows), numbers, self._trailing)

    # --- doubtful rows ---------------------------------------------------------------------------

    def _mended(self, block: bytes, lines: list[_Line], doubtful: set[int]) -> Piece:
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
            text = text.rstrip(b"\r")
            follower = None
            if at + 1 in doubtful:
                after = lines[at + 1]
                follower = block[after.start : after.end].rstrip(b"\r")
            mended, used = self._mend(text, follower, line.number, cut=line.cut)
            rows.extend(mended)
            numbers.extend([line.number] * len(mended))
            at += used
        return Piece(b"".join(rows), numbers, self._trailing)

    def _mend(
        self, text: bytes, follower: bytes | None, number: int, *, cut: bool
    ) -> tuple[list[bytes], int]:
        """Rows that a doubtful line gives, and how many lines that used up."""
        place = f"line {number:,}"
        if not text.strip(b' \t\r\x00",;'):
            blank = "nul-bytes" if b"\x00" in text else "blank-row"
            self.tally.add(blank, 1, place)
            return [], 1
        inner = _INNER_ROW.search(text, 1)
        if inner:
            return self._parted(text, inner.start(), number, cut=cut), 1
        cells = self._cells(text, number)
        if cells is not None:
            if cut and not cells[-1].endswith(b'"') and cells[-1]:
                cells[-1] = LOST
                self.tally.add("row-cut", 1, f"{place}: the last of {len(cells):,} cells")
            return [self._row(cells)], 1
        if follower is not None:
            cells = self._rejoined(text, follower, number)
            if cells is not None:
                return [self._row(cells)], 2
        if cut:
            return self._head(text, number, "row-cut"), 1
        like_row = _TIME_CELL.match(text) is not None or text.count(b",") > 2
        self.tally.add("row-lost" if like_row else "junk-line", 1, place)
        return [], 1

    def _parted(self, text: bytes, seam: int, number: int, *, cut: bool) -> list[bytes]:
        """Both parts of a row that was cut and joined with the next."""
        self.tally.add("row-joined", 1, f"line {number:,}")
        rows = self._head(text[:seam], number, "row-cut")
        more, _ = self._mend(text[seam:], None, number, cut=cut)
        return rows + more

    def _head(self, text: bytes, number: int, code: str) -> list[bytes]:
        """A row that ends early, as far as its cells are whole."""
        cells = text.split(b",")
        if not _CELL.fullmatch(cells[-1]) or not (cells[-1].startswith(b'"') and len(cells[-1]) > 1):
            cells.pop()
        width = self.layout.width
        if not cells or len(cells) > width or not _TIME_CELL.fullmatch(cells[0]):
            self.tally.add("row-lost", 1, f"line {number:,}")
            return []
        checked = self._checked(cells, number)
        if len(cells) < width:
            missing = width - len(cells)
            self.tally.add(code, 1, f"line {number:,}: {missing:,} of {width:,} cells lost")
            checked += [LOST] * missing
        return [self._row(checked)]

    def _rejoined(self, text: bytes, follower: bytes, number: int) -> list[bytes] | None:
        """The cells of a row that a line break cut in two, the cell at the seam lost if it was inside."""
        head, tail = text.split(b","), follower.split(b",")
        seam = len(head) - 1
        if len(head) + len(tail) - 1 - self._extra(follower) != self.layout.width:
            return None
        if seam == 0:
            return self._rejoined_time(text, follower, number)
        whole = not head[-1] or not tail[0]
        cells = [*head[:-1], head[-1] + tail[0] if whole else LOST, *tail[1:]]
        if self._extra(follower):
            cells.pop()
        if not _TIME_CELL.fullmatch(cells[0]):
            return None
        self.tally.add("row-split", 1, f"line {number:,}")
        if not whole:
            self.tally.add("bad-cell", 1, f"line {number:,}, cell {seam + 1:,} (at the line break)")
        return self._checked(cells, number)

    def _rejoined_time(self, text: bytes, follower: bytes, number: int) -> list[bytes] | None:
        for between in (b"", b" "):
            cells = self._split(text + between + follower)
            if cells is not None and _TIME_CELL.fullmatch(cells[0]):
                self.tally.add("row-split", 1, f"line {number:,}: inside the time")
                return self._checked(cells, number)
        return None

    def _extra(self, text: bytes) -> int:
        return int(self._trailing and text.endswith(b","))

    def _split(self, text: bytes) -> list[bytes] | None:
        cells = text.split(b",")
        if len(cells) == self.layout.width + 1 and not cells[-1].strip():
            cells.pop()
        return cells if len(cells) == self.layout.width else None

    def _cells(self, text: bytes, number: int) -> list[bytes] | None:
        """The checked cells of a line that has the right number of them, else None."""
        cells = self._split(text)
        if cells is None and self.layout.texts:
            cells = self._split_texts(text)
        return None if cells is None else self._checked(cells, number)

    def _split_texts(self, text: bytes) -> list[bytes] | None:
        cells = [match[1] for match in _TOKEN.finditer(text)]
        if cells and not cells[-1] and not text.endswith(b","):
            cells.pop()  # the empty match behind the last cell
        if len(cells) != self.layout.width:
            return None
        holders = {n for n, cell in enumerate(cells) if b"," in cell}
        return cells if holders <= self.layout.texts else None

    def _checked(self, cells: list[bytes], number: int) -> list[bytes]:
        fits = _CELL.fullmatch
        doubtful = [n for n, cell in enumerate(cells) if not fits(cell)]
        for n in doubtful:
            cell = cells[n]
            if n in self.layout.loose and _PADDED.fullmatch(cell):
                continue
            if n in self.layout.glued and _GLUED.fullmatch(cell):
                continue
            cells[n] = LOST
            code = "nul-bytes" if b"\x00" in cell else "bad-cell"
            self.tally.add(code, 1, f"line {number:,}, cell {n + 1:,}")
        return [_utf8(cell) for cell in cells] if any(not cell.isascii() for cell in cells) else cells

    def _row(self, cells: list[bytes]) -> bytes:
        return b",".join(cells) + (b",\n" if self._trailing else b"\n")


def _utf8(cell: bytes) -> bytes:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return cell.decode("cp1252", errors="replace").encode()
    return cell


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
