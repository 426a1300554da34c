"""A capture against a baseline in a real Chromium: the outcome first, what differs side by side, a short page."""

import re

import pytest
from accessible import look_through
from opened import Open

pytestmark = pytest.mark.slow

SCREENS = "() => document.documentElement.scrollHeight / innerHeight"
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


def test_the_outcome_is_the_first_sentence(open_report: Open) -> None:
    report = open_report("demo", viewport={"width": 1440, "height": 900})
    first = report.page.locator(".verdict .counts")
    assert re.search(
        r"Against esx-new\.example\.com, \d+ critical or warning findings are new or worse: ", first.inner_text()
    )
    box = first.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 150
    assert report.js("() => document.getElementById('first').getBoundingClientRect().top") < 450


def test_the_page_is_short_while_its_details_are_closed(open_report: Open) -> None:
    desk = open_report("demo", viewport={"width": 1440, "height": 900})
    assert desk.page.locator("details[open] > summary:visible").count() == 0
    assert desk.js(SCREENS) <= 10.5
    assert open_report("demo", viewport={"width": 390, "height": 844}).js(SCREENS) <= 21


@pytest.mark.parametrize("width", [390, 1440])
def test_it_never_scrolls_sideways(open_report: Open, width: int) -> None:
    report = open_report("demo", viewport={"width": width, "height": 844})
    assert report.js(WIDTHS) == [width, width]
    report.js("() => document.querySelectorAll('#baseline details').forEach((each) => { each.open = true; })")
    assert report.js(WIDTHS) == [width, width]


def test_machines_that_differ_stand_side_by_side_and_no_cost_is_named(open_report: Open) -> None:
    report = open_report("demo")
    table = report.page.get_by_role("region", name="What both captures ran on").locator("tbody tr")
    rows = {cells[0]: cells[1:] for cells in (row.locator("th, td").all_inner_texts() for row in table.all())}
    assert rows["CPU model"][2] == "different"
    assert "Gold 5218" in rows["CPU model"][0], "the baseline's comes first"
    assert "X5365" in rows["CPU model"][1]
    assert rows["VMs"] == ["5", "6", "different"]
    assert rows["PCPU clock (%A/MPERF)"] == ["–", "–", "not known"]
    assert rows["page faults of 2 guests logged in both"][2] == "the same"
    said = report.page.locator("#baseline").text_content() or ""
    assert "These two captures do not show how much" in said
    assert not re.search(r"software MMU cost \d|consistent with|proof", said)


def test_a_large_move_that_could_not_be_tested_is_marked(open_report: Open) -> None:
    report = open_report("demo")
    rows = report.page.get_by_role("region", name="Counters that differ").locator("tbody tr")
    told = [row.locator("th, td").all_inner_texts() for row in rows.all()]
    untested = [cells for cells in told if cells[0] == "not tested"]
    assert untested
    for cells in untested:
        assert re.match(r"not tested: 180 samples, worth \d", cells[-1])
        assert cells[-2] == "–", "no probability"


def test_it_is_quiet_and_axe_finds_nothing(open_report: Open) -> None:
    report = open_report("demo")
    assert report.complaints() == []
    assert report.requests == [report.page.url]
    report.js("() => document.querySelectorAll('main > :not(#baseline), #baseline svg *').forEach(e => e.remove())")
    report.js("() => document.querySelectorAll('#baseline details').forEach((each) => { each.open = true; })")
    look_through(report, "#baseline")
