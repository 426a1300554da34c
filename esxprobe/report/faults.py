"""View records of the panel on guest faults: already worded, rounded and sorted."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from esxprobe.correlate.words import rounded
from esxprobe.model import Analysis, FaultCost, Verdict
from esxprobe.report.fault_charts import spec_of_scatter, spec_over_time
from esxprobe.report.words import isolated, joined, moment, number, plural, threshold

# What each verdict is called in the report, worst first, and the colour that it borrows.
VERDICTS: dict[Verdict, tuple[str, str]] = {
    "severe": ("severe", "critical"),
    "noticeable": ("noticeable", "warning"),
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


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One line of the table of VMs with guest data."""

    vm: str
    gid: str
    verdict: str
    badge: str
    mmu: str
    faults: str
    median: str
    p95: str
    slope: str
    share: str


@dataclass(frozen=True, slots=True)
class FaultBlock:
    """One counter of one VM: the words, the numbers, the pictures."""

    title: str
    verdict: str
    badge: str
    statement: str
    advice: tuple[str, ...]
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
    )


def _unpictured(count: int) -> str:
    if count <= _PICTURED:
        return ""
    return (
        f"The {_PICTURED} VMs with the worst verdicts have panels with pictures; the {count - _PICTURED} others are"
        " in the table and in words below it. The JSON document has every number of all of them; a panel of one VM"
        " comes from a report with its --guest-log alone."
    )


def fault_sentence(analysis: Analysis) -> str:
    """The worst of the guests' faults in one sentence; empty without guest data."""
    ranked = sorted(analysis.fault_costs, key=lambda cost: (list(VERDICTS).index(cost.verdict), -_share(cost)))
    if not ranked:
        return ""
    worst = ranked[0]
    kind = _unit(worst).removesuffix("/s")
    rate = f"{number(worst.fault_rate_median)} {_unit(worst)}"
    if worst.verdict in ("severe", "noticeable"):
        return (
            f"Up to {number(worst.share_pct_vcpu_high, '%')} of a vCPU moves together with the {kind} of "
            f"{isolated(worst.vm)} ({rate}, software MMU)."
        )
    counts = Counter(_pictured(costs)[0].verdict for costs in _by_vm(analysis))
    told = [f"{counts[verdict]} {name}" for verdict, (name, _) in VERDICTS.items() if counts[verdict]]
    return f"Guest faults of the {plural(counts.total(), 'VM')} with guest data: {joined(told)}."


def _by_vm(analysis: Analysis) -> list[list[FaultCost]]:
    """The costs of each VM, the worst verdict first, then the VM whose faults could take most of a vCPU."""
    groups: dict[str, list[FaultCost]] = {}
    for cost in analysis.fault_costs:
        groups.setdefault(cost.gid or cost.vm, []).append(cost)
    return sorted(groups.values(), key=_worst_first)


def _worst_first(costs: list[FaultCost]) -> tuple[int, float, str, str]:
    verdict = min(list(VERDICTS).index(cost.verdict) for cost in costs)
    return verdict, -max(map(_share, costs)), costs[0].vm, costs[0].gid


def _pictured(costs: list[FaultCost]) -> list[FaultCost]:
    """The kinds of faults of a VM that get pictures: the one that takes most, and others that matter."""
    first = max(costs, key=_share)
    return [cost for cost in costs if cost is first or cost.verdict in ("severe", "noticeable")]


def _share(cost: FaultCost) -> float:
    return -1.0 if math.isnan(cost.share_pct_vcpu) else cost.share_pct_vcpu


def _key(cost: FaultCost, picture: str) -> str:
    return f"fault:{cost.gid}:{cost.vm}:{cost.guest_counter}:{picture}"


def _unit(cost: FaultCost) -> str:
    return COUNTERS.get(cost.guest_counter, cost.guest_counter)


def _row(cost: FaultCost) -> FaultRow:
    name, badge = VERDICTS[cost.verdict]
    known = not math.isnan(cost.share_pct_vcpu)
    return FaultRow(
        vm=cost.vm,
        gid=cost.gid,
        verdict=name,
        badge=badge,
        mmu=cost.mmu,
        faults=_unit(cost),
        median=number(cost.fault_rate_median),
        p95=number(cost.fault_rate_p95),
        slope=_interval(cost, "us"),
        share=f"{_least(cost.share_pct_vcpu)} ({_least(cost.share_pct_vcpu_high)})" if known else "–",
    )


def _interval(cost: FaultCost, unit: str) -> str:
    """The slope with its 95 % interval."""
    if cost.slope_us_per_fault != cost.slope_us_per_fault:
        return "–"
    slope, low, high = (number(rounded(value)) for value in (cost.slope_us_per_fault, cost.ci_low, cost.ci_high))
    return f"{slope} {unit} ({low} to {high})"


def _least(share: float | None) -> str:
    """A share of a vCPU [%]; a negative one takes none, and one too small to print is not called zero."""
    if share is None or math.isnan(share) or share >= 0.005:
        return number(share, "%")
    return "none" if share < 0 else "under 0.01 %" if share else "0 %"


def _vm(costs: list[FaultCost], analysis: Analysis, drawings: dict[str, str]) -> FaultVm:
    first = costs[0]
    evidence = next((vm.mmu_evidence for vm in analysis.vms if vm.gid == first.gid), "")
    return FaultVm(
        anchor=re.sub(r"\W+", "-", f"faults-{first.gid or first.vm}"),
        name=first.vm,
        gid=first.gid,
        mmu={"hardware": "hardware MMU", "software": "software MMU"}.get(first.mmu, "monitor mode unknown"),
        evidence=evidence,
        log=_log(analysis, first.gid),
        blocks=tuple(_block(cost, drawings) for cost in costs),
    )


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
        title=f"{unit.removesuffix('/s').capitalize()} against {cost.host_counter}",
        verdict=name,
        badge=badge,
        statement=cost.statement,
        advice=cost.advice,
        facts=_facts(cost, unit),
        cuts=tuple((f"{cut.intervals:,}", cut.meaning) for cut in cost.cuts if cut.intervals),
        over_time=drawings.get(_key(cost, "time"), ""),
        scatter=drawings.get(_key(cost, "scatter"), ""),
        chart_words=f"{unit} and vCPU time of {cost.vm} over time, and one against the other",
    )


def _facts(cost: FaultCost, unit: str) -> tuple[tuple[str, str], ...]:
    controls = (
        joined([control.replace("_", " ") for control in cost.controls]) if cost.controls else "none in the log"
    )
    clock = _seconds(cost.offset_s)
    return (
        (
            f"{unit}, median and 95th percentile",
            f"{number(cost.fault_rate_median)} and {number(cost.fault_rate_p95)}",
        ),
        ("vCPU time that moves with one fault", f"{_interval(cost, 'us')}, 95 % interval in brackets"),
        ("Could have been seen from", number(rounded(cost.min_detectable_us), "us a fault")),
        (
            "Share of one vCPU",
            f"{_least(cost.share_pct_vcpu)}, at most {_least(cost.share_pct_vcpu_high)}",
        ),
        ("Bound before any statistics", f"{_least(cost.bound_pct_vcpu)} of a vCPU: {cost.bound_basis}"),
        ("Correlation", f"r {number(cost.r)}, p {_p(cost.p)}, q {_p(cost.q)}"),
        (
            "Intervals",
            f"{cost.samples:,} of {_seconds(cost.interval_s)}, worth {number(cost.n_eff)} independent ones",
        ),
        ("Taken out of both sides", controls),
        ("Guest clock ahead of the host's", clock),
        ("Shift left over", _shift(cost)),
    )


def _shift(cost: FaultCost) -> str:
    """What the clock check found; a shift is never applied."""
    if math.isnan(cost.lag_s):
        return "could not be checked"
    if cost.lag_warning:
        return f"{_seconds(cost.lag_s)} (p {_p(cost.lag_p)}): look at the clocks"
    return "none found"


def _seconds(value: float | None) -> str:
    """A time to the hundredth, without zeros that nobody measured."""
    return "–" if value is None or math.isnan(value) else threshold(round(value, 2), "s")


def _p(value: float) -> str:
    if math.isnan(value):
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _command(analysis: Analysis, without: list[str]) -> str:
    """The one command that gets what is missing, for the first VM that lacks it."""
    if not without:
        return ""
    import shlex

    host = analysis.capture.host or "HOST"
    return f"esxprobe collect {shlex.quote(host)} --guest {shlex.quote(without[0] + '=ssh://USER@ADDRESS')}"
