"""Some hundred samples of a copy: a Parquet file for each table, and three more for what is no number.

Tables hold the numbers, instance after instance, of each all samples of the slab; what is none is null.
`lines` has a row a sample: its line number, its time cell and how the line ends. `texts` has the cells that are
kept as they stand, sorted by cell and row. `styles` names the cells that are not printed as esxtop prints most.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.formats.columns.cells import TEXT, USUAL, Encoded, Styles
from esxprobe.formats.columns.forms import SlabForms
from esxprobe.formats.columns.grid import Indices, Part, Table
from esxprobe.formats.columns.store import NewFiles, OldFiles
from esxprobe.formats.decimals import Floats

if TYPE_CHECKING:
    import polars as pl

# Memory that the samples of a slab may take while they are gathered [bytes].
LIMIT = 96 << 20
_CELL_BYTES = 9  # a value and its style
# A cell that is kept as text, with its place: far more. Programs that pass captures on may print all cells so.
_TEXT_BYTES = 256

# How a line ends; sums of these.
RETURN, UNENDED, COMMA = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Line:
    """A row's line number, its time cell as it stands, and how it ends."""

    number: int
    time: bytes
    end: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of one header on their way into a slab.

    Attributes:
        lines: A record each.
        encoded: A row a line, a column a cell; chunk after chunk.
        odd: The text of cells that are kept as text, by row and cell (from 0).
    """

    lines: list[Line]
    encoded: list[Encoded]
    odd: dict[tuple[int, int], bytes]


def time_text(cell: bytes) -> str:
    """What a time cell says, without quotes; as `parse` has it."""
    return cell.strip(b'"\r').decode(errors="replace")


@dataclass(slots=True)
class SlabWriter:
    """Gathers rows of one header and writes them.

    Attributes:
        files: Where to.
        tables: The header's.
        width: Cells of a row, the time not among them.
        number: Of the slab.
    """

    files: NewFiles
    tables: Sequence[Table]
    width: int
    number: int
    _values: Floats = field(default_factory=lambda: np.empty((0, 0)))
    _styles: Styles = field(default_factory=lambda: np.empty((0, 0), np.uint8))
    _lines: list[Line] = field(default_factory=list)
    _odd: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Rows so far."""
        return len(self._lines)

    def has_room(self, sheet: Sheet) -> bool:
        """Whether some rows more fit in."""
        room = max(self._values.shape[1], LIMIT // (_CELL_BYTES * max(1, self.width)))
        texts = _TEXT_BYTES * (len(self._odd) + len(sheet.odd))
        return bool(self.height + len(sheet.lines) <= room) and texts <= LIMIT

    def add(self, sheet: Sheet) -> None:
        """Takes rows."""
        at = self.height
        if not self._values.size:
            room = max(LIMIT // (_CELL_BYTES * max(1, self.width)), len(sheet.lines))
            self._values = np.empty((self.width, room))
            self._styles = np.empty((self.width, room), np.uint8)
        self._odd |= {(at + row, cell): text for (row, cell), text in sheet.odd.items()}
        self._lines += sheet.lines
        for chunk in sheet.encoded:
            behind = at + len(chunk.values)
            self._values[:, at:behind] = chunk.values.T
            self._styles[:, at:behind] = chunk.styles.T
            at = behind

    def write(self) -> None:
        """Writes the slab.

        Raises:
            OutputError: That is not possible.
        """
        import polars as pl

        count = self.height
        numbers = pl.Series("line", [line.number for line in self._lines], dtype=pl.UInt32)
        times = pl.Series("time", [time_text(line.time) for line in self._lines], dtype=pl.Categorical)
        for table in self.tables:
            self._write(f"{table.name}/{self.number:05}", self._frame(table, numbers, times))
        frame = {
            "line": numbers,
            "time": pl.Series([line.time for line in self._lines], dtype=pl.Binary),
            "end": pl.Series([line.end for line in self._lines], dtype=pl.UInt8),
        }
        self._write(f"lines/{self.number:05}", pl.DataFrame(frame))
        if self._odd:
            self._write(f"texts/{self.number:05}", self._texts())
        styles = _unusual(self._styles[:, :count])
        if styles.height:
            self._write(f"styles/{self.number:05}", styles)

    def _frame(self, table: Table, numbers: pl.Series, times: pl.Series) -> pl.DataFrame:
        import polars as pl

        count, height = self.height, len(table.instances)
        things = pl.Series(np.repeat(np.arange(height, dtype=np.uint32), count))
        samples = pl.Series(np.tile(np.arange(count, dtype=np.uint32), height))
        frame = {
            "line": numbers.gather(samples),
            "time": times.gather(samples),
            "instance": table.instances.cast(pl.Categorical).gather(things),
        }
        for counter, cells in table.counters:
            block = self._values[cells, :count]
            block[cells < 0] = np.nan
            frame[counter] = pl.Series(block.reshape(-1)).fill_nan(None)
        return pl.DataFrame(frame)

    def _texts(self) -> pl.DataFrame:
        import polars as pl

        rows = [(cell, row, text) for (row, cell), text in self._odd.items()]
        schema = {"cell": pl.UInt32, "row": pl.UInt32, "text": pl.Binary}
        return pl.DataFrame(rows, schema=schema, orient="row").sort("cell", "row")

    def _write(self, name: str, frame: pl.DataFrame) -> None:
        content = io.BytesIO()
        # zstd makes it a third smaller and takes twice as long to read.
        frame.write_parquet(content, compression="lz4", statistics=True)
        self.files.add(f"{name}.parquet", content.getbuffer())


def _unusual(styles: Styles) -> pl.DataFrame:
    """Cells (from 0) that are not printed as most are: style, or mixed: the style of each row."""
    import polars as pl

    least = styles.min(axis=1)
    most = np.where(styles == TEXT, np.uint8(0), styles).max(axis=1)
    uniform = (least == most) | (least == TEXT)
    named = np.flatnonzero(~uniform | ((least != USUAL) & (least != TEXT)))
    mixed = [None if uniform[cell] else styles[cell].tobytes() for cell in named.tolist()]
    return pl.DataFrame(
        {"cell": named.astype(np.uint32), "style": least[named], "mixed": pl.Series(mixed, dtype=pl.Binary)}
    )


class SlabReader:
    """A slab of a finished copy.

    Attributes:
        lines: Line numbers of its rows.
        times: Their time cells as they stand.
        ends: How the lines end.

    Args:
        files: The copy.
        number: Of the slab.
    """

    def __init__(self, files: OldFiles, number: int) -> None:
        self._files, self._number = files, number
        lines = self._frame("lines")
        self.lines: list[int] = lines["line"].to_list()
        self.times: list[bytes] = lines["time"].to_list()
        self.ends: list[int] = lines["end"].to_list()

    def values(self, parts: Sequence[Part], height: int) -> Floats:
        """The numbers of cells, a row each; NaN where it is none.

        Args:
            parts: Of the tables; see `grid.parts`.
            height: How many cells there are in them.

        Raises:
            UnreadableInputError: A part of the slab is damaged.
        """
        count = len(self.lines)
        made = np.empty((height, count))
        for part in parts:
            names = [counter for counter, _, _ in part.counters]
            frame = self._frame(part.table, names, (part.first * count, part.count * count))
            for series, (_, places, rows) in zip(frame.get_columns(), part.counters, strict=True):
                made[places] = series.to_numpy().reshape(-1, count)[rows]
        return made

    def texts(self, cells: Indices) -> pl.DataFrame:
        """Cells that are kept as text: place (in what is asked for), row, text."""
        import polars as pl

        if f"texts/{self._number:05}.parquet" not in self._files:
            return pl.DataFrame(schema={"place": pl.Int64, "row": pl.UInt32, "text": pl.Binary})
        asked = pl.DataFrame({"cell": cells.astype(np.uint32), "place": np.arange(len(cells))})
        return self._frame("texts").join(asked, on="cell").select("place", "row", "text")

    def styles(self, cells: Indices) -> Styles:
        """How cells are printed, a row a cell; of those that are kept as text it says nothing."""
        import polars as pl

        made = np.full((len(cells), len(self.lines)), USUAL, np.uint8)
        if f"styles/{self._number:05}.parquet" not in self._files:
            return made
        asked = pl.DataFrame({"cell": cells.astype(np.uint32), "place": np.arange(len(cells))})
        named = self._frame("styles").join(asked, on="cell")
        made[named["place"].to_numpy()] = named["style"].to_numpy()[:, None]
        for place, mixed in named.filter(pl.col("mixed").is_not_null()).select("place", "mixed").iter_rows():
            made[place] = np.frombuffer(mixed, np.uint8)
        return made

    def forms(self, width: int) -> SlabForms:
        """How all cells are printed.

        Args:
            width: Number of cells of a row, the time not among them.
        """
        import polars as pl

        usual, mixed, texts = np.full(width, USUAL, np.uint8), {}, {}
        if f"styles/{self._number:05}.parquet" in self._files:
            named = self._frame("styles")
            usual[named["cell"].to_numpy()] = named["style"].to_numpy()
            rows = named.filter(pl.col("mixed").is_not_null()).select("cell", "mixed").iter_rows()
            mixed = {cell: np.frombuffer(styles, np.uint8) for cell, styles in rows}
        if f"texts/{self._number:05}.parquet" in self._files:
            texts = {(row, cell): text for cell, row, text in self._frame("texts").iter_rows()}
        return SlabForms(usual, mixed, texts, len(self.lines))

    def _frame(
        self, table: str, columns: list[str] | None = None, part: tuple[int, int] | None = None
    ) -> pl.DataFrame:
        import polars as pl

        name = f"{table}/{self._number:05}.parquet"
        content = io.BytesIO(self._files.get(name))
        try:
            if columns is None or part is None:
                return pl.read_parquet(content)
            frame = pl.scan_parquet(content).select(columns).slice(*part).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self._files.broken(f"{name} cannot be read ({error})") from error
        if frame.height != part[1]:
            raise self._files.broken(f"{name} lacks samples")
        return frame
