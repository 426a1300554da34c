"""What a query of `esxprobe.scan` costs: fresh processes turn by turn, start and imports with them.

    python tests/benches/frames.py [--columns 20001] [--samples 1440] [--runs 5]

The second table is a longer capture, rows of the simulated host again and again with times of their own: what a
query's memory follows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from bench import Work, floor, in_turns, machine, show
from day import write_day
from hostsim import plan_of_width, write_capture

QUERY = """
import sys
from datetime import timedelta
import polars as pl
import esxprobe
capture = esxprobe.open(sys.argv[1])
frame = capture.scan()
names = frame.collect_schema().names()
some = names[1 :: len(names) // 20][:20]
first = frame.select("time").head(1).collect().item()
"""
CHOSEN = 'print(frame.select("time", *some).collect().shape)'
EVERY = "print(frame.collect().shape)"
EARLY = 'print(frame.filter(pl.col("time") < first + timedelta(minutes=30)).select("time", *some).collect().shape)'
LATE = 'print(frame.filter(pl.col("time") > first + timedelta(minutes=90)).select("time", *some).collect().shape)'
MEANS = 'print(frame.select(pl.exclude("time").mean()).collect(engine="streaming").shape)'
SOME_MEANS = 'print(frame.select(pl.col(some).mean()).collect(engine="streaming").shape)'
PLAIN = """
import sys
import polars as pl
frame = pl.scan_csv(sys.argv[1])
names = frame.collect_schema().names()
print(frame.select(names[0], *names[1 :: len(names) // 20][:20]).collect().shape)
"""


def asking(name: str, capture: Path, program: str) -> Work:
    """A query in a process of its own."""
    return Work(name, [sys.executable, "-c", program, str(capture)])


def queries(capture: Path) -> list[Work]:
    """What people ask for."""
    return [
        floor(capture),
        asking("open, schema, first row", capture, QUERY),
        asking("20 columns", capture, QUERY + CHOSEN),
        asking("20 columns, the first 30 minutes", capture, QUERY + EARLY),
        asking("20 columns, from minute 90 on", capture, QUERY + LATE),
        asking("every column", capture, QUERY + EVERY),
        asking("means of 20 columns, streaming", capture, QUERY + SOME_MEANS),
        asking("means of every column, streaming", capture, QUERY + MEANS),
        asking("20 columns by polars.scan_csv, unchecked", capture, PLAIN),
    ]


def main() -> None:
    """Makes the captures, asks, shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=20_001)
    parser.add_argument("--samples", type=int, default=1440)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--longer", type=int, default=4, help="so many times as long is the second capture")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="esxprobe-bench-") as folder:
        capture = Path(folder) / "capture.csv"
        write_capture(capture, plan_of_width(options.columns, options.samples, 1))
        shape = f"{options.columns:,} columns x {options.samples:,} samples"
        show(in_turns(queries(capture), options.runs), capture, shape)
        capture.unlink()
        longer = Path(folder) / "longer.csv"
        write_day(longer, options.columns, options.samples * options.longer)
        works = [work for work in queries(longer) if not work.name.startswith(("every", "open"))]
        show(
            in_turns(works, 1),
            longer,
            f"{options.columns:,} columns x {options.samples * options.longer:,} samples",
        )


if __name__ == "__main__":
    main()
