"""An esxtop reader as people write it: csv module, column positions, `split(':')`.

It is right on an undamaged capture with tame names, and the tests show where it is not: each damage
in the manual makes it crash, or answer with other values than esxtop printed.
"""

from __future__ import annotations

import csv
from pathlib import Path

Cells = dict[tuple[str, str], float]


def read(path: Path) -> Cells:
    """Every cell of a capture by (time cell, column name)."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = next(rows)[1:]
        return {(row[0], name): float(cell) for row in rows for name, cell in zip(names, row[1:], strict=False)}


def split_path(path: str) -> tuple[str, str, str, str]:
    """Host, object, instance and counter."""
    _, _, host, middle, counter = path.split("\\")
    thing, _, instance = middle.partition("(")
    return host, thing, instance.rstrip(")"), counter


def vcpus_by_vm(names: list[str]) -> dict[str, int]:
    """How many `vmx-vcpu-N` worlds each VM name has."""
    worlds = set()
    for name in names:
        _, thing, instance, _ = split_path(name)
        if thing == "Vcpu":
            _, vm, world_id, world, *_ = instance.split(":")
            if world.startswith("vmx-vcpu"):
                worlds.add((vm, world_id))
    counts: dict[str, int] = {}
    for vm, _ in worlds:
        counts[vm] = counts.get(vm, 0) + 1
    return counts
