"""Rules of one's own: what a file can say, and how it is told what is wrong and where."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from shippedbook import analysis_of
from tiny import Thing, recording

from esxprobe.errors import UsageError
from esxprobe.files.toml_lines import line_of
from esxprobe.model import VirtualMachine
from esxprobe.rules import RuleBook, shipped
from esxprobe.rules.custom import load_book
from esxprobe.rules.custom_added import OBJECTS, counters_of
from esxprobe.rules.record import Customization
from esxprobe.rules.sql import complaint

READY, LIMITED = r"Vcpu\% Ready", r"Vcpu\% Max Limited"
READS = r"Virtual Disk\Average MilliSec/Read"

SLOW_READS = r"""
[add.slow-reads]
title = "Reads are slow"
entity = "vdisk"
value = '"Virtual Disk\Average MilliSec/Read"'
where = '"Virtual Disk\Reads/sec" >= 5'
unit = "ms"
share = 0.5
critical = 40
warning = 20
source = "our SLA"
"""


def book_of(tmp_path: Path, text: str) -> RuleBook:
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    return load_book(file)


def complaint_of(tmp_path: Path, text: str) -> tuple[str, str]:
    """The message and the hint that a file is met with."""
    with pytest.raises(UsageError) as caught:
        book_of(tmp_path, text)
    return caught.value.message, caught.value.hint


# --- what a file can say ----------------------------------------------------------------------------


def test_an_empty_file_is_the_shipped_book(tmp_path: Path) -> None:
    assert book_of(tmp_path, "# nothing yet\n") == shipped()


def test_a_changed_threshold_names_its_place_and_the_shipped_one(tmp_path: Path) -> None:
    book = book_of(tmp_path, '[change.cpu-ready]\nwarning = 7\nsource = "our SLA"\n')
    worst, milder = book.find("cpu-ready").levels
    assert (worst.threshold, milder.threshold) == (10, 7)
    assert milder.source == "own threshold (own.toml:2): our SLA; shipped: 5 %"
    (deviation,) = book.deviations
    assert (deviation.rule, deviation.change, deviation.place) == ("cpu-ready", "threshold", "own.toml:2")
    assert deviation.detail == "warning 7 % instead of 5 %"
    assert book.find("cpu-costop") == shipped().find("cpu-costop")


def things(*ready: float) -> tuple[list[Thing], list[VirtualMachine]]:
    """One VM a value, called vm0, vm1, ..., each with one vCPU that is ready so much of the time [%]."""
    made = [
        Thing("vcpu", "vCPU 0", {READY: (each,) * 24, LIMITED: (0.0,) * 24}, f"{n}00", f"{n}")
        for n, each in enumerate(ready)
    ]
    return made, [VirtualMachine(f"vm{n}", f"{n}", 1) for n in range(len(ready))]


def test_a_silenced_vm_gives_no_finding_and_the_report_says_so(tmp_path: Path) -> None:
    vcpus, vms = things(20, 20)
    book = book_of(tmp_path, '[change.cpu-ready]\nsilence = ["vm1*"]\n')
    analysis = analysis_of(recording(*vcpus, vms=vms), book=book)
    assert [finding.entity.name for finding in analysis.findings if finding.rule == "cpu-ready"] == ["vm0"]
    (deviation,) = analysis.deviations
    assert deviation.detail == "for vm1*; findings withheld: 1"


def test_a_rule_all_of_whose_findings_are_silenced_is_clear(tmp_path: Path) -> None:
    vcpus, vms = things(20)
    analysis = analysis_of(
        recording(*vcpus, vms=vms), book=book_of(tmp_path, '[change.cpu-ready]\nsilence = ["*"]\n')
    )
    assert "cpu-ready" in analysis.clear


def test_a_disabled_rule_is_skipped_with_its_place(tmp_path: Path) -> None:
    vcpus, vms = things(20)
    analysis = analysis_of(
        recording(*vcpus, vms=vms), book=book_of(tmp_path, "\n[change.cpu-ready]\ndisable = true\n")
    )
    assert {each.rule: each.reason for each in analysis.skipped}["cpu-ready"] == "disabled by own.toml:3"
    assert not [finding for finding in analysis.findings if finding.rule == "cpu-ready"]


def test_an_added_rule_judges_like_any_other(tmp_path: Path) -> None:
    book = book_of(tmp_path, SLOW_READS)
    fast, slow, idle = (
        Thing(
            "vdisk", f"web01:scsi0:{n}", {READS: (ms,) * 24, r"Virtual Disk\Reads/sec": (rate,) * 24}, f"{n}", "1"
        )
        for n, (ms, rate) in enumerate([(3.0, 50.0), (25.0, 50.0), (90.0, 1.0)])
    )
    analysis = analysis_of(recording(fast, slow, idle), book=book)
    (finding,) = [each for each in analysis.findings if each.rule == "slow-reads"]
    assert (finding.entity.name, finding.severity, finding.value) == ("web01:scsi0:1", "warning", 25.0)
    assert finding.source == "own rule (own.toml:10): our SLA"
    assert analysis.charts["slow-reads"].unit == "ms"


def test_an_added_rule_can_have_parts(tmp_path: Path) -> None:
    text = r"""
[add.vm-busy]
title = "A vCPU is busy"
entity = "vm"
value = '"busiest" / "Fact\vCPUs"'
info = 20
[[add.vm-busy.parts]]
name = "busiest"
kind = "vcpu"
how = "max"
value = '"Vcpu\% Run"'
"""
    vcpus = [
        Thing("vcpu", f"vCPU {n}", {r"Vcpu\% Run": (run,) * 24}, f"1{n}", "1") for n, run in enumerate((30.0, 90.0))
    ]
    vm = Thing("vm", "web01", {}, "1", "1")
    analysis = analysis_of(
        recording(*vcpus, vm, vms=[VirtualMachine("web01", "1", 2)]), book=book_of(tmp_path, text)
    )
    (finding,) = [each for each in analysis.findings if each.rule == "vm-busy"]
    assert finding.value == 45


# --- what is wrong with it, and where -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "what", "hint"),
    [
        ("[change.cpu-redy]\nwarning = 7\n", "own.toml:1: change.cpu-redy", "no shipped rule", "cpu-ready"),
        ("[change.cpu-ready]\n\n# why\nwarning = 'x'\n", "own.toml:4: change.cpu-ready.warning", "a number", ""),
        ("[change.cpu-ready]\nwarning = true\n", "own.toml:2", "a number", ""),
        ("[change.cpu-ready]\nwarning = nan\n", "own.toml:2", "a number", ""),
        ("[change.cpu-ready]\nwarnin = 7\n", "own.toml:2: change.cpu-ready.warnin", "means nothing", "warning"),
        ("[change.cpu-ready]\ninfo = 2\n", "own.toml:2", "no such level", "critical, warning"),
        ("[change.cpu-ready]\nwarning = 70\n", "own.toml:2", "critical 10 must lie above warning 70", ""),
        ("[change.cpu-ready]\nsilence = 'a'\n", "own.toml:2", "a list of texts", ""),
        ("[change.cpu-ready]\nsilence = [\n 'a',\n 3,\n]\n", "own.toml:2", "a list of texts", ""),
        ("[chnage.cpu-ready]\n", "own.toml:1", "means nothing", "change"),
        ("change = 3\n", "own.toml:1", "expected a table", ""),
        ("[change]\ncpu-ready = 3\n", "own.toml:2", "expected a table", ""),
        ("[change.cpu-ready]\nwarning = \n", "own.toml:2", "no valid TOML", ""),
        ("[change.cpu-ready\n", "own.toml:1", "no valid TOML", ""),
        ("[add.cpu-ready]\n", "own.toml:1", "the book has a rule of this id", "[change]"),
        ("[add.Reads]\n", "own.toml:1", "lower-case words", ""),
        ("[add.slow-reads]\ntitle = 'x'\n", "own.toml:1: add.slow-reads.entity", "missing", ""),
        (SLOW_READS.replace('"vdisk"', '"vdsk"'), "own.toml:4", "'vdsk' is not known here", "vdisk"),
        (SLOW_READS.replace("MilliSec/Read", "MiliSec/Read"), "own.toml:5", "no counter", READS),
        (SLOW_READS.replace(">= 5", ""), "own.toml:6", "not true or false", "compare"),
        (SLOW_READS.replace(">= 5", "=>= 5"), "own.toml:6", "cannot be understood", ""),
        (SLOW_READS.replace("share = 0.5", "share = 50"), "own.toml:8", "at most 1", ""),
        (SLOW_READS.replace("share = 0.5", 'check = "changes"\nshare = 1'), "own.toml:9", "takes no share", ""),
        (SLOW_READS.replace("share = 0.5", "p = 0.5"), "own.toml:8", "takes no p", "share, run_s, least"),
        (SLOW_READS.replace("critical = 40\nwarning = 20", ""), "own.toml:2", "no threshold", ""),
        (SLOW_READS + 'implies = ["disk"]\n', "own.toml:12", "no rule is called 'disk'", ""),
        (SLOW_READS + "host_wide = true\n", "own.toml:12", "not the whole host", 'entity = "host"'),
        (SLOW_READS + 'only = "("\n', "own.toml:12", "no regular expression", ""),
        (SLOW_READS + 'since = "new"\n', "own.toml:12", "no release", ""),
        (
            SLOW_READS + '[[add.slow-reads.parts]]\nname = "a"\nkind = "vm"\nhow = "most"\n',
            "own.toml:15",
            "'most'",
            "max",
        ),
    ],
)
def test_a_complaint_names_line_key_and_what_was_expected(
    tmp_path: Path, text: str, place: str, what: str, hint: str
) -> None:
    message, said = complaint_of(tmp_path, text)
    assert message.startswith(place), message
    assert what in message, message
    assert hint in said, said


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_book(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"title = '\xe4'")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_book(tmp_path / "latin.toml")


def test_the_line_of_a_value_is_where_its_statement_starts() -> None:
    text = 'a = 1\n[t]\n# c\nb = """\nc = 2\n"""\nc = [\n 1,\n 2,\n]\n[[l]]\nx = 1\n[[l]]\nx = 2\n'
    places = [("a",), ("t", "b"), ("t", "c"), ("l", 1, "x"), ("t", "missing")]
    assert [line_of(text, place) for place in places] == [1, 4, 7, 14, 2]


# --- SQL --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ('"a" / NULLIF("b", 0)', ""),
        ('CASE WHEN "a" > 1 THEN 1 ELSE 0 END', ""),
        ('"a" > 1', ""),
        ('MAX("a")', "one number for all samples"),
        ('SUM("a") OVER (PARTITION BY "b")', "mixes samples"),
        ('"a" - LAG("a") OVER (ORDER BY "b")', "mixes samples"),
        ("1", "names no counter"),
        ("a + 1", ""),
        ("c + 1", "c is unknown"),
        ("read_csv('/etc/passwd')", "cannot be understood"),
        ('"a"; DROP TABLE x', "cannot be understood"),
        ('CAST("a" AS VARCHAR)', "not a number"),
        ("(SELECT 1)", "no counter|cannot be understood"),  # polars 2 takes it for a constant
        ("*", "cannot be understood"),
    ],
)
def test_a_value_is_one_number_a_sample_from_known_names(sql: str, says: str) -> None:
    what, _ = complaint(sql, ("a", "b"))
    assert re.search(says, what)
    assert bool(says) == bool(what), what


def test_the_values_of_the_shipped_book_pass_the_same_checks() -> None:
    for rule in shipped().rules:
        if rule.entity == "capture":
            continue
        assert set(rule.needs) <= set(counters_of(rule.entity)) or rule.entity not in OBJECTS, rule.id
        assert complaint(rule.value, rule.names) == ("", ""), rule.id
        assert not rule.where or complaint(rule.where, rule.names, condition=True) == ("", ""), rule.id
        for part in rule.parts:
            assert not part.value or complaint(part.value, counters_of(part.kind)) == ("", ""), rule.id


def test_a_merged_rule_shows_its_deviation(tmp_path: Path) -> None:
    from esxprobe.report.rulebook import render_rule

    book = book_of(tmp_path, '[change.cpu-ready]\nwarning = 7\nsilence = ["a*"]\n')
    page = render_rule(book.find("cpu-ready"))
    assert "| warning | ≥ 7 % | own threshold (own.toml:2)" in page
    assert "Silenced for: a*" in page
    assert replace(book.find("cpu-ready"), levels=(), custom=Customization()) == replace(
        shipped().find("cpu-ready"), levels=()
    )
