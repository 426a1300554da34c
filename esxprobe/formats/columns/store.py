"""The folder of a columnar copy: its manifest, its files, and their sums.

`columns.json` says what the copy is of and names every other file with its size and sha256; it carries a sum of
itself. What a reader takes in is compared with these sums first: a copy that changed is no evidence.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from esxprobe.catalog.quality import note
from esxprobe.errors import OutputError, UnreadableInputError
from esxprobe.files.reading import content as content_of
from esxprobe.files.reading import json_of, within
from esxprobe.model import QualityNote, SourceFile

FORMAT = "esxprobe.columns/1"
MANIFEST = "columns.json"
# A line for each of its files and notes [bytes].
_MOST_MANIFEST = 64 << 20
# How a columnar file is called in a capture folder, in place of `.csv`.
ENDING = ".columns"

# How the files of a copy are called.
_FILE = re.compile(rf"{re.escape(MANIFEST)}|order\.parquet|[^/]+/\d{{5}}\.(?:parquet|zst)")
_ANY_FORMAT = "esxprobe.columns/"
_AGAIN = "convert the original capture again"


@dataclass(frozen=True, slots=True)
class CopyManifest:
    """What a copy is of.

    Attributes:
        source: The file that was converted: name, sha256 and bytes.
        packing: How that was packed: plain, gzip or zstd.
        text: Its text as it was read, decompressed and as UTF-8: sha256 and bytes; the name is empty.
        verbatim: That text is the file's own, byte for byte, but for its packing.
        notes: What was met between the file and its text.
        rows: Samples in the tables.
        loose: Lines that are kept as text beside them, headers among these.
        headers: How many headers with columns of their own there are.
        slabs: How many parts the tables have.
        files: All other files.
        tool_version: Version of esxprobe that made it.
    """

    source: SourceFile
    packing: str
    text: SourceFile
    verbatim: bool
    notes: tuple[QualityNote, ...]
    rows: int
    loose: int
    headers: int
    slabs: int
    files: tuple[SourceFile, ...]
    tool_version: str


def is_copy(path: Path) -> bool:
    """Whether a path is the folder of a columnar copy; no for one that cannot be looked at."""
    try:
        return (path / MANIFEST).is_file()
    except OSError:
        return False


def is_file_of_copy(name: str) -> bool:
    """Whether a file in a copy's folder is called as its own are, damaged copies' included."""
    return _FILE.fullmatch(name) is not None


def _sum(fields: dict[str, Any]) -> str:
    text = json.dumps(fields, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class NewFiles:
    """Files of a copy on its way.

    Attributes:
        folder: Where they lie; it is there.
        files: Those that are written.
    """

    folder: Path
    files: list[SourceFile] = field(default_factory=list)

    def add(self, name: str, content: bytes | memoryview) -> None:
        """Writes a file.

        Raises:
            OutputError: That is not possible.
        """
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            # The folder is a hidden one, whose name says nothing.
            reason = f"{name} of the columnar copy cannot be written: {error.strerror}"
            raise OutputError(reason, hint="choose another place with -o") from error
        self.files.append(SourceFile(name, hashlib.sha256(content).hexdigest(), len(content)))

    def finish(self, manifest: CopyManifest) -> None:
        """Writes the manifest: last, for a folder without it is no copy."""
        fields = asdict(manifest)
        fields["notes"] = [[note.code, note.count, note.detail] for note in manifest.notes]
        text = json.dumps({"format": FORMAT, **fields, "sum": _sum(fields)}, indent=1, ensure_ascii=True) + "\n"
        self.add(MANIFEST, text.encode())


class OldFiles:
    """The files of a finished copy; nothing of one is given that is not as it was written.

    Attributes:
        folder: Where they lie.
        manifest: What it is of.
        taken: Bytes that were read so far.

    Args:
        folder: The copy.

    Raises:
        UnreadableInputError: It is no copy, of another version, or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _load(folder / MANIFEST)
        self.taken = 0
        self._files = {file.name: file for file in self.manifest.files}
        for name, file in self._files.items():
            path = folder / name
            try:
                size = path.stat().st_size
            except OSError as error:
                raise _broken(folder, f"{name} is missing or cannot be looked at") from error
            if size != file.bytes:
                raise _broken(folder, f"{name} has {size:,} bytes where {file.bytes:,} were written")

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def get(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            UnreadableInputError: It is not what was written.
        """
        file = self._files.get(name)
        if file is None:
            raise _broken(self.folder, f"{name} is not among its files")
        try:
            content = content_of(within(self.folder, self.folder / name), file.bytes)
        except OSError as error:
            raise _broken(self.folder, f"{name} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != file.sha256:
            raise _broken(self.folder, f"{name} is not as it was written")
        self.taken += len(content)
        return content

    def broken(self, what: str) -> UnreadableInputError:
        """The error for a copy whose parts do not fit together."""
        return _broken(self.folder, what)


def _broken(folder: Path, what: str) -> UnreadableInputError:
    return UnreadableInputError(f"the columnar copy {folder} is damaged: {what}", hint=_AGAIN)


def _load(path: Path) -> CopyManifest:
    try:
        raw = json_of(path, _MOST_MANIFEST)
    except (OSError, ValueError, RecursionError) as error:
        raise _broken(path.parent, f"{MANIFEST} cannot be read ({error})") from error
    said = raw.get("format") if isinstance(raw, dict) else None
    if said != FORMAT:
        if isinstance(said, str) and said.startswith(_ANY_FORMAT):
            raise UnreadableInputError(
                f"{path.parent} is a columnar copy of format {said[:60]}, and this esxprobe reads {FORMAT}",
                hint=f"take the version of esxprobe that made it, or {_AGAIN}",
            )
        raise UnreadableInputError(
            f"{path} is no manifest of a columnar copy", hint="`esxprobe convert CAPTURE -o DIR` makes one"
        )
    fields = {key: value for key, value in raw.items() if key not in {"format", "sum"}}
    if raw.get("sum") != _sum(fields):
        raise _broken(path.parent, f"{MANIFEST} is not as it was written")
    try:
        return _manifest(fields)
    except (KeyError, TypeError, ValueError) as error:
        raise _broken(path.parent, f"{MANIFEST} lacks something ({error!r})") from error


def _manifest(fields: dict[str, Any]) -> CopyManifest:
    def file(raw: dict[str, Any]) -> SourceFile:
        return SourceFile(str(raw["name"]), str(raw["sha256"]), int(raw["bytes"]))

    made = CopyManifest(
        source=file(fields["source"]),
        packing=str(fields["packing"]),
        text=file(fields["text"]),
        verbatim=bool(fields["verbatim"]),
        notes=tuple(note(str(code), int(count), str(detail)) for code, count, detail in fields["notes"]),
        rows=int(fields["rows"]),
        loose=int(fields["loose"]),
        headers=int(fields["headers"]),
        slabs=int(fields["slabs"]),
        files=tuple(file(each) for each in fields["files"]),
        tool_version=str(fields["tool_version"]),
    )
    for each in made.files:
        if Path(each.name).is_absolute() or ".." in Path(each.name).parts:
            raise ValueError(each.name)
    # --back writes a file of this name: a copy that somebody sends must not choose another folder for it.
    if made.source.name in {"", ".."} or Path(made.source.name).name != made.source.name:
        raise ValueError(made.source.name)
    return made
