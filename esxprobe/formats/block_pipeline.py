"""Blocks that are looked at by several threads, and pulled in the order in which they came."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.parse import Batch, Parser
from esxprobe.formats.row_scanner import RowScan
from esxprobe.formats.rows import Piece, RowChecker, Span

# More threads than these wait for each other between their calls of numpy.
_MOST = 3


def threads() -> int:
    """How many threads look at blocks: one less than polars may keep busy, for reading and checksum go on too."""
    allowed = os.environ.get("POLARS_MAX_THREADS", "")
    busy = int(allowed) if allowed.isdecimal() else os.cpu_count() or 1
    return min(_MOST, max(1, busy - 1))


@dataclass(slots=True)
class Look:
    """Lines of a block.

    Attributes:
        segment: Number of their segment.
        checker: Of their segment.
        parser: Of their segment.
        block: Has them in it.
        spans: Where.
        begun: What is found in them, when that is done.
        piece: Those that can be trusted, where that is known already.
    """

    segment: int
    checker: RowChecker
    parser: Parser
    block: bytes | bytearray
    spans: list[Span]
    begun: Future[RowScan] | None = None
    piece: Piece | None = None

    def checked(self) -> Piece:
        """Those of the lines that can be trusted."""
        if self.piece is None:
            found = self.checker.scan(self.block, self.spans) if self.begun is None else self.begun.result()
            self.piece = self.checker.check(self.block, self.spans, found)
        return self.piece

    def batch(self) -> Batch | None:
        """Their rows; None where the cells of these cannot be distinguished."""
        piece = self.checked()
        rows = self.parser.rows(piece)
        if rows is None:
            piece = self.checker.recheck(piece)
            rows = self.parser.rows(piece)
        return None if rows is None else Batch(self.segment, piece, rows)


# What comes of a block: lines, and between them what is counted when all that is before it is.
Item = Look | QualityIssues


class BlockPipeline:
    """What is under way: no more blocks than threads, and one."""

    def __init__(self) -> None:
        self._threads = threads()
        self._pool = ThreadPoolExecutor(self._threads)
        self._blocks: deque[deque[Item]] = deque()

    @property
    def blocks(self) -> int:
        """How many blocks must be kept: those under way, and one that is being filled."""
        return self._threads + 1

    def begin(self) -> None:
        """Another block comes."""
        self._blocks.append(deque())

    def put(self, item: Item) -> Iterator[Item]:
        """Begins to look at lines of the block, or keeps the place of what is counted.

        Gives:
            What came before, where no row under the lines' header is known yet: what rows look like must be known
            before the next block ends somewhere.
        """
        if isinstance(item, Look):
            if item.checker.learned:
                item.begun = self._pool.submit(item.checker.scan, item.block, item.spans)
            else:
                yield from self._drained()
                item.checked()
        self._blocks[-1].append(item)

    def settled(self, most: int | None = None) -> Iterator[Item]:
        """The first blocks, until only so many are left under way; as many as there are threads."""
        while len(self._blocks) > (self._threads if most is None else most):
            yield from self._blocks.popleft()

    def _drained(self) -> Iterator[Item]:
        """All that came so far; the blocks remain until they are settled."""
        for items in self._blocks:
            while items:
                yield items.popleft()

    def __enter__(self) -> BlockPipeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
