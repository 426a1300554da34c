"""Logs of hosts, VMs and vCenter: each file below `data` has the events that stand in it beside it."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from told_events import DATA, WITHOUT_ZONE, read, shown

from esxprobe.catalog.events import KINDS
from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.formats.hostlogs import Wanted, formats
from esxprobe.formats.hostlogs.envelope import opened
from esxprobe.formats.hostlogs.message import SHAPES, needles, told_by

LOGS = sorted(path for path in DATA.iterdir() if path.suffix != ".expected")


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.name)
def test_every_log_has_the_events_beside_it(path: Path) -> None:
    beside = path.with_name(f"{path.name}.expected")
    found = read(path)
    said = {
        "format": found.logs[0].format,
        "lines": found.logs[0].lines,
        "events": [shown(e) for e in found.events],
    }
    if os.environ.get("ESXPROBE_WRITE_EVENTS"):
        beside.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n")
    assert said == json.loads(beside.read_text())


@pytest.mark.parametrize("kind", [kind.key for kind in KINDS])
def test_every_kind_stands_in_some_log(kind: str) -> None:
    assert any(f'"kind": "{kind}"' in path.read_text() for path in DATA.glob("*.expected"))


def test_every_shape_fits_some_line() -> None:
    # What continues a message stands behind it.
    lines = [line for path in LOGS for line in re.sub(r"\n[^\n]*?-->", " ", path.read_text()).splitlines()]
    unused = [shape.regex.pattern for shape in SHAPES if not any(shape.regex.search(line) for line in lines)]
    assert unused == []


def test_a_line_that_is_told_has_a_needle_in_it() -> None:
    for path in LOGS:
        for line in path.read_text().splitlines():
            found = opened(line)
            if found is not None and told_by(found.message) is not None:
                assert any(needle in line for needle in needles()), line


def test_a_head_is_recognized_by_one_format_at_most() -> None:
    for path in LOGS:
        head = path.read_bytes()
        tables = [each.name for each in formats() if each.recognizes(head) and not each.is_lines]
        lines = [each.name for each in formats() if each.recognizes(head) and each.is_lines]
        assert len(tables) <= 1, path
        assert len(lines) <= 1, path
        assert tables or lines, path


def test_source_line_numbers_and_amounts_do_not_matter() -> None:
    """Numbers of source lines differ from build to build, spelling of the level from release to release."""
    line = (
        "2025-02-03T09:00:05.5Z {level}cpu1:2)WARNING: ScsiDeviceIO: {n}: Device naa.1 performance has "
        "deteriorated. I/O latency increased from average value of 1 microseconds to {us} microseconds."
    )
    for level in ("", "Wa(180) vmkwarning: ", "Wa(180)[+] vmkwarning: ", "In(182)+ vmkernel: "):
        found = opened(line.format(level=level, n=random.randrange(99999), us=50_000))
        assert found is not None
        told = told_by(found.message)
        assert told is not None
        assert (told.kind, told.figure, told.unit) == ("device-latency-high", 50.0, "ms")


# What hostd writes before a message, which belongs to the form.
OF_HOSTD = re.compile(r"^\[(?:Originator|[0-9A-F]{6,8} )[^\]]*\] ")
# How releases begin a line of each log, as the files of data have them.
FORMS = {
    "vmkernel": (
        "2012-08-20T19:28:00.100Z cpu0:4137)",
        "2017-11-20T22:00:00.001Z cpu12:65904 opID=7f3c1a20)",
        "2025-02-03T09:00:00.000Z In(182) vmkernel: cpu10:2099084 opID=5be0c8d1)",
        "2025-02-03T09:00:05.500Z Wa(180) vmkwarning: cpu14:2097630)",
    ),
    "vobd": (
        "2012-08-20T19:28:00.100Z: ",
        "2025-06-01T07:25:58.464Z In(14) vobd[2097764]:  ",
    ),
    "hostd": (
        "2014-01-10T08:00:00.100Z [3647FB90 info 'ha-eventmgr' opID=hostd-1a2b] ",
        "2017-11-20T22:00:00.100Z info hostd[9F81B70] [Originator@6876 sub=Vimsvc opID=6c0a user=root] ",
        "2021-03-08T14:49:25.001Z verbose hostd[2100391] [Originator@6876 sub=Vimsvc opID=1] ",
        "2024-04-10T10:00:00.000Z In(166) Hostd[2098450]: [Originator@6876 sub=Vimsvc opID=lro-1 sid=52aa] ",
    ),
}


@pytest.mark.parametrize("log", FORMS)
def test_every_message_of_a_log_is_the_same_event_in_the_form_of_each_release(log: str) -> None:
    """A kind stands in the file of one release or of several: what begins its line is that of all of them."""
    kinds = set()
    for path in LOGS:
        if not path.name.startswith(f"{log}-"):
            continue
        for line in path.read_text().splitlines():
            found = opened(line)
            event = told_by(found.message) if found is not None else None
            if found is None or event is None:
                continue
            kinds.add(event.kind)
            head = OF_HOSTD.match(found.message)
            if head is not None and "vm:/" in head[0]:  # the VM is in what begins the line, and nowhere else
                continue
            message = OF_HOSTD.sub("", found.message)
            for form in FORMS[log]:
                again = opened(form + message)
                assert again is not None, form
                assert told_by(again.message) == event, form
    assert len(kinds) > 5


def test_packed_and_rotated_logs_in_any_order_give_the_same(tmp_path: Path) -> None:
    whole = (DATA / "vmkernel-6.log").read_bytes().splitlines(keepends=True)
    (tmp_path / "vmkernel.1.gz").write_bytes(gzip.compress(b"".join(whole[:10])))
    (tmp_path / "vmkernel.0.zst").write_bytes(
        zstandard.compress(b"".join(whole[8:20]))
    )  # two lines are there twice
    (tmp_path / "vmkernel.log").write_bytes(b"".join(whole[20:]))
    expected = [shown(event) for event in read(DATA / "vmkernel-6.log").events]
    assert [shown(event) for event in read(tmp_path).events] == expected
    names = ("vmkernel.log", "vmkernel.1.gz", "vmkernel.0.zst")
    assert [shown(event) for event in read(*(tmp_path / name for name in names)).events] == expected


def test_warnings_that_two_logs_repeat_are_one_event() -> None:
    once = read(DATA / "vmkernel-8.log").events
    both = read(DATA / "vmkernel-8.log", DATA / "vmkwarning-8.log").events
    assert len(both) == len(once) + 1  # what only the older log has


def test_an_observation_and_the_event_made_of_it_are_one() -> None:
    kinds = [event.kind for event in read(DATA / "vobd-6.log").events]
    assert kinds.count("apd-start") == kinds.count("apd-timeout") == 1


def test_utf_16_and_crlf(tmp_path: Path) -> None:
    text = (DATA / "vobd-8.log").read_text()
    path = tmp_path / "vobd.log"
    path.write_bytes(text.replace("\n", "\r\n").encode("utf-16"))
    assert [shown(e) for e in read(path).events] == [shown(e) for e in read(DATA / "vobd-8.log").events]


def test_only_the_time_and_the_host_asked_for() -> None:
    log = DATA / "server-priority.log"
    at = datetime(2014, 12, 18, 18, 30, 37, tzinfo=UTC)
    found = read(log, wanted=Wanted(at - timedelta(seconds=30), at, frozenset({"esx01"})))
    assert [event.kind for event in found.events] == ["path-in-doubt", "path-down"]
    found = read(log, wanted=Wanted(hosts=frozenset({"esx02.example.com"})))
    assert [event.entity.name for event in found.events] == ["web2"]
    assert found.logs[0].elsewhere == 2
    assert any(note.code == "events-elsewhere" for note in found.notes)


def test_times_of_another_clock_are_put_on_the_hosts() -> None:
    plain, ahead = (read(DATA / "govc.json", wanted=Wanted(shift_s=s)).events[0].time for s in (0.0, 2.5))
    assert ahead - plain == timedelta(seconds=2.5)


def test_a_zone_that_nobody_said_is_asked_for() -> None:
    for name in sorted(WITHOUT_ZONE):
        with pytest.raises(UsageError, match="no time zone") as caught:
            read(DATA / name, wanted=Wanted())
        assert "--log-timezone" in caught.value.hint


def test_dates_that_can_be_read_in_two_ways_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("Date Time,Description\n03/04/2026 10:00:00,vm01 on esx01 in DC is powered off\n")
    with pytest.raises(UsageError, match="day-first and month-first"):
        read(path, wanted=Wanted(zone=UTC))
    near = Wanted(datetime(2026, 4, 3, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC), zone=UTC)
    assert [event.time.month for event in read(path, wanted=near).events] == [4]


def test_a_folder_is_searched_and_what_is_no_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_bytes((DATA / "vobd-8.log").read_bytes())
    (tmp_path / "picture.bin").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    (tmp_path / "empty.log").write_bytes(b"")
    found = read(tmp_path)
    assert [log.format for log in found.logs] == ["vobd", "empty"]
    assert [(note.code, "picture.bin" in note.detail) for note in found.notes] == [("event-log-other", True)]


def test_a_file_that_was_named_and_is_no_log_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    for content in (b"hello\nworld\n", b"\x00\x01\x02" * 99, b"PK\x03\x04" + b"0" * 600, b"{}", b"a,b\n1,2\n"):
        path.write_bytes(content)
        with pytest.raises(UnreadableInputError):
            read(path)
    with pytest.raises(UnreadableInputError, match="does not exist"):
        read(tmp_path / "missing.log")


def test_hostile_lines_stay_text_and_are_bounded(tmp_path: Path) -> None:
    known = (DATA / "vobd-8.log").read_bytes()
    first = known.splitlines(keepends=True)[0]
    path = tmp_path / "vobd.log"
    script = first.replace(b"linkstate down", b"linkstate down <script>alert(1)</script>\x1b[31m\x00" + b"x" * 5000)
    path.write_bytes(
        known
        + b"\xff\xfe\x00" * 1000
        + b"\n"
        + script.replace(b"07:25", b"07:45")
        + b"A" * 9_000_000
        + b"\n"
        + first.replace(b"07:25", b"07:55")
    )
    found = read(path)
    assert len(found.events) == len(read(DATA / "vobd-8.log").events) + 2
    line = next(event.line for event in found.events if "<script>" in event.line)
    assert len(line) <= 1000
    assert not any(ord(letter) < 32 for letter in line)


def test_a_storm_of_events_is_bounded(tmp_path: Path) -> None:
    line = (DATA / "vmkernel-6.log").read_text().splitlines()[10]
    path = tmp_path / "vmkernel.log"
    start = datetime(2017, 11, 20, 22, tzinfo=UTC)
    stamps = (start + timedelta(milliseconds=7 * n) for n in range(5_000))
    path.write_text("".join(f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z{line[24:]}\n" for at in stamps))
    found = read(path)
    assert len(found.events) == 5_000
    assert sum(bool(event.line) for event in found.events) == 1_000


@given(
    st.text(max_size=300), st.sampled_from([s for shape in SHAPES for s in shape.needles]), st.text(max_size=300)
)
def test_no_message_makes_it_stumble(before: str, needle: str, behind: str) -> None:
    told_by(before + needle + behind)
    opened(f"2025-02-03T09:00:05.5Z {before}{needle}{behind}")


@given(st.binary(max_size=2000))
def test_no_file_makes_it_stumble(content: bytes) -> None:
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"events-{os.getpid()}"  # noqa: S108
    for head in (
        b"",
        b"2025-06-01T07:25:58.464Z In(14) vobd[2097764]:  ",
        b'{"createdTime":',
        b"time,host,entity,text\n",
    ):
        path.write_bytes(head + content)
        try:
            read(path, wanted=Wanted(zone=UTC))
        except (UnreadableInputError, UsageError):
            continue
    path.unlink()
