"""The use case: chosen columns and a window of time of a capture, as a file that other programs open.

1. a header's columns are chosen (`choice`); what was asked for and is nowhere is an error with near names,
2. each file is read as for a report: rows that cannot be trusted are repaired or left out, and counted,
3. rows of the window are written (`pdh_csv` for PDH-CSV, `tables` for Parquet and Arrow), in one step at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.extract.choice import ColumnChoice, Selection
from esxprobe.extract.pdh_csv import PdhCsvWriter
from esxprobe.extract.publish import Partials, unfinished
from esxprobe.extract.typed_tables import TableWriter
from esxprobe.formats import timestamps
from esxprobe.formats.head import no_sample
from esxprobe.formats.header_reader import HeaderReader, Request
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.parse import Batch
from esxprobe.formats.scan import FileReader, SegmentReader
from esxprobe.formats.source import Source
from esxprobe.formats.window import TimeWindow
from esxprobe.model import QualityNote

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ENDINGS", "Extracted", "Selection", "extract"]

ENDINGS = (".csv", ".parquet", ".arrow")

Writer = PdhCsvWriter | TableWriter


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was written.

    Attributes:
        paths: The files.
        columns: How many value columns, all files together.
        rows: How many samples.
        seen: How many lines are under the headers of the capture.
        outside: Samples outside the window.
        without: Samples of segments that have none of the chosen columns.
        notes: Damage and warnings that were counted on the way.
    """

    paths: tuple[Path, ...]
    columns: int
    rows: int
    seen: int
    outside: int
    without: int
    notes: tuple[QualityNote, ...]


def extract(
    paths: Sequence[Path],
    query: Selection,
    window: TimeWindow,
    target: Path,
    *,
    timezone: str | None = None,
    progress: Callable[[int], None] | None = None,
    guard: Callable[[Path], None] = lambda _: None,
) -> Extracted:
    """Writes a part of a capture.

    Args:
        paths: One file, or one host's segments in order. They are only read.
        query: Which columns.
        window: Which samples.
        target: Where to; its ending decides the format. A table of several objects, or of more columns than a
            spreadsheet has, becomes several files beside it.
        timezone: Time zone of the timestamps, where the header's cannot be trusted.
        progress: Told the bytes read so far, all files together.
        guard: Told every path before it is written; raises where that must not be.

    Raises:
        UsageError: Nothing, or something that is not there, was asked for; an unknown ending.
        UnreadableInputError: A file is not an esxtop capture, or none of its rows can be used.
        OutputError: It cannot be written.
    """
    if target.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"{target} has none of the extensions {', '.join(ENDINGS)}",
            hint="the file name extension selects the format: -o part.csv",
        )
    with unfinished(target, guard) as partials:
        writer: Writer = PdhCsvWriter(partials) if target.suffix.lower() == ".csv" else TableWriter(partials)
        return _Extraction(query, timezone, writer, partials).run(paths, window, progress)


class _Extraction:
    """One run: what is read, and when each row of it was."""

    def __init__(self, query: Selection, timezone: str | None, writer: Writer, partials: Partials) -> None:
        self._choice, self._timezone = ColumnChoice(query), timezone
        self._writer, self._partials = writer, partials
        self._who = bool(query.vms or query.entities) or isinstance(writer, TableWriter)
        self._issues = QualityIssues()
        self._cells: list[pl.Series] = []
        self._chosen: list[bool] = []
        self._zone_text = ""

    def run(self, paths: Sequence[Path], window: TimeWindow, progress: Callable[[int], None] | None) -> Extracted:
        seen = done = 0
        noted: list[QualityNote] = []
        headers = HeaderReader(Request(self._choice.of, places=True, who=self._who))
        for path in paths:
            source = Source(path, checksum=False)
            try:
                reader = FileReader(source, headers, self._issues)
                for batch in reader.batches(progress, done):
                    self._add(reader.segments[batch.segment], batch)
                done += source.position
                seen += reader.rows
            finally:
                source.close()
            self._issues.take(source.notes)
            noted += [note for segment in reader.segments for note in segment.header.notes if note not in noted]
            self._zone_text = self._zone_text or reader.segments[0].header.zone
        self._issues.take(noted)
        self._choice.check()
        return self._publish(window, seen, paths[0])

    def _add(self, segment: SegmentReader, batch: Batch) -> None:
        rows = batch.rows
        self._cells.append(rows.time_cells)
        self._chosen += [bool(segment.wanted.height)] * len(rows.lines)
        if segment.wanted.height:
            import numpy as np

            infinite = int(np.isinf(rows.values).sum())
            self._issues.add("bad-cell", infinite, f"{infinite} cells say inf")
            with self._partials.writing():
                self._writer.add(segment, batch)

    def _publish(self, window: TimeWindow, seen: int, path: Path) -> Extracted:
        import polars as pl

        if not seen:
            raise no_sample(path.name, self._issues)
        if not self._cells:
            raise UnreadableInputError(
                f"{path.name}: none of its {seen:,} rows fits its header",
                hint="the file was truncated or saved again; send it as esxtop wrote it",
            )
        cells = pl.concat(self._cells)
        times, dated = timestamps.parse_times(cells, self._issues)
        zone = timestamps.zone_of(self._zone_text, self._timezone, self._issues)
        utc = timestamps.to_utc(times, zone)
        if utc.null_count() == len(utc):
            raise UnreadableInputError(
                f"{path.name}: no row has a readable time", hint="send the file as esxtop wrote it"
            )
        inside = window.holds(utc, zone, dated=dated)
        chosen = pl.Series(self._chosen)
        kept = (inside & chosen).filter(chosen)
        with self._partials.writing():
            self._writer.publish(cells.filter(chosen), times.filter(chosen), utc.filter(chosen), kept)
        return Extracted(
            paths=tuple(self._writer.paths),
            columns=self._writer.columns,
            rows=int((inside & chosen).sum()),
            seen=seen,
            outside=int((utc.is_not_null() & ~inside).sum()),
            without=int((inside & ~chosen).sum()),
            notes=tuple(self._issues.notes()),
        )
