"""Every kind of file that somebody else may have made is opened by the one door: a pipe hangs nobody."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from drawn import ESXPROBE

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")

DEMO = str(Path(__file__).parents[1] / "samples" / "demo")


@pytest.mark.parametrize(
    "words",
    [
        ("rules", "list", "--rules", "pipe"),
        ("report", DEMO, "--rules", "pipe", "-o", "r.html"),
        ("collect", "--inventory", "pipe", "--dry-run"),
        ("report", "pipe", "-o", "r.html"),
        ("report", DEMO, "--guest-log", "web01=pipe", "-o", "r.html"),
        ("report", DEMO, "--vmware-log", "web01=pipe", "-o", "r.html"),
        ("report", DEMO, "--redact", "--redact-map", "pipe", "-o", "r.html"),
        ("counters", "pipe"),
    ],
    ids=lambda words: " ".join(word for word in words if word != DEMO),
)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, words: tuple[str, ...]) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = subprocess.run(
        [*ESXPROBE, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in {2, 4}, done.stderr
    assert "pipe" in done.stderr
    assert "bug" not in done.stderr
