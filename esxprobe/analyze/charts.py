"""What the pictures of findings show: the judged value over time of the worst few entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from esxprobe.arrays import Floats
from esxprobe.model import Chart, Event, Finding, Recording, Series
from esxprobe.rules import RuleBook
from esxprobe.rules.evaluate import timing
from esxprobe.rules.judge import Outcome
from esxprobe.rules.record import Rule
from esxprobe.series import thin

# A line has no more points than pixels, and more lines than this cannot be distinguished.
POINTS = 300
_LINES = 4
_MARKS = 100


def charts_of(outcome: Outcome, recording: Recording, book: RuleBook) -> dict[str, Chart]:
    """One chart a rule that fired: the judged value over time of its worst few entities."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in outcome.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    charts = {rule: _chart(book.find(rule), found, outcome, recording) for rule, found in by_rule.items()}
    return {rule: chart for rule, chart in charts.items() if chart.series}


def marked(
    charts: Mapping[str, Chart], findings: Sequence[Finding], marks: Mapping[str, Sequence[Event]]
) -> dict[str, Chart]:
    """The charts with marks of the events that belong to what they show, by `Finding.key`."""
    made = dict(charts)
    for rule, chart in charts.items():
        drawn = [each for each in findings if each.rule == rule][:_LINES]
        events = [event for each in drawn for event in marks.get(each.key, ())]
        # Marks of one kind in one second look like one.
        seen = {(event.time.replace(microsecond=0), event.severity, event.kind) for event in events}
        if seen:
            made[rule] = replace(chart, marks=tuple(sorted(seen)[:_MARKS]))
    return made


def _chart(rule: Rule, found: list[Finding], outcome: Outcome, recording: Recording) -> Chart:
    drawn = rule.levels if rule.check.on_values else ()
    thresholds = tuple(
        (lv.severity, lv.threshold) for lv in drawn if any(each.knows(lv.threshold) for each in found)
    )
    if rule.entity == "capture":
        return Chart(rule.label, rule.unit, (), thresholds, ())
    times: list[datetime] = recording.samples.filter("judged")["time"].to_list()
    when = timing(recording)
    lines = []
    for finding in found[:_LINES]:
        name = finding.entity.name
        if sum(name == other.entity.name for other in found) > 1:
            name += f" ({finding.entity.id})"  # equal labels would become one line
        label = f"{name} {finding.members[0]}" if finding.members else name
        lines.append(_line(label, times, outcome.values_of(finding), when.stretches))
    windows = found[0].windows if len(found) == 1 else ()
    return Chart(rule.label, rule.unit, tuple(lines), thresholds, windows, found[0].states)


def _line(label: str, times: list[datetime], values: Floats, stretches: Sequence[tuple[int, int]]) -> Series:
    """A line that is broken where nothing was measured."""
    ends: list[datetime] = []
    points: list[float | None] = []
    for begin, end in stretches:
        most = max(4, POINTS * (end - begin) // len(values) - 1)
        if points:
            ends.append(times[begin])
            points.append(None)
        for n in (thin(values[begin:end], most) + begin).tolist():
            ends.append(times[n])
            points.append(None if np.isnan(values[n]) else round(float(values[n]), 4))
    return Series(label, tuple(ends), tuple(points))
