"""Opening a report: it is quiet, fetches nothing, is small, can be read by everybody, and needs no script."""

from collections.abc import Callable

import pytest
from accessible import contrast_finds_nothing, look_through
from axe_playwright_python.sync_playwright import Axe
from opened import NAMES, Awake, Open, Reports

pytestmark = pytest.mark.slow

every = pytest.mark.parametrize("name", NAMES)


@every
def test_a_report_is_quiet_asleep_and_alive(awake: Awake, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No message, no request, nothing that the policy had to stop; not even when all charts have come to life."""
    report = awake(name)
    timing = report.js("() => performance.getEntriesByType('navigation')[0].toJSON()")
    assert report.complaints() == []
    assert report.requests == [report.page.url], "it fetched something"
    with capsys.disabled():
        print(f" [{name}: load event after {timing['loadEventEnd']:.0f} ms]", end="")


@pytest.mark.parametrize(("name", "most_mb"), [("demo", 2.2), ("real", 2), ("wide", 5)])
def test_a_report_fits_a_mail(reports: Reports, name: str, most_mb: float) -> None:
    assert reports[name].stat().st_size < most_mb * 1e6


def test_vega_is_not_run_before_somebody_touches_a_chart(open_report: Open) -> None:
    report = open_report("wide")
    report.page.mouse.wheel(0, 2000)
    assert not report.js("() => 'vegaEmbed' in window")
    report.page.locator(".chart").first.hover()
    report.page.wait_for_selector(".chart.live")
    assert report.js("() => 'vegaEmbed' in window")


def test_axe_would_find_something(open_report: Open) -> None:
    """The judge is awake: pale grey on white and a nameless button do not pass."""
    report = open_report("hostile")
    report.js("() => { document.querySelector('h1').style.color = '#ccc' }")
    report.js("() => { document.querySelector('.panel-tools .copy').textContent = '' }")
    found = Axe().run(report.page, options={"runOnly": ["color-contrast", "button-name"]})
    assert {each["id"] for each in found.response["violations"]} == {"color-contrast", "button-name"}


@pytest.mark.parametrize("spoiled", ["h1", "main p", "#vms tbody th bdi"])
def test_one_pale_text_among_many_of_its_kind_is_found(open_report: Open, spoiled: str) -> None:
    report = open_report("hostile")
    report.js("() => document.querySelectorAll('details').forEach(e => { e.open = true; })")
    report.js("(one) => { [...document.querySelectorAll(one)].pop().style.color = '#ccc' }", spoiled)
    with pytest.raises(AssertionError, match="color-contrast"):
        contrast_finds_nothing(report)


@every
def test_without_scripts_every_chart_and_table_is_there(open_report: Open, awake: Awake, name: str) -> None:
    seen = """() => ({
      charts: [...document.querySelectorAll('.chart svg')]
        .filter(e => e.getBoundingClientRect().height > 50).length,
      drawn: document.querySelectorAll('.chart svg').length,
      hidden: [...document.querySelectorAll('table, tr')].filter(
        e => !e.checkVisibility() && !e.closest('details:not([open])')).length,
      rows: document.querySelectorAll('tr').length,
      buttons: document.querySelectorAll('button, input, select').length,
      words: document.querySelector('main').innerText.length,
    })"""
    bare = open_report(name, java_script_enabled=False).js(seen)
    full = awake(name).js(seen)
    assert bare["charts"] == bare["drawn"] == full["drawn"]
    assert bare["charts"] > 0
    assert bare["hidden"] == 0
    assert bare["rows"] == full["rows"] > 0
    assert bare["buttons"] == 0, "a button that does nothing"
    assert bare["words"] > 1000


def test_the_policy_is_in_force(open_report: Open, reports: Reports) -> None:
    """The same page with what somebody might smuggle in: none of it works, and the browser says so."""
    smuggled = (
        '<p style="color:red">a</p><script>document.title="caught"</script><script id="vega" type="text/plain">'
        '</script><img src="http://127.0.0.1:9/x"><p onclick="document.title=\'caught\'">b</p>'
    )
    bad = reports["demo"].with_name("bad.html")
    bad.write_text(
        reports["demo"].read_text(encoding="utf-8").replace("<main>", f"<main>{smuggled}"), encoding="utf-8"
    )
    reports.files["bad"] = bad
    report = open_report("bad")
    assert report.page.title() != "caught"
    stopped = " ".join(report.complaints())
    for directive in ("style-src", "script-src", "script-src-attr", "img-src"):
        assert directive in stopped, f"{directive} let it through: {stopped}"
    evaluated = """() => new Promise(done => setTimeout(() => {
      try { eval('1'); done('evaluated') } catch { done('refused') }
    }))"""
    assert report.js(evaluated) == "refused"


WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@every
def test_nothing_scrolls_sideways(awake: Awake, name: str) -> None:
    """In a phone's width and a desk's, with charts alive and zoomed: wide things scroll in their own frame."""
    report = awake(name)
    chart = report.page.locator(".chart[role=application]").first
    chart.focus()
    for key in ("ArrowRight", "End", "ArrowLeft", "+"):
        chart.press(key)
    report.page.wait_for_selector(".zoombar:visible")
    for width in (360, 1200):
        report.page.set_viewport_size({"width": width, "height": 800})
        assert report.js(WIDTHS) == [width, width]
    chart.press("Escape")


@every
def test_nothing_scrolls_sideways_on_a_phone_without_scripts(open_report: Open, name: str) -> None:
    report = open_report(name, viewport={"width": 360, "height": 800}, java_script_enabled=False)
    assert report.js(WIDTHS) == [360, 360]


COLORS = """() => {
  const color = (e, name) => getComputedStyle(e)[name];
  return [color(document.body, 'backgroundColor'), color(document.querySelector('.chart svg text'), 'fill')];
}"""
LIGHT, DARK = ["rgb(255, 255, 255)", "rgb(27, 31, 36)"], ["rgb(20, 24, 29)", "rgb(230, 233, 237)"]


def test_colors_follow_the_system_the_switch_and_paper(open_report: Open) -> None:
    """Background and the text of a chart, drawn and alive."""
    report = open_report("hostile")
    switch = report.page.get_by_label("Colors")
    for _ in range(2):
        for scheme, own in (("light", LIGHT), ("dark", DARK)):
            report.page.emulate_media(color_scheme=scheme)
            assert report.js(COLORS) == own
            for choice, colors in (("dark", DARK), ("light", LIGHT)):
                switch.select_option(choice)
                assert report.js(COLORS) == colors
                report.page.emulate_media(media="print")
                assert report.js(COLORS)[1] == LIGHT[1], "pale ink on paper"
                report.page.emulate_media(media="screen")
            switch.select_option("auto")
        report.wake()


def test_every_vm_of_a_wide_host_is_on_the_page(open_report: Open, vms: Callable[[str], list[str]]) -> None:
    named = open_report("wide").js(
        "() => [...document.querySelectorAll('#vms tbody th bdi')].map(e => e.textContent)"
    )
    assert len(vms("wide")) >= 300
    assert sorted(named) == sorted(vms("wide"))


@every
def test_axe_finds_nothing_in_light_and_dark(last_look: Awake, name: str) -> None:
    report = last_look(name)
    # One row is like another, a page of a VM is like the next one, and drawings are hidden from readers.
    alike = "tbody tr:nth-child(n+4), svg *, .things > .thing:nth-of-type(n+4)"
    report.js("(alike) => document.querySelectorAll(alike).forEach(e => e.remove())", alike)
    report.js("() => document.querySelectorAll('.thing, .things').forEach(e => { e.open = true; })")
    look_through(report)
