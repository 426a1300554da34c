"""`report --redact` on many captures: one map for all, and nothing written before all of it was searched.

A name that only the last capture holds may stand in the report of the first one. So all captures are judged before
anything is redacted, all names are learned before anything is rendered, and all files wait in a private folder
until the last one has been searched.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from esxprobe.commands.bundling import Bundle
from esxprobe.commands.fleet import (
    FleetWords,
    judged_by,
    judging,
    names_of,
    refuse_targets,
    said_of,
    show_fleet,
    summary_of,
    tasks_of,
)
from esxprobe.commands.outputs import save
from esxprobe.commands.redaction import PrivateMap
from esxprobe.commands.reporting import save_json
from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.fleet.work import Task
    from esxprobe.model import Analysis
    from esxprobe.model.fleet import CaptureDigest, CaptureOutcome, Fleet, Judged
    from esxprobe.redact.instances import Instances
    from esxprobe.report.drawing import Drawer


def report_redacted(words: FleetWords, private: PrivateMap) -> Fleet:
    """A redacted report of every capture and a redacted summary.

    Raises:
        UsageError: The words do not fit together, or an extra is missing.
        UnreadableInputError: A URL cannot be listed.
        ClusterError: The cluster does not answer, has no workers, or they are not like us.
        OutputError: A file cannot be written, is an input, or a name is left in one.
    """
    import esxprobe
    from esxprobe.fleet.merge import merged
    from esxprobe.fleet.sources import expanded
    from esxprobe.report.drawing import Drawer

    if words.one_only:
        raise UsageError(
            f"{words.one_only[0]} goes with one capture", hint="give the captures one by one, or leave it out"
        )
    sources = expanded(words.words)
    summary = summary_of(words.output)
    shown = [private.shown(Path(source)).name for source in sources]
    names = names_of(shown, summary.name)
    targets = [summary.parent / name for name in names]
    refuse_targets(sources, [summary, *targets, *([words.bundle] if words.bundle else [])], words)
    tasks = [
        replace(
            task, command=shlex.join(["esxprobe", "report", name, *said_of(words, private), "--redact"]), bare=True
        )
        for task, name in zip(tasks_of(sources, words, private), shown, strict=True)
    ]
    with ExitStack() as stack, Drawer() as drawer:
        bundle = (
            stack.enter_context(Bundle(words.bundle, with_capture=words.with_capture, private=private))
            if words.bundle
            else None
        )
        judged = _judged(tasks, words)
        learned = [_learned(source, each, private, bundle) for source, each in zip(sources, judged, strict=True)]
        for each, instances in zip(judged, learned, strict=True):  # names that only an analysis holds
            if each.analysis is not None and instances is not None:
                private.of(each.analysis, instances)
        waiting = Path(stack.enter_context(TemporaryDirectory(prefix="esxprobe-redacted-")))
        outcomes = []
        for number, (each, instances) in enumerate(zip(judged, learned, strict=True)):
            made = _outcome(each, shown[number], names[number], private)
            if each.analysis is not None and instances is not None:
                analysis = private.of(each.analysis, instances)
                made = replace(
                    made, digest=_render(analysis, tasks[number], drawer, private, waiting / names[number])
                )
            outcomes.append(made)
        fleet = merged(outcomes, esxprobe.__version__)
        _publish(fleet, words, private, waiting, summary, bundle)
    show_fleet(fleet, summary, words.bundle, quiet=str(words.json) == "-")
    return fleet


def _judged(tasks: Sequence[Task], words: FleetWords) -> list[Judged]:
    found: dict[int, Judged] = {}
    with judging(len(tasks)) as tell:
        for number, judged in judged_by(tasks, words):
            found[number] = judged
            tell()
    return [found[number] for number in range(len(tasks))]


def _learned(source: str, judged: Judged, private: PrivateMap, bundle: Bundle | None) -> Instances | None:
    """Learns a capture's names, and puts its redacted copy into the bundle; nothing of one that failed."""
    from esxprobe.capture import load_capture
    from esxprobe.fleet.sources import at_hand
    from esxprobe.redact import learn_capture

    if judged.analysis is None:
        return None
    with at_hand(source) as path:
        files = load_capture(path)
        if bundle is not None:
            bundle.capture(path)
        return learn_capture(files.paths, files.manifest, private.redactor)


def _outcome(judged: Judged, shown: str, report: str, private: PrivateMap) -> CaptureOutcome:
    from esxprobe.model.fleet import CaptureOutcome

    failure = judged.failure
    if failure is not None:
        free = private.redactor.free
        failure = replace(failure, message=free(failure.message), hint=free(failure.hint))
    return CaptureOutcome(shown, report if failure is None else "", None, failure)


def _render(analysis: Analysis, task: Task, drawer: Drawer, private: PrivateMap, target: Path) -> CaptureDigest:
    """Writes a searched report and its JSON where they wait; the digest of what they show."""
    from esxprobe.fleet.digest import digest_of
    from esxprobe.report.document import render_json
    from esxprobe.report.html import render_html

    def drawn(shown: Analysis) -> tuple[str, str]:
        return render_html(shown, drawer, task.command, task.book), render_json(shown)

    html, document = drawn(analysis)
    private.search(analysis, html, document, drawn)
    save(target, html)
    save(target.with_suffix(".json"), document)
    return digest_of(analysis)


def _publish(
    fleet: Fleet, words: FleetWords, private: PrivateMap, waiting: Path, summary: Path, bundle: Bundle | None
) -> None:
    """Searches the summary and the names of all files, saves the map, and gives everything its place."""
    from esxprobe.redact import nameless_fleet
    from esxprobe.report.fleet import render_fleet_html
    from esxprobe.report.fleet_document import render_fleet_json

    shown = [private.shown(Path(word)).name for word in words.words]
    command = shlex.join(["esxprobe", "report", *shown, *said_of(words, private), "--redact"])
    html, document = render_fleet_html(fleet, command), render_fleet_json(fleet)
    bare = nameless_fleet(fleet)
    private.check(html, document, (render_fleet_html(bare, command), render_fleet_json(bare)))
    reports = [each.report for each in fleet.outcomes if each.report]
    others = [path for path in (words.json, words.bundle) if path is not None and str(path) != "-"]
    private.refuse([summary, *(summary.parent / name for name in reports), *others])
    if bundle is not None:
        bundle.text(summary.name, html)
        bundle.text(f"{summary.stem}.json", document)
        for name in reports:
            bundle.text(name, (waiting / name).read_text(encoding="utf-8"))
            bundle.text(
                f"{Path(name).stem}.json", (waiting / name).with_suffix(".json").read_text(encoding="utf-8")
            )
        bundle.search()
    private.save()  # before anything that was made with it
    for name in reports:
        save(summary.parent / name, (waiting / name).read_text(encoding="utf-8"))
    save(summary, html)
    save_json(words.json, document)
    if bundle is not None:
        bundle.write()
