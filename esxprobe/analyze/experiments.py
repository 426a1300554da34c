"""Fault experiments and probes that a capture folder holds, as its manifest lists them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.analyze.guestlogs import GuestOptions, inside_folder
from esxprobe.catalog.quality import note
from esxprobe.errors import EsxprobeError
from esxprobe.formats.injections import read_injections
from esxprobe.model import FaultProbe, Injections, QualityNote, VirtualMachine
from esxprobe.model.manifest import FaultRun, Manifest

if TYPE_CHECKING:
    from esxprobe.correlate import ExperimentRun

# No order is longer than that of half an hour in blocks of 5 s.
_MOST_BLOCKS = 1000


@dataclass(frozen=True, slots=True)
class Experiments:
    """What was tried in guests, by the group id of their VM.

    Attributes:
        runs: The last experiment of each.
        probes: The last probe of each.
        notes: What could not be read.
    """

    runs: dict[str, ExperimentRun] = field(default_factory=dict)
    probes: dict[str, FaultProbe] = field(default_factory=dict)
    notes: tuple[QualityNote, ...] = ()


def experiments_in(options: GuestOptions, manifest: Manifest | None, vms: Sequence[VirtualMachine]) -> Experiments:
    """Reads every experiment and probe that the manifest lists; one that cannot be read is a note."""
    from esxprobe.correlate import ExperimentRun

    found, notes = Experiments(), []
    for entry, path, gid in _listed(options.folder, manifest, vms):
        try:
            log = read_injections(path)
        except EsxprobeError as error:
            notes.append(note("guest-log-unusable", 1, f"{path.name}: {error.message}"))
            continue
        if entry.kind == "experiment" and _is_order(entry.order):
            found.runs[gid] = ExperimentRun(entry.order, log)
        elif entry.kind == "experiment":
            notes.append(note("guest-log-unusable", 1, f"{path.name}: the manifest has no order of blocks for it"))
        if (probe := probe_of(log)) is not None:
            found.probes[gid] = probe
    return Experiments(found.runs, found.probes, tuple(notes))


def probe_of(log: Injections) -> FaultProbe | None:
    """The guest's own timing; None where it did not come to that."""
    timed = log.calibration
    if timed is None or not timed.touch_us > 0:
        return None
    each = (timed.touch_low_us, timed.touch_us, timed.touch_high_us, timed.cpu_us)
    if not all(map(math.isfinite, each)):
        return None
    return FaultProbe(
        us=timed.touch_us,
        low_us=min(timed.touch_low_us, timed.cpu_us or timed.touch_low_us),
        high_us=max(timed.touch_high_us, timed.cpu_us),
        cpu_us=timed.cpu_us,
        injector=log.injector,
    )


def _is_order(order: str) -> bool:
    """Whether each pair of blocks has one that faults and one that does not."""
    pairs = [order[n : n + 2] for n in range(0, len(order), 2)]
    return 0 < len(order) <= _MOST_BLOCKS and all(pair in ("10", "01") for pair in pairs)


def _listed(
    folder: Path | None, manifest: Manifest | None, vms: Sequence[VirtualMachine]
) -> Iterator[tuple[FaultRun, Path, str]]:
    """Entries with their file and the group id of their VM; one whose VM or file is not there is left out."""
    if manifest is None or folder is None:
        return
    for entry in manifest.fault_runs:
        gids = [vm.gid for vm in vms if vm.name == entry.vm]
        paths = inside_folder(folder, [entry.file])
        if len(gids) == 1 and paths:
            yield entry, paths[0], gids[0]
