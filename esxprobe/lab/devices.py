"""What passes through the simulated host's disks, ports and interrupt vectors.

Storage adds up: disks to VMs, VMs to devices, devices over their paths to adapters; a mean latency is
weighted by its commands. Uplinks carry what the VMs send and receive. The total of an interrupt cookie is the
sum over its PCPUs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from esxprobe.lab.plan import track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from esxprobe.lab.layout import Layout
    from esxprobe.lab.plan import HostPlan, Matrix

QUEUE_DEPTH = 64


class Block(Protocol):
    """The block of samples that a host's model is filling."""

    plan: HostPlan
    layout: Layout
    fixed: np.random.Generator
    horizon: int
    at: slice
    t: Matrix
    level: Matrix
    wave: Matrix

    def put(self, object_name: str, values: Mapping[str, Any]) -> None:
        """Place one array per counter."""

    def noise(self, width: int, share: float = 1.0) -> Matrix:
        """Factors around 1."""

    def rate(self, per_second: Matrix) -> Matrix:
        """A rate as esxtop can see it."""


class Devices:
    """Fills the objects from `Physical Disk` to `Interrupt Cookie` of a model's block."""

    def __init__(self, model: Block) -> None:
        self.model, self.plan, self.layout = model, model.plan, model.layout
        vms, rng = self.layout.vms, model.fixed
        self.disk_vm = np.repeat(np.arange(len(vms)), [vm.disks for vm in vms])
        self.disk_starts = np.flatnonzero(np.diff(self.disk_vm, prepend=-1))
        self.disk_iops = np.array([vm.iops / vm.disks for vm in vms])[self.disk_vm]
        self.io_mb = 0.008 + 0.024 * rng.random(len(self.disk_vm))
        self.device_ms = 0.4 + 1.6 * rng.random(len(self.plan.devices))
        knobs = (*self.plan.extra_latency_ms, *(0.0 for _ in self.plan.devices))[: len(self.plan.devices)]
        self.extra_ms = np.column_stack([track(knob, model.horizon, self.plan.knob_step) for knob in knobs])
        self.packets = np.array([20.0 + 4 * vm.iops for vm in vms])
        cpus = np.arange(self.plan.pcpus)
        rates = np.zeros((self.layout.cookies, self.plan.pcpus))
        for cookie in range(self.layout.cookies):
            if cookie % 3 == 1:
                rates[cookie, (cookie * 7) % len(cpus)] = 40 + 900 * rng.random()
                rates[cookie, (cookie * 7 + 1) % len(cpus)] += 20
        rates[1:2] += 110 * rng.random(len(cpus))  # the timer fires everywhere
        self.interrupt_rates = rates.ravel()
        self.interrupt_us = np.rint(1 + 6 * rng.random(rates.size))

    def fill(self) -> None:
        """Place the values of the model's current block."""
        self._storage()
        self._network()
        self._interrupts()

    def _disk_io(self, object_name: str, flow: Matrix, ms: Matrix) -> None:
        """Place rates and latencies.

        `flow` stacks reads, writes, MB read and MB written; `ms` is the mean latency.
        """
        reads, writes, mb_read, mb_written = flow
        commands = reads + writes
        took = {"Read": 1.12 * ms * (reads > 0), "Write": 0.86 * ms * (writes > 0)}
        took["Command"] = (took["Read"] * reads + took["Write"] * writes) / np.maximum(commands, 1e-9)
        values = {"Commands/sec": commands, "Reads/sec": reads, "Writes/sec": writes}
        values |= {"MBytes Read/sec": mb_read, "MBytes Written/sec": mb_written}
        for per, driver in took.items():
            values[f"Average MilliSec/{per}"] = driver + 0.01 * (driver > 0)
            values[f"Average Guest MilliSec/{per}"] = driver + 0.01 * (driver > 0)
            values[f"Average Driver MilliSec/{per}"] = driver
            values[f"Average Kernel MilliSec/{per}"] = 0.01 * (driver > 0)
        in_flight = np.rint(commands * took["Command"] / 1000)
        values |= {"Device Q Depth": QUEUE_DEPTH, "Adapter Q Depth": 4096, "Shares": 1000}
        values |= {
            "Active Commands": in_flight,
            "Load": in_flight / QUEUE_DEPTH,
            "% Used": 100 * in_flight / QUEUE_DEPTH,
        }
        self.model.put(object_name, values)

    def _storage(self) -> None:
        model, layout, plan = self.model, self.layout, self.plan
        swell = (1 + 0.3 * model.wave[:, self.disk_vm]) * model.level
        count = len(self.disk_vm)
        reads = model.rate(0.6 * self.disk_iops * swell * model.noise(count, 0.5))
        writes = model.rate(0.4 * self.disk_iops * swell * model.noise(count, 0.5))
        disks = np.stack([reads, writes, reads * self.io_mb, writes * self.io_mb])
        vms = np.add.reduceat(disks, self.disk_starts, axis=-1)
        owner = layout.device_of_vm
        devices = np.stack([vms[..., owner == d].sum(axis=-1) for d in range(len(plan.devices))], axis=-1)
        paths = np.repeat(devices, plan.paths_per_device, axis=-1) / plan.paths_per_device
        ms = self.device_ms * model.noise(len(plan.devices), 0.25)
        ms = ms + self.extra_ms[model.at] * model.noise(len(plan.devices), 0.15)
        path_ms = np.repeat(ms, plan.paths_per_device, axis=-1)
        on = np.array([adapter for _, adapter in layout.paths])
        adapters = np.stack([paths[..., on == a].sum(axis=-1) for a in range(plan.adapters)], axis=-1)
        weights = (paths[0] + paths[1]) * path_ms
        weighted = np.stack([weights[:, on == a].sum(axis=-1) for a in range(plan.adapters)], axis=-1)
        self._disk_io("Physical Disk Adapter", adapters, weighted / np.maximum(adapters[0] + adapters[1], 1e-9))
        self._disk_io("Physical Disk", paths[..., layout.by_adapter], path_ms[:, layout.by_adapter])
        self._disk_io("Physical Disk SCSI Device", devices, ms)
        self._disk_io("Physical Disk Path", paths, path_ms)
        by_device = np.argsort(owner, kind="stable")
        self._disk_io("Physical Disk Per-Device-Per-World", vms[..., by_device], ms[:, owner[by_device]])
        self._disk_io("Physical Disk Partition", devices, ms)
        # A VM's own row stands before the rows of its disks.
        both = np.concatenate([vms, disks], axis=-1)
        order = np.argsort(np.concatenate([np.arange(len(owner)) - 0.5, self.disk_vm]), kind="stable")
        both_ms = np.concatenate([ms[:, owner], ms[:, owner[self.disk_vm]]], axis=-1)
        self._disk_io("Virtual Disk", both[..., order], both_ms[:, order])

    def _network(self) -> None:
        model, count, uplinks = self.model, len(self.layout.vms), self.plan.uplinks
        flows = [
            model.rate(self.packets * model.level * (1 + 0.3 * model.wave) * model.noise(count, 0.4)) for _ in "tr"
        ]
        sizes = [np.rint(np.full(count, size) * model.noise(count, 0.2)) for size in (420.0, 610.0)]
        is_nic = np.zeros(2 + 2 * uplinks, bool)
        is_nic[1:-1:2] = True
        up = np.concatenate([is_nic, np.zeros(count, bool)]).astype(float)
        values = {"Link Up?": up[None], "Full Duplex?": up[None], "Link Speed (Mb/s)": 10000 * up[None]}
        for word, packets, size in zip(("Transmitted", "Received"), flows, sizes, strict=True):
            outside = packets.sum(axis=1, keepdims=True)
            mean = np.rint((packets * size).sum(axis=1, keepdims=True) / np.maximum(outside, 1e-9))
            rate = np.concatenate([outside / uplinks * is_nic, packets], axis=1)
            length = np.concatenate([mean * is_nic, size * (packets > 0)], axis=1)
            values[f"Packets {word}/sec"] = rate
            values[f"Average Packet Size  {word} (Bytes)"] = length
            values[f"MBits {word}/sec"] = rate * length * 8 / 1e6
        model.put("Network Port", values)

    def _interrupts(self) -> None:
        model, cpus = self.model, self.plan.pcpus
        shape = (len(model.t), self.layout.cookies, cpus)
        rates = model.rate(
            self.interrupt_rates * model.level * model.noise(len(self.interrupt_rates), 0.1)
        ).reshape(shape)
        costs = np.broadcast_to(self.interrupt_us.reshape(shape[1:]), shape) * (rates > 0)
        total = rates.sum(axis=-1, keepdims=True)
        cost = np.rint((rates * costs).sum(axis=-1, keepdims=True) / np.maximum(total, 1e-9))
        for counter, whole, parts in (
            ("Interrupts/second", total, rates),
            ("Processing Time MicroSec/Interrupt", cost, costs),
        ):
            model.put(
                "Interrupt Cookie",
                {counter: np.concatenate([whole, parts], axis=-1).reshape(len(model.t), -1)},
            )
