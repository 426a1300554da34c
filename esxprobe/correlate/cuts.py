"""Which intervals are analyzed, and why the others are not: each is left out for one reason and counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Bools, Floats
from esxprobe.correlate.inputs import VmFaults
from esxprobe.correlate.logged import MEANINGS, LoggedStretch
from esxprobe.model import Cut
from esxprobe.series import GAP_INTERVALS, runs

# Rules of thumb, all of them.
POWER_ON_S = 300.0  # a guest's first touch of its memory, which Windows does while it boots
LEAVING_S = 120.0  # pages are traced while a vMotion copies them, before the VM goes
SATURATED_PCT = 95.0  # of all vCPUs: above, vCPU time cannot rise with anything
ABSENT_SAMPLES = 3  # fewer samples without vCPU time are lost cells, not a VM that left

REASONS: dict[str, str] = {
    "interval-unknown": "First sample of a header, or a stamp that repeats or goes back: its length is not known",
    "gap": f"Longer than {GAP_INTERVALS} usual intervals: samples were lost or esxtop was late",
    "absent": "The VM's vCPUs used no time: the VM was off or on another host",
    "no-value": "A vCPU's cell is missing",
    **{str(reason): words for reason, words in MEANINGS.items()},
    "arrived": f"Within {POWER_ON_S:.0f} s after the VM appeared (power-on or vMotion; rule of thumb)",
    "leaving": f"Within {LEAVING_S:.0f} s before the VM disappeared (vMotion or power-off; rule of thumb)",
    "guest-boot": f"Within {POWER_ON_S:.0f} s after the guest started or its counters were reset (rule of thumb)",
    "experiment": "A fault experiment or a probe ran in the guest",
    "guest-gap": "The guest's log does not cover the whole interval",
    "saturated": f"vCPUs together above {SATURATED_PCT:.0f} % of their time: nothing can add to it (rule of thumb)",
}


@dataclass(frozen=True, slots=True, eq=False)
class IntervalSelection:
    """What is analyzed.

    Attributes:
        kept: (n,) True where an interval is analyzed.
        reason: (n,) key of `REASONS`, empty where it is.
        stretch: (n,) number of the unbroken stretch that each interval is in, rising.
        logged: Stretches given by events that have a part of some interval.
    """

    kept: Bools
    reason: NDArray[np.str_]
    stretch: NDArray[np.intp]
    logged: tuple[LoggedStretch, ...] = ()

    def cuts(self) -> tuple[Cut, ...]:
        """The reasons that occur, in the order in which they are tried."""
        counts = {reason: int((self.reason == reason).sum()) for reason in REASONS}
        return tuple(
            Cut(reason, count, REASONS[reason], tuple(each.span for each in self.logged if each.reason == reason))
            for reason, count in counts.items()
            if count
        )


def select(vm: VmFaults, guest: Floats, *, saturated_too: bool = False) -> IntervalSelection:
    """Chooses the intervals of one VM.

    Args:
        vm: The VM; n intervals.
        guest: (k, n) everything of the guest that the analysis needs, over the same intervals.
        saturated_too: Keeps intervals in which nothing can add to vCPU time.
    """
    count = len(vm.ends_s)
    reason = np.full(count, "", dtype="<U16")

    def cut(name: str, where: Bools) -> None:
        reason[where & (reason == "")] = name

    lengths = vm.covered_s

    def near(since: float, until: float) -> Bools:
        touched: Bools = (vm.ends_s > since) & (begins < until)
        return touched

    judged = np.isfinite(lengths) & (lengths > 0)
    usual = float(np.median(lengths[judged])) if judged.any() else np.nan
    begins = vm.ends_s - np.where(judged, lengths, 0.0)
    run = np.nansum(vm.run_pct, axis=0)
    logged: list[LoggedStretch] = []
    cut("interval-unknown", ~judged)
    idle: Bools = (run <= 0) & judged
    absent, events = np.zeros(count, dtype=np.bool_), []
    for first, last in runs(idle | ~judged & (run <= 0)):
        if idle[first : last + 1].sum() >= ABSENT_SAMPLES:
            absent[first : last + 1] = True
            events.append((first, last))
    cut("absent", absent)
    cut("gap", judged & (lengths > GAP_INTERVALS * usual))
    cut("no-value", ~np.isfinite(vm.run_pct).all(axis=0) | idle)
    for each in vm.logged:
        touched = near(each.span.start.timestamp(), each.span.end.timestamp())
        cut(each.reason, touched)
        if touched.any():
            logged.append(each)
    for first, last in events:
        if last + 1 < count:
            cut("arrived", near(vm.ends_s[last], vm.ends_s[last] + POWER_ON_S))
        if first > 0:
            cut("leaving", near(begins[first] - LEAVING_S, begins[first]))
    if vm.guest_boots_s:
        for boot in vm.offset.host_time(np.array(vm.guest_boots_s)):
            cut("guest-boot", near(boot, boot + POWER_ON_S))
    for began, ended in experiments(vm):
        cut("experiment", near(began, ended))
    cut("guest-gap", ~np.isfinite(guest.sum(axis=0)))  # one NaN is enough
    if not saturated_too:
        cut("saturated", np.asarray(run >= SATURATED_PCT * len(vm.run_pct)))
    kept = reason == ""
    return IntervalSelection(kept, reason, _stretches(vm.ends_s, begins, kept, usual), tuple(logged))


def experiments(vm: VmFaults) -> list[tuple[float, float]]:
    """When an injector ran in the guest, by the host's clock [s], with a second on either side."""
    if vm.experiment is None or not len(vm.experiment.log.table):
        return []
    edges = vm.offset.host_time(vm.experiment.log.table[[0, -1], 0])
    return [(float(edges[0]) - 1.0, float(edges[1]) + 1.0)]


def reclaiming(vm: VmFaults) -> Bools:
    """(n,) whether the VM waited for swapped memory, or some was read back, in an interval: flagged, not cut."""
    flagged = np.zeros(len(vm.ends_s), dtype=np.bool_)
    for series in (vm.swap_wait_pct, vm.swap_in_mb_s):
        if series is not None:
            flagged |= np.nan_to_num(series) > 0
    return flagged


def _stretches(ends: Floats, begins: Floats, kept: Bools, usual: float) -> NDArray[np.intp]:
    """Numbers that rise where an interval does not follow the one before, or one of them is left out."""
    broken = np.ones(len(ends), dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        broken[1:] = ~kept[1:] | ~kept[:-1] | (np.abs(begins[1:] - ends[:-1]) > 0.5 * usual)
    return np.cumsum(broken)
