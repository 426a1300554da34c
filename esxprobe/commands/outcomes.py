"""What became of hosts: tables for a person, plain lines for a pipe."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from esxprobe.commands.streams import printable, say, say_made
from esxprobe.commands.terminal import wide_console

if TYPE_CHECKING:
    from rich.table import Table

    from esxprobe.collect.check import Checked, HostCheck, Step
    from esxprobe.collect.dryrun import DryRun
    from esxprobe.collect.task import HostOutcome, Notice
    from esxprobe.model.manifest import GuestOutcome

_COLORS = {"whole": "green", "ok": "green", "partial": "yellow", "skipped": "dim", "failed": "bold red"}


def show_outcomes(outcomes: Sequence[HostOutcome]) -> None:
    """A table at a terminal, on a pipe the folders, one a line; `complain` has told what went wrong."""
    if sys.stdout.isatty():
        wide_console().print(_outcome_table(outcomes))
        for outcome in outcomes:
            _say([told_of(outcome.host, note) for note in outcome.notes])
        _say_where(outcomes)
        return
    for outcome in outcomes:
        if outcome.folder is not None:
            say_made(outcome.folder)


def _say_where(outcomes: Sequence[HostOutcome]) -> None:
    """Where the captures lie, on lines of their own: what a table folds cannot be copied."""
    _say([f"{outcome.host}: {outcome.folder}" for outcome in outcomes if outcome.folder is not None])
    readable = [shlex.quote(str(outcome.folder)) for outcome in outcomes if outcome.samples > 1]
    if readable:
        _say([f"next: esxprobe {'report' if len(readable) == 1 else 'fleet'} {' '.join(readable)}"])


def complain(told: HostOutcome | GuestOutcome | Notice) -> None:
    """Tells on standard error what went wrong with a host or a guest, as soon as it is known."""
    from esxprobe.collect.task import HostOutcome, Notice

    if isinstance(told, Notice):
        say(f"esxprobe: {told_of(told.host, told.text)}", err=True)
    elif not isinstance(told, HostOutcome):
        if told.outcome != "whole":
            why = f": {told.reason}" if told.reason else ""
            say(f"esxprobe: guest {told.vm}: {told.outcome}{why}", err=True)
    elif told.error is not None:
        say(f"esxprobe: {told_of(told.host, told.error.message)}", err=True)
        if told.error.hint:
            say(f"hint: {told.error.hint}", err=True)


def told_of(host: str, message: str) -> str:
    """A message with the host's name before it, but for one that names it already."""
    there = re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-]|\.\w)", message)
    return message if there else f"{host}: {message}"


def _outcome_table(outcomes: Sequence[HostOutcome]) -> Table:
    from rich.text import Text

    table = _table("host", "outcome", "samples", "MB", "interval", "gaps", "guests", right=(2, 3, 4, 5))
    for outcome in outcomes:
        whole = sum(guest.outcome == "whole" for guest in outcome.guests)
        table.add_row(
            Text(printable(outcome.host)),
            Text(outcome.outcome, style=_COLORS[outcome.outcome]),
            Text(f"{outcome.samples:,} of {outcome.asked:,}"),
            Text(f"{outcome.bytes / 1e6:,.1f}"),
            Text(f"{outcome.interval_s:.2f} s" if outcome.interval_s is not None else ""),
            Text(f"{outcome.gaps}"),
            Text(f"{whole} of {len(outcome.guests)} whole" if outcome.guests else ""),
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
    steps = tuple(_together(checked.steps))
    if not sys.stdout.isatty():
        for step in steps:
            _say([f"{where}: {step.name}: {step.outcome}{': ' * bool(step.note)}{printable(step.note)}"])
            if step.hint:
                _say([f"{where}: {step.name}: hint: {printable(step.hint)}"])
        return
    from rich.text import Text

    table = _table(where, "", "")
    for step in steps:
        found = Text(printable(step.note))
        if step.hint:
            found.append(f"\nhint: {printable(step.hint)}", style="italic")
        table.add_row(Text(step.name), Text(step.outcome, style=_COLORS[step.outcome]), found)
    wide_console().print(table)


def _together(steps: Iterable[Step]) -> Iterator[Step]:
    """Neighboring steps that were skipped for the same reason, as one."""
    for (outcome, note, _), same in groupby(steps, key=lambda step: (step.outcome, step.note, step.hint)):
        first, *more = same
        if outcome == "skipped" and more:
            first = replace(first, name=", ".join(step.name for step in (first, *more)), note=note)
        yield from (first, *more) if outcome != "skipped" else (first,)


def _would_run(where: str, commands: Iterable[str]) -> list[str]:
    return [f"{where} would run:", *(f"  {line}" for command in commands for line in command.split("\n"))]


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)


def _table(*headings: str, right: tuple[int, ...] = ()) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, heading in enumerate(headings):
        # Text, never markup: names hold brackets.
        table.add_column(Text(heading), overflow="fold", justify="right" if number in right else "left")
    return table
