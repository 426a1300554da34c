"""What `esxprobe fleet` does with what was asked for: who judges the captures, one report each, one summary."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.bundling import Bundle
from esxprobe.commands.event_logs import event_options
from esxprobe.commands.guests import event_words
from esxprobe.commands.outputs import refuse_to_overwrite, save
from esxprobe.commands.reporting import book_of, save_json, shown_path, stem
from esxprobe.commands.series_of_report import series_words
from esxprobe.commands.streams import printable, say, say_failed, say_made
from esxprobe.commands.terminal import wide_console
from esxprobe.errors import EXIT_FINDINGS, EXIT_HOST_FAILED, EXIT_UNREADABLE, EXIT_USAGE, UsageError

if TYPE_CHECKING:
    from esxprobe.analyze import EventOptions, GuestOptions
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.commands.requests import FleetRequest
    from esxprobe.fleet.work import Task
    from esxprobe.model import Severity
    from esxprobe.model.fleet import CaptureOutcome, Fleet, Judged

SUMMARY = "fleet-report.html"
_COLORS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What is to be judged, and the files that this makes.

    Attributes:
        sources: Path or URL of each capture.
        shown: What each is called in the outputs; a pseudonym where names are replaced.
        reports: The name of each report's file.
        summary: The summary's page; the reports are beside it.
        tasks: What is handed to the processes or the cluster.
        command: The command that makes the summary again.
    """

    sources: Sequence[str]
    shown: Sequence[str]
    reports: Sequence[str]
    summary: Path
    tasks: Sequence[Task]
    command: str

    @property
    def folder(self) -> Path:
        """Where summary and reports go."""
        return self.summary.parent


def report_plainly(plan: FleetPlan, request: FleetRequest) -> Fleet:
    """A report of every capture, written as soon as it is there, and the summary.

    Raises:
        ClusterError: The cluster does not answer, has no workers, or they are not like us.
        OutputError: A file cannot be written.
    """
    import esxprobe
    from esxprobe.fleet.capture_sources import at_hand
    from esxprobe.fleet.merge import merged
    from esxprobe.model.fleet import CaptureOutcome

    outcomes: dict[int, CaptureOutcome] = {}
    documents: dict[int, str] = {}
    for number, judged in judged_by(plan, request):
        report = plan.reports[number] if judged.digest is not None else ""
        if report:
            save(plan.folder / report, judged.html)
            documents[number] = judged.document
        outcomes[number] = CaptureOutcome(plan.shown[number], report, judged.digest, judged.failure)
    fleet = merged([outcomes[number] for number in range(len(plan.tasks))], esxprobe.__version__)
    html, document = rendered(fleet, plan.command)
    save(plan.summary, html)
    save_json(request.outputs.json, document)
    if request.outputs.bundle is not None:
        with Bundle(request.outputs.bundle, with_capture=request.outputs.with_capture, private=None) as bundle:
            bundle.file(plan.summary.name, plan.summary)
            bundle.text(f"{plan.summary.stem}.json", document)
            for number in sorted(documents):  # nothing of a capture that failed
                bundle.file(plan.reports[number], plan.folder / plan.reports[number])
                bundle.text(f"{Path(plan.reports[number]).stem}.json", documents[number])
                bundle.capture(bundle.keep(at_hand(plan.sources[number])))
            bundle.logs(guests_of(request))
            bundle.write()
    return fleet


def guests_of(request: FleetRequest) -> GuestOptions:
    """What was given beside the captures: logs of events."""
    from esxprobe.analyze import EventOptions, GuestOptions

    return GuestOptions(events=EventOptions(request.logs, request.log_timezone))


def rendered(fleet: Fleet, command: str) -> tuple[str, str]:
    """HTML and JSON of a summary."""
    from esxprobe.report.fleet import render_fleet_html
    from esxprobe.report.fleet_document import render_fleet_json

    return render_fleet_html(fleet, command), render_fleet_json(fleet)


def exit_code(fleet: Fleet, fail_on: Severity | None) -> int:
    """What the process ends with: failures go before findings, for what was not judged may have some.

    2 when no word fitted any capture, 4 when none could be read, 3 when some could not or a cluster lost them.
    """
    from esxprobe.model import SEVERITIES

    failures = [each.failure for each in fleet.outcomes if each.failure is not None]
    if failures and len(failures) == len(fleet.outcomes):
        if all(failure.exit_code == EXIT_USAGE for failure in failures):
            return EXIT_USAGE
        return EXIT_HOST_FAILED if any(f.exit_code == EXIT_HOST_FAILED for f in failures) else EXIT_UNREADABLE
    if failures:
        return EXIT_HOST_FAILED
    bad = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on else ()
    digests = [each.digest for each in fleet.outcomes if each.digest is not None]
    return EXIT_FINDINGS if any(digest.count(level) for digest in digests for level in bad) else 0


def judged_by(plan: FleetPlan, request: FleetRequest) -> Iterator[tuple[int, Judged]]:
    """Judges tasks here, in processes of this machine or on a cluster; gives their numbers as they are done."""
    with _progress(len(plan.tasks)) as advance:
        for number, judged in _begun(plan.tasks, request):
            yield number, judged
            advance()


def _begun(tasks: Sequence[Task], request: FleetRequest) -> Iterator[tuple[int, Judged]]:
    if request.cluster:
        from esxprobe.fleet.cluster import judged_on_cluster

        return judged_on_cluster(tasks, request.cluster)
    from esxprobe.fleet.pool import judged_here, judged_in_pool

    jobs = min(request.jobs or os.cpu_count() or 1, len(tasks))
    return judged_here(tasks) if jobs <= 1 else judged_in_pool(tasks, jobs)


def plan_of(request: FleetRequest, private: PrivateMap | None) -> FleetPlan:
    """What is to be judged, and how; names, and words of one's own rules, are hidden where there is a map.

    Raises:
        UnreadableInputError: A URL cannot be listed.
        UsageError: Two outputs would be one file, or one would be in a capture.
        OutputError: An output is an input.
    """
    from esxprobe.fleet.capture_sources import expanded
    from esxprobe.fleet.urls import is_url, shown
    from esxprobe.fleet.work import Task

    def visible(source: str) -> str:
        return shown(source) if private is None else private.shown(Path(source)).name

    def command(*names: str) -> str:
        words = ["--redact"] if private else []
        return shlex.join(["esxprobe", *names, *_options(request, private), *words])

    sources = expanded(request.sources)
    events = event_options(request.logs, request.log_timezone, sources)
    summary = summary_of(request.outputs.html)
    reports = names_of([visible(source) for source in sources], summary.name)
    book = book_of(request.rules, private).without_examples()
    tasks = [
        Task(
            # A worker elsewhere is in another folder.
            source=source if is_url(source) or not request.cluster else str(Path(source).absolute()),
            command=command("report", _last_part(visible(source))),
            timezone=request.timezone,
            guest_timezone=request.guest_timezone,
            book=book,
            with_document=request.outputs.bundle is not None,
            window=request.window,
            bare=private is not None,
            embed=request.series.budget,
            every=request.series.every,
            events=events if not request.cluster else _absolute(events),
        )
        for source in sources
    ]
    plan = FleetPlan(
        sources,
        [visible(source) for source in sources],
        reports,
        summary,
        tasks,
        command("fleet", *(_last_part(visible(word)) for word in request.sources)),
    )
    _refuse_targets(plan, request)
    return plan


def _absolute(events: EventOptions) -> EventOptions:
    """The same for a worker, which is in another folder."""
    return replace(events, paths=tuple(path.absolute() for path in events.paths))


def _last_part(source: str) -> str:
    return source.rstrip("/").rpartition("/")[2] or source


def summary_of(output: Path | None) -> Path:
    """Where the summary goes: a file, or a folder, which a name without an extension is if nothing has it."""
    if output is None:
        return Path(SUMMARY)
    return output / SUMMARY if output.is_dir() or not (output.suffix or output.exists()) else output


def names_of(sources: Sequence[str], taken: str) -> list[str]:
    """A report's name for each capture, as it alone would get; a number more where two would be the same."""
    names: list[str] = []
    used = {taken.casefold()}  # some file systems do not tell A from a
    for source in sources:
        base, count = stem(Path(source)), 1
        name = f"{base}-report.html"
        while name.casefold() in used:
            count += 1
            name = f"{base}-{count}-report.html"
        used.add(name.casefold())
        names.append(name)
    return names


def _refuse_targets(plan: FleetPlan, request: FleetRequest) -> None:
    """No output is a part of a capture, nor is it in one."""
    from esxprobe.capture import is_capture_folder
    from esxprobe.fleet.urls import is_url

    paths = [Path(source) for source in plan.sources if not is_url(source)]
    inputs = [path for path in paths if not is_capture_folder(path)]
    inputs += guests_of(request).files
    outputs = [plan.summary, *(plan.folder / name for name in plan.reports), *request.outputs.files()]
    for folder in (path.resolve() for path in paths if path not in inputs):
        if inside := next((each for each in outputs if folder in each.resolve().parents), None):
            raise UsageError(
                f"{inside} would be inside the capture folder {folder.name}", hint="use another path with -o"
            )
    there = [path for path in outputs if path.exists()]  # only what is there can be overwritten
    for target in there:
        refuse_to_overwrite(inputs, target, None, request.rules)
    refuse_to_overwrite((), plan.summary, request.outputs.json, request.rules)
    names = [path.resolve() for path in outputs]
    if twice := next((path for path in outputs if names.count(path.resolve()) > 1), None):
        raise UsageError(f"two outputs have the same name {twice}", hint="use a different file name for each")


def _options(request: FleetRequest, private: PrivateMap | None) -> list[str]:
    """Options that the reports depend on, as they would be typed."""
    from esxprobe.analyze import EventOptions

    words = ["--timezone", request.timezone] if request.timezone else []
    words += request.window.words() if request.window else []
    words += ["--guest-timezone", request.guest_timezone] if request.guest_timezone else []
    words += event_words(EventOptions(request.logs, request.log_timezone), private)
    words += series_words(request.series)
    return words + (["--rules", shown_path(request.rules, private)] if request.rules else [])


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar of captures while they are judged; none for scripts."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("judging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("judging", total=total)
        yield lambda: bar.advance(task)


def show_fleet(fleet: Fleet, summary: Path, bundle: Path | None = None, *, quiet: bool = False) -> None:
    """Failures on standard error; a table of captures for a person, for a script the files that were made."""
    for each in fleet.outcomes:
        if each.failure is not None:
            say_failed(each.source, each.failure.message, each.failure.hint)
    if quiet:
        return
    if not sys.stdout.isatty():
        say_made(summary)
        for each in fleet.outcomes:
            if each.report:
                say_made(summary.parent / each.report)
        if bundle is not None:
            say_made(bundle)
        return
    _show_table(fleet)
    say(f"summary: {summary}")
    if bundle is not None:
        say(f"bundle: {bundle}")


def _show_table(fleet: Fleet) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from esxprobe.model import SEVERITIES

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("host", "capture", "worst"):
        table.add_column(heading, overflow="fold")
    for level in SEVERITIES:
        table.add_column(level, justify="right")
    for each in fleet.outcomes:
        digest = each.digest
        worst = (digest.worst or "clear") if digest else "failed"
        counts = [f"{digest.count(level):,}" if digest else "–" for level in SEVERITIES]
        style = _COLORS.get(worst, "green" if digest else "bold red")
        names = (Text(printable(each.label)), Text(printable(each.source)))  # text, never markup
        table.add_row(*names, Text(worst, style=style), *counts)
    wide_console().print(table)
