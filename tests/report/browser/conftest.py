"""Reports as a stranger opens them: written by the command, shown by a real Chromium, watched for complaints."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from drawn import ESXPROBE
from hosts_of_many import write_noise, write_twelve_of_many
from hostsim import plan_of_width, write_capture
from opened import REAL, Open, Opened, Reports
from playwright.sync_api import Browser, sync_playwright
from shippedbook import render_html

from esxprobe.model import Analysis
from esxprobe.report.drawing import Drawer
from esxprobe.report.packed import part_of

ROOT = Path(__file__).parents[3]
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_MS = 300_000  # for what will happen at some time, on a machine that has much else to do
# The charts' data are unpacked, so that all tools are there.
READY = "() => !document.getElementById('charts') || document.documentElement.dataset.charts === 'ready'"
# Tells what the policy stopped; it is there before the page's own scripts.
WATCH = """
  window.stopped = [];
  document.addEventListener("securitypolicyviolation",
    (e) => stopped.push(`${e.violatedDirective}: ${e.blockedURI}`));
"""


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory, hostile: Analysis, drawer: Drawer) -> Iterator[Reports]:
    """The real capture, the samples, hosts of 300 VMs, 60 VMs of noise, and VMs with hostile names."""
    folder = tmp_path_factory.mktemp("reports")
    wide = folder / "wide.csv"
    plan = plan_of_width(150_000, 40)
    assert len(plan.vms) >= 300
    write_capture(wide, plan)
    twelve, noise = folder / "twelve.csv", folder / "noise.csv"
    write_twelve_of_many(twelve)
    write_noise(noise)
    samples = ROOT / "samples"
    sources = {
        "demo": ["compare", samples / "hardware-mmu", samples / "software-mmu"],
        "lone": ["report", samples / "demo"],
        "software": ["report", samples / "software-mmu"],  # what `make demo` ends in
        "wide": ["report", wide],
        "twelve": ["report", twelve],
        "noise": ["report", noise],
        "zoned": ["report", samples / "demo", "--timezone", "Europe/Berlin"],
    } | ({"real": ["report", REAL]} if REAL.exists() else {})
    (folder / "hostile.html").write_text(render_html(hostile, drawer), encoding="utf-8")
    made = Reports({name: folder / f"{name}.html" for name in ("hostile", *sources)})
    for name, words in sources.items():
        command = [*ESXPROBE, *map(str, words), "-o", str(made.files[name])]
        made.started[name] = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
        )
    yield made
    for process in made.started.values():
        process.communicate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, one for all tests."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("chromium is not installed: `make test` as root installs it, or `apt-get install chromium`")
    with sync_playwright() as playwright:
        shown = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS), timeout=PATIENCE_MS)
        yield shown
        shown.close()


def _open(browser: Browser, report: Path, at: str, options: dict[str, Any]) -> Opened:
    context = browser.new_context(**({"viewport": {"width": 1200, "height": 900}} | options))
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(WATCH)
    opened = Opened(context.new_page())
    opened.page.on("console", lambda message: opened.console.append(message.text))
    opened.page.on("pageerror", lambda error: opened.console.append(str(error)))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto(report.as_uri() + at)
    if options.get("java_script_enabled", True):
        opened.page.wait_for_function(READY)
    return opened


@pytest.fixture
def open_report(browser: Browser, reports: Reports) -> Iterator[Open]:
    """Opens a report; words after its name are options of a browser context."""
    tabs: list[Opened] = []

    def opened(name: str, at: str = "", **options: Any) -> Opened:
        tabs.append(_open(browser, reports[name], at, options))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.page.context.close()


@pytest.fixture(scope="session")
def awake(browser: Browser, reports: Reports) -> Iterator[Callable[[str], Opened]]:
    """A report with all its charts alive, one tab for all tests that leave it as it is."""
    tabs: dict[str, Opened] = {}

    def opened(name: str) -> Opened:
        if name not in tabs:
            tabs[name] = _open(browser, reports[name], "", {})
            tabs[name].wake()
        tabs[name].page.set_viewport_size({"width": 1200, "height": 900})
        tabs[name].page.mouse.move(0, 0)
        return tabs[name]

    yield opened
    for tab in tabs.values():
        tab.page.context.close()


@pytest.fixture(scope="session")
def vms(reports: Reports) -> Callable[[str], list[str]]:
    """Names of the VMs of a report, from the JSON that it carries."""

    def named(name: str) -> list[str]:
        text = reports[name].read_text(encoding="utf-8")
        return [vm["name"] for vm in json.loads(part_of(text, "analysis"))["vms"]]

    return named
