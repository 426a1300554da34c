"""Parts of a capture on the time axis: those that overlap, and those that are joined in the wrong order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Integers

if TYPE_CHECKING:
    import polars as pl


def overlapping(samples: pl.DataFrame) -> pl.Series:
    """Which judged samples lie within the time of an earlier segment: Boolean, one a row.

    Args:
        samples: What `series.measure_intervals` gives.
    """
    import polars as pl

    inside = np.zeros(samples.height, np.bool_)
    times = samples["time"].dt.timestamp("us").to_numpy()
    earlier: list[tuple[int, int]] = []
    for rows in _judged_of_segments(samples):
        for first, last in earlier:
            inside[rows] |= (times[rows] > first) & (times[rows] < last)
        earlier.append((times[rows].min(), times[rows].max()))
    return pl.Series("overlaps", inside)


def out_of_order(samples: pl.DataFrame) -> pl.Series:
    """The first judged sample of each segment that ends before an earlier one begins: Boolean, one a row.

    Args:
        samples: What `series.measure_intervals` gives.
    """
    import polars as pl

    marked = np.zeros(samples.height, np.bool_)
    times = samples["time"].dt.timestamp("us").to_numpy()
    latest_begin: int | None = None
    for rows in _judged_of_segments(samples):
        begin = times[rows].min()
        marked[rows[0]] = latest_begin is not None and times[rows].max() < latest_begin
        latest_begin = begin if latest_begin is None else max(begin, latest_begin)
    return pl.Series("late", marked)


def _judged_of_segments(samples: pl.DataFrame) -> Iterator[Integers]:
    """Rows of the judged samples of each segment that has some; of a capture with one segment there is no need."""
    segments = samples["segment"].to_numpy()
    if not len(segments) or segments[0] == segments[-1]:
        return
    judged = samples["judged"].to_numpy()
    begins = np.flatnonzero(np.concatenate(([True], segments[1:] != segments[:-1])))
    for begin, end in pairwise([*begins.tolist(), len(segments)]):
        rows = begin + np.flatnonzero(judged[begin:end])
        if len(rows):
            yield rows
