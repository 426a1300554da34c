"""The judged values of all rules: one query a kind, with parts, peers and facts worked out once and shared.

A rule's SQL names counters of its entity, parts and facts. The kind's tidy frame gets one column for each part
and fact that any of its rules names; then all values are one lazy select.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.model import Recording
from esxprobe.rules import kin
from esxprobe.rules.record import By, Part, Rule
from esxprobe.rules.release import release_of
from esxprobe.series import Floats, Timing, covered_seconds, stretches

if TYPE_CHECKING:
    import polars as pl

# Facts of the capture: kinds of doubt and damage (codes of `catalog.quality` that occurred), and the worse of them.
DOUBTS, DAMAGE = r"Capture\Doubts", r"Capture\Damage"
# Whether it was made without -a, so that rules lack counters.
DEFAULT_FIELDS = r"Capture\Default Fields"


@dataclass(frozen=True, slots=True)
class Table:
    """The judged values of one rule: one row an entity, one column a sample.

    Attributes:
        entities: Entity numbers, one a row.
        values: The judged value, NaN where there is none or `where` does not hold.
        timing: When the samples were.
    """

    entities: tuple[int, ...]
    values: Floats
    timing: Timing


def tables(rules: Sequence[Rule], recording: Recording) -> dict[str, Table]:
    """The judged values of rules that can run (see `skips`), by rule id."""
    made: dict[str, Table] = {}
    when = timing(recording)
    parts = _Parts(recording, rules, len(when.seconds))
    for kind in dict.fromkeys(rule.entity for rule in rules):
        mine = [rule for rule in rules if rule.entity == kind]
        if kind == "capture":
            made.update(_capture_tables(mine, recording))
        else:
            made.update(_tables_of_kind(kind, mine, recording, parts, when))
    return made


def _tables_of_kind(
    kind: str, rules: Sequence[Rule], recording: Recording, parts: _Parts, when: Timing
) -> Iterable[tuple[str, Table]]:
    import polars as pl

    numbers = entities_of(recording, kind)
    length = len(when.seconds)
    base = recording.tidy.get(kind)
    if base is None or not base.height:
        base = pl.DataFrame({"entity": np.repeat(numbers, length)})
    lacking = {path for rule in rules for path in rule.optional if path in rule.needs and path not in base.columns}
    columns: dict[str, pl.Series | pl.Expr] = {path: pl.lit(0.0) for path in lacking}
    for rule in rules:
        for name in rule.facts:
            columns[name] = pl.Series(name, np.repeat(facts_of(recording, kind, name)[numbers], length))
        for part in rule.parts:
            columns[parts.column(rule, part)] = parts.values(rule, part, numbers)
    frame = base.with_columns(each.alias(name) for name, each in columns.items())
    values = frame.lazy().select(_value(rule, parts).alias(rule.id) for rule in rules).collect()
    for rule in rules:
        matrix = values[rule.id].to_numpy().reshape(-1, length)
        if rule.only:
            keep = np.isin(numbers, called_like(recording, kind, rule.only))
            yield rule.id, Table(tuple(numbers[keep].tolist()), matrix[keep], when)
        else:
            yield rule.id, Table(tuple(numbers.tolist()), matrix, when)


def _value(rule: Rule, parts: _Parts) -> pl.Expr:
    renamed = {part.name: parts.column(rule, part) for part in rule.parts}
    return judged(rule.value, rule.where, renamed)


def judged(value: str, where: str = "", renamed: Mapping[str, str] | None = None) -> pl.Expr:
    """A value in SQL as an expression: missing where `where` does not hold or the value is no finite number.

    Args:
        value: The value.
        where: The condition, empty for none.
        renamed: Columns that are called otherwise in the frame.
    """
    import polars as pl

    for name, column in (renamed or {}).items():
        value, where = (text.replace(f'"{name}"', f'"{column}"') for text in (value, where))
    number = pl.sql_expr(value).cast(pl.Float64)
    held = number.is_finite()  # a share of nothing is no value
    if where:
        held &= pl.sql_expr(where).fill_null(value=False)
    return pl.when(held).then(number)


def _capture_tables(rules: Sequence[Rule], recording: Recording) -> Iterable[tuple[str, Table]]:
    import polars as pl

    frame = pl.DataFrame(capture_facts(recording))
    for rule in rules:
        value = frame.select(judged(rule.value, rule.where)).to_series()
        yield rule.id, Table((0,), value.to_numpy().reshape(1, 1), Timing.gapless(np.array([1.0])))


def timing(recording: Recording) -> Timing:
    """When the judged samples were, and which of them follow each other without a hole."""
    judged_samples = recording.samples.filter("judged")
    seconds = covered_seconds(judged_samples["interval_s"].to_numpy())
    ends_s = judged_samples["time"].dt.timestamp("us").to_numpy() / 1e6
    return Timing(seconds, tuple(stretches(ends_s, seconds)), ends_s)


def entities_of(recording: Recording, kind: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers of the entities that a rule on this kind judges: those of its tidy frame, or else all."""
    frame = recording.tidy.get(kind)
    if frame is not None and frame.height:
        return frame["entity"].unique(maintain_order=True).to_numpy().astype(np.int64)
    things = recording.entities.get(kind)
    return np.arange(0 if things is None else things.height)


def called_like(recording: Recording, kind: str, pattern: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Numbers of the entities of a kind whose name the regular expression fits."""
    import polars as pl

    things = recording.entities[kind]
    return things.filter(pl.col("name").str.contains(pattern))["entity"].to_numpy().astype(np.int64)


def facts_of(recording: Recording, kind: str, fact: str) -> Floats:
    """A fact for each entity of a kind; NaN where it is not known."""
    things = recording.entities[kind]
    if fact == r"Fact\vCPUs":
        vcpus = {vm.gid: float(vm.vcpus) for vm in recording.vms if vm.vcpus}
        if "gid" not in things.columns:
            return np.full(things.height, np.nan)
        return np.array([vcpus.get(gid, np.nan) for gid in things["gid"].to_list()], dtype=float)
    return np.full(things.height, _host_fact(recording, fact))


def _host_fact(recording: Recording, fact: str) -> float:
    counts = {r"Fact\PCPUs": "pcpu", r"Fact\NUMA Nodes": "numa"}
    if fact in counts:
        shown = recording.entities.get(counts[fact])
        return float(shown.height) if shown is not None and shown.height else float("nan")
    known: dict[str, float | None] = {
        r"Fact\Host vCPUs": float(sum(vm.vcpus for vm in recording.vms)) or None,
        r"Fact\VMs": float(len(recording.vms)),
        r"Fact\Interval s": recording.interval_s,
    }
    value = known[fact] if fact in known else release_of(recording).number
    return float("nan") if value is None else value


def capture_facts(recording: Recording) -> dict[str, float]:
    """What the capture rules read: kinds of damage, rows lost [%], what was captured and for how long."""
    doubts = sum(note.severity != "info" for note in recording.notes)
    damage = sum(note.severity == "critical" for note in recording.notes)
    lost = recording.rows_read - recording.samples.height
    set_aside = sum(note.count for note in recording.notes if note.code in {"time-repeats", "time-backwards"})
    share = 100 * max(0, lost + set_aside) / max(1, recording.rows_read)
    when = timing(recording)
    covered_s = float(when.seconds.sum())
    span_s = float(when.ends_s[-1] - when.ends_s[0] + when.seconds[0]) if len(when.ends_s) else 0.0
    return {
        DOUBTS: float(doubts),
        DAMAGE: float(damage),
        r"Capture\% Rows Lost": share,
        r"Capture\Samples": float(recording.samples["judged"].sum()),
        r"Capture\Minutes": covered_s / 60,
        r"Capture\% Time Missing": 100 * max(0.0, 1 - covered_s / span_s) if span_s > 0 else 0.0,
        DEFAULT_FIELDS: float(any(note.code == "default-fields" for note in recording.notes)),
        r"Capture\Interval s": recording.interval_s or float("nan"),
    }


class _Parts:
    """The parts that rules name, each worked out once however many rules and kinds use it."""

    def __init__(self, recording: Recording, rules: Sequence[Rule], length: int) -> None:
        self._recording, self._length = recording, length
        self._numbers: dict[Part, int] = {}
        self._optional: dict[str, set[str]] = {}
        for rule in rules:
            for part in rule.parts:
                self._numbers.setdefault(_plain(rule, part), len(self._numbers))
                self._optional.setdefault(part.kind, set()).update(rule.optional)
        self._keys: dict[tuple[str, str, By], tuple[kin.Codes, kin.Codes, int]] = {}
        self._made: dict[tuple[str, str, str], pl.DataFrame] = {}

    def column(self, rule: Rule, part: Part) -> str:
        """What the part is called in the frame of the rule's kind: rules may use one name for two things."""
        return f"part {self._numbers[_plain(rule, part)]}"

    def values(self, rule: Rule, part: Part, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.Series:
        """The part's value for each sample of each judged entity, in the order of the kind's frame."""
        import polars as pl

        plain = _plain(rule, part)
        wanted, keys, count = self._codes(rule.entity, plain.kind, plain.by)
        made = self._aggregated(plain, keys)
        dense = np.full(max(1, count) * self._length, np.nan)
        dense[made["cell"].to_numpy()] = made[str(self._numbers[plain])].to_numpy()
        rows = dense.reshape(max(1, count), self._length)[wanted[numbers]]
        rows = np.where((wanted[numbers] < 0)[:, None], np.nan, rows)
        return pl.Series(rows.reshape(-1), dtype=pl.Float64).fill_nan(None)

    def _codes(self, target: str, source: str, by: By) -> tuple[kin.Codes, kin.Codes, int]:
        """The keys of the judged and of the other entities as numbers, and how many keys there are."""
        if (target, source, by) not in self._keys:
            columns = [kin.keys(self._recording, kind, by) for kind in (target, source)]
            self._keys[target, source, by] = kin.codes(*columns)
        return self._keys[target, source, by]

    def _aggregated(self, part: Part, keys: kin.Codes) -> pl.DataFrame:
        """All parts over the same entities and key at once: one row a key and sample that has any of them."""
        import polars as pl

        group = (part.kind, part.by, part.only)
        if group not in self._made:
            frame = self._recording.tidy[part.kind]
            lacking = self._optional[part.kind] - set(frame.columns)
            entity = frame["entity"].to_numpy()
            sample = np.tile(np.arange(self._length), len(entity) // max(1, self._length))
            code = keys[entity]
            kept = code >= 0
            if part.only:
                kept &= np.isin(entity, called_like(self._recording, part.kind, part.only))
            alike = [each for each in self._numbers if (each.kind, each.by, each.only) == group]
            self._made[group] = (
                frame.lazy()
                .with_columns(pl.lit(0.0).alias(path) for path in lacking)
                .with_columns(pl.Series("cell", code * self._length + sample), pl.Series("kept", kept))
                .filter("kept")
                .group_by("cell")
                .agg(_taken_together(each).alias(str(self._numbers[each])) for each in alike)
                .collect()
            )
        return self._made[group]


def _plain(rule: Rule, part: Part) -> Part:
    """The part without what does not change its numbers."""
    return replace(part, name="", by=part.by or kin.key_of(rule.entity))


def _taken_together(part: Part) -> pl.Expr:
    import polars as pl

    if not part.value:
        return (
            pl.sql_expr(part.where).fill_null(value=False).sum().cast(pl.Float64)
            if part.where
            else pl.len().cast(pl.Float64)
        )
    value = judged(part.value, part.where)
    if part.how == "count":
        return value.count().cast(pl.Float64)
    if part.how == "sum":
        return pl.when(value.count() > 0).then(value.sum())  # the sum of nothing is no zero
    taken = {"max": value.max, "min": value.min, "mean": value.mean, "median": value.median}
    return taken[part.how]()
