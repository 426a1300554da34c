"""`fleet --redact`: one map for all captures, and nothing written before all of it was searched.

A name that only the last capture holds may be in the report of the first one. So all captures are analyzed before
anything is redacted, all names are learned before anything is rendered, and all files wait in a private folder
until the last one has been searched.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from esxprobe.commands.bundling import Bundle
from esxprobe.commands.fleet_reports import FleetPlan, guests_of, judged_by, rendered
from esxprobe.commands.outputs import save
from esxprobe.commands.redaction import PrivateMap
from esxprobe.commands.reporting import save_json

if TYPE_CHECKING:
    from esxprobe.commands.requests import FleetRequest
    from esxprobe.fleet.work import Task
    from esxprobe.model import Analysis
    from esxprobe.model.fleet import CaptureDigest, CaptureOutcome, Fleet, Judged
    from esxprobe.redact.instances import Instances
    from esxprobe.report.drawing import Drawer
    from esxprobe.report.embedding import Embedded


def report_redacted(plan: FleetPlan, request: FleetRequest, private: PrivateMap) -> Fleet:
    """A redacted report of every capture and a redacted summary.

    Raises:
        ClusterError: The cluster does not answer, has no workers, or they are not like us.
        OutputError: A file cannot be written, or a name is left in one.
    """
    import esxprobe
    from esxprobe.fleet.merge import merged
    from esxprobe.report.drawing import Drawer

    outputs = request.outputs
    with ExitStack() as stack, Drawer() as drawer:
        bundle = None
        if outputs.bundle is not None:
            bundle = stack.enter_context(Bundle(outputs.bundle, with_capture=outputs.with_capture, private=private))
        found = dict(judged_by(plan, request))
        judged = [found[number] for number in range(len(plan.tasks))]
        learned = [
            _learned(source, each, private, bundle) for source, each in zip(plan.sources, judged, strict=True)
        ]
        if bundle is not None:
            bundle.logs(guests_of(request))
        for each, instances in zip(judged, learned, strict=True):  # names that only an analysis holds
            if each.analysis is not None and instances is not None:
                private.of(each.analysis, instances)
        waiting = Path(stack.enter_context(TemporaryDirectory(prefix="esxprobe-redacted-")))
        outcomes = []
        for number, (each, instances) in enumerate(zip(judged, learned, strict=True)):
            outcome = _outcome(each, plan.shown[number], plan.reports[number], private)
            if each.analysis is not None and instances is not None:
                analysis = private.of(each.analysis, instances)
                target = waiting / plan.reports[number]
                report = _Report(analysis, _series(each, instances, analysis, private), plan.tasks[number])
                outcome = replace(outcome, digest=_render(report, drawer, private, target))
            outcomes.append(outcome)
        fleet = merged(outcomes, esxprobe.__version__)
        _publish(fleet, plan, request, private, (waiting, bundle))
    return fleet


def _learned(source: str, judged: Judged, private: PrivateMap, bundle: Bundle | None) -> Instances | None:
    """Learns a capture's names, and puts its redacted copy into the bundle; nothing of one that failed."""
    from esxprobe.capture import load_capture
    from esxprobe.fleet.capture_sources import at_hand
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


@dataclass(frozen=True, slots=True)
class _Report:
    """What a redacted report shows."""

    analysis: Analysis
    series: Embedded | None
    task: Task


def _series(judged: Judged, instances: Instances, analysis: Analysis, private: PrivateMap) -> Embedded | None:
    """The series of a capture's page under pseudonyms, with the events of its redacted analysis."""
    from esxprobe.redact import redacted_index
    from esxprobe.report.embedding import Embedded
    from esxprobe.report.explore import with_events

    if judged.series is None:
        return None
    index, chunks = judged.series
    return with_events(Embedded(redacted_index(index, instances, private.redactor), chunks), analysis.events)


def _render(report: _Report, drawer: Drawer, private: PrivateMap, target: Path) -> CaptureDigest:
    """Writes a searched report and its JSON where they wait; the digest of what they show."""
    from esxprobe.fleet.digest import digest_of
    from esxprobe.report.document import render_json
    from esxprobe.report.html import render_html

    analysis, series, task = report.analysis, report.series, report.task

    def drawn(shown: Analysis, carried: Embedded | None) -> tuple[str, str]:
        made = render_html(shown, drawer, task.command, task.book, (lambda: carried) if carried else None)
        return made, render_json(shown)

    html, document = drawn(analysis, series)
    private.search(analysis, html, document, lambda bare: drawn(bare, series.nameless() if series else None))
    save(target, html)
    save(target.with_suffix(".json"), document)
    return digest_of(analysis)


def _publish(
    fleet: Fleet,
    plan: FleetPlan,
    request: FleetRequest,
    private: PrivateMap,
    ready: tuple[Path, Bundle | None],
) -> None:
    """Searches the summary and the names of all files, saves the map, and gives everything its place."""
    from esxprobe.redact import nameless_fleet

    waiting, bundle = ready
    html, document = rendered(fleet, plan.command)
    private.check(html, document, rendered(nameless_fleet(fleet), plan.command))
    reports = [each.report for each in fleet.outcomes if each.report]
    private.refuse([plan.summary, *(plan.folder / name for name in reports), *request.outputs.files()])
    if bundle is not None:
        bundle.text(plan.summary.name, html)
        bundle.text(f"{plan.summary.stem}.json", document)
        for name in reports:
            bundle.text(name, (waiting / name).read_text(encoding="utf-8"))
            bundle.text(
                f"{Path(name).stem}.json", (waiting / name).with_suffix(".json").read_text(encoding="utf-8")
            )
        bundle.search()
    private.save()  # before anything that was made with it
    for name in reports:
        save(plan.folder / name, (waiting / name).read_text(encoding="utf-8"))
    save(plan.summary, html)
    save_json(request.outputs.json, document)
    if bundle is not None:
        bundle.write()
