"""Windows that a report proposes by itself: the planted troubles of the samples; healthy hosts have none."""

from pathlib import Path

import numpy as np
import pytest
from changesim import WATCHED as SIMULATED
from shippedbook import analyze

from esxprobe.analyze.proposed import WATCHED
from esxprobe.model import Analysis

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
