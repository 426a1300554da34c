"""What is to be collected from a host, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from esxprobe.collect.command import CapturePlan
from esxprobe.collect.experiment import FaultPlan
from esxprobe.collect.guests import Guest
from esxprobe.collect.shell import Shell
from esxprobe.errors import EsxprobeError
from esxprobe.model.manifest import FaultRun, GuestOutcome


@dataclass(frozen=True, slots=True)
class HostTask:
    """What is to be collected from one host.

    Attributes:
        host: Its name, as the person said it.
        plan: How much.
        connect: Opens a login on it; called again after a connection was lost.
        guests: The guests to ask at the same time.
        faults: Fault probes and experiments to run in some of them.
        beside: Opens a second login, for the questions that are asked while esxtop runs; there is no prompt for a
            secret again. Without one they are asked after the capture, on its connection.
        logs: Whether lines of the host's logs are taken after the capture.
        needs_code: Whether a login asked for a one-time code: the next one would need a person again.
    """

    host: str
    plan: CapturePlan
    connect: Callable[[], Shell]
    guests: tuple[Guest, ...] = ()
    faults: tuple[FaultPlan, ...] = ()
    beside: Callable[[], Shell] | None = None
    logs: bool = True
    needs_code: Callable[[], bool] = lambda: False


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
        gaps: Times without esxtop that were not planned.
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
class Notice:
    """Something that a person should know while the capture runs.

    Attributes:
        host: The host's name.
        text: What it is; the manifest has it as a note.
    """

    host: str
    text: str


# Gets what became of each host and guest, and what a person should know, at once and from other threads.
Tell = Callable[[HostOutcome | GuestOutcome | Notice], None]
