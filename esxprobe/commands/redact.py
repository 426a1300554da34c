"""`esxprobe redact`: a capture in, a copy without names out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def redact(
    capture: Annotated[Path, typer.Argument(help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder for the copy.")],
    map: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="The private map of names and pseudonyms: made, or continued when it is there. Never hand it on.",
        ),
    ] = None,
) -> None:
    """Write a copy of a raw capture with pseudonyms for names; a report reads the same numbers from it."""
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.commands.terminal import printable
    from esxprobe.redact import CaptureCopy

    private = PrivateMap(map)
    with CaptureCopy(capture, output, private.redactor) as copy:
        result = copy.make()
        private.refuse([output])
        private.save()
        copy.publish()
    typer.echo(str(output))
    for name, reason in result.left_out:
        typer.echo(f"left out: {printable(name)}: {reason}", err=True)
    if result.blanked:
        typer.echo(f"blanked: {result.blanked:,} lines and cells that are neither header nor numbers", err=True)
    if result.lost:
        typer.echo(f"lost: {result.lost:,} headers too damaged to be redacted, with the rows under them", err=True)
