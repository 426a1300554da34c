"""`esxprobe collect` on hosts that lack something, behind others, with names that no shell should read."""

from __future__ import annotations

import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from esxi_host import EsxiHost, as_far_as_it_goes, collecting, install, make_host, packed
from ssh_logins import Client, Keys, SshdStarter

pytestmark = pytest.mark.slow

HOSTILE = """a b'"$(touch PWNED-$$)`touch PWNED-tick`;touch PWNED-semicolon\\"""


@pytest.fixture
def host(esxi_host: EsxiHost, client: Client, keys: Keys) -> Iterator[EsxiHost]:
    client.host("host01", esxi_host.sshd, keys.ecdsa)
    esxi_host.settings(SPEED="100")
    esxi_host.forget()
    yield esxi_host
    esxi_host.is_clean()


def short_of(start: SshdStarter, folder: Path, sample: Path, missing: str) -> EsxiHost:
    """A host whose PATH has what a capture needs, but for one command."""
    commands = folder / f"without-{missing}-bin"
    commands.mkdir(mode=0o755)
    for name in ("date", "ps", "grep", "gzip", "env", "python3", "uptime"):
        if name != missing and (found := shutil.which(name, path="/usr/bin:/bin:/usr/local/bin")):
            (commands / name).symlink_to(found)
    host = make_host(start, folder / f"without-{missing}", sample, path=str(commands))
    if missing == "esxtop":
        (host.folder / "tools" / "esxtop").unlink()
    return host


@pytest.fixture(params=["esxtop", "gzip"])
def lacking(
    request: pytest.FixtureRequest, start: SshdStarter, folder: Path, sample: Path
) -> Iterator[tuple[EsxiHost, str]]:
    host = short_of(start, folder, sample, request.param)
    yield host, request.param
    host.is_clean()


def test_a_command_that_is_missing_is_named(
    lacking: tuple[EsxiHost, str], client: Client, keys: Keys, tmp_path: Path
) -> None:
    host, missing = lacking
    client.host("host01", host.sshd, keys.ecdsa)
    run = collecting(tmp_path, "host01", "--duration", "20s", "--packed").wait()
    assert run.status == 3
    assert f"{missing}: not found" in run.err
    assert "hint: " in run.err
    assert run.manifest["state"] == "failed"
    assert run.manifest["segments"][0]["samples"] == 0
    run.is_described()


def test_probes_that_are_missing_are_notes(host: EsxiHost, tmp_path: Path) -> None:
    run = collecting(tmp_path, "host01", "--duration", "20s").wait()
    assert (run.status, run.err) == (0, "")
    assert run.manifest["state"] == "whole"
    assert any("vmware: not found" in note for note in run.manifest["notes"])
    assert any("esxcli: not found" in note for note in run.manifest["notes"])
    assert packed(run.folder / "esxtop-000.csv.gz") == host.written()[0]


def test_names_of_vms_stay_text_wherever_a_shell_reads(host: EsxiHost, keys: Keys, tmp_path: Path) -> None:
    """The lines are found, so the path was read as it is; nothing was touched, so it was not read as more."""
    place = host.folder / "datastore" / HOSTILE
    place.mkdir(parents=True)
    (place / "vmware.log").write_text(
        "2026| vmx| HV Settings: virtual exec = 'hardware'; virtual mmu = 'software'\n"
    )
    (place / f"{HOSTILE}.vmx").write_text('virtualHW.version = "7"\n')
    listing = (
        f"{HOSTILE}\n   World ID: 1200100\n   VMX Cartel ID: 1200099\n"
        f"   Display Name: {HOSTILE}\n   Config File: {place}/{HOSTILE}.vmx\n"
    )
    (host.folder / "listing").write_text(listing)
    esxcli = host.folder / "tools" / "esxcli"
    install(esxcli, f'#!/bin/sh\n[ "$1 $2" = "vm process" ] && exec cat {host.folder}/listing\nexit 1\n')
    try:
        guest = f"{HOSTILE}=ssh://{host.sshd.account.name}@127.0.0.1:{host.sshd.port}"
        words = ("host01", "--interval", "2", "--duration", "8s", "--guest", guest, "-i", str(keys.ecdsa))
        run = collecting(tmp_path, *words).wait()
    finally:
        esxcli.unlink()
    assert (run.status, run.err) == (0, "")
    (vm,) = run.manifest["vms"]
    assert (vm["name"], vm["hardware_version"]) == (HOSTILE, "7")
    assert vm["monitor"]["mmu"] == "software"
    (of_guest,) = run.manifest["guests"]
    assert (of_guest["vm"], of_guest["outcome"]) == (HOSTILE, "whole")
    assert (run.folder / of_guest["file"]).parent == run.folder / "guests"
    run.is_described()
    for where in (tmp_path, host.folder, host.sshd.account.home, Path.cwd()):
        assert not [path for path in where.rglob("PWNED*") if path.is_file()]


def test_through_a_jump_host(
    host: EsxiHost, start: SshdStarter, client: Client, keys: Keys, tmp_path: Path
) -> None:
    gate = start([keys.host_rsa], AllowTcpForwarding="yes")
    client.host("gate", gate, keys.rsa)
    client.host("inner", host.sshd, keys.ecdsa, "ProxyJump gate")
    run = collecting(tmp_path, "inner", "--duration", "20s").wait()
    assert (run.status, run.err) == (0, "")
    (connection,) = run.manifest["connections"]
    assert len(connection["proxies"]) == 1
    assert f"127.0.0.1:{gate.port} SHA256:" in connection["proxies"][0]
    assert packed(run.folder / "esxtop-000.csv.gz") == host.written()[0]


def test_of_two_hosts_the_one_that_stands_is_whole(
    host: EsxiHost, client: Client, keys: Keys, tmp_path: Path
) -> None:
    client.host("host02", host.sshd, keys.stranger)
    run = collecting(tmp_path, "host01", "host02", "--duration", "20s").wait()
    assert run.status == 3
    assert "esxprobe: host02 (" in run.err
    assert "host01" not in run.err
    assert (run.manifest["host"], run.manifest["state"]) == ("host01", "whole")
    assert packed(run.folder / "esxtop-000.csv.gz") == host.written()[0]


def test_a_full_disk_here_keeps_what_is_whole(host: EsxiHost, tmp_path: Path) -> None:
    """Files may not grow beyond 600 kB, which is more than the room that is kept for the manifest."""
    host.settings(SPEED="200", NOISE="1")
    limit = 600_000
    run = collecting(
        tmp_path,
        "host01",
        "--interval",
        "2",
        "--duration",
        "1h",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    ).wait()
    assert run.status == 3, run.err
    assert "the file size limit is reached" in run.err
    manifest = run.manifest
    assert manifest["state"] == "partial"
    assert "the file size limit is reached" in manifest["error"]["message"]
    run.is_described()
    assert run.size() == limit
    part = as_far_as_it_goes(run.folder / "esxtop-000.csv.gz")
    assert host.written()[0].startswith(part)
    assert part.count(b"\n") - 1 >= manifest["segments"][0]["samples"] > 10
    assert manifest["left_behind"]["processes"] == []


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with less room than a manifest needs."""
    place = tmp_path / "full"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=960k", "tmpfs", place], check=False)
    if made.returncode:
        pytest.skip("file systems cannot be mounted here")
    (place / "filler").write_bytes(bytes(800_000))
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_full_at_the_start_leaves_no_folder(host: EsxiHost, tmp_path: Path, full_disk: Path) -> None:
    run = collecting(tmp_path, "host01", "--duration", "20s", "--out", str(full_disk / "captures")).wait()
    assert run.status == 3
    assert "the disk is full" in run.err
    assert "nothing was captured" in run.err
    assert [*(full_disk / "captures").iterdir()] == []
    assert host.written() == []


def test_an_esxtop_that_takes_no_list_of_vms_captures_everything(host: EsxiHost, tmp_path: Path) -> None:
    (host.folder / "entities").write_text("SchedGroup\n1 system\n1200100 web01\nAdapter\nvmhba0\n")
    host.settings(SPEED="100", ENTITIES=str(host.folder / "entities"), IMPORT="refused")
    run = collecting(tmp_path, "host01", "--duration", "20s", "--vm", "web01").wait()
    assert (run.status, run.err) == (0, "")
    assert any("so all VMs were captured" in note for note in run.manifest["notes"])
    assert packed(run.folder / "esxtop-000.csv.gz") == host.written()[0]
    assert run.manifest["state"] == "whole"


def test_a_guest_that_drops_comes_back_in_a_second_file(
    host: EsxiHost, start: SshdStarter, client: Client, keys: Keys, tmp_path: Path
) -> None:
    host.settings(SPEED="2", NOISE="1")
    guests = start()
    client.host("guest01", guests, keys.ecdsa)
    words = ("host01", "--interval", "2", "--duration", "18s", "--guest", "web01=guest01")
    run = collecting(tmp_path, *words)
    run.has(1)
    guests.signal_children(signal.SIGKILL)
    run.wait()
    assert run.status == 0
    assert run.manifest["state"] == "whole"
    (guest,) = run.manifest["guests"]
    assert (guest["outcome"], guest["method"]) == ("partial", "linux")
    assert guest["files"] == ["guests/web01.txt", "guests/web01-1.txt"]
    assert guest["file"] == guest["files"][0]
    (gap,) = guest["gaps"]
    assert [gap["after"], gap["before"]] == guest["files"]
    assert "ended while running" in gap["reason"]
    assert f"esxprobe: guest web01: partial: {gap['reason']}" in run.err
    texts = [(run.folder / file).read_text() for file in guest["files"]]
    assert all(text.startswith("# esxprobe guest/1 linux interval_s=2\n@ ") for text in texts)
    assert sum(text.count("\n@ ") for text in texts) == guest["samples"]
    assert guest["clock"]["end"] is not None
    run.is_described()
