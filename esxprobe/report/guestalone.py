"""The page of guests that are judged by their own logs alone: worded, rounded and sorted."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from esxprobe.correlate.numbers import say
from esxprobe.correlate.rate_words import GRADES, NAMES
from esxprobe.correlate.verdict import ASSUMED_BASIS, CEILING_BASIS, NOTICEABLE_PCT, SEVERE_PCT, rate_for
from esxprobe.model import GUEST_COUNTERS, SEVERITIES, Chart, Severity
from esxprobe.model.guestalone import GuestAlone, GuestReport, KindOfFault, RateGrade
from esxprobe.report.charts import spec_of
from esxprobe.report.drawing import Drawer
from esxprobe.report.formatting import (
    MODES,
    duration,
    isolated,
    joined,
    moment,
    number,
    percent,
    plural,
    quality_rows,
    threshold,
)
from esxprobe.report.guestalone_document import guest_document
from esxprobe.report.html import filled
from esxprobe.report.judged import amount, limit, remarks

_BADGES: dict[RateGrade, str] = {
    "large": "warning",
    "possible": "info",
    "negligible": "none",
    "native": "none",
    "uncounted": "none",
}
_UNITS = {"faults": "page faults/s", "soft_faults": "soft page faults/s", "hard_faults": "hard page faults/s"}
# Guests with pictures, the worst first; all are in the table and in words.
_PICTURED = 12


@dataclass(frozen=True, slots=True)
class GuestBlock:
    """One guest on the page."""

    anchor: str
    name: str
    mmu: str
    evidence: str
    grade: str
    badge: str
    statement: tuple[str, ...]
    advice: tuple[str, ...]
    findings: tuple[tuple[Severity, str, str], ...]
    rates: tuple[tuple[str, ...], ...]
    classes: tuple[tuple[str, ...], ...]
    charts: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    logs: tuple[str, ...]
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuestPage:
    """Everything on the page, in order."""

    title: str
    heading: str
    worst: str
    counts: tuple[tuple[Severity, int], ...]
    verdict: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    guests: tuple[GuestBlock, ...]
    unpictured: str
    basis: tuple[str, ...]
    quality: tuple[tuple[str, ...], ...]
    files: tuple[tuple[str, ...], ...]
    command: str
    tool: str
    timezone: str = ""


def render_guests_html(report: GuestReport, drawer: Drawer, command: str = "") -> str:
    """The page as one self-contained HTML file.

    Args:
        report: What to show.
        drawer: Draws the charts.
        command: The command line that made it, shown as provenance.
    """
    return filled(
        "guests.html.j2",
        lambda drawings: guest_page(report, drawings, command),
        lambda: guest_document(report),
        _specs(report),
        drawer,
    )


def guest_page(report: GuestReport, drawings: dict[str, str], command: str) -> GuestPage:
    """The page of a report; `drawings` are SVGs by the keys of its charts."""
    counts = tuple((level, sum(each.severity == level for each in report.findings)) for level in SEVERITIES)
    names = [isolated(guest.vm) for guest in report.guests]
    heading = names[0] if len(names) == 1 else f"{len(names)} guests"
    return GuestPage(
        title=f"esxprobe: {heading}",
        heading=heading,
        worst=next((level for level, count in counts if count), "none"),
        counts=counts,
        verdict=_verdict(report),
        facts=_page_facts(report),
        rows=tuple(_row(guest) for guest in report.guests),
        guests=tuple(_block(guest, report, drawings) for guest in report.guests),
        unpictured=_unpictured(len(report.guests)),
        basis=_basis(),
        quality=quality_rows(report.quality),
        files=tuple(
            (use.file, use.format, use.computer or "–", use.zone, f"{use.bytes:,}", use.sha256)
            for guest in report.guests
            for use in guest.logs
        ),
        command=command,
        tool=f"esxprobe {report.tool_version}",
    )


def _verdict(report: GuestReport) -> tuple[str, ...]:
    """The worst guest's judgment, the others in a count, and what is missing."""
    worst, others = report.guests[0], report.guests[1:]
    sentences = list(worst.statement[:3])
    if others:
        grades = [_grade(each) for each in others]
        shown = [f"{grades.count(name)} {name}" for name in dict.fromkeys(grades)]
        sentences.append(f"{len(others)} other {plural(len(others), 'guest')}: {joined(shown)}.")
    doubts = [note.code for note in report.quality if note.severity != "info"]
    if doubts:
        kinds = joined(list(dict.fromkeys(doubts)))
        sentences.append(
            f"The logs have {len(doubts)} {plural(len(doubts), 'kind')} of damage or warning: {kinds}."
        )
    sentences.append("There is no esxtop capture of the host, so vCPU time was not compared with the faults.")
    return tuple(sentences)


def _page_facts(report: GuestReport) -> tuple[tuple[str, str], ...]:
    spans = [guest.covered for guest in report.guests if guest.covered is not None]
    window = "no sample"
    if spans:
        start, end = min(each.start for each in spans), max(each.end for each in spans)
        window = f"{moment(start)} to {moment(end)} UTC ({duration((end - start).total_seconds())})"
    logs = [use for guest in report.guests for use in guest.logs]
    modes = {mode: sum(guest.mmu == mode for guest in report.guests) for mode in MODES}
    return (
        ("Window", window),
        ("Guests", f"{len(report.guests):,}"),
        ("Logs", f"{len(logs):,}: {joined(sorted({use.format for use in logs}))}"),
        ("Time zone of the timestamps", joined(sorted({use.zone for use in logs}))),
        ("Monitor mode", joined([f"{count} {mode}" for mode, count in modes.items() if count])),
        ("Host", "no esxtop capture"),
    )


def _row(guest: GuestAlone) -> tuple[str, ...]:
    first = guest.kinds[0] if guest.kinds else None
    hard = next((kind for kind in guest.kinds if kind.guest_counter == "hard_faults"), None)
    bound = first.bound if first else None
    worst = first.worst if first else None
    return (
        guest.vm,
        _grade(guest),
        _badge(guest),
        guest.mmu,
        number(first.rates.mean) if first else "–",
        number(first.rates.p95) if first else "–",
        number(worst.rate) if worst else "–",
        number(hard.rates.mean) if hard else "–",
        _share(bound.pct_vcpu if bound else None),
        _share(worst.pct_vcpu if worst else None),
        anchor_of(guest.vm),
    )


def _grade(guest: GuestAlone) -> str:
    mean, worst = GRADES[guest.grade], GRADES[guest.worst_grade]
    return mean if mean == worst else f"{mean}; worst minute: {worst}"


def _badge(guest: GuestAlone) -> str:
    return min((_BADGES[guest.grade], _BADGES[guest.worst_grade]), key=("warning", "info", "none").index)


def _share(pct: float | None) -> str:
    if pct is None or not math.isfinite(pct):
        return "–"
    return number(pct, "%") if pct >= 0.005 or pct <= 0 else "under 0.01 %"


def anchor_of(vm: str) -> str:
    """The id of a guest's part of the page."""
    return re.sub(r"\W+", "-", f"guest-{vm}")


def _block(guest: GuestAlone, report: GuestReport, drawings: dict[str, str]) -> GuestBlock:
    return GuestBlock(
        anchor=anchor_of(guest.vm),
        name=guest.vm,
        mmu=MODES[guest.mmu],
        evidence=guest.mmu_evidence,
        grade=_grade(guest),
        badge=_badge(guest),
        statement=guest.statement,
        advice=guest.advice,
        findings=tuple(
            (each.severity, each.rule, f"{amount(each)} ({each.statistic}), threshold"
             f" {limit(each)}: {'; '.join((each.source, *remarks(each)))}")
            for each in report.findings
            if each.entity.name == guest.vm
        ),
        rates=tuple(_rate_row(kind) for kind in guest.kinds),
        classes=tuple(
            (
                NAMES[each.guest_counter].capitalize(),
                f"{number(each.mean)} {GUEST_COUNTERS[each.guest_counter]}",
                "–" if each.share is None else percent(each.share),
                each.meaning,
            )
            for each in guest.classes
        ),
        charts=tuple(
            (drawings[_key(guest, kind)], f"{_UNITS[kind.guest_counter]} of {guest.vm} over time")
            for kind in guest.kinds
            if drawings.get(_key(guest, kind))
        ),
        facts=_facts(guest),
        logs=tuple(
            f"{use.file} ({use.format}{f' of {use.computer}' if use.computer else ''}, every"
            f" {threshold(round(use.interval_s, 2), 's') if use.interval_s else '–'},"
            f" {moment(use.first)} to {moment(use.last)} UTC; guest by {use.matched_by})"
            for use in guest.logs
        ),
        unused=tuple(
            f"Not used of {each.file}: {joined([name.replace('_', ' ') for name in each.counters])}. The same was"
            f" taken from {joined(list(each.instead))}."
            for each in guest.unused
        ),
    )  # fmt: skip


def _rate_row(kind: KindOfFault) -> tuple[str, ...]:
    rates, worst = kind.rates, kind.worst
    return (
        _UNITS[kind.guest_counter].removesuffix("/s").capitalize(),
        number(rates.mean),
        number(rates.median),
        number(rates.p95),
        number(kind.most),
        number(worst.rate) if worst else "–",
        f"{moment(worst.window.start)} UTC" if worst else "–",
        _share(kind.bound.pct_vcpu if kind.bound else None),
        _share(worst.pct_vcpu if worst else None),
    )


def _facts(guest: GuestAlone) -> tuple[tuple[str, str], ...]:
    load, first = guest.load, guest.kinds[0] if guest.kinds else None
    span = guest.covered
    found = [
        ("Window", f"{moment(span.start)} to {moment(span.end)} UTC ({duration(span.seconds)})" if span else "–"),
        ("Interval", f"{threshold(round(guest.interval_s, 2), 's')}" if math.isfinite(guest.interval_s) else "–"),
        ("Intervals", f"{first.rates.intervals:,}" if first else "–"),
        ("User time, of all processors together", number(load.user_pct, "%")),
        ("System time, likewise; the guest's own fault handler is in it", number(load.system_pct, "%")),
        ("Context switches; a software MMU traps these too", f"{number(load.switches)}/s"),
    ]
    return tuple((name, value) for name, value in found if not value.startswith("–"))


def _basis() -> tuple[str, ...]:
    return (
        ASSUMED_BASIS[0].upper() + ASSUMED_BASIS[1:] + ".",
        f"{GRADES['negligible']}: below {NOTICEABLE_PCT:g} % of one vCPU at that cost, or a hardware MMU."
        f" {GRADES['possible']}: {NOTICEABLE_PCT:g} % or more. {GRADES['large']}: {SEVERE_PCT:g} % or more, which"
        f" is {say(rate_for(SEVERE_PCT))} faults/s (rules of thumb).",
        f"The ceiling is {CEILING_BASIS}.",
        "The guest's own handler takes CPU time for each fault as well, on a physical machine too. It is in the"
        " guest's own system time and not in these figures.",
        "The mean weights each interval with its length. The worst minute is the largest mean over any 60 s that"
        " the log fills without a gap, or over one interval where that is longer.",
    )


def _unpictured(count: int) -> str:
    if count <= _PICTURED:
        return ""
    return f"The {_PICTURED} worst guests have pictures. The JSON document has the numbers of all {count}."


def _key(guest: GuestAlone, kind: KindOfFault) -> str:
    return f"guest:{guest.vm}:{kind.guest_counter}"


def _specs(report: GuestReport) -> dict[str, dict[str, Any]]:
    """Charts of soft and hard faults, or of all faults where a log does not tell them apart."""
    specs = {}
    for guest in report.guests[:_PICTURED]:
        apart = [kind for kind in guest.kinds if kind.guest_counter != "faults"]
        for kind in apart if len(apart) == 2 else guest.kinds[:1]:
            specs[_key(guest, kind)] = spec_of(_chart(guest, kind))
    return specs


def _chart(guest: GuestAlone, kind: KindOfFault) -> Chart:
    """The rates over time, the worst minute shaded, and the rates at which the assumed cost is 1 and 10 %."""
    lines: tuple[tuple[Severity, float], ...] = ()
    if guest.mmu != "hardware":
        lines = (("warning", round(rate_for(SEVERE_PCT))), ("info", round(rate_for(NOTICEABLE_PCT))))
    windows = (kind.worst.window,) if kind.worst else ()
    return Chart(_UNITS[kind.guest_counter], "", (kind.series,), lines, windows)
