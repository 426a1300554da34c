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
from esxprobe.model import Association, GuestLog, Mmu, SourceFile
from esxprobe.report.document import _fault_cost


@pytest.fixture(scope="module")
def truth() -> Truth:
    return simulate(21, Plan(samples=360, guest_s=1.0, cost_us=4.0))


def with_log(vm: VmFaults, **changes: np.ndarray | None) -> VmFaults:
    values = {name: v for name, v in (dict(vm.guest.values) | changes).items() if v is not None}
    return replace(vm, guest=replace(vm.guest, values=values))


def association(vm: VmFaults, kind: int = 0) -> Association:
    found = fault_costs([vm])[kind].association
    assert found is not None
    return found


def test_soft_and_hard_faults_are_judged_apart_each_with_the_other_held(truth: Truth) -> None:
    frequent = with_log(truth.vm, hard_faults=truth.vm.guest.values["hard_faults"] * 100)
    soft, hard = fault_costs([frequent])
    assert (soft.guest_counter, hard.guest_counter) == ("soft_faults", "hard_faults")
    assert soft.association
    assert hard.association
    assert soft.association.readings[0].controls == ("hard_faults", "user_time", "context_switches")
    assert soft.association.readings[1].controls == ("hard_faults", "context_switches")
    assert hard.association.readings[0].controls == ("soft_faults", "user_time", "context_switches")
    assert soft.host_counter == "%RUN - %OVRLP, sum over vCPUs"


def test_the_figures_of_a_record_belong_together(truth: Truth) -> None:
    (cost, _) = fault_costs([truth.vm])
    found, rates = cost.association, cost.rates
    assert found
    assert cost.bound
    first = found.readings[0]
    assert found.us == first.us
    assert first.low <= truth.soft_us <= first.high
    assert found.low_us == min(each.low for each in found.readings)
    assert found.high_us == max(each.high for each in found.readings)
    assert found.detectable_us == pytest.approx((first.high - first.low) / 2)
    assert cost.bound.pct_vcpu == pytest.approx(rates.mean * 12.0 / 1e4)
    assert "rule of thumb" in cost.bound.basis
    assert cost.upper
    assert cost.upper.pct_vcpu == pytest.approx(min(rates.mean * 200 / 1e4, rates.run_pct))
    assert truth.soft_pct <= cost.upper.pct_vcpu
    assert rates.median <= rates.mean <= rates.p95
    assert cost.load.user_pct == pytest.approx(
        truth.vm.guest.values["user_time"].mean() * len(truth.vm.run_pct), rel=0.05
    )


def test_rates_need_no_regression_and_leave_nothing_out(truth: Truth) -> None:
    """A VM that faults at full speed is what everybody wants to know of."""
    pinned = replace(truth.vm, run_pct=np.full_like(truth.vm.run_pct, 99.0), overlap_pct=None)
    (cost, _) = fault_costs([pinned])
    assert cost.intervals.count == 0
    assert cost.rates.intervals == 360
    assert cost.rates.mean == pytest.approx(fault_costs([truth.vm])[0].rates.mean)
    assert cost.verdict == "possible"


def test_overlap_is_time_that_the_guest_did_not_get(truth: Truth) -> None:
    stolen = np.full_like(truth.vm.run_pct, 2.0)
    (with_overlap, _), (without, _) = (
        fault_costs([replace(truth.vm, run_pct=truth.vm.run_pct + stolen, overlap_pct=overlap)])
        for overlap in (stolen, None)
    )
    (plain, _) = fault_costs([truth.vm])
    assert with_overlap.rates.run_pct == pytest.approx(plain.rates.run_pct)
    assert without.rates.run_pct == pytest.approx(plain.rates.run_pct + 2.0 * len(stolen))
    assert without.host_counter == "%RUN, sum over vCPUs"


def test_a_log_that_does_not_tell_faults_apart_is_judged_as_a_whole(truth: Truth) -> None:
    values = truth.vm.guest.values
    vm = with_log(
        truth.vm, soft_faults=None, hard_faults=None, faults=values["soft_faults"] + values["hard_faults"]
    )
    (cost,) = fault_costs([vm])
    assert cost.guest_counter == "faults"
    found = association(vm)
    assert found.low_us <= truth.soft_us <= found.high_us


def test_a_log_without_faults_says_nothing(truth: Truth) -> None:
    assert fault_costs([with_log(truth.vm, soft_faults=None, hard_faults=None)]) == ()
    assert fault_costs([]) == ()
    assert fault_costs([replace(truth.vm, guest=GuestRates(np.empty(0), np.empty(0), {}))]) == ()


def test_a_load_counter_full_of_holes_is_left_away_rather_than_cutting_everything(truth: Truth) -> None:
    holed = truth.vm.guest.values["user_time"].copy()
    holed[::3] = np.nan
    (cost, _) = fault_costs([with_log(truth.vm, user_time=holed)])
    assert cost.association
    assert [each.controls for each in cost.association.readings] == [("hard_faults", "context_switches")]
    assert cost.association.unbooked is None
    assert cost.intervals.count == 360


def test_a_load_counter_with_a_few_holes_cuts_those_intervals(truth: Truth) -> None:
    holed = truth.vm.guest.values["user_time"].copy()
    holed[200:210] = np.nan
    (cost, _) = fault_costs([with_log(truth.vm, user_time=holed)])
    assert cost.association
    assert "user_time" in cost.association.readings[0].controls
    assert [cut.reason for cut in cost.intervals.cuts] == ["guest-gap"]
    assert 357 <= cost.intervals.count < 360


def test_without_user_time_load_is_in_the_slope_and_the_words_say_so(truth: Truth) -> None:
    vm = with_log(truth.vm, user_time=None)
    assert association(vm).us > 2 * truth.soft_us
    (cost, _) = fault_costs([vm])
    assert cost.verdict == "possible"
    assert "user time is not in its log" in " ".join(cost.statistics)


def test_time_that_the_guest_did_not_book_is_read_only_where_it_logs_both(truth: Truth) -> None:
    found = association(truth.vm)
    assert found.unbooked
    assert found.unbooked.high >= truth.soft_us - 1.2  # the guest's own handler is booked
    assert association(with_log(truth.vm, system_time=None)).unbooked is None
    assert association(with_log(truth.vm, user_time=None)).unbooked is None
    waiting = replace(truth.vm, ready_pct=np.random.default_rng(1).uniform(2, 6, truth.vm.run_pct.shape))
    assert association(waiting).unbooked is None


def test_rare_faults_are_not_compared_at_all(truth: Truth) -> None:
    hard = fault_costs([truth.vm])[1]
    assert hard.rates.mean * 200 / 1e4 < 1
    assert hard.association is None
    assert hard.verdict == "negligible"
    assert "even at 200 µs per fault" in hard.statement
    assert "too few of these faults to matter" in hard.statistics[0]


def test_a_short_capture_says_what_the_rate_says(truth: Truth) -> None:
    vm = replace(
        truth.vm,
        ends_s=truth.vm.ends_s[:15],
        covered_s=truth.vm.covered_s[:15],
        run_pct=truth.vm.run_pct[:, :15],
        overlap_pct=None,
    )
    (cost, _) = fault_costs([vm])
    assert cost.intervals.count == 15
    assert cost.verdict == "possible"
    assert cost.association is None
    assert "Only 15 intervals could be analyzed" in cost.statistics[0]


def test_a_vm_pinned_at_full_speed_has_nothing_to_compare(truth: Truth) -> None:
    """Latency sensitivity high shows %RUN 100 on every vCPU whatever the guest does."""
    pinned = replace(truth.vm, run_pct=np.full_like(truth.vm.run_pct, 100.0), overlap_pct=None)
    (cost, _) = fault_costs([pinned])
    assert cost.intervals.count == 0
    assert [(cut.reason, cut.intervals) for cut in cost.intervals.cuts] == [("saturated", 360)]


def test_a_log_of_another_day_overlaps_nothing(truth: Truth) -> None:
    (cost, _) = fault_costs(
        [replace(truth.vm, guest=replace(truth.vm.guest, stamps_s=truth.vm.guest.stamps_s + 1e5))]
    )
    assert (cost.intervals.count, cost.verdict) == (0, "inconclusive")


@pytest.mark.parametrize(("mmu", "verdict"), [("hardware", "native"), ("unknown", "unknown_mode")])
@pytest.mark.parametrize("samples", [360, 15])
def test_the_monitor_mode_gates_everything(truth: Truth, mmu: Mmu, verdict: str, samples: int) -> None:
    vm = replace(
        truth.vm,
        mmu=mmu,
        ends_s=truth.vm.ends_s[:samples],
        covered_s=truth.vm.covered_s[:samples],
        run_pct=truth.vm.run_pct[:, :samples],
        overlap_pct=None,
    )
    (cost, _) = fault_costs([vm])
    assert cost.verdict == verdict
    assert (cost.bound is None) == (mmu == "hardware")


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
    assert cost.association
    assert said["association"]["us"] == round(cost.association.us, 6)
    assert said["rates"]["mean"] == round(cost.rates.mean, 6)
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
        assert cost.intervals.count == count
        assert cost.statement.endswith(".")
        assert cost.series is not None
        assert len(cost.series.times) == count


@pytest.mark.parametrize("rows", [1, 2, 30])
def test_logs_of_a_few_rows_are_answered(truth: Truth, rows: int) -> None:
    log = truth.vm.guest
    short = GuestRates(log.stamps_s[:rows], log.covers_s[:rows], {k: v[:rows] for k, v in log.values.items()})
    for cost in fault_costs([replace(truth.vm, guest=short)]):
        assert cost.association is None
        assert cost.statement.endswith(".")


@pytest.mark.parametrize("value", [math.nan, 0.0, 1e12, -1.0])
@pytest.mark.parametrize("counter", ["soft_faults", "hard_faults", "user_time", "context_switches"])
def test_a_counter_that_stands_still_is_answered(truth: Truth, counter: str, value: float) -> None:
    still = np.full_like(truth.vm.guest.values[counter], value)
    for cost in fault_costs([with_log(truth.vm, **{counter: still})]):
        readings = cost.association.readings if cost.association else ()
        assert not any(counter in reading.controls for reading in readings)
        assert cost.guest_counter != counter or cost.association is None


def test_stamps_that_go_back_and_lengths_that_are_wrong_are_answered(truth: Truth) -> None:
    stamps, covers = truth.vm.guest.stamps_s.copy(), truth.vm.guest.covers_s.copy()
    stamps[100] -= 500.0
    stamps[150] = math.nan
    covers[200:210] = [-5.0, 0.0, math.nan, math.inf, 1e9, 1.0, 1.0, 1.0, 1.0, 1.0]
    vm = replace(truth.vm, guest=replace(truth.vm.guest, stamps_s=stamps, covers_s=covers))
    (cost, _) = fault_costs([vm])
    assert cost.intervals.count > 340
    assert cost.association
    assert cost.association.us == pytest.approx(truth.soft_us, abs=1.0)


def test_a_vm_without_vcpus_is_answered(truth: Truth) -> None:
    (cost, _) = fault_costs([replace(truth.vm, run_pct=np.empty((0, 360)), overlap_pct=None)])
    assert cost.intervals.count == 0
    assert [cut.reason for cut in cost.intervals.cuts] == ["absent"]
