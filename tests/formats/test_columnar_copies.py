"""A columnar copy in place of its capture: the same rows, the same counts of damage, the same text back."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from made_captures import HOST, NAMES, cell, header, joined, lines, needs_of, row, stamp, unquoted, write
from test_properties import PIECE, csv_style, damages
from test_reading_damaged_rows import CASES, Case

from esxprobe.convert import convert, convert_back
from esxprobe.errors import EsxprobeError, UnreadableInputError
from esxprobe.extract import Window, Wish, extract
from esxprobe.formats import head, scan, source
from esxprobe.formats.columns import slab
from esxprobe.formats.columns.cells import TEXT, decode, encode
from esxprobe.formats.columns.replay import CopySource
from esxprobe.formats.columns.store import MANIFEST, is_copy
from esxprobe.formats.decimals import Cells, numbers
from esxprobe.formats.esxtop import read_esxtop
from esxprobe.formats.source import Source
from esxprobe.model import Recording

SHARED = Path(__file__).parents[3] / "shared" / "data" / "esxtop" / "esxi6-all-fields.csv"
NEEDS = needs_of(NAMES)


def text_of(capture: Path) -> bytes:
    """A capture's text as a reader takes it in."""
    opened, out = Source(capture), io.BytesIO()
    while more := opened.read(1 << 20):
        out.write(more)
    opened.close()
    return out.getvalue()


def story(path: Path, needs: dict[str, list[str]]) -> tuple[object, ...]:
    """All that a reader says of a capture, in a shape that is easy to compare; of a refused one the words."""
    try:
        read: Recording = read_esxtop([path], needs)
    except EsxprobeError as error:
        return (error.message.replace(str(path), "it").replace(path.name, "it").replace("small.csv", "it"),)
    notes = tuple(note for note in read.notes if note.code != "columnar-copy")
    frames = {kind: frame.to_dict(as_series=False) for kind, frame in read.tidy.items()}
    return (
        (read.host, read.zone, read.vms, notes, read.files, read.interval_s, read.rows_read, read.date_known),
        (read.columns.to_dicts(), read.samples.to_dicts(), str(frames)),
    )


def agrees(folder: Path, data: bytes, name: str = "small.csv", needs: dict[str, list[str]] | None = None) -> Path:
    """Copies a capture, compares what is read of both, and the text; gives the copy."""
    capture, copy, back = write(folder, data, name), folder / "copy", folder / "back.csv"
    shutil.rmtree(copy, ignore_errors=True)
    back.unlink(missing_ok=True)
    try:
        convert(capture, copy)
    except EsxprobeError as refused:
        with pytest.raises(type(refused)):
            read_esxtop([capture], needs or NEEDS)
        assert not copy.exists()
        return copy
    convert_back(copy, back)
    assert back.read_bytes() == text_of(capture)
    assert story(copy, needs or NEEDS) == story(capture, needs or NEEDS)
    return copy


def in_blocks(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Has captures read in blocks of so many bytes."""
    monkeypatch.setattr(scan, "BLOCK", size)
    monkeypatch.setattr(head, "_BANNER", min(size, 1 << 20))
    monkeypatch.setattr(source, "HEAD", min(size, 1 << 16))
    monkeypatch.setattr(source, "RAW_BLOCK", min(size, 1 << 20))


# --- what is kept ----------------------------------------------------------------------------------


def test_a_copy_reads_as_its_capture_and_gives_it_back(tmp_path: Path) -> None:
    copy = agrees(tmp_path, joined(lines(40)))
    assert read_esxtop([copy], NEEDS).notes[-2].code == "columnar-copy"
    assert (tmp_path / "back.csv").read_bytes() == (tmp_path / "small.csv").read_bytes()


def test_tables_are_plain_parquet_by_object(tmp_path: Path) -> None:
    """Any program reads them: a row an instance and sample, sorted by instance, a column a counter."""
    copy = agrees(tmp_path, joined(lines(3)))
    vcpu = pl.read_parquet(copy / "vcpu" / "*.parquet")
    assert vcpu.columns == ["line", "time", "instance", "% Run", "% Ready"]
    assert vcpu["instance"].cast(pl.String).to_list() == [NAMES[3][13:-7]] * 3 + [NAMES[4][13:-7]] * 3
    assert vcpu["% Ready"].to_list() == [None, None, None, 5.50, 15.51, 25.52]
    assert vcpu["time"].cast(pl.String).to_list() == [stamp(0), stamp(1), stamp(2)] * 2
    assert vcpu["line"].to_list() == [2, 3, 4] * 2
    assert pl.scan_parquet(copy / "memory" / "*.parquet").collect()["Free MBytes"].to_list() == [1000, 1001, 1002]


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "gzip": gzip.compress,
    "zstandard": lambda data: zstandard.ZstdCompressor().compress(data),
    "gzip that was cut off": lambda data: gzip.compress(data)[:-300],
    "UTF-16": lambda data: data.decode().encode("utf-16"),
    "a byte order mark": lambda data: b"\xef\xbb\xbf" + data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "carriage returns alone": lambda data: data.replace(b"\n", b"\r"),
    "without its last line end": lambda data: data[:-1],
    "a comma behind each row": lambda data: data.replace(b"\n", b",\n"),
    "a banner": lambda data: b"Welcome to esx01\nRunning\n" + data,
    "its header again": lambda data: data + data,
    "another capture behind it": lambda data: data + joined(lines(4, NAMES[:4])),
    "another capture glued to it": lambda data: data[:-1] + joined(lines(4, NAMES[:4])),
    "blank lines": lambda data: data.replace(b"\n", b"\n\n\n"),
    "a spreadsheet's quotes": unquoted,
    "a spreadsheet's semicolons": lambda data: unquoted(data, ";").replace(b".", b","),
    "a semicolon capture behind it": lambda data: data + unquoted(data, ";"),
    "a header without its line end": lambda data: data.replace(b'"\n', b'"', 1),
    "a header with a line break in it": lambda data: data.replace(b'","\\\\', b'",\n"\\\\', 1),
    "nothing but a header": lambda data: data[: data.index(b"\n") + 1],
    "a header cut off": lambda data: data[:200],
    "cells without numbers": lambda data: data.replace(b'"10', b'"-nan').replace(b"31.31", b""),
    "blanks in cells": lambda data: data.replace(b"31.31", b"31.31 ").replace(b"12.21", b"   -"),
    "numbers as other programs print them": lambda data: data.replace(b".", b"e").replace(b"4.4", b"+4.40"),
    "words in Windows' code page": lambda data: data.replace(b"12.21", b"\x80\xff"),
    "not a capture": lambda data: b"hello\n" + data[-30:],
}


@pytest.mark.parametrize("packing", PACKINGS.values(), ids=PACKINGS)
@pytest.mark.parametrize("block", [300, 8 << 20], ids=["small blocks", "one block"])
def test_nothing_is_lost_whatever_a_capture_went_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: Callable[[bytes], bytes], block: int
) -> None:
    in_blocks(monkeypatch, block)
    agrees(tmp_path, packing(joined(lines(30))))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("block", [300, 8 << 20], ids=["small blocks", "one block"])
def test_damage_is_kept_and_told_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: Case, block: int
) -> None:
    in_blocks(monkeypatch, block)
    agrees(tmp_path, case.data)


@given(damaged=damages(), block=st.sampled_from([300, 2_000, 8 << 20]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_kept_and_told_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bytes, block: int
) -> None:
    in_blocks(monkeypatch, block)
    agrees(tmp_path, damaged)


@given(
    st.lists(
        st.lists(st.one_of(st.floats(0, 1e6).map("{:.2f}".format), PIECE), min_size=7, max_size=7), min_size=1
    ),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from([",", '"', "\r", "\x00", "\n", " "])), max_size=2),
    st.sampled_from(["\n", "\r\n", ",\n"]),
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_cells_come_back(
    tmp_path: Path, cells: list[list[str]], marks: list[tuple[int, str]], end: str
) -> None:
    rows = [",".join(f'"{cell}"' for cell in [stamp(n), *own]) for n, own in enumerate(cells)]
    for n, mark in marks:
        at = n % len(rows)
        rows[at] = rows[at][: 9 * n] + mark + rows[at][9 * n :]
    copy = agrees(tmp_path, joined([*lines(5), *rows], end))
    event("kept in tables" if is_copy(copy) and CopySource(copy).files.manifest.rows > 5 else "as text")


@given(st.lists(PIECE, min_size=1, max_size=5, unique=True), st.integers(1, 3))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_names_come_back(tmp_path: Path, pieces: list[str], times: int) -> None:
    names = [rf"{HOST}\Vcpu({piece})\% Run" for piece in pieces] * times + [rf"{HOST}\Memory\line", NAMES[0]]
    head = csv_style(names)
    agrees(tmp_path, joined([head, *(row(n, names) for n in range(4))]), needs=needs_of(names[:1]))


def test_columns_without_a_name_and_two_in_one_cell_are_kept(tmp_path: Path) -> None:
    """As default-field captures of newer releases have them."""
    head = header(NAMES[:3]) + ',   -,"' + NAMES[3] + '",   -"' + NAMES[4] + '"'
    rows = [f'{row(n, NAMES[:3])},    {n}.00,"{n}.25",   {n}.5"7.0{n}"' for n in range(9)]
    copy = agrees(tmp_path, joined([head, *rows]))
    assert CopySource(copy).files.manifest.rows == 9


def test_a_capture_longer_than_a_slab_is_in_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slab, "LIMIT", 2_000)
    in_blocks(monkeypatch, 500)
    data = joined(lines(90)).replace(b"31.31", b"").replace(b"45.45", b"odd")
    copy = agrees(tmp_path, data + joined(lines(50, NAMES[::-1])))
    assert CopySource(copy).files.manifest.slabs > 4
    assert sum(pl.read_parquet(path).height for path in (copy / "memory").iterdir()) == 140


def test_objects_whose_names_differ_in_marks_alone_have_tables_of_their_own(tmp_path: Path) -> None:
    """The number that would tell the second `foo` from the first is another one's name."""
    names = [rf"{HOST}\{name}(x)\Count" for name in (*(f"Foo {n}" for n in range(20, 41)), "foo", "Foo", "FOO.")]
    capture = write(tmp_path, joined(lines(3, [NAMES[0], *names])))
    convert(capture, tmp_path / "copy")
    made = {path.parent.name: pl.read_parquet(path)["Count"].to_list() for path in tmp_path.glob("copy/foo*/*")}
    assert len(made) == len(names)
    assert sorted(made.values()) == sorted([float(cell(n, c)) for n in range(3)] for c in range(1, len(names) + 1))
    extract([capture], Wish(), Window(), tmp_path / "part.parquet")
    parts = [pl.read_parquet(path)["Count"].to_list() for path in tmp_path.glob("part-foo*")]
    assert sorted(parts) == sorted(made.values())


def test_cells_that_stay_text_end_a_slab_sooner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They take more room than numbers: of a capture that prints seventeen digits they would fill the memory."""
    monkeypatch.setattr(slab, "LIMIT", 20_000)
    in_blocks(monkeypatch, 500)
    slabs = []
    for zeros in ("", "000000000000"):
        first, *rows = lines(60)
        copy = agrees(tmp_path, joined([first, *(line.replace(".", "." + zeros) for line in rows)]))
        slabs.append(CopySource(copy).files.manifest.slabs)
    assert slabs[0] == 1
    assert slabs[1] > 4


def test_a_header_without_its_line_end_is_a_line(tmp_path: Path) -> None:
    assert convert(write(tmp_path, header().encode()), tmp_path / "copy").loose == 1


def test_one_damaged_row_does_not_keep_the_others_out_of_the_tables(tmp_path: Path) -> None:
    made = lines(50)
    made[20] = made[20][:60]
    copy = agrees(tmp_path, joined(made))
    assert pl.read_parquet(copy / "memory" / "*.parquet").height == 49
    assert CopySource(copy).files.manifest.loose == 2  # the header, and that row


# --- cells -----------------------------------------------------------------------------------------


def places(cells: list[bytes]) -> tuple[np.ndarray, Cells]:
    """Cells in a text, a comma before each, and where they are."""
    text = b"04/24/2018 10:49:12" + b"".join(b"," + cell for cell in cells) + b","
    ends = 19 + np.cumsum([len(cell) + 1 for cell in cells])
    return np.frombuffer(text, np.uint8), Cells(ends - [len(cell) for cell in cells], ends)


CELLS = st.one_of(
    st.tuples(st.integers(-(10**15), 10**15), st.integers(0, 7)).map(lambda n: f"{n[0] / 10 ** n[1]:.{n[1]}f}"),
    st.from_regex(r"-?[0-9]{0,8}\.?[0-9]{0,7}", fullmatch=True),
    st.sampled_from(
        ["", "-", ".", "-0", "-0.00", "00", "007", "+1", "1e5", ".5", "5.", "-nan", "inf", "1.", "0.0"]
    ),
    st.text("0123456789.- eE+x", max_size=18),
)


@given(st.lists(st.tuples(CELLS, st.sampled_from(['"{}"', "{}", '"{}', '{}"', '" {}"'])), min_size=1, max_size=30))
@settings(max_examples=400, deadline=None)
def test_every_cell_is_a_number_that_gives_its_text_back_or_stays_text(made: list[tuple[str, str]]) -> None:
    cells = [shape.format(cell).encode() for cell, shape in made]
    text, where = places(cells)
    encoded = encode(text, where)
    kept = {n: cells[n] for n in np.flatnonzero(encoded.styles == TEXT).tolist()}
    again = decode(encoded.values, encoded.styles, kept)
    data = again.data.tobytes()
    starts, ends = again.cells.starts.tolist(), again.cells.ends.tolist()
    assert [data[a:b] for a, b in zip(starts, ends, strict=True)] == cells
    plain = encoded.styles != TEXT
    assert np.array_equal(encoded.values[plain], numbers(text, where)[0][plain])


def test_what_esxtop_prints_is_never_text() -> None:
    cells = [b'"0.00"', b'"100.00"', b'"-1.00"', b'"123456789.12"', b'"0"', b'"17179869184"', b"3.25", b'"-0.00"']
    assert TEXT not in encode(*places(cells)).styles


# --- what is refused -------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    made = lines(20)
    made[7] = made[7][:50]
    capture = write(tmp_path, joined(made).replace(b"31.31", b"odd"))
    convert(capture, tmp_path / "kept")
    return tmp_path / "kept"


def test_every_changed_byte_is_noticed(copy: Path) -> None:
    """A copy that changed is no evidence: not one flipped bit of any file gives numbers."""
    dice = random.Random(7)
    whole = read_esxtop([copy], NEEDS)
    for path in sorted(copy.rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        for _ in range(3):
            at = dice.randrange(len(content))
            path.write_bytes(content[:at] + bytes([content[at] ^ 1 << dice.randrange(8)]) + content[at + 1 :])
            if path.parent.name == "styles":
                continue  # a report has no use for these
            with pytest.raises(UnreadableInputError, match="columnar copy"):
                read_esxtop([copy], NEEDS)
        path.write_bytes(content)
    assert read_esxtop([copy], NEEDS).rows_read == whole.rows_read


def test_a_missing_and_a_shortened_file_are_named(copy: Path) -> None:
    lost = next((copy / "vcpu").iterdir())
    content = lost.read_bytes()
    lost.write_bytes(content[:-1])
    with pytest.raises(UnreadableInputError, match=r"damaged: vcpu/00000.parquet has .* bytes where"):
        read_esxtop([copy], NEEDS)
    lost.unlink()
    with pytest.raises(UnreadableInputError, match=r"damaged: vcpu/00000.parquet is missing"):
        read_esxtop([copy], NEEDS)


@pytest.mark.parametrize("name", ["../outside.csv", "/outside.csv", "..", "", "sub/outside.csv"])
def test_a_copy_does_not_choose_where_its_capture_is_written(copy: Path, name: str) -> None:
    """Whoever sends a copy can put the right sum under any manifest."""
    made = json.loads((copy / MANIFEST).read_text())
    made["source"]["name"] = name
    fields = {key: value for key, value in made.items() if key not in {"format", "sum"}}
    made["sum"] = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    (copy / MANIFEST).write_text(json.dumps(made))
    with pytest.raises(UnreadableInputError, match="is damaged"):
        CopySource(copy)


def test_a_newer_and_a_foreign_copy_are_told_apart(copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps(manifest | {"format": "esxprobe.columns/2"}))
    with pytest.raises(UnreadableInputError, match=r"format esxprobe\.columns/2, and this esxprobe reads") as newer:
        read_esxtop([copy], NEEDS)
    assert "convert the original capture again" in newer.value.hint
    for foreign in ("{}", "[]", '{"format": 1}'):
        (copy / MANIFEST).write_text(foreign)
        with pytest.raises(UnreadableInputError, match="no manifest of a columnar copy"):
            read_esxtop([copy], NEEDS)
    (copy / MANIFEST).write_text("{")
    with pytest.raises(UnreadableInputError, match=r"damaged: columns\.json cannot be read"):
        read_esxtop([copy], NEEDS)


# --- captures of hosts -----------------------------------------------------------------------------


def test_the_real_capture_comes_back_byte_for_byte(tmp_path: Path) -> None:
    if not SHARED.exists():
        pytest.skip(f"the real capture is not at hand: {SHARED}")
    copy = agrees(tmp_path, SHARED.read_bytes())
    assert (tmp_path / "back.csv").read_bytes() == SHARED.read_bytes()
    assert CopySource(copy).files.manifest.rows > 0
