"""Cause before symptom: what is attached to what, how sure, and in which order."""

from dataclasses import replace

import pytest
from shippedbook import find_rule
from tiny import HOST, Thing, recording

from esxprobe.model import Explanation, Finding, Level, VirtualMachine
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.judge import Outcome, judge
from esxprobe.rules.record import Effects, Rule
from esxprobe.rules.sources import rule_of_thumb

COSTOP, STATE = r"Vcpu\% CoStop", r"Memory\Kernel State"
SWAPPED, DROPS = r"Group Memory\Swapped MBytes", r"Network Port\% Outbound Packets Dropped"
LATENCY = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
SENT = r"Physical Disk Per-Device-Per-World\Commands/sec"
READ_MS, READS, WRITES = (rf"Virtual Disk\{name}" for name in ("Average MilliSec/Read", "Reads/sec", "Writes/sec"))
# Ten minutes of five seconds: the trouble is in the last two.
SHORT, LONG = (5.0,) * 24, (0.0,) * 96
EFFECTS = set(Effects.__slots__)
LATE, ALWAYS, NEVER = LONG + SHORT, (5.0,) * 120, (0.0,) * 120


def made(rule_id: str, entity: str, counter: str, severity: str = "warning", **more: object) -> Rule:
    """A rule that fires where its counter is at 1 or above for a minute."""
    levels = (Level(severity, 1.0, rule_of_thumb("a test")),)  # type: ignore[arg-type]
    check = sustained_above(share=0.1, run_s=60)
    plain = replace(find_rule("vm-balloon"), id=rule_id, entity=entity, value=f'"{counter}"', levels=levels)
    effects = Effects(**{name: more.pop(name) for name in EFFECTS & more.keys()})  # type: ignore[arg-type]
    return replace(plain, check=check, confirm="", effects=effects, **more)  # type: ignore[arg-type]


def judged(rules: list[Rule], *things: Thing) -> Outcome:
    vms = [VirtualMachine(f"vm{gid}", gid, 1) for gid in ("1", "2")]
    return judge(recording(*things, vms=vms), rules)


def host(values: tuple[float, ...]) -> Thing:
    return Thing("host", HOST, {STATE: values})


def vcpu(gid: str, values: tuple[float, ...], **more: tuple[float, ...]) -> Thing:
    return Thing("vcpu", "vCPU 0", {COSTOP: values, **more}, f"{gid}0", gid)


def vm(gid: str, values: tuple[float, ...]) -> Thing:
    return Thing("vm", f"vm{gid}", {SWAPPED: values}, gid, gid)


def vdisk(gid: str, values: tuple[float, ...], iops: float = 40.0) -> Thing:
    rates = {READS: (iops / 2,) * len(values), WRITES: (iops / 2,) * len(values)}
    return Thing("vdisk", f"vm{gid}:scsi0:0", {READ_MS: values, **rates}, f"vm{gid}:scsi0:0", gid)


def device(name: str, values: tuple[float, ...]) -> Thing:
    return Thing("device", name, {LATENCY: values}, name, device=name)


def sent(gid: str, name: str, iops: float = 40.0) -> Thing:
    """What a VM sends to a device."""
    return Thing("device-world", f"{name}-{gid}", {SENT: (iops,) * 120}, gid=gid, device=name)


def port(name: str, values: tuple[float, ...], switch: str = "vSwitch0") -> Thing:
    number = 33554434 + len(name)
    return Thing("port", f"{switch}:{number}:{name}", {DROPS: values}, f"{switch} {name}", switch=switch)


HOST_CAUSE = made("host-cause", "host", STATE, implies=("vcpu-symptom",), host_wide=True)
VM_CAUSE = made("vm-cause", "vm", SWAPPED, implies=("vcpu-symptom",))
SYMPTOM = made("vcpu-symptom", "vcpu", COSTOP, severity="critical")
SLOW_DEVICE = made("slow-device", "device", LATENCY, implies=("slow-disk",))
SLOW_DISK = made("slow-disk", "vdisk", READ_MS)


def symptoms(outcome: Outcome) -> dict[str, Finding]:
    return {f.entity.name: f for f in outcome.findings if f.rule == "vcpu-symptom"}


def causes(outcome: Outcome, rule: str = "vcpu-symptom", name: str = "") -> dict[str, Explanation]:
    """What explains the findings of a rule, by the explaining rule."""
    found = [f for f in outcome.findings if f.rule == rule and name in f.entity.name]
    return {each.rule: each for finding in found for each in finding.explained_by}


# --- the place: where a cause can reach a symptom ---------------------------------------------------------


def test_a_symptom_on_the_same_vm_at_the_same_time_is_explained_with_high_confidence() -> None:
    outcome = judged([VM_CAUSE, SYMPTOM], vm("1", LATE), vcpu("1", LATE))
    (cause,) = symptoms(outcome)["vm1"].explained_by
    assert (cause.finding, cause.confidence) == ("vm-cause/vm/1", "high")
    assert (cause.overlap, cause.elsewhere) == (1.0, 0.0)
    assert "both concern the same VM" in cause.because
    assert "the cause was present during 100 % of the affected time and 0 % of the remaining time" in cause.because
    assert "vm-cause" in cause.confirm, "without a check of its own the cause's value is the next one"


def test_another_vm_explains_nothing() -> None:
    outcome = judged([VM_CAUSE, SYMPTOM], vm("1", LATE), vm("2", NEVER), vcpu("2", LATE))
    assert symptoms(outcome)["vm2"].explained_by == ()


def test_a_shortage_of_the_whole_host_reaches_its_vms_and_any_other_state_of_the_host_does_not() -> None:
    things = (host(LATE), vcpu("1", LATE))
    wide = causes(judged([HOST_CAUSE, SYMPTOM], *things))
    assert wide["host-cause"].confidence == "high"
    assert "it affected the whole host" in wide["host-cause"].because
    assert (
        causes(
            judged([replace(HOST_CAUSE, effects=replace(HOST_CAUSE.effects, host_wide=False)), SYMPTOM], *things)
        )
        == {}
    )


def test_that_both_are_on_this_host_is_no_reason() -> None:
    here = replace(VM_CAUSE, effects=replace(VM_CAUSE.effects, implies=("slow-device",)))
    outcome = judged([here, made("slow-device", "device", LATENCY)], vm("1", LATE), device("naa.1", LATE))
    assert all(not finding.explained_by for finding in outcome.findings)


def test_a_virtual_disk_is_reached_by_the_device_that_carries_its_commands_and_by_no_other() -> None:
    rules, things = [SLOW_DEVICE, SLOW_DISK], (device("naa.1", LATE), device("naa.2", NEVER), vdisk("1", LATE))
    below = causes(judged(rules, *things, sent("1", "naa.1")), "slow-disk")
    assert below["slow-device"].confidence == "high"
    assert "the virtual disk is on this device" in below["slow-device"].because
    assert causes(judged(rules, *things, sent("1", "naa.2")), "slow-disk") == {}
    assert causes(judged(rules, *things), "slow-disk") == {}, "where nobody can tell, nothing is said"


def test_of_two_devices_of_a_vm_the_one_that_carries_as_many_commands_as_the_disk_is_its_own() -> None:
    rules = [SLOW_DEVICE, SLOW_DISK]
    things = (device("naa.1", LATE), device("naa.2", NEVER), vdisk("1", LATE, iops=40))
    busy = causes(judged(rules, *things, sent("1", "naa.1", 40), sent("1", "naa.2", 300)), "slow-disk")
    assert busy["slow-device"].confidence == "high"
    other = causes(judged(rules, *things, sent("1", "naa.1", 300), sent("1", "naa.2", 40)), "slow-disk")
    assert other == {}
    both = causes(judged(rules, *things, sent("1", "naa.1", 40), sent("1", "naa.2", 40)), "slow-disk")
    assert both["slow-device"].confidence == "medium", "never high while nobody can tell which of the two it is"
    assert "one of the 2 devices" in both["slow-device"].because


def test_one_virtual_disk_of_a_vm_does_not_explain_the_next() -> None:
    rules = [made("above-device", "vdisk", READ_MS, implies=("slow-disk",)), SLOW_DISK]
    other = replace(vdisk("1", LATE), name="vm1:scsi0:1", id="vm1:scsi0:1")
    outcome = judged(rules, vdisk("1", LATE), other)
    for finding in outcome.findings:
        assert {each.entity for each in finding.explained_by} <= {finding.entity}


def test_what_a_vm_does_on_one_device_does_not_reach_its_disk_on_another() -> None:
    rules = [made("noisy-vm", "device-world", SENT, implies=("slow-disk",)), SLOW_DISK]
    noisy = Thing("device-world", "naa.2-1", {SENT: tuple(60 * each for each in LATE)}, gid="1", device="naa.2")
    things = (vdisk("1", LATE), sent("1", "naa.1"), device("naa.1", NEVER), device("naa.2", NEVER))
    (slow,) = [each for each in judged(rules, noisy, *things).findings if each.rule == "slow-disk"]
    assert all("naa.2" not in each.finding for each in slow.explained_by)


def path(name: str, of: str, adapter: str) -> Thing:
    return Thing("path", name, {}, name, device=of, adapter=adapter)


def test_an_adapter_reaches_the_devices_whose_paths_go_through_it() -> None:
    aborts = r"Physical Disk Adapter\Aborts/sec"
    rules = [
        made("bad-adapter", "adapter", aborts, implies=("slow-device",)),
        made("slow-device", "device", LATENCY),
    ]
    things = (Thing("adapter", "vmhba1", {aborts: LATE}, "vmhba1", adapter="vmhba1"), device("naa.1", LATE))
    half = judged(rules, *things, path("p0", "naa.1", "vmhba0"), path("p1", "naa.1", "vmhba1"))
    assert causes(half, "slow-device")["bad-adapter"].confidence == "medium"
    assert "1 of the device's 2 paths" in causes(half, "slow-device")["bad-adapter"].because
    whole = judged(rules, *things, path("p0", "naa.1", "vmhba1"), path("p1", "naa.1", "vmhba1"))
    assert causes(whole, "slow-device")["bad-adapter"].confidence == "high"
    other = judged(rules, *things, path("p0", "naa.1", "vmhba0"))
    assert causes(other, "slow-device") == {}


def test_a_disk_is_on_the_nfs_volume_that_alone_carries_as_many_commands() -> None:
    gavg, sent_s = (
        rf"Physical Disk NFS Volume\{name}" for name in ("Average Guest MilliSec/Command", "Commands/sec")
    )

    def volume(name: str, values: tuple[float, ...], commands: float) -> Thing:
        return Thing("nfs-volume", name, {gavg: values, sent_s: (commands,) * 120}, name)

    rules = [made("slow-volume", "nfs-volume", gavg, implies=("slow-disk",)), SLOW_DISK]
    disk = vdisk("1", LATE, iops=40)
    alone = judged(rules, disk, volume("nfs1", LATE, 60), volume("nfs2", NEVER, 2))
    assert causes(alone, "slow-disk")["slow-volume"].confidence == "medium"
    assert causes(judged(rules, disk, volume("nfs1", LATE, 60), volume("nfs2", NEVER, 60)), "slow-disk") == {}
    assert causes(judged(rules, disk, volume("nfs1", LATE, 2), volume("nfs2", NEVER, 60)), "slow-disk") == {}


def test_an_uplink_reaches_the_ports_of_its_own_switch() -> None:
    ports = r":\d{8,10}:\d+:"
    rules = [
        made("uplink-drops", "port", DROPS, only=r":vmnic\d+$", implies=("port-drops",)),
        made("port-drops", "port", DROPS, only=ports),
    ]
    uplink, mine = port("vmnic0", LATE), port("444768:web01", LATE)
    alone = causes(judged(rules, uplink, mine), "port-drops")
    assert alone["uplink-drops"].confidence == "high"
    teamed = causes(judged(rules, uplink, port("vmnic1", NEVER), mine), "port-drops")
    assert teamed["uplink-drops"].confidence == "medium"
    assert "one of the 2 uplinks" in teamed["uplink-drops"].because
    elsewhere = port("444768:web01", LATE, switch="vSwitch1")
    assert causes(judged(rules, uplink, elsewhere), "port-drops") == {}


def test_a_pcpu_reaches_the_vms_that_were_seen_on_it() -> None:
    busy, home = r"Physical Cpu\% Util Time", r"Vcpu\Physical Cpu"
    rules = [made("busy-pcpu", "pcpu", busy, implies=("vcpu-symptom",)), SYMPTOM]
    pcpu = Thing("pcpu", "PCPU 3", {busy: LATE}, "3", pcpu="3")
    here, there = {home: (3.0,) * 120}, {home: (7.0,) * 120}
    outcome = judged(rules, pcpu, vcpu("1", LATE, **here), vcpu("2", LATE, **there))
    assert causes(outcome, name="vm1")["busy-pcpu"].confidence == "medium", "they move: one of several"
    assert "on this PCPU in 24 samples" in causes(outcome, name="vm1")["busy-pcpu"].because
    assert causes(outcome, name="vm2") == {}
    same = judged(rules, pcpu, vcpu("1", LATE, **here), vcpu("2", LATE, **here))
    assert causes(same) == {}, "ESXi 6 prints one number for all: that is no answer"


# --- the time: there with it, and absent without it -------------------------------------------------------


def test_another_time_explains_nothing() -> None:
    outcome = judged([VM_CAUSE, SYMPTOM], vm("1", SHORT + LONG), vcpu("1", LATE))
    assert symptoms(outcome)["vm1"].explained_by == ()


def test_what_begins_with_a_cause_may_outlast_it_by_a_minute() -> None:
    """The cause lasts the first minute of the trouble, the symptom two; what begins later does not belong to it."""
    cause = LONG + (5.0,) * 12 + (0.0,) * 12
    (both,) = causes(judged([VM_CAUSE, SYMPTOM], vm("1", cause), vcpu("1", LATE))).values()
    assert both.overlap == 1.0
    pause = LONG + (0.0,) * 13 + (5.0,) * 12
    assert causes(judged([VM_CAUSE, SYMPTOM], vm("1", (*cause, 0.0)), vcpu("1", pause))) == {}


@pytest.mark.parametrize(("shared", "confidence"), [(24, "high"), (16, "medium"), (8, "low"), (2, None)])
def test_confidence_falls_with_the_time_that_both_share(shared: int, confidence: str | None) -> None:
    """The symptom lasts 24 samples, and begins before the cause but for so many of them."""
    cause = (0.0,) * 24 + (5.0,) * 48 + (0.0,) * 72
    symptom = (0.0,) * shared + (5.0,) * 24 + (0.0,) * (120 - shared)
    outcome = judged([HOST_CAUSE, SYMPTOM], host(cause), vcpu("1", symptom))
    explained = symptoms(outcome)["vm1"].explained_by
    assert (explained[0].confidence if explained else None) == confidence


def test_a_cause_that_was_there_all_along_does_not_explain_what_came_suddenly() -> None:
    (low,) = causes(judged([VM_CAUSE, SYMPTOM], vm("1", ALWAYS), vcpu("1", LATE))).values()
    assert (low.overlap, low.elsewhere, low.confidence) == (1.0, 1.0, "low")


def test_where_both_lasted_all_the_time_only_the_place_counts() -> None:
    (same,) = causes(judged([VM_CAUSE, SYMPTOM], vm("1", ALWAYS), vcpu("1", ALWAYS))).values()
    assert (same.confidence, same.elsewhere) == ("medium", None)
    assert "nearly the whole capture" in same.because


def test_what_stays_when_its_cause_is_gone_belongs_to_what_it_began_in() -> None:
    """Memory that was swapped out stays there until the guest asks for it."""
    pressure, swapped = (0.0,) * 30 + (5.0,) * 24 + (0.0,) * 66, (0.0,) * 36 + (5.0,) * 84
    stays = replace(SYMPTOM, effects=replace(SYMPTOM.effects, lingers=True))
    assert (
        causes(judged([VM_CAUSE, SYMPTOM], vm("1", pressure), vcpu("1", swapped)))["vm-cause"].confidence == "low"
    )
    (cause,) = causes(judged([VM_CAUSE, stays], vm("1", pressure), vcpu("1", swapped))).values()
    assert cause.confidence == "high"
    assert "or present when it began" in cause.because
    before = (5.0,) * 120
    assert causes(judged([VM_CAUSE, stays], vm("1", pressure), vcpu("1", before)))["vm-cause"].confidence == "low"


def test_a_cause_is_there_at_its_mildest_level_too() -> None:
    """The host was short from the first minute of the trouble on, and very short for a part of it."""
    levels = (Level("critical", 9.0, rule_of_thumb("a test")), *VM_CAUSE.levels)
    worst = (0.0,) * 60 + (5.0,) * 40 + (10.0,) * 20
    outcome = judged(
        [replace(VM_CAUSE, levels=levels), SYMPTOM], vm("1", worst), vcpu("1", LONG[:60] + (5.0,) * 60)
    )
    assert causes(outcome)["vm-cause"].confidence == "high"


def test_a_moment_together_is_no_evidence() -> None:
    """Two samples of trouble, found by their share of a short capture."""
    moment = (0.0,) * 14 + (5.0,) * 2
    for cause in (VM_CAUSE, replace(VM_CAUSE, effects=replace(VM_CAUSE.effects, accounts_for=("vcpu-symptom",)))):
        (low,) = causes(judged([cause, SYMPTOM], vm("1", (5.0,) * 16), vcpu("1", moment))).values()
        assert low.confidence == "low"
    (low,) = causes(judged([VM_CAUSE, SYMPTOM], vm("1", moment), vcpu("1", moment))).values()
    assert low.confidence == "low", "not even where both were there at no other time"


def test_a_setting_is_judged_by_its_place_alone() -> None:
    wide = replace(VM_CAUSE, setting=True)
    (held,) = causes(judged([wide, SYMPTOM], vm("1", ALWAYS), vcpu("1", LATE))).values()
    assert held.confidence == "medium"
    assert "timing is not evidence" in held.because
    ratio = replace(HOST_CAUSE, setting=True)
    (low,) = causes(judged([ratio, SYMPTOM], host(ALWAYS), vcpu("1", LATE))).values()
    assert low.confidence == "low", "a size of the host explains no trouble of one VM"


def test_beside_a_cause_that_came_with_the_symptom_what_was_there_before_is_low() -> None:
    wide = made("wide-vm", "vm", r"Group Cpu\Members", implies=("vcpu-symptom",), setting=True)
    both = replace(vm("1", LATE), values={SWAPPED: LATE, r"Group Cpu\Members": ALWAYS})
    found = causes(judged([wide, VM_CAUSE, SYMPTOM], both, vcpu("1", LATE)))
    assert {rule: each.confidence for rule, each in found.items()} == {"vm-cause": "high", "wide-vm": "low"}


def test_what_a_value_is_made_of_needs_no_contrast() -> None:
    makes = replace(VM_CAUSE, effects=replace(VM_CAUSE.effects, accounts_for=("vcpu-symptom",)))
    (cause,) = causes(judged([makes, SYMPTOM], vm("1", ALWAYS), vcpu("1", LATE))).values()
    assert cause.confidence == "medium"


def test_a_latency_that_was_there_before_makes_up_no_larger_one() -> None:
    """The device always took 12 ms; a virtual disk that suddenly takes 60 does not wait for that."""
    below = replace(SLOW_DEVICE, effects=replace(SLOW_DEVICE.effects, accounts_for=("slow-disk",)), unit="ms")
    disk = replace(SLOW_DISK, unit="ms")

    def confidence(disk_ms: float) -> str:
        slow = vdisk("1", LONG + (disk_ms,) * 24)
        outcome = judged([below, disk], device("naa.1", (12.0,) * 120), sent("1", "naa.1"), slow)
        return causes(outcome, "slow-disk")["slow-device"].confidence

    assert (confidence(20.0), confidence(60.0)) == ("medium", "low")


# --- over rules between, and the order --------------------------------------------------------------------


def test_a_cause_works_through_a_rule_that_fired_or_could_not_run_and_not_through_one_that_is_clear() -> None:
    """A host that is short of memory does not make a VM wait for pages that were never swapped."""
    root = made("root-cause", "host", STATE, implies=("vm-cause",), host_wide=True)
    rules, things = [root, VM_CAUSE, SYMPTOM], (host(LATE), vcpu("1", LATE))
    assert causes(judged(rules, *things, vm("1", LATE))).keys() == {"vm-cause", "root-cause"}
    assert causes(judged(rules, *things)).keys() == {"root-cause"}, "the capture lacks what vm-cause judges"
    assert causes(judged(rules, *things, vm("1", NEVER))) == {}
    assert causes(judged(rules, *things, vm("1", NEVER), vm("2", LATE))) == {}, "another VM's trouble is no link"


def test_but_not_from_the_host_over_a_vm_to_a_device() -> None:
    """Without the VM's finding nobody knows which VM and which device that would be."""
    root = made("root-cause", "host", STATE, implies=("vm-cause",), host_wide=True)
    rules = [
        root,
        replace(VM_CAUSE, effects=replace(VM_CAUSE.effects, implies=("slow-device",))),
        made("slow-device", "device", LATENCY),
    ]
    things = (host(LATE), device("naa.1", LATE), sent("1", "naa.1"))
    assert causes(judged(rules, *things), "slow-device") == {}
    assert causes(judged(rules, *things, vm("1", LATE)), "slow-device").keys() == {"vm-cause"}


def order(*rules: Rule, cause: tuple[float, ...] = LATE) -> list[str]:
    return [f.rule for f in judged(list(rules), host(cause), vm("1", cause), vcpu("1", LATE)).findings]


def test_a_warning_stands_before_the_critical_symptom_that_it_explains() -> None:
    assert order(HOST_CAUSE, SYMPTOM) == ["host-cause", "vcpu-symptom"]
    assert order(HOST_CAUSE, SYMPTOM, cause=SHORT + LONG) == ["vcpu-symptom", "host-cause"], "worst first"


def test_an_info_stands_before_a_warning_that_it_explains_for_sure_and_before_no_critical_one() -> None:
    info = made("host-cause", "host", STATE, "info", implies=("vcpu-symptom",), host_wide=True)
    assert order(info, replace(SYMPTOM, levels=VM_CAUSE.levels)) == ["host-cause", "vcpu-symptom"]
    assert order(info, SYMPTOM) == ["vcpu-symptom", "host-cause"]


def test_a_setting_of_the_vm_leads_and_one_of_the_host_does_not() -> None:
    of_vm = made("vm-cause", "vm", SWAPPED, "info", implies=("vcpu-symptom",), setting=True)
    assert order(of_vm, SYMPTOM) == ["vm-cause", "vcpu-symptom"]
    of_host = made("host-cause", "host", STATE, "info", implies=("vcpu-symptom",), setting=True, host_wide=True)
    assert order(of_host, SYMPTOM) == ["vcpu-symptom", "host-cause"]


def test_two_causes_stand_before_the_symptoms_of_either() -> None:
    things = [host(LATE), vm("1", LATE), vcpu("1", LATE), vcpu("2", LATE), device("naa.1", LATE)]
    storage = made("slow-device", "device", LATENCY, cause="storage")
    outcome = judged([VM_CAUSE, SYMPTOM, replace(storage, levels=SYMPTOM.levels)], *things)
    names = [f.rule for f in outcome.findings]
    assert names.index("slow-device") < max(n for n, rule in enumerate(names) if rule == "vcpu-symptom")
    assert set(names[:3]) == {"vm-cause", "slow-device", "vcpu-symptom"}


def test_slices_count_each_finding_where_it_was_beyond() -> None:
    """Ten minutes in twelve slices of 50 s; beyond only in the last two minutes."""
    outcome = judged([HOST_CAUSE, SYMPTOM], host(LATE), vcpu("1", LATE))
    assert [each.critical for each in outcome.slices] == [each.warning for each in outcome.slices]
    assert [each.critical for each in outcome.slices] == [0] * 9 + [1] * 3
    assert sum(outcome.findings[0].slices) == 24 * 5
    assert {(each.end - each.start).total_seconds() for each in outcome.slices} == {50.0}
    assert sum(each.judged_s for each in outcome.slices) == 600
