r"""PDH-CSV: the same bytes in fewer cells, and never a value that the reader would not believe."""

from __future__ import annotations

import csv
import gzip
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import zstandard
from hostsim import plan_of_width, write_capture
from hypothesis import given
from hypothesis import strategies as st
from made_captures import (
    HOST,
    NAMES,
    START,
    STEP,
    cell,
    header,
    joined,
    lines,
    needs_of,
    read,
    reported,
    row,
    stamp,
    unquoted,
)
from made_captures import write as write_bytes
from read_by_hand import REAL, by_hand

from esxprobe.errors import OutputError, UnreadableInputError, UsageError
from esxprobe.extract import Extracted, Selection, extract
from esxprobe.formats.paths import split_path
from esxprobe.formats.window import TimeWindow, parse_moment

Rows = list[list[str]]


def made(
    folder: Path, data: bytes, query: Selection | None = None, window: TimeWindow | None = None
) -> tuple[Rows, Extracted]:
    """What an extract of a capture holds, cell by cell."""
    target = folder / "part.csv"
    result = extract([write_bytes(folder, data)], query or Selection(), window or TimeWindow(), target)
    return cells_of(target), result


def cells_of(path: Path) -> Rows:
    """Every cell of a file, as the csv module reads it."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def codes(result: Extracted) -> dict[str, int]:
    return {note.code: note.count for note in result.notes}


# --- the slow twin --------------------------------------------------------------------------------


def twin(data: bytes, patterns: list[str], first: str, last: str) -> Rows:
    """The same, as anybody would write it for a file without any damage."""
    head, *rows = csv.reader(data.decode().splitlines())
    keep = [
        n for n, name in enumerate(head) if n and any(fnmatchcase(split_path(name)[3], each) for each in patterns)
    ]
    return [
        [line[0], *(line[n] for n in keep)] for line in [head, *rows] if line is head or first <= line[0] <= last
    ]


@given(
    patterns=st.lists(
        st.sampled_from([split_path(name)[3] for name in NAMES] + ["% ?un", "%*"]), min_size=1, max_size=4
    ),
    bounds=st.tuples(st.integers(-1, 8), st.integers(0, 8)).filter(lambda b: b[0] <= b[1] and b[0] < 6),
    rows=st.integers(6, 9),
)
def test_any_choice_and_window_of_a_sound_file_is_what_the_csv_module_makes(
    tmp_path_factory: pytest.TempPathFactory, patterns: list[str], bounds: tuple[int, int], rows: int
) -> None:
    data = joined(lines(rows))
    first, last = bounds
    window = TimeWindow(
        parse_moment((START + first * STEP).isoformat()), parse_moment(f"+{last * STEP.total_seconds():.0f}s")
    )
    got, result = made(tmp_path_factory.mktemp("twin"), data, Selection(counters=tuple(patterns)), window)
    assert got == twin(data, patterns, stamp(first), stamp(last))
    assert (result.rows, result.seen) == (len(got) - 1, rows)


def test_everything_of_a_sound_file_is_the_file_itself(tmp_path: Path) -> None:
    data = joined(lines())
    _, result = made(tmp_path, data)
    assert (tmp_path / "part.csv").read_bytes() == data
    assert (result.columns, result.rows, result.outside, result.without) == (len(NAMES), 6, 0, 0)


def test_a_wide_host_is_the_same_bytes_too(tmp_path: Path) -> None:
    """Blocks, scattered cells and neighbors, with many decimals and none."""
    source = tmp_path / "wide.csv"
    write_capture(source, plan_of_width(3_000, 60, 3))
    extract([source], Selection(), TimeWindow(), tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_bytes() == source.read_bytes()
    extract([source], Selection(counters=("% Ready", "*MBytes*")), TimeWindow(), tmp_path / "some.csv")
    assert cells_of(tmp_path / "some.csv") == twin(source.read_bytes(), ["% Ready", "*MBytes*"], "", "9")


@pytest.mark.parametrize("ending", ["csv.gz", "csv.zst"])
def test_packed_captures_give_the_same(tmp_path: Path, ending: str) -> None:
    data = joined(lines())
    pack = gzip.compress if ending == "csv.gz" else zstandard.ZstdCompressor().compress
    source = write_bytes(tmp_path, pack(data), f"c.{ending}")
    extract([source], Selection(), TimeWindow(), tmp_path / "part.csv")
    assert (tmp_path / "part.csv").read_bytes() == data


# --- damage ---------------------------------------------------------------------------------------

FEW = NAMES[:5]
GOOD = joined(lines(5, FEW))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    at = draw(st.integers(0, len(GOOD) - 1))
    length = draw(st.integers(0, 120))
    return (
        GOOD[:at] + draw(st.sampled_from([b"", b"x", b",", b'"', b"\n", b"\x00", b" ", b"7"])) + GOOD[at + length :]
    )


@given(damaged())
def test_an_extract_of_a_damaged_file_holds_what_the_reader_believes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    try:
        believed = reported(read(folder, data, needs=needs_of(FEW)))
    except UnreadableInputError:
        with pytest.raises((UnreadableInputError, UsageError)):
            made(folder, data)
        return
    made(folder, data)
    again = read(folder, (folder / "part.csv").read_bytes(), needs=needs_of(FEW))
    assert reported(again) == believed


def test_a_cell_that_is_no_number_is_blank_and_counted(tmp_path: Path) -> None:
    rows = lines()
    rows[3] = rows[3].replace(cell(2, 4), "oops")
    got, result = made(tmp_path, joined(rows))
    assert got[3] == ["04/24/2018 10:49:22", *("" if c == 4 else cell(2, c) for c in range(len(NAMES)))]
    assert codes(result)["bad-cell"] == 1


def test_a_row_that_cannot_be_trusted_is_left_out_and_counted(tmp_path: Path) -> None:
    rows = lines()
    rows[3] = rows[3].replace(",", ";")
    got, result = made(tmp_path, joined(rows))
    assert [line[0] for line in got[1:]] == [stamp(n) for n in (0, 1, 3, 4, 5)]
    assert (result.rows, result.seen) == (5, 6)


def test_a_row_cut_short_keeps_its_cells_and_is_blank_behind(tmp_path: Path) -> None:
    data = joined(lines())
    got, result = made(tmp_path, data[:-4])
    assert got[-1] == [stamp(5), *(cell(5, c) for c in range(len(NAMES) - 1)), ""]
    assert codes(result)["row-cut"] == 1


def test_a_file_that_a_spreadsheet_saved_gets_its_quotes_and_stamps_back(tmp_path: Path) -> None:
    data = unquoted(joined(lines()))
    data = data.replace(b"04/24/2018 10:", b"4/24/2018 10:")
    made(tmp_path, data)
    assert (tmp_path / "part.csv").read_bytes() == joined(lines())


def test_an_unreadable_time_costs_its_row(tmp_path: Path) -> None:
    rows = lines()
    rows[2] = rows[2].replace(stamp(1), "04/44/2018 10:49:17")
    got, result = made(tmp_path, joined(rows))
    assert [line[0] for line in got[1:]] == [stamp(n) for n in (0, 2, 3, 4, 5)]
    assert codes(result)["time-unreadable"] == 1


# --- odd headers ----------------------------------------------------------------------------------


def test_words_are_written_as_they_stand(tmp_path: Path) -> None:
    names = [*NAMES[:2], rf"{HOST}\RDMA Device(vmrdma0)\Queue Pairs Allocated"]
    words = rf"{HOST}\RDMA Device(vmrdma0)\Team Uplink"
    data = joined([header([*names, words]), *(row(n, names) + ',"vmnic0, vmnic1"' for n in range(6))])
    made(tmp_path, data)
    assert (tmp_path / "part.csv").read_bytes() == data


def test_columns_without_a_name_and_cells_of_two_values_are_told_apart(tmp_path: Path) -> None:
    a, b, c = NAMES[1], NAMES[3], NAMES[4]
    glued = f'"(PDH-CSV 4.0) (UTC)(0)","{a}",   -"{b}","{c}",   -'
    data = joined([glued, *(f'"{stamp(n)}","1.{n}",    2.{n}"3.{n}","4.{n}",    5.{n}' for n in range(6))])
    got, _ = made(tmp_path, data)
    believed = reported(read(tmp_path, data, needs=needs_of([a, b, c])))
    again = reported(read(tmp_path, (tmp_path / "part.csv").read_bytes(), needs=needs_of([a, b, c])))
    assert again == believed
    assert believed
    assert [line[1:] for line in got] == [
        [a, "   -", b, c, "   -"],
        *([f"{k}.{n}" for k in range(1, 6)] for n in range(6)),
    ]


def test_names_with_quotes_and_commas_come_back(tmp_path: Path) -> None:
    names = [*NAMES[:2], rf'{HOST}\Group Cpu(11:a "b", c)\% Used']
    data = joined(lines(6, names))
    got, _ = made(tmp_path, data)
    assert got[0][1:] == names


def test_more_columns_than_a_spreadsheet_has_become_several_files(tmp_path: Path) -> None:
    source = tmp_path / "wide.csv"
    write_capture(source, plan_of_width(20_000, 3, 1))
    result = extract([source], Selection(), TimeWindow(), tmp_path / "out" / "all.csv")
    assert [path.name for path in result.paths] == ["all-01.csv", "all-02.csv"]
    parts = [cells_of(path) for path in result.paths]
    assert all(len(line) < 16_384 for part in parts for line in part)
    assert [one + other[1:] for one, other in zip(*parts, strict=True)] == cells_of(source)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["all-01.csv", "all-02.csv"]


# --- several headers ------------------------------------------------------------------------------


def later(n: int, names: list[str]) -> str:
    """Row n, an hour later."""
    moved = format(START + timedelta(hours=1) + n * STEP, "%m/%d/%Y %H:%M:%S")
    return row(n, names).replace(stamp(n), moved)


BETA = rf"{HOST}\Group Cpu(20:beta)\% Used"


def test_segments_with_other_columns_are_put_side_by_side(tmp_path: Path) -> None:
    """As a collector's folder holds them, when a VM arrives between two segments."""
    first = write_bytes(tmp_path, joined(lines(2)), "a.csv")
    names = [*NAMES[:3], BETA]
    second = write_bytes(tmp_path, joined([header(names), *(later(n, names) for n in range(2))]), "b.csv")
    result = extract([first, second], Selection(), TimeWindow(), tmp_path / "part.csv")
    got = cells_of(tmp_path / "part.csv")
    assert got[0][1:] == [*NAMES, BETA]
    assert got[1][1:] == [*(cell(0, c) for c in range(len(NAMES))), ""]
    assert got[3][1:] == [*(cell(0, c) for c in range(3)), "", "", "", "", cell(0, 3)]
    assert result.columns == len(NAMES) + 1


def test_segments_without_a_chosen_column_are_left_out_and_counted(tmp_path: Path) -> None:
    names = [*NAMES[:3], BETA]
    data = joined([*lines(2), header(names), *(later(n, names) for n in range(2))])
    got, result = made(tmp_path, data, Selection(entities=("20:beta",)))
    assert got[0][1:] == [BETA]
    assert [line[1] for line in got[1:]] == [cell(n, 3) for n in range(2)]
    assert (result.rows, result.without) == (2, 2)


def test_a_header_that_repeats_is_one(tmp_path: Path) -> None:
    data = joined([*lines(2), header(), *(later(n, NAMES) for n in range(2))])
    got, _ = made(tmp_path, data)
    assert len(got) == 5
    assert got[3][1:] == [cell(0, c) for c in range(len(NAMES))]


# --- nothing, and nothing half ----------------------------------------------------------------------


def test_what_is_not_there_leaves_no_file_behind(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        made(tmp_path, joined(lines()), Selection(counters=("% Nothing",)))
    with pytest.raises(UsageError, match="no sample was taken at or after"):
        made(tmp_path, joined(lines()), window=TimeWindow(parse_moment("+1h")))
    assert [path.name for path in tmp_path.iterdir()] == ["capture.csv"]


def test_an_unknown_ending_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.csv, \.parquet, \.arrow"):
        extract([tmp_path / "missing.csv"], Selection(), TimeWindow(), tmp_path / "part.xlsx")


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    source = write_bytes(tmp_path, joined(lines()))
    with pytest.raises(OutputError, match="cannot be written"):
        extract([source], Selection(), TimeWindow(), source / "below" / "a-file.csv")
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(OutputError, match="exists and is not a file"):
        extract([source], Selection(), TimeWindow(), tmp_path / "taken.csv")


def test_a_guard_is_asked_for_every_file(tmp_path: Path) -> None:
    asked: list[Path] = []
    extract(
        [write_bytes(tmp_path, joined(lines()))], Selection(), TimeWindow(), tmp_path / "p.csv", guard=asked.append
    )
    assert set(asked) == {tmp_path / "p.csv"}


# --- what nobody of us wrote ------------------------------------------------------------------------


@pytest.mark.skipif(not REAL.exists(), reason=f"REAL CAPTURE ABSENT, NOT TESTED: {REAL}")
def test_a_real_hosts_cells_come_back_one_by_one(tmp_path: Path) -> None:
    """All fields of an ESXi 6 host, nameless and glued cells among them, against the csv module."""
    names, rows = by_hand()
    result = extract([REAL], Selection(), TimeWindow(), tmp_path / "real.csv")
    parts = [cells_of(path) for path in result.paths]
    got = [one[1:] + other[1:] for one, other in zip(*parts, strict=True)]
    assert [name for name in got[0] if name != "   -"] == [name for name in names if name.startswith("\\\\")]
    assert result.columns == len(names) == len(got[0])
    for line, raw in zip(got[1:], rows, strict=True):
        assert line == ["" if cell.strip() == "-" else cell.strip() for cell in raw]
    assert codes(result).keys() <= {"column-limit", "glued-cell", "unnamed-column", "bad-cell", "first-sample"}
