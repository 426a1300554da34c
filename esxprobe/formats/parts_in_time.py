"""Parts of a capture on the time axis: those that overlap, and those that are joined in the wrong order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl


def overlapping(samples: pl.DataFrame) -> pl.Series:
    """Which judged samples lie within the time of an earlier segment: Boolean, one a row.

    Args:
        samples: What `series.measure_intervals` gives.
    """
    import polars as pl

    inside = np.zeros(samples.height, np.bool_)
    if samples["segment"].n_unique() > 1:
        times = samples["time"].dt.timestamp("us").to_numpy()
        segments, judged = samples["segment"].to_numpy(), samples["judged"].to_numpy()
        spans: list[tuple[int, int]] = []
        for number in np.unique(segments).tolist():
            own = (segments == number) & judged
            for first, last in spans:
                inside |= own & (times > first) & (times < last)
            if own.any():
                spans.append((times[own].min(), times[own].max()))
    return pl.Series("overlaps", inside)


def out_of_order(samples: pl.DataFrame) -> pl.Series:
    """The first judged sample of each segment that ends before an earlier one begins: Boolean, one a row.

    Args:
        samples: What `series.measure_intervals` gives.
    """
    import polars as pl

    marked = np.zeros(samples.height, np.bool_)
    if samples["segment"].n_unique() > 1:
        times = samples["time"].dt.timestamp("us").to_numpy()
        segments, judged = samples["segment"].to_numpy(), samples["judged"].to_numpy()
        latest_begin = None
        for number in np.unique(segments).tolist():
            own = np.flatnonzero((segments == number) & judged)
            if len(own):
                marked[own[0]] = latest_begin is not None and times[own].max() < latest_begin
                latest_begin = max(times[own].min(), latest_begin or 0)
    return pl.Series("late", marked)
