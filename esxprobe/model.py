"""The nouns of esxprobe: small frozen records, no input or output.

Units stand in the field's name or at the end of its line in [brackets].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
Mmu = Literal["hardware", "software", "unknown"]
ValueKind = Literal["number", "text"]
Verdict = Literal["native", "negligible", "noticeable", "severe", "inconclusive", "unknown_mode"]


def worst_first(severity: Severity) -> int:
    """Rank of a severity, 0 for the worst."""
    return SEVERITIES.index(severity)


@dataclass(frozen=True, slots=True)
class Counter:
    """What we know of one esxtop counter.

    Attributes:
        object: The object in the column's path, as `Group Cpu`.
        name: The counter exactly as `esxtop -b` prints it.
        label: The column's heading on esxtop's own screens, empty where it has none.
        unit: The unit of the printed value, empty for a plain number.
        per: What one value belongs to: host, PCPU, group, world, device, path, ...
        meaning: One line.
        notes: What differs between releases, and traps.
        kind: `text` for the few counters whose cells hold words.
    """

    object: str
    name: str
    label: str
    unit: str
    per: str
    meaning: str
    notes: str = ""
    kind: ValueKind = "number"

    @property
    def path(self) -> str:
        r"""Object and counter joined as in a column's path: `Vcpu\% Ready`."""
        return f"{self.object}\\{self.name}"


@dataclass(frozen=True, slots=True)
class QualityCode:
    """A kind of damage or doubt that a capture can have.

    Attributes:
        code: kebab-case name.
        severity: How much it takes from the trust in the numbers.
        meaning: What it is, one line, readable in a report.
        advice: What to do about it.
    """

    code: str
    severity: Severity
    meaning: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class QualityNote:
    """One kind of damage or doubt, counted.

    Attributes:
        code: One of the catalogue's quality codes.
        severity: Copied from the catalogue.
        count: How many (rows, cells, columns: the detail says of what).
        detail: What was done, and where.
    """

    code: str
    severity: Severity
    count: int
    detail: str


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read: name, sha256 of its bytes as they lie on disk, size [bytes]."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, both ends aware UTC; an esxtop sample's window starts one interval early."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Length [s]."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that findings are about.

    Attributes:
        kind: host, pcpu, numa, vm, vcpu, world, group, device, path, adapter, vdisk, port, ...
        name: What a person calls it.
        id: What tells it from others of the same name (group id, world id, instance text).
    """

    kind: str
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """A group that owns a `vmx` world.

    Attributes:
        name: Display name; names repeat and hold any character.
        gid: esxtop's group id, new at every power-on.
        vcpus: Number of `vmx-vcpu-N` worlds (`vmmN` worlds on ESX 3.x).
        mmu: How guest page tables are virtualised, where there is evidence.
        mmu_evidence: The line of evidence, empty when unknown.
    """

    name: str
    gid: str
    vcpus: int
    mmu: Mmu = "unknown"
    mmu_evidence: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    r"""What one esxtop capture says, read and checked, before anybody judges it.

    Attributes:
        host: Host name from the columns' paths.
        zone: The zone text of the header's first cell.
        columns: One row a value column: position, host, object, instance, counter, name, known, wanted.
        samples: One row a kept sample: sample, line, segment, time [UTC], interval_s, judged, reason.
        tidy: Frames by entity kind: sample, entity, one Float64 column a counter (`Object\Counter`).
        entities: Frames by entity kind: entity, name, id, vm, gid and what else the kind knows.
        vms: The virtual machines, in the order of the header.
        notes: Data quality, counted.
        files: The files that were read.
        interval_s: Median interval between samples [s], None with fewer than two samples.
        rows_read: Data rows seen in the files, kept or not.
        date_known: False when the stamps have no date (then they lie on 1970-01-01).
    """

    host: str
    zone: str
    columns: pl.DataFrame
    samples: pl.DataFrame
    tidy: Mapping[str, pl.DataFrame]
    entities: Mapping[str, pl.DataFrame]
    vms: tuple[VirtualMachine, ...]
    notes: tuple[QualityNote, ...]
    files: tuple[SourceFile, ...]
    interval_s: float | None
    rows_read: int
    date_known: bool = True


@dataclass(frozen=True, slots=True)
class Level:
    """A threshold: at or beyond it a finding has this severity.

    Attributes:
        severity: The severity of a finding at this level.
        threshold: In the rule's unit.
        source: Where the number can be looked up, or `rule of thumb: ...`.
    """

    severity: Severity
    threshold: float
    source: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that fired for one entity.

    Attributes:
        rule: Rule id.
        severity: Of the highest level that was reached.
        entity: What it is about.
        title: The rule's title.
        cause: Key of the cause that this symptom is filed under.
        value: The judged statistic, in `unit`.
        statistic: What `value` is: `p95`, `max`, `mean`, `mean of the longest stretch`.
        unit: Unit of value and threshold.
        threshold: The level's threshold that was reached.
        source: Where that threshold comes from.
        peak: Largest value seen, in `unit`.
        share_of_samples: Share of judged samples beyond `threshold`, 0 to 1.
        samples: Number of judged samples.
        first: Start of the first window beyond `threshold`.
        last: End of the last one.
        windows: The stretches beyond `threshold`, longest first.
        members: Names of the parts merged into this finding (the vCPUs of a VM), worst first.
        advice: What to do next.
        why: Why it matters.
        caveats: When not to believe it.
        number: Number of the entity (of the worst part) in the recording's frames.
    """

    rule: str
    severity: Severity
    entity: Entity
    title: str
    cause: str
    value: float
    statistic: str
    unit: str
    threshold: float
    source: str
    peak: float
    share_of_samples: float
    samples: int
    first: datetime | None
    last: datetime | None
    windows: tuple[Window, ...]
    members: tuple[str, ...]
    why: str
    advice: str
    caveats: tuple[str, ...]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule that could not run, with the reason."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class FaultCost:
    """Guest faults against vCPU time for one VM, one pair of counters (see the analysis schema)."""

    vm: str
    guest_counter: str
    host_counter: str
    samples: int
    n_eff: float
    r: float
    p: float
    q: float
    slope_us_per_fault: float
    ci_low: float
    ci_high: float
    min_detectable_us: float
    lag_s: float
    fault_rate_median: float
    fault_rate_p95: float
    bound_pct_vcpu: float
    mmu: Mmu
    verdict: Verdict
    statement: str


@dataclass(frozen=True, slots=True)
class Series:
    """A line to draw: at most a few hundred points, extremes kept.

    Attributes:
        label: Name in the legend.
        times: Sample ends, aware UTC.
        values: In the chart's unit; None where a sample is missing.
    """

    label: str
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
    """

    title: str
    unit: str
    series: tuple[Series, ...]
    thresholds: tuple[tuple[Severity, float], ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class VmRow:
    """One line of the report's table of VMs; None where the capture lacks the counter.

    Attributes:
        vm: The VM.
        ready_p95: 95th percentile over samples of the worst vCPU's %RDY less %MLMTD [%].
        costop_p95: The same of %CSTP [%].
        run_mean: Mean %RUN over its vCPUs and samples [%].
        run_p95: 95th percentile of the busiest vCPU's %RUN [%].
        memory_mb: MEMSZ, last sample [MB].
        balloon_mb: MCTLSZ, largest [MB].
        swapped_mb: SWCUR, largest [MB].
    """

    vm: VirtualMachine
    ready_p95: float | None
    costop_p95: float | None
    run_mean: float | None
    run_p95: float | None
    memory_mb: float | None
    balloon_mb: float | None
    swapped_mb: float | None


@dataclass(frozen=True, slots=True)
class CaptureSummary:
    """What was captured, for the report's head and the JSON.

    Attributes:
        host: Host name.
        build: Product and build where known, else empty.
        started: Start of the first judged interval, aware UTC; None when no sample is judged.
        ended: End of the last kept sample.
        interval_s: Median interval [s].
        samples: Rows kept (judged and set aside).
        judged: Samples that rules look at.
        columns: Value columns after ungluing.
        unnamed_columns: Of these, how many carry no name.
        unknown_columns: Of these, how many the catalogue does not know.
        groups: Number of groups.
        worlds: Number of worlds.
        rows: Data rows in the files, kept or not.
        closure: Lowest, median and highest sum of %RUN, %RDY, %CSTP and %WAIT of a world [%], None without them.
        observer_pct: Mean %USED of esxtop's own groups [% of a PCPU], None without them.
        zone: Zone text of the header and how far it can be trusted.
        date_known: False when the file's stamps have no date.
        files: The files read.
        objects: Columns by object: object, instances, columns, understood.
    """

    host: str
    build: str
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
    zone: str
    date_known: bool
    files: tuple[SourceFile, ...]
    objects: tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything the report, the JSON and the terminal show; charts by rule id."""

    tool_version: str
    capture: CaptureSummary
    quality: tuple[QualityNote, ...]
    vms: tuple[VirtualMachine, ...]
    findings: tuple[Finding, ...]
    clear: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    fault_costs: tuple[FaultCost, ...] = ()
    vm_rows: tuple[VmRow, ...] = ()
    charts: Mapping[str, Chart] = field(default_factory=dict)
