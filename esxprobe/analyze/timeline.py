"""When each VM was there: segments of a capture have columns of their own, and a VM that leaves goes still."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from esxprobe.analyze.at_work import rows_by_gid, rows_in_parts
from esxprobe.arrays import Bools
from esxprobe.catalog.quality import note
from esxprobe.formats.closure import STATES
from esxprobe.model import QualityNote, Recording, Window
from esxprobe.series import runs

# A vCPU world that exists spends about 100 % of each interval in its states; one that is gone prints
# nothing, or zeros [%].
_ALIVE_PCT = 1.0
# Shorter absences are lost cells, not departures [samples].
_LEAST_ABSENCE = 3


def presence(recording: Recording) -> dict[str, tuple[Window, ...]]:
    """When each VM was seen, by group id; only of VMs that were missing for some or all of the judged time."""
    there = _there(recording)
    judged = recording.samples.filter("judged")
    ends: list[datetime] = judged["time"].to_list()
    lengths: list[float] = judged["interval_s"].to_list()
    seen = {}
    for gid, alive in there.items():
        if not alive.all():
            seen[gid] = tuple(
                Window(ends[begin] - timedelta(seconds=lengths[begin]), ends[end]) for begin, end in runs(alive)
            )
    if there and recording.part is not None:  # of a VM of another segment no column is there
        seen |= {vm.gid: () for vm in recording.vms if vm.gid not in there}
    return seen


def comings_and_goings(recording: Recording, seen: dict[str, tuple[Window, ...]]) -> list[QualityNote]:
    """Notes of the VMs that came or left in the middle of the capture."""
    judged = recording.samples.filter("judged")
    if not seen or not judged.height:
        return []
    first = judged["time"][0] - timedelta(seconds=judged["interval_s"][0])
    last = judged["time"][-1]
    names = {vm.gid: vm.name for vm in recording.vms}
    came = [(gid, spans[0].start) for gid, spans in seen.items() if spans and spans[0].start > first]
    left = [(gid, spans[-1].end) for gid, spans in seen.items() if spans and spans[-1].end < last]
    notes = []
    for code, changes in (("vm-came", came), ("vm-left", left)):
        if changes:
            listed = ", ".join(f"{names[gid]} at {when:%H:%M:%S}" for gid, when in changes[:5])
            notes.append(note(code, len(changes), f"{listed}{' and others' if changes[5:] else ''} (UTC)"))
    return notes


def _there(recording: Recording) -> dict[str, Bools]:
    """For each VM by group id, in which judged samples at least one of its vCPUs did anything, waiting included."""
    states = [path for path in STATES if path in recording.values.counters("vcpu")]
    there = {}
    for rows, places in rows_in_parts(recording, rows_by_gid(recording, "vcpu") if states else {}, len(states)):
        spent = np.nansum(recording.values.read("vcpu", states, np.array(rows, np.int64)), axis=0)
        for gid, own in places.items():
            alive = (spent[own] > _ALIVE_PCT).any(axis=0)
            for begin, end in runs(~alive):
                if end - begin + 1 < _LEAST_ABSENCE:
                    alive[begin : end + 1] = True
            there[gid] = alive
    return there
