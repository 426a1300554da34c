"""The options that `report`, `compare` and `fleet` share, and what follows a finished report."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.outputs import show_in_browser
from esxprobe.commands.requests import OutputRequest, RedactionRequest
from esxprobe.errors import EXIT_FINDINGS, UsageError

if TYPE_CHECKING:
    from esxprobe.model import Finding


class FailOn(StrEnum):
    """Severities that `--fail-on` takes."""

    critical = "critical"
    warning = "warning"
    info = "info"


Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Where to write the HTML; named after the input when left out."
    ),
]
FleetOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write the summary's HTML: a file or a folder."),
]
Json = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the analysis as JSON here too; - for standard output."),
]
Summary = Annotated[
    Path | None,
    typer.Option(
        "--summary",
        metavar="FILE.md",
        help="Write the likely causes in 30 lines of Markdown here too, for a ticket.",
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="Zone of the capture's stamps (Europe/Berlin, +02:00); for ESX classic's local times.",
    ),
]
GuestLog = Annotated[
    list[str] | None,
    typer.Option(
        "--guest-log",
        metavar="[VM=]FILE",
        help="A guest's own log (perfmon, sar, sadf, vmstat): VM=FILE, or FILE when it names its VM.",
    ),
]
GuestOffset = Annotated[
    list[str] | None,
    typer.Option(
        "--guest-offset", metavar="VM=SECONDS", help="How far a guest's clock is ahead of the host's: VM=+3.5s."
    ),
]
GuestsFile = Annotated[
    Path | None,
    typer.Option(
        "--guests",
        metavar="FILE",
        help="A TOML file of guests: log, clock offset, monitor mode, vmware.log; see docs/guests.md.",
    ),
]
GuestTimezone = Annotated[
    str | None,
    typer.Option(
        "--guest-timezone", metavar="ZONE", help="Zone of the guests' stamps, where their logs do not contain it."
    ),
]
Mmu = Annotated[
    list[str] | None,
    typer.Option("--mmu", metavar="VM=MODE", help="A VM's monitor mode: VM=software, VM=hardware or VM=unknown."),
]
VmwareLog = Annotated[
    list[str] | None,
    typer.Option(
        "--vmware-log",
        metavar="VM=FILE",
        help="A copy of a VM's vmware.log, which tells its monitor mode: VM=FILE.",
    ),
]
Rules = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        metavar="FILE",
        help="A TOML file that changes, silences and adds rules; see docs/own-rules.md.",
    ),
]
Redact = Annotated[
    bool,
    typer.Option("--redact", help="Pseudonyms for names, addresses, ids and paths; see also esxprobe redact."),
]
RedactMap = Annotated[
    Path | None,
    typer.Option(
        "--redact-map",
        metavar="FILE",
        help="The private map of names and pseudonyms: made, or continued when it is there. Never hand it on.",
    ),
]
BundleFile = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="FILE.zip",
        help="Write report, JSON, manifest and checksums into this zip too, to go to a case together.",
    ),
]
WithCapture = Annotated[
    bool, typer.Option("--with-capture", help="The raw capture and guests' logs go into the zip as well.")
]
OpenIt = Annotated[bool, typer.Option("--open", help="Open the finished report in a browser.")]
FailOnSeverity = Annotated[
    FailOn | None,
    typer.Option(
        "--fail-on",
        metavar="SEVERITY",
        help="Exit with 1 when a finding is this severe or worse: critical, warning or info.",
    ),
]


def outputs_of(
    html: Path | None, json: Path | None, summary: Path | None, bundle: Path | None, with_capture: bool
) -> OutputRequest:
    """Where the results go.

    Raises:
        UsageError: The capture was to go into a zip that was not named.
    """
    if with_capture and bundle is None:
        raise UsageError("--with-capture needs --bundle", hint="name the zip: --bundle FILE.zip")
    return OutputRequest(html, json, summary, bundle, with_capture)


def redaction_of(redact: bool, redact_map: Path | None) -> RedactionRequest:
    """Whether names are replaced.

    Raises:
        UsageError: A map is named and nothing is to be redacted.
    """
    if redact_map is not None and not redact:
        raise UsageError("--redact-map needs --redact", hint="add --redact, or leave the map out")
    return RedactionRequest(redact, redact_map)


def finish(html: Path, findings: Iterable[Finding], *, open_it: bool, fail_on: FailOn | None) -> None:
    """Opens a written report where that was asked for, and ends with the exit code of its findings."""
    if open_it:
        show_in_browser(html)
    if fail_on is None:
        return
    from esxprobe.model import SEVERITIES

    bad = SEVERITIES[: SEVERITIES.index(fail_on.value) + 1]
    if any(finding.severity in bad for finding in findings):
        raise typer.Exit(EXIT_FINDINGS)
