"""Findings with little in them, for what puts them together and in order."""

from __future__ import annotations

from esxprobe.model import Confidence, Entity, Explanation, Finding, Severity
from esxprobe.rules import shipped


def finding(
    rule: str,
    name: str,
    kind: str = "",
    *,
    severity: Severity = "warning",
    share: float = 0.5,
    by: Explanation | None = None,
) -> Finding:
    """A finding of a shipped rule on this entity; the host where the rule judges it."""
    known = shipped().find(rule)
    entity = Entity(kind or ("host" if known.entity == "host" else "vm"), name, name)
    return Finding(
        rule=rule,
        severity=severity,
        entity=entity,
        title=known.title,
        cause=known.cause,
        value=known.levels[0].threshold,
        statistic="p95",
        unit=known.threshold_unit,
        threshold=known.levels[0].threshold,
        source=known.levels[0].source,
        peak=known.levels[0].threshold,
        share_of_samples=share,
        samples=180,
        span=None,
        windows=(),
        members=(),
        why=known.why,
        advice=known.advice,
        caveats=(),
        explained_by=(by,) if by else (),
    )


def because(cause: Finding, confidence: Confidence = "high") -> Explanation:
    """That a finding is likely a symptom of this one."""
    return Explanation(cause.id, cause.rule, cause.entity, confidence, 1.0, 0.0, "they came together", "esxtop")
