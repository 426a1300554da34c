"""A redacted copy of a raw capture: made beside its place, searched for names, then moved there whole."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from esxprobe.capture import MANIFEST, described, load_capture, save_manifest
from esxprobe.errors import OutputError, UnreadableInputError
from esxprobe.files.reading import content as content_of
from esxprobe.files.writing import settle, workplace
from esxprobe.formats.pack import PackedFile, packing_of
from esxprobe.formats.source import CUT_CODES, Source
from esxprobe.redact.copied_rows import CopiedRows, headers_of, redacted_text
from esxprobe.redact.guests import redacted_guest_log
from esxprobe.redact.header import redacted_header
from esxprobe.redact.learn import learn_capture
from esxprobe.redact.manifest import ManifestRedactor
from esxprobe.redact.name_search import Scan
from esxprobe.redact.probes import redacted_probe
from esxprobe.redact.redactor import Redactor

# Guest logs and probes are small; what is larger is not one of them [bytes].
_LARGEST_TEXT = 256 << 20


@dataclass(slots=True)
class Copy:
    """What became of a capture.

    Attributes:
        files: Names of the files in the copy.
        left_out: Names of files of the original that are not in it, with the reason: for the owner's eyes only.
        blanked: Lines and cells that could not be distinguished from names and were blanked.
        lost: Headers that were too damaged; a reader could not use the rows under them before either.
    """

    files: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    blanked: int = 0
    lost: int = 0


class CaptureCopy:
    """A redacted copy on its way: `make`, `publish` when the map is safe, `close` in any case.

    Args:
        capture: A lone CSV or a capture folder. It is only read.
        target: The folder of the copy; nothing may be there.
        redactor: Learns all names.

    Raises:
        OutputError: Something is at the target, or nothing can be written beside it.
    """

    def __init__(self, capture: Path, target: Path, redactor: Redactor) -> None:
        self._capture, self._target, self._redactor = capture, target, redactor
        self.result = Copy()
        if target.exists() or target.is_symlink():
            raise OutputError(f"{target} already exists", hint="name a new folder with -o")
        self._stack = ExitStack()
        try:
            self._partial = self._stack.enter_context(workplace(target)) / "copy"
            self._partial.mkdir(mode=0o700)
        except OSError as error:
            raise OutputError(f"{target} cannot be made: {error.strerror}") from error

    def make(self) -> Copy:
        """Writes the copy to a hidden place, and searches it for names.

        Raises:
            UnreadableInputError: The capture cannot be read, or a header of it is too damaged.
            OutputError: It cannot be written, or a name is left in it.
        """
        files = load_capture(self._capture)
        learn_capture(files.paths, files.manifest, self._redactor)
        try:
            if self._capture.is_dir():
                self._folder(files.paths)
            else:
                self._esxtop(files.paths[0], self._redactor.file(files.paths[0].name))
        except OSError as error:
            raise OutputError(f"{self._target} cannot be written: {error.strerror or error}") from error
        self.search()
        return self.result

    def publish(self) -> None:
        """Moves the copy to its place.

        Raises:
            OutputError: Something appeared there.
        """
        try:
            settle(self._partial, self._target)
        except OSError as error:
            raise OutputError(f"{self._target} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Removes what was not published."""
        self._stack.close()

    def __enter__(self) -> CaptureCopy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _folder(self, segments: tuple[Path, ...]) -> None:
        manifest = load_capture(self._capture).manifest
        names = ManifestRedactor(manifest, self._redactor) if manifest else None
        paths = sorted(self._capture.rglob("*"))
        for path in paths:  # names of one log may be in another: all are learned first
            name = path.relative_to(self._capture).as_posix()
            if name.startswith(("guests/", "probes/")) and _is_small(path):
                self._redacted(path, name)
        for path in paths:
            name = path.relative_to(self._capture).as_posix()
            if path.is_dir() and not path.is_symlink():
                continue
            shown = names.file(name) if names else self._redactor.file(name)
            if path.is_symlink() or not path.is_file():
                self.result.left_out.append((name, "not a regular file"))
            elif path in segments:
                self._esxtop(path, shown)
            elif name.startswith(("guests/", "probes/")):
                self._text(path, name, shown)
            elif name.startswith("logs/"):
                self.result.left_out.append((name, "a log of a host cannot be redacted"))
            elif name != MANIFEST:
                self.result.left_out.append((name, "not understood"))
        if names is not None:
            written = tuple(described(self._partial, name) for name in sorted(self.result.files))
            save_manifest(self._partial, names.redacted(written))
            self.result.files.append(MANIFEST)

    def _esxtop(self, path: Path, shown: str) -> None:
        passed, source = CopiedRows(), Source(path)
        packer = PackedFile(self._new(shown), packing_of(path))
        cut = True
        try:
            for block in redacted_text(source, lambda line: redacted_header(line, self._redactor), passed):
                packer.write(block)
            _, notes = source.finish()
            cut = any(note.code in CUT_CODES for note in notes)
        finally:
            source.close()
            packer.close(cut=cut)
        self.result.files.append(shown)
        self.result.blanked += passed.blanked
        self.result.lost += passed.lost

    def _text(self, path: Path, name: str, shown: str) -> None:
        if not _is_small(path):
            self.result.left_out.append((name, "too large for what it should be"))
            return
        made = self._redacted(path, name)
        if made is None:
            self.result.left_out.append((name, "a kind of file that is not understood"))
            return
        text, blanked = made
        self._new(shown).write_bytes(text)
        self.result.files.append(shown)
        self.result.blanked += blanked

    def _redacted(self, path: Path, name: str) -> tuple[bytes, int] | None:
        """A guest's log or an answer without names, and how much was blanked; None for an unknown kind."""
        content = content_of(path, _LARGEST_TEXT)
        if name.startswith("guests/"):
            return redacted_guest_log(content, self._redactor)
        return redacted_probe(path.stem, content, self._redactor)

    def _new(self, name: str) -> Path:
        path = self._partial / name
        path.parent.mkdir(exist_ok=True)
        return path

    def search(self) -> None:
        """Searches headers, logs, answers and the manifest; rows hold nothing but numbers.

        Raises:
            OutputError: A name is left in one.
        """
        scan = Scan(self._redactor)
        for name in self.result.files:
            path = self._partial / name
            if name.startswith(("esxtop-", "fetchstats-")) or not self._capture.is_dir():
                for line in _headers(path):
                    scan.check(line.decode("utf-8", "replace"), name)
            else:
                scan.check(path.read_bytes().decode("utf-8", "replace"), name)
        scan.check("\n".join(self.result.files), "the names of the files")


def _is_small(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size <= _LARGEST_TEXT


def _headers(path: Path) -> list[bytes]:
    source = Source(path)
    try:
        return headers_of(source)
    except UnreadableInputError:
        return []
    finally:
        source.close()
