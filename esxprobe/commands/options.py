"""The options that several commands share: those that log in on hosts, and those that take a part of a capture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from esxprobe.errors import UsageError

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, None: 1}

Hosts = Annotated[
    list[str] | None,
    typer.Argument(
        help="host, user@host or ssh://user@host:port; ssh_config is honored. "
        "With --inventory names of its hosts, or others; without any, all of its hosts."
    ),
]
InventoryFile = Annotated[
    Path | None, typer.Option("--inventory", metavar="FILE", help="TOML file with hosts, VMs and guests.")
]
Duration = Annotated[
    str | None, typer.Option(metavar="TIME", help="How long: 600, 10m, 1h. 10m when nothing else is said.")
]
Samples = Annotated[
    int | None,
    typer.Option(metavar="N", help="How many samples instead, the first one, of unknown length, included."),
]
Interval = Annotated[
    int | None,
    typer.Option(metavar="SECONDS", help="Seconds between samples, 5 when not said; esxtop takes no less than 2."),
]
Segment = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Restart esxtop this often, so that VMs that arrive get columns: 15m."),
]
Packed = Annotated[
    bool | None,
    typer.Option(
        "--packed/--plain",
        help="Whether gzip runs on the host: less is sent, and a lost connection costs more. "
        "Not said: above 64 kB/s.",
    ),
]
RetryFor = Annotated[
    str | None,
    typer.Option(
        "--retry-for",
        metavar="TIME",
        help="How long a lost connection is tried again: 30m, 2h, 0. Not said: until the capture was to end.",
    ),
]
Vms = Annotated[
    list[str] | None,
    typer.Option(
        "--vm",
        metavar="NAME",
        help="Only this VM, by its exact name; may be repeated. Takes one small file on the host.",
    ),
]
LinuxGuests = Annotated[
    list[str] | None,
    typer.Option(
        "--guest", metavar="VM=ADDRESS", help="A Linux guest to sample beside the host: VM=ssh://user@address."
    ),
]
WindowsGuests = Annotated[
    list[str] | None,
    typer.Option(
        "--windows-guest", metavar="VM=ADDRESS", help="A Windows guest with OpenSSH: VM=ssh://user@address."
    ),
]
GuestInterval = Annotated[
    int | None,
    typer.Option(
        "--guest-interval",
        metavar="SECONDS",
        min=1,
        help="Seconds between a guest's samples; left out: a Linux guest's are the host's, a Windows guest's 1.",
    ),
]
FaultProbe = Annotated[
    list[str] | None,
    typer.Option(
        "--fault-probe", metavar="VM", help="Time page faults in this guest for two seconds; may be repeated."
    ),
]
FaultExperiment = Annotated[
    list[str] | None,
    typer.Option(
        "--fault-experiment",
        metavar="VM[=TIME]",
        help="A randomized experiment on what page faults cost in this guest, 5m when no time is said; asks first.",
    ),
]
ExperimentBudget = Annotated[
    str,
    typer.Option("--experiment-budget", metavar="PERCENT", help="Share of one vCPU that the experiment may take."),
]
SingleVcpu = Annotated[bool, typer.Option("--single-vcpu", help="Allow the experiment in a VM with one vCPU.")]
Yes = Annotated[bool, typer.Option("--yes", help="Run the experiment without being asked.")]
Identity = Annotated[
    list[Path] | None,
    typer.Option("--identity", "-i", metavar="FILE", help="Key file; ESXi 6.7 and newer take RSA and ECDSA."),
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]
Keyring = Annotated[
    bool, typer.Option("--keyring", help="Take the password from the system's keyring: esxprobe, user@host.")
]
AcceptNewHostKey = Annotated[
    bool, typer.Option("--accept-new-host-key", help="Write down and accept keys of hosts never seen before.")
]
LegacyCrypto = Annotated[
    bool, typer.Option("--legacy-crypto", help="Allow the old algorithms that ESXi 5.x speaks; it is recorded.")
]

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="First time: 2018-04-24T10:50, 10:50 of the capture's day, +10m from its start.",
    ),
]
ReportFrom = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="First time: 2018-04-24T10:50, 10:50 of the capture's day, +10m from its start; auto for the first "
        "window of time that stands out.",
    ),
]
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="Last time, in the same ways.")]


def seconds(text: str) -> float:
    """A length of time as people write it [s].

    Raises:
        UsageError: It is none.
    """
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no length of time", hint="write 600, 90s, 10m or 1h")
    return float(match[1]) * _SECONDS[match[2]]
