"""Guest faults against vCPU time: what a guest logged, and what is known of one VM."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from esxprobe.model.nouns import Mmu, QualityNote, SourceFile

if TYPE_CHECKING:
    import polars as pl

Verdict = Literal["native", "negligible", "noticeable", "severe", "inconclusive", "unknown_mode"]

# Names of a guest's counters, whatever wrote the log, with their units. Rates are means over the interval that
# ends at the stamp; times are shares of all the guest's processors together.
GUEST_COUNTERS: dict[str, str] = {
    "faults": "faults/s",  # soft and hard
    "soft_faults": "faults/s",  # faults less hard_faults
    "hard_faults": "faults/s",  # those that read from disk: operations, where the log tells operations from pages
    "pages_input": "pages/s",  # pages read in to resolve hard faults
    "transition_faults": "faults/s",
    "demand_zero_faults": "faults/s",
    "cache_faults": "faults/s",
    "write_copies": "faults/s",
    "thp_faults": "faults/s",  # faults that mapped a transparent huge page
    "swap_ins": "pages/s",
    "swap_outs": "pages/s",
    "pages_reclaimed": "pages/s",
    "context_switches": "switches/s",
    "user_time": "%",
    "system_time": "%",
}


@dataclass(frozen=True, slots=True)
class GuestLog:
    """What one log from inside a guest says.

    Attributes:
        guest: The computer's name as the log carries it, empty when it carries none.
        format: What wrote it: `perfmon`, `sar`, `sadf-d`, `sadf-j`, `vmstat` or `esxprobe`.
        zone: The zone of its stamps, as far as it is known.
        samples: Long: time [UTC, end of the interval], guest, counter (one of `GUEST_COUNTERS`), value (null
            where it is not known), interval_s (what the value covers; null where that is not known).
        notes: Damage and doubts, counted.
        file: The file that was read.
        interval_s: Median interval [s], None with fewer than two samples.
    """

    guest: str
    format: str
    zone: str
    samples: pl.DataFrame
    notes: tuple[QualityNote, ...]
    file: SourceFile
    interval_s: float | None


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
    """Intervals that were left out for one reason, counted."""

    reason: str
    intervals: int
    meaning: str


@dataclass(frozen=True, slots=True)
class FaultSeries:
    """Both sides of one VM on the capture's intervals, for a chart; not part of the JSON.

    Attributes:
        times: (n,) ends of the intervals, aware UTC.
        fault_rate: (n,) [faults/s]; None where the log does not cover the interval.
        vcpu_pct: (n,) vCPU time of all its vCPUs [% of one vCPU]; None where it is not known.
        cut: (n,) why an interval was left out, empty where it was analysed.
    """

    times: tuple[datetime, ...]
    fault_rate: tuple[float | None, ...]
    vcpu_pct: tuple[float | None, ...]
    cut: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaultScatter:
    """What is left of both sides when the controls are taken out, and the line through it; not part of the JSON.

    The line and its band pass through the medians: `vcpu = median_vcpu + slope x (faults - median_faults)`.

    Attributes:
        faults: Fault rates less what the controls explain, of neighbours less the part carried over [faults/s].
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
class FaultCost:
    """Guest faults against vCPU time for one VM, one pair of counters; NaN where a number is not known.

    Attributes:
        vm: Name of the VM.
        guest_counter: `soft_faults` or `hard_faults`, `faults` where the log does not tell them apart.
        host_counter: The vCPU time it is held against.
        samples: Intervals analysed.
        n_eff: How many independent ones they are worth.
        r: Correlation of both when the controls are taken out.
        p: Probability of such a correlation by chance.
        q: The same, corrected for all VMs and counters tested (Benjamini-Hochberg).
        slope_us_per_fault: vCPU time that moves together with one fault [us].
        ci_low: Lower end of its 95 % interval [us].
        ci_high: Upper end of it [us].
        min_detectable_us: Half of its width: a smaller cost could not have been seen [us].
        lag_s: Shift that the clock check found left over after the known offset [s].
        fault_rate_median: [faults/s].
        fault_rate_p95: [faults/s].
        bound_pct_vcpu: `fault_rate_p95 x bound_us / 1e4`, before any statistics [% of one vCPU].
        mmu: How guest page tables are virtualised.
        verdict: The judgement in one word.
        statement: The judgement in sentences that can be quoted.
        gid: esxtop's group id of the VM; names repeat.
        advice: What to do, and what else to look at.
        controls: Guest counters whose part was taken out of both sides.
        cuts: Intervals left out, by reason.
        reclaim_samples: Analysed intervals in which the VM waited for swapped memory; flagged, not cut.
        interval_s: Median length of an analysed interval; neighbours are joined in long captures [s].
        offset_s: The guest clock's offset that was applied [s].
        lag_p: Probability of such a leftover shift by chance.
        lag_warning: Whether the clocks are to be looked at.
        bound_us: Cost of a fault that `bound_pct_vcpu` reckons with [us].
        bound_basis: Where that comes from.
        share_pct_vcpu: Slope times mean fault rate [% of one vCPU].
        share_pct_vcpu_high: The same with `ci_high`.
        fault_rate_mean: [faults/s].
        vcpu_pct_mean: vCPU time [% of one vCPU].
        user_pct_mean: The guest's user time [% of one vCPU].
        series: For the chart over time.
        scatter: For the chart of one against the other.
    """

    vm: str
    guest_counter: str
    host_counter: str
    samples: int
    n_eff: float
    r: float
    p: float
    q: float
    slope_us_per_fault: float
    ci_low: float
    ci_high: float
    min_detectable_us: float
    lag_s: float
    fault_rate_median: float
    fault_rate_p95: float
    bound_pct_vcpu: float
    mmu: Mmu
    verdict: Verdict
    statement: str
    gid: str = ""
    advice: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    cuts: tuple[Cut, ...] = ()
    reclaim_samples: int = 0
    interval_s: float = math.nan
    offset_s: float = 0.0
    lag_p: float = math.nan
    lag_warning: bool = False
    bound_us: float = math.nan
    bound_basis: str = ""
    share_pct_vcpu: float = math.nan
    share_pct_vcpu_high: float = math.nan
    fault_rate_mean: float = math.nan
    vcpu_pct_mean: float = math.nan
    user_pct_mean: float = math.nan
    series: FaultSeries | None = None
    scatter: FaultScatter | None = None


@dataclass(frozen=True, slots=True)
class FaultComparison:
    """One VM and guest counter in two captures; differences are problem less baseline, NaN where not known.

    Attributes:
        vm: Name of the VM.
        guest_counter: As in `FaultCost`.
        mmu_problem: Monitor mode in the problem capture.
        mmu_baseline: Monitor mode in the baseline.
        slope_difference_us: [us per fault].
        ci_low: Lower end of its 95 % interval [us per fault].
        ci_high: Upper end of it [us per fault].
        fault_rate_problem: Mean [faults/s].
        fault_rate_baseline: Mean [faults/s].
        vcpu_per_user_problem: vCPU time for one second of the guest's user time [s/s].
        vcpu_per_user_baseline: The same in the baseline [s/s].
        same_workload: Whether user time and fault rate are alike; None where that is not known.
        proof: Whether a change of monitor mode under the same workload shows what virtualization costs.
        statement: In sentences that can be quoted.
    """

    vm: str
    guest_counter: str
    mmu_problem: Mmu
    mmu_baseline: Mmu
    slope_difference_us: float
    ci_low: float
    ci_high: float
    fault_rate_problem: float
    fault_rate_baseline: float
    vcpu_per_user_problem: float
    vcpu_per_user_baseline: float
    same_workload: bool | None
    proof: bool
    statement: str
