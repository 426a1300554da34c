"""Could a capture be taken? Every step that one would need, without one: nothing is captured, nothing is written.

A step is ok, failed, or skipped: after the first that failed the others of that host are not tried. What a capture
can do without (the build, a clock) is skipped with the reason where it cannot be had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from esxprobe.collect.dryrun import planned_commands, planned_guest_commands
from esxprobe.collect.facts import PROBE_TIMEOUT_S, VMS, parse_version
from esxprobe.collect.forecast import Forecast, forecast, render_forecast
from esxprobe.collect.guests import Guest, guest_command
from esxprobe.collect.host_clock import HOST_CLOCK, LINUX_CLOCK, WINDOWS_CLOCK, read_clock
from esxprobe.collect.saying import last_line
from esxprobe.collect.shell import Shell
from esxprobe.collect.stream_to_file import Link
from esxprobe.collect.task import HostTask
from esxprobe.collect.vm_filter import limit_to, new_token, read_entities, require
from esxprobe.collect.vms import near, not_among, running_vms, runs_no
from esxprobe.errors import EsxprobeError, HostError, UnknownVmError
from esxprobe.model.manifest import ClockReading, Limit

Outcome = Literal["ok", "failed", "skipped"]
_WAY = ("name", "port", "host key", "login")
_TOOLS = "command -v esxtop && command -v gzip"
_ECHO = "esxprobe-was-here"
_TIMEOUT_S = 20.0
_CLOCKS = {"linux": LINUX_CLOCK, "windows": WINDOWS_CLOCK}
_COUNTERS = {"linux": b"\npgfault ", "windows": rb"\Memory\Page Faults/sec"}


class Connect(Protocol):
    """Opens a login, and tells each step of it that went well."""

    def __call__(self, passed: Callable[[str, str], None], /) -> Shell:
        """Gives the shell.

        Raises:
            EsxprobeError: The step after the last one that was shown failed.
        """


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        name: What it is about: name, port, host key, login, shell, esxtop, VMs, build, clock, forecast, counters.
        outcome: What became of it.
        note: What was found, or why not.
        hint: What to do where it failed.
    """

    name: str
    outcome: Outcome
    note: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class CheckTask:
    """What is to be checked.

    Attributes:
        task: The capture that would be taken.
        connect: Opens a login on the host.
        guests: Opens a login in each guest of the task, in its order.
    """

    task: HostTask
    connect: Connect
    guests: tuple[Connect, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of a host, or of a guest.

    Attributes:
        name: The host, or the guest's VM.
        steps: Every step, in order.
        commands: What a capture would run there.
    """

    name: str
    steps: tuple[Step, ...]
    commands: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(step.outcome != "failed" for step in self.steps)


@dataclass(frozen=True, slots=True)
class HostCheck:
    """A host and its guests."""

    host: Checked
    guests: tuple[Checked, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing failed, in the guests neither."""
        return self.host.ok and all(guest.ok for guest in self.guests)


class _Steps:
    """Steps as they are taken; after a failure those that are left are skipped."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.taken: list[Step] = []

    def passed(self, name: str, note: str) -> None:
        self.taken.append(Step(name, "ok", note))

    def without(self, name: str, why: str) -> None:
        self.taken.append(Step(name, "skipped", why))

    @contextmanager
    def to_the_first_failure(self) -> Iterator[None]:
        try:
            yield
        except EsxprobeError as error:
            self.taken.append(Step(self._names[len(self.taken)], "failed", error.message, error.hint))
            failed = self.taken[-1].name
            self.taken += [Step(name, "skipped", f"{failed} failed") for name in self._names[len(self.taken) :]]


def check_hosts(tasks: Sequence[CheckTask], now: Callable[[], float]) -> list[HostCheck]:
    """Checks several hosts at the same time; one result each, in the order of the tasks."""
    with ThreadPoolExecutor(max(len(tasks), 1), "check") as pool:
        return list(pool.map(lambda task: check_host(task, now), tasks))


def check_host(check: CheckTask, now: Callable[[], float]) -> HostCheck:
    """Checks one host and its guests; whatever goes wrong is a step's outcome, not raised.

    Args:
        check: What to check.
        now: Our clock [s since 1970].
    """
    task = check.task
    named = tuple(dict.fromkeys((*task.plan.vms, *(guest.vm for guest in task.guests))))
    limited = ("VMs",) if named else ()
    steps = _Steps((*_WAY, "shell", "esxtop", *limited, "build", "clock", "forecast"))
    limit: Limit | None = None
    cost: Forecast | None = None
    with steps.to_the_first_failure(), _login(check.connect, steps) as shell:
        _shell_and_tools(shell, steps)
        if named:
            limit = _vms(task, named, shell, steps)
        _build(shell, steps)
        _clock(shell, HOST_CLOCK, steps, now)
        cost = forecast(Link(lambda: shell), task.plan)
        steps.passed("forecast", render_forecast(cost))
    commands = planned_commands(task.plan, limit, packed=cost is not None and cost.packed, logs=task.logs)
    would_run = dict(planned_guest_commands(task))
    guests = tuple(
        _check_guest(guest, connect, would_run[guest.vm], now)
        for guest, connect in zip(task.guests, check.guests, strict=True)
    )
    return HostCheck(Checked(task.host, tuple(steps.taken), commands), guests)


def _check_guest(guest: Guest, connect: Connect, command: str, now: Callable[[], float]) -> Checked:
    steps = _Steps((*_WAY, "clock", "counters"))
    with steps.to_the_first_failure(), _login(connect, steps) as shell:
        _clock(shell, _CLOCKS[guest.system], steps, now)
        one = shell.run(guest_command(guest, 1), timeout_s=_TIMEOUT_S + guest.interval_s)
        if _COUNTERS[guest.system] not in one.stdout:
            output = last_line(one.stderr)
            hint = (
                f"check that it is a {guest.system.capitalize()} guest. typeperf accepts English counter names only"
            )
            raise HostError(f"no counters were received{': ' + output if output else ''}", hint=hint)
        steps.passed("counters", f"one sample, {len(one.stdout):,} bytes")
    return Checked(guest.vm, tuple(steps.taken), (command,))


@contextmanager
def _login(connect: Connect, steps: _Steps) -> Iterator[Shell]:
    shell = connect(steps.passed)
    try:
        yield shell
    finally:
        shell.close()


def _shell_and_tools(shell: Shell, steps: _Steps) -> None:
    output = shell.run(f"echo {_ECHO}", timeout_s=_TIMEOUT_S).stdout.decode("utf-8", "replace")
    if output.strip() != _ECHO:
        hint = "text printed at login would become part of the capture; remove it from the account's profile"
        raise HostError(f"the shell answered the test command {_ECHO!r} with {output[:80]!r}", hint=hint)
    steps.passed("shell", "ok, no login banner")
    tools = shell.run(_TOOLS, timeout_s=_TIMEOUT_S).stdout.decode("utf-8", "replace").split("\n")
    if len(tools) < 3:
        missing = "gzip" if "esxtop" in tools[0] else "esxtop"
        raise HostError(
            f"{missing} was not found",
            hint="check that this is an ESXi host and that the account has the Administrator role",
        )
    steps.passed("esxtop", tools[0])


def _vms(task: HostTask, named: Sequence[str], shell: Shell, steps: _Steps) -> Limit | None:
    """The VMs of the capture and of its guests: they have to be there."""
    running, wanted = running_vms(shell), task.plan.vms
    if wanted:
        require(task.host, read_entities(shell, new_token()), wanted, running)
    if running and (missing := not_among(named, running)):
        raise UnknownVmError(runs_no(task.host, missing), hint=near(missing[0], running))
    limit = limit_to(shell, wanted) if wanted else None
    groups = f"{len(limit.kept)} of {limit.groups} groups" if limit else ""
    known = f"{len(named)} of {len(running)} running" if running else ""
    if groups or known:
        steps.passed("VMs", ", ".join(part for part in (known, groups) if part))
    else:
        steps.without("VMs", f"{VMS} returned no list, so the VMs of guests could not be checked")
    return limit


def _build(shell: Shell, steps: _Steps) -> None:
    answer = shell.run("vmware -vl", timeout_s=PROBE_TIMEOUT_S).stdout.decode("utf-8", "replace")
    try:
        steps.passed("build", parse_version(answer)["build"])
    except ValueError as error:
        steps.without("build", f"vmware -vl: {error}")


def _clock(shell: Shell, command: str, steps: _Steps, now: Callable[[], float]) -> None:
    try:
        steps.passed("clock", render_offset(read_clock(shell, command, now)))
    except HostError as error:
        if type(error) is not HostError:  # not the answer, the connection is what is wrong
            raise
        steps.without("clock", error.message)


def render_offset(reading: ClockReading) -> str:
    """A reading in words."""
    offset_s, uncertainty_s = reading.offset_s or 0.0, reading.uncertainty_s or 0.0
    where = "ahead of" if offset_s > 0 else "behind"
    zone = f", zone {reading.zone}" if reading.zone else ""
    return f"{abs(offset_s):.1f} s {where} this machine's clock, ± {uncertainty_s:.1f} s{zone}"
