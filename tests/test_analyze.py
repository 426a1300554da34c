"""A capture in, an analysis out: the planted story of the demo sample, and what real files say."""

import csv
import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from drawn import ESXPROBE
from hostsim import USER_GROUPS, HostPlan, VmPlan, write_capture
from shippedbook import RULES, analyze

from esxprobe.analyze import POINTS
from esxprobe.catalog import counters
from esxprobe.catalog.row import ONLY_WITH_A
from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.formats.header_listing import inventory
from esxprobe.model import Analysis, Finding
from esxprobe.model.manifest import Manifest
from esxprobe.rules.record import ASKED

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "samples" / "demo" / "esxtop-000.csv.gz"
REAL = ROOT.parent / "shared" / "data" / "esxtop" / "esxi6-all-fields.csv"
START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)
# Rules on what a healthy host does not say at all: an unlimited VM's limit is a mark for none.
UNSAID = {"vm-cpu-limit-set"}
# A lone CSV has no guest's log.
NO_LOGS = {rule.id for rule in RULES if rule.events}
NO_GUESTS = {"guest-faults-measured", "guest-faults-possible", "guest-faults-unaccounted", *NO_LOGS}

needs_the_real_capture = pytest.mark.skipif(
    not REAL.exists(), reason=f"NOT TESTED AGAINST A REAL HOST: {REAL} is not on this machine"
)


def small_plan(**more: object) -> HostPlan:
    """A host with one healthy VM, read in milliseconds."""
    plan = HostPlan(
        host="small.example.com",
        pcpus=2,
        vms=(VmPlan("web01", 1_200_100, 2, 2048),),
        user_groups=(USER_GROUPS[0], ("hostd", 9), *USER_GROUPS[-3:]),
        system_worlds=1,
        helper_worlds=1,
        interrupt_columns=2 + 2 * 2,
        hyperthreads=True,
        samples=30,
    )
    return replace(plan, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def demo() -> Analysis:
    return analyze([DEMO])


NO_VSAN = {"vsan-read-latency", "vsan-write-latency"}  # no simulated host takes part in vSAN


def found(analysis: Analysis, rule: str) -> Finding:
    (finding,) = [each for each in analysis.findings if each.rule == rule]
    return finding


# --- the planted story ----------------------------------------------------------------------------

# Rules that have nothing to judge on the simulated hosts.
WITHOUT_RDMA = {rule.id for rule in RULES if rule.entity == "rdma"}
# The demo is a lone CSV: its host was asked nothing.
NOT_ASKED = {rule.id for rule in RULES if ASKED.keys() & set(rule.facts)}
# Poll threads and vSAN worlds, and the nominal frequency, which the lab does not write.
NOT_IN_THE_LAB = {"host-nic-poll", "host-vsan-worlds-ready", "power-aperf-low"}
NO_NFS = {rule.id for rule in RULES if rule.entity == "nfs-volume"}


def test_the_demo_gives_the_planted_story_and_nothing_else(demo: Analysis) -> None:
    expected = json.loads((ROOT / "tests" / "data" / "demo-findings.json").read_text(encoding="utf-8"))
    loud = [
        {"rule": finding.rule, "severity": finding.severity, "entity": finding.entity.name}
        for finding in demo.findings
        if finding.severity != "info"
    ]
    assert loud == expected
    absent = NO_GUESTS | NO_VSAN | NO_NFS | WITHOUT_RDMA | NOT_ASKED | NOT_IN_THE_LAB | {"pcpu-cores-full"}
    assert {each.rule for each in demo.skipped} == absent, "no hyper-threading, no CORE UTIL"


@pytest.mark.parametrize(
    ("rule", "begins_min", "ends_min"),
    [
        ("cpu-ready", 5, 11),
        ("cpu-costop", 5, 11),
        ("memory-state", 7.5, 9.5),
        ("vm-swapping", 6, 9),
        ("cpu-swap-wait", 7, 9),
        ("vm-balloon", 6, 14),
        ("vm-swapped", 6, 15),
        ("cpu-limit", 0, 15),
        ("cpu-saturated", 0, 15),
    ],
)
def test_each_part_of_the_story_is_found_at_its_time(
    demo: Analysis, rule: str, begins_min: float, ends_min: float
) -> None:
    """To a few samples: what ramps up crosses the threshold a little later than it starts."""
    finding = found(demo, rule)
    slack = timedelta(seconds=20)
    assert finding.first is not None
    assert finding.last is not None
    assert abs(finding.first - (START + timedelta(minutes=begins_min))) <= slack
    assert abs(finding.last - (START + timedelta(minutes=ends_min))) <= slack


def test_the_planted_values_come_out(demo: Analysis) -> None:
    ready = found(demo, "cpu-ready")
    assert 12 <= ready.value <= 18, "planted: 12 to 18 % on every vCPU"
    assert len(ready.members) == 8, "all eight vCPUs of sql01"
    assert found(demo, "cpu-saturated").members == ("vCPU 0",), "vCPU 1 runs 14 %"
    assert found(demo, "vm-swapped").value == 300
    assert found(demo, "vm-balloon").value == pytest.approx(1228.8)
    assert found(demo, "memory-state").value == 2


def test_the_demo_capture_is_described(demo: Analysis) -> None:
    capture = demo.capture
    assert (capture.host, capture.samples, capture.judged, capture.interval_s) == ("esx01.example.com", 181, 180, 5)
    assert (capture.started, capture.ended) == (START, START + timedelta(minutes=15))
    assert capture.unknown_columns == 0
    assert len(demo.vms) == 9
    assert sorted(vm.gid for vm in demo.vms if vm.name == "app-test") == ["1212900", "1213642"]


def test_a_vm_row_is_what_its_own_vcpus_did(demo: Analysis) -> None:
    rows = {row.vm.name: row for row in demo.vm_rows}
    sql01 = found(demo, "cpu-ready")
    assert rows["sql01"].ready_p95 == pytest.approx(sql01.value), "the worst vCPU speaks in both places"
    assert rows["mail"].swapped_mb == 300
    assert rows["web02"].run_p95 == pytest.approx(97, abs=1), "the busiest vCPU"
    assert rows["web02"].run_mean == pytest.approx((97 + 14) / 2, abs=1), "the mean over both"
    assert rows["build-runner"].ready_p95 < 2, "%RDY without %MLMTD: its waiting is a limit"


def test_charts_are_short_and_keep_the_peaks(demo: Analysis, tmp_path: Path) -> None:
    assert set(demo.charts) == {finding.rule for finding in demo.findings}
    spiky = small_plan(
        samples=1500,
        vms=(VmPlan("spiky", 1_200_100, 1, 2048, ready_pct=lambda i: 40.0 if i == 777 else 12.0),),
    )
    write_capture(tmp_path / "spiky.csv", spiky)
    analysis = analyze([tmp_path / "spiky.csv"])
    (line,) = analysis.charts["cpu-ready"].series
    peak = found(analysis, "cpu-ready").peak
    assert len(line.times) == len(line.values) <= POINTS
    assert peak > 30
    assert max(v for v in line.values if v is not None) == pytest.approx(peak)


def test_two_vms_of_one_name_are_two_lines_of_a_chart(tmp_path: Path) -> None:
    """Lines with equal labels would be drawn as one zigzag."""
    twins = tuple(VmPlan("app-test", gid, 1, 1024, ready_pct=30) for gid in (1_200_100, 1_200_200))
    write_capture(tmp_path / "twins.csv", small_plan(vms=twins, pcpus=4))
    labels = [line.label for line in analyze([tmp_path / "twins.csv"]).charts["cpu-ready"].series]
    assert sorted(labels) == ["app-test (1200100) vCPU 0", "app-test (1200200) vCPU 0"]


# --- captures that say less -----------------------------------------------------------------------


def test_one_sample_judges_nothing_and_says_so(tmp_path: Path) -> None:
    """The only row is an average since boot: no rate of it belongs to a time that is known."""
    write_capture(tmp_path / "one.csv", small_plan(samples=1))
    analysis = analyze([tmp_path / "one.csv"])
    assert (analysis.capture.samples, analysis.capture.judged) == (1, 0)
    assert analysis.capture.started is None
    assert "too-few-samples" in {note.code for note in analysis.quality}
    assert {finding.rule for finding in analysis.findings} == {"capture-quality"}
    assert {each.rule for each in analysis.skipped} == {r.id for r in RULES if r.entity != "capture"}
    (row,) = analysis.vm_rows
    assert row.ready_p95 is None, "unknown is not zero"


def test_a_default_field_capture_skips_what_it_lacks_by_name(tmp_path: Path) -> None:
    """Without -a esxtop leaves columns out: here those that the catalog says it does."""
    write_capture(tmp_path / "all.csv", small_plan())
    extra = {counter.path for counter in counters() if ONLY_WITH_A in counter.notes}
    with (tmp_path / "all.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    keep = [n for n, path in enumerate(header) if n == 0 or _object_and_counter(path) not in extra]
    assert len(keep) < len(header), "the sample should hold columns that need -a"
    lines = [",".join(f'"{row[n]}"' for n in keep) for row in (header, *rows)]
    (tmp_path / "default.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    analysis = analyze([tmp_path / "default.csv"])
    assert "default-fields" in {note.code for note in analysis.quality}
    skipped = {each.rule: each.reason for each in analysis.skipped}
    for rule in RULES:
        needs = [path for paths in rule.needs_by_kind.values() for path in paths if path not in rule.optional]
        lacking = [path for path in needs if path in extra]
        assert all(path in skipped.pop(rule.id) for path in lacking[:1]), rule.id
    left = NO_VSAN | WITHOUT_RDMA | NO_GUESTS | NOT_ASKED | NOT_IN_THE_LAB | {"nfs-latency"}
    assert skipped.keys() == left, "nothing but a counter that lacks is a reason here"
    (row,) = analysis.vm_rows
    assert row.balloon_mb is None
    assert row.memory_mb == analyze([tmp_path / "all.csv"]).vm_rows[0].memory_mb


def test_a_capture_that_asked_for_everything_lacks_what_its_release_did_not_have(tmp_path: Path) -> None:
    """ESX 4.1 had no %LAT_C: where the manifest says `-a`, nothing was left out."""
    write_capture(tmp_path / "old.csv", small_plan(release="4.1"))
    asked = Manifest(commands=("TERM=xterm esxtop -b -a -d 5 -n 24 | gzip -c",))
    assert "default-fields" in {note.code for note in analyze([tmp_path / "old.csv"]).quality}
    assert "default-fields" not in {note.code for note in analyze([tmp_path / "old.csv"], manifest=asked).quality}


def _object_and_counter(path: str) -> str:
    head, _, counter = path.rpartition("\\")
    return head.split("\\")[3].partition("(")[0] + "\\" + counter


def test_a_memory_limit_on_a_host_with_enough_is_named_as_the_cause_of_the_balloon(tmp_path: Path) -> None:
    limited = replace(small_plan().vms[0], memory_limit_mb=1024, balloon_mb=300.0)
    write_capture(tmp_path / "limited.csv", small_plan(vms=(limited,)))
    analysis = analyze([tmp_path / "limited.csv"])
    assert [finding.rule for finding in analysis.findings] == [
        "vm-memory-limit-reclaim",
        "vm-balloon",
        "vm-memory-limit",
    ]
    (explained,) = found(analysis, "vm-balloon").explained_by
    assert (explained.rule, explained.confidence) == ("vm-memory-limit-reclaim", "medium"), (
        "both lasted the capture"
    )


def test_a_healthy_capture_has_no_finding(tmp_path: Path) -> None:
    write_capture(tmp_path / "healthy.csv", small_plan())
    analysis = analyze([tmp_path / "healthy.csv"])
    assert analysis.findings == ()
    assert analysis.charts == {}
    unsaid = NO_VSAN | NO_NFS | WITHOUT_RDMA | UNSAID | NO_GUESTS | NOT_ASKED | NOT_IN_THE_LAB
    assert {each.rule for each in analysis.skipped} == unsaid, "no vSAN, no RDMA, no guest log, no VM has a limit"
    assert len(analysis.clear) == len(RULES) - len(unsaid)


def test_segments_are_one_capture(tmp_path: Path) -> None:
    """The first sample of each segment covers an unknown interval and is set aside."""
    paths = [tmp_path / f"esxtop-{n:03}.csv" for n in range(3)]
    for number, path in enumerate(paths):
        write_capture(path, small_plan(samples=20, start=START + timedelta(seconds=100 * number)))
    capture = analyze(paths).capture
    assert (capture.samples, capture.judged) == (60, 57)
    assert [file.name for file in capture.files] == [path.name for path in paths]


def test_segments_that_are_in_trouble_only_between_them_show_it_in_windows_of_their_own(tmp_path: Path) -> None:
    """Two captures two hours apart, a VM in trouble in both: nothing is known of the hours between."""
    paths = [tmp_path / "esxtop-000.csv", tmp_path / "esxtop-001.csv"]
    vms = (VmPlan("busy", 1_200_100, 1, 1024, ready_pct=30),)
    for number, path in enumerate(paths):
        write_capture(path, small_plan(vms=vms, start=START + timedelta(hours=2 * number)))
    spans = found(analyze(paths), "cpu-ready").windows
    assert [span.seconds for span in spans] == [145, 145]


def test_times_move_with_the_zone_that_is_given(tmp_path: Path) -> None:
    write_capture(tmp_path / "local.csv", small_plan())
    analysis = analyze([tmp_path / "local.csv"], timezone="Europe/Berlin")
    assert analysis.capture.started == START - timedelta(hours=1), "21:30 in Berlin in March is 20:30 UTC"
    with pytest.raises(UsageError, match="Europa/Berlin"):
        analyze([tmp_path / "local.csv"], timezone="Europa/Berlin")


def test_the_inventory_counts_every_column_once() -> None:
    rows = inventory([DEMO])
    assert sum(row["columns"] for row in rows) == 9696
    assert all(row["known"] for row in rows)
    ready = next(row for row in rows if (row["object"], row["counter"]) == ("Vcpu", "% Ready"))
    assert (ready["label"], ready["unit"], ready["columns"]) == ("%RDY", "%", ready["instances"])


def test_the_inventory_has_what_came_in_a_later_segment(tmp_path: Path) -> None:
    write_capture(tmp_path / "esxtop-000.csv", small_plan())
    text = (tmp_path / "esxtop-000.csv").read_text(encoding="utf-8")
    first, _, rows = text.partition("\n")
    renamed = first.replace("Group Memory(", "Group Swap(")
    (tmp_path / "esxtop-001.csv").write_text(f"{renamed}\n{rows}", encoding="utf-8")
    one, both = (inventory([tmp_path / f"esxtop-{n:03}.csv" for n in range(many)]) for many in (1, 2))
    swap = [row for row in both if row["object"] == "Group Swap"]
    assert [row for row in both if row not in swap] == one
    assert [row["columns"] for row in swap] == [row["columns"] for row in one if row["object"] == "Group Memory"]


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "top.txt").write_text("top - 21:30:00 up 3 days,  1 user,  load average: 0.1\n", encoding="utf-8")
    with pytest.raises(UnreadableInputError) as caught:
        analyze([tmp_path / "top.txt"])
    assert caught.value.hint


# --- a real host ----------------------------------------------------------------------------------


@needs_the_real_capture
def test_the_real_capture_says_through_the_command_line_what_it_holds(tmp_path: Path) -> None:
    """ESXi 6.0 with all fields. 17,426 cells stand beside the time; one of them holds two columns."""
    answer = tmp_path / "a.json"
    command = [*ESXPROBE, "report", str(REAL), "--json", str(answer), "-o"]
    subprocess.run([*command, str(tmp_path / "a.html")], check=True, cwd=ROOT, capture_output=True)
    said = json.loads(answer.read_text(encoding="utf-8"))
    capture, quality = said["capture"], {note["code"]: note["count"] for note in said["quality"]}
    with REAL.open(newline="", encoding="utf-8") as file:
        cells = next(csv.reader(file))
    assert len(cells) - 1 == 17_426
    assert capture["columns"] == 17_427
    assert capture["columns_unnamed"] == 2
    assert quality["unnamed-column"] == 2
    assert quality["glued-cell"] == 1
    assert capture["columns_unknown"] == 0
    assert "unknown-counter" not in quality
    assert (capture["samples"], capture["samples_judged"], capture["samples_set_aside"]) == (3, 2, 1)
    assert capture["interval_s"] == 5
    assert (capture["groups"], capture["worlds"]) == (59, 485)
    assert {vm["name"]: vm["vcpus"] for vm in said["vms"]} == {
        "styx": 1,
        "portunus": 1,
        "hermes": 1,
        "ananke": 1,
        "ouranos": 1,
        "poseidon": 2,
    }


@needs_the_real_capture
def test_the_real_hosts_memory_trouble_is_found_and_its_healthy_cpus_are_not(tmp_path: Path) -> None:
    """Read by eye: state 1, five ballooned and six swapped VMs, no swap traffic, %RDY below 1 %."""
    analysis = analyze([REAL])
    by_rule: dict[str, set[str]] = {}
    for finding in analysis.findings:
        by_rule.setdefault(finding.rule, set()).add(finding.entity.name)
    assert by_rule["vm-swapped"] == {"styx", "portunus", "hermes", "ananke", "ouranos", "poseidon"}
    assert by_rule["vm-balloon"] == {"portunus", "hermes", "ananke", "ouranos", "poseidon"}
    assert by_rule["memory-state"] == {"localhost.home"}
    assert {"cpu-ready", "cpu-costop", "vm-swapping", "observer-cost"} <= set(analysis.clear)


@needs_the_real_capture
def test_values_of_the_real_capture_are_those_in_its_cells() -> None:
    """%RDY of a vCPU, looked up by hand in the raw text, against the table of VMs."""
    with REAL.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    (place,) = [n for n, path in enumerate(header) if "vmx-vcpu-0:styx" in path and path.endswith("\\% Ready")]
    # The cell without a comma behind it swallows its neighbor: columns behind it stand one off in rows
    # as in the header, so that the same position is the same column in both.
    cells = [float(row[place]) for row in rows if row][1:]
    styx = next(row for row in analyze([REAL]).vm_rows if row.vm.name == "styx")
    assert styx.ready_p95 == pytest.approx(np.percentile(cells, 95))
