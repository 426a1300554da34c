"""What storage devices did, and how busy the host was: what hosts can be held against each other by."""

from __future__ import annotations

import numpy as np

from esxprobe.analyze.at_work import ENOUGH_COMMANDS, p95_of_rows, shown, values_of
from esxprobe.model import DeviceLatency, Recording
from esxprobe.series import in_parts, quantile

_DAVG = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
_COMMANDS = r"Physical Disk SCSI Device\Commands/sec"
_UTIL = r"Physical Cpu\% Util Time"


def device_rows(recording: Recording) -> tuple[DeviceLatency, ...]:
    """One row a storage device, in the capture's order."""
    if not {_DAVG, _COMMANDS} <= set(recording.values.counters("device")):
        return ()
    names = shown(recording, "device", "device")
    rows = []
    for part in in_parts(len(names), 2 * int(recording.samples["judged"].sum())):
        for name, davg, rate in zip(
            names[part], *recording.values.read("device", (_DAVG, _COMMANDS), part), strict=True
        ):
            known = rate[~np.isnan(rate)]
            busy = davg[(rate >= ENOUGH_COMMANDS) & ~np.isnan(davg)]  # NaN is not enough either
            rows.append(
                DeviceLatency(
                    device=name or "",
                    commands=float(known.mean()) if known.size else None,
                    busy=int(busy.size),
                    davg_median=float(np.median(busy)) if busy.size else None,
                    davg_p95=quantile(busy, 0.95) if busy.size else None,
                )
            )
    return tuple(rows)


def util_p95(recording: Recording) -> float | None:
    """95th percentile over samples of the host's mean PCPU %UTIL [%]; None where the capture lacks it."""
    found = p95_of_rows(values_of(recording, "host", _UTIL))
    if found is None or not found.size or np.isnan(found[0]):
        return None
    return float(found[0])
