"""`make bench`: what a whole report costs, beside the floor and beside reading every column.

Every figure is the median of several runs of a fresh process, taken turn by turn in one go on one
file, so that the ratios mean something on a machine that other work shares. Peaks are the sum of
resident memory over the process and its children, sampled every 10 ms.

    python tests/benches/bench.py [--columns 60000] [--samples 300] [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
MB = 1e6

# The floor: nobody can judge a file without reading it and telling its cells apart.
FLOOR = """
import sys
commas = 0
with open(sys.argv[1], 'rb', buffering=0) as file:
    block = bytearray(1 << 22)
    while size := file.readinto(block):
        commas += block.count(b',', 0, size)
print(commas)
"""
EVERY_COLUMN = "import sys, polars; print(polars.read_csv(sys.argv[1]).shape)"


@dataclass
class Work:
    """One thing to time: a name, a command, and what was measured."""

    name: str
    command: list[str]
    seconds: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)


def resident(pid: int) -> int:
    """Resident memory of a process and all below it [bytes]."""
    total = 0
    todo = [pid]
    while todo:
        one = todo.pop()
        try:
            pages = int(Path(f"/proc/{one}/statm").read_text().split()[1])
            todo += map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split())
        except (OSError, IndexError, ValueError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


def run(work: Work) -> None:
    """Times one run of a fresh process and watches its memory."""
    peak = 0
    ended = threading.Event()

    def watch(pid: int) -> None:
        nonlocal peak
        while not ended.wait(0.01):
            peak = max(peak, resident(pid))

    start = time.perf_counter()
    process = subprocess.Popen(work.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    watcher = threading.Thread(target=watch, args=(process.pid,))
    watcher.start()
    _, errors = process.communicate()
    work.seconds.append(time.perf_counter() - start)
    ended.set()
    watcher.join()
    if process.returncode:
        sys.exit(f"{work.name} failed:\n{errors.decode()}")
    work.peaks.append(peak / MB)


def bench(capture: Path, runs: int, out: Path) -> list[Work]:
    """All works on one file, in turns."""
    python = sys.executable
    works = [
        Work("floor: read the bytes, count commas", [python, "-c", FLOOR, str(capture)]),
        Work("polars.read_csv, every column", [python, "-c", EVERY_COLUMN, str(capture)]),
        Work("esxprobe report", [python, "-m", "esxprobe", "report", str(capture), "-o", str(out / "report.html")]),
        Work("esxprobe counters", [python, "-m", "esxprobe", "counters", str(capture)]),
    ]
    for _ in range(runs):
        for work in works:
            run(work)
    return works


def show(works: list[Work], capture: Path, shape: str) -> None:
    """The table, as Markdown."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("polars", "numpy", "vl-convert-python"))
    print(f"\n{shape}, {capture.stat().st_size / MB:.0f} MB; Python {platform.python_version()}, {versions}")
    print(f"{os.cpu_count()} cores, {platform.machine()}; medians of {len(works[0].seconds)} runs\n")
    floor, every = (statistics.median(work.seconds) for work in works[:2])
    print("| work | seconds | x floor | x every column | peak [MB] |")
    print("|---|---|---|---|---|")
    for work in works:
        seconds, peak = statistics.median(work.seconds), statistics.median(work.peaks)
        print(f"| {work.name} | {seconds:.2f} | {seconds / floor:.1f} | {seconds / every:.2f} | {peak:.0f} |")


def main() -> None:
    """Makes the capture, runs, shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=60_000)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    from hostsim import plan_of_width, write_capture

    with tempfile.TemporaryDirectory(prefix="esxprobe-bench-") as folder:
        capture = Path(folder) / "bench.csv"
        write_capture(capture, plan_of_width(options.columns, options.samples, 1))
        works = bench(capture, options.runs, Path(folder))
        show(works, capture, f"{options.columns:,} columns x {options.samples:,} samples")


if __name__ == "__main__":
    main()
