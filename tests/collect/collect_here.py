"""Collects from a host of this machine, for several test modules."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localshell import Naps

import esxprobe
from esxprobe.capture import MANIFEST
from esxprobe.collect.segment import Progress
from esxprobe.collect.session import collect_host
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.collect.task import HostOutcome, HostTask


def collect(
    task: HostTask,
    out: Path,
    *,
    stop: threading.Event | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> HostOutcome:
    return collect_host(
        task,
        out,
        tool_version=esxprobe.__version__,
        stop=stop or threading.Event(),
        progress=progress,
        clockwork=Clockwork(sleep=Naps()),
    )


def manifest_of(folder: Path) -> dict[str, Any]:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert isinstance(manifest, dict)
    return manifest
