"""Small labs whose minutes pass in a second, and how the collector meets them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from esxprobe.collect.guests import Guest
from esxprobe.collect.shell import Shell
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.lab.lab import Lab, LabHost
from esxprobe.lab.plan import USER_GROUPS, GuestPlan, HostPlan, VmPlan
from esxprobe.ssh.connect import Login, open_shell

OpenLab = Callable[..., Lab]

LINUX = GuestPlan(soft_faults_s=8_000, hard_faults_s=3, clock_ahead_s=-7.25, seed=3)
WINDOWS = GuestPlan(soft_faults_s=900, hard_faults_s=2, system="windows", utc_offset_min=120, seed=4)
PLAN = HostPlan(
    host="lab01.example.com",
    pcpus=4,
    vms=(
        VmPlan("web: $(reboot) 'x' \"y\"", 1_200_100, 2, 1024, guest=LINUX, mmu="software"),
        VmPlan("print", 1_200_200, 1, 1024, guest=WINDOWS),
        VmPlan("quiet", 1_200_300, 1, 1024),
    ),
    user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
    system_worlds=1,
    helper_worlds=1,
    power_states=("%C-State C0",),
    samples=31,
    clock_ahead_s=12.5,
)
LINUX_VM, WINDOWS_VM = PLAN.vms[0].name, PLAN.vms[1].name


@pytest.fixture
def open_lab(tmp_path: Path) -> Iterator[OpenLab]:
    """Opens labs; when the test is over, nothing of them may be left."""
    before = set(threading.enumerate())
    labs: list[Lab] = []

    def opened(*plans: HostPlan, speed: float = 200.0) -> Lab:
        folder = tmp_path / f"lab{len(labs)}"
        folder.mkdir()
        labs.append(Lab(plans or (PLAN,), folder, speed=speed))
        return labs[-1]

    yield opened
    for lab in labs:
        lab.close()
    left = [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("lab")]
    assert not left, left


def connect(lab: Lab, target: str) -> Callable[[], Shell]:
    """How the collector logs in: by the lab's ssh_config and nothing else."""
    return partial(open_shell, target, Login(config_files=(lab.ssh_config,)))


def guests_of(lab: Lab, host: LabHost) -> tuple[Guest, ...]:
    """All guests of a host, as the collector wants them."""
    return tuple(
        Guest(name, connect(lab, guest.target), guest.machine.guest.system, host.plan.interval_s)
        for name, guest in host.guests.items()
    )


def clockwork(lab: Lab) -> Clockwork:
    """The lab's time for the collector."""
    return Clockwork(lab.clock.now, lab.clock.wait)


def other_host(name: str, seed: int) -> HostPlan:
    """A second host of the same kind."""
    return replace(PLAN, host=name, seed=seed)


class Tape:
    """A wire that keeps what is said, and leaves at a moment."""

    def __init__(self) -> None:
        self.said = self.complaint = b""
        self.input = b""

    def write(self, content: bytes) -> None:
        self.said += content

    def complain(self, content: bytes) -> None:
        self.complaint += content

    def read(self) -> bytes:
        return self.input

    def is_gone(self) -> bool:
        return False

    def has_input(self) -> bool:
        return True

    def lines(self) -> int:
        return 0


class Passed:
    """A time in which everything up to a moment has happened."""

    def __init__(self, until: float) -> None:
        self.until = until

    def now(self) -> float:
        return self.until

    def wait_until(self, moment: float, gone: object) -> bool:  # noqa: ARG002
        return moment <= self.until

    def hurry(self) -> AbstractContextManager[None]:
        return nullcontext()
