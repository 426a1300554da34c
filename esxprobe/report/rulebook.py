"""The rule book as text: the same record for the terminal, the documentation and programs."""

from __future__ import annotations

from typing import Any

from esxprobe.report.words import threshold
from esxprobe.rules import all_rules
from esxprobe.rules.causes import CAUSES, cause_of
from esxprobe.rules.record import Example, Rule


def thresholds(rule: Rule) -> str:
    """All levels of a rule in one line: `critical ≥ 10 %, warning ≥ 5 %`."""
    side = "≥" if rule.check.above else "≤"
    return ", ".join(f"{lv.severity} {side} {threshold(lv.threshold, rule.unit)}" for lv in rule.levels)


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule as plain values."""
    return {
        "id": rule.id,
        "title": rule.title,
        "entity": rule.entity,
        "needs": list(rule.needs),
        "value": rule.value,
        "label": rule.label,
        "unit": rule.unit,
        "thresholds": [
            {"severity": lv.severity, "threshold": lv.threshold, "unit": rule.unit, "source": lv.source}
            for lv in rule.levels
        ],
        "check": rule.check.words,
        "cause": rule.cause,
        "why": rule.why,
        "advice": rule.advice,
        "caveats": list(rule.caveats),
        "only": rule.only,
        "fires": [_example_document(example) for example in rule.fires],
        "quiet": [_example_document(example) for example in rule.quiet],
    }


def _example_document(example: Example) -> dict[str, Any]:
    return {"says": example.says, "severity": example.severity}


def render_rule(rule: Rule, level: int = 1) -> str:
    """A rule as Markdown."""
    side = "≥" if rule.check.above else "≤"
    lines = [
        f"{'#' * level} {rule.id}",
        "",
        f"**{rule.title}.** {rule.why}",
        "",
        f"- Judges: every {rule.entity}" + (f" called like `{rule.only}`" if rule.only else ""),
        f"- Value: `{rule.label}`" + (f" [{rule.unit}]" if rule.unit else "") + f" = `{rule.value}`",
        f"- Fires: {rule.check.words}",
        f"- Filed under: {cause_of(rule.cause).title}",
        "",
        "| severity | threshold | source |",
        "|---|---|---|",
        *(f"| {lv.severity} | {side} {threshold(lv.threshold, rule.unit)} | {lv.source} |" for lv in rule.levels),
        "",
        f"What next: {rule.advice}",
        "",
    ]
    if rule.caveats:
        lines += ["Caveats:", "", *(f"- {caveat}" for caveat in rule.caveats), ""]
    lines += ["Fires for:", "", *(f"- {example.says}: {example.severity}" for example in rule.fires), ""]
    lines += ["Stays quiet for:", "", *(f"- {example.says}" for example in rule.quiet), ""]
    return "\n".join(lines)


def render_rules() -> str:
    """The whole book as one Markdown document."""
    lines = [
        "# Rules",
        "",
        "Generated from the rule records by `make docs`; a test compares it with them.",
        "",
        "A rule is judged over all samples with a known interval. Group values are sums over worlds, so CPU",
        "thresholds are put on vCPU worlds; the vCPUs of a VM are then merged into one finding. A threshold",
        "without a published source is called a rule of thumb.",
        "",
    ]
    for cause in CAUSES:
        rules = [rule for rule in all_rules() if rule.cause == cause.key]
        if rules:
            lines += [f"## {cause.title}", "", cause.says, ""]
            lines += [render_rule(rule, level=3) for rule in rules]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(render_rules(), end="")
