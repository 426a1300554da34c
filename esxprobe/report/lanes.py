"""Small lines over time on the page of a VM or of the host: drawn here, for a report has hundreds of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from esxprobe.model import HeatRow, HeatStrip
from esxprobe.report.formatting import number, threshold
from esxprobe.report.heat_charts import STYLES, row_figures

# Size of a lane in its own units, and the most points in one: it is a third of a page wide.
WIDTH, HEIGHT, _POINTS = 300, 30, 60
# The same of a line that is in a text.
SPARK_WIDTH, SPARK_HEIGHT, _SPARK_POINTS = 120, 16, 48


@dataclass(frozen=True, slots=True)
class Lane:
    """One quantity of one thing over time.

    Attributes:
        title: What it is.
        says: Mean, 95th percentile and peak in words.
        path: SVG path in a box of `WIDTH` by `HEIGHT`, broken where nothing was measured.
        most: The value at the top of the box, in words.
    """

    title: str
    says: str
    path: str
    most: str


def lane_of(strip: HeatStrip, row: HeatRow, zone: str) -> Lane:
    """A row of a strip as a line.

    Args:
        strip: The strip.
        row: One of its rows.
        zone: Zone in which times are shown as well; empty for none.
    """
    style = STYLES[strip.key]
    values = _highest(row.values, _POINTS)
    top = max(max((each for each in values if each is not None), default=0.0), style.breaks[0])
    figures = row_figures(row, strip.unit, zone)
    return Lane(style.says, figures, _path(values, 0.0, top, WIDTH, HEIGHT), number(top, strip.unit))


def still_words(strip: HeatStrip, row: HeatRow) -> str:
    """The sentence: a quantity that never left the lowest class."""
    style = STYLES[strip.key]
    return (
        f"{style.says} stayed below {threshold(style.breaks[0], strip.unit)} (peak {number(row.peak, strip.unit)})."
    )


def spark_of(values: Sequence[float | None]) -> str:
    """The course of a judged value as an SVG path in a box of `SPARK_WIDTH` by `SPARK_HEIGHT`, with 0 in it."""
    shown = _highest(values, _SPARK_POINTS)
    known = [value for value in shown if value is not None]
    low, top = min([0.0, *known]), max([0.0, *known])
    return _path(shown, low, top, SPARK_WIDTH, SPARK_HEIGHT) if top > low else ""


def _highest(values: Sequence[float | None], points: int) -> list[float | None]:
    """No more points than can be seen: of neighbors the highest."""
    size = -(-len(values) // points) or 1
    parts = [[v for v in values[n : n + size] if v is not None] for n in range(0, len(values), size)]
    return [max(part) if part else None for part in parts]


def _path(values: Sequence[float | None], low: float, top: float, width: int, height: int) -> str:
    """A line through values, broken where there is none; `low` is at the bottom of the box, `top` at its top."""
    step = width / max(1, len(values) - 1)
    made, pen = [], "M"
    for n, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        made.append(f"{pen}{round(n * step)} {round((height - 1) * (1 - (value - low) / (top - low))) + 1}")
        pen = "L"
    return "".join(made)
