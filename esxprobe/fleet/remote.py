"""Captures behind URLs, through fsspec: `s3://` and whatever else it has a package for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from esxprobe.capture import MANIFEST, is_csv
from esxprobe.errors import EsxprobeError, UnreadableInputError, UsageError
from esxprobe.fleet.urls import shown

_SEGMENT = re.compile(r"esxtop-.*\.csv(\.gz|\.zst)?|fetchstats-.*\.txt(\.gz)?")
_MESSAGE = 300


def captures_at(url: str) -> list[str]:
    """The captures at a URL: itself if it is a file or a capture folder, otherwise those one level below, by name.

    Raises:
        UsageError: fsspec, or its package for such URLs, is not installed.
        UnreadableInputError: It cannot be listed, or there is nothing.
    """
    with _translated(url):
        system, root = _opened(url)
        if system.isfile(root):
            return [url]
        inside = _listed(system, root)
        if _is_capture(inside):
            return [url]
        base = url.rstrip("/")
        found = []
        for name, entry in sorted(inside.items()):
            is_folder = entry["type"] == "directory"
            if _is_capture(_listed(system, entry["name"])) if is_folder else is_csv(name):
                found.append(f"{base}/{name}")
    if not found:
        raise UnreadableInputError(
            f"there is no esxtop capture at {shown(url)}",
            hint="give a CSV, a capture folder, or the folder that holds some",
        )
    return found


def fetch(url: str, folder: Path) -> Path:
    """Copies a capture into a folder; gives the path of the file or of the capture folder.

    Raises:
        UsageError: fsspec, or its package for such URLs, is not installed.
        UnreadableInputError: It cannot be read, or names a file outside of itself.
    """
    with _translated(url):
        system, root = _opened(url)
        target = folder / _safe(root.rstrip("/").rpartition("/")[2], url)
        if system.isfile(root):
            system.get_file(root, str(target))
            return target
        target.mkdir()
        for name in system.find(root):
            inside = name[len(root.rstrip("/")) + 1 :]
            place = target.joinpath(*(_safe(part, url) for part in inside.split("/")))
            place.parent.mkdir(parents=True, exist_ok=True)
            system.get_file(name, str(place))
        return target


def _opened(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UsageError(
            f"{shown(url)} needs the package fsspec", hint="pip install 'esxprobe[cluster]'"
        ) from error
    system, root = url_to_fs(url, use_listings_cache=False)
    return system, str(root)


def _listed(system: Any, root: str) -> dict[str, dict[str, Any]]:
    """What is in a folder, by name; hidden things and the folder's own marker are left out."""
    entries = {str(entry["name"]).rstrip("/").rpartition("/")[2]: entry for entry in system.ls(root, detail=True)}
    own = root.rstrip("/").rpartition("/")[2]
    return {
        name: entry
        for name, entry in entries.items()
        if not name.startswith(".") and not (name == own and str(entry["name"]).strip("/") == root.strip("/"))
    }


def _is_capture(inside: dict[str, dict[str, Any]]) -> bool:
    return MANIFEST in inside or any(_SEGMENT.fullmatch(name) for name in inside)


def _safe(part: str, url: str) -> str:
    """A name that stays in its folder: object stores take any."""
    if part in {"", ".", ".."} or "/" in part or "\\" in part or "\0" in part:
        raise UnreadableInputError(
            f"{shown(url)} contains a name that points elsewhere: {part!r}", hint="no capture has such a file"
        )
    return part


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Every library behind fsspec has errors of its own; what they quote may hold the URL's secrets."""
    try:
        yield
    except EsxprobeError:
        raise
    except ImportError as error:
        raise UsageError(
            f"{shown(url)} needs another package: {error}", hint="install it on this machine and on the workers"
        ) from error
    except Exception as error:
        words = str(error) or type(error).__name__
        for secret in _secrets(url):
            words = words.replace(secret, "***")
        if isinstance(error, FileNotFoundError):
            words = "nothing was found there"
        raise UnreadableInputError(
            f"{shown(url)} cannot be read: {words[:_MESSAGE]}",
            hint="check the name, and the credentials and endpoint of the machine that reads it",
        ) from None  # the cause would quote the secrets again


def _secrets(url: str) -> list[str]:
    place, _, query = url.partition("://")[2].partition("?")
    login, at, _ = place.partition("/")[0].rpartition("@")
    return [each for each in (query, *(login.split(":")[1:] if at else ())) if each]
