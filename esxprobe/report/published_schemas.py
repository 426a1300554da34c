"""The JSON Schemas of our documents, from the records that they are made of.

Run as a module with a folder it writes `analysis.schema.json`, `fleet.schema.json` and `guests.schema.json` there
(`make docs`).
"""

from __future__ import annotations

import sys
from pathlib import Path

from esxprobe import model
from esxprobe.model.faults import FaultRates, RateBound
from esxprobe.model.fleet import (
    CaptureDigest,
    EntityCounts,
    EventCounts,
    Failure,
    Figure,
    HostRow,
    OddHost,
    RuleCounts,
    SlowDevice,
    TraveledVm,
    VmStay,
)
from esxprobe.model.guestalone import GuestAlone, KindOfFault, WorstMinute
from esxprobe.report import document, fleet_document, guestalone_document
from esxprobe.report.record_schema import (
    COUNT,
    NUMBER,
    TEXT,
    TIME,
    Schema,
    about,
    list_schema,
    object_schema,
    or_null,
    published,
    record_schema,
    type_schema,
    written,
)

_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_RULE: Schema = {
    "description": "Rule id, as `esxprobe rules list` shows it.",
    "pattern": "^[a-z]+(-[a-z]+)+$",
    **TEXT,
}
_WINDOW = record_schema(model.Window)
_ENTITY = record_schema(model.Entity)
_QUALITY = list_schema(
    "Damage and warnings, counted.",
    record_schema(
        model.QualityNote, also={"code": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}, "count": {"minimum": 1}}
    ),
)
_NULL_OR_TIME = or_null(TIME)
_FIGURES: Schema = {
    "description": "Values by the key of a figure.",
    "type": "object",
    "additionalProperties": NUMBER,
}


def _part() -> Schema:
    edge = or_null({**TEXT, "minLength": 1})
    return record_schema(
        model.JudgedPart,
        ("asked_from", "asked_to", "inside", "samples"),
        {
            "from": about("Where it begins, as it was asked for; null for the capture's start.", edge),
            "to": about("Where it ends, as it was asked for; null for the capture's end.", edge),
            "samples": about("Samples whose stamps are in the part, judged or excluded.", COUNT),
            "samples_of_whole": about("Samples of the whole capture likewise.", COUNT),
        },
    )


def _finding(also: dict[str, Schema]) -> Schema:
    state = object_schema(
        {
            "value": {"description": "The value, threshold or peak that it names.", "type": "number"},
            "name": about("Its name with esxtop's number, as `hard (2)`.", TEXT),
        }
    )
    cause = record_schema(model.Explanation, also={"rule": _RULE, "overlap": _SHARE, "elsewhere": {"maximum": 1}})
    return record_schema(
        model.Finding,
        ("number", "span", "scale"),
        {
            "id": {
                "description": "What tells it from every other finding of this document: `rule/kind/id`.",
                "minLength": 1,
                **TEXT,
            },
            "rule": _RULE,
            "share_of_samples": _SHARE,
            "windows": {"maxItems": 12},
            "slices": {"items": {"type": "number", "minimum": 0}},
            "explained_by": {"items": cause},
            "first": about("Start of the first window; null for findings on the capture itself.", _NULL_OR_TIME),
            "last": about("End of the last window; null for findings on the capture itself.", _NULL_OR_TIME),
            "next_level": about(
                "The next worse level of the rule, which was not reached; null where the worst was.",
                or_null(record_schema(model.NextLevel)),
            ),
            "states": list_schema("Where values are states: their names, with the numbers of esxtop.", state),
            **also,
        },
    )


def _capture() -> Schema:
    parts = object_schema({each: about(f"The {each} sum [%].", NUMBER) for each in ("lowest", "median", "highest")})
    instances = object_schema(
        {
            "object": about("Object, as `Group Cpu`.", TEXT),
            "instances": about("Number of different instances.", COUNT),
            "columns": about("Number of columns.", COUNT),
            "understood": about("Of these, how many the catalog knows.", COUNT),
        }
    )
    return record_schema(
        model.CaptureSummary,
        ("judged", "unnamed_columns", "unknown_columns", "closure", "observer_pct", "objects", "timezone", "part"),
        {
            "interval_s": {"exclusiveMinimum": 0},
            "samples_judged": about("Samples that rules look at: their interval is known.", COUNT),
            "samples_set_aside": about(
                "Samples that are in no rate: the first one, and steps of the clock.", COUNT
            ),
            "columns_unnamed": about("Columns that carry no name.", COUNT),
            "columns_unknown": about("Columns that the catalog of counters does not know.", COUNT),
            "closure_pct": about(
                "Sum of %RUN, %RDY, %CSTP and %WAIT of a world [%]; null without these.", or_null(parts)
            ),
            "observer_used_pct": about(
                "Mean %USED of esxtop's own groups [% of a PCPU]; null without them.", NUMBER
            ),
            "objects": list_schema("Named columns by object, in file order.", instances),
            "part": about(
                "The part of the capture that was judged; null for the whole. Start, end, interval, samples, "
                "closure and esxtop's own use are of the part; rows, columns, VMs, files and notes on quality are "
                "of the whole.",
                or_null(_part()),
            ),
        },
    )


def _windows() -> Schema:
    direction = {"description": "Which way it went.", "enum": ["up", "down"]}
    change = record_schema(model.CounterChange, ("column", "part", "sure", "q"), {"direction": direction})
    changed = object_schema(
        {"entity": about("What changed.", _ENTITY), "changes": list_schema("Its counters, most first.", change)}
    )
    window = record_schema(
        model.Window,
        also={
            "evidence": about(
                "How unlikely it is by chance in these series at this time [natural logarithm].", NUMBER
            ),
            "changed": list_schema("What stands out in it, most first.", changed),
            "findings": list_schema("Ids of findings at that time on what changed, which may explain it.", TEXT),
        },
    )
    described = (
        "Stretches of time that stand out by themselves, at most five, in the order of time; see docs/changes.md."
    )
    return list_schema(described, window) | {"maxItems": 5}


def _comparison() -> Schema:
    brief = object_schema(
        {
            "rule": _RULE,
            "severity": about("Its severity.", type_schema(model.Severity)),
            "entity": about("What it is about.", _ENTITY),
            "value": about("The judged value.", NUMBER),
            "unit": about("Its unit.", TEXT),
        }
    )
    both = object_schema({"now": about("In this capture.", brief), "before": about("In the baseline.", brief)})
    ratio = about("Median now as a multiple of the one before.", NUMBER)
    baseline = object_schema(
        {
            "host": about("Its host.", TEXT),
            "started": about("Its start.", _NULL_OR_TIME),
            "ended": about("Its end.", _NULL_OR_TIME),
            "files": list_schema("sha256 of its files.", TEXT),
            "part": about("The part of it that was judged; null for the whole.", or_null(_part())),
        }
    )
    return object_schema(
        {
            "baseline": about("The other capture.", baseline),
            "faults": list_schema("Guest faults of VMs with data in both.", record_schema(model.FaultComparison)),
            "appeared": list_schema("Findings that the baseline has not.", brief),
            "gone": list_schema("Findings that only the baseline has.", brief),
            "changed": list_schema("Findings of both with another severity.", both),
            "same": about("Findings of both with the same severity.", COUNT),
            "incomparable": list_schema("Rules that could run in only one of the two.", TEXT),
            "stayed": list_schema("Findings of both with the same severity.", both),
            "shifts": list_schema(
                "Main counters of what both captures have, worst first.",
                record_schema(model.CounterShift, also={"ratio": ratio}),
            ),
            "came": list_schema("Things that only this capture has.", _ENTITY),
            "went": list_schema("Things that only the baseline has.", _ENTITY),
            "lacking": list_schema("Counters that only one of the two has.", TEXT),
            "settings": list_schema(
                "What both captures ran on, and how much work there was.", record_schema(model.Likeness)
            ),
            "events": list_schema("Events of logs in both, worst first.", record_schema(model.EventsOfBoth)),
        }
    )


def analysis_schema() -> Schema:
    """The schema of `document.document`."""
    seen = list_schema(
        "When the VM was there, where that was not all of the judged time. Otherwise empty.", _WINDOW
    )
    there = {"description": "False when none of its vCPUs did anything, waiting included.", "type": "boolean"}
    events = list_schema("Events of logs that belong to its entity and time.", record_schema(model.NamedEvents))
    of_log = record_schema(
        model.EventLog,
        ("file",),
        {"file": about("Name of the file.", TEXT), "bytes": about("Its size [bytes].", COUNT)},
    )
    gid = {"gid": about("Group id of the VM; `vms` has its name.", TEXT)}
    time = about("When, to the millisecond, by the host's clock.", TEXT)
    return published(
        document.SCHEMA,
        "What esxprobe says of one esxtop capture: written by `esxprobe report --json FILE` and embedded in the "
        "HTML report as inert JSON.",
        {
            "capture": about("What was captured.", _capture()),
            "quality": _QUALITY,
            "vms": list_schema(
                "The virtual machines, in the order of the header.",
                record_schema(model.VirtualMachine, also={"seen": seen, "there": there}),
            ),
            "findings": list_schema(
                "Rules that fired, worst first; among equals causes before symptoms.", _finding({"events": events})
            ),
            "slices": list_schema(
                "The captured time in twelve equal slices; empty without a judged sample.",
                record_schema(model.TimeSlice),
            ),
            "windows": _windows(),
            "clear": list_schema("Ids of the rules that ran and found nothing.", _RULE) | {"uniqueItems": True},
            "skipped": list_schema("Rules that could not run.", record_schema(model.Skipped, also={"rule": _RULE})),
            "deviations": list_schema(
                "Where the rules were not the shipped ones (`--rules`).", record_schema(model.Deviation)
            ),
            "fault_costs": list_schema(
                "Guest page faults and vCPU time, one entry per VM and kind of fault.",
                record_schema(model.FaultCost, ("series", "scatter")),
            ),
            "guest_logs": list_schema("The guest logs that were read.", record_schema(model.GuestLogUse)),
            "guest_pairs": list_schema(
                "What guests counted beside what the host counted of the same VMs.",
                record_schema(model.GuestHostPair),
            ),
            "comparison": about("Against a baseline; null without one.", or_null(_comparison())),
            "events": list_schema(
                "What logs say happened, in order of time; of more than 5,000 the worst.",
                record_schema(model.Event, ("time",), {"time": time}),
            ),
            "event_logs": list_schema("The logs that were read for events.", of_log),
            "vm_table": list_schema(
                "The table of VMs, in its order.", record_schema(model.VmRow, document.OF_VMS, gid)
            ),
            "glance": about(
                "Host, storage and network at a glance.", record_schema(model.Glance, document.OF_PICTURES)
            ),
            "provenance": about(
                "How the capture came about, by its manifest; null without one.",
                or_null(record_schema(model.Provenance)),
            ),
        },
    )


def fleet_schema() -> Schema:
    """The schema of `fleet_document.fleet_document`."""
    counts = object_schema({each: about(f"Findings: {each}.", COUNT) for each in ("critical", "warning", "info")})
    digest = record_schema(
        CaptureDigest,
        ("part", "figures"),
        {
            "counts": about("Findings by severity.", counts),
            "figures": _FIGURES,
            "part": about("The part of the capture that was judged; null for the whole.", or_null(_part())),
        },
    )
    capture = object_schema(
        {
            "source": about("Its path or URL, without secrets.", TEXT),
            "report": about("File name beside the summary; null without a report.", or_null(TEXT)),
            "error": about("Why it could not be judged; null where it was.", or_null(record_schema(Failure))),
            "digest": about("What was found; null where it could not be judged.", or_null(digest)),
        }
    )
    by_host = {"type": "object", "additionalProperties": NUMBER}
    device = record_schema(
        SlowDevice,
        ("slow", "fine"),
        {
            "slow": about("95th percentile of DAVG by host, where it is slow [ms].", by_host),
            "fine": about("95th percentile of DAVG by host, where it is not [ms].", by_host),
        },
    )
    stay = record_schema(VmStay, ("name",), {"host": about("The host.", TEXT)})
    traveled = record_schema(TraveledVm, ("stays",), {"stays": list_schema("In order of time.", stay)})
    return published(
        fleet_document.SCHEMA,
        "What esxprobe says of several captures: written by `esxprobe fleet --json FILE`.",
        {
            "captures": list_schema("What became of each capture, in the order in which they were named.", capture),
            "figures": list_schema("What hosts are compared by.", record_schema(Figure)),
            "hosts": list_schema("Hosts, by name.", record_schema(HostRow, ("figures",), {"figures": _FIGURES})),
            "by_rule": list_schema("Rules, worst first.", record_schema(RuleCounts)),
            "by_entity": list_schema("Entities, worst first.", record_schema(EntityCounts)),
            "slow_devices": list_schema("Storage devices that are slow on at least one host.", device),
            "traveled": list_schema("VMs that are on several hosts.", traveled),
            "odd": list_schema("Hosts that differ from the others in a main figure.", record_schema(OddHost)),
            "by_event": list_schema("Events of logs over all captures, worst first.", record_schema(EventCounts)),
        },
    )


def guests_schema() -> Schema:
    """The schema of `guestalone_document.guest_document`."""
    most = about("In the interval with the most [faults/s].", NUMBER)
    rates = record_schema(FaultRates, ("run_pct", "run_error"), {"most": most})
    kind = record_schema(
        KindOfFault,
        ("rates", "most", "worst", "bound", "series"),
        {
            "rates": about("How often the guest faulted.", rates),
            "worst": about(
                "The minute with the most faults; null where the log has no such minute.",
                or_null(record_schema(WorstMinute)),
            ),
            "bound": about(
                "What that is at an assumed cost of a fault; null where the mode is `hardware`.",
                or_null(record_schema(RateBound)),
            ),
        },
    )
    guest = record_schema(
        GuestAlone,
        ("kinds", "logs"),
        {
            "kinds": list_schema("Rates, the judged kind first; empty where the log counts no faults.", kind),
            "logs": list_schema("Where it comes from.", record_schema(model.GuestLogUse, ("vm", "gid", "offset"))),
        },
    )
    return published(
        guestalone_document.SCHEMA,
        "What esxprobe says of guests by their own logs alone, without a capture of their host: written by "
        "`esxprobe report LOG --json FILE` and embedded in the HTML report as inert JSON.",
        {
            "quality": _QUALITY,
            "guests": list_schema("Every guest, the worst first.", guest),
            "findings": list_schema("Rules that fired, worst first.", _finding({})),
        },
    )


PUBLISHED = {"analysis": analysis_schema, "fleet": fleet_schema, "guests": guests_schema}

if __name__ == "__main__":
    for name, made in PUBLISHED.items():
        (Path(sys.argv[1]) / f"{name}.schema.json").write_text(written(made()), encoding="utf-8")
