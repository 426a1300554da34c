"""A capture on disk: a folder with a manifest and raw files, or a lone CSV captured in any way.

Layout: `capture.json` (the manifest), `esxtop-000.csv.gz` and so on (raw bytes exactly as the host
sent them, one per segment) or `fetchstats-000.txt.gz` (texts of vSphere's API), `guests/`, `probes/`.
Analysis never writes into it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from esxprobe.errors import OutputError, UnreadableInputError
from esxprobe.files.json_records import plain_of, record_of
from esxprobe.files.reading import json_of, opened, within
from esxprobe.files.writing import PREFIX, write
from esxprobe.model import SourceFile
from esxprobe.model.manifest import Manifest

MANIFEST = "capture.json"
SCHEMA = "esxprobe.capture/1"
# A manifest in which one of these is damaged is refused; anything else of it may be missing.
_STRICT = ("commands", "interval_s", "samples", "files")
# That of a day in segments of a minute, of a host with hundreds of VMs, has less than 4 MB [bytes].
_MOST_MANIFEST = 8 << 20
_PATTERNS = ("esxtop-*.csv", "esxtop-*.csv.gz", "esxtop-*.csv.zst", "fetchstats-*.txt", "fetchstats-*.txt.gz")


@dataclass(frozen=True, slots=True)
class CaptureFiles:
    """Where a capture's esxtop files lie, in order, and its manifest where it has one."""

    paths: tuple[Path, ...]
    manifest: Manifest | None = None

    def evidence(self, source: Path) -> Iterator[Path]:
        """Every file of the capture at a path, those its manifest names too: none of them is written to."""
        yield from self.paths
        yield source / MANIFEST
        for file in self.manifest.files if self.manifest else ():
            yield source / file.name


def load_capture(path: Path) -> CaptureFiles:
    """The files of a capture folder, or of a lone CSV.

    Raises:
        UnreadableInputError: There is nothing there, or the manifest is damaged.
    """
    if not _is_readable_folder(path):
        return CaptureFiles((path,))
    manifest = load_manifest(path) if (path / MANIFEST).exists() else None
    found = sorted(within(path, file) for pattern in _PATTERNS for file in path.glob(pattern))
    segments = [file.name.partition(".")[0] for file in found]
    twice = sorted({name for name in segments if segments.count(name) > 1})
    if twice:
        raise UnreadableInputError(
            f"{path} contains {twice[0]} more than once, compressed and uncompressed",
            hint="move one of the two away",
        )
    if found:
        return CaptureFiles(tuple(found), manifest)
    lone = sorted(path.glob("*.csv*"))
    hint = "give the CSV that esxtop -b wrote, or a capture folder (it holds esxtop-000.csv.gz)"
    if lone:
        hint = f"did you mean {lone[0]}?"
    raise UnreadableInputError(f"{path} is a directory without an esxtop capture in it", hint=hint)


def _is_readable_folder(path: Path) -> bool:
    """Whether a path is a folder; one that must not be listed or entered seems to be empty otherwise.

    Raises:
        UnreadableInputError: It cannot be looked at.
    """
    try:
        if not path.is_dir():
            return False
        next(path.iterdir(), None)
        (path / MANIFEST).exists()
    except OSError as error:
        raise UnreadableInputError(
            f"{path} cannot be read: {error.strerror}", hint="check its name, and whether you may read it"
        ) from error
    return True


def newest_capture(captures: Path) -> Path:
    """The newest capture folder below `captures`, by the stamp that ends its name.

    Raises:
        UnreadableInputError: There is none.
    """
    folders = [folder for folder in captures.glob("*") if is_capture_folder(folder)]
    if not folders:
        raise UnreadableInputError(
            f"no capture was found under {captures}/", hint="give a capture: esxprobe report host01.csv"
        )
    return max(folders, key=lambda folder: (folder.name.rpartition("-")[2], folder.stat().st_mtime, folder.name))


def captures_below(folder: Path) -> list[Path]:
    """Capture folders and lone CSVs that are in a folder, by name; nothing deeper, nothing hidden.

    A folder in it that may not be entered is one of them: reading it gives an error, and the others are read.

    Raises:
        UnreadableInputError: The folder cannot be read.
    """
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        return [path for path in inside if (_may_be_capture(path) if path.is_dir() else is_csv(path.name))]
    except OSError as error:
        raise UnreadableInputError(
            f"{folder} cannot be read: {error.strerror}", hint="check whether you may read it"
        ) from error


# A file in a folder of captures that is called so may hold one, and is not read.
_PACKED = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".zst", ".xz", ".bz2", ".tsv", ".xls", ".xlsx")


def passed_over(folder: Path) -> list[str]:
    """Names of files in a folder that may hold a capture, but are not called as one; none of a closed folder."""
    try:
        inside = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError:
        return []
    return [name for name in inside if name.lower().endswith(_PACKED) and not (is_csv(name) or name[0] == ".")]


def is_csv(name: str) -> bool:
    """Whether a file is called as a capture is, plain or packed."""
    return name.lower().endswith((".csv", ".csv.gz", ".csv.zst"))


def is_capture_folder(path: Path) -> bool:
    """Whether a path is a capture folder; no for one that cannot be looked at."""
    try:
        return path.is_dir() and _is_capture(path)
    except OSError:
        return False


def _may_be_capture(folder: Path) -> bool:
    try:
        return _is_capture(folder)
    except OSError:
        return True


def _is_capture(folder: Path) -> bool:
    return (folder / MANIFEST).exists() or any(next(folder.glob(p), None) for p in _PATTERNS)


def load_manifest(folder: Path) -> Manifest:
    """The manifest of a capture folder.

    Raises:
        UnreadableInputError: It is not a JSON object, or of a schema that this version does not know.
    """
    path = folder / MANIFEST
    try:
        raw = json_of(within(folder, path), _MOST_MANIFEST)
    except (OSError, ValueError, RecursionError) as error:
        raise UnreadableInputError(
            f"{path} cannot be read: {error}", hint="move it away to read the esxtop files without it"
        ) from error
    if not isinstance(raw, dict) or raw.get("schema") != SCHEMA:
        raise UnreadableInputError(
            f"{path} is not an esxprobe manifest of schema {SCHEMA}",
            hint="it was written by another version of esxprobe or by another program",
        )
    try:
        return manifest_of(raw)
    except ValueError as error:
        raise UnreadableInputError(f"{path} is damaged: {error}") from error


def manifest_of(raw: Mapping[str, Any]) -> Manifest:
    """The manifest that a JSON object is; keys that this version does not know are kept.

    Raises:
        ValueError: Commands, interval, samples or files have a value that is not valid.
    """
    manifest = record_of(Manifest, {key: value for key, value in raw.items() if key != "schema"})
    damaged = [key for key in _STRICT if manifest.more.get(key) is not None]
    if damaged:
        raise ValueError(f"no valid value for {', '.join(damaged)}")
    return manifest


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes the manifest of a capture folder in one step: a reader sees the old one or the new one.

    Raises:
        OutputError: The folder cannot be written.
    """
    text = json.dumps({"schema": SCHEMA, **plain_of(manifest)}, indent=2, ensure_ascii=False) + "\n"
    try:
        write(folder / MANIFEST, text.encode("utf-8", "backslashreplace"))  # a lone surrogate: as \udcxx
    except OSError as error:
        raise OutputError(f"{folder / MANIFEST} cannot be written: {error.strerror}") from error


def all_described(folder: Path) -> tuple[SourceFile, ...]:
    """Size and sha256 of every file of a capture folder but its manifest, in order of their names.

    Raises:
        OutputError: One of them cannot be read back.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.name))
    try:
        return tuple(described(folder, path.relative_to(folder).as_posix()) for path in paths)
    except OSError as error:
        raise OutputError(f"{folder} cannot be read back: {error.strerror}") from error


def _is_hidden(name: str) -> bool:
    """The manifest cannot hold its own sum, and what a crash left of one is not a part of the capture."""
    return name == MANIFEST or name.startswith(PREFIX)


def described(folder: Path, name: str) -> SourceFile:
    """Size and sha256 of one file of a capture folder."""
    path = folder / name
    with opened(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SourceFile(name, digest, path.stat().st_size)
