"""One pass over one file: headers, checked rows, and of these the wanted cells only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe import catalog
from esxprobe.errors import UnreadableInputError
from esxprobe.formats import pdh, sniff
from esxprobe.formats.entities import Identities, identify
from esxprobe.formats.rows import LONGEST_LINE, LOST, Layout, Piece, RowChecker, Span, line_spans
from esxprobe.formats.source import Source
from esxprobe.formats.tally import Tally

if TYPE_CHECKING:
    import polars as pl

# Bytes that one scan gets. Each scan pays for the whole schema again, so wide captures like it large.
BLOCK = 64 << 20
# How far into a file a header may start: banners are short.
_BANNER = 1 << 20

Needs = Mapping[str, Iterable[str]]
Schema = dict[str, "pl.DataType | type[pl.DataType]"]


@dataclass(frozen=True, slots=True)
class Rows:
    """Checked rows: line numbers, time cells (String), values (one row a wanted column, NaN for none)."""

    lines: list[int]
    time_cells: pl.Series
    values: NDArray[np.float64]


@dataclass(slots=True)
class Segment:
    """Rows under one header."""

    header: pdh.Header
    identities: Identities
    wanted: pl.DataFrame
    schema: Schema
    checker: RowChecker
    rows: list[Rows] = field(default_factory=list)


class FileReader:
    """One pass over one file."""

    def __init__(self, source: Source, needs: Needs, tally: Tally) -> None:
        self._source, self._needs, self._tally = source, needs, tally
        self._buffer = b""
        self._line = 1
        self._header_line = b""
        self.rows = 0

    def start(self) -> Segment:
        """The first segment, its header read and nothing else."""
        self._find_header()
        end = self._fill_to_line_end()
        line = self._buffer[:end].rstrip(b"\r")
        if self._buffer[end - 1 : end] == b"\r":
            self._tally.add("crlf-line-ends")
        self._buffer = self._buffer[end + 1 :]
        self._line += 1
        return self._segment(line)

    def read(self) -> list[Segment]:
        """All segments with their frames of wanted columns."""
        segments = [self.start()]
        for block, spans in self._blocks(segments):
            self._take(block, spans, segments)
        return segments

    def _find_header(self) -> None:
        mark = pdh.MARK.encode()
        head = self._source.read(_BANNER)
        at = head.find(mark)
        if at < 0:
            raise sniff.not_a_capture(self._source.path, self._source.head)
        start = at - 1 if head[at - 1 : at] == b'"' else at
        banner = head[:start]
        if banner.strip():
            first = banner.strip().splitlines()[0][:60].decode(errors="replace")
            self._tally.add("banner", 1, f"{len(banner)} bytes, {first!r}")
        self._line += banner.count(b"\n")
        self._buffer = head[start:]

    def _fill_to_line_end(self) -> int:
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            more = self._source.read(max(_BANNER, seen))
            if not more:
                return seen
            if seen > LONGEST_LINE:
                raise UnreadableInputError(
                    f"{self._source.path}: a line is longer than {LONGEST_LINE:,} bytes"
                )
            self._buffer += more
        return end

    def _segment(self, line: bytes) -> Segment:
        self._header_line = line
        header = pdh.parse_header(line)
        index = pdh.index(header)
        objects = index["object"].unique(maintain_order=True).to_list()
        if not set(objects) & set(sniff.ESXTOP_OBJECTS) and set(objects) != {"Memory"}:
            raise sniff.foreign_objects(self._source.path, [name for name in objects if name])
        identities = identify(_known(_keyed(index)), self._tally)
        wanted = wanted_columns(identities.columns, self._needs)
        return Segment(
            header, identities, wanted, _schema(header, index), _checker(header, index, self._tally)
        )

    def _blocks(self, segments: list[Segment]) -> Iterator[tuple[bytes, list[Span]]]:
        """Blocks of whole lines; a doubtful last line waits for the next block."""
        waited = False
        while True:
            more = self._source.read(BLOCK)
            block = self._buffer + more if self._buffer else more
            self._buffer = b""
            if more:
                end = block.rfind(b"\n") + 1
                if not waited:
                    end = self._without_doubtful_last(block, end, segments[-1].checker)
                if end <= 0:
                    if len(block) > LONGEST_LINE:
                        raise UnreadableInputError(
                            f"{self._source.path}: a line is longer than {LONGEST_LINE:,} bytes"
                        )
                    self._buffer = block
                    waited = b"\n" in block
                    continue
                waited = False
                self._buffer = block[end:]
                block = block[:end]
            if segments[-1].header.separator == ";":
                block = block.replace(b",", b".").replace(b";", b",")
            spans = line_spans(block, self._line)
            self._line += len(spans)
            yield block, spans
            if not more:
                return

    def _without_doubtful_last(self, block: bytes, end: int, checker: RowChecker) -> int:
        """Where to cut so that a last line that may belong to the next one stays with it."""
        start = block.rfind(b"\n", 0, max(0, end - 1)) + 1
        return end if end <= 0 or checker.fits(block[start : end - 1]) else start

    def _take(self, block: bytes, spans: list[Span], segments: list[Segment]) -> None:
        at = 0
        for n, span in enumerate(spans):
            if not span.header:
                continue
            self._scan(block, spans[at:n], segments[-1])
            at = n + 1
            line = block[span.start : span.end].rstrip(b"\r")
            place = f"line {span.number:,}"
            if line == self._header_line:
                self._tally.add("repeated-header", 1, place)
            elif span.cut and span.end == len(block):
                self._tally.add("row-cut", 1, f"{place}: a header without rows")
                continue
            else:
                self._tally.add("appended-capture", 1, place)
            segments.append(self._segment(line))
        self._scan(block, spans[at:], segments[-1])

    def _scan(self, block: bytes, spans: list[Span], segment: Segment) -> None:
        spans = [span for span in spans if span.end > span.start]
        if not spans:
            return
        self.rows += len(spans)
        piece = segment.checker.check(block, spans)
        if not piece.lines:
            return
        frame = _parsed(piece, segment)
        if frame is None:
            piece = segment.checker.recheck(piece)
            frame = _parsed(piece, segment)
            if frame is None:
                raise UnreadableInputError(
                    f"{self._source.path}: rows from line {spans[0].number:,} on cannot be read"
                )
        if frame.height:
            segment.rows.append(_rows(frame, piece, segment, self._tally))


def _keyed(index: pl.DataFrame) -> pl.DataFrame:
    """Adds key: a name of its own for every column, by which segments are joined."""
    import polars as pl

    named = pl.col("path") != ""
    before = pl.when(named).then("path").forward_fill()
    numbered = pl.col("path") + pl.col("counter").str.extract(r"(#\d+)$", 1).fill_null("")
    unnamed = "unnamed after " + before.fill_null("the time")
    keyed = index.with_columns(pl.when(named).then(numbered).otherwise(unnamed).alias("key"))
    if keyed["key"].n_unique() == keyed.height:
        return keyed
    nth = pl.int_range(1, pl.len() + 1).over("key").cast(pl.String)
    return keyed.with_columns((pl.col("key") + " (" + nth + ")").alias("key"))


def _known(index: pl.DataFrame) -> pl.DataFrame:
    """Adds known (Boolean): the catalogue has the counter. Nameless columns are neither, null."""
    import polars as pl

    known = catalog.known().select("object", "counter", pl.lit(value=True).alias("known"))
    joined = index.with_columns(pl.col("counter").str.replace(r"#\d+$", "").alias("plain")).join(
        known, left_on=["object", "plain"], right_on=["object", "counter"], how="left", maintain_order="left"
    )
    named = pl.col("path") != ""
    return joined.with_columns(
        pl.when(named).then(pl.col("known").fill_null(value=False)).alias("known")
    ).drop("plain")


def wanted_columns(columns: pl.DataFrame, needs: Needs) -> pl.DataFrame:
    """The columns that somebody needs, in file order."""
    import polars as pl

    pairs = [(kind, path) for kind, paths in needs.items() for path in sorted(set(paths))]
    asked = pl.DataFrame(pairs, schema={"kind": pl.String, "full": pl.String}, orient="row")
    full = (pl.col("object") + "\\" + pl.col("counter")).alias("full")
    return (
        columns.with_columns(full)
        .join(asked, on=["kind", "full"], how="semi", maintain_order="left")
        .drop("full")
    )


def _schema(header: pdh.Header, index: pl.DataFrame) -> Schema:
    """Explicit types for a parser: nothing is ever inferred on a hundred thousand columns."""
    import polars as pl

    schema: Schema = {str(n): pl.Float64() for n in range(header.width)}
    schema["0"] = pl.String()
    for cell in _text_cells(index):
        schema[str(cell)] = pl.String()
    for cell, part in zip(header.cells, header.parts, strict=True):
        if part:
            schema[str(cell)] = pl.String()
    return schema


def _text_cells(index: pl.DataFrame) -> list[int]:
    import polars as pl

    texts = catalog.known().filter(pl.col("kind") == "text").select("object", "counter")
    return index.join(texts, on=["object", "counter"], how="semi")["cell"].to_list()


def _checker(header: pdh.Header, index: pl.DataFrame, tally: Tally) -> RowChecker:
    columns = zip(header.names, header.cells, header.parts, strict=True)
    loose = frozenset(cell for name, cell, part in columns if not name and not part)
    glued = frozenset(cell for cell, part in zip(header.cells, header.parts, strict=True) if part)
    layout = Layout(header.width, loose, glued, frozenset(_text_cells(index)))
    return RowChecker(layout, tally)


def _parsed(piece: Piece, segment: Segment, *, as_text: list[str] | None = None) -> pl.DataFrame | None:
    """Time and wanted cells of a piece; None when the parser finds other rows than were counted."""
    import polars as pl

    schema: Schema = dict(segment.schema) if as_text is None else dict.fromkeys(segment.schema, pl.String())
    if piece.trailing:
        schema["phantom"] = pl.String()
    cells = as_text or list(dict.fromkeys(["0", *map(str, segment.wanted["cell"].to_list())]))
    if not piece.data:
        return pl.DataFrame(schema={cell: schema[cell] for cell in cells})
    scan = pl.scan_csv(piece.data, has_header=False, schema=schema, ignore_errors=True)
    try:
        frame = scan.select(cells).collect()
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == len(piece.lines) else None


def _rows(frame: pl.DataFrame, piece: Piece, segment: Segment, tally: Tally) -> Rows:
    """The parsed cells in the order of the wanted columns."""
    import polars as pl

    wanted = segment.wanted
    kinds = frame.schema
    cells = [str(cell) for cell in wanted["cell"].to_list()]
    words = [n for n, cell in enumerate(cells) if kinds[cell] == pl.String]
    if words:
        halves = dict(zip(words, wanted["part"].gather(words).to_list(), strict=True))
        columns = [
            _number(cell, halves.get(n, 0)).alias(str(n)) if n in halves else pl.col(cell).alias(str(n))
            for n, cell in enumerate(cells)
        ]
        numbers = frame.select(columns)
    else:
        numbers = frame.drop("0")  # each wanted cell once, in order
    values = np.ascontiguousarray(numbers.to_numpy().T) if cells else np.empty((0, frame.height))
    if np.isnan(values).any():
        _count_missing(values, piece, segment, tally)
    return Rows(piece.lines, frame["0"], values)


def _number(cell: str, part: int) -> pl.Expr:
    """A text cell as a number; of a glued cell the digits before the quote, or what the quotes hold."""
    import polars as pl

    patterns = {0: r"^\s*(.*?)\s*$", 1: r'^\s*([^"]*?)\s*(?:"|$)', 2: r'"([^"]*)"?$'}
    return pl.col(cell).str.extract(patterns[part], 1).cast(pl.Float64, strict=False)


def _count_missing(values: NDArray[np.float64], piece: Piece, segment: Segment, tally: Tally) -> None:
    """Counts wanted cells without a number: blank ones apart from those that hold something else."""
    holed = np.flatnonzero(np.isnan(values).any(axis=1))
    keys, cells = segment.wanted["key"], segment.wanted["cell"]
    names = [str(cells[int(n)]) for n in holed]
    texts = _parsed(piece, segment, as_text=list(dict.fromkeys(names)))
    if texts is None:
        return
    lost = LOST.decode()
    for n, name in zip(holed.tolist(), names, strict=True):
        at = np.flatnonzero(np.isnan(values[n]))
        held = [(text or "").strip(' "') for text in texts[name].gather(at).to_list()]
        tally.add("blank-cell", sum(not text for text in held))
        bad = [(int(row), text) for row, text in zip(at, held, strict=True) if text not in {"", lost}]
        if bad:
            row, text = bad[0]
            tally.add("bad-cell", len(bad), f"line {piece.lines[row]:,}, {keys[n]}: {text[:20]!r}")
