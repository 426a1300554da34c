"""Fault probes and experiments of one collection: each beside the capture, in a thread with a login of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from esxprobe.collect.experiment import FaultPlan, HostView, Surroundings, run_in_guest
from esxprobe.collect.guests import Guest
from esxprobe.collect.plainview import plain_view
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.errors import EsxprobeError
from esxprobe.model.manifest import FaultRun


@dataclass(frozen=True, slots=True)
class FaultRuns:
    """What is to be run in the guests of one host.

    Attributes:
        plans: Which guests, and for how long.
        guests: All guests of the collection; those of the plans are among them.
        folder: The capture folder.
        interval_s: Of the host's samples [s].
        announce: Told each run before it begins and when it is over; when it raises, the run does not begin.
        clockwork: Our clock and how to wait.
    """

    plans: Sequence[FaultPlan]
    guests: Sequence[Guest]
    folder: Path
    interval_s: float
    announce: Callable[[FaultRun], None]
    clockwork: Clockwork

    def start(self, pool: ThreadPoolExecutor, stop: threading.Event) -> list[Future[tuple[FaultRun, ...]]]:
        """Begins all of them; `stop` ends them, once the host is no longer sampled."""
        return [pool.submit(self._run, plan, stop) for plan in self.plans]

    def _run(self, plan: FaultPlan, stop: threading.Event) -> tuple[FaultRun, ...]:
        guest = next(guest for guest in self.guests if guest.vm == plan.vm)
        around = Surroundings(
            self.folder, self.interval_s, stop, partial(self._look, plan), self.announce, self.clockwork
        )
        try:
            return run_in_guest(guest, plan, around)
        except EsxprobeError as error:  # the manifest could not be written: nothing ran that it does not name
            return (FaultRun(plan.vm, plan.kind, "failed", error.message),)

    def _look(self, plan: FaultPlan, block_s: float, pairs: int) -> HostView:
        files = sorted(path for path in self.folder.glob("esxtop-*.csv*") if path.is_file())
        return plain_view(files, plan, block_s, pairs)
