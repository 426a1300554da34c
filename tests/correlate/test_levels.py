"""Two stretches of time against each other: effect sizes as by brute force, and few false alarms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from levelsim import false_alarms, found, wandering

from esxprobe.arrays import Floats
from esxprobe.correlate import FEWEST_OF_EACH, compare_levels
from esxprobe.correlate.compared_levels import correlated_for


def one(values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.zeros(values, dtype=np.int64)


def naive(before: Floats, now: Floats) -> tuple[float, float]:
    """Cliff's delta and the median of all differences, each value against each."""
    differences = (now[:, None] - before[None, :]).ravel()
    return float(np.sign(differences).mean()), float(np.median(differences))


@given(
    st.lists(st.integers(-50, 50), min_size=3, max_size=60), st.lists(st.integers(-50, 50), min_size=3, max_size=60)
)
def test_delta_is_what_every_pair_says(before: list[int], now: list[int]) -> None:
    old, new = np.array(before, dtype=float), np.array(now, dtype=float)
    levels = compare_levels(old[None], new[None], one(len(old)), one(len(new)))
    assert levels.delta[0] == pytest.approx(naive(old, new)[0], abs=1e-12)
    if np.isfinite(levels.p[0]):
        assert levels.low[0] <= levels.shift[0] <= levels.high[0]
        assert 0 <= levels.p[0] <= 1


def test_the_shift_is_near_the_median_of_all_differences() -> None:
    rng = np.random.default_rng(3)
    before, now = rng.gamma(2, 3, (20, 400)), rng.gamma(2, 3, (20, 300)) + np.arange(20)[:, None]
    levels = compare_levels(before, now, one(400), one(300))
    for row in range(20):
        assert levels.shift[row] == pytest.approx(naive(before[row], now[row])[1], abs=0.15)


def test_missing_values_change_nothing_for_the_others() -> None:
    rng = np.random.default_rng(4)
    before, now = rng.normal(size=(3, 90)), rng.normal(0.3, 1, (3, 80))
    holed = before.copy()
    holed[1, 10:20] = np.nan
    holed[2] = np.nan
    levels = compare_levels(holed, now, one(90), one(80))
    whole = compare_levels(before, now, one(90), one(80))
    assert levels.p[0] == whole.p[0]
    assert levels.samples[1].tolist() == [80, 80]
    assert levels.delta[1] == pytest.approx(naive(holed[1][~np.isnan(holed[1])], now[1])[0])
    assert np.isnan([levels.p[2], levels.delta[2], levels.shift[2]]).all()


def test_the_order_of_captures_only_turns_the_sign() -> None:
    rng = np.random.default_rng(5)
    before, now = wandering(rng, 50, 200, 0.6), wandering(rng, 50, 260, 0.6) + 0.4
    there, back = (
        compare_levels(a, b, one(a.shape[1]), one(b.shape[1])) for a, b in ((before, now), (now, before))
    )
    assert np.allclose(there.delta, -back.delta)
    assert np.allclose(there.p, back.p)


def test_what_does_not_move_is_not_tested() -> None:
    flat = np.zeros((1, 50))
    for now in (flat, flat + 5):
        assert np.isnan(compare_levels(flat, now, one(50), one(50)).p[0])


def test_alike_neighbors_make_fewer_samples() -> None:
    rng = np.random.default_rng(6)
    for phi, expected in ((0.0, 1), (0.6, 4), (0.9, 19)):
        taus = correlated_for(wandering(rng, 400, 1500, phi), one(1500))
        assert np.median(taus) == pytest.approx(expected, rel=0.35)


def test_a_hole_is_no_neighbor() -> None:
    """Two halves that have nothing to do with each other, each with equal neighbors far apart in time."""
    rng = np.random.default_rng(7)
    values = rng.normal(size=(1, 400))
    assert correlated_for(values, np.arange(400))[0] <= correlated_for(values, one(400))[0] + 0.5


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.9])
def test_series_without_a_change_are_seldom_called_changed(phi: float) -> None:
    """A quick version of tests/benches/levelsim.py: at most about 5 %, at the level of one test."""
    alarms, _ = false_alarms(np.random.default_rng(11), 1500, 240, 240, phi)
    assert alarms <= 0.06


def test_the_smallest_change_that_could_be_seen_is_seen_four_times_in_five() -> None:
    rng = np.random.default_rng(12)
    before, now = wandering(rng, 600, 360, 0.6), wandering(rng, 600, 360, 0.6)
    least = float(np.median(compare_levels(before, now, one(360), one(360)).least_shift))
    assert 0.7 <= found(rng, 1000, 360, 0.6, least) <= 0.95


def test_the_interval_covers_the_shift() -> None:
    rng = np.random.default_rng(13)
    levels = compare_levels(wandering(rng, 1500, 300, 0.7), wandering(rng, 1500, 300, 0.7) + 1, one(300), one(300))
    enough = levels.n_eff.min(axis=1) >= FEWEST_OF_EACH
    assert np.mean((levels.low <= 1)[enough] & (levels.high >= 1)[enough]) >= 0.94
