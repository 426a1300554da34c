"""The text that a host is asked to run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.collect.command import CapturePlan, command_line, left_behind, pipeline, plan_for, quiet_limit_s
from esxprobe.collect.naming import safe_name
from esxprobe.errors import UsageError


def test_the_pipeline_is_the_one_that_is_documented() -> None:
    assert pipeline(5, 121) == "TERM=xterm esxtop -b -a -d 5 -n 121 | gzip -c"
    esxtop, gzip = pipeline(5, 121).split(" | ")
    assert esxtop in command_line(5, 121)
    assert gzip in command_line(5, 121)
    assert "\n" not in command_line(5, 121)


def test_a_duration_takes_one_sample_more_than_it_has_intervals() -> None:
    assert plan_for(600, 5).samples == 121
    assert plan_for(601, 5).samples == 122
    assert plan_for(1, 5).samples == 2


@pytest.mark.parametrize(
    ("interval_s", "samples", "segment_s", "complaint"),
    [
        pytest.param(1, 10, None, "interval of 1 s is too short", id="interval"),
        pytest.param(0, 10, None, "too short", id="no interval"),
        pytest.param(5, 1, None, "too few", id="samples"),
        pytest.param(5, 10, 4, "shorter than the interval", id="segment"),
    ],
)
def test_what_does_not_fit_is_a_usage_error(
    interval_s: int, samples: int, segment_s: int | None, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        CapturePlan(interval_s, samples, segment_s)
    assert caught.value.hint


@pytest.mark.parametrize("duration_s", [0, -1, float("nan"), float("inf")])
def test_no_duration_is_a_usage_error(duration_s: float) -> None:
    with pytest.raises(UsageError, match="not a valid duration"):
        plan_for(duration_s)


def test_a_short_interval_is_told_from_a_duration_too() -> None:
    for interval_s in (-1, 0, 1):
        with pytest.raises(UsageError, match="too short"):
            plan_for(60, interval_s)


@given(st.integers(2, 60), st.integers(2, 3000), st.none() | st.integers(60, 3600))
def test_segments_cover_every_interval_once(interval_s: int, samples: int, segment_s: int | None) -> None:
    plan = CapturePlan(interval_s, samples, segment_s)
    rows = list(plan.segments())
    assert sum(n - 1 for n in rows) == plan.intervals
    assert all(n >= 2 for n in rows)
    if segment_s is not None:
        assert all((n - 1) * interval_s <= segment_s for n in rows)


def test_the_time_left_is_that_of_the_intervals_that_are_missing() -> None:
    plan = CapturePlan(5, 121)
    assert [plan.remaining_s(seen) for seen in (0, 1, 119, 120, 500)] == [600, 595, 5, 0, 0]


def test_a_small_host_may_be_quiet_for_a_while() -> None:
    assert quiet_limit_s(2) >= 126 * 2, "samples that BusyBox gzip was seen to hold back"
    assert quiet_limit_s(60) >= 126 * 60


def test_only_our_own_esxtop_counts_as_left_behind() -> None:
    listing = (
        "WID      CID      World Name   Command Line\n"
        "2100001  2100001  esxtop  esxtop -b -a -d 5 -n 121\n"
        "2100009  2100009  esxtop  esxtop\n"
        "2100010  2100010  esxtop  esxtop -b -a -d 60 -n 3\n"
        "3360136 3360136 tail                 tail -f /tmp/ghettoVCB.work/ghettovcb.Cs1M1x\n"  # of a real host
        "2100001  2100001  esxtop  esxtop -b -a -d 5 -n 121\n"
    )
    assert left_behind(listing, 5) == ("2100001  2100001  esxtop  esxtop -b -a -d 5 -n 121",)
    assert left_behind(listing, 10) == ()
    assert left_behind(listing, 5, ["2100001  2100001  esxtop  esxtop -b -a -d 5 -n 121"]) == (), "it ran before"
    assert left_behind(listing, 5, ["2100002  2100002  esxtop  esxtop -b -a -d 5 -n 121"]) != ()


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..",
        ".",
        "",
        "a/b",
        "web 01",
        "$(reboot)",
        "it's",
        'say "x"',
        "\0",
        "ü",
        "-rf",
        "a" * 500,
    ],
)
def test_no_name_leaves_the_folder(name: str) -> None:
    safe = safe_name(name)
    assert safe not in {"", ".", ".."}
    assert not set(safe) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert safe[0] not in ".-"
    assert len(safe) <= 80


def test_plain_names_stay_and_changed_ones_stay_apart() -> None:
    assert safe_name("web01.example.com") == "web01.example.com"
    assert len({safe_name(name) for name in ("a b", "a_b", "a/b", "a:b")}) == 4
