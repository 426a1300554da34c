"""Many captures together: what became of each, and what can only be seen over several hosts.

A digest is what a process or another machine hands back of a capture: plain values, small, and the same
wherever it was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from esxprobe.model.analysis import Analysis, DeviceLatency
from esxprobe.model.nouns import SEVERITIES, Entity, JudgedPart, Severity, Window


@dataclass(frozen=True, slots=True)
class FindingBrief:
    """A finding without its words; see `Finding`.

    Attributes:
        rule: Rule id.
        severity: Of the highest level that was reached.
        entity: What it is about.
        title: The rule's title.
        value: The judged statistic, in `unit`.
        statistic: What `value` is: `p95`, `max`, `mean`, ...
        unit: Unit of the value.
        share_of_samples: Share of judged samples beyond the threshold, 0 to 1.
        first: Start of the first stretch beyond the threshold, None without one.
        last: End of the last one.
    """

    rule: str
    severity: Severity
    entity: Entity
    title: str
    value: float
    statistic: str
    unit: str
    share_of_samples: float
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class CauseBrief:
    """A likely cause on a host without its words: a card of the host's own report, critical or warning.

    Attributes:
        rule: Of the finding that leads.
        severity: The worst of all findings that it leads or explains.
        entity: What the finding that leads is about.
        others: How many more things have a finding of that rule that leads.
        title: Of the finding that leads.
        cost: How much it costs whom: findings by severity, each times its share of the time. Only for order.
        episodes: When that rule was beyond its threshold, on any of these things, in order; empty where the stamps
            have no date.
    """

    rule: str
    severity: Severity
    entity: Entity
    others: int
    title: str
    cost: float
    episodes: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class EventTotal:
    """Events of one kind in the logs of a capture's time.

    Attributes:
        kind: Key of their kind.
        severity: Of that kind.
        count: How many.
        first: Time of the first one, aware UTC.
        last: Time of the last one.
    """

    kind: str
    severity: Severity
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class VmStay:
    """A VM on a host.

    Attributes:
        name: Display name.
        gid: Its group id there.
        vcpus: Number of its vCPUs.
        first: From when it was seen, aware UTC; the capture's start when it was there all the time.
        last: Until when.
    """

    name: str
    gid: str
    vcpus: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class Figure:
    """A main figure that hosts are held against each other by.

    Attributes:
        key: kebab-case name.
        label: As a person reads it.
        unit: Of its values.
        least: Smaller distances from the other hosts mean nothing [unit].
    """

    key: str
    label: str
    unit: str
    least: float


@dataclass(frozen=True, slots=True)
class CaptureDigest:
    """What the summary needs of one capture.

    Attributes:
        host: Host name, empty when unknown.
        build: Product and build, empty when unknown.
        started: Start of the first judged interval, aware UTC.
        ended: End of the last sample.
        date_known: False when the stamps have no date.
        interval_s: Median interval [s].
        judged: Samples that rules looked at.
        columns: Value columns.
        doubts: Kinds of damage or warning of severity critical or warning.
        findings: All of them, worst first.
        clear: Rules that found nothing.
        skipped: Rules that could not run.
        vms: The VMs.
        devices: Storage devices.
        figures: Main figures by key, None where the capture lacks the counter.
        part: The part of the capture that was judged, None for the whole.
        causes: Likely causes that are critical or warnings, what costs most first.
        events: Events of logs by kind, worst first; empty without a log.
        event_logs: How many logs were read.
    """

    host: str
    build: str
    started: datetime | None
    ended: datetime | None
    date_known: bool
    interval_s: float | None
    judged: int
    columns: int
    doubts: int
    findings: tuple[FindingBrief, ...]
    clear: int
    skipped: tuple[str, ...]
    vms: tuple[VmStay, ...]
    devices: tuple[DeviceLatency, ...]
    figures: tuple[tuple[str, float | None], ...]
    part: JudgedPart | None = None
    causes: tuple[CauseBrief, ...] = ()
    events: tuple[EventTotal, ...] = ()
    event_logs: int = 0

    def count(self, severity: Severity) -> int:
        """Number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def worst(self) -> Severity | None:
        """The worst severity of a finding."""
        return next((level for level in SEVERITIES if self.count(level)), None)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a capture could not be judged.

    Attributes:
        message: What went wrong.
        hint: What can be done.
        exit_code: What the capture alone would have ended with.
    """

    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What a worker hands back of one capture: a digest, HTML and, if asked for, JSON; or why there is none.

    What is to be redacted comes as the analysis and the series of its page (index and chunks): names are replaced
    where those of all captures are known.
    """

    digest: CaptureDigest | None = None
    html: str = ""
    document: str = ""
    failure: Failure | None = None
    analysis: Analysis | None = None
    series: tuple[dict[str, Any], tuple[bytes, ...]] | None = None


@dataclass(frozen=True, slots=True)
class CaptureOutcome:
    """What became of one capture.

    Attributes:
        source: Its path or URL, without secrets.
        report: File name of its report, beside the summary; empty without one.
        digest: None when it failed.
        failure: None when it did not.
    """

    source: str
    report: str
    digest: CaptureDigest | None
    failure: Failure | None

    @property
    def label(self) -> str:
        """The host's name, or the capture's where the host is not known."""
        return (self.digest.host if self.digest else "") or self.source.rstrip("/").rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """A rule over all captures.

    Attributes:
        rule: Rule id.
        title: Its title.
        severity: The worst of its findings.
        findings: How many.
        captures: Numbers of the captures that have one, worst first.
    """

    rule: str
    title: str
    severity: Severity
    findings: int
    captures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EventCounts:
    """A kind of event over all captures.

    Attributes:
        kind: Its key.
        severity: Its severity.
        events: How many.
        first: Time of the first one.
        last: Time of the last one.
        captures: Numbers of the captures with some, most first.
    """

    kind: str
    severity: Severity
    events: int
    first: datetime
    last: datetime
    captures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EntityCounts:
    """An entity over all captures.

    Attributes:
        kind: Of the entity.
        name: Of the entity.
        host: Its host, empty for VMs and shared devices, which are the same thing on several hosts.
        severity: The worst.
        findings: How many.
        rules: Their rules, worst first.
        captures: Numbers of the captures.
    """

    kind: str
    name: str
    host: str
    severity: Severity
    findings: int
    rules: tuple[str, ...]
    captures: tuple[int, ...]


Spread = Literal["all", "one-host", "some-hosts", "alone", "not-together"]


@dataclass(frozen=True, slots=True)
class SlowDevice:
    """A storage device (LUN) that is slow on at least one host.

    Attributes:
        device: naa, eui or t10 id.
        spread: On all hosts that use it, on one of several, on some; `alone` when only one host sees it,
            `not-together` when no other host used it at the same time.
        slow: Hosts with a finding, and their 95th percentile of DAVG [ms], over samples with enough commands.
        fine: Hosts that used it at the same time without one, and theirs.
        unused: Hosts that see it and used it too little, or at another time.
    """

    device: str
    spread: Spread
    slow: tuple[tuple[str, float | None], ...]
    fine: tuple[tuple[str, float | None], ...]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TraveledVm:
    """A VM's name on several hosts.

    Attributes:
        name: Display name.
        moved: True when it was never on two of them at once; otherwise it may be two VMs of one name.
        stays: Host and stay, in order of time.
    """

    name: str
    moved: bool
    stays: tuple[tuple[str, VmStay], ...]


@dataclass(frozen=True, slots=True)
class OddHost:
    """A host that differs from the others in a main figure.

    Attributes:
        host: Its name.
        figure: Key of the figure.
        value: Its value.
        median: Of all hosts.
        score: Modified z-score: 0.6745 of the distance in median absolute deviations; None where those are zero.
    """

    host: str
    figure: str
    value: float
    median: float
    score: float | None


@dataclass(frozen=True, slots=True)
class HostRow:
    """A host beside the others.

    Attributes:
        host: Its name.
        captures: Numbers of its captures.
        worst: The worst severity of a finding.
        figures: Medians over its captures, by figure.
        causes: Likely causes of all its captures, each once, what costs most first.
    """

    host: str
    captures: tuple[int, ...]
    worst: Severity | None
    figures: tuple[tuple[str, float | None], ...]
    causes: tuple[CauseBrief, ...] = ()


@dataclass(frozen=True, slots=True)
class Fleet:
    """All captures together.

    Attributes:
        tool_version: Of esxprobe.
        outcomes: In the order in which they were named; their numbers are places in it.
        figures: What hosts are compared by.
        hosts: By name.
        by_rule: Worst first.
        by_entity: Worst first.
        slow_devices: Worst first.
        traveled: By name.
        odd: By figure.
        by_event: Events of logs, worst first.
    """

    tool_version: str
    outcomes: tuple[CaptureOutcome, ...]
    figures: tuple[Figure, ...] = ()
    hosts: tuple[HostRow, ...] = ()
    by_rule: tuple[RuleCounts, ...] = ()
    by_entity: tuple[EntityCounts, ...] = ()
    slow_devices: tuple[SlowDevice, ...] = ()
    traveled: tuple[TraveledVm, ...] = ()
    odd: tuple[OddHost, ...] = ()
    by_event: tuple[EventCounts, ...] = ()
