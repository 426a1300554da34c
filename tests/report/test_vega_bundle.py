"""What brings charts to life: the specs in the page and the Vega bundle; a report is whole without them."""

import hashlib
import json
import subprocess
import sys
import types
from importlib.metadata import version
from pathlib import Path

import pytest
from hostile_names import HOSTILE
from shippedbook import render_html

from esxprobe.model import Analysis
from esxprobe.report import drawing
from esxprobe.report.charts import is_constant
from esxprobe.report.drawing import Drawer
from esxprobe.report.glance import glance_specs
from esxprobe.report.html import templates
from esxprobe.report.packed import part_of
from esxprobe.report.vega_bundle import PINNED, chart_specs, numbered, vega_bundle

ROOT = Path(__file__).parents[2]


class Bundler:
    """A drawer of bundles that counts how often it was asked."""

    def __init__(self, text: str) -> None:
        self.text, self.asked = text, 0

    def bundle(self) -> str:
        self.asked += 1
        return self.text


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache of a user; the file that belongs into it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    release, total = version("vl-convert-python"), hashlib.sha256(b"vega").hexdigest()
    monkeypatch.setitem(PINNED, release, total)
    return tmp_path / "esxprobe" / f"vega-{release}-{total}.js"


# --- the bundle -----------------------------------------------------------------------------------


def test_the_bundle_of_this_release_can_stand_in_a_page_and_is_always_the_same(drawer: Drawer) -> None:
    program = "import sys; from esxprobe.report.drawing import make_bundle; sys.stdout.write(make_bundle())"
    other = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)
    bundle = drawer.bundle()
    assert other.stdout.decode() == bundle
    assert "vegaEmbed" in bundle
    assert not [word for word in ("</script", "<script", "<!--", "\r", "\0") if word in bundle.lower()]


def test_it_is_made_once_for_a_user(cache: Path) -> None:
    bundler = Bundler("vega")
    assert [vega_bundle(bundler, templates()) for _ in range(3)] == ["vega"] * 3
    assert bundler.asked == 1
    assert cache.read_text(encoding="utf-8") == "vega"
    assert list(cache.parent.iterdir()) == [cache], "half-written files are left"


def test_the_wheels_own_bundle_comes_first(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "vega.js").write_text("from the wheel", encoding="utf-8")
    bundler = Bundler("made")
    assert vega_bundle(bundler, tmp_path) == "from the wheel"
    assert bundler.asked == 0
    assert not cache.exists()


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe\x00"], ids=["empty", "not text"])
def test_a_damaged_cache_is_made_anew(cache: Path, damage: bytes) -> None:
    cache.parent.mkdir()
    cache.write_bytes(damage)
    assert vega_bundle(Bundler("vega"), templates()) == "vega"
    assert cache.read_text(encoding="utf-8") == "vega"


@pytest.mark.parametrize("pinned", [True, False])
def test_a_cached_text_that_is_another_one_reaches_no_page(
    cache: Path, pinned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a release that is not pinned a changed text must at least be called by its own sum."""
    release, evil = version("vl-convert-python"), b"alert(1)"
    cache.parent.mkdir()
    cache.write_bytes(evil)
    (cache.parent / f"vega-{release}.js").write_bytes(evil)
    if pinned:
        (cache.parent / f"vega-{release}-{hashlib.sha256(evil).hexdigest()}.js").write_bytes(evil)
    else:
        monkeypatch.delitem(PINNED, release)
    assert vega_bundle(Bundler("vega"), templates()) == "vega"


def test_the_pinned_sum_is_that_of_the_bundle_of_this_release(drawer: Drawer) -> None:
    wanted = PINNED.get(version("vl-convert-python"))
    if wanted is None:
        pytest.skip("the sum of this release's bundle is not known")
    assert hashlib.sha256(drawer.bundle().encode()).hexdigest() == wanted


def test_a_cache_that_cannot_be_written_stops_nothing(cache: Path) -> None:
    cache.parent.write_text("a file where a folder should be", encoding="utf-8")
    assert vega_bundle(Bundler("vega"), templates()) == "vega"


@pytest.mark.parametrize("text", ["a</SCRIPT >", "<!-- <script", "a\r\nb", "a\0"])
def test_a_bundle_that_would_break_out_of_its_element_is_not_used(cache: Path, text: str) -> None:
    assert vega_bundle(Bundler(text), templates()) == ""
    assert not cache.exists()


def test_an_old_vl_convert_makes_none(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", types.ModuleType("vl_convert"))
    assert drawing._answer("bundle") == {"error": "module 'vl_convert' has no attribute 'javascript_bundle'"}
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Drawer() as childless:
        assert vega_bundle(childless, templates()) == ""


def test_a_dead_child_makes_none() -> None:
    with Drawer() as drawer:
        assert drawer._child is not None
        drawer._child.kill()
        drawer._child.wait()
        assert drawer.bundle() == ""


def test_without_a_bundle_the_report_is_what_it_was(
    demo: Analysis, drawer: Drawer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every chart is drawn; only what would bring it to life is missing, and the page does not speak of it."""
    monkeypatch.setattr(drawer, "bundle", lambda: "")
    page = render_html(demo, drawer)
    assert page.count("<svg data-chart=") == sum(not is_constant(each) for each in demo.charts.values()) + len(
        glance_specs(demo)
    )
    assert 'id="vega"' not in page
    assert 'id="charts"' not in page
    assert "Interactive Data Lab" not in page
    assert page.count("<script") == 2, "the analysis and report.js"


def test_the_notices_of_what_is_inlined_go_with_it(demo: Analysis, drawer: Drawer) -> None:
    """Their licenses ask for it: copyright, conditions and disclaimer in every copy."""
    page = render_html(demo, drawer)
    notice = page.split('id="notices">')[1].split("</script>")[0]
    assert "vegaEmbed" in part_of(page, "vega")
    holders = ("Interactive Data Lab", "Mike Bostock", "Robert Penner", "Observable", "Mapbox", "Joachim Wester")
    assert [holder for holder in holders if holder not in notice] == []
    for conditions in ("BSD 3-Clause:", "ISC:", "MIT:", "Apache License, Version 2.0"):
        assert conditions in notice
    assert notice.count("PROVIDED") == 3, "a disclaimer for each"


# --- the specs ------------------------------------------------------------------------------------


def test_every_drawing_leads_to_its_spec() -> None:
    specs = {key: {"$schema": "x", "title": key} for key in ("a", *HOSTILE.values(), "z")}
    drawings = {key: "" if key == "a" else f"<svg viewBox><text>{n}" for n, key in enumerate(specs)}
    places = numbered(drawings)
    listed = json.loads(chart_specs(specs, drawings))
    assert places["a"] == ""
    for key in list(specs)[1:]:
        place = int(places[key].split('data-chart="')[1].split('"')[0])
        assert listed[place] == {"title": key}, "another chart would come to life"
