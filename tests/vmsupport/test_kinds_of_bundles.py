"""Bundles as other releases, vCenter, other systems and people make them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from made_bundles import TOP, VMX, VOLUME, bundle, host_files, tarred

from esxprobe.files.json_records import plain_of
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
