"""Pictures of many things over time: colored rows, and small panels on one time axis.

Color stands for a class between round numbers, so neighboring cells of one class are drawn as one; each class is
one hue, laid on thinner where values are lower, which reads on light and dark pages, on paper and without color
vision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from esxprobe.model import Analysis, Chart, Event, Finding, HeatRow, HeatStrip, Window
from esxprobe.report.charts import (
    CONFIG,
    LEVELS,
    SCHEMA,
    clock_format,
    epoch_ms,
    is_constant,
    legend_labels,
    round_times,
    states_axis,
)
from esxprobe.report.event_marks import event_layer, event_rows
from esxprobe.report.formatting import in_zones, number
from esxprobe.report.judged import amount, limit, not_worse

# Pictures of rows have the page's whole width.
_WIDTH, _ROW, _LABEL_PX = 860, 15, 150
# The timeline is beside the cards, in two fifths of it: what is drawn much wider is shown too small to be read.
_TIMELINE, _TIMELINE_LEFT = 350, 70
# More rows of a picture could not be read.
ROWS = 30
_PANEL, _PANELS = 62, 6
# Room for kinds of events that only the page's letters need, where no panel's words take it [px].
_EVENT_WORDS = 50
# A title that is longer is cut, so that the name behind it has room.
_TITLE = 30
_COLUMN_PX = 56
_COLUMNS: tuple[tuple[str, Callable[[HeatRow], float]], ...] = (
    ("mean", lambda row: row.mean),
    ("p95", lambda row: row.p95),
    ("peak", lambda row: row.peak),
)
_WAIT, _WORK, _MEMORY, _TIME = "213,94,0", "24,132,200", "186,92,145", "0,140,102"


@dataclass(frozen=True, slots=True)
class StripStyle:
    """How a strip is described and colored.

    Attributes:
        title: Its heading.
        says: What a value is.
        breaks: Between the classes [the strip's unit]; the rules' thresholds are among them.
        hue: Red, green and blue.
    """

    title: str
    says: str
    breaks: tuple[float, ...]
    hue: str


STYLES: dict[str, StripStyle] = {
    "ready": StripStyle("CPU ready", "%RDY - %MLMTD of the worst vCPU", (1, 2.5, 5, 10, 20), _WAIT),
    "costop": StripStyle("Co-stop", "%CSTP of the worst vCPU", (0.5, 1, 3, 10), _WAIT),
    "run": StripStyle("Running", "%RUN, mean of the vCPUs", (10, 25, 50, 75, 90), _WORK),
    "reclaim": StripStyle("Reclaimed memory", "MCTLSZ + SWCUR as a share of MEMSZ", (0.1, 5, 10, 25, 50), _MEMORY),
    "latency": StripStyle("Virtual disk latency", "The larger of LAT/rd and LAT/wr", (2, 5, 10, 25, 50), _TIME),
    "pcpus": StripStyle("Physical CPUs", "PCPU UTIL(%)", (10, 25, 50, 75, 90), _WORK),
}


def is_quiet(strip: HeatStrip) -> bool:
    """Whether nothing in it reaches the first class: a sentence says that better than an empty picture."""
    return all(is_still(strip, row) for row in strip.rows)


def is_still(strip: HeatStrip, row: HeatRow) -> bool:
    """Whether a row never left the lowest class."""
    return row.peak < STYLES[strip.key].breaks[0]


def row_figures(row: HeatRow, unit: str, zone: str) -> str:
    """Mean, 95th percentile and peak of a row in words; times in this zone as well, where there is one."""
    return (
        f"mean {number(row.mean, unit)}, 95th percentile {number(row.p95, unit)}, "
        f"peak {number(row.peak, unit)} at {in_zones(row.peak_at, zone, dated=False)}"
    )


def shown_rows(strip: HeatStrip) -> HeatStrip:
    """The worst rows of a strip, without those of the lowest class alone; PCPUs keep all of theirs."""
    if strip.key == "pcpus":
        return strip
    rows = tuple(row for row in strip.rows if not is_still(strip, row))
    return replace(strip, rows=rows[:ROWS])


@dataclass(frozen=True, slots=True)
class TimeFrame:
    """What all pictures share, so that one is above the other: ends of the time axis, room on its left [px]."""

    start: datetime
    end: datetime
    left_px: int

    @classmethod
    def around(cls, start: datetime, end: datetime, strips: Iterable[HeatStrip]) -> TimeFrame:
        """With room for the longest of these rows' labels."""
        labels = [
            label for strip in strips for label in legend_labels([row.label for row in strip.rows], _LABEL_PX)
        ]
        return cls(start, end, min(_LABEL_PX, 14 + round(6.2 * max(map(len, labels), default=6))))


def strip_spec(strip: HeatStrip, frame: TimeFrame) -> dict[str, Any]:
    """A row a thing, time to the right, the largest sample marked, mean, 95th percentile and peak beside.

    Args:
        strip: What to draw.
        frame: Shared with the other pictures.
    """
    style = STYLES[strip.key]
    classes = class_labels(style.breaks, strip.unit)
    labels = legend_labels((row.label for row in strip.rows), room_px=_LABEL_PX)
    named = list(zip(labels, strip.rows, strict=True))
    x, y = _time_axis(frame), _rows_axis(labels, frame)
    spans = [span for label, row in named for span in _spans(label, row, strip, style, classes)]
    peaks = [
        {"t": epoch_ms(row.peak_at), "e": label, "v": round(row.peak, 2)}
        for label, row in named
        if row.peak >= style.breaks[0]
    ]
    color = {
        "field": "c",
        "type": "ordinal",
        "title": None,
        "sort": classes,
        "scale": {"domain": classes, "range": _shades(style.hue, len(classes))},
        "legend": {"title": None, "orient": "top", "symbolType": "square", "symbolStrokeWidth": 0, "offset": 22},
    }
    layers = [
        {
            "data": {"values": spans},
            "mark": {"type": "rect", "strokeWidth": 0},
            "encoding": {
                "y": y,
                "x": x | {"field": "a", "title": "from"},
                "x2": {"field": "b", "title": "to"},
                "color": color,
                "detail": {"field": "v", "type": "quantitative", "title": f"mean [{strip.unit}]"},
            },
        },
        {
            "data": {"values": peaks},
            "mark": {"type": "point", "shape": "circle", "size": 22, "color": "currentColor", "strokeWidth": 1.4},
            "encoding": {
                "y": y,
                "x": x | {"field": "t", "title": "at"},
                "detail": {"field": "v", "type": "quantitative", "title": f"largest sample [{strip.unit}]"},
            },
        },
        *(layer for place in range(len(_COLUMNS)) for layer in _column(named, strip.unit, place, y)),
    ]
    return _sheet() | {"width": _WIDTH, "height": {"step": _ROW}, "layer": layers}


def _column(named: Sequence[tuple[str, HeatRow]], unit: str, place: int, y: dict[str, Any]) -> list[dict[str, Any]]:
    """One column of numbers beside the rows, with its heading."""
    head, told = _COLUMNS[place]
    mark = {"type": "text", "align": "right", "fontSize": 10, "color": "currentColor"}
    at = {"x": {"value": _WIDTH + _COLUMN_PX * (place + 1)}}
    numbers = [{"e": label, "p": number(told(row), unit)} for label, row in named]
    return [
        {"data": {"values": numbers}, "mark": mark, "encoding": at | {"y": y, "text": {"field": "p"}}},
        {
            "data": {"values": [{"p": head}]},
            "mark": mark | {"opacity": 0.7, "dy": -7},
            "encoding": at | {"y": {"value": 0}, "text": {"field": "p"}},
        },
    ]


def _spans(
    label: str, row: HeatRow, strip: HeatStrip, style: StripStyle, classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Stretches of one class: start, end, mean of their cells."""
    spans: list[dict[str, Any]] = []
    counts: list[int] = []
    for cell, value in zip(strip.cells, row.values, strict=True):
        if value is None:
            continue
        shade = classes[sum(value >= edge for edge in style.breaks)]
        begin, end = epoch_ms(cell.start), epoch_ms(cell.end)
        if spans and spans[-1]["c"] == shade and abs(begin - spans[-1]["b"]) < (end - begin) / 2:
            spans[-1]["b"], spans[-1]["v"] = end, spans[-1]["v"] + value
            counts[-1] += 1
        else:
            spans.append({"a": begin, "b": end, "e": label, "c": shade, "v": value})
            counts.append(1)
    for span, count in zip(spans, counts, strict=True):
        span["v"] = round(span["v"] / count, 2)
    return spans


def class_labels(breaks: Sequence[float], unit: str) -> list[str]:
    """What each color stands for: `< 1 %`, `1–5 %`, `≥ 5 %`."""
    edges = [f"{edge:g}" for edge in breaks]
    between = [f"{low}–{high} {unit}" for low, high in pairwise(edges)]
    return [f"< {edges[0]} {unit}", *between, f"≥ {edges[-1]} {unit}"]


def _shades(hue: str, count: int) -> list[str]:
    """From gray to the full hue; a missing value is not drawn, so the lowest class must be seen."""
    steps = [0.2 + 0.8 * n / (count - 2) for n in range(count - 1)] if count > 2 else [1.0]
    return ["rgba(127,127,127,0.14)", *(f"rgba({hue},{step:.2f})" for step in steps)]


def timeline_spec(
    panels: Sequence[tuple[str, Finding, Chart]],
    frame: TimeFrame,
    bands: Sequence[Window] = (),
    events: Sequence[Event] = (),
) -> dict[str, Any]:
    """Small panels on one time axis: the worst entity of each rule, its thresholds and its episodes; events below.

    Args:
        panels: See `timeline_panels`.
        frame: The time axis.
        bands: Windows that are shaded in all of them.
        events: Events of logs, which get rows of marks.
    """
    inside = [event for event in events if frame.start <= event.time <= frame.end]
    frame = replace(frame, left_px=_TIMELINE_LEFT)
    labels = legend_labels((label for label, _, _ in panels), room_px=_TIMELINE + _COLUMN_PX * len(_COLUMNS))
    drawn = [
        _panel(label, finding, chart, frame, last=n == len(panels) - 1 and not inside)
        for n, (label, (_, finding, chart)) in enumerate(zip(labels, panels, strict=True))
    ]
    for panel in drawn if bands else ():
        panel["layer"].insert(0, _bands(bands, frame, last=panel is drawn[-1] and not inside))
    if inside:
        room = {"minExtent": frame.left_px, "maxExtent": frame.left_px, "labels": False}
        drawn.append(event_rows(inside, _time_axis(frame), room | {"ticks": False, "domain": False}, _TIMELINE))
    sheet = _sheet() if panels else _sheet(_EVENT_WORDS)
    return sheet | {"spacing": 12, "vconcat": drawn, "resolve": {"scale": {"x": "shared"}}}


def _bands(bands: Sequence[Window], frame: TimeFrame, *, last: bool) -> dict[str, Any]:
    x = _time_axis(frame, labeled=last)
    return {
        "data": {"values": [{"a": epoch_ms(span.start), "b": epoch_ms(span.end)} for span in bands]},
        "mark": {"type": "rect", "color": "rgb(127,127,127)", "opacity": 0.18},
        "encoding": {"x": x | {"field": "a"}, "x2": {"field": "b"}},
    }


def timeline_panels(analysis: Analysis, findings: Iterable[Finding]) -> list[tuple[str, Finding, Chart]]:
    """What the small panels show: findings whose chart is not a straight line, one a rule."""
    panels: dict[str, tuple[str, Finding, Chart]] = {}
    for finding in findings:
        chart = analysis.charts.get(finding.rule)
        if finding.rule not in panels and chart is not None and not is_constant(chart):
            label = f"{_title(chart.title)} [{chart.unit}]" if chart.unit else _title(chart.title)
            panels[finding.rule] = (f"{label}: {chart.series[0].label}", finding, chart)
    return list(panels.values())[:_PANELS]


def _title(title: str) -> str:
    """A title that leaves room for a name: without what is in brackets, or else cut."""
    if len(title) <= _TITLE:
        return title
    head = title.partition(" (")[0]
    return head if len(head) <= _TITLE else f"{head[: _TITLE - 1]}…"


def _panel(label: str, finding: Finding, chart: Chart, frame: TimeFrame, *, last: bool) -> dict[str, Any]:
    line = chart.series[0]
    values = [value for value in line.values if value is not None]
    x = _time_axis(frame, labeled=last)
    names = dict(chart.states)
    points = [
        {"t": epoch_ms(t), "v": v} | ({"n": names[v]} if v in names else {})
        for t, v in zip(line.times, line.values, strict=True)
    ]
    levels = [(severity, value) for severity, value in chart.thresholds if value <= 2.5 * max(values, default=0)]
    y = {
        "field": "v",
        "type": "quantitative",
        "title": label,
        "scale": {"zero": True, "nice": True},
        "axis": {
            **(states_axis(chart) or {"tickCount": 2}),
            "minExtent": frame.left_px,
            "maxExtent": frame.left_px,
            "title": None,
        },
    }
    beside = [f"{amount(finding)} {finding.statistic}", f"threshold {limit(finding)}"]
    if not_worse(finding) and finding.next_level:
        beside.append(f"not long enough for {finding.next_level.severity}")
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": [{"a": epoch_ms(span.start), "b": epoch_ms(span.end)} for span in finding.windows]},
            "mark": {"type": "rect", "color": LEVELS[finding.severity], "opacity": 0.16},
            "encoding": {"x": x | {"field": "a"}, "x2": {"field": "b"}},
        },
        {
            "data": {"values": points},
            "mark": {"type": "line", "strokeWidth": 1.3, "color": f"rgb({_WORK})", "point": len(points) < 40},
            "encoding": {"x": x | {"field": "t"}, "y": y},
        },
        *(
            {
                "data": {"values": [{"v": value}]},
                "mark": {"type": "rule", "color": LEVELS[severity], "strokeDash": [5, 4]},
                "encoding": {"y": {"field": "v", "type": "quantitative"}},
            }
            for severity, value in levels
        ),
        *_beside(beside),
        *event_layer(chart, x, _PANEL),
    ]
    title = {"text": label, "anchor": "start", "frame": "group", "fontSize": 13, "fontWeight": "normal"}
    return {
        "title": title | {"color": "currentColor", "offset": 3},
        "width": _TIMELINE,
        "height": _PANEL,
        "layer": layers,
    }


def _beside(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Words on the right of a panel, where the pictures of rows have their numbers."""
    return [
        {
            "data": {"values": [{"p": line}]},
            "mark": {"type": "text", "align": "right", "fontSize": 10, "color": "currentColor"},
            "encoding": {
                "x": {"value": _TIMELINE + _COLUMN_PX * len(_COLUMNS)},
                "y": {"value": 14 + 16 * n},
                "text": {"field": "p"},
            },
        }
        for n, line in enumerate(lines)
    ]


def _sheet(right: int = 10) -> dict[str, Any]:
    # The page's letters can be wider than those that the engine measures with: room on the right.
    padding = {"left": 4, "top": 4, "right": right, "bottom": 4}
    return {"$schema": SCHEMA, "background": "transparent", "padding": padding, "config": CONFIG}


def _time_axis(frame: TimeFrame, *, labeled: bool = True) -> dict[str, Any]:
    ends = (frame.start, frame.end)
    axis: dict[str, Any] = {"format": clock_format(ends), "values": round_times(ends), "title": None}
    return {
        "type": "temporal",
        # As an expression: numbers would be taken for times in one layer and for numbers in the next.
        "scale": {"type": "utc", "domain": {"expr": str([epoch_ms(end) for end in ends])}, "nice": False},
        "axis": axis if labeled else axis | {"labels": False, "ticks": False},
    }


def _rows_axis(labels: Sequence[str], frame: TimeFrame) -> dict[str, Any]:
    room = {"minExtent": frame.left_px, "maxExtent": frame.left_px}
    return {
        "field": "e",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": list(labels), "paddingInner": 0.14, "paddingOuter": 0.1},
        "title": "",
        "axis": room
        | {"labelLimit": 0, "labelPadding": 6, "domain": False, "ticks": False, "grid": False, "title": None},
    }
