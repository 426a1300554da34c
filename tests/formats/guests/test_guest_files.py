"""Whole guest logs: the made ones beside their expected values, the real ones beside the slow obvious twin."""

from __future__ import annotations

import csv
import gzip
from datetime import datetime
from pathlib import Path

import naive_guests
import pytest
import zstandard
from logs_read import Read

from esxprobe.formats.guests import read_guest_log

DATA = Path(__file__).parent / "data"
SHARED = Path(__file__).parents[4] / "shared" / "data"
MADE = {
    "perfmon.csv": ("perfmon", "WIN01", lambda path: naive_guests.perfmon(path, -60)),
    "sar.txt": ("sar", "web01", None),
    "sadf-d.csv": ("sadf-d", "web01", naive_guests.sadf_d),
    "sadf-j.json": ("sadf-j", "web01", naive_guests.sadf_j),
    "esxprobe.txt": ("esxprobe", "", lambda path: naive_guests.totals(path, "@")),
    "vmstat.txt": ("vmstat", "", lambda path: naive_guests.totals(path, "timestamp:")),
}


def expected(path: Path) -> naive_guests.Cells:
    def number(text: str) -> float | None:
        return float(text) if text else None

    with path.open(newline="", encoding="utf-8") as file:
        return {
            (datetime.fromisoformat(row["time"]), row["counter"]): (number(row["value"]), number(row["interval_s"]))
            for row in csv.DictReader(file)
        }


def agree(found: naive_guests.Cells, wanted: naive_guests.Cells) -> None:
    assert set(found) == set(wanted)
    for place, (value, covers) in wanted.items():
        for mine, theirs in zip(found[place], (value, covers), strict=True):
            assert (mine is None) == (theirs is None), place
            assert mine is None or mine == pytest.approx(theirs, rel=1e-9, abs=1e-9), place


def real(name: str) -> Path:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"REAL DATA IS NOT HERE: {path}")
    return path


@pytest.mark.parametrize("name", MADE)
def test_made_logs_give_what_stands_beside_them(name):
    log = read_guest_log(DATA / name)
    assert (log.format, log.guest) == MADE[name][:2]
    agree(Read(log).cells, expected(DATA / f"{name}.expected"))


@pytest.mark.parametrize("name", [name for name, made in MADE.items() if made[2]])
def test_made_logs_give_what_the_twin_gives(name):
    agree(Read(read_guest_log(DATA / name)).cells, MADE[name][2](DATA / name))


@pytest.mark.parametrize("pack", [gzip.compress, lambda text: zstandard.ZstdCompressor().compress(text)])
def test_compressed_logs_are_read_as_plain_ones(read, pack):
    plain = (DATA / "esxprobe.txt").read_bytes()
    assert read(pack(plain)).cells == read(plain).cells


def test_a_windows_log_of_all_counters():
    """2,633 columns, a Chinese zone with English names, blanks in the first row, free text in the last cell."""
    path = real("perfmon/windows-memory-all-counters.csv")
    log = read_guest_log(path)
    assert (log.guest, log.format) == ("I-MEDUSA", "perfmon")
    assert log.zone.startswith("China Standard Time (+08:00)")
    cells = Read(log).cells
    agree(cells, naive_guests.perfmon(path, -480))
    second = datetime.fromisoformat("2025-11-14T05:46:01.736Z")
    assert cells[second, "faults"] == (pytest.approx(31148.5016862624), pytest.approx(0.986))
    assert cells[second, "hard_faults"][0] == pytest.approx(1.2712117571832999)
    assert cells[second, "user_time"][0] == pytest.approx(6.1307238019537306)


def test_a_sar_report_with_a_12_hour_clock():
    """`sar -A 3 21` of sysstat 10: every table, one row for each processor."""
    path = real("linux/sar-12h-clock.txt")
    log = read_guest_log(path, timezone="America/New_York")
    assert (log.guest, log.format, log.interval_s) == ("a.foo.example.com", "sar", 3.0)
    cells = Read(log).cells
    agree(cells, naive_guests.sar(path, "America/New_York", "2015-02-25"))
    first = datetime.fromisoformat("2015-02-25T22:48:52Z")
    assert cells[first, "faults"] == (7235.0, 3.0)
    # -u ALL prints guests' time apart; /proc/stat, and so the other formats, count it as user time.
    assert cells[first, "user_time"][0] == pytest.approx(2.43 + 0.04 + 30.53 + 0.00)
    assert cells[first, "system_time"][0] == pytest.approx(4.94 + 0.42 + 0.13)


def test_a_loop_over_proc_vmstat():
    path = real("linux/proc-vmstat-loop.txt")
    log = read_guest_log(path, guest="a")
    assert (log.guest, log.format, log.zone, log.notes) == ("a", "vmstat", "UTC", ())
    agree(Read(log).cells, naive_guests.totals(path, "timestamp"))


def test_two_real_logs_of_one_machine_tell_the_same_faults():
    """sar and a loop ran side by side for a minute: the totals in faults differ by a little of one interval."""
    sar = read_guest_log(real("linux/sar-12h-clock.txt"), timezone="America/New_York").samples
    loop = read_guest_log(real("linux/proc-vmstat-loop.txt")).samples

    def faults(samples):
        rows = samples.filter(samples["counter"] == "faults")
        return (rows["value"] * rows["interval_s"]).sum()

    assert faults(sar) == pytest.approx(faults(loop), rel=0.12)
