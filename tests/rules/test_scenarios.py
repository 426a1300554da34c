"""The whole book against hosts on which one thing is wrong: the planted cause is the first finding.

The hosts are data, `scenarios/*.toml`; `scenario.py` says what stands in them.
"""

from __future__ import annotations

import pytest
from scenario import Scenario, scenarios

from esxprobe.analyze import analyze
from esxprobe.model import Analysis, Finding, worst_first
from esxprobe.rules import all_rules

ALL = scenarios()
TELLING = ("high", "medium")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Analysis]:
    """Every scenario, written and judged once."""
    return {each.name: analyze(each.write(tmp_path_factory.mktemp(each.name.replace(" ", "-")))) for each in ALL}


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


def test_scenarios_speak_of_rules_that_there_are() -> None:
    ids = {rule.id for rule in all_rules()}
    for each in ALL:
        expected = each.expected
        if not expected.xfail:
            named = {*expected.first, *expected.symptoms, *expected.also, *expected.never}
            assert named <= ids, f"{each.name}: {named - ids}"
