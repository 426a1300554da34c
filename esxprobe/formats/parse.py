"""Checked rows to numbers: the time and the wanted cells of a piece, with an explicit schema."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe import catalog
from esxprobe.formats import pdh
from esxprobe.formats.mend import LOST
from esxprobe.formats.rows import Piece
from esxprobe.formats.tally import Tally

if TYPE_CHECKING:
    import polars as pl

Schema = dict[str, "pl.DataType | type[pl.DataType]"]

# Text that is no number but made of a number's characters: two numbers ran into each other.
_TORN = re.compile(r"[.eE+-]*[0-9][0-9.eE+-]*[0-9][.eE+-]*")


@dataclass(frozen=True, slots=True)
class Rows:
    """Checked rows: line numbers, time cells (String), values (one row a wanted column, NaN for none)."""

    lines: list[int]
    time_cells: pl.Series
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Parser:
    """Parses the rows of one segment.

    Attributes:
        schema: Type of every cell.
        wanted: The wanted columns in file order: cell, part, key.
        tally: Counts cells without a number.
    """

    schema: Schema
    wanted: pl.DataFrame
    tally: Tally

    def rows(self, piece: Piece) -> Rows | None:
        """Times and wanted values of a piece; None when the parser finds other rows than were counted."""
        frame = self._frame(piece)
        return None if frame is None else self._numbers(frame, piece)

    def _frame(self, piece: Piece, *, as_text: list[str] | None = None) -> pl.DataFrame | None:
        """Time and wanted cells of a piece, as numbers or the named cells as text."""
        import polars as pl

        schema: Schema = dict(self.schema) if as_text is None else dict.fromkeys(self.schema, pl.String())
        if piece.trailing:
            schema["phantom"] = pl.String()
        cells = as_text or list(dict.fromkeys(["0", *map(str, self.wanted["cell"].to_list())]))
        if not piece.data:
            return pl.DataFrame(schema={cell: schema[cell] for cell in cells})
        scan = pl.scan_csv(piece.data, has_header=False, schema=schema, ignore_errors=True)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # rows are counted below, cells when they are numbers
                frame = scan.select(cells).collect()
        except pl.exceptions.PolarsError:
            return None
        return frame if frame.height == len(piece.lines) else None

    def _numbers(self, frame: pl.DataFrame, piece: Piece) -> Rows:
        """The parsed cells in the order of the wanted columns."""
        import polars as pl

        kinds = frame.schema
        cells = [str(cell) for cell in self.wanted["cell"].to_list()]
        words = [n for n, cell in enumerate(cells) if kinds[cell] == pl.String]
        if words:
            halves = dict(zip(words, self.wanted["part"].gather(words).to_list(), strict=True))
            columns = [
                _number(cell, halves[n]).alias(str(n)) if n in halves else pl.col(cell).alias(str(n))
                for n, cell in enumerate(cells)
            ]
            numbers = frame.select(columns)
        else:
            numbers = frame.drop("0")  # each wanted cell once, in order
        values = np.ascontiguousarray(numbers.to_numpy().T) if cells else np.empty((0, frame.height))
        if np.isnan(values).any():
            self._count_missing(values, piece)
        return Rows(piece.lines, frame["0"], values)

    def _count_missing(self, values: NDArray[np.float64], piece: Piece) -> None:
        """Counts wanted cells without a number: blank ones apart from those that hold something else."""
        holed = np.flatnonzero(np.isnan(values).any(axis=1))
        keys = self.wanted["key"].gather(holed).to_list()
        names = [str(cell) for cell in self.wanted["cell"].gather(holed).to_list()]
        parts = self.wanted["part"].gather(holed).to_list()
        texts = self._frame(piece, as_text=list(dict.fromkeys(names)))
        if texts is None:
            self.tally.add("bad-cell", int(np.isnan(values).sum()), f"lines {piece.lines[0]:,} and on")
            return
        lost = LOST.decode()
        for n, name, part, key in zip(holed.tolist(), names, parts, keys, strict=True):
            at = np.flatnonzero(np.isnan(values[n]))
            held = [_held(text or "", part) for text in texts[name].gather(at).to_list()]
            self.tally.add("blank-cell", sum(not text for text in held))
            bad = [(int(row), text) for row, text in zip(at, held, strict=True) if text not in {"", lost}]
            if bad:
                row, text = bad[0]
                self.tally.add("bad-cell", len(bad), f"line {piece.lines[row]:,}, {key}: {text[:20]!r}")
            torn = [row for row, text in bad if _TORN.fullmatch(text) and n + 1 < len(values)]
            if torn:
                self.tally.add("row-torn", len(torn), f"line {piece.lines[torn[0]]:,}, behind {key}")
                values[n + 1 :, torn] = np.nan


def _number(cell: str, part: int) -> pl.Expr:
    """A text cell as a number; of a glued cell the digits before the quote, or what the quotes hold."""
    import polars as pl

    patterns = {0: r"^\s*(.*?)\s*$", 1: r'^\s*([^"]*?)\s*(?:"|$)', 2: r'"([^"]*)"?$'}
    return pl.col(cell).str.extract(patterns[part], 1).cast(pl.Float64, strict=False)


def _held(text: str, part: int) -> str:
    """What stood in a cell, or in its half, without quotes and blanks."""
    if part and text != LOST.decode():
        first, _, second = text.partition('"')
        text = first if part == 1 else second
    return text.strip(' "')


def schema_of(header: pdh.Header, index: pl.DataFrame) -> Schema:
    """Explicit types for a parser: nothing is ever inferred on a hundred thousand columns."""
    import polars as pl

    schema: Schema = dict.fromkeys(map(str, range(header.width)), pl.Float64())
    schema["0"] = pl.String()
    for cell in text_cells(index):
        schema[str(cell)] = pl.String()
    for cell, part in zip(header.cells, header.parts, strict=True):
        if part:
            schema[str(cell)] = pl.String()
    return schema


def text_cells(index: pl.DataFrame) -> list[int]:
    """Numbers of the cells that hold words."""
    return index.join(text_counters(), on=["object", "counter"], how="semi")["cell"].to_list()


def text_counters() -> pl.DataFrame:
    """Object and counter of what holds words."""
    import polars as pl

    return catalog.known().filter(pl.col("kind") == "text").select("object", "counter")
