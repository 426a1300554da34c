"""sysstat in other locales, zones and versions: stamps, dates, numbers, colors, restarts, unwanted tables."""

import json

import pytest

from esxprobe.errors import UnreadableInputError, UsageError

BANNER = "Linux 5.14.0 (web01) \t{} \t_x86_64_\t(8 CPU)\n\n"
PAGING = "{}     pgpgin/s pgpgout/s   fault/s  majflt/s  pgfree/s\n"
D_HEAD = "# hostname;interval;timestamp;pgpgin/s;pgpgout/s;fault/s;majflt/s;pgfree/s\n"
CPU_HEAD = "# hostname;interval;timestamp;CPU;%user;%nice;%system;%iowait;%steal;%idle\n"


def sar(day: str, header: str, *stamps: str) -> str:
    rows = [f"{stamp}  0.00  4.00  {7 + n}.00  1.00  93.78\n" for n, stamp in enumerate(stamps)]
    return BANNER.format(day) + PAGING.format(header) + "".join(rows)


def paging(*stamps: str, first: int = 7) -> str:
    return D_HEAD + "".join(f"web01;5;{stamp};0;4;{first + n}.00;1.00;93\n" for n, stamp in enumerate(stamps))


@pytest.mark.parametrize(
    ("day", "header", "stamp", "time"),
    [
        ("2026년 03월 26일", "18시 18분 31초", "18시 18분 36초", "18:18:36"),  # Korean
        ("2026년03월26일", "오후 06:18:31", "오후 06:18:36", "18:18:36"),
        ("26.03.2026", "18.18.31", "18.18.36", "18:18:36"),  # Finnish
        ("26. 03. 2026", "18:18:31", "18:18:36", "18:18:36"),  # Slovenian
        ("26.3.2026", "18:18:31", "18:18:36", "18:18:36"),  # Czech
        ("2026.03.26.", "18:18:31", "18:18:36", "18:18:36"),  # Hungarian
        ("26/03/2569", "18:18:31", "18:18:36", "18:18:36"),  # Thai
        ("\u200f26/03/2026", "06:18:31 م", "06:18:36 م", "18:18:36"),  # Arabic
        ("26/03/2026", "06:18:31 μμ", "06:18:36 μμ", "18:18:36"),  # Greek
        ("26/03/2026", "11:18:31 πμ", "11:18:36 πμ", "11:18:36"),
        ("26/03/2026", "06:18:31 p. m.", "06:18:36 p. m.", "18:18:36"),  # Spanish
    ],
)
def test_dates_and_stamps_of_other_locales(read, day, header, stamp, time):
    made = read(sar(day, header, stamp))
    assert made.times() == [f"2026-03-26 {time}"]
    assert made.values() == [7.0]
    assert made.covers() == [5.0]
    assert set(made.codes) <= {"guest-zone-assumed"}


def test_percent_signs_behind_values(read):
    text = BANNER.format("2026-03-26") + (
        "10:00:00        CPU     %user     %nice   %system   %iowait    %steal     %idle\n"
        "10:00:05        all     20.5%      0.5%      5.0%      0.0%      0.0%     75.0%\n"
        "10:00:10        all      21,5%      0,0%      5,0%      0,0%      0,0%     74,0%\n"
    )
    made = read(text)
    assert made.values("user_time") == [21.0, 21.5]
    assert made.values("system_time") == [5.0, 5.0]
    assert set(made.codes) <= {"guest-zone-assumed", "guest-no-faults"}


def test_colors_are_no_part_of_the_log(read):
    plain = sar("2026-03-26", "10:00:00", "10:00:05", "10:00:10")
    painted = plain.replace("fault/s", "\x1b[33;22mfault/s\x1b[0m").replace("7.00", "\x1b[34;1m7.00\x1b[0m")
    painted = painted.replace("10:00:05", "\x1b[0m10:00:05\x1b[0m").replace("Linux", "\x1b[1mLinux")
    assert read(painted).cells == read(plain).cells


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("runq-sz  plist-sz   ldavg-1   ldavg-5  ldavg-15   blocked", "0  256  0.10  0.20  0.30  0"),
        ("dentunusd   file-nr  inode-nr    pty-nr", "63000  1500  59000  3"),
        ("totsck    tcpsck    udpsck    rawsck   ip-frag    tcp-tw", "200  10  4  0  0  2"),
        ("FAN       rpm      drpm            DEVICE", "1  1200  200  sensors-fan"),
    ],
)
def test_a_table_that_nobody_wants_is_no_damage(table, row, read):
    wanted = sar("2026-03-26", "10:00:00", "10:00:05", "10:00:10")
    made = read(f"{wanted}\n10:00:00  {table}\n10:00:05  {row}\n10:00:10  {row}\n")
    assert set(made.codes) <= {"guest-zone-assumed"}
    assert made.values() == [7.0, 8.0]


def test_a_restart_behind_another_table_does_not_begin_this_one(read):
    """The last table ends with a restart; the next one begins in the morning."""
    text = BANNER.format("2026-03-26") + (
        "00:10:00    proc/s   cswch/s\n00:20:00  1.00  2.00\n23:00:00  1.00  2.00\n\n"
        "23:10:00  LINUX RESTART\t(8 CPU)\n\n"
        + PAGING.format("00:10:00")
        + "00:20:00  0.00  4.00  7.00  1.00  93.78\n"
    )
    assert read(text).times() == ["2026-03-26 00:20:00"]


# --- sadf --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "time", "zone"),
    [
        ("CET", "08:00:05", "CET (+01:00)"),
        ("CEST", "07:00:05", "CEST (+02:00)"),
        ("JST", "00:00:05", "JST (+09:00)"),
        ("+0530", "03:30:05", "+0530 (+05:30)"),
        ("-03", "12:00:05", "-03 (-03:00)"),
        ("UTC", "09:00:05", "UTC"),
        ("GMT", "09:00:05", "UTC"),
    ],
)
@pytest.mark.parametrize("kind", ["d", "j"])
def test_zones_of_sadf_s_stamps(kind, said, time, zone, read):
    made = read(
        paging(f"2026-03-26 09:00:05 {said}") if kind == "d" else json_log([("09:00:05", {"tz": said}, 7.0)])
    )
    assert made.times() == [f"2026-03-26 {time}"]
    assert made.log.zone == zone
    assert "guest-zone-assumed" not in made.codes


def test_a_zone_s_name_that_is_several_or_none_is_asked_for(read):
    for said, words in (("CST", "several time zones"), ("XQZ", "is not a known time zone")):
        with pytest.raises(UsageError, match=words) as caught:
            read(paging(f"2026-03-26 09:00:05 {said}"))
        assert "--guest-timezone" in caught.value.hint
        assert read(paging(f"2026-03-26 09:00:05 {said}"), timezone="America/Chicago").times() == [
            "2026-03-26 14:00:05"
        ]


def test_a_zone_that_was_given_goes_first_and_a_difference_is_told(read):
    text = paging("2026-03-26 09:00:05 CET")
    assert "guest-zone-differs" not in read(text, timezone="Europe/Berlin").codes
    made = read(text, timezone="America/New_York")
    assert made.times() == ["2026-03-26 13:00:05"]
    assert made.codes["guest-zone-differs"] == 1
    assert read(paging("2026-03-26 09:00:05 UTC"), timezone="Europe/Berlin").times() == ["2026-03-26 09:00:05"]


def test_summer_time_begins_within_a_log(read):
    text = paging("2026-03-29 01:59:55 CET", "2026-03-29 03:00:00 CEST", "2026-03-29 03:00:05 CEST")
    assert read(text).times() == ["2026-03-29 00:59:55", "2026-03-29 01:00:00", "2026-03-29 01:00:05"]


def json_log(samples: list[tuple[str, dict[str, object], float]], restarts: tuple[str, ...] = ()) -> str:
    statistics = [
        {
            "timestamp": {"date": "2026-03-26", "time": time, "interval": 5, **zone},
            "paging": {"pgpgin": 0.0, "pgpgout": 1.0, "fault": value, "majflt": 0.5, "pgfree": 9.0},
        }
        for time, zone, value in samples
    ]
    boots = [{"boot": {"date": "2026-03-26", "time": time, "utc": 1}} for time in restarts]
    host = {"nodename": "web01", "statistics": statistics, "restarts": boots}
    return json.dumps({"sysstat": {"hosts": [host]}})


@pytest.mark.parametrize("place", ["once, behind the last table", "in every table"])
def test_a_restart_cuts_every_table_wherever_it_stands(place, read):
    restart = "web01;-1;2026-03-26 09:00:12 UTC;LINUX-RESTART\t(2 CPU)\n"
    before = ("2026-03-26 09:00:05 UTC", "2026-03-26 09:00:10 UTC")
    behind = ("2026-03-26 09:00:20 UTC", "2026-03-26 09:00:25 UTC")

    def cpu(stamps: tuple[str, ...]) -> str:
        return CPU_HEAD + "".join(f"web01;5;{stamp};-1;12.00;0.00;3.00;0;0;85\n" for stamp in stamps)

    if place.startswith("once"):
        text = paging(*before) + cpu(before) + restart + paging(*behind, first=9) + cpu(behind)
    else:
        text = paging(*before) + restart + paging(*behind, first=9) + cpu(before) + restart + cpu(behind)
    made = read(text)
    assert made.values() == [7.0, 8.0, None, 9.0, 10.0]
    assert made.values("user_time") == [12.0, 12.0, None, 12.0, 12.0]
    assert made.codes["guest-restart"] == 1
    assert [f"{time:%H:%M:%S}" for time in made.log.restarts] == ["09:00:12"]


def test_a_restart_in_the_second_of_a_sample_is_behind_it(read):
    samples = [(f"09:00:{n:02}", {"utc": 1}, float(n)) for n in (5, 10, 20)]
    made = read(json_log(samples, ("09:00:10",)))
    assert made.values() == [5.0, 10.0, None, 20.0]
    text = paging("2026-03-26 09:00:05 UTC", "2026-03-26 09:00:10 UTC") + (
        "web01;-1;2026-03-26 09:00:10 UTC;LINUX-RESTART\t(2 CPU)\n" + paging("2026-03-26 09:00:20 UTC", first=20)
    )
    assert read(text).values() == [7.0, 8.0, None, 20.0]


@pytest.mark.parametrize(
    "table",
    [
        "# hostname;interval;timestamp;INTR;CPU*\nweb01;5;{0};sum;1.00;2.00;3.00\nweb01;5;{0};8;1.00;2.00;3.00\n",
        "# hostname;interval;timestamp;DEV;tps;rkB/s[...]\nweb01;5;{0};sda;1;2;sdb;3;4\n",
        "# hostname;interval;timestamp;IFACE;rxpck/s;txpck/s[...]\nweb01;5;{0};lo;1.00;2.00;eth0;1.00;2.00\n",
        "web01;5;{0};COM what somebody remarked\n",
    ],
)
def test_rows_of_tables_that_nobody_reads_are_no_damage(table, read):
    made = read(
        table.format("2026-03-26 09:00:05 UTC") + paging("2026-03-26 09:00:05 UTC", "2026-03-26 09:00:10 UTC")
    )
    assert made.values() == [7.0, 8.0]
    assert not made.codes.keys() - {"first-sample"}


def test_a_row_of_a_wanted_table_that_lacks_a_cell_is_lost(read):
    made = read(
        paging("2026-03-26 09:00:05 UTC", "2026-03-26 09:00:10 UTC") + "web01;5;2026-03-26 09:00:15 UTC;0;4\n"
    )
    assert made.codes["row-lost"] == 1


# --- perfmon -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ("cp1251", r"\\VM01\Процесс(Idle)\% загруженности процессора"),
        ("cp866", r"\\VM01\Процесс(Idle)\% загруженности процессора"),
        ("cp1252", r"\\VM01\Processus(Idle)\% temps privilégié déjà écoulé"),
        ("cp1250", r"\\VM01\Proces(Idle)\% czasu użytkownika"),
        ("cp1253", r"\\VM01\Διεργασία(Idle)\% χρόνος επεξεργαστή"),
        ("cp949", r"\\VM01\프로세스(Idle)\% 프로세서 시간"),
        ("utf-8", r"\\VM01\Процесс(Idle)\% загруженности процессора"),
    ],
)
def test_names_of_a_log_that_is_refused_are_shown_as_they_were_written(page, path, read):
    text = f'"(PDH-CSV 4.0) (RTZ 2 (","{path}"\r\n"03/10/2026 09:00:00.000","1.5"\r\n'
    with pytest.raises(UnreadableInputError) as caught:
        read(text.encode(page))
    assert path.removeprefix("\\\\VM01\\") in caught.value.message
