"""VMs without guest data: what follows from the monitor mode and from esxtop alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from esxprobe.correlate.verdict import rate_for
from esxprobe.model import Analysis, VmRow
from esxprobe.report.formatting import number

# VMs that are shown, those that used most vCPU time first.
_SHOWN = 30


@dataclass(frozen=True, slots=True)
class UnloggedRow:
    """A VM whose page faults were not counted."""

    vm: str
    gid: str
    mmu: str
    run: str
    faults: str
    balloon: str
    swapped: str
    swap_wait: str
    follows: str


def unlogged_rows(analysis: Analysis) -> tuple[UnloggedRow, ...]:
    """VMs without guest data, those whose page faults could have taken most first."""
    logged = {use.gid for use in analysis.guest_logs}
    rows = [row for row in analysis.vm_rows if row.vm.gid not in logged]
    rows.sort(key=lambda row: (row.vm.mmu == "hardware", -(run_of(row) or 0.0), row.vm.name, row.vm.gid))
    return tuple(_row(row) for row in rows[:_SHOWN])


def run_of(row: VmRow) -> float | None:
    """%RUN of all vCPUs of a VM together, mean [% of one vCPU]; None where it is not known."""
    if row.run_mean is None or not math.isfinite(row.run_mean) or not row.vm.vcpus:
        return None
    return row.run_mean * row.vm.vcpus


def _row(row: VmRow) -> UnloggedRow:
    run = run_of(row)
    is_native = row.vm.mmu == "hardware"
    return UnloggedRow(
        vm=row.vm.name,
        gid=row.vm.gid,
        mmu=row.vm.mmu,
        run=number(run, "%"),
        faults="–" if is_native or run is None else f"{rate_for(run):,.0f}",
        balloon=number(row.balloon_mb, "MB"),
        swapped=number(row.swapped_mb, "MB"),
        swap_wait=number(row.swap_wait_pct, "%"),
        follows=_follows(row, run),
    )


def _follows(row: VmRow, run: float | None) -> str:
    limit = "no more than its %RUN" if run is not None else "vCPU time, how much is not known"
    if row.vm.mmu == "hardware":
        sentences = ["Page faults added nothing to the virtualization layer, whatever their rate (EPT or RVI)."]
    elif row.vm.mmu == "software":
        sentences = [f"Page faults entered the virtualization layer and took {limit}."]
    else:
        sentences = [f"With a software MMU page faults took {limit}, with EPT or RVI nothing."]
    if row.balloon_mb:
        sentences.append("The balloon took memory, which makes a guest page.")
    if row.swapped_mb or row.swap_wait_pct:
        sentences.append("The host swapped its memory; that takes time for which the guest counts no fault.")
    return " ".join(sentences)
