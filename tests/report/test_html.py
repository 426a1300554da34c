"""The page: one inert file in which everything a capture says stays text."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from hostile_names import HOSTILE
from shippedbook import RULES, render_html

from esxprobe.model import Analysis, Glance, SourceFile
from esxprobe.report import html
from esxprobe.report.charts import is_constant
from esxprobe.report.document import document
from esxprobe.report.drawing import Drawer
from esxprobe.report.glance import glance_specs
from esxprobe.report.html import templates
from esxprobe.report.packed import TYPE, part_of

ROOT = Path(__file__).parents[2]
FETCHING = {"link", "iframe", "object", "embed", "base", "form", "img", "image", "use", "foreignobject", "video"}
# Data, the bundle as text that nobody runs before it is wanted, and our own two.
SCRIPTS = [
    {"type": TYPE, "id": "analysis"},
    {"type": TYPE, "id": "charts", "data-timezone": ""},
    {"type": "text/plain", "id": "notices"},
    {"type": TYPE, "id": "vega"},
    {},
    {},
]
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A page as a browser sees it: elements with their attributes, and texts by element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment came into the page: {data[:60]!r}")

    def text_of(self, tag: str) -> list[str]:
        """Texts directly inside elements of this name."""
        return [text for where, text in self.texts if where == tag and text.strip()]


SOURCES = {each.link for rule in RULES for level in rule.levels for each in level.sources if each.link}


@pytest.fixture(scope="module")
def demo_page(demo: Analysis, drawer: Drawer) -> str:
    return render_html(demo, drawer, "esxprobe report demo")


@pytest.fixture(scope="module")
def hostile_page(hostile: Analysis, drawer: Drawer) -> str:
    return render_html(hostile, drawer)


# --- one file, nothing fetched, nothing run -------------------------------------------------------


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_the_pages_own_style_and_scripts_by_their_sums_and_nothing_else(demo_page: str) -> None:
    page = Page(demo_page)
    (policy,) = [
        attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    (style,) = page.text_of("style")
    vega = part_of(demo_page, "vega")
    _, _, _, _, *ours = page.text_of("script")  # the analysis and the specs are data; Vega is run when it is wanted
    assert len(ours) == 2
    assert parts == {
        "default-src": "'none'",
        "style-src": digest(style),
        "script-src": " ".join(map(digest, [*ours, vega])),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_policy_stands_before_anything_that_it_governs(demo_page: str) -> None:
    assert demo_page.index("Content-Security-Policy") < demo_page.index("<style")


@pytest.mark.parametrize("which", ["demo_page", "hostile_page"])
def test_nothing_is_fetched_and_nothing_runs(which: str, request: pytest.FixtureRequest) -> None:
    text = request.getfixturevalue(which)
    page = Page(text)
    for tag, attrs in page.elements:
        assert tag not in {
            "link",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "img",
            "image",
            "use",
            "foreignobject",
        }
        assert "src" not in attrs, f"<{tag}> fetches {attrs}"
        assert "style" not in attrs, f"<{tag}> has an inline style, which the policy forbids"
        assert not [name for name in attrs if name.startswith("on")], f"<{tag}> has a handler: {attrs}"
        target = attrs.get("href", attrs.get("xlink:href", "#"))
        assert target is not None
        if tag == "a" and target.startswith("https://"):  # a source of a threshold
            assert attrs.get("rel") == "noreferrer"
            assert target in SOURCES, f"{target} is no source of the rule book"
            continue
        assert target.startswith("#"), f"<{tag}> leads out of the page to {target}"
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    assert scripts == SCRIPTS
    (style,) = page.text_of("style")
    assert "url(" not in style
    assert "@import" not in style


def test_links_inside_the_page_lead_somewhere_and_ids_are_unique(demo_page: str) -> None:
    page = Page(demo_page)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids)), sorted(each for each in ids if ids.count(each) > 1)
    for tag, attrs in page.elements:
        if tag == "a" and attrs["href"] not in SOURCES:
            assert str(attrs["href"])[1:] in ids
        for word in str(attrs.get("aria-labelledby") or "").split():
            assert word in ids


# --- what it shows --------------------------------------------------------------------------------


def test_the_embedded_json_is_the_document(demo: Analysis, demo_page: str) -> None:
    assert json.loads(part_of(demo_page, "analysis")) == document(demo)


def unspaced(text: str) -> str:
    """A text without white space: labels that are explained are elements of their own."""
    return "".join(text.split())


def test_every_finding_and_every_rule_is_on_the_page(demo: Analysis, demo_page: str) -> None:
    page = Page(demo_page)
    words = unspaced("".join(text for _, text in page.texts))
    articles = [attrs["id"] for tag, attrs in page.elements if tag == "article"]
    assert articles == list(dict.fromkeys(articles))
    assert set(articles) == {finding.rule for finding in demo.findings}
    for finding in demo.findings:
        levels = next(rule.levels for rule in RULES if rule.id == finding.rule)
        source = next(each for level in levels for each in level.sources if each.text == finding.source)
        said_of = source.name if source.link else source.text
        for said in (finding.entity.name, finding.title, finding.why, finding.advice, said_of):
            assert unspaced(said) in words, f"{finding.rule}: {said!r} is missing"
        assert all(unspaced(caveat) in words for caveat in finding.caveats)
    assert set(demo.clear) <= set(page.text_of("code"))


def test_each_finding_of_an_entity_has_its_chart(demo: Analysis, demo_page: str) -> None:
    page = Page(demo_page)
    drawn = [attrs for tag, attrs in page.elements if tag == "svg" and "data-chart" in attrs]
    changing = [chart for chart in demo.charts.values() if not is_constant(chart)]
    assert len(drawn) == len(changing) + len(glance_specs(demo))
    assert len(changing) < len(demo.charts), "and a CPU limit that stayed as it was has a sentence"
    assert "was constant." in demo_page
    labeled = [attrs for _, attrs in page.elements if attrs.get("role") == "img"]
    assert all(attrs.get("aria-label") for attrs in labeled)


def test_a_page_without_findings_says_what_was_judged(
    analysis_with: Callable[..., Analysis], drawer: Drawer
) -> None:
    healthy = analysis_with("web01", ready=0.1)
    page = Page(render_html(healthy, drawer))
    words = " ".join(text for _, text in page.texts)
    assert "No rule found anything" in words
    assert all(each.reason in words for each in healthy.skipped)
    assert not [tag for tag, _ in page.elements if tag == "svg"]


def test_provenance_names_the_file_and_its_sum(demo: Analysis, demo_page: str) -> None:
    words = [text for _, text in Page(demo_page).texts]
    assert {"esxtop-000.csv.gz", demo.capture.files[0].sha256, "esxprobe report demo"} <= set(words)


# --- hostile names --------------------------------------------------------------------------------


def test_hostile_names_are_text_in_tables_and_in_the_json(hostile: Analysis, hostile_page: str) -> None:
    page = Page(hostile_page)
    headings = [*page.text_of("bdi"), *page.text_of("th")]
    for name in HOSTILE.values():
        found = sum(text.strip() == name for text in headings)
        assert found >= 4, f"{name!r}: as a finding, as a VM, on its own page, and as a VM without guest data"
    embedded = json.loads(part_of(hostile_page, "analysis"))
    assert [vm["name"] for vm in embedded["vms"]] == list(HOSTILE.values())


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_is_text_in_the_legend_of_a_chart(
    name: str, analysis_with: Callable[..., Analysis], drawer: Drawer
) -> None:
    page = Page(render_html(analysis_with(name, "other"), drawer))
    labels = [text for text in page.text_of("text") if text.endswith("vCPU 0")]
    assert len(labels) == 3, "a legend of two lines, and the title of the timeline"
    label, *_ = [text for text in labels if text != "other vCPU 0" and not text.startswith("%RDY")]
    # XML has no control characters; long names are cut in the middle, so that the vCPU stays.
    drawable = re.sub(r"[\x00-\x1f]", "\N{REPLACEMENT CHARACTER}", f"{name} vCPU 0")
    head, _, tail = label.partition("…")
    assert drawable.startswith(head)
    assert drawable.endswith(tail or head)
    assert not [tag for tag, _ in page.elements if tag in {"img", "b", "iframe"}]


def test_every_other_text_of_a_capture_is_escaped_too(demo: Analysis, drawer: Drawer) -> None:
    evil = "<script>alert(1)</script>"
    capture = replace(
        demo.capture,
        host=evil,
        build=evil,
        zone=evil,
        files=(SourceFile(evil, "0" * 64, 1),),
        objects=((evil, 1, 1, 0),),
    )
    note = replace(demo.quality[0], detail=evil)
    text = render_html(replace(demo, capture=capture, quality=(note,), charts={}, glance=Glance()), drawer, evil)
    page = Page(text)
    assert evil not in text
    scripts = [attrs for tag, attrs in page.elements if tag == "script"]
    assert scripts == [{"type": TYPE, "id": "analysis"}, {}], "no chart, no Vega"
    assert sum(evil in data for _, data in page.texts) >= 6, "title, head, zone, note, object, file, command"


def test_our_scripts_parse_no_html_and_evaluate_nothing() -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setAttribute\(.on|fetch\("
    )
    for name in ("report.js", "charts.js"):
        text = (templates() / name).read_text(encoding="utf-8")
        assert not re.findall(forbidden, text), name
        assert "</script" not in text.lower()
        assert text.startswith('"use strict";')


# --- the template ---------------------------------------------------------------------------------


def test_a_field_that_a_template_misspells_is_an_error() -> None:
    environment = html.environment()
    assert environment.autoescape is True
    with pytest.raises(jinja2.UndefinedError):
        environment.from_string("{{ page.tytle }}").render(page=object())


def test_templates_lie_in_the_checkout_or_in_the_package() -> None:
    assert {"report.html.j2", "report.css", "report.js", "charts.js"} <= {
        path.name for path in templates().iterdir()
    }


@pytest.mark.slow
def test_the_same_capture_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    """No clock, no set order, no hash seed may be seen in a report."""
    pages, documents = [], []
    for seed in ("0", "4242"):
        folder = tmp_path / seed
        command = [sys.executable, "-m", "esxprobe", "report", "samples/demo", "-o", str(folder / "demo.html")]
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": "UTC" if seed == "0" else "Asia/Tokyo"}
        subprocess.run(
            [*command, "--json", str(folder / "demo.json")],
            check=True,
            cwd=ROOT,
            env=environment,
            capture_output=True,
        )
        pages.append((folder / "demo.html").read_bytes())
        documents.append((folder / "demo.json").read_bytes())
    assert documents[0] == documents[1]
    assert pages[0] == pages[1]
