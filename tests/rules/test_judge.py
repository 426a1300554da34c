"""Running the book: every rule has an outcome, and findings are merged, ranked and timed."""

import random
from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shippedbook import RULES, find_rule, judge
from tiny import HOST, START, Thing, recording

from esxprobe.catalog.quality import CODES, note
from esxprobe.errors import UnknownRuleError
from esxprobe.model import Finding, Recording, VirtualMachine
from esxprobe.rules import shipped
from esxprobe.rules.evaluate import capture_facts
from esxprobe.rules.rank import ranked
from esxprobe.rules.skips import NO_GUEST_LOG, NO_LOG, NOT_ASKED, not_there, why_skipped

READY, LIMITED, COSTOP = r"Vcpu\% Ready", r"Vcpu\% Max Limited", r"Vcpu\% CoStop"
STATE, BALLOON = r"Memory\Kernel State", r"Group Memory\Memctl MBytes"
NEEDS = sorted({path for paths in shipped().needs_by_kind().values() for path in paths})


def vcpu(number: int, ready: float, gid: str = "100", samples: int = 24) -> Thing:
    """A vCPU of the VM with this group id, ready for this share of all the time [%]."""
    values = {READY: (ready,) * samples, LIMITED: (0.0,) * samples}
    return Thing("vcpu", f"vCPU {number}", values, id=f"{gid}{number:03}", gid=gid)


# --- every rule has an outcome --------------------------------------------------------------------


def test_every_rule_ends_in_exactly_one_list(everything: Recording) -> None:
    """Whatever counters a capture lacks: found, clear or skipped, and never silence."""

    @given(st.sets(st.sampled_from(NEEDS)))
    def holds(dropped: set[str]) -> None:
        tidy = {kind: frame.drop(dropped, strict=False) for kind, frame in everything.tidy.items()}
        outcome = judge(replace(everything, tidy=tidy))
        skipped = [each.rule for each in outcome.skipped]
        listed = sorted([*{finding.rule for finding in outcome.findings}, *outcome.clear, *skipped])
        assert listed == [rule.id for rule in RULES]
        for each in outcome.skipped:
            rule = find_rule(each.rule)
            if each.reason in (NO_GUEST_LOG, NO_LOG) or each.reason.startswith((NOT_ASKED, "it holds ")):
                continue
            needed = [path for paths in rule.needs_by_kind.values() for path in paths]
            lacking = [path for path in needed if path in dropped and path not in rule.optional]
            assert lacking, f"{each.rule} had all that it needs"
            assert all(path in each.reason for path in lacking), "the reason names every counter that lacks"

    holds()


def test_a_rule_says_which_counter_it_lacks(everything: Recording) -> None:
    lame = replace(everything, tidy={k: f.drop(LIMITED, strict=False) for k, f in everything.tidy.items()})
    assert why_skipped(find_rule("cpu-limit"), lame) == rf"the capture lacks {LIMITED}"


def test_ready_is_judged_without_max_limited_and_says_so() -> None:
    """Some captures lack %MLMTD: a waiting vCPU is worth more than a tidy difference."""
    whole = recording(vcpu(0, 50, samples=24), vms=[VirtualMachine("sql01", "100", 1)], samples=24)
    lame = replace(whole, tidy={k: f.drop(LIMITED, strict=False) for k, f in whole.tidy.items()})
    (finding,) = judge(lame, [find_rule("cpu-ready")]).findings
    assert finding.value == 50
    assert "% Max Limited" in finding.caveats[0]


def test_a_counter_without_any_value_is_as_good_as_lacking(everything: Recording) -> None:
    empty = {k: f.with_columns(pl.lit(None, pl.Float64).alias(READY)) for k, f in everything.tidy.items()}
    reason = why_skipped(find_rule("cpu-ready"), replace(everything, tidy=empty))
    assert reason == f"every value of {READY} is missing or a mark for none"


def test_a_rule_for_one_name_is_skipped_where_nobody_has_it(everything: Recording) -> None:
    others = everything.entities["group"].with_columns(pl.lit("hostd").alias("name"))
    lame = replace(everything, entities={**everything.entities, "group": others})
    assert why_skipped(find_rule("observer-cost"), lame) == "no group has a name that this rule judges"


def test_without_a_known_interval_nothing_is_judged_but_the_capture() -> None:
    outcome = judge(recording(vcpu(0, 50, samples=0), samples=0))
    assert {each.reason for each in outcome.skipped} == {"the capture has no sample with a known interval"}
    assert {rule.entity for rule in RULES if rule.id in outcome.clear} == {"capture"}


def test_a_kind_that_the_capture_does_not_show_is_named_by_its_counter() -> None:
    """A host without VMs has no vCPU world at all."""
    outcome = judge(recording(samples=24))
    reasons = {each.rule: each.reason for each in outcome.skipped}
    assert reasons["cpu-costop"] == f"the capture lacks {COSTOP}"


def test_an_unknown_rule_is_met_with_the_nearest_ones() -> None:
    with pytest.raises(UnknownRuleError) as caught:
        find_rule("cpu-redy")
    assert caught.value.hint.startswith("did you mean cpu-ready")
    with pytest.raises(UnknownRuleError) as caught:
        find_rule("§")
    assert "rules list" in caught.value.hint


# --- one finding a VM -----------------------------------------------------------------------------


def test_the_vcpus_of_a_vm_are_one_finding_with_the_worst_first() -> None:
    things = [vcpu(0, 7), vcpu(1, 12), vcpu(2, 1), vcpu(3, 30)]
    (finding,) = judge(recording(*things, vms=[VirtualMachine("sql01", "100", 4)])).findings
    assert (finding.entity.kind, finding.entity.name, finding.entity.id) == ("vm", "sql01", "100")
    assert finding.members == ("vCPU 3", "vCPU 1", "vCPU 0"), "vCPU 2 is healthy"
    assert (finding.severity, finding.value, finding.threshold) == ("critical", 30, 10)


def test_one_vm_is_not_blamed_for_the_sum_over_its_vcpus() -> None:
    """Eight vCPUs at 2 % are 16 % at group level, and healthy."""
    things = [vcpu(n, 2) for n in range(8)]
    assert not judge(recording(*things, vms=[VirtualMachine("wide", "100", 8)])).findings


def test_two_vms_with_one_name_stay_apart() -> None:
    things = [vcpu(0, 20, gid="100"), vcpu(0, 12, gid="200")]
    twins = [VirtualMachine("app-test", "100", 1), VirtualMachine("app-test", "200", 1)]
    findings = judge(recording(*things, vms=twins)).findings
    assert [(f.entity.name, f.entity.id, f.value) for f in findings] == [
        ("app-test", "100", 20),
        ("app-test", "200", 12),
    ]


def test_waiting_for_a_limit_is_not_waiting_for_a_cpu() -> None:
    limited = Thing("vcpu", "vCPU 0", {READY: (30.0,) * 24, LIMITED: (29.0,) * 24}, "100000", "100")
    findings = judge(recording(limited, vms=[VirtualMachine("capped", "100", 1)])).findings
    assert [finding.rule for finding in findings] == ["cpu-limit"]


# --- ranking --------------------------------------------------------------------------------------


def findings_of_a_bad_day() -> tuple[Finding, ...]:
    """A host short of memory and CPU, with three VMs that suffer."""
    bad = (200.0,) * 24
    things = [
        Thing("host", HOST, {STATE: (3.0,) * 24, r"Physical Cpu\% Util Time": (80.0,) * 24}, ""),
        *(vcpu(0, ready, gid) for gid, ready in (("100", 20), ("200", 20), ("300", 6))),
        *(Thing("vm", name, {BALLOON: bad}, gid, gid) for gid, name in (("100", "b"), ("200", "a"), ("300", "c"))),
    ]
    vms = [VirtualMachine("b", "100", 1), VirtualMachine("a", "200", 1), VirtualMachine("c", "300", 1)]
    return judge(recording(*things, vms=vms, notes=[note("row-lost", 1)])).findings


def test_worst_first_then_the_cause_before_its_symptoms_and_the_host_before_its_vms() -> None:
    shown = [(f.severity, f.rule, f.entity.name) for f in findings_of_a_bad_day()]
    assert shown == [
        ("critical", "memory-state", HOST),
        ("warning", "pcpu-saturated", HOST),
        ("critical", "cpu-ready", "a"),
        ("critical", "cpu-ready", "b"),
        ("warning", "vm-balloon", "a"),
        ("warning", "vm-balloon", "b"),
        ("warning", "vm-balloon", "c"),
        ("warning", "cpu-ready", "c"),
        ("warning", "capture-quality", "esxtop-000.csv"),
    ]


@settings(deadline=None)  # the first query of a process is slow
@given(st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_depend_on_the_order_of_rules(shuffler: random.Random) -> None:
    findings = findings_of_a_bad_day()
    mixed = list(findings)
    shuffler.shuffle(mixed)
    assert ranked(mixed) == findings


# --- when it happened -----------------------------------------------------------------------------


def windows_of(ready: list[float], **more: object) -> list[tuple[float, float]]:
    """Windows of one vCPU's %RDY in seconds after the first stamp, in order of time."""
    values = {READY: ready, LIMITED: [0.0] * len(ready)}
    thing = Thing("vcpu", "vCPU 0", values, "100000", "100")
    findings = judge(recording(thing, vms=[VirtualMachine("vm", "100", 1)], **more)).findings  # type: ignore[arg-type]
    (finding,) = [each for each in findings if each.rule == "cpu-ready"]
    spans = sorted(finding.windows, key=lambda span: span.start)
    assert finding.first == spans[0].start
    assert finding.last == spans[-1].end
    return [((s.start - START).total_seconds(), (s.end - START).total_seconds()) for s in spans]


def test_a_window_starts_one_interval_before_its_first_stamp() -> None:
    """The stamp is the end of what a sample covers: samples 3 to 6 of 5 s cover 10 to 30 s."""
    assert windows_of([0, 0, 9, 9, 9, 9, 0, 0]) == [(10, 30)]


def test_a_window_is_as_long_as_its_samples_are() -> None:
    assert windows_of([0, 9, 9, 0], lengths_s=[5, 7, 5, 5]) == [(5, 17)]


def test_a_sample_behind_a_gap_stands_for_no_more_than_one_and_a_half_intervals() -> None:
    """Nobody knows whether esxtop was late or rows were lost, so one row does not weigh like many."""
    assert windows_of([0, 9, 9, 0], lengths_s=[5, 20, 5, 5]) == [(17.5, 30)]


def test_one_dip_does_not_end_an_episode_but_two_do() -> None:
    assert windows_of([9, 9, 0, 9, 9, 0, 0, 9, 9]) == [(0, 25), (35, 45)]


def test_a_window_does_not_reach_over_the_pause_between_two_captures() -> None:
    """Captures appended to one file: what happened in the hours between them was not seen."""
    assert windows_of([9] * 8, pauses_s={4: 7200}) == [(0, 20), (7220, 7240)]


def test_a_window_does_not_run_backwards_when_the_clock_does() -> None:
    spans = windows_of([9] * 8, pauses_s={4: -3600})
    assert all(start < end for start, end in spans)
    assert len(spans) == 2


def test_the_longest_stretches_are_listed_and_the_rest_only_counted() -> None:
    """Twenty short episodes and a long one: the long one leads, and the list stays short."""
    ready = ([9.0] * 2 + [0.0] * 3) * 20 + [9.0] * 10
    thing = Thing("vcpu", "vCPU 0", {READY: ready, LIMITED: [0.0] * len(ready)}, "100000", "100")
    (finding,) = judge(recording(thing, vms=[VirtualMachine("vm", "100", 1)])).findings
    assert finding.windows[0].seconds == 50
    assert len(finding.windows) == 12
    assert finding.first == START
    assert finding.last == START + timedelta(seconds=5 * len(ready)), "of all windows, not of those listed"
    assert finding.share_of_samples == pytest.approx(50 / 110)


def test_missing_samples_are_not_counted_as_judged() -> None:
    values = {READY: [None] * 20 + [9.0] * 20, LIMITED: [0.0] * 40}
    thing = Thing("vcpu", "vCPU 0", values, "100000", "100")
    (finding,) = judge(recording(thing, vms=[VirtualMachine("vm", "100", 1)])).findings
    assert (finding.samples, finding.share_of_samples) == (20, 1.0)


# --- the capture itself ---------------------------------------------------------------------------


def test_only_damage_that_can_change_a_number_counts_as_doubt() -> None:
    for code in CODES:
        doubts = capture_facts(recording(samples=9, notes=[note(code.code, 3)]))[r"Capture\Doubts"]
        assert doubts == (0 if code.severity == "info" else 1), code.code


def test_every_code_of_damage_or_doubt_is_named_by_a_finding_of_its_severity() -> None:
    for code in CODES:
        findings = judge(recording(samples=24, notes=[note(code.code, 3)])).findings
        named = {(finding.rule, finding.severity, finding.members) for finding in findings}
        rule = {"critical": "capture-damaged", "warning": "capture-quality"}.get(code.severity)
        assert ((rule, code.severity, (code.code,)) in named) == (rule is not None), code.code
        costs_rules = code.code == "default-fields"  # the one piece of information that has a rule of its own
        assert rule or not named or costs_rules, "what is only information gives no finding"


def test_rows_lost_are_those_not_kept_and_those_without_an_interval() -> None:
    kept = recording(samples=99, rows_read=100)
    assert capture_facts(kept)[r"Capture\% Rows Lost"] == 0
    fewer = recording(samples=89, rows_read=100, notes=[note("time-repeats", 4), note("time-backwards", 1)])
    assert capture_facts(fewer)[r"Capture\% Rows Lost"] == 15
    nothing = recording(samples=0, rows_read=0)
    assert capture_facts(nothing)[r"Capture\% Rows Lost"] == 0, "no row at all is no division by zero"


def test_what_the_host_does_not_have_is_told_from_what_the_capture_lacks(everything: Recording) -> None:
    """A capture with all fields shows RDMA devices where there are some; one without -a cannot tell."""
    bare = {kind: frame for kind, frame in everything.entities.items() if kind != "rdma"}
    tidy = {kind: frame for kind, frame in everything.tidy.items() if kind != "rdma"}
    said = pl.DataFrame({"object": ["Group Cpu", "Group Cpu"], "counter": ["% Run", "% CPU Latency"]})
    without = replace(everything, entities=bare, tidy=tidy, columns=said)
    reason = why_skipped(find_rule("rdma-receives-nothing"), without)
    assert reason == "not there on this host: the capture, made with all fields, shows no RDMA device"
    assert not_there(reason)
    fewer = replace(without, columns=said.head(1))
    assert not not_there(why_skipped(find_rule("rdma-receives-nothing"), fewer))
    assert why_skipped(find_rule("rdma-receives-nothing"), fewer).startswith("the capture lacks RDMA Device")
