"""Time arithmetic against slow twins."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import naive_stats
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esxprobe import series
from esxprobe.formats.parts_in_time import out_of_order, overlapping

START = datetime(2018, 4, 24, 10, 0, tzinfo=UTC)


def samples(seconds: list[float], segments: list[int] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "segment": segments or [0] * len(seconds),
            "time": [START + timedelta(seconds=s) for s in seconds],
        },
        schema={"segment": pl.UInt32, "time": pl.Datetime("us", "UTC")},
    )


@pytest.mark.parametrize(
    ("seconds", "reasons", "intervals"),
    [
        ([0, 5, 10], ["first", "", ""], [None, 5, 5]),
        ([0, 5, 5, 10], ["first", "", "repeats", ""], [None, 5, None, 5]),
        ([0, 5, 3, 8], ["first", "", "backwards", ""], [None, 5, None, 5]),
        ([0, 5, 10, 20, 25], ["first", "", "", "gap", ""], [None, 5, 5, 10, 5]),
        ([0, 5, 10, 17.5, 22.5], ["first", "", "", "", ""], [None, 5, 5, 7.5, 5]),
        ([0, 5, 10, 17.6, 22.6], ["first", "", "", "gap", ""], [None, 5, 5, 7.6, 5]),
        ([0], ["first"], [None]),
        ([7, 7], ["first", "repeats"], [None, None]),
    ],
    ids=["even", "repeats", "backwards", "gap", "just no gap", "just a gap", "one row", "never moves"],
)
def test_what_a_sample_covers_is_measured(
    seconds: list[float], reasons: list[str], intervals: list[float | None]
) -> None:
    measured = series.measure_intervals(samples(seconds))
    assert measured["reason"].to_list() == reasons
    assert measured["interval_s"].to_list() == intervals
    assert measured["judged"].to_list() == [step is not None for step in intervals]


def test_every_segment_has_a_first_sample() -> None:
    measured = series.measure_intervals(samples([0, 5, 10, 15], [0, 0, 1, 1]))
    assert measured["reason"].to_list() == ["first", "", "first", ""]


def test_a_sample_of_an_earlier_segment_is_not_judged_again() -> None:
    measured = series.measure_intervals(samples([0, 5, 10, 0, 5, 10, 15], [0, 0, 0, 1, 1, 1, 1]))
    assert measured["reason"].to_list() == ["first", "", "", "first", "again", "again", ""]
    assert measured["interval_s"].to_list() == [None, 5, 5, None, None, None, 5]
    assert not overlapping(measured).any()


def test_samples_within_the_time_of_an_earlier_segment_are_told() -> None:
    measured = series.measure_intervals(samples([0, 5, 10, 15, 2, 7, 12, 17], [0, 0, 0, 0, 1, 1, 1, 1]))
    assert overlapping(measured).to_list() == [False] * 5 + [True, True, False]
    in_wrong_order = series.measure_intervals(samples([20, 25, 30, 0, 5, 10], [0, 0, 0, 1, 1, 1]))
    assert not overlapping(in_wrong_order).any()
    assert out_of_order(in_wrong_order).to_list() == [False] * 4 + [True, False]
    assert not out_of_order(measured).any()


@given(st.lists(st.integers(-20, 200), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_intervals_agree_with_a_slow_twin(seconds: list[int]) -> None:
    steps = [b - a for a, b in pairwise(seconds)]
    known = sorted(s for s in steps if s > 0)
    usual = float(np.median(known)) if known else math.inf
    expected = ["first"]
    for step in steps:
        if step == 0:
            expected.append("repeats")
        elif step < 0:
            expected.append("backwards")
        else:
            expected.append("gap" if step > 1.5 * usual else "")
    assert series.measure_intervals(samples(list(seconds)))["reason"].to_list() == expected


@given(st.lists(st.floats(0.5, 60), max_size=30))
@settings(max_examples=60, deadline=None)
def test_jitter_agrees_with_a_slow_twin(steps: list[float]) -> None:
    usual = float(np.median(steps)) if steps else 0.0
    expected = sum(abs(s - usual) > 0.1 * usual and s <= 1.5 * usual for s in steps)
    assert series.jitter_count(pl.Series(steps, dtype=pl.Float64)) == expected


def slow_runs(beyond: list[bool]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for n, flag in enumerate(beyond):
        if flag and found and found[-1][1] == n - 1:
            found[-1] = (found[-1][0], n)
        elif flag:
            found.append((n, n))
    return found


@given(st.lists(st.booleans(), max_size=40))
@settings(max_examples=150, deadline=None)
def test_runs_agree_with_a_slow_twin(beyond: list[bool]) -> None:
    assert series.runs(np.array(beyond, dtype=bool)) == slow_runs(beyond)


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 4))
@settings(max_examples=150, deadline=None)
def test_bridges_agree_with_a_slow_twin(beyond: list[bool], hole: int) -> None:
    expected = list(beyond)
    for (_, end), (start, _) in pairwise(slow_runs(beyond)):
        if start - end - 1 <= hole:
            expected[end + 1 : start] = [True] * (start - end - 1)
    given_flags = np.array(beyond, dtype=bool)
    assert series.bridged(given_flags, hole).tolist() == expected
    assert given_flags.tolist() == beyond, "the flags given must not be changed"


@given(
    st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=400),
    st.integers(4, 60),
)
@settings(max_examples=150, deadline=None)
def test_thinning_keeps_first_last_and_extremes_within_the_limit(numbers: list[float], most: int) -> None:
    values = np.array(numbers)
    kept = series.thin(values, most)
    assert len(kept) <= max(most, 1)
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert {0, len(values) - 1} <= set(kept.tolist())
    if not np.isnan(values).all():
        assert np.nanmax(values[kept]) == np.nanmax(values)
        assert np.nanmin(values[kept]) == np.nanmin(values)
    if len(values) <= most:
        assert kept.tolist() == list(range(len(values)))


# --- another clock's rates on the capture's intervals ---------------------------------------------


def over(ends: list[float], covered: list[float], stamps: list[float], covers: list[float], rates: list[float]):
    arrays = (np.array(values, dtype=float) for values in (ends, covered, stamps, covers, rates))
    return series.means_over(*arrays)


steps = st.lists(st.floats(0.5, 20), min_size=1, max_size=12)


@given(st.data(), steps, steps, st.floats(-30, 30), st.sampled_from([0.0, 1.7e9]))
@settings(max_examples=150, deadline=None)
def test_counts_are_shared_out_exactly_when_rates_are_constant_between_stamps(
    data: st.DataObject, wanted: list[float], logged: list[float], begin: float, epoch: float
) -> None:
    rates = data.draw(st.lists(st.floats(0, 1e5) | st.just(math.nan), min_size=len(logged), max_size=len(logged)))
    ends = np.cumsum(wanted) + epoch
    stamps = np.cumsum(logged) + begin + epoch
    found = series.means_over(ends, np.array(wanted), stamps, np.array(logged), np.array(rates))
    slow = [
        naive_stats.mean_over(end - epoch, covered, (stamps - epoch).tolist(), logged, rates)
        for end, covered in zip(ends, wanted, strict=True)
    ]
    # Where an end and a stamp meet, rounding decides whether an interval is covered.
    edge = [abs(x - y) < 1e-4 for x in [*ends, ends[0] - wanted[0]] for y in [*stamps, stamps[0] - logged[0]]]
    if not any(edge):
        np.testing.assert_allclose(found, slow, rtol=1e-5, atol=1e-2)


def test_an_interval_that_the_log_does_not_fill_has_no_mean() -> None:
    found = over([5, 10, 15, 20], [5] * 4, [2, 7, 17, 22], [5, 5, 5, 5], [10, 20, 30, 40])
    np.testing.assert_allclose(found, [16, math.nan, math.nan, 36])


def test_no_count_is_lost_or_made() -> None:
    stamps, rates = np.arange(1.0, 61.0), np.linspace(0, 900, 60)
    ends = np.array([7.3, 20.0, 33.1, 60.0])
    covered = np.diff(np.concatenate(([0.0], ends)))
    found = series.means_over(ends, covered, stamps, np.ones(60), rates)
    assert (found * covered).sum() == pytest.approx(rates.sum())


def test_a_nearest_stamp_join_would_be_wrong_where_this_is_right() -> None:
    found = over([10], [5], [7.5, 12.5], [5, 5], [0, 100])
    assert found[0] == pytest.approx(50)


@pytest.mark.parametrize(
    ("covers", "expected"),
    [
        ([5, 5, 5], 20.0),
        ([5, 4.6, 5], 20.0),
        ([5, 5.4, 5], 20.0),
        ([5, 3, 5], math.nan),
        ([5, math.nan, 5], math.nan),
    ],
    ids=["joins", "small hole", "small overlap", "hole", "length unknown"],
)
def test_jitter_between_stamps_is_no_hole(covers: list[float], expected: float) -> None:
    np.testing.assert_allclose(over([10], [5], [5, 10, 15], covers, [10, 20, 30]), [expected])


@pytest.mark.parametrize("stamps", [[5, 5, 10], [5, 4, 10]], ids=["repeats", "goes back"])
def test_a_stamp_that_does_not_advance_adds_nothing(stamps: list[float]) -> None:
    np.testing.assert_allclose(over([5, 10], [5, 5], stamps, [5, 5, 5], [10, 99, 20]), [10, 20])


def test_a_mean_since_boot_says_nothing_of_the_capture() -> None:
    found = over([5, 10, 15, 20, 25], [5] * 5, [10, 15, 20, 25], [9000, 5, 5, 5], [7, 1, 2, 3])
    np.testing.assert_allclose(found, [math.nan, math.nan, 1, 2, 3])


def test_a_first_sample_of_unknown_length_has_no_mean() -> None:
    np.testing.assert_allclose(over([5, 10], [math.nan, 5], [5, 10], [5, 5], [1, 2]), [math.nan, 2])


def test_several_counters_at_once_are_each_as_alone() -> None:
    table = np.array([[1.0, 2, 3], [4, math.nan, 6]])
    ends, lengths, stamps = np.array([4.0, 8.0]), np.full(2, 4.0), np.array([4.0, 8.0, 12.0])
    both = series.means_over(ends, lengths, stamps, np.full(3, 4.0), table)
    for row, alone in zip(both, table, strict=True):
        np.testing.assert_array_equal(row, series.means_over(ends, lengths, stamps, np.full(3, 4.0), alone))


def test_a_log_without_any_value_covers_nothing() -> None:
    assert np.isnan(over([5, 10], [5, 5], [], [], [])).all()


def test_a_given_offset_is_taken_off() -> None:
    offset = series.ClockOffset.constant(3.5)
    np.testing.assert_allclose(offset.host_time(np.array([103.5])), [100.0])


def test_a_drift_is_a_line_between_the_measurements_and_stops_there() -> None:
    offset = series.ClockOffset(1000, 10, 2000, 20, 0.5, 0.5)
    assert offset.drifts
    guest = np.array([900 + 10, 1000 + 10, 1500 + 15, 2000 + 20, 2500 + 20.0])
    np.testing.assert_allclose(offset.host_time(guest), [900, 1000, 1500, 2000, 2500])


def test_a_drift_within_what_the_measurements_can_be_wrong_by_is_none() -> None:
    offset = series.ClockOffset(1000, 10.0, 2000, 10.8, 0.5, 0.5)
    assert not offset.drifts
    assert offset.host_time(np.array([500.0, 3000.0])) == pytest.approx([489.6, 2989.6])


def test_the_surer_of_two_measurements_counts_more() -> None:
    assert series.ClockOffset(0, 10.0, 100, 11.0, 0.1, 2.0).mean_s == pytest.approx(10.0, abs=0.01)
