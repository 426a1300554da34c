"""What the fault analysis is worth: coverage, false alarms, clock check and time, on answers that are known.

    python tests/benches/faultcost.py [--runs 200]

The same functions with fewer seeds are tests (tests/correlate/test_known_answers.py). Seeds are fixed.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np
from faultsim import Plan, simulate
from scipy.signal import lfilter

from esxprobe.correlate import fault_costs
from esxprobe.correlate.significance import partial_correlation
from esxprobe.correlate.slope import partial_slope
from esxprobe.correlate.verdict import FEWEST_INDEPENDENT, moves_together
from esxprobe.model import FaultCost

LENGTHS = (60, 180, 720)
AUTOCORRELATIONS = (0.0, 0.5, 0.8, 0.95)
VCPUS = (1, 2, 4, 8)

CONDITIONS: dict[str, Plan] = {
    "guest log every 5 s": Plan(guest_s=5.0),
    "guest log every 1 s": Plan(guest_s=1.0),
    "offset wrong by up to 0.5 s": Plan(clock_error_s=0.5),
    "stamps cut to whole seconds": Plan(stamps_s=1.0),
    "user time in ticks of 10 ms": Plan(tick_s=0.01),
    "guest log every 30 s": Plan(guest_s=30.0),
    "every 1 s, of the load user time alone": Plan(guest_s=1.0, controls=("user_time",)),
    "every 1 s, of the load switches alone": Plan(guest_s=1.0, controls=("context_switches",)),
    "every 1 s, nothing of the load": Plan(guest_s=1.0, controls=()),
}
CLOCK_CONDITIONS: dict[str, Plan] = {
    "load counters in the log, every 5 s": Plan(),
    "faults only, 3 us each, every 1 s": Plan(controls=(), cost_us=3.0, guest_s=1.0),
    "faults only, 3 us each, every 5 s": Plan(controls=(), cost_us=3.0),
}


@dataclass(frozen=True)
class Coverage:
    """How planted costs came back.

    Attributes:
        runs: Runs with enough independent intervals to claim anything.
        inside: Share of them whose 95 % interval holds the planted cost.
        below_upper: Share whose planted cost is below the interval's upper end: "at most" holds.
        bias_us: Median of estimate less truth [us].
        half_width_us: Median half-width of the interval [us].
        found: Share in which vCPU time was said to move together with the faults.
    """

    runs: int
    inside: float
    below_upper: float
    bias_us: float
    half_width_us: float
    found: float


def coverage(plan: Plan, runs: int, *, first_seed: int = 0) -> Coverage:
    """Planted costs of 0.3 to 6 us per soft fault, one capture a seed."""
    costs: list[tuple[FaultCost, float]] = []
    for seed in range(first_seed, first_seed + runs):
        truth = simulate(seed, replace(plan, vcpus=VCPUS[seed % len(VCPUS)]))
        cost = fault_costs([truth.vm])[0]
        if cost.n_eff >= FEWEST_INDEPENDENT:
            costs.append((cost, truth.soft_us))
    if not costs:
        return Coverage(0, np.nan, np.nan, np.nan, np.nan, np.nan)
    low, value, high, true = np.array([(c.ci_low, c.slope_us_per_fault, c.ci_high, t) for c, t in costs]).T
    return Coverage(
        len(costs),
        float(((low <= true) & (true <= high)).mean()),
        float((true <= high).mean()),
        float(np.median(value - true)),
        float(np.median(high - low) / 2),
        float(np.mean([moves_together(cost) for cost, _ in costs])),
    )


def autoregressive(rng: np.random.Generator, count: int, r1: float) -> np.ndarray:
    """AR(1) of mean 0, variance 1."""
    noise = rng.standard_normal(count) * (1 - r1 * r1) ** 0.5
    noise[0] /= (1 - r1 * r1) ** 0.5
    return np.asarray(lfilter([1.0], [1.0, -r1], noise))


def false_alarms(count: int, r1: float, controls: int, runs: int, seed: int = 1) -> float:
    """Share of p < 0.05 between independent series of the same autocorrelation."""
    rng = np.random.default_rng([seed, count, round(100 * r1), controls])
    stretch = np.zeros(count, dtype=np.intp)
    alarms = 0
    for _ in range(runs):
        x, y, *others = (autoregressive(rng, count, r1) for _ in range(2 + controls))
        taken = np.column_stack(others) if others else np.empty((count, 0))
        alarms += partial_correlation(y, x, taken, stretch).p < 0.05
    return alarms / runs


def slope_coverage(count: int, r1: float, runs: int, seed: int = 2) -> float:
    """Share of 95 % intervals that hold the slope 1 between x and y = x + noise, both AR(1) of r1."""
    rng = np.random.default_rng([seed, count, round(100 * r1)])
    stretch, none = np.zeros(count, dtype=np.intp), np.empty((count, 0))
    inside = 0
    for _ in range(runs):
        x = autoregressive(rng, count, r1)
        slope = partial_slope(x + autoregressive(rng, count, r1), x, none, stretch)
        inside += slope.low <= 1 <= slope.high
    return inside / runs


@dataclass(frozen=True)
class ClockCheck:
    """How often the clock check warned, and how near the shift it named was (median distance) [s]."""

    warned: float
    off_s: float


def clock_check(plan: Plan, runs: int, *, first_seed: int = 5000) -> ClockCheck:
    """The check over simulated VMs whose offset is too small by `plan.clock_shift_s`."""
    costs = [fault_costs([simulate(seed, plan).vm])[0] for seed in range(first_seed, first_seed + runs)]
    off = [abs(cost.lag_s - plan.clock_shift_s) for cost in costs if cost.lag_warning]
    return ClockCheck(len(off) / runs, float(np.median(off)) if off else np.nan)


def independent_clock_check(count: int, r1: float, runs: int, seed: int = 3) -> float:
    """How often it warns of a shift between two series that have nothing to do with each other."""
    from esxprobe.correlate.shift import leftover_shift

    rng = np.random.default_rng([seed, count, round(100 * r1)])
    stretch = np.zeros(count, dtype=np.intp)
    pairs = ((autoregressive(rng, count, r1), autoregressive(rng, count, r1)) for _ in range(runs))
    return sum(leftover_shift(y, x[:, None], stretch, 5.0).warning for y, x in pairs) / runs


def seconds_for(vms: int, samples: int) -> float:
    """What the analysis of so many VMs takes [s], their simulation and a first run left out."""
    many = [simulate(seed, Plan(samples=samples)).vm for seed in range(vms)]
    fault_costs(many[:1])
    start = time.perf_counter()
    fault_costs(many)
    return time.perf_counter() - start


def tables(runs: int) -> Iterator[str]:
    """All tables, as Markdown."""
    yield f"\n{runs} runs a line; planted 0.3-6 us per soft fault, samples of 5 s\n"
    yield "| conditions | samples | claimed | inside 95 % | below upper end | bias [us] | half-width [us] | found |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, plan in CONDITIONS.items():
        for count in LENGTHS:
            c = coverage(replace(plan, samples=count), runs)
            if not c.runs:
                yield f"| {name} | {count} | 0 | | | | | |"
                continue
            yield (
                f"| {name} | {count} | {c.runs} | {c.inside:.3f} | {c.below_upper:.3f} | {c.bias_us:+.3f} |"
                f" {c.half_width_us:.2f} | {c.found:.2f} |"
            )
    trials = 10 * runs
    yield f"\np < 0.05 between independent AR(1) series, {trials} trials a cell; coverage of a slope's interval\n"
    yield "| samples | r1 | no controls | 1 control | 3 controls | slope inside 95 % |"
    yield "|---|---|---|---|---|---|"
    for count in LENGTHS:
        for r1 in AUTOCORRELATIONS:
            cells = [false_alarms(count, r1, controls, trials) for controls in (0, 1, 3)]
            inside = slope_coverage(count, r1, 3 * runs)
            yield f"| {count} | {r1} | " + " | ".join(f"{cell:.3f}" for cell in cells) + f" | {inside:.3f} |"
    yield f"\nClock check, {2 * runs} runs a cell\n"
    yield "| samples | conditions | warned unshifted | warned shifted by 20 s | median distance [s] |"
    yield "|---|---|---|---|---|"
    for count in (180, 360, 720):
        for name, made in CLOCK_CONDITIONS.items():
            plan = replace(made, samples=count)
            still, moved = (clock_check(replace(plan, clock_shift_s=by), 2 * runs) for by in (0.0, 20.0))
            yield f"| {count} | {name} | {still.warned:.3f} | {moved.warned:.3f} | {moved.off_s:.1f} |"
        for r1 in (0.0, 0.8):
            warned = independent_clock_check(count, r1, 5 * runs)
            yield f"| {count} | unrelated series, r1 {r1} | {warned:.3f} | | |"


def main() -> None:
    """Prints everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    runs = parser.parse_args().runs
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    print(f"Python {platform.python_version()}, {versions}, {os.cpu_count()} cores")
    for line in tables(runs):
        print(line, flush=True)
    took = sorted(seconds_for(50, 720) for _ in range(3))
    print(f"\n50 VMs x 720 samples, soft and hard faults: {took[1]:.2f} s (median of 3)")


if __name__ == "__main__":
    main()
