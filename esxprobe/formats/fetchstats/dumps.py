"""Where one FetchStats begins and ends in a file: Azure's CSV of them, or the service's texts, one after the other.

Azure VMware Solution's `Get-EsxtopData` writes rows `"time",number,"<FetchStats, quotes doubled>"` with the text's
own line breaks inside. The file is taken line by line, so that a damaged row costs its own FetchStats and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.fetchstats.fields import KNOWN, Layout, TypeLayout, info_line
from esxprobe.formats.issues import QualityIssues

_BLOCK = 1 << 20
# A line of the service is a hundred numbers and a name or two; a FetchStats of a large host has a few MB [bytes].
_LONGEST_LINE = 1 << 16
_LONGEST_DUMP = 32 << 20

_OBJECTS, _VALUES = "==NUM-OF-OBJ==", "==COUNTER-VALUE=="
_TITLE = re.compile(rb'(?:\xef\xbb\xbf)?\s*"?Timestamp"?[,;]"?SampleNumber"?[,;]"?RawData"?\s*?\n', re.IGNORECASE)
_SERVICE = re.compile(rb"^(?:==(?:NUM-OF-OBJ|COUNTER-VALUE)==\r?$|\|Server\|\w+,[US]64\|)", re.MULTILINE)
_HOST = re.compile(r"# host (\S{1,253})")
_ROW = re.compile(r'"?[^",;|]{0,40}"?[,;]"?\d{1,9}"?[,;]"(.*)')


def is_service_text(head: bytes) -> bool:
    """Whether a file is raw counters of the service, told by its first 64 KB."""
    if b"(PDH-CSV" in head[:4096]:
        return False
    return _TITLE.match(head) is not None or _SERVICE.search(head) is not None


def host_line(host: str) -> str:
    """A line before CounterInfo that names the host, for the service's text does not."""
    return "# host " + re.sub(r"\s", "_", host)


class Text(Protocol):
    """Text of a file, block by block."""

    def read(self, size: int) -> bytes:
        """About so many bytes more, empty at the end."""
        ...


@dataclass(slots=True)
class RawDump:
    """One FetchStats, line by line.

    Attributes:
        line: The line of the file that it begins in.
        layout: Types that a CounterInfo before it names; empty without one.
        objects: Lines of `==NUM-OF-OBJ==`: what the host holds.
        values: Lines of `==COUNTER-VALUE==`, each with its number in the file.
        parts: Which of the two sections were met.
    """

    line: int
    layout: Layout
    objects: list[str] = field(default_factory=list)
    values: list[tuple[int, str]] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)


class DumpReader:
    """Takes the dumps out of a file.

    Args:
        path: The file, for errors.
        text: Its text.
        issues: Counts lines that are part of no dump.

    Attributes:
        layout: The types of the last CounterInfo.
        host: The host that a line of ours names, empty without one.
    """

    def __init__(self, path: Path, text: Text, issues: QualityIssues) -> None:
        self._path, self._text, self._issues = path, text, issues
        self.layout: dict[str, TypeLayout] = {}
        self.host = ""
        self._azure = False
        self._size = 0

    def dumps(self) -> Iterator[RawDump]:
        """The dumps in the file's order.

        Raises:
            UnreadableInputError: One is longer than any host's.
        """
        running: RawDump | None = None
        for number, raw in self._lines():
            begins, line = self._undressed(number, raw)
            again = line == _OBJECTS or (line == _VALUES and running is not None and _VALUES in running.parts)
            if begins or again:
                if running is not None and running.parts:
                    yield running
                running = RawDump(number, dict(self.layout))
                self._size = 0
            if line in {_OBJECTS, _VALUES}:
                running = running or RawDump(number, dict(self.layout))
                running.parts.add(line)
            elif line:
                running = self._line(running, number, line)
        if running is not None and running.parts:
            yield running

    def _line(self, running: RawDump | None, number: int, line: str) -> RawDump | None:
        """Puts a line where it belongs; gives the dump that runs behind it, for CounterInfo ends one."""
        if running is not None:
            self._size += len(line)
            if self._size > _LONGEST_DUMP:
                raise UnreadableInputError(
                    f"{self._path}: the FetchStats from line {running.line:,} exceeds {_LONGEST_DUMP >> 20} MB",
                    hint="no host's is: check how the file was made",
                )
        if running is None and (found := _HOST.fullmatch(line)):
            self.host = found[1]
            return running
        if "," in line and (info := info_line(line)) is not None:
            if info.name in KNOWN:  # of other types nothing is derived
                self.layout[info.name] = info
                if running is not None and not running.values:
                    running.layout = dict(self.layout)
            return running
        if running is None or not running.parts:
            self._issues.add("junk-line", 1, f"line {number:,}, before the first FetchStats")
        elif _VALUES in running.parts:
            running.values.append((number, line))
        else:
            running.objects.append(line)
        return running

    def _undressed(self, number: int, line: str) -> tuple[bool, str]:
        """A line without what Azure's CSV adds to it, and whether a row of the CSV begins with it."""
        # Files of one host that were joined have one each.
        if (number == 1 or self._azure) and "RawData" in line and _TITLE.match(line.encode() + b"\n"):
            self._azure = True
            return False, ""
        if not self._azure:
            return False, line
        begins = False
        if not line.startswith(("|", "=")) and (found := _ROW.fullmatch(line)):
            begins, line = True, found[1]
        bare = line.replace('""', "")
        if bare.count('"') % 2 and line.endswith('"'):
            line = line[:-1]
        return begins, line.replace('""', '"').strip()

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Lines with their numbers, without line ends; those that are too long for any are counted instead."""
        rest, number, too_long = b"", 0, False
        while block := self._text.read(_BLOCK):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for line in lines:
                number += 1
                if too_long or len(line) > _LONGEST_LINE:
                    self._too_long(number)
                    too_long = False
                else:
                    yield number, _decoded(line)
            if len(rest) > _LONGEST_LINE:
                rest, too_long = b"", True
        if too_long:
            self._too_long(number + 1)
        elif rest:
            yield number + 1, _decoded(rest)

    def _too_long(self, number: int) -> None:
        self._issues.add("service-line", 1, f"line {number:,} is longer than {_LONGEST_LINE:,} bytes")


def _decoded(line: bytes) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode("cp1252", errors="replace")
    return text.strip("\r\x00\ufeff ")
