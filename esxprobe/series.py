"""Time arithmetic: intervals measured from stamps, gaps, runs, and thinning that keeps extremes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import polars as pl

# Longer than this many usual intervals is a gap; more than this share of one is jitter.
GAP_INTERVALS = 1.5
JITTER_SHARE = 0.1

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def measure_intervals(samples: pl.DataFrame) -> pl.DataFrame:
    """Adds what each sample covers, measured from the stamps and never assumed.

    An esxtop stamp is the end of its interval, so a sample covers the time since the one before.

    Args:
        samples: segment (int), time (Datetime UTC), in file order.

    Returns:
        The same rows with interval_s (Float64, null where unknown), judged (Boolean) and reason
        (`first`, `repeats`, `backwards`, `gap` or empty). A sample is judged when its interval is
        known; the sample after a gap is judged too, for it averages over the gap.
    """
    import polars as pl

    step = (pl.col("time").diff().dt.total_microseconds() / 1e6).over("segment")
    reason = (
        pl.when(pl.col("step").is_null())
        .then(pl.lit("first"))
        .when(pl.col("step") == 0)
        .then(pl.lit("repeats"))
        .when(pl.col("step") < 0)
        .then(pl.lit("backwards"))
        .otherwise(pl.lit(""))
    )
    stepped = samples.with_columns(step.alias("step")).with_columns(reason.alias("reason"))
    usual = usual_interval(stepped["step"])
    gap = pl.col("step") > GAP_INTERVALS * (usual or float("inf"))
    return (
        stepped.with_columns(
            pl.when((pl.col("reason") == "") & gap).then(pl.lit("gap")).otherwise("reason").alias("reason"),
            pl.when(pl.col("step") > 0).then("step").alias("interval_s"),
        )
        .with_columns(pl.col("interval_s").is_not_null().alias("judged"))
        .drop("step")
    )


def covered_seconds(intervals: Floats) -> Floats:
    """What each judged sample stands for [s]: its interval, of a long one no more than a gap begins at.

    After a gap nobody knows whether esxtop was late, so that the row averages over all of it, or whether
    rows were lost on the way: one row must not weigh like a hundred.
    """
    if not len(intervals):
        return intervals
    return np.minimum(intervals, GAP_INTERVALS * float(np.median(intervals)))


def stretches(ends_s: Floats, covered_s: Floats) -> list[tuple[int, int]]:
    """First and behind-the-last index of samples that follow each other without a hole.

    Between captures joined in one file lie hours, behind lost rows minutes; nothing runs through a hole.

    Args:
        ends_s: Stamps of the judged samples [s].
        covered_s: What each stands for [s].
    """
    if not len(ends_s):
        return []
    hole_s = 0.5 * float(np.median(covered_s))
    between = ends_s[1:] - covered_s[1:] - ends_s[:-1]
    breaks = (np.flatnonzero((between > hole_s) | (between < -hole_s)) + 1).tolist()
    return list(zip([0, *breaks], [*breaks, len(ends_s)], strict=True))


def usual_interval(steps: pl.Series) -> float | None:
    """Median of the positive steps [s], None when there is none."""
    median = steps.filter(steps > 0).median()
    return float(median) if isinstance(median, (int, float)) else None


def jitter_count(intervals: pl.Series) -> int:
    """How many intervals differ from the usual one by more than a tenth, gaps not counted."""
    usual = usual_interval(intervals)
    if usual is None:
        return 0
    off = (intervals - usual).abs()
    return int(((off > JITTER_SHARE * usual) & (intervals <= GAP_INTERVALS * usual)).sum())


def runs(beyond: Bools) -> list[tuple[int, int]]:
    """First and last index of each unbroken run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], beyond, [False])).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def bridged(beyond: Bools, hole: int = 1) -> Bools:
    """`beyond` with holes of up to `hole` samples between two runs filled: one dip does not end an episode."""
    filled = beyond.copy()
    found = runs(beyond)
    for (_, end), (start, _) in pairwise(found):
        if start - end - 1 <= hole:
            filled[end + 1 : start] = True
    return filled


def thin(values: Floats, most: int) -> NDArray[np.intp]:
    """Positions of at most `most` points that keep the first, the last and every bucket's extremes.

    Args:
        values: One series; NaN where a sample is missing.
        most: At least 4.

    Returns:
        Sorted positions.
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    buckets = (most - 2) // 2
    size, larger = divmod(count, buckets)
    # The first buckets are one longer where the points cannot be dealt out evenly.
    behind = larger * (size + 1)
    kept = [np.array([0, count - 1])]
    for start, end, width in ((0, behind, size + 1), (behind, count, size)):
        part = values[start:end].reshape(-1, width)
        first = np.arange(start, end, width)
        missing = np.isnan(part)
        kept.append(first + np.where(missing, np.inf, part).argmin(axis=1))
        kept.append(first + np.where(missing, -np.inf, part).argmax(axis=1))
    return np.unique(np.concatenate(kept))
