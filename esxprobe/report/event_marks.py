"""Events of logs in pictures: marks at the bottom of a chart, and rows of marks below the causes' timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from esxprobe.catalog.events import event_kind
from esxprobe.model import Chart, Event, worst_first
from esxprobe.report.charts import HEIGHT, LEVELS, epoch_ms

# Kinds that get a row of their own below the timeline, and marks in all of them.
_ROWS, _MARKS, _ROW_PX, _LABEL_PX = 6, 400, 16, 164
_BY_SEVERITY = {
    "field": "s",
    "type": "nominal",
    "legend": None,
    "scale": {"domain": list(LEVELS), "range": list(LEVELS.values())},
}


def event_rows(events: Sequence[Event], x: dict[str, Any], axis: dict[str, Any], width: int) -> dict[str, Any]:
    """Rows of marks, one a kind of event, the worst kinds first.

    Args:
        events: In order of time, those in the picture's time.
        x: The time axis.
        axis: How the axis of rows is laid out.
        width: Of the picture.
    """
    kinds = {event.kind for event in events}
    shown = sorted(kinds, key=lambda kind: (worst_first(event_kind(kind).severity), kind))[:_ROWS]
    points = {
        (round(epoch_ms(event.time), -3), event_kind(event.kind).noun, event.severity)
        for event in events
        if event.kind in shown
    }
    labels = [event_kind(kind).noun for kind in shown]
    rows = {"field": "e", "type": "nominal", "sort": None, "scale": {"domain": labels}, "title": "", "axis": axis}
    return {
        "title": {"text": "Events in logs", "anchor": "start", "frame": "group", "fontSize": 13}
        | {"fontWeight": "normal", "color": "currentColor", "offset": 3},
        "width": width,
        "height": _ROW_PX * len(labels),
        "layer": [
            {
                "data": {"values": [{"t": t, "e": e, "s": s} for t, e, s in sorted(points)[:_MARKS]]},
                "mark": {"type": "tick", "thickness": 2, "bandSize": 12},
                "encoding": {
                    "x": x | {"field": "t"},
                    "y": rows,
                    "color": _BY_SEVERITY,
                },
            },
            {
                "data": {"values": [{"e": label} for label in labels]},
                "mark": {
                    "type": "text",
                    "align": "left",
                    "fontSize": 10,
                    "color": "currentColor",
                    "limit": _LABEL_PX,
                },
                "encoding": {"x": {"value": width + 6}, "y": rows, "text": {"field": "e"}},
            },
        ],
    }


def event_layer(chart: Chart, x: dict[str, Any], height: int) -> list[dict[str, Any]]:
    """The layer that marks events at the bottom of a chart, in their severity's color; none without any."""
    if not chart.marks:
        return []
    points = [
        {"t": epoch_ms(time), "s": severity, "k": event_kind(kind).noun} for time, severity, kind in chart.marks
    ]
    return [
        {
            "data": {"values": points},
            "mark": {"type": "point", "shape": "triangle-up", "size": 46, "filled": True, "opacity": 0.9},
            "encoding": {
                "x": x | {"field": "t"},
                "y": {"value": height - 4},
                "fill": _BY_SEVERITY,
            },
        }
    ]


def with_marks(spec: dict[str, Any], chart: Chart) -> dict[str, Any]:
    """The spec of a finding's chart, with its marks."""
    x = spec["layer"][0]["encoding"]["x"]
    return spec | {"layer": [*spec["layer"], *event_layer(chart, x, HEIGHT)]}
