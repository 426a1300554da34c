r"""The manual of the clock: what the time cells of a capture may look like, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from made_captures import NAMES, START, STEP, counted, header, joined, lines, read, row, stamp
from polars import DataFrame

from esxprobe.errors import UsageError
from esxprobe.model import Recording

NAME = [NAMES[0]]


def with_times(
    folder: Path, times: list[str], zone: str = "(UTC)(0)", timezone_name: str | None = None
) -> Recording:
    """A capture of one column with the given time cells."""
    rows = [f'"{time}","{n}"' for n, time in enumerate(times)]
    return read(folder, joined([header(NAME, zone), *rows]), names=NAME, timezone=timezone_name)


def utc(*moments: str) -> list[datetime]:
    return [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in moments]


def every(start: str, step: float, count: int) -> list[datetime]:
    (first,) = utc(start)
    return [first + n * timedelta(seconds=step) for n in range(count)]


def samples(recording: Recording) -> DataFrame:
    return recording.samples


@pytest.mark.parametrize(
    ("times", "first"),
    [
        (["03/26/2015 22:42:00", "03/26/2015 22:42:05"], "2015-03-26T22:42:00"),
        (["3/26/2015 22:42:00", "3/26/2015 22:42:05"], "2015-03-26T22:42:00"),
        (["3/26/2015 10:42:00 PM", "3/26/2015 10:42:05 PM"], "2015-03-26T22:42:00"),
        (["2015-03-26 22:42:00", "2015-03-26 22:42:05"], "2015-03-26T22:42:00"),
        (["2015-03-26T22:42:00", "2015-03-26T22:42:05"], "2015-03-26T22:42:00"),
        (["2015/03/26 22:42:00", "2015/03/26 22:42:05"], "2015-03-26T22:42:00"),
        (["03/26/2015 22:42:00.250", "03/26/2015 22:42:05.250"], "2015-03-26T22:42:00.250"),
        (["03/26/2015  22:42:00", "03/26/2015  22:42:05"], "2015-03-26T22:42:00"),
    ],
)
def test_times_in_many_shapes(tmp_path: Path, times: list[str], first: str) -> None:
    recording = with_times(tmp_path, times)
    assert samples(recording)["time"].to_list()[0] == utc(first)[0]
    assert recording.interval_s == 5.0
    assert counted(recording) == {}


@pytest.mark.parametrize("dot", ["/", "."])
def test_day_first_dates_are_read_so_when_month_first_is_impossible(tmp_path: Path, dot: str) -> None:
    recording = with_times(tmp_path, [f"26{dot}03{dot}2015 22:42:0{n}" for n in (0, 5)])
    assert samples(recording)["time"].to_list() == utc("2015-03-26T22:42:00", "2015-03-26T22:42:05")
    assert counted(recording) == {"day-first": 1}


def test_day_first_dates_are_read_so_when_month_first_jumps(tmp_path: Path) -> None:
    times = ["03/04/2015 23:59:50", "03/04/2015 23:59:55", "04/04/2015 00:00:00", "04/04/2015 00:00:05"]
    recording = with_times(tmp_path, times)
    assert samples(recording)["time"].to_list() == every("2015-04-03T23:59:50", 5, 4)
    assert counted(recording) == {"day-first": 1}


def test_the_twelfth_becoming_the_thirteenth_is_day_first_throughout(tmp_path: Path) -> None:
    times = ["12/03/2015 23:59:50", "12/03/2015 23:59:55", "13/03/2015 00:00:00"]
    assert samples(with_times(tmp_path, times))["time"].to_list() == every("2015-03-12T23:59:50", 5, 3)


def test_one_damaged_date_does_not_turn_the_others_round(tmp_path: Path) -> None:
    times = [
        "03/02/2015 10:00:00",
        "03/02/2015 10:00:05",
        "23/02/2015 10:00:10",
        "03/02/2015 10:00:15",
        "03/02/2015 10:00:20",
    ]
    recording = with_times(tmp_path, times)
    assert samples(recording)["time"].to_list() == utc(*[f"2015-03-02T10:00:{s}" for s in ("00", "05", "15", "20")])
    assert counted(recording) == {"time-unreadable": 1, "time-gap": 1}


def test_equal_minutes_of_a_spreadsheet_are_spread_evenly(tmp_path: Path) -> None:
    true = every("2015-03-26T22:42:25", 5, 40)
    cells = [f"{t.month}/{t.day}/{t.year} {t.hour}:{t.minute:02d}" for t in true]
    rows = [f"{time},{n}" for n, time in enumerate(cells)]
    data = joined([header(NAME).replace('"', ""), *rows], "\r\n")
    recording = read(tmp_path, data, names=NAME)
    assert samples(recording)["time"].to_list() == true
    assert recording.interval_s == 5.0
    assert counted(recording) == {"resaved": 1, "crlf-line-ends": 1, "seconds-lost": 40}


def test_minutes_with_one_row_each_lose_their_seconds_only(tmp_path: Path) -> None:
    recording = with_times(tmp_path, [f"3/26/2015 22:{m}" for m in range(42, 47)])
    assert recording.interval_s == 60.0
    assert counted(recording) == {"seconds-lost": 5}


def test_times_without_a_date_cross_midnight(tmp_path: Path) -> None:
    recording = with_times(tmp_path, ["23:59:50", "23:59:55", "00:00:00", "00:00:05"])
    assert samples(recording)["time"].to_list() == every("1970-01-01T23:59:50", 5, 4)
    assert not recording.date_known
    assert counted(recording) == {"date-lost": 1}


def test_times_without_date_and_seconds(tmp_path: Path) -> None:
    recording = with_times(tmp_path, ["23:58"] * 12 + ["23:59"] * 12 + ["0:00"] * 12)
    assert samples(recording)["time"].to_list() == every("1970-01-01T23:58:00", 5, 36)
    assert counted(recording) == {"date-lost": 1, "seconds-lost": 36}


@pytest.mark.parametrize(
    ("order", "reasons", "codes"),
    [
        ([0, 1, 2, 3], ["first", "", "", ""], {}),
        ([0, 1, 1, 2], ["first", "", "repeats", ""], {"time-repeats": 1}),
        ([5, 6, 2, 3], ["first", "", "backwards", ""], {"time-backwards": 1}),
        ([0, 1, 2, 9], ["first", "", "", "gap"], {"time-gap": 1}),
    ],
    ids=["even", "repeats", "backwards", "gap"],
)
def test_a_clock_that_does_not_go_on_is_counted(
    tmp_path: Path, order: list[int], reasons: list[str], codes: dict[str, int]
) -> None:
    recording = read(tmp_path, joined([header(), *(row(n) for n in order)]))
    assert samples(recording)["reason"].to_list() == reasons
    assert counted(recording) == codes
    frame = recording.tidy["host"]
    judged = [n for n, reason in zip(order, reasons, strict=True) if reason in {"", "gap"}]
    assert frame[r"Memory\Free MBytes"].to_list() == [1000.0 + n for n in judged]


def test_a_file_that_was_appended_to_itself_is_judged_once(tmp_path: Path) -> None:
    once = [header(), *(row(n) for n in range(6))]
    recording = read(tmp_path, joined([*once, *once]))
    assert counted(recording) == {"repeated-header": 1, "sample-twice": 5}
    assert recording.tidy["host"][r"Memory\Free MBytes"].to_list() == [1000.0 + n for n in range(1, 6)]


def test_captures_that_ran_at_the_same_time_are_told(tmp_path: Path) -> None:
    cells = [f"03/26/2015 22:42:{s:02d}" for s in (0, 5, 10, 15, 20)]
    others = [f"03/26/2015 22:42:{s:02d}" for s in (2, 7, 12, 17, 22)]
    rows = [f'"{cell}",' + row(n).partition(",")[2] for n, cell in enumerate((*cells, *others))]
    recording = read(tmp_path, joined([header(), *rows[:5], header(), *rows[5:]]))
    assert counted(recording) == {"repeated-header": 1, "time-overlaps": 3}


def test_parts_in_the_wrong_order_are_counted(tmp_path: Path) -> None:
    recording = read(tmp_path, joined([header(), row(6), row(7), row(8), header(), row(0), row(1), row(2)]))
    assert counted(recording) == {"repeated-header": 1, "time-order": 1}


def test_jitter_is_counted(tmp_path: Path) -> None:
    recording = with_times(tmp_path, [f"03/26/2015 22:42:{s:02d}" for s in (0, 5, 10, 16, 20, 25)])
    assert counted(recording) == {"time-jitter": 2}


def test_the_first_row_covers_an_unknown_interval_and_is_set_aside(tmp_path: Path) -> None:
    recording = read(tmp_path, joined(lines(3)))
    assert [note.count for note in recording.notes if note.code == "first-sample"] == [1]
    assert recording.tidy["vcpu"]["sample"].to_list() == [1, 2]
    assert samples(recording)["judged"].to_list() == [False, True, True]


def test_a_zone_that_cannot_be_trusted_is_counted_and_can_be_given(tmp_path: Path) -> None:
    times = ["03/26/2015 22:42:00", "03/26/2015 22:42:05"]
    untrusted = with_times(tmp_path, times, zone="(EST)(0)")
    assert counted(untrusted) == {"zone-untrusted": 1}
    assert untrusted.zone == "(EST)(0)"
    assert samples(untrusted)["time"].to_list()[0] == utc("2015-03-26T22:42:00")[0]
    given = with_times(tmp_path, times, "(EST)(0)", "America/New_York")
    assert counted(given) == {}
    assert samples(given)["time"].to_list()[0] == utc("2015-03-27T02:42:00")[0]
    fixed = with_times(tmp_path, times, "(EST)(0)", "+05:30")
    assert samples(fixed)["time"].to_list()[0] == utc("2015-03-26T17:12:00")[0]


@pytest.mark.parametrize("name", ["Mars/Phobos", "+25:00", "+x", "../etc/passwd"])
def test_a_name_that_is_no_zone_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is not a time zone"):
        with_times(tmp_path, [stamp(0), stamp(1)], timezone_name=name)


def test_the_hour_that_exists_twice_goes_on_without_a_step_back(tmp_path: Path) -> None:
    times = [f"10/25/2015 02:{m}:00" for m in (57, 58, 59)] + [f"10/25/2015 02:0{m}:00" for m in (0, 1, 2)]
    recording = with_times(tmp_path, times, timezone_name="Europe/Berlin")
    assert samples(recording)["time"].to_list() == every("2015-10-25T00:57:00", 60, 6)
    assert counted(recording) == {}


def test_times_that_a_zone_skips_are_counted(tmp_path: Path) -> None:
    times = ["03/29/2015 01:59:50", "03/29/2015 01:59:55", "03/29/2015 02:00:00", "03/29/2015 03:00:05"]
    recording = with_times(tmp_path, times, timezone_name="Europe/Berlin")
    assert samples(recording)["time"].to_list() == utc(
        "2015-03-29T00:59:50", "2015-03-29T00:59:55", "2015-03-29T01:00:05"
    )
    assert counted(recording)["time-unreadable"] == 1


def test_rows_of_the_made_captures_are_five_seconds_apart(tmp_path: Path) -> None:
    times = samples(read(tmp_path, joined(lines(4))))["time"].to_list()
    assert times == [(START + n * STEP).replace(tzinfo=UTC) for n in range(4)]
