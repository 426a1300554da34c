"""Everything that is shown: the analysis of a capture, with its tables and charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from esxprobe.model.bothsides import GuestCounts
from esxprobe.model.changes import ProposedWindow
from esxprobe.model.events import EventLog, EventsOfBoth, NamedEvents
from esxprobe.model.faults import FaultComparison, FaultCost, Likeness
from esxprobe.model.findings import Deviation, Finding, Skipped, TimeSlice
from esxprobe.model.glance import Glance
from esxprobe.model.nouns import (
    Entity,
    Event,
    JudgedPart,
    QualityNote,
    Severity,
    SourceFile,
    VirtualMachine,
    Window,
)
from esxprobe.model.provenance import Provenance
from esxprobe.model.roles import (
    BuildText,
    DeviceName,
    EntityNumber,
    FileName,
    FreeText,
    GuestName,
    HostName,
    ObjectText,
    SeriesLabel,
    Sha256,
    ToolText,
    VmName,
    ZoneText,
    ZoneWords,
)
from esxprobe.model.shifts import CounterShift


@dataclass(frozen=True, slots=True)
class Series:
    """A line to draw: at most a few hundred points, extremes kept.

    Attributes:
        label: Name in the legend.
        times: Sample ends, aware UTC.
        values: In the chart's unit; None where a sample is missing.
    """

    label: SeriesLabel
    times: tuple[datetime, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """What a finding's picture shows; the report turns it into a drawing.

    Attributes:
        title: One line.
        unit: Of the value axis.
        series: The lines.
        thresholds: Level severity and value [unit] of each rule drawn across.
        windows: Stretches to shade.
        states: Where values are states: each with its name.
        marks: Events of logs on what is drawn: time, severity, key of the kind.
    """

    title: ToolText
    unit: ToolText
    series: tuple[Series, ...]
    thresholds: tuple[tuple[Severity, float], ...]
    windows: tuple[Window, ...]
    states: tuple[tuple[float, ToolText], ...] = ()
    marks: tuple[tuple[datetime, Severity, ToolText], ...] = ()


@dataclass(frozen=True, slots=True)
class InTable:
    """A figure that a table shows in a column of its own, in the order of the record's fields.

    Attributes:
        heading: esxtop's label, and what is taken of it.
        unit: Of the figure.
    """

    heading: str
    unit: str


@dataclass(frozen=True, slots=True)
class VmRow:
    """One line of the report's table of VMs; None where the capture lacks the counter.

    A figure that is `InTable` is a column of the table: nothing else has to be edited for it than this record and
    `analyze/vms.py`, which works it out.

    Attributes:
        vm: The VM.
        ready_p95: 95th percentile over samples of the worst vCPU's %RDY minus %MLMTD [%].
        costop_p95: The same of %CSTP [%].
        run_mean: Mean %RUN over its vCPUs and samples [%].
        run_p95: 95th percentile of the busiest vCPU's %RUN [%].
        memory_mb: MEMSZ, last sample [MB].
        balloon_mb: MCTLSZ, largest [MB].
        swapped_mb: SWCUR, largest [MB].
        swap_wait_pct: %SWPWT of its vCPUs, largest [%].
        there: False when no vCPU of it did anything, waiting included, in the judged time.
        seen: When it was there, where that was not all of the judged time; otherwise empty.
    """

    vm: VirtualMachine
    run_mean: Annotated[float | None, InTable("%RUN mean", "%")]
    run_p95: Annotated[float | None, InTable("%RUN p95", "%")]
    ready_p95: Annotated[float | None, InTable("%RDY p95", "%")]
    costop_p95: Annotated[float | None, InTable("%CSTP p95", "%")]
    memory_mb: Annotated[float | None, InTable("MEMSZ", "MB")]
    balloon_mb: Annotated[float | None, InTable("MCTLSZ max", "MB")]
    swapped_mb: Annotated[float | None, InTable("SWCUR max", "MB")]
    seen: tuple[Window, ...] = ()
    swap_wait_pct: float | None = None
    there: bool = True


@dataclass(frozen=True, slots=True)
class DeviceLatency:
    """What a storage device did; other hosts may see the same one.

    Attributes:
        device: Its id: naa, eui, t10, mpx, ...
        commands: Mean commands [1/s].
        busy: Samples with enough commands for a mean latency to mean something.
        davg_median: Median DAVG over those [ms], None without any.
        davg_p95: 95th percentile of the same [ms].
    """

    device: DeviceName
    commands: float | None
    busy: int
    davg_median: float | None
    davg_p95: float | None


@dataclass(frozen=True, slots=True)
class GuestLogUse:
    """A guest log that was read, and how it came to its VM.

    Attributes:
        vm: Name of the VM.
        gid: Its group id.
        file: Name of the file.
        sha256: Of its bytes.
        bytes: Its size [bytes].
        format: What wrote it.
        computer: The computer's name in it, empty when it has none.
        zone: Zone of its stamps, as far as it is known.
        interval_s: Median interval [s], None when unknown.
        matched_by: Why it is this VM's.
        offset: How far the guest's clock is ahead of the host's, in words.
        first: First stamp, None without samples.
        last: Last stamp.
    """

    vm: VmName
    gid: EntityNumber
    file: FileName
    sha256: Sha256
    bytes: int
    format: ToolText
    computer: GuestName
    zone: ZoneWords
    interval_s: float | None
    matched_by: FreeText
    offset: ToolText
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class CaptureSummary:
    """What was captured, for the report's head and the JSON.

    Attributes:
        host: Host name.
        build: Product and build where known, otherwise empty.
        started: Start of the first judged interval, aware UTC; None when no sample is analyzed.
        ended: End of the last kept sample.
        interval_s: Median interval [s].
        samples: Rows kept (analyzed and excluded).
        judged: Samples that rules look at.
        columns: Value columns after ungluing.
        unnamed_columns: Of these, how many carry no name.
        unknown_columns: Of these, how many the catalog does not know.
        groups: Number of groups.
        worlds: Number of worlds.
        rows: Data rows in the files, kept or not.
        closure: Lowest, median and highest sum of %RUN, %RDY, %CSTP and %WAIT of a world [%], None without them.
        observer_pct: Mean %USED of esxtop's own groups [% of a PCPU], None without them.
        zone: Zone text of the header and how far it can be trusted.
        date_known: False when the file's stamps have no date.
        files: The files read.
        objects: Columns by object: object, instances, columns, understood.
        timezone: Zone that a person gave for the stamps, empty if none.
        part: The part of the capture that was judged, None for the whole. Of the part are `started`, `ended`,
            `interval_s`, `samples`, `judged`, `closure` and `observer_pct`.
    """

    host: HostName
    build: BuildText
    started: datetime | None
    ended: datetime | None
    interval_s: float | None
    samples: int
    judged: int
    columns: int
    unnamed_columns: int
    unknown_columns: int
    groups: int
    worlds: int
    rows: int
    closure: tuple[float, float, float] | None
    observer_pct: float | None
    zone: ZoneText
    date_known: bool
    files: tuple[SourceFile, ...]
    objects: tuple[tuple[ObjectText, int, int, int], ...]
    timezone: ToolText = ""
    part: JudgedPart | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A capture against a baseline: findings by rule and entity's name, faults by VM's name.

    Attributes:
        baseline: The other capture.
        faults: VMs with guest data in both.
        appeared: Findings of this capture that the baseline has not.
        gone: Findings of the baseline that this capture has not.
        changed: Findings of both whose severity differs, this capture's first.
        same: Number of findings of both with the same severity.
        incomparable: Rules that could run in only one of the two.
        stayed: Findings of both with the same severity, this capture's first.
        shifts: Main counters of what both captures have, worst first.
        came: Things that only this capture has.
        went: Things that only the baseline has.
        lacking: Counters that only one of the two has.
        settings: What the two ran on, and how much work there was, side by side.
        events: Events of logs in both by kind, worst first; empty where no log was read.
    """

    baseline: CaptureSummary
    faults: tuple[FaultComparison, ...]
    appeared: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    changed: tuple[tuple[Finding, Finding], ...]
    same: int
    incomparable: tuple[ToolText, ...]
    stayed: tuple[tuple[Finding, Finding], ...] = ()
    shifts: tuple[CounterShift, ...] = ()
    came: tuple[Entity, ...] = ()
    went: tuple[Entity, ...] = ()
    lacking: tuple[ToolText, ...] = ()
    settings: tuple[Likeness, ...] = ()
    events: tuple[EventsOfBoth, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything the report, the JSON and the terminal show; charts by rule id, courses by `Finding.key`."""

    tool_version: ToolText
    capture: CaptureSummary
    quality: tuple[QualityNote, ...]
    vms: tuple[VirtualMachine, ...]
    findings: tuple[Finding, ...]
    clear: tuple[ToolText, ...]
    skipped: tuple[Skipped, ...]
    fault_costs: tuple[FaultCost, ...] = ()
    guest_logs: tuple[GuestLogUse, ...] = ()
    comparison: Comparison | None = None
    vm_rows: tuple[VmRow, ...] = ()
    charts: Mapping[ToolText, Chart] = field(default_factory=dict)
    courses: Mapping[ToolText, tuple[float | None, ...]] = field(default_factory=dict)
    slices: tuple[TimeSlice, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    glance: Glance = field(default_factory=Glance)
    provenance: Provenance | None = None
    device_rows: tuple[DeviceLatency, ...] = ()
    guest_counts: GuestCounts = field(default_factory=GuestCounts)
    util_p95: float | None = None  # of the host's physical CPUs over samples [%]
    events: tuple[Event, ...] = ()  # of logs, in order of time
    event_logs: tuple[EventLog, ...] = ()
    finding_events: Mapping[ToolText, tuple[NamedEvents, ...]] = field(default_factory=dict)  # by `Finding.key`
    windows: tuple[ProposedWindow, ...] = ()  # that stand out, in the order of time
    clock_pct: float | None = None  # %A/MPERF, mean over PCPUs and samples [% of the nominal clock]
