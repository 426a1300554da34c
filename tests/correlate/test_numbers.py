"""Slope, significance and false discoveries against loops that anybody can check, and against scipy."""

from __future__ import annotations

import math

import naive_stats
import numpy as np
import pytest
import scipy
from faultcost import autoregressive
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from esxprobe.correlate import regression
from esxprobe.correlate.regression import NO_FIT, autoregression, regress, stationary
from esxprobe.correlate.significance import effective_samples, false_discovery
from esxprobe.correlate.slope import lag_one, partial_slope, residuals, theil_sen


def whole(count: int) -> np.ndarray:
    return np.zeros(count, dtype=np.intp)


def nothing(count: int) -> np.ndarray:
    return np.empty((count, 0))


points = st.integers(3, 25).flatmap(
    lambda n: st.tuples(*[arrays(float, n, elements=st.integers(-9, 9).map(float))] * 2)
)


@given(points)
@settings(max_examples=150, deadline=None)
def test_median_of_all_slopes_is_that_of_loops_and_of_scipy(xy: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = xy
    slopes = naive_stats.pairwise_slopes(y.tolist(), x.tolist())
    found = theil_sen(y, x)
    if not slopes:
        assert all(map(math.isnan, found))
        return
    assert found[0] == pytest.approx(naive_stats.median(slopes))
    if len(set(x)) > 2 and len(set(y)) > 2:  # with less scipy takes the root of a negative number
        theirs = scipy.stats.theilslopes(y, x, 0.95)
        np.testing.assert_allclose(found, (theirs.slope, theirs.low_slope, theirs.high_slope), atol=1e-12)


@pytest.mark.parametrize("count", [20, 301])
def test_interval_of_many_points_is_scipys(count: int) -> None:
    rng = np.random.default_rng(count)
    x = rng.standard_normal(count)
    y = 2 * x + rng.standard_t(3, count)
    theirs = scipy.stats.theilslopes(y, x, 0.95)
    np.testing.assert_allclose(theil_sen(y, x), (theirs.slope, theirs.low_slope, theirs.high_slope))


def test_samples_that_say_less_make_the_interval_wider() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((2, 80))
    _, low, high = theil_sen(y, x)
    _, lower, higher = theil_sen(y, x, widen=2.0)
    assert lower < low < high < higher


def test_an_outlier_does_not_move_the_slope() -> None:
    x = np.arange(50.0)
    y = 3 * x + np.sin(x)
    y[7] = 1e9
    assert theil_sen(y, x)[0] == pytest.approx(3, abs=0.02)


def test_autocorrelation_is_that_of_a_loop() -> None:
    values = autoregressive(np.random.default_rng(1), 90, 0.7)
    assert lag_one(values, whole(90)) == pytest.approx(naive_stats.autocorrelation(values.tolist()))


def test_pairs_across_a_hole_do_not_count() -> None:
    values = np.array([1.0, 1, 1, -1, -1, -1])
    assert lag_one(values, np.array([0, 0, 0, 1, 1, 1])) > lag_one(values, whole(6))


@pytest.mark.parametrize("r1", [0.0, 0.6, 0.9])
def test_the_worth_of_autocorrelated_samples_is_that_of_loops(r1: float) -> None:
    rng = np.random.default_rng(3)
    x, y = (autoregressive(rng, 120, r1) for _ in range(2))
    found = effective_samples(x - x.mean(), y - y.mean(), whole(120))
    assert found == pytest.approx(naive_stats.bretherton(x.tolist(), y.tolist()))


# --- the regression -------------------------------------------------------------------------------


def test_without_autocorrelation_a_slope_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(8)
    x, control, noise = rng.standard_normal((3, 200))
    y = 2 * x + control + noise
    found = regress(y, x, control[:, None], whole(200))
    assert found.order == 0
    left = [naive_stats.without(control.tolist(), values.tolist()) for values in (x, y)]
    assert found.value == pytest.approx(scipy.stats.linregress(*left).slope)


def test_the_interval_is_never_narrower_than_that_of_plain_least_squares() -> None:
    rng = np.random.default_rng(8)
    x, noise = rng.standard_normal((2, 100))
    found = regress(x + noise, x, nothing(100), whole(100))
    plain = scipy.stats.linregress(x, x + noise)
    assert found.high - found.low >= 2 * scipy.stats.t.ppf(0.975, 98) * plain.stderr * (1 - 1e-9)


def test_the_autoregression_of_known_errors_is_found() -> None:
    errors = autoregressive(np.random.default_rng(5), 5000, 0.7)
    phi = autoregression(errors, whole(5000))
    assert phi[0] == pytest.approx(0.7, abs=0.05)
    assert stationary(phi)
    assert not stationary(np.array([1.0]))
    assert len(autoregression(np.random.default_rng(5).standard_normal(5000), whole(5000))) == 0


def test_neighbors_across_a_hole_are_not_neighbors() -> None:
    rng = np.random.default_rng(2)
    x = autoregressive(rng, 400, 0.8)
    y = 4 * x + autoregressive(rng, 400, 0.8)
    y[200:] += 50  # a step at the hole would be an outlier if it were differenced
    stretch = np.repeat([0, 1], 200)
    halves = np.repeat([0.0, 1.0], 200)[:, None]
    found = regress(y, x, halves, stretch)
    assert found.low <= 4 <= found.high
    assert found.high - found.low < 0.5


def test_two_classes_are_weighed_together() -> None:
    rng = np.random.default_rng(1)
    x = rng.exponential(1000, (300, 2))
    y = 3 * x[:, 0] + 100 * x[:, 1] + rng.standard_normal(300)
    found = regress(y, x, nothing(300), whole(300), np.array([1.0, 0.01]))
    assert found.value == pytest.approx(4.0, abs=1e-3)


@given(st.floats(0.01, 1e6), st.floats(-1e9, 1e9))
@settings(max_examples=30, deadline=None)
def test_units_and_levels_of_controls_do_not_matter(scale: float, level: float) -> None:
    rng = np.random.default_rng(6)
    x, control, noise = rng.standard_normal((3, 80))
    y = x + control + noise
    plain = regress(y, x, control[:, None], whole(80))
    other = regress(y, x, (control * scale)[:, None], whole(80))
    assert other.value == pytest.approx(plain.value, abs=1e-6)
    assert regress(y + level, x, control[:, None], whole(80)).value == pytest.approx(plain.value, abs=1e-3)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_a_handful_of_samples_has_no_regression(count: int) -> None:
    rng = np.random.default_rng(4)
    assert regress(rng.random(count), rng.random(count), rng.random((count, 2)), whole(count)) is NO_FIT


def test_controls_make_the_effective_number_smaller() -> None:
    x, y = (autoregressive(np.random.default_rng(s), 100, 0.8) for s in (1, 2))
    sizes = [effective_samples(x, y, whole(100), controls) for controls in range(4)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[3] < sizes[0]


def test_faults_that_follow_the_load_exactly_have_no_slope_of_their_own() -> None:
    load = np.random.default_rng(4).uniform(0, 50, 100)
    slope = partial_slope(load * 1e4, load * 300 + 5, load[:, None], whole(100))
    assert math.isnan(slope.value)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_a_handful_of_samples_has_no_slope(count: int) -> None:
    rng = np.random.default_rng(4)
    slope = partial_slope(rng.random(count), rng.random(count), rng.random((count, 2)), whole(count))
    assert math.isnan(slope.value)


@given(st.floats(-5, 5), st.floats(-1e4, 1e4), st.floats(0.1, 1e6))
@settings(max_examples=30, deadline=None)
def test_a_slope_without_noise_comes_back_whatever_the_controls_do(
    cost: float, load_us: float, level: float
) -> None:
    rng = np.random.default_rng(11)
    load, x = autoregressive(rng, 60, 0.9), rng.exponential(1000, 60)
    y = level + cost * x + load_us * load + 1e-3 * rng.standard_normal(60)
    assert partial_slope(y, x, load[:, None], whole(60)).value == pytest.approx(cost, abs=1e-4)


def test_nothing_is_differenced_across_a_hole() -> None:
    rng = np.random.default_rng(2)
    x = autoregressive(rng, 200, 0.8)
    y = 4 * x + 0.1 * autoregressive(rng, 200, 0.8)
    found = partial_slope(y, x, nothing(200), np.repeat([0, 1], 100))
    assert len(found.x) == 198
    assert found.low <= 4 <= found.high


def test_residuals_do_not_care_for_the_units_of_the_controls() -> None:
    rng = np.random.default_rng(6)
    basis, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    np.testing.assert_allclose(residuals(basis * [1e9, 1e-6, 1], y), residuals(basis, y), atol=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_q_is_that_of_a_loop_and_of_scipy(p: list[float]) -> None:
    found = false_discovery(np.array(p))
    np.testing.assert_allclose(found, naive_stats.benjamini_hochberg(p))
    np.testing.assert_allclose(found, scipy.stats.false_discovery_control(p))


def test_a_test_that_was_not_made_does_not_count() -> None:
    found = false_discovery(np.array([0.01, math.nan, 0.04]))
    np.testing.assert_allclose(found, [0.02, math.nan, 0.04])


@given(arrays(float, st.integers(1, 5), elements=st.floats(-2, 2)))
@settings(max_examples=300, deadline=None)
def test_what_forgets_has_no_root_near_or_beyond_one(phi: np.ndarray) -> None:
    moduli = np.abs(np.roots(np.concatenate(([1.0], -phi))))
    if np.abs(moduli - 0.999).min(initial=1.0) > 1e-4:  # roots that coincide are found to some digits only
        assert stationary(phi) == (moduli < 0.999).all()


def test_a_coefficient_without_spread_has_the_variance_of_plain_least_squares() -> None:
    """Residuals that are zero wherever a column is not: the robust variance of its coefficient is 0."""
    design = np.array([[1.0, 0.0]] * 30 + [[0.0, 1.0]] * 10)
    left = 1e8 * np.concatenate([np.tile([1.0, -1.0, 0.5], 10), np.zeros(10)])
    inverse = np.linalg.inv(design.T @ design)
    found = regression._variance(design, inverse, left, whole(40))
    plain = inverse * (left @ left) / 38
    assert found[1, 1] == pytest.approx(plain[1, 1])
    assert found[0, 0] >= plain[0, 0] * (1 - 1e-12)
