"""From the words of a command and an inventory to hosts that can be logged in on.

What is given on the command line holds for every host; otherwise the inventory holds.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.faultplans import NO_FAULTS, FaultWords, fault_plans
from esxprobe.commands.options import seconds
from esxprobe.errors import UsageError
from esxprobe.files.reading import toml_text

if TYPE_CHECKING:
    from esxprobe.collect.check import CheckTask
    from esxprobe.collect.command import CapturePlan
    from esxprobe.collect.experiment import FaultPlan
    from esxprobe.collect.guests import Guest
    from esxprobe.collect.inventory import GuestEntry, HostEntry, Inventory
    from esxprobe.collect.shell import Shell
    from esxprobe.collect.task import HostTask
    from esxprobe.ssh.connect import Login
    from esxprobe.ssh.secrets import Credentials, Secret
    from esxprobe.ssh.target import Target

_DURATION = "10m"
# Blocks of an experiment are two samples long; with 2 s more of them fit in.
_EXPERIMENT_INTERVAL_S = 2


@dataclass(frozen=True, slots=True)
class Words:
    """What the command line says; None and nothing where it says nothing."""

    hosts: Sequence[str] | None
    inventory: Path | None
    duration: str | None
    samples: int | None
    interval: int | None
    segment: str | None
    vms: Sequence[str] | None
    linux_guests: Sequence[str] | None
    windows_guests: Sequence[str] | None
    identity: Sequence[Path] | None
    password_stdin: bool
    keyring: bool
    legacy_crypto: bool
    accept_new_host_key: bool = False
    guest_interval: int | None = None
    faults: FaultWords = NO_FAULTS
    retry_for: str | None = None
    packed: bool | None = None
    logs: bool = True


def host_tasks(words: Words) -> list[HostTask]:
    """The captures that are asked for.

    Raises:
        UsageError: The words do not fit together, or the inventory cannot be read.
    """
    return [check.task for check in check_tasks(words, keeps_host_keys=True)]


def check_tasks(words: Words, *, keeps_host_keys: bool = False) -> list[CheckTask]:
    """The same, each with its logins step by step.

    Args:
        words: What the command line says.
        keeps_host_keys: New host keys that are accepted are written down.

    Raises:
        UsageError: The words do not fit together, or the inventory cannot be read.
    """
    from esxprobe.ssh.connect import Login

    entries = _entries(words)
    faults = [fault_plans(words.faults, [guest.vm for guest in entry.guests]) for entry in entries]
    plans = [plan_of(words, entry, trials) for entry, trials in zip(entries, faults, strict=True)]
    login = Login(
        credentials_of(words),
        tuple(words.identity or ()),
        words.accept_new_host_key,
        words.legacy_crypto,
        keeps_host_keys=keeps_host_keys,
    )
    made = [
        _task(entry, plan, trials, login, words.guest_interval)
        for entry, plan, trials in zip(entries, plans, faults, strict=True)
    ]
    return [replace(check, task=replace(check.task, logs=words.logs)) for check in made]


def _entries(words: Words) -> list[HostEntry]:
    """The hosts: those of the inventory, or those that are named."""
    from esxprobe.collect.inventory import Inventory

    listed = _read(words.inventory) if words.inventory else Inventory()
    if not words.hosts and not listed.hosts:
        raise UsageError("no host was given", hint="give a host, or a file with hosts: --inventory hosts.toml")
    entries = [_named(text, listed) for text in words.hosts] if words.hosts else list(listed.hosts)
    places = [(entry.name, entry.address, entry.port) for entry in entries]
    for place in places:
        if places.count(place) > 1:
            raise UsageError(f"{place[0]} is given twice", hint="each host is captured once")
    guests = _guest_entries(words)
    for option, given in (("--guest", guests), ("--vm", words.vms), ("a fault experiment", words.faults)):
        if given and len(entries) > 1:
            raise UsageError(
                f"{option} can only be used with one host",
                hint="use an inventory for several hosts: --inventory hosts.toml",
            )
    if words.vms:
        entries = [replace(entry, vms=tuple(words.vms)) for entry in entries]
    if guests:
        entries = [replace(entry, guests=_together(entry.guests, guests)) for entry in entries]
    return entries


def _read(path: Path) -> Inventory:
    from esxprobe.collect.inventory import parse_inventory

    inventory = parse_inventory(toml_text(path, "--inventory takes a TOML file"))

    def placed(entry: HostEntry) -> HostEntry:
        files = (str(path.parent / Path(name).expanduser()) for name in entry.identity)
        return replace(entry, identity=tuple(files))

    return replace(inventory, hosts=tuple(placed(entry) for entry in inventory.hosts))


def _named(text: str, listed: Inventory) -> HostEntry:
    """The host of the inventory that is meant, with another account where one is given; otherwise a new one."""
    from esxprobe.collect.inventory import HostEntry
    from esxprobe.ssh.target import parse_target

    for entry in listed.hosts:
        if text == entry.name:
            return entry
    target = parse_target(text)
    for entry in listed.hosts:
        if target.host in {entry.name, entry.address}:
            return replace(entry, user=target.user or entry.user, port=target.port or entry.port)
    return HostEntry(target.host, user=target.user, port=target.port)


def _guest_entries(words: Words) -> tuple[GuestEntry, ...]:
    from esxprobe.collect.inventory import GuestEntry

    found: list[GuestEntry] = []
    for text in (*(words.linux_guests or ()), *(words.windows_guests or ())):
        vm, equals, target = text.rpartition("=")
        if not equals or not vm:
            raise UsageError(f"{text!r} names no guest", hint="write VM=ssh://user@address")
        system = "linux" if len(found) < len(words.linux_guests or ()) else "windows"
        found.append(GuestEntry(vm, target, "windows" if system == "windows" else "linux"))
    return tuple(found)


def _together(listed: Sequence[GuestEntry], named: Sequence[GuestEntry]) -> tuple[GuestEntry, ...]:
    """The guests of the inventory, and those of the command line, which stand for a listed one of the same VM."""
    names = [guest.vm for guest in named]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the VM {name!r} has two guests", hint="use only one of them")
    return (*(guest for guest in listed if guest.vm not in names), *named)


def plan_of(words: Words, entry: HostEntry, trials: Sequence[FaultPlan]) -> CapturePlan:
    """How much is captured of a host.

    Args:
        words: What was given for all hosts; it goes before what the entry has.
        entry: The host.
        trials: Fault probes and experiments in its guests.

    Raises:
        UsageError: The words do not fit together, or the capture is too short for an experiment.
    """
    from esxprobe.collect.command import DEFAULT_INTERVAL_S, CapturePlan, plan_for

    if words.samples is not None and words.duration is not None:
        raise UsageError("--samples and --duration are mutually exclusive", hint="use only one of them")
    given_here = words.samples is not None or words.duration is not None
    samples = words.samples if given_here else entry.samples
    duration = words.duration if given_here else entry.duration
    interval_s = words.interval if words.interval is not None else entry.interval_s
    experiment = any(trial.experiment_s is not None for trial in trials)
    if interval_s is None:
        interval_s = _EXPERIMENT_INTERVAL_S if experiment else DEFAULT_INTERVAL_S
    length = words.segment or entry.segment
    segment_s = None if length is None else round(seconds(length))
    needs_s = max((trial.needs_s() for trial in trials), default=0.0)
    if samples is not None:
        plan = CapturePlan(interval_s, samples, segment_s, entry.vms)
    else:
        length_s = seconds(duration) if duration else max(seconds(_DURATION), needs_s)
        plan = plan_for(length_s, interval_s, segment_s, entry.vms)
    if experiment and plan.duration_s < needs_s:
        raise UsageError(
            f"a capture of {plan.duration_s:g} s is too short for the fault experiment",
            hint=f"it needs {needs_s:g} s: plain samples come first; leave out --duration and --samples",
        )
    retry_for_s = None if words.retry_for is None else seconds(words.retry_for)
    return replace(plan, retry_for_s=retry_for_s, packed=words.packed)


def _task(
    entry: HostEntry, plan: CapturePlan, trials: tuple[FaultPlan, ...], login: Login, guest_interval_s: int | None
) -> CheckTask:
    from esxprobe.collect.check import CheckTask
    from esxprobe.collect.command import quiet_limit_s
    from esxprobe.collect.guests import Guest
    from esxprobe.collect.task import HostTask
    from esxprobe.ssh.connect import open_shell
    from esxprobe.ssh.target import parse_target

    login = replace(login, timeouts=replace(login.timeouts, idle_s=quiet_limit_s(plan.interval_s)))
    own = replace(
        login,
        identities=login.identities or tuple(Path(name) for name in entry.identity),
        legacy_crypto=login.legacy_crypto or entry.legacy_crypto,
    )
    targets = [parse_target(guest.target) for guest in entry.guests]
    every_s = partial(_guest_interval_s, plan=plan, asked=guest_interval_s)
    guests: list[Guest] = [
        Guest(guest.vm, partial(open_shell, target, login), guest.system, every_s(guest), guest.timezone)
        for guest, target in zip(entry.guests, targets, strict=True)
    ]
    target = _target(entry)
    own, beside, needs_code = _once_with_a_code(own, target)
    connect = partial(open_shell, target, own)
    task = HostTask(entry.name, plan, connect, tuple(guests), trials, beside, needs_code=needs_code)
    return CheckTask(task, connect, tuple(partial(open_shell, t, login) for t in targets))


def _once_with_a_code(login: Login, target: Target) -> tuple[Login, Callable[[], Shell], Callable[[], bool]]:
    """The login, a second one beside it, and whether a one-time code was asked for: then the second is refused."""
    from esxprobe.errors import LoginError
    from esxprobe.ssh.connect import open_shell

    ask, asked = login.credentials.second_factor, threading.Event()

    def second_factor(account: str, prompt: str, echo: bool) -> Secret | None:
        asked.set()
        return ask(account, prompt, echo)

    login = replace(login, credentials=replace(login.credentials, second_factor=second_factor))

    def beside() -> Shell:
        if asked.is_set():
            raise LoginError(f"a second login on {target.host} would need another one-time code")
        return open_shell(target, login)

    return login, beside, asked.is_set


def _guest_interval_s(guest: GuestEntry, plan: CapturePlan, asked: int | None) -> int:
    """Time between a guest's samples [s]."""
    from esxprobe.collect.guests import WINDOWS_INTERVAL_S

    return asked or (WINDOWS_INTERVAL_S if guest.system == "windows" else plan.interval_s)


def _target(entry: HostEntry) -> Target:
    """Where to log in, as carefully read as on the command line: ssh_config may paste it into a shell's line."""
    from esxprobe.ssh.target import Target, parse_target

    named = parse_target(entry.address or entry.name)
    user = parse_target(f"{entry.user}@{named.host}").user if entry.user else named.user
    return Target(named.host, user, entry.port or named.port)


def credentials_of(words: Words) -> Credentials:
    """Who is asked for passwords, passphrases and one-time codes.

    Raises:
        UsageError: The words do not fit together, or there is no keyring.
    """
    from esxprobe.commands.prompts import PROMPTS
    from esxprobe.ssh.secrets import Credentials, Secret, remember
    from esxprobe.ssh.system_keyring import from_keyring, require_keyring

    if words.password_stdin and words.keyring:
        raise UsageError("--password-stdin and --keyring are mutually exclusive", hint="use only one of them")

    if words.keyring:
        require_keyring()

    def asked(what: str, where: str) -> Secret | None:
        return PROMPTS.ask(f"{what} {where}")

    def second_factor(account: str, prompt: str, echo: bool) -> Secret | None:
        return PROMPTS.ask(f"{account}: {prompt.strip().removesuffix(':')}", hidden=not echo)

    given = Secret(sys.stdin.readline().rstrip("\r\n")) if words.password_stdin else None

    def password(account: str) -> Secret | None:
        kept = from_keyring(account) if words.keyring else None
        return given or kept or asked("password of", account)

    return Credentials(remember(password), remember(partial(asked, "passphrase of")), second_factor)
