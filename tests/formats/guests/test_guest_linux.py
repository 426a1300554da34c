"""Linux logs: sar and sadf of many releases and languages, dumps of /proc, the collector's stream."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from esxprobe.errors import UnreadableInputError, UsageError

DATA = Path(__file__).parent / "data"
BANNER = "Linux 5.14.0 (web01) \t{} \t_x86_64_\t(8 CPU)\n\n"
PAGING = "{}     pgpgin/s pgpgout/s   fault/s  majflt/s  pgfree/s\n"


def sar(*rows: str, day: str = "2026-03-26", header: str = "10:00:00") -> str:
    lines = [
        f"{row.rpartition(' ')[0]}         0.00      4.00    {row.split()[-1]}      1.00     93.78" for row in rows
    ]
    return BANNER.format(day) + PAGING.format(header) + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("banner", "day", "doubt"),
    [
        ("2026-03-26", "2026-03-26", 0), ("03/26/2026", "2026-03-26", 0), ("03/26/26", "2026-03-26", 0),
        ("26/03/26", "2026-03-26", 0), ("26.03.2026", "2026-03-26", 0), ("26-03-26", "2026-03-26", 0),
        ("2026年03月26日", "2026-03-26", 0), ("04/03/2026", "2026-04-03", 1), ("04/04/2026", "2026-04-04", 0),
    ],
)  # fmt: skip
def test_the_banner_s_date_in_every_style(read, banner, day, doubt):
    made = read(sar("10:00:05 7.00", day=banner))
    assert made.times() == [f"{day} 10:00:05"]
    assert made.codes.get("guest-date-ambiguous", 0) == doubt


@pytest.mark.parametrize(
    ("header", "row", "time"),
    [
        ("11:59:55 AM", "12:00:00 PM 7.00", "12:00:00"), ("12:00:00 AM", "12:00:05 AM 7.00", "00:00:05"),
        ("22:00:00", "22:00:05 7.00", "22:00:05"), ("10時00分00秒", "10時00分05秒 7.00", "10:00:05"),
        ("下午 10:00:00", "下午 10:00:05 7.00", "22:00:05"), ("10:00:00 p.m.", "10:00:05 p.m. 7.00", "22:00:05"),
    ],
)  # fmt: skip
def test_12_and_24_hour_clocks(read, header, row, time):
    made = read(sar(row, header=header))
    assert made.times() == [f"2026-03-26 {time}"]
    assert made.covers() == [5.0]


def test_local_time_needs_a_zone_and_its_absence_is_told(read):
    text = sar("10:00:05 7.00")
    assert read(text).codes["guest-zone-assumed"] == 1
    given = read(text, timezone="Europe/Berlin")
    assert given.times() == ["2026-03-26 09:00:05"]
    assert "guest-zone-assumed" not in given.codes
    with pytest.raises(UsageError):
        read(text, timezone="Nowhere")


def test_midnight_and_repeated_headers(read):
    text = sar("11:59:55 PM 1.00", "12:00:00 AM 2.00", header="11:59:50 PM")
    text += "\n" + PAGING.format("12:00:00 AM") + "12:00:05 AM     0.00      4.00    3.00      1.00     93.78\n"
    made = read(text)
    assert made.times() == ["2026-03-26 23:59:55", "2026-03-27 00:00:00", "2026-03-27 00:00:05"]
    assert made.covers() == [5, 5, 5]
    assert made.values("soft_faults") == [0, 1, 2]


def test_a_restart_has_no_value_and_is_counted(read):
    text = sar("10:00:05 1.00") + "\n10:02:00       LINUX RESTART\t(8 CPU)\n\n"
    text += PAGING.format("10:02:10") + "10:02:15         0.00      4.00    3.00      1.00     93.78\n"
    made = read(text)
    assert made.times() == ["2026-03-26 10:00:05", "2026-03-26 10:02:00", "2026-03-26 10:02:15"]
    assert made.values() == [1, None, 3]
    assert made.covers() == [5, None, 5]
    assert made.codes["guest-restart"] == 1
    assert [f"{when:%H:%M:%S}" for when in made.log.restarts] == ["10:02:00"]


def test_a_restart_that_every_table_tells_anew_is_one(read):
    """`sar -f` on a file that begins with a boot: before each table stands the restart of that morning."""
    boot = "09:00:01       LINUX RESTART\t(8 CPU)\n\n"
    text = BANNER.format("2026-03-26") + boot + sar("23:50:00 1.00", header="23:40:00").split("\n\n", 1)[1]
    text += "\n" + boot + "23:40:00        proc/s   cswch/s\n23:50:00          0.50    100.00\n"
    made = read(text)
    assert made.times() == made.times("context_switches") == ["2026-03-26 09:00:01", "2026-03-26 23:50:00"]
    assert made.covers() == [None, 600]
    assert made.codes["guest-restart"] == 1
    assert "time-backwards" not in made.codes


def test_average_lines_in_every_language_are_no_samples(read):
    for word in ("Average:", "Durchschn.:", "Moyenne :", "Media:", "Среднее:", "平均時間:", "Średnia:"):
        made = read(sar("10:00:05 7.00") + f"{word}         0.00      4.00    9.00      1.00     93.78\n")
        assert made.values() == [7.0]
        assert "guest-text-line" not in made.codes


def test_several_tables_one_after_the_other_with_a_midnight_each(read):
    text = sar("23:59:55 1.00", "00:00:00 2.00", header="23:59:50")
    text += (
        "\n23:59:50        proc/s   cswch/s\n23:59:55          0.50    100.00\n00:00:00          0.50    200.00\n"
    )
    text += "\n23:59:50     kbmemfree   kbavail\n23:59:55          1    2\n"
    text += "\n23:59:50       IFACE   rxpck/s   txpck/s\n23:59:55        eth0    1.00   2.00\n"
    made = read(text)
    assert made.times("context_switches") == made.times() == ["2026-03-26 23:59:55", "2026-03-27 00:00:00"]
    assert made.values("context_switches") == [100, 200]


def test_columns_are_found_by_name(read):
    """12.7 prints no %vmeff and other columns between; before 8 the order was another one."""
    text = BANNER.format("2026-03-26") + "10:00:00   majflt/s  pgpromote/s   fault/s\n10:00:05   3.00  9.00  8.00\n"
    made = read(text)
    assert (made.values(), made.values("hard_faults")) == ([8.0], [3.0])


def test_processor_time_of_all_processors(read):
    text = BANNER.format("2026-03-26")
    text += "10:00:00   CPU     %user     %nice   %system   %iowait    %steal     %idle\n"
    text += "10:00:05   all      2,00      1,00      4,00      0,00      0,00     93,00\n"
    text += "10:00:05     0      9,00      9,00      9,00      0,00      0,00     73,00\n"
    made = read(text)
    assert (made.values("user_time"), made.values("system_time")) == ([3.0], [4.0])


def test_a_gap_without_a_header(read):
    made = read(sar("10:00:05 1.00", "10:00:10 2.00", "10:00:15 3.00", "10:05:00 4.00", "10:05:05 5.00"))
    assert made.covers() == [5, 5, 5, 5, 5]
    assert made.codes["time-gap"] == 1


def test_a_double_spaced_copy_loses_nothing(read):
    text = sar("10:00:05 1.00", "10:00:10 2.00")
    assert read(text.replace("\n", "\n\n")).cells == read(text).cells
    assert read(text.replace("\n", "\r\n")).cells == read(text).cells


def test_a_last_line_without_end_is_not_believed(read):
    made = read(sar("10:00:05 1.00", "10:00:10 2.00").rstrip("\n"))
    assert made.values() == [1.0]
    assert made.codes["row-cut"] == 1


def test_per_process_tables_are_refused(read):
    text = (
        BANNER.format("2026-03-26")
        + "10:00:00   UID   PID  minflt/s  majflt/s  Command\n10:00:05   0  1  5.00 1.00 sh\n"
    )
    with pytest.raises(UnreadableInputError, match="system-wide") as caught:
        read(text)
    assert "pidstat" in caught.value.hint


def test_a_sar_log_without_its_first_line_has_no_date(read):
    text = sar("10:00:05 1.00", day="today")
    with pytest.raises(UnreadableInputError, match="no date"):
        read(text)


def test_a_bad_cell_is_lost_alone(read):
    made = read(sar("10:00:05 1.00", "10:00:10 x.00", "10:00:15 3.00"))
    assert made.values() == [1.0, None, 3.0]
    assert made.codes["bad-cell"] == 1


def test_days_and_computers_in_one_file(read):
    two = sar("10:00:05 1.00") + "\n" + sar("10:00:05 2.00", day="2026-03-27")
    assert read(two).times() == ["2026-03-26 10:00:05", "2026-03-27 10:00:05"]
    other = two + sar("10:00:05 3.00").replace("web01", "web02")
    with pytest.raises(UsageError, match="web01, web02"):
        read(other)
    assert read(other, guest="web02").values() == [3.0]


HEAD = "# hostname;interval;timestamp;fault/s;majflt/s\n"


def test_sadf_d_stamps_in_utc_local_time_and_epoch(read):
    row = "web01;5;{};7.00;1.00\n"
    for stamp in ("2026-03-26 10:00:05 UTC", "1774519205"):
        made = read(HEAD + row.format(stamp))
        assert (made.times(), made.covers()) == (["2026-03-26 10:00:05"], [5.0])
        assert made.log.zone == "UTC"
    local = HEAD + row.format("2026-03-26 10:00:05")
    assert read(local).codes["guest-zone-assumed"] == 1
    assert read(local, timezone="Europe/Berlin").times() == ["2026-03-26 09:00:05"]


def test_sadf_d_intervals_restarts_and_gaps(read):
    rows = ["web01;5;2026-03-26 10:00:05 UTC;1.00;0.00", "web01;5;2026-03-26 10:00:11 UTC;2.00;0.00"]
    rows += ["web01;-1;2026-03-26 10:01:00 UTC;LINUX-RESTART\t(8 CPU)", "web01;5;2026-03-26 10:01:10 UTC;3.00;0.00"]
    rows += ["web01;300;2026-03-26 10:06:10 UTC;4.00;0.00", "web01;5;2026-03-26 10:09:00 UTC;5.00;0.00"]
    made = read(HEAD + "\n".join(rows) + "\n")
    assert made.values() == [1, 2, None, 3, 4, 5]
    assert made.covers() == [5, 6, None, 5, 300, 5]
    assert made.codes["guest-restart"] == 1


def test_sadf_d_one_processor_out_of_several(read):
    rows = ["web01;5;2026-03-26 10:00:05 UTC;{};{};1.00;2.00".format(*each) for each in ((-1, "3.00"), (0, "9.00"))]
    made = read("# hostname;interval;timestamp;CPU;%user;%nice;%system\n" + "\n".join(rows) + "\n")
    assert made.values("user_time") == [4.0]


def sadf_j() -> dict:
    return json.loads((DATA / "sadf-j.json").read_text(encoding="utf-8"))


def test_sadf_j_restarts_and_an_interval_below_zero(read):
    document = sadf_j()
    host = document["sysstat"]["hosts"][0]
    host["restarts"] = [{"boot": {"date": "2026-03-26", "time": "21:30:08", "utc": 1}}]
    host["statistics"][0]["timestamp"]["interval"] = 184467440737095516
    made = read(json.dumps(document))
    assert made.values() == [197.87, None, 200.0]
    assert made.covers() == [None, None, 5.0]
    assert made.codes["guest-restart"] == 1


def test_sadf_j_that_was_cut_keeps_its_whole_samples(read):
    text = (DATA / "sadf-j.json").read_text(encoding="utf-8")
    made = read(text[: text.index('"majflt": 0.00')])
    assert made.values() == [197.87]
    assert made.codes["row-cut"] == 1
    with pytest.raises(UnreadableInputError, match="not valid JSON"):
        read(text[:200])


def dump(stamp: str, faults: int, more: str = "") -> str:
    return f"{stamp}\nnr_free_pages 5\npgfault {faults}\npgmajfault {faults // 10}\n{more}"


@pytest.mark.parametrize(
    "stamps",
    [
        ("timestamp: 1774519200.500", "timestamp: 1774519205.500"), ("1774519200", "1774519205"),
        ("@ 1774519200", "@ 1774519205"), ("1774519200500", "1774519205500"),
        ("2026-03-26T10:00:00Z", "2026-03-26T10:00:05Z"),
        ("2026-03-26 11:00:00 +0100", "2026-03-26 11:00:05 +0100"),
        ("time=2026-03-26T10:00:00,5+00:00", "time=2026-03-26T10:00:05,5+00:00"),
        ("Thu Mar 26 10:00:00 UTC 2026", "Thu Mar 26 10:00:05 UTC 2026"),
        ("Thu 26 Mar 2026 10:00:00 AM UTC", "Thu 26 Mar 2026 10:00:05 AM UTC"),
        ("=== 1774519200 ===", "=== 1774519205 ==="),
    ],
)  # fmt: skip
def test_stamps_of_dumps_in_many_forms(read, stamps):
    made = read(dump(stamps[0], 1000) + dump(stamps[1], 2000))
    assert made.times() == ["2026-03-26 10:00:05"]
    assert (made.values(), made.covers()) == ([200.0], [5.0])
    assert not made.log.notes


def test_stamps_of_dumps_in_local_time(read):
    text = dump("Thu Mar 26 10:00:00 EST 2026", 1000) + dump("Thu Mar 26 10:00:05 EST 2026", 2000)
    assert read(text).codes["guest-zone-assumed"] == 1
    assert read(text, timezone="America/New_York").times() == ["2026-03-26 14:00:05"]


def test_stamps_behind_their_dumps(read):
    text = "".join(dump("", 1000 * n).lstrip() + f"{1774519200 + 5 * n}\n" for n in (0, 1, 2))
    made = read(text)
    assert made.times() == ["2026-03-26 10:00:05", "2026-03-26 10:00:10"]


def test_a_lost_dump_costs_nothing(read):
    text = "".join(dump(f"@ {1774519200 + second}", 200 * second) for second in (0, 5, 10, 30, 35))
    made = read(text)
    assert made.values() == [200, 200, 200, 200]
    assert made.covers() == [5, 5, 20, 5]
    assert made.codes["time-gap"] == 1


def test_totals_that_go_down_are_a_restart(read):
    text = "".join(dump(f"@ {1774519200 + 5 * n}", total) for n, total in enumerate((1000, 2000, 50, 1050)))
    made = read(text)
    assert made.values() == [200, None, 200]
    assert made.codes["guest-restart"] == 1
    assert [when.timestamp() for when in made.log.restarts] == [1774519210]


def test_a_boot_time_that_moves_is_a_restart_even_when_totals_rise(read):
    boots = (1774000000, 1774000001, 1774519202)
    text = "".join(dump(f"@ {1774519200 + 5 * n}", 1000 * n, f"btime {boot}\n") for n, boot in enumerate(boots))
    assert read(text).values() == [200, None]


def test_reclaim_of_every_zone_and_release_is_added_once(read):
    old = "pgsteal_kswapd_dma32 {0}\npgsteal_direct_normal {0}\n"
    new = "pgsteal_kswapd {0}\npgsteal_direct {0}\npgsteal_anon {0}\npgsteal_file {0}\n"
    for form in (old, new):
        text = "".join(dump(f"@ {1774519200 + 5 * n}", n, form.format(50 * n)) for n in (0, 1))
        assert read(text).values("pages_reclaimed") == [20.0]


@pytest.mark.parametrize("total", ["20²0", "9" * 5_000, "٢٠٠٠", "-5"])
def test_a_total_that_no_kernel_has_is_missing(read, total):
    """Superscripts are digits to Python, and five thousand digits more than it turns into a number."""
    dumps = [dump(f"@ {1774519200 + 5 * n}", 1000 * n) for n in range(4)]
    made = read("".join(dumps).replace("pgfault 1000\n", f"pgfault {total}\n"))
    assert made.values() == [None, None, 200]
    assert made.codes["blank-cell"] == 1


def test_a_dump_that_was_cut(read):
    text = dump("@ 1774519200", 1000) + dump("@ 1774519205", 2000) + "@ 1774519210\npgfault 2999\npgmaj"
    made = read(text)
    assert made.values() == [200.0, pytest.approx(199.8)]
    assert made.values("hard_faults") == [20.0, None]
    assert made.codes["row-cut"] == 1


def test_a_sum_that_lacks_a_part_is_no_total(read):
    """Found by cutting streams anywhere: reclaim is the sum of several lines."""
    both, one = "pgsteal_kswapd 50\npgsteal_direct 50\n", "pgsteal_kswapd 90\n"
    made = read(
        dump("@ 1774519200", 1000, both) + dump("@ 1774519205", 2000, one) + dump("@ 1774519210", 3000, both)
    )
    assert "pages_reclaimed" not in made.log.samples["counter"]
    assert made.codes["blank-cell"] == 1


def test_a_cpu_line_that_lacks_fields_gives_no_share(read):
    cpu = ("cpu  100 0 50 800 50 0 0 0\n", "cpu  200 0 100 1150\n", "cpu  300 0 150 1500 50 0 0 0\n")
    made = read("".join(dump(f"@ {1774519200 + 5 * n}", 1000 * n, line) for n, line in enumerate(cpu)))
    assert set(made.values("user_time")) <= {None}


def test_dumps_without_stamps_and_a_single_dump(read):
    with pytest.raises(UnreadableInputError, match="no timestamps"):
        read("nr_free_pages 5\npgfault 7\nnr_free_pages 5\npgfault 9\n")
    with pytest.raises(UnreadableInputError, match="two dumps"):
        read(dump("@ 1774519200", 1000))


def test_a_stream_that_was_taken_up_again(read):
    text = (DATA / "esxprobe.txt").read_text(encoding="utf-8")
    head, tail = text.split("@ 1774560620", 1)
    again = head + "# esxprobe guest/1 linux interval_s=5\n@ 1774560620" + tail
    assert read(again).cells == read(text).cells


@pytest.mark.parametrize("first", ["# esxprobe guest/2 linux", "# esxprobe guest/1 plan9 interval_s=5"])
def test_streams_of_another_kind_are_refused(read, first):
    with pytest.raises(UnreadableInputError, match="not read here"):
        read(first + "\n@ 1774560600\npgfault 1\n")


DISKS = "10:00:00          DEV       tps     rkB/s     wkB/s   areq-sz    aqu-sz     await     %util\n"


def disks(*rows: str) -> str:
    """`sar -d`: stamp, disk, transfers a second and their mean time of each row."""
    lines = []
    for row in rows:
        stamp, name, rate, lasted = row.split()
        lines.append(f"{stamp} {name} {rate} 0.00 8.00 8.00 0.01 {lasted} 1.00")
    return BANNER.format("2026-03-26") + DISKS + "\n".join(lines) + "\n"


def test_the_time_of_a_transfer_is_the_mean_over_all_transfers_of_whole_disks(read):
    others = ("sda1 30.00 2.00", "vg-root 9.00 50.00", "nvme0n1p1 10.00 6.00", "sr0 1.00 99.00")
    every = ("sda 30.00 2.00", *others, "nvme0n1 10.00 6.00")
    made = read(disks(*(f"10:00:{second} {disk}" for second in ("05", "10") for disk in every)))
    assert made.values("disk_await") == [pytest.approx(3.0)] * 2
    assert made.covers("disk_await") == [5.0, 5.0]


def test_disks_by_number_are_told_from_their_partitions(read):
    every = ("dev8-0 30.00 2.00", "dev8-1 30.00 9.00", "dev8-16 10.00 6.00")
    made = read(disks(*(f"10:00:{second} {disk}" for second in ("05", "10") for disk in every)))
    assert made.values("disk_await") == [pytest.approx(3.0)] * 2


def test_a_log_that_ends_in_a_stamp_has_no_time_of_a_transfer_for_it(read):
    whole = ("10:00:05 sda 30.00 2.00", "10:00:05 sdb 10.00 6.00")
    assert read(disks(*whole[:1])).values("disk_await") == [None]
    assert read(disks(*whole, "10:00:10 sda 30.00 2.00")).values("disk_await") == [pytest.approx(3.0), None]
    assert read(disks("10:00:05 sda 30.00 2.00", "10:00:10 sda 30.00 2.00")).values("disk_await") == [2.0, 2.0]


def test_of_a_stamp_that_lacks_a_disk_or_a_number_there_is_no_time_of_a_transfer(read):
    made = read(disks("10:00:05 sda 30.00 2.00", "10:00:05 sdb 10.00 6.00", "10:00:10 sda 30.00 2.00",
                      "10:00:15 sda 30.00 x", "10:00:15 sdb 10.00 6.00",
                      "10:00:20 sda 0.00 0.00", "10:00:20 sdb 0.00 0.00"))  # fmt: skip
    assert made.values("disk_await") == [pytest.approx(3.0), None, None, None]
    assert made.codes["bad-cell"] == 1


def test_disks_of_a_clock_that_went_back_are_not_added_to_those_before(read):
    rows = [("05", "2.00"), ("10", "3.00"), ("05", "9.00"), ("15", "4.00")]
    lines = [f"web01;5;2026-03-26 10:00:{second} UTC;sda;10.00;{lasted}" for second, lasted in rows]
    made = read("\n".join(["# hostname;interval;timestamp;DEV;tps;await", *lines]) + "\n")
    assert made.values("disk_await") == [2.0, 3.0, 4.0]


def test_a_restart_cuts_the_table_of_disks_too(read):
    text = disks("10:00:05 sda 30.00 2.00") + "\n10:00:07  LINUX RESTART (8 CPU)\n\n"
    made = read(text + DISKS.replace("10:00:00", "10:00:10") + "10:00:15 sda 1.00 0.00 8.00 8.00 0.01 4.00 1.00\n")
    assert made.values("disk_await") == [2.0, None, 4.0]


def test_steal_is_read_and_an_old_kernel_has_none(read):
    cpu = [
        f"timestamp: {stamp}\npgfault {stamp}\ncpu  {line}\n"
        for stamp, line in ((1774560600, "100 0 50 800 0 0 0 {}"), (1774560605, "150 0 50 1240 0 0 0 {}"))
    ]
    assert read(cpu[0].format(5) + cpu[1].format(15)).values("steal_time") == [pytest.approx(2.0)]
    assert read(cpu[0].format(5) + cpu[1].format(3)).values("steal_time") == [0.0]
    assert read(cpu[0].format("") + cpu[1].format("")).values("steal_time") == []
