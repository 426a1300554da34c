"""The clock check: what it measures, against a loop, and what it says when there is nothing to measure."""

from __future__ import annotations

import math

import naive_stats
import numpy as np
import pytest
from faultcost import autoregressive

from esxprobe.correlate.shift import _innovations, _strengths, leftover_shift


def whole(count: int) -> np.ndarray:
    return np.zeros(count, dtype=np.intp)


def test_strength_at_every_lag_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(1)
    y, x = (_innovations(autoregressive(rng, 41, 0.6)) for _ in range(2))
    fast = _strengths(y, x[:, None])
    slow = [naive_stats.strength_at(lag, y.tolist(), x.tolist()) for lag in range(len(y))]
    np.testing.assert_allclose(fast, slow)


@pytest.mark.parametrize("late", [-9, -3, 4, 11])
def test_a_late_log_has_a_positive_shift(late: int) -> None:
    load = autoregressive(np.random.default_rng(2), 400, 0.8)
    host, guest = load[50:350], load[50 - late : 350 - late]
    found = leftover_shift(host, guest[:, None], whole(300), 5.0)
    assert found.warning
    assert found.seconds == pytest.approx(5.0 * late, abs=2.5)
    assert found.p < 1e-6


def test_what_moves_together_at_once_has_no_shift() -> None:
    load = autoregressive(np.random.default_rng(2), 300, 0.8)
    found = leftover_shift(load, load[:, None], whole(300), 5.0)
    assert not found.warning
    assert found.seconds == pytest.approx(0, abs=0.5)


def test_only_the_longest_stretch_is_looked_at() -> None:
    load = autoregressive(np.random.default_rng(2), 320, 0.8)
    guest = np.roll(load, 4)
    stretch = np.repeat([3, 8, 9], [20, 280, 20])
    found = leftover_shift(load, guest[:, None], stretch, 5.0)
    alone = leftover_shift(load[20:300], guest[20:300, None], whole(280), 5.0)
    assert found == alone
    assert found.warning


@pytest.mark.parametrize(
    ("host", "guest"),
    [
        (np.arange(0.0), np.empty((0, 1))),
        (np.random.default_rng(1).random(30), np.random.default_rng(2).random((30, 1))),
        (np.full(300, 7.0), np.random.default_rng(2).random((300, 1))),
        (np.random.default_rng(2).random(300), np.zeros((300, 2))),
    ],
    ids=["no samples", "too few", "host does not move", "guest does not move"],
)
def test_where_nothing_can_be_said_nothing_is(host: np.ndarray, guest: np.ndarray) -> None:
    found = leftover_shift(host, guest, whole(len(host)), 5.0)
    assert math.isnan(found.seconds)
    assert math.isnan(found.p)
    assert not found.warning
