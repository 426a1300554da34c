r"""The workload of a real guest: page faults and other work, timed by the guest itself.

    python3 -I -S workload.py '{"kind": "anti", "faults_s": 2000, ...}'

Commands on standard input, one per line; output is one JSON object per line:

    touch N    touches N fresh pages at once: {"touch": N, "wall_s": ..., "cpu_s": ...}
    sham N     the same loop over pages that are already mapped: {"sham": N, ...}
    go         starts the load: {"go": RECORD}, then {"record": RECORD} every second
    hold       suspends it, so that `touch` and `sham` can be measured alone: {"hold": RECORD}
    resume     continues it: {"resume": RECORD}
    pause      stops it: {"pause": RECORD}

The program ends when its input ends.

A record has totals since the start. Times are in seconds: `at` (the guest's clock), `faults` (pages touched for
the first time), `minflt` (minor faults of this process as the kernel counts them), `touch_s` and `touch_cpu_s`
(wall and CPU time of touching), `discard_s` (wall time of unmapping pages before), `kernel_s`, `user_s` (wall
time of other work), `forks`. `rounds` is the wall time per page of each round of 256 pages since the last record
[us].

The amount of work is given, not its duration: with less CPU time it takes longer, like ordinary programs.

This file is a script. It runs on the guest's Python and imports the standard library only.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import random
import resource
import select
import sys
import time
from collections.abc import Callable
from typing import Any

PAGE = mmap.PAGESIZE
ROUND = 256  # pages; each is touched once per round
SLOT_S = 0.1
RECORD_S = 1.0
_MAX_BACKLOG_S = 0.3  # work that could not be done within this time is dropped
_READ_BYTES = 1 << 18
_COUNT = 2_000
_CALIBRATION_S = 0.05
_TOTALS = ("faults", "touch_s", "touch_cpu_s", "discard_s", "kernel_s", "user_s", "forks")


class LoadLevels:
    """The level of the load, block by block."""

    def __init__(self, kind: str, block_s: float, seed: int) -> None:
        self._kind, self._block_s, self._seed = kind, block_s, seed

    def at(self, elapsed_s: float) -> tuple[float, float]:
        """Factors for faults and forks, and for other work. Their mean is 1."""
        if self._kind in ("steady", "idle"):
            return 1.0, 1.0
        block = int(elapsed_s / self._block_s)
        if self._kind == "fork":  # a storm in one of four blocks
            storm = random.Random(f"{self._seed} {block // 4}").randrange(4)  # noqa: S311
            return (4.0, 1.0) if block % 4 == storm else (0.0, 1.0)
        draws = random.Random(f"{self._seed} {block}")  # noqa: S311
        faults, other = 2 * draws.random(), 2 * draws.random()
        return faults, {"co": faults, "anti": 2 - faults}.get(self._kind, other)


class Workload:
    """The load of one guest."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.levels = LoadLevels(plan["kind"], plan["block_s"], plan["seed"])
        self.totals = dict.fromkeys(_TOTALS, 0.0)
        self.rounds: list[float] = []
        self._pool = mmap.mmap(-1, ROUND * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_NOHUGEPAGE"):
            with contextlib.suppress(OSError):  # kernel without huge pages
                self._pool.madvise(mmap.MADV_NOHUGEPAGE)
        self._bytes = bytes(ROUND)
        self._zero = os.open("/dev/zero", os.O_RDONLY)
        self._buffer = bytearray(_READ_BYTES)
        self._due = dict.fromkeys(("faults", "forks", "reads", "counts"), 0.0)
        self.touch(2 * ROUND)  # the first rounds take longer
        self._max_rates = {"reads": self._calibrate(self._read), "counts": self._calibrate(self._count)}
        self.totals, self.rounds = dict.fromkeys(_TOTALS, 0.0), []

    @staticmethod
    def _calibrate(work: Callable[[], None]) -> float:
        """How often it can be done [1/s]."""
        begin, done = time.perf_counter(), 0
        while (took := time.perf_counter() - begin) < _CALIBRATION_S:
            work()
            done += 1
        return done / took

    def _read(self) -> None:
        os.readv(self._zero, [self._buffer])

    def _count(self) -> None:
        sum(range(_COUNT))

    def touch(self, pages: int) -> None:
        """Touches fresh pages, in rounds of at most 256."""
        totals = self.totals
        while pages > 0:
            count = min(pages, ROUND)
            begin = time.perf_counter()
            self._pool.madvise(mmap.MADV_DONTNEED)
            cpu, start = time.process_time(), time.perf_counter()
            self._pool[: count * PAGE : PAGE] = self._bytes[:count]
            end = time.perf_counter()
            totals["touch_cpu_s"] += time.process_time() - cpu
            totals["touch_s"] += end - start
            totals["discard_s"] += start - begin
            totals["faults"] += count
            if count == ROUND:
                self.rounds.append(round((end - start) / count * 1e6, 2))
            pages -= count

    def sham(self, pages: int) -> None:
        """Touches pages that are mapped. The first round maps any that are not."""
        self._pool[::PAGE] = self._bytes
        for _ in range(0, pages, ROUND):
            self._pool[::PAGE] = self._bytes

    def slot(self, elapsed_s: float, length_s: float) -> None:
        """Does the work that is due in a time slot."""
        plan, due = self.plan, self._due
        faults, other = self.levels.at(elapsed_s)
        rates = {
            "faults": plan["faults_s"] * faults,
            "forks": plan["forks_s"] * faults,
            "reads": plan["kernel_pct"] / 100 * other * self._max_rates["reads"],
            "counts": plan["user_pct"] / 100 * other * self._max_rates["counts"],
        }
        for name, rate in rates.items():
            most = rate * _MAX_BACKLOG_S + (ROUND if name == "faults" else 1)
            due[name] = min(due[name] + rate * length_s, most)
        self.touch(self._take("faults", ROUND))
        for _ in range(self._take("forks")):
            self._fork()
        self._repeat("kernel_s", self._read, self._take("reads"))
        self._repeat("user_s", self._count, self._take("counts"))

    def _take(self, name: str, unit: int = 1) -> int:
        whole = int(self._due[name] // unit) * unit
        self._due[name] -= whole
        return whole

    def _repeat(self, name: str, work: Callable[[], None], count: int) -> None:
        if not count:
            return
        begin = time.perf_counter()
        for _ in range(count):
            work()
        self.totals[name] += time.perf_counter() - begin

    def _fork(self) -> None:
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        self.totals["forks"] += 1

    def record(self) -> dict[str, Any]:
        """The totals, and the rounds since the last record."""
        rounds, self.rounds = self.rounds, []
        minflt = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        return {"at": time.time(), **self.totals, "minflt": minflt, "rounds": rounds}


def timed(load: Workload, what: str, pages: int) -> dict[str, Any]:
    """Runs `touch` or `sham`."""
    begin, cpu = time.perf_counter(), time.process_time()
    (load.touch if what == "touch" else load.sham)(pages)
    return {what: pages, "wall_s": time.perf_counter() - begin, "cpu_s": time.process_time() - cpu}


def say(what: dict[str, Any]) -> None:
    """Writes a line of output."""
    os.write(1, (json.dumps(what) + "\n").encode())


def main(plan: dict[str, Any]) -> None:
    """Follows the commands until the input ends."""
    load = Workload(plan)
    began: float | None = None
    held = False
    last_record = last_slot = 0.0
    rest = b""
    works = any(plan[name] for name in ("faults_s", "forks_s", "kernel_pct", "user_pct"))
    slot_s = SLOT_S if works else RECORD_S
    say({"ready": time.time()})
    while True:
        wait = None if began is None or held else max(last_slot + slot_s - time.monotonic(), 0.0)
        if select.select([0], [], [], wait)[0]:
            piece = os.read(0, 65_536)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for words in (line.decode().split() for line in lines):
                if len(words) == 2:
                    say(timed(load, words[0], int(words[1])))
                    continue
                if words[0] in ("go", "pause"):
                    began = time.monotonic() if words[0] == "go" else None
                    last_record = last_slot = began or 0.0
                held = words[0] == "hold"
                say({words[0]: load.record()})
        elif began is not None:
            now = time.monotonic()
            load.slot(last_slot - began, now - last_slot)
            last_slot = now
            if now - last_record >= RECORD_S:
                last_record = now
                say({"record": load.record()})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
