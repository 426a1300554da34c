"""Finds names that are known in a text: whole words, in any case, the longest first."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from esxprobe.redact.names import Names

_WORD = re.compile(r"[^\W_]+")
# Where a name can be in one of our own sentences: what is before it, and what is behind it.
_BEFORE = re.compile(
    r"(?:(?<=^)|(?<=[(:'\"/\\=\[])|(?<=, )|(?<= is )|(?<= of )|(?<= called )|(?<= VM )|(?<= VMs )|(?<= host ))"
)
_BEHIND = re.compile(r"(?=$|[):'\"/\\,;\]]| at \d| in line| and others|\.$|\. )")


class KnownNames:
    """An index of all names by their first word; it grows with them.

    Args:
        names: Where they are kept.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._given: dict[str, str] = {}
        self._by_word: dict[str, list[tuple[str, int]]] = {}  # spellings, and where the word is in them
        self._wordless: list[str] = []
        self._seen: dict[str, int] = {}  # how many names of each kind are in the index

    def exact(self, text: str) -> str | None:
        """The pseudonym of a text that is a name."""
        self._learn()
        return self._given.get(text) or self._given.get(text.casefold())

    def replaced(self, text: str, ordinary: Callable[[str], bool], *, everywhere: bool) -> str:
        """A text with pseudonyms for names.

        Args:
            text: Any.
            ordinary: Whether a name is one of our own words: such a one is replaced only where a name can stand.
            everywhere: Whether those are replaced at all.
        """
        self._learn()
        pieces, at = [], 0
        for start, end in self._found(text):
            if start < at:
                continue
            name = text[start:end]
            if ordinary(name) and not (everywhere and _BEFORE.match(text, start) and _BEHIND.match(text, end)):
                continue
            pieces += [text[at:start], self._given.get(name) or self._given.get(name.casefold()) or "redacted"]
            at = end
        return "".join([*pieces, text[at:]])

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Where names stand: by their first letter, longer ones first."""
        hits = []
        for word in _WORD.finditer(text):
            for spelling, offset in self._by_word.get(word[0].casefold(), ()):
                start = word.start() - offset
                end = start + len(spelling)
                if start >= 0 and _same(text[start:end], spelling) and _stands_alone(text, start, end):
                    hits.append((start, end))
        for spelling in self._wordless:
            hits += [found.span() for found in re.finditer(re.escape(spelling), text)]
        return iter(sorted(hits, key=lambda hit: (hit[0], -hit[1])))

    def _learn(self) -> None:
        for kind, names in self._names.map.items():
            new = len(names) - self._seen.get(kind, 0)
            if not new or kind == "word":  # words that no list has are found by that
                continue
            for original in list(names)[-new:]:
                self._add(original, names[original])
            self._seen[kind] = len(names)

    def _add(self, original: str, given: str) -> None:
        for spelling in {original, repr(original)[1:-1]}:
            known = spelling in self._given
            self._given.setdefault(spelling, given)
            self._given.setdefault(spelling.casefold(), given)
            if known:
                continue
            word = _WORD.search(spelling)
            if word is None:
                self._wordless.append(spelling)
            else:
                self._by_word.setdefault(word[0].casefold(), []).append((spelling, word.start()))


def _same(text: str, spelling: str) -> bool:
    return text == spelling or text.casefold() == spelling.casefold()


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a name is not a part of a longer word."""
    before = start > 0 and text[start].isalnum() and text[start - 1].isalnum()
    behind = end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    return not (before or behind)
