"""Archives and other packed files, told by their first bytes: what to do with each before it can be read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.pack import GZIP, ZSTD

# So many bytes tell what a file is.
LOOK = 512


@dataclass(frozen=True, slots=True)
class Input:
    """What a file should have been.

    Attributes:
        name: Its kind, with an article.
        inside: What to take out of an archive.
        instead: What to give when it is something else.
        store: What to do with a workbook of a spreadsheet.
    """

    name: str
    inside: str
    instead: str
    store: str


ESXTOP = Input(
    "an esxtop capture",
    "the CSV",
    "give the CSV that esxtop -b wrote",
    "save it as CSV, or better give the CSV that esxtop -b wrote: spreadsheets drop seconds, columns and digits",
)

# Hints name fields of `Input`.
_UNZIP = "unzip it first and use {inside} inside"
_UNPACK = "unpack it first and give {inside} inside"
_INSTEAD = "{instead}"
_STORE = "{store}"
ZIP = b"PK\x03\x04"
# What streams are packed with, by its name in errors.
NAMES = {"gzip": "gzip", "zstd": "zstandard"}
_STARTS: dict[bytes, tuple[str, str]] = {
    ZIP: ("a zip archive", _UNZIP),
    b"PK\x05\x06": ("a zip archive without a file in it", _INSTEAD),
    b"PK\x07\x08": ("a part of a zip archive", _UNZIP),
    b"BZh": ("a bzip2 file", "decompress it first with bunzip2"),
    b"\xfd7zXZ\x00": ("an xz file", "decompress it first with unxz"),
    b"LZIP": ("an lzip file", "decompress it first with lzip -d"),
    b"\x04\x22\x4d\x18": ("an LZ4 file", "decompress it first with unlz4"),
    b"\x1f\x9d": ("a file of compress (.Z)", "decompress it first with uncompress"),
    b"7z\xbc\xaf\x27\x1c": ("a 7-Zip archive", _UNPACK),
    b"Rar!\x1a\x07": ("a RAR archive", _UNPACK),
    b"MSCF\x00\x00\x00\x00": ("a Windows cabinet", _UNPACK),
    b"!<arch>\n": ("an ar archive", _UNPACK),
    b"070701": ("a cpio archive", _UNPACK),
    b"070707": ("a cpio archive", _UNPACK),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an Excel workbook or another old Office file", _STORE),
    b"ElfFile\x00": ("a Windows event log", _INSTEAD),
    b"%PDF": ("a PDF document", _INSTEAD),
    b"SQLite format 3": ("an SQLite database", _INSTEAD),
    b"PAR1": ("a Parquet file", _INSTEAD),
    b"ARROW1": ("an Arrow file", _INSTEAD),
}
# What is read as it is when it stands alone, and must be unpacked once more inside another.
_TWICE = {GZIP: "a gzip file", ZSTD: "a zstandard file"}
_OFFICE = (b"[Content_Types].xml", b"xl/", b"mimetypeapplication/vnd.oasis")

_TAR_SUM = slice(148, 156)
_TAR_MARK = slice(257, 262)


def refuse(path: Path, head: bytes, packed: str = "", wanted: Input = ESXTOP) -> None:
    """Raises an error for what is an archive, or packed in a way that is not read.

    Args:
        path: The file.
        head: Its first bytes, at least `LOOK` of them where there are so many.
        packed: What these were unpacked from.
        wanted: What the file should have been.

    Raises:
        UnreadableInputError: It is an archive or another packed or binary file.
    """
    found = _looks_like(head, packed)
    if found is not None:
        what, hint = found
        inside = f"{what} inside a {packed} file" if packed else what
        raise UnreadableInputError(f"{path} is {inside}, not {wanted.name}", hint=hint.format(**asdict(wanted)))


def _looks_like(head: bytes, packed: str) -> tuple[str, str] | None:
    for start, found in _STARTS.items():
        if head.startswith(start):
            office = start.startswith(b"PK") and any(name in head[:LOOK] for name in _OFFICE)
            return ("a workbook of a spreadsheet (a zip archive)", _STORE) if office else found
    if packed:
        for start, what in _TWICE.items():
            if head.startswith(start):
                return what, "decompress it once more"
    if is_tar(head[:LOOK]):
        return "a tar archive", "unpack it first with tar -xf and give {inside} inside"
    return None


def is_tar(block: bytes) -> bool:
    """Whether a block is a tar header: its mark, or (older ones have none) the sum of its bytes."""
    if len(block) < LOOK:
        return False
    if block[_TAR_MARK] == b"ustar":
        return True
    text = block[_TAR_SUM].strip(b" \x00")
    if not text or text.strip(b"01234567"):
        return False
    # The sum is taken with blanks in its own place.
    return int(text, 8) == sum(block) - sum(block[_TAR_SUM]) + 8 * 0x20
