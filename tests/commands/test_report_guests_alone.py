"""`esxprobe report` of guests' logs without a capture: files, words, exit codes, and no names where none may be."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
from guest_logs_made import WRITERS, perfmon, sar, vmstat, written
from shell import Run
from terminal_run import at_a_terminal

from esxprobe.report.packed import part_of

SAMPLES = Path(__file__).parents[2] / "samples"
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "guests.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("format_", WRITERS)
def test_a_lone_log_makes_a_page_and_a_document(run: Run, tmp_path: Path, format_: str) -> None:
    written(tmp_path, "guest.log", WRITERS[format_]([60_000.0] * 30))
    done = run("report", "guest.log", "--json", "guest.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "guest-report.html\n", "")
    page = (tmp_path / "guest-report.html").read_text(encoding="utf-8")
    assert "WOW: the 60,000 page faults per second" in page
    assert "esxprobe report guest.log</code>" in page
    assert 'data-chart="0"' in page, "the rates are drawn"
    said = json.loads((tmp_path / "guest.json").read_text(encoding="utf-8"))
    jsonschema.validate(said, SCHEMA)
    assert json.loads(part_of(page, "analysis")) == said


@pytest.mark.parametrize("name", ["software-mmu/esxtop-000.csv.gz", "software-mmu"])
def test_a_capture_is_no_guest_log_at_a_glance(name: str) -> None:
    """The drawing engine gets warm meanwhile: what a report loads before it starts, a person waits for."""
    script = (
        "import sys; from esxprobe.commands.guestalone import are_guest_logs;"
        f" assert not are_guest_logs([{str(SAMPLES / name)!r}]); print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_every_object_of_the_schema_is_closed_and_explained() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    open_ = [SCHEMA]
    while open_:
        node = open_.pop()
        if "properties" in node:
            assert node["additionalProperties"] is False
            assert set(node["required"]) == set(node["properties"])
            for name, field in node["properties"].items():
                assert field.get("description", "").endswith((".", "`")), f"{name} is not described"
                open_.append(field)
        open_ += node.get("anyOf", [])
        if "items" in node:
            open_.append(node["items"])


def test_fail_on_tells_much_from_little(run: Run, tmp_path: Path) -> None:
    for name, rate in (("low", 200.0), ("some", 2000.0), ("high", 60_000.0)):
        written(tmp_path, f"{name}.csv", perfmon([rate] * 30))
    codes = {
        (name, level): run("report", f"{name}.csv", "--fail-on", level).returncode
        for name in ("low", "some", "high")
        for level in ("info", "warning")
    }
    assert codes == {
        ("low", "info"): 0,
        ("low", "warning"): 0,
        ("some", "info"): 1,
        ("some", "warning"): 0,
        ("high", "info"): 1,
        ("high", "warning"): 1,
    }
    assert run("report", "high.csv", "--mmu", "hardware", "--fail-on", "info").returncode == 0
    (tmp_path / "own.toml").write_text("[change.guest-faults-possible]\ndisable = true\n", encoding="utf-8")
    quiet = run("report", "high.csv", "--rules", "own.toml", "--fail-on", "info")
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_no_name_is_left_in_a_redacted_report(run: Run, tmp_path: Path) -> None:
    written(tmp_path, "Zephyr17.csv", perfmon([2000.0] * 30, host="ZEPHYR17"))
    written(tmp_path, "quokka.txt", sar([60_000.0] * 30, host="quokka.example.org"))
    vmware = "2026-03-10| vmx| I125: HV Settings: virtual exec = 'hardware'; virtual mmu = 'software'\n"
    written(tmp_path, "vmware.log", vmware)
    done = run(
        "report", "Zephyr17.csv", "quokka.txt", "--vmware-log", "ZEPHYR17=vmware.log", "--redact", "-o", "out.html",
        "--json", "out.json", "--bundle", "out.zip", "--with-capture",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    texts = {name: (tmp_path / name).read_text(encoding="utf-8") for name in ("out.html", "out.json")}
    with zipfile.ZipFile(tmp_path / "out.zip") as zipped:
        texts |= {name: zipped.read(name).decode() + name for name in zipped.namelist()}
    assert any(name.startswith("guest-logs/") for name in texts), "the logs go along, redacted"
    for name, text in texts.items():
        for word in ("zephyr", "quokka"):
            assert word not in text.lower(), f"{word} is in {name}"
    assert "WOW: the 60,000 page faults per second of vm-" in texts["out.html"]
    assert "--vmware-log" in texts["out.html"], "the commands are there, with pseudonyms"


def test_the_log_is_never_written_over(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path, "guest.csv", perfmon([200.0] * 30))
    before = path.read_bytes()
    for words in (("-o", "guest.csv"), ("--json", "guest.csv"), ("--bundle", "guest.csv")):
        assert run("report", "guest.csv", *words).returncode == 2
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "words", [("--summary", "s.md"), ("--guest-offset", "a=+3s"), ("--guest-log", "guest.csv")]
)
def test_what_needs_a_capture_is_refused(run: Run, tmp_path: Path, words: tuple[str, str]) -> None:
    written(tmp_path, "guest.csv", perfmon([200.0] * 30))
    done = run("report", "guest.csv", *words)
    assert done.returncode == 2
    assert f"{words[0]} needs an esxtop capture of the host" in done.stderr


def test_a_log_among_captures_is_named_and_the_captures_are_judged(run: Run, sick: Path, tmp_path: Path) -> None:
    written(tmp_path, "guest.csv", perfmon([200.0] * 30))
    done = run("fleet", sick, "guest.csv", "--json", "many.json")
    said = json.loads((tmp_path / "many.json").read_text(encoding="utf-8"))
    failed = [each["error"] for each in said["captures"] if each["error"]]
    assert done.returncode != 0
    assert ["--guest-log VM=FILE" in each["hint"] for each in failed] == [True]
    assert sum(each["digest"] is not None for each in said["captures"]) == 1


def test_plain_vmstat_output_is_told_apart(run: Run, tmp_path: Path) -> None:
    written(
        tmp_path,
        "vm.txt",
        "procs -----------memory---------- ---swap--\n r  b   swpd   free\n 1  0      0  63509\n",
    )
    done = run("report", "vm.txt")
    assert done.returncode == 4
    assert "counts no page faults" in done.stderr


def test_a_person_reads_the_judgment_at_the_terminal(tmp_path: Path) -> None:
    written(tmp_path, "guest.txt", vmstat([60_000.0] * 30))
    code, screen = at_a_terminal("report", "guest.txt", cwd=tmp_path)
    assert code == 0
    flat = " ".join(screen.split())
    assert "WOW: the 60,000 page faults per second of guest took at most 72.0 % of one vCPU" in flat
    assert "--vmware-log guest=vmware.log" in flat
    assert "guest-report.html" in flat
