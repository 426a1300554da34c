"""A capture against a baseline: what appeared, what is gone, and what faults cost in each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from esxprobe.analyze.levels import Measured
from esxprobe.analyze.shifts import not_in_both, shifts
from esxprobe.analyze.summary import clock_pct
from esxprobe.catalog.events import KINDS
from esxprobe.model import (
    Analysis,
    Comparison,
    EventsOfBoth,
    FaultComparison,
    FaultCost,
    Finding,
    HostFacts,
    Likeness,
    Provenance,
    Recording,
    worst_first,
)

if TYPE_CHECKING:
    from esxprobe.correlate import Setting
    from esxprobe.rules import RuleBook


def compare_with(
    problem: Analysis,
    baseline: Analysis,
    now: Measured | None = None,
    before: Measured | None = None,
    book: RuleBook | None = None,
) -> Comparison:
    """What differs between two captures, of one host or of two.

    Group ids are new at every power-on, so entities are matched by kind and name; names that repeat within a
    capture are matched in the order of its findings.

    Args:
        problem: This capture.
        baseline: The other one.
        now: What was measured in this one; without it counters are not compared.
        before: What was measured in the other one.
        book: The rules in use, whose thresholds say which changes of counters matter.
    """
    old, new = _by_key(baseline.findings), _by_key(problem.findings)
    both = [(new[key], old[key]) for key in new if key in old]
    ran = [{*each.clear, *(finding.rule for finding in each.findings)} for each in (problem, baseline)]
    one_sided = ran[0] ^ ran[1]
    found = Comparison(
        baseline=baseline.capture,
        faults=tuple(_faults(problem, baseline)),
        appeared=tuple(each for key, each in new.items() if key not in old and each.rule not in one_sided),
        gone=tuple(each for key, each in old.items() if key not in new and each.rule not in one_sided),
        changed=tuple((a, b) for a, b in both if a.severity != b.severity),
        same=sum(a.severity == b.severity for a, b in both),
        incomparable=tuple(sorted(one_sided)),
        stayed=tuple((a, b) for a, b in both if a.severity == b.severity),
        settings=_side_by_side(problem, baseline),
        events=_events(problem, baseline),
    )
    if now is None or before is None:
        return found
    came, went, lacking = not_in_both(before, now)
    return replace(found, shifts=shifts(before, now, book), came=came, went=went, lacking=lacking)


def _events(problem: Analysis, baseline: Analysis) -> tuple[EventsOfBoth, ...]:
    """Events of both by kind, worst first."""
    if not problem.events and not baseline.events:
        return ()
    now, before = (Counter(event.kind for event in each.events) for each in (problem, baseline))
    kinds = [kind for kind in KINDS if kind.key in now or kind.key in before]
    return tuple(
        EventsOfBoth(
            kind.key,
            now[kind.key] if problem.event_logs else None,
            before[kind.key] if baseline.event_logs else None,
        )
        for kind in sorted(kinds, key=lambda each: worst_first(each.severity))
    )


def _by_key(findings: Iterable[Finding]) -> dict[tuple[str, str, str, int], Finding]:
    found: dict[tuple[str, str, str, int], Finding] = {}
    for finding in findings:
        # A host may be called otherwise in the other capture, and there is only one in each.
        name = "" if finding.entity.kind in ("host", "capture") else finding.entity.name
        number = 0
        while (finding.rule, finding.entity.kind, name, number) in found:
            number += 1
        found[finding.rule, finding.entity.kind, name, number] = finding
    return found


def _faults(problem: Analysis, baseline: Analysis) -> Iterable[FaultComparison]:
    """Costs of VMs and kinds of faults that both captures have once."""
    from esxprobe.correlate import compare

    before = _once(baseline.fault_costs)
    for key, cost in _once(problem.fault_costs).items():
        if key in before:
            other = before[key]
            yield compare(cost, other, _setting(problem, cost.gid), _setting(baseline, other.gid))


def _setting(analysis: Analysis, gid: str) -> Setting:
    """What a VM of an analysis ran on."""
    known = analysis.provenance, analysis.capture.build, analysis.clock_pct
    return setting_of(*known, next((vm.vcpus for vm in analysis.vms if vm.gid == gid), 0))


def setting_of(provenance: Provenance | None, build: str, clock_pct: float | None, vcpus: int) -> Setting:
    """What a VM or a whole host ran on in a capture, as far as its manifest, header and counters say it."""
    from esxprobe.correlate import Setting

    facts = provenance.facts if provenance else HostFacts()
    return Setting(
        cpu_model=facts.cpu_model,
        build=facts.build or build,
        power_policy=facts.power_policy,
        clock_pct=math.nan if clock_pct is None else clock_pct,
        vcpus=vcpus,
    )


def _side_by_side(problem: Analysis, baseline: Analysis) -> tuple[Likeness, ...]:
    """What both captures ran on, and how much work there was."""
    from esxprobe.correlate import HostWork, hosts_side_by_side

    logged = [
        {name: cost for (name, kind), cost in _once(each.fault_costs).items() if kind != "hard_faults"}
        for each in (problem, baseline)
    ]
    both = logged[0].keys() & logged[1].keys()
    made = []
    for analysis, costs in zip((problem, baseline), logged, strict=True):
        known = analysis.provenance, analysis.capture.build, analysis.clock_pct
        commands = [row.commands for row in analysis.device_rows if row.commands is not None]
        made.append(
            HostWork(
                setting=setting_of(*known, sum(vm.vcpus for vm in analysis.vms)),
                vms=len(analysis.vms),
                util_pct=math.nan if analysis.util_p95 is None else analysis.util_p95,
                commands_s=sum(commands) if commands else math.nan,
                guests=len(both),
                faults_s=sum(costs[name].rates.mean for name in both) if both else math.nan,
            )
        )
    return hosts_side_by_side(*made)


def measured_against(
    costs: tuple[FaultCost, ...], recording: Recording, provenance: Provenance | None, baseline: Analysis
) -> tuple[FaultCost, ...]:
    """Costs of faults, judged anew where the baseline, in the other monitor mode, tells what they were."""
    from esxprobe.correlate import compare, with_comparison

    mine, before = _once(costs), _once(baseline.fault_costs)
    clock = clock_pct(recording)
    judged = []
    for cost in costs:
        key = (cost.vm, cost.guest_counter)
        if key not in mine or key not in before:
            judged.append(cost)
            continue
        vcpus = next((vm.vcpus for vm in recording.vms if vm.gid == cost.gid), 0)
        here = setting_of(provenance, recording.build, clock, vcpus)
        there = _setting(baseline, before[key].gid)
        judged.append(with_comparison(cost, compare(cost, before[key], here, there)))
    return tuple(judged)


def _once(costs: Iterable[FaultCost]) -> dict[tuple[str, str], FaultCost]:
    seen: dict[tuple[str, str], list[FaultCost]] = {}
    for cost in costs:
        seen.setdefault((cost.vm, cost.guest_counter), []).append(cost)
    return {key: each[0] for key, each in seen.items() if len(each) == 1}
