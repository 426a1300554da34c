"""The judgement in one word, and the bound that needs no statistics."""

from __future__ import annotations

import math

from esxprobe.model import FaultCost, Mmu, Verdict

# Below that many independent intervals nothing is claimed.
FEWEST_INDEPENDENT = 20.0
# q of what counts as found.
FOUND_Q = 0.05
# Shares of one vCPU that split negligible, noticeable and severe [%]: rules of thumb.
NOTICEABLE_PCT = 1.0
SEVERE_PCT = 10.0
THRESHOLDS_BASIS = (
    f"negligible below {NOTICEABLE_PCT:g} % of one vCPU, severe from {SEVERE_PCT:g} % of one vCPU (rule of thumb)"
)

# What a fault can add in the monitor [us], and where that comes from.
BOUNDS: dict[Mmu, tuple[float, str]] = {
    "hardware": (
        0.0,
        "0 us per fault: with EPT or NPT the guest handles its page faults itself"
        " (Wang et al., Selective Hardware/Software Memory Virtualization, VEE 2011)",
    ),
    "software": (
        4.0,
        "4 us per fault: upper end of the 0.5 to 4 us that shadow page tables are reckoned with"
        " (rule of thumb, not sourced)",
    ),
    "unknown": (
        4.0,
        "4 us per fault, as if the MMU were software, which is not known"
        " (upper end of 0.5 to 4 us; rule of thumb, not sourced)",
    ),
}


def bound_pct_vcpu(rate: float, us_per_fault: float) -> float:
    """What `rate` [faults/s] at `us_per_fault` [us] take of one vCPU [%]: 1 % of a vCPU is 10,000 us/s."""
    return rate * us_per_fault / 1e4


def claimable(cost: FaultCost) -> bool:
    """Whether there is enough to say anything about the slope."""
    return cost.n_eff >= FEWEST_INDEPENDENT and math.isfinite(cost.slope_us_per_fault)


def moves_together(cost: FaultCost) -> bool:
    """Whether vCPU time rises with the faults, by both tests: correlation after all corrections, and interval."""
    return claimable(cost) and cost.q < FOUND_Q and cost.r > 0 and cost.ci_low > 0


def load_known(cost: FaultCost) -> bool:
    """Whether the guest's own load was taken out; without it a slope is mostly load (see docs/method.md)."""
    return "user_time" in cost.controls


def judge(cost: FaultCost) -> Verdict:
    """The verdict; monitor mode first, for without shadow page tables a fault does not enter the monitor."""
    if not claimable(cost):
        return "inconclusive"
    if cost.mmu != "software":
        return "native" if cost.mmu == "hardware" else "unknown_mode"
    found = moves_together(cost)
    if cost.share_pct_vcpu_high < NOTICEABLE_PCT or (found and cost.share_pct_vcpu < NOTICEABLE_PCT):
        # Clocks that are off hide a cost, they do not make one.
        return "inconclusive" if cost.lag_warning else "negligible"
    if not found or not load_known(cost):
        return "inconclusive"
    return "severe" if cost.share_pct_vcpu >= SEVERE_PCT else "noticeable"
