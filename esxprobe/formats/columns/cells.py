"""Cells as numbers that give the same text back, and as text where they do not.

Nearly every cell of a capture is a decimal in quotes, or without them, printed as a program prints it: a sign
where it is negative, no zeros in front, a fixed number of decimals. Value, decimals and quotes are all of it then.
Anything else (nothing, words, `-nan`, blanks beside the number, `007`, `+1`, more than fifteen bytes) is kept as it
stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from esxprobe.formats.decimals import Bytes, Cells, Floats, Places, numbers

Styles = NDArray[np.uint8]

# A style is the number of decimals, and this where the cell stands in quotes.
QUOTED = 8
# What a cell has that is kept as text.
TEXT = 255
# How esxtop prints nearly all.
USUAL = QUOTED + 2

_QUOTE, _MINUS, _POINT, _ZERO, _COMMA = 34, 45, 46, 48, 44
_OTHER_DECIMALS = (1, 3, 4, 5, 6)
_POWERS = np.array([10**n for n in range(17)], np.int64)
_SCALES = np.array([10.0**n for n in range(QUOTED)])


@dataclass(frozen=True, slots=True)
class Encoded:
    """Some cells: values (NaN where they are text), styles."""

    values: Floats
    styles: Styles


def encode(text: Bytes, cells: Cells) -> Encoded:
    """Cells of a text as values and styles.

    Args:
        text: The bytes; before each cell stands a comma.
        cells: Where they are, in any shape.
    """
    shape = cells.starts.shape
    starts, ends = cells.starts.reshape(-1), cells.ends.reshape(-1)
    if not len(starts):
        return Encoded(np.empty(shape), np.empty(shape, np.uint8))
    values, sound = numbers(text, Cells(starts, ends))
    quoted = (text.take(starts, mode="clip") == _QUOTE) & (ends - starts > 1)
    first, last = starts + quoted, ends - quoted
    negative = text.take(first, mode="clip") == _MINUS
    first += negative
    decimals = _decimals(text, first, last)
    whole = last - first - decimals - (decimals > 0)
    leading = text.take(first, mode="clip") != _ZERO
    same = sound & (whole > 0) & (leading | (whole == 1))
    styles = decimals.astype(np.uint8) + np.where(quoted, np.uint8(QUOTED), np.uint8(0))
    if not same.all():
        values = np.where(same, values, np.nan)
        styles[~same] = TEXT
    return Encoded(values.reshape(shape), styles.reshape(shape))


def _decimals(text: Bytes, first: Places, last: Places) -> Places:
    """How many digits stand behind the point of each number."""
    pointed = (text.take(last - 3, mode="clip") == _POINT) & (last - first > 2)
    decimals: Places = np.where(pointed, 2, 0)
    left = np.flatnonzero(~pointed)
    for count in _OTHER_DECIMALS:
        if not len(left):
            break
        at = last[left] - 1 - count
        here = (at >= first[left]) & (text.take(at, mode="clip") == _POINT)
        decimals[left[here]] = count
        left = left[~here]
    return decimals


@dataclass(frozen=True, slots=True)
class Texts:
    """Cells as text again: the bytes, a comma before each cell; and where the cells are in them."""

    data: NDArray[np.uint8]
    cells: Cells


def decode(values: Floats, styles: Styles, odd: dict[int, bytes]) -> Texts:
    """Cells from their values and styles.

    Args:
        values: Numbers, one after the other.
        styles: Their styles; whatever they are where the cell is kept as text.
        odd: The text of those that are kept as text, by their place.
    """
    decimals = (styles & (QUOTED - 1)).astype(np.intp)
    quoted = (styles & QUOTED) > 0
    plain = (styles != TEXT) & ~np.isnan(values)
    negative = np.signbit(values) & plain
    whole = np.rint(np.abs(np.where(plain, values, 0.0)) * _SCALES[decimals]).astype(np.int64)
    digits = np.maximum(_digits(whole), decimals + 1)
    lengths = digits + (decimals > 0) + negative + 2 * quoted
    for place, text in odd.items():
        lengths[place] = len(text)
    ends = np.cumsum(lengths + 1)
    starts = ends - lengths
    data = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    data[starts - 1] = _COMMA
    data[starts[plain & quoted]] = _QUOTE
    data[ends[plain & quoted] - 1] = _QUOTE
    data[(starts + quoted)[negative]] = _MINUS
    left = np.flatnonzero(plain)
    _write_digits(data, whole[left], digits[left], (ends - quoted)[left], decimals[left])
    for place, text in odd.items():
        data[starts[place] : ends[place]] = np.frombuffer(text, np.uint8)
    return Texts(data, Cells(starts, ends))


def _digits(whole: NDArray[np.int64]) -> Places:
    """How many digits whole numbers have."""
    count: Places = np.ones(len(whole), np.int64)
    for power in _POWERS[1:]:
        more = whole >= power
        if not more.any():
            break
        count += more
    return count


def _write_digits(
    data: NDArray[np.uint8], rest: NDArray[np.int64], count: Places, behind: Places, points: NDArray[np.intp]
) -> None:
    """Digits of whole numbers from the last to the first, and the points between them."""
    places = behind - 1
    for done in range(17):
        if done:
            more = count > done
            if not more.all():
                rest, count, places, points = rest[more], count[more], places[more], points[more]
            here = points == done
            data[places[here]] = _POINT
            places = places - here
        if not len(rest):
            return
        rest, digit = np.divmod(rest, 10)
        data[places] = (digit + _ZERO).astype(np.uint8)
        places = places - 1
