"""Likely causes of many hosts on one time axis: a lane a host, a bar an episode; drawn without any script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from esxprobe.model import Severity, Window
from esxprobe.model.fleet import CauseBrief, Fleet, HostRow
from esxprobe.report.charts import clock_format, round_times
from esxprobe.report.formatting import isolated, joined, moment, plural

# Hosts with a lane, causes in it, and names in a sentence; the tables and the hosts' own reports have all.
LANES, CAUSES, _NAMED = 40, 3, 40
# Episodes that are listed one by one for screen readers.
_TOLD = 3
# Room of a letter of a label on the axis [%].
_ROOM = 1.5


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time on the axis: its left end and its width [% of the axis], and both ends in words."""

    x: str
    width: str
    words: str


@dataclass(frozen=True, slots=True)
class LaneCause:
    """A likely cause of a host: what, on what, where its details are, and its episodes."""

    severity: Severity
    title: str
    where: str
    link: str
    bars: tuple[Bar, ...]
    words: str


@dataclass(frozen=True, slots=True)
class HostLane:
    """A host that has likely causes; `captured` is when it was looked at."""

    host: str
    link: str
    captured: tuple[Bar, ...]
    causes: tuple[LaneCause, ...]
    more: str


@dataclass(frozen=True, slots=True)
class FleetTimeline:
    """The section: lanes of the hosts that cost most first, ticks of the axis they share, and what has no lane."""

    lanes: tuple[HostLane, ...]
    ticks: tuple[tuple[str, str], ...]
    span: str
    notes: tuple[str, ...]


def worst_hosts(fleet: Fleet) -> list[HostRow]:
    """Hosts that have a likely cause, by the worst of them and then by what all of that severity cost."""

    def rank(row: HostRow) -> tuple[bool, float, str]:
        first = row.causes[0].severity
        return first != "critical", -sum(each.cost for each in row.causes if each.severity == first), row.host

    return sorted((row for row in fleet.hosts if row.causes), key=rank)


def fleet_timeline(fleet: Fleet) -> FleetTimeline:
    """Causes of all hosts over time."""
    hosts = worst_hosts(fleet)
    captured = {row.host: _captured(fleet, row) for row in fleet.hosts}
    ends = [end for row in hosts for span in captured[row.host] for end in (span.start, span.end)]
    axis = Window(min(ends), max(ends)) if ends else None
    shown = [row for row in hosts if captured[row.host]]
    return FleetTimeline(
        lanes=tuple(_lane(fleet, row, captured[row.host], axis) for row in shown[:LANES]) if axis else (),
        ticks=tuple(_ticks(axis)) if axis else (),
        span=f"{moment(axis.start)} to {moment(axis.end)} UTC" if axis else "",
        notes=tuple(_notes(fleet, hosts, shown)),
    )


def _captured(fleet: Fleet, row: HostRow) -> list[Window]:
    """When a host was captured, as far as its stamps have a date."""
    digests = [each.digest for each in (fleet.outcomes[number] for number in row.captures) if each.digest]
    return [Window(each.started, each.ended) for each in digests if each.date_known and each.started and each.ended]


def _notes(fleet: Fleet, hosts: Sequence[HostRow], shown: Sequence[HostRow]) -> Iterable[str]:
    """The hosts that have no lane, and why."""
    if quiet := [row.host for row in fleet.hosts if not row.causes]:
        yield f"No likely cause worse than info on {_named(quiet)}."
    if dateless := [row.host for row in hosts if row not in shown]:
        yield (
            f"With likely causes, but with timestamps without a date, which cannot be shown on a common axis: "
            f"{_named(dateless)}."
        )
    if hidden := len(shown) - LANES if len(shown) > LANES else 0:
        yield f"{hidden:,} more {plural(hidden, 'host')} with less important likely causes not shown."


def _named(hosts: Sequence[str]) -> str:
    """How many hosts, and which."""
    names = [isolated(host) for host in hosts[:_NAMED]]
    listed = joined(names) if len(hosts) <= _NAMED else f"{', '.join(names)} and {len(hosts) - _NAMED:,} more"
    return listed if len(hosts) == 1 else f"{len(hosts):,} hosts: {listed}"


def _lane(fleet: Fleet, row: HostRow, captured: Sequence[Window], axis: Window) -> HostLane:
    reports = [fleet.outcomes[number].report for number in row.captures]
    link = quote(reports[0]) if len(reports) == 1 else ""  # of several captures the table has the links
    rest = len(row.causes) - CAUSES
    return HostLane(
        host=isolated(row.host),
        link=link,
        captured=tuple(_bar(span, axis) for span in captured),
        causes=tuple(_cause(each, link, axis) for each in row.causes[:CAUSES]),
        more=f"{rest} more likely {plural(rest, 'cause')} in its report" if rest > 0 else "",
    )


def _cause(cause: CauseBrief, link: str, axis: Window) -> LaneCause:
    bars = tuple(_bar(span, axis) for span in cause.episodes)
    count = f"{len(bars)} {plural(len(bars), 'episode')}"
    more = f" and {len(bars) - _TOLD} more" if len(bars) > _TOLD else ""
    named = isolated(cause.entity.name)
    where = "" if cause.entity.kind == "host" else f"{named} and {cause.others} more" if cause.others else named
    return LaneCause(
        severity=cause.severity,
        title=cause.title,
        where=where,
        link=f"{link}#{cause.rule}" if link else "",
        bars=bars,
        words=f"{count}, UTC: {'; '.join(bar.words for bar in bars[:_TOLD])}{more}" if bars else "",
    )


def _bar(span: Window, axis: Window) -> Bar:
    days = (axis.start.date() != axis.end.date(), span.start.date() != span.end.date())
    words = f"{moment(span.start, dated=days[0])} to {moment(span.end, dated=days[1])}"
    left, right = _place(span.start, axis), _place(span.end, axis)
    return Bar(f"{left:.2f}%", f"{right - left:.2f}%", words)


def _place(time: datetime, axis: Window) -> float:
    """Where a time is on the axis [%]."""
    share = (time - axis.start).total_seconds() / axis.seconds if axis.seconds > 0 else 0.0
    return 100 * min(max(share, 0.0), 1.0)


def _ticks(axis: Window) -> Iterable[tuple[str, str]]:
    """Round times: place and label, where the labels have room."""
    ends = (axis.start, axis.end)
    shape = clock_format(ends)
    apart = _ROOM * len(axis.start.strftime(shape))
    last = -apart
    for tick in round_times(ends):
        time = datetime.fromtimestamp(tick / 1000, UTC)
        place = _place(time, axis)
        if place - last >= apart and place <= 100 - apart / 2:
            last = place
            yield f"{place:.2f}%", time.strftime(shape)
