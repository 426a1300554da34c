"""One host's capture, segment by segment, through interruptions, to the last sample that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from esxprobe.collect.command import STOP, CapturePlan, command_line, most_plain
from esxprobe.collect.retry import Retry, may_pass
from esxprobe.collect.segment import FinishedSegment, Progress, SegmentRun, TooWideError
from esxprobe.collect.stream_to_file import Clockwork, Link, StopRequest, stream_to_file
from esxprobe.collect.vm_filter import limit_to, limited_line
from esxprobe.errors import ConnectionLostError, EsxprobeError, HostError
from esxprobe.model.manifest import Gap


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

    segments: tuple[FinishedSegment, ...]
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


class _HostJob:
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
        self.segments: list[FinishedSegment] = []
        self.gaps: list[Gap] = []
        self.seen = 0  # whole intervals
        self._packed = plan.packed
        self._no_limit = ""  # why esxtop there cannot be limited to some VMs
        self._retry = Retry()
        self._begun = clockwork.now()
        self._lost_at: float | None = None

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
                    self._lost_at = None
            if trouble is not None:
                error = self._after(trouble)
        whole = self.plan.next_rows(self.seen) == 0
        return HostCapture(
            tuple(self.segments), tuple(self.gaps), whole, self.stop.is_set(), None if whole else error
        )

    def _segment(self, rows: int) -> tuple[FinishedSegment, EsxprobeError | None]:
        """Runs esxtop once; gives the segment, and what kept it from going on as planned."""
        shell = self.link.shell()
        limit = limit_to(shell, self.plan.vms) if self.plan.vms and not self._no_limit else None
        packed, interval_s = bool(self._packed), self.plan.interval_s
        run = SegmentRun(len(self.segments), rows, self.folder, self.clockwork.now, packed=packed)
        if self._packed is None:
            run.most_plain = most_plain(interval_s)
        command = (
            limited_line(interval_s, rows, limit, packed=packed)
            if limit
            else command_line(interval_s, rows, packed=packed)
        )
        path = self.folder / run.file
        end = stream_to_file(
            shell,
            command,
            path,
            stop=StopRequest(self.stop, STOP),
            seen=run.seen,
            room=run.check,
            tick=partial(self._tick, run),
            packer=run.packer,
        )
        if isinstance(end.error, TooWideError):
            path.unlink()
            self._packed = True
            return self._segment(rows)
        if limit and not run.peek.rows and end.error is None and not end.stopped:
            self._kept(run)  # a file without a sample stays only where something came
            self._no_limit = run.segment(command, end, "", limit).reason
            return self._segment(rows)
        if run.peek.rows:
            self._packed = packed  # as this one, the next ones
        segment = run.segment(command, end, self._kept(run), limit, no_limit=self._no_limit)
        if self.segments:
            last = self.segments[-1]
            why = last.reason or "planned"
            self.gaps.append(Gap(last.file, segment.file, round(segment.started - last.ended, 3), why))
        self._tick(run)
        self.segments.append(segment)
        if segment.outcome == "whole" or end.stopped:
            if end.error is not None:  # all is there, and then the connection went
                self.link.drop()
            return segment, None
        return segment, end.error or _unfinished(self.host, segment)

    def _tick(self, run: SegmentRun) -> None:
        age_s = max(self.clockwork.now() - run.fresh, 0.0)
        left_s = self.plan.remaining_s(self.seen + max(run.peek.rows - 1, 0))
        done = self.segments
        held = "" if run.packer or run.peek.rows else "waiting for gzip's first block"
        self.progress(
            Progress(
                self.host,
                run.number,
                sum(s.samples for s in done) + run.peek.rows,
                sum(s.samples for s in done) + self.plan.rows(self.seen),
                sum(s.bytes for s in done) + run.bytes,
                age_s,
                max(left_s - age_s, 0.0),
                note=held,
            )
        )

    def _kept(self, run: SegmentRun) -> str:
        """Name of a segment's file. A file without a single sample cannot be read: it is renamed or deleted."""
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
        now = self.clockwork.now()
        self._lost_at = now if self._lost_at is None else self._lost_at
        until, given = self._until()
        wait_s = self._retry.wait_s(trouble, longer=now < until)
        if wait_s is None or (given and now >= until):
            return self._given_up(trouble, now) if may_pass(trouble) else trouble
        self._tell_wait(trouble, until)
        self.clockwork.wait(min(wait_s, until - now) if given else wait_s, self.stop)
        return None

    def _until(self) -> tuple[float, bool]:
        """Until when a lost connection is tried again [s since 1970], and whether an option sets it."""
        assert self._lost_at is not None  # noqa: S101  (only asked after a failure)
        if self.plan.retry_for_s is not None:
            return self._lost_at + self.plan.retry_for_s, True
        known = bool(self.link.records)  # a host that was never reached will hardly come
        return (self._begun + self.plan.duration_s if known else 0.0), False

    def _tell_wait(self, trouble: EsxprobeError, until: float) -> None:
        assert self._lost_at is not None  # noqa: S101  (only asked after a failure)
        samples, plan = sum(s.samples for s in self.segments), self.plan
        trying = f", trying until {_utc(until)}" if until > self._lost_at else ", trying again"
        note = f"no esxtop since {_utc(self._lost_at)}{trying}: {trouble.message}"
        asked, size = samples + plan.rows(self.seen), sum(s.bytes for s in self.segments)
        age_s = max(self.clockwork.now() - self._lost_at, 0.0)
        left_s = float(plan.remaining_s(self.seen))
        self.progress(Progress(self.host, len(self.segments), samples, asked, size, age_s, left_s, "waiting", note))

    def _given_up(self, trouble: EsxprobeError, now: float) -> EsxprobeError:
        """The error of an outage that lasted too long: what happened first, not only what was tried last."""
        if not self.segments or self._lost_at is None or now - self._lost_at < 1.0:
            return trouble
        lasted = f"the connection was lost at {_utc(self._lost_at)} and did not come back within"
        return type(trouble)(
            f"{self.host}: {lasted} {now - self._lost_at:.0f} s; the last attempt: {trouble.message}",
            hint="data received before is kept and can be read; use --retry-for 2h to wait longer",
        )


def _unfinished(host: str, segment: FinishedSegment) -> HostError:
    """The error of a segment that ended by itself, too early: worth another try once it gave something."""
    message = f"{host}: {segment.reason}"
    if segment.samples > 1:
        return ConnectionLostError(
            message, hint="esxtop or gzip ended on the host; check the host's memory and logs"
        )
    hint = "check that this is an ESXi host and that the account has the Administrator role. Run: esxprobe check"
    return HostError(message, hint=hint)


def _utc(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S} UTC"


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
    return _HostJob(
        host, plan, folder, link, stop=stop, progress=progress, clockwork=clockwork or Clockwork()
    ).run()
