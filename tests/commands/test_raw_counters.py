"""The commands on raw counters of vSphere's service, as a user gives them."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
from drawn import ESXPROBE
from fetchstats_made import COUNTER_INFO, made_host

import esxprobe


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*ESXPROBE, *map(str, words)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of a host whose VM web01 has one vCPU that waits for a processor for half of the time."""
    host = made_host(4)
    texts = []
    for _ in range(14):
        host.live(5_000_000)
        vcpu = host.groups[1].worlds[1]
        vcpu.ready = vcpu.up // 2
        vcpu.run = vcpu.up // 4
        texts.append(host.text())
    path = tmp_path_factory.mktemp("dump") / "host01.txt"
    path.write_text(COUNTER_INFO + "".join(texts))
    return path


def test_a_report_of_raw_counters(dump: Path) -> None:
    """Findings, the page and the JSON; in it which counters were derived, and how sure that is."""
    done = run("report", dump, "--json", dump.with_suffix(".json"), "-o", dump.with_suffix(".html"))
    assert done.returncode == 0, done.stderr
    told = json.loads(dump.with_suffix(".json").read_text())
    ready = [finding for finding in told["findings"] if finding["rule"] == "cpu-ready"]
    assert ready[0]["entity"]["name"] == "web01"
    assert "capture-default-fields" not in {finding["rule"] for finding in told["findings"]}
    notes = {note["code"]: note["detail"] for note in told["quality"]}
    assert "documented: Physical Cpu" in notes["service-derived"]
    assert "(inferred)" in notes["service-inferred"]
    assert "derived from raw counters" in dump.with_suffix(".html").read_text()


def test_inferred_counters_can_be_looked_at(dump: Path) -> None:
    done = run(
        "extract",
        dump,
        "--counter",
        r"Physical Disk SCSI Device\Average Driver MilliSec/Command (inferred)",
        "-o",
        dump.with_name("part.csv"),
    )
    assert done.returncode == 0, done.stderr
    head = next(csv.reader(dump.with_name("part.csv").read_text().splitlines()))
    assert head[1].endswith(r"Physical Disk SCSI Device(naa.501)\Average Driver MilliSec/Command (inferred)")
    frame = esxprobe.scan(dump).collect()
    assert frame.height == 14


def test_what_azure_is_not_is_refused_with_the_way_on(tmp_path: Path) -> None:
    path = tmp_path / "esxtop_esx01_20260410_090000.csv"
    path.write_text('"Timestamp","SampleNumber","RawData"\n"2026-04-10 09:00:00",1,"\n==VCPU==\n|VCPU|1|\n"\n')
    done = run("report", path)
    assert done.returncode == 4
    assert "FetchStats" in done.stderr
    assert "from the provider" in done.stderr
