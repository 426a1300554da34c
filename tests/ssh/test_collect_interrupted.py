"""`esxprobe collect` while things go wrong in mid-capture: a real sshd, BusyBox ash, MaxSessions 1."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from esxi_host import EsxiHost, as_far_as_it_goes, packed, whole_samples
from esxi_host import collecting as started
from ssh_logins import Client, Keys
from ssh_servers import until

pytestmark = pytest.mark.slow

# Signals reach an interpreter of its own, as a person's do.
collecting = partial(started, cold=True)
SHORT_WAITS = "import esxprobe.collect.retry as r; r.BACKOFF_S = (0.2, 0.2)"
SOON_TOO_QUIET = "import esxprobe.collect.command as c; c.quiet_limit_s = lambda _: 10.0"
# enough for several of the blocks in which gzip sends
SOME = 70_000


@pytest.fixture
def host(esxi_host: EsxiHost, client: Client, keys: Keys) -> Iterator[EsxiHost]:
    """A host that is clean before and afterwards, as `host01` in ssh_config."""
    client.host("host01", esxi_host.sshd, keys.ecdsa, "ServerAliveInterval 1", "ServerAliveCountMax 2")
    esxi_host.settings(SPEED="80", NOISE="1")
    esxi_host.forget()
    yield esxi_host
    esxi_host.is_clean()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_nothing_is_lost(host: EsxiHost, tmp_path: Path, number: int) -> None:
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "24h")
    run.has(SOME)
    run.signal(number)
    run.wait()
    assert run.status == 0
    assert "data received so far is kept" in run.err
    assert run.out.strip() == str(run.folder.relative_to(tmp_path))

    manifest = run.manifest
    (segment,) = manifest["segments"]
    assert (manifest["state"], manifest["error"], segment["outcome"]) == ("partial", None, "partial")
    assert segment["reason"] == f"stopped on request after {segment['samples']} of 43201 samples"
    run.is_described()

    (wrote,) = host.written()
    kept = packed(run.folder / "esxtop-000.csv.gz")  # to the trailer: gzip had the time to finish
    assert wrote.startswith(kept)
    assert whole_samples(kept).count(b"\n") == segment["samples"] + 1 >= wrote.count(b"\n") - 1
    assert manifest["left_behind"] == {"processes": [], "files": [], "checked": True, "reason": "", "others": []}


def test_a_second_signal_breaks_it_off(host: EsxiHost, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host02", host.sshd, keys.ecdsa)  # patient: a host that is silent is waited for 45 s
    run = collecting(tmp_path, "host02", "--interval", "2", "--duration", "24h")
    run.has(SOME)
    frozen = host.freeze()  # so that an orderly end would take its time
    run.signal(signal.SIGINT)
    run.says("Press Ctrl-C again to abort")
    run.signal(signal.SIGINT)
    run.wait()
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    assert run.status == 128 + signal.SIGINT
    assert host.written()[0].startswith(as_far_as_it_goes(run.folder / "esxtop-000.csv.gz"))
    assert run.manifest["state"] == "running", "nobody was there to sum up"


def test_a_person_who_insists_is_heard_even_where_nobody_reads_what_is_said(host: EsxiHost, tmp_path: Path) -> None:
    """Standard error is a full pipe, as of a pager that is not scrolled on: no word may hold up the end."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with suppress(BlockingIOError):
        while os.write(writes, bytes(4096)):
            pass
    os.set_blocking(writes, True)
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "24h", stderr=writes)
    run.has(SOME)
    frozen = host.freeze()

    def ended() -> bool:
        run.signal(signal.SIGINT)
        return run.process.poll() is not None

    until(ended, "the end")
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    os.close(reads)
    os.close(writes)
    assert run.wait().status == 128 + signal.SIGINT


def test_sshd_dies_and_comes_back(host: EsxiHost, tmp_path: Path) -> None:
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "600s")
    run.has(SOME // 2)
    host.crash()
    until(lambda: not host.processes(), "esxtop to find out")
    host.hurry()
    host.come_back()
    run.wait()
    assert (run.status, run.err) == (0, "")
    manifest = run.manifest
    first, second = manifest["segments"]
    assert manifest["state"] == "whole"
    assert (first["outcome"], second["outcome"]) == ("partial", "whole")
    assert "ended while running" in first["reason"]
    assert second["asked"] == 301 - first["samples"] + 1
    (gap,) = manifest["gaps"]
    assert (gap["after"], gap["before"], gap["reason"]) == (first["file"], second["file"], first["reason"])
    assert gap["seconds"] > 0
    assert len(manifest["connections"]) == 2
    run.is_described()

    before, after = host.written()
    part = as_far_as_it_goes(run.folder / first["file"])
    assert before.startswith(part)
    assert whole_samples(part).count(b"\n") == first["samples"] + 1
    assert packed(run.folder / second["file"]) == after


@pytest.mark.parametrize("packing", ["--plain", ""])
def test_a_lost_connection_costs_two_samples_at_most(host: EsxiHost, tmp_path: Path, packing: str) -> None:
    host.settings(SPEED="4")  # quiet numbers: gzip would hold hundreds of such samples back
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "600s", *packing.split())
    until(lambda: host.written() and host.written()[0].count(b"\n") > 8, "some samples")
    host.crash()
    host.hurry()
    host.come_back()
    run.wait()
    assert (run.status, run.err) == (0, "")
    first, second = run.manifest["segments"]
    assert first["samples"] >= 8 - 2
    assert first["samples"] + second["asked"] - 1 == 301
    assert packed(run.folder / first["file"]).startswith(host.written()[0][:150_000]), "a whole gzip stream"


def test_sshd_dies_for_good(host: EsxiHost, tmp_path: Path) -> None:
    words = ("host01", "--interval", "2", "--duration", "600s", "--retry-for", "2s")
    run = collecting(tmp_path, *words, tuned=SHORT_WAITS)
    run.has(SOME // 2)
    host.crash()
    try:
        run.wait()
        assert run.status == 3
        (said,) = [line for line in run.err.splitlines() if line.startswith("esxprobe: ")]
        assert re.match(
            r"esxprobe: host01: the connection was lost at [\d:]+ UTC and did not come back within \d s; "
            r"the last attempt: .* refuses the connection",
            said,
        )
        assert "switch" not in run.err, "it was on before"
        manifest = run.manifest
        assert (manifest["state"], manifest["clock"]["end"]) == ("partial", None)
        assert "refuses the connection" in manifest["error"]["message"]
        assert any("the host was abandoned" in note for note in manifest["notes"])
        run.is_described()
        (wrote,) = host.written()
        assert wrote.startswith(as_far_as_it_goes(run.folder / "esxtop-000.csv.gz"))
    finally:
        host.come_back()


def test_a_pipe_gets_a_line_for_each_phase(host: EsxiHost, tmp_path: Path) -> None:
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "600s", tuned=SHORT_WAITS)
    run.has(SOME // 2)
    host.crash()
    host.hurry()
    host.come_back()
    run.wait()
    assert (run.status, run.err) == (0, "")
    first, begun, *rest = run.phases
    assert (first, begun) == ("host01: connecting", "host01: capturing: 0 of 301 samples, 10:00 left")
    assert re.match(r"host01: waiting: no esxtop since [\d:]+ UTC, trying until [\d:]+ UTC: ", rest[0])
    assert re.match(r"host01: capturing: [1-9]\d* of 302 samples, \d:\d\d left", rest[-2])
    assert re.match(r"host01: closing: 302 of 302 samples, \d\.\d MB", rest[-1])


def test_an_outage_that_is_longer_than_all_waits_is_sat_out(host: EsxiHost, tmp_path: Path) -> None:
    """The waits are a hundred times shorter than they are, and the outage goes on after the last of them."""
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "600s", tuned=SHORT_WAITS)
    run.has(SOME // 2)
    host.crash()
    until(lambda: not host.processes(), "esxtop to find out")
    time.sleep(3)
    assert run.process.poll() is None, "it still tries"
    host.hurry()
    host.come_back()
    run.wait()
    assert (run.status, run.err) == (0, "")
    assert (run.manifest["state"], len(run.manifest["gaps"])) == ("whole", 1)
    assert run.manifest["gaps"][0]["seconds"] >= 3


def test_a_connection_that_freezes_is_given_up_for_another(host: EsxiHost, tmp_path: Path) -> None:
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "600s")
    run.has(SOME // 2)
    frozen = host.freeze()
    host.hurry()
    run.has(1, number=1)
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    run.wait()
    assert (run.status, run.err) == (0, "")
    first, second = run.manifest["segments"]
    assert "has not answered for" in first["reason"]
    assert (run.manifest["state"], second["outcome"]) == ("whole", "whole")
    assert [gap["reason"] for gap in run.manifest["gaps"]] == [first["reason"]]
    assert packed(run.folder / second["file"]) == host.written()[1]
    assert host.written()[0].startswith(as_far_as_it_goes(run.folder / first["file"]))


def test_a_short_freeze_loses_nothing(host: EsxiHost, tmp_path: Path) -> None:
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "100s")
    run.has(SOME // 2)
    frozen = host.freeze()
    time.sleep(0.5)
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    run.wait()
    assert (run.status, run.err) == (0, "")
    (segment,) = run.manifest["segments"]
    assert (segment["outcome"], segment["samples"]) == ("whole", 51)
    assert [packed(run.folder / segment["file"])] == host.written()


def test_an_esxtop_that_hangs_is_killed_and_started_again(host: EsxiHost, tmp_path: Path) -> None:
    """The connection stands: only the silence tells. A process that is stopped does not hear that it should end."""
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "600s", tuned=SOON_TOO_QUIET)
    run.has(SOME // 2)
    host.hurry()
    (esxtop,) = [pid for pid, line in host.processes().items() if "/esxtop -b" in line]
    os.kill(esxtop, signal.SIGSTOP)
    run.wait()
    assert (run.status, run.err) == (0, "")
    first, second = run.manifest["segments"]
    assert "sends nothing for 10 s while running" in first["reason"]
    assert (run.manifest["state"], second["outcome"]) == ("whole", "whole")
    assert run.manifest["left_behind"]["processes"] == []
