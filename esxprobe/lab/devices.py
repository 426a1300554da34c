"""What passes through the simulated host's ports and interrupt vectors, and, in `disks`, its storage.

Uplinks carry what the VMs send and receive. The total of an interrupt cookie is the sum over its PCPUs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from esxprobe.arrays import Matrix
from esxprobe.lab.disks import Disks
from esxprobe.lab.plan import UplinkPlan, track

if TYPE_CHECKING:
    from collections.abc import Iterable

    from esxprobe.lab.block import Block
    from esxprobe.lab.plan import Knob


class Devices:
    """Fills the objects from `Physical Disk` to `Interrupt Cookie` of a model's block."""

    def __init__(self, model: Block) -> None:
        self.model, self.plan, self.layout = model, model.plan, model.layout
        vms, rng = self.layout.vms, model.fixed
        self.disks = Disks(model)
        self._links()
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

    def _links(self) -> None:
        """Knobs of uplinks as one column each."""
        plan = self.plan

        def columns(knobs: Iterable[Knob]) -> Matrix:
            return np.column_stack([track(knob, self.model.horizon, plan.knob_step) for knob in knobs])

        uplinks = (*plan.uplink_plans, *(UplinkPlan() for _ in range(plan.uplinks)))[: plan.uplinks]
        self.links, self.link_up = uplinks, columns(each.up for each in uplinks)
        self.link_drops = [
            columns(each.dropped_tx_pct for each in uplinks),
            columns(each.dropped_rx_pct for each in uplinks),
        ]

    def fill(self) -> None:
        """Place the values of the model's current block."""
        self.disks.fill()
        self._network()
        self._interrupts()

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
        leaves = np.array([vm.switch == "vSwitch0" for vm in self.layout.vms])
        for word, packets, size in zip(("Transmitted", "Received"), flows, sizes, strict=True):
            sent = packets * leaves
            outside = sent.sum(axis=1, keepdims=True)
            mean = np.rint((sent * size).sum(axis=1, keepdims=True) / np.maximum(outside, 1e-9))
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
            storm = model.host_row("storm_s")[:, 0]
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
