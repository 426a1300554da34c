"""Segments of a capture have columns of their own: VMs come and go between them."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from hostsim import USER_GROUPS, HostPlan, VmPlan, write_capture
from shippedbook import analyze, page_of

from esxprobe.fleet.digest import digest_of
from esxprobe.formats.window import window_of
from esxprobe.model import Analysis
from esxprobe.report.document import document

START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)
STAYS = VmPlan("stays", 1_200_100, 2, 2048)
LEAVES = VmPlan("leaves, early", 1_200_200, 1, 1024)
COMES = VmPlan("comes", 1_200_300, 1, 1024, ready_pct=30.0)
HOST = HostPlan(
    host="small.example.com",
    pcpus=2,
    vms=(STAYS,),
    user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
    system_worlds=1,
    helper_worlds=1,
    power_states=("%C-State C0",),
    samples=31,
    start=START,
)


def notes_of(analysis: Analysis) -> dict[str, str]:
    """What stands below each VM's name in the table."""
    table = page_of(analysis, {}, "").vms
    return {row[0]: note for row, note in zip(table.rows, table.notes, strict=True)}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    """Two segments of 150 s each, ten seconds apart."""
    folder = tmp_path_factory.mktemp("segments")
    plans = (
        replace(HOST, vms=(STAYS, LEAVES)),
        replace(HOST, vms=(STAYS, COMES), start=START + timedelta(seconds=160)),
    )
    return analyze([written(folder, n, plan) for n, plan in enumerate(plans)])


def written(folder: Path, number: int, plan: HostPlan) -> Path:
    path = folder / f"esxtop-{number:03}.csv"
    write_capture(path, plan)
    return path


def spans(analysis: Analysis) -> dict[str, list[tuple[int, int]]]:
    """Seconds from the start of the capture of which each VM was there."""
    return {
        row.vm.name: [
            (int((span.start - START).total_seconds()), int((span.end - START).total_seconds()))
            for span in row.seen
        ]
        for row in analysis.vm_rows
    }


def test_a_vm_is_there_while_a_segment_has_its_columns(analysis):
    assert spans(analysis) == {"stays": [], "leaves, early": [(0, 150)], "comes": [(160, 310)]}


def test_comings_and_goings_are_told_with_their_times(analysis):
    said = {note.code: (note.count, note.detail) for note in analysis.quality}
    assert said["vm-came"] == (1, "comes at 21:32:40 (UTC)")
    assert said["vm-left"] == (1, "leaves, early at 21:32:30 (UTC)")


def test_a_newcomer_is_judged_on_its_own_samples(analysis):
    found = {finding.entity.name: finding for finding in analysis.findings if finding.rule == "cpu-ready"}
    assert found["comes"].samples == 30
    assert found["comes"].share_of_samples == 1.0


def test_json_and_page_show_when_a_vm_was_there(analysis):
    told = document(analysis)
    schema = json.loads((Path(__file__).parents[1] / "docs/analysis.schema.json").read_text())
    jsonschema.validate(told, schema)
    seen = {vm["name"]: vm["seen"] for vm in told["vms"]}
    assert seen["stays"] == []
    assert seen["comes"] == [{"start": "2026-03-26T21:32:40Z", "end": "2026-03-26T21:35:10Z"}]
    rows = notes_of(analysis)
    assert rows == {
        "stays": "",
        "leaves, early": "there 21:30:00–21:32:30 (2 min 30 s)",
        "comes": "there 21:32:40–21:35:10 (2 min 30 s)",
    }


def gone_still(folder: Path, silent: int) -> Path:
    """A capture of 31 samples in the last of which a VM's columns say nothing but zero."""
    path = written(folder, 0, replace(HOST, vms=(STAYS, LEAVES)))
    lines = path.read_text().split("\n")
    gone = [n for n, name in enumerate(lines[0].split('","')) if "1200200:leaves" in name]
    for line in range(31 - silent + 1, 32):
        cells = lines[line].split('","')
        ends = '"' if gone[-1] == len(cells) - 1 else ""
        zero = [("0.00" if "." in cell else "0") + (ends if n == gone[-1] else "") for n, cell in enumerate(cells)]
        cells = [zero[n] if n in gone else cell for n, cell in enumerate(cells)]
        lines[line] = '","'.join(cells)
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(("silent", "spans_expected"), [(2, []), (3, [(0, 135)])])
def test_a_vm_whose_numbers_stop_has_left_and_a_lost_cell_has_not(tmp_path, silent, spans_expected):
    path = gone_still(tmp_path, silent)
    analysis = analyze([path])
    assert spans(analysis)["leaves, early"] == spans_expected
    assert "closure-off" not in {note.code for note in analysis.quality}


def test_a_vm_that_left_before_the_judged_part_is_not_there(tmp_path):
    """Its columns stay to the end: it is listed, and on no other host's account was it here at that time."""
    path = gone_still(tmp_path, 10)
    analysis = analyze([path], window=window_of("+2m", None))
    assert {vm["name"]: vm["there"] for vm in document(analysis)["vms"]} == {"stays": True, "leaves, early": False}
    assert notes_of(analysis) == {"stays": "", "leaves, early": "not there"}
    assert [stay.name for stay in digest_of(analysis).vms] == ["stays"]
    assert not {note.code for note in analysis.quality} & {"vm-left", "vm-came"}
