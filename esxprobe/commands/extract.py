"""`esxprobe extract`: chosen counters, entities and times of a capture as PDH-CSV, Parquet or Arrow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.options import From, To, WindowTimezone
from esxprobe.commands.streams import say, say_made

if TYPE_CHECKING:
    from esxprobe.extract import Extracted


def extract(
    capture: Annotated[Path, typer.Argument(help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder.")],
    counter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COUNTER",
            help=r"A counter, its label (%RDY), Object\Counter, or a pattern; repeatable.",
        ),
    ] = None,
    vm: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Everything that belongs to this VM, by name or group ID."),
    ] = None,
    entity: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="An instance or a name, or a pattern.")
    ] = None,
    object: Annotated[
        list[str] | None, typer.Option("--object", metavar="OBJECT", help="An object, or a pattern.")
    ] = None,
    start: From = None,
    end: To = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A .csv (PDH-CSV for perfmon and esxplot), .parquet or .arrow file.",
        ),
    ] = None,
    timezone: WindowTimezone = None,
) -> None:
    """Export selected counters, entities and times of a capture to a file for other programs."""
    from esxprobe.capture import load_capture
    from esxprobe.commands.outputs import refuse_to_overwrite
    from esxprobe.commands.reporting import stem
    from esxprobe.commands.terminal import reading
    from esxprobe.extract import Selection
    from esxprobe.extract import extract as extracted
    from esxprobe.formats.window import TimeWindow, window_of

    files = load_capture(capture)
    query = Selection(tuple(counter or ()), tuple(vm or ()), tuple(entity or ()), tuple(object or ()))
    window = window_of(start, end) or TimeWindow()
    with reading(files.paths) as progress:
        made = extracted(
            files.paths,
            query,
            window,
            output or Path(f"{stem(capture)}-extract.csv"),
            timezone=timezone,
            progress=progress,
            guard=lambda path: refuse_to_overwrite(files.evidence(capture), path, None),
        )
    for path in made.paths:
        say_made(path)
    _tell(made)


def _tell(made: Extracted) -> None:
    """What was written, what was not, and what was repaired on the way: one line."""
    # A line of which the line break is lost is several rows.
    rows = f"{made.rows:,} of {made.seen:,} rows" if made.rows <= made.seen else f"{made.rows:,} rows"
    parts = [f"{made.columns:,} columns, {rows}"]
    if len(made.paths) > 1:
        parts[0] += f" in {len(made.paths)} files"
    if made.outside:
        parts.append(f"{made.outside:,} outside the window")
    if made.without:
        parts.append(f"{made.without:,} in segments without these columns")
    lost = made.seen - made.rows - made.outside - made.without
    if lost > 0:
        parts.append(f"{lost:,} unreliable rows left out")
    doubts = [f"{note.code} {note.count:,}" for note in made.notes if note.severity != "info"]
    if doubts:
        parts.append(f"capture quality: {', '.join(doubts)}")
    say("; ".join(parts), err=True)
