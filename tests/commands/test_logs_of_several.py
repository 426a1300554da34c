"""`--log` with several captures: what a log says goes to the capture of its host and time, and to no other."""

from __future__ import annotations

import gzip
import json
import subprocess
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from drawn import ESXPROBE

from esxprobe.commands.event_logs import event_options
from esxprobe.formats.hostlogs import Wanted, read_event_logs
from esxprobe.formats.hostlogs.whose import is_same_host, named_by
from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.log_files import link_fails, log_lines, path_fails
from esxprobe.lab.plan import HostPlan
from esxprobe.lab.scenarios import path_plan

ROOT = Path(__file__).parents[2]
SCHEMAS = {
    name: json.loads((ROOT / "docs" / f"{name}.schema.json").read_text(encoding="utf-8"))
    for name in ("analysis", "fleet")
}


def plan_of(host: str, **more: Any) -> HostPlan:
    return replace(path_plan(), host=host, samples=61, **more)


FAILED = plan_of("esx07.example.com")
OTHER = plan_of("esx08.example.com", logged=link_fails(2, 2.2, "vmnic1", "vSwitch0"), device_plans=())
LATER = plan_of("esx07.example.com", start=FAILED.start + timedelta(hours=3), device_plans=(), logged=())


def written(folder: Path, plan: HostPlan, name: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or f"{plan.host.partition('.')[0]}-{plan.start:%H%M}.csv.gz")
    path.write_bytes(gzip.compress(b"".join(capture_lines(plan, plan.samples)), 1))
    return path


def logged(folder: Path, plan: HostPlan, log: str = "vobd") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{log}.log").write_text("\n".join(log_lines(plan, log)) + "\n")
    return folder / f"{log}.log"


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("captures")
    return {name: written(folder, plan) for name, plan in (("failed", FAILED), ("other", OTHER), ("later", LATER))}


def run(folder: Path, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*ESXPROBE, *map(str, words)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def document(path: Path, schema: str = "analysis") -> dict[str, Any]:
    made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(made, SCHEMAS[schema])
    return made


def kinds(totals: list[dict[str, Any]]) -> set[str]:
    return {each["kind"] for each in totals}


PATH_KINDS = {"path-down", "storage-redundancy-lost"}
LINK_KINDS = {"uplink-down", "uplink-up", "uplink-redundancy-lost", "uplink-redundancy-restored"}


# --- whose a log is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("logs/esx07/vobd.log", "esx07.example.com"),
        ("logs/ESX07.example.com/var/log/vobd.log", "esx07.example.com"),
        ("logs/esx07-vobd.log", "esx07.example.com"),
        ("logs/esx-esx07-2026-03-26--21.30-1/vobd.log", "esx07.example.com"),
        ("logs/esx07/esx08.log", "esx08.example.com"),
        ("logs/192.0.2.7_vmkernel.log", "192.0.2.7"),
        ("logs/esx071/vobd.log", ""),
        ("logs/esx07-b/vobd.log", ""),
        ("logs/vobd.log", ""),
    ],
)
def test_a_log_is_of_the_host_that_its_nearest_folder_is_named_after(path: str, host: str) -> None:
    hosts = ("esx07.example.com", "esx08.example.com", "192.0.2.7")
    assert named_by(Path(path), [Path("logs")], hosts) == host


def test_folders_above_the_one_that_was_named_say_nothing() -> None:
    assert named_by(Path("esx07/case/logs/vobd.log"), [Path("esx07/case/logs")], ("esx07",)) == ""
    assert named_by(Path("esx07/vobd.log"), [Path("esx07/vobd.log")], ("esx07",)) == "esx07", "but its own folder"


def test_a_short_name_that_two_hosts_have_says_nothing() -> None:
    hosts = ("esx07.berlin.example", "esx07.paris.example")
    assert named_by(Path("logs/esx07/vobd.log"), [Path("logs")], hosts) == ""
    assert named_by(Path("logs/esx07.paris.example/vobd.log"), [Path("logs")], hosts) == hosts[1]


def test_names_of_a_host() -> None:
    assert is_same_host("esx07", "ESX07.example.com")
    assert not is_same_host("esx07.example.com", "esx07.example.org")
    assert not is_same_host("192.0.2.7", "192.0.2.8")


@pytest.mark.parametrize(
    ("host", "is_taken"),
    [
        ("esx01.siteb.com", False), ("esx01.sitea.com", True), ("ESX01.SITEA.COM", True), ("esx02", False),
        ("esx01", False), ("192.0.2.7", False), ("esx01.sitea.com.au", False),
    ],
)  # fmt: skip
def test_of_one_short_name_in_two_domains_each_host_gets_its_own_lines(
    host: str, is_taken: bool, tmp_path: Path
) -> None:
    log = tmp_path / "all.log"
    log.write_text(
        f"<14>1 2026-03-26T21:36:01.000Z {host} vobd 2097764 - - [APDCorrelator] 3us: [vob.storage.apd.start] "
        "Device or filesystem with identifier [naa.600a098038303053453f463031733441] has entered the "
        "All Paths Down state.\n"
    )
    wanted = Wanted(hosts=frozenset({"esx01.sitea.com"}), others=frozenset({"esx01.siteb.com"}))
    made = read_event_logs([log], wanted)
    assert bool(made.events) is is_taken
    assert made.logs[0].elsewhere == (not is_taken)
    assert made.covering == is_taken


def test_a_line_with_another_domain_is_of_another_host() -> None:
    wanted = Wanted(hosts=frozenset({"esx01.sitea.com"}))
    assert [wanted.is_of(each) for each in ("esx01", "ESX01.sitea.com", "192.0.2.7", "", "esx01.siteb.com")] == [
        True, True, True, True, False,
    ]  # fmt: skip


def test_hosts_that_are_not_known_may_be_any(tmp_path: Path) -> None:
    log = logged(tmp_path, FAILED)
    urls = ["s3://bucket/a.csv", "s3://bucket/b.csv"]
    assert event_options([log], None, urls).hosts == ("", "")
    assert event_options([log], None, urls[:1]).hosts == ("",)
    assert event_options([], None, urls).hosts == ()


# --- compare --------------------------------------------------------------------------------------


def compared(folder: Path, baseline: Path, capture: Path, *words: str | Path) -> dict[str, Any]:
    run(folder, "compare", baseline, capture, *words, "-o", "c.html", "--json", "c.json", "--embed", "0")
    return document(folder / "c.json")


def test_compare_takes_the_events_of_both_captures_by_their_time(captures: dict[str, Path], tmp_path: Path) -> None:
    log = logged(tmp_path, FAILED)
    lines = log.read_text() + "\n".join(log_lines(replace(LATER, logged=OTHER.logged), "vobd"))
    log.write_text(lines + "\n")
    found = compared(tmp_path, captures["failed"], captures["later"], "--log", log)
    assert kinds(found["events"]) == LINK_KINDS, "of the later capture alone"
    both = {each["kind"]: (each["before"], each["now"]) for each in found["comparison"]["events"]}
    assert both == dict.fromkeys(PATH_KINDS, (1, 0)) | dict.fromkeys(LINK_KINDS, (0, 1))
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert "Events of logs in both captures" in page
    assert "uplink failures" in page


def test_compare_with_another_host_takes_only_what_says_whose_it_is(
    captures: dict[str, Path], tmp_path: Path
) -> None:
    log = logged(tmp_path / "logs", FAILED)
    nobodys = compared(tmp_path, captures["other"], captures["failed"], "--log", log)
    assert nobodys["events"] == []
    assert nobodys["event_logs"][0]["elsewhere"] == 2
    assert [note["code"] for note in nobodys["quality"] if note["code"] == "events-elsewhere"]
    assert "uplink-failures-logged" not in nobodys["clear"], "what was left out does not acquit"
    assert "uplink-failures-logged" in {each["rule"] for each in nobodys["skipped"]}
    logged(tmp_path / "of" / "esx07", FAILED)
    logged(tmp_path / "of" / "esx08", OTHER)
    found = compared(tmp_path, captures["other"], captures["failed"], "--log", tmp_path / "of")
    assert kinds(found["events"]) == PATH_KINDS
    assert len(found["event_logs"]) == 1, "the other host's log was not read for this one"
    both = {each["kind"]: (each["before"], each["now"]) for each in found["comparison"]["events"]}
    assert both == dict.fromkeys(PATH_KINDS, (0, 1)) | dict.fromkeys(LINK_KINDS, (1, 0))


def test_logs_in_a_capture_folder_are_taken_by_compare(captures: dict[str, Path], tmp_path: Path) -> None:
    folder = written(tmp_path / "capture", LATER, "esxtop-000.csv.gz").parent
    logged(folder / "logs", replace(LATER, logged=OTHER.logged))
    found = compared(tmp_path, captures["failed"], folder)
    assert kinds(found["events"]) == LINK_KINDS
    assert {(each["before"], each["now"]) for each in found["comparison"]["events"]} == {(None, 1)}, "no log before"


def test_a_comparison_without_logs_has_no_events(captures: dict[str, Path], tmp_path: Path) -> None:
    found = compared(tmp_path, captures["failed"], captures["later"])
    assert found["comparison"]["events"] == []
    assert "Events of logs" not in (tmp_path / "c.html").read_text(encoding="utf-8")


# --- fleet ----------------------------------------------------------------------------------------


def judged(folder: Path, *words: str | Path) -> dict[str, Any]:
    run(folder, "fleet", *words, "-o", "f.html", "--json", "f.json", "--embed", "0", "-j", "1")
    return document(folder / "f.json", "fleet")


def by_capture(found: dict[str, Any]) -> list[set[str]]:
    return [kinds(each["digest"]["events"]) for each in found["captures"]]


def test_fleet_gives_each_capture_the_events_of_its_host_and_time(
    captures: dict[str, Path], tmp_path: Path
) -> None:
    logged(tmp_path / "logs" / "esx07", FAILED)
    logged(tmp_path / "logs" / "esx08", OTHER)
    moved = f"{FAILED.start + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    (tmp_path / "logs" / "vcenter.csv").write_text(
        f"time,host,entity,text\n{moved},esx08.example.com,,Switch replaced\n{moved},esx99,,Elsewhere\n"
    )
    found = judged(tmp_path, *captures.values(), "--log", tmp_path / "logs")
    assert by_capture(found) == [PATH_KINDS, LINK_KINDS | {"note"}, set()]
    totals = {each["kind"]: (each["events"], each["captures"]) for each in found["by_event"]}
    assert totals["path-down"] == (1, [0])
    assert totals["uplink-down"] == (1, [1])
    page = (tmp_path / "f.html").read_text(encoding="utf-8")
    assert 'id="events"' in page
    assert "path failures" in page
    report = (tmp_path / "esx07-2130-report.html").read_text(encoding="utf-8")
    assert "path failure" in report
    assert "vmnic1 linkstate down" not in report


def test_a_log_without_a_host_is_of_all_captures_of_one_host(captures: dict[str, Path], tmp_path: Path) -> None:
    log = logged(tmp_path, FAILED)
    assert by_capture(judged(tmp_path, captures["failed"], captures["later"], "--log", log)) == [PATH_KINDS, set()]


def test_logs_in_capture_folders_are_taken_by_fleet(tmp_path: Path) -> None:
    for plan in (FAILED, OTHER):
        folder = written(tmp_path / "captures" / plan.host, plan, "esxtop-000.csv.gz").parent
        logged(folder / "logs", plan)
    found = judged(tmp_path, tmp_path / "captures")
    assert by_capture(found) == [PATH_KINDS, LINK_KINDS]


def test_a_log_that_is_not_there_is_said_once(captures: dict[str, Path], tmp_path: Path) -> None:
    for command in (("fleet", *captures.values()), ("compare", captures["failed"], captures["later"])):
        done = run(tmp_path, *command, "--log", "nowhere.log", code=4)
        assert done.stderr.count("nowhere.log cannot be read") == 1


def test_a_page_says_how_it_was_made_and_a_bundle_holds_each_log_once(
    captures: dict[str, Path], tmp_path: Path
) -> None:
    log = logged(tmp_path / "esx07", FAILED)
    words = ("--log", log, "--bundle", "b.zip", "--with-capture")
    run(tmp_path, "fleet", captures["failed"], captures["other"], *words, "-o", "f.html", "-j", "1", "--embed", "0")
    assert "--log vobd.log" in (tmp_path / "f.html").read_text(encoding="utf-8")
    names = zipfile.ZipFile(tmp_path / "b.zip").namelist()
    assert sum(name.endswith("vobd.log") for name in names) == 1
    words = (*words[:2], "--bundle", "c.zip", "--with-capture")
    run(tmp_path, "compare", captures["failed"], captures["later"], *words, "-o", "c.html", "--embed", "0")
    names = zipfile.ZipFile(tmp_path / "c.zip").namelist()
    assert sum(name.endswith("vobd.log") for name in names) == 1


# --- redaction ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["compare", "fleet"])
def test_no_name_of_a_log_is_in_redacted_pages(captures: dict[str, Path], tmp_path: Path, command: str) -> None:
    secret = replace(
        FAILED, logged=(*path_fails(1, 2, "vmhba1:C0:T1:L0", FAILED.devices[0], "tresor-ds"), *FAILED.logged)
    )
    log = logged(tmp_path / "esx07", secret)
    sources = (captures["other"], captures["failed"])
    more = ("-j", "1") if command == "fleet" else ()
    words = ("--log", log, "--redact", "--redact-map", "m.json", "--bundle", "b.zip", "-o", "x.html")
    run(tmp_path, command, *sources, *words, "--json", "x.json", "--embed", "0", *more)
    texts = [
        zipfile.ZipFile(tmp_path / "b.zip").read(name) for name in zipfile.ZipFile(tmp_path / "b.zip").namelist()
    ]
    texts += [path.read_bytes() for path in tmp_path.glob("*.html")] + [(tmp_path / "x.json").read_bytes()]
    for name in ("tresor-ds", "esx07", "esx08", FAILED.devices[0]):
        assert not [text for text in texts if name.encode() in text], name
    found = document(tmp_path / "x.json", "fleet" if command == "fleet" else "analysis")
    assert "path-down" in kinds(found["by_event"] if command == "fleet" else found["comparison"]["events"])
