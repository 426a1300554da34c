"""Charts: what a spec draws, and that drawing goes on when the drawing process does not."""

import json
import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import drawing_server
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esxprobe.model import Analysis, Chart, Series, Severity, Window
from esxprobe.report.charts import LEVELS, LINES, epoch_ms, is_constant, legend_labels, spec_of
from esxprobe.report.drawing import Drawer, draw
from esxprobe.series import thin

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)


def chart(*lines: list[float | None], windows: tuple[Window, ...] = (), step_s: float = 5) -> Chart:
    """A chart of these lines with levels at 10 and 5 %."""
    series = tuple(
        Series(f"vm{n}", tuple(START + timedelta(seconds=step_s * i) for i in range(len(line))), tuple(line))
        for n, line in enumerate(lines)
    )
    return Chart("%RDY", "%", series, (("critical", 10), ("warning", 5)), windows)


def rules_of(spec: dict) -> list[float]:
    """Heights of the dashed lines."""
    return [
        layer["data"]["values"][0]["v"]
        for layer in spec["layer"]
        if isinstance(layer["mark"], dict) and layer["mark"]["type"] == "rule"
    ]


# --- thinning -------------------------------------------------------------------------------------


@given(st.lists(st.one_of(st.just(math.nan), st.floats(-1e6, 1e6)), min_size=1, max_size=400), st.integers(4, 60))
def test_thinning_keeps_ends_and_extremes_in_few_points(values: list[float], most: int) -> None:
    series = np.array(values)
    kept = thin(series, most)
    assert len(kept) <= max(most, 4)
    assert list(kept) == sorted(set(kept.tolist()))
    assert {0, len(values) - 1} <= set(kept.tolist())
    if not np.isnan(series).all():
        assert np.nanmax(series[kept]) == np.nanmax(series)
        assert np.nanmin(series[kept]) == np.nanmin(series)


def test_one_bad_sample_in_an_hour_stays_in_the_picture() -> None:
    series = np.zeros(720)
    series[333] = 99
    assert 333 in thin(series, 300)


# --- specs ----------------------------------------------------------------------------------------


def test_thresholds_are_drawn_unless_they_would_squash_the_lines() -> None:
    assert rules_of(spec_of(chart([1, 8, 12]))) == [10, 5]
    assert rules_of(spec_of(chart([1, 2, 3]))) == [5], "10 is far above everything measured"


def test_a_legend_is_there_only_for_several_lines() -> None:
    def legend(spec: dict) -> object:
        return spec["layer"][0]["encoding"]["color"]["legend"]

    assert legend(spec_of(chart([1, 2]))) is None
    assert legend(spec_of(chart([1, 2], [3, 4])))


@pytest.mark.parametrize(
    ("step_s", "form"), [(5, "%H:%M:%S"), (60, "%H:%M"), (86_400, "%m-%d %H:%M")], ids=["minutes", "hours", "days"]
)
def test_the_axis_prints_what_the_length_needs(step_s: float, form: str) -> None:
    assert spec_of(chart([1.0] * 20, step_s=step_s))["layer"][0]["encoding"]["x"]["axis"]["format"] == form


def test_the_words_of_a_threshold_stand_on_its_line_and_not_in_it() -> None:
    texts = [layer["mark"] for layer in spec_of(chart([1, 20]))["layer"] if layer["mark"]["type"] == "text"]
    assert [(mark["baseline"], mark["dy"]) for mark in texts] == [("bottom", -2)] * 2


def test_thresholds_have_their_words_on_the_line_unless_they_would_lie_on_each_other() -> None:
    def words(*thresholds: tuple[Severity, float]) -> list[str]:
        spec = spec_of(replace(chart([1, 2, 100]), thresholds=thresholds))
        return [layer["mark"]["text"] for layer in spec["layer"] if layer["mark"]["type"] == "text"]

    assert words(("critical", 90), ("warning", 50)) == ["critical 90 %", "warning 50 %"]
    assert words(("critical", 90), ("warning", 85)) == ["critical 90 %"]
    assert (
        words(
            ("critical", 900),
        )
        == []
    ), "far above everything measured"


def test_lines_that_never_change_are_constant() -> None:
    assert is_constant(chart([5.0, None, 5.0], [7.0, 7.0, 7.0]))
    assert not is_constant(chart([5.0, 5.0], [7.0, 7.1]))


# --- drawings -------------------------------------------------------------------------------------


def test_a_drawing_scales_with_its_column_and_fetches_nothing(drawer: Drawer) -> None:
    svg = drawer.draw({"a": spec_of(chart([1, None, 12], [2, 3, 4], windows=(Window(START, START),)))})["a"]
    head = svg[: svg.index(">")]
    assert " width=" not in head, "a fixed width would scroll sideways on a phone"
    assert "viewBox" in head
    assert 'aria-hidden="true"' in head
    assert "style=" not in svg, "the page's policy forbids inline styles"
    assert "href" not in svg
    assert "vm1" in svg


def test_a_chart_of_one_point_or_none_is_drawn(drawer: Drawer) -> None:
    specs = {"one": spec_of(chart([3.0])), "none": spec_of(chart([None, None]))}
    assert all(svg.startswith("<svg") for svg in drawer.draw(specs).values())


def test_no_chart_starts_no_work(drawer: Drawer) -> None:
    assert drawer.draw({}) == {}


def test_the_child_draws_what_would_be_drawn_here(drawer: Drawer, demo: Analysis) -> None:
    spec = spec_of(demo.charts["cpu-ready"])
    assert drawer.draw({"a": spec})["a"] == draw(spec)


def test_when_the_child_dies_the_charts_are_drawn_all_the_same() -> None:
    with Drawer() as drawer:
        assert drawer._child is not None
        drawer._child.kill()
        drawer._child.wait()
        drawn = drawer.draw({"a": spec_of(chart([1, 2])), "b": spec_of(chart([3, 4]))})
    assert list(drawn) == ["a", "b"]
    assert all(svg.startswith("<svg") for svg in drawn.values())


def test_a_chart_that_kills_the_engine_does_not_take_the_report_with_it() -> None:
    """The engine aborts its process on a letter that XML does not have; see `legend_labels`."""
    deadly = spec_of(chart([1, 2], [3, 4]))
    deadly["layer"][0]["encoding"]["color"]["scale"]["domain"] = ["\x07", "vm1"]
    specs = {"a": spec_of(chart([1, 2])), "deadly": deadly, "z": spec_of(chart([3, 4]))}
    with Drawer() as drawer:
        drawn = drawer.draw(specs)
    assert [key for key, svg in drawn.items() if svg.startswith("<svg")] == ["a", "z"]
    assert drawn["deadly"] == ""


def test_the_process_that_draws_for_all_tests_draws_as_the_program_does(tmp_path: Path, drawer: Drawer) -> None:
    deadly = spec_of(chart([1, 2], [3, 4]))
    deadly["layer"][0]["encoding"]["color"]["scale"]["domain"] = ["\x07", "vm1"]
    specs = {"a": spec_of(chart([1, 2])), "deadly": deadly, "nothing": {"mark": 7}}
    assert drawing_server.asked(str(tmp_path), specs) is None, "nobody is there"
    server = drawing_server.start(str(tmp_path))
    try:
        while (drawn := drawing_server.asked(str(tmp_path), specs)) is None:
            assert server.poll() is None
            time.sleep(0.05)
        again = drawing_server.asked(str(tmp_path), {"z": spec_of(chart([3, 4]))})
    finally:
        server.communicate()
    assert drawn == {**drawer.draw({"a": specs["a"]}), "deadly": "", "nothing": ""}
    assert again == drawer.draw({"z": spec_of(chart([3, 4]))}), "after one that killed the engine"


@pytest.mark.parametrize(
    "letter", ["\x00", "\x07", "\x1b", "\ufffe", "\uffff", "\ud800", "\x7f", "\x85", "\u202e", "🐘"]
)
def test_any_letter_in_a_name_can_be_drawn(letter: str, drawer: Drawer) -> None:
    named = chart([1, 2], [3, 4])
    odd = Series(f"a{letter * 100}b", named.series[0].times, (1.0, 2.0))
    svg = drawer.draw({"a": spec_of(Chart("", "%", (odd, named.series[1]), (), ()))})["a"]
    assert svg.startswith("<svg"), "not drawn at all"


@settings(max_examples=50)
@given(st.lists(st.one_of(st.text(max_size=60), st.sampled_from(["x" * 70, "x" * 71, "数" * 60])), max_size=6))
def test_labels_stay_different_and_short(names: list[str]) -> None:
    labels = legend_labels(names)
    assert len(set(labels)) == len(names), "equal labels become one line"
    assert all(len(label) <= 50 + len(names) for label in labels)


def test_a_long_name_keeps_its_beginning_and_its_vcpu() -> None:
    (label,) = legend_labels(["production-database-server-of-the-finance-department vCPU 12"])
    assert label == "production-database-server-of-the-finan…nt vCPU 12"
    assert legend_labels(["sql01 vCPU 3"]) == ["sql01 vCPU 3"]


def test_when_no_child_can_be_started_the_charts_are_drawn_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Drawer() as drawer:
        assert drawer._child is None
        assert drawer.draw({"a": spec_of(chart([1, 2]))})["a"].startswith("<svg")


def test_a_drawer_leaves_no_process_behind() -> None:
    with Drawer() as drawer:
        child = drawer._child
    assert child is not None
    assert child.returncode is not None


def test_nothing_is_imported_from_the_folder_where_a_capture_lies(tmp_path: Path) -> None:
    """Who unpacks a stranger's archive and reports on it there must not run the stranger's code."""
    for module in ("vl_convert", "json", "threading", "esxprobe"):
        (tmp_path / f"{module}.py").write_text("open('caught', 'w').close()\nraise SystemExit\n", encoding="utf-8")
    program = (
        "from esxprobe.report.drawing import Drawer\n"
        "with Drawer() as drawer:\n"
        "    assert drawer._drawn_by_child({'a': {'data': {'values': []}, 'mark': 'point', 'encoding': {}}})\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert not (tmp_path / "caught").exists(), "the drawing process imported a module of the working folder"
    assert done.returncode == 0, done.stderr


def test_a_spec_that_cannot_be_drawn_is_answered_and_the_next_one_drawn() -> None:
    lines = [json.dumps({"mark": 7}), json.dumps(spec_of(chart([1, 2])))]
    done = subprocess.run(
        [sys.executable, "-m", "esxprobe.report.drawing"],
        input="\n".join(lines).encode(),
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    bad, good = (json.loads(line) for line in done.stdout.splitlines())
    assert "error" in bad
    assert good["svg"].startswith("<svg")


# --- colors --------------------------------------------------------------------------------------

# Viénot, Brettel and Mollon 1999, in linear RGB: what somebody without red or green cones sees.
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopes": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    "deuteranopes": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(color: str) -> np.ndarray:
    """Linear RGB of a color like #0072b2."""
    parts = np.array([int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE Lab under D65."""
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_no_two_lines_of_a_chart_look_alike(eyes: str) -> None:
    """A chart has at most four lines; a difference of 2.3 in Lab can just be noticed."""
    seen = [lab(SEEN_BY[eyes] @ linear(color)) for color in LINES[:4]]
    for n, one in enumerate(seen):
        for other in seen[:n]:
            assert np.linalg.norm(one - other) > 10


@pytest.mark.parametrize(
    "ground", ["#ffffff", "#f6f8fa", "#14181d", "#1d232a"], ids=["white", "panel", "dark", "dark panel"]
)
def test_lines_and_thresholds_can_be_seen_on_every_ground(ground: str) -> None:
    """WCAG 2.1, 1.4.11: graphics need a contrast of 3 to 1."""
    brightness = TO_XYZ[1]
    behind = brightness @ linear(ground)
    for color in (*LINES, *LEVELS.values()):
        before = brightness @ linear(color)
        contrast = (max(before, behind) + 0.05) / (min(before, behind) + 0.05)
        assert contrast >= 3, f"{color} on {ground}: {contrast:.2f}"


# --- drawn ahead ----------------------------------------------------------------------------------


def _dots(count: int) -> dict[str, Any]:
    return {
        "data": {"values": [{"a": n} for n in range(count)]},
        "mark": "point",
        "encoding": {"x": {"field": "a"}},
    }


def test_what_was_drawn_ahead_is_taken_if_it_is_just_that_and_nothing_else_is() -> None:
    asked = {"same": _dots(3), "changed": _dots(4), "new": _dots(5)}
    with Drawer() as plain:
        expected = plain.draw(asked)
    with Drawer() as drawer:
        drawer.ahead({"same": _dots(3), "changed": _dots(1), "gone": _dots(2)})
        assert drawer.draw(asked) == expected
        assert drawer.draw(asked) == expected, "and again, without anything ahead"


def test_more_is_drawn_ahead_behind_what_was_asked_for_first() -> None:
    asked = {"first": _dots(3), "second": _dots(4), "new": _dots(5)}
    with Drawer() as plain:
        expected = plain.draw(asked)
    with Drawer() as drawer:
        drawer.ahead({"first": _dots(3), "second": _dots(1)})
        drawer.ahead({"second": _dots(4)})
        assert drawer.draw(asked) == expected
    with Drawer() as drawer:
        drawer.ahead({"deadly": _dots(2) | {"title": "a\x01b"}})
        drawer.ahead({"first": _dots(3)})
        assert drawer.draw(asked) == expected


def test_a_chart_that_kills_the_child_ahead_costs_no_other_chart() -> None:
    deadly = _dots(2) | {"title": "a\x01b"}
    asked = {"first": _dots(3), "deadly": deadly, "last": _dots(4)}
    with Drawer() as drawer:
        drawer.ahead({"first": _dots(3), "deadly": deadly})
        drawn = drawer.draw(asked)
    assert drawn["first"].startswith("<svg")
    assert drawn["last"].startswith("<svg")
    assert drawn["deadly"] == ""


def test_a_long_axis_title_takes_lines_that_fit_beside_the_chart() -> None:
    named = replace(chart([1.0, 2.0]), title="GRANT less TCHD, of the host's memory")
    (line,) = (layer for layer in spec_of(named)["layer"] if layer["mark"]["type"] == "line")
    assert line["encoding"]["y"]["title"] == ["GRANT less TCHD, of the", "host's memory [%]"]


def test_the_time_axis_covers_the_episodes_too() -> None:
    early = Window(START - timedelta(seconds=60), START)
    spec = spec_of(chart([11.0, 12.0], windows=(early,)))
    ticks = spec["layer"][1]["encoding"]["x"]["axis"]["values"]
    assert min(ticks) == epoch_ms(early.start)
