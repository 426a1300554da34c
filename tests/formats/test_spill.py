"""Where blocks of numbers wait: in memory, beyond a budget in a file without a name, and nowhere afterwards."""

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.arrays import Integers
from esxprobe.formats.column_store import ColumnStore, fill
from esxprobe.formats.parse import CheckedRows
from esxprobe.formats.spill import FiledBlock, HeldBlock, Pick, Spill, StoredMatrix

HOME = Path(__file__).parents[2]


def matrix(rows: int, columns: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + rows * columns, dtype=float).reshape(rows, columns)


def files_without_a_name() -> int:
    """How many files this process has open that nobody else can find."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(str(link.readlink()).endswith("(deleted)") for link in links)


@given(
    st.integers(1, 40),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.integers(0, 3_000),
    st.data(),
)
def test_blocks_give_back_the_rows_they_were_given(rows: int, widths: list[int], budget: int, data: st.DataObject):
    """In memory and on disk, in any order, once or more often."""
    spill = Spill(budget)
    given_ = [matrix(rows, width, 1_000 * n) for n, width in enumerate(widths)]
    kept = [spill.put(each.copy()) for each in given_]
    assert spill.on_disk == sum(8 * rows * block.width for block in kept if isinstance(block, FiledBlock))
    wanted = np.array(data.draw(st.lists(st.integers(0, rows - 1), max_size=50)), np.int64)
    for block, was in zip(kept, given_, strict=True):
        assert np.array_equal(block.take(Pick(wanted)), was[wanted])


def test_rows_far_apart_are_read_without_what_lies_between_them():
    wide = matrix(600, 5_000)
    block = Spill(0).put(wide)
    pick = Pick(np.array([599, 0, 1, 2, 300]))
    assert [run[:2] for run in pick.runs(8 * 5_000)] == [(0, 3), (300, 301), (599, 600)]
    assert np.array_equal(block.take(pick), wide[[599, 0, 1, 2, 300]])


def test_several_threads_read_each_its_own_rows():
    whole = matrix(400, 300)
    block = Spill(0).put(whole)
    picks = [np.arange(first, 400, 7) for first in range(7)] * 100

    def right(rows: Integers) -> bool:
        return np.array_equal(block.take(Pick(rows)), whole[rows])

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(right, picks))
    finally:
        sys.setswitchinterval(usual)


def test_the_file_is_there_beyond_the_budget_only_and_goes_with_the_last_block():
    gc.collect()  # what other tests left
    before = files_without_a_name()
    spill = Spill(8 * 100)
    kept: list[StoredMatrix] = [spill.put(matrix(10, 10))]
    assert isinstance(kept[0], HeldBlock)
    assert files_without_a_name() == before
    kept.append(spill.put(matrix(10, 10)))
    assert isinstance(kept[1], FiledBlock)
    assert files_without_a_name() == before + 1
    del spill
    gc.collect()
    assert np.array_equal(kept[1].take(Pick(np.arange(10))), matrix(10, 10)), "blocks outlive the spill"
    kept.clear()
    gc.collect()
    assert files_without_a_name() == before


FULL = """
import resource, sys
from pathlib import Path
from esxprobe.formats import spill
spill.BUDGET = 0
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.argv = ["esxprobe", "report", sys.argv[1], "-o", sys.argv[2]]
from esxprobe.commands.app import main
main()
"""


def test_a_full_disk_for_temporary_files_is_said_with_what_helps(tmp_path: Path):
    """A limit on the size of files fails as a full disk does: in the middle of a write."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, HOME / "samples/demo/esxtop-000.csv.gz", tmp_path / "report.html"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(HOME), "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 2, done.stderr
    said = " ".join(done.stderr.split())
    assert "do not fit into" in said
    assert "File too large" in said
    assert "set TMPDIR to a folder on a disk with more free space" in said
    assert not list(tmp_path.iterdir())


def test_marks_are_taken_out_however_the_numbers_lie_in_memory() -> None:
    """Column by column, row by row, or where nobody may write."""
    wanted = pl.DataFrame(
        {"key": ["a", "b"], "kind": ["vm", "vm"], "object": ["Group Cpu"] * 2, "counter": ["Alloc Max", "% Used"]}
    )
    numbers = np.array([[-1.0, 5.0, np.inf], [1.0, -2.5, -3.0]])
    fixed = numbers.copy()
    fixed.flags.writeable = False
    for given_ in (numbers.copy(), np.asfortranarray(numbers), fixed):
        store = ColumnStore(wanted, Spill())
        store.add(CheckedRows([2, 3, 4], pl.Series(["t"] * 3), given_))
        store.close()
        judged = np.array([False, True, True])
        (only,) = store.ranges(judged, 0)
        out = np.empty((2, 2))
        fill(out, slice(None), [only], Pick(np.arange(2)), slice(0, 2))
        assert np.array_equal(out, [[5.0, np.nan], [-2.5, np.nan]], equal_nan=True)
        assert store.marks(judged) == {r"Group Cpu\% Used": 1}, "only judged rows are counted"
        assert store.infinite(judged) == 1
