"""One host's capture, segment by segment, through interruptions, to the last sample that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from esxprobe.collect.command import STOP, CapturePlan, command_line
from esxprobe.collect.limit import Limit, limit_to, limited_line
from esxprobe.collect.peek import GzipPeek
from esxprobe.collect.pump import Clockwork, Link, Pumped, pump
from esxprobe.collect.retry import Retry, may_pass
from esxprobe.collect.room import SegmentRoom
from esxprobe.errors import ConnectionLostError, EsxprobeError, HostError


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
    """

    host: str
    segment: int
    samples: int
    asked: int
    bytes: int
    age_s: float
    left_s: float


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


@dataclass(frozen=True, slots=True)
class HostCapture:
    """What became of the capture of one host.

    Attributes:
        segments: The runs of esxtop, in order.
        gaps: The times between them.
        whole: Whether every interval that was asked for is there.
        stopped: Whether it was ended on request.
        error: What ended it before its time, None otherwise.
    """

    segments: tuple[Segment, ...]
    gaps: tuple[Gap, ...]
    whole: bool
    stopped: bool
    error: EsxprobeError | None

    @property
    def samples(self) -> int:
        """Whole samples received, over all segments."""
        return sum(segment.samples for segment in self.segments)

    @property
    def interval_s(self) -> float | None:
        """Mean interval over all segments, each one weighed by its intervals [s], None when unknown."""
        known = [(s.interval_s, s.samples - 1) for s in self.segments if s.interval_s is not None]
        count = sum(weight for _, weight in known)
        return round(sum(interval * weight for interval, weight in known) / count, 3) if count else None


class _Run:
    """A segment while it runs: counts what passes and tells the progress."""

    def __init__(self, job: _Job, rows: int) -> None:
        self._job = job
        self.rows, self.peek = rows, GzipPeek()
        self.room = SegmentRoom(self.peek, rows, job.folder)
        self.number = len(job.segments)
        self.file = f"esxtop-{self.number:03}.csv.gz"
        self.bytes = 0
        self.started = self._fresh = job.clockwork.now()

    def seen(self, piece: bytes) -> None:
        before = self.peek.rows
        self.bytes += len(piece)
        self.peek.feed(piece)
        if self.peek.rows > before:
            self._fresh = self._job.clockwork.now()

    def tick(self) -> None:
        done, plan = self._job.segments, self._job.plan
        age_s = max(self._job.clockwork.now() - self._fresh, 0.0)
        left_s = plan.remaining_s(self._job.seen + max(self.peek.rows - 1, 0))
        self._job.progress(
            Progress(
                self._job.host,
                self.number,
                sum(s.samples for s in done) + self.peek.rows,
                sum(s.samples for s in done) + plan.rows(self._job.seen),
                sum(s.bytes for s in done) + self.bytes,
                age_s,
                max(left_s - age_s, 0.0),
            )
        )

    def segment(self, command: str, end: Pumped, file: str, limit: Limit | None) -> Segment:
        reason = _shortcoming(self.peek, self.rows, end)
        return Segment(
            file=file,
            command=command,
            started=self.started,
            ended=self._job.clockwork.now(),
            asked=self.rows,
            samples=self.peek.rows,
            bytes=end.bytes,
            outcome="partial" if reason else "whole",
            reason=reason,
            interval_s=self.peek.interval_s,
            stderr=end.stderr,
            limit=limit,
            most_bytes=self.room.most_bytes,
        )


def _shortcoming(peek: GzipPeek, rows: int, end: Pumped) -> str:
    """Why a segment is not whole; empty when it is. Exit codes are not asked: a pipe hides esxtop's."""
    if peek.has_trailer and peek.rows == rows and not peek.ends_mid_line:
        return ""
    if end.error is not None:
        return end.error.message
    if end.stopped:
        return f"stopped on request after {peek.rows} of {rows} samples"
    if peek.damage:
        return f"what came is no gzip stream: {peek.damage}"
    said = f": {end.stderr.splitlines()[-1]}" if end.stderr else ""
    if not peek.has_trailer:
        return f"the stream ended without a gzip trailer after {peek.rows} of {rows} samples{said}"
    return f"esxtop ended after {peek.rows} of {rows} samples{said}"


class _Job:
    """One capture on its way."""

    def __init__(
        self,
        host: str,
        plan: CapturePlan,
        folder: Path,
        link: Link,
        *,
        stop: threading.Event,
        progress: Callable[[Progress], None],
        clockwork: Clockwork,
    ) -> None:
        self.host, self.plan, self.folder, self.link = host, plan, folder, link
        self.stop, self.progress, self.clockwork = stop, progress, clockwork
        self.segments: list[Segment] = []
        self.gaps: list[Gap] = []
        self.seen = 0  # whole intervals
        self._retry = Retry()

    def run(self) -> HostCapture:
        error: EsxprobeError | None = None
        while not self.stop.is_set() and error is None and (rows := self.plan.next_rows(self.seen)):
            try:
                segment, trouble = self._segment(rows)
            except EsxprobeError as cannot:  # no connection: there is no segment
                trouble = cannot
            else:
                self.seen += max(segment.samples - 1, 0)
                if segment.samples > 1:
                    self._retry.progressed()
            if trouble is not None:
                error = self._after(trouble)
        whole = self.plan.next_rows(self.seen) == 0
        return HostCapture(
            tuple(self.segments), tuple(self.gaps), whole, self.stop.is_set(), None if whole else error
        )

    def _segment(self, rows: int) -> tuple[Segment, EsxprobeError | None]:
        """Runs esxtop once; gives the segment, and what stands in the way of going on as planned."""
        shell = self.link.shell()
        limit = limit_to(shell, self.plan.vms) if self.plan.vms else None
        run = _Run(self, rows)
        command = (
            limited_line(self.plan.interval_s, rows, limit) if limit else command_line(self.plan.interval_s, rows)
        )
        path = self.folder / run.file
        end = pump(
            shell,
            command,
            path,
            stop=self.stop,
            farewell=STOP,
            seen=run.seen,
            room=run.room.check,
            tick=run.tick,
        )
        segment = run.segment(command, end, self._kept(run), limit)
        if self.segments:
            last = self.segments[-1]
            why = last.reason or "planned"
            self.gaps.append(Gap(last.file, segment.file, round(segment.started - last.ended, 3), why))
        run.tick()
        self.segments.append(segment)
        if segment.outcome == "whole" or end.stopped:
            if end.error is not None:  # all is there, and then the connection went
                self.link.drop()
            return segment, None
        return segment, end.error or _unfinished(self.host, segment)

    def _kept(self, run: _Run) -> str:
        """Name of a segment's file. Without a single sample nobody can read it: then it gets another, or goes."""
        path = self.folder / run.file
        if run.peek.rows or not path.exists():
            return run.file
        if not run.bytes:
            if not path.stat().st_size:
                path.unlink()
            return ""
        return path.rename(path.with_name(f"{run.file}.cut")).name

    def _after(self, trouble: EsxprobeError) -> EsxprobeError | None:
        """Waits after a failure that can pass; gives the error where there is nothing to wait for."""
        if self.stop.is_set():
            return None
        if may_pass(trouble):
            self.link.drop()
        wait_s = self._retry.wait_s(trouble)
        if wait_s is None:
            return trouble
        self.clockwork.wait(wait_s, self.stop)
        return None


def _unfinished(host: str, segment: Segment) -> HostError:
    """The error of a segment that ended by itself, too early: worth another try once it gave something."""
    message = f"{host}: {segment.reason}"
    if segment.samples > 1:
        return ConnectionLostError(message, hint="esxtop or gzip ended on the host: look at its memory and logs")
    hint = "is this an ESXi host, and may this account run esxtop? Try: esxprobe check"
    return HostError(message, hint=hint)


def capture_host(
    host: str,
    plan: CapturePlan,
    folder: Path,
    link: Link,
    *,
    stop: threading.Event,
    progress: Callable[[Progress], None] = lambda _: None,
    clockwork: Clockwork | None = None,
) -> HostCapture:
    """Captures esxtop's output of one host into `esxtop-000.csv.gz` and so on.

    The bytes are those that the host sent. A segment that a lost connection cut off is kept; another one with
    the samples that are missing follows after a while. Failures are in the result, not raised.

    Args:
        host: The host's name, for the progress.
        plan: What to capture.
        folder: An existing folder without such files.
        link: The connection; it is left open, except after a failure.
        stop: Ends the capture; what came until then is kept.
        progress: Told where it stands about ten times a second, from another thread while a segment runs.
        clockwork: Our clock and how to wait.
    """
    return _Job(host, plan, folder, link, stop=stop, progress=progress, clockwork=clockwork or Clockwork()).run()
