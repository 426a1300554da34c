"""A report of many captures that is ended from outside leaves no process behind, whatever it was at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest
from hostsim import VmPlan, write_capture
from shell import environment, plan


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for n in range(6):
        write_capture(
            folder / f"host{n}.csv", plan(VmPlan("web01", 1_200_100, 1, 1024), host=f"esx{n}.example.com")
        )
    return folder


def with_mark(mark: str) -> set[int]:
    """Processes that have the mark in their environment, those that have ended left out."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"MARK={mark}".encode() in (place / "environ").read_bytes():
                found.add(int(place.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize(
    ("number", "processes"),
    [
        pytest.param(signal.SIGTERM, 2, id="a worker starts"),
        pytest.param(signal.SIGTERM, 4, id="workers are there"),
        pytest.param(signal.SIGTERM, 6, id="workers draw"),
        pytest.param(signal.SIGHUP, 4, id="the terminal is closed"),
        pytest.param(signal.SIGKILL, 4, id="killed"),
    ],
)
def test_no_process_stays(captures: Path, tmp_path: Path, number: signal.Signals, processes: int) -> None:
    mark = uuid.uuid4().hex
    command = [sys.executable, "-m", "esxprobe", "fleet", str(captures), "--jobs", "2", "-o", "out"]
    running = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(MARK=mark),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # As in a terminal, also where these tests run under nohup.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509 - one thread
    )
    deadline = time.monotonic() + 60
    while len(with_mark(mark)) < processes and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.poll() is None, f"there never were {processes} processes"
    os.kill(running.pid, number)
    ended = -signal.SIGKILL if number == signal.SIGKILL else 128 + number
    assert running.wait(60) == ended, "it went on as if nothing had been sent"
    while with_mark(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert with_mark(mark) == set()
