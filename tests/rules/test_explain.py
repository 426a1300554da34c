"""Cause before symptom: what is attached to what, how sure, and in which order."""

from dataclasses import replace

import pytest
from shippedbook import find_rule
from tiny import HOST, Thing, recording

from esxprobe.model import Finding, Level, VirtualMachine
from esxprobe.rules.checks import sustained_above
from esxprobe.rules.judge import Outcome, judge
from esxprobe.rules.record import Rule
from esxprobe.rules.sources import rule_of_thumb

COSTOP, STATE = r"Vcpu\% CoStop", r"Memory\Kernel State"
LATENCY = r"Physical Disk SCSI Device\Average Driver MilliSec/Command"
SHORT, LONG = (5.0,) * 24, (0.0,) * 96


def made(rule_id: str, entity: str, counter: str, severity: str = "warning", **more: object) -> Rule:
    """A rule that fires where its counter is at 1 or above for a minute."""
    levels = (Level(severity, 1.0, rule_of_thumb("a test")),)  # type: ignore[arg-type]
    check = sustained_above(share=0.1, run_s=60)
    plain = replace(find_rule("vm-balloon"), id=rule_id, entity=entity, value=f'"{counter}"', levels=levels)
    return replace(plain, check=check, confirm="", **{"implies": (), **more})  # type: ignore[arg-type]


def judged(rules: list[Rule], *things: Thing) -> Outcome:
    vms = [VirtualMachine(f"vm{gid}", gid, 1) for gid in ("1", "2")]
    return judge(recording(*things, vms=vms), rules)


def host(values: tuple[float, ...]) -> Thing:
    return Thing("host", HOST, {STATE: values})


def vcpu(gid: str, values: tuple[float, ...]) -> Thing:
    return Thing("vcpu", "vCPU 0", {COSTOP: values}, f"{gid}0", gid)


def vm(gid: str, values: tuple[float, ...]) -> Thing:
    return Thing("vm", f"vm{gid}", {r"Group Memory\Swapped MBytes": values}, gid, gid)


HOST_CAUSE = made("host-cause", "host", STATE, implies=("vcpu-symptom",))
VM_CAUSE = made("vm-cause", "vm", r"Group Memory\Swapped MBytes", implies=("vcpu-symptom",))
SYMPTOM = made("vcpu-symptom", "vcpu", COSTOP, severity="critical")


def symptoms(outcome: Outcome) -> dict[str, Finding]:
    return {f.entity.name: f for f in outcome.findings if f.rule == "vcpu-symptom"}


def test_a_symptom_on_the_same_vm_at_the_same_time_is_explained_with_high_confidence() -> None:
    outcome = judged([VM_CAUSE, SYMPTOM], vm("1", LONG + SHORT), vcpu("1", LONG + SHORT))
    (cause,) = symptoms(outcome)["vm1"].explained_by
    assert (cause.finding, cause.confidence, cause.overlap) == ("vm-cause/vm/1", "high", 1.0)
    assert "same VM" in cause.because
    assert "vm-cause" in cause.confirm, "without a check of its own the cause's value is the next one"


def test_another_vm_explains_nothing() -> None:
    outcome = judged([VM_CAUSE, SYMPTOM], vm("1", LONG + SHORT), vm("2", LONG + LONG[:24]), vcpu("2", LONG + SHORT))
    assert symptoms(outcome)["vm2"].explained_by == ()


def test_another_time_explains_nothing() -> None:
    outcome = judged([VM_CAUSE, SYMPTOM], vm("1", SHORT + LONG), vcpu("1", LONG + SHORT))
    assert symptoms(outcome)["vm1"].explained_by == ()


def test_what_follows_within_a_minute_still_belongs_to_it() -> None:
    """The cause ends at 120 s; the symptom lasts the minute behind it."""
    outcome = judged([VM_CAUSE, SYMPTOM], vm("1", SHORT + LONG), vcpu("1", (0.0,) * 24 + (5.0,) * 12 + (0.0,) * 84))
    assert symptoms(outcome)["vm1"].explained_by[0].overlap == 1.0


@pytest.mark.parametrize(("shared", "confidence"), [(24, "high"), (16, "medium"), (8, "low"), (2, None)])
def test_confidence_falls_with_the_time_that_both_share(shared: int, confidence: str | None) -> None:
    """A host cause is one step less close than one on the same VM; 24 samples of symptom, so many shared."""
    begins = 60 + 24 - shared + 12  # the minute behind the cause's end counts too
    cause = (0.0,) * 12 + (5.0,) * 48 + (0.0,) * 84
    symptom = tuple(5.0 if begins - 24 <= n < begins else 0.0 for n in range(144))
    outcome = judged([HOST_CAUSE, SYMPTOM], host(cause), vcpu("1", symptom))
    explained = symptoms(outcome)["vm1"].explained_by
    assert (explained[0].confidence if explained else None) == confidence


def test_a_mild_cause_stands_before_the_critical_symptom_that_it_explains() -> None:
    outcome = judged([HOST_CAUSE, SYMPTOM], host(LONG + SHORT), vcpu("1", LONG + SHORT))
    assert [finding.rule for finding in outcome.findings] == ["host-cause", "vcpu-symptom"]
    apart = judged([HOST_CAUSE, SYMPTOM], host(SHORT + LONG), vcpu("1", LONG + SHORT))
    assert [finding.rule for finding in apart.findings] == ["vcpu-symptom", "host-cause"], (
        "not explained: worst first"
    )


def test_a_cause_works_through_a_rule_that_did_not_fire() -> None:
    root = made("root-cause", "host", STATE, implies=("vm-cause",))
    outcome = judged(
        [root, VM_CAUSE, SYMPTOM], host(LONG + SHORT), vm("1", LONG + LONG[:24]), vcpu("1", LONG + SHORT)
    )
    assert [each.rule for each in symptoms(outcome)["vm1"].explained_by] == ["root-cause"]


def test_things_that_only_share_the_host_need_to_be_implied_there() -> None:
    device = Thing("device", "naa.1", {LATENCY: LONG + SHORT}, device="naa.1")
    slow = made("device-slow", "device", LATENCY)
    here = replace(VM_CAUSE, implies=("device-slow",))
    outcome = judged([here, slow], vm("1", LONG + SHORT), device)
    assert all(not finding.explained_by for finding in outcome.findings)
    anywhere = replace(VM_CAUSE, implies=(), implies_on_host=("device-slow",))
    (finding,) = [f for f in judged([anywhere, slow], vm("1", LONG + SHORT), device).findings if f.explained_by]
    assert finding.explained_by[0].confidence == "medium", "never high without anything in common but the host"
    assert "both are on this host" in finding.explained_by[0].because


def test_slices_count_each_finding_where_it_was_beyond() -> None:
    """Ten minutes in twelve slices of 50 s; beyond only in the last two minutes."""
    outcome = judged([HOST_CAUSE, SYMPTOM], host(LONG + SHORT), vcpu("1", LONG + SHORT))
    assert [each.critical for each in outcome.slices] == [each.warning for each in outcome.slices]
    assert [each.critical for each in outcome.slices] == [0] * 9 + [1] * 3
    assert sum(outcome.findings[0].slices) == 24 * 5
    assert {(each.end - each.start).total_seconds() for each in outcome.slices} == {50.0}
    assert sum(each.judged_s for each in outcome.slices) == 600
