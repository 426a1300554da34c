"""Closure: whether the CPU states of a world add up, sample by sample (see docs/method.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from esxprobe.arrays import Bools, Floats
from esxprobe.model import Values
from esxprobe.series import in_parts

# Per-world CPU states that must add up.
STATES = (r"Vcpu\% Run", r"Vcpu\% Ready", r"Vcpu\% CoStop", r"Vcpu\% Wait")
_CLOSURE_OFF = 3.0  # points of % away from the sample's own closure; screens seen agree within 0.01


def sum_of_states(states: Sequence[Floats]) -> Floats:
    """What the states of `STATES` of each world and sample add up to [%]."""
    run, ready, costop, wait = states
    return np.asarray(run + ready + costop + wait)


def off_closure(values: Values, kind: str, length: int) -> tuple[int, tuple[int, int] | None]:
    """World samples whose CPU states do not add up to what the sample's other worlds add up to.

    Real captures do not close at 100 % (98.9 % and 97.3 % were seen) but all worlds of a sample
    close alike, so each is compared with the sample's own median. A world that is gone prints zeros:
    it is absent, not off.

    Args:
        values: Of a capture.
        kind: Of the worlds.
        length: Number of judged samples.

    Returns:
        How many are off by more than three points, and entity and sample of the first one: of the first world.
    """
    worlds = values.entities(kind)
    count, firsts = 0, []
    for samples, off in _off_in_parts(values, kind, length):
        row, column = np.nonzero(off)
        count += len(row)
        if len(row):
            firsts.append((int(worlds[row[0]]), samples.start + int(column[0])))
    return count, min(firsts, default=None)


def samples_off_closure(values: Values, kind: str, length: int) -> dict[int, int]:
    """Numbers of the worlds whose CPU states do not add up, and in how many samples (see `off_closure`)."""
    worlds = values.entities(kind)
    counts = np.zeros(len(worlds), np.int64)
    for _, off in _off_in_parts(values, kind, length):
        counts += off.sum(axis=1)
    return {int(worlds[row]): int(counts[row]) for row in np.flatnonzero(counts)}


def _off_in_parts(values: Values, kind: str, length: int) -> Iterator[tuple[slice, Bools]]:
    """Some samples after the others, and which worlds are off in each."""
    worlds = values.entities(kind)
    if not set(STATES) <= set(values.counters(kind)) or not len(worlds):
        return
    for samples in in_parts(length, len(STATES) * len(worlds)):
        closure = sum_of_states(values.read(kind, STATES, samples=samples))
        known = ~np.isnan(closure)
        with np.errstate(invalid="ignore"):
            off = (np.abs(closure - _medians(closure, known)) > _CLOSURE_OFF) & (closure != 0)
        yield samples, np.asarray(off)


def _medians(closure: Floats, known: Bools) -> Floats:
    """Median of each column, NaN where it has no value."""
    if known.all():
        return np.asarray(np.median(closure, axis=0))
    columns = (closure[known[:, n], n] for n in range(closure.shape[1]))
    return np.array([np.median(column) if len(column) else np.nan for column in columns])
