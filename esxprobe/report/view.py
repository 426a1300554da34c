"""View records: everything the template prints, already worded, rounded and sorted.

The template does no arithmetic and makes no choice but to show or not to show.
"""

from __future__ import annotations

from dataclasses import dataclass

from esxprobe.model import SEVERITIES, Analysis, Citation, Explanation, Finding, Severity, worst_first
from esxprobe.report.capture_facts import capture_facts, head_facts, is_dated, is_poor
from esxprobe.report.cards import Cards, cards_of
from esxprobe.report.charts import is_constant
from esxprobe.report.comparison import ComparisonPanel, comparison_panel
from esxprobe.report.faults import FaultPanel, fault_panel
from esxprobe.report.formatting import (
    isolated,
    joined,
    moment,
    percent,
    quality_rows,
    sentence,
    window,
    without_label,
)
from esxprobe.report.glance import GlancePanel, glance_panel
from esxprobe.report.judged import amount, limit, remarks
from esxprobe.report.links import Links
from esxprobe.report.pages import Pages, pages_of
from esxprobe.report.provenance import ProvenancePanel, provenance_panel
from esxprobe.report.summary import render_summary
from esxprobe.report.tables import Table
from esxprobe.report.verdict import verdict_of
from esxprobe.report.vms import vm_table, vms_summary
from esxprobe.rules import RuleBook
from esxprobe.rules.causes import cause_of
from esxprobe.rules.record import Rule

# Rows of one rule that are shown before the rest is counted.
ROWS = 50
_WINDOWS = 4


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One entity under a rule."""

    severity: Severity
    entity: str
    anchor: str
    id: str
    members: str
    value: str
    statistic: str
    peak: str
    remarks: tuple[str, ...]
    share: str
    windows: tuple[str, ...]
    more_windows: str
    symptoms: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """A threshold of a rule, with where it comes from: the strongest source first."""

    severity: Severity
    level: str
    sources: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """A rule that fired, with all entities it fired for."""

    anchor: str
    rule: str
    title: str
    severity: Severity
    shown: str
    label: str
    why: str
    advice: str
    caveats: tuple[str, ...]
    thresholds: tuple[ThresholdRow, ...]
    check: str
    rows: tuple[FindingRow, ...]
    hidden: int
    svg: str
    chart_words: str
    constant: str


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """A likely cause with the rules filed under it."""

    key: str
    title: str
    says: str
    severity: Severity
    groups: tuple[RuleGroup, ...]


@dataclass(frozen=True, slots=True)
class RuleOutcomes:
    """Rules without a finding, and where the rules in use are not the shipped ones.

    Attributes:
        deviations: Rule, change, detail and place of each deviation.
        clear: Rule and title of those that ran and found nothing.
        skipped: Rule, title and reason of those that could not run.
    """

    deviations: tuple[tuple[str, ...], ...]
    clear: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class CaptureContent:
    """What the files hold.

    Attributes:
        quality: Severity, code, count, place and advice of each kind of damage or warning.
        objects: Object, instances, columns, and how many of these are understood.
        rows: Rows and columns in words.
    """

    quality: tuple[tuple[str, ...], ...]
    objects: tuple[tuple[str, ...], ...]
    rows: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page, in order."""

    title: str
    host: str
    timezone: str
    facts: tuple[tuple[str, str], ...]
    capture: tuple[tuple[str, str], ...]
    cards: Cards
    verdict: tuple[str, ...]
    ticket: str
    worst: str
    counts: tuple[tuple[Severity, int], ...]
    faults: FaultPanel
    comparison: ComparisonPanel | None
    glance: GlancePanel
    pages: Pages
    provenance: ProvenancePanel
    causes: tuple[CauseGroup, ...]
    slices: tuple[tuple[str, ...], ...]
    rules: RuleOutcomes
    vms: Table
    vms_summary: str
    content: CaptureContent
    command: str
    tool: str


def _rule_outcomes(analysis: Analysis, book: RuleBook) -> RuleOutcomes:
    return RuleOutcomes(
        deviations=tuple((each.rule, each.change, each.detail, each.place) for each in analysis.deviations),
        clear=tuple((rule, without_label(book.find(rule).title)) for rule in analysis.clear),
        skipped=tuple(
            (each.rule, without_label(book.find(each.rule).title), each.reason) for each in analysis.skipped
        ),
    )


def page_of(analysis: Analysis, drawings: dict[str, str], command: str, book: RuleBook) -> Page:
    """The page of an analysis.

    Args:
        analysis: What to show.
        drawings: SVG by rule id; a rule without one gets none.
        command: The command line that made the report.
        book: The rules that judged it.
    """
    capture, dated, links = analysis.capture, is_dated(analysis), Links.of(analysis)
    counts = tuple((level, sum(f.severity == level for f in analysis.findings)) for level in SEVERITIES)
    worst = next((level for level, count in counts if count), "none")
    return Page(
        title=f"esxprobe: {capture.host or 'unnamed host'}",
        host=capture.host or "unnamed host",
        timezone=capture.timezone,
        facts=head_facts(analysis),
        capture=capture_facts(analysis),
        cards=cards_of(analysis, book),
        verdict=verdict_of(analysis),
        ticket=render_summary(analysis, command, book),
        worst=worst,
        counts=() if is_poor(analysis) else counts,
        faults=fault_panel(analysis, drawings),
        comparison=comparison_panel(analysis, drawings),
        glance=glance_panel(analysis, drawings, links),
        pages=pages_of(analysis, book, links),
        provenance=provenance_panel(analysis),
        causes=_causes(analysis, drawings, book, links),
        slices=_slice_rows(analysis, dated=dated),
        rules=_rule_outcomes(analysis, book),
        vms=vm_table(analysis.vm_rows, links, dated=dated),
        vms_summary=vms_summary(analysis.vm_rows),
        content=CaptureContent(
            quality=quality_rows(analysis.quality),
            objects=tuple(
                (name, f"{instances:,}", f"{columns:,}", f"{understood:,}")
                for name, instances, columns, understood in capture.objects
            ),
            rows=f"{capture.rows:,} data rows, {capture.columns:,} value columns",
        ),
        command=command,
        tool=f"esxprobe {analysis.tool_version}",
    )


def _causes(analysis: Analysis, drawings: dict[str, str], book: RuleBook, links: Links) -> tuple[CauseGroup, ...]:
    """Causes and, inside them, rules in the order in which the ranked findings name them first."""
    dated = is_dated(analysis)
    groups = []
    for key in dict.fromkeys(finding.cause for finding in analysis.findings):
        mine = [finding for finding in analysis.findings if finding.cause == key]
        parts = tuple(
            _rule_group(
                book.find(rule),
                [f for f in mine if f.rule == rule],
                drawings.get(rule, ""),
                links,
                constant=rule in analysis.charts and is_constant(analysis.charts[rule]),
                dated=dated,
                zone=analysis.capture.timezone,
            )
            for rule in dict.fromkeys(finding.rule for finding in mine)
        )
        cause = cause_of(key)
        groups.append(CauseGroup(cause.key, cause.title, cause.says, _worst(mine), parts))
    return tuple(groups)


def _worst(found: list[Finding]) -> Severity:
    return min((finding.severity for finding in found), key=worst_first)


def _rule_group(
    rule: Rule, found: list[Finding], svg: str, links: Links, *, constant: bool, dated: bool, zone: str
) -> RuleGroup:
    side = "≥" if rule.check.above else "≤"
    drawn = min(len(found), 4)
    words = f"{rule.label} over time of {joined([f.entity.name for f in found[:drawn]])}"
    if len(found) > drawn:
        words += f", the worst {drawn} of {len(found)}"
    return RuleGroup(
        anchor=rule.id,
        rule=rule.id,
        title=rule.title,
        severity=_worst(found),
        shown=_worst_in_words(found, rule),
        label=rule.label,
        why=rule.why,
        advice=rule.advice,
        caveats=found[0].caveats,
        thresholds=tuple(
            ThresholdRow(lv.severity, f"{side} {limit(found[0], lv.threshold)}", lv.sources)
            for lv in rule.levels
            if any(each.knows(lv.threshold) for each in found)
        ),
        check=rule.check.words,
        rows=tuple(_finding_row(finding, links, dated=dated, zone=zone) for finding in found[:ROWS]),
        hidden=max(0, len(found) - ROWS),
        svg=svg,
        chart_words=words,
        constant=f"{rule.label} was constant." if constant else "",
    )


def _worst_in_words(found: list[Finding], rule: Rule) -> str:
    """The worst entity of a rule with its figure, and how many more there are."""
    top = min(found, key=lambda each: worst_first(each.severity))
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    beside = "".join(f"; {each}" for each in remarks(top))
    return f"{isolated(top.entity.name)}: {rule.label} {amount(top)} ({top.statistic}){beside}{more}"


def _finding_row(finding: Finding, links: Links, *, dated: bool, zone: str) -> FindingRow:
    extra = len(finding.windows) - _WINDOWS
    return FindingRow(
        severity=finding.severity,
        entity=finding.entity.name,
        anchor=links.of_finding(finding),
        id="" if finding.entity.id == finding.entity.name else finding.entity.id,
        members=", ".join(finding.members),
        value=amount(finding),
        statistic=finding.statistic,
        peak=amount(finding, finding.peak),
        remarks=remarks(finding),
        share=f"{percent(finding.share_of_samples)} of {finding.samples}",
        windows=tuple(window(span, dated=dated, timezone=zone) for span in finding.windows[:_WINDOWS]),
        more_windows=f"and {extra} more" if extra > 0 else "",
        symptoms=tuple(_symptom(each) for each in finding.explained_by if each.shown),
    )


def _symptom(cause: Explanation) -> tuple[str, str]:
    """The rule that explains, and a sentence on why it may."""
    why = f"of {isolated(cause.entity.name)}: {cause.because} (confidence: {cause.confidence})"
    return cause.rule, f"{why}. Verify: {sentence(cause.confirm)}"


def _slice_rows(analysis: Analysis, *, dated: bool) -> tuple[tuple[str, ...], ...]:
    """One row a slice of the captured time; none where nothing was found."""
    if not any(finding.slices for finding in analysis.findings):
        return ()
    return tuple(
        (
            f"{moment(each.start, dated=dated)}–{moment(each.end, dated=False)}",
            *(str(getattr(each, level)) if each.judged_s else "–" for level in SEVERITIES),
        )
        for each in analysis.slices
    )
