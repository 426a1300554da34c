r"""The manual of whole files: encodings, line ends, compression, spreadsheets, and what is no capture."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import zipfile
from pathlib import Path

import naive
import pytest
import zstandard
from made_captures import (
    NAMES,
    Cells,
    cells,
    counted,
    header,
    joined,
    lines,
    needs_of,
    read,
    reported,
    row,
    stamp,
    truth,
    unquoted,
    write,
)

from esxprobe.errors import EXIT_UNREADABLE, UnreadableInputError
from esxprobe.formats import source

LINES = lines()
GOOD = joined(LINES)
TRUTH = truth(range(1, 6))
PERFMON = Path(__file__).resolve().parents[3] / "shared/data/perfmon/windows-memory-all-counters.csv"


# --- encodings and line ends -----------------------------------------------------------------------

ENCODED = {
    "LF": (GOOD, {}),
    "CRLF": (joined(LINES, "\r\n"), {"crlf-line-ends": 1}),
    "CR only": (joined(LINES, "\r"), {"cr-line-ends": 1}),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, {"byte-order-mark": 1}),
    "UTF-16 LE with mark": (b"\xff\xfe" + GOOD.decode().encode("utf-16-le"), {"utf-16": 1}),
    "UTF-16 BE with mark": (b"\xfe\xff" + GOOD.decode().encode("utf-16-be"), {"utf-16": 1}),
    "UTF-16 LE without mark": (GOOD.decode().encode("utf-16-le"), {"utf-16": 1}),
    "UTF-16 BE without mark": (GOOD.decode().encode("utf-16-be"), {"utf-16": 1}),
    "UTF-16 CRLF, as PowerShell redirects": (
        b"\xff\xfe" + joined(LINES, "\r\n").decode().encode("utf-16-le"),
        {"utf-16": 1, "crlf-line-ends": 1},
    ),
    "gzip of UTF-16": (gzip.compress(GOOD.decode().encode("utf-16")), {"utf-16": 1}),
    "gzip of CR only": (gzip.compress(joined(LINES, "\r")), {"cr-line-ends": 1}),
}


@pytest.mark.parametrize("name", ENCODED)
def test_encodings_and_line_ends_are_undone_and_counted(name: str, tmp_path: Path) -> None:
    data, codes = ENCODED[name]
    recording = read(tmp_path, data)
    assert reported(recording) == TRUTH
    assert counted(recording) == codes


@pytest.mark.parametrize("name", [n for n in ENCODED if "UTF-16" in n or "gzip" in n])
def test_a_naive_reader_fails_on_encodings(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, ENCODED[name][0])
    with contextlib.suppress(ValueError, UnicodeError):
        assert naive.read(path) != truth(range(6)), "the naive reader copes: the case proves nothing"


def test_carriage_returns_are_told_behind_a_header_longer_than_the_first_look(tmp_path: Path) -> None:
    names = [rf"\\h\Interrupt Cookie(0x{n:x}:CPU{n % 7})\Interrupts/second" for n in range(3000)]
    text = lines(3, names)
    assert len(text[0]) > source.HEAD
    recording = read(tmp_path, joined(text, "\r"), names=names[:20])
    assert recording.rows_read == 3
    assert counted(recording) == {"cr-line-ends": 1}


def test_a_stray_carriage_return_in_a_name_changes_no_line_end(tmp_path: Path) -> None:
    recording = read(tmp_path, GOOD.replace(b"Free MBytes", b"Free\rMBytes"))
    assert reported(recording).items() <= TRUTH.items()
    assert len(reported(recording)) >= len(TRUTH) - 5
    assert "cr-line-ends" not in counted(recording)


# --- compression -----------------------------------------------------------------------------------


def rows_of(text: bytes) -> Cells:
    """What a cut text still says: whole cells of rows behind the first."""
    whole = text.split(b"\n")[1:]
    left: Cells = {}
    for n, line in enumerate(whole):
        cells = line.decode().split(",")
        closed = sum(cell.endswith('"') and len(cell) > 1 for cell in cells)
        left |= truth([n], columns=range(max(0, closed - 1))) if n else {}
    return left


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_compressed_and_plain_say_the_same(kind: str, tmp_path: Path) -> None:
    data = gzip.compress(GOOD) if kind == "gzip" else zstandard.compress(GOOD)
    plain, packed = read(tmp_path, GOOD), read(tmp_path, data)
    assert reported(packed) == reported(plain)
    assert packed.samples.equals(plain.samples)
    assert packed.columns.equals(plain.columns)
    assert (packed.notes, packed.vms, packed.rows_read) == (plain.notes, plain.vms, plain.rows_read)
    for name, frame in plain.tidy.items():
        assert packed.tidy[name].equals(frame)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_members_one_behind_the_other_are_one_text(kind: str, tmp_path: Path) -> None:
    pack = gzip.compress if kind == "gzip" else zstandard.compress
    data = b"".join(pack(GOOD[at : at + 100]) for at in range(0, len(GOOD), 100))
    recording = read(tmp_path, data)
    assert reported(recording) == TRUTH
    assert counted(recording) == {}


def test_zero_padding_behind_a_member_is_nothing(tmp_path: Path) -> None:
    assert counted(read(tmp_path, gzip.compress(GOOD) + b"\x00" * 512)) == {}


LONG = joined(lines(40))


def expected_of_cut(text: bytes) -> Cells:
    return rows_of(text)


def test_gzip_cut_anywhere_gives_every_whole_cell_and_says_so(tmp_path: Path) -> None:
    import zlib

    data = gzip.compress(LONG, mtime=0)
    for length in range(len(data) - 1, 60, -23):
        text = zlib.decompressobj(31).decompress(data[:length])
        try:
            recording = read(tmp_path, data[:length])
        except UnreadableInputError:
            assert text.count(b"\n") < 2, f"cut at {length}: rows were left"
            continue
        assert counted(recording)["gzip-cut"] == 1, f"cut at {length}"
        assert reported(recording) == rows_of(text), f"cut at {length}"


def test_zstd_cut_gives_what_whole_blocks_hold_and_says_so(tmp_path: Path) -> None:
    packer = zstandard.ZstdCompressor().compressobj()
    data = b""
    for at in range(0, len(LONG), 300):
        data += packer.compress(LONG[at : at + 300]) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    data += packer.flush()
    seen = 0
    for length in range(len(data) - 1, 400, -97):
        try:
            recording = read(tmp_path, data[:length])
        except UnreadableInputError:
            continue
        assert counted(recording)["gzip-cut"] == 1, f"cut at {length}"
        got = reported(recording)
        assert got.items() <= truth(range(1, 40)).items(), f"cut at {length}"
        seen = max(seen, len(got))
    assert seen > 200


def test_gzip_with_a_damaged_byte_is_told_whatever_the_byte(tmp_path: Path) -> None:
    data = gzip.compress(LONG, mtime=0)
    for at in range(12, len(data) - 4, 41):
        damaged = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
        try:
            recording = read(tmp_path, damaged)
        except UnreadableInputError:
            continue
        codes = counted(recording)
        assert codes.keys() & {"gzip-damaged", "gzip-cut"}, f"byte {at} was damaged and nobody says so"


def test_what_comes_before_the_damage_in_a_long_gzip_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The damage lies behind several reads of the file: nothing in front of it is lost."""
    import zlib

    monkeypatch.setattr(source, "RAW_BLOCK", 200)
    data = gzip.compress(LONG, mtime=0)
    at = len(data) * 3 // 4
    damaged = data[:at] + b"\xff" * 40 + data[at + 40 :]
    sound = zlib.decompressobj(31).decompress(data[:at])
    recording = read(tmp_path, damaged)
    assert counted(recording)["gzip-damaged"] == 1
    whole = truth(range(1, sound.count(b"\n") - 1))
    assert whole.items() <= reported(recording).items()


def test_the_hash_is_of_the_bytes_on_disk(tmp_path: Path) -> None:
    data = gzip.compress(GOOD)
    (file,) = read(tmp_path, data).files
    assert (file.name, file.sha256, file.bytes) == ("capture.csv", hashlib.sha256(data).hexdigest(), len(data))


def test_the_file_is_only_read(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.chmod(0o400)
    before = path.stat().st_mtime_ns
    read_again = read
    assert path.read_bytes() == GOOD
    path.chmod(0o600)
    read_again(tmp_path, GOOD)
    assert path.stat().st_mtime_ns >= before


# --- spreadsheets ----------------------------------------------------------------------------------


def test_quotes_lost_in_a_spreadsheet(tmp_path: Path) -> None:
    recording = read(tmp_path, unquoted(GOOD))
    assert reported(recording) == TRUTH
    assert counted(recording) == {"resaved": 1, "crlf-line-ends": 1}


@pytest.mark.parametrize("separator", [";", "\t"])
def test_semicolons_or_tabs_and_decimal_commas(tmp_path: Path, separator: str) -> None:
    data = unquoted(GOOD, separator).replace(b".", b",").replace(b"(PDH-CSV 4,0)", b"(PDH-CSV 4.0)")
    recording = read(tmp_path, data)
    assert reported(recording) == TRUTH
    assert counted(recording) == {"resaved": 1, "crlf-line-ends": 1}
    assert len(naive.read(write(tmp_path, data))) == 0


def test_unicode_text_of_a_spreadsheet(tmp_path: Path) -> None:
    """UTF-16 with tabs, as Excel's "Unicode Text" is."""
    text = unquoted(GOOD, "\t").replace(b".", b",").replace(b"(PDH-CSV 4,0)", b"(PDH-CSV 4.0)").decode()
    recording = read(tmp_path, codecs.BOM_UTF16_LE + text.encode("utf-16-le"))
    assert reported(recording) == TRUTH
    assert counted(recording) == {"utf-16": 1, "resaved": 1, "crlf-line-ends": 1}


def test_names_with_commas_keep_their_quotes_in_a_spreadsheet_and_nothing_is_damaged(tmp_path: Path) -> None:
    names = [
        r"\\h\Memory\Free MBytes",
        *(rf"\\h\Group Cpu({gid}:Books, {gid})\% Run" for gid in (7, 8)),
        *NAMES[1:4],
    ]
    recording = read(tmp_path, unquoted(joined([header(names), *(row(n, names) for n in range(4))])), names=names)
    assert recording.columns["path"].to_list() == names
    assert {code: n for code, n in counted(recording).items() if code in {"resaved", "damaged-header"}} == {
        "resaved": 1
    }


def test_semicolons_with_the_header_repeated(tmp_path: Path) -> None:
    text = joined([*LINES, header(), row(6), row(7)])
    data = unquoted(text, ";").replace(b".", b",").replace(b"(PDH-CSV 4,0)", b"(PDH-CSV 4.0)")
    recording = read(tmp_path, data)
    assert reported(recording) == truth([1, 2, 3, 4, 5, 7])
    assert counted(recording) == {"resaved": 1, "crlf-line-ends": 1, "repeated-header": 1}


def test_semicolons_with_another_header_repeated(tmp_path: Path) -> None:
    """Nothing but the first header is read with semicolons: those further down are compared as they are by then."""
    few = NAMES[:4]
    again = [header(few), row(6, few), row(7, few), header(few), row(8, few), row(9, few)]
    data = unquoted(joined([*LINES, *again]), ";").replace(b".", b",").replace(b"(PDH-CSV 4,0)", b"(PDH-CSV 4.0)")
    recording = read(tmp_path, data)
    assert reported(recording) == truth([1, 2, 3, 4, 5]) | truth([7, 9], few)
    assert {code: counted(recording)[code] for code in ("appended-capture", "repeated-header")} == {
        "appended-capture": 1,
        "repeated-header": 1,
    }


@pytest.mark.parametrize("point", [".", ","])
def test_semicolons_between_quotes(tmp_path: Path, point: str) -> None:
    """PowerShell's `Export-Csv -UseCulture` where lists are written with semicolons; numbers are text to it."""
    first, *rows = [line.replace('","', '";"') for line in [*LINES, header(), row(6)]]
    data = joined([first, *(line if "PDH" in line else line.replace(".", point) for line in rows)])
    recording = read(tmp_path, data)
    assert reported(recording) == TRUTH
    assert counted(recording) == {"resaved": 1, "repeated-header": 1}


def test_quoted_header_over_plain_numbers(tmp_path: Path) -> None:
    """Some spreadsheets quote texts and leave numbers bare."""
    rows = [line.replace('"', "") for line in LINES[1:]]
    assert reported(read(tmp_path, joined([LINES[0], *rows]))) == TRUTH


def test_blank_cells_of_rows_that_are_checked_twice_are_counted_once(tmp_path: Path) -> None:
    """A cell torn open among rows that look alike: all rows of the block are looked at cell by cell then."""
    rows = [f'"{stamp(n)}",' + ",".join(["", *cells(n)[1:]]) for n in range(6)]
    torn = rows[3].replace('",,', ',",', 1)
    recording = read(tmp_path, joined([header(), *rows[:3], torn, *rows[4:]]))
    assert reported(recording) == truth([1, 2, 4, 5], columns=range(1, 7))
    codes = counted(recording)
    assert (codes["blank-cell"], codes["row-lost"]) == (5, 1)


def test_a_short_plain_row_is_lost_and_its_neighbors_kept(tmp_path: Path) -> None:
    plain = unquoted(GOOD).decode().split("\r\n")
    plain[3] = ",".join(plain[3].split(",")[:4])
    recording = read(tmp_path, "\r\n".join(plain).encode())
    assert reported(recording) == truth([1, 3, 4, 5])
    assert counted(recording)["row-lost"] == 1


def test_a_last_plain_row_without_its_line_break_loses_its_last_cell(tmp_path: Path) -> None:
    recording = read(tmp_path, unquoted(GOOD)[:-3])
    assert reported(recording) == {k: v for k, v in TRUTH.items() if k != (stamp(5), NAMES[6])}
    assert counted(recording)["row-cut"] == 1


# --- what is no capture ----------------------------------------------------------------------------

NO_CAPTURES = {
    "empty": (b"", "an empty file", "capture again"),
    "blank": (b"\n\n  \n", "an empty file", "capture again"),
    "HTML error page": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>", "an HTML page", "esxtop -b"),
    "XML": (b"<?xml version='1.0'?><a/>", "an XML file", "esxtop -b"),
    "JSON": (b'{"a": 1}', "a JSON file", "esxtop -b"),
    "top": (b"top - 10:00:00 up 1 day, load average: 0.1\n", "the output of top", "esxtop -b"),
    "esxtop's screen": (b"\x1b[H\x1b[2J 10:49:12am up 5 days, 485 worlds", "a screen copied", "TERM=xterm"),
    "esxtop's help": (b"usage: esxtop [-h] [-v] [-b]", "esxtop's help text", "esxtop -b"),
    "shell error": (b"sh: esxtop: not found\n", "a shell's error message", "resxtop"),
    "BLG": (b"]\x00\x00\x00" + "PDH.DLL".encode("utf-16-le") + b"\x00" * 50, "a binary performance log", "relog"),
    "binary": (b"\x7fELF\x02\x01\x00\x00\x00", "a binary file", "esxtop -b"),
    "prose": (b"Hello, here is the capture you wanted.\n", "text that starts with 'Hello", "esxtop -b"),
    "gzip of nothing": (gzip.compress(b""), "an empty file", "capture again"),
    "gzip of HTML": (gzip.compress(b"<html></html>"), "an HTML page", "esxtop -b"),
    "xz": (b"\xfd7zXZ\x00\x00\x00", "an xz file", "unxz"),
    "bzip2": (b"BZh91AY&SY", "a bzip2 file", "bunzip2"),
    "sar": (b"Linux 4.18.0 (vm1)  03/26/15\n", "a sar report", "--guest-log VM=FILE"),
}


@pytest.mark.parametrize("name", NO_CAPTURES)
def test_what_is_no_capture_is_named_with_a_way_out(name: str, tmp_path: Path) -> None:
    data, looks, hint = NO_CAPTURES[name]
    with pytest.raises(UnreadableInputError) as caught:
        read(tmp_path, data, needs=needs_of(NAMES))
    assert looks in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.exit_code == EXIT_UNREADABLE
    assert "capture.csv" in caught.value.message


def test_a_file_of_a_header_alone_is_esxtops_doing_and_one_that_ends_in_it_is_not(tmp_path: Path) -> None:
    alone = joined([header()])
    with pytest.raises(UnreadableInputError, match="contains a header of 8 cells and no sample") as caught:
        read(tmp_path, alone)
    assert "esxtop was stopped" in caught.value.hint
    for cut in (alone[:-40], gzip.compress(joined(LINES))[:120]):
        with pytest.raises(UnreadableInputError, match="is truncated") as caught:
            read(tmp_path, cut)
        assert caught.value.hint.startswith("copy the file again")


@pytest.mark.parametrize("length", [5, 30])
def test_a_packed_file_that_is_cut_before_its_first_byte_is_not_called_empty(tmp_path: Path, length: int) -> None:
    with pytest.raises(UnreadableInputError, match="truncated or damaged: nothing can be decompressed") as caught:
        read(tmp_path, gzip.compress(GOOD)[:length], needs=needs_of(NAMES))
    assert "copy the file again" in caught.value.hint


def test_a_zip_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "capture.csv"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", GOOD)
    with pytest.raises(UnreadableInputError, match="a zip archive"):
        read(tmp_path, path.read_bytes())


def test_a_directory_and_a_missing_file_are_named(tmp_path: Path) -> None:
    from esxprobe.formats.esxtop import read_esxtop

    with pytest.raises(UnreadableInputError, match="is a directory"):
        read_esxtop([tmp_path], {})
    with pytest.raises(UnreadableInputError, match="does not exist"):
        read_esxtop([tmp_path / "none.csv"], {})


PERFMON_LINES = (
    b'"(PDH-CSV 4.0) (Eastern Daylight Time)(240)",'
    b'"\\\\VM1\\Memory\\Pages/sec","\\\\VM1\\Memory\\Available MBytes"\n'
    b'"03/26/2015 10:00:00.123","1.5","100"\n'
)


def test_a_perfmon_log_is_named_even_with_memory_counters_only(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="Windows perfmon CSV"):
        read(tmp_path, PERFMON_LINES)
    with pytest.raises(UnreadableInputError, match="Windows perfmon CSV"):
        read(tmp_path, PERFMON_LINES.replace(b"\\Memory\\", b"\\LogicalDisk(C:)\\"))


def test_a_real_perfmon_log_is_named() -> None:
    from esxprobe.formats.esxtop import read_esxtop

    if not PERFMON.exists():
        pytest.skip(f"REAL FILE ABSENT, NOT TESTED: {PERFMON}")
    with pytest.raises(UnreadableInputError, match="Windows perfmon CSV"):
        read_esxtop([PERFMON], {})


def test_a_capture_of_memory_counters_only_is_a_capture(tmp_path: Path) -> None:
    assert reported(read(tmp_path, joined(lines(3, NAMES[:1])), names=NAMES[:1])) == truth([1, 2], NAMES[:1])


def test_a_header_without_a_sample_is_an_error_that_says_so(tmp_path: Path) -> None:
    for data in (joined([header()]), header().encode(), joined([header(), "", ""])):
        with pytest.raises(UnreadableInputError, match="no sample") as caught:
            read(tmp_path, data)
        assert "capture at least" in caught.value.hint


def test_rows_without_a_readable_time_are_an_error_that_says_so(tmp_path: Path) -> None:
    data = GOOD.replace(b"04/24/2018", b"yesterday ")
    with pytest.raises(UnreadableInputError, match="readable time"):
        read(tmp_path, data)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file that cannot be read is at hand")
def test_a_file_that_the_disk_does_not_give_is_an_error_that_says_so() -> None:
    """Linux gives no byte of a process' own memory at address 0: EIO, as a dying disk would."""
    with pytest.raises(UnreadableInputError, match="/proc/self/mem cannot be read: Input/output error"):
        source.Source(Path("/proc/self/mem"))


def test_who_gives_up_does_not_wait_for_the_checksum(tmp_path: Path) -> None:
    """Of so large a file it would take minutes."""
    path = write(tmp_path, joined(lines()))
    with path.open("r+b") as file:
        file.truncate(1 << 39)
    begun = source.Source(path)
    begun.read_into(memoryview(bytearray(1 << 16)))
    begun.close()
