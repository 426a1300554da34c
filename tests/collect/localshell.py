"""A Shell on this machine: BusyBox ash with a stand-in esxtop on PATH, and ways to make it fail."""

from __future__ import annotations

import os
import re
import select
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from esxprobe.errors import ConnectionLostError, HostTimeoutError
from esxprobe.model.manifest import Connection

OPENED: list[LocalShell] = []  # the tests' fixture closes them
OUR_FILE = re.compile(r"/tmp/esxprobe-[0-9a-f]{16}\b")  # noqa: S108
NAMED: set[str] = set()  # files on the host that commands have named so far
BIN = Path(__file__).parent / "bin"


@dataclass(frozen=True)
class Done:
    stdout: bytes
    stderr: bytes
    status: int | None


class LocalStream:
    """`lose_after`: bytes after which the connection is lost. `freeze_after`: bytes after which none comes."""

    def __init__(
        self, process: subprocess.Popen[bytes], lose_after: int | None, freeze_after: int | None, idle_s: float
    ) -> None:
        self._process = process
        self._lose_after, self._freeze_after, self._idle_s = lose_after, freeze_after, idle_s
        self._given = 0
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stderr = b""
        self.status: int | None = None

    @property
    def stderr(self) -> bytes:
        return self._stderr

    def read(self) -> bytes:
        quiet_since = time.monotonic()
        while not self._closed.is_set():
            if self._lose_after is not None and self._given >= self._lose_after:
                self.close()
                raise ConnectionLostError("the connection to local ended")
            frozen = self._freeze_after is not None and self._given >= self._freeze_after
            if not frozen and (piece := self._piece()) is not None:
                self._given += len(piece)
                return piece
            if frozen:
                self._closed.wait(0.05)
            if time.monotonic() - quiet_since > self._idle_s:
                raise HostTimeoutError("local says nothing")
        return b""

    def _piece(self) -> bytes | None:
        """The next bytes, b"" at the end, None when there are none for a moment or the channel was closed."""
        assert self._process.stdout is not None
        with self._lock:
            if self._closed.is_set() or not select.select([self._process.stdout], [], [], 0.02)[0]:
                return None
            piece = os.read(self._process.stdout.fileno(), 4096)
            if not piece:
                self.status = self._process.wait(60)
                self._take_stderr()
            return piece

    def _take_stderr(self) -> None:
        assert self._process.stderr is not None
        while select.select([self._process.stderr], [], [], 0)[0]:
            piece = os.read(self._process.stderr.fileno(), 4096)
            if not piece:
                return
            self._stderr += piece

    def write(self, content: bytes) -> int:
        assert self._process.stdin is not None
        with self._lock:
            if self._closed.is_set():
                return -1
            try:
                return os.write(self._process.stdin.fileno(), content)
            except BrokenPipeError:
                return -1

    def close(self) -> None:
        """What sshd does: the pipes are closed; no process is killed."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            self._take_stderr()
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                assert pipe is not None
                pipe.close()

    def reap(self) -> None:
        """Waits for the command's shell, which nobody told to end but its closed pipes."""
        self._process.wait(60)


def asked(command: str) -> str:
    """The question that a line asks within a time, or the line itself."""
    inner = re.search(r"\$s sh -c ('.*') </dev/null 3<&-", command)
    return shlex.split(inner[1])[0] if inner else command


class LocalShell:
    """Runs commands with `busybox ash -c`, as an ESXi host's login shell would."""

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        path: str | None = None,
        lose_after: int | None = None,
        freeze_after: int | None = None,
        idle_s: float = 30.0,
        answer: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self.environment = {"PATH": path or f"{BIN}:{os.environ['PATH']}", **(environment or {})}
        self.facts = Connection(host="local")
        self.commands: list[str] = []
        self.closed = False
        self._lose_after, self._freeze_after, self._idle_s = lose_after, freeze_after, idle_s
        self._answer = answer
        self._streams: list[LocalStream] = []
        OPENED.append(self)

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        self.commands.append(command)
        NAMED.update(OUR_FILE.findall(command))
        return subprocess.Popen(
            ["busybox", "ash", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            start_new_session=True,
        )

    def run(
        self,
        command: str,
        *,
        timeout_s: float,
        stdin: bytes = b"",
        holds_input: bool = False,
        heard: Callable[[bytes], object] = lambda _: None,
    ) -> Done:
        known = self._answer(asked(command))
        if known is not None:
            self.commands.append(command)
            heard(known.encode())
            return Done(known.encode(), b"", 0)
        process = self._start(command)
        held = os.dup(process.stdin.fileno()) if holds_input and process.stdin else None
        try:
            out, err = process.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired as late:
            heard(late.stdout or b"")
            process.kill()
            process.communicate()
            raise HostTimeoutError(f"local took longer than {timeout_s} s") from None
        finally:
            if held is not None:
                os.close(held)
        heard(out)
        return Done(out, err, process.returncode)

    def stream(self, command: str) -> LocalStream:
        stream = LocalStream(self._start(command), self._lose_after, self._freeze_after, self._idle_s)
        self._streams.append(stream)
        return stream

    def close(self) -> None:
        self.closed = True
        for stream in self._streams:
            stream.close()
        for stream in self._streams:
            stream.reap()


class Naps:
    """Waits no longer than a moment, and remembers how long it should have been."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        time.sleep(min(seconds, 0.05))


def processes_with(mark: str) -> list[str]:
    """Command lines of this machine's live processes whose environment or command line holds `mark`."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            environment = (folder / "environ").read_bytes()
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        except OSError:
            continue
        if line and mark.encode() in environment:
            found.append(line)
    return found


def gone(mark: str, within_s: float = 60.0) -> bool:
    """Whether no such process is left, within a time [s] that a slow machine may need."""
    deadline = time.monotonic() + within_s
    while processes_with(mark):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
