"""Rules of one's own from end to end: changed, silenced, disabled and added, wherever a report is made."""

import json
import re
import zipfile
from pathlib import Path

import pytest
from hostsim import VmPlan, write_capture
from shell import ROOT, Run, plan

from esxprobe.report.packed import unpacked
from esxprobe.rules import bound, shipped

pytestmark = pytest.mark.slow

DOCS = ROOT / "docs" / "own-rules.md"
DISKS = (
    (r"Virtual Disk(web01:scsi0:1)\Reads/sec", "50.00"),
    (r"Virtual Disk(web01:scsi0:1)\Average MilliSec/Read", "90.00"),
)


def example_of_the_docs() -> str:
    """All that the page prints of a rules file, in its order."""
    return "\n".join(line[4:] for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("    "))


def slow_reads(folder: Path, name: str, ready_pct: float = 30.0) -> Path:
    """A capture of `web01`, which is ready for much of the time and whose disk is slow to read."""
    path = folder / f"{name}.csv"
    host = f"{name}.example.com"
    write_capture(path, plan(VmPlan("web01", 1_200_100, 1, 1024, ready_pct=ready_pct), host=host))
    head, *rows = path.read_bytes().splitlines()
    lines = [head + b"".join(f',"\\\\{host}\\{column}"'.encode() for column, _ in DISKS)]
    lines += [row + b"".join(f',"{value}"'.encode() for _, value in DISKS) for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(example_of_the_docs(), encoding="utf-8")
    return path


def found(path: Path) -> dict[str, str]:
    """Severity by rule."""
    return {each["rule"]: each["severity"] for each in json.loads(path.read_text(encoding="utf-8"))["findings"]}


def test_the_example_of_the_docs_is_among_the_first_findings(run: Run, tmp_path: Path, own: Path) -> None:
    done = run("report", slow_reads(tmp_path, "esx1"), "--rules", own, "-o", "r.html", "--json", "r.json")
    assert done.returncode == 0, done.stderr
    assert found(tmp_path / "r.json")["slow-reads"] == "critical"
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    first = page[: page.index('id="findings"')] if 'id="findings"' in page else page
    first = re.sub(r"<[^>]+>", "", first)
    assert "Reads of a virtual disk are slow" in first, "a card on the first screen"
    assert "ms/read 90" in first
    assert 'id="slow-reads"' in page, "its own place among the findings"


def test_what_is_changed_silenced_and_disabled_holds_in_the_report(run: Run, tmp_path: Path) -> None:
    capture = slow_reads(tmp_path, "esx1")
    said = {}
    for name, text in {
        "changed": "[change.cpu-ready]\ncritical = 50\n",
        "silenced": '[change.cpu-ready]\nsilence = ["web*"]\n',
        "disabled": "[change.cpu-ready]\ndisable = true\n[change.observer-cost]\ndisable = true\n",
    }.items():
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        words = ("report", capture, "--rules", f"{name}.toml", "-o", f"{name}.html", "--json", f"{name}.json")
        done = run(*words)
        assert done.returncode == 0, done.stderr
        said[name] = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
    assert found(tmp_path / "changed.json")["cpu-ready"] == "warning"
    assert "cpu-ready" in said["silenced"]["clear"]
    assert "cpu-ready" in {each["rule"] for each in said["disabled"]["skipped"]}
    used = {name: each["capture"]["observer_used_pct"] for name, each in said.items()}
    assert used["disabled"] == used["changed"] is not None, "what esxtop used is told, whatever is judged of it"


def test_an_added_rule_fires_in_every_one_of_many_captures(run: Run, tmp_path: Path, own: Path) -> None:
    for name in ("esx1", "esx2"):
        slow_reads(tmp_path, name)
    words = ("fleet", "esx1.csv", "esx2.csv", "--rules", own, "--json", "all.json", "-o", "out")
    for more in ((), ("--jobs", "2"), ("--redact", "--redact-map", "map.json")):
        done = run(*words, *more)
        assert done.returncode == 0, (more, done.stderr)
        by_rule = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["by_rule"]
        assert {each["rule"]: each["findings"] for each in by_rule}["slow-reads"] == 2, more


def test_an_added_rule_is_compared_with_a_baseline(run: Run, tmp_path: Path, own: Path) -> None:
    good = tmp_path / "good.csv"
    good.write_bytes(slow_reads(tmp_path, "esx1").read_bytes().replace(b'"90.00"', b'"3.00"'))
    done = run("compare", good, "esx1.csv", "--rules", own, "-o", "r.html", "--json", "r.json")
    assert done.returncode == 0, done.stderr
    appeared = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["comparison"]["appeared"]
    assert "slow-reads" in json.dumps(appeared)


def test_an_added_rule_is_in_a_redacted_report(run: Run, tmp_path: Path, own: Path) -> None:
    capture = slow_reads(tmp_path, "esx1")
    words = ("--rules", own, "--redact", "--redact-map", "map.json", "-o", "r.html", "--json", "r.json")
    done = run("report", capture, *words)
    assert done.returncode == 0, done.stderr
    assert found(tmp_path / "r.json")["slow-reads"] == "critical"
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Reads of a virtual disk are slow" in page
    assert "web01" not in page


def test_a_rule_is_shown_as_the_file_makes_it(run: Run, own: Path) -> None:
    added = run("rules", "show", "slow-reads", "--rules", own)
    assert added.returncode == 0, added.stderr
    assert "Reads of a virtual disk are slow" in added.stdout
    changed = json.loads(run("rules", "show", "cpu-ready", "--rules", own, "--json").stdout)
    assert "our SLA of 2026" in json.dumps(changed)
    assert "slow-reads" in run("rules", "list", "--rules", own).stdout
    assert run("rules", "show", "slow-reads").returncode == 2, "the shipped book has no such rule"


def test_a_book_of_one_rule_is_enough(tmp_path: Path) -> None:
    """Nothing that judges or shows asks another book than the one that it was handed."""
    from esxprobe.analyze import CaptureInput, analyze
    from esxprobe.report.view import page_of

    book = bound([shipped().find("cpu-ready")])
    analysis = analyze(CaptureInput([slow_reads(tmp_path, "esx1")]), book=book)
    page = page_of(analysis, {}, "", book)
    assert [card.anchor for card in page.cards.shown] == ["cpu-ready"]
    assert {*analysis.clear, *(each.rule for each in analysis.skipped)} == set()


def test_only_those_who_choose_a_book_ask_for_the_shipped_one() -> None:
    """Judging and showing get the book in use as an argument: a default that nobody sees is how rules were lost."""
    may = {
        "commands/reporting.py",  # --rules or the shipped ones
        "rules/__init__.py",
        "rules/custom.py",  # what is changed
        "report/rulebook.py",  # docs/rules.md
        "commands/changes.py",  # which changes of a counter matter
        "commands/explore.py",  # which thresholds are drawn
        "commands/auto_window.py",  # which findings may explain a window
        "redact/own_words.py",  # vocabulary, no judging
        "redact/customrules.py",  # which texts are ours, no judging
    }
    home = ROOT / "esxprobe"
    asks = {
        str(path.relative_to(home))
        for path in home.rglob("*.py")
        if re.search(r"\bshipped\(\)", path.read_text("utf-8"))
    }
    assert asks <= may, f"these ask for the shipped book: {sorted(asks - may)}"


# No word of these may be left in anything that is handed on.
CANARIES = """
[change.cpu-ready]
warning = 1
source = "Zonkcorp agreed with bob.quux@zonkcorp.example"
silence = ["dcfrobnitz*"]
[change.uplink-flapping]
disable = true
[add.wobblesmith-ready]
title = "vCPUs of Zonkcorp wait"
entity = "vcpu"
value = '"Vcpu\\% Ready"'
label = "zonklabel"
unit = "%"
check = "sustained_above"
share = 0.01
warning = 0.1
source = "the SLA of Zonkcorp"
why = "The line Quuxdb depends on it"
advice = "Call Wobblesmith"
caveats = ["only at Frobnitz"]
implies = ["cpu-ready"]
confirm = "ask Wobblesmith"
"""
CANARY = re.compile(rb"zonk\w*|quux\w*|wobblesmith|dcfrobnitz|frobnitz", re.IGNORECASE)


@pytest.mark.parametrize("many", [False, True], ids=["one capture", "many captures"])
def test_nobody_s_words_are_left_in_what_is_redacted(run: Run, tmp_path: Path, many: bool) -> None:
    (tmp_path / "zonkcorp.toml").write_text(CANARIES, encoding="utf-8")
    captures = [slow_reads(tmp_path, name) for name in (("esx1", "esx2") if many else ("esx1",))]
    said = ("--rules", "zonkcorp.toml", "--redact", "-o", "out" if many else "r.html", "--json", "r.json")
    (tmp_path / "out").mkdir()
    done = run("fleet" if many else "report", *captures, *said, "--bundle", "b.zip", "--with-capture")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        inside = {name: bundle.read(name) for name in bundle.namelist()}
    pages = [tmp_path / "r.json", *([*(tmp_path / "out").iterdir()] if many else [tmp_path / "r.html"])]
    for name, content in {**inside, **{page.name: page.read_bytes() for page in pages}, "out": done.stdout}.items():
        raw = content.encode() if isinstance(content, str) else content
        raw = unpacked(raw.decode()).encode() if name.endswith(".html") else raw
        assert CANARY.findall(name.encode()) == [], name
        assert CANARY.findall(raw) == [], name
    assert b"wait" in inside[next(name for name in inside if name.endswith(".html"))], "our own words stay"


def test_a_redacted_report_judges_by_ones_own_rules_all_the_same(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(CANARIES, encoding="utf-8")
    capture, found_by = slow_reads(tmp_path, "esx1"), {}
    for name, more in {"plain": (), "redacted": ("--redact",)}.items():
        done = run("report", capture, "--rules", "own.toml", *more, "-o", f"{name}.html", "--json", f"{name}.json")
        assert done.returncode == 0, done.stderr
        document = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        found_by[name] = sorted(
            (each["severity"], each["value"], each["threshold"]) for each in document["findings"]
        )
    assert found_by["redacted"] == found_by["plain"]
