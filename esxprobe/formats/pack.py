"""Text into a file, packed as another one is: plain, gzip or zstandard; the same bytes each time."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, Literal

from esxprobe.files.reading import opened

Packing = Literal["plain", "gzip", "zstd"]
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

# Bytes that end a packed stream: without the last four the reader knows that it was cut.
_CUT = 4


def packing_of(path: Path) -> Packing:
    """How a file is packed, by its first bytes.

    Raises:
        OSError: It cannot be read.
    """
    with opened(path) as file:
        return packing_of_head(file.read(4))


def packing_of_head(head: bytes) -> Packing:
    """How bytes are packed, by the first four of them."""
    if head.startswith(GZIP):
        return "gzip"
    return "zstd" if head.startswith(ZSTD) else "plain"


class PackedFile:
    """A new file that takes text.

    Args:
        path: Where; nothing may be there yet.
        packing: How to pack it.
    """

    def __init__(self, path: Path, packing: Packing) -> None:
        self._path = path
        self._file = path.open("xb")
        self._machine: Any = None
        if packing == "gzip":
            # Not isal, which is quicker and makes a file half as large again: copies are made to be sent.
            self._machine = zlib.compressobj(6, zlib.DEFLATED, 31)  # 31: with a gzip header, no time in it
        elif packing == "zstd":
            import zstandard

            self._machine = zstandard.ZstdCompressor(level=6, write_checksum=True).compressobj()

    def write(self, text: bytes) -> None:
        """Takes more text."""
        self._file.write(text if self._machine is None else self._machine.compress(text))

    def close(self, *, cut: bool = False) -> None:
        """Ends the file.

        Args:
            cut: The stream was cut where it came from: this one is, too, so that a reader hears of it.
        """
        if self._machine is not None:
            self._file.write(self._machine.flush())
        self._file.close()
        if cut and self._machine is not None:
            with self._path.open("r+b") as file:
                file.truncate(self._path.stat().st_size - _CUT)
