"""Rules that need events of logs: what a sample has of them, in the shipped book and in own rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from shippedbook import RULES, analysis_of, find_rule, judge
from tiny import HOST, INTERVAL_S, START, Thing, recording

from esxprobe.errors import UsageError
from esxprobe.model import Entity, Event, Recording, VirtualMachine
from esxprobe.report.cards import cards_of
from esxprobe.rules import shipped
from esxprobe.rules.custom import load_book
from esxprobe.rules.evaluate import HOST_KEY
from esxprobe.rules.happened import events_of
from esxprobe.rules.record import LOGS, quoted
from esxprobe.rules.skips import NO_LOG, not_there, why_skipped

PATH, DEVICE = "vmhba1:C0:T0:L0", "naa.6000"
WITH_EVENTS = [rule for rule in RULES if rule.events]


def event(kind: str, entity: Entity, at_s: float, *also: Entity) -> Event:
    return Event(START + timedelta(seconds=at_s), HOST, kind, "warning", entity, also)


def logged(*events: Event) -> Recording:
    things = (
        Thing("device", DEVICE),
        Thing("path", PATH, device=DEVICE),
        Thing("host", HOST, id=""),
        Thing("vm", "db01", id="100", gid="100"),
        Thing("vcpu", "vCPU 0", {r"Vcpu\% Run": (1.0,) * 36}, gid="100"),
    )
    made = recording(*things, vms=[VirtualMachine("db01", "100", 1)], samples=36)
    return replace(made, events=events, facts={LOGS: {HOST_KEY: 1.0}})


def test_an_event_counts_in_the_sample_that_holds_it() -> None:
    path = Entity("path", PATH, PATH)
    made = logged(*(event("path-down", path, at) for at in (-1, 0.1, 5.0, 5.1, 9.9, 36 * INTERVAL_S + 1)))
    counts = events_of(made, "path", r"Event\path-down")
    assert counts[0, :3].tolist() == [2.0, 2.0, 0.0]  # the end of an interval is its own
    assert counts.sum() == 4


def test_a_failed_path_is_an_event_of_its_device() -> None:
    made = logged(event("path-down", Entity("path", PATH, PATH), 12))
    assert events_of(made, "device", r"Event\path-down")[0, 2] == 1
    assert [finding.rule for finding in judge(made, WITH_EVENTS).findings] == ["device-paths-failed"]


@pytest.mark.parametrize(
    ("kind", "entity", "rule"),
    [
        ("apd-start", Entity("device", DEVICE, DEVICE), "device-all-paths-down"),
        ("device-latency-high", Entity("device", DEVICE, DEVICE), "device-latency-logged"),
        ("vm-stun", Entity("vm", "db01", "100"), "vm-stunned"),
        ("clock-step", Entity("host", HOST, ""), "host-clock-stepped"),
    ],
)
def test_each_rule_finds_its_events(kind: str, entity: Entity, rule: str) -> None:
    found = judge(logged(event(kind, entity, 100)), WITH_EVENTS).findings
    assert [finding.rule for finding in found] == [rule]
    assert found[0].windows[0].start <= START + timedelta(seconds=100) <= found[0].windows[0].end


def test_without_a_log_they_do_not_apply_and_with_an_empty_one_they_are_clear() -> None:
    without = replace(logged(), facts={})
    assert {why_skipped(rule, without) for rule in WITH_EVENTS} == {NO_LOG}
    assert not_there(NO_LOG)
    assert set(judge(logged(), WITH_EVENTS).clear) == {rule.id for rule in WITH_EVENTS}


def test_a_card_says_that_it_was_logged_and_is_no_surer_for_it() -> None:
    analysis = analysis_of(logged())
    (found,) = judge(logged(event("path-down", Entity("path", PATH, PATH), 12)), WITH_EVENTS).findings
    (card,) = cards_of(replace(analysis, findings=(found,)), shipped()).shown
    assert card.why_sure.startswith("logged by the host; published threshold")


def test_a_call_is_a_column() -> None:
    assert quoted('event("path-down") + event( "apd-start" )') == (r"Event\path-down", r"Event\apd-start")
    assert find_rule("device-paths-failed").needs == ()


def own(tmp_path: Path, value: str) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(
        f'[add.slow-while-path-down]\ntitle = "Slow while a path was down"\nentity = "device"\n'
        f"value = '{value}'\ncheck = \"any_above\"\nwarning = 1\n"
    )
    return path


def test_an_own_rule_can_need_an_event(tmp_path: Path) -> None:
    book = load_book(own(tmp_path, 'event("path-down")'))
    rule = book.find("slow-while-path-down")
    found = judge(logged(event("path-down", Entity("path", PATH, PATH), 30)), [rule]).findings
    assert [finding.entity.name for finding in found] == [DEVICE]


def test_an_own_rule_with_an_unknown_event_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="path-dwn"):
        load_book(own(tmp_path, 'event("path-dwn")'))
