"""The judgment in one word, and the figures that need no statistics.

In this order: the monitor mode; what was measured (an experiment, a comparison, a probe); what the rate alone
allows; what vCPU time did that the guest does not know of. An association alone is never a cost.
"""

from __future__ import annotations

import math

from esxprobe.model import FaultCost, FaultRates, MeasuredShare, Mmu, RateBound, UpperBound, Verdict

# q of what counts as found in an association that is to carry a verdict.
FOUND_Q = 0.01
# Shares of one vCPU that split negligible, noticeable and severe [%]: rules of thumb.
NOTICEABLE_PCT = 1.0
SEVERE_PCT = 10.0
THRESHOLDS_BASIS = (
    f"noticeable from {NOTICEABLE_PCT:g} % of one vCPU, severe from {SEVERE_PCT:g} % of one vCPU (rule of thumb)"
)
# What one fault is assumed to cost at most on ESX with shadow page tables [µs].
ASSUMED_US = 12.0
ASSUMED_BASIS = (
    "12 µs per fault: three exits into the virtualization layer per guest page fault, as published for KVM's"
    " shadow page tables (Linux commit 0028425f647b), at up to 4 µs each (rule of thumb). Published costs for ESX"
    " are lower. A layer that works differently can cost more"
)
# More than this no software MMU was seen to cost: 165 µs is the highest of our own measurements (docs/faults.md)
# [µs].
CEILING_US = 200.0
CEILING_BASIS = "at 200 µs per fault, more than any measured software MMU took, see docs/faults.md"
# A rate acquits only where it would stay below this even at that cost [% of one vCPU]: a rule of thumb.
ACQUITTED_PCT = 5.0


def pct_of_vcpu(rate: float, us_per_fault: float) -> float:
    """What `rate` [faults/s] at `us_per_fault` [µs] takes of one vCPU [%]: 1 % of a vCPU is 10,000 µs/s."""
    return rate * us_per_fault / 1e4


def rate_for(pct: float) -> float:
    """How many faults/s take this share of one vCPU [%] at the assumed cost: `pct_of_vcpu` the other way round."""
    return pct * 1e4 / ASSUMED_US


def bound_by_rate(mmu: Mmu, rates: FaultRates) -> RateBound | None:
    """What faults took if each cost what is assumed of shadow page tables; None under a hardware MMU."""
    if mmu == "hardware" or not math.isfinite(rates.mean):
        return None
    return RateBound(ASSUMED_US, ASSUMED_BASIS, _capped(pct_of_vcpu(rates.mean, ASSUMED_US), rates))


def could_matter(rates: FaultRates) -> bool:
    """Whether faults so frequent would be noticeable if each cost as much as any software MMU was seen to cost."""
    return not pct_of_vcpu(rates.mean, CEILING_US) < NOTICEABLE_PCT


def is_rare(rates: FaultRates) -> bool:
    """Whether faults so rare cause no trouble, even if each cost as much as any software MMU was seen to."""
    return pct_of_vcpu(rates.mean, CEILING_US) < ACQUITTED_PCT


def upper_bound(mmu: Mmu, rates: FaultRates) -> UpperBound | None:
    """What the faults cannot have exceeded, whatever else went on; None where no bound is known."""
    if mmu == "hardware" or not math.isfinite(rates.mean) or not math.isfinite(rates.run_pct):
        return None
    most = pct_of_vcpu(rates.mean, CEILING_US)
    if most < rates.run_pct:
        return UpperBound(most, CEILING_BASIS)
    return UpperBound(rates.run_pct, "all CPU time of the VM, %RUN")


def _capped(pct: float, rates: FaultRates) -> float:
    """Faults cannot take more than the VM's own vCPU time."""
    return min(pct, rates.run_pct) if math.isfinite(rates.run_pct) else pct


def judge(cost: FaultCost) -> Verdict:
    """The verdict of one VM and kind of fault, from everything else that its record says."""
    if cost.mmu != "software":
        return "native" if cost.mmu == "hardware" else "unknown_mode"
    if cost.measured is not None:
        return _graded(cost.measured)
    if cost.bound is None:
        return "inconclusive"
    if cost.bound.pct_vcpu < NOTICEABLE_PCT and is_rare(cost.rates) and not _contradicted(cost):
        return "negligible"
    return "noticeable" if unbooked_pct(cost) >= NOTICEABLE_PCT else "possible"


def _graded(found: MeasuredShare) -> Verdict:
    """A measured cost is graded by itself; the lower end of its interval names it, the upper end acquits."""
    if found.low >= NOTICEABLE_PCT:
        return "severe" if found.pct_vcpu >= SEVERE_PCT else "noticeable"
    return "negligible" if found.high < NOTICEABLE_PCT else "possible"


def _contradicted(cost: FaultCost) -> bool:
    """Whether vCPU time did what it does not do under the assumed cost: fell with faults, or rose by more."""
    found = cost.association
    if found is None:
        return False
    lows = [found.readings[0].low, *([found.unbooked.low] if found.unbooked else [])]
    return found.high_us < 0 or max(lows) > ASSUMED_US


def unbooked_pct(cost: FaultCost) -> float:
    """VCPU time that rose with faults and that the guest did not book, at least [% of one vCPU]; 0 without."""
    found = cost.association
    if found is None or found.unbooked is None or cost.clock.warning or not found.q < FOUND_Q:
        return 0.0
    least = min(found.low_us, found.unbooked.low)
    return max(_capped(pct_of_vcpu(cost.rates.mean, least), cost.rates), 0.0)
