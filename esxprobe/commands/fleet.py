"""`esxprobe fleet`: many captures in, a report of each and one summary out."""

from __future__ import annotations

from typing import Annotated

import typer

from esxprobe.commands import report_options as options
from esxprobe.commands.options import From, To
from esxprobe.commands.outputs import show_in_browser
from esxprobe.commands.requests import FleetRequest
from esxprobe.commands.series_of_report import USUAL, AllCounters, Embed, series_request


def fleet(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="CAPTURE...",
            help="Captures, folders that contain some, or URLs (s3://...): see docs/scale.md.",
            show_default=False,
        ),
    ],
    output: options.FleetOutput = None,
    json: options.Json = None,
    timezone: options.Timezone = None,
    start: From = None,
    end: To = None,
    guest_timezone: options.GuestTimezone = None,
    log: options.Log = None,
    log_timezone: options.LogTimezone = None,
    rules: options.Rules = None,
    redact: options.Redact = False,
    redact_map: options.RedactMap = None,
    bundle: options.BundleFile = None,
    with_capture: options.WithCapture = False,
    embed: Embed = USUAL,
    all_counters: AllCounters = False,
    open_it: options.OpenIt = False,
    fail_on: options.FailOnSeverity = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, help="Maximum number of processes. [default: number of cores]"
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="URL",
            help="Analyze the captures on a Dask cluster: tcp://scheduler:8786. Needs esxprobe[cluster].",
        ),
    ] = None,
) -> None:
    """Analyze many captures and write one report for each and a summary of all."""
    from esxprobe.commands.fleet_redaction import report_redacted
    from esxprobe.commands.fleet_reports import exit_code, plan_of, report_plainly, show_fleet
    from esxprobe.commands.redaction import private_map
    from esxprobe.commands.streams import say_left_out
    from esxprobe.fleet.capture_sources import left_out
    from esxprobe.formats.window import window_of

    outputs = options.outputs_of(output, json, None, bundle, with_capture)
    request = FleetRequest(
        sources,
        timezone,
        guest_timezone,
        window_of(start, end),
        rules,
        jobs,
        cluster,
        outputs,
        options.redaction_of(redact, redact_map),
        series_request(embed, every=all_counters),
        tuple(log or ()),
        log_timezone,
    )
    private = private_map(request.redaction)
    plan = plan_of(request, private)
    done = report_plainly(plan, request) if private is None else report_redacted(plan, request, private)
    show_fleet(done, plan.summary, bundle, quiet=outputs.json_to_stdout)
    say_left_out(left_out(sources), shown=private is None)
    if open_it:
        show_in_browser(plan.summary)
    if code := exit_code(done, fail_on.value if fail_on else None):
        raise typer.Exit(code)
