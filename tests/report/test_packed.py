"""Packed parts of a page: any text comes back as it was, a damaged part is an error, drawings look the same."""

import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shippedbook import render_html

from esxprobe.model import Analysis
from esxprobe.report.document import document
from esxprobe.report.drawing import Drawer, compact
from esxprobe.report.packed import TYPE, packed, part_of, unpacked

DOC = Path(__file__).parents[2] / "docs" / "python.md"


def page_with(content: str) -> str:
    return f'<p>before</p><script type="{TYPE}" id="analysis">{content}</script><p>behind</p>'


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    page = page_with(packed(text))
    assert page.count("<") == 6, "nothing in a part can end its element"
    assert part_of(page, "analysis") == text
    assert unpacked(page) == page_with(text)


@pytest.mark.parametrize("damage", [lambda part: part[:40], lambda part: part[:-4], lambda part: "AAAA" + part[4:]])
def test_a_damaged_part_is_an_error(damage) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(zlib.error):
        part_of(page_with(damage(packed("a text of some length " * 50))), "analysis")


def test_a_page_without_a_part_says_so() -> None:
    with pytest.raises(KeyError):
        part_of(page_with(packed("")), "vega")


def test_the_way_that_the_doc_shows_works(demo: Analysis, drawer: Drawer, tmp_path: Path) -> None:
    (code,) = [
        each for each in re.findall(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL) if 'id="analysis"' in each
    ]
    (tmp_path / "host01-report.html").write_text(render_html(demo, drawer), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nprint(json.dumps(analysis))"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == document(demo)


# --- drawings in fewer bytes ------------------------------------------------------------------------

CELL = '<path d="M{x},{y}h4.3697478991596626v12.9h-4.3697478991596626Z" fill="rgba({c})" stroke-width="0"/>'
PLACE = st.integers(0, 900_000).map(lambda thousandths: thousandths / 1000)
CELLS = st.lists(st.tuples(PLACE, PLACE, st.sampled_from(["0,1,2,0.2", "0,1,2,1.00"])), max_size=20)


@given(CELLS)
def test_every_cell_stays_where_it_was_in_its_color(cells: list[tuple[float, float, str]]) -> None:
    svg = compact("<svg><g>" + "".join(CELL.format(x=x, y=y, c=c) for x, y, c in cells) + "</g></svg>")
    found = [
        (float(x), float(y), color)
        for places, color in re.findall(r'<path d="([^"]*)" fill="rgba\(([^)]*)\)"', svg)
        for x, y in re.findall(r"M([-\d.]+),([-\d.]+)h4.4v12.9h-4.4Z", places)
    ]
    assert sorted(found) == sorted((float(f"{x:.1f}"), float(f"{y:.1f}"), color) for x, y, color in cells)


def test_what_is_no_place_keeps_its_digits() -> None:
    text = '<text transform="rotate(-90)" fill="rgba(0,1,2,0.125)">12.345 ms, x="1.234"</text>'
    assert compact(text) == text
    assert compact('<g transform="translate(0.5004,-0.04)"/>') == '<g transform="translate(0.5,0)"/>'
    assert compact('<g transform="scale(0.125)"/>') == '<g transform="scale(0.125)"/>'
