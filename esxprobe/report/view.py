"""View records: everything the template prints, already worded, rounded and sorted.

The template does no arithmetic and makes no choice but to show or not to show.
"""

from __future__ import annotations

from dataclasses import dataclass

from esxprobe.model import SEVERITIES, Analysis, Citation, Explanation, Finding, Severity, VmRow, worst_first
from esxprobe.report.comparison import ComparisonPanel, comparison_panel
from esxprobe.report.faults import FaultPanel, fault_panel, fault_sentence
from esxprobe.report.glance import GlancePanel, glance_panel
from esxprobe.report.provenance import ProvenancePanel, provenance_panel
from esxprobe.report.words import (
    duration,
    in_zone,
    isolated,
    joined,
    local,
    moment,
    number,
    percent,
    plural,
    quality_rows,
    skips_in_words,
    threshold,
    window,
)
from esxprobe.rules import RuleBook
from esxprobe.rules.causes import cause_of
from esxprobe.rules.record import Rule

# Rows of one rule that are shown before the rest is counted.
ROWS = 50
_WINDOWS = 4
_NAMED_CAUSES = 3  # in the first sentence of the verdict
_FEW = "too-few-samples"


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One entity under a rule."""

    severity: Severity
    entity: str
    id: str
    members: str
    value: str
    statistic: str
    peak: str
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


@dataclass(frozen=True, slots=True)
class CauseGroup:
    """A likely cause with the rules filed under it."""

    key: str
    title: str
    says: str
    severity: Severity
    groups: tuple[RuleGroup, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page, in order."""

    title: str
    host: str
    timezone: str
    facts: tuple[tuple[str, str], ...]
    verdict: tuple[str, ...]
    worst: str
    counts: tuple[tuple[Severity, int], ...]
    faults: FaultPanel
    comparison: ComparisonPanel | None
    glance: GlancePanel
    provenance: ProvenancePanel
    causes: tuple[CauseGroup, ...]
    slices: tuple[tuple[str, ...], ...]
    deviations: tuple[tuple[str, ...], ...]
    vms: tuple[tuple[str, ...], ...]
    quality: tuple[tuple[str, ...], ...]
    clear: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str, str], ...]
    objects: tuple[tuple[str, ...], ...]
    rows: str
    command: str
    tool: str


def page_of(analysis: Analysis, drawings: dict[str, str], command: str, book: RuleBook) -> Page:
    """The page of an analysis.

    Args:
        analysis: What to show.
        drawings: SVG by rule id; a rule without one gets none.
        command: The command line that made the report.
        book: The rules that judged it.
    """
    capture, dated = analysis.capture, _is_dated(analysis)
    counts = tuple((level, sum(f.severity == level for f in analysis.findings)) for level in SEVERITIES)
    worst = next((level for level, count in counts if count), "none")
    return Page(
        title=f"esxprobe: {capture.host or 'unnamed host'}",
        host=capture.host or "unnamed host",
        timezone=capture.timezone,
        facts=_facts(analysis),
        verdict=_verdict(analysis, book),
        worst=worst,
        counts=counts,
        faults=fault_panel(analysis, drawings),
        comparison=comparison_panel(analysis, drawings),
        glance=glance_panel(analysis, drawings, book),
        provenance=provenance_panel(analysis),
        causes=_causes(analysis, drawings, book),
        slices=_slice_rows(analysis, dated=dated),
        deviations=tuple((each.rule, each.change, each.detail, each.place) for each in analysis.deviations),
        vms=tuple(_vm_row(row, dated=dated) for row in sorted(analysis.vm_rows, key=_by_ready)),
        quality=quality_rows(analysis.quality),
        clear=tuple((rule, book.find(rule).title) for rule in analysis.clear),
        skipped=tuple((each.rule, book.find(each.rule).title, each.reason) for each in analysis.skipped),
        objects=tuple(
            (name, f"{instances:,}", f"{columns:,}", f"{understood:,}")
            for name, instances, columns, understood in capture.objects
        ),
        rows=f"{capture.rows:,} data rows, {capture.columns:,} value columns",
        command=command,
        tool=f"esxprobe {analysis.tool_version}",
    )


def _facts(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    capture = analysis.capture
    zone = "UTC" if capture.date_known else "UTC, date unknown: only the time of day is real"
    span = "no sample with a known interval"
    if capture.started and capture.ended:
        length = duration((capture.ended - capture.started).total_seconds())
        dated = capture.date_known
        span = f"{moment(capture.started, dated=dated)} to {moment(capture.ended, dated=dated)} {zone} ({length})"
        if capture.timezone:
            began = moment(in_zone(capture.started, capture.timezone), dated=dated)
            span += f" = {began} to {local(capture.ended, capture.timezone, dated=_is_dated(analysis))}"
    set_aside = capture.samples - capture.judged
    samples = f"{capture.judged:,} judged" + (f", {set_aside:,} set aside" if set_aside else "")
    named = f"{capture.columns:,}"
    if capture.unnamed_columns:
        named += f", of which {capture.unnamed_columns:,} carry no name"
    if capture.unknown_columns:
        named += f", {capture.unknown_columns:,} unknown to the catalog"
    vcpus = sum(vm.vcpus for vm in analysis.vms)
    return (
        ("Window", span),
        ("Header's zone", capture.zone or "none"),
        (
            "Interval",
            f"{number(capture.interval_s, 's')} (median of the stamps)" if capture.interval_s else "unknown",
        ),
        ("Samples", samples),
        ("Columns", named),
        ("VMs", f"{len(analysis.vms):,} with {vcpus:,} vCPUs"),
        ("Groups, worlds", f"{capture.groups:,} and {capture.worlds:,}, those of VMs included"),
        ("CPU states add up to", _closure(analysis)),
        (
            "esxtop itself used",
            number(capture.observer_pct, "%") + (" of a PCPU" if capture.observer_pct is not None else ""),
        ),
        ("Monitor mode", _modes(analysis)),
    )


def _modes(analysis: Analysis) -> str:
    """How guest page tables are virtualized, as far as there is evidence: it decides whether faults can cost."""
    counts = {mmu: sum(vm.mmu == mmu for vm in analysis.vms) for mmu in ("hardware", "software", "unknown")}
    if counts["unknown"] == len(analysis.vms):
        return "unknown for every VM: whether guest page faults cost vCPU time is not known"
    known = [f"{count} {mmu} MMU" for mmu, count in counts.items() if count and mmu != "unknown"]
    return joined([*known, *([f"{counts['unknown']} unknown"] if counts["unknown"] else [])])


def _closure(analysis: Analysis) -> str:
    """What the CPU states of a world add up to: 100 % in theory, a little less in real captures."""
    closure = analysis.capture.closure
    if closure is None:
        return "–"
    lowest, median, highest = (f"{value:.1f}" for value in closure)
    return f"{median} % (median over worlds and samples; {lowest} to {highest})"


def _verdict(analysis: Analysis, book: RuleBook) -> tuple[str, ...]:
    """How much was found, where to look first, what guest faults may cost, how far the capture can be trusted."""
    sentences = (_counts(analysis), _first(analysis, book), fault_sentence(analysis), _trust(analysis))
    return tuple(sentence for sentence in sentences if sentence)


def _counts(analysis: Analysis) -> str:
    findings = analysis.findings
    if not findings:
        ran = len(analysis.clear)
        return f"None of the {ran} rules that could run found anything." if ran else "No rule could run."
    titles = [_inside(cause_of(key).title) for key in dict.fromkeys(finding.cause for finding in findings)]
    named = "; ".join(titles[:_NAMED_CAUSES]) + (
        f"; and {rest} more" if (rest := len(titles) - _NAMED_CAUSES) > 0 else ""
    )
    counted = (
        f"{len(findings)} {plural(len(findings), 'finding')} under {len(titles)} {plural(len(titles), 'cause')}"
    )
    return f"{counted}: {named}."


def _inside(title: str) -> str:
    """A title as it is written inside a sentence."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _first(analysis: Analysis, book: RuleBook) -> str:
    if not analysis.findings:
        return ""
    top = analysis.findings[0]
    rule = book.find(top.rule)
    measured = f"{rule.label} {number(top.value, top.unit)}"
    if rule.check.on_values:
        beyond = f"{percent(top.share_of_samples)} of the samples at or beyond {threshold(top.threshold, top.unit)}"
        measured += f", {beyond}"
    else:
        measured += f" ({top.statistic}), threshold {threshold(top.threshold, top.unit)}"
    return f"Look first at {isolated(top.entity.name)} – {top.title} ({measured})."


def _trust(analysis: Analysis) -> str:
    doubts = [note.code for note in analysis.quality if note.severity != "info"]
    if not doubts:
        return " ".join(("No damage was found in the capture.", *skips_in_words(analysis.skipped)))
    kinds = plural(len(doubts), "kind")
    if _FEW in doubts and analysis.capture.judged:
        judged = analysis.capture.judged
        return (
            f"Only {judged} {plural(judged, 'sample')} could be judged: what was found is a moment and no"
            " state, and what is clear proves nothing."
        )
    return f"The capture has {len(doubts)} {kinds} of damage or doubt: {joined(doubts)}."


def _is_dated(analysis: Analysis) -> bool:
    """Whether times need their day."""
    started, ended = analysis.capture.started, analysis.capture.ended
    return bool(analysis.capture.date_known and started and ended and started.date() != ended.date())


def _causes(analysis: Analysis, drawings: dict[str, str], book: RuleBook) -> tuple[CauseGroup, ...]:
    """Causes and, inside them, rules in the order in which the ranked findings name them first."""
    dated = _is_dated(analysis)
    groups = []
    for key in dict.fromkeys(finding.cause for finding in analysis.findings):
        mine = [finding for finding in analysis.findings if finding.cause == key]
        parts = tuple(
            _rule_group(
                book.find(rule),
                [f for f in mine if f.rule == rule],
                drawings.get(rule, ""),
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


def _rule_group(rule: Rule, found: list[Finding], svg: str, *, dated: bool, zone: str) -> RuleGroup:
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
        label=rule.label,
        why=rule.why,
        advice=rule.advice,
        caveats=found[0].caveats,
        thresholds=tuple(
            ThresholdRow(lv.severity, f"{side} {threshold(lv.threshold, rule.threshold_unit)}", lv.sources)
            for lv in rule.levels
        ),
        check=rule.check.words,
        rows=tuple(_finding_row(finding, dated=dated, zone=zone) for finding in found[:ROWS]),
        hidden=max(0, len(found) - ROWS),
        svg=svg,
        chart_words=words,
    )


def _finding_row(finding: Finding, *, dated: bool, zone: str) -> FindingRow:
    extra = len(finding.windows) - _WINDOWS
    return FindingRow(
        severity=finding.severity,
        entity=finding.entity.name,
        id="" if finding.entity.id == finding.entity.name else finding.entity.id,
        members=", ".join(finding.members),
        value=number(finding.value, finding.unit),
        statistic=finding.statistic,
        peak=number(finding.peak, finding.unit),
        share=f"{percent(finding.share_of_samples)} of {finding.samples}",
        windows=tuple(window(span, dated=dated, timezone=zone) for span in finding.windows[:_WINDOWS]),
        more_windows=f"and {extra} more" if extra > 0 else "",
        symptoms=tuple(_symptom(each) for each in finding.explained_by),
    )


def _symptom(cause: Explanation) -> tuple[str, str]:
    """The rule that explains, and a sentence on why it may."""
    said = f"of {isolated(cause.entity.name)}, because {cause.because}; confidence {cause.confidence}"
    check = cause.confirm if cause.confirm.endswith(("?", ".")) else f"{cause.confirm}."
    return cause.rule, f"{said}. To make sure: {check}"


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


def _by_ready(row: VmRow) -> tuple[float, float, str, str]:
    return (-(row.ready_p95 or 0.0), -(row.run_p95 or 0.0), row.vm.name, row.vm.gid)


def _vm_row(row: VmRow, *, dated: bool) -> tuple[str, ...]:
    return (
        row.vm.name,
        row.vm.gid,
        str(row.vm.vcpus) if row.vm.vcpus else "–",
        number(row.run_mean, "%"),
        number(row.run_p95, "%"),
        number(row.ready_p95, "%"),
        number(row.costop_p95, "%"),
        number(row.memory_mb, "MB"),
        number(row.balloon_mb, "MB"),
        number(row.swapped_mb, "MB"),
        row.vm.mmu,
        _seen(row, dated=dated),
    )


def _seen(row: VmRow, *, dated: bool) -> str:
    """When a VM was there, empty when it always was."""
    spans = [window(span, dated=dated) for span in row.seen[:_WINDOWS]]
    return f"there {joined(spans)}{' and later' if row.seen[_WINDOWS:] else ''}" if spans else ""
