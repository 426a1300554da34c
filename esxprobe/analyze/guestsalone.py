"""The use case without a capture: guests' logs in, a GuestReport out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import esxprobe
from esxprobe.analyze.guestlogs import GuestOptions, given_modes, named_notes, use_of
from esxprobe.correlate import guest_rates
from esxprobe.correlate.merged_guests import Merged, merged
from esxprobe.correlate.rate_words import worded_alone
from esxprobe.correlate.rates import KINDS, classes_of, grade_of, kinds_of, load_of, window_of
from esxprobe.correlate.verdict import SEVERE_PCT
from esxprobe.errors import UsageError
from esxprobe.formats.guests import read_guest_log
from esxprobe.model import Entity, Finding, GuestLog, Level, Mmu
from esxprobe.model.guestalone import GuestAlone, GuestReport, UnusedLog
from esxprobe.rules import RuleBook
from esxprobe.rules.doubts import few_samples
from esxprobe.rules.record import Rule
from esxprobe.rules.sources import rule_of_thumb

# Beside a capture it is an info, for vCPU time is there to look at; alone the rate is all that there is.
_RULE = "guest-faults-possible"
_MUCH = Level("warning", SEVERE_PCT, rule_of_thumb("a tenth of a vCPU, at 12 µs per fault"))
_WORST_FIRST = ("large", "possible", "negligible", "native", "uncounted")


@dataclass(frozen=True, slots=True)
class _Guest:
    """A guest and its logs, in the order given."""

    name: str
    matched_by: str
    logs: tuple[GuestLog, ...]


def analyze_guests(options: GuestOptions, book: RuleBook) -> GuestReport:
    """Judges guests by their own logs.

    Args:
        options: The logs, and what a person said about monitor modes. A mode with an empty name is that of the only
            guest; so is one with any name, where there is one guest whose name is not known.
        book: The rules; the one on what fault rates allow is used.

    Raises:
        UnreadableInputError: A file is not a guest log, or no vmware.log.
        UsageError: A guest that was named is not there.
    """
    guests = _grouped(options)
    guests = _renamed(guests, [*options.mmu, *options.vmware_logs])
    modes = given_modes(options, lambda name: _called(name, guests))
    judged = [_judged(guest, *modes.get(guest.name, ("unknown", ""))) for guest in guests]
    judged.sort(key=_rank)
    return GuestReport(
        tool_version=esxprobe.__version__,
        guests=tuple(judged),
        findings=tuple(found for guest in judged for found in _findings(guest, book)),
        quality=tuple(note for guest in guests for log in guest.logs for note in named_notes(log)),
    )


def _rank(guest: GuestAlone) -> tuple[int, float, str]:
    mean = guest.kinds[0].rates.mean if guest.kinds else 0.0
    return min(_WORST_FIRST.index(guest.grade), _WORST_FIRST.index(guest.worst_grade)), -mean, guest.vm


def _grouped(options: GuestOptions) -> list[_Guest]:
    """Logs of one guest together: the same name given, or the same computer in the log.

    A log without a name is one guest's by itself, whatever other files are called.
    """
    groups: dict[tuple[str, str], _Guest] = {}
    for given, path in options.logs:
        log = read_guest_log(path, timezone=options.timezone, guest=None)
        name = given or log.guest
        key = (name.casefold(), "") if name else ("", str(path.resolve()))
        other = groups.get(key)
        if other is not None:
            groups[key] = replace(other, logs=(*other.logs, log))
            continue
        why = "as given" if given else "the computer's name in the log" if name else "the file's name"
        groups[key] = _Guest(name or _stem(path, [guest.name for guest in groups.values()]), why, (log,))
    return list(groups.values())


def _stem(path: Path, taken: Sequence[str]) -> str:
    """A file's name without what tells its format; with a number where another guest is called so."""
    name = given = path.name.partition(".")[0] or path.name
    count = 1
    while given in taken:
        count += 1
        given = f"{name} ({count})"
    return given


def _renamed(guests: list[_Guest], given: Sequence[str]) -> list[_Guest]:
    """The only guest called as a person calls it: a VM's name often is not its computer's."""
    names = {name for name in given if name}
    if len(guests) == 1 and len(names) == 1 and guests[0].matched_by != "as given":
        (name,) = names
        if name.casefold() != guests[0].name.casefold():
            return [replace(guests[0], name=name, matched_by="the only guest, named with its monitor mode")]
    return guests


def _called(name: str, guests: Sequence[_Guest]) -> str:
    found = [guest.name for guest in guests if name in ("", guest.name)]
    found = found or [guest.name for guest in guests if guest.name.casefold() == name.casefold()]
    if len(found) == 1:
        return found[0]
    names = ", ".join(guest.name for guest in guests)
    if not name:
        raise UsageError(
            f"there are logs of {len(guests)} guests", hint=f"specify the guest: VM=..., one of {names}"
        )
    raise UsageError(f"there is no log of a guest named {name!r}", hint=f"there are logs of {names}")


def _judged(guest: _Guest, mmu: Mmu, evidence: str) -> GuestAlone:
    each = [guest_rates(log) for log in guest.logs]
    together = merged(each)
    rates = together.rates
    kinds = kinds_of(rates, mmu)
    share = kinds[0].bound.pct_vcpu if kinds and kinds[0].bound else None
    worst = kinds[0].worst.pct_vcpu if kinds and kinds[0].worst else None
    grade = grade_of(mmu, share) if kinds else "uncounted"
    return worded_alone(
        GuestAlone(
            vm=guest.name,
            mmu=mmu,
            mmu_evidence=evidence,
            grade=grade,
            worst_grade=grade if worst is None else grade_of(mmu, worst),
            kinds=kinds,
            classes=classes_of(rates),
            load=load_of(rates),
            interval_s=_interval_s(guest, together),
            covered=window_of(rates),
            logs=tuple(use_of(log, guest.name, "", guest.matched_by, "") for log in guest.logs),
            unused=tuple(_unused(guest, together)),
        )
    )


def _interval_s(guest: _Guest, together: Merged) -> float:
    """Of the log that the judged rates come from, as it says [s]."""
    for log, taken in zip(guest.logs, together.taken, strict=True):
        if set(taken) & set(KINDS) and log.interval_s is not None:
            return log.interval_s
    return math.nan


def _unused(guest: _Guest, together: Merged) -> Iterable[UnusedLog]:
    for log, (counters, instead) in zip(guest.logs, together.left, strict=True):
        if counters:
            yield UnusedLog(log.file.name, counters, tuple(guest.logs[place].file.name for place in instead))


def _findings(guest: GuestAlone, book: RuleBook) -> Iterable[Finding]:
    """What the rule on fault rates says, by its own thresholds; a rate without a capture can be a warning."""
    rule = book.find(_RULE)
    silenced = any(fnmatchcase(guest.vm, pattern) for pattern in rule.custom.silence)
    if rule.custom.disabled or silenced or not guest.kinds or guest.kinds[0].bound is None:
        return
    mean, worst = guest.kinds[0].bound.pct_vcpu, guest.kinds[0].worst
    peak = worst.pct_vcpu if worst is not None and worst.pct_vcpu is not None else mean
    is_own = any(level.severity != "info" for level in rule.levels)
    for level in rule.levels if is_own else (_MUCH, *rule.levels):  # the highest first
        if max(mean, peak) >= level.threshold:
            is_mean = mean >= level.threshold
            yield _finding(guest, rule, level, (mean, "mean") if is_mean else (peak, "worst minute"), peak)
            return


def _finding(guest: GuestAlone, rule: Rule, reached: Level, judged: tuple[float, str], peak: float) -> Finding:
    value, statistic = judged
    window = guest.covered
    return Finding(
        rule=rule.id,
        severity=reached.severity,
        entity=Entity("vm", guest.vm, guest.vm),
        title=rule.title,
        cause=rule.cause,
        value=value,
        statistic=statistic,
        unit=rule.unit,
        threshold=reached.threshold,
        source=reached.source,
        peak=peak,
        share_of_samples=1.0,
        samples=guest.kinds[0].rates.intervals,
        doubt=few_samples(guest.kinds[0].rates.intervals),
        span=window,
        windows=(),
        members=(),
        why=rule.why,
        advice=rule.advice,
        caveats=tuple(caveat if isinstance(caveat, str) else caveat.text for caveat in rule.caveats),
    )
