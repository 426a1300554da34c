"""The analysis itself: per VM and kind of fault, from arrays to a judged `FaultCost`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from esxprobe.correlate.cuts import Selection, reclaiming, select
from esxprobe.correlate.inputs import VmFaults
from esxprobe.correlate.shift import Shift, leftover_shift
from esxprobe.correlate.significance import (
    ROUNDING,
    Correlation,
    false_discovery,
    left_of,
    partial_correlation,
)
from esxprobe.correlate.slope import Ints, Slope, partial_slope
from esxprobe.correlate.verdict import BOUNDS, FEWEST_INDEPENDENT, bound_pct_vcpu, judge
from esxprobe.correlate.words import advice, statement
from esxprobe.model import FaultCost, FaultScatter, FaultSeries
from esxprobe.series import Floats, means_over

# Soft and hard faults pull opposite ways: apart wherever the log tells them apart.
KINDS_APART = ("soft_faults", "hard_faults")
# Guest counters that stand for load. System time is none: it holds the fault handler, which is part of the answer.
LOAD_COUNTERS = ("user_time", "context_switches")
# A load counter that is missing in more of the intervals than this is left away rather than cutting them.
_MISSING_SHARE = 0.2
# All pairs of more samples than that are too many: neighbours are joined first.
MOST_SAMPLES = 2000
# A kind of fault that differs from its own median in fewer intervals says nothing about a slope.
_FEWEST_MOVES = 20
_SCATTER_POINTS = 500


@dataclass(frozen=True, slots=True, eq=False)
class _Aligned:
    """One VM on the capture's intervals.

    Attributes:
        vcpu: (n,) time of all vCPUs [us/s].
        guest: (n,) by counter, in its unit: kinds of faults, then controls.
        kinds: Which of them are kinds of faults.
        selection: What of it is analysed.
    """

    vcpu: Floats
    guest: dict[str, Floats]
    kinds: tuple[str, ...]
    selection: Selection


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """The intervals that are analysed, neighbours joined where there are very many; all (m,)."""

    vcpu: Floats
    guest: dict[str, Floats]
    stretch: Ints
    lengths: Floats


def fault_costs(vms: Sequence[VmFaults]) -> tuple[FaultCost, ...]:
    """Judges every VM and kind of fault; q is over all of them.

    Args:
        vms: VMs that have a guest's log.

    Returns:
        For each VM in order its soft and hard faults, or all faults where the log does not tell them apart;
        nothing for a VM whose log counts no faults.
    """
    drafts: list[tuple[VmFaults, FaultCost]] = [(vm, cost) for vm in vms for cost in _costs_of(vm)]
    q = false_discovery(np.array([cost.p for _, cost in drafts]))
    return tuple(_judged(replace(cost, q=float(one)), vm) for (vm, cost), one in zip(drafts, q, strict=True))


def _judged(cost: FaultCost, vm: VmFaults) -> FaultCost:
    cost = replace(cost, verdict=judge(cost))
    return replace(cost, statement=statement(cost, vm.evidence), advice=advice(cost, vm.evidence))


def _costs_of(vm: VmFaults) -> list[FaultCost]:
    aligned = _align(vm)
    samples = _join(vm, aligned)
    shift = _check_shift(samples)
    return [_cost(vm, aligned, samples, shift, kind) for kind in aligned.kinds]


def _align(vm: VmFaults) -> _Aligned:
    """The guest's rates on the capture's intervals, and what of them is analysed."""
    stamps_s = vm.offset.host_time(vm.guest.stamps_s)
    logged = {name: values for name, values in vm.guest.values.items() if np.isfinite(values).any()}
    kinds = tuple(name for name in KINDS_APART if name in logged) or tuple({"faults"} & logged.keys())
    guest = {
        name: means_over(vm.ends_s, vm.covered_s, stamps_s, vm.guest.covers_s, logged[name])
        for name in (*kinds, *(name for name in LOAD_COUNTERS if name in logged))
    }
    wanted = np.isfinite([guest[name] for name in kinds]).all(axis=0) if kinds else np.zeros(0, dtype=np.bool_)
    for name in LOAD_COUNTERS:
        if name in guest and np.isnan(guest[name][wanted]).sum() > _MISSING_SHARE * wanted.sum():
            del guest[name]
    used = vm.run_pct if vm.overlap_pct is None else vm.run_pct - np.nan_to_num(vm.overlap_pct)
    rows = np.array(list(guest.values())) if guest else np.full((1, len(vm.ends_s)), np.nan)
    return _Aligned(used.sum(axis=0) * 1e4, guest, kinds, select(vm, rows))


def _join(vm: VmFaults, aligned: _Aligned) -> _Samples:
    """The analysed intervals, as means of neighbours in one stretch where `_together` asks for it."""
    kept = np.flatnonzero(aligned.selection.kept)
    stretch = aligned.selection.stretch[kept]
    lengths = vm.covered_s[kept]
    columns = np.array([aligned.vcpu[kept], *(values[kept] for values in aligned.guest.values())])
    many = _together(vm, lengths)
    if many > 1:
        first = np.searchsorted(stretch, stretch)
        groups = np.stack((stretch, (np.arange(len(kept)) - first) // many))
        starts = np.flatnonzero(np.concatenate(([True], (groups[:, 1:] != groups[:, :-1]).any(axis=0))))
        joined = np.add.reduceat(lengths, starts)
        columns = np.add.reduceat(columns * lengths, starts, axis=1) / joined
        whole = np.diff(np.append(starts, len(kept))) == many  # the rest of a stretch would weigh too much
        columns, stretch, lengths = columns[:, whole], stretch[starts][whole], joined[whole]
    return _Samples(columns[0], dict(zip(aligned.guest, columns[1:], strict=True)), stretch, lengths)


def _together(vm: VmFaults, lengths: Floats) -> int:
    """How many neighbours are joined: no more than `MOST_SAMPLES` remain, none finer than the guest's log.

    A log of 60 s says nothing of what differs between 5 s; between its stamps it only looks as if it did.
    """
    if not len(lengths):
        return 1
    covers = vm.guest.covers_s[np.isfinite(vm.guest.covers_s)]
    coarser = float(np.median(covers)) / float(np.median(lengths)) if len(covers) else 1.0
    return max(-(-len(lengths) // MOST_SAMPLES), math.ceil(coarser - 0.25))


def _check_shift(samples: _Samples) -> Shift:
    # Hard faults hold vCPUs up as often as they use them: they tell nothing about clocks.
    names = [name for name, values in samples.guest.items() if name != "hard_faults" and left_of(values, values)]
    if not names or not left_of(samples.vcpu, samples.vcpu):
        return Shift(np.nan, np.nan, warning=False)
    guest = np.column_stack([samples.guest[name] for name in names])
    return leftover_shift(samples.vcpu, guest, samples.stretch, float(np.median(samples.lengths)))


def _cost(vm: VmFaults, aligned: _Aligned, samples: _Samples, shift: Shift, kind: str) -> FaultCost:
    """One kind of fault, not yet judged."""
    faults = samples.guest[kind]
    count = len(faults)
    controls = [name for name, values in samples.guest.items() if name != kind and left_of(values, values)]
    taken = np.column_stack([samples.guest[name] for name in controls]) if controls else np.empty((count, 0))
    away = np.abs(faults - np.median(faults)) if count else faults
    moves = (away > ROUNDING * np.abs(faults).max(initial=0.0)).sum() >= _FEWEST_MOVES
    found, slope = Correlation(np.nan, np.nan, 0.0), None
    if moves:
        found = partial_correlation(samples.vcpu, faults, taken, samples.stretch)
        if found.n_eff >= FEWEST_INDEPENDENT:
            slope = partial_slope(samples.vcpu, faults, taken, samples.stretch)
    us, basis = BOUNDS[vm.mmu]
    rates = _rates(faults)
    value, low, high = (slope.value, slope.low, slope.high) if slope else (np.nan, np.nan, np.nan)
    return FaultCost(
        vm=vm.vm,
        gid=vm.gid,
        guest_counter=kind,
        host_counter="sum of % Run over vCPUs" + ("" if vm.overlap_pct is None else " less % Overlap"),
        samples=count,
        n_eff=found.n_eff,
        r=found.r,
        p=found.p,
        q=np.nan,
        slope_us_per_fault=value,
        ci_low=low,
        ci_high=high,
        min_detectable_us=(high - low) / 2,
        lag_s=shift.seconds,
        lag_p=shift.p,
        lag_warning=shift.warning,
        offset_s=float(vm.offset.mean_s),
        fault_rate_median=rates[0],
        fault_rate_p95=rates[1],
        fault_rate_mean=rates[2],
        bound_us=us,
        bound_basis=basis,
        bound_pct_vcpu=bound_pct_vcpu(rates[1], us),
        share_pct_vcpu=bound_pct_vcpu(rates[2], value),
        share_pct_vcpu_high=bound_pct_vcpu(rates[2], max(high, 0.0)),
        vcpu_pct_mean=float(samples.vcpu.mean() / 1e4) if count else np.nan,
        user_pct_mean=_user_pct(vm, samples),
        mmu=vm.mmu,
        verdict="inconclusive",
        statement="",
        controls=tuple(controls),
        cuts=aligned.selection.cuts(),
        reclaim_samples=int((reclaiming(vm) & aligned.selection.kept).sum()),
        interval_s=float(np.median(samples.lengths)) if count else np.nan,
        series=_series(vm, aligned, kind),
        scatter=_scatter(slope) if slope else None,
    )


def _rates(faults: Floats) -> tuple[float, float, float]:
    """Median, 95th percentile and mean."""
    if not len(faults):
        return np.nan, np.nan, np.nan
    return float(np.median(faults)), float(np.quantile(faults, 0.95)), float(faults.mean())


def _user_pct(vm: VmFaults, samples: _Samples) -> float:
    """Mean user time [% of one vCPU]; the log gives it as a share of all the guest's processors."""
    if "user_time" not in samples.guest or not len(samples.vcpu):
        return np.nan
    return float(samples.guest["user_time"].mean() * len(vm.run_pct))


def _series(vm: VmFaults, aligned: _Aligned, kind: str) -> FaultSeries:
    return FaultSeries(
        times=tuple(datetime.fromtimestamp(stamp, UTC) for stamp in vm.ends_s.tolist()),
        fault_rate=_known(aligned.guest[kind]),
        vcpu_pct=_known(aligned.vcpu / 1e4),
        cut=tuple(aligned.selection.reason.tolist()),
    )


def _known(values: Floats) -> tuple[float | None, ...]:
    return tuple(value if math.isfinite(value) else None for value in values.tolist())


def _scatter(slope: Slope) -> FaultScatter:
    spots = np.unique(np.linspace(0, len(slope.x) - 1, min(len(slope.x), _SCATTER_POINTS)).round().astype(np.intp))
    return FaultScatter(
        faults=tuple(slope.x[spots].tolist()),
        vcpu=tuple(slope.y[spots].tolist()),
        median_faults=float(np.median(slope.x)),
        median_vcpu=float(np.median(slope.y)),
        slope_us_per_fault=slope.value,
        ci_low=slope.low,
        ci_high=slope.high,
    )
