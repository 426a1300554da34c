"""`esxtop -b` captures: one pass over the bytes, wanted columns only, every row checked.

Header cells are taken by name, never by position: releases order and spell their columns
differently, and default-field captures lack half of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe import series
from esxprobe.errors import UnreadableInputError
from esxprobe.formats import clock
from esxprobe.formats.columns.opening import opened, reader_of
from esxprobe.formats.entities import Identities, identify
from esxprobe.formats.scan import Needs, Segment, wanted_columns
from esxprobe.formats.tally import Tally
from esxprobe.formats.tidy import tidy_frames
from esxprobe.model import Recording, SourceFile

if TYPE_CHECKING:
    import polars as pl

# Per-world CPU states that must add up (see `closure`).
STATES = (r"Vcpu\% Run", r"Vcpu\% Ready", r"Vcpu\% CoStop", r"Vcpu\% Wait")
_CLOSURE_OFF = 3.0  # points of % away from the sample's own closure; screens seen agree within 0.01


def read_header(path: Path) -> tuple[Identities, list[str], Tally]:
    """The columns of a capture without its rows.

    Returns:
        Identities with known (Boolean) in the columns, the distinct hosts' names, the tally.

    Raises:
        UnreadableInputError: The file is no esxtop capture.
    """
    tally = Tally()
    source = opened(path)
    try:
        reader = reader_of(source, {}, tally)
        segment = reader.start()
    finally:
        source.close()
    tally.take(segment.header.notes)
    return segment.identities, [segment.header.host], tally


def read_esxtop(
    paths: Sequence[Path],
    needs: Needs,
    *,
    timezone: str | None = None,
    at_most: Mapping[str, int] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Recording:
    r"""Reads one capture, whole: one file, or the segments of one host in order.

    Args:
        paths: CSV files, plain, gzip or zstandard, or columnar copies of such. They are only read.
        needs: Which counters (`Object\Counter`) to read, by entity kind.
        timezone: Zone of the stamps (IANA name or offset), where the header's cannot be trusted.
        at_most: Entity kinds of which so many entities are enough, taken evenly over the header.
        progress: Told the bytes read so far, all files together, after each block.

    Raises:
        UnreadableInputError: A file is no esxtop capture, or no row of it fits its header.
        UsageError: `timezone` is no time zone.
    """
    tally = Tally()
    segments: list[Segment] = []
    files: list[SourceFile] = []
    rows_read = 0
    for path in paths:
        source = opened(path)
        try:
            reader = reader_of(source, needs, tally, at_most)
            done = sum(file.bytes for file in files)
            segments += reader.read(progress and partial(_advance, progress, done))
            rows_read += reader.rows
            record, notes = source.finish()
        finally:
            source.close()
        tally.take(notes)
        files.append(record)
    return _Assembly(segments, needs, at_most, timezone, tally).recording(tuple(files), rows_read)


def _advance(progress: Callable[[int], None], before: int, position: int) -> None:
    progress(before + position)


class _Assembly:
    """Puts the segments of a capture together."""

    def __init__(
        self,
        segments: list[Segment],
        needs: Needs,
        at_most: Mapping[str, int] | None,
        timezone: str | None,
        tally: Tally,
    ) -> None:
        self._segments, self._needs, self._at_most = segments, needs, at_most
        self._timezone, self._tally = timezone, tally
        self._date_known = True

    def recording(self, files: tuple[SourceFile, ...], rows_read: int) -> Recording:
        """The whole capture as one Recording."""
        import polars as pl

        self._take_header_notes()
        self._refuse_strangers()
        first = self._segments[0].header
        identities = self._joined_identities()
        wanted = wanted_columns(identities.columns, self._needs, self._at_most)
        samples = self._samples(first.zone)
        if samples is None:
            raise self._nothing_fits(files[0].name, rows_read)
        kept = samples["time"].is_not_null()
        if not kept.any():
            raise UnreadableInputError(
                f"{files[0].name}: no row has a readable time", hint="send the file as esxtop wrote it"
            )
        samples = series.measure_intervals(samples.filter(kept).with_row_index("sample"))
        self._count_times(samples)
        judged = np.flatnonzero(kept.to_numpy())[samples["judged"].to_numpy()]
        values = self._finite(self._values(wanted, judged))
        tidy = tidy_frames(values, samples.filter("judged"), wanted, self._tally)
        self._count_unknown(identities.columns)
        self._count_closure(tidy, samples, identities)
        columns = identities.columns.with_columns(pl.col("key").is_in(wanted["key"].implode()).alias("wanted"))
        return Recording(
            host=first.host,
            zone=first.zone,
            columns=columns,
            samples=samples,
            tidy=tidy,
            entities=identities.entities,
            vms=identities.vms,
            notes=tuple(self._tally.notes()),
            files=files,
            interval_s=series.usual_interval(samples["interval_s"].drop_nulls()),
            rows_read=rows_read,
            date_known=self._date_known,
        )

    def _take_header_notes(self) -> None:
        seen = set()
        for segment in self._segments:
            for made in segment.header.notes:
                if made not in seen:
                    self._tally.take([made])
                    seen.add(made)

    def _refuse_strangers(self) -> None:
        """Group ids of two hosts, or of one before and after a boot, name other VMs: those are not joined."""
        hosts = list(dict.fromkeys(segment.header.host for segment in self._segments if segment.header.host))
        if len({_short(host) for host in hosts}) > 1:
            raise UnreadableInputError(
                f"captures of several hosts are joined here: {', '.join(hosts[:5])}",
                hint="give each host's capture in a file or folder of its own",
            )
        seen: dict[str, set[str]] = {}
        for segment in self._segments:
            for gid, worlds in _worlds_of_vms(segment.identities).items():
                if gid in seen and not seen[gid] & worlds:
                    raise UnreadableInputError(
                        f"captures from before and after a restart are joined: group {gid} is another VM in each",
                        hint="split the file where its header repeats and report the parts one by one",
                    )
                seen[gid] = seen.get(gid, set()) | worlds

    def _joined_identities(self) -> Identities:
        import polars as pl

        if len({id(segment.identities) for segment in self._segments}) == 1:
            return self._segments[0].identities  # one header, however often it stands in the file
        union = pl.concat([s.identities.columns.drop("kind", "entity", "thing", "meaning") for s in self._segments])
        union = union.unique("key", keep="first", maintain_order=True)
        union = union.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("column"))
        return identify(union, Tally())

    def _values(self, wanted: pl.DataFrame, judged: NDArray[np.intp]) -> NDArray[np.float64]:
        """One row a wanted column, one column a judged row of the file; NaN where a segment lacks the column."""
        keys = wanted["key"].to_list()
        place = {key: n for n, key in enumerate(keys)}
        chosen = np.zeros(sum(len(rows.lines) for segment in self._segments for rows in segment.rows), np.bool_)
        chosen[judged] = True
        values = np.full((len(keys), len(judged)), np.nan)
        row = at = 0
        for segment in self._segments:
            own = segment.wanted["key"].to_list()
            # a part of the worlds may be another one here
            shared = [n for n, key in enumerate(own) if key in place]
            target = [place[own[n]] for n in shared]
            for rows in segment.rows:
                mask = chosen[row : row + len(rows.lines)]
                block = rows.values if mask.all() else rows.values[:, mask]
                row += len(mask)
                if own == keys:
                    values[:, at : at + block.shape[1]] = block
                else:
                    values[target, at : at + block.shape[1]] = block[shared]
                at += block.shape[1]
        return values

    def _samples(self, zone_text: str) -> pl.DataFrame | None:
        """line, segment and time [UTC, null where unreadable] of every row; None without any row."""
        import polars as pl

        parts = [
            pl.DataFrame({"line": rows.lines, "segment": [number] * len(rows.lines), "cell": rows.time_cells})
            for number, segment in enumerate(self._segments)
            for rows in segment.rows
        ]
        if not parts:
            return None
        joined = pl.concat(parts)
        times, self._date_known = clock.parse_times(joined["cell"], self._tally)
        zone = clock.zone_of(zone_text, self._timezone, self._tally)
        utc = clock.to_utc(times, zone)
        skipped = utc.null_count() - times.null_count()
        self._tally.add("time-unreadable", skipped, f"{skipped} times that {self._timezone} skips")
        return joined.select(
            pl.col("line").cast(pl.UInt32),
            pl.col("segment").cast(pl.UInt32),
            utc.alias("time"),
        )

    def _nothing_fits(self, name: str, rows_read: int) -> UnreadableInputError:
        width = self._segments[0].header.width
        if not rows_read:
            return UnreadableInputError(
                f"{name} holds a header of {width:,} cells and no sample",
                hint="esxtop was stopped before its first interval ended: capture at least 10 minutes",
            )
        return UnreadableInputError(
            f"{name}: none of its {rows_read:,} rows has the header's {width:,} cells",
            hint="the file was cut or saved again; send it as esxtop wrote it",
        )

    def _finite(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Infinite cells as missing, counted."""
        odd = np.isinf(values)
        if not odd.any():
            return values
        self._tally.add("bad-cell", int(odd.sum()), f"{int(odd.sum())} cells say inf")
        return np.where(odd, np.nan, values)

    def _count_times(self, samples: pl.DataFrame) -> None:
        names = {
            "first": "first-sample",
            "repeats": "time-repeats",
            "backwards": "time-backwards",
            "gap": "time-gap",
        }
        for reason, code in names.items():
            rows = samples.filter(samples["reason"] == reason)
            self._tally.add(code, rows.height, ", ".join(f"line {line:,}" for line in rows["line"][:5]))
        self._tally.add("time-jitter", series.jitter_count(samples["interval_s"].drop_nulls()))

    def _count_unknown(self, columns: pl.DataFrame) -> None:
        import polars as pl

        unknown = columns.filter(pl.col("known").eq(other=False))
        if unknown.height:
            shown = unknown.unique(["object", "counter"], maintain_order=True).head(5)
            names = ", ".join(f"{row['object']}\\{row['counter']}" for row in shown.iter_rows(named=True))
            self._tally.add("unknown-counter", unknown.height, f"{unknown.height} columns: {names}")

    def _count_closure(self, tidy: Mapping[str, pl.DataFrame], samples: pl.DataFrame, who: Identities) -> None:
        for kind in ("vcpu", "world"):
            frame = tidy.get(kind)
            if frame is None or not set(STATES) <= set(frame.columns):
                continue
            off = off_closure(frame)
            if off.height:
                world = who.entities[kind]["name"][int(off["entity"][0])]
                line = samples["line"][int(off["sample"][0])]
                self._tally.add(
                    "closure-off",
                    off.height,
                    f"{off.height} {kind} samples, the first is {world} in line {line:,}",
                )


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


def off_closure(worlds: pl.DataFrame) -> pl.DataFrame:
    """World samples whose CPU states do not add up to what the sample's other worlds add up to.

    Real captures do not close at 100 % (98.9 % and 97.3 % were seen) but all worlds of a sample
    close alike, so each is compared with the sample's own median. A world that is gone prints zeros:
    it is absent, not off.

    Args:
        worlds: sample, entity and the four states of `STATES` [%].

    Returns:
        sample, entity, closure [%], usual [%] of those off by more than three points.
    """
    import polars as pl

    closure = pl.sum_horizontal(pl.col(*STATES), ignore_nulls=False)
    return (
        worlds.lazy()
        .select("sample", "entity", closure.alias("closure"))
        .with_columns(pl.col("closure").median().over("sample").alias("usual"))
        .filter((pl.col("closure") - pl.col("usual")).abs() > _CLOSURE_OFF, pl.col("closure") != 0)
        .collect()
    )
