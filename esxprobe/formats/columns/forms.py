"""How all cells of a slab are printed, wanted or not, as a reader of the capture sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from esxprobe.formats.columns.cells import QUOTED, TEXT, USUAL, Styles
from esxprobe.formats.decimals import Bools, Places
from esxprobe.formats.points import ends_with_two, form_of

# Three decimals without quotes look the same from behind.
_LIKE_USUAL = 3


@dataclass(frozen=True, slots=True)
class SlabForms:
    """How cells (from 0, the time not among them) are printed.

    Attributes:
        usual: The style of each.
        mixed: The styles of cells that change it, row by row.
        texts: Cells that are kept as text, by row and cell.
        height: Number of rows.
    """

    usual: Styles
    mixed: dict[int, Styles]
    texts: dict[tuple[int, int], bytes]
    height: int

    def points(self) -> Bools:
        """Which cells end with two decimals, a row a row; see `survey.Survey`."""
        made: Bools = np.broadcast_to(_pointed(self.usual), (self.height, len(self.usual)))
        if not (self.mixed or self.texts):
            return made
        made = made.copy()
        for cell, styles in self.mixed.items():
            made[:, cell] = _pointed(styles)
        for (row, cell), text in self.texts.items():
            made[row, cell] = ends_with_two(text)
        return made

    def of(self, row: int, cells: Places) -> list[int | None]:
        """The form of some cells of a row; see `points.form_of`."""
        return [self._one(row, cell) for cell in cells.tolist()]

    def _one(self, row: int, cell: int) -> int | None:
        text = self.texts.get((row, cell))
        if text is not None:
            return form_of(text)
        style = int(self.mixed[cell][row] if cell in self.mixed else self.usual[cell])
        return None if style == TEXT else style & (QUOTED - 1)


def _pointed(styles: Styles) -> Bools:
    pointed: Bools = (styles == USUAL) | (styles == _LIKE_USUAL)
    return pointed
