"""What the fault analysis is worth: verdicts, bounds, coverage and the clock check, on answers that are known.

    python tests/benches/faultcost.py [--runs 100] [--only conditions]

The same functions with fewer seeds are tests (tests/correlate/test_known_answers.py). Seeds are fixed.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import get_args

import numpy as np
import scipy  # its parts are imported when they are used: to import them takes seconds
from experimentsim import SETUPS, run
from faultsim import CONTROLS, Plan, Truth, Work, simulate

from esxprobe.correlate import fault_costs
from esxprobe.correlate.experiment import judge_experiment
from esxprobe.correlate.regression import regress
from esxprobe.model import FaultCost

LENGTHS = (60, 180, 720)
AUTOCORRELATIONS = (0.0, 0.5, 0.8, 0.95)
VCPUS = (1, 2, 4, 8)
WORKS = get_args(Work)

# Where the cost can be told: the layer's time is booked nowhere in the guest, and its load is in the log.
IDENTIFIED: dict[str, Plan] = {
    "guest log every 5 s": Plan(),
    "guest log every 1 s": Plan(guest_s=1.0),
    "offset wrong by up to 0.5 s": Plan(clock_error_s=0.5),
    "stamps cut to whole seconds": Plan(stamps_s=1.0),
    "esxtop's own stamps: whole seconds, rows 13 ms late": Plan(interval_s=2.0, guest_s=1.0, late_s=0.013),
    "times in ticks of 10 ms": Plan(tick_s=0.01),
    "intervals of 2 s": Plan(interval_s=2.0, guest_s=1.0),
    "intervals of 20 s": Plan(interval_s=20.0),
    "a day: 17,280 samples": Plan(samples=17_280),
    "32 vCPUs": Plan(vcpus=32, guest_s=1.0),
    "load in steps": Plan(work="steps", guest_s=1.0),
    "daily cycle": Plan(work="daily", guest_s=1.0),
    "PCPU clock wanders": Plan(clocked=0.15, guest_s=1.0),
    "dear: 20 µs": Plan(cost_us=20.0, guest_s=1.0),
}
# Where it cannot, or not by a slope: what is said there must still be true.
HARD: dict[str, Plan] = {
    "two jobs, one faults and one is in the kernel": Plan(work="anti"),
    "two jobs, 28 µs a fault": Plan(work="anti", cost_us=28.0),
    "two jobs, as on a real layer": Plan(work="anti", cost_us=59.0, rate=3280.0, vcpus=1, booked_user=1.0),
    "kernel work goes with faults": Plan(work="co"),
    "kernel work goes with faults that are nearly free": Plan(work="co", cost_us=0.1),
    "user work goes with faults": Plan(work="user"),
    "user work goes with faults that are nearly free": Plan(work="user", cost_us=0.1),
    "fork storms, faults free": Plan(work="fork", cost_us=0.0),
    "fork storms, 20 µs a fault": Plan(work="fork", cost_us=20.0),
    "half booked as user time": Plan(booked_user=0.5, cost_us=20.0),
    "all booked as user time": Plan(booked_user=1.0, cost_us=20.0),
    "all booked as system time": Plan(booked_system=1.0, cost_us=20.0),
    "a steady stream, 20 µs a fault": Plan(work="steady", cost_us=20.0),
    "cheap bursts over dear ones": Plan(work="classes", cost_us=12.0),
    "huge pages among them": Plan(work="huge"),
    "input and output, faults nearly free": Plan(work="io", cost_us=0.1),
    "starved by neighbors": Plan(starved=0.2),
    "starved, 20 µs a fault": Plan(starved=0.2, cost_us=20.0),
    "starved, steal known, faults nearly free": Plan(starved=0.2, steal_known=True, cost_us=0.1),
    "a rate that does not matter": Plan(rate=300.0),
    "a rate that matters at 60 µs a fault": Plan(rate=300.0, cost_us=60.0),
    "60,000 faults/s": Plan(rate=60000.0, cost_us=1.0),
    "nothing of the load in the log": Plan(controls=()),
    "no system time in the log": Plan(controls=("user_time", "context_switches"), cost_us=20.0),
    "guest log every 60 s": Plan(guest_s=60.0, cost_us=20.0),
    "clock off by 20 s": Plan(clock_shift_s=20.0, cost_us=20.0),
    "clock drifts by 20 s": Plan(clock_drift_s=20.0, cost_us=20.0),
}
CONDITIONS = IDENTIFIED | HARD
CLOCKS: dict[str, Plan] = {
    "user and system time in the log": Plan(),
    "the same, intervals of 20 s, off by 7 s": Plan(interval_s=20.0),
    "faults only, 3 µs each, log every 5 s": Plan(controls=(), cost_us=3.0),
    "log every 60 s, intervals of 5 s": Plan(guest_s=60.0),
}
CLOCK_SHIFTS_S = (20.0, 7.0, 20.0, 20.0)


def drawn_plan(seed: int) -> Plan:
    """Anything that a VM may be: every property drawn at random, the faults within what its vCPUs can take."""
    rng = np.random.default_rng([seed, 41])

    def spread(low: float, high: float) -> float:
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    vcpus, cost_us, interval_s = int(rng.integers(1, 33)), spread(0.05, 100), float(rng.choice([2, 5, 10, 20]))
    controls = [(), ("user_time", "context_switches"), ("user_time", "system_time")] + 3 * [CONTROLS]
    booked = float(rng.choice([0.0, 0.0, rng.uniform(), 1.0]))
    return Plan(
        samples=int(spread(60, 3000)),
        interval_s=interval_s,
        guest_s=float(rng.choice([1, 2, interval_s, 15, 60])),
        vcpus=vcpus,
        cost_us=cost_us,
        rate=min(spread(100, 60_000), 0.6e6 * min(vcpus, 4) / cost_us),
        clock_error_s=float(rng.choice([0, 0.5])),
        clock_shift_s=float(rng.choice([0, 0, 0, rng.uniform(-30, 30)])),
        clock_drift_s=float(rng.choice([0, 0, rng.uniform(-10, 10)])),
        stamps_s=float(rng.choice([0.001, 1])),
        tick_s=float(rng.choice([0, 0.01])),
        controls=controls[int(rng.integers(len(controls)))],
        work=WORKS[int(rng.integers(len(WORKS)))],
        booked_user=booked,
        booked_system=float(rng.choice([0.0, rng.uniform()])) * (1 - booked),
        starved=float(rng.choice([0, 0, 0.2])),
        clocked=float(rng.choice([0, 0, 0.15])),
        steal_known=bool(rng.integers(2)),
    )


@dataclass(frozen=True)
class Outcome:
    """What was said under one condition.

    Attributes:
        runs: Captures.
        truth_pct: Median of what the faults took [% of one vCPU].
        false_negligible: `negligible` where they took 5 % or more.
        false_claims: `noticeable` or `severe` where they took less than 0.3 %.
        exceeded: Printed upper bounds below the truth.
        named: Of those that took 3 % or more, the share that got a verdict that names it; None without such.
        claimed: Captures with an association.
        inside: Share of them whose bracket holds the planted cost.
        main_inside: Share of them whose main reading's interval does.
        half_width_us: Half of the main reading's interval, median [µs].
        verdicts: How often each.
    """

    runs: int
    truth_pct: float
    false_negligible: int
    false_claims: int
    exceeded: int
    named: float | None
    claimed: int
    inside: float
    main_inside: float
    half_width_us: float
    verdicts: Mapping[str, int]


def judged(plan: Plan, runs: int, *, first_seed: int = 0, vary: bool = True) -> list[tuple[Truth, FaultCost]]:
    """Captures under one condition with what was said of soft faults; vCPUs vary unless the plan sets them."""
    pairs = []
    for seed in range(first_seed, first_seed + runs):
        vcpus = VCPUS[seed % len(VCPUS)] if vary and plan.vcpus == Plan.vcpus else plan.vcpus
        truth = simulate(seed, replace(plan, vcpus=vcpus))
        pairs.append((truth, fault_costs([truth.vm])[0]))
    return pairs


def outcome(pairs: list[tuple[Truth, FaultCost]]) -> Outcome:
    """The issues of one condition."""
    big = [cost.verdict in ("noticeable", "severe", "possible") for truth, cost in pairs if truth.soft_pct >= 3]
    found = [(truth.soft_us, cost.association) for truth, cost in pairs if cost.association]
    inside = [one.low_us <= true <= one.high_us for true, one in found]
    first = [(true, one.readings[0]) for true, one in found]
    main = [one.low <= true <= one.high for true, one in first]
    claims = ("noticeable", "severe")
    return Outcome(
        runs=len(pairs),
        truth_pct=float(np.median([truth.soft_pct for truth, _ in pairs])),
        false_negligible=sum(c.verdict == "negligible" and truth.soft_pct >= 5 for truth, c in pairs),
        false_claims=sum(cost.verdict in claims and truth.soft_pct < 0.3 for truth, cost in pairs),
        exceeded=sum(cost.upper is not None and cost.upper.pct_vcpu < truth.soft_pct for truth, cost in pairs),
        named=float(np.mean(big)) if big else None,
        claimed=len(found),
        inside=float(np.mean(inside)) if inside else np.nan,
        main_inside=float(np.mean(main)) if main else np.nan,
        half_width_us=float(np.median([one.detectable_us for _, one in found])) if found else np.nan,
        verdicts=Counter(cost.verdict for _, cost in pairs),
    )


def autoregressive(rng: np.random.Generator, count: int, r1: float) -> np.ndarray:
    """AR(1) of mean 0, variance 1."""
    noise = rng.standard_normal(count) * (1 - r1 * r1) ** 0.5
    noise[0] /= (1 - r1 * r1) ** 0.5
    return np.asarray(scipy.signal.lfilter([1.0], [1.0, -r1], noise))


def false_alarms(count: int, r1: float, controls: int, runs: int, seed: int = 1) -> float:
    """Share of p < 0.05 between independent series of the same autocorrelation."""
    rng = np.random.default_rng([seed, count, round(100 * r1), controls])
    stretch = np.zeros(count, dtype=np.intp)
    alarms = 0
    for _ in range(runs):
        x, y, *others = (autoregressive(rng, count, r1) for _ in range(2 + controls))
        taken = np.column_stack(others) if others else np.empty((count, 0))
        alarms += regress(y, x, taken, stretch).p < 0.05
    return alarms / runs


def slope_coverage(count: int, r1: float, runs: int, *, growing: bool = False, seed: int = 2) -> float:
    """Share of 95 % intervals that hold the slope 1 between x and y = x + noise, both AR(1) of r1.

    Args:
        count: Samples.
        r1: Lag-1 autocorrelation.
        runs: Pairs of series.
        growing: Whether the noise grows with x.
        seed: Of the random numbers.
    """
    rng = np.random.default_rng([seed, count, round(100 * r1), growing])
    stretch, none = np.zeros(count, dtype=np.intp), np.empty((count, 0))
    inside = 0
    for _ in range(runs):
        x, noise = autoregressive(rng, count, r1), autoregressive(rng, count, r1)
        fit = regress(x + noise * (np.exp(0.7 * x) if growing else 1.0), x, none, stretch)
        inside += fit.low <= 1 <= fit.high
    return inside / runs


@dataclass(frozen=True)
class ClockCheck:
    """How often the clock check warned, how near the shift it named was, and what it said it could see [s]."""

    warned: float
    off_s: float
    visible_s: float


def clock_check(plan: Plan, runs: int, *, first_seed: int = 5000) -> ClockCheck:
    """The check over simulated VMs whose offset is too small by `plan.clock_shift_s`."""
    clocks = [fault_costs([simulate(seed, plan).vm])[0].clock for seed in range(first_seed, first_seed + runs)]
    off = [abs(clock.shift_s - plan.clock_shift_s) for clock in clocks if clock.warning]
    seen = [clock.visible_s for clock in clocks if np.isfinite(clock.visible_s)]
    return ClockCheck(
        len(off) / runs, float(np.median(off)) if off else np.nan, float(np.median(seen)) if seen else np.nan
    )


def seconds_for(vms: int, samples: int) -> float:
    """Processor time of the analysis of so many VMs [s], their simulation and a first run left out."""
    many = [simulate(seed, Plan(samples=samples)).vm for seed in range(vms)]
    fault_costs(many[:1])
    start = time.process_time()
    fault_costs(many)
    return time.process_time() - start


def condition_table(runs: int) -> Iterator[str]:
    """What is said under every condition, as Markdown."""
    yield f"\n{runs} captures a line, samples of 5 s unless said, lengths 60, 180 and 720 in turn\n"
    yield (
        "| condition | truth [% of a vCPU] | false negligible | false claims | upper bound below truth | named |"
        " association | bracket holds the cost | main reading holds it | its half-width [µs] |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    total = Counter[str]()
    for name, plan in CONDITIONS.items():
        lengths = LENGTHS if plan.samples <= max(LENGTHS) else (plan.samples,)
        pairs = [
            pair
            for at, samples in enumerate(lengths)
            for pair in judged(replace(plan, samples=samples), -(-runs // len(lengths)), first_seed=1000 * at)
        ]
        o = outcome(pairs)
        total.update(runs=o.runs, negligible=o.false_negligible, claims=o.false_claims, exceeded=o.exceeded)
        named = "" if o.named is None else f"{o.named:.2f}"
        yield (
            f"| {name} | {o.truth_pct:.2f} | {o.false_negligible} | {o.false_claims} | {o.exceeded} | {named} |"
            f" {o.claimed / o.runs:.2f} | {o.inside:.2f} | {o.main_inside:.2f} | {o.half_width_us:.2f} |"
        )
    yield f"\nOf {total['runs']} in all: {dict(total)}"


def drawn_table(runs: int) -> Iterator[str]:
    """What is said of VMs whose every property is drawn at random."""
    pairs = [
        (seed, pair) for seed in range(runs) for pair in judged(drawn_plan(seed), 1, first_seed=seed, vary=False)
    ]
    o = outcome([pair for _, pair in pairs])
    yield f"\n{o.runs} VMs drawn at random: {dict(o.verdicts)}"
    yield f"false negligible {o.false_negligible}, false claims {o.false_claims}, bounds below truth {o.exceeded}"
    yield (
        f"of those with 3 % of a vCPU or more {o.named:.2f} named" if o.named is not None else "none of 3 % or more"
    )
    for seed, (truth, cost) in pairs:
        one = outcome([(truth, cost)])
        if one.false_negligible or one.false_claims or one.exceeded:
            yield f"seed {seed}: {truth.soft_pct:.2f} % of a vCPU, {cost.verdict}: {drawn_plan(seed)}"


def experiment_table(runs: int) -> Iterator[str]:
    """How often the interval of a fault experiment holds the planted cost, as Markdown."""
    yield f"\nFault experiments of 300 s, {runs} a line\n"
    yield "| condition | cost [µs] | interval holds it | half-width, median [µs] | a cost was named |"
    yield "|---|---|---|---|---|"
    for name, setup in SETUPS.items():
        made = [run(seed, setup) for seed in range(7000, 7000 + runs)]
        found = [judge_experiment(each.trial, each.log, each.order, each.start_s) for each in made]
        inside = np.mean([each.low <= setup.cost_us <= each.high for each in found])
        half = np.median([(each.high - each.low) / 2 for each in found])
        named = np.mean([each.measured for each in found])
        yield f"| {name} | {setup.cost_us:g} | {inside:.2f} | {half:.1f} | {named:.2f} |"


def series_table(runs: int) -> Iterator[str]:
    """Unrelated series, and slopes of known size, as Markdown."""
    yield f"\np < 0.05 between independent AR(1) series, {runs} trials a cell; coverage of a slope's interval\n"
    yield "| samples | r1 | no controls | 1 control | 3 controls | slope inside 95 % | noise grows with it |"
    yield "|---|---|---|---|---|---|---|"
    for count in LENGTHS:
        for r1 in AUTOCORRELATIONS:
            cells = [false_alarms(count, r1, controls, runs) for controls in (0, 1, 3)]
            inside = [slope_coverage(count, r1, runs, growing=growing) for growing in (False, True)]
            yield f"| {count} | {r1} | " + " | ".join(f"{cell:.3f}" for cell in (*cells, *inside)) + " |"


def clock_table(runs: int) -> Iterator[str]:
    """The clock check, as Markdown."""
    yield f"\nClock check, {runs} captures a cell\n"
    yield "| samples | condition | warned unshifted | warned shifted | median distance [s] | visible from [s] |"
    yield "|---|---|---|---|---|---|"
    for count in (180, 720, 1440):
        for (name, made), by in zip(CLOCKS.items(), CLOCK_SHIFTS_S, strict=True):
            plan = replace(made, samples=count)
            still, moved = (clock_check(replace(plan, clock_shift_s=shift), runs) for shift in (0.0, by))
            yield (
                f"| {count} | {name}, {by:g} s | {still.warned:.3f} | {moved.warned:.3f} | {moved.off_s:.1f} |"
                f" {still.visible_s:.1f} |"
            )


def main() -> None:
    """Prints everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument(
        "--only", choices=("conditions", "drawn", "experiment", "series", "clock", "time"), default=None
    )
    said = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    print(f"Python {platform.python_version()}, {versions}, {os.cpu_count()} cores")
    tables = {
        "conditions": lambda: condition_table(said.runs),
        "drawn": lambda: drawn_table(4 * said.runs),
        "experiment": lambda: experiment_table(said.runs),
        "series": lambda: series_table(10 * said.runs),
        "clock": lambda: clock_table(said.runs),
    }
    for name, table in tables.items():
        if said.only in (None, name):
            for line in table():
                print(line, flush=True)
    if said.only in (None, "time"):
        took = sorted(seconds_for(50, 720) for _ in range(3))
        print(f"\n50 VMs x 720 samples, soft and hard faults: {took[1]:.2f} s of processor time (median of 3)")


if __name__ == "__main__":
    main()
