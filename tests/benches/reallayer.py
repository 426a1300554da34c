"""Page faults of real guests: what they cost, and what the report says about the same minutes.

    python tests/benches/reallayer.py [--layer uml] [--runs 5] [--seconds 200] [--faults 2000] [KIND ...]

Each run is a capture with a fault experiment in the guest. It is analyzed as it is, and once more as if nothing had
been tried in the guest. What a fault costs depends on how busy the machine is: compare within a row. At the end:
in how many runs the interval of the experiment held what the guest measured, and how often the report was wrong.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args
from unittest.mock import patch

from realhost import RealCapture, real_capture

from esxprobe.analyze import CaptureInput, GuestOptions, analyze
from esxprobe.capture import load_capture
from esxprobe.collect import experiment as experiments
from esxprobe.collect import plainview
from esxprobe.collect.experiment import FaultPlan
from esxprobe.lab.real.groundtruth import GroundTruth
from esxprobe.lab.real.guests import Kind, RealGuest
from esxprobe.lab.real.scenarios import background
from esxprobe.model import FaultCost
from esxprobe.model.experiment import FaultExperiment
from esxprobe.rules import shipped

COLUMNS = (
    *("workload", "faults/s", "%RUN", "guest's wall time", "guest's CPU time", "vCPU time"),
    *(
        "experiment (95 % interval)",
        "guest's wall, CPU time of the pages tried",
        "verdict",
        "without it: association (range)",
        "verdict",
        "at most",
    ),
)
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"
LOADS: tuple[Kind, ...] = ("anti", "co", "steady")
# The forecast is not what is measured here; plain samples before the experiment only tell whether it may begin [s].
PLAIN_S = 30


@dataclass(frozen=True)
class Run:
    """One capture: the truth, and what was said with and without the experiment."""

    kind: str
    truth: GroundTruth
    tried: FaultCost
    plain: FaultCost

    def holds(self) -> bool:
        """Whether the experiment's interval holds one of the guest's own readings of the pages that were tried."""
        made = self.tried.experiment
        return made is not None and any(made.low <= own <= made.high for own in _own(made))

    def holds_workload(self) -> bool:
        """Whether it holds what the guest read of its workload's own faults: another kind, at other moments."""
        made, truth = self.tried.experiment, self.truth
        return made is not None and any(made.low <= own <= made.high for own in (truth.wall_us, truth.cpu_us))

    def holds_vcpu_time(self) -> bool:
        """Whether it holds the vCPU time of a page as the lab measured it from outside, in the same minutes."""
        made = self.tried.experiment
        return made is not None and made.low <= self.truth.vcpu_us <= made.high

    def narrow(self) -> bool:
        """Whether its half-width is at most half of that reading."""
        made = self.tried.experiment
        return made is not None and (made.high - made.low) / 2 <= max(_own(made)) / 2

    def true_pct(self) -> float:
        """What the workload's faults took [% of one vCPU]: the least of all readings times the rate."""
        least = min(self.truth.vcpu_us, self.truth.wall_us, self.truth.cpu_us)
        return least * self.truth.faults_s / 1e4

    def wrong(self, cost: FaultCost) -> list[str]:
        """What a report said that the truth contradicts."""
        said = []
        if cost.verdict in ("native", "negligible") and self.true_pct() >= 1:
            said.append(cost.verdict)
        if cost.upper is not None and cost.upper.pct_vcpu < self.true_pct():
            said.append(f"at most {cost.upper.pct_vcpu:.1f} % where {self.true_pct():.1f} % is true")
        return said

    def row(self) -> str:
        """A line of the table; costs are in us per fault."""
        made, found, upper = self.tried.experiment, self.plain.association, self.plain.upper
        cells = [
            self.kind,
            f"{self.plain.rates.mean:,.0f}",
            f"{self.plain.rates.run_pct:.1f}",
            f"{self.truth.wall_us:.0f} ({self.truth.wall_p10_us:.0f} to {self.truth.wall_p90_us:.0f})",
            f"{self.truth.cpu_us:.0f}",
            f"{self.truth.vcpu_us:.0f}",
            f"{made.us:.0f} ({made.low:.0f} to {made.high:.0f})" if made else "none",
            f"{made.own_wall_us:.0f}, {made.own_cpu_us:.0f}" if made else "",
            self.tried.verdict,
            f"{found.us:.1f} ({found.low_us:.1f} to {found.high_us:.1f})" if found else "none",
            self.plain.verdict,
            f"{upper.pct_vcpu:.1f} %" if upper else "",
        ]
        return f"| {' | '.join(cells)} |"


def _own(made: FaultExperiment) -> list[float]:
    """What the guest itself took for a page that was tried [µs]."""
    return [own for own in (made.own_wall_us, made.own_cpu_us) if not math.isnan(own)] or [math.nan]


def analyzed(made: RealCapture, *, as_if_nothing_was_tried: bool) -> FaultCost:
    """What the report says of the guest's soft faults."""
    files = load_capture(made.folder)
    manifest = files.manifest
    if as_if_nothing_was_tried and manifest is not None:
        manifest = replace(manifest, fault_runs=())
    said = analyze(CaptureInput(files.paths, manifest, guests=GuestOptions(folder=made.folder)), book=shipped())
    return next(each for each in said.fault_costs if each.guest_counter == "soft_faults")


@contextmanager
def regardless() -> Iterator[None]:
    """Lifts what keeps an experiment from beginning: on a machine that runs other things too the guest waits.

    Here that is what its interval has to bear.
    """
    with (
        patch.multiple(experiments, PLAIN_S=PLAIN_S, WIDEST=math.inf),
        patch.object(plainview, "READY_PCT", math.inf),
    ):
        yield


def take(guest: RealGuest, seconds: int, out: Path) -> Run:
    """A capture of a guest with an experiment of so many seconds."""
    plan, duration_s = FaultPlan(guest.name, seconds, single_vcpu=True), PLAIN_S + seconds + 15
    with regardless(), real_capture([guest], out, duration_s=duration_s, faults=(plan,)) as made:
        for run in made.outcome.fault_runs:
            if run.outcome != "whole":
                print(f"{guest.load.kind}: {run.kind} {run.outcome}: {run.reason}", flush=True)
        tried, plain = (analyzed(made, as_if_nothing_was_tried=each) for each in (False, True))
        return Run(f"{guest.layer} {guest.load.kind}", made.truths[guest.name], tried, plain)


def summary(runs: list[Run]) -> str:
    """In how many runs what held."""
    holds, narrow = sum(run.holds() for run in runs), sum(run.holds() and run.narrow() for run in runs)
    outside = sum(run.holds_vcpu_time() for run in runs)
    plain = [run.plain.association for run in runs if run.plain.association]
    told = sum(
        found.low_us <= own <= found.high_us
        for run in runs
        if (found := run.plain.association) is not None
        for own in [run.truth.vcpu_us]
    )
    wrong = [f"{run.kind}: {said}" for run in runs for cost in (run.tried, run.plain) for said in run.wrong(cost)]
    return "\n".join(
        [
            f"the interval held one of the guest's own readings of the pages tried in {holds} of {len(runs)} runs",
            f"it held a reading of the workload's own faults in {sum(run.holds_workload() for run in runs)}",
            f"it held the vCPU time that the lab measured from outside in {outside} of {len(runs)}",
            f"in {narrow} of the runs that held a reading of the guest the half-width was at most half of it",
            f"the association's range held the vCPU time of a fault in {told} of {len(plain)}",
            f"statements that the truth contradicts: {len(wrong)}",
            *wrong,
        ]
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=LOADS, metavar="KIND", help=f"of {', '.join(get_args(Kind))}")
    parser.add_argument("--layer", default="uml", choices=("uml", "native"))
    parser.add_argument("--seconds", type=int, default=200)
    parser.add_argument("--faults", type=float, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    words = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, {words.seconds} s each\n\n{HEAD}")
    runs = []
    for turn in range(words.runs):
        for kind in words.kinds:
            guest = RealGuest(f"{kind}01", words.layer, background(kind, words.faults, seed=turn + 1))
            with tempfile.TemporaryDirectory(prefix="esxprobe-real-") as out:
                runs.append(take(guest, words.seconds, Path(out)))
            print(f"{runs[-1].row()} load average {os.getloadavg()[0]:.1f}", flush=True)
    print(f"\n{summary(runs)}")


if __name__ == "__main__":
    main()
