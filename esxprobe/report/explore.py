"""What the Explore panel gets besides series: thresholds of rules, the VM it begins with; and its page alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from esxprobe.model import Finding
from esxprobe.report.drawing import Drawer
from esxprobe.report.embedding import Embedded
from esxprobe.rules import RuleBook
from esxprobe.rules.matters import SMALLEST

# Severity, threshold [unit of the counter] and rule, by `Object\Counter`.
Thresholds = dict[str, list[tuple[str, float, str]]]


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


def with_layers(made: Embedded, thresholds: Thresholds, first: str) -> Embedded:
    """Series with the thresholds of the counters among them, and the VM that the panel begins with.

    Args:
        made: The series.
        thresholds: Of all counters.
        first: Group id of that VM; empty for the first one.
    """
    objects = made.index["objects"]
    counters = [f"{objects[obj]}\\{counter}" for obj, counter, *_ in made.index["meanings"]]
    gids = [gid for _, gid in made.index["vms"]]
    layers = {
        "thresholds": {path: thresholds[path] for path in counters if path in thresholds},
        "first_vm": gids.index(first) if first in gids else 0,
    }
    return Embedded(made.index | layers, made.chunks)


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
