"""Captures of the simulated host (`esxprobe/lab`) as files, for benches, tests and the samples.

python tests/benches/hostsim.py --columns 60000 --samples 300 OUT.csv     a capture of that exact width
python tests/benches/hostsim.py --sample OUT.csv.gz                       the demo sample, see `demo_plan`
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import zstandard

from esxprobe.lab.csv_rows import capture_lines, header_columns
from esxprobe.lab.plan import ALL_POWER_STATES, USER_GROUPS, GuestPlan, HostPlan, VmPlan, over, steps
from esxprobe.lab.scenarios import demo_plan
from esxprobe.lab.wide import plan_of_width

__all__ = [
    "ALL_POWER_STATES",
    "USER_GROUPS",
    "GuestPlan",
    "HostPlan",
    "VmPlan",
    "demo_plan",
    "header_columns",
    "over",
    "plan_of_width",
    "steps",
    "write_capture",
]


@contextmanager
def _sink(path: Path) -> Iterator[IO[bytes] | Any]:
    with path.open("wb") as raw:
        if path.suffix == ".gz":  # neither name nor time in its header: the same bytes every time
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as packed:
                yield packed
        elif path.suffix == ".zst":
            with zstandard.ZstdCompressor(level=9).stream_writer(raw, closefd=False) as packed:
                yield packed
        else:
            yield raw


def write_capture(path: Path, plan: HostPlan) -> None:
    """Write the capture; `.gz` and `.zst` are packed on the way."""
    with _sink(Path(path)) as out:
        for line in capture_lines(plan):
            out.write(line)


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="hostsim.py", description="Write a made-up esxtop batch capture.")
    parser.add_argument("out", type=Path, help="file to write; .gz and .zst are packed")
    parser.add_argument("--sample", action="store_true", help="write the demo sample instead of a wide host")
    parser.add_argument("--columns", type=int, default=60_000, help="value columns (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=300, help="rows (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    plan = demo_plan() if options.sample else plan_of_width(options.columns, options.samples, options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    write_capture(options.out, plan)
    took_s = time.perf_counter() - began
    size_mb = options.out.stat().st_size / 1e6
    print(f"{options.out}: {len(plan.vms)} VMs, {plan.samples} samples, {size_mb:.1f} MB in {took_s:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
