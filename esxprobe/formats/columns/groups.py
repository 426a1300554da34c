"""What a copy gives, taken in as the capture's reader took it in.

Of lines that it looked at together all are checked before the first of them is handed on.
"""

from __future__ import annotations

from collections.abc import Callable

from esxprobe.formats.parse import Parser
from esxprobe.formats.rows import RowChecker, Span
from esxprobe.formats.underway import Look, Taker, Underway

Act = Callable[[], None]


class Groups(Underway):
    """Lines of one block under one header at a time; nothing is done in threads."""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[Act] = []
        self._checks: list[Act] = []
        self._handed: list[Act] = []

    def look(
        self, checker: RowChecker, parser: Parser, block: bytes | bytearray, spans: list[Span], taker: Taker
    ) -> None:
        """Takes lines into the group; those from which a reader learns are looked at when they come."""
        look = Look(checker, parser, block, spans, taker)
        if checker.learnt is None:
            self.drain()
            look.check()
        self._checks.append(look.check)
        self._handed.append(look.hand_on)

    def rows(self, act: Act) -> None:
        """Takes rows into the group that need no check."""
        self._handed.append(act)

    def later(self, act: Act) -> None:
        """What is told of the group before its lines."""
        self._told.append(act)

    def drain(self) -> None:
        """The group is whole."""
        for acts in (self._told, self._checks, self._handed):
            for act in acts:
                act()
            acts.clear()
