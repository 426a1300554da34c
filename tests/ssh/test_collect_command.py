"""`esxprobe collect host01 && esxprobe report`, as a person types it: real sshd, BusyBox ash, a stand-in esxtop."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from collect_run import run
from esxi_host import PS, install
from hostsim import USER_GROUPS, HostPlan, VmPlan, write_capture
from ssh_logins import Client, Keys, SshdStarter
from ssh_servers import Sshd

ESXTOP = """#!/bin/sh
# Stands in for esxtop: -n rows of a made capture, twenty a second.
n=1
while [ $# -gt 0 ]; do
  if [ "$1" = -n ]; then n=$2; shift; fi
  shift
done
head -n 1 "$SAMPLE"
i=1
while [ $i -le "$n" ]; do
  i=$((i + 1))
  sed -n "${i}p" "$SAMPLE"
  sleep 0.05
done
"""


@pytest.fixture(scope="session")
def esxi(folder: Path, start: SshdStarter) -> Sshd:
    """A host whose esxtop shows one VM."""
    tools = folder / "tools"
    tools.mkdir(mode=0o755)
    plan = HostPlan(
        host="host01.example.com",
        pcpus=2,
        vms=(VmPlan("web01", 1_200_100, 2, 2048, ready_pct=14.0),),
        user_groups=(USER_GROUPS[0], *USER_GROUPS[-3:]),
        system_worlds=1,
        helper_worlds=1,
        power_states=("%C-State C0",),
        samples=40,
    )
    write_capture(tools / "sample.csv", plan)
    (tools / "sample.csv").chmod(0o644)
    esxtop = tools / "esxtop"
    esxtop.write_text(ESXTOP)
    esxtop.chmod(esxtop.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    install(tools / "ps", PS.read_text(encoding="utf-8"))
    mark = f"MARK=esxprobe-test-collect-{os.getpid()}"
    return start(SetEnv=f"PATH={tools}:/usr/bin:/bin SAMPLE={tools}/sample.csv {mark}")


def test_collect_and_report_give_the_html(esxi: Sshd, client: Client, keys: Keys, tmp_path: Path) -> None:
    client.host("host01", esxi, keys.ecdsa)
    done = run(tmp_path, "collect", "host01", "--duration", "50s")
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / done.stdout.strip()
    assert folder.parent == tmp_path / "captures"
    manifest = json.loads((folder / "capture.json").read_text(encoding="utf-8"))
    assert manifest["schema"] == "esxprobe.capture/1"
    assert any("TERM=xterm esxtop -b -a -d 5 -n 11 " in command for command in manifest["commands"])

    reported = run(tmp_path, "report", "--json", "said.json", "-o", "said.html")
    assert (reported.returncode, reported.stderr) == (0, "")
    said = json.loads((tmp_path / "said.json").read_text(encoding="utf-8"))
    assert said["capture"]["samples"] == 11
    assert [vm["name"] for vm in said["vms"]] == ["web01"]
    assert "checksum-differs" not in {note["code"] for note in said["quality"]}
    assert any(finding["rule"] == "cpu-ready" for finding in said["findings"])
    assert (tmp_path / "said.html").stat().st_size > 10_000


def test_a_dry_run_shows_the_commands_and_writes_nothing(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("host01", esxi, keys.ecdsa)
    done = run(tmp_path, "collect", "host01", "--duration", "10m", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "TERM=xterm esxtop -b -a -d 5 -n 121 " in done.stdout
    assert "forecast: " in done.stdout
    assert not (tmp_path / "captures").exists()


def test_an_unknown_host_key_stops_it_with_the_way_to_accept(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("host01", esxi, keys.ecdsa)
    client.known_hosts.write_text("")
    done = run(tmp_path, "collect", "host01", "--duration", "10s")
    assert (done.returncode, done.stdout) == (3, "")
    assert "SHA256:" in done.stderr
    assert "--accept-new-host-key" in done.stderr
    assert client.known_hosts.read_text() == ""


def test_of_two_hosts_one_may_fail_and_the_other_goes_on(
    esxi: Sshd, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("good", esxi, keys.ecdsa)
    client.host("bad", esxi, keys.stranger)
    done = run(tmp_path, "collect", "good", "bad", "--duration", "10s")
    assert done.returncode == 3
    assert "esxprobe: bad (" in done.stderr
    assert "bad: bad" not in done.stderr
    assert (tmp_path / done.stdout.strip() / "esxtop-000.csv.gz").exists()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--interval", "1"), "too short"),
        (("--duration", "soon"), "is not a valid duration"),
        (("--guest", "web01"), "names no guest"),
    ],
)
def test_words_that_make_no_sense_are_told_before_anybody_logs_in(
    tmp_path: Path, words: tuple[str, ...], complaint: str
) -> None:
    done = run(tmp_path, "collect", "nowhere.invalid", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
