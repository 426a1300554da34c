"""The summary of many captures as one HTML file: links to their reports, and what only several hosts can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from esxprobe.catalog.events import event_kind
from esxprobe.model import SEVERITIES, Severity
from esxprobe.model.fleet import CaptureOutcome, EventCounts, Figure, Fleet, SlowDevice, TraveledVm, VmStay
from esxprobe.report.fleet_timeline import FleetTimeline, fleet_timeline, worst_hosts
from esxprobe.report.formatting import isolated, moment, number, plural
from esxprobe.report.html import asset, environment, policy_of
from esxprobe.report.part import asked_of_many

# FleetTable of a table before the rest is counted; the JSON has them all.
ROWS = 200
_NAMED = 8
_SPREADS = {
    "all": "slow on all hosts that use it: check the array and its fabric",
    "some-hosts": "slow on some of the hosts that use it: check what those hosts share (switch, array port, load)",
    "one-host": "slow on one host only: check its paths, HBA and queue",
    "not-together": "no other host used it at the same time, so no comparison is possible",
    "alone": "only one host sees it, so no comparison is possible",
}


@dataclass(frozen=True, slots=True)
class FleetTable:
    """A table: its rows, and how many are not shown."""

    rows: tuple[tuple[str, ...], ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class CaptureLine:
    """A capture in the list; `link` is empty when there is no report."""

    source: str
    host: str
    link: str
    window: str
    worst: str
    counts: tuple[str, ...]
    samples: str
    state: str
    hint: str


@dataclass(frozen=True, slots=True)
class HostLine:
    """A host beside the others; a value is marked where it is far from theirs."""

    host: str
    worst: str
    captures: str
    values: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class FleetPage:
    """Everything on the page, in order."""

    verdict: tuple[str, ...]
    worst: str
    counts: tuple[tuple[Severity, int], ...]
    timeline: FleetTimeline
    captures: tuple[CaptureLine, ...]
    rules: FleetTable
    entities: FleetTable
    events: FleetTable
    figures: tuple[str, ...]
    hosts: tuple[HostLine, ...]
    odd: FleetTable
    devices: FleetTable
    traveled: FleetTable
    command: str
    tool: str


def render_fleet_html(fleet: Fleet, command: str = "") -> str:
    """The summary of many captures.

    Args:
        fleet: What to show.
        command: The command line that made it, shown as provenance.
    """
    from markupsafe import Markup

    css, script = asset("report.css"), asset("report.js")
    return (
        environment()
        .get_template("fleet.html.j2")
        .render(
            page=fleet_page(fleet, command),
            css=Markup(css),  # noqa: S704 - ours, like the script
            script=Markup(script),  # noqa: S704
            policy=policy_of(css, [script]),
        )
    )


def fleet_page(fleet: Fleet, command: str = "") -> FleetPage:
    """The page of a fleet."""
    digests = [each.digest for each in fleet.outcomes if each.digest is not None]
    counts = tuple((level, sum(digest.count(level) for digest in digests)) for level in SEVERITIES)
    figures = {figure.key: figure for figure in fleet.figures}
    return FleetPage(
        verdict=_verdict(fleet),
        worst=next((level for level, count in counts if count), "none"),
        counts=counts,
        timeline=fleet_timeline(fleet),
        captures=tuple(_capture(each) for each in fleet.outcomes),
        rules=_rows(
            [
                (each.severity, each.rule, each.title, f"{each.findings:,}", _labels(fleet, each.captures))
                for each in fleet.by_rule
            ]
        ),
        entities=_rows(
            [
                (
                    each.severity,
                    isolated(each.name),
                    each.kind,
                    f"{each.findings:,}",
                    ", ".join(each.rules),
                    _labels(fleet, each.captures),
                )
                for each in fleet.by_entity
            ]
        ),
        events=_rows([_event_row(fleet, each) for each in fleet.by_event]),
        figures=tuple(f"{each.label} [{each.unit}]" if each.unit else each.label for each in fleet.figures),
        hosts=_hosts(fleet),
        odd=_rows(
            [
                (
                    isolated(each.host),
                    figures[each.figure].label,
                    _value(each.value, figures[each.figure]),
                    _value(each.median, figures[each.figure]),
                )
                for each in fleet.odd
            ]
        ),
        devices=_rows([_device(each) for each in fleet.slow_devices]),
        traveled=_rows([_traveled(each) for each in fleet.traveled]),
        command=command,
        tool=f"esxprobe {fleet.tool_version}",
    )


def _event_row(fleet: Fleet, each: EventCounts) -> tuple[str, ...]:
    other_day = each.first.date() != each.last.date()
    when = f"{moment(each.first, dated=True)} – {moment(each.last, dated=other_day)}"
    what = event_kind(each.kind).plural
    return each.severity, what, f"{each.events:,}", when, _labels(fleet, each.captures)


def _verdict(fleet: Fleet) -> tuple[str, ...]:
    failed = sum(each.digest is None for each in fleet.outcomes)
    total = len(fleet.outcomes)
    sentences = [_first(fleet)] if fleet.hosts else []
    sentences.append(
        f"{total - failed:,} of {total:,} {plural(total, 'capture')} of {len(fleet.hosts):,} "
        f"{plural(len(fleet.hosts), 'host')} judged."
    )
    if window := asked_of_many(each.digest.part for each in fleet.outcomes if each.digest):
        sentences.append(f"Only a part of each capture was analyzed: {window}.")
    if failed:
        sentences.append(f"{failed:,} could not be analyzed. The list shows the reasons.")
    if fleet.by_rule:
        first = fleet.by_rule[0]
        sentences.append(
            f"Of the worst findings {first.rule} ({first.title}) is the most common: in {len(first.captures):,} "
            f"{plural(len(first.captures), 'capture')}."
        )
    elif failed < total:
        sentences.append("No rule found anything.")
    if fleet.odd:
        odd = len({each.host for each in fleet.odd})
        verb = "differs" if odd == 1 else "differ"
        sentences.append(f"{odd:,} {plural(odd, 'host')} {verb} from the others: see hosts side by side.")
    return tuple(sentences)


def _first(fleet: Fleet) -> str:
    """How many hosts have a critical cause, and where to look first."""
    hosts, total = worst_hosts(fleet), f"{len(fleet.hosts):,} {plural(len(fleet.hosts), 'host')}"
    if not hosts:
        return f"None of {total} had a likely cause worse than info."
    critical = sum(row.causes[0].severity == "critical" for row in hosts)
    count = f"{critical:,} of {total} had a critical cause"
    if not critical:
        count = f"None of {total} had a critical cause, {len(hosts):,} had one that is a warning"
    row, cause = hosts[0], hosts[0].causes[0]
    where = "" if cause.entity.kind == "host" else f", {isolated(cause.entity.name)}"
    return f"{count}: start with {isolated(row.host)} ({cause.title}{where})."


def _capture(each: CaptureOutcome) -> CaptureLine:
    digest = each.digest
    if digest is None or each.failure is not None:
        failure = each.failure
        sentences = (failure.message, failure.hint) if failure else ("not analyzed", "")
        return CaptureLine(isolated(each.source), "–", "", "–", "", ("–",) * len(SEVERITIES), "–", *sentences)
    started, ended = digest.started, digest.ended
    other_day = digest.date_known and started is not None and ended is not None and started.date() != ended.date()
    window = "–"  # of a single sample it is unknown when it began
    if started is not None and ended is not None:
        window = f"{moment(started, dated=digest.date_known)} – {moment(ended, dated=other_day)}"
    state = (
        "whole" if not digest.doubts else (f"{digest.doubts} {plural(digest.doubts, 'kind')} of damage or warning")
    )
    return CaptureLine(
        source=isolated(each.source),
        host=isolated(each.label),
        link=quote(each.report),
        window=window if digest.date_known else f"{window}, date unknown",
        worst=digest.worst or "none",
        counts=tuple(f"{digest.count(level):,}" for level in SEVERITIES),
        samples=f"{digest.judged:,}",
        state=state,
        hint="",
    )


def _hosts(fleet: Fleet) -> tuple[HostLine, ...]:
    odd = {(each.host, each.figure) for each in fleet.odd}
    return tuple(
        HostLine(
            isolated(row.host),
            row.worst or "none",
            f"{len(row.captures):,}",
            tuple((_bare(value), (row.host, key) in odd) for key, value in row.figures),
        )
        for row in fleet.hosts
    )


def _device(each: SlowDevice) -> tuple[str, ...]:
    def told(hosts: Sequence[tuple[str, float | None]]) -> str:
        return _some([f"{isolated(host)} {number(value, 'ms')}" for host, value in hosts])

    return each.device, _SPREADS[each.spread], told(each.slow), told(each.fine), _some(list(each.unused))


def _traveled(each: TraveledVm) -> tuple[str, ...]:
    says = "moved" if each.moved else "on several hosts at once: several VMs of one name, or clocks that differ"
    return isolated(each.name), says, _some([_stay(host, stay) for host, stay in each.stays])


def _stay(host: str, stay: VmStay) -> str:
    return f"{isolated(host)} ({moment(stay.first)} – {moment(stay.last, dated=_other_day(stay))})"


def _other_day(stay: VmStay) -> bool:
    return stay.first is None or stay.last is None or stay.first.date() != stay.last.date()


def _value(value: float, figure: Figure) -> str:
    return number(value, figure.unit)


def _bare(value: float | None) -> str:
    return number(value)


def _labels(fleet: Fleet, captures: Sequence[int]) -> str:
    return _some(list(dict.fromkeys(isolated(fleet.outcomes[each].label) for each in captures)))


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "") if names else "–"


def _rows(rows: list[tuple[str, ...]]) -> FleetTable:
    return FleetTable(tuple(rows[:ROWS]), max(0, len(rows) - ROWS))
