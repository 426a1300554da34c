"""`esxprobe report` from outside: what it writes, says and returns, and what it leaves alone."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from drawn import ESXPROBE
from hostsim import VmPlan, write_capture
from shell import Run, environment, plan
from shippedbook import RULES, analyze
from terminal_run import at_a_terminal

from esxprobe.commands.outputs import refuse_to_overwrite, save
from esxprobe.errors import OutputError

ROOT = Path(__file__).parents[2]
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


# --- what it writes -------------------------------------------------------------------------------


def test_the_report_is_named_after_the_capture_and_its_path_is_all_that_a_script_gets(
    run: Run, sick: Path, tmp_path: Path
) -> None:
    done = run("report", sick)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "sick-report.html\n"
    page = (tmp_path / "sick-report.html").read_text(encoding="utf-8")
    assert "busy" in page
    assert "esxprobe report sick.csv.gz" in page, "the command stands under provenance, without the folder"
    assert files_below(tmp_path) == {"sick-report.html"}, "and no partial file"


def test_html_and_json_go_where_they_are_sent_and_folders_are_made(run: Run, sick: Path, tmp_path: Path) -> None:
    done = run("report", sick, "-o", "new/deep/r.html", "--json", "other/r.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "new/deep/r.html\n", "")
    said = json.loads((tmp_path / "other" / "r.json").read_text(encoding="utf-8"))
    assert [finding["rule"] for finding in said["findings"]] == ["cpu-ready", "cpu-ready-idle-host"]
    assert files_below(tmp_path) == {"new/deep/r.html", "other/r.json"}


def test_json_on_standard_output_is_alone_there(run: Run, sick: Path, tmp_path: Path) -> None:
    """Even where the terminal's encoding is not UTF-8."""
    done = run("report", sick, "--json", "-", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["schema"] == "esxprobe.analysis/1"
    assert (tmp_path / "sick-report.html").exists()


def test_an_older_report_is_replaced_whole(run: Run, healthy: Path, tmp_path: Path) -> None:
    (tmp_path / "r.html").write_text("x" * 1_000_000, encoding="utf-8")
    assert run("report", healthy, "-o", "r.html").returncode == 0
    assert "xxxx" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_a_pipe_or_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    """With `-o /dev/null` a file in its place would break the machine, and root could put it there."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        save(tmp_path / "pipe", "page")
        assert (tmp_path / "pipe").is_fifo(), "the pipe was replaced by a file"
        assert os.read(reader, 100) == b"page"
    finally:
        os.close(reader)


@pytest.mark.parametrize(("word", "called"), [("-", "standard input"), ("/dev/stdin", "/dev/stdin")])
def test_a_pipe_is_no_input_and_says_what_to_do(tmp_path: Path, word: str, called: str) -> None:
    words = [*ESXPROBE, "report", word]
    done = subprocess.run(
        words, input="x", capture_output=True, text=True, env=environment(), cwd=tmp_path, check=False
    )
    assert done.returncode == 4
    assert done.stderr == (
        f"esxprobe: {called} is a pipe or a device, but inputs are read more than once\n"
        "hint: save it to a file first, compressed or not\n"
    )


def test_without_a_capture_named_the_newest_one_is_taken(run: Run, tmp_path: Path) -> None:
    for stamp, name in (("20260101T000000Z", "old"), ("20260301T000000Z", "new")):
        folder = tmp_path / "captures" / f"esx01-{stamp}"
        folder.mkdir(parents=True)
        write_capture(folder / "esxtop-000.csv.gz", plan(VmPlan(name, 1_200_100, 1, 512)))
    done = run("report", "--json", "-")
    assert [vm["name"] for vm in json.loads(done.stdout)["vms"]] == ["new"]
    assert (tmp_path / "esx01-20260301T000000Z-report.html").exists()


def test_the_shipped_sample_is_reported(run: Run, tmp_path: Path) -> None:
    done = run("report", ROOT / "samples" / "demo", "-o", "demo.html", "--json", "-")
    assert len(json.loads(done.stdout)["findings"]) == 19
    assert (tmp_path / "demo.html").stat().st_size > 50_000


# --- exit codes -----------------------------------------------------------------------------------


def test_findings_fail_a_script_only_when_it_asks_for_that(run: Run, sick: Path, healthy: Path) -> None:
    """0 done, 1 findings at or above --fail-on."""
    assert run("report", sick, "--fail-on", "critical").returncode == 1
    assert run("report", sick, "--fail-on", "info").returncode == 1
    assert run("report", healthy, "--fail-on", "info").returncode == 0


def test_milder_findings_pass_a_stricter_limit(run: Run, tmp_path: Path) -> None:
    write_capture(tmp_path / "mild.csv", plan(VmPlan("busy", 1_200_100, 1, 1024, ready_pct=7)))
    done = run("report", "mild.csv", "--fail-on", "critical")
    assert (done.returncode, done.stdout) == (0, "mild-report.html\n")


@pytest.mark.parametrize(
    ("name", "content", "looks_like"),
    [
        ("empty.csv", b"", "empty"),
        ("top.txt", b"top - 21:30:00 up 3 days,  1 user,  load average: 0.11, 0.05, 0.01\n", "top"),
        ("error.csv", b"<!doctype html><html><body>404 Not Found</body></html>", "HTML"),
        ("perfmon.csv", b'"(PDH-CSV 4.0) (UTC)(0)","\\\\PC\\Processor(_Total)\\% Processor Time"\r\n', "erfmon"),
    ],
)
def test_what_is_no_capture_is_told_in_two_lines(
    run: Run, tmp_path: Path, name: str, content: bytes, looks_like: str
) -> None:
    """4 unreadable input: what it looks like, and what to do."""
    (tmp_path / name).write_bytes(content)
    done = run("report", name)
    assert (done.returncode, done.stdout) == (4, "")
    message, hint = done.stderr.splitlines()
    assert message.startswith("esxprobe: ")
    assert name in message
    assert looks_like in message
    assert hint.startswith("hint: ")
    assert files_below(tmp_path) == {name}, "no report of nothing"


def test_a_missing_file_and_a_folder_without_a_capture_are_unreadable_input(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for source, complaint in (
        ("nowhere.csv", "nowhere.csv"),
        ("folder", "without an esxtop capture"),
        (None, "captures/"),
        ("x" * 300 + ".csv", "File name too long"),
    ):
        done = run("report", *([source] if source else []))
        assert done.returncode == 4, source
        assert complaint in done.stderr
        assert "hint: " in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--fail-on", "horrible"), "horrible"),
        (("--color", "red"), "--color"),
        (("--timezone", "Europa/Berlin"), "Europa/Berlin"),
        (("-o", "same.html", "--json", "same.html"), "same.html"),
    ],
)
def test_words_that_do_not_fit_are_a_usage_error(
    run: Run, healthy: Path, tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    """2 usage."""
    done = run("report", healthy, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in ESCAPE.sub("", done.stderr)
    assert "Traceback" not in done.stderr
    assert files_below(tmp_path) == set()


def test_debug_shows_where_it_happened(run: Run) -> None:
    done = run("--debug", "report", "nowhere.csv")
    assert "Traceback" in done.stderr
    assert "UnreadableInputError" in done.stderr
    assert done.returncode != 0


def test_a_bug_is_called_a_bug(tmp_path: Path, healthy: Path) -> None:
    """70: nothing that the user did, and one line instead of a page of frames."""
    program = (
        "import sys, esxprobe.analyze\n"
        "def broken(*_, **__): raise RuntimeError('the \\x1b[31mred\\n thing')\n"
        "esxprobe.analyze.describe = broken\n"
        f"sys.argv = ['esxprobe', 'report', {str(healthy)!r}]\n"
        "from esxprobe.commands.app import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (70, "")
    message, hint = done.stderr.splitlines()
    assert message.startswith("esxprobe: this is a bug: RuntimeError: the ")
    assert "\x1b" not in message
    assert "--debug" in hint


# --- what it leaves alone -------------------------------------------------------------------------


def test_the_capture_is_only_read(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "captures" / "esx01-20260326T213000Z"
    folder.mkdir(parents=True)
    write_capture(folder / "esxtop-000.csv.gz", plan())
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert run("report", folder).returncode == 0
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("option", "victim"),
    [
        ("-o", "esxtop-000.csv.gz"),
        ("--json", "capture.json"),
        ("-o", "guests/web01.csv"),
        ("--json", "link.html"),
    ],
)
def test_no_part_of_the_capture_can_be_overwritten(run: Run, tmp_path: Path, option: str, victim: str) -> None:
    """Not by its name, not through a link, and not the manifest or a guest's log either."""
    folder = tmp_path / "esx01"
    (folder / "guests").mkdir(parents=True)
    write_capture(folder / "esxtop-000.csv.gz", plan())
    (folder / "guests" / "web01.csv").write_text("a guest's log\n", encoding="utf-8")
    entry = {"name": "guests/web01.csv", "sha256": "0" * 64, "bytes": 14}
    manifest = {"schema": "esxprobe.capture/1", "files": [entry]}
    (folder / "capture.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "link.html").symlink_to("esxtop-000.csv.gz")
    before = {name: (folder / name).read_bytes() for name in files_below(folder)}
    done = run("report", folder, option, folder / victim)
    assert (done.returncode, done.stdout) == (2, "")
    assert "part of the capture" in done.stderr
    assert {name: (folder / name).read_bytes() for name in files_below(folder)} == before


def test_a_lone_csv_is_not_overwritten_either(run: Run, tmp_path: Path) -> None:
    write_capture(tmp_path / "host.csv", plan())
    before = (tmp_path / "host.csv").read_bytes()
    assert run("report", "host.csv", "-o", "./host.csv").returncode == 2
    assert (tmp_path / "host.csv").read_bytes() == before


def test_what_cannot_be_written_is_said_and_leaves_nothing_behind(run: Run, healthy: Path, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("mine\n", encoding="utf-8")
    for option in ("-o", "--json"):
        done = run("report", healthy, option, "a-file/r.html")
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        message, hint = done.stderr.splitlines()
        assert message == "esxprobe: a-file/r.html cannot be written: Not a directory"
        assert hint == "hint: use another path with -o"
    assert (tmp_path / "a-file").read_text(encoding="utf-8") == "mine\n"
    assert not [name for name in files_below(tmp_path) if "partial" in name]


@pytest.mark.parametrize(
    "target", ["a-folder", ".", "", "x" * 300 + ".html", "/proc/nowhere/r.html", "full/r.html"]
)
def test_every_way_of_not_being_writable_is_an_output_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "full").symlink_to("/proc/self")
    refuse_to_overwrite([tmp_path / "capture.csv"], Path(target), None)
    with pytest.raises(OutputError, match="cannot be written"):
        save(Path(target), "page")
    assert files_below(tmp_path) == set()


# --- the terminal ---------------------------------------------------------------------------------


def test_a_person_gets_a_table_in_color(tmp_path: Path, sick: Path) -> None:
    code, screen = at_a_terminal("report", sick, cwd=tmp_path)
    plain = ESCAPE.sub("", screen)
    assert code == 0
    assert "\x1b[" in screen, "no color on a terminal that has it"
    for words in ("small.example.com: 23 samples", "critical", "busy", "VM waited for a physical CPU (%RDY)"):
        assert words in plain
    assert "report: sick-report.html" in plain


def test_one_is_singular_and_critical_findings_are_not_hidden_in_a_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sick: Path
) -> None:
    from esxprobe.commands import terminal

    analysis = analyze([sick])
    top = next(each for each in analysis.findings if each.severity == "critical")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    capture = replace(analysis.capture, judged=1)
    terminal.show_summary(replace(analysis, capture=capture, findings=(top,) * 12), Path("r.html"))
    shown = capsys.readouterr().out
    assert "1 sample, " in shown
    assert "and 2 more in the report, 2 of them critical" in shown


def test_no_color_is_obeyed(tmp_path: Path, sick: Path) -> None:
    _, screen = at_a_terminal("report", sick, cwd=tmp_path, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|9[0-7]|38;)[0-9;]*m", screen), f"color in {screen!r}"
    assert "critical" in screen


def test_names_do_not_drive_the_terminal(tmp_path: Path) -> None:
    """A VM's name or a host's may hold what moves the cursor, sets the title or rings the bell."""
    evil = "a\x1b]0;owned\x07b\x1b[2Jc\u202ed"
    write_capture(
        tmp_path / "evil.csv", plan(VmPlan(evil, 1_200_100, 1, 1024, ready_pct=30), host="h\x1b[2Jost\x9b2J")
    )
    code, screen = at_a_terminal("report", "evil.csv", cwd=tmp_path)
    assert code == 0
    assert "busy" not in screen
    for sequence in ("\x1b]0;", "\x07", "\x1b[2J", "\x9b", "\u202e"):
        assert sequence not in screen, f"{sequence!r} reached the terminal"
    assert "a�]0;owned" in ESCAPE.sub("", screen), "the name is still there to be read"


def test_errors_do_not_drive_the_terminal_either(run: Run, tmp_path: Path) -> None:
    name = "no\x1b[2Jthing.csv"
    done = run("report", name)
    assert done.returncode == 4
    assert "\x1b" not in done.stderr


def test_a_healthy_capture_says_so(tmp_path: Path, healthy: Path) -> None:
    _, screen = at_a_terminal("report", healthy, cwd=tmp_path)
    plain = ESCAPE.sub("", screen)
    assert "no findings" in plain
    said = re.search(r"(\d+) rules ran, (\d+) clear, (\d+) skipped, (\d+) not applicable; no damage found", plain)
    assert said
    ran, clear, skipped, absent = map(int, said.groups())
    assert ran == clear
    assert ran + skipped + absent == len(RULES), "every rule has an outcome"


# --- rules of one's own -----------------------------------------------------------------------------


def test_a_report_with_rules_of_ones_own_says_so(run: Run, healthy: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[change.cpu-ready]\nwarning = 7\n", encoding="utf-8")
    done = run("report", healthy, "--rules", own, "-o", "r.html", "--json", "r.json")
    assert done.returncode == 0, done.stderr
    (deviation,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["deviations"]
    assert (deviation["rule"], deviation["place"]) == ("cpu-ready", "own.toml:2")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Not the shipped rules" in page
    assert "--rules own.toml" in page, "the command line that made it"


def test_a_wrong_rules_file_is_told_before_the_capture_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[change.cpu-redy]\n", encoding="utf-8")
    done = run("report", "no-such.csv", "--rules", tmp_path / "own.toml")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "esxprobe: own.toml:1: change.cpu-redy: no shipped rule is called so\nhint: did you"
    )


def test_the_rules_file_is_not_written_to(run: Run, healthy: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("# mine\n", encoding="utf-8")
    done = run("report", healthy, "--rules", own, "-o", own)
    assert (done.returncode, own.read_text(encoding="utf-8")) == (2, "# mine\n")
