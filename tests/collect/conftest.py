"""Fixtures of the collector's tests: a small made-up capture for the stand-in esxtop."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostsim import write_capture
from localplan import PLAN
from localshell import OPENED, gone


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "sample.csv"
    write_capture(path, PLAN)
    return path


@pytest.fixture
def environment(sample: Path, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of a host; nothing that was started with it may be left at the end of a test."""
    written = tmp_path / "written"
    written.mkdir()
    mark = f"esxprobe-test-{uuid.uuid4()}"
    yield {"SAMPLE": str(sample), "SPEED": "40", "WRITTEN": str(written), "MARK": mark}
    for shell in OPENED:
        shell.close()
    OPENED.clear()
    assert gone(mark), "a process stays behind"
