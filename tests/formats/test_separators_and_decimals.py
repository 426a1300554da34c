"""The two quick parts of the reader against slow obvious twins: `bytes.split` and `float`."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esxprobe.formats import survey
from esxprobe.formats.decimals import Cells, number, numbers
from esxprobe.formats.mend import Layout
from esxprobe.formats.survey import Surveyor

# --- numbers ---------------------------------------------------------------------------------------


def same(left: float, right: float) -> bool:
    """Bit for bit, but any NaN is like another."""
    return struct.pack("<d", left) == struct.pack("<d", right) or (math.isnan(left) and math.isnan(right))


def parsed(texts: list[str], *, quoted: bool) -> tuple[list[float], list[bool]]:
    """What `numbers` makes of cells in the middle of a row."""
    cells = [f'"{text}"' if quoted else text for text in texts]
    row = ",".join(['"04/24/2018 10:49:12"', *cells, '"1.00"']).encode()
    ends = np.cumsum([21, *(len(cell) + 1 for cell in cells)])
    values, sound = numbers(np.frombuffer(row, np.uint8), Cells(ends[:-1] + 1, ends[1:]))
    return values.tolist(), sound.tolist()


PLAIN = st.builds(
    lambda sign, whole, decimals: f"{sign}{whole}" + (f".{decimals}" if decimals else ""),
    st.sampled_from(["", "-"]),
    st.integers(0, 10**9 - 1).map(str),
    st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=4)),
)
NO_PLAIN = "| |1 |-|.|-.|1.|.5|-.5|1e5|1.5E-3|+1|inf|nan|1_0|0x1|--1|1-1|1.2.3|23.23.32|12:3|1/2|١"
ODD = st.one_of(
    st.sampled_from([*NO_PLAIN.split("|"), "9" * 15, "9" * 16, "0" * 20, "0." + "3" * 14]),
    st.text("0123456789.-+eE x/:", max_size=20),
)


@given(st.lists(st.one_of(PLAIN, ODD), min_size=1, max_size=12), st.booleans())
@settings(max_examples=400, deadline=None)
def test_a_number_is_what_float_makes_of_it_to_the_last_bit(texts: list[str], quoted: bool) -> None:
    for text, value, sound in zip(texts, *parsed(texts, quoted=quoted), strict=True):
        if sound:
            assert same(value, float(text)), text
        else:
            assert math.isnan(value), text


@given(st.lists(PLAIN, min_size=1, max_size=12), st.booleans())
@settings(max_examples=200, deadline=None)
def test_what_esxtop_prints_never_takes_the_slow_way(texts: list[str], quoted: bool) -> None:
    _, sound = parsed(texts, quoted=quoted)
    assert sound == [True] * len(texts)


def test_every_hundredth_up_to_a_thousand() -> None:
    texts = [f"{n // 100}.{n % 100:02}" for n in range(100_000)]
    values, sound = parsed(texts, quoted=True)
    assert all(sound)
    assert values == [float(text) for text in texts]


@pytest.mark.parametrize("text", ["1e5", "+1", "1.5E-3", ".5", "1.", "-1.25", "123456789012345678901234567890"])
def test_the_slow_way_knows_every_form_of_a_number(text: str) -> None:
    assert same(number(text.encode()), float(text))


@pytest.mark.parametrize("text", ["", "inf", "nan", "1_0", "x", "1.2.3", "0x10", "1 2", "--1"])
def test_the_slow_way_takes_nothing_else(text: str) -> None:
    assert math.isnan(number(text.encode()))


# --- separators ------------------------------------------------------------------------------------

CELL = st.one_of(st.just(b'"0.00"'), st.binary(max_size=90).map(lambda b: b.translate(None, b",\n\r")))


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[list[bytes]], list[int], bool]:
    width = draw(st.integers(2, 70))
    rows = draw(st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=9))
    wanted = draw(st.sets(st.integers(1, width - 1), max_size=8))
    return rows, sorted(wanted), draw(st.booleans())


@given(blocks(), st.sampled_from([1, 64, 500, 1 << 20]), st.sampled_from([0, 40, 1 << 14]))
@settings(max_examples=120, deadline=None)
def test_wanted_cells_are_found_and_separators_counted(
    block: tuple[list[list[bytes]], list[int], bool], group: int, short: int
) -> None:
    rows, wanted, trailing = block
    lines = [b",".join(row) + b"," * trailing for row in rows]
    text = np.frombuffer(b"\n".join(lines) + b"\n", np.uint8)
    ends = np.cumsum([len(line) + 1 for line in lines]) - 1
    starts = ends - [len(line) for line in lines]
    surveyor = Surveyor(Layout(len(rows[0])), np.array(wanted, np.int64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survey, "GROUP", group)
        patch.setattr(survey, "_SHORT", short)
        shapes, cells = surveyor.survey(text, starts, ends)
    assert shapes == [(line.count(b","), line.count(b'"'), sum(byte <= 32 for byte in line)) for line in lines]
    assert cells is not None
    found = [
        [text[a:b].tobytes() for a, b in zip(*row, strict=True)]
        for row in zip(cells.starts, cells.ends, strict=True)
    ]
    assert found == [[row[cell] for cell in wanted] for row in rows]


def test_a_row_of_another_width_gives_no_cells() -> None:
    text = b'"a","1","2"\n"b","1","2","3","4"\n'
    edges = np.array([0, 12]), np.array([11, 32])
    shapes, cells = Surveyor(Layout(3), np.array([1])).survey(np.frombuffer(text, np.uint8), *edges)
    assert [shape[0] for shape in shapes] == [2, 4]
    assert cells is None
