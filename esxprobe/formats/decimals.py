r"""Cells as numbers, in batches: the decimals that esxtop prints, each exactly what `float` makes of it.

Nearly all cells are as short as `"999.99"`: with their quotes they are one word of the machine (`short_numbers`).
Any other is looked at as sixteen bytes that end where its number ends (`numbers`). Its digits, taken out as one
whole number, are divided by a power of ten: both are exact in a double, so the quotient is rounded once, as
`float` rounds it. Whatever is not a plain decimal of at most fifteen bytes is left to `number`, cell by cell.

References:
    D. Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021): eight
    digits in one word; W. D. Clinger, "How to read floating point numbers accurately" (1990): when a whole
    number over a power of ten is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esxprobe.arrays import Bools, Bytes, Floats, Integers, Words

# Numbers without their point are whole numbers below this: doubles hold these, and twice these, exactly.
MOST_WHOLE = 1 << 50
_POWERS = 10.0 ** np.arange(16)
_WINDOW = 16
_LONGEST = _WINDOW - 1
_QUOTE, _MINUS, _POINT = 34, 45, 46

_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# esxtop prints two decimals or none; of other programs that pass captures on, up to six were seen.
_USUAL_DECIMALS = 2
_OTHER_DECIMALS = (1, 3, 4, 5, 6)
# How a cell is printed: a number of decimals, or this for another form (1e3, +5), or this for no number.
OTHER_FORM, NO_NUMBER = 15, 255
_PLAIN = re.compile(rb"-?(?:[0-9]+|[0-9]*\.([0-9]+))")


def _u64(value: int) -> np.uint64:
    return np.uint64(value & 0xFFFF_FFFF_FFFF_FFFF)


_ZEROS = _u64(0x3030_3030_3030_3030)
_ABOVE_NINE = _u64(0x7676_7676_7676_7676)
_TOP_BITS = _u64(0x8080_8080_8080_8080)
_BYTE = _u64(8)
_LAST_BYTE = _u64(56)
# Masks of the last so many digits of sixteen, in the first and in the second word of a window.
_KEEP = [_u64(-1 << (64 - 8 * n)) if n else _u64(0) for n in range(9)]
_FIRST_DIGITS = np.array([_KEEP[max(0, n - 8)] for n in range(_WINDOW + 1)], np.uint64)
_SECOND_DIGITS = np.array([_KEEP[min(8, n)] for n in range(_WINDOW + 1)], np.uint64)


# A short cell as a word, its first byte the lowest: a quote, and what turns digits into 0 to 9.
_OPENING = _u64(0x3030_3030_3030_3022)
# Of such words, shifted so that the closing quote is the top byte: that quote, and the point before two decimals.
_CLOSING = _u64((_QUOTE ^ 0x30) << 56)
_POINTED, _POINT_AT = _u64(_POINT ^ 0x30), _u64((_POINT ^ 0x30) << 32)
# What lifts into a byte's top bit whatever must not be there: in the top byte anything, elsewhere more than 9.
_MUST_NOT = _u64(0x7F76_7676_7676_7676)
_DECIMALS_OF_SHORT, _REST_OF_SHORT = _u64(0xFFFF_0000_0000_0000), _u64(0x0000_00FF_FFFF_FFFF)
_ONE, _THREE, _THIRTY_TWO, _MOST_SHIFT, _LOW_BYTE = _u64(1), _u64(3), _u64(32), _u64(63), _u64(0xFF)
_SHORTEST, _SHORT = 3, 8
# The least whole number that a short cell's digits make as esxtop prints it: no zero is in front of others, a
# digit before the point. Its place: four times the bytes that the cell lacks to eight, plus one with a point.
_LEAST_OF_SHORT = np.zeros(64, np.uint64)
for _bytes in range(_SHORTEST, _SHORT + 1):
    _digits = _bytes - 2
    _LEAST_OF_SHORT[4 * (_SHORT - _bytes)] = 10 ** (_digits - 1) if _digits > 1 else 0
    _LEAST_OF_SHORT[4 * (_SHORT - _bytes) + 1] = {3: 1 << 60, 4: 0}.get(_digits, 10 ** max(0, _digits - 2))


@dataclass(frozen=True, slots=True)
class Cells:
    """Where cells are in a text: first byte, and the byte after the last."""

    starts: Integers
    ends: Integers


@dataclass(slots=True)
class Buffers:
    """Arrays that are used again and again, by one thread at a time: fresh memory costs more than arithmetic.

    Attributes:
        unusual: A number was met that is a plain decimal, and not as esxtop prints it: with zeros in front (`007`),
            no digit before its point (`.5`), or `-0`. Who asked takes it back.
    """

    unusual: bool = False
    _words: list[Words] = field(default_factory=list)
    _places: list[Integers] = field(default_factory=list)
    _flags: list[Bools] = field(default_factory=list)
    _floats: list[Floats] = field(default_factory=list)

    def words(self, count: int) -> tuple[Words, Words, Words, Words]:
        """Four arrays of words."""
        first, second, third, fourth = (each[:count] for each in _as_long(self._words, 4, count, np.uint64))
        return first, second, third, fourth

    def places(self, count: int) -> Integers:
        """An array of places."""
        return _as_long(self._places, 1, count, np.int64)[0][:count]

    def flags(self, count: int) -> tuple[Bools, Bools]:
        """Two arrays of flags."""
        first, second = _as_long(self._flags, 2, count, np.bool_)
        return first[:count], second[:count]

    def floats(self, count: int) -> Floats:
        """An array of numbers."""
        return _as_long(self._floats, 1, count, np.float64)[0][:count]


def _as_long(arrays: list[NDArray[Any]], many: int, count: int, kind: type[np.generic]) -> list[NDArray[Any]]:
    if not arrays or len(arrays[0]) < count:
        arrays[:] = [np.empty(count + count // 8, kind) for _ in range(many)]
    return arrays


def fill(
    text: Bytes, cells: Cells, values: Floats, sound: Bools, buffers: Buffers, *, decimals: Bytes | None = None
) -> None:
    """The numbers in cells of a text.

    Args:
        text: The bytes.
        cells: Cells in it in ascending order, in quotes or without.
        values: Gets a value a cell, NaN where it is not a plain decimal.
        sound: Gets which cells are plain decimals.
        buffers: Where to work.
        decimals: Gets how many decimals each has, `NO_NUMBER` where it is not a plain decimal.
    """
    decimals = np.empty(len(values), np.uint8) if decimals is None else decimals
    if len(text) < _WINDOW:
        values[:], sound[:], decimals[:] = np.nan, False, NO_NUMBER
        return
    _short_numbers(text, cells, values, sound, buffers, decimals=decimals)
    left = np.flatnonzero(np.logical_not(sound, out=buffers.flags(len(sound))[1]))
    if len(left):
        places = np.empty(len(left), np.uint8)
        values[left], sound[left] = numbers(text, Cells(cells.starts[left], cells.ends[left]), places, buffers)
        decimals[left] = places


def _short_numbers(
    text: Bytes, cells: Cells, values: Floats, sound: Bools, buffers: Buffers, *, decimals: Bytes
) -> None:
    """Like `fill` for numbers of one to six bytes in quotes, with two decimals or none; others are unsound."""
    count, whole = len(values), len(text) // 8
    word, other, shift, odd = buffers.words(count)
    span = buffers.places(count)
    pointed, unfit = buffers.flags(count)
    _eight_bytes(text[: 8 * whole].view("<u8"), cells.starts, span, (word, other, shift))
    word ^= _OPENING
    np.bitwise_and(word, _LOW_BYTE, out=odd)
    # So many bytes behind the cell are shifted out; a longer or shorter cell gives less than none, or over five.
    np.subtract(cells.ends, cells.starts, out=span)
    np.subtract(_SHORT, span, out=span)
    away = span.view(np.uint64)
    np.greater(away, _u64(_SHORT - _SHORTEST), out=unfit)
    odd |= unfit
    away <<= _THREE
    word <<= away
    word ^= _CLOSING
    np.right_shift(word, _THIRTY_TWO, out=other)
    other &= _LOW_BYTE
    np.equal(other, _POINTED, out=pointed)
    flags = pointed.view(np.uint8)
    np.multiply(flags, _USUAL_DECIMALS, out=decimals)
    np.multiply(flags, _POINT_AT, out=other)
    word ^= other
    np.add(word, _MUST_NOT, out=other)
    other |= word
    other &= _TOP_BITS
    odd |= other
    # The point's byte is closed up, and the last digit gets into the top byte.
    np.left_shift(word, _BYTE, out=other)
    other &= _DECIMALS_OF_SHORT
    word &= _REST_OF_SHORT
    np.multiply(flags, _BYTE, out=shift)
    shift += _BYTE
    word <<= shift
    word |= other
    whole_numbers = _eight_digits(word)
    away >>= _ONE
    away |= flags
    away &= _MOST_SHIFT
    _LEAST_OF_SHORT.take(span, mode="clip", out=other)
    np.less(whole_numbers, other, out=unfit)
    np.copyto(values, whole_numbers.view(np.int64))
    divisor = buffers.floats(count)
    np.multiply(flags, 99.0, out=divisor)
    divisor += 1.0
    values /= divisor
    np.equal(odd, 0, out=sound)
    sound[np.searchsorted(cells.starts, 8 * (whole - 1), side="right") :] = False  # no second word is there
    unfit &= sound
    buffers.unusual |= bool(unfit.any())


def _eight_bytes(words: Words, at: Integers, place: Integers, room: tuple[Words, Words, Words]) -> None:
    """Into the first array the eight bytes of a text at each place, out of the two words that they are in."""
    found, other, shift = room
    np.bitwise_and(at, 7, out=shift.view(np.int64))
    shift <<= _THREE
    np.right_shift(at, 3, out=place)
    words.take(place, mode="clip", out=found)
    found >>= shift
    place += 1
    words.take(place, mode="clip", out=other)
    np.subtract(_MOST_SHIFT, shift, out=shift)
    other <<= _ONE
    other <<= shift
    found |= other


def numbers(
    text: Bytes, cells: Cells, decimals: Bytes | None = None, buffers: Buffers | None = None
) -> tuple[Floats, Bools]:
    """The numbers in cells of a text.

    Args:
        text: The bytes.
        cells: Cells in it, in quotes or without.
        decimals: Gets how many decimals each has, `NO_NUMBER` where it is not a plain decimal.
        buffers: Told of numbers that are not as esxtop prints them.

    Returns:
        A value a cell, NaN where it is not a plain decimal; and which cells those are.
    """
    starts, ends = cells.starts, cells.ends
    quoted = (text.take(starts, mode="clip") == _QUOTE) & (text.take(ends - 1, mode="clip") == _QUOTE)
    quoted &= ends - starts > 1
    first = starts + quoted
    last = ends - quoted
    length = last - first
    fits = (length > 0) & (length <= _LONGEST) & (last >= _WINDOW)
    all_fit = bool(fits.all())
    if not all_fit:
        length = np.where(fits, length, 1)
        last = np.where(fits, last, _WINDOW)
        first = last - length
    high, low = _windows(text, last)
    negative = text.take(first) == _MINUS
    signed = bool(negative.any())
    digits = length - negative if signed else length
    pointed = ((low >> _u64(40)) & _u64(0xFF)) == _POINT
    values, sound = _decimal(high, low, digits, pointed)
    if signed:
        values = np.where(negative, -values, values)
    sound &= fits
    decimals = np.empty(len(values), np.uint8) if decimals is None else decimals
    np.multiply(pointed.view(np.uint8), _USUAL_DECIMALS, out=decimals)
    if not sound.all():
        for many in _OTHER_DECIMALS:
            left = np.flatnonzero(~sound & fits & (digits > many))  # or a point before the cell is met
            left = left[((low[left] >> _u64(56 - 8 * many)) & _u64(0xFF)) == _POINT]
            if len(left):
                made, fine = _whole(*_without_point(high[left], low[left], many), digits[left] - 1)
                made /= 10.0**many
                values[left] = np.where(negative[left], -made, made)
                sound[left], decimals[left] = fine, many
        values[~sound], decimals[~sound] = np.nan, NO_NUMBER
    if buffers is not None and not buffers.unusual:
        expected = printed_lengths(values, np.where(sound, decimals, 0))
        buffers.unusual = bool((sound & (expected != length)).any())
    return values, sound


def printed_lengths(values: Floats, decimals: Bytes) -> Integers:
    """How many characters numbers have as esxtop prints them: no zeros in front, a digit before the point.

    Args:
        values: Numbers; of one that is not finite, or has sixteen digits or more, the length means nothing. Of -0
            it is 0: esxtop does not print it.
        decimals: How many decimals each is printed with.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        whole = np.rint(np.abs(values) * _POWERS[decimals])
    digits = np.searchsorted(_POWERS[1:16], whole, side="right") + 1
    length: Integers = np.maximum(digits, decimals.astype(np.int64) + 1) + (decimals > 0) + (values < 0)
    length[(values == 0) & np.signbit(values)] = 0
    return length


def _windows(text: Bytes, ends: Integers) -> tuple[Words, Words]:
    """The sixteen bytes before each end, as two words in whose top byte the last of eight bytes stands."""
    sliding = np.ndarray((len(text) - _WINDOW + 1,), f"V{_WINDOW}", text, strides=(1,))
    words = sliding[ends - _WINDOW].view("<u8").reshape(-1, 2)
    return words[:, 0], words[:, 1]


def _decimal(high: Words, low: Words, digits: Integers, pointed: Bools) -> tuple[Floats, Bools]:
    """Values of numbers with two decimals where `pointed`, otherwise with none; and whether they are such."""
    if pointed.all():
        high, low = _without_point(high, low, _USUAL_DECIMALS)
        values, sound = _whole(high, low, digits - 1)
        values /= 100.0
        return values, sound
    bare_high, bare_low = _without_point(high, low, _USUAL_DECIMALS)
    high, low = np.where(pointed, bare_high, high), np.where(pointed, bare_low, low)
    values, sound = _whole(high, low, digits - pointed)
    values /= np.where(pointed, 100.0, 1.0)
    return values, sound


def _without_point(high: Words, low: Words, decimals: int) -> tuple[Words, Words]:
    """The windows with the byte before the last so many taken out."""
    behind = _KEEP[decimals]
    before = _u64(int(~behind) >> 8)
    return high << _BYTE, (low & behind) | ((low & before) << _BYTE) | (high >> _LAST_BYTE)


def _whole(high: Words, low: Words, digits: Integers) -> tuple[Floats, Bools]:
    """Whole numbers of the last so many bytes of windows; and whether these are digits, at least one."""
    first = (high ^ _ZEROS) & _FIRST_DIGITS.take(digits, mode="clip")
    second = (low ^ _ZEROS) & _SECOND_DIGITS.take(digits, mode="clip")
    odd = ((first + _ABOVE_NINE) | first | (second + _ABOVE_NINE) | second) & _TOP_BITS
    sound = (odd == 0) & (digits > 0)
    values = _eight_digits(second).astype(np.float64)
    if first.any():
        values += _eight_digits(first).astype(np.float64) * 1e8
    return values, sound


def _eight_digits(word: Words) -> Words:
    """Whole numbers of words of eight digits, which are worked on in place."""
    word *= _u64(2561)
    word >>= _BYTE
    word &= _u64(0x00FF_00FF_00FF_00FF)
    word *= _u64(6553601)
    word >>= _u64(16)
    word &= _u64(0x0000_FFFF_0000_FFFF)
    word *= _u64(42949672960001)
    word >>= _THIRTY_TWO
    return word


def number(cell: bytes) -> float:
    """The number that a cell without its quotes holds, in any form that C prints; NaN for none."""
    return float(cell) if _NUMBER.fullmatch(cell) else float("nan")


def printed(cell: bytes) -> int:
    """How a number without quotes is printed: with so many decimals, or in `OTHER_FORM`."""
    plain = _PLAIN.fullmatch(cell)
    return min(len(plain[1] or b""), OTHER_FORM - 1) if plain else OTHER_FORM
