"""A capture against a baseline, counter by counter: who is matched with whom, and what is said of them."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hostsim import VmPlan, plan_of_width, write_capture
from hypothesis import given
from hypothesis import strategies as st
from shippedbook import BOOK

from esxprobe.analyze import CaptureInput, Measured, compare_with, describe, judge_described, measured, read_capture
from esxprobe.analyze.levels import LEVEL_NEEDS, CounterLevels
from esxprobe.analyze.shifts import not_in_both, shifts
from esxprobe.arrays import Floats
from esxprobe.catalog import find
from esxprobe.model import CaptureSummary, Comparison, CounterShift, Entity
from esxprobe.report.document import document
from esxprobe.report.shifts import PICTURE, shift_specs, shifts_panel
from esxprobe.rules import shipped
from esxprobe.rules.matters import SMALLEST, is_large, matters, thresholds_of

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "analysis.schema.json").read_text(encoding="utf-8"))
READY, RUN, SWCUR = r"Vcpu\% Ready", r"Vcpu\% Run", r"Group Memory\Swapped MBytes"
LENGTH = 200
SUMMARY = CaptureSummary(
    host="esx01", build="", started=None, ended=None, interval_s=5.0, samples=200, judged=200, columns=9,
    unnamed_columns=0, unknown_columns=0, groups=1, worlds=1, rows=200, closure=None, observer_pct=None, zone="",
    date_known=True, files=(), objects=(),
)  # fmt: skip


def capture(
    counters: dict[str, dict[str, Floats]], *, gid: int = 1000, interval_s: float = 5.0, vcpus: int = 2
) -> Measured:
    """What was measured of some VMs: values by counter and VM's name."""
    found = {}
    for path, rows in counters.items():
        things = {name: Entity("vm", name, str(gid + n)) for n, name in enumerate(rows)}
        found["vm", path] = CounterLevels(things, np.stack(list(rows.values())))
    names = {name for rows in counters.values() for name in rows}
    return Measured(found, np.zeros(LENGTH, dtype=np.int64), interval_s, dict.fromkeys(names, vcpus))


def noise(level: float, seed: int, size: float = 1.0) -> Floats:
    return np.random.default_rng(seed).normal(level, size, LENGTH)


def only(found: tuple[CounterShift, ...], name: str = "web01", counter: str = READY) -> CounterShift:
    (one,) = [each for each in found if each.entity.name == name and each.counter == counter]
    return one


def test_a_vm_is_found_again_by_its_name_whatever_its_group_id_is_now() -> None:
    before = capture({READY: {"db": noise(5, 1), "web01": noise(2, 2)}}, gid=1000)
    now = capture({READY: {"web01": noise(9, 3), "db": noise(5, 4)}}, gid=7000)
    found = shifts(before, now)
    assert only(found).verdict == "regressed"
    assert only(found).entity.id == "7000"
    assert only(found).shift == pytest.approx(7, abs=0.4)
    assert only(found).ci_low < 7 < only(found).ci_high
    assert only(found, "db").verdict == "unchanged"
    assert found[0].verdict == "regressed", "the worst comes first"


@pytest.mark.parametrize(
    ("counter", "before", "now", "verdict"),
    [
        (READY, 2, 9, "regressed"),
        (READY, 9, 2, "improved"),
        (RUN, 20, 60, "moved"),
        (RUN, 60, 20, "moved"),
        (r"Memory\Free MBytes", 9000, 7500, "regressed"),
        (r"Memory\Free MBytes", 7500, 9000, "improved"),
        (READY, 5, 5, "unchanged"),
    ],
)
def test_which_way_is_worse_is_known_from_the_catalog(
    counter: str, before: float, now: float, verdict: str
) -> None:
    pair = (capture({counter: {"web01": noise(level, seed)}}) for seed, level in ((1, before), (2, now)))
    assert only(shifts(*pair), counter=counter).verdict == verdict


def test_unchanged_says_what_could_have_been_seen() -> None:
    found = only(shifts(capture({READY: {"web01": noise(5, 1)}}), capture({READY: {"web01": noise(5, 2)}})))
    assert found.verdict == "unchanged"
    assert 0.1 < found.least_shift < 0.5
    assert found.ci_low < 0 < found.ci_high


def test_a_sure_difference_that_is_tiny_is_slight() -> None:
    many = [np.random.default_rng(seed).normal(level, 1, LENGTH * 40) for seed, level in ((1, 5), (2, 5.1))]
    pair = [
        Measured(
            {("vm", READY): CounterLevels({"web01": Entity("vm", "web01", "1")}, values[None])},
            np.zeros(LENGTH * 40, dtype=np.int64), 5.0, {"web01": 1},
        )
        for values in many
    ]  # fmt: skip
    found = only(shifts(*pair))
    assert found.q < 0.01
    assert found.verdict == "slight"


def test_what_stands_still_is_told_and_not_tested() -> None:
    flat = np.zeros(LENGTH)
    before = capture({SWCUR: {"web01": flat, "db": flat}})
    now = capture({SWCUR: {"web01": flat + 512, "db": flat}})
    found = shifts(before, now)
    swapped, calm = only(found, counter=SWCUR), only(found, "db", SWCUR)
    assert (swapped.verdict, swapped.reason, swapped.now) == ("regressed", "standstill", (512, 512, 512))
    assert (calm.verdict, calm.reason) == ("unchanged", "standstill")
    assert np.isnan([swapped.p, swapped.q]).all()


LAT_RD, KAVG = r"Virtual Disk\Average MilliSec/Read", r"Physical Disk SCSI Device\Average Kernel MilliSec/Command"


@pytest.mark.parametrize(
    ("counter", "before", "now", "verdict"),
    [
        (LAT_RD, 1.90, 2.15, "slight"),  # nobody feels a quarter of a millisecond
        (LAT_RD, 2.0, 2.9, "slight"),
        (LAT_RD, 2.0, 3.2, "regressed"),
        (LAT_RD, 3.2, 2.0, "improved"),
        (LAT_RD, 17.0, 18.5, "slight"),  # more than 1 ms, less than a fifth
        (LAT_RD, 19.3, 20.6, "regressed"),  # the same across a threshold of vdisk-latency
        (LAT_RD, 20.6, 19.3, "improved"),
        (LAT_RD, 19.8, 20.2, "slight"),  # a threshold is no reason to call nothing something
        (READY, 2.0, 3.5, "slight"),
        (READY, 4.0, 6.5, "regressed"),
        (RUN, 20, 23, "slight"),
        (RUN, 20, 27, "moved"),
        (KAVG, 0.2, 0.6, "slight"),
        (KAVG, 0.2, 0.8, "regressed"),
    ],
)
def test_a_change_needs_a_size_that_matters(counter: str, before: float, now: float, verdict: str) -> None:
    pair = [capture({counter: {"web01": noise(level, seed, 0.05)}}) for seed, level in ((1, before), (2, now))]
    found = only(shifts(*pair, shipped()), counter=counter)
    assert found.q < 0.001, "it is there, beyond doubt"
    assert found.verdict == verdict
    assert found.matters_from >= SMALLEST[counter].absolute


def test_drops_in_a_part_of_the_samples_are_seen_though_the_median_is_0() -> None:
    drops = r"Network Port\% Outbound Packets Dropped"
    rng = np.random.default_rng(3)
    some = np.where(rng.random(LENGTH) < 0.4, 5.0, 0.0)
    found = only(
        shifts(capture({drops: {"web01": np.zeros(LENGTH)}}), capture({drops: {"web01": some}})), "web01", drops
    )
    assert (found.verdict, found.before[1], found.now[1]) == ("regressed", 0, 0)


UNTESTED = [("interval", {"interval_s": 10.0}), ("vcpus", {"vcpus": 4})]


@pytest.mark.parametrize(("reason", "more"), UNTESTED)
@pytest.mark.parametrize(("now", "verdict"), [(9.0, "untested"), (6.0, "incomparable")])
def test_under_other_conditions_only_what_is_large_is_shown_and_untested(
    reason: str, more: dict[str, float], now: float, verdict: str
) -> None:
    found = only(
        shifts(capture({READY: {"web01": noise(2, 1)}}), capture({READY: {"web01": noise(now, 2)}}, **more))  # type: ignore[arg-type]
    )
    assert (found.verdict, found.reason) == (verdict, reason)
    assert found.now[1] == pytest.approx(now, abs=0.3), "the numbers are there all the same"


def few(level: float, count: int = 6, size: float = 0.5) -> Measured:
    """A capture in which a VM has so few values."""
    values = np.full(LENGTH, np.nan)
    values[:count] = np.random.default_rng(count).normal(level, size, count)
    return capture({READY: {"web01": values}})


@pytest.mark.parametrize(
    ("before", "now", "size", "verdict"),
    [
        (2.0, 40.0, 0.5, "untested"),
        (40.0, 2.0, 0.5, "untested"),
        (2.0, 7.0, 0.5, "incomparable"),  # below three times what matters
        (2.0, 20.0, 40.0, "incomparable"),  # the quartiles reach into each other
    ],
)
def test_a_large_move_is_shown_though_there_are_too_few_samples(
    before: float, now: float, size: float, verdict: str
) -> None:
    found = shifts(few(before, size=size), few(now, 7, size))
    assert (only(found).verdict, only(found).reason) == (verdict, "few-samples")
    panel = shifts_panel(Comparison(SUMMARY, (), (), (), (), 0, (), shifts=found), "")
    assert panel is not None
    ((counter, size, source),) = panel.limits
    assert (counter, size) == (
        "%RDY",
        "2 points and 20 % of the larger value, or 2 points across a threshold of cpu-ready",
    )
    assert source.startswith("rule of thumb: ")
    if verdict == "untested":
        assert panel.rows[0].remark.startswith("not tested: 6 and 7 samples, worth ")
        assert (panel.rows[0].verdict, panel.rows[0].chance) == ("not tested", "–")
        assert "(" not in panel.rows[0].shift, "no interval of what was not tested"
    else:
        assert not panel.rows


def test_a_standstill_of_few_samples_is_no_proof() -> None:
    pair = [few(level, size=0.0) for level in (2.0, 40.0)]
    assert (only(shifts(*pair)).verdict, only(shifts(*pair)).reason) == ("untested", "standstill")


def test_a_series_that_wanders_is_worth_too_little() -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(size=LENGTH))
    found = only(shifts(capture({READY: {"web01": walk}}), capture({READY: {"web01": walk[::-1] + 2}})))
    assert (found.verdict, found.reason) == ("incomparable", "few-samples")


def test_every_compared_counter_has_a_smallest_change_with_its_source() -> None:
    compared = {path for kind, paths in LEVEL_NEEDS.items() for path in paths if kind != "pcpu"}
    assert compared == set(SMALLEST)
    known = {rule.id for rule in shipped().rules}
    for path, entry in SMALLEST.items():
        assert find(*path.split("\\", 1)) is not None
        assert entry.absolute > 0
        assert 0 < entry.share < 1
        assert entry.sources[0].text.startswith("rule of thumb: "), "nobody has published one"
        assert known.issuperset(entry.rules), path
        assert bool(entry.rules) == bool(thresholds_of(path, shipped()))


levels = st.floats(0, 1e4, allow_nan=False)


@given(st.sampled_from(sorted(SMALLEST)), levels, levels, st.lists(levels, max_size=3))
def test_what_matters_one_way_matters_the_other_way(
    path: str, before: float, now: float, thresholds: list[float]
) -> None:
    assert matters(path, before, now, thresholds) == matters(path, now, before, thresholds)
    if matters(path, before, now):
        assert matters(path, before, now, thresholds), "a threshold takes nothing away"
        assert abs(now - before) >= SMALLEST[path].of(before, now)
    if is_large(path, (before,) * 3, (now,) * 3):
        assert matters(path, before, now)
    assert not matters(path, before, before, thresholds)


@given(st.sampled_from(sorted(SMALLEST)), levels, levels, st.floats(0, 1e4))
def test_more_of_the_same_matters_as_well(path: str, before: float, change: float, more: float) -> None:
    if matters(path, before, before + change):
        assert matters(path, before, before + change + more)


def test_names_that_repeat_are_not_compared() -> None:
    before = capture({READY: {"web01": noise(2, 1)}})
    twice = CounterLevels({"web01": Entity("vm", "web01", "1")}, noise(9, 2)[None], frozenset({"web01"}))
    now = Measured({("vm", READY): twice}, before.stretch, 5.0, {"web01": 1})
    assert only(shifts(before, now)).reason == "name-repeats"


def test_a_load_that_moved_is_said_beside_the_rest() -> None:
    before = capture(
        {RUN: {"web01": noise(20, 1), "db": noise(20, 2)}, READY: {"web01": noise(2, 3), "db": noise(2, 4)}}
    )
    now = capture(
        {RUN: {"web01": noise(80, 5), "db": noise(20, 6)}, READY: {"web01": noise(9, 7), "db": noise(9, 8)}}
    )
    found = shifts(before, now)
    assert only(found).load_moved
    assert not only(found, "db").load_moved
    assert not only(found, counter=RUN).load_moved


def test_who_came_who_went_and_what_only_one_has() -> None:
    before = capture({READY: {"web01": noise(2, 1), "old": noise(2, 2)}, RUN: {"web01": noise(2, 1)}})
    now = capture({READY: {"web01": noise(2, 3), "new": noise(2, 4)}})
    came, went, lacking = not_in_both(before, now)
    assert ([each.name for each in came], [each.name for each in went], lacking) == (["new"], ["old"], (RUN,))


def test_two_captures_from_end_to_end(tmp_path: Path) -> None:
    """The same host twice; in the second capture one VM waits."""
    made: list[Measured] = []
    analyses = []
    for name, ready in (("now", 22.0), ("before", 3.0)):
        plan = plan_of_width(4000, 121)
        vms = tuple(
            VmPlan(
                vm.name, vm.gid + 5000 * (name == "now"), vm.vcpus, vm.memory_mb, ready_pct=ready if n == 0 else 3.0
            )
            for n, vm in enumerate(plan.vms)
        )
        from dataclasses import replace

        write_capture(tmp_path / f"{name}.csv", replace(plan, vms=vms))
        capture = CaptureInput([tmp_path / f"{name}.csv"])
        recording = read_capture(capture, book=BOOK, with_levels=True)
        made.append(measured(recording))
        analyses.append(judge_described(describe(recording, capture, book=BOOK), book=BOOK))
    comparison = compare_with(*analyses, *made)
    first = comparison.shifts[0]
    assert (first.verdict, first.counter, first.entity.name) == ("regressed", READY, analyses[0].vms[0].name)
    changed = [each for each in comparison.shifts if each.verdict == "regressed" and each.counter == READY]
    assert len(changed) == 1, "the other VMs' %RDY is as it was"
    said = document(replace(analyses[0], comparison=comparison))
    jsonschema.validate(said, SCHEMA)
    assert said["comparison"]["shifts"][0]["verdict"] == "regressed"
    panel = shifts_panel(comparison, "<svg></svg>")
    assert panel is not None
    assert panel.rows[0].counter == "%RDY, mean of its vCPUs [%]"
    assert "may be so by chance" in panel.summary
    assert "not why" in panel.summary
    spec = shift_specs(comparison)[PICTURE]
    assert spec["vconcat"][0]["data"]["values"][0]["w"] == "baseline"
