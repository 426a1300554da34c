"""What the analysis of one VM starts from: plain arrays, already read and matched to the VM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.correlate.logged import LoggedStretch
from esxprobe.model import FaultProbe, GuestLog, HostEvidence, Injections, Mmu
from esxprobe.series import ClockOffset


@dataclass(frozen=True, slots=True, eq=False)
class GuestRates:
    """A guest's log as arrays, on the guest's own clock.

    Attributes:
        stamps_s: (m,) ends of its intervals, rising [s since 1970].
        covers_s: (m,) what each covers [s]; NaN where that is not known.
        values: (m,) by counter of `GUEST_COUNTERS`, in its unit; NaN where missing.
    """

    stamps_s: Floats
    covers_s: Floats
    values: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class ExperimentRun:
    """A fault experiment as it was drawn and as it ran.

    Attributes:
        order: Which blocks were to fault: `10` or `01` for each pair.
        log: What the injector printed.
    """

    order: str
    log: Injections


@dataclass(frozen=True, slots=True, eq=False)
class VmFaults:
    """One VM's vCPU time and its guest's log, over the samples of one capture.

    Attributes:
        vm: Name.
        gid: esxtop's group id.
        mmu: Monitor mode, `unknown` without evidence.
        ends_s: (n,) ends of the capture's intervals by the host's clock, rising [s since 1970].
        covered_s: (n,) their measured lengths [s]; NaN where not known, as for a header's first sample.
        run_pct: (vcpus, n) %RUN of each vCPU world [%]; NaN where missing.
        overlap_pct: (vcpus, n) %OVRLP likewise; None when the capture lacks it.
        guest: The guest's log.
        offset: The guest's clock less the host's.
        evidence: What else the host says of the VM.
        guest_boots_s: When the guest started or its counters went back to zero, by its own clock [s since 1970].
        swap_wait_pct: (n,) largest %SWPWT of its vCPUs [%]; None when the capture lacks it.
        swap_in_mb_s: (n,) SWR/s [MB/s]; None when the capture lacks it.
        ready_pct: (vcpus, n) %RDY and %CSTP together of each vCPU world [%]; None when the capture lacks them.
        experiment: A fault experiment that ran in the guest.
        probe: The guest's own timing of page faults.
        system_pct: (n,) %SYS of the VM: vmkernel work on its behalf [%]; None when the capture lacks it.
        balloon_mb: (n,) MCTLSZ of the VM [MB]; None when the capture lacks it.
        logged: Stretches that are left out because of events in logs.
        gavg_ms: (n,) GAVG of what the VM did on its devices, weighted by its commands [ms]; NaN in samples without
            commands, None when the capture lacks it.
    """

    vm: str
    gid: str
    mmu: Mmu
    ends_s: Floats
    covered_s: Floats
    run_pct: Floats
    overlap_pct: Floats | None
    guest: GuestRates
    offset: ClockOffset = field(default_factory=ClockOffset)
    evidence: HostEvidence = field(default_factory=HostEvidence)
    guest_boots_s: tuple[float, ...] = ()
    swap_wait_pct: Floats | None = None
    swap_in_mb_s: Floats | None = None
    ready_pct: Floats | None = None
    system_pct: Floats | None = None
    balloon_mb: Floats | None = None
    gavg_ms: Floats | None = None
    experiment: ExperimentRun | None = None
    probe: FaultProbe | None = None
    logged: tuple[LoggedStretch, ...] = ()


def guest_rates(log: GuestLog) -> GuestRates:
    """A log's long frame as arrays, one row a stamp.

    Soft faults are made of all less hard ones where the log has no count of its own. Of two values for one
    stamp and counter the first is kept.
    """
    import polars as pl

    rows = log.samples.filter(pl.col("time").is_not_null()).with_columns(
        (pl.col("time").dt.timestamp("us") / 1e6).alias("stamp")
    )
    stamps = rows.group_by("stamp").agg(pl.col("interval_s").max()).sort("stamp")
    values: dict[str, Floats] = {}
    for (counter,), part in rows.group_by("counter", maintain_order=True):
        joined = stamps.join(part.unique("stamp", keep="first"), on="stamp", how="left", maintain_order="left")
        values[str(counter)] = joined["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if "soft_faults" not in values and "faults" in values and "hard_faults" in values:
        values["soft_faults"] = np.maximum(values["faults"] - values["hard_faults"], 0.0)
    covers = stamps["interval_s"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return GuestRates(stamps["stamp"].to_numpy(), covers, values)
