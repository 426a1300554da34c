"""What became of hosts: tables for a person, plain lines for a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from esxprobe.commands.terminal import printable, wide_console

if TYPE_CHECKING:
    from rich.table import Table

    from esxprobe.collect.check import Checked, HostCheck
    from esxprobe.collect.session import DryRun, HostOutcome

_COLOURS = {"whole": "green", "ok": "green", "partial": "yellow", "skipped": "dim", "failed": "bold red"}


def show_outcomes(outcomes: Sequence[HostOutcome]) -> None:
    """What went wrong on standard error; then a table, on a pipe the folders, one a line."""
    for outcome in outcomes:
        _complain(outcome)
    if sys.stdout.isatty():
        wide_console().print(_outcome_table(outcomes))
        for outcome in outcomes:
            _say([f"{outcome.host}: {note}" for note in outcome.notes])
        return
    for outcome in outcomes:
        if outcome.folder is not None:
            typer.echo(str(outcome.folder))


def _complain(outcome: HostOutcome) -> None:
    if outcome.error is not None:
        typer.echo(f"esxprobe: {printable(outcome.host)}: {printable(outcome.error.message)}", err=True)
        if outcome.error.hint:
            typer.echo(f"hint: {printable(outcome.error.hint)}", err=True)
    for guest in outcome.guests:
        if guest.outcome != "whole":
            said = f"{guest.outcome}: {printable(guest.reason)}" if guest.reason else guest.outcome
            typer.echo(f"esxprobe: guest {printable(guest.vm)}: {said}", err=True)


def _outcome_table(outcomes: Sequence[HostOutcome]) -> Table:
    from rich.text import Text

    table = _table("host", "outcome", "samples", "MB", "interval", "gaps", "guests", "folder", right=(2, 3, 4, 5))
    for outcome in outcomes:
        whole = sum(guest.outcome == "whole" for guest in outcome.guests)
        table.add_row(
            Text(printable(outcome.host)),
            Text(outcome.outcome, style=_COLOURS[outcome.outcome]),
            Text(f"{outcome.samples:,} of {outcome.asked:,}"),
            Text(f"{outcome.bytes / 1e6:,.1f}"),
            Text(f"{outcome.interval_s:.2f} s" if outcome.interval_s is not None else ""),
            Text(f"{outcome.gaps}"),
            Text(f"{whole} of {len(outcome.guests)} whole" if outcome.guests else ""),
            Text(str(outcome.folder or "")),
        )
    return table


def show_plan(plan: DryRun) -> None:
    """What a capture would run and cost."""
    from esxprobe.collect.forecast import render_forecast

    _say(_would_run(plan.host, plan.commands))
    for vm, command in plan.guest_commands:
        _say(_would_run(f"guest {vm}", (command,)))
    _say([f"forecast: {render_forecast(plan.forecast)}"])


def show_checks(checks: Sequence[HostCheck]) -> None:
    """Every step of every host and guest, and what a capture would run there."""
    for check in checks:
        _show_steps(printable(check.host.name), check.host)
        for guest in check.guests:
            _show_steps(f"{printable(check.host.name)}, guest {printable(guest.name)}", guest)
    for check in checks:
        if check.host.ok:
            _say(_would_run(check.host.name, check.host.commands))
        for guest in check.guests:
            if guest.ok:
                _say(_would_run(f"guest {guest.name}", guest.commands))


def _show_steps(where: str, checked: Checked) -> None:
    if not sys.stdout.isatty():
        for step in checked.steps:
            _say([f"{where}: {step.name}: {step.outcome}{': ' * bool(step.note)}{printable(step.note)}"])
            if step.hint:
                _say([f"{where}: {step.name}: hint: {printable(step.hint)}"])
        return
    from rich.text import Text

    table = _table(where, "", "")
    for step in checked.steps:
        found = Text(printable(step.note))
        if step.hint:
            found.append(f"\nhint: {printable(step.hint)}", style="italic")
        table.add_row(Text(step.name), Text(step.outcome, style=_COLOURS[step.outcome]), found)
    wide_console().print(table)


def _would_run(where: str, commands: Iterable[str]) -> list[str]:
    return [f"{where} would run:", *(f"  {line}" for command in commands for line in command.split("\n"))]


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(printable(line))


def _table(*headings: str, right: tuple[int, ...] = ()) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(headings):
        # Text, never markup: names hold brackets.
        table.add_column(Text(heading), overflow="fold", justify="right" if number in right else "left")
    return table
