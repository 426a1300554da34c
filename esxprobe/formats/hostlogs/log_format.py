"""What a format of logs is: a record, which each module of a format has as `FORMAT`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from esxprobe.formats.hostlogs.envelope import Envelope, opened
from esxprobe.formats.hostlogs.keeper import Counts, Keeper
from esxprobe.formats.source import Source
from esxprobe.model import Entity

_LOOKED_AT = 60
# So many lines with an envelope make a log, whatever follows them.
_FIRST = 6


@dataclass(frozen=True, slots=True)
class LogFormat:
    """A format of logs that events are taken from.

    Attributes:
        name: Short name.
        title: What it is, for docs.
        recognizes: Whether a file's head is of it; at most one format recognizes it.
        read: Takes events out of an opened file: source, keeper, counts, path.
        needs_zone: Whether stamps of a head name no zone.
        is_lines: Whether it is a log of lines: those are asked last, for a table may begin like one.
    """

    name: str
    title: str
    recognizes: Callable[[bytes], bool]
    read: Callable[[Source, Keeper, Counts, Path], None]
    needs_zone: Callable[[bytes], bool]
    is_lines: bool = False


def line_format(
    name: str, title: str, *sources: str, about: Callable[[bytes, Path], Entity | None] | None = None
) -> LogFormat:
    """A format of lines, told by what most of the first ones are.

    Args:
        name: Short name.
        title: What it is.
        sources: Envelopes (see `Envelope.source`) by which it is recognized.
        about: What the whole log is about, by its head and path.
    """

    def recognizes(head: bytes) -> bool:
        return usual_source(head) in sources

    def read(source: Source, keeper: Keeper, counts: Counts, path: Path) -> None:
        from esxprobe.formats.hostlogs.log_lines import read_lines

        read_lines(source, keeper, counts, path, about(source.head, path) if about else None)

    return LogFormat(name, title, recognizes, read, lacks_zone, is_lines=True)


def envelopes(head: bytes) -> list[Envelope]:
    """The envelopes of the first lines; none where most lines have none."""
    lines = [line for line in head.decode("utf-8", "replace").splitlines()[:_LOOKED_AT] if line.strip()]
    # A first line may be cut by rotation, and lines without a stamp continue others.
    plain = [line for line in lines if not line.lstrip().startswith("-->") and not line.startswith((" ", "\t"))]
    found = [made for line in plain if (made := opened(line[:4096])) is not None]
    return found if found and 2 * len(found) >= min(len(plain), _FIRST) - 1 else []


def usual_source(head: bytes) -> str:
    """What most of the first lines are; `syslog` for a mixture, empty for no log."""
    found = envelopes(head)
    if not found:
        return ""
    names = [each.source for each in found]
    usual = max(dict.fromkeys(names), key=names.count)
    if usual in {"vmkernel", "vobd", "hostd"} and any(each.host for each in found):
        return "syslog"
    return usual


def lacks_zone(head: bytes) -> bool:
    """Whether stamps of the first lines name no zone."""
    found = envelopes(head)
    lacking = sum(each.offset is None for each in found)
    return lacking * 2 > len(found)
