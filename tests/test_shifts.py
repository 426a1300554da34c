"""A capture against a baseline, counter by counter: who is matched with whom, and what is said of them."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hostsim import VmPlan, plan_of_width, write_capture
from shippedbook import analyze

from esxprobe.analyze import Measured, compare_with
from esxprobe.analyze.levels import CounterLevels
from esxprobe.analyze.shifts import not_in_both, shifts
from esxprobe.model import CounterShift, Entity
from esxprobe.report.document import document
from esxprobe.report.shifts import PICTURE, shift_specs, shifts_panel
from esxprobe.series import Floats

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "analysis.schema.json").read_text(encoding="utf-8"))
READY, RUN, SWCUR = r"Vcpu\% Ready", r"Vcpu\% Run", r"Group Memory\Swapped MBytes"
LENGTH = 200


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
        (r"Memory\Free MBytes", 900, 800, "regressed"),
        (r"Memory\Free MBytes", 800, 900, "improved"),
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


def test_a_sure_difference_that_is_tiny_is_unchanged() -> None:
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
    assert found.verdict == "unchanged"


def test_what_stands_still_is_told_and_not_tested() -> None:
    flat = np.zeros(LENGTH)
    before = capture({SWCUR: {"web01": flat, "db": flat}})
    now = capture({SWCUR: {"web01": flat + 512, "db": flat}})
    found = shifts(before, now)
    swapped, calm = only(found, counter=SWCUR), only(found, "db", SWCUR)
    assert (swapped.verdict, swapped.reason, swapped.now) == ("regressed", "standstill", (512, 512, 512))
    assert (calm.verdict, calm.reason) == ("unchanged", "standstill")
    assert np.isnan([swapped.p, swapped.q]).all()


@pytest.mark.parametrize(
    ("reason", "more"),
    [("interval", {"interval_s": 10.0}), ("vcpus", {"vcpus": 4})],
)
def test_other_conditions_are_not_comparable(reason: str, more: dict[str, float]) -> None:
    before = capture({READY: {"web01": noise(2, 1)}})
    now = capture({READY: {"web01": noise(9, 2)}}, **more)  # type: ignore[arg-type]
    found = only(shifts(before, now))
    assert (found.verdict, found.reason) == ("incomparable", reason)
    assert found.now[1] == pytest.approx(9, abs=0.3), "the numbers are there all the same"


def test_a_series_that_wanders_is_worth_too_little() -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(size=LENGTH))
    found = only(shifts(capture({READY: {"web01": walk}}), capture({READY: {"web01": walk[::-1] + 20}})))
    assert (found.verdict, found.reason) == ("incomparable", "few-samples")


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
        analyses.append(analyze([tmp_path / f"{name}.csv"], held=made.append))
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
