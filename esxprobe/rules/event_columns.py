"""Columns that stand for events in the SQL of rules, and what they are in words; `happened` fills them."""

from __future__ import annotations

from collections.abc import Iterable

from esxprobe.catalog.events import KINDS, is_event_kind
from esxprobe.rules.record import EVENT, LARGEST, SINCE, UNTIL


def event_names(asked: Iterable[str]) -> tuple[str, ...]:
    """The columns of all kinds, and of those asked for such as have a meaning."""
    known = tuple(f"{EVENT}{kind.key}" for kind in KINDS)
    return (*known, *(name for name in asked if _is_known(name)))


def _is_known(name: str) -> bool:
    if not name.startswith(EVENT):
        return False
    kinds = kinds_of(name.removeprefix(EVENT))
    return all(map(is_event_kind, kinds)) and (not is_state(name) or len(kinds) == 2)


def kinds_of(text: str) -> tuple[str, ...]:
    """The kinds that a column reads."""
    return tuple(text.removeprefix(LARGEST).removeprefix(SINCE).split(UNTIL))


def is_state(name: str) -> bool:
    """Whether a column is a state between two kinds of events."""
    return name.startswith(f"{EVENT}{SINCE}")


def words_of(name: str) -> str:
    """A column in words, for the rule book."""
    text = name.removeprefix(EVENT)
    kinds = kinds_of(text)
    if is_state(name):
        return f"from `{kinds[0]}` to `{kinds[1]}`, in each sample"
    if text.startswith(LARGEST):
        return f"the largest figure of `{kinds[0]}`, in each sample"
    return f"`{text}`, in each sample"
