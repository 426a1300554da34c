"""Arithmetic of series: intervals, gaps, runs, quantiles, thinning that keeps extremes, another clock's rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Bools, Floats

if TYPE_CHECKING:
    import polars as pl

# Longer than this many usual intervals is a gap; more than this share of one is jitter.
GAP_INTERVALS = 1.5
JITTER_SHARE = 0.1

# How much of a capture is worked on at a time [bytes].
PART = 32 << 20


@dataclass(frozen=True, slots=True)
class Timing:
    """When the judged samples were.

    Attributes:
        seconds: What each sample stands for [s].
        stretches: First and exclusive last sample of what follows without a hole.
        ends_s: Stamps, each the end of its sample [s].
    """

    seconds: Floats
    stretches: tuple[tuple[int, int], ...]
    ends_s: Floats

    @classmethod
    def gapless(cls, seconds: Floats) -> Timing:
        """Samples of these lengths [s], one right after the other."""
        return cls(seconds, ((0, len(seconds)),) if len(seconds) else (), np.cumsum(seconds))


def measure_intervals(samples: pl.DataFrame) -> pl.DataFrame:
    """Adds what each sample covers, measured from the stamps and never assumed.

    An esxtop stamp is the end of its interval, so a sample covers the time since the one before. A sample with the
    time of one in an earlier segment is that sample once more (a file that was appended to itself).

    Args:
        samples: segment (int), time (Datetime UTC), in file order.

    Returns:
        The same rows with interval_s (Float64, null where unknown), judged (Boolean) and reason
        (`first`, `repeats`, `backwards`, `again`, `gap` or empty). A sample is analyzed when its interval is
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
        .when(pl.col("segment") > pl.col("segment").min().over("time"))
        .then(pl.lit("again"))
        .otherwise(pl.lit(""))
    )
    stepped = samples.with_columns(step.alias("step")).with_columns(reason.alias("reason"))
    usual = usual_interval(stepped["step"])
    gap = pl.col("step") > GAP_INTERVALS * (usual or float("inf"))
    return (
        stepped.with_columns(
            pl.when((pl.col("reason") == "") & gap).then(pl.lit("gap")).otherwise("reason").alias("reason"),
            pl.when((pl.col("step") > 0) & (pl.col("reason") != "again")).then("step").alias("interval_s"),
        )
        .with_columns(pl.col("interval_s").is_not_null().alias("judged"))
        .drop("step")
    )


def covered_seconds(intervals: Floats) -> Floats:
    """What each judged sample stands for [s]: its interval, of a long one no more than a gap begins at.

    After a gap it is unknown whether esxtop was late, so that the row averages over all of it, or whether
    rows were lost on the way: one row must not weigh like a hundred.
    """
    if not len(intervals):
        return intervals
    return np.minimum(intervals, GAP_INTERVALS * float(np.median(intervals)))


def stretches(ends_s: Floats, covered_s: Floats) -> list[tuple[int, int]]:
    """First and exclusive last index of samples that follow each other without a hole.

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


def quantile(values: Floats, share: float) -> float:
    """A quantile of the known values, NaN without any.

    The one method of everything that prints a quantile (a 95th percentile, a quartile): linear interpolation
    between the two samples beside place `share * (n - 1)` of the ordered values, type 7 of Hyndman and Fan (1996),
    which is numpy's default.

    Args:
        values: (n,) in any order, NaN for none.
        share: 0 to 1.
    """
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share, method="linear")) if len(known) else float("nan")


def quantile_of_rows(values: Floats, share: float) -> Floats:
    """The same quantile of each row, NaN of a row without any value."""
    if not np.isnan(values).any() and values.size:
        return np.asarray(np.quantile(values, share, axis=1, method="linear"))
    return np.array([quantile(row, share) for row in values])


def quantiles_of_sorted(ordered: Floats, count: NDArray[np.intp], shares: Floats) -> Floats:
    """The same quantiles (rows, len(shares)) of rows that are sorted with what is missing last."""
    last = np.maximum(count - 1, 0)[:, None]
    place = shares[None, :] * last
    low = np.floor(place).astype(np.intp)
    below, above = (np.take_along_axis(ordered, at, axis=1) for at in (low, np.minimum(low + 1, last)))
    return np.asarray(below + (above - below) * (place - low))


def in_parts(count: int, numbers: int) -> Iterator[slice]:
    """Slices of things, in batches that need no more than `PART`.

    Args:
        count: How many things there are: entities or samples.
        numbers: How many numbers are held for each.
    """
    size = max(1, PART // (8 * max(1, numbers)))
    return (slice(begin, min(begin + size, count)) for begin in range(0, count, size))


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


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far another clock is ahead of the host's, as a line in time; zero by default.

    A drift no larger than what the two measurements can be wrong by is not a drift: then their mean counts, the
    surer one more. Before the first and after the last measurement the offset stays as it was.

    Attributes:
        start_at_s: When it was measured first, by the host's clock [s].
        start_s: Its time less the host's then [s].
        end_at_s: When it was measured last [s].
        end_s: Its time less the host's then [s].
        start_uncertainty_s: Either way [s].
        end_uncertainty_s: Either way [s].
    """

    start_at_s: float = 0.0
    start_s: float = 0.0
    end_at_s: float = 0.0
    end_s: float = 0.0
    start_uncertainty_s: float = 0.0
    end_uncertainty_s: float = 0.0

    @classmethod
    def constant(cls, offset_s: float, uncertainty_s: float = 0.0) -> ClockOffset:
        """One offset [s] for all times."""
        return cls(0.0, offset_s, 0.0, offset_s, uncertainty_s, uncertainty_s)

    @property
    def drifts(self) -> bool:
        """Whether the two measurements differ by more than they can be wrong by."""
        doubt = self.start_uncertainty_s + self.end_uncertainty_s
        return self.end_at_s > self.start_at_s and abs(self.end_s - self.start_s) > doubt

    @property
    def mean_s(self) -> float:
        """The offset [s] in the middle of the measurements, the surer one counting more where nothing drifts."""
        first, last = self.start_uncertainty_s**2, self.end_uncertainty_s**2
        if self.drifts or not first + last:
            return (self.start_s + self.end_s) / 2
        return (self.start_s * last + self.end_s * first) / (first + last)

    def host_time(self, stamps_s: Floats) -> Floats:
        """The host's time [s] at which the other clock showed `stamps_s`."""
        if not self.drifts:
            return stamps_s - self.mean_s
        shown = np.array([self.start_at_s + self.start_s, self.end_at_s + self.end_s])
        if shown[1] <= shown[0]:  # set back further than the time between: no line describes that
            return stamps_s - self.mean_s
        ahead: Floats = np.interp(stamps_s, shown, np.array([self.start_s, self.end_s]))
        return stamps_s - ahead


def means_over(ends_s: Floats, covered_s: Floats, stamps_s: Floats, covers_s: Floats, rates: Floats) -> Floats:
    """Means of rates logged on other intervals, over the intervals of a capture.

    Counts are added up along the log, read off at both ends of each interval by linear interpolation, and
    divided by its real length. That is exact for rates that are constant within the log's intervals. Joining
    the nearest stamps instead would leave a series of 5 s samples that is off by 2 s a correlation of 0.6.

    Args:
        ends_s: (n,) ends of the wanted intervals [s].
        covered_s: (n,) their lengths [s]; NaN where one is not known.
        stamps_s: (m,) ends of the log's intervals, rising, on the same clock [s].
        covers_s: (m,) what each covers [s]; NaN where that is not known. One of more than 1.5 times the median
            counts as a gap. A hole or overlap between
            neighbors of up to a tenth is jitter; where more overlaps, the earlier value keeps its time.
        rates: (m,) or (k, m) means over them; NaN where missing.

    Returns:
        (n,) or (k, n) means over the wanted intervals, NaN where the log does not cover one wholly.
    """
    out = LoggedRates.of(stamps_s, covers_s, np.atleast_2d(rates)).means(ends_s, covered_s)
    return out if rates.ndim > 1 else out[0]


@dataclass(frozen=True, slots=True, eq=False)
class LoggedRates:
    """Rates of a log, added up along it: their means over any intervals can be asked for, many times.

    Attributes:
        zero_s: What times are counted from: seconds since 1970 would eat the digits that short intervals need [s].
        sums: A record a series: times [s], counts and covered seconds until then; None for a series without a
        value.
    """

    zero_s: float
    sums: tuple[tuple[Floats, Floats, Floats] | None, ...]

    @classmethod
    def of(cls, stamps_s: Floats, covers_s: Floats, rates: Floats) -> LoggedRates:
        """Adds a log up; arguments as in `means_over`, `rates` (k, m)."""
        stamped = np.isfinite(stamps_s)
        if not stamped.any():
            return cls(0.0, (None,) * len(rates))
        zero_s = float(stamps_s[stamped][0])
        starts, stamps = _log_intervals(stamps_s[stamped] - zero_s, covers_s[stamped])
        sums = []
        for values in rates[:, stamped]:
            known = np.isfinite(values) & (stamps > starts)
            sums.append(_added_up(starts[known], stamps[known], values[known]) if known.any() else None)
        return cls(zero_s, tuple(sums))

    def means(self, ends_s: Floats, covered_s: Floats) -> Floats:
        """Means over any intervals: (k, n), NaN where the log does not cover one wholly.

        Args:
            ends_s: (n,) their ends [s].
            covered_s: (n,) their lengths [s].
        """
        out = np.full((len(self.sums), len(ends_s)), np.nan)
        ends = ends_s - self.zero_s
        begins = ends - covered_s
        for row, known in enumerate(self.sums):
            if known is None:
                continue
            times, counts, seconds = known
            with np.errstate(invalid="ignore", divide="ignore"):
                covered = np.interp(ends, times, seconds) - np.interp(begins, times, seconds)
                counted = np.interp(ends, times, counts) - np.interp(begins, times, counts)
                whole = (covered >= covered_s * (1 - 1e-6)) & (covered_s > 0)
                out[row] = np.where(whole, counted / covered_s, np.nan)
        return out


def _added_up(starts: Floats, stamps: Floats, values: Floats) -> tuple[Floats, Floats, Floats]:
    """Times at which log intervals begin and end, with counts and covered seconds until then."""
    long = stamps - starts
    none = np.zeros(len(stamps))
    times = np.column_stack((starts, stamps)).ravel()
    counts = np.cumsum(np.column_stack((none, values * long)).ravel())
    return times, counts, np.cumsum(np.column_stack((none, long)).ravel())


def _log_intervals(stamps_s: Floats, covers_s: Floats) -> tuple[Floats, Floats]:
    """Start and end [s] of what each row of a log stands for; empty where its length or order is wrong."""
    reached = np.concatenate(([-np.inf], np.maximum.accumulate(stamps_s)[:-1]))
    starts = stamps_s - covers_s
    hole = starts - reached
    # Jitter is closed, an overlap is cut to what is new; the mean stands for what remains.
    starts = np.where(hole <= JITTER_SHARE * covers_s, reached, starts)
    # A mean over much longer than usual is one since boot, or over a gap: it says nothing of any sample in it.
    lengths = covers_s[np.isfinite(covers_s) & (covers_s > 0)]
    usual = float(np.median(lengths)) if len(lengths) else 0.0
    right = (stamps_s > reached) & (covers_s > 0) & (covers_s <= GAP_INTERVALS * usual)
    return np.where(right, starts, np.inf), stamps_s
