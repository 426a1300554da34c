"""An analysis without names: every string of every record by what its field holds.

A field that is not classified is free text: names that are known, addresses, ids, paths and quoted pieces go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from esxprobe.catalog import find
from esxprobe.catalog.quality import quality_code
from esxprobe.errors import EsxprobeError
from esxprobe.model import Analysis, Chart, Entity, Event, Explanation, QualityNote, Skipped
from esxprobe.model.roles import FREE, Role, roles_of
from esxprobe.redact.instances import Instances
from esxprobe.redact.manifest import LISTED, PROBES
from esxprobe.redact.messages import redacted_message
from esxprobe.redact.own_words import own_ids
from esxprobe.redact.redactor import Redactor
from esxprobe.rules.skips import counters_lacking

_FREE = Role(FREE)
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
    """Whether a reason only names counters of the catalog, which are public."""
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


def redacted_events(events: tuple[Event, ...], redactor: Redactor, instances: Instances) -> tuple[Event, ...]:
    """Events of logs with pseudonyms for names, as those of an analysis.

    Args:
        events: In the order of time.
        redactor: As in `redacted_analysis`.
        instances: As in `redacted_analysis`.
    """
    walker = _Walker(redactor, instances)
    walker.walk(events)  # names are learned before text is searched for them
    made: tuple[Event, ...] = walker.walk(events)
    return made


def nameless(analysis: Analysis) -> Analysis:
    """The analysis with one word in place of every name: what a report says by itself."""
    made = _Nameless().walk(analysis)
    assert isinstance(made, Analysis)  # noqa: S101 - for the type checker
    return made


class _Records:
    """Walks records, tuples and mappings down to their strings."""

    def walk(self, value: Any, role: Role = _FREE) -> Any:
        if isinstance(value, str):
            return self.text(role, value)
        if value is None or isinstance(value, (int, float, date, timedelta, np.ndarray)):
            return value  # arrays are of numbers
        if isinstance(value, Entity):
            return self.entity(value)
        if is_dataclass(value) and not isinstance(value, type):
            return self.record(value)
        if isinstance(value, Mapping):
            return {self.walk(key, role): self.walk(each) for key, each in value.items()}
        if isinstance(value, (tuple, list, frozenset, set)):
            return type(value)(self.walk(each, role) for each in value)
        raise EsxprobeError(f"no role is given for redacting a {type(value).__name__}")

    def record(self, value: Any) -> Any:
        kind: type = type(value)
        roles = roles_of(kind)
        made = replace(
            value,
            **{
                field.name: self.walk(getattr(value, field.name), roles.get(field.name, _FREE))
                for field in fields(value)
            },
        )
        if isinstance(made, Explanation):  # the id of a finding is made of its entity's
            return replace(made, finding=f"{made.rule}/{made.entity.kind}/{made.entity.id}")
        return made

    def text(self, role: Role, text: str) -> str:
        raise NotImplementedError

    def entity(self, entity: Entity) -> Entity:
        raise NotImplementedError


class _Nameless(_Records):
    def text(self, role: Role, text: str) -> str:
        return "name" if role.is_name and text else text

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

    def text(self, role: Role, text: str) -> str:
        return self._text(role.name, text)

    def _text(self, role: str, text: str) -> str:
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
            "sentence": redactor.sentence,
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
        return Entity(entity.kind, name, self._text("number", entity.id) if entity.id else "")

    def _entity_name(self, entity: Entity) -> str:
        kind, name = entity.kind, entity.name
        if kind == "capture":
            return ", ".join(self._redactor.file(each) for each in name.split(", "))
        if kind in {"host", "vm"}:
            return self._text(kind, name)
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
        """The detail of a note; the catalog's own sentence that it starts with holds no name."""
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
