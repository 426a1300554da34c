"""A lab: simulated hosts and their guests, each behind an SSH server of its own on loopback, in one time.

    with Lab([software_plan()], folder) as lab:
        host = lab.hosts["esx-old.example.com"]
        open_shell(host.target, Login(config_files=(lab.ssh_config,)))

The folder gets the files of `servers`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from esxprobe.lab.clock import LabClock
from esxprobe.lab.guest import GuestMachine
from esxprobe.lab.host import HostMachine
from esxprobe.lab.machine import Machine
from esxprobe.lab.plan import HostPlan, VmPlan
from esxprobe.lab.server import SshServer
from esxprobe.lab.servers import Servers

LEAD_S = 30.0  # the lab begins so long before the first host's first sample [s]


@dataclass(frozen=True)
class LabGuest:
    """A guest that accepts logins.

    Attributes:
        vm: Its VM.
        target: What to give to an SSH client.
        machine: What runs there.
        server: What it listens with.
    """

    vm: VmPlan
    target: str
    machine: Machine
    server: SshServer


@dataclass(frozen=True)
class LabHost:
    """A host that accepts logins, and its guests by the name of their VM.

    Attributes:
        plan: What it is.
        target: What to give to an SSH client.
        machine: What runs there.
        server: What it listens with.
        guests: Those with a guest plan.
    """

    plan: HostPlan
    target: str
    machine: HostMachine
    server: SshServer
    guests: dict[str, LabGuest]


class Lab:
    """Hosts and guests that are there until `close`, or the end of a `with`.

    Args:
        plans: The hosts; their names have to differ, and so have their guests' names.
        folder: An existing folder for key, known_hosts and ssh_config.
        speed: Lab seconds in a real one while a client waits.
        clock: The time, when it is not to be the lab's own.
    """

    def __init__(
        self, plans: Sequence[HostPlan], folder: Path, *, speed: float = 60.0, clock: LabClock | None = None
    ) -> None:
        self.began = min(plan.true_start for plan in plans) - LEAD_S
        self.clock = clock or LabClock(self.began, speed)
        self.hosts: dict[str, LabHost] = {}
        self._servers = Servers(folder)
        self.password = self._servers.password
        self.key_file, self.ssh_config = self._servers.key_file, self._servers.ssh_config
        try:
            for plan in plans:
                self.hosts[plan.host] = self._host(plan)
            self._servers.write_files()
        except BaseException:
            self.close()
            raise

    def _host(self, plan: HostPlan) -> LabHost:
        machine = HostMachine(plan, self.clock)
        server = self._servers.serve(plan.host, machine, "root")
        guests = {}
        for vm in plan.vms:
            if vm.guest is not None:
                inside = GuestMachine(vm, plan, self.clock, self.began)
                alias = guest_alias(plan, vm)
                user = "Administrator" if vm.guest.system == "windows" else "probe"
                guests[vm.name] = LabGuest(vm, f"{user}@{alias}", inside, self._servers.serve(alias, inside, user))
        return LabHost(plan, f"root@{plan.host}", machine, server, guests)

    def close(self) -> None:
        """Ends all servers; no thread of them is left. Closing twice is fine."""
        self._servers.close()

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def guest_alias(plan: HostPlan, vm: VmPlan) -> str:
    """The name under which a guest is reached: VM names may hold anything, names of hosts may not."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", vm.name).strip("-").lower() or "guest"
    return f"{plain}-{vm.gid}.{plan.host}"
