"""Captures judged in this process, or in several of this machine.

Processes are spawned, not forked: polars' threads do not survive a fork. Each worker has a pipe of its own and
nothing is shared, so a worker that dies takes no other capture with it. The capture that it had is judged again,
alone; one that kills its worker a second time is an outcome. A pool that is left kills its workers, whatever they
are at: the one of `concurrent.futures` could wait without end for a worker that was killed while it answered.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Protocol

from esxprobe.errors import EXIT_UNREADABLE
from esxprobe.fleet.capture_sources import size_of
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
    queue, again = deque(range(len(tasks))), deque[int]()
    for number, judged in _round(tasks, queue, min(jobs, len(queue)), room):
        if judged is None:
            again.append(number)
        else:
            yield number, judged
    # One at a time: where memory ran out, the capture that needed it may have been another one.
    for number, judged in _round(tasks, again, 1, room):
        hint = "it may need more memory than is available; check the system log"
        died = Judged(failure=Failure("the process that analyzed it died twice", hint, EXIT_UNREADABLE))
        yield number, judged or died


def _round(tasks: Sequence[Task], queue: deque[int], jobs: int, room: float) -> Iterator[tuple[int, Judged | None]]:
    """Works through the queue; there is no result for what a worker died of."""
    workers = [_Worker(max(1, (os.cpu_count() or 1) // jobs)) for _ in range(min(jobs, len(queue)))]
    idle, running = list(workers), dict[int, _Worker]()
    try:
        while queue or running:
            used = sum(need_mb(tasks[number]) for number in running)
            while queue and idle:
                need = need_mb(tasks[queue[0]])
                if running and used + need > room:
                    break
                number, worker = queue.popleft(), idle.pop()
                worker.begin(tasks[number])
                running[number] = worker
                used += need
            answered = wait([worker.answers for worker in running.values()])
            for number in [number for number, worker in running.items() if worker.answers in answered]:
                worker = running.pop(number)
                judged = worker.result()
                if judged is None:
                    worker.end()
                    workers.append(worker := _Worker(worker.threads))
                idle.append(worker)
                yield number, judged
    finally:
        for worker in workers:
            worker.end()


class _Sends(Protocol):
    """The end of a pipe that is written: another class on Windows."""

    def send(self, value: Any, /) -> None:
        """Sends a value."""


class _Receives(Protocol):
    """The end of a pipe that is read."""

    def recv(self) -> Any:
        """Waits for a value, or until the other end goes."""


class _Worker:
    """A process that judges one capture after the other, and a pipe each way."""

    def __init__(self, threads: int) -> None:
        context = get_context("spawn")
        self.threads = threads
        given, self._tasks = context.Pipe(duplex=False)
        self.answers, taken = context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(given, taken, threads), daemon=True)
        self.process.start()
        given.close()
        taken.close()  # the only one is the worker's: the pipe ends when it does

    def begin(self, task: Task) -> None:
        """Gives it a capture to judge."""
        with suppress(OSError):  # it has died: seen where its answer is read
            self._tasks.send(task)

    def result(self) -> Judged | None:
        """The result; nothing if the process died."""
        with suppress(EOFError, OSError):
            judged: Judged = self.answers.recv()
            return judged
        return None

    def end(self) -> None:
        """Kills it: all that it has is in memory."""
        self.process.kill()
        self.process.join()
        self._tasks.close()
        self.answers.close()


def _work(tasks: _Receives, answers: _Sends, threads: int) -> None:
    """In a new process: it goes when whoever started it goes, and leaves Ctrl-C to them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(1_000_000)  # as in the command: a capture makes hundreds of thousands of strings at once
    for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))  # before they are imported
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            answers.send(judge_here(tasks.recv()))


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
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
    return float("inf")  # not known: then nothing is held back
