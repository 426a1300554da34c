"""`esxprobe report`: a capture, or guests' logs alone, in; one HTML file out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from esxprobe.commands import report_options as options
from esxprobe.commands.guestalone import are_guest_logs, report_guest_logs, show_guests
from esxprobe.commands.options import ReportFrom, To
from esxprobe.commands.requests import CaptureRequest, GuestLogsRequest, ReportRequest, SupportRequest
from esxprobe.commands.series_of_report import USUAL, AllCounters, Embed, is_given, series_request
from esxprobe.commands.support import (
    bundle_of,
    capture_inside,
    refuse_beside,
    refuse_without_capture,
    split_words,
    with_bundle,
)
from esxprobe.errors import UsageError


def report(
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CAPTURE",
            help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder, or guest logs alone "
            "(perfmon, sar, sadf, /proc/vmstat), or a vm-support bundle. "
            "[default: the newest capture folder under captures/]",
            show_default=False,
        ),
    ] = None,
    output: options.Output = None,
    json: options.Json = None,
    summary: options.Summary = None,
    timezone: options.Timezone = None,
    start: ReportFrom = None,
    end: To = None,
    guests_file: options.GuestsFile = None,
    guest_log: options.GuestLog = None,
    guest_offset: options.GuestOffset = None,
    guest_timezone: options.GuestTimezone = None,
    mmu: options.Mmu = None,
    vmware_log: options.VmwareLog = None,
    log: options.Log = None,
    log_timezone: options.LogTimezone = None,
    vm_support: options.VmSupport = None,
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
    """Analyze a capture and write a self-contained HTML findings report."""
    outputs = options.outputs_of(output, json, summary, bundle, with_capture)
    redaction = options.redaction_of(redact, redact_map)
    series = series_request(embed, every=all_counters)
    words = inputs or ()
    from esxprobe.report.drawing import Drawer

    if are_guest_logs(words):
        needs_capture = {
            "--summary": summary,
            "--from": start,
            "--to": end,
            "--guests": guests_file,
            "--guest-log": guest_log,
            "--guest-offset": guest_offset,
            "--all-counters": all_counters,
            "--log": log,
            "--vm-support": vm_support,
        }
        refuse_without_capture(needs_capture, "give only guest logs")
        with Drawer() as drawer:  # first: its process starts while the rest is imported
            from esxprobe.commands.guests import guest_logs_alone

            guests = guest_logs_alone(words, guest_timezone or timezone, mmu or (), vmware_log or ())
            alone = report_guest_logs(GuestLogsRequest(guests, rules, outputs, redaction), drawer)
        show_guests(alone, outputs)
        options.finish(alone.html, alone.report.findings, open_it=open_it, fail_on=fail_on)
        return
    words, bundles = split_words(words)
    _refuse_several(words)
    with ExitStack() as stack:
        drawer = stack.enter_context(Drawer())
        from esxprobe.analyze.events import EventOptions
        from esxprobe.commands.auto_window import window_asked
        from esxprobe.commands.guest_file import with_guest_file
        from esxprobe.commands.guests import guest_options
        from esxprobe.commands.reporting import newest, report_capture
        from esxprobe.commands.terminal import show_summary

        logs = EventOptions(tuple(log or ()), log_timezone)
        if bundles and not words:
            inside, support = capture_inside(bundles, stack)
            if inside is None:
                needs_capture = {
                    "--vm-support": vm_support, "--summary": summary, "--from": start, "--to": end,
                    "--guests": guests_file, "--guest-log": guest_log, "--guest-offset": guest_offset,
                    "--mmu": mmu, "--vmware-log": vmware_log, "--all-counters": all_counters,
                    "--timezone": timezone, "--guest-timezone": guest_timezone, "--with-capture": with_capture,
                    "--embed": is_given(context, "embed"),
                }  # fmt: skip
                refuse_without_capture(needs_capture, "the bundle holds no esxtop CSV: give a capture beside it")
                from esxprobe.commands.supportalone import report_bundle, show_support

                found = report_bundle(SupportRequest(support, logs, rules, outputs, redaction), drawer)
                show_support(found, outputs)
                options.finish(found.html, found.report.analysis.findings, open_it=open_it, fail_on=fail_on)
                return
            refuse_beside(bundles[0], vm_support or ())
            source = inside
        else:
            source = Path(words[0]) if words else newest()
            support = bundle_of(source, [*bundles, *(vm_support or ())], stack)
        guests = guest_options(
            source,
            guest_log or (),
            guest_offset or (),
            guest_timezone,
            mmu or (),
            vmware_log or (),
            events=with_bundle(logs, support),
        )
        window = window_asked(source, start, end, timezone)
        capture = CaptureRequest(source, with_guest_file(guests, guests_file), window, support)
        request = ReportRequest(
            capture, timezone=timezone, rules=rules, outputs=outputs, redaction=redaction, series=series
        )
        done = report_capture(request, drawer)
    show_summary(done.analysis, done.html, bundle, quiet=outputs.json_to_stdout)
    options.finish(done.html, done.analysis.findings, open_it=open_it, fail_on=fail_on)


def _refuse_several(words: Sequence[str]) -> None:
    """A report is about one capture; two commands of their own are about more than one."""
    from esxprobe.fleet.capture_sources import is_many
    from esxprobe.fleet.urls import is_url

    if is_many(words):
        why = "is a URL, which esxprobe fleet reads" if is_url(words[0]) else "contains several captures"
        shown = " ".join(words[:2]) + (" ..." if len(words) > 2 else "")
        raise UsageError(
            "esxprobe report takes one capture, and several were given" if len(words) > 1 else f"{words[0]} {why}",
            hint=f"for one report each and a summary: esxprobe fleet {shown}"
            + ("; to compare two captures: esxprobe compare BASELINE CAPTURE" if len(words) == 2 else ""),
        )
