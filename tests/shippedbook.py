"""The shipped book, handed in for the many tests that judge or show with nothing else."""

from collections.abc import Sequence
from functools import partial

from esxprobe import analyze as analyzing
from esxprobe.model import Analysis, Recording
from esxprobe.report import glance, html, view
from esxprobe.report.drawing import Drawer
from esxprobe.report.glance import GlancePanel
from esxprobe.report.links import Links
from esxprobe.rules import judge as judging
from esxprobe.rules import shipped
from esxprobe.rules.judge import Outcome
from esxprobe.rules.record import Rule

RULES = shipped().rules
find_rule = shipped().find

analyze = partial(analyzing.analyze, book=shipped())
analysis_of = partial(analyzing.analysis_of, book=shipped())
all_needs = partial(analyzing.all_needs, shipped())
page_of = partial(view.page_of, book=shipped())


def glance_panel(analysis: Analysis, drawings: dict[str, str]) -> GlancePanel:
    return glance.glance_panel(analysis, drawings, Links.of(analysis))


def judge(recording: Recording, rules: Sequence[Rule] = RULES) -> Outcome:
    return judging.judge(recording, rules)


def render_html(analysis: Analysis, drawer: Drawer, command: str = "") -> str:
    return html.render_html(analysis, drawer, command, shipped())
