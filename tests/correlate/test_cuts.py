"""Which intervals are analyzed, and why the others are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from esxprobe.correlate import GuestRates, VmFaults
from esxprobe.correlate.cuts import REASONS, reclaiming, select
from esxprobe.series import ClockOffset

COUNT = 200


def quiet(count: int = COUNT) -> VmFaults:
    """A VM of two vCPUs, half busy, samples of 5 s, nothing the matter."""
    return VmFaults(
        vm="web01",
        gid="7",
        mmu="software",
        ends_s=np.arange(1, count + 1) * 5.0,
        covered_s=np.full(count, 5.0),
        run_pct=np.full((2, count), 50.0),
        overlap_pct=None,
        guest=GuestRates(np.empty(0), np.empty(0), {}),
    )


def reasons(vm: VmFaults, guest: np.ndarray | None = None) -> dict[str, list[int]]:
    """Positions by reason; kept ones not among them."""
    chosen = select(vm, np.ones((1, len(vm.ends_s))) if guest is None else guest)
    assert (chosen.kept == (chosen.reason == "")).all()
    counted = Counter(reason for reason in chosen.reason.tolist() if reason)
    assert {cut.reason: cut.intervals for cut in chosen.cuts()} == counted
    assert all(cut.meaning == REASONS[cut.reason] for cut in chosen.cuts())
    return {reason: np.flatnonzero(chosen.reason == reason).tolist() for reason in counted}


def with_run(vm: VmFaults, where: slice | list[int], value: float, vcpu: slice | int = slice(None)) -> VmFaults:
    run = vm.run_pct.copy()
    run[vcpu, where] = value
    return replace(vm, run_pct=run)


def test_a_quiet_vm_keeps_everything() -> None:
    assert reasons(quiet()) == {}
    assert len(set(select(quiet(), np.ones((1, COUNT))).stretch.tolist())) == 1


def test_a_first_sample_covers_nobody_knows_what() -> None:
    vm = quiet()
    vm.covered_s[[0, 90]] = np.nan
    assert reasons(vm) == {"interval-unknown": [0, 90]}


def test_an_interval_behind_lost_rows_is_left_out_and_breaks_the_stretch() -> None:
    vm = quiet()
    ends = vm.ends_s + np.where(np.arange(COUNT) >= 80, 5.0, 0.0)
    lengths = vm.covered_s.copy()
    lengths[80] = 10.0
    vm = replace(vm, ends_s=ends, covered_s=lengths)
    assert reasons(vm) == {"gap": [80]}
    stretch = select(vm, np.ones((1, COUNT))).stretch
    assert stretch[79] < stretch[81]


def test_a_hole_between_intervals_breaks_the_stretch_and_costs_nothing() -> None:
    vm = quiet()
    vm = replace(vm, ends_s=vm.ends_s + np.where(np.arange(COUNT) >= 80, 600.0, 0.0))
    assert reasons(vm) == {}
    stretch = select(vm, np.ones((1, COUNT))).stretch
    assert stretch[79] < stretch[80]


def test_a_vm_that_arrives_warms_up() -> None:
    found = reasons(with_run(quiet(), slice(0, 100), 0.0))
    assert found == {"absent": list(range(100)), "arrived": list(range(100, 160))}


def test_a_vm_that_leaves_was_copied_before() -> None:
    found = reasons(with_run(quiet(), slice(150, COUNT), 0.0))
    assert found == {"absent": list(range(150, COUNT)), "leaving": list(range(126, 150))}


def test_blank_cells_of_a_vm_that_left_are_absence_too() -> None:
    found = reasons(with_run(quiet(), slice(150, COUNT), np.nan))
    assert found == {"absent": list(range(150, COUNT)), "leaving": list(range(126, 150))}


@pytest.mark.parametrize(("value", "vcpu"), [(0.0, slice(None)), (np.nan, slice(None)), (np.nan, 1)])
def test_a_lost_cell_is_no_vmotion(value: float, vcpu: slice | int) -> None:
    assert reasons(with_run(quiet(), [60, 61], value, vcpu)) == {"no-value": [60, 61]}


def test_a_guest_that_boots_touches_its_memory_first() -> None:
    vm = replace(quiet(), guest_boots_s=(250.0 + 30.0,), offset=ClockOffset.constant(30.0))
    assert reasons(vm) == {"guest-boot": list(range(50, 110))}


def test_what_the_guest_did_not_log_is_not_made_up() -> None:
    guest = np.ones((3, COUNT))
    guest[1, 20:25] = np.nan
    guest[2, 24:30] = np.nan
    assert reasons(quiet(), guest) == {"guest-gap": list(range(20, 30))}


def test_vcpus_that_run_all_the_time_cannot_run_more() -> None:
    vm = with_run(quiet(), slice(30, 40), 99.0)
    assert reasons(vm) == {"saturated": list(range(30, 40))}
    assert reasons(with_run(quiet(), slice(30, 40), 100.0, 0)) == {}  # one of two vCPUs


def test_one_interval_is_left_out_for_one_reason() -> None:
    vm = with_run(quiet(), slice(30, 40), 99.0)
    vm.covered_s[30] = np.nan
    guest = np.ones((1, COUNT))
    guest[0, 31] = np.nan
    assert reasons(vm, guest) == {"interval-unknown": [30], "guest-gap": [31], "saturated": list(range(32, 40))}


def test_swapping_is_flagged_and_not_cut() -> None:
    wait, read = np.zeros(COUNT), np.zeros(COUNT)
    wait[3], read[9], wait[50] = 0.4, 1.0, np.nan
    vm = replace(quiet(), swap_wait_pct=wait, swap_in_mb_s=read)
    assert np.flatnonzero(reclaiming(vm)).tolist() == [3, 9]
    assert reasons(vm) == {}
    assert not reclaiming(quiet()).any()


def test_a_capture_without_a_usable_sample_keeps_nothing() -> None:
    vm = quiet(3)
    vm.covered_s[:] = np.nan
    assert reasons(vm) == {"interval-unknown": [0, 1, 2]}
    assert not select(quiet(0), np.ones((1, 0))).kept.any()
