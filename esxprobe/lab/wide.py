"""Hosts of any width, for benches: so many columns, in the proportions of real captures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from esxprobe.lab.csv_rows import header_columns
from esxprobe.lab.plan import ALL_POWER_STATES, USER_GROUPS, HostPlan, VmPlan


def plan_of_width(columns: int, samples: int, seed: int = 1) -> HostPlan:
    """A host of exactly `columns` value columns, in the proportions of real ones.

    112 PCPUs, 25 user world groups and about 120 VMs at 60,000 columns; some VMs are short of something.
    Interrupt cookies, a tenth of a real capture, make up the rest to the exact width.

    Raises:
        ValueError: a host with one VM is already wider.
    """
    rng = np.random.default_rng([seed, columns])
    pcpus = min((2, 4, 8, 16, 24, 32, 48, 64, 96, 112, 128, 192, 256), key=lambda n: abs(n - columns / 536))
    scale = min(1.0, columns / 30_000)
    tail = USER_GROUPS[-3:]
    empty = HostPlan(
        host="esx-wide.example.com",
        pcpus=pcpus,
        vms=(),
        devices=tuple(f"naa.600508b1001c{seed:08x}{i:012x}" for i in range(max(1, columns // 8000))),
        paths_per_device=4 if columns > 20_000 else 2,
        user_groups=(*USER_GROUPS[: int(scale * (len(USER_GROUPS) - 3))], *tail),
        system_worlds=max(2, int(30 * scale)),
        helper_worlds=max(2, int(24 * scale)),
        power_states=ALL_POWER_STATES[:3],
        hyperthreads=True,
        numa_nodes=2 if pcpus > 16 else 1,
        frequency_factor=0.86,
        seed=seed,
        samples=samples,
    )
    budget = columns - len(header_columns(empty)) - columns // 10
    draws: list[tuple[int, int, float]] = []  # vCPUs, memory, load
    while True:
        vcpus = int(rng.choice((1, 2, 4, 8, 16), p=(0.55, 0.28, 0.11, 0.04, 0.02)))
        budget -= 24 * (7 + vcpus) + 26 + 47 + 34 + 2 * 10 + 16  # worlds, group, memory, device, disk, port
        if draws and budget < 0:
            break
        memory_mb = 1024 * int(rng.choice((2, 4, 8, 16))) * (1 + vcpus // 4)
        draws.append((vcpus, memory_mb, 5 + 40 * float(rng.random()) ** 2))
    share = min(1.0, 65 * pcpus / sum(vcpus * load_pct for vcpus, _, load_pct in draws))
    vms = [
        VmPlan(
            *(f"vm{i:03}", 2_000_000 + 97 * i, vcpus, memory_mb, round(load_pct * share, 1)),
            **_trouble(i, memory_mb, samples),
        )
        for i, (vcpus, memory_mb, load_pct) in enumerate(draws)
    ]
    memory_mb = 16_384 * (1 + sum(vm.memory_mb for vm in vms) // 16_384)
    full = replace(empty, vms=tuple(vms), memory_mb=memory_mb)
    rest = columns - len(header_columns(full))
    if rest < 0:
        raise ValueError(f"the smallest host has {columns - rest} columns, {columns} were asked for")
    return replace(full, interrupt_columns=rest)


def _trouble(index: int, memory_mb: int, samples: int) -> dict[str, Any]:
    """Every now and then a VM is short of something, in the middle third or always."""

    def middle(value: float, otherwise: float = 0.0) -> Callable[[float], float]:
        return lambda i: value if samples <= 3 * i < 2 * samples else otherwise

    troubles: dict[int, dict[str, Any]] = {
        3: {"ready_pct": middle(14.0, 0.4), "costop_pct": middle(4.5)},
        11: {"max_limited_pct": 12.0, "limit_mhz": 1800},
        # The host has memory enough: only a limit takes it from these two.
        19: {"balloon_mb": 0.2 * memory_mb, "memory_limit_mb": memory_mb * 6 // 10},
        27: {
            "swapped_mb": 0.1 * memory_mb,
            "swap_read_mb_s": middle(2.0),
            "swap_wait_pct": middle(7.0),
            "memory_limit_mb": memory_mb * 7 // 10,
        },
    }
    return troubles.get(index % 40, {})
