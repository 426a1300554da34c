"""Blocks of numbers that wait to be worked on: in memory up to a budget, beyond it in a temporary file.

The file has no name, so that nothing is left behind whatever happens, and is read and written plainly: what the
system keeps of it in its cache is given up when the memory is needed, which mapped pages are only on paper.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Floats, Integers
from esxprobe.errors import OutputError

# How much is held in memory before the rest goes to the file [bytes].
BUDGET = 256 << 20
# Rows that lie no further apart than this in the file are read in one go [bytes].
_GAP = 1 << 16
_WIDTH = 8


class Spill:
    """Room for blocks, in memory and beyond it on disk.

    Args:
        budget: How much is held in memory [bytes].
    """

    def __init__(self, budget: int | None = None) -> None:
        self._left = BUDGET if budget is None else budget
        self._file: _Unnamed | None = None
        self.on_disk = 0

    def put(self, block: Floats) -> StoredMatrix:
        """Keeps a matrix; one that fits into memory must not be changed any more.

        Raises:
            OutputError: The disk for temporary files is full or cannot be written.
        """
        if block.nbytes <= self._left:
            self._left -= block.nbytes
            return HeldBlock(block)
        at = self.on_disk
        try:
            if self._file is None:
                self._file = _Unnamed()
            self._file.write(np.ascontiguousarray(block), at)
        except OSError as error:
            place = tempfile.tempdir or "the folder for temporary files"
            raise OutputError(
                f"the values of the capture do not fit into {place}: {error.strerror}",
                hint="set TMPDIR to a folder on a disk with more free space, up to the size of the capture",
            ) from error
        self.on_disk += block.nbytes
        return FiledBlock(block.shape[0], block.shape[1], self._file, at)


class _Unnamed:
    """The temporary file; it is deleted with the last block in it. Several threads may read."""

    def __init__(self) -> None:
        self._one = threading.Lock()  # for the position in the file
        self._file = tempfile.TemporaryFile(prefix="esxprobe-", buffering=0)  # noqa: SIM115
        weakref.finalize(self, self._file.close)

    def write(self, matrix: Floats, at: int) -> None:
        data = _bytes_of(matrix)
        self._file.seek(at)
        while len(data):
            data = data[self._file.write(data) :]

    def read(self, into: Floats, at: int) -> None:
        data = _bytes_of(into)
        with self._one:
            self._file.seek(at)
            while len(data):
                got = self._file.readinto(data)
                if not got:
                    raise OutputError(
                        "the temporary file was cut off", hint="another program writes to it; try again"
                    )
                data = data[got:]


class StoredMatrix(ABC):
    """A matrix that was kept.

    Attributes:
        width: Number of its columns.
    """

    width: int

    @abstractmethod
    def take(self, pick: Pick) -> Floats:
        """Some rows: their own copy, or a part of what is held."""


class HeldBlock(StoredMatrix):
    """A matrix in memory."""

    def __init__(self, matrix: Floats) -> None:
        self._matrix, self.width = matrix, matrix.shape[1]

    def take(self, pick: Pick) -> Floats:
        """A view where the rows are at equal distances."""
        return self._matrix[pick.index]


@dataclass(frozen=True, slots=True)
class FiledBlock(StoredMatrix):
    """A matrix in a file.

    Attributes:
        height: Number of its rows.
        width: Number of its columns.
        file: Where it lies.
        at: Where in the file it begins [bytes].
    """

    height: int
    width: int
    file: _Unnamed
    at: int

    def take(self, pick: Pick) -> Floats:
        """Read run by run."""
        out = np.empty((len(pick.rows), self.width))
        for first, behind, begin, end, as_is in pick.runs(self.width * _WIDTH):
            if as_is:
                self.file.read(out[begin:end], self.at + first * self.width * _WIDTH)
                continue
            run = np.empty((behind - first, self.width))
            self.file.read(run, self.at + first * self.width * _WIDTH)
            out[pick.order[begin:end]] = run[pick.sorted[begin:end] - first]
        return out


def _bytes_of(matrix: Floats) -> memoryview:
    return matrix.reshape(-1).view(np.uint8).data


class Pick:
    """Some rows of blocks, and how they are best read.

    Args:
        rows: Their numbers, in any order.
    """

    def __init__(self, rows: Integers) -> None:
        self.rows = rows
        self.index: slice | Integers = _as_slice(rows)
        self.order: Integers = np.argsort(rows, kind="stable")
        self.sorted: Integers = rows[self.order]
        self.in_order = bool((self.order == np.arange(len(rows))).all())
        self._runs: dict[int, list[tuple[int, int, int, int, bool]]] = {}

    def runs(self, row_bytes: int) -> list[tuple[int, int, int, int, bool]]:
        """What is read in one go: first and exclusive last row, which sorted rows are in it, and whether as is."""
        if row_bytes not in self._runs:
            steps = np.diff(self.sorted)
            # Rows in another order have to be sorted afterwards: then gaps do no more harm.
            far = 1 if self.in_order and (steps == 1).all() else max(1, _GAP // row_bytes)
            cuts = (np.flatnonzero(steps > far) + 1).tolist()
            bounds = list(zip([0, *cuts], [*cuts, len(self.sorted)], strict=True)) if len(self.sorted) else []
            self._runs[row_bytes] = [
                (
                    int(self.sorted[begin]),
                    int(self.sorted[end - 1]) + 1,
                    begin,
                    end,
                    self.in_order and bool((steps[begin : end - 1] == 1).all()),
                )
                for begin, end in bounds
            ]
        return self._runs[row_bytes]


def _as_slice(rows: Integers) -> slice | Integers:
    """Rows at equal distances as a slice, for a view costs nothing."""
    if len(rows) < 2:
        return slice(int(rows[0]), int(rows[0]) + 1) if len(rows) else rows
    step = int(rows[1] - rows[0])
    if step > 0 and (np.diff(rows) == step).all():
        return slice(int(rows[0]), int(rows[-1]) + 1, step)
    return rows
