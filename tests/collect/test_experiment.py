"""Fault probes and experiments in a guest, which here is this machine: what runs, and what is refused."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from localshell import LocalShell

from esxprobe.collect.experiment import (
    FEWEST_PAIRS,
    FaultPlan,
    FaultRun,
    HostView,
    Surroundings,
    draw,
    rate_for,
    run_in_guest,
)
from esxprobe.collect.guests import Guest
from esxprobe.collect.injectors import PROBE, Dose, linux_injector, windows_injector
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.errors import HostError
from esxprobe.formats.injections import parse_injections, read_injections
from esxprobe.model import Calibration

WITHOUT_PYTHON = {"python3": "command -v python3", "perl": "command -v nothing-like-it"}
AT_ONCE = Clockwork(sleep=lambda _: None)


def ran(command: str, env: dict[str, str] | None = None) -> str:
    """What a command prints while its input stays open."""
    reading, writing = os.pipe()
    try:
        return subprocess.run(
            ["sh", "-c", command], stdin=reading, capture_output=True, text=True, env=env, check=False
        ).stdout
    finally:
        os.close(reading)
        os.close(writing)


def only(injector: str, dose: Dose) -> str:
    """The command in a guest that has only this one."""
    return linux_injector(dose).replace("command -v python3", WITHOUT_PYTHON[injector])


@pytest.mark.parametrize("injector", WITHOUT_PYTHON)
def test_the_probe_takes_one_fault_a_page_by_the_kernels_own_count(injector: str) -> None:
    log = parse_injections(ran(only(injector, PROBE)))
    assert (log.injector, log.end) == (injector, "done")
    assert log.cpus == os.cpu_count()
    assert log.calibration
    assert log.calibration.faults == pytest.approx(1.0, abs=0.02)
    assert 0 < log.calibration.touch_low_us <= log.calibration.touch_us <= log.calibration.touch_high_us
    assert log.calibration.sham_us < log.calibration.touch_us


@pytest.mark.parametrize("injector", WITHOUT_PYTHON)
def test_blocks_that_fault_do_and_shams_do_not(injector: str) -> None:
    log = parse_injections(ran(only(injector, Dose(1.0, 5000.0, "10010110", 60))))
    assert log.end == "done"
    assert log.lost == 0
    edges = [row for row in log.table if row[1] >= 0]
    assert log.table[-1][0] - log.start_s == pytest.approx(8.0, abs=0.5)
    pages, faults = log.table[-1][2], log.table[-1][3]
    assert pages == pytest.approx(4 * 5000, rel=0.15)
    assert faults == pytest.approx(pages, rel=0.05)
    for one, other in pairwise(edges):
        if one[1] == 0:
            assert other[2] == one[2]
            assert other[3] - one[3] < 30  # the lines that it prints take some


@pytest.mark.parametrize("injector", WITHOUT_PYTHON)
def test_it_stops_when_its_input_closes(injector: str) -> None:
    with subprocess.Popen(
        ["sh", "-c", only(injector, Dose(5.0, 1000.0, "10" * 12, 60))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("@"):
                process.stdin.close()
                break
        closed = time.monotonic()
        lines += process.stdout.readlines()
        assert time.monotonic() - closed < 30
    assert lines[-1] == "end input closed\n"
    assert process.returncode == 0


def test_it_stops_when_memory_runs_short(tmp_path: Path) -> None:
    """The programs read a /proc/meminfo of ours: little is available from the third look on."""
    command = linux_injector(Dose(1.0, 1000.0, "10" * 12, 60))
    short = tmp_path / "meminfo"
    short.write_text("MemTotal: 1000000 kB\nMemAvailable:   200000 kB\n")
    for injector, how in WITHOUT_PYTHON.items():
        made = command.replace("command -v python3", how).replace("/proc/meminfo", str(short))
        log = parse_injections(ran(made))
        assert (log.injector, log.end) == (injector, "memory")
        assert not len(log.table)


def test_a_guest_without_either_says_so(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    log = parse_injections(ran(linux_injector(PROBE), env={"PATH": str(tmp_path)}))
    assert log.injector == "none"
    assert "neither python3 nor perl" in log.end


def test_no_word_of_a_dose_can_reach_the_guests_shell() -> None:
    words = linux_injector(Dose(5.0, 1000.0, draw(3), 30))
    assert words.startswith("exec sh -c '")
    assert windows_injector(PROBE).split()[-1].isalnum() or "=" in windows_injector(PROBE)


def test_orders_are_pairs_and_differ() -> None:
    orders = {draw(20) for _ in range(20)}
    assert len(orders) == 20
    assert all(order[n : n + 2] in ("10", "01") for order in orders for n in range(0, 40, 2))


def test_the_rate_is_what_the_budget_allows() -> None:
    timed = Calibration(256, 41.0, 58.0, 90.0, 44.0, 2.0, 0.1, 1.0)
    assert rate_for(timed, 10.0) == pytest.approx(100_000 / 60)
    assert rate_for(replace(timed, touch_us=0.5, release_us=0.1, cpu_us=0.4), 10.0) == 100_000


# --- as part of a collection ----------------------------------------------------------------------


class Announced:
    def __init__(self, folder: Path) -> None:
        self.runs: list[FaultRun] = []
        self._folder = folder

    def __call__(self, run: FaultRun) -> None:
        self.runs.append(run)
        if run.outcome == "running":
            file = self._folder / run.file
            assert not file.exists() or not file.stat().st_size, "the order comes before the first block"


def surroundings(
    folder: Path, look: Callable[[float, int], HostView] = lambda _block, _pairs: HostView(1.0), **more: object
) -> tuple[Surroundings, Announced]:
    announced = Announced(folder)
    made = Surroundings(folder, 2.0, threading.Event(), look, announced, AT_ONCE)
    return replace(made, **more), announced


def guest(connect: Callable[[], LocalShell] = LocalShell) -> Guest:
    return Guest("web01", connect)


def short_plan(seconds: int = 120) -> FaultPlan:
    return FaultPlan("web01", seconds)


def test_a_probe_alone_leaves_its_log(tmp_path: Path) -> None:
    around, announced = surroundings(tmp_path)
    (probe,) = run_in_guest(guest(), FaultPlan("web01"), around)
    assert (probe.kind, probe.outcome, probe.reason) == ("probe", "whole", "")
    assert read_injections(tmp_path / probe.file).calibration
    assert announced.runs == [probe]


def test_an_experiment_is_announced_with_its_order_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("esxprobe.collect.experiment.SHORTEST_BLOCK_S", 0.25)
    around, announced = surroundings(tmp_path, interval_s=0.1)
    _, run = run_in_guest(guest(), short_plan(6), around)
    assert (run.outcome, run.reason) == ("whole", "")
    assert [each.outcome for each in announced.runs] == ["whole", "running", "whole"]
    assert announced.runs[1].order == run.order
    assert len(run.order) == 24
    log = read_injections(tmp_path / run.file)
    assert log.end == "done"
    assert log.table[-1][2] > 0


REFUSED = {
    "too short": (60, HostView(1.0), "6 pairs of blocks; at least 12 are needed"),
    "too long": (4000, HostView(1.0), "longer than 30 minutes"),
    "hopeless": (300, HostView(20.0), "the result would be inconclusive"),
    "in trouble": (300, HostView(1.0, ("the balloon holds some of its memory",)), "the balloon holds"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_experiment_that_could_do_harm_or_not_tell_is_refused(name: str, tmp_path: Path) -> None:
    seconds, view, why = REFUSED[name]
    around, announced = surroundings(tmp_path, look=lambda _block, _pairs: view)
    _, run = run_in_guest(guest(), short_plan(seconds), around)
    assert run.outcome == "refused"
    assert why in run.reason
    assert run.order == ""
    assert announced.runs[-1] == run


def test_a_stop_ends_it_and_keeps_what_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    around, _ = surroundings(tmp_path)
    plan = short_plan(5 * 2 * FEWEST_PAIRS)

    def stop_later(run: FaultRun) -> None:
        if run.outcome == "running":
            threading.Thread(target=_stop_when_it_runs, args=(tmp_path / run.file, around.stop)).start()

    _, run = run_in_guest(guest(), plan, replace(around, announce=stop_later))
    assert run.outcome == "partial"
    assert "stopped" in run.reason or "input closed" in run.reason
    assert len(read_injections(tmp_path / run.file).table)


def _stop_when_it_runs(file: Path, stop: threading.Event) -> None:
    for _ in range(600):
        if file.exists() and b"\n@ " in file.read_bytes():
            break
        time.sleep(0.1)
    stop.set()


def test_a_guest_that_cannot_be_reached_is_an_outcome(tmp_path: Path) -> None:
    def unreachable() -> LocalShell:
        raise HostError("web01 refuses the login")

    around, _ = surroundings(tmp_path)
    probe, run = run_in_guest(guest(unreachable), short_plan(), around)
    assert (probe.outcome, probe.reason) == ("failed", "web01 refuses the login")
    assert (run.outcome, run.reason) == ("refused", "the probe did not work")
    assert FEWEST_PAIRS == 12
