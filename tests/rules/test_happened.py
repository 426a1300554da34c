"""Rules that need events of logs: what a sample has of them, in the shipped book and in own rules."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from shippedbook import RULES, analysis_of, find_rule, judge
from tiny import HOST, INTERVAL_S, START, Thing, recording

from esxprobe.analyze.events import placed
from esxprobe.analyze.stuns import with_vmotion_stuns
from esxprobe.errors import UsageError
from esxprobe.formats.hostlogs import Wanted, read_event_logs
from esxprobe.lab.log_files import log_lines, nfs_fails
from esxprobe.lab.scenarios import path_plan
from esxprobe.model import Entity, Event, Recording, VirtualMachine
from esxprobe.report.cards import cards_of
from esxprobe.rules import shipped
from esxprobe.rules.custom import load_book
from esxprobe.rules.evaluate import HOST_KEY
from esxprobe.rules.happened import events_of
from esxprobe.rules.record import LOGS, quoted
from esxprobe.rules.skips import NO_LOG, not_there, why_skipped

PATH, DEVICE = "vmhba1:C0:T0:L0", "naa.6000"
UPLINK, VOLUME = "vSwitch0:33554434:vmnic0", "ds-nfs01"
VM = Entity("vm", "db01", "100")
WITH_EVENTS = [rule for rule in RULES if rule.events]


def event(kind: str, entity: Entity, at_s: float, *also: Entity) -> Event:
    return Event(START + timedelta(seconds=at_s), HOST, kind, "warning", entity, also)


def logged(*events: Event) -> Recording:
    things = (
        Thing("device", DEVICE),
        Thing("path", PATH, device=DEVICE),
        Thing("host", HOST, id=""),
        Thing("port", UPLINK, id="33554434"),
        Thing("nfs-volume", VOLUME),
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
        ("vmotion-low-memory", Entity("host", HOST, ""), "memory-low-logged"),
        ("uplink-down", Entity("port", UPLINK, "33554434"), "uplink-failures-logged"),
        ("uplink-flapping", Entity("port", UPLINK, "33554434"), "uplink-failures-logged"),
        ("nfs-lost", Entity("nfs-volume", VOLUME, VOLUME), "nfs-connection-lost"),
        ("vmotion-stun", Entity("vm", "db01", "100"), "vm-stunned"),
    ],
)
def test_each_rule_finds_its_events(kind: str, entity: Entity, rule: str) -> None:
    found = judge(logged(event(kind, entity, 100)), WITH_EVENTS).findings
    assert [finding.rule for finding in found] == [rule]
    assert found[0].windows[0].start <= START + timedelta(seconds=100) <= found[0].windows[0].end


def nfs(kind: str, at_s: float) -> Event:
    return event(kind, Entity("nfs-volume", VOLUME, VOLUME), at_s)


def lost_samples(*events: Event) -> list[int]:
    """Numbers of the samples in which the volume was lost."""
    values = events_of(logged(*events), "nfs-volume", r"Event\since nfs-lost until nfs-restored")
    return values[0].nonzero()[0].tolist()


def test_a_state_lasts_from_its_beginning_to_its_end() -> None:
    assert lost_samples(nfs("nfs-lost", 12), nfs("nfs-restored", 31)) == [2, 3, 4, 5, 6]
    assert lost_samples(nfs("nfs-lost", 12), nfs("nfs-restored", 13)) == [2], "within a sample"
    assert lost_samples(nfs("nfs-lost", 12), nfs("nfs-lost", 22), nfs("nfs-restored", 26)) == [2, 3, 4, 5]
    assert lost_samples(nfs("nfs-lost", -300), nfs("nfs-restored", 6)) == [0, 1], "it began before the capture"
    assert lost_samples(nfs("nfs-lost", -300), nfs("nfs-restored", -100)) == []
    assert lost_samples(nfs("nfs-restored", 6)) == [1], "since when is not known"
    assert lost_samples(nfs("nfs-lost", 170)) == [33, 34, 35], "to the end where nothing ends it"
    assert lost_samples(nfs("nfs-lost", 500)) == []


def test_a_lost_volume_is_one_finding_until_it_was_regained() -> None:
    (found,) = judge(logged(nfs("nfs-lost", 12), nfs("nfs-restored", 62)), WITH_EVENTS).findings
    assert (found.rule, found.severity) == ("nfs-connection-lost", "critical")
    assert found.windows[0].start == START + timedelta(seconds=10)
    assert found.windows[-1].end == START + timedelta(seconds=65)


def test_a_lost_volume_is_found_by_the_name_that_its_log_gives(tmp_path: Path) -> None:
    plan = replace(path_plan(), start=START, logged=nfs_fails(0.5, 1.5, "192.0.2.5", VOLUME))
    for log in ("vobd", "vmkernel"):
        (tmp_path / f"{log}.log").write_text("\n".join(log_lines(plan, log)) + "\n")
    made = logged(*read_event_logs([tmp_path], Wanted()).events)
    (found,) = judge(replace(made, events=placed(made.events, made, None)), WITH_EVENTS).findings
    assert (found.rule, found.entity.name) == ("nfs-connection-lost", VOLUME)
    assert found.windows[0].start == START + timedelta(seconds=25), "its sample ends with the moment"
    assert found.windows[-1].end == START + timedelta(seconds=90)


def test_the_largest_figure_of_a_sample_counts() -> None:
    stuns = [
        replace(event("vmotion-stun", VM, at), figure=ms, unit="ms") for at, ms in ((6, 300), (7, 1400), (21, 200))
    ]
    made = logged(*stuns)
    assert events_of(made, "vm", r"Event\largest vmotion-stun")[0, :5].tolist() == [0.0, 1400.0, 0.0, 0.0, 200.0]
    found = {each.rule: each for each in judge(made, WITH_EVENTS).findings}
    assert (found["vm-vmotion-stun"].value, found["vm-vmotion-stun"].severity) == (1400.0, "warning")


def test_two_link_failures_are_flapping_wherever_they_lie() -> None:
    port = Entity("port", UPLINK, "33554434")
    (found,) = judge(logged(event("uplink-down", port, 6), event("uplink-down", port, 150)), WITH_EVENTS).findings
    assert (found.value, found.severity) == (2.0, "critical")


@pytest.mark.parametrize(
    ("before", "stuns"),
    [
        (("vmotion-start@10", "vm-stun@40"), ["vmotion-stun"]),
        (("vmotion-start@10", "vmotion-precopy-end@39", "vm-stun@40", "vm-stun@60"), ["vmotion-stun", "vm-stun"]),
        (("vm-stun@40", "vmotion-end@45"), ["vmotion-stun"]),
        (("vm-stun@40", "vmotion-failed@41"), ["vmotion-stun"]),
        (("vmotion-end@10", "vm-stun@40"), ["vmotion-stun"]),
        (("vmotion-end@10", "vm-stun@41"), ["vm-stun"]),
        (("vm-stun@10", "vmotion-end@41"), ["vm-stun"]),
        (("vmotion-start@10", "snapshot-start@30", "vm-stun@40"), ["vm-stun"]),
        (("snapshot-start@39", "vm-stun@40", "vmotion-end@41"), ["vm-stun"]),
        (("vmotion-start@10", "vm-stun@3611"), ["vm-stun"]),
        (("vm-stun@40", "vmotion-start@41"), ["vm-stun"]),
        (("vm-stun@40",), ["vm-stun"]),
    ],
)
def test_a_stun_is_that_of_a_vmotion_by_the_order_of_events(before: tuple[str, ...], stuns: list[str]) -> None:
    mine = [event(kind, VM, float(at)) for kind, _, at in (text.partition("@") for text in before)]
    found = with_vmotion_stuns(mine)
    assert [each.kind for each in found if each.kind.endswith("-stun")] == stuns
    others = [replace(each, entity=Entity("vm", "web01", "200")) if "stun" in each.kind else each for each in mine]
    assert [each.kind for each in with_vmotion_stuns(others)] == [each.kind for each in others], "of another VM"


def test_many_stuns_take_no_longer_each_than_few() -> None:
    made = [event("vm-stun", VM, n / 100) for n in range(100_000)]
    began = time.process_time()
    assert with_vmotion_stuns(made) == tuple(made)
    assert time.process_time() - began < 10


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


def test_an_own_rule_can_need_a_figure_and_a_state(tmp_path: Path) -> None:
    value = 'largest("device-latency-high") * (1 - between("apd-start", "apd-exit"))'
    rule = load_book(own(tmp_path, value)).find("slow-while-path-down")
    device = Entity("device", DEVICE, DEVICE)
    slow = [replace(event("device-latency-high", device, at), figure=60.0, unit="ms") for at in (20, 60)]
    gone = (event("apd-start", device, 50), event("apd-exit", device, 80))
    (found,) = judge(logged(*slow, *gone), [rule]).findings
    assert [window.start for window in found.windows] == [START + timedelta(seconds=15)]


@pytest.mark.parametrize(
    "value",
    ['largest("stn")', 'between("apd-start", "apd-ext")', 'between("apd-start")', 'event("apd-start", "x")'],
)
def test_an_own_rule_that_calls_them_otherwise_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError):
        load_book(own(tmp_path, value))


def test_an_own_rule_with_an_unknown_event_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="path-dwn"):
        load_book(own(tmp_path, 'event("path-dwn")'))
