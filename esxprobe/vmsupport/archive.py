"""The files of an archive, one after the other and once, whatever it holds.

Nothing of it is trusted. Names are labels and never paths; links, devices and names that lead out are counted and
passed over; what a few bytes unpack to is limited, and so is what a header can claim, because `tarfile` reads all
that a header claims into memory.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from esxprobe.errors import UnreadableInputError
from esxprobe.files.reading import opened
from esxprobe.formats import archives
from esxprobe.formats.pack import packing_of_head
from esxprobe.formats.source import Inflate
from esxprobe.vmsupport.member import (
    DAMAGE,
    ArchivedFile,
    Guarded,
    LimitReachedError,
    Limits,
    Met,
    Readable,
    ReadAgain,
    label,
)
from esxprobe.vmsupport.unpacked import folder_members
from esxprobe.vmsupport.zipped import zip_members

_BLOCK, _STEP = 1 << 20, 1 << 15
# What `tarfile` may read to understand one header [bytes]. An honest one has some kilobytes.
_HEADER = 8 << 20
# Archives near the top: bundles that vCenter exports are packed twice.
_NESTED = re.compile(r"(?:[^/]+/){0,2}[^/]+\.(?:tgz|tar|tar\.gz)", re.IGNORECASE)

WANTED = archives.Input(
    "a vm-support bundle",
    "the esx-*.tgz",
    "give the esx-*.tgz that vm-support wrote",
    "give the esx-*.tgz that vm-support wrote",
)


class _Seekable(Readable, Protocol):
    def tell(self) -> int: ...

    def seek(self, to: int, /) -> int: ...


class _Forward:
    """A stream that is read forwards and knows how far; asked to go back, it ends."""

    def __init__(self, stream: Readable) -> None:
        self._stream, self._at, self._ended = stream, 0, False

    def read(self, size: int, /) -> bytes:
        if self._ended:
            return b""
        data = self._stream.read(size)
        self._at += len(data)
        return data

    def tell(self) -> int:
        return self._at

    def seek(self, _: int, /) -> int:
        self._ended = True
        return self._at


class _Unpacked:
    """The bytes that an archive unpacks to, counted and limited."""

    def __init__(self, packed: _Seekable, stream: Readable, limits: Limits, met: Met, *, is_outer: bool) -> None:
        self._packed, self._stream, self._limits, self._met = packed, stream, limits, met
        self._is_outer = is_outer
        self._given, self._waiting, self._at = 0, b"", 0
        self.header_ends: int | None = None  # while a header is read: what it may reach

    def head(self, size: int) -> bytes:
        """The first bytes; they are read again."""
        while len(self._waiting) < size and (data := self._more()):
            self._waiting += data
        return self._waiting[:size]

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; empty at the end. `tarfile` copies all that it has on every call."""
        if self._at >= len(self._waiting):
            self._waiting, self._at = self._more(), 0
        data = self._waiting[self._at : self._at + size]
        self._at += len(data)
        return data

    def _more(self) -> bytes:
        data = self._stream.read(_BLOCK)
        self._given += len(data)
        if self._is_outer:
            self._met.unpacked += len(data)
        limits = self._limits
        if self.header_ends is not None and self._given > self.header_ends:
            raise LimitReachedError("the header of an entry is longer than 8 MB")
        if self._given > limits.unpacked:
            raise LimitReachedError(f"it unpacks to more than {limits.unpacked >> 20:,} MB")
        if self._given > limits.ratio_from and self._given > limits.ratio * max(1, self._packed.tell()):
            raise LimitReachedError(f"it unpacks to more than {limits.ratio} times its packed size")
        return data

    def expect_header(self) -> None:
        """From here on a header is read, until `header_ends` is None again."""
        self.header_ends = self._given + _HEADER


def members(path: Path, limits: Limits, met: Met) -> Iterator[ArchivedFile]:
    """The plain files of an archive in its order; each has to be read before the next one is asked for.

    Args:
        path: A tar archive, plain or packed with gzip or zstandard, or a zip archive, of files or of such archives;
            or a folder that one was unpacked into.
        limits: What is read at most.
        met: Counts what is met, and holds why it ended early.

    Raises:
        UnreadableInputError: It is not there, or is another kind of file.
    """
    if path.is_dir():
        try:
            yield from folder_members(path, limits, met)
        except LimitReachedError as error:
            met.stopped = error.message
        return
    try:
        raw = opened(path)
    except OSError as error:
        hint = "check the spelling" if isinstance(error, FileNotFoundError) else ""
        raise UnreadableInputError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    with raw:
        start = raw.read(archives.LOOK)
        raw.seek(0)
        try:
            if start.startswith(archives.ZIP):
                found = zip_members(path, raw, limits, met)
            else:
                found = _of_tar(raw, start, limits, met, path)
            for member in found:
                yield from _opened_further(member, limits, met)
        except LimitReachedError as error:
            met.stopped = error.message
        except OSError as error:
            met.cut = met.cut or f"it cannot be read further: {error.strerror or error}"


def _opened_further(member: ArchivedFile, limits: Limits, met: Met) -> Iterator[ArchivedFile]:
    """A member, or what is in it where it is an archive near the top."""
    if not _NESTED.fullmatch(member.name):
        yield member
        return
    met.nested.append(member.name)
    start = member.stream.read(archives.LOOK)
    raw = _Forward(ReadAgain(start, member.stream))
    for each in _of_tar(raw, start, limits, met):
        yield ArchivedFile(each.name, each.stream, member.name)


def _of_tar(
    raw: _Seekable, start: bytes, limits: Limits, met: Met, outer: Path | None = None
) -> Iterator[ArchivedFile]:
    """The plain files of a tar archive that may be packed.

    Args:
        raw: Its bytes.
        start: The first of them.
        limits: What is read at most.
        met: Counts what is met.
        outer: The file where it is one of its own; then it has to be an archive.
    """
    packing = packing_of_head(start)
    inflate: Any = Inflate(raw, packing) if packing != "plain" else None  # type: ignore[arg-type]
    stream: Readable = inflate if inflate is not None else raw
    plain = _Unpacked(raw, stream, limits, met, is_outer=outer is not None)
    head = plain.head(archives.LOOK)
    if not archives.is_tar(head):
        if outer is not None:
            raise _no_bundle(outer, start, head, archives.NAMES.get(packing, ""))
        return
    try:
        yield from _entries(plain, limits, met)
    finally:
        notes = inflate.notes if inflate is not None else []
        if notes:
            met.cut = "; ".join(each.detail for each in notes)


def _no_bundle(path: Path, start: bytes, head: bytes, packed: str) -> UnreadableInputError:
    """The error for a file that is not a tar archive, with the name of what it is."""
    try:
        archives.refuse(path, head if packed else start, packed=packed, wanted=WANTED)
    except UnreadableInputError as error:
        return error
    hint = "a bundle is the esx-HOST-DATE--TIME-N.tgz that vm-support writes on the host"
    return UnreadableInputError(f"{path} is not a vm-support bundle: there is no tar archive in it", hint=hint)


def _entries(plain: _Unpacked, limits: Limits, met: Met) -> Iterator[ArchivedFile]:
    """The plain files of a tar archive."""
    ending, seen = [""], 0
    try:
        plain.expect_header()
        with tarfile.open(
            fileobj=plain,  # type: ignore[call-overload]
            mode="r|",
            bufsize=_STEP,
            errors="replace",
            tarinfo=_watched(ending),
        ) as tar:
            while (entry := _next(tar, plain, is_first=not seen)) is not None:
                seen += 1
                met.members += 1
                if met.members > limits.members:
                    raise LimitReachedError(f"it has more than {limits.members:,} entries")
                if (name := _label(entry, met)) and (stream := tar.extractfile(entry)) is not None:
                    yield ArchivedFile(name, Guarded(stream, met))
    except DAMAGE as error:
        met.cut = f"entry {met.members + 1:,} is damaged or incomplete: {error or type(error).__name__}"
    else:
        if ending[0] != "EOFHeaderError":
            met.cut = f"it ends after entry {met.members:,} without the mark of its end"


def _next(tar: tarfile.TarFile, plain: _Unpacked, *, is_first: bool) -> tarfile.TarInfo | None:
    """The next entry. What is left of the last one is passed over first, so that only a header is read then."""
    if not is_first and tar.fileobj is not None:
        if tar.fileobj.tell() < tar.offset - 1:
            tar.fileobj.seek(tar.offset - 1)
        plain.expect_header()
    entry = tar.next()
    tar.members = []  # type: ignore[attr-defined]  # otherwise it keeps every one
    plain.header_ends = None
    return entry


def _watched(ending: list[str]) -> type[tarfile.TarInfo]:
    """Headers that tell how they ended: `tarfile` itself ends quietly at a damaged one."""

    class Watched(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Watched:
            try:
                return super().frombuf(buf, encoding, errors)
            except tarfile.HeaderError as error:
                ending[0] = type(error).__name__
                raise

    return Watched


def _label(entry: tarfile.TarInfo, met: Met) -> str:
    """The name of a plain file as a label; empty for what is passed over."""
    if entry.isdir():
        return ""
    if entry.issym() or entry.islnk():
        met.links += 1
        return ""
    if not entry.isreg():
        met.special += 1
        return ""
    return label(entry.name, met)
