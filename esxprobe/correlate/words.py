"""What may be said, in sentences that a support engineer can quote.

A slope says what moves together, and how much at most. It never says why: the guest's own fault handler takes
vCPU time on bare metal too. On hardware MMUs, and where the mode is not known, virtualization is not charged.
"""

from __future__ import annotations

import math

from esxprobe.correlate.verdict import (
    FEWEST_INDEPENDENT,
    NOTICEABLE_PCT,
    SEVERE_PCT,
    claimable,
    load_known,
    moves_together,
)
from esxprobe.model import FaultCost, HostEvidence

KINDS = {"soft_faults": "soft faults", "hard_faults": "hard faults", "faults": "page faults"}
CONTROLS = {
    "user_time": "user time",
    "context_switches": "context switches",
    "soft_faults": "soft faults",
    "hard_faults": "hard faults",
}


def statement(cost: FaultCost, evidence: HostEvidence) -> str:
    """The judgement: memory reclaim first, then what was measured, then what the monitor mode makes of it."""
    return " ".join((*reclaim(cost, evidence)[:1], *_measured(cost), *_meaning(cost, evidence)))


def advice(cost: FaultCost, evidence: HostEvidence) -> tuple[str, ...]:
    """What to do, and what else can take time here, each tied to what the capture shows."""
    found = [*reclaim(cost, evidence)[1:], *_what_to_do(cost), *_elsewhere(cost, evidence)]
    if cost.lag_warning:
        found.insert(
            0,
            f"The clocks look {say(abs(cost.lag_s))} s apart after the offset of {say(cost.offset_s)} s was applied"
            f" ({_chance('p', cost.lag_p)}). Nothing was moved. Measure both clocks; if that is right, run again"
            f" with --guest-offset {cost.vm}={cost.offset_s + cost.lag_s:+.1f}s.",
        )
    if claimable(cost) and not load_known(cost):
        found.append(
            "Log the guest's user time beside its faults, every second if that can be: it tells load from cost."
        )
    if cost.guest_counter == "hard_faults":
        found.append(
            "A hard fault waits for a disk: look at the VM's disk latency and at what pages inside the guest."
        )
    return tuple(found)


def reclaim(cost: FaultCost, evidence: HostEvidence) -> list[str]:
    """What shows that the host takes memory back; it comes first, because a balloon makes the guest page."""
    found = []
    if _positive(evidence.balloon_mb):
        found.append(
            f"Look at memory reclaim first: the balloon holds {say(evidence.balloon_mb)} MB of this guest's memory,"
            " and a balloon makes a guest page."
        )
    lost = [
        f"{say(size)} MB {where}"
        for size, where in ((evidence.swapped_mb, "swapped"), (evidence.compressed_mb, "compressed"))
        if _positive(size)
    ]
    if lost:
        found.append(
            f"Look at memory reclaim {'too' if found else 'first'}: the host keeps {' and '.join(lost)} of this"
            " guest's memory; touching it takes time for which the guest counts no fault."
        )
    if _positive(evidence.swap_wait_pct) or cost.reclaim_samples:
        share = (
            f" for up to {say(evidence.swap_wait_pct)} % of the time" if _positive(evidence.swap_wait_pct) else ""
        )
        found.append(
            f"Its vCPUs waited for swapped memory{share}; {_count(cost.reclaim_samples, 'analysed interval')}"
            " hold such waiting."
        )
    return found


def say(value: float | None) -> str:
    """A number with three digits that count, without exponents."""
    if value is None or not math.isfinite(value):
        return "an unknown number of"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    text = f"{value:,.{digits}f}"
    return text if float(text.replace(",", "")) or not value else "under 0.001"


def rounded(value: float) -> float:
    """A cost of a fault [us]; of thousands, which only an interval that shows nothing has, three digits count."""
    return float(f"{value:.3g}") if abs(value) >= 1000 else value


def _us(value: float) -> str:
    return say(rounded(value))


def _positive(value: float | None) -> bool:
    return value is not None and value > 0


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _measured(cost: FaultCost) -> list[str]:
    kind = KINDS[cost.guest_counter]
    if not cost.samples:
        most = max(cost.cuts, key=lambda cut: cut.intervals, default=None)
        why = f": {most.meaning} ({_count(most.intervals, 'interval')})" if most else ""
        return [f"Nothing can be said of {kind} in {cost.vm}: no interval could be analysed{why}."]
    over = f"{_count(cost.samples, 'interval')} of {say(cost.interval_s)} s"
    rates = (
        f"{cost.vm}: {say(cost.fault_rate_median)} {kind}/s (median; 95th percentile"
        f" {say(cost.fault_rate_p95)} {kind}/s) over {over}."
    )
    if not claimable(cost):
        nothing = f"below {FEWEST_INDEPENDENT:.0f} independent intervals nothing is claimed."
        if cost.samples < FEWEST_INDEPENDENT:
            return [rates, f"That is too little: {nothing}"]
        if cost.n_eff < FEWEST_INDEPENDENT and math.isfinite(cost.r):
            return [rates, f"They are worth {say(cost.n_eff)} independent intervals; {nothing}"]
        return [rates, "One of the two hardly changes of its own, so nothing can be said of what moves together."]
    if cost.lag_warning:
        rates += f" The clocks look {say(abs(cost.lag_s))} s apart, which hides what moves together."
    return [rates, *_slope(cost, kind)]


def _slope(cost: FaultCost, kind: str) -> list[str]:
    interval = f"95 % interval {_us(cost.ci_low)} to {_us(cost.ci_high)} us per fault, {_chance('q', cost.q)}"
    most = f"at most {_us(max(cost.ci_high, 0.0))} us per fault"
    share = (
        f"at the mean rate that is {say(cost.share_pct_vcpu)} % of one vCPU,"
        f" at most {say(cost.share_pct_vcpu_high)} % of one vCPU"
    )
    if moves_together(cost):
        said = [
            f"vCPU time moves together with them: {_us(cost.slope_us_per_fault)} us per fault, {most} ({interval});"
            f" {share}."
        ]
        if not load_known(cost):
            said.append("The guest's user time is not in its log, so load that brings faults may be all of it.")
        return said
    if cost.ci_high < 0 and cost.q < 0.05:
        why = ", as when vCPUs wait for a disk" if cost.guest_counter == "hard_faults" else ""
        return [f"vCPU time falls when {kind} rise{why} ({_us(cost.slope_us_per_fault)} us per fault; {interval})."]
    if cost.ci_low > 0 or cost.ci_high < 0 or cost.q < 0.05:
        return [
            f"Whether vCPU time moves together with them is open, for correlation and slope disagree: {most}"
            f" ({interval})."
        ]
    return [
        f"No vCPU time was found that moves together with them: {most} ({interval}); less than"
        f" {_us(cost.min_detectable_us)} us per fault could not have been seen."
    ]


def _chance(name: str, value: float) -> str:
    return f"{name} below 0.001" if value < 0.001 else f"{name} = {say(value)}"


def _meaning(cost: FaultCost, evidence: HostEvidence) -> list[str]:
    if cost.mmu == "unknown":
        return [
            "The VM's monitor mode is unknown, so it is not known whether its faults enter the monitor at all,"
            " and none of this time is laid to the host."
        ]
    if cost.mmu == "hardware":
        if evidence.nested_hypervisor:
            return [
                "The MMU is hardware (EPT or RVI), where the guest handles its faults itself, but a hypervisor runs"
                " inside the guest and has page tables of its own: the host's mode alone does not settle it."
            ]
        return [
            "The MMU is hardware (EPT or RVI): native cost, no exits expected."
            " Such time is what the guest itself spends on its faults and on work that comes with them."
        ]
    bound = (
        f"By rule of thumb shadow page tables add at most {cost.bound_us:g} us per fault, here"
        f" {say(cost.bound_pct_vcpu)} % of one vCPU at the 95th percentile of the rate."
    )
    software = "The MMU is software (shadow page tables): each fault enters the monitor."
    if not claimable(cost):
        return [software, bound]
    graded = {
        "negligible": f"Negligible: below {NOTICEABLE_PCT:g} % of one vCPU (rule of thumb).",
        "noticeable": f"Noticeable: {NOTICEABLE_PCT:g} % of one vCPU or more (rule of thumb).",
        "severe": f"Severe: {SEVERE_PCT:g} % of one vCPU or more (rule of thumb).",
        "inconclusive": "Inconclusive: this capture neither shows a cost nor rules it out.",
    }
    upper = "The slope holds the guest's own fault handling too, so it bounds the virtualization cost from above."
    return [software, upper, *([graded[cost.verdict]] if cost.verdict in graded else []), bound]


def _what_to_do(cost: FaultCost) -> list[str]:
    if cost.mmu == "unknown":
        return [
            "Find the monitor mode: collect with esxprobe, or give the VM's own log with"
            f" --vmware-log {cost.vm}=vmware.log."
        ]
    if cost.mmu == "software" and cost.verdict in ("noticeable", "severe", "inconclusive"):
        return [
            "Run the VM with the hardware MMU where the CPU has EPT or RVI, with the same workload, and compare"
            " both captures: that change is the only proof.",
            "Fewer faults help in either mode: large pages in the guest, and an application that pages less.",
        ]
    if not claimable(cost):
        return ["Capture longer, over a time in which the load changes."]
    return []


def _elsewhere(cost: FaultCost, evidence: HostEvidence) -> list[str]:
    """What else can take time where faults do not enter the monitor; what was not seen is told from not checked."""
    if cost.mmu != "hardware":
        return []
    found = []
    early = sum(cut.intervals for cut in cost.cuts if cut.reason in ("arrived", "guest-boot"))
    if early:
        found.append(
            f"{_count(early, 'interval')} after a start were left out: the host backs memory at its first touch,"
            " which takes time then."
        )
    if evidence.large_pages_broken:
        found.append(
            "The host broke large pages up: each miss of the TLB walks further, which goes with misses and not with"
            " faults."
        )
    if evidence.nested_hypervisor:
        found.append("A hypervisor runs inside the guest (VBS, Hyper-V): capture with it switched off and compare.")
    checked = {
        "balloon": evidence.balloon_mb,
        "swapped memory": evidence.swapped_mb,
        "compressed memory": evidence.compressed_mb,
        "swap wait": evidence.swap_wait_pct,
        "broken large pages": evidence.large_pages_broken,
        "a nested hypervisor": evidence.nested_hypervisor,
    }
    clear = [name for name, value in checked.items() if value is not None and not value]
    unknown = [name for name, value in checked.items() if value is None]
    if clear:
        found.append(f"Looked for and not seen: {', '.join(clear)}.")
    if unknown:
        found.append(f"Not checked, for the capture does not say: {', '.join(unknown)}.")
    return found
