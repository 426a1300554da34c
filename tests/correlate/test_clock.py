"""The clock check: what it measures, against a loop, and what it says when there is nothing to measure."""

from __future__ import annotations

import math

import naive_stats
import numpy as np
import pytest
from faultcost import autoregressive, clock_check
from faultsim import Plan

from esxprobe.correlate.clock_check import Sides, circular, innovations, leftover_shift


def sides(host: np.ndarray, guest: np.ndarray, *, stretch: np.ndarray | None = None, late_s: float = 0.0) -> Sides:
    """Both sides at intervals of 5 s; the guest's stamps are `late_s` too late."""
    ends = 5.0 * np.arange(1, len(host) + 1)
    return Sides(
        ends_s=ends,
        covered_s=np.full(len(host), 5.0),
        vcpu=host,
        stretch=np.zeros(len(host), dtype=np.intp) if stretch is None else stretch,
        kept=np.ones(len(host), dtype=np.bool_),
        stamps_s=5.0 * np.arange(1, len(guest) + 1) + late_s,
        covers_s=np.full(len(guest), 5.0),
        counters={"user_time": guest},
    )


def load(count: int, seed: int = 2) -> np.ndarray:
    return autoregressive(np.random.default_rng(seed), count, 0.8)


def test_strength_at_every_lag_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(1)
    y, x = (innovations(autoregressive(rng, 41, 0.6)) for _ in range(2))
    fast = circular(y, x[:, None])
    slow = [naive_stats.strength_at(lag, y.tolist(), x.tolist()) for lag in range(len(y))]
    np.testing.assert_allclose(fast, slow)


@pytest.mark.parametrize("late_s", [-45.0, -13.0, -2.0, 2.0, 3.5, 20.0])
def test_a_late_log_has_a_positive_shift_even_of_less_than_an_interval(late_s: float) -> None:
    found = leftover_shift(sides(load(300), load(300), late_s=late_s))
    assert found.warning
    assert found.seconds == pytest.approx(late_s, abs=0.7)
    assert found.p < 1e-6


def test_what_moves_together_at_once_has_no_shift_and_says_what_would_have_been_seen() -> None:
    found = leftover_shift(sides(load(300), load(300)))
    assert not found.warning
    assert found.seconds == pytest.approx(0, abs=0.2)
    assert found.visible_s <= 2.5


def test_a_shift_that_was_called_visible_is_seen() -> None:
    still = leftover_shift(sides(load(300), load(300)))
    for late_s in (-still.visible_s, still.visible_s):
        assert leftover_shift(sides(load(300), load(300), late_s=late_s)).warning


def test_unrelated_series_say_that_no_error_could_have_been_seen() -> None:
    found = leftover_shift(sides(load(300, 3), load(300, 4)))
    assert not found.warning
    assert math.isnan(found.visible_s)


def test_a_coarse_log_is_checked_on_its_own_intervals() -> None:
    assert clock_check(Plan(samples=1440, guest_s=60.0), 6).warned == 0
    late = clock_check(Plan(samples=1440, guest_s=60.0, clock_shift_s=20.0), 6)
    assert late.warned == 1
    assert late.off_s < 5


def test_a_drift_is_read_over_the_whole_capture() -> None:
    slow = np.linspace(-10, 10, 720)
    busy = load(720)
    made = sides(busy, busy)
    drifting = Sides(
        made.ends_s, made.covered_s, made.vcpu, made.stretch, made.kept,
        made.stamps_s + slow, made.covers_s, made.counters,
    )  # fmt: skip
    found = leftover_shift(drifting)
    assert found.drift_warning
    assert found.drift_s == pytest.approx(20, abs=3)
    assert not leftover_shift(made).drift_warning
    assert leftover_shift(made).drift_s == pytest.approx(0, abs=0.5)


def test_only_the_longest_stretch_is_looked_at() -> None:
    busy = load(320)
    stretch = np.repeat([3, 8, 9], [20, 280, 20])
    found = leftover_shift(sides(busy, busy, stretch=stretch, late_s=20.0))
    assert found.warning
    assert found.seconds == pytest.approx(20, abs=0.7)


@pytest.mark.parametrize(
    ("host", "guest"),
    [
        (np.arange(0.0), np.arange(0.0)),
        (np.random.default_rng(1).random(30), np.random.default_rng(2).random(30)),
        (np.full(300, 7.0), np.random.default_rng(2).random(300)),
        (np.random.default_rng(2).random(300), np.zeros(300)),
        (np.random.default_rng(2).random(300), np.full(300, np.nan)),
    ],
    ids=["no samples", "too few", "host does not move", "guest does not move", "guest is unknown"],
)
def test_where_nothing_can_be_said_nothing_is(host: np.ndarray, guest: np.ndarray) -> None:
    found = leftover_shift(sides(host, guest))
    assert math.isnan(found.seconds)
    assert math.isnan(found.visible_s)
    assert not found.warning
    assert not found.drift_warning
