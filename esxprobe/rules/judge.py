"""Runs the rule book over a recording: findings, clear rules, and skipped ones with the reason.

Silence is not an outcome: every rule of the book ends in exactly one of the three lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from esxprobe.model import Entity, Finding, Level, Recording, Skipped, Window, worst_first
from esxprobe.rules import all_rules
from esxprobe.rules.causes import CAUSES
from esxprobe.rules.record import Rule
from esxprobe.series import Bools, Floats, bridged, covered_seconds, runs, stretches

# A finding lists its longest stretches, not hundreds of them.
_WINDOWS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Table:
    """A kind's frame as matrices: one row an entity, one column a sample.

    Attributes:
        entities: Entity numbers, one a row.
        values: The judged value.
        seconds: What each sample stands for [s].
        stretches: First and behind-the-last sample of what follows without a hole.
    """

    entities: tuple[int, ...]
    values: Floats
    seconds: Floats
    stretches: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule book says of a recording."""

    findings: tuple[Finding, ...]
    clear: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def judge(recording: Recording, rules: Sequence[Rule] | None = None) -> Outcome:
    """Runs rules (the whole book when none are given) over a recording."""
    findings: list[Finding] = []
    clear: list[str] = []
    skipped: list[Skipped] = []
    for rule in all_rules() if rules is None else rules:
        reason = why_skipped(rule, recording)
        if reason:
            skipped.append(Skipped(rule.id, reason))
            continue
        found = list(_findings(rule, recording))
        findings.extend(found)
        if not found:
            clear.append(rule.id)
    return Outcome(ranked(findings), tuple(clear), tuple(skipped))


def why_skipped(rule: Rule, recording: Recording) -> str:
    """Why a rule cannot run, empty when it can."""
    if rule.entity == "capture":
        return ""
    if not recording.samples["judged"].any():
        return "the capture has no sample with a known interval"
    frame = recording.tidy.get(rule.entity)
    have = set(frame.columns) if frame is not None else set()
    lacking = [path for path in rule.needs if path not in have and path not in rule.optional]
    if lacking:
        return f"the capture lacks {', '.join(lacking)}"
    present = [path for path in rule.needs if path in have]
    empty = [path for path in present if frame is not None and frame[path].null_count() == frame.height]
    if empty:
        return f"every value of {', '.join(empty)} is missing"
    if rule.only and not len(_rows(rule, recording)):
        return f"no {rule.entity} is called like {rule.only}"
    return ""


def table(rule: Rule, recording: Recording) -> Table:
    """The judged value of a rule for all its entities."""
    import polars as pl

    if rule.entity == "capture":
        facts = capture_facts(recording)
        value = pl.DataFrame(facts).select(pl.sql_expr(rule.value)).to_series().cast(pl.Float64)
        return Table((0,), value.to_numpy().reshape(1, 1), np.array([1.0]), ((0, 1),))
    frame = recording.tidy[rule.entity]
    lacking = [path for path in rule.optional if path not in frame.columns]
    frame = frame.with_columns(pl.lit(0.0).alias(path) for path in lacking)
    value = frame.select(pl.sql_expr(rule.value).cast(pl.Float64)).to_series()
    seconds, parts = timing(recording)
    matrix = value.to_numpy().reshape(-1, len(seconds))
    numbers = frame["entity"].to_numpy().reshape(-1, len(seconds))[:, 0]
    rows = _rows(rule, recording)
    keep = np.isin(numbers, rows)
    return Table(tuple(int(n) for n in numbers[keep]), matrix[keep], seconds, parts)


def timing(recording: Recording) -> tuple[Floats, tuple[tuple[int, int], ...]]:
    """What each judged sample stands for [s], and which of them follow each other without a hole."""
    judged = recording.samples.filter("judged")
    seconds = covered_seconds(judged["interval_s"].to_numpy())
    ends_s = judged["time"].dt.timestamp("us").to_numpy() / 1e6
    return seconds, tuple(stretches(ends_s, seconds))


def _rows(rule: Rule, recording: Recording) -> Floats:
    import polars as pl

    things = recording.entities[rule.entity]
    if rule.only:
        things = things.filter(pl.col("name").str.contains(rule.only))
    return things["entity"].to_numpy()


def capture_facts(recording: Recording) -> dict[str, float]:
    """What the capture rules read: kinds of damage at warning or worse, and rows lost [%]."""
    doubts = sum(note.severity != "info" for note in recording.notes)
    lost = recording.rows_read - recording.samples.height
    set_aside = sum(note.count for note in recording.notes if note.code in {"time-repeats", "time-backwards"})
    share = 100 * max(0, lost + set_aside) / max(1, recording.rows_read)
    return {r"Capture\Doubts": float(doubts), r"Capture\% Rows Lost": share}


def levels_reached(rule: Rule, judged: Table) -> list[Level | None]:
    """The worst level that each entity reaches, None for none."""
    reached: list[Level | None] = [None] * len(judged.values)
    for level in sorted(rule.levels, key=lambda level: worst_first(level.severity), reverse=True):
        fired = rule.check.reached(judged.values, judged.seconds, level.threshold, judged.stretches)
        for row in np.flatnonzero(fired):
            reached[int(row)] = level
    return reached


def _findings(rule: Rule, recording: Recording) -> Iterable[Finding]:
    judged = table(rule, recording)
    found = [
        _finding(rule, recording, judged, row, level)
        for row, level in enumerate(levels_reached(rule, judged))
        if level is not None
    ]
    return _merged(found, rule, recording) if rule.entity == "vcpu" else found


def _finding(rule: Rule, recording: Recording, judged: Table, row: int, level: Level) -> Finding:
    values = judged.values[row]
    beyond = rule.check.beyond(values, level.threshold)
    seen = ~np.isnan(values)
    episodes = _episodes(beyond, judged)
    spans = [] if rule.entity == "capture" else _windows(episodes, judged, recording)
    extreme = np.nanmax(values) if rule.check.above else np.nanmin(values)
    value, statistic = rule.check.statistic_of(values), str(rule.check.statistic)
    if not rule.check.beyond(np.array([value]), level.threshold).any():
        first, last = max(episodes, key=lambda each: float(judged.seconds[each[0] : each[1] + 1].sum()))
        value, statistic = float(np.nanmean(values[first : last + 1])), "mean of the longest stretch"
    caveats = rule.caveats
    if any(path not in recording.tidy.get(rule.entity, {}) for path in rule.optional):
        caveats = (f"The capture lacks {', '.join(rule.optional)}: it was taken for zero.", *caveats)
    return Finding(
        rule=rule.id,
        severity=level.severity,
        entity=_entity(rule, recording, judged.entities[row]),
        title=rule.title,
        cause=rule.cause,
        value=value,
        statistic=statistic,
        unit=rule.unit,
        threshold=level.threshold,
        source=level.source,
        peak=float(extreme),
        share_of_samples=float(beyond.sum() / max(1, seen.sum())),
        samples=int(seen.sum()),
        first=min((span.start for span in spans), default=None),
        last=max((span.end for span in spans), default=None),
        windows=tuple(sorted(spans, key=lambda span: (-span.seconds, span.start))[:_WINDOWS_SHOWN]),
        members=(),
        why=rule.why,
        advice=rule.advice,
        caveats=caveats,
        number=judged.entities[row],
    )


def _entity(rule: Rule, recording: Recording, number: int) -> Entity:
    if rule.entity == "capture":
        return Entity("capture", ", ".join(file.name for file in recording.files), recording.host)
    row = recording.entities[rule.entity].row(number, named=True)
    return Entity(rule.entity, row["name"], row["id"] or row["name"])


def _episodes(beyond: Bools, judged: Table) -> list[tuple[int, int]]:
    """First and last sample of each stretch beyond; a dip of one sample does not end it, a hole in time does."""
    return [
        (first + begin, last + begin)
        for begin, end in judged.stretches
        for first, last in runs(bridged(beyond[begin:end]))
    ]


def _windows(episodes: list[tuple[int, int]], judged: Table, recording: Recording) -> list[Window]:
    """The episodes as times; one sample's window starts as long before its stamp as it stands for."""
    ends: list[datetime] = recording.samples.filter("judged")["time"].to_list()
    return [
        Window(ends[first] - timedelta(seconds=float(judged.seconds[first])), ends[last])
        for first, last in episodes
    ]


def _merged(found: list[Finding], rule: Rule, recording: Recording) -> list[Finding]:
    """One finding a VM for all its vCPUs: the worst one speaks, the others are named."""
    worlds = recording.entities["vcpu"]
    gid_of = dict(zip(worlds["id"].to_list(), worlds["gid"].to_list(), strict=True))
    names = {vm.gid: vm.name for vm in recording.vms}
    by_vm: dict[str, list[Finding]] = {}
    for finding in found:
        by_vm.setdefault(gid_of[finding.entity.id], []).append(finding)
    merged = []
    for gid, parts in by_vm.items():
        parts.sort(key=lambda part: _rank(part, rule.check.above))
        worst = parts[0]
        members = tuple(part.entity.name for part in parts)
        merged.append(replace(worst, entity=Entity("vm", names[gid], gid), members=members))
    return merged


def _rank(finding: Finding, above: bool = True) -> tuple[object, ...]:
    return (
        worst_first(finding.severity),
        -_weight(finding, above=above),
        finding.rule,
        finding.entity.name,
        finding.entity.id,
    )


def _weight(finding: Finding, *, above: bool = True) -> float:
    """How far beyond its threshold, times how much of the time: what ranks equals in severity."""
    ratio = finding.value / finding.threshold if finding.threshold else 1.0
    if not above:
        ratio = 1 / ratio if ratio else 10.0
    # A hundred times the threshold is not a hundred times as bad.
    return round(float(np.log1p(max(0.0, ratio)) * (0.25 + finding.share_of_samples)), 9)


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first; among equals the cause comes before its symptoms and the host before its VMs."""
    order = {cause.key: number for number, cause in enumerate(CAUSES)}
    return tuple(
        sorted(
            findings,
            key=lambda each: (
                worst_first(each.severity),
                order[each.cause],
                each.entity.kind != "host",
                *_rank(each)[1:],
            ),
        )
    )
