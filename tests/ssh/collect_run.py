"""Runs the command, for several test modules."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from drawn import ESXPROBE
from esxi_host import apart


def run(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [*ESXPROBE, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    done.stderr = apart(done.stderr)[1]
    return done
