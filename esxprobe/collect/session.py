"""One host and its guests, from the first login to the manifest: read it as the manual of a capture.

1. log in, make the folder, write a first manifest,
2. read the host's clock, ask the probes,
3. start the guests, each in a thread with a connection of its own, and wait for their first samples,
4. capture esxtop until everything that was asked for is there, or a stop is; fault probes and experiments run in
   guests meanwhile,
5. end the guests, read the host's clock again, look for what stayed behind,
6. sum up every file in the manifest.
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
from esxprobe.collect.asking import Questions, ask_clock
from esxprobe.collect.clock import HOST_CLOCK, ClockReading
from esxprobe.collect.command import PROCESSES, CapturePlan, command_line
from esxprobe.collect.experiment import FaultPlan, FaultRun, probe_command
from esxprobe.collect.facts import PROBES
from esxprobe.collect.faultruns import FaultRuns
from esxprobe.collect.forecast import Forecast, forecast
from esxprobe.collect.guests import Guest, GuestOutcome, capture_guest, guest_command
from esxprobe.collect.host import Progress, capture_host
from esxprobe.collect.leftover import check_left_behind, others_esxtop
from esxprobe.collect.limit import Limit, export_line, limit_to, limited_line, new_token, read_entities, require
from esxprobe.collect.naming import safe_name
from esxprobe.collect.pump import Clockwork, Link, no_room
from esxprobe.collect.record import Record
from esxprobe.collect.shell import Shell
from esxprobe.errors import EsxprobeError

_STAMP = "%Y%m%dT%H%M%SZ"
_RESERVE = ".reserve"
# Room for the manifest when the disk has none left.
_RESERVE_BYTES = 512 * 1024
_FIRST_SAMPLES_S = 20.0
# A guest ends by itself after that much more time than the capture takes [s], should nobody tell it.
_GUEST_SPARE_S = 900


@dataclass(frozen=True, slots=True)
class HostTask:
    """What is to be collected from one host.

    Attributes:
        host: Its name, as the person said it.
        plan: How much.
        connect: Opens a login on it; called again after a connection was lost.
        guests: The guests to ask at the same time.
        faults: Fault probes and experiments to run in some of them.
    """

    host: str
    plan: CapturePlan
    connect: Callable[[], Shell]
    guests: tuple[Guest, ...] = ()
    faults: tuple[FaultPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class HostOutcome:
    """What became of one host.

    Attributes:
        host: Its name.
        outcome: `whole`: everything that was asked for; `partial`: some samples; `failed`: none.
        folder: The capture folder, None when it came to none.
        samples: Samples received.
        asked: Samples asked for.
        bytes: Size of the esxtop files [bytes].
        stopped: Whether it was ended on request.
        error: What went wrong with the host or the local disk, None otherwise.
        guests: What became of the guests.
        fault_runs: What became of fault probes and experiments.
        notes: What a person should know besides: probes that failed, processes that stayed behind.
        interval_s: Mean interval by the samples' own stamps [s], None when unknown.
        gaps: Times without esxtop that nobody planned.
    """

    host: str
    outcome: str
    folder: Path | None
    samples: int
    asked: int
    bytes: int
    stopped: bool
    error: EsxprobeError | None
    guests: tuple[GuestOutcome, ...] = ()
    fault_runs: tuple[FaultRun, ...] = ()
    notes: tuple[str, ...] = ()
    interval_s: float | None = None
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would be done.

    Attributes:
        host: The host's name.
        commands: What the host would be asked to run, verbatim, in order. Those about single VMs are not there.
        guest_commands: VM's name and command of each guest.
        forecast: What it would cost.
    """

    host: str
    commands: tuple[str, ...]
    guest_commands: tuple[tuple[str, str], ...]
    forecast: Forecast


def dry_run(task: HostTask) -> DryRun:
    """Takes one sample of a host and says what a capture would do and cost; nothing is written.

    Raises:
        HostError: The host cannot be reached, or its esxtop gives nothing.
    """
    link = Link(task.connect)
    limit = None
    try:
        if task.plan.vms:
            require(task.host, read_entities(link.shell(), new_token()), task.plan.vms)
            limit = limit_to(link.shell(), task.plan.vms)
        cost = forecast(link, task.plan)
    finally:
        link.drop()
    return DryRun(task.host, planned_commands(task.plan, limit), planned_guest_commands(task), cost)


def planned_commands(plan: CapturePlan, limit: Limit | None = None) -> tuple[str, ...]:
    """What a host is asked to run, in order, when nothing goes wrong; without those about single VMs.

    Args:
        plan: How much.
        limit: The VMs that it is limited to; the names of its files are others each time.
    """
    if limit is None:
        first: tuple[str, ...] = ()
        captures = [command_line(plan.interval_s, rows) for rows in plan.segments()]
    else:
        first = (export_line(new_token()),)
        lines = (limited_line(plan.interval_s, rows, limit) for rows in plan.segments())
        captures = [command for line in lines for command in (*first, line)]
    return (*first, HOST_CLOCK, *(probe.command for probe in PROBES), PROCESSES, *captures, HOST_CLOCK, PROCESSES)


def planned_guest_commands(task: HostTask) -> tuple[tuple[str, str], ...]:
    """VM's name and command of each guest; an experiment has the injector of its probe, with more arguments."""
    guests = {guest.vm: guest for guest in task.guests}
    counters = tuple((guest.vm, guest_command(guest, _guest_samples(guest, task.plan))) for guest in task.guests)
    return (*counters, *((f"{each.vm}, fault {each.kind}", probe_command(guests[each.vm])) for each in task.faults))


def _guest_samples(guest: Guest, plan: CapturePlan) -> int:
    return (plan.duration_s + _GUEST_SPARE_S) // max(guest.interval_s, 1)


def collect_host(
    task: HostTask,
    out: Path,
    *,
    tool_version: str,
    stop: threading.Event,
    progress: Callable[[Progress], None] = lambda _: None,
    fault_run: Callable[[str, FaultRun], None] = lambda _host, _run: None,
    clockwork: Clockwork | None = None,
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
    """
    clockwork = clockwork or Clockwork()
    link = Link(task.connect)
    try:
        shell = link.shell()  # before there is a folder: a host that lets nobody in leaves nothing here
        if task.plan.vms:
            require(task.host, read_entities(shell, new_token()), task.plan.vms)
        folder = _new_folder(out, task.host, clockwork.now())
        session = _Session(
            task, folder, link, stop=stop, progress=progress, fault_run=fault_run, clockwork=clockwork
        )
        return session.run(tool_version)
    except EsxprobeError as error:
        return HostOutcome(task.host, "failed", None, 0, task.plan.rows(), 0, stop.is_set(), error)
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
        )

    with ThreadPoolExecutor(max(len(tasks), 1), "collect") as pool:
        return list(pool.map(one, tasks))


def _new_folder(out: Path, host: str, now: float) -> Path:
    """Makes the folder; one that is there already is never written into.

    Raises:
        OutputError: It cannot be made, or has no room for a manifest.
    """
    moment = datetime.fromtimestamp(now, UTC)
    while True:
        folder = out / f"{safe_name(host)}-{moment:{_STAMP}}"
        try:
            folder.mkdir(parents=True)
            (folder / _RESERVE).write_bytes(bytes(_RESERVE_BYTES))
        except FileExistsError:
            if not folder.is_dir():
                raise no_room(folder, FileExistsError(17, "something else has that name")) from None
            moment += timedelta(seconds=1)
        except OSError as error:
            raise no_room(folder, error) from error
        else:
            return folder


class _Session:
    """One host's collection on its way, in a folder that is there."""

    def __init__(
        self,
        task: HostTask,
        folder: Path,
        link: Link,
        *,
        stop: threading.Event,
        progress: Callable[[Progress], None],
        fault_run: Callable[[str, FaultRun], None],
        clockwork: Clockwork,
    ) -> None:
        self._task, self._folder, self._link = task, folder, link
        self._stop, self._progress, self._clockwork = stop, progress, clockwork
        zones = {guest.vm: guest.timezone for guest in task.guests}
        self._record = Record(task.host, task.plan, clockwork.now(), zones)
        self._fault_run, self._writing, self._version = fault_run, threading.Lock(), ""

    def run(self, tool_version: str) -> HostOutcome:
        record, self._version = self._record, tool_version
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
                (self._folder / _RESERVE).unlink()
            try:
                record.files = all_described(self._folder)
                save_manifest(self._folder, record.manifest(tool_version, record.state))
            except EsxprobeError as error:
                record.error = record.error or error
        return self._outcome()

    def _collect(self) -> None:
        record, plan = self._record, self._task.plan
        record.clock_start = self._clock("start")
        questions = Questions(self._link, self._folder, self._stop)
        record.questions = questions
        questions.ask_all()
        others = others_esxtop(self._link, plan)
        self._capture()
        capture = record.capture
        if capture is not None and capture.error is not None and not self._link.is_open:
            record.notes.append("the host was given up: neither its clock nor its processes were asked afterwards")
            return  # a login that was refused is not tried once more
        record.clock_end = self._clock("end")
        if capture is not None and capture.segments:
            files = tuple(segment.limit.file for segment in capture.segments if segment.limit)
            record.leftover = check_left_behind(self._link, plan, self._clockwork, files, others)

    def _clock(self, when: str) -> ClockReading | None:
        reading, why = ask_clock(self._link, self._clockwork.now)
        if reading is None:
            self._record.notes.append(f"the host's clock could not be read at the {when}: {why}")
        return reading

    def _capture(self) -> None:
        """Host and guests at the same time: guests first, and a little longer."""
        guests, over = self._task.guests, threading.Event()
        begun = [threading.Event() for _ in guests]
        faults = FaultRuns(
            self._task.faults, guests, self._folder, self._task.plan.interval_s, self._announce, self._clockwork
        )
        with ThreadPoolExecutor(max(len(guests) + len(faults.plans), 1), "guest") as pool:
            running: list[Future[GuestOutcome]] = [
                pool.submit(
                    capture_guest,
                    guest,
                    self._folder,
                    _guest_samples(guest, self._task.plan),
                    stop=over,
                    begun=event,
                    clockwork=self._clockwork,
                )
                for guest, event in zip(guests, begun, strict=True)
            ]
            trials: list[Future[tuple[FaultRun, ...]]] = []
            try:
                self._await(begun)
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

    def _await(self, begun: Sequence[threading.Event]) -> None:
        """Waits for the guests' first samples, but not for long."""
        deadline = self._clockwork.now() + _FIRST_SAMPLES_S
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
