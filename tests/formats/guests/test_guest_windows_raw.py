"""Raw Windows counters in the collector's stream: totals that wrap, stamps of each class, damage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esxprobe.collect.guest_loops import RAW_COLUMNS
from esxprobe.errors import UnreadableInputError
from esxprobe.formats.guests.raw import read_windows_raw
from esxprobe.formats.issues import QualityIssues

BASE = 134_190_342_000_000_000  # a day in March 2026, 100 ns since 1601


def sample(second: float, total: int, busy: int = 0, **more: int) -> str:
    """A line with each class read 1 ms after the one before, all totals of events alike."""
    at = BASE + round(second * 1e7)
    cells = dict.fromkeys(RAW_COLUMNS, total % 2**32) | {
        "utc_100ns": at,
        "memory_100ns": at + 10_000,
        "system_100ns": at + 20_000,
        "processor_100ns": at + 30_000,
        "PercentUserTime": busy,
        "PercentPrivilegedTime": busy // 2,
    }
    return ",".join(str((cells | more)[name]) for name in RAW_COLUMNS)


def stream(*lines: str, header: str = ",".join(RAW_COLUMNS)) -> str:
    return "\r\n".join(["# esxprobe guest/1 windows-raw interval_s=1", header, *lines, ""])


def test_rates_times_and_units(read):
    made = read(stream(sample(0, 1000, 0), sample(1, 6000, 2_500_000), sample(3, 8000, 12_500_000)))
    assert made.values("faults") == [5000, 1000]
    assert made.values("hard_faults") == [5000, 1000]
    assert made.values("soft_faults") == [0, 0]
    assert made.values("context_switches") == [5000, 1000]
    assert made.values("user_time") == [25, 50]
    assert made.values("system_time") == [12.5, 25]
    assert made.covers("faults") == [1, 2]
    assert made.log.format == "esxprobe"


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**31))
def test_a_total_of_32_bits_wraps_round(start, more):
    counter_table = read_windows_raw(stream(sample(0, start), sample(1, start + more)), {}, QualityIssues())
    assert counter_table.values["faults"].to_list() == [pytest.approx(more)]


def test_each_class_is_divided_by_its_own_time(read):
    late = BASE + 15_000_000  # memory was read half a second later than asked
    made = read(stream(sample(0, 0), sample(1, 6000, memory_100ns=late + 10_000)))
    assert made.values("faults") == [4000]
    assert made.values("context_switches") == [6000]


def test_more_than_all_of_the_time_is_no_value(read):
    made = read(stream(sample(0, 0, 0), sample(1, 1, 20_000_000), sample(2, 2, 25_000_000)))
    assert made.values("user_time") == [None, 50]


def test_damaged_lines_are_counted_and_the_others_used(read):
    lines = [sample(0, 0), "134190", sample(1, 1000), sample(2, 2000).replace("000", "0x0", 1), sample(3, 3000)]
    made = read(stream(*lines, "Access denied"))
    assert made.values("faults") == [1000, 1000]
    assert made.codes["guest-text-line"] == 2
    assert made.codes["row-lost"] == 1


def test_a_clock_that_goes_back_is_set_aside(read):
    made = read(stream(sample(0, 0), sample(5, 5000), sample(4, 6000), sample(6, 7000)))
    assert made.values("faults") == [1000, 2000]
    assert made.codes["time-backwards"] == 1


@pytest.mark.parametrize(
    "text",
    [
        stream(sample(0, 0)),
        stream(),
        stream(sample(0, 0), sample(1, 1), header="utc,memory"),
        stream(sample(0, 0), sample(1, 1), header=",".join([*RAW_COLUMNS[:-1], RAW_COLUMNS[0]])),
    ],
)
def test_what_cannot_be_read_is_a_clear_error(read, text):
    with pytest.raises(UnreadableInputError):
        read(text)
