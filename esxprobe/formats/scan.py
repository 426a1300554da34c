"""One pass over one file: headers, checked rows, and of these the wanted cells only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import pdh
from esxprobe.formats.block_pipeline import BlockPipeline
from esxprobe.formats.consistency import FormatCheck
from esxprobe.formats.entities import Identities, identify
from esxprobe.formats.head import LONGEST_LINE, Head
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.parse import CheckedRows, Parser
from esxprobe.formats.repair import RowLayout
from esxprobe.formats.row_scanner import RowScanner
from esxprobe.formats.rows import MOST_LINES, Piece, RowChecker, Span, line_spans
from esxprobe.formats.source import Source
from esxprobe.formats.wanted import Enough, Needs, columns_of, known, text_cells, wanted_columns

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Chooser", "FileReader", "Needs", "Request", "SegmentReader", "wanted_columns"]

# Bytes that are looked at in one go: few enough for the processor's cache, and far more than a row.
BLOCK = 4 << 20
# How many doubtful lines wait for the block behind them.
_MOST_WAITING = 16
# So many lines that cannot be rows are passed over one by one; of more it is not a capture.
_MOST_SHORT = 200_000

# The wanted ones of a header's columns, in file order; see `parse.Parser`.
Chooser = Callable[[Identities], "pl.DataFrame"]


@dataclass(slots=True)
class SegmentReader:
    """What reads the rows under one header."""

    header: pdh.Header
    identities: Identities
    wanted: pl.DataFrame
    parser: Parser
    checker: RowChecker
    formats: FormatCheck


def _nobody(_segment: SegmentReader, _piece: Piece, _rows: CheckedRows) -> None:
    """Lets go of rows: they are checked and counted all the same."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of a file.

    Attributes:
        needs: The wanted counters by entity kind, or a function that chooses columns of a header.
        at_most: Entity kinds of which not all entities are read.
        taker: Given the rows of a piece as they come, with their segment and the piece, in the file's order. What
            is in the piece is overwritten when it returns.
        places: The taker wants to know where the cells are.
        who: Whose a column is matters: without it segments know of no entity.
        keep: Given a block and its lines, gives those that are to be looked at; the others are counted and no more.
    """

    needs: Needs | Chooser
    at_most: Mapping[str, Enough] = field(default_factory=dict)
    taker: Callable[[SegmentReader, Piece, CheckedRows], None] = _nobody
    places: bool = False
    who: bool = True
    keep: Callable[[bytes | bytearray, list[Span]], list[Span]] | None = None


class FileReader:
    """One pass over one file.

    Attributes:
        rows: Lines under a header so far, whether they could be used or not.

    Args:
        source: The file.
        request: What is wanted of it.
        issues: Counts damage.
    """

    def __init__(self, source: Source, request: Request, issues: QualityIssues) -> None:
        self._source, self._request, self._issues = source, request, issues
        self._buffer = b""
        self._line = 1
        self._header_line = b""
        self._semicolons = False
        self._pipeline = BlockPipeline()
        self._formats: FormatCheck | None = None  # of the header whose rows came last
        self._doubts = QualityIssues()  # told of in the end: the first rows of a header wait
        self._short = 0
        self._orphaned = False  # the rows are under a header that cannot be read
        self.rows = 0

    def start(self) -> SegmentReader:
        """The first segment, its header read and nothing else.

        Raises:
            UnreadableInputError: It is not an esxtop capture.
        """
        head = Head(self._source, self._issues)
        self._buffer, self._line = head.rest, head.number
        return self._segment(head.header)

    def read(self, progress: Callable[[int], None] | None = None) -> list[SegmentReader]:
        """Hands the rows on and gives the segments.

        Args:
            progress: Told the position in the file [bytes] after each block.

        Raises:
            UnreadableInputError: It is not an esxtop capture, or cannot be read further.
        """
        segments: list[SegmentReader] = []
        for made in self.steps():
            segments = made
            if progress:
                progress(self._source.position)
        return segments

    def steps(self) -> Generator[list[SegmentReader]]:
        """Does the same step by step, for who may stop early: rows are passed on as long as steps are asked for.

        Gives:
            The segments so far, after each block and in the end.

        Raises:
            UnreadableInputError: It is not an esxtop capture, or cannot be read further.
        """
        segments = [self.start()]
        try:
            with BlockPipeline() as self._pipeline:
                for block, spans in self._blocks(segments, self._pipeline.blocks):
                    self._pipeline.begin()
                    self._take(block, spans, segments)
                    self._pipeline.settle()
                    yield segments
                self._pipeline.settle(0)
            if self._formats is not None:
                self._formats.finish()  # hands on what still waits
        finally:
            self._issues.join(self._doubts)
        yield segments

    def _segment(self, line: bytes) -> SegmentReader:
        issues = QualityIssues()  # the rows before this header may still be under way: they are told of first
        if b"\x00" in line:
            issues.add("nul-bytes", 1, f"{line.count(0):,} bytes in the header")
        header = pdh.parse_header(line)
        columns = columns_of(header, self._source.path, issues)
        # A header that is refused is none that the next one could repeat.
        self._header_line = line
        self._semicolons |= header.separator == ";"
        asked = self._request
        identities = identify(known(columns), issues) if asked.who else Identities(columns, {}, ())
        if callable(asked.needs):
            wanted = asked.needs(identities)
        else:
            wanted = wanted_columns(identities, asked.needs, asked.at_most)
        layout = _layout(header, columns)
        cells = wanted["cell"].to_numpy().astype("int64")
        scanner = RowScanner(layout, cells, asked.places, points=header.quoted and len(cells) > 0)
        parser = Parser(wanted, scanner, self._issues)
        wordy = layout.loose | layout.glued | layout.texts
        formats = FormatCheck(wanted, self._doubts, header.quoted, layout.width, wordy)
        self._pipeline.later(partial(self._issues.join, issues))
        return SegmentReader(header, identities, wanted, parser, RowChecker(scanner, self._issues), formats)

    def _blocks(self, segments: list[SegmentReader], many: int) -> Iterator[tuple[bytes | bytearray, list[Span]]]:
        """Blocks of whole lines; doubtful last lines wait for the next block, for they may go on there.

        So many blocks behind it a block is overwritten. What no span names is not a part of it.
        """
        room, others = bytearray(max(BLOCK, len(self._buffer)) + BLOCK), deque(bytearray() for _ in range(many - 1))
        waiting = len(self._buffer)
        room[:waiting] = self._buffer
        self._buffer = b""
        crowded = ended = False  # whole lines wait: no more is read before they are taken
        while crowded or not ended:
            if waiting + BLOCK > len(room):
                room = room[:waiting] + bytearray(waiting + BLOCK)
            filled, seen = waiting, 0 if crowded else waiting
            if not crowded:
                filled += self._source.read_into(memoryview(room)[waiting : waiting + BLOCK])
                ended = filled == waiting
            end = filled if ended else room.rfind(b"\n", seen, filled) + 1
            if filled - end > LONGEST_LINE:
                raise UnreadableInputError(f"{self._source.path}: a line is longer than {LONGEST_LINE:,} bytes")
            if not ended:
                end = self._before_doubtful(room, end, segments[-1].checker)
            spans = line_spans(room, self._line, end, MOST_LINES)
            crowded = bool(spans) and spans[-1].behind < end
            end = spans[-1].behind if crowded else end
            waiting = filled - end
            if not end and not ended:
                continue
            block = self._separated(room, end)
            self._line = spans[-1].number + spans[-1].lines if spans else self._line
            yield block, spans
            other = others.popleft()
            if len(other) < waiting + BLOCK:
                other = bytearray(waiting + 2 * BLOCK)
            other[:waiting] = room[end:filled]
            others.append(room)
            room = other

    def _separated(self, room: bytearray, end: int) -> bytes | bytearray:
        """The block with commas as separators, where another program has left semicolons."""
        return bytes(room[:end]).replace(b",", b".").replace(b";", b",") if self._semicolons else room

    def _before_doubtful(self, block: bytearray, end: int, checker: RowChecker) -> int:
        """Where the last lines begin that do not look like the others, at most a few of them."""
        for _ in range(_MOST_WAITING):
            start = block.rfind(b"\n", 0, max(0, end - 1)) + 1
            if end <= 0 or checker.fits(block[start : end - 1]):
                break
            end = start
        return end

    def _take(self, block: bytes | bytearray, spans: list[Span], segments: list[SegmentReader]) -> None:
        at = 0
        for n, span in enumerate(spans):
            if not span.header:
                continue
            self._scan(block, spans[at:n], segments[-1])
            at = n + 1
            self._next_segment(bytes(block[span.start : span.end]).rstrip(b"\r"), span, segments)
        self._scan(block, spans[at:], segments[-1])

    def _next_segment(self, line: bytes, span: Span, segments: list[SegmentReader]) -> None:
        """A header further down starts a segment: the rows behind it begin with an unknown interval."""
        place = f"line {span.number:,}"
        self._orphaned = False
        if line == self._comparable(self._header_line):
            self._tell("repeated-header", 1, place)
            segments.append(replace(segments[-1]))  # one of its own: its first sample covers an unknown time
            return
        if span.cut:
            self._tell("row-cut", 1, f"{place}: a header without rows")
            return
        try:
            segments.append(self._segment(line))
        except UnreadableInputError as error:
            self._tell("damaged-header", 1, f"{place}: {error.message}; the rows under it are lost")
            self._orphaned = True
            return
        self._tell("appended-capture", 1, place)

    def _tell(self, code: str, count: int, place: str) -> None:
        """Counts something when all that is before it in the file is counted."""
        self._pipeline.later(partial(self._issues.add, code, count, place))

    def _comparable(self, line: bytes) -> bytes:
        """A header as it looks in blocks whose separators were put right."""
        return line.replace(b",", b".").replace(b";", b",") if self._semicolons else line

    def _scan(self, block: bytes | bytearray, spans: list[Span], segment: SegmentReader) -> None:
        empty = [span for span in spans if span.end == span.start]
        if empty:
            self._tell("blank-row", sum(span.lines for span in empty), f"line {empty[0].number:,}")
            spans = [span for span in spans if span.end > span.start]
        if not spans:
            return
        self._refuse_crowds(spans, segment.header.width)
        self.rows += len(spans)
        if self._orphaned:
            self._tell("row-lost", len(spans), f"from line {spans[0].number:,} on: no header matches")
            return
        if self._request.keep is not None:
            spans = self._request.keep(block, spans)
            if not spans:
                return
        self._pipeline.look(segment.checker, segment.parser, block, spans, partial(self._settled, segment))

    def _refuse_crowds(self, spans: list[Span], width: int) -> None:
        """Raises UnreadableInputError where far more lines are too short to be rows than a capture has rows."""
        self._short += sum(span.end - span.start < width for span in spans)
        if self._short > _MOST_SHORT:
            raise UnreadableInputError(
                f"{self._source.path}: more than {_MOST_SHORT:,} lines up to line {spans[-1].number:,} are "
                f"too short to be rows of {width:,} cells",
                hint="remove the lines that are not part of the capture, or send the file as esxtop wrote it",
            )

    def _settled(self, segment: SegmentReader, piece: Piece, rows: CheckedRows | None) -> None:
        """Takes in the rows of a piece."""
        if rows is None:
            where = f"rows from line {piece.lines[0]:,} on cannot be read"
            raise UnreadableInputError(f"{self._source.path}: {where}")
        self._hand_on(segment, piece, rows)

    def _hand_on(self, segment: SegmentReader, piece: Piece, rows: CheckedRows) -> None:
        if not rows.lines:
            return
        if self._formats is not None and self._formats is not segment.formats:
            self._formats.finish()
        self._formats = segment.formats
        segment.formats.take(piece, rows, partial(self._give, segment))

    def _give(self, segment: SegmentReader, piece: Piece, rows: CheckedRows) -> None:
        if rows.lines:
            self._request.taker(segment, piece, rows)


def _layout(header: pdh.Header, index: pl.DataFrame) -> RowLayout:
    import polars as pl

    columns = header.columns
    loose = columns.filter((pl.col("path") == "") & (pl.col("part") == 0))["cell"]
    glued = columns.filter(pl.col("part") != 0)["cell"]
    return RowLayout(header.width, frozenset(loose), frozenset(glued), frozenset(text_cells(index)))
