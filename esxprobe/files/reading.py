"""The one door for files from elsewhere: no pipe, no device, no more than they can be, no way out."""

from __future__ import annotations

import json
import math
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

from esxprobe.errors import UnreadableInputError, UsageError

# A pipe is not waited for; a program that is started later does not get it.
_CAREFUL = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
# No size, time or count of ours is larger; what is would end in an overflow somewhere.
_LARGEST = 2**63
# Rules and lists of hosts that people write are far smaller [bytes].
_MOST_TOML = 16 << 20


def opener(path: str | Path, flags: int = os.O_RDONLY) -> int:
    """The handle of a regular file; what `open` takes as its opener.

    Args:
        path: The file.
        flags: More for the system.

    Raises:
        UnreadableInputError: It is a pipe, a device, a folder or a socket, also through a link.
        OSError: It cannot be opened.
    """
    handle = os.open(path, flags | _CAREFUL)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnreadableInputError(
            f"{path} is not a regular file", hint="a pipe, a device or a folder cannot be used as input"
        )
    return handle


def opened(path: Path) -> BufferedReader:
    """A file that is open for reading, and a regular one.

    Raises:
        UnreadableInputError: It is a pipe, a device, a folder or a socket, also through a link.
        OSError: It cannot be opened.
    """
    return os.fdopen(opener(path), "rb")


def content(path: Path, most: int) -> bytes:
    """The bytes of a regular file.

    Args:
        path: The file.
        most: The most that it may have [bytes].

    Raises:
        UnreadableInputError: It is not a regular file, or has more.
        OSError: It cannot be read.
    """
    with opened(path) as file:
        found = file.read(most + 1)  # what the system says of its size may be wrong, or change
    if len(found) > most:
        raise UnreadableInputError(
            f"{path} has more than {most / 1e6:,.0f} MB",
            hint="no file of this kind is that large; check its origin",
        )
    return found


def toml_text(path: Path, hint: str) -> str:
    """The text of a TOML file that a user has named.

    Args:
        path: The file.
        hint: What the option takes.

    Raises:
        UsageError: It cannot be read, is not a regular file, is too large, or is not UTF-8 text.
    """
    try:
        return content(path, _MOST_TOML).decode("utf-8-sig")
    except UnreadableInputError as error:
        reason = error.message.removeprefix(f"{path} ")
        raise UsageError(f"{path} cannot be read: it {reason}", hint=hint) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} cannot be read: it is not UTF-8 text", hint=hint) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=hint) from error


def json_of(path: Path, most: int) -> Any:
    """What a JSON file says, without numbers that no program can count with.

    Raises:
        UnreadableInputError: It is not a regular file, or too large.
        ValueError: It is not JSON, or holds a number that is infinite or beyond all counts.
        RecursionError: It is nested too deeply.
        OSError: It cannot be read.
    """
    return json.loads(content(path, most), parse_float=_float, parse_int=_int, parse_constant=_refuse)


def within(folder: Path, path: Path) -> Path:
    """A path of a folder, when it does not lead out of it.

    Raises:
        UnreadableInputError: It is a link to a place outside.
    """
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise UnreadableInputError(
            f"{path} is a link to a location outside the capture folder", hint="put the file itself there"
        )
    return path


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number) or abs(number) > _LARGEST:
        _refuse(text)
    return number


def _int(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > _LARGEST:
        _refuse(text)
    return int(text)


def _refuse(text: str) -> None:
    raise ValueError(f"{text[:40]} is not a finite number")
