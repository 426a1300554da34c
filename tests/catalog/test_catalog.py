"""The catalog of counters: what it promises to those who ask it."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter as QualityIssues
from pathlib import Path

import polars as pl
import pytest
from eachone import each_one

from esxprobe import catalog
from esxprobe.catalog.docs import render_counters
from esxprobe.catalog.row import ONLY_WITH_A, Row, stamp
from esxprobe.model import Counter

CHECKOUT = Path(__file__).resolve().parents[2]
SEEN = Path(__file__).with_name("counters_seen.txt")
CAPTURE = CHECKOUT.parent / "shared" / "data" / "esxtop" / "esxi6-all-fields.csv"

# Counters that esxtop's own screens have no column for, or none that could be established.
WITHOUT_LABEL = {
    r"Group Cpu\Processor Migrations/sec",
    r"Group Cpu\Wakeup Migrate Idle/sec",
    r"VSAN\Enabled?",
    r"Virtual Disk\FailedIOs",
    r"Virtual Disk\TotalIOs",
    r"Virtual Disk\Latency",
}

# A counter's name mostly says its unit. First match wins.
UNIT_BY_NAME = (
    (r"\?$", ""),
    (r"^(Alloc |Numa Home)", ""),
    (r"^(% |Numa % |%[CPT]-State)", "%"),
    (r"\(MHz\)$|MHZ$", "MHz"),
    (r"Watts$", "W"),
    (r"^Failed Bytes", "bytes/s"),
    (r"MBytes.*/sec$", "MB/s"),
    (r"(MBits|Mega Bits).*/sec$|\(Mb/s\)$", "Mb/s"),
    (r"\(Bytes\)$", "bytes"),
    (r"MicroSec/", "us"),
    (r"MilliSec/| ms/| in ms$", "ms"),
    (r"MBytes$", "MB"),
    (r"/sec(ond)?$", "1/s"),
    (r"", ""),
)


def path(record: Counter) -> str:
    return record.path


def every_record() -> list[Counter]:
    return list(catalog.counters())


# Asking for a counter


def test_a_counter_is_found_by_object_and_exact_name() -> None:
    record = catalog.find("Vcpu", "% Ready")
    assert record is not None
    assert (record.path, record.label, record.unit, record.per) == (r"Vcpu\% Ready", "%RDY", "%", "world")


@pytest.mark.parametrize(
    ("object_name", "counter"),
    [("Vcpu", "% ready"), ("Vcpu", "%RDY"), ("VCPU", "% Ready"), ("Vcpu", ""), ("", "% Ready")],
)
def test_a_counter_is_not_found_by_anything_else(object_name: str, counter: str) -> None:
    assert catalog.find(object_name, counter) is None


@pytest.mark.parametrize(
    ("counter_path", "heading"),
    [
        (r"Vcpu\% Ready", "%RDY"),
        (r"Group Memory\Swapped MBytes", "SWCUR"),
        (r"Group Memory\Numa % Local", "N%L"),
        (r"Physical Disk SCSI Device\Average Driver MilliSec/Command", "DAVG/cmd"),
        (r"Physical Disk SCSI Device\Average Failure Latency ms/ATS", "AAVG/f"),
        (r"Virtual Disk\Average MilliSec/Read", "LAT/rd"),
        (r"Network Port\Packets Transmitted/sec", "PKTTX/s"),
        (r"PCPU Power State\%P-State P15", "%P15"),
    ],
)
def test_a_label_is_the_heading_on_esxtops_own_screen(counter_path: str, heading: str) -> None:
    assert catalog.label(counter_path) == heading


@pytest.mark.parametrize(
    ("counter_path", "name"),
    [
        (r"VSAN\Enabled?", "Enabled?"),  # known, but no screen has a heading for it
        (r"Vcpu\% Of Tomorrow", "% Of Tomorrow"),  # not known
        ("no path at all", "no path at all"),
    ],
)
def test_without_a_heading_the_label_is_the_counters_name(counter_path: str, name: str) -> None:
    assert catalog.label(counter_path) == name


def test_the_frame_to_join_with_has_one_row_a_record() -> None:
    frame = catalog.known()
    assert frame.schema == dict.fromkeys(("object", "counter", "label", "unit", "kind"), pl.String)
    assert frame.select("object", "counter").rows() == [(c.object, c.name) for c in catalog.counters()]
    assert frame.filter(object="Vcpu", counter="% Ready").rows() == [("Vcpu", "% Ready", "%RDY", "%", "number")]


def test_answers_are_made_once() -> None:
    assert catalog.counters() is catalog.counters()
    assert catalog.known() is catalog.known()


def test_importing_and_asking_for_records_does_not_import_polars() -> None:
    program = (
        "import sys, esxprobe.catalog as catalog\n"
        r"assert catalog.label(r'Vcpu\% Ready') == '%RDY'" + "\n"
        "sys.exit('polars' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, check=False).returncode == 0


# What is in it


def test_every_counter_that_was_ever_seen_is_in_it_and_no_other() -> None:
    seen = SEEN.read_text(encoding="utf-8").splitlines()
    assert QualityIssues(seen).most_common(1)[0][1] == 1, "counters_seen.txt names a counter twice"
    paths = set(map(path, catalog.counters()))
    assert sorted(set(seen) - paths) == [], "seen, but not in the catalog"
    assert sorted(paths - set(seen)) == [], "in the catalog: add it to counters_seen.txt"


def test_no_counter_is_in_it_twice() -> None:
    assert {name: n for name, n in QualityIssues(map(path, catalog.counters())).items() if n > 1} == {}


def test_every_named_column_of_a_real_capture_is_known() -> None:
    if not CAPTURE.exists():
        pytest.skip(f"the real capture is not on this machine: {CAPTURE}")
    with CAPTURE.open(encoding="utf-8", newline="") as file:
        cells = next(csv.reader(file))[1:]
    named = [cell[cell.index("\\\\") :].rstrip('"') for cell in cells if "\\\\" in cell]
    assert len(named) > 17_000
    unknown: QualityIssues[str] = QualityIssues()
    for column in named:
        host_and_instance, _, counter = column.rpartition("\\")
        object_name = host_and_instance.split("\\", 3)[3].partition("(")[0]
        if catalog.find(object_name, counter) is None:
            unknown[f"{object_name}\\{counter}"] += 1
    assert dict(unknown) == {}


# What a record says


@each_one(every_record(), path)
def test_a_record_is_complete(record: Counter) -> None:
    assert record.object == record.object.strip() != ""
    assert record.name == record.name.strip() != ""
    assert record.per
    assert (record.label == "") == (record.path in WITHOUT_LABEL)
    assert record.unit == next(unit for pattern, unit in UNIT_BY_NAME if re.search(pattern, record.name))


@each_one(every_record(), path)
def test_a_meaning_is_one_plain_line(record: Counter) -> None:
    assert re.fullmatch(r"[A-Z%0-9][^\n]*[^\s.;]", record.meaning), record.meaning
    assert "\n" not in record.notes
    assert record.notes == record.notes.strip(" ;.")


def test_a_label_belongs_to_one_counter_of_an_object() -> None:
    labels = QualityIssues((record.object, record.label) for record in catalog.counters() if record.label)
    twice = {key for key, count in labels.items() if count > 1}
    assert twice == {("VSAN", "AVGLAT")}  # esxtop's vSAN screen has that heading for reads and for writes


def test_only_two_counters_hold_words() -> None:
    words = {record.path for record in catalog.counters() if record.kind == "text"}
    assert words == {r"RDMA Device\Name", r"RDMA Device\Team Uplink"}


def test_a_counter_shared_by_objects_reads_the_same_on_each() -> None:
    disks = [c for c in catalog.counters() if c.name == "Average Kernel MilliSec/Command"]
    assert {c.object for c in disks} == {
        "Physical Disk",
        "Physical Disk Adapter",
        "Physical Disk Partition",
        "Physical Disk Path",
        "Physical Disk Per-Device-Per-World",
        "Physical Disk SCSI Device",
    }
    assert len({(c.label, c.unit, c.meaning) for c in disks}) == 1


def test_a_groups_state_times_are_said_to_be_sums() -> None:
    for name in ("% Used", "% Run", "% Wait", "% Ready", "% CoStop", "% Swap Wait"):
        group, world = catalog.find("Group Cpu", name), catalog.find("Vcpu", name)
        assert group is not None
        assert world is not None
        assert group.meaning == f"{world.meaning} (sum over the group's worlds)"


@pytest.mark.parametrize(
    ("counter_path", "words"),
    [
        (r"Vcpu\% Used", "335065"),
        (r"Vcpu\% VmWait", "KB 85393"),
        (r"Group Cpu\% VmWait", "only groups that are VMs"),
        (r"Vcpu\% Ready", "contains %MLMTD"),
        (r"Vcpu\Quantum Expires/sec", "dead since 6.5"),
        (r"Vcpu\Switches/sec", ONLY_WITH_A),
        (r"Group Memory\Alloc Max", "-1 is unlimited"),
        (r"Memory\Kernel State", "from 6.0: 1 clear"),
        (r"Memory\Console MBytes", "ESX classic only"),
        (r"Physical Disk Path\Conflicts/sec", "before ATS"),
    ],
)
def test_traps_and_differences_between_releases_are_noted(counter_path: str, words: str) -> None:
    record = catalog.find(*counter_path.split("\\", 1))
    assert record is not None
    assert words in record.notes


# How tables are written


def test_rows_are_stamped_onto_an_object() -> None:
    row = Row("Widgets/sec", "WDG/s", "1/s", "Widgets made", "counts twice", extra=True)
    assert stamp("Factory", "line", (row,), suffix=" (all shifts)", note="closed on Sundays") == (
        Counter(
            object="Factory",
            name="Widgets/sec",
            label="WDG/s",
            unit="1/s",
            per="line",
            meaning="Widgets made (all shifts)",
            notes="only with esxtop -a; counts twice; closed on Sundays",
        ),
    )


# The page for people


def test_the_page_is_up_to_date() -> None:
    page = (CHECKOUT / "docs" / "counters.md").read_text(encoding="utf-8")
    assert page == render_counters(), "docs/counters.md is out of date: run `make docs`"


def test_the_page_has_a_section_an_object_and_a_line_a_counter() -> None:
    page = render_counters().splitlines()
    assert [line[3:] for line in page if line.startswith("## ")] == sorted(
        {record.object for record in catalog.counters()}
    )
    assert sum(line.startswith("| `") for line in page) == len(catalog.counters())
