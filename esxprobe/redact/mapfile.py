"""The private map file: the key, and every name with its pseudonym. Only its owner can read it."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from esxprobe.errors import OutputError, UnreadableInputError
from esxprobe.files.reading import opener
from esxprobe.files.writing import write
from esxprobe.redact.names import Names

SCHEMA = "esxprobe.redaction-map/1"
_KEY_BYTES = 32
_LEAST_KEY_BYTES = 16
_HINT = "the map must be a regular file that only you can read: chmod 600, not a symbolic link"

# Not on every system.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def load_map(path: Path) -> Names:
    """The names of a map file, or none yet and a new key where there is no file.

    Raises:
        UnreadableInputError: It is a link, no plain file, open to others, or no map.
    """
    try:
        if path.is_symlink():
            raise UnreadableInputError(f"{path} is a symbolic link", hint=_HINT)
        handle = opener(path, os.O_RDONLY | _NO_LINK)
    except FileNotFoundError:
        return Names(secrets.token_bytes(_KEY_BYTES))
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
    about = os.fstat(handle)
    with os.fdopen(handle, "rb") as file:
        # Windows has no such bits: there a file of the user's own folder is the user's.
        if os.name != "nt" and about.st_mode & 0o077:
            raise UnreadableInputError(f"{path} can be read by others than its owner", hint=f"chmod 600 {path}")
        content = file.read()
    try:
        return _names(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableInputError(
            f"{path} is not a redaction map", hint="name another file; a new one is made where there is none"
        ) from error


def _names(raw: dict[str, object]) -> Names:
    known = raw["names"]
    if raw["schema"] != SCHEMA or not isinstance(known, dict):
        raise ValueError
    key = bytes.fromhex(str(raw["key"]))
    if len(key) < _LEAST_KEY_BYTES:
        raise ValueError
    for names in known.values():
        given = [each for each in names.values() if isinstance(each, str) and each]
        if len(set(given)) != len(names):
            raise ValueError
    return Names(key, known)


def save_map(path: Path, names: Names, *, fresh: bool) -> None:
    """Writes the map: a new file exclusively, an old one in one step.

    Args:
        path: Where.
        names: The names.
        fresh: There was no file when the names were loaded.

    Raises:
        OutputError: It cannot be written, or something appeared there meanwhile.
    """
    record = {"schema": SCHEMA, "key": names.key.hex(), "names": names.map}
    content = (json.dumps(record, indent=1) + "\n").encode()  # ASCII: half characters of damaged names survive
    try:
        if fresh:
            path.parent.mkdir(parents=True, exist_ok=True)
        write(path, content, private=True, new=fresh)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}", hint=_HINT) from error
