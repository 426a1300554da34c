"""Tables of events as clients of many countries export them: their times, their headings, their encodings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from told_events import BERLIN, DATA, read, shown

from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.formats.hostlogs import Wanted
from esxprobe.formats.hostlogs.time_words import certain_time, time_in_order, zone_in

AT = datetime(2026, 3, 26, 21, 35, 2)
MINUTE = AT.replace(second=0)
OFF = "sql01 on esx01 in DC is powered off"
CERTAIN = {
    "2026-03-26T21:35:02Z": AT.replace(tzinfo=UTC),
    "2026-03-26 21:35:02 UTC": AT.replace(tzinfo=UTC),
    "2026-03-26 21:35:02 +0000": AT.replace(tzinfo=UTC),
    "2026-03-26 21:35:02 +0200": AT.replace(tzinfo=timezone(timedelta(hours=2))),
    "2026-03-26 9:35:02 PM": AT,
    "2026-03-26 21:35:02,250": AT.replace(microsecond=250_000),
    "1774560902": AT.replace(tzinfo=UTC),
    "1774560902000": AT.replace(tzinfo=UTC),
    "/Date(1774560902000)/": AT.replace(tzinfo=UTC),
    "Mar 26, 2026, 9:35:02 PM": AT,
    "March 26, 2026 at 9:35:02\u202fPM": AT,
    "Thursday, March 26, 2026, 21:35:02 +0000": AT.replace(tzinfo=UTC),
    "Thu Mar 26 2026 21:35:02 GMT+0000 (Coordinated Universal Time)": AT.replace(tzinfo=UTC),
    "Thu, 26 Mar 2026 21:35:02 GMT": AT.replace(tzinfo=UTC),
    "26-Mar-2026 21:35": MINUTE,
    "26. März 2026 um 21:35:02": AT,
    "jeudi 26 mars 2026 à 21:35:02": AT,
    "26 de marzo de 2026, 21:35:02": AT,
    "2026/03/26 21:35:02": AT,
    "2026年3月26日 下午9:35:02": AT,
    "2026. 3. 26. 오후 9:35:02": AT,
}
DAY_FIRST = ("26/03/2026 21:35:02", "26.03.2026, 21:35:02", "26-3-2026 21.35.02", "26/03/2026, 9:35:02 p. m.")
MONTH_FIRST = ("3/26/2026 9:35:02 PM", "03/26/2026, 21:35:02", "\u200e3\u200e/\u200e26\u200e/\u200e2026 9:35:02 PM")


def test_times_that_can_be_read_in_one_way() -> None:
    assert {text: certain_time(text) for text in CERTAIN} == CERTAIN


def test_times_in_the_order_of_a_country() -> None:
    assert {time_in_order(text, "day-first") for text in DAY_FIRST} == {AT}
    assert {time_in_order(text, "month-first") for text in MONTH_FIRST} == {AT}
    assert {certain_time(text) for text in (*DAY_FIRST, *MONTH_FIRST)} == {None}
    assert time_in_order("3/26/26, 9:35 PM", "month-first") == MINUTE
    assert time_in_order("3/26/2026 12:05:00 AM", "month-first") == datetime(2026, 3, 26, 0, 5)
    assert time_in_order("03/26/2026 21:35:02 UTC", "month-first") == AT.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "2026-03-26", "21:35:02", "2026-02-30 10:00:00", "26.03.2026 21:35 CET", "3/26/2026 21:35 PM", "12345",
     "26 Mars 2026", "2026-03-26 21:35:02 somewhere", "9999999999", "1/2/2026 10:00 +99:00", "x" * 200],
)  # fmt: skip
def test_what_is_no_time_is_none(text: str) -> None:
    assert certain_time(text) is None
    assert time_in_order(text, "day-first") is time_in_order(text, "month-first") is None


@given(st.text(max_size=100))
def test_no_text_makes_it_stumble(text: str) -> None:
    for made in (certain_time(text), time_in_order(text, "day-first"), time_in_order(text, "month-first")):
        assert made is None or isinstance(made, datetime)
    zone_in(text)


@pytest.mark.parametrize("name", ["client-de.csv", "client-zh.csv", "powercli-list.txt", "own-split.csv"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_an_encoding_changes_nothing(name: str, encoding: str, tmp_path: Path) -> None:
    if (name, encoding) == ("client-zh.csv", "cp1252"):
        return  # has no such signs
    path = tmp_path / name
    path.write_bytes((DATA / name).read_text().replace("\n", "\r\n").encode(encoding))
    found, plain = read(path, wanted=BERLIN), read(DATA / name, wanted=BERLIN)
    assert [shown(event) for event in found.events] == [shown(event) for event in plain.events]
    if encoding == "cp1252" and name == "client-de.csv":
        assert "jürgen" in found.events[0].line


def table(tmp_path: Path, *rows: str, header: str = "Date Time,Description") -> Path:
    path = tmp_path / "events.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def test_the_order_in_which_rows_are_sorted_is_the_order_of_dates(tmp_path: Path) -> None:
    # Month-first they run back from 3 April to 10 March; day-first they would jump between all months.
    days = ("04/03", "04/02", "04/01", "03/12", "03/11", "03/10")
    path = table(tmp_path, *(f"{day}/2026 10:00:00,{OFF}" for day in days))
    assert [event.time.month for event in read(path, wanted=Wanted(zone=UTC)).events] == [3, 3, 3, 4, 4, 4]
    unsorted = table(tmp_path, *(f"{day}/2026 10:00:00,{OFF}" for day in ("04/03", "01/05", "03/12", "02/02")))
    with pytest.raises(UsageError, match="day-first and month-first"):
        read(unsorted, wanted=Wanted(zone=UTC))


def test_a_captured_time_between_rows_does_not_tell_the_order(tmp_path: Path) -> None:
    """Month-first these are of March and May: around the captured time, but nowhere near it."""
    path = table(tmp_path, f"03/04/2026 10:00:00,{OFF}", f"05/04/2026 10:00:00,{OFF}")
    with pytest.raises(UsageError, match="day-first and month-first"):
        read(path, wanted=Wanted(AT.replace(tzinfo=UTC), zone=UTC))


def test_a_heading_can_name_the_zone(tmp_path: Path) -> None:
    path = table(tmp_path, f"2026-03-26 21:35:02,{OFF}", header="Time (GMT+02:00),Description,User")
    (event,) = read(path, wanted=Wanted()).events
    assert event.time == datetime(2026, 3, 26, 19, 35, 2, tzinfo=UTC)


def test_what_vcenter_sends_to_a_syslog_server_is_of_the_host_by_vcenters_clock() -> None:
    log = DATA / "server-vcenter.log"
    found = read(log, wanted=Wanted(hosts=frozenset({"esx01.example.com"}), shift_s=2.0))
    assert found.logs[0].elsewhere == 0
    assert [(event.kind, event.source) for event in found.events] == [
        ("vm-power-off", "vcenter"), ("snapshot-start", "vcenter"), ("uplink-redundancy-lost", "vcenter"),
    ]  # fmt: skip
    assert found.events[0].time == datetime(2026, 11, 28, 20, 1, 2, 120_000, tzinfo=UTC)


def test_words_of_vcenter_that_begin_with_a_host_are_of_that_host() -> None:
    log = DATA / "server-vcenter-hosts.log"
    found = read(log, wanted=Wanted(hosts=frozenset({"esx02"})))
    assert [event.kind for event in found.events if event.entity.kind == "host" and event.host] == [
        "hostd-hung", "log-loss",
    ]  # fmt: skip
    assert found.logs[0].elsewhere == 2  # esx03 failed and was isolated


def test_an_alarm_is_not_the_event_whose_words_it_repeats() -> None:
    kinds = [event.kind for event in read(DATA / "server-vcenter-hosts.log").events]
    assert (kinds.count("hostd-hung"), kinds.count("alarm"), kinds.count("vmotion-failed")) == (1, 1, 0)


def test_lines_before_the_header_are_no_rows(tmp_path: Path) -> None:
    path = table(tmp_path, "time|text", "2026-03-26T21:35:02Z|index rebuilt", header="# of the DBA\n\n")
    found = read(path, wanted=Wanted())
    assert [(event.kind, event.time) for event in found.events] == [("note", AT.replace(tzinfo=UTC))]


def test_rows_of_a_users_own_list_are_notes_whatever_the_columns_are_called(tmp_path: Path) -> None:
    for header in ("timestamp,message", "Time,Description", "when,what", "Time,Event"):
        path = table(tmp_path, "2026-03-26T21:35:02Z,backup began", header=header)
        assert [event.kind for event in read(path, wanted=Wanted()).events] == ["note"], header
    path = table(tmp_path, "2026-03-26T21:35:02Z,backup began,jane", header="Time,Description,User")
    assert read(path, wanted=Wanted()).events == ()


def test_a_table_in_another_language_without_a_known_event_is_no_table_of_events(tmp_path: Path) -> None:
    path = table(tmp_path, "26.03.2026 21:35:02,Rechnung,12", "27.03.2026 21:35:02,Miete,900", header="Tag,Was,EUR")
    with pytest.raises(UnreadableInputError, match="not a log"):
        read(path, wanted=Wanted(zone=UTC))


def test_a_time_that_the_shift_of_a_clock_takes_beyond_all_years_is_unread(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("time,host,entity,text\n9999-12-31T23:59:59Z,esx01,,a path failed\n", encoding="utf-8")
    found = read(path, wanted=Wanted(shift_s=60.0))
    assert found.events == ()
