"""Stretches that logs give away: what is left out, of whom, and that the estimate is right without them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from faultsim import Plan, simulate

from esxprobe.correlate import GuestRates, VmFaults, fault_costs, guest_pairs, logged_stretches
from esxprobe.correlate.cuts import REASONS, select
from esxprobe.correlate.logged import BOOTED_S, MEANINGS, MOVED_S, STAMP_S, STUNNED_S
from esxprobe.model import Association, Entity, Event, FaultCost

START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)
AT = START.timestamp()


def events(*told: str) -> list[Event]:
    """`kind@seconds` each, a stun with its length behind a slash [s]."""
    made = []
    for text in told:
        kind, _, at = text.partition("@")
        seconds, _, lasted = at.partition("/")
        when = START + timedelta(seconds=float(seconds))
        made.append(Event(when, "", kind, "info", Entity("vm", "web01", "7"), duration_s=float(lasted or 0)))
    return made


def stretches(*told: str) -> list[tuple[str, float, float]]:
    return [
        (each.reason, each.span.start.timestamp() - AT, each.span.end.timestamp() - AT)
        for each in logged_stretches(events(*told))
    ]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (("vmotion-start@600", "vmotion-end@690"), [("vmotion", 597, 750)]),
        (("vmotion-start@600", "vmotion-failed@620"), [("vmotion", 597, 680)]),
        (("vmotion-end@690",), [("vmotion", 567, 750)]),
        (("vmotion-start@600",), [("vmotion", 597, 900)]),
        (("vmotion-precopy-end@600", "vmotion-end@601"), [("vmotion", 477, 661)]),
        (("vmotion-start@600", "vmotion-start@601", "vmotion-end@2000"), [("vmotion", 597, 2060)]),
        (("vmotion-start@600", "vmotion-start@2000"), [("vmotion", 597, 900), ("vmotion", 1997, 2300)]),
        (
            ("vmotion-start@600", "vmotion-stun@690/0.5"),
            [("vmotion", 597, 750), ("stun", 686.5, 720)],
        ),
        (("vm-power-on@600",), [("power-on", 597, 900)]),
        (("guest-reboot@600",), [("guest-reboot", 540, 900)]),
        (("vm-reset@600",), [("guest-reboot", 597, 900)]),
        (("guest-shutdown@600",), [("guest-reboot", 540, 603)]),
        (("snapshot-start@600", "snapshot-end@620"), [("snapshot", 597, 650)]),
        (("snapshot-start@600", "snapshot-end@2000"), [("snapshot", 597, 630), ("snapshot", 1967, 2030)]),
        (("snapshot-start@600",), [("snapshot", 597, 630)]),
        (("snapshot-consolidated@600",), [("snapshot", 567, 630)]),
        (("vm-stun@600/2", "vm-stun@610/1"), [("stun", 595, 640)]),
        (("vm-reconfigured@600", "tools-heartbeat-late@700"), []),
    ],
)
def test_what_each_kind_of_event_leaves_out(
    told: tuple[str, ...], expected: list[tuple[str, float, float]]
) -> None:
    assert stretches(*told) == expected


def test_each_reason_is_one_that_is_counted_and_called_a_rule_of_thumb() -> None:
    assert set(MEANINGS) <= set(REASONS)
    assert all("rule of thumb" in each and "logged" in each for each in MEANINGS.values())


def quiet(count: int = 200) -> VmFaults:
    """A VM of two vCPUs, half busy, samples of 5 s."""
    return VmFaults(
        vm="web01",
        gid="7",
        mmu="software",
        ends_s=AT + np.arange(1, count + 1) * 5.0,
        covered_s=np.full(count, 5.0),
        run_pct=np.full((2, count), 50.0),
        overlap_pct=None,
        guest=GuestRates(np.empty(0), np.empty(0), {}),
    )


def test_intervals_with_a_part_of_a_stretch_are_left_out_and_said_to_be() -> None:
    vm = replace(quiet(), logged=logged_stretches(events("vm-stun@500/1", "guest-reboot@-500")))
    chosen = select(vm, np.ones((1, 200)))
    left_out = np.flatnonzero(chosen.reason == "stun")
    assert vm.ends_s[left_out[0]] - 5.0 - AT <= 500 - 1 - STAMP_S < vm.ends_s[left_out[0]] - AT
    assert vm.ends_s[left_out[-1]] - 5.0 - AT < 500 + STUNNED_S <= vm.ends_s[left_out[-1]] - AT
    (cut,) = chosen.cuts()
    assert (cut.reason, cut.intervals, cut.meaning) == ("stun", len(left_out), MEANINGS["stun"])
    assert [(each.start, each.end) for each in cut.logged] == [
        (START + timedelta(seconds=496), START + timedelta(seconds=530))
    ]
    assert set(chosen.stretch[: left_out[0]]).isdisjoint(chosen.stretch[left_out[-1] + 1 :])


def test_an_interval_is_left_out_for_one_reason_what_is_known_for_certain_first() -> None:
    run = np.full((2, 200), 50.0)
    run[:, :20] = 0.0
    vm = replace(quiet(), run_pct=run, logged=logged_stretches(events("vm-power-on@98", "vm-stun@98")))
    cuts = {cut.reason: cut.intervals for cut in select(vm, np.ones((1, 200))).cuts()}
    assert cuts == {"absent": 20, "power-on": 60}, "300 s behind 98 s, and none is counted as arrived or stun"
    assert BOOTED_S == 300
    assert select(replace(vm, logged=()), np.ones((1, 200))).cuts()[-1].reason == "arrived"


# --- simulated captures ---------------------------------------------------------------------------

# A migration of two minutes in the middle of half an hour.
FIRST, LAST = 170, 194


def moved(vm: VmFaults) -> VmFaults:
    """The same VM with a vMotion: writes are traced, so vCPU time rises, and the guest faults more by itself."""
    share = np.zeros(len(vm.ends_s))
    share[FIRST:LAST] = 1.0
    run = vm.run_pct + share * 12.0  # 48 % of a vCPU over four
    stamps = vm.offset.host_time(vm.guest.stamps_s)
    inside = (stamps > vm.ends_s[FIRST - 1]) & (stamps <= vm.ends_s[LAST - 1])
    values = {name: each.copy() for name, each in vm.guest.values.items()}
    values["soft_faults"][inside] *= 2.5
    if "faults" in values:
        values["faults"][inside] = values["soft_faults"][inside] + values["hard_faults"][inside]
    return replace(vm, run_pct=run, guest=replace(vm.guest, values=values))


def migration(vm: VmFaults) -> tuple[Event, ...]:
    begun, ended = (datetime.fromtimestamp(vm.ends_s[n], UTC) for n in (FIRST - 1, LAST - 1))
    vmotion = Entity("vm", vm.vm, vm.gid)
    return tuple(
        Event(time, "", kind, "info", vmotion) for time, kind in ((begun, "vmotion-start"), (ended, "vmotion-end"))
    )


def soft(vm: VmFaults) -> FaultCost:
    return next(cost for cost in fault_costs([vm]) if cost.guest_counter == "soft_faults")


def associated(cost: FaultCost) -> Association:
    assert cost.association is not None
    return cost.association


def test_a_migration_biases_the_estimate_unless_it_is_left_out() -> None:
    """One capture can be right by chance: the mean of several tells bias from noise."""
    with_it, without_it = [], []
    for seed in range(3, 9):
        truth = simulate(seed, Plan(cost_us=3.0, samples=360, load_memory_s=22.0))
        vm = moved(truth.vm)
        with_it.append(associated(soft(vm)))
        without_it.append(associated(soft(replace(vm, logged=logged_stretches(migration(vm))))))
    wrong, right = (float(np.mean([each.us for each in found])) for found in (with_it, without_it))
    assert wrong > 4.5, "a migration that nobody knows of raises a planted 3.0 us by half"
    assert right == pytest.approx(3.0, abs=0.4)
    narrower = [a.detectable_us < b.detectable_us for a, b in zip(without_it, with_it, strict=True)]
    assert all(narrower), "and it is noise that the interval has to hold"
    assert all(each.readings[0].low < 3.0 < each.readings[0].high for each in without_it)


def test_how_many_intervals_were_left_out_is_counted_with_their_reason() -> None:
    vm = moved(simulate(3, Plan(cost_us=3.0)).vm)
    plain, cut = soft(vm), soft(replace(vm, logged=logged_stretches(migration(vm))))
    (vmotion,) = [each for each in cut.intervals.cuts if each.logged]
    assert vmotion.reason == "vmotion"
    assert LAST - FIRST + MOVED_S / 5 <= vmotion.intervals <= LAST - FIRST + MOVED_S / 5 + 2
    assert cut.intervals.count + vmotion.intervals == plain.intervals.count
    assert cut.rates.intervals == plain.rates.intervals, "rates leave nothing out"


def test_without_events_nothing_changes() -> None:
    truth = simulate(3, Plan(cost_us=3.0))
    assert repr(soft(truth.vm)) == repr(soft(replace(truth.vm, logged=logged_stretches(()))))
    assert all(not cut.logged for cut in soft(truth.vm).intervals.cuts)


def test_events_outside_of_the_capture_leave_nothing_out() -> None:
    truth = simulate(3, Plan(cost_us=3.0))
    far = tuple(replace(each, time=each.time - timedelta(days=1)) for each in migration(truth.vm))
    assert repr(soft(replace(truth.vm, logged=logged_stretches(far)))) == repr(soft(truth.vm))


def test_events_of_a_vm_leave_out_its_own_intervals_alone() -> None:
    mine, other = (simulate(seed, Plan(cost_us=3.0)).vm for seed in (3, 4))
    mine, other = replace(mine, vm="web01", gid="1"), replace(other, vm="web02", gid="2")
    logged = replace(mine, logged=logged_stretches(migration(mine)))
    alone, both = fault_costs([mine, other]), fault_costs([logged, other])
    for before, after in zip(alone, both, strict=True):
        has_stretch = any(cut.logged for cut in after.intervals.cuts)
        assert has_stretch == (after.gid == "1")
        if after.gid == "2":
            assert before.intervals == after.intervals


def test_what_both_sides_count_is_compared_without_these_intervals_too() -> None:
    truth = simulate(3, Plan(cost_us=3.0, starved=0.2, steal_known=True))
    pairs = [
        guest_pairs([replace(truth.vm, logged=logged)]) for logged in ((), logged_stretches(migration(truth.vm)))
    ]
    assert len(pairs[0]) == len(pairs[1])
