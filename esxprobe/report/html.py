"""One self-contained HTML file: everything inline, nothing fetched, a policy that forbids the rest."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esxprobe.model import Analysis, CaptureSummary, Glance
from esxprobe.report.charts import is_constant, spec_of
from esxprobe.report.document import document
from esxprobe.report.drawing import Drawer
from esxprobe.report.event_marks import with_marks
from esxprobe.report.faults import fault_specs
from esxprobe.report.glance import glance_specs, strip_specs
from esxprobe.report.glossary import Glossary
from esxprobe.report.packed import BYTES_TYPE, TYPE, packed
from esxprobe.report.shifts import shift_specs
from esxprobe.report.vega_bundle import chart_specs, numbered, vega_bundle
from esxprobe.report.view import page_of
from esxprobe.rules import RuleBook

if TYPE_CHECKING:
    import jinja2
    from jinja2.runtime import Context
    from markupsafe import Markup

    from esxprobe.report.embedding import Embedded


# What reads the series of a capture out of the page, and shows them.
EXPLORE_SCRIPTS = ("series.js", "lanes.js", "changes.js", "explore.js", "changed.js")


def render_html(
    analysis: Analysis,
    drawer: Drawer,
    command: str,
    book: RuleBook,
    series: Callable[[], Embedded] | None = None,
) -> str:
    """The report.

    Args:
        analysis: What to show.
        drawer: Draws the charts.
        command: The command line that made the report, shown as provenance.
        book: The rules that judged it.
        series: Gives the series of the capture that the page carries; None for none.
    """
    specs = _finding_specs(analysis) | glance_specs(analysis) | shift_specs(analysis.comparison)
    return filled(
        "report.html.j2",
        lambda drawings: page_of(analysis, drawings, command, book),
        lambda: document(analysis),
        specs,
        drawer,
        series=series,
    )


def filled(
    template: str,
    page: Callable[[dict[str, str]], object],
    data: Callable[[], dict[str, Any]],
    specs: dict[str, dict[str, Any]],
    drawer: Drawer,
    *,
    series: Callable[[], Embedded] | None = None,
) -> str:
    """A page with its style, its scripts, its drawings and its data in it.

    Args:
        template: Name of the template.
        page: Its view record, from the drawings by the keys of `specs`.
        data: The JSON document to embed.
        specs: The charts.
        drawer: Draws them.
        series: Gives the series that the page carries; None for none.
    """
    from markupsafe import Markup

    with ThreadPoolExecutor(1) as beside:  # the templates are loaded while the charts are drawn
        drawn = beside.submit(drawer.draw, specs)
        loaded, css = _template(template), asset("report.css")
        embedded = packed(json.dumps(data(), ensure_ascii=False, allow_nan=False))
        carried = series() if series is not None else None
        drawings = drawn.result()
    bundle = vega_bundle(drawer, templates()) if any(drawings.values()) else ""
    scripts = [asset("report.js"), *([asset("charts.js")] if bundle else [])]
    scripts += [asset(name) for name in EXPLORE_SCRIPTS if carried is not None]
    # Markup: our own style sheet and scripts, data that cannot leave its element, and drawings (escaped by Vega).
    return loaded.render(
        page=page(numbered(drawings)),
        css=Markup(css),  # noqa: S704
        policy=policy_of(css, [*scripts, bundle] if bundle else scripts),
        packed=TYPE,
        data=embedded,
        charts=packed(chart_specs(specs, drawings)) if bundle else "",
        vega=packed(bundle) if bundle else "",
        notices=Markup(asset("vega-license.js")) if bundle else "",  # noqa: S704
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        svg=Markup,
        series=packed(carried.text) if carried is not None else "",
        chunks=carried.parts if carried is not None else [],
        packed_bytes=BYTES_TYPE,
        glossary=Glossary(),
    )


def _finding_specs(analysis: Analysis) -> dict[str, dict[str, Any]]:
    """The charts of findings and of guests' faults."""
    drawn = {rule: chart for rule, chart in analysis.charts.items() if not is_constant(chart)}
    return {rule: with_marks(spec_of(chart), chart) for rule, chart in drawn.items()} | fault_specs(analysis)


def draw_findings_ahead(drawer: Drawer, analysis: Analysis) -> None:
    """Has the pictures drawn that are there before what stands out is looked for."""
    drawer.ahead(_finding_specs(analysis))


def draw_ahead(drawer: Drawer, capture: CaptureSummary, glance: Glance) -> None:
    """Has the pictures drawn that are there before any finding is."""
    drawer.ahead(strip_specs(capture, glance))


def policy_of(css: str, scripts: list[str]) -> str:
    """Only the page's own style and scripts, known by their sums; nothing is fetched or evaluated."""
    allowed = " ".join(map(_digest, scripts))
    return (
        f"default-src 'none'; style-src {_digest(css)}; script-src {allowed}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _template(name: str) -> jinja2.Template:
    import jinja2

    made = environment()
    made.filters["terms"] = jinja2.pass_context(_terms)
    return made.get_template(name)


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


def asset(name: str) -> str:
    """A file of the templates' folder: our own style, or one of our scripts."""
    return (templates() / name).read_text(encoding="utf-8")


@cache
def templates() -> Path:
    """The folder of templates: inside the installed package, or beside it in a checkout."""
    installed = Path(str(resources.files("esxprobe"))) / "templates"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "templates"
