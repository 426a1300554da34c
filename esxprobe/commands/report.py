"""`esxprobe report`: a capture in, one HTML file out."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.fleet import FleetWords
from esxprobe.commands.guestalone import GuestsAlone, are_guest_logs, report_guests, show_guests
from esxprobe.commands.options import BaselineFrom, BaselineTo, From, To, windows_of
from esxprobe.commands.outputs import show_in_browser
from esxprobe.errors import EXIT_FINDINGS, UsageError

if TYPE_CHECKING:
    from esxprobe.model import Finding


class FailOn(StrEnum):
    """Severities that `--fail-on` takes."""

    critical = "critical"
    warning = "warning"
    info = "info"


def report(
    captures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CAPTURE",
            help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder; left out: the newest below captures/. "
            "Several, a folder that holds some, or a URL: a report each and a summary, see docs/scale.md. "
            "Or guests' logs alone (perfmon, sar, sadf, /proc/vmstat).",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write the HTML (of several captures the summary); or a name of its own.",
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the analysis as JSON here too; - for standard output."),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.md", help="Write the likely causes in 30 lines of Markdown here too, for a ticket."
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            help="Zone of the capture's stamps (Europe/Berlin, +02:00); for ESX classic's local times.",
        ),
    ] = None,
    start: From = None,
    end: To = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="CAPTURE", help="A capture of a good time, or of another monitor mode, to compare with."
        ),
    ] = None,
    baseline_start: BaselineFrom = None,
    baseline_end: BaselineTo = None,
    guest_log: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[VM=]FILE",
            help="A guest's own log (perfmon, sar, sadf, vmstat): VM=FILE, or FILE when it names its VM.",
        ),
    ] = None,
    guest_offset: Annotated[
        list[str] | None,
        typer.Option(metavar="VM=SECONDS", help="How far a guest's clock is ahead of the host's: VM=+3.5s."),
    ] = None,
    guest_timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of the guests' stamps, where their logs do not say it.")
    ] = None,
    mmu: Annotated[
        list[str] | None,
        typer.Option(metavar="VM=MODE", help="A VM's monitor mode: VM=software, VM=hardware or VM=unknown."),
    ] = None,
    vmware_log: Annotated[
        list[str] | None,
        typer.Option(metavar="VM=FILE", help="A copy of a VM's vmware.log, which tells its monitor mode: VM=FILE."),
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(
            "--log",
            metavar="FILE",
            help="A log that tells events (vobd, vmkernel, hostd, vmware.log, syslog, a vCenter export), or a "
            "folder of them; may be repeated. See docs/events.md.",
        ),
    ] = None,
    log_timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of stamps in --log files that name none.")
    ] = None,
    baseline_guest_log: Annotated[
        list[str] | None,
        typer.Option(metavar="[VM=]FILE", help="Like --guest-log, of the baseline; a capture folder has its own."),
    ] = None,
    baseline_mmu: Annotated[
        list[str] | None, typer.Option(metavar="VM=MODE", help="Like --mmu, of the baseline.")
    ] = None,
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A TOML file that changes, silences and adds rules; see docs/own-rules.md."
        ),
    ] = None,
    redact: Annotated[
        bool,
        typer.Option("--redact", help="Pseudonyms for names, addresses, ids and paths; see also esxprobe redact."),
    ] = False,
    redact_map: Annotated[
        Path | None,
        typer.Option(
            "--redact-map",
            metavar="FILE",
            help="The private map of names and pseudonyms: made, or continued when it is there. Never hand it on.",
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.zip",
            help="Write report, JSON, manifest and checksums into this zip too, to go to a case together.",
        ),
    ] = None,
    with_capture: Annotated[
        bool, typer.Option("--with-capture", help="The raw capture and guests' logs go into the zip as well.")
    ] = False,
    open_it: Annotated[
        bool,
        typer.Option("--open", help="Open the finished report (of several captures the summary) in a browser."),
    ] = False,
    fail_on: Annotated[
        FailOn | None,
        typer.Option(
            metavar="SEVERITY",
            help="Exit with 1 when a finding is this severe or worse: critical, warning or info.",
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Processes for several captures; one a core by itself."
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Have a Dask cluster judge the captures: tcp://scheduler:8786. Needs esxprobe[cluster].",
        ),
    ] = None,
) -> None:
    """Judge captures and write a self-contained HTML findings report of each."""
    if with_capture and bundle is None:
        raise UsageError("--with-capture needs --bundle", hint="name the zip: --bundle FILE.zip")
    window, window_before = windows_of(baseline, (start, end), (baseline_start, baseline_end))
    if are_guest_logs(captures or ()):
        needs_capture = {
            "--summary": summary,
            "--from": start,
            "--to": end,
            "--baseline": baseline,
            "--guest-log": guest_log,
            "--guest-offset": guest_offset,
            "--log": log,
            "--baseline-guest-log": baseline_guest_log,
            "--baseline-mmu": baseline_mmu,
            "--cluster": cluster,
        }
        if given := [option for option, value in needs_capture.items() if value]:
            raise UsageError(f"{given[0]} needs an esxtop capture of the host", hint="give guests' logs alone")
        alone = GuestsAlone(
            tuple(captures or ()),
            guest_timezone or timezone,
            tuple(mmu or ()),
            tuple(vmware_log or ()),
            rules,
            output,
            json,
            bundle,
            with_capture,
        )
        _guests(alone, fail_on, redact, redact_map, open_it=open_it)
        return
    if _is_many(captures or (), cluster):
        one_only = {
            "--summary": summary,
            "--baseline": baseline,
            "--guest-log": guest_log,
            "--guest-offset": guest_offset,
            "--mmu": mmu,
            "--vmware-log": vmware_log,
            "--log": log,
            "--baseline-guest-log": baseline_guest_log,
            "--baseline-mmu": baseline_mmu,
        }
        given = [option for option, value in one_only.items() if value]
        words = FleetWords(
            captures or (),
            output,
            json,
            timezone,
            guest_timezone,
            rules,
            jobs,
            cluster,
            given,
            bundle,
            with_capture,
            window,
        )
        _many(words, fail_on, redact, redact_map, open_it=open_it)
        return
    from contextlib import ExitStack
    from functools import partial

    from esxprobe.report.drawing import Drawer

    with Drawer() as drawer, ExitStack() as stack:  # the drawer first: it gets warm while the capture is read
        from esxprobe.analyze.events import EventOptions
        from esxprobe.commands.bundling import Bundle
        from esxprobe.commands.guests import baseline_options, guest_options
        from esxprobe.commands.redaction import asked_map
        from esxprobe.commands.reporting import Asked, Outputs, book_of, judged, newest, stem, write
        from esxprobe.commands.terminal import show_summary
        from esxprobe.report.html import draw_ahead

        source = Path(captures[0]) if captures else newest()
        private = asked_map(redact, redact_map)
        target = output or Path(f"{stem(private.shown(source) if private else source)}-report.html")
        zipped = stack.enter_context(Bundle(bundle, with_capture=with_capture, private=private)) if bundle else None
        outputs = Outputs(target, json, zipped, summary)
        asked = Asked(
            source=source,
            timezone=timezone,
            guests=guest_options(
                source,
                guest_log or (),
                guest_offset or (),
                guest_timezone,
                mmu or (),
                vmware_log or (),
                events=EventOptions(tuple(log or ()), log_timezone),
            ),
            baseline=baseline,
            before=baseline_options(baseline, baseline_guest_log or (), guest_timezone, baseline_mmu or ()),
            rules=rules,
            window=window,
            window_before=window_before,
        )
        asked.refuse_to_overwrite(outputs)
        book = book_of(rules, private)
        # Pseudonyms come later: what is drawn before them would be drawn again.
        analysis = judged(asked, book, early=partial(draw_ahead, drawer) if private is None else None)
        if zipped is not None:
            asked.gather(zipped)
        if private is not None:
            analysis = private.redacted(analysis, asked.captures())
            private.refuse(outputs.paths)
        write(analysis, drawer, book, outputs, asked.command(private), private)
    show_summary(analysis, target, bundle, quiet=json is not None and str(json) == "-")
    if open_it:
        show_in_browser(target)
    if fail_on and _reaches(analysis.findings, fail_on):
        raise typer.Exit(EXIT_FINDINGS)


def _is_many(words: Sequence[str], cluster: str | None) -> bool:
    if cluster is not None and not words:
        raise UsageError("--cluster needs captures", hint="name them: a folder that all workers see, or s3://...")
    if cluster is not None:
        return True
    from esxprobe.fleet.sources import is_many

    return is_many(words)


def _many(
    words: FleetWords, fail_on: FailOn | None, redact: bool, redact_map: Path | None, *, open_it: bool
) -> None:
    from esxprobe.commands.fleet import exit_code, report_many, summary_of
    from esxprobe.commands.fleet_redaction import report_redacted
    from esxprobe.commands.redaction import asked_map

    private = asked_map(redact, redact_map)
    fleet = report_many(words) if private is None else report_redacted(words, private)
    code = exit_code(fleet, fail_on.value if fail_on else None)
    if open_it:
        show_in_browser(summary_of(words.output))
    if code:
        raise typer.Exit(code)


def _guests(
    asked: GuestsAlone, fail_on: FailOn | None, redact: bool, redact_map: Path | None, *, open_it: bool
) -> None:
    from esxprobe.commands.redaction import asked_map

    found, target = report_guests(asked, asked_map(redact, redact_map))
    show_guests(found, target, asked.bundle, quiet=str(asked.json) == "-")
    if open_it:
        show_in_browser(target)
    if fail_on and _reaches(found.findings, fail_on):
        raise typer.Exit(EXIT_FINDINGS)


def _reaches(findings: Sequence[Finding], fail_on: FailOn) -> bool:
    from esxprobe.model import SEVERITIES

    bad = SEVERITIES[: SEVERITIES.index(fail_on.value) + 1]
    return any(finding.severity in bad for finding in findings)
