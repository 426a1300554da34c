"""The panel on guest faults: what it says, in which order, and what it says where there is nothing."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hostile_names import HOSTILE
from made_costs import START, cost, log
from shippedbook import render_html

from esxprobe.model import Analysis, FaultRates, RateBound
from esxprobe.report.drawing import Drawer
from esxprobe.report.fault_charts import spec_of_scatter, spec_over_time
from esxprobe.report.faults import VERDICTS, FaultRow, fault_panel, fault_specs


@pytest.fixture(scope="module")
def judged(demo: Analysis) -> Analysis:
    """The demo with guest data of one VM: soft faults that cost, hard faults that are few."""
    few = cost(guest_counter="hard_faults", share=0.1, verdict="negligible", scatter=None)
    return replace(demo, fault_costs=(few, cost()), guest_logs=(log(),))


def test_without_guest_data_the_panel_says_so_and_how_to_get_it(demo):
    panel = fault_panel(demo, {})
    assert (panel.rows, panel.vms) == ((), ())
    assert panel.missing.startswith("9 VMs without guest data: web01, ")
    assert panel.command == "esxprobe collect esx01.example.com --guest web01=ssh://USER@ADDRESS"


def test_without_guest_data_each_vm_gets_what_follows_from_esxtop_alone(demo):
    """By hand: at 12 µs, 97.2 % of a vCPU is 972,000 µs/s and holds 81,000 faults/s."""
    modes = {"sql01": "hardware", "web01": "software"}
    rows = tuple(replace(row, vm=replace(row.vm, mmu=modes.get(row.vm.name, "unknown"))) for row in demo.vm_rows)
    panel = fault_panel(replace(demo, vm_rows=rows), {})
    by_vm = {row.vm: row for row in panel.unlogged}  # of two VMs of one name the last
    by_gid = {row.gid: row for row in panel.unlogged}
    assert len(by_gid) == 9
    assert panel.unlogged[-1].vm == "sql01", "where nothing is added comes last"
    assert by_vm["sql01"].faults == "–"
    assert by_vm["sql01"].follows.startswith("Page faults added nothing to the virtualization layer")
    assert "entered the virtualization layer and took no more than its %RUN" in by_vm["web01"].follows
    for row in demo.vm_rows:
        if row.vm.name != "sql01":
            most = row.run_mean * row.vm.vcpus * 1e4 / 12
            assert by_gid[row.vm.gid].faults == f"{most:,.0f}", row.vm.name
    mail = by_vm["mail"]
    assert "The balloon took memory" in mail.follows
    assert "The host swapped its memory" in mail.follows
    assert mail.swap_wait not in ("–", "0.00 %")


def test_a_vm_without_run_gets_no_figure(demo):
    rows = tuple(replace(row, run_mean=None) for row in demo.vm_rows)
    panel = fault_panel(replace(demo, vm_rows=rows), {})
    assert {row.faults for row in panel.unlogged} == {"–"}
    assert all("how much is not known" in row.follows for row in panel.unlogged)


def test_a_vm_with_a_log_is_not_among_those_without(judged):
    assert "web01" not in {row.vm for row in fault_panel(judged, {}).unlogged}


def test_the_vm_that_loses_most_of_a_vcpu_comes_first(demo):
    small = cost("mail", "1193860", share=1.2)
    unknown = cost("sql01", "1190417", measured=None, bound=None, rates=FaultRates())
    panel = fault_panel(replace(demo, fault_costs=(unknown, small, cost())), {})
    assert [vm.name for vm in panel.vms] == ["web01", "mail", "sql01"]
    assert [row.vm for row in panel.rows] == ["web01", "mail", "sql01"]


def test_the_table_gives_rate_shares_and_verdict(judged):
    assert fault_panel(judged, {}).rows[1] == FaultRow(
        vm="web01",
        gid="1181022",
        verdict="severe",
        badge="critical",
        mmu="software",
        faults="soft faults/s",
        mean="25,600",
        p95="31,000",
        assumed="30.7 %",
        measured="16.4 % (14.4 to 18.4)",
        most="46.4 %",
    )


def test_a_vm_with_a_log_is_not_listed_as_missing(judged):
    assert fault_panel(judged, {}).missing.startswith("8 VMs without guest data: web02, ")


def test_the_numbers_say_what_was_left_out(judged):
    block = fault_panel(judged, {}).vms[0].blocks[1]
    assert block.cuts == (("12", "the first minute after power-on"),)
    facts = dict(block.facts)
    assert facts["soft faults/s: mean, median, 95th percentile"] == "25,600, 25,500 and 31,000"
    assert facts["At 12 µs per fault"] == "30.7 % of one vCPU. 12 µs per fault: made up"
    assert facts["Measured, 95 % interval in brackets"] == "16.4 % (14.4 to 18.4) of one vCPU"
    assert facts["Not more than"] == "46.4 % of one vCPU: all CPU time of the VM, %RUN"
    assert facts["vCPU time associated with one more fault (association, not cost)"] == "2.10 to 2.90 µs"
    assert block.statistics == ("How it was found.",)


def test_every_verdict_has_a_name_and_a_color(demo):
    for verdict, (name, badge) in VERDICTS.items():
        row = fault_panel(replace(demo, fault_costs=(cost(verdict=verdict),)), {}).rows[0]
        assert (row.verdict, row.badge) == (name, badge)


def test_what_is_not_known_is_a_dash(demo):
    nothing = {"measured": None, "bound": None, "upper": None, "association": None, "rates": FaultRates()}
    row = fault_panel(replace(demo, fault_costs=(cost(**nothing),)), {}).rows[0]
    assert (row.mean, row.p95, row.assumed, row.measured, row.most) == ("–",) * 5


def test_a_hole_stays_a_hole_and_a_cut_is_shaded():
    made = cost().series
    upper, lower = spec_over_time(made, "soft faults/s")["vconcat"]
    spans = upper["layer"][0]["data"]["values"]
    assert [(span["b"] - span["a"]) / 1000 for span in spans] == [11 * 5]
    points = upper["layer"][1]["data"]["values"]
    assert [(p["t"] / 1000 - START.timestamp()) / 5 for p in points if p["v"] is None] == [60]
    assert not [p for p in lower["layer"][1]["data"]["values"] if p["v"] is None]


def test_the_line_has_the_slope_and_the_band_its_interval():
    made = cost().scatter
    band = spec_of_scatter(made, "soft faults/s")["layer"][0]["data"]["values"]
    first, _, last = band
    width = last["x"] - first["x"]
    assert (last["y"] - first["y"]) * 1e4 / width == pytest.approx(2.5)
    assert (last["high"] - first["low"]) * 1e4 == pytest.approx(width * 2.9)
    assert all(point["low"] <= point["y"] <= point["high"] for point in band)


def test_a_scatter_of_many_points_is_thinned():
    many = replace(cost().scatter, faults=tuple(map(float, range(5000))), vcpu=tuple(map(float, range(5000))))
    dots = spec_of_scatter(many, "soft faults/s")["layer"][1]["data"]["values"]
    assert 500 < len(dots) <= 600


def test_the_page_shows_the_panel_with_its_pictures(judged, drawer: Drawer):
    page = render_html(judged, drawer)
    assert 'id="faults-1181022"' in page
    assert "An experiment in web01 measured it." in page
    assert page.count('<div class="chart scatter"') == 1
    assert page.index('id="faults"') < page.index('id="findings"')
    assert len(fault_specs(judged)) == 2, "few hard faults get no pictures of their own"


def test_hostile_names_stay_text(hostile: Analysis, drawer: Drawer):
    costs = tuple(cost(vm.name, vm.gid) for vm in hostile.vms)
    page = render_html(
        replace(hostile, fault_costs=costs, guest_logs=tuple(log(c.vm, c.gid) for c in costs)), drawer
    )
    for name in HOSTILE.values():
        if "<" in name:
            assert name not in page.replace(json.dumps(name), "")


def test_many_vms_are_in_the_table_and_the_worst_have_pictures(analysis_with: Callable[..., Analysis]):
    crowd = analysis_with(*(f"vm{n:02}" for n in range(40)))
    costs = tuple(cost(vm.name, vm.gid, share=float(n)) for n, vm in enumerate(crowd.vms))
    panel = fault_panel(replace(crowd, fault_costs=costs), {})
    assert len(panel.rows) == 40
    assert [vm.name for vm in panel.vms] == [f"vm{n:02}" for n in range(39, 31, -1)]
    assert panel.unpictured.startswith(
        "The 8 VMs with the worst verdicts have panels with charts. The 32 others are"
    )
    assert [name for name, _ in panel.in_words] == [f"vm{n:02}" for n in range(31, -1, -1)]


def test_a_severe_vm_comes_before_larger_shares_of_none(analysis_with: Callable[..., Analysis]):
    crowd = analysis_with(*(f"vm{n:02}" for n in range(20)))
    costs = tuple(
        cost(vm.name, vm.gid, share=float(n), verdict="severe" if n == 0 else "native")
        for n, vm in enumerate(crowd.vms)
    )
    panel = fault_panel(replace(crowd, fault_costs=costs), {})
    assert [vm.name for vm in panel.vms][:2] == ["vm00", "vm19"]


def test_fifty_vms_with_guests_leave_room_in_the_page(analysis_with: Callable[..., Analysis], drawer: Drawer):
    """Pictures share what there is: all of fifty VMs' panels together stay below what eight had before."""
    crowd = analysis_with(*(f"vm{n:02}" for n in range(50)))
    costs = tuple(cost(vm.name, vm.gid) for vm in crowd.vms)
    page = render_html(replace(crowd, fault_costs=costs), drawer)
    assert len(page.encode()) < 2_500_000
    for vm in crowd.vms:
        assert page.count(vm.name) >= 3, "in the table, in words or a panel, and in the JSON"


@pytest.mark.parametrize(("share", "text"), [(0.0, "0.00 %"), (0.004, "under 0.01 %"), (0.23, "0.23 %")])
def test_no_share_of_a_vcpu_is_called_zero_when_it_is_small(demo: Analysis, share: float, text: str):
    panel = fault_panel(replace(demo, fault_costs=(cost(bound=RateBound(12.0, "made up", share)),)), {})
    assert panel.rows[0].assumed == text
