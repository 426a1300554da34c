"""`esxtop -b` captures: one pass over the bytes, wanted columns only, every row checked.

Header cells are taken by name, never by position: releases order and spell their columns
differently, and default-field captures lack half of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from esxprobe.formats.assembly import Assembly
from esxprobe.formats.column_store import ColumnStore
from esxprobe.formats.header_reader import HeaderReader, Request
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.parse import Batch, words_of
from esxprobe.formats.printed_cells import CaptureCells
from esxprobe.formats.scan import FileReader, SegmentReader
from esxprobe.formats.source import Source
from esxprobe.formats.spill import Spill
from esxprobe.formats.wanted import Enough, Needs, every_column
from esxprobe.formats.window import TimeWindow
from esxprobe.model import Recording, SourceFile


def read_esxtop(
    paths: Sequence[Path],
    needs: Needs,
    *,
    timezone: str | None = None,
    at_most: Mapping[str, Enough] | None = None,
    progress: Callable[[int], None] | None = None,
    window: TimeWindow | None = None,
) -> Recording:
    r"""Reads one capture, whole: one file, or the segments of one host in order.

    With a window all rows are read, checked and counted as well; samples and values are those of the window. So
    the interval of its first sample is known, for the sample before it was read.

    Args:
        paths: CSV files, plain, gzip or zstandard. They are only read.
        needs: Which counters (`Object\Counter`) to read, by entity kind.
        timezone: Time zone of the timestamps (IANA name or offset), where the header's cannot be trusted.
        at_most: Entity kinds of which not all entities are read.
        progress: Told the bytes read so far, all files together, after each block.
        window: The part of it that is wanted; None for all of it.

    Raises:
        UnreadableInputError: A file is not an esxtop capture, or no row of it fits its header.
        UsageError: `timezone` is not a valid time zone; fewer than two samples are in the window.
    """
    read = _read(paths, Request(needs, at_most or {}), progress)
    return read.assembly(needs, at_most, timezone).recording(read.files, read.rows, window)


class RecordingWithCells(NamedTuple):
    """A capture that was read, and the cells of its columns as they were printed."""

    recording: Recording
    cells: CaptureCells


def read_with_cells(
    paths: Sequence[Path],
    needs: Needs,
    *,
    every: bool = False,
    timezone: str | None = None,
    at_most: Mapping[str, Enough] | None = None,
    progress: Callable[[int], None] | None = None,
    window: TimeWindow | None = None,
) -> RecordingWithCells:
    """The same, and the cells of what was read.

    Args:
        paths: As in `read_esxtop`.
        needs: As in `read_esxtop`.
        every: Read the cells of every column there is, not of the needed ones alone.
        timezone: As in `read_esxtop`.
        at_most: As in `read_esxtop`.
        progress: As in `read_esxtop`.
        window: As in `read_esxtop`.

    Raises:
        UnreadableInputError: As in `read_esxtop`.
        UsageError: As in `read_esxtop`.
    """
    request = Request(every_column, places=True) if every else Request(needs, at_most or {})
    read = _read(paths, request, progress)
    assembly = read.assembly(needs, at_most, timezone)
    recording = assembly.recording(read.files, read.rows, window)
    return RecordingWithCells(recording, assembly.cells())


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of the files of a capture.

    Attributes:
        segments: Their segments, in order.
        stores: The rows of these.
        files: The files.
        rows: Lines under their headers.
        issues: Damage.
    """

    segments: list[SegmentReader]
    stores: _Stores
    files: tuple[SourceFile, ...]
    rows: int
    issues: QualityIssues

    def assembly(self, needs: Needs, at_most: Mapping[str, Enough] | None, timezone: str | None) -> Assembly:
        """Them together; the arguments are those of `read_esxtop`."""
        stores, numbers = self.stores.closed(), self.stores.numbers()
        return Assembly(
            self.segments, stores, numbers, needs=needs, at_most=at_most, timezone=timezone, issues=self.issues
        )


def _read(paths: Sequence[Path], request: Request, progress: Callable[[int], None] | None) -> _Read:
    """Reads files."""
    headers, issues = HeaderReader(request), QualityIssues()
    segments: list[SegmentReader] = []
    stores = _Stores()
    files: list[SourceFile] = []
    rows = 0
    for path in paths:
        source = Source(path)
        try:
            reader = FileReader(source, headers, issues)
            done = sum(file.bytes for file in files)
            for batch in reader.batches(progress, done):
                stores.add(len(segments), reader.segments[batch.segment], batch)
            segments += reader.segments
            rows += reader.rows
            record, notes = source.finish()
        finally:
            source.close()
        issues.take(notes)
        files.append(record)
    return _Read(segments, stores, tuple(files), rows, issues)


class _Stores:
    """Keeps the rows of segments as they are read; neighbors with the same columns share a store."""

    def __init__(self) -> None:
        self._spill = Spill()
        self._stores: list[ColumnStore] = []
        self._last: SegmentReader | None = None
        self._counts: list[tuple[int, int]] = []

    def add(self, before: int, segment: SegmentReader, batch: Batch) -> None:
        """Takes in rows.

        Args:
            before: How many segments are in the files before.
            segment: Of the rows.
            batch: The rows.
        """
        if segment is not self._last:
            if not self._stores or not self._stores[-1].wanted.equals(segment.wanted):
                if self._stores:
                    self._stores[-1].close()
                self._stores.append(ColumnStore(segment.wanted, self._spill))
            self._last = segment
        store = self._stores[-1]
        if "words" in segment.wanted.columns and segment.wanted["words"].any():
            store.printed.add_words(len(store.lines), words_of(batch, segment.wanted))
        store.add(batch.rows)
        self._counts.append((before + batch.segment, len(batch.rows.lines)))

    def closed(self) -> list[ColumnStore]:
        """All stores, in the order of their rows."""
        if self._stores:
            self._stores[-1].close()
        return self._stores

    def numbers(self) -> NDArray[np.int64]:
        """For each row the number of its segment."""
        counts = np.array(self._counts, np.int64).reshape(-1, 2)
        return np.repeat(counts[:, 0], counts[:, 1])
