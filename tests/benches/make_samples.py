"""`make samples`: the capture folders of `samples/`, the same bytes every time.

    python tests/benches/make_samples.py [FOLDER]

`demo` is a lone esxtop file of the contention story. The others are what `collect` leaves of the lab's hosts: the
collector itself runs, against the simulated machines in this process. No SSH server is between them, because
addresses, ports and keys are others each time, and the time stands still, because a real one never does twice.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import esxprobe
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.guests import Guest
from esxprobe.collect.session import collect_host
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.collect.task import HostTask
from esxprobe.files.json_records import record_of
from esxprobe.lab.guest import GuestMachine
from esxprobe.lab.host import HostMachine
from esxprobe.lab.machine import Gone, Machine
from esxprobe.lab.plan import HostPlan
from esxprobe.lab.scenarios import GUESTS, demo_plan, hardware_plan, software_plan
from esxprobe.model.manifest import Connection

SAMPLES = Path(__file__).parents[2] / "samples"
FOLDERS = {"software-mmu": software_plan, "hardware-mmu": hardware_plan}
LEAD_S = 8.5  # from the login to the first sample
TAIL_S = 7.5  # from the last one to the end


class StillClock:
    """Two moments: before the host's last sample has come, and after it."""

    def __init__(self, plan: HostPlan, samples: int) -> None:
        self.began = plan.true_start - LEAD_S
        self.ended = plan.true_start + (samples - 1) * plan.interval_s + TAIL_S
        self.over = threading.Event()

    def now(self) -> float:
        return self.ended if self.over.is_set() else self.began

    def wait_until(self, moment: float, gone: Callable[[], bool]) -> bool:  # noqa: ARG002
        return moment <= self.ended

    def hurry(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class Memory:
    """The three streams of a command, kept."""

    def __init__(self, stdin: bytes = b"") -> None:
        self.stdout, self.stderr, self._stdin = bytearray(), bytearray(), stdin

    def write(self, content: bytes) -> None:
        self.stdout += content

    def complain(self, content: bytes) -> None:
        self.stderr += content

    def read(self) -> bytes:
        return self._stdin

    def is_gone(self) -> bool:
        return False

    def has_input(self) -> bool:
        return True

    def lines(self) -> int:
        return 0


@dataclass(frozen=True)
class Answer:
    stdout: bytes
    stderr: bytes
    status: int | None


class Stream:
    """What a command said, in one piece; then its end, or silence until it is closed."""

    status: int | None = 0
    stderr = b""

    def __init__(self, content: bytes, ended: Callable[[], None] | None) -> None:
        self._content, self._ended = content, ended
        self._closed = threading.Event()

    def read(self) -> bytes:
        content, self._content = self._content, b""
        if content:
            return content
        if self._ended is not None:
            self._ended()
        else:
            self._closed.wait()
        return b""

    def close(self) -> None:
        self._closed.set()


class Shell:
    """The collector's Shell over a machine of the lab."""

    facts = record_of(Connection, {"server": "the lab's own machine, in the process of the collector"})

    def __init__(self, machine: Machine, clock: StillClock) -> None:
        self._machine, self._clock = machine, clock

    def _run(self, command: str, stdin: bytes = b"") -> tuple[Memory, int]:
        wire = Memory(stdin)
        try:
            return wire, self._machine.run(command, wire)
        except Gone:
            return wire, 141

    def run(
        self,
        command: str,
        *,
        timeout_s: float,  # noqa: ARG002
        stdin: bytes = b"",
        holds_input: bool = False,  # noqa: ARG002
        heard: Callable[[bytes], object] = lambda _: None,
    ) -> Answer:
        wire, status = self._run(command, stdin)
        heard(bytes(wire.stdout))
        return Answer(bytes(wire.stdout), bytes(wire.stderr), status)

    def stream(self, command: str) -> Stream:
        wire, _ = self._run(command)
        return Stream(bytes(wire.stdout), self._clock.over.set if "esxtop" in command else None)

    def close(self) -> None:
        pass


def collected(plan: HostPlan, folder: Path) -> None:
    """Makes a capture folder of a host and its two guests."""
    capture = CapturePlan(plan.interval_s, plan.samples, packed=True)
    clock = StillClock(plan, plan.samples)
    machine = HostMachine(plan, clock)
    vms = {vm.name: vm for vm in plan.vms}

    def guest(name: str) -> Guest:
        inside = GuestMachine(vms[name], plan, clock, clock.began)
        return Guest(name, lambda: Shell(inside, clock), interval_s=plan.interval_s)

    def connect() -> Shell:
        return Shell(machine, clock)

    task = HostTask(plan.host, capture, connect, tuple(guest(name) for name in GUESTS), beside=connect, logs=False)
    clockwork = Clockwork(clock.now, lambda _: None)
    with tempfile.TemporaryDirectory(prefix="esxprobe-samples-") as made:
        outcome = collect_host(
            task, Path(made), tool_version=esxprobe.__version__, stop=threading.Event(), clockwork=clockwork
        )
        if outcome.outcome != "whole" or outcome.folder is None or outcome.notes:
            raise RuntimeError(f"the capture of {plan.host} is not whole: {outcome}")
        shutil.copytree(outcome.folder, folder)


def make(samples: Path) -> None:
    """Makes all samples anew in a folder."""
    from hostsim import write_capture

    (samples / "demo").mkdir(parents=True, exist_ok=True)
    write_capture(samples / "demo" / "esxtop-000.csv.gz", demo_plan())
    for name, plan in FOLDERS.items():
        shutil.rmtree(samples / name, ignore_errors=True)
        collected(plan(), samples / name)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
