"""The report on paper: every word is there, tables go on over pages with their heads, nothing is cut."""

import re
import unicodedata
from collections.abc import Callable

import pypdfium2
import pytest
from opened import NAMES, Open, Opened

pytestmark = pytest.mark.slow

# Words of the page without those that only a screen has; on paper details are open, but for pages of VMs.
WORDS = """() => {
  document.querySelectorAll('details:not(.thing, .things)').forEach(e => { e.open = true });
  const screen = 'nav, .skip, .anchor, .tools, .panel-tools, .chart-tools, .zoombar, .filter, svg, .hidden';
  document.querySelectorAll(screen).forEach(e => e.remove());
  return document.body.innerText;
}"""
# Wider than its frame on the narrower paper's 186 mm.
CUT = """() => [...document.querySelectorAll('table, figure, svg, p, pre, dl')].filter(e => e.checkVisibility())
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => e.tagName + ' ' + e.textContent.slice(0, 60))"""
SCROLLING = """() => [...document.querySelectorAll('body, body *')]
  .filter(e => /auto|scroll/.test(getComputedStyle(e).overflowX)).map(e => e.tagName + ' ' + e.className)"""


def printed(report: Opened, paper: str) -> tuple[tuple[float, float], list[str]]:
    """Width and height of the first page [points], and the text of each page, without its number."""
    with pypdfium2.PdfDocument(report.page.pdf(format=paper)) as pdf:
        # U+FFFE stands for a hyphen at the end of a line.
        texts = [page.get_textpage().get_text_range().replace("\r\n", "\n").replace("\ufffe", "-") for page in pdf]
        size = pdf[0].get_size()
    return size, [re.sub(r"^\d+ / \d+\s*\n|\n\s*\d+ / \d+\s*$", "", text) for text in texts]


def squeezed(text: str) -> str:
    """Without the spaces and line ends that only layout makes."""
    text = unicodedata.normalize("NFKC", text)  # a font may join letters
    return re.sub(r"[\s\u00ad\u2068\u2069\u202a-\u202e\u200f]+", "", text)


Prints = dict[str, list[str]]


@pytest.fixture(scope="module")
def prints() -> Prints:
    """Texts of pages that were printed."""
    return {}


def on_a4(report: Opened, name: str, prints: Prints) -> list[str]:
    """The text of each page of a report on A4."""
    if name not in prints:
        report.page.get_by_role("button", name="Collapse all", exact=True).click()  # paper has no folds
        size, prints[name] = printed(report, "A4")
        assert size == pytest.approx((595, 842), abs=2)
    return prints[name]


@pytest.mark.parametrize("name", ["real", "demo", "wide"])
def test_every_word_is_on_paper(open_report: Open, prints: Prints, name: str) -> None:
    report = open_report(name)
    pages = on_a4(report, name, prints)
    paper = squeezed("".join(pages))
    drawings, rows = report.page.locator("svg").count(), report.page.locator("tr").count()
    words = report.js(WORDS).split()
    missing = sorted({word for word in words if squeezed(word) and squeezed(word) not in paper})
    assert len(missing) <= len(set(words)) / 100, missing[:40]  # a word that two pages share
    assert 2 <= len(pages) <= 11 + drawings / 2 + rows / 15, f"{len(pages)} pages"
    assert all(len(squeezed(page)) > 40 for page in pages), "an empty page"


@pytest.mark.parametrize("name", ["demo", "software"])
def test_no_page_ends_with_a_heading(open_report: Open, prints: Prints, name: str) -> None:
    report = open_report(name)
    headings = {
        squeezed(each)
        for each in report.js("() => [...document.querySelectorAll('h2, h3, h4, h5')].map(e => e.innerText)")
    }
    last = [page.strip().splitlines()[-1] for page in on_a4(report, name, prints)[:-1]]
    assert [line for line in last if squeezed(line) in headings] == []


def test_a_long_table_repeats_its_head_on_every_page(
    open_report: Open, prints: Prints, vms: Callable[[str], list[str]]
) -> None:
    pages = on_a4(open_report("wide"), "wide", prints)
    with_rows = [page for page in pages if len(re.findall(r"^vm\d{3} \d{7} .*unknown", page, re.MULTILINE)) > 3]
    assert len(with_rows) >= 4
    assert all("MCTLSZ" in page for page in with_rows), "a page of numbers that nobody can name"
    assert all(any(vm in page for page in pages) for vm in vms("wide"))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wider_than_the_paper(open_report: Open, name: str) -> None:
    report = open_report(name, viewport={"width": round(186 / 25.4 * 96), "height": 900})
    report.page.emulate_media(media="print")
    assert report.js(CUT) == []
    assert report.js(SCROLLING) == [], "paper does not scroll"


def test_a_zoomed_and_sorted_page_prints_too(open_report: Open) -> None:
    report = open_report("hostile", color_scheme="dark")
    report.page.locator(".chart[role=application]").first.press("End")
    report.page.keyboard.press("+")
    report.page.wait_for_selector(".zoombar:visible")
    size, pages = printed(report, "Letter")
    assert size == pytest.approx((612, 792), abs=2)
    text = "".join(pages)
    for screen_only in ("Save PNG", "Whole capture", "Collapse all", "Copy as text"):
        assert squeezed(screen_only) not in squeezed(text)
    assert report.page.locator("details:not([open])").count() >= 1, "closed again after printing"
    assert report.complaints() == []
