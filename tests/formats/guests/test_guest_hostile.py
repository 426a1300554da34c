"""What is no guest's log is refused in words, and no damage ends in anything but words or right values."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs_read import Read

from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.formats.guests import read_guest_log
from esxprobe.formats.guests.format import guest_formats

DATA = Path(__file__).parent / "data"
LOGS = {path.name: path.read_bytes() for path in sorted(DATA.iterdir()) if path.suffix != ".expected"}
CAPTURE = (
    b'"(PDH-CSV 4.0) (UTC)(0)","\\\\esx01\\Memory\\Machine MBytes","\\\\esx01\\Group Cpu(1:vm)\\% Used"\n'
    b'"03/26/2026 10:00:00","1","2"\n'
)
VMSTAT = b"timestamp: 1774519200\nnr_free_pages 5\npgfault 7\n"


def workbook() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "says", "hint"),
    [
        (b"", "empty file", "docs/guests.md"),
        (b"\n\n  \n", "empty file", "docs/guests.md"),
        (CAPTURE, "esxtop capture of a host", "esxprobe report"),
        (workbook(), "workbook of a spreadsheet", "CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Excel workbook", "CSV"),
        (b"]\x00\x00\x00" + bytes(600), "BLG", "relog guest.log -f csv -o guest.csv"),
        (b"x" * 40 + "BLG".encode("utf-16-le") + bytes(9), "BLG", "relog"),
        (b"\x96\xd5\x75\x21" + bytes(500), "sar's binary", "sadf -d"),
        (b"<!DOCTYPE html><html></html>", "HTML", "docs/guests.md"),
        (b'<?xml version="1.0"?><sysstat>', "sadf's XML", "sadf -d"),
        (b"procs -----------memory----------\n r b\n", "vmstat", "sar -B"),
        (b'{"a": 1}', "JSON", "docs/guests.md"),
        (b"Error:\nUnable to add these counters:\n", "error message", "docs/guests.md"),
        (b"hello\n", "'hello'", "docs/guests.md"),
        (b'"(PDH-CSV 4.0) (UTC)(0)","\\\\w\\Memory\\Page Faults/sec"\n', "no sample", "intervals"),
    ],
)  # fmt: skip
def test_what_is_no_log_is_named(tmp_path, content, says, hint):
    path = tmp_path / "guest.log"
    path.write_bytes(content)
    with pytest.raises(UnreadableInputError) as caught:
        read_guest_log(path)
    assert says in caught.value.message
    assert hint in caught.value.hint


def test_directories_and_missing_files(tmp_path):
    with pytest.raises(UnreadableInputError, match="directory"):
        read_guest_log(tmp_path)
    with pytest.raises(UnreadableInputError, match="does not exist"):
        read_guest_log(tmp_path / "none.csv")


def test_each_head_is_recognized_by_just_one_format():
    heads = {**LOGS, "vmstat": VMSTAT}
    for name, text in heads.items():
        assert sum(each.recognizes(text[: 1 << 16]) for each in guest_formats()) == 1, name


def told_or_right(path: Path, text: bytes, truth: dict | None = None) -> None:
    """Reads a damaged log: words, or a frame whose every value is one of the whole log's."""
    path.write_bytes(text)
    try:
        made = Read(read_guest_log(path))
    except (UnreadableInputError, UsageError):
        return
    for place, (value, covers) in made.cells.items():
        assert value is None or value >= 0
        assert covers is None or covers > 0
        if truth is not None and value is not None:
            assert place in truth, place
            assert truth[place][0] == pytest.approx(value), place


loose = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@loose
@given(st.binary(max_size=400))
def test_random_bytes(tmp_path, content):
    told_or_right(tmp_path / "guest.log", content)


@loose
@given(st.sampled_from(sorted(LOGS)), st.floats(0, 1))
def test_a_log_that_ends_anywhere_gives_right_values_or_words(tmp_path, name, share):
    truth = Read(read_guest_log(DATA / name)).cells
    told_or_right(tmp_path / "guest.log", LOGS[name][: int(len(LOGS[name]) * share)], truth)


@loose
@given(st.sampled_from(sorted(LOGS)), st.data())
def test_bytes_changed_anywhere(tmp_path, name, data):
    text = bytearray(LOGS[name])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(text) - 1))
        how = data.draw(st.sampled_from(["change", "drop", "double"]))
        if how == "change":
            text[at] = data.draw(st.integers(0, 255))
        elif how == "drop":
            del text[at : at + data.draw(st.integers(1, 40))]
        else:
            text[at:at] = text[at : at + data.draw(st.integers(1, 40))]
    told_or_right(tmp_path / "guest.log", bytes(text))


@loose
@given(st.sampled_from(sorted(LOGS)), st.data())
def test_lost_lines_never_make_a_value(tmp_path, name, data):
    """Whole lines go; what is left says what the whole log says, or spans what was lost (totals), or is words."""
    if name in {"esxprobe.txt", "vmstat.txt"}:  # running totals
        return
    lines = LOGS[name].splitlines(keepends=True)
    at = data.draw(st.integers(1, len(lines) - 1))
    truth = Read(read_guest_log(DATA / name)).cells
    text = b"".join(lines[:at] + lines[at + 1 :])
    soft = {place: cell for place, cell in truth.items() if name != "sar.txt"}
    told_or_right(tmp_path / "guest.log", text, soft or None)
