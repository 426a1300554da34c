"""The bytes of a file as plain UTF-8 text with LF or CRLF line ends, block by block.

Compression (gzip, zstandard), UTF-16, byte order marks and bare carriage returns are undone
here, and raw counters of vSphere's service become the text that esxtop prints (`fetchstats`);
what was met is counted as notes. The file is only ever opened for reading.
"""

from __future__ import annotations

import codecs
import contextlib
import hashlib
import io
import re
import threading
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from esxprobe.catalog.quality import note
from esxprobe.errors import UnreadableInputError
from esxprobe.files.reading import opened, opener
from esxprobe.formats import archives
from esxprobe.formats.fetchstats.dumps import is_service_text
from esxprobe.formats.pack import packing_of_head
from esxprobe.model import QualityNote, SourceFile

if TYPE_CHECKING:
    from esxprobe.formats.fetchstats.as_esxtop import EsxtopText

# Codes of a packed stream that gave less than was packed.
CUT_CODES = frozenset({"gzip-cut", "gzip-damaged"})

RAW_BLOCK = 1 << 20
HEAD = 1 << 16
# Packed bytes are taken in smaller steps, for ten times as much comes out of them.
_PACKED = 8
_SALVAGE_STEP = 256
# What is unpacked in one step [bytes]: a few bytes can be packed gigabytes. zstandard cannot be stopped, so it gets
# small pieces: 4 bytes are 128 KB at most.
_UNPACKED = 4 << 20
_ZSTD_STEP = 1 << 9
# A header is shorter than this [bytes].
_FIRST_LINE = 1 << 26
# A carriage return that ends a line: a row or a header follows it.
_BARE_CR = re.compile(rb'\r"?(?:\d{1,4}[/.:-]|\(PDH-CSV)')


class _File(io.FileIO):
    """A file on a disk that may fail, or on a share that may go away, while it is read."""

    def readinto(self, room: Any) -> int | None:
        try:
            return super().readinto(room)
        except OSError as error:
            raise UnreadableInputError(
                f"{self.name} cannot be read: {error.strerror}", hint="copy it to another disk and try again"
            ) from error


class _Bytes(Protocol):
    def read(self, size: int) -> bytes: ...


class Inflate:
    """Decompressed bytes of a gzip or zstd file, cut or damaged ones as far as they go."""

    def __init__(self, raw: IO[bytes], kind: str) -> None:
        self._raw, self._kind = raw, kind
        self._machine: Any = None
        self._left = b""
        self._last = 0  # bytes of text that the last step gave
        self._more = False  # the machine holds text that it has not given
        self._ended = False
        self._member = 0  # where the running member starts in the file
        self._given = 0  # bytes of text that the running member gave
        self.notes: list[QualityNote] = []

    def _start(self) -> Any:
        if self._kind == "gzip":
            from isal import isal_zlib

            return isal_zlib.decompressobj(wbits=31)
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj()

    def _finish(self, code: str, detail: str) -> bytes:
        self._ended = True
        self.notes.append(note(code, 1, detail))
        return b""

    def read(self, size: int) -> bytes:
        """Up to about `size` bytes more, empty at the end."""
        out: list[bytes] = []
        have = 0
        while have < size and not self._ended:
            piece = self._step()
            have += len(piece)
            out.append(piece)
        return b"".join(out)

    def _step(self) -> bytes:
        chunk = self._left
        if not chunk and not self._more:
            chunk = self._raw.read(max(1, RAW_BLOCK // _PACKED))
        self._left = b""
        if not chunk and not self._more:
            if self._machine is not None:
                where = f"{self._kind} stream ends at byte {self._raw.tell():,} before its trailer"
                return self._finish("gzip-cut", where)
            self._ended = True
            return b""
        if self._machine is None:
            if not chunk.strip(b"\x00"):
                return b""  # zero padding after the last member, as tape and tar tools leave it
            self._machine = self._start()
            self._member, self._given = self._raw.tell() - len(chunk), 0
        return self._feed(chunk)

    def _feed(self, chunk: bytes) -> bytes:
        machine = self._machine
        try:
            piece = self._unpacked(machine, chunk)
        except Exception as error:  # each library has its own type
            if isinstance(error, MemoryError):
                raise
            where = f"{self._kind} data is damaged before byte {self._raw.tell():,}: {error}"
            return self._finish("gzip-damaged", where) or self._salvage()
        self._given += len(piece)
        if machine.eof:
            self._left = machine.unused_data + self._left
            self._machine, self._more = None, False
        return piece

    def _unpacked(self, machine: Any, chunk: bytes) -> bytes:
        """Some of what a chunk unpacks to; the rest of the chunk is left."""
        if self._kind == "zstd":
            step = _ZSTD_STEP if self._last < _UNPACKED // 4 else _ZSTD_STEP // 4
            self._left = chunk[step:]
            text = bytes(machine.decompress(chunk[:step]))
            self._last = len(text)
            return text
        piece: bytes = machine.decompress(chunk, _UNPACKED)
        self._left = b"" if machine.eof else machine.unconsumed_tail
        self._more = len(piece) >= _UNPACKED
        return piece

    def _salvage(self) -> bytes:
        """What a damaged member still gives beyond what was handed out.

        The fast library does not return what it inflated before the damage; zlib, given small pieces
        from the start of the member, does.
        """
        if self._kind != "gzip":
            return b""
        self._raw.seek(self._member)
        machine = zlib.decompressobj(wbits=31)
        out: list[bytes] = []
        seen = 0
        with contextlib.suppress(zlib.error):
            while not machine.eof and (chunk := self._raw.read(_SALVAGE_STEP)):
                piece = machine.decompress(chunk)
                seen += len(piece)
                if seen > self._given:
                    out.append(piece[self._given - seen :])
        return b"".join(out)


class _Decode:
    """UTF-16 text as UTF-8 bytes."""

    def __init__(self, raw: _Bytes, encoding: str) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def read(self, size: int) -> bytes:
        """Up to `size` characters more, empty at the end."""
        raw = self._raw.read(size)
        text = self._decoder.decode(raw, final=not raw)
        return text.lstrip("\ufeff").encode() if text else b""


class Source:
    """An opened input: `read` gives text bytes, `finish` the file's record and the notes.

    Args:
        path: The file.
        checksum: Its checksum is wanted: it is worked out while the file is read.
        derive: Raw counters of vSphere's service are given as esxtop's text; otherwise as they are.

    Raises:
        UnreadableInputError: It is not there, cannot be read, or is packed in another way; so may reading it.
    """

    def __init__(self, path: Path, *, checksum: bool = True, derive: bool = True) -> None:
        self.path = path
        self._checksum, self._derive = checksum, derive
        self._service: EsxtopText | None = None
        self._file = _open(path)
        self._notes: list[QualityNote] = []
        self._inflate: Inflate | None = None
        self._sha = ""
        self._hasher: threading.Thread | None = None
        self._closed = threading.Event()
        self._stream: _Bytes = self._file
        try:
            self._begin()
        except UnreadableInputError:
            self.close()
            raise

    def _begin(self) -> None:
        """Finds out how the file is packed, and takes the first text out of it."""
        magic = self._file.read(archives.LOOK)
        self._file.seek(0)
        archives.refuse(self.path, magic)
        packing = packing_of_head(magic)
        if packing != "plain":
            self._inflate = Inflate(self._file, packing)
            self._stream = self._inflate
        self._head = self._stream.read(HEAD)
        if self._inflate is not None:
            self._refuse_cut(self._inflate)
            archives.refuse(self.path, self._head, packed=archives.NAMES[packing])
        self._decode()

    def _refuse_cut(self, inflate: Inflate) -> None:
        """Raises UnreadableInputError where the stream is cut or damaged before its first byte of text."""
        if not self._head and inflate.notes:
            raise UnreadableInputError(
                f"{self.path} is truncated or damaged: nothing can be decompressed ({inflate.notes[0].detail})",
                hint="copy the file again, and compare its size with the original's",
            )

    def _start_hashing(self) -> threading.Thread:
        """The thread that reads the whole file for its checksum: who wants the header alone needs none."""
        if self._hasher is None:
            self._hasher = threading.Thread(target=self._hash, daemon=True)
            self._hasher.start()
        return self._hasher

    def _hash(self) -> None:
        digest = hashlib.sha256()
        try:
            with opened(self.path) as file:
                while chunk := file.read(RAW_BLOCK):
                    if self._closed.is_set():
                        return  # who gives up early must not wait for the rest of a long file
                    digest.update(chunk)
            self._sha = digest.hexdigest()
        except (OSError, UnreadableInputError):
            self._sha = ""

    def _decode(self) -> None:
        head = self._head
        encoding = _utf16(head)
        if encoding:
            self._notes.append(note("utf-16", 1))
            self._stream = _Decode(_Chained(head, self._stream), encoding)
            head = self._stream.read(HEAD)
        if head.startswith(codecs.BOM_UTF8):
            self._notes.append(note("byte-order-mark", 1))
            head = head[3:]
        if self._derive and is_service_text(head):
            head = self._derived()
        self._head = head
        self._pending = self._to_line_end(head)
        line_end = self._pending.find(b"\n")
        line_end = len(self._pending) if line_end < 0 else line_end
        found = b"\r" in self._pending and _BARE_CR.search(self._pending, 0, line_end)
        self._bare_cr = bool(found)
        if self._bare_cr:
            self._notes.append(note("cr-line-ends", 1))

    def _derived(self) -> bytes:
        """Puts esxtop's text in place of the service's; the first of it."""
        from esxprobe.formats.fetchstats.as_esxtop import EsxtopText

        path = self.path
        self._service = EsxtopText(path, lambda: Source(path, checksum=False, derive=False))
        self._stream = self._service
        return self._service.read(HEAD)

    def _to_line_end(self, start: bytes) -> bytes:
        """More text, up to the first line end: bare carriage returns cannot be recognized before it."""
        parts = [start]
        length = len(start)
        seen, returns = 0, False
        while length < _FIRST_LINE and b"\n" not in parts[-1]:
            returns = returns or b"\r" in parts[-1]
            if returns:
                parts = [b"".join(parts)]
                if _BARE_CR.search(parts[0], seen):
                    break
                seen = max(0, length - HEAD)
            more = self._stream.read(max(RAW_BLOCK, length))
            if not more:
                break
            parts.append(more)
            length += len(more)
        return b"".join(parts)

    @property
    def head(self) -> bytes:
        """The first 64 KB of text."""
        return self._head.replace(b"\r", b"\n") if self._bare_cr else self._head

    @property
    def position(self) -> int:
        """How far the file itself has been read [bytes]."""
        return self._service.position if self._service else self._file.tell()

    def read(self, size: int) -> bytes:
        """About `size` more bytes of text, empty at the end."""
        block, self._pending = self._pending, b""
        if size > len(block):
            block += self._stream.read(size - len(block))
        return block.replace(b"\r", b"\n") if self._bare_cr else block

    def read_into(self, room: memoryview) -> int:
        """Fills the room with text as far as there is any; how many bytes, 0 at the end."""
        if self._checksum:
            self._start_hashing()
        if not self._pending and isinstance(self._stream, io.BufferedReader):
            length = self._stream.readinto(room)
        else:
            text = self._pending or self._stream.read(len(room))
            length = min(len(text), len(room))
            room[:length] = text[:length]
            self._pending = text[length:]
        if self._bare_cr:
            room[:length] = bytes(room[:length]).replace(b"\r", b"\n")
        return length

    def finish(self) -> tuple[SourceFile, list[QualityNote]]:
        """The record of the file and what was met while it was read."""
        self._start_hashing().join()
        return SourceFile(self.path.name, self._sha, self.path.stat().st_size), self.notes

    @property
    def notes(self) -> list[QualityNote]:
        """What was met so far."""
        unpacking = self._inflate.notes if self._inflate and not self._service else []
        return self._notes + unpacking + (self._service.notes if self._service else [])

    def close(self) -> None:
        """Closes the file."""
        self._closed.set()
        if self._hasher is not None:
            self._hasher.join()
        if self._service is not None:
            self._service.close()
        self._file.close()


class _Chained:
    def __init__(self, first: bytes, rest: _Bytes) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int) -> bytes:
        first, self._first = self._first, b""
        return first + self._rest.read(max(0, size - len(first))) if first else self._rest.read(size)


def _utf16(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16-le" if head.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
    at = head.find("(PDH-CSV".encode("utf-16-le"))
    if at < 0:
        return ""
    return "utf-16-be" if at % 2 else "utf-16-le"  # big-endian text looks little-endian one byte on


def _open(path: Path) -> IO[bytes]:
    if path.is_dir():
        raise UnreadableInputError(
            f"{path} is a directory without a capture in it",
            hint="give the CSV that esxtop -b wrote, or a capture folder (it holds a capture.json)",
        )
    standard_input = path == Path("-")
    if standard_input or (path.exists() and not path.is_file()):
        called = "standard input" if standard_input else path
        raise UnreadableInputError(
            f"{called} is a pipe or a device, but inputs are read more than once",
            hint="save it to a file first, compressed or not",
        )
    try:
        file = io.BufferedReader(_File(path, opener=opener))
    except FileNotFoundError as error:
        raise UnreadableInputError(f"{path} does not exist", hint="check the spelling") from error
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be read: {error.strerror}") from error
    return file
