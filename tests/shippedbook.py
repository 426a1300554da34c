"""The shipped book, handed in for the many tests that judge or show with nothing else."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from esxprobe import analyze as analyzing
from esxprobe.analyze import CaptureInput
from esxprobe.model import Analysis, Recording
from esxprobe.model.manifest import Manifest
from esxprobe.report import glance, html, view
from esxprobe.report.drawing import Drawer
from esxprobe.report.glance import GlancePanel
from esxprobe.report.links import Links
from esxprobe.rules import RuleBook, shipped
from esxprobe.rules import judge as judging
from esxprobe.rules.judge import Outcome
from esxprobe.rules.record import Rule

BOOK = shipped()
RULES = BOOK.rules
find_rule = shipped().find

all_needs = partial(analyzing.all_needs, shipped())
page_of = partial(view.page_of, book=shipped())


def analyze(
    paths: Sequence[Path], *, book: RuleBook = BOOK, against: Analysis | None = None, **capture: Any
) -> Analysis:
    """The analysis of files; `capture` are fields of `CaptureInput`."""
    return analyzing.analyze(CaptureInput(paths, **capture), book=book, against=against)


def analysis_of(
    recording: Recording, manifest: Manifest | None = None, *, book: RuleBook = BOOK, timezone: str = ""
) -> Analysis:
    """The analysis of what was read."""
    source = CaptureInput((), manifest, timezone)
    return analyzing.judge_described(analyzing.describe(recording, source, book=book), book=book)


def glance_panel(analysis: Analysis, drawings: dict[str, str]) -> GlancePanel:
    return glance.glance_panel(analysis, drawings, Links.of(analysis))


def judge(recording: Recording, rules: Sequence[Rule] = RULES) -> Outcome:
    return judging.judge(recording, rules)


def render_html(analysis: Analysis, drawer: Drawer, command: str = "") -> str:
    return html.render_html(analysis, drawer, command, shipped())
