"""The checks against slow twins that nobody can misread, on random values with holes."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.rules.checks import (
    LEAST_RUN,
    LEAST_SAMPLES,
    Scored,
    Sustained,
    any_above,
    any_below,
    changes,
    episodes,
    mean_above,
    rises,
    running,
    sustained_above,
    sustained_below,
    time_share,
    trend_rising,
)
from esxprobe.rules.checks.trend import trends
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
    for check in (sustained_above(), sustained_below(), any_above(), any_below(), mean_above()):
        assert not check.reached(nothing, Timing.gapless(seconds), 0).any(), check.words
        assert math.isnan(check.statistics_of(nothing)[0])


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
    assert Sustained(0.2, None, above=True, statistic=statistic).statistics_of(row[None])[0] == pytest.approx(
        expected
    )


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (any_above(), "at or above the threshold in any sample; the value shown is the max"),
        (any_below(), "at or below the threshold in any sample; the value shown is the min"),
        (
            sustained_above(share=0.2, run_s=60),
            "at or above the threshold at least 20 % of the time and 2 samples, or for 60 s and 3 samples without "
            "a break; the value shown is the p95, or the mean of the longest episode if only the second condition "
            "is met",
        ),
        (
            sustained_below(share=0.5, run_s=None),
            "at or below the threshold at least 50 % of the time and 2 samples; the value shown is the p05",
        ),
    ],
)
def test_a_check_says_in_words_what_it_does(check: Sustained, words: str) -> None:
    assert check.words == words


# --- numbers over the whole capture -----------------------------------------------------------------


def slow_score(score: str, row: list[float], seconds: list[float]) -> float:
    """The sentence of `Scored.words`, one sample after the other."""
    seen = [v for v in row if not math.isnan(v)]
    if not seen:
        return math.nan
    if score == "changes":
        return sum(a != b for a, b in pairwise(seen))
    if score == "rise":
        return seen[-1] - seen[0]
    true = [not math.isnan(v) and v != 0 for v in row]
    if score == "time-share":
        whole = sum(s for v, s in zip(row, seconds, strict=True) if not math.isnan(v))
        held = sum(s for each, s in zip(true, seconds, strict=True) if each)
        return 100 * held / whole if sum(true) >= LEAST_SAMPLES else 0.0
    return sum(each and not any(true[max(0, n - 2) : n]) for n, each in enumerate(true))


@given(tables(), st.sampled_from(["changes", "rise", "time-share", "episodes"]))
def test_a_score_is_what_its_words_say(table: tuple[np.ndarray, np.ndarray], score: str) -> None:
    matrix, seconds = table
    check = Scored(score)  # type: ignore[arg-type]
    expected = [slow_score(score, row, seconds.tolist()) for row in matrix.tolist()]
    assert check.scores(matrix, Timing.gapless(seconds)) == pytest.approx(np.array(expected), nan_ok=True)
    reached = check.reached(matrix, Timing.gapless(seconds), 3)
    assert reached.tolist() == [not math.isnan(each) and each >= 3 - 1e-12 for each in expected]


def test_an_episode_does_not_reach_over_a_hole() -> None:
    row, seconds = np.ones((1, 6)), np.full(6, 5.0)
    assert episodes().scores(row, Timing.gapless(seconds)).tolist() == [1]
    assert episodes().scores(row, Timing(seconds, ((0, 3), (3, 6)), np.cumsum(seconds))).tolist() == [2]


def test_the_samples_shown_are_those_in_which_it_happened() -> None:
    row = np.array([1.0, 1.0, NAN, 3.0, 2.0, 2.0])
    assert changes().beyond(row, 1).tolist() == [False, False, False, True, True, False]
    assert rises().beyond(row, 1).tolist() == [False, False, False, True, False, False]
    assert time_share().beyond(row, 1).tolist() == [True, True, False, True, True, True]


# --- trends -----------------------------------------------------------------------------------------


def slow_trend(row: list[float], ends_s: list[float]) -> tuple[float, float]:
    """Theil-Sen and Mann-Kendall of block medians with every pair and every sum written out."""
    blocks = np.array_split(np.arange(len(row)), max(1, min(20, len(row) // 5)))
    points = []
    for block in blocks:
        values = sorted(row[n] for n in block if not math.isnan(row[n]))
        if values:
            middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
            points.append((sum(ends_s[n] for n in block) / len(block) / 3600, middle))
    count = len(points)
    if count < 10:
        return math.nan, 1.0
    pairs = [(a, b) for n, a in enumerate(points) for b in points[n + 1 :]]
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs)
    slope = (slopes[(len(slopes) - 1) // 2] + slopes[len(slopes) // 2]) / 2
    score = sum((b[1] > a[1]) - (b[1] < a[1]) for a, b in pairs)
    ties = [sum(v == w for _, w in points) for _, v in points]
    variance = (count * (count - 1) * (2 * count + 5) - sum((t - 1) * (2 * t + 5) for t in ties)) / 18
    left = [v - slope * t for t, v in points]
    left = [each - sum(left) / count for each in left]
    spread = [v - sum(w for _, w in points) / count for _, v in points]
    power = sum(each**2 for each in left)
    r = 0.0
    if power > 1e-12 * sum(each**2 for each in spread):
        lagged = sum(a * b for a, b in pairwise(left)) / power
        r = min(0.95, max(0.0, (lagged * count + 1) / (count - 3)))
    sigma = math.sqrt(variance * (1 + r) / (1 - r))
    z = (score - (score > 0) + (score < 0)) / sigma if sigma else 0.0
    return slope, 0.5 * math.erfc(z / math.sqrt(2))


@given(st.lists(values, min_size=50, max_size=130), st.floats(-3, 3))
def test_a_trend_is_what_its_formula_gives(row: list[float], drift: float) -> None:
    """Without holes inside: a gap between neighbors would make another lag of the blocks that are left."""
    whole = [0.0 if math.isnan(v) else v + drift * n for n, v in enumerate(row)]
    ends = [5.0 * (n + 1) for n in range(len(whole))]
    slopes, chances = trends(np.array([whole]), np.array(ends))
    slope, chance = slow_trend(whole, ends)
    assert slopes[0] == pytest.approx(slope, nan_ok=True, abs=1e-6)
    assert chances[0] == pytest.approx(chance, abs=1e-6)


def noise(count: int, length: int, r1: float) -> np.ndarray:
    """Rows without any trend whose neighbors are alike: lag-1 correlation r1, standard deviation 1."""
    steps = np.random.default_rng(7).standard_normal((count, length))
    rows = steps.copy()
    for n in range(1, length):
        rows[:, n] = r1 * rows[:, n - 1] + math.sqrt(1 - r1 * r1) * steps[:, n]
    return rows


@pytest.mark.parametrize("r1", [0.0, 0.8, 0.95])
def test_noise_is_seldom_a_trend_however_alike_neighbors_are(r1: float) -> None:
    """Hour-long captures of 5 s; the naive test calls half of the last kind a trend."""
    _, chances = trends(noise(2000, 720, r1), np.arange(720) * 5.0)
    assert (chances <= 0.01).mean() <= 0.02


def test_a_real_rise_is_found_under_noise() -> None:
    rows = noise(200, 720, 0.8) + np.linspace(0, 5, 720)
    slopes, chances = trends(rows, np.arange(720) * 5.0)
    assert (chances <= 0.01).mean() > 0.95
    assert np.median(slopes) == pytest.approx(5.0, rel=0.1), "5 in an hour"


def test_missing_samples_and_short_captures() -> None:
    check, timing = trend_rising(), Timing.gapless(np.full(720, 5.0))
    rows = np.linspace(0, 50, 720)[None, :].repeat(3, axis=0)
    rows[1, 200:500] = NAN
    rows[2, 100:] = NAN
    assert check.reached(rows, timing, 40).tolist() == [True, True, False], "a seventh of it is too little to tell"
    assert check.reached(rows[:, :40], Timing.gapless(np.full(40, 5.0)), 40).tolist() == [False] * 3
    value, words = check.reported(rows[0], timing, 40, [])
    assert value == pytest.approx(50, rel=0.01)
    assert words.startswith("slope, p ")
