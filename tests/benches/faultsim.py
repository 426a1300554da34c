"""A VM and its guest's log with a planted cost per fault: a model of a machine, not of the estimator.

A load that wanders (AR(1) on a grid of 0.25 s, log-normal) brings user time, context switches and soft faults,
each with noise of its own; soft faults come in bursts besides, hard faults wander. All of them use vCPU time, and
so does kernel work that no counter sees. The host sees the time split over vCPUs and rounded to 0.01 %, over
intervals that are late by some milliseconds; the guest's log counts at its own phase, with jittered stamps
of a clock up to a minute off, and user time rounded to 0.01 % as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from esxprobe.correlate import GuestRates, VmFaults
from esxprobe.model import HostEvidence, Mmu
from esxprobe.series import ClockOffset

Floats = NDArray[np.float64]
GRID_S = 0.25
PAD_S = 90.0
SWITCH_US = 1.5


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        samples: Intervals of the capture.
        interval_s: Their length [s].
        guest_s: Interval of the guest's log [s].
        vcpus: vCPUs.
        cost_us: vCPU time of a soft fault; drawn from 0.3 to 6 when None [us].
        load_memory_s: Time constant of the load; drawn from 7, 22, 100 when None (r1 at 5 s near 0.5, 0.8, 0.95).
        clock_error_s: How far the offset given to the tool is off, at most, either way [s].
        clock_shift_s: By how much it is too small for sure, so that the log lies late [s].
        stamps_s: What the log's stamps are cut to [s].
        tick_s: The guest counts user time in such ticks [s]; 0 for exactly.
        controls: Which of user time and context switches are in the log.
        bursts: Soft faults in a burst, mean.
    """

    samples: int = 360
    interval_s: float = 5.0
    guest_s: float = 5.0
    vcpus: int = 4
    cost_us: float | None = None
    load_memory_s: float | None = None
    clock_error_s: float = 0.0
    clock_shift_s: float = 0.0
    stamps_s: float = 0.001
    tick_s: float = 0.0
    controls: tuple[str, ...] = ("user_time", "context_switches")
    bursts: float = 8000.0


@dataclass(frozen=True)
class Truth:
    """The VM as the tool sees it, and what was planted [us per fault]."""

    vm: VmFaults
    soft_us: float
    hard_us: float


def wander(rng: np.random.Generator, count: int, memory_s: float) -> Floats:
    """AR(1) of mean 0, variance 1 on the grid."""
    phi = float(np.exp(-GRID_S / memory_s))
    noise = rng.standard_normal(count) * (1 - phi * phi) ** 0.5
    noise[0] /= (1 - phi * phi) ** 0.5
    return np.asarray(lfilter([1.0], [1.0, -phi], noise))


def simulate(seed: int, plan: Plan, *, mmu: Mmu = "software", evidence: HostEvidence | None = None) -> Truth:
    """One VM over one capture."""
    rng = np.random.default_rng(seed)
    soft_us = float(rng.uniform(0.3, 6)) if plan.cost_us is None else plan.cost_us
    hard_us = float(rng.uniform(5, 60))
    count = int((plan.samples * plan.interval_s + 2 * PAD_S) / GRID_S)
    grid = np.arange(count + 1) * GRID_S - PAD_S
    load = np.exp(0.5 * wander(rng, count, plan.load_memory_s or rng.choice([7.0, 22.0, 100.0])))
    load *= 0.25 / load.mean()
    user = np.clip(load * np.exp(0.1 * wander(rng, count, 3.0)), 0, 0.9)
    switches = 2000 + 20000 * load * np.exp(0.3 * wander(rng, count, 10.0))
    soft = 1000 + 12000 * load * np.exp(0.6 * wander(rng, count, rng.choice([4.0, 15.0, 40.0])))
    burst = (rng.random(count) < GRID_S / 60) * rng.exponential(plan.bursts, count)
    soft += lfilter([1.0], [1.0, -np.exp(-GRID_S / 6)], burst)
    hard = 3 * np.exp(wander(rng, count, 20.0)) * (0.5 + 2 * load)
    other = 2500 * np.exp(0.5 * wander(rng, count, rng.choice([2.0, 10.0, 40.0])))
    used = user * plan.vcpus * 1e6 + SWITCH_US * switches + soft_us * soft + hard_us * hard + other
    used = np.minimum(used, plan.vcpus * 1e6)

    def counted(rates: Floats, times: Floats) -> Floats:
        return np.interp(times, grid, np.concatenate(([0.0], np.cumsum(rates) * GRID_S)))

    ends = np.arange(plan.samples + 1) * plan.interval_s + rng.normal(0, 0.02, plan.samples + 1) + 0.1
    run = np.diff(counted(used, ends)) / np.diff(ends) / 1e4
    split = rng.dirichlet(np.full(plan.vcpus, 20.0), plan.samples).T
    ahead = float(rng.uniform(-60, 60))
    rates = {"soft_faults": soft, "hard_faults": hard}
    rates |= {n: v for n, v in (("user_time", user * 100), ("context_switches", switches)) if n in plan.controls}
    first, last = rng.uniform(0, plan.guest_s) - PAD_S + 1, plan.samples * plan.interval_s + PAD_S - 1
    reads = np.arange(first, last, plan.guest_s)
    reads += rng.normal(0, 0.05, len(reads))
    stamps = np.floor((reads + ahead) / plan.stamps_s + 1e-9) * plan.stamps_s
    log = {}
    for name, values in rates.items():
        counts = counted(values, reads)
        if name != "user_time":
            counts = np.floor(counts)
        elif plan.tick_s:
            tick = plan.tick_s * 100 / plan.vcpus
            counts = np.floor(counts / tick) * tick
        log[name] = np.diff(counts) / np.diff(reads)
    if "user_time" in log:
        log["user_time"] = np.round(log["user_time"], 2)
    told = ahead - plan.clock_shift_s + rng.uniform(-1, 1) * plan.clock_error_s
    vm = VmFaults(
        vm=f"vm{seed}",
        gid=str(1000 + seed),
        mmu=mmu,
        ends_s=ends[1:] + 1.7e9,
        covered_s=np.diff(ends),
        run_pct=np.round(run * split, 2),
        overlap_pct=np.zeros((plan.vcpus, plan.samples)),
        guest=GuestRates(stamps[1:] + 1.7e9, np.diff(stamps), log),
        offset=ClockOffset.constant(told, plan.clock_error_s),
        evidence=evidence or HostEvidence(),
    )
    return Truth(vm, soft_us, hard_us)
