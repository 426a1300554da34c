"""Which cell stands where in a copy: a table an object, a row an instance and sample, a column a counter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

Indices = NDArray[np.intp]

# Columns of every table that are no counters.
KEYS = ("line", "time", "instance")
# What has no place of its own: columns without a name or with one that is there already.
OTHER, VALUE = "other", "value"
# A capture has about twenty objects; a header of hostile names may have one a column.
_MOST_OBJECTS = 64
# Folders of a copy that are no tables.
_TAKEN = (OTHER, "lines", "texts", "styles", "loose", "headers")
_LONGEST_SLUG = 60

_NO_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Table:
    """One object under one header.

    Attributes:
        name: Its folder in the copy.
        instances: In their order, which is the text's.
        counters: Each with the cells (from 0, the time not among them) of all instances, -1 for none.
    """

    name: str
    instances: pl.Series
    counters: list[tuple[str, Indices]]


def placed(columns: pl.DataFrame, width: int) -> pl.DataFrame:
    """Places of the cells of a header.

    Args:
        columns: The value columns: cell, object, instance, counter, key.
        width: Number of cells, the time included.

    Returns:
        One row a cell but the time: cell (UInt32, from 1), table, instance, counter (String), row (UInt32;
        number of the instance in its table), group (UInt32; numbers tables with their counters).
    """
    import polars as pl

    cells = pl.DataFrame({"cell": pl.int_range(1, width, dtype=pl.UInt32, eager=True)})
    own = columns.unique("cell", keep="first").select("cell", "object", "instance", "counter", "key")
    all_cells = cells.join(own, on="cell", how="left", maintain_order="left").with_columns(
        pl.col("object", "instance", "counter").fill_null(""),
        pl.col("key").fill_null("cell " + pl.col("cell").cast(pl.String)),
    )
    again = pl.int_range(pl.len()).over("object", "instance", "counter") > 0
    odd = again | (pl.col("object") == "") | pl.col("counter").is_in(["", *KEYS])
    all_cells = all_cells.with_columns(odd.alias("odd"))
    objects = all_cells.filter(~pl.col("odd"))["object"].unique(maintain_order=True).to_list()
    names = pl.DataFrame(
        {"object": objects, "table": slugs(objects, _TAKEN)}, {"object": pl.String, "table": pl.String}
    )
    rank = pl.col("instance").rank("dense").over("table") - 1
    return (
        all_cells.join(names.head(_MOST_OBJECTS), on="object", how="left", maintain_order="left")
        .with_columns((pl.col("odd") | pl.col("table").is_null()).alias("odd"))
        .select(
            "cell",
            pl.when("odd").then(pl.lit(OTHER)).otherwise("table").alias("table"),
            pl.when("odd").then("key").otherwise("instance").alias("instance"),
            pl.when("odd").then(pl.lit(VALUE)).otherwise("counter").alias("counter"),
        )
        .with_columns(
            rank.cast(pl.UInt32).alias("row"),
            pl.struct("table", "counter").rank("dense").cast(pl.UInt32).alias("group"),
        )
    )


def tables(places: pl.DataFrame) -> list[Table]:
    """The tables of a header, given the places of its cells."""
    import polars as pl

    made = []
    for (name,), own in places.partition_by("table", as_dict=True, maintain_order=True).items():
        instances = own.select("row", "instance").unique("row").sort("row")["instance"]
        counters = []
        for (counter,), part in own.partition_by("counter", as_dict=True, maintain_order=True).items():
            cells = np.full(len(instances), -1, np.intp)
            cells[part["row"].to_numpy()] = part["cell"].cast(pl.Int64).to_numpy() - 1
            counters.append((str(counter), cells))
        made.append(Table(str(name), instances, counters))
    return made


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of a table: so many neighbouring instances from the first on.

    Attributes:
        table: Its folder in the copy.
        first: Number of the first instance.
        count: How many.
        counters: Each with where its values belong, and whose they are (from the first on, ascending).
    """

    table: str
    first: int
    count: int
    counters: list[tuple[str, Indices, Indices | slice]]


def _plain(rows: Indices, count: int) -> Indices | slice:
    """All of so many rows as what takes no copy."""
    return slice(None) if np.array_equal(rows, np.arange(count)) else rows


def parts(places: pl.DataFrame, cells: Indices) -> list[Part]:
    """What is to be read of the tables of a header for some cells (from 0)."""
    group, row = places["group"].to_numpy()[cells], places["row"].to_numpy()[cells].astype(np.intp)
    order = np.lexsort((row, group))
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    by_table: dict[str, list[tuple[str, Indices, Indices]]] = {}
    for own in np.split(order, cuts) if len(order) else []:
        table, counter = places.select("table", "counter").row(int(cells[own[0]]))
        by_table.setdefault(table, []).append((counter, own, row[own]))
    made = []
    for table, counters in by_table.items():
        first = min(int(rows[0]) for _, _, rows in counters)
        count = max(int(rows[-1]) for _, _, rows in counters) - first + 1
        near = [(counter, own, _plain(rows - first, count)) for counter, own, rows in counters]
        made.append(Part(table, first, count, near))
    return made


def slugs(objects: Sequence[str], taken: Sequence[str] = ()) -> list[str]:
    """Objects' names as names of files or folders, each its own, and none of those that are taken."""
    made = list(taken)
    for name in objects:
        slug = _NO_SLUG.sub("-", name.lower()).strip("-")[:_LONGEST_SLUG] or "nameless"
        given, number = slug, len(made)
        while given in made:
            given, number = f"{slug}-{number}", number + 1
        made.append(given)
    return made[len(taken) :]
