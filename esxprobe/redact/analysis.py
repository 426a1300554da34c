"""An analysis without names: every string of every record by what its field holds.

A field that nobody classified is free text: names that are known, addresses, ids, paths and quoted pieces go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from typing import Any

from esxprobe.catalog import find
from esxprobe.catalog.quality import quality_code
from esxprobe.errors import EsxprobeError
from esxprobe.model import Analysis, Chart, Entity, Explanation, QualityNote, Skipped
from esxprobe.redact.instances import Instances
from esxprobe.redact.manifest import LISTED, PROBES
from esxprobe.redact.messages import redacted_message
from esxprobe.redact.redactor import Redactor
from esxprobe.redact.words import own_ids
from esxprobe.rules.skips import counters_lacking

# What each string field of the model holds:
#   own    a word or sentence of the tool that no capture can change
#   said   a sentence of the tool in which a name may have been put
#   line   a line that a host or a guest wrote: what is on no list goes
#   message, command   a message, a command that we composed, with somebody's words in it
#   build, cpu, ...    a value that stays where it is on its list (`listed.is_listed`)
#   free   composed text with pieces of the capture in it
#   others names, each of its kind
ROLES: dict[str, str] = {
    "CaptureSummary.timezone": "own",
    "ClockCheck.when": "own",
    "ClockCheck.zone": "listed_zone",
    "Datastore.kind": "store",
    "Datastore.name": "datastore",
    "EsxtopRun.file": "file",
    "EsxtopRun.outcome": "line",
    "EsxtopRun.reason": "message",
    "HeatRow.label": "strip",
    "HeatStrip.key": "own",
    "HeatStrip.unit": "own",
    "HostFacts.build": "build",
    "HostFacts.cpu_model": "cpu",
    "HostFacts.power_policy": "power",
    "MonitorLine.evidence": "line",
    "MonitorLine.execution": "line",
    "MonitorLine.file": "file",
    "MonitorLine.hardware_version": "hardware",
    "MonitorLine.lines": "line",
    "MonitorLine.mmu": "line",
    "Pause.after": "file",
    "Pause.before": "file",
    "Pause.reason": "message",
    "ProbeOutcome.name": "probe",
    "ProbeOutcome.note": "message",
    "ProbeOutcome.outcome": "line",
    "Provenance.commands": "command",
    "Provenance.error": "message",
    "Provenance.limited_to": "vm",
    "Provenance.notes": "message",
    "Provenance.state": "line",
    "Provenance.tool_version": "tool",
    "Analysis.tool_version": "own",
    "Analysis.clear": "own",
    "Analysis.charts": "own",  # its keys: rule ids
    "Analysis.courses": "own",  # its keys: rule ids with numbers of entities
    "CaptureSummary.host": "host",
    "CaptureSummary.build": "build",
    "CaptureSummary.zone": "zone",
    "CaptureSummary.objects": "object",
    "Chart.title": "own",
    "Chart.unit": "own",
    "Chart.thresholds": "own",
    "Chart.states": "own",
    "Chart.marks": "own",
    "Event.host": "host",
    "Event.kind": "own",
    "Event.severity": "own",
    "Event.unit": "own",
    "Event.line": "line",
    "Event.file": "file",
    "Event.source": "own",
    "EventLog.format": "own",
    "NamedEvents.kind": "own",
    "NamedEvents.unit": "own",
    "Series.label": "label",
    "Comparison.incomparable": "own",
    "Comparison.lacking": "own",  # counters of the catalog
    "CounterShift.counter": "own",
    "CounterShift.reason": "own",
    "CounterShift.verdict": "own",
    "CounterShift.worse": "own",
    "Cut.meaning": "own",
    "Cut.reason": "own",
    "Deviation.change": "own",
    "Deviation.detail": "free",
    "Deviation.place": "file",
    "Deviation.rule": "own",
    "Entity.kind": "own",
    "Entity.name": "entity",
    "Entity.id": "entity",
    "Explanation.because": "said",
    "Explanation.confidence": "own",
    "Explanation.confirm": "said",
    "Explanation.finding": "own",  # made anew of what is redacted
    "Explanation.rule": "own",
    "FaultComparison.guest_counter": "own",
    "FaultComparison.mmu_baseline": "own",
    "FaultComparison.mmu_problem": "own",
    "FaultComparison.statement": "free",
    "FaultComparison.vm": "vm",
    "FaultCost.advice": "said",
    "DeviceLatency.device": "device",
    "DeviceUse.device": "device",
    "DeviceUse.vm": "number",
    "DiskRow.vm": "number",
    "PortRow.vm": "number",
    "FaultCost.gid": "number",
    "FaultCost.vm": "vm",
    "FaultCost.guest_counter": "own",
    "FaultCost.host_counter": "own",
    "FaultCost.mmu": "own",
    "FaultCost.verdict": "own",
    "FaultCost.statement": "free",
    "FaultCost.statistics": "free",
    "FaultExperiment.reason": "message",
    "FaultProbe.injector": "line",
    "ProbedGuest.vm": "vm",
    "ProbedGuest.mmu": "own",
    "ClockAlignment.counters": "own",
    "Likeness.name": "own",
    "Likeness.problem": "fact",
    "Likeness.baseline": "fact",
    "MeasuredShare.by": "own",
    "RateBound.basis": "free",
    "SlopeReading.controls": "own",
    "UpperBound.basis": "free",
    "Finding.rule": "own",
    "Finding.severity": "own",
    "Finding.title": "said",
    "Finding.cause": "own",
    "Finding.statistic": "own",
    "Finding.unit": "own",
    "Finding.source": "said",
    "Finding.members": "member",
    "Finding.why": "said",
    "Finding.advice": "said",
    "Finding.caveats": "said",
    "Finding.states": "own",
    "Finding.doubt": "own",
    "NextLevel.severity": "own",
    "NextLevel.needs": "own",
    "NextLevel.was": "own",
    "FaultSeries.cut": "own",
    "GuestHostPair.gid": "number",
    "GuestHostPair.guest_counter": "own",
    "GuestHostPair.host_counter": "own",
    "GuestHostPair.statement": "own",
    "GuestHostPair.vm": "vm",
    "GuestHostPair.what": "own",
    "GuestLogUse.computer": "guest",
    "GuestLogUse.file": "file",
    "GuestLogUse.format": "own",
    "GuestLogUse.gid": "number",
    "GuestLogUse.matched_by": "free",
    "GuestLogUse.offset": "own",
    "GuestLogUse.sha256": "sha256",
    "GuestLogUse.vm": "vm",
    "GuestLogUse.zone": "zone_in_words",
    "GuestLog.guest": "guest",
    "GuestLog.format": "own",
    "GuestLog.zone": "zone_in_words",
    "JudgedPart.asked_from": "own",  # times
    "JudgedPart.asked_to": "own",
    "Level.severity": "own",
    "Citation.address": "own",
    "Citation.author": "own",
    "Citation.kind": "own",
    "Citation.says": "own",
    "Citation.title": "said",
    "Citation.year": "own",
    "QualityNote.code": "own",
    "QualityNote.severity": "own",
    "QualityNote.detail": "detail",
    "Skipped.rule": "own",
    "Skipped.reason": "free",
    "SourceFile.name": "file",
    "SourceFile.sha256": "sha256",
    "VirtualMachine.name": "vm",
    "VirtualMachine.gid": "number",
    "VirtualMachine.mmu": "own",
    "VirtualMachine.mmu_evidence": "line",
}
NAMES = frozenset({"host", "vm", "strip", "datastore", "guest", "file", "entity", "label", "member"})
_MEMBER = re.compile(r"vCPU \d+|PCPU \d+")
_LABEL_REST = re.compile(r"(?: \(\d+\))?(?: v?P?CPU \d+)?")
# Which object's instances name the entities of a kind.
_OBJECTS = {
    "device": "Physical Disk SCSI Device",
    "path": "Physical Disk Path",
    "nfs-volume": "Physical Disk NFS Volume",
    "adapter": "Physical Disk Adapter",
    "partition": "Physical Disk Partition",
    "device-world": "Physical Disk Per-Device-Per-World",
    "disk": "Physical Disk",
    "port": "Network Port",
    "interrupt": "Interrupt Cookie",
    "rdma": "RDMA Device",
    "vdisk": "Virtual Disk",
    "vm-disks": "Virtual Disk",
}
# Things that lines of logs name, by what their names are; others of them are numbers, or topology as on every host.
_LOGGED = {
    "datastore": "datastore", "volume": "id", "ip": "address", "vmx": "path", "file": "path", "vm-folder": "vm",
    "named": "word", "switch": "switch", "portgroup": "port", "vscsi": "",
}  # fmt: skip
_NUMBERS = re.compile(r"\d+")


def _of_catalog(reason: str) -> bool:
    """Whether a reason only names counters of the catalog, which are nobody's names."""
    lacking = [path.partition("\\") for path in counters_lacking(reason)]
    return bool(lacking) and all(find(object_name, counter) for object_name, _, counter in lacking)


def redacted_analysis(analysis: Analysis, redactor: Redactor, instances: Instances) -> Analysis:
    """The analysis with pseudonyms for names; numbers, times and the order of everything stay.

    Args:
        analysis: What is to be shown.
        redactor: Learns the names that are met.
        instances: What the capture's header says.
    """
    walker = _Walker(redactor, instances)
    walker.walk(analysis)  # names are learned before text is searched for them
    made = walker.walk(analysis)
    assert isinstance(made, Analysis)  # noqa: S101 - for the type checker
    return made


def nameless(analysis: Analysis) -> Analysis:
    """The analysis with one word in place of every name: what a report says of its own accord."""
    made = _Nameless().walk(analysis)
    assert isinstance(made, Analysis)  # noqa: S101 - for the type checker
    return made


class _Records:
    """Walks records, tuples and mappings down to their strings."""

    def walk(self, value: Any, role: str = "free") -> Any:
        if isinstance(value, str):
            return self.text(role, value)
        if value is None or isinstance(value, (int, float, date, timedelta)):
            return value
        if isinstance(value, Entity):
            return self.entity(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self.record(value)
        if isinstance(value, Mapping):
            return {self.walk(key, role): self.walk(each) for key, each in value.items()}
        if isinstance(value, (tuple, list, frozenset, set)):
            return type(value)(self.walk(each, role) for each in value)
        raise EsxprobeError(f"nobody said how a {type(value).__name__} is redacted")

    def record(self, value: Any) -> Any:
        kind = type(value).__name__
        made = replace(
            value,
            **{
                field.name: self.walk(getattr(value, field.name), ROLES.get(f"{kind}.{field.name}", "free"))
                for field in fields(value)
            },
        )
        if isinstance(made, Explanation):  # the id of a finding is made of its entity's
            return replace(made, finding=f"{made.rule}/{made.entity.kind}/{made.entity.id}")
        return made

    def text(self, role: str, text: str) -> str:
        raise NotImplementedError

    def entity(self, entity: Entity) -> Entity:
        raise NotImplementedError


class _Nameless(_Records):
    def text(self, role: str, text: str) -> str:
        return "name" if role in NAMES and text else text

    def entity(self, entity: Entity) -> Entity:
        return Entity(entity.kind, "name", "name" if entity.id == entity.name else entity.id)


class _Walker(_Records):
    def __init__(self, redactor: Redactor, instances: Instances) -> None:
        self._redactor, self._names, self._instances = redactor, redactor.names, instances
        self._shown: dict[str, str] = {}  # entities' names

    def record(self, value: Any) -> Any:
        made = super().record(value)
        if isinstance(value, QualityNote):
            return replace(made, detail=self._detail(value))
        if isinstance(value, Skipped) and _of_catalog(value.reason):
            return replace(made, reason=value.reason)
        if isinstance(value, Chart):
            lines = zip(made.series, value.series, strict=True)
            return replace(made, series=tuple(replace(new, label=self._label(old.label)) for new, old in lines))
        return made

    def text(self, role: str, text: str) -> str:
        names, redactor = self._names, self._redactor
        ways: dict[str, Callable[[str], str]] = {
            "own": str,
            "host": names.host,
            "device": lambda name: self._instances.of(_OBJECTS["device"], name),
            "vm": lambda name: names.of("vm", name),
            "datastore": lambda name: names.of("datastore", name),
            "strip": lambda name: name if _MEMBER.fullmatch(name) else names.of("vm", name),
            "guest": lambda name: names.of("guest", name),
            "number": lambda name: name if name.isdigit() else names.of("id", name),
            "member": self._member,
            "object": self._instances.object,
            "said": redactor.said,
            "line": redactor.line,
            "zone": redactor.zone,
            "fact": redactor.fact,
            "zone_in_words": redactor.zone_in_words,
            "command": redactor.command,
            "message": lambda text: redacted_message(text, redactor),
            "probe": lambda name: redactor.probes.get(name) or (name if name in PROBES else names.of("file", name)),
            "listed_zone": lambda text: redactor.value("zone", text),
            "file": redactor.file,
        }
        if role in LISTED:
            return redactor.value(role, text) if text else ""
        return ways.get(role, redactor.free)(text) if text else ""

    def entity(self, entity: Entity) -> Entity:
        name = self._entity_name(entity)
        self._shown[entity.name] = name
        if entity.id == entity.name:
            return Entity(entity.kind, name, name)
        if entity.kind == "capture":
            return Entity(entity.kind, name, self._names.host(entity.id) if entity.id else "")
        return Entity(entity.kind, name, self.text("number", entity.id) if entity.id else "")

    def _entity_name(self, entity: Entity) -> str:
        kind, name = entity.kind, entity.name
        if kind == "capture":
            return ", ".join(self._redactor.file(each) for each in name.split(", "))
        if kind in {"host", "vm"}:
            return self.text(kind, name)
        if kind == "group":
            return self._instances.group(entity.id, name)
        if kind == "world":
            return self._instances.world("", "", name)
        if kind in _OBJECTS:
            return self._instances.of(_OBJECTS[kind], name)
        return self._logged(kind, name) or (name if _MEMBER.fullmatch(name) else self._instances.of("", name))

    def _logged(self, kind: str, name: str) -> str:
        """A thing that only logs name; empty for another one."""
        if kind == "server":
            return self._names.host(name)
        if _LOGGED.get(kind):
            return self._names.of(_LOGGED[kind], name)
        return name if kind == "vscsi" or _NUMBERS.fullmatch(name) else ""

    def _member(self, name: str) -> str:
        """A part of what a finding is about: a vCPU, a rule that was skipped, a code of quality, a world."""
        return name if _MEMBER.fullmatch(name) or name in own_ids() else self._instances.world("", "", name)

    def _detail(self, note: QualityNote) -> str:
        """The detail of a note; the catalog's own sentence that it starts with is nobody's name."""
        meaning = quality_code(note.code).meaning
        if not note.detail.startswith(meaning):
            return self._redactor.free(note.detail)
        return meaning + self._redactor.free(note.detail[len(meaning) :])

    def _label(self, label: str) -> str:
        """A line of a chart: an entity's name, its id where names repeat, its worst part."""
        for name in sorted(self._shown, key=len, reverse=True):
            rest = label.removeprefix(name)
            if label.startswith(name) and _LABEL_REST.fullmatch(rest):
                return self._shown[name] + rest
        return self._redactor.free(label)
