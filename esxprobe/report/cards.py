"""The cards of the first screen: for each likely cause what was seen, when, how bad, how sure, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from esxprobe.model import Analysis, Finding, NamedEvents, Severity
from esxprobe.report.cause_times import time_of
from esxprobe.report.events import events_in_words, events_of
from esxprobe.report.formatting import begun, isolated, joined, plural, sentence
from esxprobe.report.judged import against, not_worse
from esxprobe.report.likely_causes import LikelyCause, entity_key, likely_causes
from esxprobe.report.links import Links
from esxprobe.rules import RuleBook
from esxprobe.rules.record import ASKED, Rule

# Cards on the first screen; infos are shown only where there is nothing worse.
_MOST, _NAMED = 5, 3
_MORE_SURE = {"low": "medium", "medium": "high", "high": "high"}


@dataclass(frozen=True, slots=True)
class Card:
    """One likely cause in words.

    Attributes:
        severity: The worst of its findings.
        anchor: Rule that leads, which is where its details stand.
        title: What is the matter.
        affected: What it is about, and whom it reaches: texts, each with the id of a page, empty for none.
        when: First and last time, and how long in all.
        figures: The judged value against its threshold: of what leads, and of a symptom that is worse.
        sure: `high`, `medium` or `low`.
        why_sure: Why.
        actions: What to do next, at most two.
        symptoms: Rules of the findings that it explains, with their number.
        events: Events of logs that belong to its findings by entity and time, in words; empty for none.
    """

    severity: Severity
    anchor: str
    title: str
    affected: tuple[tuple[str, str], ...]
    when: str
    figures: tuple[str, ...]
    sure: str
    why_sure: str
    actions: tuple[str, ...]
    symptoms: tuple[tuple[str, str], ...]
    events: str = ""

    @property
    def affected_words(self) -> str:
        """The same in one text."""
        return "".join(text for text, _ in self.affected)


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards, and how many causes have none."""

    shown: tuple[Card, ...]
    hidden: str


def cards_of(analysis: Analysis, book: RuleBook) -> Cards:
    """The cards of an analysis, what costs most first."""
    causes = likely_causes(analysis.findings)
    shown = shown_of(causes)
    rest = len(causes) - len(shown)
    hidden = f"{rest} more likely {plural(rest, 'cause')} of lower importance: see Findings." if rest else ""
    links = Links.of(analysis)
    return Cards(tuple(_card(each, analysis, book, links) for each in shown), hidden)


def leading(analysis: Analysis) -> tuple[Finding, ...]:
    """The finding that leads each card."""
    return tuple(each.lead for each in shown_of(likely_causes(analysis.findings)))


def shown_of(causes: Sequence[LikelyCause]) -> Sequence[LikelyCause]:
    """The causes that have a card: infos only where there is nothing worse."""
    worse = [each for each in causes if each.severity != "info"]
    return (worse or causes)[:_MOST]


def _card(cause: LikelyCause, analysis: Analysis, book: RuleBook, links: Links) -> Card:
    lead, rule = cause.lead, book.find(cause.lead.rule)
    sure, why = _sure(lead, rule, analysis)
    if not rule.events:  # what was only logged is not borne out by the same lines once more
        measured = [each for each in cause.leads if not book.find(each.rule).events]
        sure, why = _with_events(sure, why, events_of(analysis, measured))
    rules = [each.rule for each in (*cause.leads, *cause.symptoms)]
    return Card(
        severity=cause.severity,
        anchor=lead.rule,
        title=lead.title,
        affected=_affected(cause, links),
        when=time_of(cause, analysis, book).words,
        figures=tuple(_figures(cause, book)),
        sure=sure,
        why_sure=why,
        actions=tuple(_actions(rule)),
        symptoms=tuple(
            (each, f"{each} ({rules.count(each)})") for each in dict.fromkeys(rules) if each != lead.rule
        ),
        events=events_in_words(analysis, (*cause.leads, *cause.symptoms)),
    )


def _affected(cause: LikelyCause, links: Links) -> tuple[tuple[str, str], ...]:
    """The entities that lead by name, then those that it reaches."""
    own = _names(cause.leads, links)
    reached = [name for key, name in _names(cause.symptoms, links).items() if key not in own]
    names = _listed(list(own.values()))
    return (*names, ("; with symptoms on ", ""), *_listed(reached)) if reached else tuple(names)


def _names(findings: Sequence[Finding], links: Links) -> dict[tuple[str, str], tuple[str, str]]:
    """The name of each entity, once, and the page that it leads to."""
    return {entity_key(each): (isolated(each.entity.name), links.of_finding(each)) for each in findings}


def _listed(names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A, B and C; of many the first and how many more."""
    shown = names if len(names) <= _NAMED + 1 else names[:_NAMED]
    more = len(names) - len(shown)
    parts = []
    for n, name in enumerate(shown):
        if n:
            parts.append((" and " if n == len(shown) - 1 and not more else ", ", ""))
        parts.append(name)
    return [*parts, (f" and {more} more", "")] if more else parts


def _figures(cause: LikelyCause, book: RuleBook) -> Iterator[str]:
    """What leads, and the worst that it costs."""
    lead, worst = cause.lead, cause.worst
    yield begun(_figure(lead, book.find(lead.rule)))
    if worst is not lead and worst.severity != lead.severity:
        yield f"Worst: {isolated(worst.entity.name)}, {_figure(worst, book.find(worst.rule))}"


def _figure(lead: Finding, rule: Rule) -> str:
    """The judged value against the threshold that was reached, and why a worse one was not."""
    shown = against(lead, rule)
    return f"{shown}; {worse}" if (worse := not_worse(lead)) else shown


def _sure(lead: Finding, rule: Rule, analysis: Analysis) -> tuple[str, str]:
    """How far the finding can be relied on, and why."""
    doubts = [note.code for note in analysis.quality if note.severity != "info"]
    damage = [note.code for note in analysis.quality if note.severity == "critical"]
    samples = f"{lead.samples:,} {plural(lead.samples, 'sample')}"
    if lead.doubt:
        return "low", lead.doubt
    if damage:
        return "low", f"the capture is damaged ({joined(damage)})"
    seen = f"measured by esxtop in {samples}"
    if rule.events and not rule.needs:
        seen = "logged by the host"
    if rule.setting:
        seen = "the host's own answer" if ASKED.keys() & set(rule.facts) else "as esxtop showed it"
    level = next((each for each in rule.levels if each.threshold == lead.threshold), rule.levels[0])
    source = level.sources[0]
    if doubts:
        return "medium", f"{seen}, but the capture has doubts ({joined(doubts)})"
    if not source.published:
        return "medium", f"{seen}; the threshold is {_own(source.kind)}"
    return "high", f"{seen}; published threshold ({source.kind}: {source.author})"


def _with_events(sure: str, why: str, events: Sequence[NamedEvents]) -> tuple[str, str]:
    """The same where events of logs bear the findings that lead out: the host's own words, by other means.

    One step more, never two: events say that something happened there and then, not that it caused the values.
    """
    count = sum(each.count for each in dict.fromkeys(events) if each.bears_out)
    if not count:
        return sure, why
    bear = "bears" if count == 1 else "bear"
    return _MORE_SURE[sure], f"{why}; {count:,} {plural(count, 'event')} in logs {bear} it out"


def _own(kind: str) -> str:
    return "a rule of thumb" if kind == "rule of thumb" else "that of your own rules"


def _actions(rule: Rule) -> list[str]:
    """The check that confirms it, and the first thing to do."""
    first = re.split(r"(?<=[a-z)])[.;] (?=[A-Za-z])", rule.advice, maxsplit=1)[0].rstrip(".")
    return [*([sentence(f"Confirm: {rule.confirm}")] if rule.confirm else []), f"{first}."]
