"""`esxtop -b` captures: one pass over the bytes, wanted columns only, every row checked.

Header cells are taken by name, never by position: releases order and spell their columns
differently, and default-field captures lack half of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe import series
from esxprobe.arrays import Bools
from esxprobe.errors import UnreadableInputError
from esxprobe.formats import timestamps
from esxprobe.formats.closure import off_closure
from esxprobe.formats.column_store import ColumnStore
from esxprobe.formats.entities import Identities, identify
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.parse import CheckedRows, words_of
from esxprobe.formats.printed_cells import CaptureCells, CellsWanted
from esxprobe.formats.rows import Piece
from esxprobe.formats.scan import FileReader, Needs, Request, SegmentReader, wanted_columns
from esxprobe.formats.source import Source
from esxprobe.formats.spill import Spill
from esxprobe.formats.tidy import StoredValues
from esxprobe.formats.wanted import Enough, every_column
from esxprobe.formats.window import TimeWindow
from esxprobe.model import JudgedPart, Recording, SourceFile, TidyFrames, Values, Window

if TYPE_CHECKING:
    import polars as pl

# A window of one sample is a slip of the pen: nothing is a state in it.
_FEWEST = 2


def read_esxtop(
    paths: Sequence[Path],
    needs: Needs,
    *,
    timezone: str | None = None,
    at_most: Mapping[str, Enough] | None = None,
    progress: Callable[[int], None] | None = None,
    window: TimeWindow | None = None,
    cells: CellsWanted | None = None,
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
        cells: Who wants the cells as they were printed; None if not needed.

    Raises:
        UnreadableInputError: A file is not an esxtop capture, or no row of it fits its header.
        UsageError: `timezone` is not a valid time zone; fewer than two samples are in the window.
    """
    issues = QualityIssues()
    segments: list[SegmentReader] = []
    stores = _Stores()
    if cells is not None and cells.every:
        request = Request(every_column, taker=stores.take, places=True)
    else:
        request = Request(needs, at_most or {}, stores.take)
    files: list[SourceFile] = []
    rows_read = 0
    for path in paths:
        source = Source(path)
        try:
            reader = FileReader(source, request, issues)
            done = sum(file.bytes for file in files)
            segments += reader.read(progress and partial(_advance, progress, done))
            rows_read += reader.rows
            record, notes = source.finish()
        finally:
            source.close()
        issues.take(notes)
        files.append(record)
    assembly = _Assembly(segments, stores, needs=needs, at_most=at_most, timezone=timezone, issues=issues)
    recording = assembly.recording(tuple(files), rows_read, window)
    if cells is not None:
        cells.taker(assembly.cells())
    return recording


def _advance(progress: Callable[[int], None], before: int, position: int) -> None:
    progress(before + position)


class _Stores:
    """Takes the rows of segments as they are read; neighbors with the same columns share a store."""

    def __init__(self) -> None:
        self._spill = Spill()
        self._stores: list[ColumnStore] = []
        self._last: SegmentReader | None = None
        self._counts: list[tuple[SegmentReader, int]] = []

    def take(self, segment: SegmentReader, piece: Piece, rows: CheckedRows) -> None:
        """Takes in rows."""
        if segment is not self._last:
            if not self._stores or not self._stores[-1].wanted.equals(segment.wanted):
                if self._stores:
                    self._stores[-1].close()
                self._stores.append(ColumnStore(segment.wanted, self._spill))
            self._last = segment
        store = self._stores[-1]
        if "words" in segment.wanted.columns and segment.wanted["words"].any():
            store.printed.add_words(len(store.lines), words_of(piece, rows, segment.wanted))
        store.add(rows)
        self._counts.append((segment, len(rows.lines)))

    def closed(self) -> list[ColumnStore]:
        """All stores, in the order of their rows."""
        if self._stores:
            self._stores[-1].close()
        return self._stores

    def numbers(self, segments: list[SegmentReader]) -> NDArray[np.int64]:
        """For each row the number of its segment."""
        place = {id(segment): number for number, segment in enumerate(segments)}
        return np.repeat([place[id(segment)] for segment, _ in self._counts], [count for _, count in self._counts])


class _Assembly:
    """Puts the segments of a capture together."""

    def __init__(
        self,
        segments: list[SegmentReader],
        stores: _Stores,
        *,
        needs: Needs,
        at_most: Mapping[str, Enough] | None,
        timezone: str | None,
        issues: QualityIssues,
    ) -> None:
        self._segments, self._needs, self._at_most = segments, needs, at_most
        self._stores, self._numbers = stores.closed(), stores.numbers(segments)
        self._timezone, self._issues = timezone, issues
        self._date_known = True
        self._zone: tzinfo = UTC
        self._kept: tuple[NDArray[np.int64], pl.DataFrame, Identities] | None = None

    def cells(self) -> CaptureCells:
        """The cells of the samples of the recording, once that is made."""
        assert self._kept is not None  # noqa: S101 - the recording comes first
        rows, samples, identities = self._kept
        rows = rows[samples["sample"].to_numpy()]
        return CaptureCells(self._stores, rows, samples, identities, self._segments[0].header.zone)

    def recording(
        self, files: tuple[SourceFile, ...], rows_read: int, window: TimeWindow | None = None
    ) -> Recording:
        """The whole capture, or a window of it, as one Recording."""
        import polars as pl

        self._take_header_notes()
        self._refuse_strangers()
        first = self._segments[0].header
        identities = self._joined_identities()
        wanted = wanted_columns(identities, self._needs, self._at_most)
        samples = self._samples(first.zone)
        if samples is None:
            raise self._nothing_fits(files[0].name, rows_read)
        kept = samples["time"].is_not_null()
        if not kept.any():
            raise UnreadableInputError(
                f"{files[0].name}: no row has a readable time", hint="send the file as esxtop wrote it"
            )
        rows = np.flatnonzero(kept.to_numpy())
        samples = series.measure_intervals(samples.filter(kept).with_row_index("sample"))
        self._count_times(samples)
        chosen = self._chosen(rows, samples)
        values = StoredValues(self._stores, chosen, wanted)
        self._count_marks(self._stores, chosen, values)
        self._count_unknown(identities.columns)
        self._count_closure(values, samples, identities)
        columns = identities.columns.with_columns(pl.col("key").is_in(wanted["key"].implode()).alias("wanted"))
        part = None
        if window is not None:
            samples, part = self._part(samples, window)
            chosen = self._chosen(rows, samples)
            values = StoredValues(self._stores, chosen, self._there(wanted, chosen))
        self._kept = rows, samples, identities
        return Recording(
            host=first.host,
            zone=first.zone,
            columns=columns,
            samples=samples,
            tidy=TidyFrames(values, values.kinds, samples.filter("judged")["sample"]),
            entities=identities.entities,
            vms=identities.vms,
            notes=tuple(self._issues.notes()),
            files=files,
            interval_s=series.usual_interval(samples["interval_s"].drop_nulls()),
            rows_read=rows_read,
            date_known=self._date_known,
            part=part,
        )

    def _part(self, samples: pl.DataFrame, window: TimeWindow) -> tuple[pl.DataFrame, JudgedPart]:
        """The samples of a window with their intervals as they are known, and what the window means."""
        times = samples["time"]
        inside = samples.filter(window.holds(times, self._zone, _FEWEST, dated=self._date_known))
        first, last = (_utc(each) for each in (times.min(), times.max()))
        return inside, JudgedPart(
            asked_from=window.start.text if window.start else "",
            asked_to=window.end.text if window.end else "",
            span=Window(*window.bounds(times, self._zone)),
            whole=Window(first, last),
            inside=inside.height,
            samples=samples.height,
        )

    def _there(self, wanted: pl.DataFrame, chosen: list[Bools]) -> pl.DataFrame:
        """Those of the wanted columns that a segment with a chosen row has: what others have was not there."""
        import polars as pl

        keys = [store.wanted["key"] for store, rows in zip(self._stores, chosen, strict=True) if rows.any()]
        if not keys or len(self._stores) == 1:
            return wanted
        return wanted.filter(pl.col("key").is_in(pl.concat(keys).unique().implode()))

    def _take_header_notes(self) -> None:
        seen = set()
        if not self._issues.count("service-derived"):  # of a copy: what was derived how is in the original's notes
            derived = [
                each.header.width - 1 for each in self._segments if each.header.zone == timestamps.DERIVED_ZONE
            ]
            self._issues.add("service-derived", max(derived, default=0))
        for segment in self._segments:
            for made in segment.header.notes:
                if made not in seen:
                    self._issues.take([made])
                    seen.add(made)

    def _refuse_strangers(self) -> None:
        """Group ids of two hosts, or of one before and after a boot, name other VMs: those are not joined."""
        hosts = [segment.header.host for segment in self._segments]
        refuse_several_hosts(hosts, "give each host's capture in a file or folder of its own")
        seen: dict[str, set[str]] = {}
        # A header that is before every sample is the same each time.
        for identities in {id(segment.identities): segment.identities for segment in self._segments}.values():
            for gid, worlds in _worlds_of_vms(identities).items():
                if gid in seen and not seen[gid] & worlds:
                    raise UnreadableInputError(
                        f"captures from before and after a restart are joined: group {gid} is another VM in each",
                        hint="split the file where its header repeats and report the parts one by one",
                    )
                seen[gid] = seen.get(gid, set()) | worlds

    def _joined_identities(self) -> Identities:
        import polars as pl

        if len({id(segment.identities) for segment in self._segments}) == 1:
            return self._segments[0].identities  # one header, however often it is in the file
        union = pl.concat([s.identities.columns.drop("kind", "entity", "thing", "meaning") for s in self._segments])
        union = union.unique("key", keep="first", maintain_order=True)
        union = union.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("column"))
        return identify(union, QualityIssues())

    def _samples(self, zone_text: str) -> pl.DataFrame | None:
        """line, segment and time [UTC, null where unreadable] of every row; None without any row."""
        import polars as pl

        if not self._stores:
            return None
        joined = pl.DataFrame(
            {
                "line": [line for store in self._stores for line in store.lines],
                "segment": self._numbers,
                "cell": pl.concat([cells for store in self._stores for cells in store.time_cells]),
            }
        )
        times, self._date_known = timestamps.parse_times(joined["cell"], self._issues)
        self._zone = timestamps.zone_of(zone_text, self._timezone, self._issues)
        utc = timestamps.to_utc_counted(times, self._zone, self._timezone, self._issues)
        return joined.select(
            pl.col("line").cast(pl.UInt32),
            pl.col("segment").cast(pl.UInt32),
            utc.alias("time"),
        )

    def _chosen(self, rows: NDArray[np.intp], samples: pl.DataFrame) -> list[Bools]:
        """Which rows of each segment are judged samples; `rows` has the number of each sample's row."""
        ends = np.cumsum([len(store.lines) for store in self._stores])
        chosen = np.zeros(ends[-1], np.bool_)
        chosen[rows[samples.filter("judged")["sample"].to_numpy()]] = True
        return np.split(chosen, ends[:-1])

    def _nothing_fits(self, name: str, rows_read: int) -> UnreadableInputError:
        width = self._segments[0].header.width
        if not rows_read:
            return UnreadableInputError(
                f"{name} holds a header of {width:,} cells and no sample",
                hint="esxtop was stopped before its first interval ended: capture at least 10 minutes",
            )
        return UnreadableInputError(
            f"{name}: none of its {rows_read:,} rows has the header's {width:,} cells",
            hint="the file was truncated or saved again; send it as esxtop wrote it",
        )

    def _count_marks(self, stores: list[ColumnStore], chosen: list[Bools], values: StoredValues) -> None:
        """Infinite cells and marks for none, which are missing values."""
        infinite = sum(store.infinite(rows) for store, rows in zip(stores, chosen, strict=True))
        self._issues.add("bad-cell", infinite, f"{infinite} cells say inf")
        counts: Counter[str] = Counter()
        for store, rows in zip(stores, chosen, strict=True):
            counts.update(store.marks(rows))
        for path in dict.fromkeys(path for kind in values.kinds for path in values.counters(kind)):
            self._issues.add("sentinel", counts[path], path)

    def _count_times(self, samples: pl.DataFrame) -> None:
        names = {
            "first": "first-sample",
            "repeats": "time-repeats",
            "backwards": "time-backwards",
            "gap": "time-gap",
        }
        for reason, code in names.items():
            rows = samples.filter(samples["reason"] == reason)
            self._issues.add(code, rows.height, ", ".join(f"line {line:,}" for line in rows["line"][:5]))
        self._issues.add("time-jitter", series.jitter_count(samples["interval_s"].drop_nulls()))

    def _count_unknown(self, columns: pl.DataFrame) -> None:
        import polars as pl

        unknown = columns.filter(pl.col("known").eq(other=False))
        if unknown.height:
            shown = unknown.unique(["object", "counter"], maintain_order=True).head(5)
            names = ", ".join(f"{row['object']}\\{row['counter']}" for row in shown.iter_rows(named=True))
            self._issues.add("unknown-counter", unknown.height, f"{unknown.height} columns: {names}")

    def _count_closure(self, values: Values, samples: pl.DataFrame, who: Identities) -> None:
        numbers = samples.filter("judged")
        for kind in ("vcpu", "world"):
            off, first = off_closure(values, kind, numbers.height)
            if first is not None:
                world = who.entities[kind]["name"][first[0]]
                line = numbers["line"][first[1]]
                self._issues.add("closure-off", off, f"{off} {kind} samples, the first is {world} in line {line:,}")


def _utc(found: object) -> datetime:
    """A time out of a column of times, with the plain UTC that every process has."""
    assert isinstance(found, datetime)  # noqa: S101 - for the type checker
    return found.astimezone(UTC)


def refuse_several_hosts(hosts: Iterable[str], hint: str) -> None:
    """Files of several hosts are not a capture.

    Args:
        hosts: Names in their headers, empty where one has none.
        hint: What to do instead.

    Raises:
        UnreadableInputError: There are several.
    """
    named = list(dict.fromkeys(host for host in hosts if host))
    if len({_short(host) for host in named}) > 1:
        raise UnreadableInputError(f"captures of several hosts are joined here: {', '.join(named[:5])}", hint=hint)


def _short(host: str) -> str:
    """A host's name as far as captures of it agree: `esx01` may be `esx01.example.com` elsewhere."""
    return host if host.replace(".", "").isdigit() else host.partition(".")[0].lower()


def _worlds_of_vms(identities: Identities) -> dict[str, set[str]]:
    """World ids of each VM's own worlds, by group id."""
    owned: dict[str, set[str]] = {}
    vms = {vm.gid for vm in identities.vms}
    for kind in ("vcpu", "world"):
        frame = identities.entities.get(kind)
        for gid, wid in frame.select("gid", "id").iter_rows() if frame is not None else ():
            if gid in vms:
                owned.setdefault(gid, set()).add(wid)
    return owned
