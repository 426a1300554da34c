"""How every output comes to be: whole or not at all, through no planted link, with nothing left over.

A file is written beside its place under a name that cannot be guessed, created exclusively, flushed to the disk and
renamed. Whatever ends the writing removes it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Unfinished files and folders of ours are called so, and hidden.
PREFIX = ".esxprobe-"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
# Not on every system.
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_EVERYBODY, _OWNER = 0o666, 0o600


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False, new: bool = False) -> Iterator[BinaryIO]:
    """A file to write that gets its name when all went well, in one step; until then whatever was there stays.

    Args:
        path: Its name, in a folder that is there. A link of that name is replaced, and not what it leads to.
        private: Only the owner may read it.
        new: Nothing may be there, a link neither, not even at the end.

    Raises:
        OSError: It cannot be written.
    """
    unfinished = path.with_name(f"{PREFIX}{os.urandom(8).hex()}.partial")
    handle = os.open(unfinished, _NEW | _CAREFUL, _OWNER if private else _EVERYBODY)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if new:
            _name(unfinished, path)
        else:
            unfinished.replace(path)
        _flush_names(path.parent)
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def write(path: Path, content: bytes, *, private: bool = False, new: bool = False) -> None:
    """Writes a whole file; see `replacing`.

    Raises:
        OSError: It cannot be written.
    """
    with replacing(path, private=private, new=new) as file:
        file.write(content)


def _name(unfinished: Path, path: Path) -> None:
    """Gives a file its name unless another file has it."""
    try:
        os.link(unfinished, path)  # fails where anything is, and never replaces it
    except FileExistsError:
        raise
    except (OSError, AttributeError, NotImplementedError):  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(17, os.strerror(17), str(path)) from None
        unfinished.rename(path)


@contextlib.contextmanager
def workplace(target: Path) -> Iterator[Path]:
    """A folder beside a place, on the same file system, that only its owner can enter; it goes whatever happens.

    What is made in it is moved out with `settle`.

    Raises:
        OSError: It cannot be made there.
    """
    import tempfile

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=target.parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def settle(made: Path, place: Path) -> None:
    """Moves a finished file to its place, where it replaces a file, or a folder where nothing may be.

    Raises:
        OSError: That is not possible.
    """
    for file in sorted(made.rglob("*")) if made.is_dir() else [made]:
        if file.is_file() and not file.is_symlink():
            _flush(file)
    if made.is_dir():
        if os.path.lexists(place):
            raise FileExistsError(17, os.strerror(17), str(place))
        made.rename(place)
    else:
        made.replace(place)
    _flush_names(place.parent)


def _flush(path: Path) -> None:
    # For writing: Windows flushes no file that is open for reading alone.
    handle = os.open(path, os.O_RDWR | _CAREFUL)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_names(folder: Path) -> None:
    """A new name is on the disk when its folder is; where folders cannot be flushed the system sees to it."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
