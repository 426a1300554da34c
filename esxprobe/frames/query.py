"""One query of a capture: the passes over its files, and the frames that come of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import parse as parsed
from esxprobe.formats import timestamps
from esxprobe.formats.head import no_sample
from esxprobe.formats.header_reader import HeaderReader, Request
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.scan import FileReader, SegmentReader
from esxprobe.formats.source import Source
from esxprobe.frames import time_cells
from esxprobe.frames.behind import Behind, WantedAgainError, on_time_alone
from esxprobe.frames.columns import TIME, Asked, Headers
from esxprobe.frames.frame_builder import FrameBuilder, TimedRows
from esxprobe.model import QualityNote

if TYPE_CHECKING:
    import polars as pl

# Checked rows, their segment, and by place of the column what their cells of words say.
Taken = tuple[SegmentReader, parsed.CheckedRows, dict[int, list[str | None]]]


class _Pass:
    """One pass over the files of a capture.

    Args:
        paths: The files.
        asked: Chooses their columns.
        issues: Counts damage.
        behind: Passes over lines.
        places: Some of the columns hold words.
    """

    def __init__(
        self, paths: Sequence[Path], asked: Asked, issues: QualityIssues, behind: Behind | None, *, places: bool
    ) -> None:
        self._paths, self._issues = paths, issues
        keep = behind.keep if behind else None
        self._headers = HeaderReader(Request(asked.of, places=places, who=False, keep=keep))
        self.rows = 0  # lines under headers

    def rows_of(self) -> Generator[Taken]:
        """Checked rows with their segment and what their cells of words say."""
        notes: list[QualityNote] = []
        try:
            for path in self._paths:
                yield from self._rows_of(path, notes)
        finally:
            self._issues.take(notes)

    def _rows_of(self, path: Path, notes: list[QualityNote]) -> Iterator[Taken]:
        source = Source(path, checksum=False)
        reader = FileReader(source, self._headers, self._issues)
        try:
            with closing(reader.batches()) as batches:
                for batch in batches:
                    segment = reader.segments[batch.segment]
                    yield segment, batch.rows, parsed.words_of(batch, segment.wanted)
        finally:
            self.rows += reader.rows
            for segment in reader.segments:
                notes += [note for note in segment.header.notes if note not in notes]
            self._issues.take(source.notes)
            source.close()


@dataclass(frozen=True, slots=True)
class Query:
    """What a query asks of a capture.

    Attributes:
        names: Columns of the frame, in their order; the time may be one of them.
        predicate: Which rows.
        n_rows: So many rows are enough, before the predicate.
        batch_size: So many rows of a frame are enough.
    """

    names: tuple[str, ...]
    predicate: pl.Expr | None = None
    n_rows: int | None = None
    batch_size: int | None = None


class Reading:
    """One query, answered.

    Args:
        paths: The files of the capture.
        headers: Their first headers.
        timezone: Time zone of the timestamps, where the headers' cannot be trusted.
        query: What is asked.
        told: Given the quality notes when the reading ends.

    Attributes:
        segments: How many rows of each segment were in the frames, in their order.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        headers: Headers,
        timezone: str | None,
        query: Query,
        told: Callable[[tuple[QualityNote, ...]], None],
    ) -> None:
        self._paths, self._headers, self._timezone, self._query, self._told = paths, headers, timezone, query, told
        self._on_time = on_time_alone(query.predicate)
        roots = query.predicate.meta.root_names() if query.predicate is not None else []
        every = headers.schema
        self._schema = {name: every[name] for name in dict.fromkeys((*query.names, *roots))}
        self._names = [name for name in self._schema if name != TIME]
        self._builder = FrameBuilder(self._schema, query.batch_size)
        self._left = query.n_rows
        self._done = 0  # rows with a time that were dealt with
        self._issues = QualityIssues()
        self._places: dict[int, tuple[SegmentReader, np.ndarray]] = {}
        self._segment: SegmentReader | None = None
        self.segments: list[int] = []

    def frames(self) -> Iterator[pl.DataFrame]:
        """The frames, in the order of the files.

        Raises:
            UnreadableInputError: A file cannot be read further, or none of its rows can be used.
            UsageError: The time zone is none.
        """
        if self._left == 0:
            return
        try:
            known = None if self._headers.quoted else self._known_times()
            try:
                yield from self._answered(known, passing_over=known is None)
            except _StampsFirstError:
                yield from self._answered(self._known_times(), passing_over=False)
            except WantedAgainError:
                yield from self._answered(None, passing_over=False)
        finally:
            self._told(tuple(self._issues.notes()))

    def _pass(self, behind: Behind | None) -> _Pass:
        import polars as pl

        words = any(self._schema[name] == pl.String for name in self._names)
        asked = Asked(frozenset(self._names), self._headers, self._issues)
        return _Pass(self._paths, asked, self._issues, behind, places=words)

    def _known_times(self) -> pl.Series:
        """Times of all rows that the next pass will give."""
        import polars as pl

        self._issues = QualityIssues()
        cells = [rows.time_cells for _, rows, _ in self._pass(None).rows_of()]
        self._issues = QualityIssues()
        zone = timestamps.zone_of(self._headers.zone, self._timezone, QualityIssues())
        every = pl.concat(cells) if cells else pl.Series([], dtype=pl.String)
        return time_cells.known_times(every, zone, self._issues, self._timezone)

    def _answered(self, known: pl.Series | None, *, passing_over: bool) -> Iterator[pl.DataFrame]:
        """One pass; rows that the one before has dealt with are passed over."""
        if known is None:
            self._issues = QualityIssues()
        zone = timestamps.zone_of(self._headers.zone, self._timezone, self._issues)
        times = time_cells.Stamps(zone, self._issues, self._timezone, known)
        behind = Behind(self._on_time, zone) if passing_over and self._on_time is not None else None
        builder, a_pass = self._builder, self._pass(behind)
        before = self._done
        rows_of = a_pass.rows_of()
        try:
            for segment, rows, words in rows_of:
                if known is None and not times.rows and not time_cells.all_plain(rows.time_cells):
                    raise _StampsFirstError
                ready = self._with_times(segment, rows, words, times.of(rows.time_cells))
                passed = min(before, len(ready.times))
                before -= passed
                self._add(segment, self._wanted(ready.tail(passed)))
                if builder.full or self._left == 0:
                    yield self._finished(builder)
                if self._left == 0:
                    return
        finally:
            rows_of.close()
        self._refuse_nothing(a_pass.rows, times)
        times.check()
        yield self._finished(builder)

    def _with_times(
        self, segment: SegmentReader, rows: parsed.CheckedRows, words: dict[int, list[str | None]], utc: pl.Series
    ) -> TimedRows:
        """Rows with a readable time."""
        infinite = int(np.isinf(rows.values).sum())
        self._issues.add("bad-cell", infinite, f"{infinite} cells say inf")
        made = TimedRows(utc, rows.values, words, self._places_of(segment))
        return made.some(utc.is_not_null()) if utc.null_count() else made

    def _wanted(self, rows: TimedRows) -> TimedRows:
        """Those of the next rows that the query can want by their time."""
        if self._left is not None:
            rows = rows.head(self._left)
            self._left -= len(rows.times)
        self._done += len(rows.times)
        if self._on_time is None or not len(rows.times):
            return rows
        flags = rows.times.alias(TIME).to_frame().select(self._on_time.alias("wanted"))["wanted"]
        return rows.some(flags.fill_null(value=False))

    def _add(self, segment: SegmentReader, rows: TimedRows) -> None:
        if segment is not self._segment:
            self._segment = segment
            self.segments.append(0)
        self.segments[-1] += len(rows.times)
        self._builder.add(rows)

    def _finished(self, builder: FrameBuilder) -> pl.DataFrame:
        frame = builder.frame()
        if self._query.predicate is not None:
            frame = frame.filter(self._query.predicate)
        return frame if len(self._schema) == len(self._query.names) else frame.select(self._query.names)

    def _places_of(self, segment: SegmentReader) -> np.ndarray:
        """For each column of the frame its number among the wanted ones of a segment, -1 where it lacks."""
        wanted = segment.wanted
        if id(wanted) not in self._places:
            place = {name: n for n, name in enumerate(wanted["name"].to_list())}
            found = np.array([place.get(name, -1) for name in self._names], np.int64)
            self._places[id(wanted)] = segment, found  # the segment keeps its id alive
        return self._places[id(wanted)][1]

    def _refuse_nothing(self, seen: int, times: time_cells.Stamps) -> None:
        name = self._paths[0].name
        if times.readable:
            return
        if not seen:
            raise no_sample(name, self._issues)
        if not times.rows:
            what, hint = f"has {seen:,} rows, and none fits its header", "the file was cut or saved again"
        else:
            what, hint = "has no row with a readable time", "send the file as esxtop wrote it"
        raise UnreadableInputError(f"{name} {what}", hint=hint)


class _StampsFirstError(Exception):
    """The stamps are not esxtop's own: all of them must be known before the first."""
