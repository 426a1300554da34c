"""The whole book against twenty hosts on which nothing is wrong: nothing above info, at most three rules that fire.

What a VMware engineer would wave away is no warning: a backup at night, a boot storm, a tape, a CD drive, a LUN
that is powered off, a host that is full and gives every VM what it asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from scenario import host_plan
from shippedbook import analyze

from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.plan import DevicePlan, HostPlan, UplinkPlan, VmPlan, over, steps

DISK, TAPE = "naa.600a09803830305345{:014x}", "t10.HP______Ultrium_7DSCSI______________________3A54"
CD = "mpx.vmhba32:C0:T0:L0"


def vm(name: str, vcpus: int = 2, memory_mb: int = 8192, **more: object) -> VmPlan:
    """A VM with a little to do."""
    return VmPlan(name, 0, vcpus, memory_mb, **({"load_pct": 20, "iops": 50} | more))  # type: ignore[arg-type]


def some(count: int, **more: object) -> list[VmPlan]:
    """So many VMs alike."""
    return [vm(f"vm{n:02}", **more) for n in range(1, count + 1)]


def healthy() -> Iterator[tuple[str, HostPlan]]:
    """Twenty hosts, and what they are."""
    yield "nearly idle", host_plan(*some(3, load_pct=2, iops=3))
    yield "nothing at all runs", host_plan(vm("dc01", load_pct=0.5, iops=1))
    yield "an office day", host_plan(*some(6, load_pct=over((0, 12), (10, 30), interval_s=10)))
    yield "busy, and no VM waits", host_plan(*some(5, load_pct=65, ready_pct=1.2), hyperthreads=False)
    yield "busy threads of shared cores", host_plan(*some(6, load_pct=55, ready_pct=1.5, sibling_busy_pct=40))
    yield "one VM computes", host_plan(*some(3), vm("render", 4, 16384, load_pct=66, ready_pct=0.8))
    yield (
        "backup at night: large reads, one fast uplink",
        host_plan(
            *some(4),
            vm("backup", 4, 16384, load_pct=45, iops=420, io_kb=512, device=0, packets_s=24_000),
            device_plans=(DevicePlan(extra_ms=steps((0, 0), (2, 7), interval_s=10)),),
        ),
    )
    yield (
        "boot storm of three minutes",
        host_plan(
            *some(
                6,
                load_pct=steps((0, 4), (3, 68), (6, 8), interval_s=10),
                ready_pct=steps((0, 0.3), (3, 3.5), (6, 0.4), interval_s=10),
            ),
        ),
    )
    yield (
        "a login storm in virtual desktops",
        host_plan(
            *some(
                14,
                vcpus=1,
                memory_mb=4096,
                load_pct=over((0, 8), (3, 45), (8, 15), interval_s=10),
                ready_pct=1.5,
                iops=25,
            )
        ),
    )
    yield "a powered-off LUN", host_plan(*some(3, device=0), devices=(DISK.format(1), DISK.format(2)))
    yield (
        "a tape drive that writes a little",
        host_plan(
            *some(3, device=0),
            vm("archive", iops=6, io_kb=256, device=1),
            devices=(DISK.format(1), TAPE),
            device_plans=(DevicePlan(), DevicePlan(extra_ms=60)),
            paths_per_device=1,
        ),
    )
    yield (
        "a CD drive that is read now and then",
        host_plan(
            *some(3, device=0),
            vm("installer", iops=0.4, device=1),
            devices=(DISK.format(1), CD),
            device_plans=(DevicePlan(), DevicePlan(extra_ms=180, failed_s=0.01)),
        ),
    )
    yield (
        "a database with a flash array",
        host_plan(*some(2), vm("db01", 4, 32768, load_pct=48, iops=2600, disks=3, device=0)),
    )
    yield (
        "an old host without hyper-threading",
        host_plan(*some(3), pcpus=8, hyperthreads=False, numa_nodes=1, memory_mb=32768),
    )
    yield (
        "an ESX 4.1",
        host_plan(*some(3, mmu="software"), release="4.1", pcpus=8, hyperthreads=False, numa_nodes=1),
    )
    yield (
        "a large host",
        host_plan(*some(20, load_pct=25), pcpus=64, numa_nodes=4, memory_mb=524_288, interrupt_columns=520),
    )
    yield (
        "a standby adapter and one at 1 Gbit/s each way",
        host_plan(*some(4), uplink_plans=(UplinkPlan(), UplinkPlan(share=0.0))),
    )
    yield (
        "memory shared out, in the high state",
        host_plan(*some(6, memory_mb=8192, granted_pct=88), memory_mb=65_536),
    )
    yield (
        "a guest that reboots",
        host_plan(*some(3), vm("patched", load_pct=steps((0, 20), (4, 85), (6, 15), interval_s=10), iops=180)),
    )
    yield (
        "a firewall with many packets",
        host_plan(*some(2), vm("fw01", 4, 8192, load_pct=50, packets_s=38_000, ready_pct=0.5)),
    )


HEALTHY = dict(healthy())


def test_there_are_twenty() -> None:
    assert len(HEALTHY) == 20


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_wrong_with_a_healthy_host(name: str, tmp_path: Path) -> None:
    plan = HEALTHY[name]
    path = tmp_path / "esxtop-000.csv"
    path.write_bytes(b"".join(capture_lines(plan, plan.samples, 0)))
    analysis = analyze([path])
    assert analysis.windows == (), "a window of time is proposed"
    findings = analysis.findings
    said = [f"{each.severity} {each.rule} on {each.entity.name}: {each.value:.2f} {each.unit}" for each in findings]
    assert not [each for each in findings if each.severity != "info"], "\n".join(said)
    assert len({each.rule for each in findings}) <= 3, "\n".join(said)
