"""Captures with much in them: a host of 300 VMs of which twelve wait, and 60 VMs whose every value is chance."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
from hostsim import plan_of_width, write_capture

from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.plan import VmPlan, steps

# Every 25th VM waits for a PCPU from the second minute on.
SUFFERING = 12
_WAITS = steps((0, 0.4), (1, 14), interval_s=5)


def write_twelve_of_many(path: Path) -> list[str]:
    """Writes the capture of a host of 300 VMs or more, and gives the names of those that wait."""
    plan = plan_of_width(150_000, 48)
    assert len(plan.vms) >= 300
    waiting = {plan.vms[25 * n].name for n in range(SUFFERING)}
    vms = tuple(
        VmPlan(
            *(vm.name, vm.gid, vm.vcpus, vm.memory_mb, vm.load_pct), ready_pct=_WAITS if vm.name in waiting else 0.4
        )
        for vm in plan.vms
    )
    write_capture(path, replace(plan, vms=vms))
    return sorted(waiting)


def write_noise(path: Path) -> None:
    """Writes a capture of 60 VMs in which every number with decimals is drawn from a gamma distribution."""
    plan = plan_of_width(40_000, 48)
    plan = replace(plan, vms=plan.vms[:60])
    rng = np.random.default_rng(3)
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        for number, line in enumerate(capture_lines(plan)):
            (cells,) = csv.reader([line.decode()])
            drawn = rng.gamma(0.3, 20, size=len(cells))
            chance = [f"{value:.2f}" if "." in cell else cell for cell, value in zip(cells, drawn, strict=True)]
            writer.writerow([cells[0], *chance[1:]] if number else cells)
