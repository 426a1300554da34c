"""Header lines to what reads the rows under them: columns, whose they are, which are wanted, and their cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.formats import pdh
from esxprobe.formats.entities import Identities, identify
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.repair import RowLayout
from esxprobe.formats.row_scanner import RowScanner
from esxprobe.formats.rows import Span
from esxprobe.formats.wanted import Enough, Needs, columns_of, known, text_cells, wanted_columns

if TYPE_CHECKING:
    import polars as pl

# The wanted ones of a header's columns, in file order; see `parse.Parser`.
Chooser = Callable[[Identities], "pl.DataFrame"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of a capture.

    Attributes:
        needs: The wanted counters by entity kind, or a function that chooses columns of a header.
        at_most: Entity kinds of which not all entities are read.
        places: Where the cells are matters.
        who: Whose a column is matters: without it segments know of no entity.
        keep: Given a block and its lines, gives those that are to be looked at; the others are counted and no more.
    """

    needs: Needs | Chooser
    at_most: Mapping[str, Enough] = field(default_factory=dict)
    places: bool = False
    who: bool = True
    keep: Callable[[bytes | bytearray, list[Span]], list[Span]] | None = None


@dataclass(frozen=True, slots=True)
class KnownHeader:
    """What a header line says.

    Attributes:
        header: Its cells.
        identities: Its columns and whose they are.
        wanted: The wanted columns in file order; see `parse.Parser`.
        scanner: Finds their cells.
        issues: What was odd about it.
    """

    header: pdh.Header
    identities: Identities
    wanted: pl.DataFrame
    scanner: RowScanner
    issues: QualityIssues


class HeaderReader:
    """Reads header lines. The last one is kept: the segments of a capture mostly have the same.

    Attributes:
        request: What is wanted of the columns.
    """

    def __init__(self, request: Request) -> None:
        self.request = request
        self._last: tuple[bytes, KnownHeader] | None = None

    def read(self, line: bytes, path: Path) -> KnownHeader:
        """What a line says.

        Args:
            line: Without its line end.
            path: Its file.

        Raises:
            UnreadableInputError: It is not the header of an esxtop capture.
        """
        if self._last is None or self._last[0] != line:
            self._last = line, self._read(line, path)
        return self._last[1]

    def _read(self, line: bytes, path: Path) -> KnownHeader:
        issues, asked = QualityIssues(), self.request
        if b"\x00" in line:
            issues.add("nul-bytes", 1, f"{line.count(0):,} bytes in the header")
        header = pdh.parse_header(line)
        columns = columns_of(header, path, issues)
        identities = identify(known(columns), issues) if asked.who else Identities(columns, {}, ())
        if callable(asked.needs):
            wanted = asked.needs(identities)
        else:
            wanted = wanted_columns(identities, asked.needs, asked.at_most)
        cells = wanted["cell"].to_numpy().astype("int64")
        points = header.quoted and len(cells) > 0
        scanner = RowScanner(_layout(header, columns), cells, asked.places, points=points)
        return KnownHeader(header, identities, wanted, scanner, issues)


def _layout(header: pdh.Header, index: pl.DataFrame) -> RowLayout:
    import polars as pl

    columns = header.columns
    loose = columns.filter((pl.col("path") == "") & (pl.col("part") == 0))["cell"]
    glued = columns.filter(pl.col("part") != 0)["cell"]
    return RowLayout(header.width, frozenset(loose), frozenset(glued), frozenset(text_cells(index)))
