"""Text without names: what is known is replaced, and every word that is on no list gets a pseudonym.

Free text is the weaker way, for what was composed or quoted elsewhere; names in places of their own go
through `Instances` and `redacted_analysis`. A name that is one of the tool's own words (`report`, `the`) is
replaced in free text only where a name can stand, so that sentences stay sentences.
"""

from __future__ import annotations

import ast
import base64
import ipaddress
import re
from collections.abc import Iterable

from esxprobe.formats.guests.zones import is_windows_zone
from esxprobe.formats.timestamps import DERIVED_ZONE
from esxprobe.redact import listed
from esxprobe.redact.known import KnownNames
from esxprobe.redact.names import KINDS, Names, is_address
from esxprobe.redact.own_words import is_phrase, own_words, words_of

_ENDINGS = re.compile(r"(?:\.(?:csv|txt|log|json|gz|zst|html|tsv|blg))+$", re.IGNORECASE)
_PLAIN_FILE = re.compile(
    r"esxtop-\d+\.csv(?:\.gz|\.zst)?(?:\.cut)?|fetchstats-\d+\.txt(?:\.gz)?|capture\.json|vmware(?:-\d+)?\.log"
    r"|probes/(?:version|cpu|cpu-model|memory|power-policy|uptime|vms|datastores|devices|paths|nic-stats)\.txt"
)

# What identifies a thing whoever named it. Order matters: the longer way of writing comes first.
_PATTERNS = (
    ("mac", r"(?<![0-9A-Fa-f:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4,6}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:-])"),
    ("mac", r"(?<![\w.:-])[0-9A-Fa-f]{4}([.:-])[0-9A-Fa-f]{4}\1[0-9A-Fa-f]{4}(?![\w:-]|\.\w)"),
    ("mac", r"(?<![\w])(?=[0-9a-f]*[a-f])[0-9a-f]{12}(?!\w)"),
    ("device", r"\b(?:naa\.[0-9A-Za-z]+|eui\.[0-9A-Fa-f]+|t10\.[^\s'\",;:()]+|iqn\.[^\s'\",;()]+)"),
    ("device", r"\b(?:fc|nqn|uuid)\.[0-9A-Za-z.:-]+"),
    ("id", r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b"),
    ("id", r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b"),
    ("fingerprint", r"\b(?:SHA256:[A-Za-z0-9+/]{20,}=*|(?:MD5:)?(?:[0-9a-f]{2}:){15}[0-9a-f]{2})"),
    ("path", r"\[[^\]\[\n]+\] [^\s'\"]+\.(?:vmx|vmdk|log|nvram|vswp)"),
    ("path", r"(?<![\w./\\])/(?!dev/null\b|proc/|Power/)(?:[\w.@%+~-]+/?)+"),
    ("path", r"\b[A-Za-z]:\\[^\s'\"(),;]+|(?<!\\)\\\\[\w.$-]+\\[^\s'\"(),;]+"),
    ("account", r"[^\s@'\"(),;:<>]+@(?:\[[0-9A-Fa-f:.%]+\]|[\w.-]*\w)"),
    ("address", r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)"),
    ("address", r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?:%\w+)?(?![\w:])"),
)  # fmt: skip
# Words that instances are made of on every host.
_STRUCTURE = re.compile(
    r"(?:vmnic|vmk|vswitch|dvsportset|scsi|sata|ide|nvme|vmhba|vmm|p?cpu|eth|vmrdma|idle|[ctlp])\d+"
    r"|vmx|mks|svga|vthread|networld|vmast|lsi|pvscsi|management|shadow|internal|mpx|total|node|pcpu|0x[0-9a-f]+"
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
# `vCPU 0`, `line 12`: names that our sentences are full of.
_NUMBERED = re.compile(r"(?:v?p?cpu|node|line|cell|column|sample|row) \d+", re.IGNORECASE)
_HOST_LIKE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+){2,}")
_PLACE = re.compile(
    r"(?P<open>\(?(?:ssh://)?)(?:(?P<user>[^\s@]*)@)?(?P<name>\[[^\]\s]*\]|[^\s:()]+(?::[^\s:()]*){2,}|SHA256:\S+|[^\s:()]+)"
    r"(?P<port>:\d*)?(?P<close>\)?)"
)
# `esx01 (10.0.0.1)`, `jane@esx01:22 SHA256:...`
_TWO_PLACES = re.compile(r"\S+ (?:\(\S+\)|SHA256:\S+)")
_STAYS = rf"(?P<stays>{listed.STAMP.pattern}|\b(?:{'|'.join(KINDS)})-\d{{5,}}\b)"
_RUN_OR_STAYS = re.compile(rf"{_STAYS}|{listed.RUN.pattern}")
_ENCODED = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{60,}={0,2}(?![A-Za-z0-9+/=])")


class Redactor:
    """Takes names out of text.

    Attributes:
        names: The pseudonyms; grows while names are learned.
        probes: What the probes of captures are called, as their manifests made it.
        files: What the files of captures are called, likewise.
        shown: Words of values that are shown as they are, because they are the same at every customer's.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.shown: set[str] = set()
        self.probes: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self._kept: set[str] = set()  # words that stay: processes of the host, and other words that look like names
        self._kept_texts: set[str] = set()
        self._kept_joined = ""
        self._ordinary: dict[str, bool] = {}  # whether a name is one of our own words
        self._index = KnownNames(names)

    def keep(self, texts: Iterable[str]) -> None:
        """Takes note of words that a capture shows as they are."""
        for text in texts:
            self._kept.update(words_of(text))
            self._kept_texts.add(" ".join(words_of(text)))
        self._kept_joined = ""
        self._ordinary.clear()

    def is_kept(self, word: str) -> bool:
        """Whether a word stays wherever it stands."""
        return word in self._kept or _STRUCTURE.fullmatch(word) is not None

    def is_shown(self, name: str) -> bool:
        """Whether something that stays goes by a name: a word of it, or several as they are in it."""
        words = words_of(name)
        if len(words) < 2 or all(_STRUCTURE.fullmatch(word) for word in words):
            return bool(words) and self.is_kept(words[0])
        if not self._kept_joined:
            self._kept_joined = "\n".join(f" {text} " for text in sorted(self._kept_texts))
        return f" {' '.join(words)} " in self._kept_joined

    def is_ordinary(self, name: str) -> bool:
        """Whether a name is made of words that a report says anyway, or is too short to tell."""
        if name.isdigit() or len(name) == 1:
            return True
        if self.names.is_pseudonym(name):
            return True  # a redacted capture is redacted again
        if not any(map(str.isalpha, name)):
            return True
        own, parts = own_words() | listed.key_words(), words_of(name)
        if not parts or not all(part in own or self.is_kept(part) or part.isdigit() for part in parts):
            return False
        return len(parts) == 1 or _NUMBERED.fullmatch(name) is not None or is_phrase(name)

    def free(self, text: str) -> str:
        """Free text of unknown origin: quoted pieces go whole, unless they contain no names."""
        quoted = _QUOTED.sub(lambda found: self._quoted(found[0]), text)
        return self.line(quoted)

    def line(self, text: str) -> str:
        """A line from elsewhere: names, addresses, ids and paths go, and every word that no list has."""
        return self._listed(self._known(self._patterns(self._known(text))), listed.words())

    def command(self, text: str) -> str:
        """A command that we gave, with paths and names in it."""
        made = _ENCODED.sub(lambda found: found[0] if _is_ours(found[0]) else "redacted", text)
        encoded = _ENCODED.search(made)
        if encoded:
            before, behind = made[: encoded.start()], made[encoded.end() :]
            return self.command(before) + encoded[0] + self.command(behind)
        return self._listed(self._known(self._patterns(self._known(made))), listed.command_words())

    def value(self, what: str, text: str) -> str:
        """A value that is the same at every customer's, as it is where it is on its list (`listed.is_listed`)."""
        if not listed.is_listed(what, text):
            return self.line(text)
        self.shown.update(words_of(text))
        return text

    def fact(self, text: str) -> str:
        """What a host said of itself, of whatever kind: as it is where a list of values has it."""
        kind = next((what for what in ("build", "cpu", "power") if listed.is_listed(what, text)), None)
        return self.free(text) if kind is None else self.value(kind, text)

    def host(self, text: str) -> str:
        """A computer as it was typed: `root@esx01:22`, `ssh://esx01`, `[fe80::1]:22`, `esx01 (10.0.0.1)`."""
        if not text.strip():
            return text
        found = _PLACE.fullmatch(text)
        if found is None:
            if _TWO_PLACES.fullmatch(text):
                return " ".join(self.host(part) for part in text.split())
            return self._computer(text)
        user = self._named("user", found["user"]) + "@" if found["user"] else ""
        name = found["name"]
        if name.startswith("SHA256:"):
            return self.names.of("fingerprint", name)
        bare = name[1:-1] if name.startswith("[") else name
        shown = self._computer(bare)
        port = found["port"] or ""
        return f"{found['open']}{user}{shown}{port}{found['close']}"

    def sentence(self, text: str) -> str:
        """A sentence of our own: only names that no sentence of ours has."""
        return self._known(text, ordinary=False)

    def zone(self, text: str) -> str:
        """The zone text of a header."""
        if text == DERIVED_ZONE:
            return text
        found = re.fullmatch(r"(?:\((?P<name>.*?)\)?)?\s*(?P<bias>\(-?\d{1,4}\)?)?", text)
        if found and (not found["name"] or self.is_zone(found["name"])):
            return text
        return "(redacted)" + ((found and found["bias"]) or "")

    def zone_in_words(self, text: str) -> str:
        """A zone as readers word it: `W. Europe Standard Time (+01:00), Europe/Berlin`, `UTC (assumed)`."""
        found = re.fullmatch(r"(?P<name>.*?)(?P<offset> \((?:[+-]\d\d:\d\d|assumed)\))?(?:, (?P<iana>\S+))?", text)
        if found is None:
            return self.line(text)
        name = found["name"] if self.is_zone(found["name"]) else "(redacted)"
        iana = f", {found['iana']}" if found["iana"] and self.is_zone(found["iana"]) else ""
        return name + (found["offset"] or "") + iana

    def of(self, kind: str, name: str) -> str:
        """The pseudonym of a name of this kind."""
        return self.names.of(kind, name)

    def is_zone(self, name: str) -> bool:
        """Whether a name is one of the zones that the world has."""
        return listed.is_zone(name) or is_windows_zone(name)

    def file(self, name: str) -> str:
        """The name of a file; its endings stay, and so do names that we give."""
        if name in self.files:
            return self.files[name]
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
        given = self._index.exact(content)
        if given is None:
            given = self.line(content)
            own = own_words()
            if not all(w in own or w.isdigit() or self.names.is_pseudonym(w) for w in _without(self, given)):
                given = "redacted"
        return f"{quoted[0]}{given}{quoted[0]}"

    def _known(self, text: str, *, ordinary: bool = True) -> str:
        return self._index.replaced(text, self._is_ordinary, everywhere=ordinary) if text else text

    def _is_ordinary(self, name: str) -> bool:
        if name not in self._ordinary:
            self._ordinary[name] = self.is_ordinary(name)
        return self._ordinary[name]

    def _patterns(self, text: str) -> str:
        for kind, pattern in _PATTERNS:
            text = re.sub(pattern, lambda found, kind=kind: self._identity(kind, found[0]), text)  # type: ignore[misc]
        return text

    def _identity(self, kind: str, found: str) -> str:
        if found.casefold() in listed.words():
            return found  # the commit of a kernel that a sentence of ours cites
        if kind == "address":
            plain = found.rstrip(".")
            if not is_address(plain) or not re.search(r"[0-9A-Fa-f]", plain):
                return found
            return self.names.of("address", str(ipaddress.ip_address(plain.partition("%")[0])))
        if kind == "account":
            user, _, host = found.rpartition("@")
            if _ENDINGS.search(host):
                return self.names.of("word", found)  # a file's name
            return f"{self._named('user', user)}@{self._computer(host.strip('[]'))}"
        return self.names.of(kind, found)

    def _listed(self, text: str, words: frozenset[str]) -> str:
        """A text in which only listed words, numbers and pseudonyms are left."""

        def given(found: re.Match[str]) -> str:
            run = listed.trimmed(found[0])
            if found["stays"] or listed.is_plain(run) or run.casefold() in words or self._passes(run):
                return found[0]
            if not _HOST_LIKE.fullmatch(run) or _ENDINGS.search(run):
                return found[0].replace(run, self.names.of("word", run))
            return found[0].replace(run, self.names.host(run))

        return _RUN_OR_STAYS.sub(given, text)

    def _named(self, kind: str, name: str) -> str:
        return name if self.names.is_pseudonym(name) else self.names.of(kind, name)

    def _computer(self, name: str) -> str:
        """A computer's name; of one that is a pseudonym already the domain may still be to do."""
        short, dot, domain = name.partition(".")
        if not self.names.is_pseudonym(short):
            return self.names.host(name)
        return short + dot + (self._named("domain", domain) if domain else "")

    def _passes(self, run: str) -> bool:
        word = run.casefold()
        if self.is_kept(word) or word in self.shown:
            return True
        return self.names.is_pseudonym(run) or _PLAIN_FILE.fullmatch(run) is not None


def _is_ours(encoded: str) -> bool:
    """Whether a script in base64, as PowerShell takes it, is one of ours."""
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-16-le")
    except ValueError:
        return False
    ours = listed.command_words()
    runs = [listed.trimmed(run) for run in listed.RUN.findall(text)]
    return all(listed.is_plain(run) or run.casefold() in ours for run in runs)


def _without(redactor: Redactor, text: str) -> list[str]:
    """The words of a text that are not pseudonyms."""
    kinds = "|".join(redactor.names.map) or r"(?!)"
    return words_of(re.sub(rf"\b(?:{kinds})-\d+\b", " ", text))
