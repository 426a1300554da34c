"""What the lab logs: a path that fails is named on the report's first card, which is less sure without the logs."""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from labs import PLAN, OpenLab, clockwork, connect
from shippedbook import analyze

from esxprobe.analyze import EventOptions, GuestOptions
from esxprobe.capture import load_capture
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.session import collect_hosts
from esxprobe.collect.task import HostTask
from esxprobe.lab.csv_rows import capture_lines
from esxprobe.lab.log_files import (
    link_fails,
    log_lines,
    nfs_fails,
    path_fails,
    snapshot_task,
    vmotion_comes_in,
)
from esxprobe.lab.scenarios import path_plan
from esxprobe.model import Analysis
from esxprobe.report.cards import cards_of
from esxprobe.rules import shipped


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, plan = tmp_path_factory.mktemp("path-fails"), path_plan()
    (folder / "esxtop-000.csv.gz").write_bytes(gzip.compress(b"".join(capture_lines(plan, plan.samples))))
    (folder / "logs").mkdir()
    for log in ("vobd", "vmkernel", "hostd"):
        (folder / "logs" / f"{log}.log.gz").write_bytes(gzip.compress("\n".join(log_lines(plan, log)).encode()))
    return folder


def judged(capture: Path, *, with_logs: bool) -> Analysis:
    return analyze([capture / "esxtop-000.csv.gz"], guests=GuestOptions(folder=capture if with_logs else None))


def test_the_first_card_names_the_events_and_is_surer_with_them(capture: Path) -> None:
    with_logs, without = (judged(capture, with_logs=way) for way in (True, False))
    card, bare = (cards_of(each, shipped()).shown[0] for each in (with_logs, without))
    assert (card.anchor, bare.anchor) == ("path-stopped", "path-stopped")
    assert "1 path failure of vmhba1:C0:T1:L0 at 21:33:00 UTC" in card.events
    assert (card.sure, bare.sure) == ("high", "medium")
    assert bare.events == ""


def test_marks_stand_on_the_chart_of_what_the_events_are_about(capture: Path) -> None:
    marks = judged(capture, with_logs=True).charts["path-stopped"].marks
    assert "path-down" in {kind for _, _, kind in marks}


def test_every_line_of_the_lab_is_read_as_what_was_planned(tmp_path: Path) -> None:
    planned = (
        *path_fails(1, 2, "vmhba0:C0:T0:L0", "naa.1", "ds"),
        *vmotion_comes_in(3, 4.5),
        *snapshot_task(4, 12),
        *link_fails(5, 6, "vmnic1", "vSwitch0"),
        *nfs_fails(7, 8, "192.0.2.5", "nfs01"),
    )
    plan = replace(path_plan(), logged=planned)
    for log in ("vobd", "vmkernel", "hostd", "vmksummary"):
        (tmp_path / f"{log}.log").write_text("\n".join(log_lines(plan, log)) + "\n")
    (tmp_path / "e.csv").write_bytes(b"".join(capture_lines(plan, plan.samples)))
    logs = tuple(tmp_path / f"{log}.log" for log in ("vobd", "vmkernel", "hostd", "vmksummary"))
    found = analyze([tmp_path / "e.csv"], guests=GuestOptions(events=EventOptions(logs)))
    assert [event.kind for event in found.events] == [
        "command-failed", "path-down", "storage-redundancy-lost", "path-up", "storage-redundancy-restored",
        "vmotion-low-memory", "snapshot-start", "snapshot-end",
        "uplink-down", "uplink-redundancy-lost", "uplink-up", "uplink-redundancy-restored",
        "nfs-lost", "nfs-restored",
    ]  # fmt: skip


def test_a_link_that_the_capture_shows_as_up_is_judged_by_its_log(tmp_path: Path) -> None:
    """It failed and came back twice between two samples: the counters do not have it."""
    failed = (*link_fails(2.01, 2.02, "vmnic1", "vSwitch0"), *link_fails(5.01, 5.02, "vmnic1", "vSwitch0"))
    plan = replace(path_plan(), logged=failed)
    (tmp_path / "vobd.log").write_text("\n".join(log_lines(plan, "vobd")) + "\n")
    (tmp_path / "e.csv").write_bytes(b"".join(capture_lines(plan, plan.samples)))
    found = analyze([tmp_path / "e.csv"], guests=GuestOptions(events=EventOptions((tmp_path / "vobd.log",))))
    fired = {finding.rule: finding for finding in found.findings}
    assert "uplink-flapping" not in fired
    logged = fired["uplink-failures-logged"]
    assert logged.entity.name.endswith(":vmnic1")
    assert (logged.severity, logged.value) == ("critical", 2.0)


@pytest.mark.parametrize("with_logs", [True, False])
def test_logs_are_collected_with_the_capture(open_lab: OpenLab, tmp_path: Path, with_logs: bool) -> None:
    plan = replace(PLAN, logged=path_fails(0.2, 0.5, "vmhba0:C0:T0:L0", PLAN.devices[0], "ds01"))
    lab = open_lab(plan)
    (host,) = lab.hosts.values()
    task = HostTask(host.plan.host, CapturePlan(5, 13), connect(lab, host.target), logs=with_logs)
    (done,) = collect_hosts([task], tmp_path, tool_version="test", stop=threading.Event(), clockwork=clockwork(lab))
    assert done.folder is not None
    manifest = json.loads((done.folder / "capture.json").read_text())
    files = {file["name"] for file in manifest["files"] if file["name"].startswith("logs/")}
    all_logs = {f"logs/{log}.log.gz" for log in ("vobd", "vmkernel", "hostd", "vmksummary")}
    assert files == (all_logs if with_logs else set())
    loaded = load_capture(done.folder)
    read = analyze(loaded.paths, manifest=loaded.manifest, guests=GuestOptions(folder=done.folder))
    assert ("path-down" in [event.kind for event in read.events]) is with_logs
