"""Checked rows to numbers: the time and the wanted cells of a piece."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Bools, Bytes, Floats
from esxprobe.formats.decimals import (
    MOST_WHOLE,
    NO_NUMBER,
    OTHER_FORM,
    Cells,
    number,
    printed,
    printed_lengths,
)
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.repair import LOST
from esxprobe.formats.row_scanner import RowScan, RowScanner, without_commas_in_quotes
from esxprobe.formats.rows import Piece

if TYPE_CHECKING:
    import polars as pl

# Text that is not a number but made of a number's characters: two numbers ran into each other.
_TORN = re.compile(r"[.eE+-]*[0-9][0-9.eE+-]*[0-9][.eE+-]*")


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """Checked rows: line numbers, time cells (String), values (one row a wanted column, NaN for none).

    How the numbers are printed, a row each (see `decimals.fill`), and which of all cells end with two decimals, as
    long as no row was let go. And for who asked for them, as long as the piece is there: where their wanted cells
    are in its bytes, a row each.

    What cells of their own form hold, by row and column: what is not a plain decimal, and plain ones that esxtop
    does not print so (`007`). A cell that holds no number, and no text here, is blank or lost.
    """

    lines: list[int]
    time_cells: pl.Series
    values: Floats
    cells: Cells | None = None
    decimals: Bytes | None = None
    points: Bytes | None = None
    texts: dict[tuple[int, int], str] = field(default_factory=dict)

    def some(self, kept: Bools) -> CheckedRows:
        """Some of the rows."""
        place = np.cumsum(kept) - 1
        texts = {(int(place[row]), column): text for (row, column), text in self.texts.items() if kept[row]}
        lines = [line for line, keep in zip(self.lines, kept.tolist(), strict=True) if keep]
        cells = None if self.cells is None else Cells(self.cells.starts[kept], self.cells.ends[kept])
        decimals = None if self.decimals is None else self.decimals[kept]
        return CheckedRows(lines, self.time_cells.filter(kept), self.values[:, kept], cells, decimals, texts=texts)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that were read and checked, in the file's order.

    Attributes:
        segment: Number of their segment in the file.
        piece: Where they are. It is overwritten when the next batch is asked for.
        rows: Their times and wanted values.
    """

    segment: int
    piece: Piece
    rows: CheckedRows


@dataclass(frozen=True, slots=True)
class Parser:
    """Parses the rows of one segment.

    Attributes:
        wanted: The wanted columns in file order: cell, part, key; and words (Boolean) where they are wanted
            columns that hold words: these get no values.
        scanner: Finds these cells.
        issues: Counts cells without a number.
    """

    wanted: pl.DataFrame
    scanner: RowScanner
    issues: QualityIssues

    def rows(self, piece: Piece) -> CheckedRows | None:
        """Times and wanted values of a piece; None when the cells of its rows cannot be distinguished."""
        if not piece.lines:
            return CheckedRows([], _time_cells(piece), np.empty((len(self.wanted), 0)))
        found = piece.scan or self.scan(piece)
        if found.values is None or found.sound is None:
            return None
        values, sound, decimals = found.values, found.sound, found.decimals
        glued = np.flatnonzero(self.wanted["part"].to_numpy())
        if len(glued):
            sound[:, glued] = False
        if "words" in self.wanted.columns:
            words = self.wanted["words"].to_numpy()
            sound[:, words], values[:, words] = True, np.nan
            if decimals is not None:
                decimals[:, words] = NO_NUMBER
        if (found.unusual or not sound.all()) and found.cells is None:
            self.scanner.places = True  # where one cell is odd there are more in other rows
            found = replace(found, cells=self.scan(piece).cells)
        rows = CheckedRows(piece.lines, _time_cells(piece), values.T, found.cells, decimals, found.points)
        if not sound.all() and not self._odd(rows, piece.data, ~sound):
            return None
        if found.unusual:
            self._unusual(rows, piece.data, sound)
        return rows

    def scan(self, piece: Piece) -> RowScan:
        """The wanted cells of rows that are known to be sound."""
        text = np.frombuffer(piece.data, np.uint8)
        if self.scanner.layout.texts:
            text = without_commas_in_quotes(text, piece.starts, piece.ends)
        return self.scanner.scan(text, piece.starts, piece.ends)

    def _odd(self, rows: CheckedRows, data: bytes | bytearray, odd: Bools) -> bool:
        """Fills in, or counts as missing, the cells that are not plain decimals; False when one is torn open."""
        values, cells, decimals = rows.values.T, rows.cells, rows.decimals
        if cells is None:
            return False
        lengths = cells.ends - cells.starts
        blank = odd & (lengths == 0)
        values[blank] = np.nan
        parts = self.wanted["part"].to_list()
        bad: dict[int, list[tuple[int, str]]] = {}
        for column, row in np.argwhere((odd & ~blank).T).tolist():
            cell = bytes(data[cells.starts[row, column] : cells.ends[row, column]])
            if cell == LOST:
                values[row, column] = np.nan
                continue
            inside = held(cell, parts[column])
            if inside is None:
                return False
            values[row, column] = value = number(inside)
            if inside and not _as_esxtop_prints(value, inside):
                rows.texts[row, column] = inside.decode(errors="replace")
            if np.isnan(value):
                bad.setdefault(column, []).append((row, inside.decode(errors="replace")))
            elif decimals is not None:
                decimals[row, column] = printed(inside)
        # Not before: of a torn cell's piece all rows are checked and counted again.
        self.issues.add("blank-cell", int(blank.sum()))
        for column, found in bad.items():
            self._count_bad(column, found, rows.lines, values)
        return True

    def _unusual(self, rows: CheckedRows, data: bytes | bytearray, sound: Bools) -> None:
        """Keeps what plain decimals say that esxtop prints in another way."""
        values, cells, decimals = rows.values.T, rows.cells, rows.decimals
        if cells is None or decimals is None:
            return
        number = sound & (decimals != NO_NUMBER)
        starts, ends = cells.starts, cells.ends
        text = np.frombuffer(data, np.uint8)
        quoted = 2 * (text.take(starts, mode="clip") == ord('"'))
        expected = printed_lengths(values, np.where(number, decimals, 0).astype(np.uint8))
        for row, column in np.argwhere(number & (ends - starts - quoted != expected)).tolist():
            inside = held(bytes(data[starts[row, column] : ends[row, column]]), 0)
            if inside is not None:
                rows.texts[row, column] = inside.decode(errors="replace")

    def _count_bad(self, column: int, found: list[tuple[int, str]], lines: list[int], values: Floats) -> None:
        """Counts cells of a column that hold no number: blank ones apart, behind torn ones all are lost."""
        key = self.wanted["key"][column]
        odd = [(row, text) for row, text in found if text]
        self.issues.add("blank-cell", len(found) - len(odd))
        if odd:
            row, text = odd[0]
            self.issues.add("bad-cell", len(odd), f"line {lines[row]:,}, {key}: {text[:20]!r}")
        torn = [row for row, text in odd if _TORN.fullmatch(text) and column + 1 < values.shape[1]]
        if torn:
            self.issues.add("row-torn", len(torn), f"line {lines[torn[0]]:,}, behind {key}")
            values[torn, column + 1 :] = np.nan


def _as_esxtop_prints(value: float, inside: bytes) -> bool:
    """Whether a number and how many decimals it has tell the text that it was read from."""
    decimals = printed(inside)
    if np.isnan(value) or decimals == OTHER_FORM or abs(value) * 10.0**decimals >= MOST_WHOLE:
        return False
    return f"{value:.{decimals}f}".encode() == inside and (value != 0 or inside[:1] != b"-")


def _time_cells(piece: Piece) -> pl.Series:
    """The first cell of each row, without quotes."""
    import polars as pl

    texts = []
    for start, end in zip(piece.starts.tolist(), piece.ends.tolist(), strict=True):
        comma = piece.data.find(b",", start, end)
        texts.append(piece.data[start : end if comma < 0 else comma].strip(b'"\r').decode(errors="replace"))
    return pl.Series(texts, dtype=pl.String)


def held(cell: bytes, part: int) -> bytes | None:
    """What a cell holds, or its half, without quotes and blanks; None for one whose quotes do not fit."""
    if part:
        first, quote, second = cell.partition(b'"')
        if not quote or not second.endswith(b'"'):
            return None
        return (first if part == 1 else second[:-1]).strip()
    if cell.count(b'"') not in {0, 2} or (b'"' in cell and not (cell[:1] == cell[-1:] == b'"')):
        return None
    return cell.strip(b'"\r ')


def words_of(batch: Batch, wanted: pl.DataFrame) -> dict[int, list[str | None]]:
    """What the cells of words say, by place of their column.

    Args:
        batch: Rows whose cells' places were asked for.
        wanted: Their columns: words.
    """
    word_cells: dict[int, list[str | None]] = {}
    cells = batch.rows.cells
    if cells is None:
        return word_cells
    for column in np.flatnonzero(wanted["words"].to_numpy()).tolist():
        starts, ends = cells.starts[:, column].tolist(), cells.ends[:, column].tolist()
        word_cells[column] = [_word(batch.piece.data, a, b) for a, b in zip(starts, ends, strict=True)]
    return word_cells


def _word(data: bytes | bytearray, start: int, end: int) -> str | None:
    """What a cell of words says; None for nothing, or what may be damage."""
    inside = held(bytes(data[start:end]), 0)
    if not inside or any(byte < 32 or byte == 34 for byte in inside):
        return None
    return inside.decode(errors="replace")
