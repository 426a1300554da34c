"""A made-up ESXi host that writes `esxtop -b -a` captures, for benches, tests and the demo sample.

    python tests/benches/hostsim.py --columns 60000 --samples 300 OUT.csv     a capture of that exact width
    python tests/benches/hostsim.py --sample OUT.csv.gz                       the demo sample, see `demo_plan`

A `HostPlan` says what the host is and what happens on it; a knob of a plan is a number or a function of the
sample index. Objects, counters and instances are those of real captures (`hostsim_layout`), the numbers agree
with each other (`hostsim_values`, `hostsim_devices`), and the same plan always gives the same bytes. Left out
on purpose: cells without quotes (some releases put a nameless one between PCPUs' power states) and the few
counters whose values are text.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np
import zstandard
from hostsim_layout import Layout
from hostsim_values import HostModel

Knob = float | Callable[[int], float]

BLOCK_ROWS = 24
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
class VmPlan:
    """One VM; percentages are per vCPU, so a group shows them times its vCPUs."""

    name: str
    gid: int
    vcpus: int
    memory_mb: int
    load_pct: Knob = 20.0  # mean wanted %RUN
    vcpu_loads_pct: tuple[Knob, ...] = ()  # wanted %RUN of the first vCPUs one by one, steady, instead of load_pct
    ready_pct: Knob = 0.4  # %RDY apart from the limit's share
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


@dataclass(frozen=True)
class HostPlan:
    """The host, everything on it, and the capture's length."""

    host: str
    pcpus: int
    vms: tuple[VmPlan, ...]
    devices: tuple[str, ...] = ("naa.600508b1001c0000000000000000000a",)
    adapters: int = 2
    paths_per_device: int = 2
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
    start: datetime = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)


def header_columns(plan: HostPlan) -> list[str]:
    """The value columns' names, in order, without the stamp column."""
    return Layout(plan).names


def _chunks(texts: list[str], width: int) -> np.ndarray:
    return np.array([text.encode() for text in texts], dtype=f"S{width}").view(f"u{width}")


# A cell is three looked-up pieces: the opening quote and the thousands; the last three whole digits, plain,
# padded after thousands, or negative; hundredths if any, closing quote and separator. NULs are squeezed out.
_THOUSANDS = _chunks(['"', *(f'"{i}' for i in range(1, 100_000))], 8)
_UNITS = _chunks(
    [str(i) for i in range(1000)] + [f"{i:03}" for i in range(1000)] + [str(-i) for i in range(100)], 4
)
_ENDINGS = _chunks([f'{part}"{end}' for end in ",\n" for part in (*(f".{i:02}" for i in range(100)), "")], 8)
_CELL = np.dtype([("thousands", "u8"), ("units", "u4"), ("ending", "u8")])


def _rows(values: np.ndarray, whole: np.ndarray) -> Iterator[bytes]:
    """The cells of each row: integers where `whole` says so, else two decimals."""
    scaled = np.rint(values * np.where(whole, 1, 100)).astype(np.int64)
    negative = whole & (scaled < 0)
    digits = np.maximum(np.where(whole, scaled, scaled // 100), 0)
    thousands, units = np.divmod(digits, 1000)
    ending = np.where(whole, 100, np.maximum(scaled, 0) % 100)
    ending[:, -1] += 101
    cells = np.empty(values.shape, _CELL)
    cells["thousands"] = _THOUSANDS[thousands]
    cells["units"] = _UNITS[np.where(negative, 2000 - scaled, units + 1000 * (thousands > 0))]
    cells["ending"] = _ENDINGS[ending]
    for row in cells:
        yield row.tobytes().translate(None, b"\0")


@contextmanager
def _sink(path: Path) -> Iterator[IO[bytes] | Any]:
    with path.open("wb") as raw:
        if path.suffix == ".gz":  # neither name nor time in its header: the same bytes every time
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as packed:
                yield packed
        elif path.suffix == ".zst":
            with zstandard.ZstdCompressor(level=9).stream_writer(raw, closefd=False) as packed:
                yield packed
        else:
            yield raw


def write_capture(path: Path, plan: HostPlan) -> None:
    """Write the capture; `.gz` and `.zst` are packed on the way."""
    model = HostModel(plan)
    whole = np.array(model.layout.whole)
    with _sink(Path(path)) as out:
        cells = ["(PDH-CSV 4.0) (UTC)(0)", *model.layout.names]
        out.write(('"' + '","'.join(cells) + '"\n').encode())
        for first in range(0, plan.samples, BLOCK_ROWS):
            block = model.block(first, min(first + BLOCK_ROWS, plan.samples))
            for index, row in enumerate(_rows(block, whole), start=first):
                stamp = plan.start + timedelta(seconds=index * plan.interval_s)
                out.write(f'"{stamp:%m/%d/%Y %H:%M:%S}",'.encode() + row)


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

    def middle(value: float, otherwise: float = 0.0) -> Callable[[int], float]:
        return lambda i: value if samples <= 3 * i < 2 * samples else otherwise

    return {
        3: {"ready_pct": middle(14.0, 0.4), "costop_pct": middle(4.5)},
        11: {"max_limited_pct": 12.0, "limit_mhz": 1800},
        19: {"balloon_mb": 0.2 * memory_mb},
        27: {"swapped_mb": 0.1 * memory_mb, "swap_read_mb_s": middle(2.0), "swap_wait_pct": middle(7.0)},
    }.get(index % 40, {})


def over(*points: tuple[float, float], interval_s: int = 5) -> Callable[[int], float]:
    """A knob that goes straight from point to point of (minute, value)."""
    minutes, values = zip(*points, strict=True)
    return lambda i: float(np.interp(i * interval_s / 60, minutes, values))


def steps(*points: tuple[float, float], interval_s: int = 5) -> Callable[[int], float]:
    """A knob that keeps the value of the last (minute, value) passed."""
    return lambda i: [value for minute, value in points if minute <= i * interval_s / 60][-1]


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


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="hostsim.py", description="Write a made-up esxtop batch capture.")
    parser.add_argument("out", type=Path, help="file to write; .gz and .zst are packed")
    parser.add_argument("--sample", action="store_true", help="write the demo sample instead of a wide host")
    parser.add_argument("--columns", type=int, default=60_000, help="value columns (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=300, help="rows (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    plan = demo_plan() if options.sample else plan_of_width(options.columns, options.samples, options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    write_capture(options.out, plan)
    took_s = time.perf_counter() - began
    size_mb = options.out.stat().st_size / 1e6
    print(f"{options.out}: {len(plan.vms)} VMs, {plan.samples} samples, {size_mb:.1f} MB in {took_s:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
