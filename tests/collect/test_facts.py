"""What a host says of itself: an answer in `data/<probe>/<case>.txt`, what it means in the JSON beside it."""

import json
import re
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from localshell import LocalShell

from esxprobe.collect.asking import Questions
from esxprobe.collect.clock import HOST_CLOCK, LINUX_CLOCK, parse_clock, read_clock
from esxprobe.collect.facts import PROBES, Probe, parse_answer
from esxprobe.collect.monitor import log_command, parse_vmx, vmx_command
from esxprobe.collect.pump import Link
from esxprobe.errors import ConnectionLostError, HostError, HostTimeoutError
from esxprobe.formats.vmware_log import MonitorMode, parse_monitor_mode

DATA = Path(__file__).parent / "data"
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


@pytest.mark.parametrize("probe", PARSERS.values(), ids=lambda probe: probe.name)
@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=200) | st.from_regex(r"( *[A-Z][a-z ]+:? [-\d]*\n){0,6}"))
def test_no_answer_breaks_a_parser(probe: Probe, text: str) -> None:
    meaning, _ = parse_answer(probe, text)
    json.dumps(asdict(meaning) if isinstance(meaning, MonitorMode) else meaning)


def test_the_folder_of_a_vm_stays_text(tmp_path: Path) -> None:
    folder = tmp_path / EVIL
    folder.mkdir()
    (folder / "vmware.log").write_text("x| vmx| gphys-sw.vmm\nsomething else\n", encoding="utf-8")
    (folder / "vmware-7.log").write_text("x| vmx| gphys-ept.vmm\n", encoding="utf-8")
    vmx = folder / f"{EVIL}.vmx"
    vmx.write_text('displayName = "x"\nvirtualHW.version = "19"\n', encoding="utf-8")
    shell = LocalShell()
    logs = shell.run(f"cd {shell_word(tmp_path)} && {log_command(str(vmx))}", timeout_s=60).stdout.decode()
    mode = parse_monitor_mode(logs)
    assert (mode.mmu, mode.file) == ("software", "vmware.log")
    assert parse_vmx(shell.run(vmx_command(str(vmx)), timeout_s=60).stdout.decode()) == {"virtualHW.version": "19"}
    assert not list(tmp_path.rglob("PWNED"))


def shell_word(path: Path) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"


def answers(command: str) -> str | None:
    """A host with two VMs, one of which has an evil name."""
    if command == "vmware -vl":
        return (DATA / "version/8.0.txt").read_text(encoding="utf-8")
    if command == "esxcli vm process list":
        return (DATA / "vms/two.txt").read_text(encoding="utf-8")
    if "web01" in command and "vmware*.log" in command:
        return (DATA / "monitor/8-modules.txt").read_text(encoding="utf-8")
    if "web01" in command and "virtualHW" in command:
        return (DATA / "vmx/usual.txt").read_text(encoding="utf-8")
    return None


def test_what_cannot_be_asked_is_a_note(tmp_path: Path) -> None:
    questions = Questions(Link(lambda: LocalShell(answer=answers)), tmp_path, threading.Event())
    questions.ask_all()
    outcomes = {outcome.name: outcome for outcome in questions.outcomes}
    assert questions.facts["version"]["build"] == "VMware ESXi 8.0.3 build-24022510"
    assert "cpu" not in questions.facts
    assert "not found" in outcomes["cpu"].note
    web, evil = questions.vms
    assert (web["hardware_version"], web["monitor"]["mmu"]) == ("19", "hardware")
    assert web["monitor"]["evidence"] == "gphys-ept.vmm"
    assert (evil["hardware_version"], evil["monitor"]["mmu"]) == (None, "unknown")
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {outcome.file for outcome in questions.outcomes}
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
    questions = Questions(link, tmp_path, threading.Event())
    questions.ask_all()
    assert [outcome.outcome for outcome in questions.outcomes] == ["failed", *["skipped"] * (len(PROBES) - 1)]
    assert shells[0].closed
    assert link.shell() is not shells[0]


def test_a_host_that_hangs_is_not_waited_for_at_every_question(tmp_path: Path) -> None:
    class Hanging(LocalShell):
        def run(self, *_: object, **__: object) -> object:  # type: ignore[override]
            raise HostTimeoutError("too long")

    questions = Questions(Link(Hanging), tmp_path, threading.Event())
    questions.ask_all()
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
    with pytest.raises(HostError, match="is no time"):
        read_clock(LocalShell(), "false", lambda: 1.0)
