"""The first screen: a card for each likely cause, what costs most first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shippedbook import RULES, page_of
from tiny_findings import because, finding

from esxprobe.model import Analysis, Finding, Level, NextLevel, Scale, Window
from esxprobe.report.cards import Card, cards_of, leading
from esxprobe.report.cause_times import time_of
from esxprobe.report.formatting import begun
from esxprobe.report.likely_causes import LikelyCause, entity_key, likely_causes
from esxprobe.report.summary import render_summary
from esxprobe.rules import bound, shipped
from esxprobe.rules.doubts import few_samples
from esxprobe.rules.record import Rule
from esxprobe.rules.sources import rule_of_thumb


def named(causes: tuple[LikelyCause, ...]) -> list[tuple[list[str], list[str]]]:
    """Rules that lead and rules that are explained, of each cause."""
    return [([each.rule for each in c.leads], [each.rule for each in c.symptoms]) for c in causes]


# --- which findings are one cause -----------------------------------------------------------------


def test_a_cause_has_its_symptoms_and_theirs() -> None:
    state = finding("memory-state", "host", severity="warning")
    swapping = finding("vm-swapping", "mail", severity="critical", by=because(state))
    wait = finding("cpu-swap-wait", "mail", severity="critical", by=because(swapping))
    assert named(likely_causes([state, swapping, wait])) == [(["memory-state"], ["vm-swapping", "cpu-swap-wait"])]


def test_an_explanation_of_low_confidence_puts_nothing_together() -> None:
    ratio = finding("host-vcpu-ratio", "host", severity="info")
    ready = finding("cpu-ready", "web01", by=because(ratio, "low"))
    assert len(likely_causes([ratio, ready])) == 2


def test_vms_that_suffer_alike_are_one_cause_and_two_devices_are_one_too() -> None:
    vms = [finding("cpu-limit", f"vm{n}", "vm") for n in range(12)]
    devices = [finding("device-latency", f"naa.{n}", "device") for n in range(2)]
    assert [len(each.leads) for each in likely_causes([*vms, *devices])] == [12, 2]


def test_what_the_host_is_short_of_is_one_cause_each() -> None:
    cpu = [finding("pcpu-saturated", "host"), finding("host-cpu-load", "host")]
    memory = finding("memory-state", "host")
    assert named(likely_causes([*cpu, memory])) == [
        (["pcpu-saturated", "host-cpu-load"], []),
        (["memory-state"], []),
    ]


def test_another_sign_of_the_same_kind_on_the_same_vm_belongs_to_its_cause() -> None:
    state = finding("memory-state", "host")
    swapping = finding("vm-swapping", "mail", by=because(state))
    swapped, elsewhere = finding("vm-swapped", "mail"), finding("vm-swapped", "other")
    assert named(likely_causes([state, swapping, swapped])) == [(["memory-state", "vm-swapped"], ["vm-swapping"])]
    assert len(likely_causes([state, swapping, elsewhere])) == 2


def test_what_costs_more_comes_first() -> None:
    short = finding("cpu-limit", "build", severity="critical", share=0.05)
    wide = [finding("cpu-ready", f"vm{n}", severity="critical", share=0.6) for n in range(5)]
    milder = finding("device-latency", "naa.1", "device", severity="warning", share=1.0)
    order = [each.lead.rule for each in likely_causes([milder, short, *wide])]
    assert order == ["cpu-ready", "cpu-limit", "device-latency"]


def test_the_capture_itself_has_no_card() -> None:
    assert likely_causes([finding("capture-short", "a.csv", "capture")]) == ()


# Pairs of a rule and a thing, and of each which of those before explains it.
MANY = st.lists(
    st.tuples(
        st.sampled_from(["memory-state", "host-cpu-load", "vm-swapping", "vm-swapped", "cpu-ready", "cpu-costop"]),
        st.integers(0, 3),
        st.none() | st.integers(0, 20),
    ),
    max_size=30,
    unique_by=lambda each: each[:2],
)


def put_together_slowly(findings: list[Finding]) -> list[set[str]]:
    """Each finding that no other explains goes, with what it explains, to the first group that takes it."""
    by_id = {each.id: each for each in findings}

    def root(each: Finding) -> Finding:
        return root(by_id[each.explained_by[0].finding]) if each.explained_by else each

    groups: list[tuple[tuple[str, str], list[Finding]]] = []
    for each in findings:
        if root(each) is not each:
            continue
        new = [each, *(other for other in findings if root(other) is each and other is not each)]
        key = ("host", each.cause) if each.entity.kind == "host" else (each.rule, "")
        places = {(one.cause, entity_key(one)) for one in new}
        for old_key, old in groups:
            if key == old_key or places & {(one.cause, entity_key(one)) for one in old}:
                old.extend(new)
                break
        else:
            groups.append((key, new))
    return [{each.id for each in group} for _, group in groups]


@given(MANY)
def test_findings_are_put_together_as_one_would_by_hand(many: list[tuple[str, int, int | None]]) -> None:
    findings: list[Finding] = []
    for rule, thing, cause in many:
        by = because(findings[cause]) if cause is not None and cause < len(findings) else None
        findings.append(replace(finding(rule, f"thing{thing}", by=by), number=thing))
    made = [{each.id for each in (*cause.leads, *cause.symptoms)} for cause in likely_causes(findings)]
    assert sorted(made, key=sorted) == sorted(put_together_slowly(findings), key=sorted)


# --- what a card says -----------------------------------------------------------------------------


def card(analysis: Analysis, rule: str) -> Card:
    return next(each for each in cards_of(analysis, shipped()).shown if each.anchor == rule)


def test_a_card_says_what_where_when_how_bad_how_sure_and_what_next(demo: Analysis) -> None:
    memory = card(demo, "memory-state")
    assert memory.severity == "critical", "the worst that it costs"
    assert memory.affected_words == "esx01.example.com and mail"
    assert memory.when == (
        "21:37:25–21:39:25 (2 min) UTC, in 13 % of the time; all its findings 21:35:00–21:43:55 (8 min 55 s), 59 %"
    )
    assert memory.figures[0].endswith("soft (2) (max), warning from soft (2)")
    assert memory.figures[1].startswith("Worst: mail, ")
    assert (memory.sure, memory.why_sure.split(";")[0]) == ("high", "measured by esxtop in 180 samples")
    assert memory.actions[0].startswith("Confirm: esxtop, memory screen (m)")
    assert memory.actions[1] == "Free memory on this host."
    assert ("vm-swapping", "vm-swapping (1)") in memory.symptoms


def test_every_card_leads_to_its_finding_and_stands_on_the_timeline(demo: Analysis) -> None:
    page = page_of(demo, {}, "")
    anchors = {group.anchor for cause in page.causes for group in cause.groups}
    assert {each.anchor for each in page.cards.shown} <= anchors
    assert [each.rule for each in leading(demo)] == [each.anchor for each in page.cards.shown]


def test_sentences_of_a_card_begin_with_a_capital_where_it_is_a_plain_word(demo: Analysis) -> None:
    figures = [card.figures[0] for card in cards_of(demo, shipped()).shown]
    assert [each for each in figures if each.startswith("Memory state")]
    words = ["memory state soft (1)", "link up no", "vCPUs of a VM", "max(LAT/rd, LAT/wr) 3 ms", "%RDY 3 %"]
    assert [begun(each) for each in words] == ["Memory state soft (1)", "Link up no", *words[2:]]


def test_many_things_are_named_and_then_counted(demo: Analysis) -> None:
    waiting = next(each for each in demo.findings if each.rule == "cpu-ready")
    many = tuple(
        replace(waiting, explained_by=(), entity=replace(waiting.entity, name=f"vm{n:02}", id=str(n)))
        for n in range(12)
    )
    assert card(replace(demo, findings=many), "cpu-ready").affected_words == "vm00, vm01, vm02 and 9 more"


def test_a_value_beyond_a_worse_level_says_why_it_was_not_reached(demo: Analysis) -> None:
    full = next(each for each in demo.findings if each.rule == "pcpu-saturated")
    missed = NextLevel("critical", 90, "for 50 % of the time", "12 % of the time")
    hot = replace(full, value=90.3, explained_by=(), scale=Scale(next_level=missed))
    (figure,) = card(replace(demo, findings=(hot,)), "pcpu-saturated").figures
    assert figure.endswith(
        "90.3 % (p95), warning from 75 %; critical needs 90 % or more for 50 % of the time; "
        "it was so for 12 % of the time"
    )


@pytest.mark.parametrize(
    ("samples", "note", "sure"),
    [(180, "", "high"), (8, "", "low"), (180, "row-lost", "medium"), (180, "gzip-damaged", "low")],
)
def test_how_sure_depends_on_samples_and_damage(demo: Analysis, samples: int, note: str, sure: str) -> None:
    limit = next(each for each in demo.findings if each.rule == "cpu-limit")
    top = replace(limit, samples=samples, doubt=few_samples(samples), explained_by=())
    from esxprobe.catalog.quality import note as made

    doubtful = replace(demo, findings=(top,), quality=(made(note, 1),) if note else ())
    assert card(doubtful, "cpu-limit").sure == sure


def test_a_rule_of_thumb_is_never_high(demo: Analysis) -> None:
    thumbs = [rule for rule in RULES if rule.levels[0].sources[0].kind == "rule of thumb" and rule.entity == "vm"]
    rule: Rule = thumbs[0]
    shown = replace(demo, findings=(finding(rule.id, "web01", "vm"),), quality=())
    assert card(shown, rule.id).sure == "medium"
    assert card(shown, rule.id).why_sure.endswith("the threshold is a rule of thumb")


def test_infos_are_shown_only_where_nothing_is_worse(demo: Analysis) -> None:
    info, warning = finding("vm-memory-idle", "a", "vm", severity="info"), finding("cpu-saturated", "b", "vm")
    both = cards_of(replace(demo, findings=(warning, info)), shipped())
    assert [each.anchor for each in both.shown] == ["cpu-saturated"]
    assert both.hidden == "1 more likely cause of lower importance: see Findings."
    assert [each.anchor for each in cards_of(replace(demo, findings=(info,)), shipped()).shown] == [
        "vm-memory-idle"
    ]


# --- for the ticket -------------------------------------------------------------------------------


def test_the_summary_has_at_most_thirty_lines_and_all_that_a_ticket_needs(demo: Analysis) -> None:
    text = render_summary(demo, "esxprobe report demo", shipped())
    lines = text.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 500
    for said in (
        "esx01.example.com",
        "21:30:00 to 21:45:00 UTC",
        "180 samples",
        "build-runner",
        "esxprobe report demo",
    ):
        assert said in text
    assert page_of(demo, {}, "esxprobe report demo").ticket == text


def test_names_in_the_summary_are_text(demo: Analysis) -> None:
    top = next(each for each in demo.findings if each.rule == "cpu-limit")
    evil = "[x](http://evil) `rm` <b>*a*\n# heading \x1b[31m"
    named_evil = replace(demo, findings=(replace(top, explained_by=(), entity=replace(top.entity, name=evil)),))
    text = render_summary(named_evil, "", shipped())
    assert "\x1b" not in text
    assert "\n# heading" not in text
    assert "\\[x\\](http://evil) \\`rm\\` \\<b>\\*a\\*" in text


def test_a_book_of_own_rules_is_asked_for_the_words(demo: Analysis) -> None:
    rule = next(rule for rule in RULES if rule.id == "cpu-limit")
    own = bound([replace(rule, title="Ours", levels=(Level("critical", 2, rule_of_thumb("ours")),))])
    top = replace(next(each for each in demo.findings if each.rule == "cpu-limit"), explained_by=(), title="Ours")
    (shown,) = cards_of(replace(demo, findings=(top,), quality=()), own).shown
    assert (shown.title, shown.sure) == ("Ours", "medium")


# --- when a cause was there ---------------------------------------------------------------------------

STARTED = datetime(2026, 1, 23, 21, 30, tzinfo=UTC)


def minutes(*spans: tuple[float, float]) -> tuple[Window, ...]:
    return tuple(
        Window(STARTED + timedelta(minutes=begin), STARTED + timedelta(minutes=end)) for begin, end in spans
    )


def told(analysis: Analysis, *findings: Finding) -> str:
    (cause,) = likely_causes(findings)
    return time_of(cause, ten_minutes(analysis), shipped()).words


def ten_minutes(analysis: Analysis) -> Analysis:
    part = replace(analysis.capture, started=STARTED, ended=STARTED + timedelta(minutes=10))
    return replace(analysis, capture=part, slices=())


def test_the_time_of_a_cause_is_that_of_all_its_findings(demo: Analysis) -> None:
    state = replace(finding("memory-state", "host"), windows=minutes((3, 5), (7, 8)))
    swapping = replace(finding("vm-swapping", "mail", by=because(state)), windows=minutes((4, 6)))
    (cause,) = likely_causes((state, swapping))
    assert time_of(cause, ten_minutes(demo), shipped()).span == minutes((3, 8))[0]
    assert told(demo, state, swapping).endswith("; all its findings 21:33:00–21:38:00 (5 min), 40 %")


def test_a_title_is_not_given_the_longer_time_of_what_follows_from_it(demo: Analysis) -> None:
    """The host was below its high state for two minutes; that a balloon stayed for seven is another sentence."""
    state = replace(finding("memory-state", "host"), windows=minutes((3, 5)))
    balloon = replace(finding("vm-balloon-target", "mail", by=because(state)), windows=minutes((2, 9)))
    assert told(demo, state, balloon) == (
        "21:33:00–21:35:00 (2 min) UTC, in 20 % of the time; all its findings 21:32:00–21:39:00 (7 min), 70 %"
    )
    assert told(demo, state) == "21:33:00–21:35:00 (2 min) UTC, in 20 % of the time"


def test_settings_and_what_stays_behind_do_not_stretch_it(demo: Analysis) -> None:
    limit = replace(finding("vm-cpu-limit-set", "build", severity="info"), windows=minutes((0, 10)))
    held = replace(finding("cpu-limit", "build", by=because(limit)), windows=minutes((3, 9)))
    assert told(demo, limit, held).startswith("all the time; all its findings 21:33:00–21:39:00 ")
    swapping = replace(finding("vm-swapping", "mail"), windows=minutes((2, 4)))
    swapped = replace(finding("vm-swapped", "mail", by=because(swapping)), windows=minutes((2, 10)))
    assert told(demo, swapping, swapped).startswith("21:32:00–21:34:00 ")
    assert told(demo, limit) == "all the time"


def test_an_odd_number_of_changes_lasts_and_an_even_one_does_not(demo: Analysis) -> None:
    went = replace(finding("path-stopped", "vmhba1", "path"), value=1, windows=minutes((3, 3.2)))
    assert told(demo, went).startswith("21:33:00–21:40:00 ")
    back = replace(went, value=2, windows=minutes((3, 3.2), (5, 5.2)))
    assert told(demo, back).startswith("21:33:00–21:35:12 ")


def test_a_trend_is_one_of_the_whole_capture(demo: Analysis) -> None:
    rising = replace(finding("device-latency-rising", "naa.1", "device", severity="info"), windows=minutes((3, 10)))
    assert told(demo, rising) == "all the time"
