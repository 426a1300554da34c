"""What is printed of a finding's value: states by name, and why a value beyond the next threshold is no worse."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from shippedbook import RULES, analysis_of, judge, page_of
from tiny import Thing, recording
from tiny_findings import finding

from esxprobe.catalog.quality import note
from esxprobe.commands.terminal import _table
from esxprobe.model import Analysis, Comparison, Finding, NextLevel, Scale, VirtualMachine
from esxprobe.report import formatting
from esxprobe.report.cards import cards_of
from esxprobe.report.charts import spec_of
from esxprobe.report.comparison import comparison_panel
from esxprobe.report.document import finding_as_json
from esxprobe.report.glance import glance_specs
from esxprobe.report.judged import against, amount, limit, not_worse, remarks
from esxprobe.report.summary import render_summary
from esxprobe.rules import shipped
from esxprobe.rules.checks import Sustained
from esxprobe.rules.record import Effects, Rule

STATE = r"Memory\Kernel State"
USED = r"Group Cpu\% Used"
SEVERAL = [rule for rule in RULES if len(rule.levels) > 1]


# --- states ---------------------------------------------------------------------------------------


def host_in_state(number: float, build: str = "") -> Analysis:
    """A host that was in this state, by the number that its esxtop prints, for a third of the capture."""
    values = (0.0,) * 48 + (number,) * 24
    return analysis_of(recording(Thing("host", "esx01", {STATE: values}), build=build))


@pytest.mark.parametrize(
    ("number", "build", "name"),
    [
        (2, "VMware ESXi 5.5.0 build-1", "hard (2)"),
        (1, "VMware ESX 4.1.0 build-1", "soft (1)"),
        (2, "VMware ESXi 7.0.3 build-1", "soft (2)"),
        (1, "VMware ESXi 8.0.2 build-1", "clear (1)"),
        (3, "", "hard (3)"),
    ],
)
def test_a_memory_state_has_its_name_and_the_number_of_its_release(number: float, build: str, name: str) -> None:
    found = next(each for each in host_in_state(number, build).findings if each.rule == "memory-state")
    assert amount(found) == name
    assert limit(found) == name


def test_states_have_names_wherever_they_are_printed() -> None:
    analysis = host_in_state(2, "VMware ESXi 5.5.0 build-1")
    found = next(each for each in analysis.findings if each.rule == "memory-state")
    card = next(each for each in cards_of(analysis, shipped()).shown if each.anchor == "memory-state")
    assert card.figures[0] == "Memory state hard (2) (max), critical from hard (2)"
    assert "Memory state hard (2)" in render_summary(analysis, "", shipped())
    group = next(g for cause in page_of(analysis, {}, "").causes for g in cause.groups if g.rule == "memory-state")
    assert group.shown.startswith("esx01: memory state hard (2) (max)")
    assert [row.level for row in group.thresholds] == ["≥ hard (2)", "≥ soft (1)"], "before 6.0 none is clear"
    assert (group.rows[0].value, group.rows[0].peak) == ("hard (2)", "hard (2)")
    assert {"value": 3, "name": "hard (2)"} in finding_as_json(found)["states"]
    compared = replace(analysis, comparison=Comparison(analysis.capture, (), (found,), (), (), 0, (), ()))
    panel = comparison_panel(compared, {})
    assert panel is not None
    assert panel.changes[0][-1] == "critical, hard (2)"
    for drawn in (spec_of(analysis.charts["memory-state"]), glance_specs(analysis).get("glance:timeline")):
        if drawn is not None:
            assert "hard (2)" in str(drawn)


def test_a_state_that_is_no_whole_one_is_a_number() -> None:
    down = replace(finding("uplink-down", "vmnic1", "port"), scale=Scale(((0, "down (0)"), (1, "up (1)"))))
    assert amount(replace(down, value=0.0)) == "down (0)"
    assert amount(replace(down, value=0.25)) == "0.25"


def test_names_of_states_are_those_of_the_catalogs_numbers() -> None:
    for rule in RULES:
        for states in rule.states:
            values = [value for value, _ in states.names]
            assert values == sorted(set(values)), rule.id
            assert all(re.fullmatch(r"[A-Za-z ]+ \(\d\)", name) for _, name in states.names), rule.id


# --- why it is no worse ---------------------------------------------------------------------------


def over_a_plain_counter(rule: Rule) -> Rule:
    """The rule's check and thresholds on the plain values of VMs."""
    return replace(
        rule,
        entity="vm",
        value=f'"{USED}"',
        parts=(),
        where="",
        only="",
        optional=(),
        since="",
        until="",
        effects=Effects(implies=(), implies_beside=(), accounts_for=()),
    )


def printed(found: Finding) -> float:
    return formatting.printed(found.value, found.unit)


@given(rule=st.sampled_from(SEVERAL), data=st.data())
def test_a_value_beyond_the_next_threshold_says_what_that_needs(rule: Rule, data: st.DataObject) -> None:
    plain = replace(over_a_plain_counter(rule), states=())
    steps = sorted({level.threshold for level in rule.levels})
    near = st.sampled_from([step * by for step in steps for by in (0.4, 0.996, 0.9999, 1.0, 1.004, 1.3, 3.0)])
    part = st.tuples(st.one_of(near, st.none()), st.integers(1, 40))
    values = tuple(
        value for value, times in data.draw(st.lists(part, min_size=1, max_size=8)) for _ in range(times)
    )
    vm = VirtualMachine("web01", "100", 1)
    outcome = judge(recording(Thing("vm", "web01", {USED: values}, "100", "100"), vms=[vm]), [plain])
    for found in outcome.findings:
        following = found.next_level
        if following is None:
            continue
        sign = 1 if rule.check.above else -1
        beyond = sign * max(sign * printed(found), sign * found.value) * sign >= sign * following.threshold
        if beyond:
            said = not_worse(found)
            assert following.severity in said
            assert limit(found, following.threshold) in said
        if isinstance(rule.check, Sustained) and rule.check.share and following.needs:
            marks = np.array([v is not None and sign * v >= sign * following.threshold for v in values])
            seen = np.array([v is not None for v in values])
            share = 100 * marks.sum() / seen.sum()
            assert f"for {100 * rule.check.share:.0f} % of the time" in following.needs
            told = re.match(r"([\d.]+) % of the time", following.was)
            assert told
            assert float(told[1]) == pytest.approx(share, abs=0.51)
            if share < 100 * rule.check.share:
                assert float(told[1]) < 100 * rule.check.share, "it reads as if it had been long enough"


def test_it_is_said_for_how_long_and_how_long_it_was() -> None:
    values = {r"Vcpu\% Ready": (6.0,) * 60 + (12.0,) * 8, r"Vcpu\% Max Limited": (0.0,) * 68}
    vcpu = Thing("vcpu", "vCPU 0", values, "10000", "100")
    analysis = analysis_of(recording(vcpu, vms=[VirtualMachine("web01", "100", 1)]))
    ready = next(each for each in analysis.findings if each.rule == "cpu-ready")
    assert ready.severity == "warning"
    said = (
        "critical needs 10 % or more for 20 % of the time or 60 s without a break; it was so for 12 % of the time "
        "and 40 s without a break"
    )
    assert not_worse(ready) == said
    assert any(said in figure for card in cards_of(analysis, shipped()).shown for figure in card.figures)
    assert said in render_summary(analysis, "", shipped())
    group = next(g for cause in page_of(analysis, {}, "").causes for g in cause.groups if g.rule == "cpu-ready")
    assert said in group.shown
    assert group.rows[0].remarks == (said,)


def test_a_threshold_is_given_with_the_side_that_is_worse() -> None:
    """A link of 100 Mb/s is "warning at or below 999 Mb/s", a %RDY of 12 "critical from 10 %"."""
    rules = {rule.id: rule for rule in RULES}
    low, high = (
        against(finding(name, "x", kind), rules[name])
        for name, kind in (("uplink-slow-link", "uplink"), ("cpu-ready", "vm"))
    )
    assert re.search(r", warning at or below [\d,.]+", low)
    assert re.search(r", warning from [\d,.]+", high)


def test_a_value_that_is_rounded_to_the_next_threshold_is_just_below_it() -> None:
    near = replace(finding("device-resets", "naa.1", "device"), threshold=1.0, value=9.999, unit="ms")
    assert (
        not_worse(replace(near, scale=Scale(next_level=NextLevel("critical", 10.0))))
        == "just below 10 ms, where critical begins"
    )
    assert not not_worse(replace(near, value=9.9, scale=Scale(next_level=NextLevel("critical", 10.0))))


# --- doubts ---------------------------------------------------------------------------------------


def test_a_handful_of_samples_is_said_everywhere() -> None:
    values = {r"Vcpu\% Ready": (30.0,) * 6, r"Vcpu\% Max Limited": (0.0,) * 6}
    vcpu = Thing("vcpu", "vCPU 0", values, "10000", "100")
    analysis = analysis_of(recording(vcpu, vms=[VirtualMachine("web01", "100", 1)]))
    ready = next(each for each in analysis.findings if each.rule == "cpu-ready")
    assert ready.doubt == "only 6 samples could be analyzed: a snapshot, not a state"
    card = next(each for each in cards_of(analysis, shipped()).shown if each.anchor == "cpu-ready")
    assert (card.sure, card.why_sure) == ("low", ready.doubt)
    assert ready.doubt in render_summary(analysis, "", shipped())
    group = next(g for cause in page_of(analysis, {}, "").causes for g in cause.groups if g.rule == "cpu-ready")
    assert ready.doubt in group.rows[0].remarks
    assert finding_as_json(ready)["doubt"] == ready.doubt


def test_a_setting_needs_no_samples() -> None:
    limited = Thing("vm", "web01", {r"Group Cpu\Alloc Max": (4000.0,) * 6}, "100", "100")
    analysis = analysis_of(recording(limited, vms=[VirtualMachine("web01", "100", 1)]))
    assert [each.doubt for each in analysis.findings if each.rule == "vm-cpu-limit-set"] == [""]


def states(ready: float, wait: float, samples: int = 60) -> dict[str, tuple[float, ...]]:
    shares = {"% Run": 10.0, "% Ready": ready, "% CoStop": 0.0, "% Wait": wait, "% Max Limited": 0.0}
    return {f"Vcpu\\{name}": (value,) * samples for name, value in shares.items()}


def test_worlds_whose_states_do_not_add_up_are_named_with_the_finding() -> None:
    whole = [Thing("vcpu", "vCPU 0", states(15, 74), f"{n}00", str(n)) for n in (100, 101)]
    torn = Thing("vcpu", "vCPU 0", states(30, 20), "10200", "102")
    vms = [VirtualMachine(f"vm{n}", str(n), 1) for n in (100, 101, 102)]
    analysis = analysis_of(recording(*whole, torn, vms=vms, notes=[note("closure-off", 60)]))
    doubts = {each.entity.name: each.doubt for each in analysis.findings if each.rule == "cpu-ready"}
    assert doubts == {
        "vm100": "",
        "vm101": "",
        "vm102": "its CPU states do not add up in 60 of 60 samples (closure-off): do not quote it",
    }
    of_vm = [each for each in analysis.findings if each.entity.name == "vm102" and each.entity.kind == "vm"]
    assert all("closure-off" in each.doubt for each in of_vm), "rules on the VM read the same vCPU"
    assert remarks(of_vm[0])


# --- the terminal ---------------------------------------------------------------------------------


def at_the_terminal(analysis: Analysis) -> str:
    screen = Console(width=240, file=StringIO(), record=True)
    screen.print(_table(analysis.findings))
    return screen.export_text()


def test_the_terminal_has_states_and_remarks_too() -> None:
    assert "hard (2)" in at_the_terminal(host_in_state(2, "VMware ESXi 5.5.0 build-1"))
    values = {r"Vcpu\% Ready": (6.0,) * 9 + (12.0,), r"Vcpu\% Max Limited": (0.0,) * 10}
    vcpu = Thing("vcpu", "vCPU 0", values, "10000", "100")
    said = at_the_terminal(analysis_of(recording(vcpu, vms=[VirtualMachine("web01", "100", 1)])))
    assert "only 10 samples could be analyzed: a snapshot, not a state" in said
