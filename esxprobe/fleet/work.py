"""One capture of many: read, judged and drawn, wherever this runs. A broken capture is an outcome."""

from __future__ import annotations

import atexit
import sys
import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import esxprobe
from esxprobe.errors import EXIT_BUG, EXIT_HOST_FAILED, EXIT_UNREADABLE, EsxprobeError
from esxprobe.fleet.capture_sources import at_hand
from esxprobe.model.fleet import Failure, Judged

if TYPE_CHECKING:
    from esxprobe.analyze import EventOptions
    from esxprobe.formats.printed_cells import CaptureCells
    from esxprobe.formats.window import TimeWindow
    from esxprobe.model import Analysis
    from esxprobe.report.drawing import Drawer
    from esxprobe.report.embedding import Embedded
    from esxprobe.rules import RuleBook

# A capture whose every row is damaged can have a long complaint.
_MESSAGE = 1000


@dataclass(frozen=True, slots=True)
class Task:
    """One capture to judge.

    Attributes:
        source: Path or URL.
        command: The command that makes its report again, shown as provenance.
        book: The rules in use.
        timezone: Zone of its stamps.
        guest_timezone: Zone of its guests' stamps.
        with_document: Whether the JSON document is wanted, too.
        bare: The analysis itself is wanted and no page, to be redacted.
        window: The part of the capture that is judged; None for all of it.
        embed: How much of its page series may take [bytes]; None for no limit, 0 for none.
        every: Every column is read.
        events: Logs of events of any of the hosts.
        version: Of the esxprobe that asks.
    """

    source: str
    command: str
    book: RuleBook
    timezone: str | None = None
    guest_timezone: str | None = None
    with_document: bool = False
    bare: bool = False
    window: TimeWindow | None = None
    embed: int | None = 0
    every: bool = False
    events: EventOptions | None = None
    version: str = esxprobe.__version__


def versions() -> dict[str, str]:
    """What must be the same on both ends for a report to be the same."""
    return {"esxprobe": esxprobe.__version__, "Python": "{}.{}".format(*sys.version_info)}


def judge(task: Task, drawer: Drawer) -> Judged:
    """The digest and the HTML of a capture, or why there are none."""
    if task.version != esxprobe.__version__:  # a worker that came later than the check at the start
        message = f"a worker has esxprobe {esxprobe.__version__}, {task.version} asked"
        return Judged(failure=Failure(message, "install the same version everywhere", EXIT_HOST_FAILED))
    try:
        return _judged(task, drawer)
    except EsxprobeError as error:
        return Judged(failure=Failure(error.message[:_MESSAGE], error.hint, error.exit_code))
    except MemoryError:
        hint = "analyze it alone, or with fewer --jobs"
        return Judged(failure=Failure("not enough memory", hint, EXIT_UNREADABLE))
    except Exception as error:  # the others go on, whatever it is
        what = f"this is a bug: {type(error).__name__}: {error}"[:_MESSAGE]
        return Judged(failure=Failure(what, "run esxprobe --debug report on it alone", EXIT_BUG))


def _judged(task: Task, drawer: Drawer) -> Judged:
    from esxprobe.analyze import (
        CaptureInput,
        EventOptions,
        GuestOptions,
        describe,
        judge_described,
        read_capture,
        read_capture_with_cells,
    )
    from esxprobe.capture import load_capture
    from esxprobe.fleet.digest import digest_of
    from esxprobe.report.document import render_json
    from esxprobe.report.html import render_html

    with at_hand(task.source) as path:
        files = load_capture(path)
        guests = GuestOptions(
            timezone=task.guest_timezone,
            folder=path if path.is_dir() else None,
            events=task.events or EventOptions(),
        )
        capture = CaptureInput(files.paths, files.manifest, task.timezone, guests, task.window)
        cells: CaptureCells | None = None
        if task.embed == 0:
            recording = read_capture(capture, book=task.book)
        else:
            recording, cells = read_capture_with_cells(capture, book=task.book, every=task.every)
        analysis = judge_described(describe(recording, capture, book=task.book), book=task.book)
    series = None if cells is None else partial(_series, analysis, task, cells)
    if task.bare:
        made = series() if series else None
        return Judged(analysis=analysis, series=(made.index, made.chunks) if made else None)
    return Judged(
        digest_of(analysis),
        render_html(analysis, drawer, task.command, task.book, series),
        render_json(analysis) if task.with_document else "",
    )


def _series(analysis: Analysis, task: Task, cells: CaptureCells) -> Embedded:
    """The series of a capture that its report carries."""
    from esxprobe.analyze.shown_first import shown_first
    from esxprobe.report.explore import layers_of, series_of_page

    layers = layers_of(analysis, task.book)
    if task.bare:  # events come back with their redacted analysis
        layers = replace(layers, events=())
    return series_of_page(cells, shown_first(analysis, task.book, cells), task.embed, layers)


_own = threading.local()


def judge_here(task: Task) -> Judged:
    """The same with a drawer that this thread keeps: what pools and clusters call."""
    from esxprobe.report.drawing import Drawer

    if not hasattr(_own, "drawer"):
        _own.drawer = Drawer()  # its child ends with its pipe, so with this process, however that ends
        atexit.register(_own.drawer.close)
    return judge(task, _own.drawer)
