"""The table of VMs: what each did, those that waited most first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import get_type_hints

from esxprobe.model import VmRow
from esxprobe.model.analysis import InTable
from esxprobe.report.formatting import isolated, joined, number, plural, window
from esxprobe.report.links import Links
from esxprobe.report.tables import Kind, Table

_WINDOWS = 4


_Cell = Callable[[VmRow], str]


def _figures() -> Iterator[tuple[str, Kind, _Cell]]:
    """The columns of figures that say beside their field what they are called."""
    for name, hint in get_type_hints(VmRow, include_extras=True).items():
        for each in getattr(hint, "__metadata__", ()):
            if isinstance(each, InTable):
                yield each.heading, "num", partial(_figure, name, each.unit)


def _figure(name: str, unit: str, row: VmRow) -> str:
    return number(getattr(row, name), unit)


# Heading, kind, and what a VM's cell says.
_COLUMNS: tuple[tuple[str, Kind, _Cell], ...] = (
    ("VM", "name", lambda row: row.vm.name),
    ("GID", "id", lambda row: row.vm.gid),
    ("vCPUs", "num", lambda row: str(row.vm.vcpus) if row.vm.vcpus else "–"),
    *_figures(),
    ("MMU", "text", lambda row: row.vm.mmu),
)


def vm_table(rows: Iterable[VmRow], links: Links, *, dated: bool) -> Table:
    """The table of VMs, those that waited most first.

    Args:
        rows: The VMs.
        links: Ids of the pages.
        dated: Whether times need their day.
    """
    ordered = sorted(rows, key=_by_ready)
    return Table(
        columns=tuple((heading, kind) for heading, kind, _ in _COLUMNS),
        rows=tuple(tuple(cell(row) for *_, cell in _COLUMNS) for row in ordered),
        anchors=tuple(links.to_vm(row.vm.gid) for row in ordered),
        notes=tuple(seen_words(row, dated=dated) for row in ordered),
    )


def vms_summary(rows: Sequence[VmRow]) -> str:
    """How many VMs, and which waited most."""
    if not rows:
        return ""
    first = min(rows, key=_by_ready)
    counted = f"{len(rows):,} {plural(len(rows), 'VM')}"
    if not first.ready_p95:
        return counted
    return f"{counted}: {isolated(first.vm.name)} waited most (%RDY p95 {number(first.ready_p95, '%')})"


def _by_ready(row: VmRow) -> tuple[float, float, str, str]:
    return (-(row.ready_p95 or 0.0), -(row.run_p95 or 0.0), row.vm.name, row.vm.gid)


def seen_words(row: VmRow, *, dated: bool) -> str:
    """When a VM was there, empty when it always was."""
    spans = [window(span, dated=dated) for span in row.seen[:_WINDOWS]]
    always = "" if row.there else "not there"
    return f"there {joined(spans)}{' and later' if row.seen[_WINDOWS:] else ''}" if spans else always
