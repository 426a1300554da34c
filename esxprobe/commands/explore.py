"""`esxprobe explore`: every counter of a capture in one page, to be searched and plotted."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands import report_options as options
from esxprobe.commands.options import From, To, WindowTimezone
from esxprobe.commands.outputs import refuse_to_overwrite, save, show_in_browser
from esxprobe.commands.series_of_report import Embed, budget_of
from esxprobe.commands.streams import say, say_made
from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.analyze import CaptureInput
    from esxprobe.capture import CaptureFiles
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.report.embedding import Embedded


def explore(
    capture: Annotated[Path, typer.Argument(help="An esxtop -b CSV (plain, .gz, .zst) or a capture folder.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Output HTML file. [default: <capture>-explore.html]"),
    ] = None,
    timezone: WindowTimezone = None,
    start: From = None,
    end: To = None,
    guests_file: options.GuestsFile = None,
    guest_log: options.GuestLog = None,
    guest_offset: options.GuestOffset = None,
    guest_timezone: options.GuestTimezone = None,
    log: options.Log = None,
    log_timezone: options.LogTimezone = None,
    embed: Embed = "all",
    redact: options.Redact = False,
    redact_map: options.RedactMap = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the finished page in a browser.")] = False,
) -> None:
    """Write every counter of a capture into one HTML page that searches and plots them; nothing is judged."""
    from esxprobe.analyze import CaptureInput, EventOptions
    from esxprobe.capture import load_capture
    from esxprobe.commands.guest_file import with_guest_file
    from esxprobe.commands.guests import guest_options, guest_words
    from esxprobe.commands.redaction import private_map
    from esxprobe.commands.reporting import shown_path, stem
    from esxprobe.formats.window import window_of

    budget = budget_of(embed)
    if budget == 0:
        raise UsageError("--embed 0 leaves nothing to explore", hint="write all, or a size such as 5MB")
    private, window = private_map(options.redaction_of(redact, redact_map)), window_of(start, end)
    files = load_capture(capture)
    logs = EventOptions(tuple(log or ()), log_timezone)
    guests = guest_options(capture, guest_log or (), guest_offset or (), guest_timezone, (), (), events=logs)
    guests = with_guest_file(guests, guests_file)
    target = output or Path(f"{stem(private.shown(capture) if private else capture)}-explore.html")
    refuse_to_overwrite([*files.evidence(capture), *guests.files], target, None)
    source = CaptureInput(files.paths, files.manifest, timezone, guests, window)
    made = _embedded(source, files, budget, private)
    if private is not None:
        private.refuse([target])
    words = ["esxprobe", "explore", shown_path(capture, private)]
    words += [*(["--timezone", timezone] if timezone else []), *(window.words() if window else [])]
    words += guest_words(guests, private=private)
    words += [*(["--embed", embed] if budget is not None else []), *(["--redact"] if private else [])]
    save(target, _page(made, shlex.join(words), private))
    say_made(target)
    if open_it:
        show_in_browser(target)


def _embedded(
    source: CaptureInput, files: CaptureFiles, budget: int | None, private: PrivateMap | None
) -> Embedded:
    """Reads the capture once, all of its columns, and its logs."""
    from esxprobe.analyze import beside_counters, read_capture_with_cells
    from esxprobe.commands.terminal import reading
    from esxprobe.report.explore import Layers, series_of_page, thresholds_of
    from esxprobe.rules import shipped

    book = shipped()
    with reading(files.paths) as progress:
        recording, cells = read_capture_with_cells(source, book=book, every=True, progress=progress)
    beside = beside_counters(recording, source)
    for note in beside.notes:
        say(note.detail, err=True)
    events = beside.events
    if private is not None:
        cells = private.learned_cells(cells, files)
        events = private.events(events)
    layers = Layers(thresholds_of(book), guests=beside.guests, events=events)
    return series_of_page(cells, None, budget, layers)


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
