"""How much means of autocorrelated samples vary: what a stretch of samples is worth in independent ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Floats

# A correlation of neighbors above this is taken as this: means of such series say nothing in any case.
MOST_PHI = 0.98
# Variances of block means are looked at while there are so many blocks.
FEWEST_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and variation of reference samples.

    Attributes:
        mean: (series,)
        ss: (series,) sum of squared deviations.
        short: (series,) by how much the variance of a mean of as many samples as the window has exceeds that of
            independent ones, 1 or more.
        long: (series,) the same of the reference's own mean.
    """

    mean: Floats
    ss: Floats
    short: Floats
    long: Floats


def spread_of(reference: Floats, inside: int) -> Spread:
    """Mean and variation, autocorrelation included.

    Two estimates of the variance of a mean, the larger one counts: that of an AR(1) process with the correlation of
    neighbors (Bayley and Hammersley 1946), which is raised by its bias (Kendall 1954); and the variances of means
    of blocks of 2, 4, 8, ... samples, as long as there are eight blocks, which see what an AR(1) process does not.

    Args:
        reference: (series, n) samples.
        inside: Samples of the window.
    """
    n = reference.shape[1]
    mean = reference.sum(axis=1) / n
    off = reference - mean[:, None]
    ss = np.einsum("ij,ij->i", off, off)
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = np.where(ss > 0, np.einsum("ij,ij->i", off[:, 1:], off[:, :-1]) / ss, 0.0)
        phi = np.clip(phi + (1 + 3 * phi) / n, 0.0, MOST_PHI)
        short, long = (np.maximum(1.0, _of_ar1(phi, count)) for count in (inside, n))
        size, sums = 1, off
        while (blocks := sums.shape[1] // 2) >= FEWEST_BLOCKS:
            sums, size = sums[:, : 2 * blocks : 2] + sums[:, 1 : 2 * blocks : 2], 2 * size
            grown = np.einsum("ij,ij->i", sums, sums) / (blocks - 1) / size * n / ss
            long = np.fmax(long, grown)
            if size <= inside:
                short = np.fmax(short, grown)
    return Spread(mean, ss, np.minimum(short, inside), np.minimum(long, n / 2))


def _of_ar1(phi: Floats, count: int) -> Floats:
    """Variance of a mean, times n, over that of a sample: (1 + phi) / (1 - phi) less what a short stretch lacks."""
    whole = (1 + phi) / (1 - phi)
    return np.asarray(whole - 2 * phi * (1 - phi**count) / (count * (1 - phi) ** 2))
