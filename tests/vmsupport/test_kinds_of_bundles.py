"""Bundles as other releases, vCenter, other systems and people make them."""

from __future__ import annotations

import gzip
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from made_bundles import HOST, TOP, VMX, VOBD, VOLUME, bundle, host_files, packed, tarred

from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.files.json_records import plain_of
from esxprobe.formats.hostlogs import Wanted, read_event_logs
from esxprobe.vmsupport.detect import is_archive
from esxprobe.vmsupport.support_bundle import open_bundle

# `esxcfg-info -a -F xml`, which vm-support runs, with a line of another program between its elements.
XML = """\
<?xml version="1.0"?>
<host>
  <hardware-info>
    <value name="product-name">PowerEdge R720</value>
    <cpu-info>
      <value name="num-packages">2</value>
      <value name="num-cores">16</value>
      <value name="num-threads">32</value>
      <value name="hyperthreading-active">true</value>
      <cpus><cpu-impl><value name="num-cores">1</value></cpu-impl></cpus>
    </cpu-info>
    <cpu-power-management-info>
      <value name="current-policy">High Performance</value>
    </cpu-power-management-info>
    <memory-info>
ResourceGroup: 17: no such group
      <value name="physical-mem">137404153856</value>
      <value name="num-numa-nodes">2</value>
"""
WHOLE = f"{XML}    </memory-info>\n  </hardware-info>\n</host>\n"
FRAGMENTS = dict.fromkeys(("commands__esxcfg-info_-a.txt.FRAG-00000", "commands__esxcfg-info_-a.txt.FRAG-00001"))


OF_VCENTER = {
    "action.log": b"",
    "commands/uname_-a.txt": b"Linux vc01 4.19.191 #1-photon SMP x86_64\n",
    "var/log/vmware/vpxd/vpxd.log": b"2026-03-26T21:35:00.000Z info vpxd[1] [Originator@6876 sub=vpxLro] x\n",
}


def kinds_in(path: Path) -> list[str]:
    with open_bundle(path) as found:
        return [event.kind for event in read_event_logs(found.logs, Wanted()).events]


def unpacked(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / TOP / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder / TOP


def facts_of(path: Path) -> dict[str, Any]:
    with open_bundle(path) as found:
        facts: dict[str, Any] = plain_of(found.manifest)["facts"]
        return facts


@pytest.mark.parametrize("text", [WHOLE, XML, WHOLE.replace("\n", "\r\n")], ids=["whole", "cut", "crlf"])
def test_hardware_is_read_from_xml_as_from_lines(text: str, tmp_path: Path) -> None:
    parts = {f"commands__esxcfg-info_-a--F-xml.txt.FRAG-0000{n}": text[400 * n : 400 * n + 400] for n in range(4)}
    facts = facts_of(bundle(tmp_path, host_files(**FRAGMENTS, **parts)))
    assert facts["cpu"] == {
        "packages": 2, "cores": 16, "threads": 32, "hv_support": None, "hyperthreading": True
    }  # fmt: skip
    assert facts["power-policy"] == "High Performance"
    assert facts["memory"] == {"bytes": 137404153856, "numa_nodes": 2}


def test_paths_of_a_large_site_in_that_xml_leave_room_for_other_outputs(tmp_path: Path) -> None:
    filling = "<!-- paths -->".ljust(1 << 20)
    parts = {f"commands__esxcfg-info_-a--F-xml.txt.FRAG-{n:05}": filling for n in range(1, 34)}
    parts["commands__esxcfg-info_-a--F-xml.txt.FRAG-00000"] = WHOLE
    files = host_files(**FRAGMENTS, **parts)
    later = {name: files.pop(name) for name in ("commands/localcli_vm-process-list.txt", "commands/vmware_-vl.txt")}
    with open_bundle(bundle(tmp_path, files | later)) as found:
        assert found.notes == ()
        assert (found.manifest.build, len(found.manifest.vms)) == ("VMware ESXi 7.0.3 build-19193900", 2)


def test_who_joined_the_fragments_and_left_them_gets_them_once(tmp_path: Path) -> None:
    joined = {"commands__localcli_vm-process-list.txt.FRAG-00000": b"vm\n   World ID: 1\n   Display Name: stale\n"}
    with open_bundle(bundle(tmp_path, host_files(**joined))) as found:
        assert [vm.name for vm in found.manifest.vms] == ["sql01", "mail"]


def test_files_that_macos_adds_are_not_outputs(tmp_path: Path) -> None:
    files = host_files()
    added = {f"{TOP}/{name.rpartition('/')[0]}/._{name.rpartition('/')[2]}": b"\0\5\x16\7\0" * 30 for name in files}
    added |= {f"__MACOSX/{name}": b"\0\5\x16\7\0" * 30 for name in added}
    whole = {f"{TOP}/{name}": content for name, content in files.items()}
    path = tmp_path / "bundle.tgz"
    for entries in (sorted((added | whole).items()), (*whole.items(), *added.items())):
        path.write_bytes(gzip.compress(tarred(entries)))
        with open_bundle(path) as found:
            assert found.manifest.build == "VMware ESXi 7.0.3 build-19193900"
            assert found.manifest.vms[0].hardware_version == "8"
            assert {probe.outcome for probe in found.manifest.probes} == {"ok"}


def test_ends_of_lines_and_marks_of_windows_change_nothing(tmp_path: Path) -> None:
    plain = host_files()
    other = {
        name: b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n") if name.startswith("commands/") else content
        for name, content in plain.items() if "FRAG" not in name
    }  # fmt: skip
    found, same = facts_of(bundle(tmp_path, other)), facts_of(bundle(tmp_path))
    assert [found[key] for key in ("uptime", "cpu-model", "paths")] == [
        same[key] for key in ("uptime", "cpu-model", "paths")
    ]


def test_settings_are_in_the_encoding_that_they_name(tmp_path: Path) -> None:
    text = VMX.format(name="Büro", version="8", adapter="e1000").replace("UTF-8", "windows-1252")
    named = {f"{VOLUME}/b/b.vmx": text.encode("cp1252"), f"{VOLUME}/c/c.vmx": text.replace("windows-1252", "idna")}
    with open_bundle(bundle(tmp_path, host_files(**named))) as found:
        assert [vm.name for vm in found.manifest.vms][2:] == ["Büro", "Büro"]


def test_the_readme_may_name_an_offset(tmp_path: Path) -> None:
    with open_bundle(bundle(tmp_path, host_files(README="Captured on: 2026-03-26 23:50:12+0200\n"))) as found:
        assert found.made == datetime(2026, 3, 26, 21, 50, 12, tzinfo=UTC)


def test_a_vm_may_be_in_folders_of_its_volume(tmp_path: Path) -> None:
    def moved(text: bytes | str) -> bytes:
        plain = text.encode() if isinstance(text, str) else text
        return plain.replace(b"/sql01/sql01.vmx", b"/site 1/prod/sql01/sql01.vmx")

    files = {
        name.replace(f"{VOLUME}/sql01/", f"{VOLUME}/site 1/prod/sql01/"): moved(content)
        for name, content in host_files().items()
    }
    with open_bundle(bundle(tmp_path, files)) as found:
        vms = [
            (vm.name, vm.world_id, vm.hardware_version, vm.monitor and vm.monitor.mmu) for vm in found.manifest.vms
        ]
        assert vms == [("sql01", "2100011", "8", "software"), ("mail", "2100067", "19", "hardware")]
        assert {path.name for folder in found.logs for path in folder.rglob("vmware.log")} == {"vmware.log"}


@pytest.mark.parametrize(
    "place",
    [
        "var/log/vobd.log", "scratch/log/vobd.0.gz", "var/run/log/vobd.log.3.gz",
        "vmfs/volumes/OSDATA-1/log/vobd.log", f"{VOLUME}/logs/esx01/vobd.0.gz", f"{VOLUME}/esx01/vobd.1",
    ],
)  # fmt: skip
def test_logs_are_where_the_host_is_told_to_write_them(place: str, tmp_path: Path) -> None:
    files = {name: content for name, content in host_files().items() if name != "var/run/log/vobd.log"}
    files[place] = gzip.compress(VOBD.encode()) if place.endswith(".gz") else VOBD.encode()
    assert "uplink-down" in kinds_in(bundle(tmp_path, files))


def test_a_configuration_of_logs_is_no_log(tmp_path: Path) -> None:
    files = host_files() | {"etc/vmsyslog.conf.d/vobd.conf": b"[vobd]\n", f"{VOLUME}/vobd/vobd.vmdk": b"# Disk\n"}
    with open_bundle(bundle(tmp_path, files)) as found:
        names = {path.name for folder in found.logs for path in folder.rglob("*") if path.is_file()}
        assert not names & {"vobd.conf", "vobd.vmdk"}


def test_a_log_in_fragments_is_one_log(tmp_path: Path) -> None:
    """Cut within a line; the third one is not behind the first, so it stays a log of its own."""
    parts = {f"var/run/log/vobd.log.FRAG-{n:05}": VOBD.encode()[200 * n : 200 * (n + 1)] for n in (0, 1, 2, 3)}
    files = {name: content for name, content in host_files().items() if name != "var/run/log/vobd.log"}
    whole = kinds_in(bundle(tmp_path))
    assert kinds_in(bundle(tmp_path, files | parts)) == whole
    odd = dict(list(parts.items())[::-1])
    with open_bundle(bundle(tmp_path, files | odd)) as found:
        kept = [path for folder in found.logs for path in folder.rglob("vobd.log*")]
        assert sum(path.stat().st_size for path in kept) == len(VOBD[:800])


def test_a_bundle_may_lie_some_folders_deeper(tmp_path: Path) -> None:
    path = tmp_path / "case.tgz"
    path.write_bytes(packed(host_files(), f"cases/2026/SR 1/{TOP}"))
    with open_bundle(path) as found:
        assert (found.host, len(found.manifest.vms)) == (HOST, 2)
        assert found.manifest.build == "VMware ESXi 7.0.3 build-19193900"


def test_a_zip_of_windows_has_backslashes(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in host_files().items():
            entry = zipfile.ZipInfo("x")
            entry.filename = f"{TOP}/{name}".replace("/", "\\")
            archive.writestr(entry, content)
        entry = zipfile.ZipInfo("x")
        entry.filename = "..\\..\\outside\\commands\\vmware_-vl.txt"
        archive.writestr(entry, b"VMware ESXi 1.0 build-1\n")
    assert is_archive(path)
    with open_bundle(path) as found:
        assert found.manifest.build == "VMware ESXi 7.0.3 build-19193900"
        assert [(note.code, note.count) for note in found.notes] == [("bundle-passed", 1)]


def test_a_folder_that_it_was_unpacked_into_is_the_bundle(tmp_path: Path) -> None:
    tree = unpacked(tmp_path / "case", host_files())
    (tree / "var" / "log").symlink_to(tree / "var" / "run" / "log")
    (tree / "etc" / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(tree / "var" / "run" / "log" / "vobd.log.1")
    for path in (tree, tmp_path / "case"):
        assert is_archive(path)
        with open_bundle(path) as found, open_bundle(bundle(tmp_path)) as packed_one:
            assert (found.host, found.made) == (packed_one.host, packed_one.made)
            assert plain_of(found.manifest) == plain_of(packed_one.manifest)
            assert [note.detail for note in found.notes] == [f"{path.name}: 2 links, 1 devices"]
            assert found.size > 0
        assert kinds_in(path) == kinds_in(bundle(tmp_path))


def test_a_folder_of_a_capture_is_no_bundle(tmp_path: Path) -> None:
    assert not is_archive(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "commands").mkdir()
    assert not is_archive(tmp_path)
    tree = unpacked(tmp_path / "two", host_files())
    (tmp_path / "two" / "esxtop.csv").write_text("")
    assert is_archive(tree)
    assert not is_archive(tmp_path / "two")
    (tree / "capture.json").write_text("{}")
    assert not is_archive(tree)


def test_of_several_hosts_that_of_the_capture_is_read(tmp_path: Path) -> None:
    path = tmp_path / "VMware-vCenter-support-2026-03-26@21-50-00.zip"
    uname = "VMkernel {} 7.0.3 #1 SMP Release build-19193900 Jan 18 2022 x86_64\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vc-vc01-2026-03-26--21.49-7.tgz", packed(OF_VCENTER, "vc-vc01-2026-03-26--21.49-7"))
        for host in ("esx02.example.com", HOST):
            files = host_files(**{"commands__uname_-a.txt": uname.format(host)})
            archive.writestr(f"{host}-vm2026-26-03@21-50-00.tgz", packed(files, f"esx-{host}-2026-03-26--21.50-1"))
    for asked in (HOST, "esx02.example.com"):
        with open_bundle(path, is_wanted=asked.__eq__) as found:
            assert (found.host, len(found.manifest.vms)) == (asked, 2)
    for is_wanted in (None, "esx03.example.com".__eq__):
        with (
            pytest.raises(UsageError, match=r"several hosts: esx01.*, esx02"),
            open_bundle(path, is_wanted=is_wanted),
        ):
            pass


def test_two_trees_in_one_archive_are_two_hosts(tmp_path: Path) -> None:
    path = tmp_path / "both.tgz"
    trees = [(f"{top}/{name}", content) for top in ("a", "b") for name, content in host_files().items()]
    path.write_bytes(gzip.compress(tarred(trees)))
    with pytest.raises(UsageError, match="several hosts: a, b"), open_bundle(path):
        pass


def test_a_bundle_of_vcenter_is_none_of_a_host(tmp_path: Path) -> None:
    path = tmp_path / "support.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vc-vc01-2026-03-26--21.49-7.tgz", packed(OF_VCENTER, "vc-vc01-2026-03-26--21.49-7"))
    with pytest.raises(UnreadableInputError, match="a support bundle of vCenter"), open_bundle(path):
        pass
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{TOP}.tgz", packed(host_files()))
    with open_bundle(path) as found:
        assert (found.host, found.manifest.build) == (HOST, "VMware ESXi 7.0.3 build-19193900")
