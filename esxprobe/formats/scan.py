"""One pass over one file: headers, checked rows, and of these the wanted cells only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import pdh
from esxprobe.formats.block_pipeline import BlockPipeline, Item, Look
from esxprobe.formats.consistency import FormatCheck
from esxprobe.formats.entities import Identities
from esxprobe.formats.head import LONGEST_LINE, Head
from esxprobe.formats.header_reader import HeaderReader
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.parse import Batch, Parser
from esxprobe.formats.rows import MOST_LINES, RowChecker, Span, line_spans
from esxprobe.formats.source import Source

if TYPE_CHECKING:
    import polars as pl

# Bytes that are looked at in one go: few enough for the processor's cache, and far more than a row.
BLOCK = 4 << 20
# How many doubtful lines wait for the block behind them.
_MOST_WAITING = 16
# So many lines that cannot be rows are passed over one by one; of more it is not a capture.
_MOST_SHORT = 200_000


@dataclass(slots=True)
class SegmentReader:
    """What reads the rows under one header."""

    header: pdh.Header
    identities: Identities
    wanted: pl.DataFrame
    parser: Parser
    checker: RowChecker
    formats: FormatCheck


class FileReader:
    """One pass over one file.

    Attributes:
        segments: Those whose header was read so far, in the file's order.
        rows: Lines under a header so far, whether they could be used or not.

    Args:
        source: The file.
        headers: Reads its headers, and knows what is wanted.
        issues: Counts damage.
    """

    def __init__(self, source: Source, headers: HeaderReader, issues: QualityIssues) -> None:
        self._source, self._headers, self._issues = source, headers, issues
        self._buffer = b""
        self._line = 1
        self._header_line = b""
        self._separator = b""  # of another program, where one has left it
        self._formats: FormatCheck | None = None  # of the header whose rows came last
        self._doubts = QualityIssues()  # told of in the end: the first rows of a header wait
        self._short = 0
        self._orphaned = False  # the rows are under a header that cannot be read
        self.segments: list[SegmentReader] = []
        self.rows = 0

    def batches(self, progress: Callable[[int], None] | None = None, before: int = 0) -> Generator[Batch]:
        """Checked rows, in the file's order; who has enough closes the generator.

        Args:
            progress: Told the position in the file [bytes] after each block, those before it added.
            before: Bytes of the files before this one.

        Raises:
            UnreadableInputError: It is not an esxtop capture, or cannot be read further.
        """
        self._start()
        try:
            with BlockPipeline() as pipeline:
                for block, spans in self._blocks(pipeline.blocks):
                    pipeline.begin()
                    for item in self._items(block, spans):
                        yield from self._given(pipeline.put(item))
                    yield from self._given(pipeline.settled())
                    if progress:
                        progress(before + self._source.position)
                yield from self._given(pipeline.settled(0))
            if self._formats is not None:
                yield from self._with_rows(self._formats.rest())
            if progress:
                progress(before + self._source.position)
        finally:
            self._issues.join(self._doubts)

    def _start(self) -> None:
        """Reads the first header."""
        head = Head(self._source, self._issues)
        self._buffer, self._line = head.rest, head.number
        self._issues.join(self._begin_segment(head.header))

    def _begin_segment(self, line: bytes) -> QualityIssues:
        """Another segment, with the header of a line; gives what was odd about that."""
        known = self._headers.read(line, self._source.path)
        # A header that is refused is none that the next one could repeat.
        self._header_line = line
        if known.header.separator != ",":
            self._separator = known.header.separator.encode()
        layout, quoted = known.scanner.layout, known.header.quoted
        wordy = layout.loose | layout.glued | layout.texts
        self.segments.append(
            SegmentReader(
                known.header,
                known.identities,
                known.wanted,
                Parser(known.wanted, known.scanner, self._issues),
                RowChecker(known.scanner, self._issues),
                FormatCheck(known.wanted, self._doubts, quoted, layout.width, wordy),
            )
        )
        return known.issues

    def _blocks(self, many: int) -> Iterator[tuple[bytes | bytearray, list[Span]]]:
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
                end = self._before_doubtful(room, end, self.segments[-1].checker)
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
        """The block with commas as separators, where another program has left semicolons or tabs."""
        return self._comparable(bytes(room[:end])) if self._separator else room

    def _before_doubtful(self, block: bytearray, end: int, checker: RowChecker) -> int:
        """Where the last lines begin that do not look like the others, at most a few of them."""
        for _ in range(_MOST_WAITING):
            start = block.rfind(b"\n", 0, max(0, end - 1)) + 1
            if end <= 0 or checker.fits(block[start : end - 1]):
                break
            end = start
        return end

    def _items(self, block: bytes | bytearray, spans: list[Span]) -> Iterator[Item]:
        """What is in a block, in its order: rows of segments, and what is to be counted between them."""
        at = 0
        for n, span in enumerate(spans):
            if span.header:
                yield from self._rows_under(block, spans[at:n])
                yield self._next_segment(bytes(block[span.start : span.end]).rstrip(b"\r"), span)
                at = n + 1
        yield from self._rows_under(block, spans[at:])

    def _next_segment(self, line: bytes, span: Span) -> QualityIssues:
        """A header further down starts a segment: the rows behind it begin with an unknown interval."""
        place = f"line {span.number:,}"
        self._orphaned = False
        # The one before may come from a block whose separators were put right.
        if line in (self._header_line, self._comparable(self._header_line)):
            self.segments.append(replace(self.segments[-1]))  # its own: its first sample covers an unknown time
            return _counted("repeated-header", 1, place)
        if span.cut:
            return _counted("row-cut", 1, f"{place}: a header without rows")
        try:
            odd = self._begin_segment(line)
        except UnreadableInputError as error:
            self._orphaned = True
            return _counted("damaged-header", 1, f"{place}: {error.message}; the rows under it are lost")
        made = QualityIssues()
        made.join(odd)
        made.add("appended-capture", 1, place)
        return made

    def _comparable(self, line: bytes) -> bytes:
        """Text as it looks in blocks whose separators were put right."""
        return line.replace(b",", b".").replace(self._separator, b",") if self._separator else line

    def _rows_under(self, block: bytes | bytearray, spans: list[Span]) -> Iterator[Item]:
        """The rows of the last segment among some lines."""
        empty = [span for span in spans if span.end == span.start]
        if empty:
            yield _counted("blank-row", sum(span.lines for span in empty), f"line {empty[0].number:,}")
            spans = [span for span in spans if span.end > span.start]
        if not spans:
            return
        segment = self.segments[-1]
        self._refuse_crowds(spans, segment.header.width)
        self.rows += len(spans)
        if self._orphaned:
            yield _counted("row-lost", len(spans), f"from line {spans[0].number:,} on: no header matches")
            return
        if self._headers.request.keep is not None:
            spans = self._headers.request.keep(block, spans)
        if spans:
            yield Look(len(self.segments) - 1, segment.checker, segment.parser, block, spans)

    def _refuse_crowds(self, spans: list[Span], width: int) -> None:
        """Raises UnreadableInputError where far more lines are too short to be rows than a capture has rows."""
        self._short += sum(span.end - span.start < width for span in spans)
        if self._short > _MOST_SHORT:
            raise UnreadableInputError(
                f"{self._source.path}: more than {_MOST_SHORT:,} lines up to line {spans[-1].number:,} are "
                f"too short to be rows of {width:,} cells",
                hint="remove the lines that are not part of the capture, or send the file as esxtop wrote it",
            )

    def _given(self, items: Iterator[Item]) -> Iterator[Batch]:
        """The sound rows of items; what else they are is counted."""
        for item in items:
            if isinstance(item, QualityIssues):
                self._issues.join(item)
                continue
            batch = item.batch()
            if batch is None:
                where = f"rows from line {item.checked().lines[0]:,} on cannot be read"
                raise UnreadableInputError(f"{self._source.path}: {where}")
            if batch.rows.lines:
                yield from self._with_rows(self._sound(batch))

    def _sound(self, batch: Batch) -> Iterator[Batch]:
        formats = self.segments[batch.segment].formats
        if self._formats is not None and self._formats is not formats:
            yield from self._formats.rest()
        self._formats = formats
        yield from formats.checked(batch)

    @staticmethod
    def _with_rows(batches: Iterator[Batch]) -> Iterator[Batch]:
        return (batch for batch in batches if batch.rows.lines)


def _counted(code: str, count: int, place: str) -> QualityIssues:
    """Something that is counted when all that is before it in the file is."""
    made = QualityIssues()
    made.add(code, count, place)
    return made
