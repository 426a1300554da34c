"""A host model with measured CPU values: vCPUs, PCPUs and esxtop. Everything else comes from the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Matrix
from esxprobe.lab.measurements import HostModel

if TYPE_CHECKING:
    from esxprobe.lab.plan import HostPlan

REST = "rest-of-this-machine"  # user world group for CPU time of processes that belong to no guest
_CLOSURE_PCT = 100.0


@dataclass(frozen=True, slots=True)
class MeasuredInterval:
    """Measured values of one interval.

    Attributes:
        length_s: Length of the interval [s].
        run_pct: %RUN of each VM's vCPU, in the order of the VMs' group IDs [%].
        ready_pct: %RDY, in the same order [%].
        esxtop_pct: CPU time of the thread that produces and sends the rows [%].
        busy_pct: Utilization of each PCPU [%].
    """

    length_s: float
    run_pct: tuple[float, ...]
    ready_pct: tuple[float, ...]
    esxtop_pct: float
    busy_pct: tuple[float, ...]

    @property
    def rest_pct(self) -> float:
        """CPU time of all other processes of this machine [% of one PCPU]."""
        return max(sum(self.busy_pct) - sum(self.run_pct) - self.esxtop_pct, 0.0)


class MeasuredModel(HostModel):
    """Turns measured intervals into rows.

    The states of a vCPU add up to 100 %. If a late reading puts %RUN above 100 %, it is kept, so that no CPU time
    is lost; %RDY gets what is left.

    Args:
        plan: The host. Each VM has one vCPU.
        rows: Maximum number of rows.
    """

    def __init__(self, plan: HostPlan, rows: int) -> None:
        super().__init__(plan, rows)
        self._measured = MeasuredInterval(1.0, (), (), 0.0, ())
        self._history: list[tuple[float, float]] = []
        names = np.repeat([group.name.partition(".")[0] for group in self.layout.groups], self.members)
        self._rest = np.flatnonzero(names == REST)
        self._esxtop = np.flatnonzero(self.roles == "esxtop")

    def measured_row(self, number: int, measured: MeasuredInterval) -> Matrix:
        """Values of all columns, shape (1, columns).

        Args:
            number: Number of the row.
            measured: The interval that ends with it.
        """
        self._measured = measured
        wanted = (sum(measured.busy_pct) + sum(measured.ready_pct)) / 100 / self.plan.pcpus
        self._history.append((measured.length_s, wanted))
        for minutes, averages in zip((1, 5, 15), self.load_averages, strict=True):
            averages[number] = self._load_average(60.0 * minutes)
        return self._block(number, number + 1)

    def _load_average(self, window_s: float) -> float:
        total = weight_s = 0.0
        for length_s, wanted in reversed(self._history):
            total, weight_s = total + length_s * wanted, weight_s + length_s
            if weight_s >= window_s:
                break
        return total / weight_s

    def _closure(self) -> Matrix:
        return np.full((len(self.t), 1), _CLOSURE_PCT)

    def _states(self, closure: Matrix) -> tuple[Matrix, dict[str, Matrix]]:
        run, states = super()._states(closure)
        measured, vcpu = self._measured, self.vcpu
        for state in ("mlmtd", "swpwt", "cstp", "ovrlp"):
            states[state][:, vcpu] = 0.0
        run[:, vcpu] = measured.run_pct
        left = np.maximum(closure - run[:, vcpu], 0.0)
        states["rdy"][:, vcpu] = np.minimum(measured.ready_pct, left)
        states["other"][:, vcpu] = np.minimum(states["other"][:, vcpu], left - states["rdy"][:, vcpu])
        run[:, self._esxtop] = measured.esxtop_pct
        run[:, self._rest] = min(measured.rest_pct / len(self._rest), _CLOSURE_PCT)
        states["rdy"][:, self._rest] = 0.0
        return run, states

    def _util(self, run: Matrix) -> Matrix:  # noqa: ARG002  (measured, not computed from what runs)
        return np.array([self._measured.busy_pct])
