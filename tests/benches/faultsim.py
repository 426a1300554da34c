"""A VM and its guest's log with a planted cost per fault: a model of a machine, not of the estimator.

On a grid of 0.25 s a guest does user work, kernel work, context switches, input and output, and takes page faults.
A soft fault costs vCPU time: the guest's own handler, which the guest books as system time, and the virtualization
layer's part, of which the guest books a share as its user time, a share as its system time, and the rest not at
all. How faults go together with other work is the plan's `work`:

- `load`: a load that wanders (log-normal AR(1)) brings user time, switches and faults, each with noise of its own;
bursts.
- `anti`: two kinds of jobs share the vCPU: one faults, the other works in the kernel; when one has more, the other
has less.
- `co`: kernel work that has nothing to do with faults rises and falls with them.
- `fork`: storms of process creation bring faults, switches and kernel work in the same seconds.
- `user`: the job that faults burns user time in proportion, which the guest books as what it is.
- `steady`: the fault rate hardly changes.
- `classes`: bursts of cheap faults over a steady stream of dear ones.
- `huge`: few faults map 2 MB each and cost a hundred times as much.
- `steps`: the load steps every few minutes; `daily`: it follows a daily cycle.
- `io`: input and output bring cache faults, and exits for which nobody books time.

The host sees the time split over vCPUs and rounded to 0.01 %, over intervals that are late by some milliseconds.
Neighbors may take PCPUs away (%RDY; the guest's clock goes on), and the clock of the PCPU may change (everything
takes longer). The guest's log counts at its own phase, with jittered stamps of a clock up to a minute off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy  # its parts are imported when they are used: to import them takes seconds
from numpy.typing import NDArray

from esxprobe.correlate import GuestRates, VmFaults, within_seconds
from esxprobe.model import HostEvidence, Mmu
from esxprobe.series import ClockOffset

Floats = NDArray[np.float64]
Work = Literal["load", "anti", "co", "fork", "user", "steady", "classes", "huge", "steps", "daily", "io"]
GRID_S = 0.25
PAD_S = 90.0
SWITCH_US = 1.5
# What a fault costs on bare metal: measured 1.2 to 1.6 us; the rest of a planted cost is the layer's.
NATIVE_US = 1.2
CONTROLS = ("user_time", "system_time", "context_switches")


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        samples: Intervals of the capture.
        interval_s: Their length [s].
        guest_s: Interval of the guest's log [s].
        vcpus: vCPUs.
        cost_us: vCPU time of a soft fault; drawn from 0.3 to 6 when None [us].
        rate: Mean soft faults/s; about 4,000 with bursts when None.
        load_memory_s: Time constant of the load; drawn from 7, 22, 100 when None (r1 at 5 s near 0.5, 0.8, 0.95).
        clock_error_s: How far the offset given to the tool is off, at most, either way [s].
        clock_shift_s: By how much it is too small for sure, so that the log lies late [s].
        clock_drift_s: By how much the guest's clock gains over the capture, unknown to the tool [s].
        stamps_s: What the log's stamps are cut to [s].
        tick_s: The guest counts user and system time in such ticks [s]; 0 for exactly.
        controls: Which of the guest's load counters are in the log.
        bursts: Soft faults in a burst, mean.
        work: How faults go together with other work; see the module.
        booked_user: Share of the layer's time that the guest books as user time.
        booked_system: Share of it that the guest books as system time; the rest is hidden from the guest.
        starved: Share of the time for which neighbors keep the vCPUs waiting, mean.
        clocked: How far the PCPU's speed wanders, as a standard deviation of its logarithm.
        steal_known: Whether the guest leaves time in which it did not run out of its user and system time.
        late_s: esxtop stamps whole seconds, and each row is later than the interval by so much [s]; its true times
            are known when None.
    """

    samples: int = 360
    interval_s: float = 5.0
    guest_s: float = 5.0
    vcpus: int = 4
    cost_us: float | None = None
    rate: float | None = None
    load_memory_s: float | None = None
    clock_error_s: float = 0.0
    clock_shift_s: float = 0.0
    clock_drift_s: float = 0.0
    stamps_s: float = 0.001
    tick_s: float = 0.0
    controls: tuple[str, ...] = CONTROLS
    bursts: float = 8000.0
    work: Work = "load"
    booked_user: float = 0.0
    booked_system: float = 0.0
    starved: float = 0.0
    clocked: float = 0.0
    steal_known: bool = False
    late_s: float | None = None

    @property
    def step_s(self) -> float:
        """What really passes between two rows [s]."""
        return self.interval_s + (self.late_s or 0.0)


@dataclass(frozen=True)
class Truth:
    """The VM as the tool sees it, and what was planted.

    Attributes:
        vm: The VM.
        soft_us: What a soft fault cost, mean over all of them [us].
        hard_us: A hard one [us].
        soft_pct: What soft faults took [% of one vCPU], over the capture.
    """

    vm: VmFaults
    soft_us: float
    hard_us: float
    soft_pct: float


@dataclass
class _Guest:
    """What goes on, on the grid: time in seconds per second of all vCPUs together, counts per second."""

    user: Floats
    kernel: Floats
    switches: Floats
    soft: Floats
    fault_s: Floats  # the soft faults' time
    exits_s: Floats  # other time of the layer
    huge: Floats | None = None  # those of the soft faults that map 2 MB


def wander(rng: np.random.Generator, count: int, memory_s: float) -> Floats:
    """AR(1) of mean 0, variance 1 on the grid."""
    phi = float(np.exp(-GRID_S / memory_s))
    noise = rng.standard_normal(count) * (1 - phi * phi) ** 0.5
    noise[0] /= (1 - phi * phi) ** 0.5
    return np.asarray(scipy.signal.lfilter([1.0], [1.0, -phi], noise))


def simulate(seed: int, plan: Plan, *, mmu: Mmu = "software", evidence: HostEvidence | None = None) -> Truth:
    """One VM over one capture."""
    rng = np.random.default_rng(seed)
    soft_us = float(rng.uniform(0.3, 6)) if plan.cost_us is None else plan.cost_us
    hard_us = float(rng.uniform(5, 60))
    count = int((plan.samples * plan.step_s + 2 * PAD_S) / GRID_S)
    guest = _work(rng, count, plan, soft_us)
    hard = 3 * np.exp(wander(rng, count, 20.0)) * (0.5 + 0.5 * guest.user / max(guest.user.mean(), 1e-9))
    native = np.minimum(guest.fault_s, NATIVE_US * 1e-6 * guest.soft)
    layer = guest.fault_s - native
    hidden = layer * (1 - plan.booked_user - plan.booked_system) + guest.exits_s
    user = guest.user + plan.booked_user * layer
    system = guest.kernel + native + plan.booked_system * layer + SWITCH_US * 1e-6 * guest.switches
    system += hard_us * 1e-6 * hard
    speed = np.exp(-plan.clocked * wander(rng, count, 45.0)) if plan.clocked else np.ones(count)
    waiting = _waiting(rng, count, plan)
    asked = (user + system + hidden) * speed
    room = np.minimum(1.0, 0.97 * plan.vcpus * (1 - waiting) / np.maximum(asked, 1e-9))
    took = speed * room
    run, ready = asked * room, waiting * np.minimum(asked * room / np.maximum(1 - waiting, 0.05), plan.vcpus)
    seen = 1.0 if plan.steal_known else 1 + ready / np.maximum(run, 1e-9)
    rates = {
        "soft_faults": guest.soft * room,
        "hard_faults": hard * room,
        "user_time": user * took * seen * 100 / plan.vcpus,
        "system_time": system * took * seen * 100 / plan.vcpus,
        "context_switches": guest.switches * room,
    }
    if guest.huge is not None:
        rates["thp_faults"] = guest.huge * room
    rates = {n: v for n, v in rates.items() if n not in CONTROLS or n in plan.controls}
    vm = _seen(rng, plan, seed, {"run": run, "ready": ready}, rates, mmu=mmu, evidence=evidence)
    inside = slice(int(PAD_S / GRID_S), count - int(PAD_S / GRID_S))
    spent = float((guest.fault_s * took)[inside].mean())
    return Truth(vm, spent * 1e6 / float(rates["soft_faults"][inside].mean()), hard_us, spent * 100)


def _waiting(rng: np.random.Generator, count: int, plan: Plan) -> Floats:
    """Share of the time in which vCPUs that could run have to wait."""
    if not plan.starved:
        return np.zeros(count)
    return np.clip(plan.starved * np.exp(0.7 * wander(rng, count, 30.0) - 0.25), 0, 0.8)


def _work(rng: np.random.Generator, count: int, plan: Plan, cost_us: float) -> _Guest:
    """Everything that the guest does, by the plan's kind of work."""
    memory = plan.load_memory_s or float(rng.choice([7.0, 22.0, 100.0]))
    load = np.exp(0.5 * wander(rng, count, memory))
    if plan.work == "steps":
        load = np.repeat(rng.uniform(0.2, 2.0, count // 720 + 1), 720)[:count] * np.exp(
            0.1 * wander(rng, count, 5.0)
        )
    elif plan.work == "daily":
        turns = np.arange(count) / count * rng.uniform(0.7, 2.5) + rng.uniform(0, 1)
        load = (1.2 + np.sin(2 * np.pi * turns)) * np.exp(0.2 * wander(rng, count, memory))
    load /= load.mean()
    user = np.clip(0.25 * load * np.exp(0.1 * wander(rng, count, 3.0)), 0, 0.9) * plan.vcpus
    switches = 2000 + 5000 * load * np.exp(0.3 * wander(rng, count, 10.0))
    kernel = 2500e-6 * np.exp(0.5 * wander(rng, count, float(rng.choice([2.0, 10.0, 40.0]))))
    soft = 1000 + 3000 * load * np.exp(0.6 * wander(rng, count, float(rng.choice([4.0, 15.0, 40.0]))))
    burst = (rng.random(count) < GRID_S / 60) * rng.exponential(plan.bursts, count)
    soft += np.asarray(scipy.signal.lfilter([1.0], [1.0, -np.exp(-GRID_S / 6)], burst))
    exits, huge = np.zeros(count), None
    each_us = np.full(count, cost_us)
    share = 1 / (1 + np.exp(-2 * wander(rng, count, memory)))  # between two kinds of jobs
    if plan.work == "anti":
        soft, kernel = 8000 * share, kernel + 0.35 * (1 - share) * plan.vcpus**0.5
    elif plan.work == "co":
        soft, kernel = 8000 * share, kernel + 0.25 * share * np.exp(0.2 * wander(rng, count, 8.0))
    elif plan.work == "user":
        soft, user = 8000 * share, 0.1 * user + 0.4 * share * np.exp(0.1 * wander(rng, count, 8.0))
    elif plan.work == "fork":
        starts = (rng.random(count) < GRID_S / 25) * rng.exponential(1.0, count)
        storm = np.asarray(scipy.signal.lfilter([1.0], [1.0, -np.exp(-GRID_S / 4)], starts))
        soft, switches = 300 + 12000 * storm, switches + 1500 * storm
        kernel = kernel + 0.15 * storm * np.exp(0.2 * wander(rng, count, 5.0))
    elif plan.work == "steady":
        soft = 4000 * np.exp(0.02 * wander(rng, count, 10.0))
    elif plan.work == "classes":
        dear, cheap = np.full(count, 1500.0) * np.exp(0.1 * wander(rng, count, 60.0)), 3 * burst
        cheap = np.asarray(scipy.signal.lfilter([1.0], [1.0, -np.exp(-GRID_S / 6)], cheap))
        soft = dear + cheap
        each_us = (dear * 2 * cost_us + cheap * 0.2 * cost_us) / soft
    elif plan.work == "huge":
        starts = (rng.random(count) < GRID_S / 40) * 600.0
        huge = np.asarray(scipy.signal.lfilter([1.0], [1.0, -np.exp(-GRID_S / 2)], starts))
        each_us = (soft * cost_us + huge * 100 * max(cost_us, 1.0)) / (soft + huge)
        soft = soft + huge
    elif plan.work == "io":
        busy = np.exp(0.6 * wander(rng, count, memory))
        soft, exits = 500 + 4000 * busy * np.exp(0.3 * wander(rng, count, 4.0)), 0.03 * busy
        kernel = kernel + 0.05 * busy
    if plan.rate is not None:
        times = plan.rate / soft.mean()
        soft, huge = soft * times, None if huge is None else huge * times
    return _Guest(user, kernel, switches, soft, soft * each_us * 1e-6, exits, huge)


def _seen(
    rng: np.random.Generator,
    plan: Plan,
    seed: int,
    host: dict[str, Floats],
    rates: dict[str, Floats],
    *,
    mmu: Mmu,
    evidence: HostEvidence | None,
) -> VmFaults:
    """What the host and the guest's log show of it."""
    count = len(host["run"])
    grid = np.arange(count + 1) * GRID_S - PAD_S

    def counted(values: Floats, times: Floats) -> Floats:
        return np.interp(times, grid, np.concatenate(([0.0], np.cumsum(values) * GRID_S)))

    ends = np.arange(plan.samples + 1) * plan.step_s + rng.normal(0, 0.02, plan.samples + 1) + 0.1
    split = rng.dirichlet(np.full(plan.vcpus, 20.0), plan.samples).T
    shown = {n: np.round(np.diff(counted(v, ends)) / np.diff(ends) * 100 * split, 2) for n, v in host.items()}
    ahead = float(rng.uniform(-60, 60))
    first, last = rng.uniform(0, plan.guest_s) - PAD_S + 1, plan.samples * plan.step_s + PAD_S - 1
    reads = np.arange(first, last, plan.guest_s)
    reads += rng.normal(0, 0.05, len(reads))
    gained = plan.clock_drift_s * (reads - reads.mean()) / max(float(np.ptp(reads)), 1.0)
    stamps = np.floor((reads + ahead + gained) / plan.stamps_s + 1e-9) * plan.stamps_s
    log = {}
    for name, values in rates.items():
        counts = counted(values, reads)
        if not name.endswith("_time"):
            counts = np.floor(counts)
        elif plan.tick_s:
            tick = plan.tick_s * 100 / plan.vcpus
            counts = np.floor(counts / tick) * tick
        log[name] = np.diff(counts) / np.diff(reads)
        if name.endswith("_time"):
            log[name] = np.round(log[name], 2)
    ends_s, covered_s = ends[1:] + 1.7e9, np.diff(ends)
    if plan.late_s is not None:
        ends_s = np.floor(ends_s)
        ends_s, covered_s = within_seconds(ends_s, np.diff(ends_s, prepend=ends_s[0] - plan.interval_s))
    told = ahead - plan.clock_shift_s + rng.uniform(-1, 1) * plan.clock_error_s
    return VmFaults(
        vm=f"vm{seed}",
        gid=str(1000 + seed),
        mmu=mmu,
        ends_s=ends_s,
        covered_s=covered_s,
        run_pct=shown["run"],
        overlap_pct=np.zeros((plan.vcpus, plan.samples)),
        ready_pct=shown["ready"] if plan.starved else None,
        guest=GuestRates(stamps[1:] + 1.7e9, np.diff(stamps), log),
        offset=ClockOffset.constant(told, plan.clock_error_s),
        evidence=evidence or HostEvidence(),
    )
