"""A capture's file or its columnar copy: a reader for either."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from esxprobe.formats.columns.replay import CopyReader, CopySource
from esxprobe.formats.columns.store import is_copy
from esxprobe.formats.parse import Rows
from esxprobe.formats.rows import Piece
from esxprobe.formats.scan import Chooser, FileReader, Needs, Segment
from esxprobe.formats.source import Source
from esxprobe.formats.tally import Tally


def opened(path: Path, *, checksum: bool = True) -> Source:
    """A file, or the columnar copy of one.

    Raises:
        UnreadableInputError: It is not there, or is none.
    """
    return CopySource(path) if is_copy(path) else Source(path, checksum=checksum)


def reader_of(
    source: Source,
    needs: Needs | Chooser,
    tally: Tally,
    at_most: Mapping[str, int] | None = None,
    *,
    taker: Callable[[Segment, Piece, Rows], None] | None = None,
    places: bool = False,
    who: bool = True,
) -> FileReader:
    """Reads either; see `FileReader`."""
    if isinstance(source, CopySource):
        return CopyReader(source, needs, tally, at_most, taker=taker, places=places, who=who)
    return FileReader(source, needs, tally, at_most, taker=taker, places=places, who=who)
