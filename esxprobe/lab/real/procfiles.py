"""/proc/vmstat and /proc/stat of a native guest: totals of its own processes.

A native guest is a group of processes of this machine. The machine's own files count all processes, so the
commands of a native guest read two named pipes instead. Their contents are computed whenever one of them is
opened.

Faults and CPU time of processes that have ended are counted, because the kernel adds them to the parent. Context
switches between the last reading and the end of a thread are not counted.

References:
    proc(5): /proc/PID/stat, /proc/PID/status.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from esxprobe.lab.real import cputime
from esxprobe.lab.real.cputime import TICK_S, CpuTimeReader, stat_fields

VMSTAT, STAT = "/proc/vmstat", "/proc/stat"


class ProcFiles:
    """The two named pipes.

    Args:
        folder: Where to create them.
    """

    def __init__(self, folder: Path) -> None:
        self._guest: CpuTimeReader | None = None
        self._boot = time.time()
        self._lock = threading.Lock()
        self._totals: dict[str, int] = {}
        self._switches: dict[tuple[int, str], int] = {}
        self._ended_switches = 0
        self._over = threading.Event()
        self.paths = {VMSTAT: str(folder / "vmstat"), STAT: str(folder / "stat")}
        contents: dict[str, Callable[[], str]] = {VMSTAT: self.vmstat, STAT: self.stat}
        self._threads = []
        for name, path in self.paths.items():
            os.mkfifo(path, 0o600)
            arguments = (Path(path), contents[name])
            thread = threading.Thread(target=self._serve, args=arguments, name=f"lab {name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def describe(self, guest: CpuTimeReader) -> None:
        """Sets the guest whose processes are counted. Before that, all totals are zero."""
        self._guest = guest

    def vmstat(self) -> str:
        """Lines of /proc/vmstat. Counters that are not known per process are left out."""
        totals = self._read_totals()
        return f"pgfault {totals['minor'] + totals['major']}\npgmajfault {totals['major']}\n"

    def stat(self) -> str:
        """Lines of /proc/stat, with one CPU."""
        totals = self._read_totals()
        uptime = round((time.time() - self._boot) / TICK_S)
        idle = max(uptime - totals["user"] - totals["system"], 0)
        cpu = f"{totals['user']} 0 {totals['system']} {idle} 0 0 0 0 0 0"
        return f"cpu  {cpu}\ncpu0 {cpu}\nctxt {totals['switches']}\nbtime {int(self._boot)}\n"

    def _read_totals(self) -> dict[str, int]:
        with self._lock:
            processes = self._guest.processes() if self._guest else []
            sums = dict.fromkeys(("minor", "major", "user", "system"), 0)
            for process in processes:
                with contextlib.suppress(OSError):
                    fields = [0, *map(int, stat_fields(process)[1:15])]
                    sums["minor"] += fields[cputime.MINFLT] + fields[cputime.CMINFLT]
                    sums["major"] += fields[cputime.MAJFLT] + fields[cputime.CMAJFLT]
                    sums["user"] += fields[cputime.UTIME] + fields[cputime.CUTIME]
                    sums["system"] += fields[cputime.STIME] + fields[cputime.CSTIME]
            sums["switches"] = self._read_switches(processes)
            # a process that ends during the reading may be in neither its own nor its parent's totals
            self._totals = {name: max(total, self._totals.get(name, 0)) for name, total in sums.items()}
            return self._totals

    def _read_switches(self, processes: list[int]) -> int:
        now: dict[tuple[int, str], int] = {}
        for process in processes:
            with contextlib.suppress(OSError):
                for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208
                    text = Path(f"/proc/{process}/task/{thread}/status").read_text("utf-8", "replace")
                    counts = [line.split()[1] for line in text.splitlines() if "ctxt_switches" in line]
                    now[process, thread] = sum(map(int, counts))
        self._ended_switches += sum(count for key, count in self._switches.items() if key not in now)
        self._switches = now
        return self._ended_switches + sum(now.values())

    def _serve(self, path: Path, content: Callable[[], str]) -> None:
        """Writes the content each time a process opens the pipe."""
        following = path.with_suffix(".next")
        while not self._over.is_set():
            pipe = os.open(path, os.O_WRONLY)  # blocks until there is a reader
            try:
                os.mkfifo(following, 0o600)  # a new pipe for the next reader, so that this one gets an end of file
                following.replace(path)
                with contextlib.suppress(BrokenPipeError):
                    os.write(pipe, content().encode())
            finally:
                os.close(pipe)

    def close(self) -> None:
        """Ends both threads."""
        self._over.set()
        readers = [os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in self.paths.values()]
        for thread in self._threads:
            thread.join()
        for reader in readers:
            os.close(reader)
