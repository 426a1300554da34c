"""Blocks that are looked at by several threads, and taken in the order in which they came."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from esxprobe.formats.parse import CheckedRows, Parser
from esxprobe.formats.row_scanner import RowScan
from esxprobe.formats.rows import Piece, RowChecker, Span

# More threads than these wait for each other between their calls of numpy.
_MOST = 3

# Gets a piece and its rows, none where its cells cannot be distinguished.
Taker = Callable[[Piece, CheckedRows | None], None]


def threads() -> int:
    """How many threads look at blocks: one less than polars may keep busy, for reading and checksum go on too."""
    allowed = os.environ.get("POLARS_MAX_THREADS", "")
    busy = int(allowed) if allowed.isdecimal() else os.cpu_count() or 1
    return min(_MOST, max(1, busy - 1))


@dataclass(slots=True)
class Look:
    """Lines of a block.

    Attributes:
        checker: Of their segment.
        parser: Of their segment.
        block: Has them in it.
        spans: Where.
        taker: Gets what was found.
        begun: What is found in them, when that is done.
        piece: Those that can be trusted, where that is known already.
    """

    checker: RowChecker
    parser: Parser
    block: bytes | bytearray
    spans: list[Span]
    taker: Taker
    begun: Future[RowScan] | None = None
    piece: Piece | None = None

    def check(self) -> None:
        """Finds out which of the lines can be trusted."""
        if self.piece is None:
            found = self.checker.scan(self.block, self.spans) if self.begun is None else self.begun.result()
            self.piece = self.checker.check(self.block, self.spans, found)

    def hand_on(self) -> None:
        """Hands their rows on."""
        piece = self.piece
        if piece is None:
            return
        rows = self.parser.rows(piece)
        if rows is None:
            piece = self.checker.recheck(piece)
            rows = self.parser.rows(piece)
        self.taker(piece, rows)

    def take(self) -> None:
        """Both."""
        self.check()
        self.hand_on()


class BlockPipeline:
    """What is under way: no more blocks than threads, and one."""

    def __init__(self) -> None:
        self._threads = threads()
        self._pool = ThreadPoolExecutor(self._threads)
        self._blocks: deque[list[Callable[[], None]]] = deque()

    @property
    def blocks(self) -> int:
        """How many blocks must be kept: those under way, and one that is being filled."""
        return self._threads + 1

    def begin(self) -> None:
        """Another block comes."""
        self._blocks.append([])

    def look(
        self, checker: RowChecker, parser: Parser, block: bytes | bytearray, spans: list[Span], taker: Taker
    ) -> None:
        """Begins to look at some lines of the block."""
        look = Look(checker, parser, block, spans, taker)
        if checker.learned:
            look.begun = self._pool.submit(checker.scan, block, spans)
        else:  # what rows look like must be known before the next block ends somewhere
            self.drain()
            look.check()
        self._blocks[-1].append(look.take)

    def settle(self, most: int | None = None) -> None:
        """Takes in the first blocks, until only so many are left under way; as many as there are threads."""
        while len(self._blocks) > (self._threads if most is None else most):
            for act in self._blocks.popleft():
                act()

    def later(self, act: Callable[[], None]) -> None:
        """Does something when all that came before it is taken in: so what is reported keeps the file's order."""
        if self._blocks:
            self._blocks[-1].append(act)
        else:
            act()

    def drain(self) -> None:
        """Takes in all that came so far."""
        for acts in self._blocks:
            while acts:
                acts.pop(0)()

    def __enter__(self) -> BlockPipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
