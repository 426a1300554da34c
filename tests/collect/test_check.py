"""Could a capture be taken? Steps against BusyBox ash on this machine."""

import time
from collections.abc import Callable

import pytest
from host_said import DATA
from localshell import LocalShell

from esxprobe.collect.check import CheckTask, HostCheck, Step, check_host, check_hosts, render_offset
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.dryrun import planned_commands
from esxprobe.collect.guests import Guest
from esxprobe.collect.host_clock import ClockReading
from esxprobe.collect.task import HostTask
from esxprobe.errors import ConnectionLostError, HostTimeoutError, LoginError

Passed = Callable[[str, str], None]
WAY = ("name", "port", "host key", "login")


def on_the_way(passed: Passed, steps: tuple[str, ...] = WAY) -> None:
    for step in steps:
        passed(step, f"{step} is fine")


def never() -> LocalShell:
    raise AssertionError("a check opens its own connections")


def check(
    shell: LocalShell, plan: CapturePlan | None = None, guests: dict[Guest, LocalShell] | None = None
) -> HostCheck:
    guests = guests or {}

    def to(other: LocalShell) -> Callable[[Passed], LocalShell]:
        def connect(passed: Passed) -> LocalShell:
            on_the_way(passed)
            return other

        return connect

    task = HostTask("host01", plan or CapturePlan(), never, tuple(guests))
    return check_host(CheckTask(task, to(shell), tuple(to(other) for other in guests.values())), time.time)


def outcomes(steps: tuple[Step, ...]) -> str:
    return " ".join(f"{step.name.replace(' ', '-')}:{step.outcome}" for step in steps)


def answers(command: str) -> str | None:
    return (DATA / "version/8.0.txt").read_text() if command == "vmware -vl" else None


def test_a_host_that_is_ready(environment: dict[str, str]) -> None:
    shell = LocalShell(environment, answer=answers)
    done = check(shell)
    assert done.ok
    assert outcomes(done.host.steps) == (
        "name:ok port:ok host-key:ok login:ok shell:ok esxtop:ok build:ok clock:ok forecast:ok"
    )
    assert done.host.commands == planned_commands(CapturePlan())
    assert shell.closed
    assert len(shell.commands) == 5, "shell, tools, build, clock, one sample: no capture, and no probe besides"


def test_what_a_capture_can_do_without_is_skipped_with_the_reason(environment: dict[str, str]) -> None:
    done = check(LocalShell(environment, answer=lambda c: "" if c.startswith("date") else None))
    assert done.ok
    assert outcomes(done.host.steps).endswith("build:skipped clock:skipped forecast:ok")
    assert all(step.note for step in done.host.steps)


def test_the_step_after_the_last_that_went_well_is_the_one_that_failed() -> None:
    for count, failed in enumerate(WAY):

        def connect(passed: Passed, count: int = count) -> LocalShell:
            on_the_way(passed, WAY[:count])
            raise LoginError("no way", hint="try another")

        done = check_host(CheckTask(HostTask("host01", CapturePlan(), never), connect), time.time)
        assert not done.ok
        assert done.host.steps[count] == Step(failed, "failed", "no way", "try another")
        assert {step.outcome for step in done.host.steps[count + 1 :]} == {"skipped"}
        assert len(done.host.steps) == 9


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(
            lambda c: "Welcome!\nesxprobe-was-here\n" if "echo" in c else None, "the shell answered", id="greeting"
        ),
        pytest.param(lambda c: "" if "command -v" in c else None, "esxtop was not found", id="no esxtop"),
        pytest.param(lambda c: "/bin/esxtop\n" if "command -v" in c else None, "gzip was not found", id="no gzip"),
        pytest.param(lambda c: "junk" if "gzip -c" in c else None, "esxtop gives no sample", id="no sample"),
    ],
)
def test_what_a_capture_needs_fails(
    environment: dict[str, str], answer: Callable[[str], str | None], message: str
) -> None:
    done = check(LocalShell(environment, answer=answer))
    (failed,) = [step for step in done.host.steps if step.outcome == "failed"]
    assert message in failed.note
    assert failed.hint


@pytest.mark.parametrize("error", [ConnectionLostError("gone"), HostTimeoutError("slow")])
def test_a_connection_that_ends_is_no_missing_clock(environment: dict[str, str], error: Exception) -> None:
    def answer(command: str) -> str | None:
        if command.startswith("date"):
            raise error
        return None

    done = check(LocalShell(environment, answer=answer))
    assert outcomes(done.host.steps).endswith("clock:failed forecast:skipped")


def test_a_vm_that_is_not_there_fails_with_the_near_ones(environment: dict[str, str], tmp_path) -> None:
    (tmp_path / "entities").write_text("SchedGroup\n1 system\n2 web01\nAdapter\n")
    environment["ENTITIES"] = str(tmp_path / "entities")
    done = check(LocalShell(environment), CapturePlan(vms=("web02",)))
    assert "VMs:failed build:skipped" in outcomes(done.host.steps)
    assert done.host.steps[6].hint == "near: 'web01'"
    done = check(LocalShell(environment), CapturePlan(vms=("web01",)))
    assert done.host.steps[6] == Step("VMs", "ok", "1 of 2 groups")


def test_guests_are_asked_for_one_sample(environment: dict[str, str]) -> None:
    linux = Guest("web01", never)
    windows = Guest("db", never, "windows")
    silent = Guest("dead", never, "windows")

    def typeperf(command: str) -> str:
        if command.startswith("typeperf"):
            assert command.endswith("-sc 1")
            return '\r\n"(PDH-CSV 4.0)","\\\\DB\\Memory\\Page Faults/sec"\r\n"11/22/2026 10:00:00.000","7"\r\n'
        return "2026-11-22T11:00:00.0000000+01:00\r\n"

    done = check(
        LocalShell(environment),
        guests={
            linux: LocalShell(environment),
            windows: LocalShell(answer=typeperf),
            silent: LocalShell(answer=lambda _: ""),
        },
    )
    assert [guest.ok for guest in done.guests] == [True, True, False]
    assert outcomes(done.guests[0].steps).endswith("login:ok clock:ok counters:ok")
    assert "zone +01:00" in done.guests[1].steps[4].note
    assert "typeperf" in done.guests[1].commands[0]
    assert done.guests[2].steps[-1].outcome == "failed"
    assert "English" in done.guests[2].steps[-1].hint
    assert done.host.ok
    assert not done.ok


def test_many_hosts_come_back_in_order(environment: dict[str, str]) -> None:
    def refused(passed: Passed) -> LocalShell:
        raise LoginError("no")

    def fine(passed: Passed) -> LocalShell:
        on_the_way(passed)
        return LocalShell(environment)

    tasks = [
        CheckTask(HostTask(name, CapturePlan(), never), c) for name, c in (("a", fine), ("b", refused), ("c", fine))
    ]
    done = check_hosts(tasks, time.time)
    assert [(each.host.name, each.ok) for each in done] == [("a", True), ("b", False), ("c", True)]


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (ClockReading(0, 2.25, 0.5, 1.0), "2.2 s ahead of this machine's clock, ± 0.5 s"),
        (ClockReading(0, -480.0, 0.01, 0.0, "+02:00"), "480.0 s behind this machine's clock, ± 0.0 s, zone +02:00"),
    ],
)
def test_a_clock_in_words(reading: ClockReading, words: str) -> None:
    assert render_offset(reading) == words
