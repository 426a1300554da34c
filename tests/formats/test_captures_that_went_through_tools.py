"""Captures as real people have them: packed, filtered, saved again; read, or refused with the true reason."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_captures import NAMES, cell, counted, header, joined, lines, read, reported, stamp, truth, write

from esxprobe.errors import UnreadableInputError
from esxprobe.formats.source import Source

GOOD = joined(lines())
CASES = Path(__file__).parents[3] / "shared" / "data" / "cases"


def refused(folder: Path, data: bytes) -> UnreadableInputError:
    with pytest.raises(UnreadableInputError) as found:
        read(folder, data)
    return found.value


# --- archives --------------------------------------------------------------------------------------


def tar_of(data: bytes, form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        member = tarfile.TarInfo("esxtop.csv")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def old_tar_of(data: bytes) -> bytes:
    """Without a mark, as tar wrote it before 1988 and some devices still do."""
    block = bytearray(tar_of(data))
    block[257:345] = bytes(88)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\x00 " % sum(block[:512])
    return bytes(block)


def zip_of(data: bytes, name: str = "esxtop.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


ARCHIVES = {
    "a tar archive": tar_of(GOOD),
    "a tar archive ": tar_of(GOOD, tarfile.PAX_FORMAT),
    "a tar archive  ": old_tar_of(GOOD),
    "a zip archive": zip_of(GOOD),
    "a workbook": zip_of(GOOD, "[Content_Types].xml"),
    "a RAR archive": b"Rar!\x1a\x07\x01\x00" + GOOD,
    "a 7-Zip archive": b"7z\xbc\xaf\x27\x1c" + GOOD,
    "an xz file": b"\xfd7zXZ\x00" + GOOD,
    "a bzip2 file": b"BZh9" + GOOD,
    "a cpio archive": b"070701" + GOOD,
    "an Excel workbook": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + GOOD,
}


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize("packing", ["", "gzip", "zstandard"])
def test_an_archive_is_named_as_one(tmp_path: Path, name: str, packing: str) -> None:
    data = ARCHIVES[name]
    packed = {"": data, "gzip": gzip.compress(data), "zstandard": zstandard.ZstdCompressor().compress(data)}[
        packing
    ]
    error = refused(tmp_path, packed)
    assert name.strip() in error.message
    assert (f"inside a {packing} file" in error.message) == bool(packing)
    assert error.hint


def test_what_is_packed_twice_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path, gzip.compress(gzip.compress(GOOD)))
    assert "a gzip file inside a gzip file" in error.message
    assert error.hint == "decompress it once more"


def test_a_capture_is_no_archive(tmp_path: Path) -> None:
    for data in (GOOD, gzip.compress(GOOD), b"1234567 banner\n" + GOOD):
        assert reported(read(tmp_path, data)) == truth(range(1, 6))


def test_counters_of_the_service_without_ssh_are_named(tmp_path: Path) -> None:
    """What Azure VMware Solution hands out; and FetchStats as it stands."""
    raw = "==Server==\n|Server|1|\n==VCPU==\n|VCPU|1002|0|0|\n"
    for text in (f'"Timestamp","SampleNumber","RawData"\n"2026-04-10 09:00:00",1,"\n{raw}"\n', raw):
        for data in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
            error = refused(tmp_path, data)
            assert "raw counters of the esxtop service" in error.message
            assert "from the provider" in (error.hint or "")


# --- backslashes -----------------------------------------------------------------------------------

HEADERS = {
    "halved": lambda text: text.replace('"\\\\', '"\\'),
    "stripped": lambda text: text.replace('"\\\\', '"'),
    "doubled": lambda text: text.replace("\\", "\\\\"),
    "halved, no quotes": lambda text: text.replace('"\\\\', '"\\').replace('"', ""),
}


@pytest.mark.parametrize("name", HEADERS)
def test_backslashes_that_were_lost_on_the_way_are_restored(tmp_path: Path, name: str) -> None:
    recording = read(tmp_path, joined([HEADERS[name](header()), *lines()[1:]]))
    assert reported(recording) == truth(range(1, 6))
    assert counted(recording)["damaged-header"] == 1
    assert recording.host == "esx01"


def test_a_header_without_a_path_says_what_it_holds(tmp_path: Path) -> None:
    error = refused(tmp_path, joined([header().replace("\\", "/"), *lines()[1:]]))
    assert "none of the header's 8 cells is the path of a counter" in error.message
    assert "//esx01/Memory/Free MBytes" in error.message


# --- cells that are nothing ------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", ",\n"], ids=["LF", "CRLF", "a comma behind each row"])
def test_empty_cells_without_quotes_are_blank(tmp_path: Path, end: str) -> None:
    parts = lines()
    parts[3] = parts[3].replace(f'"{cell(2, 3)}"', "").replace(f'"{cell(2, 5)}"', "")
    parts[5] = parts[5].replace(f'"{cell(4, 0)}"', "")
    recording = read(tmp_path, joined(parts, end))
    lost = {(stamp(2), NAMES[3]), (stamp(2), NAMES[5]), (stamp(4), NAMES[0])}
    assert reported(recording) == {k: v for k, v in truth(range(1, 6)).items() if k not in lost}
    assert counted(recording)["blank-cell"] == 3


@pytest.mark.parametrize("rows", [range(6), [1, 4]], ids=["always", "now and then"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_last_cell_may_be_empty_without_quotes(tmp_path: Path, rows: list[int], end: str) -> None:
    parts = lines()
    for n in rows:
        parts[n + 1] = parts[n + 1].replace(f'"{cell(n, 6)}"', "")
    recording = read(tmp_path, joined(parts, end))
    lost = {(stamp(n), NAMES[6]) for n in rows}
    assert reported(recording) == {k: v for k, v in truth(range(1, 6)).items() if k not in lost}
    assert counted(recording)["blank-cell"] == len(lost)


# --- line breaks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [[0], [2, 3], range(6)], ids=["the first row", "two rows", "every row"])
@pytest.mark.parametrize("end", ["\n", ",\n", ",\r\n"], ids=["LF", "a comma behind each row", "and CRLF"])
@pytest.mark.parametrize("in_header", [False, True])
def test_a_line_break_inside_the_stamp_is_put_right(
    tmp_path: Path, rows: list[int], end: str, in_header: bool
) -> None:
    first, *parts = lines()
    wrapped = "\r\n" if "\r" in end else "\n"
    for n in rows:
        parts[n] = parts[n].replace(" ", wrapped, 1)
    head = first + (end if in_header else "\n")
    recording = read(tmp_path, head.encode() + joined(parts, end))
    assert reported(recording) == truth(range(1, 6))
    assert counted(recording)["row-split"] == len(rows)


# --- stamps without seconds ------------------------------------------------------------------------


def minutes(times: list[datetime]) -> bytes:
    rows = [f'"{time:%m/%d/%Y %H:%M}",' + ",".join(f'"{n}.00"' for _ in NAMES) for n, time in enumerate(times)]
    return joined([header(), *rows])


@given(
    interval=st.one_of(st.floats(2.0, 29.0), st.integers(2, 29).map(float), st.floats(31.0, 250.0)),
    phase=st.floats(0, 60),
    count=st.integers(40, 300),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_even_capture_stays_even_whatever_its_interval(
    tmp_path: Path, interval: float, phase: float, count: int
) -> None:
    start = datetime(2026, 3, 10, 9) + timedelta(seconds=phase)
    times = [start + n * timedelta(seconds=interval) for n in range(count)]
    recording = read(tmp_path, minutes(times))
    found = recording.samples["time"].dt.replace_time_zone(None).to_list()
    assert set(counted(recording)) <= {"seconds-lost"}
    off = [abs((a - b).total_seconds()) for a, b in zip(found, times, strict=True)]
    assert max(off) < 60
    assert abs(recording.interval_s - interval) < max(0.02 * interval, 60 / count)


def test_a_gap_between_stamps_without_seconds_is_told(tmp_path: Path) -> None:
    times = [datetime(2026, 3, 10, 9) + timedelta(seconds=5.47 * n + 900 * (n >= 100)) for n in range(200)]
    recording = read(tmp_path, minutes(times))
    assert counted(recording)["time-gap"] == 1
    assert recording.samples.filter(recording.samples["reason"] == "gap")["line"].to_list() == [102]
    assert abs(recording.interval_s - 5.47) < 0.1


# --- the shared cases ------------------------------------------------------------------------------


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not here")
@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("esxtop-bare-empty-cells/capture.csv", {"crlf-line-ends"}),
        ("esxtop-bare-empty-cells/last-column-empty.csv", set()),
        ("esxtop-minutes-only/capture.csv", {"crlf-line-ends", "resaved", "seconds-lost"}),
        ("esxtop-one-backslash/capture.csv", {"damaged-header"}),
    ],
)
def test_files_of_real_people_are_read(tmp_path: Path, name: str, codes: set[str]) -> None:
    from esxprobe.formats.esxtop import read_esxtop

    recording = read_esxtop([CASES / name], {"vcpu": [r"Vcpu\% Run"]})
    assert {note.code for note in recording.notes} - {"first-sample", "blank-cell"} == codes
    assert recording.rows_read in {61, 200}
    assert recording.samples["judged"].sum() == recording.rows_read - 1


def test_a_source_says_what_it_refuses_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="tar archive inside a gzip file"):
        Source(write(tmp_path, gzip.compress(tar_of(GOOD)), "capture.csv.gz"))
