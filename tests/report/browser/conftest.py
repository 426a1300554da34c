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
from hostsim import HostPlan, VmPlan, write_capture
from opened import REAL, Awake, Open, Opened, Reports, Tabs
from playwright.sync_api import Browser, BrowserContext, sync_playwright
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


# Two events within the time of the sample of a software MMU: of one of its devices, and of another path.
EVENTS = """\
2026-01-23T09:36:00.000Z: [scsiCorrelator] 4480061217us: [esx.problem.scsi.device.io.latency.high] Device \
naa.600a0b80001111550000f35b93e19ab4 performance has deteriorated. I/O latency increased from average value of \
1832 microseconds to 122319 microseconds.
2026-01-23T09:37:00.000Z: [scsiCorrelator] 4480061217us: [esx.problem.storage.path.state.dead] Path \
vmhba9:C0:T0:L0 changed state from on
"""


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory, hostile: Analysis, drawer: Drawer) -> Iterator[Reports]:
    """The real capture, the samples, a host of 300 VMs, 60 VMs of noise, and VMs with hostile names."""
    folder = tmp_path_factory.mktemp("reports")
    wide, noise, small = folder / "wide.csv", folder / "noise.csv", folder / "small.csv"
    write_twelve_of_many(wide)
    write_noise(noise)
    write_capture(
        small, HostPlan("small.example.com", pcpus=2, vms=(VmPlan("web01", 1_200_100, 2, 2048, ready_pct=14.0),))
    )
    samples = ROOT / "samples"
    log = folder / "vobd.log"
    log.write_text(EVENTS, encoding="utf-8")
    sources = {
        "demo": ["compare", samples / "hardware-mmu", samples / "software-mmu"],
        "lone": ["report", samples / "demo", "--all-counters", "--embed", "all"],
        "software": ["report", samples / "software-mmu"],  # what `make demo` ends in
        "logged": ["report", samples / "software-mmu", "--log", log],
        "wide": ["report", wide],
        "noise": ["report", noise, "--embed", "0"],
        "zoned": ["report", small, "--timezone", "Europe/Berlin"],
    } | ({"real": ["report", REAL, "--all-counters", "--embed", "all"]} if REAL.exists() else {})
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


@pytest.fixture(scope="session")
def contexts(browser: Browser) -> Iterator[Callable[[bool], BrowserContext]]:
    """With scripts and without: to make one takes longer than to show a report, and reports keep nothing there."""
    made: dict[bool, BrowserContext] = {}

    def context(scripts: bool) -> BrowserContext:
        if scripts not in made:
            made[scripts] = browser.new_context(java_script_enabled=scripts)
            made[scripts].set_default_timeout(PATIENCE_MS)
            made[scripts].add_init_script(WATCH)
        return made[scripts]

    yield context
    for each in made.values():
        each.close()


@pytest.fixture(scope="session")
def idle(contexts: Callable[[bool], BrowserContext]) -> Tabs:
    """Tabs that nobody uses."""
    return Tabs(contexts)


def _open(idle: Tabs, report: Path, at: str = "", **options: Any) -> Opened:
    scripts = options.get("java_script_enabled", True)
    opened = Opened(idle.take(scripts))
    opened.listen()
    opened.page.set_viewport_size(options.get("viewport", {"width": 1200, "height": 900}))
    opened.page.emulate_media(media="null", color_scheme=options.get("color_scheme", "light"))
    opened.page.goto(report.as_uri() + at)
    if scripts:
        opened.page.wait_for_function(READY)
    return opened


@pytest.fixture
def open_report(idle: Tabs, reports: Reports, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens a report; what may stand after its name: viewport, color_scheme, java_script_enabled."""
    tabs: list[Opened] = []
    failed = request.session.testsfailed

    def opened(name: str, at: str = "", **options: Any) -> Opened:
        tabs.append(_open(idle, reports[name], at, **options))
        return tabs[-1]

    yield opened
    for tab in tabs:
        if request.session.testsfailed > failed:  # a key may be held down, a dialog may be open
            tab.page.close()
        else:
            tab.deafen()
            idle.give_back(tab.page)


@pytest.fixture(scope="session")
def tabs() -> dict[str, Opened]:
    """Reports with all their charts alive, by name."""
    return {}


@pytest.fixture(scope="session")
def awake(idle: Tabs, reports: Reports, tabs: dict[str, Opened]) -> Iterator[Awake]:
    """A report with all its charts alive, one tab for all tests that leave it as it is."""

    def opened(name: str) -> Opened:
        if name not in tabs:
            tabs[name] = _open(idle, reports[name])
            tabs[name].wake()
        tabs[name].page.bring_to_front()
        tabs[name].page.set_viewport_size({"width": 1200, "height": 900})
        tabs[name].page.mouse.move(0, 0)
        return tabs[name]

    yield opened
    for tab in tabs.values():
        tab.page.close()
    tabs.clear()


@pytest.fixture
def last_look(awake: Awake, tabs: dict[str, Opened]) -> Iterator[Awake]:
    """As `awake`, for a test that changes the page: who asks for it later gets another tab."""
    taken: list[str] = []

    def opened(name: str) -> Opened:
        report = awake(name)  # skips the test where the real capture is not there
        taken.append(name)
        return report

    yield opened
    for name in taken:
        tabs.pop(name).page.close()


@pytest.fixture(scope="session")
def vms(reports: Reports) -> Callable[[str], list[str]]:
    """Names of the VMs of a report, from the JSON that it carries."""

    def named(name: str) -> list[str]:
        text = reports[name].read_text(encoding="utf-8")
        return [vm["name"] for vm in json.loads(part_of(text, "analysis"))["vms"]]

    return named
