"""Many things over time: a recording's matrices as a few dozen rows of about a hundred cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from esxprobe.analyze.values import p95_of_rows
from esxprobe.model import Entity, HeatRow, HeatStrip, Recording, Window
from esxprobe.series import Floats, covered_seconds, stretches

# A row of a picture is as wide as the page: more cells could not be told apart.
CELLS = 120
# With more holes than this the cells would be all edges: then they reach over the holes.
_HOLES = 60


@dataclass(frozen=True, slots=True)
class Cells:
    """How the judged samples fall into cells.

    Attributes:
        starts: (cells,) number of each cell's first sample.
        spans: (cells,) the time that each covers.
        covered_s: (samples,) what each sample stands for [s].
        ends: (samples,) aware UTC.
    """

    starts: NDArray[np.intp]
    spans: tuple[Window, ...]
    covered_s: Floats
    ends: tuple[datetime, ...]

    def means(self, values: Floats) -> Floats:
        """Means of each row over the samples of each cell, by what the samples stand for; NaN without any."""
        weights = np.where(np.isnan(values), 0.0, self.covered_s)
        sums = np.add.reduceat(np.nan_to_num(values) * weights, self.starts, axis=1)
        seconds = np.add.reduceat(weights, self.starts, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            means: Floats = np.where(seconds > 0, sums / seconds, np.nan)
        return means


def cells_of(recording: Recording) -> Cells | None:
    """Cells of equal numbers of samples, none over a hole; None without a judged sample."""
    judged = recording.samples.filter("judged")
    if not judged.height:
        return None
    ends: list[datetime] = judged["time"].to_list()
    ends_s = judged["time"].dt.epoch("us").to_numpy() / 1e6
    covered_s = covered_seconds(judged["interval_s"].to_numpy())
    found = stretches(ends_s, covered_s)
    if len(found) > _HOLES:
        found = [(0, len(ends))]
    size = max(1, -(-len(ends) // CELLS))
    bounds = [(at, min(at + size, end)) for begin, end in found for at in range(begin, end, size)]
    spans = tuple(
        Window(min(ends[a:b]) - timedelta(seconds=float(covered_s[a])), max(ends[a:b])) for a, b in bounds
    )
    return Cells(np.array([at for at, _ in bounds], dtype=np.intp), spans, covered_s, tuple(ends))


def strip(
    key: str, unit: str, rows: Iterable[tuple[Entity, str, Floats]], cells: Cells, *, in_order: bool = False
) -> HeatStrip | None:
    """A strip of rows (entity, label, one value a sample), worst first; None without any value.

    Args:
        key: Of the strip.
        unit: Of the values.
        rows: What to show; a row without any value is left out.
        cells: Of the recording.
        in_order: Whether the rows stay as they come.
    """
    known = [(entity, label, values) for entity, label, values in rows if not np.isnan(values).all()]
    if not known:
        return None
    matrix = np.stack([values for _, _, values in known])
    found = p95_of_rows(matrix)
    p95s: list[float] = [] if found is None else found.tolist()
    peaks = np.nanmax(matrix, axis=1)
    order = list(range(len(known)))
    if not in_order:
        order.sort(key=lambda n: (-p95s[n], -peaks[n], known[n][1], known[n][0].id))
    means = cells.means(matrix[order])
    made = tuple(
        _row(known[n][:2], known[n][2], p95s[n], cell_means.tolist(), cells)
        for n, cell_means in zip(order, means, strict=True)
    )
    return HeatStrip(key, unit, cells.spans, made)


def _row(who: tuple[Entity, str], values: Floats, p95: float, means: Sequence[float], cells: Cells) -> HeatRow:
    entity, label = who
    peak = int(np.nanargmax(values))
    return HeatRow(
        entity=entity,
        label=label,
        values=tuple(None if mean != mean else round(mean, 3) for mean in means),  # noqa: PLR0124 - NaN
        mean=float(np.nanmean(values)),
        p95=p95,
        peak=float(values[peak]),
        peak_at=cells.ends[peak],
    )


def worst_of(values: Floats, rows: Sequence[int]) -> Floats:
    """The largest of some rows in each sample, NaN where none has a value."""
    largest: Floats = np.fmax.reduce(values[list(rows)], axis=0)
    return largest


def mean_of(values: Floats, rows: Sequence[int]) -> Floats:
    """The mean of some rows in each sample, NaN where none has a value."""
    picked = values[list(rows)]
    counts = (~np.isnan(picked)).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(counts > 0, np.nansum(picked, axis=0) / counts, np.nan)
    return means
