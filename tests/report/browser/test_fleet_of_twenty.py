"""Twenty hosts in a real Chromium, some with a planted cause: who comes first, lanes, sorting, filters, names."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from accessible import look_through
from opened import Open, Opened, Reports
from scenario import FOLDER, scenario_of
from shippedbook import analyze

from esxprobe.fleet.digest import digest_of
from esxprobe.fleet.merge import merged
from esxprobe.model.fleet import CaptureOutcome, Fleet
from esxprobe.report.fleet import render_fleet_html

pytestmark = pytest.mark.slow

# Scenarios with their planted cause: severity, what it is about, and the minute in which it begins.
PLANTED = {
    "cpu-contention": ("critical", "host", 1),
    "memory-limit": ("critical", "capped", 0),
    "cpu-limit": ("critical", "build01", 0),
    "snapshot": ("critical", "files", 2),
    "wide-costop": ("critical", "wide", 0),
    "slow-array": ("warning", "host", 2),
    "path-failing": ("warning", "vmhba1:C0:T1:L0", 2),
    "uplink-dead": ("warning", "vmnic1", 0),
    "queue-full": ("warning", "naa.", 1.5),
    "dropped-rx": ("warning", "proxy", 1),
    "noisy-neighbor": ("warning", "loader", 1),
}
HEALTHY = ("healthy-busy", "healthy-idle", "healthy-small", "healthy-threads")
LATER_MIN = 5  # every third host was captured so much later


@dataclass(frozen=True)
class Site:
    """The hosts by name, with the scenario of each and when its capture began."""

    fleet: Fleet
    story: dict[str, str]
    began: dict[str, datetime]


@pytest.fixture(scope="module")
def site(reports: Reports, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Twenty captures, judged here and put on one page."""
    folder = tmp_path_factory.mktemp("twenty")
    names = [*PLANTED, *(HEALTHY * 3)[: 20 - len(PLANTED)]]
    outcomes, story, began = [], {}, {}
    for number, name in enumerate(names):
        told = scenario_of(FOLDER / f"{name}.toml")
        host = f"esx-prod-rack{number // 4:02}-{number:02}.example.com"
        start = told.plan.start + timedelta(minutes=LATER_MIN * (number % 3 == 2))
        place = folder / f"{number:02}"
        place.mkdir()
        paths = replace(told, plan=replace(told.plan, host=host, start=start)).write(place)
        digest = digest_of(analyze(paths, manifest=told.manifest and replace(told.manifest, host=host)))
        outcomes.append(CaptureOutcome(f"captures/{host}", f"{host}-report.html", digest, None))
        assert digest.started is not None
        story[digest.host], began[digest.host] = name, digest.started
    fleet = merged(outcomes, "1.0")
    reports.files["twenty"] = folder / "fleet-report.html"
    reports.files["twenty"].write_text(render_fleet_html(fleet, "esxprobe report captures/"), encoding="utf-8")
    return Site(fleet, story, began)


def test_the_first_screen_says_how_many_hosts_and_which_first(open_report: Open, site: Site) -> None:
    report = open_report("twenty", viewport={"width": 1440, "height": 900})
    critical = [name for name, (severity, _, _) in PLANTED.items() if severity == "critical"]
    sentence = report.page.locator(".verdict p", has_text="had a critical cause")
    found = re.fullmatch(
        r"(\d+) of 20 hosts had a critical cause: start with (\S+) \(.*\)\.", sentence.inner_text()
    )
    assert found, sentence.inner_text()
    assert int(found[1]) == len(critical)
    assert site.story[found[2]] in critical
    box = sentence.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] < 200
    lanes = report.page.locator("#timeline table").bounding_box()
    assert lanes is not None
    assert lanes["y"] + lanes["height"] <= 900, "the lanes are on the first screen"


LANES = """() => [...document.querySelectorAll('.lanes tbody')].map(lane => {
  const row = lane.rows[0], svg = row.querySelector('svg').getBoundingClientRect();
  const bars = [...row.querySelectorAll('svg rect:not(.seen)')].map(e => e.getBoundingClientRect());
  return {host: row.cells[0].querySelector('bdi').textContent, severity: row.querySelector('.badge').textContent,
          cause: row.cells[1].innerText, kind: row.querySelector('svg rect:not(.seen)').getAttribute('class'),
          left: Math.min(...bars.map(b => (b.left - svg.left) / svg.width)),
          right: Math.max(...bars.map(b => (b.right - svg.left) / svg.width))};
})"""


@pytest.mark.parametrize("scripts", [True, False])
def test_lanes_are_those_of_the_planted_causes_and_stand_where_they_were(
    open_report: Open, site: Site, *, scripts: bool
) -> None:
    report = open_report("twenty", viewport={"width": 1440, "height": 900}, java_script_enabled=scripts)
    lanes = {lane["host"]: lane for lane in report.js(LANES)}
    assert {site.story[host] for host in lanes} == PLANTED.keys()
    first = min(site.began.values())
    axis_s = max(site.began[host] for host in lanes) - first + timedelta(seconds=590)
    for host, lane in lanes.items():
        severity, on, minute = PLANTED[site.story[host]]
        assert (lane["severity"], lane["kind"]) == (severity, severity), host
        assert on == "host" or on in lane["cause"], lane["cause"]
        planted_s = (site.began[host] - first).total_seconds() + 60 * minute
        assert lane["left"] * axis_s.total_seconds() == pytest.approx(planted_s, abs=45), site.story[host]
        ended_s = (site.began[host] - first).total_seconds() + 590
        assert lane["right"] * axis_s.total_seconds() == pytest.approx(ended_s, abs=45), site.story[host]
    quiet = report.page.get_by_text("No likely cause worse than info on 9 hosts")
    for host, name in site.story.items():
        assert (host in quiet.inner_text()) == (name in HEALTHY)


COLUMN = """([table, column]) => [...document.querySelectorAll(`${table} tbody tr`)].filter(row => !row.hidden)
  .map(row => row.cells[column].innerText.trim())"""
HOSTS = "#captures table"


@pytest.mark.parametrize("by_key", [False, True], ids=["pointer", "keys"])
def test_hosts_are_sorted_by_any_column(open_report: Open, site: Site, *, by_key: bool) -> None:
    report = open_report("twenty")
    heads = report.page.locator(f"{HOSTS} thead th")
    for column in range(heads.count()):
        before = report.js(COLUMN, [HOSTS, 0])
        button = heads.nth(column).get_by_role("button")
        directions = []
        for _ in range(3):
            if by_key:
                button.press("Enter")
            else:
                button.click()
            directions.append(heads.nth(column).get_attribute("aria-sort"))
            assert report.page.locator(f"{HOSTS} [aria-sort]").count() == (directions[-1] is not None)
        assert set(directions) == {"ascending", "descending", None}
        assert report.js(COLUMN, [HOSTS, 0]) == before, "the third time as it was"
    severity = heads.filter(has_text="Worst")
    severity.get_by_role("button").click()
    order = [["critical", "warning", "info", "none"].index(each) for each in report.js(COLUMN, [HOSTS, 3])]
    assert order == sorted(order)
    assert order[0] == 0


def test_hosts_are_filtered_by_words_and_by_severity(open_report: Open, site: Site) -> None:
    report = open_report("twenty")
    every = report.js(COLUMN, [HOSTS, 0])
    assert len(every) == 20
    severity = report.page.get_by_role("combobox", name="Severity Table: Captures", exact=True)
    severity.select_option("critical")
    critical = report.js(COLUMN, [HOSTS, 0])
    assert {site.story[host] for host in critical} == {
        n for n, (level, _, _) in PLANTED.items() if level == "critical"
    }
    assert report.page.get_by_text(f"{len(critical)} of 20 rows").is_visible()
    report.page.get_by_role("searchbox", name="Filter Table: Captures", exact=True).fill("rack00")
    both = report.js(COLUMN, [HOSTS, 0])
    assert both == [host for host in critical if "rack00" in host]
    assert 0 < len(both) < len(critical)
    severity.select_option("all")
    assert report.js(COLUMN, [HOSTS, 0]) == [host for host in every if "rack00" in host]
    assert report.complaints() == []


# Where a name goes on in another line, with what stands before it.
BROKEN = """() => [...document.querySelectorAll('bdi')].flatMap(e => {
  const found = [];
  for (const node of [...e.childNodes].filter(n => n.nodeType === 3)) {
    const range = document.createRange();
    let line = null;
    for (let n = 0; n < node.length; n++) {
      range.setStart(node, n);
      range.setEnd(node, n + 1);
      const box = range.getBoundingClientRect();
      if (!box.height) continue;
      if (line !== null && box.top > line + 2) found.push(node.data.slice(0, n));
      line = box.top;
    }
  }
  return found;
})"""


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_it_never_scrolls_sideways_and_never_cuts_a_name(open_report: Open, site: Site, width: int) -> None:
    report = open_report("twenty", viewport={"width": width, "height": 844})
    widths = report.js("() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths == [width, width]
    assert [each for each in report.js(BROKEN) if not re.search(r"[-.:/ ]$", each)] == []


def test_on_paper_no_host_is_cut_and_every_table_fits(open_report: Open, site: Site) -> None:
    report = open_report("twenty", viewport={"width": round(186 / 25.4 * 96), "height": 900})
    report.page.emulate_media(media="print")
    broken = [each for each in report.js(BROKEN) if not re.search(r"[-.:/ ]$", each)]
    assert [each for each in broken if each.startswith("esx-prod")] == []
    rights = "() => [...document.querySelectorAll('table')].map(e => e.getBoundingClientRect().right)"
    assert max(report.js(rights)) <= round(186 / 25.4 * 96) + 1


def test_it_is_quiet_fetches_nothing_and_axe_finds_nothing(open_report: Open, site: Site) -> None:
    report = open_report("twenty")
    assert report.complaints() == []
    assert report.requests == [report.page.url]
    look_through(report)


def test_without_scripts_nothing_is_missing(open_report: Open, site: Site) -> None:
    def text(report: Opened) -> str:
        return report.page.locator("#timeline").inner_text()

    bare, full = open_report("twenty", java_script_enabled=False), open_report("twenty")
    assert text(bare) == text(full)
    assert bare.page.locator("button, input, select").count() == 0
    assert bare.page.locator("#captures tbody tr:visible").count() == 20
