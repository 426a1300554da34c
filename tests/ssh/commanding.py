"""A server in this process that asks like PAM does and then really runs commands; and a person at a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import termios
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import paramiko  # type: ignore[import-untyped]
from esxi_host import Collecting, collecting
from ssh_servers import InProcess, tool


@dataclass
class Commanding(InProcess):
    """Runs what it is asked to with BusyBox ash in `environment`.

    `breaks_after`: the connection ends once, after esxtop put out so many lines.
    """

    environment: dict[str, str] = field(default_factory=dict)
    breaks_after: int | None = None

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._run, args=(channel, command), daemon=True).start()
        return True

    def _run(self, channel: paramiko.Channel, command: bytes) -> None:
        pipe = subprocess.PIPE
        ash = [tool("busybox"), "ash", "-c", command.decode()]
        process = subprocess.Popen(ash, stdin=pipe, stdout=pipe, stderr=pipe, env=self.environment)
        assert process.stdin
        assert process.stdout
        assert process.stderr
        threading.Thread(target=_feed, args=(channel, process.stdin), daemon=True).start()
        errors = threading.Thread(target=_give, args=(process.stderr, channel.sendall_stderr), daemon=True)
        errors.start()
        _give(process.stdout, self._breaking(channel) if b"esxtop -b" in command else channel.sendall)
        errors.join()
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            channel.send_exit_status(process.wait())
            channel.close()

    def _breaking(self, channel: paramiko.Channel) -> Callable[[bytes], object]:
        sent = 0

        def send(content: bytes) -> None:
            nonlocal sent
            channel.sendall(content)
            sent += content.count(b"\n")
            if self.breaks_after is not None and sent >= self.breaks_after:
                self.breaks_after = None
                channel.get_transport().close()

        return send


def _feed(channel: paramiko.Channel, stdin: IO[bytes]) -> None:
    with contextlib.suppress(OSError), stdin:
        while content := channel.recv(4096):
            stdin.write(content)
            stdin.flush()


def _give(source: IO[bytes], send: Any) -> None:
    with contextlib.suppress(OSError), source:
        while content := os.read(source.fileno(), 65536):
            send(content)


CTRL_C = "\x03"


def at_a_terminal(
    cwd: Path,
    answers: list[tuple[str, str]],
    *words: str,
    command: str = "collect",
    hidden_prompts: bool = True,
    when: Callable[[], bool] = lambda: True,
    tuned: str = "",
) -> Collecting:
    """Runs the command for a person who answers each prompt in turn; `err` is what the screen showed.

    `CTRL_C` is a key and no line. Nothing is answered before `when` holds.
    """
    ours, theirs = os.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    of_its_own = {"start_new_session": True, "preexec_fn": take_terminal}
    run = collecting(cwd, *words, tuned=tuned, command=command, stdin=theirs, stderr=theirs, **of_its_own)
    os.close(theirs)
    screen, deadline = b"", time.monotonic() + 300
    with contextlib.suppress(OSError):  # the terminal ends with the process
        while run.process.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.05)[0]:
                screen += os.read(ours, 4096)
            hidden = not termios.tcgetattr(ours)[3] & termios.ECHO  # what is typed before is thrown away
            if answers and hidden == hidden_prompts and answers[0][0].encode() in screen and when():
                answer = answers.pop(0)[1]
                os.write(ours, (answer if answer == CTRL_C else f"{answer}\n").encode())
    try:
        run.wait()
    except subprocess.TimeoutExpired as late:
        shown = f"left to answer: {answers}, the screen: {screen.decode()!r}"
        raise AssertionError(f"it does not end; {shown}") from late
    run.echoes = bool(termios.tcgetattr(ours)[3] & termios.ECHO)
    os.close(ours)
    run.err = screen.decode()
    return run
