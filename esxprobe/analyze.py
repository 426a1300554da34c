"""The use case: a capture in, an Analysis out. Read it as the manual.

1. the union of what all rules need is read in one pass over each file,
2. every rule is judged, skipped with a reason, or clear,
3. what the report shows besides is gathered: the table of VMs and the charts of the first findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import esxprobe
from esxprobe.capture import Manifest
from esxprobe.catalog import find as find_counter
from esxprobe.catalog.quality import note
from esxprobe.formats.esxtop import STATES, read_esxtop, read_header
from esxprobe.model import (
    Analysis,
    CaptureSummary,
    Chart,
    Finding,
    Mmu,
    QualityNote,
    Recording,
    Series,
    VirtualMachine,
    VmRow,
)
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

# No rule judges worlds that are no vCPUs; a part of them tells what the states of a sample add up to.
ENOUGH = {"world": 256}

_READY, _LIMITED, _COSTOP, _RUN = (rf"Vcpu\% {name}" for name in ("Ready", "Max Limited", "CoStop", "Run"))
_SIZE, _BALLOON, _SWAPPED = (rf"Group Memory\{name} MBytes" for name in ("Memory Size", "Memctl", "Swapped"))
_TABLE_NEEDS = {"vm": (_SIZE, _BALLOON, _SWAPPED), "vcpu": (_READY, _LIMITED, _COSTOP, _RUN)}


def analyze(
    paths: Sequence[Path],
    *,
    timezone: str | None = None,
    manifest: Manifest | None = None,
    progress: Callable[[int], None] | None = None,
) -> Analysis:
    """Reads a capture (one file, or one host's segments in order) and judges it.

    Args:
        paths: The files, in order.
        timezone: Zone of the stamps, where the header's cannot be trusted.
        manifest: The capture folder's, where there is one.
        progress: Told the bytes read so far.

    Raises:
        UnreadableInputError: A file is no esxtop capture, or none of its rows can be used.
        UsageError: `timezone` is no time zone.
    """
    recording = read_esxtop(paths, all_needs(), timezone=timezone, at_most=ENOUGH, progress=progress)
    return analysis_of(recording, manifest)


def inventory(path: Path) -> list[dict[str, Any]]:
    """What a capture's header holds, one row an object and counter, in file order.

    Returns:
        Rows of object, counter, label, unit, columns, instances, known (the catalogue has it),
        meaning; nameless columns are one row with an empty object.

    Raises:
        UnreadableInputError: The file is no esxtop capture.
    """
    import polars as pl

    identities, _, _ = read_header(path)
    plain = pl.col("counter").str.replace(r"#\d+$", "")  # equal names are numbered
    named = pl.when(pl.col("path") == "").then(pl.lit("(no name)")).otherwise(plain)
    counted = (
        identities.columns.with_columns(named.alias("counter"))
        .group_by("object", "counter", maintain_order=True)
        .agg(pl.len().alias("columns"), pl.col("instance").n_unique().alias("instances"))
    )
    rows = []
    for row in counted.iter_rows(named=True):
        record = find_counter(row["object"], row["counter"])
        words = {"label": "", "unit": "", "known": False, "meaning": ""}
        if record is not None:
            words = {"label": record.label, "unit": record.unit, "known": True, "meaning": record.meaning}
        rows.append(row | words)
    return rows


def all_needs() -> dict[str, tuple[str, ...]]:
    r"""Counters (`Object\Counter`) that an analysis reads, by entity kind."""
    needs: dict[str, set[str]] = {kind: set(paths) for kind, paths in needs_by_kind().items()}
    for kind, paths in _TABLE_NEEDS.items():
        needs.setdefault(kind, set()).update(paths)
    for kind in ("vcpu", "world"):  # the states of every world must add up
        needs.setdefault(kind, set()).update(STATES)
    return {kind: tuple(sorted(paths)) for kind, paths in needs.items()}


def analysis_of(recording: Recording, manifest: Manifest | None = None) -> Analysis:
    """Judges a recording."""
    notes = (*recording.notes, *_doubts(recording, manifest))
    recording = replace(recording, notes=notes, vms=_with_modes(recording, manifest))
    outcome = judge(recording)
    return Analysis(
        tool_version=esxprobe.__version__,
        capture=_summary(recording, manifest),
        quality=recording.notes,
        vms=recording.vms,
        findings=outcome.findings,
        clear=outcome.clear,
        skipped=outcome.skipped,
        vm_rows=_vm_rows(recording),
        charts=_charts(outcome.findings, recording),
    )


def _with_modes(recording: Recording, manifest: Manifest | None) -> tuple[VirtualMachine, ...]:
    """The VMs with the monitor mode that the manifest has evidence of; without evidence it stays unknown.

    A VM is the one whose `NetWorld-VM-<id>` world carries the world id that the host gave for it, or else the
    only one of its name.
    """
    said = manifest.more.get("vms") if manifest else None
    entries = [entry for entry in said if isinstance(entry, dict)] if isinstance(said, list) else []
    worlds = recording.entities.get("world")
    roles = worlds.select("role", "gid").iter_rows() if worlds is not None and entries else ()
    leaders = {role.removeprefix("NetWorld-VM-"): gid for role, gid in roles if role.startswith("NetWorld-VM-")}
    names = [vm.name for vm in recording.vms]
    modes: dict[str, tuple[Mmu, str]] = {}
    for entry in entries:
        monitor, name = entry.get("monitor"), str(entry.get("name"))
        mmu = monitor.get("mmu") if isinstance(monitor, dict) else None
        if not isinstance(monitor, dict) or mmu not in ("hardware", "software"):
            continue
        gid = leaders.get(str(entry.get("world_id")))
        if gid is None and names.count(name) == 1:
            gid = recording.vms[names.index(name)].gid
        if gid is not None:
            modes[gid] = (mmu, str(monitor.get("evidence", "")))
    return tuple(
        replace(vm, mmu=modes[vm.gid][0], mmu_evidence=modes[vm.gid][1]) if vm.gid in modes else vm
        for vm in recording.vms
    )


def _doubts(recording: Recording, manifest: Manifest | None) -> list[QualityNote]:
    """What is doubtful about the capture as a whole, beyond what the reader counted."""
    doubts = []
    judged = int(recording.samples["judged"].sum())
    if judged < FEW_SAMPLES:
        doubts.append(note("too-few-samples", 1, f"{judged} samples can be judged"))
    named = set(recording.columns.select("object", "counter").unique().iter_rows())
    if ("Group Cpu", "% Run") in named and ("Group Cpu", "% CPU Latency") not in named:
        doubts.append(note("default-fields", 1))
    doubts += _without_values(recording)
    promised = {file.name: file.sha256 for file in manifest.files} if manifest else {}
    changed = [file.name for file in recording.files if promised.get(file.name, file.sha256) != file.sha256]
    if changed:
        doubts.append(note("checksum-differs", len(changed), f"not what the manifest says: {', '.join(changed)}"))
    return doubts


def _without_values(recording: Recording) -> list[QualityNote]:
    """Entities of which a counter that a rule needs has no value at all: nobody judged them."""
    missing: dict[str, set[str]] = {}
    for kind, paths in needs_by_kind().items():
        shown = _shown(recording, kind, "name")
        for path in paths if shown else ():
            values = _values(recording, kind, path)
            blank = [] if values is None else np.flatnonzero(np.isnan(values).all(axis=1)).tolist()
            if 0 < len(blank) < len(shown):  # all of them blank: the rule is skipped
                missing.setdefault(path, set()).update(shown[n] for n in blank)
    return [
        note("no-values", len(names), f"{path} of {', '.join(sorted(names)[:5])}")
        for path, names in missing.items()
    ]


def _summary(recording: Recording, manifest: Manifest | None) -> CaptureSummary:
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
    )


def _started(judged: pl.DataFrame) -> datetime | None:
    """Start of the earliest judged interval: a stamp less its length; captures may be joined out of order."""
    import polars as pl

    length = pl.duration(microseconds=pl.col("interval_s") * 1e6)
    started = judged.select((pl.col("time") - length).min()).item() if judged.height else None
    return started if isinstance(started, datetime) else None


def _closure(recording: Recording) -> tuple[float, float, float] | None:
    """Lowest, median and highest sum of the CPU states over all worlds and judged samples [%]."""
    sums = []
    for kind in ("vcpu", "world"):
        states = [_values(recording, kind, path) for path in STATES]
        known = [values for values in states if values is not None]
        if len(known) == len(STATES):
            sums.append(np.sum(known, axis=0).reshape(-1))
    seen = np.concatenate(sums) if sums else np.empty(0)
    seen = seen[~np.isnan(seen)]
    return (float(seen.min()), float(np.median(seen)), float(seen.max())) if len(seen) else None


def _observer_pct(recording: Recording) -> float | None:
    """Mean %USED of the groups that esxtop itself runs in [% of a PCPU]; the rule knows them by name."""
    rule = find_rule("observer-cost")
    used = _values(recording, rule.entity, *rule.needs)
    own = [row for row, name in enumerate(_shown(recording, rule.entity, "name")) if re.search(rule.only, name)]
    known = [value for row in own if (value := _mean(used, [row])) is not None]
    return sum(known) if known else None


def _count(recording: Recording, kind: str) -> int:
    frame = recording.entities.get(kind)
    return 0 if frame is None else frame.height


def _vm_rows(recording: Recording) -> tuple[VmRow, ...]:
    """One row a VM: what its vCPUs and its memory did."""
    vcpus, machines = _entities_by_vm(recording, "vcpu"), _entities_by_vm(recording, "vm")
    ready = _values(recording, "vcpu", _READY)
    limited = _values(recording, "vcpu", _LIMITED)
    waiting = ready if ready is None or limited is None else ready - limited
    p95s = [_p95_of_rows(values) for values in (waiting, _values(recording, "vcpu", _COSTOP))]
    run = _values(recording, "vcpu", _RUN)
    busiest = _p95_of_rows(run)
    size, balloon, swapped = (_values(recording, "vm", path) for path in (_SIZE, _BALLOON, _SWAPPED))
    return tuple(
        VmRow(
            vm=vm,
            ready_p95=_largest(p95s[0], vcpus.get(vm.gid, [])),
            costop_p95=_largest(p95s[1], vcpus.get(vm.gid, [])),
            run_mean=_mean(run, vcpus.get(vm.gid, [])),
            run_p95=_largest(busiest, vcpus.get(vm.gid, [])),
            memory_mb=_last(size, machines.get(vm.gid, [])),
            balloon_mb=_largest(balloon, machines.get(vm.gid, [])),
            swapped_mb=_largest(swapped, machines.get(vm.gid, [])),
        )
        for vm in recording.vms
    )


def _entities_by_vm(recording: Recording, kind: str) -> dict[str, list[int]]:
    """Row numbers in the kind's tidy frame by the VM's group id."""
    rows: dict[str, list[int]] = {}
    for row, gid in enumerate(_shown(recording, kind, "gid")):
        rows.setdefault(gid, []).append(row)
    return rows


def _shown(recording: Recording, kind: str, column: str) -> list[str]:
    """A column of the entities that the kind's tidy frame has rows of, in its order; empty without any."""
    frame, things = recording.tidy.get(kind), recording.entities.get(kind)
    if frame is None or things is None or not frame.height:
        return []
    names: list[str] = things[column].gather(frame["entity"].unique(maintain_order=True)).to_list()
    return names


def _values(recording: Recording, kind: str, path: str) -> Floats | None:
    """One counter as a matrix, one row an entity of the tidy frame; None where the capture lacks it."""
    frame = recording.tidy.get(kind)
    if frame is None or path not in frame.columns or not frame.height:
        return None
    return frame[path].to_numpy().reshape(-1, int(recording.samples["judged"].sum()))


def _p95_of_rows(values: Floats | None) -> Floats | None:
    if values is None:
        return None
    seen = ~np.isnan(values)
    if seen.all():
        return np.asarray(np.percentile(values, 95, axis=1))
    return np.array(
        [np.percentile(row[ok], 95) if ok.any() else np.nan for row, ok in zip(values, seen, strict=True)]
    )


def _seen(values: Floats | None, rows: list[int]) -> Floats:
    picked = np.empty(0) if values is None or not rows else values[rows].reshape(-1)
    return picked[~np.isnan(picked)]


def _largest(values: Floats | None, rows: list[int]) -> float | None:
    seen = _seen(values, rows)
    return float(seen.max()) if len(seen) else None


def _mean(values: Floats | None, rows: list[int]) -> float | None:
    seen = _seen(values, rows)
    return float(seen.mean()) if len(seen) else None


def _last(values: Floats | None, rows: list[int]) -> float | None:
    seen = _seen(values, rows)
    return float(seen[-1]) if len(seen) else None


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
    place = {entity: n for n, entity in enumerate(judged.entities)}
    lines = []
    for finding in found[:_LINES]:
        name = finding.entity.name
        if sum(name == other.entity.name for other in found) > 1:
            name += f" ({finding.entity.id})"  # equal labels would become one line
        label = f"{name} {finding.members[0]}" if finding.members else name
        lines.append(_line(label, times, judged.values[place[finding.number]], judged.stretches))
    windows = found[0].windows if len(found) == 1 else ()
    return Chart(rule.label, rule.unit, tuple(lines), thresholds, windows)


def _line(label: str, times: list[datetime], values: Floats, stretches: Sequence[tuple[int, int]]) -> Series:
    """A line that is broken where nothing was measured."""
    ends: list[datetime] = []
    points: list[float | None] = []
    for begin, end in stretches:
        most = max(4, POINTS * (end - begin) // len(values) - 1)
        if points:
            ends.append(times[begin])
            points.append(None)
        for n in (thin(values[begin:end], most) + begin).tolist():
            ends.append(times[n])
            points.append(None if np.isnan(values[n]) else round(float(values[n]), 4))
    return Series(label, tuple(ends), tuple(points))
