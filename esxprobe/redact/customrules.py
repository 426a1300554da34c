"""Rules of the user's own without the user's words, before anything is judged by them.

A file of rules is written at the site: titles, reasons, sources and ids may hold names that no capture
has. Only listed words of them pass. What a rule does stays: its SQL, its thresholds, and the names that it is
silent for, none of which is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from esxprobe.model import Citation
from esxprobe.redact.redactor import Redactor
from esxprobe.rules import RuleBook, bound, shipped
from esxprobe.rules.record import Caveat, Rule


def redacted_book(book: RuleBook, redactor: Redactor) -> RuleBook:
    """The book with pseudonyms in what is not as it was shipped; ids of shipped rules stay."""
    own = {text for rule in shipped().rules for text in _texts(rule)}
    added = [deviation.rule for deviation in book.deviations if deviation.change == "added"]
    ids = {rule: redactor.line(rule) for rule in added}

    def hidden(text: str) -> str:
        return text if text in own else redactor.line(text)

    deviations = (
        replace(each, rule=ids.get(each.rule, each.rule), detail=redactor.line(each.detail))
        for each in book.deviations
    )
    rules = (_redacted(rule, hidden, ids) if rule.custom.origin else rule for rule in book.rules)
    return bound(rules, tuple(deviations))


def _texts(rule: Rule) -> Iterator[str]:
    yield from (
        rule.title,
        rule.label,
        rule.unit,
        rule.why,
        rule.advice,
        rule.confirm,
        rule.custom.origin,
        rule.custom.disabled,
    )
    yield from (citation.title for level in rule.levels for citation in level.sources)
    yield from (each.text if isinstance(each, Caveat) else each for each in rule.caveats)


def _hidden_sources(sources: tuple[Citation, ...], hidden: Callable[[str], str]) -> tuple[Citation, ...]:
    """Only the title of a source of the user's own holds the user's words."""
    return tuple(replace(each, title=hidden(each.title)) for each in sources)


def _redacted(rule: Rule, hidden: Callable[[str], str], ids: dict[str, str]) -> Rule:
    return replace(
        rule,
        id=ids.get(rule.id, rule.id),
        levels=tuple(replace(level, sources=_hidden_sources(level.sources, hidden)) for level in rule.levels),
        caveats=tuple(
            replace(each, text=hidden(each.text)) if isinstance(each, Caveat) else hidden(each)
            for each in rule.caveats
        ),
        effects=replace(
            rule.effects,
            implies=tuple(ids.get(each, each) for each in rule.effects.implies),
            implies_beside=tuple(ids.get(each, each) for each in rule.effects.implies_beside),
            accounts_for=tuple(ids.get(each, each) for each in rule.effects.accounts_for),
        ),
        title=hidden(rule.title),
        label=hidden(rule.label),
        unit=hidden(rule.unit),
        why=hidden(rule.why),
        advice=hidden(rule.advice),
        confirm=hidden(rule.confirm),
        custom=replace(rule.custom, origin=hidden(rule.custom.origin), disabled=hidden(rule.custom.disabled)),
    )
