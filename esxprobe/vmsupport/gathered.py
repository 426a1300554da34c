"""What is taken out of a bundle in one pass: outputs of commands in memory, logs and captures as files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from esxprobe.errors import OutputError, UnreadableInputError, UsageError
from esxprobe.files.reading import opened
from esxprobe.formats.pack import packing_of_head
from esxprobe.formats.source import Inflate
from esxprobe.vmsupport.archive import members
from esxprobe.vmsupport.command_outputs import is_read
from esxprobe.vmsupport.contents import Content, content_of, is_mark, is_of_vcenter, root_of, top_of
from esxprobe.vmsupport.member import ArchivedFile, Limits, Met, Readable, ReadAgain

_BLOCK = 1 << 20
_HEAD = 1 << 16
# Encodings that a vmx names and that take no longer than their bytes.
_ENCODING = re.compile(
    rb'^\.encoding\s*=\s*"(utf-8|windows-\d{3,4}|iso-8859-\d{1,2}|gbk|gb18030|big5|shift_jis|euc-jp|euc-kr)"',
    re.MULTILINE | re.IGNORECASE,
)
_UNSAFE = re.compile(r"[^\w .@()+-]")
_MOST_NAME = 120
_MOST_TEXT = 1 << 20
_NO_BUNDLE = "a bundle holds commands/, etc/vmware/esx.conf and var/run/log/, below esx-HOST-DATE--TIME-N/"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was taken out.

    Attributes:
        name: Its label in the bundle.
        path: Where it lies now.
        folder: Of a VM's log: `volume/folder` of the VM.
    """

    name: str
    path: Path
    folder: str = ""


@dataclass(slots=True)
class Gathered:
    """What was taken out of a bundle.

    Attributes:
        host: Host in the names of the top folder or the archive.
        made: Time there, aware UTC.
        readme: The first 1 MB of README.
        outputs: What commands printed, by file and fragment.
        vmx: Settings of VMs as text, by `volume/folder`.
        logs: Logs of the host.
        vm_logs: Logs of VMs.
        captures: CSVs of esxtop.
        twice: Entries whose name was there before.
        large: Labels of files of which not all was taken, the first few.
        left: How many files were left where they are, for a limit.
        met: What was met in the archive.
    """

    host: str = ""
    made: datetime | None = None
    readme: str = ""
    outputs: dict[tuple[str, int], bytes] = field(default_factory=dict)
    vmx: dict[str, str] = field(default_factory=dict)
    logs: list[Kept] = field(default_factory=list)
    vm_logs: list[Kept] = field(default_factory=list)
    captures: list[Kept] = field(default_factory=list)
    twice: int = 0
    large: list[str] = field(default_factory=list)
    left: int = 0
    met: Met = field(default_factory=Met)

    def texts(self) -> dict[str, str]:
        """What commands printed, by file, fragments joined in the order of their numbers."""
        whole: dict[str, bytearray] = {}
        for (file, part), data in sorted(self.outputs.items()):
            if part < 0 or (file, -1) not in self.outputs:  # who joins fragments may leave them where they are
                whole.setdefault(file, bytearray()).extend(data)
        return {file: _plain(bytes(data)) for file, data in whole.items()}


class SeveralHostsError(UsageError):
    """An archive holds the bundles of several hosts."""


def gather(path: Path, folder: Path, limits: Limits, is_wanted: Callable[[str], bool] | None = None) -> Gathered:
    """Reads a bundle once.

    Args:
        path: The archive, or the folder that it was unpacked into.
        folder: A folder for temporary files that does not exist, or an empty one; it is the caller's to remove.
        limits: What is read at most.
        is_wanted: Of the bundles of several hosts, whether that of a host is read, by the name in the name of its
            folder or archive; without it there must be one.

    Raises:
        UnreadableInputError: It is not a vm-support bundle of an ESXi host.
        SeveralHostsError: It holds the bundles of several hosts.
        OutputError: The disk for temporary files is full.
    """
    return _Gatherer(path, folder, limits, is_wanted).gathered()


class _Gatherer:
    def __init__(self, path: Path, folder: Path, limits: Limits, is_wanted: Callable[[str], bool] | None) -> None:
        self._path, self._folder, self._limits, self._is_wanted = path, folder, limits, is_wanted
        self._made = Gathered()
        self._seen: set[str] = set()
        self._marked: dict[tuple[str, str], None] = {}  # trees of hosts, by the archive inside and what is above
        self._cut: dict[tuple[str, str], tuple[Path, int]] = {}  # logs in fragments: the last one
        self._files, self._bytes, self._text, self._answers = 0, 0, 0, 0

    def gathered(self) -> Gathered:
        made, is_vcenter = self._made, False
        made.host, made.made = top_of(self._path.name)
        for member in members(self._path, self._limits, made.met):
            if is_of_vcenter(member.name) or is_of_vcenter(member.inside):
                is_vcenter = True
                continue
            tree = (member.inside, root_of(member.name))
            if not self._is_to_read(tree):
                continue
            if tree not in self._marked and is_mark(member.name):
                self._mark(tree)
            if (content := content_of(member.name)) is not None:
                try:
                    self._take(member, content)
                except OSError as error:
                    raise OutputError(
                        f"files of the bundle do not fit into {self._folder.parent}: {error.strerror}",
                        hint="set TMPDIR to a folder on a disk with more free space",
                    ) from error
        if not self._marked and not made.captures:
            raise self._none(is_vcenter=is_vcenter)
        return made

    def _is_to_read(self, tree: tuple[str, str]) -> bool:
        """Whether a tree can be that of the host asked for; one whose name tells no host can."""
        host = _named(tree)[0] if self._is_wanted else ""
        return not host or self._is_wanted is None or self._is_wanted(host)

    def _mark(self, tree: tuple[str, str]) -> None:
        self._marked.setdefault(tree)
        if len(self._marked) > 1:
            names = ", ".join(sorted(inside or root.strip("/") or "." for inside, root in self._marked))
            raise SeveralHostsError(
                f"{self._path} holds the bundles of several hosts: {names}",
                hint="unpack it, and give the bundle of one host",
            )
        host, when = _named(tree)
        self._made.host, self._made.made = host or self._made.host, when or self._made.made

    def _none(self, *, is_vcenter: bool) -> UnreadableInputError:
        met = self._made.met
        if is_vcenter:
            hint = "export the logs of an ESXi host: its bundle is esx-HOST-DATE--TIME-N.tgz"
            return UnreadableInputError(f"{self._path} is a support bundle of vCenter, not of a host", hint=hint)
        why = met.stopped or met.cut
        found = f"{met.members:,} entries" + (f"; {why}" if why else "")
        return UnreadableInputError(
            f"{self._path} is an archive, but not a vm-support bundle ({found})", hint=_NO_BUNDLE
        )

    def _take(self, member: ArchivedFile, content: Content) -> None:
        made = self._made
        if member.name in self._seen:
            made.twice += 1
        elif len(self._seen) < self._limits.kept_files:
            self._seen.add(member.name)
        match content.kind:
            case "readme":
                made.readme = made.readme or _text(member.stream)
            case "answer":
                self._answer(member, content)
            case "vmx":
                if len(made.vmx) < self._limits.kept_files:
                    made.vmx[content.folder] = _settings(member.stream)
            case "log":
                self._keep(member, content, made.logs, self._limits.log)
            case "vm-log":
                self._keep(member, content, made.vm_logs, self._limits.vm_log)
            case "capture":
                self._capture(member, content)

    def _answer(self, member: ArchivedFile, content: Content) -> None:
        if not is_read(content.file, content.part):
            return
        room = self._limits.answers - self._answers
        data = b"".join(_blocks(member.stream, room))
        if len(data) >= room:
            self._say_large(member.name)
            return
        self._answers += len(data)
        self._made.outputs[content.file, content.part] = data

    def _capture(self, member: ArchivedFile, content: Content) -> None:
        first = _exactly(member.stream, _HEAD)
        if b"(PDH-CSV" in _unpacked(first) or b"P\0D\0H\0-\0C\0S\0V" in first:
            joined = ArchivedFile(member.name, ReadAgain(first, member.stream), member.inside)
            self._keep(joined, content, self._made.captures, self._limits.capture)

    def _keep(self, member: ArchivedFile, content: Content, to: list[Kept], most: int) -> None:
        """Copies a file out, as far as limits allow; of a packed one its text is measured."""
        limits = self._limits
        is_log = content.kind != "capture"
        most = min(most, limits.text - self._text) if is_log else most
        room = min(limits.kept - self._bytes, most)
        whole = (member.inside, member.name.rpartition(".FRAG-")[0])
        before, part = self._cut.get(whole, (None, 0))
        if before is not None and content.part == part + 1 and room > 0:
            self._cut[whole] = (before, content.part)
            self._append(member, before, most, room)
            return
        if self._files >= limits.kept_files or room <= 0:
            self._made.left += 1
            return
        self._files += 1
        place = self._folder / content.kind / f"{self._files:05}"
        if content.folder:  # files in a VM's folder may be named after it
            place /= _safe(content.folder.rpartition("/")[2])
        place.mkdir(parents=True)
        path = place / _safe(content.file)
        size = 0
        with path.open("wb") as file:
            for block in _blocks(member.stream, room):
                size += file.write(block)
        text = _text_length(path, most)
        if text > most or size >= room:
            self._say_large(member.name)
        if text > most:  # a few bytes that unpack to more than such a file has
            path.unlink()
            self._text += most if is_log else 0
            return
        self._bytes += size
        self._text += text if is_log else 0
        to.append(Kept(member.name, path, content.folder))
        if content.part == 0:
            self._cut[whole] = (path, 0)

    def _append(self, member: ArchivedFile, path: Path, most: int, room: int) -> None:
        """Puts the next fragment of a log behind those before it."""
        with path.open("ab") as file:
            size = sum(map(file.write, _blocks(member.stream, room)))
        self._bytes += size
        self._text += size
        if size >= room or _text_length(path, most) > most:
            self._say_large(member.name)
            path.write_bytes(b"")

    def _say_large(self, name: str) -> None:
        if len(self._made.large) < 20:
            self._made.large.append(name)


def _named(tree: tuple[str, str]) -> tuple[str, datetime | None]:
    """Host and time that the names of a tree tell: of its folder, or of the archive inside that holds it."""
    inside, root = tree
    return next((found for name in (root, inside) if (found := top_of(name))[0]), ("", None))


def _blocks(stream: Readable, most: int) -> Iterator[bytes]:
    """The bytes of a stream, up to so many."""
    while most > 0 and (block := stream.read(min(_BLOCK, most))):
        most -= len(block)
        yield block


def _exactly(stream: Readable, size: int) -> bytes:
    return b"".join(_blocks(stream, size))


def _text(stream: Readable) -> str:
    return _plain(_exactly(stream, _MOST_TEXT))


def _plain(data: bytes) -> str:
    """Bytes as text, without a mark in front and with the ends of lines that ESXi writes."""
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")


def _settings(stream: Readable) -> str:
    """A vmx file as text, in the encoding that it names."""
    data = _exactly(stream, _MOST_TEXT)
    named = _ENCODING.search(data)
    try:
        return data.decode(named[1].decode() if named else "utf-8").replace("\r\n", "\n")
    except (LookupError, UnicodeError, ValueError):
        return _plain(data)


def _unpacked(head: bytes) -> bytes:
    """The first bytes of a file, unpacked where they are packed."""
    packing = packing_of_head(head)
    return head if packing == "plain" else bytes(Inflate(io.BytesIO(head), packing).read(_HEAD))


def _text_length(path: Path, most: int) -> int:
    """How much text a file has [bytes]; of a packed one it is not counted far beyond `most`."""
    with opened(path) as file:
        packing = packing_of_head(file.peek(4))
        if packing == "plain":
            return path.stat().st_size
        packed, length = Inflate(file, packing), 0
        while length <= most and (block := packed.read(_BLOCK)):
            length += len(block)
        return length


def _safe(name: str) -> str:
    """A name of a file from a label: one part, no dots in front, not too long."""
    bare = _UNSAFE.sub("_", name).lstrip(".")
    if len(bare) > _MOST_NAME:
        bare = bare[: _MOST_NAME // 2] + bare[-_MOST_NAME // 2 :]
    return bare or "_"
