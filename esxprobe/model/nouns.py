"""What a capture holds: counters, entities, virtual machines, recordings, and how good they are.

Units are in the field's name or at the end of its line in [brackets].
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from esxprobe.model.roles import (
    EntityName,
    EntityNumber,
    FileName,
    HostLine,
    HostName,
    NoteDetail,
    Sha256,
    ToolText,
    VmName,
)
from esxprobe.model.values import FrameValues, TidyFrames, Values

if TYPE_CHECKING:
    import polars as pl

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
Mmu = Literal["hardware", "software", "unknown"]
ValueKind = Literal["number", "text"]
# Which way a counter is worse by itself; load is neither.
Worse = Literal["more", "less", "neither"]


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
        worse: Which way it is worse by itself; `neither` of load, and where it is not known.
    """

    object: str
    name: str
    label: str
    unit: str
    per: str
    meaning: str
    notes: str = ""
    kind: ValueKind = "number"
    worse: Worse = "neither"

    @property
    def path(self) -> str:
        r"""Object and counter joined as in a column's path: `Vcpu\% Ready`."""
        return f"{self.object}\\{self.name}"


@dataclass(frozen=True, slots=True)
class QualityCode:
    """A kind of damage or warning that a capture can have.

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
    """One kind of damage or warning, counted.

    Attributes:
        code: One of the catalog's quality codes.
        severity: Copied from the catalog.
        count: How many (rows, cells, columns: the detail says of what).
        detail: What was done, and where.
    """

    code: ToolText
    severity: Severity
    count: int
    detail: NoteDetail


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read.

    Attributes:
        name: Its name.
        sha256: Of its bytes as they are on disk.
        bytes: Its size [bytes].
    """

    name: FileName
    sha256: Sha256
    bytes: int


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time; an esxtop sample's window starts one interval early.

    Attributes:
        start: Its start, aware UTC.
        end: Its end, likewise.
    """

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Length [s]."""
        return (self.end - self.start).total_seconds()


def joined_windows(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same time in order, without overlaps: what touches is one stretch."""
    made: list[Window] = []
    for each in sorted(windows, key=lambda window: (window.start, window.end)):
        if made and each.start <= made[-1].end:
            made[-1] = Window(made[-1].start, max(made[-1].end, each.end))
        else:
            made.append(each)
    return tuple(made)


@dataclass(frozen=True, slots=True)
class JudgedPart:
    """The part of a capture that a person asked for: what lies outside of it was read and not judged.

    Attributes:
        asked_from: Where it begins, as it was written (`10:50`, `+10m`); empty for the capture's start.
        asked_to: Where it ends likewise; empty for the capture's end.
        span: What that means; an open end is the capture's.
        whole: From the stamp of the capture's first sample to that of its last one.
        inside: Samples of the part, analyzed or excluded.
        samples: Samples of the whole capture likewise.
    """

    asked_from: ToolText
    asked_to: ToolText
    span: Window
    whole: Window
    inside: int
    samples: int


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that findings are about.

    Attributes:
        kind: host, pcpu, numa, vm, vcpu, world, group, device, path, adapter, vdisk, port, ...
        name: What a person calls it.
        id: What tells it from others of the same name (group id, world id, instance text).
    """

    kind: ToolText
    name: EntityName
    id: EntityName


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of event, whichever log tells it.

    Attributes:
        key: kebab-case name.
        severity: How bad one of them is by itself.
        entity: Kind of the thing that it is mainly about; host where it is about all of it.
        noun: What one is called in a sentence.
        plural: What several are called.
        supports: Causes (keys of `rules.causes`) whose findings such an event bears out, when it is of the same
            thing at the same time; empty for events that end something, and for what bears out nothing.
        collapse_s: Several lines of one log within this time are one event [s].
    """

    key: str
    severity: Severity
    entity: str
    noun: str
    plural: str
    supports: tuple[str, ...] = ()
    collapse_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a log tells it.

    Attributes:
        time: When, aware UTC, by the clock of the computer that wrote the log.
        host: Computer that the line names as its source, empty where it names none.
        kind: Key of an `EventKind`.
        severity: Of the kind.
        entity: What it is mainly about: with the name in the line, or the one in the capture once that is known.
        also: Other things that the line names.
        figure: The number in it, None where it has none.
        unit: Unit of the figure.
        duration_s: How long it had lasted at `time`; 0 for a moment [s].
        line: The line itself, continuation lines joined, at most `MOST_LINE` characters.
        file: Name of the file that contains it.
        source: What wrote it: `vobd`, `vmkernel`, `hostd`, `vmware.log`, `vcenter`, `csv`, ...
    """

    time: datetime
    host: HostName
    kind: ToolText
    severity: Severity
    entity: Entity
    also: tuple[Entity, ...] = ()
    figure: float | None = None
    unit: ToolText = ""
    duration_s: float = 0.0
    line: HostLine = ""
    file: FileName = ""
    source: ToolText = ""


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """A group that owns a `vmx` world.

    Attributes:
        name: Display name; names repeat and hold any character.
        gid: esxtop's group id, new at every power-on.
        vcpus: Number of `vmx-vcpu-N` worlds (`vmmN` worlds on ESX 3.x).
        mmu: How guest page tables are virtualized, where there is evidence.
        mmu_evidence: The line of evidence, empty when unknown.
    """

    name: VmName
    gid: EntityNumber
    vcpus: int
    mmu: Mmu = "unknown"
    mmu_evidence: HostLine = ""


@dataclass(frozen=True, slots=True)
class Recording:
    r"""What one esxtop capture says, read and checked, before it is analyzed.

    Attributes:
        host: Host name from the columns' paths.
        zone: The zone text of the header's first cell.
        columns: One row a value column: position, host, object, instance, counter, name, known, wanted.
        samples: One row a kept sample: sample, line, segment, time [UTC], interval_s, judged, reason.
        tidy: Frames by entity kind: sample, entity, one Float64 column a counter (`Object\Counter`). Those of a
            capture that was read are made when they are asked for, whole: rather ask for `values`.
        entities: Frames by entity kind: entity, name, id, vm, gid and what else the kind knows.
        vms: The virtual machines, in the order of the header.
        notes: Data quality, counted.
        files: The files that were read.
        interval_s: Median interval between samples [s], None with fewer than two samples.
        rows_read: Data rows seen in the files, kept or not.
        date_known: False when the stamps have no date (then they are on 1970-01-01).
        build: Product and build of the host as its manifest gives them, empty when unknown.
        facts: What is known besides counters, by fact (see `rules.record.FACTS`) and what it is about: a VM's group
            id, a device, an uplink, or empty for the host.
        part: The part of the capture that samples and values are of; None for the whole. Notes are of the whole.
        events: What logs say happened, in order of time.
        answers: What was worked out of it and is kept for those who ask again (see `rules.once`).
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
    build: str = ""
    facts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    part: JudgedPart | None = None
    events: tuple[Event, ...] = ()
    answers: dict[object, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def values(self) -> Values:
        """The values of the judged samples, in parts."""
        if isinstance(self.tidy, TidyFrames):
            return self.tidy.values_of
        return FrameValues(self.tidy, int(self.samples["judged"].sum()))
