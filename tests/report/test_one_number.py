"""One statistic for one thing: the same series has the same number wherever the report prints it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shippedbook import analysis_of, analyze, page_of
from tiny import Thing, recording

from esxprobe.model import Analysis, Finding, VirtualMachine
from esxprobe.report.cards import cards_of
from esxprobe.report.document import finding_as_json
from esxprobe.report.formatting import number
from esxprobe.report.judged import amount
from esxprobe.rules import shipped
from esxprobe.series import quantile, quantile_of_rows, quantiles_of_sorted

ROOT = Path(__file__).parents[2]
CAPTURES = sorted(ROOT.glob("samples/*/esxtop-000.csv.gz"))
# Rules on vCPUs, and where the table of VMs and the rows over time have the same.
SAME = {"cpu-ready": ("ready_p95", "ready"), "cpu-costop": ("costop_p95", "costop")}


def told(analysis: Analysis) -> Iterator[tuple[Finding, float, float]]:
    """Findings on VMs by their 95th percentile, with that of the table and that of the row over time."""
    rows = {row.vm.gid: row for row in analysis.vm_rows}
    strips = {strip.key: {row.entity.id: row for row in strip.rows} for strip in analysis.glance.strips}
    for each in analysis.findings:
        if each.rule in SAME and each.statistic == "p95":
            column, strip = SAME[each.rule]
            yield each, getattr(rows[each.entity.id], column), strips[strip][each.entity.id].p95


def uneven(*vcpus: tuple[float, ...]) -> Analysis:
    """One VM whose vCPUs were ready for these shares of time."""
    things = [
        Thing(
            "vcpu",
            f"vCPU {n}",
            {r"Vcpu\% Ready": values, r"Vcpu\% Max Limited": (0.0,) * len(values)},
            f"100{n}",
            "100",
        )
        for n, values in enumerate(vcpus)
    ]
    return analysis_of(recording(*things, vms=[VirtualMachine("web01", "100", len(vcpus))]))


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.parent.name)
def test_table_row_finding_card_and_json_have_one_number(capture: Path) -> None:
    analysis = analyze([capture])
    page = page_of(analysis, {}, "")
    cells = {row[1]: row for row in page.vms.rows}
    figures = [figure for card in cards_of(analysis, shipped()).shown for figure in card.figures]
    groups = {group.rule: group for cause in page.causes for group in cause.groups}
    for each, in_table, in_row in told(analysis):
        assert each.value == in_table == in_row
        assert amount(each) == number(in_table, "%")
        assert amount(each) in cells[each.entity.id]
        assert any(row.entity == each.entity.name and row.value == amount(each) for row in groups[each.rule].rows)
        assert finding_as_json(each)["value"] == round(in_row, 6)
        for figure in figures:
            if f"Worst: {each.entity.name}, %RDY" in figure and each.rule == "cpu-ready":
                assert amount(each) in figure
    for device in analysis.device_rows:
        shown = {row.entity.name: row.driver_ms for row in analysis.glance.devices}
        if device.device in shown:
            assert shown[device.device] == device.davg_p95
        for each in analysis.findings:
            if each.rule == "device-latency" and each.entity.name == device.device and each.statistic == "p95":
                assert each.value == device.davg_p95


@given(
    st.lists(
        st.lists(st.sampled_from([0.5, 4.0, 6.0, 9.0, 12.0, 30.0]), min_size=3, max_size=6), min_size=2, max_size=4
    )
)
def test_so_it_is_for_any_vcpus(parts: list[list[float]]) -> None:
    """The vCPU with the largest value need not be the one that is beyond for long enough."""
    length = min(len(part) for part in parts)
    analysis = uneven(*(tuple(value for value in part[:length] for _ in range(9)) for part in parts))
    for each, in_table, in_row in told(analysis):
        assert each.value == in_table == in_row
        assert each.peak == max(max(part[:length]) for part in parts)


def test_a_vcpu_that_reaches_no_level_gives_the_number_all_the_same() -> None:
    """Its short bursts are higher; the other one waits long enough."""
    bursts = ((0.0,) * 11 + (40.0,)) * 10
    analysis = uneven((6.0,) * 120, bursts)
    ((ready, in_table, in_row),) = told(analysis)
    assert ready.severity == "warning"
    assert ready.members[0] == "vCPU 0"
    assert ready.value == in_table == in_row == quantile(np.array(bursts), 0.95) == 40.0
    assert ready.next_level is not None
    assert ready.next_level.was.startswith("8 % of the time")


# --- the function ---------------------------------------------------------------------------------

floats = st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6))


@given(
    st.lists(st.lists(floats, min_size=5, max_size=5), min_size=1, max_size=5), st.sampled_from([0.05, 0.5, 0.95])
)
def test_all_ways_to_ask_give_the_same(rows: list[list[float]], share: float) -> None:
    values = np.array(rows)
    ordered, count = np.sort(values, axis=1), (~np.isnan(values)).sum(axis=1)
    by_rows = quantile_of_rows(values, share)
    by_order = quantiles_of_sorted(ordered, count, np.array([share]))[:, 0]
    for row, each, other in zip(values, by_rows, by_order, strict=True):
        assert quantile(row, share) == pytest.approx(each, nan_ok=True)
        assert each == pytest.approx(other, nan_ok=True, abs=1e-6)


def test_it_interpolates_between_neighbors() -> None:
    assert quantile(np.array([1.0, 2.0, 3.0, 4.0]), 0.5) == 2.5
    assert quantile(np.array([0.0, 10.0, np.nan]), 0.95) == pytest.approx(9.5)
    assert np.isnan(quantile(np.array([np.nan]), 0.5))
