"""The text of a copied capture again, as the reader took it in."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.formats.columns.cells import decode
from esxprobe.formats.columns.grid import parts
from esxprobe.formats.columns.order import Entry
from esxprobe.formats.columns.replay import CopySource
from esxprobe.formats.columns.slab import COMMA, RETURN, UNENDED, SlabReader
from esxprobe.formats.decimals import Floats

if TYPE_CHECKING:
    import polars as pl

# So many cells become text at once.
_CELLS = 1 << 19


def text_of(source: CopySource) -> Iterator[bytes]:
    """The text, piece by piece.

    Raises:
        UnreadableInputError: A part of the copy is damaged; or, at the end, its text is not what was copied.
    """
    digest = hashlib.sha256()
    for piece in _pieces(source):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != source.files.manifest.text.sha256:
        raise source.files.broken("its text has another sum than the capture's had")


def _pieces(source: CopySource) -> Iterator[bytes]:
    import polars as pl

    headers = [
        pl.read_parquet(io.BytesIO(source.files.get(f"headers/{number:05}.parquet")))
        for number in range(source.files.manifest.headers)
    ]
    slab: _WholeSlab | None = None
    for entry, text in source.order.read():
        if entry.kind != "rows":
            yield text
            continue
        if slab is None or slab.number != entry.slab:
            slab = None
            slab = _WholeSlab(source, entry.slab, headers[entry.header])
        yield from slab.rows(entry)


class _WholeSlab:
    """All cells of a slab."""

    def __init__(self, source: CopySource, number: int, places: pl.DataFrame) -> None:
        self.number = number
        self._reader = SlabReader(source.files, number)
        cells = np.arange(places.height)
        self._values: Floats = self._reader.values(parts(places, cells), len(cells))
        self._styles = self._reader.styles(cells)
        texts = self._reader.texts(cells)
        self._odd: dict[int, dict[int, bytes]] = {}
        for place, row, text in texts.iter_rows():
            self._odd.setdefault(row, {})[place] = text

    def rows(self, entry: Entry) -> Iterator[bytes]:
        """The text of some of its rows."""
        width = len(self._values)
        step = max(1, _CELLS // max(1, width))
        behind = entry.first + entry.count
        for at in range(entry.first, behind, step):
            part = slice(at, min(at + step, behind))
            count = part.stop - at
            odd = {
                n * width + place: text for n in range(count) for place, text in self._odd.get(at + n, {}).items()
            }
            made = decode(self._values[:, part].T.reshape(-1), self._styles[:, part].T.reshape(-1), odd)
            data = made.data.tobytes()
            ends = [0, *made.cells.ends.reshape(count, width)[:, -1].tolist()]
            yield b"".join(
                self._reader.times[at + n] + data[ends[n] : ends[n + 1]] + _ending(self._reader.ends[at + n])
                for n in range(count)
            )


def _ending(end: int) -> bytes:
    return b"," * bool(end & COMMA) + b"\r" * bool(end & RETURN) + (b"" if end & UNENDED else b"\n")
