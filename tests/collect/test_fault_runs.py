"""Fault probes and experiments as part of a collection: beside the capture, in the manifest, never in its way."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from host_said import answers
from hostsim import VmPlan, write_capture
from localplan import PLAN
from localshell import LocalShell, Naps

import esxprobe
from esxprobe.capture import MANIFEST
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.experiment import FaultPlan, FaultRun, HostView
from esxprobe.collect.guests import Guest
from esxprobe.collect.plainview import plain_view
from esxprobe.collect.session import HostOutcome, HostTask, collect_host
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.formats.injections import read_injections

Environment = dict[str, str]
VM = "web01"


def collect(
    environment: Environment, out: Path, *faults: FaultPlan, rows: int = 16
) -> tuple[HostOutcome, list[Any]]:
    """The outcome, and what the manifest on disk said at each announcement of a run."""
    environment["EPOCH"] = str(time.time())
    guest = Guest(VM, lambda: LocalShell(environment), interval_s=1)
    host = LocalShell(environment, answer=answers)
    task = HostTask("host01", CapturePlan(2, rows), lambda: host, (guest,), faults)
    seen: list[Any] = []

    def announced(_host: str, run: FaultRun) -> None:
        (folder,) = out.glob("host01-*")
        written = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        log = folder / run.file
        seen.append((run, written["fault_runs"], bool(run.file) and log.is_file() and log.stat().st_size))

    done = collect_host(
        task,
        out,
        tool_version=esxprobe.__version__,
        stop=threading.Event(),
        fault_run=announced,
        clockwork=Clockwork(sleep=Naps()),
    )
    return done, seen


def fault_runs(outcome: HostOutcome) -> list[dict[str, Any]]:
    assert outcome.folder is not None
    manifest = json.loads((outcome.folder / MANIFEST).read_text(encoding="utf-8"))
    return list(manifest["fault_runs"])


def test_a_probe_is_part_of_the_capture(environment: Environment, tmp_path: Path) -> None:
    done, seen = collect(environment, tmp_path, FaultPlan(VM))
    assert (done.outcome, done.error) == ("whole", None)
    assert [(run.kind, run.outcome) for run in done.fault_runs] == [("probe", "whole")]
    (entry,) = fault_runs(done)
    assert (entry["vm"], entry["file"]) == (VM, f"guests/{VM}-probe.txt")
    assert done.folder is not None
    assert read_injections(done.folder / entry["file"]).calibration is not None
    assert len(seen) == 1


def test_the_order_is_on_disk_before_the_first_block(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esxprobe.collect.experiment.FaultPlan.block_s", lambda _plan, _interval_s: 0.1)
    # gzip on the host still holds the few samples of so short a capture back
    monkeypatch.setattr("esxprobe.collect.faultruns.plain_view", lambda *_: HostView(1.0, samples=60))
    environment["SPEED"] = "10"
    done, seen = collect(environment, tmp_path, FaultPlan(VM, 3), rows=80)
    assert [(run.kind, run.outcome) for run, _, _ in seen][:2] == [("probe", "whole"), ("experiment", "running")]
    running, written, begun = seen[1]
    assert written[-1]["order"] == running.order
    assert len(running.order) == 30
    assert not begun, "the injector began before its order was written down"
    last = fault_runs(done)[-1]
    assert (last["outcome"], last["order"]) == ("whole", running.order)


def test_an_experiment_is_refused_when_no_sample_has_come(environment: Environment, tmp_path: Path) -> None:
    done, _ = collect(environment, tmp_path, FaultPlan(VM, 300), rows=16)
    run = done.fault_runs[-1]
    assert (run.kind, run.outcome, run.order) == ("experiment", "refused", "")
    assert run.reason
    assert done.outcome == "whole", "the capture is not touched by it"


def capture(path: Path, vm: VmPlan, samples: int = 60) -> Path:
    write_capture(path, replace(PLAN, vms=(vm,), samples=samples))
    return path


def test_a_vm_with_one_vcpu_needs_an_extra_yes(tmp_path: Path) -> None:
    file = capture(tmp_path / "one.csv", VmPlan(VM, 1_200_100, 1, 1024))
    refused = plain_view([file], FaultPlan(VM, 300), 10.0, 15)
    assert any("one vCPU" in why for why in refused.objections)
    allowed = plain_view([file], FaultPlan(VM, 300, single_vcpu=True), 10.0, 15)
    assert allowed.objections == ()
    assert allowed.half_width_pct is not None
    assert allowed.samples == 59, "the first one has no length"


@pytest.mark.parametrize(
    ("vm", "why"),
    [
        (VmPlan(VM, 1_200_100, 2, 1024, load_pct=90), "there is no headroom"),
        (VmPlan(VM, 1_200_100, 2, 1024, ready_pct=14), "waits for a physical CPU"),
        (VmPlan("other", 1_200_100, 2, 1024), "shows 0 VMs named web01"),
    ],
)
def test_a_vm_in_trouble_is_left_alone(vm: VmPlan, why: str, tmp_path: Path) -> None:
    view = plain_view([capture(tmp_path / "sick.csv", vm)], FaultPlan(VM, 300), 10.0, 15)
    assert any(why in each for each in view.objections), view


def test_a_guest_that_refuses_leaves_the_capture_whole(environment: Environment, tmp_path: Path) -> None:
    environment["EPOCH"] = str(time.time())
    logins: list[LocalShell] = []

    def connect() -> LocalShell:
        shell = LocalShell(environment, answer=lambda command: "" if "experiment/1" in command else None)
        logins.append(shell)
        return shell

    task = HostTask(
        "host01",
        CapturePlan(2, 16),
        lambda: LocalShell(environment, answer=answers),
        (Guest(VM, connect, interval_s=1),),
        (FaultPlan(VM),),
    )
    done = collect_host(task, tmp_path, tool_version="1", stop=threading.Event(), clockwork=Clockwork(sleep=Naps()))
    assert done.outcome == "whole"
    assert done.fault_runs[0].outcome == "failed"
    assert done.fault_runs[0].reason
