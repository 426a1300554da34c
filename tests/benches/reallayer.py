"""Page faults of real guests: what they cost, and what the report says about the same minutes.

    python tests/benches/reallayer.py [--layer uml] [--seconds 200] [--faults 2000] [--unpinned] [KIND ...]

Takes one capture per kind of workload. The cost depends on how busy the machine is: only compare within a row.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path
from typing import get_args

from realhost import real_capture

from esxprobe.analyze import GuestOptions, analyze
from esxprobe.capture import load_capture
from esxprobe.lab.real.guests import Kind, RealGuest
from esxprobe.lab.real.scenarios import background
from esxprobe.rules import shipped

COLUMNS = (
    *("workload", "faults/s", "%RUN", "guest's wall time, median (p10 to p90)", "guest's CPU time"),
    *("vCPU time, median (before, after)", "correlation (95 % interval)", "verdict"),
)
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def row(guest: RealGuest, seconds: int, out: Path) -> str:
    """Takes a capture of a guest and gives a line of the table. Costs are in us per fault."""
    with real_capture([guest], out, duration_s=seconds) as made:
        files = load_capture(made.folder)
        said = analyze(
            files.paths, book=shipped(), manifest=files.manifest, guests=GuestOptions(folder=made.folder)
        )
        truth = made.truths[guest.name]
    cost = next(each for each in said.fault_costs if each.guest_counter == "soft_faults")
    cells = [
        f"{guest.layer} {guest.load.kind}",
        f"{cost.fault_rate_mean:,.0f}",
        f"{cost.vcpu_pct_mean:.1f}",
        f"{truth.wall_us:.1f} ({truth.wall_p10_us:.1f} to {truth.wall_p90_us:.1f})",
        f"{truth.cpu_us:.1f}",
        f"{truth.vcpu_us:.1f} ({truth.vcpu_alone_us[0]:.1f}, {truth.vcpu_alone_us[1]:.1f})",
        f"{cost.slope_us_per_fault:.1f} ({cost.ci_low:.1f} to {cost.ci_high:.1f})",
        cost.verdict,
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=get_args(Kind), metavar="KIND")
    parser.add_argument("--layer", default="uml", choices=("uml", "native"))
    parser.add_argument("--seconds", type=int, default=200)
    parser.add_argument("--faults", type=float, default=2_000)
    parser.add_argument("--unpinned", action="store_true")
    words = parser.parse_args()
    loads = {kind: background(kind, words.faults) for kind in get_args(Kind) if kind in words.kinds}
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, {words.seconds} s each\n\n{HEAD}")
    for kind, load in loads.items():
        guest = RealGuest(f"{kind}01", words.layer, load, pinned=not words.unpinned)
        with tempfile.TemporaryDirectory(prefix="esxprobe-real-") as out:
            line = row(guest, words.seconds, Path(out))
        print(f"{line} load average {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
