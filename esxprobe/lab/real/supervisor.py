"""Starts a guest and makes sure that all of its processes end when the lab ends, in whatever way.

    python3 -I -S supervisor.py LIFELINE FOLDER COMMAND...

`LIFELINE` is the read end of a pipe. The lab's process holds the only write end, so the kernel closes it when
that process ends, even by SIGKILL. The supervisor is a subreaper: processes whose parents have ended become its
children. When the lifeline closes, when the lab writes a byte to it, or when the guest ends, the supervisor kills
all of its descendants until none is left. If the lab ended without writing the byte, the supervisor also removes
the guest's folder.

The lab does not rely on PR_SET_PDEATHSIG, because the kernel sends that signal when the *thread* ends that
started the child. The guest's first process has it set, in case the supervisor itself is killed.

This file is a script and imports the standard library only.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LOOK_MS = 1000


def descendants(root: int) -> list[int]:
    """Process IDs of all descendants of a process at this moment."""
    found = []
    for child in _children(root):
        found += [child, *descendants(child)]
    return found


def _children(process: int) -> Iterator[int]:
    try:
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208  (called often)
            children = Path(f"/proc/{process}/task/{thread}/children").read_text("ascii")
            yield from map(int, children.split())
    except FileNotFoundError:
        if Path(f"/proc/{process}").exists() and not Path("/proc/thread-self/children").exists():
            yield from _children_by_parent(process)
    except OSError:
        pass  # it has just ended


def _children_by_parent(process: int) -> Iterator[int]:
    """The same on kernels without CONFIG_PROC_CHILDREN."""
    for each in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{each}/stat").read_text("ascii", "replace")
            if int(stat.rpartition(")")[2].split()[1]) == process:
                yield int(each)


def kill_descendants() -> None:
    """Kills and reaps all descendants of this process."""
    while True:
        for process in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def main(lifeline: int, folder: Path, command: Sequence[str]) -> int:
    """Runs the guest until it ends or the lab ends.

    Args:
        lifeline: Read end of the pipe.
        folder: The guest's folder, inside the lab's.
        command: The guest.

    Returns:
        Exit status of the guest; 0 when the lab ended it.
    """
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    supervisor, lab = os.getpid(), os.getppid()
    guest = os.fork()
    if not guest:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(1)
        os.close(lifeline)
        os.setsid()
        os.execv(command[0], list(command))  # noqa: S606
    status, lab_has_gone = 0, False
    try:
        poll = select.poll()
        poll.register(lifeline, select.POLLIN)
        with contextlib.suppress(OSError):
            poll.register(os.pidfd_open(guest), select.POLLIN)
        while not lab_has_gone:
            if any(ready == lifeline for ready, _ in poll.poll(_LOOK_MS)):
                lab_has_gone = not os.read(lifeline, 1)
                break
            lab_has_gone = os.getppid() != lab  # forks of the lab's process may hold the write end as well
            ended, how = os.waitpid(guest, os.WNOHANG)
            if ended:
                status = os.waitstatus_to_exitcode(how)
                break
    finally:
        kill_descendants()
    if lab_has_gone:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # folders of other guests may be there
            folder.parent.rmdir()
    return status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
