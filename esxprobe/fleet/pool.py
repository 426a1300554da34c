"""Captures judged in this process, or in several of this machine.

Processes are spawned, not forked: polars' threads do not survive a fork. A worker that dies takes no other
capture with it: those that were in its hands are judged again, each alone, and one that kills its worker a second
time is an outcome.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from esxprobe.errors import EXIT_UNREADABLE
from esxprobe.fleet.sources import size_of
from esxprobe.fleet.work import Task, judge, judge_here
from esxprobe.model.fleet import Failure, Judged

# Measured, see docs/scale.md: a worker with its drawer, and what a capture adds to it.
WORKER_MB = 370.0
BLOCKS_MB = 80.0
SHARE_OF_FILE = 0.35
# However long a capture is, it adds no more than this: the rest waits in a temporary file (docs/decisions/006).
MOST_MB = 400.0
# Packed captures are about as many times as large when they are unpacked.
PACKED = {".gz": 8.0, ".zst": 8.0}
# Of the memory that is free, so much is not ours.
_SPARE = 0.2


class _Held(Protocol):
    """The end of a pipe that a worker waits at: another class on Windows."""

    def recv(self) -> object:
        """Waits until the other end goes."""


def judged_here(tasks: Sequence[Task]) -> Iterator[tuple[int, Judged]]:
    """Every capture in this process, one after the other."""
    from esxprobe.report.drawing import Drawer

    with Drawer() as drawer:
        for number, task in enumerate(tasks):
            yield number, judge(task, drawer)


def judged_in_pool(tasks: Sequence[Task], jobs: int, room_mb: float | None = None) -> Iterator[tuple[int, Judged]]:
    """Every capture in one of `jobs` processes, as they are done.

    Args:
        tasks: The captures.
        jobs: Processes at most.
        room_mb: Memory that all of them may need; what is free when left out. One capture always runs.
    """
    room = free_mb() * (1 - _SPARE) if room_mb is None else room_mb
    queue, suspects = deque(range(len(tasks))), deque[int]()
    while queue:
        yield from _round(tasks, queue, suspects, min(jobs, len(queue)), room, ahead=1)
    while suspects:  # one at a time: the one that a worker dies of is then known
        guilty: deque[int] = deque()
        yield from _round(tasks, suspects, guilty, 1, room, ahead=0)
        for number in guilty:
            hint = "it may need more memory than there is: see the system's log"
            yield number, Judged(failure=Failure("the process that judged it died twice", hint, EXIT_UNREADABLE))


def _round(
    tasks: Sequence[Task], queue: deque[int], suspects: deque[int], jobs: int, room: float, *, ahead: int
) -> Iterator[tuple[int, Judged]]:
    """Works through the queue until it is empty, or a worker dies: then `suspects` gets what was in hand."""
    context = get_context("spawn")
    watched, held = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(jobs, context, _start, (watched, max(1, (os.cpu_count() or 1) // jobs)))
    running: dict[Future[Judged], int] = {}
    try:
        while queue or running:
            used = sum(need_mb(tasks[number]) for number in running.values())
            # With some ahead for each process none of them waits for the next.
            while queue and len(running) < (1 + ahead) * jobs:
                need = need_mb(tasks[queue[0]])
                if running and used + need > room:
                    break
                number = queue.popleft()
                running[pool.submit(judge_here, tasks[number])] = number
                used += need
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                judged = future.result()
                yield running.pop(future), judged
        pool.shutdown(wait=True)
    except BrokenProcessPool:
        for future, number in running.items():
            if future.done() and future.exception() is None:
                yield number, future.result()
            else:
                suspects.append(number)
    finally:
        held.close()  # the workers end at once, whatever they are at: all that they have is in memory
        pool.shutdown(wait=True, cancel_futures=True)
        watched.close()


def _start(watched: _Held, threads: int) -> None:
    """In a new worker: it goes when whoever started it goes, and leaves Ctrl-C to them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(1_000_000)  # as in the command: a capture makes hundreds of thousands of strings at once
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))  # before they are imported
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _end_with(watched: _Held) -> None:
    try:
        watched.recv()
    except (EOFError, OSError):
        os._exit(1)


def need_mb(task: Task) -> float:
    """About as much memory as judging a capture needs, its worker included [MB]."""
    total = 0.0
    for path, size in size_of(task.source):
        total += size / 1e6 * PACKED.get(Path(path).suffix.lower(), 1.0)
    return WORKER_MB + min(BLOCKS_MB, total) + min(MOST_MB, SHARE_OF_FILE * total)


def free_mb() -> float:
    """Memory that is free or easily freed [MB]."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    if sys.platform != "win32":
        try:
            return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6)
        except (AttributeError, OSError, ValueError):
            pass
    return float("inf")  # nobody tells: then nothing is held back
