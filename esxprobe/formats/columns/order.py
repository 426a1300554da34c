"""The order of a copy: what stood where in the capture's text, and the lines that are kept as text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import Literal

from esxprobe.formats.columns.store import NewFiles, OldFiles
from esxprobe.formats.head import LONGEST_LINE

# head: up to the first row. text: lines that are read like the capture's own. rows: rows of a slab.
Kind = Literal["head", "text", "rows"]

ORDER = "order.parquet"
# Text is packed in pieces of about so many bytes.
_PIECE = 32 << 20
# A piece ends behind a whole block, and a block behind a whole line.
_LARGEST = _PIECE + 4 * LONGEST_LINE


@dataclass(frozen=True, slots=True)
class Entry:
    """A part of a capture's text.

    Attributes:
        kind: What it is.
        block: The block of the reader that it was in: what a reader counts in one go.
        line: Number of its first line.
        count: Bytes of text, or rows.
        slab: Of rows: their slab.
        first: The first of them in it.
        header: Number of the header that they stand under.
        commas, quotes: Of rows: what the reader has learnt that they look like.
        blanks, more: The same; -1 where there is nothing.
        trailing: The same: a comma ends them.
        semicolons: Of text: it was read with semicolons as separators.
    """

    kind: Kind
    block: int
    line: int
    count: int
    slab: int = -1
    first: int = 0
    header: int = -1
    commas: int = -1
    quotes: int = -1
    blanks: int = -1
    more: int = -1
    trailing: bool = False
    semicolons: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """What rows look like to the reader."""
        return tuple(n for n in (self.commas, self.quotes, self.blanks, self.more) if n >= 0)


@dataclass(slots=True)
class OrderWriter:
    """Takes the parts of a capture's text in their order.

    Attributes:
        files: Where to.
        loose: Lines that are kept as text.
    """

    files: NewFiles
    loose: int = 0
    _entries: list[Entry] = field(default_factory=list)
    _text: bytearray = field(default_factory=bytearray)
    _pieces: int = 0

    def text(self, text: bytes, kind: Kind, block: int, line: int, *, semicolons: bool) -> None:
        """Takes lines that are kept as text."""
        self._entries.append(Entry(kind, block, line, len(text), semicolons=semicolons))
        self.loose += text.count(b"\n") + (text[-1:] not in {b"", b"\n"})
        self._text += text
        if len(self._text) >= _PIECE:
            self._flush()

    def rows(self, entry: Entry) -> None:
        """Takes rows of a slab; those that go on where the ones before end are one with them."""
        before = self._entries[-1]
        goes_on = before.kind == "rows" and before.block == entry.block and before.slab == entry.slab
        if goes_on and before.first + before.count == entry.first:
            entry = Entry(**{**asdict(before), "count": before.count + entry.count})
            self._entries.pop()
        self._entries.append(entry)

    def finish(self) -> None:
        """Writes what is left, and the order."""
        import polars as pl

        self._flush()
        kinds = {"kind": pl.String, "trailing": pl.Boolean, "semicolons": pl.Boolean}
        schema = {each.name: kinds.get(each.name, pl.Int64) for each in fields(Entry)}
        frame = pl.DataFrame([asdict(entry) for entry in self._entries], schema=schema)
        content = io.BytesIO()
        frame.write_parquet(content, compression="zstd", statistics=False)
        self.files.add(ORDER, content.getbuffer())

    def _flush(self) -> None:
        import zstandard

        if self._text:
            packed = zstandard.ZstdCompressor(level=6).compress(bytes(self._text))
            self.files.add(f"loose/{self._pieces:05}.zst", packed)
            self._pieces += 1
            self._text = bytearray()


class OrderReader:
    """The order of a finished copy.

    Attributes:
        entries: All parts of the text.

    Args:
        files: The copy.

    Raises:
        UnreadableInputError: It is damaged.
    """

    def __init__(self, files: OldFiles) -> None:
        import polars as pl

        self._files = files
        content = files.get(ORDER)
        try:
            self.entries = [Entry(**row) for row in pl.read_parquet(io.BytesIO(content)).iter_rows(named=True)]
        except (pl.exceptions.PolarsError, OSError, TypeError) as error:
            raise files.broken(f"{ORDER} cannot be read ({error})") from error
        if not self.entries or self.entries[0].kind != "head":
            raise files.broken(f"{ORDER} does not begin with a head")

    def read(self) -> Iterator[tuple[Entry, bytes]]:
        """Every entry with its text; rows have none.

        Raises:
            UnreadableInputError: The text is damaged.
        """
        pieces, text = self._pieces(), b""
        for entry in self.entries:
            if entry.kind == "rows":
                yield entry, b""
                continue
            while len(text) < entry.count:
                text += next(pieces)
            yield entry, text[: entry.count]
            text = text[entry.count :]

    def _pieces(self) -> Iterator[bytes]:
        import zstandard

        number = 0
        while (name := f"loose/{number:05}.zst") in self._files:
            packed = self._files.get(name)
            try:
                if zstandard.frame_content_size(packed) > _LARGEST:
                    raise self._files.broken(f"{name} would be larger than any piece is")
                yield zstandard.ZstdDecompressor().decompress(packed)
            except zstandard.ZstdError as error:
                raise self._files.broken(f"{name} cannot be unpacked ({error})") from error
            number += 1
        raise self._files.broken("lines that are kept as text are missing")
