"""Windows that stand out, on the page: what is said of them, and the bands on the timeline of the first screen."""

from dataclasses import replace
from pathlib import Path

import pytest
from shippedbook import analyze, render_html

from esxprobe.model import Analysis
from esxprobe.report.changes import window_rows
from esxprobe.report.drawing import Drawer
from esxprobe.report.glance import glance_specs
from esxprobe.report.links import Links

SOFTWARE = Path(__file__).parents[2] / "samples" / "software-mmu"


@pytest.fixture(scope="module")
def software() -> Analysis:
    return analyze(sorted(SOFTWARE.glob("*.csv.gz")))


def test_rows_name_what_changed_and_lead_to_its_page(software: Analysis) -> None:
    first, second = window_rows(software, Links.of(software))
    assert first.when == "09:33:55–09:38:55 (5 min) UTC"
    (anchor,) = {anchor for name, anchor, _ in first.changed if name == "sql-legacy"}
    assert anchor.startswith("vm-")
    assert "cpu-ready" in first.rules
    assert not second.more
    many = replace(software.windows[0], changed=software.windows[0].changed * 4, findings=())
    (row,) = window_rows(replace(software, windows=(many,)), Links.of(software))
    assert len(row.changed) == 6
    assert row.more == "and 2 more things, in the JSON"
    assert row.rules == ()


def test_the_timeline_has_a_band_for_each_window(software: Analysis) -> None:
    def bands(analysis: Analysis) -> list[int]:
        panels = glance_specs(analysis)["glance:timeline"]["vconcat"]
        return [
            len(panel["layer"][0]["data"]["values"])
            for panel in panels
            if panel["layer"][0]["mark"].get("color") == "rgb(127,127,127)"
        ]

    shown = bands(software)
    assert shown
    assert set(shown) == {2}
    assert not bands(replace(software, windows=()))


def test_the_page_has_the_section_where_something_stands_out(software: Analysis, drawer: Drawer) -> None:
    page = render_html(software, drawer)
    assert '<section id="windows"' in page
    assert '<a href="#windows">' in page
    assert "09:39:55–09:41:55 (2 min) UTC" in page
    quiet = render_html(replace(software, windows=()), drawer)
    assert 'id="windows"' not in quiet
    assert "#windows" not in quiet
