"""Times as people write them, and which samples lie between two of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.errors import UsageError
from esxprobe.extract.window import Window, parse_moment

START = datetime(2018, 4, 24, 22, 0, tzinfo=UTC)


def held(start: str, end: str, *, hours: float = 1, zone: tzinfo = UTC) -> list[str]:
    """First and last minute that a window holds of a capture from 22:00 on, a sample a minute."""
    minutes = int(hours * 60) + 1
    times = pl.Series([START + timedelta(minutes=n) for n in range(minutes)], dtype=pl.Datetime("us", "UTC"))
    window = Window(parse_moment(start) if start else None, parse_moment(end) if end else None)
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


def test_times_without_a_zone_are_in_the_captures() -> None:
    zone = timezone(timedelta(hours=2))
    assert held("00:10", "00:20", zone=zone) == ["24 22:10", "24 22:20"]
    assert held("2018-04-25T00:10", "+20m", zone=zone) == ["24 22:10", "24 22:20"]


@pytest.mark.parametrize("text", ["", "yesterday", "+", "+m", "25:00", "10", "+10 m", "24.04.2018 10:50", "10:5"])
def test_what_is_no_time_is_said_so(text: str) -> None:
    with pytest.raises(UsageError, match="no point in time"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("+20m", "+10m", "ends .* before it begins"),
        ("2018-04-24T22:20", "2018-04-24T22:10", "ends .* before it begins"),
        ("+2h", "", "no sample lies between"),
        ("", "10:00", "no sample lies between"),
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
    window = Window(parse_moment(f"+{start}s"), parse_moment(f"+{start + length}"))
    series = pl.Series(times, dtype=pl.Datetime("us", "UTC"))
    if not any(expected):
        with pytest.raises(UsageError):
            window.holds(series, UTC)
        return
    assert window.holds(series, UTC).to_list() == expected
