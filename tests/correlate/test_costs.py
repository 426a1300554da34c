"""From a VM's arrays to a judged record: what is held against what, and what happens when something is missing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from faultsim import Plan, Truth, simulate

from esxprobe.correlate import GuestRates, VmFaults, fault_costs, guest_rates
from esxprobe.correlate.cuts import REASONS
from esxprobe.model import GuestLog, SourceFile
from esxprobe.report.document import _fault_cost


@pytest.fixture(scope="module")
def truth() -> Truth:
    return simulate(21, Plan(samples=360, guest_s=1.0, cost_us=4.0))


def with_log(vm: VmFaults, **changes: np.ndarray | None) -> VmFaults:
    values = {name: v for name, v in (dict(vm.guest.values) | changes).items() if v is not None}
    return replace(vm, guest=replace(vm.guest, values=values))


def test_soft_and_hard_faults_are_judged_apart_each_with_the_other_taken_out(truth: Truth) -> None:
    soft, hard = fault_costs([truth.vm])
    assert (soft.guest_counter, hard.guest_counter) == ("soft_faults", "hard_faults")
    assert soft.controls == ("hard_faults", "user_time", "context_switches")
    assert hard.controls == ("soft_faults", "user_time", "context_switches")
    assert soft.ci_low <= truth.soft_us <= soft.ci_high
    assert soft.host_counter == "sum of % Run over vCPUs less % Overlap"
    assert soft.verdict == "noticeable"
    assert soft.min_detectable_us == pytest.approx((soft.ci_high - soft.ci_low) / 2)
    assert soft.share_pct_vcpu == pytest.approx(soft.slope_us_per_fault * soft.fault_rate_mean / 1e4)
    assert soft.bound_pct_vcpu == pytest.approx(soft.fault_rate_p95 * 4.0 / 1e4)
    assert "rule of thumb" in soft.bound_basis


def test_overlap_is_time_that_the_guest_did_not_get(truth: Truth) -> None:
    stolen = np.full_like(truth.vm.run_pct, 2.0)
    (with_overlap, _), (without, _) = (
        fault_costs([replace(truth.vm, run_pct=truth.vm.run_pct + stolen, overlap_pct=overlap)])
        for overlap in (stolen, None)
    )
    (plain, _) = fault_costs([truth.vm])
    assert with_overlap.vcpu_pct_mean == pytest.approx(plain.vcpu_pct_mean)
    assert without.vcpu_pct_mean == pytest.approx(plain.vcpu_pct_mean + 2.0 * len(stolen))
    assert without.host_counter == "sum of % Run over vCPUs"


def test_a_log_that_does_not_tell_faults_apart_is_judged_as_a_whole(truth: Truth) -> None:
    values = truth.vm.guest.values
    vm = with_log(
        truth.vm, soft_faults=None, hard_faults=None, faults=values["soft_faults"] + values["hard_faults"]
    )
    (cost,) = fault_costs([vm])
    assert cost.guest_counter == "faults"
    assert cost.ci_low <= truth.soft_us <= cost.ci_high


def test_a_log_without_faults_says_nothing(truth: Truth) -> None:
    assert fault_costs([with_log(truth.vm, soft_faults=None, hard_faults=None)]) == ()
    assert fault_costs([]) == ()
    assert fault_costs([replace(truth.vm, guest=GuestRates(np.empty(0), np.empty(0), {}))]) == ()


def test_a_load_counter_full_of_holes_is_left_away_rather_than_cutting_everything(truth: Truth) -> None:
    holed = truth.vm.guest.values["user_time"].copy()
    holed[::3] = np.nan
    (cost, _) = fault_costs([with_log(truth.vm, user_time=holed)])
    assert cost.controls == ("hard_faults", "context_switches")
    assert cost.samples == 360


def test_a_load_counter_with_a_few_holes_cuts_those_intervals(truth: Truth) -> None:
    holed = truth.vm.guest.values["user_time"].copy()
    holed[200:210] = np.nan
    (cost, _) = fault_costs([with_log(truth.vm, user_time=holed)])
    assert "user_time" in cost.controls
    assert [cut.reason for cut in cost.cuts] == ["guest-gap"]
    assert 357 <= cost.samples + 0 < 360
    assert cost.ci_low <= truth.soft_us <= cost.ci_high


def test_without_user_time_a_slope_is_never_graded(truth: Truth) -> None:
    (cost, _) = fault_costs([with_log(truth.vm, user_time=None)])
    assert cost.slope_us_per_fault > 2 * truth.soft_us
    assert cost.verdict == "inconclusive"
    assert "user time is not in its log" in cost.statement


def test_hard_faults_that_hardly_ever_happen_say_nothing(truth: Truth) -> None:
    rare = np.zeros_like(truth.vm.guest.values["hard_faults"])
    rare[100:160:4] = 1.0
    _, hard = fault_costs([with_log(truth.vm, hard_faults=rare)])
    assert math.isnan(hard.slope_us_per_fault)
    assert hard.verdict == "inconclusive"
    assert math.isnan(hard.q)


def test_a_short_capture_claims_nothing(truth: Truth) -> None:
    vm = replace(
        truth.vm,
        ends_s=truth.vm.ends_s[:15],
        covered_s=truth.vm.covered_s[:15],
        run_pct=truth.vm.run_pct[:, :15],
        overlap_pct=None,
    )
    (cost, _) = fault_costs([vm])
    assert cost.samples == 15
    assert cost.verdict == "inconclusive"
    assert math.isnan(cost.slope_us_per_fault)
    assert "below 20 independent intervals nothing is claimed" in cost.statement


def test_a_vm_pinned_at_full_speed_has_nothing_to_correlate(truth: Truth) -> None:
    """Latency sensitivity high shows %RUN 100 on every vCPU whatever the guest does."""
    pinned = replace(truth.vm, run_pct=np.full_like(truth.vm.run_pct, 100.0), overlap_pct=None)
    (cost, _) = fault_costs([pinned])
    assert cost.samples == 0
    assert cost.verdict == "inconclusive"
    assert [(cut.reason, cut.intervals) for cut in cost.cuts] == [("saturated", 360)]
    assert REASONS["saturated"] in cost.statement


def test_a_log_of_another_day_overlaps_nothing(truth: Truth) -> None:
    (cost, _) = fault_costs(
        [replace(truth.vm, guest=replace(truth.vm.guest, stamps_s=truth.vm.guest.stamps_s + 1e5))]
    )
    assert (cost.samples, cost.verdict) == (0, "inconclusive")


@pytest.mark.parametrize(("mmu", "verdict"), [("hardware", "native"), ("unknown", "unknown_mode")])
def test_the_monitor_mode_gates_everything(truth: Truth, mmu: str, verdict: str) -> None:
    (cost, _) = fault_costs([replace(truth.vm, mmu=mmu)])
    assert cost.verdict == verdict
    assert cost.slope_us_per_fault == fault_costs([truth.vm])[0].slope_us_per_fault


@pytest.mark.parametrize(
    ("cost_us", "verdict"), [(0.3, "negligible"), (4.0, "noticeable"), (40.0, "severe")], ids=str
)
def test_the_grade_is_the_share_of_a_vcpu(cost_us: float, verdict: str) -> None:
    (cost, _) = fault_costs([simulate(5, Plan(samples=720, guest_s=1.0, cost_us=cost_us)).vm])
    assert cost.verdict == verdict


def test_clocks_that_are_off_do_not_acquit() -> None:
    (cost, _) = fault_costs([simulate(5, Plan(samples=720, guest_s=1.0, cost_us=0.3, clock_shift_s=20.0)).vm])
    assert cost.lag_warning
    assert cost.verdict == "inconclusive"


def test_the_charts_get_every_interval_with_its_reason(truth: Truth) -> None:
    covered = truth.vm.covered_s.copy()
    covered[0] = np.nan
    (cost, _) = fault_costs([replace(truth.vm, covered_s=covered)])
    assert cost.series is not None
    assert len(cost.series.times) == len(cost.series.fault_rate) == len(cost.series.vcpu_pct) == 360
    assert cost.series.cut[:2] == ("interval-unknown", "")
    assert cost.series.fault_rate[0] is None
    assert cost.series.times[0] == datetime.fromtimestamp(truth.vm.ends_s[0], UTC)
    assert cost.scatter is not None
    assert len(cost.scatter.faults) == len(cost.scatter.vcpu) == 358
    x, y = np.array(cost.scatter.faults), np.array(cost.scatter.vcpu)
    line = cost.scatter.median_vcpu + cost.scatter.slope_us_per_fault * (x - cost.scatter.median_faults)
    assert abs(np.median(y - line)) < 0.1 * np.std(y)


def test_the_json_carries_the_numbers_and_not_the_series(truth: Truth) -> None:
    (cost, _) = fault_costs([truth.vm])
    said = json.loads(json.dumps(_fault_cost(cost), allow_nan=False))
    assert said["slope_us_per_fault"] == round(cost.slope_us_per_fault, 6)
    assert "series" not in said
    assert "scatter" not in said


def test_the_same_arrays_give_the_same_record(truth: Truth) -> None:
    assert repr(fault_costs([truth.vm])) == repr(fault_costs([truth.vm]))


# --- a log's long frame as arrays -----------------------------------------------------------------

START = datetime(2026, 3, 26, 21, 0, tzinfo=UTC)


def log(rows: list[tuple[int, str, float | None, float | None]]) -> GuestLog:
    frame = pl.DataFrame(
        [(START + timedelta(seconds=s), "web01", c, v, i) for s, c, v, i in rows],
        schema={
            "time": pl.Datetime("us", "UTC"),
            "guest": pl.String,
            "counter": pl.String,
            "value": pl.Float64,
            "interval_s": pl.Float64,
        },
        orient="row",
    )
    return GuestLog("web01", "perfmon", "UTC", frame, (), SourceFile("a", "0" * 64, 1), 5.0)


def test_a_long_frame_becomes_one_row_a_stamp() -> None:
    found = guest_rates(
        log(
            [
                (10, "hard_faults", 2.0, 5.0),
                (5, "faults", 100.0, 5.0),
                (5, "hard_faults", None, 5.0),
                (10, "faults", 300.0, 5.0),
                (10, "faults", 999.0, 5.0),
                (15, "user_time", 12.5, None),
            ]
        )
    )
    np.testing.assert_array_equal(found.stamps_s - START.timestamp(), [5, 10, 15])
    np.testing.assert_array_equal(found.covers_s, [5, 5, np.nan])
    np.testing.assert_array_equal(found.values["faults"], [100, 300, np.nan])
    np.testing.assert_array_equal(found.values["soft_faults"], [np.nan, 298, np.nan])
    np.testing.assert_array_equal(found.values["user_time"], [np.nan, np.nan, 12.5])


def test_soft_faults_of_the_log_itself_are_believed() -> None:
    found = guest_rates(log([(5, "faults", 9.0, 5.0), (5, "hard_faults", 2.0, 5.0), (5, "soft_faults", 6.0, 5.0)]))
    assert found.values["soft_faults"].tolist() == [6.0]


def test_an_empty_log_is_empty() -> None:
    found = guest_rates(log([]))
    assert len(found.stamps_s) == len(found.covers_s) == len(found.values) == 0


# --- hostile shapes -------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 21])
def test_captures_of_a_few_samples_are_answered(truth: Truth, count: int) -> None:
    vm = replace(
        truth.vm,
        ends_s=truth.vm.ends_s[:count],
        covered_s=truth.vm.covered_s[:count],
        run_pct=truth.vm.run_pct[:, :count],
        overlap_pct=None,
    )
    for cost in fault_costs([vm]):
        assert cost.samples == count
        assert cost.statement.endswith(".")
        assert cost.series is not None
        assert len(cost.series.times) == count


@pytest.mark.parametrize("rows", [1, 2, 30])
def test_logs_of_a_few_rows_are_answered(truth: Truth, rows: int) -> None:
    log = truth.vm.guest
    short = GuestRates(log.stamps_s[:rows], log.covers_s[:rows], {k: v[:rows] for k, v in log.values.items()})
    for cost in fault_costs([replace(truth.vm, guest=short)]):
        assert cost.verdict == "inconclusive"


@pytest.mark.parametrize("value", [math.nan, 0.0, 1e12, -1.0])
@pytest.mark.parametrize("counter", ["soft_faults", "hard_faults", "user_time", "context_switches"])
def test_a_counter_that_stands_still_is_answered(truth: Truth, counter: str, value: float) -> None:
    still = np.full_like(truth.vm.guest.values[counter], value)
    for cost in fault_costs([with_log(truth.vm, **{counter: still})]):
        assert counter not in cost.controls
        assert cost.guest_counter != counter or math.isnan(cost.slope_us_per_fault)


def test_stamps_that_go_back_and_lengths_that_are_wrong_are_answered(truth: Truth) -> None:
    stamps, covers = truth.vm.guest.stamps_s.copy(), truth.vm.guest.covers_s.copy()
    stamps[100] -= 500.0
    stamps[150] = math.nan
    covers[200:210] = [-5.0, 0.0, math.nan, math.inf, 1e9, 1.0, 1.0, 1.0, 1.0, 1.0]
    vm = replace(truth.vm, guest=replace(truth.vm.guest, stamps_s=stamps, covers_s=covers))
    (cost, _) = fault_costs([vm])
    assert cost.samples > 340
    assert cost.slope_us_per_fault == pytest.approx(truth.soft_us, abs=1.0)


def test_a_vm_without_vcpus_is_answered(truth: Truth) -> None:
    (cost, _) = fault_costs([replace(truth.vm, run_pct=np.empty((0, 360)), overlap_pct=None)])
    assert cost.samples == 0
    assert [cut.reason for cut in cost.cuts] == ["absent"]
