"""`esxprobe report BUNDLE`: what a bundle shows without a capture, and that nothing about load is claimed."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from drawn import ESXPROBE
from made_bundles import HOST, PROCESSES, TOP, VOLUME, bundle, host_files

from esxprobe.model import Entity, Event
from esxprobe.report.heat_charts import TimeFrame, timeline_spec
from esxprobe.report.packed import part_of
from esxprobe.report.record_schema import written
from esxprobe.report.support_schema import support_schema

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "vm-support.schema.json").read_text(encoding="utf-8"))


def esxprobe(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ESXPROBE, "report", *words], cwd=folder, capture_output=True, text=True, check=False)


def reported(folder: Path, *words: str | Path) -> tuple[str, dict[str, Any]]:
    done = esxprobe(folder, *words, "-o", "page.html", "--json", "report.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "page.html\n"
    made: dict[str, Any] = json.loads((folder / "report.json").read_text())
    jsonschema.validate(made, SCHEMA)
    return (folder / "page.html").read_text(), made


def test_settings_modes_and_events_are_reported_and_no_load(tmp_path: Path) -> None:
    page, made = reported(tmp_path, bundle(tmp_path))
    assert made["bundle"]["host"] == HOST
    assert made["bundle"]["made"] == "2026-03-26T21:50:12Z"
    assert made["counters"] is False
    assert {vm["name"]: vm["mmu"] for vm in made["vms"]} == {"sql01": "software", "mail": "hardware"}
    found = {(finding["rule"], finding["entity"]["name"]) for finding in made["findings"]}
    assert found == {
        ("device-dead-paths", "naa.600a098038303053453f463031733441"),
        ("device-one-path", "naa.600a098038303053453f463031733441"),
        ("vm-hardware-old", "sql01"),
        ("vm-emulated-adapter", "sql01"),
    }
    assert made["clear"] == ["power-policy", "vm-cpu-hot-add"]
    assert all(not finding["windows"] and finding["first"] is None for finding in made["findings"])
    events = {event["kind"]: event["entity"]["name"] for event in made["events"]}
    assert events == {
        "uplink-down": "vmnic1",
        "vm-stun": "sql01",
        "storage-connectivity-lost": "naa.600a098038303053453f463031733441",
        "vmotion-start": "mail",
    }
    assert "nothing about load, contention or latency was judged" in page
    assert "1 VM with a software MMU (sql01)" in page
    assert 'aria-label="Events over time' in page, "the timeline is drawn"
    assert '<figure class="timeline">' in page, "and not as wide as the page, with letters of 25 pixels"
    assert ": 1 loss of connectivity, 2 uplink failures, 1 stun and 1 vMotion start." in page
    assert f"esxprobe report {TOP}.tgz</code>" in page
    assert json.loads(part_of(page, "analysis")) == made


def test_kinds_of_events_have_room_for_letters_wider_than_the_engine_measures() -> None:
    at = datetime(2026, 3, 26, 21, tzinfo=UTC)
    event = Event(at, "", "storage-connectivity-lost", "critical", Entity("device", "naa.1", "naa.1"))
    frame = TimeFrame(at, at + timedelta(minutes=5), 14)
    assert timeline_spec((), frame, (), (event,))["padding"]["right"] >= 50


def test_the_published_schema_is_made_from_the_records() -> None:
    published = (ROOT / "docs" / "vm-support.schema.json").read_text(encoding="utf-8")
    assert published == written(support_schema()), "make docs"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_rule_on_an_answer_of_the_host_is_found_clear_or_skipped(tmp_path: Path) -> None:
    files = host_files(**{"commands__localcli_storage-core-path-list.txt": None})
    files |= {
        "commands/localcli_system-settings-advanced-list--o--Power-CpuPolicy.txt": b"   String Value: Low Power\n"
    }
    _, made = reported(tmp_path, bundle(tmp_path, files))
    assert "power-policy" in {finding["rule"] for finding in made["findings"]}
    assert {each["rule"]: each["reason"] for each in made["skipped"]} == {
        "device-dead-paths": "the bundle shows no device",
        "device-one-path": "the bundle shows no device",
        "uplink-errors": "the bundle shows no port",
    }


def test_a_bundle_of_facts_alone_is_a_report_without_events(tmp_path: Path) -> None:
    files = {
        "commands/vmware_-vl.txt": b"VMware ESXi 8.0.2 build-22380479\n",
        "commands/localcli_vm-process-list.txt": PROCESSES.encode(),
    }
    page, made = reported(tmp_path, bundle(tmp_path, files))
    assert (made["events"], made["event_logs"], made["findings"]) == ([], [], [])
    assert {vm["mmu"] for vm in made["vms"]} == {"unknown"}
    assert "The bundle holds no log from which events are read." in page


def test_a_bundle_of_logs_alone_is_a_report_of_events(tmp_path: Path) -> None:
    files = {name: content for name, content in host_files().items() if name.startswith("var/")}
    page, made = reported(tmp_path, bundle(tmp_path, files, f"{TOP}.tar.gz"))
    assert made["bundle"]["host"] == HOST  # by the top folder
    assert len(made["events"]) == 4
    assert made["vms"] == []
    assert "The bundle lists no VM." in page


def test_a_truncated_bundle_is_reported_as_far_as_it_goes(tmp_path: Path) -> None:
    path = bundle(tmp_path)
    path.write_bytes(path.read_bytes()[:-600])
    page, made = reported(tmp_path, path)
    assert "The bundle was not read completely: bundle-cut." in page
    assert {note["code"] for note in made["quality"]} == {"bundle-cut"}
    assert made["bundle"]["build"] == "VMware ESXi 7.0.3 build-19193900"


def test_a_log_beside_it_adds_its_events(tmp_path: Path) -> None:
    (tmp_path / "more.log").write_text(
        "2026-03-26T21:40:00.000Z In(14) vobd[2097764]:  [netCorrelator] 9us: [vob.net.vmnic.linkstate.down] vmnic "
        "vmnic7 linkstate down\n"
    )
    page, made = reported(tmp_path, bundle(tmp_path), "--log", "more.log")
    assert "vmnic7" in {event["entity"]["name"] for event in made["events"]}
    assert f"esxprobe report {TOP}.tgz --log more.log</code>" in page


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--summary", "a.md"),
        ("--from", "10:00"),
        ("--guest-log", "a=a.csv"),
        ("--mmu", "a=hardware"),
        ("--vm-support", "a.tgz"),
        ("--timezone", "Europe/Berlin"),
        ("--guest-timezone", "UTC"),
        ("--embed", "0"),
        ("--embed", "3MB"),
        ("--with-capture", "--bundle=case.zip"),
    ],
)
def test_what_needs_a_capture_is_refused(option: str, value: str, tmp_path: Path) -> None:
    done = esxprobe(tmp_path, bundle(tmp_path), option, value)
    assert done.returncode == 2
    assert not (tmp_path / "case.zip").exists()
    assert f"{option} needs an esxtop capture of the host" in done.stderr


def test_exit_codes_and_the_zip_are_those_of_other_reports(tmp_path: Path) -> None:
    path = bundle(tmp_path)
    assert esxprobe(tmp_path, path, "--fail-on", "info").returncode == 1
    assert esxprobe(tmp_path, path, "-o", path).returncode == 2
    done = esxprobe(tmp_path, path, "--bundle", "case.zip")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "case.zip") as case:
        assert case.namelist() == [f"{TOP}-report.html", f"{TOP}-report.json", "SHA256SUMS"]
    (tmp_path / "not.tgz").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(600))
    done = esxprobe(tmp_path, "not.tgz")
    assert done.returncode == 4
    assert "a 7-Zip archive" in done.stderr


# Each in a place of its own: a host, a VM, a folder, a datastore, a switch, an address, a file.
CANARIES = {
    "host": "zqhostname",
    "vm": "zqmachine",
    "stopped": "zqstopped",
    "folder": "zqfolder",
    "volume": "zqvolume",
    "user": "zqperson",
}


def test_no_name_is_in_a_redacted_report(tmp_path: Path) -> None:
    def renamed(content: bytes) -> bytes:
        text = content.decode("utf-8", "surrogateescape")
        text = text.replace("esx01.example.com", f"{CANARIES['host']}.corp.example").replace(
            "sql01", CANARIES["vm"]
        )
        return text.replace("gold pool", CANARIES["volume"]).encode("utf-8", "surrogateescape")

    files = {
        name.replace("sql01", CANARIES["vm"]): content if name.endswith(".gz") else renamed(content)
        for name, content in host_files().items()
    }
    files[f"{VOLUME}/{CANARIES['folder']}/{CANARIES['stopped']}.vmx"] = (
        f'displayName = "{CANARIES["stopped"]}"\nvirtualHW.version = "7"\n'.encode()
    )
    files["var/run/log/hostd.log"] = (
        "2026-03-26T21:39:00.000Z info hostd[9F81B70] [Originator@6876 sub=Vimsvc.TaskManager opID=1 user="
        f"{CANARIES['user']}] Event 3674 : {CANARIES['vm']} on  {CANARIES['host']}.corp.example in ha-datacenter "
        "is powered on\n"
    ).encode()
    path = bundle(tmp_path, files, f"esx-{CANARIES['host']}.corp.example-2026-03-26--21.50-7.tgz")
    path.write_bytes(path.read_bytes()[:-10])  # so that a note names the bundle
    page, made = reported(tmp_path, path, "--redact")
    whole = page + part_of(page, "analysis") + json.dumps(made)
    left = [name for name in (*CANARIES.values(), "600a098038303053453f463031733441") if name in whole]
    assert left == []
    assert made["bundle"]["build"] == "VMware ESXi 7.0.3 build-19193900"
    assert {vm["mmu"] for vm in made["vms"]} == {"software", "hardware", "unknown"}
    assert re.search(r"vm-?\d+", json.dumps(made["vms"]))
    assert len(made["events"]) >= 5
