"""The table of VMs: what each did, those that waited most first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from esxprobe.model import VmRow
from esxprobe.report.formatting import isolated, joined, number, plural, window
from esxprobe.report.links import Links

_WINDOWS = 4


def vm_table(rows: Iterable[VmRow], links: Links, *, dated: bool) -> tuple[tuple[str, ...], ...]:
    """A row of texts a VM; the last is the id of its page.

    Args:
        rows: The VMs.
        links: Ids of the pages.
        dated: Whether times need their day.
    """
    return tuple((*_vm_row(row, dated=dated), links.to_vm(row.vm.gid)) for row in sorted(rows, key=_by_ready))


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


def _vm_row(row: VmRow, *, dated: bool) -> tuple[str, ...]:
    return (
        row.vm.name,
        row.vm.gid,
        str(row.vm.vcpus) if row.vm.vcpus else "–",
        number(row.run_mean, "%"),
        number(row.run_p95, "%"),
        number(row.ready_p95, "%"),
        number(row.costop_p95, "%"),
        number(row.memory_mb, "MB"),
        number(row.balloon_mb, "MB"),
        number(row.swapped_mb, "MB"),
        row.vm.mmu,
        seen_words(row, dated=dated),
    )


def seen_words(row: VmRow, *, dated: bool) -> str:
    """When a VM was there, empty when it always was."""
    spans = [window(span, dated=dated) for span in row.seen[:_WINDOWS]]
    always = "" if row.there else "not there"
    return f"there {joined(spans)}{' and later' if row.seen[_WINDOWS:] else ''}" if spans else always
