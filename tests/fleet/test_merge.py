"""What captures say together, from literal digests."""

import html
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from esxprobe.fleet.digest import FIGURES
from esxprobe.fleet.merge import merged
from esxprobe.model import DeviceLatency, Entity, Severity
from esxprobe.model.fleet import CaptureDigest, CaptureOutcome, Failure, FindingBrief, Fleet, VmStay
from esxprobe.report.fleet import render_fleet_html
from esxprobe.report.fleet_document import fleet_document

NOON = datetime(2026, 3, 26, 12, tzinfo=UTC)
LUN = "naa.600a098038303053453f463031733441"


def finding(rule: str, name: str, kind: str = "vm", severity: Severity = "warning") -> FindingBrief:
    return FindingBrief(
        rule, severity, Entity(kind, name, name), f"title of {rule}", 9.0, "p95", "%", 0.5, NOON, NOON
    )


def digest(host: str, *findings: FindingBrief, **more: object) -> CaptureDigest:
    """A capture of ten minutes from noon."""
    plain = CaptureDigest(
        host=host, build="", started=NOON, ended=NOON + timedelta(minutes=10), date_known=True, interval_s=5.0,
        judged=120, columns=900, doubts=0, findings=findings, clear=3, skipped=(), vms=(), devices=(),
        figures=tuple((figure.key, None) for figure in FIGURES),
    )  # fmt: skip
    return replace(plain, **more)  # type: ignore[arg-type]


def fleet(*digests: CaptureDigest) -> Fleet:
    return merged(
        [CaptureOutcome(f"caps/{n}.csv", f"{n}-report.html", d, None) for n, d in enumerate(digests)], "1.0"
    )


def test_findings_are_grouped_by_rule_and_by_entity_worst_first() -> None:
    found = fleet(
        digest("a", finding("cpu-ready", "sql"), finding("pcpu-saturated", "a", "host")),
        digest("b", finding("cpu-ready", "sql", severity="critical"), finding("pcpu-saturated", "b", "host")),
    )
    rules = [(issues.rule, issues.severity, issues.findings, issues.captures) for issues in found.by_rule]
    assert rules == [("cpu-ready", "critical", 2, (1, 0)), ("pcpu-saturated", "warning", 2, (0, 1))]
    entities = [(issues.name, issues.host, issues.captures) for issues in found.by_entity]
    assert entities == [("sql", "", (0, 1)), ("a", "a", (0,)), ("b", "b", (1,))], "a VM is one thing on all hosts"


def test_a_failed_capture_is_listed_and_nothing_else() -> None:
    bad = CaptureOutcome("caps/bad.csv", "", None, Failure("it is empty", "capture again", 4))
    found = merged([bad, CaptureOutcome("caps/a.csv", "a.html", digest("a"), None)], "1.0")
    assert [row.host for row in found.hosts] == ["a"]
    page = render_fleet_html(found)
    assert "it is empty" in page
    assert "1 of 2 captures of 1 host judged." in page
    assert fleet_document(found)["captures"][0]["error"]["message"] == "it is empty"


# --- the odd host out -----------------------------------------------------------------------------


def with_ready(*values: float) -> Fleet:
    key = "ready"
    return fleet(
        *(
            digest(f"esx{n}", figures=tuple((f.key, value if f.key == key else None) for f in FIGURES))
            for n, value in enumerate(values)
        )
    )


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        ((1, 2, 1.5, 2, 1, 25), ["esx5"]),
        ((1, 1, 1, 1, 1, 25), ["esx5"]),  # no spread at all: the distance alone tells
        ((1, 2, 1.5, 2, 1, 4), []),  # far in deviations, but nobody would call for it
        ((1, 8, 15, 22, 29, 36), []),  # all differ: none is odd
        ((1, 1, 25), []),  # three hosts have no middle
        ((25, 1, 1.5, 2, 1, 24), ["esx0", "esx5"]),
    ],
)
def test_a_host_is_odd_when_it_is_far_from_the_middle_of_at_least_five(
    values: tuple[float], odd: list[str]
) -> None:
    assert [each.host for each in with_ready(*values).odd] == odd


def test_several_captures_of_a_host_count_once() -> None:
    assert with_ready(1, 1, 1, 1, 25).odd
    digests = [each.digest for each in with_ready(1, 1, 1, 1, 25).outcomes if each.digest]
    assert not fleet(*(replace(each, host=f"esx{n // 2}") for n, each in enumerate(digests))).odd


# --- one LUN on several hosts ---------------------------------------------------------------------


def sees(host: str, davg: float, *, slow: bool = False, busy: int = 100, later_h: int = 0) -> CaptureDigest:
    found = (finding("device-latency", LUN, "device"),) if slow else ()
    started = NOON + timedelta(hours=later_h)
    row = DeviceLatency(LUN, 50.0, busy, davg, davg)
    return digest(host, *found, devices=(row,), started=started, ended=started + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("captures", "spread"),
    [
        ([sees("a", 40, slow=True), sees("b", 42, slow=True)], "all"),
        ([sees("a", 40, slow=True), sees("b", 42, slow=True), sees("c", 1, busy=2)], "all"),
        ([sees("a", 40, slow=True), sees("b", 1), sees("c", 2)], "one-host"),
        ([sees("a", 40, slow=True), sees("b", 41, slow=True), sees("c", 2)], "some-hosts"),
        ([sees("a", 40, slow=True), digest("b")], "alone"),
        ([sees("a", 40, slow=True), sees("b", 1, busy=2)], "not-together"),
        ([sees("a", 40, slow=True), sees("b", 1, later_h=3)], "not-together"),
    ],
)
def test_a_slow_lun_is_told_by_who_else_uses_it(captures: list[CaptureDigest], spread: str) -> None:
    (found,) = fleet(*captures).slow_devices
    assert found.spread == spread
    assert found.slow[0] == ("a", 40)
    random.Random(spread).shuffle(captures)
    assert fleet(*captures).slow_devices[0].spread == spread


def test_devices_with_names_of_their_host_s_own_are_never_the_same() -> None:
    local = [
        replace(each, devices=(replace(each.devices[0], device="mpx.vmhba0:C0:T0:L0"),))
        for each in (sees("a", 40, slow=True), sees("b", 40, slow=True))
    ]
    assert not fleet(*local).slow_devices


# --- VMs that travel ------------------------------------------------------------------------------


def hosts(host: str, name: str, start_min: float, end_min: float, **more: object) -> CaptureDigest:
    first, last = (NOON + timedelta(minutes=minutes) for minutes in (start_min, end_min))
    return digest(host, vms=(VmStay(name, "17", 2, first, last),), **more)


@pytest.mark.parametrize(
    ("captures", "moved"),
    [
        ([hosts("a", "sql", 0, 4), hosts("b", "sql", 4.5, 10)], [True]),
        ([hosts("b", "sql", 4.5, 10), hosts("a", "sql", 0, 5)], [True]),  # on both for half a minute
        ([hosts("a", "sql", 0, 10), hosts("b", "sql", 0, 10)], [False]),
        ([hosts("a", "sql", 0, 4), hosts("b", "sql", 5, 7), hosts("a", "sql", 8, 10)], [True]),
        ([hosts("a", "sql", 0, 4), hosts("a", "sql", 5, 10)], []),
        ([hosts("a", "sql", 0, 4), hosts("b", "web", 5, 10)], []),
        ([hosts("a", "sql", 0, 4), hosts("b", "sql", 5, 10, date_known=False)], []),
    ],
)
def test_a_vm_on_several_hosts_has_moved_unless_it_was_on_two_at_once(
    captures: list[CaptureDigest], moved: list[bool]
) -> None:
    traveled = fleet(*captures).traveled
    assert [each.moved for each in traveled] == moved
    for each in traveled:
        assert [stay.first for _, stay in each.stays] == sorted(stay.first for _, stay in each.stays if stay.first)


# --- the page -------------------------------------------------------------------------------------


def test_hostile_names_stay_text_in_the_summary() -> None:
    evil = "<script>alert(1)</script>\"'{{7*7}}"
    found = fleet(digest(evil, finding("cpu-ready", evil), vms=(VmStay(evil, "1", 1, NOON, NOON),)), digest("b"))
    page = render_fleet_html(found, f"esxprobe report '{evil}'")
    assert page.count("<script") == 1, "the page's own"
    assert "{{7*7}}" in page, "a name is no template"
    policy = page.split("Content-Security-Policy")[1].split(">")[0]
    allowed = re.findall(r"script-src ([^;]*);", html.unescape(policy))
    assert allowed[0].startswith("'sha256-"), "no other script is allowed"
    assert "unsafe" not in policy
    assert page == render_fleet_html(found, f"esxprobe report '{evil}'"), "same in, same bytes out"


def test_long_tables_say_how_much_is_left_out() -> None:
    many = [finding("cpu-ready", f"vm{number}") for number in range(230)]
    page = render_fleet_html(fleet(digest("a", *many)))
    assert "30 more rows are in the JSON document." in page
    assert page.count("<bdi>vm") == 200


def test_a_capture_of_one_sample_has_no_window() -> None:
    from esxprobe.report.fleet import fleet_page

    (line,) = fleet_page(fleet(digest("esx01", started=None)), "").captures
    assert line.window == "–"
