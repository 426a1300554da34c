"""A file of an archive that is not trusted: its label, its bytes, what is read at most, and what was met."""

from __future__ import annotations

import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Protocol

from esxprobe.errors import EsxprobeError

_MOST_NAME = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# What `tarfile` and `zipfile` raise for hostile archives, their own errors and others.
DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ValueError, ArithmeticError,
    RuntimeError, KeyError, EOFError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of an archive at most.

    Attributes:
        members: Entries that are looked at.
        unpacked: What is unpacked in all [bytes].
        ratio: Unpacked bytes for each packed one, once `ratio_from` bytes are unpacked.
        ratio_from: See there [bytes].
        kept: Temporary files in all [bytes].
        kept_files: How many.
        answers: Outputs of commands, which are held in memory, in all [bytes].
        log: Text of a log [bytes].
        vm_log: Text of a VM's log [bytes].
        text: Text of all logs [bytes].
        capture: Text of an esxtop CSV [bytes].
    """

    members: int = 100_000
    unpacked: int = 64 << 30
    ratio: int = 200
    ratio_from: int = 1 << 30
    kept: int = 4 << 30
    kept_files: int = 5_000
    answers: int = 32 << 20
    log: int = 512 << 20
    vm_log: int = 64 << 20
    text: int = 4 << 30
    capture: int = 16 << 30


@dataclass(slots=True)
class Met:
    """What was met in an archive.

    Attributes:
        members: Entries, of archives inside as well.
        unpacked: Unpacked bytes.
        links: Links of both kinds.
        special: Devices, pipes and entries of unknown kinds.
        outside: Names that are absolute, lead out with `..`, or are too long.
        cut: Why it could not be read to its end; empty where it was.
        stopped: Which limit ended it; empty for none.
        nested: Names of archives in it that were read.
    """

    members: int = 0
    unpacked: int = 0
    links: int = 0
    special: int = 0
    outside: int = 0
    cut: str = ""
    stopped: str = ""
    nested: list[str] = field(default_factory=list)


class Readable(Protocol):
    """Bytes, read forwards."""

    def read(self, size: int, /) -> bytes:
        """So many bytes more, fewer at the end."""
        ...


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A plain file of an archive.

    Attributes:
        name: Its label.
        stream: Its bytes; at damage, or at a limit, they end.
        inside: Name of the archive in the archive that holds it, empty for the outer one.
    """

    name: str
    stream: Readable
    inside: str = ""


class LimitReachedError(EsxprobeError):
    """A limit ends the reading; what was read before stays."""


class ReadAgain:
    """Bytes that were read already, and then the rest."""

    def __init__(self, first: bytes, rest: Readable) -> None:
        self._first, self._rest = first, rest

    def read(self, size: int, /) -> bytes:
        """So many bytes more, empty at the end."""
        if self._first:
            data, self._first = self._first[:size], self._first[size:]
            return data
        return self._rest.read(size)


class Guarded:
    """The bytes of a member: at damage, or at a limit, they end, and the met tells why."""

    def __init__(self, stream: Readable, met: Met) -> None:
        self._stream, self._met, self._ended = stream, met, False

    def read(self, size: int, /) -> bytes:
        """So many bytes more, empty at the end."""
        if self._ended:
            return b""
        try:
            return self._stream.read(size)
        except LimitReachedError as error:
            self._met.stopped = error.message
        except DAMAGE as error:
            self._met.cut = self._damaged(error)
        except OSError as error:
            # Damage in bzip2 has no number; with one, the archive itself cannot be read.
            if error.errno is None:
                self._met.cut = self._damaged(error)
            else:
                self._met.cut = f"it cannot be read further: {error.strerror or error}"
        self._ended = True
        return b""

    def _damaged(self, error: BaseException) -> str:
        return f"entry {self._met.members:,} is damaged or incomplete: {error or type(error).__name__}"


def label(name: str, met: Met) -> str:
    """A name without `./` and control characters; empty for one that leads out, which is counted."""
    parts = [part for part in re.split(r"[/\\]", name) if part not in {"", "."}]
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", name) or ".." in parts or len(name) > _MOST_NAME:
        met.outside += 1
        return ""
    return _CONTROL.sub("�", "/".join(part for part in name.split("/") if part not in {"", "."}))
