"""The use case: a capture in, an Analysis out. Read it as the manual.

1. the union of what all rules need is read in one pass over each file,
2. every rule is judged, skipped with a reason, or clear,
3. guests' logs, where there are any, are put beside the vCPU time of their VMs,
4. logs of hosts, where there are any, tell events, which findings name by entity and time,
5. what the report shows besides is gathered: the table of VMs, the charts of the first
   findings, host, storage and network at a glance, and where the capture comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import esxprobe
from esxprobe.analyze.answers import answered
from esxprobe.analyze.baseline import compare_with, measured_against
from esxprobe.analyze.belongings import owned
from esxprobe.analyze.capture_checks import doubts_of
from esxprobe.analyze.charts import POINTS, charts_of, marked
from esxprobe.analyze.courses import courses_of
from esxprobe.analyze.events import EventOptions, events_of
from esxprobe.analyze.faults import FAULT_NEEDS, has_guests, judge_faults, vm_facts
from esxprobe.analyze.glance import GLANCE_NEEDS, PORTS_READ, glance_of
from esxprobe.analyze.guestlogs import GuestOptions
from esxprobe.analyze.levels import LEVEL_NEEDS, Measured, measured
from esxprobe.analyze.named_events import with_events
from esxprobe.analyze.provenance import provenance_of
from esxprobe.analyze.storage import device_rows, util_p95
from esxprobe.analyze.summary import SUMMARY_NEEDS, clock_pct, summary_of
from esxprobe.analyze.timeline import comings_and_goings, presence
from esxprobe.analyze.vms import TABLE_NEEDS, vm_rows, with_modes
from esxprobe.capture import Manifest
from esxprobe.formats.closure import STATES
from esxprobe.formats.esxtop import read_esxtop
from esxprobe.formats.wanted import Enough
from esxprobe.formats.window import TimeWindow
from esxprobe.model import Analysis, CaptureSummary, Deviation, Glance, HostFacts, Recording
from esxprobe.rules import RuleBook
from esxprobe.rules.judge import Outcome, judge
from esxprobe.rules.record import LOGS
from esxprobe.rules.values import HOST_KEY

__all__ = [
    "POINTS",
    "EventOptions",
    "GuestOptions",
    "Measured",
    "all_needs",
    "analysis_of",
    "analyze",
    "compare_with",
    "enough_of",
    "with_baseline",
]

# Few of the worlds that are no vCPUs are judged; a part of them tells what the states of a sample add up to. Ports
# are in a table of the busiest.
_ENOUGH = {"world": 256, "port": PORTS_READ}

NO_GUESTS = GuestOptions()


def analyze(
    paths: Sequence[Path],
    *,
    book: RuleBook,
    timezone: str | None = None,
    manifest: Manifest | None = None,
    guests: GuestOptions = NO_GUESTS,
    progress: Callable[[int], None] | None = None,
    held: Callable[[Measured], None] | None = None,
    early: Callable[[CaptureSummary, Glance], None] | None = None,
    against: Analysis | None = None,
    window: TimeWindow | None = None,
) -> Analysis:
    """Reads a capture (one file, or one host's segments in order) and judges it.

    Args:
        paths: The files, in order.
        book: The rules in use.
        timezone: Zone of the stamps, where the header's cannot be trusted.
        manifest: The capture folder's, where there is one.
        guests: What a person said about guests; with a folder in it, its guests' logs are read as well.
        progress: Told the bytes read so far.
        held: Told what a comparison with another capture needs of this one.
        early: Told before anything is judged what does not depend on that.
        against: A baseline. Where it tells what faults cost, that is judged; see `compare_with` for everything
        else.
        window: The part of the capture that is judged; None for all of it. Quality notes, VMs and provenance are
            the whole capture's.

    Raises:
        UnreadableInputError: A file is no esxtop capture, or none of its rows can be used; a guest's log is none.
        UsageError: `timezone` is no time zone; a VM that was named is not there; fewer than two samples lie in
            the window.
    """
    needs = all_needs(book, with_faults=has_guests(guests, manifest), with_levels=held is not None)
    recording = read_esxtop(
        paths, needs, timezone=timezone, at_most=enough_of(book), progress=progress, window=window
    )
    if held is not None:
        held(measured(recording))
    return analysis_of(
        recording, manifest, guests, book=book, timezone=timezone or "", early=early, against=against
    )


def enough_of(book: RuleBook) -> dict[str, Enough]:
    """Entity kinds of which an analysis reads a part, beside those that a rule judges by their names."""
    judged = {kind: book.names_judged(kind) for kind in _ENOUGH}
    return {kind: Enough(_ENOUGH[kind], names) for kind, names in judged.items() if names is not None}


def all_needs(
    book: RuleBook, *, with_faults: bool = False, with_levels: bool = False
) -> dict[str, tuple[str, ...]]:
    r"""Counters (`Object\Counter`) that an analysis reads, by entity kind."""
    needs: dict[str, set[str]] = {kind: set(paths) for kind, paths in book.needs_by_kind().items()}
    more = (FAULT_NEEDS if with_faults else {}, LEVEL_NEEDS if with_levels else {})
    for wanted in (TABLE_NEEDS, GLANCE_NEEDS, SUMMARY_NEEDS, *more):
        for kind, paths in wanted.items():
            needs.setdefault(kind, set()).update(paths)
    for kind in ("vcpu", "world"):  # the states of every world must add up
        needs.setdefault(kind, set()).update(STATES)
    return {kind: tuple(sorted(paths)) for kind, paths in needs.items()}


def analysis_of(
    recording: Recording,
    manifest: Manifest | None = None,
    guests: GuestOptions = NO_GUESTS,
    *,
    book: RuleBook,
    timezone: str = "",
    early: Callable[[CaptureSummary, Glance], None] | None = None,
    against: Analysis | None = None,
) -> Analysis:
    """Judges a recording.

    Args:
        recording: What was read.
        manifest: As in `analyze`.
        guests: As in `analyze`.
        book: As in `analyze`.
        timezone: The zone that was given for its stamps.
        early: As in `analyze`.
        against: As in `analyze`.
    """
    seen = presence(recording)
    notes = (*recording.notes, *doubts_of(recording, manifest, book), *comings_and_goings(recording, seen))
    build = manifest.build if manifest else recording.build
    recording = replace(recording, vms=with_modes(recording, manifest, guests), build=build)
    happened = events_of(recording, manifest, guests.events, guests.folder)
    provenance = provenance_of(manifest)
    faults = judge_faults(recording, guests, manifest)
    if against is not None:
        faults = replace(faults, costs=measured_against(faults.costs, recording, provenance, against))
    known = provenance.facts if provenance else HostFacts()
    facts = vm_facts(faults.costs) | answered(manifest, known, recording)
    notes = (*notes, *faults.notes, *happened.notes)
    if happened.logs:
        facts |= {LOGS: {HOST_KEY: float(len(happened.logs))}}
    recording = replace(recording, notes=notes, facts=facts, events=happened.events)
    capture = replace(summary_of(recording, manifest), timezone=timezone)
    glance = glance_of(recording, provenance)
    if early is not None:
        early(capture, glance)
    outcome = judge(recording, book.rules)
    findings, marks = with_events(owned(outcome.findings, recording), recording, glance.device_uses)
    return Analysis(
        tool_version=esxprobe.__version__,
        capture=capture,
        quality=recording.notes,
        vms=recording.vms,
        findings=findings,
        clear=outcome.clear,
        skipped=outcome.skipped,
        fault_costs=faults.costs,
        guest_logs=faults.uses,
        guest_pairs=faults.pairs,
        vm_rows=vm_rows(recording, seen),
        charts=marked(charts_of(outcome, recording, book), findings, marks),
        courses=courses_of(outcome, recording),
        slices=outcome.slices,
        deviations=_deviations(book, outcome),
        glance=glance,
        provenance=provenance,
        events=happened.events,
        event_logs=happened.logs,
        device_rows=device_rows(recording),
        util_p95=util_p95(recording),
        clock_pct=clock_pct(recording),
    )


def _deviations(book: RuleBook, outcome: Outcome) -> tuple[Deviation, ...]:
    """What the book deviates in, with how many findings were withheld."""
    withheld = [finding.rule for finding in outcome.silenced]
    return tuple(
        replace(each, detail=f"{each.detail}; findings withheld: {withheld.count(each.rule)}")
        if each.change == "silenced"
        else each
        for each in book.deviations
    )
