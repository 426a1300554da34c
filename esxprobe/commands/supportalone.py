"""`esxprobe report` of a vm-support bundle without a capture."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.streams import printable
from esxprobe.commands.support import with_bundle

if TYPE_CHECKING:
    from rich.console import Console

    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.commands.reporting import RenderedReport
    from esxprobe.commands.requests import OutputRequest, SupportRequest
    from esxprobe.model.supportalone import SupportReport
    from esxprobe.report.drawing import Drawer
    from esxprobe.rules import RuleBook


@dataclass(frozen=True, slots=True)
class WrittenSupportReport:
    """A finished report of a bundle, and where its page was written."""

    report: SupportReport
    html: Path


def report_bundle(request: SupportRequest, drawer: Drawer) -> WrittenSupportReport:
    """Judges what a bundle shows, and writes everything.

    Raises:
        UnreadableInputError: A log that was named cannot be read.
        UsageError: Two outputs would be one file, or the rules are not valid.
        OutputError: An output is an input, cannot be written, or a name is still in it.
    """
    from esxprobe.analyze.supportalone import SupportInput, analyze_support
    from esxprobe.commands.bundling import Bundle
    from esxprobe.commands.outputs import refuse_to_overwrite
    from esxprobe.commands.redaction import private_map
    from esxprobe.commands.reporting import book_of, save_report, stem
    from esxprobe.model import SourceFile

    bundle, outputs = request.bundle, request.outputs
    private = private_map(request.redaction)
    html = outputs.html or Path(f"{stem(private.shown(bundle.path) if private else bundle.path)}-report.html")
    inputs = (bundle.path, *request.events.files)
    refuse_to_overwrite(inputs, html, outputs.json, request.rules)
    with ExitStack() as stack:
        to_zip = None
        if outputs.bundle is not None:
            to_zip = stack.enter_context(Bundle(outputs.bundle, with_capture=False, private=private))
            to_zip.refuse((), (html, outputs.json))
            refuse_to_overwrite(inputs, outputs.bundle, None, request.rules)
        book = book_of(request.rules, private)
        file = SourceFile(bundle.path.name, "", bundle.size)
        events = with_bundle(request.events, bundle)
        source = SupportInput(file, bundle.host, bundle.made, bundle.entries, bundle.manifest, events)
        report = analyze_support(source, book)
        if private is not None:
            private.learn_supports([bundle])
            report = private.redacted_support(report, bundle.manifest)
            private.refuse([html, *outputs.files()])
        made = _rendered(report, drawer, _command(request, private), book)
        save_report(made, outputs, (html, to_zip), private)
    return WrittenSupportReport(report, html)


def _command(request: SupportRequest, private: PrivateMap | None) -> str:
    """The command that makes this report again, without the folders that lead to the files."""
    from esxprobe.commands.reporting import shown_path

    words = ["esxprobe", "report", shown_path(request.bundle.path, private)]
    for path in request.events.paths:
        words += ["--log", shown_path(path, private)]
    words += ["--log-timezone", request.events.timezone] if request.events.timezone else []
    words += ["--rules", shown_path(request.rules, private)] if request.rules else []
    return shlex.join([*words, "--redact"] if private else words)


def _rendered(report: SupportReport, drawer: Drawer, command: str, book: RuleBook) -> RenderedReport:
    from esxprobe.commands.reporting import RenderedReport
    from esxprobe.report.supportalone import render_support_html
    from esxprobe.report.supportalone_document import render_support_json

    def texts(shown: SupportReport) -> tuple[str, str]:
        return render_support_html(shown, drawer, command, book), render_support_json(shown)

    def without_names() -> tuple[str, str]:
        from esxprobe.redact.supportalone import nameless_support

        return texts(nameless_support(report))

    return RenderedReport(*texts(report), without_names)


def show_support(done: WrittenSupportReport, outputs: OutputRequest) -> None:
    """What was found in words, and where the report is; for a script only the latter."""
    from esxprobe.commands.terminal import show_written

    def lines(console: Console) -> None:
        from rich.text import Text

        from esxprobe.report.supportalone import terminal_lines

        for line in terminal_lines(done.report):
            console.print(Text(printable(line)))

    show_written(done.html, outputs.bundle, lines, quiet=outputs.json_to_stdout)
