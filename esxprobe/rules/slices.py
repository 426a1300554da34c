"""The captured time in equal slices: how long each finding lasted in each, and how many were there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from esxprobe.arrays import Bools, Floats
from esxprobe.model import SEVERITIES, Finding, TimeSlice
from esxprobe.series import Timing

# Five minutes each in a capture of one hour.
SLICES = 12


def edges_s(timing: Timing) -> Floats:
    """Where the slices begin and end [s]: one more than there are slices; none without any sample."""
    if not len(timing.seconds):
        return np.empty(0)
    start = float((timing.ends_s - timing.seconds).min())
    return np.linspace(start, float(timing.ends_s.max()), SLICES + 1)


def seconds_in_slices(beyond: Bools, timing: Timing) -> tuple[float, ...]:
    """How much of each slice is beyond [s]; a sample counts for the slice that its middle lies in."""
    edges = edges_s(timing)
    if not len(edges):
        return ()
    place = np.searchsorted(edges, timing.ends_s - timing.seconds / 2, side="right") - 1
    summed = np.bincount(np.clip(place, 0, SLICES - 1), weights=beyond * timing.seconds, minlength=SLICES)
    return tuple(round(float(each), 3) for each in summed)


def slices_of(findings: Iterable[Finding], timing: Timing) -> tuple[TimeSlice, ...]:
    """How many findings of each severity are beyond their threshold in each slice."""
    edges = edges_s(timing)
    if not len(edges):
        return ()
    judged = seconds_in_slices(np.ones(len(timing.seconds), dtype=np.bool_), timing)
    counts = {level: np.zeros(SLICES, dtype=int) for level in SEVERITIES}
    for finding in findings:
        if finding.slices:
            counts[finding.severity] += np.array(finding.slices) > 0
    times = [datetime.fromtimestamp(round(float(edge), 6), tz=UTC) for edge in edges]
    return tuple(
        TimeSlice(times[n], times[n + 1], judged[n], *(int(counts[level][n]) for level in SEVERITIES))
        for n in range(SLICES)
    )
