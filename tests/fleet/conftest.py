"""Captures of a few hosts, and what they say when they are judged one by one."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hostsim import VmPlan, write_capture

from esxprobe.commands.series_of_report import USUAL, budget_of
from esxprobe.fleet.pool import judged_here
from esxprobe.fleet.work import Task
from esxprobe.model.fleet import Judged
from esxprobe.rules import shipped

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "commands"), str(ROOT / "tests" / "fleet")]

from clusters import Equal  # noqa: E402
from shell import plan  # noqa: E402 - it lies beside the commands' tests


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of six captures: five hosts, one of them as a capture folder, and one file that is none."""
    folder = tmp_path_factory.mktemp("fleet") / "captures"
    folder.mkdir()
    for number in range(4):
        busy = VmPlan(f"vm{number}", 1_200_100, 1, 1024, ready_pct=30 if number == 1 else 0.4)
        host = replace(plan(busy, samples=24, host=f"esx0{number}.example.com"), devices=("naa.600a01",))
        write_capture(folder / f"esx0{number}.csv{('', '.gz', '.zst', '')[number]}", host)
    (folder / "esx04-20260326T213000Z").mkdir()
    write_capture(folder / "esx04-20260326T213000Z" / "esxtop-000.csv.gz", plan(host="esx04.example.com"))
    (folder / "broken.csv").write_bytes(b"<!doctype html><html><body>404 Not Found</body></html>")
    (folder / "notes.txt").write_text("not a capture, and not called like one\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tasks(captures: Path) -> list[Task]:
    """The captures to judge, the broken one among them."""
    paths = [path for path in sorted(captures.iterdir()) if path.name != "notes.txt"]
    embed = budget_of(USUAL)
    return [Task(str(path), f"esxprobe report {path.name}", shipped(), embed=embed) for path in paths]


@pytest.fixture(scope="session")
def serial(tasks: list[Task]) -> dict[int, Judged]:
    """What this process makes of them, one after the other."""
    return dict(judged_here(tasks))


@pytest.fixture(scope="session")
def equal() -> Equal:
    """Two runs say the same of every capture, to the byte."""

    def compared(some: dict[int, Judged], others: dict[int, Judged]) -> None:
        assert some.keys() == others.keys()
        for number, judged in some.items():
            assert judged.failure == others[number].failure, number
            assert judged.digest == others[number].digest, number
            assert judged.html == others[number].html, f"the HTML of capture {number} differs"

    return compared
