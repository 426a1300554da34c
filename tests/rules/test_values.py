"""Parts, peers, facts, conditions and releases: what a rule's SQL can name, against slow twins."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shippedbook import find_rule
from tiny import Thing, recording, tables

from esxprobe.catalog.quality import note
from esxprobe.model import Level, Recording, VirtualMachine
from esxprobe.rules.checks import any_above
from esxprobe.rules.evaluate import capture_facts
from esxprobe.rules.judge import judge
from esxprobe.rules.record import Caveat, Effects, Part, Rule
from esxprobe.rules.release import release_of
from esxprobe.rules.skips import why_skipped
from esxprobe.rules.sources import rule_of_thumb

RUN, READY = r"Vcpu\% Run", r"Vcpu\% Ready"
SIZE = r"Group Memory\Memory Size MBytes"


def rule(entity: str, value: str, **more: object) -> Rule:
    """A rule that fires at 0 and above, to see its values."""
    template = find_rule("cpu-costop")
    levels = (Level("info", 0.0, rule_of_thumb("a test")),)
    changed = replace(template, id="made-up", entity=entity, value=value, levels=levels, check=any_above())
    return replace(changed, effects=Effects(implies=()), **more)  # type: ignore[arg-type]


def values_of(made: Rule, capture: Recording) -> list[list[float]]:
    assert why_skipped(made, capture) == ""
    return tables([made], capture)["made-up"].values.tolist()


def vcpu(gid: str, number: int, *runs: float | None) -> Thing:
    return Thing("vcpu", f"vCPU {number}", {RUN: runs}, f"{gid}{number}", gid)


cells = st.one_of(st.none(), st.integers(0, 100).map(float))


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.lists(cells, min_size=4, max_size=4)), min_size=1, max_size=9),
    st.sampled_from(["max", "min", "mean", "median", "sum", "count"]),
    st.integers(0, 100),
)
def test_a_part_is_what_a_loop_over_members_gives(
    members: list[tuple[str, list[float | None]]], how: str, least: int
) -> None:
    vms = [Thing("vm", gid, {SIZE: (1.0,) * 4}, gid, gid) for gid in "ABC"]
    vcpus = [vcpu(gid, n, *runs) for n, (gid, runs) in enumerate(members)]
    part = Part("p", "vcpu", how, f'"{RUN}"', where=f'"{RUN}" >= {least}')  # type: ignore[arg-type]
    made = rule("vm", '"p"', parts=(part,))
    capture = recording(*vms, *vcpus, samples=4)
    if all(run is None for _, runs in members for run in runs):
        assert why_skipped(made, capture) == f"every value of {RUN} is missing or a mark for none"
        return
    for gid, row in zip("ABC", values_of(made, capture), strict=True):
        for sample in range(4):
            mine = [runs[sample] for owner, runs in members if owner == gid]
            held = [run for run in mine if run is not None and run >= least]
            expected = slow(how, held) if mine else math.nan
            assert row[sample] == pytest.approx(expected, nan_ok=True)


def slow(how: str, held: list[float]) -> float:
    """One number from several; none from none, but for a count."""
    if how == "count":
        return len(held)
    if not held:
        return math.nan
    match how:
        case "sum":
            return sum(held)
        case "mean":
            return sum(held) / len(held)
        case "median":
            return float(np.median(held))
    return max(held) if how == "max" else min(held)


def test_peers_are_the_entities_of_the_same_kind_and_key() -> None:
    """Two VMs: each vCPU against the mean of its own VM, itself included."""
    capture = recording(vcpu("A", 0, 10, 20), vcpu("A", 1, 30, 40), vcpu("B", 0, 5, 5))
    peers = Part("mean of all", "vcpu", "mean", f'"{RUN}"')
    made = rule("vcpu", f'"{RUN}" - "mean of all"', parts=(peers,))
    assert values_of(made, capture) == [[-10, -10], [10, 10], [0, 0]]
    all_of_host = rule("vcpu", f'"{RUN}" / "mean of all"', parts=(replace(peers, by="host", how="sum"),))
    assert values_of(all_of_host, capture)[2] == pytest.approx([5 / 45, 5 / 65])


def test_what_a_thing_is_a_part_of_is_a_part_too() -> None:
    """A path and its device: the key of both is the device's name."""
    device = r"Physical Disk SCSI Device\Commands/sec"
    path = r"Physical Disk Path\Commands/sec"
    capture = recording(
        Thing("device", "naa.1", {device: (100.0, 50.0)}, "naa.1", device="naa.1"),
        Thing("device", "naa.2", {device: (10.0, 10.0)}, "naa.2", device="naa.2"),
        Thing("path", "vmhba0:C0:T0:L1", {path: (25.0, 50.0)}, device="naa.1"),
        Thing("path", "vmhba0:C0:T0:L2", {path: (5.0, 0.0)}, device="naa.2"),
        Thing("path", "vmhba0:C0:T0:L3", {path: (5.0, 0.0)}, device=None),
    )
    made = rule("path", f'"{path}" / "device"', parts=(Part("device", "device", "max", f'"{device}"'),))
    assert values_of(made, capture) == pytest.approx(
        np.array([[0.25, 1.0], [0.5, 0.0], [math.nan, math.nan]]), nan_ok=True
    )


def test_two_rules_may_call_different_things_alike() -> None:
    capture = recording(vcpu("A", 0, 10, 20), vcpu("A", 1, 30, 40))
    low = rule("vcpu", '"x"', parts=(Part("x", "vcpu", "min", f'"{RUN}"'),))
    high = replace(low, id="made-up-too", parts=(Part("x", "vcpu", "max", f'"{RUN}"'),))
    made = tables([low, high], capture)
    assert made["made-up"].values[0].tolist() == [10, 20]
    assert made["made-up-too"].values[0].tolist() == [30, 40]


def test_only_some_members_by_name() -> None:
    sent = r"Network Port\Packets Transmitted/sec"
    ports = [
        Thing("port", f"vSwitch0:3355443{n}:{client}", {sent: (float(n),)}, switch="vSwitch0")
        for n, client in enumerate(["vmnic0", "vmnic1", "vmk0"], start=1)
    ]
    part = Part("uplinks", "port", "sum", f'"{sent}"', by="switch", only=r":vmnic\d+$")
    assert values_of(rule("port", '"uplinks"', parts=(part,)), recording(*ports)) == [[3], [3], [3]]


def test_a_counter_that_only_a_part_needs_is_named_when_it_lacks() -> None:
    made = rule("vm", '"p"', parts=(Part("p", "vcpu", "max", f'"{READY}"'),))
    capture = recording(Thing("vm", "A", {SIZE: (1.0,)}, "A", "A"), vcpu("A", 0, 10))
    assert why_skipped(made, capture) == rf"the capture lacks {READY}"
    assert why_skipped(replace(made, optional=(READY,)), capture) == ""
    (finding,) = judge(capture, [replace(made, optional=(READY,))]).findings
    assert finding.value == 0
    assert READY in finding.caveats[0]


def test_parts_that_cannot_be_told_are_a_reason() -> None:
    path, device = r"Physical Disk Path\Commands/sec", r"Physical Disk SCSI Device\Commands/sec"
    made = rule("device", '"p"', parts=(Part("p", "path", "max", f'"{path}"'),))
    capture = recording(
        Thing("device", "naa.1", {device: (1.0,)}, device="naa.1"), Thing("path", "x", {path: (1.0,)}, device=None)
    )
    assert why_skipped(made, capture) == "the capture does not show which path belongs to which device"


def test_a_condition_leaves_the_other_samples_out() -> None:
    capture = recording(vcpu("A", 0, 10, 60, 70, None))
    made = rule("vcpu", f'"{RUN}"', where=f'"{RUN}" >= 50')
    assert values_of(made, capture) == pytest.approx(np.array([[math.nan, 60, 70, math.nan]]), nan_ok=True)


def test_a_share_of_nothing_is_no_value() -> None:
    capture = recording(vcpu("A", 0, 0, 5))
    (row,) = values_of(rule("vcpu", f'10 / "{RUN}"'), capture)
    assert row == pytest.approx([math.nan, 2], nan_ok=True)


def test_facts_of_the_vm_and_the_host() -> None:
    vms = [VirtualMachine("a", "A", 4), VirtualMachine("b", "B", 12)]
    capture = recording(
        vcpu("A", 0, 1), vcpu("B", 0, 1), vms=vms, shown={"pcpu": 8}, build="VMware ESXi 6.7.0 build-1"
    )
    facts = [r"Fact\vCPUs", r"Fact\Host vCPUs", r"Fact\VMs", r"Fact\PCPUs", r"Fact\Release", r"Fact\Interval s"]
    seen = [[row[0] for row in values_of(rule("vcpu", f'"{fact}"'), capture)] for fact in facts]
    assert seen == [[4, 12], [16, 16], [2, 2], [8, 8], [6.7, 6.7], [5, 5]]
    nodes = rule("vcpu", r'"Fact\NUMA Nodes"')
    assert why_skipped(nodes, capture) == "the capture does not contain NUMA Nodes"


# --- releases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "words"),
    [
        ("VMware ESXi 7.0.3 build-21930508", "7.0.3"),
        ("VMware ESX 4.1.0 build-260247", "4.1.0"),
        ("something else", "unknown"),
        ("", "unknown"),
    ],
)
def test_the_release_is_that_of_the_build(build: str, words: str) -> None:
    assert release_of(recording(samples=3, build=build)).words == words


def test_without_a_build_the_counters_tell_what_they_can() -> None:
    state, console, rdma = r"Memory\Kernel State", r"Memory\Console MBytes", r"RDMA Device\Queue Pairs Allocated"
    host = Thing("host", "h", {state: (0.0, 4.0)})
    assert release_of(recording(host)).words == "6.0 or later", "before 6.0 there was no state 4"
    assert release_of(recording(Thing("host", "h", {console: (1.0,)}))).words == "before 5.0"
    assert release_of(recording(Thing("rdma", "r", {rdma: (1.0,)}))).words == "6.5 or later"


@pytest.mark.parametrize(
    ("build", "skipped", "warned"),
    [("ESXi 6.0.0", True, False), ("ESXi 6.5.0", False, False), ("ESXi 8.0.1", True, False), ("", False, True)],
)
def test_a_rule_of_some_releases_runs_on_those_and_where_it_is_not_known(
    build: str, skipped: bool, warned: bool
) -> None:
    made = rule("vcpu", f'"{RUN}"', since="6.5", until="8.0")
    outcome = judge(recording(vcpu("A", 0, 1), vms=[VirtualMachine("a", "A", 1)], build=build), [made])
    assert bool(outcome.skipped) == skipped
    if skipped:
        assert outcome.skipped[0].reason.startswith(
            "it holds from 6.5 on and before 8.0, and the host's release is"
        )
    else:
        assert any("release is unknown" in caveat for caveat in outcome.findings[0].caveats) == warned


def test_a_caveat_of_other_releases_is_not_printed() -> None:
    made = rule("vcpu", f'"{RUN}"', caveats=("always", Caveat("old", until="6.0"), Caveat("new", since="6.0")))
    said = {}
    for build in ("ESXi 5.5.0", "ESXi 7.0.0", ""):
        capture = recording(vcpu("A", 0, 1), vms=[VirtualMachine("a", "A", 1)], build=build)
        said[build] = judge(capture, [made]).findings[0].caveats
    assert said == {"ESXi 5.5.0": ("always", "old"), "ESXi 7.0.0": ("always", "new"), "": ("always", "old", "new")}


# --- what the capture rules read ------------------------------------------------------------------


def test_time_missing_is_what_lies_between_the_samples() -> None:
    """Nine samples of 5 s, and 5 s in which there was none."""
    assert capture_facts(recording(samples=9))[r"Capture\% Time Missing"] == 0
    holed = capture_facts(recording(samples=9, pauses_s={4: 5.0}))
    assert holed[r"Capture\% Time Missing"] == pytest.approx(10)
    assert capture_facts(recording(samples=0))[r"Capture\% Time Missing"] == 0


def test_a_count_of_nothing_is_zero_and_no_reason_to_skip() -> None:
    """A VM without a memory limit has no value for it: that is an answer."""
    limit = r"Group Memory\Alloc Max"
    unlimited = recording(Thing("vm", "web01", {limit: [None] * 20}, "100", "100"))
    assert why_skipped(find_rule("vm-memory-limit"), unlimited) == ""
    outcome = judge(unlimited, [find_rule("vm-memory-limit")])
    assert outcome.clear == ("vm-memory-limit",)


def test_a_capture_without_all_fields_names_the_rules_that_this_costs() -> None:
    rules = [find_rule("capture-default-fields"), find_rule("numa-locality"), find_rule("vm-balloon")]
    vm = Thing("vm", "web01", {r"Group Memory\Memctl MBytes": [0.0] * 20}, "100", "100")
    (finding,) = judge(recording(vm, notes=[note("default-fields", 1)]), rules).findings
    assert (finding.rule, finding.members) == ("capture-default-fields", ("numa-locality",))
