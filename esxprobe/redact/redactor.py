"""Text without names: what is known is replaced, and so is what looks like an address, an id or a path.

Free text is the weaker way, for what was composed or quoted by somebody else; names in places of their own go
through `Instances` and `redacted_analysis`. A name that is one of the tool's own words (`report`, `the`) is
replaced in free text only where a name can stand, so that sentences stay sentences.
"""

from __future__ import annotations

import ast
import ipaddress
import re
from collections.abc import Iterable

from esxprobe.redact.names import Names, is_address
from esxprobe.redact.words import own_words, words_of

_ZONE = re.compile(r"(?:\([^\\\"0-9:@]{0,60}\)?)?\s*(?:\(-?\d{1,4}\)?)?")
_ENDINGS = re.compile(r"(?:\.(?:csv|txt|log|json|gz|zst|html|tsv|blg))+$", re.IGNORECASE)
_PLAIN_FILE = re.compile(r"esxtop-\d+\.csv(?:\.gz|\.zst)?(?:\.cut)?|capture\.json|probes/[a-z-]+\.txt")

# What identifies a thing whoever named it. Order matters: the longer way of writing comes first.
_PATTERNS = (
    ("mac", r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4,6}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])"),
    ("device", r"\b(?:naa\.[0-9A-Za-z]+|eui\.[0-9A-Fa-f]+|t10\.[^\s'\",;:()]+|iqn\.[^\s'\",;()]+)"),
    ("device", r"\b(?:fc|nqn|uuid)\.[0-9A-Za-z.:-]+"),
    ("id", r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b"),
    ("id", r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b"),
    ("fingerprint", r"\b(?:SHA256:[A-Za-z0-9+/]{20,}=*|(?:MD5:)?(?:[0-9a-f]{2}:){15}[0-9a-f]{2})"),
    ("path", r"\[[^\]\[\n]+\] [^\s'\"]+\.(?:vmx|vmdk|log|nvram|vswp)"),
    ("path", r"(?<![\w./\\])/(?!dev/null\b|proc/|Power/)(?:[\w.@%+~-]+/?)+"),
    ("path", r"\b[A-Za-z]:\\[^\s'\"(),;]+|(?<!\\)\\\\[\w.$-]+\\[^\s'\"(),;]+"),
    ("user", r"[\w.+-]+@(?=[\w\[])"),
    ("address", r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)"),
    ("address", r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?:%\w+)?(?![\w:])"),
)  # fmt: skip
# Words that instances are made of on every host.
_STRUCTURE = re.compile(
    r"(?:vmnic|vmk|vswitch|dvsportset|scsi|sata|ide|nvme|vmhba|vmm|p?cpu|eth|vmrdma|idle|[ctlp])\d+"
    r"|vmx|mks|svga|vthread|networld|vmast|lsi|pvscsi|management|shadow|internal|mpx|total|node|pcpu|0x[0-9a-f]+"
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
# Where a name can stand in one of our own sentences: what is before it, and what is behind it.
_BEFORE = r"(?:(?<=^)|(?<=[(:'\"/\\=\[])|(?<=, )|(?<= is )|(?<= of )|(?<= called )|(?<= VM )|(?<= host ))"
_BEHIND = r"(?=$|[):'\"/\\,;\]]| at \d| in line| and others|\.$|\. )"


class Redactor:
    """Takes names out of text.

    Attributes:
        names: The pseudonyms; grows while names are learnt.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self._kept: set[str] = set()  # words that stay: processes of the host, and other names that are no names
        self._pseudonym: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._size = -1

    def keep(self, texts: Iterable[str]) -> None:
        """Takes note of words that a capture shows as they are."""
        for text in texts:
            self._kept.update(words_of(text))
        self._pattern = None

    def is_kept(self, word: str) -> bool:
        """Whether a word stays wherever it stands."""
        return word in self._kept or _STRUCTURE.fullmatch(word) is not None

    def is_ordinary(self, name: str) -> bool:
        """Whether a name is made of words that a report says anyway, or is too short to tell."""
        if name.isdigit() or len(name) == 1:
            return True
        if self.names.is_pseudonym(name):
            return True  # a redacted capture is redacted again
        own, parts = own_words(), words_of(name)
        return bool(parts) and all(part in own or self.is_kept(part) or part.isdigit() for part in parts)

    def free(self, text: str) -> str:
        """Free text of unknown origin: quoted pieces go whole, unless they say nothing of anybody."""
        quoted = _QUOTED.sub(lambda found: self._quoted(found[0]), text)
        return self.line(quoted)

    def line(self, text: str) -> str:
        """A line of a log, a command, a fact: names, addresses, ids and paths go."""
        return self._known(self._patterns(self._known(text)))

    def said(self, text: str) -> str:
        """A sentence of our own: only names that no sentence of ours has."""
        return self._known(text, ordinary=False)

    def zone(self, text: str) -> str:
        """The zone text of a header."""
        if _ZONE.fullmatch(text) and not any(given != text for given in [self.said(text)]):
            return text
        offset = re.search(r"\(-?\d{1,4}\)$", text)
        return "(redacted)" + (offset[0] if offset else "")

    def file(self, name: str) -> str:
        """The name of a file; its endings stay, and so do names that we give."""
        if not name or _PLAIN_FILE.fullmatch(name):
            return name
        folder, slash, last = name.rpartition("/")
        if slash and folder in {"guests", "probes"}:
            return folder + slash + self.file(last)
        ending = _ENDINGS.search(name)
        stem = name[: ending.start()] if ending else name
        return self.names.of("file", stem or name) + (ending[0].lower() if ending else "")

    def _quoted(self, quoted: str) -> str:
        try:
            content = str(ast.literal_eval(quoted))
        except (ValueError, SyntaxError):
            content = quoted[1:-1]
        given = self._exact(content)
        if given is None:
            given = self.line(content)
            own = own_words()
            if not all(w in own or w.isdigit() or self.names.is_pseudonym(w) for w in _without(self, given)):
                given = "redacted"
        return f"{quoted[0]}{given}{quoted[0]}"

    def _exact(self, text: str) -> str | None:
        self._compile()
        return self._pseudonym.get(text) or self._pseudonym.get(text.casefold())

    def _compile(self) -> None:
        size = sum(len(names) for names in self.names.map.values())
        if self._pattern is not None and self._size == size:
            return
        self._size = size
        self._pseudonym = {}
        spellings: dict[str, bool] = {}
        for _, original, given in self.names:
            escaped = repr(original)[1:-1]
            for spelling in {original, escaped}:
                self._pseudonym.setdefault(spelling, given)
                self._pseudonym.setdefault(spelling.casefold(), given)
                spellings[spelling] = self.is_ordinary(original)
        ordered = sorted(spellings, key=lambda each: (-len(each), each))
        distinct = "|".join(_bounded(each) for each in ordered if not spellings[each])
        ordinary = "|".join(_bounded(each) for each in ordered if spellings[each])
        none = r"(?!)"
        self._pattern = re.compile(
            f"(?P<distinct>{distinct or none})|{_BEFORE}(?P<ordinary>{ordinary or none}){_BEHIND}", re.IGNORECASE
        )

    def _known(self, text: str, *, ordinary: bool = True) -> str:
        self._compile()
        if self._pattern is None or not text:
            return text

        def given(found: re.Match[str]) -> str:
            name = found[0]
            if found["ordinary"] is not None and not ordinary:
                return name
            return self._pseudonym.get(name) or self._pseudonym.get(name.casefold()) or "redacted"

        return self._pattern.sub(given, text)

    def _patterns(self, text: str) -> str:
        for kind, pattern in _PATTERNS:
            text = re.sub(pattern, lambda found, kind=kind: self._identity(kind, found[0]), text)  # type: ignore[misc]
        return text

    def _identity(self, kind: str, found: str) -> str:
        if kind == "address":
            plain = found.rstrip(".")
            if not is_address(plain) or not re.search(r"[0-9A-Fa-f]", plain):
                return found
            return self.names.of("address", str(ipaddress.ip_address(plain.partition("%")[0])))
        if kind == "user":
            return self.names.of("user", found[:-1]) + "@"
        return self.names.of(kind, found)


def _bounded(name: str) -> str:
    """A name where it is not a part of a longer word."""
    before = r"(?<![^\W_])" if name[:1].isalnum() else ""
    behind = r"(?![^\W_])" if name[-1:].isalnum() else ""
    return before + re.escape(name) + behind


def _without(redactor: Redactor, text: str) -> list[str]:
    """The words of a text that are no pseudonyms."""
    kinds = "|".join(redactor.names.map) or r"(?!)"
    return words_of(re.sub(rf"\b(?:{kinds})-\d+\b", " ", text))
