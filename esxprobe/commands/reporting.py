"""What `esxprobe report` does with what was asked for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.guests import guest_words
from esxprobe.commands.outputs import refuse_to_overwrite, save

if TYPE_CHECKING:
    from esxprobe.analyze import GuestOptions
    from esxprobe.capture import CaptureFiles
    from esxprobe.commands.bundling import Bundle
    from esxprobe.commands.embedding import SeriesAsked
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.formats.window import TimeWindow
    from esxprobe.model import Analysis, CaptureSummary, Glance
    from esxprobe.report.drawing import Drawer
    from esxprobe.rules import RuleBook


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be judged, and with what.

    Attributes:
        source: The capture.
        timezone: Zone of its stamps.
        guests: What was said about its guests.
        baseline: The capture to compare with.
        before: What was said about the baseline's guests; None without one.
        rules: A file of own rules.
        window: The part of the capture that is judged; None for all of it.
        window_before: The part of the baseline.
        series: The series that the page is to carry; None for none.
    """

    source: Path
    timezone: str | None
    guests: GuestOptions
    baseline: Path | None
    before: GuestOptions | None
    rules: Path | None
    window: TimeWindow | None = None
    window_before: TimeWindow | None = None
    series: SeriesAsked | None = None

    def captures(self) -> list[CaptureFiles]:
        """The capture, and the baseline where there is one."""
        from esxprobe.capture import load_capture

        return [load_capture(path) for path in (self.source, self.baseline) if path is not None]

    def refuse_to_overwrite(self, outputs: Outputs) -> None:
        """Outputs are no part of any capture.

        Raises:
            UsageError: Two of them would be one file, or the bundle lies in a capture.
            OutputError: One of them is an input.
            UnreadableInputError: There is no capture.
        """
        inputs = list(self._inputs())
        refuse_to_overwrite(inputs, outputs.target, outputs.json, self.rules, outputs.summary)
        if outputs.bundle is not None:
            sources = [path for path in (self.source, self.baseline) if path is not None]
            refuse_to_overwrite(inputs, outputs.bundle.target, None, self.rules)
            outputs.bundle.refuse(sources, (outputs.target, outputs.json, outputs.summary))

    def gather(self, bundle: Bundle) -> None:
        """Puts the captures into a bundle."""
        bundle.capture(self.source, self.guests)
        if self.baseline is not None:
            bundle.capture(self.baseline, self.before)

    def _inputs(self) -> Iterable[Path]:
        """Every file that belongs to a capture: it is evidence, and evidence is not written to."""
        from esxprobe.capture import MANIFEST

        sources = [path for path in (self.source, self.baseline) if path is not None]
        for source, files in zip(sources, self.captures(), strict=True):
            yield from files.paths
            yield source / MANIFEST
            for file in files.manifest.files if files.manifest else ():
                yield source / file.name
        for options in (self.guests, self.before):
            yield from options.files if options else ()

    def command(self, private: PrivateMap | None) -> str:
        """The command that makes this report again, without the folders that lead to the files."""
        words = ["esxprobe", "report", shown_path(self.source, private)]
        words += ["--timezone", self.timezone] if self.timezone else []
        words += self.window.words() if self.window else []
        words += guest_words(self.guests, private=private)
        words += ["--rules", shown_path(self.rules, private)] if self.rules else []
        if self.baseline is not None and self.before is not None:
            words += ["--baseline", shown_path(self.baseline, private)]
            words += self.window_before.words() if self.window_before else []
            words += guest_words(self.before, "--baseline-", private=private)
        words += self.series.words() if self.series else []
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
    for ending in (".gz", ".zst", ".csv", ".columns"):
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


def judged(asked: Asked, book: RuleBook, early: Callable[[CaptureSummary, Glance], None] | None = None) -> Analysis:
    """Reads and judges the capture, and compares it with its baseline; `early` is told what is not judged.

    Raises:
        UnreadableInputError: A file is none of what it should be.
        UsageError: A VM that was named is not there.
    """
    from esxprobe.capture import load_capture
    from esxprobe.commands.terminal import reading

    files = load_capture(asked.source)
    with reading(files.paths) as progress:
        from esxprobe.analyze import Measured, analyze, compare_with

        held: list[Measured] = []  # the baseline's, then this capture's
        other = None
        if asked.baseline is not None and asked.before is not None:
            good = load_capture(asked.baseline)
            other = analyze(
                good.paths,
                timezone=asked.timezone,
                manifest=good.manifest,
                guests=asked.before,
                book=book,
                held=held.append,
                window=asked.window_before,
            )
        analysis = analyze(
            files.paths,
            timezone=asked.timezone,
            manifest=files.manifest,
            guests=asked.guests,
            progress=progress,
            book=book,
            held=None if other is None else held.append,
            early=early,
            against=other,
            window=asked.window,
            cells=asked.series.wanted() if asked.series else None,
        )
        if other is None:
            return analysis
        before, now = held
        return replace(analysis, comparison=compare_with(analysis, other, now, before, book))


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where everything goes.

    Attributes:
        target: The HTML.
        json: The JSON document; `-` for standard output, None for nowhere.
        bundle: The zip of all of it, None without one.
        summary: The Markdown for a ticket, None for nowhere.
    """

    target: Path
    json: Path | None
    bundle: Bundle | None = None
    summary: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """Every file that is made."""
        zipped = self.bundle.target if self.bundle else None
        return [
            path for path in (self.target, self.json, self.summary, zipped) if path is not None and str(path) != "-"
        ]


def write(
    analysis: Analysis,
    drawer: Drawer,
    book: RuleBook,
    outputs: Outputs,
    command: str,
    private: PrivateMap | None,
    series: SeriesAsked | None = None,
) -> None:
    """Writes HTML, JSON and bundle; redacted ones are searched for names before.

    Raises:
        OutputError: A file cannot be written, or a name is still in it.
    """
    from esxprobe.report.document import render_json
    from esxprobe.report.html import render_html
    from esxprobe.report.summary import render_summary

    bundle = outputs.bundle
    carried = series.for_page() if series else None
    html = render_html(analysis, drawer, command, book, carried)
    document = render_json(analysis) if outputs.json is not None or bundle else ""
    if bundle is not None:
        bundle.text(outputs.target.name, html)
        bundle.text(f"{outputs.target.stem}.json", document)
    if private is not None:
        bare_series = series.for_page(named=False) if series else None
        private.search(
            analysis,
            html,
            document,
            lambda bare: (render_html(bare, drawer, command, book, bare_series), render_json(bare)),
        )
        if bundle is not None:
            bundle.search()
        private.save()  # before anything that was made with it
    save(outputs.target, html)
    save_json(outputs.json, document)
    if outputs.summary is not None:
        save(outputs.summary, render_summary(analysis, command, book))
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
