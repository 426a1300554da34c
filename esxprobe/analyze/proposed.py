"""Windows of time that a report proposes: when counters that matter were far from where they are otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from esxprobe.analyze.levels import LEVEL_NEEDS, rows_of
from esxprobe.arrays import Bools, Floats
from esxprobe.catalog import find
from esxprobe.changes import rank_changes, rest
from esxprobe.changes.proposals import CONFIRMED, Proposal, Sizes, Stretch, stretches, windows_of_stretches
from esxprobe.model import (
    ChangedEntity,
    CounterChange,
    Entity,
    Finding,
    FindingOf,
    ProposedWindow,
    Recording,
    Window,
)
from esxprobe.rules.evaluate import timing
from esxprobe.rules.matters import LARGE, SMALLEST

# The sum of other latencies, which are looked at themselves.
_SUM = r"Physical Disk SCSI Device\Average Guest MilliSec/Command"


def _worse(path: str) -> bool:
    known = find(*path.split("\\", 1))
    return known is not None and known.worse == "more"


# Counters that are worse the larger they are, and of which it is known from which size on a change matters. Loads
# are not among them: work that comes and goes is not a problem.
WATCHED = frozenset(path for path in SMALLEST if path != _SUM and _worse(path))
# What is read for them beside what rules need, by entity kind; latencies with the commands that make them.
PROPOSAL_NEEDS: dict[str, tuple[str, ...]] = {
    kind: paths for kind, paths in LEVEL_NEEDS.items() if WATCHED & set(paths)
}


def proposed_windows(recording: Recording, findings: Sequence[Finding]) -> tuple[ProposedWindow, ...]:
    """At most five windows, in the order of time; none where nothing stands out, or the interval is not known.

    Args:
        recording: What was read.
        findings: What was found in it.
    """
    when = timing(recording)
    if not recording.interval_s or not len(when.ends_s):
        return ()
    found: list[Stretch] = []
    series = 0
    for path, entities, values in _watched(recording):
        found += stretches(values, sizes_of([path] * len(entities)), recording.interval_s, series)
        series += len(entities)
    proposals = windows_of_stretches(found, series, len(when.ends_s))
    if not proposals:
        return ()
    changed = _changed(recording, proposals)
    return tuple(
        _worded(proposal, Window(_time(when.ends_s[proposal.start] - when.seconds[proposal.start]),
                                 _time(when.ends_s[proposal.end])), entities, findings)
        for proposal, entities in zip(proposals, changed, strict=True)
        if entities
    )  # fmt: skip


def sizes_of(paths: Sequence[str]) -> Sizes:
    """From which size on a change of each counter is worth a window."""
    smallest = [SMALLEST[path] for path in paths]
    return Sizes(
        np.array([LARGE * each.absolute for each in smallest], dtype=float),
        np.array([each.share for each in smallest], dtype=float),
    )


def _watched(recording: Recording) -> Iterator[tuple[str, list[Entity], Floats]]:
    for _, path, entities, values in rows_of(recording, WATCHED):
        if entities:
            yield path, [entity for _, entity in entities], values


def _changed(recording: Recording, proposals: Sequence[Proposal]) -> list[tuple[ChangedEntity, ...]]:
    """What stands out in each window, with its figures against the rest of the capture: what is furthest first."""
    made: list[dict[Entity, list[CounterChange]]] = [{} for _ in proposals]
    total = 0
    for path, entities, values in _watched(recording):
        for place, proposal in enumerate(proposals):
            rows = sorted(_rows(proposal, total, len(entities)))
            if not rows:
                continue
            window = _window(proposal, values.shape[1])
            ranking = rank_changes(values[rows], window, rest(window))
            for number, row in enumerate(rows):
                if ranking.statistic[number] < CONFIRMED:
                    continue
                change = replace(ranking.change(number, path), sure=True)  # it is beyond CONFIRMED
                made[place].setdefault(entities[row], []).append(change)
        total += len(entities)
    return [_ordered(each) for each in made]


def _rows(proposal: Proposal, first: int, count: int) -> set[int]:
    """Rows among `count` ones from `first` on that stand out in a window."""
    return {each.row - first for each in proposal.stretches if first <= each.row < first + count}


def _window(proposal: Proposal, samples: int) -> Bools:
    window = np.zeros(samples, dtype=bool)
    window[proposal.start : proposal.end + 1] = True
    return window


def _ordered(found: Mapping[Entity, Sequence[CounterChange]]) -> tuple[ChangedEntity, ...]:
    def strength(change: CounterChange) -> float:
        return -abs(change.statistic)

    entities = [ChangedEntity(entity, tuple(sorted(changes, key=strength))) for entity, changes in found.items()]
    return tuple(sorted(entities, key=lambda each: strength(each.changes[0])))


def _worded(
    proposal: Proposal, span: Window, changed: tuple[ChangedEntity, ...], findings: Sequence[Finding]
) -> ProposedWindow:
    """A window with the findings that may explain it: on what changed, and there in most of the time."""
    things = {(each.entity.kind, each.entity.id) for each in changed}
    known = [
        FindingOf(each.rule, each.entity)
        for each in findings
        if any((of.kind, of.id) in things for of in (each.entity, each.owner) if of is not None)
        and _overlap_s(each.windows, span) >= span.seconds / 2
    ]
    return ProposedWindow(span, float(proposal.evidence), changed, tuple(dict.fromkeys(known)))


def _overlap_s(windows: Sequence[Window], span: Window) -> float:
    """How long some windows and a span are there at the same time [s]."""
    return sum(
        max(0.0, (min(each.end, span.end) - max(each.start, span.start)).total_seconds()) for each in windows
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
