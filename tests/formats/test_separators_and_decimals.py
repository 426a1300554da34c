"""The two quick parts of the reader against slow obvious twins: `bytes.split` and `float`."""

from __future__ import annotations

import math
import struct
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from eachone import each_one
from hypothesis import given, settings
from hypothesis import strategies as st

from esxprobe.arrays import Bools, Bytes, Floats, Integers
from esxprobe.formats import row_scanner
from esxprobe.formats.decimals import Buffers, Cells, fill, number, numbers
from esxprobe.formats.points import unpacked
from esxprobe.formats.repair import RowLayout
from esxprobe.formats.row_scanner import RowScanner

# --- numbers ---------------------------------------------------------------------------------------


def same(left: float, right: float) -> bool:
    """Bit for bit, but any NaN is like another."""
    return struct.pack("<d", left) == struct.pack("<d", right) or (math.isnan(left) and math.isnan(right))


def parsed(texts: list[str], *, quoted: bool, behind: bytes = b',"1.00"') -> tuple[list[float], list[bool]]:
    """What `fill` makes of cells in a row; and `numbers`, the way of long ones, of the same cells no other."""
    row, cells = row_of([f'"{text}"' if quoted else text for text in texts], behind)
    values, sound = filled(row, cells)
    slow, slowly_sound = numbers(row, cells)
    assert values.tobytes() == slow.tobytes()
    assert sound.tolist() == slowly_sound.tolist()
    return values.tolist(), sound.tolist()


def row_of(cells: list[str], behind: bytes = b"") -> tuple[Bytes, Cells]:
    """A row with these cells behind its time, and where they are."""
    row = ",".join(['"04/24/2018 10:49:12"', *cells]).encode() + behind
    ends = np.cumsum([21, *(len(cell.encode()) + 1 for cell in cells)])
    return np.frombuffer(row, np.uint8), Cells(ends[:-1] + 1, ends[1:])


def filled(text: Bytes, cells: Cells) -> tuple[Floats, Bools]:
    """What `fill` makes of cells."""
    values, sound = np.empty(len(cells.starts)), np.empty(len(cells.starts), np.bool_)
    fill(text, cells, values, sound, Buffers())
    return values, sound


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


SHORT = st.text("0123456789.-+\"'#,eE x/\0\x01", max_size=8)


@given(st.lists(SHORT, min_size=1, max_size=40), st.booleans(), st.binary(max_size=16))
@settings(max_examples=600, deadline=None)
def test_short_cells_of_any_bytes_are_what_float_makes_of_them_or_unsound(
    texts: list[str], quoted: bool, behind: bytes
) -> None:
    texts = [text.replace(",", ";") for text in texts]
    for text, value, sound in zip(texts, *parsed(texts, quoted=quoted, behind=behind), strict=True):
        if sound:
            inside = text if quoted else text.removeprefix('"').removesuffix('"') if len(text) > 1 else text
            assert same(value, float(inside)), text
            assert not set(inside) & set("\"'#;eE x/\0\x01+")
        else:
            assert math.isnan(value), text


@each_one(product(range(20), range(8)))
def test_the_last_cells_of_a_text_are_read_wherever_it_ends(behind: int, shift: int) -> None:
    texts = ["1" * shift or "0", "0.00", "1", "99.99", "-1", "123456789.25", "7"]
    row, cells = row_of([f'"{text}"' for text in texts], b"," * behind)
    values, sound = filled(row, cells)
    assert values.tolist() == [float(text) for text in texts]
    assert sound.all()


@each_one(product(range(6), range(256)))
def test_any_byte_in_a_short_cell(place: int, byte: int) -> None:
    cell = bytearray(b'"7.25"')
    cell[place] = byte
    row = np.frombuffer(b'"04/24/2018 10:49:12",' + bytes(cell) + b',"11111111"', np.uint8)
    values, sound = filled(row, Cells(np.array([22]), np.array([28])))
    plain = {1: b"0123456789-.", 2: b"0123456789.", 3: b"0123456789.", 4: b"0123456789."}.get(place, b'"')
    inside = bytes(cell).strip(b'"')
    good = byte in plain and inside.count(b".") == 1 and not inside.endswith(b".") and inside[:1] != b"."
    if bytes(cell[1:5]).count(b".") == 0 and cell[:1] == cell[5:] == b'"' and inside.isdigit():
        good = True
    if sound[0]:
        assert same(values[0], float(inside)), cell
    assert sound[0] or not good, cell


@given(st.lists(st.sampled_from(["0.00", "-1", "5", "60", "99.90", "x", "1234567.89"]), min_size=1, max_size=300))
@settings(max_examples=50, deadline=None)
def test_a_buffer_is_clean_whatever_was_on_it(texts: list[str]) -> None:
    buffers = Buffers()
    for few in (texts, texts[::2], texts + texts, texts):
        row, cells = row_of([f'"{text}"' for text in few])
        values, sound = np.empty(len(few)), np.empty(len(few), np.bool_)
        fill(row, cells, values, sound, buffers)
        assert sound.tolist() == [text != "x" for text in few]
        assert [text for text in few if text != "x"] == [] or values[sound].tolist() == [
            float(text) for text in few if text != "x"
        ]


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


def laid_out(rows: list[list[bytes]], trailing: bool, breaks: bytes = b"\n") -> tuple[Bytes, Integers, Integers]:
    """Rows as the lines of a text: the text, where they start and end."""
    lines = [b",".join(row) + b"," * trailing + breaks[:-1] for row in rows]
    ends = np.cumsum([len(line) + 1 for line in lines]) - 1
    return np.frombuffer(b"\n".join(lines) + b"\n", np.uint8), ends - [len(line) for line in lines], ends


def as_they_are(text: Bytes, cells: Cells | None) -> list[list[bytes]]:
    assert cells is not None
    return [
        [text[a:b].tobytes() for a, b in zip(*row, strict=True)]
        for row in zip(cells.starts, cells.ends, strict=True)
    ]


@given(
    blocks(),
    st.sampled_from([1, 64, 500, 1 << 20]),
    st.sampled_from([0, 40, 1 << 14]),
    st.sampled_from([0, 8, 10**9]),
    st.sampled_from([b"\n", b"\r\n"]),
)
@settings(max_examples=200, deadline=None)
def test_wanted_cells_are_found_and_separators_counted(
    block: tuple[list[list[bytes]], list[int], bool], group: int, short: int, dense: int, breaks: bytes
) -> None:
    rows, wanted, trailing = block
    text, starts, ends = laid_out(rows, trailing, breaks)
    lines = [text[a:b].tobytes() for a, b in zip(starts, ends, strict=True)]
    scanner = RowScanner(RowLayout(len(rows[0])), np.array(wanted, np.int64), places=True, points=bool(wanted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_scanner, "GROUP", group)
        patch.setattr(row_scanner, "_SHORT", short)
        patch.setattr(row_scanner, "_DENSE", dense)
        made = scanner.scan(text, starts, ends)
    assert made.shapes == [(line.count(b","), line.count(b'"'), sum(byte <= 32 for byte in line)) for line in lines]
    assert as_they_are(text, made.cells) == [[row[cell] for cell in wanted] for row in rows]
    if made.points is not None:
        points = unpacked(made.points, len(rows[0]) - 1)
        assert points.tolist() == [[cell[-4:-3] == b"." for cell in row[1:]] for row in rows]
    assert made.values is not None
    assert made.sound is not None
    for row, values, sound in zip(rows, made.values, made.sound, strict=True):
        for cell, value, fine in zip(wanted, values, sound, strict=True):
            assert fine or math.isnan(value)
            assert not fine or same(value, float(row[cell].strip(b'"')))


NUMBERS = st.sampled_from([b'"0.00"', b'"-1"', b'"12345678.25"', b'""', b'"1e5"', b"3.00", b'"7"'])


@given(st.data(), st.integers(1, 40), st.sampled_from([0, 8]))
@settings(max_examples=80, deadline=None)
def test_numbers_are_the_same_with_places_and_without(data: st.DataObject, width: int, dense: int) -> None:
    row = st.lists(NUMBERS, min_size=width + 1, max_size=width + 1)
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    twice = data.draw(st.lists(st.integers(1, width), min_size=1, max_size=9).map(sorted))
    text, starts, ends = laid_out(rows, trailing=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_scanner, "_DENSE", dense)
        with_places, without = (
            RowScanner(RowLayout(width + 1), np.array(twice), places).scan(text, starts, ends)
            for places in (True, False)
        )
    assert without.cells is None
    assert as_they_are(text, with_places.cells) == [[row[cell] for cell in twice] for row in rows]
    assert without.values is not None
    assert with_places.values is not None
    assert without.values.tobytes() == with_places.values.tobytes()


def test_several_threads_share_one_scanner() -> None:
    rows = [[b'"04/24/2018 10:49:12"', *(b'"%d.%02d"' % divmod(n * k, 100) for n in range(700))] for k in range(60)]
    scanner = RowScanner(RowLayout(701), np.arange(1, 701))
    blocks = [laid_out(rows[at : at + 4], trailing=False) for at in range(0, 60, 4)]
    with ThreadPoolExecutor(4) as pool:
        scans = list(pool.map(lambda block: scanner.scan(*block), blocks))
    values = np.concatenate([made.values for made in scans if made.values is not None])
    assert values.tolist() == [[n * k / 100 for n in range(700)] for k in range(60)]


def test_a_row_of_another_width_gives_no_cells() -> None:
    text = b'"a","1","2"\n"b","1","2","3","4"\n'
    edges = np.array([0, 12]), np.array([11, 32])
    made = RowScanner(RowLayout(3), np.array([1])).scan(np.frombuffer(text, np.uint8), *edges)
    assert [shape[0] for shape in made.shapes] == [2, 4]
    assert made.values is None
