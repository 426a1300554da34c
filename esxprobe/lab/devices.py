"""What passes through the simulated host's disks, ports and interrupt vectors.

Storage adds up: disks to VMs, VMs to devices, devices over their paths to adapters; a mean latency is
weighted by its commands; what is active or queued is what arrives while a command takes or waits (Little's law).
Uplinks carry what the VMs send and receive. The total of an interrupt cookie is the
sum over its PCPUs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from esxprobe.lab.plan import DevicePlan, UplinkPlan, track

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from esxprobe.lab.layout import Layout
    from esxprobe.lab.plan import HostPlan, Knob, Matrix

FAULTS = {
    "aborts_s": ("Aborts/sec",),
    "resets_s": ("Resets/sec",),
    "failed_s": ("Failed Commands/sec",),
    "conflicts_s": ("Conflicts/sec",),
}


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
    storm_s: Matrix

    def put(self, object_name: str, values: Mapping[str, Any]) -> None:
        """Place one array per counter."""

    def noise(self, width: int, share: float = 1.0) -> Matrix:
        """Factors around 1."""

    def rate(self, per_second: Matrix) -> Matrix:
        """A rate as esxtop can see it."""

    def row(self, name: str) -> Matrix:
        """The tracks of all VMs in this block."""


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
        self._unusual()
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

    def _unusual(self) -> None:
        """Knobs of devices, paths and uplinks as one column each."""
        plan, paths = self.plan, self.plan.paths_per_device
        count = len(plan.devices)
        devices = (*plan.device_plans, *(DevicePlan() for _ in plan.devices))[:count]
        slow = (*plan.extra_latency_ms, *(0.0 for _ in devices))[:count]

        def columns(knobs: Iterable[Knob]) -> Matrix:
            return np.column_stack([track(knob, self.model.horizon, plan.knob_step) for knob in knobs])

        self.extra_ms = columns(slow) + columns(each.extra_ms for each in devices)
        self.kernel_ms = columns(each.kernel_ms for each in devices)
        self.path_extra_ms = columns(
            knob for each in devices for knob in (*each.path_extra_ms, *(0.0 for _ in range(paths)))[:paths]
        )
        shares = columns(knob for each in devices for knob in each.path_shares or (1.0,) * paths)
        totals = shares.reshape(len(shares), count, paths).sum(axis=-1)
        self.path_shares = shares / np.repeat(totals, paths, axis=-1)
        self.fault_rates = {name: columns(getattr(each, name) for each in devices) for name in FAULTS}
        self.queue_depth = np.array([each.queue_depth for each in devices], float)
        uplinks = (*plan.uplink_plans, *(UplinkPlan() for _ in range(plan.uplinks)))[: plan.uplinks]
        self.links, self.link_up = uplinks, columns(each.up for each in uplinks)
        self.link_drops = [
            columns(each.dropped_tx_pct for each in uplinks),
            columns(each.dropped_rx_pct for each in uplinks),
        ]

    def fill(self) -> None:
        """Place the values of the model's current block."""
        self._storage()
        self._network()
        self._interrupts()

    def _disk_io(
        self, object_name: str, flow: Matrix, ms: Matrix, kernel_ms: Matrix, depth: Matrix | float = 4096.0
    ) -> None:
        """Place rates and latencies.

        `flow` stacks reads, writes, MB read and MB written; `ms` is the mean latency behind the host's queue,
        `kernel_ms` the wait in it.
        """
        reads, writes, mb_read, mb_written = flow
        commands = reads + writes
        took = {"Read": 1.12 * ms * (reads > 0), "Write": 0.86 * ms * (writes > 0)}
        took["Command"] = (took["Read"] * reads + took["Write"] * writes) / np.maximum(commands, 1e-9)
        values = {"Commands/sec": commands, "Reads/sec": reads, "Writes/sec": writes}
        values |= {"MBytes Read/sec": mb_read, "MBytes Written/sec": mb_written}
        for per, driver in took.items():
            queue = kernel_ms * (driver > 0)
            kernel = queue + 0.01 * (driver > 0)
            values[f"Average MilliSec/{per}"] = driver + kernel
            values[f"Average Guest MilliSec/{per}"] = driver + kernel
            values[f"Average Driver MilliSec/{per}"] = driver
            values[f"Average Kernel MilliSec/{per}"] = kernel
            values[f"Average Queue MilliSec/{per}"] = queue
        in_flight = np.minimum(np.rint(commands * took["Command"] / 1000), depth)
        queued = np.rint(commands * kernel_ms / 1000)
        values |= {"Device Q Depth": depth, "Adapter Q Depth": 4096, "Shares": 1000}
        values |= {
            "Active Commands": in_flight,
            "Queued Commands": queued,
            "Load": (in_flight + queued) / depth,
            "% Used": 100 * in_flight / depth,
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
        owner, each = layout.device_of_vm, len(plan.devices)
        devices = np.stack([vms[..., owner == d].sum(axis=-1) for d in range(each)], axis=-1)
        own_ms = self.device_ms * model.noise(each, 0.25)
        own_ms = own_ms + self.extra_ms[model.at] * model.noise(each, 0.15)
        path_ms, shares = np.repeat(own_ms, plan.paths_per_device, axis=-1), self.path_shares[model.at]
        extra_ms = self.path_extra_ms[model.at]
        path_ms = path_ms + extra_ms
        ms = own_ms + (shares * extra_ms).reshape(len(model.t), each, -1).sum(axis=-1)
        queued_ms, depth = self.kernel_ms[model.at], self.queue_depth
        paths = np.repeat(devices, plan.paths_per_device, axis=-1) * shares
        self._roads(paths, path_ms, np.repeat(queued_ms, plan.paths_per_device, axis=-1))
        self._disk_io("Physical Disk SCSI Device", devices, ms, queued_ms, depth)
        by_device = np.argsort(owner, kind="stable")
        on = owner[by_device]
        world = "Physical Disk Per-Device-Per-World"
        self._disk_io(world, vms[..., by_device], ms[:, on], queued_ms[:, on], depth[on])
        self._disk_io("Physical Disk Partition", devices, ms, queued_ms)
        total = np.maximum(devices[0] + devices[1], 1e-9)
        self._faults(shares, (vms[0] + vms[1])[:, by_device] / total[:, on], on)
        # A VM's own row stands before the rows of its disks.
        both = np.concatenate([vms, disks], axis=-1)
        order = np.argsort(np.concatenate([np.arange(len(owner)) - 0.5, self.disk_vm]), kind="stable")
        of = np.concatenate([np.arange(len(owner)), self.disk_vm])[order]
        disk_ms = ms[:, owner[of]] + model.row("disk_extra_ms")[:, of]
        self._disk_io("Virtual Disk", both[..., order], disk_ms, queued_ms[:, owner[of]])

    def _roads(self, paths: Matrix, path_ms: Matrix, queued_ms: Matrix) -> None:
        """Paths and adapters; an adapter's latency is the mean over its commands."""
        on = np.array([adapter for _, adapter in self.layout.paths])
        adapters = [np.flatnonzero(on == a) for a in range(self.plan.adapters)]
        flows = np.stack([paths[..., own].sum(axis=-1) for own in adapters], axis=-1)
        commands, total = paths[0] + paths[1], np.maximum(flows[0] + flows[1], 1e-9)

        def mean(each: Matrix) -> Matrix:
            sums = np.stack([(commands * each)[:, own].sum(axis=-1) for own in adapters], axis=-1)
            weighted: Matrix = sums / total
            return weighted

        self._disk_io("Physical Disk Adapter", flows, mean(path_ms), mean(queued_ms))
        order = self.layout.by_adapter
        self._disk_io("Physical Disk", paths[..., order], path_ms[:, order], queued_ms[:, order])
        self._disk_io("Physical Disk Path", paths, path_ms, queued_ms)

    def _faults(self, shares: Matrix, world_shares: Matrix, on: Matrix) -> None:
        """What fails on a device fails for some VM, on some path, behind some adapter."""
        adapter = np.array([a for _, a in self.layout.paths])
        for name, counters in FAULTS.items():
            device = self.fault_rates[name][self.model.at]
            path = np.repeat(device, self.plan.paths_per_device, axis=-1) * shares
            hba = np.stack([path[:, adapter == a].sum(axis=-1) for a in range(self.plan.adapters)], axis=-1)
            places = {
                "Physical Disk SCSI Device": device,
                "Physical Disk Path": path,
                "Physical Disk Adapter": hba,
                "Physical Disk": path[:, self.layout.by_adapter],
                "Physical Disk Per-Device-Per-World": device[:, on] * world_shares,
            }
            for object_name, values in places.items():
                self.model.put(object_name, dict.fromkeys(counters, values))

    def _network(self) -> None:
        model, count, uplinks = self.model, len(self.layout.vms), self.plan.uplinks
        given = model.row("packets_s")
        wanted = np.where(given < 0, self.packets, given)
        flows = [model.rate(wanted * model.level * (1 + 0.3 * model.wave) * model.noise(count, 0.4)) for _ in "tr"]
        sizes = [np.rint(np.full(count, size) * model.noise(count, 0.2)) for size in (420.0, 610.0)]
        is_nic = np.zeros(2 + 2 * uplinks, bool)
        is_nic[1:-1:2] = True

        def on_links(values: Matrix) -> Matrix:
            """A value per uplink as one per port that is not a VM's."""
            spread = np.zeros((len(model.t), len(is_nic)))
            spread[:, is_nic] = values
            return spread

        def ports(values: Matrix, of_vms: Matrix | float = 0.0) -> Matrix:
            vms = np.broadcast_to(np.asarray(of_vms, float), (len(model.t), count))
            return np.concatenate([on_links(values), vms], axis=1)

        up = self.link_up[model.at]
        duplex = up * np.array([float(link.full_duplex) for link in self.links])
        speed = up * np.array([float(link.mbit_s) for link in self.links])
        values = {"Link Up?": ports(up), "Full Duplex?": ports(duplex), "Link Speed (Mb/s)": ports(speed)}
        shares = up * np.array([link.share for link in self.links])
        shares = shares / np.maximum(shares.sum(axis=1, keepdims=True), 1e-9)
        for word, packets, size in zip(("Transmitted", "Received"), flows, sizes, strict=True):
            outside = packets.sum(axis=1, keepdims=True)
            mean = np.rint((packets * size).sum(axis=1, keepdims=True) / np.maximum(outside, 1e-9))
            rate = ports(outside * shares, packets)
            length = ports(mean * (shares > 0), size * (packets > 0))
            values[f"Packets {word}/sec"] = rate
            values[f"Average Packet Size  {word} (Bytes)"] = length
            values[f"MBits {word}/sec"] = rate * length * 8 / 1e6
        drops = [drop[model.at] for drop in self.link_drops]
        values["% Outbound Packets Dropped"] = ports(drops[0], model.row("dropped_tx_pct"))
        values["% Received Packets Dropped"] = ports(drops[1], model.row("dropped_rx_pct"))
        for kind in ("broadcasts", "multicasts"):
            received = np.minimum(model.row(f"{kind}_s"), flows[1])
            name = f"{kind.removesuffix('s').title()} Packets Received/sec"
            values[name] = ports(received.sum(axis=1, keepdims=True) * shares, received)
        model.put("Network Port", values)

    def _interrupts(self) -> None:
        model, cpus = self.model, self.plan.pcpus
        shape = (len(model.t), self.layout.cookies, cpus)
        rates = model.rate(
            self.interrupt_rates * model.level * model.noise(len(self.interrupt_rates), 0.1)
        ).reshape(shape)
        costs = np.broadcast_to(self.interrupt_us.reshape(shape[1:]), shape) * (rates > 0)
        if self.layout.cookies:
            storm = model.storm_s[model.at, 0]
            rates[:, 0, self.plan.storm_pcpu] += storm
            costs = np.where(
                (np.arange(costs.shape[1])[:, None] == 0)
                & (np.arange(cpus) == self.plan.storm_pcpu)
                & (storm[:, None, None] > 0),
                self.plan.storm_us,
                costs,
            )
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
