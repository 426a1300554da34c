"""Cause before symptom: which findings are likely symptoms of others.

Rules say what they imply. A finding of an implied rule is attached to one of the implying rule where the two
are about things that have to do with each other and happen at the same time. How sure that is, is counted in
points; the scale is this project's own convention and is printed as such:

- the same entity, or one VM, device, adapter or PCPU that both belong to: 2 points; the host that one of them
  is on, or one virtual switch: 1; two things that only share the host (`implies_on_host`): 0;
- at least 80 % of the symptom's time beyond its threshold lies in the cause's episodes or up to a minute behind
  them: 2 points; at least 50 %: 1; at least 20 %: 0; with less they are not attached at all.

Three points and more are high, two medium, fewer low.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from esxprobe.model import Confidence, Explanation, Finding, Recording
from esxprobe.rules import relations
from esxprobe.rules.rank import ranked
from esxprobe.rules.record import By, Rule
from esxprobe.rules.values import timing
from esxprobe.series import Bools, Timing

# How long after an episode a symptom may still belong to it [s].
LAG_S = 60.0
# Points by share of the symptom's time.
_OVERLAPS = ((0.8, 2), (0.5, 1), (0.2, 0))
_KEYS: tuple[By, ...] = ("vm", "device", "adapter", "pcpu", "switch")
# A finding names its likeliest causes, and of a host's many only the worst are tried.
_NAMED, _TRIED = 3, 20


@dataclass(frozen=True, slots=True)
class Suspect:
    """A finding with the samples it is about.

    Attributes:
        finding: The finding.
        beyond: For each judged sample, whether it is beyond.
        episodes: First and last sample of each stretch beyond.
    """

    finding: Finding
    beyond: Bools
    episodes: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Edge:
    """How a rule implies another: over how many steps, and whether on any entity of the host."""

    steps: int
    on_host: bool


def explained(suspects: Sequence[Suspect], rules: Sequence[Rule], recording: Recording) -> tuple[Finding, ...]:
    """The findings, ranked, with those that explain them attached."""
    settings = {rule.id for rule in rules if rule.setting}
    plain = ranked((suspect.finding for suspect in suspects), settings)
    causes = {rule.id: _causes_of(rule.id, rules) for rule in rules}
    if not any(causes[finding.rule] for finding in plain):
        return plain
    of = {suspect.finding.id: suspect for suspect in suspects}
    by_rule: dict[str, list[Suspect]] = {}
    for finding in plain:
        by_rule.setdefault(finding.rule, []).append(of[finding.id])
    homes = _Homes(recording, {rule.id: rule for rule in rules})
    reaches = _Reaches(timing(recording))
    attached = []
    for finding in plain:
        tried = [
            (edge, cause)
            for rule, edge in causes[finding.rule].items()
            for cause in _candidates(by_rule.get(rule, []), finding, edge, homes)
        ]
        found = [
            each for edge, cause in tried if (each := _explanation(of[finding.id], cause, edge, homes, reaches))
        ]
        found.sort(key=lambda each: each[0])
        attached.append(replace(finding, explained_by=tuple(each for _, each in found[:_NAMED])))
    return ranked(attached, settings)


def _causes_of(rule_id: str, rules: Sequence[Rule]) -> Mapping[str, _Edge]:
    """Every rule that implies this one, directly or over others."""
    found: dict[str, _Edge] = {}
    edge_of = {rule_id: _Edge(0, on_host=False)}
    while edge_of:
        nearer: dict[str, _Edge] = {}
        for symptom, behind in edge_of.items():
            for rule in rules:
                direct, wide = symptom in rule.implies, symptom in rule.implies_on_host
                if (direct or wide) and rule.id not in found and rule.id != rule_id:
                    nearer[rule.id] = _Edge(behind.steps + 1, on_host=behind.on_host or wide)
        found.update(nearer)
        edge_of = nearer
    return found


class _Homes:
    """What each finding's entity belongs to."""

    def __init__(self, recording: Recording, rules: Mapping[str, Rule]) -> None:
        self._recording, self.rules = recording, rules
        self._keys: dict[tuple[str, By], list[str | None]] = {}
        self._homes: dict[str, dict[By, str]] = {}
        self._at: dict[str, dict[tuple[By, str], list[Suspect]]] = {}

    def of(self, finding: Finding) -> dict[By, str]:
        """Its VM, device, adapter, PCPU and switch, as far as they are known."""
        if finding.id not in self._homes:
            kind = self.rules[finding.rule].entity  # findings of vCPUs are about VMs, their numbers are not
            home: dict[By, str] = {}
            for by in _KEYS:
                if (kind, by) not in self._keys:
                    self._keys[kind, by] = relations.keys(self._recording, kind, by).to_list()
                key = self._keys[kind, by][finding.number]
                if key is not None:
                    home[by] = key
            self._homes[finding.id] = home
        return self._homes[finding.id]

    def near(self, causes: Sequence[Suspect], finding: Finding) -> list[Suspect]:
        """Those of one rule's findings that share a VM, device, adapter, PCPU or switch with this one."""
        rule = causes[0].finding.rule
        if rule not in self._at:
            at: dict[tuple[By, str], list[Suspect]] = {}
            for cause in causes:
                for key in self.of(cause.finding).items():
                    at.setdefault(key, []).append(cause)
            self._at[rule] = at
        found = [each for key in self.of(finding).items() for each in self._at[rule].get(key, [])[:_TRIED]]
        return list({each.finding.id: each for each in found}.values())

    def shared(self, one: Finding, other: Finding) -> By | None:
        """The first thing that both belong to; `host` where one of them is the host itself."""
        mine, theirs = self.of(one), self.of(other)
        for by in _KEYS:
            if by in mine and mine[by] == theirs.get(by):
                return by
        return "host" if "host" in (one.entity.kind, other.entity.kind) else None


def _candidates(causes: Sequence[Suspect], finding: Finding, edge: _Edge, homes: _Homes) -> list[Suspect]:
    """Those of a rule's findings that may have to do with this one; of those far away only the worst."""
    if finding.entity.kind == "capture" or not causes or causes[0].finding.entity.kind == "capture":
        return []
    near = homes.near(causes, finding)
    close = {each.finding.id for each in near}
    far = [each for each in causes[:_TRIED] if each.finding.id not in close]
    at_host = finding.entity.kind == "host" or edge.on_host
    return near + [each for each in far if at_host or each.finding.entity.kind == "host"]


def _explanation(
    symptom: Suspect, cause: Suspect, edge: _Edge, homes: _Homes, reaches: _Reaches
) -> tuple[tuple[int, int, str], Explanation] | None:
    """The explanation behind what sorts it among others; None where the two share too little time."""
    beyond_s = symptom.beyond * reaches.when.seconds
    overlap = float(beyond_s[reaches.of(cause)].sum() / max(float(beyond_s.sum()), 1e-9))
    in_time = next((points for least, points in _OVERLAPS if overlap >= least), None)
    if in_time is None:
        return None
    by = homes.shared(cause.finding, symptom.finding)
    close = 0 if by is None else 1 if by in ("host", "switch") else 2
    points = close + in_time
    confidence: Confidence = "high" if points >= 3 else "medium" if points == 2 else "low"
    rule = homes.rules[cause.finding.rule]
    place = "both are on this host" if by is None else _PLACES[by]
    explanation = Explanation(
        finding=cause.finding.id,
        rule=rule.id,
        entity=cause.finding.entity,
        confidence=confidence,
        overlap=overlap,
        because=f"{place}, and {100 * overlap:.0f} % of the time beyond"
        " lies in its episodes or up to a minute behind",
        confirm=rule.confirm or f"look at {rule.label} in the same minutes ({rule.id})",
    )
    return (-points, edge.steps, cause.finding.id), explanation


_PLACES: dict[By, str] = {
    "vm": "it is on the same VM",
    "device": "it is on the same device",
    "adapter": "it is on the same adapter",
    "pcpu": "it is on the same PCPU",
    "switch": "it is on the same virtual switch",
    "host": "one of the two is the host that the other is on",
}


class _Reaches:
    """Samples in a cause's episodes or up to a minute behind them.

    Args:
        when: Of the judged samples, whose stamps need not rise: captures may be joined in any order.
    """

    def __init__(self, when: Timing) -> None:
        self.when = when
        self._order = np.argsort(when.ends_s, kind="stable")
        self._ends_s = when.ends_s[self._order]
        self._known: dict[str, Bools] = {}

    def of(self, cause: Suspect) -> Bools:
        """One flag a sample."""
        key = cause.finding.id
        if key not in self._known:
            self._known[key] = self._worked_out(cause)
        return self._known[key]

    def _worked_out(self, cause: Suspect) -> Bools:
        mask = np.zeros(len(self._ends_s), dtype=np.bool_)
        for first, last in cause.episodes:
            mask[first : last + 1] = True
            end = self.when.ends_s[last]
            behind = slice(*np.searchsorted(self._ends_s, (end, end + LAG_S), side="right"))
            mask[self._order[behind]] = True
        return mask
