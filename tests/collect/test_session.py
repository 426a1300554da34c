"""A host with its guests, from the first login to a capture folder that can be analyzed."""

import hashlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from collect_here import collect, manifest_of
from host_said import answers
from localshell import BIN, LocalShell, Naps, asked, gone
from shippedbook import analyze

import esxprobe
from esxprobe.capture import MANIFEST, load_capture, newest_capture
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.dryrun import dry_run
from esxprobe.collect.guests import Guest
from esxprobe.collect.session import collect_hosts
from esxprobe.collect.stream_to_file import Clockwork
from esxprobe.collect.task import HostTask
from esxprobe.errors import ConnectError, LoginError, OutputError

pytestmark = pytest.mark.slow

Environment = dict[str, str]


def test_a_host_and_a_guest_become_a_capture_that_can_be_analyzed(environment: Environment, tmp_path: Path) -> None:
    environment["EPOCH"] = str(time.time())
    guest = Guest("web 01", lambda: LocalShell(environment), interval_s=1)
    task = HostTask("host01", CapturePlan(2, 16, 20), lambda: LocalShell(environment, answer=answers), (guest,))
    done = collect(task, tmp_path)
    assert (done.outcome, done.error, done.stopped) == ("whole", None, False)
    assert done.samples == 16 + 1, "the second segment has a first sample of its own"
    assert [g.outcome for g in done.guests] == ["whole"]
    folder = done.folder
    assert folder == newest_capture(tmp_path)
    assert folder.name.startswith("host01-20")

    manifest = manifest_of(folder)
    assert manifest["schema"] == "esxprobe.capture/1"
    assert (manifest["state"], manifest["host"], manifest["tool_version"]) == (
        "whole",
        "host01",
        esxprobe.__version__,
    )
    assert (manifest["interval_s"], manifest["samples"], manifest["samples_received"]) == (2.0, 17, 17)
    assert manifest["interval_achieved_s"] == 2.0
    assert [s["outcome"] for s in manifest["segments"]] == ["whole", "whole"]
    assert [gap["reason"] for gap in manifest["gaps"]] == ["planned"]
    assert manifest["clock"]["start"]["round_trip_s"] >= 0
    assert manifest["clock"]["end"] is not None
    assert manifest["build"] == "VMware ESXi 8.0.3 build-24022510"
    assert manifest["vms"][0]["monitor"]["mmu"] == "hardware"
    assert manifest["left_behind"] == {"processes": [], "checked": True, "reason": "", "files": [], "others": []}
    assert [each["host"] for each in manifest["connections"]] == ["local"]
    assert manifest["guests"][0]["vm"] == "web 01"
    assert manifest["guests"][0]["clock"]["end"] is not None
    assert any("esxtop -b -a -d 2 -n 11 " in command for command in manifest["commands"])
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {MANIFEST}
    assert {f["name"] for f in manifest["files"]} == there
    for file in manifest["files"]:
        content = (folder / file["name"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())

    capture = load_capture(folder)
    analysis = analyze(capture.paths, manifest=capture.manifest)
    assert [vm.name for vm in analysis.vms] == ["web01"]
    assert analysis.capture.samples == 17
    assert "checksum-differs" not in {note.code for note in analysis.quality}


def test_a_stop_leaves_a_capture_that_can_be_analyzed(environment: Environment, tmp_path: Path) -> None:
    stop = threading.Event()
    environment["SPEED"] = "1000"
    guest = Guest("web01", lambda: LocalShell(environment), interval_s=1)
    task = HostTask("host01", CapturePlan(2, 500_000), lambda: LocalShell(environment), (guest,))
    done = collect(task, tmp_path, stop=stop, progress=lambda p: stop.set() if p.samples > 12 else None)
    assert (done.outcome, done.stopped, done.error) == ("partial", True, None)
    assert gone(environment["MARK"])
    assert manifest_of(done.folder)["segments"][0]["reason"].startswith("stopped on request")
    assert manifest_of(done.folder)["left_behind"]["processes"] == []
    capture = load_capture(done.folder)
    analysis = analyze(capture.paths, manifest=capture.manifest)
    assert done.samples > 12
    assert analysis.capture.samples in {done.samples, done.samples + 1}, "the row that was cut off may be repaired"
    assert "checksum-differs" not in {note.code for note in analysis.quality}


def test_a_drop_leaves_a_capture_of_two_parts_that_can_be_analyzed(
    environment: Environment, tmp_path: Path
) -> None:
    environment.update(SPEED="300", EPOCH=str(time.time()))
    lost = iter([1, 30_000])

    def connect() -> LocalShell:
        return LocalShell(environment, lose_after=next(lost, None))

    done = collect(HostTask("host01", CapturePlan(2, 50, packed=True), connect), tmp_path)
    assert done.outcome == "whole"
    manifest = manifest_of(done.folder)
    assert [s["outcome"] for s in manifest["segments"]] == ["partial", "partial", "whole"]
    assert manifest["segments"][0]["file"].endswith(".cut"), "no sample in it: it must not be in the way"
    assert len(manifest["gaps"]) == 2
    assert len(manifest["connections"]) == 3
    capture = load_capture(done.folder)
    assert len(capture.paths) == 2
    assert analyze(capture.paths, manifest=capture.manifest).capture.samples >= 45


def test_a_host_that_lets_nobody_in_leaves_no_folder(tmp_path: Path) -> None:
    def connect() -> LocalShell:
        raise LoginError("host01 does not let us in")

    done = collect(HostTask("host01", CapturePlan(2, 5), connect), tmp_path)
    assert (done.outcome, done.folder) == ("failed", None)
    assert isinstance(done.error, LoginError)
    assert not list(tmp_path.iterdir())


def test_a_login_that_is_refused_later_is_tried_once_and_no_more(environment: Environment, tmp_path: Path) -> None:
    """Five failures lock an account of ESXi."""
    asked: list[int] = []

    def connect() -> LocalShell:
        asked.append(1)
        if len(asked) > 1:
            raise LoginError("host01 does not let us in")
        return LocalShell(environment, lose_after=0)

    done = collect(HostTask("host01", CapturePlan(2, 5), connect), tmp_path)
    assert len(asked) == 2
    assert isinstance(done.error, LoginError)
    assert any("abandoned" in note for note in done.notes)
    assert manifest_of(done.folder)["clock"]["end"] is None


def test_a_host_without_esxtop_fails_and_says_why(environment: Environment, tmp_path: Path) -> None:
    environment["PATH"] = "/usr/bin:/bin"
    done = collect(HostTask("host01", CapturePlan(2, 5), lambda: LocalShell(environment)), tmp_path)
    assert done.outcome == "failed"
    assert "esxtop: not found" in done.error.message
    manifest = manifest_of(done.folder)
    assert (manifest["state"], manifest["error"]["message"]) == ("failed", done.error.message)
    assert any(note.startswith("version: ") for note in done.notes)


def test_a_place_that_cannot_be_written_is_an_outcome(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = collect(HostTask("host01", CapturePlan(2, 5), lambda: LocalShell(environment)), tmp_path / "file")
    assert isinstance(done.error, OutputError)
    assert done.outcome == "failed"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with hardly more room than the reserve."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=960k", "tmpfs", place], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_full_at_the_start_leaves_nothing_and_says_so(
    environment: Environment, small_disk: Path
) -> None:
    (small_disk / "filler").write_bytes(bytes(800_000))
    done = collect(HostTask("host01", CapturePlan(2, 5), lambda: LocalShell(environment)), small_disk / "captures")
    assert isinstance(done.error, OutputError)
    assert "the disk is full" in done.error.message
    assert done.error.hint.startswith("nothing was captured")
    assert list((small_disk / "captures").iterdir()) == []


@pytest.mark.parametrize("packed", [True, False])
def test_a_full_disk_keeps_what_is_there_and_has_a_manifest(
    environment: Environment, tmp_path: Path, small_disk: Path, packed: bool
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gzip").write_text(
        "#!/usr/bin/env python3\n"
        "import os, sys, zlib\n"
        "pack = zlib.compressobj(0, wbits=31)\n"
        "while piece := os.read(0, 4096):\n"
        "    os.write(1, pack.compress(piece) + pack.flush(zlib.Z_SYNC_FLUSH))\n"
    )
    (tools / "gzip").chmod(0o755)
    environment.update(PATH=f"{tools}:{BIN}:{os.environ['PATH']}", SPEED="1000", NOISE="1")
    done = collect(
        HostTask("host01", CapturePlan(2, 500_000, packed=packed), lambda: LocalShell(environment)), small_disk
    )
    assert done.outcome == "partial"
    assert isinstance(done.error, OutputError)
    assert "the disk is full" in done.error.message
    assert done.samples > 5
    manifest = manifest_of(done.folder)
    assert manifest["state"] == "partial"
    assert manifest["segments"][0]["samples"] == done.samples
    assert {p.name for p in done.folder.iterdir()} == {MANIFEST, "esxtop-000.csv.gz", "probes"}
    capture = load_capture(done.folder)
    assert analyze(capture.paths, manifest=capture.manifest).capture.samples >= done.samples


def test_without_a_second_login_the_host_is_asked_after_the_capture(
    environment: Environment, tmp_path: Path
) -> None:
    """As where that would need another one-time code."""
    shells: list[LocalShell] = []

    def connect() -> LocalShell:
        shells.append(LocalShell(environment, answer=answers))
        return shells[-1]

    def refused() -> LocalShell:
        raise LoginError("a second login on host01 would need another one-time code")

    done = collect(HostTask("host01", CapturePlan(2, 5), connect, beside=refused), tmp_path)
    assert done.outcome == "whole"
    assert manifest_of(done.folder)["facts"]["version"]["build"].startswith("VMware ESXi 8.0.3")
    (shell,) = shells
    (esxtop,) = [number for number, command in enumerate(shell.commands) if "esxtop -b -a" in command]
    assert next(number for number, command in enumerate(shell.commands) if "vmware -vl" in command) > esxtop


def test_a_guest_that_fails_is_not_the_end_of_the_host(environment: Environment, tmp_path: Path) -> None:
    def refused() -> LocalShell:
        raise ConnectError("no route to web01")

    task = HostTask("host01", CapturePlan(2, 3), lambda: LocalShell(environment), (Guest("web01", refused),))
    done = collect(task, tmp_path)
    assert done.outcome == "whole"
    assert [(g.outcome, g.reason) for g in done.guests] == [("failed", "no route to web01")]


def test_two_hosts_of_which_one_fails(environment: Environment, tmp_path: Path) -> None:
    def refused() -> LocalShell:
        raise ConnectError("no route to host02")

    plan = CapturePlan(2, 3)
    tasks = [
        HostTask("host01", plan, lambda: LocalShell(environment)),
        HostTask("host02", plan, refused),
        HostTask("host01", plan, lambda: LocalShell(environment)),
    ]
    done = collect_hosts(
        tasks, tmp_path, tool_version="1", stop=threading.Event(), clockwork=Clockwork(sleep=Naps())
    )
    assert [(d.host, d.outcome) for d in done] == [("host01", "whole"), ("host02", "failed"), ("host01", "whole")]
    assert done[0].folder != done[2].folder


@pytest.mark.parametrize("host", ["../../evil", "root@[fe80::1%eth0]:22", "a b$(touch PWNED)", "\udcff"])
def test_the_name_of_a_host_is_never_a_way_out(environment: Environment, tmp_path: Path, host: str) -> None:
    out = tmp_path / "captures"
    done = collect(HostTask(host, CapturePlan(2, 2), lambda: LocalShell(environment)), out)
    assert done.folder.resolve().parent == out
    assert load_capture(done.folder).manifest.host == host


def test_a_dry_run_says_what_would_be_run_and_writes_nothing(environment: Environment, tmp_path: Path) -> None:
    shell = LocalShell(environment)
    guest = Guest("web01", lambda: LocalShell(environment))
    told = dry_run(HostTask("host01", CapturePlan(5, 121, 300), lambda: shell, (guest,)))
    captures = [c for c in told.commands if "esxtop -b -a -d 5 -n 61 " in c]
    assert len(captures) == 2
    assert captures[0] == captures[1]
    assert {"vmware -vl", "esxcli vm process list"} <= {asked(command) for command in told.commands}
    assert any("vmware*.log" in command for command in told.commands), "what is asked about VMs"
    assert told.guest_commands[0][0] == "web01"
    assert told.forecast.duration_s == 600
    assert shell.commands == ["TERM=xterm esxtop -b -a -d 5 -n 1 | gzip -c"]
    assert shell.closed
    assert {path.name for path in tmp_path.iterdir()} == {"written"}


@pytest.mark.parametrize("vms", [(), ("web01",)])
def test_the_planned_commands_are_those_that_run(
    environment: Environment, tmp_path: Path, vms: tuple[str, ...]
) -> None:
    """All of them, but for the names of files, which are others each time."""
    (tmp_path / "entities").write_text("SchedGroup\n1 system\n2 web01\nAdapter\n")
    environment["ENTITIES"] = str(tmp_path / "entities")
    shells: list[LocalShell] = []

    def connect() -> LocalShell:
        shells.append(LocalShell(environment, answer=answers))
        return shells[-1]

    task = HostTask("host01", CapturePlan(2, 5, 4, vms), connect, beside=connect)
    told = dry_run(task)
    shells.clear()
    done = collect(task, tmp_path / "out")
    assert done.outcome == "whole"

    def nameless(commands: Iterable[str]) -> set[str]:
        return {re.sub(r"(/tmp/esxprobe-[0-9a-f]+ ?)+", "FILE", command) for command in commands}

    capture, beside = shells
    assert nameless([*capture.commands, *beside.commands]) == nameless(told.commands)
    assert all("esxtop" not in command.replace("command -v esxtop", "") for command in beside.commands)
    assert told.commands.index(beside.commands[0]) > 0


@pytest.fixture(autouse=True)
def _pwned(tmp_path: Path) -> Iterator[None]:
    yield
    assert not list(tmp_path.rglob("PWNED*"))
    assert not Path("PWNED").exists()
