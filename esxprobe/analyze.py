"""The use case: a capture in, an Analysis out. Read it as the manual.

1. the union of what all rules need is read in one pass over each file,
2. every rule is judged, skipped with a reason, or clear,
3. what the report shows besides is gathered: the table of VMs and the charts of the first findings.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import esxprobe
from esxprobe.catalog.quality import note
from esxprobe.formats.esxtop import STATES, read_esxtop
from esxprobe.model import Analysis, CaptureSummary, Chart, Finding, QualityNote, Recording, Series, VmRow
from esxprobe.rules import find_rule, needs_by_kind
from esxprobe.rules.judge import judge, table
from esxprobe.series import Floats, thin

if TYPE_CHECKING:
    import polars as pl

# A line has no more points than pixels, and more lines than this cannot be told apart.
POINTS = 300
_LINES = 4

# Fewer judged samples than this say little about duration (a minute at the default interval).
FEW_SAMPLES = 12

_READY, _LIMITED, _COSTOP, _RUN = (rf"Vcpu\% {name}" for name in ("Ready", "Max Limited", "CoStop", "Run"))
_SIZE, _BALLOON, _SWAPPED = (
    rf"Group Memory\{name} MBytes" for name in ("Memory Size", "Memctl", "Swapped")
)
_TABLE_NEEDS = {"vm": (_SIZE, _BALLOON, _SWAPPED), "vcpu": (_READY, _LIMITED, _COSTOP, _RUN)}


def analyze(paths: Sequence[Path], *, timezone: str | None = None) -> Analysis:
    """Reads a capture (one file, or one host's segments in order) and judges it.

    Raises:
        UnreadableInputError: A file is no esxtop capture, or none of its rows can be used.
        UsageError: `timezone` is no time zone.
    """
    return analysis_of(read_esxtop(paths, all_needs(), timezone=timezone))


def all_needs() -> dict[str, tuple[str, ...]]:
    r"""Counters (`Object\Counter`) that an analysis reads, by entity kind."""
    needs: dict[str, set[str]] = {kind: set(paths) for kind, paths in needs_by_kind().items()}
    for kind, paths in _TABLE_NEEDS.items():
        needs.setdefault(kind, set()).update(paths)
    for kind in ("vcpu", "world"):  # the states of every world must add up
        needs.setdefault(kind, set()).update(STATES)
    return {kind: tuple(sorted(paths)) for kind, paths in needs.items()}


def analysis_of(recording: Recording) -> Analysis:
    """Judges a recording."""
    doubts = _doubts(recording)
    outcome = judge(recording)
    return Analysis(
        tool_version=esxprobe.__version__,
        capture=_summary(recording),
        quality=(*recording.notes, *doubts),
        vms=recording.vms,
        findings=outcome.findings,
        clear=outcome.clear,
        skipped=outcome.skipped,
        vm_rows=_vm_rows(recording),
        charts=_charts(outcome.findings, recording),
    )


def _doubts(recording: Recording) -> list[QualityNote]:
    """What is doubtful about the capture as a whole, beyond what the reader counted."""
    doubts = []
    judged = int(recording.samples["judged"].sum())
    if judged < FEW_SAMPLES:
        doubts.append(note("too-few-samples", 1, f"{judged} samples can be judged"))
    named = set(recording.columns.select("object", "counter").unique().iter_rows())
    if ("Group Cpu", "% Run") in named and ("Group Cpu", "% CPU Latency") not in named:
        doubts.append(note("default-fields", 1))
    return doubts


def _summary(recording: Recording) -> CaptureSummary:
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
        build="",
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
        zone=recording.zone,
        date_known=recording.date_known,
        files=recording.files,
        objects=tuple(objects.iter_rows()),
    )


def _started(judged: pl.DataFrame) -> datetime | None:
    """Start of the first judged interval: its stamp less its length."""
    if not judged.height:
        return None
    end: datetime = judged["time"][0]
    return end - timedelta(seconds=float(judged["interval_s"][0]))


def _count(recording: Recording, kind: str) -> int:
    frame = recording.entities.get(kind)
    return 0 if frame is None else frame.height


def _vm_rows(recording: Recording) -> tuple[VmRow, ...]:
    """One row a VM: what its vCPUs and its memory did."""
    ready = _matrix(recording, "vcpu", _READY)
    limited = _matrix(recording, "vcpu", _LIMITED)
    waiting = ready if ready is None or limited is None else {n: ready[n] - limited[n] for n in ready}
    costop, run = _matrix(recording, "vcpu", _COSTOP), _matrix(recording, "vcpu", _RUN)
    size, balloon, swapped = (_matrix(recording, "vm", path) for path in (_SIZE, _BALLOON, _SWAPPED))
    vcpus, machines = recording.entities.get("vcpu"), recording.entities.get("vm")
    rows = []
    for vm in recording.vms:
        worlds = [] if vcpus is None else vcpus.filter(vcpus["gid"] == vm.gid)["entity"].to_list()
        itself = [] if machines is None else machines.filter(machines["id"] == vm.gid)["entity"].to_list()
        rows.append(
            VmRow(
                vm=vm,
                ready_p95=_worst_p95(waiting, worlds),
                costop_p95=_worst_p95(costop, worlds),
                run_mean=_pick(run, worlds, np.nanmean),
                run_p95=_worst_p95(run, worlds),
                memory_mb=_pick(size, itself, lambda values: values[~np.isnan(values)][-1]),
                balloon_mb=_pick(balloon, itself, np.nanmax),
                swapped_mb=_pick(swapped, itself, np.nanmax),
            )
        )
    return tuple(rows)


def _matrix(recording: Recording, kind: str, path: str) -> dict[int, Floats] | None:
    """One counter's values by entity number; None where the capture lacks it."""
    frame = recording.tidy.get(kind)
    if frame is None or path not in frame.columns or not frame.height:
        return None
    samples = int(recording.samples["judged"].sum())
    matrix = frame[path].to_numpy().reshape(-1, samples)
    numbers = frame["entity"].to_numpy()[::samples]
    return {int(number): row for number, row in zip(numbers, matrix, strict=True)}


def _pick(matrix: dict[int, Floats] | None, entities: list[int], statistic: object) -> float | None:
    rows = [] if matrix is None else [matrix[number] for number in entities if number in matrix]
    values = np.concatenate(rows) if rows else np.empty(0)
    if not len(values) or np.isnan(values).all() or not callable(statistic):
        return None
    return float(statistic(values))


def _worst_p95(matrix: dict[int, Floats] | None, entities: list[int]) -> float | None:
    rows = [] if matrix is None else [matrix[number] for number in entities if number in matrix]
    tops = [float(np.nanpercentile(row, 95)) for row in rows if not np.isnan(row).all()]
    return max(tops, default=None)


def _charts(findings: Sequence[Finding], recording: Recording) -> dict[str, Chart]:
    """One chart a rule that fired: the judged value over time of its worst few entities."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    charts = {rule: _chart(found, recording) for rule, found in by_rule.items()}
    return {rule: chart for rule, chart in charts.items() if chart.series}


def _chart(found: list[Finding], recording: Recording) -> Chart:
    rule = find_rule(found[0].rule)
    thresholds = tuple((level.severity, level.threshold) for level in rule.levels)
    if rule.entity == "capture":
        return Chart(rule.label, rule.unit, (), thresholds, ())
    judged = table(rule, recording)
    times: list[datetime] = recording.samples.filter("judged")["time"].to_list()
    things = recording.entities[rule.entity]
    owner = "gid" if rule.entity == "vcpu" else "id"
    rows = {(row[owner] or row["name"], row["name"]): row["entity"] for row in things.iter_rows(named=True)}
    place = {entity: n for n, entity in enumerate(judged.entities)}
    lines = []
    for finding in found[:_LINES]:
        part = finding.members[0] if finding.members else finding.entity.name
        label = f"{finding.entity.name} {part}" if finding.members else part
        entity = rows[(finding.entity.id, part)]
        lines.append(_line(label, times, judged.values[place[entity]]))
    windows = found[0].windows if len(found) == 1 else ()
    return Chart(rule.label, rule.unit, tuple(lines), thresholds, windows)


def _line(label: str, times: list[datetime], values: Floats) -> Series:
    kept = thin(values, POINTS)
    points = tuple(None if np.isnan(values[n]) else round(float(values[n]), 4) for n in kept)
    return Series(label, tuple(times[n] for n in kept), points)
