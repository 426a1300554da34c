"""Pictures of guest faults against vCPU time: both over time, and one against the other."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

from esxprobe.model import FaultScatter, FaultSeries
from esxprobe.report.charts import CONFIG, LINES, SCHEMA, WIDTH, clock_format, epoch_ms, round_times
from esxprobe.series import thin

_HEIGHT, _SCATTER_WIDTH, _SCATTER_HEIGHT = 110, 420, 260
# More cannot be distinguished on the width of a page, and each costs bytes.
_POINTS, _DOTS = 300, 600
# Many pictures share what a page has room for, but none gets fewer than these.
_ALL_POINTS, _ALL_DOTS, _FEWEST = 1280, 960, 120
_CUT = "#8a8a8a"


def spec_over_time(series: FaultSeries, unit: str, pictures: int = 1) -> dict[str, Any]:
    """Fault rate over vCPU time on one time axis; what was left out of the analysis is shaded.

    Args:
        series: Both sides on the capture's intervals.
        unit: Of the fault rate, `soft faults/s`.
        pictures: How many of its kind the page has.
    """
    most = min(_POINTS, max(_FEWEST, _ALL_POINTS // max(1, pictures)))
    times = series.times
    panels = [
        _panel(times, series.fault_rate, f"{unit}", LINES[1], cut=series.cut, most=most),
        _panel(times, series.vcpu_pct, "vCPU time [%]", LINES[0], cut=series.cut, most=most),
    ]
    return {
        "$schema": SCHEMA,
        "background": "transparent",
        "spacing": 8,
        "vconcat": panels,
        "resolve": {"scale": {"x": "shared"}},
        "config": CONFIG,
    }


def _panel(
    times: tuple[datetime, ...],
    values: tuple[float | None, ...],
    title: str,
    color: str,
    *,
    cut: tuple[str, ...],
    most: int,
) -> dict[str, Any]:
    x = {
        "field": "t",
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": None,
        "axis": {"format": clock_format(times), "values": round_times(times)},
    }
    y = {
        "field": "v",
        "type": "quantitative",
        "title": title,
        "scale": {"zero": True, "nice": True},
        "axis": {"tickCount": 3},
    }
    layers: list[dict[str, Any]] = []
    spans = _cut_spans(times, cut)
    if spans:
        layers.append(
            {
                "data": {"values": spans},
                "mark": {"type": "rect", "color": _CUT, "opacity": 0.22},
                "encoding": {"x": x | {"field": "a"}, "x2": {"field": "b"}},
            }
        )
    layers.append(
        {
            "data": {"values": _points(times, values, most)},
            "mark": {"type": "line", "strokeWidth": 1.3, "color": color},
            "encoding": {"x": x, "y": y},
        }
    )
    return {"width": WIDTH, "height": _HEIGHT, "layer": layers}


def _points(times: tuple[datetime, ...], values: tuple[float | None, ...], most: int) -> list[dict[str, Any]]:
    """At most a few hundred points; a hole stays a hole."""
    numbers = np.array([np.nan if value is None else value for value in values])
    holes = np.flatnonzero(np.isnan(numbers))
    filled = np.where(np.isnan(numbers), 0.0, numbers)
    kept = sorted({*thin(filled, most).tolist(), *holes[: most // 2].tolist()})
    return [
        {"t": epoch_ms(times[n]), "v": None if np.isnan(numbers[n]) else round(float(numbers[n]), 3)} for n in kept
    ]


def _cut_spans(times: tuple[datetime, ...], cut: tuple[str, ...]) -> list[dict[str, int]]:
    spans: list[dict[str, int]] = []
    for n, reason in enumerate(cut):
        if not reason:
            continue
        begin = epoch_ms(times[n - 1] if n else times[0])
        if spans and spans[-1]["b"] == begin:
            spans[-1]["b"] = epoch_ms(times[n])
        else:
            spans.append({"a": begin, "b": epoch_ms(times[n])})
    return spans


def spec_of_scatter(scatter: FaultScatter, unit: str, pictures: int = 1) -> dict[str, Any]:
    """What is left of both sides when the controls are taken out, with the line and its 95 % band."""
    faults, vcpu = np.array(scatter.faults), np.array(scatter.vcpu)
    step = max(1, -(-len(faults) // min(_DOTS, max(_FEWEST, _ALL_DOTS // max(1, pictures)))))
    dots = [
        {"x": round(float(x), 3), "y": round(float(y) / 1e4, 4)}
        for x, y in zip(faults[::step], vcpu[::step], strict=True)
    ]
    reach = np.array([faults.min(), scatter.median_faults, faults.max()]) if len(faults) else np.zeros(3)
    away = reach - scatter.median_faults
    edges = np.sort(np.stack([away * scatter.ci_low, away * scatter.ci_high]), axis=0)
    band = [
        {
            "x": float(at),
            "y": (scatter.median_vcpu + scatter.slope_us_per_fault * float(by)) / 1e4,
            "low": (scatter.median_vcpu + float(low)) / 1e4,
            "high": (scatter.median_vcpu + float(high)) / 1e4,
        }
        for at, by, low, high in zip(reach, away, *edges, strict=True)
    ]
    x = {
        "field": "x",
        "type": "quantitative",
        "title": f"{unit}, residual",
        "scale": {"zero": False, "nice": True},
        "axis": {"tickCount": 5},
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "title": "vCPU time, residual [% of a vCPU]",
        "scale": {"zero": False, "nice": True},
        "axis": {"tickCount": 4},
    }
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": band},
            "mark": {"type": "area", "color": LINES[1], "opacity": 0.25},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": {"values": dots},
            "mark": {"type": "point", "filled": True, "size": 14, "opacity": 0.55, "color": LINES[0]},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": band},
            "mark": {"type": "line", "color": LINES[1], "strokeWidth": 1.8},
            "encoding": {"x": x, "y": y},
        },
    ]
    return {
        "$schema": SCHEMA,
        "width": _SCATTER_WIDTH,
        "height": _SCATTER_HEIGHT,
        "background": "transparent",
        "layer": layers,
        "config": CONFIG,
    }
