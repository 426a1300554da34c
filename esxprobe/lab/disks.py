"""What passes through the simulated host's virtual disks, devices, paths and adapters.

It adds up: disks to VMs, VMs to devices, devices over their paths to adapters; a mean latency is weighted by its
commands; what is active or queued is what arrives while a command takes or waits (Little's law).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from esxprobe.arrays import Matrix
from esxprobe.lab.plan import DevicePlan, track

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esxprobe.lab.block import Block
    from esxprobe.lab.plan import Knob

STUCK = 9  # commands that a device holds while it is stalled
# Which knobs of a device each counter tells of.
FAULTS = {
    "Aborts/sec": ("aborts_s",),
    "Resets/sec": ("resets_s",),
    "Failed Commands/sec": ("failed_s", "failed_io_s"),
    "Failed Reads/sec": ("failed_io_s",),
    "Conflicts/sec": ("conflicts_s",),
}


class Times(NamedTuple):
    """How long commands take [ms], samples x entities each.

    `ms` is behind the host's queue, `kernel_ms` in it; `more` stacks what reads and what writes take on top.
    """

    ms: Matrix
    kernel_ms: Matrix
    more: Matrix

    def of(self, which: Any) -> Times:
        """Those of some entities, in this order."""
        return Times(self.ms[:, which], self.kernel_ms[:, which], self.more[..., which])


class Disks:
    """Fills the objects from `Physical Disk` to `Virtual Disk` of a model's block."""

    def __init__(self, model: Block) -> None:
        self.model, self.plan, self.layout = model, model.plan, model.layout
        vms, rng = self.layout.vms, model.fixed
        self.disk_vm = np.repeat(np.arange(len(vms)), [vm.disks for vm in vms])
        self.disk_starts = np.flatnonzero(np.diff(self.disk_vm, prepend=-1))
        self.disk_iops = np.array([vm.iops / vm.disks for vm in vms])[self.disk_vm]
        self.io_mb = 0.008 + 0.024 * rng.random(len(self.disk_vm))
        sizes = np.array([vm.io_kb for vm in vms])[self.disk_vm] / 1024
        self.io_mb = np.where(sizes < 0, self.io_mb, sizes)
        self.device_ms = 0.4 + 1.6 * rng.random(len(self.plan.devices))
        self._unusual()

    def _unusual(self) -> None:
        """Knobs of devices and paths as one column each."""
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
        self.fault_rates = {
            name: columns(getattr(each, name) for each in devices) for names in FAULTS.values() for name in names
        }
        self.queue_depth = columns(each.queue_depth for each in devices)
        self.stalled = columns(each.stalled for each in devices)
        self.more_ms = np.stack(
            [columns(each.read_extra_ms for each in devices), columns(each.write_extra_ms for each in devices)]
        )
        faulty = np.array([each.faulty_path for each in devices])
        self.faulty = (faulty[:, None] == np.arange(paths)).ravel()
        self.faulty |= np.repeat(faulty < 0, paths)

    def _disk_io(
        self,
        object_name: str,
        flow: Matrix,
        times: Times,
        depth: Matrix | float = 4096.0,
        stuck: Matrix | float = 0.0,
    ) -> None:
        """Place rates and latencies; `flow` stacks reads, writes, MB read and MB written."""
        ms, kernel_ms, (more_read_ms, more_write_ms) = times
        reads, writes, mb_read, mb_written = flow
        commands = reads + writes
        took = {
            "Read": (1.12 * ms + more_read_ms) * (reads > 0),
            "Write": (0.86 * ms + more_write_ms) * (writes > 0),
        }
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
        in_flight = np.minimum(np.rint(commands * took["Command"] / 1000) + stuck, depth)
        queued = np.rint(commands * kernel_ms / 1000)
        values |= {"Device Q Depth": depth, "Adapter Q Depth": self.plan.adapter_queue_depth, "Shares": 1000}
        values |= {
            "Active Commands": in_flight,
            "Queued Commands": queued,
            "Load": (in_flight + queued) / depth,
            "% Used": 100 * in_flight / depth,
        }
        self.model.put(object_name, values)

    def fill(self) -> None:
        """Place the values of the model's current block."""
        model, layout, plan = self.model, self.layout, self.plan
        swell = (1 + 0.3 * model.wave[:, self.disk_vm]) * model.level
        count = len(self.disk_vm)
        owner, each = layout.device_of_vm, len(plan.devices)
        swell = swell * (1 - self.stalled[model.at][:, owner[self.disk_vm]])
        reads = model.rate(0.6 * self.disk_iops * swell * model.noise(count, 0.5))
        writes = model.rate(0.4 * self.disk_iops * swell * model.noise(count, 0.5))
        disks = np.stack([reads, writes, reads * self.io_mb, writes * self.io_mb])
        vms = np.add.reduceat(disks, self.disk_starts, axis=-1)
        devices = np.stack([vms[..., owner == d].sum(axis=-1) for d in range(each)], axis=-1)
        times, path_times, depth = self._times(devices)
        shares = self.path_shares[model.at]
        self._roads(np.repeat(devices, plan.paths_per_device, axis=-1) * shares, path_times)
        stuck = self.stalled[model.at] * STUCK
        self._disk_io("Physical Disk SCSI Device", devices, times, depth, stuck)
        by_device = np.argsort(owner, kind="stable")
        on = owner[by_device]
        world = "Physical Disk Per-Device-Per-World"
        self._disk_io(world, vms[..., by_device], times.of(on), depth[:, on])
        self._disk_io("Physical Disk Partition", devices, times)
        total = np.maximum(devices[0] + devices[1], 1e-9)
        self._faults(shares, (vms[0] + vms[1])[:, by_device] / total[:, on], on)
        # A VM's own row stands before the rows of its disks.
        both = np.concatenate([vms, disks], axis=-1)
        order = np.argsort(np.concatenate([np.arange(len(owner)) - 0.5, self.disk_vm]), kind="stable")
        of = np.concatenate([np.arange(len(owner)), self.disk_vm])[order]
        seen = times.of(owner[of])
        seen = seen._replace(ms=seen.ms + model.row("disk_extra_ms")[:, of])
        self._disk_io("Virtual Disk", both[..., order], seen)

    def _times(self, devices: Matrix) -> tuple[Times, Times, Matrix]:
        """How long commands take on devices and on their paths, and how many a device's queue holds.

        A device holds as many commands as its queue is deep; with more at once the rest waits in the host.
        """
        model, paths = self.model, self.plan.paths_per_device
        each = devices.shape[-1]
        own_ms = self.device_ms * model.noise(each, 0.25)
        own_ms = own_ms + self.extra_ms[model.at] * model.noise(each, 0.15)
        shares, extra_ms = self.path_shares[model.at], self.path_extra_ms[model.at]
        path_ms = np.repeat(own_ms, paths, axis=-1) + extra_ms
        ms = own_ms + (shares * extra_ms).reshape(len(model.t), each, -1).sum(axis=-1)
        depth = self.queue_depth[model.at]
        most_ms = 1000 * depth / np.maximum(1.02 * (devices[0] + devices[1]), 1e-9)
        queued_ms = self.kernel_ms[model.at] + np.maximum(ms - most_ms, 0)
        held = np.minimum(most_ms / ms, 1)
        more = self.more_ms[:, model.at]
        on_paths = (np.repeat(matrix, paths, axis=-1) for matrix in (held, queued_ms, more))
        path_held, path_queued_ms, path_more = on_paths
        return Times(ms * held, queued_ms, more), Times(path_ms * path_held, path_queued_ms, path_more), depth

    def _roads(self, paths: Matrix, times: Times) -> None:
        """Paths and adapters; an adapter's latency is the mean over its commands."""
        on = np.array([adapter for _, adapter in self.layout.paths])
        adapters = [np.flatnonzero(on == a) for a in range(self.plan.adapters)]

        def total(each: Matrix) -> Matrix:
            return np.stack([each[..., own].sum(axis=-1) for own in adapters], axis=-1)

        def mean(each: Matrix, weights: Matrix) -> Matrix:
            weighted: Matrix = total(weights * each) / np.maximum(total(weights), 1e-9)
            return weighted

        commands = paths[0] + paths[1]
        more = np.stack([mean(times.more[k], paths[k]) for k in (0, 1)])
        means = Times(mean(times.ms, commands), mean(times.kernel_ms, commands), more)
        self._disk_io("Physical Disk Adapter", total(paths), means)
        order = self.layout.by_adapter
        self._disk_io("Physical Disk", paths[..., order], times.of(order))
        self._disk_io("Physical Disk Path", paths, times)

    def _faults(self, shares: Matrix, world_shares: Matrix, on: Matrix) -> None:
        """What fails on a device fails for some VM, on some path, behind some adapter."""
        adapter = np.array([a for _, a in self.layout.paths])
        by_path = shares * self.faulty
        by_path = by_path.reshape(len(shares), len(self.plan.devices), -1)
        by_path = (by_path / np.maximum(by_path.sum(axis=-1, keepdims=True), 1e-9)).reshape(shares.shape)
        for counter, names in FAULTS.items():
            device: Matrix = np.sum([self.fault_rates[name][self.model.at] for name in names], axis=0)
            path = np.repeat(device, self.plan.paths_per_device, axis=-1) * by_path
            places = {
                "Physical Disk SCSI Device": device,
                "Physical Disk Path": path,
                "Physical Disk Adapter": np.stack(
                    [path[:, adapter == a].sum(axis=-1) for a in range(self.plan.adapters)], axis=-1
                ),
                "Physical Disk": path[:, self.layout.by_adapter],
                "Physical Disk Per-Device-Per-World": device[:, on] * world_shares,
            }
            for object_name, values in places.items():
                self.model.put(object_name, {counter: values})
