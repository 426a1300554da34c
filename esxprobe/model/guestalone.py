"""Guests that are judged by their own logs alone, without a capture of their host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from esxprobe.model.analysis import GuestLogUse, Series
from esxprobe.model.faults import FaultRates, GuestLoad, RateBound
from esxprobe.model.findings import Finding
from esxprobe.model.nouns import Mmu, QualityNote, Window

# What the rate alone says: `native` under a hardware MMU, `uncounted` where the log has no page faults; otherwise
# by what the faults took at the assumed cost: `negligible`, `possible` from 1 %, `large` from 10 % of one vCPU.
RateGrade = Literal["native", "negligible", "possible", "large", "uncounted"]


@dataclass(frozen=True, slots=True)
class WorstMinute:
    """The minute with the most faults, or the log's longest interval where that is longer.

    Attributes:
        window: When it was.
        rate: Mean over it [faults/s].
        pct_vcpu: What it took at the assumed cost [% of one vCPU]; None under a hardware MMU.
    """

    window: Window
    rate: float
    pct_vcpu: float | None


@dataclass(frozen=True, slots=True)
class KindOfFault:
    """One kind of fault over the whole log.

    Attributes:
        guest_counter: `faults` (soft and hard), `soft_faults` or `hard_faults`.
        rates: Mean, median and 95th percentile; vCPU time is not known.
        most: In the interval with the most [faults/s].
        worst: The minute with the most; None where the log is shorter, or has no unbroken minute.
        bound: What the mean is at the assumed cost of a fault; None under a hardware MMU.
        series: For the chart; not part of the JSON.
    """

    guest_counter: str
    rates: FaultRates
    most: float
    worst: WorstMinute | None
    bound: RateBound | None
    series: Series


@dataclass(frozen=True, slots=True)
class FaultClass:
    """A class of faults, or what else the guest counts of its memory.

    Attributes:
        guest_counter: One of `GUEST_COUNTERS`.
        mean: In the counter's unit, over time.
        share: Of all faults, 0 to 1; None where it is not a part of them, or they are not counted.
        meaning: What it counts.
    """

    guest_counter: str
    mean: float
    share: float | None
    meaning: str


@dataclass(frozen=True, slots=True)
class UnusedLog:
    """What was not taken of a log, because another log of the same guest has it.

    Attributes:
        file: Name of the log.
        counters: The counters that were not used, as in `GUEST_COUNTERS`.
        instead: Names of the logs that they were taken from.
    """

    file: str
    counters: tuple[str, ...]
    instead: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuestAlone:
    """One guest, judged by its logs alone; NaN where a number is not known.

    Attributes:
        vm: What the guest is called: as a person said, as its log says, or after the file.
        mmu: How its page tables are virtualized, `unknown` unless a person gave it.
        mmu_evidence: What tells it; empty without.
        grade: The judgment of the mean rate.
        worst_grade: The judgment of the worst minute, the same as `grade` where there is none.
        kinds: Rates, the judged kind first; none where the log counts no faults.
        classes: Classes of faults and what else is counted.
        load: The guest's times are shares of all its processors together [%].
        interval_s: Median interval of the judged kind [s]; NaN with one sample.
        covered: From the first interval to the last; None without any.
        logs: Where it comes from.
        unused: What several logs of one guest both have.
        statement: The judgment in sentences; the first one holds the grade and the figure.
        advice: What to do.
    """

    vm: str
    mmu: Mmu
    mmu_evidence: str
    grade: RateGrade
    worst_grade: RateGrade
    kinds: tuple[KindOfFault, ...]
    classes: tuple[FaultClass, ...]
    load: GuestLoad
    interval_s: float
    covered: Window | None
    logs: tuple[GuestLogUse, ...]
    unused: tuple[UnusedLog, ...] = ()
    statement: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GuestReport:
    """Everything that is shown of guests without a capture of their host, the worst guest first."""

    tool_version: str
    guests: tuple[GuestAlone, ...]
    findings: tuple[Finding, ...]
    quality: tuple[QualityNote, ...]
