"""What comes plain is packed here, so that each sample is in the file as soon as it has come."""

from __future__ import annotations

import zlib

_LEVEL = 6


class StreamPacker:
    """Makes one gzip stream of pieces; what was given can be read from it after each end of a line."""

    def __init__(self) -> None:
        self._pack = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
        self._begun = False

    def pack(self, piece: bytes) -> bytes:
        """Gives the next bytes of the stream, which may be none."""
        self._begun = True
        packed = self._pack.compress(piece)
        return packed + self._pack.flush(zlib.Z_SYNC_FLUSH) if b"\n" in piece else packed

    def finish(self) -> bytes:
        """Gives the end of the stream, its trailer included; nothing where nothing came."""
        return self._pack.flush() if self._begun else b""
