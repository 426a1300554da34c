"""What guests counted, among the series that a page carries: means over each sample of the capture."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from esxprobe.arrays import Bools, Floats
from esxprobe.model import GUEST_COUNTERS, GUEST_OBJECT, GuestSeries
from esxprobe.report.series_codec import Chunk, encoded
from esxprobe.series import means_over

_MEANING = "as the guest counted it, its clock put on the host's: mean over each sample of the capture"
# Numbers are rounded to so many digits after the point.
_DECIMALS = 3
# No more of what series may take of a page than this is given to guests.
_SHARE = 0.5
_LARGEST = 1e12


@dataclass(frozen=True, slots=True, eq=False)
class GuestColumns:
    """Series of guests on the samples of a capture.

    Attributes:
        columns: Group id of the VM and counter of each.
        chunk: Their numbers.
        left_out: How many did not fit.
    """

    columns: tuple[tuple[str, str], ...]
    chunk: Chunk
    left_out: int

    @property
    def size(self) -> int:
        """What they take of a page at most [bytes]."""
        return len(base64.b64encode(self.chunk.packed)) + 80 + 40 * len(self.columns)


def guest_columns(guests: Sequence[GuestSeries], times_s: Floats, budget: int | None) -> GuestColumns | None:
    """The series of guests that fit, faults first; None without any.

    Args:
        guests: What guests counted.
        times_s: (n,) ends of the capture's samples, rising [s since 1970].
        budget: How much of the page all series may take [bytes]; None for no limit.
    """
    found = [each for guest in guests for each in _on_samples(guest, times_s)]
    found.sort(key=lambda each: "faults" not in each[1])
    kept = len(found)
    while kept:
        some = found[:kept]
        values = np.array([each[2] for each in some])
        missing: Bools = ~(np.abs(values) < _LARGEST)
        chunk = encoded(np.rint(np.where(missing, 0.0, values) * 10**_DECIMALS).astype(np.int64), missing)
        columns = tuple((some[row][0], some[row][1]) for row in chunk.order)
        made = GuestColumns(columns, chunk, len(found) - kept)
        if budget is None or made.size <= _SHARE * budget:
            return made
        kept //= 2
    return None


def _on_samples(guest: GuestSeries, times_s: Floats) -> Iterator[tuple[str, str, Floats]]:
    """Group id of the VM, counter and means of each counter that has a value."""
    counters = sorted(guest.values)
    rates = np.array([guest.values[counter] for counter in counters]).reshape(len(counters), len(guest.stamps_s))
    covered_s = np.diff(times_s, prepend=np.nan)
    means = means_over(times_s, covered_s, guest.stamps_s, guest.covers_s, rates)
    for counter, mean in zip(counters, means, strict=True):
        if np.isfinite(mean).any():
            yield guest.gid, counter, mean


def with_guests(index: dict[str, Any], guests: GuestColumns) -> dict[str, Any]:
    """The index of a page's series with those of guests behind the others that changed.

    Args:
        index: The index; it is not changed.
        guests: What is added: the next chunk.
    """
    places = {gid: n for n, (_, gid) in enumerate(index["vms"])}
    objects, meanings, things = list(index["objects"]), list(index["meanings"]), list(index["things"])
    objects.append(GUEST_OBJECT)
    counters = sorted({counter for _, counter in guests.columns}, key=list(GUEST_COUNTERS).index)
    meaning = {counter: len(meanings) + n for n, counter in enumerate(counters)}
    meanings += [
        [len(objects) - 1, counter, f"guest {counter.replace('_', ' ')}", GUEST_COUNTERS[counter], _MEANING]
        for counter in counters
    ]
    machines = list(dict.fromkeys(gid for gid, _ in guests.columns))
    thing = {gid: len(things) + n for n, gid in enumerate(machines)}
    things += [[len(objects) - 1, index["vms"][places[gid]][0], places[gid]] for gid in machines]
    at, count = sum(rows for rows, *_ in index["chunks"]), len(guests.columns)

    def inserted(old: Sequence[int], new: Sequence[int]) -> list[int]:
        return [*old[:at], *new, *old[at:]]

    return index | {
        "objects": objects,
        "meanings": meanings,
        "things": things,
        "meaning": inserted(index["meaning"], [meaning[counter] for _, counter in guests.columns]),
        "thing": inserted(index["thing"], [thing[gid] for gid, _ in guests.columns]),
        "decimals": inserted(index["decimals"], [_DECIMALS] * count),
        "shortest": [
            *(each if each < at else each + count for each in index["shortest"]),
            *range(at, at + count),
        ],
        "chunks": [
            *index["chunks"],
            [count, list(guests.chunk.planes), list(guests.chunk.masked)],
        ],
        "guests": {"series": count, "left_out": guests.left_out},
    }
