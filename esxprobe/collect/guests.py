"""The fault counters of guests, read inside them while their host is captured; nothing is installed there.

What a guest runs, and the grammar of its stream, is in `guest_loops`. A guest whose connection is lost, or whose
loop ends too early, is opened again like a host is and goes on in another file: `guests/<vm>.txt`, then
`guests/<vm>-1.txt` and so on, each a stream of its own with its own header. The manifest lists them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

from esxprobe.collect.guest_loops import LINUX, TYPEPERF, Loop, windows_way
from esxprobe.collect.host_clock import LINUX_CLOCK, WINDOWS_CLOCK
from esxprobe.collect.naming import safe_name
from esxprobe.collect.probing import ask_clock
from esxprobe.collect.retry import Retry
from esxprobe.collect.room import GUEST_SAMPLE_BYTES, LEAST_BYTES, guest_room
from esxprobe.collect.saying import last_line
from esxprobe.collect.shell import Shell
from esxprobe.collect.stream_to_file import Clockwork, Link, StopRequest, StreamEnd, no_room, stream_to_file
from esxprobe.errors import ConnectionLostError, EsxprobeError, HostError
from esxprobe.model.manifest import ClockReading, ClockReadings, Gap, GuestOutcome

System = Literal["linux", "windows"]

# Rates are integrated before they are compared with the host's, so finer is better; typeperf costs little.
WINDOWS_INTERVAL_S = 1
_CLOCKS: dict[System, str] = {"linux": LINUX_CLOCK, "windows": WINDOWS_CLOCK}


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest to ask.

    Attributes:
        vm: Name of its VM on the host.
        connect: Opens a login in it. Called in a thread of its own, again after a connection was lost.
        system: What it runs.
        interval_s: Time between samples [s].
        timezone: The zone of its clock (`Europe/Berlin`) if given; goes into the manifest.
    """

    vm: str
    connect: Callable[[], Shell]
    system: System = "linux"
    interval_s: int = 5
    timezone: str = ""


def guest_command(guest: Guest, samples: int) -> str:
    """The command that a guest is asked to run first; a Windows guest may turn out to need another one."""
    loop = LINUX if guest.system == "linux" else TYPEPERF
    return loop.command(guest.interval_s, samples)


class _Count:
    """Counts the samples in the stream of a guest, however it is cut."""

    def __init__(self, loop: Loop, begun: threading.Event) -> None:
        self._begun, self._mark = begun, loop.mark
        self._tail = b""
        self._found = -loop.before

    @property
    def samples(self) -> int:
        return max(self._found, 0)

    def seen(self, piece: bytes) -> None:
        text = self._tail + piece
        self._found += text.count(self._mark)
        self._tail = text[-(len(self._mark) - 1) :]
        if self.samples:
            self._begun.set()


def capture_guest(
    guest: Guest,
    folder: Path,
    samples: int,
    *,
    stop: threading.Event,
    begun: threading.Event | None = None,
    clockwork: Clockwork | None = None,
    until: float = 0.0,
) -> GuestOutcome:
    """Reads one guest's counters into `guests/` of a capture folder until it is stopped.

    Whatever goes wrong is in the outcome, not raised. A login or host key that was refused is not tried again.

    Args:
        guest: The guest.
        folder: The capture folder.
        samples: After how many samples the guest ends by itself: more than are needed.
        stop: Ends it; what came until then is kept.
        begun: Set with the first sample, or when there is none to wait for.
        clockwork: Our clock and how to wait.
        until: A guest that was reached once is tried again until then [s since 1970], and a minute at least.
    """
    begun = begun or threading.Event()
    job = _GuestJob(guest, folder, samples, stop=stop, begun=begun, clockwork=clockwork or Clockwork(), until=until)
    try:
        return job.run()
    finally:
        begun.set()
        job.link.drop()


class _GuestJob:
    """One guest on its way."""

    def __init__(
        self,
        guest: Guest,
        folder: Path,
        samples: int,
        *,
        stop: threading.Event,
        begun: threading.Event,
        clockwork: Clockwork,
        until: float,
    ) -> None:
        self.until = until
        self.guest, self.folder, self.missing = guest, folder, samples
        self.stop, self.begun, self.clockwork = stop, begun, clockwork
        self.link = Link(guest.connect)
        self.loop = LINUX if guest.system == "linux" else None
        self.command = ""
        self.files: list[str] = []
        self.gaps: list[Gap] = []
        self.troubles: list[str] = []
        self.samples = self.bytes = 0
        self.start: ClockReading | None = None
        self._ended: float | None = None
        self._retry = Retry()

    def run(self) -> GuestOutcome:
        while (trouble := self._attempt()) is not None:
            self.troubles.append(trouble.message)
            self.begun.set()  # the host does not wait for a guest that is in trouble
            if not self._waited_after(trouble):
                break
        # a guest that was given up is not asked once more: it may have refused the login
        end = ask_clock(self.link, self.clockwork.now, _CLOCKS[self.guest.system])[0] if self.link.is_open else None
        return self._outcome(end)

    def _attempt(self) -> EsxprobeError | None:
        try:
            return self._part()
        except EsxprobeError as error:
            return error
        except OSError as error:
            return no_room(self.folder / "guests", error)

    def _part(self) -> EsxprobeError | None:
        """Runs the loop once; gives what kept it from being whole."""
        shell = self.link.shell()
        if self.start is None:
            self.start, _ = ask_clock(self.link, self.clockwork.now, _CLOCKS[self.guest.system])
        if self.loop is None:
            self.loop = windows_way(shell)
        command = self.loop.command(self.guest.interval_s, self.missing)
        self.command = self.command or command
        counted, file, started = _Count(self.loop, self.begun), self._new_file(self.loop), self.clockwork.now()
        room = guest_room(self.folder, self.missing * GUEST_SAMPLE_BYTES + LEAST_BYTES)
        done = stream_to_file(
            shell, command, self.folder / file, stop=StopRequest(self.stop), seen=counted.seen, room=room
        )
        self._keep(file, done, counted.samples, started)
        if counted.samples:
            self._retry.progressed()
        return self._trouble(done, counted.samples)

    def _new_file(self, loop: Loop) -> str:
        """A name that is not in use: guests may share the name of their VM, or end in a number themselves."""
        (self.folder / "guests").mkdir(exist_ok=True)
        name = safe_name(self.guest.vm)
        return next(file for file in _names(name, loop.ending) if not (self.folder / file).exists())

    def _keep(self, file: str, done: StreamEnd, samples: int, started: float) -> None:
        path = self.folder / file
        if not done.bytes:
            path.unlink(missing_ok=True)
            return
        if self.files and self._ended is not None:
            why = self.troubles[-1] if self.troubles else ""
            self.gaps.append(Gap(self.files[-1], file, round(started - self._ended, 3), why))
        self.files.append(file)
        self._ended = self.clockwork.now()
        self.samples += samples
        self.missing -= samples
        self.bytes += done.bytes

    def _trouble(self, done: StreamEnd, samples: int) -> EsxprobeError | None:
        if done.error is not None:
            return done.error
        if done.stopped and self.samples:
            return None
        why = f": {last_line(done.stderr)}" if done.stderr else ""
        return (
            ConnectionLostError(f"it ended by itself{why}")
            if samples
            else HostError(f"no sample was received{why}")
        )

    def _waited_after(self, trouble: EsxprobeError) -> bool:
        """Waits after a failure that can pass; tells whether to try again."""
        longer = bool(self.link.records) and self.clockwork.now() < self.until
        wait_s = self._retry.wait_s(trouble, longer=longer) if self.missing > 0 else None
        if wait_s is None or self.stop.is_set():
            return False
        self.link.drop()
        self.clockwork.wait(wait_s, self.stop)
        return not self.stop.is_set()

    def _outcome(self, end: ClockReading | None) -> GuestOutcome:
        outcome = "failed" if not self.samples else "partial" if self.troubles else "whole"
        return GuestOutcome(
            vm=self.guest.vm,
            system=self.guest.system,
            outcome=outcome,
            reason=self.troubles[-1] if self.troubles else "",
            method=self.loop.name if self.loop and self.files else "",
            file=self.files[0] if self.files else "",
            files=tuple(self.files),
            gaps=tuple(self.gaps),
            command=self.command,
            interval_s=self.guest.interval_s,
            samples=self.samples,
            bytes=self.bytes,
            connections=tuple(self.link.records),
            timezone=self.guest.timezone,
            clock=ClockReadings(self.start, end),
        )


def _names(name: str, ending: str) -> Iterator[str]:
    yield f"guests/{name}.{ending}"
    yield from (f"guests/{name}-{number}.{ending}" for number in count(1))
