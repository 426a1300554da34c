"""A real Dask cluster on loopback: a scheduler and workers as processes of their own."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from esxprobe.model.fleet import Judged

Equal = Callable[[dict[int, Judged], dict[int, Judged]], None]

ROOT = Path(__file__).parents[2]


class Cluster:
    """Starts and ends a scheduler and its workers; their logs lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(self._file))
        self.address = str(self._told()["address"])

    def _start(self, what: str, *words: str, code: Path = ROOT, **more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", "--no-dashboard"]
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONWARNINGS"}
        with (self.folder / f"{what}-{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *words],
                cwd=self.folder,
                env=environment | {"PYTHONPATH": str(code)} | more,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def _told(self) -> dict[str, object]:
        for _ in range(1200):
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):  # it may be half written
                return dict(json.loads(self._file.read_text()))
            assert self.scheduler.poll() is None, (self.folder / "scheduler-0.log").read_text()
            time.sleep(0.1)
        raise AssertionError("the scheduler does not start")

    def worker(self, code: Path = ROOT, name: str = "", **more: str) -> subprocess.Popen[bytes]:
        """Another worker with one thread; `code` is the folder that its esxprobe comes from."""
        words = ["--no-nanny", "--nthreads", "1", *(("--name", name) if name else ())]
        if code == ROOT:
            words += ["--preload", str(Path(__file__).with_name("drawn_before.py"))]
            more = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests")))} | more
        return self._start("worker", self.address, *words, code=code, **more)

    def close(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()
