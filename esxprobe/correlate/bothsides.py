"""What a guest counted beside what the host counted of the same VM: steal, ballooning, times of disks.

Nothing here is a cost or a cause. Three things of a VM are seen from both sides:

- **steal**: the guest's steal time and the host's %RDY + %CSTP are the same time, counted twice;
- **balloon**: the guest's swap-outs and hard faults while MCTLSZ grows and for 30 s after it, and otherwise;
- **disk**: the guest's time of a transfer and GAVG, which is a part of it.

Both sides are put on the same samples (`aligned`) and ranked. How strong their correlation is by chance is shown by
circular shifts of one side against the other, which keep each side's autocorrelation: `p` is the share of all
shifts, none among them, under which it is as strong. Small shifts are not left out: neighbors are alike, so what is
strong by chance is as strong under them, and without them `p` is too small (docs/faults.md has the figures).

References:
    Spearman (1904), Am. J. Psychol. 15: rank correlation.
    Phipson, Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9: p = (1 + k) / (1 + shifts), never 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from esxprobe.arrays import Bools, Floats, Indexes
from esxprobe.correlate.aligned import joined
from esxprobe.correlate.clock_check import Sides, centered_ranks, leftover_shift
from esxprobe.correlate.cuts import IntervalSelection, select
from esxprobe.correlate.inputs import VmFaults
from esxprobe.correlate.pair_words import pair_statement
from esxprobe.correlate.significance import effective_samples, false_discovery
from esxprobe.model import GuestHostPair, PairKind
from esxprobe.series import means_over

# Fewer samples are not used: 60 shifts leave no p below 1/60.
FEWEST_SAMPLES = 60
# Neighbors are alike; with fewer independent samples two trends are all that is compared (as for costs of faults).
FEWEST_INDEPENDENT = 20
AFTER_S = 30.0  # how long a balloon's growth is looked for in the guest (rule of thumb)
# esxtop prints MCTLSZ to 0.01 MB: what grows by less is rounding, as is what joined samples differ by [MB].
_GROWTH_MB = 0.01
_CLOSE = 1e-12

_COMPARED: tuple[tuple[PairKind, str, str], ...] = (
    ("steal", "steal_time", "%RDY + %CSTP, mean of its vCPUs"),
    ("balloon-swap", "swap_outs", "MCTLSZ"),
    ("balloon-faults", "hard_faults", "MCTLSZ"),
    ("disk", "disk_await", "GAVG of its devices, weighted by commands"),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Both:
    """Both sides of one VM on the same samples; all (n,).

    Attributes:
        guest: The guest's counter, in its unit.
        host: The host's.
        lengths: What each sample covers [s].
        stretch: Number of the unbroken stretch that each is in.
        clock: What the clock check needs of the same.
    """

    guest: Floats
    host: Floats
    lengths: Floats
    stretch: Indexes
    clock: Sides

    def mean(self, values: Floats, where: Bools | None = None) -> float:
        """The mean over time of all samples or some; NaN of none."""
        weights = self.lengths if where is None else self.lengths * where
        return float((values * weights).sum() / weights.sum()) if weights.sum() > 0 else math.nan


def guest_pairs(vms: Sequence[VmFaults]) -> tuple[GuestHostPair, ...]:
    """Holds both sides of every VM against each other; q is over all pairs.

    Args:
        vms: VMs that have a guest's log.

    Returns:
        For each VM in order what both sides have counted in at least `FEWEST_SAMPLES` common samples; nothing of a
        balloon that held no memory.
    """
    drafts = [pair for vm in vms for what in _COMPARED if (pair := _pair(vm, *what)) is not None]
    q = false_discovery(np.array([pair.p for pair in drafts]))
    judged = [replace(pair, q=float(one)) for pair, one in zip(drafts, q, strict=True)]
    return tuple(replace(pair, statement=pair_statement(pair)) for pair in judged)


def _pair(vm: VmFaults, what: PairKind, counter: str, label: str) -> GuestHostPair | None:
    both = _both(vm, counter, _host(vm, what))
    if both is None or (what.startswith("balloon") and not both.host.any()):
        return None
    made = GuestHostPair(
        vm=vm.vm,
        gid=vm.gid,
        what=what,
        guest_counter=counter,
        host_counter=label,
        samples=len(both.guest),
        guest_mean=both.mean(both.guest),
        host_mean=both.mean(both.host),
    )
    if what.startswith("balloon"):
        return _with_balloon(made, both)
    made = _with_correlation(made, both, both.host)
    if what == "steal" and math.isfinite(made.r):
        found = leftover_shift(both.clock)
        return replace(made, shift_s=found.seconds if found.warning else math.nan)
    return made


def _host(vm: VmFaults, what: PairKind) -> Floats | None:
    """(n,) the host's side, None where the capture lacks it."""
    if what == "steal":
        return None if vm.ready_pct is None or not len(vm.ready_pct) else vm.ready_pct.mean(axis=0)
    return vm.gavg_ms if what == "disk" else vm.balloon_mb


def _both(vm: VmFaults, counter: str, host: Floats | None) -> _Both | None:
    """A counter of the guest and one of the host on the same samples; None with too few of them."""
    logged = vm.guest.values.get(counter)
    if logged is None or host is None:
        return None
    stamps_s = vm.offset.host_time(vm.guest.stamps_s)
    guest = means_over(vm.ends_s, vm.covered_s, stamps_s, vm.guest.covers_s, logged)
    selection = select(vm, np.array([guest, host]), saturated_too=True)
    if not selection.kept.any():
        return None
    columns, stretch, lengths = joined(vm, selection, np.array([guest, host]))
    if len(lengths) < FEWEST_SAMPLES:
        return None
    return _Both(columns[0], columns[1], lengths, stretch, _sides(vm, host, selection, stamps_s, {counter: logged}))


def _sides(
    vm: VmFaults, host: Floats, selection: IntervalSelection, stamps_s: Floats, counters: dict[str, Floats]
) -> Sides:
    return Sides(
        vm.ends_s,
        vm.covered_s,
        host,
        selection.stretch,
        selection.kept,
        stamps_s,
        vm.guest.covers_s,
        counters,
    )


def _with_balloon(pair: GuestHostPair, both: _Both) -> GuestHostPair:
    """The guest's rate while MCTLSZ grew and shortly after, and otherwise."""
    grew = growing(both.host, both.stretch)
    after = shortly_after(grew, both.lengths, both.stretch)
    pair = replace(
        pair,
        grew=int(grew.sum()),
        guest_after=both.mean(both.guest, after),
        guest_otherwise=both.mean(both.guest, ~after),
    )
    return _with_correlation(pair, both, after.astype(np.float64))


def _with_correlation(pair: GuestHostPair, both: _Both, host: Floats) -> GuestHostPair:
    """With rank correlation and p, where both sides change and there are enough independent samples."""
    guest, other = ranks(both.guest), ranks(host)
    if not guest.any() or not other.any():
        return pair
    pair = replace(pair, n_eff=effective_samples(guest, other, both.stretch))
    if pair.n_eff < FEWEST_INDEPENDENT:
        return pair
    r, p = rank_correlation(guest, other)
    return replace(pair, r=r, p=p)


def growing(balloon_mb: Floats, stretch: Indexes) -> Bools:
    """(n,) whether MCTLSZ [MB] was larger than in the sample before, which has to be in the same stretch."""
    grew = np.zeros(len(balloon_mb), dtype=np.bool_)
    grew[1:] = (np.diff(balloon_mb) >= _GROWTH_MB - _CLOSE) & (stretch[1:] == stretch[:-1])
    return grew


def shortly_after(grew: Bools, lengths: Floats, stretch: Indexes) -> Bools:
    """(n,) samples in which the balloon grew, and those that begin less than `AFTER_S` after one ended.

    The guest pages while the balloon grows, so the sample itself belongs to it.

    Args:
        grew: (n,) where it grew.
        lengths: (n,) [s].
        stretch: (n,) numbers of unbroken stretches; time ends with each.
    """
    ends = np.cumsum(lengths)
    since = np.where(grew, ends, -np.inf)
    for first in np.flatnonzero(np.concatenate(([True], stretch[1:] != stretch[:-1]))):
        same = stretch == stretch[first]
        since[same] = np.maximum.accumulate(since[same])
    near: Bools = grew | (ends - lengths < since + AFTER_S - 1e-6)
    return near


def ranks(values: Floats) -> Floats:
    """(n,) ranks, equal values sharing theirs, with mean 0 and length 1; zeros of a constant."""
    centered = centered_ranks(values)
    size = float(centered @ centered) ** 0.5
    return centered / size if size > 0 else centered


def rank_correlation(guest: Floats, host: Floats) -> tuple[float, float]:
    """Spearman's rank correlation and its p by circular shifts.

    Args:
        guest: (n,) ranks as `ranks` gives them.
        host: (n,) likewise.

    Returns:
        r, and the share of the n shifts, none among them, under which |r| is at least as large.
    """
    every = np.fft.irfft(np.fft.rfft(guest) * np.conj(np.fft.rfft(host)), len(guest))
    r = float(guest @ host)
    as_strong = int((np.abs(every[1:]) >= abs(r) - _CLOSE).sum())
    return r, (1 + as_strong) / len(guest)
