"""Guests: their loops really run here, with a POSIX sh that is not bash."""

import os
import re
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from localshell import LocalShell, Naps

from esxprobe.collect.guest_loops import WINDOWS_COUNTERS, linux_loop, typeperf_loop
from esxprobe.collect.guests import Guest, capture_guest, guest_command
from esxprobe.collect.retry import BACKOFF_S
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.errors import ConnectError, ConnectionLostError, HostError, HostKeyError, LoginError

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
    assert done.clock.start is not None
    assert done.clock.end is not None
    assert abs(done.clock.start.offset_s) <= done.clock.start.uncertainty_s + 0.01
    text = (tmp_path / done.file).read_text(encoding="utf-8")
    head, *blocks = re.split(r"(?m)^@ ", text)
    assert head == "# esxprobe guest/1 linux interval_s=1\n"
    stamps = [float(block.split("\n", 1)[0]) for block in blocks]
    assert all(0.9 < b - a < 30 for a, b in pairwise(stamps))
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
        out = shell.run(command, timeout_s=60).stdout.decode()
        assert re.search(r"(?m)^@ \d{10}$", out), out


def test_the_loop_ends_by_itself_and_says_nothing_else(environment: Environment) -> None:
    done = LocalShell(environment).run(linux_loop(1, 2), timeout_s=60)
    assert done.stdout.count(b"\n@ ") == 2
    assert done.stderr == b""


def test_a_guest_that_lets_nobody_in_is_an_outcome(tmp_path: Path) -> None:
    def connect() -> LocalShell:
        raise LoginError("web01 does not let us in")

    begun = threading.Event()
    done = capture_guest(Guest("web01", connect), tmp_path, 10, stop=threading.Event(), begun=begun)
    assert (done.outcome, done.reason, done.file) == ("failed", "web01 does not let us in", "")
    assert begun.is_set()


def test_a_guest_that_is_lost_goes_on_in_a_second_file(environment: Environment, tmp_path: Path) -> None:
    stop, naps, shells = threading.Event(), Naps(), []

    def connect() -> LocalShell:
        if len(shells) == 1 and len(naps.asked) < 3:
            raise ConnectError("no route to web01")
        shells.append(LocalShell(environment, lose_after=None if shells else 500))
        return shells[-1]

    thread = stopped_after(2, tmp_path / "guests/web01-1.txt", stop)
    guest = Guest("web01", connect, interval_s=1)
    done = capture_guest(guest, tmp_path, 1000, stop=stop, clockwork=Clockwork(sleep=naps))
    thread.join()
    assert (done.outcome, done.reason) == ("partial", "no route to web01")
    assert done.files == ("guests/web01.txt", "guests/web01-1.txt")
    assert (done.file, done.method) == (done.files[0], "linux")
    (gap,) = done.gaps
    assert (gap.after, gap.before, gap.reason) == (*done.files, "no route to web01")
    assert 0 < gap.seconds < 60
    assert naps.asked == list(BACKOFF_S[:3])
    texts = [(tmp_path / file).read_text(encoding="utf-8") for file in done.files]
    assert all(text.startswith("# esxprobe guest/1 linux interval_s=1\n@ ") for text in texts)
    assert done.samples == sum(text.count("\n@ ") for text in texts)
    assert done.bytes == sum(len(text) for text in texts)
    assert done.clock.end is not None
    assert len(done.connections) == 2


def test_a_guest_that_does_not_come_back_is_given_up(environment: Environment, tmp_path: Path) -> None:
    naps, shells = Naps(), []

    def connect() -> LocalShell:
        if shells:
            raise ConnectError("no route to web01")
        shells.append(LocalShell(environment, lose_after=500))
        return shells[-1]

    guest = Guest("web01", connect, interval_s=1)
    done = capture_guest(guest, tmp_path, 1000, stop=threading.Event(), clockwork=Clockwork(sleep=naps))
    assert (done.outcome, done.reason, done.gaps) == ("partial", "no route to web01", ())
    assert (tmp_path / done.file).stat().st_size == done.bytes >= 500
    assert naps.asked == list(BACKOFF_S)
    assert done.clock.end is None


@pytest.mark.parametrize("refusal", [LoginError, HostKeyError])
def test_a_guest_that_refuses_later_is_asked_once(
    environment: Environment, tmp_path: Path, refusal: type[HostError]
) -> None:
    asked: list[int] = []

    def connect() -> LocalShell:
        asked.append(1)
        if len(asked) > 1:
            raise refusal("not you")
        return LocalShell(environment, lose_after=500)

    guest = Guest("web01", connect, interval_s=1)
    done = capture_guest(guest, tmp_path, 1000, stop=threading.Event(), clockwork=Clockwork(sleep=Naps()))
    assert (done.outcome, done.reason, len(asked)) == ("partial", "not you", 2)


def test_guests_of_one_name_do_not_share_a_file(environment: Environment, tmp_path: Path) -> None:
    for expected in ("guests/web01.txt", "guests/web01-1.txt"):
        guest = Guest("web01", lambda: LocalShell(environment), interval_s=1)
        done = capture_guest(guest, tmp_path, 1, stop=threading.Event())
        assert (done.files, done.samples) == ((expected,), 1)


def test_the_host_does_not_wait_for_a_guest_in_trouble(tmp_path: Path) -> None:
    begun, waited = threading.Event(), []

    def connect() -> LocalShell:
        raise ConnectionLostError("gone")

    def nap(seconds: float) -> None:
        waited.append(begun.is_set())

    guest = Guest("web01", connect)
    capture_guest(guest, tmp_path, 9, stop=threading.Event(), begun=begun, clockwork=Clockwork(sleep=nap))
    assert waited == [True] * len(BACKOFF_S)


@pytest.mark.parametrize("name", ["../../evil", "a b'$(touch PWNED)\"", ".."])
def test_the_name_of_a_vm_is_never_a_way_out(environment: Environment, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "capture"
    folder.mkdir()
    guest = Guest(name, lambda: LocalShell(environment), interval_s=1)
    done = capture_guest(guest, folder, 1, stop=threading.Event())
    assert (folder / done.file).resolve().parent == folder / "guests"
    assert done.vm == name
    assert name not in done.command
    assert {path.name for path in tmp_path.iterdir()} == {"capture", "written"}


def test_windows_is_asked_for_the_counters_in_english() -> None:
    command = typeperf_loop(1, 700)
    assert command.startswith('typeperf "\\Memory\\Page Faults/sec" "\\Memory\\Page Reads/sec" ')
    assert command.endswith(' "\\Processor(_Total)\\% Privileged Time" -si 1 -sc 700')
    assert command.count('"') == 2 * len(WINDOWS_COUNTERS)
    guest = Guest("win01", LocalShell, system="windows", interval_s=1)
    assert guest_command(guest, 700) == command
