"""At a glance: what is gathered over a whole host, how it is drawn, and how it is told in words."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hostile_names import HOSTILE, without_vega
from shippedbook import all_needs, analysis_of, glance_panel, render_html
from tiny import START, Thing, recording

from esxprobe.analyze.glance import GLANCE_NEEDS, glance_of
from esxprobe.analyze.heat import CELLS, cells_of
from esxprobe.model import Analysis, HeatStrip, HostFacts, Provenance, Recording, VirtualMachine
from esxprobe.report.cards import leading
from esxprobe.report.drawing import Drawer
from esxprobe.report.glance import glance_specs
from esxprobe.report.heat_charts import ROWS, STYLES, class_labels, shown_rows

READY, LIMITED, RUN = r"Vcpu\% Ready", r"Vcpu\% Max Limited", r"Vcpu\% Run"
SIZE, BALLOON, SWAPPED = (rf"Group Memory\{name} MBytes" for name in ("Memory Size", "Memctl", "Swapped"))
UTIL = r"Physical Cpu\% Util Time"
DEVICE = "Physical Disk SCSI Device"


def vcpu(gid: str, number: int = 0, **values: tuple[float | None, ...]) -> Thing:
    paths = {"ready": READY, "limited": LIMITED, "run": RUN}
    return Thing(
        "vcpu", f"vCPU {number}", {paths[key]: each for key, each in values.items()}, f"{gid}{number}", gid
    )


def vm(gid: str, name: str = "", vcpus: int = 1) -> VirtualMachine:
    return VirtualMachine(name or f"vm{gid}", gid, vcpus)


def strip_of(made: Recording, key: str, provenance: Provenance | None = None) -> HeatStrip:
    return next(strip for strip in glance_of(made, provenance).strips if strip.key == key)


# --- cells ----------------------------------------------------------------------------------------


def test_a_short_capture_has_a_cell_a_sample() -> None:
    strip = strip_of(recording(vcpu("1", ready=(1.0, 2.0, 3.0)), vms=[vm("1")]), "ready")
    assert strip.rows[0].values == (1.0, 2.0, 3.0)
    assert [cell.seconds for cell in strip.cells] == [5.0] * 3
    assert strip.cells[0].start == START
    assert strip.rows[0].peak_at == START + timedelta(seconds=15)


@pytest.mark.parametrize("samples", [1, 119, 120, 121, 360, 1000])
def test_cells_are_means_of_their_samples_and_lose_none(samples: int) -> None:
    """Against the obvious way: every sample in the cell that its end lies in, weighted by what it stands for."""
    rng = np.random.default_rng(samples)
    values = [None if rng.random() < 0.1 else float(v) for v in rng.random(samples) * 30]
    lengths = [float(v) for v in rng.choice((4.0, 5.0, 6.0), samples)]
    made = recording(vcpu("1", ready=(0.0, *values[1:])), vms=[vm("1")], lengths_s=lengths)
    values[0] = 0.0
    strip = strip_of(made, "ready")
    assert len(strip.cells) == len(strip.rows[0].values) <= CELLS
    ends = np.cumsum(lengths)
    for cell, shown in zip(strip.cells, strip.rows[0].values, strict=True):
        inside = [
            (value, length)
            for value, length, end in zip(values, lengths, ends, strict=True)
            if cell.start < START + timedelta(seconds=float(end)) <= cell.end and value is not None
        ]
        if not inside:
            assert shown is None
            continue
        mean = sum(value * length for value, length in inside) / sum(length for _, length in inside)
        assert shown == pytest.approx(mean, abs=1e-3)


def test_no_cell_reaches_over_a_hole() -> None:
    made = recording(vcpu("1", ready=(1.0,) * 300), vms=[vm("1")], pauses_s={100: 3600.0})
    cells = cells_of(made)
    assert cells is not None
    assert max(span.seconds for span in cells.spans) <= 15.0
    assert sum(span.seconds for span in cells.spans) == pytest.approx(300 * 5.0)


# --- what is gathered -----------------------------------------------------------------------------


def test_ready_is_that_of_the_worst_vcpu_without_what_a_limit_asks_for() -> None:
    made = recording(
        vcpu("1", 0, ready=(2.0, 8.0), limited=(0.0, 0.0)),
        vcpu("1", 1, ready=(4.0, 9.0), limited=(1.0, 9.0)),
        vms=[vm("1", vcpus=2)],
    )
    assert strip_of(made, "ready").rows[0].values == (3.0, 8.0)


def test_running_is_the_mean_of_the_vcpus_that_have_a_value() -> None:
    made = recording(vcpu("1", 0, run=(10.0, 20.0)), vcpu("1", 1, run=(30.0, None)), vms=[vm("1", vcpus=2)])
    assert strip_of(made, "run").rows[0].values == (20.0, 20.0)


def test_memory_taken_back_is_a_share_of_the_vm_s_size() -> None:
    values = {SIZE: (1000.0,) * 3, BALLOON: (0.0, 100.0, 100.0), SWAPPED: (0.0, 0.0, 150.0)}
    strip = strip_of(recording(Thing("vm", "a", values, "7", "7"), vms=[vm("7", "a")]), "reclaim")
    assert strip.rows[0].values == (0.0, 10.0, 25.0)


def test_of_many_vms_the_worst_are_shown_and_the_rest_is_counted() -> None:
    things = [vcpu(str(n), ready=(float(n), float(n))) for n in range(100, 100 + ROWS + 5)]
    strip = strip_of(recording(*things, vms=[vm(thing.gid or "") for thing in things]), "ready")
    assert len(strip.rows) == ROWS + 5, "each has a page with its line"
    assert shown_rows(strip).rows == strip.rows[:ROWS]
    assert strip.rows[0].label == f"vm{100 + ROWS + 4}"
    assert [row.p95 for row in strip.rows] == sorted((row.p95 for row in strip.rows), reverse=True)


def test_pcpus_of_a_large_host_share_rows_by_number_and_node() -> None:
    things = [Thing("pcpu", f"PCPU {n}", {UTIL: (float(n), float(n))}, str(n)) for n in reversed(range(128))]
    two_nodes = Provenance(facts=HostFacts(numa_nodes=2))
    strip = strip_of(recording(*things), "pcpus", two_nodes)
    assert len(strip.rows) == 32
    assert (strip.rows[0].label, strip.rows[0].mean) == ("N0 PCPU 0–3", 1.5)
    assert strip.rows[-1].label == "N1 PCPU 124–127"
    assert strip_of(recording(*things), "pcpus").rows[0].label == "PCPU 0–3", "nobody said how many nodes"


def test_latency_of_a_device_counts_only_where_there_were_commands() -> None:
    values = {
        rf"{DEVICE}\Commands/sec": (0.0, 0.0, 100.0, 100.0),
        rf"{DEVICE}\Average Driver MilliSec/Command": (0.0, 0.0, 8.0, 8.0),
        rf"{DEVICE}\Queued Commands": (0.0, 3.0, 0.0, 0.0),
    }
    (device,) = glance_of(recording(Thing("device", "naa.1", values, "naa.1")), None).devices
    assert (device.commands_s, device.driver_ms, device.queued) == (50.0, 8.0, 3.0)
    assert device.kernel_ms is None, "what the capture lacks is not zero"


def test_ports_that_drop_come_first_and_idle_ones_are_counted() -> None:
    def port(name: str, packets: float, dropped: float) -> Thing:
        values = {
            r"Network Port\Packets Received/sec": (packets,) * 2,
            r"Network Port\% Received Packets Dropped": (0.0, dropped),
        }
        return Thing("port", name, values, name)

    glance = glance_of(recording(port("idle", 0, 0), port("busy", 900, 0), port("drops", 5, 1.5)), None)
    assert [row.entity.name for row in glance.ports] == ["drops", "busy"]
    assert glance.ports_idle == 1


def test_a_capture_without_any_of_it_has_an_empty_glance() -> None:
    glance = glance_of(recording(), None)
    assert (glance.strips, glance.devices, glance.ports) == ((), (), ())


def test_what_is_pictured_is_read() -> None:
    needs = all_needs()
    assert all(set(paths) <= set(needs[kind]) for kind, paths in GLANCE_NEEDS.items())


# --- how it is drawn ------------------------------------------------------------------------------


def test_neighboring_cells_of_one_class_are_drawn_as_one() -> None:
    made = recording(vcpu("1", ready=(0.1, 0.2, 12.0, 14.0, 0.3)), vms=[vm("1", "a")])
    spec = glance_specs(analysis_of(made))["glance:ready"]
    spans = spec["layer"][0]["data"]["values"]
    assert [(span["c"], span["v"]) for span in spans] == [("< 1 %", 0.15), ("10–20 %", 13.0), ("< 1 %", 0.3)]
    assert spans[0]["b"] == spans[1]["a"]
    (peak,) = spec["layer"][1]["data"]["values"]
    assert peak["t"] == round((START + timedelta(seconds=20)).timestamp() * 1000)


def test_every_value_has_one_class() -> None:
    for style in STYLES.values():
        labels = class_labels(style.breaks, "%")
        assert len(labels) == len(set(labels)) == len(style.breaks) + 1
        assert list(style.breaks) == sorted(style.breaks)


def test_all_pictures_share_one_time_axis(demo: Analysis) -> None:
    domains = {json.dumps(domain) for domain in _domains(glance_specs(demo))}
    assert len(domains) == 1
    assert demo.capture.started is not None
    assert json.loads(json.loads(domains.pop())["expr"])[0] == round(demo.capture.started.timestamp() * 1000)


def _domains(spec: object) -> list[list[int]]:
    """Domains of the time axes, wherever they stand."""
    if isinstance(spec, dict):
        own = [spec["scale"]["domain"]] if spec.get("type") == "temporal" else []
        return own + [domain for part in spec.values() for domain in _domains(part)]
    return [domain for part in spec for domain in _domains(part)] if isinstance(spec, list) else []


def test_rows_of_which_there_is_nothing_to_see_are_counted_and_not_drawn() -> None:
    made = recording(vcpu("1", ready=(9.0,) * 3), vcpu("2", ready=(0.1,) * 3), vms=[vm("1", "a"), vm("2", "b")])
    strip = shown_rows(strip_of(made, "ready"))
    assert [row.label for row in strip.rows] == ["a"]


def test_the_likely_causes_lie_on_one_axis_with_thresholds_and_episodes(demo: Analysis) -> None:
    spec = glance_specs(demo)["glance:timeline"]
    leads = leading(demo)
    assert len(leads) == 4
    assert len(spec["vconcat"]) == 3, "a CPU limit that stayed as it was has no panel"
    first = spec["vconcat"][0]
    episodes = first["layer"][0]["data"]["values"]
    assert len(episodes) == len(leads[0].windows)
    rules = [layer for layer in first["layer"] if layer["mark"]["type"] == "rule"]
    assert rules, "thresholds are drawn across"


def test_every_picture_can_be_drawn(demo: Analysis, hostile: Analysis, drawer: Drawer) -> None:
    for analysis in (demo, hostile):
        drawings = drawer.draw(glance_specs(analysis))
        assert drawings
        assert all(svg.startswith("<svg") for svg in drawings.values()), drawings.keys()
        assert not [key for key, svg in drawings.items() if "NaN" in svg or "undefined" in svg]


# --- what is told ---------------------------------------------------------------------------------


def test_a_picture_is_told_in_words_with_its_worst_rows(demo: Analysis) -> None:
    (ready,) = [picture for picture in glance_panel(demo, {}).vms if picture.key == "ready"]
    assert ready.words.startswith("CPU ready, %RDY - %MLMTD of the worst vCPU, 7 rows over time.")
    assert "Highest: sql01 mean" in ready.words
    assert "peak 17.9 % at 21:3" in ready.words


def test_what_is_quiet_is_a_sentence_and_no_picture() -> None:
    made = recording(vcpu("1", ready=(0.2,) * 3), vcpu("2", ready=(0.4,) * 3), vms=[vm("1"), vm("2")])
    panel = glance_panel(analysis_of(made), {})
    assert panel.vms == ()
    assert panel.quiet == (
        "CPU ready: %RDY - %MLMTD of the worst vCPU stayed below 1 % in all 2 VMs (largest sample 0.40 %).",
    )


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_of_devices_and_ports_are_text(name: str, drawer: Drawer) -> None:
    values = {rf"{DEVICE}\Commands/sec": (5.0, 5.0)}
    packets = {r"Network Port\Packets Received/sec": (5.0, 5.0)}
    made = recording(
        Thing("device", name, values, name),
        Thing("port", name, packets, "1"),
        vcpu("1", ready=(9.0, 9.0)),
        vms=[vm("1", name)],
    )
    page = without_vega(render_html(analysis_of(made), drawer))
    for evil in ("<script>alert", "<img", "<b>", "</svg><!--"):
        assert evil not in page
    assert not re.search(r"<[a-z][^<>]*onmouseover=\"alert", page), "the name became an attribute"


def test_times_are_told_in_the_zone_that_a_person_gave(demo: Analysis) -> None:
    zoned = replace(demo, capture=replace(demo.capture, timezone="Europe/Berlin"))
    (ready,) = [picture for picture in glance_panel(zoned, {}).vms if picture.key == "ready"]
    assert " UTC = 22:3" in ready.words
    assert "Europe/Berlin (+01:00)" in ready.words


def test_nfs_volumes_have_a_table_of_their_own_busiest_first() -> None:
    """A site that has nothing but NFS sees its storage too: what the guest waits for, and what it gave up."""
    volume = "Physical Disk NFS Volume"

    def of(name: str, commands: tuple[float, ...], guest: tuple[float, ...], aborts: tuple[float, ...]) -> Thing:
        paths = ("Commands/sec", "Average Guest MilliSec/Command", "Aborts/sec")
        values = dict(zip((rf"{volume}\{each}" for each in paths), (commands, guest, aborts), strict=True))
        return Thing("nfs-volume", name, values)

    made = recording(
        of("idle", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        of("busy", (0.0, 300.0, 300.0), (900.0, 160.0, 160.0), (0.0, 0.5, 0.0)),
    )
    busy, idle = glance_of(made, None).volumes
    assert (busy.entity.name, busy.commands_s, busy.guest_ms, busy.aborts_s) == ("busy", 200.0, 160.0, 0.5)
    assert (idle.entity.name, idle.guest_ms, idle.read_mb_s) == ("idle", None, None)
    panel = glance_panel(replace(analysis_of(made), glance=glance_of(made, None)), {})
    assert panel.volumes is not None
    assert panel.volumes.rows[0] == ("busy", "200/s", "160 ms", "–", "–", "0.50/s")
