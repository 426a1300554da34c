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


def _zone(name: str | None) -> str | None:
    """A zone that exists, whether a log needs it or not."""
    if name is not None:
        from esxprobe.formats.timestamps import named_zone

        named_zone(name)
    return name


Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Output HTML file. [default: <capture>-report.html]"),
]
FleetOutput = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Output HTML file of the summary, or a folder for it; the reports are written beside it. "
        "[default: fleet-report.html]",
    ),
]
Json = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="FILE", help="Also write the analysis as JSON to this file; - for standard output."
    ),
]
Summary = Annotated[
    Path | None,
    typer.Option(
        "--summary",
        metavar="FILE.md",
        help="Also write the likely causes to this file, in 30 lines of Markdown for a ticket.",
    ),
]
Timezone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="Time zone of the capture's timestamps (Europe/Berlin, +02:00). Needed for ESX classic, which logs "
        "local time.",
    ),
]
GuestLog = Annotated[
    list[str] | None,
    typer.Option(
        "--guest-log",
        metavar="[VM=]FILE",
        help="A guest's own log (perfmon, sar, sadf, vmstat): VM=FILE, or FILE if the log names its VM.",
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
        "--guest-timezone",
        metavar="ZONE",
        callback=_zone,
        help="Time zone of guest timestamps, for logs that do not contain it.",
    ),
]
Log = Annotated[
    list[Path] | None,
    typer.Option(
        "--log",
        metavar="FILE",
        help="A log that tells events (vobd, vmkernel, hostd, vmware.log, syslog, a vCenter export), or a folder "
        "of them; may be repeated. See docs/events.md.",
    ),
]
LogTimezone = Annotated[
    str | None,
    typer.Option(
        "--log-timezone", metavar="ZONE", callback=_zone, help="Zone of stamps in --log files that name none."
    ),
]
VmSupport = Annotated[
    list[Path] | None,
    typer.Option(
        "--vm-support",
        metavar="BUNDLE",
        help="The host's vm-support bundle (.tgz, .tar, .zip, a folder): facts, monitor modes and events for the "
        "capture; of several, the one of the capture's host. See docs/vm-support.md.",
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
        help="A copy of a VM's vmware.log, which contains its monitor mode: VM=FILE.",
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
    typer.Option(
        "--redact", help="Replace names, addresses, IDs and paths by pseudonyms; see also esxprobe redact."
    ),
]
RedactMap = Annotated[
    Path | None,
    typer.Option(
        "--redact-map",
        metavar="FILE",
        help="Private map of names and pseudonyms: created, or extended if it exists. Never share it.",
    ),
]
BundleFile = Annotated[
    Path | None,
    typer.Option(
        "--bundle",
        metavar="FILE.zip",
        help="Also write report, JSON, manifest and checksums to this zip file, for a support case.",
    ),
]
WithCapture = Annotated[
    bool, typer.Option("--with-capture", help="Also include the raw capture and the guest logs in the zip file.")
]
OpenIt = Annotated[bool, typer.Option("--open", help="Open the finished report in a browser.")]
FailOnSeverity = Annotated[
    FailOn | None,
    typer.Option(
        "--fail-on",
        metavar="SEVERITY",
        help="Exit with code 1 if a finding has at least this severity: critical, warning or info.",
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
        raise UsageError("--with-capture needs --bundle", hint="add --bundle FILE.zip")
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
