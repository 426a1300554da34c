"""Runs the command at a terminal, for several test modules."""

import contextlib
import os
import pty
import select
import subprocess
from pathlib import Path

from drawn import ESXPROBE
from shell import environment


def at_a_terminal(*words: str | Path, cwd: Path, **more: str) -> tuple[int, str]:
    """Runs esxprobe as a person would, on a terminal; gives the exit code and what the screen got."""
    ours, theirs = pty.openpty()
    command = [*ESXPROBE, *map(str, words)]
    with subprocess.Popen(
        command, cwd=cwd, env=environment(COLUMNS="120", **more), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        screen = b""
        while select.select([ours], [], [], 120)[0]:
            part = b""
            with contextlib.suppress(OSError):  # EIO: the other end is closed
                part = os.read(ours, 65536)
            if not part:
                break
            screen += part
    os.close(ours)
    return process.returncode, screen.decode()
