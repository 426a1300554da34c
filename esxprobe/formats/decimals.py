r"""Cells as numbers, many at a time: the decimals that esxtop prints, each exactly what `float` makes of it.

A cell is looked at as sixteen bytes that end where its number ends. Its digits, taken out as one whole
number, are divided by a power of ten: both are exact in a double, so the quotient is rounded once, as
`float` rounds it. Whatever is no plain decimal of at most fifteen bytes is left to `number`, cell by cell.

References:
    D. Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021): eight
    digits in one word; W. D. Clinger, "How to read floating point numbers accurately" (1990): when a whole
    number over a power of ten is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Floats = NDArray[np.float64]
Words = NDArray[np.uint64]
Bools = NDArray[np.bool_]

_WINDOW = 16
_LONGEST = _WINDOW - 1
_QUOTE, _MINUS, _POINT = 34, 45, 46

_NUMBER = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

# esxtop prints two decimals or none; of other programs that pass captures on, up to six were seen.
_USUAL_DECIMALS = 2
_OTHER_DECIMALS = (1, 3, 4, 5, 6)


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


@dataclass(frozen=True, slots=True)
class Cells:
    """Where cells stand in a text: first byte, and the byte behind the last."""

    starts: Places
    ends: Places


def numbers(text: Bytes, cells: Cells) -> tuple[Floats, Bools]:
    """The numbers in cells of a text.

    Args:
        text: The bytes.
        cells: Cells in it, in quotes or without.

    Returns:
        A value a cell, NaN where it is no plain decimal; and which cells those are.
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
    if not sound.all():
        for decimals in _OTHER_DECIMALS:
            left = np.flatnonzero(~sound & fits & (digits > decimals))  # or a point before the cell is met
            left = left[((low[left] >> _u64(56 - 8 * decimals)) & _u64(0xFF)) == _POINT]
            if len(left):
                made, fine = _whole(*_without_point(high[left], low[left], decimals), digits[left] - 1)
                made /= 10.0**decimals
                values[left] = np.where(negative[left], -made, made)
                sound[left] = fine
        values[~sound] = np.nan
    return values, sound


def _windows(text: Bytes, ends: Places) -> tuple[Words, Words]:
    """The sixteen bytes before each end, as two words in whose top byte the last of eight bytes stands."""
    sliding = np.ndarray((len(text) - _WINDOW + 1,), f"V{_WINDOW}", text, strides=(1,))
    words = sliding[ends - _WINDOW].view("<u8").reshape(-1, 2)
    return words[:, 0], words[:, 1]


def _decimal(high: Words, low: Words, digits: Places, pointed: Bools) -> tuple[Floats, Bools]:
    """Values of numbers with two decimals where `pointed`, else with none; and whether they are such."""
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


def _whole(high: Words, low: Words, digits: Places) -> tuple[Floats, Bools]:
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
    word = (word * _u64(2561)) >> _BYTE
    word = ((word & _u64(0x00FF_00FF_00FF_00FF)) * _u64(6553601)) >> _u64(16)
    return ((word & _u64(0x0000_FFFF_0000_FFFF)) * _u64(42949672960001)) >> _u64(32)


def number(cell: bytes) -> float:
    """The number that a cell without its quotes holds, in any form that C prints; NaN for none."""
    return float(cell) if _NUMBER.fullmatch(cell) else float("nan")
