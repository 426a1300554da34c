"""Charts that somebody touched: reading, zooming and saving change what is shown, on all charts at once."""

import re
from collections.abc import Iterator

import pytest
from opened import Awake, Open, Opened

pytestmark = pytest.mark.slow

AXES = "() => [...document.querySelectorAll('.chart[role=application] svg')].map(e => e.textContent)"
CROSSES = """() => [...document.querySelectorAll('.cross')].filter(e => e.checkVisibility())
  .map(e => Math.round(e.getBoundingClientRect().left - e.parentElement.getBoundingClientRect().left))"""


@pytest.fixture
def report(awake: Awake) -> Iterator[Opened]:
    """The demo with all its charts alive."""
    opened = awake("demo")
    yield opened
    opened.page.get_by_label("Colors").select_option("auto")


def point_at(report: Opened, share: float, chart: int = 0) -> None:
    """Moves the pointer to a share of a chart's width."""
    one = report.page.locator(".chart[role=application]").nth(chart)
    one.scroll_into_view_if_needed()
    report.calm()
    box = one.locator("svg").bounding_box()
    assert box is not None
    report.page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    report.calm()


def readings(report: Opened) -> list[str]:
    """What stands under the charts over time."""
    return report.page.locator(".chart[role=application] + .chart-tools .reading").all_inner_texts()


def test_a_pointer_on_one_chart_reads_all_of_them(report: Opened) -> None:
    before = readings(report)
    assert len(before) > 3
    point_at(report, 0.4)
    first = readings(report)
    times = {re.match(r"\d\d:\d\d:\d\d UTC", text)[0] for text in first}
    assert len(times) == 1, "one capture, one time"
    assert all(re.search(r"\d|no value", text.split("UTC")[1]) for text in first)
    over_time = report.page.locator("section:not(#baseline) .chart.live:not(.scatter)").count()
    assert len(report.js(CROSSES)) == over_time > len(first), "colored rows too"
    point_at(report, 0.8)
    assert all(one != other for one, other in zip(first, readings(report), strict=True))
    report.page.mouse.move(0, 0)
    report.calm()
    assert readings(report) == before
    assert report.js(CROSSES) == []


SPEC = """async (section) => JSON.parse(await esxprobe.unpacked('charts'))[
  document.querySelector(`${section} .chart[role=application] svg`).dataset.chart]"""


def test_what_is_read_is_what_was_measured(report: Opened) -> None:
    """The values told for a time are those of that sample in the chart's own data."""
    point_at(report, 0.5)
    told = report.page.locator("#faults .chart[role=application] + .chart-tools .reading").first.inner_text()
    measured = {
        panel["layer"][-1]["encoding"]["y"]["title"].split(" [")[0]: {
            row["t"] // 1000 % 86400: row["v"] for row in panel["layer"][-1]["data"]["values"]
        }
        for panel in report.js(SPEC, "#faults")["vconcat"]
    }
    hours, minutes, seconds = map(int, told[:8].split(":"))
    assert set(measured) == {"soft faults/s", "vCPU time"}
    for name, values in measured.items():
        value = float(told.split(name)[1].split()[0].replace(",", ""))
        assert value == pytest.approx(values[hours * 3600 + minutes * 60 + seconds], rel=5e-4)


def test_a_reading_has_the_capture_s_own_time_beside_utc(open_report: Open) -> None:
    report = open_report("zoned")
    report.page.locator(".chart[role=application]").first.hover()
    report.page.wait_for_selector(".chart.live")
    point_at(report, 0.5)
    told = next(text for text in readings(report) if "UTC" in text)
    found = re.match(r"(\d\d)(:\d\d:\d\d) UTC = (\d\d)(:\d\d:\d\d) Europe/Berlin ", told)
    assert found, told
    assert (int(found[3]) - int(found[1])) % 24 in (1, 2)
    assert found[2] == found[4]
    assert report.complaints() == []


def test_dragging_zooms_every_chart_and_the_button_shows_all_again(report: Opened) -> None:
    whole = report.js(AXES)
    point_at(report, 0.3)
    report.page.mouse.down()
    point_at(report, 0.6)
    assert report.page.locator(".brush:visible").count() == 1
    report.page.mouse.up()
    report.page.wait_for_selector(".zoombar:visible")
    report.calm()
    zoomed = report.js(AXES)
    assert all(one != other for one, other in zip(whole, zoomed, strict=True)), "a chart kept its times"
    assert report.page.locator(".brush:visible").count() == 0
    report.page.get_by_role("button", name="Whole capture").click()
    report.page.wait_for_selector(".zoombar", state="hidden")
    report.calm()
    assert report.js(AXES) == whole


def test_a_chart_that_wakes_later_has_the_window_already(open_report: Open) -> None:
    report = open_report("demo")
    report.page.locator(".chart").first.hover()
    report.page.wait_for_selector(".chart.live")
    point_at(report, 0.3)
    report.page.mouse.down()
    point_at(report, 0.5)
    report.page.mouse.up()
    report.page.wait_for_selector(".zoombar:visible")
    report.wake()
    report.calm()
    shown = report.page.locator(".zoombar span").inner_text()[:5]
    later = report.page.locator(".chart[role=application]").last.locator("svg").text_content() or ""
    assert re.search(rf"{shown[:4]}\d:\d\d", later), f"no seconds on its axis: {later}"


def test_keys_read_and_zoom_too(report: Opened) -> None:
    chart = report.page.locator(".chart[role=application]").first
    chart.focus()
    report.page.keyboard.press("Home")
    report.calm()
    first = readings(report)
    report.page.keyboard.press("Shift+ArrowRight")
    report.calm()
    second = readings(report)
    assert first[0] != second[0]
    assert report.page.locator(".chart-tools .reading").first.get_attribute("aria-live") == "polite"
    whole = report.js(AXES)
    report.page.keyboard.press("+")
    report.page.wait_for_selector(".zoombar:visible")
    report.calm()
    assert report.js(AXES) != whole
    report.page.keyboard.press("0")
    report.page.wait_for_selector(".zoombar", state="hidden")
    report.calm()
    assert report.js(AXES) == whole


def test_on_a_phone_a_chart_scrolls_to_the_time_that_keys_lead_to(open_report: Open) -> None:
    report = open_report("hostile", viewport={"width": 360, "height": 800})
    report.js("() => { document.querySelector('.finding:has(.chart) details').open = true; }")
    chart = report.page.locator(
        ".finding .chart[role=application]"
    ).first  # of the page's whole width, unlike the first
    chart.press("End")
    report.page.wait_for_function("() => document.querySelector('.finding .chart').scrollLeft > 50")
    report.calm()
    end = report.js("() => document.querySelector('.finding .chart').scrollLeft")
    chart.press("Home")
    report.page.wait_for_function(
        "(end) => document.querySelector('.finding .chart').scrollLeft < end - 50", arg=end
    )


def test_a_colored_row_tells_what_lies_under_the_pointer_and_takes_part_in_the_common_time(report: Opened) -> None:
    strip = report.page.locator("#glance .chart.live:not([role=application])").first
    strip.scroll_into_view_if_needed()
    report.calm()
    cell = strip.locator(".mark-rect path").nth(2).bounding_box()
    assert cell is not None
    report.page.mouse.move(cell["x"] + cell["width"] / 2, cell["y"] + cell["height"] / 2)
    report.calm()
    told = report.page.locator("#glance .chart:not([role=application]) + .chart-tools .reading").first.inner_text()
    told = re.sub(r"\s+", " ", told).strip()
    now = strip.locator(".mark-rect path").nth(2).bounding_box()
    assert now is not None
    assert now["y"] == pytest.approx(cell["y"], abs=1), "it slipped away under the pointer"
    found = re.fullmatch(r"(PCPU \d+) from: (\S+) UTC to: (\S+) UTC mean \[%\]: ([\d.]+)", told)
    assert found, told
    begin, end = found[2], found[3]
    assert begin < readings(report)[0][:8] < end, "the other charts tell the time under the pointer"
    first = "#glance .chart.live:not([role=application]) .mark-rect path"
    width = f"() => document.querySelector('{first}').getBBox().width"
    whole = report.js(width)
    report.page.mouse.down()
    report.page.mouse.move(cell["x"] + cell["width"], cell["y"] + 2)
    report.page.mouse.up()
    report.page.wait_for_selector(".zoombar:visible")
    report.calm()
    assert report.js(width) != whole
    report.page.get_by_role("button", name="Whole capture").click()
    report.page.wait_for_selector(".zoombar", state="hidden")


def test_a_dot_of_a_scatter_can_be_read(report: Opened) -> None:
    scatter = report.page.locator(".chart.scatter").first
    scatter.scroll_into_view_if_needed()
    scatter.locator(".mark-symbol path").nth(20).hover(force=True)
    report.calm()
    told = report.page.locator(".chart.scatter + .chart-tools .reading").first.inner_text()
    assert re.search(r"vCPU time, residual \[% of a vCPU\]: -?[\d.,]+", told), told


@pytest.mark.parametrize(("kind", "head"), [("PNG", b"\x89PNG\r\n"), ("SVG", b"<svg")])
def test_a_chart_is_saved_as_an_image_with_a_white_ground(report: Opened, kind: str, head: bytes) -> None:
    report.page.get_by_label("Colors").select_option("dark")
    with report.page.expect_download() as download:
        report.page.locator("#faults .chart-tools").first.get_by_role("button", name=f"Save {kind}").click()
    saved = download.value.path().read_bytes()
    assert saved.startswith(head)
    assert re.fullmatch(rf"[\w-]+-\d+\.{kind.lower()}", download.value.suggested_filename)
    if kind == "SVG":
        assert b"soft faults/s" in saved
        assert b'fill="#ffffff"' in saved
    assert report.complaints() == []
    ground = "() => [...document.querySelectorAll('.chart.live svg > rect')].map(e => e.getAttribute('fill'))"
    assert set(report.js(ground)) <= {None, "transparent"}, "the page's own chart stays as it was"


def test_hostile_names_are_text_under_the_charts(open_report: Open) -> None:
    report = open_report("hostile")
    report.wake()
    point_at(report, 0.5)
    labels = report.js("() => [...document.querySelectorAll('#findings .reading bdi')].map(e => e.textContent)")
    lines = next(layer for layer in report.js(SPEC, "#findings")["layer"] if layer["mark"]["type"] == "line")
    assert labels == lines["encoding"]["color"]["scale"]["domain"]
    assert len(labels) == 4
    assert any("<" in label for label in labels), "none of them would like to be more than text"
    assert report.js("() => document.querySelectorAll('.reading img, .reading script, .chart img').length") == 0
    assert report.complaints() == []
