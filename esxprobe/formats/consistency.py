"""Numbers that are printed as their columns' numbers are: what tells cells that are in a wrong column.

A row may have as many cells as the header and still hold values of other columns: one cell lost and another one
too many is all that it takes. But esxtop prints a column with two decimals or with none, and never changes that.
What each column does is learned from the first rows of a segment, which wait until there are enough of them.
A number in another format is not a value of that column. Where several are, or where one is printed as a
column beside it, cells have moved: then no value of the row is used. The same holds where unwanted cells show it
(`points`), and where values are those that columns beside theirs had before (`moves`).

Spreadsheets drop zeros at the end, so of a file saved by one only the highest number of decimals is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Bools, Bytes, Floats, Integers
from esxprobe.formats.decimals import NO_NUMBER, OTHER_FORM
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.moves import Moves
from esxprobe.formats.parse import Batch, CheckedRows
from esxprobe.formats.points import MOVED, Points, form_of, unpacked
from esxprobe.formats.repair import LOST
from esxprobe.formats.rows import Piece

if TYPE_CHECKING:
    import polars as pl

# So many rows tell how a column is printed: a damaged one among them is outvoted.
LEARNED_FROM = 9
# Of fewer columns than these none can be in another's place.
_FEWEST = 2
# What esxtop prints [decimals].
_ESXTOP = (0, 2)
# What the other columns of a counter count where a column has few rows [rows].
_OTHERS = 1.5


@dataclass(frozen=True, slots=True)
class Formats:
    """How the wanted columns of a header are printed.

    Attributes:
        usual: Decimals of each column.
        most: Columns may have any number of decimals up to this one; None where each keeps to its own.
        free: Columns in which any number is accepted.
        nought: Columns that held nothing but a bare 0 in the rows from which this was learned.
    """

    usual: Bytes
    most: int | None
    free: Bools
    nought: Bools

    @classmethod
    def learn(cls, decimals: Bytes, zero: Bools, counters: Integers, *, quoted: bool) -> Formats:
        """Formats of columns.

        Args:
            decimals: How many each number has, some rows of columns.
            zero: Which are 0.
            counters: Number of each column's counter: its other columns are printed alike.
            quoted: Cells are in quotes, so no spreadsheet has touched them.
        """
        seen_forms = np.bincount(decimals.ravel(), minlength=OTHER_FORM + 1)[: OTHER_FORM + 1] > 0
        seen_forms[0] = True
        forms = np.flatnonzero(seen_forms).astype(np.uint8)
        counts = np.stack([np.count_nonzero(decimals == form, axis=0) for form in forms], axis=1).astype(np.float64)
        together: Floats = np.stack([np.bincount(counters, column) for column in counts.T], axis=1)
        together /= np.maximum(together.sum(axis=1, keepdims=True), 1.0)
        usual: Bytes = forms[(counts + _OTHERS * together[counters]).argmax(axis=1)]
        seen: Bools = counts.sum(axis=1) > 0
        free: Bools = ~seen | ~np.isin(usual, _ESXTOP)
        odd = ((decimals != usual) & (decimals != NO_NUMBER) & ~free).any(axis=1)
        mixed = np.count_nonzero(odd) > max(1, len(odd) / 2)
        most = max(*_ESXTOP, int(usual[seen].max(initial=0))) if mixed or not quoted else None
        nought: Bools = seen & ((decimals == NO_NUMBER) | ((decimals == 0) & zero)).all(axis=0)
        return cls(usual, most, free, nought)

    def odd(self, rows: CheckedRows) -> Bools | None:
        """Which numbers are printed in another way, a row a row; None for none."""
        decimals = rows.decimals
        if decimals is None:
            return None
        odd: Bools = decimals != self.usual if self.most is None else decimals > self.most
        if not odd.any():
            return None
        odd &= decimals != NO_NUMBER
        odd &= ~np.isnan(rows.values.T)  # lost, and counted, before
        if self.most is None:
            odd[:, self.free] = False
        return odd if odd.any() else None

    def freed(self, odd: list[Bools]) -> Formats:
        """Formats after many rows, one behind the other, with numbers printed in another way.

        A column that said 0 as long as there was nothing to print, and prints decimals now, is not damage.

        Args:
            odd: Which numbers of each row.
        """
        turned = self.nought & (np.count_nonzero(np.stack(odd), axis=0) * 2 > len(odd))
        return replace(self, free=self.free | turned)


@dataclass(slots=True)
class FormatCheck:
    """Gives the rows under a header whose numbers are printed as their columns' are.

    Attributes:
        wanted: The wanted columns: cell, key, meaning.
        issues: Counts what is lost.
        quoted: Cells are in quotes.
        width: Cells of a row, the time among them.
        never: Numbers of cells that hold no numbers of esxtop's.
    """

    wanted: pl.DataFrame
    issues: QualityIssues
    quoted: bool
    width: int
    never: frozenset[int] = frozenset()
    _formats: Formats | None = None
    _points: Points | None = None
    _moves: Moves | None = None
    # Rows from which the formats are not learned yet.
    _waiting: list[Batch] = field(default_factory=list)
    # Which numbers are odd in rows with such, as long as one is behind the other.
    _run: list[Bools] = field(default_factory=list)

    def checked(self, batch: Batch) -> Iterator[Batch]:
        """What is sound of the rows so far; the first ones wait until there are enough."""
        if not len(self.wanted):
            yield batch
            return
        if self._formats is not None:
            yield self._check(self._formats, batch)
            return
        # What is in the piece is overwritten before it is given.
        held = bytes(memoryview(batch.piece.data)[: int(batch.piece.ends.max(initial=0))])
        self._waiting.append(replace(batch, piece=replace(batch.piece, data=held)))
        if sum(len(each.rows.lines) for each in self._waiting) >= LEARNED_FROM:
            yield from self.rest()

    def rest(self) -> Iterator[Batch]:
        """The rows that wait: there are enough, or no more come."""
        waiting, self._waiting = self._waiting, []
        if self._formats is None and waiting:
            self._learn([each.rows for each in waiting])
        for batch in waiting:
            yield batch if self._formats is None else self._check(self._formats, batch)

    def _learn(self, first: list[CheckedRows]) -> None:
        """Learns from the first rows."""
        decimals = [rows.decimals for rows in first if rows.decimals is not None]
        if not decimals:
            return
        values = np.concatenate([rows.values for rows in first], axis=1)[:, :LEARNED_FROM]
        counters = self.wanted["meaning"].rank("dense").to_numpy().astype(np.int64) - 1
        self._formats = Formats.learn(
            np.concatenate(decimals)[:LEARNED_FROM], values.T == 0.0, counters, quoted=self.quoted
        )
        self._moves = Moves.of(self.wanted["cell"].to_numpy().astype(np.int64), values.T)
        points = [rows.points for rows in first if rows.points is not None]
        if points:
            seen = unpacked(np.concatenate(points)[:LEARNED_FROM], self.width - 1)
            self._points = Points.learn(seen, self.never)

    def _check(self, formats: Formats, batch: Batch) -> Batch:
        piece, rows = batch.piece, batch.rows
        kept = np.ones(len(rows.lines), np.bool_)
        torn = _torn(piece)
        self._check_points(piece, rows, kept, torn)
        self._check_formats(formats, rows, kept)
        if self._moves is not None:
            for row, first, count in self._moves.found(rows.values.T, kept, torn):
                kept[row] = False
                key = self.wanted["key"][first]
                place = f"line {rows.lines[row]:,}: {count:,} columns have values of others, the first is {key}"
                self.issues.add("row-shifted", 1, place)
        return batch if kept.all() else replace(batch, rows=rows.some(kept))

    def _check_points(self, piece: Piece, rows: CheckedRows, kept: Bools, torn: dict[int, Integers]) -> None:
        """Lets go of rows in which cells, wanted or not, end as those of other columns do."""
        if self._points is None or rows.points is None:
            return
        for row, odd in self._points.odd(rows.points):
            count = self._points.moved(odd, _forms(piece, row, odd))
            if count:
                kept[row] = False
                place = f"line {rows.lines[row]:,}: {count:,} cells, the first is number {odd[0] + 2:,} of the row"
                self.issues.add("row-shifted", 1, place)
            elif len(odd) == 1 and not self._points.free[odd[0]]:
                torn.setdefault(row, odd + 1)

    def _check_formats(self, formats: Formats, rows: CheckedRows, kept: Bools) -> None:
        """Takes out numbers that are printed in another way; lets go of rows where these have moved."""
        odd = formats.odd(rows) if len(self.wanted) >= _FEWEST else None
        if odd is None:
            self._run.clear()
            return
        for row in range(len(kept)):
            found = np.flatnonzero(odd[row] & ~formats.free)
            if not len(found):
                self._run.clear()
                continue
            self._run.append(odd[row])
            if len(self._run) == LEARNED_FROM:
                self._formats = formats = formats.freed(self._run)
                self._run.clear()
            if kept[row]:
                kept[row] = self._one_lost(formats, rows, row, found)

    def _one_lost(self, formats: Formats, rows: CheckedRows, row: int, found: Integers) -> bool:
        """Whether only one number cannot be believed; otherwise the row is not either. It is counted."""
        line, first = rows.lines[row], int(found[0])
        key = self.wanted["key"][first]
        if len(found) == 1 and not self._may_have_moved(formats, rows, row, first):
            rows.values[first, row] = np.nan
            self.issues.add("odd-format", 1, f"line {line:,}, {key}")
            return True
        self.issues.add("row-shifted", 1, f"line {line:,}: {len(found):,} columns, the first is {key}")
        return False

    def _may_have_moved(self, formats: Formats, rows: CheckedRows, row: int, place: int) -> bool:
        """Whether a column near by is printed as a number is, or it is not known how it is printed."""
        if formats.most is not None or rows.decimals is None:
            return False  # what is printed with too many decimals is of no column
        form = int(rows.decimals[row, place])
        if form not in _ESXTOP:
            return False
        cells = self.wanted["cell"].to_numpy().astype(np.int64)
        near = np.abs(cells - cells[place]) <= MOVED
        own = np.unique(cells[near])
        least = min(2 * MOVED + 1, MOVED + int(cells[place]))  # the time cell does not move
        return len(own) < least or bool((formats.usual[near] == form).any())


def _line(piece: Piece, row: int) -> bytes:
    return bytes(piece.data[piece.starts[row] : piece.ends[row]])


def _forms(piece: Piece, row: int, places: Integers) -> list[int | None]:
    """How cells (from 0, the time not among them) of a row are printed."""
    cells = _line(piece, row).split(b",")
    return [form_of(cells[place + 1]) for place in places.tolist()]


def _torn(piece: Piece) -> dict[int, Integers]:
    """Numbers of the cells that the repairer lost, of rows with such."""
    if piece.scan is not None or piece.data.find(LOST) < 0:
        return {}
    found = {}
    for row in range(len(piece.lines)):
        line = _line(piece, row)
        if LOST in line:
            found[row] = np.array([n for n, cell in enumerate(line.split(b",")) if cell == LOST], np.int64)
    return {row: cells for row, cells in found.items() if len(cells)}
