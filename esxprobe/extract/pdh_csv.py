"""PDH-CSV that perfmon, relog and esxplot open: quotes round every cell, esxtop's stamps, few enough columns.

Rows are written as they come, into unfinished files; which of them are in the window is known when all times
are. Usually all do, and the files are done; otherwise the rows that do not are left out in a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from esxprobe.extract.cells import Cutter
from esxprobe.extract.publish import Partials
from esxprobe.formats.parse import Batch
from esxprobe.formats.scan import SegmentReader

if TYPE_CHECKING:
    import polars as pl

# Spreadsheets end at 16,384 columns, and a file of exactly that many looks cut; the time takes one.
MOST_COLUMNS = 16_382

# What esxtop prints in place of a name that it has not.
_NAMELESS = "   -"
_STAMP = r"^\d\d/\d\d/\d{4} \d\d:\d\d:\d\d$"


@dataclass(slots=True)
class _Part:
    """The rows under one header.

    Attributes:
        cutter: Cuts the wanted cells out.
        keys: Keys of its columns.
        paths: Its unfinished files, a part of the columns each.
        files: These, open.
        places: Of each row the first byte and the one after the last, in each file.
    """

    cutter: Cutter
    keys: list[str]
    paths: list[Path]
    files: list[IO[bytes]]
    places: list[list[tuple[int, int]]] = field(default_factory=list)


class PdhCsvWriter:
    """Writes the wanted cells of rows as PDH-CSV.

    Attributes:
        paths: The finished files.
        columns: Value columns in them.

    Args:
        partials: Where unfinished files lie.
        most: Value columns of a file.
    """

    def __init__(self, partials: Partials, most: int = MOST_COLUMNS) -> None:
        self._partials, self._most = partials, most
        self._parts: list[_Part] = []
        self._names: dict[str, str] = {}  # path by key, over all headers
        self._rows: list[tuple[int, int]] = []  # part, and place in it
        self._zone = ""
        self._last: tuple[object, int] = (None, 0)
        self.paths: list[Path] = []
        self.columns = 0

    def add(self, segment: SegmentReader, batch: Batch) -> None:
        """Writes rows into the unfinished files."""
        number = self._part_of(segment)
        part = self._parts[number]
        times = batch.rows.time_cells.to_list()
        for time, texts in zip(times, part.cutter.rows(batch), strict=True):
            stamp = b'"' + time.replace('"', "").encode() + b'"'
            places = []
            for file, text in zip(part.files, texts, strict=True):
                start = file.tell()
                file.write(stamp + text + b"\n")
                places.append((start, start + len(stamp) + len(text) + 1))
            self._rows.append((number, len(part.places)))
            part.places.append(places)

    def publish(self, cells: pl.Series, times: pl.Series, _utc: pl.Series, kept: pl.Series) -> None:
        """Finishes the files.

        Args:
            cells: The time cell of every row that was taken.
            times: What it says, in the capture's zone.
            kept: Which rows are in the window.
        """
        for part in self._parts:
            for file in part.files:
                file.close()
        self.columns = len(self._names)
        parts = self._slices(list(self._names))
        made = [part for part in self._parts if part.places]
        plain = cells.str.contains(_STAMP).fill_null(value=False)
        if len(self._parts) == 1 and kept.all() and plain.all():
            done = self._parts[0].paths
        else:
            stamps = [
                cell if fine else time.strftime("%m/%d/%Y %H:%M:%S") if time else ""
                for cell, fine, time in zip(cells.to_list(), plain.to_list(), times.to_list(), strict=True)
            ]
            chosen = [(row, stamps[n]) for n, (row, keep) in enumerate(zip(self._rows, kept, strict=True)) if keep]
            copy = self._copied if len(made) == 1 else self._joined
            done = copy(chosen, parts)
        self.paths = self._partials.names([f"{number:02}" for number in range(1, len(parts) + 1)])
        self._partials.publish(done, self.paths)

    def _slices(self, keys: list[str]) -> list[list[str]]:
        return [keys[at : at + self._most] for at in range(0, len(keys), self._most)]

    def _part_of(self, segment: SegmentReader) -> int:
        """Number of the part that a segment's rows belong to: the same header may come again and again."""
        if self._last[0] is segment.wanted:
            return self._last[1]
        keys = segment.wanted["key"].to_list()
        known = [n for n, part in enumerate(self._parts) if part.keys == keys]
        self._last = segment.wanted, known[0] if known else len(self._parts)
        if known:
            return known[0]
        self._zone = self._zone or segment.header.zone
        self._names |= {
            key: path
            for key, path in zip(keys, segment.wanted["path"].to_list(), strict=True)
            if key not in self._names
        }
        part = _Part(Cutter(segment.wanted, self._most), keys, [], [])
        for names in self._slices(segment.wanted["path"].to_list()):
            part.paths.append(self._partials.new())
            part.files.append(self._partials.opened(part.paths[-1], "wb"))
            part.files[-1].write(self._header(names))
        self._parts.append(part)
        return self._last[1]

    def _header(self, names: list[str]) -> bytes:
        """A header line, as esxtop prints it but for quotes in names: CSV doubles them, and our reader knows."""
        first = f'"(PDH-CSV 4.0) {self._zone}"'
        quoted = ('"' + name.replace('"', '""') + '"' if name else _NAMELESS for name in names)
        return (",".join([first, *quoted]) + "\n").encode("utf-8", errors="replace")

    def _texts(self, number: int, place: int) -> Iterator[bytes]:
        """A row's parts as they were written, without the time: each cell with a comma before it."""
        part = self._parts[number]
        for file, (start, end) in zip(part.files, part.places[place], strict=True):
            file.seek(start)
            line = file.read(end - start)
            yield line[line.index(b'"', 1) + 1 : -1]

    def _copied(self, chosen: list[tuple[tuple[int, int], str]], parts: list[list[str]]) -> list[Path]:
        """Copies with the chosen rows, all under one header."""
        made, outs = self._started(parts)
        self._reopen()
        for (number, place), stamp in chosen:
            for out, text in zip(outs, self._texts(number, place), strict=True):
                out.write(b'"' + stamp.encode() + b'"' + text + b"\n")
        self._close(outs)
        return made

    def _joined(self, chosen: list[tuple[tuple[int, int], str]], parts: list[list[str]]) -> list[Path]:
        """Copies with the chosen rows under all headers' columns, blank where a row's header has none."""
        made, outs = self._started(parts)
        self._reopen()
        at = {key: n for n, key in enumerate(self._names)}
        targets = [[at[key] for key in part.keys] for part in self._parts]
        for (number, place), stamp in chosen:
            cells = [b'""'] * len(at)
            own = b"".join(self._texts(number, place))[2:-1].split(b'","')
            for target, cell in zip(targets[number], own, strict=True):
                cells[target] = b'"' + cell + b'"'
            for n, out in enumerate(outs):
                text = cells[n * self._most : (n + 1) * self._most]
                out.write(b",".join([b'"' + stamp.encode() + b'"', *text]) + b"\n")
        self._close(outs)
        return made

    def _started(self, parts: list[list[str]]) -> tuple[list[Path], list[IO[bytes]]]:
        made = [self._partials.new() for _ in parts]
        outs = [self._partials.opened(path, "wb") for path in made]
        for out, keys in zip(outs, parts, strict=True):
            out.write(self._header([self._names[key] for key in keys]))
        return made, outs

    def _reopen(self) -> None:
        for part in self._parts:
            part.files = [self._partials.opened(path, "rb") for path in part.paths]

    def _close(self, outs: list[IO[bytes]]) -> None:
        for file in [*outs, *(file for part in self._parts for file in part.files)]:
            file.close()
