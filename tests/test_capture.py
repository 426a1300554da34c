"""Capture folders on disk: what is taken for one, what its manifest says, and what is refused."""

import copy
import json
import os
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hostsim import USER_GROUPS, HostPlan, VmPlan, write_capture
from howmany import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shippedbook import analyze

from esxprobe.capture import (
    MANIFEST,
    SCHEMA,
    all_described,
    captures_below,
    described,
    load_capture,
    load_manifest,
    manifest_of,
    newest_capture,
    save_manifest,
)
from esxprobe.errors import OutputError, UnreadableInputError
from esxprobe.files.json_records import JsonRecord, keys_of, plain_of
from esxprobe.model.manifest import Manifest, ManifestHead

PLAN = HostPlan(
    host="small.example.com",
    pcpus=2,
    vms=(VmPlan("web01", 1_200_100, 1, 1024),),
    user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
    system_worlds=1,
    helper_worlds=1,
    power_states=("%C-State C0",),
    samples=20,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A capture folder of one segment with its manifest."""
    folder = tmp_path / "small-20260326T213000Z"
    folder.mkdir()
    write_capture(folder / "esxtop-000.csv.gz", PLAN)
    manifest = Manifest(
        host="small",
        build="VMware ESXi 8.0.3 build-24022510",
        commands=("esxtop -b -a -d 5 -n 20",),
        interval_s=5.0,
        samples=20,
        files=(described(folder, "esxtop-000.csv.gz"),),
        tool_version="0.1.0",
    )
    save_manifest(folder, manifest)
    return folder


# --- what is taken for a capture ------------------------------------------------------------------


def test_a_folder_gives_its_file_and_its_manifest(folder: Path) -> None:
    capture = load_capture(folder)
    assert capture.paths == (folder / "esxtop-000.csv.gz",)
    assert capture.manifest is not None
    assert capture.manifest.build == "VMware ESXi 8.0.3 build-24022510"


def test_segments_come_in_order_whatever_their_packing(folder: Path) -> None:
    for name in ("esxtop-010.csv.zst", "esxtop-002.csv", "esxtop-001.csv.gz"):
        write_capture(folder / name, PLAN)
    (folder / "guests").mkdir()
    (folder / "notes.csv").write_text("not a segment\n", encoding="utf-8")
    names = [path.name for path in load_capture(folder).paths]
    assert names == ["esxtop-000.csv.gz", "esxtop-001.csv.gz", "esxtop-002.csv", "esxtop-010.csv.zst"]


def test_a_lone_csv_needs_no_folder(tmp_path: Path) -> None:
    lone = tmp_path / "host01.csv"
    write_capture(lone, PLAN)
    assert load_capture(lone).paths == (lone,)
    assert load_capture(lone).manifest is None


def test_a_folder_without_a_manifest_is_read_without_one(folder: Path) -> None:
    (folder / MANIFEST).unlink()
    capture = load_capture(folder)
    assert capture.manifest is None
    assert analyze(capture.paths, manifest=None).capture.build == ""


def test_a_folder_without_a_capture_says_so_and_points_at_what_could_be_meant(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="without an esxtop capture") as caught:
        load_capture(tmp_path)
    assert "esxtop -b" in caught.value.hint
    (tmp_path / "host01.csv").write_text("", encoding="utf-8")
    with pytest.raises(UnreadableInputError) as caught:
        load_capture(tmp_path)
    assert caught.value.hint == f"did you mean {tmp_path / 'host01.csv'}?"


def test_the_newest_capture_is_told_by_the_stamp_in_its_name(tmp_path: Path) -> None:
    """Host names sort otherwise, and copying changes the times of files."""
    for name in ("zeus-20260101T000000Z", "apollo-20260326T213000Z", "hera-20260326T212959Z"):
        (tmp_path / name).mkdir()
        write_capture(tmp_path / name / "esxtop-000.csv", replace(PLAN, samples=2))
    os.utime(tmp_path / "zeus-20260101T000000Z", (4e9, 4e9))
    (tmp_path / "notes-99999999T999999Z").mkdir()  # no capture in it
    assert newest_capture(tmp_path).name == "apollo-20260326T213000Z"


def test_without_any_capture_the_newest_one_is_an_error_with_a_hint(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UnreadableInputError, match="no capture was found under") as caught:
            newest_capture(place)
        assert "esxprobe report" in caught.value.hint


# --- the manifest ---------------------------------------------------------------------------------

# Names from a command line hold such surrogates where their bytes are no UTF-8.
words = st.text(
    st.characters(exclude_categories=["Cs"]) | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF),
    max_size=20,
)
hostile = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(-1e18, 1e18)
    | words
    | st.sampled_from(["2026-01-23T10:29:48+01:00", "9999-12-31T23:59:59-23:59", "2026-01-23T09:29:48"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
SAMPLE = json.loads((Path(__file__).parents[1] / "samples" / "software-mmu" / MANIFEST).read_text(encoding="utf-8"))
SAMPLE["segments"][0]["limit"] = {
    "kept": [{"gid": "1", "name": "a"}],
    "missing": [],
    "groups": 2,
    "others": [["Adapter", 1]],
    "file": "esxprobe-0",
}
SAMPLE["fault_runs"] = [{"vm": "cgi01", "kind": "probe", "outcome": "whole", "rate": 0.0, "forecast_pct": None}]
SAMPLE["error"] = {"message": "lost", "hint": ""}
HEAD = keys_of(ManifestHead)


def damaged(inside: Any, draw: Any) -> None:
    """Puts something else in one place of a JSON object or list, or takes it away, or adds a key."""
    known = inside if isinstance(inside, dict) else dict(enumerate(inside))
    place = draw(st.sampled_from([*known, *(["a later version's key"] if known is inside else [])]))
    below = known.get(place)
    if isinstance(below, (dict, list)) and below and draw(st.integers(0, 3)):
        damaged(below, draw)
    elif known is inside and place in inside and draw(st.booleans()):
        del inside[place]
    else:
        inside[place] = draw(hostile)


@st.composite
def manifests(draw: Any) -> dict[str, Any]:
    """A manifest as it was collected, with damage in places beside its head, written by whatever version."""
    made = copy.deepcopy(SAMPLE)
    rest = {key: value for key, value in made.items() if key not in (*HEAD, "schema")}
    for _ in range(draw(st.integers(1, 6))):
        damaged(rest, draw)
    return {key: made[key] for key in HEAD} | rest


@settings(max_examples=examples(200))
@given(raw=manifests())
@example(raw={key: SAMPLE[key] for key in HEAD} | {"vms": [{"name": "web01", "settings": {"numvcpus": 4}}]})
def test_nothing_is_lost_of_a_manifest_that_is_read_and_written(raw: dict[str, Any]) -> None:
    """Values of another type, keys of later versions and keys that are absent are in the copy as they were."""
    assert plain_of(manifest_of(copy.deepcopy(raw))) == raw


@given(raw=manifests(), host=words)
def test_a_manifest_comes_back_as_it_was_saved(
    tmp_path_factory: pytest.TempPathFactory, raw: dict[str, Any], host: str
) -> None:
    folder = tmp_path_factory.mktemp("manifest")
    manifest = manifest_of(raw | {"host": host})
    save_manifest(folder, manifest)
    assert load_manifest(folder) == manifest
    assert [path.name for path in folder.iterdir()] == [MANIFEST], "no partial file stays"


@pytest.mark.parametrize("sample", ["software-mmu", "hardware-mmu"])
def test_the_manifest_of_a_capture_is_written_again_to_the_byte(tmp_path: Path, sample: str) -> None:
    folder = Path(__file__).parents[1] / "samples" / sample
    save_manifest(tmp_path, load_manifest(folder))
    assert (tmp_path / MANIFEST).read_bytes() == (folder / MANIFEST).read_bytes()


def test_every_key_of_a_collected_manifest_has_a_field() -> None:
    def left(value: Any, place: str) -> Iterator[str]:
        if isinstance(value, JsonRecord):
            yield from (f"{place}.{key}" for key in value.more)
            value = tuple(getattr(value, each.name) for each in fields(value))
        if isinstance(value, tuple):
            for each in value:
                yield from left(each, f"{place}.{type(each).__name__}")

    unknown = set(left(manifest_of(SAMPLE), ""))
    assert {each for each in unknown if not each.endswith("Connection.server")} == set(), "the lab's own is no SSH"


def test_a_value_of_another_type_is_not_known_and_the_others_of_its_list_are() -> None:
    made = manifest_of(
        {"segments": [3, {"file": "a", "samples": "many"}, {"file": "b", "samples": 7}], "state": ["whole"]}
    )
    assert [(each.file, each.samples) for each in made.segments] == [("a", None), ("b", 7)]
    assert made.state == ""
    assert [vm.world_id for vm in manifest_of({"vms": [{"world_id": 2100001}]}).vms] == ["2100001"]
    assert set(made.more) == {"segments", "state"}


def test_what_this_version_does_not_know_is_kept(folder: Path) -> None:
    raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    raw["clock_offsets_s"] = {"host": 0.2}
    (folder / MANIFEST).write_text(json.dumps(raw), encoding="utf-8")
    manifest = load_manifest(folder)
    assert manifest.more == {"clock_offsets_s": {"host": 0.2}}
    save_manifest(folder, manifest)
    assert json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["clock_offsets_s"] == {"host": 0.2}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b'{"schema": "esxprobe.capt', "cannot be read", id="cut off"),
        pytest.param(b"\xff\xfe\x00", "cannot be read", id="no text"),
        pytest.param(b"", "cannot be read", id="empty"),
        pytest.param(b"[1, 2]", "not an esxprobe manifest of schema", id="no object"),
        pytest.param(
            b'{"schema": "esxprobe.capture/99"}', "not an esxprobe manifest of schema", id="of a later version"
        ),
        pytest.param(b'{"host": "a"}', "not an esxprobe manifest of schema", id="no schema"),
        pytest.param(b'{"schema": "SCHEMA", "files": [{"name": "x"}]}', "is damaged", id="a file without its sum"),
        pytest.param(b'{"schema": "SCHEMA", "files": 7}', "is damaged", id="files are a number"),
        pytest.param(b'{"schema": "SCHEMA", "files": [3]}', "is damaged", id="a file is a number"),
        pytest.param(b'{"schema": "SCHEMA", "interval_s": "often"}', "is damaged", id="an interval in words"),
        pytest.param(b'{"schema": "SCHEMA", "interval_s": []}', "is damaged", id="an interval of nothing"),
        pytest.param(b"[" * 100_000, "cannot be read", id="nested without end"),
    ],
)
def test_a_damaged_manifest_is_unreadable_input(folder: Path, content: bytes, complaint: str) -> None:
    (folder / MANIFEST).write_bytes(content.replace(b"SCHEMA", SCHEMA.encode()))
    with pytest.raises(UnreadableInputError, match=complaint) as caught:
        load_capture(folder)
    assert MANIFEST in caught.value.message


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"capture\.json cannot be written"):
        save_manifest(tmp_path / "nowhere", Manifest())


def test_every_file_is_described_but_the_manifest(folder: Path) -> None:
    (folder / "guests").mkdir()
    (folder / "guests" / "web01.txt").write_bytes(b"abc")
    (folder / ".esxprobe-0123456789abcdef.partial").write_text("left by a crash", encoding="utf-8")
    first, second = all_described(folder)
    assert first == described(folder, "esxtop-000.csv.gz")
    assert (second.name, second.bytes) == ("guests/web01.txt", 3)
    assert second.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_file_that_cannot_be_read_back_is_an_output_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("esxprobe.capture.opened", broken)
    with pytest.raises(OutputError, match="cannot be read back: Input/output error"):
        all_described(folder)


# --- what the manifest does to the analysis -------------------------------------------------------


def test_the_build_of_the_manifest_is_in_the_analysis(folder: Path) -> None:
    capture = load_capture(folder)
    analysis = analyze(capture.paths, manifest=capture.manifest)
    assert analysis.capture.build == "VMware ESXi 8.0.3 build-24022510"
    assert "checksum-differs" not in {note.code for note in analysis.quality}


def test_a_file_changed_after_the_capture_is_a_critical_doubt(folder: Path) -> None:
    write_capture(folder / "esxtop-000.csv.gz", replace(PLAN, seed=2))
    capture = load_capture(folder)
    analysis = analyze(capture.paths, manifest=capture.manifest)
    (doubt,) = [note for note in analysis.quality if note.code == "checksum-differs"]
    assert (doubt.severity, doubt.count) == ("critical", 1)
    assert "esxtop-000.csv.gz" in doubt.detail
    assert "capture-damaged" in {finding.rule for finding in analysis.findings}


def test_a_file_that_the_manifest_does_not_name_is_no_doubt(folder: Path) -> None:
    """The manifest is written last: a capture that was broken off has segments beyond it."""
    write_capture(folder / "esxtop-001.csv.gz", PLAN)
    capture = load_capture(folder)
    analysis = analyze(capture.paths, manifest=capture.manifest)
    assert "checksum-differs" not in {note.code for note in analysis.quality}


def test_reading_a_folder_changes_nothing_in_it(folder: Path) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    capture = load_capture(folder)
    analyze(capture.paths, manifest=capture.manifest)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


# --- folders that must not be entered -------------------------------------------------------------


@pytest.fixture
def closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The capture folder as an account finds it that may not enter it; root may enter all, so it is made up."""
    there = Path.exists

    def exists(path: Path, **kept: bool) -> bool:
        if folder in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return there(path, **kept)

    monkeypatch.setattr(Path, "exists", exists)
    return folder


def test_a_folder_that_must_not_be_entered_is_told_and_is_no_bug(closed: Path) -> None:
    with pytest.raises(UnreadableInputError, match="small-20260326T213000Z cannot be read: Permission denied"):
        load_capture(closed)


def test_beside_others_it_does_not_hide_them(closed: Path) -> None:
    other = closed.parent / "host02.csv"
    other.touch()
    assert captures_below(closed.parent) == [other, closed]
    with pytest.raises(UnreadableInputError, match="no capture was found"):
        newest_capture(closed.parent)
