"""Separators of a block of rows: counted line by line, and the numbers in wanted cells taken between them.

Comparing bytes gives one bit a byte; of 64 of them together the machine counts the set ones at once. So the
commas of a whole row are counted without a list of them, and where few cells are wanted, only the places of
theirs are worked out. All that is done with a group of lines is done while they are in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from esxprobe.arrays import Bools, Bytes, Floats, Integers, Words
from esxprobe.formats.decimals import Buffers, Cells, fill
from esxprobe.formats.points import POINT_BEFORE
from esxprobe.formats.repair import RowLayout

# Rows are looked at in groups of about so many bytes: the masks of a group stay in the processor's cache. With
# smaller groups of wide rows threads change hands too often; 100,001 columns took 6 % longer with half of it.
GROUP = 1 << 21

_COMMA, _QUOTE, _SPACE, _RETURN, _POINT = 44, 34, 32, 13, 46
_WORD = 64
# Of lines shorter than this [bytes] all counts of a group are taken at once, of longer ones line by line.
_SHORT = 1 << 14
# Where more than one cell in so many is wanted, a list of all commas is sooner made than a search for some of them.
_DENSE = 8


def _u64(value: int) -> np.uint64:
    return np.uint64(value)


_PAIRS, _FOURS, _EIGHTS = _u64(0x5555_5555_5555_5555), _u64(0x3333_3333_3333_3333), _u64(0x0F0F_0F0F_0F0F_0F0F)
_ONES, _TOPS = _u64(0x0101_0101_0101_0101), _u64(0x8080_8080_8080_8080)
# Place of the n-th set bit of a byte, at 8 * byte + n.
_BIT = np.zeros(256 * 8, np.uint64)
for _byte in range(256):
    _set = [bit for bit in range(8) if _byte >> bit & 1]
    _BIT[8 * _byte : 8 * _byte + len(_set)] = _set


Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """Which bytes of a text are a certain one: one bit a byte, and how many are set before each word of them."""

    words: Words
    before: Integers

    @classmethod
    def of(cls, room: Bools, length: int) -> Marks:
        """Marks of the bytes that are True among the first so many; `room` has a word's length more."""
        whole = (length // _WORD + 1) * _WORD
        room[length:whole] = False
        words = np.packbits(room[:whole], bitorder="little").view("<u8")
        counts = np.bitwise_count(words)
        before = np.zeros(len(words) + 1, np.int64)
        np.cumsum(counts, out=before[1:])
        return cls(words, before)

    def count_before(self, places: Integers) -> Integers:
        """How many are marked before each place."""
        word = places >> 6
        below = (_u64(1) << (places & 63).view(np.uint64)) - _u64(1)
        inside: Integers = np.bitwise_count(self.words[word] & below).astype(np.int64)
        count: Integers = self.before[word] + inside
        return count

    def places(self, ranks: Integers, ranked: Integers) -> Integers:
        """Places of the marked bytes with these ranks (0 is the first), which are sorted.

        Args:
            ranks: Ranks.
            ranked: How many of the ranks are below 0, 1, 2, ...: a table made once for many texts.
        """
        found = ranked[self.before]
        word = np.repeat(np.arange(len(self.words)), np.diff(found))
        bits = self.words[word]
        rank = (ranks - self.before[word]).view(np.uint64)
        # Set bits up to and with each byte of a word, in that byte; all eight at once.
        sums = bits - ((bits >> _u64(1)) & _PAIRS)
        sums = (sums & _FOURS) + ((sums >> _u64(2)) & _FOURS)
        sums = ((sums + (sums >> _u64(4))) & _EIGHTS) * _ONES
        passed = np.bitwise_count((((rank * _ONES) | _TOPS) - sums) & _TOPS)
        shift = passed.astype(np.uint64) << _u64(3)
        rank -= ((sums << _u64(8)) >> shift) & _u64(0xFF)
        byte = (bits >> shift) & _u64(0xFF)
        bit = _BIT.take(((byte << _u64(3)) + rank).view(np.int64))
        found_at: Integers = (word << 6) + (shift + bit).view(np.int64)
        return found_at


@dataclass(frozen=True, slots=True)
class Listed:
    """The places of all bytes of a text that are a certain one, in order."""

    every: Integers

    def count_before(self, places: Integers) -> Integers:
        """How many are marked before each place."""
        return np.searchsorted(self.every, places)


@dataclass(frozen=True, slots=True)
class RowScan:
    """What was found in lines.

    Attributes:
        shapes: Of every line: numbers of commas, of quotes, and of more that the layout asks for.
        values: The numbers in the wanted cells, a row a line, NaN where there is no plain decimal; None when not
            all lines have the header's number of cells.
        sound: Which of them are plain decimals.
        cells: Where the cells are, where that was asked for.
        decimals: How many each number has; see `decimals.fill`.
        points: Of all cells but the time, wanted or not, whether two decimals in quotes end them, eight to a byte
            (see `points.unpacked`), where that was asked for.
        unusual: Some of the plain decimals are not as esxtop prints them (see `decimals.Buffers`).
    """

    shapes: list[Shape]
    values: Floats | None = None
    sound: Bools | None = None
    cells: Cells | None = None
    decimals: Bytes | None = None
    points: Bytes | None = None
    unusual: bool = False

    def part(self, first: int, behind: int) -> RowScan:
        """Some of the lines, to be filled in; the shapes are those of all."""
        values, sound, cells, decimals = self.values, self.sound, self.cells, self.decimals
        return RowScan(
            self.shapes,
            None if values is None else values[first:behind],
            None if sound is None else sound[first:behind],
            None if cells is None else Cells(cells.starts[first:behind], cells.ends[first:behind]),
            None if decimals is None else decimals[first:behind],
            None if self.points is None else self.points[first:behind],
        )

    def take(self, text: Bytes, found: Cells, buffers: Buffers) -> None:
        """Fills in the numbers of cells that were found."""
        if self.values is not None and self.sound is not None and self.decimals is not None:
            flat = Cells(found.starts.reshape(-1), found.ends.reshape(-1))
            fill(
                text,
                flat,
                self.values.reshape(-1),
                self.sound.reshape(-1),
                buffers,
                decimals=self.decimals.reshape(-1),
            )
        if self.cells is not None:
            self.cells.starts[...], self.cells.ends[...] = found.starts, found.ends


@dataclass(slots=True)
class _Room:
    """What one thread works with."""

    masks: tuple[Bools, ...] = ()
    places: tuple[Integers, ...] = ()
    ends: tuple[Bytes, ...] = ()
    buffers: Buffers = field(default_factory=Buffers)

    def masks_of(self, length: int) -> tuple[Bools, ...]:
        """Two masks of texts of so many bytes, and a word's length more."""
        if not self.masks or len(self.masks[0]) < length + 2 * _WORD:
            self.masks = tuple(np.empty(length + 2 * _WORD, np.bool_) for _ in range(2))
        return self.masks

    def places_of(self, rows: int, count: int) -> tuple[Integers, Integers]:
        """Two arrays for the cells of a group of lines."""
        if not self.places or len(self.places[0]) < rows * count:
            self.places = tuple(np.empty(rows * count, np.int64) for _ in range(2))
        first, second = (each[: rows * count].reshape(rows, count) for each in self.places)
        return first, second

    def ends_of(self, rows: int, count: int) -> tuple[Bytes, Bytes]:
        """Two arrays for a byte of each cell of a group of lines."""
        if not self.ends or len(self.ends[0]) < rows * count:
            self.ends = tuple(np.empty(rows * count, np.uint8) for _ in range(2))
        first, second = (each[: rows * count].reshape(rows, count) for each in self.ends)
        return first, second


@dataclass(slots=True)
class RowScanner:
    """Counts separators of lines, finds wanted cells between them, and takes their numbers; in several threads.

    Attributes:
        layout: What a row must look like.
        cells: Numbers of the wanted cells in ascending order, the time (0) not among them; one that holds two
            columns may be there twice.
        places: Where the cells are is wanted too.
        points: How all cells of a row end is wanted too.
    """

    layout: RowLayout
    cells: Integers
    places: bool = False
    points: bool = False
    _rooms: list[_Room] = field(default_factory=list)
    _tables: dict[int, tuple[Integers, Integers]] = field(default_factory=dict)
    _once: Integers = field(init=False)
    _before: Integers = field(init=False)
    _again: Integers | None = field(init=False)

    def __post_init__(self) -> None:
        self._once, again = np.unique(self.cells, return_inverse=True)
        self._before = self._once - 1
        self._again = again if len(self._once) < len(self.cells) else None

    def scan(self, text: Bytes, starts: Integers, ends: Integers) -> RowScan:
        """Looks at lines.

        Args:
            text: Lines, and between them nothing that has separators.
            starts: First byte of each line.
            ends: Byte after the last one of each, the line break not counted.
        """
        rows, count = len(starts), len(self.cells)
        cells = Cells(np.empty((rows, count), np.int64), np.empty((rows, count), np.int64)) if self.places else None
        shape = (rows, count)
        points = np.empty((rows, (self.layout.width + 6) // 8), np.uint8) if self.points else None
        made = RowScan([], np.empty(shape), np.empty(shape, np.bool_), cells, np.empty(shape, np.uint8), points)
        try:
            room = self._rooms.pop()
        except IndexError:  # asked for first, the last one could go to another thread in between
            room = _Room()
        room.buffers.unusual = False
        groups = list(_groups(starts, ends))
        fits = [self._group(text, starts[a:b], ends[a:b], room, made.part(a, b)) for a, b in groups]
        made = replace(made, unusual=room.buffers.unusual)
        self._rooms.append(room)
        return made if groups and all(fits) else RowScan(made.shapes)

    def _group(self, text: Bytes, starts: Integers, ends: Integers, room: _Room, made: RowScan) -> bool:
        """Looks at a group of lines; False when not all have the header's number of cells."""
        begin = int(starts[0])
        own, starts, ends = text[begin : int(ends[-1])], starts - begin, ends - begin
        length = len(own)
        mask = room.masks_of(length)[0]
        np.equal(own, _COMMA, out=mask[:length])
        dense = self.points or len(self._once) * _DENSE > self.layout.width
        marks = Listed(np.flatnonzero(mask[:length])) if dense else Marks.of(mask, length)
        commas = marks.count_before(ends) - marks.count_before(starts)
        counts = [commas, *self._other_counts(own, starts, ends, room.masks_of(length))]
        each = int(commas[0])
        fits = self.layout.width - 1 <= each <= self.layout.width and bool((commas == each).all())
        if fits and len(self.cells):
            firsts, lasts = self._around(marks, len(starts), each, room)
            firsts += begin + 1
            lasts += begin
            made.take(text, self._wanted(text, firsts, lasts, ends + begin, each), room.buffers)
        if fits and made.points is not None and isinstance(marks, Listed):
            quoted = bool((counts[1] == 2 * self.layout.width).all())
            every = marks.every.reshape(len(starts), each)
            made.points[...] = self._points(text, begin, every, ends, room, quoted=quoted)
        made.shapes.extend(zip(*(count.tolist() for count in counts), strict=True))
        return fits

    def _other_counts(
        self, text: Bytes, starts: Integers, ends: Integers, masks: tuple[Bools, ...]
    ) -> Iterator[Integers]:
        """Of each line the number of quotes, and of what else tells sound rows from others."""
        (room, other), length, layout = masks, len(text), self.layout
        np.equal(text, _QUOTE, out=room[:length])
        yield _per_line(room, length, starts, ends)
        if not (layout.loose or layout.glued or layout.texts):
            np.less_equal(text, _SPACE, out=other[:length])
            yield _per_line(other, length, starts, ends)
            return
        # Padded cells vary in blanks; a blank right behind a quote is what must not be there.
        quote, behind = room[: length - 1], text[1:]
        np.less(text, _SPACE, out=other[:length])
        control = _per_line(other, length, starts, ends)
        np.equal(behind, _SPACE, out=other[: length - 1])
        other[: length - 1] &= quote
        yield control + _per_line(other, length - 1, starts, np.maximum(starts, ends - 1))
        if layout.texts:
            # Words may hold commas and so hide that a separator is missing: count the ends of cells too.
            np.equal(behind, _COMMA, out=other[: length - 1])
            other[: length - 1] &= quote
            yield _per_line(other, length - 1, starts, np.maximum(starts, ends - 1))

    def _around(self, marks: Marks | Listed, rows: int, commas: int, room: _Room) -> tuple[Integers, Integers]:
        """Places of the commas before and behind the wanted cells of lines that have so many each, a row a line."""
        firsts, lasts = room.places_of(rows, len(self._once))
        if isinstance(marks, Listed):
            every = marks.every.reshape(rows, commas)
            every.take(self._before, axis=1, mode="clip", out=firsts)
            every.take(self._once, axis=1, mode="clip", out=lasts)
        else:
            places = marks.places(*self._table(commas, rows)).reshape(rows, len(self._once), 2)
            firsts[...], lasts[...] = places[:, :, 0], places[:, :, 1]
        return firsts, lasts

    def _wanted(self, text: Bytes, firsts: Integers, lasts: Integers, ends: Integers, commas: int) -> Cells:
        """The wanted cells, once their commas are known; no comma ends the last cell of a line."""
        if commas < self.layout.width and self._once[-1] == commas:
            lasts[:, -1] = ends - (text.take(ends - 1, mode="clip") == _RETURN)
        if self._again is not None:
            return Cells(firsts[:, self._again], lasts[:, self._again])
        return Cells(firsts, lasts)

    def _points(
        self, text: Bytes, begin: int, commas: Integers, ends: Integers, room: _Room, *, quoted: bool
    ) -> Bytes:
        """Which cells end as a number with two decimals in quotes does, eight to a byte.

        Args:
            text: The text.
            begin: Where the lines begin in it.
            commas: Where their commas are, from there; used up.
            ends: Where they end, from there.
            room: Where to work.
            quoted: All cells are in quotes.
        """
        (rows, each), count = commas.shape, self.layout.width - 1
        found, flags = room.ends_of(rows, each)
        points = flags.reshape(-1)[: rows * count].reshape(rows, count).view(np.bool_)
        last = begin + ends - (text.take(begin + ends - 1, mode="clip") == _RETURN)
        if not quoted:  # what is there may be another cell's
            every = np.column_stack((commas, last - begin))[:, : count + 1]
            long = np.diff(every, axis=1) > POINT_BEFORE
        back = min(POINT_BEFORE, begin)
        if back < POINT_BEFORE:
            commas -= POINT_BEFORE - back
        text[begin - back :].take(commas, mode="clip", out=found)
        # The first one ends the time; no comma ends the last cell, or one does.
        ended = min(each - 1, count)
        np.equal(found[:, 1 : ended + 1], _POINT, out=points[:, :ended])
        if ended < count:
            points[:, -1] = text.take(last - POINT_BEFORE, mode="clip") == _POINT
        if not quoted:
            points &= long
        return np.packbits(points, axis=1)

    def _table(self, commas: int, rows: int) -> tuple[Integers, Integers]:
        """Ranks of the commas before and behind each wanted cell of so many lines; and see `Marks.places`."""
        one = 2 * len(self._once)
        ranks, ranked = self._tables.get(commas, (self._once[:0], self._once[:0]))
        if len(ranks) < one * rows:
            room = rows + rows // 4
            pairs = np.minimum(np.stack([self._once - 1, self._once], axis=1).ravel(), commas - 1)
            ranks = (pairs + commas * np.arange(room)[:, None]).ravel()
            ranked = np.searchsorted(ranks, np.arange(commas * room + 1))
            self._tables[commas] = ranks, ranked
        return ranks[: one * rows], ranked


def _groups(starts: Integers, ends: Integers) -> Iterator[tuple[int, int]]:
    """First and exclusive last number of lines that together have about the length of a group."""
    first, count = 0, len(starts)
    while first < count:
        behind = int(np.searchsorted(ends, starts[first] + GROUP, side="right"))
        behind = max(behind, first + 1)
        yield first, behind
        first = behind


def _per_line(room: Bools, length: int, starts: Integers, ends: Integers) -> Integers:
    """How many of the first so many bytes are True in each line."""
    if length > len(starts) * _SHORT:
        lines = zip(starts.tolist(), ends.tolist(), strict=True)
        return np.array([np.count_nonzero(room[start:end]) for start, end in lines], np.int64)
    marks = Marks.of(room, length)
    return marks.count_before(ends) - marks.count_before(starts)


def without_commas_in_quotes(text: Bytes, starts: Integers, ends: Integers) -> Bytes:
    """A copy of lines in which the commas that stand inside quotes are none."""
    plain = text.copy()
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        line = plain[start:end]
        inside = (np.cumsum(line == _QUOTE) & 1).astype(np.bool_)
        line[inside & (line == _COMMA)] = 0
    return plain
