"""Guests that really run: channels into them, their CPU time, and the end of all their processes."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from esxprobe.errors import EXIT_HOST_FAILED
from esxprobe.lab.machine import Gone
from esxprobe.lab.real.agent import ERR, INPUT, OUT, FrameSplitter, frame
from esxprobe.lab.real.channels import GuestLostError, GuestShell, RunningCommand
from esxprobe.lab.real.cputime import CpuTime, busy_pct
from esxprobe.lab.real.guests import RealGuest, RealLayerError, RunningGuest, require_uml, unavailable_reason
from esxprobe.lab.real.host import RealHostMachine
from esxprobe.lab.real.lab import host_plan
from esxprobe.lab.real.procfiles import ProcFiles
from esxprobe.lab.real.workload import LoadLevels

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300.0


def await_that(happens: Callable[[], bool], what: str) -> None:
    """Waits for what can be seen."""
    end = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)


def output(running: RunningCommand) -> tuple[bytes, bytes, int | None]:
    """What a command says until its end: output, errors, status."""
    said = {OUT: b"", ERR: b""}
    while (piece := running.read(PATIENCE_S)) is not None:
        said[piece[0]] += piece[1]
    return said[OUT], said[ERR], running.status


def alive(process: int) -> bool:
    """Whether it is there, and is no zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def native(tmp_path: Path) -> Iterator[RunningGuest]:
    """A native guest with two channels and its own counters."""
    counters = ProcFiles(tmp_path)
    guest = RunningGuest(RealGuest("native", "native"), tmp_path, channels=2, replace=counters.paths)
    try:
        counters.describe(guest.cpu_time)
        guest.await_boot(PATIENCE_S)
        yield guest
    finally:
        guest.close()
        counters.close()


# --- channels --------------------------------------------------------------------------------------------


def test_frames_come_out_as_they_went_in_however_the_stream_is_cut() -> None:
    sent = [(OUT, b"a" * 3), (ERR, b""), (INPUT, bytes(range(256)) * 30)]
    stream = b"".join(frame(kind, payload) for kind, payload in sent)
    for size in (1, 4, 5, 7, 7_000, len(stream)):
        frames, got = FrameSplitter(), []
        for begin in range(0, len(stream), size):
            got += frames.feed(stream[begin : begin + size])
        assert got == sent, size


def test_a_command_has_three_streams_and_a_status(native: RunningGuest) -> None:
    running = native.channels.start("echo out; echo err >&2; cat; exit 7")
    running.write(b"in\n")
    running.end_input()
    assert output(running) == (b"out\nin\n", b"err\n", 7)
    assert output(native.channels.start("kill -9 $$"))[2] == -signal.SIGKILL


def echoed(guest: RunningGuest, size: int) -> None:
    """Sends something into a guest and compares what comes back."""
    content = os.urandom(size)
    running = guest.channels.start("cat", PATIENCE_S)
    feeder = threading.Thread(target=lambda: (running.write(content), running.end_input()))
    feeder.start()
    assert output(running) == (content, b"", 0), size
    feeder.join()


def test_much_goes_both_ways_at_once(native: RunningGuest) -> None:
    echoed(native, 1_000_000)


@pytest.mark.usefixtures("real_layer")
def test_nothing_is_lost_on_the_way_into_a_kernel(tmp_path: Path) -> None:
    """Its terminals hold 4,096 bytes, and a driver whose buffer was full may not wake up again."""
    guest = RunningGuest(RealGuest("web01"), tmp_path, channels=4)
    try:
        guest.await_boot(PATIENCE_S)
        sizes = (0, 1, 1_019, 2_043, 4_086, 4_096, 300_000)
        with ThreadPoolExecutor(len(sizes)) as pool:  # more than there are channels
            list(pool.map(lambda size: echoed(guest, size), sizes * 2))
    finally:
        guest.close()


def test_long_commands_arrive_whole(native: RunningGuest) -> None:
    text = "".join(f"word-{number} " for number in range(9_000))
    assert output(native.channels.start(f": '{text}'; echo '{text[-12:]}'")) == (
        text[-12:].encode() + b"\n",
        b"",
        0,
    )


def test_who_hangs_up_closes_the_pipes_and_the_channel_is_free_again(native: RunningGuest) -> None:
    before = set(native.cpu_time.processes())
    talking = native.channels.start("while echo again; do sleep 0.05; done")
    assert talking.read(PATIENCE_S) is not None
    listening = native.channels.start("cat >/dev/null")
    talking.hang_up()
    listening.hang_up()
    await_that(lambda: set(native.cpu_time.processes()) <= before, "both met a closed pipe and ended")
    for _ in range(2):  # on each of the two channels
        assert output(native.channels.start("echo next"))[0] == b"next\n"


class Leaving:
    """An SSH client that types without end, reads little, and disconnects."""

    def __init__(self, reads: int) -> None:
        self._reads, self._typed, self._left = reads, 0, False

    def receive(self, timeout_s: float) -> bytes:  # noqa: ARG002
        self._typed += 50_000
        return bytes(50_000)

    def is_gone(self) -> bool:
        return self._left or (self._typed > 0 and not self._reads)

    def write(self, content: bytes) -> None:  # noqa: ARG002
        self._reads -= 1
        if self._reads <= 0:
            self._reads, self._left = 0, True
            raise Gone


@pytest.mark.parametrize(("command", "reads"), [("sleep 1000", 0), ("yes", 3), ("yes & sleep 1000", 3), ("cat", 9)])
def test_who_disconnects_frees_the_channel_whatever_the_command_does(
    native: RunningGuest, command: str, reads: int
) -> None:
    with suppress(Gone):
        GuestShell(native.channels).run(command, Leaving(reads))
    for _ in range(2):  # on each of the two channels
        assert output(native.channels.start("echo next"))[0] == b"next\n"


def test_no_free_channel_is_an_error(native: RunningGuest) -> None:
    taken = [native.channels.start("cat") for _ in range(2)]
    with pytest.raises(TimeoutError, match="all 2 channels"):
        native.channels.start("true", timeout_s=0.1)
    for each in taken:
        each.end_input()
        assert output(each)[2] == 0


def test_a_guest_that_ends_is_lost_to_its_commands(native: RunningGuest) -> None:
    running = native.channels.start("sleep 1000")
    for process in native.cpu_time.processes():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    with pytest.raises(GuestLostError):
        output(running)


def test_a_guest_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esxprobe.lab.real.guests.python", lambda: [sys.executable, "-I", "-S", "-c", "bad("])
    guest = RunningGuest(RealGuest("odd", "native"), tmp_path)
    try:
        with pytest.raises(RealLayerError, match="guest odd did not start") as caught:
            guest.await_boot(PATIENCE_S)
    finally:
        guest.close()
    assert "SyntaxError" in caught.value.hint


# --- nothing is left ----------------------------------------------------------------------------------

LAB = """
import sys, tempfile, threading, time
from pathlib import Path
from esxprobe.lab.real.guests import LoadPlan, RealGuest
from esxprobe.lab.real.lab import RealLab

def work():
    lab.running["a"].channels.start("setsid sleep 1000 & sleep 1000")
    print(*lab.running["a"].cpu_time.processes(), lab.running["a"].process_id, flush=True)

with tempfile.TemporaryDirectory() as folder:
    def start():
        global lab
        lab = RealLab([RealGuest("a", sys.argv[1], LoadPlan("fork", forks_s=20))], Path(folder))
    thread = threading.Thread(target=start)
    thread.start()
    thread.join()  # the thread that started the guests ends; they go on
    with lab, lab.loads():
        work()
        print("folder", next(iter(lab.running.values())).folder, flush=True)
        if sys.argv[2] == "raise":
            raise RuntimeError("no more")
        time.sleep(1000)
"""


def nothing_is_left(layer: str, how: str) -> None:
    """Ends a lab in one way and waits until no process and no folder of it is there."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LAB, layer, how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as lab:
        assert lab.stdout is not None
        processes = [int(word) for word in lab.stdout.readline().split()]
        folder = Path(lab.stdout.readline().decode().split(maxsplit=1)[1].strip())
        assert len(processes) > 5
        if how != "raise":
            assert all(alive(process) for process in processes[-1:])
            lab.send_signal(getattr(signal, how))
    await_that(lambda: not any(alive(process) for process in processes), "every process of the lab has ended")
    await_that(lambda: not folder.exists() and not folder.parent.exists(), "its folder is gone")


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM", "SIGINT", "raise"])
def test_nothing_of_a_native_guest_is_left(how: str) -> None:
    nothing_is_left("native", how)


@pytest.mark.usefixtures("real_layer")
def test_nothing_of_a_kernel_is_left_when_its_lab_is_killed() -> None:
    nothing_is_left("uml", "SIGKILL")


# --- processor time and counters ----------------------------------------------------------------------

BURN = "import time\nwhile time.process_time() < 0.4: pass"


def test_processor_time_of_what_has_ended_is_counted(native: RunningGuest) -> None:
    """Twice 0.4 s, once below a shell that has ended as well; starting Python costs some more."""
    python = f"{sys.executable} -I -S -c '{BURN}'"
    before = native.cpu_time.read()
    assert output(native.channels.start(f'{python}; (sh -c "{python.replace(chr(34), "")}" | cat)'))[2] == 0
    after = native.cpu_time.read()
    assert 0.8 - 0.03 <= after.run_s - before.run_s < 1.4
    assert after.ready_s >= before.ready_s


def test_processor_time_never_goes_back(native: RunningGuest) -> None:
    storm = native.channels.start("while :; do /bin/true; done")
    readings = [native.cpu_time.read() for _ in range(300)]
    storm.hang_up()
    runs, waits = [each.run_s for each in readings], [each.ready_s for each in readings]
    assert runs == sorted(runs)
    assert waits == sorted(waits)
    assert runs[-1] > runs[0]


def test_the_counters_of_a_native_guest_are_those_of_its_processes(native: RunningGuest) -> None:
    pages = 50_000
    touch = f"import mmap; m = mmap.mmap(-1, {pages} * 4096, flags=34); m.madvise(15); m[::4096] = bytes({pages})"

    def faults() -> dict[str, int]:
        said = output(
            native.channels.start("grep -hE '^(pgfault|pgmajfault|ctxt|btime) ' /proc/vmstat /proc/stat")
        )[0]
        return {name: int(count) for name, count in (line.split() for line in said.decode().splitlines())}

    before = faults()
    assert before.keys() == {"pgfault", "pgmajfault", "ctxt", "btime"}
    assert output(native.channels.start(f"{sys.executable} -I -S -c '{touch}'"))[1:] == (b"", 0)
    after = faults()
    assert pages <= after["pgfault"] - before["pgfault"] < pages + 10_000, "and what starting Python takes"
    assert after["ctxt"] >= before["ctxt"]
    assert after["btime"] == before["btime"]


def test_shares_of_processors() -> None:
    assert busy_pct([(10.0, 5.0), (0.0, 0.0)], [(11.0, 8.0), (0.0, 0.0)]) == (25.0, 0.0)


class Written:
    """A meter whose readings are known, in a time that passes when somebody waits."""

    def __init__(self, run_pct: list[float], ready_pct: list[float]) -> None:
        self.at_s, self._steps = 100.0, iter(zip(run_pct, ready_pct, strict=True))
        self._run_s = self._ready_s = 0.0

    def read(self) -> CpuTime:
        return CpuTime(self.at_s, self._run_s, self._ready_s)

    def now(self) -> float:
        return 1_780_000_000.3 + self.at_s

    def wait_until(self, moment: float, gone: Callable[[], bool]) -> bool:
        length_s = moment - self.now() + 0.04  # esxtop is a little late
        run, ready = next(self._steps)
        self.at_s += length_s
        self._run_s += run / 100 * length_s
        self._ready_s += ready / 100 * length_s
        return not gone()


def test_rows_show_what_was_measured_over_the_time_that_passed() -> None:
    run, ready = [0.0, 12.5, 99.0, 101.2, 50.0], [0.0, 30.0, 9.0, 5.0, 0.0]
    meter = Written(run, ready)
    plan = host_plan([RealGuest("web01")], "esx-real.example.com", 0.0)
    machine = RealHostMachine(plan, meter, [meter])
    meter.at_s += 5
    header, *rows = (line.decode().strip() for line in machine._lines(2, 6, None, lambda: False))
    names = header.strip('"').split('","')
    cells = [dict(zip(names, row.strip('"').split('","'), strict=True)) for row in rows]

    def of(counter: str) -> list[float]:
        (name,) = (name for name in names if "vmx-vcpu-0:web01" in name and name.endswith(f"\\{counter}"))
        return [float(row[name]) for row in cells[1:]]

    assert of("% Run") == pytest.approx(run, abs=0.006), "nothing of a guest's processor time is lost"
    assert of("% Ready") == pytest.approx([0.0, 30.0, 1.0, 0.0, 0.0], abs=0.006), "as far as there is time left"
    for states in zip(*map(of, ("% Run", "% Ready", "% Wait", "% CoStop")), strict=True):
        assert sum(states) == pytest.approx(max(100.0, states[0]), abs=0.02)
    stamps = [datetime.strptime(row[names[0]], "%m/%d/%Y %H:%M:%S") for row in cells]
    assert {(b - a).total_seconds() for a, b in pairwise(stamps)} <= {2.0, 3.0}


# --- loads --------------------------------------------------------------------------------------------


def test_levels_go_together_against_or_each_for_itself() -> None:
    blocks = [7.0 * block + 1 for block in range(4_000)]
    kinds = {kind: [LoadLevels(kind, 7.0, 3).at(moment) for moment in blocks] for kind in ("co", "anti", "indep")}
    for kind, expected in (("co", 1.0), ("anti", -1.0), ("indep", 0.0)):
        faults = [first for first, _ in kinds[kind]]
        mean = sum(faults) / len(faults)
        assert mean == pytest.approx(1.0, abs=0.05)
        assert 0 <= min(faults) < 0.01
        assert 1.99 < max(faults) <= 2
        slope = sum((f - mean) * (o - 1) for f, o in kinds[kind]) / sum((f - mean) ** 2 for f in faults)
        assert slope == pytest.approx(expected, abs=0.06)
    storms = [LoadLevels("fork", 7.0, 3).at(moment)[0] for moment in blocks]
    assert all(sorted(storms[i : i + 4]) == [0, 0, 0, 4] for i in range(0, len(storms), 4))
    assert LoadLevels("steady", 7.0, 3).at(99.0) == (1.0, 1.0)


# --- where it is not there ----------------------------------------------------------------------------


def test_a_layer_that_is_not_there_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RealLayerError, match=r"linux\.uml is not installed") as caught:
        require_uml()
    assert "apt-get install user-mode-linux" in caught.value.hint
    assert caught.value.exit_code == EXIT_HOST_FAILED
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert "this is aarch64" in unavailable_reason()
    with pytest.raises(RealLayerError) as other:
        require_uml()
    assert "apt-get" not in other.value.hint, "there is no such package there"
