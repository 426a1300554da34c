"""Whether a file is an archive that may be a vm-support bundle, by its first bytes; or a folder an unpacked one."""

from __future__ import annotations

from pathlib import Path

from esxprobe.errors import EsxprobeError
from esxprobe.files.reading import opened
from esxprobe.formats import archives
from esxprobe.formats.pack import packing_of_head
from esxprobe.formats.source import Inflate
from esxprobe.vmsupport.contents import is_mark
from esxprobe.vmsupport.unpacked import is_unpacked


def is_archive(path: Path) -> bool:
    """Whether it is a tar archive, packed or not, a zip archive that names files of a bundle, or an unpacked one.

    A file that cannot be read is none.
    """
    try:
        if not path.is_file():
            return path.is_dir() and is_unpacked(path)
        with opened(path) as file:
            start = file.read(archives.LOOK)
            file.seek(0)
            if start.startswith(archives.ZIP):
                return _names_bundle(path)
            if (packing := packing_of_head(start)) != "plain":
                start = bytes(Inflate(file, packing).read(archives.LOOK))
    except (EsxprobeError, OSError):
        return False
    return archives.is_tar(start[: archives.LOOK])


def _names_bundle(path: Path) -> bool:
    """Whether a zip archive holds bundles, or is one; for one of a capture its reader has a hint."""
    from esxprobe.vmsupport.zipped import zip_names

    return any(
        is_mark(name) or ("/" not in name.strip("/") and name.lower().endswith((".tgz", ".tar", ".tar.gz")))
        for name in zip_names(path)
    )
