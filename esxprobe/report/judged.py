"""What a finding's value is called wherever it is printed, and the remarks that belong to it."""

from __future__ import annotations

from esxprobe.model import Finding
from esxprobe.report.formatting import number, printed, threshold
from esxprobe.rules.record import Rule


def amount(finding: Finding, value: float | None = None) -> str:
    """The judged value, or another one of the same finding, with its unit; a state by its name: `hard (2)`."""
    shown = finding.value if value is None else value
    return dict(finding.states).get(shown) or number(shown, finding.unit)


def limit(finding: Finding, value: float | None = None) -> str:
    """The threshold that was reached, or another one of the same rule, likewise."""
    shown = finding.threshold if value is None else value
    return dict(finding.states).get(shown) or threshold(shown, finding.unit)


def against(finding: Finding, rule: Rule) -> str:
    """The judged value against the threshold that was reached."""
    amounts = f"{rule.label} {amount(finding)}"
    if not rule.setting:
        amounts += f" ({finding.statistic})"
    begins = f"from {limit(finding)}" if rule.check.above else f"at or below {limit(finding)}"
    return f"{amounts}, {finding.severity} {begins}"


def not_worse(finding: Finding) -> str:
    """Why a value beyond the next threshold is not a worse finding; empty where it is not beyond."""
    following = finding.next_level
    if following is None or finding.value != finding.value:
        return ""
    above = following.threshold > finding.threshold
    sign = 1 if above else -1
    # What is printed is rounded: it may reach what the value itself does not.
    shown = printed(finding.value, finding.unit)
    if sign * following.threshold > max(sign * finding.value, sign * shown):
        return ""
    at = limit(finding, following.threshold)
    if not following.needs:
        return f"just {'below' if above else 'above'} {at}, where {following.severity} begins"
    side = "more" if above else "less"
    return f"{following.severity} needs {at} or {side} {following.needs}; it was so for {following.was}"


def remarks(finding: Finding) -> tuple[str, ...]:
    """What has to be known beside the value: why it is not worse, and why it may not be quoted."""
    return tuple(each for each in (not_worse(finding), finding.doubt) if each)
