"""Guest faults against vCPU time: from logs and a recording to judged costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.analyze.at_work import largest, rows_by_gid, values_of
from esxprobe.analyze.experiments import Experiments, experiments_in
from esxprobe.analyze.guestlogs import (
    ClockPoint,
    GuestOptions,
    LogOfVm,
    logs_to_read,
    named_notes,
    use_of,
    vm_called,
    vm_of_computer,
)
from esxprobe.arrays import Floats
from esxprobe.catalog.quality import note
from esxprobe.errors import EsxprobeError
from esxprobe.formats.guests import read_guest_log
from esxprobe.model import (
    Event,
    FaultCost,
    GuestCounts,
    GuestLog,
    GuestLogUse,
    GuestSeries,
    HostEvidence,
    ProbedGuest,
    QualityNote,
    Recording,
    VirtualMachine,
)
from esxprobe.model.manifest import Manifest
from esxprobe.series import ClockOffset

if TYPE_CHECKING:
    from esxprobe.correlate import GuestRates, VmFaults

_RUN, _OVERLAP, _SWAP_WAIT, _READY, _COSTOP = (
    rf"Vcpu\% {name}" for name in ("Run", "Overlap", "Swap Wait", "Ready", "CoStop")
)
_FAULTS = ("faults", "soft_faults", "hard_faults")
_SYSTEM = r"Group Cpu\% System"
_BALLOON, _SWAPPED, _COMPRESSED, _SWAP_IN = (
    rf"Group Memory\{name}"
    for name in ("Memctl MBytes", "Swapped MBytes", "Used Compressed Memory MBytes", "Swap Read MBytes/sec")
)
_GAVG, _COMMANDS = (
    rf"Physical Disk Per-Device-Per-World\{name}" for name in ("Average Guest MilliSec/Command", "Commands/sec")
)
# What the analysis of guest faults reads of a capture, by entity kind.
FAULT_NEEDS = {
    "vcpu": (_RUN, _OVERLAP, _SWAP_WAIT, _READY, _COSTOP),
    "vm": (_BALLOON, _SWAPPED, _COMPRESSED, _SWAP_IN, _SYSTEM),
    "device-world": (_GAVG, _COMMANDS),
}


@dataclass(frozen=True, slots=True)
class MatchedLog:
    """A log that was read, the VM it belongs to, and its clock against the host's."""

    vm: VirtualMachine
    log: GuestLog
    files: tuple[GuestLog, ...]
    offset: ClockOffset
    offset_words: str
    matched_by: str


@dataclass(frozen=True, slots=True)
class FaultOutcome:
    """What came of the guests' logs."""

    costs: tuple[FaultCost, ...] = ()
    counts: GuestCounts = field(default_factory=GuestCounts)
    uses: tuple[GuestLogUse, ...] = ()
    notes: tuple[QualityNote, ...] = ()


def has_guests(options: GuestOptions, manifest: Manifest | None) -> bool:
    """Whether the user gave a guest's log."""
    return bool(logs_to_read(options, manifest))


def judge_faults(recording: Recording, options: GuestOptions, manifest: Manifest | None) -> FaultOutcome:
    """Reads the guests' logs and judges what their faults cost.

    Args:
        recording: The capture, with the monitor modes of its VMs and events of logs.
        options: What a person said about guests.
        manifest: The capture folder's.

    Raises:
        UsageError: A VM that was named is not there, or it cannot be decided whose a log is.
        UnreadableInputError: A log that a person named cannot be read.
    """
    matched, notes = _logs_of_vms(recording, options, manifest)
    if not matched:
        return FaultOutcome(notes=tuple(notes))
    from esxprobe.correlate import fault_costs, guest_pairs

    nested = _nested(manifest, recording.vms)
    tried = experiments_in(options, manifest, recording.vms)
    of_vm = _by_vm(matched)
    rated = {gid: _rates(logs) for gid, logs in of_vm.items()}
    made = [_input(logs, rated[gid], recording, nested, tried) for gid, logs in of_vm.items()]
    vms = _beside_each_other([vm for vm, _ in made if vm is not None])
    notes += [*tried.notes, *(given for each in matched for file in each.files for given in named_notes(file))]
    return FaultOutcome(
        costs=fault_costs(vms),
        counts=GuestCounts(
            guest_pairs(vms), tuple(_series(gid, rates, clock) for gid, (rates, clock, _) in rated.items())
        ),
        uses=tuple(
            use_of(file, each.vm.name, each.vm.gid, each.matched_by, each.offset_words)
            for each in matched
            for file in each.files
        ),
        notes=(*notes, *(given for _, unused in made for given in unused)),
    )


def guest_series(
    recording: Recording, options: GuestOptions, manifest: Manifest | None
) -> tuple[tuple[GuestSeries, ...], tuple[QualityNote, ...]]:
    """What guests counted, on the host's clock, and the logs that cannot be used; what faults cost is not asked.

    Args:
        recording: The capture.
        options: As in `judge_faults`.
        manifest: As in `judge_faults`.

    Raises:
        UsageError: As in `judge_faults`.
        UnreadableInputError: As in `judge_faults`.
    """
    matched, notes = _logs_of_vms(recording, options, manifest)
    rated = {gid: _rates(logs) for gid, logs in _by_vm(matched).items()}
    return tuple(_series(gid, rates, clock) for gid, (rates, clock, _) in rated.items()), tuple(notes)


def _logs_of_vms(
    recording: Recording, options: GuestOptions, manifest: Manifest | None
) -> tuple[list[MatchedLog], list[QualityNote]]:
    """The logs with their VMs, and notes on those that no option names and that cannot be used."""
    for name in options.offsets:
        vm_called(name, recording.vms)
    matched: list[MatchedLog] = []
    notes: list[QualityNote] = []
    for each in logs_to_read(options, manifest):
        try:
            matched.append(_matched(each, recording, options))
        except EsxprobeError as error:
            if each.is_asked_for:
                raise
            notes.append(note("guest-log-unusable", 1, f"{each.paths[0].name}: {error.message}"))
    return matched, notes


def _by_vm(logs: Sequence[MatchedLog]) -> dict[str, list[MatchedLog]]:
    of_vm: dict[str, list[MatchedLog]] = {}
    for log in logs:
        of_vm.setdefault(log.vm.gid, []).append(log)
    return of_vm


def _beside_each_other(vms: Sequence[VmFaults]) -> list[VmFaults]:
    """Each VM's probe with those of the others whose monitor mode is known."""
    probed = [(vm.gid, ProbedGuest(vm.vm, vm.mmu, vm.probe.us)) for vm in vms if vm.probe and vm.mmu != "unknown"]

    def beside(vm: VmFaults) -> VmFaults:
        if vm.probe is None:
            return vm
        others = tuple(guest for gid, guest in probed if gid != vm.gid)
        return replace(vm, probe=replace(vm.probe, others=others))

    return [beside(vm) for vm in vms]


def vm_facts(costs: Sequence[FaultCost]) -> dict[str, dict[str, float]]:
    """What rules may read of the faults of VMs, by fact and group id [% of one vCPU].

    It is 0 where the verdict does not rest on it, so that a finding and a verdict never say two things.
    Nothing where no guest has a log.
    """
    from esxprobe.correlate import unbooked_pct

    if not costs:
        return {}
    facts: dict[str, dict[str, float]] = {name: {} for name in ("Measured", "Unaccounted", "Assumed")}
    for cost in costs:
        matters = cost.verdict in ("noticeable", "severe")
        found = cost.measured
        values = {
            "Measured": found.pct_vcpu if matters and found else 0.0,
            "Unaccounted": unbooked_pct(cost) if matters and not found else 0.0,
            "Assumed": cost.bound.pct_vcpu if cost.verdict == "possible" and cost.bound else 0.0,
        }
        for name, value in values.items():
            facts[name][cost.gid] = max(value, facts[name].get(cost.gid, 0.0))
    return {rf"Fact\Faults {name}": by_vm for name, by_vm in facts.items()}


def _matched(each: LogOfVm, recording: Recording, options: GuestOptions) -> MatchedLog:
    files = tuple(read_guest_log(path, timezone=each.timezone, guest=None) for path in each.paths)
    log = _joined(files)
    if each.vm:
        vm, why = vm_called(each.vm, recording.vms), each.given_by
    else:
        vm = vm_of_computer(log.guest, recording.vms, each.paths[0].name)
        why = f"the only VM with the name of computer {log.guest}"
    given = next((value for name, value in options.offsets.items() if name in (vm.name, vm.gid)), None)
    if given is not None:
        return MatchedLog(vm, log, files, ClockOffset.constant(given), f"{_ahead(given)}, as given", why)
    if each.clock:
        return MatchedLog(vm, log, files, _offset(each.clock), _measured(each.clock), why)
    return MatchedLog(vm, log, files, ClockOffset(), "assumed to be zero because it was not measured", why)


def _joined(files: Sequence[GuestLog]) -> GuestLog:
    """The parts of one log, as a collector leaves them when a connection dropped."""
    if len(files) == 1:
        return files[0]
    import polars as pl

    samples = pl.concat([file.samples for file in files]).sort("time", maintain_order=True)
    restarts = sorted({when for file in files for when in file.restarts})
    return replace(files[0], samples=samples, restarts=tuple(restarts))


def _offset(clock: tuple[ClockPoint, ...]) -> ClockOffset:
    first, last = clock[0], clock[-1]
    return ClockOffset(
        start_at_s=first.at.timestamp(),
        start_s=first.offset_s,
        end_at_s=last.at.timestamp(),
        end_s=last.offset_s,
        start_uncertainty_s=first.uncertainty_s,
        end_uncertainty_s=last.uncertainty_s,
    )


def _measured(clock: tuple[ClockPoint, ...]) -> str:
    offset = _offset(clock)
    doubt = max(point.uncertainty_s for point in clock)
    if offset.drifts:
        both = f"{_ahead(offset.start_s)} at the start and {_ahead(offset.end_s)} at the end"
        return f"{both}, measured within {doubt:.1f} s"
    return f"{_ahead(offset.mean_s)}, measured within {doubt:.1f} s"


def _ahead(offset_s: float) -> str:
    side = "ahead of" if offset_s >= 0 else "behind"
    return f"{abs(offset_s):.1f} s {side} the host's clock"


def _rates(logs: Sequence[MatchedLog]) -> tuple[GuestRates, ClockOffset, tuple[QualityNote, ...]]:
    """What all logs of one VM say, the clock that it is on, and what of them is not used.

    The clock is that of the log with the most counts of faults.
    """
    from esxprobe.correlate import guest_rates, merged

    made = [(guest_rates(log.log), log) for log in logs]
    made.sort(key=lambda each: -_counts(each[0]))
    clock = made[0][1].offset
    on_it = [
        rates
        if log.offset == clock
        else replace(rates, stamps_s=log.offset.host_time(rates.stamps_s) + clock.mean_s)
        for rates, log in made
    ]
    whole = merged(on_it)
    notes = tuple(
        note("guest-log-unused", len(names), f"{log.files[0].file.name}: {', '.join(names)}")
        for (_, log), (names, _) in zip(made, whole.left, strict=True)
        if names
    )
    return whole.rates, clock, notes


def _series(gid: str, rates: GuestRates, clock: ClockOffset) -> GuestSeries:
    """What all logs of one VM count, on the host's clock."""
    return GuestSeries(gid, clock.host_time(rates.stamps_s), rates.covers_s, rates.values)


def _counts(rates: GuestRates) -> int:
    """How many values of faults a log has."""
    return max((int(np.isfinite(rates.values[name]).sum()) for name in _FAULTS if name in rates.values), default=0)


def _input(
    logs: Sequence[MatchedLog],
    rated: tuple[GuestRates, ClockOffset, tuple[QualityNote, ...]],
    recording: Recording,
    nested: Mapping[str, bool],
    tried: Experiments,
) -> tuple[VmFaults | None, tuple[QualityNote, ...]]:
    """Arrays of one VM and all its logs, None where the capture has no %RUN of its vCPUs; and what is not used."""
    from esxprobe.correlate import VmFaults, logged_stretches, within_seconds

    matched = logs[0]
    gid = matched.vm.gid
    rows = rows_by_gid(recording, "vcpu").get(gid, [])
    run = values_of(recording, "vcpu", _RUN, rows)
    if run is None or not rows:
        return None, ()
    judged = recording.samples.filter("judged")
    overlap, swap_wait, ready, costop = (
        values_of(recording, "vcpu", path, rows) for path in (_OVERLAP, _SWAP_WAIT, _READY, _COSTOP)
    )
    machine = rows_by_gid(recording, "vm").get(gid, [])
    balloon, swapped, compressed, swap_in, system = (
        values_of(recording, "vm", path, machine) for path in FAULT_NEEDS["vm"]
    )
    own, vcpus = list(range(len(machine))), list(range(len(rows)))
    guest, offset, unused = rated
    ends_s, covered_s = within_seconds(
        judged["time"].dt.timestamp("us").to_numpy() / 1e6, judged["interval_s"].to_numpy()
    )
    made = VmFaults(
        vm=matched.vm.name,
        gid=gid,
        mmu=matched.vm.mmu,
        ends_s=ends_s,
        covered_s=covered_s,
        run_pct=run,
        overlap_pct=overlap,
        guest=guest,
        offset=offset,
        evidence=HostEvidence(
            balloon_mb=largest(balloon, own),
            swapped_mb=largest(swapped, own),
            compressed_mb=largest(compressed, own),
            swap_wait_pct=largest(swap_wait, vcpus),
            nested_hypervisor=nested.get(gid),
        ),
        guest_boots_s=tuple(sorted({when.timestamp() for each in logs for when in each.log.restarts})),
        swap_wait_pct=None if swap_wait is None else _largest_of_rows(swap_wait),
        swap_in_mb_s=None if swap_in is None or not machine else _largest_of_rows(swap_in),
        ready_pct=ready if costop is None or ready is None else ready + np.nan_to_num(costop),
        system_pct=None if system is None or not machine else _largest_of_rows(system),
        balloon_mb=None if balloon is None or not machine else _largest_of_rows(balloon),
        gavg_ms=_gavg(recording, rows_by_gid(recording, "device-world").get(gid, [])),
        experiment=tried.runs.get(gid),
        probe=tried.probes.get(gid),
        logged=logged_stretches([event for event in recording.events if _is_of(event, gid)]),
    )
    return made, unused


def _is_of(event: Event, gid: str) -> bool:
    """Whether an event is of a VM."""
    return any(each.kind == "vm" and each.id == gid for each in (event.entity, *event.also))


def _gavg(recording: Recording, rows: list[int]) -> Floats | None:
    """(n,) GAVG of a VM over its devices, weighted by commands [ms]; NaN without any, None if not captured."""
    if not rows:
        return None
    gavg, commands = (values_of(recording, "device-world", path, rows) for path in (_GAVG, _COMMANDS))
    if gavg is None or commands is None:
        return None
    weights = np.where(np.isnan(gavg), 0.0, np.nan_to_num(commands))
    every = weights.sum(axis=0)
    spent = (weights * np.nan_to_num(gavg)).sum(axis=0)
    mean: Floats = np.divide(spent, every, out=np.full(len(every), np.nan), where=every > 0)
    return mean


def _largest_of_rows(values: Floats) -> Floats:
    """The largest value of each sample, NaN where there is none."""
    known = np.where(np.isnan(values), -np.inf, values).max(axis=0)
    return np.where(np.isinf(known), np.nan, known)


def _nested(manifest: Manifest | None, vms: Sequence[VirtualMachine]) -> dict[str, bool]:
    """VMs whose settings let a hypervisor run inside, by group id; only where a name is unique."""
    names = [vm.name for vm in vms]
    return {
        vms[names.index(entry.name)].gid: entry.settings.get("vhv.enable", "").lower() == "true"
        for entry in (manifest.vms if manifest else ())
        if entry.settings and names.count(entry.name) == 1
    }
