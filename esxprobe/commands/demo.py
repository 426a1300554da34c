"""`esxprobe demo`: simulated host and guests behind real SSH servers -> capture -> report, on this machine."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from esxprobe.collect.session import HostOutcome, HostTask
    from esxprobe.lab.lab import Lab

_DURATION_S = 900
_INTERVAL_S = 5


class Scenario(StrEnum):
    """Stories that the lab tells."""

    software = "software"
    hardware = "hardware"


def demo(
    scenario: Annotated[
        Scenario, typer.Option(help="The host's monitor mode: page tables in software, or in hardware (EPT).")
    ] = Scenario.software,
    speed: Annotated[
        float,
        typer.Option(
            metavar="N", min=1, max=600, help="Simulated seconds in a real one; fifteen minutes are captured."
        ),
    ] = 60,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the capture and the report.")
    ] = Path("esxprobe-demo"),
) -> None:
    """Collect a simulated host and two guests over SSH on this machine, and report."""
    import tempfile

    from esxprobe.commands.report import report
    from esxprobe.commands.terminal import printable
    from esxprobe.lab.lab import Lab
    from esxprobe.lab.scenarios import SCENARIOS

    with (
        tempfile.TemporaryDirectory(prefix="esxprobe-demo-") as secrets,  # key and known_hosts live as long as it
        Lab([SCENARIOS[scenario.value]()], Path(secrets), speed=speed) as lab,
    ):
        outcome = _collect(lab, out / "captures")
    if outcome.folder is None or not outcome.samples:
        assert outcome.error is not None  # noqa: S101  (nothing came, so something went wrong)
        raise outcome.error
    typer.echo(f"capture: {printable(str(outcome.folder))}")
    name = f"demo-{scenario.value}"
    report([str(outcome.folder)], out / f"{name}.html", out / f"{name}.json", None, None)


def _collect(lab: Lab, captures: Path) -> HostOutcome:
    """What `esxprobe collect` does, in the lab's time."""
    import threading

    from esxprobe import __version__
    from esxprobe.collect.pump import Clockwork
    from esxprobe.collect.session import collect_hosts
    from esxprobe.commands.terminal import collecting, ends_cleanly

    stop = threading.Event()
    with ends_cleanly(stop), collecting() as progress:
        (outcome,) = collect_hosts(
            [_task(lab)],
            captures,
            tool_version=__version__,
            stop=stop,
            progress=progress,
            clockwork=Clockwork(lab.clock.now, lab.clock.wait),
        )
    return outcome


def _task(lab: Lab) -> HostTask:
    from functools import partial

    from esxprobe.collect.command import plan_for
    from esxprobe.collect.guests import Guest
    from esxprobe.collect.session import HostTask
    from esxprobe.lab.scenarios import GUESTS
    from esxprobe.ssh.connect import Login, open_shell

    (host,) = lab.hosts.values()
    login = Login(config_files=(lab.ssh_config,))
    guests = tuple(
        Guest(name, partial(open_shell, host.guests[name].target, login), interval_s=_INTERVAL_S) for name in GUESTS
    )
    connect = partial(open_shell, host.target, login)
    return HostTask(host.plan.host, plan_for(_DURATION_S, _INTERVAL_S), connect, guests)
