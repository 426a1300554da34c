"""The whole book against hosts on which one thing is wrong: the planted cause is the first finding.

The hosts are data, `scenarios/*.toml`; `scenario.py` says what stands in them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scenario import Scenario, scenarios
from shippedbook import RULES, analyze

from esxprobe.catalog import counters, find
from esxprobe.catalog.row import ONLY_WITH_A
from esxprobe.model import Analysis, Explanation, Finding, worst_first
from esxprobe.report.cards import cards_of, shown_of
from esxprobe.report.cause_times import time_of
from esxprobe.report.judged import not_worse
from esxprobe.report.likely_causes import likely_causes
from esxprobe.rules import shipped
from esxprobe.rules.doubts import FEW

pytestmark = pytest.mark.slow

ALL = scenarios()
TELLING = ("high", "medium")
BOOK = {rule.id: rule for rule in RULES}
# Rules that no scenario makes fire, and why.
NOT_PLANTED = {
    "capture-damaged": "a file that is damaged, not a host; see tests/test_doubtful_captures.py",
    "capture-rows-lost": "a file that is damaged, not a host; see tests/test_doubtful_captures.py",
    "capture-quality": "a file with doubts, not a host; see tests/test_doubtful_captures.py",
    "guest-faults-measured": "a guest's own log beside the host; see tests/test_guest_faults.py",
    "guest-faults-possible": "a guest's own log beside the host; see tests/test_guest_faults.py",
    "guest-faults-unaccounted": "a guest's own log beside the host; see tests/correlate/test_words.py",
    "device-all-paths-down": "a log beside the host; see tests/rules/test_happened.py",
    "device-latency-logged": "a log beside the host; see tests/rules/test_happened.py",
    "device-paths-failed": "a log beside the host; see tests/rules/test_happened.py",
    "memory-low-logged": "a log beside the host; see tests/rules/test_happened.py",
    "nfs-connection-lost": "a log beside the host; see tests/rules/test_happened.py",
    "uplink-failures-logged": "a log beside the host; see tests/rules/test_happened.py",
    "vm-vmotion-stun": "a log beside the host; see tests/rules/test_happened.py",
    "host-clock-stepped": "a log beside the host; see tests/rules/test_happened.py",
    "vm-stunned": "a log beside the host; see tests/rules/test_happened.py",
    "rdma-receives-nothing": "the lab has no RDMA devices",
    "nfs-aborts": "the lab has no NFS volumes",
    "nfs-failed-commands": "the lab has no NFS volumes",
    "nfs-latency": "the lab has no NFS volumes",
    "vsan-read-latency": "the lab has no vSAN",
    "vsan-write-latency": "the lab has no vSAN",
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Analysis]:
    """Every scenario, written and judged once."""
    return {
        each.name: analyze(each.write(tmp_path_factory.mktemp(each.name)), manifest=each.manifest) for each in ALL
    }


def test_a_value_beyond_the_next_threshold_says_why_it_is_no_worse(judged: dict[str, Analysis]) -> None:
    """A card that prints 90.3 % as a warning beside "critical from 90 %" says what critical needs and what was."""
    said = 0
    for analysis in judged.values():
        for each in analysis.findings:
            following = each.next_level
            if following is None:
                assert not not_worse(each)
                continue
            sign = 1 if following.threshold > each.threshold else -1
            if sign * each.value >= sign * following.threshold:
                assert following.needs, f"{each.rule} on {each.entity.name}"
                assert f"{following.severity} needs" in not_worse(each)
                said += 1
    assert said, "no scenario has such a value"


def test_findings_from_a_handful_of_samples_say_so(judged: dict[str, Analysis]) -> None:
    for analysis in judged.values():
        for each in analysis.findings:
            few = each.samples < FEW and each.entity.kind != "capture" and not BOOK[each.rule].setting
            assert ("a snapshot, not a state" in each.doubt) == few, f"{each.rule} on {each.entity.name}"


def told(findings: tuple[Finding, ...]) -> str:
    """The findings as one reads them, for a failure's message."""
    lines = []
    for each in findings:
        because = ", ".join(f"{cause.rule} ({cause.confidence})" for cause in each.explained_by)
        value = f"{each.value:.2f} {each.unit} against {each.threshold:g}"
        lines.append(f"  {each.severity:8} {each.rule} on {each.entity.name}: {value}; by {because or '-'}")
    return "\n".join(["the findings are", *lines])


def causes_of(finding: Finding, findings: tuple[Finding, ...]) -> list[Finding]:
    """What explains a finding with high or medium confidence, and what explains that, and so on."""
    names = {each.finding for each in finding.explained_by if each.confidence in TELLING}
    found = [each for each in findings if each.id in names]
    return [*found, *(cause for each in found for cause in causes_of(each, findings))]


def marked(each: Scenario) -> pytest.param:
    """A scenario that asks for more than the book has must fail, and is told as soon as it does not."""
    wanted = {*each.expected.first, *each.expected.symptoms, *each.expected.also}
    reason = each.expected.xfail or ", ".join(f"the book has no {rule}" for rule in sorted(wanted - BOOK.keys()))
    marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
    return pytest.param(each, id=each.name, marks=marks)


@pytest.mark.parametrize("scenario", [marked(each) for each in ALL])
def test_what_is_planted_is_what_is_found(scenario: Scenario, judged: dict[str, Analysis]) -> None:
    expected, findings = scenario.expected, judged[scenario.name].findings
    fired = {finding.rule for finding in findings}
    seen = f"{scenario.story}\n{told(findings)}"
    if expected.first:
        assert findings, seen
        assert findings[0].rule in expected.first, seen
        name = findings[0].entity.name
        assert expected.on in ("", name, name.rpartition(":")[2]), seen
    for rule in expected.symptoms:
        symptoms = [finding for finding in findings if finding.rule == rule]
        causes = {cause.rule for symptom in symptoms for cause in causes_of(symptom, findings)}
        assert causes & set(expected.first), f"{rule} is not told as a symptom; {seen}"
    assert set(expected.also) <= fired, f"{set(expected.also) - fired} did not fire; {seen}"
    assert not fired & set(expected.never), f"{fired & set(expected.never)} must not fire; {seen}"
    beyond = [each.rule for each in findings if worst_first(each.severity) < worst_first(expected.worst)]
    assert not beyond, f"{beyond} is worse than {expected.worst}; {seen}"


def is_about(finding: Finding | Explanation, what: str) -> bool:
    """Whether something is of this rule, or about this entity or a part of it."""
    return finding.rule == what or re.search(rf"(?:^|:){re.escape(what)}(?:$|:)", finding.entity.name) is not None


def false_sentences(scenario: Scenario, findings: tuple[Finding, ...]) -> list[str]:
    """What is shown as a cause, and was not planted as one, or is of another VM or device by the host's plan."""
    said, expected = [], scenario.expected
    for finding in findings:
        for each in finding.explained_by:
            if each.confidence not in TELLING:
                continue
            planted = expected.may_explain(each.rule, each.entity.name)
            kept_apart = any(is_about(each, one) and is_about(finding, other) for one, other in expected.apart)
            if not planted or kept_apart or scenario.apart(each.entity.name, finding.entity.name):
                said.append(
                    f"  {scenario.name}: {finding.rule} of {finding.entity.name} is said to be a symptom of "
                    f"{each.rule} of {each.entity.name} ({each.confidence}): {each.because}"
                )
    return said


def test_nothing_is_said_to_be_the_cause_that_was_not_planted(judged: dict[str, Analysis]) -> None:
    said = [line for each in ALL for line in false_sentences(each, judged[each.name].findings)]
    assert not said, "\n".join([f"{len(said)} false causal sentences in {len(ALL)} scenarios:", *said])


@pytest.mark.parametrize("scenario", [each for each in ALL if each.expected.leading], ids=lambda each: each.name)
def test_independent_causes_all_lead(scenario: Scenario, judged: dict[str, Analysis]) -> None:
    findings = judged[scenario.name].findings
    assert set(scenario.expected.leading) <= {each.rule for each in findings[:3]}, told(findings)


@pytest.mark.parametrize("scenario", [each for each in ALL if each.expected.first], ids=lambda each: each.name)
def test_the_first_card_is_what_was_planted_where_and_when(scenario: Scenario, judged: dict[str, Analysis]) -> None:
    analysis, expected = judged[scenario.name], scenario.expected
    cards = cards_of(analysis, shipped()).shown
    if not cards:  # what is wrong with the capture alone is in its quality, and on no card
        assert analysis.findings[0].entity.kind == "capture", told(analysis.findings)
        return
    card, seen = cards[0], f"{cards[0]}\n{told(analysis.findings)}"
    assert card.anchor in expected.first, seen
    assert expected.on in card.affected_words, seen
    span = time_of(shown_of(likely_causes(analysis.findings))[0], analysis, shipped()).span
    assert span is not None
    assert analysis.capture.started is not None
    begin, end = scenario.during
    minutes = [(each - analysis.capture.started).total_seconds() / 60 for each in (span.start, span.end)]
    interval = scenario.plan.interval_s / 60  # a sample is the mean over the interval before it
    shared = min(end, minutes[1]) - max(begin, minutes[0]) + interval
    assert shared >= 0.8 * (end - begin), f"planted from minute {begin:g} to {end:g}, shown {minutes}; {seen}"
    assert shared + interval >= 0.65 * (minutes[1] - minutes[0]), f"planted {begin:g} to {end:g}; {minutes}; {seen}"


@pytest.mark.parametrize("scenario", [each for each in ALL if each.expected.leading], ids=lambda each: each.name)
def test_causes_that_are_planted_together_are_among_the_first_cards(
    scenario: Scenario, judged: dict[str, Analysis]
) -> None:
    cards = cards_of(judged[scenario.name], shipped()).shown[:3]
    rules = {card.anchor for card in cards} | {rule for card in cards for rule, _ in card.symptoms}
    assert set(scenario.expected.leading) <= rules, cards
    assert len(cards) >= 2, cards


def test_scenarios_speak_of_rules_that_there_are() -> None:
    for each in ALL:
        expected = each.expected
        named = {*expected.first, *expected.symptoms, *expected.also, *expected.never, *expected.leading}
        named |= {each.partition(" on ")[0] for each in expected.causes}
        assert named <= BOOK.keys(), f"{each.name}: {named - BOOK.keys()}"


def test_every_rule_fires_on_some_host(judged: dict[str, Analysis]) -> None:
    fired = {finding.rule for analysis in judged.values() for finding in analysis.findings}
    silent = BOOK.keys() - fired - NOT_PLANTED.keys()
    said = f"{len(fired & BOOK.keys())} of {len(BOOK)} rules fire in {len(ALL)} scenarios"
    assert not silent, f"{said}; neither planted nor listed: {', '.join(sorted(silent))}"
    assert not fired & NOT_PLANTED.keys(), f"{said}; listed as never firing: {fired & NOT_PLANTED.keys()}"


def test_the_healthy_ones_are_all_there() -> None:
    healthy = [each for each in ALL if each.name.startswith("healthy")]
    assert {each.name for each in healthy} == {"healthy-busy", "healthy-idle", "healthy-small", "healthy-threads"}
    assert all(each.expected.worst == "info" for each in healthy)


# --- a capture without -a -------------------------------------------------------------------------------


def without_a(capture: Path) -> Path:
    """The same capture as esxtop writes it with its default fields: what `-a` adds is left out."""
    lines = [line.split('","') for line in capture.read_text(encoding="utf-8").splitlines()]
    columns = [0]
    for number, name in enumerate(lines[0][1:], start=1):
        path, _, counter = name.rstrip('"').rpartition("\\")  # counters hold parentheses themselves
        record = find(path.split("\\", 3)[3].partition("(")[0], counter)
        if record is None or ONLY_WITH_A not in record.notes:
            columns.append(number)
    few = ['","'.join(line[number].strip('"') for number in columns) for line in lines]
    plain = capture.with_name("plain.csv")
    plain.write_text("".join(f'"{line}"\n' for line in few), encoding="utf-8")
    return plain


def test_without_a_each_rule_that_cannot_run_names_the_counter(tmp_path: Path) -> None:
    scenario = next(each for each in ALL if each.name == "memory-overcommitted")
    (whole,) = scenario.write(tmp_path)
    complete, plain = analyze([whole]), analyze([without_a(whole)])
    had = {skipped.rule for skipped in complete.skipped}
    skipped = {skipped.rule: skipped.reason for skipped in plain.skipped}
    added = {f"{record.object}\\{record.name}" for record in counters() if ONLY_WITH_A in record.notes}
    for rule in RULES:
        needs = {path for paths in rule.needs_by_kind.values() for path in paths}
        lacking, reason = needs & added - set(rule.optional), skipped.get(rule.id, "")
        if lacking:
            assert reason.startswith("the capture lacks "), f"{rule.id} runs without {lacking}"
            assert lacking <= set(reason.removeprefix("the capture lacks ").split(", ")), f"{rule.id}: {reason}"
        elif rule.id not in had:
            assert not reason, f"{rule.id} needs nothing that -a adds, and is skipped: {reason}"
    assert skipped.keys() - had
    fired = {finding.rule for finding in plain.findings}
    assert {"memory-state", "vm-swapping"} <= fired, "what is left is judged as before"
    assert "default-fields" in {note.code for note in plain.quality}
    assert BOOK.keys() & {"capture-default-fields"} <= fired, "the findings say that fields are missing"
