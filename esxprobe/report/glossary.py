"""What esxtop's labels mean: on hover where the page says one, and in a list at its end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from esxprobe.catalog import counters
from esxprobe.model import Counter

if TYPE_CHECKING:
    from markupsafe import Markup

# Where several objects have a label, the one that the report judges explains it.
_FIRST = ("Vcpu", "Group Memory", "Physical Cpu", "Memory", "Physical Disk SCSI Device", "Virtual Disk")
# Labels that are words of their own: in a sentence they mean something else.
_WORDS = frozenset({"NAME", "ZERO", "DELETE", "SHARES", "POWER", "SPEED", "TEAM-PNIC"})
# Short for what the screen's heading says at length.
_SHORT = {f"{layer}AVG": f"{layer}AVG/cmd" for layer in "DKGQ"}


@dataclass(frozen=True, slots=True)
class Term:
    """One label: unit, meaning, and the traps that the catalog knows."""

    label: str
    unit: str
    meaning: str
    notes: str

    @property
    def title(self) -> str:
        """What is shown on hover."""
        return f"{self.meaning} [{self.unit}]" if self.unit else self.meaning


@dataclass(slots=True)
class Glossary:
    """Marks labels in our own texts, and remembers which: names from a capture are never given to it."""

    _used: set[str] = field(default_factory=set)

    def marked(self, text: str) -> Markup:
        """The text, escaped, with each label in an `abbr` that says what it means."""
        from markupsafe import Markup, escape

        known = _terms()
        parts: list[Markup] = []
        for n, part in enumerate(_pattern().split(text)):
            if n % 2:
                self._used.add(part)
                parts.append(Markup('<abbr title="{}">{}</abbr>').format(known[part].title, part))
            else:
                parts.append(escape(part))
        return Markup("").join(parts)

    def terms(self) -> list[Term]:
        """What was marked so far, in alphabetical order."""
        return [
            _terms()[label] for label in sorted(self._used, key=lambda label: (label.strip("%").lower(), label))
        ]


@cache
def _terms() -> dict[str, Term]:
    """Terms by label; labels that could be ordinary words are left out."""
    found: dict[str, Counter] = {}
    for counter in sorted(counters(), key=_rank):
        if counter.label not in _WORDS and (re.search(r"[%/]", counter.label) or _is_code(counter.label)):
            found.setdefault(counter.label, counter)
    terms = {label: Term(label, each.unit, each.meaning, each.notes) for label, each in found.items()}
    for short, long in _SHORT.items():
        terms[short] = Term(short, terms[long].unit, terms[long].meaning, terms[long].notes)
    return terms


def _rank(counter: Counter) -> int:
    return _FIRST.index(counter.object) if counter.object in _FIRST else len(_FIRST)


def _is_code(label: str) -> bool:
    return len(label) >= 4 and label.isupper() and label.isalnum()


@cache
def _pattern() -> re.Pattern[str]:
    longest = sorted(_terms(), key=lambda label: (-len(label), label))
    return re.compile(rf"(?<![\w%])({'|'.join(map(re.escape, longest))})(?![\w%])")
