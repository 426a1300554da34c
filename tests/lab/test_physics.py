"""What a guest does costs vCPU time as the monitor mode says, and both sides' counters agree about it."""

import re
from dataclasses import replace

import numpy as np
import pytest
from captures_of import ROUNDING, Capture, capture_of
from labs import Passed, Tape

from esxprobe.collect.guest_loops import linux_loop, typeperf_loop
from esxprobe.lab.activity import Activity
from esxprobe.lab.guest import GuestMachine
from esxprobe.lab.plan import GuestPlan, HostPlan, VmPlan
from esxprobe.lab.scenarios import GUESTS, hardware_plan, software_plan

PLANS = {"software": software_plan(), "hardware": hardware_plan()}
Matrix = np.ndarray


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Capture]:
    return {name: capture_of(plan, tmp_path_factory.mktemp(name)) for name, plan in PLANS.items()}


def vm_of(plan: HostPlan, name: str) -> VmPlan:
    return next(vm for vm in plan.vms if vm.name == name)


def listened(plan: HostPlan, name: str, command: str) -> str:
    """What a guest says from before the host's first sample until behind its last one."""
    end = plan.true_start + plan.samples * plan.interval_s + 10
    wire = Tape()
    GuestMachine(vm_of(plan, name), plan, Passed(end), plan.true_start - 30).run(command, wire)
    return wire.said.decode()


def totals(plan: HostPlan, name: str) -> dict[str, Matrix]:
    """The counters of a Linux guest; `at` is the true time of each sample."""
    guest = vm_of(plan, name).guest
    assert guest is not None
    blocks = re.split(r"^@ ", listened(plan, name, linux_loop(5, 1_000)), flags=re.MULTILINE)[1:]
    found: dict[str, list[float]] = {"at": []}
    for block in blocks:
        stamp, *lines = block.splitlines()
        found["at"].append(float(stamp) - guest.clock_ahead_s)
        for line in lines:
            key, first, *rest = line.split()
            found.setdefault(key, []).append(float(first))
            if key == "cpu":
                for label, value in zip(("system", "idle", "iowait"), rest[1:4], strict=True):
                    found.setdefault(label, []).append(float(value))
    return {key: np.array(values) for key, values in found.items()}


def rates_at(plan: HostPlan, counters: dict[str, Matrix], key: str) -> Matrix:
    """A guest's counter as a rate over each interval of the host: totals between samples, differences."""
    edges = plan.true_start + np.arange(plan.samples) * plan.interval_s
    return np.diff(np.interp(edges, counters["at"], counters[key])) / plan.interval_s


def fault_cost(plan: HostPlan, capture: Capture, name: str) -> tuple[float, float]:
    """us of vCPU time a soft fault by plain least squares, and its naive standard error.

    Beside faults, the guest's context switches and its user time explain the vCPUs' %RUN.
    """
    counters = totals(plan, name)
    run_us = capture.vcpus(name, "% Run").sum(axis=1) * 1e4
    faults = rates_at(plan, counters, "pgfault") - rates_at(plan, counters, "pgmajfault")
    others = [rates_at(plan, counters, "ctxt"), rates_at(plan, counters, "cpu") * 1e4]
    reasons = np.column_stack([np.ones_like(faults), faults, *others])
    costs, *_ = np.linalg.lstsq(reasons, run_us, rcond=None)
    unexplained = run_us - reasons @ costs
    errors = np.sqrt(unexplained.var() * np.linalg.inv(reasons.T @ reasons).diagonal())
    return float(costs[1]), float(errors[1])


def test_the_planted_cost_is_found_on_the_software_host(captures: dict[str, Capture]) -> None:
    guest = vm_of(PLANS["software"], "cgi01").guest
    assert guest is not None
    cost, error = fault_cost(PLANS["software"], captures["software"], "cgi01")
    assert error < 0.1
    assert cost == pytest.approx(guest.native_us + guest.vmm_us, abs=0.25)


def test_only_the_native_cost_is_found_on_the_hardware_host(captures: dict[str, Capture]) -> None:
    guest = vm_of(PLANS["hardware"], "cgi01").guest
    assert guest is not None
    cost, error = fault_cost(PLANS["hardware"], captures["hardware"], "cgi01")
    assert error < 0.1
    assert cost == pytest.approx(guest.native_us, abs=0.25)


def test_an_unremarkable_rate_costs_less_than_one_percent_of_a_vcpu_anywhere() -> None:
    for plan in PLANS.values():
        activity = Activity(vm_of(plan, "intranet"), plan)
        edges = plan.true_start + np.arange(plan.samples) * plan.interval_s
        soft, faults_us = (np.diff(activity.total(name, edges)) / plan.interval_s for name in ("soft", "faults"))
        assert 200 < np.quantile(soft, 0.05) < np.quantile(soft, 0.95) < 4_000
        assert faults_us.max() / 1e4 < 1


def test_both_guests_do_the_same_on_either_host() -> None:
    for name in GUESTS:
        software, hardware = (totals(plan, name) for plan in PLANS.values())
        for key in ("pgfault", "pgmajfault", "ctxt", "processes"):
            assert np.array_equal(np.diff(software[key]), np.diff(hardware[key])), (name, key)
        assert np.abs(np.diff(software["cpu"]) - np.diff(hardware["cpu"])).max() <= 1
        assert np.diff(software["system"]).sum() > np.diff(hardware["system"]).sum()


@pytest.mark.parametrize("mmu", PLANS)
def test_the_host_sees_the_time_that_the_guest_spends(captures: dict[str, Capture], mmu: str) -> None:
    for name in GUESTS:
        counters = totals(PLANS[mmu], name)
        inside = (
            rates_at(PLANS[mmu], counters, "cpu") + rates_at(PLANS[mmu], counters, "system")
        ) * 1.0  # jiffies: %
        outside = captures[mmu].vcpus(name, "% Run").sum(axis=1)
        assert np.abs(outside - inside).mean() < 0.03 * inside.mean()
        assert np.corrcoef(outside, inside)[0, 1] > 0.98


@pytest.mark.parametrize("mmu", PLANS)
def test_every_world_closes_and_every_group_is_its_worlds_sum(captures: dict[str, Capture], mmu: str) -> None:
    capture = captures[mmu]
    closure = np.sum([capture["Vcpu", f"% {state}"] for state in ("Run", "Ready", "CoStop", "Wait")], axis=0)
    assert np.ptp(closure, axis=1).max() <= 8 * ROUNDING
    assert np.abs(closure[1:] - 98.9).max() < 0.1
    for vm in PLANS[mmu].vms:
        name = re.escape(vm.name)
        worlds = [bool(re.search(rf":{name}:\d+:", text)) for text in capture.instances("Vcpu", "% Run")]
        group = [text.endswith(f":{vm.name}") for text in capture.instances("Group Cpu", "% Run")]
        total = capture["Vcpu", "% Run"][:, worlds].sum(axis=1)
        assert np.abs(capture["Group Cpu", "% Run"][:, group][:, 0] - total).max() <= ROUNDING * (sum(worlds) + 1)


@pytest.mark.parametrize("name", GUESTS)
def test_a_guest_s_counters_are_those_of_a_machine(name: str) -> None:
    plan = PLANS["software"]
    counters = totals(plan, name)
    elapsed = np.diff(counters["at"])
    for key, values in counters.items():
        assert (np.diff(values) >= 0).all(), f"{key} runs backwards"
    jiffies = sum(np.diff(counters[key]) for key in ("cpu", "system", "idle", "iowait"))
    assert np.abs(jiffies - 100 * elapsed * vm_of(plan, name).vcpus).max() <= 4, "every second has its jiffies"
    assert (np.diff(counters["pgmajfault"]) <= np.diff(counters["pgfault"])).all()
    assert counters["pgfault"].max() < 2**32, "no counter of a 32-bit guest has come round"
    assert ((elapsed > 5.0) & (elapsed < 5.05)).all()


def test_rates_wander_and_burst() -> None:
    activity = Activity(vm_of(PLANS["software"], "cgi01"), PLANS["software"])
    edges = PLANS["software"].true_start + np.arange(181) * 5
    soft = np.diff(activity.total("soft", edges)) / 5
    assert 0.6 < np.corrcoef(soft[1:], soft[:-1])[0, 1] < 0.95
    assert np.quantile(soft, 0.95) > 1.5 * np.median(soft) > 30_000


def test_hard_faults_make_the_vcpus_wait_and_not_run() -> None:
    """Who waits for the disk does not compute: %RUN falls while hard faults rise."""
    quiet = GuestPlan(soft_faults_s=500, hard_faults_s=1, user_pct=80)
    plan = HostPlan(host="h", pcpus=2, vms=(VmPlan("v", 1_200_000, 1, 512, guest=quiet),))
    hot = replace(plan, vms=(replace(plan.vms[0], guest=replace(quiet, hard_faults_s=60)),))
    edges = np.array([plan.true_start, plan.true_start + 300])
    calm, busy = (Activity(each.vms[0], each) for each in (plan, hot))
    assert np.diff(busy.cpu_us(edges))[0] < 0.8 * np.diff(calm.cpu_us(edges))[0]
    before, after = (
        GuestMachine(each.vms[0], each, Passed(0), 0).stat(edges[1])[0].split() for each in (plan, hot)
    )
    assert int(after[5]) > 20 * int(before[5]), "jiffies of iowait"


def test_switches_cost_more_under_a_software_mmu() -> None:
    costs = {}
    for mmu in ("software", "hardware"):
        guest = GuestPlan(soft_faults_s=0, user_pct=0, kernel_pct=0, switches_s=1_000, wander=0)
        vm = VmPlan("v", 1_200_000, 1, 512, guest=guest, mmu=mmu)
        plan = HostPlan(host="h", pcpus=1, vms=(vm,))
        activity = Activity(vm, plan)
        edges = np.array([plan.true_start, plan.true_start + 100])
        costs[mmu] = float(np.diff(activity.cpu_us(edges))[0] / np.diff(activity.total("switches", edges))[0])
    assert costs == pytest.approx({"software": 2.3, "hardware": 0.8})


def test_a_longer_look_does_not_change_what_was_seen() -> None:
    plan = PLANS["software"]
    first, second = (Activity(vm_of(plan, "cgi01"), plan) for _ in "12")
    moments = plan.true_start + np.arange(0, 900, 7.3)
    early = first.total("soft", moments)
    second.total("soft", plan.true_start + 50_000)
    assert np.array_equal(second.total("soft", moments), early)


def test_windows_rates_are_those_of_the_guest() -> None:
    plan = PLANS["software"]
    name = next(vm.name for vm in plan.vms if vm.guest and vm.guest.system == "windows")
    lines = listened(plan, name, typeperf_loop(5, 1_000)).split("\r\n")
    rows = [line.strip('"').split('","') for line in lines if line.startswith('"')][2:]
    values = np.array([[float(cell) for cell in row[1:]] for row in rows])
    faults, reads, _, transition, zero, *_ = values.T
    assert (faults >= reads).all()
    assert (transition + zero <= faults).all()
    assert 500 < np.median(faults) < 5_000
    assert rows[0][0].startswith("01/23/2026 10:29"), "local time: an hour ahead of UTC"


def test_one_device_is_slow_for_two_minutes(captures: dict[str, Capture]) -> None:
    latency = captures["software"]["Physical Disk SCSI Device", "Average Guest MilliSec/Command"][1:]
    minute = np.arange(1, PLANS["software"].samples) * 5 / 60
    slow = (minute >= 10) & (minute < 12)
    assert latency[slow, 2].min() > 35
    assert latency[~slow, 2].max() < 5
    assert latency[:, :2].max() < 5


def test_an_old_release_lacks_what_came_later(captures: dict[str, Capture]) -> None:
    old, new = ({f"{obj}/{counter}" for obj, counter in captures[name].where} for name in PLANS)
    assert {"VSAN/Enabled?", "Vcpu/% CPU Latency", "Power/Power Usage Now Watts"} <= new - old
    assert old <= new
