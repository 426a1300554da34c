"""What a format of guests' logs is: one record, found in the module of the format."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from esxprobe.formats.guests.counter_table import GuestReading
from esxprobe.formats.issues import QualityIssues


class Pseudonyms(Protocol):
    """What takes names out of a log."""

    def of(self, kind: str, name: str) -> str:
        """The pseudonym of a name: of a `guest`, `instance`, `counter`, `object` or `id`."""

    def line(self, text: str) -> str:
        """A line in which only known words stay."""

    def zone(self, text: str) -> str:
        """The zone text of a header."""

    def is_zone(self, name: str) -> bool:
        """Whether a name is one of the zones that the world has."""


class Read(Protocol):
    """Reads a whole log."""

    def __call__(
        self, text: bytes, *, timezone: str | None, guest: str | None, issues: QualityIssues
    ) -> GuestReading:
        """What the log holds."""


class Recognize(Protocol):
    """Tells the format by a file's head."""

    def __call__(self, head: bytes) -> bool:
        """Whether it starts as this format does."""


class Redact(Protocol):
    """Takes the names out of a whole log."""

    def __call__(self, content: bytes, names: Pseudonyms) -> tuple[str, int] | None:
        """The log without names, and how many lines or cells were blanked; None where it cannot be read."""


@dataclass(frozen=True, slots=True)
class GuestFormat:
    """A format of guests' logs.

    Attributes:
        name: What documents call it; `tests/formats/guests/data/<name>.*` is an example.
        title: How docs/guests.md lists it.
        recognizes: Tells it by a file's head; no other format has the same head.
        read: Reads it.
        redact: Takes names out of it: what is on no list goes.
    """

    name: str
    title: str
    recognizes: Recognize
    read: Read
    redact: Redact


@cache
def guest_formats() -> tuple[GuestFormat, ...]:
    """The formats of every module beside this one, by name."""
    return tuple(sorted(_found(), key=lambda each: each.name))


def _found() -> Iterator[GuestFormat]:
    package = importlib.import_module(__package__ or "")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name != "guest_log":  # which asks
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            yield from getattr(loaded, "FORMATS", ())
