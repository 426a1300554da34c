"""What many captures say together. Every comparison between hosts here is a rule of thumb, and called one."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from esxprobe.fleet.devices import GLOBAL, slow_devices
from esxprobe.fleet.digest import FIGURES
from esxprobe.model import Severity, joined_windows, worst_first
from esxprobe.model.fleet import (
    CaptureDigest,
    CaptureOutcome,
    CauseBrief,
    EntityCounts,
    EventCounts,
    EventTotal,
    FindingBrief,
    Fleet,
    HostRow,
    OddHost,
    RuleCounts,
    TraveledVm,
    VmStay,
)

# Fewer hosts have no middle to speak of.
LEAST_HOSTS = 5
# Iglewicz and Hoaglin's limit for a modified z-score.
ODD_SCORE = 3.5
_TO_SIGMA = 0.6745
# Clocks of hosts differ, and a VM that moves is on both for a moment.
_BOTH = timedelta(seconds=60)


def merged(outcomes: Sequence[CaptureOutcome], tool_version: str) -> Fleet:
    """The summary of all captures, in their order."""
    judged = [(number, each, each.digest) for number, each in enumerate(outcomes) if each.digest is not None]
    hosts = _hosts(judged)
    return Fleet(
        tool_version=tool_version,
        outcomes=tuple(outcomes),
        figures=FIGURES,
        hosts=hosts,
        by_rule=_by_rule(judged),
        by_entity=_by_entity(judged),
        slow_devices=slow_devices([(each.label, digest) for _, each, digest in judged]),
        traveled=_traveled(judged),
        odd=_odd(hosts),
        by_event=_by_event(judged),
    )


Numbered = tuple[int, CaptureOutcome, CaptureDigest]


def _worst(severities: Iterable[Severity]) -> Severity:
    return min(severities, key=worst_first)


def _once(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))


def _by_rule(judged: Sequence[Numbered]) -> tuple[RuleCounts, ...]:
    found: dict[str, list[tuple[int, FindingBrief]]] = defaultdict(list)
    for number, _, digest in judged:
        for finding in digest.findings:
            found[finding.rule].append((number, finding))
    tallies = []
    for rule, each in found.items():
        each.sort(key=lambda pair: (worst_first(pair[1].severity), pair[0]))
        captures = _once(number for number, _ in each)
        tallies.append(RuleCounts(rule, each[0][1].title, each[0][1].severity, len(each), captures))
    return tuple(sorted(tallies, key=lambda t: (worst_first(t.severity), -len(t.captures), -t.findings, t.rule)))


def _by_event(judged: Sequence[Numbered]) -> tuple[EventCounts, ...]:
    """Kinds of events over all captures; captures of one host that overlap have the same events twice."""
    found: dict[str, list[tuple[int, EventTotal]]] = defaultdict(list)
    for number, _, digest in judged:
        for total in digest.events:
            found[total.kind].append((number, total))
    tallies = [
        EventCounts(
            kind,
            each[0][1].severity,
            sum(total.count for _, total in each),
            min(total.first for _, total in each),
            max(total.last for _, total in each),
            tuple(number for number, _ in sorted(each, key=lambda pair: (-pair[1].count, pair[0]))),
        )
        for kind, each in found.items()
    ]
    return tuple(sorted(tallies, key=lambda t: (worst_first(t.severity), -len(t.captures), -t.events, t.kind)))


def _by_entity(judged: Sequence[Numbered]) -> tuple[EntityCounts, ...]:
    found: dict[tuple[str, str, str], list[tuple[int, FindingBrief]]] = defaultdict(list)
    for number, outcome, digest in judged:
        for finding in digest.findings:
            entity = finding.entity
            is_shared = entity.kind == "vm" or (entity.kind == "device" and entity.name.startswith(GLOBAL))
            found[entity.kind, entity.name, "" if is_shared else outcome.label].append((number, finding))
    tallies = []
    for (kind, name, host), each in found.items():
        each.sort(key=lambda pair: (worst_first(pair[1].severity), pair[1].rule, pair[0]))
        rules, captures = _once(f.rule for _, f in each), tuple(sorted({number for number, _ in each}))
        tallies.append(EntityCounts(kind, name, host, each[0][1].severity, len(each), rules, captures))
    return tuple(
        sorted(tallies, key=lambda t: (worst_first(t.severity), -len(t.rules), -t.findings, t.kind, t.name, t.host))
    )


def _hosts(judged: Sequence[Numbered]) -> tuple[HostRow, ...]:
    by_host: dict[str, list[Numbered]] = defaultdict(list)
    for each in judged:
        by_host[each[1].label].append(each)
    rows = []
    for host, those in sorted(by_host.items()):
        digests = [digest for _, _, digest in those]
        severities = [digest.worst for digest in digests if digest.worst is not None]
        figures = tuple(
            (figure.key, _median([dict(digest.figures).get(figure.key) for digest in digests]))
            for figure in FIGURES
        )
        worst = _worst(severities) if severities else None
        causes = _causes([cause for digest in digests for cause in digest.causes])
        rows.append(HostRow(host, tuple(number for number, _, _ in those), worst, figures, causes))
    return tuple(rows)


def _causes(causes: Sequence[CauseBrief]) -> tuple[CauseBrief, ...]:
    """Likely causes of a host's captures, one where several captures have it, what costs most first."""
    found: dict[tuple[str, str, str], list[CauseBrief]] = defaultdict(list)
    for each in causes:
        found[each.rule, each.entity.kind, each.entity.name].append(each)
    made = [
        replace(
            those[0],
            severity=_worst(each.severity for each in those),
            others=max(each.others for each in those),
            cost=sum(each.cost for each in those),
            episodes=joined_windows(span for each in those for span in each.episodes),
        )
        for those in found.values()
    ]
    return tuple(sorted(made, key=lambda each: (worst_first(each.severity), -each.cost)))


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _odd(hosts: Sequence[HostRow]) -> tuple[OddHost, ...]:
    """Hosts far from the middle of all, by median and median absolute deviation: one odd host moves neither."""
    found = []
    for figure in FIGURES:
        values = {row.host: value for row in hosts if (value := dict(row.figures)[figure.key]) is not None}
        if len(values) < LEAST_HOSTS:
            continue
        middle = statistics.median(values.values())
        spread = statistics.median(abs(value - middle) for value in values.values())
        odd = []
        for host, value in values.items():
            distance = value - middle
            score = _TO_SIGMA * distance / spread if spread else None
            if abs(distance) >= figure.least and (score is None or abs(score) > ODD_SCORE):
                odd.append(OddHost(host, figure.key, value, middle, score))
        found += sorted(odd, key=lambda each: (-abs(each.value - each.median), each.host))
    return tuple(found)


def _traveled(judged: Sequence[Numbered]) -> tuple[TraveledVm, ...]:
    """VMs whose name is on several hosts; times without a date cannot be put beside others."""
    stays: dict[str, list[tuple[str, VmStay]]] = defaultdict(list)
    for _, outcome, digest in judged:
        for stay in digest.vms if digest.date_known else ():
            if stay.first is not None and stay.last is not None:
                stays[stay.name].append((outcome.label, stay))
    found = []
    for name, those in sorted(stays.items()):
        if len({host for host, _ in those}) < 2:
            continue
        those.sort(key=lambda pair: (pair[1].first, pair[1].last, pair[0]))
        found.append(TraveledVm(name, not _is_on_two_at_once(those), tuple(those)))
    return tuple(sorted(found, key=lambda vm: (not vm.moved, vm.name)))


def _is_on_two_at_once(stays: Sequence[tuple[str, VmStay]]) -> bool:
    for number, (host, stay) in enumerate(stays):
        for other, later in stays[number + 1 :]:
            if later.first is None or stay.last is None or later.first >= stay.last - _BOTH:
                break  # in order of time: those behind it start later still
            if other != host:
                return True
    return False
