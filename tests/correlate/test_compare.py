"""One VM in two captures: what may be attributed to the monitor mode, and what may not."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace

import pytest
from faultsim import Plan, simulate
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.correlate import fault_costs
from esxprobe.correlate.compare import HostWork, Setting, compare, hosts_side_by_side, with_comparison
from esxprobe.model import FaultCost, FaultRates, GuestLoad, Mmu

SAME = Setting(
    cpu_model="Xeon E5345",
    build="VMware ESXi 6.5.0 build-4564106",
    vcpus=2,
    power_policy="Balanced",
    clock_pct=98.0,
)


def cost(
    mmu: Mmu, run_pct: float, *, rate: float = 20_000.0, user: float = 40.0, system: float = 10.0, **more: object
) -> FaultCost:
    made = FaultCost(
        vm="web01",
        gid="1",
        guest_counter="soft_faults",
        host_counter="%RUN",
        mmu=mmu,
        verdict="possible",
        rates=FaultRates(rate, rate, rate, 360, run_pct, 0.5),
        load=GuestLoad(user, system, more.pop("switches", 2000.0)),
    )
    return replace(made, **more)


def test_the_same_work_under_both_modes_shows_what_the_software_mmu_cost() -> None:
    found = compare(cost("software", 80.0), cost("hardware", 60.0), SAME, SAME)
    assert found.attributed
    assert found.extra_pct == pytest.approx(20.0)
    assert found.extra_us == pytest.approx(10.0)
    assert found.extra_low == pytest.approx(20 - 1.96 * math.hypot(0.5, 0.5))
    assert "The software MMU cost 20.0 % of one vCPU under this workload" in found.statement
    judged = with_comparison(cost("software", 80.0), found)
    assert judged.verdict == "severe"
    assert "Compared with the baseline: web01 took" in judged.statement
    assert judged.statement.endswith("Severe: 10 % of one vCPU or more (rule of thumb).")


def test_two_captures_the_other_way_round_say_the_same() -> None:
    found = compare(cost("hardware", 60.0), cost("software", 80.0), SAME, SAME)
    assert found.attributed
    assert found.extra_pct == pytest.approx(20.0)
    assert with_comparison(cost("hardware", 60.0), found) == cost("hardware", 60.0)


def test_what_the_loads_differ_by_is_taken_off() -> None:
    found = compare(cost("software", 80.0, user=43.0, system=10.5), cost("hardware", 60.0), SAME, SAME)
    assert found.attributed
    assert found.extra_low == pytest.approx(20 - 3.5 - 1.96 * math.hypot(0.5, 0.5))
    little = compare(cost("software", 63.0, user=43.0), cost("hardware", 60.0), SAME, SAME)
    assert not little.attributed
    assert "not larger than the other differences between the two captures" in little.statement


OTHERS = {
    "CPU model": replace(SAME, cpu_model="Xeon X5570"),
    "release and build": replace(SAME, build="VMware ESXi 6.7.0 build-8169922"),
    "vCPUs": replace(SAME, vcpus=4),
    "power policy": replace(SAME, power_policy="High Performance"),
    "PCPU clock (%A/MPERF)": replace(SAME, clock_pct=80.0),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_machine_is_named_and_not_attributed(name: str) -> None:
    found = compare(cost("software", 80.0), cost("hardware", 60.0), SAME, OTHERS[name])
    assert not found.attributed
    assert "These two captures do not show how much of it was the cost of the software MMU." in found.statement
    assert name in found.statement


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"user": 50.0}, "user time (50.0 % of one vCPU, baseline 40.0 % of one vCPU)"),
        ({"system": 11.5}, "system time"),
        ({"switches": 2500.0}, "context switches"),
        ({"rate": 30_000.0}, "soft page faults"),
        ({"system": math.nan}, "Not known in both captures: system time."),
        ({"user": math.nan}, "Not known in both captures: user time."),
    ],
    ids=lambda value: str(value)[:30],
)
def test_other_work_is_named_and_not_attributed(changed: dict[str, float], named: str) -> None:
    found = compare(cost("software", 80.0, **changed), cost("hardware", 60.0), SAME, SAME)
    assert not found.attributed
    assert named in found.statement


@pytest.mark.parametrize(
    ("policies", "clocks", "same"),
    [
        (("Balanced", "Balanced"), (98.0, 93.0), True),  # counted, within a tenth
        (("Balanced", "Balanced"), (98.0, 80.0), False),
        (("Balanced", "Balanced"), (98.0, math.nan), None),
        (("Balanced", "Balanced"), (math.nan, math.nan), None),  # it may have been lowered
        (("High Performance", "High Performance"), (math.nan, math.nan), True),
        (("static", "static"), (math.nan, math.nan), True),
        (("High Performance", "Balanced"), (math.nan, math.nan), None),
        (("", ""), (math.nan, math.nan), None),
        (("", ""), (100.0, 100.0), True),
    ],
)
def test_a_clock_agrees_when_it_was_counted_or_could_not_be_lowered(
    policies: tuple[str, str], clocks: tuple[float, float], same: bool | None
) -> None:
    here, there = (
        replace(SAME, power_policy=policy, clock_pct=clock) for policy, clock in zip(policies, clocks, strict=True)
    )
    found = compare(cost("software", 80.0), cost("hardware", 60.0), here, there)
    (clock,) = [each for each in found.likenesses if each.name.startswith("PCPU clock")]
    assert clock.same is same
    assert found.attributed == (same is True and policies[0] == policies[1])
    assert ("The software MMU cost" in found.statement) == found.attributed


def test_hosts_are_put_side_by_side_by_machine_and_work() -> None:
    here = HostWork(replace(SAME, vcpus=40), 12, 61.0, 900.0, 1, 20_000.0)
    same = hosts_side_by_side(here, replace(here, util_pct=58.0, commands_s=850.0))
    assert all(each.same for each in same)
    names = [each.name for each in same]
    assert names == [
        "CPU model", "release and build", "vCPUs", "power policy", "PCPU clock (%A/MPERF)", "VMs",
        "PCPU UTIL(%), p95", "CMDS/s of all devices", "page faults of 1 guest logged in both",
    ]  # fmt: skip
    other = hosts_side_by_side(here, replace(here, vms=13, util_pct=30.0, commands_s=math.nan, guests=0))
    assert {each.name: each.same for each in other if not each.same} == {
        "VMs": False,
        "PCPU UTIL(%), p95": False,
        "CMDS/s of all devices": None,
    }


PARTS = st.sampled_from(["cpu_model", "build", "clock_pct", "vcpus", "power_policy"])


@given(st.sets(PARTS, min_size=1), st.booleans())
def test_no_cost_is_named_while_anything_of_the_machine_differs_or_is_unknown(parts: set[str], known: bool) -> None:
    other = {
        "cpu_model": "Xeon X5570",
        "build": "another",
        "clock_pct": 70.0,
        "vcpus": 4,
        "power_policy": "Low Power",
    }
    none = {"cpu_model": "", "build": "", "clock_pct": math.nan, "vcpus": 0, "power_policy": ""}
    there = replace(SAME, **{part: (other if known else none)[part] for part in parts})
    found = compare(cost("software", 80.0), cost("hardware", 60.0), SAME, there)
    assert not found.attributed
    assert " cost 20" not in found.statement
    assert "not proof" not in found.statement


def test_a_host_that_is_not_known_proves_nothing() -> None:
    found = compare(cost("software", 80.0), cost("hardware", 60.0), Setting(), Setting())
    assert not found.attributed
    assert (
        "Not known in both captures: CPU model, release and build, vCPUs, PCPU clock (%A/MPERF)." in found.statement
    )


@pytest.mark.parametrize("modes", [("software", "software"), ("hardware", "hardware"), ("unknown", "hardware")])
def test_without_a_change_of_mode_nothing_is_attributed(modes: tuple[Mmu, Mmu]) -> None:
    found = compare(cost(modes[0], 80.0), cost(modes[1], 60.0), SAME, SAME)
    assert not found.attributed
    assert "cost" not in found.statement


def test_less_time_under_the_software_mmu_shows_no_cost() -> None:
    found = compare(cost("software", 59.0), cost("hardware", 60.0), SAME, SAME)
    assert not found.attributed
    assert "no cost of it is shown" in found.statement


def test_sentences_are_whole_in_every_case() -> None:
    runs, settings = (59.0, 60.5, 80.0, math.nan), (SAME, Setting(), OTHERS["CPU model"])
    for one, other, run, setting in itertools.product(
        ("software", "hardware", "unknown"), ("software", "hardware"), runs, settings
    ):
        found = compare(cost(one, run), cost(other, 60.0), SAME, setting)
        assert found.statement.endswith(".")
        assert not re.search(r"\bnan\b|_|None|  |\.\.|\bus\b", found.statement), found.statement


@pytest.mark.parametrize("work", ["load", "co", "anti", "fork"])
def test_simulated_pairs_with_equal_costs_are_never_told_apart_by_other_kernel_work(work: str) -> None:
    """The guest of the second capture does the same with another seed: an equal cost of faults in both."""
    told = 0
    for seed in range(6):
        plan = Plan(samples=180, work=work, cost_us=3.0, vcpus=2, load_memory_s=7.0)
        problem, baseline = (simulate(seed + by, plan, mmu=mmu) for by, mmu in ((0, "software"), (50, "hardware")))
        one, other = (fault_costs([replace(each.vm, vm="web01")])[0] for each in (problem, baseline))
        told += compare(one, other, SAME, SAME).attributed
    assert told == 0


def test_a_planted_cost_is_measured_by_a_pair() -> None:
    """The same work twice, to the seed: only the layer's part is missing under the hardware MMU."""
    for seed in range(4):
        plan = Plan(samples=360, cost_us=20.0, vcpus=2, guest_s=1.0)
        bad = simulate(seed, plan, mmu="software")
        good = simulate(seed, replace(plan, cost_us=1.2), mmu="hardware")
        found = compare(*(fault_costs([each.vm])[0] for each in (bad, good)), SAME, SAME)
        assert found.attributed
        assert found.extra_low <= bad.soft_pct - good.soft_pct <= found.extra_high
