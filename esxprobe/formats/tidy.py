"""The values of a capture by entity kind and counter, taken out of the stores of its segments when somebody asks.

Nothing is melted, no column is looped over in Python, and no more is in memory than what was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Bools, Floats, Integers
from esxprobe.formats.column_store import ColumnStore, Range, fill
from esxprobe.formats.spill import Pick
from esxprobe.model import Values
from esxprobe.model.values import ALL

if TYPE_CHECKING:
    import polars as pl


# Whether an entity has any value mostly shows in the first few samples; then these many more are looked at.
_FIRST_LOOK, _LOOK = 4, 16


@dataclass(frozen=True, slots=True)
class _Kind:
    """The columns of an entity kind.

    Attributes:
        entities: Their numbers, rising.
        columns: By counter, the wanted column of each entity, -1 for none.
        more: By counter, further rows and their columns: an entity that was renamed, as a VM between two
            appended captures, has several columns of one counter.
    """

    entities: Integers
    columns: dict[str, Integers]
    more: dict[str, tuple[Integers, Integers]]


class StoredValues(Values):
    """The values of the judged samples of all segments.

    Args:
        stores: One a segment, in order.
        chosen: For each, which of its rows are judged.
        wanted: The wanted columns of all segments: key, kind, entity, object, counter.
    """

    def __init__(self, stores: Sequence[ColumnStore], chosen: Sequence[Bools], wanted: pl.DataFrame) -> None:
        self.length = sum(int(each.sum()) for each in chosen)
        self._kinds = dict(_kinds(wanted))
        self._parts: list[tuple[Integers | None, list[Range]]] = []
        keys = wanted["key"]
        first = 0
        for store, rows in zip(stores, chosen, strict=True):
            self._parts.append((_places(keys, store.wanted["key"]), list(store.ranges(rows, first))))
            first += int(rows.sum())
        self._seen: dict[tuple[str, str], Bools] = {}

    @property
    def kinds(self) -> tuple[str, ...]:
        """Entity kinds that have counters."""
        return tuple(self._kinds)

    def counters(self, kind: str) -> tuple[str, ...]:
        """Counters in the order of the header."""
        return tuple(self._kinds[kind].columns) if kind in self._kinds else ()

    def entities(self, kind: str) -> Integers:
        """Numbers of the entities that have a wanted column; nobody has values without a judged sample."""
        return self._kinds[kind].entities if kind in self._kinds and self.length else np.empty(0, np.int64)

    def read(
        self, kind: str, paths: Sequence[str], rows: slice | Integers = ALL, samples: slice = ALL
    ) -> list[Floats]:
        """All columns that are asked for in one go over the blocks."""
        known = self._kinds[kind]
        count = len(known.entities[rows])
        columns = np.concatenate([known.columns[path][rows] for path in paths]) if paths else np.empty(0, np.int64)
        table = self._table(columns, samples)
        made = [table[n * count : (n + 1) * count] for n in range(len(paths))]
        for path, matrix in zip(paths, made, strict=True):
            if path in known.more:
                self._fill_gaps(matrix, known.entities[rows], *known.more[path], samples)
        return made

    def _fill_gaps(
        self, matrix: Floats, shown: Integers, owners: Integers, columns: Integers, samples: slice
    ) -> None:
        """Each further column of an entity fills what the ones before it leave open."""
        for owner, values in zip(owners, self._table(columns, samples), strict=True):
            for row in np.flatnonzero(shown == owner):
                matrix[row] = np.where(np.isnan(matrix[row]), values, matrix[row])

    def _table(self, columns: Integers, samples: slice) -> Floats:
        """Columns of all segments over some samples, one row each; NaN where a segment lacks one."""
        begin, end, _ = samples.indices(self.length)
        out = np.empty((len(columns), max(0, end - begin)))
        for places, ranges in self._parts:
            own = columns if places is None else np.where(columns < 0, -1, places[columns])
            have = own >= 0
            if not have.all():
                for each in ranges:
                    first, behind = max(begin, each.first), min(end, each.first + each.count)
                    if first < behind:
                        out[~have, first - begin : behind - begin] = np.nan
            rows = ALL if have.all() else np.flatnonzero(have)
            fill(out, rows, ranges, Pick(own[have]), slice(begin, end))
        return out

    def seen(self, kind: str, path: str) -> Bools:
        """Looked up in a few samples first, and only for the others in more of them."""
        if (kind, path) not in self._seen:
            paths = self._kinds[kind].columns
            for name, matrix in zip(
                paths, self.read(kind, tuple(paths), samples=slice(0, _FIRST_LOOK)), strict=True
            ):
                self._seen[kind, name] = np.asarray(~np.isnan(matrix).all(axis=1))
        seen = self._seen[kind, path]
        begin, look = _FIRST_LOOK, _LOOK
        while begin < self.length and not seen.all():
            blank = np.flatnonzero(~seen)
            (values,) = self.read(kind, [path], blank, slice(begin, begin + look))
            seen[blank] = ~np.isnan(values).all(axis=1)
            begin, look = begin + look, 4 * look
        return seen


def _kinds(wanted: pl.DataFrame) -> list[tuple[str, _Kind]]:
    parts = wanted.with_row_index("place").partition_by("kind", as_dict=True, maintain_order=True).items()
    return [(str(kind), _kind(part)) for (kind,), part in parts if kind]


def _kind(columns: pl.DataFrame) -> _Kind:
    entities = columns["entity"].unique().sort().to_numpy().astype(np.int64)
    made = _Kind(entities, {}, {})
    by_counter = columns.group_by("object", "counter", maintain_order=True).agg("place", "entity")
    for obj, counter, places, owners in by_counter.iter_rows():
        path = f"{obj}\\{counter}"
        column, owner = np.array(places, np.int64), np.array(owners, np.int64)
        first = np.sort(np.unique(owner, return_index=True)[1])
        row = np.full(len(entities), -1, np.int64)
        row[np.searchsorted(entities, owner[first])] = column[first]
        made.columns[path] = row
        if len(first) < len(owner):
            others = np.delete(np.arange(len(owner)), first)
            made.more[path] = (owner[others], column[others])
    return made


def _places(keys: pl.Series, own: pl.Series) -> Integers | None:
    """Where each wanted column stands in a segment, -1 where it lacks; None where all stand as they are."""
    import polars as pl

    if own.equals(keys):
        return None
    place = pl.DataFrame({"key": own, "place": np.arange(len(own))})
    joined = keys.alias("key").to_frame().join(place, on="key", how="left", maintain_order="left")
    return joined["place"].fill_null(-1).to_numpy()
