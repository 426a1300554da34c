"""The memory of the simulated host and of its VMs.

A VM's memory keeps the order MEMSZ >= granted >= touched, and what is ballooned, swapped or zipped is not granted.
The host's rows are the sums over its VMs; its free memory is what its state says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from esxprobe.arrays import Matrix
from esxprobe.lab.plan import track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from esxprobe.lab.layout import HeaderLayout
    from esxprobe.lab.plan import HostPlan

PAGE_AHEAD = 12  # samples by which the balloon and swap targets run ahead of what is there
BALLOON_MAX = 0.65  # of a VM's memory
# Free memory as a multiple of minfree for each memory state: high, clear, soft, hard, low.
FREE_PER_MINFREE = np.array([4.6, 2.2, 0.82, 0.48, 0.2])
MEMORY_TRACKS = (
    *("granted_pct", "balloon_mb", "swapped_mb", "swap_read_mb_s", "swap_write_mb_s", "overhead_mb"),
    "saved_mb",
    *("zipped_mb", "zip_mb_s", "unzip_mb_s", "unzip_wait_pct", "active_pct", "remote_pct", "numa_moves"),
)
# What a user world holds of each kind of memory, in proportion to its worlds [MB].
_SMALL = {"Memory Size MBytes": 1.9, "Touched MBytes": 0.3, "Touched Write MBytes": 0.1}


class MemoryBlock(Protocol):
    """The block of samples that a host's model is filling."""

    plan: HostPlan
    layout: HeaderLayout
    horizon: int
    at: slice
    t: Matrix
    wave: Matrix
    tracks: dict[str, Matrix]
    vcpu_counts: Matrix
    memory_members: Matrix
    in_memory: Matrix
    new_worlds: Matrix
    memory_vms: Matrix

    def put(self, object_name: str, values: Mapping[str, Any]) -> None:
        """Place one array per counter."""

    def noise(self, width: int, share: float = 1.0) -> Matrix:
        """Factors around 1."""

    def row(self, name: str) -> Matrix:
        """The tracks of all VMs in this block."""


def ahead(values: Matrix) -> Matrix:
    """The highest value within the next samples, per column."""
    padded = np.concatenate([values, np.repeat(values[-1:], PAGE_AHEAD, axis=0)])
    highest: Matrix = np.max([padded[k : k + len(values)] for k in range(PAGE_AHEAD + 1)], axis=0)
    return highest


def min_free_mb(memory_mb: float) -> float:
    """The sliding scale: 6 % of the first 4 GB, 4 % up to 12 GB, 2 % up to 28 GB, 1 % beyond."""
    steps = ((0.06, 0, 4096), (0.04, 4096, 12288), (0.02, 12288, 28672), (0.01, 28672, float("inf")))
    return sum(share * max(0.0, min(memory_mb, high) - low) for share, low, high in steps)


class Memory:
    """Fills the objects `Memory` and `Group Memory` of a model's block."""

    def __init__(self, model: MemoryBlock) -> None:
        self.model, self.plan, self.vms = model, model.plan, model.layout.vms
        self.state = track(self.plan.memory_state, model.horizon, self.plan.knob_step).astype(int)
        self.size = np.array([vm.memory_mb for vm in self.vms], float)
        self.top = 30 + 11 * model.vcpu_counts + 0.004 * self.size  # a VM's overhead at most
        self.copied = np.array([vm.copy_on_write_pct for vm in self.vms]) / 100
        self.kernel_mb, self.free_mb = (
            track(knob, model.horizon, self.plan.knob_step)[:, None]
            for knob in (self.plan.kernel_mb, self.plan.free_mb)
        )
        self.balloon_max = BALLOON_MAX * self.size * np.array([vm.balloon_driver for vm in self.vms])

    def fill(self) -> None:
        """Place the values of the model's current block."""
        model, count = self.model, len(self.vms)
        self.read = model.row("swap_read_mb_s") * model.noise(count, 0.2)
        self.written = model.row("swap_write_mb_s") * model.noise(count, 0.2)
        self.targets = [ahead(model.tracks[name])[model.at] for name in ("balloon_mb", "swapped_mb")]
        taken = model.row("balloon_mb") + model.row("swapped_mb") + model.row("zipped_mb")
        self.granted = self.size * model.row("granted_pct") / 100 * (1 + 0.004 * model.wave) - taken
        self._place({**self._sizes(), **self._reclaimed(), **self._nodes()})
        self._limits()
        self._host()

    def _sizes(self) -> dict[str, Any]:
        model, size, granted = self.model, self.size, self.granted
        by_load, given = 0.06 + 0.0025 * model.row("load_pct"), model.row("active_pct")
        share = np.where(given < 0, by_load, given / 100)
        touched = np.minimum(0.9 * granted, size * share * (1 + 0.1 * model.wave))
        saved = 0.03 * size + model.row("saved_mb")
        active, consumed = 100 * touched / size, granted - saved
        return {
            "Memory Size MBytes": size + self.top,
            "Memory Granted Size MBytes": granted,
            "Memory Consumed Size MBytes": consumed,
            "Target Size MBytes": consumed + 0.02 * size,
            "Touched MBytes": touched,
            "Touched Write MBytes": 0.4 * touched,
            "% Active Estimate": active,
            "% Active Slow Estimate": 0.9 * active,
            "% Active Fast Estimate": active * model.noise(len(self.vms), 0.1),
            "% Active Next Estimate": 0.7 * active,
            "Zero MBytes": 0.02 * size,
            "Shared MBytes": 0.04 * size + model.row("saved_mb"),
            "Shared Saved MBytes": saved,
            "Copy On Write Hint MBytes": self.copied * size,
            "Overhead MBytes": 0.8 * self.top + model.row("overhead_mb"),
            "Overhead Max MBytes": self.top,
            "Commit Target MBytes": consumed,
        }

    def _reclaimed(self) -> dict[str, Any]:
        row = self.model.row
        return {
            "Memctl?": np.array([vm.balloon_driver for vm in self.vms], float),
            "Memctl MBytes": row("balloon_mb"),
            "Memctl Target MBytes": self.targets[0],
            "Memctl Max MBytes": self.balloon_max,
            "Swapped MBytes": row("swapped_mb"),
            "Swap Target MBytes": self.targets[1],
            "Swap Read MBytes/sec": self.read,
            "Swap Written MBytes/sec": self.written,
            "Compressed Memory MBytes": row("zipped_mb"),
            "Used Compressed Memory MBytes": 0.4 * row("zipped_mb"),
            "Compression MBytes/sec": row("zip_mb_s"),
            "Decompression MBytes/sec": row("unzip_mb_s"),
        }

    def _nodes(self) -> dict[str, Any]:
        if self.plan.numa_nodes == 1:
            return {}
        number, given = np.arange(len(self.vms)), self.model.row("remote_pct")
        share = np.where(given < 0, np.where(number % 3, 0.0, 0.02), given / 100)
        remote = self.granted * share
        return {
            "Numa Home Nodes": number % self.plan.numa_nodes,
            "Numa Rebalance Count Delta": self.model.row("numa_moves"),
            "Numa Remote Memory MBytes": remote,
            "Numa Local Memory MBytes": self.granted - remote,
            "Numa % Local": 100 * (self.granted - remote) / self.granted,
        }

    def _printed_state(self, state: Matrix) -> Matrix:
        """Before 6.0 high was followed by soft: there was no clear."""
        return np.maximum(state - 1, 0) if self.plan.release == "4.1" else state

    def _place(self, values: Mapping[str, Any]) -> None:
        """A value per VM, and beside them what user worlds hold."""
        model, members = self.model, self.model.memory_members
        for counter, value in values.items():
            whole = np.zeros((len(model.t), len(members)))
            if counter.endswith("MBytes") and counter.split()[0] in ("Memory", "Target", "Touched", "Commit"):
                whole += _SMALL.get(counter, 0.5) * members
            whole[:, model.memory_vms] = value
            model.put("Group Memory", {counter: whole})

    def _limits(self) -> None:
        members = self.model.memory_members
        low, high = np.zeros(len(members)), np.full(len(members), -1)
        low[self.model.memory_vms] = [vm.memory_reservation_mb for vm in self.vms]
        high[self.model.memory_vms] = [vm.memory_limit_mb for vm in self.vms]
        sentinels = {"Alloc Shares": -3, "Alloc Min Limited": -1, "Commit Pages Per Share": -1}
        limits = {"Alloc Min": low[None], "Alloc Max": high[None]}
        self.model.put(
            "Group Memory",
            {
                "Members": members + self.model.new_worlds[self.model.at][:, self.model.in_memory],
                **limits,
                **sentinels,
            },
        )

    def _host(self) -> None:
        model, memory_mb = self.model, self.plan.memory_mb

        def total(per_vm: Matrix) -> Matrix:
            whole: Matrix = np.broadcast_to(per_vm, self.granted.shape).sum(axis=1, keepdims=True)
            return whole

        floor, kernel = min_free_mb(memory_mb), 900 + 0.012 * memory_mb + self.kernel_mb[model.at]
        state = self.state[model.at, None]
        free = floor * FREE_PER_MINFREE[state] * model.noise(1, 0.02)
        free = np.where(self.free_mb[model.at] < 0, free, self.free_mb[model.at])
        reserved = 0.1 * memory_mb + total(np.array([vm.memory_reservation_mb for vm in self.vms], float))
        saved = total(model.row("saved_mb"))
        zipped = total(model.row("zipped_mb"))
        over = max(0.0, self.size.sum() / memory_mb - 1)
        host = {f"Memory Overcommit ({n} Minute Avg)": over for n in (1, 5, 15)} | {
            "Machine MBytes": memory_mb,
            "Kernel MBytes": kernel,
            "NonKernel MBytes": memory_mb - kernel - free,
            "Free MBytes": free,
            "Kernel Managed MBytes": 0.995 * memory_mb,
            "Kernel MinFree MBytes": floor,
            "Kernel Reserved MBytes": reserved,
            "Kernel Unreserved MBytes": 0.995 * memory_mb - reserved,
            "Kernel State": self._printed_state(state),
            "PShare Shared MBytes": total(0.04 * self.size) + saved,
            "PShare Common MBytes": total(0.01 * self.size),
            "PShare Savings MBytes": total(0.03 * self.size) + saved,
            "Swap Used MBytes": total(model.row("swapped_mb")),
            "Swap Target MBytes": total(self.targets[1]),
            "Swap MBytes Read/sec": total(self.read),
            "Swap MBytes Write/sec": total(self.written),
            "Total Compressed MBytes": zipped,
            "Total Saved By Compression MBytes": 0.6 * zipped,
            "Memctl Current MBytes": total(model.row("balloon_mb")),
            "Memctl Target MBytes": total(self.targets[0]),
            "Memctl Max MBytes": total(self.balloon_max),
        }
        self.model.put("Memory", host)
