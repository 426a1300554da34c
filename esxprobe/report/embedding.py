"""Which series of a capture go into a page, and their index: all that fits the budget, the telling ones first.

A series that never changed is one value in the index. Others are chunks of bytes (`series_codec`) that the page
decodes when they are asked for. What findings, cards and tables refer to goes first; then a series goes before one
that tells less a byte: how much of its variance is slow movement, not noise from sample to sample, over its size.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from esxprobe import catalog
from esxprobe.arrays import Bools, Bytes, Floats, Integers
from esxprobe.formats.numbered import without_number
from esxprobe.formats.printed_cells import CaptureCells, PrintedColumns
from esxprobe.report.series_codec import Chunk, encoded

SCHEMA = "esxprobe.series/1"
# Series of a chunk, and how many columns are looked at in one go.
_CHUNK, _PART = 512, 2048
# Slow movement: the variance of means over so many stretches of the capture.
_STRETCHES = 24
# What a series takes of the index [bytes, packed].
_OF_INDEX = 12.0
# Base64 makes four bytes of three.
_IN_PAGE = 4 / 3


@dataclass(frozen=True, slots=True)
class Embedded:
    """Series as a page carries them.

    Attributes:
        index: Names, places and constants, as plain values; docs/python.md tells what each is.
        chunks: The bytes of the series that changed.
    """

    index: dict[str, Any]
    chunks: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """The index as JSON."""
        return json.dumps(self.index, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @property
    def parts(self) -> list[str]:
        """The chunks as a script element may carry them."""
        return [base64.b64encode(chunk).decode() for chunk in self.chunks]

    def nameless(self) -> Embedded:
        """The same with one word in place of every name of the capture."""
        things = [[thing[0], "name" if thing[1] else "", *thing[2:]] for thing in self.index["things"]]
        named = {"host": "name", "things": things, "vms": [["name", vm[1]] for vm in self.index["vms"]]}
        if events := self.index.get("events"):
            marks = [
                [*mark[:3], ["name"] * len(mark[3]), "name" if mark[4] else "", *mark[5:]]
                for mark in events["marks"]
            ]
            named["events"] = events | {"marks": marks}
        return Embedded(self.index | named, self.chunks)


@dataclass(slots=True)
class _ColumnSurvey:
    """What is known of every column before any is encoded."""

    constant: list[float | str | None]
    size: Floats  # estimated [bytes]
    telling: Floats
    lost: Bools
    decimals: Bytes
    shortest: Bools


class SurveyAhead:
    """The survey of a capture's columns, in a thread beside what comes between its reading and its page."""

    def __init__(self, cells: CaptureCells) -> None:
        """Begins."""
        self._cells, pool = cells, ThreadPoolExecutor(1, "survey")
        self._coming = pool.submit(_surveyed, cells)
        pool.shutdown(wait=False)

    def of(self, cells: CaptureCells) -> _ColumnSurvey:
        """The survey of these cells, which is made now where they are others: renamed ones have other texts.

        Raises:
            OutputError: The temporary file that holds the cells was cut off.
        """
        return self._coming.result() if cells is self._cells else _surveyed(cells)


def embedded(
    cells: CaptureCells, tiers: Integers | None, budget: int | None, ahead: SurveyAhead | None = None
) -> Embedded:
    """The series of a capture that fit into a page.

    Args:
        cells: The cells of the columns that were read.
        tiers: For each column how soon it goes, 0 the soonest; None where all go alike.
        budget: How much of the page they may take [bytes]; None for all of them.
        ahead: The survey of the columns, where it was begun before.

    Raises:
        OutputError: The temporary file that holds the cells was cut off.
    """
    survey = _surveyed(cells) if ahead is None else ahead.of(cells)
    still = np.array([each is not None for each in survey.constant], np.bool_)
    moving = np.flatnonzero(~still & ~survey.lost)
    rank = survey.telling[moving] / (survey.size[moving] + _OF_INDEX)
    order = moving[np.lexsort((-rank, np.zeros(len(moving)) if tiers is None else tiers[moving]))]
    room = None if budget is None else float(budget)
    columns = np.flatnonzero(still & ~survey.lost)
    while True:
        made = _filled(cells, survey, columns, order, room)
        over = 0 if budget is None else _size(made) - budget
        if over <= 0 or room is None or room <= 0:
            break
        room -= 1.1 * over + 1024
    if budget is not None and _size(made) > budget:  # not even the constants fit
        made = _filled(cells, survey, columns[:0], order[:0], 0.0)
    return made


def _size(made: Embedded) -> int:
    """How much of a page series take at most [bytes]: their index is packed better there, which takes longer."""
    from isal import isal_zlib

    index = len(isal_zlib.compress(made.text.encode(), 1))
    return int(_IN_PAGE * index) + sum(len(chunk) * 4 // 3 + 80 for chunk in made.chunks)


def _surveyed(cells: CaptureCells) -> _ColumnSurvey:
    count = len(cells)
    made = _ColumnSurvey(
        [None] * count,
        np.zeros(count),
        np.zeros(count),
        np.zeros(count, np.bool_),
        np.zeros(count, np.uint8),
        np.zeros(count, np.bool_),
    )
    for begin in range(0, count, _PART):
        part = slice(begin, min(count, begin + _PART))
        found = cells.read(np.arange(part.start, part.stop))
        made.lost[part], made.decimals[part], made.shortest[part] = found.lost, found.decimals, found.shortest
        _survey_part(made, begin, found)
    return made


def _survey_part(made: _ColumnSurvey, begin: int, found: PrintedColumns) -> None:
    """Constants, and of what changed its size and how much it tells."""
    values = found.values
    same = (values == values[:, :1]).all(axis=1)
    blank = np.isnan(values).all(axis=1)
    for row in found.texts:
        same[row] = False
    whole = found.whole(same)[:, 0] if values.shape[1] else np.zeros(0, np.int64)
    for row, number in zip(np.flatnonzero(same).tolist(), whole.tolist(), strict=True):
        made.constant[begin + row] = number
    for row in np.flatnonzero(blank).tolist():
        cell_texts = found.texts.get(row, {})
        words = set(cell_texts.values()) | ({""} if len(cell_texts) < values.shape[1] else set())
        if len(words) == 1:
            made.constant[begin + row] = words.pop()
    moving = np.flatnonzero(~same)
    if len(moving):
        numbers = found.whole(moving).astype(np.float64)
        made.size[begin + moving] = _sizes(numbers)
        made.telling[begin + moving] = _telling(numbers)


def _sizes(numbers: Floats) -> Floats:
    """About how many bytes series take: the bits of differences that are not 0, and which these are."""
    steps = np.abs(np.diff(numbers, axis=1, prepend=numbers[:, :1]))
    changed = np.count_nonzero(steps, axis=1) / steps.shape[1]
    inside = np.clip(changed, 1e-6, 1 - 1e-6)
    whether = -(inside * np.log2(inside) + (1 - inside) * np.log2(1 - inside))
    mean = steps.sum(axis=1) / np.maximum(1, changed * steps.shape[1])
    sizes: Floats = steps.shape[1] / 8 * (whether + changed * (1.5 + np.log2(1 + mean)))
    return sizes


def _telling(numbers: Floats) -> Floats:
    """How much of the variance of each series is between stretches of time, 0 to 1."""
    samples = numbers.shape[1]
    cuts = np.unique(np.linspace(0, samples, min(_STRETCHES, samples) + 1).astype(np.int64))[:-1]
    lengths = np.diff([*cuts.tolist(), samples])
    about = numbers - numbers.mean(axis=1, keepdims=True)
    total = np.einsum("ij,ij->i", about, about)
    sums = np.add.reduceat(about, cuts, axis=1)
    between = (sums * sums / lengths).sum(axis=1)
    share: Floats = np.divide(between, total, out=np.zeros(len(numbers)), where=total > 0)
    return share


def _filled(
    cells: CaptureCells, survey: _ColumnSurvey, columns: Integers, order: Integers, room: float | None
) -> Embedded:
    """Constants and as many of the others, in their order, as there is room for [bytes of the page]."""
    chunks: list[Chunk] = []
    taken: list[Integers] = []
    texts: dict[int, dict[int, str]] = {}
    left = float("inf") if room is None else room - _IN_PAGE * _OF_INDEX / 2 * len(columns)
    meaning = cells.columns["meaning"].to_numpy()
    at, size = 0, _CHUNK
    while at < len(order) and size:
        some = order[at : at + size]
        some = some[np.lexsort((some, meaning[some]))]
        found = cells.read(some)
        chunk = encoded(found.whole(), np.isnan(found.values))
        cost = _IN_PAGE * (len(chunk.packed) + _OF_INDEX * len(some)) + 80
        if cost > left:
            size //= 2
            continue
        left -= cost
        at += len(some)
        place = sum(map(len, taken))
        inside = {given: n for n, given in enumerate(chunk.order)}
        texts |= {place + inside[row]: cell_texts for row, cell_texts in found.texts.items() if cell_texts}
        chunks.append(chunk)
        taken.append(some[list(chunk.order)])
    every = np.concatenate([*taken, columns])
    index = _index(cells, survey, every, sum(map(len, taken)))
    index["chunks"] = [[len(chunk.order), list(chunk.planes), list(chunk.masked)] for chunk in chunks]
    index["texts"] = [
        [series, list(cell_texts), list(cell_texts.values())] for series, cell_texts in sorted(texts.items())
    ]
    return Embedded(index, tuple(chunk.packed for chunk in chunks))


def _index(cells: CaptureCells, survey: _ColumnSurvey, every: Integers, moving: int) -> dict[str, Any]:
    """Names and places of the series in a page.

    Args:
        cells: The cells.
        survey: What is known of all columns.
        every: The columns in the page, those that changed first.
        moving: How many these are.
    """
    columns = cells.columns[every]
    meanings, meaning = _numbered(columns["meaning"].to_list())
    things, thing = _numbered(columns["thing"].to_list())
    objects: dict[str, int] = {}
    vms = {vm.gid: n for n, vm in enumerate(cells.vms)}
    first = {number: n for n, number in reversed(list(enumerate(columns["thing"].to_list())))}
    names = columns.select("object", "instance", "kind", "entity").rows()
    first_of = {number: n for n, number in reversed(list(enumerate(columns["meaning"].to_list())))}
    counters = columns.select("object", "counter").rows()
    known = [_meaning(counters[first_of[number]], objects) for number in meanings]
    of_things = []
    for number in things:
        obj, instance, kind, entity = names[first[number]]
        vm = vms.get(cells.gids.get((kind, entity), ""), -1)
        of_things.append([objects.setdefault(obj, len(objects)), instance, vm])
    times = cells.times.dt.epoch("ms").to_list()
    return {
        "schema": SCHEMA,
        "host": next((host for host in cells.columns["host"].unique(maintain_order=True) if host), ""),
        "times": [times[0], *(b - a for a, b in pairwise(times))],
        "set_aside": np.flatnonzero(~cells.judged).tolist(),
        "objects": list(objects),
        "meanings": known,
        "vms": [[vm.name, vm.gid] for vm in cells.vms],
        "things": of_things,
        "meaning": meaning,
        "thing": thing,
        "decimals": survey.decimals[every].tolist(),
        "shortest": np.flatnonzero(survey.shortest[every]).tolist(),
        "constants": [survey.constant[number] for number in every[moving:].tolist()],
        "left_out": {
            "series": len(cells) - len(every),
            "untellable": int(survey.lost.sum()),
            "samples": cells.backwards,
            "unread": cells.unread,
        },
    }


def _numbered(values: Sequence[int]) -> tuple[list[int], list[int]]:
    """The distinct values, rising as in the capture, and of each its place among them."""
    place = {value: n for n, value in enumerate(sorted(set(values)))}
    return list(place), [place[value] for value in values]


def _meaning(named: tuple[str, ...], objects: dict[str, int]) -> list[Any]:
    obj, counter = named
    record = catalog.find(obj, without_number(counter))
    words = [record.label, record.unit, record.meaning] if record else ["", "", ""]
    return [objects.setdefault(obj, len(objects)), counter, *words]
