"""`esxprobe report --bundle`: one zip for a support case."""

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from shell import ROOT, Run

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "samples" / "hardware-mmu"


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def sums_hold(path: Path, folder: Path) -> None:
    """The real sha256sum, on what the real unzip unpacked."""
    subprocess.run(["unzip", "-q", path, "-d", folder], check=True)
    subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A capture folder with guests, and what is no part of it."""
    folder = tmp_path / "in" / "esx01-20260326T213000Z"
    shutil.copytree(SAMPLE, folder)
    (folder / "notes.txt").write_text("mine\n", encoding="utf-8")
    (folder / "guests" / "link").symlink_to("/etc/hostname")
    return folder


def test_a_bundle_holds_report_json_manifest_and_sums(run: Run, capture: Path, tmp_path: Path) -> None:
    done = run("report", capture, "-o", "case.html", "--json", "case.json", "--bundle", "case.zip")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["case.html", "case.zip"]
    assert names(tmp_path / "case.zip") == [
        "case.html",
        "case.json",
        "captures/esx01-20260326T213000Z/capture.json",
        "SHA256SUMS",
    ]
    sums_hold(tmp_path / "case.zip", tmp_path / "x")
    for name in ("case.html", "case.json"):
        assert (tmp_path / "x" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_the_capture_in_a_bundle_gives_the_same_report(run: Run, capture: Path, tmp_path: Path) -> None:
    done = run("report", capture, "-o", "case.html", "--bundle", "case.zip", "--with-capture")
    assert "not included in the bundle: notes.txt: not part of a capture" in done.stderr
    assert "not included in the bundle: guests/link: not a regular file" in done.stderr
    sums_hold(tmp_path / "case.zip", tmp_path / "x")
    inside = tmp_path / "x" / "captures" / capture.name
    listed = {each["name"] for each in json.loads((capture / "capture.json").read_text())["files"]}
    assert {path.relative_to(inside).as_posix() for path in inside.rglob("*") if path.is_file()} == {
        *listed,
        "capture.json",
    }
    run("report", inside, "-o", "again.html")
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "x" / "case.html").read_bytes()


def test_the_same_capture_gives_the_same_bundle(run: Run, capture: Path, tmp_path: Path) -> None:
    run("report", capture, "-o", "case.html", "--bundle", "one.zip", "--with-capture")
    for path in capture.rglob("*.csv.gz"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    run("report", capture, "-o", "case.html", "--bundle", "two.zip", "--with-capture")
    one, two = ((tmp_path / name).read_bytes() for name in ("one.zip", "two.zip"))
    assert hashlib.sha256(one).hexdigest() == hashlib.sha256(two).hexdigest()


def test_a_lone_csv_and_logs_that_were_named(run: Run, tmp_path: Path) -> None:
    """What was given by itself lies in the zip by itself."""
    (csv,) = SAMPLE.glob("esxtop-*")
    log = next(path for path in (SAMPLE / "guests").iterdir() if path.is_file())
    vm = json.loads((SAMPLE / "capture.json").read_text())["guests"][0]["vm"]
    words = ("report", csv, "-o", "a.html", "--guest-log", f"{vm}={log}", "--bundle", "a.zip")
    assert run(*words).returncode == 0
    assert names(tmp_path / "a.zip") == ["a.html", "a.json", "SHA256SUMS"]
    assert run(*words, "--with-capture").returncode == 0
    assert names(tmp_path / "a.zip")[2:-1] == [f"captures/{csv.name}", f"guest-logs/{log.name}"]


def test_a_large_bundle_is_said_to_be_one(run: Run, sick: Path, tmp_path: Path) -> None:
    small = run("report", sick, "-o", "a.html", "--bundle", "a.zip", "--with-capture")
    assert small.stderr == ""
    folder = tmp_path / "in"
    (folder / "probes").mkdir(parents=True)
    shutil.copy(sick, folder / "esxtop-000.csv.gz")
    (folder / "probes" / "noise.txt").write_bytes(os.urandom(21_000_000))
    large = run("report", folder, "-o", "a.html", "--bundle", "a.zip", "--with-capture")
    assert large.returncode == 0
    assert "above 20 MB (rule of thumb)" in large.stderr


def test_a_bundle_takes_the_place_of_an_older_one_and_leaves_nothing_else(
    run: Run, sick: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.zip").write_text("older", encoding="utf-8")
    assert run("report", sick, "-o", "a.html", "--bundle", "a.zip").returncode == 0
    assert zipfile.is_zipfile(tmp_path / "a.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "a.zip"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--with-capture",), "--with-capture needs --bundle"),
        (("--bundle", "a.html"), "--bundle and another output point to the same file a.html"),
        (("--bundle", "in.csv.gz"), "is a part of the capture itself"),
        (("--bundle", "folder"), "folder cannot be written: Is a directory"),
        (("--bundle", "in.csv.gz/a.zip"), "cannot be written: Not a directory"),
    ],
)
def test_words_that_do_not_fit(words: tuple[str, ...], said: str, run: Run, sick: Path, tmp_path: Path) -> None:
    shutil.copy(sick, tmp_path / "in.csv.gz")
    (tmp_path / "folder").mkdir()
    done = run("report", "in.csv.gz", "-o", "a.html", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert (tmp_path / "in.csv.gz").read_bytes() == sick.read_bytes()
    assert not list(tmp_path.glob(".esxprobe*"))


def test_a_bundle_does_not_go_into_its_own_capture(run: Run, capture: Path) -> None:
    done = run("report", capture, "-o", "a.html", "--bundle", capture / "a.zip")
    assert done.returncode == 2
    assert "would be inside the capture folder" in done.stderr


def test_a_bundle_of_several_captures(run: Run, sick: Path, healthy: Path, capture: Path, tmp_path: Path) -> None:
    """The summary, each report with its JSON, each capture; one that is broken has nothing."""
    (tmp_path / "broken.csv").write_text("no capture\n", encoding="utf-8")
    words = ("fleet", sick, healthy, capture, "broken.csv", "-o", "out/all.html", "--bundle", "all.zip")
    done = run(*words, "--with-capture", "--jobs", "1")
    assert done.returncode == 3
    assert done.stdout.splitlines()[-1] == "all.zip"
    sums_hold(tmp_path / "all.zip", tmp_path / "x")
    files = names(tmp_path / "all.zip")
    assert files[:8] == [
        "all.html", "all.json", "sick-report.html", "sick-report.json",
        "healthy-report.html", "healthy-report.json",
        "esx01-20260326T213000Z-report.html", "esx01-20260326T213000Z-report.json",
    ]  # fmt: skip
    assert f"captures/{sick.name}" in files
    assert f"captures/{capture.name}/capture.json" in files
    page = (tmp_path / "x" / "all.html").read_text(encoding="utf-8")
    assert 'href="sick-report.html"' in page
    assert json.loads((tmp_path / "x" / "sick-report.json").read_text())["findings"]
    first = (tmp_path / "all.zip").read_bytes()
    run(*words, "--with-capture", "--jobs", "2")
    assert (tmp_path / "all.zip").read_bytes() == first


def test_a_redacted_bundle_has_redacted_captures_and_no_map(run: Run, capture: Path, tmp_path: Path) -> None:
    manifest = json.loads((capture / "capture.json").read_text())
    secrets = {manifest["host"], *(vm["name"] for vm in manifest["vms"])}
    words = ("report", capture, "--redact", "-o", "case.html", "--bundle", "case.zip")
    for more in ((), ("--with-capture",)):
        shutil.rmtree(tmp_path / "x", ignore_errors=True)
        done = run(*words, *more)
        assert done.returncode == 0, done.stderr
        sums_hold(tmp_path / "case.zip", tmp_path / "x")
        assert not [name for name in names(tmp_path / "case.zip") if "map" in name]
        assert (tmp_path / ".esxprobe-redaction-map.json").exists()
        key = json.loads((tmp_path / ".esxprobe-redaction-map.json").read_text())["key"]
        for path in (path for path in (tmp_path / "x").rglob("*") if path.is_file()):
            content = path.read_bytes()
            text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode() + str(path)
            for secret in (*secrets, key):
                assert secret not in text, (secret, path)
    assert [path.name for path in tmp_path.glob(".esxprobe-*")] == [".esxprobe-redaction-map.json"]
    (inside,) = (tmp_path / "x" / "captures").iterdir()
    run("report", inside, "-o", "again.html", "--json", "again.json")
    again, made = (json.loads(path.read_text()) for path in (tmp_path / "again.json", tmp_path / "x" / "case.json"))
    assert again["vms"] == made["vms"]
    numbers = [each["association"] for each in made["fault_costs"]]
    assert numbers
    assert [each["association"] for each in again["fault_costs"]] == numbers
