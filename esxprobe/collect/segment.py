"""One run of esxtop: what is known of it while it runs, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from esxprobe.collect.gzip_progress import GzipPeek, PlainPeek
from esxprobe.collect.room import SegmentRoom
from esxprobe.collect.saying import last_line
from esxprobe.collect.stream_packer import StreamPacker
from esxprobe.collect.stream_to_file import StreamEnd
from esxprobe.errors import HostError
from esxprobe.files.json_records import NOT_WRITTEN, UnixTime
from esxprobe.model.manifest import Limit, Segment


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedSegment(Segment):
    """A segment of ours, of which everything is known.

    Attributes:
        no_limit: Why it has everything although it was to be limited; the manifest has it as a note.
    """

    started: UnixTime
    ended: UnixTime
    asked: int
    samples: int
    bytes: int
    no_limit: str = field(default="", metadata=NOT_WRITTEN)


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
    ) -> FinishedSegment:
        """What became of it."""
        reason = _shortcoming(self.peek, self.rows, end)
        return FinishedSegment(
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
