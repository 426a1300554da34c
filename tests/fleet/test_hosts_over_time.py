"""Likely causes of many hosts on one axis: who has a lane, where its bars stand, who is in a sentence instead."""

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.fleet.digest import FIGURES
from esxprobe.fleet.merge import merged
from esxprobe.model import Entity, Severity, Window, joined_windows
from esxprobe.model.fleet import CaptureDigest, CaptureOutcome, CauseBrief, Fleet
from esxprobe.report.fleet import fleet_page, render_fleet_html
from esxprobe.report.fleet_timeline import CAUSES, LANES, fleet_timeline, worst_hosts

NOON = datetime(2026, 3, 26, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def cause(
    rule: str,
    name: str,
    *episodes: tuple[float, float],
    severity: Severity = "critical",
    cost: float = 5.0,
    kind: str = "vm",
    others: int = 0,
) -> CauseBrief:
    """A cause with episodes in minutes from noon."""
    spans = tuple(Window(at(begin), at(end)) for begin, end in episodes)
    return CauseBrief(rule, severity, Entity(kind, name, name), others, f"title of {rule}", cost, spans)


def digest(host: str, *causes: CauseBrief, start: float = 0, dated: bool = True) -> CaptureDigest:
    """A capture of ten minutes."""
    return CaptureDigest(
        host=host, build="", started=at(start), ended=at(start + 10), date_known=dated, interval_s=5.0, judged=120,
        columns=900, doubts=0, findings=(), clear=3, skipped=(), vms=(), devices=(),
        figures=tuple((figure.key, None) for figure in FIGURES), causes=causes,
    )  # fmt: skip


def fleet(*digests: CaptureDigest) -> Fleet:
    return merged(
        [CaptureOutcome(f"caps/{n}.csv", f"{n}-report.html", d, None) for n, d in enumerate(digests)], "1.0"
    )


def test_a_bar_stands_where_its_episode_was_on_the_axis_of_all() -> None:
    found = fleet_timeline(fleet(digest("a", cause("cpu-ready", "sql", (2, 4), (8, 10))), digest("b", start=10)))
    (lane,) = found.lanes
    assert [(bar.x, bar.width) for bar in lane.captured] == [("0.00%", "100.00%")], "b has no lane"
    both = fleet_timeline(
        fleet(
            digest("a", cause("cpu-ready", "sql", (2, 4), (8, 10))),
            digest("b", cause("cpu-ready", "web", (15, 20)), start=10),
        )
    )
    bars = {lane.host: [(bar.x, bar.width) for bar in lane.causes[0].bars] for lane in both.lanes}
    assert bars == {"a": [("10.00%", "10.00%"), ("40.00%", "10.00%")], "b": [("75.00%", "25.00%")]}
    assert [bar.x for lane in both.lanes for bar in lane.captured] == ["0.00%", "50.00%"]
    assert both.ticks[0] == ("0.00%", "12:00")
    assert both.lanes[0].causes[0].words == "2 episodes, UTC: 12:02:00 to 12:04:00; 12:08:00 to 12:10:00"
    assert both.lanes[0].causes[0].link == "0-report.html#cpu-ready"


def test_hosts_without_a_cause_are_a_sentence() -> None:
    found = fleet_timeline(fleet(digest("a", cause("cpu-ready", "sql", (2, 4))), digest("b"), digest("c")))
    assert [lane.host for lane in found.lanes] == ["a"]
    assert found.notes == ("No likely cause worse than info on 2 hosts: b and c.",)
    assert fleet_timeline(fleet(digest("a"))).notes == ("No likely cause worse than info on a.",)
    assert fleet_timeline(fleet(digest("a"))).lanes == ()


def test_times_without_a_date_are_not_put_beside_others() -> None:
    found = fleet_timeline(
        fleet(digest("a", cause("cpu-ready", "sql", (2, 4))), digest("b", cause("cpu-ready", "web"), dated=False))
    )
    assert [lane.host for lane in found.lanes] == ["a"]
    assert "cannot be shown on a common axis: b." in found.notes[0]


def test_several_captures_of_a_host_share_a_lane_and_a_cause_is_said_once() -> None:
    twice = fleet(
        digest("a", cause("cpu-ready", "sql", (2, 4), severity="warning", cost=1, others=1)),
        digest("a", cause("cpu-ready", "sql", (12, 15), cost=2), cause("cpu-ready", "web", (11, 12)), start=10),
    )
    (row,) = twice.hosts
    assert [(each.entity.name, each.severity, each.others, each.cost) for each in row.causes] == [
        ("web", "critical", 0, 5.0),
        ("sql", "critical", 1, 3.0),
    ]
    (lane,) = fleet_timeline(twice).lanes
    assert len(lane.captured) == 2
    assert [len(each.bars) for each in lane.causes] == [1, 2]
    assert lane.causes[1].where == "sql and 1 more"
    assert lane.link == "", "which of the two reports?"


@pytest.mark.parametrize(
    ("causes", "order"),
    [
        ([("a", "warning", 50.0), ("b", "critical", 1.0)], ["b", "a"]),
        ([("a", "critical", 5.0), ("b", "critical", 6.0)], ["b", "a"]),
        ([("b", "critical", 5.0), ("a", "critical", 5.0)], ["a", "b"]),
    ],
)
def test_the_host_that_it_costs_most_comes_first(
    causes: list[tuple[str, Severity, float]], order: list[str]
) -> None:
    found = fleet(*(digest(host, cause("r", "vm", severity=level, cost=cost)) for host, level, cost in causes))
    assert [row.host for row in worst_hosts(found)] == order


@pytest.mark.parametrize(
    ("digests", "said"),
    [
        (
            [digest("a"), digest("b", cause("r", "sql")), digest("c", cause("r", "x", severity="warning"))],
            "1 of 3 hosts had a critical cause: start with b (title of r, sql).",
        ),
        (
            [digest("a"), digest("b", cause("r", "b", severity="warning", kind="host"))],
            "None of 2 hosts had a critical cause, 1 had one that is a warning: start with b (title of r).",
        ),
        ([digest("a")], "None of 1 host had a likely cause worse than info."),
    ],
)
def test_the_first_sentence_counts_hosts_and_names_the_first(digests: list[CaptureDigest], said: str) -> None:
    assert fleet_page(fleet(*digests)).verdict[0] == said


def test_more_than_a_lane_or_a_page_holds_is_counted() -> None:
    many = [cause(f"rule-{n}", "sql", (1, 2), cost=9 - n) for n in range(CAUSES + 2)]
    (lane,) = fleet_timeline(fleet(digest("a", *many))).lanes
    assert [each.link.partition("#")[2] for each in lane.causes] == [f"rule-{n}" for n in range(CAUSES)]
    assert lane.more == "2 more likely causes in its report"
    crowd = fleet_timeline(fleet(*(digest(f"h{n:02}", cause("r", "sql", (1, 2))) for n in range(LANES + 3))))
    assert len(crowd.lanes) == LANES
    assert crowd.notes == ("3 more hosts with less important likely causes not shown.",)


def test_hostile_names_stay_text_on_the_axis_too() -> None:
    evil = '"><script>alert(1)</script>{{7*7}}'
    page = render_fleet_html(fleet(digest(evil, cause("cpu-ready", evil, (1, 2)))))
    assert "alert(1)</script>" not in page
    assert re.search(r'<rect class="critical" x="10.00%" width="10.00%"', page)


minutes = st.integers(0, 60)
spans = st.lists(st.tuples(minutes, minutes).map(sorted), max_size=12)


@given(spans)
def test_joined_windows_are_the_same_time_in_order_and_apart(pairs: list[list[int]]) -> None:
    made = joined_windows(Window(at(begin), at(end)) for begin, end in pairs)
    assert all(one.end < other.start for one, other in itertools.pairwise(made))
    for minute in range(0, 61):
        for moment in (minute, minute + 0.5):
            there = any(begin <= moment <= end for begin, end in pairs)
            assert there == any(each.start <= at(moment) <= each.end for each in made)
    assert joined_windows(made) == made


def test_what_lies_on_another_day_has_its_date() -> None:
    day = 24 * 60
    late = replace(digest("b", cause("r", "x", (day + 1, day + 2))), started=at(day), ended=at(day + 9))
    found = fleet_timeline(fleet(digest("a", cause("r", "x", (1, 2))), late))
    assert {lane.host: lane.causes[0].bars[0].words[:16] for lane in found.lanes} == {
        "a": "2026-03-26 12:01",
        "b": "2026-03-27 12:01",
    }
    assert found.span == "2026-03-26 12:00:00 to 2026-03-27 12:09:00 UTC"
