"""View records: values, lengths and times as a reader sees them, and every finding on the page."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from shippedbook import page_of, render_html

from esxprobe.model import Analysis, Deviation, QualityNote, Window
from esxprobe.report.document import document
from esxprobe.report.drawing import Drawer
from esxprobe.report.formatting import (
    duration,
    in_zones,
    isolated,
    local,
    moment,
    number,
    printed,
    threshold,
    window,
)
from esxprobe.report.view import ROWS

NOON = datetime(2026, 3, 26, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "MB", "–"),
        (float("nan"), "%", "–"),
        (0, "", "0"),
        (3, "", "3"),
        (1.5, "", "1.50"),
        (0.104, "MB/s", "0.10 MB/s"),
        (4.761, "%", "4.76 %"),
        (16.76, "%", "16.8 %"),
        (100.0, "%", "100.0 %"),
        (1302.4, "MB", "1,302 MB"),
        (12.34, "MB", "12.3 MB"),
        (1234567, "", "1,234,567"),
        (9_999, "MB", "9,999 MB"),
        (25_019, "MB", "24.4 GB"),
        (98_304, "MB", "96.0 GB"),
        (25_019, "MB/s", "25,019 MB/s"),
        (297, "1/s", "297/s"),
    ],
)
def test_a_value_is_rounded_to_what_it_means(value: float | None, unit: str, text: str) -> None:
    assert number(value, unit) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (10, "%", "10 %"),
        (0.1, "MB/s", "0.1 MB/s"),
        (1, "", "1"),
        (1500, "MB", "1,500 MB"),
        (16_384, "MB", "16 GB"),
        (200, "1/s", "200/s"),
    ],
)
def test_a_threshold_stands_as_it_was_written(value: float, unit: str, text: str) -> None:
    assert threshold(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (475, "7 min 55 s"),
        (3599.6, "1 h"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (90_061, "25 h 1 min"),
    ],
)
def test_a_length_of_time_has_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_stretch_shows_its_day_only_where_there_are_several() -> None:
    short, night = Window(NOON, NOON + timedelta(minutes=5)), Window(NOON, NOON + timedelta(hours=13))
    assert window(short) == "12:00:00–12:05:00 (5 min)"
    assert window(short, dated=True) == "2026-03-26 12:00:00–12:05:00 (5 min)"
    assert window(night, dated=True) == "2026-03-26 12:00:00–2026-03-27 01:00:00 (13 h)"


def test_windows_of_a_capture_over_midnight_are_dated(demo: Analysis) -> None:
    def shown(analysis: Analysis) -> str:
        return page_of(analysis, {}, "").causes[0].groups[0].rows[0].windows[0]

    assert shown(demo) == "21:37:25–21:39:25 (2 min)"
    assert demo.capture.ended is not None
    longer = replace(demo.capture, ended=demo.capture.ended + timedelta(days=2))
    assert shown(replace(demo, capture=longer)) == "2026-03-26 21:37:25–21:39:25 (2 min)"


def test_an_unknown_time_is_a_dash() -> None:
    assert moment(None) == "–"
    assert moment(NOON) == "2026-03-26 12:00:00"


def test_every_finding_is_on_the_page(demo: Analysis) -> None:
    page = page_of(demo, {}, "")
    shown = [(g.rule, row.entity) for cause in page.causes for g in cause.groups for row in g.rows]
    assert sorted(shown) == sorted((f.rule, f.entity.name) for f in demo.findings)
    assert page.counts == (("critical", 5), ("warning", 10), ("info", 4))
    assert page.causes[0].key == "memory-pressure", "the cause before its symptoms"


def test_the_verdict_says_how_much_and_how_far_to_trust(demo: Analysis) -> None:
    issues, trust = page_of(demo, {}, "").verdict
    assert issues == (
        "19 findings in 4 areas: memory pressure, during the capture or before; CPU or memory limits; "
        "vCPUs competed for physical CPUs; and 1 more."
    )
    assert trust == (
        "No damage was found in the capture. 12 rules had to be skipped."  # CORE UTIL, the host's own answers
        " 18 rules did not apply: no such device on this host, or no log."  # vSAN, RDMA, NFS, no log of the host
    )


def test_a_capture_too_poor_to_judge_says_so_first_and_counts_nothing(demo: Analysis) -> None:
    damaged = replace(demo, quality=(*demo.quality, QualityNote("gzip-damaged", "critical", 1, "the end")))
    page = page_of(damaged, {}, "")
    assert page.verdict[0] == "Capture quality: 1 problem (gzip-damaged)."
    assert page.counts == ()
    assert "findings" not in " ".join(page.verdict)
    assert dict(page.facts)["Quality"] == "poor: gzip-damaged"


def test_doubts_are_named_in_the_verdict(demo: Analysis) -> None:
    doubtful = replace(demo, quality=(*demo.quality, QualityNote("row-lost", "warning", 3, "3 rows")))
    assert page_of(doubtful, {}, "").verdict[-1] == "Capture quality: 1 problem (row-lost)."


def test_nothing_found_is_said_with_the_number_of_rules_that_ran(analysis_with: Callable[..., Analysis]) -> None:
    healthy = analysis_with("web01", ready=0.1)
    page = page_of(healthy, {}, "")
    assert page.causes == ()
    assert page.worst == "none"
    assert page.verdict[0] == f"None of the {len(healthy.clear)} rules that could run found anything."


def test_many_entities_are_cut_and_the_rest_is_counted(analysis_with: Callable[..., Analysis]) -> None:
    page = page_of(analysis_with(*(f"vm{n:03}" for n in range(ROWS + 7))), {}, "")
    (group,) = page.causes[0].groups
    assert (len(group.rows), group.hidden) == (ROWS, 7)


def test_vms_with_most_waiting_come_first(demo: Analysis) -> None:
    vms = page_of(demo, {}, "").vms.rows
    assert vms[0][0] == "sql01"
    assert len(vms) == 9
    assert len({(row[0], row[1]) for row in vms}) == 9, "namesakes are told apart by their group id"


def test_what_the_capture_does_not_say_is_a_dash_and_not_zero(analysis_with: Callable[..., Analysis]) -> None:
    (row,) = page_of(analysis_with("web01"), {}, "").vms.rows
    assert row[7:10] == ("–", "–", "–"), "memory was not captured"


def test_a_capture_without_a_date_says_so(demo: Analysis) -> None:
    facts = dict(page_of(replace(demo, capture=replace(demo.capture, date_known=False)), {}, "").facts)
    assert "date unknown" in facts["Window"]
    assert "2026" not in facts["Window"]


def test_a_name_that_turns_the_writing_direction_stays_inside_its_marks() -> None:
    assert isolated("db01") == "db01"
    assert isolated("\u202edb01") == "\u2068\u202edb01\u2069"


def test_two_samples_are_called_a_moment(demo: Analysis) -> None:
    few = replace(
        demo,
        capture=replace(demo.capture, judged=2),
        quality=(QualityNote("too-few-samples", "warning", 1, "2 samples can be judged"),),
    )
    assert page_of(few, {}, "").verdict[0].startswith("Only 2 samples could be analyzed: findings are a snapshot")


def test_without_a_sample_nothing_is_said_of_the_host(demo: Analysis, drawer: Drawer) -> None:
    """Not that it has no devices: its header names them."""
    none = replace(
        demo,
        capture=replace(demo.capture, judged=0),
        glance=replace(demo.glance, devices=(), adapters=(), volumes=(), ports=(), strips=()),
        quality=(QualityNote("too-few-samples", "warning", 1, "0 samples can be judged"),),
    )
    assert page_of(none, {}, "").verdict[0].startswith("No sample could be analyzed")
    html = render_html(none, drawer)
    assert "is not known from this capture" in html
    assert "has no storage device" not in html
    assert "no port that saw a packet" not in html


def test_a_check_that_is_a_question_keeps_its_own_mark(demo: Analysis) -> None:
    top = next(finding for finding in demo.findings if finding.explained_by)
    said = {}
    for check in ("esxtop", "is it the array?"):
        asked = replace(top, explained_by=(replace(top.explained_by[0], confirm=check),))
        page = page_of(replace(demo, findings=(asked,)), {}, "")
        said[check] = page.causes[0].groups[0].rows[0].symptoms[0][1]
    assert said["esxtop"].endswith("Verify: esxtop.")
    assert said["is it the array?"].endswith("Verify: is it the array?")


# --- causes before symptoms, slices, deviations -------------------------------------------------------


def test_a_symptom_says_what_it_is_likely_one_of(demo: Analysis) -> None:
    page = page_of(demo, {}, "")
    rows = {group.rule: group.rows[0] for cause in page.causes for group in cause.groups}
    (rule, because), *_ = rows["cpu-ready"].symptoms
    assert rule == "pcpu-saturated"
    assert because.startswith("of esx01.example.com: it affected the whole host, and the cause was present during ")
    assert "(confidence: high). Verify: esxtop, CPU screen (c)" in because
    assert rows["memory-state"].symptoms == ()


def test_an_explanation_of_low_confidence_is_not_shown(demo: Analysis) -> None:
    top = next(finding for finding in demo.findings if finding.explained_by)
    doubtful = replace(top, explained_by=(replace(top.explained_by[0], confidence="low"),))
    page = page_of(replace(demo, findings=(doubtful,)), {}, "")
    assert page.causes[0].groups[0].rows[0].symptoms == ()


def test_a_cause_stands_before_what_it_explains_even_where_it_is_milder(demo: Analysis) -> None:
    rules = [group.rule for cause in page_of(demo, {}, "").causes for group in cause.groups]
    assert rules.index("pcpu-saturated") < rules.index("cpu-ready") < rules.index("cpu-costop")


def test_a_rule_group_has_the_severity_of_its_worst_finding(demo: Analysis) -> None:
    top = next(each for each in demo.findings if each.severity == "critical")
    milder = replace(top, severity="info", entity=replace(top.entity, id="other"))
    page = page_of(replace(demo, findings=(milder, top)), {}, "")
    assert page.causes[0].groups[0].severity == "critical"


def test_the_time_is_shown_in_slices(demo: Analysis) -> None:
    rows = page_of(demo, {}, "").slices
    assert len(rows) == 12
    assert max(int(row[1]) for row in rows) == 5, "five critical findings overlap at the height of it"
    assert page_of(replace(demo, findings=()), {}, "").slices == (), "nothing found, nothing to count"


def test_deviations_are_told_in_the_page_and_in_the_document(demo: Analysis) -> None:
    own = Deviation("cpu-ready", "silenced", "for vm1*; findings withheld: 1", "own.toml:3")
    changed = replace(demo, deviations=(own,))
    assert page_of(changed, {}, "").rules.deviations == (("cpu-ready", "silenced", own.detail, "own.toml:3"),)
    assert document(changed)["deviations"][0]["place"] == "own.toml:3"


def test_times_are_shown_in_the_zone_that_a_person_gave_as_well(demo: Analysis) -> None:
    zoned = replace(demo, capture=replace(demo.capture, timezone="Europe/Berlin"))
    page = page_of(zoned, {}, "")
    assert dict(page.facts)["Window"] == (
        "2026-03-26 21:30:00 to 21:45:00 UTC (15 min) = 2026-03-26 22:30:00 to 22:45:00 Europe/Berlin (+01:00)"
    )
    assert page.causes[0].groups[0].rows[0].windows[0] == "21:37:25–21:39:25 (2 min) = 22:37:25–22:39:25 local"


def test_a_zone_may_be_an_offset_and_change_the_day() -> None:
    late = datetime(2026, 3, 26, 23, 30, tzinfo=UTC)
    assert local(late, "+02:00") == "2026-03-27 01:30:00 (+02:00)"
    assert in_zones(late, "-05:30") == "2026-03-26 23:30:00 UTC = 2026-03-26 18:00:00 (-05:30)"
    assert in_zones(None, "Europe/Berlin") == "not recorded"
    span = Window(late, late + timedelta(minutes=45))
    assert window(span, dated=True, timezone="+02:00") == (
        "2026-03-26 23:30:00–2026-03-27 00:15:00 (45 min) = 2026-03-27 01:30:00–02:15:00 local"
    )


@pytest.mark.parametrize(
    ("value", "unit", "seen"),
    [(9.996, "%", 10.0), (16_380.0, "MB", 16_384.0), (297.4, "1/s", 297.0), (0.104, "MB/s", 0.1), (-3.0, "", -3.0)],
)
def test_what_a_reader_sees_is_known_as_a_number(value: float, unit: str, seen: float) -> None:
    assert printed(value, unit) == pytest.approx(seen)
