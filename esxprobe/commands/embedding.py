"""The series of a capture that a report carries: how many are asked for, and what becomes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from esxprobe.errors import UsageError

if TYPE_CHECKING:
    from esxprobe.commands.redaction import PrivateMap
    from esxprobe.formats.cells import Cells, CellsWanted
    from esxprobe.model import Analysis
    from esxprobe.report.embedding import Embedded
    from esxprobe.rules import RuleBook

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)b?", re.IGNORECASE)
_BYTES = {"": 1, "k": 1000, "m": 1_000_000, "g": 1_000_000_000}

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


def budget_of(text: str) -> int | None:
    """How many bytes of the page series may take; None for no limit.

    Raises:
        UsageError: It is no size.
    """
    if text.strip().casefold() == "all":
        return None
    size = _SIZE.fullmatch(text.strip())
    if size is None:
        raise UsageError(f"--embed {text!r} is no size", hint="write 3MB, 500kB, all, or 0 for none")
    return int(float(size[1]) * _BYTES[size[2].casefold()])


@dataclass(slots=True)
class SeriesAsked:
    """The series that a report is to carry.

    Attributes:
        budget: How many bytes of the page they may take; None for no limit, 0 for none.
        every: Every column is read.
    """

    budget: int | None
    every: bool = False
    _cells: Cells | None = None
    _made: Embedded | None = None
    _first: Callable[[Cells], Embedded] | None = field(default=None)

    @classmethod
    def of(cls, embed: str, *, every: bool) -> SeriesAsked:
        """What `--embed` and `--all-counters` say.

        Raises:
            UsageError: It is no size, or all counters are read for nothing.
        """
        budget = budget_of(embed)
        if every and budget == 0:
            raise UsageError("--all-counters needs --embed", hint="leave --embed 0 out")
        return cls(budget, every)

    def words(self) -> list[str]:
        """The options again, where they are not the usual ones."""
        size = "all" if self.budget is None else f"{self.budget}B" if self.budget else "0"
        usual = self.budget == budget_of(USUAL)
        return [*([] if usual else ["--embed", size]), *(["--all-counters"] if self.every else [])]

    def wanted(self) -> CellsWanted | None:
        """Who wants the cells while the capture is read; nobody where the page carries none."""
        if self.budget == 0:
            return None
        from esxprobe.formats.cells import CellsWanted

        return CellsWanted(self._take, self.every)

    def _take(self, cells: Cells) -> None:
        self._cells = cells

    def choose(self, analysis: Analysis, book: RuleBook, private: PrivateMap | None = None) -> None:
        """Says what goes first, by an analysis under the names of the capture; its names are taken out then."""
        if self._cells is None:
            return
        from esxprobe.analyze.shown_first import shown_first
        from esxprobe.report.embedding import embedded
        from esxprobe.report.explore import first_vm, thresholds_of, with_layers

        tiers = shown_first(analysis, book, self._cells)
        if private is not None:
            self._cells = private.cells(self._cells)
        thresholds, first = thresholds_of(book), first_vm(analysis.findings)
        self._first = lambda cells: with_layers(embedded(cells, tiers, self.budget), thresholds, first)

    def made(self) -> Embedded:
        """The series, made once."""
        if self._made is None:
            assert self._cells is not None  # noqa: S101 - nobody asks otherwise
            assert self._first is not None  # noqa: S101
            self._made, self._cells = self._first(self._cells), None
        return self._made

    def for_page(self, *, named: bool = True) -> Callable[[], Embedded] | None:
        """What a page asks for its series; None where it carries none.

        Args:
            named: False for one word in place of every name.
        """
        if self._cells is None and self._made is None:
            return None
        return self.made if named else lambda: self.made().nameless()


USUAL = "3MB"
