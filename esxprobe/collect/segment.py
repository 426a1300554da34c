"""One run of esxtop: what is known of it while it runs, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from esxprobe.collect.gzip_progress import GzipPeek, PlainPeek
from esxprobe.collect.room import SegmentRoom
from esxprobe.collect.saying import last_line
from esxprobe.collect.stream_packer import StreamPacker
from esxprobe.collect.stream_to_file import StreamEnd
from esxprobe.collect.vm_filter import Limit
from esxprobe.errors import HostError


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a capture stands.

    Attributes:
        host: The host's name.
        segment: Number of the segment, from 0.
        samples: Samples so far, over all segments.
        asked: Samples asked for altogether; a segment has a first one of its own.
        bytes: Bytes received so far, over all segments [bytes].
        age_s: Time since the last sample arrived, or since the segment started [s].
        left_s: Time until the last sample when nothing goes wrong [s].
        phase: What is done now: `connecting`, `capturing`, `waiting` for a lost connection, `facts` or `closing`.
        note: More about it, in words.
    """

    host: str
    segment: int
    samples: int
    asked: int
    bytes: int
    age_s: float
    left_s: float
    phase: str = "capturing"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """One run of esxtop.

    Attributes:
        file: Name in the capture folder; one that ends in `.cut` holds no whole sample; empty when nothing came.
        command: Remote command, verbatim.
        started: When it was started, our clock [s since 1970].
        ended: When it ended.
        asked: Samples asked for.
        samples: Whole samples received.
        bytes: Size of the file [bytes].
        outcome: `whole`: the gzip trailer came and every row asked for; else `partial`.
        reason: Why it is partial.
        interval_s: Mean time between its samples by their stamps [s], None when unknown.
        stderr: What the commands said besides.
        limit: The VMs that it was limited to, None for everything.
        no_limit: Why it has everything although it was to be limited.
        packed: Where it was packed: `host` or `here`.
        most_bytes: What it could have grown to before it would have been ended [bytes].
    """

    file: str
    command: str
    started: float
    ended: float
    asked: int
    samples: int
    bytes: int
    outcome: str
    reason: str
    interval_s: float | None
    stderr: str
    limit: Limit | None = None
    no_limit: str = ""
    packed: str = "host"
    most_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without esxtop between two segments.

    Attributes:
        after: File of the segment before it.
        before: File of the segment after it.
        seconds: Its length by our clock [s].
        reason: `planned`, or what interrupted.
    """

    after: str
    before: str
    seconds: float
    reason: str


class TooWideError(HostError):
    """A run that was begun plain has samples that are better packed on the host."""


class SegmentRun:
    """A segment while it runs: counts what passes.

    Attributes:
        peek: What has come.
        packer: Packs here what is not packed on the host.
        bytes: Bytes written so far [bytes].
        fresh: When the last sample came [s since 1970], at first the start.
    """

    def __init__(self, number: int, rows: int, folder: Path, now: Callable[[], float], *, packed: bool) -> None:
        self.number, self.rows, self._now = number, rows, now
        self.peek = GzipPeek() if packed else PlainPeek()
        self.packer = None if packed else StreamPacker()
        self._room = SegmentRoom(self.peek, rows, folder)
        self.file = f"esxtop-{number:03}.csv.gz"
        self.bytes = 0
        self.most_plain: float = math.inf
        self.started = self.fresh = now()

    def seen(self, piece: bytes) -> None:
        """Takes a piece that came."""
        before = self.peek.rows
        self.peek.feed(piece)
        if self.peek.rows > before:
            self.fresh = self._now()

    def check(self, written: int) -> None:
        """Looks after each piece whether the run may go on.

        Raises:
            TooWideError: It is to be begun again, packed.
            HostError, OutputError: See `SegmentRoom`.
        """
        self.bytes = written
        if self.peek.rows < 2 and self.peek.raw_bytes > self.most_plain:
            raise TooWideError(f"{self.file} is packed on the host")
        self._room.check(written)

    def segment(
        self, command: str, end: StreamEnd, file: str, limit: Limit | None, *, no_limit: str = ""
    ) -> Segment:
        """What became of it."""
        reason = _shortcoming(self.peek, self.rows, end)
        return Segment(
            file=file,
            command=command,
            started=self.started,
            ended=self._now(),
            asked=self.rows,
            samples=self.peek.rows,
            bytes=end.bytes,
            outcome="partial" if reason else "whole",
            reason=reason,
            interval_s=self.peek.interval_s,
            stderr=end.stderr,
            limit=limit,
            no_limit=no_limit,
            packed="host" if self.packer is None else "here",
            most_bytes=self._room.most_bytes,
        )


def _shortcoming(peek: PlainPeek, rows: int, end: StreamEnd) -> str:
    """Why a segment is not whole; empty when it is. Exit codes are not asked: a pipe hides esxtop's."""
    if peek.has_trailer and peek.rows == rows and not peek.ends_mid_line:
        return ""
    if end.error is not None:
        return end.error.message
    if end.stopped:
        return f"stopped on request after {peek.rows} of {rows} samples"
    if peek.damage:
        return peek.damage
    ending = f": {last_line(end.stderr)}" if end.stderr else ""
    if not peek.has_trailer:
        return f"the stream ended without a gzip trailer after {peek.rows} of {rows} samples{ending}"
    return f"esxtop ended after {peek.rows} of {rows} samples{ending}"
