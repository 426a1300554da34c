"""Where captures lie: paths, folders of captures, URLs; and a capture brought to where it can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from esxprobe.capture import captures_below, is_capture_folder, passed_over
from esxprobe.errors import UnreadableInputError
from esxprobe.fleet.urls import is_url


def is_many(words: Sequence[str]) -> bool:
    """Whether words of a command ask for several captures: several words, a URL, or a folder of captures."""
    return len(words) > 1 or any(is_url(word) or _below(word) for word in words)


def expanded(words: Sequence[str]) -> list[str]:
    """The captures that are meant, in order, each once; a folder that is none itself gives those in it.

    Raises:
        UnreadableInputError: A URL's folder cannot be listed.
    """
    found: dict[str, str] = {}
    for word in words:
        if is_url(word):
            from esxprobe.fleet.remote import captures_at

            found |= {url: url for url in captures_at(word)}
            continue
        for path in _below(word) or [Path(word)]:
            found.setdefault(os.path.realpath(path), str(path))
    return list(found.values())


def left_out(words: Sequence[str]) -> list[str]:
    """Names of files in the folders that were given, which may hold a capture but are not called as one."""
    folders = [Path(word) for word in words if not is_url(word) and not is_capture_folder(Path(word))]
    return list(dict.fromkeys(name for folder in folders for name in passed_over(folder)))


def _below(word: str) -> list[Path]:
    path = Path(word)
    try:
        return captures_below(path) if path.is_dir() and not is_capture_folder(path) else []
    except (OSError, UnreadableInputError):
        return []  # it is reported when the capture itself is read


def size_of(source: str) -> list[tuple[str, int]]:
    """Names and sizes of a capture's files [bytes]; nothing for what cannot be looked at, or lies elsewhere."""
    if is_url(source):
        return []
    path = Path(source)
    try:
        files = [*path.glob("esxtop-*"), *path.glob("fetchstats-*")] if path.is_dir() else [path]
        return [(file.name, file.stat().st_size) for file in files]
    except OSError:
        return []


@contextmanager
def at_hand(source: str) -> Iterator[Path]:
    """A path that the capture can be read at; a remote one is copied for as long as it is needed.

    Raises:
        UnreadableInputError: It cannot be copied.
    """
    if not is_url(source):
        yield Path(source)
        return
    from esxprobe.fleet.remote import fetch

    with TemporaryDirectory(prefix="esxprobe-") as folder:
        yield fetch(source, Path(folder))
