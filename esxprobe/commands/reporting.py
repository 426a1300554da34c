"""What `esxprobe report` and `esxprobe compare` do with what was asked for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.guests import guest_words
from esxprobe.commands.outputs import refuse_to_overwrite, save
from esxprobe.commands.series_of_report import SeriesOfReport, series_words

if TYPE_CHECKING:
    from esxprobe.capture import CaptureFiles
    from esxprobe.commands.bundling import Bundle
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.commands.requests import OutputRequest, ReportRequest
    from esxprobe.model import Analysis
    from esxprobe.report.drawing import Drawer
    from esxprobe.rules import RuleBook


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A finished report.

    Attributes:
        analysis: What is in it.
        html: Where its page was written.
    """

    analysis: Analysis
    html: Path


def report_capture(request: ReportRequest, drawer: Drawer) -> WrittenReport:
    """Judges a capture, compares it with its baseline where there is one, and writes everything.

    Raises:
        UnreadableInputError: An input cannot be read.
        UsageError: Two outputs would be one file, a VM that was named is not there, or the rules are not valid.
        OutputError: An output is an input, cannot be written, or a name is still in it.
    """
    from esxprobe.commands.redaction import private_map

    source, outputs = request.capture.named, request.outputs
    private = private_map(request.redaction)
    series = SeriesOfReport(request.series, renamed=private is not None)
    html = outputs.html or Path(f"{stem(private.shown(source) if private else source)}-report.html")
    files = [capture.files() for capture in request.captures]
    inputs = list(_inputs(request, files))
    with ExitStack() as stack:
        refuse_to_overwrite(inputs, html, outputs.json, request.rules, outputs.summary)
        bundle = _bundle(request, private, html, inputs, stack)
        book = book_of(request.rules, private)
        # Pseudonyms come later: what is drawn before them would be drawn again.
        analysis = _judged(request, files, book, series, ahead=drawer if private is None else None)
        series.choose(analysis, book)
        if bundle is not None:
            for capture in request.captures:
                bundle.capture(capture.source, capture.guests)
        if private is not None:
            private.learn_supports(capture.support for capture in request.captures)
            analysis = private.redacted(analysis, files)
            private.refuse([html, *outputs.files()])
            series.redact(private, analysis)
        renderer = _Renderer(drawer, book, command_of(request, private), series)
        _write(request, analysis, renderer, (html, bundle), private)
    return WrittenReport(analysis, html)


def _bundle(
    request: ReportRequest, private: PrivateMap | None, html: Path, inputs: Sequence[Path], stack: ExitStack
) -> Bundle | None:
    from esxprobe.commands.bundling import Bundle

    outputs = request.outputs
    if outputs.bundle is None:
        return None
    bundle = stack.enter_context(Bundle(outputs.bundle, with_capture=outputs.with_capture, private=private))
    refuse_to_overwrite(inputs, outputs.bundle, None, request.rules)
    bundle.refuse([capture.source for capture in request.captures], (html, outputs.json, outputs.summary))
    return bundle


def _inputs(request: ReportRequest, files: Sequence[CaptureFiles]) -> Iterable[Path]:
    """Every file that belongs to a capture: it is evidence, and evidence is not written to."""
    for capture, each in zip(request.captures, files, strict=True):
        yield from each.evidence(capture.source)
        yield from capture.guests.files
        if capture.support is not None:
            yield capture.support.path


def command_of(request: ReportRequest, private: PrivateMap | None) -> str:
    """The command that makes this report again, without the folders that lead to the files."""
    capture, baseline = request.capture, request.baseline
    words = ["esxprobe", "report" if baseline is None else "compare"]
    words += [shown_path(baseline.source, private)] if baseline else []
    words += [shown_path(capture.named, private)]
    if capture.support is not None and capture.named == capture.source:
        words += ["--vm-support", shown_path(capture.support.path, private)]
    words += ["--timezone", request.timezone] if request.timezone else []
    words += capture.window.words() if capture.window else []
    words += guest_words(capture.guests, private=private)
    words += ["--rules", shown_path(request.rules, private)] if request.rules else []
    if baseline is not None:
        words += baseline.window.words() if baseline.window else []
        words += guest_words(baseline.guests, "--baseline-", private=private)
    words += series_words(request.series)
    return shlex.join([*words, "--redact"] if private else words)


def shown_path(path: Path, private: PrivateMap | None) -> str:
    """A file's name as a report may show it."""
    if private is not None:
        return private.shown(path).name
    return path.name or str(path)


def newest() -> Path:
    """The newest capture below captures/.

    Raises:
        UnreadableInputError: There is none.
    """
    from esxprobe.capture import newest_capture

    return newest_capture(Path("captures"))


def stem(source: Path) -> str:
    """A capture's name without what tells its format."""
    name = source.resolve().name
    for ending in (".gz", ".zst", ".csv", ".columns", ".tgz", ".tar", ".zip"):
        name = name.removesuffix(ending)
    return name or "capture"


def book_of(rules: Path | None, private: PrivateMap | None = None) -> RuleBook:
    """The shipped rules, or those with a file of one's own; its words are hidden where there is a map.

    Raises:
        UsageError: The file is none of rules.
    """
    from esxprobe.rules import shipped
    from esxprobe.rules.custom import load_book

    if rules is None:
        return shipped()
    if private is None:
        return load_book(rules)
    from esxprobe.redact.customrules import redacted_book

    return redacted_book(load_book(rules), private.redactor)


def _judged(
    request: ReportRequest,
    files: Sequence[CaptureFiles],
    book: RuleBook,
    series: SeriesOfReport,
    ahead: Drawer | None,
) -> Analysis:
    """Reads and judges the capture, and compares it with its baseline; what is not judged is drawn ahead."""
    from esxprobe.analyze import (
        CaptureInput,
        compare_with,
        describe,
        judge_by_rules,
        judge_described,
        measured,
        read_capture,
        with_windows,
    )
    from esxprobe.commands.terminal import reading
    from esxprobe.report.html import draw_ahead, draw_findings_ahead

    inputs = [
        CaptureInput(found.paths, found.manifest, request.timezone, each.guests, each.window)
        for each, found in zip(request.captures, files, strict=True)
    ]
    compared = request.baseline is not None
    with reading(inputs[0].paths) as progress:
        baseline = None
        if compared:
            recording = read_capture(inputs[1], book=book, with_levels=True)
            before = measured(recording)
            baseline = judge_described(describe(recording, inputs[1], book=book), book=book)
        recording = series.read(inputs[0], book=book, with_levels=compared, progress=progress)
        now = measured(recording) if compared else None
        described = describe(recording, inputs[0], book=book, against=baseline)
        if ahead is not None:
            draw_ahead(ahead, described.capture, described.glance)
        analysis = judge_by_rules(described, book=book)
        if ahead is not None:
            draw_findings_ahead(ahead, analysis)
        analysis = with_windows(analysis, described)
        if baseline is None:
            return analysis
        return replace(analysis, comparison=compare_with(analysis, baseline, now, before, book))


@dataclass(frozen=True, slots=True)
class _Renderer:
    """What all renderings of one report have in common."""

    drawer: Drawer
    book: RuleBook
    command: str
    series: SeriesOfReport

    def html(self, analysis: Analysis, *, named: bool = True) -> str:
        from esxprobe.report.html import render_html

        carried = self.series.for_page(named=named)
        return render_html(analysis, self.drawer, self.command, self.book, carried)


def _write(
    request: ReportRequest,
    analysis: Analysis,
    renderer: _Renderer,
    targets: tuple[Path, Bundle | None],
    private: PrivateMap | None,
) -> None:
    from esxprobe.report.document import render_json
    from esxprobe.report.summary import render_summary

    def without_names() -> tuple[str, str]:
        from esxprobe.redact import nameless

        bare = nameless(analysis)
        return renderer.html(bare, named=False), render_json(bare)

    outputs = request.outputs
    made = RenderedReport(
        renderer.html(analysis),
        render_json(analysis) if outputs.json is not None or targets[1] else "",
        without_names,
        render_summary(analysis, renderer.command, renderer.book) if outputs.summary is not None else "",
    )
    save_report(made, outputs, targets, private)


@dataclass(frozen=True, slots=True)
class RenderedReport:
    """A report as text.

    Attributes:
        html: Its page.
        document: Its JSON.
        nameless: Gives page and JSON of the same without any name.
        summary: Its Markdown, where one is asked for.
    """

    html: str
    document: str
    nameless: Callable[[], tuple[str, str]]
    summary: str = ""


def save_report(
    made: RenderedReport, outputs: OutputRequest, targets: tuple[Path, Bundle | None], private: PrivateMap | None
) -> None:
    """Writes HTML, JSON, summary and bundle; redacted ones are searched for names before.

    Raises:
        OutputError: A file cannot be written, or a name is still in it.
    """
    target, bundle = targets
    if bundle is not None:
        bundle.text(target.name, made.html)
        bundle.text(f"{target.stem}.json", made.document)
    if private is not None:
        private.check(made.html, made.document, made.nameless())
        if bundle is not None:
            bundle.search()
        private.save()  # before anything that was made with it
    save(target, made.html)
    save_json(outputs.json, made.document)
    if outputs.summary is not None:
        save(outputs.summary, made.summary)
    if bundle is not None:
        bundle.write()


def save_json(path: Path | None, document: str) -> None:
    """Writes a document to its file, or to standard output."""
    if path is None:
        return
    if str(path) == "-":
        # Bytes: JSON is UTF-8 whatever the terminal's encoding is.
        sys.stdout.buffer.write(document.encode("utf-8", errors="replace"))
    else:
        save(path, document)
