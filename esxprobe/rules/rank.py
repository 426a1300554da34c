"""The order of findings: worst first, a cause before what it explains, and causes before other causes' symptoms."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from esxprobe.model import Explanation, Finding, worst_first
from esxprobe.rules.causes import CAUSES


def ranked(findings: Iterable[Finding], settings: Collection[str] = ()) -> tuple[Finding, ...]:
    """Worst first; among equals causes before symptoms, then by cause, and the host before its VMs.

    A finding that leads others (see `leads`) counts as much as the worst of them, and is before all of them.

    Args:
        findings: In any order.
        settings: Rules that evaluate a size or a setting: their infos come last.
    """
    given = list(findings)
    leaders = _leaders(given, settings)
    weight = _weights(given, leaders)
    order = {cause.key: number for number, cause in enumerate(CAUSES)}
    plain = sorted(
        given,
        key=lambda each: (
            weight[each.id],
            weight[each.id] == worst_first("info") and each.rule in settings,
            each.id in leaders or each.entity.kind == "capture",
            order[each.cause],
            each.entity.kind != "host",
            *rank(each),
        ),
    )
    place = {finding.id: n for n, finding in enumerate(plain)}
    done: dict[str, Finding] = {}
    for finding in plain:
        _put(finding, plain, place, leaders, done)
    return tuple(done.values())


def leads(cause: Finding, explanation: Explanation, symptom: Finding, settings: Collection[str] = ()) -> bool:
    """Whether a cause is ranked before what it explains.

    A harmless figure is never listed before the trouble: a warning or critical cause leads, an info leads what is
    an info itself. Before what is worse an info leads only as a setting of the very VM or device, which is what
    there is to change; or with high confidence, and then before no critical finding.

    Args:
        cause: The finding that explains.
        explanation: Why.
        symptom: The finding that is explained.
        settings: Rules that evaluate a size or a setting.
    """
    if not explanation.shown:
        return False
    if cause.severity != "info" or symptom.severity == "info":
        return True
    if cause.rule in settings:
        return cause.entity.kind != "host"
    return explanation.confidence == "high" and symptom.severity != "critical"


def _leaders(findings: Sequence[Finding], settings: Collection[str]) -> dict[str, list[str]]:
    """Of each finding that others lead, those; by ids."""
    known = {finding.id: finding for finding in findings}
    led: dict[str, list[str]] = {}
    for symptom in findings:
        mine = [
            each.finding
            for each in symptom.explained_by
            if each.finding in known and leads(known[each.finding], each, symptom, settings)
        ]
        if mine:
            led[symptom.id] = mine
    return led


def _weights(findings: Sequence[Finding], leaders: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How bad each finding or the worst that it leads is; `implies` has no circles, so this ends."""
    weight = {finding.id: worst_first(finding.severity) for finding in findings}
    raised = list(leaders)
    while raised:
        again = []
        for symptom in raised:
            for cause in leaders.get(symptom, ()):
                if weight[symptom] < weight[cause]:
                    weight[cause] = weight[symptom]
                    again.append(cause)
        raised = again
    return weight


def _put(
    finding: Finding,
    plain: Sequence[Finding],
    place: Mapping[str, int],
    leaders: Mapping[str, Sequence[str]],
    done: dict[str, Finding],
) -> None:
    """Puts a finding behind those that lead it; `implies` has no circles, so this ends."""
    if finding.id in done:
        return
    for cause in sorted(leaders.get(finding.id, ()), key=place.__getitem__):
        _put(plain[place[cause]], plain, place, leaders, done)
    done[finding.id] = finding


def rank(finding: Finding, *, above: bool = True) -> tuple[object, ...]:
    """What orders findings of one rule and cause."""
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
