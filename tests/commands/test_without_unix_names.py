"""What Windows lacks is taken away: every command but the demo's servers does its work all the same.

This is no Windows. Names are what can be tried here: file systems, processes and terminals stay those of this
machine, and so do the names that Python's own library needs here to start and end processes.
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from shell import ROOT, environment

pytestmark = pytest.mark.slow

BARE = """
import os, signal, socket, subprocess, sys, tempfile, multiprocessing.connection, platformdirs
platformdirs.user_cache_path("esxprobe")
for module, names in {
    os: "O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_DIRECTORY O_NOCTTY fchmod fchown chown sysconf sysconf_names "
        "getuid geteuid getgid fork forkpty mkfifo mknod statvfs setsid sched_getaffinity sched_setaffinity "
        "pidfd_open readv writev getpgid setpgid killpg nice openpty getloadavg",
    signal: "SIGHUP SIGQUIT SIGUSR1 SIGUSR2 SIGPIPE SIGALRM SIGCHLD alarm setitimer pthread_sigmask",
    socket: "AF_UNIX",
}.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
for name in ("fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "readline", "syslog"):
    sys.modules[name] = None


def pair():  # Windows has none either: there Python makes one of TCP
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        return one, listener.accept()[0]


socket.socketpair = pair
from esxprobe.commands.app import main
main()
"""


def ran(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BARE, *map(str, words)]
    return subprocess.run(
        command, cwd=folder, env=environment(USERNAME="tester"), capture_output=True, text=True, check=False
    )


SAMPLE = ROOT / "samples" / "software-mmu"


@pytest.mark.parametrize(
    "words",
    [
        ("report", SAMPLE, "-o", "r.html", "--json", "r.json"),
        ("fleet", SAMPLE, ROOT / "samples" / "demo" / "esxtop-000.csv.gz", "-o", "all", "--jobs", "2"),
        ("redact", SAMPLE, "-o", "copy", "--map", "m.json"),
        ("extract", SAMPLE, "--counter", "% Ready", "-o", "x.parquet"),
        ("counters", SAMPLE),
        ("rules", "list"),
        ("--help",),
        ("collect", "--help"),
    ],
    ids=lambda words: "-".join(str(word).lstrip("-") for word in words[:1]) + str(len(words)),
)
def test_a_command_needs_no_name_that_windows_lacks(words: tuple[str | Path, ...], tmp_path: Path) -> None:
    done = ran(tmp_path, *words)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("command", ["check", "collect"])
def test_hosts_are_asked_without_them_too(command: str, tmp_path: Path) -> None:
    """As far as the refusal of a port where nobody listens: names, agent and known_hosts come before it."""
    done = ran(tmp_path, command, "root@127.0.0.1:9")
    assert "this is a bug" not in done.stderr, done.stderr
    assert "127.0.0.1" in done.stderr + done.stdout


def test_a_map_is_continued_and_names_of_ours_are_legal_there(tmp_path: Path, healthy: Path) -> None:
    redacted = ("--redact", "--redact-map", "m.json")
    done = ran(tmp_path, "report", healthy, *redacted, "-o", "one.html")
    assert done.returncode == 0, done.stderr[-2000:]
    before = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["names"]
    done = ran(tmp_path, "report", SAMPLE, *redacted, "--bundle", "b.zip", "--with-capture", "-o", "two.html")
    assert done.returncode == 0, done.stderr[-2000:]
    after = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["names"]
    assert before["vm"].items() < after["vm"].items()
    names = [path.name for path in tmp_path.rglob("*")]
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names += [part for name in archive.namelist() for part in name.split("/")]
    for name in names:
        assert not set(name) & set('<>:"/\\|?*'), f"{name!r} cannot be a file's name on Windows"
        assert name == name.rstrip(". "), f"{name!r} ends as no name may on Windows"
