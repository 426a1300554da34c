"""Time arithmetic against slow twins."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esxprobe import series

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
