"""The first screen: what a colleague sees who is told to read the top, and how long the page is behind it."""

import json

import pytest
from opened import Open, Reports

from esxprobe.report.packed import part_of

pytestmark = pytest.mark.slow

# In screens; the bottom of the causes in pixels; words that are seen.
LOOK = """() => {
  const first = document.getElementById("first").getBoundingClientRect();
  return {
    screens: document.documentElement.scrollHeight / innerHeight,
    first: Math.round(first.bottom + scrollY),
    words: (document.body.innerText.match(/\\S+/g) ?? []).length,
  };
}"""


@pytest.mark.parametrize("name", ["lone", "software"])
def test_causes_timeline_and_facts_are_within_the_first_screen(open_report: Open, name: str) -> None:
    report = open_report(name, viewport={"width": 1440, "height": 900})
    look = report.js(LOOK)
    assert look["first"] <= 900, look
    for fact in ("Release", "CPU", "Memory", "VMs", "Window", "Interval", "Monitor mode", "Quality"):
        assert report.page.locator(".facts.head dt", has_text=fact).first.bounding_box()["y"] < 300
    timeline = report.page.locator("#first .timeline").bounding_box()
    cards = report.page.locator("#first .cards").bounding_box()
    assert timeline["x"] > cards["x"] + cards["width"] - 1, "the timeline stands beside the cards"
    assert report.page.locator("#first .card").count() >= 3


@pytest.mark.parametrize("width", [1280, 1440, 390])
def test_the_timelines_letters_are_large_enough_to_be_read(open_report: Open, width: int) -> None:
    """Its small texts are drawn with 10 pixels; a picture that is shown at half its size has letters of 5."""
    report = open_report("software", viewport={"width": width, "height": 900})
    shown, drawn = report.js("""() => {
      const svg = document.querySelector('#first .timeline svg');
      return [svg.getBoundingClientRect().width, svg.viewBox.baseVal.width];
    }""")
    assert 0.8 <= shown / drawn <= 1.5


@pytest.mark.parametrize("name", ["lone", "software"])
def test_details_are_folded_and_the_page_is_short(open_report: Open, name: str) -> None:
    look = open_report(name, viewport={"width": 1440, "height": 900}).js(LOOK)
    assert look["screens"] <= 9, look
    assert look["words"] <= 4_000, look
    assert open_report(name, viewport={"width": 390, "height": 844}).js(LOOK)["screens"] <= 20


def test_without_scripts_the_first_screen_says_the_same(open_report: Open) -> None:
    with_scripts = open_report("lone").page.locator("#first .cards").inner_text().replace("Copy", "").split()
    without = open_report("lone", java_script_enabled=False).page.locator("#first .cards").inner_text().split()
    assert without == with_scripts


# --- much in one capture ----------------------------------------------------------------------------


def test_of_300_vms_the_twelve_that_wait_are_one_card_that_leads_to_their_pages(open_report: Open) -> None:
    report = open_report("wide", viewport={"width": 1440, "height": 900})
    look = report.js(LOOK)
    assert look["first"] <= 900, look
    assert look["screens"] <= 12, look
    card = report.page.locator("#first .card").first
    assert "%RDY" in card.inner_text()
    assert "and 9 more" in card.inner_text()
    name = card.locator("a bdi").first
    waiting = name.inner_text()
    name.click()
    page = report.page.locator("details.thing[open] > summary", has_text=waiting).first
    page.wait_for()  # a name on a card opens the page of its VM
    assert report.page.locator("details.thing[open] .found").first.inner_text().startswith("critical")


def test_a_capture_of_noise_stays_a_page_that_can_be_read_and_mailed(open_report: Open, reports: Reports) -> None:
    """60 VMs on which nearly every rule fires: 4 MB, 20 screens."""
    report = open_report("noise", viewport={"width": 1440, "height": 900})
    findings = len(json.loads(part_of(reports["noise"].read_text(encoding="utf-8"), "analysis"))["findings"])
    size = reports["noise"].stat().st_size
    assert findings >= 1_000, "the capture is not what this test needs"
    assert size * 1_261 / findings <= 4_000_000, f"{size:,} bytes with {findings:,} findings"
    assert report.js(LOOK)["screens"] <= 20
    assert report.js("() => document.documentElement.scrollWidth") <= 1440


@pytest.mark.parametrize(("name", "screens"), [("demo", 11), ("real", 12)])
def test_other_pages_are_short_too(name: str, screens: int, open_report: Open) -> None:
    report = open_report(name, viewport={"width": 1440, "height": 900})
    assert report.js(LOOK)["screens"] <= screens
    assert open_report(name, viewport={"width": 390, "height": 844}).js(LOOK)["screens"] <= 25


# --- a page of each VM, and what is filtered --------------------------------------------------------


def test_the_worst_vm_is_three_clicks_from_its_lines(open_report: Open) -> None:
    report = open_report("lone", viewport={"width": 1440, "height": 900})
    report.page.locator("#first .cards a", has_text="sql01").first.click()
    lane = report.page.locator("details.thing[open] .course svg").first
    lane.wait_for()  # the panel opens when its link has been followed
    box = lane.bounding_box()
    assert box is not None
    assert box["height"] > 30


def test_findings_are_filtered_by_severity_and_by_name(open_report: Open) -> None:
    report = open_report("lone", viewport={"width": 1440, "height": 900})
    articles = report.page.locator("#findings article:visible")
    everything = articles.count()
    report.page.get_by_label("info", exact=True).uncheck()
    assert 0 < articles.count() < everything
    assert report.page.locator("#findings article.info:visible").count() == 0
    report.page.get_by_label("VM, device or other name").fill("sql01")
    rules = [each.get_attribute("id") for each in articles.all()]
    assert rules == ["cpu-ready", "cpu-costop"]
    report.page.get_by_label("info", exact=True).check()
    report.page.get_by_label("VM, device or other name").fill("")
    assert articles.count() == everything


def test_a_row_that_one_filter_leaves_out_is_not_shown_by_another(open_report: Open) -> None:
    report = open_report("wide", viewport={"width": 1440, "height": 900})
    report.page.locator("#cpu-ready summary").first.click()
    rows = report.page.locator("#cpu-ready tbody tr:visible")
    assert rows.count() == 12
    own = report.page.locator("#cpu-ready .filter input").first
    own.fill("vm0")
    few = rows.count()
    assert 0 < few < 12
    everywhere = report.page.get_by_label("VM, device or other name")
    everywhere.fill("vm")
    assert rows.count() == few
    own.fill("")
    assert rows.count() == 12
    everywhere.fill("vm025")
    assert rows.count() == 1


def test_the_list_of_sections_stays_in_view(open_report: Open) -> None:
    report = open_report("lone", viewport={"width": 1440, "height": 900})
    report.js("() => document.getElementById('glance').scrollIntoView()")
    nav = report.page.locator("nav").bounding_box()
    assert nav is not None
    assert 0 <= nav["y"] < 5
    report.page.wait_for_selector("nav a[aria-current][href='#glance']")


def test_on_paper_only_the_open_pages_of_vms_are_printed(open_report: Open) -> None:
    report = open_report("lone", "#vm-3")
    report.page.emulate_media(media="print")
    report.js("() => window.dispatchEvent(new Event('beforeprint'))")
    opened = report.js("() => [...document.querySelectorAll('.thing[open]')].map((each) => each.id)")
    assert opened == ["vm-3"]
    assert report.js("() => document.querySelector('#skipped details').open")
