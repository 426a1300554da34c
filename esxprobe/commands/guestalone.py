"""`esxprobe report` of guests' logs without a capture of their host."""

from __future__ import annotations

import shlex
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.guests import guest_log_word, guest_words
from esxprobe.commands.streams import printable
from esxprobe.errors import EsxprobeError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.commands.reporting import RenderedReport
    from esxprobe.commands.requests import GuestLogsRequest, OutputRequest
    from esxprobe.model.guestalone import GuestReport
    from esxprobe.report.drawing import Drawer


_ENDINGS = (".log", ".txt", ".tsv", ".json")
# So much of a header names many objects [bytes].
_LOOK = 1 << 16


@dataclass(frozen=True, slots=True)
class WrittenGuestReport:
    """A finished report of guests' logs.

    Attributes:
        report: What is in it.
        html: Where its page was written.
    """

    report: GuestReport
    html: Path


def are_guest_logs(words: Sequence[str]) -> bool:
    """Whether every word of a command is a guest's log; the first one that is none ends the question."""
    from esxprobe.fleet.urls import is_url

    if not words:
        return False
    paths = [_path(word) for word in words]
    if any(map(is_url, words)) or any(map(_is_no_log, paths)):
        return False
    from esxprobe.formats.guests import is_guest_log

    return all(map(is_guest_log, paths))


def _is_no_log(path: Path) -> bool:
    """Whether a first look shows no log: no file, or a capture, whose report needs no readers of logs."""
    from esxprobe.files.reading import opened
    from esxprobe.formats.pack import packing_of_head
    from esxprobe.formats.sniff import names_esxtop

    try:
        if not path.is_file():
            return True
        with opened(path) as file:
            head = file.read(_LOOK)
        if packing_of_head(head) == "gzip":
            head = zlib.decompressobj(31).decompress(head, _LOOK)
    except (EsxprobeError, OSError):
        return True
    except zlib.error:
        return False
    return b"(PDH-" in head and names_esxtop(head)


def _path(word: str) -> Path:
    try:
        return guest_log_word(word)[1]
    except UsageError:
        return Path(word)


def report_guest_logs(request: GuestLogsRequest, drawer: Drawer) -> WrittenGuestReport:
    """Judges the logs and writes everything.

    Raises:
        UsageError: Two outputs would be one file, or the rules are not valid.
        UnreadableInputError: A log cannot be read.
        OutputError: An output cannot be written, or a name is still in it.
    """
    from contextlib import ExitStack

    from esxprobe.analyze.guestsalone import analyze_guests
    from esxprobe.commands.bundling import Bundle
    from esxprobe.commands.outputs import refuse_to_overwrite
    from esxprobe.commands.redaction import private_map
    from esxprobe.commands.reporting import book_of, save_report

    guests, outputs = request.guests, request.outputs
    private = private_map(request.redaction)
    first = guests.logs[0][1]
    html = outputs.html or Path(f"{_stem(private.shown(first) if private else first)}-report.html")
    refuse_to_overwrite(guests.files, html, outputs.json, request.rules)
    with ExitStack() as stack:
        bundle = None
        if outputs.bundle is not None:
            bundle = stack.enter_context(Bundle(outputs.bundle, with_capture=outputs.with_capture, private=private))
            bundle.refuse(guests.files, (html, outputs.json))
            refuse_to_overwrite(guests.files, outputs.bundle, None, request.rules)
        report = analyze_guests(guests, book_of(request.rules, private))
        if private is not None:
            from esxprobe.redact.guestalone import redacted_guests

            report = redacted_guests(report, private.redactor)
            private.refuse([html, *outputs.files()])
        if bundle is not None:
            bundle.logs(guests)
        save_report(_rendered(report, drawer, _command(request, private)), outputs, (html, bundle), private)
    return WrittenGuestReport(report, html)


def _stem(log: Path) -> str:
    """A log's name without what tells its format."""
    from esxprobe.commands.reporting import stem

    name = stem(log)
    return Path(name).stem if name.endswith(_ENDINGS) else name


def _command(request: GuestLogsRequest, private: PrivateMap | None) -> str:
    """The command that makes this report again, without the folders that lead to the files."""
    given = [word for word in guest_words(request.guests, private=private) if word != "--guest-log"]
    words = ["esxprobe", "report", *given]
    if request.rules is not None:
        words += ["--rules", private.shown(request.rules).name if private else request.rules.name]
    return shlex.join([*words, "--redact"] if private else words)


def _rendered(report: GuestReport, drawer: Drawer, command: str) -> RenderedReport:
    from esxprobe.commands.reporting import RenderedReport
    from esxprobe.report.guestalone import render_guests_html
    from esxprobe.report.guestalone_document import render_guest_json

    def texts(shown: GuestReport) -> tuple[str, str]:
        return render_guests_html(shown, drawer, command), render_guest_json(shown)

    def without_names() -> tuple[str, str]:
        from esxprobe.redact.guestalone import nameless_guests

        return texts(nameless_guests(report))

    return RenderedReport(*texts(report), without_names)


def show_guests(done: WrittenGuestReport, outputs: OutputRequest) -> None:
    """What was found in words, and where the report is; for a script only the latter."""
    from esxprobe.commands.terminal import show_written

    def lines(console: Console) -> None:
        from rich.text import Text

        for guest in done.report.guests:
            console.print(Text(printable(guest.statement[0]), style="yellow" if guest.grade == "large" else ""))
            for sentence in guest.statement[1:]:
                console.print(Text(f"  {printable(sentence)}"))
        for line in done.report.guests[0].advice:
            console.print(Text(f"- {printable(line)}"))

    show_written(done.html, outputs.bundle, lines, quiet=outputs.json_to_stdout)
