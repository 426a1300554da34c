"""A VM seen from both sides: steal, a balloon, disks; what the guest counts follows the host as the plan says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are imported when they are used: to import them takes seconds
from numpy.typing import NDArray

from esxprobe.correlate import GuestRates, VmFaults

Floats = NDArray[np.float64]
START_S = 1.8e9
PAD_S = 120


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        samples: Samples of the capture, of 5 s.
        guest_s: Interval of the guest's log [s].
        memory: Lag-1 autocorrelation of the sides over 5 s.
        steal_share: What the guest counts of the time that its vCPUs waited.
        noise: What the guest counts is the host's times 1 plus noise of this standard deviation.
        late_s: How late the guest's log is [s].
        paging: Pages swapped out a second while the balloon grows.
        queue_ms: What a transfer waits in the guest [ms].
    """

    samples: int = 360
    guest_s: float = 5.0
    memory: float = 0.6
    steal_share: float = 1.0
    noise: float = 0.1
    late_s: float = 0.0
    paging: float = 300.0
    queue_ms: float = 2.0


def wander(rng: np.random.Generator, count: int, memory: float) -> Floats:
    """(count,) AR(1) of mean 0 and variance 1."""
    shocks = rng.standard_normal(count + 200) * (1 - memory**2) ** 0.5
    found: Floats = scipy.signal.lfilter([1.0], [1.0, -memory], shocks)[200:]
    return found


def both_sides(seed: int, plan: Plan) -> VmFaults:
    """A VM of two vCPUs, second by second, and its guest's log at its own phase."""
    rng = np.random.default_rng(seed)
    seconds = plan.samples * 5 + 2 * PAD_S
    memory = plan.memory**0.2
    waited, lasted = (np.exp(0.6 * wander(rng, seconds, memory)) for _ in range(2))
    waited, lasted = 3.0 * waited, 8.0 * lasted
    growing = wander(rng, seconds, 0.995) > 1.2
    balloon = 100.0 + np.cumsum(np.where(growing, 2.0, 0.0))
    own = [1 + plan.noise * wander(rng, seconds, memory) for _ in range(2)]
    quiet = [np.exp(wander(rng, seconds, memory)) for _ in range(2)]
    guest = {
        "steal_time": plan.steal_share * waited * np.maximum(own[0], 0.0),
        "disk_await": np.maximum(lasted * np.maximum(own[1], 0.0) + plan.queue_ms, 0.1),
        "swap_outs": np.where(growing, plan.paging, 0.0) + 5 * quiet[0],
        "hard_faults": np.where(growing, 0.2 * plan.paging, 0.0) + 2 * quiet[1],
    }
    ends = np.arange(PAD_S + 5, PAD_S + plan.samples * 5 + 1, 5)
    stamps = np.arange(plan.guest_s + 0.7, seconds, plan.guest_s)
    run = np.full((2, plan.samples), 20.0)
    apart = np.array([[0.5], [-0.5]])
    return VmFaults(
        vm="web01",
        gid="7",
        mmu="unknown",
        ends_s=START_S + ends,
        covered_s=np.full(plan.samples, 5.0),
        run_pct=run,
        overlap_pct=None,
        guest=GuestRates(
            START_S + stamps + plan.late_s,
            np.full(len(stamps), plan.guest_s),
            {name: means(values, stamps, plan.guest_s) for name, values in guest.items()},
        ),
        ready_pct=np.round(means(waited, ends, 5.0) + apart, 2),
        balloon_mb=np.round(balloon[ends - 1], 2),
        gavg_ms=np.round(means(lasted, ends, 5.0), 2),
    )


def means(seconds: Floats, ends: NDArray[np.float64] | NDArray[np.intp], length_s: float) -> Floats:
    """Means over intervals of values that hold for a second each."""
    added = np.concatenate(([0.0], np.cumsum(seconds)))
    at = np.arange(len(added))
    found: Floats = (np.interp(ends, at, added) - np.interp(ends - length_s, at, added)) / length_s
    return found
