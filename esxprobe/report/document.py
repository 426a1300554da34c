"""The analysis as a JSON document, schema `esxprobe.analysis/1` (docs/analysis.schema.json)."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from esxprobe.model import (
    Analysis,
    Comparison,
    CounterShift,
    Event,
    EventLog,
    FaultCost,
    Finding,
    JudgedPart,
    Window,
)
from esxprobe.report.events import MOST_IN_DOCUMENT, worst_of

SCHEMA = "esxprobe.analysis/1"
# Fields of the table of VMs that `vms` has already, and what is drawn from the recording for pictures alone.
OF_VMS = ("vm", "seen", "there")
OF_PICTURES = ("strips",)


def document(analysis: Analysis) -> dict[str, Any]:
    """The analysis as plain values, in the order of the schema."""
    capture = analysis.capture
    seen = {row.vm.gid: row.seen for row in analysis.vm_rows}
    absent = {row.vm.gid for row in analysis.vm_rows if not row.there}
    return {
        "schema": SCHEMA,
        "tool": {"name": "esxprobe", "version": analysis.tool_version},
        "capture": {
            "host": capture.host,
            "build": capture.build,
            "started": time_as_json(capture.started),
            "ended": time_as_json(capture.ended),
            "zone": capture.zone,
            "date_known": capture.date_known,
            "interval_s": _number(capture.interval_s),
            "samples": capture.samples,
            "samples_judged": capture.judged,
            "samples_set_aside": capture.samples - capture.judged,
            "columns": capture.columns,
            "columns_unnamed": capture.unnamed_columns,
            "columns_unknown": capture.unknown_columns,
            "groups": capture.groups,
            "worlds": capture.worlds,
            "rows": capture.rows,
            "closure_pct": _closure(capture.closure),
            "observer_used_pct": _number(capture.observer_pct),
            "objects": [
                {"object": name, "instances": instances, "columns": columns, "understood": understood}
                for name, instances, columns, understood in capture.objects
            ],
            "files": plain(capture.files),
            "part": part_as_json(capture.part),
        },
        "quality": [plain(note) for note in analysis.quality],
        "vms": [
            plain(vm) | {"seen": plain(seen.get(vm.gid, ())), "there": vm.gid not in absent} for vm in analysis.vms
        ],
        "findings": [
            finding_as_json(finding) | {"events": plain(analysis.finding_events.get(finding.key, ()))}
            for finding in analysis.findings
        ],
        "slices": plain(analysis.slices),
        "windows": [
            window_as_json(each.span)
            | {
                "evidence": _number(each.evidence),
                "changed": [
                    {
                        "entity": plain(thing.entity),
                        "changes": [
                            plain(change, ("column", "part", "sure", "q")) | {"direction": change.direction}
                            for change in thing.changes
                        ],
                    }
                    for thing in each.changed
                ],
                "findings": [finding.id for finding in each.findings],
            }
            for each in analysis.windows
        ],
        "clear": list(analysis.clear),
        "skipped": plain(analysis.skipped),
        "deviations": plain(analysis.deviations),
        "guest_logs": plain(analysis.guest_logs),
        "fault_costs": [_fault_cost(cost) for cost in analysis.fault_costs],
        "guest_pairs": plain(analysis.guest_counts.pairs),
        "events": [_event(event) for event in worst_of(analysis.events, MOST_IN_DOCUMENT)],
        "event_logs": [_event_log(log) for log in analysis.event_logs],
        "comparison": _comparison(analysis.comparison),
        "vm_table": [{"gid": row.vm.gid, **plain(row, without=OF_VMS)} for row in analysis.vm_rows],
        "glance": plain(analysis.glance, without=OF_PICTURES),
        "provenance": plain(analysis.provenance),
    }


def render_json(analysis: Analysis) -> str:
    """The document as text, one field a line, non-ASCII letters kept, ending in a line break."""
    return json.dumps(document(analysis), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding as plain values, as every document of ours has it."""
    entity = finding.entity
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "entity": plain(entity),
        "owner": plain(finding.owner),
        "title": finding.title,
        "cause": finding.cause,
        "value": _number(finding.value),
        "statistic": finding.statistic,
        "unit": finding.unit,
        "threshold": finding.threshold,
        "source": finding.source,
        "peak": _number(finding.peak),
        "share_of_samples": round(finding.share_of_samples, 6),
        "samples": finding.samples,
        "first": time_as_json(finding.first),
        "last": time_as_json(finding.last),
        "windows": plain(finding.windows),
        "slices": [_number(each) for each in finding.slices],
        "next_level": plain(finding.next_level),
        "states": [{"value": value, "name": name} for value, name in finding.states],
        "doubt": finding.doubt,
        "explained_by": plain(finding.explained_by),
        "members": list(finding.members),
        "why": finding.why,
        "advice": finding.advice,
        "caveats": list(finding.caveats),
    }


def _closure(closure: tuple[float, float, float] | None) -> dict[str, float | None] | None:
    if closure is None:
        return None
    return dict(zip(("lowest", "median", "highest"), map(_number, closure), strict=True))


def _fault_cost(cost: FaultCost) -> dict[str, Any]:
    record: dict[str, Any] = plain(cost, without=("series", "scatter"))
    return record


def _comparison(found: Comparison | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "baseline": {
            "host": found.baseline.host,
            "started": time_as_json(found.baseline.started),
            "ended": time_as_json(found.baseline.ended),
            "files": [file.sha256 for file in found.baseline.files],
            "part": part_as_json(found.baseline.part),
        },
        "faults": plain(found.faults),
        "appeared": [_brief(each) for each in found.appeared],
        "gone": [_brief(each) for each in found.gone],
        "changed": [{"now": _brief(new), "before": _brief(old)} for new, old in found.changed],
        "same": found.same,
        "incomparable": list(found.incomparable),
        "stayed": [{"now": _brief(new), "before": _brief(old)} for new, old in found.stayed],
        "shifts": [_shift(each) for each in found.shifts],
        "came": plain(found.came),
        "went": plain(found.went),
        "lacking": list(found.lacking),
        "settings": plain(found.settings),
        "events": plain(found.events),
    }


def _shift(shift: CounterShift) -> dict[str, Any]:
    """A counter in both captures; hosts have thousands, so numbers are as short as they are worth."""
    record = {name: getattr(shift, name) for name in shift.__slots__} | {"entity": plain(shift.entity)}
    for name, value in record.items():
        if isinstance(value, float):
            record[name] = _short(value)
        elif isinstance(value, tuple):
            record[name] = [_short(each) if isinstance(each, float) else each for each in value]
    return record | {"ratio": _short(shift.ratio)}


def _short(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _brief(finding: Finding) -> dict[str, Any]:
    record = finding_as_json(finding)
    return {key: record[key] for key in ("rule", "severity", "entity", "value", "unit")}


def plain(value: Any, without: tuple[str, ...] = ()) -> Any:
    """A record with the records in it as plain values; numbers that are not known are null."""
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.name not in without]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, datetime):
        return time_as_json(value)
    return _number(value) if isinstance(value, float) else value


def part_as_json(part: JudgedPart | None) -> dict[str, Any] | None:
    """The part of a capture that was judged, as every document of ours has it; null for the whole."""
    if part is None:
        return None
    return {
        "from": part.asked_from or None,
        "to": part.asked_to or None,
        "span": window_as_json(part.span),
        "whole": window_as_json(part.whole),
        "samples": part.inside,
        "samples_of_whole": part.samples,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "time": f"{event.time.isoformat(timespec='milliseconds')[:23]}Z",
        "host": event.host,
        "kind": event.kind,
        "severity": event.severity,
        "entity": plain(event.entity),
        "also": plain(event.also),
        "figure": _number(event.figure),
        "unit": event.unit,
        "duration_s": _number(event.duration_s),
        "line": event.line,
        "file": event.file,
        "source": event.source,
    }


def _event_log(log: EventLog) -> dict[str, Any]:
    return {
        "file": log.file.name,
        "bytes": log.file.bytes,
        "format": log.format,
        "lines": log.lines,
        "events": log.events,
        "outside": log.outside,
        "elsewhere": log.elsewhere,
        "unread": log.unread,
        "dropped": log.dropped,
        "first": time_as_json(log.first),
        "last": time_as_json(log.last),
    }


def window_as_json(window: Window) -> dict[str, Any]:
    """Start and end of a window, each to the second, in UTC."""
    return {"start": time_as_json(window.start), "end": time_as_json(window.end)}


def time_as_json(moment: datetime | None) -> str | None:
    """A time to the second, in UTC."""
    return None if moment is None else f"{moment.isoformat(timespec='seconds')[:19]}Z"


def _number(value: float | None) -> float | None:
    """Six digits behind the point are more than esxtop prints; what is not finite is null."""
    return None if value is None or not math.isfinite(value) else round(value, 6)
