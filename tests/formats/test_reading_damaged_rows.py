r"""The manual of damaged rows: each damage, the code it is counted under, and the values that are left.

Where `naive` is named in a case, a reader made of the csv module crashes on the same file or answers
with other values: the case bites.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import naive
import pytest
from made_captures import (
    NAMES,
    Cells,
    cell,
    cells,
    counted,
    header,
    joined,
    lines,
    read,
    reported,
    row,
    stamp,
    truth,
    write,
)

from esxprobe.formats import head, scan, source

ALL = range(6)
WIDTH = len(NAMES)


@dataclass(frozen=True)
class Case:
    """A damaged file.

    Attributes:
        name: What happened to it.
        data: Its bytes.
        kept: What is left of it, the rows that are set aside included.
        aside: Rows without a known interval, beside the first.
        codes: Quality codes and counts.
        naive: A naive reader fails on it.
    """

    name: str
    data: bytes
    kept: Cells
    codes: dict[str, int]
    aside: tuple[int, ...] = ()
    naive: bool = True


GOOD = lines()


def with_line(number: int, text: str) -> bytes:
    """The good capture with one line (0 is the header) replaced."""
    return joined([*GOOD[:number], text, *GOOD[number + 1 :]])


def without(kept: Cells, n: int, columns: range | list[int] | None = None) -> Cells:
    lost = set(truth([n], columns=columns))
    return {key: value for key, value in kept.items() if key not in lost}


def cut(n: int, columns: int, more: str = "") -> str:
    """Row n after so many value columns, and what is left of the next cell."""
    return ",".join(f'"{text}"' for text in [stamp(n), *cells(n)[:columns]]) + more


def rest(n: int, column: int) -> str:
    """Row n from a column on."""
    return ",".join(f'"{text}"' for text in cells(n)[column:])


FULL = truth(ALL)
GAP = {"time-gap": 1}
CASES = [
    Case("nothing", joined(GOOD), FULL, {}, naive=False),
    Case("trailing comma in the header", with_line(0, header() + ","), FULL, {"trailing-comma": 1}, naive=False),
    Case(
        "trailing comma in the rows",
        joined([GOOD[0], *(line + "," for line in GOOD[1:])]),
        FULL,
        {"trailing-comma": 1},
        naive=False,
    ),
    Case("trailing comma in both", joined(line + "," for line in GOOD), FULL, {"trailing-comma": 2}),
    Case("trailing comma in one row only", with_line(3, GOOD[3] + ","), FULL, {}, naive=False),
    Case("last row cut inside a value", joined(GOOD)[:-4], without(FULL, 5, [6]), {"row-cut": 1}),
    Case(
        "last row cut inside a value further left",
        joined([*GOOD[:6], cut(5, 3, ',"5')])[:-1],
        without(FULL, 5, range(3, WIDTH)),
        {"row-cut": 1},
    ),
    Case(
        "last row cut inside its time",
        joined([*GOOD[:6], '"04/24/20'])[:-1],
        without(FULL, 5),
        {"row-lost": 1},
        naive=False,
    ),
    Case("last row without its line break", joined(GOOD)[:-1], FULL, {}, naive=False),
    Case("blank last line", joined([*GOOD, ""]), FULL, {"blank-row": 1}, naive=False),
    Case("blank last line of blanks", joined([*GOOD, "   "]), FULL, {"blank-row": 1}, naive=False),
    Case("last row of commas only", joined([*GOOD, "," * WIDTH]), FULL, {"blank-row": 1}),
    Case("last row of empty quotes", joined([*GOOD, ",".join(['""'] * (WIDTH + 1))]), FULL, {"blank-row": 1}),
    Case(
        "last row with a time and no value",
        joined([*GOOD[:6], ",".join([f'"{stamp(5)}"', *['""'] * WIDTH])]),
        without(FULL, 5),
        {"blank-cell": WIDTH},
    ),
    Case(
        "last row of zero bytes",
        joined(GOOD) + b"\x00" * 100,
        FULL,
        {"nul-bytes": 1},
        naive=False,
    ),
    Case(
        "row cut, joined with the next, whose time survives",
        joined([*GOOD[:3], cut(2, 2, ',"2') + GOOD[4], *GOOD[5:]]),
        without(FULL, 2, range(2, WIDTH)),
        {"row-joined": 1, "row-cut": 1},
    ),
    Case(
        "row joined with the next, only the line break lost",
        joined([*GOOD[:3], GOOD[3] + GOOD[4], *GOOD[5:]]),
        FULL,
        {"row-joined": 1},
    ),
    Case(
        "row joined with the next, which begins without its quote",
        joined([*GOOD[:3], cut(2, 2, ',"2') + GOOD[4][1:], *GOOD[5:]]),
        truth([0, 1, 4, 5]) | truth([2], columns=[0, 1]),
        {"row-joined": 1, "row-cut": 1, "row-lost": 1, "bad-cell": 1, "time-gap": 1, "row-torn": 1},
    ),
    Case(
        "three rows joined",
        joined([*GOOD[:3], cut(2, 4) + cut(3, 5) + GOOD[5], *GOOD[6:]]),
        without(without(FULL, 2, range(4, WIDTH)), 3, range(5, WIDTH)),
        {"row-joined": 2, "row-cut": 2},
    ),
    Case(
        "row cut, joined with the middle of the next",
        joined([*GOOD[:3], cut(2, 2, ',"2') + rest(3, 4), *GOOD[5:]]),
        without(without(FULL, 2), 3),
        {"row-lost": 1} | GAP,
    ),
    Case(
        "row cut, joined with the next so that the number of cells is right",
        joined([*GOOD[:3], cut(2, 2, ',"2') + rest(3, 2), *GOOD[5:]]),
        without(without(FULL, 2, range(2, WIDTH)), 3),
        {"bad-cell": 1, "row-torn": 1} | GAP,
    ),
    Case(
        "cell lost where rows end with a comma: the row only seems to have its width",
        joined(
            [
                *(line + "," for line in GOOD[:3]),
                GOOD[3].replace(f'"{cell(2, 3)}",', "") + ",",
                *(line + "," for line in GOOD[4:]),
            ]
        ),
        without(FULL, 2),
        {"trailing-comma": 2, "row-lost": 1} | GAP,
    ),
    Case("row that ends early", with_line(3, cut(2, 4)), without(FULL, 2), {"row-lost": 1} | GAP),
    Case("row with a cell too many", with_line(3, GOOD[3] + ',"1.00"'), without(FULL, 2), {"row-lost": 1} | GAP),
    Case(
        "separator lost inside a row",
        with_line(3, GOOD[3].replace('","', '""', 1)),
        without(FULL, 2),
        {"row-lost": 1} | GAP,
    ),
    Case("header repeated", joined([*GOOD[:4], header(), *GOOD[4:]]), FULL, {"repeated-header": 1}, aside=(3,)),
    Case(
        "header glued to a cut row",
        joined([*GOOD[:3], cut(2, 2, ',"2') + header(), *GOOD[4:]]),
        truth([0, 1, 3, 4, 5]) | truth([2], columns=[0, 1]),
        {"repeated-header": 1, "row-cut": 1},
        aside=(3,),
    ),
    Case(
        "junk line between rows",
        joined([*GOOD[:3], "Connection to esx01 closed.", *GOOD[3:]]),
        FULL,
        {"junk-line": 1},
        naive=False,
    ),
    Case(
        "line break inside the time, in place of the blank",
        joined([*GOOD[:3], stamp(2).join(['"', '"']).replace(" ", "\n") + GOOD[3][21:], *GOOD[4:]]),
        FULL,
        {"row-split": 1},
    ),
    Case(
        "line break inside the time, put in",
        with_line(3, GOOD[3][:5] + "\n" + GOOD[3][5:]),
        FULL,
        {"row-split": 1},
    ),
    Case(
        "line break inside a value",
        with_line(3, GOOD[3].replace(cell(2, 3), cell(2, 3)[:2] + "\n" + cell(2, 3)[2:])),
        without(FULL, 2, [3]),
        {"row-split": 1, "bad-cell": 1},
    ),
    Case("line break between cells", with_line(3, GOOD[3].replace('","', '",\n"', 1)), FULL, {"row-split": 1}),
    Case(
        "letter in a value",
        with_line(3, GOOD[3].replace(cell(2, 3), "2x.32")),
        without(FULL, 2, [3]),
        {"bad-cell": 1},
    ),
    Case(
        "byte that is no UTF-8 in a value",
        joined(GOOD).replace(cell(2, 3).encode(), b"2\xff.32"),
        without(FULL, 2, [3]),
        {"bad-cell": 1},
    ),
    Case(
        "two dots in a value: two numbers ran into each other, another row may go on behind it",
        with_line(3, GOOD[3].replace(cell(2, 3), "23.23.32")),
        without(FULL, 2, range(3, WIDTH)),
        {"bad-cell": 1, "row-torn": 1},
    ),
    Case(
        "question mark in place of a digit",
        with_line(3, GOOD[3].replace(cell(2, 0), "?")),
        without(FULL, 2, [0]),
        {"bad-cell": 1},
    ),
    Case(
        "inf for a value", with_line(3, GOOD[3].replace(cell(2, 3), "inf")), without(FULL, 2, [3]), {"bad-cell": 1}
    ),
    Case(
        "nan for a value", with_line(3, GOOD[3].replace(cell(2, 3), "nan")), without(FULL, 2, [3]), {"bad-cell": 1}
    ),
    Case("empty cell", with_line(3, GOOD[3].replace(cell(2, 3), "")), without(FULL, 2, [3]), {"blank-cell": 1}),
    Case(
        "zero byte in one cell",
        with_line(3, GOOD[3].replace(cell(2, 3), "2\x00.32")),
        without(FULL, 2, [3]),
        {"nul-bytes": 1},
    ),
    Case(
        "hole of zero bytes over some rows",
        joined([*GOOD[:3], cut(2, 2, ',"2') + "\x00" * 4096 + rest(4, 4), *GOOD[6:]]),
        truth([0, 1, 5]) | truth([2], columns=[0, 1]),
        {"nul-bytes": 1, "row-cut": 1} | GAP,
    ),
    Case(
        "hole of zero bytes that ends where a row begins",
        joined([*GOOD[:3], cut(2, 2, ',"2') + "\x00" * 4096 + GOOD[5], *GOOD[6:]]),
        truth([0, 1, 4, 5]) | truth([2], columns=[0, 1]),
        {"nul-bytes": 1, "row-joined": 1, "row-cut": 1} | GAP,
    ),
    Case(
        "hole of zero bytes from a cell to the same cell of the next row: the width is right",
        joined([*GOOD[:3], cut(2, 2, ',"2') + "\x00" * 90 + '9",' + rest(3, 3), *GOOD[5:]]),
        truth([0, 1, 4, 5]) | truth([2], columns=[0, 1]),
        {"nul-bytes": 1, "row-torn": 1} | GAP,
    ),
    Case(
        "quote lost in a row: the cell is torn",
        with_line(3, GOOD[3].replace(f'{cell(2, 3)}"', cell(2, 3))),
        without(FULL, 2, range(3, WIDTH)),
        {"bad-cell": 1, "row-torn": 1},
    ),
    Case(
        "row with a damaged time",
        with_line(3, GOOD[3].replace(stamp(2), "04/24/2018 1x:49:22")),
        without(FULL, 2),
        {"time-unreadable": 1} | GAP,
    ),
    Case(
        "digit lost in a time: esxtop pads, so 10:49:2 is not read as 10:49:02",
        with_line(3, GOOD[3].replace(stamp(2), stamp(2)[:-1])),
        without(FULL, 2),
        {"time-unreadable": 1} | GAP,
    ),
    Case("line break behind the header lost", joined(GOOD).replace(b"\n", b"", 1), FULL, {"damaged-header": 1}),
    Case(
        "line break put into the header between two names",
        with_line(0, header().replace('","', '",\n"', 1)),
        FULL,
        {"damaged-header": 1},
    ),
    Case(
        "all line breaks behind the first row lost",
        joined([*GOOD[:2], "".join(GOOD[2:])]),
        FULL,
        {"row-joined": 4},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_can_be_placed_is_kept_and_the_rest_is_counted(case: Case, tmp_path: Path) -> None:
    recording = read(tmp_path, case.data)
    aside = {stamp(n) for n in (0, *case.aside)}
    expected = {key: value for key, value in case.kept.items() if key[0] not in aside}
    assert reported(recording) == expected
    assert counted(recording) == case.codes


@pytest.mark.parametrize("case", [c for c in CASES if c.naive], ids=[c.name for c in CASES if c.naive])
def test_a_naive_reader_fails_on_it(case: Case, tmp_path: Path) -> None:
    path = write(tmp_path, case.data)
    try:
        answer = naive.read(path)
    except (ValueError, IndexError, UnicodeError, StopIteration):
        return
    assert answer != case.kept, "the naive reader copes: the case proves nothing"


@pytest.mark.parametrize("size", [7, 150])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_where_the_blocks_end_makes_no_difference(
    case: Case, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "BLOCK", size)
    monkeypatch.setattr(head, "_BANNER", 64)
    monkeypatch.setattr(source, "HEAD", 64)
    monkeypatch.setattr(source, "RAW_BLOCK", size)
    recording = read(tmp_path, case.data)
    aside = {stamp(n) for n in (0, *case.aside)}
    assert reported(recording) == {key: value for key, value in case.kept.items() if key[0] not in aside}
    assert counted(recording).keys() == case.codes.keys()


def test_each_sample_knows_its_line(tmp_path: Path) -> None:
    data = joined([GOOD[0], "", GOOD[1], "junk", *GOOD[2:]])
    assert read(tmp_path, data).samples["line"].to_list() == [3, 5, 6, 7, 8, 9]


def test_rows_kept_or_not_are_counted(tmp_path: Path) -> None:
    assert read(tmp_path, with_line(3, cut(2, 4))).rows_read == 6


def test_every_note_says_where(tmp_path: Path) -> None:
    recording = read(tmp_path, with_line(3, cut(2, 4)))
    assert "line 4" in next(note.detail for note in recording.notes if note.code == "row-lost")


def test_a_row_of_another_width_everywhere_is_an_error_that_says_so(tmp_path: Path) -> None:
    from esxprobe.errors import UnreadableInputError

    with pytest.raises(UnreadableInputError, match="none of its 6 rows has the header's 8 cells"):
        read(tmp_path, joined([header(), *(cut(n, 3) for n in ALL)]))


def test_many_damaged_rows_do_not_take_long(tmp_path: Path) -> None:
    """Work grows with the bytes, not with their square: every row of a joined line is found in one pass."""
    import time

    def seconds(count: int) -> float:
        damaged = [row(n % 4000)[:-1] for n in range(count)]
        data = joined([header(), row(0), row(1), "".join(damaged), *damaged])
        start = time.process_time()  # other programs on the machine are not what is measured
        read(tmp_path, data)
        return time.process_time() - start

    seconds(100)
    turns = [(seconds(500), seconds(4000)) for _ in range(3)]
    small, large = (min(taken) for taken in zip(*turns, strict=True))
    assert large < 8 * max(small, 0.05) * 3
