"""`esxprobe changes`: which series of a capture differ in a window of time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from esxprobe.commands.options import From, To, WindowTimezone
from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.frames.changes import Changes
    from esxprobe.model import ChangedEntity, CounterChange

# When a value was constant, by what the reference is.
_WHEN = {"before": "before", "rest": "otherwise", "window": "in the reference"}
# So many entities are shown in the terminal.
_SHOWN = 20
# In a window of fewer samples most changes of ordinary size cannot be distinguished from chance (docs/changes.md).
_SHORT = 12


def changes(
    capture: Annotated[Path, typer.Argument(help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder.")],
    start: From = None,
    end: To = None,
    reference: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="What the window is compared with: the time `before` it, four times as long, the `rest` of the "
            "capture, or another window: 10:00..10:30.",
        ),
    ] = "before",
    all_counters: Annotated[
        bool,
        typer.Option(
            "--all-counters", help="Compare every column with numbers, not only those that a report reads."
        ),
    ] = False,
    timezone: WindowTimezone = None,
    json: Annotated[
        bool, typer.Option("--json", help="As JSON: every series that differs, with its figures.")
    ] = False,
) -> None:
    """Rank all series of a capture by how much they differ in a window of time; see docs/changes.md."""
    from esxprobe.analyze import all_needs
    from esxprobe.commands.terminal import show_json
    from esxprobe.formats.window import window_of
    from esxprobe.frames.capture import Capture
    from esxprobe.frames.changes import Reference
    from esxprobe.frames.changes import changes as compared
    from esxprobe.rules import shipped

    window = window_of(start, end)
    if window is None:
        raise UsageError("no window was named", hint="say when it was: --from 10:50 --to 10:58")
    against = Reference.of(reference)
    wanted = None if all_counters else all_needs(shipped(), with_levels=True)
    opened = Capture(capture, timezone=timezone)
    found = compared(opened, window, against, wanted=wanted)
    if json:
        show_json(_document(found))
    else:
        _show(found, timezone or "")


def _show(found: Changes, timezone: str) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from esxprobe.commands.streams import printable
    from esxprobe.commands.terminal import wide_console
    from esxprobe.report.changes import changes_words

    console = wide_console()
    for line in _head(found, timezone):
        console.print(Text(line))
    sure = [(each, [change for change in each.changes if change.sure]) for each in found.changed]
    rows = [(each, some) for each, some in sure if some]
    if not rows:
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("where", overflow="fold")
    table.add_column("what changed, strongest first", overflow="fold")
    table.add_column("deviates", justify="right")
    for each, some in rows[:_SHOWN]:
        cells = (
            _where(each),
            printable(changes_words(some, _WHEN[found.kind_of_reference])),
            f"{abs(some[0].statistic):.1f}",
        )
        table.add_row(*map(Text, cells))
    console.print(table)
    if len(rows) > _SHOWN:
        console.print(Text(f"and {len(rows) - _SHOWN:,} more; --json has all"))


def _head(found: Changes, timezone: str) -> Iterable[str]:
    """What was compared, and how much of it changed."""
    from esxprobe.report.formatting import plural
    from esxprobe.report.formatting import window as span

    reference = {"before": "the time before", "rest": "the rest of the capture", "window": "the reference"}
    inside, others = found.samples
    zone = "" if timezone else " UTC"
    now, then = (span(each, dated=True, timezone=timezone) for each in (found.window, found.reference))
    yield f"{now}{zone}, {inside:,} {plural(inside, 'sample')}"
    yield f"against {reference[found.kind_of_reference]}: {then}{zone}, {others:,} {plural(others, 'sample')}"
    untested = f", {found.untested:,} with too few values" if found.untested else ""
    yield f"{found.compared:,} series, {found.constant:,} of them constant throughout{untested}"
    if not found.sure:
        yield "no series differs by more than chance explains among so many"
        if inside < _SHORT:
            few = f"{inside:,} {plural(inside, 'sample')}"
            yield f"the window is short: with {few} only large changes differ from chance"
        return
    differ = "differs" if found.sure == 1 else "differ"
    yield (
        f"{found.sure:,} {differ} (false discovery rate below 1 %); shown are means before and in the window, "
        "for a change of spread standard deviations"
    )


def _where(each: ChangedEntity) -> str:
    from esxprobe.commands.streams import printable

    kind, name = each.entity.kind, each.entity.name
    named = kind in {"vm", "host"} or name.lower().startswith(f"{kind} ")  # PCPU 7 says what it is
    return printable(name if named else f"{kind} {name}")


def _document(found: Changes) -> dict[str, Any]:
    """All figures as plain values."""
    from esxprobe.report.changes import label_of, unit_of
    from esxprobe.report.document import plain, window_as_json

    def told(change: CounterChange) -> dict[str, Any]:
        names = {"label": label_of(change.counter), "unit": unit_of(change.counter), "direction": change.direction}
        return {**names, **plain(change)}

    return {
        "schema": "esxprobe.changes/1",
        "window": window_as_json(found.window) | {"samples": found.samples[0]},
        "reference": window_as_json(found.reference) | {"samples": found.samples[1], "is": found.kind_of_reference},
        "series": {
            "compared": found.compared,
            "constant": found.constant,
            "untested": found.untested,
            "sure": found.sure,
        },
        "changed": [
            {"entity": plain(each.entity), "changes": [told(change) for change in each.changes]}
            for each in found.changed
        ],
    }
