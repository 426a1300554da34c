"""The rule book as text: the same record for the terminal, the documentation and programs."""

from __future__ import annotations

from typing import Any

from esxprobe.model import CITATION_KINDS, Citation, Level
from esxprobe.report.formatting import threshold
from esxprobe.rules import RuleBook, shipped
from esxprobe.rules.causes import CAUSES, cause_of
from esxprobe.rules.entity_keys import key_of
from esxprobe.rules.event_columns import words_of
from esxprobe.rules.record import EVENT, FACTS, Caveat, Example, Part, Rule, States
from esxprobe.rules.release import in_words


def thresholds(rule: Rule) -> str:
    """All levels of a rule in one line: `critical ≥ 10 %, warning ≥ 5 %`."""
    side = "≥" if rule.check.above else "≤"
    return ", ".join(f"{lv.severity} {side} {threshold(lv.threshold, rule.threshold_unit)}" for lv in rule.levels)


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule as plain values."""
    return {
        "id": rule.id,
        "title": rule.title,
        "entity": rule.entity,
        "needs": [path for paths in rule.needs_by_kind.values() for path in paths],
        "optional": list(rule.optional),
        "facts": list(rule.facts),
        "events": [name.removeprefix(EVENT) for name in rule.events],
        "parts": [_part_document(part) for part in rule.parts],
        "value": rule.value,
        "where": rule.where,
        "label": rule.label,
        "unit": rule.unit,
        "thresholds": [
            {
                "severity": lv.severity,
                "threshold": lv.threshold,
                "unit": rule.threshold_unit,
                "source": lv.source,
                "sources": [citation_document(each) for each in lv.sources],
            }
            for lv in rule.levels
        ],
        "states": [states_words(each) for each in rule.states],
        "check": rule.check.words,
        "cause": rule.cause,
        "why": rule.why,
        "advice": rule.advice,
        "caveats": [caveat_words(caveat) for caveat in rule.caveats],
        "only": rule.only,
        "since": rule.since,
        "until": rule.until,
        "implies": [*rule.effects.implies, *rule.effects.implies_beside],
        "confirm": rule.confirm,
        "silence": list(rule.custom.silence),
        "disabled": rule.custom.disabled,
        "origin": rule.custom.origin,
        "fires": [_example_document(example) for example in rule.fires],
        "quiet": [_example_document(example) for example in rule.quiet],
    }


def citation_document(citation: Citation) -> dict[str, str]:
    """A source as plain values."""
    return {name: getattr(citation, name) for name in ("kind", "title", "author", "year", "address", "says")}


def source_counts(book: RuleBook) -> dict[str, int]:
    """How many thresholds of a book rest on each kind of source, by the first that is listed."""
    kinds = [level.sources[0].kind for rule in book.rules for level in rule.levels]
    return {kind: kinds.count(kind) for kind in CITATION_KINDS}


def book_document(book: RuleBook) -> dict[str, Any]:
    """A whole book as plain values."""
    return {"sources": source_counts(book), "rules": [rule_document(rule) for rule in book.rules]}


def citation_words(citation: Citation) -> str:
    """A source as Markdown: its name as a link, what it says, its kind."""
    if not citation.published:
        return citation.text
    quoted = f": {citation.says}" if citation.says else ""
    return f"[{citation.name}]({citation.link}){quoted} ({citation.kind})"


def _part_document(part: Part) -> dict[str, Any]:
    fields = ("name", "kind", "how", "value", "where", "by", "only")
    return {name: getattr(part, name) for name in fields}


def caveat_words(caveat: str | Caveat) -> str:
    """A caveat with the releases that it holds for."""
    if isinstance(caveat, str):
        return caveat
    return f"{caveat.text} ({in_words(caveat.since, caveat.until)})"


def part_words(rule: Rule, part: Part) -> str:
    """A part in words."""
    by = part.by or key_of(rule.entity)
    whose = "of the host" if by == "host" else f"of the same {by}"
    of = f" of `{part.value}`" if part.value else ""
    named = f" called like `{part.only}`" if part.only else ""
    where = f", where `{part.where}`" if part.where else ""
    return f"`{part.name}` = {part.how}{of} over every {part.kind} {whose}{named}{where}"


def states_words(states: States) -> str:
    """What values are called, and of which releases."""
    before = f", before {states.until}" if states.until else ""
    return ", ".join(f"{value:g} is {name}" for value, name in states.names) + before


def _example_document(example: Example) -> dict[str, Any]:
    return {"says": example.says, "severity": example.severity}


def render_rule(rule: Rule, level: int = 1) -> str:
    """A rule as Markdown."""
    side = "≥" if rule.check.above else "≤"
    judges = f"every {rule.entity}" + (f" called like `{rule.only}`" if rule.only else "")
    judges += f", {in_words(rule.since, rule.until)}" if rule.since or rule.until else ""
    lines = [
        f"{'#' * level} {rule.id}",
        "",
        f"**{rule.title}.** {rule.why}",
        "",
        *([f"Custom: {rule.custom.origin}.", ""] if rule.custom.origin else []),
        f"- Judges: {judges}",
        f"- Value: `{rule.label}`" + (f" [{rule.unit}]" if rule.unit else "") + f" = `{rule.value}`",
        *(f"- Part: {part_words(rule, part)}" for part in rule.parts),
        *(f"- Fact: `{fact}`: {FACTS[fact]}" for fact in rule.facts),
        *(f"- Event: {words_of(name)}: docs/events.md" for name in rule.events),
        *(f"- States: {states_words(states)}" for states in rule.states),
        *([f"- Only samples in which `{rule.where}`"] if rule.where else []),
        f"- Fires: {rule.check.words}",
        f"- Filed under: {cause_of(rule.cause).title}",
        *(
            [f"- Can explain: {', '.join(implied)}"]
            if (implied := [*rule.effects.implies, *rule.effects.implies_beside])
            else []
        ),
        *([f"- Silenced for: {', '.join(rule.custom.silence)}"] if rule.custom.silence else []),
        *([f"- Does not run: {rule.custom.disabled}"] if rule.custom.disabled else []),
        "",
        "| severity | threshold | source |",
        "|---|---|---|",
        *(
            f"| {lv.severity} | {side} {threshold(lv.threshold, rule.threshold_unit)} | {_cell(lv)} |"
            for lv in rule.levels
        ),
        "",
        f"What next: {rule.advice}",
        "",
    ]
    if rule.caveats:
        lines += ["Caveats:", "", *(f"- {caveat_words(caveat)}" for caveat in rule.caveats), ""]
    if rule.confirm:
        lines += [f"To verify the cause: {rule.confirm}", ""]
    if rule.fires:
        lines += ["Fires for:", "", *(f"- {example.says}: {example.severity}" for example in rule.fires), ""]
        lines += ["Stays quiet for:", "", *(f"- {example.says}" for example in rule.quiet), ""]
    return "\n".join(lines)


def _cell(level: Level) -> str:
    """All sources of a level in a cell of a Markdown table."""
    return "<br>".join(citation_words(each).replace("|", "\\|") for each in level.sources)


def render_rules(book: RuleBook) -> str:
    """The whole book as one Markdown document."""
    lines = [
        "# Rules",
        "",
        "Generated from the rule records by `make docs`; a test compares the two.",
        "",
        "A rule is evaluated over all samples with a known interval. Group values are sums over worlds, so CPU",
        "thresholds apply to vCPU worlds; the vCPUs of a VM are then merged into one finding. A threshold",
        "whose number is not published is called a rule of thumb; sources that name the same counter follow it.",
        "",
        "| first source of a threshold | thresholds |",
        "|---|---|",
        *(f"| {kind} | {count} |" for kind, count in source_counts(book).items() if count),
        "",
    ]
    for cause in CAUSES:
        rules = [rule for rule in book.rules if rule.cause == cause.key]
        if rules:
            lines += [f"## {cause.title}", "", cause.says, ""]
            lines += [render_rule(rule, level=3) for rule in rules]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    print(render_rules(shipped()), end="")
