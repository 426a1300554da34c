"""A fault experiment with a planted cost: a guest that works, an injector in blocks drawn at random, a host."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are imported when they are used: to import them takes seconds
from numpy.typing import NDArray

from esxprobe.correlate.experiment import Trial, trial_of
from esxprobe.model import Injections

Floats = NDArray[np.float64]
_GRID_S = 0.05
_BEFORE_S = 20.0
_CLOCK_S = 1.7e9


@dataclass(frozen=True)
class Setup:
    """What is simulated.

    Attributes:
        cost_us: vCPU time per page [µs].
        rate: Pages in blocks that fault [pages/s].
        pairs: Pairs of blocks.
        block_s: Length of a block [s].
        interval_s: Of the host's samples [s].
        load_pct: How far the guest's other work wanders [% of one vCPU].
        memory_s: Over which time [s].
        held_up: By how much the injector is held up where the load is one standard deviation more.
        busy_known: Whether the guest's busy time is in its log.
    """

    cost_us: float = 40.0
    rate: float = 2000.0
    pairs: int = 30
    block_s: float = 5.0
    interval_s: float = 2.0
    load_pct: float = 3.0
    memory_s: float = 10.0
    held_up: float = 0.0
    busy_known: bool = True


SETUPS = {
    "as on a software MMU": Setup(),
    "dear and hidden": Setup(cost_us=150.0, rate=500.0),
    "as on bare metal": Setup(cost_us=1.3, rate=20000.0),
    "load that wanders slowly": Setup(memory_s=60.0, load_pct=8.0),
    "an injector that falls behind under load": Setup(held_up=0.5, load_pct=6.0),
    "intervals of 5 s": Setup(interval_s=5.0, block_s=10.0, pairs=15),
    "no busy time in the log": Setup(busy_known=False, load_pct=1.0),
}


@dataclass(frozen=True, eq=False)
class Run:
    """What the analysis gets."""

    trial: Trial
    log: Injections
    order: str
    start_s: float


def _wander(rng: np.random.Generator, count: int, memory_s: float) -> Floats:
    phi = float(np.exp(-_GRID_S / memory_s))
    noise = rng.standard_normal(count) * (1 - phi * phi) ** 0.5
    noise[0] /= (1 - phi * phi) ** 0.5
    return np.asarray(scipy.signal.lfilter([1.0], [1.0, -phi], noise))


def run(seed: int, setup: Setup) -> Run:
    """One experiment."""
    rng = np.random.default_rng(seed)
    blocks = 2 * setup.pairs
    long_s = blocks * setup.block_s + 2 * _BEFORE_S
    count = int(long_s / _GRID_S)
    times = np.arange(count) * _GRID_S
    order = "".join(rng.choice(["10", "01"], setup.pairs))
    block = ((times - _BEFORE_S) // setup.block_s).astype(int)
    inside = (block >= 0) & (block < blocks)
    on = np.zeros(count)
    on[inside] = np.array([float(one) for one in order])[block[inside]]
    load = _wander(rng, count, setup.memory_s)
    pages = on * setup.rate * np.clip(1 - setup.held_up * load, 0.1, None)
    other = (30 + setup.load_pct * load + 0.5 * _wander(rng, count, 1.0)) * 1e4
    used = other + setup.cost_us * pages + 3e3 * _wander(rng, count, 3.0)
    edges = np.arange(count + 1) * _GRID_S

    def total(values: Floats, when: Floats) -> Floats:
        return np.asarray(np.interp(when, edges, np.concatenate(([0.0], np.cumsum(values) * _GRID_S))))

    ends = np.sort(
        np.arange(1, int(long_s / setup.interval_s)) * setup.interval_s
        + rng.normal(0, 0.02, int(long_s / setup.interval_s) - 1)
    )
    lengths = np.diff(ends)
    stamps = np.arange(_BEFORE_S, _BEFORE_S + blocks * setup.block_s + 0.01, 0.5)
    touched = total(pages, stamps)
    own_s = touched * setup.cost_us * 1e-6
    none = np.zeros(len(stamps))
    table = np.column_stack(
        (stamps + _CLOCK_S, np.interp(stamps, times, on), touched, touched, own_s, none, own_s, none, none)
    )
    log = Injections("python3", 1, None, _BEFORE_S + _CLOCK_S, setup.block_s, table, "done")
    vcpu = np.diff(total(used, ends)) / lengths
    busy = None
    if setup.busy_known:
        busy = np.diff(total(other + setup.cost_us * pages, ends)) / lengths
        busy += rng.normal(0, 1e3, len(lengths))
    trial = trial_of((ends[1:] + _CLOCK_S, lengths, vcpu), busy, log, 0.0)
    return Run(trial, log, order, _BEFORE_S + _CLOCK_S)
