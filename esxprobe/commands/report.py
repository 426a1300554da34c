"""`esxprobe report`: a capture in, one HTML file out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.errors import EXIT_FINDINGS

if TYPE_CHECKING:
    from esxprobe.model import Analysis


class FailOn(StrEnum):
    """Severities that `--fail-on` takes."""

    critical = "critical"
    warning = "warning"
    info = "info"


def report(
    capture: Annotated[
        Path | None,
        typer.Argument(
            help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder; left out: the newest below captures/.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where to write the HTML; a name from the capture's when left out."),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", help="Write the analysis as JSON here too; - for standard output."),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Zone of the capture's stamps (Europe/Berlin, +02:00); for ESX classic's local times."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="A capture of a good time, or of another monitor mode, to compare with."),
    ] = None,
    guest_log: Annotated[
        list[str] | None,
        typer.Option(help="A guest's own log (perfmon, sar, sadf, vmstat): VM=FILE, or FILE when it names its VM."),
    ] = None,
    guest_offset: Annotated[
        list[str] | None,
        typer.Option(help="How far a guest's clock is ahead of the host's: VM=+3.5s."),
    ] = None,
    guest_timezone: Annotated[
        str | None, typer.Option(help="Zone of the guests' stamps, where their logs do not say it.")
    ] = None,
    mmu: Annotated[
        list[str] | None, typer.Option(help="A VM's monitor mode: VM=software, VM=hardware or VM=unknown.")
    ] = None,
    vmware_log: Annotated[
        list[str] | None, typer.Option(help="A copy of a VM's vmware.log, which tells its monitor mode: VM=FILE.")
    ] = None,
    baseline_guest_log: Annotated[
        list[str] | None, typer.Option(help="Like --guest-log, of the baseline; a capture folder has its own.")
    ] = None,
    baseline_mmu: Annotated[list[str] | None, typer.Option(help="Like --mmu, of the baseline.")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="A TOML file that changes, silences and adds rules; see docs/own-rules.md.")
    ] = None,
    redact: Annotated[
        bool,
        typer.Option("--redact", help="Pseudonyms for names, addresses, ids and paths; see also esxprobe redact."),
    ] = False,
    redact_map: Annotated[
        Path | None,
        typer.Option(
            "--redact-map",
            help="The private map of names and pseudonyms: made, or continued when it is there. Never hand it on.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn | None, typer.Option(help="Exit with 1 when a finding is this severe or worse.")
    ] = None,
) -> None:
    """Judge a capture and write one self-contained HTML findings report."""
    from esxprobe.report.drawing import Drawer

    with Drawer() as drawer:  # first: it gets warm while the capture is read
        from esxprobe.commands.guests import baseline_options, guest_options
        from esxprobe.commands.redaction import asked_map
        from esxprobe.commands.reporting import Asked, book_of, judged, newest, stem, write
        from esxprobe.commands.terminal import show_summary

        source = capture or newest()
        private = asked_map(redact, redact_map)
        target = output or Path(f"{stem(private.shown(source) if private else source)}-report.html")
        asked = Asked(
            source=source,
            timezone=timezone,
            guests=guest_options(
                source, guest_log or (), guest_offset or (), guest_timezone, mmu or (), vmware_log or ()
            ),
            baseline=baseline,
            before=baseline_options(baseline, baseline_guest_log or (), guest_timezone, baseline_mmu or ()),
            rules=rules,
        )
        asked.refuse_to_overwrite(target, json)
        book = book_of(rules)
        analysis = judged(asked, book)
        if private is not None:
            analysis = private.redacted(analysis, asked.captures())
            private.refuse([path for path in (target, json) if path is not None and str(path) != "-"])
        write(analysis, drawer, book, target, json, asked.command(private), private)
    show_summary(analysis, target, quiet=json is not None and str(json) == "-")
    if fail_on and _reaches(analysis, fail_on):
        raise typer.Exit(EXIT_FINDINGS)


def _reaches(analysis: Analysis, fail_on: FailOn) -> bool:
    from esxprobe.model import SEVERITIES

    bad = SEVERITIES[: SEVERITIES.index(fail_on.value) + 1]
    return any(finding.severity in bad for finding in analysis.findings)
