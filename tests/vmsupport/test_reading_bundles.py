"""A vm-support bundle is read once: facts, VMs, monitor modes, logs and captures."""

from __future__ import annotations

import gzip
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard
from made_bundles import HOST, SOFTWARE, TOP, VOLUME, bundle, host_files, packed, tarred

from esxprobe.collect.facts import PROBES, parse_answer
from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.files.json_records import plain_of
from esxprobe.vmsupport.detect import is_archive
from esxprobe.vmsupport.support_bundle import open_bundle

DATA = Path(__file__).parents[1] / "collect" / "data"


def test_facts_are_those_of_a_collected_manifest(tmp_path: Path) -> None:
    with open_bundle(bundle(tmp_path)) as found:
        assert (found.host, found.manifest.build) == (HOST, "VMware ESXi 7.0.3 build-19193900")
        assert found.made == datetime(2026, 3, 26, 21, 50, 12, 123456, UTC)  # README, and not the folder's name
        facts = plain_of(found.manifest)["facts"]
        assert facts["cpu"] == {
            "packages": 2, "cores": 16, "threads": 32, "hv_support": None, "hyperthreading": True
        }  # fmt: skip
        assert facts["power-policy"] == "Balanced"
        assert facts["cpu-model"] == "Intel(R) Xeon(R) CPU E5-2680 v2 @ 2.80GHz"
        assert facts["memory"]["bytes"] == 137404153856
        assert facts["uptime"] == 864000.0
        assert [path["state"] for path in facts["paths"]] == ["dead"]
        assert found.notes == ()
        assert {probe["outcome"] for probe in plain_of(found.manifest)["probes"]} == {"ok"}


@pytest.mark.parametrize(
    ("file", "probe", "sample"),
    [
        ("localcli_storage-filesystem-list--i.txt", "datastores", "datastores/real-6.7.txt"),
        ("localcli_storage_core_device_list.txt", "devices", "devices/two.txt"),
        ("esxcli_storage-core-path-list.txt", "paths", "paths/three.txt"),
        ("localcli_hardware-cpu-global-get.txt", "cpu", "cpu/real-7.0.1.txt"),
        ("localcli_hardware-memory-get.txt", "memory", "memory/8.0.txt"),
        ("localcli_network-nic-stats-get--n-vmnic0.txt", "nic-stats", "nic-stats/two.txt"),
        ("localcli_vm-process-list.txt", "vms", "vms/real-6.7.txt"),
    ],
)
def test_an_output_is_parsed_as_collect_parses_the_same_answer(
    file: str, probe: str, sample: str, tmp_path: Path
) -> None:
    text = (DATA / sample).read_text()
    (same,) = [each for each in PROBES if each.name == probe]
    wanted, why = parse_answer(same, text)
    assert wanted, why
    files = {"commands/vmware_-vl.txt": b"VMware ESXi 7.0.3 build-19193900\n", f"commands/{file}": text.encode()}
    with open_bundle(bundle(tmp_path, files)) as found:
        if probe == "vms":
            assert [vm["world_id"] for vm in plain_of(found.manifest)["vms"]] == [vm["world_id"] for vm in wanted]
        else:
            assert plain_of(found.manifest)["facts"][probe] == wanted


def test_an_exact_answer_goes_before_what_a_long_list_says(tmp_path: Path) -> None:
    exact = "   Path: /Power/CpuPolicy\n   String Value: High Performance\n"
    files = host_files(**{"commands__localcli_system-settings-advanced-list--o--Power-CpuPolicy.txt": exact})
    with open_bundle(bundle(tmp_path, files)) as found:
        assert plain_of(found.manifest)["facts"]["power-policy"] == "High Performance"


def test_a_changed_setting_tells_the_power_policy(tmp_path: Path) -> None:
    listed = (
        "   Path: /Disk/QFullSampleSize\n   Int Value: 32\n   String Value: \n"
        "   Path: /Power/CpuPolicy\n   Type: string\n   String Value: High Performance\n"
        "   Default String Value: Balanced\n"
        "   Path: /Net/Name\n   String Value: other\n"
    )
    changed = {
        "commands__localcli_system-settings-advanced-list--d.txt": listed,
        "commands__esxcfg-info_-a.txt.FRAG-00000": None,
        "commands__esxcfg-info_-a.txt.FRAG-00001": None,
    }
    with open_bundle(bundle(tmp_path, host_files(**changed))) as found:
        assert plain_of(found.manifest)["facts"]["power-policy"] == "High Performance"
        assert "cpu" not in plain_of(found.manifest)["facts"]


def test_a_default_policy_is_not_concluded_from_a_list_without_it(tmp_path: Path) -> None:
    changed = {
        "commands__localcli_system-settings-advanced-list--d.txt": "   Path: /Net/Name\n   String Value: other\n",
        "commands__esxcfg-info_-a.txt.FRAG-00000": None,
        "commands__esxcfg-info_-a.txt.FRAG-00001": None,
    }
    with open_bundle(bundle(tmp_path, host_files(**changed))) as found:
        assert "power-policy" not in plain_of(found.manifest)["facts"]


def test_monitor_modes_are_told_by_the_newest_log_of_each_vm(tmp_path: Path) -> None:
    with open_bundle(bundle(tmp_path)) as found:
        vms = {vm["name"]: vm for vm in plain_of(found.manifest)["vms"]}
        assert {name: vm["monitor"]["mmu"] for name, vm in vms.items()} == {"sql01": "software", "mail": "hardware"}
        assert vms["sql01"]["monitor"]["file"] == "vmware.log"  # and not the rotated one, which says hardware
        assert vms["sql01"]["settings"]["ethernet0.virtualDev"] == "e1000"
        assert vms["mail"]["world_id"] == "2100067"


def test_a_vm_that_does_not_run_is_named_by_its_settings_its_log_or_its_folder(tmp_path: Path) -> None:
    named = SOFTWARE + '2026-03-26T10:00:01.000Z| vmx| I125: DICT displayName = "from the log"\n'
    files = host_files() | {
        f"{VOLUME}/a/a.vmx": b'displayName = "from settings"\nnumvcpus = "2"\n',
        f"{VOLUME}/b/vmware.log": named.encode(),
        f"{VOLUME}/c/vmware.log": SOFTWARE.encode(),
    }
    with open_bundle(bundle(tmp_path, files)) as found:
        vms = {vm["name"]: vm for vm in plain_of(found.manifest)["vms"]}
    assert set(vms) == {"sql01", "mail", "from settings", "from the log", "c"}
    assert vms["from settings"]["monitor"] is None
    assert vms["c"]["monitor"]["mmu"] == "software"


def test_logs_lie_outside_the_bundle_only_as_long_as_they_are_read(tmp_path: Path) -> None:
    with open_bundle(bundle(tmp_path)) as found:
        files = [path for folder in found.logs for path in folder.rglob("*") if path.is_file()]
        assert sorted(path.name for path in files) == [
            "vmkernel.0.gz", "vmware-3.log", "vmware.log", "vmware.log", "vobd.log"
        ]  # fmt: skip
    assert not any(path.exists() for path in files)
    assert not any(folder.exists() for folder in found.logs)


@pytest.mark.parametrize("kind", ["tgz", "tar.gz", "tar", "zst", "nested", "deeper", "zip", "zip of a tree"])
def test_a_bundle_may_be_packed_in_several_ways(kind: str, tmp_path: Path) -> None:
    files = host_files()
    plain = tarred((f"{TOP}/{name}", content) for name, content in files.items())
    path = tmp_path / f"{TOP}.{kind.partition(' ')[0]}"
    match kind:
        case "tar":
            path.write_bytes(plain)
        case "zst":
            path.write_bytes(zstandard.compress(plain))
        case "nested":
            path = tmp_path / "outer.tgz"
            path.write_bytes(gzip.compress(tarred([("case/esx01.tar", plain)])))
        case "deeper":
            path.write_bytes(packed(files, f"case/{TOP}"))
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr(f"{TOP}.tgz", packed(files))
        case "zip of a tree":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, content in files.items():
                    archive.writestr(f"{TOP}/{name}", content)
        case _:
            path.write_bytes(gzip.compress(plain))
    assert is_archive(path)
    with open_bundle(path) as found:
        assert found.host == HOST
        assert [vm["monitor"]["mmu"] for vm in plain_of(found.manifest)["vms"]] == ["software", "hardware"]
        assert found.notes == ()


def test_the_bundles_of_several_hosts_are_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "VMware-vCenter-support-2021-03-08@14-49-25.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for host in ("esx01", "esx02"):
            archive.writestr(f"{host}-vm2021-8-03@14-49-26.tgz", packed(host_files()))
    with pytest.raises(UsageError, match=r"several hosts: esx01.*, esx02"), open_bundle(path):
        pass


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(600), "a 7-Zip archive"),
        (b"BZh91AY" + bytes(600), "a bzip2 file"),
        (b"\xfd7zXZ\x00" + bytes(600), "an xz file"),
        (b"Rar!\x1a\x07" + bytes(600), "a RAR archive"),
        (gzip.compress(b"only text\n" * 100), "not a vm-support bundle: there is no tar archive in it"),
        (b"", "there is no tar archive in it"),
        (
            gzip.compress(tarred([("a/notes.txt", b"nothing")])),
            "an archive, but not a vm-support bundle (1 entries)",
        ),
        (gzip.compress(tarred([("vc-1/var/log/vmware/vpxd/vpxd.log", b"x")])), "a support bundle of vCenter"),
    ],
    ids=["7z", "bz2", "xz", "rar", "text", "empty", "another tar", "vCenter"],
)
def test_what_is_no_bundle_is_named(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "bundle.tgz"
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError) as refused, open_bundle(path):
        pass
    assert words in refused.value.message
    assert refused.value.hint
