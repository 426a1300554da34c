"""`esxprobe convert`: a columnar copy of a capture, which the other commands read many times faster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.streams import printable, say, say_made
from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.convert import Converted


def convert(
    capture: Annotated[
        Path, typer.Argument(help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder; with --back a copy.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="DIR", help="The copy's folder; with --back of a lone CSV's copy: a file."
        ),
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace a columnar copy that is there when the new one is whole.")
    ] = False,
    back: Annotated[
        bool, typer.Option("--back", help="Write the text of a columnar copy as a capture again.")
    ] = False,
) -> None:
    """Write a columnar copy (Parquet) of a capture that report, counters and extract read faster."""
    from esxprobe.capture import load_capture
    from esxprobe.commands.terminal import reading
    from esxprobe.convert import convert as converted
    from esxprobe.convert import convert_back

    if back:
        if force:
            raise UsageError("--back never replaces anything", hint="leave --force out")
        made = convert_back(capture, output)
    else:
        with reading(load_capture(capture).paths) as progress:
            made = converted(capture, output, force=force, progress=progress)
    say_made(output)
    _tell(made)


def _tell(made: Converted) -> None:
    """What was written, in one line."""
    parts = [
        f"{made.rows:,} samples in tables, {made.loose:,} lines as text",
        f"{made.before / 1e6:,.1f} MB became {made.after / 1e6:,.1f} MB",
    ]
    if made.inexact:
        names = ", ".join(printable(name) for name in made.inexact)
        parts.append(f"the text is whole, but not the file's own bytes: {names}")
    say("; ".join(parts), err=True)
