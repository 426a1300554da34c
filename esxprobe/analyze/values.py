"""Matrices out of a recording: one row an entity, one column a judged sample; missing is NaN."""

from __future__ import annotations

import numpy as np

from esxprobe.model import Recording
from esxprobe.series import Floats


def shown(recording: Recording, kind: str, column: str) -> list[str]:
    """A column of the entities that the kind's tidy frame has rows of, in its order; empty without any."""
    frame, things = recording.tidy.get(kind), recording.entities.get(kind)
    if frame is None or things is None or not frame.height:
        return []
    names: list[str] = things[column].gather(frame["entity"].unique(maintain_order=True)).to_list()
    return names


def values_of(recording: Recording, kind: str, path: str) -> Floats | None:
    """One counter as a matrix, one row an entity of the tidy frame; None where the capture lacks it."""
    frame = recording.tidy.get(kind)
    if frame is None or path not in frame.columns or not frame.height:
        return None
    return frame[path].to_numpy().reshape(-1, int(recording.samples["judged"].sum()))


def rows_by_gid(recording: Recording, kind: str) -> dict[str, list[int]]:
    """Row numbers in the kind's tidy frame by the group id of what they belong to."""
    rows: dict[str, list[int]] = {}
    for row, gid in enumerate(shown(recording, kind, "gid")):
        rows.setdefault(gid, []).append(row)
    return rows


def p95_of_rows(values: Floats | None) -> Floats | None:
    """95th percentile of each row, NaN of a row without any value."""
    if values is None:
        return None
    known = ~np.isnan(values)
    if known.all():
        return np.asarray(np.percentile(values, 95, axis=1))
    return np.array(
        [np.percentile(row[ok], 95) if ok.any() else np.nan for row, ok in zip(values, known, strict=True)]
    )


def largest(values: Floats | None, rows: list[int]) -> float | None:
    """The largest value of some rows, None without any."""
    known = _known(values, rows)
    return float(known.max()) if len(known) else None


def mean(values: Floats | None, rows: list[int]) -> float | None:
    """The mean of some rows, None without any value."""
    known = _known(values, rows)
    return float(known.mean()) if len(known) else None


def last(values: Floats | None, rows: list[int]) -> float | None:
    """The last value of some rows, None without any."""
    known = _known(values, rows)
    return float(known[-1]) if len(known) else None


def _known(values: Floats | None, rows: list[int]) -> Floats:
    picked = np.empty(0) if values is None or not rows else values[rows].reshape(-1)
    return picked[~np.isnan(picked)]
