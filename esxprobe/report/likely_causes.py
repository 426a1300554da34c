"""Findings put together by their likely cause: what leads, what it explains, and which cause comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

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
    groups: list[_Group] = []
    for each, root in roots:
        if root is each:
            mine = explained.get(id(each), [])
            group = next((group for group in groups if group.takes(each, mine)), None)
            if group is None:
                groups.append(group := _Group(_key(each)))
            group.add(each, mine)
    made = [LikelyCause(tuple(group.leads), tuple(group.symptoms)) for group in groups]
    return tuple(sorted(made, key=lambda each: (worst_first(each.severity), -each.cost)))


@dataclass(slots=True)
class _Group:
    """A likely cause while its findings are put together."""

    key: tuple[str, str]
    leads: list[Finding] = field(default_factory=list)
    symptoms: list[Finding] = field(default_factory=list)
    places: set[tuple[str, str, str]] = field(default_factory=set)

    def takes(self, root: Finding, explained: Sequence[Finding]) -> bool:
        """Whether a finding is of the same rule, of the same shortage, or of the same kind on something in here."""
        return _key(root) == self.key or any(_place(each) in self.places for each in (root, *explained))

    def add(self, root: Finding, explained: Sequence[Finding]) -> None:
        """Takes a finding with what it explains."""
        self.leads.append(root)
        self.symptoms += explained
        self.places |= {_place(each) for each in (root, *explained)}


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
    """What the host itself is short of is one cause; else findings of one rule are."""
    return ("host", root.cause) if root.entity.kind == "host" else (root.rule, "")
