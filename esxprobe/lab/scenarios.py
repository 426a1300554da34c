"""The stories that the lab tells: what each simulated host is, and what happens on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from esxprobe.lab.log_files import path_fails
from esxprobe.lab.plan import USER_GROUPS, DevicePlan, GuestPlan, HostPlan, Knob, Mmu, VmPlan, over, steps

# A Java application that has touched its memory long ago: hundreds to a few thousand faults a second.
INTRANET = GuestPlan(
    soft_faults_s=900,
    hard_faults_s=0.4,
    user_pct=34,
    switches_s=700,
    wander=0.45,
    bursts_per_min=0.8,
    burst_factor=2.2,
    clock_ahead_s=-1.83,
    seed=11,
)
# A web server that starts a process for every request, which faults its memory in anew each time.
CGI = GuestPlan(
    soft_faults_s=26_000,
    hard_faults_s=0.1,
    user_pct=50,
    switches_s=2_400,
    wander=0.3,
    bursts_per_min=1.0,
    burst_factor=1.7,
    clock_ahead_s=41.6,
    seed=12,
)
PRINT_SERVER = GuestPlan(
    soft_faults_s=1_500,
    hard_faults_s=0.8,
    user_pct=9,
    switches_s=500,
    system="windows",
    clock_ahead_s=0.6,
    utc_offset_min=60,
    seed=13,
)
GUESTS = ("intranet", "cgi01")  # the two that the story is about


def demo_plan() -> HostPlan:
    """Fifteen minutes of a small host that runs short for a while; `samples/README.md` tells the story."""
    crowded = steps((0, 0.4), (5, 1.8), (11, 0.4))  # what the neighbors of sql01 feel of it
    vms = (
        VmPlan(
            *("web01", 1_181_022, 8, 16_384, over((0, 20), (4.5, 20), (5, 38), (11, 38), (11.5, 20))),
            ready_pct=crowded,
            iops=60,
        ),
        VmPlan("web02", 1_181_349, 2, 8_192, vcpu_loads_pct=(97, 14), iops=40),
        VmPlan(
            *("sql01", 1_190_417, 8, 32_768, over((0, 45), (5, 46), (5.1, 60), (11, 60), (11.1, 46))),
            ready_pct=steps((0, 0.6), (5, 15), (11, 0.6)),
            costop_pct=steps((0, 0.1), (5, 5), (11, 0.1)),
            granted_pct=over((0, 72), (5, 72), (6.5, 94), (11, 94), (12.5, 74)),
            disks=3,
            iops=420,
        ),
        VmPlan(
            *("mail", 1_193_860, 4, 12_288, 25, (), crowded),
            balloon_mb=over((0, 0), (6, 0), (7.5, 1228.8), (12, 1228.8), (14, 0)),
            swapped_mb=over((0, 0), (6, 0), (7, 300)),
            swap_read_mb_s=steps((0, 0), (7, 1.5), (8, 2.4), (8.5, 1.8), (9, 0)),
            swap_write_mb_s=steps((0, 0), (6, 5), (7, 1.9), (9, 0)),
            swap_wait_pct=steps((0, 0), (7, 7.5), (9, 0)),
            disks=2,
            iops=120,
        ),
        VmPlan(
            *("build-runner", 1_201_733, 4, 16_384, 60),
            max_limited_pct=lambda i: 13.4 + 3.1 * float(np.sin(i / 9)),
            limit_mhz=6900,
            iops=150,
        ),
        VmPlan("Accounts, year end", 1_207_118, 2, 8_192, 15, ready_pct=crowded),
        VmPlan("Büro, Druck (alt)", 1_207_455, 2, 4_096, 9, ready_pct=crowded, iops=12),
        VmPlan("app-test", 1_212_900, 2, 4_096, 12, ready_pct=crowded),
        VmPlan("app-test", 1_213_642, 2, 4_096, 11, ready_pct=crowded),  # a clone that kept the name
    )
    return HostPlan(
        host="esx01.example.com",
        pcpus=16,
        vms=vms,
        devices=tuple(f"naa.600a098038303053453f46303173344{i}" for i in (1, 2)),
        system_worlds=20,
        helper_worlds=12,
        interrupt_columns=12 * (2 + 2 * 16),
        numa_nodes=2,
        memory_mb=98_304,
        memory_state=steps((0, 0), (6, 1), (7.5, 2), (9.5, 1), (12, 0)),
        seed=20260326,
        samples=181,
    )


def path_plan() -> HostPlan:
    """Ten minutes of a host: a path of a busy device fails in the fourth minute and comes back in the ninth.

    Its logs say so: what was seen in the numbers has its reason beside it.
    """
    device = "naa.600a098038303053453f463031733450"
    return HostPlan(
        host="esx07.example.com",
        pcpus=16,
        vms=(
            VmPlan("web01", 1_181_022, 2, 8_192, 22, iops=60),
            VmPlan("db01", 1_190_417, 4, 16_384, 30, iops=1900, device=0),
        ),
        devices=(device,),
        device_plans=(DevicePlan(path_shares=(1, steps((0, 1), (3, 0), (8, 1)))),),
        memory_mb=98_304,
        seed=7,
        samples=121,
        logged=path_fails(3, 8, "vmhba1:C0:T1:L0", device, "gold pool"),
    )


def _guests(mmu: Mmu, crowded: Knob) -> tuple[VmPlan, ...]:
    """The VMs whose guests let us in: the same on either host, but for what their page tables cost."""
    plans = (
        VmPlan("intranet", 1_204_117, 2, 4_096, iops=35, guest=INTRANET),
        VmPlan("cgi01", 1_204_630, 2, 2_048, iops=50, guest=CGI),
        VmPlan("print srv (Büro)", 1_205_009, 1, 2_048, iops=8, guest=PRINT_SERVER),
    )
    return tuple(replace(plan, mmu=mmu, ready_pct=crowded) for plan in plans)


def software_plan() -> HostPlan:
    """An ESX 4.1 whose processors have VT-x and no EPT: every VM runs with shadow page tables.

    `intranet` takes some 1,000 soft faults a second, `cgi01` some 30,000. Each costs the guest's own handler 0.5 µs
    and the monitor 2.5 µs more: 0.3 % of a vCPU here, 9 % there on average. The monitor's share
    is in %RUN of the vCPUs, and in no counter of its own. A context switch costs 0.8 µs and 1.5 µs more.

    Elsewhere on the host: `sql-legacy` waits for PCPUs while `backup` is busy (minutes 4 to 8), `mail` is
    ballooned and swaps (from minute 6 on), and the device of `backup` and the print server answers 45 ms later than
    usual (minutes 10 to 12).
    """
    crowded = steps((0, 0.4), (4, 1.6), (8, 0.4))
    others = (
        VmPlan(
            *("sql-legacy", 1_205_533, 4, 8_192, over((0, 50), (4, 52), (4.1, 66), (8, 66), (8.1, 50))),
            ready_pct=steps((0, 0.6), (4, 14), (8, 0.6)),
            costop_pct=steps((0, 0.1), (4, 4.2), (8, 0.1)),
            disks=2,
            iops=260,
        ),
        VmPlan(
            *("mail", 1_206_044, 2, 4_096, 22, (), crowded),
            balloon_mb=over((0, 0), (6, 0), (7.5, 614), (12, 614), (14, 0)),
            swapped_mb=over((0, 0), (6, 0), (7, 160)),
            swap_read_mb_s=steps((0, 0), (7, 1.4), (9, 0)),
            swap_write_mb_s=steps((0, 0), (6, 2.7), (7, 1.0), (9, 0)),
            swap_wait_pct=steps((0, 0), (7, 7), (9, 0)),
            iops=90,
        ),
        VmPlan(
            *("backup", 1_206_555, 4, 4_096, over((0, 9), (4, 9), (4.1, 72), (8, 72), (8.2, 9))),
            ready_pct=crowded,
            iops=180,
        ),
    )
    return HostPlan(
        host="esx-old.example.com",
        pcpus=8,
        vms=(*_guests("software", crowded), *(replace(vm, mmu="software") for vm in others)),
        devices=tuple(f"naa.600a0b80001111550000f35b93e19ab{i}" for i in (3, 4, 5)),
        extra_latency_ms=(0.0, 0.0, steps((0, 0), (10, 45), (12, 0))),
        user_groups=_FEW_USER_GROUPS,
        system_worlds=10,
        helper_worlds=6,
        interrupt_columns=6 * (2 + 2 * 8),
        power_states=("%C-State C0", "%C-State C1"),
        memory_mb=24_576,
        memory_state=steps((0, 0), (6, 1), (7.5, 2), (9.5, 1), (12, 0)),
        frequency_factor=1.0,
        seed=20260123,
        samples=181,
        start=datetime(2026, 1, 23, 9, 30, tzinfo=UTC),
        clock_ahead_s=3.4,
        release="4.1",
    )


def hardware_plan() -> HostPlan:
    """The same guests on an ESXi 8.0 with EPT: faults cost what they cost on bare metal, 0.5 µs each.

    `intranet` and `cgi01` do what they do on the old host, second by second. `cgi01` still takes tens of thousands
    of soft faults a second; they cost it 1.5 % of a vCPU on average, all of it its own handler. The other VMs are
    healthy.
    """
    others = (
        VmPlan("sql02", 1_211_204, 4, 16_384, 42, disks=2, iops=300),
        VmPlan("mail02", 1_211_870, 4, 12_288, 24, iops=110),
    )
    return HostPlan(
        host="esx-new.example.com",
        pcpus=16,
        vms=(*_guests("hardware", 0.4), *others),
        devices=tuple(f"naa.600a098038303053453f46303173344{i}" for i in (7, 8)),
        user_groups=_FEW_USER_GROUPS,
        system_worlds=10,
        helper_worlds=6,
        interrupt_columns=4 * (2 + 2 * 16),
        power_states=("%C-State C0", "%C-State C1"),
        hyperthreads=True,
        numa_nodes=2,
        memory_mb=65_536,
        frequency_factor=1.08,
        seed=20260310,
        samples=181,
        start=datetime(2026, 3, 10, 9, 30, tzinfo=UTC),
        clock_ahead_s=-0.7,
    )


_FEW_USER_GROUPS = (("init", 1), ("hostd", 5), ("vpxa", 3), *USER_GROUPS[-3:])
SCENARIOS = {"software": software_plan, "hardware": hardware_plan}
