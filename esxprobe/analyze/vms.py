"""The table of VMs: monitor modes with their evidence, what vCPUs and memory did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict

from esxprobe.analyze.answers import entries_of_vms
from esxprobe.analyze.at_work import largest, last, mean, p95_of_rows, rows_by_gid, rows_in_parts, values_of
from esxprobe.analyze.guestlogs import GuestOptions, given_modes, vm_called
from esxprobe.model import Mmu, Recording, VirtualMachine, VmRow, Window
from esxprobe.model.manifest import Manifest
from esxprobe.model.probed_facts import MonitorAnswer

_READY, _LIMITED, _COSTOP, _RUN, _SWAP_WAIT = (
    rf"Vcpu\% {name}" for name in ("Ready", "Max Limited", "CoStop", "Run", "Swap Wait")
)
_SIZE, _BALLOON, _SWAPPED = (rf"Group Memory\{name} MBytes" for name in ("Memory Size", "Memctl", "Swapped"))
TABLE_NEEDS = {"vm": (_SIZE, _BALLOON, _SWAPPED), "vcpu": (_READY, _LIMITED, _COSTOP, _RUN, _SWAP_WAIT)}


_KNOWN: dict[str, Mmu] = {"hardware": "hardware", "software": "software"}


def with_modes(
    recording: Recording, manifest: Manifest | None, options: GuestOptions
) -> tuple[VirtualMachine, ...]:
    """The VMs with the monitor mode that there is evidence of; without evidence it stays unknown.

    What a person says goes first, then a VM's own log that a person gave, then the manifest.
    """
    modes: dict[str, tuple[Mmu, str]] = {}
    for gid, entry in entries_of_vms(manifest, recording):
        monitor = entry.monitor or MonitorAnswer()
        mmu = _KNOWN.get(monitor.mmu)
        if mmu is not None:
            modes[gid] = (mmu, monitor.evidence)
    modes |= given_modes(options, lambda name: vm_called(name, recording.vms).gid)
    return tuple(
        replace(vm, mmu=modes[vm.gid][0], mmu_evidence=modes[vm.gid][1]) if vm.gid in modes else vm
        for vm in recording.vms
    )


def vm_rows(recording: Recording, seen: Mapping[str, tuple[Window, ...]]) -> tuple[VmRow, ...]:
    """One row a VM: what its vCPUs and its memory did; `seen` says when it was there, by group id."""
    vcpus, machines = _vcpu_figures(recording), rows_by_gid(recording, "vm")
    size, balloon, swapped = (values_of(recording, "vm", path) for path in (_SIZE, _BALLOON, _SWAPPED))
    return tuple(
        VmRow(
            vm=vm,
            **vcpus.get(vm.gid, _NO_VCPUS),
            memory_mb=last(size, machines.get(vm.gid, [])),
            balloon_mb=largest(balloon, machines.get(vm.gid, [])),
            swapped_mb=largest(swapped, machines.get(vm.gid, [])),
            seen=seen.get(vm.gid, ()),
            there=vm.gid not in seen or bool(seen[vm.gid]),
        )
        for vm in recording.vms
    )


class _Vcpus(TypedDict):
    """Figures of a VM's vCPUs; see `VmRow`."""

    ready_p95: float | None
    costop_p95: float | None
    run_mean: float | None
    run_p95: float | None
    swap_wait_pct: float | None


_NO_VCPUS: _Vcpus = {
    "ready_p95": None,
    "costop_p95": None,
    "run_mean": None,
    "run_p95": None,
    "swap_wait_pct": None,
}


def _vcpu_figures(recording: Recording) -> dict[str, _Vcpus]:
    """By group id."""
    figures: dict[str, _Vcpus] = {}
    by_gid = rows_by_gid(recording, "vcpu")
    for rows, places in rows_in_parts(recording, by_gid, len(TABLE_NEEDS["vcpu"])):
        ready, limited, costop, run, swap_wait = (
            values_of(recording, "vcpu", path, rows) for path in TABLE_NEEDS["vcpu"]
        )
        waiting = ready if ready is None or limited is None else ready - limited
        ready_p95, costop_p95, run_p95 = (p95_of_rows(values) for values in (waiting, costop, run))
        for gid, own in places.items():
            figures[gid] = {
                "ready_p95": largest(ready_p95, own),
                "costop_p95": largest(costop_p95, own),
                "run_mean": mean(run, own),
                "run_p95": largest(run_p95, own),
                "swap_wait_pct": largest(swap_wait, own),
            }
    return figures
