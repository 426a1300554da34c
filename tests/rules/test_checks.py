"""The checks against slow twins that nobody can misread, on random values with holes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.rules.checks import (
    LEAST_RUN,
    LEAST_SAMPLES,
    Sustained,
    any_above,
    mean_above,
    running,
    sustained_above,
    sustained_below,
)
from esxprobe.series import Timing

NAN = float("nan")
lengths = st.integers(1, 20).map(float)  # whole seconds: sums are exact in any order
values = st.one_of(st.just(NAN), st.integers(0, 20).map(float))


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Values (one row an entity, one column a sample) and the samples' lengths [s]."""
    width, height = draw(st.integers(1, 25)), draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(values, min_size=width, max_size=width), min_size=height, max_size=height))
    return np.array(rows), np.array(draw(st.lists(lengths, min_size=width, max_size=width)))


checks = st.builds(
    Sustained,
    share=st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.5, 1.0]),
    run_s=st.sampled_from([None, 10.0, 30.0, 60.0]),
    above=st.booleans(),
    statistic=st.just("p95"),
)


def slow_running(beyond: list[bool], seconds: list[float]) -> list[float]:
    """Walks along and starts anew at every sample that is not beyond."""
    lasted, current = [], 0.0
    for is_beyond, length in zip(beyond, seconds, strict=True):
        current = current + length if is_beyond else 0.0
        lasted.append(current)
    return lasted


def slow_reached(check: Sustained, row: list[float], seconds: list[float], threshold: float) -> bool:
    """The sentence of `Sustained.words`, one sample after the other."""
    beyond = [not math.isnan(v) and (v >= threshold if check.above else v <= threshold) for v in row]
    time_seen = sum(s for v, s in zip(row, seconds, strict=True) if not math.isnan(v))
    time_beyond = sum(s for is_beyond, s in zip(beyond, seconds, strict=True) if is_beyond)
    if check.share == 0:
        return any(beyond)
    if sum(beyond) >= LEAST_SAMPLES and time_beyond >= check.share * time_seen:
        return True
    runs = zip(slow_running(beyond, seconds), slow_running(beyond, [1.0] * len(beyond)), strict=True)
    return check.run_s is not None and any(s >= check.run_s and n >= LEAST_RUN for s, n in runs)


@given(tables())
def test_a_run_lasts_as_long_as_no_sample_breaks_it(table: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, seconds = table
    beyond = matrix >= 10
    expected = [slow_running(row, seconds.tolist()) for row in beyond.tolist()]
    assert running(beyond, seconds).tolist() == expected


@given(tables(), checks, st.integers(0, 20))
def test_reached_is_what_its_words_say(
    table: tuple[np.ndarray, np.ndarray], check: Sustained, threshold: int
) -> None:
    matrix, seconds = table
    expected = [slow_reached(check, row, seconds.tolist(), threshold) for row in matrix.tolist()]
    assert check.reached(matrix, Timing.gapless(seconds), threshold).tolist() == expected


@given(tables(), checks, st.integers(0, 19))
def test_who_reaches_a_worse_threshold_reaches_the_milder(
    table: tuple[np.ndarray, np.ndarray], check: Sustained, threshold: int
) -> None:
    matrix, seconds = table
    low, high = (check.reached(matrix, Timing.gapless(seconds), t) for t in (threshold, threshold + 1))
    worse, milder = (high, low) if check.above else (low, high)
    assert not (worse & ~milder).any()


@given(tables())
def test_a_missing_value_is_neither_above_nor_below(table: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, _ = table
    missing = np.isnan(matrix)
    for check in (sustained_above(), sustained_below()):
        assert not check.beyond(matrix, 10)[missing].any()


def test_entities_without_any_value_reach_nothing() -> None:
    nothing, seconds = np.full((1, 30), NAN), np.full(30, 5.0)
    for check in (sustained_above(), sustained_below(), any_above(), mean_above()):
        assert not check.reached(nothing, Timing.gapless(seconds), 0).any(), check.words
        assert math.isnan(check.statistic_of(nothing[0]))


def test_missing_samples_do_not_count_as_good_ones() -> None:
    """Two of ten samples are there and both are beyond: that is all that was seen."""
    row = np.array([[9.0, 9.0, *[NAN] * 8]])
    assert sustained_above(share=0.9, run_s=None).reached(row, Timing.gapless(np.full(10, 5.0)), 8).tolist() == [
        True
    ]


def test_one_high_sample_is_no_state_but_a_minute_is() -> None:
    """Ten minutes of five-second samples: one, eleven (55 s) and twelve (60 s) beyond in a row."""
    check, seconds = sustained_above(share=0.2, run_s=60), np.full(120, 5.0)
    for count, expected in ((1, False), (11, False), (12, True)):
        row = np.zeros((1, 120))
        row[0, 50 : 50 + count] = 99
        assert check.reached(row, Timing.gapless(seconds), 10).tolist() == [expected], f"{count} samples"


def test_time_counts_not_the_number_of_samples() -> None:
    """Two samples of 30 s beside ten of 5 s are more than half of the time."""
    row, seconds = np.array([[99.0, 99.0, *[0.0] * 10]]), np.array([30.0, 30.0, *[5.0] * 10])
    assert mean_above().reached(row, Timing.gapless(seconds), 50).tolist() == [True]


def test_one_sample_is_never_a_state_however_long_it_is() -> None:
    """With a minute between samples a single one already lasts as long as the rule asks."""
    row, seconds = np.zeros((1, 180)), np.full(180, 60.0)
    row[0, 7] = 99
    assert sustained_above(share=0.005, run_s=60).reached(row, Timing.gapless(seconds), 10).tolist() == [False]
    row[0, 7:10] = 99
    assert sustained_above(share=0.2, run_s=60).reached(row, Timing.gapless(seconds), 10).tolist() == [True]


def test_a_run_does_not_reach_over_a_hole() -> None:
    """35 s at the end of one capture and 35 s at the start of the next are not a minute."""
    row, seconds = np.zeros((1, 120)), np.full(120, 5.0)
    row[0, 53:67] = 99
    check = sustained_above(share=0.2, run_s=60)
    assert check.reached(row, Timing.gapless(seconds), 10).tolist() == [True]
    assert check.reached(row, Timing(seconds, ((0, 60), (60, 120)), np.cumsum(seconds)), 10).tolist() == [False]


@pytest.mark.parametrize(("statistic", "expected"), [("max", 100.0), ("mean", 50.0), ("p95", 95.0), ("p05", 5.0)])
def test_the_reported_value_leaves_missing_samples_out(statistic: str, expected: float) -> None:
    row = np.array([NAN, *range(101), NAN], dtype=float)
    assert Sustained(0.2, None, above=True, statistic=statistic).statistic_of(row) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (any_above(), "at or above the threshold in any sample; the value shown is the max"),
        (
            sustained_above(share=0.2, run_s=60),
            "at or above the threshold at least 20% of the time and 2 samples, or for 60 s and 3 samples without "
            "a break; the value shown is the p95, or the mean of the longest stretch where only that is beyond",
        ),
        (
            sustained_below(share=0.5, run_s=None),
            "at or below the threshold at least 50% of the time and 2 samples; the value shown is the p05",
        ),
    ],
)
def test_a_check_says_in_words_what_it_does(check: Sustained, words: str) -> None:
    assert check.words == words
