"""What else was on the host while a VM was at its worst: a list, and no claim that one thing caused another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from esxprobe.arrays import Floats
from esxprobe.model import Analysis, Finding, HeatRow, HeatStrip, Window
from esxprobe.report.capture_facts import is_dated
from esxprobe.report.formatting import isolated, number, window
from esxprobe.report.heat_charts import STYLES, is_still
from esxprobe.report.links import Links

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Quantities of a VM that say it was slow; %RUN alone does not.
_SLOW = ("ready", "costop", "latency", "reclaim")
# The worst time goes on as long as a cell has this share of the worst one.
_STILL = 0.5
_NAMED = 3
_SHARED = ("host", "pcpu", "device", "path", "adapter", "interrupt", "nfs-volume", "numa")


class WorstTimes:
    """Looks at one analysis.

    Args:
        analysis: What was found.
        links: Ids of the pages.
    """

    def __init__(self, analysis: Analysis, links: Links) -> None:
        self._analysis, self._links = analysis, links
        self._strips = {strip.key: strip for strip in analysis.glance.strips}

    def beside(self, gid: str, over_time: Sequence[tuple[HeatStrip, HeatRow]]) -> tuple[tuple[str, str], ...]:
        """Texts, each with the id that it leads to; empty where the VM was never slow.

        Args:
            gid: Group id of the VM.
            over_time: Its rows, each with its strip.
        """
        slow = [each for each in over_time if each[0].key in _SLOW and not is_still(*each)]
        if not slow:
            return ()
        # The quantity that was furthest beyond the first break of its classes.
        strip, row = max(slow, key=lambda each: (each[1].peak / STYLES[each[0].key].breaks[0], each[0].key))
        first, last = _around(row)
        span = Window(strip.cells[first].start, strip.cells[last].end)
        when = window(span, dated=is_dated(self._analysis))
        told = [(f"{STYLES[strip.key].says} was highest {when} UTC.", "")]
        told += self._pcpus(first, last)
        told += self._busiest(gid, first, last)
        return (*told, *self._findings(span))

    def _pcpus(self, first: int, last: int) -> Iterator[tuple[str, str]]:
        inside, outside = self._load[first : last + 1], self._load[:first] + self._load[last + 1 :]
        if inside:
            rest = f", and {number(_mean(outside), '%')} in the remaining time" if outside else ""
            yield f"PCPU UTIL(%) was {number(_mean(inside), '%')} then{rest}.", ""

    @cached_property
    def _load(self) -> list[float]:
        """Mean over the PCPUs of each cell; empty where some cell has no value."""
        strip = self._strips.get("pcpus")
        if strip is None:
            return []
        columns = [
            [v for v in cell if v is not None] for cell in zip(*(row.values for row in strip.rows), strict=True)
        ]
        return [sum(cell) / len(cell) for cell in columns] if all(columns) else []

    def _busiest(self, gid: str, first: int, last: int) -> Iterator[tuple[str, str]]:
        """The other VMs that ran most then: vCPUs times %RUN."""
        means = self._running[:, first : last + 1].mean(axis=1)
        totals = means * self._vcpus
        order = totals.argsort(kind="stable")[::-1].tolist()
        entities = [(n, self._strips["run"].rows[n].entity) for n in order[: _NAMED + 1]]
        for n, entity in [each for each in entities if each[1].id != gid][:_NAMED]:
            if totals[n] >= STYLES["run"].breaks[0]:
                vcpus = "its vCPU" if self._vcpus[n] == 1 else f"each of its {self._vcpus[n]} vCPUs"
                sentence = f"{isolated(entity.name)} ran {number(float(means[n]), '%')} of {vcpus} (%RUN)."
                yield sentence, self._links.to_vm(entity.id)

    @cached_property
    def _running(self) -> Floats:
        """%RUN of each VM in each cell, 0 where it was not measured."""
        import numpy as np

        run = self._strips.get("run")
        if run is None:
            return np.empty((0, 1))
        return np.nan_to_num(np.array([row.values for row in run.rows], dtype=np.float64))

    @cached_property
    def _vcpus(self) -> NDArray[np.int64]:
        import numpy as np

        vcpus = {vm.gid: max(1, vm.vcpus) for vm in self._analysis.vms}
        run = self._strips.get("run")
        return np.array([vcpus.get(row.entity.id, 1) for row in run.rows] if run else [], dtype=np.int64)

    def _findings(self, span: Window) -> Iterator[tuple[str, str]]:
        """What was found then on what VMs share, one entity a rule."""
        named: set[str] = set()
        for each in self._shared:
            if each.rule not in named and any(w.start < span.end and w.end > span.start for w in each.windows):
                named.add(each.rule)
                yield f"{each.title}: {isolated(each.entity.name)} ({each.severity})", each.rule
            if len(named) == _NAMED + 2:
                return

    @cached_property
    def _shared(self) -> list[Finding]:
        found = [each for each in self._analysis.findings if each.severity != "info"]
        return [each for each in found if each.entity.kind in _SHARED]


def _around(row: HeatRow) -> tuple[int, int]:
    """First and last cell around the highest one that have at least half of it."""
    values = [value if value is not None else 0.0 for value in row.values]
    first = last = max(range(len(values)), key=values.__getitem__)
    least = _STILL * values[first]
    while first > 0 and values[first - 1] >= least:
        first -= 1
    while last < len(values) - 1 and values[last + 1] >= least:
        last += 1
    return first, last


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
