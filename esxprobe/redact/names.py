"""Pseudonyms: one name always gets the same one from the same key, and nothing else ever gets it."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterator
from itertools import count

# What things are called; a pseudonym is its kind, a hyphen and a number.
KINDS = (
    "adapter", "address", "command", "counter", "datastore", "device", "domain", "file", "fingerprint", "group",
    "guest", "host", "id", "instance", "interrupt", "mac", "object", "path", "port", "process", "rdma", "switch",
    "user", "vm", "word", "world",
)  # fmt: skip
_LOWEST, _HIGHEST = 10_000, 100_000
# After so many numbers that are taken the numbers get longer.
_PATIENCE = 20


class Names:
    """What is hidden, and what it is called instead.

    Attributes:
        key: What numbers are drawn with; who has it can test guesses, so it is as private as the names.
        map: Pseudonym by original by kind.
    """

    def __init__(self, key: bytes, known: dict[str, dict[str, str]] | None = None) -> None:
        self.key = key
        self.map: dict[str, dict[str, str]] = known or {}
        self._taken = {given.casefold() for names in self.map.values() for given in names.values()}
        self._originals = {original.casefold() for _, original, _ in self}

    def __iter__(self) -> Iterator[tuple[str, str, str]]:
        """Kind, original and pseudonym of each name."""
        for kind, names in self.map.items():
            for original, given in names.items():
                yield kind, original, given

    def of(self, kind: str, original: str) -> str:
        """The pseudonym of a name; an empty name stays empty."""
        if not original:
            return ""
        names = self.map.setdefault(kind, {})
        if original not in names:
            names[original] = self._drawn(kind, original)
            self._taken.add(names[original])
            self._originals.add(original.casefold())
        return names[original]

    def host(self, name: str) -> str:
        """The pseudonym of a computer's name, its domain apart: `esx01` and `ESX01.example.com` are one host."""
        if is_address(name):
            return self.of("host", name)
        short, dot, domain = name.partition(".")
        if not short or not domain:
            return self.of("host", name.casefold())
        return self.of("host", short.casefold()) + dot + self.of("domain", domain.casefold())

    def is_pseudonym(self, text: str) -> bool:
        """Whether a text is one of ours."""
        return text.casefold() in self._taken

    def _drawn(self, kind: str, original: str) -> str:
        """A number from the key and the name alone, so that it does not depend on what else was seen.

        Only where two names draw one number does the order matter; then the map file remembers.
        """
        for attempt in count():
            words = f"{kind}\0{attempt}\0{original}".encode("utf-8", "surrogatepass")
            digest = hmac.digest(self.key, words, hashlib.sha256)
            spread = (_HIGHEST - _LOWEST) * (1 if attempt < _PATIENCE else 1000)
            given = f"{kind}-{_LOWEST + int.from_bytes(digest[:8], 'big') % spread}"
            if given not in self._taken and given not in self._originals:
                return given
        raise AssertionError  # count() does not end


def is_address(text: str) -> bool:
    """Whether a text is an IP address, with or without a zone."""
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
