"""`esxprobe counters` and `rules`, help, version, completion, and pipes that close early."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from shell import Run, environment
from shippedbook import RULES
from typer.testing import CliRunner

from esxprobe import __version__
from esxprobe.commands.app import app
from esxprobe.errors import UnknownRuleError, UsageError

ROOT = Path(__file__).parents[2]


def said(*words: str | Path) -> str:
    """Standard output of a command that must succeed, without a process of its own."""
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


# --- counters -------------------------------------------------------------------------------------


def test_counters_shows_every_object_with_its_numbers(healthy: Path) -> None:
    table = said("counters", healthy)
    header, *rows = [line.split() for line in table.splitlines() if line.strip() and not set(line) <= set(" ─━-")]
    assert header == ["object", "instances", "counters", "columns", "understood"]
    assert any(row[:2] == ["Group", "Cpu"] for row in rows)


def test_counters_as_json_adds_up(healthy: Path) -> None:
    objects = {row["object"]: row for row in json.loads(said("counters", healthy, "--json"))}
    vcpu = objects["Vcpu"]
    assert vcpu["columns"] == vcpu["instances"] * vcpu["counters"] == vcpu["understood"]


def test_one_object_is_shown_counter_by_counter_with_its_meaning(healthy: Path) -> None:
    rows = json.loads(said("counters", healthy, "--object", "Group Memory", "--json"))
    balloon = next(row for row in rows if row["counter"] == "Memctl MBytes")
    assert (balloon["label"], balloon["unit"], balloon["known"]) == ("MCTLSZ", "MB", True)
    table = said("counters", healthy, "--object", "Group Memory")
    assert "MCTLSZ" in table
    assert balloon["meaning"] in table, "a pipe gets whole lines"


def test_counters_takes_a_capture_folder() -> None:
    assert "Virtual Disk" in said("counters", ROOT / "samples" / "demo")


def test_an_object_that_is_not_there_is_met_with_those_that_are(healthy: Path) -> None:
    result = CliRunner().invoke(app, ["counters", str(healthy), "--object", "Grupe Cpu"])
    assert isinstance(result.exception, UsageError)
    assert "Grupe Cpu" in result.exception.message
    assert "Group Cpu" in result.exception.hint


# --- rules ----------------------------------------------------------------------------------------


def test_rules_list_shows_every_rule_with_its_thresholds() -> None:
    table = said("rules", "list")
    for rule in RULES:
        assert rule.id in table
        assert rule.title in table
    assert "critical ≥ 10 %, warning ≥ 5 %" in table


def test_rules_as_json_hold_sources_and_examples() -> None:
    document = json.loads(said("rules", "list", "--json"))
    listed = document["rules"]
    assert [rule["id"] for rule in listed] == [rule.id for rule in RULES]
    assert sum(document["sources"].values()) == sum(len(rule["thresholds"]) for rule in listed)
    assert document["sources"]["vendor document"] >= 20
    assert all(each["source"] for rule in listed for each in rule["thresholds"])
    assert all(rule["fires"] and rule["quiet"] for rule in listed)


def test_one_rule_is_shown_with_where_its_numbers_come_from() -> None:
    page = said("rules", "show", "cpu-ready")
    assert page.startswith("# cpu-ready\n")
    for words in (
        "| critical | ≥ 10 % | [K. Elatov, VCAP5-DCA Objective 6.2",
        "%MLMTD is a part of %RDY",
        "Stays quiet for:",
    ):
        assert words in page
    assert json.loads(said("rules", "show", "cpu-ready", "--json"))["unit"] == "%"


def test_a_misspelled_rule_is_met_with_a_suggestion(run: Run) -> None:
    done = run("rules", "show", "cpu-redy")
    assert (done.returncode, done.stdout) == (2, "")
    message, hint = done.stderr.splitlines()
    assert message == "esxprobe: no rule is called 'cpu-redy'"
    assert hint.startswith("hint: did you mean cpu-ready")
    result = CliRunner().invoke(app, ["rules", "show", "cpu-redy"])
    assert isinstance(result.exception, UnknownRuleError)


def test_a_rule_is_shown_as_a_file_of_ones_own_makes_it(tmp_path: Path, run: Run) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[change.cpu-ready]\nwarning = 7\n", encoding="utf-8")
    assert "| warning | ≥ 7 % | own threshold (own.toml:2)" in said(
        "rules", "show", "cpu-ready", "--rules", str(own)
    )
    listed = json.loads(said("rules", "list", "--json", "--rules", str(own)))["rules"]
    assert {rule["id"]: rule["origin"] for rule in listed}["cpu-ready"] == "changed by own.toml:1"
    own.write_text("[change.cpu-ready]\nwarnin = 7\n", encoding="utf-8")
    done = run("rules", "show", "cpu-ready", "--rules", str(own))
    assert done.returncode == 2
    assert done.stderr.startswith(
        "esxprobe: own.toml:2: change.cpu-ready.warnin: this key has no meaning here\nhint:"
    )


# --- the command line as a whole ------------------------------------------------------------------


def test_version_and_help_need_no_capture(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"esxprobe {__version__}\n", "")
    for words in ((), ("report",), ("counters",), ("rules",), ("rules", "list"), ("rules", "show")):
        assert "Usage:" in said(*words, "--help")
        assert "Usage:" in said(*words, "-h")


def test_a_terminal_of_80_columns_cuts_no_command_s_words(run: Run) -> None:
    shown = run("--help", COLUMNS="80").stdout
    lines = shown.partition("Commands:\n")[2].splitlines()
    assert len(lines) > 5
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


def test_shell_completion_is_offered() -> None:
    assert "--install-completion" in said("--help")
    # An interpreter of its own: the variable decides what options there are when the commands are made.
    words = [sys.executable, "-m", "esxprobe", "--show-completion", "bash"]
    named = environment(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    done = subprocess.run(words, env=named, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "complete" in done.stdout


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    done = run()
    assert done.returncode == 2
    assert "report" in done.stdout + done.stderr


@pytest.mark.parametrize("words", [("rules", "list", "--json"), ("rules", "list"), ("report", "--json", "-")])
def test_a_reader_that_has_seen_enough_gets_no_traceback(
    tmp_path: Path, sick: Path, words: tuple[str, ...]
) -> None:
    """As with `| head -1`: the pipe is closed before everything is written."""
    capture = [str(sick)] if words[0] == "report" else []
    with subprocess.Popen(
        [sys.executable, "-m", "esxprobe", words[0], *capture, *words[1:]],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read().decode()
    assert complaint == ""
    assert process.returncode in {0, 141}


# --- for a ticket ---------------------------------------------------------------------------------


def test_a_summary_is_written_beside_the_report_and_for_one_capture_only(
    healthy: Path, tmp_path: Path, run: Run
) -> None:
    done = run("report", healthy, "--summary", tmp_path / "case.md", "-o", tmp_path / "r.html")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "case.md").read_text(encoding="utf-8")
    assert text.startswith("# esxprobe: ")
    assert len(text.splitlines()) <= 30
    refused = run("report", healthy, "--summary", healthy)
    assert refused.returncode != 0, "it would overwrite the capture"
    assert "use another name with --summary" in refused.stderr
    both = run("report", healthy, "--summary", tmp_path / "r.html", "-o", tmp_path / "r.html")
    assert both.stderr.startswith("esxprobe: -o and --summary point to the same file ")
    many = run("fleet", healthy, healthy, "--summary", tmp_path / "case.md")
    assert many.returncode == 2
    assert "--summary" in many.stderr
