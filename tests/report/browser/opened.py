"""What the tests hold in their hands: reports being written, and one that is open in a tab."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

REAL = Path(__file__).parents[4] / "shared" / "data" / "esxtop" / "esxi6-all-fields.csv"
NAMES = ("real", "demo", "wide", "hostile")


# Two frames are what a reading takes; a chart that is drawn anew changes its text or its size.
_CALM = """async () => {
  const frame = () => new Promise((done) => { requestAnimationFrame(() => { setTimeout(done, 50); }); });
  const look = () => [...document.querySelectorAll('.chart svg, .reading, .cross, .brush')]
    .map((e) => `${e.textContent} ${Object.values(e.getBoundingClientRect().toJSON())}`).join();
  for (let same = 0, before = ''; same < 3; await frame()) {
    const now = look();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}"""


@dataclass
class Reports:
    """HTML files by name, written at once by processes of their own."""

    files: dict[str, Path]
    started: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Path:
        if name == "real" and name not in self.files:
            pytest.skip(f"the real capture is not there: {REAL}")
        if name in self.started:
            _, errors = self.started.pop(name).communicate()
            assert self.files[name].exists(), errors
        return self.files[name]


class Tabs:
    """Tabs that are used again: a new one has a process of its own, which compiles a report's scripts once more.

    Args:
        contexts: Gives the context with scripts or without.
    """

    def __init__(self, contexts: Callable[[bool], BrowserContext]) -> None:
        self._contexts = contexts
        self._idle: dict[BrowserContext, list[Page]] = {}

    def take(self, scripts: bool) -> Page:
        """An empty tab."""
        context = self._contexts(scripts)
        if not self._idle.get(context):
            return context.new_page()
        page = self._idle[context].pop()
        page.bring_to_front()
        page.mouse.move(0, 0)
        return page

    def give_back(self, page: Page) -> None:
        """Leaves the page's document, and with it all that a test has changed in it."""
        page.goto("about:blank")
        self._idle.setdefault(page.context, []).append(page)


@dataclass
class Opened:
    """A report in a tab, and everything that the browser had to say about it."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _heard: dict[str, Callable[[Any], None]] = field(default_factory=dict, repr=False)

    def listen(self) -> None:
        """Notes from now on what the page says and asks for."""
        self._heard = {
            "console": lambda message: self.console.append(message.text),
            "pageerror": lambda error: self.console.append(str(error)),
            "request": lambda request: self.requests.append(request.url),
        }
        for event, note in self._heard.items():
            self.page.on(event, note)  # type: ignore[call-overload]

    def deafen(self) -> None:
        """Notes nothing any more."""
        for event, note in self._heard.items():
            self.page.remove_listener(event, note)

    def js(self, script: str, argument: Any = None) -> Any:
        """What a script in the page answers; the page's policy is not asked."""
        return self.page.evaluate(script, argument)

    def wake(self) -> None:
        """Touches a chart and looks at every other one, so that all of them are alive."""
        folded = "details:not(.thing, .things)"
        self.js("(folded) => document.querySelectorAll(folded).forEach((each) => { each.open = true; })", folded)
        charts = self.page.locator(".chart")
        charts.first.hover()
        for chart in charts.all():
            chart.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "() => document.querySelectorAll('.chart').length === document.querySelectorAll('.chart.live').length"
        )

    def calm(self) -> None:
        """Waits until charts and what is read from them stay as they are, however busy the machine is."""
        self.page.evaluate(_CALM)

    def complaints(self) -> list[str]:
        """Console, errors, and what the policy stopped."""
        return [*self.console, *self.js("() => window.stopped ?? []")]


Open = Callable[..., Opened]
Awake = Callable[[str], Opened]
