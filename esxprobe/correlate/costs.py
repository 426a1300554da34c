"""From the arrays of many VMs to what may be said of each one's faults."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.correlate.aligned import Aligned, Samples, align, join
from esxprobe.correlate.association import Found, associate
from esxprobe.correlate.clock_check import Sides, leftover_shift
from esxprobe.correlate.cost_words import worded
from esxprobe.correlate.cuts import reclaiming
from esxprobe.correlate.experiment import judge_experiment, trial_of
from esxprobe.correlate.inputs import VmFaults
from esxprobe.correlate.significance import false_discovery
from esxprobe.correlate.verdict import bound_by_rate, could_matter, judge, pct_of_vcpu, upper_bound
from esxprobe.model import (
    AnalyzedIntervals,
    ClockAlignment,
    FaultCost,
    FaultExperiment,
    FaultProbe,
    FaultScatter,
    FaultSeries,
    GuestLoad,
    MeasuredShare,
)

_SCATTER_POINTS = 500


def fault_costs(vms: Sequence[VmFaults]) -> tuple[FaultCost, ...]:
    """Judges every VM and kind of fault; q is over all of them.

    Args:
        vms: VMs that have a guest's log.

    Returns:
        For each VM in order its soft and hard faults, or all faults where the log does not tell them apart;
        nothing for a VM whose log counts no faults.
    """
    drafts = [cost for vm in vms for cost in _costs_of(vm)]
    found = [cost.association.p if cost.association else math.nan for cost in drafts]
    q = false_discovery(np.array(found))
    return tuple(_judged(cost, float(one)) for cost, one in zip(drafts, q, strict=True))


def _judged(cost: FaultCost, q: float) -> FaultCost:
    if cost.association is not None:
        cost = replace(cost, association=replace(cost.association, q=q))
    return worded(replace(cost, verdict=judge(cost)))


def _costs_of(vm: VmFaults) -> list[FaultCost]:
    aligned = align(vm)
    samples = join(vm, aligned)
    clock = _clock(vm, aligned)
    experiment = _experiment(vm, aligned, clock)
    return [
        _with_measured(_cost(vm, aligned, samples, clock, kind), vm.probe, experiment) for kind in aligned.kinds
    ]


def _experiment(vm: VmFaults, aligned: Aligned, clock: ClockAlignment) -> FaultExperiment | None:
    """The fault experiment in the guest, judged; None without one.

    Its times are the guest's. What the clock check saw of their error is taken off here: it looks at the guest's
    busy time and never at the order of the blocks.
    """
    if vm.experiment is None:
        return None
    log = vm.experiment.log
    if len(log.table) < 2 or not math.isfinite(log.start_s):
        return FaultExperiment(reason=f"the injector ended before the first block: {log.end or 'it was cut off'}")
    late_s = clock.shift_s if math.isfinite(clock.visible_s) else 0.0
    start_s = float(vm.offset.host_time(np.array([log.start_s]))[0]) - late_s
    booked = [aligned.guest[name] for name in ("user_time", "system_time") if name in aligned.guest]
    busy = booked[0] + booked[1] if len(booked) == 2 else None
    trial = trial_of((vm.ends_s, vm.covered_s, aligned.vcpu), busy, log, start_s - log.start_s)
    trial = replace(trial, waiting=_waiting(aligned, trial.ends_s, vm.ends_s))
    return judge_experiment(trial, log, vm.experiment.order, start_s)


def _waiting(aligned: Aligned, some_s: Floats, ends_s: Floats) -> float:
    """Share of the time, over some intervals, in which vCPUs that wanted to run had to wait; 0 where not known."""
    if "ready" not in aligned.host:
        return 0.0
    inside = np.isin(ends_s, some_s)
    ready, ran = (float(np.nansum(values[inside])) for values in (aligned.host["ready"], aligned.vcpu))
    return ready / (ready + ran) if ready + ran > 0 else 0.0


def _with_measured(cost: FaultCost, probe: FaultProbe | None, experiment: FaultExperiment | None) -> FaultCost:
    """The cost with what was measured in the guest; an experiment counts for more than a probe.

    Both touch pages for the first time, which no hard fault is.
    """
    if cost.guest_counter == "hard_faults":
        return cost
    cost = replace(cost, probe=probe, experiment=experiment)
    if experiment is not None and experiment.measured:
        return replace(cost, measured=_share(cost, (experiment.us, experiment.low, experiment.high), "experiment"))
    if probe is not None:
        return replace(cost, measured=_share(cost, (probe.us, probe.low_us, probe.high_us), "probe"))
    return cost


def _share(
    cost: FaultCost, us: tuple[float, float, float], by: Literal["experiment", "probe"]
) -> MeasuredShare | None:
    """A cost of a fault [µs] at the VM's own rate, no more than its vCPU time; None where the rate is not known."""
    rates = cost.rates
    most = rates.run_pct if math.isfinite(rates.run_pct) else math.inf
    share, low, high = (min(pct_of_vcpu(rates.mean, each), most) for each in us)
    return MeasuredShare(share, low, high, by) if math.isfinite(share) else None


def _clock(vm: VmFaults, aligned: Aligned) -> ClockAlignment:
    """Busy time where the log has it, for it is nearly vCPU time itself; otherwise what else it has.

    Hard faults hold vCPUs up as often as they use them: they tell nothing about clocks.
    """
    values = vm.guest.values
    busy = {"user_time", "system_time"} & aligned.guest.keys()
    if len(busy) == 2:
        counters = {"user_time + system_time": values["user_time"] + values["system_time"]}
    else:
        counters = {name: values[name] for name in aligned.guest if name != "hard_faults"}
    offset_s = float(vm.offset.mean_s)
    if not counters:
        return ClockAlignment(offset_s)
    selection = aligned.everything
    stamps_s = vm.offset.host_time(vm.guest.stamps_s)
    sides = Sides(
        vm.ends_s,
        vm.covered_s,
        aligned.vcpu,
        selection.stretch,
        selection.kept,
        stamps_s,
        vm.guest.covers_s,
        counters,
    )
    shift = leftover_shift(sides)
    warning = shift.warning or shift.drift_warning
    return ClockAlignment(
        offset_s, shift.seconds, shift.p, warning, shift.visible_s, shift.drift_s, tuple(counters)
    )


def _cost(vm: VmFaults, aligned: Aligned, samples: Samples, clock: ClockAlignment, kind: str) -> FaultCost:
    """One kind of fault, not yet judged."""
    rates = aligned.rates[kind]
    found = associate(samples, kind) if could_matter(rates) else None
    return FaultCost(
        vm=vm.vm,
        gid=vm.gid,
        guest_counter=kind,
        host_counter="%RUN" + ("" if vm.overlap_pct is None else " - %OVRLP") + ", sum over vCPUs",
        mmu=vm.mmu,
        verdict="inconclusive",
        rates=rates,
        bound=bound_by_rate(vm.mmu, rates),
        upper=upper_bound(vm.mmu, rates),
        association=found.association if found else None,
        clock=clock,
        intervals=AnalyzedIntervals(
            count=len(samples.vcpu),
            interval_s=float(np.median(samples.lengths)) if len(samples.lengths) else math.nan,
            cuts=aligned.selection.cuts(),
            reclaiming=int((reclaiming(vm) & aligned.selection.kept).sum()),
        ),
        load=GuestLoad(
            user_pct=_mean(samples, "user_time") / 1e4,
            system_pct=_mean(samples, "system_time") / 1e4,
            switches=_mean(samples, "context_switches"),
        ),
        evidence=vm.evidence,
        series=_series(vm, aligned, kind),
        scatter=_scatter(found) if found else None,
    )


def _mean(samples: Samples, counter: str) -> float:
    return float(samples.guest[counter].mean()) if counter in samples.guest and len(samples.vcpu) else math.nan


def _series(vm: VmFaults, aligned: Aligned, kind: str) -> FaultSeries:
    return FaultSeries(
        times=tuple(datetime.fromtimestamp(stamp, UTC) for stamp in vm.ends_s.tolist()),
        fault_rate=_known(aligned.guest[kind]),
        vcpu_pct=_known(aligned.vcpu / 1e4),
        cut=tuple(aligned.selection.reason.tolist()),
    )


def _known(values: Floats) -> tuple[float | None, ...]:
    return tuple(value if math.isfinite(value) else None for value in values.tolist())


def _scatter(found: Found) -> FaultScatter:
    slope, reading = found.slope, found.association.readings[0]
    spots = np.unique(np.linspace(0, len(slope.x) - 1, min(len(slope.x), _SCATTER_POINTS)).round().astype(np.intp))
    return FaultScatter(
        faults=tuple(slope.x[spots].tolist()),
        vcpu=tuple(slope.y[spots].tolist()),
        median_faults=float(np.median(slope.x)),
        median_vcpu=float(np.median(slope.y)),
        slope_us_per_fault=reading.us,
        ci_low=reading.low,
        ci_high=reading.high,
    )
