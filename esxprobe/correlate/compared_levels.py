"""Two stretches of time held against each other, many counters at once: by how much, and how sure.

Samples are ranked together, so no shape is assumed and a few wild values change little. What tells how sure is
the number of independent samples: a series whose neighbors are alike says less than its length.

References:
    Mann, Whitney (1947), Ann. Math. Stat. 18; Hodges, Lehmann (1963), Ann. Math. Stat. 34: ranks, and the shift.
    Cliff (1993), Psychological Bulletin 114: delta, 2 P(now > before) - 1 with ties counted half.
    Geyer (1992), Statistical Science 7: autocorrelation added up while pairs of lags are positive.
    Kendall (1954), Biometrika 41: autocorrelation is estimated too low in short series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Floats, Indexes
from esxprobe.series import quantiles_of_sorted

# Quantiles that stand for all samples where each is held against each: their differences are as good as all.
_GRID = 40
_QUARTILES = np.array([0.25, 0.5, 0.75])
_CHUNK = 256
_LEVEL, _POWER_Z = 0.05, 0.8416  # a change is called detectable when it is found in four of five captures
# Below so many independent samples in either stretch nothing is claimed; see docs/method.md for what that does.
FEWEST_OF_EACH = 10.0
_MOST_TAU = 0.5  # of the samples: what is worth fewer than two samples is worth nothing


@dataclass(frozen=True, slots=True)
class ComparedLevels:
    """One value a row of what was compared; NaN where it is unknown.

    Attributes:
        before: (rows, 3) quartiles.
        now: (rows, 3) quartiles.
        samples: (rows, 2) numbers of values, before and now.
        n_eff: (rows, 2) what they are worth in independent ones; NaN where neither moves.
        delta: Cliff's, 1 when every value now is above every one before, -1 when below.
        shift: Hodges and Lehmann's: the median of all differences now less before.
        low: Of its 95 % interval.
        high: Of its 95 % interval.
        p: Two-sided, that both come from one distribution; NaN where neither moves.
        least_shift: The smallest shift that would have been found in four of five such pairs, at p < 0.05.
        least_delta: The same as Cliff's delta.
    """

    before: Floats
    now: Floats
    samples: Indexes
    n_eff: Floats
    delta: Floats
    shift: Floats
    low: Floats
    high: Floats
    p: Floats
    least_shift: Floats
    least_delta: Floats


def compare_levels(before: Floats, now: Floats, stretch_before: Indexes, stretch_now: Indexes) -> ComparedLevels:
    """Compares rows of samples, all at once.

    Args:
        before: (rows, n) values; NaN where there is none.
        now: (rows, m) values of the same things.
        stretch_before: (n,) the stretch without a hole that each sample is in.
        stretch_now: (m,) the same.
    """
    from scipy.stats import rankdata, t

    both = np.concatenate((before, now), axis=1)
    known = ~np.isnan(both)
    width = before.shape[1]
    samples = np.stack((known[:, :width].sum(axis=1), known[:, width:].sum(axis=1)), axis=1)
    ranks = rankdata(np.where(known, both, np.inf), axis=1)  # what is missing ranks last and changes no other rank
    ranks = np.where(known, ranks, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = samples.sum(axis=1)
        middle = np.nansum(ranks, axis=1) / total
        spread = np.sqrt(np.nansum((ranks - middle[:, None]) ** 2, axis=1) / np.maximum(total - 1, 1))
        parts = ((ranks[:, :width], stretch_before), (ranks[:, width:], stretch_now))
        means = np.stack([np.nansum(part, axis=1) for part, _ in parts], axis=1) / samples
        taus = [
            correlated_for(part - mean[:, None], where) for (part, where), mean in zip(parts, means.T, strict=True)
        ]
        # In a short series it is estimated with a wide error: the larger one is taken for both. A constant
        # one has no estimate of its own.
        n_eff = samples / np.fmax(*taus)[:, None]
        error = spread / total * np.sqrt((1 / n_eff).sum(axis=1))
        auc = (means[:, 1] - means[:, 0]) / total
        freedom = np.maximum(n_eff.sum(axis=1) - 2, 1)
        p = np.asarray(2 * t.sf(np.abs(auc) / error, freedom))
        half = np.asarray(t.isf(_LEVEL / 2, freedom)) * error
        # How far a change must be from none to be found so often, as a multiple of what chance alone reaches.
        reach = 1 + _POWER_Z * error / half
    sorted_before, sorted_now = np.sort(before, axis=1), np.sort(now, axis=1)
    shift, low, high = _shifts(sorted_before, sorted_now, samples, half)
    return ComparedLevels(
        before=quantiles_of_sorted(sorted_before, samples[:, 0], _QUARTILES),
        now=quantiles_of_sorted(sorted_now, samples[:, 1], _QUARTILES),
        samples=samples,
        n_eff=n_eff,
        delta=2 * auc,
        shift=shift,
        low=low,
        high=high,
        p=p,
        least_shift=(high - low) / 2 * reach,
        least_delta=np.minimum(2 * half * reach, 1.0),
    )


def correlated_for(values: Floats, stretch: Indexes) -> Floats:
    """For how many samples each row (rows, n) of values around zero stays alike; 1 of independent ones.

    The larger of two answers: that of an AR(1) process with the row's autocorrelation at lag one, and the
    autocorrelation added up as far as it is positive. NaN of a row that does not move.
    """
    rows, length = values.shape
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    count = known.sum(axis=1)
    power = (filled**2).sum(axis=1)
    moves = (power > 0) & (count > 2)
    follows = known[:, 1:] & known[:, :-1] & (stretch[1:] == stretch[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        pairs = np.maximum(follows.sum(axis=1) + 1, 1)
        one = (filled[:, 1:] * filled[:, :-1] * follows).sum(axis=1) / power * count / pairs
        one = np.clip(one + (1 + 3 * np.maximum(one, 0)) / count, 0, 0.99)
        by_one = (1 + one) / (1 - one)
        size = 1 << (2 * length - 1).bit_length()
        spectrum = np.fft.rfft(filled, size, axis=1)
        covered = np.fft.irfft(np.abs(spectrum) ** 2, size, axis=1)[:, : length - length % 2] / power[:, None]
        pairs_of_lags = covered.reshape(rows, -1, 2).sum(axis=2)
        positive = np.logical_and.accumulate(pairs_of_lags > 0, axis=1)
        lags = 2 * positive.sum(axis=1)
        added = 2 * (pairs_of_lags * positive).sum(axis=1) - 1
        added *= 1 + lags / count  # the mean was taken out: every lag lost its share
        found = np.clip(np.fmax(by_one, added), 1, _MOST_TAU * np.maximum(count, 2))
    return np.where(moves, found, np.nan)


def _occurred(ordered: Floats, count: Indexes, at: Floats) -> Floats:
    """Values (rows, len(at)) that occurred at these shares of rows that are sorted with what is missing last."""
    places = np.floor(at[None, :] * count[:, None]).astype(np.intp)
    places = np.clip(places, 0, np.maximum(count[:, None] - 1, 0))
    found: Floats = np.take_along_axis(ordered, places, axis=1)
    return found


def _shifts(before: Floats, now: Floats, samples: Indexes, half: Floats) -> tuple[Floats, Floats, Floats]:
    """The median of all differences and the ends of its interval, from the quantiles of both sides.

    `half` is how far from one half the share of differences below the shift can be by chance.
    """
    at = (np.arange(_GRID) + 0.5) / _GRID
    found = np.full((3, len(before)), np.nan)
    shares = np.stack((np.full(len(before), 0.5), 0.5 - half, 0.5 + half), axis=1)
    for start in range(0, len(before), _CHUNK):
        part = slice(start, start + _CHUNK)
        ours, theirs = _occurred(now[part], samples[part, 1], at), _occurred(before[part], samples[part, 0], at)
        differences = np.sort((ours[:, :, None] - theirs[:, None, :]).reshape(len(ours), -1), axis=1)
        last = differences.shape[1] - 1
        with np.errstate(invalid="ignore"):
            places = np.nan_to_num(np.clip(shares[part] * last, 0, last)).round().astype(np.intp)
        picked = np.take_along_axis(differences, places, axis=1)
        found[:, part] = np.where(np.isnan(shares[part]), np.nan, picked).T
    return found[0], found[1], found[2]
