"""CPU time of a guest: of all its processes on this machine, including those that have ended.

The CPU-time clock of a process also counts its threads that have ended. CPU time of a child that was waited for
is in `cutime` and `cstime` of its parent, which are shown in whole ticks of 10 ms. A guest that ends many
processes (user-mode-linux ends a process of this machine for each of its own) is therefore known to about 20 ms.
The error does not accumulate.

The second number in `schedstat` is how long a thread was ready and waited for a CPU. What a thread waited after
the last reading and before its end is not counted, so that this time is a lower bound.

References:
    clock_getcpuclockid(3); proc(5), /proc/PID/stat; Linux, Documentation/scheduler/sched-stats.rst.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from esxprobe.lab.real.supervisor import descendants

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_TRIES = 5
_CPUCLOCK_SCHED = 2
# Positions in what `stat_fields` gives.
MINFLT, CMINFLT, MAJFLT, CMAJFLT, UTIME, STIME, CUTIME, CSTIME = 7, 8, 9, 10, 11, 12, 13, 14


@dataclass(frozen=True, slots=True)
class CpuTime:
    """What a guest has used so far.

    Attributes:
        at_s: Time of the reading, CLOCK_MONOTONIC [s].
        run_s: CPU time [s].
        ready_s: Time its threads were ready and waited for a CPU, at least [s].
    """

    at_s: float
    run_s: float
    ready_s: float


class CpuTimeReader:
    """Reads the CPU time of all descendants of a process.

    Args:
        root: Process ID. Its own time is not counted.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._run_s = 0.0
        self._ready_ns: dict[tuple[int, int], int] = {}
        self._ended_ready_ns = 0

    def processes(self) -> list[int]:
        """Process IDs of the descendants."""
        return descendants(self._root)

    def read(self) -> CpuTime:
        """Reads it. Totals never go back."""
        for _ in range(_TRIES):  # a process that ends between the two sums would be in neither, or in both
            processes = self.processes()
            ended_s = self._ended_s(processes)
            run_s = self._running_s(processes)
            if self._ended_s(self.processes()) == ended_s:
                break
        self._run_s = max(self._run_s, run_s + ended_s)
        self._read_ready(processes)
        ready_ns = self._ended_ready_ns + sum(self._ready_ns.values())
        return CpuTime(time.monotonic(), self._run_s, ready_ns / 1e9)

    @staticmethod
    def _running_s(processes: list[int]) -> float:
        total = 0.0
        for process in processes:
            with contextlib.suppress(OSError):
                total += time.clock_gettime((~process << 3) | _CPUCLOCK_SCHED)
        return total

    @staticmethod
    def _ended_s(processes: list[int]) -> float:
        ticks = 0
        for process in processes:
            with contextlib.suppress(OSError):
                fields = stat_fields(process)
                ticks += int(fields[CUTIME]) + int(fields[CSTIME])
        return ticks * TICK_S

    def _read_ready(self, processes: list[int]) -> None:
        now: dict[tuple[int, int], int] = {}
        for process in processes:
            with contextlib.suppress(OSError):
                for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
                    text = Path(f"/proc/{process}/task/{thread}/schedstat").read_text("ascii")
                    now[process, int(thread)] = int(text.split()[1])
        self._ended_ready_ns += sum(waited for key, waited in self._ready_ns.items() if key not in now)
        self._ready_ns = now


def stat_fields(process: int) -> list[str]:
    """Fields of /proc/PID/stat from the third, the state, to the last. Raises OSError."""
    return Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()


def pcpu_times() -> list[tuple[float, float]]:
    """Busy and idle time of each CPU of this machine since boot [s]."""
    found = []
    for line in Path("/proc/stat").read_text("ascii").splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name != "cpu":
            user, nice, system, idle, iowait, irq, softirq = (TICK_S * int(field) for field in fields[:7])
            found.append((user + nice + system + irq + softirq, idle + iowait))
    return found


def busy_pct(before: list[tuple[float, float]], after: list[tuple[float, float]]) -> tuple[float, ...]:
    """Utilization of each CPU between two results of `pcpu_times` [%]."""
    shares = []
    for (busy_then, idle_then), (busy, idle) in zip(before, after, strict=False):
        passed = (busy - busy_then) + (idle - idle_then)
        shares.append(100 * min(max((busy - busy_then) / passed, 0.0), 1.0) if passed > 0 else 0.0)
    return tuple(shares)
