"""The table of VMs: what each did, those that waited most first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from esxprobe.model import VmRow
from esxprobe.report.formatting import isolated, joined, number, plural, window
from esxprobe.report.links import Links
from esxprobe.report.tables import Kind, Table

_WINDOWS = 4


# Heading, kind, and what a VM's cell says. A new column is a line here.
_COLUMNS: tuple[tuple[str, Kind, Callable[[VmRow], str]], ...] = (
    ("VM", "name", lambda row: row.vm.name),
    ("GID", "id", lambda row: row.vm.gid),
    ("vCPUs", "num", lambda row: str(row.vm.vcpus) if row.vm.vcpus else "–"),
    ("%RUN mean", "num", lambda row: number(row.run_mean, "%")),
    ("%RUN p95", "num", lambda row: number(row.run_p95, "%")),
    ("%RDY p95", "num", lambda row: number(row.ready_p95, "%")),
    ("%CSTP p95", "num", lambda row: number(row.costop_p95, "%")),
    ("MEMSZ", "num", lambda row: number(row.memory_mb, "MB")),
    ("MCTLSZ max", "num", lambda row: number(row.balloon_mb, "MB")),
    ("SWCUR max", "num", lambda row: number(row.swapped_mb, "MB")),
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
