"""The statistics as one would write them first: loops, no arrays, no care for time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise


def mean_over(
    end: float, covered: float, stamps: Sequence[float], covers: Sequence[float], rates: Sequence[float]
) -> float:
    """Mean rate over one interval, from the part of each logged interval in it; NaN when they do not fill it.

    A logged interval of more than 1.5 times the median is a gap.
    """
    begin = end - covered
    count = seconds = 0.0
    longest = 1.5 * median(covers)
    for stamp, cover, rate in zip(stamps, covers, rates, strict=True):
        shared = min(end, stamp) - max(begin, stamp - cover)
        if shared > 0 and cover <= longest and not math.isnan(rate):
            count += shared * rate
            seconds += shared
    return count / covered if seconds >= covered * (1 - 1e-6) else math.nan


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def pairwise_slopes(y: Sequence[float], x: Sequence[float]) -> list[float]:
    return [(y[j] - y[i]) / (x[j] - x[i]) for i in range(len(x)) for j in range(i + 1, len(x)) if x[j] != x[i]]


def autocorrelation(values: Sequence[float]) -> float:
    return sum(a * b for a, b in pairwise(values)) / sum(a * a for a in values)


def correlation(x: Sequence[float], y: Sequence[float]) -> float:
    mx, my = sum(x) / len(x), sum(y) / len(y)
    xy = sum((a - mx) * (b - my) for a, b in zip(x, y, strict=True))
    xx, yy = sum((a - mx) ** 2 for a in x), sum((b - my) ** 2 for b in y)
    return xy / math.sqrt(xx * yy)


def bretherton(x: Sequence[float], y: Sequence[float]) -> float:
    mx, my = sum(x) / len(x), sum(y) / len(y)
    both = autocorrelation([a - mx for a in x]) * autocorrelation([b - my for b in y])
    return min(len(x) * (1 - both) / (1 + both), len(x))


def without(control: Sequence[float], values: Sequence[float]) -> list[float]:
    """What a straight line on one control leaves of the values."""
    mc, mv = sum(control) / len(control), sum(values) / len(values)
    slope = sum((c - mc) * (v - mv) for c, v in zip(control, values, strict=True))
    slope /= sum((c - mc) ** 2 for c in control)
    return [v - mv - slope * (c - mc) for c, v in zip(control, values, strict=True)]


def benjamini_hochberg(p: Sequence[float]) -> list[float]:
    """For each p the smallest level at which it would be called found."""
    ordered = sorted(p)
    return [
        min(min(1.0, ordered[rank] * len(p) / (rank + 1)) for rank in range(len(p)) if ordered[rank] >= one)
        for one in p
    ]


def strength_at(lag: int, y: Sequence[float], x: Sequence[float]) -> float:
    """Samples times squared correlation of y with x read `lag` samples later, in a circle."""
    turned = [x[(k + lag) % len(x)] for k in range(len(x))]
    return len(x) * correlation(y, turned) ** 2


def shared(begin: float, end: float, start: float, stop: float) -> float:
    """How much of one stretch of time lies in another."""
    return max(0.0, min(end, stop) - max(begin, start))
