"""A fault probe and a randomized fault experiment in a guest: when they run, when not, and what is recorded.

The probe times first touches of pages for two seconds. The experiment runs an injector in pairs of blocks, one that
faults and a sham, in an order drawn at random; the whole order is in the manifest before the first block begins.
Both need a capture of the host that runs at the same time. The experiment starts after some minutes of plain
capture, from which its precision is forecast, and it does not start where it could not tell anything or could do
harm.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from esxprobe.collect.guests import Guest
from esxprobe.collect.injectors import PROBE, Dose, linux_injector, windows_injector
from esxprobe.collect.naming import safe_name
from esxprobe.collect.stream_to_file import Clockwork, Link, no_room
from esxprobe.errors import EsxprobeError, HostError
from esxprobe.formats.injections import parse_injections, read_injections
from esxprobe.model import Calibration
from esxprobe.model.manifest import FaultRun

# Length of plain capture from which the precision is forecast [s]; shorter ones say too little of slow load.
PLAIN_S = 120
# A block is two samples of the host, and never shorter than this [s]: a clock error of a second would hide too
# much.
SHORTEST_BLOCK_S = 5.0
# Fewer pairs cannot be significant enough; more than half an hour is more than a guest in trouble should bear [s].
FEWEST_PAIRS, LONGEST_S = 12, 1800
# Of pages; more were never tried [pages/s].
FASTEST = 100_000.0
# An experiment whose forecast half-width is more than this share of the load it injects could not tell anything.
WIDEST = 0.5
# For the output of a probe, besides its two seconds [s].
_PROBE_TIMEOUT_S = 30.0
_MOST_BYTES = 8 << 20
# How often and after what time it is looked again for samples that have not arrived yet [s].
_LATER, _LATER_S = 4, 15.0

Outcome = Literal["whole", "partial", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What is to be done in a guest.

    Attributes:
        vm: Name of its VM.
        experiment_s: Length of the experiment; None for the probe alone [s].
        budget_pct: Share of one vCPU that a block may take [%].
        single_vcpu: Whether a VM with one vCPU may have it: what the injector takes is missing to its work.
    """

    vm: str
    experiment_s: int | None = None
    budget_pct: float = 10.0
    single_vcpu: bool = False

    @property
    def kind(self) -> Literal["probe", "experiment"]:
        """Which of the two it is; an experiment begins with a probe."""
        return "probe" if self.experiment_s is None else "experiment"

    def block_s(self, interval_s: float) -> float:
        """Length of a block beside samples of `interval_s` [s]."""
        return max(SHORTEST_BLOCK_S, 2 * interval_s)

    def pairs(self, interval_s: float) -> int:
        """How many pairs of blocks that gives."""
        return int((self.experiment_s or 0) / (2 * self.block_s(interval_s)))

    def needs_s(self) -> float:
        """How long the host has to be captured for it [s]."""
        return PLAIN_S + _LATER * _LATER_S + (self.experiment_s or 0) + 30.0


@dataclass(frozen=True, slots=True)
class HostView:
    """What the plain capture says of the VM before the experiment.

    Attributes:
        half_width_pct: Forecast half-width of the effect of the planned pairs [% of one vCPU]; None when not known.
        objections: Why an experiment should not run now: memory reclaim, CPU contention, a vCPU that has no room.
        samples: On how many samples that rests.
    """

    half_width_pct: float | None = None
    objections: tuple[str, ...] = ()
    samples: int = 0


def probe_command(guest: Guest) -> str:
    """What a guest is asked to run for a probe, verbatim."""
    return _injector(guest, PROBE)


def _injector(guest: Guest, dose: Dose) -> str:
    return linux_injector(dose) if guest.system == "linux" else windows_injector(dose)


def rate_for(calibration: Calibration, budget_pct: float) -> float:
    """Pages in a block that faults, so that a block takes the budget [pages/s]."""
    each_us = max(calibration.touch_us + calibration.release_us, calibration.cpu_us, 0.1)
    return min(budget_pct * 1e4 / each_us, FASTEST)


def draw(pairs: int) -> str:
    """An order that is unknown before it is drawn: `10` or `01` for each pair."""
    return "".join(secrets.choice(("10", "01")) for _ in range(pairs))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a run needs besides its guest and its plan.

    Attributes:
        folder: The capture folder; logs go into `guests/`.
        interval_s: Of the host's samples [s].
        stop: Ends it: the injector's input is closed.
        look: Told block length [s] and pairs; gives what the plain capture shows up to then.
        announce: Told each run before it begins and when it is over, for the manifest.
        clockwork: Our clock and how to wait.
    """

    folder: Path
    interval_s: float
    stop: threading.Event
    look: Callable[[float, int], HostView]
    announce: Callable[[FaultRun], None]
    clockwork: Clockwork = field(default_factory=Clockwork)


def run_in_guest(guest: Guest, plan: FaultPlan, around: Surroundings) -> tuple[FaultRun, ...]:
    """Probes a guest, and runs the experiment where the plan has one; what goes wrong is in the outcome."""
    job = _ExperimentJob(guest, plan, around, Link(guest.connect))
    try:
        runs = [job.probe()]
        if plan.experiment_s is not None:
            around.clockwork.wait(PLAIN_S, around.stop)
            runs.append(job.experiment())
    finally:
        job.link.drop()
    return tuple(runs)


@dataclass(slots=True)
class _ExperimentJob:
    """One guest on its way.

    Attributes:
        calibration: What the probe measured; None until then, and where it measured nothing.
    """

    guest: Guest
    plan: FaultPlan
    around: Surroundings
    link: Link
    calibration: Calibration | None = None

    def probe(self) -> FaultRun:
        run = FaultRun(self.guest.vm, "probe", "failed")
        if self.around.stop.is_set():
            return self._over(replace(run, outcome="refused", reason="the collection was stopped"))
        try:
            printed = self.link.shell().run(self._command(PROBE), timeout_s=_PROBE_TIMEOUT_S).stdout[:_MOST_BYTES]
            log = parse_injections(printed.decode("utf-8", "replace"))
            path = self._new_file("probe")
            path.write_bytes(printed)
        except OSError as error:
            return self._over(replace(run, reason=no_room(self.around.folder, error).message))
        except EsxprobeError as error:
            return self._over(replace(run, reason=error.message))
        run = replace(run, file=path.relative_to(self.around.folder).as_posix())
        if log.calibration is None or log.end != "done":
            return self._over(replace(run, reason=log.end or "its log is incomplete"))
        self.calibration = log.calibration
        return self._over(replace(run, outcome="whole"))

    def experiment(self) -> FaultRun:
        plan, interval_s = self.plan, self.around.interval_s
        block_s, pairs = plan.block_s(interval_s), plan.pairs(interval_s)
        run = FaultRun(plan.vm, "experiment", "refused", block_s=block_s)
        objections = self._objections(pairs)
        if objections or self.calibration is None:
            return self._over(replace(run, reason="; ".join(objections)))
        rate = rate_for(self.calibration, plan.budget_pct)
        view = self._plain_view(block_s, pairs)
        run = replace(run, rate=rate, forecast_pct=view.half_width_pct)
        objections = [*view.objections, *_hopeless(view, plan)]
        if objections:
            return self._over(replace(run, reason="; ".join(objections)))
        return self._run(run, Dose(block_s, rate, draw(pairs), self._cpu_limit_s()))

    def _plain_view(self, block_s: float, pairs: int) -> HostView:
        """What the capture says; where gzip on the host still holds samples back, a little later."""
        view, later = self.around.look(block_s, pairs), 0
        while (
            view.samples * self.around.interval_s < PLAIN_S / 2 and later < _LATER and not self.around.stop.is_set()
        ):
            self.around.clockwork.wait(_LATER_S, self.around.stop)
            view, later = self.around.look(block_s, pairs), later + 1
        return view

    def _run(self, run: FaultRun, dose: Dose) -> FaultRun:
        try:
            path = self._new_file("experiment")
        except OSError as error:
            return self._over(replace(run, outcome="failed", reason=no_room(self.around.folder, error).message))
        file = path.relative_to(self.around.folder).as_posix()
        run = replace(run, outcome="running", order=dose.order, file=file)
        self.around.announce(run)  # before the first block, so that the order cannot be chosen afterwards
        outcome, reason = _stream(self.link, self._command(dose), path, self.around.stop)
        return self._over(replace(run, outcome=outcome, reason=reason))

    def _over(self, run: FaultRun) -> FaultRun:
        self.around.announce(run)
        return run

    def _objections(self, pairs: int) -> list[str]:
        """Why it cannot begin, as far as the plan and the guest tell."""
        asked_s, found = self.plan.experiment_s or 0, []
        if self.around.stop.is_set():
            found.append("the collection was stopped")
        if pairs < FEWEST_PAIRS:
            found.append(f"{asked_s} s are {pairs} pairs of blocks; at least {FEWEST_PAIRS} are needed")
        if asked_s > LONGEST_S:
            found.append(f"it would take longer than {LONGEST_S // 60} minutes")
        if self.calibration is None:
            found.append("the probe did not work")
        return found

    def _cpu_limit_s(self) -> int:
        return int(2 * self.plan.budget_pct / 100 * (self.plan.experiment_s or 0)) + 20

    def _command(self, dose: Dose) -> str:
        return _injector(self.guest, dose)

    def _new_file(self, kind: str) -> Path:
        """A name that is not in use."""
        folder = self.around.folder
        (folder / "guests").mkdir(exist_ok=True)
        name, number = f"guests/{safe_name(self.guest.vm)}-{kind}", 0
        while (path := folder / f"{name}{f'-{number}' if number else ''}.txt").exists():
            number += 1
        return path


def _hopeless(view: HostView, plan: FaultPlan) -> Sequence[str]:
    half = view.half_width_pct
    if half is None or half <= WIDEST * plan.budget_pct:
        return ()
    longer = (half / (WIDEST * plan.budget_pct)) ** 2
    return (
        f"the result would be inconclusive: the VM's vCPU time varies so much that an effect of "
        f"{plan.budget_pct:g} % of a vCPU"
        f" would be known to ±{half:.2g} % only; it would need {longer:.1f} times as long",
    )


def _stream(link: Link, command: str, path: Path, stop: threading.Event) -> tuple[Outcome, str]:
    """Runs the injector until it is over; a stop closes its input, which ends it."""
    stream = None
    try:
        stream = link.shell().stream(command)
        over = threading.Event()
        watch = threading.Thread(target=_close_on_stop, args=(stream, stop, over), daemon=True)
        watch.start()
        try:
            with path.open("wb", buffering=0) as file:
                size = 0
                while piece := stream.read():
                    size += len(piece)
                    if size > _MOST_BYTES:
                        return "failed", "the injector printed too much"
                    file.write(piece)
        finally:
            over.set()
            watch.join()
    except OSError as error:
        return "partial", no_room(path, error).message
    except HostError as error:
        if not stop.is_set():
            return "partial", error.message
    finally:
        if stream is not None:
            with suppress(HostError):
                stream.close()
    return _ended(path, stop)


def _ended(path: Path, stop: threading.Event) -> tuple[Outcome, str]:
    try:
        log = read_injections(path)
    except EsxprobeError as error:
        return "failed", error.message
    if log.end == "done" and len(log.table):
        return "whole", ""
    why = log.end or ("the collection was stopped" if stop.is_set() else "the connection ended before the injector")
    return ("partial" if len(log.table) else "failed"), why


def _close_on_stop(stream: object, stop: threading.Event, over: threading.Event) -> None:
    while not over.wait(0.1):
        if stop.is_set():
            with suppress(HostError):
                stream.close()  # type: ignore[attr-defined]
            return
