"""The report in a real browser: the policy is obeyed, charts are there, nothing scrolls sideways."""

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from esxprobe.model import Analysis
from esxprobe.report.drawing import Drawer
from esxprobe.report.glance import glance_specs
from esxprobe.report.html import render_html

pytestmark = pytest.mark.slow

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000"),
)

Browse = Callable[[Path], tuple[str, list[str]]]


@pytest.fixture(scope="module")
def browse(tmp_path_factory: pytest.TempPathFactory) -> Browse:
    """Opens a file in headless Chromium; gives the DOM as text and the lines of its console."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("chromium is not installed: `make test` as root installs it, or `apt-get install chromium`")

    def opened(page: Path) -> tuple[str, list[str]]:
        profile = tmp_path_factory.mktemp("profile")
        command = [chromium, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return opened


@pytest.fixture(scope="module")
def demo_page(demo: Analysis, drawer: Drawer) -> str:
    return render_html(demo, drawer)


def test_the_page_is_quiet_and_its_charts_are_there(
    browse: Browse, demo: Analysis, demo_page: str, tmp_path: Path
) -> None:
    (tmp_path / "demo.html").write_text(demo_page, encoding="utf-8")
    dom, console = browse(tmp_path / "demo.html")
    assert console == [], "the browser complains"
    assert len(re.findall(r"<svg\b", dom)) == len(demo.charts) + len(glance_specs(demo))
    assert "cpu-ready" in dom


def test_the_policy_is_in_force(browse: Browse, demo_page: str, tmp_path: Path) -> None:
    """The same page with what somebody might smuggle in: none of it works, and the console says so."""
    smuggled = '<p style="color:red">a</p><script>document.title="caught"</script><img src="http://127.0.0.1:9/x">'
    (tmp_path / "bad.html").write_text(demo_page.replace("<main>", f"<main>{smuggled}"), encoding="utf-8")
    dom, console = browse(tmp_path / "bad.html")
    assert "<title>caught" not in dom
    said = " ".join(console)
    for directive in ("style-src", "script-src", "img-src"):
        assert directive in said, f"{directive} let it through: {console}"


@pytest.mark.parametrize("which", ["demo", "hostile"])
def test_nothing_scrolls_sideways(
    browse: Browse, which: str, request: pytest.FixtureRequest, drawer: Drawer, tmp_path: Path
) -> None:
    """In a phone's width and a desk's: wide tables scroll inside their own frame."""
    page = html.escape(render_html(request.getfixturevalue(which), drawer))
    frames = "".join(f'<iframe width="{width}" height="900" srcdoc="{page}"></iframe>' for width in (380, 1200))
    measure = (
        "<script>onload = () => { document.title = [...document.querySelectorAll('iframe')].map(f => {"
        "const e = f.contentDocument.documentElement; return e.scrollWidth + '/' + e.clientWidth }).join(' ') }"
        "</script>"
    )
    (tmp_path / "frames.html").write_text(
        f"<!doctype html><title>not measured</title>{measure}{frames}", encoding="utf-8"
    )
    dom, _ = browse(tmp_path / "frames.html")
    title = re.search(r"<title>(.*?)</title>", dom)
    assert title is not None
    widths = re.findall(r"(\d+)/(\d+)", title[1])
    assert len(widths) == 2, f"the page could not be measured: {title[1]}"
    for content, room in widths:
        assert int(content) <= int(room), f"{content} px of content in {room} px"
        assert int(room) > 300
