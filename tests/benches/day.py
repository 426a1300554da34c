"""Captures as long as one likes: some rows of the simulated host again and again, each with a time of its own.

python tests/benches/day.py --columns 60000 --samples 17280 OUT.csv
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.wide import plan_of_width

# So many rows differ from each other in their values: more would take longer to make than to judge.
DIFFERENT = 120
INTERVAL_S = 5
_START = datetime(2026, 3, 26)


def day_lines(columns: int, samples: int) -> Iterator[bytes]:
    """The header, and so many rows."""
    lines = capture_lines(plan_of_width(columns, DIFFERENT, 1))
    yield next(lines)
    rows = [line[line.index(b",") :] for line in islice(lines, min(samples, DIFFERENT))]
    for number in range(samples):
        stamp = _START + timedelta(seconds=INTERVAL_S * number)
        yield f'"{stamp:%m/%d/%Y %H:%M:%S}"'.encode() + rows[number % len(rows)]


def write_day(path: Path, columns: int, samples: int) -> None:
    """Writes the capture where there is room for it and for as much again."""
    lines = day_lines(columns, samples)
    header, first = next(lines), next(lines)
    size, free = len(header) + samples * len(first), shutil.disk_usage(path.parent).free
    if free < 2 * size:
        sys.exit(f"{path.parent} has {free / 1e9:.1f} GB free and needs {2 * size / 1e9:.1f}: set TMPDIR")
    with path.open("wb") as out:
        out.write(header + first)
        out.writelines(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=60_000)
    parser.add_argument("--samples", type=int, default=17_280)
    parser.add_argument("path", type=Path)
    asked = parser.parse_args()
    write_day(asked.path, asked.columns, asked.samples)
