"""Cells that have moved, where the columns that are read are printed alike: what else tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_captures import HOST, counted, header, joined, needs_of, read, reported, stamp

from esxprobe.formats.moves import Moves
from esxprobe.formats.points import Points

# Four columns that are read, with two decimals, then some that nobody reads.
READ = [rf"{HOST}\Vcpu(10:alpha:1:vmx-vcpu-1:alpha)\% {name}" for name in ("Run", "Ready", "System", "Wait")]
_KINDS = ("Alloc Min", "Alloc Max", "Memctl MBytes", "Alloc Shares")
OTHERS = [rf"{HOST}\Group Memory(10:alpha)\{name}" for name in _KINDS]
NAMES = [*READ[:2], *OTHERS[:2], *READ[2:], *OTHERS[2:]]
NEEDS = needs_of(READ)
ROWS = 12


def own_cells(n: int) -> list[str]:
    """A row's cells: what is read changes from row to row; of the others two have decimals."""
    read = [f"{n + 10}.{c + 10}" for c in range(4)]
    return [*read[:2], "4", "7", *read[2:], "0.25", "3"]


def row_of(n: int, own: list[str]) -> str:
    return ",".join(f'"{text}"' for text in [stamp(n), *own])


def capture(changed: dict[int, list[str]]) -> bytes:
    return joined([header(NAMES), *(row_of(n, changed.get(n, own_cells(n))) for n in range(ROWS))])


def times_of(folder: Path, data: bytes) -> tuple[set[str], dict[str, int]]:
    recording = read(folder, data, needs=NEEDS)
    return {key[0] for key in reported(recording)}, counted(recording)


def test_cells_that_nobody_reads_tell_that_a_row_has_moved(tmp_path: Path) -> None:
    """The columns that are read keep two decimals each: only the two whole numbers between them give it away."""
    own = own_cells(5)
    moved = ["9.99", *own[:1], own[1], own[2], own[3], *own[5:]]  # one put in front, one lost behind the whole ones
    assert len(moved) == len(own)
    times, codes = times_of(tmp_path, capture({5: moved}))
    assert stamp(5) not in times
    assert codes == {"row-shifted": 1, "time-gap": 1}


def test_one_odd_cell_that_nobody_reads_costs_nothing(tmp_path: Path) -> None:
    own = own_cells(5)
    own[2] = "4e2"
    times, codes = times_of(tmp_path, capture({5: own}))
    assert (stamp(5) in times, codes) == (True, {})


def test_columns_that_are_printed_in_both_ways_cost_a_few_rows_and_no_more(tmp_path: Path) -> None:
    """What prints 7 in one sample and 7.50 in another one is no damage, once it was seen some times."""
    rows = {n: [*own_cells(n)[:2], "4.50", "7.50", *own_cells(n)[4:]] for n in (9, 10, 11)}
    times, codes = times_of(tmp_path, capture(rows))
    assert codes["row-shifted"] == 3
    more = [header(NAMES), *(row_of(n, rows[9] if n >= 9 else own_cells(n)) for n in range(40))]
    times, codes = times_of(tmp_path, joined(more))
    assert codes["row-shifted"] == 3
    assert {stamp(n) for n in range(12, 40)} <= times


def test_blank_cells_are_not_odd(tmp_path: Path) -> None:
    own = own_cells(5)
    own[6] = own[2] = ""
    times, codes = times_of(tmp_path, capture({5: own}))
    assert (stamp(5) in times, codes.get("row-shifted")) == (True, None)


@pytest.mark.parametrize("torn", ['"0.2', '0.25"', '"0"25"'])
def test_beside_a_torn_cell_columns_that_never_changed_must_not_change(tmp_path: Path, torn: str) -> None:
    """A block of another row ends inside a cell: what stands before that is not this row's either."""
    steady = [["5.00", "6.00", "4", "7", f"{n}.50", "8.00", "0.25", "3"] for n in range(ROWS)]
    steady[6][:2] = ["6.00", "5.00"]
    lines = [header(NAMES), *(row_of(n, own) for n, own in enumerate(steady))]
    lines[7] = lines[7].replace('"0.25"', torn)
    times, codes = times_of(tmp_path, joined(lines))
    assert stamp(6) not in times
    assert codes["row-shifted"] == 1
    steady[6][:2] = steady[5][:2]  # else only the torn one and what is behind it are lost
    lines[7] = row_of(6, steady[6]).replace('"0.25"', torn)
    times, codes = times_of(tmp_path, joined(lines))
    assert stamp(6) in times
    assert "row-shifted" not in codes


class TestValuesOfOthers:
    """Twenty columns printed alike, half of which never change."""

    CELLS = np.arange(1, 21)

    def rows(self, count: int) -> np.ndarray:
        dice = np.random.default_rng(3)
        rows = np.tile(np.arange(20.0) * 10, (count, 1))
        rows[:, ::2] += dice.uniform(0, 3, (count, 10))
        rows[:, 5::4] = 0.0
        return rows

    def found(self, rows: np.ndarray, torn: dict[int, np.ndarray] | None = None) -> list[int]:
        moves = Moves.of(self.CELLS, rows[:9])
        assert moves is not None
        return [row for row, _, _ in moves.found(rows, np.ones(len(rows), np.bool_), torn or {})]

    @pytest.mark.parametrize("by", [1, 2, 3, -1, -2, -3])
    @pytest.mark.parametrize("bad", [0, 4, 15])
    def test_a_row_whose_cells_have_moved_is_found(self, by: int, bad: int) -> None:
        rows = self.rows(30)
        own = rows[bad].copy()
        rows[bad, 3:17] = own[3 + by : 17 + by]
        assert self.found(rows) == [bad]

    def test_sound_rows_are_not(self) -> None:
        assert self.found(self.rows(200)) == []

    def test_things_that_change_for_good_cost_one_row_at_most(self) -> None:
        rows = self.rows(40)
        rows[20:] = np.roll(rows[20:], 1, axis=1)
        assert len(self.found(rows)) <= 1

    def test_a_machine_that_starts_or_stops_is_no_damage(self) -> None:
        for made in (0.0, 250.0):
            rows = self.rows(30)
            rows[12:, 4:16] = made
            assert self.found(rows) == []

    def test_two_damaged_rows_are_both_found(self) -> None:
        rows = self.rows(30)
        for bad, by in ((10, 1), (11, -2)):
            rows[bad, 3:17] = rows[bad].copy()[3 + by : 17 + by]
        assert self.found(rows) == [10, 11]


def packed(points: np.ndarray) -> np.ndarray:
    return np.packbits(points, axis=1)


def test_forms_are_learned_by_vote() -> None:
    usual = np.array([True, True, False, False])
    seen = np.tile(usual, (9, 1))
    seen[4] = ~usual
    points = Points.learn(seen)
    assert points.usual.tolist() == usual.tolist()
    assert [row for row, _ in points.odd(packed(seen))] == [4]


def test_a_file_whose_forms_follow_no_rule_is_not_looked_at() -> None:
    seen = np.random.default_rng(1).random((9, 40)) < 0.5
    assert list(Points.learn(seen).odd(packed(~seen))) == []


def test_cells_that_hold_no_numbers_of_esxtop_are_not_looked_at() -> None:
    points = Points.learn(np.zeros((9, 4), np.bool_), never=[2])
    other = np.zeros((1, 4), np.bool_)
    other[0, 1] = True
    assert list(points.odd(packed(other))) == []


def test_there_is_no_column_behind_the_last() -> None:
    """A lone cell has moved only if a column near by is printed as it is; what fills the last byte is none."""
    usual = np.ones((9, 5), np.bool_)
    points = Points.learn(usual)
    row = usual[:1].copy()
    row[0, 4] = False
    ((_, odd),) = points.odd(packed(row))
    assert points.moved(odd, [0]) == 0


def test_only_rows_that_follow_each_other_free_a_column() -> None:
    """Damage that comes now and then is damage; what is odd in nine rows on end has changed for good."""
    for step, freed in ((1, True), (2, False)):
        points = Points.learn(np.zeros((9, 20), np.bool_))
        seen = np.zeros((20, 20), np.bool_)
        for n, row in enumerate(range(0, 9 * step, step)):
            seen[row, [3, 5 + n]] = True
        for _, places in points.odd(packed(seen)):
            points.moved(places, [2] * len(places))
        assert bool(points.free[3]) == freed
