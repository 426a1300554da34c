"""A lab with real guests, user-mode-linux kernels or processes of this machine, under a simulated host.

    with RealLab([RealGuest("web01", load=LoadPlan("anti", faults_s=2000, kernel_pct=20))], folder) as lab:
        with lab.loads() as truths:
            ...                             # collect lab.hosts[...] in real time
        truths["web01"].wall_us             # cost of a fault during the capture, as the guest timed it

It shows the mechanism of a software MMU with real faults, real scheduling and real clocks. It does not show what a
fault costs on ESX: user-mode-linux needs several process switches for each fault.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from esxprobe.lab.lab import LabGuest, LabHost, guest_alias
from esxprobe.lab.plan import HostPlan, Mmu, VmPlan
from esxprobe.lab.real.channels import GuestShell
from esxprobe.lab.real.cputime import pcpu_times
from esxprobe.lab.real.groundtruth import GroundTruth, RunningLoad
from esxprobe.lab.real.guests import Layer, RealGuest, RunningGuest
from esxprobe.lab.real.host import RealHostMachine
from esxprobe.lab.real.model import REST
from esxprobe.lab.real.procfiles import ProcFiles
from esxprobe.lab.servers import Servers

_FIRST_GID = 1_205_000
_LOOK_S = 0.1
_MMU: dict[Layer, Mmu] = {"uml": "software", "native": "hardware"}


class RealClock:
    """Real time, with the interface of the lab's clock."""

    def now(self) -> float:
        """The time [s since 1970]."""
        return time.time()

    def wait_until(self, moment: float, gone: Callable[[], bool]) -> bool:
        """Waits until a moment [s since 1970]. Gives False as soon as `gone` gives True."""
        end = time.monotonic() + moment - time.time()
        while not gone():
            left = end - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, _LOOK_S))
        return False

    def hurry(self) -> AbstractContextManager[None]:
        """Does nothing: real time cannot run faster."""
        return nullcontext()


class RealLab:
    """A host with real guests. `close`, or the end of a `with`, ends all of their processes.

    Args:
        guests: They need different names.
        folder: An existing folder for key, known_hosts and ssh_config.
        host: Name of the host.
        clock_ahead_s: How far the host's clock is ahead [s].

    Attributes:
        hosts: The one host, by its name.
        running: The guests, by the name of their VM.

    Raises:
        RealLayerError: A guest cannot run on this machine, or did not start.
    """

    def __init__(
        self,
        guests: Sequence[RealGuest],
        folder: Path,
        *,
        host: str = "esx-real.example.com",
        clock_ahead_s: float = 0.0,
    ) -> None:
        self.clock = RealClock()
        self.running: dict[str, RunningGuest] = {}
        self.hosts: dict[str, LabHost] = {}
        self._stack = contextlib.ExitStack()
        try:
            self._boot(guests)
            self._servers = Servers(folder)
            self._stack.callback(self._servers.close)
            self.key_file, self.ssh_config = self._servers.key_file, self._servers.ssh_config
            self.hosts[host] = self._host(host_plan(guests, host, clock_ahead_s))
            self._servers.write_files()
        except BaseException:
            self.close()
            raise

    def _boot(self, guests: Sequence[RealGuest]) -> None:
        """Starts all guests, then waits until all of them accept commands."""
        # not in the given folder, because its path may be too long for a Unix socket
        own = self._stack.enter_context(_temporary_folder())
        cpus = sorted(os.sched_getaffinity(0))
        for number, guest in enumerate(guests):
            folder = own / str(number)
            folder.mkdir()
            files = ProcFiles(folder) if guest.layer == "native" else None
            if files is not None:
                self._stack.callback(files.close)
            cpu = cpus[number % len(cpus)] if guest.pinned else None
            running = RunningGuest(guest, folder, cpu, replace=files.paths if files else None)
            self._stack.callback(running.close)
            self.running[guest.name] = running
            if files is not None:
                files.describe(running.cpu_time)
        for running in self.running.values():
            running.await_boot()

    def _host(self, plan: HostPlan) -> LabHost:
        machine = RealHostMachine(plan, self.clock, [self.running[vm.name].cpu_time for vm in plan.vms])
        server = self._servers.serve(plan.host, machine, "root")
        guests = {}
        for vm in plan.vms:
            alias, shell = guest_alias(plan, vm), GuestShell(self.running[vm.name].channels)
            guests[vm.name] = LabGuest(vm, f"root@{alias}", shell, self._servers.serve(alias, shell, "root"))
        return LabHost(plan, f"root@{plan.host}", machine, server, guests)

    @contextmanager
    def loads(self) -> Iterator[dict[str, GroundTruth]]:
        """Runs the workloads of all guests during a `with`.

        Gives a dictionary that is filled at the end of the `with`, by VM name.

        Raises:
            RealLayerError: A workload failed.
        """
        truths: dict[str, GroundTruth] = {}
        with contextlib.ExitStack() as stack:
            loads = {}
            for name, guest in self.running.items():
                loads[name] = RunningLoad(guest)
                stack.callback(loads[name].close)
            for load in loads.values():  # before any load starts, so that none disturbs the measurement
                load.measure()
            for load in loads.values():
                load.begin()
            yield truths
            for load in loads.values():
                load.pause()
            truths.update({name: load.ground_truth() for name, load in loads.items()})

    def close(self) -> None:
        """Ends guests and servers. Can be called twice."""
        self._stack.close()

    def __enter__(self) -> RealLab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Not `TemporaryDirectory`: a supervisor may remove the folder first."""
    folder = Path(tempfile.mkdtemp(prefix="esxprobe-real-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def host_plan(guests: Sequence[RealGuest], host: str, clock_ahead_s: float) -> HostPlan:
    """A host with these guests and as many PCPUs and as much memory as this machine.

    Args:
        guests: One VM each, in this order of group IDs.
        host: Name of the host.
        clock_ahead_s: How far its clock is ahead [s].
    """
    vms = tuple(
        VmPlan(guest.name, _FIRST_GID + 17 * number, 1, guest.memory_mb, mmu=_MMU[guest.layer])
        for number, guest in enumerate(guests)
    )
    pcpus = len(pcpu_times())
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return HostPlan(
        host=host,
        pcpus=pcpus,
        vms=vms,
        devices=("naa.600a098038303053453f463031733451",),
        user_groups=(("init", 1), ("hostd", 3), (REST, pcpus), ("sshd", 1), ("sh", 1), ("esxtop", 1)),
        system_worlds=4,
        helper_worlds=2,
        interrupt_columns=2 * (2 + 2 * pcpus),
        power_states=("%C-State C0", "%C-State C1"),
        memory_mb=memory_bytes >> 20,
        frequency_factor=1.0,
        start=datetime.fromtimestamp(time.time() + clock_ahead_s, UTC),
        clock_ahead_s=clock_ahead_s,
    )
