"""Matrices out of a recording: one row an entity, one column a judged sample; missing is NaN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.model import Recording
from esxprobe.rules.once import once
from esxprobe.series import in_parts, quantile_of_rows

# Latencies are judged and shown over samples with so many commands: a mean of fewer says little [1/s].
ENOUGH_COMMANDS = 10.0

_Part = tuple[list[int], dict[str, list[int]]]


@once
def shown(recording: Recording, kind: str, column: str) -> tuple[str, ...]:
    """A column of the entities of a kind that have counters, in the order of their rows; empty without any."""
    numbers, things = recording.values.entities(kind), recording.entities.get(kind)
    if things is None or not len(numbers):
        return ()
    names = things[column].to_list()
    return tuple(names[number] for number in numbers.tolist())


def values_of(recording: Recording, kind: str, path: str, rows: Sequence[int] | None = None) -> Floats | None:
    """One counter as a matrix, one row an entity, all of them or some; None where the capture lacks it."""
    values = recording.values
    if path not in values.counters(kind) or not len(values.entities(kind)):
        return None
    return values.read(kind, [path], slice(None) if rows is None else np.array(rows, np.int64))[0]


def rows_in_parts(recording: Recording, rows: Mapping[str, list[int]], counters: int) -> Iterator[_Part]:
    """Things and the rows that belong to each, so many things at a time as may be in memory at once.

    Args:
        recording: A capture.
        rows: Row numbers of each thing.
        counters: How many counters are read of every row.

    Yields:
        All rows of these things, and for each where its own are among them.
    """
    length = int(recording.samples["judged"].sum())
    things = list(rows.items())
    most = max((len(own) for own in rows.values()), default=1)
    for part in in_parts(len(things), 2 * most * counters * length):
        taken: list[int] = []
        places = {}
        for thing, own in things[part]:
            places[thing] = list(range(len(taken), len(taken) + len(own)))
            taken += own
        yield taken, places


def rows_by_gid(recording: Recording, kind: str) -> dict[str, list[int]]:
    """Row numbers of the kind's matrices by the group id of what they belong to."""
    rows: dict[str, list[int]] = {}
    for row, gid in enumerate(shown(recording, kind, "gid")):
        rows.setdefault(gid, []).append(row)
    return rows


def p95_of_rows(values: Floats | None) -> Floats | None:
    """95th percentile of each row, NaN of a row without any value."""
    return None if values is None else quantile_of_rows(values, 0.95)


def p95_at_work(values: Floats | None, commands: Floats | None) -> Floats | None:
    """95th percentile of each row over the samples with enough commands; over all where commands are not known."""
    if values is None or commands is None:
        return p95_of_rows(values)
    return quantile_of_rows(np.where(commands >= ENOUGH_COMMANDS, values, np.nan), 0.95)


def known_at(values: Floats | None, row: int) -> float | None:
    """The value of a row, None where it has none."""
    return None if values is None or np.isnan(values[row]) else float(values[row])


def largest(values: Floats | None, rows: list[int]) -> float | None:
    """The largest value of some rows, None without any."""
    known = _known(values, rows)
    return float(known.max()) if len(known) else None


def mean(values: Floats | None, rows: list[int]) -> float | None:
    """The mean of some rows, None without any value."""
    known = _known(values, rows)
    return float(known.mean()) if len(known) else None


def last(values: Floats | None, rows: list[int]) -> float | None:
    """The last value of some rows, None without any."""
    known = _known(values, rows)
    return float(known[-1]) if len(known) else None


def _known(values: Floats | None, rows: list[int]) -> Floats:
    picked = np.empty(0) if values is None or not rows else values[rows].reshape(-1)
    return picked[~np.isnan(picked)]
