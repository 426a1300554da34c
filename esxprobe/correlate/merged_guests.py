"""Several logs of one guest as one: user time from one, fault rates from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.correlate.inputs import GuestRates
from esxprobe.model import GUEST_COUNTERS
from esxprobe.series import means_over

# Counters that are held against each other come from one log: two programs do not count the same.
_TOGETHER = (("faults", "soft_faults", "hard_faults"), ("user_time", "system_time"))
_FAMILIES = (*_TOGETHER, *((name,) for name in GUEST_COUNTERS if not any(name in family for family in _TOGETHER)))


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """One guest's logs as one.

    Attributes:
        rates: On the intervals of the log that the fault rates come from.
        taken: By log, in the order given: the counters that were taken of it.
        left: By log: the counters that were not, and the places of the logs that they were taken from.
    """

    rates: GuestRates
    taken: tuple[tuple[str, ...], ...]
    left: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]


def merged(logs: Sequence[GuestRates]) -> Merged:
    """One guest's logs as one, for each counter the log that has most of it.

    Counters that belong together are taken of one log. Logs that follow each other in time are parts of one. What
    comes from a log with other intervals is averaged over those of the faults' log, as `means_over` does.

    Args:
        logs: At least one, all by the same clock.
    """
    chosen = {family: _chosen(logs, family) for family in _FAMILIES}
    base = next((places for places in chosen.values() if places), (0,))
    grid = _appended([logs[place] for place in base])
    values: dict[str, Floats] = {}
    for family, places in chosen.items():
        if not places:
            continue
        part = grid if places == base else _appended([logs[place] for place in places])
        for name in family:
            if name in part.values:
                values[name] = part.values[name] if part is grid else _on(grid, part, name)
    taken, left = [], []
    for place, log in enumerate(logs):
        has = [name for name in GUEST_COUNTERS if _counts(log, name)]
        used = tuple(name for name in has if place in chosen[_family(name)])
        missed = tuple(name for name in has if name not in used)
        instead = sorted({other for name in missed for other in chosen[_family(name)]})
        taken.append(used)
        left.append((missed, tuple(instead)))
    return Merged(GuestRates(grid.stamps_s, grid.covers_s, values), tuple(taken), tuple(left))


def _family(name: str) -> tuple[str, ...]:
    return next(family for family in _FAMILIES if name in family)


def _counts(log: GuestRates, name: str) -> bool:
    return name in log.values and bool(np.isfinite(log.values[name]).any())


def _chosen(logs: Sequence[GuestRates], family: tuple[str, ...]) -> tuple[int, ...]:
    """Places of the logs that a family is taken of: the fullest one, and those that lie before or behind it."""
    has = [place for place, log in enumerate(logs) if any(_counts(log, name) for name in family)]
    has.sort(key=lambda place: (-sum(_counts(logs[place], name) for name in family), -_covered_s(logs[place])))
    kept: list[int] = []
    for place in has:
        first_s, last_s = _span_s(logs[place])
        spans = [_span_s(logs[other]) for other in kept]
        if all(last_s <= begin or first_s >= end for begin, end in spans):
            kept.append(place)
    return tuple(sorted(kept, key=lambda place: _span_s(logs[place])))


def _covered_s(log: GuestRates) -> float:
    return float(np.nansum(log.covers_s))


def _span_s(log: GuestRates) -> tuple[float, float]:
    """First stamp and last stamp [s since 1970]: the interval before the first one may overlap another log."""
    return float(log.stamps_s[0]), float(log.stamps_s[-1])


def _appended(logs: Sequence[GuestRates]) -> GuestRates:
    if len(logs) == 1:
        return logs[0]
    names = [name for name in GUEST_COUNTERS if any(name in log.values for log in logs)]
    missing = [np.full(len(log.stamps_s), np.nan) for log in logs]
    values = {
        name: np.concatenate([log.values.get(name, gap) for log, gap in zip(logs, missing, strict=True)])
        for name in names
    }
    stamps, covers = (np.concatenate([getattr(log, part) for log in logs]) for part in ("stamps_s", "covers_s"))
    kept = np.concatenate(([True], np.diff(stamps) > 0)) if len(stamps) else np.zeros(0, dtype=np.bool_)
    return GuestRates(stamps[kept], covers[kept], {name: each[kept] for name, each in values.items()})


def _on(grid: GuestRates, log: GuestRates, name: str) -> Floats:
    return means_over(grid.stamps_s, grid.covers_s, log.stamps_s, log.covers_s, log.values[name])
