"""When samples ended within the seconds of their stamps.

esxtop stamps a row with whole seconds and sleeps for the interval after it, so a row comes a little later than the
interval after the one before: 2.01 s, say. Most stamps are then 2 s apart and one in a hundred is 3 s apart. As
printed, stamps are up to a second early, and one row in a hundred seems to cover half as much time again as it
does. Where a step is longer than the others the true time has just passed a full second; between such steps it
moves evenly.
"""

from __future__ import annotations

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.series import stretches

# Steps that exceed the usual one by more than this are more than rounding [s].
_MOST_STEP = 1


def within_seconds(ends_s: Floats, covered_s: Floats) -> tuple[Floats, Floats]:
    """Times of samples whose stamps are whole seconds, as evenly apart as their stamps allow.

    Each is within the second that begins with its stamp; in the middle of it where nothing tells more.

    Args:
        ends_s: (n,) stamps, rising [s].
        covered_s: (n,) lengths of the samples by their stamps [s]; NaN where not known.

    Returns:
        Both, corrected; as they were where stamps have fractions of a second.
    """
    if not len(ends_s) or (ends_s != np.floor(ends_s)).any():
        return ends_s, covered_s
    times, lengths = ends_s.copy(), covered_s.copy()
    for first, behind in stretches(ends_s, np.where(np.isnan(covered_s), 0.0, covered_s)):
        times[first:behind] = _dated(ends_s[first:behind])
        lengths[first + 1 : behind] = np.diff(times[first:behind])
    return times, lengths


def _dated(stamps: Floats) -> Floats:
    """The same for samples that follow each other."""
    count = len(stamps)
    if count < 2:
        return stamps + 0.5
    usual = float(np.floor(np.median(np.diff(stamps))))
    even = usual * np.arange(count)
    late = stamps - even  # the true lateness is in the second that begins here
    steps = np.diff(late)
    times = np.empty(count)
    jumps = (np.flatnonzero(np.abs(steps) > _MOST_STEP) + 1).tolist()  # esxtop was held up
    for first, behind in zip([0, *jumps], [*jumps, count], strict=True):
        times[first:behind] = even[first:behind] + _lateness(late[first:behind])
    return times


def _lateness(floors: Floats) -> Floats:
    """(n,) an even course through seconds that are known by their beginnings [s]."""
    here = np.arange(len(floors))
    crossed = np.flatnonzero(np.diff(floors))
    if not len(crossed):
        return floors + 0.5
    at, level = crossed + 0.5, np.maximum(floors[crossed], floors[crossed + 1])
    if len(crossed) > 1:
        slope = (level[-1] - level[0]) / (at[-1] - at[0])
    else:  # no more than a second on the longer side, and in the same direction
        slope = 0.5 * float(np.diff(floors)[crossed[0]]) / max(at[0], len(floors) - at[0])
    course = np.interp(here, at, level)
    course += np.where(here < at[0], slope * (here - at[0]), 0) + np.where(
        here > at[-1], slope * (here - at[-1]), 0
    )
    return np.asarray(np.clip(course, floors, np.nextafter(floors + 1, floors)))
