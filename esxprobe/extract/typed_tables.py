"""Parquet and Arrow: one table an object, one row a sample and instance, one typed column a counter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.extract.choice import owners_of
from esxprobe.extract.publish import Partials
from esxprobe.formats.parse import Batch, words_of
from esxprobe.formats.scan import SegmentReader

if TYPE_CHECKING:
    import polars as pl

# A file's name may have 255 bytes.
_LONGEST_SLUG = 60
_NO_SLUG = re.compile(r"[^a-z0-9]+")

# Columns of every table beside its counters.
KEYS = ("time", "host", "object", "instance", "vm")


@dataclass(frozen=True, slots=True)
class _Taken:
    """Rows of a piece: the columns of their header, values, and by column what cells of words say."""

    columns: pl.DataFrame
    values: Floats
    words: dict[int, list[str | None]]


class TableWriter:
    """Gathers the wanted values and writes them as one table an object.

    Attributes:
        paths: The finished files.
        columns: Value columns of the capture in them.

    Args:
        partials: Where unfinished files lie.
    """

    def __init__(self, partials: Partials) -> None:
        self._partials = partials
        self._taken: list[_Taken] = []
        self._columns: dict[int, tuple[pl.DataFrame, pl.DataFrame]] = {}
        self.paths: list[Path] = []
        self.columns = 0

    def add(self, segment: SegmentReader, batch: Batch) -> None:
        """Keeps the values of rows."""
        rows, wanted = batch.rows, segment.wanted
        if id(wanted) not in self._columns:
            made = wanted.with_columns(owners_of(segment.identities, wanted))
            self._columns[id(wanted)] = wanted, made  # the first keeps its id alive
        words = words_of(batch, wanted)
        values = np.where(np.isfinite(rows.values), rows.values, np.nan)
        self._taken.append(_Taken(self._columns[id(wanted)][1], values, words))

    def publish(self, _cells: pl.Series, _times: pl.Series, utc: pl.Series, kept: pl.Series) -> None:
        """Writes the tables.

        Args:
            utc: When every row that was taken was [UTC].
            kept: Which of them are in the window.
        """
        import polars as pl

        headers = {id(taken.columns): taken.columns for taken in self._taken}
        columns = pl.concat([frame.select("key", "object") for frame in headers.values()]).unique("key")
        self.columns = columns.height
        objects = list(dict.fromkeys(name for frame in headers.values() for name in frame["object"].unique()))
        objects.sort()
        self.paths = self._partials.names(slugs(objects))
        made = []
        for name in objects:
            table = pl.concat(self._frames(name, utc, kept), how="diagonal").sort(
                "instance", "time", maintain_order=True
            )
            made.append(self._partials.new())
            if self._partials.target.suffix.lower() == ".parquet":
                table.write_parquet(made[-1], compression="zstd", statistics=True)
            else:
                table.write_ipc(made[-1])
        self._partials.publish(made, self.paths)

    def _frames(self, name: str, utc: pl.Series, kept: pl.Series) -> Iterator[pl.DataFrame]:
        """The rows of an object, header by header."""
        import polars as pl

        at = 0
        run: list[_Taken] = []
        for n, taken in enumerate(self._taken):
            run.append(taken)
            if n + 1 < len(self._taken) and self._taken[n + 1].columns is taken.columns:
                continue
            height = sum(each.values.shape[1] for each in run)
            inside = kept[at : at + height]
            columns = taken.columns.with_row_index("place").filter(pl.col("object") == name)
            if columns.height:
                yield _long(columns, run, utc[at : at + height].filter(inside), inside.to_numpy())
            at += height
            run = []


def _long(columns: pl.DataFrame, run: list[_Taken], times: pl.Series, inside: np.ndarray) -> pl.DataFrame:
    """Rows under one header, of one object: instance after instance."""
    import polars as pl

    things = columns.unique("thing", maintain_order=True).select("thing", "host", "object", "instance", "vm")
    row = {thing: n for n, thing in enumerate(things["thing"].to_list())}
    height = len(times)
    repeated = things.drop("thing").select(pl.all().repeat_by(height).explode())
    frame = {"time": pl.concat([times] * things.height).cast(pl.Datetime("us", "UTC"))}
    frame |= {
        key: repeated[key].cast(pl.Categorical) if key != "instance" else repeated[key] for key in repeated.columns
    }
    for (counter, words), part in columns.group_by("counter", "words", maintain_order=True):
        owners = [row[thing] for thing in part["thing"].to_list()]
        places = part["place"].to_list()
        if words:
            texts: list[str | None] = [None] * (things.height * height)
            for owner, place in zip(owners, places, strict=True):
                cells = [cell for each in run for cell in each.words[place]]
                own = [cell for cell, keep in zip(cells, inside.tolist(), strict=True) if keep]
                texts[owner * height : (owner + 1) * height] = own
            frame[str(counter)] = pl.Series(texts, dtype=pl.String)
            continue
        full = np.full((things.height, height), np.nan)
        full[owners] = np.concatenate([each.values[places] for each in run], axis=1)[:, inside]
        frame[str(counter)] = pl.Series(full.reshape(-1), dtype=pl.Float64).fill_nan(None)
    return pl.DataFrame(frame)


def slugs(objects: Sequence[str]) -> list[str]:
    """Objects' names as names of files or folders, each its own."""
    made: list[str] = []
    for name in objects:
        slug = _NO_SLUG.sub("-", name.lower()).strip("-")[:_LONGEST_SLUG] or "nameless"
        given, number = slug, len(made)
        while given in made:
            given, number = f"{slug}-{number}", number + 1
        made.append(given)
    return made
