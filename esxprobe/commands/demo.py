"""`esxprobe demo`: a host and guests behind SSH servers on this machine, collected and judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.requests import CaptureRequest, OutputRequest, ReportRequest
from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.collect.command import CapturePlan
    from esxprobe.collect.stream_to_file import Clockwork
    from esxprobe.collect.task import HostOutcome, HostTask

_DURATION, _INTERVAL_S = "15m", 5
_REAL_DURATION, _REAL_INTERVAL_S = "4m", 2
_SPEED = 60.0


class Scenario(StrEnum):
    """Monitor modes of the host."""

    software = "software"
    hardware = "hardware"


def demo(
    scenario: Annotated[
        Scenario, typer.Option(help="The host's monitor mode: page tables in software, or in hardware (EPT).")
    ] = Scenario.software,
    real: Annotated[
        bool,
        typer.Option(
            "--real",
            help="Use real guests in real time: user-mode Linux kernels (software) or processes of this "
            "machine (hardware).",
        ),
    ] = False,
    duration: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Length of the capture, for example 90s or 4m. [default: 15m; with --real 4m]"
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(metavar="N", min=1, max=600, help="Simulated seconds per real second. [default: 60]"),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the capture and the report.")
    ] = Path("esxprobe-demo"),
) -> None:
    """Capture a simulated host and two guests over SSH on this machine, and report."""
    from esxprobe.collect.command import plan_for
    from esxprobe.commands.options import seconds
    from esxprobe.commands.streams import say

    if real and speed is not None:
        raise UsageError("--speed cannot be used with --real", hint="use --duration for a shorter capture")
    length = duration or (_REAL_DURATION if real else _DURATION)
    plan = plan_for(seconds(length), _REAL_INTERVAL_S if real else _INTERVAL_S)
    name = f"{'real' if real else 'demo'}-{scenario.value}"
    lab = _real(scenario, plan, out / f"{name}-truth.json") if real else _simulated(scenario, plan, speed)
    with lab as (task, clockwork):
        outcome = _collect(task, out / "captures", clockwork)
    if outcome.folder is None or not outcome.samples:
        assert outcome.error is not None  # noqa: S101  (nothing came, so something went wrong)
        raise outcome.error
    say(f"capture: {outcome.folder}")
    _report(outcome.folder, OutputRequest(out / f"{name}.html", out / f"{name}.json"))


def _report(capture: Path, outputs: OutputRequest) -> None:
    """What `esxprobe report` does with the finished capture."""
    from esxprobe.report.drawing import Drawer

    with Drawer() as drawer:
        from esxprobe.commands.guests import guest_options
        from esxprobe.commands.reporting import report_capture
        from esxprobe.commands.terminal import show_summary

        guests = guest_options(capture, (), (), None, (), ())
        done = report_capture(ReportRequest(CaptureRequest(capture, guests), outputs=outputs), drawer)
    show_summary(done.analysis, done.html)


@contextmanager
def _simulated(
    scenario: Scenario, plan: CapturePlan, speed: float | None
) -> Iterator[tuple[HostTask, Clockwork | None]]:
    """The simulated host and guests, in simulated time."""
    import tempfile

    from esxprobe.collect.stream_to_file import Clockwork
    from esxprobe.commands.labs import lab_task
    from esxprobe.lab.lab import Lab
    from esxprobe.lab.scenarios import GUESTS, SCENARIOS

    with (
        tempfile.TemporaryDirectory(prefix="esxprobe-demo-") as secrets,  # key and known_hosts live as long as it
        Lab([SCENARIOS[scenario.value]()], Path(secrets), speed=speed or _SPEED) as lab,
    ):
        yield lab_task(lab, GUESTS, plan, plan.interval_s), Clockwork(lab.clock.now, lab.clock.wait)


@contextmanager
def _real(scenario: Scenario, plan: CapturePlan, truth: Path) -> Iterator[tuple[HostTask, Clockwork | None]]:
    """The host with real guests. Their ground truth is written at the end."""
    import tempfile

    from esxprobe.commands.labs import lab_task
    from esxprobe.commands.outputs import save
    from esxprobe.commands.streams import say
    from esxprobe.lab.real.groundtruth import ground_truth_json
    from esxprobe.lab.real.guests import require_uml
    from esxprobe.lab.real.lab import RealLab
    from esxprobe.lab.real.scenarios import demo_guests

    if scenario is Scenario.software:
        require_uml()
    guests = demo_guests("uml" if scenario is Scenario.software else "native")
    with (
        tempfile.TemporaryDirectory(prefix="esxprobe-demo-") as secrets,
        RealLab(guests, Path(secrets), host=f"esx-real-{scenario.value}.example.com") as lab,
    ):
        with lab.loads() as truths:
            yield lab_task(lab, [guest.name for guest in guests], plan, plan.interval_s), None
        save(truth, ground_truth_json(truths))
        say(f"ground truth: {truth}")


def _collect(task: HostTask, captures: Path, clockwork: Clockwork | None) -> HostOutcome:
    """What `esxprobe collect` does, in the time of the lab."""
    import threading

    from esxprobe import __version__
    from esxprobe.collect.session import collect_hosts
    from esxprobe.commands.terminal import collecting, ends_cleanly

    stop = threading.Event()
    with ends_cleanly(stop), collecting(for_scripts=False) as progress:
        (outcome,) = collect_hosts(
            [task], captures, tool_version=__version__, stop=stop, progress=progress, clockwork=clockwork
        )
    return outcome
