r"""Properties: hostile names come back unchanged, and no damage makes a value wrong in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from made_captures import NAMES, Cells, header, joined, lines, needs_of, read, reported, write

from esxprobe.errors import UnreadableInputError
from esxprobe.formats import paths, pdh, timestamps
from esxprobe.formats.entities import identify
from esxprobe.formats.header_reader import HeaderReader, Request
from esxprobe.formats.issues import QualityIssues
from esxprobe.formats.scan import FileReader
from esxprobe.formats.source import Source

pytestmark = pytest.mark.slow

# --- (a) names -------------------------------------------------------------------------------------

LETTERS = st.one_of(
    st.sampled_from(list(':,()\\%"/ .#?')),
    st.sampled_from(["%2f", "vmx", "vmx-vcpu-0", ":1000:", '","', '""', "é", "東", "😀"]),
    st.characters(exclude_categories=("Cs",), exclude_characters="\n\r"),
)
PIECE = st.lists(LETTERS, max_size=8).map("".join)
OBJECT = st.sampled_from(["Vcpu", "Group Cpu", "Virtual Disk", "Physical Disk Path"])
COUNTER = st.sampled_from(["% Used", "Effective Min (MHz)", "Enabled?", "Average Packet Size  Received (Bytes)"])


@st.composite
def hostile_paths(draw: st.DrawFn) -> list[str]:
    host = draw(st.sampled_from(["esx01", "esx01.example.com", "10.0.0.1"]))
    made = draw(st.lists(st.tuples(OBJECT, PIECE, COUNTER), min_size=1, max_size=6))
    names = [rf"\\{host}\{thing}({instance})\{counter}" for thing, instance, counter in made]
    prefix = rf"\\{host}" + "\\"
    # The prefix of all paths is the one thing that a name must not hold: names are cut at it.
    return list(dict.fromkeys(n for n in names if n.count(prefix) == 1 and '","\\\\' not in n)) or [
        rf"\\{host}\Memory\Free MBytes"
    ]


def csv_style(names: list[str]) -> str:
    """Quotes doubled, as a CSV writer prints them."""
    return header(name.replace('"', '""') for name in names)


def raw_is_ambiguous(names: list[str]) -> bool:
    """All runs of quotes are even, so nobody can tell whether they were doubled on the way."""
    runs = [len(run) for name in names for run in re.findall('"+', name)]
    return bool(runs) and all(run % 2 == 0 for run in runs)


@given(hostile_paths())
@settings(max_examples=150, deadline=None)
def test_hostile_names_come_back_unchanged(names: list[str]) -> None:
    r"""Any Unicode without lone surrogates (UTF-8 has none), and no line break: it ends the header line.

    Both ways of printing a quote are tried: as it is, as esxtop prints it, and doubled, as CSV asks.
    """
    for text in (header(names), csv_style(names)):
        if text == header(names) and raw_is_ambiguous(names):
            event("quotes that may have been doubled")
            continue
        parsed = pdh.parse_header(text.encode())
        assert parsed.names == names
        assert parsed.cells == list(range(1, len(names) + 1))
        index = paths.index(parsed.columns)
        assert index["path"].to_list() == names
        slow = [paths.split_path(name) for name in names]
        assert index.select("host", "object", "instance", "counter").rows() == slow


@given(hostile_paths())
@settings(max_examples=60, deadline=None)
def test_things_are_found_for_any_name_without_a_crash(names: list[str]) -> None:
    index = paths.index(pdh.parse_header(header(names).encode()).columns)
    found = identify(index.with_columns(pl.col("path").alias("key")), QualityIssues())
    assert found.columns.height == len(names)


# --- (b) damage ------------------------------------------------------------------------------------

FEW = NAMES[:5]
ROWS = 3
GOOD_LINES = lines(ROWS, FEW)
GOOD = joined(GOOD_LINES)
NEEDS = needs_of(FEW)
BODY = GOOD.index(b"\n") + 1

_TIME = rb'"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d"'
_NUMBER = rb'"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"'
_ROW = re.compile(_TIME + rb"(?:," + _NUMBER + rb"){%d}" % len(FEW))


def same_names(head: bytes) -> bool:
    """The header has as many names as before, each in its quotes: at most their letters differ."""
    return head.startswith(b'"(PDH-CSV') and len(head.split(b'","\\\\')) == len(FEW) + 1 and head[-1:] == b'"'


def flawless(data: bytes) -> bool:
    """A capture without any damage to be seen: every line, cell and number has its full form.

    Nobody can tell that it was damaged: a digit, dot, sign or exponent stands in place of another
    inside a number or a time, or a missing block left rows and cells perfectly formed, or a letter
    of a name is another one (then the column is another column), or the file ends behind a whole row.
    """
    head, *rows = data.split(b"\n")
    if rows[-1:] == [b""]:
        rows.pop()
    return same_names(head) and bool(rows) and all(_ROW.fullmatch(row) for row in rows)


def renamed(data: bytes) -> bool:
    """A letter of a name was changed, put in or taken out: the column is another one now."""
    head = data.split(b"\n")[0]
    return head != GOOD_LINES[0].encode() and same_names(head)


def spliced_time(data: bytes) -> bool:
    """A missing block left a perfect time cell, made of the halves of two cells, behind a cut row."""
    stamps = set(re.findall(_TIME, GOOD))
    return bool(set(re.findall(_TIME, data)) - stamps)


@cache
def undamaged(folder: Path) -> Cells:
    return reported(read(folder, GOOD, needs=NEEDS))


def check(folder: Path, damaged: bytes, *, told: bool = True) -> None:
    """Every value reported is the undamaged one, and where one is missing, a note says so (if `told`)."""
    good = undamaged(folder)
    try:
        recording = read(folder, damaged, needs=NEEDS)
    except UnreadableInputError:
        event("refused with an error")
        return
    got = reported(recording)
    wrong = {key: (value, good.get(key)) for key, value in got.items() if good.get(key) != value and key[1] in FEW}
    assert not wrong, f"wrong values {wrong} in {damaged!r}"
    if told and set(good) - set(got):
        codes = {note.code for note in recording.notes} - {"first-sample"}
        assert codes, f"values are missing and nothing is counted: {set(good) - set(got)} in {damaged!r}"
        event("lost and counted")


@st.composite
def damages(draw: st.DrawFn) -> bytes:
    at = draw(st.integers(0, len(GOOD) - 1))
    length = draw(st.integers(1, 200))
    byte = draw(
        st.one_of(st.sampled_from([bytes([c]) for c in b'x,"\n\x00 \r\\(?;.1-']), st.binary(min_size=1, max_size=1))
    )
    kind = draw(st.sampled_from(["overwrite", "delete", "insert", "truncate", "remove", "zero"]))
    return {
        "overwrite": GOOD[:at] + byte + GOOD[at + 1 :],
        "delete": GOOD[:at] + GOOD[at + 1 :],
        "insert": GOOD[:at] + byte + GOOD[at:],
        "truncate": GOOD[:at],
        "remove": GOOD[:at] + GOOD[at + length :],
        "zero": GOOD[:at] + b"\x00" * len(GOOD[at : at + length]) + GOOD[at + length :],
    }[kind]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@given(damaged=damages())
@settings(max_examples=160, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_value_is_right_or_counted_as_lost(folder: Path, damaged: bytes) -> None:
    if renamed(damaged):
        event("a column is another one now")
        check(folder, damaged, told=False)
    elif flawless(damaged) or spliced_time(damaged):
        event("nobody can see it")
    else:
        check(folder, damaged)


# --- the same, byte by byte ------------------------------------------------------------------------

SUBSTITUTES = [b"x", b",", b'"', b"\n", b"\x00", b" "]


def every_damage() -> Iterator[tuple[str, bytes]]:
    for at in range(BODY, len(GOOD)):
        for byte in SUBSTITUTES:
            if GOOD[at : at + 1] != byte:
                yield f"byte {at} is {byte!r}", GOOD[:at] + byte + GOOD[at + 1 :]
        yield f"byte {at} is gone", GOOD[:at] + GOOD[at + 1 :]


class Rows:
    """The values of rows under a header known beforehand, without the frames made of them: quick."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.headers = HeaderReader(Request(NEEDS))

    def read(self, data: bytes) -> tuple[dict[tuple[object, str], float], int]:
        """Values by time and path, the first row's too, and how much was counted."""
        source, issues = Source(write(self.folder, data)), QualityIssues()
        try:
            pieces = [batch.rows for batch in FileReader(source, self.headers, issues).batches()]
        finally:
            source.close()
        found: dict[tuple[object, str], float] = {}
        if pieces:
            cells = pl.concat([rows.time_cells for rows in pieces])
            times = timestamps.parse_times(cells, issues)[0].to_list()
            numbers = np.concatenate([rows.values for rows in pieces], axis=1)
            for time, column in zip(times, numbers.T, strict=True):
                for path, value in zip(FEW, column.tolist(), strict=True):
                    if time is not None and not np.isnan(value):
                        found[time, path] = value
        return found, len(issues.notes())


def test_every_byte_of_the_rows_damaged_in_turn(tmp_path: Path) -> None:
    rows = Rows(tmp_path)
    good, _ = rows.read(GOOD)
    assert len(good) == ROWS * len(FEW)
    tried = hidden = lost = 0
    for what, data in every_damage():
        tried += 1
        if flawless(data):
            hidden += 1
            continue
        got, notes = rows.read(data)
        wrong = {key: value for key, value in got.items() if good.get(key) != value}
        assert not wrong, f"{what}: {wrong}"
        lost += len(good) - len(got)
        if len(got) < len(good):
            assert notes, f"{what}: values are missing and nothing is counted"
    print(f"{tried} damages, {hidden / tried:.1%} nobody can see, {lost / (tried - hidden):.1f} values lost each")
    assert hidden / tried < 0.15, "too much is excluded: the sweep proves little"
    assert lost / (tried - hidden) < len(FEW) + 1, "a damaged byte costs about a row, not more"


def test_every_byte_of_the_header_damaged_in_turn() -> None:
    r"""Each column keeps its cell, or the header's width no longer fits its rows (which is an error)."""
    head = GOOD_LINES[0].encode()
    places = dict(zip(FEW, range(1, len(FEW) + 1), strict=True))
    hidden = refused = tried = 0
    for at in range(head.index(b'","') + 1, len(head)):
        for byte in [*(b for b in SUBSTITUTES if b != b"\n"), b""]:
            data = head[:at] + byte + head[at + 1 :]
            tried += 1
            try:
                parsed = pdh.parse_header(data)
            except UnreadableInputError:
                refused += 1
                continue
            if parsed.width != len(FEW) + 1:
                refused += 1
                continue
            hidden += same_names(data)
            for name, cell in zip(parsed.names, parsed.cells, strict=True):
                assert places.get(name, cell) == cell, f"byte {at} is {byte!r}: {name} moved"
            if not same_names(data):
                assert parsed.notes, f"byte {at} is {byte!r}: nothing is counted"
    print(f"{tried} damages, {refused} refused, {hidden / tried:.1%} change letters only")
    assert refused < tried / 10
