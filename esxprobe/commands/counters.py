"""`esxprobe counters`: what is in a capture, and how much of it is understood."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from esxprobe.errors import UsageError


def counters(
    capture: Annotated[Path, typer.Argument(help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder.")],
    object: Annotated[
        str | None,
        typer.Option("--object", metavar="OBJECT", help="Show the counters of this object and their meaning."),
    ] = None,
    search: Annotated[
        str | None,
        typer.Option(
            "--search",
            metavar="WORDS",
            help='Show the columns that match all words, with their values: "ready web01", "%rdy > 10".',
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List objects, instances and counters of a capture, and how many esxprobe recognizes."""
    if search is not None:
        _found(capture, search, object, as_json=json)
        return
    from esxprobe.capture import load_capture
    from esxprobe.commands.terminal import show_json
    from esxprobe.formats.header_listing import inventory

    rows = inventory(load_capture(capture).paths)
    if object is not None:
        known = sorted({row["object"] for row in rows})
        rows = [row for row in rows if row["object"] == object]
        if not rows:
            raise UsageError(f"the capture has no object {object!r}", hint=f"it has {', '.join(known)}")
    if json:
        show_json(rows if object is not None else _by_object(rows))
    elif object is not None:
        _print(("counter", "label", "unit", "columns", "meaning"), rows)
    else:
        _print(("object", "instances", "counters", "columns", "understood"), _by_object(rows))


def _found(path: Path, text: str, only: str | None, *, as_json: bool) -> None:
    """Shows what a search finds."""
    from dataclasses import asdict

    from esxprobe.commands.terminal import show_json
    from esxprobe.frames.capture import Capture
    from esxprobe.frames.search import search
    from esxprobe.report.formatting import number

    found = search(Capture(path), text, only=only)
    if as_json:
        show_json([asdict(each) for each in found])
        return
    figures = ("min", "median", "p95", "max", "last")
    rows: list[dict[str, Any]] = [
        {
            "object": each.object,
            "instance": each.instance,
            "counter": f"{each.counter} ({each.label})" if each.label else each.counter,
            "unit": each.unit,
        }
        | {name: value if isinstance(value := getattr(each, name), str) else number(value) for name in figures}
        for each in found
    ]
    _print(("object", "instance", "counter", "unit", *figures), rows, right=figures)


def _by_object(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    objects: dict[str, dict[str, Any]] = {}
    for row in rows:
        total = objects.setdefault(
            row["object"],
            {"object": row["object"], "instances": 0, "counters": 0, "columns": 0, "understood": 0},
        )
        total["instances"] = max(total["instances"], row["instances"])
        total["counters"] += 1
        total["columns"] += row["columns"]
        total["understood"] += row["columns"] if row["known"] else 0
    return list(objects.values())


def _print(columns: tuple[str, ...], rows: list[dict[str, Any]], right: Sequence[str] = ()) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from esxprobe.commands.streams import printable
    from esxprobe.commands.terminal import wide_console

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numeric = column in right or (bool(rows) and isinstance(rows[0][column], int))
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        cells = (row[column] for column in columns)
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else printable(cell)) for cell in cells))
    wide_console().print(table)
