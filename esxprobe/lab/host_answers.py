"""What a simulated host says of itself: releases, hardware, its VMs and their logs.

The texts have the shape of real answers. The older host is an ESX 4.1 on processors whose VT-x came without EPT; it
answers the questions of today's esxcli, too, which a real one of that age would not, so that one lab can ask
both hosts the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from esxprobe.lab.layout import GroupRow, port_clients, world_groups
from esxprobe.lab.plan import HostPlan, VmPlan

_CPUS = {
    "4.1": ("Intel(R) Xeon(R) CPU           X5365  @ 3.00GHz", 3_000_121_000, 4),
    "8.0": ("Intel(R) Xeon(R) Gold 5218 CPU @ 2.30GHz", 2_294_609_000, 8),
}
_VERSIONS = {
    "4.1": "VMware ESX 4.1.0 build-260247\nVMware ESX 4.1.0 GA\n",
    "8.0": "VMware ESXi 8.0.3 build-24022510\nVMware ESXi 8.0 Update 3\n",
}
_STORE = "5f3c1a2b-0a1b2c3d-4e5f-001122334455"
SECTIONS = ("SchedGroup", "Adapter", "Device", "NetPort", "InterruptCookie")
_UPTIME_S = {"4.1": 61 * 86_400 + 7_431, "8.0": 23 * 86_400 + 52_817}


@dataclass(frozen=True)
class RunningVm:
    """A VM as `esxcli vm process list` shows it: its plan, its group, its world and where its files lie."""

    plan: VmPlan
    group: GroupRow

    @property
    def world_id(self) -> int:
        """Id of the leader world, which ports and devices carry."""
        return self.group.worlds[0].wid + 1

    @property
    def folder(self) -> str:
        """Where its files lie: two VMs of one name have two folders."""
        return f"/vmfs/volumes/{_STORE}/{self.plan.name.replace('/', '_')}-{self.group.gid}"

    @property
    def config_file(self) -> str:
        """Path of its vmx."""
        return f"{self.folder}/{self.plan.name.replace('/', '_')}.vmx"


class HostAnswers:
    """Everything that a host can be asked about itself."""

    def __init__(self, plan: HostPlan) -> None:
        self.plan = plan
        by_gid = {group.gid: group for group in world_groups(plan)}
        self.vms = [RunningVm(vm, by_gid[vm.gid]) for vm in sorted(plan.vms, key=lambda vm: vm.gid)]

    def version(self) -> str:
        """`vmware -vl`."""
        return _VERSIONS[self.plan.release]

    def cpu(self) -> str:
        """`esxcli hardware cpu global get`."""
        plan, (_, _, cores) = self.plan, _CPUS[self.plan.release]
        threads = 2 if plan.hyperthreads else 1
        pairs = {
            "CPU Packages": max(plan.pcpus // threads // cores, 1),
            "CPU Cores": plan.pcpus // threads,
            "CPU Threads": plan.pcpus,
            "Hyperthreading Active": str(plan.hyperthreads).lower(),
            "Hyperthreading Supported": str(plan.hyperthreads).lower(),
            "Hyperthreading Enabled": str(plan.hyperthreads).lower(),
            "HV Support": 3,
        }
        return _pairs(pairs)

    def hardware(self) -> str:
        """`vim-cmd hostsvc/hosthardware`, its CPU part."""
        name, hz, _ = _CPUS[self.plan.release]
        return (
            "(vim.host.HardwareInfo) {\n   cpuInfo = (vim.host.CpuInfo) {\n"
            f"      numCpuThreads = {self.plan.pcpus}, \n      hz = {hz}\n   }}, \n"
            "   cpuPkg = (vim.host.CpuPackage) [\n      (vim.host.CpuPackage) {\n         index = 0, \n"
            f'         vendor = "intel", \n         hz = {hz}, \n         description = "{name}", \n'
            "      }\n   ], \n}\n"
        )

    def memory(self) -> str:
        """`esxcli hardware memory get`."""
        size = self.plan.memory_mb * 1024 * 1024
        return _pairs(
            {
                "Physical Memory": f"{size} Bytes",
                "Reliable Memory": "0 Bytes",
                "NUMA Node Count": self.plan.numa_nodes,
            }
        )

    def power(self) -> str:
        """`esxcli system settings advanced list -o /Power/CpuPolicy`."""
        policy = "static" if self.plan.release == "4.1" else "Balanced"
        return _pairs({"Path": "/Power/CpuPolicy", "Type": "string", "String Value": policy})

    def uptime(self) -> str:
        """`esxcli system stats uptime get` [us]."""
        return f"{_UPTIME_S[self.plan.release] * 1_000_000}\n"

    def processes(self) -> str:
        """`esxcli vm process list`."""
        blocks = []
        for vm in self.vms:
            digest = hashlib.sha256(vm.config_file.encode()).hexdigest()
            uuid = " ".join(digest[i : i + 2] for i in range(0, 16, 2))
            pairs = {
                "World ID": vm.world_id,
                "Process ID": 0,
                "VMX Cartel ID": vm.group.worlds[0].wid,
                "UUID": f"{uuid}-{' '.join(digest[i : i + 2] for i in range(16, 32, 2))}",
                "Display Name": vm.plan.name,
                "Config File": vm.config_file,
            }
            blocks.append(f"{vm.plan.name}\n{_pairs(pairs)}")
        return "\n".join(blocks)

    def datastores(self) -> str:
        """`esxcli storage filesystem list`."""
        kind = "VMFS-3" if self.plan.release == "4.1" else "VMFS-6"
        mount = f"/vmfs/volumes/{_STORE}"
        columns = ("Mount Point", "Volume Name", "UUID", "Mounted", "Type", "Size", "Free")
        row = (mount, "lab-store-01", _STORE, "true", kind, "1099243192320", "623748186112")
        widths = [max(len(name), len(cell)) for name, cell in zip(columns, row, strict=True)]
        lines = [columns, tuple("-" * width for width in widths), row]
        return "".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + "\n" for line in lines)

    def devices(self) -> str:
        """`esxcli storage core device list`."""
        return "\n".join(
            f"{name}\n{_pairs({'Display Name': f'Lab Disk ({name})', 'Is SSD': 'false', 'Is Local': 'false'})}"
            for name in self.plan.devices
        )

    def paths(self) -> str:
        """`esxcli storage core path list`."""
        plan = self.plan
        return "\n".join(
            f"{adapter}-fc-{target}-{name}\n"
            + _pairs(
                {
                    "Runtime Name": f"{adapter}:C0:T{target}:L{lun}",
                    "Device": name,
                    "Adapter": adapter,
                    "State": "active",
                    "Transport": "fc",
                }
            )
            for lun, name in enumerate(plan.devices)
            for target in range(plan.paths_per_device)
            for adapter in [f"vmhba{target % plan.adapters}"]
        )

    def nic_stats(self) -> str:
        """`esxcli network nic stats get`, for every adapter."""
        return "".join(
            f"NIC statistics for vmnic{n}\n"
            + _pairs(
                {
                    "Packets received": 812_300_000 + 7_919 * n,
                    "Packets sent": 640_100_000 + 6_007 * n,
                    "Receive packets dropped": 0,
                    "Total receive errors": 0,
                    "Receive CRC errors": 0,
                    "Total transmit errors": 0,
                }
            )
            for n in range(self.plan.uplinks)
        )

    def vmx(self, vm: RunningVm) -> list[str]:
        """Lines of a VM's vmx."""
        level = "7" if self.plan.release == "4.1" else "21"
        settings = {
            "displayName": vm.plan.name,
            "virtualHW.version": level,
            "memSize": str(vm.plan.memory_mb),
            "numvcpus": str(vm.plan.vcpus),
            "ethernet0.virtualDev": "vmxnet3",
            "vcpu.hotadd": "FALSE",
            "guestOS": "windows2019srv-64"
            if vm.plan.guest and vm.plan.guest.system == "windows"
            else "other26xlinux",
        }
        return [f'{name} = "{text}"' for name, text in settings.items()]

    def log(self, vm: RunningVm) -> list[str]:
        """Lines of a VM's vmware.log about its monitor, in the words of the release."""
        software = vm.plan.mmu == "software"
        if self.plan.release == "4.1":
            modes = "BT" if software else "HWMMU HV BT"
            execution = "software" if software else "hardware"
            texts: tuple[str, ...] = (
                "Log for VMware ESX pid=5312 version=4.1.0 build=build-260247 option=Release",
                f"MONITOR MODE: allowed modes          : {'BT HV' if software else 'BT HV HWMMU'}",
                "MONITOR MODE: user requested modes   : BT HV HWMMU",
                f"MONITOR MODE: guestOS preferred modes: {'BT HWMMU HV' if software else 'HWMMU HV BT'}",
                f"MONITOR MODE: filtered list          : {modes}",
                f"HV Settings: virtual exec = '{execution}'; virtual mmu = '{execution}'",
            )
            return [f"Jan 22 09:14:{7 + i:02}.{i * 41 + 112:03}: vmx| {text}" for i, text in enumerate(texts)]
        modules = ("hv-vt.vmm", "gphys-sw.vmm" if software else "gphys-ept.vmm")
        texts = (
            "Log for VMware ESX version=8.0.3 build=24022510",
            "Monitor Mode: CPL0",
            *(f"    {m}" for m in modules),
        )
        return [f"2026-03-09T09:14:35.{i * 5 + 175:03}Z In(05) vmx {text}" for i, text in enumerate(texts)]

    def entities(self) -> str:
        """The file that `esxtop -export-entity` writes: sections of what can be shown, an id and a name a line."""
        plan = self.plan
        groups = "".join(f"{group.gid} {group.name}\n" for group in world_groups(plan))
        adapters = "".join(f"vmhba{a}\n" for a in range(plan.adapters))
        devices = "".join(f"{device}\n" for device in plan.devices)
        ports = "".join(f"{port} {client}\n" for port, client in port_clients(plan))
        return f"SchedGroup\n{groups}Adapter\n{adapters}Device\n{devices}NetPort\n{ports}InterruptCookie\n"

    def worlds(self) -> Iterator[str]:
        """Lines of `ps -c`: worlds of the kernel's user space, one of each VM."""
        yield "WID      CID      World Name            Command"
        for vm in self.vms:
            wid = vm.group.worlds[0].wid
            yield f"{wid}  {wid}  vmx                   /bin/vmx -s sched.group=host/user {vm.config_file}"
        yield "66201  66201  sshd                  /usr/sbin/sshd -i"


def _pairs(pairs: dict[str, object]) -> str:
    return "".join(f"   {name}: {content}\n" for name, content in pairs.items())


def chosen_groups(text: str) -> frozenset[int]:
    """The group ids of an entity file: the numbers that begin the lines of its section `SchedGroup`."""
    gids, wanted = set(), False
    for line in text.splitlines():
        first = line.partition(" ")[0]
        if line in SECTIONS:
            wanted = line == "SchedGroup"
        elif wanted and first.isdigit():
            gids.add(int(first))
    return frozenset(gids)
