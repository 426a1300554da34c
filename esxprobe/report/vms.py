"""The table of VMs: what each did, those that waited most first."""

from __future__ import annotations

from collections.abc import Iterable

from esxprobe.model import VmRow
from esxprobe.report.words import joined, number, window

_WINDOWS = 4


def vm_table(rows: Iterable[VmRow], *, dated: bool) -> tuple[tuple[str, ...], ...]:
    """A row of texts a VM.

    Args:
        rows: The VMs.
        dated: Whether times need their day.
    """
    return tuple(_vm_row(row, dated=dated) for row in sorted(rows, key=_by_ready))


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
        _seen(row, dated=dated),
    )


def _seen(row: VmRow, *, dated: bool) -> str:
    """When a VM was there, empty when it always was."""
    spans = [window(span, dated=dated) for span in row.seen[:_WINDOWS]]
    always = "" if row.there else "not there"
    return f"there {joined(spans)}{' and later' if row.seen[_WINDOWS:] else ''}" if spans else always
