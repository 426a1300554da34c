"""Lines of the host's logs: what takes them runs in BusyBox, in a folder that stands in for /var/run/log."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from localshell import LocalShell

from esxprobe.collect.command import CapturePlan
from esxprobe.collect.log_collection import FOLDER, LOGS, log_line, take_logs
from esxprobe.collect.stream_to_file import Link
from esxprobe.errors import ConnectionLostError

PLAN = CapturePlan(5, 121)
BUSYBOX = shutil.which("busybox")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    folder.mkdir()
    return folder


def lines(*minutes_ago: float, text: str = "x") -> str:
    now = datetime.now(UTC)
    return "".join(
        f"{now - timedelta(minutes=m):%Y-%m-%dT%H:%M:%S}.000Z cpu1:2){text} {m:g}\n" for m in minutes_ago
    )


def run(line: str, logs: Path) -> bytes:
    assert BUSYBOX, "BusyBox is needed"
    here = line.replace("/var/run/log", str(logs))
    command = [BUSYBOX, "sh", "-c", here]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        out = process.stdout.read()  # its input stays open meanwhile, as on a channel
    assert process.returncode == 0
    return gzip.decompress(out)


def test_the_window_is_taken_out_of_rotations_and_the_live_log(logs: Path) -> None:
    (logs / "vobd.1.gz").write_bytes(gzip.compress(lines(5000, 60).encode()))
    os.utime(logs / "vobd.1.gz", (0, 0))  # last written long ago: not even unpacked
    (logs / "vobd.0.gz").write_bytes(gzip.compress((lines(60, 30) + "--> continued 30\n").encode()))
    (logs / "vobd.log").write_text(lines(20, 1))
    (logs / "vmkernel.log").write_text(lines(1, text="another log"))
    said = run(log_line("vobd", PLAN), logs).decode().splitlines()
    assert [line.split()[-1] for line in said] == ["30", "30", "20", "1"]
    assert said[1] == "--> continued 30"


def test_no_more_than_so_many_bytes_come(logs: Path) -> None:
    (logs / "hostd.log").write_text(lines(1, text="y" * 1000) * 12_000)
    assert len(run(log_line("hostd", PLAN), logs)) == 8 << 20


def test_a_host_without_logs_is_no_failure(environment: dict[str, str], tmp_path: Path) -> None:
    shell = LocalShell(environment)
    outcomes = take_logs(Link(lambda: shell), PLAN, tmp_path, threading.Event())
    assert [(each.name, each.outcome, each.file) for each in outcomes] == [(f"log-{log}", "ok", "") for log in LOGS]
    assert not (tmp_path / FOLDER).exists()


def test_a_stop_ends_it(environment: dict[str, str], tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    shell = LocalShell(environment)
    outcomes = take_logs(Link(lambda: shell), PLAN, tmp_path, stop)
    assert {each.outcome for each in outcomes} == {"skipped"}
    assert shell.commands == []


def test_after_a_lost_connection_the_rest_is_left(tmp_path: Path) -> None:
    def refused() -> LocalShell:
        raise ConnectionLostError("the connection to host01 ended")

    outcomes = take_logs(Link(refused), PLAN, tmp_path, threading.Event())
    assert [each.outcome for each in outcomes] == ["failed", "skipped", "skipped", "skipped"]
