"""What a capture would run and cost, without one."""

from __future__ import annotations

from dataclasses import dataclass

from esxprobe.collect.bounded import vm_files_line
from esxprobe.collect.cleanup_check import LOOK, LOOK_BEFORE, clean_up
from esxprobe.collect.command import CapturePlan, command_line
from esxprobe.collect.experiment import probe_command
from esxprobe.collect.facts import PROBES
from esxprobe.collect.forecast import Forecast, forecast
from esxprobe.collect.guests import Guest, guest_command
from esxprobe.collect.host_clock import HOST_CLOCK
from esxprobe.collect.log_collection import log_lines
from esxprobe.collect.probing import FILE_S, question
from esxprobe.collect.shell import Shell
from esxprobe.collect.stream_to_file import Link
from esxprobe.collect.task import HostTask
from esxprobe.collect.vm_filter import (
    choose,
    export_line,
    limit_to,
    limited_line,
    new_token,
    read_entities,
    require,
)
from esxprobe.collect.vms import running_vms
from esxprobe.model.manifest import Limit

# A guest ends by itself after that much more time than the capture takes [s].
_GUEST_SPARE_S = 900


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would be done.

    Attributes:
        host: The host's name.
        commands: What the host would be asked to run, verbatim: `planned_commands`.
        guest_commands: VM's name and command of each guest.
        forecast: What it would cost.
    """

    host: str
    commands: tuple[str, ...]
    guest_commands: tuple[tuple[str, str], ...]
    forecast: Forecast


def dry_run(task: HostTask) -> DryRun:
    """Takes one sample of a host and says what a capture would do and cost; nothing is written.

    Raises:
        HostError: The host cannot be reached, or its esxtop gives nothing.
    """
    link = Link(task.connect)
    limit = None
    try:
        if task.plan.vms:
            require_vms(task, link.shell())
            limit = limit_to(link.shell(), task.plan.vms)
        cost = forecast(link, task.plan)
    finally:
        link.drop()
    return DryRun(
        task.host,
        planned_commands(task.plan, limit, packed=cost.packed, logs=task.logs),
        planned_guest_commands(task),
        cost,
    )


def require_vms(task: HostTask, shell: Shell) -> None:
    """Looks whether the VMs that the capture is limited to are there.

    Raises:
        UnknownVmError: One is not; the hint has names of VMs.
        HostError: The host cannot be asked.
    """
    entities = read_entities(shell, new_token())
    if choose(entities, task.plan.vms)[1]:
        require(task.host, entities, task.plan.vms, running_vms(shell))


def planned_commands(
    plan: CapturePlan, limit: Limit | None = None, *, packed: bool = False, logs: bool = True
) -> tuple[str, ...]:
    """What a host is asked to run when nothing goes wrong: before, beside, for and after the capture.

    The last one beside it gets the paths of VMs' vmx files as its input.

    Args:
        plan: How much.
        limit: The VMs that it is limited to; the names of its files are others each time.
        packed: Whether gzip runs on the host. If not given, the first run begins without it.
        logs: Whether lines of its logs are taken.
    """
    segments = list(plan.segments())
    runs = [(rows, packed) for rows in segments]
    if packed and plan.packed is None:
        runs = [(segments[0], False), *runs]
    if limit is None:
        first: tuple[str, ...] = ()
        captures = [command_line(plan.interval_s, rows, packed=there) for rows, there in runs]
    else:
        first = (export_line(new_token()),)
        lines = (limited_line(plan.interval_s, rows, limit, packed=there) for rows, there in runs)
        captures = [command for line in lines for command in (*first, line)]
    beside = (*(question(probe) for probe in PROBES), vm_files_line(FILE_S))
    after = (*(log_lines(plan) if logs else ()), HOST_CLOCK, LOOK, *((clean_up((limit.file,)),) if limit else ()))
    return (*first, HOST_CLOCK, LOOK_BEFORE, *beside, *captures, *after)


def planned_guest_commands(task: HostTask) -> tuple[tuple[str, str], ...]:
    """VM's name and command of each guest; an experiment has the injector of its probe, with more arguments."""
    guests = {guest.vm: guest for guest in task.guests}
    counters = tuple((guest.vm, guest_command(guest, guest_samples(guest, task.plan))) for guest in task.guests)
    return (*counters, *((f"{each.vm}, fault {each.kind}", probe_command(guests[each.vm])) for each in task.faults))


def guest_samples(guest: Guest, plan: CapturePlan) -> int:
    """After how many samples a guest ends by itself if it is not stopped: more than the capture takes."""
    return (plan.duration_s + _GUEST_SPARE_S) // max(guest.interval_s, 1)
