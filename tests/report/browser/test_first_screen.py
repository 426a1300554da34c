"""The first screen: what a colleague sees who is told to read the top, and how long the page is behind it."""

import pytest
from opened import Open

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


def test_causes_timeline_and_facts_are_within_the_first_screen(open_report: Open) -> None:
    report = open_report("lone", viewport={"width": 1440, "height": 900})
    look = report.js(LOOK)
    assert look["first"] <= 900, look
    for name in ("Release", "CPU", "Memory", "VMs", "Window", "Interval", "Monitor mode", "Quality"):
        assert report.page.locator(".facts.head dt", has_text=name).first.bounding_box()["y"] < 300
    timeline = report.page.locator("#first .timeline").bounding_box()
    cards = report.page.locator("#first .cards").bounding_box()
    assert timeline["x"] > cards["x"] + cards["width"] - 1, "the timeline stands beside the cards"
    assert report.page.locator("#first .card").count() >= 3


def test_details_are_folded_and_the_page_is_short(open_report: Open) -> None:
    look = open_report("lone", viewport={"width": 1440, "height": 900}).js(LOOK)
    assert look["screens"] <= 9, look
    assert look["words"] <= 4_000, look
    assert open_report("lone", viewport={"width": 390, "height": 844}).js(LOOK)["screens"] <= 20


def test_without_scripts_the_first_screen_says_the_same(open_report: Open) -> None:
    with_scripts = open_report("lone").page.locator("#first .cards").inner_text().replace("Copy", "").split()
    without = open_report("lone", java_script_enabled=False).page.locator("#first .cards").inner_text().split()
    assert without == with_scripts
