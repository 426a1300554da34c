"""`esxprobe explore`: every counter of a capture in one page, to be searched and plotted."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.options import From, To, WindowTimezone
from esxprobe.commands.outputs import refuse_to_overwrite, save, show_in_browser
from esxprobe.commands.report_options import Redact, RedactMap, redaction_of
from esxprobe.commands.series_of_report import Embed, budget_of
from esxprobe.commands.streams import say_made
from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.capture import CaptureFiles
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.formats.printed_cells import CaptureCells
    from esxprobe.formats.window import TimeWindow
    from esxprobe.report.embedding import Embedded


def explore(
    capture: Annotated[Path, typer.Argument(help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write the HTML; or a name of its own."),
    ] = None,
    timezone: WindowTimezone = None,
    start: From = None,
    end: To = None,
    embed: Embed = "all",
    redact: Redact = False,
    redact_map: RedactMap = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the finished page in a browser.")] = False,
) -> None:
    """Write every counter of a capture into one HTML page that searches and plots them; nothing is judged."""
    from esxprobe.capture import load_capture
    from esxprobe.commands.redaction import private_map
    from esxprobe.commands.reporting import shown_path, stem
    from esxprobe.formats.window import window_of
    from esxprobe.report.embedding import embedded
    from esxprobe.report.explore import Layers, thresholds_of, with_layers
    from esxprobe.rules import shipped

    budget = budget_of(embed)
    if budget == 0:
        raise UsageError("--embed 0 leaves nothing to explore", hint="write all, or a size such as 5MB")
    private, window = private_map(redaction_of(redact, redact_map)), window_of(start, end)
    files = load_capture(capture)
    target = output or Path(f"{stem(private.shown(capture) if private else capture)}-explore.html")
    refuse_to_overwrite(files.evidence(capture), target, None)
    cells = _every_cell(files, timezone, window)
    if private is not None:
        cells = private.learned_cells(cells, files)
        private.refuse([target])
    words = ["esxprobe", "explore", shown_path(capture, private)]
    words += [*(["--timezone", timezone] if timezone else []), *(window.words() if window else [])]
    words += [*(["--embed", embed] if budget is not None else []), *(["--redact"] if private else [])]
    made = with_layers(embedded(cells, None, budget), Layers(thresholds_of(shipped())))
    save(target, _page(made, shlex.join(words), private))
    say_made(target)
    if open_it:
        show_in_browser(target)


def _every_cell(files: CaptureFiles, timezone: str | None, window: TimeWindow | None) -> CaptureCells:
    """Reads the capture once, all of its columns."""
    from esxprobe.commands.terminal import reading
    from esxprobe.formats.esxtop import read_with_cells

    with reading(files.paths) as progress:
        return read_with_cells(
            files.paths, {}, every=True, timezone=timezone, progress=progress, window=window
        ).cells


def _page(made: Embedded, command: str, private: PrivateMap | None) -> str:
    """The page; a redacted one is searched for names, and its map is saved."""
    import esxprobe
    from esxprobe.report.drawing import Drawer
    from esxprobe.report.explore import render_explore

    tool = f"esxprobe {esxprobe.__version__}"

    def drawn(series: Embedded) -> str:
        title = f"esxprobe: counters of {series.index['host'] or 'an unnamed host'}"
        return render_explore(drawer, lambda: series, title, tool, command)

    with Drawer() as drawer:
        html = drawn(made)
        if private is not None:
            private.check(html, "", (drawn(made.nameless()), ""))
            private.save()  # before anything that was made with it
    return html
