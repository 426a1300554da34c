"""Charts as declarative Vega-Lite specs: lines over time, thresholds across, episodes shaded."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from esxprobe.model import Chart, Severity
from esxprobe.report.formatting import threshold

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH, HEIGHT = 1000, 180
# Labels of thresholds that are closer than this share of the axis would be on each other.
_APART = 0.09
# Measuring a label's text takes longer than drawing a line of 300 points: few labels, quick charts.
_X_TICKS, _Y_TICKS = 8, 4
_TITLE_LETTERS = 28  # of the axis title that fit beside the chart: longer ones take a second line
_STEPS_S = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
    172800,
    604800,
)

# Okabe and Ito's colors, a little darker where they lacked contrast on white; they keep it on near-black too.
LINES = ("#0072b2", "#d55e00", "#009e73", "#c66d9f", "#7a6ff0", "#8a8a8a")
LEVELS: dict[Severity, str] = {"critical": "#d0342c", "warning": "#b7791f", "info": "#4a7fb5"}
_FONT = "system-ui, sans-serif"


def spec_of(chart: Chart) -> dict[str, Any]:
    """The Vega-Lite spec of a chart: lines over time, thresholds across, episodes shaded."""
    labels = legend_labels(line.label for line in chart.series)
    names = dict(chart.states)
    rows = [
        {"t": epoch_ms(time), "v": value, "s": label} | ({"n": names[value]} if value in names else {})
        for label, line in zip(labels, chart.series, strict=True)
        for time, value in zip(line.times, line.values, strict=True)
    ]
    times = [time for line in chart.series for time in line.times]
    times += [end for window in chart.windows for end in (window.start, window.end)]
    x = {
        "field": "t",
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": None,
        "axis": {"format": clock_format(times), "values": round_times(times)},
    }
    title = textwrap.wrap(f"{chart.title} [{chart.unit}]" if chart.unit else chart.title, _TITLE_LETTERS)
    lines: dict[str, Any] = {
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 1.4, "point": len(rows) < 40 * max(1, len(labels))},
        "encoding": {
            "x": x,
            "y": {
                "field": "v",
                "type": "quantitative",
                "title": title,
                "scale": {"zero": True, "nice": True},
                "axis": _value_axis(chart),
            },
            "color": _colors(labels),
        },
    }
    return {
        "$schema": SCHEMA,
        "width": WIDTH,
        "height": HEIGHT,
        "background": "transparent",
        "layer": [*_episodes(chart, x), lines, *_across(chart)],
        "config": CONFIG,
    }


def _colors(labels: list[str]) -> dict[str, Any]:
    """The color of each line, with a legend where there are several."""
    return {
        "field": "s",
        "type": "nominal",
        "sort": labels,
        "scale": {"domain": labels, "range": list(LINES[: len(labels)])},
        "legend": {"title": None, "orient": "top", "columns": 2, "columnPadding": 40, "labelLimit": 0}
        if len(labels) > 1
        else None,
    }


def _episodes(chart: Chart, x: dict[str, Any]) -> list[dict[str, Any]]:
    """The layer that shades the episodes; none without any."""
    spans = [{"a": epoch_ms(w.start), "b": epoch_ms(w.end)} for w in chart.windows]
    shade = {"type": "rect", "color": LEVELS["warning"], "opacity": 0.12}
    encoding = {"x": x | {"field": "a"}, "x2": {"field": "b"}}
    return [{"data": {"values": spans}, "mark": shade, "encoding": encoding}] if spans else []


def is_constant(chart: Chart) -> bool:
    """Whether each line has one value from begin to end: a sentence says that."""
    return all(len({value for value in line.values if value is not None}) <= 1 for line in chart.series)


def _across(chart: Chart) -> list[dict[str, Any]]:
    """Layers for each threshold that is shown: a dashed line in its severity's color, and its words on it."""
    shown = _shown_thresholds(chart)
    values = [value for line in chart.series for value in line.values if value is not None]
    room = _APART * max([*values, *(value for _, value in shown)], default=0.0)
    layers: list[dict[str, Any]] = []
    labeled: list[float] = []
    for severity, value in shown:
        y = {"field": "v", "type": "quantitative"}
        layers.append(
            {
                "data": {"values": [{"v": value}]},
                "mark": {"type": "rule", "color": LEVELS[severity], "strokeDash": [5, 4], "strokeWidth": 1.2},
                "encoding": {"y": y},
            }
        )
        if all(abs(value - other) >= room for other in labeled):
            labeled.append(value)
            text = f"{severity} {dict(chart.states).get(value) or threshold(value, chart.unit)}"
            layers.append(
                {
                    "data": {"values": [{"v": value}]},
                    "mark": {"type": "text", "align": "right", "baseline": "bottom", "dy": -2, "fontSize": 10}
                    | {"text": text, "color": LEVELS[severity]},
                    "encoding": {"y": y, "x": {"value": WIDTH}},
                }
            )
    return layers


CONFIG: dict[str, Any] = {
    "aria": False,  # hidden from readers anyway, and its dates are in the zone of this machine
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "tickColor": "currentColor",
        "domainColor": "currentColor",
        "gridColor": "currentColor",
        "gridOpacity": 0.12,
        "domainOpacity": 0.4,
        "tickOpacity": 0.4,
        "titleFontWeight": "normal",
        "titlePadding": 10,  # a page's letters are wider than those that the engine measures labels with
    },
    "legend": {"labelColor": "currentColor"},
}


# What XML cannot hold makes the drawing engine abort its process.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LABEL_PX, _WIDE_PX, _NARROW_PX = 300, 12, 6
_WIDE_FROM = "\u0250"  # behind the Latin letters


def legend_labels(names: Iterable[str], room_px: int = _LABEL_PX) -> list[str]:
    """Names as a legend can show them: drawable, short enough, and still different from each other."""
    labels: list[str] = []
    for name in names:
        label = _shortened(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", name), room_px)
        while label in labels:
            label += "\N{PRIME}"  # equal labels would become one line
        labels.append(label)
    return labels


def _shortened(label: str, room_px: int) -> str:
    """Cut in the middle, for the end tells vCPUs apart; the engine would cut an emoji in half."""
    most = room_px // (_NARROW_PX if max(label, default="") < _WIDE_FROM else _WIDE_PX)
    return label if len(label) <= most else f"{label[: most - 11]}…{label[-10:]}"


def _shown_thresholds(chart: Chart) -> list[tuple[Severity, float]]:
    """Thresholds that do not squash the lines: not those far above everything measured."""
    values = [value for line in chart.series for value in line.values if value is not None]
    top = max(values, default=0.0)
    return [(severity, value) for severity, value in chart.thresholds if value <= 2.5 * top]


def _value_axis(chart: Chart) -> dict[str, Any]:
    """Few ticks; states have their names, and what is a small whole number gets whole numbers."""
    if named := states_axis(chart):
        return named
    top = max((value for line in chart.series for value in line.values if value is not None), default=0.0)
    if not chart.unit and top <= 10:
        return {"values": list(range(round(top) + 1)), "format": "d"}
    return {"tickCount": _Y_TICKS}


def states_axis(chart: Chart) -> dict[str, Any]:
    """An axis with a tick and a name for each state up to the largest that was seen; empty without states."""
    top = max((value for line in chart.series for value in line.values if value is not None), default=0.0)
    shown = [(value, name) for value, name in chart.states if value <= top]
    if not shown:
        return {}
    names = " : ".join(f"datum.value === {value:g} ? {json.dumps(name)}" for value, name in shown)
    return {"values": [value for value, _ in shown], "labelExpr": f"{names} : ''"}


def round_times(times: Sequence[datetime]) -> list[int]:
    """Round times for the axis [ms since 1970], about seven."""
    if not times:
        return []
    first, last = min(times).timestamp(), max(times).timestamp()
    step = next((step for step in _STEPS_S if (last - first) / step <= _X_TICKS), _STEPS_S[-1])
    start = -(-first // step) * step
    count = min(int((last - start) // step) + 1, 40)
    return [round((start + n * step) * 1000) for n in range(count)]


def clock_format(times: Sequence[datetime]) -> str:
    """How the time axis prints: seconds for a few minutes, the day where there are several."""
    span_s = (max(times) - min(times)).total_seconds() if times else 0.0
    if span_s < 300:
        return "%H:%M:%S"
    return "%H:%M" if span_s < 2 * 86400 else "%m-%d %H:%M"


def epoch_ms(moment: datetime) -> int:
    """A time for the drawing engine [ms since 1970]."""
    return round(moment.timestamp() * 1000)
