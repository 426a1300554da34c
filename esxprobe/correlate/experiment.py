"""The randomized fault experiment: vCPU time that a page touched fresh took, whatever else the guest was doing.

Blocks in which an injector touches fresh pages and sham blocks in which it touches mapped ones follow each other in
pairs, the order within a pair drawn at random and recorded before. Nothing else in the guest or on the host knows
the order, so what follows it was caused by it. The test is exact: under the hypothesis that a page takes `c` µs,
the vCPU time minus `c` times the pages is the same whatever the order had been, so the observed order is one of all
orders alike.

- Samples do not know of blocks: each has the share of its time that was in blocks that faulted, for the observed
order and
  for every other one alike.
- The order is the instrument, not the pages: an injector that is held up touches fewer of them.
- Each pair has a level of its own, so nothing that changes over minutes matters.
- Neighboring samples are alike; both sides are filtered by the errors' autoregression, worked out under the
  hypothesis and is thus the same for every order.
- The guest's busy time without the injector's own is held constant; where it follows the order, the interval holds
  the answers with and without it.

References:
    Fisher (1935); Rosenbaum (2002), Observational Studies 2: randomization inference, intervals by inversion.
    Anderson, Rubin (1949): a test of a slope with an instrument that holds however weak the instrument is.
    `docs/faults.md` has what it was worth on real layers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.correlate.regression import MOST_LAGS, autoregression
from esxprobe.model import FaultExperiment, Injections
from esxprobe.series import LoggedRates

CONFIDENCE = 0.95
# Fewer pairs cannot be significant enough: 5 allow no p below 0.0625.
FEWEST_PAIRS = 12
ORDERS = 3999
# All orders of so few pairs are tried.
_ALL_PAIRS = 11
# Samples that the experiment needs besides a level for each pair.
_SPARE = 8
# An order that the guest's other work follows this much is one in so many: either that work followed the order, and
# holding it constant would take out a part of the effect, or it is chance, and not holding it constant would leave
# it in. The interval then holds both answers.
_BALANCED_P = 0.05
_SEED = 20081120


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What the experiment is judged by, on the capture's intervals that are in it; all (n,).

    Attributes:
        ends_s: By the host's clock [s].
        lengths_s: [s].
        vcpu: vCPU time [µs/s].
        other: The guest's busy time without the injector's own [µs/s]; None where its log lacks it.
        pages: Pages touched fresh [pages/s].
        waiting: Share of the time in which its vCPUs wanted to run and had to wait, over all of it.
    """

    ends_s: Floats
    lengths_s: Floats
    vcpu: Floats
    other: Floats | None
    pages: Floats
    waiting: float = 0.0


def exposure(trial: Trial, start_s: float, block_s: float, blocks: int) -> Floats:
    """(n, blocks) share of each interval's time that is in each block."""
    edges = start_s + block_s * np.arange(blocks + 1)
    begins, ends = trial.ends_s - trial.lengths_s, trial.ends_s
    shared = np.minimum(ends[:, None], edges[1:]) - np.maximum(begins[:, None], edges[:-1])
    return np.asarray(np.clip(shared, 0.0, None) / trial.lengths_s[:, None])


def orders_of(pairs: int, observed: Floats) -> Floats:
    """Orders that could have been drawn: (k, blocks), the observed one first; all of few pairs, or many of them."""
    if pairs <= _ALL_PAIRS:
        firsts = np.array(list(itertools.product((0.0, 1.0), repeat=pairs)))
        firsts = firsts[(firsts != observed[::2]).any(axis=1)]
    else:
        firsts = np.random.default_rng(_SEED).integers(0, 2, (ORDERS, pairs)).astype(float)
    drawn = np.stack((firsts, 1 - firsts), axis=2).reshape(len(firsts), 2 * pairs)
    return np.vstack((observed, drawn))


def judge_experiment(trial: Trial, log: Injections, order: str, start_s: float) -> FaultExperiment:
    """What a page took, with its exact test and interval.

    Args:
        trial: The capture's intervals in the experiment.
        log: What the injector printed.
        order: Which blocks faulted, as it was drawn: `10` or `01` for each pair.
        start_s: When the first block began, by the host's clock [s].
    """
    pairs = completed_pairs(log, order)
    facts = _facts(log, pairs)
    if pairs < FEWEST_PAIRS:
        return replace(facts, reason=f"only {pairs} of at least {FEWEST_PAIRS} pairs of blocks were completed")
    observed = np.array([float(one) for one in order[: 2 * pairs]])
    shares = exposure(trial, start_s, log.block_s, 2 * pairs)
    inside = shares.sum(axis=1) > 1 - 1e-6
    if inside.sum() < pairs + _SPARE:
        return replace(facts, reason="the capture has too few samples in the time of the experiment")
    orders = orders_of(pairs, observed)
    drawn = shares[inside] @ orders.T
    nuisance = shares[inside].reshape(int(inside.sum()), pairs, 2).sum(axis=2)
    y, pages = trial.vcpu[inside], trial.pages[inside]
    other = None if trial.other is None else trial.other[inside]
    balance = np.nan if other is None else _test(_Held.over(nuisance, drawn), other)
    found = replace(facts, orders=len(orders), balance_p=float(balance))
    plain = _answer(_Held.over(nuisance, drawn), y, pages, found)
    if other is None:
        return _decided(plain, trial.waiting)
    held = _answer(_Held.over(np.column_stack((nuisance, other)), drawn), y, pages, replace(found, adjusted=True))
    return _decided(held if balance >= _BALANCED_P else _both(plain, held), trial.waiting)


def _answer(held: _Held, y: Floats, pages: Floats, found: FaultExperiment) -> FaultExperiment:
    us, low, high = _interval(held, y, pages)
    return replace(found, us=us, low=low, high=high, p=_test(held, y))


def _both(plain: FaultExperiment, held: FaultExperiment) -> FaultExperiment:
    """An interval that holds both answers, because the data do not show which of them is right."""
    low, high = min(plain.low, held.low), max(plain.high, held.high)
    return replace(plain, us=(plain.us + held.us) / 2, low=low, high=high, p=max(plain.p, held.p))


def completed_pairs(log: Injections, order: str) -> int:
    """Pairs of blocks that the injector went through, to their ends."""
    if not len(log.table) or not np.isfinite(log.start_s) or not log.block_s > 0:
        return 0
    ran = log.table[-1, 0] - log.start_s + 0.1
    return int(min(ran / (2 * log.block_s), len(order) // 2))


def _facts(log: Injections, pairs: int) -> FaultExperiment:
    """What the injector itself says."""
    found = FaultExperiment(pairs=pairs, block_s=log.block_s)
    if len(log.table) and (pages := float(log.table[-1, 2])):
        last, on_s = log.table[-1], pairs * log.block_s
        found = replace(
            found,
            pages=int(pages),
            rate=pages / on_s if on_s else np.nan,
            own_wall_us=float((last[6] + last[7]) / pages * 1e6),
            own_cpu_us=_own_cpu(log),
        )
    if log.calibration is not None:
        found = replace(found, own_wall_us=log.calibration.touch_us + log.calibration.release_us)
    return found


def _own_cpu(log: Injections) -> float:
    """Processor time of the injector in blocks that fault, less that in sham blocks, for each page [µs]."""
    steps = np.diff(log.table, axis=0)
    on = log.table[:-1, 1] > 0
    spent = steps[:, 4] + steps[:, 5]
    sham_s, on_s = steps[~on, 0].sum(), steps[on, 0].sum()
    idle = float(spent[~on].sum() / sham_s) if sham_s > 0 else 0.0
    pages = float(steps[on, 2].sum())
    return float((spent[on].sum() - idle * on_s) / pages * 1e6) if pages else np.nan


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Every order with the nuisance taken out.

    Attributes:
        basis: (n, b) orthonormal columns of what is held.
        drawn: (n, k) exposure under every order, the observed one first, without what is held.
        products: (l, l, k) products of the orders with themselves some samples later, by both lags.
    """

    basis: Floats
    drawn: Floats
    products: Floats

    @classmethod
    def over(cls, nuisance: Floats, drawn: Floats) -> _Held:
        scale = np.abs(nuisance).max(axis=0)
        left, size, _ = np.linalg.svd(nuisance / np.where(scale > 0, scale, 1.0), full_matrices=False)
        basis = left[:, size > 1e-9 * size.max(initial=0.0)]
        rest = drawn - basis @ (basis.T @ drawn)
        count = len(rest)
        lagged = [rest[MOST_LAGS - lag : count - lag] for lag in range(MOST_LAGS + 1)]
        products = np.zeros((len(lagged), len(lagged), rest.shape[1]))
        for a, b in itertools.combinations_with_replacement(range(len(lagged)), 2):
            products[a, b] = products[b, a] = np.einsum("ik,ik->k", lagged[a], lagged[b])
        return cls(basis, rest, products)

    def of(self, values: Floats) -> Floats:
        """A series without what is held."""
        return np.asarray(values - self.basis @ (self.basis.T @ values))

    def statistics(self, values: Floats) -> Floats:
        """(k,) how strongly a series follows each order, both filtered by the series' own autoregression."""
        left = self.of(values)
        count = len(left)
        phi = autoregression(left, np.zeros(count, dtype=np.intp)) if count > 4 * MOST_LAGS else np.zeros(0)
        weights = np.zeros(MOST_LAGS + 1)
        weights[: len(phi) + 1] = np.concatenate(([1.0], -phi))
        filtered = sum(w * left[MOST_LAGS - lag : count - lag] for lag, w in enumerate(weights))
        spread = np.zeros(count)
        for lag, weight in enumerate(weights):
            spread[MOST_LAGS - lag : count - lag] += weight * filtered
        size = np.einsum("a,b,abk->k", weights, weights, self.products)
        return np.asarray(self.drawn.T @ spread / np.sqrt(np.maximum(size, 1e-300)))


def _test(held: _Held, values: Floats) -> float:
    """Share of orders that the series follows at least as much as the observed one."""
    found = np.abs(held.statistics(values))
    return float((found >= found[0] * (1 - 1e-9)).mean())


def _interval(held: _Held, y: Floats, pages: Floats) -> tuple[float, float, float]:
    """The cost that the order leaves nothing of, and the range of costs that the test does not reject [µs]."""
    first = held.drawn[:, 0]
    strength = float(first @ pages)
    if strength <= 0:
        return np.nan, np.nan, np.nan
    start = float(first @ y / strength)
    left = held.of(y - start * pages)
    step = max(float(np.abs(left).std() * np.sqrt(first @ first)) / strength, 1e-6)
    us = _zero(held, y, pages, start, step)
    return us, _edge(held, y, pages, us, -step), _edge(held, y, pages, us, step)


def _zero(held: _Held, y: Floats, pages: Floats, start: float, step: float) -> float:
    """Where the observed statistic is nothing: the estimate that belongs to the test [µs]."""
    low, high = start - 8 * step, start + 8 * step

    def at(cost: float) -> float:
        return float(held.statistics(y - cost * pages)[0])

    if not at(low) > 0 > at(high):
        return start
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle) > 0 else (low, middle)
    return (low + high) / 2


def _edge(held: _Held, y: Floats, pages: Floats, us: float, step: float) -> float:
    """The last cost on one side of the estimate that the test keeps [µs]; infinite where it rejects none."""

    def kept(cost: float) -> bool:
        return _test(held, y - cost * pages) > 1 - CONFIDENCE

    inner, outer = us, us + step
    for _ in range(24):
        if not kept(outer):
            break
        inner, outer = outer, us + 1.6 * (outer - us)
    else:
        return float(np.copysign(np.inf, step))
    for _ in range(18):
        middle = (inner + outer) / 2
        inner, outer = (middle, outer) if kept(middle) else (inner, middle)
    return (inner + outer) / 2


def _decided(found: FaultExperiment, waiting: float) -> FaultExperiment:
    """Whether a cost may be named: the interval is narrow, and the guest's own timing does not contradict it.

    A guest that waits for PCPUs counts the waiting as its own time: then its timing is an upper one.
    """
    half = (found.high - found.low) / 2
    if not np.isfinite(half):
        return replace(found, reason="the samples do not bound the cost")
    own = (found.own_wall_us, found.own_cpu_us)
    known = [value for value in own if np.isfinite(value)]
    agrees = (found.low <= max(known) and found.high >= min(known) * (1 - waiting)) if known else None
    if half > 0.5 * abs(found.us):
        return replace(found, agrees=agrees, reason="the interval is wider than the estimate allows")
    if agrees is False:
        return replace(found, agrees=agrees, reason="the guest's own timing contradicts it")
    return replace(found, agrees=agrees, measured=True)


def trial_of(
    capture: tuple[Floats, Floats, Floats], busy: Floats | None, log: Injections, to_host_s: float
) -> Trial:
    """The capture's intervals beside the injector's own counts.

    Args:
        capture: Ends of its intervals by the host's clock [s], their lengths [s], vCPU time [µs/s]; (n,) each.
        busy: (n,) the guest's user and system time [µs/s of all its processors]; None where its log lacks one.
        log: What the injector printed.
        to_host_s: What is added to the guest's clock to get the host's [s].
    """
    ends_s, lengths_s, vcpu = capture
    stamps = log.table[:, 0] + to_host_s
    steps = np.diff(log.table, axis=0)
    covers = np.diff(stamps)
    rates = np.vstack((steps[:, 2], (steps[:, 4] + steps[:, 5]) * 1e6)) / np.maximum(covers, 1e-9)
    pages, own = LoggedRates.of(stamps[1:], covers, rates).means(ends_s, lengths_s)
    known = np.isfinite(pages) & np.isfinite(vcpu) & (np.isfinite(busy) if busy is not None else True)
    other = None if busy is None else (busy - own)[known]
    return Trial(ends_s[known], lengths_s[known], vcpu[known], other, pages[known])


def half_width_pct(vcpu: Floats, lengths_s: Floats, block_s: float, pairs: int) -> float:
    """Half of the 95 % interval that an experiment of so many pairs would have [% of a vCPU], from plain samples.

    Placebo orders are laid over samples in which nothing was injected; their spread is what chance alone gives.

    Args:
        vcpu: (n,) vCPU time in samples that follow each other [µs/s].
        lengths_s: (n,) [s].
        block_s: Length of a block [s].
        pairs: How many pairs the experiment would have.
    """
    ends = np.cumsum(lengths_s)
    here = int(ends[-1] / (2 * block_s)) if len(ends) else 0
    if here < 3:
        return float("nan")
    trial = Trial(ends, lengths_s, vcpu, None, vcpu)
    shares = exposure(trial, 0.0, block_s, 2 * here)
    inside = shares.sum(axis=1) > 1 - 1e-6
    rng = np.random.default_rng(_SEED)
    firsts = rng.integers(0, 2, (400, here)).astype(float)
    drawn = shares[inside] @ np.stack((firsts, 1 - firsts), axis=2).reshape(len(firsts), 2 * here).T
    nuisance = shares[inside].reshape(int(inside.sum()), here, 2).sum(axis=2)
    held = _Held.over(nuisance, drawn)
    left = held.of(trial.vcpu[inside])
    effects = (held.drawn.T @ left) / np.maximum((held.drawn * held.drawn).sum(axis=0), 1e-300)
    return float(1.96 * effects.std() * (here / pairs) ** 0.5 / 1e4)
