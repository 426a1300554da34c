r"""Which thing a column belongs to, with names that are meant to mislead."""

from __future__ import annotations

from pathlib import Path

import naive
import polars as pl
import pytest
from made_captures import header

from esxprobe.formats import paths, pdh
from esxprobe.formats.entities import Identities, identify
from esxprobe.formats.issues import QualityIssues

H = r"\\esx01"


def group(gid: int, name: str, *, vm: bool = False) -> list[str]:
    columns = [rf"{H}\Group Cpu({gid}:{name})\% Used", rf"{H}\Group Memory({gid}:{name})\Memctl MBytes"]
    return [*columns, rf"{H}\Group Cpu({gid}:{name})\% VmWait"] if vm else columns


def world(gid: int, name: str, wid: int, called: str) -> str:
    return rf"{H}\Vcpu({gid}:{name}:{wid}:{called})\% Run"


def vm(gid: int, name: str, wid: int, vcpus: int = 1) -> list[str]:
    """All columns of a VM, its worlds called as esxtop calls them."""
    worlds = ["vmx", f"NetWorld-VM-{wid}", f"vmast.{wid}", "vmx-vthread-6", f"vmx-mks:{name}", f"vmx-svga:{name}"]
    worlds += [f"vmx-vcpu-{n}:{name}" for n in range(vcpus)] + [f"LSI-{wid}:0", f"PVSCSI-{wid}:1"]
    return [
        *group(gid, name, vm=True),
        *(world(gid, name, wid + n, called) for n, called in enumerate(worlds)),
        rf"{H}\Network Port(vSwitch0:{33554440 + gid}:{wid}:{name})\Packets Received/sec",
        rf"{H}\Virtual Disk({name})\Reads/sec",
        rf"{H}\Virtual Disk({name}:scsi0:0)\Reads/sec",
    ]


SYSTEM = [
    *group(0, "host"),
    *group(1, "system"),
    *group(2, "user"),
    *group(3, "helper"),
    *group(4, "drivers"),
    *group(77, "pool/resource pool 1"),
    *group(900, "esxtop.474301"),
    world(1, "system", 11, "idle0"),
    world(3, "helper", 12, "vmklinkMPI"),
    world(4, "drivers", 13, "vmnic0"),
    world(900, "esxtop.474301", 14, "esxtop"),
    world(901, "vmx-buildtype", 15, "vmx-buildtype.15"),
    world(902, "sfcb-vmware_base", 16, "sfcb-vmware_base"),
]


def identified(names: list[str]) -> tuple[Identities, QualityIssues]:
    issues = QualityIssues()
    index = paths.index(pdh.parse_header(header([*SYSTEM, *names]).encode()).columns)
    keyed = index.with_columns(pl.col("path").alias("key"))
    return identify(keyed, issues), issues


HOSTILE = [
    "web:01",
    "web (old)",
    r"web\old",
    "vmx",
    "12345",
    "5:x",
    "a:scsi0:0",
    "vmx-vcpu-0",
    "x:1000:vmx",
    "1:2:3:4",
    "the, best",
    "Zürich 東京",
    "NetWorld-VM-1000",
    "(",
    "))((",
    "%2f",
    "vmm0:x",
    "system",
    "a)b",
    "",
    " ",
    "::",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_vm_may_be_called_anything(name: str) -> None:
    found, issues = identified([*vm(10, name, 1000, vcpus=2), *vm(20, "other", 2000)])
    assert [(m.name, m.gid, m.vcpus) for m in found.vms] == [(name, "10", 2), ("other", "20", 1)]
    assert found.entities["vcpu"].filter(pl.col("gid") == "10")["name"].to_list() == ["vCPU 0", "vCPU 1"]
    ports = found.entities["port"]
    assert ports["gid"].to_list() == ["10", "20"], "the port leads to its VM through the leader world"
    disks = found.entities["vdisk"].filter(pl.col("gid") == "10")
    assert disks["name"].to_list() == [f"{name}:scsi0:0"]
    assert found.entities["vm-disks"].filter(pl.col("gid") == "10")["name"].to_list() == [name]
    assert issues.notes() == []


def test_a_naive_count_of_vcpus_fails_on_most_of_these_names() -> None:
    wrong = 0
    for name in HOSTILE:
        try:
            wrong += naive.vcpus_by_vm(vm(10, name, 1000, vcpus=2)) != {name: 2}
        except ValueError:
            wrong += 1
    assert wrong >= 6, "the naive twin copes: the names prove nothing"


def test_what_is_no_vm_is_never_one() -> None:
    found, _ = identified(vm(10, "alpha", 1000))
    assert [m.name for m in found.vms] == ["alpha"]
    assert set(found.entities["group"]["name"]) == {
        "host", "system", "user", "helper", "drivers", "pool/resource pool 1", "esxtop.474301",
    }  # fmt: skip
    assert found.entities["vcpu"].height == 1, "helper worlds of a VM are worlds, not vCPUs"


def test_vms_of_one_name_stay_apart() -> None:
    found, issues = identified([*vm(10, "twin", 1000, 1), *vm(20, "twin", 2000, 4)])
    assert [(m.gid, m.vcpus) for m in found.vms] == [("10", 1), ("20", 4)]
    assert found.entities["port"]["gid"].to_list() == ["10", "20"]
    assert found.entities["vdisk"]["gid"].to_list() == [None], "esxtop gives the name only: no guess is made"
    assert issues.count("ambiguous-name") > 0


def test_a_vm_called_like_another_ones_disk_is_told_apart() -> None:
    names = [*vm(10, "a", 1000), *vm(20, "a:scsi0:0", 2000)]
    found, _ = identified(list(dict.fromkeys(names)))
    assert [m.name for m in found.vms] == ["a", "a:scsi0:0"]
    total = found.entities["vm-disks"].filter(pl.col("gid") == "20")
    assert total["name"].to_list() == ["a:scsi0:0"]


def test_old_releases_have_vmm_worlds() -> None:
    worlds = ["vmware-vmx", "vmm0:web01", "vmm1:web01", "vcpu-0:web01", "vcpu-1:web01", "mks:web01"]
    names = [*group(10, "web01"), *(world(10, "web01", 1000 + n, called) for n, called in enumerate(worlds))]
    found, _ = identified(names)
    assert [(m.name, m.vcpus) for m in found.vms] == [("web01", 2)]
    assert found.entities["vcpu"]["role"].to_list() == ["vmm0:web01", "vmm1:web01"]


def test_without_worlds_a_vm_is_a_group_with_vmwait() -> None:
    names = [n for n in [*SYSTEM, *vm(10, "alpha", 1000), *vm(20, "b:c", 2000)] if r"\Vcpu(" not in n]
    index = paths.index(pdh.parse_header(header(names).encode()).columns)
    found = identify(index.with_columns(pl.col("path").alias("key")), QualityIssues())
    assert [(m.name, m.gid, m.vcpus) for m in found.vms] == [("alpha", "10", 0), ("b:c", "20", 0)]


def test_ports_without_a_vm_belong_to_none() -> None:
    ports = ["vSwitch0:33554434:vmnic0", "vSwitch0:33554433:Management", "a:b:33554435:Shadow of vmnic0"]
    names = [rf"{H}\Network Port({p})\Packets Received/sec" for p in ports]
    found, issues = identified(names)
    frame = found.entities["port"]
    assert frame["gid"].to_list() == [None] * 3
    assert frame["id"].to_list() == ["33554434", "33554433", "33554435"]
    assert issues.notes() == []


def test_instances_without_a_pattern_are_counted() -> None:
    found, issues = identified([rf"{H}\Vcpu(nonsense)\% Run", rf"{H}\Network Port(nonsense)\Packets Received/sec"])
    assert issues.count("unparsed-instance") == 2
    assert found.vms == ()


def test_power_states_and_pcpus_are_one_thing_each() -> None:
    names = [
        rf"{H}\Physical Cpu(0)\% Util Time",
        rf"{H}\PCPU Power State(PCPU 0)\%C-State C0",
        rf"{H}\Physical Cpu(_Total)\% Util Time",
        rf"{H}\Power(3)\P-State MHZ",
    ]
    found, _ = identified(names)
    assert found.entities["pcpu"]["id"].to_list() == ["0"]
    kinds = found.columns.tail(4)["kind"].to_list()
    assert kinds == ["pcpu", "pcpu", "host", "pstate"]


def test_every_column_keeps_its_place(tmp_path: Path) -> None:
    names = [*SYSTEM, *vm(10, "alpha", 1000)]
    found, _ = identified(vm(10, "alpha", 1000))
    assert found.columns["path"].to_list() == names
    assert found.columns["column"].to_list() == list(range(len(names)))


def test_numa_nodes_are_things_of_their_own_where_a_capture_shows_them() -> None:
    """No capture that was seen has the object; one that does keeps its columns, told apart by node."""
    who, _ = identified([rf"{H}\Numa Node({node})\Free MBytes" for node in (0, 1)])
    assert who.entities["numa"]["name"].to_list() == ["0", "1"]
    assert who.columns.filter(pl.col("kind") == "numa")["entity"].to_list() == [0, 1]


def test_vsan_roles_are_things_of_their_own_and_whether_it_is_enabled_belongs_to_the_host() -> None:
    who, _ = identified([rf"{H}\VSAN\Enabled?", rf"{H}\VSAN(Owner)\Avg Read Latency in ms"])
    assert who.entities["vsan-role"]["name"].to_list() == ["Owner"]
    assert who.columns.tail(2)["kind"].to_list() == ["host", "vsan-role"]
