"""`esxprobe collect --api`: from the words of the command to a capture over vSphere's API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.collect.api_capture import ApiTask, Service
    from esxprobe.collect.task import HostOutcome
    from esxprobe.commands.hosts import Words


@dataclass(frozen=True, slots=True)
class ApiWords:
    """What the command line says of the API.

    Attributes:
        target: The words of `--api`.
        thumbprint: Those of `--thumbprint`, None without it.
        words: All that captures over SSH have as well.
        others: Options that need SSH, by name, and whether they were given.
    """

    target: str
    thumbprint: str | None
    words: Words
    others: Mapping[str, bool]


def api_task(asked: ApiWords) -> ApiTask:
    """The capture that is asked for.

    Raises:
        UsageError: The words do not fit together, or pyvmomi is not installed.
    """
    from esxprobe.collect.api_capture import ApiTask
    from esxprobe.collect.inventory import HostEntry
    from esxprobe.commands.hosts import credentials_of, plan_of
    from esxprobe.vsphere.api_target import parse_api_target, parse_thumbprint
    from esxprobe.vsphere.service import EsxtopService, require_pyvmomi

    given = [name for name, was_given in (*_needs_ssh(asked.words).items(), *asked.others.items()) if was_given]
    if given:
        raise UsageError(
            f"--api cannot be used with {', '.join(given)}",
            hint="over vSphere's API there are counters of one host, and no SSH: docs/collecting.md",
        )
    target = parse_api_target(asked.target)
    thumbprint = parse_thumbprint(asked.thumbprint) if asked.thumbprint else ""
    plan = plan_of(asked.words, HostEntry(target.name), ())
    require_pyvmomi()
    credentials = credentials_of(asked.words)

    def password() -> str:
        secret = credentials.password(target.account)
        if secret is None:
            raise UsageError(
                f"{target.server} wants a password for {target.account} and there is none",
                hint="run it at a terminal, or give it with --password-stdin or --keyring",
            )
        return secret.reveal()

    def connect() -> Service:
        return EsxtopService(target, password, thumbprint)

    return ApiTask(target.name, plan, connect)


def _needs_ssh(words: Words) -> dict[str, bool]:
    """Words that mean something on an SSH connection alone, and whether they were given."""
    return {
        "another host": bool(words.hosts),
        "--inventory": words.inventory is not None,
        "--segment": words.segment is not None,
        "--vm": bool(words.vms),
        "--guest": bool(words.linux_guests),
        "--windows-guest": bool(words.windows_guests),
        "--identity": bool(words.identity),
        "--fault-probe or --fault-experiment": bool(words.faults),
        "--accept-new-host-key": words.accept_new_host_key,
        "--legacy-crypto": words.legacy_crypto,
        "--guest-interval": words.guest_interval is not None,
        "--packed or --plain": words.packed is not None,
    }


def run_api(task: ApiTask, out: Path) -> list[HostOutcome]:
    """Captures; Ctrl-C ends it in order."""
    from esxprobe import __version__
    from esxprobe.collect.api_capture import collect_api
    from esxprobe.commands.outcomes import complain
    from esxprobe.commands.terminal import capturing

    with capturing() as (stop, progress):
        return [collect_api(task, out, tool_version=__version__, stop=stop, progress=progress, tell=complain)]
