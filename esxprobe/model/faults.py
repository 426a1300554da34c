"""Guest faults against vCPU time: what is known of one VM."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from esxprobe.model.experiment import FaultExperiment, FaultProbe
from esxprobe.model.nouns import Mmu, Window
from esxprobe.model.roles import EntityNumber, FreeText, HostFact, ToolSentence, ToolText, VmName

# `possible`: the rate alone allows a cost that matters, and nothing here tells how much it was.
Verdict = Literal["native", "negligible", "possible", "noticeable", "severe", "inconclusive", "unknown_mode"]


@dataclass(frozen=True, slots=True)
class HostEvidence:
    """What the host says of one VM that can make guest faults, or vCPU time, dearer; None where nothing says.

    Attributes:
        balloon_mb: MCTLSZ, largest [MB].
        swapped_mb: SWCUR, largest [MB].
        compressed_mb: Guest memory that the host keeps compressed, largest [MB].
        swap_wait_pct: %SWPWT of its vCPUs, largest [%].
        large_pages_broken: Whether the host broke large pages up during the capture.
        nested_hypervisor: Whether a hypervisor runs inside the guest (VBS, Hyper-V, `vhv.enable`).
    """

    balloon_mb: float | None = None
    swapped_mb: float | None = None
    compressed_mb: float | None = None
    swap_wait_pct: float | None = None
    large_pages_broken: bool | None = None
    nested_hypervisor: bool | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Intervals that were left out for one reason, counted.

    Attributes:
        reason: Key of the reason.
        intervals: How many.
        meaning: The reason in words.
        logged: From when to when, where events of logs give the reason; empty for all other reasons.
    """

    reason: ToolText
    intervals: int
    meaning: ToolText
    logged: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultSeries:
    """Both sides of one VM on the capture's intervals, for a chart; not part of the JSON.

    Attributes:
        times: (n,) ends of the intervals, aware UTC.
        fault_rate: (n,) [faults/s]; None where the log does not cover the interval.
        vcpu_pct: (n,) vCPU time of all its vCPUs [% of one vCPU]; None where it is not known.
        cut: (n,) why an interval was left out, empty where it was analyzed.
    """

    times: tuple[datetime, ...]
    fault_rate: tuple[float | None, ...]
    vcpu_pct: tuple[float | None, ...]
    cut: tuple[ToolText, ...]


@dataclass(frozen=True, slots=True)
class FaultScatter:
    """What is left of both sides when the controls are taken out, and the line through it; not part of the JSON.

    The line and its band pass through the medians: `vcpu = median_vcpu + slope x (faults - median_faults)`.

    Attributes:
        faults: Fault rates less what the controls explain, of neighbors less the part carried over [faults/s].
        vcpu: vCPU time, likewise [us/s].
        median_faults: [faults/s].
        median_vcpu: [us/s].
        slope_us_per_fault: [us].
        ci_low: [us].
        ci_high: [us].
    """

    faults: tuple[float, ...]
    vcpu: tuple[float, ...]
    median_faults: float
    median_vcpu: float
    slope_us_per_fault: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How often a guest faulted, over every interval of the capture that its log covers [faults/s].

    Attributes:
        median: Half of the intervals had fewer.
        p95: 95 % of the intervals had fewer.
        mean: All faults by all time.
        intervals: How many intervals that is.
        run_pct: The VM's vCPU time over the same intervals, mean [% of one vCPU].
        run_error: Standard error of the mean of its part that the guest's own times do not explain, neighboring
            intervals being alike [% of one vCPU].
    """

    median: float = math.nan
    p95: float = math.nan
    mean: float = math.nan
    intervals: int = 0
    run_pct: float = math.nan
    run_error: float = math.nan


@dataclass(frozen=True, slots=True)
class RateBound:
    """What the faults took if each cost `us`: rate times cost, no statistics.

    Attributes:
        us: Assumed cost of a fault [µs].
        basis: Where the assumption comes from and how far it can be trusted.
        pct_vcpu: Mean rate x `us` / 1e4, no more than the VM's own vCPU time [% of one vCPU].
    """

    us: float
    basis: FreeText
    pct_vcpu: float


@dataclass(frozen=True, slots=True)
class SlopeReading:
    """One regression of vCPU time on faults.

    Attributes:
        controls: Counters whose part was taken out of both sides.
        us: vCPU time associated with one more fault [µs].
        low: Lower end of the 95 % interval [µs].
        high: Upper end of it [µs].
    """

    controls: tuple[ToolText, ...]
    us: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Association:
    """What vCPU time did when faults rose or fell.

    It is not a cost, and not a bound on one: other work may move with faults or against them.

    Attributes:
        us: With every control taken out [µs per fault].
        low_us: The lowest end of all readings' intervals [µs per fault].
        high_us: The highest end of them [µs per fault].
        readings: With every control, and without those that may contain the cost themselves.
        unbooked: The part of vCPU time that the guest booked neither as user nor as system time, against faults: no
            work of the guest is in it. The lower one of two readings; None where the log lacks one of them.
        p: Probability of a slope so far from zero by chance, from the same regression as `us`.
        q: The same, corrected for all VMs and counters tested (Benjamini-Hochberg).
        n_eff: How many independent intervals the samples are worth.
        detectable_us: Half of the main reading's width: a smaller slope could not have been seen [µs per fault].
    """

    us: float
    low_us: float
    high_us: float
    readings: tuple[SlopeReading, ...]
    unbooked: SlopeReading | None
    p: float
    q: float
    n_eff: float
    detectable_us: float


@dataclass(frozen=True, slots=True)
class ClockAlignment:
    """Whether the guest's log and the capture fit together in time. It warns; nothing is moved by it.

    Attributes:
        offset_s: The guest clock's offset that was applied [s].
        shift_s: Shift that was left over: add it to the offset [s]; NaN where it could not be checked.
        p: Probability that the best shift fits so well by chance.
        warning: Whether the clocks are to be looked at.
        visible_s: A shift of this size would have been seen [s]; NaN where none would have been.
        drift_s: How much the shift changed over the capture [s]; NaN where that could not be checked.
        counters: The guest's counters that were held against vCPU time.
    """

    offset_s: float = 0.0
    shift_s: float = math.nan
    p: float = math.nan
    warning: bool = False
    visible_s: float = math.nan
    drift_s: float = math.nan
    counters: tuple[ToolText, ...] = ()


@dataclass(frozen=True, slots=True)
class UpperBound:
    """More than this the faults cannot have taken, whatever else went on.

    Attributes:
        pct_vcpu: [% of one vCPU].
        basis: Why not.
    """

    pct_vcpu: float
    basis: FreeText


@dataclass(frozen=True, slots=True)
class MeasuredShare:
    """What the faults took, where something measured it [% of one vCPU].

    Attributes:
        pct_vcpu: The figure.
        low: Lower end of its 95 % interval, of a probe the 10th percentile.
        high: Upper end of it, of a probe the 90th percentile.
        by: What measured it.
    """

    pct_vcpu: float
    low: float
    high: float
    by: Literal["experiment", "probe", "comparison"]


@dataclass(frozen=True, slots=True)
class GuestLoad:
    """The guest's other work by its own log, means over the analyzed intervals; NaN where it is not logged.

    Attributes:
        user_pct: User time [% of one vCPU].
        system_pct: System time [% of one vCPU].
        switches: Context switches [switches/s].
    """

    user_pct: float = math.nan
    system_pct: float = math.nan
    switches: float = math.nan


@dataclass(frozen=True, slots=True)
class AnalyzedIntervals:
    """What the association rests on.

    Attributes:
        count: Intervals analyzed.
        interval_s: Their median length; neighbors are joined in long captures [s].
        cuts: Intervals left out, by reason.
        reclaiming: Analyzed intervals in which the VM waited for swapped memory; flagged, not cut.
    """

    count: int = 0
    interval_s: float = math.nan
    cuts: tuple[Cut, ...] = ()
    reclaiming: int = 0


@dataclass(frozen=True, slots=True)
class Likeness:
    """One thing that has to agree before a difference between two captures can be attributed to the monitor mode.

    Attributes:
        name: What it is.
        problem: In the problem capture, worded with its unit; empty where it is not known.
        baseline: In the baseline.
        same: Whether they agree; None where one of them is not known.
    """

    name: ToolText
    problem: HostFact
    baseline: HostFact
    same: bool | None


@dataclass(frozen=True, slots=True)
class FaultComparison:
    """One VM and kind of fault in two captures; differences are problem less baseline, NaN where not known.

    Attributes:
        vm: Name of the VM.
        guest_counter: As in `FaultCost`.
        mmu_problem: Monitor mode in the problem capture.
        mmu_baseline: Monitor mode in the baseline.
        fault_rate_problem: Mean [faults/s].
        fault_rate_baseline: Mean [faults/s].
        run_pct_problem: vCPU time, mean [% of one vCPU].
        run_pct_baseline: vCPU time, mean [% of one vCPU].
        extra_pct: vCPU time more in the capture with the software MMU [% of one vCPU].
        extra_low: Lower end of its 95 % interval, what the logged load differs by taken off [% of one vCPU].
        extra_high: Upper end, likewise added [% of one vCPU].
        extra_us: `extra_pct` for each fault, if faults were all of it [µs].
        likenesses: What has to agree, and whether it does.
        attributed: Whether the difference can be attributed to the monitor mode.
        statement: In sentences that can be quoted.
    """

    vm: VmName
    guest_counter: ToolText
    mmu_problem: Mmu
    mmu_baseline: Mmu
    fault_rate_problem: float
    fault_rate_baseline: float
    run_pct_problem: float
    run_pct_baseline: float
    extra_pct: float
    extra_low: float
    extra_high: float
    extra_us: float
    likenesses: tuple[Likeness, ...]
    attributed: bool
    statement: FreeText


@dataclass(frozen=True, slots=True)
class FaultCost:
    """Guest faults against vCPU time for one VM and kind of fault; NaN where a number is not known.

    Attributes:
        vm: Name of the VM.
        gid: esxtop's group id of the VM; names repeat.
        guest_counter: `soft_faults` or `hard_faults`, `faults` where the log does not tell them apart.
        host_counter: The vCPU time it is held against.
        mmu: How guest page tables are virtualized.
        verdict: The judgment in one word.
        rates: How often the guest faulted, and the vCPU time beside it.
        bound: What that is at an assumed cost of a fault; None where the mode is `hardware`.
        upper: What the faults cannot have exceeded; None where no bound is known.
        measured: What they took, where an experiment, a probe or a comparison measured it.
        experiment: The fault experiment in the guest; None without one.
        probe: The guest's own timing of page faults; None without one.
        compared: The same VM in a baseline, where the difference was attributed to the monitor mode.
        association: What vCPU time did when faults rose and fell; None with too few samples.
        clock: Whether both sides fit together in time.
        intervals: What the association rests on.
        load: The guest's other work.
        evidence: What else the host says of the VM.
        statement: What was seen, whether it matters, and what follows, in plain words.
        statistics: How it was found, sentence by sentence.
        advice: What to do, and what else to look at.
        series: For the chart over time.
        scatter: For the chart of one against the other.
    """

    vm: VmName
    gid: EntityNumber
    guest_counter: ToolText
    host_counter: ToolText
    mmu: Mmu
    verdict: Verdict
    rates: FaultRates
    bound: RateBound | None = None
    upper: UpperBound | None = None
    measured: MeasuredShare | None = None
    experiment: FaultExperiment | None = None
    probe: FaultProbe | None = None
    compared: FaultComparison | None = None
    association: Association | None = None
    clock: ClockAlignment = ClockAlignment()
    intervals: AnalyzedIntervals = AnalyzedIntervals()
    load: GuestLoad = GuestLoad()
    evidence: HostEvidence = HostEvidence()
    statement: FreeText = ""
    statistics: tuple[FreeText, ...] = ()
    advice: tuple[ToolSentence, ...] = ()
    series: FaultSeries | None = None
    scatter: FaultScatter | None = None
