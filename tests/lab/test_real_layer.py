"""Captures of one workload on user-mode-linux and natively, by the real collector: the numbers agree."""

import csv
import gzip
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from realhost import RealCapture, real_capture
from shippedbook import analyze

from esxprobe.analyze import GuestOptions, compare_with
from esxprobe.capture import load_capture
from esxprobe.collect.check import CheckTask, check_host
from esxprobe.collect.command import CapturePlan
from esxprobe.collect.shell import Shell
from esxprobe.commands.labs import lab_task
from esxprobe.lab.real.cputime import CpuTimeReader
from esxprobe.lab.real.guests import LoadPlan, RealGuest
from esxprobe.lab.real.lab import RealLab
from esxprobe.model import Analysis, FaultCost
from esxprobe.ssh.connect import Login, open_shell

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_layer")]

AHEAD_S = 40.0
WEB = RealGuest("web01", "uml", LoadPlan(faults_s=500, kernel_pct=5), clock_ahead_s=AHEAD_S)
GUESTS = {"uml": WEB, "native": replace(WEB, layer="native")}
MODES = {"uml": "software", "native": "hardware"}
LAYER = pytest.mark.parametrize("layer", GUESTS)
INTERVAL_S, DURATION_S = 2, 20
PATIENCE_S = 300.0


@dataclass
class Taken:
    """A capture and what was read beside it: time, CPU time by the lab, CPU time by the naive twin [s]."""

    made: RealCapture
    analysis: Analysis
    read: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def cost(self) -> FaultCost:
        return next(each for each in self.analysis.fault_costs if each.guest_counter == "soft_faults")

    def rows(self) -> list[dict[str, str]]:
        (file,) = self.made.folder.glob("esxtop-*.csv.gz")
        return list(csv.DictReader(gzip.decompress(file.read_bytes()).decode().splitlines()))

    def log(self) -> list[tuple[float, int]]:
        """Stamps of the guest's samples and its kernel's count of faults."""
        text = (self.made.folder / "guests/web01.txt").read_text()
        blocks = text.split("\n@ ")[1:-1]  # the last one may be cut
        totals = [dict(line.split(" ", 1) for line in block.splitlines()[1:]) for block in blocks]
        return [(float(b.split()[0]), int(t["pgfault"])) for b, t in zip(blocks, totals, strict=True)]


def naive_run_s(processes: list[int]) -> float:
    """schedstat of all running threads, plus children that were waited for."""
    total = 0.0
    for process in processes:
        with suppress(OSError):
            for thread in Path(f"/proc/{process}/task").iterdir():
                total += int((thread / "schedstat").read_text().split()[0]) / 1e9
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return total


@pytest.fixture(scope="module")
def taken(real_layer: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Taken]]:
    """Both captures, taken at the same time."""

    def take(layer: str, stack: ExitStack) -> Taken:
        read: list[tuple[float, float, float]] = []

        def look(lab: RealLab, over: threading.Event) -> None:
            reader = CpuTimeReader(lab.running["web01"].process_id)
            while not over.wait(0.5):
                twin, now = naive_run_s(reader.processes()), reader.read()
                read.append((now.at_s, now.run_s, twin))

        context = real_capture(
            [GUESTS[layer]],
            tmp_path_factory.mktemp(layer),
            duration_s=DURATION_S,
            interval_s=INTERVAL_S,
            guest_interval_s=INTERVAL_S,
            host=f"esx-{layer}.example.com",
            meanwhile=look,
        )
        made = stack.enter_context(context)
        files = load_capture(made.folder)
        said = analyze(files.paths, manifest=files.manifest, guests=GuestOptions(folder=made.folder))
        return Taken(made, said, read)

    with ExitStack() as stack, ThreadPoolExecutor(len(GUESTS)) as pool:
        stacks = {layer: stack.enter_context(ExitStack()) for layer in GUESTS}
        running = {layer: pool.submit(take, layer, stacks[layer]) for layer in GUESTS}
        yield {layer: future.result() for layer, future in running.items()}


@LAYER
def test_host_and_guest_answer_from_beginning_to_end(taken: dict[str, Taken], layer: str) -> None:
    outcome = taken[layer].made.outcome
    assert (outcome.outcome, outcome.samples, outcome.gaps) == ("whole", DURATION_S // INTERVAL_S + 1, 0)
    assert [(each.vm, each.outcome) for each in outcome.guests] == [("web01", "whole")]
    assert {vm.mmu for vm in taken[layer].analysis.vms} == {MODES[layer]}


@LAYER
def test_the_report_has_the_faults_that_the_guest_counted(taken: dict[str, Taken], layer: str) -> None:
    (begin, first), *_, (end, last) = taken[layer].log()
    rate = taken[layer].cost.rates.mean
    assert rate == pytest.approx((last - first) / (end - begin), rel=0.15)
    truth = taken[layer].made.truths["web01"]
    assert truth.minflt == pytest.approx(truth.faults, rel=0.02), "each first touch is one fault"
    sampled = len(truth.vcpu_samples_us) * {"uml": 512, "native": 2_048}[layer] / (truth.end - truth.begin)
    assert 0 < truth.faults_s - sampled < 1.1 * WEB.load.faults_s, "fewer on a busy machine"
    assert 0 < rate - truth.faults_s < 1_500, "faults of the collector: a shell, date, grep and sleep per sample"


@LAYER
def test_run_is_the_cpu_time_of_all_processes_of_the_guest(taken: dict[str, Taken], layer: str) -> None:
    read, rows = taken[layer].read, taken[layer].rows()
    assert len(read) > DURATION_S
    assert [ours for _, ours, _ in read] == pytest.approx([twin for _, _, twin in read], abs=0.1)
    (column,) = (name for name in rows[0] if "vmx-vcpu-0:web01" in name and name.endswith("\\% Run"))
    shown = [float(row[column]) for row in rows[1:]]
    (begin_s, run_then_s, _), (end_s, run_s, _) = read[0], read[-1]
    mean_pct = 100 * (run_s - run_then_s) / (end_s - begin_s)
    assert sum(shown) / len(shown) == pytest.approx(mean_pct, rel=0.2, abs=2)


@LAYER
def test_stamps_are_whole_seconds(taken: dict[str, Taken], layer: str) -> None:
    stamps = [next(iter(row.values())) for row in taken[layer].rows()]
    assert all(stamp.count(":") == 2 and "." not in stamp for stamp in stamps)
    assert len(set(stamps)) == len(stamps)


def test_a_guest_has_a_clock_of_its_own(taken: dict[str, Taken]) -> None:
    """The offset is not exact: a guest under a software MMU takes a while to start `date`."""
    assert taken["uml"].cost.clock.offset_s == pytest.approx(AHEAD_S, abs=5)
    assert taken["native"].cost.clock.offset_s == pytest.approx(0, abs=5)


def test_a_fault_costs_more_where_it_enters_the_layer(taken: dict[str, Taken]) -> None:
    software, hardware = (taken[layer].made.truths["web01"] for layer in GUESTS)
    assert software.vcpu_us > 5 * hardware.vcpu_us > 0
    assert len(software.vcpu_samples_us) >= 2, "measured in the same minutes"
    assert min(software.vcpu_alone_us) > 5 * max(hardware.vcpu_alone_us)
    assert software.wall_us > 5 * hardware.wall_us
    assert software.wall_p10_us <= software.wall_us <= software.wall_p90_us


def test_both_captures_can_be_compared(taken: dict[str, Taken]) -> None:
    comparison = compare_with(taken["uml"].analysis, taken["native"].analysis)
    assert {(each.vm, each.guest_counter) for each in comparison.faults} >= {("web01", "soft_faults")}


@LAYER
def test_a_guest_takes_input_over_ssh_and_sees_its_end(taken: dict[str, Taken], layer: str) -> None:
    lab, content = taken[layer].made.lab, os.urandom(300_000)
    (host,) = lab.hosts.values()
    processes = lab.running["web01"].cpu_time.processes
    before = len(processes())
    with open_shell(host.guests["web01"].target, Login(config_files=(lab.ssh_config,))) as shell:
        told = shell.run("sha256sum; exit 3", timeout_s=PATIENCE_S, stdin=content)
        assert (told.stdout.split()[0].decode(), told.status) == (hashlib.sha256(content).hexdigest(), 3)
        stream = shell.stream("echo started; cat")
        assert stream.read() == b"started\n"
        assert stream.write(b"more\n") == 5
        assert stream.read() == b"more\n"
        stream.close()
    end = time.monotonic() + PATIENCE_S
    while len(processes()) > before:
        assert time.monotonic() < end, "cat did not see the end of its input"
        time.sleep(0.05)


@LAYER
def test_the_host_passes_the_check(taken: dict[str, Taken], layer: str) -> None:
    lab = taken[layer].made.lab
    (host,) = lab.hosts.values()
    login = Login(config_files=(lab.ssh_config,))

    def way(target: str) -> Callable[[Callable[[str, str], None]], Shell]:
        return lambda passed: open_shell(target, login, passed=passed)

    task = lab_task(lab, ["web01"], CapturePlan(INTERVAL_S, DURATION_S // INTERVAL_S), INTERVAL_S)
    found = check_host(CheckTask(task, way(host.target), (way(host.guests["web01"].target),)), time.time)
    assert found.ok, found
