"""`esxprobe compare`: a capture against a baseline, in one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from esxprobe.commands import report_options as options
from esxprobe.commands.options import From, To
from esxprobe.commands.requests import CaptureRequest, ReportRequest
from esxprobe.commands.series_of_report import USUAL, AllCounters, Embed, series_request


def compare(
    baseline: Annotated[
        Path,
        typer.Argument(
            metavar="BASELINE",
            help="Baseline capture: a known-good period, or another monitor mode.",
            show_default=False,
        ),
    ],
    capture: Annotated[Path, typer.Argument(metavar="CAPTURE", help="The capture to analyze.", show_default=False)],
    output: options.Output = None,
    json: options.Json = None,
    summary: options.Summary = None,
    timezone: options.Timezone = None,
    start: From = None,
    end: To = None,
    baseline_start: Annotated[
        str | None, typer.Option("--baseline-from", metavar="TIME", help="Like --from, for the baseline.")
    ] = None,
    baseline_end: Annotated[
        str | None, typer.Option("--baseline-to", metavar="TIME", help="Like --to, for the baseline.")
    ] = None,
    guests_file: options.GuestsFile = None,
    guest_log: options.GuestLog = None,
    guest_offset: options.GuestOffset = None,
    guest_timezone: options.GuestTimezone = None,
    mmu: options.Mmu = None,
    vmware_log: options.VmwareLog = None,
    log: options.Log = None,
    log_timezone: options.LogTimezone = None,
    baseline_guest_log: Annotated[
        list[str] | None,
        typer.Option(
            "--baseline-guest-log",
            metavar="[VM=]FILE",
            help="Like --guest-log, for the baseline. A capture folder contains its own logs.",
        ),
    ] = None,
    baseline_mmu: Annotated[
        list[str] | None,
        typer.Option("--baseline-mmu", metavar="VM=MODE", help="Like --mmu, for the baseline."),
    ] = None,
    rules: options.Rules = None,
    redact: options.Redact = False,
    redact_map: options.RedactMap = None,
    bundle: options.BundleFile = None,
    with_capture: options.WithCapture = False,
    embed: Embed = USUAL,
    all_counters: AllCounters = False,
    open_it: options.OpenIt = False,
    fail_on: options.FailOnSeverity = None,
) -> None:
    """Analyze a capture and compare it with a baseline, which may be another part of the same file."""
    outputs = options.outputs_of(output, json, summary, bundle, with_capture)
    redaction = options.redaction_of(redact, redact_map)
    series = series_request(embed, every=all_counters)
    from esxprobe.report.drawing import Drawer

    with Drawer() as drawer:  # first: its process starts while the rest is imported
        from esxprobe.commands.event_logs import event_options
        from esxprobe.commands.guest_file import with_guest_file
        from esxprobe.commands.guests import guest_options
        from esxprobe.commands.reporting import report_capture
        from esxprobe.commands.terminal import show_summary
        from esxprobe.formats.window import window_of

        events = event_options(log, log_timezone, (capture, baseline))
        guests = guest_options(
            capture,
            guest_log or (),
            guest_offset or (),
            guest_timezone,
            mmu or (),
            vmware_log or (),
            events=events,
        )
        guests_before = guest_options(
            baseline, baseline_guest_log or (), (), guest_timezone, baseline_mmu or (), (), events=events
        )
        request = ReportRequest(
            CaptureRequest(capture, with_guest_file(guests, guests_file), window_of(start, end)),
            CaptureRequest(baseline, guests_before, window_of(baseline_start, baseline_end, "baseline")),
            timezone,
            rules,
            outputs,
            redaction,
            series,
        )
        done = report_capture(request, drawer)
    show_summary(done.analysis, done.html, bundle, quiet=outputs.json_to_stdout)
    options.finish(done.html, done.analysis.findings, open_it=open_it, fail_on=fail_on)
