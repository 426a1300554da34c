"""Stamps without seconds: rows spread evenly, with the interval that all their minutes agree to.

Row k of a capture stands at o + s * k, and its stamp says in which minute that is. Of all offsets o and intervals s
that put every row into its minute the one with the most room to either side is taken; a whole number of seconds
where one fits, for esxtop is asked for whole ones. Rows that no even spread puts into their minutes begin anew:
there is a gap before them, or the clock was set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Floats, Integers

_MINUTE = 60.0
_STEPS = 60
# How far a row may stand outside its minute [s]: intervals vary a little.
_LOOSE = 2.0


@dataclass(frozen=True, slots=True)
class _Runs:
    """Rows that share a minute, one run behind the other: minute [s], first and last row."""

    minutes: Floats
    first: Integers
    last: Integers

    @classmethod
    def of(cls, minutes: Floats, rows: Integers) -> _Runs:
        edges = np.flatnonzero(np.diff(minutes)) + 1
        starts = np.concatenate([[0], edges])
        ends = np.concatenate([edges - 1, [len(rows) - 1]])
        return cls(minutes[starts], rows[starts], rows[ends])

    def __len__(self) -> int:
        return len(self.minutes)

    def part(self, first: int, behind: int) -> _Runs:
        return _Runs(self.minutes[first:behind], self.first[first:behind], self.last[first:behind])

    def offsets(self, interval: float) -> tuple[float, float]:
        """Least and greatest offset with which all rows stand in their minutes; none where least is greater."""
        least = float((self.minutes - interval * self.first).max())
        most = float((self.minutes + _MINUTE - interval * self.last).min())
        return least, most

    def room(self, interval: float) -> float:
        least, most = self.offsets(interval)
        return most - least

    def interval(self, low: float, high: float) -> float:
        """The interval with the most room [s]: room has one summit."""
        for _ in range(_STEPS):
            third = (high - low) / 3
            if self.room(low + third) < self.room(high - third):
                low += third
            else:
                high -= third
        best = (low + high) / 2
        whole = float(round(best))
        return whole if whole > 0 and self.room(whole) > 0 else best


def spread(minutes: Floats, rows: Integers) -> Floats:
    """Times of rows whose stamps have no seconds.

    Args:
        minutes: Their stamps [s].
        rows: Their numbers; one that is missing was lost, and took its time.

    Returns:
        Times [s].
    """
    if len(rows) < 2:
        return minutes
    runs = _Runs.of(minutes, rows)
    low, high = _bounds(runs)
    parts = list(_parts(runs, low, high))
    usual = max(parts, key=lambda part: part[1] - part[0])
    interval = runs.part(*usual).interval(low, high)
    times = np.empty(len(rows))
    for first, behind in parts:
        own = runs.part(first, behind)
        fits = interval if own.room(interval) > -_LOOSE else own.interval(low, high)
        inside = slice(*np.searchsorted(rows, [own.first[0], own.last[-1] + 1]))
        times[inside] = own.offsets(fits)[0] + fits * rows[inside]
    return times


def _bounds(runs: _Runs) -> tuple[float, float]:
    """Least and greatest interval that the usual number of rows a minute allows [s]."""
    lengths = runs.last - runs.first + 1
    # The first minute and the last one are cut.
    many = float(np.median(lengths[1:-1]) if len(runs) > 2 else lengths.max())
    if many >= 2:
        return _MINUTE / (many + 1), _MINUTE / (many - 1)
    ahead = float(np.median(np.diff(runs.minutes))) if len(runs) > 1 else _MINUTE
    return max(1.0, ahead - _MINUTE), max(2.0, ahead + _MINUTE)


def _parts(runs: _Runs, low: float, high: float) -> list[tuple[int, int]]:
    """Runs that one even spread puts into their minutes: first, and the one behind the last; as many as can be."""

    def fits(first: int, behind: int) -> bool:
        own = runs.part(first, behind)
        return own.room(own.interval(low, high)) > -_LOOSE

    parts = []
    first = 0
    while first < len(runs):
        behind, step = first + 1, 1
        while step:
            if behind + step <= len(runs) and fits(first, behind + step):
                behind += step
                step *= 2
            else:
                step //= 2
        parts.append((first, behind))
        first = behind
    return parts
