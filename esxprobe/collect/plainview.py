"""What a capture that is still running says of one VM: could a fault experiment tell something, and may it run?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.collect.experiment import FaultPlan, HostView
from esxprobe.errors import EsxprobeError
from esxprobe.model import Recording

# Rules of thumb: above these the guest has no room for an experiment, or is in trouble that comes first [%].
BUSIEST_PCT, READY_PCT = 80.0, 5.0
_RUN, _READY, _LIMITED = (rf"Vcpu\% {name}" for name in ("Run", "Ready", "Max Limited"))
_RECLAIMED = {
    r"Group Memory\Memctl MBytes": "the balloon holds some of its memory",
    r"Group Memory\Swapped MBytes": "some of its memory is swapped",
    r"Group Memory\Used Compressed Memory MBytes": "some of its memory is compressed",
}
_NEEDS = {"vcpu": (_RUN, _READY, _LIMITED), "vm": tuple(_RECLAIMED)}


def plain_view(paths: Sequence[Path], plan: FaultPlan, block_s: float, pairs: int) -> HostView:
    """Reads what has arrived of a capture; a VM that cannot be seen in it is an objection.

    Args:
        paths: Its files so far, in order.
        plan: What is to be done in which VM.
        block_s: Length of a block [s].
        pairs: Pairs of blocks that are planned.
    """
    from esxprobe.formats.esxtop import read_esxtop

    try:
        recording = read_esxtop(paths, _NEEDS)
    except EsxprobeError as error:
        return HostView(None, (f"the capture cannot be read yet: {error.message}",))
    gids = [each.gid for each in recording.vms if each.name == plan.vm]
    if len(gids) != 1:
        return HostView(None, (f"the capture shows {len(gids)} VMs named {plan.vm}",))
    run = _of_vm(recording, "vcpu", _RUN, gids[0])
    if run is None or not run.size:
        return HostView(None, ("the capture has no %RUN of its vCPUs",))
    objections = [*_objections(recording, gids[0], run)]
    if len(run) == 1 and not plan.single_vcpu:
        objections.append("it has one vCPU, which the injector would take from its work (--single-vcpu allows it)")
    judged = int(recording.samples["judged"].sum())
    return HostView(_forecast(recording, run, block_s, pairs), tuple(objections), judged)


def _forecast(recording: Recording, run: Floats, block_s: float, pairs: int) -> float | None:
    from esxprobe.correlate.experiment import half_width_pct

    lengths = recording.samples.filter("judged")["interval_s"].to_numpy()
    used = run.sum(axis=0) * 1e4
    known = np.isfinite(lengths) & np.isfinite(used)
    half = half_width_pct(used[known], lengths[known], block_s, pairs)
    return float(half) if np.isfinite(half) else None


def _objections(recording: Recording, gid: str, run: Floats) -> list[str]:
    found = []
    busy = float(np.nanmean(run))
    if busy > BUSIEST_PCT:
        found.append(f"its vCPUs run {busy:.0f} % of the time; above {BUSIEST_PCT:.0f} % there is no room")
    ready, limited = (_of_vm(recording, "vcpu", path, gid) for path in (_READY, _LIMITED))
    if ready is not None:
        waiting = float(np.nanmax(np.nanmean(ready - (0.0 if limited is None else np.nan_to_num(limited)), axis=1)))
        if waiting > READY_PCT:
            found.append(f"a vCPU waits for a physical CPU for {waiting:.1f} % of the time (%RDY)")
    for path, words in _RECLAIMED.items():
        held = _of_vm(recording, "vm", path, gid)
        if held is not None and held.size and np.nanmax(np.nan_to_num(held)) > 0:
            found.append(words)
    return found


def _of_vm(recording: Recording, kind: str, path: str, gid: str) -> Floats | None:
    """(entities, samples) of one counter of a VM; None where the capture lacks it."""
    values = recording.values
    if path not in values.counters(kind):
        return None
    owners = recording.entities[kind]["gid"].to_list()
    rows = [row for row, number in enumerate(values.entities(kind).tolist()) if owners[number] == gid]
    return np.asarray(next(iter(values.read(kind, [path], np.array(rows, np.int64))))) if rows else None
