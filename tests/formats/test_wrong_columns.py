r"""Rows that have as many cells as the header, and values of other columns in them.

What gives them away is how a number is printed: esxtop prints a column with two decimals or with none.
"""

from __future__ import annotations

import random
from pathlib import Path

import damage
import pytest
from made_captures import (
    HOST,
    Cells,
    cell,
    cells,
    counted,
    header,
    joined,
    needs_of,
    read,
    reported,
    stamp,
    unquoted,
)

from esxprobe.formats import scan

# Two whole numbers, twelve with decimals, two whole ones: as a VM's columns follow a host's.
NAMES = [
    rf"{HOST}\Memory\Free MBytes",
    rf"{HOST}\Memory\Kernel MBytes",
    *(rf"{HOST}\Vcpu(10:alpha:{world}:vmx-vcpu-{world}:alpha)\% {name}" for world in (1, 2, 3)
      for name in ("Run", "Ready", "System", "Wait")),
    rf"{HOST}\Group Cpu(10:alpha)\Members",
    rf"{HOST}\Memory\Swap Used MBytes",
]  # fmt: skip
WHOLE = {0, 1, 14, 15}
NEEDS = needs_of(NAMES)
ROWS = 12


def value(n: int, c: int) -> str:
    return f"{1000 * (c + 1) + n}" if c in WHOLE else f"{n + 10}.{c + 10}"


def row_of(n: int, own: list[str] | None = None) -> str:
    return ",".join(f'"{text}"' for text in [stamp(n), *(own or [value(n, c) for c in range(len(NAMES))])])


GOOD = [header(NAMES), *(row_of(n) for n in range(ROWS))]


def with_row(n: int, own: list[str]) -> bytes:
    return joined([*GOOD[: n + 1], row_of(n, own), *GOOD[n + 2 :]])


def own_cells(n: int) -> list[str]:
    return [value(n, c) for c in range(len(NAMES))]


def truth() -> Cells:
    return {(stamp(n), NAMES[c]): float(value(n, c)) for n in range(1, ROWS) for c in range(len(NAMES))}


def without_row(kept: Cells, n: int) -> Cells:
    return {key: number for key, number in kept.items() if key[0] != stamp(n)}


def test_nothing_is_said_of_a_sound_capture(tmp_path: Path) -> None:
    recording = read(tmp_path, joined(GOOD), needs=NEEDS)
    assert reported(recording) == truth()
    assert counted(recording) == {}


@pytest.mark.parametrize("text", ["4499", "8.759", "12.4", "1e3", "+5.00", "5.", ".5", "5e-1", "00004"])
@pytest.mark.parametrize("column", [7, 2], ids=["among its like", "beside whole numbers"])
def test_a_number_in_another_form_is_lost_and_counted(tmp_path: Path, text: str, column: int) -> None:
    """Among columns with decimals nothing can have moved; beside whole numbers a whole one may be a neighbor's."""
    own = own_cells(4)
    own[column] = text
    recording = read(tmp_path, with_row(4, own), needs=NEEDS)
    if column == 2 and text in {"4499", "00004"}:
        assert reported(recording) == without_row(truth(), 4)
        assert counted(recording) == {"row-shifted": 1, "time-gap": 1}
    else:
        assert reported(recording) == {k: v for k, v in truth().items() if k != (stamp(4), NAMES[column])}
        assert counted(recording) == {"odd-format": 1}


@pytest.mark.parametrize("columns", range(9, 15))
def test_a_lone_number_in_another_form_at_the_end_of_a_row_costs_no_other(tmp_path: Path, columns: int) -> None:
    """Nobody wants it, and no column near it is printed as it is: nothing can have moved."""
    rows = [[f'"{stamp(n)}"', *(f'"{text}"' for text in own_cells(n)[:columns])] for n in range(ROWS)]
    rows[4][-1] = '"4499"'
    data = joined([header(NAMES[:columns]), *(",".join(row) for row in rows)])
    recording = read(tmp_path, data, needs=needs_of(NAMES[:2]))
    assert counted(recording) == {}
    assert len(reported(recording)) == 2 * (ROWS - 1)


def test_the_note_says_where(tmp_path: Path) -> None:
    own = own_cells(4)
    own[7] = "4499"
    (note,) = [n for n in read(tmp_path, with_row(4, own), needs=NEEDS).notes if n.code == "odd-format"]
    assert f"line 6, {NAMES[7]}" in note.detail


@pytest.mark.parametrize("bad", [[2], [0, 5], [9, 10, 11]])
@pytest.mark.parametrize(("lost", "added"), [(0, 5), (5, 0), (1, 14), (3, 15), (13, 1), (0, 15)])
def test_a_cell_lost_and_one_too_many_cost_the_row(tmp_path: Path, lost: int, added: int, bad: list[int]) -> None:
    rows = list(GOOD)
    kept = truth()
    for n in bad:
        own = own_cells(n)
        del own[lost]
        own.insert(added, own[added - 1])
        rows[n + 1] = row_of(n, own)
        kept = without_row(kept, n)
    recording = read(tmp_path, joined(rows), needs=NEEDS)
    got = reported(recording)
    assert {key: number for key, number in got.items() if truth().get(key) != number} == {}
    assert got == {key: number for key, number in kept.items() if key in got}
    assert counted(recording)["row-shifted"] == len(bad)


def test_the_rows_from_which_formats_are_learned_may_be_damaged_too(tmp_path: Path) -> None:
    """And there may be few of them: other columns of the same counter say how one is printed."""
    own = own_cells(1)
    del own[0]
    own.insert(14, "1.00")
    for count in (2, 3, ROWS):
        data = joined([*GOOD[:2], row_of(1, own), *GOOD[3 : count + 1]])
        recording = read(tmp_path, data, needs=NEEDS)
        expected = {k: v for k, v in without_row(truth(), 1).items() if k[0] in {stamp(n) for n in range(count)}}
        assert reported(recording) == expected
        assert counted(recording)["row-shifted"] == 1


def test_spreadsheets_drop_zeros_so_two_decimals_at_most_are_believed(tmp_path: Path) -> None:
    rows = [own_cells(n) for n in range(ROWS)]
    for n, own in enumerate(rows):
        own[5] = ["0", "0.5", "0.25", "17"][n % 4]
    data = unquoted(joined([GOOD[0], *(row_of(n, own) for n, own in enumerate(rows))]))
    recording = read(tmp_path, data, needs=NEEDS)
    assert len(reported(recording)) == len(truth())
    assert set(counted(recording)) <= {"resaved", "crlf-line-ends"}
    recording = read(tmp_path, data.replace(b",14.16,", b",14.169,"), needs=NEEDS)
    assert len(reported(recording)) == len(truth()) - 1
    assert counted(recording)["odd-format"] == 1


def test_a_program_that_prints_as_many_digits_as_it_needs_is_believed(tmp_path: Path) -> None:
    dice = random.Random(1)
    rows = [[f"{round(dice.random() * 10, dice.randrange(5))}" for _ in NAMES] for _ in range(40)]
    data = joined([GOOD[0], *(row_of(n, own) for n, own in enumerate(rows))])
    recording = read(tmp_path, data, needs=NEEDS)
    assert len(reported(recording)) == 39 * len(NAMES)
    assert counted(recording) == {}


def test_a_column_that_said_0_until_there_was_something_to_print_is_believed_again(tmp_path: Path) -> None:
    rows = [own_cells(n) for n in range(40)]
    for n, own in enumerate(rows):
        own[9] = "0" if n < 20 else f"{n}.50"
    data = joined([GOOD[0], *(row_of(n, own) for n, own in enumerate(rows))])
    recording = read(tmp_path, data, needs=NEEDS)
    assert {key[0] for key in reported(recording) if key[1] == NAMES[9]} == {
        stamp(n) for n in (*range(1, 20), *range(29, 40))
    }
    assert counted(recording) == {"row-shifted": 9, "time-gap": 1}


@pytest.mark.parametrize("size", [40, 150, 700])
def test_where_the_blocks_end_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(scan, "BLOCK", size)
    own = own_cells(4)
    del own[0]
    own.insert(14, "1.00")
    recording = read(tmp_path, with_row(4, own), needs=NEEDS)
    assert reported(recording) == without_row(truth(), 4)
    assert counted(recording) == {"row-shifted": 1, "time-gap": 1}


def test_an_appended_capture_has_formats_of_its_own(tmp_path: Path) -> None:
    """Its columns are other ones: what stood at their places before says nothing of them."""
    names = NAMES[::-1]
    more = [header(names), *(row_of(n, own_cells(n)[::-1]) for n in range(ROWS, ROWS + 4))]
    recording = read(tmp_path, joined([*GOOD, *more]), needs=NEEDS)
    assert counted(recording) == {"appended-capture": 1}
    assert len(reported(recording)) == (ROWS + 4 - 2) * len(NAMES)


def test_what_a_cell_of_the_shared_captures_says_is_printed_with_two_decimals() -> None:
    assert cell(3, 1).split(".")[1] == "13"
    assert len(cells(30)[1].split(".")[1]) == 2


# What can leave every cell in the form of its column: a few cells that move among columns that are printed alike.
UNSEEN = {"drop and add", "overwrite a block", "swap two blocks", "delete a block", "duplicate a block"}


def test_damage_at_random_makes_no_value_wrong_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small part of what `make bench` does; a digit for a digit within a cell is what nobody can see."""
    monkeypatch.setattr(scan, "BLOCK", 1 << 16)
    found = damage.sweep(tmp_path, 2000, 15, 7, list(damage.KINDS))
    wrong = {each: counts["wrong"] for each, counts in found.items() if counts["wrong"]}
    assert not {each for each in wrong if each[0] not in UNSEEN}, wrong
    # Without a look at how numbers are printed every row of the first kind is believed.
    assert sum(counts for (kind, _), counts in wrong.items() if kind == "drop and add") <= 6, wrong
    assert sum(wrong.values()) <= 12, wrong
