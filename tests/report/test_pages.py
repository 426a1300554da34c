"""Pages of VMs, devices and the host: everything on one thing in one place, and every name leads there."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import scenarios
from shippedbook import analyze, render_html
from tiny import START, Thing, recording

from esxprobe.analyze.belongings import owned
from esxprobe.analyze.glance import glance_of
from esxprobe.model import Analysis, Entity, HeatRow, HeatStrip, VirtualMachine, Window
from esxprobe.report.drawing import Drawer
from esxprobe.report.lanes import HEIGHT, SPARK_HEIGHT, SPARK_WIDTH, WIDTH, lane_of, spark_of
from esxprobe.report.links import HOST, Links
from esxprobe.report.pages import Pages, ThingPage, pages_of
from esxprobe.rules import shipped


@pytest.fixture(scope="module")
def pages(demo: Analysis) -> Pages:
    return pages_of(demo, shipped(), Links.of(demo))


def page_called(pages: Pages, name: str) -> ThingPage:
    return next(each for each in (*pages.vms, *pages.devices) if each.name == name)


def test_there_is_a_page_of_the_host_of_every_vm_and_of_the_busiest_devices(demo: Analysis, pages: Pages) -> None:
    assert [each.name for each in pages.vms] == [vm.name for vm in demo.vms]
    assert [each.name for each in pages.devices] == [row.entity.name for row in demo.glance.devices[:20]]
    assert (pages.host.anchor, pages.host.name) == (HOST, "esx01.example.com")
    anchors = [each.anchor for each in (pages.host, *pages.vms, *pages.devices)]
    assert len(set(anchors)) == len(anchors)


def test_every_finding_is_on_the_page_of_what_it_is_about_or_a_part_of(demo: Analysis, pages: Pages) -> None:
    listed = [line for each in (pages.host, *pages.vms, *pages.devices) for line in each.findings]
    assert sorted(line.anchor for line in listed) == sorted(each.rule for each in demo.findings)
    sql = page_called(pages, "sql01")
    assert [(line.severity, line.anchor) for line in sql.findings][:2] == [
        ("critical", "cpu-ready"),
        ("critical", "cpu-costop"),
    ]
    assert sql.counts == (("critical", 2), ("info", 1))
    assert sql.findings[0].figure == "%RDY - %MLMTD 16.8 % (p95), critical from 10 %"
    assert sql.findings[0].when == "21:34:55–21:40:55 (6 min)"


def test_the_page_of_a_vm_has_its_lines_its_disks_its_ports_and_its_devices(pages: Pages) -> None:
    sql = page_called(pages, "sql01")
    assert [lane.title.split()[0] for lane in sql.lanes] == ["%RDY", "%CSTP", "%RUN,", "The"]
    assert sql.still == ("MCTLSZ + SWCUR as a share of MEMSZ stayed below 0.1 % (peak 0.00 %).",)
    disks, ports = sql.tables
    assert [row[0] for row in disks.rows] == ["scsi0:0", "scsi0:1", "scsi0:2"]
    assert [row[0] for row in ports.rows] == ["vSwitch0:33554441:2100043:sql01"]
    ((device, anchor),) = sql.related
    assert re.fullmatch(r"naa\.\w+ \(\d+ commands/s\)", device)
    assert device.split()[0] == next(each.name for each in pages.devices if each.anchor == anchor)
    users = [name for name, _ in page_called(pages, device.split()[0]).related]
    assert any(name.startswith("sql01 (") for name in users), "and the device names the VM"


def test_what_else_was_on_the_host_is_told_of_the_vm_s_worst_time(pages: Pages) -> None:
    told = [text for text, _ in page_called(pages, "sql01").beside]
    assert told[0] == "%RDY - %MLMTD of the worst vCPU was highest 21:35:00–21:40:50 (5 min 50 s) UTC."
    assert told[1].startswith("PCPU UTIL(%) was 80.")
    assert told[2].startswith("web01 ran ")
    assert any("esx01.example.com (warning)" in each for each in told)
    assert not any(text.startswith("sql01 ") for text in told), "its own load is not beside it"


def test_a_vm_that_was_never_slow_has_no_worst_time(demo: Analysis) -> None:
    calm = replace(demo, glance=replace(demo.glance, strips=()))
    assert all(not each.beside for each in pages_of(calm, shipped(), Links.of(calm)).vms)


def test_every_name_leads_to_a_page_and_every_link_to_something(demo: Analysis, drawer: Drawer) -> None:
    html = render_html(demo, drawer)
    ids = set(re.findall(r' id="([^"]+)"', html))
    linked = set(re.findall(r'href="#([^"]+)"', html))
    assert linked <= ids, linked - ids
    for name in ("sql01", "mail", "build-runner"):
        page = next(each.anchor for each in pages_of(demo, shipped(), Links.of(demo)).vms if each.name == name)
        assert html.count(f'<a href="#{page}"><bdi>{name}</bdi></a>') >= 2, (
            "from a card or finding, and from the table"
        )


# --- what belongs to whom ---------------------------------------------------------------------------


def test_parts_of_a_vm_and_of_a_device_are_known_as_such(tmp_path_factory: pytest.TempPathFactory) -> None:
    scenario = next(each for each in scenarios() if each.name == "slow-path")
    analysis = analyze(scenario.write(tmp_path_factory.mktemp("slow-path")))
    owners = {(each.entity.kind, each.owner.kind) for each in analysis.findings if each.owner}
    assert ("path", "device") in owners
    assert ("vdisk", "vm") in owners
    for each in analysis.findings:
        if each.entity.kind == "vdisk":
            assert each.owner is not None
            assert each.entity.name.startswith(f"{each.owner.name}:")


def test_disks_of_vms_with_the_same_name_are_of_no_vm() -> None:
    """esxtop gives a virtual disk the name of its VM alone."""
    values = {r"Virtual Disk\Reads/sec": (10.0,) * 3, r"Virtual Disk\Writes/sec": (0.0,) * 3}
    mine = Thing("vdisk", "web:scsi0:0", values, "web:scsi0:0", "7")
    nobodys = Thing("vdisk", "db:scsi0:0", values, "db:scsi0:0", None)
    made = recording(mine, nobodys, vms=[VirtualMachine("web", "7", 1), VirtualMachine("db", "8", 1)])
    (row,) = glance_of(made, None).disks
    assert (row.entity.name, row.vm, row.reads_s, row.write_ms) == ("web:scsi0:0", "7", 10.0, None)


def test_without_entities_nothing_is_owned(demo: Analysis) -> None:
    assert owned(demo.findings, recording()) == tuple(replace(each, owner=each.owner) for each in demo.findings)


# --- lines ------------------------------------------------------------------------------------------

VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1e6)), min_size=1, max_size=130)


def strip_of(values: list[float | None]) -> tuple[HeatStrip, HeatRow]:
    known = [each for each in values if each is not None] or [0.0]
    row = HeatRow(Entity("vm", "a", "1"), "a", tuple(values), 1.0, 1.0, max(known), START)
    cells = tuple(
        Window(START + timedelta(seconds=10 * n), START + timedelta(seconds=10 * n + 10))
        for n in range(len(values))
    )
    return HeatStrip("ready", "%", cells, (row,)), row


@given(VALUES)
def test_a_line_stays_in_its_box_and_reaches_its_top(values: list[float | None]) -> None:
    lane = lane_of(*strip_of(values), "")
    points = [(int(x), int(y)) for x, y in re.findall(r"[ML](\d+) (\d+)", lane.path)]
    assert all(0 <= x <= WIDTH and 1 <= y <= HEIGHT for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    known = [each for each in values if each is not None]
    assert bool(points) == bool(known)
    if known and max(known) >= 1:  # the first class of %RDY ends there
        assert min(y for _, y in points) == 1


def test_a_line_is_broken_where_nothing_was_measured() -> None:
    lane = lane_of(*strip_of([1.0, 2.0, None, 4.0, 4.0]), "")
    assert lane.path == "M0 23L75 15M225 1L300 1"
    assert lane.most == "4.00 %"


def test_every_finding_that_changed_has_its_course(demo: Analysis, pages: Pages) -> None:
    sparks = {
        line.anchor: line.spark for each in (pages.host, *pages.vms, *pages.devices) for line in each.findings
    }
    assert sparks["cpu-ready"].startswith("M0 ")
    assert sparks["vm-cpu-limit-set"] == "", "a limit that stayed as it was"
    assert set(demo.courses) <= {each.key for each in demo.findings}
    ready = next(each for each in demo.findings if each.rule == "cpu-ready")
    course = [value for value in demo.courses[ready.key] if value is not None]
    assert max(course) <= ready.peak
    assert sum(value >= ready.threshold for value in course) / len(course) == pytest.approx(0.4, abs=0.03)


@given(VALUES)
def test_a_small_line_stays_in_its_box(values: list[float | None]) -> None:
    points = [(int(x), int(y)) for x, y in re.findall(r"[ML](\d+) (-?\d+)", spark_of(values))]
    assert all(0 <= x <= SPARK_WIDTH and 1 <= y <= SPARK_HEIGHT for x, y in points)
