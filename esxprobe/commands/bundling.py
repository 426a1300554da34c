"""`report --bundle`: what goes into the zip, and where it is looked through before it is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from esxprobe.commands.outputs import writing
from esxprobe.commands.streams import printable, say
from esxprobe.errors import OutputError, UsageError
from esxprobe.files.reading import content
from esxprobe.files.writing import workplace

if TYPE_CHECKING:
    from esxprobe.analyze import GuestOptions
    from esxprobe.bundle import Member
    from esxprobe.commands.redaction import PrivateMap

# A guest's log of a day has some megabytes [bytes].
_LARGEST_LOG = 256 << 20
# Where captures, and logs that were named by themselves, are in the zip.
_CAPTURES, _GUEST_LOGS, _VMWARE_LOGS, _EVENT_LOGS = "captures", "guest-logs", "vmware-logs", "logs"


class Bundle:
    """A zip on its way: `capture` and `text` gather, `write` writes.

    Args:
        target: The zip.
        with_capture: Raw captures and guests' logs go into it, not only manifests.
        private: What is raw is redacted with it; None when nothing is hidden.
    """

    def __init__(self, target: Path, *, with_capture: bool, private: PrivateMap | None) -> None:
        self.target, self._whole, self._private = target, with_capture, private
        self._raw: list[Member] = []
        self._texts: list[Member] = []
        self._folders: set[str] = set()
        self._event_logs: set[Path] = set()
        self._stack = ExitStack()
        self._work: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def capture(self, source: Path, guests: GuestOptions | None = None) -> None:
        """Gathers a capture: its manifest, or all of it and the logs that a person named beside it.

        Names are learned here: to be called before anything is redacted.

        Raises:
            UnreadableInputError: It cannot be read.
            OutputError: A redacted copy cannot be made, or a name is left in it.
        """
        if self._private is not None:
            self._redacted(source, self._private)
        else:
            self._plain(source)
        if guests is not None:
            self.logs(guests)

    def text(self, name: str, content: str) -> None:
        """Gathers a report or a document; they come first in the zip."""
        from esxprobe.bundle import Member

        self._texts.append(Member(name, content.encode("utf-8", errors="replace")))

    def file(self, name: str, path: Path) -> None:
        """Gathers a report that has been written."""
        from esxprobe.bundle import Member

        self._texts.append(Member(name, path))

    def keep(self, thing: AbstractContextManager[Path]) -> Path:
        """Something that has to be there until the zip is written."""
        return self._stack.enter_context(thing)

    def refuse(self, captures: Sequence[Path], others: Iterable[Path | None]) -> None:
        """The zip is none of the inputs, is in none of them and is not another output.

        Raises:
            UsageError: It is another output, or is in a capture.
            OutputError: It is an input.
        """
        from esxprobe.commands.outputs import refuse_to_overwrite

        for other in others:
            if other is not None and str(other) != "-" and other.resolve() == self.target.resolve():
                raise UsageError(
                    f"--bundle and another output point to the same file {self.target}",
                    hint="use a different file name for each",
                )
        for source in captures:
            if source.is_dir() and source.resolve() in self.target.resolve().parents:
                raise UsageError(
                    f"{self.target} would be inside the capture folder {source.name}",
                    hint="use another path with --bundle",
                )
        if self.target.exists():
            refuse_to_overwrite((path for path in captures if not path.is_dir()), self.target, None)

    def search(self) -> None:
        """Looks for names in the names of all files; what is in them has been looked through.

        Raises:
            OutputError: There is one.
        """
        if self._private is not None:
            from esxprobe.redact import Scan

            names = "\n".join(member.name for member in self._members())
            Scan(self._private.redactor).check(names, "the names of the files in the bundle")

    def write(self) -> None:
        """Writes the zip in one step, and reports when it is too large for many portals.

        Raises:
            OutputError: It cannot be written.
        """
        from esxprobe.bundle import ATTACHABLE, write_bundle

        with writing(self.target, "--bundle") as file:
            write_bundle(file, self._members())
        size = self.target.stat().st_size if self.target.is_file() else 0
        if size > ATTACHABLE:
            say(
                f"{printable(str(self.target))} has {size / 1e6:,.0f} MB: above {ATTACHABLE / 1e6:.0f} MB (rule of"
                " thumb) support asks for an upload, not an attachment",
                err=True,
            )

    def _members(self) -> list[Member]:
        return [*self._texts, *self._raw]

    def _folder(self, name: str) -> str:
        """A capture's folder in the zip; a number more where two have one name."""
        given, count = name, 1
        while given.casefold() in self._folders:
            count += 1
            given = f"{name}-{count}"
        self._folders.add(given.casefold())
        return f"{_CAPTURES}/{given}"

    def _plain(self, source: Path) -> None:
        from esxprobe.bundle import Member
        from esxprobe.capture import MANIFEST, load_capture

        files = load_capture(source)
        if not source.is_dir():
            if self._whole:
                self._raw.append(Member(f"{_CAPTURES}/{source.name}", source))
            return
        folder = self._folder(source.resolve().name)
        if files.manifest is not None:
            self._raw.append(Member(f"{folder}/{MANIFEST}", source / MANIFEST))
        for path in sorted(source.rglob("*")) if self._whole else ():
            name = path.relative_to(source).as_posix()
            if path.is_symlink() or not path.is_file():
                if path.is_symlink() or not path.is_dir():
                    _left_out(name, "not a regular file")
            elif path in files.paths or name.startswith(("guests/", "probes/", "logs/")):
                self._raw.append(Member(f"{folder}/{name}", path))
            elif name != MANIFEST:
                _left_out(name, "not part of a capture")

    def _redacted(self, source: Path, private: PrivateMap) -> None:
        """A redacted copy of the capture, or of its manifest alone."""
        from esxprobe.bundle import Member
        from esxprobe.capture import MANIFEST, load_manifest
        from esxprobe.redact import CaptureCopy, redacted_manifest

        shown = private.shown(source).name
        if not self._whole:
            if source.is_dir() and (source / MANIFEST).exists():
                content = redacted_manifest(load_manifest(source), private.redactor, self._scratch())
                self._raw.append(Member(f"{self._folder(shown)}/{MANIFEST}", content))
            return
        folder = self._folder(shown) if source.is_dir() else _CAPTURES
        place = self._scratch() / f"{len(self._raw)}"
        with CaptureCopy(source, place, private.redactor) as copy:
            result = copy.make()
            copy.publish()
        for name in sorted(result.files):
            self._raw.append(Member(f"{folder}/{name}", place / name))
        for name, reason in result.left_out:
            _left_out(private.redactor.file(name), reason)

    def logs(self, guests: GuestOptions) -> None:
        """Gathers logs that a person named, where raw data go into the zip at all.

        Raises:
            OutputError: One cannot be read, or a name is left in it.
        """
        from esxprobe.bundle import Member

        if not self._whole:
            return
        for _, path in guests.logs:
            content = self._log(path)
            if content is None:
                _left_out(self._name(path), "a kind of log that cannot be redacted")
            else:
                self._raw.append(Member(f"{_GUEST_LOGS}/{self._name(path)}", content))
        for path in guests.vmware_logs.values():
            if self._private is None:
                self._raw.append(Member(f"{_VMWARE_LOGS}/{path.name}", path))
            else:
                _left_out(self._name(path), "vmware.log cannot be redacted; its line of evidence is in the report")

        for path in guests.events.files:
            if path in self._event_logs:  # given for several captures
                continue
            self._event_logs.add(path)
            if self._private is None:
                self._raw.append(Member(f"{_EVENT_LOGS}/{path.name}", path))
            else:
                _left_out(self._name(path), "a log of a host cannot be redacted; its events are in the report")

    def _name(self, path: Path) -> str:
        return path.name if self._private is None else self._private.redactor.file(path.name)

    def _log(self, path: Path) -> bytes | Path | None:
        """A guest's log, redacted where it has to be."""
        if self._private is None:
            return path
        from esxprobe.redact import Scan, redacted_guest_log

        try:
            made = redacted_guest_log(content(path, _LARGEST_LOG), self._private.redactor)
        except OSError as error:
            raise OutputError(f"{path} cannot be read: {error.strerror}") from error
        if made is None:
            return None
        Scan(self._private.redactor).check(made[0].decode("utf-8", "replace"), "a guest's log")
        return made[0]

    def _scratch(self) -> Path:
        """A private folder beside the zip, where there is room for it; it is deleted with the bundle."""
        if self._work is None:
            try:
                self._work = self._stack.enter_context(workplace(self.target))
            except OSError as error:
                raise OutputError(
                    f"{self.target} cannot be written: {error.strerror}", hint="use another path with --bundle"
                ) from error
        return self._work


def _left_out(name: str, reason: str) -> None:
    say(f"not included in the bundle: {printable(name)}: {reason}", err=True)
