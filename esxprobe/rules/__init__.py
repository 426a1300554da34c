"""The rule book: what is judged, at which thresholds, where each number comes from.

A rule is one file in `rules/book/` holding one `RULE` record; it is found by being there.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache

from esxprobe.errors import UnknownRuleError
from esxprobe.rules.record import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    from esxprobe.rules import book

    names = sorted(module.name for module in pkgutil.iter_modules(book.__path__))
    rules = (importlib.import_module(f"{book.__name__}.{name}").RULE for name in names)
    return tuple(sorted(rules, key=lambda rule: rule.id))


def find_rule(rule_id: str) -> Rule:
    """The rule with this id.

    Raises:
        UnknownRuleError: There is none; the hint names the nearest ids.
    """
    for rule in all_rules():
        if rule.id == rule_id:
            return rule
    near = difflib.get_close_matches(rule_id, [rule.id for rule in all_rules()], n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(near)}?" if near else "`esxprobe rules list` shows them all"
    raise UnknownRuleError(f"no rule is called {rule_id!r}", hint=hint)


def needs_by_kind() -> dict[str, tuple[str, ...]]:
    r"""Which counters (`Object\Counter`) all rules together read, by entity kind."""
    needs: dict[str, set[str]] = {}
    for rule in all_rules():
        if rule.entity != "capture":
            needs.setdefault(rule.entity, set()).update(rule.needs)
    return {kind: tuple(sorted(paths)) for kind, paths in needs.items()}
