"""`esxprobe report` on many captures, from outside: a report each, one summary, exit codes."""

import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from hostsim import VmPlan, write_capture
from shell import ROOT, Run, plan

pytestmark = pytest.mark.slow

SCHEMA = json.loads((ROOT / "docs" / "fleet.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def captures(tmp_path: Path, sick: Path, healthy: Path) -> Path:
    """A folder with a lone CSV, a packed one, a capture folder, and what is none of them."""
    folder = tmp_path / "captures"
    (folder / "esx03").mkdir(parents=True)
    shutil.copy(healthy, folder / "esx01.csv")
    shutil.copy(sick, folder / "esx02.csv.gz")
    shutil.copy(healthy, folder / "esx03" / "esxtop-000.csv")
    (folder / "readme.txt").write_text("captures of Thursday\n", encoding="utf-8")
    (folder / "empty").mkdir()
    return folder


def test_a_folder_of_captures_gives_a_report_each_and_a_summary(run: Run, captures: Path, tmp_path: Path) -> None:
    done = run("fleet", captures, "--json", "f.json", "--jobs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    names = ["fleet-report.html", "esx01-report.html", "esx02-report.html", "esx03-report.html"]
    assert done.stdout.splitlines() == names
    assert {path.name for path in tmp_path.iterdir()} == {*names, "f.json", "captures"}
    page = (tmp_path / "fleet-report.html").read_text(encoding="utf-8")
    for name in names[1:]:
        assert f'href="{name}"' in page
    said = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    jsonschema.validate(said, SCHEMA)
    assert [each["digest"]["counts"]["critical"] for each in said["captures"]] == [0, 1, 0]
    assert [(each["rule"], each["captures"]) for each in said["by_rule"]] == [
        ("cpu-ready", [1]),
        ("cpu-ready-idle-host", [1]),
    ]


def test_each_report_is_what_the_capture_alone_would_give(run: Run, captures: Path, tmp_path: Path) -> None:
    assert run("fleet", captures, "-o", "many/all.html").returncode == 0
    assert run("report", captures / "esx02.csv.gz", "-o", "one.html").returncode == 0
    alone = (tmp_path / "one.html").read_bytes()
    assert (tmp_path / "many" / "esx02-report.html").read_bytes() == alone
    assert (tmp_path / "many" / "all.html").exists()


def test_captures_can_be_named_one_by_one_and_each_counts_once(run: Run, captures: Path, tmp_path: Path) -> None:
    done = run("fleet", captures / "esx01.csv", captures, f"{captures}/../captures/esx03", "-o", ".", "--json", "-")
    sources = [each["source"] for each in json.loads(done.stdout)["captures"]]
    assert [Path(source).name for source in sources] == ["esx01.csv", "esx02.csv.gz", "esx03"]
    assert (tmp_path / "fleet-report.html").exists()


def test_captures_of_one_name_get_a_report_each(run: Run, captures: Path, healthy: Path, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    shutil.copy(healthy, tmp_path / "more" / "esx01.csv")
    shutil.copy(healthy, tmp_path / "more" / "ESX01.csv")
    done = run("fleet", captures / "esx01.csv", "more")
    assert done.stdout.splitlines()[1:] == ["esx01-report.html", "ESX01-2-report.html", "esx01-3-report.html"]


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("captures/esx01.csv", "captures/esx03"), "several were given", "esxprobe compare BASELINE CAPTURE"),
        (("captures",), "captures contains several captures", "esxprobe fleet captures"),
        (
            ("s3://bucket/site",),
            "s3://bucket/site is a URL, which esxprobe fleet reads",
            "esxprobe fleet s3://bucket/site",
        ),
    ],
)
def test_report_names_the_command_for_several_captures(
    run: Run, captures: Path, words: tuple[str, ...], message: str, hint: str
) -> None:
    assert captures.exists()
    done = run("report", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert hint in done.stderr


def test_a_name_without_an_extension_is_a_folder(run: Run, captures: Path, tmp_path: Path) -> None:
    assert run("fleet", captures, "-o", "site").returncode == 0
    assert {path.name for path in (tmp_path / "site").iterdir()} == {
        "fleet-report.html", "esx01-report.html", "esx02-report.html", "esx03-report.html"
    }  # fmt: skip


def test_files_of_a_folder_that_may_hold_a_capture_and_are_not_read_are_named(run: Run, captures: Path) -> None:
    for name in ("esx04.zip", "esx05.csv.xz", ".hidden.zip"):
        (captures / name).write_bytes(b"PK")
    done = run("fleet", captures)
    assert (done.returncode, done.stderr) == (
        0,
        "not read: 2 files whose name does not end in .csv, .csv.gz or .csv.zst: esx04.zip, esx05.csv.xz\n",
    )
    for each in captures.iterdir():
        if each.suffix in {".csv", ".gz"}:
            each.unlink()
    shutil.rmtree(captures / "esx03")
    assert "not read: 2 files" in run("fleet", captures).stderr, "also where nothing else is in the folder"
    hidden = run("fleet", captures, "--redact", "-o", "r.html").stderr
    assert "not read: 2 files" in hidden
    assert "esx04" not in hidden


# --- exit codes -----------------------------------------------------------------------------------


def test_a_broken_capture_is_an_outcome_with_its_error(run: Run, captures: Path, tmp_path: Path) -> None:
    """3 some captures could not be judged: it goes before 1, for what was not judged may have findings."""
    (captures / "broken.csv").write_bytes(b"PK\x03\x04 not a capture")
    done = run("fleet", captures, "--json", "f.json", "--fail-on", "critical")
    assert done.returncode == 3
    message, hint = done.stderr.splitlines()
    assert message.startswith("esxprobe: ")
    assert message.count("broken.csv") == 1
    assert "zip" in message
    assert hint.startswith("hint: unzip it first")
    assert len(done.stdout.splitlines()) == 4, "the others were judged"
    said = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    jsonschema.validate(said, SCHEMA)
    assert said["captures"][0]["digest"] is None
    assert "zip" in (tmp_path / "fleet-report.html").read_text(encoding="utf-8")


def test_findings_fail_a_script_only_when_it_asks_for_that(run: Run, captures: Path) -> None:
    assert run("fleet", captures, "--fail-on", "critical").returncode == 1


def test_when_none_can_be_read_it_is_unreadable_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"")
    done = run("fleet", "a.csv", "nowhere.csv")
    assert done.returncode == 4
    assert "nowhere.csv" in done.stderr
    assert done.stdout == "fleet-report.html\n", "which says why"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--redact-map", "m.json"), "--redact-map needs --redact"),
        (("--mmu", "a=software"), "No such option"),
        (("--jobs", "0"), "Invalid value"),
        (("--timezone", "Europa/Berlin"), "Europa/Berlin"),
        (("-o", "same.html", "--json", "same.html"), "same.html"),
        (("-o", "captures/esx01.csv"), "part of the capture"),
        (("-o", "captures/esx03/all.html"), "would be inside the capture folder"),
        (("--json", "captures/esx03/new.json"), "would be inside the capture folder"),
    ],
)
def test_words_that_do_not_fit_are_a_usage_error(
    run: Run, captures: Path, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    before = {path: path.read_bytes() for path in captures.rglob("*") if path.is_file()}
    done = run("fleet", "captures", *words, COLUMNS="200")
    assert done.returncode == 2, done.stdout
    assert complaint in done.stderr
    assert {path: path.read_bytes() for path in captures.rglob("*") if path.is_file()} == before


def test_a_cluster_that_is_not_there_is_said(run: Run, captures: Path) -> None:
    done = run("fleet", "--cluster", "tcp://127.0.0.1:9")
    assert (done.returncode, "Missing argument" in done.stderr) == (2, True)


def test_secrets_of_a_url_are_not_shown(run: Run, tmp_path: Path) -> None:
    """Neither a password nor the query of a signed URL, in what is said or written."""
    done = run("fleet", "ftp://me:canary1@127.0.0.1:9/a.csv?sig=canary2", PYTHONWARNINGS="")
    assert done.returncode == 4, done.stderr
    assert "ftp://127.0.0.1:9/a.csv" in done.stderr
    assert "canary" not in done.stdout + done.stderr


def test_hostile_file_names_are_links_and_text(run: Run, healthy: Path, tmp_path: Path) -> None:
    name = "a\"><script>alert(1)<'#?%2f&.csv"
    (tmp_path / "in").mkdir()
    for each in (name.replace("/", ""), "b.csv"):
        shutil.copy(healthy, tmp_path / "in" / each)
    assert run("fleet", "in").returncode == 0
    page = (tmp_path / "fleet-report.html").read_text(encoding="utf-8")
    assert page.count("<script") == 1, "the page's own, which sorts its tables"
    assert "<script>alert" not in page
    assert 'href="a%22%3E%3Cscript%3Ealert%281%29%3C%27%23%3F%252f%26-report.html"' in page


def test_a_vm_s_trouble_is_found_again_over_hosts(run: Run, tmp_path: Path) -> None:
    """One VM in trouble on one host of six: the host is the odd one."""
    (tmp_path / "in").mkdir()
    for number in range(6):
        vm = VmPlan(f"vm{number}", 1_200_100, 1, 1024, ready_pct=30 if number == 4 else 0.4)
        write_capture(tmp_path / "in" / f"{number}.csv", plan(vm, host=f"esx{number}.example.com"))
    done = run("fleet", "in", "--json", "-")
    odd = [(each["host"], each["figure"]) for each in json.loads(done.stdout)["odd"]]
    assert ("esx4.example.com", "ready") in odd
    assert {host for host, _ in odd} == {"esx4.example.com"}
