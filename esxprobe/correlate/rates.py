"""What a guest's own log says of its faults without a capture of the host: rates, and what they allow.

No statistics and no vCPU time: how many faults there were, how many in the worst minute, and what that is at the
cost that is assumed of one (see `verdict`).
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.correlate.inputs import GuestRates
from esxprobe.correlate.verdict import ASSUMED_US, NOTICEABLE_PCT, SEVERE_PCT, bound_by_rate, pct_of_vcpu
from esxprobe.model import FaultRates, GuestLoad, Mmu, Series, Window
from esxprobe.model.guestalone import FaultClass, KindOfFault, RateGrade, WorstMinute
from esxprobe.series import GAP_INTERVALS, means_over, quantile, thin

# The first one that a log has is judged: under a software MMU each fault enters the layer, soft or hard.
KINDS = ("faults", "soft_faults", "hard_faults")
_MINUTE_S = 60.0
# No line has more points than pixels.
_POINTS = 600
# What each counter beside the kinds counts, and whether it is a part of all faults.
CLASSES: dict[str, tuple[str, bool]] = {
    "demand_zero_faults": ("first touches of memory that the system had to zero: it was newly allocated", True),
    "transition_faults": (
        "pages that were still in memory: on the standby or modified list, or in use by another process",
        True,
    ),
    "write_copies": ("pages that were shared until they were written to, and copied then (copy-on-write)", True),
    "cache_faults": (
        "pages that the file cache looked for in its own part of memory; they came from elsewhere in memory (soft)"
        " or from disk (hard), so this overlaps the other classes",
        True,
    ),
    "thp_faults": ("first touches that mapped a whole huge page at once", True),
    "pages_input": ("pages read from disk to resolve hard faults", False),
    "swap_ins": ("pages read from swap", False),
    "swap_outs": ("pages written to swap", False),
    "pages_reclaimed": ("pages that the guest took back from processes and caches", False),
}


def kinds_of(log: GuestRates, mmu: Mmu) -> tuple[KindOfFault, ...]:
    """Rates of each kind of fault that a log counts, the judged kind first."""
    return tuple(_kind(log, name, mmu) for name in KINDS if _counted(log, name))


def classes_of(log: GuestRates) -> tuple[FaultClass, ...]:
    """Classes of faults, and what else a log counts of the guest's memory."""
    every = log.values.get("faults")
    found = []
    for name, (meaning, is_part) in CLASSES.items():
        if not _counted(log, name):
            continue
        share = None
        if is_part and every is not None:  # over the same seconds
            both = np.isfinite(log.values[name]) & np.isfinite(every)
            all_faults = _mean(log, np.where(both, every, np.nan))
            own = _mean(log, np.where(both, log.values[name], np.nan))
            share = own / all_faults if all_faults > 0 else None
        found.append(FaultClass(name, _mean(log, log.values[name]), share, meaning))
    return tuple(found)


def load_of(log: GuestRates) -> GuestLoad:
    """The guest's own times and context switches, means over the log."""
    means = [
        _mean(log, log.values[name]) if _counted(log, name) else math.nan
        for name in ("user_time", "system_time", "context_switches")
    ]
    return GuestLoad(*means)


def grade_of(mmu: Mmu, pct_vcpu: float | None) -> RateGrade:
    """The judgment of a share of one vCPU at the assumed cost [%]; None where it is not known."""
    if mmu == "hardware":
        return "native"
    if pct_vcpu is None or not math.isfinite(pct_vcpu):
        return "uncounted"
    return "large" if pct_vcpu >= SEVERE_PCT else "possible" if pct_vcpu >= NOTICEABLE_PCT else "negligible"


def window_of(log: GuestRates) -> Window | None:
    """From the beginning of the first interval to the last stamp; None for a log without stamps."""
    if not len(log.stamps_s):
        return None
    first = float(log.covers_s[0]) if math.isfinite(log.covers_s[0]) else 0.0
    return Window(_moment(float(log.stamps_s[0]) - first), _moment(float(log.stamps_s[-1])))


def _counted(log: GuestRates, name: str) -> bool:
    return name in log.values and bool(np.isfinite(log.values[name]).any())


def _lengths(log: GuestRates) -> Floats:
    """What each interval weighs [s]: the usual length where a log does not say it."""
    known = log.covers_s[np.isfinite(log.covers_s) & (log.covers_s > 0)]
    usual = float(np.median(known)) if len(known) else 1.0
    return np.where(np.isfinite(log.covers_s) & (log.covers_s > 0), log.covers_s, usual)


def _mean(log: GuestRates, values: Floats) -> float:
    known = np.isfinite(values)
    lengths = _lengths(log)[known]
    return float((values[known] * lengths).sum() / lengths.sum()) if known.any() else math.nan


def _kind(log: GuestRates, name: str, mmu: Mmu) -> KindOfFault:
    values = log.values[name]
    known = values[np.isfinite(values)]
    rates = FaultRates(
        median=float(np.median(known)),
        p95=quantile(known, 0.95),
        mean=_mean(log, values),
        intervals=len(known),
    )
    return KindOfFault(
        guest_counter=name,
        rates=rates,
        most=float(known.max()),
        worst=_worst_minute(log, values, mmu),
        bound=bound_by_rate(mmu, rates),
        series=_series(log, name),
    )


def _worst_minute(log: GuestRates, values: Floats, mmu: Mmu) -> WorstMinute | None:
    """The largest mean over any minute that the log fills.

    Rates are taken for constant within an interval, so the largest mean begins or ends where an interval does.
    """
    known = log.covers_s[np.isfinite(log.covers_s) & (log.covers_s > 0)]
    length_s = max(_MINUTE_S, float(np.median(known)) if len(known) else 0.0)
    starts = log.stamps_s - np.nan_to_num(log.covers_s)
    ends = np.unique(np.concatenate((log.stamps_s, starts + length_s)))
    means = means_over(ends, np.full(len(ends), length_s), log.stamps_s, log.covers_s, values)
    if not np.isfinite(means).any():
        return None
    place = int(np.nanargmax(means))
    rate, end_s = float(means[place]), float(ends[place])
    share = None if mmu == "hardware" else pct_of_vcpu(rate, ASSUMED_US)
    return WorstMinute(Window(_moment(end_s - length_s), _moment(end_s)), rate, share)


def _series(log: GuestRates, name: str) -> Series:
    """The rates as a line, broken where the log has a gap."""
    values, lengths = log.values[name], _lengths(log)
    usual = float(np.median(lengths)) if len(lengths) else 1.0
    kept = set(thin(np.where(np.isfinite(values), values, 0.0), _POINTS).tolist())
    times: list[datetime] = []
    points: list[float | None] = []
    for n, (stamp, value) in enumerate(zip(log.stamps_s.tolist(), values.tolist(), strict=True)):
        is_gap = n > 0 and stamp - float(log.stamps_s[n - 1]) > GAP_INTERVALS * max(usual, float(lengths[n]))
        is_known = math.isfinite(value)
        if points and points[-1] is not None and (is_gap or not is_known):
            times.append(_moment(stamp - float(lengths[n])))
            points.append(None)
        if is_known and (n in kept or is_gap):
            times.append(_moment(stamp))
            points.append(round(value, 4))
    return Series(name, tuple(times), tuple(points))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
