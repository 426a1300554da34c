"""`report CAPTURE --vm-support BUNDLE`: facts, modes and events of the bundle in the capture's own report."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from drawn import ESXPROBE
from made_bundles import HOST, PROCESSES, TOP, bundle, host_files, packed

from esxprobe.commands.support import is_same_host

ROOT = Path(__file__).parents[2]
LIST = "commands__localcli_vm-process-list.txt"
DEMO = ROOT / "samples" / "demo" / "esxtop-000.csv.gz"


def esxprobe(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ESXPROBE, *words], cwd=folder, capture_output=True, text=True, check=False)


def reported(folder: Path, *words: str | Path) -> dict[str, Any]:
    done = esxprobe(folder, "report", *words, "-o", "page.html", "--json", "report.json", "--embed", "0")
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return made


def rules_of(made: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in made["findings"]}


def test_a_bundle_tells_what_the_capture_alone_does_not(tmp_path: Path) -> None:
    made = reported(tmp_path, DEMO, "--vm-support", bundle(tmp_path))
    assert made["capture"]["build"] == "VMware ESXi 7.0.3 build-19193900"
    modes = {vm["name"]: vm["mmu"] for vm in made["vms"]}
    assert (modes["sql01"], modes["mail"], modes["web01"]) == ("software", "hardware", "unknown")
    assert {"device-dead-paths", "vm-hardware-old", "vm-emulated-adapter"} <= rules_of(made)
    kinds = {event["kind"]: event for event in made["events"]}
    assert {"uplink-down", "storage-connectivity-lost", "vmotion-start", "vm-stun"} <= set(kinds)
    assert kinds["vm-stun"]["entity"]["name"] == "sql01"
    assert kinds["vmotion-start"]["entity"]["name"] == "mail"
    assert made["provenance"]["facts"]["cpu_model"] == "Intel(R) Xeon(R) CPU E5-2680 v2 @ 2.80GHz"
    page = (tmp_path / "page.html").read_text()
    assert f"--vm-support {TOP}.tgz" in page


def test_of_several_bundles_that_of_the_capture_s_host_is_used(tmp_path: Path) -> None:
    other = tmp_path / "esx-esx02.example.com-2026-03-26--21.50-1.tgz"
    uname = {"commands__uname_-a.txt": "VMkernel esx02.example.com 8.0.2 #1 SMP Release build-1 x86_64\n"}
    other.write_bytes(packed(host_files(**uname), other.stem))
    made = reported(tmp_path, DEMO, other, bundle(tmp_path))
    assert made["capture"]["build"] == "VMware ESXi 7.0.3 build-19193900"
    done = esxprobe(tmp_path, "report", DEMO, "--vm-support", other)
    assert done.returncode == 2
    assert "is a capture of esx01.example.com, and" in done.stderr
    assert "is of esx02.example.com" in done.stderr
    twice = tmp_path / "again.tgz"
    twice.write_bytes(packed(host_files()))
    done = esxprobe(tmp_path, "report", DEMO, twice, bundle(tmp_path))
    assert f"two vm-support bundles are of {HOST}" in done.stderr


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("esx01", "esx01.example.com", True),
        ("ESX01", "esx01", True),
        ("10.0.0.11", "10.0.0.11", True),
        ("esx01", "192.0.2.7", True),
        ("localhost", "esx01", True),
        ("esx01", "", True),
        ("192.0.2.7", "esx01", True),
        ("esx01", "esx02", False),
        ("esx01.sitea.com", "esx01.siteb.com", False),
        ("ESX01.sitea.com", "esx01.SITEA.com", True),
    ],
)
def test_when_two_names_are_one_host(one: str, other: str, same: bool) -> None:
    assert is_same_host(one, other) is same


@pytest.mark.parametrize("kind", ["export of several hosts", "unpacked"])
def test_a_bundle_may_be_in_an_export_or_unpacked(kind: str, tmp_path: Path) -> None:
    if kind == "unpacked":
        path = tmp_path / TOP
        for name, content in host_files().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    else:
        path = tmp_path / "VMware-vCenter-support-2026-03-26@21-50-00.zip"
        with zipfile.ZipFile(path, "w") as archive:
            other = host_files(**{"commands__uname_-a.txt": "VMkernel esx02.example.com 8.0.2 #1\n"})
            archive.writestr("b.tgz", packed(other, "esx-esx02.example.com-2026-03-26--21.50-1"))
            archive.writestr("a.tgz", packed(host_files()))
    made = reported(tmp_path, DEMO, path)
    assert made["capture"]["build"] == "VMware ESXi 7.0.3 build-19193900"
    assert {"vm-stun", "vmotion-start"} <= {event["kind"] for event in made["events"]}


def test_a_bundle_with_a_csv_of_esxtop_is_a_capture(tmp_path: Path) -> None:
    files = host_files() | {"esxtop.csv.gz": DEMO.read_bytes(), "other.csv": b"a,b\n1,2\n"}
    made = reported(tmp_path, bundle(tmp_path, files))
    assert made["capture"]["host"] == HOST
    assert made["capture"]["files"][0]["name"] == "esxtop.csv.gz"
    assert {"device-dead-paths", "cpu-ready"} <= rules_of(made)
    assert {vm["name"]: vm["mmu"] for vm in made["vms"]}["sql01"] == "software"
    assert "vm-stun" in {event["kind"] for event in made["events"]}
    page = (tmp_path / "page.html").read_text()
    assert f"esxprobe report {TOP}.tgz" in page
    assert not [*tmp_path.glob("*.csv*")]


def test_another_bundle_beside_one_with_a_csv_is_refused(tmp_path: Path) -> None:
    path = bundle(tmp_path, host_files() | {"esxtop.csv.gz": DEMO.read_bytes()})
    other = bundle(tmp_path, name="other.tgz")
    done = esxprobe(tmp_path, "report", path, "--vm-support", other)
    assert done.returncode == 2
    assert "--vm-support cannot be used here" in done.stderr
    assert "leave --vm-support out" in done.stderr
    assert reported(tmp_path, path, "--vm-support", path)["capture"]["build"]


def test_the_page_is_called_after_the_bundle(tmp_path: Path) -> None:
    files = host_files() | {"a/esxtop.csv.gz": DEMO.read_bytes(), "b/esxtop.csv.gz": DEMO.read_bytes()}
    path = bundle(tmp_path, files)
    done = esxprobe(tmp_path, "report", path, "--embed", "0", "--json", "report.json")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / f"{TOP}-report.html").exists()
    notes = {note["code"] for note in json.loads((tmp_path / "report.json").read_text())["quality"]}
    assert "bundle-captures" in notes
    over = esxprobe(tmp_path, "report", path, "-o", path)
    assert over.returncode == 2
    assert "is a part of the capture itself" in over.stderr


def test_after_a_restart_of_the_host_world_ids_are_other_vms(tmp_path: Path) -> None:
    swapped = PROCESSES.replace("2100067", "x").replace("2100011", "2100067").replace("x", "2100099")
    made = reported(tmp_path, DEMO, "--vm-support", bundle(tmp_path, host_files(**{LIST: swapped})))
    modes = {vm["name"]: vm["mmu"] for vm in made["vms"]}
    assert (modes["sql01"], modes["mail"]) == ("software", "hardware")


def test_a_truncated_bundle_is_noted_in_the_capture_s_report(tmp_path: Path) -> None:
    path = bundle(tmp_path)
    path.write_bytes(path.read_bytes()[:-600])
    made = reported(tmp_path, DEMO, "--vm-support", path)
    (note,) = [each for each in made["quality"] if each["code"] == "bundle-cut"]
    assert "before its trailer" in note["detail"]
    assert made["capture"]["build"] == "VMware ESXi 7.0.3 build-19193900"


@pytest.mark.parametrize("inside", [False, True], ids=["beside", "inside"])
def test_no_name_of_a_bundle_is_in_a_redacted_report(inside: bool, tmp_path: Path) -> None:
    if inside:
        words = [bundle(tmp_path, host_files() | {"esxtop.csv.gz": DEMO.read_bytes()})]
    else:
        path = bundle(
            tmp_path, host_files() | {f"vmfs/volumes/zqds/zqvm/{name}": text for name, text in OTHER.items()}
        )
        path.write_bytes(path.read_bytes()[:-10])  # its name is in a note
        words = [DEMO, "--vm-support", path]
    made = reported(tmp_path, *words, "--redact")
    page = (tmp_path / "page.html").read_text()
    for name in ("esx01", "sql01", "600a098038303053453f463031733441", "zqvm", "zqds", "gold pool", "135806"):
        assert name not in page, name
        assert name not in json.dumps(made), name
    assert made["capture"]["build"] == "VMware ESXi 7.0.3 build-19193900"
    assert made["events"]


OTHER = {
    "zqvm.vmx": b'displayName = "zqvm"\nnumvcpus = "1"\n',
    "vmware.log": b"x MONITOR MODE: filtered list : HWMMU\n",
}
