"""What a simulated host is and what happens on it: plans, and knobs that turn while time passes.

A knob of a plan is a number or a function of the sample's index. The same plan gives the same numbers always:
what a stream says depends on the plan, its seed and the number of the sample, never on the time of day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from esxprobe.arrays import Matrix

Knob = float | Callable[[float], float]
Mmu = Literal["hardware", "software"]

ALL_POWER_STATES = tuple(
    f"%{kind}-State {kind}{i}" for kind, count in (("C", 4), ("P", 16), ("T", 8)) for i in range(count)
)
USER_GROUPS = (
    *(("init", 1), ("vmsyslogd", 3), ("sh", 1), ("vmkeventd", 1), ("vmkdevmgr", 1), ("net-lacp", 3)),
    *(("dhclient-uw", 1), ("nfsgssd", 1), ("busybox", 1), ("swapobjd", 1), ("vmware-usbarbitrator", 1)),
    *(
        ("net-lbt", 1),
        ("sdrsInjector", 1),
        ("rhttpproxy", 6),
        ("hostd", 9),
        ("storageRM", 1),
        ("hostdCgiServer", 3),
    ),
    *(("nscd", 2), ("smartd", 1), ("vpxa", 7), ("slpd", 1), ("dcui", 2)),
    *(("sshd", 1), ("sh", 1), ("esxtop", 1)),  # started last, for the capture itself
)


@dataclass(frozen=True)
class GuestPlan:
    """What runs inside a VM, and what its page faults and context switches cost.

    All of it takes CPU time that the VM's vCPUs show in %RUN; then `VmPlan.load_pct` is not asked. The costs
    named `vmm` are paid under a software MMU only; the guest cannot tell them from time in its own kernel.

    The two costs of a fault are knobs of the story, of the size that published measurements make plausible; a
    native handler of 0.5 us and 1 to 3 us more for a shadow pager are rules of thumb.
    """

    soft_faults_s: Knob  # mean rate [1/s]
    hard_faults_s: Knob = 0.0  # mean rate [1/s]
    user_pct: Knob = 30.0  # of one vCPU, over all vCPUs [%]
    switches_s: Knob = 600.0  # context switches [1/s]
    wander: float = 0.3  # spread of the rates around their means, as a share
    memory_s: float = 20.0  # after so long the wander has forgotten where it was [s]
    bursts_per_min: float = 0.0  # of soft faults
    burst_s: float = 25.0  # mean length of one [s]
    burst_factor: float = 2.0
    kernel_pct: float = 2.0  # of one vCPU: the kernel's other work [%]
    native_us: float = 0.5  # the guest's own handler, a fault [us]
    vmm_us: float = 2.5  # more under a software MMU, a soft or hard fault [us]
    switch_us: float = 0.8  # the guest's own scheduler, a switch [us]
    vmm_switch_us: float = 1.5  # more under a software MMU, a switch [us]
    hard_wait_ms: float = 6.0  # a vCPU waits for the disk, a hard fault [ms]
    system: Literal["linux", "windows"] = "linux"
    clock_ahead_s: float = 0.0  # of the true time [s]
    utc_offset_min: int = 0  # of the zone in which Windows writes its stamps [min]
    seed: int = 1


@dataclass(frozen=True)
class VmPlan:
    """One VM; percentages are per vCPU, so a group shows them times its vCPUs."""

    name: str
    gid: int
    vcpus: int
    memory_mb: int
    load_pct: Knob = 20.0  # mean wanted %RUN
    vcpu_loads_pct: tuple[Knob, ...] = ()  # wanted %RUN of the first vCPUs one by one, steady, instead of load_pct
    ready_pct: Knob = 0.4  # %RDY apart from the limit's share
    first_ready_pct: Knob = 0.0  # more of the first vCPU alone
    max_limited_pct: Knob = 0.0  # %MLMTD; comes on top of ready_pct in %RDY
    costop_pct: Knob = 0.0
    swap_wait_pct: Knob = 0.0
    overlap_pct: Knob = 0.05
    balloon_mb: Knob = 0.0
    swapped_mb: Knob = 0.0
    swap_read_mb_s: Knob = 0.0
    swap_write_mb_s: Knob = 0.0
    granted_pct: Knob = 78.0  # of memory_mb, before balloon and swap take their part
    limit_mhz: int = -1
    disks: int = 1
    iops: float = 30.0
    mmu: Mmu = "hardware"
    guest: GuestPlan | None = None
    system_pct: Knob = 0.0  # more %SYS, all of it charged to the vmx world
    wait_pct: Knob = 0.0  # more %VMWAIT, for neither swap nor idleness
    sibling_busy_pct: Knob = 0.0  # of its running time the core's other logical CPU is busy as well
    wakeups_s: Knob = 0.0  # more Wakeups/sec and Switches/sec [1/s]
    migrates_s: Knob = 0.0  # more Migrates/sec [1/s]
    misread_used_pct: Knob = 0.0  # %USED that was never used: the accounting is wrong
    reservation_mhz: int = 0
    memory_limit_mb: int = -1
    memory_reservation_mb: int = 0
    zipped_mb: Knob = 0.0
    zip_mb_s: Knob = 0.0
    unzip_mb_s: Knob = 0.0
    unzip_wait_pct: Knob = 0.0  # of %VMWAIT and %LAT_M: pages are unzipped
    active_pct: Knob = -1.0  # touched, of memory_mb; by the load while it is negative
    remote_pct: Knob = -1.0  # of granted, on other NUMA nodes; little while it is negative
    numa_moves: Knob = 0.0  # NUMA rebalances a sample
    balloon_driver: bool = True
    overhead_mb: Knob = 0.0  # more than usual
    saved_mb: Knob = 0.0  # more shared with other pages
    copy_on_write_pct: float = 10.0
    helper_pct: Knob = 0.0  # more %RUN of its vmx world
    transmit_pct: Knob = 0.0  # more %RUN of its NetWorld-VM world
    timers_s: Knob = 0.0  # more timers [1/s]
    io_kb: float = -1.0  # a command's size; some 8 to 32 while it is negative
    device: int = -1  # number of the device that its disks are on; the next one in turn when negative
    disk_extra_ms: Knob = 0.0  # a virtual disk's latency on top of its device's [ms]
    switch: str = "vSwitch0"  # that its port is on; the uplinks are on vSwitch0, no other has any
    packets_s: Knob = -1.0  # each way; by its iops while it is negative
    dropped_tx_pct: Knob = 0.0
    dropped_rx_pct: Knob = 0.0
    broadcasts_s: Knob = 0.0  # received, of its packets
    multicasts_s: Knob = 0.0  # received, of its packets


@dataclass(frozen=True)
class DevicePlan:
    """What is unusual about a device; everything per second is shared out to VMs and paths with its commands."""

    extra_ms: Knob = 0.0  # latency on top of its own [ms]
    kernel_ms: Knob = 0.0  # a command waits in the host's queue [ms]; as many are queued as come meanwhile
    path_extra_ms: tuple[Knob, ...] = ()  # of each of its paths, on top [ms]
    path_shares: tuple[Knob, ...] = ()  # of the commands; alike when left out
    aborts_s: Knob = 0.0
    resets_s: Knob = 0.0
    failed_s: Knob = 0.0
    failed_io_s: Knob = 0.0  # reads that fail for good
    conflicts_s: Knob = 0.0  # of SCSI reservations
    faulty_path: int = -1  # where aborts, resets and failures come from; all paths while it is negative
    read_extra_ms: Knob = 0.0
    write_extra_ms: Knob = 0.0
    stalled: Knob = 0.0  # 1: commands that are there do not come back, no others are sent
    queue_depth: Knob = 64.0


@dataclass(frozen=True)
class UplinkPlan:
    """What is unusual about a physical link."""

    up: Knob = 1.0
    mbit_s: int = 10_000
    full_duplex: bool = True
    share: float = 1.0  # of the traffic, in proportion to the other links that are up
    dropped_tx_pct: Knob = 0.0
    dropped_rx_pct: Knob = 0.0


@dataclass(frozen=True)
class BusyGroup:
    """A system group or a user world group that has more to do than usual, all its worlds alike."""

    name: str  # of the group, without its id: system, hostd
    run_pct: Knob = 0.0  # of one PCPU
    ready_pct: Knob = 0.0  # of one world
    limited_pct: Knob = 0.0  # of one world: %MLMTD; comes on top of ready_pct in %RDY
    new_worlds: Knob = 0.0  # that were started since the header was written, and sleep


@dataclass(frozen=True)
class KernelWorld:
    """One more world of the system group, as a network adapter's poll thread."""

    name: str
    run_pct: Knob = 0.0
    ready_pct: Knob = 0.0


@dataclass(frozen=True)
class Alone:
    """A counter that the model leaves at zero and from which nothing else follows, given outright."""

    object_name: str
    counter: str
    value: Knob
    only: str = ""  # regular expression on the instance


@dataclass(frozen=True)
class HostPlan:
    """The host, everything on it, and the capture's length."""

    host: str
    pcpus: int
    vms: tuple[VmPlan, ...]
    devices: tuple[str, ...] = ("naa.600508b1001c0000000000000000000a",)
    adapters: int = 2
    paths_per_device: int = 2
    adapter_queue_depth: int = 4096
    uplinks: int = 2
    user_groups: tuple[tuple[str, int], ...] = USER_GROUPS  # (process name, worlds)
    system_worlds: int = 30
    helper_worlds: int = 24
    interrupt_columns: int = 0  # cookie by cookie, 2 + 2 per PCPU each; the last may be cut short
    power_states: tuple[str, ...] = ALL_POWER_STATES
    hyperthreads: bool = False  # adds % Core Util Time
    numa_nodes: int = 1
    memory_mb: int = 131_072
    memory_state: Knob = 0  # 0 high, 1 clear, 2 soft, 3 hard, 4 low
    frequency_factor: float = 1.03  # %USED per %RUN
    esxtop_run_pct: float = 2.2
    seed: int = 1
    samples: int = 60
    interval_s: int = 5
    start: datetime = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)  # stamp of the first sample
    clock_ahead_s: float = 0.0  # of the true time [s]
    extra_latency_ms: tuple[Knob, ...] = ()  # of each device, on top of its own [ms]
    release: Literal["4.1", "8.0"] = "8.0"
    slowed_pct: Knob = 0.0  # of the time the PCPUs run in P-state `slow_p_state` and not in P0
    slow_p_state: int = 9
    throttled_pct: Knob = 0.0  # of the time the PCPUs are in T4, half as fast
    deep_idle_pct: Knob = 80.0  # of a PCPU's idle time is spent in C2
    storm_pcpu: int = 0  # where `storm_s` interrupts of the first vector go to, each of `storm_us`
    storm_s: Knob = 0.0
    storm_us: float = 12.0
    power_cap_watts: int = 0
    device_plans: tuple[DevicePlan, ...] = ()
    uplink_plans: tuple[UplinkPlan, ...] = ()
    busy_groups: tuple[BusyGroup, ...] = ()
    kernel_worlds: tuple[KernelWorld, ...] = ()
    kernel_mb: Knob = 0.0  # more memory of the vmkernel
    free_mb: Knob = -1.0  # by the memory state while it is negative
    alone: tuple[Alone, ...] = ()
    knob_step: float = 1.0  # by how much a knob's index goes on from sample to sample

    @property
    def true_start(self) -> float:
        """When the first sample is taken [s since 1970]; the host's clock may say something else."""
        return self.start.timestamp() - self.clock_ahead_s


def track(knob: Knob, samples: int, step: float = 1.0) -> Matrix:
    """A knob as one value per sample."""
    if callable(knob):
        return np.array([knob(i * step) for i in range(samples)], float)
    return np.full(samples, float(knob))


def over(*points: tuple[float, float], interval_s: int = 5) -> Callable[[float], float]:
    """A knob that goes straight from point to point of (minute, value)."""
    minutes, values = zip(*points, strict=True)
    return lambda i: float(np.interp(i * interval_s / 60, minutes, values))


def steps(*points: tuple[float, float], interval_s: int = 5) -> Callable[[float], float]:
    """A knob that keeps the value of the last (minute, value) passed."""
    return lambda i: [value for minute, value in points if minute <= i * interval_s / 60][-1]
