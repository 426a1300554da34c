r"""A capture that nobody of us wrote: an ESXi 6 host, all fields, three samples."""

from __future__ import annotations

import re
from functools import cache

import naive
import polars as pl
import pytest
from read_by_hand import REAL, by_hand

from esxprobe.formats.esxtop import read_esxtop
from esxprobe.model import Recording

pytestmark = pytest.mark.skipif(not REAL.exists(), reason=f"REAL CAPTURE ABSENT, NOT TESTED: {REAL}")

SENTINELS = (-1.0, -2.0, -3.0)


@cache
def everything() -> Recording:
    columns = read_esxtop([REAL], {}).columns.filter(pl.col("kind") != "")
    needs: dict[str, list[str]] = {}
    for kind, thing, counter in columns.select("kind", "object", "counter").unique().iter_rows():
        needs.setdefault(kind, []).append(f"{thing}\\{counter}")
    return read_esxtop([REAL], needs)


def test_the_count_of_columns_samples_groups_worlds_and_vms() -> None:
    recording = everything()
    raw = REAL.read_bytes().split(b"\n")[0]
    assert raw.count(b",") == 17_426, "cells beside the time"
    assert recording.columns.height == 17_427, "of which one is two"
    assert (recording.columns["path"] == "").sum() == 2
    assert recording.samples.height == 3
    assert recording.samples["reason"].to_list() == ["first", "", ""]
    assert recording.interval_s == 5.0
    groups = recording.entities["group"].height + recording.entities["vm"].height
    worlds = recording.entities["world"].height + recording.entities["vcpu"].height
    assert (groups, worlds) == (59, 485)
    assert [(vm.name, vm.vcpus) for vm in recording.vms] == [
        ("styx", 1), ("portunus", 1), ("hermes", 1), ("ananke", 1), ("ouranos", 1), ("poseidon", 2),
    ]  # fmt: skip


def test_nothing_is_unknown_and_only_what_is_there_is_counted() -> None:
    recording = everything()
    assert recording.columns["known"].null_count() == 2, "the nameless ones are neither known nor unknown"
    assert recording.columns["known"].drop_nulls().all()
    codes = {note.code: note.count for note in recording.notes}
    sentinels = codes.pop("sentinel")
    assert sentinels > 0
    assert codes == {"glued-cell": 1, "unnamed-column": 2, "first-sample": 1}


def test_both_halves_of_the_glued_cell_have_their_names_and_values() -> None:
    recording = everything()
    place = recording.columns["path"].to_list().index("")
    path = recording.columns["path"][place + 1]
    assert path == r"\\localhost.home\PCPU Power State(PCPU 1)\%C-State C0"
    assert recording.columns["cell"][place] == recording.columns["cell"][place + 1]
    raw = REAL.read_text().split("\n")[1:4]
    values = [float(re.search(r',    [0-9.]+"([0-9.]+)",', line)[1]) for line in raw]  # type: ignore[index]
    frame = recording.tidy["pcpu"].filter(pl.col("entity") == 1)
    assert frame[r"PCPU Power State\%C-State C0"].to_list() == values[1:]


def test_every_number_of_the_file_is_where_csv_finds_it() -> None:
    recording = everything()
    names, rows = by_hand()
    assert len(names) == 17_427
    compared = 0
    frames = {
        kind: {
            (sample, entity): line
            for line in frame.iter_rows(named=True)
            for sample, entity in [(line["sample"], line["entity"])]
        }
        for kind, frame in recording.tidy.items()
    }
    columns = recording.columns.select("path", "kind", "entity", "object", "counter", "wanted").iter_rows()
    for place, (path, kind, entity, thing, counter, wanted) in enumerate(columns):
        assert wanted == (path != ""), f"{path} belongs to nothing"
        assert names[place] == path or not path
        if not path:
            continue
        for sample in (1, 2):
            number = float(rows[sample][place])
            got = frames[kind][sample, entity][f"{thing}\\{counter}"]
            assert got == (None if number in SENTINELS else number), f"{path}, sample {sample}"
            compared += 1
    assert compared == 2 * 17_425


def test_a_naive_reader_fails_on_it() -> None:
    with pytest.raises(ValueError, match="could not convert"):
        naive.read(REAL)
