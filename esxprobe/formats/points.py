"""How all cells of a row end, wanted or not: with two decimals or without them, as their columns do.

esxtop prints a column with two decimals or with none. A cell that is lost from a row and another one that stands in
it too much move all cells between them. Where these are printed otherwise than their columns, that shows, however
few of them are wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from esxprobe.arrays import Bools, Bytes, Integers
from esxprobe.formats.decimals import number, printed

# Cells that are lost and put in move the others by up to so many columns.
MOVED = 3
# So many bytes before a cell's end the point of a number with two decimals in quotes stands: `.25"`.
POINT_BEFORE = 4
_TWO = 2
# Where the same cells are odd in so many rows, their columns are printed in both ways.
_OFTEN = 3
# Where one cell alone is.
_OFTEN_ALONE = 2
# So many kinds of odd rows are remembered.
_REMEMBERED = 10_000
# Rows that come one behind the other, all of them odd: columns odd in most of these changed for good.
_RUN = 9


@dataclass(slots=True)
class Points:
    """Which columns print two decimals.

    Attributes:
        usual: Of each column but the time.
        free: Columns that are not looked at.
    """

    usual: Bools
    free: Bools
    _seen: Counter[bytes] = field(default_factory=Counter)
    _run: list[Integers] = field(default_factory=list)
    # The usual ones, and those that are looked at, eight to a byte.
    _usual_bits: Bytes = field(init=False)
    _looked_at: Bytes = field(init=False)

    def __post_init__(self) -> None:
        self._usual_bits, self._looked_at = np.packbits(self.usual), np.packbits(~self.free)

    @classmethod
    def learn(cls, points: Bools, never: Iterable[int] = ()) -> Points:
        """What columns do, by the vote of some rows.

        Args:
            points: Which cells end with two decimals, a row a row.
            never: Numbers of cells (the time is 0) that hold no numbers of esxtop's.
        """
        with_two = np.count_nonzero(points, axis=0)
        usual: Bools = 2 * with_two > len(points)
        strays = np.minimum(with_two, len(points) - with_two)
        free: Bools = (strays > 1) | (2 * strays == len(points))
        odd = ((points != usual) & ~free).any(axis=1)
        if np.count_nonzero(odd) > max(1, len(odd) / 2) or np.count_nonzero(free) > len(free) / 4:
            free[:] = True  # no esxtop's own print: a spreadsheet has dropped zeros
        free[np.array([cell - 1 for cell in never if cell], np.int64)] = True
        return cls(usual, free)

    def odd(self, points: Bytes) -> Iterator[tuple[int, Integers]]:
        """Rows with cells that end in another way than their columns' do, and these cells (from 0).

        Args:
            points: Which cells end with two decimals, eight to a byte, a row a row.
        """
        odd = points ^ self._usual_bits
        odd &= self._looked_at
        before = -1
        for row in np.flatnonzero(odd.any(axis=1)).tolist():
            if row > before + 1:
                self._run.clear()
            before = row
            # Rows before this one may have freed some.
            places = np.flatnonzero(unpacked(odd[row], len(self.usual)) & ~self.free)
            if len(places):
                yield row, places
        if before < len(points) - 1:
            self._run.clear()

    def moved(self, odd: Integers, forms: Sequence[int | None]) -> int:
        """How many of a row's odd cells say that cells have moved; 0 for none.

        A column that turns out to be printed in both ways is not looked at from then on.

        Args:
            odd: Its odd cells (from 0).
            forms: How each is printed; see `form_of`.
        """
        seen = [(n, form) for n, form in zip(odd.tolist(), forms, strict=True) if form is not None]
        places = np.array([n for n, form in seen if (form == _TWO) != self.usual[n]], np.int64)
        if not len(places):
            return 0
        self._remember(places)
        if len(places) > 1:
            return len(places)
        place, form = int(places[0]), dict(seen)[int(places[0])]
        near = self.usual[max(0, place - MOVED) : place + MOVED + 1]
        return int(form in {0, _TWO} and bool((near == (form == _TWO)).any()))

    def _remember(self, places: Integers) -> None:
        """Lets go of columns that are odd again and again."""
        key = places.tobytes()
        if len(self._seen) < _REMEMBERED or key in self._seen:
            self._seen[key] += 1
        self._run.append(places)
        if self._seen[key] >= (_OFTEN if len(places) > 1 else _OFTEN_ALONE):
            self._let_go(places)
        elif len(self._run) == _RUN:
            self._let_go(np.flatnonzero(2 * np.bincount(np.concatenate(self._run)) > _RUN))
            self._run.clear()

    def _let_go(self, places: Integers) -> None:
        self.free[places] = True
        self._looked_at = np.packbits(~self.free)


def unpacked(points: Bytes, count: int) -> Bools:
    """Flags that were packed eight to a byte: so many a row."""
    return np.unpackbits(points, axis=-1, count=count).view(np.bool_)


def form_of(cell: bytes) -> int | None:
    """How a cell's number is printed, see `decimals.printed`; None for no number."""
    inside = cell.strip(b'"\r ')
    return None if np.isnan(number(inside)) else printed(inside)
