"""`esxprobe convert` as a shell sees it: a columnar copy in place of a capture, and the capture of it again."""

import gzip
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostsim import plan_of_width, write_capture
from shell import ROOT, Run, environment, plan

from esxprobe.convert import _new_folder
from esxprobe.errors import OutputError

SAMPLES = [ROOT / "samples" / name for name in ("demo", "hardware-mmu", "software-mmu")]


def judged(run: Run, capture: Path | str) -> dict[str, object]:
    """The analysis of a capture as JSON, without the note that it came from a copy."""
    done = run("report", capture, "-o", "page.html", "--json", "-")
    assert done.returncode == 0, done.stderr
    analysis: dict[str, object] = json.loads(done.stdout)
    quality = analysis["quality"]
    assert isinstance(quality, list)
    analysis["quality"] = [note for note in quality if note["code"] != "columnar-copy"]
    analysis["copied"] = len(quality) - len(analysis["quality"])
    return analysis


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_a_report_says_the_same_of_a_copy(run: Run, sample: Path) -> None:
    """Findings, fault costs from the guests' logs, provenance, damage; but one note, which says that."""
    done = run("convert", sample, "-o", "kept")
    assert (done.returncode, done.stdout) == (0, "kept\n"), done.stderr
    assert " samples in tables, 1 lines as text; " in done.stderr
    original, copy = judged(run, sample), judged(run, "kept")
    assert (original.pop("copied"), copy.pop("copied")) == (0, 1)
    assert copy == original


def test_a_report_says_the_same_of_a_damaged_capture_s_copy(tmp_path: Path, run: Run) -> None:
    capture = tmp_path / "host.csv"
    write_capture(capture, plan())
    made = capture.read_bytes().splitlines(keepends=True)
    made[4] = made[4][:900] + b"\n"
    made[7] = made[7].replace(b".", b"?", 3)
    made[9] = b"\n"
    made[12:12] = [b"connection lost\n", made[0]]
    capture.write_bytes(b"".join(made)[:-200])
    assert run("convert", capture, "-o", "host.columns").returncode == 0
    original, copy = judged(run, capture), judged(run, "host.columns")
    assert (original.pop("copied"), copy.pop("copied")) == (0, 1)
    assert copy == original
    assert run("convert", "--back", "host.columns", "-o", "again.csv").returncode == 0
    assert (tmp_path / "again.csv").read_bytes() == capture.read_bytes()


def test_counters_and_extract_say_the_same_of_a_copy(tmp_path: Path, run: Run, sick: Path) -> None:
    assert run("convert", sick, "-o", "kept").returncode == 0
    assert run("counters", "kept").stdout == run("counters", sick).stdout
    for words in (["--counter", "%RDY"], ["--vm", "busy"], ["--object", "Memory", "--from", "+20"], []):
        for capture, target in ((sick, "a"), ("kept", "b")):
            for ending in ("csv", "parquet"):
                done = run("extract", capture, *words, "-o", f"{target}/part.{ending}")
                assert done.returncode == 0, done.stderr
        made = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
        assert made == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
        shutil.rmtree(tmp_path / "a")
        shutil.rmtree(tmp_path / "b")


def test_a_folder_s_other_files_are_in_its_copy(tmp_path: Path, run: Run) -> None:
    sample = SAMPLES[1]
    run("convert", sample, "-o", "kept")
    run("convert", "--back", "kept", "-o", "again")

    def others(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in files
            if not path.relative_to(folder).as_posix().startswith("esxtop-")
        }

    assert others(tmp_path / "kept") == others(tmp_path / "again") == others(sample)
    name = "esxtop-000.csv.gz"
    assert gzip.decompress((tmp_path / "again" / name).read_bytes()) == gzip.decompress(
        (sample / name).read_bytes()
    )


def test_what_is_there_is_replaced_only_when_it_is_a_copy_and_that_was_asked_for(
    tmp_path: Path, run: Run, healthy: Path, sick: Path
) -> None:
    assert run("convert", healthy, "-o", "kept").returncode == 0
    done = run("convert", sick, "-o", "kept")
    assert done.returncode == 2
    assert done.stderr == "esxprobe: kept is there already\nhint: name another folder with -o, or say --force\n"
    assert run("convert", sick, "-o", "kept", "--force").returncode == 0
    assert json.loads((tmp_path / "kept" / "columns.json").read_text())["source"]["name"] == sick.name
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = run("convert", sick, "-o", "mine", "--force")
    assert done.returncode == 2
    assert "no columnar copy: it is not removed" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "mine"]


def test_what_makes_no_sense_is_refused(tmp_path: Path, run: Run, healthy: Path) -> None:
    run("convert", healthy, "-o", "kept")
    cases = {
        ("convert", "kept", "-o", "twice"): "is a columnar copy already",
        ("convert", "--back", str(healthy), "-o", "x.csv"): "is no columnar copy",
        ("convert", "--back", "kept", "-o", "kept/x.csv"): "lie in each other",
        ("convert", "--back", "kept", "-o", "x.csv", "--force"): "--back never replaces anything",
        ("redact", "kept", "-o", "clean"): "is a columnar copy, which is not redacted",
        ("report", "kept", "-o", "kept/page.html"): "is a part of the capture itself",
        ("extract", "kept", "-o", "kept/part.csv"): "is a part of the capture itself",
        ("convert", "nowhere.csv", "-o", "x"): "does not exist",
    }
    for words, message in cases.items():
        done = run(*words)
        assert done.returncode in {2, 4}, words
        assert message in done.stderr, words
        assert "hint: " in done.stderr, words
    left = {path.name for path in tmp_path.iterdir()} - {".esxprobe-redaction-map.json"}
    assert left == {"kept"}


def test_a_folder_of_copies_is_many_captures(tmp_path: Path, run: Run, healthy: Path, sick: Path) -> None:
    for name, capture in (("one", healthy), ("two", sick)):
        assert run("convert", capture, "-o", f"all/{name}.columns").returncode == 0
    done = run("report", "all", "-o", "summary.html", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "summary.html").is_file()


def test_force_removes_nothing_that_is_no_part_of_a_copy(tmp_path: Path, run: Run, healthy: Path) -> None:
    """A folder of several copies, and a copy beside which somebody keeps notes."""
    for name in ("one", "two"):
        assert run("convert", healthy, "-o", f"all/{name}.columns").returncode == 0
    done = run("convert", healthy, "-o", "all", "--force")
    assert done.returncode == 2
    assert "all is there, and no columnar copy: it is not removed" in done.stderr
    assert run("convert", SAMPLES[1], "-o", "folder").returncode == 0
    for notes in (tmp_path / "all" / "one.columns" / "notes.txt", tmp_path / "folder" / "notes.txt"):
        notes.write_text("years of work")
        capture = healthy if "all" in notes.parts else SAMPLES[1]
        done = run("convert", capture, "-o", notes.parent, "--force")
        assert done.returncode == 2
        assert "notes.txt in it is no part of a columnar copy: it is not removed" in done.stderr
        notes.unlink()
        assert run("convert", capture, "-o", notes.parent, "--force").returncode == 0
    assert run("convert", healthy, "-o", "folder", "--force").returncode == 2, "its guests' logs would be gone"
    assert (tmp_path / "all" / "two.columns" / "columns.json").is_file()


def test_what_is_to_be_replaced_comes_back_when_the_new_one_cannot_be_moved(
    tmp_path: Path, run: Run, healthy: Path
) -> None:
    assert run("convert", healthy, "-o", "kept").returncode == 0
    before = sorted(path.name for path in (tmp_path / "kept").iterdir())
    with (
        pytest.raises(OutputError, match="kept cannot be written"),
        _new_folder(healthy, tmp_path / "kept", force=True) as folder,
    ):
        folder.rmdir()  # somebody tidies up
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize("words", [["convert"], ["convert", "--back"]])
def test_a_name_that_no_disk_takes_is_an_error_of_the_output(run: Run, healthy: Path, words: list[str]) -> None:
    assert run("convert", healthy, "-o", "kept").returncode == 0
    done = run(*words, healthy if len(words) == 1 else "kept", "-o", "x" * 300)
    assert done.returncode == 2
    assert "cannot be made: File name too long" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whatever_ends_it_leaves_nothing_half(tmp_path: Path, number: signal.Signals) -> None:
    capture = tmp_path / "in" / "wide.csv"
    capture.parent.mkdir()
    write_capture(capture, plan_of_width(6_000, 2_000, 1))  # work for seconds, so that the look is not too late
    words = [sys.executable, "-m", "esxprobe", "convert", str(capture), "-o", "out/kept"]
    process = subprocess.Popen(words, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("out/.esxprobe-*/new/headers/*")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(number)
    if number != signal.SIGINT:
        process.send_signal(number)  # as `timeout` does: to the process, and to its group
    process.communicate(timeout=300)
    assert process.returncode == 128 + number
    assert list((tmp_path / "out").iterdir()) == []
