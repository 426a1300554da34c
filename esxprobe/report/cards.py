"""The cards of the first screen: for each likely cause what was seen, when, how bad, how sure, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from esxprobe.model import Analysis, Finding, Severity, Window
from esxprobe.report.likely_causes import LikelyCause, entity_key, likely_causes
from esxprobe.report.words import isolated, joined, number, percent, plural, sentence, threshold, window
from esxprobe.rules import RuleBook
from esxprobe.rules.record import ASKED, Rule

# Cards on the first screen; infos are shown only where there is nothing worse.
_MOST, _NAMED, _FEW = 5, 3, 12


@dataclass(frozen=True, slots=True)
class Card:
    """One likely cause in words.

    Attributes:
        severity: The worst of its findings.
        anchor: Rule that leads, which is where its details stand.
        title: What is the matter.
        affected: What it is about, and whom it reaches.
        when: First and last time, and how long in all.
        figures: The judged value against its threshold: of what leads, and of a symptom that is worse.
        sure: `high`, `medium` or `low`.
        why_sure: Why.
        actions: What to do next, at most two.
        symptoms: Rules of the findings that it explains, with their number.
    """

    severity: Severity
    anchor: str
    title: str
    affected: str
    when: str
    figures: tuple[str, ...]
    sure: str
    why_sure: str
    actions: tuple[str, ...]
    symptoms: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Cards:
    """The cards, and how many causes have none."""

    shown: tuple[Card, ...]
    hidden: str


def cards_of(analysis: Analysis, book: RuleBook) -> Cards:
    """The cards of an analysis, what costs most first."""
    causes = likely_causes(analysis.findings)
    shown = _shown(causes)
    rest = len(causes) - len(shown)
    hidden = f"{rest} more likely {plural(rest, 'cause')} of less weight: see Findings." if rest else ""
    return Cards(tuple(_card(each, analysis, book) for each in shown), hidden)


def leading(analysis: Analysis) -> tuple[Finding, ...]:
    """The finding that leads each card."""
    return tuple(each.lead for each in _shown(likely_causes(analysis.findings)))


def _shown(causes: Sequence[LikelyCause]) -> Sequence[LikelyCause]:
    worse = [each for each in causes if each.severity != "info"]
    return (worse or causes)[:_MOST]


def _card(cause: LikelyCause, analysis: Analysis, book: RuleBook) -> Card:
    lead, rule = cause.lead, book.find(cause.lead.rule)
    sure, why = _sure(lead, rule, analysis)
    rules = [each.rule for each in (*cause.leads, *cause.symptoms)]
    return Card(
        severity=cause.severity,
        anchor=lead.rule,
        title=lead.title,
        affected=_affected(cause),
        when=_when(cause, analysis),
        figures=tuple(_figures(cause, book)),
        sure=sure,
        why_sure=why,
        actions=tuple(_actions(rule)),
        symptoms=tuple(
            (each, f"{each} ({rules.count(each)})") for each in dict.fromkeys(rules) if each != lead.rule
        ),
    )


def _affected(cause: LikelyCause) -> str:
    """The entities that lead by name, then those that it reaches."""
    own = _names(cause.leads)
    reached = [name for key, name in _names(cause.symptoms).items() if key not in own]
    said = _listed(list(own.values()))
    return f"{said}; with symptoms on {_listed(reached)}" if reached else said


def _names(findings: Sequence[Finding]) -> dict[tuple[str, str], str]:
    """The name of each entity, once."""
    return {entity_key(each): isolated(each.entity.name) for each in findings}


def _listed(names: list[str]) -> str:
    if len(names) <= _NAMED + 1:
        return joined(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def _when(cause: LikelyCause, analysis: Analysis) -> str:
    """From the first to the last time beyond the threshold of the rule that leads."""
    capture, lead = analysis.capture, cause.lead
    begins = [each.first for each in cause.alike if each.first]
    ends = [each.last for each in cause.alike if each.last]
    if not begins or not ends or not capture.started or not capture.ended:
        return "for the whole capture"
    dated = capture.date_known and capture.started.date() != capture.ended.date()
    if lead.share_of_samples >= 0.995:
        return "all the time"
    span = Window(min(begins), max(ends))
    share = f"in {percent(lead.share_of_samples)} of the samples"
    return f"{window(span, dated=dated, timezone=capture.timezone)} UTC, {share}"


def _figures(cause: LikelyCause, book: RuleBook) -> Iterator[str]:
    """What leads, and the worst that it costs."""
    lead, worst = cause.lead, cause.worst
    yield _figure(lead, book.find(lead.rule))
    if worst is not lead and worst.severity != lead.severity:
        yield f"Worst: {isolated(worst.entity.name)}, {_figure(worst, book.find(worst.rule))}"


def _figure(lead: Finding, rule: Rule) -> str:
    """The judged value against the threshold that was reached, and why a higher one was not."""
    said = f"{rule.label} {number(lead.value, lead.unit)}"
    if not rule.setting:
        said += f" ({lead.statistic})"
    side = "from" if rule.check.above else "down to"
    said += f", {lead.severity} {side} {threshold(lead.threshold, lead.unit)}"
    worse = [
        level
        for level in rule.levels
        if (level.threshold > lead.threshold) == rule.check.above and level.threshold != lead.threshold
    ]
    sign = 1 if rule.check.above else -1
    passed = [level for level in worse if sign * lead.value >= sign * level.threshold]
    if passed and rule.check.on_values:
        level = passed[-1]
        said += f"; not long enough beyond {threshold(level.threshold, lead.unit)}, where {level.severity} begins"
    return said


def _sure(lead: Finding, rule: Rule, analysis: Analysis) -> tuple[str, str]:
    """How far the finding can be relied on, and why."""
    doubts = [note.code for note in analysis.quality if note.severity != "info"]
    damage = [note.code for note in analysis.quality if note.severity == "critical"]
    samples = f"{lead.samples:,} {plural(lead.samples, 'sample')}"
    if lead.samples < _FEW and not rule.setting:
        return "low", f"only {samples} could be judged: a moment, not a state"
    if damage:
        return "low", f"the capture is damaged ({joined(damage)})"
    seen = f"measured by esxtop in {samples}"
    if rule.setting:
        seen = "the host's own answer" if ASKED.keys() & set(rule.facts) else "as esxtop showed it"
    level = next((each for each in rule.levels if each.threshold == lead.threshold), rule.levels[0])
    source = level.sources[0]
    if doubts:
        return "medium", f"{seen}, but the capture has doubts ({joined(doubts)})"
    if not source.published:
        return "medium", f"{seen}; the threshold is {_own(source.kind)}"
    return "high", f"{seen}; published threshold ({source.kind}: {source.author})"


def _own(kind: str) -> str:
    return "a rule of thumb" if kind == "rule of thumb" else "that of your own rules"


def _actions(rule: Rule) -> list[str]:
    """The check that confirms it, and the first thing to do."""
    first = re.split(r"(?<=[a-z)])[.;] (?=[A-Za-z])", rule.advice, maxsplit=1)[0].rstrip(".")
    return [*([sentence(f"Confirm: {rule.confirm}")] if rule.confirm else []), f"{first}."]
