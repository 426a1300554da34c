"""Findings put together by their likely cause: what leads, what it explains, and which cause comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from esxprobe.model import Finding, Severity, Window, joined_windows, worst_first

_WEIGHTS = {"critical": 9.0, "warning": 3.0, "info": 1.0}


@dataclass(frozen=True, slots=True)
class LikelyCause:
    """Findings that have one likely cause.

    Attributes:
        leads: Findings that no other one explains, as ranked: of one rule, the host's own of one kind, or of one
            kind on the same VM or device.
        symptoms: Findings that they explain, as ranked.
    """

    leads: tuple[Finding, ...]
    symptoms: tuple[Finding, ...]

    @property
    def lead(self) -> Finding:
        """The finding that the cause is named after."""
        return self.leads[0]

    @property
    def worst(self) -> Finding:
        """The finding that it costs most: of the worst severity the first."""
        return min((*self.leads, *self.symptoms), key=lambda each: worst_first(each.severity))

    @property
    def severity(self) -> Severity:
        """The worst of all its findings."""
        return self.worst.severity

    @property
    def alike(self) -> tuple[Finding, ...]:
        """Findings that lead and are of the rule that the cause is named after."""
        return tuple(each for each in self.leads if each.rule == self.lead.rule)

    @property
    def episodes(self) -> tuple[Window, ...]:
        """When these were beyond their threshold, in order; of each the longest stretches."""
        return joined_windows(span for each in self.alike for span in each.windows)

    @property
    def cost(self) -> float:
        """Whom it costs how much: findings by severity, each times its share of the time."""
        found = (*self.leads, *self.symptoms)
        return sum(_WEIGHTS[each.severity] * (0.1 + each.share_of_samples) for each in found)


def likely_causes(findings: Sequence[Finding]) -> tuple[LikelyCause, ...]:
    """All findings but those on the capture itself, each under one likely cause; what costs most comes first."""
    known: dict[str, Finding] = {}
    for each in findings:
        known.setdefault(each.id, each)
    roots = [(each, _root(each, known)) for each in findings if each.entity.kind != "capture"]
    explained: dict[int, list[Finding]] = {}
    for each, root in roots:
        if root is not each:
            explained.setdefault(id(root), []).append(each)
    groups = _Groups()
    for each, root in roots:
        if root is each:
            groups.take(each, explained.get(id(each), []))
    made = [LikelyCause(tuple(leads), tuple(symptoms)) for leads, symptoms in groups.made]
    return tuple(sorted(made, key=lambda each: (worst_first(each.severity), -each.cost)))


class _Groups:
    """Likely causes while findings are put together; each finding goes to the first group that takes it."""

    def __init__(self) -> None:
        self.made: list[tuple[list[Finding], list[Finding]]] = []
        self._first: dict[tuple[str, ...], int] = {}  # number of the first group of a key or place

    def take(self, root: Finding, explained: Sequence[Finding]) -> None:
        """Takes a finding with what it explains.

        It joins those of its rule or its shortage, or those of the same kind on something that is in a group.
        """
        places = {_place(each) for each in (root, *explained)}
        signs = (_key(root), *places)
        number = min((self._first[sign] for sign in signs if sign in self._first), default=len(self.made))
        if number == len(self.made):
            self.made.append(([], []))
            self._first[_key(root)] = number  # a group is named after the finding that began it
        leads, symptoms = self.made[number]
        leads.append(root)
        symptoms += explained
        for place in places:
            self._first[place] = min(number, self._first.get(place, number))


def _place(finding: Finding) -> tuple[str, str, str]:
    """What a finding is about, and under what it is filed."""
    return finding.cause, *entity_key(finding)


def entity_key(finding: Finding) -> tuple[str, str]:
    """What tells the entity of a finding from others, also in a report without any names."""
    kind = finding.entity.kind  # the number of a VM's finding may be that of its worst vCPU
    return kind, finding.entity.id if kind == "vm" else str(finding.number)


def _root(finding: Finding, known: dict[str, Finding]) -> Finding:
    """What explains a finding, and what explains that, and so on; explanations have no circles."""
    for cause in finding.explained_by:
        if cause.shown and cause.finding in known:
            return _root(known[cause.finding], known)
    return finding


def _key(root: Finding) -> tuple[str, str]:
    """What the host itself is short of is one cause; otherwise findings of one rule are."""
    return ("host", root.cause) if root.entity.kind == "host" else (root.rule, "")
