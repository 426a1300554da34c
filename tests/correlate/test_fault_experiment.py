"""The fault experiment: planted costs come back, chance is told from effect, and what went wrong is said."""

from __future__ import annotations

from dataclasses import replace

import naive_stats
import numpy as np
import pytest
from experimentsim import SETUPS, Setup, run

from esxprobe.correlate.experiment import (
    FEWEST_PAIRS,
    Trial,
    completed_pairs,
    exposure,
    half_width_pct,
    judge_experiment,
    orders_of,
    trial_of,
)
from esxprobe.model import FaultExperiment


def judged(seed: int, setup: Setup) -> FaultExperiment:
    made = run(seed, setup)
    return judge_experiment(made.trial, made.log, made.order, made.start_s)


def test_the_share_of_each_block_in_each_interval_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(1)
    ends = np.cumsum(rng.uniform(1, 3, 40))
    lengths = np.diff(ends, prepend=0.0)
    trial = Trial(ends, lengths, ends, None, ends)
    slow = [
        [naive_stats.shared(e - n, e, 5 + 4 * k, 9 + 4 * k) / n for k in range(12)]
        for e, n in zip(ends, lengths, strict=True)
    ]
    np.testing.assert_allclose(exposure(trial, 5.0, 4.0, 12), slow)


def test_orders_are_alike_and_all_of_few_pairs_are_tried() -> None:
    observed = np.array([1, 0, 0, 1, 1, 0], dtype=float)
    drawn = orders_of(3, observed)
    assert len(drawn) == 8
    assert len({tuple(order) for order in drawn}) == 8
    assert (drawn[0] == observed).all()
    many = orders_of(20, np.tile([0.0, 1.0], 20))
    assert len(many) == 4000
    assert (many.reshape(len(many), 20, 2).sum(axis=2) == 1).all()


@pytest.mark.parametrize("name", SETUPS)
def test_a_planted_cost_comes_back(name: str) -> None:
    setup = SETUPS[name]
    found = [judged(seed, setup) for seed in range(6)]
    assert sum(each.low <= setup.cost_us <= each.high for each in found) >= 4
    assert sum(each.p < 0.05 for each in found) >= 5
    assert np.median([each.us for each in found]) == pytest.approx(setup.cost_us, rel=0.15)


def test_without_an_effect_chance_is_called_chance() -> None:
    found = [judged(seed, Setup(cost_us=0.0)) for seed in range(12)]
    assert sum(each.p < 0.05 for each in found) <= 4
    assert not any(each.measured for each in found)


def test_what_only_an_order_could_know_is_never_found_by_another_order() -> None:
    """The same samples, judged by an order that was never carried out."""
    alarms = 0
    for seed in range(12):
        made = run(seed, Setup(cost_us=0.0))
        placebo = "".join(np.random.default_rng([7, seed]).choice(["10", "01"], 30))
        alarms += judge_experiment(made.trial, made.log, placebo, made.start_s).p < 0.05
    assert alarms <= 4


def test_a_cost_that_the_guest_contradicts_is_not_claimed() -> None:
    made = run(3, Setup())
    table = made.log.table.copy()
    table[:, 6:8] *= 10
    table[:, 4:6] *= 10
    found = judge_experiment(made.trial, replace(made.log, table=table), made.order, made.start_s)
    assert found.agrees is False
    assert not found.measured
    assert "contradicts" in found.reason


def test_too_few_pairs_are_not_judged() -> None:
    found = judged(1, Setup(pairs=FEWEST_PAIRS - 1))
    assert np.isnan(found.us)
    assert f"only {FEWEST_PAIRS - 1} of at least" in found.reason


def test_a_run_that_was_cut_off_counts_what_was_completed() -> None:
    made = run(1, Setup())
    cut = replace(made.log, table=made.log.table[:401])
    assert completed_pairs(cut, made.order) == 20
    found = judge_experiment(made.trial, cut, made.order, made.start_s)
    assert found.pairs == 20
    assert found.low <= 40.0 <= found.high


def test_samples_elsewhere_say_so() -> None:
    made = run(1, Setup())
    late = replace(made.trial, ends_s=made.trial.ends_s + 1e5)
    assert "too few samples" in judge_experiment(late, made.log, made.order, made.start_s).reason


def test_work_that_follows_the_order_by_chance_is_not_held_constant() -> None:
    made = run(2, Setup())
    order = np.array([float(one) for one in made.order])
    follows = exposure(made.trial, made.start_s, made.log.block_s, len(order)) @ order
    biased = replace(made.trial, other=follows * 1e4)
    found = judge_experiment(biased, made.log, made.order, made.start_s)
    assert found.balance_p < 0.05
    assert not found.adjusted


def test_the_forecast_is_about_the_width_that_comes_out() -> None:
    setup = Setup(busy_known=False)
    made = run(5, replace(setup, cost_us=0.0))
    plain_pct = half_width_pct(made.trial.vcpu, made.trial.lengths_s, setup.block_s, setup.pairs)
    real = judged(5, setup)
    assert plain_pct == pytest.approx((real.high - real.low) / 2 * setup.rate / 1e4, rel=0.5)
    assert half_width_pct(made.trial.vcpu, made.trial.lengths_s, setup.block_s, 120) < plain_pct


def test_counts_of_the_injector_are_put_on_the_hosts_intervals() -> None:
    made = run(4, Setup())
    ends, lengths = made.trial.ends_s, made.trial.lengths_s
    again = trial_of((ends, lengths, made.trial.vcpu), None, made.log, made.start_s - made.log.start_s)
    assert again.other is None
    on = float((again.pages * again.lengths_s).sum())
    assert on == pytest.approx(made.log.table[-1, 2], rel=0.05)
