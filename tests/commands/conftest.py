"""Runs esxprobe in processes of its own; see `shell`."""

import subprocess
from pathlib import Path

import pytest
from drawn import ESXPROBE
from hostsim import VmPlan, write_capture
from shell import Run, environment, plan


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs esxprobe in an empty folder."""

    def ran(*words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [*ESXPROBE, *map(str, words)]
        return subprocess.run(
            command, cwd=tmp_path, env=environment(**more), capture_output=True, text=True, check=False, timeout=900
        )

    return ran


@pytest.fixture(scope="session")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture with one critical finding (cpu-ready) and nothing else."""
    path = tmp_path_factory.mktemp("captures") / "sick.csv.gz"
    write_capture(path, plan(VmPlan("busy", 1_200_100, 1, 1024, ready_pct=30)))
    return path


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture without findings."""
    path = tmp_path_factory.mktemp("captures") / "healthy.csv"
    write_capture(path, plan())
    return path
