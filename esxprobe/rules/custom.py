r"""Rules of one's own: a TOML file that changes, silences and disables shipped rules, and adds others.

    [change.cpu-ready]          # a shipped rule
    warning = 7                 # a threshold, in the rule's unit
    source = "our SLA of 2026"  # where the number comes from
    silence = ["test-*"]        # names or ids (shell patterns) that give no finding
    disable = false

    [add.slow-reads]            # a rule that is not in the book; see docs/own-rules.md for all keys
    title = "Reads of a virtual disk are slow"
    entity = "vdisk"
    value = '"Virtual Disk\Average MilliSec/Read"'
    unit = "ms"
    check = "sustained_above"
    warning = 20

Every complaint names the file, the line, the key, what was expected and the nearest known name.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

from esxprobe.errors import UsageError
from esxprobe.files.reading import toml_text
from esxprobe.model import SEVERITIES, Deviation, Level
from esxprobe.rules import RuleBook, bound, shipped
from esxprobe.rules.custom_added import added
from esxprobe.rules.record import Customization, Rule
from esxprobe.rules.sources import own_threshold
from esxprobe.rules.toml_document import TomlDocument, nearest

_CHANGES = (*SEVERITIES, "source", "silence", "disable")


def load_book(path: Path) -> RuleBook:
    """The shipped book with a file's changes and additions.

    Raises:
        UsageError: The file cannot be read, or something in it is not as it should be; the message names the line.
    """
    text = toml_text(path, "--rules wants a TOML file")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line = place[1] if place and place[1] else str(len(text.splitlines()))
        raise UsageError(
            f"{path.name}:{line}: no valid TOML: {error}",
            hint="text must be in double quotes, SQL in single quotes",
        ) from error
    document = TomlDocument(path.name, text, data)
    document.only_known((), data, ("change", "add"))
    rules = {rule.id: rule for rule in shipped().rules}
    deviations: list[Deviation] = []
    for rule_id in document.table(("change",)):
        where = ("change", rule_id)
        if rule_id not in rules:
            document.fail(where, "no shipped rule is called so", nearest(rule_id, rules))
        rules[rule_id], made = _changed(document, where, rules[rule_id])
        deviations += made
    for rule_id in document.table(("add",)):
        where = ("add", rule_id)
        if rule_id in rules:
            document.fail(where, "the book has a rule of this id", "change it under [change], or choose another id")
        rules[rule_id] = added(document, rule_id, rules)
        deviations.append(Deviation(rule_id, "added", rules[rule_id].title, document.place(where)))
    return bound(rules.values(), tuple(deviations))


def _changed(document: TomlDocument, where: tuple[str, str], rule: Rule) -> tuple[Rule, list[Deviation]]:
    """A shipped rule with what the file says of it, and each change as a deviation."""
    document.only_known(where, document.value(where), _CHANGES)
    levels, made = _levels(document, where, rule)
    silence, disabled = document.texts((*where, "silence")), ""
    if silence:
        place = document.place((*where, "silence"))
        made.append(Deviation(rule.id, "silenced", f"for {', '.join(silence)}", place))
    if document.flag((*where, "disable")):
        place = document.place((*where, "disable"))
        disabled = f"disabled by {place}"
        made.append(Deviation(rule.id, "disabled", rule.title, place))
    if not made:
        return rule, []
    origin = f"changed by {document.place(where)}"
    return replace(rule, levels=levels, custom=Customization(silence, disabled, origin)), made


def _levels(
    document: TomlDocument, where: tuple[str, str], rule: Rule
) -> tuple[tuple[Level, ...], list[Deviation]]:
    has = {level.severity: level for level in rule.levels}
    source = document.text((*where, "source"), "")
    made = []
    for severity in SEVERITIES:
        path = (*where, severity)
        threshold = document.number(path)
        if threshold is None:
            continue
        if severity not in has:
            document.fail(path, "the rule has no such level", f"it has {', '.join(has)}")
        old, unit = has[severity], rule.threshold_unit
        was = f"{old.threshold:g} {unit}".strip()
        if threshold == old.threshold:
            continue
        place = document.place(path)
        words = source or "no source given"
        has[severity] = Level(
            severity, threshold, own_threshold(f"own threshold ({place}): {words}; shipped: {was}")
        )
        made.append(
            Deviation(rule.id, "threshold", f"{severity} {f'{threshold:g} {unit}'.strip()} instead of {was}", place)
        )
    levels = tuple(has.values())
    document.in_order(where, levels, above=rule.check.above)
    return levels, made
