"""Captures that are readable and still must not be believed too far: joins, holes, long intervals, blanks."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hostsim import USER_GROUPS, HostPlan, VmPlan, write_capture
from shippedbook import analyze, page_of

from esxprobe.capture import load_capture, manifest_of
from esxprobe.errors import UnreadableInputError, UsageError
from esxprobe.formats.timestamps import named_zone
from esxprobe.model import Analysis


def plan(ready: object = 0.4, **more: object) -> HostPlan:
    """A host with one VM that is ready for as long as a knob says."""
    small = HostPlan(
        host="small.example.com",
        pcpus=2,
        vms=(VmPlan("web01", 1_200_100, 2, 2048, ready_pct=ready),),  # type: ignore[arg-type]
        user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
        system_worlds=1,
        helper_worlds=1,
        power_states=("%C-State C0",),
        samples=60,
    )
    return replace(small, **more)  # type: ignore[arg-type]


def written(folder: Path, *plans: HostPlan) -> Path:
    """One file with the plans' captures appended to each other."""
    parts = []
    for number, each in enumerate(plans):
        write_capture(folder / f"{number}.csv", each)
        parts.append((folder / f"{number}.csv").read_bytes())
    path = folder / "joined.csv"
    path.write_bytes(b"".join(parts))
    return path


def rules(analysis: Analysis) -> set[str]:
    return {finding.rule for finding in analysis.findings}


def only(*samples: int, value: float = 40.0):
    return lambda i: value if i in samples else 0.4


def without_rows(path: Path, lines: range) -> Path:
    rows = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join(row for n, row in enumerate(rows) if n not in lines))
    return path


def test_captures_of_two_hosts_are_refused_by_name(tmp_path):
    path = written(tmp_path, plan(), plan(host="other.example.com"))
    with pytest.raises(UnreadableInputError, match=r"several hosts.*small\.example\.com, other\.example\.com"):
        analyze([path])


def test_hosts_of_two_sites_with_one_short_name_are_two_hosts(tmp_path):
    path = written(tmp_path, plan(host="esx01.berlin.example.com"), plan(host="esx01.paris.example.com"))
    with pytest.raises(UnreadableInputError, match=r"several hosts"):
        analyze([path])


def test_one_host_may_be_called_short_and_in_full(tmp_path):
    path = written(tmp_path, plan(), plan(host="small"))
    assert analyze([path]).capture.samples == 120


def test_a_group_id_that_means_another_vm_after_a_restart_is_refused(tmp_path):
    path = written(tmp_path, plan(), plan())
    data = path.read_bytes()
    second = data.rindex(b'"(PDH-CSV')
    # After a restart the same group id belongs to another VM, whose worlds have other ids.
    renamed = (
        data[second:]
        .replace(b"1200100:web01:", b"1200100:payroll:7")
        .replace(b"1200100:web01)", b"1200100:payroll)")
    )
    path.write_bytes(data[:second] + renamed)
    with pytest.raises(UnreadableInputError, match="before and after a restart"):
        analyze([path])


def test_a_renamed_vm_keeps_its_number_of_vcpus(tmp_path):
    path = written(tmp_path, plan(), plan())
    data = path.read_bytes()
    second = data.rindex(b'"(PDH-CSV')
    path.write_bytes(data[:second] + data[second:].replace(b"web01", b"www01"))
    (vm,) = analyze([path]).vms
    assert vm.vcpus == 2


def test_one_sample_behind_lost_rows_does_not_count_for_them(tmp_path):
    """Sample 30 is bad; that the twenty before it are lost must not make it a hundred seconds long."""
    path = without_rows(written(tmp_path, plan(only(30))), range(11, 31))
    assert "cpu-ready" not in rules(analyze([path]))


def test_a_run_does_not_go_on_over_the_night_between_two_captures(tmp_path):
    """35 s at the end of one capture and 35 s at the start of the next are no minute."""
    evening = plan(only(*range(53, 60)), samples=60)
    morning = plan(only(*range(1, 8)), samples=60, start=evening.start + timedelta(hours=9))
    assert "cpu-ready" not in rules(analyze([written(tmp_path, evening, morning)]))
    assert "cpu-ready" in rules(analyze([written(tmp_path, plan(only(*range(40, 53))), morning)]))


def test_a_chart_has_no_line_where_nothing_was_measured(tmp_path):
    evening = plan(lambda _: 12.0)
    morning = plan(lambda _: 12.0, start=evening.start + timedelta(hours=9))
    chart = analyze([written(tmp_path, evening, morning)]).charts["cpu-ready"]
    for line in chart.series:
        gaps = [n for n, value in enumerate(line.values) if value is None]
        assert len(gaps) == 1, "one hole, between the captures"
        assert line.times[gaps[0]] >= morning.start


def test_one_sample_of_a_minute_is_no_state(tmp_path):
    """With a minute between samples, one of them already lasts as long as a rule asks."""
    assert "cpu-ready" not in rules(analyze([written(tmp_path, plan(only(30), interval_s=60))]))
    assert "cpu-ready" in rules(analyze([written(tmp_path, plan(only(30, 31, 32), interval_s=60))]))


def test_the_window_begins_with_the_earliest_sample_not_with_the_first_in_the_file(tmp_path):
    later = plan()
    earlier = plan(start=later.start - timedelta(hours=5))
    capture = analyze([written(tmp_path, later, earlier)]).capture
    assert capture.started == earlier.start
    assert capture.ended == later.start + timedelta(seconds=5 * 59)


def test_a_vm_without_values_is_not_called_healthy(tmp_path):
    two = plan(vms=(VmPlan("web01", 1_200_100, 1, 2048), VmPlan("web02", 1_200_900, 1, 2048)))
    path = written(tmp_path, two)
    header, *data = path.read_text(encoding="utf-8").splitlines()
    blind = next(
        n
        for n, name in enumerate(header.split('","'))
        if "web02" in name and name.endswith("vmx-vcpu-0:web02)\\% Ready")
    )
    rows = [row.split(",") for row in data]
    for row in rows:
        row[blind] = '""'
    path.write_text("\n".join([header, *map(",".join, rows)]) + "\n", encoding="utf-8")
    analysis = analyze([path])
    (note,) = [each for each in analysis.quality if each.code == "no-values"]
    assert note.severity == "warning"
    assert "% Ready" in note.detail


def test_a_finding_of_a_run_says_what_the_run_was(tmp_path):
    """A minute of 12 % in fifty: the 95th percentile is healthy, so it is not what is shown."""
    long = plan(only(*range(300, 315), value=12.0), samples=600)
    (finding,) = [each for each in analyze([written(tmp_path, long)]).findings if each.rule == "cpu-ready"]
    assert finding.statistic == "mean of the longest stretch"
    assert finding.value >= finding.threshold
    assert finding.share_of_samples == pytest.approx(15 / 599)


def test_the_cost_of_the_observer_and_the_closure_are_always_told(tmp_path):
    capture = analyze([written(tmp_path, plan())]).capture
    assert capture.observer_pct == pytest.approx(2.2, abs=0.5)
    assert capture.closure is not None
    lowest, median, highest = capture.closure
    assert lowest <= median <= highest
    assert median == pytest.approx(98.9, abs=0.2)
    assert capture.rows == 60


def test_a_segment_packed_and_unpacked_is_not_read_twice(tmp_path):
    write_capture(tmp_path / "esxtop-000.csv", plan())
    write_capture(tmp_path / "esxtop-000.csv.gz", plan())
    with pytest.raises(UnreadableInputError, match="esxtop-000 more than once"):
        load_capture(tmp_path)


@pytest.mark.parametrize("name", ["localtime", "posixrules", "Factory", "+14:60", "+²²", "Mars/Olympus", ""])
def test_a_zone_that_cannot_be_used_is_said_so(name):
    with pytest.raises(UsageError, match="is not a time zone"):
        named_zone(name)


def test_a_pipe_is_refused_with_what_to_do(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UnreadableInputError, match="is a pipe") as caught:
        analyze([tmp_path / "pipe.csv"])
    assert "save it to a file" in caught.value.hint


def test_a_part_of_many_worlds_is_enough_also_where_joined_captures_show_others(tmp_path):
    """Of worlds that no rule judges 256 are read, evenly; with other columns they are other ones."""
    many = plan(system_worlds=400)
    more = plan(system_worlds=777, start=many.start + timedelta(hours=1))
    capture = analyze([written(tmp_path, many, more)]).capture
    assert capture.closure is not None
    assert capture.closure[1] == pytest.approx(98.9, abs=0.2)
    assert capture.worlds > 777


def test_monitor_modes_come_from_the_manifest_with_their_evidence_and_never_from_a_guess(tmp_path):
    """The host's world id finds the VM also among namesakes; damaged or silent entries leave it unknown."""
    twins = tuple(VmPlan(name, 1_200_100 + 900 * n, 1, 1024) for n, name in enumerate(["app", "app", "db", "web"]))
    path = written(tmp_path, plan(vms=twins))
    header = path.read_text(encoding="utf-8").splitlines()[0]
    leaders = re.findall(r"Vcpu\((\d+):app:\d+:NetWorld-VM-(\d+)\)\\% Used", header)
    told = [
        {"name": "app", "world_id": leaders[1][1], "monitor": {"mmu": "software", "evidence": "gphys-sw.vmm32"}},
        {"name": "db", "world_id": "999", "monitor": {"mmu": "hardware", "evidence": "gphys-ept.vmm"}},
        {"name": "app", "world_id": "998", "monitor": {"mmu": "hardware", "evidence": "of which of the two?"}},
        {"name": "web", "world_id": None, "monitor": None},
        "not an entry",
        {"name": ["web"], "monitor": {"mmu": ["hardware"]}},
    ]
    analysis = analyze([path], manifest=manifest_of({"vms": told}))
    modes = {vm.gid: (vm.mmu, vm.mmu_evidence) for vm in analysis.vms}
    assert modes == {
        leaders[0][0]: ("unknown", ""),
        leaders[1][0]: ("software", "gphys-sw.vmm32"),
        str(1_200_100 + 1800): ("hardware", "gphys-ept.vmm"),
        str(1_200_100 + 2700): ("unknown", ""),
    }
    assert ("Monitor mode", "1 hardware MMU, 1 software MMU and 2 unknown") in page_of(analysis, {}, "").facts
