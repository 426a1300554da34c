"""Times as people write them, and which samples lie between two of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.errors import UsageError
from esxprobe.formats.window import TimeWindow, parse_moment, window_of

START = datetime(2018, 4, 24, 22, 0, tzinfo=UTC)


def held(start: str, end: str, *, hours: float = 1, zone: tzinfo = UTC) -> list[str]:
    """First and last minute that a window holds of a capture from 22:00 on, a sample a minute."""
    minutes = int(hours * 60) + 1
    times = pl.Series([START + timedelta(minutes=n) for n in range(minutes)], dtype=pl.Datetime("us", "UTC"))
    window = TimeWindow(parse_moment(start) if start else None, parse_moment(end) if end else None)
    inside = times.filter(window.holds(times, zone))
    return [format(inside[at], "%d %H:%M") for at in (0, -1)]


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("", "", "24 22:00", "24 23:00"),
        ("+10m", "+20m", "24 22:10", "24 22:20"),
        ("+1h", "", "24 23:00", "24 23:00"),
        ("+600", "+0h20m30s", "24 22:10", "24 22:20"),
        ("22:10", "22:20:59", "24 22:10", "24 22:20"),
        ("2018-04-24T22:10", "2018-04-24 22:20", "24 22:10", "24 22:20"),
        ("2018-04-24T22:10Z", "2018-04-25T00:20+02:00", "24 22:10", "24 22:20"),
        ("09:00", "", "24 22:00", "24 23:00"),
        ("", "23:55", "24 22:00", "24 23:00"),
    ],
)
def test_a_window_holds_both_its_ends(start: str, end: str, first: str, last: str) -> None:
    assert held(start, end) == [first, last]


def test_a_time_of_day_after_midnight_is_the_next_days() -> None:
    assert held("23:50", "00:10", hours=4) == ["24 23:50", "25 00:10"]
    assert held("00:10", "", hours=4) == ["25 00:10", "25 02:00"]
    assert held("", "00:10", hours=4) == ["24 22:00", "25 00:10"]
    assert held("22:50", "00:10", hours=1) == ["24 22:50", "24 23:00"]  # the capture ended before midnight
    assert held("2018-04-25T23:50", "00:10", hours=26.05) == ["25 23:50", "26 00:03"]


def test_times_without_a_zone_are_in_the_captures() -> None:
    zone = timezone(timedelta(hours=2))
    assert held("00:10", "00:20", zone=zone) == ["24 22:10", "24 22:20"]
    assert held("2018-04-25T00:10", "+20m", zone=zone) == ["24 22:10", "24 22:20"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "+",
        "+m",
        "25:00",
        "10",
        "+10 m",
        "24.04.2018 10:50",
        "10:5",
        "١٠:٥٠",
        "2018-04-24\x1b10:50",
    ],
)
def test_what_is_no_time_is_said_so(text: str) -> None:
    with pytest.raises(UsageError, match="not a valid time"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("+20m", "+10m", "ends .* before it begins"),
        ("2018-04-24T22:20", "2018-04-24T22:10", "ends .* before it begins"),
        ("22:20", "22:10", "ends .* before it begins"),
        ("+2h", "", "no sample was taken at or after 2018-04-25 00:00:00$"),
        ("", "10:00", "no sample was taken at or before 2018-04-24 10:00:00$"),
        ("+999999999d", "", "calendar"),
    ],
)
def test_a_window_without_samples_says_what_there_is(start: str, end: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        held(start, end)


@given(
    stamps=st.lists(st.one_of(st.none(), st.integers(0, 7200)), min_size=1, max_size=40).filter(any),
    start=st.integers(0, 7200),
    length=st.integers(0, 7200),
)
def test_any_window_of_offsets_holds_what_comparing_each_stamp_gives(
    stamps: list[int | None], start: int, length: int
) -> None:
    times = [None if each is None else START + timedelta(seconds=each) for each in stamps]
    first = min(time for time in times if time is not None)
    low, high = first + timedelta(seconds=start), first + timedelta(seconds=start + length)
    expected = [time is not None and low <= time <= high for time in times]
    window = TimeWindow(parse_moment(f"+{start}s"), parse_moment(f"+{start + length}"))
    series = pl.Series(times, dtype=pl.Datetime("us", "UTC"))
    if not any(expected):
        with pytest.raises(UsageError):
            window.holds(series, UTC)
        return
    assert window.holds(series, UTC).to_list() == expected


# --- clocks that are set --------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")


def utc_held(first: datetime, start: str, end: str, *, hours: float = 4) -> tuple[str, str]:
    """First and last minute [UTC] that a window holds of a capture in Berlin, a sample a minute."""
    times = pl.Series(
        [first + timedelta(minutes=n) for n in range(int(hours * 60) + 1)], dtype=pl.Datetime("us", "UTC")
    )
    inside = times.filter(TimeWindow(parse_moment(start), parse_moment(end)).holds(times, BERLIN))
    return f"{inside[0]:%H:%M}", f"{inside[-1]:%H:%M}"


def test_an_offset_counts_the_hour_that_a_clock_skips_or_repeats() -> None:
    """At 01:00 UTC the clocks of Berlin are put forward from 2 to 3 in March, and back from 3 to 2 in October."""
    for first in (datetime(2018, 3, 25, 0, 30, tzinfo=UTC), datetime(2018, 10, 28, 0, 30, tzinfo=UTC)):
        assert utc_held(first, "+10m", "+2h") == ("00:40", "02:30")


def test_of_a_time_that_exists_twice_the_first_begins_a_window_and_the_second_ends_it() -> None:
    night = datetime(2018, 10, 28, 0, 0, tzinfo=UTC)  # 02:00, for the first time
    assert utc_held(night, "02:10", "02:20") == ("00:10", "01:20")
    assert utc_held(night, "2018-10-28T02:10+01:00", "02:20") == ("01:10", "01:20")
    assert utc_held(night + timedelta(minutes=70), "02:20", "03:00") == ("01:20", "02:00")


def test_a_time_that_a_clock_skips_is_as_long_after_the_last_one_before() -> None:
    night = datetime(2018, 3, 25, 0, 30, tzinfo=UTC)
    assert utc_held(night, "02:10", "02:20") == ("01:10", "01:20")


@given(
    first=st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
    start=st.integers(0, 47),
    length=st.integers(1, 48),
)
def test_an_offset_is_real_time_in_every_zone(first: datetime, zone: str, start: int, length: int) -> None:
    """A sample an hour for four days."""
    times = pl.Series(
        [first.replace(tzinfo=UTC) + timedelta(hours=n) for n in range(97)], dtype=pl.Datetime("us", "UTC")
    )
    window = TimeWindow(parse_moment(f"+{start}h"), parse_moment(f"+{start + length}h"))
    inside = window.holds(times, ZoneInfo(zone))
    assert inside.to_list() == [start <= n <= start + length for n in range(97)]


# --- what the commands ask ------------------------------------------------------------------------


def test_without_words_there_is_no_window() -> None:
    assert window_of(None, None) is None


def test_a_window_can_be_typed_again() -> None:
    for words, whose in ((["--from", " 10:50 "], "capture"), (["--baseline-from", "+1h"], "baseline")):
        window = window_of(words[1], None, whose)
        assert window is not None
        assert window.words() == [words[0], words[1].strip()]


@pytest.mark.parametrize(
    ("start", "end"),
    [("+20m", "+10m"), ("2018-04-25", "2018-04-24"), ("2018-04-24T10:00+02:00", "2018-04-24T07:59Z")],
)
def test_what_is_backwards_in_any_capture_is_said_before_one_is_read(start: str, end: str) -> None:
    with pytest.raises(UsageError, match=r"ends .* before it begins"):
        window_of(start, end)


def test_what_may_be_forwards_in_some_capture_waits_for_it() -> None:
    for start, end in (("23:50", "00:10"), ("+20m", "10:00"), ("2018-04-24T10:00", "2018-04-24T08:30Z")):
        assert window_of(start, end) is not None


def test_bounds_of_an_open_end_are_those_of_the_samples() -> None:
    times = pl.Series([START, START + timedelta(hours=1)], dtype=pl.Datetime("us", "UTC"))
    assert TimeWindow(parse_moment("22:10")).bounds(times, UTC) == (
        START + timedelta(minutes=10),
        START + timedelta(hours=1),
    )


def test_a_window_can_need_more_than_one_sample() -> None:
    times = pl.Series([START, START + timedelta(hours=1)], dtype=pl.Datetime("us", "UTC"))
    window = TimeWindow(None, parse_moment("22:30"))
    assert window.holds(times, UTC).sum() == 1
    with pytest.raises(UsageError, match="only one sample was taken at or before 2018-04-24 22:30:00") as error:
        window.holds(times, UTC, 2)
    assert error.value.hint == "the capture runs from 2018-04-24 22:00:00 to 2018-04-24 23:00:00"
