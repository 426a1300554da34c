"""Which guest log belongs to which VM, and how far its clock is from the host's.

What a person says comes first, then what the capture's manifest says, then the computer's name in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from esxprobe.analyze.events import EventOptions
from esxprobe.errors import UsageError
from esxprobe.files.json_records import utc
from esxprobe.formats.vmware_log import read_vmware_log
from esxprobe.model import GuestLog, GuestLogUse, Mmu, QualityNote, VirtualMachine
from esxprobe.model.manifest import ClockReadings, Manifest


@dataclass(frozen=True, slots=True)
class GuestOptions:
    """What a person said about guests, beyond what the capture holds.

    Attributes:
        logs: VM (name or group id; empty: found by the computer's name in the log) and file.
        offsets: By VM: how far the guest's clock is ahead of the host's [s].
        timezone: Zone of the logs' stamps, where the logs do not say it or cannot be trusted.
        mmu: By VM: its monitor mode.
        vmware_logs: By VM: a copy of its vmware.log.
        folder: The capture folder, whose manifest names logs; None without one.
        events: What a person said about logs of hosts, which events are taken from.
    """

    logs: tuple[tuple[str, Path], ...] = ()
    offsets: Mapping[str, float] = field(default_factory=dict)
    timezone: str | None = None
    mmu: Mapping[str, Mmu] = field(default_factory=dict)
    vmware_logs: Mapping[str, Path] = field(default_factory=dict)
    folder: Path | None = None
    events: EventOptions = field(default_factory=EventOptions)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that a person named."""
        return (*(path for _, path in self.logs), *self.vmware_logs.values(), *self.events.files)


@dataclass(frozen=True, slots=True)
class ClockPoint:
    """The guest's clock less the host's at one moment: offset and how exact it is at worst [s]."""

    at: datetime
    offset_s: float
    uncertainty_s: float


@dataclass(frozen=True, slots=True)
class LogOfVm:
    """A log to read.

    Attributes:
        paths: Its files, in order.
        vm: As given, empty when the computer's name decides.
        timezone: Time zone of the timestamps, None when the log says it.
        clock: Guest against host, none to two readings in order of time.
        given_by: `--guest-log` or `collected with the host`.
        is_asked_for: Whether a person named it: then it has to be readable.
    """

    paths: tuple[Path, ...]
    vm: str
    timezone: str | None
    clock: tuple[ClockPoint, ...]
    given_by: str
    is_asked_for: bool = True


def logs_to_read(options: GuestOptions, manifest: Manifest | None) -> list[LogOfVm]:
    """Every log that was given, those of a person instead of the manifest's for the same VM."""
    given = [LogOfVm((path,), vm, options.timezone, (), "--guest-log") for vm, path in options.logs]
    named = {log.vm for log in given}
    return given + [log for log in _collected(options, manifest) if log.vm not in named]


def _collected(options: GuestOptions, manifest: Manifest | None) -> Iterator[LogOfVm]:
    if manifest is None or options.folder is None:
        return
    for guest in manifest.guests:
        paths = inside_folder(options.folder, guest.files or [guest.file])
        if paths:
            clock = tuple(_points(guest.clock, manifest.clock))
            zone = options.timezone or guest.timezone or _zone(guest.clock)
            yield LogOfVm(paths, guest.vm, zone, clock, "collected with the host", is_asked_for=False)


def inside_folder(folder: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """The files of these names in a folder; names that lead out of it are not followed."""
    paths = [folder / name for name in names if name]
    inside = folder.resolve()
    return tuple(path for path in paths if path.resolve().is_relative_to(inside) and path.is_file())


def _points(guest: ClockReadings, host: ClockReadings) -> list[ClockPoint]:
    """Guest less host at start and end in order of time, from both clocks' readings against the collector's."""
    points = []
    for theirs, ours in ((guest.start, host.start), (guest.end, host.end)):
        if theirs is None or ours is None:
            continue
        at, numbers = utc(theirs.at), (theirs.offset_s, ours.offset_s, theirs.uncertainty_s, ours.uncertainty_s)
        if at is not None and ours.at is not None and None not in numbers:
            offset_s, host_s, uncertainty_s, host_uncertainty_s = (each or 0.0 for each in numbers)
            points.append(ClockPoint(at, offset_s - host_s, uncertainty_s + host_uncertainty_s))
    return sorted(points, key=lambda point: point.at)


def _zone(clock: ClockReadings) -> str | None:
    """A guest's offset from UTC as its own clock gave it."""
    return next((each.zone for each in (clock.start, clock.end) if each and each.zone), None)


def vm_called(name: str, vms: Sequence[VirtualMachine]) -> VirtualMachine:
    """The VM of this name or group id; upper and lower case count where both are there.

    Raises:
        UsageError: There is none, or several have the name.
    """
    exact = [vm for vm in vms if vm.name == name] or [vm for vm in vms if vm.gid == name]
    found = exact or [vm for vm in vms if vm.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        names = ", ".join(vm.name for vm in vms[:10]) or "none"
        raise UsageError(f"no VM named {name!r} in this capture", hint=f"VMs: {names}")
    gids = ", ".join(vm.gid for vm in found)
    raise UsageError(f"{len(found)} VMs are called {name!r}", hint=f"use the group ID instead: {gids}")


def vm_of_computer(computer: str, vms: Sequence[VirtualMachine], file: str) -> VirtualMachine:
    """The only VM whose name is the computer's, in full or up to the first dot.

    Raises:
        UsageError: None has it, or several.
    """
    wanted = computer.casefold()
    exact = [vm for vm in vms if vm.name.casefold() == wanted]
    found = exact or [vm for vm in vms if _short(vm.name) == _short(computer)]
    if wanted and len(found) == 1:
        return found[0]
    why = f"it comes from computer {computer!r}" if computer else "it contains no computer name"
    many = f", and {len(found)} VMs have that name" if found else ", and no VM has that name" if computer else ""
    raise UsageError(
        f"{file}: cannot tell which VM this log belongs to: {why}{many}",
        hint=f"specify the VM: --guest-log VM={file}",
    )


def _short(name: str) -> str:
    return name.casefold().split(".", 1)[0].strip()


def given_modes(options: GuestOptions, called: Callable[[str], str]) -> dict[str, tuple[Mmu, str]]:
    """Monitor modes that a person gave, with their evidence; they take precedence over a vmware.log.

    Args:
        options: What a person said.
        called: Gives what a VM is known by for the given name.

    Raises:
        UsageError: A VM that was named is not there.
        UnreadableInputError: A log cannot be read.
    """
    given: dict[str, tuple[Mmu, str]] = {}
    for name, path in options.vmware_logs.items():
        mode = read_vmware_log(path)
        nothing = "no line in it tells the monitor mode, which is logged when the VM is powered on"
        given[called(name)] = (mode.mmu, f"{path.name}: {mode.evidence or nothing}")
    for name, mmu in options.mmu.items():
        given[called(name)] = (mmu, f"monitor mode set with --mmu: {mmu}")
    return given


def use_of(log: GuestLog, vm: str, gid: str, matched_by: str, offset: str) -> GuestLogUse:
    """What is reported of a log that was read.

    Args:
        log: The log.
        vm: Name of the VM that it belongs to.
        gid: esxtop's group id of the VM; empty without a capture.
        matched_by: How that was found.
        offset: The guest's clock against the host's, in words; empty without a capture.
    """
    return GuestLogUse(
        vm=vm,
        gid=gid,
        file=log.file.name,
        sha256=log.file.sha256,
        bytes=log.file.bytes,
        format=log.format,
        computer=log.guest,
        zone=log.zone,
        interval_s=log.interval_s,
        matched_by=matched_by,
        offset=offset,
        first=log.samples["time"].min(),  # type: ignore[arg-type]
        last=log.samples["time"].max(),  # type: ignore[arg-type]
    )


def named_notes(log: GuestLog) -> Iterator[QualityNote]:
    """A log's notes, each with the file that it is about."""
    for given in log.notes:
        yield replace(given, detail=f"{log.file.name}: {given.detail}")
