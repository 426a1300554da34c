"""The page of a vm-support bundle without a capture: facts, settings, monitor modes, events; nothing about load."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from esxprobe.model import SEVERITIES, Severity, worst_first
from esxprobe.model.supportalone import SupportReport
from esxprobe.report.drawing import Drawer
from esxprobe.report.events import EventPanel, event_panel, worst_of
from esxprobe.report.formatting import MODES, isolated, joined, moment, number, plural, quality_rows
from esxprobe.report.heat_charts import TimeFrame, timeline_spec
from esxprobe.report.html import filled
from esxprobe.report.judged import against
from esxprobe.report.links import Links
from esxprobe.report.provenance import ProvenancePanel, provenance_panel
from esxprobe.report.supportalone_document import support_document
from esxprobe.rules import RuleBook

_MARKS, _LINES = 400, 10
_TIMELINE = "timeline"
_NO_COUNTERS = (
    "The bundle holds no esxtop counters, so nothing about load, contention or latency was judged. Give an esxtop "
    "capture of the same host with it: esxprobe report CAPTURE --vm-support BUNDLE."
)
_MEANING = {
    "software": "A page fault in the guest enters the virtualization layer. Log its page faults (docs/guests.md).",
    "hardware": "The guest handles page faults alone.",
    "unknown": "The bundle has no line of its vmware.log that shows it.",
}


@dataclass(frozen=True, slots=True)
class SettingLine:
    """A finding on a setting."""

    severity: Severity
    rule: str
    title: str
    entity: str
    figure: str
    why: str
    advice: str


@dataclass(frozen=True, slots=True)
class SupportPage:
    """Everything on the page, in order."""

    title: str
    heading: str
    worst: str
    counts: tuple[tuple[Severity, int], ...]
    verdict: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    settings: tuple[SettingLine, ...]
    clear: str
    skipped: tuple[tuple[str, str], ...]
    vms: tuple[tuple[str, ...], ...]
    events: EventPanel | None
    timeline: str
    quality: tuple[tuple[str, ...], ...]
    host: tuple[tuple[str, str], ...]
    origin: ProvenancePanel
    command: str
    tool: str
    timezone: str = ""


def render_support_html(report: SupportReport, drawer: Drawer, command: str, book: RuleBook) -> str:
    """The page as one self-contained HTML file.

    Args:
        report: What to show.
        drawer: Draws the timeline.
        command: The command line that made it, shown as provenance.
        book: The rules that judged it.
    """
    return filled(
        "support.html.j2",
        lambda drawings: support_page(report, drawings, command, book),
        lambda: support_document(report),
        _specs(report),
        drawer,
    )


def support_page(report: SupportReport, drawings: dict[str, str], command: str, book: RuleBook) -> SupportPage:
    """The page of a report; `drawings` are SVGs by the keys of its charts."""
    analysis = report.analysis
    findings = sorted(analysis.findings, key=lambda each: worst_first(each.severity))
    counts = tuple((level, sum(each.severity == level for each in findings)) for level in SEVERITIES)
    origin = provenance_panel(analysis)
    heading = isolated(analysis.capture.host or "unnamed host")
    return SupportPage(
        title=f"esxprobe: {heading}, vm-support bundle",
        heading=heading,
        worst=next((level for level, count in counts if count), "none"),
        counts=counts,
        verdict=statements(report),
        facts=_facts(report),
        settings=tuple(
            SettingLine(
                each.severity,
                each.rule,
                each.title,
                isolated(each.entity.name),
                against(each, book.find(each.rule)),
                each.why,
                each.advice,
            )
            for each in findings
        ),
        clear=", ".join(analysis.clear),
        skipped=tuple((each.rule, each.reason) for each in analysis.skipped),
        vms=tuple(
            (vm.name, MODES[vm.mmu], str(vm.vcpus or "–"), _MEANING[vm.mmu], vm.mmu_evidence or "–")
            for vm in sorted(analysis.vms, key=lambda vm: (list(_MEANING).index(vm.mmu), vm.name))
        ),
        events=_events(report),
        timeline=drawings.get(_TIMELINE, ""),
        quality=quality_rows(analysis.quality),
        host=origin.host,
        origin=origin,
        command=command,
        tool=f"esxprobe {analysis.tool_version}",
    )


def statements(report: SupportReport) -> tuple[str, ...]:
    """What can be concluded, in sentences; first what cannot."""
    analysis = report.analysis
    sentences = [_NO_COUNTERS]
    count = len(analysis.findings)
    if count:
        sentences.append(f"{count} {plural(count, 'finding')} on settings, as the host reported them.")
    elif analysis.clear:
        sentences.append("The settings that were checked are within their thresholds.")
    software = [vm.name for vm in analysis.vms if vm.mmu == "software"]
    if software:
        shown = joined([isolated(name) for name in software[:3]])
        more = f" and {len(software) - 3} more" if len(software) > 3 else ""
        guests = "its guest" if len(software) == 1 else "their guests"
        sentences.append(
            f"{len(software)} {plural(len(software), 'VM')} with a software MMU ({shown}{more}): page faults of "
            f"{guests} enter the virtualization layer."
        )
    doubts = [note.code for note in analysis.quality if note.severity != "info"]
    if doubts:
        sentences.append(f"The bundle was not read completely: {joined(list(dict.fromkeys(doubts)))}.")
    return tuple(sentences)


def terminal_lines(report: SupportReport) -> tuple[str, ...]:
    """The report in a few lines: what can be concluded, the findings, and what the logs tell."""
    analysis = report.analysis
    findings = sorted(analysis.findings, key=lambda each: worst_first(each.severity))
    panel = _events(report)
    return (
        *statements(report),
        *(f"- {each.severity}: {each.title}: {isolated(each.entity.name)}" for each in findings[:_LINES]),
        *([f"- {len(findings) - _LINES} more findings"] if len(findings) > _LINES else []),
        *([panel.summary] if panel is not None else []),
    )


def _facts(report: SupportReport) -> tuple[tuple[str, str], ...]:
    analysis = report.analysis
    known = analysis.provenance.facts if analysis.provenance else None
    modes = {mode: sum(vm.mmu == mode for vm in analysis.vms) for mode in MODES}
    memory_mb = known.memory_bytes / (1 << 20) if known and known.memory_bytes else None
    shown = [f"{count} {mode}" for mode, count in modes.items() if count]
    return (
        ("Bundle made", f"{moment(report.made)} UTC" if report.made else "not recorded"),
        ("Release", analysis.capture.build or "not recorded"),
        ("CPU", (known.cpu_model if known else "") or "not recorded"),
        ("Power policy", (known.power_policy if known else "") or "not recorded"),
        ("Memory", number(memory_mb, "MB") if memory_mb else "not recorded"),
        ("VMs", f"{len(analysis.vms):,}"),
        ("Monitor mode", joined(shown) if shown else "no VM"),
        ("Events", _span(report)),
        ("Counters", "none: nothing about load was judged"),
    )


def _span(report: SupportReport) -> str:
    """From the first event to the last, with their days."""
    events = report.analysis.events
    if not events:
        return "none"
    return f"{len(events):,}, {moment(events[0].time)} to {moment(events[-1].time)} UTC"


def _events(report: SupportReport) -> EventPanel | None:
    panel = event_panel(report.analysis, Links({}, {}))
    if panel is None or report.analysis.events:
        return panel
    lines, logs = sum(log.lines for log in report.analysis.event_logs), len(report.analysis.event_logs)
    return replace(panel, summary=f"No event of a known kind in {lines:,} lines of {logs:,} {plural(logs, 'log')}.")


def _specs(report: SupportReport) -> dict[str, dict[str, Any]]:
    """The timeline of events, the worst where there are many."""
    events = worst_of(report.analysis.events, _MARKS)
    if not events:
        return {}
    room = max(timedelta(seconds=30), (events[-1].time - events[0].time) / 50)
    frame = TimeFrame(events[0].time - room, events[-1].time + room, 20)
    return {_TIMELINE: timeline_spec((), frame, (), events)}
