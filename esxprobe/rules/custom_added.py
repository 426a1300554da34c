"""Rules that a file adds: their keys, checked one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cache
from math import inf
from typing import get_args

from esxprobe.catalog import counters
from esxprobe.model import SEVERITIES, Level, Severity
from esxprobe.rules import checks, sql
from esxprobe.rules.causes import CAUSES
from esxprobe.rules.event_columns import event_names
from esxprobe.rules.record import FACTS, By, Customization, Effects, How, Part, Rule, quoted
from esxprobe.rules.sources import own_threshold
from esxprobe.rules.toml_document import TomlDocument, nearest

_TEXTS = ("title", "entity", "value", "where", "label", "unit", "only", "cause", "why", "advice", "confirm")
_KEYS = (
    *_TEXTS,
    *("check", "share", "run_s", "least", "p", "critical", "warning", "info", "source", "since", "until"),
    *("caveats", "optional", "implies", "host_wide", "silence", "parts"),
)
_PART_KEYS = ("name", "kind", "how", "value", "where", "by", "only")
# Combinators, with the keys that each of them takes.
_CHECKS: dict[str, tuple[Callable[..., checks.Check], tuple[str, ...]]] = {
    "sustained_above": (checks.sustained_above, ("share", "run_s", "least")),
    "sustained_below": (checks.sustained_below, ("share", "run_s", "least")),
    "any_above": (checks.any_above, ()),
    "any_below": (checks.any_below, ()),
    "mean_above": (checks.mean_above, ()),
    "changes": (checks.changes, ()),
    "rises": (checks.rises, ()),
    "time_share": (checks.time_share, ()),
    "episodes": (checks.episodes, ()),
    "total": (checks.total, ()),
    "trend_rising": (checks.trend_rising, ("p",)),
}
# Objects whose counters an entity of a kind has.
OBJECTS: dict[str, tuple[str, ...]] = {
    "host": ("Memory", "Physical Cpu", "Physical Cpu Load", "Power", "VSAN"),
    "pcpu": ("Physical Cpu", "PCPU Power State"),
    "vm": ("Group Cpu", "Group Memory"),
    "group": ("Group Cpu", "Group Memory"),
    "vcpu": ("Vcpu",),
    "world": ("Vcpu",),
    "adapter": ("Physical Disk Adapter",),
    "device": ("Physical Disk SCSI Device",),
    "path": ("Physical Disk Path",),
    "nfs-volume": ("Physical Disk NFS Volume",),
    "device-world": ("Physical Disk Per-Device-Per-World",),
    "partition": ("Physical Disk Partition",),
    "disk": ("Physical Disk",),
    "vdisk": ("Virtual Disk",),
    "vm-disks": ("Virtual Disk",),
    "port": ("Network Port",),
    "rdma": ("RDMA Device",),
    "interrupt": ("Interrupt Cookie",),
    "vsan-role": ("VSAN",),
}


@cache
def counters_of(kind: str) -> tuple[str, ...]:
    r"""Counters (`Object\Counter`) with numbers that an entity of this kind can have."""
    return tuple(c.path for c in counters() if c.object in OBJECTS[kind] and c.kind == "number")


def added(document: TomlDocument, rule_id: str, book: Collection[str]) -> Rule:
    """The rule that a file adds under this id.

    Raises:
        UsageError: A key is missing, unknown, or not as it should be.
    """
    where = ("add", rule_id)
    if not re.fullmatch(r"[a-z]+(-[a-z]+)+", rule_id):
        document.fail(where, "an id is two or more lower-case words with hyphens between, as slow-reads")
    document.only_known(where, document.value(where), _KEYS)
    entity = _one_of(document, (*where, "entity"), OBJECTS)
    parts = _parts(document, where)
    value, condition = document.text((*where, "value")), document.text((*where, "where"), "")
    named = quoted(f"{value} {condition}")
    known = {*counters_of(entity), *FACTS, *event_names(named), *(part.name for part in parts)}
    _checked(document, (*where, "value"), value, known)
    _checked(document, (*where, "where"), condition, known, condition=True)
    check = _check(document, where)
    for name in document.texts((*where, "implies")):
        if name not in book:
            document.fail((*where, "implies"), f"no rule is called {name!r}", nearest(name, book))
    if document.flag((*where, "host_wide")) and entity != "host":
        document.fail((*where, "host_wide"), f"a {entity} is not the whole host", 'only with entity = "host"')
    cause = document.text((*where, "cause"), "own")
    if cause not in (keys := [each.key for each in CAUSES]):
        document.fail((*where, "cause"), f"no cause is called {cause!r}", nearest(cause, keys))
    title = document.text((*where, "title"))
    return Rule(
        id=rule_id,
        title=title,
        entity=entity,
        value=value,
        label=document.text((*where, "label"), value),
        unit=document.text((*where, "unit"), ""),
        levels=_levels(document, where, above=check.above),
        check=check,
        cause=cause,
        why=document.text((*where, "why"), f"{title}."),
        advice=document.text((*where, "advice"), "The author of the rule gave no advice."),
        fires=(),
        quiet=(),
        caveats=document.texts((*where, "caveats")),
        optional=document.texts((*where, "optional")),
        only=_pattern(document, (*where, "only")),
        parts=parts,
        where=condition,
        since=_release(document, (*where, "since")),
        until=_release(document, (*where, "until")),
        effects=Effects(
            implies=document.texts((*where, "implies")), host_wide=document.flag((*where, "host_wide"))
        ),
        confirm=document.text((*where, "confirm"), ""),
        custom=Customization(document.texts((*where, "silence")), origin=f"added by {document.place(where)}"),
    )


def _levels(document: TomlDocument, where: tuple[str, str], *, above: bool) -> tuple[Level, ...]:
    """The levels of a rule that is added, worst first; at least one."""
    source = document.text((*where, "source"), "")
    levels = []
    severity: Severity
    for severity in SEVERITIES:
        threshold = document.number((*where, severity))
        if threshold is not None:
            words = source or "no source given"
            place = document.place((*where, severity))
            levels.append(Level(severity, threshold, own_threshold(f"own rule ({place}): {words}")))
    if not levels:
        document.fail(where, "it has no threshold", f"give at least one of {', '.join(SEVERITIES)}")
    document.in_order(where, levels, above=above)
    return tuple(levels)


def _parts(document: TomlDocument, where: tuple[str, str]) -> tuple[Part, ...]:
    given = document.value((*where, "parts"))
    if given is None:
        return ()
    if not isinstance(given, list):
        document.fail((*where, "parts"), "expected tables", f"write [[add.{where[1]}.parts]]")
    made: list[Part] = []
    for n, table in enumerate(given):
        path = (*where, "parts", n)
        document.only_known(path, table, _PART_KEYS)
        kind = _one_of(document, (*path, "kind"), OBJECTS)
        how: How = _one_of(document, (*path, "how"), get_args(How))  # type: ignore[assignment]
        by: By = _one_of(document, (*path, "by"), get_args(By), "")  # type: ignore[assignment]
        value = document.text((*path, "value"), "" if how == "count" else None)
        condition = document.text((*path, "where"), "")
        _checked(document, (*path, "value"), value, counters_of(kind))
        _checked(document, (*path, "where"), condition, counters_of(kind), condition=True)
        name = document.text((*path, "name"))
        if name in (each.name for each in made) or '"' in name or "\\" in name:
            document.fail((*path, "name"), f"{name!r} must be a unique name without quotes and backslashes")
        made.append(Part(name, kind, how, value, condition, by, _pattern(document, (*path, "only"))))
    return tuple(made)


def _check(document: TomlDocument, where: tuple[str, str]) -> checks.Check:
    name = _one_of(document, (*where, "check"), _CHECKS, "sustained_above")
    make, takes = _CHECKS[name]
    given: dict[str, float] = {}
    for key in ("share", "run_s", "least", "p"):
        number = document.number((*where, key))
        if number is None:
            continue
        if key not in takes:
            document.fail((*where, key), f"{name} takes no {key}", f"it takes {', '.join(takes) or 'nothing'}")
        top = 1.0 if key in ("share", "p") else inf
        if not 0 < number <= top:
            document.fail(
                (*where, key), f"expected more than 0{' and at most 1' if top == 1 else ''}, not {number:g}"
            )
        given[key] = int(number) if key == "least" else number
    return make(**given)


def _checked(
    document: TomlDocument,
    path: tuple[str | int, ...],
    text: str,
    known: Collection[str],
    *,
    condition: bool = False,
) -> None:
    if text:
        what, hint = sql.complaint(text, known, condition=condition)
        if what:
            document.fail(path, what, hint)


def _one_of(
    document: TomlDocument, path: tuple[str | int, ...], known: Collection[str], default: str | None = None
) -> str:
    found = document.text(path, default)
    if found not in known:
        document.fail(path, f"{found!r} is not known here", nearest(found, [each for each in known if each]))
    return found


def _pattern(document: TomlDocument, path: tuple[str | int, ...]) -> str:
    """A regular expression, as the engine that runs it understands it."""
    import polars as pl

    found = document.text(path, "")
    try:
        pl.Series([""]).str.contains(found)
    except pl.exceptions.PolarsError as error:
        document.fail(path, f"{found!r} is not a valid regular expression: {str(error).splitlines()[-1].strip()}")
    return found


def _release(document: TomlDocument, path: tuple[str | int, ...]) -> str:
    found = document.text(path, "")
    if found and not re.fullmatch(r"\d+(\.\d+)*", found):
        document.fail(path, f"{found!r} is not a valid release", 'write it in quotes, as "6.5" or "7.0.3"')
    return found
