"""Logs of lines: blocks are searched for the words of all kinds at once, and only lines with one are looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.catalog.events import event_kind
from esxprobe.formats.hostlogs.envelope import opened
from esxprobe.formats.hostlogs.event import Origin, event_of
from esxprobe.formats.hostlogs.keeper import Counts, Keeper
from esxprobe.formats.hostlogs.message import needles, told_by, told_by_class
from esxprobe.formats.hostlogs.shape import ToldEvent
from esxprobe.formats.hostlogs.time_words import certain_time
from esxprobe.formats.hostlogs.vcenter_record import host_in_words, vcenter_record
from esxprobe.formats.source import Source
from esxprobe.model import Entity

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 2 << 20
# A longer line is cut: it is searched up to here [bytes].
_MOST_LINE = 64 << 10
_CONTINUED = 8
# So many characters from the start of a line its arrow is, if it has one.
_ARROW = 128
# At either end of a block the times of so many bytes of lines are looked at.
_EDGE = 8 << 10


def read_lines(source: Source, keeper: Keeper, counts: Counts, path: Path, about: Entity | None = None) -> None:
    """Takes the events out of a log of lines.

    Args:
        source: The log.
        keeper: Where they go.
        counts: Counts what is met.
        path: The file, for its name.
        about: What lines are about that name nothing themselves: the VM of a vmware.log.
    """
    edges = _edges(keeper)
    for line, tail, needles_found in interesting(source, counts, lambda text: _see(text, keeper, counts)):
        if edges and line[10:11] == "T" and "Z" in line[19:30] and not edges[0] <= line[:19] <= edges[1]:
            counts.outside += 1
            continue
        found = opened(line)
        if found is None:
            counts.unread += 1
            continue
        host, record = found.host, vcenter_record(found.message)
        if record is not None:
            told, source_of = told_by_class(record.id, record.text), "vcenter"
            when = keeper.wanted.on_host_clock(certain_time(record.time), UTC)
            host = host or host_in_words(record.text)
        else:
            told = None if found.is_continued else _told(found.message, tail, needles_found)
            when, source_of = found.at(keeper.wanted.zone, keeper.wanted.near), found.source
        if told is None:
            continue
        if when is None:
            counts.unread += 1
            continue
        origin = Origin(when, host, f"{line} {tail}" if tail else line, path.name, source_of)
        keeper.take(event_of(told, origin, _named(told, about)), counts)


def _see(text: bytes, keeper: Keeper, counts: Counts) -> None:
    """Notes the times of a few lines at the edges of a block, whatever they say."""
    wanted = keeper.wanted
    parts = [text[:_EDGE], text[-_EDGE:].partition(b"\n")[2]] if len(text) > _EDGE else [text]
    for part in parts:
        for line in part.decode("utf-8", "replace").split("\n"):
            found = opened(line)
            when = found.at(wanted.zone, wanted.near) if found is not None else None
            if found is not None and when is not None:
                keeper.see(when, found.host, counts)


def _told(message: str, tail: str, found: frozenset[str]) -> ToldEvent | None:
    """What a message tells; where its first line alone tells nothing, with the lines that continue it."""
    return told_by(message, found) or (told_by(f"{message} {tail}") if tail else None)


def _edges(keeper: Keeper) -> tuple[str, str] | None:
    """The time asked for as stamps begin, so that lines outside of it are passed over; None for no limits."""
    wanted = keeper.wanted
    if wanted.start is None or wanted.end is None:
        return None
    return f"{wanted.start:%Y-%m-%dT%H:%M:%S}", f"{wanted.end:%Y-%m-%dT%H:%M:%S}"


def _named(told: ToldEvent, about: Entity | None) -> tuple[Entity, ...]:
    """The VM of a vmware.log, where the line is about a VM and names none."""
    if about is None or event_kind(told.kind).entity != "vm":
        return ()
    return () if any(each.kind in {"vm", "vmx"} for each in told.things) else (about,)


def interesting(
    source: Source, counts: Counts, see: Callable[[bytes], None] | None = None
) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Lines in which words of a known kind stand, what continues each, and these words; every line is counted.

    Args:
        source: The log.
        counts: Counts its lines.
        see: Gets each block of whole lines.
    """
    left, is_cut = b"", False
    while block := source.read(_BLOCK):
        counts.lines += block.count(b"\n")
        if is_cut:  # the rest of a line without an end
            _, ended, block = block.partition(b"\n")
            is_cut = not ended
            if is_cut:
                continue
        data = left + block
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _BLOCK:
            left, is_cut = b"", True
            yield from _hits(data[:_MOST_LINE])
            continue
        left = data[end:]
        if see is not None:
            see(data[:end])
        yield from _hits(data[:end])
    if left:
        counts.lines += 1
        if see is not None:
            see(left)
        yield from _hits(left)


def _hits(data: bytes) -> Iterator[tuple[str, str, frozenset[str]]]:
    if not data:
        return
    lines = _lines(data)
    hits = lines.str.contains(_words()).arg_true()
    some, behind = lines.gather(hits), lines.shift(-1).gather(hits)
    # All at once: to look for two hundred words in one line after the other takes ten times as long.
    found = some.str.extract_many(list(needles()), overlapping=True)
    for number, line, after, words in zip(
        hits.to_list(), some.to_list(), behind.to_list(), found.to_list(), strict=True
    ):
        tail = _continuation(lines, number + 1) if after and "-->" in after[:_ARROW] else ""
        yield line[:_MOST_LINE].rstrip("\r"), tail, frozenset(words)


def _lines(data: bytes) -> pl.Series:
    """The lines of a block; bytes that are not valid UTF-8 are replaced."""
    import polars as pl

    try:
        block = pl.Series([data]).cast(pl.String)
    except pl.exceptions.PolarsError:
        block = pl.Series([data.decode("utf-8", "replace")])
    return block.str.split("\n").explode()


@cache
def _words() -> str:
    """A regular expression that finds each of the needles; how many there are makes no difference to its speed."""
    return "|".join(re.escape(needle) for needle in needles())


def _continuation(lines: pl.Series, number: int) -> str:
    """The lines behind one that continue it: `-->`, with or without an envelope."""
    parts: list[str] = []
    while len(parts) < _CONTINUED and number < len(lines):
        line = lines[number][:1024]
        at = line.find("-->", 0, _ARROW)
        if at < 0 or (at and ": " not in line[:at]):
            break
        parts.append(line[at + 3 :].strip())
        number += 1
    return " ".join(parts)
