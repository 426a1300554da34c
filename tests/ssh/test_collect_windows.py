"""Windows guests through the command: stand-ins for typeperf and PowerShell behind a real sshd."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from esxi_host import Collecting, EsxiHost, collecting, for_everybody, install
from ssh_logins import Client, Keys, SshdStarter
from windows_guest import TOOLS

from esxprobe.collect.guest_loops import RAW_COLUMNS, WINDOWS_COUNTERS, raw_loop

FILETIME_OF_1970 = 116444736000000000


@pytest.fixture
def host(esxi_host: EsxiHost, client: Client, keys: Keys) -> Iterator[EsxiHost]:
    client.host("host01", esxi_host.sshd, keys.ecdsa)
    esxi_host.settings(SPEED="4")
    yield esxi_host
    esxi_host.is_clean()


CollectBeside = Callable[..., Collecting]


@pytest.fixture
def collect_beside(host: EsxiHost, start: SshdStarter, client: Client, keys: Keys, tmp_path: Path) -> CollectBeside:
    """Collects the host, and a guest `win01` with these tools and this language."""

    def collect(*tools: str, language: str = "en") -> Collecting:
        place = host.folder / tmp_path.name
        place.mkdir(mode=0o755)
        for tool in tools:
            install(place / tool, for_everybody(TOOLS[tool]))
        guest = start(SetEnv=f"PATH={place}:/usr/bin:/bin LANGUAGE_OF_NAMES={language}")
        client.host("win01", guest, keys.ecdsa)
        words = ("--interval", "2", "--duration", "8s", "--windows-guest", "win01=win01")
        return collecting(tmp_path, "host01", *words).wait()

    return collect


def test_english_names_are_read_by_typeperf_every_second(collect_beside: CollectBeside) -> None:
    run = collect_beside("typeperf", "powershell")
    assert (run.status, run.err) == (0, "")
    (guest,) = run.manifest["guests"]
    assert (guest["outcome"], guest["method"], guest["interval_s"]) == ("whole", "typeperf", 1)
    assert guest["files"] == ["guests/win01.csv"]
    assert guest["command"].startswith('typeperf "\\Memory\\Page Faults/sec" ')
    assert " -si 1 " in guest["command"]
    assert guest["clock"]["start"]["zone"]
    header, *rows = list(csv.reader((run.folder / guest["file"]).read_text().splitlines()[1:]))
    assert [name.removeprefix("\\\\WIN01") for name in header[1:]] == list(WINDOWS_COUNTERS)
    assert len(rows) == guest["samples"] >= 2
    run.is_described()


def test_translated_names_are_read_from_the_raw_classes(collect_beside: CollectBeside) -> None:
    run = collect_beside("typeperf", "powershell", language="de")
    assert (run.status, run.err) == (0, "")
    (guest,) = run.manifest["guests"]
    assert (guest["outcome"], guest["method"], guest["files"]) == ("whole", "windows-raw", ["guests/win01.txt"])
    first, header, *rows = (run.folder / guest["file"]).read_text().splitlines()
    assert first == "# esxprobe guest/1 windows-raw interval_s=1"
    assert tuple(header.split(",")) == RAW_COLUMNS
    cells = [[int(cell) for cell in row.split(",")] for row in rows]
    assert {len(row) for row in cells} == {len(RAW_COLUMNS)}
    assert len(cells) == guest["samples"] >= 3
    # what a reader makes of it, as the grammar says
    faults = RAW_COLUMNS.index("PageFaultsPersec")
    stamp = RAW_COLUMNS.index("memory_100ns")
    for before, after in pairwise(cells):
        assert (after[faults] - before[faults]) % 2**32 == 1000
        assert 0.9 < (after[stamp] - before[stamp]) / 1e7 < 30
    began = (cells[0][0] - FILETIME_OF_1970) / 1e7
    assert 0 <= cells[0][stamp] - cells[0][0] < 30e7
    assert abs(began - (run.folder / guest["file"]).stat().st_mtime) < 300
    run.is_described()


def test_a_windows_without_either_is_an_outcome_with_a_reason(collect_beside: CollectBeside) -> None:
    run = collect_beside()
    assert run.status == 0
    assert run.manifest["state"] == "whole"
    (guest,) = run.manifest["guests"]
    assert (guest["outcome"], guest["method"], guest["files"]) == ("failed", "", [])
    assert "powershell: not found" in guest["reason"]
    assert "esxprobe: guest win01: failed: " in run.err


def test_the_encoded_command_fits_and_needs_no_quotes() -> None:
    command = raw_loop(1, 999_999)
    assert len(command) < 8191, "what cmd.exe takes"
    assert not set(command) & set("\"'`$%^&|<>\\;()")
