"""One host and its guests, from the first login to the manifest: read it as the manual of a capture.

1. log in, make the folder, write a first manifest,
2. start the guests, each in a thread with a connection of its own; read the host's clock, list its processes,
3. capture esxtop until everything that was asked for is there, or a stop is; fault probes and experiments run in
   guests meanwhile,
4. meanwhile ask the probes on a connection of their own (`beside`),
5. end the guests, take the host's logs of that time, read its clock again, look for what stayed behind,
6. sum up every file in the manifest.

Nothing that a capture can do without comes between the login and esxtop but step 2, which has some seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from esxprobe.capture import all_described, save_manifest
from esxprobe.collect.beside import Asking
from esxprobe.collect.cleanup_check import check_left_behind, others_esxtop
from esxprobe.collect.dryrun import guest_samples, require_vms
from esxprobe.collect.faultruns import FaultRuns
from esxprobe.collect.guests import Guest, capture_guest
from esxprobe.collect.host import capture_host
from esxprobe.collect.log_collection import take_logs
from esxprobe.collect.manifest_record import Record
from esxprobe.collect.naming import safe_name
from esxprobe.collect.probing import ask_clock
from esxprobe.collect.segment import Progress
from esxprobe.collect.stream_to_file import Clockwork, Link, no_room
from esxprobe.collect.task import HostOutcome, HostTask, Notice, Tell
from esxprobe.collect.vms import near, not_among, runs_no
from esxprobe.errors import EsxprobeError
from esxprobe.model.manifest import FaultRun, GuestOutcome

_STAMP = "%Y%m%dT%H%M%SZ"
RESERVE = ".reserve"
_NOTHING_YET = "nothing was captured; free disk space, or use another folder with --out"
# Room for the manifest when the disk has none left.
_RESERVE_BYTES = 512 * 1024
# The host waits for its guests' first samples so long, and for the two questions before it [s].
_FIRST_SAMPLES_S = 6.0
_BEFORE_S = 3.0
# Where another login would need another one-time code, a slow answer is better than a new connection [s].
_BEFORE_WITH_CODE_S = 20.0


@dataclass(frozen=True, slots=True)
class _Ways:
    """How a collection is ended, watched and timed."""

    stop: threading.Event
    progress: Callable[[Progress], None]
    clockwork: Clockwork
    tell: Tell
    fault_run: Callable[[str, FaultRun], None]


def collect_host(
    task: HostTask,
    out: Path,
    *,
    tool_version: str,
    stop: threading.Event,
    progress: Callable[[Progress], None] = lambda _: None,
    fault_run: Callable[[str, FaultRun], None] = lambda _host, _run: None,
    clockwork: Clockwork | None = None,
    tell: Tell = lambda _: None,
) -> HostOutcome:
    """Collects one host and its guests into a new folder `<out>/<host>-<UTC stamp>/`.

    Whatever goes wrong is in the outcome, not raised.

    Args:
        task: What to collect.
        out: Where the folder is made.
        tool_version: Goes into the manifest.
        stop: Ends everything cleanly; what came until then is kept.
        progress: Told where the host's capture stands, from other threads.
        fault_run: Told of each fault probe or experiment before it begins and when it is over, from other threads.
        clockwork: Our clock and how to wait.
        tell: Told what became of each guest and of the host, and what a person should know, as soon as it is known.
    """
    ways = _Ways(stop, progress, clockwork or Clockwork(), tell, fault_run)
    outcome = _collected(task, out, tool_version, ways)
    tell(outcome)
    return outcome


def _collected(task: HostTask, out: Path, tool_version: str, ways: _Ways) -> HostOutcome:
    link = Link(task.connect)
    plan = task.plan
    ways.progress(Progress(task.host, 0, 0, plan.rows(), 0, 0.0, float(plan.duration_s), "connecting"))
    try:
        shell = link.shell()  # before there is a folder: a host that refuses the login leaves nothing here
        if task.plan.vms:
            require_vms(task, shell)
        folder = new_folder(out, task.host, ways.clockwork.now())
        return _Session(task, folder, link, ways).run(tool_version)
    except EsxprobeError as error:
        return HostOutcome(task.host, "failed", None, 0, task.plan.rows(), 0, ways.stop.is_set(), error)
    finally:
        link.drop()


def collect_hosts(
    tasks: Sequence[HostTask],
    out: Path,
    *,
    tool_version: str,
    stop: threading.Event,
    progress: Callable[[Progress], None] = lambda _: None,
    fault_run: Callable[[str, FaultRun], None] = lambda _host, _run: None,
    clockwork: Clockwork | None = None,
    tell: Tell = lambda _: None,
) -> list[HostOutcome]:
    """Collects several hosts at the same time; one outcome each, in the order of the tasks."""

    def one(task: HostTask) -> HostOutcome:
        return collect_host(
            task,
            out,
            tool_version=tool_version,
            stop=stop,
            progress=progress,
            fault_run=fault_run,
            clockwork=clockwork,
            tell=tell,
        )

    with ThreadPoolExecutor(max(len(tasks), 1), "collect") as pool:
        return list(pool.map(one, tasks))


def new_folder(out: Path, host: str, now: float) -> Path:
    """Makes the folder; one that already exists is never written into.

    Raises:
        OutputError: It cannot be made, or has no room for a manifest.
    """
    moment = datetime.fromtimestamp(now, UTC)
    while True:
        folder = out / f"{safe_name(host)}-{moment:{_STAMP}}"
        try:
            folder.mkdir(parents=True)
            _keep_room(folder)
        except FileExistsError:
            if not folder.is_dir():
                raise no_room(folder, FileExistsError(17, "the name is already in use"), _NOTHING_YET) from None
            moment += timedelta(seconds=1)
        except OSError as error:
            raise no_room(folder, error, _NOTHING_YET) from error
        else:
            return folder


def _keep_room(folder: Path) -> None:
    """Makes the reserve; without room for it there is no folder either."""
    try:
        (folder / RESERVE).write_bytes(bytes(_RESERVE_BYTES))
    except OSError:
        (folder / RESERVE).unlink(missing_ok=True)
        folder.rmdir()
        raise


class _Session:
    """One host's collection on its way, in a folder that is there."""

    def __init__(self, task: HostTask, folder: Path, link: Link, ways: _Ways) -> None:
        self._task, self._folder, self._link = task, folder, link
        self._stop, self._progress, self._clockwork, self._tell = (
            ways.stop,
            ways.progress,
            ways.clockwork,
            ways.tell,
        )
        self._fault_run, self._writing, self._version = ways.fault_run, threading.Lock(), ""
        self._record = Record(task.host, task.plan, self._clockwork.now())
        self._others: tuple[str, ...] = ()
        self._no_clock = ""

    def run(self, tool_version: str) -> HostOutcome:
        record, self._version = self._record, tool_version
        self._phase("capturing")
        try:
            save_manifest(self._folder, record.manifest(tool_version, "running"))
            self._collect()
        except EsxprobeError as error:
            record.error = error
        except OSError as error:
            record.error = no_room(self._folder, error)
        finally:
            record.ended = self._clockwork.now()
            record.connections = self._link.records
            with suppress(OSError):
                (self._folder / RESERVE).unlink()
            try:
                record.files = all_described(self._folder)
                save_manifest(self._folder, record.manifest(tool_version, record.state))
            except EsxprobeError as error:
                record.error = record.error or error
        return self._outcome()

    def _collect(self) -> None:
        record, plan = self._record, self._task.plan
        asking = Asking(self._task, self._folder, self._clockwork.now, self._look_for_guests)
        record.questions = asking.questions
        try:
            self._capture(asking)
            if asking.is_open() and not self._stop.is_set():
                self._phase("facts")
            asking.finish(self._link, self._stop)
        finally:
            asking.end("the capture is over")
            record.beside = asking.connections
        record.clock_start = record.clock_start or asking.clock
        if record.clock_start is None:
            record.notes.append(f"the host's clock could not be read at the start: {self._no_clock}")
        capture = record.capture
        if capture is not None and capture.error is not None and not self._link.is_open:
            record.notes.append(
                "the host was abandoned after the connection was lost; its clock and leftover "
                "processes were not checked"
            )
            return  # a login that was refused is not tried once more
        self._phase("closing")
        if self._task.logs and capture is not None and capture.segments and not self._stop.is_set():
            asking.questions.outcomes += take_logs(self._link, self._task.plan, self._folder, self._stop)
        record.clock_end, why = ask_clock(self._link, self._clockwork.now)
        if record.clock_end is None:
            record.notes.append(f"the host's clock could not be read at the end: {why}")
        if capture is not None and capture.segments:
            files = tuple(segment.limit.file for segment in capture.segments if segment.limit)
            record.leftover = check_left_behind(self._link, plan, self._clockwork, files, self._others)

    def _phase(self, phase: str) -> None:
        """Tells what is done beside the capture, with the numbers of the capture."""
        capture, plan = self._record.capture, self._task.plan
        samples = capture.samples if capture else 0
        size = sum(segment.bytes for segment in capture.segments) if capture else 0
        asked = plan.rows() if capture is None or not capture.whole else samples
        left_s = 0.0 if capture else float(plan.duration_s)
        self._progress(Progress(self._task.host, 0, samples, asked, size, 0.0, left_s, phase))

    def _look_for_guests(self, running: Sequence[str]) -> None:
        """A guest of a VM that is not there cannot be related to anything: a person should know now."""
        for name in not_among((guest.vm for guest in self._task.guests), running) if running else ():
            text = (
                f"{runs_no(self._task.host, (name,))}, but the inventory assigns a guest to it "
                f"({near(name, running)})"
            )
            self._record.notes.append(text)
            self._tell(Notice(self._task.host, text))

    def _before(self) -> None:
        """What can only be asked before esxtop starts: little, and not for long."""
        limit_s = _BEFORE_WITH_CODE_S if self._task.needs_code() else _BEFORE_S
        self._record.clock_start, self._no_clock = ask_clock(self._link, self._clockwork.now, timeout_s=limit_s)
        if self._record.clock_start is None:
            self._link.drop()  # esxtop gets a connection on which nothing hung
        else:
            self._others = others_esxtop(self._link, self._task.plan, limit_s)

    def _capture(self, asking: Asking) -> None:
        """Host and guests at the same time: guests first, and a little longer."""
        guests, over = self._task.guests, threading.Event()
        begun = [threading.Event() for _ in guests]
        deadline = self._clockwork.now() + _FIRST_SAMPLES_S
        faults = FaultRuns(
            self._task.faults, guests, self._folder, self._task.plan.interval_s, self._announce, self._clockwork
        )
        with ThreadPoolExecutor(max(len(guests) + len(faults.plans), 1), "guest") as pool:
            running: list[Future[GuestOutcome]] = [
                pool.submit(self._guest, guest, over, event) for guest, event in zip(guests, begun, strict=True)
            ]
            trials: list[Future[tuple[FaultRun, ...]]] = []
            try:
                self._before()
                asking.start(with_clock=self._record.clock_start is None)
                self._await(begun, deadline)
                trials = faults.start(pool, over)
                self._record.capture = capture_host(
                    self._task.host,
                    self._task.plan,
                    self._folder,
                    self._link,
                    stop=self._stop,
                    progress=self._progress,
                    clockwork=self._clockwork,
                )
                if guests and self._record.capture.whole:  # their samples have to reach beyond the host's last one
                    self._clockwork.wait(max(guest.interval_s for guest in guests) + 0.5, self._stop)
            finally:
                over.set()
            self._record.guests = tuple(future.result() for future in running)
            for run in (run for future in trials for run in future.result()):
                self._record.fault_runs[run.vm, run.kind] = run

    def _announce(self, run: FaultRun) -> None:
        """Puts a run into the manifest, on disk, before it may begin."""
        with self._writing:
            self._record.fault_runs[run.vm, run.kind] = run
            save_manifest(self._folder, self._record.manifest(self._version, "running"))
        self._fault_run(self._task.host, run)

    def _guest(self, guest: Guest, over: threading.Event, begun: threading.Event) -> GuestOutcome:
        outcome = capture_guest(
            guest,
            self._folder,
            guest_samples(guest, self._task.plan),
            stop=over,
            begun=begun,
            clockwork=self._clockwork,
            until=self._record.started + self._task.plan.duration_s,
        )
        self._tell(outcome)
        return outcome

    def _await(self, begun: Sequence[threading.Event], deadline: float) -> None:
        """Waits for the guests' first samples, but not for long."""
        for event in begun:
            while not event.wait(0.1) and not self._stop.is_set() and self._clockwork.now() < deadline:
                pass

    def _outcome(self) -> HostOutcome:
        record, capture = self._record, self._record.capture
        return HostOutcome(
            host=self._task.host,
            outcome=record.state,
            folder=self._folder,
            samples=capture.samples if capture else 0,
            asked=self._task.plan.rows(),
            bytes=sum(segment.bytes for segment in capture.segments) if capture else 0,
            stopped=self._stop.is_set(),
            error=record.error or (capture.error if capture else None),
            guests=record.guests,
            fault_runs=tuple(record.fault_runs.values()),
            notes=record.all_notes(),
            interval_s=capture.interval_s if capture else None,
            gaps=sum(gap.reason != "planned" for gap in capture.gaps) if capture else 0,
        )
