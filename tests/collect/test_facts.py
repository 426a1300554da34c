"""What a host says of itself: an answer in `data/<probe>/<case>.txt`, what it means in the JSON beside it."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from host_said import DATA, answers
from hypothesis import given, note, settings
from hypothesis import strategies as st
from localshell import BIN, LocalShell

from esxprobe.collect.bounded import KILLED, listed, parse_vm_files, vm_files_line, within
from esxprobe.collect.cleanup_check import check_left_behind, others_esxtop
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.facts import PROBES, Probe, parse_answer
from esxprobe.collect.host_clock import HOST_CLOCK, LINUX_CLOCK, parse_clock, read_clock
from esxprobe.collect.monitor import parse_vmx
from esxprobe.collect.probing import Questions, ask_clock, question
from esxprobe.collect.session import collect_host
from esxprobe.collect.stream_to_file import Link
from esxprobe.collect.task import HostTask
from esxprobe.errors import ConnectionLostError, HostError, HostTimeoutError
from esxprobe.formats.vmware_log import MonitorMode, parse_monitor_mode

CASES = sorted(DATA.glob("*/*.txt"))
PARSERS = {
    **{probe.name: probe for probe in PROBES},
    "vmx": Probe("vmx", "", parse_vmx),
    "monitor": Probe("monitor", "", parse_monitor_mode),
}
EVIL = "a b'c\"d$(touch PWNED)`touch PWNED`;touch PWNED\\ *?!{x,y}&|<>~#%2f\nnew"


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_answer_means_what_stands_beside_it(case: Path) -> None:
    meaning, note = parse_answer(PARSERS[case.parent.name], case.read_text(encoding="utf-8"))
    expected = json.loads(case.with_suffix(".json").read_text(encoding="utf-8"))
    if isinstance(meaning, MonitorMode):
        meaning = {key: text for key, text in asdict(meaning).items() if key != "lines"}
    assert meaning == expected
    assert bool(note) == (expected is None)


def test_every_probe_has_data() -> None:
    assert {path.parent.name for path in CASES} == set(PARSERS)
    assert len({probe.name for probe in PROBES}) == len(PROBES)


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=200) | st.from_regex(r"( *[A-Z][a-z ]+:? [-\d]*\n){0,6}"))
def test_no_answer_breaks_a_parser(text: str) -> None:
    """To make up a text takes longer than to parse it: each is given to all of them."""
    for probe in PARSERS.values():
        note(f"the parser of {probe.name}")
        meaning, _ = parse_answer(probe, text)
        json.dumps(asdict(meaning) if isinstance(meaning, MonitorMode) else meaning)


def test_the_folder_of_a_vm_stays_text(tmp_path: Path) -> None:
    name = EVIL.replace("\n", "").replace("/", "")  # a path is a line
    folder = tmp_path / name
    folder.mkdir()
    (folder / "vmware.log").write_text("x| vmx| gphys-sw.vmm\nsomething else\n", encoding="utf-8")
    (folder / "vmware-7.log").write_text("x| vmx| gphys-ept.vmm\n", encoding="utf-8")
    vmx = folder / f"{name}.vmx"
    vmx.write_text('displayName = "x"\nvirtualHW.version = "19"\n', encoding="utf-8")
    done = LocalShell().run(vm_files_line(60), timeout_s=60, stdin=listed([str(vmx), "/nowhere/x.vmx"]))
    settings, logs, *missing = parse_vm_files(done.stdout.decode())
    mode = parse_monitor_mode(logs.text)
    assert (mode.mmu, mode.file) == ("software", "vmware.log")
    assert parse_vmx(settings.text) == {"virtualHW.version": "19"}
    assert [(part.number, part.what, part.status) for part in missing] == [(1, "vmx", 2), (1, "log", 2)]
    assert all("/nowhere" in part.text for part in missing)
    assert not list(tmp_path.rglob("PWNED"))


@pytest.mark.parametrize("shell", ["busybox ash", "sh"])
def test_a_file_that_hangs_is_given_up_and_the_next_one_read(tmp_path: Path, shell: str) -> None:
    paths = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vm.vmx").write_text('numvcpus = "2"\n')
        (tmp_path / name / "vmware.log").write_text("x| vmx| gphys-sw.vmm\n")
        paths.append(str(tmp_path / name / "vm.vmx"))
    knows_time = shell != "sh"  # where `read` knows no time, the limit on our side holds alone
    if knows_time:
        (tmp_path / "b" / "vmware.log").unlink()
        os.mkfifo(tmp_path / "b" / "vmware.log")
    done = subprocess.run(
        [*shell.split(), "-c", vm_files_line(1)], input=listed(paths), capture_output=True, check=True
    )
    found = {(part.number, part.what): part for part in parse_vm_files(done.stdout.decode())}
    assert [part.status for part in found.values()] == [0, 0, 0, None if knows_time else 0, 0, 0]
    assert "gphys-sw" in found[2, "log"].text
    until_gone(found[1, "log"].process)


def until_gone(process: str) -> None:
    deadline, line = time.monotonic() + 60, Path(f"/proc/{process}/cmdline")
    while line.exists() and b"grep" in line.read_bytes():
        assert time.monotonic() < deadline, "grep stays on the host"
        time.sleep(0.05)


def test_a_question_that_takes_too_long_is_ended_with_what_it_started() -> None:
    mark = f"3{time.time_ns() % 10**6:06}.25"
    shell = LocalShell()
    done = shell.run(within(f"echo begun; sleep {mark} || true; echo over", 1), timeout_s=60, holds_input=True)
    assert (done.stdout, done.status) == (b"begun\n", KILLED)
    assert not subprocess.run(["pgrep", "-f", f"sleep {mark}"], check=False, capture_output=True).stdout
    done = shell.run(within('echo "it\'s" >&2; exit 7', 60), timeout_s=60, holds_input=True)
    assert (done.stdout, done.stderr, done.status) == (b"", b"it's\n", 7)
    done = shell.run(within(f"sleep {mark}", 60), timeout_s=60)
    assert done.status == KILLED, "its channel ended"


@given(text=st.text(max_size=300) | st.from_regex(r"(<[^\n]*\n|=\d (vmx|log) (hung|long|\d) \d+\n){0,8}"))
def test_any_answer_about_files_is_read_as_far_as_it_makes_sense(text: str) -> None:
    for part in parse_vm_files(text):
        assert part.what in {"vmx", "log"}
        assert part.text == "" or part.text.endswith("\n")


def test_what_cannot_be_asked_is_a_note(tmp_path: Path) -> None:
    questions = Questions(tmp_path, threading.Event())
    questions.ask_all(Link(lambda: LocalShell(answer=answers)))
    outcomes = {outcome.name: outcome for outcome in questions.outcomes}
    assert questions.facts["version"]["build"] == "VMware ESXi 8.0.3 build-24022510"
    assert "cpu" not in questions.facts
    assert "not found" in outcomes["cpu"].note
    web, evil = questions.vms
    assert (web["hardware_version"], web["monitor"]["mmu"]) == ("19", "hardware")
    assert web["monitor"]["evidence"] == "gphys-ept.vmm"
    assert (evil["hardware_version"], evil["monitor"]["mmu"]) == (None, "unknown")
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {outcome.file for outcome in questions.outcomes if outcome.file}
    assert all(re.fullmatch(r"probes/[A-Za-z0-9._-]+\.txt", file) for file in files)
    assert (tmp_path / outcomes["version"].file).read_bytes() == (DATA / "version/8.0.txt").read_bytes()
    json.dumps([questions.facts, questions.vms])


def test_a_connection_that_is_lost_ends_the_questions_only(tmp_path: Path) -> None:
    class Lost(LocalShell):
        def run(self, *_: object, **__: object) -> object:  # type: ignore[override]
            raise ConnectionLostError("gone")

    shells: list[Lost] = []

    def connect() -> LocalShell:
        shells.append(Lost())
        return shells[-1]

    link = Link(connect)
    questions = Questions(tmp_path, threading.Event())
    questions.ask_all(link)
    assert [outcome.outcome for outcome in questions.outcomes] == ["failed", *["skipped"] * (len(PROBES) - 1)]
    assert shells[0].closed
    assert link.shell() is not shells[0]


def test_a_host_that_hangs_is_not_waited_for_at_every_question(tmp_path: Path) -> None:
    class Hanging(LocalShell):
        def run(self, *_: object, **__: object) -> object:  # type: ignore[override]
            raise HostTimeoutError("too long")

    questions = Questions(tmp_path, threading.Event())
    questions.ask_all(Link(Hanging))
    assert [outcome.outcome for outcome in questions.outcomes][:3] == ["failed", "failed", "skipped"]


# --- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1774560600\n", (1774560600.5, 1.0, ""), id="seconds"),
        pytest.param("1774560600.25\n", (1774560600.25, 0.0, ""), id="fraction"),
        pytest.param("1774560600.N\n", (1774560600.5, 1.0, ""), id="no N"),
        pytest.param("1774560600.%N\n", (1774560600.5, 1.0, ""), id="no N, as it stands"),
        pytest.param("1774560600.\n", (1774560600.5, 1.0, ""), id="N is nothing"),
        pytest.param("motd\n1774560600\n", (1774560600.5, 1.0, ""), id="after a greeting"),
        pytest.param("2026-03-26T23:30:00.1234567+02:00\r\n", (1774560600.123456, 0.0, "+02:00"), id="Windows"),
    ],
)
def test_clocks_are_read(text: str, expected: tuple[float, float, str]) -> None:
    assert parse_clock(text) == expected


@pytest.mark.parametrize("text", ["", "Thu Mar 26", "12", "2026-03-26T23:30:00", "sh: date: not found"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_clock(text)


def test_a_clock_is_compared_at_the_middle_of_the_round_trip() -> None:
    ours = iter([100_000_000.0, 100_000_004.0])
    shell = LocalShell(answer=lambda _: "100000060\n")
    reading = read_clock(shell, HOST_CLOCK, lambda: next(ours))
    assert (reading.at, reading.offset_s) == (100_000_002.0, 58.5)
    assert (reading.round_trip_s, reading.uncertainty_s) == (4.0, 2.5)


@pytest.mark.parametrize("command", [HOST_CLOCK, LINUX_CLOCK])
def test_this_machine_agrees_with_itself(command: str) -> None:
    reading = read_clock(LocalShell(), command, time.time)
    assert abs(reading.offset_s) <= reading.uncertainty_s + 0.01


def test_a_host_without_a_clock_is_an_error() -> None:
    with pytest.raises(HostError, match="is not a valid time"):
        read_clock(LocalShell(), "false", lambda: 1.0)


# --- commands that are not there --------------------------------------------------------------------


@pytest.fixture
def bare(tmp_path: Path) -> LocalShell:
    """A host whose shell finds nothing but itself."""
    tools = tmp_path / "bare"
    tools.mkdir()
    for name in ("sh", "busybox"):
        (tools / name).symlink_to(shutil.which("busybox") or "busybox")
    return LocalShell(path=str(tools))


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_a_command_that_is_not_there_is_a_note(bare: LocalShell, tmp_path: Path, probe: Probe) -> None:
    done = bare.run(question(probe), timeout_s=60, holds_input=True)
    assert b"not found" in done.stderr
    assert (done.stdout, done.status) == (b"", 127)
    questions = Questions(tmp_path, threading.Event())
    questions.ask_all(Link(lambda: bare))
    outcome = {outcome.name: outcome for outcome in questions.outcomes}[probe.name]
    assert (outcome.outcome, "not found" in outcome.note) == ("failed", True)


def test_without_date_ps_and_grep_nothing_is_known_and_nothing_fails(bare: LocalShell, tmp_path: Path) -> None:
    assert "is not a valid time" in ask_clock(Link(lambda: bare), time.time)[1]
    assert others_esxtop(Link(lambda: bare), CapturePlan()) == ()
    left = check_left_behind(Link(lambda: bare), CapturePlan())
    assert (left.checked, left.reason) == (False, "the host lists no processes")
    (tmp_path / "vm").mkdir()
    done = bare.run(vm_files_line(5), timeout_s=60, stdin=listed([str(tmp_path / "vm" / "vm.vmx")]))
    assert [(part.what, part.status) for part in parse_vm_files(done.stdout.decode())] == [
        ("vmx", 127),
        ("log", 127),
    ]


def test_the_tools_of_an_old_host_are_enough(tmp_path: Path, environment: dict[str, str]) -> None:
    """BusyBox as it was in ESXi 5.5: no ps, no df, no uptime. The stand-in esxtop is a Python program."""
    tools, place = tmp_path / "tools", tmp_path / "vm"
    tools.mkdir()
    for name in ("busybox", *(Path(__file__).parent / "hosts" / "busybox-5.5.txt").read_text().split()):
        (tools / name).symlink_to(shutil.which("busybox") or "busybox")
    (tools / "python3").symlink_to(sys.executable)
    (tools / "esxtop").symlink_to(BIN / "esxtop")
    place.mkdir()
    (place / "vm.vmx").write_text('virtualHW.version = "8"\n')
    shutil.copy(DATA / "monitor" / "real-6.5.txt", place / "vmware.log")
    vm = f"web01\n   World ID: 7\n   VMX Cartel ID: 6\n   Display Name: web01\n   Config File: {place}/vm.vmx\n"

    def connect() -> LocalShell:
        return LocalShell(environment, path=str(tools), answer=lambda c: vm if "vm process" in c else None)

    task = HostTask("host01", CapturePlan(2, 5), connect, beside=connect)
    done = collect_host(task, tmp_path / "out", tool_version="1", stop=threading.Event())
    assert (done.outcome, done.samples) == ("whole", 5)
    manifest = json.loads((done.folder / "capture.json").read_text(encoding="utf-8"))
    (found,) = manifest["vms"]
    assert (found["hardware_version"], found["monitor"]["mmu"]) == ("8", "hardware")
    assert manifest["clock"]["start"] is not None
    assert "could not check for processes left on the host: the host lists no processes" in done.notes
