"""View records and the picture of counters before and now: words that say what differs, and never why."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from esxprobe.catalog import find, label
from esxprobe.model import DIFFERENT, SHIFT_VERDICTS, Comparison, CounterShift, Entity, ShiftReason, ShiftVerdict
from esxprobe.report.charts import CONFIG, LINES, SCHEMA, WIDTH
from esxprobe.report.formatting import isolated, joined, number, percent, plural, threshold
from esxprobe.rules.matters import SMALLEST

PICTURE = "compare:levels"
# Changed counters in the table and in the picture; the JSON document has all.
ROWS, _PANELS, _BARS = 50, 4, 6
_NAMED = 8
_VERDICTS: dict[ShiftVerdict, tuple[str, str]] = {
    "regressed": ("regressed", "warning"),
    "improved": ("improved", "none"),
    "moved": ("moved", "info"),
    "untested": ("not tested", "info"),
    "slight": ("too small to matter", "none"),
    "unchanged": ("unchanged", "none"),
    "incomparable": ("not comparable", "none"),
}
_REASONS: dict[ShiftReason, str] = {
    "few-samples": "worth fewer than 10 independent samples in one of the two",
    "no-samples": "no value in one of the two, for example the latency of an idle device",
    "interval": "esxtop's intervals differ by more than a quarter",
    "vcpus": "different number of vCPUs",
    "name-repeats": "several entities with the same name in a capture",
}


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """A counter that differs."""

    verdict: str
    badge: str
    where: str
    counter: str
    before: str
    now: str
    shift: str
    ratio: str
    delta: str
    chance: str
    remark: str


@dataclass(frozen=True, slots=True)
class ShiftsPanel:
    """The counters of both captures; rows are already worded."""

    summary: str
    rows: tuple[ShiftRow, ...]
    hidden: str
    svg: str
    chart_words: str
    unchanged: tuple[tuple[str, ...], ...]
    limits: tuple[tuple[str, ...], ...]
    incomparable: tuple[tuple[str, ...], ...]
    one_sided: tuple[str, ...]


def shifts_panel(found: Comparison, drawing: str) -> ShiftsPanel | None:
    """The part on counters; None where they were not compared."""
    if not found.shifts and not found.came and not found.went:
        return None
    changed = [each for each in found.shifts if each.verdict in DIFFERENT]
    pictured = [each for panel in _pictured(changed) for each in panel]
    return ShiftsPanel(
        summary=_summary(found.shifts),
        rows=tuple(map(_row, changed[:ROWS])),
        hidden=f"{len(changed) - ROWS} more are in the JSON document." if len(changed) > ROWS else "",
        svg=drawing,
        chart_words="Quartiles and medians in the baseline and in this capture: "
        + "; ".join(f"{_where(each.entity)} {label(each.counter)} {_from_to(each)}" for each in pictured),
        unchanged=tuple(_unchanged(found.shifts)),
        limits=tuple(_limits(found.shifts)),
        incomparable=tuple(_incomparable(found.shifts)),
        one_sided=tuple(_one_sided(found)),
    )


def shift_specs(found: Comparison | None) -> dict[str, dict[str, Any]]:
    """The Vega-Lite spec of bars with their spread, by its key; none where nothing differs."""
    changed = [each for each in (found.shifts if found else ()) if each.verdict in DIFFERENT]
    panels = [_panel(panel) for panel in _pictured(changed)]
    if not panels:
        return {}
    return {
        PICTURE: {
            "$schema": SCHEMA,
            "background": "transparent",
            "spacing": 14,
            "vconcat": panels,
            "config": CONFIG,
        }
    }


def _pictured(changed: Iterable[CounterShift]) -> list[list[CounterShift]]:
    """The first few counters that differ, each with the first few things that it differs for."""
    by_counter: dict[tuple[str, str], list[CounterShift]] = {}
    for each in changed:
        by_counter.setdefault((each.entity.kind, each.counter), []).append(each)
    return [group[:_BARS] for group in list(by_counter.values())[:_PANELS]]


def _panel(shifts: list[CounterShift]) -> dict[str, Any]:
    """One bar from quartile to quartile for each capture, with a tick at the median."""
    names = [_where(each.entity) for each in shifts]
    values = [
        {"e": name, "w": when, "a": round(low, 4), "m": round(middle, 4), "b": round(high, 4)}
        for name, each in zip(names, shifts, strict=True)
        for when, (low, middle, high) in (("baseline", each.before), ("this capture", each.now))
    ]
    y = {
        "field": "e",
        "type": "nominal",
        "title": None,
        "sort": names,
        "axis": {"labelLimit": 180, "ticks": False},
    }
    offset = {"field": "w", "type": "nominal", "sort": ["baseline", "this capture"]}
    color = {
        "field": "w",
        "type": "nominal",
        "scale": {"domain": ["baseline", "this capture"], "range": [LINES[5], LINES[1]]},
        "legend": {"title": None, "orient": "top"},
    }
    x = {
        "type": "quantitative",
        "title": _counter(shifts[0]),
        "scale": {"zero": True, "nice": True},
        "axis": {"tickCount": 5},
    }
    shared = {"y": y, "yOffset": offset, "color": color}
    return {
        "width": WIDTH - 200,
        "height": {"step": 13},
        "data": {"values": values},
        "layer": [
            {
                "mark": {"type": "bar", "opacity": 0.45, "minBandSize": 3},
                "encoding": {**shared, "x": x | {"field": "a"}, "x2": {"field": "b"}},
            },
            {"mark": {"type": "tick", "thickness": 3}, "encoding": {**shared, "x": x | {"field": "m"}}},
        ],
    }


def _summary(shifts: tuple[CounterShift, ...]) -> str:
    counts = {verdict: sum(each.verdict == verdict for each in shifts) for verdict in SHIFT_VERDICTS}
    told = [f"{counts[verdict]:,} {name}" for verdict, (name, _) in _VERDICTS.items() if counts[verdict]]
    tested = sum(each.q == each.q and each.verdict not in ("untested", "incomparable") for each in shifts)
    return (
        f"Counters of entities in both captures: {joined(told)}. {tested:,} were tested, with the probability "
        "corrected for all of them (Benjamini-Hochberg: up to 5 % of the reported differences may be due to "
        "chance). A difference shows that the two periods differ, not why."
        if told
        else "No entity is in both captures, so no counter could be compared."
    )


def _row(shift: CounterShift) -> ShiftRow:
    unit = _unit(shift.counter)
    name, badge = _VERDICTS[shift.verdict]
    tested = shift.p == shift.p and shift.verdict != "untested"
    interval = f"{number(shift.shift, unit)} ({number(shift.ci_low)} to {number(shift.ci_high)})"
    return ShiftRow(
        verdict=name,
        badge=badge,
        where=_where(shift.entity),
        counter=_counter(shift),
        before=_spread(shift.before),
        now=_spread(shift.now),
        shift=interval if tested else number(shift.now[1] - shift.before[1], unit),
        ratio=f"×{number(shift.ratio)}" if shift.ratio == shift.ratio else "–",
        delta=number(shift.delta),
        chance=("< 0.001" if shift.q < 0.001 else f"{shift.q:.3f}") if tested else "–",
        remark=_remark(shift),
    )


def _remark(shift: CounterShift) -> str:
    if shift.verdict == "untested":
        state = f"not tested: {_why_untested(shift)}"
    elif shift.reason == "standstill":
        state = "constant in both captures, so no test was possible"
    else:
        state = f"worth {number(shift.n_eff[0])} and {number(shift.n_eff[1])} independent samples"
    return f"{state}; its load differs, too" if shift.load_moved else state


def _why_untested(shift: CounterShift) -> str:
    if shift.reason in ("interval", "vcpus"):
        return _REASONS[shift.reason]
    few, more = shift.samples
    samples = f"{few} samples" if few == more else f"{few} and {more} samples"
    worth = f", worth {number(min(shift.n_eff))} independent ones" if shift.reason == "few-samples" else ""
    return samples + worth


def _unchanged(shifts: Iterable[CounterShift]) -> Iterable[tuple[str, ...]]:
    """One row a counter: for how many things nothing or too little was found, and what could have been seen."""
    groups: dict[tuple[str, str], list[CounterShift]] = {}
    for each in shifts:
        if each.verdict in ("unchanged", "slight"):
            groups.setdefault((each.entity.kind, each.counter), []).append(each)
    for (_, counter), group in groups.items():
        unit = _unit(counter)
        tested = [each for each in group if each.reason != "standstill"]
        seen = [each.least_shift for each in tested if each.least_shift > 0]
        other = [each.least_delta for each in tested if not each.least_shift > 0]
        still = len(group) - len(tested)
        told = []
        if seen:
            told.append(f"{number(statistics.median(seen), unit)} (median), {number(max(seen), unit)} (worst)")
        if other:
            told.append(f"Cliff's delta {number(max(other))} of {len(other)} that hardly leave one value")
        if still:
            told.append(f"{still} constant in both")
        slight = [each for each in group if each.verdict == "slight"]
        largest = max(slight, key=lambda each: abs(each.now[1] - each.before[1]), default=None)
        yield (
            _counter(group[0]),
            f"{len(group) - len(slight):,}",
            f"{len(slight):,}",
            f"{_where(largest.entity)} {_from_to(largest)}" if largest else "–",
            "; ".join(told),
        )


def _limits(shifts: Iterable[CounterShift]) -> Iterable[tuple[str, ...]]:
    """For each counter from which change on it is called one, and where that comes from."""
    for path in dict.fromkeys(each.counter for each in shifts):
        if entry := SMALLEST.get(path):
            unit = _unit(path)
            least = threshold(entry.absolute, "points" if unit == "%" else unit)  # 5 % could be a share as well
            state = f"{least} and {percent(entry.share)} of the larger value"
            if entry.rules:
                state += f", or {least} across a threshold of {joined(list(entry.rules))}"
            yield (
                label(path),
                state,
                entry.sources[0].text,
            )


def _incomparable(shifts: Iterable[CounterShift]) -> Iterable[tuple[str, ...]]:
    groups: dict[ShiftReason, list[CounterShift]] = {}
    for each in shifts:
        if each.verdict == "incomparable":
            groups.setdefault(each.reason, []).append(each)
    for reason, group in groups.items():
        names = [
            f"{_where(each.entity)} {label(each.counter)}"
            + (f" ({_from_to(each)}, {_worth(each)})" if reason == "few-samples" else "")
            for each in group
        ]
        yield _REASONS[reason], f"{len(group):,}", _some(list(dict.fromkeys(names)))


def _one_sided(found: Comparison) -> Iterable[str]:
    for what, things in (("Only in this capture", found.came), ("Only in the baseline", found.went)):
        if things:
            yield f"{what}: {_some([_where(each) for each in things])}."
    if found.lacking:
        names = _some([label(path) for path in found.lacking])
        yield (
            f"{plural(len(found.lacking), 'Counter')} that only one of the two has, and that were not compared: "
            f"{names}."
        )


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{rest}"


def _where(entity: Entity) -> str:
    return "host" if entity.kind == "host" else isolated(entity.name)


def _counter(shift: CounterShift) -> str:
    """The label with its unit; of a VM's CPU a vCPU's mean."""
    per = ", mean of its vCPUs" if shift.counter.startswith("Vcpu\\") else ""
    unit = _unit(shift.counter)
    return f"{label(shift.counter)}{per}{f' [{unit}]' if unit else ''}"


def _unit(counter: str) -> str:
    record = find(*counter.split("\\", 1))
    return record.unit if record else ""


def _spread(three: tuple[float, float, float]) -> str:
    return f"{number(three[1])} ({number(three[0])} to {number(three[2])})"


def _worth(shift: CounterShift) -> str:
    return f"worth {number(min(shift.n_eff))}"


def _from_to(shift: CounterShift) -> str:
    return f"{number(shift.before[1])} to {number(shift.now[1], _unit(shift.counter))}"
