"""`esxprobe explore`: the page of every counter has what guests counted and what logs say, as a report has."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from shell import Run

from esxprobe.report.packed import part_of, unpacked

FOLDER = Path(__file__).parents[2] / "samples" / "software-mmu"
DEVICE = "naa.600a0b80001111550000f35b93e19ab3"
LOG = (
    f"2026-01-23T09:36:00.000Z: [scsiCorrelator] 4480061217us: [esx.problem.scsi.device.io.latency.high] Device "
    f"{DEVICE} performance has deteriorated. I/O latency increased from average value of 1832 microseconds to "
    "122319 microseconds.\n"
    "2026-01-23T09:37:00.000Z: [netCorrelator] 4480061217us: [esx.problem.net.vmnic.linkstate.down] Physical NIC "
    "vmnic3 linkstate is down\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sample with the lines of a log that were collected with it."""
    made = tmp_path / "capture"
    shutil.copytree(FOLDER, made)
    (made / "logs").mkdir(exist_ok=True)
    (made / "logs" / "vobd.log").write_text(LOG, encoding="utf-8")
    return made


def index_of(page: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads(part_of(page.read_text(encoding="utf-8"), "series"))
    return index


def guest_series(index: dict[str, Any]) -> set[tuple[str, str]]:
    """VM and counter of the series that guests counted."""
    of_guests = {n for n, each in enumerate(index["meanings"]) if index["objects"][each[0]] == "Guest"}
    return {
        (index["vms"][index["things"][thing][2]][0], index["meanings"][meaning][1])
        for meaning, thing in zip(index["meaning"], index["thing"], strict=True)
        if meaning in of_guests
    }


def test_a_capture_folder_brings_its_guests_and_logs(run: Run, folder: Path, tmp_path: Path) -> None:
    assert run("explore", folder, "-o", "explore.html").returncode == 0
    assert run("report", folder, "-o", "report.html").returncode == 0
    alone, beside = index_of(tmp_path / "explore.html"), index_of(tmp_path / "report.html")
    assert {vm for vm, _ in guest_series(alone)} == {"cgi01", "intranet"}
    assert guest_series(alone) == guest_series(beside)
    assert alone["events"] == beside["events"]
    assert [mark[3] for mark in alone["events"]["marks"]] == [[DEVICE], ["vmnic3"]]


def test_guests_and_logs_of_a_lone_file_are_given(run: Run, folder: Path, tmp_path: Path) -> None:
    log, guest = folder / "logs" / "vobd.log", folder / "guests" / "cgi01.txt"
    done = run(
        "explore", folder / "esxtop-000.csv.gz", "--log", log, "--guest-log", f"cgi01={guest}", "-o", "explore.html"
    )
    assert done.returncode == 0, done.stderr
    index = index_of(tmp_path / "explore.html")
    assert {vm for vm, _ in guest_series(index)} == {"cgi01"}
    assert len(index["events"]["marks"]) == 2
    assert "--guest-log cgi01=cgi01.txt --log vobd.log" in (tmp_path / "explore.html").read_text(encoding="utf-8")


def test_names_of_events_are_redacted(run: Run, folder: Path, tmp_path: Path) -> None:
    done = run("explore", folder, "--redact", "-o", "explore.html")
    assert done.returncode == 0, done.stderr
    index = index_of(tmp_path / "explore.html")
    (device,), (uplink,) = (mark[3] for mark in index["events"]["marks"])
    assert DEVICE not in unpacked((tmp_path / "explore.html").read_text(encoding="utf-8"))
    assert device in {thing[1] for thing in index["things"]}, "the same pseudonym as in the series"
    assert uplink == "vmnic3"
    assert len(guest_series(index)) > 0


def test_a_log_that_cannot_be_used_is_named_and_the_page_is_written(run: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "guests" / "cgi01.txt").write_text("no log\n", encoding="utf-8")
    done = run("explore", folder, "-o", "explore.html")
    assert done.returncode == 0
    assert "cgi01.txt" in done.stderr
    assert {vm for vm, _ in guest_series(index_of(tmp_path / "explore.html"))} == {"intranet"}


def test_a_log_is_not_written_over(run: Run, folder: Path) -> None:
    log = folder / "logs" / "vobd.log"
    done = run("explore", folder / "esxtop-000.csv.gz", "--log", log, "-o", log)
    assert done.returncode == 2
    assert log.read_text(encoding="utf-8") == LOG
