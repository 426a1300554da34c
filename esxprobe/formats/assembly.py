"""The segments of a capture put together: one time axis, one set of identities, and what is odd about the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import combinations
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
from esxprobe.formats.head import no_sample
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.parts_in_time import out_of_order, overlapping
from esxprobe.formats.printed_cells import CaptureCells
from esxprobe.formats.scan import SegmentReader
from esxprobe.formats.tidy import StoredValues
from esxprobe.formats.wanted import Enough, Needs, wanted_columns
from esxprobe.formats.window import TimeWindow
from esxprobe.model import JudgedPart, Recording, SourceFile, TidyFrames, Values, Window

if TYPE_CHECKING:
    import polars as pl

# A window of one sample is a slip of the pen: nothing is a state in it.
_FEWEST = 2


class Assembly:
    """Puts the segments of a capture together.

    Args:
        segments: The segments, in order.
        stores: Their rows; neighbors with the same columns have one store.
        numbers: For each row the number of its segment.
        needs: The wanted counters by entity kind.
        at_most: Entity kinds of which not all entities are read.
        timezone: Time zone of the timestamps, where the header's cannot be trusted.
        issues: Counts damage.
    """

    def __init__(
        self,
        segments: Sequence[SegmentReader],
        stores: Sequence[ColumnStore],
        numbers: NDArray[np.int64],
        *,
        needs: Needs,
        at_most: Mapping[str, Enough] | None,
        timezone: str | None,
        issues: QualityIssues,
    ) -> None:
        self._segments, self._needs, self._at_most = segments, needs, at_most
        self._stores, self._numbers = stores, numbers
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
            return no_sample(name, self._issues, f" of {width:,} cells")
        return UnreadableInputError(
            f"{name}: none of its {rows_read:,} rows has the header's {width:,} cells",
            hint="the file was truncated or saved again; send it as esxtop wrote it",
        )

    def _count_marks(self, stores: Sequence[ColumnStore], chosen: list[Bools], values: StoredValues) -> None:
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
            "again": "sample-twice",
            "gap": "time-gap",
        }
        found = {code: samples["reason"] == reason for reason, code in names.items()}
        found |= {"time-overlaps": overlapping(samples), "time-order": out_of_order(samples)}
        for code, which in found.items():
            rows = samples.filter(which)
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
    if not all(_same_host(one, other) for one, other in combinations(named, 2)):
        raise UnreadableInputError(f"captures of several hosts are joined here: {', '.join(named[:5])}", hint=hint)


def _same_host(one: str, other: str) -> bool:
    """Whether two names may be of one host: `esx01` may be `esx01.example.com` elsewhere."""
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    return short == long or ("." not in short and long.startswith(f"{short}."))


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
