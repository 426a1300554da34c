"""`esxprobe redact`: captures in, copies without names out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.streams import printable, say, say_failed, say_left_out, say_made

if TYPE_CHECKING:
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.redact.folder import Copy


def redact(
    captures: Annotated[
        list[str],
        typer.Argument(
            metavar="CAPTURE",
            help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder; several, or a folder of some.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="A new folder for the copy, or for the copies.")
    ],
    map: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            help="Private map of names and pseudonyms: created, or extended if it exists. Never share it.",
        ),
    ] = None,
) -> None:
    """Write pseudonymized copies of raw captures, which yield the same numbers in a report."""
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.fleet.capture_sources import is_many

    private = PrivateMap(map)
    if is_many(captures):
        _many(captures, output, private)
    else:
        _one(Path(captures[0]), output, private)


def _one(capture: Path, output: Path, private: PrivateMap) -> None:
    from esxprobe.redact import CaptureCopy

    with CaptureCopy(capture, output, private.redactor) as copy:
        result = copy.make()
        private.refuse([output])
        private.save()
        copy.publish()
    say_made(output)
    _tell(result, private)


def _many(words: list[str], output: Path, private: PrivateMap) -> None:
    """One folder with all copies, published whole; a capture that cannot be read is named."""
    from contextlib import ExitStack

    from esxprobe.commands.redaction import copies_folder, learn_all, places_of, settle
    from esxprobe.errors import EXIT_HOST_FAILED, EXIT_UNREADABLE, UnreadableInputError
    from esxprobe.fleet.capture_sources import at_hand, expanded, left_out
    from esxprobe.redact import CaptureCopy

    with ExitStack() as stack:
        sources = [stack.enter_context(at_hand(source)) for source in expanded(words)]
        failures = learn_all(sources, private)  # a name of the last one may be in the first one
        work = stack.enter_context(copies_folder(output))
        made: list[tuple[CaptureCopy, Copy]] = []
        lone = []
        for source, place in zip(sources, places_of(sources, private), strict=True):
            if source in failures:
                continue
            copy = stack.enter_context(CaptureCopy(source, work / place, private.redactor))
            try:
                made.append((copy, copy.make()))
                lone += [] if source.is_dir() else [work / place]
            except UnreadableInputError as error:
                failures[source] = error
                copy.close()
        for copy, _ in made:
            copy.search()  # again: names of later ones are known now
        private.refuse([output])
        if made:
            private.save()
            for copy, _ in made:
                copy.publish()
                copy.close()  # its workplace is in the folder that is moved now
            settle(work, lone, output)
            say_made(output)
    for _, result in made:
        _tell(result, private)
    for source, failure in failures.items():
        name = private.shown(source).name
        own = failure.message.startswith(str(source))
        text = private.redactor.free(failure.message.removeprefix(str(source)))
        say_failed(name, f"{name}{text}" if own else text)
    if failures and made:
        say(f"hint: {private.path} tells which file has which name here", err=True)
    say_left_out(left_out(words), shown=False)
    if failures:
        raise typer.Exit(EXIT_HOST_FAILED if made else EXIT_UNREADABLE)


def _tell(result: Copy, private: PrivateMap) -> None:
    """What is not as it was, by pseudonyms: what is in a terminal is soon pasted somewhere."""
    for name, reason in result.left_out:
        say(f"left out: {printable(private.redactor.file(name))}: {reason}", err=True)
    if result.blanked:
        say(f"redacted: {result.blanked:,} lines and cells that are neither header nor numeric data", err=True)
    if result.lost:
        say(f"lost: {result.lost:,} headers too damaged to be redacted, and the rows under them", err=True)
