"""The collector against the lab, over real SSH: what arrives is what the plan says, byte for byte."""

import gzip
import hashlib
import json
import re
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from labs import LINUX_VM, PLAN, WINDOWS_VM, OpenLab, Passed, Tape, clockwork, connect, guests_of, other_host
from shippedbook import analyze

from esxprobe.capture import load_capture
from esxprobe.collect.check import CheckTask, check_host
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.segment import Progress
from esxprobe.collect.session import collect_hosts
from esxprobe.collect.shell import Shell
from esxprobe.collect.task import HostOutcome, HostTask
from esxprobe.lab.csv_rows import at_interval, capture_lines
from esxprobe.lab.guest import GuestMachine
from esxprobe.lab.lab import Lab
from esxprobe.lab.plan import HostPlan
from esxprobe.ssh.connect import Login, open_shell
from esxprobe.ssh.target import Target


def collect(
    lab: Lab, out: Path, plan: CapturePlan, *, stop: threading.Event | None = None, stop_at: int | None = None
) -> list[HostOutcome]:
    stop = stop or threading.Event()

    def progress(now: Progress) -> None:
        if stop_at is not None and now.samples >= stop_at:
            stop.set()

    tasks = [
        HostTask(host.plan.host, plan, connect(lab, host.target), guests_of(lab, host))
        for host in lab.hosts.values()
    ]
    return collect_hosts(tasks, out, tool_version="test", stop=stop, progress=progress, clockwork=clockwork(lab))


def manifest_of(outcome: HostOutcome) -> dict[str, Any]:
    assert outcome.folder is not None
    manifest = json.loads((outcome.folder / "capture.json").read_text(encoding="utf-8"))
    assert isinstance(manifest, dict)
    return manifest


def esxtop_of(outcome: HostOutcome, segment: int = 0) -> bytes:
    assert outcome.folder is not None
    return gzip.decompress((outcome.folder / f"esxtop-{segment:03}.csv.gz").read_bytes())


def test_a_whole_capture_arrives_as_the_plan_writes_it(open_lab: OpenLab, tmp_path: Path) -> None:
    lab = open_lab()
    (outcome,) = collect(lab, tmp_path / "out", CapturePlan(5, 31))
    assert (outcome.outcome, outcome.error, outcome.samples, outcome.notes) == ("whole", None, 31, ())
    assert esxtop_of(outcome) == b"".join(capture_lines(PLAN))

    manifest = manifest_of(outcome)
    assert manifest["state"] == "whole"
    assert manifest["build"] == "VMware ESXi 8.0.3 build-24022510"
    assert [probe["name"] for probe in manifest["probes"] if probe["outcome"] != "ok"] == []
    assert {vm["name"]: vm["monitor"]["mmu"] for vm in manifest["vms"]} == {
        LINUX_VM: "software",
        WINDOWS_VM: "hardware",
        "quiet": "hardware",
    }
    assert manifest["left_behind"] == {**manifest["left_behind"], "processes": [], "checked": True}
    for file in manifest["files"]:
        content = (outcome.folder / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())

    capture = load_capture(outcome.folder)
    analysis = analyze(capture.paths, manifest=capture.manifest)
    assert {vm.name: vm.mmu for vm in analysis.vms}[LINUX_VM] == "software"
    assert "checksum-differs" not in {note.code for note in analysis.quality}


def test_guests_are_whole_and_their_streams_are_the_plan_s(open_lab: OpenLab, tmp_path: Path) -> None:
    lab = open_lab()
    (outcome,) = collect(lab, tmp_path / "out", CapturePlan(5, 31))
    assert [(guest.vm, guest.outcome) for guest in outcome.guests] == [(LINUX_VM, "whole"), (WINDOWS_VM, "whole")]
    end = PLAN.true_start + 30 * 5
    for guest, vm in zip(outcome.guests, PLAN.vms, strict=False):
        assert outcome.folder is not None
        came = (outcome.folder / guest.file).read_bytes()
        tape = Tape()
        GuestMachine(vm, PLAN, Passed(end + 900), lab.began).run(guest.command, tape)  # type: ignore[arg-type]
        assert tape.said.startswith(came), f"{vm.name}: the stream is not the plan's"
        assert guest.samples >= 36, f"{vm.name}: {guest.samples} samples do not reach from before to behind"
    linux = (outcome.folder / outcome.guests[0].file).read_text()
    stamps = [
        float(stamp) - vm_ahead
        for stamp in re.findall(r"^@ ([\d.]+)$", linux, re.MULTILINE)
        for vm_ahead in [PLAN.vms[0].guest.clock_ahead_s]
    ]  # type: ignore[union-attr]
    assert stamps[0] < PLAN.true_start
    assert stamps[-1] > end


def test_clocks_are_read_as_far_off_as_they_are(open_lab: OpenLab, tmp_path: Path) -> None:
    lab = open_lab(speed=100)
    (outcome,) = collect(lab, tmp_path / "out", CapturePlan(5, 5))
    manifest = manifest_of(outcome)
    ahead = {vm.name: vm.guest.clock_ahead_s for vm in PLAN.vms if vm.guest}
    readings = [(PLAN.clock_ahead_s, manifest["clock"])]
    readings += [(ahead[guest["vm"]], guest["clock"]) for guest in manifest["guests"]]
    for truth, clock in readings:
        for reading in (clock["start"], clock["end"]):
            assert abs(reading["offset_s"] - truth) <= reading["uncertainty_s"] + 1e-3
    assert {guest["vm"]: guest["clock"]["start"]["zone"] for guest in manifest["guests"]}[WINDOWS_VM] == "+02:00"


def test_a_stop_in_mid_capture_ends_esxtop_and_keeps_what_came(open_lab: OpenLab, tmp_path: Path) -> None:
    lab = open_lab(replace(PLAN, samples=4_000), speed=60)
    (outcome,) = collect(lab, tmp_path / "out", CapturePlan(5, 4_000), stop_at=15)
    assert (outcome.outcome, outcome.stopped, outcome.error) == ("partial", True, None)
    assert 15 <= outcome.samples < 4_000
    (host,) = lab.hosts.values()
    assert host.machine.running == ()
    assert manifest_of(outcome)["left_behind"]["processes"] == []
    wanted = b"".join(capture_lines(PLAN, outcome.samples))
    capture = load_capture(outcome.folder)  # type: ignore[arg-type]
    assert analyze(capture.paths, manifest=capture.manifest).capture.samples in {
        outcome.samples,
        outcome.samples + 1,
    }
    came = zlib.decompressobj(31).decompress((outcome.folder / "esxtop-000.csv.gz").read_bytes())  # type: ignore[operator]
    assert came.startswith(wanted)


def test_two_hosts_at_once(open_lab: OpenLab, tmp_path: Path) -> None:
    plans = (PLAN, other_host("lab02.example.com", 77))
    lab = open_lab(*plans)
    outcomes = collect(lab, tmp_path / "out", CapturePlan(5, 20))
    assert [outcome.outcome for outcome in outcomes] == ["whole", "whole"]
    assert len({guest.file for outcome in outcomes for guest in outcome.guests}) == 2
    for plan, outcome in zip(plans, outcomes, strict=True):
        assert esxtop_of(outcome) == b"".join(capture_lines(plan, 20))
    assert esxtop_of(outcomes[0]) != esxtop_of(outcomes[1])


def test_segments_go_on_where_the_time_is(open_lab: OpenLab, tmp_path: Path) -> None:
    lab = open_lab()
    (outcome,) = collect(lab, tmp_path / "out", CapturePlan(5, 25, 60))
    assert outcome.outcome == "whole"
    first, second = esxtop_of(outcome).splitlines(), esxtop_of(outcome, 1).splitlines()
    assert first[0] == second[0]
    assert (len(first), len(second)) == (14, 14)
    begins = stamps_of(PLAN).index(second[1][:21])
    assert begins >= 13, "the second segment does not repeat the first"
    wanted = list(capture_lines(PLAN, 13, begins))
    assert [line + b"\n" for line in second] == wanted
    # a run's first sample is an average since boot; from the second on a sample is the same in every run
    assert wanted[2:] == list(capture_lines(PLAN, begins + 13))[begins + 2 :]


def stamps_of(plan: HostPlan) -> list[bytes]:
    return [line[:21] for line in capture_lines(plan, 200)][1:]


def test_another_interval_is_the_same_host_looked_at_more_often(open_lab: OpenLab, tmp_path: Path) -> None:
    lab = open_lab()
    (outcome,) = collect(lab, tmp_path / "out", CapturePlan(2, 12))
    assert manifest_of(outcome)["interval_achieved_s"] == 2.0
    assert esxtop_of(outcome) == b"".join(capture_lines(at_interval(PLAN, 2), 12))


@pytest.mark.parametrize("rows", [1, 30, 181])
def test_a_sample_does_not_depend_on_how_many_are_asked_for(rows: int) -> None:
    whole = list(capture_lines(PLAN, 200))
    assert list(capture_lines(PLAN, rows)) == whole[: rows + 1]


def test_another_seed_says_something_else() -> None:
    assert list(capture_lines(PLAN, 5)) == list(capture_lines(replace(PLAN), 5))
    assert list(capture_lines(PLAN, 5)) != list(capture_lines(replace(PLAN, seed=PLAN.seed + 1), 5))


def test_the_lab_can_be_checked_as_any_host_and_nothing_is_captured(open_lab: OpenLab) -> None:
    lab = open_lab()
    (host,) = lab.hosts.values()
    guests = guests_of(lab, host)
    task = HostTask(host.plan.host, CapturePlan(5, 31), connect(lab, host.target), guests)
    login = Login(config_files=(lab.ssh_config,))
    targets = [host.guests[guest.vm].target for guest in guests]
    check = CheckTask(
        task,
        lambda passed: open_shell(host.target, login, passed=passed),
        tuple(partial(_open, target, login) for target in targets),
    )
    checked = check_host(check, lab.clock.now)
    assert {step.name: step.outcome for step in checked.host.steps} == {
        step.name: "ok" for step in checked.host.steps
    }, checked
    assert [step.outcome for guest in checked.guests for step in guest.steps if step.outcome != "ok"] == []


def _open(target: Target, login: Login, passed: Callable[[str, str], None]) -> Shell:
    return open_shell(target, login, passed=passed)
