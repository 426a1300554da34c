"""Files of a zip archive: vCenter exports the bundles of its hosts in one."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from esxprobe.errors import UnreadableInputError
from esxprobe.vmsupport.member import DAMAGE, ArchivedFile, Guarded, LimitReachedError, Limits, Met, Readable, label

# `zipfile` reads the whole directory into memory; an entry of it has at least 46 bytes.
_MOST_DIRECTORY = 8 << 20
_END, _END64 = b"PK\x05\x06", b"PK\x06\x06"
_END_LENGTH, _MOST_COMMENT = 22, 65_535
_UNIX_LINK, _UNIX_KIND = 0o120000, 0o170000


def zip_members(path: Path, raw: BufferedReader, limits: Limits, met: Met) -> Iterator[ArchivedFile]:
    """The plain files of a zip archive.

    Raises:
        UnreadableInputError: Its directory is damaged, or larger than one of bundles is.
    """
    _refuse_large(path, raw)
    try:
        archive = zipfile.ZipFile(raw)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OSError) as error:
        raise UnreadableInputError(f"{path} is a damaged zip archive: {error}", hint="copy it again") from error
    with archive:
        for entry in archive.infolist():
            met.members += 1
            if met.members > limits.members:
                raise LimitReachedError(f"it has more than {limits.members:,} entries")
            if entry.is_dir():
                continue
            if entry.external_attr >> 16 & _UNIX_KIND == _UNIX_LINK:
                met.links += 1
            elif name := label(_slashed(entry.filename), met):
                try:
                    with archive.open(entry) as stream:
                        counted = _Counted(stream, max(1, entry.compress_size), limits, met)
                        yield ArchivedFile(name, Guarded(counted, met))
                except DAMAGE as error:
                    met.cut = f"the entry {name} cannot be read: {error}"


def _slashed(name: str) -> str:
    r"""A name with `/` between folders; some programs of Windows write `\` alone."""
    return name if "/" in name else name.replace("\\", "/")


class _Counted:
    def __init__(self, stream: Readable, packed: int, limits: Limits, met: Met) -> None:
        self._stream, self._packed, self._limits, self._met = stream, packed, limits, met
        self._given = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._given += len(data)
        self._met.unpacked += len(data)
        limits = self._limits
        if self._met.unpacked > limits.unpacked:
            raise LimitReachedError(f"it unpacks to more than {limits.unpacked >> 20:,} MB")
        if self._given > limits.ratio_from and self._given > limits.ratio * self._packed:
            raise LimitReachedError(f"it unpacks to more than {limits.ratio} times its packed size")
        return data


def _refuse_large(path: Path, raw: BufferedReader) -> None:
    """Refuses a directory that takes too much memory, by the size that the archive's end states for it."""
    size = raw.seek(0, 2)
    begin = max(0, size - _END_LENGTH - _MOST_COMMENT - 128)
    raw.seek(begin)
    tail = raw.read(size - begin)
    raw.seek(0)
    at = tail.rfind(_END)
    stated = [struct.unpack_from("<L", tail, at + 12)[0]] if at >= 0 and len(tail) >= at + 16 else []
    at64 = tail.rfind(_END64)
    if at64 >= 0 and len(tail) >= at64 + 48:
        stated = [struct.unpack_from("<Q", tail, at64 + 40)[0]]
    if any(each > _MOST_DIRECTORY for each in stated):
        raise UnreadableInputError(
            f"{path} has a directory of {stated[0] >> 20:,} MB, which a zip archive of bundles has not",
            hint="unzip it, and give the .tgz of the host",
        )


def zip_names(path: Path) -> list[str]:
    """The names in a zip archive's directory; none of a damaged one, or where the directory is too large."""
    from esxprobe.files.reading import opened

    try:
        with opened(path) as raw:
            _refuse_large(path, raw)
            with zipfile.ZipFile(raw) as archive:
                return [_slashed(name) for name in archive.namelist()]
    except (UnreadableInputError, zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, OSError):
        return []
