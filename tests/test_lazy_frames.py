"""A capture as a LazyFrame: the values of `extract` whatever a query asks for, and no more work than that."""

from __future__ import annotations

import doctest
import gzip
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import esxprobe
from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.extract import Selection, extract
from esxprobe.formats import row_scanner
from esxprobe.formats.parse import Parser
from esxprobe.formats.window import TimeWindow

sys.path.insert(0, str(Path(__file__).resolve().parent / "formats"))

from made_captures import HOST, NAMES, START, STEP, cells, header, joined, lines, read, reported, row, stamp, write

CHECKOUT = Path(__file__).parents[1]
SAMPLES = CHECKOUT / "samples"
DEMO = SAMPLES / "demo" / "esxtop-000.csv.gz"
when = pl.col("time")


def short(path: str) -> str:
    return path.removeprefix(HOST + "\\")


def at(n: int) -> datetime:
    return (START + n * STEP).replace(tzinfo=UTC)


def wide(count: int = 60, columns: int = 40) -> list[str]:
    """A capture of many rows and some columns."""
    names = [*NAMES, *(rf"{HOST}\Vcpu(10:alpha:{n}:vmx-vcpu-{n}:alpha)\% Run" for n in range(2000, 2000 + columns))]
    return lines(count, names)


def codes(capture: esxprobe.Capture) -> dict[str, int]:
    return {note.code: note.count for note in capture.notes}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come in many blocks even of a small file."""
    monkeypatch.setattr("esxprobe.formats.scan.BLOCK", 1 << 12)
    monkeypatch.setattr("esxprobe.formats.head._BANNER", 1 << 12)
    monkeypatch.setattr("esxprobe.formats.source.HEAD", 1 << 12)


# What is in it


@pytest.mark.parametrize("sample", ["demo", "software-mmu", "hardware-mmu"])
def test_every_cell_is_what_extract_writes(tmp_path: Path, sample: str) -> None:
    made = extract(sorted((SAMPLES / sample).glob("esxtop-*")), Selection(), TimeWindow(), tmp_path / "all.csv")
    sheet = pl.concat(
        [pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True) for path in made.paths], how="horizontal"
    )
    frame = esxprobe.scan(SAMPLES / sample).collect()
    assert frame.width == sheet.width
    times = sheet.to_series(0).str.strptime(pl.Datetime("us", "UTC"), "%m/%d/%Y %H:%M:%S")
    assert frame["time"].to_list() == times.to_list()
    columns = esxprobe.open(SAMPLES / sample).columns
    assert columns["column"].to_list() == frame.columns[1:]
    for n in range(1, frame.width):
        texts = sheet.to_series(n).replace("", None)
        own = frame.to_series(n)
        expected = texts if own.dtype == pl.String else texts.cast(pl.Float64)
        assert own.to_list() == expected.to_list(), frame.columns[n]


def test_columns_are_called_by_their_path_without_the_host(tmp_path: Path) -> None:
    frame = esxprobe.scan(write(tmp_path, joined(lines())))
    assert frame.collect_schema() == {"time": pl.Datetime("us", "UTC")} | {short(n): pl.Float64 for n in NAMES}


def test_names_are_unique(tmp_path: Path) -> None:
    names = [NAMES[0], NAMES[1], NAMES[1], NAMES[2], r"\\esx01\time"]
    text = [header(names), *(row(n, names) for n in range(12))]
    capture = esxprobe.open(write(tmp_path, joined(text).replace(b'"' + NAMES[2].encode() + b'"', b"   -")))
    found = capture.scan().collect_schema().names()
    assert found == [
        "time",
        short(NAMES[0]),
        short(NAMES[1]),
        short(NAMES[1]) + "#2",
        "unnamed after " + short(NAMES[1]),
        r"\\esx01\time" if r"\\esx01\time" in found else "time",
    ]
    assert len(set(found)) == len(found)


def test_words_are_text(tmp_path: Path) -> None:
    names = [*NAMES, rf"{HOST}\RDMA Device(vmrdma0)\Name"]
    text = [header(names), *(f'{row(n, NAMES)},"vmnic{n % 2}, up"' for n in range(12))]
    path = write(tmp_path, joined(text))
    column = short(names[-1])
    capture = esxprobe.open(path)
    assert capture.scan().collect_schema()[column] == pl.String
    assert capture.scan().select(column).collect().to_series().to_list() == [f"vmnic{n % 2}, up" for n in range(12)]


# Queries


@pytest.fixture(scope="module")
def demo() -> tuple[pl.LazyFrame, pl.DataFrame]:
    frame = esxprobe.scan(DEMO)
    return frame, frame.collect()


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_query_gives_what_it_would_of_the_whole_frame(
    demo: tuple[pl.LazyFrame, pl.DataFrame], data: st.DataObject
) -> None:
    lazy, whole = demo
    names = data.draw(st.lists(st.sampled_from(whole.columns), max_size=12, unique=True), label="columns")
    first, last = sorted(data.draw(st.tuples(*[st.integers(-3, 200)] * 2), label="window"))
    begin = whole["time"][0]
    window = when.is_between(begin + timedelta(seconds=5 * first), begin + timedelta(seconds=5 * last))
    column = data.draw(st.sampled_from(whole.columns[1:]), label="of the predicate")
    predicate = data.draw(
        st.sampled_from(
            [
                window,
                ~window,
                window & (pl.col(column) > whole[column].median()),
                (when >= begin + timedelta(seconds=5 * first))
                & (when.dt.second() > 20)
                & pl.col(column).is_not_null(),
                window | (pl.col(column) == 0),
                when.dt.minute() % 3 == 1,
            ]
        ),
        label="predicate",
    )
    n_rows = data.draw(st.none() | st.integers(0, 200), label="rows")
    engine = data.draw(st.sampled_from(["in-memory", "streaming"]), label="engine")

    def query(frame: pl.LazyFrame) -> pl.LazyFrame:
        asked = frame.filter(predicate) if n_rows is None else frame.head(n_rows).filter(predicate)
        return asked.select(names)

    assert_frame_equal(query(lazy).collect(engine=engine), query(whole.lazy()).collect())


def test_rows_can_be_counted_and_the_first_ones_taken() -> None:
    frame = esxprobe.scan(DEMO)
    assert frame.select(pl.len()).collect().item() == 181
    assert frame.head(3).select("time").collect().height == 3
    assert frame.filter(when.dt.minute() == 33).head(2).collect(engine="streaming").height == 2
    assert frame.head(0).collect().shape == (0, 9697)


def test_a_predicate_may_read_columns_that_are_not_selected() -> None:
    name = r"Memory\Free MBytes"
    frame = esxprobe.scan(DEMO)
    free = frame.select(name).collect().to_series()
    assert frame.filter(pl.col(name) < free.mean()).select("time").collect().height == int(
        (free < free.mean()).sum()
    )


# What it costs


class Asked:
    """Counts what the reader is asked for: cells to be parsed, and rows to be looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cells = self.rows = 0
        scanned = row_scanner.RowScanner.scan

        def counting(own: row_scanner.RowScanner, text: object, starts: object, ends: object) -> object:
            self.cells += len(own.cells) * len(starts)  # type: ignore[arg-type]
            self.rows += len(starts) if len(own.cells) else 0  # type: ignore[arg-type]
            return scanned(own, text, starts, ends)  # type: ignore[arg-type]

        monkeypatch.setattr(row_scanner.RowScanner, "scan", counting)


def test_only_what_is_asked_for_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = esxprobe.scan(DEMO)
    names = frame.collect_schema().names()
    asked = Asked(monkeypatch)
    frame.select("time", *names[10:15]).collect()
    assert asked.cells == 5 * 181
    asked.cells = 0
    frame.filter(pl.col(names[20]) >= 0).select(names[10:15]).collect()
    assert asked.cells == 6 * 181
    asked.cells = 0
    frame.select("time").collect()
    assert asked.cells == 181  # one column, by which rows are checked


@pytest.mark.usefixtures("small_blocks")
def test_rows_behind_the_window_are_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, joined(wide(400)))
    frame = esxprobe.scan(path)
    asked = Asked(monkeypatch)
    found = frame.filter(when.is_between(at(20), at(40))).select("time", short(NAMES[3])).collect()
    assert found["time"].to_list() == [at(n) for n in range(20, 41)]
    assert 41 <= asked.rows <= 41 + 20


@pytest.mark.usefixtures("small_blocks")
def test_a_window_is_whole_when_the_clock_goes_back_into_it(tmp_path: Path) -> None:
    order = [*range(200), *range(50, 60), *range(200, 210)]
    path = write(tmp_path, joined([header(), *(row(n) for n in order)]))
    frame = esxprobe.scan(path)
    whole = frame.collect()
    window = when.is_between(at(40), at(70))
    assert_frame_equal(frame.filter(window).collect(), whole.filter(window))
    assert whole.filter(window).height == 41


def test_the_schema_needs_the_header_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, joined(lines()))

    def refuse(*_: object) -> None:
        raise AssertionError("rows were read")

    monkeypatch.setattr("esxprobe.formats.scan.FileReader.batches", refuse)
    monkeypatch.setattr(Parser, "rows", refuse)
    assert len(esxprobe.scan(path).collect_schema()) == len(NAMES) + 1
    assert esxprobe.open(path).columns.height == len(NAMES)


@pytest.mark.usefixtures("small_blocks")
def test_frames_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, joined(wide(2000)))
    monkeypatch.setattr("esxprobe.frames.frame_builder.SIZE", 8 * 47 * 100)
    heights = [frame.height for frame in esxprobe.open(path)._frames(None, None, None, None)]
    assert sum(heights) == 2000
    assert max(heights) < 100 + 20  # a frame is given when it is full: it holds a part of a block too many
    mean = pl.col(short(NAMES[0])).mean()
    assert esxprobe.scan(path).select(mean).collect(engine="streaming").item() == 1000 + 1999 / 2


def test_import_loads_no_library() -> None:
    program = "import sys, esxprobe; print(*sorted(sys.modules)); esxprobe.Capture; print('polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert not {"polars", "numpy", "scipy", "isal"} & set(done.stdout.split())


# Damage


def damaged() -> bytes:
    """One cell lost and another one too many in line 14, a torn line, and a line cut at the end."""
    text = wide(40)
    parts = text[13].split(",")
    text[13] = ",".join([parts[0], *parts[2:20], '"7.77"', *parts[20:]])
    middle = len(text[20]) // 2
    text[20] = text[20][:middle] + "\n" + text[20][middle:]
    text[30] = text[30][: len(text[30]) // 3]
    return joined(text)


def torn(count: int, places: set[int]) -> bytes:
    """A capture with a line break in some rows, or a few bytes missing from them."""
    text = wide(count)
    for n, place in enumerate(sorted(places), 1):
        line = text[place + 1]
        cut = len(line) * n // 7
        text[place + 1] = line[:cut] + ("\n" if n % 2 else "") + line[cut + n % 3 :]
    return joined(text)


def has_the_values_of_extract(path: Path) -> None:
    """A capture gives what `extract` writes, value by value, and the same notes."""
    made = extract([path], Selection(), TimeWindow(), path.with_name("all.csv"))
    written = pl.read_csv(made.paths[0], infer_schema=False)
    capture = esxprobe.open(path)
    frame = capture.scan().collect()
    assert frame.height == written.height
    for n in range(1, frame.width):
        texts = written.to_series(n).replace("", None)
        assert frame.to_series(n).to_list() == texts.cast(pl.Float64).to_list()
    assert capture.notes == made.notes


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(places=st.sets(st.integers(0, 39), min_size=1, max_size=6))
def test_a_torn_capture_has_the_values_of_extract(tmp_path: Path, places: set[int]) -> None:
    path = write(tmp_path, torn(40, places))
    has_the_values_of_extract(path)


@pytest.mark.usefixtures("small_blocks")
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(
    window=st.tuples(st.integers(-2, 130), st.integers(-2, 130)), places=st.sets(st.integers(0, 119), max_size=6)
)
def test_a_window_of_a_damaged_capture_has_the_rows_of_the_whole_one(
    tmp_path: Path, window: tuple[int, int], places: set[int]
) -> None:
    frame = esxprobe.scan(write(tmp_path, torn(120, places)))
    asked = when.is_between(at(min(window)), at(max(window)))
    assert_frame_equal(frame.filter(asked).collect(), frame.collect().filter(asked))


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_a_damaged_capture_has_the_values_of_the_reports_reader(tmp_path: Path, ending: str) -> None:
    data = damaged()
    names = [name.strip('"') for name in wide(1)[0].split('","')[1:]]
    names[-1] = names[-1].removesuffix('"')
    recording = read(tmp_path, data, names=names)
    path = write(tmp_path, gzip.compress(data) if ending.endswith("gz") else data, f"c.{ending}")
    capture = esxprobe.open(path)
    frame = capture.scan().collect()
    known = reported(recording)
    found = {
        (format(line["time"], "%m/%d/%Y %H:%M:%S"), rf"{HOST}\{name}"): value
        for line in frame.slice(1).iter_rows(named=True)
        for name, value in line.items()
        if name != "time" and value is not None
    }
    assert found == known
    assert at(12) not in frame["time"].to_list()
    readers = {note.code: note.count for note in recording.notes}
    for code in ("row-shifted", "row-split", "row-cut"):
        assert codes(capture).get(code) == readers.get(code), code
    assert codes(capture)["row-shifted"] == 1


def test_a_damaged_capture_has_the_values_of_extract(tmp_path: Path) -> None:
    path = write(tmp_path, damaged())
    has_the_values_of_extract(path)


def test_cells_that_are_no_number_are_null_and_counted(tmp_path: Path) -> None:
    text = lines(30)
    for n, cell in {10: '"inf"', 13: '"oops"', 16: '""', 19: '"-1.00"'}.items():
        parts = text[n + 1].split(",")
        text[n + 1] = ",".join([*parts[:4], cell, *parts[5:]])
    capture = esxprobe.open(write(tmp_path, joined(text)))
    frame = capture.scan().collect()
    values = frame[short(NAMES[3])].to_list()
    assert [values[n] for n in (10, 13, 16, 19)] == [None, None, None, -1.0]
    assert sum(series.null_count() for series in frame) == 3
    assert codes(capture) == {"bad-cell": 2, "blank-cell": 1}


# Files


def test_a_gzip_and_a_zstd_file_are_the_plain_one(tmp_path: Path) -> None:
    import zstandard

    data = joined(wide(30))
    plain = esxprobe.scan(write(tmp_path, data)).collect()
    for name, packed in (("c.csv.gz", gzip.compress(data)), ("c.csv.zst", zstandard.compress(data))):
        assert_frame_equal(esxprobe.scan(write(tmp_path, packed, name)).collect(), plain)


def folder_of(tmp_path: Path) -> Path:
    """A capture folder of three segments; the second one has a VM more."""
    folder = tmp_path / "captured"
    folder.mkdir()
    more = [*NAMES, rf"{HOST}\Group Cpu(11:beta)\% Used", rf"{HOST}\Vcpu(11:beta:1100:vmx)\% Run"]
    parts = [(NAMES, range(20)), (more, range(20, 40)), (NAMES, range(40, 60))]
    for n, (names, rows) in enumerate(parts):
        text = joined([header(names), *(row(k, names) for k in rows)])
        (folder / f"esxtop-{n:03}.csv.gz").write_bytes(gzip.compress(text))
    manifest = {"schema": "esxprobe.capture/1", "host": "esx01", "build": "VMware ESXi 7.0.3 build-1"}
    (folder / "capture.json").write_text(json.dumps(manifest))
    return folder


def test_segments_are_one_frame(tmp_path: Path) -> None:
    capture = esxprobe.open(folder_of(tmp_path))
    frame = capture.scan().collect()
    assert frame["time"].to_list() == [at(n) for n in range(60)]
    assert frame[short(NAMES[0])].to_list() == [1000.0 + n for n in range(60)]
    beta = r"Group Cpu(11:beta)\% Used"
    assert frame[beta].is_not_null().to_list() == [20 <= n < 40 for n in range(60)]
    alone = capture.scan().filter(when < at(30)).select(beta).collect()
    assert alone.to_series().to_list() == frame[beta].to_list()[:30]


def test_what_a_capture_says_of_itself(tmp_path: Path) -> None:
    capture = esxprobe.open(folder_of(tmp_path))
    assert (capture.host, capture.build) == ("esx01", "VMware ESXi 7.0.3 build-1")
    assert (capture.start, capture.end, capture.samples) == (at(0), at(59), 60)
    assert capture.entities.filter(kind="vm").select("name", "gid", "vm").rows() == [
        ("alpha", "10", "alpha"),
        ("beta", "11", "beta"),
    ]
    asked = capture.columns.filter(vm="alpha", label="%RDY")
    assert asked.select("column", "object", "counter", "unit", "kind").rows() == [
        (short(NAMES[5]), "Vcpu", "% Ready", "%", "vcpu")
    ]
    assert "esx01" in repr(capture)


def test_columns_that_belong_to_nothing_are_columns_all_the_same(tmp_path: Path) -> None:
    names = [rf"{HOST}\Vcpu(odd)\% Run", rf"{HOST}\Vcpu(odd)\% Ready"]
    capture = esxprobe.open(write(tmp_path, joined(lines(12, names))))
    assert capture.entities.height == 0
    assert capture.columns.select("column", "kind", "entity", "vm").rows() == [
        (short(n), "", None, None) for n in names
    ]
    assert capture.scan().collect().shape == (12, 3)


def test_an_appended_capture_is_joined_and_what_its_header_adds_is_told(tmp_path: Path) -> None:
    more = [*NAMES[:3], rf"{HOST}\Physical Cpu(1)\% Util Time"]
    text = [*lines(20), header(more), *(row(n, more) for n in range(20, 40))]
    capture = esxprobe.open(write(tmp_path, joined(text)))
    frame = capture.scan().collect()
    assert frame.columns == ["time", *map(short, NAMES)]
    assert frame[short(NAMES[0])].null_count() == 0
    assert frame[short(NAMES[5])].null_count() == 20
    assert codes(capture)["appended-columns"] == 1


def test_a_header_before_every_row_changes_nothing(tmp_path: Path) -> None:
    text = [line for n in range(30) for line in (header(), row(n))]
    capture = esxprobe.open(write(tmp_path, joined(text)))
    plain = esxprobe.scan(write(tmp_path, joined(lines(30)), "plain.csv")).collect()
    assert_frame_equal(capture.scan().collect(), plain)
    assert codes(capture) == {"repeated-header": 29}


@pytest.mark.parametrize("query", ["head", "filter"])
def test_notes_of_a_query_that_stops_early_tell_what_it_met(tmp_path: Path, query: str) -> None:
    text = wide(40)
    text[5] = text[5][: len(text[5]) // 2]
    capture = esxprobe.open(write(tmp_path, joined(text)))
    assert codes(capture) == {}
    frame = capture.scan()
    (frame.head(20) if query == "head" else frame.filter(when < at(20)).head(3)).collect()
    assert codes(capture) == {"row-lost": 1}


def test_a_resaved_capture_without_a_row_that_fits_is_unreadable(tmp_path: Path) -> None:
    """Its stamps are read before its rows: there are none."""
    text = [lines(1)[0], *(line.replace(",", "") for line in lines(4)[1:])]
    capture = esxprobe.open(write(tmp_path, joined(text).replace(b'"', b"")))
    with pytest.raises(UnreadableInputError, match="has 4 rows, and none fits its header"):
        capture.scan().collect()


def test_a_column_whose_path_ends_behind_the_host_has_a_name(tmp_path: Path) -> None:
    names = [*NAMES, HOST + "\\"]
    capture = esxprobe.open(write(tmp_path, joined(lines(12, names))))
    assert capture.scan().collect().columns == ["time", *map(short, NAMES), HOST + "\\"]
    assert capture.scan().select(HOST + "\\").head(2).collect().to_series().to_list() == [7.7, 17.71]


def test_two_hosts_are_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    other = joined(lines()).replace(b"esx01", b"esx02")
    (folder / "esxtop-003.csv.gz").write_bytes(gzip.compress(other))
    with pytest.raises(UnreadableInputError, match="several hosts"):
        esxprobe.open(folder)


def test_rows_of_another_host_further_down_are_lost_under_each_of_its_headers(tmp_path: Path) -> None:
    """A header that is refused is none that the next one repeats, and the capture's own behind it is repeated."""
    other = [line.replace("esx01", "esx02") for line in [header(), row(12), row(13)]]
    text = joined([*lines(12), *other, *other, header(), *map(row, range(14, 26))])
    capture = esxprobe.open(write(tmp_path, text))
    frame = capture.scan().collect()
    assert frame["time"].to_list() == [at(n) for n in [*range(12), *range(14, 26)]]
    assert codes(capture) == {"damaged-header": 2, "row-lost": 4, "repeated-header": 1}


# Times


def spreadsheet(data: bytes) -> bytes:
    """Stamps without seconds and cells without quotes, as a spreadsheet saves them."""
    text = data.decode().splitlines()
    rows = []
    for n, line in enumerate(text[1:]):
        values = line.replace('"', "").split(",")[1:]
        rows.append(",".join([f"{START + n * STEP:%m/%d/%Y %H:%M}", *values]))
    return joined([text[0].replace('"', ""), *rows], "\r\n")


@pytest.mark.parametrize("change", ["seconds", "day-first", "iso"])
def test_stamps_that_are_not_esxtops_are_read_as_the_report_reads_them(tmp_path: Path, change: str) -> None:
    data = joined(lines(60))
    if change == "seconds":
        data = spreadsheet(data)
    for n in range(60):
        form = {"day-first": "%d/%m/%Y %H:%M:%S", "iso": "%Y-%m-%d %H:%M:%S"}.get(change)
        if form:
            data = data.replace(stamp(n).encode(), format(START + n * STEP, form).encode())
    recording = read(tmp_path, data)
    capture = esxprobe.open(write(tmp_path, data, "c.csv"))
    assert capture.times.to_list() == recording.samples["time"].to_list()
    window = when.is_between(at(10), at(20))
    whole = capture.scan().collect()
    assert_frame_equal(capture.scan().filter(window).collect(), whole.filter(window))
    told = {note.code: note.count for note in recording.notes}
    for code in ("seconds-lost", "day-first", "time-unreadable"):
        assert codes(capture).get(code) == told.get(code)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("form", "said"), [("%d/%m/%Y %H:%M:%S", "day-first"), ("%Y-%m-%d %H:%M:%S", "not esxtop's")]
)
def test_stamps_that_turn_out_to_be_others_are_refused(tmp_path: Path, form: str, said: str) -> None:
    """esxtop's own as far as anybody sees at first: 9 March and 3 September are one stamp."""
    late = datetime(2018, 3, 9, 23, 45)
    days = [late + timedelta(seconds=5) * n for n in range(600)]
    forms = ["%d/%m/%Y %H:%M:%S" if n < 170 else form for n in range(600)]
    text = [
        header(),
        *(
            f'"{day:{form}}",{row(n).split(",", 1)[1]}'
            for n, (day, form) in enumerate(zip(days, forms, strict=True))
        ),
    ]
    frame = esxprobe.scan(write(tmp_path, joined(text)))
    with pytest.raises(UnreadableInputError, match=said):
        frame.collect()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "+02:00"])
def test_a_zone_is_that_of_the_stamps(tmp_path: Path, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the night in which an hour exists twice."""
    for each in ("scan.BLOCK", "head._BANNER", "source.HEAD"):
        monkeypatch.setattr(f"esxprobe.formats.{each}", 1 << 9)
    begin = datetime(2018, 10, 28, 0, 50, tzinfo=UTC)
    moments = [begin + timedelta(minutes=5) * n for n in range(40)]
    local = [moment.astimezone(ZoneInfo("Europe/Berlin")) for moment in moments]
    text = [header(), *(f'"{t:%m/%d/%Y %H:%M:%S}",{row(n).split(",", 1)[1]}' for n, t in enumerate(local))]
    data = joined(text)
    recording = read(tmp_path, data, timezone=zone)
    capture = esxprobe.open(write(tmp_path, data, "c.csv"), timezone=zone)
    assert capture.times.to_list() == recording.samples["time"].to_list()
    if zone == "Europe/Berlin":
        assert capture.times.to_list() == moments
    for first, last in ((0, 5), (3, 14), (14, 39)):
        window = when.is_between(moments[first], moments[last])
        whole = capture.scan().collect()
        assert_frame_equal(capture.scan().filter(window).collect(), whole.filter(window))


# Errors


def test_a_zone_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="Mars"):
        esxprobe.scan(DEMO, timezone="Mars")


def test_what_is_no_capture_is_refused_at_once(tmp_path: Path) -> None:
    for data in (b"a,b\n1,2\n", b""):
        with pytest.raises(UnreadableInputError):
            esxprobe.scan(write(tmp_path, data))
    with pytest.raises(UnreadableInputError, match="does not exist"):
        esxprobe.open(tmp_path / "none.csv")


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ([header()], "no sample"),
        ([header(), "a,b", "c"], "none fits"),
        ([header(), *(f'"never",{row(n).split(",", 1)[1]}' for n in range(12))], "readable time"),
    ],
)
def test_nothing_to_read_is_an_error(tmp_path: Path, text: list[str], said: str, engine: str) -> None:
    frame = esxprobe.scan(write(tmp_path, joined(text)))
    with pytest.raises(UnreadableInputError, match=said):
        frame.collect(engine=engine)


def test_files_are_closed_when_a_query_stops_early(tmp_path: Path) -> None:
    capture = esxprobe.open(write(tmp_path, joined(wide(300))))
    frames = capture._frames(None, None, 5, 2)
    assert sum(frame.height for frame in frames) == 5
    frames = capture._frames(None, None, None, 2)
    next(frames)
    frames.close()  # a ResourceWarning would fail the test


# Documents


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)


def test_the_examples_of_the_docstrings_hold() -> None:
    assert set(esxprobe.__all__) == {"Capture", "__version__", "open", "scan"}
    result = doctest.testmod(esxprobe)
    assert result.attempted >= 12
    assert not result.failed
    result = doctest.testmod(sys.modules[esxprobe.Capture.__module__])
    assert result.attempted >= 6
    assert not result.failed


def test_the_examples_of_the_page_hold() -> None:
    result = doctest.testfile(str(CHECKOUT / "docs" / "python.md"), module_relative=False)
    assert result.attempted >= 12
    assert not result.failed


def test_the_attributes_in_the_page_are_those_of_a_capture() -> None:
    page = (CHECKOUT / "docs" / "python.md").read_text(encoding="utf-8").split("\n## ")[1]
    public = {name for name in dir(esxprobe.Capture) if not name.startswith("_")} | {"paths", "host", "build"}
    told = {line.split("`")[1].removesuffix("()") for line in page.splitlines() if line.startswith("| `")}
    assert told == public
    assert len(cells(0)) == len(NAMES)
