"""Events of logs in words: those that belong to a finding, the table of all, and marks on charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from esxprobe.catalog.events import event_kind
from esxprobe.model import Analysis, Entity, Event, Finding, NamedEvents, worst_first
from esxprobe.report.capture_facts import is_dated
from esxprobe.report.formatting import isolated, joined, moment, number, plural
from esxprobe.report.links import Links

# Events in the table, and in the JSON document; the worst where there are more.
_ROWS, MOST_IN_DOCUMENT = 500, 5_000
_NAMED = 3
_NO_NAME = ("host", "capture")


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event; `anchor` leads to the page of what it is about."""

    time: str
    severity: str
    what: str
    entity: str
    anchor: str
    figure: str
    line: str
    file: str


@dataclass(frozen=True, slots=True)
class EventPanel:
    """The section on events; `logs` are name, format, lines, events and what was left out."""

    summary: str
    rows: tuple[EventRow, ...]
    hidden: str
    logs: tuple[tuple[str, ...], ...]


def event_panel(analysis: Analysis, links: Links) -> EventPanel | None:
    """The section on events; None where no log was given."""
    if not analysis.event_logs:
        return None
    shown = worst_of(analysis.events, _ROWS)
    more = len(analysis.events) - len(shown)
    dated = is_dated(analysis)
    return EventPanel(
        summary=_summary(analysis),
        rows=tuple(_row(event, links, dated=dated) for event in shown),
        hidden=f"{more:,} more of less severity or later are not shown." if more else "",
        logs=tuple(
            (log.file.name, log.format, f"{log.lines:,}", f"{log.events:,}", f"{log.outside:,}", f"{log.unread:,}")
            for log in analysis.event_logs
        ),
    )


def worst_of(events: Sequence[Event], most: int) -> Sequence[Event]:
    """The events in order of time; of more than so many the worst."""
    if len(events) <= most:
        return events
    numbered = sorted(range(len(events)), key=lambda n: (worst_first(events[n].severity), n))[:most]
    return [events[n] for n in sorted(numbered)]


def _summary(analysis: Analysis) -> str:
    logs, events = analysis.event_logs, analysis.events
    lines = sum(log.lines for log in logs)
    read = f"{lines:,} lines of {len(logs):,} {plural(len(logs), 'log')}"
    if not events:
        return f"No event of a known kind in the captured time in {read}."
    counts = Counter(event.kind for event in events)
    kinds = sorted(counts, key=lambda kind: (worst_first(event_kind(kind).severity), -counts[kind]))
    shown = kinds if len(kinds) <= _NAMED + 1 else kinds[:_NAMED]  # to count a single one takes no less room
    rest = sum(counts[kind] for kind in kinds[len(shown) :])
    others = [f"{rest:,} of other kinds"] if rest else []
    named = joined([*(counted(kind, counts[kind]) for kind in shown), *others])
    return f"{len(events):,} {plural(len(events), 'event')} in {read}: {named}."


def _row(event: Event, links: Links, *, dated: bool) -> EventRow:
    return EventRow(
        time=moment(event.time, dated=dated),
        severity=event.severity,
        what=event_kind(event.kind).noun,
        entity=_name(event.entity) or "the host",
        anchor=_anchor(event.entity, links),
        figure=number(event.figure, event.unit) if event.figure is not None else "",
        line=event.line,
        file=event.file,
    )


def _anchor(entity: Entity, links: Links) -> str:
    if entity.kind == "vm":
        return links.to_vm(entity.id)
    return links.devices.get(entity.name, "") if entity.kind == "device" else ""


def _name(entity: Entity) -> str:
    return "" if entity.kind in _NO_NAME else isolated(entity.name)


def counted(kind: str, count: int) -> str:
    """So many events of a kind: `3 path failures`."""
    found = event_kind(kind)
    return f"{count:,} {found.noun if count == 1 else found.plural}"


def named_in_words(named: NamedEvents, *, dated: bool = False) -> str:
    """`3 path failures of vmhba1:C0:T0:L1 between 09:39:50 and 09:40:10 UTC`."""
    of = f" of {name}" if (name := _name(named.entity)) else ""
    first, last = moment(named.first, dated=dated), moment(named.last, dated=dated)
    when = f"at {first}" if first == last else f"between {first} and {last}"
    most = f", up to {number(named.figure, named.unit)}" if named.figure is not None else ""
    return f"{counted(named.kind, named.count)}{of} {when} UTC{most}"


def events_of(analysis: Analysis, findings: Iterable[Finding]) -> list[NamedEvents]:
    """The events of findings, those that bear one out first."""
    events = [each for finding in findings for each in analysis.finding_events.get(finding.key, ())]
    return sorted(events, key=lambda each: not each.bears_out)


def events_in_words(analysis: Analysis, findings: Iterable[Finding]) -> str:
    """The events of findings, the first few kinds; empty where there are none."""
    dated = is_dated(analysis)
    told = dict.fromkeys(named_in_words(each, dated=dated) for each in events_of(analysis, findings))
    shown = list(told)[:_NAMED]
    more = f" and {len(told) - len(shown)} more kinds" if len(told) > len(shown) else ""
    return "; ".join(shown) + more
