"""One host's capture, against a stand-in esxtop under BusyBox ash."""

import errno
import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from localshell import BIN, LocalShell, Naps, gone, processes_with

import esxprobe.collect.stream_to_file as pump_module
from esxprobe.collect import cleanup_check, room
from esxprobe.collect.cleanup_check import check_left_behind, others_esxtop
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.forecast import forecast
from esxprobe.collect.gzip_progress import GzipPeek
from esxprobe.collect.host import HostCapture, capture_host
from esxprobe.collect.manifest_record import Record
from esxprobe.collect.retry import BACKOFF_S
from esxprobe.collect.segment import Progress
from esxprobe.collect.stream_to_file import Clockwork, Link
from esxprobe.errors import ConnectError, HostError, LoginError, OutputError

Environment = dict[str, str]


def capture(
    folder: Path,
    plan: CapturePlan,
    connect: Callable[[], LocalShell],
    *,
    stop: threading.Event | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    naps: Naps | None = None,
) -> HostCapture:
    """Captures with gzip on the host, where a test does not say otherwise."""
    clockwork = Clockwork(sleep=naps or Naps())
    link = Link(connect)
    plan = replace(plan, packed=True) if plan.packed is None else plan
    try:
        return capture_host(
            "local", plan, folder, link, stop=stop or threading.Event(), progress=progress, clockwork=clockwork
        )
    finally:
        link.drop()


def stored(path: Path) -> bytes:
    """What a file holds, as far as it goes."""
    return zlib.decompressobj(wbits=31).decompress(path.read_bytes())


def written(environment: Environment) -> list[bytes]:
    return [path.read_bytes() for path in sorted(Path(environment["WRITTEN"]).iterdir())]


def test_a_whole_capture_is_what_esxtop_wrote(environment: Environment, tmp_path: Path) -> None:
    seen: list[Progress] = []
    shell = LocalShell(environment)
    done = capture(tmp_path, CapturePlan(2, 6), lambda: shell, progress=seen.append)
    assert done.whole
    assert done.error is None
    (segment,) = done.segments
    assert (segment.outcome, segment.samples, segment.asked, segment.reason) == ("whole", 6, 6, "")
    assert segment.interval_s == 2.0
    assert gzip.decompress((tmp_path / segment.file).read_bytes()) == written(environment)[0]
    assert segment.bytes == (tmp_path / segment.file).stat().st_size
    assert segment.started < segment.ended
    assert (seen[-1].host, seen[-1].samples, seen[-1].asked, seen[-1].bytes) == ("local", 6, 6, segment.bytes)
    assert seen[0].age_s >= 0
    assert "TERM=xterm esxtop -b -a -d 2 -n 6 " in segment.command


def test_a_stop_keeps_what_came_and_ends_esxtop(environment: Environment, tmp_path: Path) -> None:
    stop = threading.Event()
    environment["SPEED"] = "1000"

    def on_progress(progress: Progress) -> None:
        if progress.samples > 3:
            stop.set()

    shell = LocalShell(environment)
    done = capture(tmp_path, CapturePlan(2, 500_000), lambda: shell, stop=stop, progress=on_progress)
    assert (done.stopped, done.whole, done.error) == (True, False, None)
    (segment,) = done.segments
    assert segment.outcome == "partial"
    assert "stopped on request" in segment.reason
    assert segment.samples > 3
    assert gone(environment["MARK"]), processes_with(environment["MARK"])
    assert segment.file == "esxtop-000.csv.gz"
    # esxtop alone was ended: gzip wrote its trailer, and nothing that it held back is lost
    kept, wrote = gzip.decompress((tmp_path / segment.file).read_bytes()), written(environment)[0]
    assert wrote.startswith(kept)
    assert kept.count(b"\n") >= wrote.count(b"\n") - 1


def test_an_esxtop_that_does_not_want_to_end_is_killed(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump_module, "_GRACE_S", 0.5)
    environment.update(SPEED="1000", DEAF="1")
    stop = threading.Event()
    shell = LocalShell(environment)
    done = capture(
        tmp_path,
        CapturePlan(2, 500_000),
        lambda: shell,
        stop=stop,
        progress=lambda p: stop.set() if p.samples > 3 else None,
    )
    assert (done.stopped, done.error, done.segments[0].outcome) == (True, None, "partial")
    assert gone(environment["MARK"]), processes_with(environment["MARK"])
    assert written(environment)[0].startswith(stored(tmp_path / done.segments[0].file))


def test_a_lost_connection_ends_an_esxtop_that_gzip_would_keep_alive(
    environment: Environment, tmp_path: Path
) -> None:
    """Its few samples fit into what gzip holds back: no broken pipe would tell it for minutes."""
    environment["SPEED"] = "1"
    shells = [LocalShell(environment, lose_after=0)]

    def connect() -> LocalShell:
        if shells:
            return shells.pop()
        raise LoginError("local does not let us in")

    capture(tmp_path, CapturePlan(2, 500), connect)
    assert gone(environment["MARK"]), processes_with(environment["MARK"])


def test_a_stop_before_the_start_captures_nothing(environment: Environment, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    done = capture(tmp_path, CapturePlan(2, 5), lambda: LocalShell(environment), stop=stop)
    assert done.segments == ()
    assert done.stopped


def test_a_plain_capture_is_packed_here_and_loses_nothing(environment: Environment, tmp_path: Path) -> None:
    environment["SPEED"] = "1000"
    plan = CapturePlan(2, 60, packed=False)
    done = capture(tmp_path, plan, lambda: LocalShell(environment, path=without_gzip(tmp_path)))
    (segment,) = done.segments
    assert (segment.outcome, segment.samples, segment.packed) == ("whole", 60, "here")
    assert "gzip" not in segment.command
    assert gzip.decompress((tmp_path / segment.file).read_bytes()) == written(environment)[0]


def without_gzip(tmp_path: Path) -> str:
    """Tools of a host that lacks it."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("python3", "env", "busybox"):
        (tools / name).symlink_to(sys.executable if name == "python3" else shutil.which(name) or name)
    return f"{BIN}:{tools}"


def test_a_plain_stream_that_is_lost_has_all_that_came(environment: Environment, tmp_path: Path) -> None:
    environment["SPEED"] = "1000"
    lost = iter([200_000])
    shells: list[LocalShell] = []

    def connect() -> LocalShell:
        shells.append(LocalShell(environment, lose_after=next(lost, None)))
        return shells[-1]

    done = capture(tmp_path, CapturePlan(2, 60, packed=False), connect)
    first, second = done.segments
    kept = gzip.decompress((tmp_path / first.file).read_bytes())
    assert len(kept) >= 200_000, "whole up to the last byte that came, trailer included"
    assert written(environment)[0].startswith(kept)
    assert first.samples == kept.count(b"\n") - 1
    assert done.whole
    assert second.asked == 60 - first.samples + 1


@pytest.mark.parametrize("said", ["Welcome!\n", "\x1f\x8b", "\0\n"])
def test_a_plain_stream_that_is_no_csv_is_told(environment: Environment, tmp_path: Path, said: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "esxtop").write_bytes(b"#!/bin/sh\ncat " + str(tmp_path / "said").encode() + b"\n")
    (tmp_path / "said").write_bytes(said.encode("latin-1") * 3)
    (tools / "esxtop").chmod(0o755)
    shell = LocalShell(environment, path=f"{tools}:{os.environ['PATH']}")
    done = capture(tmp_path, CapturePlan(2, 5, packed=False), lambda: shell)
    assert done.samples == 0
    assert done.error is not None


def test_a_wide_host_is_packed_there_and_nothing_is_missing(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wide depends on the interval; here it is less than this host has."""
    monkeypatch.setattr("esxprobe.collect.command.PLAIN_BYTES_S", 100)
    environment["SPEED"] = "1000"
    shell = LocalShell(environment)
    link = Link(lambda: shell)
    plan = CapturePlan(2, 20, 20)
    done = capture_host("local", plan, tmp_path, link, stop=threading.Event(), clockwork=Clockwork(sleep=Naps()))
    link.drop()
    assert done.whole
    assert [segment.packed for segment in done.segments] == ["host", "host"]
    assert [gap.reason for gap in done.gaps] == ["planned"]
    assert sum("gzip" not in command for command in shell.commands) == 1, "a wide host is found out once"
    for segment, wrote in zip(done.segments, written(environment)[1:], strict=True):
        assert gzip.decompress((tmp_path / segment.file).read_bytes()) == wrote


def test_a_lost_connection_is_made_anew_for_the_missing_samples(environment: Environment, tmp_path: Path) -> None:
    environment["SPEED"] = "1000"
    shells: list[LocalShell] = []
    naps = Naps()

    def connect() -> LocalShell:
        if len(shells) == 1 and len(naps.asked) < 3:
            raise ConnectError("no route to local")
        shells.append(LocalShell(environment, lose_after=None if shells else 30_000))
        return shells[-1]

    done = capture(tmp_path, CapturePlan(2, 60), connect, naps=naps)
    assert done.whole
    first, second = done.segments
    assert (first.outcome, first.reason) == ("partial", "the connection to local ended")
    assert 1 < first.samples < 60
    assert (second.outcome, second.asked) == ("whole", 60 - first.samples + 1)
    assert shells[0].closed
    (gap,) = done.gaps
    assert (gap.after, gap.before, gap.reason) == (first.file, second.file, first.reason)
    assert gap.seconds == pytest.approx(second.started - first.ended, abs=0.01)
    assert naps.asked == list(BACKOFF_S[:3])
    before, after = written(environment)
    assert before.startswith(stored(tmp_path / first.file))
    assert stored(tmp_path / second.file) == after


def test_a_frozen_stream_is_given_up_for_a_new_one(environment: Environment, tmp_path: Path) -> None:
    environment["SPEED"] = "1000"
    shells: list[LocalShell] = []

    def connect() -> LocalShell:
        shells.append(LocalShell(environment, freeze_after=None if shells else 1, idle_s=60 if shells else 0.3))
        return shells[-1]

    done = capture(tmp_path, CapturePlan(2, 12), connect)
    assert done.whole
    assert [segment.outcome for segment in done.segments] == ["partial", "whole"]
    assert "says nothing" in done.segments[0].reason


def test_a_host_that_does_not_come_back_is_given_up(environment: Environment, tmp_path: Path) -> None:
    naps = Naps()

    def connect() -> LocalShell:
        raise ConnectError("no route to local")

    done = capture(tmp_path, CapturePlan(2, 5), connect, naps=naps)
    assert done.error is not None
    assert done.error.message == "no route to local"
    assert naps.asked == list(BACKOFF_S)


def test_a_refused_login_is_not_tried_again(environment: Environment, tmp_path: Path) -> None:
    asked: list[int] = []

    def connect() -> LocalShell:
        asked.append(1)
        raise LoginError("local does not let us in")

    done = capture(tmp_path, CapturePlan(2, 5), connect)
    assert isinstance(done.error, LoginError)
    assert len(asked) == 1


def test_a_host_without_esxtop_says_so(environment: Environment, tmp_path: Path) -> None:
    naps = Naps()
    shell = LocalShell(environment, path=os.environ["PATH"])
    done = capture(tmp_path, CapturePlan(2, 5), lambda: shell, naps=naps)
    assert isinstance(done.error, HostError)
    assert "esxtop: not found" in done.error.message
    assert done.error.hint
    assert done.segments[0].samples == 0
    assert [path.name for path in tmp_path.glob("esxtop*")] == ["esxtop-000.csv.gz.cut"], "an empty gzip stream"
    assert naps.asked == [], "nothing to wait for"


def test_an_esxtop_that_dies_is_started_again_within_bounds(environment: Environment, tmp_path: Path) -> None:
    environment.update(DIE_AFTER="3", SPEED="1000")
    shell = LocalShell(environment)
    done = capture(tmp_path, CapturePlan(2, 6), lambda: shell)
    assert [segment.samples for segment in done.segments] == [3, 3, 2]
    assert done.segments[0].reason == "esxtop ended after 3 of 6 samples: esxtop: out of memory"
    assert done.whole


def test_what_is_no_gzip_is_kept_and_named(environment: Environment, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gzip").write_text("#!/bin/sh\ncat >/dev/null\necho 'gzip is not for you'\n")
    (tools / "gzip").chmod(0o755)
    shell = LocalShell(environment, path=f"{tools}:{BIN}:{os.environ['PATH']}")
    done = capture(tmp_path, CapturePlan(2, 2), lambda: shell)
    assert done.error is not None
    assert "not a valid gzip stream" in done.error.message
    assert (tmp_path / "esxtop-000.csv.gz.cut").read_bytes() == b"gzip is not for you\n"


def endless(folder: Path, name: str, script: str, environment: Environment) -> LocalShell:
    """A host on which one of its programs never stops writing."""
    (folder / "tools").mkdir()
    (folder / "tools" / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / "tools" / name).chmod(0o755)
    return LocalShell(environment, path=f"{folder / 'tools'}:{BIN}:{os.environ['PATH']}")


def test_a_host_that_sends_no_sample_and_never_stops_is_ended(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """44 GB came in four minutes. What is sent here has an end, so that a test that fails ends, too."""
    monkeypatch.setattr(room, "FIRST_BYTES", 4 << 20)
    shell = endless(tmp_path, "gzip", "head -c 200000000 /dev/zero", environment)
    done = capture(tmp_path, CapturePlan(2, 2), lambda: shell)
    assert done.error is not None
    assert "the host sent 4 MB and went on, without one whole sample" in done.error.message
    assert (tmp_path / "esxtop-000.csv.gz.cut").stat().st_size < 8 << 20
    assert done.segments[0].most_bytes == 4 << 20


def test_a_host_that_sends_more_than_its_first_sample_lets_expect_is_ended(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Path
) -> None:
    """The reader gets what came until then, and the manifest says how much would have been taken."""
    monkeypatch.setattr(room, "LEAST_BYTES", 1 << 20)
    first = gzip.compress(b"\n".join([*sample.read_bytes().splitlines()[:2], b""]))
    (tmp_path / "first.gz").write_bytes(first)
    shell = endless(tmp_path, "gzip", f"cat {tmp_path}/first.gz; head -c 200000000 /dev/zero", environment)
    done = capture(tmp_path, CapturePlan(2, 2), lambda: shell)
    (segment,) = done.segments
    assert done.error is not None
    assert "10 times the amount expected from its first sample" in done.error.message
    assert segment.samples == 1
    assert segment.bytes < segment.most_bytes + (1 << 20) < 8 << 20
    manifest = Record("local", CapturePlan(2, 2), 0.0, capture=done).manifest("1", "partial")
    assert manifest.segments[0].most_bytes == segment.most_bytes


def test_a_host_that_sends_more_samples_than_were_asked_for_is_ended(
    environment: Environment, tmp_path: Path, sample: Path
) -> None:
    rows = f"cat {sample}; i=0; while [ $i -lt 2000 ]; do tail -n +2 {sample}; i=$((i+1)); done"
    shell = endless(tmp_path, "esxtop", rows, environment)
    done = capture(tmp_path, CapturePlan(2, 2), lambda: shell)
    (segment,) = done.segments
    assert segment.outcome == "partial"
    assert "more than the 2 requested samples" in segment.reason
    assert segment.samples < 20_000


def test_the_disk_keeps_a_reserve(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(room, "_RESERVE_SHARE", (disk.free + (64 << 20)) / disk.total)
    monkeypatch.setattr(room, "_RESERVE_BYTES", disk.total)
    shell = endless(tmp_path, "gzip", "head -c 200000000 /dev/urandom", environment)
    done = capture(tmp_path, CapturePlan(2, 2), lambda: shell)
    assert isinstance(done.error, OutputError)
    assert "the disk is full except for a reserve of" in done.error.message
    assert (tmp_path / "esxtop-000.csv.gz.cut").stat().st_size < 1 << 20


def test_segments_start_esxtop_anew_with_small_gaps(environment: Environment, tmp_path: Path) -> None:
    shell = LocalShell(environment)
    seen: list[Progress] = []
    done = capture(tmp_path, CapturePlan(2, 8, segment_s=6), lambda: shell, progress=seen.append)
    assert {p.asked for p in seen} == {10}
    assert [p.samples for p in seen] == sorted(p.samples for p in seen)
    assert (seen[-1].segment, seen[-1].samples) == (2, 10)
    assert [(s.file, s.asked, s.outcome) for s in done.segments] == [
        ("esxtop-000.csv.gz", 4, "whole"),
        ("esxtop-001.csv.gz", 4, "whole"),
        ("esxtop-002.csv.gz", 2, "whole"),
    ]
    assert [gap.reason for gap in done.gaps] == ["planned", "planned"]
    between = [b.started - a.ended for a, b in pairwise(done.segments)]
    assert [gap.seconds for gap in done.gaps] == pytest.approx(between, abs=0.002)
    assert all(a.ended <= b.started for a, b in pairwise(done.segments))
    assert [gzip.decompress((tmp_path / s.file).read_bytes()) for s in done.segments] == written(environment)


def test_a_full_disk_stops_and_keeps_what_is_whole(environment: Environment, tmp_path: Path) -> None:
    """In a process of its own, whose files may not grow beyond a few kilobytes."""
    program = f"""
import json, resource, sys, threading
from pathlib import Path
sys.path.insert(0, {str(BIN.parent)!r})
from localshell import LocalShell
import esxprobe.collect.stream_to_file as pump_module
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.host import capture_host
from esxprobe.collect.stream_to_file import Link
shell = LocalShell(json.loads(sys.argv[1]))
start = shell._start
def unlimited(command):
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    process = start(command)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, -1))
    return process
shell._start = unlimited
done = capture_host("local", CapturePlan(2, 500), Path(sys.argv[2]), Link(lambda: shell), stop=threading.Event())
(segment,) = done.segments
print(json.dumps([type(done.error).__name__, done.error.message, segment.outcome, segment.samples, segment.bytes]))
"""
    environment["SPEED"] = "4000"
    folder = tmp_path / "full"
    folder.mkdir()
    ran = subprocess.run(
        [sys.executable, "-c", program, json.dumps(environment), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    error, message, outcome, samples, size = json.loads(ran.stdout)
    assert (error, outcome) == (OutputError.__name__, "partial")
    assert "the file size limit is reached" in message
    assert size == 20000 == (folder / "esxtop-000.csv.gz").stat().st_size
    whole = stored(folder / "esxtop-000.csv.gz")
    assert abs(whole.count(b"\n") - 1 - samples) <= 10
    assert written(environment)[0].startswith(whole)


def test_a_file_that_is_there_already_is_never_overwritten(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "esxtop-000.csv.gz").write_bytes(b"precious")
    done = capture(tmp_path, CapturePlan(2, 2), lambda: LocalShell(environment))
    assert isinstance(done.error, OutputError)
    assert os.strerror(errno.EEXIST) in done.error.message
    assert (tmp_path / "esxtop-000.csv.gz").read_bytes() == b"precious"


def test_the_host_is_looked_at_for_what_stays_behind(
    environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Our list of processes may take longer than a host's on a busy machine.
    monkeypatch.setattr(cleanup_check, "LOOK_BEFORE", cleanup_check.LOOK)
    monkeypatch.setattr(cleanup_check, "_BEFORE_S", 60)
    naps = Naps()
    link = Link(lambda: LocalShell(environment))
    other = CapturePlan(7, 5)
    assert check_left_behind(link, other, Clockwork(sleep=naps)).checked
    assert check_left_behind(link, other).processes == ()
    stream = link.shell().stream("TERM=xterm esxtop -b -a -d 7 -n 9999 >/dev/null")
    while not list((tmp_path / "written").iterdir()):  # it runs
        time.sleep(0.05)
    found = check_left_behind(link, other, Clockwork(sleep=naps))
    assert len(found.processes) == 1
    assert others_esxtop(link, other) == found.processes
    somebody = check_left_behind(link, other, Clockwork(sleep=naps), others=found.processes)
    assert (somebody.processes, somebody.others) == ((), found.processes), "it ran before"
    assert Record("host01", other, 0.0, leftover=somebody).all_notes() == (
        f"another esxtop also ran on the host: {found.processes[0]}",
    )
    stream.close()
    for line in found.processes:
        os.kill(int(line.split()[0]), 9)


def test_a_forecast_is_told_from_one_sample(environment: Environment, sample: Path) -> None:
    told = forecast(Link(lambda: LocalShell(environment)), CapturePlan(2, 61))
    header, row = sample.read_bytes().splitlines(keepends=True)[:2]
    assert told.columns == header.count(b'","')
    assert (told.header_bytes, told.row_bytes) == (len(header), len(row))
    assert told.raw_bytes == len(header) + 61 * len(row)
    assert 0 < told.packed_bytes < told.raw_bytes
    assert told.duration_s == 120


def test_a_forecast_needs_esxtop(environment: Environment) -> None:
    link = Link(lambda: LocalShell(environment, path=os.environ["PATH"]))
    with pytest.raises(HostError, match=r"gives no sample: .*esxtop: not found"):
        forecast(link, CapturePlan(2, 61))


@pytest.mark.parametrize("size", [1, 7, 1000, 10**9])
def test_the_peek_counts_the_same_however_the_bytes_are_cut(sample: Path, size: int) -> None:
    plain = sample.read_bytes()
    packed = gzip.compress(plain)
    peek = GzipPeek()
    for start in range(0, len(packed), size):
        assert not peek.has_trailer
        peek.feed(packed[start : start + size])
    assert peek.has_trailer
    assert (peek.rows, peek.raw_bytes, peek.ends_mid_line, peek.interval_s) == (20, len(plain), False, 5.0)


def test_the_peek_tells_damage_and_what_follows_the_end(sample: Path) -> None:
    packed = gzip.compress(sample.read_bytes())
    broken = GzipPeek()
    broken.feed(packed[:-8] + bytes(8))
    assert not broken.has_trailer
    assert broken.damage
    longer = GzipPeek()
    longer.feed(packed + b"Connection closed")
    assert not longer.has_trailer
