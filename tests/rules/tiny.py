"""Recordings of a few numbers, as if a capture with a sample every five seconds had been read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from esxprobe.catalog.quality import note
from esxprobe.formats.relations import RELATED
from esxprobe.model import Entity, Event, QualityNote, Recording, SourceFile, VirtualMachine
from esxprobe.rules.evaluate import CORES, FAULTS, HOST_KEY, ValueTable, judged_values
from esxprobe.rules.record import ASKED, EVENT, FACT, LARGEST, LOGS, SINCE, UNTIL, Example, Rule

START = datetime(2026, 3, 26, 21, 30, tzinfo=UTC)
INTERVAL_S = 5.0
INTERVAL = timedelta(seconds=INTERVAL_S)
HOST = "esx01.example.com"

# Names by which rules for some entities only know theirs.
NAMES = {"vcpu": "vCPU 0", "group": "esxtop.2098765", "port": "vSwitch0:33554434:vmnic0"}
OTHER_NAMES = {
    "interrupt": ("0x41:CPU0",),
    "world": ("NetWorld-VM-2100001", "vmnic0-pollWorld-0", "VSAN_0x4310_Owner"),
    "group": ("hostd.2099017", "system"),
    "port": ("vSwitch0:33554449:444768:web01",),
}

Values = Sequence[float | None]


@dataclass(frozen=True)
class Thing:
    """An entity with one value a judged sample for each counter (`Object\\Counter`)."""

    kind: str
    name: str
    values: Mapping[str, Values] = field(default_factory=dict)
    id: str = ""
    gid: str | None = None
    device: str | None = "naa.6000"
    adapter: str | None = "vmhba0"
    switch: str | None = "vSwitch0"
    pcpu: str | None = "0"


def recording(
    *things: Thing,
    vms: Sequence[VirtualMachine] = (),
    notes: Sequence[QualityNote] = (),
    samples: int | None = None,
    rows_read: int | None = None,
    lengths_s: Sequence[float] | None = None,
    pauses_s: Mapping[int, float] | None = None,
    build: str = "",
    shown: Mapping[str, int] | None = None,
) -> Recording:
    """A recording of these things.

    Args:
        samples: Number of judged samples; that of the first thing's values when left out.
        rows_read: Rows in the file; as many as were kept when left out.
        lengths_s: Length of each judged sample [s].
        pauses_s: Unrecorded time before a judged sample, by its number [s].
        build: The host's build text.
        shown: How many entities of a kind there are besides, without any value.
    """
    if samples is None:
        samples = next((len(values) for thing in things for values in thing.values.values()), 36)
    lengths = list(lengths_s or [INTERVAL_S] * samples)
    ends, clock = [], START
    for number, length in enumerate(lengths):
        clock += timedelta(seconds=length + (pauses_s or {}).get(number, 0.0))
        ends.append(clock)
    kinds = dict.fromkeys(thing.kind for thing in things)
    return Recording(
        host=HOST,
        zone="(UTC)(0)",
        columns=_columns(things),
        samples=_samples(ends, lengths),
        tidy={
            kind: _tidy([t for t in things if t.kind == kind], samples)
            for kind in kinds
            if any(t.values for t in things if t.kind == kind)
        },
        entities={
            **{
                kind: _entities([Thing(kind, str(n)) for n in range(count)])
                for kind, count in (shown or {}).items()
            },
            **{kind: _entities([t for t in things if t.kind == kind]) for kind in kinds},
        },
        vms=tuple(vms),
        notes=tuple(notes),
        files=(SourceFile("esxtop-000.csv", "0" * 64, 1234),),
        interval_s=INTERVAL_S if samples else None,
        rows_read=samples + 1 if rows_read is None else rows_read,
        build=build,
    )


def example_recording(rule: Rule, example: Example) -> Recording:
    """The recording that a rule's example describes."""
    if rule.entity == "capture":
        return _capture_example(example)
    given = [example.values, *(values for others in example.parts.values() for values in others)]
    lengths = [len(values) for each in given for values in each.values() if isinstance(values, tuple)]
    samples = lengths[0] if lengths else example.samples
    facts = {name: value for name, value in example.values.items() if name.startswith(FACT)}
    logged = {name: value for name, value in example.values.items() if name.startswith(EVENT)}
    counters = {name: value for name, value in example.values.items() if name not in facts and name not in logged}
    name = NAMES.get(rule.entity, "thing")
    if rule.only:
        name = next(n for n in (name, *OTHER_NAMES.get(rule.entity, ())) if re.search(rule.only, n))
    things = [Thing(rule.entity, name, _spread(counters, samples), id="101", gid="100")]
    for kind, others in example.parts.items():
        for number, values in enumerate(others):
            other = f"{name} {number}" if kind == rule.entity else NAMES.get(kind, f"{kind} {number}")
            things.append(Thing(kind, other, _spread(values, samples), id=f"{kind}{number}", gid="100"))
    made = recording(
        *things,
        vms=_machines_of(facts),
        samples=samples,
        build=example.build,
        shown={kind: int(facts[fact]) for fact, kind in SHOWN.items() if fact in facts},
    )
    if logged:
        happened = tuple(_events(rule, name, _spread(logged, samples)))
        made = replace(made, events=happened, facts={LOGS: {HOST_KEY: 1.0}})
    keys = {"host": HOST_KEY, "device": "naa.6000", "uplink": "vmnic0", "vm": "100"}
    host = {fact: {keys[ASKED.get(fact, "host")]: v} for fact, v in facts.items() if fact in {CORES, *ASKED}}
    measured = {fact: {"100": value} for fact, value in facts.items() if fact.startswith(FAULTS)}
    return replace(made, facts={**made.facts, **host, **measured})


def _events(rule: Rule, name: str, logged: Mapping[str, Values]) -> Iterator[Event]:
    """The events that an example speaks of, in the middle of their samples, on the judged entity.

    So many of each kind in each sample, or one with the figure; of a state one where it begins and one where it
    ends.
    """
    ids = {"vm": "100", "host": HOST}
    entity = Entity(rule.entity, name, ids.get(rule.entity, name))
    for column, values in logged.items():
        text = column.removeprefix(EVENT)
        begin, _, end = text.removeprefix(SINCE).partition(UNTIL)
        for sample, value in enumerate(values):
            happened = Event(START + timedelta(seconds=INTERVAL_S * (sample + 0.5)), HOST, begin, "warning", entity)
            if text.startswith(LARGEST) and value:
                yield replace(happened, kind=text.removeprefix(LARGEST), figure=value, unit=rule.unit)
            elif end and value != (values[sample - 1] if sample else 0):
                yield happened if value else replace(happened, time=happened.time - INTERVAL, kind=end)
            elif not end and not text.startswith(LARGEST):
                yield from [happened] * int(value or 0)


SHOWN = {r"Fact\PCPUs": "pcpu", r"Fact\NUMA Nodes": "numa"}


def _machines_of(facts: Mapping[str, Any]) -> list[VirtualMachine]:
    """The VM of the example, and one more that has the vCPUs that the host has besides."""
    vcpus = int(facts.get(r"Fact\vCPUs", 1))
    others = int(facts.get(r"Fact\Host vCPUs", vcpus)) - vcpus
    rest = [VirtualMachine("other", "999", others)] if others else []
    empty = int(facts.get(r"Fact\VMs", 1 + len(rest))) - 1 - len(rest)
    return [
        VirtualMachine("thing", "100", vcpus),
        *rest,
        *(VirtualMachine(f"e{n}", f"8{n}", 0) for n in range(empty)),
    ]


def _spread(given: Mapping[str, float | tuple[float | None, ...]], samples: int) -> dict[str, Values]:
    return {path: values if isinstance(values, tuple) else (values,) * samples for path, values in given.items()}


def _capture_example(example: Example) -> Recording:
    """A capture with that many doubts, so long, and of whose rows or time that share is lost."""
    damage = int(example.values.get(r"Capture\Damage", 0))
    doubts = int(example.values.get(r"Capture\Doubts", damage)) - damage
    lost_pct = float(example.values.get(r"Capture\% Rows Lost", 0.0))
    notes = [note("bad-cell", 1)] * doubts + [note("gzip-damaged", 1)] * damage
    notes += [note("default-fields", 1)] * int(example.values.get(r"Capture\Default Fields", 0))
    rows = 10_000
    kept = round(rows * (1 - lost_pct / 100))
    interval_s = float(example.values.get(r"Capture\Interval s", INTERVAL_S))
    minutes = example.values.get(r"Capture\Minutes")
    samples = kept - 1 if minutes is None else round(60 * float(minutes) / interval_s)
    missing = float(example.values.get(r"Capture\% Time Missing", 0.0)) / 100
    made = recording(
        samples=samples,
        rows_read=rows if minutes is None else samples + 1,
        notes=notes,
        lengths_s=[interval_s] * samples,
        pauses_s={1: samples * interval_s * missing / (1 - missing)},
    )
    return replace(made, interval_s=interval_s)


def _samples(ends: list[datetime], lengths: list[float]) -> pl.DataFrame:
    count = len(ends)
    return pl.DataFrame(
        {
            "sample": range(count + 1),
            "line": range(2, count + 3),
            "segment": [0] * (count + 1),
            "time": [START, *ends],
            "interval_s": [None, *lengths],
            "judged": [False, *[True] * count],
            "reason": ["first", *[""] * count],
        },
        schema={
            "sample": pl.UInt32,
            "line": pl.UInt32,
            "segment": pl.UInt32,
            "time": pl.Datetime("us", "UTC"),
            "interval_s": pl.Float64,
            "judged": pl.Boolean,
            "reason": pl.String,
        },
    )


def _tidy(things: list[Thing], samples: int) -> pl.DataFrame:
    paths = dict.fromkeys(path for thing in things for path in thing.values)
    columns = {path: [v for thing in things for v in thing.values.get(path, (None,) * samples)] for path in paths}
    return pl.DataFrame(
        {
            "sample": list(range(1, samples + 1)) * len(things),
            "entity": [n for n in range(len(things)) for _ in range(samples)],
            **columns,
        },
        schema={"sample": pl.UInt32, "entity": pl.UInt32, **dict.fromkeys(columns, pl.Float64)},
        strict=False,
    )


def tables(rules: Sequence[Rule], capture: Recording) -> dict[str, ValueTable]:
    """The judged values of rules, their parts put together again, by rule id."""
    parts: dict[str, list[ValueTable]] = {}
    for rule, table in judged_values(rules, capture):
        parts.setdefault(rule.id, []).append(table)
    return {
        rule: ValueTable(
            tuple(entity for table in found for entity in table.entities),
            np.concatenate([table.values for table in found]),
            found[0].timing,
        )
        for rule, found in parts.items()
    }


def kind_has(kind: str, key: str) -> bool:
    """Whether entities of a kind can know this key (see `formats.relations`)."""
    kinds = {
        "device": {"device", "path", "device-world", "partition"},
        "adapter": {"adapter", "path", "disk"},
        "switch": {"port"},
        "pcpu": {"pcpu", "interrupt"},
    }
    return kind in kinds[key]


def _entities(things: list[Thing]) -> pl.DataFrame:
    rows = [
        {
            "entity": n,
            "name": thing.name,
            "id": thing.id,
            "gid": thing.gid,
            "role": "",
            **{key: getattr(thing, key) if kind_has(thing.kind, key) else None for key in RELATED},
        }
        for n, thing in enumerate(things)
    ]
    return pl.DataFrame(
        rows, schema={"entity": pl.UInt32, **dict.fromkeys(("name", "id", "gid", "role", *RELATED), pl.String)}
    )


def _columns(things: Sequence[Thing]) -> pl.DataFrame:
    rows = []
    for thing in things:
        for path in thing.values:
            obj, _, counter = path.partition("\\")
            rows.append(
                {
                    "path": f"\\\\{HOST}\\{obj}({thing.name})\\{counter}",
                    "object": obj,
                    "instance": thing.name,
                    "counter": counter,
                    "known": True,
                }
            )
    text = dict.fromkeys(("path", "object", "instance", "counter"), pl.String)
    return pl.DataFrame(rows, schema={**text, "known": pl.Boolean})
