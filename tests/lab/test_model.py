"""The simulated host is worth its benches only if its captures look like real ones and its numbers agree."""

import gzip
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import zstandard
from captures_of import ROUNDING, Capture, capture_of
from hostsim import HostPlan, VmPlan, demo_plan, header_columns, plan_of_width, write_capture

from esxprobe.lab.plan import BusyGroup, DevicePlan, UplinkPlan

SAMPLE = Path(__file__).parents[2] / "samples" / "demo" / "esxtop-000.csv.gz"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return capture_of(plan_of_width(12_345, 31, seed=7), tmp_path_factory.mktemp("wide"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    return capture_of(demo_plan(), tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    """Much is wrong at once: the numbers have to agree all the same."""
    vms = (
        VmPlan("a", 1_200_000, 4, 8192, 50, zipped_mb=300, zip_mb_s=2, unzip_wait_pct=3, wait_pct=5, remote_pct=30),
        VmPlan("b", 1_200_100, 2, 4096, 40, sibling_busy_pct=90, first_ready_pct=20, wakeups_s=4000, iops=3000),
        VmPlan("c", 1_200_200, 2, 4096, 30, disk_extra_ms=20, balloon_driver=False, saved_mb=200, helper_pct=20),
    )
    plan = HostPlan(
        host="esx01.example.com",
        pcpus=8,
        vms=vms,
        numa_nodes=2,
        slowed_pct=60,
        throttled_pct=10,
        device_plans=(DevicePlan(8, path_extra_ms=(0, 30), path_shares=(1, 3), aborts_s=2, queue_depth=24),),
        uplink_plans=(UplinkPlan(full_duplex=False, share=3, dropped_tx_pct=2),),
        busy_groups=(BusyGroup("hostd", run_pct=60, ready_pct=9, limited_pct=5),),
    )
    return capture_of(plan, tmp_path_factory.mktemp("troubled"))


@pytest.fixture(params=["wide", "demo", "troubled"])
def capture(request: pytest.FixtureRequest) -> Capture:
    return request.getfixturevalue(request.param)


def test_the_file_is_shaped_as_esxtop_writes_it(capture: Capture) -> None:
    lines = capture.text.split("\n")
    assert lines.pop() == ""
    assert lines[0].startswith('"(PDH-CSV 4.0) (UTC)(0)","\\\\')
    assert lines[1].startswith('"03/26/2026 21:30:00","')
    assert lines[2].startswith('"03/26/2026 21:30:05","')
    for line in lines[1:]:
        assert re.fullmatch(r'"[^"]+"(,"(-?\d+|\d+\.\d\d)")+', line)
    assert {line.count('","') for line in lines[1:]} == {len(capture.names)}


def test_a_counter_is_either_whole_or_has_two_decimals(capture: Capture) -> None:
    for (object_name, counter), places in capture.where.items():
        shapes = {"." in row[position] for row in capture.cells for _, position in places}
        assert len(shapes) == 1, (object_name, counter)


@pytest.mark.parametrize("columns", [2_500, 9_999, 60_000])
def test_the_width_is_exact(columns: int) -> None:
    assert len(header_columns(plan_of_width(columns, 3, seed=columns))) == columns


def test_a_width_below_the_smallest_host_is_refused() -> None:
    with pytest.raises(ValueError, match="the smallest host has"):
        plan_of_width(500, 3)


def test_every_world_closes_alike(capture: Capture) -> None:
    parts = [capture["Vcpu", f"% {state}"] for state in ("Run", "Ready", "CoStop", "Wait")]
    closure = np.sum(parts, axis=0)
    assert np.ptp(closure, axis=1).max() <= 8 * ROUNDING
    assert np.abs(closure[1:] - 98.9).max() < 0.1
    assert np.abs(closure[0] - 98.9).min() > 0.5  # the average since boot


def test_states_lie_inside_the_states_that_hold_them(capture: Capture) -> None:
    def state(name: str) -> np.ndarray:
        return capture["Vcpu", f"% {name}"]

    vcpu = np.array(["vmx-vcpu-" in name for name in capture.instances("Vcpu", "% Run")])
    rest = state("Wait") - state("Idle") - state("VmWait")
    assert np.abs(rest[:, vcpu]).max() <= 3 * ROUNDING
    for inner, outer in (("Max Limited", "Ready"), ("Overlap", "Run"), ("Swap Wait", "VmWait")):
        assert (state(inner) <= state(outer) + 2 * ROUNDING).all(), inner


def test_a_group_is_the_sum_of_its_worlds(capture: Capture) -> None:
    counters = "% Used|% Run|% System|% Wait|% Ready|% Idle|% Overlap|% CoStop|% Max Limited|% Swap Wait"
    groups = capture.instances("Group Cpu", "% Run")
    worlds = capture.instances("Vcpu", "% Run")
    owner = np.array([next(i for i, g in enumerate(groups) if w.startswith(f"{g}:")) for w in worlds])
    members = np.bincount(owner)
    assert (capture["Group Cpu", "Members"] == members).all()
    for counter in f"{counters}|% CPU Latency|% Demand|Switches/sec|Wakeups/sec".split("|"):
        for i in range(len(groups)):
            total = capture["Vcpu", counter][:, owner == i].sum(axis=1)
            off = np.abs(capture["Group Cpu", counter][:, i] - total).max()
            assert off <= (members[i] + 1) * ROUNDING, (groups[i], counter)


def test_only_vms_have_a_group_vmwait(capture: Capture) -> None:
    vms = capture.instances("Group Cpu", "% VmWait")
    leaders = [name for name in capture.instances("Vcpu", "% Run") if re.search(r":\d+:vmx$", name)]
    assert vms == [re.sub(r":\d+:vmx$", "", name) for name in leaders]


def test_idle_worlds_are_ready_while_their_pcpu_is_used(capture: Capture) -> None:
    idle = np.array([bool(re.search(r":idle\d+$", name)) for name in capture.instances("Vcpu", "% Run")])
    util = capture["Physical Cpu", "% Util Time"]
    assert util.max() <= 100
    assert np.abs(capture["Vcpu", "% Ready"][1:, idle] - 0.989 * util[1:, :-1]).max() < 0.1
    assert np.abs(util[:, :-1].mean(axis=1) - util[:, -1]).max() <= 2 * ROUNDING
    busy = capture["Vcpu", "% Run"][:, ~idle].sum(axis=1) / idle.sum()
    assert np.abs(busy - util[:, -1]).max() < 1


def test_the_memory_of_a_group_is_ordered(capture: Capture) -> None:
    order = ["Memory Size", "Memory Granted Size", "Touched", "Touched Write"]
    sizes = [capture["Group Memory", f"{name} MBytes"] for name in order]
    for larger, smaller in pairwise(sizes):
        assert (larger >= smaller - ROUNDING).all()
    for name in ("Memctl", "Swapped"):
        held = capture["Group Memory", f"{name} MBytes"]
        assert (held + sizes[1] <= sizes[0] + ROUNDING).all()
    total = capture["Group Memory", "Memctl MBytes"].sum(axis=1)
    assert np.abs(total - capture["Memory", "Memctl Current MBytes"][:, 0]).max() < 1
    host = [capture["Memory", f"{name} MBytes"][:, 0] for name in ("Kernel", "NonKernel", "Free", "Machine")]
    assert np.abs(host[0] + host[1] + host[2] - host[3]).max() <= 2
    assert (capture["Group Memory", "Memory Consumed Size MBytes"].sum(axis=1) <= host[1]).all()


def test_storage_adds_up(capture: Capture) -> None:
    for counter in ("Commands/sec", "Reads/sec", "MBytes Written/sec"):
        devices = capture["Physical Disk SCSI Device", counter].sum(axis=1)
        for object_name in ("Path", "Adapter", "Per-Device-Per-World", "Partition"):
            parts = capture[f"Physical Disk {object_name}", counter]
            assert np.abs(parts.sum(axis=1) - devices).max() <= ROUNDING * (parts.shape[1] + 10)


def test_no_more_is_in_flight_than_the_queue_holds(troubled: Capture) -> None:
    device = "Physical Disk SCSI Device"
    active, depth = troubled[device, "Active Commands"], troubled[device, "Device Q Depth"]
    assert (active <= depth).all()
    assert (active == depth).any()
    waits, rate = troubled[device, "Average Queue MilliSec/Command"], troubled[device, "Commands/sec"]
    assert np.abs(troubled[device, "Queued Commands"] - rate * waits / 1000).max() <= 0.5 + 0.01 * rate.max() / 1000
    paths = troubled["Physical Disk Path", "Aborts/sec"]
    assert np.abs(paths.sum(axis=1) - troubled[device, "Aborts/sec"][:, 0]).max() <= 3 * ROUNDING


def test_power_states_and_sentinels(capture: Capture) -> None:
    c_states = np.sum([capture["PCPU Power State", f"%C-State C{i}"] for i in range(3)], axis=0)
    assert np.abs(c_states - 100).max() <= 3 * ROUNDING
    for (object_name, counter), places in capture.where.items():
        low = capture.values[:, [position for _, position in places]].min()
        assert low >= 0 or counter.startswith(("Alloc", "Commit Pages")), (object_name, counter)


def test_the_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    plan = plan_of_width(4_000, 30, seed=3)
    files = [tmp_path / name for name in ("a.csv", "b.csv", "a.csv.gz", "b.csv.gz", "a.csv.zst", "b.csv.zst")]
    for file in files:
        write_capture(file, plan)
    plain = files[0].read_bytes()
    for first, second in zip(files[::2], files[1::2], strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert gzip.decompress(files[2].read_bytes()) == plain
    assert zstandard.ZstdDecompressor().decompressobj().decompress(files[4].read_bytes()) == plain
    write_capture(files[1], plan_of_width(4_000, 30, seed=4))
    assert files[1].read_bytes() != plain


def test_the_sample_on_disk_is_what_the_generator_makes(demo: Capture) -> None:
    packed = SAMPLE.read_bytes()
    assert len(packed) < 1_000_000
    assert packed[3:8] == bytes(5)  # gzip flags: no file name; time: none
    assert gzip.decompress(packed).decode() == demo.text


def test_the_sample_tells_its_story(demo: Capture) -> None:
    minute = np.arange(1, len(demo.cells)) * 5 / 60
    assert len(demo.cells) == 181

    def within(values: np.ndarray, low: float, high: float) -> bool:
        return bool((values >= low - 0.01).all() and (values <= high + 0.01).all())

    short = (minute >= 5) & (minute < 11)
    assert demo.vcpus("sql01", "% Ready").shape[1] == 8
    assert within(demo.vcpus("sql01", "% Ready")[short], 12, 18)
    assert within(demo.vcpus("sql01", "% CoStop")[short], 4, 6)
    assert within(demo.vcpus("sql01", "% Ready")[~short], 0, 1)
    assert within(demo.vcpus("build-runner", "% Max Limited"), 8, 20)
    assert within(demo.vcpus("web02", "% Run")[:, 0], 96, 98)
    for healthy in ("web01", "mail", "app-test", "Accounts, year end", r"Büro, Druck \(alt\)"):
        assert within(demo.vcpus(healthy, "% Ready"), 0, 2.5)
        assert within(demo.vcpus(healthy, "% Run"), 0, 75)

    state = demo["Memory", "Kernel State"][1:, 0]
    changes = [(minute[i], state[i]) for i in range(len(state)) if i == 0 or state[i] != state[i - 1]]
    assert [value for _, value in changes] == [0, 1, 2, 1, 0]
    assert [when for when, _ in changes[1:]] == pytest.approx([6, 7.5, 9.5, 12])
    paging = (minute >= 7) & (minute < 9)
    assert demo.group("mail", "Memctl MBytes").max() == pytest.approx(1228.8)
    assert demo.group("mail", "Swapped MBytes")[-1] == 300
    assert within(demo.group("mail", "Swap Read MBytes/sec")[paging], 1, 3)
    assert within(demo.group("mail", "Swap Read MBytes/sec")[~paging], 0, 0)
    assert within(demo.vcpus("mail", "% Swap Wait")[paging], 6, 9)

    groups = demo.instances("Group Cpu", "% VmWait")
    assert [name.split(":")[1] for name in groups].count("app-test") == 2
    assert within(demo["Physical Disk SCSI Device", "Average Guest MilliSec/Command"], 0, 10)
