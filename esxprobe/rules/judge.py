"""Runs the rule book over a recording: findings, clear rules, and skipped ones with the reason.

Silence is not an outcome: every rule of the book ends in exactly one of the three lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import numpy as np

from esxprobe.arrays import Bools, Floats
from esxprobe.formats.spill import Pick, Spill, StoredMatrix
from esxprobe.model import (
    Entity,
    Finding,
    Level,
    Recording,
    Scale,
    Skipped,
    TimeSlice,
    Window,
    worst_first,
)
from esxprobe.rules.doubts import OffClosure, few_samples
from esxprobe.rules.evaluate import DAMAGE, DEFAULT_FIELDS, DOUBTS, ValueTable, judged_values, timing
from esxprobe.rules.explain import Suspect, explained
from esxprobe.rules.merged import VmFigures, merged, next_level
from esxprobe.rules.record import Caveat, Rule
from esxprobe.rules.release import Release, release_of, states_of
from esxprobe.rules.skips import for_want_of_counters, in_words, why_skipped
from esxprobe.rules.slices import seconds_in_slices, slices_of
from esxprobe.series import Timing, bridged, runs

# A finding lists its longest stretches, not hundreds of them.
_WINDOWS_SHOWN = 12
# How much of the judged values of findings is held in memory before the rest goes to a temporary file [bytes].
_BUDGET = 64 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule book says of a recording.

    Attributes:
        findings: Ranked, explained by each other where they can be.
        clear: Ids of rules that ran and found nothing.
        skipped: Rules that could not run, with the reason.
        silenced: Findings that a rule's own `silence` withheld.
        slices: The captured time in slices, with the number of findings in each.
        kept: Where the judged values of findings lie, by rule and number of the entity: a block and its row.
    """

    findings: tuple[Finding, ...]
    clear: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    silenced: tuple[Finding, ...] = ()
    slices: tuple[TimeSlice, ...] = ()
    kept: Mapping[tuple[str, int], tuple[StoredMatrix, int]] = field(default_factory=dict)

    def values_of(self, finding: Finding) -> Floats:
        """The judged value in each sample, NaN for none, of what the finding is about (of a VM: its worst vCPU)."""
        block, row = self.kept[finding.rule, finding.number]
        return np.asarray(block.take(Pick(np.array([row])))[0])


def judge(recording: Recording, rules: Sequence[Rule]) -> Outcome:
    """Runs rules over a recording."""
    reasons = {rule.id: why_skipped(rule, recording) for rule in rules}
    runnable = [rule for rule in rules if not reasons[rule.id]]
    lacking = tuple(rule.id for rule in rules if for_want_of_counters(reasons[rule.id]))
    found, kept = _all_suspects(runnable, recording)
    suspects: list[Suspect] = []
    silenced: list[Finding] = []
    clear: list[str] = []
    for rule in runnable:
        mine = found[rule.id]
        if DEFAULT_FIELDS in rule.needs:
            mine = [replace(each, finding=replace(each.finding, members=lacking)) for each in mine]
        quiet = [each.finding for each in mine if _is_silenced(rule, each.finding)]
        silenced += quiet
        suspects += [each for each in mine if each.finding not in quiet] if quiet else mine
        if not mine or len(mine) == len(quiet):
            clear.append(rule.id)
    findings = explained(suspects, rules, recording, {rule.id for rule in runnable})
    return Outcome(
        findings,
        tuple(clear),
        tuple(Skipped(rule.id, reasons[rule.id]) for rule in rules if reasons[rule.id]),
        tuple(silenced),
        slices_of(findings, timing(recording)),
        kept,
    )


def _all_suspects(
    rules: Sequence[Rule], recording: Recording
) -> tuple[dict[str, list[Suspect]], dict[tuple[str, int], tuple[StoredMatrix, int]]]:
    """What each rule finds, and where the judged values of it are kept."""
    found: dict[str, list[Suspect]] = {rule.id: [] for rule in rules}
    kept: dict[tuple[str, int], tuple[StoredMatrix, int]] = {}
    spill = Spill(_BUDGET)
    figures = {rule.id: VmFigures(rule) for rule in rules if rule.entity == "vcpu"}
    gids = recording.entities["vcpu"]["gid"].to_list() if figures else []
    for rule, judged in judged_values(rules, recording):
        if rule.id in figures:
            figures[rule.id].see(judged, gids)
        reached = [(row, level) for row, level in enumerate(levels_reached(rule, judged)) if level is not None]
        if not reached:
            continue
        notes = caveats_of(rule, recording)
        found[rule.id] += [_suspect(rule, recording, judged, row, level, caveats=notes) for row, level in reached]
        block = spill.put(judged.values[[row for row, _ in reached]])
        kept.update({(rule.id, judged.entities[row]): (block, at) for at, (row, _) in enumerate(reached)})
    for rule in rules:
        if rule.entity == "vcpu":
            found[rule.id] = merged(found[rule.id], rule, recording, figures[rule.id], timing(recording))
    off = OffClosure(recording)
    for rule in rules:
        found[rule.id] = [_doubted(each, off.doubt_of(each.finding, rule)) for each in found[rule.id]]
    return found, kept


def _doubted(suspect: Suspect, doubt: str) -> Suspect:
    if not doubt:
        return suspect
    both = "; ".join(each for each in (suspect.finding.doubt, doubt) if each)
    return replace(suspect, finding=replace(suspect.finding, doubt=both))


def _is_silenced(rule: Rule, finding: Finding) -> bool:
    names = (finding.entity.name, finding.entity.id)
    return any(fnmatchcase(name, pattern) for pattern in rule.custom.silence for name in names)


def levels_reached(rule: Rule, judged: ValueTable) -> list[Level | None]:
    """The worst level that each entity reaches, None for none."""
    reached: list[Level | None] = [None] * len(judged.values)
    for level in sorted(rule.levels, key=lambda level: worst_first(level.severity), reverse=True):
        fired = rule.check.reached(judged.values, judged.timing, level.threshold)
        for row in np.flatnonzero(fired):
            reached[int(row)] = level
    return reached


def _suspect(
    rule: Rule, recording: Recording, judged: ValueTable, row: int, level: Level, *, caveats: tuple[str, ...]
) -> Suspect:
    values, when = judged.values[row], judged.timing
    beyond = rule.check.beyond(values, level.threshold)
    seen = ~np.isnan(values)
    episodes = _episodes(beyond, when)
    spans = [] if rule.entity == "capture" else _windows(episodes, when)
    value, statistic = rule.check.reported(values, when, level.threshold, episodes)
    finding = Finding(
        rule=rule.id,
        severity=level.severity,
        entity=_entity(rule, recording, judged.entities[row]),
        title=rule.title,
        cause=rule.cause,
        value=value,
        statistic=statistic,
        unit=rule.threshold_unit,
        threshold=level.threshold,
        source=level.source,
        peak=_peak(rule, values) if rule.check.on_values else value,
        share_of_samples=float(beyond.sum() / max(1, seen.sum())),
        samples=int(seen.sum()),
        span=Window(min(each.start for each in spans), max(each.end for each in spans)) if spans else None,
        windows=tuple(sorted(spans, key=lambda span: (-span.seconds, span.start))[:_WINDOWS_SHOWN]),
        members=_codes(rule, recording) if rule.entity == "capture" else (),
        why=rule.why,
        advice=rule.advice,
        caveats=caveats,
        number=judged.entities[row],
        slices=() if rule.entity == "capture" else seconds_in_slices(beyond, when),
        scale=Scale(states_of(rule, recording), next_level(rule, level.threshold, values, when)),
        doubt="" if rule.setting or rule.entity == "capture" else few_samples(int(seen.sum())),
    )
    mildest = rule.levels[-1].threshold
    mild = episodes if mildest == level.threshold else _episodes(rule.check.beyond(values, mildest), when)
    return Suspect(finding, beyond, tuple(episodes), tuple(mild))


def _codes(rule: Rule, recording: Recording) -> tuple[str, ...]:
    """The codes of data quality that a rule on the capture counts."""
    if DOUBTS in rule.needs:
        return tuple(note.code for note in recording.notes if note.severity == "warning")
    return tuple(note.code for note in recording.notes if note.severity == "critical" and DAMAGE in rule.needs)


def _peak(rule: Rule, values: Floats) -> float:
    return float(np.nanmax(values) if rule.check.above else np.nanmin(values))


def caveats_of(rule: Rule, recording: Recording) -> tuple[str, ...]:
    """The rule's caveats as far as they hold for the host's release, and what was taken for granted."""
    doubts = []
    zeros = [
        path
        for kind, paths in rule.needs_by_kind.items()
        for path in paths
        if path in rule.optional and path not in recording.values.counters(kind)
    ]
    if zeros:
        doubts.append(f"The capture lacks {', '.join(dict.fromkeys(zeros))}: it was taken for zero.")
    ranged = rule.since or rule.until or any(isinstance(caveat, Caveat) for caveat in rule.caveats)
    release = release_of(recording) if ranged else Release()
    if (rule.since or rule.until) and not release.inside(rule.since, rule.until):
        doubts.append(f"It holds {in_words(rule.since, rule.until)}; the host's release is {release.words}.")
    for caveat in rule.caveats:
        if not isinstance(caveat, Caveat):
            doubts.append(caveat)
        elif not release.outside(caveat.since, caveat.until):
            doubts.append(caveat.text)
    return tuple(doubts)


def _entity(rule: Rule, recording: Recording, number: int) -> Entity:
    if rule.entity == "capture":
        return Entity("capture", ", ".join(file.name for file in recording.files), recording.host)
    row = recording.entities[rule.entity].row(number, named=True)
    if rule.entity == "device-world":
        # `naa.6000...-480214` says nothing to a reader who looks for the VM.
        owner = next((vm.name for vm in recording.vms if vm.gid == row["gid"]), "")
        return Entity(
            rule.entity, f"{owner} on {row['device']}" if owner else row["name"], row["id"] or row["name"]
        )
    return Entity(rule.entity, row["name"], row["id"] or row["name"])


def _episodes(beyond: Bools, when: Timing) -> list[tuple[int, int]]:
    """First and last sample of each stretch beyond; a dip of one sample does not end it, a hole in time does."""
    return [
        (first + begin, last + begin)
        for begin, end in when.stretches
        for first, last in runs(bridged(beyond[begin:end]))
    ]


def _windows(episodes: list[tuple[int, int]], when: Timing) -> list[Window]:
    """The episodes as times; one sample's window starts as long before its stamp as it stands for."""
    return [
        Window(
            _moment(when.ends_s[first]) - timedelta(seconds=float(when.seconds[first])), _moment(when.ends_s[last])
        )
        for first, last in episodes
    ]


def _moment(stamp_s: float) -> datetime:
    return datetime.fromtimestamp(round(float(stamp_s), 6), tz=UTC)
