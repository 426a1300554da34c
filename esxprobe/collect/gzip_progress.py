"""A look into a stream as it passes, plain or packed: counts samples for progress and proof, stores nothing."""

from __future__ import annotations

import zlib
from datetime import datetime

_HEAD_BYTES = 24
_PIECE_BYTES = 1 << 20
_BEGINNING = b'"(PDH-CSV'
_STAMP = "%m/%d/%Y %H:%M:%S"


class PlainPeek:
    """Counts the lines of esxtop's CSV that is given piece by piece.

    Attributes:
        lines: Whole lines so far, the header included.
        raw_bytes: Plain bytes so far [bytes].
        header_bytes: Length of the first line with its end [bytes], 0 before it is whole.
        header_cells: Cells of the first line, 0 before it is whole.
        damage: Why the stream is not what it should be, empty as long as it is.
    """

    def __init__(self) -> None:
        self.lines = 0
        self.raw_bytes = 0
        self.header_bytes = 0
        self.header_cells = 0
        self.damage = ""
        self._head = b""
        self._line_bytes = 0
        self._quotes = 0
        self._first = self._last = b""
        self._begins_well = True

    @property
    def rows(self) -> int:
        """Whole samples so far."""
        return max(self.lines - 1, 0)

    @property
    def has_trailer(self) -> bool:
        """Whether the stream says itself that it is whole; plain text cannot, its lines tell."""
        return not self.damage

    @property
    def ends_mid_line(self) -> bool:
        """Whether the last line has no end yet."""
        return self._line_bytes > 0

    @property
    def interval_s(self) -> float | None:
        """Mean time between the stamps of the first and the last sample [s], None when they cannot be read."""
        if self.rows < 2:
            return None
        try:
            first, last = (datetime.strptime(s, _STAMP) for s in (_stamp(self._first), _stamp(self._last)))
        except ValueError:
            return None
        return (last - first).total_seconds() / (self.rows - 1)

    def feed(self, piece: bytes) -> None:
        """Takes the next bytes of the stream."""
        if self.damage:
            return
        self._count(piece)
        if self.lines and not self._begins_well:
            self.damage, self.lines = "the received data is not an esxtop CSV", 0

    def _count(self, text: bytes) -> None:
        self.raw_bytes += len(text)
        start = 0
        while (end := text.find(b"\n", start)) >= 0:
            self._take(text[start:end])
            self._end_line()
            start = end + 1
        self._take(text[start:])

    def _take(self, part: bytes) -> None:
        self._head = (self._head + part[:_HEAD_BYTES])[:_HEAD_BYTES]
        self._line_bytes += len(part)
        if self.lines == 0:
            self._quotes += part.count(b'"')

    def _end_line(self) -> None:
        if self.lines == 0:
            self.header_bytes, self.header_cells = self._line_bytes + 1, self._quotes // 2
            self._begins_well = self._head.startswith(_BEGINNING)
        elif self.lines == 1:
            self._first = self._head
        self._last = self._head
        self.lines += 1
        self._head, self._line_bytes = b"", 0


class GzipPeek(PlainPeek):
    """The same inside a gzip stream; `raw_bytes` are those after decompression."""

    def __init__(self) -> None:
        super().__init__()
        self._inflate = zlib.decompressobj(wbits=31)

    @property
    def has_trailer(self) -> bool:
        """Whether the stream came to its end, with checksum and length as announced, and nothing after it."""
        return self._inflate.eof and not self._inflate.unused_data and not self.damage

    def feed(self, piece: bytes) -> None:
        """Takes the next bytes of the stream."""
        if self.damage or self._inflate.eof:
            return
        try:
            self._count(self._inflate.decompress(piece, _PIECE_BYTES))
            while self._inflate.unconsumed_tail:
                self._count(self._inflate.decompress(self._inflate.unconsumed_tail, _PIECE_BYTES))
        except zlib.error as error:
            self.damage = f"the received data is not a valid gzip stream: {error}"


def _stamp(head: bytes) -> str:
    return head.decode("ascii", "replace").strip('"').partition('"')[0]
