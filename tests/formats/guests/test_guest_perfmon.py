"""Windows logs: zones, languages, code pages, separators, and what typeperf prints around its rows."""

from __future__ import annotations

import gzip

import pytest

from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.formats.guests.guest_log import read_guest_log
from esxprobe.formats.guests.locales import LANGUAGES

NAMES = (r"Memory\Page Faults/sec", r"Memory\Page Reads/sec")
ROWS = [("01/15/2026 10:00:00.000", 1, 0), ("01/15/2026 10:00:05.000", 10, 2), ("01/15/2026 10:00:10.000", 20, 3)]


def log(rows=ROWS, names=NAMES, *, zone="(W. Europe Standard Time)(-60)", sep=",") -> str:
    header = [f"(PDH-CSV 4.0) {zone}".strip(), *(rf"\\WIN01\{name}" for name in names)]
    lines = [sep.join(f'"{cell}"' for cell in row) for row in [header, *rows]]
    return "\r\n".join(lines) + "\r\n"


def test_the_bias_is_minutes_west_of_utc(read):
    assert read(log(zone="(China Standard Time)(-480)")).times()[0] == "2026-01-15 02:00:00"
    assert read(log(zone="(Eastern Standard Time)(300)")).times()[0] == "2026-01-15 15:00:00"
    assert read(log(zone="(India Standard Time)(-330)")).times()[0] == "2026-01-15 04:30:00"
    assert read(log(zone="(Central Standard Time (Mexico))(360)")).times()[0] == "2026-01-15 16:00:00"


def test_a_bias_that_the_zone_never_has_goes_before_its_name(read):
    made = read(log(zone="(W. Europe Standard Time)(-90)"))
    assert made.times()[0] == "2026-01-15 08:30:00"
    assert "Berlin" not in made.log.zone


@pytest.mark.parametrize("zone", ["(Mitteleurop", "", "(W. Europe Standard Time)", "(Nowhere)(-99999)"])
def test_a_lost_zone_is_asked_for(read, zone):
    """A name is cut at its first letter outside ASCII, with the bias; typeperf's screen has neither."""
    with pytest.raises(UsageError, match="time zone is missing") as caught:
        read(log(zone=zone))
    assert "--guest-timezone" in caught.value.hint
    assert read(log(zone=zone), timezone="Europe/Berlin").times()[0] == "2026-01-15 09:00:00"


def test_a_given_zone_goes_before_the_log_s_and_says_so(read):
    made = read(log(), timezone="+05:30")
    assert made.times()[0] == "2026-01-15 04:30:00"
    assert made.codes["guest-zone-differs"] == 1
    assert "guest-zone-differs" not in read(log(), timezone="Europe/Paris").codes
    with pytest.raises(UsageError, match="not a time zone"):
        read(log(), timezone="Middle-earth")


def at(*stamps: str) -> list[tuple[object, ...]]:
    return [(f"{stamp}.000", 5, 1) for stamp in stamps]


def test_summer_time_ends_within_the_log(read):
    """The wall clock goes 02:59:50 -> 02:00:00, the header's bias stays."""
    rows = at("10/25/2026 02:59:50", "10/25/2026 02:59:55", "10/25/2026 02:00:00", "10/25/2026 02:00:05")
    wanted = ["2026-10-25 00:59:50", "2026-10-25 00:59:55", "2026-10-25 01:00:00", "2026-10-25 01:00:05"]
    assert read(log(rows, zone="(W. Europe Daylight Time)(-120)")).times() == wanted
    unknown = read(log(rows, zone="(Mitteleuropa Sommerzeit)(-120)"))
    assert unknown.times() == wanted
    assert unknown.codes["guest-dst"] == 1
    assert unknown.covers()[1:] == [5.0, 5.0, 5.0]


def test_a_log_that_begins_in_the_second_pass_of_the_hour(read):
    rows = at("10/25/2026 02:10:00", "10/25/2026 02:10:05")
    assert read(log(rows, zone="(W. Europe Standard Time)(-60)")).times()[0] == "2026-10-25 01:10:00"
    assert read(log(rows, zone="(W. Europe Standard Time)(-120)")).times()[0] == "2026-10-25 00:10:00"


def test_summer_time_begins_within_the_log(read):
    rows = at("03/29/2026 01:59:50", "03/29/2026 01:59:55", "03/29/2026 03:00:00", "03/29/2026 03:00:05")
    made = read(log(rows))
    assert made.times()[2] == "2026-03-29 01:00:00"
    assert made.covers()[1:] == [5.0, 5.0, 5.0]
    assert "time-gap" not in made.codes


def test_milliseconds_jitter_and_exponents(read):
    rows = [("01/15/2026 10:00:00.750", " ", " "), ("01/15/2026 10:00:05.736", "100", "6.94e-005")]
    made = read(log(rows))
    assert made.covers() == [None, pytest.approx(4.986)]
    assert made.values("hard_faults") == [None, 6.94e-05]
    assert made.values("soft_faults")[1] == pytest.approx(100 - 6.94e-05)


def test_what_typeperf_prints_around_its_rows(read):
    """A blank first line, -1 in the first row, and messages in the guest's language at the end."""
    for words in ("The command completed successfully.", "Der Befehl wurde erfolgreich ausgeführt."):
        text = "\r\n" + log([("01/15/2026 10:00:00.000", "-1", "-1"), *ROWS[1:]], zone="")
        made = read(text + "Exiting, please wait...          \r\n" + words + "\r\n", timezone="UTC")
        assert made.values() == [None, 10.0, 20.0]
        assert made.codes["guest-text-line"] == 2
        assert made.codes["sentinel"] == 2


def test_blanks_in_the_middle_and_gaps(read):
    rows = [
        *ROWS,
        ("01/15/2026 10:00:15.000", " ", " "),
        ("01/15/2026 10:00:20.000", "30", "1"),
        ("01/15/2026 10:01:00.000", "40", "1"),
        ("01/15/2026 10:01:05.000", "50", "1"),
    ]
    made = read(log(rows))
    assert made.values() == [1, 10, 20, None, 30, 40, 50]
    # Behind a gap nobody knows whether the value is the mean of it all: it answers for one usual interval.
    assert made.covers() == [None, 5, 5, None, 5, 5, 5]
    assert made.codes["time-gap"] == 1
    assert made.log.interval_s == 5


def test_commas_numbered_instances_and_free_text_do_not_move_columns(read):
    names = (r"Process(a, b)\Page Faults/sec", r"Process(svchost#1)\Page Faults/sec", *NAMES)
    text = log([(stamp, 77, 78, *rest, " ") for stamp, *rest in ROWS], names)
    text = text.replace('Page Reads/sec"', 'Page Reads/sec","A comment, with a comma', 1)
    text = text.replace("with a comma\r\n", 'with a comma\r\nand a line break"\r\n', 1)
    assert read(text).values() == [1, 10, 20]


def test_percent_of_all_processors(read):
    names = (*NAMES, r"Processor(_Total)\% User Time", r"Processor(0)\% User Time")
    names += (r"Processor Information(_Total)\% User Time", r"Processor Information(0,_Total)\% User Time")
    made = read(log([(*row, 11, 99, 12, 98) for row in ROWS], names))
    assert made.values("user_time") == [12, 12, 12]


def spoken(language) -> str:
    counters = [rf"{language.memory[0]}\{name}" for name in language.memory[1].values()]
    counters += [rf"{language.system[0]}\{name}" for name in language.system[1].values()]
    counters += [rf"{language.processor[0][1]}(_Total)\{name}" for name in language.processor[1].values()]
    return log([(stamp, *range(1, len(counters) + 1)) for stamp, *_ in ROWS], counters)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_every_language_gives_every_counter(read, language):
    made = read(spoken(language))
    wanted = [*language.memory[1], *language.system[1], *language.processor[1]]
    for number, counter in enumerate(wanted, start=1):
        assert set(made.values(counter)) == {number}
    assert made.codes.get("guest-localized", 0) == (language.name != "English")


@pytest.mark.parametrize(
    ("language", "page"),
    [("German", "cp1252"), ("German", "cp850"), ("German", "cp1250"), ("French", "cp1252"), ("French", "cp850"),
     ("Spanish", "cp850"), ("Portuguese (Brazil)", "cp1252"), ("Russian", "cp1251"), ("Russian", "cp866")],
)  # fmt: skip
def test_ansi_and_oem_code_pages(read, language, page):
    language = next(each for each in LANGUAGES if each.name == language)
    made = read(spoken(language).encode(page))
    assert made.cells == read(spoken(language)).cells
    assert made.codes["guest-code-page"] == 1


def test_a_japanese_instance_whose_second_byte_is_a_backslash(read):
    """In code page 932 `ソ` ends with the byte of a backslash; counter names are English there."""
    names = (r"Process(ソフト)\Page Faults/sec", *NAMES)
    rows = [(stamp, 7, *rest) for stamp, *rest in ROWS]
    assert read(log(rows, names).encode("cp932")).values() == [1, 10, 20]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_unicode_marks(read, encoding):
    text = spoken(LANGUAGES[1])
    assert read(text.encode(encoding)).cells == read(text).cells


@pytest.mark.parametrize("separator", [",", ";"])
def test_decimal_commas(read, separator):
    made = read(log([(*ROWS[0],), ("01/15/2026 10:00:05.000", "1234,5", "0,25")], sep=separator))
    assert made.values() == [1, 1234.5]
    assert made.values("hard_faults") == [0, 0.25]


def test_a_spreadsheet_s_semicolons_without_quotes(read):
    text = log([("15.01.2026 10:00:00", "1,5", "0"), ("15.01.2026 10:00:05", "2,5", "1")], sep=";").replace('"', "")
    made = read(text)
    assert made.values() == [1.5, 2.5]
    assert made.times()[0] == "2026-01-15 09:00:00"


def test_dotted_dates_keep_their_milliseconds(read):
    text = log([("15.01.2026 10:00:00,250", 1, 0), ("15.01.2026 10:00:05.500", 2, 1)], sep=";")
    made = read(text)
    assert made.times() == ["2026-01-15 09:00:00", "2026-01-15 09:00:05"]
    assert made.covers() == [None, 5.25]


def test_a_spreadsheet_s_tabs_without_quotes(read):
    text = log([("15.01.2026 10:00:00", "1,5", "0"), ("15.01.2026 10:00:05", "2,5", "1")], sep="\t").replace(
        '"', ""
    )
    assert read(text).values() == [1.5, 2.5]


def test_a_packed_log_that_is_cut_is_not_blamed_on_its_writer(tmp_path):
    path = tmp_path / "guest.csv.gz"
    packed = gzip.compress(log([(f"01/15/2026 10:00:{n:02d}.000", n, 0) for n in range(0, 60)]).encode())
    for length in (90, 120, 150):  # in the header, and behind it
        path.write_bytes(packed[:length])
        with pytest.raises(UnreadableInputError, match="truncated or damaged") as caught:
            read_guest_log(path, timezone="UTC")
        assert caught.value.hint == "copy the file again"


def test_tabs(read):
    text = log(sep="\t").replace("PDH-CSV", "PDH-TSV")
    assert read(text).values() == [1, 10, 20]


def test_day_first_dates_are_told_by_the_sequence(read):
    over_midnight = [("04/03/2026 23:59:55", 1, 0), ("05/03/2026 00:00:00", 2, 0), ("05/03/2026 00:00:05", 3, 0)]
    made = read(log(over_midnight))
    assert made.times() == ["2026-03-04 22:59:55", "2026-03-04 23:00:00", "2026-03-04 23:00:05"]
    assert made.codes["day-first"] == 1
    assert (
        read(log([("25/03/2026 10:00:00", 1, 0), ("25/03/2026 10:00:05", 2, 0)]))
        .times()[0]
        .startswith("2026-03-25")
    )


def test_a_date_that_cannot_be_decided_is_flagged(read):
    made = read(log([("04/03/2026 10:00:00", 1, 0), ("04/03/2026 10:00:05", 2, 0)]))
    assert made.times()[0].startswith("2026-04-03")
    assert made.codes["guest-date-ambiguous"] == 1
    # Perfmon's own stamps, with milliseconds, are month-first in every language.
    assert "guest-date-ambiguous" not in read(log(at("04/03/2026 10:00:00", "04/03/2026 10:00:05"))).codes


def test_an_unknown_language_shows_the_columns(read):
    with pytest.raises(UnreadableInputError, match=r"Geheugen.*Paginafouten/sec"):
        read(log(names=(r"Geheugen\Paginafouten/sec", r"Geheugen\Paginalezingen/sec")))


def test_several_computers_in_one_log(read):
    names = [rf"Memory\{name}" for name in ("Page Faults/sec", "Page Reads/sec")]
    text = log([(*row, 500, 7) for row in ROWS], [*names, *names])
    head, rest = text.split("\r\n", 1)
    parts = head.rsplit("WIN01", 2)
    text = "win02".join(parts) + "\r\n" + rest
    with pytest.raises(UsageError, match="WIN01, win02"):
        read(text)
    assert read(text, guest="WIN02").values() == [500, 500, 500]


def test_an_appended_log_with_other_columns(read):
    later = [("01/15/2026 11:00:00.000", 3, " "), ("01/15/2026 11:00:05.000", 4, 40)]
    made = read(log() + log(later, names=(NAMES[1], NAMES[0])))
    assert made.values() == [1, 10, 20, None, 40]
    assert made.values("hard_faults") == [0, 2, 3, 3, 4]
    assert made.codes["appended-capture"] == 1
    assert read(log(ROWS[:1]) + log(ROWS[1:])).codes["repeated-header"] == 1


def test_an_older_log_appended_behind_a_newer_one(read):
    later = [("01/15/2026 11:00:00.000", " ", " "), ("01/15/2026 11:00:05.000", 4, 0)]
    made = read(log(later) + log())
    assert made.values() == [1, 10, 20, None, 4]
    assert "time-backwards" not in made.codes


def test_a_column_that_stands_twice_is_taken_once(read):
    made = read(log([(*row, 99) for row in ROWS], (*NAMES, NAMES[0])))
    assert made.values() == [1, 10, 20]
    assert made.codes["duplicate-column"] == 1


def test_rows_that_were_cut_or_have_lost_cells(read):
    text = log()
    cut = read(text[: text.rindex('"3"') - 2])
    assert cut.values() == [1, 10, None]
    assert cut.codes["row-cut"] == 1
    lost = read(text.replace('"01/15/2026 10:00:05.000","10","2"', '"01/15/2026 10:00:05.000","2"'))
    assert lost.values() == [1, 20]
    assert lost.codes["row-lost"] == 1
    bad = read(text.replace('"10"', '"1x0"'))
    assert bad.values() == [1, None, 20]
    assert bad.codes["bad-cell"] == 1


def test_a_clock_that_goes_back(read):
    rows = [*ROWS, ("01/15/2026 10:00:07.000", 30, 1), ("01/15/2026 10:00:12.000", 40, 1)]
    made = read(log(rows))
    assert made.values() == [1, 10, 20, 40]
    assert made.covers() == [None, 5, 5, None]
    assert made.codes["time-backwards"] == 1


def test_hard_faults_above_all_faults_are_clamped(read):
    made = read(log([ROWS[0], ("01/15/2026 10:00:05.000", "10", "10.5")]))
    assert made.values("soft_faults")[1] == 0
    assert made.codes["guest-clamped"] == 1


def test_a_log_without_page_faults_says_so(read):
    made = read(log([row[:2] for row in ROWS], (r"System\Context Switches/sec",)))
    assert made.values("context_switches") == [1, 10, 20]
    assert made.codes["guest-no-faults"] == 1
