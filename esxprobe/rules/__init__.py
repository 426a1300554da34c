"""The rule book: what is judged, at which thresholds, where each number comes from.

A rule is one file in `rules/book/` holding one `RULE` record; it is found by being there. A file of one's own
(see `own`) can change, silence, disable and add rules; what results is a `RuleBook` too.

Whoever judges or shows what was judged is handed the book in use: nothing falls back on the shipped one, and a rule
is found in a book or not at all.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from esxprobe.errors import UnknownRuleError
from esxprobe.model import Deviation
from esxprobe.rules.record import EXPLANATION_NEEDS, Rule


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Rules by id, and where they deviate from the shipped ones."""

    rules: tuple[Rule, ...]
    deviations: tuple[Deviation, ...] = ()

    def find(self, rule_id: str) -> Rule:
        """The rule with this id.

        Raises:
            UnknownRuleError: There is none; the hint names the nearest ids.
        """
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        near = difflib.get_close_matches(rule_id, [rule.id for rule in self.rules], n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else "`esxprobe rules list` shows them all"
        raise UnknownRuleError(f"no rule is called {rule_id!r}", hint=hint)

    def without_examples(self) -> RuleBook:
        """The same rules as far as judging and showing need them: a quarter of the size, for another process."""
        return replace(self, rules=tuple(replace(rule, fires=(), quiet=()) for rule in self.rules))

    def needs_by_kind(self) -> dict[str, tuple[str, ...]]:
        r"""Which counters (`Object\Counter`) all rules together read, by entity kind."""
        needs: dict[str, set[str]] = {}
        for rule in self.rules:
            for kind, paths in rule.needs_by_kind.items():
                if kind != "capture" and paths and not rule.custom.disabled:
                    needs.setdefault(kind, set()).update(paths)
        for kind, paths in EXPLANATION_NEEDS.items():
            if kind in needs:
                needs[kind].update(paths)
        return {kind: tuple(sorted(paths)) for kind, paths in needs.items()}

    def names_judged(self, kind: str) -> str | None:
        """Regular expression on the names of the entities of a kind that rules judge; None where one judges all.

        Empty where no rule judges any.
        """
        rules = [rule for rule in self.rules if not rule.custom.disabled]
        patterns = [rule.only for rule in rules if rule.entity == kind]
        patterns += [part.only for rule in rules for part in rule.parts if part.kind == kind]
        if not all(patterns):
            return None
        return "|".join(f"(?:{pattern})" for pattern in dict.fromkeys(patterns))


@cache
def shipped() -> RuleBook:
    """The book as it comes, rules by id; only for those who choose the book in use (commands, `custom`, docs)."""
    from esxprobe.rules import book

    names = sorted(module.name for module in pkgutil.iter_modules(book.__path__))
    return bound(importlib.import_module(f"{book.__name__}.{name}").RULE for name in names)


def bound(rules: Iterable[Rule], deviations: tuple[Deviation, ...] = ()) -> RuleBook:
    """A book of these rules, by id."""
    return RuleBook(tuple(sorted(rules, key=lambda rule: rule.id)), deviations)
