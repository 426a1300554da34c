"""Where in a TOML text a key was set: the standard library reads values and keeps no lines."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The line, from 1, on which the statement starts that sets this key; that of its table where it is missing.

    A statement ends where the text up to there is valid TOML again, so the first such text that holds the key
    ends with the statement that sets it.
    """
    lines = text.splitlines()
    begins = 0
    for ends in range(1, len(lines) + 1):
        try:
            data = tomllib.loads("\n".join(lines[:ends]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value that spans lines
        if _has(data, path):
            while not lines[begins].split("#")[0].strip() and begins < ends - 1:
                begins += 1
            return begins + 1
        begins = ends
    return line_of(text, path[:-1]) if len(path) > 1 else 1


def _has(data: Any, path: Sequence[str | int]) -> bool:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True
