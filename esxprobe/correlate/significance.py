"""How sure: how many samples are independent when neighbors are nearly the same, and many tests at once.

References:
    Bretherton et al. (1999), J. Climate 12: n_eff = n (1 - r1x r1y) / (1 + r1x r1y).
    Kendall (1954), Biometrika 41: r1 is estimated too low by (1 + 3 r1)/n in short series.
    Benjamini, Hochberg (1995), J. R. Stat. Soc. B 57: false discovery rate.
"""

from __future__ import annotations

import numpy as np

from esxprobe.arrays import Floats, Indexes
from esxprobe.correlate.slope import lag_one

# Of the largest value: what differs by less is the same, for adding counts up and differencing them rounds.
ROUNDING = 1e-9


def effective_samples(x: Floats, y: Floats, stretch: Indexes, controls: int = 0) -> float:
    """Bretherton's number of independent pairs in two series of residuals; never more than there are.

    Taking out `controls` series that wander themselves eats autocorrelation: what is left looks more independent
    than it is. So r1 is raised by a third of its own bias for each; the share was chosen by measurement.
    """
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
