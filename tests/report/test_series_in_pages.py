"""Series that a page carries: exact, within their budget, the telling ones first, without names when redacted."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn import ESXPROBE
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shippedbook import RULES, all_needs

from esxprobe.formats.esxtop import read_with_cells
from esxprobe.formats.printed_cells import CaptureCells
from esxprobe.report.embedding import Embedded, embedded
from esxprobe.report.explore import thresholds_of
from esxprobe.report.packed import bytes_of, packed, part_of
from esxprobe.report.series_codec import decoded, encoded
from esxprobe.rules import shipped

ROOT = Path(__file__).parents[2]
CAPTURE = ROOT / "samples/software-mmu/esxtop-000.csv.gz"
MOST = (1 << 50) - 1


@given(
    arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(1, 20)), elements=st.integers(-MOST, MOST)),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.3, 1.0]),
)
def test_a_chunk_comes_back(whole: np.ndarray, seed: int, blank: float) -> None:
    missing = np.random.default_rng(seed).random(whole.shape) < blank
    chunk = encoded(whole, missing)
    numbers, gone = decoded(chunk, whole.shape[1])
    order = list(chunk.order)
    assert (gone == missing[order]).all()
    assert (numbers[~gone] == whole[order][~gone]).all()
    assert list(chunk.planes) == sorted(chunk.planes, reverse=True)


@pytest.fixture(scope="module")
def cells() -> CaptureCells:
    return read_with_cells([CAPTURE], all_needs()).cells


def size(made: Embedded) -> int:
    return len(packed(made.text)) + sum(map(len, made.parts))


def names(made: Embedded) -> list[tuple[str, str]]:
    things, meanings = made.index["things"], made.index["meanings"]
    pairs = zip(made.index["thing"], made.index["meaning"], strict=True)
    return [(things[thing][1], meanings[meaning][1]) for thing, meaning in pairs]


@pytest.mark.parametrize("budget", [0, 5_000, 12_000, 40_000, 80_000, None])
def test_series_stay_within_their_budget(cells: CaptureCells, budget: int | None) -> None:
    made = embedded(cells, None, budget)
    left = made.index["left_out"]
    assert len(names(made)) + left["series"] == len(cells)
    if budget is None:
        assert left["series"] == 0
    elif len(names(made)):
        assert size(made) <= budget
    if budget == 40_000:
        assert size(made) > 0.7 * budget, "there was room for more"


def test_what_is_referred_to_goes_first_and_then_what_tells_most(cells: CaptureCells) -> None:
    path = cells.columns["path"].to_list()
    wanted = [n for n, each in enumerate(path) if each.endswith(r"\% Run")]
    tiers = np.ones(len(cells), np.int64)
    tiers[wanted] = 0
    some = set(names(embedded(cells, tiers, 30_000)))
    moving = cells.read(np.array(wanted))
    changed = [n for n, row in zip(wanted, moving.values, strict=True) if len(set(row.tolist())) > 1]
    instance, counter = cells.columns["instance"].to_list(), cells.columns["counter"].to_list()
    assert {(instance[n], counter[n]) for n in changed} <= some
    few, many = (set(names(embedded(cells, None, budget))) for budget in (30_000, 60_000))
    assert few < many, "a larger budget holds what a smaller one does"


def test_things_stand_in_the_order_of_the_capture(cells: CaptureCells) -> None:
    index = embedded(cells, None, 40_000).index
    things, objects = index["things"], index["objects"]
    every = cells.columns.select("object", "instance").unique(maintain_order=True).rows()
    named = [(objects[obj], instance) for obj, instance, _ in things]
    assert named == [thing for thing in every if thing in set(named)]


def test_thresholds_are_those_of_rules_that_judge_the_counter_itself() -> None:
    found = thresholds_of(shipped())
    levels = {(rule.id, level.severity, level.threshold) for rule in RULES for level in rule.levels}
    assert all((rule, severity, value) in levels for each in found.values() for severity, value, rule in each)
    assert {rule for _, _, rule in found[r"Vcpu\% Ready"]} >= {"cpu-ready"}


def page(tmp_path: Path, *words: str) -> str:
    target = tmp_path / "host01-report.html"
    done = subprocess.run(
        [*ESXPROBE, *words, "-o", str(target)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return target.read_text(encoding="utf-8")


def test_the_way_that_the_doc_shows_reads_every_value(tmp_path: Path) -> None:
    page(tmp_path, "report", str(CAPTURE), "--embed", "all", "--all-counters")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(), re.DOTALL)
    code = "\n".join(block for block in blocks if "zlib" in block or "np.cumsum" in block)
    tail = "print(json.dumps([[path, *map(str, values)] for path, values in series()]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tail}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    told = {path: [float(each) for each in values] for path, *values in json.loads(done.stdout)}
    cells = read_with_cells([CAPTURE], {}, every=True).cells
    values = cells.read(np.arange(len(cells))).values
    unique = cells.columns["path"].is_unique().to_list()
    for path, alone, row in zip(cells.columns["path"].to_list(), unique, values, strict=True):
        if alone:
            np.testing.assert_array_equal(told[path], row, err_msg=path)


def test_no_series_and_no_panel_where_none_are_asked_for(tmp_path: Path) -> None:
    text = page(tmp_path, "report", str(CAPTURE), "--embed", "0")
    assert 'id="explore"' not in text
    assert bytes_of(text, "series") == []
    with pytest.raises(KeyError):
        part_of(text, "series")


@pytest.mark.parametrize("command", ["report", "explore"])
def test_a_redacted_page_has_no_name_in_its_series(tmp_path: Path, command: str) -> None:
    text = page(tmp_path, command, str(CAPTURE), "--redact", "--embed", "all")
    index = json.loads(part_of(text, "series"))
    assert bytes_of(text, "series")
    named = [index["host"], *(thing[1] for thing in index["things"]), *(vm[0] for vm in index["vms"])]
    originals = json.loads((tmp_path / ".esxprobe-redaction-map.json").read_text())
    for vm in read_with_cells([CAPTURE], all_needs()).cells.vms:
        assert not [each for each in named if vm.name in each], "a VM's name is in the page"
        assert vm.name in json.dumps(originals, ensure_ascii=False)
    assert index["host"].startswith("host-")
    assert {vm[0].partition("-")[0] for vm in index["vms"]} == {"vm"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["report", "--embed", "much"], "--embed 'much' is not a valid size"),
        (["report", "--embed", "0", "--all-counters"], "--all-counters needs --embed"),
        (["explore", "--embed", "0"], "--embed 0 leaves nothing to explore"),
    ],
)
def test_words_that_do_not_fit_are_refused(tmp_path: Path, words: list[str], complaint: str) -> None:
    done = subprocess.run(
        [*ESXPROBE, *words, str(CAPTURE)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert complaint in done.stderr
