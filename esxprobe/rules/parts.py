"""Parts: numbers a sample that rules take from other entities, each worked out once however many rules use it.

Every sample is worked out for itself, members are taken in their order: so some samples after the others give
exactly what all of them at once give.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Floats, Integers
from esxprobe.formats.spill import Pick, Spill, StoredMatrix
from esxprobe.model import Recording
from esxprobe.rules import entity_keys
from esxprobe.rules.expression import called_like, column_of, judged
from esxprobe.rules.record import By, Part, Rule
from esxprobe.series import in_parts

if TYPE_CHECKING:
    import polars as pl


# How much of the parts is held in memory before the rest goes to a temporary file [bytes].
_BUDGET = 64 << 20
_NUMBERS = count()


@dataclass(frozen=True, slots=True)
class _Group:
    """Parts over the same entities by the same key.

    Attributes:
        kind: Of the entities.
        parts: Their numbers, with the parts.
        rows: Rows of the members in `values.entities`, those of one key side by side.
        starts: Where each key begins in `rows`.
        keys: The keys, as numbers of `entity_keys.codes`.
        paths: Counters that are read.
        lacking: Optional counters that the capture lacks.
    """

    kind: str
    parts: tuple[tuple[int, Part], ...]
    rows: Integers
    starts: Integers
    keys: Integers
    paths: tuple[str, ...]
    lacking: tuple[str, ...]


class Parts:
    """The parts that rules name.

    Args:
        recording: A capture.
        rules: Those that can run on it.
        length: Number of judged samples.
    """

    def __init__(self, recording: Recording, rules: Sequence[Rule], length: int) -> None:
        self._recording, self._length = recording, length
        self._numbers: dict[Part, int] = {}
        self._optional: dict[str, set[str]] = {}
        targets: dict[Part, str] = {}
        for rule in rules:
            for part in rule.parts:
                plain = _plain(rule.entity, part)
                self._numbers[plain] = _number(plain)
                targets.setdefault(plain, rule.entity)
                self._optional.setdefault(part.kind, set()).update(rule.optional)
        self._rows: dict[tuple[int, int], int] = {}  # by part and key: its row in the blocks
        self._blocks = list(self._worked_out(list(self._groups(targets))))

    def column(self, rule: Rule, part: Part) -> str:
        """What the part is called in the frame of the rule's kind: rules may use one name for two things."""
        return f"part {self._numbers[_plain(rule.entity, part)]}"

    def values(self, rule: Rule, part: Part, numbers: Integers) -> Floats:
        """The part's value for each judged sample of some entities, a row each; NaN for none."""
        plain = _plain(rule.entity, part)
        number = self._numbers[plain]
        wanted = self._codes_of(rule.entity, plain)[0][numbers]
        place = np.array([self._rows.get((number, code), -1) for code in wanted.tolist()], np.int64)
        different, back = np.unique(place, return_inverse=True)
        pick = Pick(different[different >= 0])
        rows = np.full((len(different), self._length), np.nan)
        at = 0
        for block in self._blocks:
            rows[different >= 0, at : at + block.width] = block.take(pick)
            at += block.width
        return rows if len(different) == len(place) and (back == np.arange(len(place))).all() else rows[back]

    def _codes_of(self, target: str, part: Part) -> tuple[Integers, Integers]:
        """Keys of the judged and of the other entities as numbers; these do not depend on who is judged."""
        return entity_keys.codes(self._recording, target, part.kind, part.by)

    def _groups(self, targets: Mapping[Part, str]) -> Iterator[_Group]:
        alike: dict[tuple[str, By, str], list[tuple[int, Part]]] = {}
        for part, number in self._numbers.items():
            alike.setdefault((part.kind, part.by, part.only), []).append((number, part))
        values = self._recording.values
        for (kind, _, only), parts in alike.items():
            entities = values.entities(kind)
            codes = self._codes_of(targets[parts[0][1]], parts[0][1])[1][entities]
            kept = codes >= 0
            if only:
                kept &= np.isin(entities, called_like(self._recording, kind, only))
            rows = np.flatnonzero(kept)
            rows = rows[np.argsort(codes[rows], kind="stable")]
            keys, starts = np.unique(codes[rows], return_index=True)
            have = values.counters(kind)
            needs = dict.fromkeys(path for _, part in parts for path in part.needs)
            lacking = tuple(path for path in needs if path not in have and path in self._optional[kind])
            paths = tuple(path for path in needs if path in have)
            yield _Group(kind, tuple(parts), rows, starts, keys, paths, lacking)

    def _worked_out(self, groups: Sequence[_Group]) -> Iterator[StoredMatrix]:
        """One row a part and key, some samples after the others."""
        for group in groups:
            for number, _ in group.parts:
                for key in group.keys.tolist():
                    self._rows[number, key] = len(self._rows)
        if not self._rows:
            return
        spill = Spill(_BUDGET)
        held = max(len(group.rows) * (2 * len(group.paths) + len(group.parts)) for group in groups)
        expressions = [[_value(part).alias(str(number)) for number, part in group.parts] for group in groups]
        for samples in in_parts(self._length, held + len(self._rows)):
            made = [
                row
                for group, asked in zip(groups, expressions, strict=True)
                for row in self._of_group(group, asked, samples)
            ]
            yield spill.put(np.concatenate(made))

    def _of_group(self, group: _Group, asked: list[pl.Expr], samples: slice) -> Iterator[Floats]:
        import polars as pl

        length = samples.stop - samples.start
        columns = {}
        if group.paths:
            matrices = self._recording.values.read(group.kind, group.paths, group.rows, samples)
            columns = {path: column_of(matrix) for path, matrix in zip(group.paths, matrices, strict=True)}
            del matrices
        if not columns or any(not part.needs for _, part in group.parts):
            columns[""] = pl.repeat(1.0, len(group.rows) * length, dtype=pl.Float64, eager=True)
        frame = pl.DataFrame(columns).lazy().with_columns(pl.lit(0.0).alias(path) for path in group.lacking)
        del columns
        made = frame.select(asked).collect()
        for number, part in group.parts:
            members = made[str(number)].to_numpy().reshape(-1, length)
            yield taken_together(part.how, members, group.starts)


@cache
def _plain(entity: str, part: Part) -> Part:
    """The part of an entity of this kind without what does not change its numbers."""
    return replace(part, name="", by=part.by or entity_keys.key_of(entity))


@cache
def _number(_plain_part: Part) -> int:
    """A number for each part, the same for every recording: expressions that name it are made once."""
    return next(_NUMBERS)


def _value(part: Part) -> pl.Expr:
    """What is taken together; for a count without a value 1 where the condition holds."""
    import polars as pl

    if part.value:
        return judged(part.value, part.where)
    return pl.when(pl.sql_expr(part.where)).then(1.0) if part.where else pl.col("")


def taken_together(how: str, members: Floats, starts: Integers) -> Floats:
    """One row for each group of neighboring rows; NaN where none of a group has a value, a count is 0 then.

    Args:
        how: max, min, mean, median, sum or count.
        members: One row a member, one column a sample; NaN for none.
        starts: The first row of each group.
    """
    if how == "median":
        groups = np.split(members, starts[1:])
        return np.stack([_median(group) for group in groups]) if len(starts) else members[:0]
    if how == "max":
        return _folded(np.fmax, members, starts)
    if how == "min":
        return _folded(np.fmin, members, starts)
    known = ~np.isnan(members)
    counts = _folded(np.add, known.astype(np.float64), starts)
    if how == "count":
        return counts
    sums = _folded(np.add, np.where(known, members, 0.0), starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(counts > 0, sums / counts if how == "mean" else sums, np.nan)


def _folded(fold: np.ufunc, members: Floats, starts: Integers) -> Floats:
    """Members of each group put together one after the other, in no other order whatever the shape."""
    sizes = np.diff(starts, append=len(members))
    most = int(sizes.max(initial=0))
    if len(starts) < most:  # few and long
        if members.shape[1] == 1:  # along a lone column `reduce` would add up pairs of pairs
            return _folded(fold, np.repeat(members, 2, axis=1), starts)[:, :1]
        return np.stack([fold.reduce(group, axis=0) for group in np.split(members, starts[1:])])
    out = members[starts]
    for nth in range(1, most):
        longer = np.flatnonzero(sizes > nth)
        out[longer] = fold(out[longer], members[starts[longer] + nth])
    return out


def _median(group: Floats) -> Floats:
    known = (~np.isnan(group)).sum(axis=0)
    ordered = np.sort(group, axis=0)  # NaN last
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, len(group) - 1)
    both = [np.take_along_axis(ordered, at[None], axis=0)[0] for at in (low, high)]
    return np.where(known > 0, (both[0] + both[1]) / 2, np.nan)
