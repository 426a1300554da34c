"""Changes in words: "%RDY from 0.4 to 12 %", and of a VM all of them in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from esxprobe import catalog
from esxprobe.model import Analysis, ChangedEntity, CounterChange, ProposedWindow
from esxprobe.report.capture_facts import is_dated
from esxprobe.report.formatting import isolated, joined, number, plural, window
from esxprobe.report.links import Links

# So many counters of one entity are named; the number of the others is given.
_NAMED = 5
# So many VMs, devices and others of one window are shown.
_THINGS = 6


def label_of(counter: str) -> str:
    r"""A counter (`Object\Counter`) as esxtop's screens call it, otherwise by its name."""
    known = catalog.find(*counter.split("\\", 1))
    return (known.label if known else "") or counter.partition("\\")[2]


def unit_of(counter: str) -> str:
    r"""Unit of a counter (`Object\Counter`), empty where it is not known."""
    known = catalog.find(*counter.split("\\", 1))
    return known.unit if known else ""


def change_words(change: CounterChange, places: int = 1, reference: str = "before") -> str:
    """One change: which counter, how it went, from what to what.

    Args:
        change: The strongest one of its counter.
        places: In how many parts of the entity the same counter changed.
        reference: When a constant value was constant.
    """
    unit = unit_of(change.counter)
    where = (
        f" ({places} {plural(places, 'instance')})" if places > 1 else f" ({change.part})" if change.part else ""
    )
    before, within = number(change.before, unit), number(change.within, unit)
    what = f"{label_of(change.counter)}{where}"
    if change.kind == "spread":
        return f"{what} spread {'more' if change.direction == 'up' else 'less'}: {before} to {within}"
    if change.constant_before:
        return f"{what} constant {before} {reference}, {within} in the window"
    return f"{what} {before} to {within}"


def changes_words(changes: Sequence[CounterChange], reference: str = "before") -> str:
    """What changed of one entity in one line: each counter once, by the part in which it changed most."""
    strongest: dict[tuple[str, str], CounterChange] = {}
    places: dict[tuple[str, str], int] = {}
    for each in changes:
        key = (each.counter, each.kind)
        strongest.setdefault(key, each)
        places[key] = places.get(key, 0) + 1
    named = [change_words(each, places[key], reference) for key, each in list(strongest.items())[:_NAMED]]
    more = len(strongest) - len(named)
    return "; ".join(named) + (f"; and {more} more {plural(more, 'counter')}" if more else "")


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A proposed window on the page.

    Attributes:
        when: In words.
        samples: End of its first sample and of its last one [s since 1970].
        changed: What changed: its name, its page (empty for none), how it changed.
        summary: Names of what changed.
        more: How many others did; empty for none.
        rules: Rules of the findings that may explain it.
    """

    when: str
    samples: tuple[float, float]
    changed: tuple[tuple[str, str, str], ...]
    summary: str
    more: str
    rules: tuple[str, ...]


def window_rows(analysis: Analysis, links: Links) -> tuple[WindowRow, ...]:
    """The proposed windows as the page shows them."""
    rows = []
    for each in analysis.windows:
        more = len(each.changed) - _THINGS
        rows.append(
            WindowRow(
                when=window_words(each, analysis),
                samples=(each.after.timestamp(), each.span.end.timestamp()),
                changed=tuple(
                    (thing.entity.name, links.to(thing.entity), changes_words(thing.changes, "otherwise"))
                    for thing in each.changed[:_THINGS]
                ),
                summary="Changed: " + joined([isolated(thing.entity.name) for thing in each.changed[:_THINGS]]),
                more=f"and {more} more {plural(more, 'thing')}, in the JSON" if more > 0 else "",
                rules=tuple(dict.fromkeys(of.rule for of in each.findings)),
            )
        )
    return tuple(rows)


def entity_words(changed: ChangedEntity) -> str:
    """What changed of a thing: "web01: %RDY 0.4 % to 12 %"."""
    entity = changed.entity
    where = entity.name if entity.kind in {"vm", "host"} else f"{entity.kind} {entity.name}"
    return f"{where}: {changes_words(changed.changes, 'otherwise')}"


def window_words(proposed: ProposedWindow, analysis: Analysis) -> str:
    """When a proposed window was."""
    capture = analysis.capture
    zone = "" if capture.timezone else " UTC"
    return window(proposed.span, dated=is_dated(analysis), timezone=capture.timezone) + zone


def explained_words(proposed: ProposedWindow) -> str:
    """Which findings were there at that time on what changed: they may explain it."""
    rules = list(dict.fromkeys(each.rule for each in proposed.findings))
    if not rules:
        return "no finding on them at that time"
    shown = joined(rules[:_NAMED])
    return f"findings on them at that time: {shown}" + (
        f" and {len(rules) - _NAMED} more" if len(rules) > _NAMED else ""
    )


def window_lines(analysis: Analysis) -> list[str]:
    """A line of each proposed window, for the terminal."""
    lines = []
    for each in analysis.windows:
        names = [changed.entity.name for changed in each.changed]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        lines.append(f"stands out: {window_words(each, analysis)}: {entity_words(each.changed[0])}{more}")
    return lines
