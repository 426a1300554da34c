"""Captures of guests that are real kernels, by the real collector, with the truth about their faults beside them.

with real_capture([RealGuest("web01", load=LoadPlan("anti", faults_s=2000))], out, duration_s=200) as made:
    made.folder                     # the capture folder, as `esxprobe collect` leaves it
    made.truths["web01"].wall_us    # also in out/truth.json
    made.lab                        # still running: log in once more, measure on
"""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from esxprobe.collect.command import plan_for
from esxprobe.collect.experiment import FaultPlan
from esxprobe.collect.segment import Progress
from esxprobe.collect.session import collect_host
from esxprobe.collect.task import HostOutcome
from esxprobe.commands.labs import lab_task
from esxprobe.lab.real.groundtruth import GroundTruth, ground_truth_json
from esxprobe.lab.real.guests import RealGuest
from esxprobe.lab.real.lab import RealLab


@dataclass(frozen=True)
class RealCapture:
    """A capture that was taken, and the lab that it was taken of."""

    lab: RealLab
    outcome: HostOutcome
    folder: Path
    truths: dict[str, GroundTruth]


@contextmanager
def real_capture(
    guests: Sequence[RealGuest],
    out: Path,
    *,
    duration_s: int,
    interval_s: int = 2,
    guest_interval_s: int = 2,
    host: str = "esx-real.example.com",
    faults: tuple[FaultPlan, ...] = (),
    meanwhile: Callable[[RealLab, threading.Event], None] = lambda _lab, _over: None,
) -> Iterator[RealCapture]:
    """Boots the guests, runs their loads, and captures them for that long.

    Args:
        guests: What runs.
        out: Where the capture folder and `truth.json` come to lie.
        duration_s: Of the capture [s].
        interval_s: Of esxtop [s].
        guest_interval_s: Of the guests' counters [s].
        host: Name of the host.
        faults: Fault probes and experiments to run in the guests.
        meanwhile: Called in a thread of its own as soon as rows come; the event is set when they are all there.
    """
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="esxprobe-real-") as keys,
        RealLab(guests, Path(keys), host=host) as lab,
    ):
        with lab.loads() as truths:
            vms = [guest.name for guest in guests]
            task = replace(lab_task(lab, vms, plan_for(duration_s, interval_s), guest_interval_s), faults=faults)
            begun, over = threading.Event(), threading.Event()
            beside = threading.Thread(target=meanwhile, args=(lab, over), daemon=True)

            def progress(now: Progress) -> None:
                if now.samples and not begun.is_set():
                    begun.set()
                    beside.start()

            outcome = collect_host(task, out, tool_version="bench", stop=threading.Event(), progress=progress)
            over.set()
            if begun.is_set():
                beside.join()
        (out / "truth.json").write_text(ground_truth_json(truths), encoding="utf-8")
        if outcome.folder is None or outcome.error is not None:
            raise outcome.error or RuntimeError("nothing was captured")
        yield RealCapture(lab, outcome, outcome.folder, truths)
