"""The wanted cells of one segment, column by column in blocks of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Bools, Floats, Integers
from esxprobe.formats.parse import CheckedRows
from esxprobe.formats.printed import PrintedForms
from esxprobe.formats.spill import Pick, Spill, StoredMatrix

if TYPE_CHECKING:
    import polars as pl


# Size of a block [bytes]: many samples of a column lie side by side, and few blocks make a day.
BLOCK = 24 << 20
# esxtop prints small negative whole numbers where a value does not apply, as -1 for no limit.
SENTINELS = (-1.0, -2.0, -3.0)


@dataclass(frozen=True, slots=True)
class Range:
    """A block of the chosen samples.

    Attributes:
        block: The block.
        first: Number of its first chosen sample, over all blocks.
        count: How many of its samples are chosen.
        chosen: Which of its samples are chosen, None for all.
    """

    block: StoredMatrix
    first: int
    count: int
    chosen: Bools | None


class ColumnStore:
    """Takes the rows of a segment as they come, and gives columns of them.

    What is not a value is taken out on the way in, while it is at hand, and is counted row by row: which rows are
    judged is known in the end only.

    Args:
        wanted: The segment's wanted columns: key, kind, object, counter.
        spill: Where the blocks are kept.
    """

    def __init__(self, wanted: pl.DataFrame, spill: Spill) -> None:
        import polars as pl

        self.wanted, self._spill = wanted, spill
        self.lines: list[int] = []
        self.time_cells: list[pl.Series] = []
        paths = wanted.select((pl.col("object") + "\\" + pl.col("counter")).alias("path"), "kind")
        # What belongs to no entity is read and never reported.
        reported = paths["path"].set(paths["kind"].fill_null("") == "", None)
        self.paths: list[str] = reported.drop_nulls().unique(maintain_order=True).to_list()
        place = pl.DataFrame(
            {"path": self.paths, "code": np.arange(len(self.paths))}, schema_overrides={"path": pl.String}
        )
        codes = reported.alias("path").to_frame().join(place, on="path", how="left", maintain_order="left")
        self._codes = codes["code"].fill_null(-1).to_numpy()
        self._room = np.empty((0, 0))
        self._filled = 0
        self._blocks: list[StoredMatrix] = []
        self._marks: list[tuple[int, Integers]] = []
        self._infinite: list[tuple[int, Integers]] = []
        self.printed = PrintedForms(len(wanted))

    def add(self, rows: CheckedRows) -> None:
        """Takes in rows; their values may be changed.

        Raises:
            OutputError: The disk for temporary files is full.
        """
        # As it mostly is in memory: row by row. In another order a flat view would be a copy.
        values = np.require(rows.values.T, requirements=("C", "W"))
        self.printed.add(len(self.lines), rows)
        self._clean(values)
        self.lines += rows.lines
        self.time_cells.append(rows.time_cells)
        at, count = 0, len(values)
        while at < count:
            if self._filled == self._room.shape[1]:
                self._next_room(count - at)
            took = min(count - at, self._room.shape[1] - self._filled)
            self._room[:, self._filled : self._filled + took] = values[at : at + took].T
            self._filled += took
            at += took

    def _next_room(self, at_least: int) -> None:
        self.close()
        width = len(self.wanted)
        # The first rooms are small: most captures are.
        usual = max(1, BLOCK // max(1, 8 * width))
        length = min(usual, max(at_least, 2 * sum(block.width for block in self._blocks), 16))
        self._room = np.empty((width, length))

    def close(self) -> None:
        """Keeps what came since the last block."""
        if self._filled:
            whole = self._filled == self._room.shape[1]
            self._blocks.append(self._spill.put(self._room if whole else self._room[:, : self._filled].copy()))
        self._room, self._filled = np.empty((0, 0)), 0

    def _clean(self, values: Floats) -> None:
        """Takes out marks for none and infinite numbers, and remembers in which rows they were."""
        negative = np.flatnonzero(values.reshape(-1) < 0)
        if len(negative):
            found = values.reshape(-1)[negative]
            marks = negative[(found == SENTINELS[0]) | (found == SENTINELS[1]) | (found == SENTINELS[2])]
            row, column = np.divmod(marks, values.shape[1])
            self.printed.add_marks(len(self.lines) + row, column, values.reshape(-1)[marks])
            code = self._codes[column]
            cells = (row * len(self.paths) + code)[code >= 0]
            counts = np.bincount(cells, minlength=len(values) * len(self.paths))
            self._marks.append((len(self.lines), counts.reshape(len(values), -1).astype(np.int32)))
            values.reshape(-1)[marks] = np.nan
        infinite = np.isinf(values)
        if infinite.any():
            self._infinite.append((len(self.lines), infinite.sum(axis=1)))
            values[infinite] = np.nan

    def marks(self, chosen: Bools) -> dict[str, int]:
        """How many marks for none the chosen rows held, by path."""
        total = np.zeros(len(self.paths), np.int64)
        for first, counts in self._marks:
            total += counts[chosen[first : first + len(counts)]].sum(axis=0)
        return {path: int(count) for path, count in zip(self.paths, total, strict=True) if count}

    def infinite(self, chosen: Bools) -> int:
        """How many infinite numbers the chosen rows held."""
        return sum(int(counts[chosen[first : first + len(counts)]].sum()) for first, counts in self._infinite)

    def ranges(self, chosen: Bools, first: int) -> Iterator[Range]:
        """The blocks with what is chosen of them.

        Args:
            chosen: Which of the segment's rows.
            first: Number of the first chosen one, over all segments.
        """
        row = 0
        for block in self._blocks:
            part = chosen[row : row + block.width]
            count = int(part.sum())
            if count:
                yield Range(block, first, count, None if count == len(part) else part)
            row += block.width
            first += count


def fill(out: Floats, rows: slice | Integers, ranges: list[Range], pick: Pick, samples: slice) -> None:
    """Writes picked columns of blocks into rows of a matrix whose first column is `samples.start`."""
    for each in ranges:
        begin, end = max(samples.start, each.first), min(samples.stop, each.first + each.count)
        if begin >= end:
            continue
        values = each.block.take(pick)
        if each.chosen is not None:
            values = values[:, each.chosen]
        out[rows, begin - samples.start : end - samples.start] = values[:, begin - each.first : end - each.first]
