"""A capture's file or its columnar copy: a reader for either."""

from __future__ import annotations

from pathlib import Path

from esxprobe.formats.columns.replay import CopyReader, CopySource
from esxprobe.formats.columns.store import is_copy
from esxprobe.formats.scan import FileReader, Request
from esxprobe.formats.source import Source
from esxprobe.formats.tally import Tally


def opened(path: Path, *, checksum: bool = True) -> Source:
    """A file, or the columnar copy of one.

    Raises:
        UnreadableInputError: It is not there, or is none.
    """
    return CopySource(path) if is_copy(path) else Source(path, checksum=checksum)


def reader_of(source: Source, request: Request, tally: Tally) -> FileReader:
    """Reads either; see `FileReader`."""
    if isinstance(source, CopySource):
        return CopyReader(source, request, tally)
    return FileReader(source, request, tally)
