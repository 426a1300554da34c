"""The stories that the lab tells: what each simulated host is, and what happens on it."""

from __future__ import annotations

import numpy as np

from esxprobe.lab.plan import HostPlan, VmPlan, over, steps


def demo_plan() -> HostPlan:
    """Fifteen minutes of a small host that runs short for a while; `samples/README.md` tells the story."""
    crowded = steps((0, 0.4), (5, 1.8), (11, 0.4))  # what the neighbours of sql01 feel of it
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
