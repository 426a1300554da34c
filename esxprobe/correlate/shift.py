"""Is a shift left over between the guest's log and the capture? A check that warns; nothing is moved by it.

The largest of many correlations is large by chance. So the null is that of the largest: both sides are
ranked and prewhitened, all circular shifts outside the window say how strong one lag is by chance, and the
probability is that of the strongest of all lags in the window. The window fits only a few times into a capture,
so the tail is that of a chi-square distribution scaled to those shifts, not a count of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from esxprobe.correlate.slope import Ints, lag_one
from esxprobe.series import Floats

WINDOW_S = 60.0  # leftover shifts beyond that are not looked for
SHORTEST = 60  # samples
ALARM_P = 0.05
# The best lag has to beat no lag at all by that much of chi-square, or they are the same.
_LEAD = 4.0


@dataclass(frozen=True, slots=True)
class Shift:
    """What the check found.

    Attributes:
        seconds: By how much the guest's log lies late after the offset was applied; add it to the offset [s].
        p: Probability that the strongest lag is that strong by chance.
        warning: Whether the clocks are to be looked at.
    """

    seconds: float
    p: float
    warning: bool


def leftover_shift(vcpu: Floats, guest: Floats, stretch: Ints, interval_s: float) -> Shift:
    """Looks for the lag at which the guest's counters explain most of the vCPU time.

    Args:
        vcpu: (n,) vCPU time.
        guest: (n, k) counters of the guest that should move together with it.
        stretch: (n,) number of the unbroken stretch of each sample; the longest one is looked at.
        interval_s: Usual interval [s].
    """
    from scipy.special import gammaincc

    nothing = Shift(np.nan, np.nan, warning=False)
    if not len(stretch):
        return nothing
    longest = stretch == np.bincount(stretch).argmax()
    count = int(longest.sum()) - 1
    reach = min(max(round(WINDOW_S / interval_s), 2), count // 6)
    if count < SHORTEST:
        return nothing
    y = _innovations(vcpu[longest])
    columns = [_innovations(column) for column in guest[longest].T]
    columns = [column for column in columns if column.any()]
    if not y.any() or not columns:
        return nothing
    strengths = _strengths(y, np.column_stack(columns))
    lags = np.arange(-reach, reach + 1)
    inside = strengths[lags]
    outside = strengths[2 * reach + 1 : count - 2 * reach]
    scale = max(float(outside.mean()) / len(columns), 1e-12)
    best = int(inside.argmax())
    single = float(gammaincc(len(columns) / 2, inside[best] / scale / 2))
    p = float(-np.expm1(len(lags) * np.log1p(-min(single, 1 - 1e-12))))
    seconds = (lags[best] + _summit(strengths, int(lags[best]))) * interval_s
    leads = bool(inside[best] - strengths[0] > _LEAD * scale)
    return Shift(float(seconds), p, warning=bool(p < ALARM_P and lags[best] != 0 and leads))


def _innovations(values: Floats) -> Floats:
    """What is new in each sample's rank: the part that the sample before does not foretell; mean 0, length 1.

    Ranks, because a burst of faults would outweigh all the rest.
    """
    _, place, many = np.unique(values, return_inverse=True, return_counts=True)
    if len(many) < 2:
        return np.zeros(len(values) - 1)
    ranks = (np.cumsum(many) - (many - 1) / 2)[place]
    centred = ranks - ranks.mean()
    rho = min(max(lag_one(centred, np.zeros(len(values), dtype=np.intp)), -0.98), 0.98)
    new = centred[1:] - rho * centred[:-1]
    new = new - new.mean()
    unit: Floats = new / float(new @ new) ** 0.5
    return unit


def _strengths(y: Floats, columns: Floats) -> Floats:
    """Samples times R^2 of y on the columns for every circular lag; at lag L the guest is L samples late."""
    basis, _ = np.linalg.qr(columns)
    count = len(y)
    seen = np.fft.irfft(np.fft.rfft(basis, axis=0) * np.conj(np.fft.rfft(y))[:, None], count, axis=0)
    strengths: Floats = count * (seen * seen).sum(axis=1)
    return strengths


def _summit(strengths: Floats, lag: int) -> float:
    """Where between the neighbours of the best lag the peak lies [samples], by a parabola through the three."""
    before, here, after = strengths[[lag - 1, lag, (lag + 1) % len(strengths)]]
    bend = before - 2 * here + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
