"""`esxprobe report` of a vm-support bundle without a capture."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.streams import printable, say_made
from esxprobe.commands.support import with_bundle

if TYPE_CHECKING:
    from esxprobe.commands.bundling import Bundle
    from esxprobe.commands.redaction import PrivateMap
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
    from esxprobe.commands.reporting import book_of, stem
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
        file = SourceFile(bundle.path.name, "", bundle.path.stat().st_size)
        events = with_bundle(request.events, bundle)
        source = SupportInput(file, bundle.host, bundle.made, bundle.entries, bundle.manifest, events)
        report = analyze_support(source, book)
        if private is not None:
            private.learn_supports([bundle])
            report = private.redacted_support(report, bundle.manifest)
            private.refuse([html, *outputs.files()])
        _write(report, drawer, (html, outputs.json, to_zip), (_command(request, private), book), private)
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


def _write(
    report: SupportReport,
    drawer: Drawer,
    targets: tuple[Path, Path | None, Bundle | None],
    words: tuple[str, RuleBook],
    private: PrivateMap | None,
) -> None:
    from esxprobe.commands.outputs import save
    from esxprobe.commands.reporting import save_json
    from esxprobe.report.supportalone import render_support_html
    from esxprobe.report.supportalone_document import render_support_json

    target, json, to_zip = targets
    html, document = render_support_html(report, drawer, *words), render_support_json(report)
    if to_zip is not None:
        to_zip.text(target.name, html)
        to_zip.text(f"{target.stem}.json", document)
    if private is not None:
        from esxprobe.redact.supportalone import nameless_support

        bare = nameless_support(report)
        private.check(html, document, (render_support_html(bare, drawer, *words), render_support_json(bare)))
        if to_zip is not None:
            to_zip.search()
        private.save()  # before anything that was made with it
    save(target, html)
    save_json(json, document)
    if to_zip is not None:
        to_zip.write()


def show_support(done: WrittenSupportReport, outputs: OutputRequest) -> None:
    """What was found in words, and where the report is; for a script only the latter."""
    if outputs.json_to_stdout:
        return
    if not sys.stdout.isatty():
        say_made(done.html)
        if outputs.bundle is not None:
            say_made(outputs.bundle)
        return
    from rich.text import Text

    from esxprobe.commands.terminal import wide_console
    from esxprobe.report.supportalone import terminal_lines

    console = wide_console()
    for line in terminal_lines(done.report):
        console.print(Text(printable(line)))
    console.print(Text(printable(f"report: {done.html}")), soft_wrap=True)
    if outputs.bundle is not None:
        console.print(Text(printable(f"bundle: {outputs.bundle}")), soft_wrap=True)
