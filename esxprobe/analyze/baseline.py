"""A capture against a baseline: what appeared, what is gone, and what faults cost in each."""

from __future__ import annotations

from collections.abc import Iterable

from esxprobe.model import Analysis, Comparison, FaultComparison, FaultCost, Finding


def compare_with(problem: Analysis, baseline: Analysis) -> Comparison:
    """What differs between two captures, of one host or of two.

    Group ids are new at every power-on, so entities are matched by kind and name; names that repeat within a
    capture are matched in the order of its findings.
    """
    before, now = _by_key(baseline.findings), _by_key(problem.findings)
    both = [(now[key], before[key]) for key in now if key in before]
    ran = [{*each.clear, *(finding.rule for finding in each.findings)} for each in (problem, baseline)]
    one_sided = ran[0] ^ ran[1]
    return Comparison(
        baseline=baseline.capture,
        faults=tuple(_faults(problem, baseline)),
        appeared=tuple(each for key, each in now.items() if key not in before and each.rule not in one_sided),
        gone=tuple(each for key, each in before.items() if key not in now and each.rule not in one_sided),
        changed=tuple((new, old) for new, old in both if new.severity != old.severity),
        same=sum(new.severity == old.severity for new, old in both),
        incomparable=tuple(sorted(one_sided)),
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
            yield compare(cost, before[key])


def _once(costs: Iterable[FaultCost]) -> dict[tuple[str, str], FaultCost]:
    seen: dict[tuple[str, str], list[FaultCost]] = {}
    for cost in costs:
        seen.setdefault((cost.vm, cost.guest_counter), []).append(cost)
    return {key: each[0] for key, each in seen.items() if len(each) == 1}
