"""A capture that is judged a few entities and a few samples at a time gives exactly what one piece gives.

The sizes of the parts are constants; here they are set to bytes, so that small captures fall into many.
"""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache, reduce
from operator import add
from pathlib import Path

import numpy as np
import pytest
from day import write_day
from hostsim import USER_GROUPS, HostPlan, VmPlan, write_capture
from hypothesis import given
from hypothesis import strategies as st
from scenario import FOLDER, scenario_of
from shippedbook import all_needs, analyze

from esxprobe import series
from esxprobe.analyze import GuestOptions
from esxprobe.capture import load_capture
from esxprobe.formats import column_store, spill
from esxprobe.formats.esxtop import read_esxtop
from esxprobe.report.document import render_json
from esxprobe.rules import judge as judging
from esxprobe.rules import parts as rule_parts
from esxprobe.rules import shipped
from esxprobe.rules.evaluate import judged_values
from esxprobe.rules.parts import taken_together
from esxprobe.rules.skips import why_skipped

HOME = Path(__file__).parents[2]
REAL = HOME.parent / "shared/data/esxtop/esxi6-all-fields.csv"
START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)
SMALL = HostPlan(
    host="small.example.com",
    pcpus=4,
    vms=(VmPlan("stays", 1_200_100, 2, 2048, ready_pct=25.0), VmPlan("quiet", 1_200_400, 4, 4096)),
    user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
    system_worlds=1,
    helper_worlds=1,
    power_states=("%C-State C0",),
    samples=61,
    start=START,
)
# Bytes that are worked on at a time, bytes of a block, and bytes that are held in memory.
ONE_BY_ONE, SOME, MANY = (1, 1, 0), (60_000, 80_000, 300_000), (1_000_000, 2_000_000, 0)


def in_parts_of(monkeypatch: pytest.MonkeyPatch, part: int, block: int, budget: int) -> None:
    monkeypatch.setattr(series, "PART", part)
    monkeypatch.setattr(column_store, "BLOCK", block)
    monkeypatch.setattr(spill, "BUDGET", budget)
    monkeypatch.setattr(rule_parts, "_BUDGET", budget)
    monkeypatch.setattr(judging, "_BUDGET", budget)


def folder(name: str) -> str:
    path = HOME / "samples" / name
    capture = load_capture(path)
    guests = GuestOptions(folder=path)
    return render_json(analyze(capture.paths, manifest=capture.manifest, guests=guests))


def files(paths: Sequence[Path]) -> str:
    return render_json(analyze(paths))


@cache
def in_one_piece(name: str) -> str:
    """A sample, judged at once, for all sizes of parts."""
    return folder(name)


def same(monkeypatch: pytest.MonkeyPatch, judged: Callable[[], str], sizes: Sequence[tuple[int, int, int]]) -> None:
    whole = judged()
    for size in sizes:
        with monkeypatch.context() as patch:
            in_parts_of(patch, *size)
            assert judged() == whole, f"parts of {size} bytes"


# One by one takes long: the host of the hardware MMU is that of the software MMU, demo's size has the real capture.
@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("software-mmu", ONE_BY_ONE),
        *((name, size) for name in ("demo", "hardware-mmu", "software-mmu") for size in (SOME, MANY)),
    ],
)
def test_the_samples_are_the_same_in_parts(monkeypatch, name, size):
    whole = in_one_piece(name)
    in_parts_of(monkeypatch, *size)
    assert folder(name) == whole, f"parts of {size} bytes"


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("noisy-neighbor", [SOME]),
        ("slow-path", [ONE_BY_ONE, SOME]),
        ("vmotion-arrival", [SOME]),  # its segments are those of the test below
        ("interrupt-load", [ONE_BY_ONE, SOME]),
    ],
)
def test_what_is_wrong_with_a_host_is_found_in_parts(monkeypatch, tmp_path, name, sizes):
    paths = scenario_of(FOLDER / f"{name}.toml").write(tmp_path)
    same(monkeypatch, lambda: files(paths), sizes)


def test_segments_with_vms_that_come_and_leave_are_the_same_in_parts(monkeypatch, tmp_path):
    """One after the other, with a hole between them, and out of order."""
    leaves, comes = VmPlan("leaves", 1_200_200, 1, 1024), VmPlan("comes", 1_200_300, 1, 1024, ready_pct=30.0)
    plans = [
        replace(SMALL, vms=(*SMALL.vms, leaves)),
        replace(SMALL, vms=(*SMALL.vms, comes), start=START + timedelta(seconds=310)),
        replace(SMALL, vms=(comes, *SMALL.vms), start=START + timedelta(seconds=1_310)),
    ]
    paths = []
    for number, plan in enumerate(plans):
        paths.append(tmp_path / f"{number}.csv")
        write_capture(paths[-1], plan)
    same(monkeypatch, lambda: files(paths), [ONE_BY_ONE, SOME])
    same(monkeypatch, lambda: files(paths[::-1]), [SOME])


def test_damaged_rows_are_the_same_in_parts(monkeypatch, tmp_path):
    """Short rows, repeated headers, stamps that jump, cells that say nothing, inf and marks for none."""
    path = tmp_path / "damaged.csv"
    write_capture(path, SMALL)
    lines = path.read_bytes().split(b"\n")
    lines[7] = lines[7][: len(lines[7]) // 2]
    lines[12] = lines[12].replace(b',"0.00"', b',""', 30)
    lines[13] = lines[13].replace(b',"0.00"', b',"inf"', 5)
    lines[14] = lines[14].replace(b',"0.00"', b',"-1"', 40)
    lines[20], lines[21] = lines[21], lines[20]
    lines[30:30] = [lines[0]]
    del lines[40:44]
    path.write_bytes(b"\n".join(lines))
    whole = files([path])
    assert all(code in whole for code in ("repeated-header", "time-backwards", "bad-cell", "blank-cell"))
    same(monkeypatch, lambda: files([path]), [ONE_BY_ONE, SOME])


def test_the_real_capture_is_the_same_in_parts(monkeypatch):
    if not REAL.exists():
        pytest.skip(f"REAL CAPTURE ABSENT, NOT TESTED: {REAL}")
    same(monkeypatch, lambda: files([REAL]), [ONE_BY_ONE, SOME])


def test_a_rule_comes_once_for_each_part_of_its_entities(monkeypatch, tmp_path):
    path = tmp_path / "small.csv"
    write_capture(path, SMALL)
    recording = read_esxtop([path], all_needs())
    rules = [rule for rule in shipped().rules if not why_skipped(rule, recording)]
    assert set(Counter(rule.id for rule, _ in judged_values(rules, recording)).values()) == {1}
    monkeypatch.setattr(series, "PART", 1)
    times = Counter(rule.id for rule, _ in judged_values(rules, recording))
    for rule in rules:
        assert times[rule.id] == (1 if rule.entity == "capture" else len(recording.values.entities(rule.entity)))


@given(
    st.lists(st.integers(1, 12) | st.integers(50, 300), min_size=1, max_size=5),
    st.integers(1, 9),
    st.sampled_from(["max", "min", "mean", "median", "sum", "count"]),
    st.randoms(use_true_random=False),
)
def test_members_taken_together_do_not_depend_on_their_neighbors_in_time(sizes, samples, how, random):
    """To the last bit: sums of the same numbers in another order are other numbers."""
    cells = [random.choice([float("nan"), random.uniform(0, 1e6), 0.1]) for _ in range(sum(sizes) * samples)]
    members = np.array(cells).reshape(-1, samples)
    starts = np.cumsum([0, *sizes[:-1]])
    whole = taken_together(how, members, starts)
    single = [taken_together(how, members[:, n : n + 1], starts) for n in range(samples)]
    assert whole.tobytes() == np.concatenate(single, axis=1).tobytes()
    for row, part in zip(whole, np.split(members, starts[1:]), strict=True):
        slow = {"max": max, "min": min, "sum": added, "count": len}.get(how)
        for value, column in zip(row, part.T, strict=True):
            known = column[~np.isnan(column)].tolist()
            if slow and (known or how == "count"):
                assert value == slow(known), "in this order"
            elif known:
                assert value == pytest.approx(np.mean(known) if how == "mean" else np.median(known))


def added(numbers: Sequence[float]) -> float:
    """One after the other, rounded each time; `sum` of newer Pythons is more exact than that."""
    return reduce(add, numbers)


PEAK = """
import resource, sys
from pathlib import Path
from esxprobe import series
from esxprobe.formats import column_store, spill
series.PART = column_store.BLOCK = 1 << 20
spill.BUDGET = 1 << 20
from esxprobe.analyze import CaptureInput, analyze
from esxprobe.rules import shipped
analyze(CaptureInput([Path(sys.argv[1])]), book=shipped())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak_mb(path: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", PEAK, path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(HOME)},
    )
    return float(done.stdout)


@pytest.mark.slow
def test_memory_does_not_follow_the_length_of_the_file(tmp_path):
    """Eight times the samples are 60 MB more of wanted cells, and more of what the rules make of them."""
    peaks = []
    for samples in (400, 3_200):
        write_day(tmp_path / "long.csv", 10_000, samples)
        peaks.append(peak_mb(tmp_path / "long.csv"))
    print(peaks)
    assert peaks[1] - peaks[0] < 50, peaks
