"""The series of a capture that a report carries: how many are asked for, and what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.commands.requests import SeriesRequest
from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.analyze import CaptureInput
    from esxprobe.arrays import Integers
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.formats.printed_cells import CaptureCells
    from esxprobe.model import Analysis, Recording
    from esxprobe.report.embedding import Embedded, SurveyAhead
    from esxprobe.report.explore import Layers
    from esxprobe.rules import RuleBook

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)b?", re.IGNORECASE)
_BYTES = {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000}
USUAL = "3MB"

Embed = Annotated[
    str,
    typer.Option(
        "--embed",
        metavar="SIZE",
        help="How much of the page the series for Explore may take: 3MB, 500kB, all, or 0 for none.",
    ),
]
AllCounters = Annotated[
    bool,
    typer.Option("--all-counters", help="Read every column, not only what the rules and tables need; for Explore."),
]


def is_given(context: typer.Context, name: str) -> bool:
    """Whether an option was given, be it with its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def budget_of(text: str) -> int | None:
    """How many bytes of the page series may take; None for no limit.

    Raises:
        UsageError: It is not a valid size.
    """
    if text.strip().casefold() == "all":
        return None
    size = _SIZE.fullmatch(text.strip())
    if size is None:
        raise UsageError(f"--embed {text!r} is not a valid size", hint="write 3MB, 500kB, all, or 0 for none")
    return int(float(size[1]) * _BYTES[size[2].casefold()])


def series_request(embed: str, *, every: bool) -> SeriesRequest:
    """What `--embed` and `--all-counters` ask for.

    Raises:
        UsageError: It is not a valid size, or all counters are read for nothing.
    """
    budget = budget_of(embed)
    if every and budget == 0:
        raise UsageError("--all-counters needs --embed", hint="leave --embed 0 out")
    return SeriesRequest(budget, every)


def series_words(request: SeriesRequest) -> list[str]:
    """The options again, where they are not the usual ones."""
    budget = request.budget
    size = "all" if budget is None else f"{budget}B" if budget else "0"
    return [
        *([] if budget == budget_of(USUAL) else ["--embed", size]),
        *(["--all-counters"] if request.every else []),
    ]


class SeriesOfReport:
    """The series that a report is to carry, from the reading of the capture to its page.

    Args:
        request: How many are asked for.
        renamed: Whether the page has other names: what is known of the cells before does not serve them.
    """

    def __init__(self, request: SeriesRequest, *, renamed: bool = False) -> None:
        self._request, self._renamed = request, renamed
        self._cells: CaptureCells | None = None
        self._ahead: SurveyAhead | None = None
        self._tiers: Integers | None = None
        self._layers: Layers | None = None
        self._made: Embedded | None = None

    def read(
        self,
        capture: CaptureInput,
        *,
        book: RuleBook,
        with_levels: bool,
        progress: Callable[[int], None] | None,
    ) -> Recording:
        """Reads the capture; its cells are kept, unless the page carries none.

        Args:
            capture: As in `analyze.read_capture`.
            book: As there.
            with_levels: As there.
            progress: As there.
        """
        from esxprobe.analyze import read_capture, read_capture_with_cells
        from esxprobe.report.embedding import SurveyAhead

        if self._request.budget == 0:
            return read_capture(capture, book=book, with_levels=with_levels, progress=progress)
        every = self._request.every
        read = read_capture_with_cells(capture, book=book, every=every, with_levels=with_levels, progress=progress)
        self._cells, self._ahead = read.cells, None if self._renamed else SurveyAhead(read.cells)
        return read.recording

    def choose(self, analysis: Analysis, book: RuleBook) -> None:
        """Settles what goes first, by an analysis under the names of the capture."""
        if self._cells is None:
            return
        from esxprobe.analyze.shown_first import shown_first
        from esxprobe.report.explore import layers_of

        self._tiers, self._layers = shown_first(analysis, book, self._cells), layers_of(analysis, book)

    def redact(self, private: PrivateMap, analysis: Analysis) -> None:
        """Takes the names out: those of the capture have been learned.

        Args:
            private: Knows the names.
            analysis: The redacted one.
        """
        if self._cells is not None and self._layers is not None:
            self._cells = private.cells(self._cells)
            self._layers = replace(self._layers, events=analysis.events)

    def for_page(self, *, named: bool = True) -> Callable[[], Embedded] | None:
        """What a page asks for its series; None where it carries none.

        Args:
            named: False for one word in place of every name.
        """
        if self._layers is None:
            return None
        return self._series if named else lambda: self._series().nameless()

    def _series(self) -> Embedded:
        """The series, made once."""
        if self._made is None:
            from esxprobe.report.explore import series_of_page

            assert self._layers is not None  # noqa: S101 - it is called with layers alone
            assert self._cells is not None  # noqa: S101
            budget = self._request.budget
            self._made = series_of_page(self._cells, self._tiers, budget, self._layers, self._ahead)
            self._cells = self._ahead = None
        return self._made
