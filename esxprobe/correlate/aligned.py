"""One VM on the capture's intervals: the guest's rates beside vCPU time, and what of it is analyzed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from esxprobe.arrays import Bools, Floats, Indexes
from esxprobe.correlate.cuts import IntervalSelection, select
from esxprobe.correlate.inputs import VmFaults
from esxprobe.correlate.significance import effective_samples
from esxprobe.model import FaultRates
from esxprobe.series import GAP_INTERVALS, means_over, quantile

# Soft and hard faults pull opposite ways: apart wherever the log tells them apart.
KINDS_APART = ("soft_faults", "hard_faults")
# Counters of the guest that stand for its load, and one that is a dearer class of soft faults.
LOAD_COUNTERS = ("user_time", "system_time", "context_switches", "thp_faults")
# A counter that is missing in more of the intervals than this is left out rather than cutting them.
_MISSING_SHARE = 0.2
# All pairs of more samples than that are too many: neighbors are joined first.
MOST_SAMPLES = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """One VM on the capture's intervals.

    Attributes:
        vcpu: (n,) time of all vCPUs [µs/s].
        guest: (n,) by counter of the guest; times in µs/s of all its processors together, as vCPU time is.
        host: (n,) by counter of the host: `ready` (%RDY and %CSTP) and `host_system` (%SYS) [µs/s].
        kinds: Which of the guest's counters are kinds of faults.
        selection: What of it is analyzed.
        everything: The same with the time of a fault experiment.
        rates: By kind of fault, over all intervals that the log covers.
    """

    vcpu: Floats
    guest: Mapping[str, Floats]
    host: Mapping[str, Floats]
    kinds: tuple[str, ...]
    selection: IntervalSelection
    everything: IntervalSelection
    rates: Mapping[str, FaultRates]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The intervals that are analyzed, neighbors joined where there are very many; all (m,).

    Units are those of `Aligned`.
    """

    vcpu: Floats
    guest: Mapping[str, Floats]
    host: Mapping[str, Floats]
    stretch: Indexes
    lengths: Floats


def align(vm: VmFaults) -> Aligned:
    """The guest's rates on the capture's intervals, and what of them is analyzed."""
    stamps_s = vm.offset.host_time(vm.guest.stamps_s)
    logged = {name: values for name, values in vm.guest.values.items() if np.isfinite(values).any()}
    kinds = tuple(name for name in KINDS_APART if name in logged) or tuple({"faults"} & logged.keys())
    loads = [name for name in LOAD_COUNTERS if name in logged]
    guest = {
        name: means_over(vm.ends_s, vm.covered_s, stamps_s, vm.guest.covers_s, logged[name]) * _factor(vm, name)
        for name in (*kinds, *loads)
    }
    wanted = np.isfinite([guest[name] for name in kinds]).all(axis=0) if kinds else np.zeros(0, dtype=np.bool_)
    for name in loads:
        if np.isnan(guest[name][wanted]).sum() > _MISSING_SHARE * wanted.sum():
            del guest[name]
    used = vm.run_pct if vm.overlap_pct is None else vm.run_pct - np.nan_to_num(vm.overlap_pct)
    vcpu = used.sum(axis=0) * 1e4
    host = {}
    if vm.ready_pct is not None:
        host["ready"] = np.nan_to_num(vm.ready_pct).sum(axis=0) * 1e4
    if vm.system_pct is not None:
        host["host_system"] = np.nan_to_num(vm.system_pct) * 1e4
    rows = np.array(list(guest.values())) if guest else np.full((1, len(vm.ends_s)), np.nan)
    booked = [guest[name] for name in ("user_time", "system_time") if name in guest]
    left = vcpu - sum(booked) if len(booked) == 2 else vcpu
    selection = select(vm, rows)
    everything = selection if vm.experiment is None else select(replace(vm, experiment=None), rows)
    plain = selection.reason != "experiment"  # what was injected is not the guest's own
    rates = {kind: _rates(vm, np.where(plain, guest[kind], np.nan), vcpu, left) for kind in kinds}
    return Aligned(vcpu, guest, host, kinds, selection, everything, rates)


def _factor(vm: VmFaults, counter: str) -> float:
    """The guest's times are shares of all its processors [%]; ours are µs/s of all of them."""
    return len(vm.run_pct) * 1e4 if counter.endswith("_time") else 1.0


def _rates(vm: VmFaults, faults: Floats, vcpu: Floats, left: Floats) -> FaultRates:
    """How often the guest faulted while the VM was there; no interval is left out for what a regression needs.

    Args:
        vm: The VM.
        faults: (n,) [faults/s].
        vcpu: (n,) [µs/s].
        left: (n,) the part of it that the guest did not book as its own time [µs/s].
    """
    lengths = np.where(np.isfinite(vm.covered_s), vm.covered_s, 0.0)
    known: Bools = np.isfinite(faults) & np.isfinite(vcpu) & (lengths > 0)
    if known.any():  # samples were lost in a gap, or esxtop was late: it must not weigh like many
        known &= lengths <= GAP_INTERVALS * float(np.median(lengths[known]))
    if not known.any():
        return FaultRates()
    faults, lengths, vcpu = faults[known], lengths[known], vcpu[known]
    away = np.nan_to_num(left[known] - np.nanmean(left[known]))
    independent = max(effective_samples(away, away, np.zeros(len(away), dtype=np.intp)), 1.0)
    return FaultRates(
        median=float(np.median(faults)),
        p95=quantile(faults, 0.95),
        mean=float((faults * lengths).sum() / lengths.sum()),
        intervals=int(known.sum()),
        run_pct=float((vcpu * lengths).sum() / lengths.sum() / 1e4),
        run_error=float(away.std() / independent**0.5 / 1e4),
    )


def join(vm: VmFaults, aligned: Aligned) -> Samples:
    """The analyzed intervals, as means of neighbors in one stretch where `_together` asks for it."""
    series = np.array([aligned.vcpu, *aligned.guest.values(), *aligned.host.values()])
    columns, stretch, lengths = joined(vm, aligned.selection, series)
    guest = dict(zip(aligned.guest, columns[1:], strict=False))
    host = dict(zip(aligned.host, columns[1 + len(guest) :], strict=True))
    return Samples(columns[0], guest, host, stretch, lengths)


def joined(vm: VmFaults, selection: IntervalSelection, series: Floats) -> tuple[Floats, Indexes, Floats]:
    """The selected intervals of some series, neighbors joined as in `join`.

    Args:
        vm: The VM; n intervals.
        selection: Which of them.
        series: (k, n) means over them.

    Returns:
        (k, m) means, (m,) numbers of their stretches, (m,) their lengths [s].
    """
    kept = np.flatnonzero(selection.kept)
    stretch, lengths, columns = selection.stretch[kept], vm.covered_s[kept], series[:, kept]
    many = _together(vm, lengths)
    if many > 1:
        first = np.searchsorted(stretch, stretch)
        groups = np.stack((stretch, (np.arange(len(kept)) - first) // many))
        starts = np.flatnonzero(np.concatenate(([True], (groups[:, 1:] != groups[:, :-1]).any(axis=0))))
        together = np.add.reduceat(lengths, starts)
        columns = np.add.reduceat(columns * lengths, starts, axis=1) / together
        whole = np.diff(np.append(starts, len(kept))) == many  # the rest of a stretch would weigh too much
        columns, stretch, lengths = columns[:, whole], stretch[starts][whole], together[whole]
    return columns, stretch, lengths


def _together(vm: VmFaults, lengths: Floats) -> int:
    """How many neighbors are joined: no more than `MOST_SAMPLES` remain, none finer than the guest's log.

    A log of 60 s says nothing of what differs between 5 s; between its stamps it only looks as if it did.
    """
    if not len(lengths):
        return 1
    covers = vm.guest.covers_s[np.isfinite(vm.guest.covers_s)]
    coarser = float(np.median(covers)) / float(np.median(lengths)) if len(covers) else 1.0
    return max(-(-len(lengths) // MOST_SAMPLES), math.ceil(coarser - 0.25))
