"""Provenance: everything that a manifest tells, nothing that it does not, and no harm from a manifest that lies."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shippedbook import analyze, render_html

from esxprobe.analyze.provenance import provenance_of
from esxprobe.capture import load_capture, manifest_of
from esxprobe.model import Analysis
from esxprobe.model.manifest import Gap, Manifest
from esxprobe.report.drawing import Drawer
from esxprobe.report.provenance import provenance_panel

SAMPLE = Path(__file__).parents[2] / "samples" / "software-mmu"


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    found = load_capture(SAMPLE).manifest
    assert found is not None
    return found


@pytest.fixture(scope="module")
def collected(manifest: Manifest) -> Analysis:
    return analyze(load_capture(SAMPLE).paths, manifest=manifest)


def test_every_command_is_on_the_page_word_for_word(
    collected: Analysis, manifest: Manifest, drawer: Drawer
) -> None:
    from markupsafe import escape

    page = render_html(collected, drawer, "esxprobe report software-mmu")
    guests = [guest.command for guest in manifest.guests]
    assert len(guests) == 2
    for command in (*manifest.commands, *guests, "esxprobe report software-mmu"):
        assert f"<code>{escape(command)}</code>" in page


def test_every_file_has_its_sum(collected: Analysis, manifest: Manifest) -> None:
    files = provenance_panel(collected).files
    assert {(name, digest) for name, _, digest, _ in files} == {(f.name, f.sha256) for f in manifest.files}
    assert [row[3] for row in files].count("read") == 1, "the guests' logs were not asked for here"


def test_asked_and_achieved_and_what_the_host_said(collected: Analysis) -> None:
    panel = provenance_panel(collected)
    facts, host = dict(panel.facts), dict(panel.host)
    assert facts["Interval"] == "asked 5 s, achieved 5 s"
    assert facts["Samples"] == "asked 181, received 181; 181 rows read"
    assert facts["Outcome of the collection"] == "whole"
    assert host["Build"] == "VMware ESX 4.1.0 build-260247"
    assert host["CPU"] == "Intel(R) Xeon(R) CPU X5365 @ 3.00GHz"
    assert host["Hyperthreading"] == "off"
    assert host["Power policy"] == "static"
    assert panel.datastores == (("lab-store-01", "VMFS-3", "1,024 GB", "581 GB"),)


def test_clocks_of_host_and_guests_at_both_ends(collected: Analysis) -> None:
    clocks = provenance_panel(collected).clocks
    assert [(row[0], row[1]) for row in clocks[:2]] == [
        ("host esx-old.example.com", when) for when in ("start", "end")
    ]
    assert clocks[0][2:4] == ("2026-01-23 09:29:48 UTC", "+3.40 ± 0.50 s")
    assert {row[0] for row in clocks[2:]} == {"guest intranet", "guest cgi01"}


def test_each_vm_has_its_line_of_evidence(collected: Analysis) -> None:
    monitors = provenance_panel(collected).monitors
    assert {monitor.vm for monitor in monitors} == {vm.name for vm in collected.vms}
    for monitor in monitors:
        assert monitor.mode == "software MMU, software execution"
        assert [line for line, tells in monitor.lines if tells and "virtual mmu = 'software'" in line]


def test_runs_and_gaps_of_a_capture_in_segments(manifest: Manifest) -> None:
    (segment,) = manifest.segments
    second = replace(segment, file="esxtop-001.csv.gz", samples=90, outcome="partial", reason="cut")
    gap = Gap("esxtop-000.csv.gz", "esxtop-001.csv.gz", 12.5, "planned")
    found = provenance_of(replace(manifest, segments=(segment, second), gaps=(gap,), state="partial"))
    assert found is not None
    assert [(run.file, run.samples, run.asked) for run in found.runs][1] == ("esxtop-001.csv.gz", 90, 181)
    assert (found.pauses[0].seconds, found.pauses[0].reason) == (12.5, "planned")


def test_of_a_lone_csv_nothing_is_made_up(demo: Analysis, drawer: Drawer) -> None:
    assert demo.provenance is None
    panel = provenance_panel(demo)
    assert (panel.commands, panel.clocks, panel.monitors, panel.probes) == ((), (), (), ())
    assert {value for name, value in panel.host if name != "Host"} == {"not recorded"}
    page = render_html(demo, drawer)
    for sentence in ("Remote commands: not recorded.", "Monitor modes: not recorded.", "a lone CSV"):
        assert sentence in page


def test_an_empty_manifest_says_nothing() -> None:
    found = provenance_of(Manifest())
    assert found is not None
    assert (found.asked_interval_s, found.received_samples, found.runs) == (None, None, ())
    assert [clock.at for clock in found.clocks] == [None, None], "the host's, not read at either end"


def test_times_are_utc_whatever_the_manifest_s_zone() -> None:
    more = {
        "clock": {"start": {"at": "2026-03-26T22:30:00+01:00", "offset_s": 1}, "end": {"at": "2026-03-26 22:30"}}
    }
    found = provenance_of(manifest_of(more))
    assert found is not None
    assert [clock.at for clock in found.clocks] == [datetime(2026, 3, 26, 21, 30, tzinfo=UTC), None]


WORDS = """
facts cpu memory bytes uptime datastores size segments started interval_s gaps seconds clock start at offset_s vms
monitor mmu lines evidence guests command
"""
KEYS = st.sampled_from(WORDS.split())
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON: st.SearchStrategy[Any] = st.recursive(
    PLAIN
    | st.sampled_from(["9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"]),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS, part, max_size=6),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(more=st.dictionaries(KEYS, JSON, max_size=8))
def test_a_manifest_of_any_shape_is_told_as_far_as_it_can_be(demo: Analysis, more: dict[str, Any]) -> None:
    more.pop("interval_s", None)  # in the head it is damage
    found = provenance_of(manifest_of(more))
    assert found is not None
    zoned = replace(demo.capture, timezone="Europe/Berlin")
    assert provenance_panel(replace(demo, capture=zoned, provenance=found)).collected
