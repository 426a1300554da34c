"""The summary of many captures in a real Chromium: quiet, readable by everybody, never wider than its window."""

import subprocess
from pathlib import Path

import pytest
from accessible import look_through
from drawn import ESXPROBE
from opened import REAL, Open, Reports

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SOURCES = ("samples/software-mmu", "samples/hardware-mmu", "samples/demo/esxtop-000.csv.gz")


@pytest.fixture(scope="module")
def summary(reports: Reports, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Written by the command, over captures of several hosts and one, unluckily named, that cannot be read."""
    folder = tmp_path_factory.mktemp("fleet")
    broken = folder / "<img src=x onerror=document.title=1>.csv"
    broken.write_text("no capture\n", encoding="utf-8")
    sources = [*SOURCES, *([str(REAL)] if REAL.exists() else []), str(broken)]
    words = [*ESXPROBE, "fleet", *sources, "-o", str(folder)]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (folder / "fleet-report.html").exists(), ended.stderr
    reports.files["fleet"] = folder / "fleet-report.html"
    return "fleet"


def test_it_is_quiet_and_says_what_became_of_every_capture(open_report: Open, summary: str) -> None:
    report = open_report(summary)
    assert report.complaints() == []
    assert report.requests == [report.page.url]
    rows = report.page.locator("#captures tbody tr")
    assert rows.count() >= len(SOURCES) + 1
    assert "onerror=document.title" in rows.last.inner_text(), "a hostile file name is text"
    assert report.page.locator("img").count() == 0


def test_axe_finds_nothing_in_light_and_dark(open_report: Open, summary: str) -> None:
    report = open_report(summary)
    look_through(report)


@pytest.mark.parametrize("width", [360, 1200])
def test_it_does_not_scroll_sideways(open_report: Open, summary: str, width: int) -> None:
    report = open_report(summary, viewport={"width": width, "height": 800}, java_script_enabled=False)
    widths = report.js("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths == [width, width]


def test_a_host_leads_to_its_report_and_keys_reach_every_table(open_report: Open, summary: str) -> None:
    report = open_report(summary)
    reached = set()
    for _ in range(200):
        report.page.keyboard.press("Tab")
        name = report.js("() => document.activeElement.getAttribute('aria-label')")
        if report.js("() => document.activeElement === document.body"):
            break
        reached.add(name)
    tables = report.js("() => [...document.querySelectorAll('.scroll')].map(e => e.getAttribute('aria-label'))")
    assert set(tables) <= reached
    link = report.page.locator("#captures tbody a").first
    host = link.inner_text()
    link.click()
    report.page.wait_for_selector("h1")
    assert report.page.locator("h1").inner_text() == host
    assert report.complaints() == []


def test_on_paper_every_table_fits(open_report: Open, summary: str) -> None:
    report = open_report(summary, viewport={"width": round(186 / 25.4 * 96), "height": 900})
    report.page.emulate_media(media="print")
    wide = """() => [...document.querySelectorAll('table')]
      .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
      .map(e => e.textContent.slice(0, 60))"""
    assert report.js(wide) == []
