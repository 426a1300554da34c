"""`esxprobe collect`: capture hosts over SSH or vSphere's API, with guests that matter, into capture folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands import options
from esxprobe.errors import EXIT_HOST_FAILED, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esxprobe.collect.task import HostOutcome, HostTask
    from esxprobe.model.manifest import FaultRun


def collect(
    hosts: options.Hosts = None,
    inventory: options.InventoryFile = None,
    api: options.Api = None,
    thumbprint: options.Thumbprint = None,
    duration: options.Duration = None,
    samples: options.Samples = None,
    interval: options.Interval = None,
    segment: options.Segment = None,
    retry_for: options.RetryFor = None,
    packed: options.Packed = None,
    logs: options.Logs = True,
    vm: options.Vms = None,
    guest: options.LinuxGuests = None,
    windows_guest: options.WindowsGuests = None,
    guest_interval: options.GuestInterval = None,
    fault_probe: options.FaultProbe = None,
    fault_experiment: options.FaultExperiment = None,
    experiment_budget: options.ExperimentBudget = "10%",
    single_vcpu: options.SingleVcpu = False,
    yes: options.Yes = False,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the capture folders.")] = Path(
        "captures"
    ),
    identity: options.Identity = None,
    password_stdin: options.PasswordStdin = False,
    keyring: options.Keyring = False,
    accept_new_host_key: options.AcceptNewHostKey = False,
    legacy_crypto: options.LegacyCrypto = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the commands, take one sample, and forecast size and time.")
    ] = False,
) -> None:
    """Capture esxtop data from hosts over SSH, or from one over vSphere's API (--api).

    Nothing is written on them; with --vm, one small temporary file.
    """
    from esxprobe.commands.faultplans import FaultWords, agree
    from esxprobe.commands.hosts import Words, host_tasks
    from esxprobe.commands.outcomes import show_plan

    words = Words(
        hosts=hosts,
        inventory=inventory,
        duration=duration,
        samples=samples,
        interval=interval,
        segment=segment,
        retry_for=retry_for,
        packed=packed,
        logs=logs,
        vms=vm,
        linux_guests=guest,
        windows_guests=windows_guest,
        guest_interval=guest_interval,
        identity=identity,
        password_stdin=password_stdin,
        keyring=keyring,
        legacy_crypto=legacy_crypto,
        accept_new_host_key=accept_new_host_key,
        faults=FaultWords(
            tuple(fault_probe or ()), tuple(fault_experiment or ()), experiment_budget, single_vcpu, yes
        ),
    )
    if api is not None:
        from esxprobe.commands.api import ApiWords, api_task, run_api

        others = {"--dry-run": dry_run, "--no-logs": not logs, "--single-vcpu": single_vcpu}
        _finish(run_api(api_task(ApiWords(api, thumbprint, words, others)), out))
        return
    if thumbprint is not None:
        raise UsageError("--thumbprint needs --api", hint="host keys of SSH are in known_hosts")
    tasks = host_tasks(words)
    if dry_run:
        from esxprobe.collect.dryrun import dry_run as plan_only

        for task in tasks:
            show_plan(plan_only(task))
        return
    agree([plan for task in tasks for plan in task.faults], yes=yes)
    _finish(_run(tasks, out))


def _finish(outcomes: list[HostOutcome]) -> None:
    """Shows what became of the hosts; the exit code tells whether one failed."""
    from esxprobe.commands.outcomes import show_outcomes

    show_outcomes(outcomes)
    if any(outcome.error is not None or outcome.outcome == "failed" for outcome in outcomes):
        raise typer.Exit(EXIT_HOST_FAILED)


def _run(tasks: Sequence[HostTask], out: Path) -> list[HostOutcome]:
    from esxprobe import __version__
    from esxprobe.collect.session import collect_hosts
    from esxprobe.commands.faultplans import render_run
    from esxprobe.commands.outcomes import complain
    from esxprobe.commands.terminal import capturing, say_unless_full

    def announce(host: str, run: FaultRun) -> None:
        say_unless_full(render_run(host, run))

    with capturing() as (stop, progress):
        return collect_hosts(
            tasks,
            out,
            tool_version=__version__,
            stop=stop,
            progress=progress,
            fault_run=announce,
            tell=complain,
        )
