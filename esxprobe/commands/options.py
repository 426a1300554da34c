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
    str | None, typer.Option(metavar="TIME", help="Length of the capture: 600, 10m, 1h. [default: 10m]")
]
Api = Annotated[
    str | None,
    typer.Option(
        "--api",
        metavar="TARGET",
        help="Without SSH: [user@]host, or [user@]vcenter/host, over vSphere's API. See docs/collecting.md.",
    ),
]
Thumbprint = Annotated[
    str | None,
    typer.Option(
        "--thumbprint",
        metavar="SHA256",
        help="Thumbprint of the certificate of --api, where this machine does not trust it.",
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Number of samples instead of a duration, including the first, which is discarded."
    ),
]
Interval = Annotated[
    int | None,
    typer.Option(metavar="SECONDS", help="Sampling interval in seconds, at least 2. [default: 5]"),
]
Segment = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Restart esxtop at this interval, for example 15m, so that newly started VMs are included.",
    ),
]
Packed = Annotated[
    bool | None,
    typer.Option(
        "--packed/--plain",
        help="Run gzip on the host: less is sent, but a lost connection loses more samples. "
        "[default: only above 64 kB/s]",
    ),
]
RetryFor = Annotated[
    str | None,
    typer.Option(
        "--retry-for",
        metavar="TIME",
        help="How long to retry a lost connection: 30m, 2h, 0. [default: until the planned end of the capture]",
    ),
]
Logs = Annotated[
    bool,
    typer.Option(
        "--logs/--no-logs",
        help="Whether lines of the host's logs of that time are taken after the capture, for their events.",
    ),
]
Vms = Annotated[
    list[str] | None,
    typer.Option(
        "--vm",
        metavar="NAME",
        help="Limit the capture to this VM (exact name; repeatable). Writes one small temporary file on the host.",
    ),
]
LinuxGuests = Annotated[
    list[str] | None,
    typer.Option(
        "--guest",
        metavar="VM=ADDRESS",
        help="A Linux guest to sample together with the host: VM=ssh://user@address.",
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
        help="Guest sampling interval in seconds. [default: the host's for Linux, 1 for Windows]",
    ),
]
FaultProbe = Annotated[
    list[str] | None,
    typer.Option(
        "--fault-probe",
        metavar="VM",
        help="Measure the time of page faults in this guest for two seconds; repeatable.",
    ),
]
FaultExperiment = Annotated[
    list[str] | None,
    typer.Option(
        "--fault-experiment",
        metavar="VM[=TIME]",
        help="Run a randomized experiment on the cost of page faults in this guest: VM or VM=LENGTH. Asks first. "
        "[default length: 5m]",
    ),
]
ExperimentBudget = Annotated[
    str,
    typer.Option("--experiment-budget", metavar="PERCENT", help="Share of one vCPU that the experiment may take."),
]
SingleVcpu = Annotated[bool, typer.Option("--single-vcpu", help="Allow the experiment in a VM with one vCPU.")]
Yes = Annotated[bool, typer.Option("--yes", help="Run the experiment without a prompt.")]
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
AcceptNewHostKey = Annotated[bool, typer.Option("--accept-new-host-key", help="Accept and save unknown host keys.")]
LegacyCrypto = Annotated[
    bool,
    typer.Option(
        "--legacy-crypto", help="Allow legacy SSH algorithms (needed for ESXi 5.x). Recorded in the manifest."
    ),
]

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Start of the window: 2018-04-24T10:50, 10:50 of the capture's day, or +10m from its start.",
    ),
]
WindowTimezone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="Time zone of the capture's timestamps (Europe/Berlin, +02:00) and of --from and --to.",
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
To = Annotated[str | None, typer.Option("--to", metavar="TIME", help="End of the window, in the same formats.")]


def seconds(text: str) -> float:
    """A duration as users write it [s].

    Raises:
        UsageError: It is none.
    """
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a valid duration", hint="write 600, 90s, 10m or 1h")
    return float(match[1]) * _SECONDS[match[2]]
