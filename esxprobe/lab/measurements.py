"""The numbers of the simulated host: a block of samples is a matrix, a counter an array over its entities.

The rules that the numbers keep:

- one world: %RUN + %RDY + %CSTP + %WAIT is the same for every world of a row, about 98.9 %;
  %WAIT = %IDLE + %SWPWT + other waits, and %VMWAIT = %WAIT - %IDLE;
- one group: the sum over its worlds (%VMWAIT: over the vCPU worlds, and only for VMs);
- one PCPU: its idle world is ready exactly while somebody else runs there;
- one VM's memory: MEMSZ >= granted >= touched, and what is ballooned or swapped is not granted;
- the first sample is an average since boot: calm, lower rates, another closure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from esxprobe.arrays import Matrix
from esxprobe.lab.activity import Activity
from esxprobe.lab.devices import Devices
from esxprobe.lab.layout import FREQUENCIES_MHZ, HeaderLayout
from esxprobe.lab.memory import MEMORY_TRACKS, PAGE_AHEAD, Memory
from esxprobe.lab.plan import track

if TYPE_CHECKING:
    from esxprobe.lab.plan import HostPlan

BLOCK_ROWS = 24
GUEST_SWING = 0.02  # of the load of a VM whose guest is known, what nothing in the guest explains
CLOSURE_PCT = 98.9
CLOSURE_SINCE_BOOT_PCT = 99.9
CALM_SINCE_BOOT = 0.6  # rates of the first sample, as a share of the usual ones
RUN_PCT = {"vmx": 0.1, "net": 0.05, "vmast": 0.02}
SHARES = {"net": 2000, "vmast": 100}
SIBLING_BUSY = 0.375  # of a logical CPU's worth, what it loses while the core's other one is busy
TRACKS = (
    *("load_pct", "ready_pct", "max_limited_pct", "costop_pct", "swap_wait_pct", "overlap_pct"),
    *("system_pct", "wait_pct", "sibling_busy_pct", "wakeups_s", "migrates_s", "misread_used_pct"),
    *("helper_pct", "transmit_pct", "timers_s", "first_ready_pct"),
    *("disk_extra_ms", "packets_s", "dropped_tx_pct", "dropped_rx_pct", "broadcasts_s", "multicasts_s"),
    *MEMORY_TRACKS,
)


class HostModel:
    """Computes the values of a plan, block by block; the same plan gives the same numbers.

    Args:
        plan: The host.
        horizon: Samples that can be asked for, at least; the plan's own number when it is not said.
        boot: The sample that is an average since boot: the first one of a run of esxtop.
    """

    def __init__(self, plan: HostPlan, horizon: int | None = None, boot: int = 0) -> None:
        self.plan, self.boot = plan, boot
        # whole blocks, and what the targets look ahead: a value never depends on how many are asked for
        blocks = -(-(horizon or plan.samples) // BLOCK_ROWS)
        self.horizon = blocks * BLOCK_ROWS + PAGE_AHEAD
        self.layout = HeaderLayout(plan)
        self.spots = {key: np.array(where) for key, where in self.layout.spots.items()}
        self.fixed = np.random.default_rng(plan.seed)
        vms, samples = self.layout.vms, self.horizon
        step = plan.knob_step
        self.tracks = {
            name: np.column_stack([track(getattr(vm, name), samples, step) for vm in vms]) for name in TRACKS
        }
        self.slow_clock = FREQUENCIES_MHZ[plan.slow_p_state] / FREQUENCIES_MHZ[0]
        self.period = 40 + 360 * self.fixed.random(len(vms))
        self.phase = self.fixed.random(len(vms))
        self._worlds()
        self._loads()
        self.memory, self.devices = Memory(self), Devices(self)
        host = ("slowed_pct", "throttled_pct", "deep_idle_pct", "storm_s")
        self.host_tracks = {name: track(getattr(plan, name), samples, step)[:, None] for name in host}
        self._busy_groups()

    def _busy_groups(self) -> None:
        """The worlds of each busy group, and what they do more than others."""
        of = np.repeat([group.name.partition(".")[0] for group in self.layout.groups], self.members)
        self.busy, self.new_worlds = [], np.zeros((self.horizon, len(self.members)))
        for group in self.plan.busy_groups:
            worlds = np.flatnonzero((of == group.name) & (self.roles != "idle"))
            knobs = (group.run_pct, group.ready_pct, group.limited_pct)
            run, ready, limited = (track(knob, self.horizon, self.plan.knob_step)[:, None] for knob in knobs)
            started = np.floor(track(group.new_worlds, self.horizon, self.plan.knob_step))
            self.new_worlds[:, np.searchsorted(self.starts, worlds[0], side="right") - 1] += started
            self.busy.append((worlds, run / len(worlds), ready, limited))
        names = np.array([world.name for group in self.layout.groups for world in group.worlds])
        for world in self.plan.kernel_worlds:
            run, ready = (
                track(knob, self.horizon, self.plan.knob_step)[:, None] for knob in (world.run_pct, world.ready_pct)
            )
            self.busy.append((np.flatnonzero(names == world.name), run, ready, 0.0 * run))

    def host_row(self, name: str) -> Matrix:
        """A knob of the host in this block, one value a sample."""
        values: Matrix = self.host_tracks[name][self.at]
        return values

    def _worlds(self) -> None:
        groups = self.layout.groups
        worlds = [world for group in groups for world in group.worlds]
        self.roles = np.array([world.role for world in worlds])
        self.wids = np.array([world.wid for world in worlds])
        self.members = np.array([len(group.worlds) for group in groups])
        self.starts = np.concatenate([[0], np.cumsum(self.members)[:-1]])
        self.kinds = np.array([group.kind for group in groups])
        self.idle, self.vcpu = np.flatnonzero(self.roles == "idle"), np.flatnonzero(self.roles == "vcpu")
        self.vmx = np.flatnonzero(self.roles == "vmx")
        self.base_run = np.array([RUN_PCT.get(role, 0.0) for role in self.roles.tolist()])
        self.base_run[self.roles == "esxtop"] = self.plan.esxtop_run_pct
        lot = self.fixed.random(len(worlds))  # most kernel and user worlds sleep through it all
        awake = ((self.roles == "kernel") & (lot < 0.1)) | ((self.roles == "user") & (lot < 0.15))
        self.base_run[awake] = 0.3 * self.fixed.random(int(awake.sum())) ** 2
        self.vcpu_counts = np.array([vm.vcpus for vm in self.layout.vms])
        self.vcpu_vm = np.repeat(np.arange(len(self.vcpu_counts)), self.vcpu_counts)
        in_memory = self.in_memory = self.kinds != "kernel"
        self.memory_members = self.members[in_memory]
        self.memory_vms = np.flatnonzero(self.kinds[in_memory] == "vm")

    def _loads(self) -> None:
        """Wanted %RUN of each vCPU before any noise, and the load averages that follow from it."""
        weight = 0.8 + 0.4 * self.fixed.random(len(self.vcpu_vm))
        first = self.first_vcpus = np.concatenate([[0], np.cumsum(self.vcpu_counts)[:-1]])
        self.loads = self.tracks["load_pct"][:, self.vcpu_vm] * weight
        self.swing = np.full(len(weight), 0.2)
        for start, vm in zip(first, self.layout.vms, strict=True):
            for i, knob in enumerate(vm.vcpu_loads_pct):
                self.loads[:, start + i] = track(knob, self.horizon, self.plan.knob_step)
                self.swing[start + i] = 0.005
            if vm.guest is not None:
                own = slice(start, start + vm.vcpus)
                share = weight[own] / weight[own].sum()
                self.loads[:, own] = self._guest_load_pct(Activity(vm, self.plan))[:, None] * share
                self.swing[own] = GUEST_SWING
        queued = self.loads + self.tracks["ready_pct"][:, self.vcpu_vm]
        total = np.concatenate([[0.0], np.cumsum(queued.sum(axis=1) / 100 / self.plan.pcpus)])
        ends = np.arange(1, self.horizon + 1)
        begins = [np.maximum(0, ends - max(1, int(60 * minutes / self.plan.interval_s))) for minutes in (1, 5, 15)]
        self.load_averages = [(total[ends] - total[begin]) / (ends - begin) for begin in begins]

    def _guest_load_pct(self, activity: Activity) -> Matrix:
        """%RUN that what happens in a guest takes in each interval, summed over its vCPUs."""
        edges = self.plan.true_start + np.arange(-1, self.horizon) * self.plan.interval_s
        return np.diff(activity.cpu_us(edges)) / self.plan.interval_s / 1e4

    def rows(self, first: int, last: int) -> Iterator[tuple[int, Matrix]]:
        """Samples first..last-1 as matrices of samples x value columns, each with the number of its first one."""
        for block in range(first // BLOCK_ROWS, -(-last // BLOCK_ROWS)):
            begin = block * BLOCK_ROWS
            values = self._block(begin, begin + BLOCK_ROWS)
            yield max(first, begin), values[max(first - begin, 0) : last - begin]

    def _block(self, first: int, last: int) -> Matrix:
        self.rng = np.random.default_rng([self.plan.seed, first])
        self.at = slice(first, last)
        self.t = np.arange(first, last)[:, None]
        self.usual = (self.t != self.boot).astype(float)  # 0 in the sample that averages since boot
        self.level = np.where(self.t != self.boot, 1.0, CALM_SINCE_BOOT)
        self.wave = np.sin(2 * np.pi * (self.t / self.period + self.phase)) * self.usual
        self.out = np.zeros((last - first, len(self.layout.names)))
        self._host_cpu(*self._cpu())
        self.memory.fill()
        self.devices.fill()
        self._alone()
        return self.out

    def _alone(self) -> None:
        """Counters that the plan gives outright, where nothing that is computed would contradict them."""
        for each in self.plan.alone:
            where = self.spots.get((each.object_name, each.counter), np.array([], int))
            chosen = [i for i in where.tolist() if re.search(each.only, self.layout.names[i])]
            if not chosen or (self.out[:, chosen] > 0).any():
                raise ValueError(f"{each.object_name}\\{each.counter}: not there, or computed from other knobs")
            self.out[:, chosen] = track(each.value, self.horizon, self.plan.knob_step)[self.at, None]

    def put(self, object_name: str, values: Mapping[str, Any]) -> None:
        """Place one array per counter: samples x entities, or anything that broadcasts to it."""
        for counter, value in values.items():
            where = self.spots.get((object_name, counter))
            if where is not None:  # a shortened list of interrupts can end before a counter starts
                self.out[:, where] = value[..., : len(where)] if np.ndim(value) == 2 else value

    def noise(self, width: int, share: float = 1.0) -> Matrix:
        """Factors around 1, at most `share` away from it."""
        shape = (len(self.t), width)
        factors: Matrix = 1 + share * self.usual * (self.rng.random(shape) + self.rng.random(shape) - 1)
        return factors

    def rate(self, per_second: Matrix) -> Matrix:
        """A rate as esxtop can see it: whole events divided by the interval."""
        seen: Matrix = np.rint(per_second * self.plan.interval_s) / self.plan.interval_s
        return seen

    def row(self, name: str) -> Matrix:
        """The tracks of all VMs in this block."""
        return self.tracks[name][self.at]

    def _cpu(self) -> tuple[Matrix, Matrix]:
        plan = self.plan
        closure = self._closure()
        run, s = self._states(closure)
        util = self._util(run)
        s["rdy"][:, self.idle] = util * closure / 100
        run[:, self.idle] = closure - s["rdy"][:, self.idle]

        awake = (self.roles != "idle").astype(float)
        wait = closure - run - s["rdy"] - s["cstp"]
        wait[:, self.idle] = 0
        vmwait = wait.copy()
        vmwait[:, self.vcpu] = s["swpwt"][:, self.vcpu] + s["other"][:, self.vcpu]
        s["idle"][:, self.vcpu] = wait[:, self.vcpu] - vmwait[:, self.vcpu]
        factor = plan.frequency_factor * self.noise(1, 0.005)
        factor = factor * (1 - self.host_row("slowed_pct") / 100 * (1 - self.slow_clock))
        factor = factor * (1 - self.host_row("throttled_pct") / 100 * 0.5)
        slow = run * np.maximum(0, 1 - factor) * awake
        shared = SIBLING_BUSY * self._of_vcpus("sibling_busy_pct") / 100
        woken, unzipping = self._of_vcpus("wakeups_s"), self._of_vcpus("unzip_wait_pct")
        misread = self._of_vcpus("misread_used_pct")
        switches = self.rate(
            np.where(self.roles == "vcpu", 40 + 9 * run, 300 * run) * self.noise(len(self.roles), 0.2)
        )
        switches[:, self.idle] = 0
        worlds = {
            "% Used": ((run - s["ovrlp"]) * factor * (1 - shared) + s["sys"] + misread) * awake,
            "% Run": run,
            "% System": s["sys"],
            "% Wait": wait,
            "% VmWait": vmwait,
            "% Ready": s["rdy"],
            "% Idle": s["idle"],
            "% Overlap": s["ovrlp"],
            "% CoStop": s["cstp"],
            "% Max Limited": s["mlmtd"],
            "% Swap Wait": s["swpwt"],
            "Switches/sec": switches + woken,
            "Migrates/sec": self.rate(0.02 * switches) + self._of_vcpus("migrates_s"),
            "Wakeups/sec": self.rate(np.where(self.roles == "vcpu", 1.04, 1) * switches) + woken,
            "% CPU Latency": s["rdy"] - s["mlmtd"] + s["cstp"] + s["ovrlp"] + s["swpwt"] + slow + run * shared,
            "% Memory Latency": 1.02 * s["swpwt"] + unzipping,
            "% Demand": np.rint((run + s["rdy"]) * factor) * awake,
            "Effective Min (MHz)": np.where(self.roles == "idle", 0.0, 60.0)[None],
        }
        self.put("Vcpu", worlds)
        home = (self.wids * 7 + self.t // (3 + self.wids % 5)) % plan.pcpus
        home[:, self.idle] = np.arange(plan.pcpus)
        shares = np.array([SHARES.get(role, 1000) for role in self.roles.tolist()])
        limited = np.where(self.roles == "vcpu", -1, 0)
        alloc: dict[str, Any] = {"Alloc Max": -1, "Alloc Shares": shares[None], "Alloc Min Limited": limited[None]}
        self.put("Vcpu", {**alloc, "Physical Cpu": home})
        self._group_cpu({**worlds, "% VmWait": vmwait * (self.roles == "vcpu")})
        taken = (run * shared).sum(axis=1, keepdims=True) / np.maximum(
            (run * awake).sum(axis=1, keepdims=True), 1e-9
        )
        return util, factor * (1 - taken)

    def _closure(self) -> Matrix:
        """What the states of a world add up to, sample by sample [%]."""
        closure: Matrix = np.where(self.t != self.boot, CLOSURE_PCT * self.noise(1, 0.0004), CLOSURE_SINCE_BOOT_PCT)
        return closure

    def _states(self, closure: Matrix) -> tuple[Matrix, dict[str, Matrix]]:
        """%RUN of every world, and its other states but for what follows from them."""
        vm, count = self.vcpu_vm, len(self.vcpu)
        run = self.base_run * self.level * self.noise(len(self.roles), 0.4)
        s = {
            name: np.zeros_like(run) for name in ("rdy", "cstp", "mlmtd", "swpwt", "idle", "ovrlp", "sys", "other")
        }
        s["rdy"] = 0.12 * run
        run[:, self.vmx] += self.row("helper_pct")
        run[:, self.roles == "net"] += self.row("transmit_pct")
        for worlds, more, ready, limited in self.busy:
            run[:, worlds] += more[self.at]
            s["mlmtd"][:, worlds] = limited[self.at]
            s["rdy"][:, worlds] += ready[self.at] + limited[self.at]

        def knob(name: str) -> Matrix:
            return self.row(name)[:, vm] * self.noise(count, 0.2)

        for short, name in (("mlmtd", "max_limited_pct"), ("swpwt", "swap_wait_pct"), ("cstp", "costop_pct")):
            s[short][:, self.vcpu] = knob(name)
        s["cstp"][:, self.vcpu] *= self.vcpu_counts[vm] > 1
        s["rdy"][:, self.vcpu] = knob("ready_pct") + s["mlmtd"][:, self.vcpu]
        s["rdy"][:, self.vcpu[self.first_vcpus]] += self.row("first_ready_pct")
        s["other"][:, self.vcpu] = 0.05 + 0.15 * self.rng.random((len(self.t), count))
        s["other"][:, self.vcpu] += (self.row("wait_pct") + self.row("unzip_wait_pct"))[:, vm]
        lost = sum(s[short][:, self.vcpu] for short in ("rdy", "cstp", "swpwt", "other"))
        query = self.loads[self.at] * self.level * (1 + self.swing * 0.6 * self.wave[:, vm])
        query = query * (1 + self.swing * 0.6 * (self.noise(count) - 1))
        run[:, self.vcpu] = np.clip(query, 0.05, closure - lost - 0.02)
        s["ovrlp"][:, self.vcpu] = np.minimum(knob("overlap_pct"), run[:, self.vcpu])
        s["sys"][:, self.vmx] = (0.04 + 0.002 * np.array([v.iops for v in self.layout.vms])) * self.level
        s["sys"][:, self.vmx] += self.row("system_pct")
        return run, s

    def _of_vcpus(self, name: str) -> Matrix:
        """A VM's track for each of its vCPUs; nothing for all other worlds."""
        values = np.zeros((len(self.t), len(self.roles)))
        values[:, self.vcpu] = self.row(name)[:, self.vcpu_vm]
        return values

    def _util(self, run: Matrix) -> Matrix:
        """How busy each PCPU is with what runs, with the vmkernel's services and with interrupts [%]."""
        plan = self.plan
        services = self.row("system_pct").sum(axis=1, keepdims=True)
        busy = (run.sum(axis=1, keepdims=True) + services) / plan.pcpus + 0.2
        if busy.max() > 100:
            raise ValueError(f"{plan.host}: what runs takes {busy.max():.1f} % of all PCPUs' time")
        spread = np.sin(np.arange(plan.pcpus) * 2.4 + self.t / 23) + 0.5 * (self.noise(plan.pcpus) - 1)
        spread -= spread.mean(axis=1, keepdims=True)
        util: Matrix = np.clip(busy + 0.12 * np.minimum(busy, 100 - busy) * spread, 0, 100)
        storm = self.host_row("storm_s")[:, 0] * plan.storm_us / 1e4
        util[:, plan.storm_pcpu] = np.minimum(util[:, plan.storm_pcpu] + storm, 100)
        return util

    def _group_cpu(self, worlds: dict[str, Matrix]) -> None:
        sums = {counter: np.add.reduceat(values, self.starts, axis=1) for counter, values in worlds.items()}
        is_vm = self.kinds == "vm"
        # The header cannot grow: worlds that were started later are seen in sums only. They sleep.
        started = self.new_worlds[self.at]
        closure = sum(worlds[f"% {state}"][:, :1] for state in ("Run", "Ready", "CoStop", "Wait"))
        sums["% Wait"] = sums["% Wait"] + started * closure
        sums["% VmWait"] = sums["% VmWait"][:, is_vm]
        limit = np.full(len(is_vm), -1)
        limit[is_vm] = [vm.limit_mhz for vm in self.layout.vms]
        reserved = np.where(self.kinds == "kernel", 3, 0)
        reserved[is_vm] = [vm.reservation_mhz for vm in self.layout.vms]
        timers = np.zeros((len(self.t), len(is_vm)))
        timers[:, is_vm] = self.rate((50 + 3 * self.row("load_pct")) * self.level) + self.row("timers_s")
        fixed = {
            "Members": self.members + started,
            "Alloc Min": reserved[None],
            "Alloc Max": limit[None],
            "Alloc Shares": np.where(is_vm, -3, 1000)[None],
            "Alloc Min Limited": np.where(self.kinds == "user", 0, -1)[None],
            "Timers/sec": timers,
        }
        self.put("Group Cpu", {**sums, **fixed})

    def _host_cpu(self, util: Matrix, factor: Matrix) -> None:
        def with_total(values: Matrix) -> Matrix:
            return np.concatenate([values, values.mean(axis=1, keepdims=True)], axis=1)

        used = util * factor
        np.add.at(
            used.T, np.arange(len(self.vcpu)) % self.plan.pcpus, self.row("misread_used_pct")[:, self.vcpu_vm].T
        )
        self.put("Physical Cpu", {"% Util Time": with_total(util), "% Processor Time": with_total(used)})
        if self.plan.hyperthreads:
            pairs = util.reshape(len(util), -1, 2)
            core = 100 - (100 - pairs[..., 0]) * (100 - pairs[..., 1]) / 100
            self.put("Physical Cpu", {"% Core Util Time": with_total(np.repeat(core, 2, axis=1))})
        for minutes, average in zip((1, 5, 15), self.load_averages, strict=True):
            self.put("Physical Cpu Load", {f"Cpu Load ({minutes} Minute Avg)": average[self.at, None]})
        watts = 4 * self.plan.pcpus + 0.09 * util.sum(axis=1, keepdims=True)
        power = {"Power Usage Now Watts": watts, "Power Usage Cap Watts": self.plan.power_cap_watts}
        self.put("Power", {**power, "P-State MHZ": np.array(FREQUENCIES_MHZ)[None]})
        deep = self.host_row("deep_idle_pct") / 100 * (100 - util)
        states = {"%C-State C0": util, "%C-State C1": 100 - util - deep, "%C-State C2": deep}
        slowed, throttled = self.host_row("slowed_pct"), self.host_row("throttled_pct")
        clocked = {f"%P-State P{self.plan.slow_p_state}": slowed, "%P-State P0": 100.0 - slowed}
        self.put(
            "PCPU Power State", {**states, **clocked, "%T-State T0": 100.0 - throttled, "%T-State T4": throttled}
        )
