"""`esxprobe report` of guests' logs without a capture of their host."""

from __future__ import annotations

import shlex
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.commands.guests import guest_log_word, guest_options, guest_words
from esxprobe.commands.streams import say_made
from esxprobe.errors import EsxprobeError, UsageError

if TYPE_CHECKING:
    from esxprobe.analyze import GuestOptions
    from esxprobe.commands.bundling import Bundle
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.model.guestalone import GuestReport
    from esxprobe.report.drawing import Drawer


_ENDINGS = (".log", ".txt", ".tsv", ".json")
# So much of a header names many objects [bytes].
_LOOK = 1 << 16
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class GuestsAlone:
    """What is to be judged and where it goes.

    Attributes:
        words: The logs as they were typed: `FILE` or `VM=FILE`.
        timezone: Zone of the stamps, where the logs do not say it.
        mmu: Monitor modes, `VM=MODE` or `MODE`.
        vmware_logs: `VM=FILE` or `FILE`.
        rules: A file of own rules.
        output: The HTML; named after the first log when None.
        json: The JSON document; `-` for standard output.
        bundle: A zip to write too.
        with_capture: The logs go into it.
    """

    words: tuple[str, ...]
    timezone: str | None
    mmu: tuple[str, ...]
    vmware_logs: tuple[str, ...]
    rules: Path | None
    output: Path | None
    json: Path | None
    bundle: Path | None
    with_capture: bool


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
    """What is told at a glance: no file, or a capture, whose report has no time to load the readers of logs."""
    from esxprobe.files.reading import opened
    from esxprobe.formats.sniff import names_esxtop

    try:
        if not path.is_file():
            return True
        with opened(path) as file:
            head = file.read(_LOOK)
        if head.startswith(_GZIP):
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


def report_guests(asked: GuestsAlone, private: PrivateMap | None) -> tuple[GuestReport, Path]:
    """Judges the logs and writes everything; gives what was found and where the HTML lies.

    Raises:
        UsageError: An option says what cannot be.
        UnreadableInputError: A log cannot be read.
        OutputError: An output cannot be written, or a name is still in it.
    """
    from contextlib import ExitStack

    from esxprobe.report.drawing import Drawer

    with Drawer() as drawer, ExitStack() as stack:  # the drawer first: it gets warm while the logs are read
        from esxprobe.analyze.guestsalone import analyze_guests
        from esxprobe.commands.bundling import Bundle
        from esxprobe.commands.outputs import refuse_to_overwrite
        from esxprobe.commands.reporting import book_of

        options = guest_options(
            Path(), asked.words, (), asked.timezone, asked.mmu, asked.vmware_logs, is_alone=True
        )
        first = options.logs[0][1]
        target = asked.output or Path(f"{_stem(private.shown(first) if private else first)}-report.html")
        refuse_to_overwrite(options.files, target, asked.json, asked.rules)
        zipped = None
        if asked.bundle is not None:
            zipped = stack.enter_context(Bundle(asked.bundle, with_capture=asked.with_capture, private=private))
            zipped.refuse(options.files, (target, asked.json))
            refuse_to_overwrite(options.files, asked.bundle, None, asked.rules)
        report = analyze_guests(options, book_of(asked.rules, private))
        if private is not None:
            from esxprobe.redact.guestalone import redacted_guests

            report = redacted_guests(report, private.redactor)
            private.refuse([path for path in (target, asked.json, asked.bundle) if path and str(path) != "-"])
        if zipped is not None:
            zipped.logs(options)
        _write(report, drawer, asked, (target, zipped), _command(asked, options, private), private)
    return report, target


def _stem(log: Path) -> str:
    """A log's name without what tells its format."""
    from esxprobe.commands.reporting import stem

    name = stem(log)
    return Path(name).stem if name.endswith(_ENDINGS) else name


def _command(asked: GuestsAlone, options: GuestOptions, private: PrivateMap | None) -> str:
    """The command that makes this report again, without the folders that lead to the files."""
    said = [word for word in guest_words(options, private=private) if word != "--guest-log"]
    words = ["esxprobe", "report", *said]
    if asked.rules is not None:
        words += ["--rules", private.shown(asked.rules).name if private else asked.rules.name]
    return shlex.join([*words, "--redact"] if private else words)


def _write(
    report: GuestReport,
    drawer: Drawer,
    asked: GuestsAlone,
    targets: tuple[Path, Bundle | None],
    command: str,
    private: PrivateMap | None,
) -> None:
    from esxprobe.commands.outputs import save
    from esxprobe.commands.reporting import save_json
    from esxprobe.report.guestalone import render_guests_html
    from esxprobe.report.guestalone_document import render_guest_json

    target, bundle = targets
    html, document = render_guests_html(report, drawer, command), render_guest_json(report)
    if bundle is not None:
        bundle.text(target.name, html)
        bundle.text(f"{target.stem}.json", document)
    if private is not None:
        from esxprobe.redact.guestalone import nameless_guests

        bare = nameless_guests(report)
        private.check(html, document, (render_guests_html(bare, drawer, command), render_guest_json(bare)))
        if bundle is not None:
            bundle.search()
        private.save()  # before anything that was made with it
    save(target, html)
    save_json(asked.json, document)
    if bundle is not None:
        bundle.write()


def show_guests(report: GuestReport, target: Path, bundle: Path | None, *, quiet: bool) -> None:
    """What was found in words, and where the report lies; for a script only the latter."""
    if quiet:
        return
    if not sys.stdout.isatty():
        say_made(target)
        if bundle is not None:
            say_made(bundle)
        return
    from rich.text import Text

    from esxprobe.commands.streams import printable
    from esxprobe.commands.terminal import wide_console

    console = wide_console()
    for guest in report.guests:
        console.print(Text(printable(guest.statement[0]), style="yellow" if guest.grade == "large" else ""))
        for sentence in guest.statement[1:]:
            console.print(Text(f"  {printable(sentence)}"))
    for line in report.guests[0].advice:
        console.print(Text(f"- {printable(line)}"))
    console.print(Text(printable(f"report: {target}")), soft_wrap=True)
    if bundle is not None:
        console.print(Text(printable(f"bundle: {bundle}")), soft_wrap=True)
