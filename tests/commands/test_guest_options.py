"""What a person can say about guests at `esxprobe report`, and what is said back."""

import json
import shlex
from pathlib import Path

import pytest
from shell import ROOT, Run

SOFTWARE, HARDWARE = ROOT / "samples/software-mmu", ROOT / "samples/hardware-mmu"
CAPTURE, LOG = SOFTWARE / "esxtop-000.csv.gz", SOFTWARE / "guests/cgi01.txt"


def verdicts(path: Path) -> dict[tuple[str, str], str]:
    costs = json.loads(path.read_text(encoding="utf-8"))["fault_costs"]
    return {(cost["vm"], cost["guest_counter"]): cost["verdict"] for cost in costs}


def test_a_log_an_offset_and_a_mode_for_a_lone_capture(run: Run, tmp_path: Path) -> None:
    words = ["--guest-log", f"cgi01={LOG}", "--guest-offset", "cgi01=+38.2s", "--mmu", "cgi01=software"]
    done = run("report", CAPTURE, *words, "--json", "out.json", "-o", "out.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert verdicts(tmp_path / "out.json")["cgi01", "soft_faults"] == "possible"
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    said = "--guest-log cgi01=cgi01.txt --guest-offset cgi01=+38.2s --mmu cgi01=software"
    assert f"esxprobe report esxtop-000.csv.gz {said}" in page
    assert str(LOG.parent) not in page


GUESTS = """
[[guests]]
vm = "cgi01"
log = "cgi01.txt"
offset = "+38.2s"
mmu = "software"
"""


def test_a_file_says_the_same_as_the_options(run: Run, tmp_path: Path) -> None:
    (tmp_path / "guests").mkdir()
    (tmp_path / "guests" / "g.toml").write_text(GUESTS, encoding="utf-8")
    (tmp_path / "guests" / "cgi01.txt").write_bytes(LOG.read_bytes())
    done = run("report", CAPTURE, "--guests", "guests/g.toml", "--json", "out.json", "-o", "out.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert verdicts(tmp_path / "out.json")["cgi01", "soft_faults"] == "possible"
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "--guest-log cgi01=cgi01.txt --guest-offset cgi01=+38.2s --mmu cgi01=software" in page


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[guests]]\nlog = 'a.txt'\n", "g.toml:1: guests.0.vm: this key is missing"),
        ("[[guests]]\nvm = 'a'\nlogs = 'a.txt'\n", "g.toml:3: guests.0.logs: this key has no meaning here"),
        ("[[guests]]\nvm = 'a'\nmmu = 'magic'\n", "g.toml:3: guests.0.mmu: 'magic' is "),
        ("[[guests]]\nvm = 'a'\noffset = 3.5\n", "g.toml:3: guests.0.offset: expected a text in quotes"),
        ("guests = 1\n", "g.toml:1: guests: expected a list of tables"),
        ("[[guests]\n", "g.toml is not valid TOML"),
    ],
)
def test_a_guests_file_is_refused_with_line_and_key(run: Run, tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "g.toml").write_text(text, encoding="utf-8")
    done = run("report", CAPTURE, "--guests", "g.toml")
    assert done.returncode == 2
    assert complaint in done.stderr.splitlines()[0]


def test_a_folder_brings_its_guests(run: Run, tmp_path: Path) -> None:
    done = run("report", SOFTWARE, "--json", "out.json")
    assert done.returncode == 0
    assert len(verdicts(tmp_path / "out.json")) == 4


def test_a_baseline_is_compared(run: Run, tmp_path: Path) -> None:
    done = run("compare", HARDWARE, SOFTWARE, "-o", "out.html", "--json", "out.json")
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "Against the baseline" in page
    assert "These two captures do not show how much" in page
    assert "Different: CPU model, release and build" in page
    assert "esxprobe compare hardware-mmu software-mmu" in page


def test_a_lone_baseline_gets_its_own_log_and_mode(run: Run, tmp_path: Path) -> None:
    base = ["--baseline-mmu", "cgi01=hardware"]
    log = ["--baseline-guest-log", f"cgi01={HARDWARE / 'guests/cgi01.txt'}"]
    done = run("compare", HARDWARE / "esxtop-000.csv.gz", SOFTWARE, *base, *log, "--json", "out.json")
    assert done.returncode == 0
    faults = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["comparison"]["faults"]
    assert {(each["vm"], each["mmu_baseline"]) for each in faults} == {("cgi01", "hardware")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--guest-offset cgi01=soon", "'soon' is not a valid clock offset"),
        ("--guest-offset 3s", "--guest-offset '3s' names no VM"),
        ("--mmu cgi01=magic", "'magic' is not a valid monitor mode"),
        ("--mmu software", "--mmu 'software' names no VM"),
        ("--vmware-log =x", "--vmware-log '=x' names no VM"),
        ("--guest-log =x", "--guest-log '=x' names no VM"),
        ("--guest-log cgi01=missing.txt", "missing.txt does not exist"),
        ("--guest-timezone Mars/Olympus --guest-log cgi01=missing.txt", "'Mars/Olympus' is not a time zone"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(run: Run, words: str, said: str) -> None:
    done = run("report", CAPTURE, *shlex.split(words))
    assert done.returncode in (2, 4)
    assert said in done.stderr.splitlines()[0]
    assert done.stdout == ""


def test_a_baseline_that_is_not_there_is_named(run: Run) -> None:
    done = run("compare", "missing.csv", CAPTURE)
    assert (done.returncode, done.stdout) == (4, "")
    assert "missing.csv does not exist" in done.stderr


def test_a_guests_log_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "cgi01.txt"
    log.write_bytes(LOG.read_bytes())
    done = run("report", CAPTURE, "--guest-log", f"cgi01={log}", "-o", log)
    assert done.returncode == 2
    assert "is a part of the capture itself" in done.stderr
    assert log.read_bytes() == LOG.read_bytes()


@pytest.mark.parametrize("option", ["--guest-timezone", "--log-timezone"])
def test_a_zone_that_does_not_exist_is_refused_although_no_log_needs_it(
    run: Run, healthy: Path, option: str
) -> None:
    done = run("report", healthy, option, "Berlin")
    assert done.returncode == 2
    assert "'Berlin' is not a time zone" in done.stderr
    assert run("report", healthy, option, "Europe/Berlin").returncode == 0
