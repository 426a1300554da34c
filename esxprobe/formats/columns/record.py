"""A capture into a copy: one pass as the reader makes it, block by block.

Rows that look like their neighbours become values; anything else (banners, headers, damaged rows, and what a reader
would have to look at as a whole) is kept as text, so that a reader of the copy meets it as it was.
"""

from __future__ import annotations

import hashlib
import io
from collections import deque
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.formats.columns import grid
from esxprobe.formats.columns.cutter import Cut, RowCutter
from esxprobe.formats.columns.order import Entry, Kind, OrderWriter
from esxprobe.formats.columns.slab import SlabWriter
from esxprobe.formats.columns.store import NewFiles
from esxprobe.formats.entities import Identities
from esxprobe.formats.rows import Piece, Span
from esxprobe.formats.scan import FileReader, Request, Segment
from esxprobe.formats.source import Source
from esxprobe.formats.tally import Tally

if TYPE_CHECKING:
    import polars as pl


class Tee(Source):
    """A source that remembers what it gave until it is taken from it; and its sum and length."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._given: deque[bytes] = deque()
        self._digest = hashlib.sha256()
        self.waiting = 0
        self.length = 0

    def read(self, size: int) -> bytes:
        """About `size` more bytes of text, empty at the end."""
        text = super().read(size)
        self._note(text)
        return text

    def read_into(self, room: memoryview) -> int:
        """Fills the room with text as far as there is any; how many bytes, 0 at the end."""
        count = super().read_into(room)
        self._note(bytes(room[:count]))
        return count

    def _note(self, text: bytes) -> None:
        self._given.append(text)
        self._digest.update(text)
        self.waiting += len(text)
        self.length += len(text)

    def peek(self) -> bytes:
        """All that was not taken yet."""
        self._given = deque([b"".join(self._given)])
        return self._given[0]

    def take(self, size: int) -> bytes:
        """The first so many bytes that were not taken yet."""
        text = b"".join(self._given)
        self._given = deque([text[size:]])
        self.waiting -= size
        return text[:size]

    @property
    def sha256(self) -> str:
        """Sum of the text so far."""
        return self._digest.hexdigest()


# Lines, what their cells are (once they are mended), and whether they are rows as they stand.
_Run = tuple[list[Span], Cut, bool]


def _no_column(identities: Identities) -> pl.DataFrame:
    return identities.columns.head(0)


class Recorder(FileReader):
    """Reads a capture once and writes its copy.

    Attributes:
        order: What stood where.
        kept: Rows in the tables.
        headers: Headers with columns of their own.
        slabs: Parts of the tables.

    Args:
        source: The capture's file.
        files: Where the copy is written.
    """

    def __init__(self, source: Tee, files: NewFiles) -> None:
        super().__init__(source, Request(_no_column, who=False), Tally())
        self._tee, self._files = source, files
        self.order = OrderWriter(files)
        self.kept = self.headers = self.slabs = 0
        self._slab: SlabWriter | None = None
        self._tables: list[grid.Table] = []
        self._text: bytes | None = None  # the block as it stands in the file; None for one that is the head's
        self._block = 0
        self._changed = False  # semicolons of the block became commas

    def record(self, progress: Callable[[int], None] | None = None) -> None:
        """Reads it all; `progress` is told the position in the file after each block.

        Raises:
            UnreadableInputError: It is no esxtop capture.
            OutputError: The copy cannot be written.
        """
        segments = [self.start()]
        left = len(self._buffer)
        plain = self._head_stands_alone()
        if plain:
            self.order.text(self._tee.take(self._tee.waiting - left), "head", 0, 1, semicolons=False)
        given, before = left, self._tee.length
        for block, spans in self._blocks(segments, 2):
            given += self._tee.length - before
            before = self._tee.length
            end = spans[-1].behind if spans else 0
            given -= end
            self._text = self._tee.take(self._tee.waiting - given)
            if not plain:
                self.order.text(self._text, "head", 0, 1, semicolons=False)
                self._text, plain = None, True
            self._block += 1
            self._changed = self._semicolons  # a header in a block changes only those behind it
            self._take(block, spans, segments)
            if progress:
                progress(self._source.position)
        self._end_slab()
        self.order.finish()

    def _head_stands_alone(self) -> bool:
        """Whether the text up to the first row gives the first header when nothing follows it."""
        given = self._tee.peek()
        left = len(given) - len(self._buffer)
        return given[left:] == self._buffer and (not self._buffer or given[left - 1 : left] == b"\n")

    def _segment(self, line: bytes) -> Segment:
        segment = super()._segment(line)
        self._end_slab()
        places = grid.placed(segment.identities.columns, segment.header.width)
        content = io.BytesIO()
        places.write_parquet(content, compression="zstd", statistics=False)
        self._files.add(f"headers/{self.headers:05}.parquet", content.getbuffer())
        self._tables = grid.tables(places)
        self.headers += 1
        return segment

    def _next_segment(self, line: bytes, span: Span, segments: list[Segment]) -> None:
        if self._text is not None:
            self._loose(span.start, span.behind, span.number)
        super()._next_segment(line, span, segments)

    def _loose(self, start: int, end: int, number: int, kind: Kind = "text") -> None:
        if self._text is not None:
            self.order.text(self._text[start:end], kind, self._block, number, semicolons=self._changed)

    def _scan(self, block: bytes | bytearray, spans: list[Span], segment: Segment) -> None:
        if not spans:
            return
        filled = [span for span in spans if span.end > span.start]
        whole, fresh = False, segment.checker.learnt is None
        if filled and not self._orphaned:
            whole = _checked(segment, block, filled).data is block and len(filled) == len(spans)
        learnt = segment.checker.learnt
        if self._text is None or self._orphaned or self._semicolons or learnt is None:
            self._loose(spans[0].start, spans[-1].behind, spans[0].number)
            return
        shape, trailing = learnt
        cutter = RowCutter(segment.checker.layout)
        runs = self._runs(block, spans, segment, cutter, trailing, whole=whole)
        if not whole and runs is not None and _must_stay_together(runs, fresh=fresh, trailing=trailing):
            runs = None
        if runs is None:
            self._loose(spans[0].start, spans[-1].behind, spans[0].number)
            return
        for own, cut, sound in runs:
            if not sound:
                self._loose(own[0].start, own[-1].behind, own[0].number)
            else:
                self._keep(cut, own[0].number, shape, trailing, segment)

    def _runs(
        self, block: bytes | bytearray, spans: list[Span], segment: Segment, cutter: RowCutter, trailing: bool, *,
        whole: bool,
    ) -> list[_Run] | None:  # fmt: skip
        """Neighbouring lines that look alike, and those that do not; None where they must not be parted."""
        fits = segment.checker.fits
        runs: list[_Run] = []
        for sound, lines in groupby(spans, lambda span: whole or _is_sound(block, span, fits)):
            own = list(lines)
            if sound:
                cut = cutter.cut(block, own, trailing=trailing)
            else:
                piece = _checked(segment, block, [span for span in own if span.end > span.start])
                places = zip(piece.lines, piece.starts.tolist(), piece.ends.tolist(), strict=True)
                mended = [Span(*place, cut=False, header=False) for place in places]
                cut = cutter.cut(piece.data, mended, trailing=trailing)
            if cut is None:
                return None
            runs.append((own, cut, sound))
        return runs

    def _keep(self, cut: Cut, number: int, shape: tuple[int, ...], trailing: bool, segment: Segment) -> None:
        count = len(cut.sheet.lines)
        if self._slab is not None and not self._slab.has_room(cut.sheet):
            self._end_slab()
        if self._slab is None:
            self._slab = SlabWriter(self._files, self._tables, segment.header.width - 1, self.slabs)
        commas, quotes, blanks, more = (*shape, -1, -1)[:4]
        at = (self.slabs, self._slab.height, self.headers - 1)
        self.order.rows(Entry("rows", self._block, number, count, *at, commas, quotes, blanks, more, trailing))
        self._slab.add(cut.sheet)
        self.kept += count

    def _end_slab(self) -> None:
        if self._slab is not None:
            self._slab.write()
            self._slab = None
            self.slabs += 1


def _checked(segment: Segment, block: bytes | bytearray, spans: list[Span]) -> Piece:
    return segment.checker.check(block, spans, segment.checker.survey(block, spans))


def _is_sound(block: bytes | bytearray, span: Span, fits: Callable[[bytes | bytearray], bool]) -> bool:
    """Whether the reader takes a line as it stands."""
    if span.end == span.start or (span.cut and block[span.end - 1 : span.end] != b'"'):
        return False
    return fits(block[span.start : span.end])


def _must_stay_together(runs: list[_Run], *, fresh: bool, trailing: bool) -> bool:
    """Whether a reader looks at these lines together: then they are one text to it.

    Args:
        runs: The lines.
        fresh: From these it learns what rows look like.
        trailing: A comma ends them, which it tells of then.
    """
    loose = [own for own, _, sound in runs if not sound]
    blank = any(span.end == span.start for own in loose for span in own)
    if fresh and (not runs[0][2] or (blank and trailing)):
        return True
    # It counts odd cells column by column, and names the first few.
    told = [cut for _, cut, _ in runs if cut.bad or cut.blank]
    return (len(told) > 1 and any(cut.bad for cut in told)) or (blank and len(loose) > 1)
