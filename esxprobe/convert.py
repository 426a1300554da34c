"""The use case: a capture into a columnar copy of it, and a copy into a capture again.

A lone CSV becomes one folder. Of a capture folder the esxtop files become such folders, under the same names, and
everything else (manifest, guests' logs, answers of probes) is copied byte for byte: the copy is a capture folder.
Both are made beside their place under another name, and moved there when they are whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import esxprobe
from esxprobe.capture import load_capture
from esxprobe.errors import OutputError, UsageError
from esxprobe.files.writing import settle, workplace
from esxprobe.formats.columns.back import text_of
from esxprobe.formats.columns.record import Recorder, Tee
from esxprobe.formats.columns.replay import CopySource
from esxprobe.formats.columns.store import ENDING, CopyManifest, NewFiles, is_copy, is_file_of_copy
from esxprobe.formats.pack import Packer, Packing, packing_of
from esxprobe.formats.source import CUT_CODES
from esxprobe.model import SourceFile

# What changes bytes between a file and the text that is copied, beside its packing.
_NOT_VERBATIM = {"utf-16", "byte-order-mark", "cr-line-ends"}


@dataclass(frozen=True, slots=True)
class Converted:
    """What was made.

    Attributes:
        rows: Samples in tables.
        loose: Lines that are kept as text: headers, and what could not be taken apart.
        before: Size of what was read [bytes].
        after: Size of what was written [bytes].
        inexact: Files whose text is whole, but whose own bytes were others (UTF-16 and the like): names.
    """

    rows: int
    loose: int
    before: int
    after: int
    inexact: tuple[str, ...]


def convert(
    capture: Path, target: Path, *, force: bool = False, progress: Callable[[int], None] | None = None
) -> Converted:
    """Writes a columnar copy of a capture.

    Args:
        capture: A CSV, plain, gzip or zstandard, or a capture folder. It is only read.
        target: The copy's folder.
        force: A columnar copy may be there, and goes when the new one is whole.
        progress: Told the bytes read so far, all files together.

    Raises:
        UnreadableInputError: It is no esxtop capture.
        UsageError: It is a columnar copy already.
        OutputError: The copy cannot be written, or something is there.
    """
    paths = load_capture(capture).paths
    if any(is_copy(path) for path in paths):
        raise UsageError(
            f"{capture} is a columnar copy already", hint="--back makes the capture's text of it again"
        )
    made: list[CopyManifest] = []
    with _new_folder(capture, target, force=force) as folder:
        if capture.is_dir():
            _copy_others(capture, folder, set(paths))
        done = 0
        for path in paths:
            own = folder / (path.name.partition(".")[0] + ENDING) if capture.is_dir() else folder
            made.append(_converted(path, own, progress and partial(_advance, progress, done)))
            done += path.stat().st_size
        after = _size(folder)
    return Converted(
        rows=sum(each.rows for each in made),
        loose=sum(each.loose for each in made),
        before=sum(each.source.bytes for each in made),
        after=after,
        inexact=tuple(each.source.name for each in made if not each.verbatim),
    )


def convert_back(copy: Path, target: Path) -> Converted:
    """Writes the text of a columnar copy as a capture again.

    Args:
        copy: A columnar copy, of a CSV or of a capture folder.
        target: A CSV, packed as its name says (`.gz`, `.zst`); or a capture folder, whose files are packed as they
            were. Nothing may be there.

    Raises:
        UnreadableInputError: The copy is damaged.
        UsageError: It is none.
        OutputError: It cannot be written, or something is there.
    """
    paths = load_capture(copy).paths
    if not all(is_copy(path) for path in paths):
        raise UsageError(f"{copy} is no columnar copy", hint="`esxprobe convert CAPTURE -o DIR` makes one")
    made = []
    with ExitStack() as stack:
        if is_copy(copy):
            partial_path = stack.enter_context(_new_file(copy, target))
            made.append(_back(copy, partial_path, _packing_by_name(target)))
            after = _size(partial_path)
        else:
            folder = stack.enter_context(_new_folder(copy, target, force=False))
            _copy_others(copy, folder, set(paths))
            for path in paths:
                manifest = CopySource(path).files.manifest
                made.append(_back(path, folder / manifest.source.name, _packing_named(manifest.packing)))
            after = _size(folder)
    return Converted(
        rows=sum(each.rows for each in made),
        loose=sum(each.loose for each in made),
        before=_size(copy),
        after=after,
        inexact=tuple(each.source.name for each in made if not each.verbatim),
    )


def _advance(progress: Callable[[int], None], before: int, position: int) -> None:
    progress(before + position)


def _converted(path: Path, folder: Path, progress: Callable[[int], None] | None) -> CopyManifest:
    source = Tee(path)
    files = NewFiles(folder)
    try:
        recorder = Recorder(source, files)
        recorder.record(progress)
        record, notes = source.finish()
    finally:
        source.close()
    manifest = CopyManifest(
        source=record,
        packing=packing_of(path),
        text=SourceFile("", source.sha256, source.length),
        verbatim=not any(note.code in _NOT_VERBATIM | CUT_CODES for note in notes),
        notes=tuple(notes),
        rows=recorder.kept,
        loose=recorder.order.loose,
        headers=recorder.headers,
        slabs=recorder.slabs,
        files=tuple(files.files),
        tool_version=esxprobe.__version__,
    )
    files.finish(manifest)
    return manifest


def _back(copy: Path, target: Path, packing: Packing) -> CopyManifest:
    source = CopySource(copy)
    cut = any(note.code in CUT_CODES for note in source.files.manifest.notes)
    try:
        packer = Packer(target, packing)
        try:
            for piece in text_of(source):
                packer.write(piece)
        finally:
            packer.close(cut=cut)
    except OSError as error:
        reason = f"{target.name} cannot be written: {error.strerror or error}"
        raise OutputError(reason, hint="choose another place with -o") from error
    return source.files.manifest


def _packing_by_name(target: Path) -> Packing:
    if target.suffix.lower() == ".gz":
        return "gzip"
    return "zstd" if target.suffix.lower() == ".zst" else "plain"


def _packing_named(name: str) -> Packing:
    if name == "gzip":
        return "gzip"
    return "zstd" if name == "zstd" else "plain"


def _copy_others(capture: Path, folder: Path, but: set[Path]) -> None:
    """Copies what is in a capture folder beside its esxtop files, byte for byte; links are left alone."""
    try:
        for path in sorted(capture.rglob("*")):
            inside = but & {path, *path.parents}
            if inside or path.is_symlink() or not path.is_file():
                continue
            copied = folder / path.relative_to(capture)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copied)
    except OSError as error:
        raise OutputError(f"{capture} cannot be copied: {error.strerror or error}") from error


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


@contextmanager
def _new_folder(source: Path, target: Path, *, force: bool) -> Iterator[Path]:
    """A hidden folder that becomes the target when all went well, and goes when it did not."""
    _refuse_inside(source, target)
    old = _is_there(target)
    if old and not force:
        raise OutputError(f"{target} is there already", hint="name another folder with -o, or say --force")
    if old and (what := _not_ours(source, target)):
        raise OutputError(f"{target} is there, and {what}: it is not removed", hint="name another folder with -o")
    with _beside(target) as hidden:
        folder, before = hidden / "new", hidden / "old"
        folder.mkdir()
        yield folder
        try:
            if old:
                target.rename(before)
            settle(folder, target)
        except BaseException as error:
            if before.exists() and not target.exists():
                before.rename(target)  # whatever comes between the two: what was there does not go with the rest
            if isinstance(error, OSError):
                raise OutputError(f"{target} cannot be written: {error.strerror}") from error
            raise


@contextmanager
def _new_file(source: Path, target: Path) -> Iterator[Path]:
    _refuse_inside(source, target)
    if _is_there(target):
        raise OutputError(f"{target} is there already", hint="name another file with -o")
    with _beside(target) as hidden:
        yield hidden / target.name
        try:
            settle(hidden / target.name, target)
        except OSError as error:
            raise OutputError(f"{target} cannot be written: {error.strerror}") from error


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A hidden folder beside the target, on the same file system, which goes whatever happens."""
    with ExitStack() as stack:
        try:
            hidden = stack.enter_context(workplace(target))
        except OSError as error:
            raise OutputError(f"{target} cannot be made: {error.strerror}") from error
        yield hidden


def _refuse_inside(source: Path, target: Path) -> None:
    here, there = source.resolve(), target.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise OutputError(
            f"{target} and the capture {source} lie in each other", hint="choose another place with -o"
        )


def _is_there(target: Path) -> bool:
    try:
        return target.is_symlink() or target.exists()
    except OSError as error:
        raise OutputError(
            f"{target} cannot be made: {error.strerror}", hint="choose another name with -o"
        ) from error


def _not_ours(capture: Path, target: Path) -> str:
    """Why what is there must not go; nothing where it is a copy, with what will be copied again beside it."""
    copies = [target] if is_copy(target) else [path for path in target.glob(f"esxtop-*{ENDING}") if is_copy(path)]
    if target.is_symlink() or not copies:
        return "no columnar copy"
    for path in sorted(target.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name = path.relative_to(target).as_posix()
        own = next((path.relative_to(copy).as_posix() for copy in copies if copy in path.parents), None)
        again = capture.is_dir() and (capture / name).is_file()
        if path.is_symlink() or not (again if own is None else is_file_of_copy(own)):
            return f"{name} in it is no part of a columnar copy"
    return ""
