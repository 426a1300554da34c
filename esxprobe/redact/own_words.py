"""The words that esxprobe itself says: a VM may be called like one of them, and the sentence must stay."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import cache

from esxprobe import catalog
from esxprobe.catalog.quality import CODES
from esxprobe.redact.names import KINDS
from esxprobe.rules import shipped
from esxprobe.rules.causes import CAUSES

_WORD = re.compile(r"[^\W_]+")
# What the reader's notes and skipped rules say besides; a word that is missing here only costs readability.
_NOTES = """
a about all and are as at be because before behind below between bytes called capture captures carry carries
cell cells column columns could data date day days each ended every example fewer first file files for found
from has have header headers here hold holds host hosts in interval intervals into is it its kept lack lacks
last later left like line lines list lost manifest many median minutes missing more name names no not nothing
number of off on one only or order other others out over own part parts path per port ports printed quotes
hardware software read real repeat rest row rows said same sample samples saw say says second seconds seen
segment semicolons separate set sha256 size so some spreadsheet stand stands start stream than that the their
them then there they this time times to too trailer two unknown until utc vcpu vcpus value values virtual vm vms
was were what when where which whole with without world worlds zone esxtop report reports html json finding
findings redacted true false none null yes
"""


def words_of(text: str) -> list[str]:
    """Runs of letters and digits, case folded."""
    return _WORD.findall(text.casefold())


@cache
def own_texts() -> tuple[str, ...]:
    """Texts of the catalogs, the rule book and the notes."""
    records = (*CODES, *catalog.counters(), *shipped().rules, *CAUSES)
    return (_NOTES, " ".join(KINDS), *(text for record in records for text in _texts(record)))


@cache
def own_words() -> frozenset[str]:
    """Their words."""
    return frozenset(word for text in own_texts() for word in words_of(text))


@cache
def own_ids() -> frozenset[str]:
    """Ids of the rules and of the codes of quality notes: findings name them as their members."""
    return frozenset((*(rule.id for rule in shipped().rules), *(record.code for record in CODES)))


def standing_alone(wanted: str, text: str) -> int:
    """How often something is in a text and is not a part of a longer word; both in lower case."""
    count, at = 0, text.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        before = at > 0 and wanted[0].isalnum() and text[at - 1].isalnum()
        behind = end < len(text) and wanted[-1].isalnum() and text[end].isalnum()
        count += not (before or behind)
        at = text.find(wanted, end)
    return count


def is_phrase(phrase: str) -> bool:
    """Whether one of those texts says just this, as a piece of its own."""
    return standing_alone(phrase.casefold(), _all_texts()) > 0


@cache
def _all_texts() -> str:
    return "\n".join(own_texts()).casefold()


@cache
def counter_words() -> frozenset[str]:
    """Words of esxtop's objects and counters, as far as the catalog knows them."""
    return frozenset(
        word for record in catalog.counters() for text in (record.object, record.name) for word in words_of(text)
    )


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _texts(each)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _texts(getattr(value, field.name))
