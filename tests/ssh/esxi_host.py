"""What stands in for an ESXi host behind a real sshd, and `esxprobe collect` as a process that can be disturbed."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drawn import ESXPROBE
from ssh_servers import Sshd, tool, until

ROOT = Path(__file__).parents[2]
STAND_IN = ROOT / "tests" / "collect" / "bin" / "esxtop"
PS = STAND_IN.with_name("ps")


@dataclass
class EsxiHost:
    """A host; `written` has what each of its esxtops wrote."""

    sshd: Sshd
    folder: Path
    mark: str

    def settings(self, **variables: str) -> None:
        """How its next esxtop behaves."""
        (self.folder / "settings.json").write_text(json.dumps(variables))

    def hurry(self) -> None:
        """Its next esxtop is fast: a test has time to disturb a slow one and need not wait for what follows."""
        self.settings(SPEED="2000", NOISE="1")

    def written(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "written").iterdir())]

    def forget(self) -> None:
        for path in (self.folder / "written").iterdir():
            path.unlink()

    def processes(self) -> dict[int, str]:
        """Command lines of whatever its sessions started, by process id."""
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self.mark.encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return {pid: line for pid, line in found.items() if line}

    def connections(self) -> list[int]:
        """The sshd processes of connections, without what runs in their sessions."""
        return [pid for pid in self.sshd.children() if "sshd" in _name(pid)]

    def freeze(self) -> list[int]:
        """Stops the connections that are there, so that no byte comes through them; new ones are not affected."""
        pids = self.connections()
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        return pids

    def files(self) -> list[str]:
        """Files of the account, wherever it may write; what the stand-in keeps for the tests is not among them."""
        if os.geteuid() != 0:  # then the account is ours, and so are many files
            return []
        places = [self.sshd.account.home, "/tmp", "/var/tmp", "/dev/shm"]  # noqa: S108
        # Nobody else may enter pytest's folders, which are large.
        command = [tool("find"), *places, "-xdev", "-path", "/tmp/pytest-of-*", "-prune", "-o"]  # noqa: S108
        command += ["-user", self.sshd.account.name, "-type", "f", "-newer", self.folder / "born"]
        command += ["-not", "-path", f"{self.folder.parent}/*/written/*", "-print"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[:-1]

    def is_clean(self) -> None:
        """Nothing of ours is left: no process, no file."""
        until(lambda: not self.processes(), "the host's processes to end")
        assert self.files() == []

    def crash(self) -> None:
        """sshd dies with all its connections; what runs in them finds out by itself."""
        pids = self.connections()
        self.sshd.process.kill()
        self.sshd.process.wait()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def come_back(self) -> None:
        """The same sshd on the same port."""
        config = self.sshd.log.with_suffix(".conf")
        with self.sshd.log.open("wb") as out:
            command = [tool("sshd"), "-D", "-e", "-f", str(config)]
            self.sshd.process = subprocess.Popen(command, stdout=out, stderr=out)
        until(lambda: "Server listening" in self.sshd.log.read_text(), "sshd")


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text()
    return ""


def make_host(start: Callable[..., Sshd], folder: Path, sample: Path, path: str = "", **options: str) -> EsxiHost:
    """Starts an sshd whose sessions find a stand-in esxtop.

    `path` replaces the rest of PATH: what is not on it is missing on this host.
    """
    tools, written = folder / "tools", folder / "written"
    for made in (folder, tools, written):
        made.mkdir(exist_ok=True)
        made.chmod(0o755)
    written.chmod(0o777)
    (folder / "born").touch()
    (folder / "sample.csv").write_bytes(sample.read_bytes())
    install(tools / "esxtop", for_everybody(STAND_IN.read_text(encoding="utf-8")))
    install(tools / "ps", PS.read_text(encoding="utf-8"))
    if not path:
        (tools / "gzip").symlink_to(tool("busybox"))  # as on ESXi; GNU's holds back more
    mark = f"esxprobe-test-{folder.name}-{os.getpid()}"
    variables = {
        "PATH": f"{tools}:{path or '/usr/bin:/bin'}",
        "SAMPLE": str(folder / "sample.csv"),
        "WRITTEN": str(written),
        "SETTINGS": str(folder / "settings.json"),
        "MARK": mark,
    }
    sshd = start(SetEnv=" ".join(f"{name}={value}" for name, value in variables.items()), **options)
    host = EsxiHost(sshd, folder, mark)
    host.settings(SPEED="100")
    return host


def for_everybody(program: str) -> str:
    """A Python program that another account can start: ours may lie in a home that it cannot enter."""
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin:/bin") or sys.executable
    return f"#!{python}\n" + program.partition("\n")[2]


def install(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@dataclass
class Collecting:
    """`esxprobe collect ...` while it runs, and what it left."""

    cwd: Path
    process: subprocess.Popen[bytes]
    out: str = ""
    err: str = ""
    status: int | None = None
    phases: list[str] = field(default_factory=list)  # what it said of where it stood, a line each
    echoes: bool | None = None  # whether its terminal shows what is typed, at the end
    _heard: bytes = field(default=b"", repr=False)

    def wait(self, timeout_s: float = 300.0) -> Collecting:
        out, err = self.process.communicate(timeout=timeout_s)
        self.out = out.decode()
        self.phases, self.err = apart((self._heard + (err or b"")).decode())
        self.status = self.process.returncode
        return self

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def says(self, words: str) -> None:
        """Waits until its standard error has these words."""
        assert self.process.stderr is not None
        while words.encode() not in self._heard:
            piece = os.read(self.process.stderr.fileno(), 4096)
            assert piece, f"it ended without {words!r}: {self._heard!r}"
            self._heard += piece

    @property
    def folders(self) -> list[Path]:
        return sorted((self.cwd / "captures").glob("*"))

    @property
    def folder(self) -> Path:
        (folder,) = self.folders
        return folder

    @property
    def manifest(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "capture.json").read_text(encoding="utf-8")))

    def size(self, number: int = 0) -> int:
        """Bytes of a segment so far."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                return (folder / f"esxtop-{number:03}.csv.gz").stat().st_size
        return 0

    def has(self, size: int, number: int = 0) -> None:
        """Waits until a segment has grown to so many bytes."""

        def grown() -> bool:
            assert self.process.poll() is None, self.wait()
            return self.size(number) >= size

        until(grown, f"{size} bytes of segment {number}")

    def is_described(self) -> None:
        """The manifest has every file with its checksum."""
        files = {entry["name"]: (entry["bytes"], entry["sha256"]) for entry in self.manifest["files"]}
        there = {
            path.relative_to(self.folder).as_posix(): (
                path.stat().st_size,
                hashlib.sha256(path.read_bytes()).hexdigest(),
            )
            for path in self.folder.rglob("*")
            if path.is_file() and path.name != "capture.json"
        }
        assert files == there


PHASE = re.compile(r"\S+: (?:connecting|capturing|waiting|facts|closing)(?:: .*)?\n")


def apart(said: str) -> tuple[list[str], str]:
    """The lines on standard error about where a capture stands, and all others."""
    lines = said.splitlines(keepends=True)
    phases = [line for line in lines if PHASE.fullmatch(line)]
    return [line.rstrip("\n") for line in phases], "".join(line for line in lines if not PHASE.fullmatch(line))


def collecting(
    cwd: Path, *words: str, tuned: str = "", command: str = "collect", cold: bool = False, **more: Any
) -> Collecting:
    """Starts the command.

    `tuned` is Python that runs before it does: shorter waits. `cold` has it start with an interpreter of its own.
    """
    start = [*ESXPROBE]
    if tuned:
        start = [sys.executable, "-c", f"{tuned}\nfrom esxprobe.commands.app import main\nmain()"]
    elif cold or more.get("start_new_session"):  # what comes from the server would not have this terminal
        start = [sys.executable, "-m", "esxprobe"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [*start, command, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
        stdin=more.pop("stdin", subprocess.DEVNULL),
        stdout=subprocess.PIPE,
        stderr=more.pop("stderr", subprocess.PIPE),
        **more,
    )
    _STARTED.append(process)
    return Collecting(cwd, process)


_STARTED: list[subprocess.Popen[bytes]] = []


def end_what_goes_on() -> None:
    """Ends the commands of a test that failed before they came to their end: the next test would meet them."""
    while _STARTED:
        process = _STARTED.pop()
        if process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.communicate()


def packed(path: Path) -> bytes:
    """What a whole gzip stream holds."""
    return gzip.decompress(path.read_bytes())


def as_far_as_it_goes(path: Path) -> bytes:
    """What a gzip stream that was cut off holds."""
    return zlib.decompressobj(wbits=31).decompress(path.read_bytes())


def whole_samples(text: bytes) -> bytes:
    return text[: text.rfind(b"\n") + 1]
