"""The judged value of every finding over time, in cells: charts of rules show the worst few alone."""

from __future__ import annotations

import numpy as np

from esxprobe.analyze.heat import cells_of
from esxprobe.model import Recording
from esxprobe.rules.judge import Outcome
from esxprobe.series import in_parts


def courses_of(outcome: Outcome, recording: Recording) -> dict[str, tuple[float | None, ...]]:
    """Means over cells of time of each finding's judged value, by `Finding.key`; of what changed at all.

    Args:
        outcome: Of the judgment.
        recording: The capture.
    """
    cells = cells_of(recording)
    found = [each for each in outcome.findings if each.entity.kind != "capture"]
    courses: dict[str, tuple[float | None, ...]] = {}
    if cells is None:
        return courses
    for part in in_parts(len(found), 4 * len(cells.ends)):
        matrix = np.stack([outcome.values_of(each) for each in found[part]])
        means = np.round(cells.means(matrix), 4)
        changes = np.nanmax(matrix, axis=1, initial=-np.inf) > np.nanmin(matrix, axis=1, initial=np.inf)
        for finding, row, changing in zip(found[part], means.tolist(), changes.tolist(), strict=True):
            if changing:
                courses[finding.key] = tuple(None if value != value else value for value in row)  # noqa: PLR0124
    return courses
