"""All series, ranked by how much they differ in a window from a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from esxprobe.arrays import Bools, Floats
from esxprobe.changes.counts import log_p_of_counts, log_tail
from esxprobe.changes.wander import spread_of
from esxprobe.correlate.significance import false_discovery
from esxprobe.model import CounterChange
from esxprobe.series import in_parts

# A change is called sure where its false discovery rate (Benjamini and Hochberg 1995) is below this.
SURE = 0.01
# With fewer samples there is no reference, and with fewer samples of a window no spread.
FEWEST_BEFORE = 8
FEWEST_STEPS = 4
# With more steps of 0 than this share, steps say when a series was busy, and not how much it spread.
_MOST_TIES = 0.25
# Where the first test finds nothing the second one is not asked.
_WORTH_COUNTING = float(np.log(0.05))
_TWO = float(np.log(2))

LEVEL, SPREAD = 0, 1
Ints = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Ranking:
    """What became of each series; all (series,), in the order of the rows.

    Attributes:
        statistic: The standard normal deviate that is as unlikely, negative where values or their spread fell; 0
            for what could not be tested.
        log_p: Natural logarithm of the two-sided p; NaN where nothing could be tested.
        q: False discovery rate over all series [0 to 1]; NaN likewise.
        kind: `LEVEL` or `SPREAD`: what changed.
        before: Mean over the reference [the series' unit], for a spread the standard deviation.
        within: The same over the window.
        constant_before: The reference has one value alone.
        samples: (series, 2) known values of reference and window.
    """

    statistic: Floats
    log_p: Floats
    q: Floats
    kind: Ints
    before: Floats
    within: Floats
    constant_before: Bools
    samples: np.ndarray[tuple[int, int], np.dtype[np.int64]]

    @property
    def order(self) -> Ints:
        """Rows, what changed most first; those that could not be tested come last, in their order."""
        return np.lexsort((-np.abs(self.statistic), np.nan_to_num(self.log_p, nan=1.0)))

    @property
    def sure(self) -> Bools:
        """Which changes chance would hardly make among so many series."""
        return np.asarray(self.q < SURE)

    def change(self, row: int, counter: str, *, part: str = "", column: str = "") -> CounterChange:
        """What became of one series; see `CounterChange`."""
        return CounterChange(
            counter=counter,
            part=part,
            kind="spread" if self.kind[row] == SPREAD else "level",
            statistic=float(self.statistic[row]),
            q=float(self.q[row]),
            sure=bool(self.q[row] < SURE),
            before=float(self.before[row]),
            within=float(self.within[row]),
            constant_before=bool(self.constant_before[row]),
            column=column,
        )


def rank_changes(values: Floats, window: Bools, reference: Bools) -> Ranking:
    """Compares each series in a window with itself in a reference.

    Args:
        values: (series, samples) NaN for none.
        window: (samples,) which samples are in the window.
        reference: (samples,) which are the reference.
    """
    made = _empty(len(values))
    inside, before = np.flatnonzero(window), np.flatnonzero(reference)
    for part in in_parts(len(values), len(inside) + len(before)):
        _rank_part(values[part][:, before], values[part][:, inside], _slice(made, part))
    return joined([made])


def joined(parts: Sequence[Ranking]) -> Ranking:
    """Rankings of several parts of the series as one: false discoveries are counted over all of them."""
    made = Ranking(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Ranking)}
    )
    return replace(made, q=false_discovery(np.exp(made.log_p)))


def _empty(count: int) -> Ranking:
    nan = np.full(count, np.nan)
    return Ranking(
        statistic=np.zeros(count),
        log_p=nan.copy(),
        q=nan.copy(),
        kind=np.zeros(count, dtype=np.int64),
        before=nan.copy(),
        within=nan.copy(),
        constant_before=np.zeros(count, dtype=bool),
        samples=np.zeros((count, 2), dtype=np.int64),
    )


def _slice(made: Ranking, part: slice) -> Ranking:
    return Ranking(**{field.name: getattr(made, field.name)[part] for field in fields(made)})


def _rank_part(before: Floats, within: Floats, out: Ranking) -> None:
    """Series with values at the same samples are worked out together: nearly always all of them."""
    known = np.concatenate((np.isfinite(before), np.isfinite(within)), axis=1)
    complete = known.all(axis=1)
    _rank_alike(np.flatnonzero(complete), before, within, out)
    if complete.all():
        return
    holes = np.flatnonzero(~complete)
    patterns, which = np.unique(np.packbits(known[holes], axis=1), axis=0, return_inverse=True)
    which = which.reshape(-1)
    for number in range(len(patterns)):
        rows = holes[which == number]
        has = known[rows[0]]
        n = before.shape[1]
        _rank_alike(rows, before[:, has[:n]], within[:, has[n:]], out)


def _rank_alike(rows: Ints, before: Floats, within: Floats, out: Ranking) -> None:
    n, m = before.shape[1], within.shape[1]
    out.samples[rows] = n, m
    before, within = before[rows], within[rows]
    if n:
        out.before[rows] = before.sum(axis=1) / n
        out.constant_before[rows] = before.max(axis=1) == before.min(axis=1)
    if m:
        out.within[rows] = within.sum(axis=1) / m
    if n < FEWEST_BEFORE or not m or not len(rows):
        return
    still = out.constant_before[rows]
    if still.any():
        _rank_still(rows[still], before[still, 0], within[still], n, out)
    moving = ~still
    if moving.any():
        _rank_moving(rows[moving], before[moving], within[moving], out)


def _rank_still(rows: Ints, value: Floats, within: Floats, n: int, out: Ranking) -> None:
    """Series that never left one value before: how many samples of the window did, and chance had all of them."""
    other = (within != value[:, None]).sum(axis=1)
    log_p = np.minimum(log_tail(np.zeros(len(rows), dtype=np.int64), n, other, within.shape[1]) + _TWO, 0.0)
    out.log_p[rows] = log_p
    out.statistic[rows] = np.where(out.within[rows] < value, -1.0, 1.0) * deviate_of(log_p)


def _rank_moving(rows: Ints, before: Floats, within: Floats, out: Ranking) -> None:
    raw = before, within
    before, within = fourth_root(before), fourth_root(within)
    rises, log_p = _tested(before, within)
    if within.shape[1] > FEWEST_STEPS:
        steps = tuple(np.sqrt(np.abs(np.diff(each, axis=1))) for each in (before, within))
        spread_rises, spread_p = _tested(*steps)
        spread_p[(steps[0] == 0).mean(axis=1) > _MOST_TIES] = 0.0  # bursts between zeros show in their level
        other = spread_p < log_p
        out.kind[rows] = np.where(other, SPREAD, LEVEL)
        rises, log_p = np.where(other, spread_rises, rises), np.minimum(log_p, spread_p) + _TWO
        spread = rows[other]
        with np.errstate(over="ignore", invalid="ignore"):
            out.before[spread], out.within[spread] = (each[other].std(axis=1) for each in raw)
    log_p = np.minimum(log_p, 0.0)
    out.log_p[rows] = log_p
    out.statistic[rows] = np.where(rises, 1.0, -1.0) * deviate_of(log_p)


def fourth_root(values: Floats) -> Floats:
    """Values on a scale on which a tenfold one is 1.8 times as much: otherwise one spike would be all variation."""
    return np.copysign(np.sqrt(np.sqrt(np.abs(values))), values)


def _tested(before: Floats, within: Floats) -> tuple[Bools, Floats]:
    """Whether a mean rose, and the logarithm of its two-sided p: the larger one of two tests."""
    n, m = before.shape[1], within.shape[1]
    spread = spread_of(before, m)
    mean = within.sum(axis=1) / m
    rise = mean - spread.mean
    sample = spread.ss / (n - spread.long)
    inside = sample
    if m >= FEWEST_STEPS:  # a burst varies more than the quiet before it
        off = within - mean[:, None]
        inside = np.maximum(sample, np.einsum("ij,ij->i", off, off) / (m - np.minimum(spread.short, m / 2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = inside * spread.short / m + sample * spread.long / n
        squared = np.where(variance > 0, rise * rise / variance, 0.0)
    freedom = np.maximum(1.0, n / spread.long - 1)
    # Student's t as a normal deviate: Wallace 1959.
    deviate = (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(squared / freedom))
    log_p = log_p_of(deviate)
    doubtful = np.flatnonzero(log_p < _WORTH_COUNTING)
    if len(doubtful):
        counted = log_p_of_counts(before[doubtful], within[doubtful], rise[doubtful] > 0)
        log_p[doubtful] = np.maximum(log_p[doubtful], counted)
    return rise > 0, log_p


def log_p_of(deviate: Floats) -> Floats:
    """Natural logarithm of the two-sided p of normal deviates, 0 or more."""
    from scipy.special import log_ndtr

    return np.asarray(log_ndtr(-deviate) + _TWO)


def deviate_of(log_p: Floats) -> Floats:
    """The normal deviate, 0 or more, of a two-sided p."""
    from scipy.special import ndtri_exp

    return np.asarray(np.maximum(0.0, -ndtri_exp(log_p - _TWO)))
