"""What the Explore panel gets: series, thresholds of rules, events, the VM it begins with; and its page alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from esxprobe.arrays import Integers
from esxprobe.catalog.events import event_kind
from esxprobe.formats.printed_cells import CaptureCells
from esxprobe.model import Analysis, Event, Finding, GuestSeries
from esxprobe.report.drawing import Drawer
from esxprobe.report.embedding import Embedded, SurveyAhead, embedded
from esxprobe.report.events import worst_of
from esxprobe.report.formatting import number
from esxprobe.report.guest_series import guest_columns, with_guests
from esxprobe.rules import RuleBook
from esxprobe.rules.matters import SMALLEST

# So many events are marked.
_MOST_EVENTS = 2000
# Severity, threshold [unit of the counter] and rule, by `Object\Counter`.
Thresholds = dict[str, list[tuple[str, float, str]]]


@dataclass(frozen=True, slots=True)
class Layers:
    """What the panel gets besides the series of a capture.

    Attributes:
        thresholds: Of counters.
        first_vm: Group id of the VM that the panel begins with; empty for the first one.
        guests: What guests counted.
        events: Of logs, in the order of time.
    """

    thresholds: Thresholds
    first_vm: str = ""
    guests: tuple[GuestSeries, ...] = ()
    events: tuple[Event, ...] = ()


def thresholds_of(book: RuleBook) -> Thresholds:
    r"""Thresholds of rules that evaluate a counter as it is printed, by `Object\Counter`.

    Args:
        book: The rules in use.
    """
    judges = {rule: path for path, entry in SMALLEST.items() for rule in entry.rules}
    found: Thresholds = {}
    for rule in book.rules:
        path = rule.value.strip()[1:-1] if rule.names == rule.needs and len(rule.needs) == 1 else ""
        plain = rule.value.strip() == f'"{path}"' and not rule.where
        if rule.custom.disabled or rule.threshold_unit != rule.unit or not (plain or rule.id in judges):
            continue
        of_counter = found.setdefault(path if plain else judges[rule.id], [])
        of_counter += [(level.severity, float(level.threshold), rule.id) for level in rule.levels]
    return found


def first_vm(findings: Iterable[Finding]) -> str:
    """Group id of the VM that the first finding on one is about; empty where none is."""
    for finding in findings:
        for entity in (finding.owner, finding.entity):
            if entity is not None and entity.kind == "vm":
                return entity.id
    return ""


def layers_of(analysis: Analysis, book: RuleBook) -> Layers:
    """What an analysis gives to the panel, under the names that it has."""
    return Layers(thresholds_of(book), first_vm(analysis.findings), analysis.guest_counts.series, analysis.events)


def series_of_page(
    cells: CaptureCells,
    tiers: Integers | None,
    budget: int | None,
    layers: Layers,
    ahead: SurveyAhead | None = None,
) -> Embedded:
    """The series that a page carries, with the layers of its panel.

    Args:
        cells: The cells of the columns that were read.
        tiers: For each column how soon it goes, 0 the soonest.
        budget: How much of the page they may take [bytes]; None for all of them.
        layers: What the panel gets besides.
        ahead: The survey of the columns, where it was begun before.

    Raises:
        OutputError: The temporary file that holds the cells was cut off.
    """
    known = {vm.gid for vm in cells.vms}
    guests = [guest for guest in layers.guests if guest.gid in known]
    columns = guest_columns(guests, cells.times.dt.epoch("us").to_numpy() / 1e6, budget) if guests else None
    if columns is None:
        return with_layers(embedded(cells, tiers, budget, ahead), layers)
    room = None if budget is None else budget - columns.size
    made = embedded(cells, tiers, room, ahead)
    return with_layers(Embedded(with_guests(made.index, columns), (*made.chunks, columns.chunk.packed)), layers)


def with_layers(made: Embedded, layers: Layers) -> Embedded:
    """Series with the thresholds of the counters among them, events, and the VM that the panel begins with.

    Args:
        made: The series.
        layers: What the panel gets besides.
    """
    objects = made.index["objects"]
    counters = [f"{objects[obj]}\\{counter}" for obj, counter, *_ in made.index["meanings"]]
    gids = [gid for _, gid in made.index["vms"]]
    added = {
        "thresholds": {path: layers.thresholds[path] for path in counters if path in layers.thresholds},
        "first_vm": gids.index(layers.first_vm) if layers.first_vm in gids else 0,
    }
    return with_events(Embedded(made.index | added, made.chunks), layers.events)


def with_events(made: Embedded, events: Sequence[Event]) -> Embedded:
    """Series with the events that are marked beside them, in the order of time."""
    if not events:
        return made
    marked = _events(events, made.index["times"][0], [gid for _, gid in made.index["vms"]])
    return Embedded(made.index | {"events": marked}, made.chunks)


def _events(events: Sequence[Event], first_ms: int, gids: Sequence[str]) -> dict[str, Any]:
    """Events as the page marks them: the most severe ones where there are very many, in the order of time.

    Args:
        events: In the order of time.
        first_ms: Time of the first sample [ms since 1970].
        gids: Group ids of the VMs of the page.
    """
    kept = worst_of(events, _MOST_EVENTS)
    kinds = list(dict.fromkeys(event.kind for event in kept))
    place = {kind: n for n, kind in enumerate(kinds)}
    return {
        "kinds": [[event_kind(kind).noun, event_kind(kind).severity] for kind in kinds],
        "marks": [
            [
                round(event.time.timestamp() * 1000) - first_ms,
                place[event.kind],
                [
                    gids.index(each.id)
                    for each in (event.entity, *event.also)
                    if each.kind == "vm" and each.id in gids
                ],
                [
                    each.name
                    for each in (event.entity, *event.also)
                    if each.kind not in ("host", "vm") and each.name
                ],
                event.entity.name if event.entity.kind != "host" else "",
                number(event.figure, event.unit) if event.figure is not None else "",
            ]
            for event in kept
        ],
        "left_out": len(events) - len(kept),
    }


def render_explore(drawer: Drawer, series: Callable[[], Embedded], title: str, tool: str, command: str) -> str:
    """The page that is the Explore panel alone.

    Args:
        drawer: Draws nothing here.
        series: Gives the series.
        title: Its title.
        tool: Name and version of the program.
        command: The command line that made it.
    """
    from esxprobe.report.html import filled

    facts = {"title": title, "tool": tool, "command": command}
    return filled("explore.html.j2", lambda _: facts, lambda: facts, {}, drawer, series=series)
