"""Windows that a report proposes by itself: the planted troubles of the samples; healthy hosts have none."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from changesim import WATCHED as SIMULATED
from drawn import ESXPROBE
from shippedbook import analyze

from esxprobe.analyze.proposed import WATCHED
from esxprobe.model import Analysis
from esxprobe.report.changes import explained_words, window_lines

SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(scope="module")
def software() -> Analysis:
    return analyze(sorted((SAMPLES / "software-mmu").glob("*.csv.gz")))


def test_planted_troubles_are_proposed_with_what_changed_and_what_explains_it(software: Analysis) -> None:
    first, second = software.windows
    assert [f"{each.span.start:%H:%M:%S}" for each in software.windows] == ["09:33:55", "09:39:55"]
    names = {each.entity.name for each in first.changed}
    assert names == {"sql-legacy", "mail"}
    assert {each.counter for thing in second.changed for each in thing.changes} == {
        r"Virtual Disk\Average MilliSec/Read",
        r"Virtual Disk\Average MilliSec/Write",
        r"Physical Disk SCSI Device\Average Driver MilliSec/Command",
    }
    assert {each.rule for each in first.findings} >= {"cpu-ready", "cpu-costop", "vm-swapping"}
    known = {each.id for each in software.findings}
    assert {each.id for window in software.windows for each in window.findings} <= known
    for thing in (thing for window in software.windows for thing in window.changed):
        strengths = [abs(each.statistic) for each in thing.changes]
        assert strengths == sorted(strengths, reverse=True)
        assert all(each.within > each.before and np.isfinite(each.statistic) for each in thing.changes)


def test_the_simulation_watches_what_reports_do() -> None:
    assert set(SIMULATED) == WATCHED


def test_the_first_window_is_judged_alone(tmp_path: Path, software: Analysis) -> None:
    command = [*ESXPROBE, "report", str(SAMPLES / "software-mmu"), "-o", str(tmp_path / "a.html"), "--from", "auto"]
    said = subprocess.run([*command, "--json", "-"], capture_output=True, text=True, check=True).stdout
    part = json.loads(said)["capture"]["part"]
    span = software.windows[0].span
    assert part["samples"] == 60, "five minutes"
    assert part["span"]["end"] == f"{span.end:%Y-%m-%dT%H:%M:%SZ}"
    for words, message in (
        ([str(SAMPLES / "hardware-mmu"), "--from", "auto"], "no window of time stands out"),
        ([str(SAMPLES / "software-mmu"), "--from", "auto", "--to", "+9m"], "has an end of its own"),
    ):
        refused = subprocess.run([*ESXPROBE, "report", *words], capture_output=True, text=True, check=False)
        assert refused.returncode == 2
        assert message in refused.stderr


def test_windows_in_words(software: Analysis) -> None:
    first, second = window_lines(software)
    assert first.startswith("stands out: 09:33:55–09:38:55 (5 min) UTC: sql-legacy: %")
    assert first.endswith(" and 1 more")
    assert "LAT/rd 1.49 ms to 51.6 ms" in second
    assert explained_words(software.windows[0]).startswith("findings on them at that time: ")
    alone = replace(software.windows[0], findings=())
    assert explained_words(alone) == "no finding on them at that time"
