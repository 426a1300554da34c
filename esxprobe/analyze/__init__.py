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
from dataclasses import dataclass, replace
from pathlib import Path

import esxprobe
from esxprobe.analyze.answers import answered
from esxprobe.analyze.baseline import compare_with, measured_against
from esxprobe.analyze.belongings import owned
from esxprobe.analyze.capture_checks import doubts_of
from esxprobe.analyze.charts import POINTS, charts_of, marked
from esxprobe.analyze.courses import courses_of
from esxprobe.analyze.events import EventOptions, events_of
from esxprobe.analyze.faults import FAULT_NEEDS, FaultOutcome, guest_series, has_guests, judge_faults, vm_facts
from esxprobe.analyze.glance import GLANCE_NEEDS, PORTS_READ, glance_of
from esxprobe.analyze.guestlogs import GuestOptions
from esxprobe.analyze.levels import LEVEL_NEEDS, Measured, measured
from esxprobe.analyze.named_events import events_of_findings, named_events
from esxprobe.analyze.proposed import PROPOSAL_NEEDS, proposed_windows
from esxprobe.analyze.provenance import provenance_of
from esxprobe.analyze.storage import device_rows, util_p95
from esxprobe.analyze.summary import SUMMARY_NEEDS, clock_pct, summary_of
from esxprobe.analyze.timeline import comings_and_goings, presence
from esxprobe.analyze.vms import TABLE_NEEDS, vm_rows, with_modes
from esxprobe.formats.closure import STATES
from esxprobe.formats.esxtop import RecordingWithCells, read_esxtop, read_with_cells
from esxprobe.formats.wanted import Enough
from esxprobe.formats.window import TimeWindow
from esxprobe.model import (
    Analysis,
    CaptureSummary,
    Deviation,
    Event,
    EventLog,
    Glance,
    GuestSeries,
    HostFacts,
    Provenance,
    QualityNote,
    Recording,
    Window,
)
from esxprobe.model.manifest import Manifest
from esxprobe.rules import RuleBook
from esxprobe.rules.evaluate import HOST_KEY
from esxprobe.rules.judge import Outcome, judge
from esxprobe.rules.record import LOGS

__all__ = [
    "POINTS",
    "BesideCounters",
    "CaptureInput",
    "DescribedCapture",
    "EventOptions",
    "GuestOptions",
    "Measured",
    "all_needs",
    "analyze",
    "beside_counters",
    "compare_with",
    "describe",
    "enough_of",
    "judge_by_rules",
    "judge_described",
    "measured",
    "read_capture",
    "read_capture_with_cells",
    "with_windows",
]

# Few of the worlds that are not vCPUs are judged; a part of them shows what the states of a sample add up to. Ports
# are in a table of the busiest.
_ENOUGH = {"world": 256, "port": PORTS_READ}

NO_GUESTS = GuestOptions()


@dataclass(frozen=True, slots=True)
class CaptureInput:
    """A capture and what a person said about it.

    Attributes:
        paths: Its files: one, or one host's segments in order.
        manifest: The capture folder's, where there is one.
        timezone: Time zone of the timestamps, where the header's cannot be trusted.
        guests: What a person said about guests; with a folder in it, its guests' logs are read as well.
        window: The part that is judged; None for all of it. Quality notes, VMs and provenance are of the whole
            capture.
    """

    paths: Sequence[Path]
    manifest: Manifest | None = None
    timezone: str | None = None
    guests: GuestOptions = NO_GUESTS
    window: TimeWindow | None = None


@dataclass(frozen=True, slots=True)
class DescribedCapture:
    """A capture that was read and described, before any rule is judged.

    Attributes:
        recording: What was read.
        capture: Facts about it.
        glance: Host, storage and network at a glance.
        provenance: What its manifest tells; None without one.
        faults: What came of the guests' logs.
        seen: When each VM was there; see `presence`.
        event_logs: The logs of hosts whose events the recording has.
    """

    recording: Recording
    capture: CaptureSummary
    glance: Glance
    provenance: Provenance | None
    faults: FaultOutcome
    seen: dict[str, tuple[Window, ...]]
    event_logs: tuple[EventLog, ...] = ()


def analyze(
    capture: CaptureInput,
    *,
    book: RuleBook,
    progress: Callable[[int], None] | None = None,
    against: Analysis | None = None,
) -> Analysis:
    """Reads a capture and judges it.

    Args:
        capture: The capture.
        book: The rules in use.
        progress: Is called with the bytes read so far.
        against: A baseline. Where it tells what faults cost, that is judged; see `compare_with` for everything
        else.

    Raises:
        UnreadableInputError: A file is not an esxtop capture, or none of its rows can be used.
        UsageError: `timezone` is not a valid time zone; a given VM is missing; fewer than two samples are in
            the window.
    """
    recording = read_capture(capture, book=book, progress=progress)
    return judge_described(describe(recording, capture, book=book, against=against), book=book)


def read_capture(
    capture: CaptureInput,
    *,
    book: RuleBook,
    with_levels: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Recording:
    """Reads what an analysis needs.

    Args:
        capture: The capture.
        book: The rules in use.
        with_levels: Whether the counters that a comparison needs are read as well (`measured`).
        progress: Is called with the bytes read so far.

    Raises:
        UnreadableInputError: A file is not an esxtop capture, or none of its rows can be used.
        UsageError: `timezone` is not a valid time zone; fewer than two samples are in the window.
    """
    return read_esxtop(
        capture.paths,
        _needs_of(capture, book, with_levels=with_levels),
        timezone=capture.timezone,
        at_most=enough_of(book),
        progress=progress,
        window=capture.window,
    )


def read_capture_with_cells(
    capture: CaptureInput,
    *,
    book: RuleBook,
    every: bool,
    with_levels: bool = False,
    progress: Callable[[int], None] | None = None,
) -> RecordingWithCells:
    """Reads what an analysis needs, and the cells of the columns as they were printed.

    Args:
        capture: The capture.
        book: The rules in use.
        every: Read every column there is, not only what is needed.
        with_levels: As in `read_capture`.
        progress: As in `read_capture`.

    Raises:
        UnreadableInputError: As in `read_capture`.
        UsageError: As in `read_capture`.
    """
    return read_with_cells(
        capture.paths,
        _needs_of(capture, book, with_levels=with_levels),
        every=every,
        timezone=capture.timezone,
        at_most=enough_of(book),
        progress=progress,
        window=capture.window,
    )


@dataclass(frozen=True, slots=True)
class BesideCounters:
    """What is known of the captured time besides the host's counters.

    Attributes:
        guests: What guests counted.
        events: What logs say happened, in order of time.
        notes: What could not be used.
    """

    guests: tuple[GuestSeries, ...]
    events: tuple[Event, ...]
    notes: tuple[QualityNote, ...]


def beside_counters(recording: Recording, source: CaptureInput) -> BesideCounters:
    """Logs of guests and of hosts, read and put on the host's clock; nothing is judged.

    Args:
        recording: What was read of the capture.
        source: What a person said about it.

    Raises:
        UnreadableInputError: A log that a person named cannot be read.
        UsageError: A VM that was named is not there.
    """
    happened = events_of(recording, source.manifest, source.guests.events, source.guests.folder)
    guests, notes = guest_series(recording, source.guests, source.manifest)
    return BesideCounters(guests, happened.events, (*happened.notes, *notes))


def _needs_of(capture: CaptureInput, book: RuleBook, *, with_levels: bool) -> dict[str, tuple[str, ...]]:
    return all_needs(book, with_faults=has_guests(capture.guests, capture.manifest), with_levels=with_levels)


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
    for wanted in (TABLE_NEEDS, GLANCE_NEEDS, SUMMARY_NEEDS, PROPOSAL_NEEDS, *more):
        for kind, paths in wanted.items():
            needs.setdefault(kind, set()).update(paths)
    for kind in ("vcpu", "world"):  # the states of every world must add up
        needs.setdefault(kind, set()).update(STATES)
    return {kind: tuple(sorted(paths)) for kind, paths in needs.items()}


def describe(
    recording: Recording, source: CaptureInput, *, book: RuleBook, against: Analysis | None = None
) -> DescribedCapture:
    """Everything that is known of a capture before a rule is judged.

    Args:
        recording: What was read.
        source: What a person said about the capture.
        book: As in `analyze`.
        against: As in `analyze`.

    Raises:
        UnreadableInputError: A guest's log is none.
        UsageError: A VM that was named is not there.
    """
    manifest = source.manifest
    seen = presence(recording)
    notes = (*recording.notes, *doubts_of(recording, manifest, book), *comings_and_goings(recording, seen))
    build = manifest.build if manifest else recording.build
    recording = replace(recording, vms=with_modes(recording, manifest, source.guests), build=build)
    happened = events_of(recording, manifest, source.guests.events, source.guests.folder)
    provenance = provenance_of(manifest)
    recording = replace(recording, events=happened.events)
    faults = judge_faults(recording, source.guests, manifest)
    if against is not None:
        faults = replace(faults, costs=measured_against(faults.costs, recording, provenance, against))
    known = provenance.facts if provenance else HostFacts()
    facts = vm_facts(faults.costs) | answered(manifest, known, recording)
    notes = (*notes, *faults.notes, *happened.notes)
    if own := happened.own_logs:
        facts |= {LOGS: {HOST_KEY: float(own)}}
    recording = replace(recording, notes=notes, facts=facts)
    capture = replace(summary_of(recording, manifest), timezone=source.timezone or "")
    glance = glance_of(recording, provenance)
    return DescribedCapture(recording, capture, glance, provenance, faults, seen, happened.logs)


def judge_described(described: DescribedCapture, *, book: RuleBook) -> Analysis:
    """Judges a described capture by the rules in use, and looks for windows that stand out."""
    return with_windows(judge_by_rules(described, book=book), described)


def with_windows(analysis: Analysis, described: DescribedCapture) -> Analysis:
    """An analysis with the windows that stand out."""
    return replace(analysis, windows=proposed_windows(described.recording, analysis.findings))


def judge_by_rules(described: DescribedCapture, *, book: RuleBook) -> Analysis:
    """Judges a described capture by the rules in use; windows that stand out are not looked for."""
    recording, faults = described.recording, described.faults
    outcome = judge(recording, book.rules)
    findings = owned(outcome.findings, recording)
    logged = events_of_findings(findings, recording, described.glance.device_uses)
    return Analysis(
        tool_version=esxprobe.__version__,
        capture=described.capture,
        quality=recording.notes,
        vms=recording.vms,
        findings=findings,
        clear=outcome.clear,
        skipped=outcome.skipped,
        fault_costs=faults.costs,
        guest_logs=faults.uses,
        guest_counts=faults.counts,
        vm_rows=vm_rows(recording, described.seen),
        charts=marked(charts_of(outcome, recording, book), findings, logged),
        courses=courses_of(outcome, recording),
        slices=outcome.slices,
        deviations=_deviations(book, outcome),
        glance=described.glance,
        provenance=described.provenance,
        events=recording.events,
        event_logs=described.event_logs,
        finding_events=named_events(findings, logged),
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
