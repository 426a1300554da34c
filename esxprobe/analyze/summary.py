"""The head of the report: what was captured, when, and how much of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.analyze.at_work import mean, shown, values_of
from esxprobe.catalog.cpu import ESXTOP_GROUP
from esxprobe.formats.closure import STATES, sum_of_states
from esxprobe.model import CaptureSummary, Recording
from esxprobe.model.manifest import Manifest
from esxprobe.series import in_parts

if TYPE_CHECKING:
    import polars as pl

USED_PATH = r"Group Cpu\% Used"
CLOCK_PATH = r"PCPU Power State\% of aperf/mperf"
SUMMARY_NEEDS = {"group": (USED_PATH,), "pcpu": (CLOCK_PATH,)}


def summary_of(recording: Recording, manifest: Manifest | None) -> CaptureSummary:
    """Counts, times and provenance of a recording."""
    import polars as pl

    columns, samples = recording.columns, recording.samples
    judged = samples.filter("judged")
    objects = (
        columns.filter(pl.col("path") != "")
        .group_by("object", maintain_order=True)
        .agg(pl.col("instance").n_unique(), pl.len().alias("columns"), pl.col("known").sum().alias("known"))
    )
    ends: list[datetime] = judged["time"].to_list() or samples["time"].to_list()
    return CaptureSummary(
        host=recording.host,
        build=manifest.build if manifest else "",
        started=_started(judged),
        ended=max(ends),
        interval_s=recording.interval_s,
        samples=samples.height,
        judged=judged.height,
        columns=columns.height,
        unnamed_columns=columns.filter(pl.col("path") == "").height,
        unknown_columns=columns.filter(pl.col("known").eq(other=False)).height,
        groups=_count(recording, "vm") + _count(recording, "group"),
        worlds=_count(recording, "vcpu") + _count(recording, "world"),
        rows=recording.rows_read,
        closure=_closure(recording),
        observer_pct=_observer_pct(recording),
        zone=recording.zone,
        date_known=recording.date_known,
        files=recording.files,
        objects=tuple(objects.iter_rows()),
        part=recording.part,
    )


def _started(judged: pl.DataFrame) -> datetime | None:
    """Start of the earliest judged interval: a stamp less its length; captures may be joined out of order."""
    import polars as pl

    length = pl.duration(microseconds=pl.col("interval_s") * 1e6)
    started = judged.select((pl.col("time") - length).min()).item() if judged.height else None
    return started if isinstance(started, datetime) else None


def _closure(recording: Recording) -> tuple[float, float, float] | None:
    """Lowest, median and highest sum of the CPU states over all worlds and judged samples [%]."""
    length = int(recording.samples["judged"].sum())
    sums = []
    for kind in ("vcpu", "world"):
        if set(STATES) <= set(recording.values.counters(kind)):
            for rows in in_parts(len(recording.values.entities(kind)), len(STATES) * length):
                seen = sum_of_states(recording.values.read(kind, STATES, rows))
                sums.append(seen[~np.isnan(seen)])
    seen = np.concatenate(sums) if sums else np.empty(0)
    if not len(seen):
        return None
    return float(seen.min()), float(np.median(seen, overwrite_input=True)), float(seen.max())


def _observer_pct(recording: Recording) -> float | None:
    """Mean %USED of the groups that esxtop itself runs in [% of a PCPU], whatever a rule makes of it."""
    own = [row for row, name in enumerate(shown(recording, "group", "name")) if re.search(ESXTOP_GROUP, name)]
    used = values_of(recording, "group", USED_PATH, own)
    known = [value for row in range(len(own)) if (value := mean(used, [row])) is not None]
    return sum(known) if known else None


def clock_pct(recording: Recording) -> float | None:
    """%A/MPERF, mean over PCPUs and judged samples [% of the nominal clock]; None where the capture lacks it."""
    values = values_of(recording, "pcpu", CLOCK_PATH)
    known = None if values is None else values[~np.isnan(values)]
    return None if known is None or not len(known) else float(known.mean())


def _count(recording: Recording, kind: str) -> int:
    frame = recording.entities.get(kind)
    return 0 if frame is None else frame.height
