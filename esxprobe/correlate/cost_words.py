"""What can be concluded, in sentences that a support engineer can quote.

The first paragraph says what was seen, whether it matters and what follows. Statistics are sentences of their own.
An association is called that: what moves with faults need not be their cost, and what does not move with them
proves nothing either. On hardware MMUs, and where the mode is not known, no time is attributed to virtualization.
"""

from __future__ import annotations

import math
from dataclasses import replace

from esxprobe.correlate.evidence import elsewhere, reclaim
from esxprobe.correlate.numbers import chance, counted, listed, say, us
from esxprobe.correlate.statistics import KINDS, statistics
from esxprobe.correlate.verdict import (
    ASSUMED_US,
    CEILING_US,
    NOTICEABLE_PCT,
    SEVERE_PCT,
    could_matter,
    pct_of_vcpu,
    unbooked_pct,
)
from esxprobe.model import FaultCost, HostEvidence


def worded(cost: FaultCost) -> FaultCost:
    """The record with its sentences."""
    return replace(cost, statement=statement(cost), statistics=statistics(cost), advice=advice(cost))


def statement(cost: FaultCost) -> str:
    """The first paragraph: memory reclaim first, then what was seen, whether it matters, and what follows."""
    return " ".join((*reclaim(cost)[:1], *_seen(cost), *_meaning(cost)))


def _seen(cost: FaultCost) -> list[str]:
    kind, rates = KINDS[cost.guest_counter], cost.rates
    if not rates.intervals:
        most = max(cost.intervals.cuts, key=lambda cut: cut.intervals, default=None)
        why = f" {most.meaning} ({counted(most.intervals, 'interval')})." if most else ""
        return [
            f"The log of {cost.vm} and the capture have no interval in common, so its {kind} cannot be "
            f"evaluated.{why}"
        ]
    return [
        f"{cost.vm} took {say(rates.mean)} {kind} per second on average (95 % of the time below {say(rates.p95)})"
        f" and used {say(rates.run_pct)} % of one vCPU in all."
    ]


def _meaning(cost: FaultCost) -> list[str]:
    if cost.mmu == "hardware":
        return _hardware(cost.evidence)
    if cost.mmu == "unknown":
        if cost.bound is None:
            return ["The VM's monitor mode is unknown as well."]
        return [
            "The VM's monitor mode is unknown. With a hardware MMU (EPT or RVI) its page faults do not enter the"
            f" virtualization layer and add nothing there. With a software MMU, {_by_rate(cost)}.",
            *_probed_with_mode_unknown(cost),
        ]
    software = "The MMU is software (shadow page tables), so page faults enter the virtualization layer."
    if cost.measured is not None:
        return [software, *_measured(cost)]
    if cost.bound is None:
        return []
    return [software, *_unmeasured(cost)]


def _probed_with_mode_unknown(cost: FaultCost) -> list[str]:
    """What a probe took here and in guests of known mode; it speaks for a mode and does not prove one."""
    probe = cost.probe
    if probe is None:
        return []
    sentences = f"A probe in the guest measured {us(probe.us)} for the first touch of a page"
    if not probe.others:
        return [f"{sentences}, as the guest sees it."]
    names = {"hardware": "hardware MMU", "software": "software MMU"}
    others = listed([f"{us(other.us)} in {other.vm} ({names[other.mmu]})" for other in probe.others[:4]])
    return [f"{sentences}; on the same host it was {others}. That indicates the mode but does not prove it."]


def _hardware(evidence: HostEvidence) -> list[str]:
    sentences = [
        "The MMU is hardware (EPT or RVI): the guest handles its page faults itself, and they do not enter the"
        " virtualization layer."
    ]
    if evidence.nested_hypervisor:
        sentences.append(
            "However, a hypervisor ran inside the guest (nested virtualization, for example VBS). It has page"
            " tables of its own, and the mode of the host alone does not settle what faults cost under it."
        )
    return sentences


def _by_rate(cost: FaultCost) -> str:
    """The bound as a clause; it says what it assumes."""
    bound = cost.bound
    assert bound is not None  # noqa: S101 - asked for where there is one
    capped = bound.pct_vcpu >= cost.rates.run_pct
    limit = " (all CPU time that the VM used)" if capped else ""
    return (
        f"if each fault cost {bound.us:g} µs, the most that is assumed for ESX (rule of thumb), they took"
        f" {_share(bound.pct_vcpu)}{limit}"
    )


def _share(pct: float) -> str:
    return f"{say(pct)} % of one vCPU"


def _unmeasured(cost: FaultCost) -> list[str]:
    """What a fault cost was not measured: the rate, what it allows, and what vCPU time did."""
    by_rate = _by_rate(cost)
    first = f"{by_rate[0].upper()}{by_rate[1:]}."
    if cost.verdict == "negligible" and not could_matter(cost.rates):
        return [
            f"At so low a rate they did not matter: even at {CEILING_US:g} µs per fault, more than any measured"
            f" software MMU took, they used {_share(pct_of_vcpu(cost.rates.mean, CEILING_US))}."
        ]
    if cost.verdict == "negligible":
        return [
            first,
            f"Negligible at that cost: below {NOTICEABLE_PCT:g} % of one vCPU (rule of thumb). Even at"
            f" {CEILING_US:g} µs per fault, more than any measured software MMU took, it was"
            f" {_share(pct_of_vcpu(cost.rates.mean, CEILING_US))}.",
        ]
    if cost.verdict == "noticeable":
        return [
            f"vCPU time that the guest did not account for rose with its faults, by at least"
            f" {_share(unbooked_pct(cost))}. No work inside the guest explains that. The layer's work for page"
            " faults does, and so can other work of the layer in the same seconds.",
            f"Noticeable: {NOTICEABLE_PCT:g} % of one vCPU or more (rule of thumb).",
            "What a fault cost was not measured; a fault experiment measures it.",
        ]
    sentences = [first, *_association_in_short(cost)]
    if cost.bound is not None and cost.bound.pct_vcpu < NOTICEABLE_PCT and len(sentences) == 1:
        sentences.append(
            f"At that cost it does not matter: below {NOTICEABLE_PCT:g} % of one vCPU (rule of thumb)."
        )
    if cost.upper is not None:
        sentences.append(
            f"The actual share is not known from this capture: up to {_share(cost.upper.pct_vcpu)}"
            f" ({cost.upper.basis}) is not excluded. A fault experiment in the guest measures it."
        )
    return sentences


def _association_in_short(cost: FaultCost) -> list[str]:
    found = cost.association
    if found is None:
        return []
    if found.high_us < 0:
        return [
            "vCPU time fell when faults rose, so other work fell at the same time, and that hides what they cost."
        ]
    if found.low_us > ASSUMED_US and cost.bound is not None and cost.bound.pct_vcpu < NOTICEABLE_PCT:
        return [
            f"However, vCPU time rose by at least {us(found.low_us)} with each fault: either a fault cost more than"
            " assumed, or other work came with it."
        ]
    if found.low_us > 0:
        return [
            f"vCPU time rose with the faults, by {us(found.low_us, unit=False)} to {us(found.high_us)} per fault;"
            " other work that came with them may be a part or all of it."
        ]
    return []


def _measured(cost: FaultCost) -> list[str]:
    """An experiment, a probe or a comparison said what faults cost."""
    grade = {
        "negligible": f"Negligible: below {NOTICEABLE_PCT:g} % of one vCPU (rule of thumb).",
        "noticeable": f"Noticeable: {NOTICEABLE_PCT:g} % of one vCPU or more (rule of thumb).",
        "severe": f"Severe: {SEVERE_PCT:g} % of one vCPU or more (rule of thumb).",
        "possible": f"Whether they reached {NOTICEABLE_PCT:g} % of one vCPU (rule of thumb) stays open.",
    }
    sentences = [*_how_measured(cost), grade.get(cost.verdict, "")]
    return [sentence for sentence in sentences if sentence]


def _how_measured(cost: FaultCost) -> list[str]:
    kind, experiment, probe, found = KINDS[cost.guest_counter], cost.experiment, cost.probe, cost.measured
    if found is None:
        return []
    if found.by == "comparison":
        return [f"Compared with the baseline: {cost.compared.statement}"] if cost.compared else []
    share = (
        f"{_share(found.pct_vcpu)} ({say(found.low)} to {say(found.high)} %), if its own {kind} cost as much as"
        " those"
    )
    if experiment is not None and found.by == "experiment":
        return [
            f"In a randomized experiment in the guest, each page that was touched for the first time and given"
            f" back caused {us(experiment.us)} of vCPU time (95 % interval {us(experiment.low, unit=False)} to"
            f" {us(experiment.high)}), the guest's own handling included.",
            f"At the VM's own rate that was {share}.",
        ]
    if probe is not None:
        return [
            f"A probe in the guest measured {us(probe.us)} for the first touch of a page"
            f" ({us(probe.low_us, unit=False)} to {us(probe.high_us)}), as the guest sees it and its own handling"
            " included.",
            f"At the VM's own rate that was {share}.",
        ]
    return []


# --- what to do -----------------------------------------------------------------------------------


def advice(cost: FaultCost) -> tuple[str, ...]:
    """What to do, and what else can take time here, each tied to what the capture shows."""
    found = [*_clock_advice(cost), *reclaim(cost)[1:], *_what_to_do(cost), *elsewhere(cost)]
    if cost.guest_counter == "hard_faults" and cost.rates.mean > 0:
        found.append("A hard fault waits for a disk. Check the VM's disk latency, and what pages inside the guest.")
    return tuple(found)


def _clock_advice(cost: FaultCost) -> list[str]:
    clock = cost.clock
    if not clock.warning:
        return []
    after = f"after the offset of {say(clock.offset_s)} s was applied"
    if math.isfinite(clock.drift_s) and abs(clock.drift_s) > abs(clock.shift_s):
        return [
            f"The guest's clock drifted by about {say(abs(clock.drift_s))} s over the capture {after}. Nothing was"
            " moved. Check time synchronization in the guest, and measure its clock at the start and at the end."
        ]
    return [
        f"The guest's clock and the host's are about {say(abs(clock.shift_s))} s apart {after}"
        f" ({chance('p', clock.p)}). Nothing was moved. Measure both clocks; if the shift is real, run again with"
        f" --guest-offset {cost.vm}={clock.offset_s + clock.shift_s:+.1f}s."
    ]


def _what_to_do(cost: FaultCost) -> list[str]:
    if cost.mmu == "unknown":
        return [
            "Find the monitor mode: collect with esxprobe, or give the VM's vmware.log with"
            f" --vmware-log {cost.vm}=vmware.log, or the mode with --mmu {cost.vm}=software or hardware."
        ]
    if cost.mmu == "hardware" or cost.verdict == "negligible":
        return []
    steps = [] if cost.measured else [
        f"Measure what a fault costs: esxprobe collect HOST --guest {cost.vm}=ssh://USER@ADDRESS"
        f" --fault-experiment {cost.vm}. Two seconds of --fault-probe {cost.vm} give a first figure."
    ]  # fmt: skip
    return [
        *steps,
        "Where the CPU has EPT or RVI, run the VM with the hardware MMU under the same workload and compare both"
        " captures: esxprobe compare GOOD BAD.",
        "Reduce the number of faults: large pages in the guest, or an application that allocates and frees less.",
    ]
