"""A host captured over vSphere's API: CounterInfo once, FetchStats each interval, as they come, into a folder.

The file is gzip, a member for each answer, so that what was written stays readable whatever happens. FetchStats
holds the host's own time: after an outage the same file goes on, and the interval that spans the outage is known.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from esxprobe.capture import all_described, save_manifest
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.host import HostCapture
from esxprobe.collect.manifest_record import Record
from esxprobe.collect.retry import Retry
from esxprobe.collect.segment import FinishedSegment, Progress
from esxprobe.collect.session import RESERVE, new_folder
from esxprobe.collect.stream_to_file import Clockwork, no_room
from esxprobe.collect.task import HostOutcome, Tell
from esxprobe.errors import EsxprobeError, HostError
from esxprobe.formats.fetchstats.dumps import host_line
from esxprobe.formats.fetchstats.fields import TypeLayout, info_line
from esxprobe.model.manifest import Gap

FILE = "fetchstats-000.txt.gz"
_COMMAND = "ServiceManager Esxtop: ExecuteSimpleCommand CounterInfo, FetchStats, FreeStats"
# After a failure the host is tried until the capture was to end, and that long at least [s].
_LEAST_S = 60.0
_VALUES = "==COUNTER-VALUE=="
_STAMP = "TimeStampInUsec"
_SERVER = re.compile(r"^\|Server\|.*$", re.MULTILINE)
# An answer that is longer is not a host's [bytes].
_LONGEST = 128 << 20


class Service(Protocol):
    """The service of a host, logged in."""

    build: str

    def counter_info(self) -> str:
        """Types and fields of the counters."""
        ...

    def fetch_stats(self) -> str:
        """All counters as they are now."""
        ...

    def close(self) -> None:
        """Logs out."""
        ...


@dataclass(frozen=True, slots=True)
class ApiTask:
    """What is to be collected from one host.

    Attributes:
        host: Its name.
        plan: How much.
        connect: Opens a login; called again after the connection was lost.
    """

    host: str
    plan: CapturePlan
    connect: Callable[[], Service]


def collect_api(
    task: ApiTask,
    out: Path,
    *,
    tool_version: str,
    stop: threading.Event,
    progress: Callable[[Progress], None] = lambda _: None,
    clockwork: Clockwork | None = None,
    tell: Tell = lambda _: None,
) -> HostOutcome:
    """Collects one host into a new folder `<out>/<host>-<UTC stamp>/`.

    Whatever goes wrong is in the outcome, not raised.

    Args:
        task: What to collect.
        out: Where the folder is made.
        tool_version: Goes into the manifest.
        stop: Ends it cleanly; what came until then is kept.
        progress: Is called with where the capture stands.
        clockwork: Our clock and how to wait.
        tell: Is called with what became of the host.
    """
    clockwork = clockwork or Clockwork()
    job = _ApiJob(task, stop, progress, clockwork)
    progress(Progress(task.host, 0, 0, task.plan.rows(), 0, 0.0, float(task.plan.duration_s), "connecting"))
    try:
        job.connect()  # before there is a folder: a host that refuses the login leaves nothing here
        outcome = job.run(new_folder(out, task.host, clockwork.now()), tool_version)
    except EsxprobeError as error:
        outcome = HostOutcome(task.host, "failed", None, 0, task.plan.rows(), 0, stop.is_set(), error)
    finally:
        job.close()
    tell(outcome)
    return outcome


class _ApiJob:
    """One capture on its way."""

    def __init__(
        self, task: ApiTask, stop: threading.Event, progress: Callable[[Progress], None], clockwork: Clockwork
    ) -> None:
        self._task, self._stop, self._progress, self._clockwork = task, stop, progress, clockwork
        self._service: Service | None = None
        self._retry = Retry()
        self._server: TypeLayout | None = None
        self._stamps: list[int] = []  # the host's time of each sample, since its start [us]
        self._gaps: list[Gap] = []
        self._bytes = 0
        self._build = ""

    def connect(self) -> Service:
        """The login; a new one where there is none."""
        if self._service is None:
            self._service = self._task.connect()
            self._build = self._service.build or self._build
        return self._service

    def close(self) -> None:
        """Logs out."""
        service, self._service = self._service, None
        if service is not None:
            service.close()

    def run(self, folder: Path, tool_version: str) -> HostOutcome:
        """Fills the folder."""
        record = Record(self._task.host, self._task.plan, self._clockwork.now())
        started, error = record.started, None
        try:
            save_manifest(folder, record.manifest(tool_version, "running"))
            self._show("capturing")
            error = self._collect(folder)
        except EsxprobeError as trouble:
            error = trouble
        except OSError as trouble:
            error = no_room(folder, trouble)
        record.ended = self._clockwork.now()
        record.capture = self._capture(started, record.ended, error)
        record.build = self._build
        self._show("closing")
        self.close()
        with suppress(OSError):
            (folder / RESERVE).unlink()
        try:
            record.files = all_described(folder)
            save_manifest(folder, record.manifest(tool_version, record.state))
        except EsxprobeError as trouble:
            error = error or trouble
        capture, samples = record.capture, len(self._stamps)
        return HostOutcome(
            self._task.host,
            record.state,
            folder,
            samples,
            self._task.plan.rows(),
            self._bytes,
            self._stop.is_set(),
            error,
            notes=record.all_notes(),
            interval_s=capture.interval_s,
            gaps=len(self._gaps),
        )

    def _capture(self, started: float, ended: float, error: EsxprobeError | None) -> HostCapture:
        """What became of it, in the words of a capture by esxtop: one run."""
        samples, rows = len(self._stamps), self._task.plan.rows()
        whole = samples == rows and error is None
        span_us = self._stamps[-1] - self._stamps[0] if self._stamps else 0
        interval_s = round(span_us / 1e6 / (samples - 1), 3) if samples > 1 and span_us > 0 else None
        stopped = self._stop.is_set()
        reason = (
            "" if whole else error.message if error else f"stopped on request after {samples} of {rows} samples"
        )
        if not whole and error is None and not stopped:
            reason = f"{samples} of {rows} samples: the host did not answer in between"
        outcome = "whole" if whole else "partial"
        made = FinishedSegment(
            file=FILE,
            command=_COMMAND,
            started=started,
            ended=ended,
            asked=rows,
            samples=samples,
            bytes=self._bytes,
            outcome=outcome,
            reason=reason,
            interval_s=interval_s,
            packed="here",
        )
        return HostCapture((made,) if samples else (), tuple(self._gaps), whole, stopped, error)

    def _collect(self, folder: Path) -> EsxprobeError | None:
        """Samples until all that were asked for are there, or a stop is; gives what ended it before.

        Samples that were due while the host did not answer, or was late, are not made up for: asked again at once,
        the service gives what it counted before.
        """
        plan, number, began = self._task.plan, 0, self._clockwork.now()
        lost: tuple[float, str] | None = None  # since when the host has not answered, and why
        with (folder / FILE).open("xb") as file:
            while number < plan.rows() and not self._stop.is_set():
                self._wait_until(began + number * plan.interval_s)
                if self._stop.is_set():
                    break
                asked = self._clockwork.now()
                try:
                    self._sample(file)
                except HostError as error:
                    lost = lost or (self._clockwork.now(), error.message)
                    if (ended := self._again(error, began)) is not None:
                        self._was_lost(lost, "")
                        return ended
                    number = max(number, int((self._clockwork.now() - began) // plan.interval_s))
                    continue
                now = self._clockwork.now()
                if number == 0:
                    began = now  # CounterInfo came with the first answer
                late = int((now - began) // plan.interval_s) - number
                if late > 0 and lost is None:
                    lost = asked, f"{self._task.host} does not answer within {now - asked:.0f} s"
                self._was_lost(lost, FILE)
                lost, number = None, number + 1 + max(late, 0)
                self._show("capturing")
        self._was_lost(lost, "")
        return None

    def _was_lost(self, lost: tuple[float, str] | None, before: str) -> None:
        """Takes down a time without answers, which nothing follows where `before` is empty."""
        if lost is not None:
            since, why = lost
            after = FILE if self._stamps else ""
            self._gaps.append(Gap(after, before, round(self._clockwork.now() - since, 3), why))

    def _again(self, error: HostError, began: float) -> EsxprobeError | None:
        """Waits and logs in again as often as it takes; gives what ends the capture, None when it goes on."""
        plan = self._task.plan
        now = self._clockwork.now()
        planned = max(began + plan.duration_s, now + _LEAST_S)
        until = planned if plan.retry_for_s is None else now + plan.retry_for_s
        while not self._stop.is_set():
            with suppress(HostError):
                self.close()
            wait_s = self._retry.wait_s(error, longer=True)
            if wait_s is None or self._clockwork.now() + wait_s > until:
                return error
            self._show("waiting", error.message)
            self._clockwork.wait(wait_s, self._stop)
            try:
                self.connect()
            except HostError as trouble:
                error = trouble
            else:
                return None
        return None

    def _wait_until(self, moment: float) -> None:
        left = moment - self._clockwork.now()
        if left > 0:
            self._clockwork.wait(left, self._stop)

    def _sample(self, file: IO[bytes]) -> None:
        """Asks for one FetchStats and writes it; before the first one CounterInfo.

        Raises:
            HostError: The host does not answer, or with something else.
        """
        service = self.connect()
        if self._server is None:
            info = service.counter_info()
            layouts = {made.name: made for line in info.splitlines() if (made := info_line(line.strip()))}
            server = layouts.get("Server")
            if server is None or dict(zip(server.fields, server.kinds, strict=True)).get(_STAMP) != "U64":
                raise HostError(f"{self._task.host} answers CounterInfo with something else")
            self._write(file, f"{host_line(self._task.host)}\n{info.rstrip()}\n\n")
            self._server = server
        text = service.fetch_stats()
        found = _SERVER.search(text, max(text.find(_VALUES), 0))
        values = self._server.values(found[0].strip()) if found else None
        if values is None or _VALUES not in text or len(text) > _LONGEST:
            raise HostError(f"{self._task.host} answers FetchStats with something else")
        self._write(file, text.rstrip() + "\n")
        self._stamps.append(int(values[self._server.at[_STAMP]]))
        self._retry.progressed()

    def _write(self, file: IO[bytes], text: str) -> None:
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        self._bytes += file.write(packer.compress(text.encode("utf-8", "surrogateescape")) + packer.flush())
        file.flush()

    def _show(self, phase: str, note: str = "") -> None:
        plan, samples = self._task.plan, len(self._stamps)
        left_s = float(max(plan.rows() - samples, 0) * plan.interval_s)
        self._progress(Progress(self._task.host, 0, samples, plan.rows(), self._bytes, 0.0, left_s, phase, note))
