"""Which code page a Windows log was written in, told by how its words look: a guess, for names that are shown."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

# What Windows writes text in, besides UTF-16: ANSI code pages to files, OEM ones through `>` in cmd. Of pages that
# fit alike the first one is taken.
CODE_PAGES = (
    "utf-8", "cp1252", "cp1250", "cp1251", "cp850", "cp866", "cp852", "cp1253", "cp1254", "cp1257",
    "cp932", "cp949", "cp936", "cp950",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")


def legibility(text: str) -> float:
    """How much a text looks like words of one language: 0 for none of it, about 2 for all of it.

    A word has letters of one script, no capitals behind small letters, and in a Latin script mostly plain letters.
    """
    foreign = [letter for letter in text if not letter.isascii()]
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    if not foreign or not words:
        return 0.0
    letters = sum(letter.isalpha() for letter in foreign) / len(foreign)
    return letters + sum(map(_looks, words)) / len(words)


def _looks(word: str) -> float:
    scripts = {unicodedata.name(letter, "?").partition(" ")[0] for letter in word}
    if len(scripts) > 1 and not scripts <= {"CJK", "HIRAGANA", "KATAKANA"}:
        return 0.0
    if any(one.islower() and other.isupper() for one, other in pairwise(word)):
        return 0.0
    if scripts == {"LATIN"}:
        return min(1.0, 2 * sum(map(str.isascii, word)) / len(word))
    # Korean in a Chinese page are rare ideographs, Chinese in a Korean one is half of both.
    return 0.9 if scripts == {"CJK"} else 1.0
