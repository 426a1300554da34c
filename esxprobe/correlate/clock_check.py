"""Do the guest's log and the capture fit together in time? A check that warns; nothing is moved by it.

The guest's counters are put on the capture's intervals under every shift in the window, by interpolation and before
any samples are joined, so shifts of less than an interval show too. The guest's own busy time tells best: it is
nearly the vCPU time itself. The largest of many correlations is large by chance, so the null is that of the
largest: both sides are ranked and prewhitened, all circular shifts outside the window say how strong one lag is by
chance, and the probability is that of the strongest of all lags in the window. The window fits only a few times
into a capture, so the tail is that of a chi-square distribution scaled to those shifts, not a count of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Bools, Floats, Indexes
from esxprobe.correlate.slope import lag_one
from esxprobe.series import LoggedRates

WINDOW_S = 60.0  # leftover shifts beyond that are not looked for
_DRIFT_WINDOW_S = 20.0
SHORTEST = 60  # intervals
ALARM_P = 0.05
# The best shift has to beat no shift by that much of chi-square, or they are the same.
LEAD = 8.0
# Steps of the search in each of the shorter interval of the two sides.
_STEPS = 4
_MOST_SHIFTS = 240  # either way
# Each part of the capture that drift is read from has at least so many intervals.
_SHORTEST_PART = 120


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides on their own clocks.

    Attributes:
        ends_s: (n,) ends of the capture's intervals [s].
        covered_s: (n,) their lengths [s].
        vcpu: (n,) vCPU time.
        stretch: (n,) number of the unbroken stretch of each interval.
        kept: (n,) which intervals may be used.
        stamps_s: (m,) ends of the log's intervals by the host's clock, the offset applied [s].
        covers_s: (m,) their lengths [s].
        counters: (m,) each, counters of the guest that should move together with vCPU time.
    """

    ends_s: Floats
    covered_s: Floats
    vcpu: Floats
    stretch: Indexes
    kept: Bools
    stamps_s: Floats
    covers_s: Floats
    counters: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Shift:
    """What the check found; NaN where it could not be made.

    Attributes:
        seconds: By how much the guest's log is late after the offset was applied; add it to the offset [s].
        p: Probability that the strongest shift is that strong by chance.
        warning: Whether the clocks are to be looked at.
        visible_s: A shift of this size would have been seen; NaN where none in the window would have been [s].
        drift_s: How much the shift grew over the capture; NaN where it could not be read [s].
        drift_warning: Whether that is more than the two can be wrong by.
    """

    seconds: float = np.nan
    p: float = np.nan
    warning: bool = False
    visible_s: float = np.nan
    drift_s: float = np.nan
    drift_warning: bool = False


def leftover_shift(sides: Sides) -> Shift:
    """Looks for the shift under which the guest's counters explain most of the vCPU time, and for drift."""
    stretch = sides.stretch[sides.kept]
    if not len(stretch):
        return Shift()
    chosen = sides.kept & (sides.stretch == np.bincount(stretch).argmax())
    whole = _search(sides, chosen)
    if whole is None:
        return Shift()
    best, visible = whole.best(), whole.visible()
    drift, apart = _drift(sides, np.flatnonzero(chosen))
    return Shift(best[0], best[1], whole.warns(), visible, drift, apart)


@dataclass(frozen=True, slots=True)
class _OffsetSearch:
    """Strength of every shift in the window.

    Attributes:
        shifts: (k,) rising, 0 among them [s].
        strengths: (k,) intervals times R² of vCPU time on the counters.
        scale: What one strength is by chance, for each counter.
        counters: How many counters.
        interval_s: Usual interval of the capture [s].
    """

    shifts: Floats
    strengths: Floats
    scale: float
    counters: int
    interval_s: float

    def best(self) -> tuple[float, float]:
        """The strongest shift [s], and its probability by chance."""
        from scipy.special import gammaincc

        at = int(self.strengths.argmax())
        single = float(gammaincc(self.counters / 2, self.strengths[at] / self.scale / 2))
        lags = 2 * self.shifts[-1] / self.interval_s + 1
        p = float(-np.expm1(lags * np.log1p(-min(single, 1 - 1e-12))))
        return float(self.shifts[at] + self._summit(at)), p

    def warns(self) -> bool:
        at, none = int(self.strengths.argmax()), int(np.abs(self.shifts).argmin())
        leads = bool(self.strengths[at] - self.strengths[none] > LEAD * self.scale)
        return bool(self.best()[1] < ALARM_P and at != none and leads)

    def visible(self) -> float:
        """The smallest shift from the best one on beyond which every shift in the window fits clearly worse [s]."""
        if self.best()[1] >= ALARM_P:
            return float("nan")
        at = int(self.strengths.argmax())
        near = np.flatnonzero(self.strengths[at] - self.strengths <= LEAD * self.scale)
        beyond = [max(int(near[0]) - 1, 0), min(int(near[-1]) + 1, len(self.shifts) - 1)]
        reach = float(np.abs(self.shifts[beyond] - self.shifts[at]).max())
        return reach if reach < self.shifts[-1] - abs(float(self.shifts[at])) else float("nan")

    def _summit(self, at: int) -> float:
        """Where between the neighbors of the best shift the peak is [s], by a parabola through the three."""
        if not 0 < at < len(self.shifts) - 1:
            return 0.0
        before, here, after = self.strengths[at - 1 : at + 2]
        steps = np.diff(self.shifts[at - 1 : at + 2])
        bend = before - 2 * here + after
        if bend >= 0 or steps.max() > 1.01 * steps.min():
            return 0.0
        return float(np.clip((before - after) / (2 * bend), -0.5, 0.5) * steps[0])


def _search(sides: Sides, chosen: Bools, window_s: float = WINDOW_S) -> _OffsetSearch | None:
    """All shifts of the window over the chosen intervals; None where there is too little of anything."""
    if int(chosen.sum()) < SHORTEST:
        return None
    grid = _Grid(sides, chosen)
    count = len(grid.ends_s)
    if count < SHORTEST:
        return None
    interval_s = float(np.median(grid.covered_s))
    reach_s = min(max(window_s, 2 * interval_s), interval_s * (count // 6))
    coarse = min(max(round(reach_s / max(grid.finest_s, 0.1)), 2), _MOST_SHIFTS)
    step_s = reach_s / coarse
    shifts = np.linspace(-reach_s, reach_s, 2 * coarse + 1)
    strengths = grid.strengths(shifts)
    still = grid.counters(0.0)
    if still is None or not grid.vcpu(0.0).any():
        return None
    # A shift of less than a step shows between the steps next to the best one.
    finer = shifts[int(strengths.argmax())] + step_s * np.arange(1 - _STEPS, _STEPS) / _STEPS
    finer = finer[(np.abs(finer) < reach_s) & ~np.isin(finer, shifts)]
    every = np.concatenate((shifts, finer))
    order = np.argsort(every)
    strengths = np.concatenate((strengths, grid.strengths(finer)))[order]
    lags = round(reach_s / interval_s)
    outside = circular(grid.vcpu(0.0), still)[2 * lags + 1 : count - 1 - 2 * lags]
    if not len(outside):
        return None
    scale = max(float(outside.mean()) / still.shape[1], 1e-12)
    return _OffsetSearch(every[order], strengths, scale, still.shape[1], interval_s)


class _Grid:
    """The coarser side's intervals, on which the finer side is put under any shift.

    That way round nothing is made up between two values.
    """

    def __init__(self, sides: Sides, chosen: Bools) -> None:
        """The chosen intervals of the capture, and what of the log is in their time."""
        counters = np.array(list(sides.counters.values()))
        ends, covered, vcpu = sides.ends_s[chosen], sides.covered_s[chosen], sides.vcpu[chosen]
        known = np.isfinite(sides.covers_s) & (sides.covers_s > 0) & np.isfinite(sides.stamps_s)
        log_s = float(np.median(sides.covers_s[known])) if known.any() else np.inf
        self._guest_is_finer = log_s <= 1.25 * float(np.median(covered))
        if self._guest_is_finer:
            self.ends_s, self.covered_s, rows = ends, covered, vcpu[None, :]
            self._finer = LoggedRates.of(sides.stamps_s, sides.covers_s, counters)
            self.finest_s = log_s
        else:
            inside = (
                known & (sides.stamps_s - sides.covers_s >= ends[0] - covered[0]) & (sides.stamps_s <= ends[-1])
            )
            inside &= np.isfinite(counters).all(axis=0)
            self.ends_s, self.covered_s, rows = sides.stamps_s[inside], sides.covers_s[inside], counters[:, inside]
            self._finer = LoggedRates.of(ends, covered, vcpu[None, :])
            self.finest_s = float(np.median(covered))
        self._here = [innovations(row) for row in rows]

    def _there(self, shift_s: float) -> list[Floats]:
        """Innovations of the finer side, the log taken for `shift_s` late."""
        by = shift_s if self._guest_is_finer else -shift_s
        return [_filled(row) for row in self._finer.means(self.ends_s + by, self.covered_s)]

    def vcpu(self, shift_s: float) -> Floats:
        """Innovations of vCPU time, the log taken for `shift_s` late."""
        return self._here[0] if self._guest_is_finer else self._there(shift_s)[0]

    def counters(self, shift_s: float) -> Floats | None:
        """Those of every counter that moves, one a column; None where none does."""
        columns = self._there(shift_s) if self._guest_is_finer else self._here
        moving = [column for column in columns if column.any()]
        return np.column_stack(moving) if moving else None

    def strengths(self, shifts: Floats) -> Floats:
        """Intervals times R² of vCPU time on the counters, for every shift [s]."""
        return np.array([_strength(self.vcpu(float(by)), self.counters(float(by))) for by in shifts])


def _filled(values: Floats) -> Floats:
    """Innovations of a series with a few holes; nothing of one with many."""
    known = np.isfinite(values)
    if known.all():
        return innovations(values)
    if known.mean() <= 0.8:
        return np.zeros(max(len(values) - 1, 0))
    return innovations(np.where(known, values, np.median(values[known])))


def _drift(sides: Sides, chosen: Indexes) -> tuple[float, bool]:
    """How much later the log gets over the capture [s], from its first and last third, and whether beyond doubt."""
    third = len(chosen) // 3
    if third < _SHORTEST_PART:
        return float("nan"), False
    found = []
    for part in (chosen[:third], chosen[-third:]):
        mask = np.zeros(len(sides.kept), dtype=np.bool_)
        mask[part] = True
        search = _search(sides, mask, _DRIFT_WINDOW_S)
        if search is None or not np.isfinite(search.visible()):
            return float("nan"), False
        found.append((search.best()[0], search.visible()))
    drift = found[1][0] - found[0][0]
    whole = len(chosen) / (len(chosen) - third)
    return drift * whole, abs(drift) > found[0][1] + found[1][1]


def centered_ranks(values: Floats) -> Floats:
    """(n,) ranks less their mean, equal values sharing theirs; zeros of a constant."""
    _, place, many = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(many) - (many - 1) / 2)[place]
    centered: Floats = ranks - ranks.mean()
    return centered


def innovations(values: Floats) -> Floats:
    """What is new in each sample's rank: the part that the sample before does not foretell; mean 0, length 1.

    Ranks, because a burst of faults would outweigh all the rest.
    """
    centered = centered_ranks(values)
    if not centered.any():
        return np.zeros(len(values) - 1)
    rho = min(max(lag_one(centered, np.zeros(len(values), dtype=np.intp)), -0.98), 0.98)
    new = centered[1:] - rho * centered[:-1]
    new = new - new.mean()
    size = float(new @ new) ** 0.5
    unit: Floats = new / size if size > 0 else np.zeros(len(new))
    return unit


def circular(y: Floats, columns: Floats) -> Floats:
    """Samples times R² of y on the columns for every circular lag; at lag L the guest is L samples late."""
    basis, _ = np.linalg.qr(columns)
    count = len(y)
    seen = np.fft.irfft(np.fft.rfft(basis, axis=0) * np.conj(np.fft.rfft(y))[:, None], count, axis=0)
    strengths: Floats = count * (seen * seen).sum(axis=1)
    return strengths


def _strength(y: Floats, columns: Floats | None) -> float:
    """Samples times R² of y on the columns; 0 without one."""
    if columns is None:
        return 0.0
    if columns.shape[1] == 1:
        return float(len(y) * (y @ columns[:, 0]) ** 2)
    basis, _ = np.linalg.qr(columns)
    seen = basis.T @ y
    return float(len(y) * (seen @ seen))
