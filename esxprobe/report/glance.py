"""View records of what stands around the findings: the causes over time, and everything at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esxprobe.model import (
    Analysis,
    CaptureSummary,
    Glance,
    HeatStrip,
)
from esxprobe.report.cards import leading
from esxprobe.report.changes import WindowRow, window_rows
from esxprobe.report.events import EventPanel, event_panel
from esxprobe.report.formatting import isolated, joined, number, percent, plural, threshold
from esxprobe.report.heat_charts import (
    STYLES,
    TimeFrame,
    is_quiet,
    row_figures,
    shown_rows,
    strip_spec,
    timeline_panels,
    timeline_spec,
)
from esxprobe.report.links import Links
from esxprobe.report.tables import Table, device_table, port_table, volume_table

# Rows of a picture that are listed for screen readers.
_TOLD = 3
_EVENTS = " Triangles are events in logs on the same thing; all events stand below."


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its words; `svg` is empty where there is nothing to draw."""

    key: str
    title: str
    caption: str
    words: str
    svg: str


@dataclass(frozen=True, slots=True)
class GlancePanel:
    """The timeline of the first screen, windows that stand out, and the section."""

    timeline: Picture | None
    windows: tuple[WindowRow, ...]
    any_sample: bool
    cell_note: str
    host: tuple[tuple[str, str], ...]
    pcpus: Picture | None
    vms: tuple[Picture, ...]
    quiet: tuple[str, ...]
    devices: Table | None
    adapters: Table | None
    volumes: Table | None
    ports: Table | None
    events: EventPanel | None


def strip_specs(capture: CaptureSummary, glance: Glance) -> dict[str, dict[str, Any]]:
    """Vega-Lite specs of rows over time, by the keys under which the page looks for them: no finding is in them."""
    frame = _frame(capture, glance)
    return {} if frame is None else {f"glance:{strip.key}": strip_spec(strip, frame) for strip in _loud(glance)}


def _loud(glance: Glance) -> list[HeatStrip]:
    return [shown_rows(strip) for strip in glance.strips if not is_quiet(strip)]


def _frame(capture: CaptureSummary, glance: Glance) -> TimeFrame | None:
    if capture.started is None or capture.ended is None:
        return None
    return TimeFrame.around(capture.started, capture.ended, _loud(glance))


def glance_specs(analysis: Analysis) -> dict[str, dict[str, Any]]:
    """Vega-Lite specs of all pictures, by the keys under which the page looks for them."""
    frame = _frame(analysis.capture, analysis.glance)
    if frame is None:
        return {}
    specs = strip_specs(analysis.capture, analysis.glance)
    panels = timeline_panels(analysis, leading(analysis))
    if panels:
        bands = [each.span for each in analysis.windows]
        specs["glance:timeline"] = timeline_spec(panels, frame, bands, analysis.events)
    return specs


def glance_panel(analysis: Analysis, drawings: dict[str, str], links: Links) -> GlancePanel:
    """The timeline of the first screen, and the section; drawings are those of `glance_specs`."""
    glance = analysis.glance
    loud = {strip.key: shown_rows(strip) for strip in glance.strips if not is_quiet(strip)}
    pictures = {key: _picture(strip, analysis, drawings) for key, strip in loud.items()}
    return GlancePanel(
        timeline=_timeline(analysis, drawings),
        windows=window_rows(analysis, links),
        any_sample=analysis.capture.judged > 0,
        cell_note=_cell_note(analysis),
        host=_host(analysis),
        pcpus=pictures.pop("pcpus", None),
        vms=tuple(pictures.values()),
        quiet=tuple(_quiet(strip) for strip in glance.strips if is_quiet(strip)),
        devices=device_table(glance.devices, links, with_queue=True),
        adapters=device_table(glance.adapters, links, with_queue=False),
        volumes=volume_table(glance.volumes),
        ports=port_table(glance, links),
        events=event_panel(analysis, links),
    )


def _timeline(analysis: Analysis, drawings: dict[str, str]) -> Picture | None:
    svg = drawings.get("glance:timeline", "")
    if not svg:
        return None
    panels = timeline_panels(analysis, leading(analysis))
    return Picture(
        key="timeline",
        title="Likely causes over time",
        caption=(
            "The worst entity of each likely cause. Dashed lines are thresholds, shaded areas are the episodes "
            "over the threshold that was reached. Values that were constant are not drawn."
            f"{' Gray bands are windows that stand out.' if analysis.windows else ''}"
            f"{_EVENTS if analysis.events else ''}"
        ),
        words=f"Over time: {joined([label for label, _, _ in panels])}",
        svg=svg,
    )


def _picture(strip: HeatStrip, analysis: Analysis, drawings: dict[str, str]) -> Picture:
    style = STYLES[strip.key]
    zone = analysis.capture.timezone
    order = sorted(strip.rows, key=lambda row: (-row.p95, -row.peak))
    told = [f"{isolated(row.label)} {row_figures(row, strip.unit, zone)}" for row in order[:_TOLD]]
    rows = f"{len(strip.rows)} {plural(len(strip.rows), 'row')}"
    more = next(len(each.rows) for each in analysis.glance.strips if each.key == strip.key) - len(strip.rows)
    hidden = f" {more} more {plural(more, 'VM')} with a lower 95th percentile not shown." if more else ""
    return Picture(
        key=strip.key,
        title=style.title,
        caption=f"{style.says} [{strip.unit}].{_neighbors(strip, analysis)}{hidden}",
        words=f"{style.title}, {style.says}, {rows} over time. Highest: {'; '.join(told)}",
        svg=drawings.get(f"glance:{strip.key}", ""),
    )


def _neighbors(strip: HeatStrip, analysis: Analysis) -> str:
    """What rows of PCPUs stand for."""
    if strip.key != "pcpus":
        return ""
    shared = " Neighboring PCPUs share a row: their mean." if len(strip.rows) < analysis.glance.host.pcpus else ""
    nodes = analysis.glance.host.numa_nodes or 1
    if nodes == 1 or not strip.rows[0].label.startswith("N0"):
        return shared
    return (
        f"{shared} N0 to N{nodes - 1} are the NUMA nodes if PCPUs are numbered node by node; "
        "the capture itself does not say."
    )


def _cell_note(analysis: Analysis) -> str:
    """How to read the pictures, once for all of them."""
    strips = analysis.glance.strips
    if not strips or not strips[0].cells:
        return ""
    length = threshold(round(strips[0].cells[0].seconds, 1), "s")
    return (
        f"A cell is the mean over about {length}; a circle marks the largest sample of a row. Mean, 95th "
        f"percentile "
        "and peak are over samples; for the worst vCPU, the largest value of any single vCPU is shown. Blank: no "
        "data."
    )


def _quiet(strip: HeatStrip) -> str:
    """What a picture would have shown of which there is nothing to see."""
    style, count = STYLES[strip.key], len(strip.rows)
    things = "every row of PCPUs" if strip.key == "pcpus" else f"{'all ' if count > 1 else ''}{count} VMs"
    things = "the one VM" if count == 1 and strip.key != "pcpus" else things
    peak = max(row.peak for row in strip.rows)
    return (
        f"{style.title}: {style.says} stayed below {threshold(style.breaks[0], strip.unit)} in {things} "
        f"(largest sample {number(peak, strip.unit)})."
    )


def _host(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    host, facts = analysis.glance.host, analysis.provenance.facts if analysis.provenance else None
    vcpus = sum(vm.vcpus for vm in analysis.vms)
    rows = [("PCPUs", str(host.pcpus) if host.pcpus else "–")]
    if facts and facts.cpu_model:
        rows.append(("CPU", facts.cpu_model))
    if host.numa_nodes:
        rows.append(("NUMA nodes", str(host.numa_nodes)))
    if host.pcpus:
        rows.append(("vCPU:PCPU ratio", f"{number(vcpus / host.pcpus)} ({vcpus} on {host.pcpus})"))
    util = f"{number(host.util_mean, '%')} · {number(host.util_p95, '%')} · {number(host.util_peak, '%')}"
    if host.util_mean is not None:
        rows.append(("PCPU UTIL(%), mean · p95 · peak", util))
    if host.memory_mb is not None:
        free = f", minimum free {number(host.free_mb, 'MB')}" if host.free_mb is not None else ""
        rows.append(("Memory", f"{number(host.memory_mb, 'MB')}{free}"))
    granted = sum(row.memory_mb or 0.0 for row in analysis.vm_rows)
    if granted and host.memory_mb:
        rows.append(
            (
                "MEMSZ of all VMs",
                f"{number(granted, 'MB')}, {percent(granted / host.memory_mb)} of the host's memory",
            )
        )
    return tuple(rows)
