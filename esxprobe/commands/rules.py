"""`esxprobe rules`: the rule book, its thresholds and where each number comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from esxprobe.commands.streams import printable, say

app = typer.Typer(help="The rules, their thresholds and the source of each number.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
Own = Annotated[
    Path | None,
    typer.Option(
        "--rules", metavar="FILE", help="A TOML file with your own rules and changes; see docs/own-rules.md."
    ),
]


@app.command("list")
def list_rules(json: Json = False, rules: Own = None) -> None:
    """List every rule."""
    from esxprobe.commands.reporting import book_of
    from esxprobe.commands.terminal import show_json, wide_console
    from esxprobe.report.rulebook import book_document, thresholds

    book = book_of(rules)
    if json:
        show_json(book_document(book))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("rule", "judges", "value", "thresholds", "what"):
        table.add_column(heading, overflow="fold")
    for rule in book.rules:
        cells = (rule.id, rule.entity, rule.label, thresholds(rule), rule.title)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    wide_console().print(table)


@app.command("show")
def show(
    rule_id: Annotated[str, typer.Argument(metavar="ID", help="A rule's id, as `rules list` shows it.")],
    json: Json = False,
    rules: Own = None,
) -> None:
    """Show one rule with its sources and examples."""
    from esxprobe.commands.reporting import book_of
    from esxprobe.commands.terminal import show_json
    from esxprobe.report.rulebook import render_rule, rule_document

    rule = book_of(rules).find(rule_id)
    if json:
        show_json(rule_document(rule))
    else:
        for line in render_rule(rule).rstrip().split("\n"):
            say(line)
