"""The columns of the simulated host's capture: objects, counters and instances in esxtop's order.

`HeaderLayout` walks a plan once and remembers at which positions of a row each (object, counter) pair stands.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from esxprobe.lab.plan import HostPlan

# Counters in esxtop's own order; a leading '#' marks the ones printed as integers.
OVERCOMMIT = "|".join(f"Memory Overcommit ({n} Minute Avg)" for n in (1, 5, 15))
LOAD = "|".join(f"Cpu Load ({n} Minute Avg)" for n in (1, 5, 15))
MEMORY = (
    "#Machine MBytes|#Kernel MBytes|#NonKernel MBytes|#Free MBytes|#Kernel Managed MBytes|"
    "#Kernel MinFree MBytes|#Kernel Reserved MBytes|#Kernel Unreserved MBytes|#Kernel State|"
    "#PShare Shared MBytes|#PShare Common MBytes|#PShare Savings MBytes|#Swap Used MBytes|"
    "#Swap Target MBytes|Swap MBytes Read/sec|Swap MBytes Write/sec|#Total Compressed MBytes|"
    "#Total Saved By Compression MBytes|#Memctl Current MBytes|#Memctl Target MBytes|#Memctl Max MBytes"
)
_TIMES = "% Used|% Run|% System|% Wait{}|% Ready|% Idle|% Overlap|% CoStop|% Max Limited|% Swap Wait|"
_ALLOC = "#Alloc Min|#Alloc Max|#Alloc Shares|#Alloc Min Limited|"
_REST = f"Switches/sec|Migrates/sec|Quantum Expires/sec|Wakeups/sec|{_ALLOC}% CPU Latency|% Memory Latency|"
_STATES = f"{_TIMES}{_REST}#% Demand|#Effective Min (MHz)|"
VCPU = _STATES.format("|% VmWait") + "#Physical Cpu"
GROUP = "#Members|" + _STATES.format("") + "Timers/sec|#Power Usage Watts"
VM_GROUP = "#Members|" + _STATES.format("|% VmWait") + "Timers/sec|#Power Usage Watts"
GROUP_MEMORY = (
    f"#Members|{_ALLOC}#Numa Home Nodes|#Numa Rebalance Count Delta|Numa Remote Memory MBytes|"
    "Numa Local Memory MBytes|#Numa % Local|Memory Size MBytes|Memory Granted Size MBytes|"
    "Memory Consumed Size MBytes|Target Size MBytes|Touched MBytes|Touched Write MBytes|#% Active Estimate|"
    "#% Active Slow Estimate|#% Active Fast Estimate|#% Active Next Estimate|#Memctl?|Memctl MBytes|"
    "Memctl Target MBytes|Memctl Max MBytes|Swapped MBytes|Swap Target MBytes|Swap Read MBytes/sec|"
    "Swap Written MBytes/sec|Llswap Read MBytes/sec|Llswap Written MBytes/sec|Checkpoint Read MBytes|"
    "Checkpoint Target MBytes|Zero MBytes|Shared MBytes|Shared Saved MBytes|Copy On Write Hint MBytes|"
    "Overhead UW MBytes|Overhead MBytes|Overhead Max MBytes|Min Commit Target MBytes|Commit Target MBytes|"
    "Commit Charged MBytes|#Commit Pages Per Share|Compressed Memory MBytes|Used Compressed Memory MBytes|"
    "Compression MBytes/sec|Decompression MBytes/sec"
)
_RATES = "Commands/sec|Reads/sec|Writes/sec|MBytes Read/sec|MBytes Written/sec"
_PARTS = ("Driver", "Kernel", "Guest", "Queue")
_LATENCIES = "|".join(f"Average {p} MilliSec/{per}" for per in ("Command", "Read", "Write") for p in _PARTS)
_DISK = (
    f"{_RATES}|Reserves/sec|Conflicts/sec|{_LATENCIES}|"
    "Failed Commands/sec|Failed Reads/sec|Failed Writes/sec|"
    "Failed Bytes Read/sec|Failed Bytes Written/sec|Failed Reserves/sec|Aborts/sec|Resets/sec"
)
ADAPTER = f"{_DISK}|PAE Commands/sec|PAE Copies/sec|Split Commands/sec|Split Copies/sec"
_QUEUE = "#Device Q Depth|#World Q Depth|#Active Commands|#Queued Commands|% Used|Load"
DEVICE = (
    f"{_QUEUE}|{_DISK}|#CReads|#CWrites|#CFailed|MBytes CReads/sec|MBytes CWrites/sec|#ATS|#ATS Failed|"
    "#Zeros|#Zeros Failed|MBytes Zeroed/sec|#Delete|#Deletes Failed|MBytes Deletes/sec|"
    + "|".join(
        f"Average {kind} Latency ms/{op}" for op in ("Clone", "ATS", "Zero") for kind in ("Success", "Failure")
    )
)
DEVICE_WORLD = f"#Shares|{_QUEUE}|{_DISK}"
PARTITION = f"{_RATES}|{_LATENCIES}"
VIRTUAL_DISK = f"#FailedIOs|#TotalIOs|#Latency|{_RATES}|Average MilliSec/Read|Average MilliSec/Write"
PORT = (
    "#Link Up?|#Link Speed (Mb/s)|#Full Duplex?|Packets Transmitted/sec|MBits Transmitted/sec|"
    "Average Packet Size  Transmitted (Bytes)|Packets Received/sec|MBits Received/sec|"
    "Average Packet Size  Received (Bytes)|% Outbound Packets Dropped|% Received Packets Dropped|"
    "Actions Posted/sec|Multicast Packets Transmitted/sec|Multicast Packets Received/sec|"
    "Broadcast Packets Transmitted/sec|Broadcast Packets Received/sec"
)
FREQUENCIES_MHZ = (
    2800,
    2700,
    2600,
    2500,
    2400,
    2300,
    2200,
    2100,
    2000,
    1900,
    1800,
    1700,
    1600,
    1400,
    1200,
    1000,
)

SYSTEM_WORLDS = (
    "logSysAlert|serialLogger|tlbflushcount|PageRetire|netLegacyRx|NetEventWorld|netCoalesce2World|ndiscWorld|"
    "UplinkWatchdogWorld|PktCapWorld|CmdCompl-0|CmdCompl-1|SCSI-GenPurpose-0|directMapUnmap|RCUWorld|"
    "systemSwapPDL|llswap defragmenter|gsSwapRefill|itRebalance|memschedRealloc|memsched-periodic|pshare-est|"
    "lpage-est|CpuSchedPeriodic|CpuMetricsLoadHistory|PktSlabMemoryStats|bcsyncd|VSCSIPoll|Storage-APD|"
    "tq:incompatTQ"
)
HELPERS = "IMMEDIATE|MISC|VMFS_JOURNAL|LVM_DRIVER|VMFS_HEARTBEAT|SWAP|LLSWAP|MEMSCHED|SCSI|NETWORK_MISC"
DRIVERS = "ScsiFilterTransWorld|AsyncTimeout|DeviceTaskmgmtWatchdog|PathTaskmgmtWatchdog|reset-watchdog"
# What came after 4.1: whole objects, and counters in all objects.
LATER_OBJECTS = ("Power", "VSAN")
LATER_COUNTERS = ("% CPU Latency", "% Memory Latency", "Effective Min (MHz)", "Llswap", "Power Usage")
FT_WORLDS = "DVS sync world|DVSSync send world|DVSSync ack world|DVSSync recv world"


class World(NamedTuple):
    """One schedulable thing of a group; `role` says how it behaves."""

    wid: int
    name: str
    role: str


class GroupRow(NamedTuple):
    """One row of esxtop's CPU screen: a VM, a system group or a user world group."""

    gid: int
    name: str
    kind: str
    worlds: list[World]


def world_groups(plan: HostPlan) -> list[GroupRow]:
    """All groups of the host by group id, their worlds in starting order."""
    wid = iter(range(65537, 10**9))

    def kernel(gid: int, name: str, worlds: list[str], idle: int = 0) -> GroupRow:
        sleepers = [World(next(wid), f"idle{cpu}", "idle") for cpu in range(idle)]
        return GroupRow(gid, name, "kernel", sleepers + [World(next(wid), world, "kernel") for world in worlds])

    names, queues = SYSTEM_WORLDS.split("|"), HELPERS.split("|")
    system = [names[i % 30] + (f"-{i // 30}" if i >= 30 else "") for i in range(plan.system_worlds)]
    system += [world.name for world in plan.kernel_worlds]
    helpers = [f"HELPER_{queues[i % 10]}_QUEUE-{i % 10}-{i // 10}" for i in range(plan.helper_worlds)]
    groups = [
        kernel(1, "system", system, idle=plan.pcpus),
        kernel(8, "helper", helpers),
        kernel(9, "drivers", DRIVERS.split("|")),
        kernel(10, "ft", FT_WORLDS.split("|")),
        kernel(11, "vmotion", ["vmotionServer"]),
    ]
    late = max((vm.gid for vm in plan.vms), default=10**6)  # the last three were started after the VMs
    for i, (name, members) in enumerate(plan.user_groups):
        first = next(wid) + 64 * (i + 1)
        gid = 529 + 131 * i if i < len(plan.user_groups) - 3 else late + 16 * i
        role = "esxtop" if name == "esxtop" else "user"
        worlds = [World(first + k, name + ("-worker" if k else ""), role) for k in range(members)]
        wid = iter(range(first + members, 10**9))
        groups.append(GroupRow(gid, f"{name}.{first}", "user", worlds))
    start = 2_100_000
    for vm in sorted(plan.vms, key=lambda vm: vm.gid):
        lead = start + 1  # the id that ports, devices and helper worlds carry
        worlds = [World(start, "vmx", "vmx"), World(start + 2, f"NetWorld-VM-{lead}", "net")]
        worlds += [World(start + 3, f"vmast.{lead}", "vmast"), World(start + 4, "vmx-vthread-5", "thread")]
        worlds += [
            World(start + 5, f"vmx-mks:{vm.name}", "mks"),
            World(start + 6, f"vmx-svga:{vm.name}", "thread"),
        ]
        worlds += [World(start + 7 + i + (i > 0), f"vmx-vcpu-{i}:{vm.name}", "vcpu") for i in range(vm.vcpus)]
        worlds.append(World(start + 8, f"PVSCSI-{lead}:0", "scsi"))
        groups.append(GroupRow(vm.gid, vm.name, "vm", worlds))
        start += 16 + vm.vcpus
    return sorted(groups, key=lambda group: group.gid)


def port_clients(plan: HostPlan) -> list[tuple[int, str]]:
    """The ports of the virtual switch: id and who is on it."""
    vms = [group for group in world_groups(plan) if group.kind == "vm"]
    clients = ["Management"]
    clients += [name for i in range(plan.uplinks) for name in (f"vmnic{i}", f"Shadow of vmnic{i}")]
    clients += ["vmk0", *(f"{vm.worlds[0].wid + 1}:{vm.name}" for vm in vms)]
    return [(33554433 + i, client) for i, client in enumerate(clients)]


class HeaderLayout:
    """The header: names in order, which are integers, and where each counter of each object stands."""

    def __init__(self, plan: HostPlan) -> None:
        self.plan = plan
        self.names: list[str] = []
        self.whole: list[bool] = []
        self.gids: list[int] = []  # of the group that a column belongs to, else 0
        self.spots: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.vms = sorted(plan.vms, key=lambda vm: vm.gid)
        self.groups = world_groups(plan)
        self.leaders = [g.worlds[0].wid + 1 for g in self.groups if g.kind == "vm"]
        self._host()
        for g in self.groups:
            self.add("Group Cpu", f"{g.gid}:{g.name}", VM_GROUP if g.kind == "vm" else GROUP)
            for w in g.worlds:
                self.add("Vcpu", f"{g.gid}:{g.name}:{w.wid}:{w.name}", VCPU)
        for g in self.groups:
            if g.kind != "kernel":
                self.add("Group Memory", f"{g.gid}:{g.name}", GROUP_MEMORY)
        self._storage()
        self._network()
        self._interrupts()
        for cpu in range(plan.pcpus):
            self.add("PCPU Power State", f"PCPU {cpu}", "|".join(plan.power_states))

    def add(self, object_name: str, instance: str | None, counters: str) -> None:
        """Append the counters of one instance."""
        late = self.plan.release == "4.1"
        if late and object_name in LATER_OBJECTS:
            return
        gid = 0
        if instance and object_name in ("Group Cpu", "Vcpu", "Group Memory"):
            gid = int(instance.partition(":")[0])
        path = f"\\\\{self.plan.host}\\{object_name}" + (f"({instance})" if instance is not None else "")
        for counter in counters.split("|"):
            name = counter.removeprefix("#")
            if late and name.startswith(LATER_COUNTERS):
                continue
            self.gids.append(gid)
            self.spots[object_name, name].append(len(self.names))
            self.names.append(f"{path}\\{name}")
            self.whole.append(name != counter)

    def _host(self) -> None:
        self.add("Memory", None, OVERCOMMIT)
        self.add("Physical Cpu Load", None, LOAD)
        core = ("% Core Util Time",) if self.plan.hyperthreads else ()
        for counter in ("% Processor Time", "% Util Time", *core):
            for cpu in (*range(self.plan.pcpus), "_Total"):
                self.add("Physical Cpu", str(cpu), counter)
        self.add("Memory", None, MEMORY)
        self.add("Power", None, "#Power Usage Now Watts|#Power Usage Cap Watts")
        for state in range(len(FREQUENCIES_MHZ)):
            self.add("Power", str(state), "#P-State MHZ")
        self.add("VSAN", None, "#Enabled?")

    def _storage(self) -> None:
        plan = self.plan
        # Path j of device d hangs on adapter j mod adapters.
        self.paths = [
            (d, j % plan.adapters) for d in range(len(plan.devices)) for j in range(plan.paths_per_device)
        ]
        labels = [f"vmhba{a}:C0:T{k % plan.paths_per_device}:L{d}" for k, (d, a) in enumerate(self.paths)]
        self.by_adapter = sorted(range(len(labels)), key=lambda k: (self.paths[k][1], k))
        for a in range(plan.adapters):
            self.add("Physical Disk", f"vmhba{a}", "#Adapter Q Depth")
            self.add("Physical Disk Adapter", f"vmhba{a}", ADAPTER)
            for k in self.by_adapter:
                if self.paths[k][1] == a:
                    self.add("Physical Disk", f"vmhba{a}:{labels[k]}", f"#Adapter Q Depth|{ADAPTER}")
        chosen = np.array([vm.device for vm in self.vms], int)
        self.device_of_vm = np.where(chosen < 0, np.arange(len(self.vms)), chosen) % len(plan.devices)
        for d, device in enumerate(plan.devices):
            self.add("Physical Disk SCSI Device", device, DEVICE)
            for k, (owner, _) in enumerate(self.paths):
                if owner == d:
                    self.add("Physical Disk Path", labels[k], ADAPTER)
            for number in np.flatnonzero(self.device_of_vm == d):
                self.add("Physical Disk Per-Device-Per-World", f"{device}-{self.leaders[number]}", DEVICE_WORLD)
            self.add("Physical Disk Partition", f"{device}-1", PARTITION)
        for vm in self.vms:
            self.add("Virtual Disk", vm.name, VIRTUAL_DISK)
            for i in range(vm.disks):
                self.add("Virtual Disk", f"{vm.name}:scsi0:{i}", VIRTUAL_DISK)

    def _network(self) -> None:
        clients = port_clients(self.plan)
        switches = ["vSwitch0"] * (len(clients) - len(self.vms)) + [vm.switch for vm in self.vms]
        for switch, (port, client) in zip(switches, clients, strict=True):
            self.add("Network Port", f"{switch}:{port}:{client}", PORT)

    def _interrupts(self) -> None:
        """Cookie after cookie, totals then one column per PCPU, cut where the plan says."""
        room = self.plan.interrupt_columns
        counters = ("Interrupts/second", "Processing Time MicroSec/Interrupt")
        self.cookies = -(-room // (2 + 2 * self.plan.pcpus))
        for cookie in range(self.cookies):
            wanted = [(f"{cookie:#x}", counter) for counter in counters]
            wanted += [(f"{cookie:#x}:CPU{cpu}", c) for c in counters for cpu in range(self.plan.pcpus)]
            for instance, counter in wanted[:room]:
                self.add("Interrupt Cookie", instance, counter)
            room -= len(wanted)
