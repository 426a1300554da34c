"""What `esxprobe report` does with many captures: who judges them, one report each, one summary."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.bundling import Bundle
from esxprobe.commands.outputs import refuse_to_overwrite, save
from esxprobe.commands.reporting import book_of, save_json, shown_path, stem
from esxprobe.commands.streams import printable, say, say_made
from esxprobe.commands.terminal import wide_console
from esxprobe.errors import EXIT_FINDINGS, EXIT_HOST_FAILED, EXIT_UNREADABLE, EXIT_USAGE, UsageError

if TYPE_CHECKING:
    from esxprobe.commands.embedding import SeriesAsked
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.fleet.work import Task
    from esxprobe.formats.window import TimeWindow
    from esxprobe.model import Severity
    from esxprobe.model.fleet import CaptureOutcome, Fleet, Judged

SUMMARY = "fleet-report.html"
_COLORS = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


@dataclass(frozen=True, slots=True)
class FleetWords:
    """What the command line says.

    Attributes:
        words: Paths, folders and URLs of captures.
        output: The summary's HTML, or the folder that it goes to.
        json: The summary's JSON.
        timezone: Zone of all captures' stamps.
        guest_timezone: Zone of all guests' stamps.
        rules: A file of own rules.
        jobs: Processes at most; one a core when None.
        cluster: A Dask scheduler that does the work instead.
        one_only: Options that were given and belong to one capture.
        bundle: A zip of everything.
        with_capture: Raw captures go into it.
        window: The part of each capture that is judged; None for all of it.
        series: The series that each report is to carry; None for none.
    """

    words: Sequence[str]
    output: Path | None
    json: Path | None
    timezone: str | None
    guest_timezone: str | None
    rules: Path | None
    jobs: int | None
    cluster: str | None
    one_only: Sequence[str]
    bundle: Path | None = None
    with_capture: bool = False
    window: TimeWindow | None = None
    series: SeriesAsked | None = None


def report_many(words: FleetWords) -> Fleet:
    """Judges every capture, writes its report as soon as it is there, and at last the summary.

    Raises:
        UsageError: The words do not fit together, or an extra is missing.
        UnreadableInputError: A URL cannot be listed.
        ClusterError: The cluster does not answer, has no workers, or they are not like us.
        OutputError: A file cannot be written, or is an input.
    """
    import esxprobe
    from esxprobe.fleet.merge import merged
    from esxprobe.fleet.sources import expanded
    from esxprobe.fleet.urls import shown
    from esxprobe.model.fleet import CaptureOutcome
    from esxprobe.report.fleet import render_fleet_html
    from esxprobe.report.fleet_document import render_fleet_json

    if words.one_only:
        raise UsageError(
            f"{words.one_only[0]} goes with one capture", hint="give the captures one by one, or leave it out"
        )
    sources = expanded(words.words)
    summary = summary_of(words.output)
    names = names_of([shown(source) for source in sources], summary.name)
    targets = [summary.parent / name for name in names]
    refuse_targets(sources, [summary, *targets, *([words.bundle] if words.bundle else [])], words)
    tasks = tasks_of(sources, words)
    outcomes: list[CaptureOutcome | None] = [None] * len(tasks)
    documents = [""] * len(tasks)
    with judging(len(tasks)) as tell:
        for number, judged in judged_by(tasks, words):
            if judged.digest is not None:
                save(targets[number], judged.html)
                documents[number] = judged.document
            report = names[number] if judged.digest is not None else ""
            outcomes[number] = CaptureOutcome(shown(sources[number]), report, judged.digest, judged.failure)
            tell()
    fleet = merged([each for each in outcomes if each is not None], esxprobe.__version__)
    save(summary, render_fleet_html(fleet, _command(words)))
    document = render_fleet_json(fleet) if words.json is not None or words.bundle else ""
    to_stdout = words.json is not None and str(words.json) == "-"
    save_json(words.json, document)
    if words.bundle is not None:
        with Bundle(words.bundle, with_capture=words.with_capture, private=None) as bundle:
            bundle.file(summary.name, summary)
            bundle.text(f"{summary.stem}.json", document)
            _into(bundle, sources, fleet, targets, documents)
            bundle.write()
    show_fleet(fleet, summary, words.bundle, quiet=to_stdout)
    return fleet


def _into(
    bundle: Bundle, sources: Sequence[str], fleet: Fleet, targets: Sequence[Path], documents: Sequence[str]
) -> None:
    """Puts what was made of each capture, and the capture, into the bundle; a capture that failed has nothing."""
    from esxprobe.fleet.sources import at_hand

    for source, outcome, target, document in zip(sources, fleet.outcomes, targets, documents, strict=True):
        if outcome.digest is not None:
            bundle.file(outcome.report, target)
            bundle.text(f"{Path(outcome.report).stem}.json", document)
            bundle.capture(bundle.keep(at_hand(source)))


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


def judged_by(tasks: Sequence[Task], words: FleetWords) -> Iterator[tuple[int, Judged]]:
    """Judges tasks here, in processes of this machine or on a cluster, as they are done."""
    if words.cluster:
        from esxprobe.fleet.cluster import judged_on_cluster

        return judged_on_cluster(tasks, words.cluster)
    from esxprobe.fleet.pool import judged_here, judged_in_pool

    jobs = min(words.jobs or os.cpu_count() or 1, len(tasks))
    return judged_here(tasks) if jobs <= 1 else judged_in_pool(tasks, jobs)


def tasks_of(sources: Sequence[str], words: FleetWords, private: PrivateMap | None = None) -> list[Task]:
    """What is to be judged, and how; words of the user's own rules are hidden where there is a map."""
    from esxprobe.fleet.urls import is_url, shown
    from esxprobe.fleet.work import Task

    book = book_of(words.rules, private).without_examples()
    return [
        Task(
            # A worker elsewhere stands in another folder.
            source=source if is_url(source) or not words.cluster else str(Path(source).absolute()),
            command=shlex.join(["esxprobe", "report", _name(shown(source)), *said_of(words)]),
            timezone=words.timezone,
            guest_timezone=words.guest_timezone,
            book=book,
            with_document=words.bundle is not None,
            embed=words.series.budget if words.series else 0,
            every=words.series.every if words.series else False,
            window=words.window,
        )
        for source in sources
    ]


def _name(source: str) -> str:
    return source.rstrip("/").rpartition("/")[2] or source


def summary_of(output: Path | None) -> Path:
    """Where the summary goes."""
    if output is None:
        return Path(SUMMARY)
    return output / SUMMARY if output.is_dir() else output


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


def refuse_targets(sources: Sequence[str], targets: Sequence[Path], words: FleetWords) -> None:
    """No output is a part of a capture, nor lies in one."""
    from esxprobe.capture import is_capture_folder
    from esxprobe.fleet.urls import is_url

    paths = [Path(source) for source in sources if not is_url(source)]
    inputs = [path for path in paths if not is_capture_folder(path)]
    outputs = [*targets, *([words.json] if words.json is not None and str(words.json) != "-" else [])]
    for folder in (path.resolve() for path in paths if path not in inputs):
        if inside := next((each for each in outputs if folder in each.resolve().parents), None):
            raise UsageError(
                f"{inside} would lie in the capture {folder.name}", hint="choose another place with -o"
            )
    there = [path for path in outputs if path.exists()]  # only what is there can be overwritten
    for target in there:
        refuse_to_overwrite(inputs, target, None, words.rules)
    refuse_to_overwrite((), targets[0], words.json, words.rules)
    names = [path.resolve() for path in outputs]
    if twice := next((path for path in outputs if names.count(path.resolve()) > 1), None):
        raise UsageError(f"two outputs are both called {twice}", hint="give each a name of its own")


def _command(words: FleetWords) -> str:
    from esxprobe.fleet.urls import shown

    return shlex.join(["esxprobe", "report", *(_name(shown(word)) for word in words.words), *said_of(words)])


def said_of(words: FleetWords, private: PrivateMap | None = None) -> list[str]:
    """Options that the reports depend on, as they would be typed."""
    said = ["--timezone", words.timezone] if words.timezone else []
    said += words.window.words() if words.window else []
    said += ["--guest-timezone", words.guest_timezone] if words.guest_timezone else []
    said += words.series.words() if words.series and private is None else []
    return said + (["--rules", shown_path(words.rules, private)] if words.rules else [])


@contextmanager
def judging(total: int) -> Iterator[Callable[[], None]]:
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
            say(f"esxprobe: {printable(each.source)}: {printable(each.failure.message)}", err=True)
            if each.failure.hint:
                say(f"hint: {printable(each.failure.hint)}", err=True)
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
