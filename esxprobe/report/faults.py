"""View records of the panel on guest faults: already worded, rounded and sorted."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from esxprobe.correlate.numbers import rounded
from esxprobe.correlate.verdict import ASSUMED_US
from esxprobe.model import Analysis, Cut, FaultCost, Verdict
from esxprobe.report.bothsides import PairRow, pair_rows
from esxprobe.report.fault_charts import spec_of_scatter, spec_over_time
from esxprobe.report.formatting import MODES, isolated, joined, moment, number, plural, threshold
from esxprobe.report.unlogged import UnloggedRow, unlogged_rows

# What each verdict is called in the report, worst first, and the color that it borrows.
VERDICTS: dict[Verdict, tuple[str, str]] = {
    "severe": ("severe", "critical"),
    "noticeable": ("noticeable", "warning"),
    "possible": ("possible", "info"),
    "unknown_mode": ("monitor mode unknown", "info"),
    "inconclusive": ("inconclusive", "info"),
    "negligible": ("negligible", "none"),
    "native": ("native cost", "none"),
}
COUNTERS = {"soft_faults": "soft faults/s", "hard_faults": "hard faults/s", "faults": "faults/s"}
# VMs with a panel of their own, the worst first; the others are in the table, and their words below it.
_PICTURED = 8
# Names of VMs without a log that are listed before the rest is counted.
_NAMED = 30
# Stretches of time that are written out for each reason.
_SPANS = 5


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One line of the table of VMs with guest data."""

    vm: str
    gid: str
    verdict: str
    badge: str
    mmu: str
    faults: str
    mean: str
    p95: str
    assumed: str
    measured: str
    most: str


@dataclass(frozen=True, slots=True)
class FaultBlock:
    """One kind of fault of one VM: the words, the numbers, the pictures."""

    title: str
    verdict: str
    badge: str
    statement: str
    advice: tuple[str, ...]
    statistics: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    cuts: tuple[tuple[str, str], ...]
    over_time: str
    scatter: str
    chart_words: str


@dataclass(frozen=True, slots=True)
class FaultVm:
    """One VM with guest data."""

    anchor: str
    name: str
    gid: str
    mmu: str
    evidence: str
    log: str
    blocks: tuple[FaultBlock, ...]


@dataclass(frozen=True, slots=True)
class FaultPanel:
    """The whole panel."""

    rows: tuple[FaultRow, ...]
    vms: tuple[FaultVm, ...]
    unpictured: str
    in_words: tuple[tuple[str, str], ...]
    missing: str
    command: str
    unlogged: tuple[UnloggedRow, ...]
    pairs: tuple[PairRow, ...]
    assumed: str


def fault_specs(analysis: Analysis) -> dict[str, dict[str, Any]]:
    """Vega-Lite specs of the panel's pictures, by the keys under which the page looks for them."""
    specs = {}
    shown = [cost for costs in _by_vm(analysis)[:_PICTURED] for cost in _pictured(costs)]
    for cost in shown:
        if cost.series is not None:
            specs[_key(cost, "time")] = spec_over_time(cost.series, _unit(cost), len(shown))
        if cost.scatter is not None and cost.scatter.faults:
            specs[_key(cost, "scatter")] = spec_of_scatter(cost.scatter, _unit(cost), len(shown))
    return specs


def fault_panel(analysis: Analysis, drawings: dict[str, str]) -> FaultPanel:
    """The panel of an analysis; `drawings` are the SVGs of `fault_specs`."""
    vms = _by_vm(analysis)
    logged = {use.gid for use in analysis.guest_logs}
    without = [vm.name for vm in analysis.vms if vm.gid not in logged]
    shown = without[:_NAMED]
    missing = ""
    if without:
        rest = f" and {len(without) - len(shown)} more" if len(without) > len(shown) else ""
        missing = f"{len(without)} {plural(len(without), 'VM')} without guest data: {', '.join(shown)}{rest}."
    return FaultPanel(
        rows=tuple(_row(cost) for costs in vms for cost in costs),
        vms=tuple(_vm(costs, analysis, drawings) for costs in vms[:_PICTURED]),
        unpictured=_unpictured(len(vms)),
        in_words=tuple((cost.vm, cost.statement) for costs in vms[_PICTURED:] for cost in costs),
        missing=missing,
        command=_command(analysis, without),
        unlogged=unlogged_rows(analysis),
        pairs=pair_rows(analysis),
        assumed=f"{ASSUMED_US:g} µs",
    )


def _unpictured(count: int) -> str:
    if count <= _PICTURED:
        return ""
    return (
        f"The {_PICTURED} VMs with the worst verdicts have panels with charts. The {count - _PICTURED} others"
        " are in the table, and in words below it. The JSON document has every number of all of them. For a panel"
        " of one VM make a report with its --guest-log alone."
    )


def fault_sentence(analysis: Analysis) -> str:
    """The worst of the guests' faults in one sentence; empty without guest data."""
    ranked = sorted(analysis.fault_costs, key=_rank)
    if not ranked:
        return ""
    worst = ranked[0]
    kind = _unit(worst).removesuffix("/s")
    rate = f"{number(worst.rates.mean)} {_unit(worst)}"
    if worst.verdict in ("severe", "noticeable", "possible"):
        return f"{_headline(worst, kind)} ({rate}, software MMU)."
    counts = Counter(_pictured(costs)[0].verdict for costs in _by_vm(analysis))
    shown = [f"{counts[verdict]} {name}" for verdict, (name, _) in VERDICTS.items() if counts[verdict]]
    return f"Guest faults of the {plural(counts.total(), 'VM')} with guest data: {joined(shown)}."


def _headline(cost: FaultCost, kind: str) -> str:
    vm = isolated(cost.vm)
    if cost.measured is not None:
        return f"The {kind} of {vm} took {number(cost.measured.pct_vcpu, '%')} of one vCPU"
    if cost.verdict == "noticeable":
        return f"The {kind} of {vm} took vCPU time that the guest did not account for"
    return (
        f"The {kind} of {vm} may have taken {_share(_assumed(cost))} of one vCPU at {_assumed_us(cost)} per fault"
    )


def _assumed(cost: FaultCost) -> float:
    return math.nan if cost.bound is None else cost.bound.pct_vcpu


def _assumed_us(cost: FaultCost) -> str:
    return "–" if cost.bound is None else threshold(rounded(cost.bound.us), "µs")


def _by_vm(analysis: Analysis) -> list[list[FaultCost]]:
    """The costs of each VM, the worst verdict first, then the VM whose faults could take most of a vCPU."""
    groups: dict[str, list[FaultCost]] = {}
    for cost in analysis.fault_costs:
        groups.setdefault(cost.gid or cost.vm, []).append(cost)
    return sorted(groups.values(), key=lambda costs: (*min(map(_rank, costs)), costs[0].vm, costs[0].gid))


def _rank(cost: FaultCost) -> tuple[int, float]:
    return list(VERDICTS).index(cost.verdict), -_size(cost)


def _size(cost: FaultCost) -> float:
    """By what two faults of one verdict are ranked [% of one vCPU, or faults/s without an assumed cost]."""
    sizes = (cost.measured.pct_vcpu if cost.measured else math.nan, _assumed(cost), cost.rates.mean)
    return next((size for size in sizes if not math.isnan(size)), -1.0)


def _pictured(costs: list[FaultCost]) -> list[FaultCost]:
    """The kinds of faults of a VM that get pictures: the one that takes most, and others that matter."""
    first = max(costs, key=_size)
    return [cost for cost in costs if cost is first or cost.verdict in ("severe", "noticeable")]


def _key(cost: FaultCost, picture: str) -> str:
    return f"fault:{cost.gid}:{cost.vm}:{cost.guest_counter}:{picture}"


def _unit(cost: FaultCost) -> str:
    return COUNTERS.get(cost.guest_counter, cost.guest_counter)


def _row(cost: FaultCost) -> FaultRow:
    name, badge = VERDICTS[cost.verdict]
    return FaultRow(
        vm=cost.vm,
        gid=cost.gid,
        verdict=name,
        badge=badge,
        mmu=cost.mmu,
        faults=_unit(cost),
        mean=number(cost.rates.mean),
        p95=number(cost.rates.p95),
        assumed=_share(_assumed(cost)),
        measured=_measured(cost),
        most=_share(cost.upper.pct_vcpu if cost.upper else None),
    )


def _measured(cost: FaultCost) -> str:
    found = cost.measured
    return "–" if found is None else f"{number(found.pct_vcpu, '%')} ({number(found.low)} to {number(found.high)})"


def _share(share: float | None) -> str:
    """A share of a vCPU [%]; one too small to print is not called zero."""
    if share is None or math.isnan(share):
        return "–"
    return number(share, "%") if share >= 0.005 or share <= 0 else "under 0.01 %"


def _vm(costs: list[FaultCost], analysis: Analysis, drawings: dict[str, str]) -> FaultVm:
    first = costs[0]
    evidence = next((vm.mmu_evidence for vm in analysis.vms if vm.gid == first.gid), "")
    return FaultVm(
        anchor=anchor_of(first),
        name=first.vm,
        gid=first.gid,
        mmu=MODES[first.mmu],
        evidence=evidence,
        log=_log(analysis, first.gid),
        blocks=tuple(_block(cost, drawings) for cost in costs),
    )


def fault_anchors(analysis: Analysis) -> dict[str, str]:
    """Ids of the panels of VMs that have one, by group id."""
    return {costs[0].gid: anchor_of(costs[0]) for costs in _by_vm(analysis)[:_PICTURED]}


def anchor_of(cost: FaultCost) -> str:
    """The id of its VM's panel on the page."""
    return re.sub(r"\W+", "-", f"faults-{cost.gid or cost.vm}")


def _log(analysis: Analysis, gid: str) -> str:
    uses = [use for use in analysis.guest_logs if use.gid == gid]
    return "; ".join(
        f"{use.file} ({use.format}{f' of {use.computer}' if use.computer else ''}, "
        f"every {_seconds(use.interval_s)}, {moment(use.first)} to {moment(use.last)} UTC; "
        f"{use.matched_by}; {use.offset})"
        for use in uses
    )


def _block(cost: FaultCost, drawings: dict[str, str]) -> FaultBlock:
    name, badge = VERDICTS[cost.verdict]
    unit = _unit(cost)
    return FaultBlock(
        title=f"{unit.removesuffix('/s').capitalize()} and vCPU time",
        verdict=name,
        badge=badge,
        statement=cost.statement,
        advice=cost.advice,
        statistics=cost.statistics,
        facts=_facts(cost, unit),
        cuts=tuple((f"{cut.intervals:,}", _meaning(cut)) for cut in cost.intervals.cuts if cut.intervals),
        over_time=drawings.get(_key(cost, "time"), ""),
        scatter=drawings.get(_key(cost, "scatter"), ""),
        chart_words=f"{unit} and vCPU time of {cost.vm} over time, and as a scatter plot",
    )


def _meaning(cut: Cut) -> str:
    """Why intervals were left out, and where events give the reason, from when to when."""
    spans = [f"{moment(each.start)} to {moment(each.end)}" for each in cut.logged[:_SPANS]]
    more = [f"{len(cut.logged) - _SPANS} more"] if len(cut.logged) > _SPANS else []
    return f"{cut.meaning}; {joined([*spans, *more])} UTC" if spans else cut.meaning


def _facts(cost: FaultCost, unit: str) -> tuple[tuple[str, str], ...]:
    rates = cost.rates
    found = [
        (
            f"{unit}: mean, median, 95th percentile",
            joined([number(rates.mean), number(rates.median), number(rates.p95)]),
        ),
        (f"vCPU time ({cost.host_counter})", f"{number(rates.run_pct, '%')} of one vCPU"),
    ]
    if cost.bound is not None:
        found.append(
            (f"At {_assumed_us(cost)} per fault", f"{_share(cost.bound.pct_vcpu)} of one vCPU. {cost.bound.basis}")
        )
    if cost.measured is not None:
        found.append(("Measured, 95 % interval in brackets", f"{_measured(cost)} of one vCPU"))
    if cost.upper is not None:
        found.append(("Not more than", f"{_share(cost.upper.pct_vcpu)} of one vCPU: {cost.upper.basis}"))
    if cost.association is not None:
        ends = f"{number(rounded(cost.association.low_us))} to {number(rounded(cost.association.high_us))} µs"
        found.append(("vCPU time associated with one more fault (association, not cost)", ends))
    found.append(("Guest clock ahead of the host's", _seconds(cost.clock.offset_s)))
    return tuple(found)


def _seconds(value: float | None) -> str:
    """A time to the hundredth, without zeros that were not measured."""
    return "–" if value is None or math.isnan(value) else threshold(round(value, 2), "s")


def _command(analysis: Analysis, without: list[str]) -> str:
    """The one command that gets what is missing, for the first VM that lacks it."""
    if not without:
        return ""
    import shlex

    host = analysis.capture.host or "HOST"
    return f"esxprobe collect {shlex.quote(host)} --guest {shlex.quote(without[0] + '=ssh://USER@ADDRESS')}"
