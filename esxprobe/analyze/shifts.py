"""Two recordings, counter by counter: what is above where it was, below, or where it could not have been told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from esxprobe.analyze.levels import LOADS, CounterLevels, Measured
from esxprobe.catalog import find
from esxprobe.correlate import FEWEST_OF_EACH, ComparedLevels, compare_levels, false_discovery
from esxprobe.model import DIFFERENT, CounterShift, Entity, ShiftReason, ShiftVerdict
from esxprobe.model.nouns import Worse
from esxprobe.rules import RuleBook
from esxprobe.rules.matters import SMALLEST, Quartiles, is_large, quartiles_matter, thresholds_of

# Intervals within this factor of each other give values that can be compared: a rule of thumb.
SAME_INTERVAL = 1.25
# A smaller Cliff's delta is negligible (Romano et al. 2006), however sure it is.
NEGLIGIBLE = 0.147
LEVEL = 0.05
_VCPU = "Vcpu\\"


@dataclass(frozen=True, slots=True)
class _Matched:
    """One counter of the things that both have."""

    path: str
    kind: str
    names: list[str]
    entities: list[Entity]
    levels: ComparedLevels


def shifts(before: Measured, now: Measured, book: RuleBook | None = None) -> tuple[CounterShift, ...]:
    """Every counter of every thing that both captures have under one name, worst first.

    Args:
        before: The baseline.
        now: This capture.
        book: The rules in use, whose thresholds say what matters.
    """
    matched = list(_matched(before, now))
    q = false_discovery(np.concatenate([np.empty(0), *(each.levels.p for each in matched)]))
    found: list[CounterShift] = []
    start = 0
    for each in matched:
        thresholds = thresholds_of(each.path, book)
        found += _shifts_of(each, q[start : start + len(each.names)], before, now, thresholds)
        start += len(each.names)
    loaded = {
        (each.entity.kind, each.entity.id) for each in found if each.counter in LOADS and each.verdict in DIFFERENT
    }
    told = (
        replace(each, load_moved=each.counter not in LOADS and (each.entity.kind, each.entity.id) in loaded)
        for each in found
    )
    return tuple(sorted((*told, *_ambiguous(before, now)), key=_worst_first))


def not_in_both(before: Measured, now: Measured) -> tuple[tuple[Entity, ...], tuple[Entity, ...], tuple[str, ...]]:
    """Things that came, things that went, and counters that only one of the captures has."""
    things = [
        {
            (kind, name): thing
            for (kind, _), levels in each.counters.items()
            for name, thing in levels.entities.items()
        }
        for each in (now, before)
    ]
    came, went = (
        tuple(thing for key, thing in ours.items() if key not in theirs) for ours, theirs in (things, things[::-1])
    )
    kinds = {kind for kind, _ in before.counters} & {kind for kind, _ in now.counters}
    lacking = {path for kind, path in before.counters.keys() ^ now.counters.keys() if kind in kinds}
    return came, went, tuple(sorted(lacking))


def _matched(before: Measured, now: Measured) -> Iterator[_Matched]:
    for (kind, path), ours in now.counters.items():
        theirs = before.counters.get((kind, path))
        if theirs is None:
            continue
        repeated = ours.repeated | theirs.repeated
        names = [name for name in ours.entities if name in theirs.entities and name not in repeated]
        if not names:
            continue
        levels = compare_levels(_rows(theirs, names), _rows(ours, names), before.stretch, now.stretch)
        entities = [ours.entities[name] for name in names]
        yield _Matched(path, kind, names, entities, levels)


def _rows(levels: CounterLevels, names: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    places = {name: place for place, name in enumerate(levels.entities)}
    return levels.values[[places[name] for name in names]]


def _shifts_of(
    matched: _Matched,
    q: np.ndarray[tuple[int], np.dtype[np.float64]],
    before: Measured,
    now: Measured,
    thresholds: tuple[float, ...],
) -> Iterator[CounterShift]:
    levels, worse = matched.levels, _worse(matched.path)
    intervals = (before.interval_s, now.interval_s)
    known = [each for each in intervals if each]
    other_interval = len(known) == 2 and max(known) > SAME_INTERVAL * min(known)
    for row, (name, entity) in enumerate(zip(matched.names, matched.entities, strict=True)):
        other_vcpus = matched.path.startswith(_VCPU) and before.vcpus.get(name) != now.vcpus.get(name)
        reason = _reason(levels, row, other_interval=other_interval, other_vcpus=other_vcpus)
        three = _three(levels.before[row]), _three(levels.now[row])
        entry = SMALLEST.get(matched.path)
        sizes = (
            quartiles_matter(matched.path, *three, thresholds),
            is_large(matched.path, *three),
        )
        verdict = _judged(_verdict(levels, row, float(q[row]), reason, sizes), levels, row, worse)
        yield CounterShift(
            entity=entity,
            counter=matched.path,
            verdict=verdict,
            reason=reason,
            worse=worse,
            samples=(int(levels.samples[row, 0]), int(levels.samples[row, 1])),
            n_eff=(float(levels.n_eff[row, 0]), float(levels.n_eff[row, 1])),
            before=three[0],
            now=three[1],
            delta=float(levels.delta[row]),
            shift=float(levels.shift[row]),
            ci_low=float(levels.low[row]),
            ci_high=float(levels.high[row]),
            p=float(levels.p[row]),
            q=float(q[row]),
            least_shift=float(levels.least_shift[row]),
            least_delta=float(levels.least_delta[row]),
            matters_from=entry.of(three[0][1], three[1][1]) if entry else float("nan"),
            load_moved=False,
        )


def _three(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Quartiles:
    low, middle, high = values.tolist()
    return low, middle, high


def _reason(levels: ComparedLevels, row: int, *, other_interval: bool, other_vcpus: bool) -> ShiftReason:
    if not levels.samples[row].all():
        return "no-samples"
    if other_interval:
        return "interval"
    if other_vcpus:
        return "vcpus"
    if np.isnan(levels.p[row]):
        return "standstill"
    return "few-samples" if levels.n_eff[row].min() < FEWEST_OF_EACH else ""


def _verdict(
    levels: ComparedLevels, row: int, q: float, reason: ShiftReason, sizes: tuple[bool, bool]
) -> ShiftVerdict:
    """`moved` for every difference; `sizes`: whether it is large enough to matter, and to be shown untested."""
    matters, large = sizes
    if reason == "standstill":
        enough = bool(levels.samples[row].min() >= FEWEST_OF_EACH)
        if not enough and large:
            return "untested"
        found = enough and bool(levels.now[row, 1] != levels.before[row, 1])
    elif reason:
        return "untested" if large else "incomparable"
    else:
        found = q < LEVEL
        matters = matters and abs(float(levels.delta[row])) >= NEGLIGIBLE
    if not found:
        return "unchanged"
    return "moved" if matters else "slight"


def _judged(verdict: ShiftVerdict, levels: ComparedLevels, row: int, worse: Worse) -> ShiftVerdict:
    """A difference by what the catalog knows of its direction."""
    if verdict != "moved" or worse == "neither":
        return verdict
    more = bool(levels.delta[row] > 0) if levels.delta[row] else bool(levels.now[row, 1] > levels.before[row, 1])
    return "regressed" if more == (worse == "more") else "improved"


def _worse(path: str) -> Worse:
    record = find(*path.split("\\", 1))
    return record.worse if record else "neither"


def _ambiguous(before: Measured, now: Measured) -> Iterator[CounterShift]:
    """Things that share their name with another one of the same capture: it cannot be decided which is which."""
    nan = float("nan")
    three = (nan, nan, nan)
    none: ShiftReason = "name-repeats"
    for key, ours in now.counters.items():
        theirs, path = before.counters.get(key), key[1]
        if theirs is None:
            continue
        for name in sorted(ours.repeated | theirs.repeated):
            if name in ours.entities and name in theirs.entities:
                yield CounterShift(
                    ours.entities[name], path, "incomparable", none, _worse(path), (0, 0), (nan, nan), three, three,
                    nan, nan, nan, nan, nan, nan, nan, nan, nan, load_moved=False,
                )  # fmt: skip


_ORDER: tuple[ShiftVerdict, ...] = (
    "regressed", "improved", "untested", "moved", "slight", "incomparable", "unchanged"
)  # fmt: skip


def _worst_first(shift: CounterShift) -> tuple[int, float, str, str, str]:
    size = 0.0 if np.isnan(shift.delta) else -abs(shift.delta)
    return _ORDER.index(shift.verdict), size, shift.counter, shift.entity.name, shift.entity.id
