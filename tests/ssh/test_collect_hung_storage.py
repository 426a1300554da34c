"""`esxprobe collect` on a host where something hangs: esxtop comes first. A real sshd, BusyBox ash, MaxSessions 1.

A log that is a FIFO stands for a file on a datastore that no longer answers.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from esxi_host import EsxiHost, as_far_as_it_goes, install, make_host, packed
from esxi_host import collecting as started
from ssh_logins import Client, Keys, SshdStarter
from ssh_servers import until

pytestmark = pytest.mark.slow

# Signals reach an interpreter of its own, as a person's do.
collecting = partial(started, cold=True)
VMS, HUNG = 300, (3, 100, 299)
SOON = "import esxprobe.collect.probing as a; a.FILE_S = 1"


@pytest.fixture(scope="module")
def stricken(folder: Path, start: SshdStarter, sample: Path) -> EsxiHost:
    """A host with many VMs, the logs of three of which hang."""
    host = make_host(start, folder / "stricken", sample)
    listing = []
    for number in range(VMS):
        place = host.folder / "vmfs" / f"vm {number}"
        place.mkdir(parents=True)
        (place / "vm.vmx").write_text('virtualHW.version = "19"\n')
        if number in HUNG:
            os.mkfifo(place / "vmware.log")
            (place / "vmware.log").chmod(0o666)
        else:
            (place / "vmware.log").write_text("x| vmx| gphys-ept.vmm\n")
        pairs = {"World ID": 1000 + number, "Display Name": f"vm {number}", "Config File": f"{place}/vm.vmx"}
        listing += [f"vm {number}", *(f"   {name}: {text}" for name, text in pairs.items())]
    (host.folder / "listing").write_text("\n".join(listing) + "\n")
    words = f'[ "$1 $2" = "vm process" ] && exec cat {host.folder}/listing\n[ "$1" = storage ] && exec sleep 1000\n'
    install(host.folder / "tools" / "esxcli", f"#!/bin/sh\n{words}exit 1\n")
    return host


@pytest.fixture
def host(stricken: EsxiHost, client: Client, keys: Keys) -> Iterator[EsxiHost]:
    client.host("host01", stricken.sshd, keys.ecdsa)
    stricken.settings(SPEED="1", NOISE="1")
    stricken.forget()
    yield stricken
    stricken.is_clean()


def waited_s(manifest: dict[str, Any]) -> float:
    """From the login to esxtop."""
    begun = datetime.fromisoformat(manifest["segments"][0]["started"])
    return (begun - datetime.fromisoformat(manifest["started"])).total_seconds()


def samples_on_disk(below: Path) -> int:
    """Whole samples that can be read out of what has come so far."""
    files = list(below.glob("**/esxtop-000.csv.gz"))
    text = as_far_as_it_goes(files[0]) if files and files[0].stat().st_size else b""
    return max(0, text.count(b"\n") - 1)


def test_esxtop_comes_first_and_what_hangs_is_named_and_ended(host: EsxiHost, tmp_path: Path) -> None:
    short = f"{SOON}; a.QUESTION_S = 2"
    begun = time.monotonic()
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "20s", tuned=short)
    until(lambda: samples_on_disk(tmp_path), "a first sample on this disk")
    assert time.monotonic() - begun < 10 + 2, "ten seconds and an interval, from the command's start"
    run.wait()
    assert (run.status, run.err) == (0, "")
    manifest = run.manifest
    assert waited_s(manifest) < 10
    assert (manifest["state"], manifest["samples_received"], manifest["gaps"]) == ("whole", 11, [])
    assert packed(run.folder / "esxtop-000.csv.gz") == host.written()[0]
    assert len(manifest["connections"]) == 1, "esxtop's connection is its own"
    modes = {vm["name"]: vm["monitor"] for vm in manifest["vms"]}
    assert len(modes) == VMS
    assert {name for name, mode in modes.items() if mode is None} == {f"vm {number}" for number in HUNG}
    assert {mode["mmu"] for mode in modes.values() if mode} == {"hardware"}
    named = [note for note in manifest["notes"] if "its grep was ended" in note]
    assert [re.sub("_[0-9a-f]{8}-", "-", note.split("-monitor")[0]) for note in named] == [
        f"vm-vm_{n}-{1000 + n}" for n in HUNG
    ]
    assert any(note.startswith("datastores: ") and "ended on the host" in note for note in manifest["notes"])
    assert manifest["left_behind"]["processes"] == []
    run.is_described()


@pytest.mark.parametrize(
    ("limits", "hangs", "probe"),
    [
        ("a.QUESTION_S = 12", "sleep 1000", "datastores"),
        ("a.QUESTION_S = 1; a.FILE_S = 12", "grep -E", "vm-files"),
    ],
)
def test_a_stop_does_not_wait_for_what_hangs(
    host: EsxiHost, tmp_path: Path, limits: str, hangs: str, probe: str
) -> None:
    """Neither for a question nor for the file of a VM, both of which would be given twelve seconds."""
    tuned = f"import esxprobe.collect.probing as a; {limits}"
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "24h", tuned=tuned)
    until(host.written, "esxtop, which runs all the same")
    until(lambda: hanging(host, hangs), "what hangs")
    run.signal(signal.SIGINT)
    asked = time.monotonic()
    run.wait()
    assert time.monotonic() - asked < 10, "a good second where nobody else wants the processor"
    assert run.status in {0, 3}, "3 where no sample had come"
    hung = next(each for each in run.manifest["probes"] if each["name"] == probe)
    assert hung["outcome"] == "failed"
    assert run.manifest["left_behind"]["processes"] == []


def hanging(host: EsxiHost, words: str) -> bool:
    """Whether a process with these words has been there for half a second."""
    seen = {pid for pid, line in host.processes().items() if words in line}
    time.sleep(0.5)
    return bool(seen & set(host.processes()))


def test_all_files_together_have_a_budget(host: EsxiHost, tmp_path: Path) -> None:
    """The first log that hangs takes all of it: the VMs after it are not checked, and the capture is whole."""
    budget = "import esxprobe.collect.probing as a; a.QUESTION_S = 2; a.FILE_S = 12; a.FILES_S = 4"
    run = collecting(tmp_path, "host01", "--interval", "2", "--duration", "20s", tuned=budget).wait()
    assert (run.status, run.err) == (0, "")
    manifest = run.manifest
    assert (manifest["state"], manifest["samples_received"]) == ("whole", 11)
    (files,) = [each for each in manifest["probes"] if each["name"] == "vm-files"]
    assert files["outcome"] == "failed"
    (note,) = [note for note in manifest["notes"] if "VMs were not checked" in note]
    missing = int(re.search(r"(\d+) of 300", note)[1])  # type: ignore[index]
    assert VMS - min(HUNG) - 2 <= missing < VMS, "those before the first that hangs were checked"
    assert manifest["left_behind"]["processes"] == []


def test_only_vms_that_are_wanted_are_looked_at(host: EsxiHost, tmp_path: Path) -> None:
    (host.folder / "entities").write_text("SchedGroup\n1 system\n1200100 vm 7\nAdapter\nvmhba0\n")
    host.settings(SPEED="20", NOISE="1", ENTITIES=str(host.folder / "entities"))
    short = f"{SOON}; a.QUESTION_S = 2"
    words = ("host01", "--interval", "2", "--duration", "20s", "--vm", "vm 7")
    run = collecting(tmp_path, *words, tuned=short).wait()
    assert (run.status, run.err) == (0, "")
    looked_at = [vm["name"] for vm in run.manifest["vms"] if "monitor" in vm]
    assert looked_at == ["vm 7"]
