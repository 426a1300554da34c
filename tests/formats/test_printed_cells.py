"""Cells come back as they were printed, to the digit, however they were printed."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esxprobe.formats.decimals import Buffers, fill
from esxprobe.formats.decimals import Cells as Places
from esxprobe.formats.esxtop import read_with_cells
from esxprobe.formats.printed import fewest_decimals
from esxprobe.formats.printed_cells import CaptureCells

REAL = Path(__file__).resolve().parents[3] / "shared/data/esxtop/esxi6-all-fields.csv"
COUNTERS = ("% Used", "% Run", "% System", "% Wait", "% Ready", "% Idle", "% Overlap", "% CoStop", "% Max Limited")


def cells_of(*paths: Path) -> CaptureCells:
    return read_with_cells(paths, {}, every=True).cells


def written(path: Path, columns: list[list[str]], *, first: int = 0, quote: str = '"', end: str = "") -> Path:
    """A capture with these cells in its first columns, and quiet ones behind them."""
    samples = len(columns[0])
    every = [*columns, *([["1.00"] * samples] * (len(COUNTERS) - len(columns)))]
    head = [f"\\\\esx01\\Group Cpu(10:web01)\\{name}" for name in COUNTERS]
    lines = [",".join(f'"{cell}"' for cell in ["(PDH-CSV 4.0) (UTC)(0)", *head])]
    for n in range(samples):
        time = f"03/10/2026 09:{(first + n) // 60:02}:{(first + n) % 60:02}"
        lines.append(f'"{time}",' + ",".join(f"{quote}{column[n]}{quote}" for column in every))
    path.write_text("\n".join(lines) + "\n" + end, encoding="utf-8")
    return path


def read_back(cells: CaptureCells) -> list[list[str]]:
    part = cells.read(np.arange(len(cells)))
    assert not part.lost.any()
    return [[part.cell(row, n) for n in range(len(cells.times))] for row in range(len(cells))]


FIXED = st.integers(-(10**9), 10**9).map(lambda n: f"{n / 100:.2f}").filter(lambda text: text != "-0.00")
WHOLE = st.integers(-(10**14), 10**14).map(str)
SHORT = st.integers(0, 10**7).map(lambda n: f"{n / 100:.2f}".rstrip("0").rstrip("."))
MARK = st.sampled_from(["-1.00", "-2.00", "-3.00", "0.00", "7.25"])
OTHER = ("1e3", "+5")
ODD = st.sampled_from(
    ["1.50", "007", ".5", "-0.00", "-0", "1e3", "+5", "0.5000", "12345678901234567890", "", "01.25"]
)


@pytest.mark.parametrize("quote", ['"', ""])
@settings(max_examples=12)
@given(data=st.data())
def test_every_cell_of_a_column_comes_back(
    tmp_path_factory: pytest.TempPathFactory, quote: str, data: st.DataObject
) -> None:
    samples = data.draw(st.integers(1, 14))
    kinds = data.draw(
        st.lists(st.sampled_from([FIXED, WHOLE, SHORT, MARK] + [ODD] * (not quote)), min_size=1, max_size=4)
    )
    columns = [data.draw(st.lists(kind, min_size=samples, max_size=samples)) for kind in kinds]
    path = written(tmp_path_factory.mktemp("cells") / "a.csv", columns, quote=quote)
    cells = cells_of(path)
    told = read_back(cells)
    rows = [time.minute * 60 + time.second for time in cells.times.to_list()]
    for said, got in zip(columns, told, strict=False):
        there = [said[row] for row in rows]
        # A number that is printed as its column's are not is not believed, and has no cell.
        assert all(one in {"", other} for one, other in zip(got, there, strict=True))
        assert (
            got == there
            or len({len(each.partition(".")[2]) for each in said}) > 1
            or not set(said).isdisjoint(OTHER)
        )


def test_odd_cells_are_kept_as_texts_where_columns_are_printed_so(tmp_path: Path) -> None:
    columns = [
        ["1e3", "2e3", "5e0", "+7"],
        ["007", "-0", "12", "00"],
        ["", "x", "1", "2"],
        ["9" * 17, "1", "2", "3"],
    ]
    told = read_back(cells_of(written(tmp_path / "a.csv", columns, quote="")))
    assert told[:4] == columns


def test_marks_for_none_are_cells(tmp_path: Path) -> None:
    columns = [["-1.00", "3.00", "-1.00"], ["-1", "-1", "-1"]]
    assert read_back(cells_of(written(tmp_path / "a.csv", columns)))[:2] == columns


def test_segments_printed_in_two_ways_are_one_series(tmp_path: Path) -> None:
    esxtop = written(tmp_path / "a.csv", [["1.50", "2.00", "0.25"], ["1", "2", "3"]])
    resaved = written(tmp_path / "b.csv", [["1.5", "2", "0.2"], ["4", "5", "6"]], first=30, quote="")
    told = read_back(cells_of(esxtop, resaved))
    assert told[:2] == [["1.50", "2.00", "0.25", "1.5", "2", "0.2"], ["1", "2", "3", "4", "5", "6"]]


def test_of_samples_that_go_back_in_time_the_later_ones_are_left_out(tmp_path: Path) -> None:
    one = written(tmp_path / "a.csv", [["1.00", "2.00", "3.00"]], first=10)
    other = written(tmp_path / "b.csv", [["4.00", "5.00", "6.00"]], first=11)
    cells = cells_of(one, other)
    assert read_back(cells)[0] == ["1.00", "2.00", "3.00", "6.00"]
    assert cells.backwards == 2
    assert list(cells.judged) == [False, True, True, True]


@pytest.mark.parametrize("path", [Path(__file__).parents[2] / "samples/software-mmu/esxtop-000.csv.gz", REAL])
def test_every_cell_of_a_capture_comes_back(path: Path) -> None:
    if not path.exists():
        pytest.skip(f"the real capture is not there: {path}")
    import gzip

    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    cells = cells_of(path)
    told, parts = read_back(cells), cells.columns.select("cell", "part").rows()
    for (place, part), got in zip(parts, told, strict=True):
        whole = [row[place] for row in rows]
        assert [cell.split('"')[part - 1].strip() if part else cell.strip() for cell in whole] == got


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=20), st.integers(0, 6))
def test_the_fewest_decimals_of_a_number_are_those_of_its_shortest_text(wholes: list[int], most: int) -> None:
    found = fewest_decimals(np.array([wholes]), np.array([most], np.uint8))[0].tolist()
    for whole, fewest in zip(wholes, found, strict=True):
        digits = str(whole).zfill(most + 1)
        behind = digits[len(digits) - most :].rstrip("0")
        assert fewest == len(behind)


@given(
    st.lists(st.from_regex(r"-?[0-9]{1,9}(\.[0-9]{1,4})?|\.[0-9]{1,3}", fullmatch=True), min_size=1, max_size=30),
    st.booleans(),
)
def test_numbers_that_esxtop_does_not_print_are_noticed(texts: list[str], quoted: bool) -> None:
    mark = '"' if quoted else ""
    line = (
        "xxxxxxxxxxxxxxxxxxxx,"
        + ",".join(f"{mark}{text}{mark}" for text in texts)
        + ",yyyyyyyyyyyyyyyyyyyyyyyyyyyy"
    )
    commas = [n for n, letter in enumerate(line) if letter == ","]
    places = Places(np.array(commas[:-1]) + 1, np.array(commas[1:]))
    values, sound = np.empty(len(texts)), np.empty(len(texts), np.bool_)
    decimals, buffers = np.empty(len(texts), np.uint8), Buffers()
    fill(np.frombuffer(line.encode(), np.uint8), places, values, sound, buffers, decimals=decimals)
    told = zip(values, decimals, texts, sound, strict=True)
    same = [f"{v:.{d}f}" == text and (v != 0 or text[0] != "-") for v, d, text, fine in told if fine]
    assert buffers.unusual == (not all(same))
