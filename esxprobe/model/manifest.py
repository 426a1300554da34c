"""A capture's manifest, `capture.json`: one record, which the collection fills and everything else reads.

A field that is absent, or of another type, has its default: it is not known. What the file holds beside that is in
`more` of the record (`files/json_records.py`). Durations are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from esxprobe.files.json_records import JsonRecord, UnixTime
from esxprobe.model.nouns import SourceFile
from esxprobe.model.probed_facts import ProbedFacts, VmAnswer
from esxprobe.model.roles import (
    AccountName,
    AddressText,
    AlgorithmName,
    BuildText,
    CommandLine,
    ComputerName,
    FileName,
    FingerprintText,
    HopName,
    ListedZone,
    Message,
    ProbeName,
    ServerText,
    ToolVersion,
    VmName,
)


@dataclass(frozen=True, slots=True)
class ErrorText(JsonRecord):
    """What ended a collection before its time, and what can be done."""

    message: Message = ""
    hint: Message = ""


@dataclass(frozen=True, slots=True)
class Group(JsonRecord):
    """An entry of esxtop's SchedGroup.

    Attributes:
        gid: Its id, good until the VM's next power-on.
        name: Its name; not unique, and any text.
    """

    gid: Message = ""
    name: VmName = ""


@dataclass(frozen=True, slots=True)
class Limit(JsonRecord):
    """What a segment was limited to.

    Attributes:
        kept: The groups of the VMs that are wanted; all of a name where it is there more than once.
        missing: Wanted names that no group has.
        groups: How many groups there were altogether.
        others: Name and number of entries of each other section; they are kept whole.
        file: The file on the host that held them for a while.
    """

    kept: tuple[Group, ...] = ()
    missing: tuple[VmName, ...] = ()
    groups: int = 0
    others: tuple[tuple[Message, int], ...] = ()
    file: FileName = ""


@dataclass(frozen=True, slots=True)
class Segment(JsonRecord):
    """One run of esxtop.

    Attributes:
        file: Name in the capture folder; one that ends in `.cut` holds no whole sample; empty when nothing came.
        command: Remote command, verbatim.
        started: When it was started, by the collecting machine's clock.
        ended: When it ended.
        asked: Samples asked for.
        samples: Whole samples received.
        bytes: Size of the file [bytes].
        outcome: `whole`: the gzip trailer came and every row asked for; otherwise `partial`.
        reason: Why it is partial.
        interval_s: Mean time between its samples by their stamps [s], None when unknown.
        stderr: What the commands said besides.
        limit: The VMs that it was limited to, None for everything.
        packed: Where it was packed: `host` or `here`.
        most_bytes: What it could have grown to before it would have been ended [bytes].
    """

    file: FileName = ""
    command: CommandLine = ""
    started: UnixTime | None = None
    ended: UnixTime | None = None
    asked: int | None = None
    samples: int | None = None
    bytes: int | None = None
    outcome: Message = ""
    reason: Message = ""
    interval_s: float | None = None
    stderr: Message = ""
    limit: Limit | None = None
    packed: Message = ""
    most_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Gap(JsonRecord):
    """A time without samples between two files, or in one.

    Attributes:
        after: The file before it; empty where nothing came before.
        before: The file after it; empty where nothing came any more.
        seconds: Its length by the collecting machine's clock [s].
        reason: `planned`, or what interrupted.
    """

    after: FileName = ""
    before: FileName = ""
    seconds: float | None = None
    reason: Message = ""


@dataclass(frozen=True, slots=True)
class ClockReading(JsonRecord):
    """How far a clock is from the collecting machine's.

    Attributes:
        at: When it was read, by the collecting machine's clock.
        offset_s: Its time less that machine's [s]; positive when it is ahead.
        uncertainty_s: The offset is this exact at worst, either way [s].
        round_trip_s: How long asking took [s].
        zone: Its offset from UTC as it says itself, `+02:00`; empty when it does not.
    """

    at: UnixTime | None = None
    offset_s: float | None = None
    uncertainty_s: float | None = None
    round_trip_s: float | None = None
    zone: ListedZone = ""


@dataclass(frozen=True, slots=True)
class ClockReadings(JsonRecord):
    """A clock at the start and at the end of a capture; None where it was not read."""

    start: ClockReading | None = None
    end: ClockReading | None = None


@dataclass(frozen=True, slots=True)
class ProbeResult(JsonRecord):
    """What became of one probe.

    Attributes:
        name: The probe.
        command: Its command, verbatim; empty where it was asked together with others.
        outcome: `ok`, `failed` or `skipped`.
        note: Why it is not ok.
        file: Where its answer is in the capture folder, empty when there is none.
    """

    name: ProbeName = ""
    command: CommandLine = ""
    outcome: Message = ""
    note: Message = ""
    file: FileName = ""


@dataclass(frozen=True, slots=True)
class Connection(JsonRecord):
    """What was negotiated; safe to write down.

    Attributes:
        alias: The name that was asked for.
        host: The name or address that was dialled.
        address: The address that answered; "" behind a proxy.
        port: The TCP port.
        user: The account.
        server_version: The host's first line.
        kex: Key exchange.
        cipher: Cipher of what the host sends.
        mac: Its MAC; "implicit" for ciphers that bring their own.
        host_key_type: Signature algorithm of the host key.
        host_key_fingerprint: SHA256:...
        host_key: How it was checked: `known`, or `added to FILE`.
        auth_method: What the host accepted, step by step.
        legacy_crypto: Old algorithms were allowed.
        legacy_used: Those that were used.
        proxies: The hops, nearest first.
        notes: What of ssh_config was not followed.
    """

    alias: ComputerName = ""
    host: ComputerName = ""
    address: AddressText = ""
    port: int = 0
    user: AccountName = ""
    server_version: ServerText = ""
    kex: AlgorithmName = ""
    cipher: AlgorithmName = ""
    mac: AlgorithmName = ""
    host_key_type: AlgorithmName = ""
    host_key_fingerprint: FingerprintText = ""
    host_key: Message = ""
    auth_method: Message = ""
    legacy_crypto: bool = False
    legacy_used: tuple[AlgorithmName, ...] = ()
    proxies: tuple[HopName, ...] = ()
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class GuestOutcome(JsonRecord):
    """What became of a guest.

    Attributes:
        vm: Name of its VM.
        system: What it runs.
        outcome: `whole`: it answered until it was stopped; `partial`: with gaps, or it ended before;
            `failed`: no sample.
        reason: Why it is not whole.
        method: How its counters were read: `linux`, `typeperf` or `windows-raw`; empty when it came to nothing.
        file: Name of the first file in the capture folder, empty when there is none.
        files: Names of all of them, in order of time.
        gaps: The times without samples between them.
        command: Remote command, verbatim; the first one.
        interval_s: Interval asked for [s].
        samples: Samples begun, over all files.
        bytes: Size of the files [bytes].
        connections: What its connections turned out to be.
        timezone: The time zone that was given for its clock.
        clock: Its clock at the start and at the end.
    """

    vm: VmName = ""
    system: Message = ""
    outcome: Message = ""
    reason: Message = ""
    method: Message = ""
    file: FileName = ""
    files: tuple[FileName, ...] = ()
    gaps: tuple[Gap, ...] = ()
    command: CommandLine = ""
    interval_s: float | None = None
    samples: int | None = None
    bytes: int | None = None
    connections: tuple[Connection, ...] = ()
    timezone: ListedZone = ""
    clock: ClockReadings = field(default_factory=ClockReadings)


@dataclass(frozen=True, slots=True)
class FaultRun(JsonRecord):
    """What became of a probe or an experiment.

    Attributes:
        vm: Name of its VM.
        kind: `probe` or `experiment`.
        outcome: `running` while it does; `whole`, `partial`, `refused` before it began, or `failed`.
        reason: Why it is not whole.
        file: What the injector printed, in the capture folder; empty when there is nothing.
        order: The blocks as they were drawn, `10` or `01` for each pair.
        block_s: Length of a block [s].
        rate: Pages touched in a block that faults [pages/s].
        forecast_pct: Half-width that was forecast for the effect [% of one vCPU]; None when it was not known.
    """

    vm: VmName = ""
    kind: Message = ""
    outcome: Message = ""
    reason: Message = ""
    file: FileName = ""
    order: Message = ""
    block_s: float = 0.0
    rate: float = 0.0
    forecast_pct: float | None = None


@dataclass(frozen=True, slots=True)
class Leftover(JsonRecord):
    """Whether anything of ours runs on a host after the capture.

    Attributes:
        processes: Lines of the host's list of processes; empty when it is clean.
        checked: Whether the host could be asked.
        reason: Why it could not.
        files: Files of ours that were still there, and are removed now.
        others: Lines of another program's esxtop with the same interval, which ran before.
    """

    processes: tuple[Message, ...] = ()
    checked: bool = False
    reason: Message = ""
    files: tuple[FileName, ...] = ()
    others: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class ManifestHead(JsonRecord):
    """What every version of a manifest has.

    Attributes:
        host: Name the capture was asked for.
        build: Product and build, empty when unknown.
        commands: Remote commands, verbatim.
        interval_s: Interval asked for [s], None when unknown.
        samples: Samples asked for, None when unknown.
        files: Every file of the folder with size and sha256, paths relative to it.
        tool_version: Version of esxprobe that wrote it.
    """

    host: ComputerName = ""
    build: BuildText = ""
    commands: tuple[CommandLine, ...] = ()
    interval_s: float | None = None
    samples: int | None = None
    files: tuple[SourceFile, ...] = ()
    tool_version: ToolVersion = ""


@dataclass(frozen=True, slots=True)
class Manifest(ManifestHead):
    """What is known of a capture beside its numbers.

    Attributes:
        state: `running`, `whole`, `partial` or `failed`; `running` stays when the collection was killed.
        error: What ended it before its time.
        started: By the collecting machine's clock.
        ended: Likewise.
        interval_achieved_s: Mean interval by the samples' own stamps, over all segments [s]; None when unknown.
        limited_to: Names of the VMs that it was limited to; each segment's `limit` is what it kept.
        samples_received: Rows, the first one of each segment included.
        segment_s: After how long esxtop was to be started anew [s].
        segments: Each run of esxtop; one is ended beyond its `most_bytes`.
        gaps: The times between them.
        clock: The host's clock.
        facts: What the host said of itself.
        vms: What it said of each running VM.
        probes: What became of each question.
        connections: What each connection of the capture turned out to be.
        connections_beside: The same of those on which the host was asked about itself meanwhile.
        guests: What became of each guest.
        fault_runs: Fault probes and experiments in guests.
        left_behind: Whether an esxtop of ours was still running afterwards.
        notes: What a person should know.
    """

    state: Message = ""
    error: ErrorText | None = None
    started: UnixTime | None = None
    ended: UnixTime | None = None
    interval_achieved_s: float | None = None
    limited_to: tuple[VmName, ...] = ()
    samples_received: int | None = None
    segment_s: float | None = None
    segments: tuple[Segment, ...] = ()
    gaps: tuple[Gap, ...] = ()
    clock: ClockReadings = field(default_factory=ClockReadings)
    facts: ProbedFacts = field(default_factory=ProbedFacts)
    vms: tuple[VmAnswer, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    connections: tuple[Connection, ...] = ()
    connections_beside: tuple[Connection, ...] = ()
    guests: tuple[GuestOutcome, ...] = ()
    fault_runs: tuple[FaultRun, ...] = ()
    left_behind: Leftover | None = None
    notes: tuple[Message, ...] = ()
