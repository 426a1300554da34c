"""What page faults cost during a capture, measured in the guest and on this machine.

There are two kinds of measurement, which can differ:

- The lab reads the vCPU time of a touch: CPU time of all processes of the guest on this machine during some
  hundred first touches, minus that of the same loop over mapped pages, while the load is held. It does this every
  few seconds during the load, and before and after it. The figure includes unmapping the pages. When another
  program runs in the guest at that moment (the collector's loop does so for a fraction of a second), its CPU time
  is included, so use the median.
- The guest times each first touch of its workload: wall time, and CPU time as its kernel counts it
  (user-mode-linux counts in ticks of 10 ms, so only a mean over many touches is meaningful). A guest does not
  notice that it waits for a CPU, so on a busy machine both are larger than the vCPU time.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import statistics
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from esxprobe.lab.real import workload
from esxprobe.lab.real.agent import OUT
from esxprobe.lab.real.channels import GuestLostError
from esxprobe.lab.real.guests import RealLayerError, RunningGuest, python
from esxprobe.series import quantile

_PAGES = {"uml": 4_096, "native": 65_536}  # before and after the load, 0.1 s or more
_SAMPLE_PAGES = {"uml": 512, "native": 2_048}  # while it is held
_ANSWER_S = 120.0
_NOT_TOTALS = ("at", "rounds")


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """Page faults of a guest's workload during a capture. NaN where there were none.

    Attributes:
        vm: Name of the VM.
        layer: `uml` or `native`.
        load: Plan of the workload.
        begin: Start of the load [s since 1970, this machine's clock].
        end: End of the load, likewise.
        faults: First touches by the workload. Commands of the collector cause further faults.
        minflt: Minor faults of the workload's process as the guest's kernel counts them.
        forks: Processes that the workload started.
        wall_us: Wall time per touch in the guest, median of rounds of 256 pages [us].
        wall_p10_us: 10th percentile of the rounds [us].
        wall_p90_us: 90th percentile [us].
        wall_mean_us: Mean of all touches [us].
        cpu_us: CPU time per touch as the guest's kernel counts it, mean [us].
        discard_us: Wall time of unmapping, per page, mean [us].
        vcpu_us: vCPU time per touch during the load, median of the lab's measurements [us].
        vcpu_samples_us: All of these measurements [us].
        vcpu_alone_us: The same before and after the load [us].
        kernel_s: Wall time of other work in the guest's kernel [s].
        user_s: Wall time of other work in user mode [s].
        records: Totals, about one a second; see `workload`.
    """

    vm: str
    layer: str
    load: Mapping[str, Any]
    begin: float
    end: float
    faults: int
    minflt: int
    forks: int
    wall_us: float
    wall_p10_us: float
    wall_p90_us: float
    wall_mean_us: float
    cpu_us: float
    discard_us: float
    vcpu_us: float
    vcpu_samples_us: tuple[float, ...]
    vcpu_alone_us: tuple[float, float]
    kernel_s: float
    user_s: float
    records: tuple[Mapping[str, Any], ...]

    @property
    def faults_s(self) -> float:
        """Mean rate of first touches by the workload [1/s]."""
        return self.faults / (self.end - self.begin)


def ground_truth_json(truths: Mapping[str, GroundTruth]) -> str:
    """A JSON document with one object per VM name."""
    return json.dumps({name: asdict(truth) for name, truth in truths.items()}, indent=1) + "\n"


class RunningLoad:
    """The workload of a guest. The program starts at once; the load starts with `begin`.

    Args:
        guest: A guest that has booted.
    """

    def __init__(self, guest: RunningGuest) -> None:
        self._guest = guest
        command = shlex.join([*python(), workload.__file__, json.dumps(asdict(guest.plan.load))])
        self._running = guest.channels.start(f"exec {command}")
        self._records: list[dict[str, Any]] = []
        self._answers: list[dict[str, Any]] = []
        self._rest = self._errors = b""
        self._changed = threading.Condition()
        self._over = False
        self._alone_us: list[float] = []
        self._samples_us: list[float] = []
        self._sampling_over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="lab sample", daemon=True)
        self._begin: tuple[float, dict[str, Any]] | None = None
        self._end: tuple[float, dict[str, Any]] | None = None
        self._reader = threading.Thread(target=self._read, name="lab load", daemon=True)
        self._reader.start()

    def measure(self) -> None:
        """Measures the vCPU time of a touch while the load does not run. Raises RealLayerError."""
        if not self._alone_us:
            self._answer("ready")
        self._alone_us.append(self._vcpu_us(_PAGES[self._guest.plan.layer]))

    def begin(self) -> None:
        """Starts the load. Raises RealLayerError."""
        self._begin = time.time(), self._ask("go")["go"]
        if self._guest.plan.load.sample_s:
            self._sampler.start()

    def pause(self) -> None:
        """Stops the load. Raises RealLayerError."""
        self._stop_sampling()
        last = self._ask("pause")["pause"]
        self._end = time.time(), last

    def ground_truth(self) -> GroundTruth:
        """Measures again and gives the result. Raises RealLayerError."""
        if self._begin is None or self._end is None:
            raise self._failure("it was not started and stopped")
        self.measure()
        (begin, first), (end, last) = self._begin, self._end
        total = {name: last[name] - first[name] for name in first if name not in _NOT_TOTALS}
        rounds = sorted(wall_us for record in (*self._records, last) for wall_us in record["rounds"])
        low_us, middle_us, high_us = (quantile(np.array(rounds, np.float64), share) for share in (0.1, 0.5, 0.9))

        def per_fault_us(name: str) -> float:
            return float(total[name] / total["faults"] * 1e6) if total["faults"] else float("nan")

        plan = self._guest.plan
        return GroundTruth(
            vm=plan.name,
            layer=plan.layer,
            load=asdict(plan.load),
            begin=begin,
            end=end,
            faults=round(total["faults"]),
            minflt=total["minflt"],
            forks=round(total["forks"]),
            wall_us=middle_us,
            wall_p10_us=low_us,
            wall_p90_us=high_us,
            wall_mean_us=per_fault_us("touch_s"),
            cpu_us=per_fault_us("touch_cpu_s"),
            discard_us=per_fault_us("discard_s"),
            vcpu_us=statistics.median(self._samples_us) if self._samples_us else float("nan"),
            vcpu_samples_us=tuple(self._samples_us),
            vcpu_alone_us=(self._alone_us[0], self._alone_us[-1]),
            kernel_s=total["kernel_s"],
            user_s=total["user_s"],
            records=tuple({name: each[name] for name in each if name != "rounds"} for each in self._records),
        )

    def close(self) -> None:
        """Ends the program. Can be called twice."""
        self._stop_sampling()
        if not self._running.is_over:
            with contextlib.suppress(GuestLostError):
                self._running.end_input()
        self._reader.join(_ANSWER_S)

    def _sample(self) -> None:
        """Measures every few seconds while the load runs."""
        plan = self._guest.plan
        with contextlib.suppress(RealLayerError):  # it shows when the load is stopped
            while not self._sampling_over.wait(plan.load.sample_s):
                self._ask("hold")
                self._samples_us.append(self._vcpu_us(_SAMPLE_PAGES[plan.layer]))
                self._ask("resume")

    def _stop_sampling(self) -> None:
        self._sampling_over.set()
        if self._sampler.ident is not None:
            self._sampler.join()

    def _vcpu_us(self, pages: int) -> float:
        """CPU time of the guest per first touch [us]."""
        used_s = [self._guest.cpu_time.read().run_s]
        for what in ("touch", "sham"):
            self._ask(f"{what} {pages}")
            used_s.append(self._guest.cpu_time.read().run_s)
        start, touched, sham = used_s
        return ((touched - start) - (sham - touched)) / pages * 1e6

    def _ask(self, command: str) -> dict[str, Any]:
        try:
            self._running.write(f"{command}\n".encode())
        except GuestLostError as error:
            raise self._failure(str(error)) from error
        return self._answer(command.split(maxsplit=1)[0])

    def _answer(self, kind: str) -> dict[str, Any]:
        with self._changed:
            self._changed.wait_for(lambda: self._answers or self._over, _ANSWER_S)
            if not self._answers:
                raise self._failure(f"no answer to {kind}")
            answer = self._answers.pop(0)
        if kind not in answer:
            raise self._failure(f"the answer to {kind} was {answer}")
        return answer

    def _failure(self, reason: str) -> RealLayerError:
        errors = self._errors.decode("utf-8", "replace").strip().splitlines()[-3:]
        return RealLayerError(
            f"the workload of guest {self._guest.plan.name} failed: {reason}", hint=" / ".join(errors)
        )

    def _read(self) -> None:
        with contextlib.suppress(GuestLostError):
            while (output := self._running.read()) is not None:
                kind, content = output
                if kind == OUT:
                    self._parse(content)
                else:
                    self._errors += content
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _parse(self, content: bytes) -> None:
        *lines, self._rest = (self._rest + content).split(b"\n")
        with self._changed:
            for line in lines:
                message = json.loads(line)
                if "record" in message:
                    self._records.append(message["record"])
                else:
                    self._answers.append(message)
            self._changed.notify_all()
