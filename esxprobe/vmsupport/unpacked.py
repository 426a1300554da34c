"""The files of a bundle that is unpacked: a folder, with the same labels and limits as in an archive."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from esxprobe.errors import UnreadableInputError
from esxprobe.files.reading import opened
from esxprobe.vmsupport.contents import is_mark
from esxprobe.vmsupport.member import ArchivedFile, Guarded, LimitReachedError, Limits, Met, Readable, label

# Outputs of commands that are looked at to tell that a folder is a bundle.
_LOOKED_AT = 2000


def is_unpacked(folder: Path) -> bool:
    """Whether a folder is an unpacked bundle, or holds one and nothing else; a capture folder is none."""
    try:
        inside = [each for each in folder.iterdir() if not each.name.startswith(".")]
    except OSError:
        return False
    if any(each.name == "capture.json" for each in inside):
        return False
    return _is_bundle(folder) or (len(inside) == 1 and inside[0].is_dir() and _is_bundle(inside[0]))


def _is_bundle(folder: Path) -> bool:
    if (folder / "etc/vmware/esx.conf").is_file():
        return True
    try:
        with os.scandir(folder / "commands") as entries:
            return any(is_mark(f"commands/{entry.name}") for entry in islice(entries, _LOOKED_AT))
    except OSError:
        return False


def folder_members(folder: Path, limits: Limits, met: Met) -> Iterator[ArchivedFile]:
    """The plain files below a folder, in the order of their names; links are counted and not followed.

    Args:
        folder: The bundle, or the folder that holds it.
        limits: What is read at most.
        met: Counts what is met.
    """
    top = folder.resolve().name
    for place, folders, files in os.walk(folder, followlinks=False):
        met.links += sum(Path(place, each).is_symlink() for each in folders)
        folders.sort()
        for file in sorted(files):
            met.members += 1
            if met.members > limits.members:
                raise LimitReachedError(f"it has more than {limits.members:,} files")
            path = Path(place, file)
            if path.is_symlink():
                met.links += 1
            elif name := label("/".join((top, *path.relative_to(folder).parts)), met):
                yield from _member(name, path, limits, met)


def _member(name: str, path: Path, limits: Limits, met: Met) -> Iterator[ArchivedFile]:
    try:
        stream = opened(path)
    except UnreadableInputError:
        met.special += 1
        return
    except OSError as error:
        met.cut = met.cut or f"{name} cannot be read: {error.strerror}"
        return
    with stream:
        yield ArchivedFile(name, Guarded(_Measured(stream, limits, met), met))


class _Measured:
    def __init__(self, stream: Readable, limits: Limits, met: Met) -> None:
        self._stream, self._limits, self._met = stream, limits, met

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._met.unpacked += len(data)
        if self._met.unpacked > self._limits.unpacked:
            raise LimitReachedError(f"it has more than {self._limits.unpacked >> 20:,} MB")
        return data
