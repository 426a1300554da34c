"""What happens inside a guest, second by second: page faults, context switches, user time, and what they cost.

The guest's own counters and the vCPU time that the host sees are both taken from here, so that they agree.
Every quantity is a running total over time; whoever samples it, at whatever moments, sees differences of it.

Rates wander like AR(1) around their means and never fall below a tenth of them; soft faults come in bursts,
too. The series depend on the guest's plan alone: the same guest does the same on any host.
"""

from __future__ import annotations

import numpy as np

from esxprobe.arrays import Matrix
from esxprobe.lab.plan import HostPlan, Knob, VmPlan

BEFORE_S = 1200  # the series begin that long before the host's first sample [s]
UPTIME_S = 86_100  # then the guest has been running this long [s]
HARD_FAULT_US = 15.0  # a hard fault's own work, beside what a soft one costs [us]
_KNOB_S = 5  # a guest's knobs go on by 1 in this time, as those of its host do [s]
_GROW_S = 3600


class Activity:
    """Running totals of one guest over time [s since 1970, true time]."""

    def __init__(self, vm: VmPlan, plan: HostPlan) -> None:
        if vm.guest is None:
            raise ValueError(f"{vm.name} has no guest plan")
        self.vm, self.guest = vm, vm.guest
        self.origin = plan.true_start - BEFORE_S
        self._software = vm.mmu == "software"
        self._seconds = 0
        self._totals: dict[str, Matrix] = {}

    def total(self, name: str, at: Matrix | float) -> Matrix:
        """A running total at some moments.

        Args:
            name: soft, hard, switches [1]; user, kernel, faults, waits [us of CPU time or, for waits, of waiting].
            at: Moments, none before the origin [s since 1970].
        """
        since = np.asarray(at, float) - self.origin
        needed = int(np.max(since)) + 1
        if needed > self._seconds:
            self._grow(needed + _GROW_S)
        until: Matrix = np.interp(since, np.arange(self._seconds + 1), self._totals[name])
        return until

    def cpu_us(self, at: Matrix | float) -> Matrix:
        """CPU time of all vCPUs together until some moments [us]."""
        return self.total("user", at) + self.total("kernel", at)

    def _grow(self, seconds: int) -> None:
        """Computes the series anew, longer: what was there before stays what it was."""
        guest = self.guest
        soft = self._level(guest.soft_faults_s, seconds) * self._wander(1, seconds, guest.wander)
        soft = soft * self._bursts(2, seconds)
        hard = self._level(guest.hard_faults_s, seconds) * self._wander(3, seconds, 2 * guest.wander)
        switches = self._level(guest.switches_s, seconds) * self._wander(4, seconds, 0.6 * guest.wander)
        waits = np.minimum(hard * guest.hard_wait_ms * 1e3, 0.9e6 * self.vm.vcpus)
        user = self._level(guest.user_pct, seconds) * self._wander(5, seconds, 0.5 * guest.wander) * 1e4
        user = user * (1 - waits / (1e6 * self.vm.vcpus))  # who waits for the disk does not compute
        fault_us = guest.native_us + guest.vmm_us * self._software
        faults = soft * fault_us + hard * (fault_us + HARD_FAULT_US)
        switching = switches * (guest.switch_us + guest.vmm_switch_us * self._software)
        kernel = guest.kernel_pct * 1e4 + faults + switching
        self._seconds = seconds
        rates = {
            **{"soft": soft, "hard": hard, "switches": switches},
            **{"user": user, "kernel": kernel, "faults": faults, "waits": waits},
        }
        self._totals = {name: np.concatenate([[0.0], np.cumsum(rate)]) for name, rate in rates.items()}

    def _draws(self, series: int) -> np.random.Generator:
        return np.random.default_rng([self.guest.seed, series])

    def _level(self, knob: Knob, seconds: int) -> Matrix:
        """A knob second by second; before the host's first sample it keeps its first value."""
        if not callable(knob):
            return np.full(seconds, float(knob))
        return np.array([knob(max(second - BEFORE_S, 0) / _KNOB_S) for second in range(seconds)], float)

    def _wander(self, series: int, seconds: int, spread: float) -> Matrix:
        """AR(1) around 1."""
        shocks = self._draws(series).standard_normal(seconds).tolist()
        stay = float(np.exp(-1 / self.guest.memory_s))
        push, here, path = spread * float(np.sqrt(1 - stay**2)), 0.0, []
        for shock in shocks:
            here = stay * here + push * shock
            path.append(here)
        factors: Matrix = np.maximum(1 + np.array(path), 0.1)
        return factors

    def _bursts(self, series: int, seconds: int) -> Matrix:
        """1, and `burst_factor` while there is a burst."""
        guest, on, path = self.guest, False, []
        for lot in self._draws(series).random(seconds).tolist():
            on = lot >= 1 / guest.burst_s if on else lot < guest.bursts_per_min / 60
            path.append(guest.burst_factor if on else 1.0)
        return np.array(path)
