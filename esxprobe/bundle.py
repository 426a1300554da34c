"""One zip of files that go to a support case together: the same input gives the same bytes.

What makes two zips of the same files differ is left out: stamps, owners, the order of a folder. The bytes of
packed members are zlib's, so another release of zlib may give others; what is in the members is the same, and
`SHA256SUMS` shows it: `sha256sum -c SHA256SUMS`.
"""

from __future__ import annotations

import hashlib
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from esxprobe.files.reading import opened
from esxprobe.formats.archives import ZIP
from esxprobe.formats.pack import GZIP, ZSTD

SUMS = "SHA256SUMS"
# Rule of thumb: a script of support has been seen to tell people to upload, not attach, what is larger [bytes].
ATTACHABLE = 20_000_000
# The earliest moment that a zip can write.
_STAMP = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16
_UNIX = 3
_BLOCK = 1 << 20
# How what is packed already begins: gzip, zstandard, zip.
_PACKED = (GZIP, ZSTD, ZIP)
# No file of Windows can have these in its name, and a backslash is a folder there.
_FORBIDDEN = frozenset('\\:*?"<>|')


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a bundle.

    Attributes:
        name: Where it is in the bundle, with `/` between folders.
        content: Its bytes, or the file that has them.
    """

    name: str
    content: bytes | Path


def write_bundle(file: BinaryIO, members: Iterable[Member]) -> list[str]:
    """Writes members in their order and, at last, their checksums. None of them is held in memory.

    Args:
        file: Open for writing at its start.
        members: Names may repeat or be such that some system cannot write them: they are changed then.

    Returns:
        Names of all files in the bundle, as they are there.

    Raises:
        OSError: One of them cannot be read, or the bundle cannot be written.
    """
    names: dict[str, str] = {}  # by what file systems that do not tell A from a would call it
    sums = []
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for member in members:
            name = _unique(_portable(member.name), names)
            sums.append(f"{_add(archive, name, member.content)}  {name}\n")
        _add(archive, SUMS, "".join(sums).encode())
    return [*names.values(), SUMS]


def _add(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> str:
    """Adds a file; its sha256."""
    size, blocks = (len(content), iter((content,))) if isinstance(content, bytes) else _read(content)
    head = next(blocks, b"")
    info = zipfile.ZipInfo(name, _STAMP)
    info.create_system, info.external_attr = _UNIX, _PLAIN_FILE
    info.file_size = size  # tells whether the sizes need 64 bits
    # Deflate's level is zipfile's default, 6: a ZipInfo of one's own cannot name another before Python 3.13.
    info.compress_type = zipfile.ZIP_STORED if head.startswith(_PACKED) else zipfile.ZIP_DEFLATED
    digest = hashlib.sha256()
    with archive.open(info, "w") as written:
        while head:
            digest.update(head)
            written.write(head)
            head = next(blocks, b"")
    return digest.hexdigest()


def _read(path: Path) -> tuple[int, Iterator[bytes]]:
    """The size of a file and its bytes, block by block; what is written to it meanwhile is left out."""
    size = path.stat().st_size

    def blocks() -> Iterator[bytes]:
        left = size
        with opened(path) as file:
            while left and (block := file.read(min(_BLOCK, left))):
                left -= len(block)
                yield block

    return size, blocks()


def _portable(name: str) -> str:
    """A name that every system can unpack and that `SHA256SUMS` can hold in a line."""
    parts = ("".join("_" if _is_awkward(letter) else letter for letter in part) for part in name.split("/"))
    return "/".join("_" if part in {"", ".", ".."} else part for part in parts)


def _is_awkward(letter: str) -> bool:
    return letter in _FORBIDDEN or unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}


def _unique(name: str, names: dict[str, str]) -> str:
    folder, slash, last = name.rpartition("/")
    stem, dot, ending = last.partition(".")
    given, count = name, 1
    while given.casefold() in names or given.casefold() == SUMS.casefold():
        count += 1
        given = f"{folder}{slash}{stem}-{count}{dot}{ending}"
    names[given.casefold()] = given
    return given
