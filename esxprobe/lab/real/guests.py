"""Guests that really run, each in processes below a supervisor, with channels into it.

On the layer `uml` a guest is a kernel of user-mode-linux. Its root file system is this machine's, read only, so
it runs this machine's own sh, date, grep and Python. Each of its page faults enters user-mode-linux, which
maintains the page tables that the CPU uses: a software MMU. On the layer `native` a guest is a group of this
machine's processes, which use the hardware MMU without a layer in between.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from esxprobe.errors import HostError
from esxprobe.lab.real import agent, supervisor
from esxprobe.lab.real.channels import Channels, GuestLostError
from esxprobe.lab.real.cputime import CpuTimeReader

Kind = Literal["anti", "co", "indep", "fork", "steady", "idle"]
Layer = Literal["uml", "native"]
PACKAGE = "user-mode-linux"
_PROGRAM = "linux.uml"
_BOOT_S = 120.0  # on a machine under load [s]
_END_S = 20.0
_CONSOLE_LINES = 6


class RealLayerError(HostError):
    """A real guest cannot run on this machine, or did not start."""


@dataclass(frozen=True)
class LoadPlan:
    """The workload of a guest.

    Attributes:
        kind: How the load varies from block to block. `indep`: faults and other work independently; `co`: other
            work rises with faults; `anti`: other work falls when faults rise; `fork`: fork storms in one of four
            blocks; `steady`, `idle`: not at all.
        faults_s: Mean rate of first touches of pages [1/s]. A block has between zero and twice as many.
        kernel_pct: Mean work in the guest's kernel [% of its vCPU when nothing else runs].
        user_pct: Mean work in user mode, likewise.
        forks_s: Mean rate of processes that are started and end at once [1/s].
        block_s: Length of a block [s].
        sample_s: How often the lab measures the cost of a touch while the load runs; 0 for never [s]. Each time the
            load is held for a fraction of a second.
        seed: Of the variation.
    """

    kind: Kind = "steady"
    faults_s: float = 0.0
    kernel_pct: float = 0.0
    user_pct: float = 0.0
    forks_s: float = 0.0
    block_s: float = 7.0
    sample_s: float = 5.0
    seed: int = 1


@dataclass(frozen=True)
class RealGuest:
    """A guest to start. It has one vCPU.

    Attributes:
        name: Name of its VM.
        layer: What it runs on.
        load: Its workload.
        memory_mb: Memory, on `uml` [MB].
        clock_ahead_s: How far its clock is ahead, on `uml` [s].
        clock_ppm: How much faster its clock runs, on `uml` [parts in a million].
        pinned: Runs on one CPU of this machine only, as a vCPU runs on one PCPU at a time. Each fault on `uml`
            takes several switches between processes, which cost more between CPUs.
    """

    name: str
    layer: Layer = "uml"
    load: LoadPlan = field(default_factory=LoadPlan)
    memory_mb: int = 512
    clock_ahead_s: float = 0.0
    clock_ppm: float = 0.0
    pinned: bool = True


def unavailable_reason() -> str:
    """Why user-mode-linux cannot run on this machine; empty when it can."""
    if not sys.platform.startswith("linux"):
        return f"user-mode-linux requires Linux, this is {sys.platform}"
    if platform.machine() not in ("x86_64", "i686"):
        return f"user-mode-linux requires an x86 CPU, this is {platform.machine()}"
    if shutil.which(_PROGRAM) is None:
        return f"{_PROGRAM} is not installed"
    return ""


def require_uml() -> None:
    """Raises RealLayerError with a hint when user-mode-linux cannot run on this machine."""
    if reason := unavailable_reason():
        hint = "run it on a Linux machine with an x86 CPU"
        if "not installed" in reason:
            hint = f"on Debian: apt-get install {PACKAGE}"
        raise RealLayerError(f"cannot start a guest with a software MMU: {reason}", hint=hint)


class RunningGuest:
    """A guest that has been started.

    Args:
        plan: The guest.
        folder: For its files. The path must be short, because it holds a Unix socket.
        cpu: The CPU of this machine that it runs on; None for any.
        channels: How many commands can run in it at the same time.
        replace: Texts to replace in commands of a native guest.

    Raises:
        RealLayerError: user-mode-linux cannot run on this machine.
    """

    def __init__(
        self,
        plan: RealGuest,
        folder: Path,
        cpu: int | None = None,
        channels: int = 8,
        replace: Mapping[str, str] | None = None,
    ) -> None:
        self.plan, self.folder = plan, folder
        self._console = folder / "console.txt"
        pairs = [socket.socketpair() for _ in range(channels)]
        descriptors = [other.fileno() for _, other in pairs]
        watched, self._lifeline = os.pipe()
        try:
            command = [*python(), supervisor.__file__, str(watched), str(folder)]
            command += _guest_command(plan, folder, descriptors, replace or {})
            self._process = self._start(command, cpu, [*descriptors, watched])
        except BaseException:
            os.close(self._lifeline)
            for ours, _ in pairs:
                ours.close()
            raise
        finally:
            os.close(watched)
            for _, other in pairs:
                other.close()
        self.channels = Channels([ours for ours, _ in pairs])
        self.cpu_time = CpuTimeReader(self._process.pid)

    def _start(self, command: list[str], cpu: int | None, descriptors: list[int]) -> subprocess.Popen[bytes]:
        if cpu is not None:
            command = [*python(), "-c", _PIN, str(cpu), *command]
        memory = _memory_folder(self.plan.memory_mb, self.folder)
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), "LC_ALL": "C"}
        with self._console.open("wb") as console:
            return subprocess.Popen(  # noqa: S603  (a fixed program)
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                pass_fds=descriptors,
                env={**environment, "TMPDIR": str(memory)},
                start_new_session=True,
            )

    @property
    def process_id(self) -> int:
        """Process ID of its supervisor."""
        return self._process.pid

    def await_boot(self, timeout_s: float = _BOOT_S) -> None:
        """Waits until the guest accepts commands.

        Args:
            timeout_s: How long [s].

        Raises:
            RealLayerError: It did not start. The hint has the end of its console output.
        """
        try:
            self.channels.await_hello(timeout_s)
        except (GuestLostError, TimeoutError) as error:
            console = self._console.read_text("utf-8", "replace").strip().splitlines()[-_CONSOLE_LINES:]
            reason = f"no answer within {timeout_s:.0f} s" if isinstance(error, TimeoutError) else str(error)
            raise RealLayerError(
                f"guest {self.plan.name} did not start: {reason}",
                hint="end of its console output: " + " / ".join(console) if console else "no console output",
            ) from error

    def close(self) -> None:
        """Ends the guest and all of its processes. Can be called twice."""
        self.channels.close()
        if self._lifeline >= 0:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._lifeline, b".")
            os.close(self._lifeline)
            self._lifeline = -1
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            for process in (*self.cpu_time.processes(), self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            self._process.wait(_END_S)


_PIN = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execv(sys.argv[2], sys.argv[2:])"


def python() -> list[str]:
    """This Python without site-packages, by a path that is valid in the guests as well."""
    return [os.path.realpath(sys.executable), "-I", "-S"]


def _guest_command(
    plan: RealGuest, folder: Path, descriptors: Sequence[int], replace: Mapping[str, str]
) -> list[str]:
    if plan.layer == "native":
        swaps = [f"{old}={new}" for old, new in replace.items()]
        return [*python(), agent.__file__, "native", ",".join(map(str, descriptors)), *swaps]
    require_uml()
    program = shutil.which(_PROGRAM)
    assert program is not None  # noqa: S101  (checked by require_uml)
    clock = [repr(plan.clock_ahead_s), repr(plan.clock_ppm)]
    words = [*python(), agent.__file__, "uml", str(len(descriptors)), *clock]
    for word in words:
        if '"' in word:
            raise RealLayerError(f"a path with a quotation mark cannot be passed to a kernel: {word}")
    init, *arguments = (f'"{word}"' for word in words)
    return [
        *(program, f"mem={plan.memory_mb}M", "rootfstype=hostfs", "rootflags=/", "ro", "quiet"),
        *("con=null", "con0=null,fd:1", f"uml_dir={folder}/", "umid=guest"),
        *(f"ssl{number}=fd:{descriptor}" for number, descriptor in enumerate(descriptors)),
        *(f"init={init}", "--", *arguments),
    ]


def _memory_folder(memory_mb: int, otherwise: Path) -> Path:
    """Folder with room for the file that backs a guest's memory. In containers /dev/shm is often small."""
    shared = Path("/dev/shm")  # noqa: S108  (user-mode-linux unlinks the file at once)
    try:
        free = os.statvfs(shared)
    except OSError:
        return otherwise
    room_mb = free.f_bavail * free.f_frsize >> 20
    return shared if room_mb > memory_mb and os.access(shared, os.W_OK) else otherwise
