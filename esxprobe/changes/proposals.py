"""Windows that stand out by themselves: stretches in which series were far from where they are otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Bools, Floats
from esxprobe.changes.ranking import LEVEL, SPREAD, fourth_root, rank_changes
from esxprobe.changes.reference import rest
from esxprobe.changes.wander import MOST_PHI
from esxprobe.series import bridged, runs

# Robust deviations from the median, on the scale of fourth roots, from which a sample stands out. A rule of thumb,
# tuned in simulations (docs/changes.md), as `EVIDENCE` is.
FAR = 5.0
# A window is proposed when chance makes one less often than in so many captures [natural logarithm].
EVIDENCE = 2.8
# Shorter stretches are spikes; a window is the exception, and no more of the capture than this.
SHORTEST_S = 10.0
FEWEST_SAMPLES = 2
MOST_OF_CAPTURE = 1 / 3
# Stretches that one series may have: what comes back more often is how the series is.
_STRETCHES = 5
# Of so many steps from sample to sample the third largest says how much a series jumps: one spike makes two.
_STEPS, _THIRD = 6, 3
_NORMAL = 1.4826  # the standard deviation of a normal series over its median absolute deviation
# Values further out than any other one are taken as rare as a Pareto tail of this exponent has them: a heavy one.
_TAIL = 2.0
MOST_WINDOWS = 5
# A series belongs to a window when the ranking against the rest of the capture has it rise by so many deviates:
# many weak stretches of noise overlap somewhere.
CONFIRMED = 3.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where one series stands out.

    Attributes:
        row: Of the series.
        start: First sample.
        end: Last sample.
        kind: `LEVEL` or `SPREAD`.
        height: Its mean above the series' median [the series' unit].
        evidence: How unlikely it is to be chance in this series at this time [natural logarithm].
    """

    row: int
    start: int
    end: int
    kind: int
    height: float
    evidence: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """Stretches of several series at the same time.

    Attributes:
        start: First sample.
        end: Last sample.
        stretches: The furthest first.
    """

    start: int
    end: int
    stretches: tuple[Stretch, ...]

    @property
    def evidence(self) -> float:
        """How unlikely all of them are at this time: each series once [natural logarithm]."""
        best: dict[int, float] = {}
        for each in self.stretches:
            best[each.row] = max(best.get(each.row, 0.0), each.evidence)
        return sum(best.values())


@dataclass(frozen=True, slots=True)
class Sizes:
    """From which size on a change of each series is one that is worth a window; both are needed.

    Attributes:
        absolute: (series,) [unit of the series].
        share: (series,) of the larger of both values [0 to 1].
    """

    absolute: Floats
    share: Floats

    def __getitem__(self, rows: NDArray[np.intp]) -> Sizes:
        return Sizes(self.absolute[rows], self.share[rows])

    def reached(self, usual: Floats) -> Floats:
        """The smallest value above a usual one that is worth a window."""
        return np.maximum(usual + self.absolute, usual / (1 - self.share))


def propose(values: Floats, sizes: Sizes, interval_s: float) -> tuple[Proposal, ...]:
    """At most five windows in which series rose, or began to jump, as they did at no other time; first ones first.

    Args:
        values: (series, samples) of counters that are worse the larger they are; NaN for none.
        sizes: Of each series.
        interval_s: What a sample stands for [s].
    """
    found = windows_of_stretches(stretches(values, sizes, interval_s), *values.shape)
    return tuple(each for each in found if _is_confirmed(each, values))


def _is_confirmed(proposal: Proposal, values: Floats) -> bool:
    """Whether the ranking of one of its series agrees."""
    window = np.zeros(values.shape[1], dtype=bool)
    window[proposal.start : proposal.end + 1] = True
    rows = sorted({each.row for each in proposal.stretches})
    return bool((rank_changes(values[rows], window, rest(window)).statistic >= CONFIRMED).any())


def stretches(values: Floats, sizes: Sizes, interval_s: float, first_row: int = 0) -> list[Stretch]:
    """Where each series stands out; `propose` for series that are not all in memory at once.

    Args:
        values: As in `propose`.
        sizes: As in `propose`.
        interval_s: As in `propose`.
        first_row: Number of the first of these series among all.
    """
    if values.shape[1] < 3 * FEWEST_SAMPLES or not len(values):
        return []
    least = max(FEWEST_SAMPLES, round(SHORTEST_S / interval_s))
    found = [*_stretches(values, values, sizes, least, LEVEL), *_jumping(values, sizes, least)]
    return [replace(each, row=each.row + first_row) for each in found]


def windows_of_stretches(found: Sequence[Stretch], series: int, samples: int) -> tuple[Proposal, ...]:
    """The windows that all stretches make together.

    Args:
        found: Stretches of all series.
        series: How many series were looked at.
        samples: How many samples each has.
    """
    needed = EVIDENCE + float(np.log(max(1, series * samples)))  # it could have been any series at any time
    windows = [
        each
        for each in _merged(found)
        if each.evidence >= needed and each.end - each.start < MOST_OF_CAPTURE * samples
    ]
    windows.sort(key=lambda each: -each.evidence)
    return tuple(sorted(windows[:MOST_WINDOWS], key=lambda each: each.start))


def _jumping(values: Floats, sizes: Sizes, least: int) -> Iterator[Stretch]:
    """Stretches in which series jump from sample to sample."""
    if values.shape[1] <= 2 * _STEPS:
        return
    steps = np.abs(np.diff(values, axis=1))
    some = np.flatnonzero((steps >= sizes.absolute[:, None]).sum(axis=1) >= _THIRD)
    around = np.lib.stride_tricks.sliding_window_view(steps[some], _STEPS, axis=1)
    jumps = np.full((len(some), values.shape[1]), np.nan)
    half = _STEPS // 2
    jumps[:, half : half + around.shape[1]] = np.partition(around, _STEPS - _THIRD, axis=2)[..., _STEPS - _THIRD]
    single = np.concatenate((np.full((len(some), 1), np.nan), steps[some]), axis=1)
    for each in _stretches(jumps, single, sizes[some], least, SPREAD):
        yield replace(each, row=int(some[each.row]))


def _stretches(values: Floats, single: Floats, sizes: Sizes, least: int, kind: int) -> Iterator[Stretch]:
    """Stretches of all series: those that never rose by a size that matters are passed over at once.

    Args:
        values: (series, samples) in which stretches are looked for.
        single: (series, samples) the same without any averaging: what counts as evidence.
        sizes: Of each series.
        least: Samples of the shortest stretch.
        kind: Of the stretches.
    """
    with np.errstate(invalid="ignore"):
        lowest, highest = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
        worth = np.flatnonzero(highest >= sizes.reached(lowest))
    values, sizes = values[worth], sizes[worth]
    middle = _median(values)
    cut = np.maximum(sizes.reached(middle), _far(values, middle))
    with np.errstate(invalid="ignore"):
        beyond = values >= cut[:, None]
    many = beyond.sum(axis=1)
    for place in np.flatnonzero((many >= least) & (many < MOST_OF_CAPTURE * values.shape[1])).tolist():
        smallest = float(sizes.absolute[place]) / 3
        row = int(worth[place])
        each = single[row]
        for start, end, others in _standing_out(values[place], each, beyond[place], least):
            height = float(np.nanmean(values[place, start : end + 1])) - float(middle[place])
            evidence = _evidence(each[start : end + 1], others, float(middle[place]), height / 2, smallest)
            # A spike is two steps.
            yield Stretch(row, start, end, kind, height, evidence / (2 if kind == SPREAD else 1))


def _median(values: Floats) -> Floats:
    """Of each row, NaN aside."""
    if not np.isnan(values).any():
        middle = values.shape[1] // 2
        return np.asarray(np.partition(values, middle, axis=1)[:, middle])
    return np.array([np.median(row[~np.isnan(row)]) if not np.isnan(row).all() else np.nan for row in values])


def _far(values: Floats, middle: Floats) -> Floats:
    """The value of each series that is `FAR` robust deviations above its median."""
    roots, root = fourth_root(values), fourth_root(middle)
    deviation = _NORMAL * _median(np.abs(roots - root[:, None]))
    far = root + FAR * deviation
    return np.asarray(np.copysign(np.square(np.square(far)), far))


def _standing_out(values: Floats, single: Floats, beyond: Bools, least: int) -> Iterator[tuple[int, int, Floats]]:
    """First and last sample of the highest stretches of a series, with what it was outside of all of them."""
    found = [each for each in runs(bridged(beyond)) if each[1] - each[0] + 1 >= least]
    found.sort(key=lambda each: -float(np.nanmean(values[each[0] : each[1] + 1])))
    others = single.copy()
    for start, end in found[:_STRETCHES]:
        others[max(0, start - least) : end + 1 + least] = np.nan
    if not np.isnan(others).all():
        for start, end in found[:_STRETCHES]:
            yield start, end, others


def _evidence(stretch: Floats, others: Floats, middle: float, height: float, smallest: float) -> float:
    """How unlikely the samples of a stretch above a height are: they are as rare as they are elsewhere.

    Where none is elsewhere, they are as rare as a heavy tail has them. Samples that follow each other are worth
    fewer independent ones: as many as there are stays at that height, by their mean length elsewhere and by that
    of a normal series with the same correlation of neighbors.

    Args:
        stretch: Samples of the stretch.
        others: All samples, those of stretches NaN.
        middle: Median of the series.
        height: Above the median.
        smallest: What is less above the median counts as this much.
    """
    many = int((stretch >= middle + height).sum())
    if not many:
        return 0.0
    high = others >= middle + height
    highest = max(float(np.nanmax(others)) - middle, smallest)
    rare = (int(high.sum()) + min(1.0, (highest / height) ** _TAIL)) / np.count_nonzero(~np.isnan(others))
    together = high.sum() / max(1, len(runs(high)))
    worth = many / max(1.0, float(together), _stay(others, middle + height))
    return worth * float(np.log(1 / min(1.0, rare)))


def _stay(values: Floats, height: float) -> float:
    """Mean length of stays above a height of a normal series, on the scale of fourth roots [samples].

    With a correlation of neighbors of phi and at u deviations it is sqrt(2 pi) / (u sqrt(2 (1 - phi))): the chance
    to be there over the rate at which the height is crossed (Rice 1945), for large u.
    """
    roots = fourth_root(values)
    mean, deviation = float(np.nanmean(roots)), float(np.nanstd(roots))
    off = roots - mean
    pairs = off[1:] * off[:-1]
    if not deviation or np.isnan(pairs).all():
        return 1.0
    phi = min(max(float(np.nanmean(pairs)) / deviation**2, 0.0), MOST_PHI)
    away = (float(fourth_root(np.array([height]))[0]) - mean) / deviation
    return float(np.sqrt(np.pi / (1 - phi)) / max(away, 1.0))


def _merged(found: Sequence[Stretch]) -> Iterator[Proposal]:
    """Stretches that overlap, or touch, are one window."""
    group: list[Stretch] = []
    end = -1
    for each in sorted(found, key=lambda stretch: (stretch.start, stretch.end, stretch.row)):
        if group and each.start > end + 1:
            yield _proposal(group)
            group = []
        end = max(end, each.end) if group else each.end
        group.append(each)
    if group:
        yield _proposal(group)


def _proposal(group: Sequence[Stretch]) -> Proposal:
    ordered = tuple(sorted(group, key=lambda each: -each.evidence))
    return Proposal(min(each.start for each in group), max(each.end for each in group), ordered)
