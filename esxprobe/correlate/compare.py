"""The same VM in two captures: the only way to tell virtualization from what the guest itself spends."""

from __future__ import annotations

import math
from dataclasses import replace

from esxprobe.correlate.words import KINDS, say
from esxprobe.model import FaultComparison, FaultCost

# User time and fault rate within these factors of each other are the same workload: a rule of thumb.
SAME_WORKLOAD = 1.25


def compare(problem: FaultCost, baseline: FaultCost) -> FaultComparison:
    """Differences between two captures of one VM, problem less baseline.

    The interval of the difference of two slopes is made of both intervals, each side with the halves that
    bear on it (MOVER: Zou, Donner 2008, Statistics in Medicine 27); the slopes come from different captures
    and are independent.
    """
    difference = problem.slope_us_per_fault - baseline.slope_us_per_fault
    down = math.hypot(problem.slope_us_per_fault - problem.ci_low, baseline.ci_high - baseline.slope_us_per_fault)
    up = math.hypot(problem.ci_high - problem.slope_us_per_fault, baseline.slope_us_per_fault - baseline.ci_low)
    low, high = difference - down, difference + up
    same = _same_workload(problem, baseline)
    modes = {problem.mmu, baseline.mmu} == {"hardware", "software"}
    # Of the two captures the one with shadow page tables has to be the dearer one.
    dearer = low > 0 if problem.mmu == "software" else high < 0
    proof = bool(modes and same and dearer)
    found = FaultComparison(
        vm=problem.vm,
        guest_counter=problem.guest_counter,
        mmu_problem=problem.mmu,
        mmu_baseline=baseline.mmu,
        slope_difference_us=difference,
        ci_low=low,
        ci_high=high,
        fault_rate_problem=problem.fault_rate_mean,
        fault_rate_baseline=baseline.fault_rate_mean,
        vcpu_per_user_problem=_ratio(problem.vcpu_pct_mean, problem.user_pct_mean),
        vcpu_per_user_baseline=_ratio(baseline.vcpu_pct_mean, baseline.user_pct_mean),
        same_workload=same,
        proof=proof,
        statement="",
    )
    return _with_words(found)


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else math.nan


def _same_workload(problem: FaultCost, baseline: FaultCost) -> bool | None:
    """None where a capture has no user time or no fault rate."""
    factors = (
        _ratio(problem.user_pct_mean, baseline.user_pct_mean),
        _ratio(problem.fault_rate_mean, baseline.fault_rate_mean),
    )
    if not all(map(math.isfinite, factors)):
        return None
    return all(1 / SAME_WORKLOAD <= factor <= SAME_WORKLOAD for factor in factors)


def _with_words(found: FaultComparison) -> FaultComparison:
    kind = KINDS[found.guest_counter]
    said = [
        f"{found.vm}: {say(found.fault_rate_problem)} {kind}/s against"
        f" {say(found.fault_rate_baseline)} {kind}/s in the baseline."
    ]
    if math.isfinite(found.vcpu_per_user_problem) and math.isfinite(found.vcpu_per_user_baseline):
        said.append(
            f"For one second of the guest's user time {say(found.vcpu_per_user_problem)} s of vCPU time against"
            f" {say(found.vcpu_per_user_baseline)} s of vCPU time."
        )
    said += [_slopes(found, kind), _modes(found)]
    return replace(found, statement=" ".join(said))


def _slopes(found: FaultComparison, kind: str) -> str:
    if not math.isfinite(found.ci_low) or not math.isfinite(found.ci_high):
        return "In one of the captures there is too little to say what moves together, so slopes are not compared."
    interval = f"95 % interval {say(found.ci_low)} to {say(found.ci_high)} us per fault"
    if found.ci_low <= 0 <= found.ci_high:
        return (
            f"The vCPU time that moves together with {kind} did not measurably change:"
            f" {say(found.slope_difference_us)} us per fault ({interval})."
        )
    way = "more" if found.slope_difference_us > 0 else "less"
    return (
        f"The vCPU time that moves together with {kind} is {say(abs(found.slope_difference_us))} us per fault {way}"
        f" than in the baseline ({interval})."
    )


def _modes(found: FaultComparison) -> str:
    modes = (found.mmu_problem, found.mmu_baseline)
    if "unknown" in modes:
        return "A monitor mode is unknown, so none of the difference is laid to the host."
    if modes[0] == modes[1]:
        return (
            f"The monitor mode is {modes[0]} in both: what changed lies in the guest, its workload or elsewhere on"
            " the host, not in a change of mode."
        )
    if found.same_workload is None:
        return (
            "The monitor mode differs, but without user time in both logs nobody can say whether the workload does."
        )
    if not found.same_workload:
        return (
            f"The monitor mode differs, but so does the workload (user time or fault rate by more than a factor of"
            f" {SAME_WORKLOAD}, rule of thumb): nothing is proved."
        )
    if found.proof:
        return (
            "The monitor mode differs and the workload is the same: the difference is what faults cost in shadow"
            " page tables."
        )
    return "The monitor mode differs and the workload is the same, and no cost of shadow page tables was shown."
