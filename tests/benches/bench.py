"""`make bench`: what a whole report costs, beside the floor and beside what people would use instead.

Every figure is the median of several runs of a fresh process, taken turn by turn in one go, so that the
ratios mean something on a machine that other work shares. Peaks are the sum of resident memory over the
process and its children, sampled every 10 ms. Readers from other packages (the extra `[bench]`; those that
are not installed are left out) read every column, as people usually write it; on a sample of columns their
values are compared with ours cell by cell.

    python tests/benches/bench.py [--columns 100001] [--samples 720] [--runs 5]
    python tests/benches/bench.py --only own others
    python tests/benches/bench.py --only day [--day-samples 17280]
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import resource
import shutil
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
# Other readers as people usually write them: every column, as a frame.
EVERY_COLUMN = {
    "polars": "polars.read_csv(path)",
    "pandas": "pandas.read_csv(path)",
    "pyarrow": "pyarrow.csv.read_csv(path, read_options=pyarrow.csv.ReadOptions(block_size=1 << 26))",
    "duckdb": "duckdb.read_csv(path, max_line_size=100_000_000).fetchnumpy()",
}
# DuckDB takes minutes for what the others take seconds for.
ONCE = {"duckdb"}
OTHERS_SHAPE = (60_000, 300)
# A day at an interval of 5 s; a quarter and a half of it show how time and memory grow.
DAY_SHAPE = (60_000, 17_280)
DAY_PARTS = (4, 2, 1)
HEADER_COLUMNS = 200_000
FLEET = 200
# Reading alone: with all imports done, so that start and judging are none of it.
WANTED = """
import resource, sys, time
from pathlib import Path
import numpy, polars, scipy.stats, zstandard
from esxprobe import catalog
from esxprobe.analyze import all_needs, enough_of
from esxprobe.formats.header_reader import HeaderReader, Request
from esxprobe.formats.scan import FileReader
from esxprobe.formats.source import Source
from esxprobe.formats.issues import QualityIssues
from esxprobe.rules import shipped
catalog.known()
needs = all_needs(shipped())
wall, work = time.perf_counter(), time.process_time()
source = Source(Path(sys.argv[1]))
headers = HeaderReader(Request(needs, enough_of(shipped())))
kept = [batch.rows.values for batch in FileReader(source, headers, QualityIssues()).batches()]
source.finish()
print(time.perf_counter() - wall, time.process_time() - work)
"""
# What is extracted: of 100,001 columns 1,135.
EXTRACTED = (r"Group Cpu\% Used", r"Group Cpu\% Ready", r"Group Cpu\% Run", r"Group Cpu\% CoStop",
             r"Physical Cpu\% Util Time", r"Physical Disk Adapter\Reads/sec")  # fmt: skip
COMPARED = 40
READING = "reading the wanted columns"
PARTS = ("fleet", "own", "others", "day")


@dataclass
class Work:
    """One thing to time: a name, a command, and what was measured."""

    name: str
    command: list[str]
    seconds: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)


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

    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    # Where an environment forbids it, each run would compile what an installed esxprobe has compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(work.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    watcher = threading.Thread(target=watch, args=(process.pid,))
    watcher.start()
    said, errors = process.communicate()
    work.seconds.append(time.perf_counter() - start)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    work.worked.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    work.said.append(said.decode())
    ended.set()
    watcher.join()
    if process.returncode:
        sys.exit(f"{work.name} failed:\n{errors.decode()}")
    work.peaks.append(peak / MB)


def esxprobe(*arguments: str | Path) -> list[str]:
    """A command line of ours."""
    return [sys.executable, "-m", "esxprobe", *map(str, arguments)]


def extracting(capture: Path, target: Path) -> list[str]:
    """A command line that takes some counters out."""
    return esxprobe("extract", capture, *(word for path in EXTRACTED for word in ("--counter", path)), "-o", target)


def reading_wanted(capture: Path) -> list[str]:
    """A program that reads what a report needs, and says how long that took."""
    return [sys.executable, "-c", WANTED, str(capture)]


def floor(capture: Path) -> Work:
    """Reading the bytes and counting commas."""
    return Work("floor: read the bytes, count commas", [sys.executable, "-c", FLOOR, str(capture)])


def in_turns(works: list[Work], runs: int) -> list[Work]:
    """Every work so many times, taken turn by turn."""
    for turn in range(runs):
        for work in works:
            if turn == 0 or work.name not in ONCE:
                run(work)
    return works


def packed(capture: Path) -> list[Path]:
    """The capture as gzip and as zstandard, at the levels that their tools take by themselves."""
    import gzip

    import zstandard

    gz, zst = (capture.with_suffix(f".csv.{ending}") for ending in ("gz", "zst"))
    with capture.open("rb") as raw, gzip.open(gz, "wb", compresslevel=6) as out:
        shutil.copyfileobj(raw, out, 1 << 22)
    with capture.open("rb") as raw, zst.open("wb") as sink:
        zstandard.ZstdCompressor(level=3).copy_stream(raw, sink)
    return [gz, zst]


def own_works(capture: Path, wide: Path, folder: Path) -> list[Work]:
    """What we do, at full width."""
    page = folder / "report.html"
    return [
        floor(capture),
        Work(READING, reading_wanted(capture)),
        Work("esxprobe report", esxprobe("report", capture, "-o", page)),
        *(
            Work(f"esxprobe report, {path.suffix}", esxprobe("report", path, "-o", page))
            for path in packed(capture)
        ),
        *(
            Work(f"esxprobe extract, 6 counters, .{ending}", extracting(capture, folder / f"part.{ending}"))
            for ending in ("csv", "parquet")
        ),
        Work(f"esxprobe counters, {HEADER_COLUMNS:,} columns", esxprobe("counters", wide)),
        Work("esxprobe --help", esxprobe("--help")),
        Work("esxprobe rules list", esxprobe("rules", "list")),
    ]


def fleet_works(folder: Path) -> list[Work]:
    """Many small captures: one process, two, and as many as there are cores."""
    from hostsim import demo_plan, plan_of_width, write_capture

    captures = folder / "fleet"
    captures.mkdir()
    plans = [demo_plan(), *(plan_of_width(2_500, 120, seed) for seed in range(1, 10))]
    for number, plan in enumerate(plans):
        write_capture(folder / f"kind{number}.csv.gz", plan)
    for number in range(FLEET):
        shutil.copy(folder / f"kind{number % len(plans)}.csv.gz", captures / f"esx{number:03}.csv.gz")
    works = []
    for jobs in sorted({1, 2, os.cpu_count() or 1}):
        out = folder / f"jobs{jobs}"
        out.mkdir()
        words = esxprobe("fleet", captures, "--jobs", str(jobs), "-o", out)
        works.append(Work(f"esxprobe report, {FLEET} captures, --jobs {jobs}", words))
    return works


def show_fleet(works: list[Work]) -> None:
    """How much faster several processes are, as a ratio to one, turn by turn."""
    print(f"\n{FLEET} captures; medians of {len(works[0].seconds)} runs\n")
    print("| work | seconds | one process / this | peak [MB] |")
    print("|---|---|---|---|")
    for work in works:
        ratio = statistics.median(one / own for one, own in zip(works[0].seconds, work.seconds, strict=True))
        seconds, peak = statistics.median(work.seconds), statistics.median(work.peaks)
        print(f"| {work.name} | {seconds:.1f} | {ratio:.2f} | {peak:.0f} |")


def other_works(capture: Path, folder: Path) -> list[Work]:
    """The same capture read by what is installed of other packages, every column of it."""
    installed = [name for name in EVERY_COLUMN if importlib.util.find_spec(name)]
    return [
        floor(capture),
        Work("esxprobe report", esxprobe("report", capture, "-o", folder / "report.html")),
        *(Work(name, [sys.executable, "-c", reading(name), str(capture)]) for name in installed),
    ]


def reading(package: str) -> str:
    """A program that reads every column with a package."""
    module = "pyarrow.csv" if package == "pyarrow" else package
    return f"import sys, {module}\npath = sys.argv[1]\nframe = {EVERY_COLUMN[package]}\nprint(type(frame))"


def compare(capture: Path) -> list[str]:
    """Cell by cell: our values of a sample of columns against what other readers make of the same cells.

    DuckDB is left out: it has no way to skip the other columns' work, and takes minutes.
    """
    import numpy as np
    import polars as pl

    from esxprobe.analyze import all_needs
    from esxprobe.formats.header_reader import HeaderReader, Request
    from esxprobe.formats.issues import QualityIssues
    from esxprobe.formats.scan import FileReader
    from esxprobe.formats.source import Source
    from esxprobe.rules import shipped

    source = Source(capture)
    reader = FileReader(source, HeaderReader(Request(all_needs(shipped()))), QualityIssues())
    values = [batch.rows.values for batch in reader.batches()]
    segment = reader.segments[0]
    source.close()
    places = np.linspace(0, segment.wanted.height - 1, COMPARED).astype(int)
    names = segment.wanted["path"].gather(places).to_list()
    ours = np.concatenate([each[places] for each in values], axis=1).T
    theirs = {"polars": pl.read_csv(capture, columns=names).select(names).to_numpy()}
    if importlib.util.find_spec("pandas"):
        import pandas as pd

        # Exact without being asked since pandas 3.
        theirs["pandas"] = pd.read_csv(capture, usecols=names)[names].to_numpy()
    if importlib.util.find_spec("pyarrow"):
        from pyarrow import csv

        options = csv.ConvertOptions(include_columns=names)
        table = csv.read_csv(capture, csv.ReadOptions(block_size=1 << 26), convert_options=options)
        theirs["pyarrow"] = np.stack([table[name].to_numpy() for name in names], axis=1)
    for name, values in theirs.items():
        if not np.array_equal(ours, values.astype(np.float64)):
            sys.exit(f"{name} reads other values than we do: {capture}")
    return [f"{name}: {ours.size:,} cells of {COMPARED} columns are equal" for name in theirs]


def show(works: list[Work], capture: Path, shape: str) -> None:
    """The table, as Markdown."""
    print(f"\n{shape}, {capture.stat().st_size / MB:.0f} MB; medians of {len(works[0].seconds)} runs\n")
    least = statistics.median(works[0].seconds)
    print("| work | seconds | x floor | best [s] | processor time [s] | peak [MB] |")
    print("|---|---|---|---|---|---|")
    for work in works:
        seconds, peak = statistics.median(work.seconds), statistics.median(work.peaks)
        times, worked = f"{seconds / least:.1f}", statistics.median(work.worked)
        print(f"| {work.name} | {seconds:.2f} | {times} | {min(work.seconds):.2f} | {worked:.2f} | {peak:.0f} |")


def show_reading(works: list[Work]) -> None:
    """What reading the wanted columns takes, start and imports not counted."""
    (reading,) = (work.said for work in works if work.name == READING)
    for place, what in enumerate(("seconds", "processor time")):
        print(f"{READING}, {what}: {statistics.median(float(said.split()[place]) for said in reading):.2f} s")


def show_day(folder: Path, samples: int) -> None:
    """Captures of a part of a day and of a whole one, each made, read once, judged once, and taken away again."""
    from day import DIFFERENT, write_day

    columns = DAY_SHAPE[0]
    print(
        f"\n{columns:,} columns; {DIFFERENT} different rows again and again, each with a time of its own; one run\n"
    )
    print(
        "| samples | MB | floor [s] | esxprobe report [s] | x floor | processor [s] | per 1,000 rows | peak [MB] |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for part in DAY_PARTS:
        count = samples // part
        capture = folder / f"day{part}.csv"
        write_day(capture, columns, count)
        least = floor(capture)
        report = Work("esxprobe report", esxprobe("report", capture, "-o", folder / "report.html"))
        run(least)
        before = os.times()
        run(report)
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        seconds, size = (least.seconds[0], report.seconds[0]), capture.stat().st_size / MB
        capture.unlink()
        print(
            f"| {count:,} | {size:,.0f} | {seconds[0]:.1f} | {seconds[1]:.1f} | {seconds[1] / seconds[0]:.1f} "
            f"| {cpu:.1f} | {1e3 * cpu / count:.2f} | {report.peaks[0]:.0f} |",
            flush=True,
        )


def machine() -> str:
    """What the figures were measured on."""
    names = ("polars", "numpy", "isal", "zstandard", "vl-convert-python", "pandas", "pyarrow", "duckdb")
    versions = [f"{name} {version(name)}" for name in names if importlib.util.find_spec(_MODULES.get(name, name))]
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, load {load:.1f}; "
        f"Python {platform.python_version()}, {', '.join(versions)}"
    )


_MODULES = {"vl-convert-python": "vl_convert"}


def main() -> None:
    """Makes the capture, runs, shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=100_001)
    parser.add_argument("--samples", type=int, default=720)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts of the bench")
    parser.add_argument("--day-samples", type=int, default=DAY_SHAPE[1], help="so many instead of a day's")
    options = parser.parse_args()
    from hostsim import plan_of_width, write_capture

    def made(name: str, columns: int, samples: int) -> Path:
        path = Path(folder) / name
        write_capture(path, plan_of_width(columns, samples, 1))
        return path

    print(machine())
    with tempfile.TemporaryDirectory(prefix="esxprobe-bench-") as folder:
        if "fleet" in options.only:
            show_fleet(in_turns(fleet_works(Path(folder)), options.runs))
        shape = f"{options.columns:,} columns x {options.samples:,} samples"
        if "own" in options.only:
            capture = made("bench.csv", options.columns, options.samples)
            wide = made("header.csv", HEADER_COLUMNS, 2)
            works = in_turns(own_works(capture, wide, Path(folder)), options.runs)
            show(works, capture, shape)
            show_reading(works)
        if "others" in options.only:
            columns, samples = OTHERS_SHAPE
            capture = made("others.csv", columns, samples)
            works = in_turns(other_works(capture, Path(folder)), options.runs)
            show(works, capture, f"{columns:,} columns x {samples:,} samples, every column by other readers")
            print("\n" + "\n".join(compare(capture)))
        if "day" in options.only:
            show_day(Path(folder), options.day_samples)


if __name__ == "__main__":
    main()
