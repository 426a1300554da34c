"""`esxprobe collect`: capture hosts over SSH, with the guests that matter, into capture folders."""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.errors import EXIT_HOST_FAILED, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from esxprobe.collect.command import CapturePlan
    from esxprobe.collect.guests import Guest
    from esxprobe.collect.session import DryRun, HostOutcome, HostTask
    from esxprobe.ssh.connect import Login

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, None: 1}


def collect(
    hosts: Annotated[
        list[str], typer.Argument(help="host, user@host or ssh://user@host:port; ssh_config is honoured.")
    ],
    duration: Annotated[str, typer.Option(help="How long: 600, 10m, 1h.")] = "10m",
    interval: Annotated[int, typer.Option(help="Seconds between samples; esxtop takes no less than 2.")] = 5,
    segment: Annotated[
        str | None, typer.Option(help="Restart esxtop this often, so that VMs that arrive get columns: 15m.")
    ] = None,
    guest: Annotated[
        list[str] | None, typer.Option(help="A Linux guest to sample beside the host: VM=ssh://user@address.")
    ] = None,
    windows_guest: Annotated[
        list[str] | None, typer.Option(help="A Windows guest with OpenSSH: VM=ssh://user@address.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the capture folders.")] = Path("captures"),
    identity: Annotated[
        list[Path] | None, typer.Option("--identity", "-i", help="Key file; ESXi 8 takes RSA and ECDSA.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
    accept_new_host_key: Annotated[
        bool, typer.Option("--accept-new-host-key", help="Write down and accept keys of hosts never seen before.")
    ] = False,
    legacy_crypto: Annotated[
        bool, typer.Option("--legacy-crypto", help="Allow the old algorithms that ESXi 5.x speaks; it is recorded.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the commands, take one sample, and forecast size and time.")
    ] = False,
) -> None:
    """Capture hosts with esxtop over SSH; nothing is written on them."""
    from esxprobe.collect.command import plan_for

    plan = plan_for(seconds(duration), interval, None if segment is None else round(seconds(segment)))
    login = _login(plan, identity, password_stdin, accept_new_host_key, legacy_crypto)
    guests = (*_guests(guest, login, plan, "linux"), *_guests(windows_guest, login, plan, "windows"))
    if guests and len(hosts) > 1:
        raise UsageError("--guest goes with one host", hint="collect the hosts one by one, each with its guests")
    tasks = [_task(host, plan, login, guests) for host in hosts]
    if dry_run:
        from esxprobe.collect.session import dry_run as plan_only

        for task in tasks:
            _show_plan(plan_only(task))
        return
    outcomes = _run(tasks, out)
    _show(outcomes)
    if any(outcome.error is not None or outcome.outcome == "failed" for outcome in outcomes):
        raise typer.Exit(EXIT_HOST_FAILED)


def seconds(text: str) -> float:
    """A length of time as people write it [s].

    Raises:
        UsageError: It is none.
    """
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no length of time", hint="write 600, 90s, 10m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


def _login(
    plan: CapturePlan, identity: list[Path] | None, password_stdin: bool, accept_new: bool, legacy: bool
) -> Login:
    from esxprobe.collect.command import quiet_limit_s
    from esxprobe.ssh.connect import Login
    from esxprobe.ssh.secrets import Credentials, Secret, remember
    from esxprobe.ssh.wire import Timeouts

    def asked(what: str, where: str) -> Secret | None:
        if not sys.stdin.isatty():
            return None
        return Secret(typer.prompt(f"{what} {where}", hide_input=True, err=True))

    def second_factor(account: str, prompt: str, echo: bool) -> Secret | None:
        if not sys.stdin.isatty():
            return None
        return Secret(typer.prompt(f"{account}: {prompt.strip()}", hide_input=not echo, err=True))

    given = Secret(sys.stdin.readline().rstrip("\r\n")) if password_stdin else None

    def password(account: str) -> Secret | None:
        return given or asked("password of", account)

    credentials = Credentials(remember(password), remember(partial(asked, "passphrase of")), second_factor)
    timeouts = Timeouts(idle_s=quiet_limit_s(plan.interval_s))
    return Login(credentials, tuple(identity or ()), accept_new, legacy, timeouts)


def _guests(named: list[str] | None, login: Login, plan: CapturePlan, system: str) -> list[Guest]:
    from esxprobe.collect.guests import WINDOWS_INTERVAL_S, Guest
    from esxprobe.ssh.connect import open_shell
    from esxprobe.ssh.target import parse_target

    guests = []
    for text in named or []:
        vm, equals, target = text.rpartition("=")
        if not equals or not vm:
            raise UsageError(f"{text!r} names no guest", hint="write VM=ssh://user@address")
        connect = partial(open_shell, parse_target(target), login)
        if system == "windows":
            guests.append(Guest(vm, connect, "windows", WINDOWS_INTERVAL_S))
        else:
            guests.append(Guest(vm, connect, "linux", plan.interval_s))
    return guests


def _task(host: str, plan: CapturePlan, login: Login, guests: Sequence[Guest]) -> HostTask:
    from esxprobe.collect.session import HostTask
    from esxprobe.ssh.connect import open_shell
    from esxprobe.ssh.target import parse_target

    target = parse_target(host)
    return HostTask(target.host, plan, partial(open_shell, target, login), tuple(guests))


def _run(tasks: Sequence[HostTask], out: Path) -> list[HostOutcome]:
    import threading

    from esxprobe import __version__
    from esxprobe.collect.session import collect_hosts
    from esxprobe.commands.terminal import collecting, ends_cleanly

    stop = threading.Event()
    with ends_cleanly(stop), collecting() as progress:
        return collect_hosts(tasks, out, tool_version=__version__, stop=stop, progress=progress)


def _show_plan(plan: DryRun) -> None:
    from esxprobe.commands.terminal import printable

    cost = plan.forecast
    lines = [
        f"{plan.host} would run:",
        *(f"  {command}" for command in plan.commands),
        *(f"guest {vm} would run:\n  {command}" for vm, command in plan.guest_commands),
        f"forecast: {cost.columns:,} columns, {cost.raw_bytes / 1e6:,.1f} MB, "
        f"{cost.packed_bytes / 1e6:,.1f} MB packed, {cost.duration_s / 60:,.0f} min",
    ]
    for line in lines:
        typer.echo("\n".join(printable(part) for part in line.split("\n")))


def _show(outcomes: Sequence[HostOutcome]) -> None:
    """On a pipe the folders, one a line; for a person what became of each host."""
    from esxprobe.commands.terminal import printable

    for outcome in outcomes:
        if outcome.error is not None:
            typer.echo(f"esxprobe: {printable(outcome.host)}: {printable(outcome.error.message)}", err=True)
            if outcome.error.hint:
                typer.echo(f"hint: {printable(outcome.error.hint)}", err=True)
        for guest in outcome.guests:
            if guest.outcome != "whole":
                said = f"{guest.outcome}: {printable(guest.reason)}" if guest.reason else guest.outcome
                typer.echo(f"esxprobe: guest {printable(guest.vm)}: {said}", err=True)
        if outcome.folder is None:
            continue
        if sys.stdout.isatty():
            got = f"{outcome.samples:,} of {outcome.asked:,} samples, {outcome.bytes / 1e6:,.1f} MB"
            typer.echo(f"{printable(outcome.host)}: {outcome.outcome}, {got}, {outcome.folder}")
        else:
            typer.echo(str(outcome.folder))
