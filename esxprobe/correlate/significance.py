"""How sure: correlations whose p-value knows that neighbouring samples say nearly the same.

References:
    Bretherton et al. (1999), J. Climate 12: n_eff = n (1 - r1x r1y) / (1 + r1x r1y).
    Kendall (1954), Biometrika 41: r1 is estimated too low by (1 + 3 r1)/n in short series.
    Benjamini, Hochberg (1995), J. R. Stat. Soc. B 57: false discovery rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from esxprobe.correlate.slope import Ints, lag_one, residuals
from esxprobe.series import Floats

# Of the largest value: what differs by less is the same, for adding counts up and differencing them rounds.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation with what it is worth.

    Attributes:
        r: -1 to 1; NaN when one side does not move.
        p: Two-sided, NaN likewise.
        n_eff: How many independent samples it rests on; 0 when one side does not move.
    """

    r: float
    p: float
    n_eff: float


def partial_correlation(y: Floats, x: Floats, controls: Floats, stretch: Ints) -> Correlation:
    """Correlation of y (n,) and x (n,) when the controls (n, k) are taken out of both.

    Taking out `k` controls that wander themselves eats autocorrelation: what is left looks more independent
    than it is. So r1 is raised by k/3 of its own bias; the share was chosen by measurement (docs/method.md).
    """
    from scipy.special import stdtr

    count, many = len(y), controls.shape[1]
    basis = np.column_stack((np.ones(count), controls))
    left_x, left_y = residuals(basis, x), residuals(basis, y)
    power = float((left_x @ left_x) * (left_y @ left_y))
    if count <= many + 3 or power <= 0 or not (left_of(left_x, x) and left_of(left_y, y)):
        return Correlation(np.nan, np.nan, 0.0)
    r = float(np.clip(left_x @ left_y / power**0.5, -1, 1))
    n_eff = effective_samples(left_x, left_y, stretch, many)
    freedom = max(n_eff - 2 - many, 0.5)
    t = abs(r) * (freedom / max(1 - r * r, 1e-300)) ** 0.5
    return Correlation(r, float(2 * stdtr(freedom, -t)), n_eff)


def effective_samples(x: Floats, y: Floats, stretch: Ints, controls: int = 0) -> float:
    """Bretherton's number of independent pairs in two series of residuals; never more than there are."""
    count = len(x)
    ones = [lag_one(values, stretch) for values in (x, y)]
    ones = [min(r1 + controls / 3 * (1 + 3 * max(r1, 0.0)) / count, 0.99) for r1 in ones]
    product = max(ones[0] * ones[1], 0.0)
    return count * (1 - product) / (1 + product)


def false_discovery(p: Floats) -> Floats:
    """Benjamini-Hochberg q of each p (n,); NaN where p is, which do not count as tests."""
    q = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    if len(tested):
        order = tested[np.argsort(p[tested], kind="stable")]
        raised = p[order] * len(order) / np.arange(1, len(order) + 1)
        q[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return q


def left_of(part: Floats, whole: Floats) -> bool:
    """Whether more than rounding is left of a series."""
    return bool(len(part)) and bool(np.ptp(part) > ROUNDING * np.abs(whole).max())
