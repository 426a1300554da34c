"""Many things over time: a recording's matrices as a few dozen rows of about a hundred cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Floats
from esxprobe.model import Entity, HeatRow, HeatStrip, Recording, Window
from esxprobe.series import covered_seconds, quantile_of_rows, stretches

# A row of a picture is as wide as the page: more cells could not be distinguished.
CELLS = 120
# With more holes than this the cells would be all edges: then they reach over the holes.
_HOLES = 60


@dataclass(frozen=True, slots=True)
class HeatCells:
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


def cells_of(recording: Recording) -> HeatCells | None:
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
    return HeatCells(np.array([at for at, _ in bounds], dtype=np.intp), spans, covered_s, tuple(ends))


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes a row of a strip.

    Attributes:
        entity: What it is about.
        label: What a person calls it.
        values: (samples,) NaN for none.
        mean: Over all samples, of the part that has the largest one.
        p95: 95th percentile over samples likewise.
    """

    entity: Entity
    label: str
    values: Floats
    mean: float
    p95: float

    @classmethod
    def of(cls, entity: Entity, label: str, values: Floats, parts: Floats | None = None) -> Line | None:
        """A line of values; where they are the largest of several parts at each time, with the parts' figures.

        The 95th percentile of the largest at each time is not a part's: findings and tables have that of one vCPU.
        """
        if np.isnan(values).all():
            return None
        own = values[np.newaxis] if parts is None else parts[~np.isnan(parts).all(axis=1)]
        return cls(
            entity,
            label,
            values,
            float(np.nanmean(own, axis=1).max()),
            float(quantile_of_rows(own, 0.95).max()),
        )


def strip(
    key: str, unit: str, rows: Iterable[Line | None], cells: HeatCells, *, in_order: bool = False
) -> HeatStrip | None:
    """A strip of rows, worst first; None without any value.

    Args:
        key: Of the strip.
        unit: Of the values.
        rows: What to show; None is left out.
        cells: Of the recording.
        in_order: Whether the rows stay as they come.
    """
    known = [line for line in rows if line is not None]
    if not known:
        return None
    shown = known
    if not in_order:
        peaks = {id(line): float(np.nanmax(line.values)) for line in known}
        shown = sorted(known, key=lambda each: (-each.p95, -peaks[id(each)], each.label, each.entity.id))
    means = cells.means(np.stack([line.values for line in shown]))
    made = tuple(_row(line, cell_means.tolist(), cells) for line, cell_means in zip(shown, means, strict=True))
    return HeatStrip(key, unit, cells.spans, made)


def _row(line: Line, means: Sequence[float], cells: HeatCells) -> HeatRow:
    peak = int(np.nanargmax(line.values))
    return HeatRow(
        entity=line.entity,
        label=line.label,
        values=tuple(None if mean != mean else round(mean, 3) for mean in means),  # noqa: PLR0124 - NaN
        mean=line.mean,
        p95=line.p95,
        peak=float(line.values[peak]),
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
