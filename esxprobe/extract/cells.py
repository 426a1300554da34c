"""Wanted cells of checked rows as bytes: as they are in the file where they are sound, blank where not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from esxprobe.arrays import Bools, Bytes, Integers
from esxprobe.formats.parse import Batch, held

_QUOTE = 34
# Longer cells are cut out one by one [bytes]: windows of them would be mostly air.
_WIDEST = 64
# Where more than one cell in so many is odd, cells are written one by one.
_MANY = 8

BLANK = b',""'


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts the wanted cells of one header out of its rows.

    Attributes:
        wanted: The columns in file order: part, words.
        most: So many columns make a part of a row; the next ones are the next part.
    """

    wanted: pl.DataFrame
    most: int

    @property
    def parts(self) -> list[slice]:
        """The columns of each part."""
        return [
            slice(at, min(at + self.most, self.wanted.height)) for at in range(0, self.wanted.height, self.most)
        ]

    def rows(self, batch: Batch) -> Iterator[list[bytes]]:
        """Every row's parts: cells in quotes, a comma before each."""
        piece, rows = batch.piece, batch.rows
        assert rows.cells is not None, "they were asked for"  # noqa: S101
        text = np.frombuffer(piece.data, np.uint8)
        starts, ends = rows.cells.starts, rows.cells.ends
        lost = ~np.isfinite(rows.values.T)
        lost[:, self.wanted["words"].to_numpy()] = False
        odd = lost | (text.take(starts, mode="clip") != _QUOTE) | (text.take(ends - 1, mode="clip") != _QUOTE)
        odd |= (ends - starts < 2) | (self.wanted["part"].to_numpy() != 0)
        parts = self.parts
        for n in range(len(rows.lines)):
            row = _Row(piece.data, text, starts[n], ends[n], odd[n], lost[n], self.wanted)
            yield [row.cut(part.start, part.stop) for part in parts]


@dataclass(frozen=True, slots=True)
class _Row:
    data: bytes | bytearray
    text: Bytes
    starts: Integers
    ends: Integers
    odd: Bools
    lost: Bools
    wanted: pl.DataFrame

    def cut(self, first: int, behind: int) -> bytes:
        """Some neighboring columns' cells."""
        odd = np.flatnonzero(self.odd[first:behind]) + first
        if len(odd) * _MANY > behind - first:
            return b"".join(self._one(n) for n in range(first, behind))
        out = []
        for place in odd.tolist():
            out += [self._sound(first, place), self._one(place)]
            first = place + 1
        out.append(self._sound(first, behind))
        return b"".join(out)

    def _sound(self, first: int, behind: int) -> bytes:
        """Cells in quotes, each with the comma before it, in batches."""
        if behind <= first:
            return b""
        starts, ends = self.starts[first:behind] - 1, self.ends[first:behind]
        if bool((starts[1:] == ends[:-1]).all()):
            return bytes(self.data[starts[0] : ends[-1]])
        lengths = ends - starts
        width = int(lengths.max())
        # Windows of the last cells would reach behind the text.
        reach = int(np.searchsorted(starts, len(self.text) - width, side="right")) if width <= _WIDEST else 0
        head = b""
        if reach:
            sliding = np.ndarray((len(self.text) - width + 1,), f"V{width}", self.text, strides=(1,))
            windows = sliding[starts[:reach]].view(np.uint8).reshape(reach, width)
            head = windows[np.arange(width) < lengths[:reach, None]].tobytes()
        tail = zip(starts[reach:].tolist(), ends[reach:].tolist(), strict=True)
        return head + b"".join(bytes(self.data[start:end]) for start, end in tail)

    def _one(self, place: int) -> bytes:
        """One cell, whatever it looks like: in quotes, without the blanks that padded it."""
        if self.lost[place]:
            return BLANK
        cell = bytes(self.data[self.starts[place] : self.ends[place]])
        inside = held(cell, self.wanted["part"][place])
        return BLANK if inside is None or b'"' in inside else b',"' + inside.strip() + b'"'
