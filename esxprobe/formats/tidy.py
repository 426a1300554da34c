"""From one wide frame to tidy ones: one row per sample and entity, one typed column a counter.

Built by reshaping: the columns of a counter over all entities of a kind are one block of memory,
read entity after entity. Nothing is melted and no column is looped over in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe.formats.tally import Tally

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]

# esxtop prints small negative whole numbers where a value does not apply, as -1 for no limit.
SENTINELS = (-1.0, -2.0, -3.0)


def tidy_frames(
    values: Floats, samples: pl.DataFrame, columns: pl.DataFrame, tally: Tally
) -> dict[str, pl.DataFrame]:
    r"""Tidy frames by entity kind.

    Args:
        values: One row a wanted column, one column a judged sample, NaN for none.
        samples: The judged samples: sample (UInt32).
        columns: The wanted columns in the order of `values`: kind, entity, object, counter.
        tally: Counts sentinels.

    Returns:
        By kind: sample (UInt32), entity (UInt32), one Float64 column a counter (`Object\Counter`),
        null where the file has no value. Ordered by entity, then sample.
    """
    frames = {}
    for (kind,), part in (
        columns.with_row_index("place").partition_by("kind", as_dict=True, maintain_order=True).items()
    ):
        if kind:
            frames[str(kind)] = _frame(values, samples, part, tally)
    return frames


def _frame(values: Floats, samples: pl.DataFrame, columns: pl.DataFrame, tally: Tally) -> pl.DataFrame:
    import polars as pl

    entities = columns["entity"].unique().sort()
    place = {entity: n for n, entity in enumerate(entities.to_list())}
    length = values.shape[1]
    frame: dict[str, pl.Series] = {
        "sample": pl.Series(np.tile(samples["sample"].to_numpy(), len(entities)), dtype=pl.UInt32),
        "entity": pl.Series(np.repeat(entities.to_numpy(), length), dtype=pl.UInt32),
    }
    by_counter = columns.group_by("object", "counter", maintain_order=True).agg("place", "entity")
    for obj, counter, places, owners in by_counter.iter_rows():
        block = values[places]  # one row an entity, contiguous
        if owners != entities.to_list():
            block = _spread(block, [place[owner] for owner in owners], len(entities))
        path = f"{obj}\\{counter}"
        frame[path] = _without_sentinels(path, block.reshape(-1), tally)
    return pl.DataFrame(frame)


def _spread(block: Floats, rows: list[int], height: int) -> Floats:
    """The block's rows at their entities' places, NaN elsewhere.

    An entity that was renamed, as a VM between two appended captures, has several columns of one
    counter: each fills what the ones before it leave open.
    """
    full = np.full((height, block.shape[1]), np.nan)
    if len(set(rows)) == len(rows):
        full[rows] = block
        return full
    for row, values in zip(rows, block, strict=True):
        full[row] = np.where(np.isnan(full[row]), values, full[row])
    return full


def _without_sentinels(path: str, values: Floats, tally: Tally) -> pl.Series:
    import polars as pl

    negative = values < 0
    if negative.any():
        marks = negative & np.isin(values, SENTINELS)
        tally.add("sentinel", int(marks.sum()), path)
        values = np.where(marks, np.nan, values)
    return pl.Series(path, values, dtype=pl.Float64).fill_nan(None)
