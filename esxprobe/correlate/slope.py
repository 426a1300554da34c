"""The slope: vCPU time for one fault, its interval, and what of the guest's load has been taken out first.

References:
    Cochrane, Orcutt (1949): prewhitening with the residuals' lag-1 autocorrelation.
    Frisch, Waugh (1933); Lovell (1963): a partial slope is the slope between residuals on the controls.
    Theil (1950); Sen (1968): median of all pairwise slopes, and its rank interval.
    Pyper, Peterman (1998): what autocorrelation that is left does to the width.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from esxprobe.arrays import Floats, Indexes

CONFIDENCE = 0.95
# Rounds of slope and autocorrelation; three settle the second digit of rho.
_ROUNDS = 8
# Lags whose autocorrelation still widens the interval after prewhitening.
_LAGS = 10
# Residuals that alternate make the interval too wide; what can be taken back is limited, for the estimate is noisy.
_NARROWEST = 0.7
_WIDEST = 5.0


@dataclass(frozen=True, slots=True)
class Slope:
    """A slope with its interval, and the points it goes through.

    Attributes:
        value: [y for one x].
        low: Lower end of the 95 % interval.
        high: Upper end of it.
        rho: The lag-1 autocorrelation that was taken out.
        x: (m,) what is left of x.
        y: (m,) what is left of y.
    """

    value: float
    low: float
    high: float
    rho: float
    x: Floats
    y: Floats


def partial_slope(y: Floats, x: Floats, controls: Floats, stretch: Indexes) -> Slope:
    """AR(1)-prewhitened Theil-Sen slope of y on x after the controls are taken out of both.

    Args:
        y: (n,) dependent.
        x: (n,) independent.
        controls: (n, k) what else moves y.
        stretch: (n,) number of the unbroken stretch that each sample belongs to, rising: nothing is
            differenced across a hole.

    Returns:
        The slope; NaN everywhere when too few samples are left or x does not move of its own.
    """
    rho, whitened = _whiten(y, np.column_stack((np.ones(len(y)), x, controls)), stretch)
    follows = np.flatnonzero(stretch[1:] == stretch[:-1])
    others = np.delete(whitened, (0, 2), axis=1)
    left_y, left_x = residuals(others, whitened[:, 0]), residuals(others, whitened[:, 2])
    freedom = len(left_y) - whitened.shape[1] - 1
    if freedom < 2 or not left_x.any() or np.ptp(left_x) <= 1e-9 * np.ptp(x):
        return Slope(np.nan, np.nan, np.nan, np.nan, left_x, left_y)
    rough = float(left_x @ left_y / (left_x @ left_x))
    factor = _inflation(left_x, left_y - rough * left_x, stretch[1:][follows])
    factor = min(max(factor, _NARROWEST), _WIDEST) * len(left_y) / freedom
    value, low, high = theil_sen(left_y, left_x, widen=factor**0.5)
    return Slope(value, low, high, rho, left_x, left_y)


def theil_sen(y: Floats, x: Floats, *, widen: float = 1.0) -> tuple[float, float, float]:
    """Median of the slopes between all pairs of points, with Sen's 95 % interval.

    Args:
        y: (n,)
        x: (n,)
        widen: Factor on the interval's half-width in ranks; above 1 where samples are not independent.

    Returns:
        Slope, lower and upper end; NaN when no two x differ.
    """
    from scipy.special import ndtri

    count = len(x)
    first, second = _pairs(count)
    step = x[second] - x[first]
    rise = y[second] - y[first]
    if not (moves := step != 0).all():
        step, rise = step[moves], rise[moves]
    slopes = rise / step
    many = len(slopes)
    if not many:
        return np.nan, np.nan, np.nan
    spread = (count * (count - 1) * (2 * count + 5) - _tied(x) - _tied(y)) / 18
    reach = float(ndtri((1 + CONFIDENCE) / 2)) * max(spread, 0.0) ** 0.5 * widen
    low = max(round((many - reach) / 2) - 1, 0)
    high = min(round((many + reach) / 2), many - 1)
    middle = [(many - 1) // 2, many // 2]
    slopes.partition(sorted({low, high, *middle}))
    return float(slopes[middle].mean()), float(slopes[low]), float(slopes[high])


def residuals(basis: Floats, values: Floats) -> Floats:
    """What of `values` (n,) the columns of `basis` (n, k) do not explain."""
    scale = np.abs(basis).max(axis=0, initial=0.0)
    scaled = basis / np.where(scale > 0, scale, 1.0)
    weights, *_ = np.linalg.lstsq(scaled, values, rcond=None)
    left: Floats = values - scaled @ weights
    return left


def lag_one(values: Floats, stretch: Indexes) -> float:
    """Lag-1 autocorrelation of values around zero, pairs across holes left out.

    Of one stretch it is the plain ratio of sums, whose lowness in short series is what Bretherton's number of
    pairs was calibrated with.
    """
    follows = stretch[1:] == stretch[:-1]
    total = float(values @ values)
    if not total or not follows.any():
        return 0.0
    products = float((values[1:] * values[:-1])[follows].sum())
    return products / total * len(values) / (int(follows.sum()) + 1)


def _whiten(y: Floats, columns: Floats, stretch: Indexes) -> tuple[float, Floats]:
    """Rho, and y beside the columns with rho times the sample before subtracted."""
    table = np.column_stack((y, columns))
    follows = np.flatnonzero(stretch[1:] == stretch[:-1])
    count = len(y)
    left = residuals(columns, y)
    rho, whitened = 0.0, table[1:][follows]
    for _ in range(_ROUNDS):
        found = lag_one(left, stretch)
        if found > 0:  # the estimate of a positive autocorrelation is low in short series (Kendall 1954)
            found += (1 + 3 * found) / count
        found = min(max(found, -0.98), 0.98)
        whitened = (table[1:] - found * table[:-1])[follows]
        settled = abs(found - rho) < 1e-3
        rho = found
        if settled or not len(whitened):
            break
        scale = np.abs(whitened[:, 1:]).max(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        weights, *_ = np.linalg.lstsq(whitened[:, 1:] / scale, whitened[:, 0], rcond=None)
        left = y - columns @ (weights / scale)
        left = left - left.mean()
    return rho, whitened


def _inflation(x: Floats, left: Floats, stretch: Indexes) -> float:
    """Variance of a slope over that of independent samples, from both autocorrelations (Bartlett weights)."""
    spots = np.arange(len(x)) + _LAGS * (stretch - stretch[0])
    grid = np.zeros((2, int(spots[-1]) + 1))
    grid[0, spots], grid[1, spots] = x - x.mean(), left - left.mean()
    power = (grid * grid).sum(axis=1)
    if not power.all():
        return 1.0
    total = 1.0
    for lag in range(1, min(_LAGS, len(x) // 5) + 1):
        a, b = (grid[:, lag:] * grid[:, :-lag]).sum(axis=1) / power
        total += 2 * (1 - lag / (_LAGS + 1)) * (1 - lag / len(x)) * a * b
    return float(total)


@lru_cache(maxsize=4)
def _pairs(count: int) -> tuple[Indexes, Indexes]:
    """Both positions of each pair of `count` points."""
    first, second = np.triu_indices(count, 1)
    return first, second


def _tied(values: Floats) -> int:
    """What ties take from the variance of Kendall's score."""
    counts = np.unique(values, return_counts=True)[1]
    tied = counts[counts > 1]
    return int((tied * (tied - 1) * (2 * tied + 5)).sum())
