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
    CLOCK_SHIFTS_S,
    CLOCKS,
    CONDITIONS,
    HARD,
    IDENTIFIED,
    LENGTHS,
    clock_check,
    false_alarms,
    judged,
    outcome,
    slope_coverage,
)
from faultsim import Plan, simulate

from esxprobe.correlate import fault_costs
from esxprobe.correlate.aligned import MOST_SAMPLES

LONG_WORDS = dict(zip(CLOCKS, CLOCK_SHIFTS_S, strict=True))


@pytest.mark.parametrize("name", list(CONDITIONS))
def test_no_verdict_and_no_bound_is_false_whatever_the_guest_does(name: str) -> None:
    found = outcome(judged(replace(CONDITIONS[name], samples=180), 4, first_seed=700))
    assert found.false_negligible == 0
    assert found.false_claims == 0
    assert found.exceeded == 0
    assert found.named is None or found.named >= 0.5


@pytest.mark.parametrize("name", list(IDENTIFIED))
def test_where_the_cost_can_be_told_the_bracket_holds_it(name: str) -> None:
    found = outcome(judged(replace(CONDITIONS[name], samples=180), 12, first_seed=700))
    assert found.claimed >= 8
    assert found.inside >= 0.75


@pytest.mark.parametrize("name", [name for name, plan in HARD.items() if plan.cost_us in (0.0, 0.1)])
def test_faults_that_cost_nothing_are_never_charged(name: str) -> None:
    found = outcome(judged(replace(HARD[name], samples=360, guest_s=1.0), 16, first_seed=300))
    assert set(found.verdicts) <= {"possible", "negligible"}


def test_a_cost_that_is_hidden_from_the_guest_is_found() -> None:
    found = outcome(judged(Plan(samples=360, guest_s=1.0, cost_us=20.0, load_memory_s=22.0), 16, vary=False))
    assert found.verdicts["noticeable"] >= 12


def test_other_work_that_falls_when_faults_rise_does_not_acquit() -> None:
    for _, cost in judged(Plan(work="anti", rate=700.0, cost_us=60.0, samples=360), 8):
        assert cost.verdict == "possible" or cost.association is None


def test_a_coarse_log_is_met_with_coarser_samples() -> None:
    (cost, _) = fault_costs([simulate(1, Plan(samples=720, guest_s=30.0)).vm])
    assert cost.intervals.interval_s == pytest.approx(30.0, abs=0.1)
    assert outcome(judged(Plan(samples=720, guest_s=30.0), 20)).inside >= 0.75


def test_the_interval_narrows_with_the_capture_and_with_a_finer_log() -> None:
    widths = [outcome(judged(Plan(samples=count), 10)).half_width_us for count in LENGTHS]
    assert widths == sorted(widths, reverse=True)
    assert outcome(judged(Plan(samples=180, guest_s=1.0), 10)).half_width_us < widths[1] / 2


@pytest.mark.parametrize("controls", [0, 3])
@pytest.mark.parametrize("r1", AUTOCORRELATIONS)
@pytest.mark.parametrize("count", LENGTHS[1:])
def test_unrelated_series_look_related_no_more_often_than_promised(count: int, r1: float, controls: int) -> None:
    assert false_alarms(count, r1, controls, 300) <= 0.11


@pytest.mark.parametrize("growing", [False, True])
@pytest.mark.parametrize("r1", AUTOCORRELATIONS[:3])
def test_the_interval_holds_under_autocorrelation_and_when_noise_grows(r1: float, growing: bool) -> None:
    assert slope_coverage(180, r1, 150, growing=growing) >= (0.8 if growing else 0.87)


@pytest.mark.parametrize("name", list(CLOCKS))
def test_clocks_that_are_right_are_left_alone(name: str) -> None:
    assert clock_check(replace(CLOCKS[name], samples=180), 24).warned <= 0.13


@pytest.mark.parametrize("name", [name for name, plan in CLOCKS.items() if "user_time" in plan.controls])
def test_clocks_that_are_off_are_seen(name: str) -> None:
    plan = replace(CLOCKS[name], samples=180 if CLOCKS[name].guest_s < 60 else 1440)
    for by in (LONG_WORDS[name], -LONG_WORDS[name]):
        found = clock_check(replace(plan, clock_shift_s=by), 12)
        assert found.warned >= 0.9
        assert found.off_s < 2.5


def test_a_shift_is_reported_and_never_applied() -> None:
    truth = simulate(3, Plan(samples=360, clock_shift_s=20.0))
    (cost, _) = fault_costs([truth.vm])
    assert cost.clock.warning
    assert cost.clock.offset_s == truth.vm.offset.mean_s
    assert f"--guest-offset {cost.vm}=" in cost.advice[0]
    said = float(cost.advice[0].split("--guest-offset ")[1].split("=")[1].removesuffix("s."))
    again = replace(truth.vm, offset=replace(truth.vm.offset, start_s=said, end_s=said))
    (right, _) = fault_costs([again])
    assert not right.clock.warning
    assert right.association is not None
    assert right.association.low_us <= truth.soft_us <= right.association.high_us


def test_very_long_captures_are_joined_before_all_pairs_are_formed() -> None:
    truth = simulate(1, Plan(samples=3 * MOST_SAMPLES, interval_s=2.0, guest_s=1.0))
    (cost, _) = fault_costs([truth.vm])
    assert cost.intervals.count <= MOST_SAMPLES
    assert cost.intervals.interval_s == pytest.approx(6.0, abs=0.2)
    assert cost.association is not None
    assert cost.association.low_us <= truth.soft_us <= cost.association.high_us


def test_many_vms_are_what_each_is_alone_but_for_q() -> None:
    vms = [simulate(seed, Plan(samples=60)).vm for seed in range(4)]
    together = fault_costs(vms)
    alone = [cost for vm in vms for cost in fault_costs([vm])]
    for one, other in zip(together, alone, strict=True):
        assert (one.association is None) == (other.association is None)
        if one.association and other.association:
            assert replace(one.association, q=0.0) == replace(other.association, q=0.0)
            assert one.association.q >= other.association.p
    assert np.isfinite([cost.rates.mean for cost in together]).all()
