"""One self-contained HTML file: everything inline, nothing fetched, a policy that forbids the rest."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from esxprobe.model import Analysis, CaptureSummary, Glance
from esxprobe.report.charts import spec_of
from esxprobe.report.document import document
from esxprobe.report.drawing import Drawer
from esxprobe.report.faults import fault_specs
from esxprobe.report.glance import glance_specs, strip_specs
from esxprobe.report.glossary import Glossary
from esxprobe.report.life import chart_specs, numbered, vega_bundle
from esxprobe.report.shifts import shift_specs
from esxprobe.report.view import page_of
from esxprobe.rules import RuleBook

if TYPE_CHECKING:
    import jinja2
    from jinja2.runtime import Context
    from markupsafe import Markup


def render_html(analysis: Analysis, drawer: Drawer, command: str, book: RuleBook) -> str:
    """The report.

    Args:
        analysis: What to show.
        drawer: Draws the charts.
        command: The command line that made the report, shown as provenance.
        book: The rules that judged it.
    """
    from markupsafe import Markup

    specs = {rule: spec_of(chart) for rule, chart in analysis.charts.items()}
    specs |= fault_specs(analysis) | glance_specs(analysis) | shift_specs(analysis.comparison)
    with ThreadPoolExecutor(1) as beside:  # the templates are loaded while the charts are drawn
        drawn = beside.submit(drawer.draw, specs)
        template, css = _template(), _asset("report.css")
        data = _inert_json(json.dumps(document(analysis), ensure_ascii=False, allow_nan=False))
        drawings = drawn.result()
    bundle = vega_bundle(drawer, templates()) if any(drawings.values()) else ""
    vega = _asset("vega-license.js") + bundle if bundle else ""
    scripts = [_asset("report.js"), *([_asset("charts.js")] if vega else [])]
    page = page_of(analysis, numbered(drawings), command, book)
    # Markup: our own style sheet and scripts, JSON that cannot leave its element, and drawings (escaped by Vega).
    return template.render(
        page=page,
        css=Markup(css),  # noqa: S704
        policy=_policy(css, [*scripts, vega] if vega else scripts),
        data=Markup(data),  # noqa: S704
        charts=Markup(_inert_json(chart_specs(specs, drawings))),  # noqa: S704
        vega=Markup(vega),  # noqa: S704
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        svg=Markup,
        glossary=Glossary(),
    )


def draw_ahead(drawer: Drawer, capture: CaptureSummary, glance: Glance) -> None:
    """Has the pictures drawn that are there before any finding is."""
    drawer.ahead(strip_specs(capture, glance))


def _policy(css: str, scripts: list[str]) -> str:
    """Only the page's own style and scripts, known by their sums; nothing is fetched or evaluated."""
    allowed = " ".join(map(_digest, scripts))
    return (
        f"default-src 'none'; style-src {_digest(css)}; script-src {allowed}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _inert_json(text: str) -> str:
    """JSON that no HTML parser can take for the end of its element or for a comment."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _template() -> jinja2.Template:
    import jinja2

    made = environment()
    made.filters["terms"] = jinja2.pass_context(_terms)
    return made.get_template("report.html.j2")


def environment() -> jinja2.Environment:
    """How every page of ours is made: escaped, and nothing that is not there."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _terms(context: Context, text: str) -> Markup:
    """A text of ours with esxtop's labels explained, by the glossary of the page that is being made."""
    glossary: Glossary = context["glossary"]
    return glossary.marked(text)


def _asset(name: str) -> str:
    return (templates() / name).read_text(encoding="utf-8")


@cache
def templates() -> Path:
    """The folder of templates: inside the installed package, or beside it in a checkout."""
    installed = Path(str(resources.files("esxprobe"))) / "templates"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "templates"
