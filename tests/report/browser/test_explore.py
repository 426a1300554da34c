"""Explore: what the page carries is what the capture printed, found by what people type, and plotted."""

import csv
import gzip
import json
import re
from pathlib import Path

import pytest
from accessible import all_but_contrast_finds_nothing, contrast_finds_nothing
from opened import REAL, Open, Opened

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[3] / "samples"
ALL_CELLS = """async () => {
  const capture = await esxprobe.capture();
  await capture.need(Array.from({ length: capture.count }, (_, n) => n));
  return JSON.stringify(Array.from({ length: capture.count }, (_, n) => [capture.path(n), capture.cells(n)]));
}"""
NUMBERS = """async (wanted) => {
  const capture = await esxprobe.capture();
  return wanted.map((text) => [...Array(capture.count).keys()].find((n) => capture.path(n).endsWith(text)));
}"""


@pytest.mark.parametrize(("name", "path"), [("lone", SAMPLES / "demo/esxtop-000.csv.gz"), ("real", REAL)])
def test_every_cell_of_a_capture_is_in_the_page(open_report: Open, name: str, path: Path) -> None:
    report = open_report(name)
    told = json.loads(report.js(ALL_CELLS))  # as one text: an array is taken apart cell by cell on its way
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    named: dict[str, list[list[str]]] = {}
    for place, text in enumerate(head[1:], 1):
        # Two cells of the real capture are glued: `"    73.1"8.93"` holds one of a nameless column and one of this.
        named.setdefault(text.strip(), []).append(
            [row[place].split('"')[-2 if '"' in row[place] else -1].strip() for row in rows]
        )
    assert len(told) >= len(head) - 1
    found = 0
    for text, cells in told:
        if text in named:
            assert cells in named[text], text
            found += 1
    assert found >= len(head) - 1 - 5
    assert report.complaints() == []
    assert report.requests == [report.page.url]


# Series whose samples, as the ranking of changes takes them (whole numbers and a divisor, up to a sample), are not
# their values.
UNLIKE = """async () => {
  const capture = await esxprobe.capture();
  await capture.needAll();
  const { length } = capture.times, set = capture.set(capture.count), part = new Float64Array(length);
  return [length, length >> 1].flatMap((until) => [...Array(set.count).keys()].filter((n) => {
    const divisor = set.read(n, part, until);
    return capture.values(n).some((value, k) => k < until && !Object.is(part[k] / divisor, value));
  }));
}"""


@pytest.mark.parametrize("name", ["lone", "real"])
def test_changes_are_ranked_over_the_values_of_all_series(open_report: Open, name: str) -> None:
    assert open_report(name).js(UNLIKE) == []


def explored(report: Opened) -> Opened:
    report.page.get_by_role("link", name="Explore", exact=True).click()
    report.page.wait_for_function("() => document.querySelector('#explore select').options.length > 0")
    return report


def test_a_vm_s_ready_time_is_three_clicks_away(open_report: Open) -> None:
    report = explored(open_report("software"))
    report.page.get_by_role("button", name="CPU", exact=True).click()
    report.page.wait_for_selector("#explore svg.lane path")
    first = report.page.locator("#explore .lane-head").first.inner_text()
    assert "%RDY" in first
    assert report.complaints() == []


def test_typing_finds_previews_and_plots(open_report: Open) -> None:
    report = explored(open_report("lone"))
    page = report.page
    field = page.get_by_label("Search counters")
    field.press_sequentially("%rdy")
    page.wait_for_selector("#explore .lane-box.preview svg.lane path")
    results = page.locator("#explore .results li")
    assert all(text.startswith("%RDY") for text in results.all_inner_texts())
    before = int(re.sub(r"\D.*", "", page.locator("#explore output").first.inner_text().replace(",", "")))
    field.fill("%rdy > 2")
    page.wait_for_function(
        "(n) => parseInt(document.querySelector('#explore output').textContent.replace(',', '')) < n", arg=before
    )
    found = report.js("() => [...document.querySelectorAll('#explore .results li b')].length")
    largest = report.js("""async () => {
      const capture = await esxprobe.capture();
      const all = [...Array(capture.count).keys()].filter((n) => capture.about(n).label === "%RDY");
      await capture.need(all);
      return all.filter((n) => capture.values(n).some((value) => value > 2)).length;
    }""")
    assert found == min(60, largest)
    field.press("Enter")
    page.wait_for_selector("#explore .lane-box:not(.preview)")
    page.get_by_role("button", name=re.compile("^Sum of")).click()
    page.wait_for_function("() => document.querySelectorAll('#explore .lane-box').length === 2")
    assert "sum of" in page.locator("#explore .lane-head").nth(1).inner_text()


def test_one_time_window_for_lanes_and_charts_and_a_link_that_keeps_it(open_report: Open) -> None:
    report = explored(open_report("software"))
    page = report.page
    page.get_by_role("button", name="CPU", exact=True).click()
    lane = page.locator("#explore svg.lane").first
    lane.scroll_into_view_if_needed()
    box = lane.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.4 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=4)
    page.mouse.up()
    page.wait_for_selector(".zoombar:not([hidden])")
    told = page.locator(".zoombar span").inner_text()
    assert re.fullmatch(r"\d\d:\d\d:\d\d UTC to \d\d:\d\d:\d\d UTC", told)
    page.evaluate("() => { window.heard = []; esxprobe.explore.onMarked((span) => heard.push(span)); }")
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 0.45 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], middle, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    (heard,) = report.js("() => heard")
    start, end = (float(each) / 1000 for each in re.search(r"show=(\d+)-(\d+)", page.url).groups())  # type: ignore[union-attr]
    assert start < heard["from"] < heard["to"] < end
    again = open_report("software", page.url[page.url.index("#") :])
    again.page.wait_for_selector("#explore svg.lane path")
    heads = "() => [...document.querySelectorAll('#explore .lane-head')].map((e) => e.textContent)"
    page.mouse.move(0, 0)  # nothing is read any more
    page.wait_for_function("() => document.querySelector('#explore .reading').textContent.startsWith('Point at')")
    assert again.js(heads) == report.js(heads)
    again.page.wait_for_selector(".zoombar:not([hidden])")
    assert again.page.locator(".zoombar span").inner_text() == told
    again.page.get_by_role("button", name="Whole capture").last.click()
    again.page.wait_for_function("() => !location.hash.includes('show=')")
    assert again.complaints() == report.complaints() == []


def test_the_selection_is_saved_as_it_was_printed(open_report: Open, tmp_path: Path) -> None:
    report = explored(open_report("lone"))
    page = report.page
    page.get_by_label("Search counters").fill("%run")
    page.locator("#explore .results .result").first.click()
    page.wait_for_selector("#explore .lane-box:not(.preview)")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save CSV").click()
    saved.value.save_as(tmp_path / "part.csv")
    with (tmp_path / "part.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    with gzip.open(SAMPLES / "demo/esxtop-000.csv.gz", "rt", newline="") as file:
        names, *whole = csv.reader(file)
    assert head[0] == "(PDH-CSV 4.0) (UTC)(0)"
    assert [row[1] for row in rows] == [row[names.index(head[1])] for row in whole]
    assert [row[0] for row in rows] == [row[0] for row in whole]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save PNG").last.click()
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")


def test_keys_read_zoom_and_mark(open_report: Open) -> None:
    report = explored(open_report("software"))
    page = report.page
    page.get_by_role("button", name="CPU", exact=True).click()
    board = page.locator("#explore .lanes-board")
    board.focus()
    for key in ("Home", "Shift+ArrowRight", "Shift+ArrowRight", "["):
        board.press(key)
    for key in ("Shift+ArrowRight", "]", "+"):
        board.press(key)
    assert re.search(
        r"Marked: \d\d:\d\d:\d\d to \d\d:\d\d:\d\d UTC, 11 samples", page.locator("#explore .marked").inner_text()
    )
    assert "show=" in page.url
    assert re.match(r"\d\d:\d\d:\d\d UTC", page.locator("#explore .reading").inner_text())
    board.press("Escape")
    assert "show=" not in page.url
    assert "mark=" not in page.url


def test_a_guest_s_page_faults_are_plotted_beside_the_time_of_its_vcpus(open_report: Open) -> None:
    report = explored(open_report("logged"))
    page = report.page
    page.locator("#explore .explore-bar select").select_option(label="cgi01")
    page.get_by_role("button", name="Page faults", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('#explore .lane-box').length === 3")
    heads = page.locator("#explore .lane-head").all_inner_texts()
    for label, head in zip(["guest soft faults", "%RUN", "guest user time"], heads, strict=True):
        assert label in head
    means = report.js("""async () => {
      const capture = await esxprobe.capture();
      const mine = [...Array(capture.count).keys()].filter((n) => capture.about(n).object === "Guest");
      await capture.need(mine);
      const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
      return Object.fromEntries(mine.map((n) => {
        const { vm, counter } = capture.about(n);
        return [`${vm} ${counter}`, mean([...capture.values(n)].filter((value) => !Number.isNaN(value)))];
      }));
    }""")
    costs = report.js("() => esxprobe.unpacked('analysis').then((text) => JSON.parse(text).fault_costs)")
    rates = {f"{cost['vm']} {cost['guest_counter']}": cost["rates"]["mean"] for cost in costs}
    known = rates.keys() & means.keys()
    assert known, (rates, means)
    for name in known:
        assert means[name] == pytest.approx(rates[name], rel=0.05), name
    assert report.complaints() == []


def test_events_of_logs_are_marked_where_they_belong(open_report: Open) -> None:
    report = explored(open_report("logged"))
    page = report.page
    page.get_by_label("Search counters").fill("davg 9ab4")
    page.wait_for_selector("#explore .lane-box.preview svg.lane path")
    assert page.locator("#explore svg.lane-axis g.event").count() == 2
    titles = page.locator("#explore svg.lane g.event title").all_text_contents()
    assert len(titles) == 1
    assert re.search(r"09:36:00 .*latency.*9ab4, 122 ms", titles[0])
    # Another device whose name begins in the same way.
    report.js("""async () => {
      const capture = await esxprobe.capture();
      const marks = capture.index.events.marks;
      marks.push([360000, 0, [], [marks[0][3][0].slice(0, -1)], "another device", ""]);
      delete capture.events;
    }""")
    page.get_by_label("Search counters").fill("davg 9ab4 ")
    page.wait_for_function("() => document.querySelectorAll('#explore svg.lane-axis g.event').length === 3")
    assert page.locator("#explore svg.lane g.event").count() == 1
    lane = page.locator("#explore svg.lane").bounding_box()
    assert lane is not None
    mark = page.locator("#explore svg.lane g.event line").bounding_box()
    assert mark is not None
    page.mouse.move(mark["x"] - 1, lane["y"] + lane["height"] / 2)
    page.wait_for_function(
        "() => document.querySelector('#explore .reading').textContent.includes('Events in this sample')"
    )
    page.get_by_role("checkbox", name="Events").uncheck()
    assert page.locator("#explore g.event").count() == 0
    all_but_contrast_finds_nothing(report, "#explore")
    contrast_finds_nothing(report, "#explore")
    assert report.complaints() == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_it_on_a_phone_too(open_report: Open, scheme: str) -> None:
    report = explored(open_report("software", color_scheme=scheme, viewport={"width": 390, "height": 800}))
    page = report.page
    page.get_by_label("Search counters").fill("ready")
    page.get_by_role("button", name="CPU", exact=True).click()
    page.wait_for_selector("#explore svg.lane path")
    assert report.js("() => document.querySelector('#explore').scrollWidth <= document.documentElement.clientWidth")
    all_but_contrast_finds_nothing(report, "#explore")
    contrast_finds_nothing(report, "#explore")


def test_without_scripts_there_is_no_panel(open_report: Open) -> None:
    report = open_report("software", java_script_enabled=False)
    assert not report.page.locator("#explore").is_visible()
    assert not report.page.locator("nav a[href='#explore']").is_visible()


def test_a_marked_window_is_told_what_changed_in_it(open_report: Open) -> None:
    """The first window that stands out in the sample is CPU demand and memory: its VMs lead the list."""
    report = open_report("software")
    page = report.page
    page.locator("#windows li[data-from]").first.get_by_role("button", name="What changed here").click()
    page.wait_for_selector("#explore-changes table")
    page.wait_for_function(  # it is scrolled to, and stands below the contents, which have two rows here
        """() => document.querySelector('#explore h2').getBoundingClientRect().top
          >= document.querySelector('body > nav').getBoundingClientRect().bottom"""
    )
    note = page.locator("#explore-changes .note").first.inner_text()
    assert re.match(r"\d+ of [\d,]+ series differ from the time before", note)
    first = page.locator("#explore-changes tbody tr").first.inner_text()
    assert " → " in first
    whose = page.locator("#explore-changes tbody th").all_inner_texts()
    assert any(re.fullmatch(r"PCPU \d+", name) for name in whose), whose
    assert not [name for name in whose if name.isdecimal()], "a number alone names nothing"
    assert len(set(whose)) == len(whose)
    page.locator("#explore-changes tbody tr").first.get_by_role("button", name="→").first.click()
    page.wait_for_selector("#explore svg.lane path")
    known = page.evaluate(
        """async () => {
          const capture = await esxprobe.explore.ready();
          const known = () => capture.sums?.done === capture.moving;
          for (let n = 0; n < 500 && !known(); n += 1) await new Promise((next) => setTimeout(next, 20));
          return known();
        }"""
    )
    assert known, "what a comparison with the rest needs is there before it is asked for"
    page.get_by_label("Compared with").select_option("rest")
    page.wait_for_function(
        "() => /the rest of the capture/.test(document.querySelector('#explore-changes .note').textContent)"
    )
    assert report.complaints() == []
