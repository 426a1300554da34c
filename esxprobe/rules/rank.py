"""The order of findings: worst first, and a cause before what it explains."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from esxprobe.model import Finding, worst_first
from esxprobe.rules.causes import CAUSES


def ranked(findings: Iterable[Finding], settings: Collection[str] = ()) -> tuple[Finding, ...]:
    """Worst first; among equals the cause comes before its symptoms and the host before its VMs.

    A finding that explains others with high or medium confidence stands before the first of them, however mild
    it is itself.

    Args:
        findings: In any order.
        settings: Rules that judge a size or a setting: their infos come last.
    """
    order = {cause.key: number for number, cause in enumerate(CAUSES)}
    plain = sorted(
        findings,
        key=lambda each: (
            worst_first(each.severity),
            each.severity == "info" and each.rule in settings,
            order[each.cause],
            each.entity.kind != "host",
            *rank(each)[1:],
        ),
    )
    place = {finding.id: n for n, finding in enumerate(plain)}
    done: dict[str, Finding] = {}
    for finding in plain:
        _put(finding, plain, place, done)
    return tuple(done.values())


def _put(finding: Finding, plain: list[Finding], place: dict[str, int], done: dict[str, Finding]) -> None:
    """Puts a finding behind those that explain it; `implies` has no circles, so this ends."""
    if finding.id in done:
        return
    causes = [each.finding for each in finding.explained_by if each.confidence != "low" and each.finding in place]
    for cause in sorted(causes, key=place.__getitem__):
        _put(plain[place[cause]], plain, place, done)
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
