"""A copy in place of its capture: the same segments, the same rows, the same counts of damage.

Lines that were kept as text go through the reader as they did when they stood in the capture. Rows in tables were
found sound then: only their wanted cells are looked at; those that are no plain decimals are judged by the parser.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.catalog.quality import note
from esxprobe.formats.columns.cells import QUOTED, Styles, decode
from esxprobe.formats.columns.forms import SlabForms
from esxprobe.formats.columns.grid import Indices, Part, parts
from esxprobe.formats.columns.groups import Groups
from esxprobe.formats.columns.order import Entry, OrderReader
from esxprobe.formats.columns.slab import SlabReader, time_text
from esxprobe.formats.columns.store import OldFiles
from esxprobe.formats.decimals import NO_NUMBER, Bools, Cells, Floats, Places
from esxprobe.formats.parse import Rows
from esxprobe.formats.rows import Piece, Span, line_spans
from esxprobe.formats.scan import FileReader, Request, Segment
from esxprobe.formats.source import Source
from esxprobe.formats.tally import Tally
from esxprobe.model import QualityNote, SourceFile

if TYPE_CHECKING:
    import polars as pl


class CopySource(Source):
    """A copy where a capture's file is expected.

    It gives the text that is kept as text: headers, and lines that are no rows of the tables.

    Args:
        path: The copy's folder.

    Raises:
        UnreadableInputError: It is damaged, or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = OldFiles(path)
        self.order = OrderReader(self.files)
        self._texts = (text for entry, text in self.order.read() if entry.kind != "rows")

    @property
    def head(self) -> bytes:
        """Nothing: what is in a copy was a capture."""
        return b""

    @property
    def position(self) -> int:
        """How much of the copy has been read [bytes]."""
        return self.files.taken

    def read(self, size: int) -> bytes:
        """The next piece of text, however long; empty at the end."""
        del size
        return next(self._texts, b"")

    def read_into(self, room: memoryview) -> int:
        """Nothing: there are no rows here."""
        del room
        return 0

    def finish(self) -> tuple[SourceFile, list[QualityNote]]:
        """The record of the file that was converted, and what was met while it was read."""
        return self.files.manifest.source, self.notes

    @property
    def notes(self) -> list[QualityNote]:
        """What was met while the capture was read, and that this is a copy."""
        manifest = self.files.manifest
        return [*manifest.notes, note("columnar-copy", 1, f"made by esxprobe {manifest.tool_version}")]

    def close(self) -> None:
        """Nothing is open."""


class _Head(Source):
    """The text before the first row, and nothing behind it."""

    def __init__(self, source: CopySource, text: bytes) -> None:
        self.path, self._copy, self._text = source.path, source, text

    @property
    def head(self) -> bytes:
        return self._text

    @property
    def position(self) -> int:
        return self._copy.position

    def read(self, size: int) -> bytes:
        del size
        text, self._text = self._text, b""
        return text


@dataclass(slots=True)
class _Slab:
    """What is wanted of the slab at hand."""

    number: int
    reader: SlabReader
    cells: Indices
    values: Floats
    texts: pl.DataFrame
    styles: Styles
    forms: SlabForms
    points: Bools

    def forms_of(self, first: int, row: int, cells: Places) -> list[int | None]:
        """How cells of a row are printed, counted from the first row of an entry."""
        return self.forms.of(first + row, cells)


class CopyReader(FileReader):
    """Reads a copy as `FileReader` reads a capture; see there."""

    def __init__(self, source: CopySource, request: Request, tally: Tally) -> None:
        self._copy, self._entries = source, source.order.read()
        _, head = next(self._entries)
        super().__init__(_Head(source, head), request, tally)
        self._underway = self._groups = Groups()
        # By header: the wanted cells, and where they lie.
        self._wanted: list[tuple[Indices, list[Part]]] = []
        self._slab: _Slab | None = None

    def read(self, progress: Callable[[int], None] | None = None) -> list[Segment]:
        """Hands the rows on and gives the segments; `progress` is told the bytes of the copy that were read."""
        segments = [self.start()]
        block = 0
        if self._buffer:  # the header does not end where a line does
            block = 1
            self._text(self._separated(bytearray(self._buffer), len(self._buffer)), self._line, segments)
        for entry, text in self._entries:
            if entry.block != block:
                self._groups.drain()
                block = entry.block
            if entry.kind == "rows":
                self._rows(entry, segments[-1])
            else:
                lines = text.replace(b",", b".").replace(b";", b",") if entry.semicolons else text
                self._text(lines, entry.line, segments)
            if progress:
                progress(self._copy.position)
        self._groups.drain()
        self._finish()
        return segments

    def _text(self, text: bytes | bytearray, line: int, segments: list[Segment]) -> None:
        """Reads lines as the capture's own."""
        self._take(text, line_spans(text, line, len(text)), segments)

    def _next_segment(self, line: bytes, span: Span, segments: list[Segment]) -> None:
        self._groups.drain()
        super()._next_segment(line, span, segments)

    def _segment(self, line: bytes) -> Segment:
        import polars as pl

        segment = super()._segment(line)
        name = f"headers/{len(self._wanted):05}.parquet"
        try:
            places = pl.read_parquet(io.BytesIO(self._copy.files.get(name)))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._copy.files.broken(f"{name} cannot be read ({error})") from error
        if places.height != segment.header.width - 1:
            raise self._copy.files.broken(f"{name} is of another header")
        cells = segment.wanted["cell"].to_numpy().astype(np.intp) - 1
        self._wanted.append((cells, parts(places, cells)))
        return segment

    def _rows(self, entry: Entry, segment: Segment) -> None:
        """Takes rows of a slab; they are handed on when the block behind them was looked at."""
        self.rows += entry.count
        if segment.checker.learnt is None:
            self._groups.drain()
            segment.checker.teach(entry.shape, trailing=entry.trailing)
        self._groups.rows(partial(self._settle_rows, entry, segment))

    def _settle_rows(self, entry: Entry, segment: Segment) -> None:
        import polars as pl

        try:
            piece, rows = self._piece(entry, segment)
        except (IndexError, KeyError, ValueError, TypeError, OverflowError, pl.exceptions.PolarsError) as error:
            raise self._copy.files.broken(f"its parts do not fit together ({error!r})") from error
        self._hand_on(segment, piece, rows)

    def _piece(self, entry: Entry, segment: Segment) -> tuple[Piece, Rows]:
        """The wanted cells of rows of a slab."""
        import polars as pl

        slab = self._slab_of(entry, segment.header.width - 1)
        part = slice(entry.first, entry.first + entry.count)
        lines = slab.reader.lines[part]
        if len(lines) != entry.count:
            raise self._copy.files.broken("a slab has other rows than its order says")
        times = pl.Series([time_text(cell) for cell in slab.reader.times[part]], dtype=pl.String)
        values = slab.values[:, part].copy()  # what the reader takes out of them is not for the next one
        texts = slab.texts.filter(pl.col("row").is_between(entry.first, entry.first + entry.count - 1))
        if self._request.places:
            piece, cells = _as_text(entry, slab, texts, lines)
        else:
            piece, cells = _odd_alone(entry, texts, values.T.shape, lines)
        odd = np.zeros((len(lines), len(slab.cells)), np.bool_)
        if texts.height:
            odd[texts["row"].to_numpy() - entry.first, texts["place"].to_numpy()] = True
        decimals = np.ascontiguousarray(slab.styles[:, part].T) & np.uint8(QUOTED - 1)
        decimals[odd] = NO_NUMBER
        points = slab.points[part] if segment.checker.surveyor.points else None
        rows = Rows(lines, times, values, cells, decimals, points, partial(slab.forms_of, entry.first))
        return piece, segment.parser.rows_of(rows, odd, bytes(piece.data))

    def _slab_of(self, entry: Entry, width: int) -> _Slab:
        slab = self._slab
        if slab is None or slab.number != entry.slab:
            self._slab = None  # its memory goes before the next one comes
            reader = SlabReader(self._copy.files, entry.slab)
            cells, parts = self._wanted[entry.header]
            values, texts = reader.values(parts, len(cells)), reader.texts(cells)
            forms = reader.forms(width)
            slab = self._slab = _Slab(
                entry.slab, reader, cells, values, texts, reader.styles(cells), forms, forms.points()
            )
        return slab


def _as_text(entry: Entry, slab: _Slab, texts: pl.DataFrame, lines: list[int]) -> tuple[Piece, Cells]:
    """The wanted cells of rows as text, and nothing else of them."""
    part = slice(entry.first, entry.first + entry.count)
    shape = (entry.count, len(slab.cells))
    places = (texts["row"].to_numpy().astype(np.int64) - entry.first) * shape[1] + texts["place"].to_numpy()
    odd = dict(zip(places.tolist(), texts["text"].to_list(), strict=True))
    made = decode(slab.values[:, part].T.reshape(-1), slab.styles[:, part].T.reshape(-1), odd)
    ends = made.cells.ends.reshape(shape)
    cells = Cells(made.cells.starts.reshape(shape), ends)
    behind = ends[:, -1] if shape[1] else np.zeros(entry.count, np.int64)
    starts = cells.starts[:, 0] - 1 if shape[1] else behind
    return Piece(made.data.tobytes(), lines, starts, behind), cells


def _odd_alone(entry: Entry, texts: pl.DataFrame, shape: tuple[int, ...], lines: list[int]) -> tuple[Piece, Cells]:
    """The cells that are kept as text, and nothing of the others."""
    starts, ends = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    data = b""
    if texts.height:
        own = texts["text"].to_list()
        behind = np.cumsum([len(text) for text in own])
        at = texts["row"].to_numpy() - entry.first, texts["place"].to_numpy()
        ends[at] = behind
        starts[at] = behind - [len(text) for text in own]
        data = b"".join(own)
    none = np.zeros(len(lines), np.int64)
    return Piece(data, lines, none, none), Cells(starts, ends)
