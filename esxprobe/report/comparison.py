"""View records of the comparison with a baseline."""

from __future__ import annotations

from dataclasses import dataclass

from esxprobe.catalog.events import event_kind
from esxprobe.model import Analysis, EventsOfBoth, FaultComparison, Finding, Likeness, worst_first
from esxprobe.report.formatting import isolated, joined, moment, number, plural
from esxprobe.report.judged import amount, remarks
from esxprobe.report.part import part_fact
from esxprobe.report.shifts import PICTURE, ShiftsPanel, shifts_panel

_KINDS = {"soft_faults": "soft faults", "hard_faults": "hard faults", "faults": "faults"}


@dataclass(frozen=True, slots=True)
class ComparisonPanel:
    """The section; rows are already worded."""

    baseline: str
    summary: str
    agreement: str
    settings: tuple[tuple[str, ...], ...]
    work: tuple[tuple[str, ...], ...]
    faults: tuple[tuple[str, ...], ...]
    attributed: tuple[str, ...]
    statements: tuple[str, ...]
    changes: tuple[tuple[str, ...], ...]
    incomparable: str
    stayed: tuple[tuple[str, ...], ...]
    counters: ShiftsPanel | None
    events: tuple[tuple[str, ...], ...] = ()


def comparison_panel(analysis: Analysis, drawings: dict[str, str]) -> ComparisonPanel | None:
    """The section of an analysis; None without a baseline."""
    found = analysis.comparison
    if found is None:
        return None
    base = found.baseline
    files = ", ".join(file.name for file in base.files)
    part = part_fact(base, "--baseline-")
    counts = [
        (len(found.appeared), "new"),
        (len(found.gone), "gone"),
        (len(found.changed), "with changed severity"),
        (found.same, "unchanged"),
    ]
    return ComparisonPanel(
        baseline=f"{base.host or 'unnamed host'}, {moment(base.started)} to {moment(base.ended)} UTC ({files})"
        + (f"; a part of it, {part}" if part else ""),
        summary="Findings: " + ", ".join(f"{count} {what}" for count, what in counts) + ".",
        agreement=_agreement(found.settings),
        settings=tuple(_likeness_row(each) for each in found.settings),
        work=tuple(
            (isolated(each.vm), *_likeness_row(like))
            for each in found.faults
            if _says_something(each) and not each.attributed and each.mmu_problem != each.mmu_baseline
            for like in each.likenesses
            if not like.same and like.name not in {one.name for one in found.settings if one.name != "vCPUs"}
        ),
        faults=tuple(_fault_row(each) for each in found.faults),
        attributed=tuple(each.statement for each in found.faults if _says_something(each) and each.attributed),
        statements=tuple(each.statement for each in found.faults if _says_something(each) and not each.attributed),
        changes=(
            *(_change("new", new, None) for new in found.appeared),
            *(_change("changed", new, old) for new, old in found.changed),
            *(_change("gone", None, old) for old in found.gone),
        ),
        incomparable=(
            f"Not comparable, for {plural(len(found.incomparable), 'the rule')} could run in only one of the two: "
            f"{', '.join(found.incomparable)}."
            if found.incomparable
            else ""
        ),
        stayed=tuple(_change("stayed", new, old)[1:] for new, old in found.stayed),
        counters=shifts_panel(found, drawings.get(PICTURE, "")),
        events=tuple(_event_row(each) for each in found.events),
    )


def compared_in_words(analysis: Analysis) -> str:
    """The outcome of a comparison in a sentence; empty without a baseline."""
    found = analysis.comparison
    if found is None:
        return ""
    worse = [new for new, old in found.changed if worst_first(new.severity) < worst_first(old.severity)]
    new = [each for each in (*found.appeared, *worse) if each.severity != "info"]
    base = found.baseline.host or "the baseline"
    if not new:
        return f"Against {isolated(base)}, no critical or warning finding is new or worse."
    named = "; ".join(f"{isolated(each.entity.name)}: {each.title}" for each in new[:2])
    more = f"; and {len(new) - 2} more" if len(new) > 2 else ""
    found_worse = (
        f"critical or warning {plural(len(new), 'finding')} {'is' if len(new) == 1 else 'are'} new or worse"
    )
    return f"Against {isolated(base)}, {len(new)} {found_worse}: {named}{more}."


def _agreement(settings: tuple[Likeness, ...]) -> str:
    """What of both captures agrees, what does not, and what is not known: no more than that."""
    parts = []
    for same, words in ((False, "Different"), (None, "Not known in both"), (True, "The same")):
        if names := [each.name for each in settings if each.same is same]:
            parts.append(f"{words}: {joined(names)}.")
    return " ".join(parts)


def _likeness_row(each: Likeness) -> tuple[str, ...]:
    says = {True: "the same", False: "different", None: "not known"}
    return each.name, each.baseline or "–", each.problem or "–", says[each.same]


def _event_row(each: EventsOfBoth) -> tuple[str, ...]:
    counts = ("–" if count is None else f"{count:,}" for count in (each.before, each.now))
    return (event_kind(each.kind).plural, *counts)


def _says_something(each: FaultComparison) -> bool:
    """VCPU time is that of all faults together, so one sentence a VM is enough."""
    return each.guest_counter != "hard_faults"


def _fault_row(each: FaultComparison) -> tuple[str, ...]:
    known = each.extra_pct == each.extra_pct and {each.mmu_problem, each.mmu_baseline} == {"software", "hardware"}
    return (
        each.vm,
        _KINDS.get(each.guest_counter, each.guest_counter),
        f"{each.mmu_baseline} → {each.mmu_problem}",
        f"{number(each.fault_rate_baseline)} → {number(each.fault_rate_problem)}",
        f"{number(each.run_pct_baseline, '%')} → {number(each.run_pct_problem, '%')}",
        number(each.extra_pct, "%") if known else "–",
        ("attributed to the MMU" if each.attributed else "not attributed") if known else "–",
    )


def _change(what: str, new: Finding | None, old: Finding | None) -> tuple[str, ...]:
    one = new or old
    if one is None:
        raise ValueError("a change needs a finding")
    return (
        what,
        one.title,
        isolated(one.entity.name),
        "–" if old is None else _severity(old),
        "–" if new is None else _severity(new),
    )


def _severity(finding: Finding) -> str:
    parts = f"{finding.severity}, {amount(finding)}"
    return f"{parts} ({'; '.join(beside)})" if (beside := remarks(finding)) else parts
