"""Answers that are known: planted costs, unrelated series, clocks that are off. In full: `make bench`.

Fewer seeds than the bench, so the bands are wider than what is promised: they are those in which a true share
inside the promise falls with a probability of 99 % or more.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from faultcost import (
    AUTOCORRELATIONS,
    CLOCK_CONDITIONS,
    CONDITIONS,
    LENGTHS,
    clock_check,
    coverage,
    false_alarms,
    independent_clock_check,
    slope_coverage,
)
from faultsim import Plan, simulate

from esxprobe.correlate import fault_costs
from esxprobe.correlate.costs import MOST_SAMPLES

WITH_LOAD = [name for name, plan in CONDITIONS.items() if "user_time" in plan.controls and plan.guest_s <= 5]


@pytest.mark.parametrize(
    ("name", "count"),
    [(name, count) for name in WITH_LOAD for count in LENGTHS if count < 720 or name in WITH_LOAD[:2]],
)
def test_planted_costs_lie_inside_the_interval(name: str, count: int) -> None:
    found = coverage(replace(CONDITIONS[name], samples=count), 24, first_seed=700)
    assert found.runs >= 18
    assert found.inside >= 0.75
    assert abs(found.bias_us) < 0.5 * found.half_width_us


def test_a_coarse_log_is_met_with_coarser_samples() -> None:
    (cost, _) = fault_costs([simulate(1, Plan(samples=720, guest_s=30.0)).vm])
    assert cost.interval_s == pytest.approx(30.0, abs=0.1)
    assert coverage(Plan(samples=720, guest_s=30.0), 20).inside >= 0.75


def test_without_load_counters_the_slope_is_an_upper_bound_and_no_more() -> None:
    found = coverage(replace(CONDITIONS["every 1 s, nothing of the load"], samples=180), 30)
    assert found.inside < 0.5
    assert found.below_upper > 0.9


def test_the_interval_narrows_with_the_capture_and_with_a_finer_log() -> None:
    widths = [coverage(Plan(samples=count), 10).half_width_us for count in LENGTHS]
    assert widths == sorted(widths, reverse=True)
    assert coverage(Plan(samples=180, guest_s=1.0), 10).half_width_us < widths[1] / 2


@pytest.mark.parametrize("controls", [0, 3])
@pytest.mark.parametrize("r1", AUTOCORRELATIONS)
@pytest.mark.parametrize("count", LENGTHS)
def test_unrelated_series_look_related_no_more_often_than_promised(count: int, r1: float, controls: int) -> None:
    assert 0.012 <= false_alarms(count, r1, controls, 400) <= 0.10


@pytest.mark.parametrize("r1", AUTOCORRELATIONS)
def test_the_interval_holds_under_autocorrelation(r1: float) -> None:
    assert slope_coverage(180, r1, 150) >= 0.89


@pytest.mark.parametrize("count", [180, 720])
def test_clocks_that_are_off_by_20_s_are_seen(count: int) -> None:
    plan = replace(CLOCK_CONDITIONS["load counters in the log, every 5 s"], samples=count)
    late = clock_check(replace(plan, clock_shift_s=20.0), 30)
    assert late.warned >= 0.9
    assert late.off_s < 2.5
    early = clock_check(replace(plan, clock_shift_s=-20.0), 30)
    assert early.warned >= 0.9
    assert early.off_s < 2.5


@pytest.mark.parametrize("name", list(CLOCK_CONDITIONS))
def test_clocks_that_are_right_are_left_in_peace(name: str) -> None:
    assert clock_check(replace(CLOCK_CONDITIONS[name], samples=180), 60).warned <= 0.12


@pytest.mark.parametrize("r1", [0.0, 0.8])
@pytest.mark.parametrize("count", [180, 720])
def test_unrelated_series_have_no_shift(count: int, r1: float) -> None:
    assert independent_clock_check(count, r1, 300) <= 0.09


def test_a_shift_is_told_and_never_applied() -> None:
    truth = simulate(3, Plan(samples=360, clock_shift_s=20.0))
    (cost, _) = fault_costs([truth.vm])
    assert cost.lag_warning
    assert cost.offset_s == truth.vm.offset.mean_s
    assert f"--guest-offset {cost.vm}=" in cost.advice[0]
    told = float(cost.advice[0].split("--guest-offset ")[1].split("=")[1].removesuffix("s."))
    again = replace(truth.vm, offset=replace(truth.vm.offset, start_s=told, end_s=told))
    (right, _) = fault_costs([again])
    assert not right.lag_warning
    assert right.ci_low <= truth.soft_us <= right.ci_high


def test_very_long_captures_are_joined_before_all_pairs_are_formed() -> None:
    truth = simulate(1, Plan(samples=3 * MOST_SAMPLES, interval_s=2.0, guest_s=1.0))
    (cost, _) = fault_costs([truth.vm])
    assert cost.samples <= MOST_SAMPLES
    assert cost.interval_s == pytest.approx(6.0, abs=0.2)
    assert cost.ci_low <= truth.soft_us <= cost.ci_high


def test_many_vms_are_what_each_is_alone_but_for_q() -> None:
    vms = [simulate(seed, Plan(samples=60)).vm for seed in range(4)]
    together = fault_costs(vms)
    alone = [cost for vm in vms for cost in fault_costs([vm])]
    assert [cost.slope_us_per_fault for cost in together] == pytest.approx(
        [cost.slope_us_per_fault for cost in alone], nan_ok=True
    )
    assert np.all([a.q >= b.p for a, b in zip(together, alone, strict=True) if np.isfinite(b.p)])
