"""The simulated ESXi host of real guests: its esxtop shows measured CPU time at real times."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime

from esxprobe.lab.csv_rows import RowText, at_interval, stamped
from esxprobe.lab.host import HostMachine
from esxprobe.lab.machine import Clock
from esxprobe.lab.plan import HostPlan
from esxprobe.lab.real.cputime import CpuTime, CpuTimeReader, busy_pct, pcpu_times
from esxprobe.lab.real.model import MeasuredInterval, MeasuredModel


class RealHostMachine(HostMachine):
    """A host whose vCPU time is measured.

    Its esxtop sleeps for the interval after each row, so rows come slightly later than asked for. Values are
    rates over the time that really passed. Stamps are whole seconds of the host's clock. The first row is an
    average since the guests were started.

    Args:
        plan: The host.
        clock: Real time.
        guests: CPU time of each VM's guest, in the order of the VMs' group IDs.
    """

    def __init__(self, plan: HostPlan, clock: Clock, guests: Sequence[CpuTimeReader]) -> None:
        super().__init__(plan, clock)
        self._real_clock, self._guests = clock, guests
        self._start = [guest.read() for guest in guests], pcpu_times()

    def _lines(
        self, interval_s: int, rows: int, only: Collection[int] | None, gone: Callable[[], bool]
    ) -> Iterator[bytes]:
        model = MeasuredModel(at_interval(self.plan, interval_s), rows)
        text = RowText(model.layout, only)
        if gone():
            return
        yield text.header
        (guests_then, pcpus_then), own_then = self._start, time.thread_time()
        for number in range(rows):
            if number and not self._real_clock.wait_until(self._real_clock.now() + interval_s, gone):
                return
            guests, pcpus, own = [guest.read() for guest in self._guests], pcpu_times(), time.thread_time()
            stamp = datetime.fromtimestamp(self._real_clock.now() + self.plan.clock_ahead_s, UTC)
            measured = _measured(guests_then, guests, own - own_then, busy_pct(pcpus_then, pcpus))
            guests_then, pcpus_then, own_then = guests, pcpus, own
            (row,) = text.rows(model.measured_row(number, measured))
            yield stamped(stamp, row)


def _measured(
    then: Sequence[CpuTime], now: Sequence[CpuTime], esxtop_s: float, busy: tuple[float, ...]
) -> MeasuredInterval:
    """Two readings of all guests as shares of the time between them."""
    pairs = list(zip(then, now, strict=True))
    lengths_s = [after.at_s - before.at_s for before, after in pairs]
    return MeasuredInterval(
        length_s=max(lengths_s),
        run_pct=tuple(
            100 * (after.run_s - before.run_s) / length_s
            for (before, after), length_s in zip(pairs, lengths_s, strict=True)
        ),
        ready_pct=tuple(
            100 * (after.ready_s - before.ready_s) / length_s
            for (before, after), length_s in zip(pairs, lengths_s, strict=True)
        ),
        esxtop_pct=100 * esxtop_s / max(lengths_s),
        busy_pct=busy,
    )
