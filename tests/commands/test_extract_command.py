"""`esxprobe extract` as a shell sees it."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from hostsim import plan_of_width, write_capture
from shell import ROOT, Run, environment, plan

DEMO = ROOT / "samples" / "demo"


def test_a_folder_gives_a_file_that_is_a_capture_again(tmp_path: Path, run: Run) -> None:
    done = run(
        "extract", DEMO, "--counter", "%RDY", "--vm", "web01", "--from", "+2m", "--to", "+5m", "-o", "part.csv"
    )
    assert (done.returncode, done.stdout) == (0, "part.csv\n")
    assert " of 181 rows; " in done.stderr
    assert "outside the window" in done.stderr
    shown = run("counters", "part.csv")
    assert "Vcpu" in shown.stdout
    assert "Memory" not in shown.stdout


def test_the_name_comes_from_the_capture_when_none_is_given(tmp_path: Path, run: Run, sick: Path) -> None:
    done = run("extract", sick, "--object", "Memory")
    assert done.stdout == "sick-extract.csv\n"
    assert (tmp_path / "sick-extract.csv").is_file()


def test_the_capture_itself_is_never_written_to(tmp_path: Path, run: Run) -> None:
    capture = tmp_path / "small.csv"
    write_capture(capture, plan())
    before = capture.read_bytes()
    done = run("extract", capture, "-o", capture)
    assert done.returncode == 2
    assert "is a part of the capture itself" in done.stderr
    folder = tmp_path / "folder"
    shutil.copytree(DEMO, folder)
    shutil.move(folder / "esxtop-000.csv.gz", folder / "esxtop-000.csv.zst")  # told by content, not by name
    assert run("extract", folder, "--object", "Memory", "-o", folder / "capture.json").returncode == 2
    assert capture.read_bytes() == before


def test_damage_is_told_in_one_line(tmp_path: Path, run: Run) -> None:
    capture = tmp_path / "small.csv"
    write_capture(capture, plan())
    lines = capture.read_bytes().splitlines(keepends=True)
    lines[5] = lines[5].replace(b",", b";")
    capture.write_bytes(b"".join(lines))
    done = run("extract", capture, "-o", "part.parquet", "--object", "Memory")
    assert done.returncode == 0
    assert len(done.stderr.splitlines()) == 1
    assert "23 of 24 rows" in done.stderr
    assert "1 unreliable rows left out" in done.stderr
    assert pl.read_parquet(tmp_path / "part.parquet").height == 23


def test_a_misspelled_counter_is_met_with_near_names_and_no_file(tmp_path: Path, run: Run, healthy: Path) -> None:
    done = run("extract", healthy, "--counter", "% Reddy", "-o", "part.csv")
    assert done.returncode == 2
    assert done.stderr.startswith("esxprobe: the capture has no counter '% Reddy'\nhint: did you mean % Ready")
    assert not list(tmp_path.iterdir())


def test_a_name_that_no_disk_takes_is_an_error_of_the_output(run: Run, healthy: Path) -> None:
    done = run("extract", healthy, "-o", "x" * 300 + ".csv")
    assert done.returncode == 2
    assert "cannot be written: File name too long" in done.stderr


def test_rows_that_were_one_line_are_counted_as_rows(tmp_path: Path, run: Run, healthy: Path) -> None:
    first, *rows = healthy.read_bytes().splitlines()
    (tmp_path / "joined.csv").write_bytes(b"\n".join([first, rows[0], b"".join(rows[1:4]), *rows[4:]]) + b"\n")
    done = run("extract", "joined.csv", "-o", "part.csv")
    assert ", 24 rows; capture quality: row-joined 2" in done.stderr


@pytest.mark.parametrize("name", ["part.csv", "part.parquet", "part.arrow"])
def test_a_full_disk_is_an_error_of_the_output(tmp_path: Path, name: str) -> None:
    """As a limit on the size of files makes it: nothing of ours has to be large."""
    words = [sys.executable, "-m", "esxprobe", "extract", str(DEMO), "--object", "Vcpu", "-o", f"out/{name}"]
    command = ["/bin/sh", "-c", 'ulimit -f 64; exec "$@"', "sh", *words]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert f"esxprobe: out/{name} cannot be written: File too large" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_a_header_without_a_sample_is_called_that(tmp_path: Path, run: Run, healthy: Path) -> None:
    (tmp_path / "short.csv").write_bytes(healthy.read_bytes().split(b"\n")[0])
    done = run("extract", "short.csv", "-o", "part.csv")
    assert done.returncode == 4
    assert "short.csv contains a header and no sample" in done.stderr


def test_what_is_ended_from_outside_leaves_nothing(tmp_path: Path) -> None:
    capture = tmp_path / "wide.csv"
    write_capture(capture, plan_of_width(6_000, 400, 1))
    (tmp_path / "out").mkdir()
    words = [sys.executable, "-m", "esxprobe", "extract", str(capture), "-o", "out/part.csv"]
    process = subprocess.Popen(words, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("out/.esxprobe-*/1")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert list((tmp_path / "out").iterdir()) == []
