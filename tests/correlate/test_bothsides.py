"""A guest's counters beside the host's: what is compared, how sure it is, and what is said of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pairsim import Plan, both_sides, wander

from esxprobe.correlate import VmFaults, guest_pairs
from esxprobe.correlate.bothsides import growing, rank_correlation, ranks, shortly_after
from esxprobe.correlate.pair_words import pair_statement
from esxprobe.model import GuestHostPair, PairKind

Floats = NDArray[np.float64]


def only(vm: VmFaults, what: PairKind) -> GuestHostPair:
    (found,) = [pair for pair in guest_pairs([vm]) if pair.what == what]
    return found


def slow_ranks(values: list[float]) -> list[float]:
    """The mean place of each value in the order of all, less the mean of all places."""
    places = [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2
        for value in values
    ]
    return [place - (len(values) + 1) / 2 for place in places]


def slow_correlation(guest: list[float], host: list[float]) -> tuple[float, float]:
    """One shift after the other."""
    mine, theirs = slow_ranks(guest), slow_ranks(host)
    size = (sum(a * a for a in mine) * sum(b * b for b in theirs)) ** 0.5

    def shifted(by: int) -> float:
        return sum(a * b for a, b in zip(mine, [*theirs[by:], *theirs[:by]], strict=True)) / size

    as_strong = sum(abs(shifted(by)) >= abs(shifted(0)) - 1e-9 for by in range(1, len(mine)))
    return shifted(0), (1 + as_strong) / len(mine)


few = st.lists(st.integers(0, 6), min_size=3, max_size=25).filter(lambda values: len(set(values)) > 1)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_r_and_p_are_those_of_the_slow_twin(data):
    guest = data.draw(few)
    host = data.draw(
        st.lists(st.integers(0, 6), min_size=len(guest), max_size=len(guest)).filter(lambda v: len(set(v)) > 1)
    )
    found = rank_correlation(ranks(np.array(guest, float)), ranks(np.array(host, float)))
    assert found == pytest.approx(slow_correlation(guest, host), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(few, st.floats(0.1, 9.0), st.floats(-5.0, 5.0), st.integers(0, 24))
def test_ranks_know_nothing_of_units_and_p_is_a_share_of_shifts(values, factor, added, by):
    plain = np.array(values, float)
    other = np.roll(plain, by)
    r, p = rank_correlation(ranks(plain), ranks(other))
    assert rank_correlation(ranks(factor * plain + added), ranks(other)) == pytest.approx((r, p))
    assert rank_correlation(ranks(plain), ranks(-other)) == pytest.approx((-r, p))
    assert rank_correlation(ranks(other), ranks(plain)) == pytest.approx((r, p))
    assert -1 - 1e-9 <= r <= 1 + 1e-9
    assert 1 / len(plain) <= p <= 1
    assert round(p * len(plain)) == pytest.approx(p * len(plain))


def slow_after(grew: list[bool], lengths: list[float], stretch: list[int]) -> list[bool]:
    """Every sample against every one before it in its stretch."""
    ends = np.cumsum(lengths)
    return [
        any(
            grew[early] and stretch[early] == stretch[here] and (early == here or ends[here - 1] - ends[early] < 30)
            for early in range(here + 1)
        )
        for here in range(len(grew))
    ]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([2.0, 5.0, 20.0]), st.booleans()), min_size=1, max_size=30)
)
def test_shortly_after_a_growth_is_what_the_slow_twin_says(samples):
    grew, lengths, breaks = (list(column) for column in zip(*samples, strict=True))
    stretch = np.cumsum(breaks)
    found = shortly_after(np.array(grew), np.array(lengths), stretch)
    assert found.tolist() == slow_after(grew, lengths, stretch.tolist())


def test_a_balloon_grows_within_a_stretch_only_and_by_what_esxtop_prints():
    balloon = np.array([0.0, 0.004, 0.014, 50.0, 50.0, 40.0, 90.0])
    stretch = np.array([1, 1, 1, 1, 1, 1, 2])
    assert growing(balloon, stretch).tolist() == [False, False, True, True, False, False, False]


def test_steal_that_is_the_hosts_waiting_moves_with_it_and_agrees():
    pair = only(both_sides(1, Plan()), "steal")
    assert (pair.guest_counter, pair.host_counter, pair.samples) == (
        "steal_time", "%RDY + %CSTP, mean of its vCPUs", 360,
    )  # fmt: skip
    assert pair.r > 0.9
    assert pair.p == pytest.approx(1 / 360)
    assert pair.guest_mean == pytest.approx(pair.host_mean, abs=0.05)
    assert math.isnan(pair.shift_s)
    assert "They moved together (rank correlation 0.9" in pair.statement
    assert "p = 0.003" in pair.statement
    assert "agreed within 0.05 percentage points" in pair.statement
    assert pair.statement.endswith("Both measure time in which vCPUs wanted to run and did not.")


@pytest.mark.parametrize("late_s", [20.0, -20.0])
def test_a_guests_clock_that_is_off_is_told_and_nothing_is_moved(late_s):
    pair = only(both_sides(2, Plan(late_s=late_s)), "steal")
    assert pair.shift_s == pytest.approx(late_s, abs=1.0)
    way = "earlier" if late_s > 0 else "later"
    assert f"They fit clearly better with the guest's log moved {abs(pair.shift_s):.1f} s {way}" in pair.statement
    assert pair.statement.endswith("Nothing was moved.")


def test_steal_of_half_the_size_is_told_with_the_difference():
    pair = only(both_sides(3, Plan(steal_share=0.5)), "steal")
    less = pair.host_mean - pair.guest_mean
    assert less == pytest.approx(pair.host_mean / 2, rel=0.05)
    assert f"the guest counted {less:.2f} percentage points less" in pair.statement


def test_a_guest_that_counts_no_steal_is_told_plainly_and_why():
    pair = only(both_sides(4, Plan(steal_share=0.0)), "steal")
    assert math.isnan(pair.r)
    assert pair.statement.startswith("The guest counted no steal in 360 samples; the host showed ")
    assert "stealclock.enable" in pair.statement


def test_samples_without_room_are_compared_for_they_hold_the_most_waiting():
    vm = both_sides(1, Plan())
    full = replace(vm, run_pct=np.full_like(vm.run_pct, 99.0))
    assert only(full, "steal").samples == 360


def test_a_balloon_that_makes_the_guest_page_goes_with_it():
    vm = both_sides(5, Plan(samples=720, paging=300.0))
    swaps, faults = only(vm, "balloon-swap"), only(vm, "balloon-faults")
    for pair in (swaps, faults):
        assert pair.r > 0
        assert pair.p < 0.05
        assert pair.guest_after > 2 * pair.guest_otherwise
        assert f"MCTLSZ grew in {pair.grew} of 720 samples." in pair.statement
        assert "The two rose together" in pair.statement
        assert pair.statement.endswith("This does not show that the balloon was the cause.")
    assert vm.balloon_mb is not None
    still = np.zeros(720, dtype=np.intp)
    near = shortly_after(growing(vm.balloon_mb, still), np.full(720, 5.0), still)
    whole = near.mean() * swaps.guest_after + (1 - near.mean()) * swaps.guest_otherwise
    assert whole == pytest.approx(swaps.guest_mean)
    assert "swapped out" in swaps.statement
    assert "hard faults/s" in faults.statement


def test_a_balloon_that_the_guest_does_not_notice_is_a_null_result():
    pair = only(both_sides(6, Plan(samples=720, paging=0.0)), "balloon-faults")
    assert pair.p >= 0.05
    assert "No correlation beyond chance was found" in pair.statement
    assert "cause" not in pair.statement


def test_of_a_balloon_that_holds_nothing_nothing_is_said():
    vm = both_sides(6, Plan())
    assert vm.balloon_mb is not None
    empty = replace(vm, balloon_mb=np.zeros_like(vm.balloon_mb))
    assert {pair.what for pair in guest_pairs([empty])} == {"steal", "disk"}
    still = only(replace(vm, balloon_mb=np.full_like(vm.balloon_mb, 64.0)), "balloon-swap")
    assert still.statement.startswith("MCTLSZ did not grow in 360 samples (mean 64.0 MB); the guest swapped out ")


def test_a_disk_whose_guest_waits_in_its_own_queue_exceeds_gavg():
    pair = only(both_sides(7, Plan()), "disk")
    assert pair.r > 0.5
    assert pair.guest_mean > pair.host_mean
    assert "They moved together" in pair.statement
    assert pair.statement.endswith("The guest's time contains its own queue, so it may exceed GAVG.")


def test_a_guest_that_is_faster_than_gavg_is_unexpected():
    pair = only(both_sides(7, Plan(queue_ms=-3.0)), "disk")
    assert pair.guest_mean < pair.host_mean
    assert "ms shorter, which is unexpected" in pair.statement


def test_what_one_side_lacks_or_has_too_little_of_is_no_pair():
    vm = both_sides(8, Plan())
    bare = replace(vm, ready_pct=None, balloon_mb=None, gavg_ms=None)
    assert guest_pairs([bare]) == ()
    assert guest_pairs([both_sides(8, Plan(samples=59))]) == ()
    assert guest_pairs([both_sides(8, Plan(samples=60))]) != ()
    assert guest_pairs([]) == ()


def test_samples_without_commands_or_transfers_are_left_out():
    vm = both_sides(9, Plan())
    assert vm.gavg_ms is not None
    gavg = vm.gavg_ms.copy()
    gavg[:100] = np.nan
    assert only(replace(vm, gavg_ms=gavg), "disk").samples == 260


def test_a_log_of_a_minute_is_compared_by_the_minute():
    pair = only(both_sides(10, Plan(samples=1440, guest_s=60.0)), "steal")
    assert 100 < pair.samples <= 120
    assert pair.r > 0.9


def test_two_trends_are_too_few_independent_samples():
    vm = both_sides(11, Plan())
    trend = np.linspace(1.0, 9.0, 360)
    logged = np.linspace(1.0, 9.0, len(vm.guest.stamps_s))
    vm = replace(vm, gavg_ms=trend, guest=replace(vm.guest, values=dict(vm.guest.values) | {"disk_await": logged}))
    pair = only(vm, "disk")
    assert pair.n_eff < 20
    assert math.isnan(pair.r)
    assert "too few to test for a correlation" in pair.statement


def test_many_pairs_are_corrected_for_their_number():
    """One pair alone may be called; among two hundred independent ones the same p is chance."""
    rng = np.random.default_rng(3)

    def unrelated(seed: int) -> VmFaults:
        vm = both_sides(seed, Plan(samples=120))
        values = {"disk_await": np.exp(wander(rng, len(vm.guest.stamps_s), 0.5))}
        return replace(
            vm, guest=replace(vm.guest, values=values), gavg_ms=np.exp(wander(rng, 120, 0.5)), balloon_mb=None
        )

    pairs = guest_pairs([unrelated(seed) for seed in range(200)])
    assert len(pairs) == 200
    low = [pair for pair in pairs if pair.p < 0.05]
    assert len(low) in range(1, 21)
    assert not [pair for pair in pairs if "moved together (" in pair.statement]
    assert all("Corrected for all pairs of this capture, no correlation" in pair.statement for pair in low)


@pytest.mark.parametrize(("count", "memory"), [(60, 0.5), (180, 0.8), (360, 0.9)])
def test_independent_series_are_called_as_often_as_p_says(count, memory):
    """Of 200 pairs 10 are expected below 0.05; 20 or more come up once in 400 times."""
    rng = np.random.default_rng([count, 7])
    p = [rank_correlation(*(ranks(wander(rng, count, memory)) for _ in range(2)))[1] for _ in range(200)]
    assert 2 <= sum(each < 0.05 for each in p) < 20
    assert 0.35 < float(np.mean(p)) < 0.65


def test_the_guest_of_another_machine_is_called_as_seldom():
    plan = Plan(samples=180)
    p = [
        pair.p
        for seed in range(40)
        for pair in guest_pairs([replace(both_sides(seed, plan), guest=both_sides(seed + 500, plan).guest)])
    ]
    assert sum(each < 0.05 for each in p) <= 0.12 * len(p)


def test_what_is_planted_is_found():
    found = [only(both_sides(seed, Plan(samples=180, noise=1.0)), "steal").p < 0.05 for seed in range(30)]
    assert sum(found) >= 29
    swaps = [only(both_sides(seed, Plan(samples=720)), "balloon-swap").p < 0.05 for seed in range(20)]
    assert sum(swaps) >= 18


def made(what: PairKind, **more: float) -> GuestHostPair:
    given = {"n_eff": 90.0, "r": 0.8, "p": 0.0005, "q": 0.001, "guest_mean": 3.25, "host_mean": 3.1} | more
    return GuestHostPair("web01", "7", what, "", "", 720, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (made("steal"),
         "The guest counted 3.25 % steal and the host 3.10 % ready and co-stop (%RDY + %CSTP, mean of its vCPUs);"
         " means of 720 samples. On average the guest counted 0.150 percentage points more. They moved together"
         " (rank correlation 0.80, p below 0.001). Both measure time in which vCPUs wanted to run and did not."),
        (made("steal", r=-0.4), "They moved against each other (rank correlation -0.40, p below 0.001)."),
        (made("steal", p=0.3, q=0.3), "No correlation beyond chance was found (rank correlation 0.80, p = 0.300)."),
        (made("steal", p=0.03, q=0.2),
         "Corrected for all pairs of this capture, no correlation beyond chance was found (rank correlation 0.80,"
         " p = 0.030, q = 0.200)."),
        (made("steal", guest_mean=0.0, host_mean=0.0),
         "The guest counted no steal in 720 samples; the host showed 0 %"),
        (made("steal", host_mean=0.0, r=math.nan, n_eff=math.nan), "One of the two did not change"),
        (made("balloon-swap", grew=9, guest_mean=0.0),
         "MCTLSZ grew in 9 of 720 samples; the guest counted no pages swapped out."),
        (made("balloon-faults", grew=9, guest_mean=0.0), "the guest counted no hard faults."),
        (made("balloon-swap", grew=720, guest_after=5.0),
         "the guest swapped out 5.00 pages/s on average, in all of them."),
        (made("balloon-swap", grew=9, guest_after=0.0, guest_otherwise=4.0, r=-0.5),
         "swapped out 0 pages/s on average, and 4.00 pages/s otherwise. The guest's rate was lower when MCTLSZ"),
        (made("disk", host_mean=3.3), "may exceed GAVG"),
        (made("disk", host_mean=6.0), "The guest's time was 2.75 ms shorter, which is unexpected"),
    ],
)  # fmt: skip
def test_the_words_for_every_outcome(pair, words):
    assert words in pair_statement(pair)
    assert "web01" not in pair_statement(pair), "names are in fields of their own"
