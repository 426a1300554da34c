"""Checked rows to frames of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Floats, Integers
from esxprobe.frames.columns import TIME

if TYPE_CHECKING:
    import polars as pl

# A frame holds about so many bytes of values: enough that making its columns costs little beside reading them.
SIZE = 32 << 20


@dataclass(frozen=True, slots=True)
class TimedRows:
    """Rows with times.

    Attributes:
        times: When [UTC].
        values: A row a column of their header, NaN for none.
        words: What its columns of words say, by their number.
        places: For each column of the frame its number in the header, -1 for one that it lacks.
    """

    times: pl.Series
    values: Floats
    words: dict[int, list[str | None]]
    places: Integers

    def some(self, kept: pl.Series) -> TimedRows:
        """Some of the rows."""
        if kept.all():
            return self
        flags = kept.to_numpy()
        words = {
            column: [word for word, keep in zip(cells, flags.tolist(), strict=True) if keep]
            for column, cells in self.words.items()
        }
        return TimedRows(self.times.filter(kept), self.values[:, flags], words, self.places)

    def head(self, count: int) -> TimedRows:
        """The first ones."""
        words = {column: cells[:count] for column, cells in self.words.items()}
        return TimedRows(self.times.head(count), self.values[:, :count], words, self.places)

    def tail(self, passed: int) -> TimedRows:
        """Those behind the first so many."""
        words = {column: cells[passed:] for column, cells in self.words.items()}
        return TimedRows(self.times[passed:], self.values[:, passed:], words, self.places)


class FrameBuilder:
    """Gathers rows until they fill a frame.

    Args:
        schema: Of the frame, in its order, the time where it is wanted.
        most: So many rows are enough.
    """

    def __init__(self, schema: dict[str, pl.DataType], most: int | None) -> None:
        import polars as pl

        self._schema = schema
        self._names = [name for name in schema if name != TIME]
        self._words = [n for n, name in enumerate(self._names) if schema[name] == pl.String]
        usual = max(1, SIZE // (8 * max(1, len(self._names))))
        self._most = min(usual, most) if most else usual
        self._rows: list[TimedRows] = []
        self._count = 0

    @property
    def full(self) -> bool:
        """Whether it is time for a frame."""
        return self._count >= self._most

    def add(self, rows: TimedRows) -> None:
        """Takes in rows."""
        if len(rows.times):
            self._rows.append(rows)
            self._count += len(rows.times)

    def frame(self) -> pl.DataFrame:
        """The rows so far; they are let go of."""
        import polars as pl

        rows, self._rows = self._rows, []
        count, self._count = self._count, 0
        values = np.full((len(self._names), count), np.nan)
        words: dict[int, list[str | None]] = {n: [] for n in self._words}
        at = 0
        for each in rows:
            behind = at + len(each.times)
            there = np.flatnonzero(each.places >= 0)
            if len(there):
                values[there, at:behind] = each.values[each.places[there]]
            for n in self._words:
                words[n] += each.words.get(int(each.places[n]), [None] * (behind - at))
            at = behind
        values[~np.isfinite(values)] = np.nan
        # One long series cut into columns: tens of thousands of series made one by one take ten times as long.
        flat = pl.Series(values.reshape(-1)).fill_nan(None)
        columns = {name: flat.slice(n * count, count).alias(name) for n, name in enumerate(self._names)}
        columns |= {self._names[n]: pl.Series(self._names[n], cells, pl.String) for n, cells in words.items()}
        utc = [each.times for each in rows] or [pl.Series([], dtype=pl.Datetime("us", "UTC"))]
        columns[TIME] = pl.concat(utc).alias(TIME)
        return pl.DataFrame([columns[name] for name in self._schema])
