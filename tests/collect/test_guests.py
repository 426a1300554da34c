"""Guests: their loops really run here, with a POSIX sh that is not bash."""

import os
import re
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from localshell import LocalShell

from esxprobe.collect.guests import (
    WINDOWS_COUNTERS,
    Guest,
    capture_guest,
    guest_command,
    linux_loop,
    windows_loop,
)
from esxprobe.errors import LoginError

Environment = dict[str, str]


def stopped_after(samples: int, file: Path, stop: threading.Event) -> threading.Thread:
    """Asks for a stop when a file has so many samples."""

    def watch() -> None:
        while not stop.wait(0.05):
            if file.exists() and file.read_bytes().count(b"\n@ ") >= samples:
                stop.set()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_three_intervals_of_a_linux_guest(environment: Environment, tmp_path: Path) -> None:
    stop, begun = threading.Event(), threading.Event()
    guest = Guest("web01", lambda: LocalShell(environment), interval_s=1)
    thread = stopped_after(3, tmp_path / "guests/web01.txt", stop)
    done = capture_guest(guest, tmp_path, 1000, stop=stop, begun=begun)
    thread.join()
    assert (done.outcome, done.reason, done.file) == ("whole", "", "guests/web01.txt")
    assert done.samples >= 3
    assert begun.is_set()
    assert done.clock_start is not None
    assert done.clock_end is not None
    assert abs(done.clock_start.offset_s) < 1
    text = (tmp_path / done.file).read_text(encoding="utf-8")
    head, *blocks = re.split(r"(?m)^@ ", text)
    assert head == "# esxprobe guest/1 linux interval_s=1\n"
    stamps = [float(block.split("\n", 1)[0]) for block in blocks]
    assert all(0.9 < b - a < 3 for a, b in pairwise(stamps))
    totals = [int(re.search(r"(?m)^pgfault (\d+)$", block)[1]) for block in blocks[:-1]]
    assert totals == sorted(totals)
    assert all(re.search(r"(?m)^cpu  ?\d+ ", block) for block in blocks[:-1])
    assert all(re.search(r"(?m)^ctxt \d+$", block) for block in blocks[:-1])


def test_a_guest_whose_date_knows_no_fraction_gives_seconds(tmp_path: Path) -> None:
    (tmp_path / "date").write_text('#!/bin/sh\nexec /bin/date "$(echo "$1" | sed s/%N/%%N/)"\n')
    (tmp_path / "date").chmod(0o755)
    for without_builtin in ("dash", "busybox ash"):
        shell = LocalShell(path=f"{tmp_path}:{os.environ['PATH']}")
        command = linux_loop(1, 1).replace("exec sh ", f"exec {without_builtin} ")
        out = shell.run(command, timeout_s=10).stdout.decode()
        assert re.search(r"(?m)^@ \d{10}$", out), out


def test_the_loop_ends_by_itself_and_says_nothing_else(environment: Environment) -> None:
    done = LocalShell(environment).run(linux_loop(1, 2), timeout_s=10)
    assert done.stdout.count(b"\n@ ") == 2
    assert done.stderr == b""


def test_a_guest_that_lets_nobody_in_is_an_outcome(tmp_path: Path) -> None:
    def connect() -> LocalShell:
        raise LoginError("web01 does not let us in")

    begun = threading.Event()
    done = capture_guest(Guest("web01", connect), tmp_path, 10, stop=threading.Event(), begun=begun)
    assert (done.outcome, done.reason, done.file) == ("failed", "web01 does not let us in", "")
    assert begun.is_set()


def test_a_guest_that_is_lost_keeps_its_part(environment: Environment, tmp_path: Path) -> None:
    guest = Guest("web01", lambda: LocalShell(environment, lose_after=500), interval_s=1)
    done = capture_guest(guest, tmp_path, 1000, stop=threading.Event())
    assert (done.outcome, done.reason) == ("partial", "the connection to local ended")
    assert (tmp_path / done.file).stat().st_size == done.bytes >= 500
    assert done.clock_end is not None, "read on a connection of its own"
    assert len(done.connections) == 2


def test_a_guest_that_has_no_such_command_says_so(environment: Environment, tmp_path: Path) -> None:
    guest = Guest("win01", lambda: LocalShell(environment), system="windows")
    done = capture_guest(guest, tmp_path, 10, stop=threading.Event())
    assert done.outcome == "failed"
    assert "typeperf: not found" in done.reason


@pytest.mark.parametrize("name", ["../../evil", "a b'$(touch PWNED)\"", ".."])
def test_the_name_of_a_vm_is_never_a_way_out(environment: Environment, tmp_path: Path, name: str) -> None:
    stop = threading.Event()
    stop.set()
    folder = tmp_path / "capture"
    folder.mkdir()
    done = capture_guest(Guest(name, lambda: LocalShell(environment), interval_s=1), folder, 10, stop=stop)
    assert (folder / done.file).resolve().parent == folder / "guests"
    assert done.vm == name
    assert name not in done.command
    assert {path.name for path in tmp_path.iterdir()} == {"capture", "written"}


def test_windows_is_asked_for_the_counters_in_english() -> None:
    command = windows_loop(1, 700)
    assert command.startswith('typeperf "\\Memory\\Page Faults/sec" "\\Memory\\Page Reads/sec" ')
    assert command.endswith(' "\\Processor(_Total)\\% Privileged Time" -si 1 -sc 700')
    assert command.count('"') == 2 * len(WINDOWS_COUNTERS)
    guest = Guest("win01", LocalShell, system="windows", interval_s=1)
    assert guest_command(guest, 700) == command


def test_windows_rows_are_counted_without_the_header(environment: Environment, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    script = r"""printf '\r\n"(PDH-CSV 4.0)","\\\\WIN\\Memory\\Page Faults/sec"\r\n'
for i in 1 2 3; do printf '"11/22/2026 09:00:0%s.123","1.0"\r\n' $i; done
"""
    (tools / "typeperf").write_text("#!/bin/sh\n" + script)
    (tools / "typeperf").chmod(0o755)
    shell_path = f"{tools}:{os.environ['PATH']}"
    guest = Guest("win01", lambda: LocalShell(environment, path=shell_path), system="windows", interval_s=1)
    done = capture_guest(guest, tmp_path, 3, stop=threading.Event())
    assert (done.samples, done.file) == (3, "guests/win01.csv")
    assert (done.outcome, done.reason) == ("partial", "it ended by itself")
