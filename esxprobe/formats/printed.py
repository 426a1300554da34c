"""How the cells of a column store were printed, so that each can be restored to the digit.

A cell is its number and how many decimals it was printed with. Nearly every column keeps to one number of decimals.
A spreadsheet drops zeros at the end: then a cell has as few decimals as its number can have, and their sum over a
column proves it, for no cell can have fewer. What follows neither is remembered cell by cell, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Bools, Bytes, Floats, Integers
from esxprobe.formats.decimals import NO_NUMBER, OTHER_FORM
from esxprobe.formats.parse import CheckedRows

# So many cells of their own form, and so many texts, are remembered: a file of nothing else is not a capture.
_MOST = 1 << 20

Kind = TypeVar("Kind", np.float64, np.uint8)


@dataclass(slots=True)
class PrintedForms:
    """Gathers how cells were printed, rows of columns as they come.

    Attributes:
        columns: How many columns.
        usual: Decimals of each column's first number, `NO_NUMBER` before there is one.
        highest: The most decimals of a number of each.
        more: How many decimals all its numbers together have more than the first one's.
        lost: Columns of which not every cell can be restored.
        texts: What cells hold that are printed as esxtop prints none, by row and column.
    """

    columns: int
    usual: Bytes = field(init=False)
    highest: Bytes = field(init=False)
    more: Integers = field(init=False)
    lost: Bools = field(init=False)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    _others: list[tuple[Integers, Integers, Bytes]] = field(default_factory=list)
    _marks: list[tuple[Integers, Integers, Floats]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self.usual = np.full(self.columns, NO_NUMBER, np.uint8)
        self.highest = np.zeros(self.columns, np.uint8)
        self.more = np.zeros(self.columns, np.int64)
        self.lost = np.zeros(self.columns, np.bool_)

    def add(self, first: int, rows: CheckedRows) -> None:
        """Takes in rows.

        Args:
            first: Number of the first one.
            rows: Rows; their values are not changed.
        """
        if not rows.lines or not self.columns:
            return
        decimals = rows.decimals
        if decimals is None:
            self.lost[:] = True
            return
        for (row, column), text in rows.texts.items():
            if len(self.texts) < _MOST:
                self.texts[first + row, column] = text
            else:
                self.lost[column] = True
        new = self.usual == NO_NUMBER
        if new.any():
            first_of = decimals[:, new].min(axis=0)
            self.usual[new] = np.where(first_of < OTHER_FORM, first_of, NO_NUMBER)
            np.maximum(self.highest, np.where(self.usual == NO_NUMBER, 0, self.usual), out=self.highest)
        other = decimals != self.usual
        other &= decimals < OTHER_FORM
        if other.any():
            self._add_others(first, rows.values, decimals, other)

    def _add_others(self, first: int, values: Floats, decimals: Bytes, other: Bools) -> None:
        row, column = np.nonzero(other)
        believed = ~np.isnan(values[column, row])
        row, column = row[believed], column[believed]
        found = decimals[row, column]
        np.maximum.at(self.highest, column, found)
        self.more += np.bincount(column, found.astype(np.float64) - self.usual[column], self.columns).astype(
            np.int64
        )
        if self._count + len(row) > _MOST:
            self.lost[column] = True  # unless zeros were dropped, which the sum will show
            return
        self._count += len(row)
        self._others.append((row + first, column, found))

    def add_words(self, first: int, words: dict[int, list[str | None]]) -> None:
        """Takes in what cells of words say, by column, of rows from a first one on."""
        for column, cell_texts in words.items():
            if len(self.texts) + len(cell_texts) > _MOST:
                self.lost[column] = True
                continue
            self.texts |= {(first + row, column): word for row, word in enumerate(cell_texts) if word}

    def add_marks(self, rows: Integers, columns: Integers, values: Floats) -> None:
        """Takes in numbers that are not values, and are taken out of the store: -1 for no limit."""
        self._marks.append((rows.astype(np.int32), columns.astype(np.int32), values.astype(np.float32)))

    def marks(self) -> tuple[Integers, Integers, Floats]:
        """Rows, columns and numbers of all of these, by column."""
        return _by_column(self._marks, np.float64)

    def others(self) -> tuple[Integers, Integers, Bytes]:
        """Rows, columns and decimals of the remembered cells without their column's usual ones, by column."""
        return _by_column(self._others, np.uint8)


def _by_column(
    parts: list[tuple[Integers, Integers, NDArray[Kind]]], kind: type[Kind]
) -> tuple[Integers, Integers, NDArray[Kind]]:
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, kind)
    columns = np.concatenate([each for _, each, _ in parts]).astype(np.int64)
    order = np.argsort(columns, kind="stable")
    rows = np.concatenate([each for each, _, _ in parts]).astype(np.int64)
    return rows[order], columns[order], np.concatenate([each for _, _, each in parts])[order].astype(kind)


def of_column(columns: Integers, column: int) -> slice:
    """Where one column stands among sorted ones."""
    begin, end = np.searchsorted(columns, [column, column + 1])
    return slice(int(begin), int(end))


def fewest_decimals(whole: Integers, most: Bytes) -> Bytes:
    """With how few decimals numbers can be printed.

    Args:
        whole: The numbers times ten to the power of `most`, a row a column of the capture.
        most: With so many they are whole, one for each row.
    """
    fewest: Bytes = np.repeat(most[:, None], whole.shape[1], axis=1)
    left, going = whole.copy(), np.ones(whole.shape, np.bool_)
    for step in range(int(most.max(initial=0))):
        going &= (left % 10 == 0) & (most > step)[:, None]
        fewest -= going
        left //= 10
    return fewest


def in_columns(texts: dict[tuple[int, int], str]) -> Iterator[tuple[int, dict[int, str]]]:
    """Texts by column, and in it by row."""
    found: dict[int, dict[int, str]] = {}
    for (row, column), text in texts.items():
        found.setdefault(column, {})[row] = text
    yield from sorted(found.items())
