"""The glossary: every label that the page says is explained, where it stands and at the end."""

import re
from html.parser import HTMLParser

import pytest
from shippedbook import RULES, render_html

from esxprobe.model import Analysis
from esxprobe.report.drawing import Drawer
from esxprobe.report.glossary import Glossary, _pattern


def test_a_label_is_marked_with_its_meaning_and_unit() -> None:
    marked = Glossary().marked("%RDY - %MLMTD & more")
    assert marked == (
        '<abbr title="Time ready to run without a PCPU to run on [%]">%RDY</abbr> - '
        '<abbr title="Time ready to run but held back by a CPU limit [%]">%MLMTD</abbr> &amp; more'
    )


@pytest.mark.parametrize("text", ["X%RDY", "100%RDYs", "a name", "DELETE it", "ready"])
def test_what_only_looks_like_a_label_is_left_alone(text: str) -> None:
    glossary = Glossary()
    assert "abbr" not in glossary.marked(text)
    assert glossary.terms() == []


def test_text_around_labels_is_escaped() -> None:
    assert Glossary().marked("<b>%RUN</b>").startswith("&lt;b&gt;<abbr")


def test_the_list_has_what_was_used_once_and_in_order() -> None:
    glossary = Glossary()
    glossary.marked("SWCUR, %RUN, MCTLSZ, %RUN")
    assert [term.label for term in glossary.terms()] == ["MCTLSZ", "%RUN", "SWCUR"]


def test_the_short_names_of_latencies_are_known() -> None:
    glossary = Glossary()
    glossary.marked("GAVG = DAVG + KAVG, QAVG inside")
    assert [term.label for term in glossary.terms()] == ["DAVG", "GAVG", "KAVG", "QAVG"]


class _Text(HTMLParser):
    """Text of a page outside drawings, code, styles and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser gives them
        self._inside += tag in ("svg", "script", "style", "code")

    def handle_endtag(self, tag: str) -> None:
        self._inside -= tag in ("svg", "script", "style", "code")

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.parts.append(data)


def test_every_label_on_the_page_is_in_the_list(demo: Analysis, drawer: Drawer) -> None:
    page = render_html(demo, drawer)
    body, _, listed = page.partition('<section id="glossary"')
    explained = set(re.findall(r"<dt>([^<\[]+?)(?: \[[^\]]*\])?</dt>", listed))
    text = _Text()
    text.feed(body)
    said = {label for part in text.parts for label in _pattern().findall(part)}
    assert {"%RDY", "%CSTP", "MCTLSZ", "DAVG/cmd", "PKTTX/s"} <= said
    assert said <= explained, f"not explained: {sorted(said - explained)}"


# Words in rules' headings that are parts of a longer label, or a plain word in capitals.
NOT_ALONE = {
    *("AAVG/s", "RD/s", "WR/s", "TX/s", "RX/s", "SPEED", "MEMCTL", "PSHARE", "VMKMEM"),
    *("%L", "%C", "%P", "%T"),
}


def test_every_rule_s_label_is_explained() -> None:
    """A rule's own heading is a label of esxtop's, a sum of them, or words."""
    for rule in RULES:
        for label in re.findall(r"%[A-Z_/]+[A-Z]|[A-Z]+/s|[A-Z]{5,}\b", rule.label):
            assert label in NOT_ALONE or "abbr" in Glossary().marked(label), f"{rule.id}: {label}"
