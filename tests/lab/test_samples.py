"""What lies below `samples/` is what `make samples` makes."""

import gzip
import json
import zlib
from pathlib import Path

import pytest
from make_samples import FOLDERS, SAMPLES, make
from shippedbook import analyze

from esxprobe.capture import load_capture


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    make(folder)
    return folder


def files_of(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def without_packed_sizes(manifest: Path) -> object:
    """Another zlib packs the same text into other bytes."""
    fields = json.loads(manifest.read_text(encoding="utf-8"))
    fields["files"] = [file for file in fields["files"] if not file["name"].endswith(".gz")]
    for segment in fields["segments"]:
        del segment["bytes"]
    return fields


def test_the_same_bytes_every_time(made: Path) -> None:
    there, again = files_of(SAMPLES), files_of(made)
    assert there.keys() - {"README.md"} == again.keys(), "`make samples` makes them anew"
    for name, path in again.items():
        if name.endswith(".gz"):
            assert gzip.decompress(path.read_bytes()) == gzip.decompress(there[name].read_bytes()), name
        if name.endswith("capture.json"):
            assert without_packed_sizes(path) == without_packed_sizes(there[name]), name
        elif not name.endswith(".gz") or "zlib-ng" not in zlib.ZLIB_RUNTIME_VERSION:
            assert path.read_bytes() == there[name].read_bytes(), f"{name}: `make samples` makes it anew"


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in files_of(SAMPLES).values()) < 3_000_000


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_a_whole_capture(name: str) -> None:
    capture = load_capture(SAMPLES / name)
    manifest = capture.manifest
    assert manifest is not None
    assert manifest.state == "whole"
    assert [guest.outcome for guest in manifest.guests] == ["whole", "whole"]
    assert all(guest.file in {file.name for file in manifest.files} for guest in manifest.guests)
    for reading in (manifest.clock.start, manifest.clock.end):
        assert abs(reading.offset_s - FOLDERS[name]().clock_ahead_s) <= reading.uncertainty_s
    analysis = analyze(capture.paths, manifest=manifest)
    assert {vm.mmu for vm in analysis.vms} == {name.removesuffix("-mmu")}
    assert {note.code for note in analysis.quality} == {"first-sample", "sentinel"}, (
        "nothing but what every capture has"
    )


def test_the_stories(made: Path) -> None:
    rules = {}
    for name in FOLDERS:
        capture = load_capture(made / name)
        found = analyze(capture.paths, manifest=capture.manifest).findings
        rules[name] = {(each.rule, each.entity.name) for each in found if each.severity != "info"}
    assert {
        ("cpu-ready", "sql-legacy"),
        ("cpu-costop", "sql-legacy"),
        ("vm-balloon", "mail"),
        ("vm-swapping", "mail"),
        ("cpu-swap-wait", "mail"),
        ("memory-state", "esx-old.example.com"),
    } <= rules["software-mmu"]
    assert not {entity for _, entity in rules["software-mmu"]} & {"intranet", "cgi01"}, "the guests are left alone"
    assert rules["hardware-mmu"] == set()
