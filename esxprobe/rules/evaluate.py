"""The judged values of all rules: one query a kind, with parts, peers and facts worked out once and shared.

A rule's SQL names counters of its entity, parts and facts. A frame of the kind gets one column for each counter,
part and fact that any of its rules names; then all values are one lazy select. Where that is more than should be
held at once, it is done for some entities after the others: a rule judges each entity by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Floats
from esxprobe.model import Recording
from esxprobe.rules.expression import called_like, column_of, judged
from esxprobe.rules.once import once
from esxprobe.rules.parts import Parts
from esxprobe.rules.record import ASKED, Rule
from esxprobe.rules.release import release_of
from esxprobe.series import Timing, covered_seconds, in_parts, stretches

if TYPE_CHECKING:
    import polars as pl

# Facts of the capture: kinds of doubt and damage (codes of `catalog.quality` that occurred), and the worse of them.
DOUBTS, DAMAGE = r"Capture\Doubts", r"Capture\Damage"
# What the analysis of guest faults says of a VM.
FAULTS = r"Fact\Faults"
# What is known of the whole host, and the key that it has in `Recording.facts`.
PCPUS, CORES, MEMORY_STATES = r"Fact\PCPUs", r"Fact\Cores", r"Fact\Memory States"
HOST_KEY = ""
# Whether it was made without -a, so that rules lack counters.
DEFAULT_FIELDS = r"Capture\Default Fields"


@dataclass(frozen=True, slots=True)
class ValueTable:
    """The judged values of one rule: one row an entity, one column a sample.

    Attributes:
        entities: Entity numbers, one a row.
        values: The judged value, NaN where there is none or `where` does not hold.
        timing: When the samples were.
    """

    entities: tuple[int, ...]
    values: Floats
    timing: Timing


def judged_values(rules: Sequence[Rule], recording: Recording) -> Iterator[tuple[Rule, ValueTable]]:
    """The judged values of rules that can run (see `skips`), of so many entities at a time as memory allows.

    A rule comes once for each part of its entities, in their order, and at least once.
    """
    when = timing(recording)
    parts = Parts(recording, rules, len(when.seconds))
    for kind in dict.fromkeys(rule.entity for rule in rules):
        mine = [rule for rule in rules if rule.entity == kind]
        if kind == "capture":
            yield from _of_capture(mine, recording)
        else:
            yield from _of_kind(kind, mine, recording, parts, when)


def _of_kind(
    kind: str, rules: Sequence[Rule], recording: Recording, parts: Parts, when: Timing
) -> Iterator[tuple[Rule, ValueTable]]:
    import polars as pl

    numbers, length = entities_of(recording, kind), len(when.seconds)
    have = recording.values.counters(kind)
    needs = dict.fromkeys(path for rule in rules for path in rule.needs)
    paths = [path for path in needs if path in have]
    lacking = {path for rule in rules for path in rule.optional if path in rule.needs and path not in have}
    facts = {name: facts_of(recording, kind, name) for rule in rules for name in rule.facts}
    asked = {parts.column(rule, part): (rule, part) for rule in rules for part in rule.parts}
    expressions = [_value(rule, parts).alias(rule.id) for rule in rules]
    only = {rule.only: called_like(recording, kind, rule.only) for rule in rules if rule.only}
    held = length * (2 * len(paths) + len(asked) + len(facts) + 2 * len(rules))
    for rows in in_parts(len(numbers), held):
        some = numbers[rows]
        columns = {"": pl.repeat(0.0, len(some) * length, dtype=pl.Float64, eager=True)}
        if paths:
            columns = dict(zip(paths, map(column_of, recording.values.read(kind, paths, rows)), strict=True))
        columns |= {name: pl.Series(np.repeat(known[some], length)) for name, known in facts.items()}
        columns |= {name: column_of(parts.values(rule, part, some)) for name, (rule, part) in asked.items()}
        frame = pl.DataFrame(columns).lazy().with_columns(pl.lit(0.0).alias(path) for path in lacking)
        del columns
        values = frame.select(expressions).collect()
        del frame
        for rule in rules:
            matrix = values.drop_in_place(rule.id).to_numpy().reshape(-1, length)
            keep = np.isin(some, only[rule.only]) if rule.only else None
            yield (
                rule,
                ValueTable(
                    tuple((some if keep is None else some[keep]).tolist()),
                    matrix if keep is None else matrix[keep],
                    when,
                ),
            )


def _value(rule: Rule, parts: Parts) -> pl.Expr:
    renamed = tuple((part.name, parts.column(rule, part)) for part in rule.parts)
    return judged(rule.value, rule.where, renamed)


def _of_capture(rules: Sequence[Rule], recording: Recording) -> Iterator[tuple[Rule, ValueTable]]:
    import polars as pl

    frame = pl.DataFrame(capture_facts(recording))
    for rule in rules:
        value = frame.select(judged(rule.value, rule.where)).to_series()
        yield rule, ValueTable((0,), value.to_numpy().reshape(1, 1), Timing.gapless(np.array([1.0])))


@once
def timing(recording: Recording) -> Timing:
    """When the judged samples were, and which of them follow each other without a hole."""
    judged_samples = recording.samples.filter("judged")
    seconds = covered_seconds(judged_samples["interval_s"].to_numpy())
    ends_s = judged_samples["time"].dt.timestamp("us").to_numpy() / 1e6
    return Timing(seconds, tuple(stretches(ends_s, seconds)), ends_s)


@once
def entities_of(recording: Recording, kind: str) -> NDArray[np.int64]:
    """Numbers of the entities that a rule on this kind judges: those that have counters, or else all."""
    numbers = recording.values.entities(kind)
    if len(numbers):
        return numbers
    things = recording.entities.get(kind)
    return np.arange(0 if things is None else things.height)


@once
def facts_of(recording: Recording, kind: str, fact: str) -> Floats:
    """A fact for each entity of a kind; NaN where it is not known."""
    things = recording.entities[kind]
    if fact == r"Fact\vCPUs":
        vcpus = {vm.gid: float(vm.vcpus) for vm in recording.vms if vm.vcpus}
        if "gid" not in things.columns:
            return np.full(things.height, np.nan)
        return np.array([vcpus.get(gid, np.nan) for gid in things["gid"].to_list()], dtype=float)
    if fact in ASKED or fact.startswith(FAULTS):
        known = recording.facts.get(fact, {})
        return np.array([known.get(key, np.nan) for key in _fact_keys(things, ASKED.get(fact, "vm"))], dtype=float)
    return np.full(things.height, _host_fact(recording, fact))


def _fact_keys(things: pl.DataFrame, of: str) -> list[str]:
    """The key of each entity in `Recording.facts`."""
    match of:
        case "vm":
            return things["gid"].to_list()
        case "uplink":
            return things["name"].str.extract(r":(vmnic\d+)$", 1).to_list()
        case "host":
            return [HOST_KEY] * things.height
    return things["device"].to_list()


def _host_fact(recording: Recording, fact: str) -> float:
    if fact == CORES:
        return _cores(recording)
    if fact == MEMORY_STATES:
        return 4.0 if release_of(recording).outside("6.0", "") else 5.0
    counts = {PCPUS: "pcpu", r"Fact\NUMA Nodes": "numa"}
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


def _cores(recording: Recording) -> float:
    asked = recording.facts.get(CORES, {}).get(HOST_KEY)
    if asked is not None:
        return asked
    shown, core_util = _host_fact(recording, PCPUS), recording.columns["counter"] == "% Core Util Time"
    return shown / 2 if core_util.any() else shown


def capture_facts(recording: Recording) -> dict[str, float]:
    """What the capture rules read: kinds of damage, rows lost [%], what was captured and for how long."""
    doubts = sum(note.severity != "info" for note in recording.notes)
    damage = sum(note.severity == "critical" for note in recording.notes)
    kept = recording.part.samples if recording.part else recording.samples.height
    lost = recording.rows_read - kept
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
