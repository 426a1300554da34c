"""Rules of one's own: a TOML file that changes, silences and disables shipped rules, and adds others.

    [change.cpu-ready]          # a shipped rule
    warning = 7                 # a threshold, in the rule's unit
    source = "our SLA of 2026"  # where the number comes from
    silence = ["test-*"]        # names or ids (shell patterns) that give no finding
    disable = false

    [add.slow-reads]            # a rule that is not in the book; see docs/own-rules.md for all keys
    title = "Reads of a virtual disk are slow"
    entity = "vdisk"
    value = '"Virtual Disk\\Average MilliSec/Read"'
    unit = "ms"
    check = "sustained_above"
    warning = 20

Every complaint names the file, the line, the key, what was expected and the nearest known name.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from esxprobe.errors import UsageError
from esxprobe.model import SEVERITIES, Deviation, Level, Severity
from esxprobe.rules import RuleBook, bound, shipped
from esxprobe.rules.record import Rule
from esxprobe.rules.toml_lines import line_of

_CHANGES = (*SEVERITIES, "source", "silence", "disable")


def load_book(path: Path) -> RuleBook:
    """The shipped book with a file's changes and additions.

    Raises:
        UsageError: The file cannot be read, or something in it is not as it should be; the message names the line.
    """
    from esxprobe.rules.own_added import added

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be read: {reason}", hint="--rules wants a TOML file") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = place[1] if place and place[1] else str(len(text.splitlines()))
        raise UsageError(
            f"{path.name}:{line}: no valid TOML: {error}", hint="text stands in quotes, SQL in single ones"
        ) from error
    said = Said(path.name, text, data)
    said.only_known((), data, ("change", "add"))
    rules = {rule.id: rule for rule in shipped().rules}
    deviations: list[Deviation] = []
    for rule_id in said.table(("change",)):
        where = ("change", rule_id)
        if rule_id not in rules:
            said.fail(where, "no shipped rule is called so", nearest(rule_id, rules))
        rules[rule_id], made = _changed(said, where, rules[rule_id])
        deviations += made
    for rule_id in said.table(("add",)):
        where = ("add", rule_id)
        if rule_id in rules:
            said.fail(where, "the book has a rule of this id", "change it under [change], or choose another id")
        rules[rule_id] = added(said, rule_id, rules)
        deviations.append(Deviation(rule_id, "added", rules[rule_id].title, said.place(where)))
    return bound(rules.values(), tuple(deviations))


class Said:
    """A rules file: its values by path, and complaints that name the line."""

    def __init__(self, name: str, text: str, data: dict[str, Any]) -> None:
        self._name, self._text, self._data = name, text, data

    def place(self, path: Sequence[str | int]) -> str:
        """File and line of a key."""
        return f"{self._name}:{line_of(self._text, path)}"

    def fail(self, path: Sequence[str | int], what: str, hint: str = "") -> NoReturn:
        """Complains about a key.

        Raises:
            UsageError: Always.
        """
        dotted = ".".join(str(step) for step in path)
        raise UsageError(f"{self.place(path)}: {dotted}: {what}", hint=hint)

    def value(self, path: Sequence[str | int]) -> Any:
        """What stands there, None for nothing."""
        found: Any = self._data
        for step in path:
            found = found.get(step) if isinstance(found, dict) else found[step]
            if found is None:
                return None
        return found

    def table(self, path: Sequence[str | int]) -> dict[str, Any]:
        """The table there, empty for nothing."""
        found = self.value(path)
        if found is None:
            return {}
        if not isinstance(found, dict):
            self.fail(path, f"expected a table, not {found!r}", f"write [{'.'.join(map(str, path))}.RULE-ID]")
        return found

    def only_known(self, path: Sequence[str | int], table: Any, known: Collection[str]) -> None:
        """Complains about keys that mean nothing."""
        if not isinstance(table, dict):
            self.fail(path, f"expected a table, not {table!r}", f"write [{'.'.join(map(str, path))}]")
        for key in table:
            if key not in known:
                self.fail((*path, key), "this key means nothing here", nearest(key, known))

    def number(self, path: Sequence[str | int]) -> float | None:
        """A finite number, None for nothing."""
        found = self.value(path)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            self.fail(path, f"expected a number, not {found!r}")
        return float(found)

    def text(self, path: Sequence[str | int], default: str | None = None) -> str:
        """A text; without a default it must be there."""
        found = self.value(path)
        if found is None and default is not None:
            return default
        if found is None:
            self.fail(path, "this key is missing")
        if not isinstance(found, str) or (default is None and not found.strip()):
            self.fail(path, f"expected a text in quotes, not {found!r}")
        return found

    def texts(self, path: Sequence[str | int]) -> tuple[str, ...]:
        """A list of texts, empty for nothing."""
        found = self.value(path)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
            self.fail(path, f'expected a list of texts, as ["a", "b"], not {found!r}')
        return tuple(found)

    def flag(self, path: Sequence[str | int]) -> bool:
        """True or false; false for nothing."""
        found = self.value(path)
        if found is not None and not isinstance(found, bool):
            self.fail(path, f"expected true or false, not {found!r}")
        return bool(found)

    def in_order(self, path: Sequence[str | int], levels: Sequence[Level], *, above: bool) -> None:
        """Complains about a worse level that is reached before a milder one."""
        for worse, milder in pairwise(levels):
            beyond = worse.threshold > milder.threshold if above else worse.threshold < milder.threshold
            if not beyond:
                side = "above" if above else "below"
                key = worse.severity if self.value((*path, worse.severity)) is not None else milder.severity
                self.fail(
                    (*path, key),
                    f"{worse.severity} {worse.threshold:g} must lie {side} {milder.severity} {milder.threshold:g}",
                )


def _changed(said: Said, where: tuple[str, str], rule: Rule) -> tuple[Rule, list[Deviation]]:
    """A shipped rule with what the file says of it, and each change as a deviation."""
    said.only_known(where, said.value(where), _CHANGES)
    levels, made = _levels(said, where, rule)
    silence, disabled = said.texts((*where, "silence")), ""
    if silence:
        place = said.place((*where, "silence"))
        made.append(Deviation(rule.id, "silenced", f"for {', '.join(silence)}", place))
    if said.flag((*where, "disable")):
        place = said.place((*where, "disable"))
        disabled = f"disabled by {place}"
        made.append(Deviation(rule.id, "disabled", rule.title, place))
    if not made:
        return rule, []
    origin = f"changed by {said.place(where)}"
    return replace(rule, levels=levels, silence=silence, disabled=disabled, origin=origin), made


def _levels(said: Said, where: tuple[str, str], rule: Rule) -> tuple[tuple[Level, ...], list[Deviation]]:
    has = {level.severity: level for level in rule.levels}
    source = said.text((*where, "source"), "")
    made = []
    for severity in SEVERITIES:
        path = (*where, severity)
        threshold = said.number(path)
        if threshold is None:
            continue
        if severity not in has:
            said.fail(path, "the rule has no such level", f"it has {', '.join(has)}")
        old, unit = has[severity], rule.threshold_unit
        was = f"{old.threshold:g} {unit}".strip()
        if threshold == old.threshold:
            continue
        place = said.place(path)
        words = source or "no source given"
        has[severity] = Level(severity, threshold, f"own threshold ({place}): {words}; shipped: {was}")
        made.append(
            Deviation(rule.id, "threshold", f"{severity} {f'{threshold:g} {unit}'.strip()} instead of {was}", place)
        )
    levels = tuple(has.values())
    said.in_order(where, levels, above=rule.check.above)
    return levels, made


def levels_of(said: Said, where: tuple[str, str], *, above: bool) -> tuple[Level, ...]:
    """The levels of a rule that is added, worst first; at least one."""
    source = said.text((*where, "source"), "")
    levels = []
    severity: Severity
    for severity in SEVERITIES:
        threshold = said.number((*where, severity))
        if threshold is not None:
            words = source or "no source given"
            levels.append(Level(severity, threshold, f"own rule ({said.place((*where, severity))}): {words}"))
    if not levels:
        said.fail(where, "it has no threshold", f"give at least one of {', '.join(SEVERITIES)}")
    said.in_order(where, levels, above=above)
    return tuple(levels)


def nearest(name: str, known: Collection[str]) -> str:
    """A hint with the known names nearest to this one, or all of them where they are few."""
    if len(known) <= 8:
        return f"known are {', '.join(known)}"
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.4)
    if near:
        return f"did you mean {', '.join(near)}?"
    return f"known are {', '.join(known)}" if len(known) <= 25 else "`esxprobe rules list` shows them all"
