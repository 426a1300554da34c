"""The last look at a finished file: nothing that is on the map may be in it, however it is written.

A name that has a word which the report does not say by itself must not be there at all. A name made of the
report's own words (`report`, `host`, `the`) may stand where the report says it anyway: it is counted, and there
may be no more of it than in the same report with one word in place of every name.
"""

from __future__ import annotations

import html
import re
import urllib.parse
from collections import Counter as Counts
from collections.abc import Iterator

from esxprobe.errors import OutputError
from esxprobe.redact.names import KINDS
from esxprobe.redact.own_words import standing_alone, words_of
from esxprobe.redact.redactor import Redactor

_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(["\\/bfnrt]))')
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# Drawn lines are letters and numbers, not words.
_DRAWN = re.compile(r'\sd="[^"]*"')
_PSEUDONYM = re.compile(rf"(?<![^\W_])(?:{'|'.join(KINDS)})-\d{{5,}}(?!\d)")
# Code of ours in a page: most of its bytes, and the same in every report.
_CODE = re.compile(r"<script\b.*?</script>", re.DOTALL)
# So long a name is looked for inside longer words, too.
_LONG = 8
# A name of so few punctuation marks and nothing else says nothing.
_MARKS = 3


class Scan:
    """Looks for originals.

    Args:
        redactor: With every name that is hidden, and the words that stay.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def check(self, text: str, what: str, own: str | None = None) -> None:
        """Stops at the first original that is found.

        Args:
            text: The finished file.
            what: What the file is, for the message.
            own: The same file with one word in place of every name; without it names made of the tool's own
                words are not looked for.

        Raises:
            OutputError: There is one. The message has its pseudonym, never the name.
        """
        found = next(self.found(text, own), None)
        if found is not None:
            raise OutputError(
                f"the name behind {found} is still in {what}: nothing was written",
                hint="this is a gap in the redaction, please report it; look the pseudonym up in the private map",
            )

    def found(self, text: str, own: str | None = None) -> Iterator[str]:
        """Pseudonyms of the originals that are in a text."""
        if own is not None:
            text, own = _without_common_code(text, own)
        ways, bare = self._ways(text), self._ways(own or "")
        for kind, original, given in self._redactor.names:
            name = original.casefold()
            if kind == "word" and self._redactor.shown.issuperset(words_of(name)):
                continue  # a word of a CPU's name, of a time zone: it is not a secret where it is shown
            if name.isdigit() or self._redactor.names.is_pseudonym(name) or self._redactor.is_shown(name):
                continue
            words = words_of(name)
            if not words and len(name) <= _MARKS:
                continue  # a dot behind a pseudonym would look like one
            ordinary = self._redactor.is_ordinary(original) or any(each.count(name) for each in bare)
            if not ordinary and words:
                ordinary = own is not None and all(word in bare[0].words for word in words)
            if not ordinary:
                if any(each.count(name, inside=len(name) >= _LONG) for each in ways):
                    yield given
            elif own is not None and any(a.count(name) > b.count(name) for a, b in zip(ways, bare, strict=True)):
                yield given

    def _ways(self, text: str) -> list[_SearchedText]:
        text = _PSEUDONYM.sub(self._without, _DRAWN.sub("", text))
        ways = spellings(text)
        made = {each: _SearchedText(each) for each in dict.fromkeys(ways)}
        return [made[each] for each in ways]

    def _without(self, found: re.Match[str]) -> str:
        return " " if self._redactor.names.is_pseudonym(found[0]) else found[0]


class _SearchedText:
    """A text with an index of its words."""

    def __init__(self, text: str) -> None:
        self.text = text.casefold()
        self.words = Counts(words_of(text))

    def count(self, name: str, *, inside: bool = False) -> int:
        """How often a name is in it by itself, or `inside` longer words, too."""
        if inside:
            return self.text.count(name)
        if not all(word in self.words for word in words_of(name)):
            return 0
        return standing_alone(name, self.text)


def _without_common_code(text: str, own: str) -> tuple[str, str]:
    """Both files without the code that they share: what is in the one without names is not a name."""
    for found in _CODE.finditer(own):
        code = found[0]
        if code in text:
            text, own = text.replace(code, "<script></script>"), own.replace(code, "<script></script>")
    return text, own


def spellings(text: str) -> list[str]:
    """A text as it stands, and as browsers, JSON readers and links would read it."""
    plain = html.unescape(text)
    unescaped = _unescaped(plain)
    return [text, plain, _unescaped(text), unescaped, _unescaped(unescaped), urllib.parse.unquote(unescaped)]


def _unescaped(text: str) -> str:
    """Backslash escapes as the letters that they stand for; halves of a letter are put together."""
    if "\\" not in text:
        return text
    made = _ESCAPE.sub(_letter, text)
    return made.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _letter(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else _PLAIN.get(found[3], found[3])
