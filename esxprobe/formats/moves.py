"""Rows whose values are not what the rows before let expect: cells that have moved among columns printed alike.

Many columns never change. In a row out of which a cell is lost, and which has one too much elsewhere, other values
are in them. A row is not accepted where several such columns in a stretch have about what the columns so many
cells beside them had, not all of them the same, and hardly one between them has anything else.

Where a cell is torn, a block of another row may be beside it. There less is enough: near it, a column that never
changed before and has changed, or was never 0, or never anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Bools, Floats, Integers
from esxprobe.formats.points import MOVED

# So many columns must have a value of another one, within so many columns that are read.
_FEWEST, _TOGETHER = 4, 64
# A column that kept its value outweighs so many with another's.
_KEPT = 2
# Numbers that differ by this share are alike.
_APART = 0.3
# With fewer rows than these it cannot be decided which is the odd one.
_ROWS = 3
# Every so many rows: it is for rows with torn cells only.
_SOMETIMES = 8
# A column that never changed must have changed within so many cells of a torn one.
_BESIDE = 128


@dataclass(slots=True)
class Moves:
    """Compares each row with the last sound one before it.

    Attributes:
        cells: Numbers of the cells that hold the columns.
        before: Values of the last sound row.
        steady: Columns that never changed, of those that are looked at.
        telling: Numbers of those that have a neighbor with another value.
        held: Their values.
        zero: Columns that were always 0 or never, in the rows that are looked at for that.
        base: Their usual values in the first rows.
    """

    cells: Integers
    before: Floats
    steady: Bools
    telling: Integers
    held: Floats
    zero: Bools
    base: Floats
    # For each shift: places of columns, and of those that stand so many cells beside them.
    _pairs: list[tuple[Integers, Integers]]
    _refused: Floats | None = None

    @classmethod
    def of(cls, cells: Integers, first: Floats) -> Moves | None:
        """What compares rows of these cells; None where the first rows are too few to tell.

        Args:
            cells: Numbers of the wanted cells, ascending.
            first: Their values in the first rows, a row a row.
        """
        if len(first) < _ROWS:
            return None
        # Of an even number of rows the upper one: a mean would be the value of no row.
        half = len(first) // 2
        middle = np.partition(np.ascontiguousarray(first.T), half, axis=1)[:, half]
        most = len(first) - 1  # one row may be damaged
        steady: Bools = np.count_nonzero(first == middle, axis=0) >= most
        zero: Bools = np.count_nonzero((first == 0.0) == (middle == 0.0), axis=0) >= most
        pairs = [_beside(cells, by * side) for by in range(1, MOVED + 1) for side in (1, -1)]
        told = np.zeros(len(cells), np.bool_)
        for here, there in pairs:
            told[here] |= ~_alike(middle[here], middle[there])
        telling = np.flatnonzero(steady & told)
        return cls(cells, middle, steady, telling, middle[telling], zero, middle, pairs)

    def found(self, values: Floats, kept: Bools, torn: Mapping[int, Integers]) -> Iterator[tuple[int, int, int]]:
        """Rows in which cells have moved: row, the first such column, how many have another's value.

        Args:
            values: Rows of values.
            kept: Which are accepted so far; others are passed over.
            torn: Numbers of the torn cells of rows with such.
        """
        for row in np.flatnonzero(kept).tolist():
            own = values[row]
            odd = self.telling[own[self.telling] != self.held]
            moved = self._moved(own, odd) if len(odd) else None
            if moved is None and row in torn:
                moved = self._foreign(own, torn[row])
            if moved is not None and not self._again(own):
                self._refused = own
                yield row, *moved
            elif row not in torn:
                self.before = own
                if len(odd):
                    self._let_go(odd)
                if row % _SOMETIMES == 0:
                    self.steady &= own == self.base
                    self.zero &= (own == 0.0) == (self.base == 0.0)

    def _let_go(self, changed: Integers) -> None:
        """Columns that have changed are steady no longer."""
        self.steady[changed] = False
        stays = self.steady[self.telling]
        self.telling, self.held = self.telling[stays], self.held[stays]

    def _again(self, own: Floats) -> bool:
        """Whether a row is like the refused one before it: no damage is there twice, so things did change."""
        refused, self._refused = self._refused, None
        if refused is None:
            return False
        changed = own != self.before
        alike = _alike(own[changed], refused[changed])
        return bool(2 * np.count_nonzero(alike) > len(alike))

    def _moved(self, own: Floats, odd: Integers) -> tuple[int, int] | None:
        """The first column with another's value, and how many have one; None where cells have not moved."""
        if len(odd) < _FEWEST or int((odd[_FEWEST - 1 :] - odd[: 1 - _FEWEST]).min()) > _TOGETHER:
            return None
        for here, there in self._pairs:
            value, kept, taken = own[here], self.before[here], self.before[there]
            told = self.steady[here] & ~_alike(kept, taken)
            like_other = told & _alike(value, taken)
            score = np.where(like_other, 1, np.where(value == kept, -_KEPT * told, -1 * told))
            first, behind = _best(score)
            found = first + np.flatnonzero(like_other[first:behind])
            if len(found) >= _FEWEST and len(np.unique(value[found])) > 1:
                return int(here[found[0]]), len(found)
        return None

    def _foreign(self, own: Floats, torn: Integers) -> tuple[int, int] | None:
        """The same for a row with torn cells: columns near them that never changed before."""
        other = (self.steady & (own != self.base)) | (self.zero & ((own == 0.0) != (self.base == 0.0)))
        odd = np.flatnonzero(other & ~np.isnan(own))
        cells = self.cells[odd]
        before = torn[np.searchsorted(torn, cells).clip(max=len(torn) - 1)]
        behind = torn[(np.searchsorted(torn, cells) - 1).clip(min=0)]
        odd = odd[np.minimum(abs(cells - before), abs(cells - behind)) <= _BESIDE]
        return (int(odd[0]), len(odd)) if len(odd) else None


def _alike(one: Floats, other: Floats) -> Bools:
    """Which numbers are about the same; 0 is like 0 only."""
    alike: Bools = np.abs(one - other) <= _APART * np.minimum(np.abs(one), np.abs(other))
    return alike


def _beside(cells: Integers, shift: int) -> tuple[Integers, Integers]:
    """Columns that stand among others that are wanted too, so that all would have to be moved; and those beside."""
    edge = MOVED + 1
    place = np.full(int(cells.max(initial=0)) + 2 * edge + 1, -1, np.int64)
    place[cells + edge] = np.arange(len(cells))  # of a cell that holds two columns the last one
    at = cells + edge
    there = place[at + shift]
    here = np.flatnonzero((place[at - 1] >= 0) & (place[at + 1] >= 0) & (place[at - shift] >= 0) & (there >= 0))
    return here, there[here]


def _best(score: Integers) -> tuple[int, int]:
    """First and exclusive last place of the stretch with the greatest sum."""
    if not len(score):
        return 0, 0
    sums = np.concatenate(([0], np.cumsum(score)))
    lowest = np.minimum.accumulate(sums)
    behind = int((sums - lowest).argmax())
    return int(sums[: behind + 1].argmin()), behind
