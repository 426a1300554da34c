"""A guest's steal, swap-outs and times of disks beside the host's, from files to page, JSON and redaction."""

import csv
import gzip
import json
import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from shippedbook import analyze
from tiny import Thing, recording

from esxprobe.analyze import GuestOptions
from esxprobe.analyze.faults import FAULT_NEEDS, _gavg
from esxprobe.model import Analysis, GuestHostPair
from esxprobe.redact.analysis import nameless
from esxprobe.report.bothsides import pair_rows
from esxprobe.report.document import document

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "samples/software-mmu"
AHEAD_S = 38.2  # of the guest's clock
GROWS = (12, 13, 14, 15, 40, 41, 42, 95, 96, 97, 98, 99, 150, 151, 152)  # samples
PAGES = 300  # swapped out a second while the balloon grows
QUEUE_MS = 2.0


class Host:
    """The sample's capture with a balloon planted in cgi01, and logs of a guest that agrees with it."""

    def __init__(self, folder: Path) -> None:
        with gzip.open(SAMPLE / "esxtop-000.csv.gz", "rt", encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        balloon = self._places(head, r"Group Memory\(\d+:cgi01\)\\Memctl MBytes$")[0]
        held = 0.0
        for number, row in enumerate(rows):
            held += 20.0 * (number in GROWS)
            row[balloon] = f"{held:.2f}"
        self.path = folder / "esxtop.csv"
        with self.path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([head, *rows])
        table = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows])
        waits = self._places(head, r"Vcpu\(\d+:cgi01:\d+:vmx-vcpu-\d+:cgi01\)\\% (?:Ready|CoStop)$")
        self.waiting = table[:, [place - 1 for place in waits]].sum(axis=1) / 2
        (gavg,) = self._places(head, r"Per-Device-Per-World\(.*-2100019\)\\Average Guest MilliSec/Command$")
        self.gavg = table[:, gavg - 1]
        first = datetime.strptime(rows[0][0], "%m/%d/%Y %H:%M:%S").replace(tzinfo=UTC).timestamp()
        self.ends = first + 5.0 * np.arange(len(rows))
        self.grows = np.isin(np.arange(len(rows)), GROWS)

    @staticmethod
    def _places(head: list[str], pattern: str) -> list[int]:
        return [place for place, name in enumerate(head) if re.search(pattern, name)]

    def until(self, rates: np.ndarray, at: float) -> float:
        """A running total of what happens in each sample [1/s], by the host's clock."""
        added = np.concatenate(([0.0], np.cumsum(rates[1:] * 5)))
        return float(np.interp(at, self.ends, added))

    def stream(self, folder: Path) -> Path:
        """The sample's log of /proc with steal and swap-outs that go as the host's numbers do."""
        lines, when = [], 0.0
        for plain in (SAMPLE / "guests/cgi01.txt").read_text(encoding="utf-8").splitlines():
            line = plain
            if plain.startswith("@ "):
                when = float(plain[2:]) - AHEAD_S
            elif plain.startswith("cpu "):
                fields = plain.split()
                fields[8] = str(round(2 * self.until(self.waiting, when)))  # % of two vCPUs is jiffies a second
                line = " ".join(fields)
            elif plain.startswith("pswpout "):
                line = f"pswpout {self.until(PAGES * self.grows, when):.0f}"
            lines.append(line)
        path = folder / "stream.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def sadf(self, folder: Path) -> Path:
        """`sadf -d -- -d` with two disks whose transfers wait in the guest as well."""
        lines = ["# hostname;interval;timestamp;DEV;tps;rkB/s;wkB/s;dkB/s;areq-sz;aqu-sz;await;%util"]
        times = [datetime.fromtimestamp(self.ends[0], UTC) + timedelta(seconds=5 * n + 40) for n in range(175)]
        for before, when in pairwise(times):
            spans = [moment.timestamp() - AHEAD_S for moment in (before, when)]
            lasted = (self.until(self.gavg, spans[1]) - self.until(self.gavg, spans[0])) / 5 + QUEUE_MS
            for disk, rate, more in (("sda", 30, 1.0), ("sdb", 10, -3.0), ("dm-0", 40, 50.0)):
                stamp = f"cgi01;5;{when:%Y-%m-%d %H:%M:%S} UTC"
                lines.append(f"{stamp};{disk};{rate};0.00;8.00;0.00;8.00;0.01;{lasted + more:.2f};1")
        path = folder / "sadf.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Host, Analysis]:
    folder = tmp_path_factory.mktemp("planted")
    host = Host(folder)
    logs = (("cgi01", host.stream(folder)), ("cgi01", host.sadf(folder)))
    return host, analyze([host.path], guests=GuestOptions(logs=logs, offsets={"cgi01": AHEAD_S}))


def pair(analysis: Analysis, what: str) -> GuestHostPair:
    (found,) = (each for each in analysis.guest_counts.pairs if each.what == what)
    assert (found.vm, found.gid) == ("cgi01", "1204630")
    return found


def test_steal_is_held_against_the_hosts_waiting_by_both_clocks(planted):
    host, analysis = planted
    steal = pair(analysis, "steal")
    assert steal.samples > 160
    assert steal.host_mean == pytest.approx(host.waiting[1:].mean(), rel=0.05)
    assert steal.guest_mean == pytest.approx(steal.host_mean, rel=0.05)
    assert steal.r > 0.5
    assert steal.p < 0.02
    assert "They moved together" in steal.statement
    assert math.isnan(steal.shift_s)


def test_swap_outs_follow_the_planted_balloon(planted):
    _, analysis = planted
    swaps = pair(analysis, "balloon-swap")
    assert swaps.grew == len(GROWS)
    assert swaps.guest_after > 50
    assert swaps.guest_otherwise == pytest.approx(0, abs=5)
    assert swaps.p < 0.05
    assert "MCTLSZ grew in 15 of " in swaps.statement
    assert pair(analysis, "balloon-faults").r < 0.5, "hard faults were not planted"


def test_gavg_is_that_of_the_vms_own_devices_and_the_guests_queue_comes_on_top(planted):
    host, analysis = planted
    disk = pair(analysis, "disk")
    assert disk.host_mean == pytest.approx(host.gavg[1:].mean(), rel=0.05)
    assert disk.guest_mean - disk.host_mean == pytest.approx(QUEUE_MS, abs=0.1)
    assert disk.r > 0.8
    assert "may exceed GAVG" in disk.statement


def test_gavg_of_several_devices_is_weighted_by_their_commands():
    gavg, commands = FAULT_NEEDS["device-world"]
    made = recording(
        Thing("device-world", "naa.1-9", {gavg: [2.0, 2.0, 5.0, None], commands: [30.0, 30.0, 0.0, 10.0]}, gid="7"),
        Thing("device-world", "naa.2-9", {gavg: [6.0, None, 7.0, 3.0], commands: [10.0, 10.0, 0.0, 5.0]}, gid="7"),
        Thing("device-world", "naa.2-8", {gavg: [90.0] * 4, commands: [900.0] * 4}, gid="8"),
    )
    found = _gavg(made, [0, 1])
    assert found is not None
    np.testing.assert_allclose(found, [3.0, 2.0, np.nan, 3.0])
    assert _gavg(made, []) is None
    assert _gavg(recording(Thing("device-world", "naa.1-9", {gavg: [2.0]}, gid="7")), [0]) is None


def test_page_and_document_say_what_the_record_says(planted):
    _, analysis = planted
    said = document(analysis)
    jsonschema.validate(said, json.loads((ROOT / "docs/analysis.schema.json").read_text(encoding="utf-8")))
    assert [each["what"] for each in said["guest_pairs"]] == ["steal", "balloon-swap", "balloon-faults", "disk"]
    rows = pair_rows(analysis)
    assert [row.statement for row in rows] == [each["statement"] for each in said["guest_pairs"]]
    assert rows[0].guest == f"steal {analysis.guest_counts.pairs[0].guest_mean:.2f}\u00a0%"
    assert rows[1].host.startswith("MCTLSZ ")
    assert rows[1].host.endswith("\u00a0MB")


def test_without_names_the_vm_is_gone_and_the_sentence_stays(planted):
    _, analysis = planted
    bare = nameless(analysis)
    assert "cgi01" not in repr(bare.guest_counts.pairs)
    assert [each.statement for each in bare.guest_counts.pairs] == [
        each.statement for each in analysis.guest_counts.pairs
    ]


def test_the_samples_guests_have_no_steal_clock():
    logs = (("cgi01", SAMPLE / "guests/cgi01.txt"),)
    analysis = analyze([SAMPLE / "esxtop-000.csv.gz"], guests=GuestOptions(logs=logs, offsets={"cgi01": AHEAD_S}))
    (steal,) = analysis.guest_counts.pairs
    assert steal.statement.startswith("The guest counted no steal in 1")
    assert "stealclock.enable" in steal.statement
