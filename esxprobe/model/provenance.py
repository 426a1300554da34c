"""Where a capture comes from, as its manifest tells it; empty and None where it tells nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from esxprobe.model.nouns import Entity, SourceFile
from esxprobe.model.roles import (
    BuildText,
    CommandLine,
    CpuModel,
    DatastoreName,
    DatastoreType,
    FileName,
    HardwareVersion,
    HostLine,
    ListedZone,
    Message,
    PowerPolicyName,
    ProbeName,
    ToolText,
    ToolVersion,
    VmName,
)


@dataclass(frozen=True, slots=True)
class EsxtopRun:
    """One run of esxtop.

    Attributes:
        file: Its file in the capture folder.
        started: By the collecting machine's clock, aware UTC.
        ended: Likewise.
        asked: Samples asked for.
        samples: Whole samples received.
        interval_s: Mean interval by the stamps [s].
        outcome: `whole` or `partial`.
        reason: Why it is partial.
    """

    file: FileName
    started: datetime | None
    ended: datetime | None
    asked: int | None
    samples: int | None
    interval_s: float | None
    outcome: HostLine
    reason: Message


@dataclass(frozen=True, slots=True)
class Pause:
    """A time without esxtop between two runs.

    Attributes:
        after: File of the run before it.
        before: File of the run after it.
        seconds: Its length [s].
        reason: Why there was none.
    """

    after: FileName
    before: FileName
    seconds: float | None
    reason: Message


@dataclass(frozen=True, slots=True)
class ClockCheck:
    """A clock against the collecting machine's.

    Attributes:
        entity: The host, or the VM whose guest was asked.
        when: `start` or `end`.
        at: By the collecting machine's clock, aware UTC.
        offset_s: Its time less ours [s].
        uncertainty_s: Either way [s].
        zone: Its own offset from UTC.
    """

    entity: Entity
    when: ToolText
    at: datetime | None
    offset_s: float | None
    uncertainty_s: float | None
    zone: ListedZone


@dataclass(frozen=True, slots=True)
class MonitorLine:
    """How the monitor of a VM runs it, with the line that shows it.

    Attributes:
        entity: The VM.
        mmu: `hardware`, `software` or empty.
        execution: Likewise.
        evidence: The line, or the piece of it, that tells.
        file: The file that the line is in.
        lines: All lines that were found, verbatim.
        hardware_version: Virtual hardware version.
    """

    entity: Entity
    mmu: HostLine
    execution: HostLine
    evidence: HostLine
    file: FileName
    lines: tuple[HostLine, ...]
    hardware_version: HardwareVersion


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """A question to the host, and what became of it.

    Attributes:
        name: Its name.
        outcome: `ok`, `failed` or `skipped`.
        note: Why it is not ok.
    """

    name: ProbeName
    outcome: HostLine
    note: Message


@dataclass(frozen=True, slots=True)
class Datastore:
    """A datastore as the host lists it.

    Attributes:
        name: Its name.
        kind: Type of its file system.
        size_bytes: Its size [bytes].
        free_bytes: Free of it [bytes].
    """

    name: DatastoreName
    kind: DatastoreType
    size_bytes: float | None
    free_bytes: float | None


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What the host said of itself.

    Attributes:
        build: Product and build.
        cpu_model: Name of the CPU.
        packages: Sockets.
        cores: Cores.
        threads: Hardware threads.
        hyperthreading: Whether it is on.
        power_policy: Name of the policy.
        memory_bytes: Physical memory [bytes].
        numa_nodes: NUMA nodes.
        uptime_s: Time since its start [s].
        datastores: As it lists them.
    """

    build: BuildText = ""
    cpu_model: CpuModel = ""
    packages: int | None = None
    cores: int | None = None
    threads: int | None = None
    hyperthreading: bool | None = None
    power_policy: PowerPolicyName = ""
    memory_bytes: float | None = None
    numa_nodes: int | None = None
    uptime_s: float | None = None
    datastores: tuple[Datastore, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything that a manifest says of how a capture came about.

    Attributes:
        tool_version: Version of esxprobe that collected it.
        state: `whole`, `partial`, `failed` or `running`.
        error: What ended it before its time.
        commands: Remote commands, verbatim, those for guests at the end.
        asked_interval_s: [s].
        achieved_interval_s: By the samples' own stamps [s].
        asked_samples: Samples asked for.
        received_samples: Samples received, the first of each run included.
        limited_to: Names of the VMs that it was limited to.
        runs: Each run of esxtop.
        pauses: The times between them.
        clocks: The host's and the guests' clocks at both ends.
        facts: What the host said of itself.
        monitors: Monitor modes with the lines of evidence.
        probes: What became of each question.
        files: Every file of the folder as the manifest describes it.
        notes: What a person should know.
    """

    tool_version: ToolVersion = ""
    state: HostLine = ""
    error: Message = ""
    commands: tuple[CommandLine, ...] = ()
    asked_interval_s: float | None = None
    achieved_interval_s: float | None = None
    asked_samples: int | None = None
    received_samples: int | None = None
    limited_to: tuple[VmName, ...] = ()
    runs: tuple[EsxtopRun, ...] = ()
    pauses: tuple[Pause, ...] = ()
    clocks: tuple[ClockCheck, ...] = ()
    facts: HostFacts = HostFacts()
    monitors: tuple[MonitorLine, ...] = ()
    probes: tuple[ProbeOutcome, ...] = ()
    files: tuple[SourceFile, ...] = ()
    notes: tuple[Message, ...] = ()
